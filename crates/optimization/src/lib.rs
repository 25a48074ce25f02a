#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adam;
mod average;
mod bias_variance;
mod clip;
mod error;
mod group;
mod kernel;
mod memory;
mod momentum;
mod optimizer;
pub mod plain;
#[cfg(feature = "properties")]
mod properties;
mod ridge_curves;
mod rms_prop;
mod sampling;
mod schedule;
mod sgd;
mod symbols;
mod weight_decay;
mod zero_one;

pub use adam::{Adam, AdamW};
pub use average::Averaged;
pub use bias_variance::{BiasVariance, bootstrap};
pub use clip::{clip_grad_norm, clip_grad_value};
pub use error::{Error, Result};
pub use group::Group;
pub use momentum::{Momentum, nesterov};
pub use optimizer::Optimizer;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use ridge_curves::{RidgeCurves, ridge_curves};
pub use rms_prop::RmsProp;
pub use sampling::{GradientNoise, Sampling};
pub use schedule::{
    Anneal, Better, Constant, Cosine, InverseSqrt, MultiStep, OneCycle, Plateau, Polynomial, Schedule,
    StepDecay, Threshold, Warmup,
};
pub use sgd::Sgd;
pub use weight_decay::WeightDecay;
pub use zero_one::ZeroOne;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapters.
pub const FORMULAS: &[Formula] = &[
    sampling::FORMULA,
    momentum::FORMULA,
    momentum::FORMULA_NESTEROV,
    rms_prop::FORMULA,
    adam::FORMULA,
    weight_decay::FORMULA,
    adam::FORMULA_DECOUPLED,
    average::FORMULA,
    schedule::STEPS,
    schedule::PLATEAU,
    schedule::COSINE,
    schedule::WARMUP,
    schedule::INVERSE_SQRT,
    schedule::ONE_CYCLE,
    clip::FORMULA,
    bias_variance::FORMULA_BIAS,
    bias_variance::FORMULA,
    bias_variance::FORMULA_UNDERFITTING,
    bias_variance::FORMULA_OVERFITTING,
];
