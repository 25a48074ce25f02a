#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod batch_norm;
mod batch_norm_layer;
mod dropout;
mod dropout2d;
mod embedding;
mod flatten;
mod group_norm;
mod kernel;
mod layer_norm;
mod linear;
#[cfg(feature = "properties")]
mod properties;
mod refuse;
mod rms_norm;
mod sequential;

pub use batch_norm::{BatchMoments, BatchNormalization, FixedNormalization, batch_norm};
pub use batch_norm_layer::{BatchNorm, BatchNorm1d, BatchNorm2d, MOMENTUM};
pub use dropout::{Dropout, Mask, dropout, kept};
pub use dropout2d::{ChannelMask, Dropout2d, dropout2d};
pub use embedding::{Embedding, Lookup, embedding};
pub use flatten::Flatten;
pub use group_norm::{GroupNorm, GroupNormSilu, GroupNormalization, group_norm};
pub use kernel::Moments;
pub use layer_norm::{EPS, LayerNorm, LayerNormalization, layer_norm};
pub use linear::{Affine, Linear, linear};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use rms_norm::{RmsNorm, RmsNormalization, rms_norm};
pub use sequential::Sequential;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    linear::FORMULA,
    embedding::FORMULA,
    dropout::FORMULA,
    dropout2d::FORMULA,
    batch_norm::FORMULA,
    layer_norm::FORMULA,
    rms_norm::FORMULA,
    group_norm::FORMULA,
];
