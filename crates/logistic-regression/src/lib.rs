#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod binary;
mod convergence;
mod data;
mod error;
mod factor;
mod irls;
#[cfg(feature = "lbfgs")]
mod lbfgs;
mod likelihood;
mod newton;
mod options;
mod prediction;
#[cfg(feature = "properties")]
mod properties;
mod separation;
mod softmax;
mod statistics;
mod symbols;

pub use binary::{Fit, LogisticRegression};
pub use convergence::{Convergence, Iteration, Stop};
pub use error::{Error, Result};
pub use irls::{gradient, hessian, newton_step, working_response};
pub use likelihood::{likelihood, log_likelihood_of};
pub use options::{ClassWeights, Method};
pub use prediction::probabilities;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use separation::Separation;
pub use softmax::{SoftmaxFit, SoftmaxRegression, softmax_gradient, softmax_hessian};
pub use statistics::{OddsRatio, Statistics};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapters.
pub const FORMULAS: &[Formula] = &[
    likelihood::FORMULA_DISPLAY,
    likelihood::FORMULA,
    prediction::FORMULA,
    irls::FORMULA_GRADIENT,
    irls::FORMULA_HESSIAN,
    irls::FORMULA,
    separation::FORMULA,
    statistics::FORMULA,
    softmax::formulas::FORMULA_GRADIENT,
    softmax::formulas::FORMULA,
];
