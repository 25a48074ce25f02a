//! The properties of the architectures, a file for each: here is what they share.

mod lenet;
mod lenet1998;

use gradus_autograd::{Layer, Mode, Name, Parameters, SlotMut, Var};
use gradus_formula::{Case, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;
use std::collections::BTreeMap;

/// Rounding of sums of some hundreds of terms of size 1, in another order, through five layers.
const ROUNDING: f64 = 1e-11;

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    let mut all = lenet::properties();
    all.extend(lenet1998::properties());
    all
}

/// Standard normal numbers from a seed; `which` tells several of one seed apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// Small whole numbers, with which sums of products are exact.
fn whole(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Ok(normal(case, which, dims)?.map(|v| (3.0 * v).round()))
}

/// 0 where `yes`, else ∞: a residual for what is true or false.
fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}

fn apart(a: usize, b: usize) -> f64 {
    a.abs_diff(b) as f64
}

fn of(layer: &impl Layer<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
}

/// Puts a variable in the place of parameter number `which`.
fn replace(net: &mut dyn Parameters<f64>, which: usize, by: &Var<f64>) {
    let mut at = 0;
    net.visit_mut(&mut Name::default(), &mut |_, slot| {
        if let SlotMut::Parameter(var) = slot {
            if at == which {
                *var = by.clone();
            }
            at += 1;
        }
    });
}

/// A state by its names.
fn part<'a>(state: &'a BTreeMap<String, Tensor<f64>>, name: &str) -> Result<&'a Tensor<f64>, Failure> {
    state.get(name).ok_or_else(|| Failure::Error(format!("no `{name}` in the state")))
}
