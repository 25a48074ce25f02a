#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod adaptive_pool;
mod conv;
mod conv_layer;
mod conv_transpose;
mod conv_transpose_layer;
mod counts;
mod fold;
mod geometry;
mod kernel;
mod op_layers;
mod pad;
mod pool;
#[cfg(feature = "properties")]
mod properties;
mod receptive_field;
mod sampling;
mod separable;
mod symbols;
mod upsample;
mod window;

pub use adaptive_pool::{AdaptiveAveragePool, AdaptiveMaxPool, GlobalAveragePool, adaptive_bin};
pub use conv::{Convolution, conv2d};
pub use conv_layer::{Conv1d, Conv2d};
pub use conv_transpose::{TransposedConvolution, conv_transpose2d};
pub use conv_transpose_layer::ConvTranspose2d;
pub use counts::{ConvShape, Counts};
pub use fold::fold_batch_norm;
pub use geometry::Geometry;
pub use kernel::Algorithm;
pub use pad::{Pad, PaddingMode};
pub use pool::{AveragePool, MaxPool};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use receptive_field::ReceptiveField;
pub use separable::SeparableConv2d;
pub use upsample::{Interpolation, Upsample};
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
    separable::FORMULA,
    pad::FORMULA,
    adaptive_pool::FORMULA,
    upsample::FORMULA_NEAREST,
    upsample::FORMULA_BILINEAR,
    fold::FORMULA,
];
