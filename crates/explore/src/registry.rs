//! Every topic crate of the workspace, with its formulas and properties. A new crate is one line here.

use gradus_formula::{Formula, Property};

/// A topic crate: its name, formulas and properties.
pub struct Topic {
    /// The package: `gradus-activations`.
    pub package: &'static str,
    /// Its formulas, in the order of its chapter.
    pub formulas: &'static [Formula],
    /// Its properties and refutations.
    pub properties: fn() -> Vec<Property>,
}

macro_rules! topics {
    ($($package:literal => $krate:ident),* $(,)?) => {
        &[$(Topic { package: $package, formulas: $krate::FORMULAS, properties: $krate::properties }),*]
    };
}

/// The topic crates in the order of the book.
pub fn topics() -> &'static [Topic] {
    topics! {
        "gradus-activations" => gradus_activations,
    }
}
