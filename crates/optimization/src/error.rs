//! What an optimiser can't do, beyond a tensor operation that fails.

use gradus_tensor::Shape;

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
    /// A gradient or a state that has another shape than its parameter.
    #[error("the {what} of `{name}` has the shape {got}, the parameter {expected}")]
    Shape {
        /// Which of them.
        what: &'static str,
        /// The parameter's dotted name.
        name: String,
        /// The parameter's shape.
        expected: Box<Shape>,
        /// What came.
        got: Box<Shape>,
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

/// Refuses a setting unless it is as it must be.
pub(crate) fn allow(ok: bool, name: &'static str, value: impl ToString, allowed: &'static str) -> Result<()> {
    if ok { Ok(()) } else { Err(Error::Option { name, value: value.to_string(), allowed }) }
}

/// Refuses what is not finite and at least 0.
pub(crate) fn not_negative(name: &'static str, value: f64) -> Result<()> {
    allow(value >= 0.0 && value.is_finite(), name, value, "finite and at least 0")
}

/// Refuses what is not a fraction that leaves something: at least 0 and below 1.
pub(crate) fn below_one(name: &'static str, value: f64) -> Result<()> {
    allow((0.0..1.0).contains(&value), name, value, "at least 0 and below 1")
}
