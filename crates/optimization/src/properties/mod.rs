//! The properties of this crate: of samples, of updates, of schedules, of clipping, of bias and variance.

mod adaptive;
mod average;
mod bias_variance;
mod clipping;
mod derivations;
mod momentum;
mod plateau;
mod sampling;
mod schedules;
mod state;
mod weight_decay;

use crate::Optimizer;
use gradus_autograd::{Gradients, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor, rng};
use rand_distr::{Distribution, StandardNormal};

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    sampling::properties,
    momentum::properties,
    weight_decay::properties,
    adaptive::properties,
    state::properties,
    average::properties,
    schedules::properties,
    plateau::properties,
    clipping::properties,
    bias_variance::properties,
    derivations::properties,
];

/// Every property and refutation of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of a few sums of a few terms.
const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// Rounding over some dozens of steps.
const STEPS: f64 = 4096.0 * f64::EPSILON;

/// |x − y| relative to 1 + |y|.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

/// The largest difference relative to 1 + the largest number.
fn apart(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64, Failure> {
    if y.is_empty() {
        return Ok(0.0);
    }
    Ok(x.max_difference(y)? / (1.0 + y.abs().max()?))
}

/// The largest size that a number has on a path, and 1: what the rounding of its steps is measured by.
fn reach(places: &[Tensor<f64>]) -> Result<f64, Failure> {
    places.iter().try_fold(1.0f64, |most, place| Ok(most.max_or_nan(place.abs().max()?)))
}

/// Whether two tensors have the same bits; all NaN are alike.
fn same<T: Scalar>(x: &Tensor<T>, y: &Tensor<T>) -> bool {
    let bits = |v: &T| if v.is_nan() { u64::MAX } else { v.as_f64().to_bits() };
    x.shape() == y.shape() && x.as_slice().iter().map(bits).eq(y.as_slice().iter().map(bits))
}

/// The gradients of a loss whose slope at `w` is `g`.
fn slopes<T: Scalar>(w: &Var<T>, g: &Tensor<T>) -> Result<Gradients<T>, Failure> {
    Ok(w.mul(&Var::constant(g.clone()))?.sum()?.backward()?)
}

/// Every place that an optimiser comes to when these are the gradients, the start first.
fn path<T: Scalar>(
    optimizer: &mut dyn Optimizer<T>,
    start: &Tensor<T>,
    gradients: &[Tensor<T>],
) -> Result<Vec<Tensor<T>>, Failure> {
    let w = Var::parameter(start.clone());
    let mut places = vec![start.clone()];
    for g in gradients {
        let gradients = slopes(&w, g)?;
        optimizer.step(&w, &gradients)?;
        places.push(w.value());
    }
    Ok(places)
}

/// A start and some gradients, normal numbers times `scale`.
fn drawn<T: Scalar>(case: &Case<'_>, scale: f64) -> Result<(Tensor<T>, Vec<Tensor<T>>), Failure>
where
    StandardNormal: Distribution<T>,
{
    let (n, mut rng) = (case.size("n"), rng(case.seed("values")));
    let mut normal =
        |scale: f64| Ok::<_, Failure>(Tensor::random([n], &StandardNormal, &mut rng)?.scale(T::of(scale)));
    let start = normal(1.0)?;
    let gradients = (0..case.size("steps")).map(|_| normal(scale)).collect::<Result<_, _>>()?;
    Ok((start, gradients))
}

/// A property of a walk with drawn gradients.
fn walk(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=20))
        .draw(Draw::size("steps", 1..=12).limited(1.0..=200.0))
        .draw(Draw::seed("values"))
}

/// A learning rate and a momentum.
fn with_momentum(property: Property) -> Property {
    property
        .draw(Draw::log("rate", 1e-3..=1.0).limited(1e-6..=2.0))
        .draw(Draw::real("mu", 0.05..=0.95).limited(0.001..=0.99))
}
