//! The limited-memory quasi-Newton method, by the crate `argmin`. (Nocedal 1980; the line search is that of Moré & Thuente 1994.)

use crate::data::Data;
use crate::newton::{Evaluation, Objective};
use crate::options::Options;
use crate::{Convergence, Error, Iteration, Result, Stop};
use argmin::core::{CostFunction, Executor, Gradient};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use std::cell::RefCell;
use std::rc::Rc;

/// From how many parameters on a Hessian is too large.
pub(crate) const MANY: usize = 600;

/// How many steps are remembered.
const MEMORY: usize = 12;

/// After so many evaluations without anything lower a search has come to a halt: near the optimum the rounding of the objective hides where it
/// falls, and the line search would look for it for ever.
const PATIENCE: usize = 30;

/// How often a search that has come to a halt begins anew from where it is.
const ROUNDS: usize = 4;

/// Of each parameter about its standard error: 1/√ of the Hessian's diagonal where all probabilities are ½. In these units the
/// objective is about as curved in every direction.
pub(crate) fn units(data: &Data, l2: f64) -> Result<Vec<f64>> {
    let z = data.framed()?;
    let mut sums = vec![0.0; data.width()];
    for (i, row) in z.as_slice().chunks_exact(data.width()).enumerate() {
        let w = 0.25 * data.weight(i);
        sums.iter_mut().zip(row).for_each(|(sum, z)| *sum += w * z * z);
    }
    sums.iter_mut().zip(&data.frame.scale).for_each(|(sum, scale)| *sum += l2 * scale * scale);
    Ok(sums.into_iter().map(|h| if h > 0.0 { 1.0 / h.sqrt() } else { 1.0 }).collect())
}

/// What the search has seen. Shared, since it takes its problem for itself.
struct Seen {
    /// The last place, in its units, and what the objective is there: it is asked for value and gradient one after the other.
    last: Option<(Vec<f64>, Rc<Evaluation>)>,
    /// The lowest place so far.
    best: Option<(Vec<f64>, Rc<Evaluation>)>,
    iterations: Vec<Iteration>,
    failure: Option<Error>,
    /// Evaluations since the last that was lower than all before.
    since: usize,
}

struct Problem<'a, O> {
    objective: &'a O,
    units: &'a [f64],
    seen: Rc<RefCell<Seen>>,
}

impl<O: Objective> Problem<'_, O> {
    fn at(&self, at: &[f64]) -> Result<Rc<Evaluation>, argmin::core::Error> {
        if let Some((place, there)) = &self.seen.borrow().last
            && place == at
        {
            return Ok(there.clone());
        }
        let theta = scaled(at, self.units);
        let there = self.objective.evaluate(&theta, false);
        let mut seen = self.seen.borrow_mut();
        let stop = |seen: &mut Seen, failure: Error| {
            let text = failure.to_string();
            seen.failure = Some(failure);
            argmin::core::Error::msg(text)
        };
        let there = match there {
            Ok(there) => Rc::new(there),
            Err(failure) => return Err(stop(&mut seen, failure)),
        };
        if there.separated && !self.objective.penalised() {
            match self.objective.separation(&[&theta]) {
                Ok(Some(found)) => return Err(stop(&mut seen, Error::Separated(Box::new(found)))),
                Ok(None) => {}
                Err(failure) => return Err(stop(&mut seen, failure)),
            }
        }
        seen.since += 1;
        if seen.since > PATIENCE {
            return Err(argmin::core::Error::msg("nothing lower is found"));
        }
        if seen.best.as_ref().is_none_or(|(_, best)| there.value < best.value) {
            seen.best = Some((at.to_vec(), there.clone()));
            let here = self.iteration(&there);
            seen.iterations.push(here);
            seen.since = 0;
        }
        seen.last = Some((at.to_vec(), there.clone()));
        Ok(there)
    }

    fn iteration(&self, there: &Evaluation) -> Iteration {
        Iteration {
            objective: there.value,
            gradient_norm: self.objective.gradient_norm(&there.gradient),
            distance: length(&scaled(&there.gradient, self.units)),
            step: 1.0,
        }
    }
}

fn scaled(at: &[f64], units: &[f64]) -> Vec<f64> {
    at.iter().zip(units).map(|(a, u)| a * u).collect()
}

fn length(v: &[f64]) -> f64 {
    v.iter().map(|v| v * v).sum::<f64>().sqrt()
}

impl<O: Objective> CostFunction for Problem<'_, O> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, at: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.at(at)?.value)
    }
}

impl<O: Objective> Gradient for Problem<'_, O> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, at: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(scaled(&self.at(at)?.gradient, self.units))
    }
}

/// The minimum from `start`; `units` are those of the parameters.
pub(crate) fn lbfgs(
    objective: &impl Objective,
    start: Vec<f64>,
    units: &[f64],
    options: &Options,
) -> Result<(Vec<f64>, Convergence)> {
    let seen =
        Rc::new(RefCell::new(Seen { last: None, best: None, iterations: vec![], failure: None, since: 0 }));
    let mut at: Vec<f64> = start.iter().zip(units).map(|(t, u)| t / u).collect();
    let mut stop = Stop::Iterations;
    for _ in 0..ROUNDS {
        let before = seen.borrow().iterations.len();
        seen.borrow_mut().since = 0;
        let problem = Problem { objective, units, seen: seen.clone() };
        let left = options.max_iterations.saturating_sub(before) as u64;
        let search = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(options.tolerance)
            .and_then(|search| search.with_tolerance_cost(0.0));
        let search = search.map_err(|e| crate::error::option("tolerance", e, "one that argmin takes"))?;
        let run =
            Executor::new(problem, search).configure(|state| state.param(at.clone()).max_iters(left)).run();
        let mut seen = seen.borrow_mut();
        if let Some(failure) = seen.failure.take() {
            return Err(failure);
        }
        // A line search that can go no further is an error there; what it had is kept here.
        drop(run);
        let Some((best, there)) = seen.best.clone() else { break };
        at = best;
        let distance = length(&scaled(&there.gradient, units));
        stop = match distance {
            d if d <= options.tolerance => Stop::Tolerance,
            d if d * d < 1e-14 * (1.0 + there.value.abs()) => Stop::Precision,
            _ => Stop::Iterations,
        };
        if stop == Stop::Tolerance
            || seen.iterations.len() >= options.max_iterations
            || seen.iterations.len() <= before
        {
            break;
        }
    }
    let theta = scaled(&at, units);
    let end = objective.evaluate(&theta, false)?;
    if !objective.penalised()
        && end.farthest > 8.0
        && let Some(found) = objective.separation(&[&theta])?
    {
        return Err(Error::Separated(Box::new(found)));
    }
    let mut iterations = std::mem::take(&mut seen.borrow_mut().iterations);
    if let Some(last) = iterations.last_mut() {
        last.step = 0.0;
    }
    Ok((theta, Convergence { iterations, stop }))
}
