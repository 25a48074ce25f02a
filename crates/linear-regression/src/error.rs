//! What least squares can't do, beyond a tensor operation that fails.

use gradus_tensor::Shape;

/// The result of a fit.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fit that can't be made.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] gradus_tensor::Error),
    /// Data of a shape that is no regression.
    #[error("{what} has the shape {got}, expected {expected}")]
    Shape {
        /// Which argument.
        what: &'static str,
        /// What was expected.
        expected: String,
        /// What came.
        got: Shape,
    },
    /// Nothing to fit to.
    #[error("there are no samples (X has the shape {shape}); at least 1 is needed")]
    NoSamples {
        /// The shape of X.
        shape: Shape,
    },
    /// A NaN or an infinity in the data.
    #[error("{what}[{row}, {column}] = {value}; finite numbers are needed")]
    NotFinite {
        /// Which argument.
        what: &'static str,
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// The value.
        value: f64,
    },
    /// An option outside its domain.
    #[error("{name} = {value}, allowed: {allowed}")]
    Option {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Columns that depend on each other, for a method that needs them not to.
    #[error(
        "{method}: X has rank {rank} and {columns} columns (relative tolerance {tolerance:e}); Method::Svd gives the solution of smallest norm, a ridge above 0 a unique one"
    )]
    RankDeficient {
        /// The method.
        method: &'static str,
        /// The rank found.
        rank: usize,
        /// The number of columns.
        columns: usize,
        /// The tolerance that it was found with.
        tolerance: f64,
    },
    /// Columns that go too nearly together for a method.
    #[error(
        "{method}: the condition number is {condition:e}, allowed: up to {limit:e}; Method::Qr has no limit"
    )]
    IllConditioned {
        /// The method.
        method: &'static str,
        /// The condition number of the scaled columns.
        condition: f64,
        /// The largest that the method takes.
        limit: f64,
    },
    /// A result beyond the largest number.
    #[error("{what} is beyond the largest number; divide the data by a power of ten")]
    Overflow {
        /// The result.
        what: &'static str,
    },
    /// Gradient descent that went up.
    #[error(
        "gradient descent diverged in step {step}, at a cost of {cost:e}: the learning rate {rate} is not below {bound}, two over \
         the largest eigenvalue of the Hessian"
    )]
    Diverged {
        /// The learning rate.
        rate: f64,
        /// What it must be below.
        bound: f64,
        /// The step in which that was plain.
        step: usize,
        /// The cost there.
        cost: f64,
    },
    /// Names of another number than there are columns.
    #[error("there are {got} names, expected {expected}, one for each column of X, or none")]
    Names {
        /// How many columns X has.
        expected: usize,
        /// How many names came.
        got: usize,
    },
    /// A statistic that needs more samples than coefficients.
    #[error("{what} needs more samples than coefficients: {samples} samples, rank {rank}")]
    NoFreedom {
        /// The statistic.
        what: &'static str,
        /// The number of samples.
        samples: usize,
        /// The rank.
        rank: usize,
    },
}
