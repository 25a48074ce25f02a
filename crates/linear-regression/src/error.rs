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
