//! The properties of logistic regression: the likelihood, its derivatives, the fit, separation, several classes.

mod derivations;
mod fits;
mod likelihood;
mod several;

use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng, tensor_of};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] =
    &[likelihood::properties, fits::properties, several::properties, derivations::properties];

/// Every property and refutation of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of a few sums of a few terms.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// Five-point differences of numbers of about 1, at their best step.
const DIFFERENCES: f64 = 1e-8;

/// |x − y| relative to 1 + |y|.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

fn apart(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    Ok(if y.is_empty() { 0.0 } else { x.max_difference(y)? / (1.0 + y.abs().max()?) })
}

/// Data, coefficients and labels by hand.
fn small(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=7).limited(1.0..=10.0))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "d"]).limited(-30.0..=30.0))
        .draw(Draw::array("theta", -2.0..=2.0, &["d"]).limited(-10.0..=10.0))
        .draw(Draw::array("y", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
}

fn parts(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>, Tensor<u32>)> {
    let y = tensor_of::<f64>(case.array("y"))?.map(|y| u32::from(y >= 0.5));
    Ok((tensor_of(case.array("x"))?, tensor_of(case.array("theta"))?, y))
}

/// Every row with either label, each with a weight of its own: no direction separates them, whatever the rows are. Columns of
/// drawn units.
fn overlapping(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::integer("more", 1..=8).limited(1.0..=64.0))
        .draw(Draw::log("unit", 1e-4..=1e4).limited(1e-6..=1e6))
        .draw(Draw::seed("values"))
}

struct Drawn {
    x: Tensor<f64>,
    y: Tensor<u32>,
    weights: Vec<f64>,
    /// The same with each sample as often as its weight says.
    copies: (Tensor<f64>, Tensor<u32>),
}

fn drawn(case: &mut Case<'_>) -> Result<Drawn, Failure> {
    let (d, unit) = (case.size("d"), case.real("unit"));
    let n = d + case.size("more");
    let mut rng = rng(case.seed("values"));
    let units: Tensor<f64> = (0..d).map(|j| unit.powf(j as f64 / d as f64)).collect();
    let half = Tensor::random([n, d], &StandardNormal, &mut rng)?.mul(&units)?;
    let weights: Vec<f64> = Tensor::<f64>::random([2 * n], &StandardNormal, &mut rng)?
        .as_slice()
        .iter()
        .map(|v| 1.0 + v.abs().min(4.0).floor())
        .collect();
    let x = Tensor::concatenate(&[&half, &half], 0)?;
    let y: Tensor<u32> = (0..2 * n).map(|i| u32::from(i >= n)).collect();
    let rows: Vec<u32> = weights.iter().enumerate().flat_map(|(i, w)| vec![i as u32; *w as usize]).collect();
    let copies = (x.gather(0, &rows)?, y.gather(0, &rows)?);
    case.classify(d == 1, "one column");
    case.classify(!(0.01..=100.0).contains(&unit), "columns of very different units");
    Ok(Drawn { x, y, weights, copies })
}

/// A column of ones before x.
fn with_ones(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Tensor::concatenate(&[&Tensor::ones([x.dims()[0], 1])?, x], 1)
}

/// The five-point difference of f at each element of `at`.
fn differences(
    at: &Tensor<f64>,
    f: impl Fn(&Tensor<f64>) -> Result<Tensor<f64>, Failure>,
) -> Result<Vec<Tensor<f64>>, Failure> {
    const STEP: f64 = 1e-3;
    let moved = |j: usize, by: f64| {
        let mut there = at.clone();
        there.as_mut_slice()[j] += by;
        f(&there)
    };
    let one = |j: usize| -> Result<Tensor<f64>, Failure> {
        let near = moved(j, STEP)?.sub(&moved(j, -STEP)?)?;
        let far = moved(j, 2.0 * STEP)?.sub(&moved(j, -2.0 * STEP)?)?;
        Ok(near.scale(8.0).sub(&far)?.scale(1.0 / (12.0 * STEP)))
    };
    (0..at.len()).map(one).collect()
}
