//! What can go wrong: which operation, what was expected, what came.

use crate::Shape;

/// The result of an operation that depends on the caller's data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failed operation on tensors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A shape is not the one that the operation needs.
    #[error("{op}: expected {expected}, got the shape {got}")]
    Shape {
        /// The operation.
        op: &'static str,
        /// What it needs.
        expected: String,
        /// What came.
        got: Shape,
    },
    /// Two shapes do not fit together.
    #[error("{op}: the shapes {left} and {right} do not fit: {why}")]
    Mismatch {
        /// The operation.
        op: &'static str,
        /// The left operand's shape.
        left: Box<Shape>,
        /// The right operand's shape.
        right: Box<Shape>,
        /// The rule that they break.
        why: &'static str,
    },
    /// A number of values differs from what the shape holds.
    #[error("{op}: the shape {shape} holds {expected} values, got {got}")]
    Length {
        /// The operation.
        op: &'static str,
        /// The shape.
        shape: Shape,
        /// How many values it holds.
        expected: usize,
        /// How many came.
        got: usize,
    },
    /// An axis that the tensor does not have.
    #[error("{op}: axis {axis} of a tensor with {rank} dimensions (allowed: 0..{rank})")]
    Axis {
        /// The operation.
        op: &'static str,
        /// The axis asked for.
        axis: usize,
        /// How many there are.
        rank: usize,
    },
    /// An index outside its dimension.
    #[error("{op}: index {index} on axis {axis} of size {size} (allowed: 0..{size})")]
    Index {
        /// The operation.
        op: &'static str,
        /// The index asked for.
        index: usize,
        /// The axis.
        axis: usize,
        /// The size of that axis.
        size: usize,
    },
    /// An argument outside its domain.
    #[error("{op}: {name} = {value}, allowed: {allowed}")]
    Argument {
        /// The operation.
        op: &'static str,
        /// The argument's name.
        name: &'static str,
        /// The value that came.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Nothing to reduce.
    #[error("{op}: an empty tensor of shape {shape} has no {op}")]
    Empty {
        /// The operation.
        op: &'static str,
        /// The shape.
        shape: Shape,
    },
    /// A shape whose number of elements is beyond what memory can address.
    #[error("{op}: the shape {dims:?} holds more elements than memory can")]
    TooLarge {
        /// The operation.
        op: &'static str,
        /// The dimensions.
        dims: Vec<usize>,
    },
    /// A NaN or an infinity where a decomposition needs finite numbers.
    #[error("{op}: element {index} is {value}; finite numbers are needed")]
    NotFinite {
        /// The operation.
        op: &'static str,
        /// The first such element, in row-major order.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A matrix that is not positive definite.
    #[error("{op}: the matrix is not positive definite")]
    NotPositiveDefinite {
        /// The operation.
        op: &'static str,
    },
    /// A zero on the diagonal of a triangular matrix.
    #[error("{op}: the diagonal element {index} is zero")]
    Singular {
        /// The operation.
        op: &'static str,
        /// Which one.
        index: usize,
    },
    /// An iteration that did not converge.
    #[error("{op}: no convergence within {iterations} iterations")]
    NoConvergence {
        /// The operation.
        op: &'static str,
        /// How many were allowed.
        iterations: usize,
    },
    /// A file that is not what it should be, or can't be read or written.
    #[error("{file}: {why}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// An argument outside its domain: its value as it came, and what is allowed.
    ///
    /// ```
    /// use gradus_tensor::Error;
    /// let error = Error::argument("dropout", "p", 1.5, "0..=1");
    /// assert_eq!(error.to_string(), "dropout: p = 1.5, allowed: 0..=1");
    /// ```
    pub fn argument(
        op: &'static str,
        name: &'static str,
        value: impl ToString,
        allowed: impl ToString,
    ) -> Self {
        Self::Argument { op, name, value: value.to_string(), allowed: allowed.to_string() }
    }

    /// Two shapes that do not fit together, and the rule that they break.
    pub fn mismatch(op: &'static str, left: Shape, right: Shape, why: &'static str) -> Self {
        // Boxed: a result should not be larger than its error makes it.
        Self::Mismatch { op, left: Box::new(left), right: Box::new(right), why }
    }

    /// A shape that is not the one that is needed.
    pub fn shape(op: &'static str, expected: impl ToString, got: Shape) -> Self {
        Self::Shape { op, expected: expected.to_string(), got }
    }
}
