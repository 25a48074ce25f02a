//! What an optimiser can't do, beyond a tensor operation that fails.

/// The result of a step.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A step that can't be made, or a setting outside of its domain.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] gradus_tensor::Error),
    /// A setting outside of its domain.
    #[error("{name} = {value}, allowed: {allowed}")]
    Option {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A state with a name that is missing, or one too many.
    #[error("load_state: `{name}` {problem}")]
    State {
        /// The dotted name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}
