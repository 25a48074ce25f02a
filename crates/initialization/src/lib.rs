#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "properties")]
mod properties;

#[cfg(feature = "properties")]
pub use properties::properties;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[];
