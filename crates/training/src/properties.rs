//! The properties of this crate.

use gradus_formula::Property;

/// Every property and refutation of this crate.
pub fn properties() -> Vec<Property> {
    Vec::new()
}
