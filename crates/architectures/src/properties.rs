//! x
use gradus_formula::Property;
/// The properties of this crate.
pub fn properties() -> Vec<Property> { Vec::new() }
