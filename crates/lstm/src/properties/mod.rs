//! The properties of recurrent networks: of the gates, of the whole sequence, of its gradient, and of what the gradient is worth.

mod bptt;
mod compare;
mod convert;
mod derivations;
mod flow;
mod gates;
mod sequence;

use crate::Recurrence;
use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    gates::properties,
    sequence::properties,
    convert::properties,
    bptt::properties,
    flow::properties,
    compare::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of sums of a few dozen terms of size 1, through a few steps whose gates squash what comes in.
const ROUNDING: f64 = 1e-12;

/// Standard normal numbers from the case's seed; `which` tells several apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// Sizes of a batch of sequences, and the numbers.
fn sizes(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=3).limited(1.0..=64.0))
        .draw(Draw::size("t", 1..=5).limited(1.0..=64.0))
        .draw(Draw::size("d", 1..=4).limited(1.0..=64.0))
        .draw(Draw::size("h", 1..=5).limited(1.0..=64.0))
        .draw(Draw::seed("values"))
}

/// The inputs of a [`Recurrence`]: x, h₀, C₀, W, U, b.
fn inputs(case: &mut Case<'_>) -> Result<[Tensor<f64>; 6]> {
    let (n, t, d, h) = (case.size("n"), case.size("t"), case.size("d"), case.size("h"));
    case.classify(n == 1, "one sample");
    case.classify(t == 1, "one step");
    case.classify(!h.is_multiple_of(4), "a width that is no multiple of 16");
    Ok([
        normal(case, 0, &[n, t, d])?,
        normal(case, 1, &[n, h])?.map(|v| v.tanh()),
        normal(case, 2, &[n, h])?,
        normal(case, 3, &[d, 4 * h])?,
        normal(case, 4, &[h, 4 * h])?,
        normal(case, 5, &[4 * h])?,
    ])
}

/// Some lengths from a seed, 0 and T among them, or none at all.
fn lengths(case: &mut Case<'_>) -> Option<Vec<usize>> {
    let seed = case.seed("lengths");
    if seed.is_multiple_of(4) {
        return None;
    }
    let (n, t) = (case.size("n") as u32, case.size("t") as u64);
    let all: Vec<usize> = (0..n).map(|i| (seed.rotate_left(11 * i) % (t + 1)) as usize).collect();
    case.classify(all.contains(&0), "a sample without a step");
    case.classify(all.iter().any(|&l| l != all[0]), "several lengths");
    Some(all)
}

/// The value, and the gradient of every input against a cotangent.
fn both<const N: usize>(
    op: &Recurrence,
    inputs: [&Tensor<f64>; N],
    cotangent: impl FnOnce(&Tensor<f64>) -> Result<Tensor<f64>>,
) -> Result<(Tensor<f64>, [Tensor<f64>; N]), Failure>
where
    Recurrence: Op<f64, N>,
{
    let (y, saved) = op.forward(inputs)?;
    let gradients = op.vjp(inputs, &saved, &cotangent(&y)?, [true; N])?;
    if gradients.iter().any(Option::is_none) {
        return Err(Failure::Error("a gradient is missing".into()));
    }
    Ok((y, gradients.map(|g| g.unwrap_or_else(|| Tensor::scalar(f64::NAN)))))
}

/// 0 where `yes`, else ∞.
fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}
