//! Newton's method with steps halved where they go too far.

use crate::factor::Factor;
use crate::{Convergence, Error, Iteration, Result, Separation, Stop};
use gradus_tensor::Tensor;

/// What an objective is at some parameters.
pub(crate) struct Evaluation {
    pub(crate) value: f64,
    pub(crate) gradient: Vec<f64>,
    /// Where it was asked for.
    pub(crate) hessian: Option<Tensor<f64>>,
    /// Whether every sample is on its class's side.
    pub(crate) separated: bool,
    /// How far from the boundary the farthest sample is, in log-odds.
    pub(crate) farthest: f64,
    /// The log-odds of the sample that is farthest on the wrong side, negative; 0 if none is.
    pub(crate) least: f64,
}

/// A convex function with a Hessian.
pub(crate) trait Objective: Sync {
    fn evaluate(&self, theta: &[f64], hessian: bool) -> Result<Evaluation>;
    /// The largest element of the gradient of the mean, in units of the data.
    fn gradient_norm(&self, gradient: &[f64]) -> f64;
    /// Whether the penalty makes up for columns that depend on each other, and for classes that can be separated.
    fn penalised(&self) -> bool;
    /// A direction that separates the classes, looked for near these.
    fn separation(&self, candidates: &[&[f64]]) -> Result<Option<Separation>>;
    /// What to say of a column that depends on those before it.
    fn dependent(&self, parameter: usize) -> Error;
    /// The number of parameters that a sample multiplies, for the price of a Hessian.
    fn width(&self) -> usize;
}

pub(crate) struct Rules {
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: usize,
    /// Whether a Hessian may serve for several steps: for data so large that it costs much more than a gradient.
    pub(crate) keep: bool,
}

pub(crate) struct Solution {
    pub(crate) theta: Vec<f64>,
    pub(crate) convergence: Convergence,
    pub(crate) factor: Option<Factor>,
}

/// The least share of the decrease that a linear model promises which a step must bring.
const SUFFICIENT: f64 = 1e-4;
/// The smallest share of a step that is tried.
const SMALLEST: f64 = 1e-9;
/// Log-odds from which on a sample may be one of those that a direction separates, so that it is worth looking for one.
const FAR: f64 = 8.0;

/// The minimum from `start`, with a Hessian's factor to begin with if there is one.
pub(crate) fn newton(
    objective: &impl Objective,
    start: Vec<f64>,
    mut factor: Option<Factor>,
    rules: &Rules,
) -> Result<Solution> {
    let mut theta = start;
    let mut now = objective.evaluate(&theta, factor.is_none())?;
    let mut iterations: Vec<Iteration> = Vec::new();
    let stop = loop {
        if let Some(h) = &now.hessian {
            match Factor::new(h) {
                Ok(f) => factor = Some(f),
                // At the start all weights are alike; later they may have vanished where all is decided.
                Err(column) if factor.is_none() => return Err(objective.dependent(column)),
                Err(_) => {}
            }
        }
        let (mut step, mut distance) = step(factor.as_ref(), &now);
        if now.hessian.is_none() && !serves(&iterations, distance, rules, objective.width()) {
            now = objective.evaluate(&theta, true)?;
            if let Some(Ok(f)) = now.hessian.as_ref().map(Factor::new) {
                factor = Some(f);
            }
            (step, distance) = self::step(factor.as_ref(), &now);
        }
        let last = iterations.last().map_or(f64::INFINITY, |i| i.distance);
        let here = Iteration {
            objective: now.value,
            gradient_norm: objective.gradient_norm(&now.gradient),
            distance,
            step: 0.0,
        };
        iterations.push(here);
        let done = distance <= rules.tolerance;
        let count = iterations.len() - 1;
        // Where a direction separates, the fit pulls some samples ever farther away, and the others stay.
        let pulled = now.farthest > FAR && now.least > -0.5 * now.farthest;
        let suspicious = now.separated || pulled && (count % 4 == 3 || done);
        if suspicious
            && !objective.penalised()
            && let Some(separation) = objective.separation(&[&theta, &step])?
        {
            return Err(Error::Separated(Box::new(separation)));
        }
        if done {
            break Stop::Tolerance;
        }
        // The decrease that the step promises is half the distance's square.
        let rounding = 1e-14 * (1.0 + now.value.abs());
        if distance * distance < rounding && distance > 0.5 * last {
            break Stop::Precision;
        }
        if count >= rules.max_iterations {
            break Stop::Iterations;
        }
        let mut share = 1.0;
        let next = loop {
            let there: Vec<f64> = theta.iter().zip(&step).map(|(t, s)| t - share * s).collect();
            let next = objective.evaluate(&there, !rules.keep)?;
            if next.value <= now.value - SUFFICIENT * share * distance * distance + rounding {
                theta = there;
                break Some(next);
            }
            share *= 0.5;
            if share < SMALLEST {
                break None;
            }
        };
        let Some(next) = next else { break Stop::Precision };
        if let Some(i) = iterations.last_mut() {
            i.step = share;
        }
        now = next;
    };
    Ok(Solution { theta, convergence: Convergence { iterations, stop }, factor })
}

/// H⁻¹g, and √(gᵀH⁻¹g).
fn step(factor: Option<&Factor>, now: &Evaluation) -> (Vec<f64>, f64) {
    let step = factor.map_or_else(|| now.gradient.clone(), |f| f.solve(&now.gradient));
    let square: f64 = step.iter().zip(&now.gradient).map(|(s, g)| s * g).sum();
    (step, square.max(0.0).sqrt())
}

/// Whether steps with a Hessian of another place get nearer so fast that a new one would cost more than it saves.
fn serves(iterations: &[Iteration], distance: f64, rules: &Rules, width: usize) -> bool {
    let Some(last) = iterations.last().filter(|_| distance > rules.tolerance) else { return true };
    let factor = distance / last.distance;
    // A Hessian has `width` times as many products as a gradient; they are made about sixteen times as fast.
    let price = 3.0 + width as f64 / 16.0;
    factor < 0.5 && (rules.tolerance / distance).ln() / factor.ln() <= price
}
