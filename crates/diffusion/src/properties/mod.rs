//! The properties of diffusion: of the chain and its closed form, of the way back, of the bound, of training and of drawing.

mod bound;
mod chain;
mod closed_form;
mod derivations;
mod networks;
mod reverse;
mod sampling;
mod training;

use crate::{Prediction, Schedule};
use gradus_formula::{Case, Draw, Property};
use gradus_initialization::Stream;
use gradus_tensor::{Result, Tensor};

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    chain::properties,
    closed_form::properties,
    reverse::properties,
    bound::properties,
    training::properties,
    networks::properties,
    sampling::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Rounding of some dozen operations on numbers of size 1.
const ROUNDING: f64 = 1e-12;

/// Six deviations: what happens once in 500 million draws.
const SIX: f64 = 6.0;

/// The forms that a schedule takes.
const KINDS: &[&str] = &["random", "linear", "cosine", "sigmoid"];

/// A property over schedules of every form.
fn scheduled(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("steps", 1..=30).limited(1.0..=2000.0))
        .draw(Draw::choice("schedule", KINDS))
        .draw(Draw::log("largest", 1e-3..=0.99).limited(1e-9..=0.999_999))
        .draw(Draw::seed("values"))
}

/// The schedule of [`scheduled`].
fn schedule(case: &mut Case<'_>) -> Result<Schedule> {
    let (steps, largest, kind) = (case.size("steps"), case.real("largest"), case.choice("schedule"));
    case.label(kind);
    match kind {
        "linear" => Schedule::linear(steps, largest / 20.0, largest),
        "cosine" => Schedule::cosine(steps),
        "sigmoid" => Schedule::sigmoid(steps, -3.0, 3.0, 1.0),
        _ => {
            let stream = Stream::new(case.seed("values")).substream(1 << 40);
            let beta = |i: usize| largest * stream.uniform_at::<f64>(i as u64).max(1e-3);
            Schedule::given(&(0..steps).map(beta).collect::<Vec<_>>())
        }
    }
}

/// A step from `first` to T, drawn from the seed.
fn some_step(case: &Case<'_>, schedule: &Schedule, first: usize, which: u64) -> usize {
    let u: f64 = Stream::new(case.seed("values")).substream(1 << 41).uniform_at(which);
    let steps = schedule.steps() + 1 - first.min(schedule.steps());
    first.min(schedule.steps()) + ((u * steps as f64) as usize).min(steps - 1)
}

/// Standard normal number `i` of the case's seed.
fn z(case: &Case<'_>, i: u64) -> f64 {
    Stream::new(case.seed("values")).normal_at(i)
}

/// Standard normal numbers from the case's seed; `which` tells several apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Stream::new(case.seed("values")).substream(which + 1).normal(dims)
}

/// |x − y| relative to 1 + |y|.
fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

/// The integral of a function that is smooth, and negligible beyond twelve deviations: the trapezoidal rule, whose error falls faster than any power there.
fn integral(mean: f64, deviation: f64, f: impl Fn(f64) -> f64) -> f64 {
    const POINTS: i32 = 400;
    let step = 12.0 * deviation / f64::from(POINTS);
    (-POINTS..=POINTS).map(|i| f(mean + f64::from(i) * step)).sum::<f64>() * step
}

const PREDICTIONS: &[&str] = &["noise", "data", "velocity"];

fn prediction(name: &str) -> Prediction {
    match name {
        "noise" => Prediction::Noise,
        "data" => Prediction::Data,
        _ => Prediction::Velocity,
    }
}
