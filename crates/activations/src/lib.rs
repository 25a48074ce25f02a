#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod activation;
mod elu;
mod gelu;
mod hard;
mod leaky_relu;
mod linear_softmax;
mod log_sigmoid;
mod log_softmax;
mod logit;
mod mish;
mod prelu;
#[cfg(feature = "properties")]
mod properties;
mod receivers;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softmax;
mod softplus;
mod tanh;

pub use activation::{Activation, Course, Facts, Pointwise};
pub use elu::{Elu, elu, elu_derivative};
pub use gelu::{Gelu, GeluTanh, gelu, gelu_derivative, gelu_tanh, gelu_tanh_derivative};
pub use hard::{
    HardSigmoid, HardSwish, HardTanh, hard_sigmoid, hard_sigmoid_derivative, hard_swish,
    hard_swish_derivative, hard_tanh, hard_tanh_derivative,
};
pub use leaky_relu::{LEAKY_SLOPE_MAAS, LEAKY_SLOPE_NOTES, LeakyRelu, leaky_relu, leaky_relu_derivative};
pub use linear_softmax::linear_softmax;
pub use log_sigmoid::{LogSigmoid, log_sigmoid, log_sigmoid_derivative};
pub use log_softmax::{LogSoftmax, log_softmax};
pub use logit::{Logit, logit, logit_derivative};
pub use mish::{Mish, mish, mish_derivative};
pub use prelu::{PRELU_INITIAL_SLOPE, PRelu, PReluLayer, prelu, prelu_derivatives};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use receivers::Activations;
pub use relu::{Relu, relu, relu_derivative};
pub use selu::{SELU_ALPHA, SELU_LAMBDA, Selu, selu, selu_derivative};
pub use sigmoid::{Sigmoid, sigmoid, sigmoid_derivative};
pub use silu::{Silu, silu, silu_derivative};
pub use softmax::{Softmax, softmax};
pub use softplus::{Softplus, softplus, softplus_derivative};
pub use tanh::{Tanh, tanh, tanh_derivative};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    logit::FORMULA,
    sigmoid::FORMULA,
    sigmoid::ALIAS,
    log_sigmoid::FORMULA,
    tanh::FORMULA,
    relu::FORMULA,
    leaky_relu::FORMULA,
    prelu::FORMULA,
    elu::FORMULA,
    selu::FORMULA,
    softplus::FORMULA,
    silu::FORMULA,
    gelu::FORMULA,
    gelu::FORMULA_TANH,
    mish::FORMULA,
    hard::FORMULA_SIGMOID,
    hard::FORMULA_TANH,
    hard::FORMULA_SWISH,
    softmax::FORMULA,
    log_softmax::FORMULA,
    linear_softmax::FORMULA,
];
