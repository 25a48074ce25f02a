//! The properties of the losses.

use gradus_formula::Property;

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    Vec::new()
}
