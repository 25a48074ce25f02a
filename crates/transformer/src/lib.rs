#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod attention;
mod blocks;
mod cached;
mod complexity;
mod convert;
mod feed_forward;
mod gpt;
mod kernel;
mod mask;
mod multi_head;
mod positions;
#[cfg(feature = "properties")]
mod properties;
mod sampling;
mod symbols;
mod tiled;
mod transformer;

pub use attention::{attention, attention_weights, default_scale};
pub use blocks::{BlockShape, Decoder, DecoderBlock, Encoder, EncoderBlock, NormPlace};
pub use cached::CachedGpt;
pub use complexity::{
    Cost, Reach, convolutional_cost, dependence, path_length, recurrent_cost, restricted_cost,
    self_attention_cost,
};
pub use convert::{from_pytorch, to_pytorch};
pub use feed_forward::{Bend, FeedForward};
pub use gpt::{Gpt, GptAttention, GptBlock, GptMlp, GptShape};
pub use mask::Mask;
pub use multi_head::MultiHead;
pub use positions::{Rotary, positional_encoding};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use sampling::{Generation, Sampler};
pub use tiled::{Attended, Attention};
pub use transformer::{ModelShape, Tagger, Transformer};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapters.
pub const FORMULAS: &[Formula] = &[
    attention::FORMULA,
    attention::FORMULA_SCALE,
    attention::FORMULA_INTUITION,
    attention::FORMULA_NTM,
    attention::FORMULA_MANY,
    attention::FORMULA_AVERAGE,
    multi_head::FORMULA,
    multi_head::FORMULA_TITLE,
    positions::FORMULA,
    positions::FORMULA_ROTARY,
    complexity::FORMULA_CONVOLUTION,
    feed_forward::FORMULA,
    blocks::FORMULA_ENCODER,
    blocks::FORMULA_DECODER,
    blocks::FORMULA_FIGURES,
    complexity::FORMULA_SELF_ATTENTION,
    complexity::FORMULA_RECURRENT,
    complexity::FORMULA_CONVOLUTIONAL,
    complexity::FORMULA_RESTRICTED,
    complexity::FORMULA_SYMBOLS,
    complexity::FORMULA_N_LT_D,
    mask::FORMULA,
    sampling::FORMULA,
];
