#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod error;
mod optimizer;
#[cfg(feature = "properties")]
mod properties;

pub use error::{Error, Result};
pub use optimizer::Optimizer;
#[cfg(feature = "properties")]
pub use properties::properties;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[];
