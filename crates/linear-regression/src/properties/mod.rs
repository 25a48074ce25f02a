//! The properties of least squares: the cost, its minimum, and the geometry of a projection.

mod cost;
mod derivations;
mod descent;
mod norms;
mod prediction;
mod solution;
mod statistics;
mod tall;

use crate::{Fit, LinearRegression, Method};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    cost::properties,
    descent::properties,
    prediction::properties,
    solution::properties,
    tall::properties,
    statistics::properties,
    norms::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of a few sums of a few terms.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// |x − y| relative to 1 + |y|.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

/// The largest difference relative to 1 + the largest of y.
fn apart(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    Ok(x.max_difference(y)? / (1.0 + y.abs().max()?))
}

/// Data, coefficients and targets by hand.
fn small(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=7))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::array("x", -5.0..=5.0, &["n", "d"]))
        .draw(Draw::array("theta", -5.0..=5.0, &["d"]))
        .draw(Draw::array("y", -5.0..=5.0, &["n"]))
}

fn parts(case: &Case<'_>) -> Result<[Tensor<f64>; 3]> {
    Ok([tensor_of(case.array("x"))?, tensor_of(case.array("theta"))?, tensor_of(case.array("y"))?])
}

/// A matrix QΣVᵀ of drawn size, rank and condition number, and a target.
fn conditioned(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("d", 1..=5))
        .draw(Draw::integer("more", 0..=8).limited(0.0..=64.0))
        .draw(Draw::log("condition", 1.0..=1e5).limited(1.0..=1e6))
        .draw(Draw::seed("values"))
}

fn structured(case: &mut Case<'_>, rank: usize) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let (d, kappa) = (case.size("d"), case.real("condition"));
    let n = d + case.size("more");
    let mut rng = rng(case.seed("values"));
    let mut orthonormal =
        |rows: usize, cols: usize| Tensor::random([rows, cols], &StandardNormal, &mut rng)?.qr();
    let (u, v) = (orthonormal(n, d)?.0, orthonormal(d, d)?.0);
    let last = rank.max(2) as f64 - 1.0;
    let s: Tensor<f64> =
        (0..d).map(|i| if i < rank { kappa.powf(-(i as f64) / last) } else { 0.0 }).collect();
    let x = u.mul(&s)?.product(Transpose::No, &v, Transpose::Yes)?;
    let y = Tensor::random([n], &StandardNormal, &mut rng)?;
    case.classify(kappa > 1e3, "condition above 1000");
    case.classify(n == d, "square");
    Ok((x, y))
}

fn full(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let d = case.size("d");
    structured(case, d)
}

fn fit(x: &Tensor<f64>, y: &Tensor<f64>, method: Method) -> Result<Fit, Failure> {
    Ok(LinearRegression::new().intercept(false).method(method).fit(x, y)?)
}

/// A model with the drawn choice of an intercept and of weights.
fn model(case: &mut Case<'_>, n: usize) -> LinearRegression {
    let model = LinearRegression::new().intercept(case.choice("intercept") == "with");
    match case.choice("weights") {
        "some" => model.weights(&(0..n).map(|i| 1.0 + (i % 3) as f64).collect::<Vec<_>>()),
        _ => model,
    }
}

fn theta(fit: &Fit) -> Result<Tensor<f64>> {
    fit.parameters().select(1, 0)
}
