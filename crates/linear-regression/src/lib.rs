#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accumulator;
mod cost;
mod descent;
mod design;
mod double;
mod error;
mod fit;
mod min_norm;
mod normal_equation;
#[cfg(feature = "properties")]
mod properties;
mod ridge;
mod solve;
mod statistics;
mod summary;
mod symbols;
mod tall;

pub use accumulator::Accumulator;
pub use cost::{cost, gradient, matrix_cost, predict};
pub use descent::{Descent, GradientDescent, Step, learning_rate_bound};
pub use error::{Error, Result};
pub use fit::{Fit, LinearRegression, Method, fit_polynomial};
pub use min_norm::min_norm;
pub use normal_equation::inverse_formula;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use ridge::ridge_path;
pub use statistics::{Interval, Statistics};
pub use summary::Summary;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    cost::FORMULA_PREDICTION,
    cost::FORMULA,
    cost::FORMULA_MATRIX,
    cost::FORMULA_GRADIENT,
    normal_equation::FORMULA,
    min_norm::FORMULA,
    ridge::FORMULA,
];
