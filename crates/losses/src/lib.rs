#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bce;
mod classes;
mod cross_entropy;
mod dice;
mod elementwise;
mod focal;
mod hinge;
mod huber;
mod kl;
mod l1;
mod mse;
mod nll;
#[cfg(feature = "properties")]
mod properties;
mod reduction;
mod symbols;

pub use bce::{Bce, BceWithLogits, bce, bce_with_logits, log_likelihood, total_log_likelihood};
pub use cross_entropy::{
    CrossEntropy, SoftCrossEntropy, categorical_cross_entropy, cross_entropy, soft_cross_entropy,
};
pub use dice::{Dice, dice};
pub use elementwise::{Componentwise, Elementwise};
pub use focal::{Focal, focal};
pub use hinge::{Hinge, HingeForm, hinge};
pub use huber::{Huber, huber};
pub use kl::{Kl, kl};
pub use l1::{L1, l1};
pub use mse::{Mse, mse, squared_distance};
pub use nll::{Nll, nll};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use reduction::Reduction;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    l1::FORMULA,
    mse::FORMULA_NORM,
    mse::FORMULA,
    huber::FORMULA,
    bce::FORMULA_SAMPLE,
    bce::FORMULA_CASES,
    bce::FORMULA_BOXED,
    bce::FORMULA_MINIMIZATION,
    bce::FORMULA,
    bce::FORMULA_LOGITS,
    cross_entropy::FORMULA,
    cross_entropy::FORMULA_SATURATION,
    cross_entropy::FORMULA_CE,
    cross_entropy::FORMULA_GENERAL,
    bce::FORMULA_USAGE,
    nll::FORMULA,
    kl::FORMULA,
    hinge::FORMULA,
    hinge::FORMULA_SATURATES,
    focal::FORMULA,
    dice::FORMULA,
];
