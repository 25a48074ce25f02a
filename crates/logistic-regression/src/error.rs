//! What logistic regression can't do, beyond a tensor operation that fails.

use crate::Separation;
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
    /// Data of a shape that is no classification.
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
    #[error("there are no samples (X has the shape {shape}); at least one of each class is needed")]
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
    /// A label that is no class.
    #[error("the label of row {row} is {label}, allowed: 0..{classes}")]
    Label {
        /// The row.
        row: usize,
        /// The label.
        label: u32,
        /// The number of classes.
        classes: usize,
    },
    /// A class without samples: its intercept would be −∞.
    #[error("no sample (of a weight above 0) has the class {class}; each of the {classes} classes needs one")]
    EmptyClass {
        /// The class.
        class: u32,
        /// The number of classes.
        classes: usize,
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
    /// Columns that depend on each other: the coefficients are not determined.
    #[error(
        "column {column} of X is a combination of the columns before it{}, up to rounding: the coefficients are not determined. Leave it out, \
         or take an l2 above 0",
        if *.intercept { " and the intercept" } else { "" }
    )]
    RankDeficient {
        /// The first such column.
        column: usize,
        /// Whether the intercept is one of those before it.
        intercept: bool,
    },
    /// Classes that a direction separates: the likelihood has no maximum.
    #[error("{0}")]
    Separated(Box<Separation>),
    /// Numbers too far apart for differences.
    #[error("{what} is beyond the largest number; divide the data by a power of ten")]
    Overflow {
        /// What is.
        what: &'static str,
    },
    /// A statistic that a penalised fit does not have.
    #[error("{what} is for the maximum of the likelihood; this fit has l2 = {l2}")]
    Penalised {
        /// The statistic.
        what: &'static str,
        /// The penalty.
        l2: f64,
    },
    /// Names of another number than there are columns.
    #[error("there are {got} names, expected {expected}, one for each column of X, or none")]
    Names {
        /// How many columns X has.
        expected: usize,
        /// How many names came.
        got: usize,
    },
}

pub(crate) fn option(name: &'static str, value: impl ToString, allowed: &'static str) -> Error {
    Error::Option { name, value: value.to_string(), allowed }
}
