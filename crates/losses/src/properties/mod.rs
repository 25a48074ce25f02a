//! The properties of the losses: of distances, of two classes, of several.

mod binary;
mod derivations;
mod distances;
mod multiclass;

use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, tensor_of};

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] =
    &[distances::properties, binary::properties, multiclass::properties, derivations::properties];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// A drawn array.
fn drawn(case: &Case<'_>, name: &str) -> Result<Tensor<f64>> {
    tensor_of(case.array(name))
}

/// The batch twice, one after the other.
fn twice(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Tensor::concatenate(&[x, x], 0)
}

/// |x − y| relative to 1 + |y|.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

/// A batch of N samples of D numbers and its targets.
fn batch(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::array("prediction", -10.0..=10.0, &["n", "d"]))
        .draw(Draw::array("target", -10.0..=10.0, &["n", "d"]))
}

/// The gradient of an operation's only input.
fn gradient<O: Op<f64, 1>>(op: &O, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let (value, saved) = op.forward([x])?;
    let [gradient] = op.vjp([x], &saved, &Tensor::ones(value.shape())?, [true])?;
    gradient.ok_or(Failure::Error("no gradient".into()))
}

/// Rounding of a few sums of a few terms.
const ROUNDING: f64 = 64.0 * f64::EPSILON;
