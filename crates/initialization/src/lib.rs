#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod depth;
mod fans;
mod gain;
mod he;
mod init;
mod law;
mod orthogonal;
#[cfg(feature = "properties")]
mod properties;
mod quadrature;
mod quantile;

mod stream;
mod sum;
mod symbols;
mod truncated;
mod xavier;

pub use depth::{Signal, signal};
pub use fans::{FanMode, Fans};
pub use gain::{Gain, gain_of};
pub use he::he_variance;
pub use init::{Init, Spread};
pub use law::{Law, Normal, Uniform};
pub use orthogonal::orthogonal;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use quantile::normal_quantile;
pub use stream::{Sample, Stream, box_muller, philox};
pub use sum::sum_variance;
pub use truncated::{TruncatedNormal, truncated_variance};
pub use xavier::{glorot_variance, lecun_variance};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    sum::FORMULA,
    xavier::FORMULA_PRESERVE,
    xavier::FORMULA_UNDERBRACE,
    xavier::FORMULA,
    law::FORMULA,
    law::FORMULA_UNIFORM,
    xavier::FORMULA_GLOROT,
    he::FORMULA,
    gain::FORMULA,
    truncated::FORMULA,
    orthogonal::FORMULA,
    stream::FORMULA_PHILOX,
    stream::FORMULA_BOX_MULLER,
];
