//! The properties of the layers: of products and tables, of dropout, of the normalisations.

mod batch;
mod derivations;
mod dropout;
mod dropout2d;
mod linear;
mod rows;

use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    linear::properties,
    dropout::properties,
    dropout2d::properties,
    batch::properties,
    rows::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of sums of a few dozen terms of size 1.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// Standard normal numbers from a seed; `which` tells several of one seed apart.
fn normal(case: &Case<'_>, seed: &str, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed(seed) ^ (which << 40)))
}

/// Small whole numbers, with which sums of products are exact.
fn whole(case: &Case<'_>, seed: &str, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Ok(normal(case, seed, which, dims)?.map(|v| (4.0 * v).round()))
}

/// The gradients of every input against a cotangent.
fn gradients<O: Op<f64, N>, const N: usize>(
    op: &O,
    inputs: [&Tensor<f64>; N],
    dy: &Tensor<f64>,
) -> Result<[Tensor<f64>; N], Failure> {
    let (_, saved) = op.forward(inputs)?;
    let all = op.vjp(inputs, &saved, dy, [true; N])?;
    let mut missing = false;
    let all = all.map(|g| {
        missing |= g.is_none();
        g.unwrap_or_else(|| Tensor::scalar(f64::NAN))
    });
    if missing { Err(Failure::Error("a gradient is missing".into())) } else { Ok(all) }
}

/// 0 where `yes`, else ∞: a residual for what is true or false.
fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}

/// Batches of every rank that batch and group normalisation take, whose channels have an offset and a spread.
fn images(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("c", 1..=6))
        .draw(Draw::size("h", 1..=3))
        .draw(Draw::size("w", 1..=4))
        .draw(Draw::choice("shape", &["[N, C]", "[N, C, W]", "[N, C, H, W]"]))
        .draw(Draw::seed("values"))
        .draw(Draw::real("offset", -10.0..=10.0).limited(-1e3..=1e3))
        .draw(Draw::log("spread", 0.1..=100.0).limited(1e-2..=1e4))
        .draw(Draw::log("eps", 1e-8..=10.0).limited(1e-12..=1e6))
}

/// The dimensions of such a batch. With `at_least_two`, no channel has one number only.
fn dims(case: &mut Case<'_>, at_least_two: bool) -> Vec<usize> {
    let (n, c, h, w) = (case.size("n"), case.size("c"), case.size("h"), case.size("w"));
    let mut dims = match case.choice("shape") {
        "[N, C]" => vec![n, c],
        "[N, C, W]" => vec![n, c, w],
        _ => vec![n, c, h, w],
    };
    if at_least_two && dims.iter().product::<usize>() == c {
        dims[0] = 2;
    }
    case.classify(dims[0] == 1, "one sample");
    case.classify(c == 1, "one channel");
    dims
}

/// x, gain and bias of such a batch.
fn batch(case: &mut Case<'_>, at_least_two: bool) -> Result<[Tensor<f64>; 3]> {
    let dims = dims(case, at_least_two);
    let (offset, spread) = (case.real("offset"), case.real("spread"));
    let x = normal(case, "values", 0, &dims)?.map(|v| spread * (v + offset));
    let gain = normal(case, "values", 1, &dims[1..2])?;
    Ok([x, gain, normal(case, "values", 2, &dims[1..2])?])
}

/// The same tensor as `[N, C, S]`.
fn flat(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    let (n, c) = (x.dims()[0], x.dims()[1]);
    x.reshape([n, c, x.len() / (n * c)])
}

/// Σ over everything that shares a channel.
fn over_channels(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    flat(x)?.sum_axis(2)?.sum_axis(0)
}

/// One number a channel, to be combined with `[N, C, S]`.
fn by_channel(values: &Tensor<f64>) -> Result<Tensor<f64>> {
    values.insert_axis(1)
}
