//! The properties of the activations: what holds for the whole family by its facts, then what each has for itself.

mod derivations;
mod family;
mod gates;
mod rectifiers;
mod softmax;

use gradus_formula::Property;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    family::properties,
    gates::properties,
    rectifiers::properties,
    softmax::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// How far `x` is from `y`, in units of the last place of `y` (of 10⁻³⁰⁰ below that).
fn ulps(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (f64::EPSILON * y.abs().max(1e-300)) }
}

/// 0 where both have the same bits (NaN included), else ∞.
fn same(x: f64, y: f64) -> f64 {
    if x.to_bits() == y.to_bits() { 0.0 } else { f64::INFINITY }
}
