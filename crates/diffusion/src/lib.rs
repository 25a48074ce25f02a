#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bound;
mod bridge;
mod condition;
mod denoiser;
mod dit;
mod divergence;
mod forward;
mod frechet;
mod loss;
mod mix;
mod mixture;
mod mlp;
mod prediction;
#[cfg(feature = "properties")]
mod properties;
mod reverse;
mod sampler;
mod schedule;
mod symbols;
mod time_embedding;
mod transition;
mod unet;

pub use bound::{Bound, Decoder};
pub use bridge::{Bridge, ReverseVariance};
pub use condition::Condition;
pub use denoiser::Denoiser;
pub use dit::{DenoisingTransformer, TransformerShape};
pub use divergence::gaussian_kl;
pub use forward::{closed_form, forward_step};
pub use frechet::frechet_distance;
pub use loss::{Diffusion, SquaredError, Weighting, vlb_weight};
pub use mix::Mix;
pub use mixture::{ExactDenoiser, GaussianMixture};
pub use mlp::{DenoisingMlp, MlpShape, TimedLayer};
pub use prediction::{Prediction, mean_by_noise};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use reverse::{LinearReverse, LinearStep};
pub use sampler::{Drawing, Sampler, Stage};
pub use schedule::{Schedule, log_alpha_bars};
pub use time_embedding::time_embedding;
pub use transition::{Transition, log_joint};
pub use unet::{DenoisingUNet, Down, PlaceAttention, TimedBlock, UNetShape, Up};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapters.
pub const FORMULAS: &[Formula] = &[
    transition::FORMULA_MARKOV,
    transition::FORMULA,
    forward::FORMULA_STEP,
    forward::FORMULA_NOISE,
    transition::FORMULA_JOINT,
    forward::FORMULA_EFFICIENT,
    schedule::FORMULA_ALPHA,
    forward::FORMULA_EPS,
    schedule::FORMULA,
    transition::FORMULA_TELESCOPE,
    forward::FORMULA_CLOSED,
    forward::FORMULA_MARGINAL,
    reverse::FORMULA_APPROX,
    bridge::FORMULA_POSTERIOR,
    bridge::FORMULA_REVERSE,
    reverse::FORMULA_JOINT,
    prediction::FORMULA_MEAN,
    divergence::FORMULA,
    bound::FORMULA_NLL,
    bound::FORMULA,
    loss::FORMULA_WEIGHT,
    loss::FORMULA,
    prediction::FORMULA_V,
    time_embedding::FORMULA,
    denoiser::FORMULA_DIMENSIONS,
    denoiser::FORMULA_FLEXIBLE,
    unet::FORMULA,
    sampler::FORMULA,
    bridge::FORMULA_DDIM,
    sampler::FORMULA_GUIDANCE,
    frechet::FORMULA,
];
