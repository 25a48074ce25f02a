#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod conv;
mod conv_layer;
mod conv_transpose;
mod conv_transpose_layer;
mod counts;
mod geometry;
mod kernel;
mod op_layers;
mod pool;
#[cfg(feature = "properties")]
mod properties;
mod receptive_field;
mod separable;
mod symbols;
mod window;

pub use conv::{Convolution, conv2d};
pub use conv_layer::{Conv1d, Conv2d};
pub use conv_transpose::{TransposedConvolution, conv_transpose2d};
pub use conv_transpose_layer::ConvTranspose2d;
pub use counts::{ConvShape, Counts};
pub use geometry::Geometry;
pub use kernel::Algorithm;
pub use pool::{AveragePool, MaxPool};
#[cfg(feature = "properties")]
pub use properties::properties;
pub use receptive_field::ReceptiveField;
pub use separable::SeparableConv2d;
pub use window::{Tap, Taps, Window};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    window::FORMULA_VALID,
    window::FORMULA_PADDED,
    window::FORMULA_SAME,
    window::FORMULA_POOL,
    window::FORMULA_POOL_WIDTH,
    window::FORMULA_POOL_HEIGHT,
    conv::FORMULA,
    conv::FORMULA_BACKWARD,
    conv_transpose::FORMULA,
    pool::FORMULA_MAX,
    pool::FORMULA_AVERAGE,
    pool::FORMULA_DEPTH,
];
