#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod chain_rule;
mod error;
#[cfg(feature = "properties")]
mod gradient_check;
mod layer;
mod op;
pub mod ops;
mod parameters;
#[cfg(feature = "properties")]
mod properties;
mod receivers;
mod var;

pub use error::{Error, Result};
#[cfg(feature = "properties")]
pub use gradient_check::{composite_gradient_property, gradient_property, gradient_property_many};
pub use layer::{Layer, Mode};
pub use op::{Op, OpMany};
#[doc(hidden)]
pub use parameters::__macro;
pub use parameters::{Buffer, Name, Parameters, Slot, SlotMut};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use var::{Gradients, Var, no_grad};

use gradus_formula::Formula;

/// Every formula of this crate.
pub const FORMULAS: &[Formula] = &[chain_rule::FORMULA];
