//! What can go wrong beyond a tensor operation.

use gradus_tensor::Shape;

/// The result of a backward pass or of loading parameters.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed backward pass, or parameters that do not fit.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] gradus_tensor::Error),
    /// `backward` starts from one number.
    #[error(
        "backward: starts from one number, got the shape {shape}; sum it, or give backward_with a cotangent"
    )]
    NotScalar {
        /// The shape that came.
        shape: Shape,
    },
    /// Nothing that the value depends on is a parameter.
    #[error("backward: no parameter took part in this value, or it was computed under no_grad")]
    Untracked,
    /// A second backward pass over the same graph.
    #[error("backward: the graph was used up by an earlier backward pass; compute the value again")]
    Consumed,
    /// A state without this parameter or buffer.
    #[error("load_state: `{name}` is missing")]
    Missing {
        /// Its dotted name.
        name: String,
    },
    /// A state with something that the module does not have.
    #[error("load_state: `{name}` is not a parameter or buffer here (nearest: {nearest})")]
    Unknown {
        /// Its dotted name.
        name: String,
        /// The name that shares the longest beginning.
        nearest: String,
    },
    /// A parameter of another shape.
    #[error("load_state: `{name}` has the shape {expected}, the state has {got}")]
    StateShape {
        /// Its dotted name.
        name: String,
        /// The module's shape.
        expected: Box<Shape>,
        /// The state's shape.
        got: Box<Shape>,
    },
}
