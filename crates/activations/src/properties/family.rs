//! What every activation of one number must satisfy, driven by its facts.

use crate::{
    Activation, Activations, Course, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, HardTanh, LeakyRelu,
    LogSigmoid, Logit, Mish, Pointwise, Relu, Selu, Sigmoid, Silu, Softplus, Tanh,
};
use gradus_autograd::{Var, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, tensor_of};
use std::ops::RangeInclusive;

/// Where and with which hyper-parameters a family member is tried.
struct Domain {
    /// The whole of its domain that matters: far into both tails.
    wide: RangeInclusive<f64>,
    /// Where a finite difference is taken: where there is something to see.
    near: RangeInclusive<f64>,
    /// Where it may be taken.
    differentiable: RangeInclusive<f64>,
    /// Its hyper-parameter, if it has one.
    parameter: Option<Draw>,
}

const LINE: Domain =
    Domain { wide: -800.0..=800.0, near: -6.0..=6.0, differentiable: -800.0..=800.0, parameter: None };

/// The family's properties of one activation: `$make` builds it from a case.
macro_rules! member {
    ($id:literal, $domain:expr, $make:expr) => {{
        let domain: Domain = $domain;
        let draws = |p: Property| match domain.parameter.clone() {
            Some(draw) => p.draw(draw),
            None => p,
        };
        let wide = |id, statement| {
            draws(Property::new(id, &[$id], statement))
                .draw(Draw::real("x", domain.wide.clone()).limited(domain.wide.clone()))
        };
        let near = draws(Property::new(
            concat!($id, ".gradient"),
            &[$id],
            "the derivative is the difference quotient's limit",
        ))
        .draw(Draw::size("n", 1..=6))
        .draw(Draw::array("x", domain.near.clone(), &["n"]).limited(domain.differentiable.clone()));
        let make = $make;
        vec![
            wide(
                concat!($id, ".range"),
                "the values stay within the range, which is closed in floating point",
            )
            .within("4 ulp of the bounds", 4.0)
            .check(move |case| Ok(outside(make(case), case))),
            wide(concat!($id, ".course"), "it rises and falls where the facts say")
                .draw(Draw::real("y", domain.wide.clone()).limited(domain.wide.clone()))
                .within("4 ulp of the values", 4.0)
                .check(move |case| Ok(off_course(make(case), case))),
            wide(
                concat!($id, ".lipschitz"),
                "|f(x) − f(y)| ≤ L·|x − y|, and |f′| comes within a ten-thousandth of L",
            )
            .draw(Draw::real("y", domain.wide.clone()).limited(domain.wide.clone()))
            .within("8 ulp of the values", 8.0)
            .check(move |case| Ok(too_steep(make(case), case))),
            wide(
                concat!($id, ".receivers"),
                "number, tensor and variable give the same bits, and f32 agrees with f64",
            )
            .draw(Draw::real("dy", -3.0..=3.0))
            .within("32 ulp of f32, absolute below a thousandth", 32.0)
            .check(move |case| receivers(make(case), case)),
            draws(Property::new(
                concat!($id, ".nan"),
                &[$id],
                "a NaN comes out as a NaN, value and derivative, f32 and f64",
            ))
            .holds(move |case| Ok(keeps_nan(make(case)))),
            gradient_property(near, move |case| {
                let activation = make(case);
                let mut x = tensor_of::<f64>(case.array("x"))?;
                // Five points reach 2·10⁻³ to either side: no kink may lie among them.
                x.map_in_place(|v| away_from(activation.facts().kinks, v));
                Ok((Pointwise(activation), [x]))
            }),
        ]
    }};
}

pub(super) fn properties() -> Vec<Property> {
    let probability =
        || Domain { wide: 0.0..=1.0, near: 0.25..=0.75, differentiable: 0.2..=0.8, parameter: None };
    let with = |draw: Draw| Domain { parameter: Some(draw), ..LINE };
    // Slopes beyond 1 and below 0 too: the default alone would hide what depends on it.
    let slope = Draw::real("slope", -2.0..=3.0);
    let alpha = Draw::real("alpha", -2.0..=3.0);
    [
        member!("sigmoid", LINE, |_: &Case<'_>| Sigmoid),
        member!("logit", probability(), |_: &Case<'_>| Logit),
        member!("log-sigmoid", LINE, |_: &Case<'_>| LogSigmoid),
        member!("act-tanh", LINE, |_: &Case<'_>| Tanh),
        member!("relu", LINE, |_: &Case<'_>| Relu),
        member!("leaky-relu", with(slope), |case: &Case<'_>| LeakyRelu { slope: case.real("slope") }),
        member!("elu", with(alpha), |case: &Case<'_>| Elu { alpha: case.real("alpha") }),
        member!("selu", LINE, |_: &Case<'_>| Selu),
        member!("softplus", LINE, |_: &Case<'_>| Softplus),
        member!("silu", LINE, |_: &Case<'_>| Silu),
        member!("gelu", LINE, |_: &Case<'_>| Gelu),
        member!("gelu-tanh", LINE, |_: &Case<'_>| GeluTanh),
        member!("mish", LINE, |_: &Case<'_>| Mish),
        member!("hard-sigmoid", LINE, |_: &Case<'_>| HardSigmoid),
        member!("hard-tanh", LINE, |_: &Case<'_>| HardTanh),
        member!("hard-swish", LINE, |_: &Case<'_>| HardSwish),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// How far the value leaves the range, in ulps of the bound it leaves.
fn outside(f: impl Activation, case: &mut Case<'_>) -> f64 {
    let x = case.real("x");
    case.classify(x.abs() > 40.0, "far out");
    let (facts, y) = (f.facts(), f.value(x));
    if y.is_nan() {
        return f64::NAN;
    }
    let excess = (facts.low - y).max(y - facts.high).max(0.0);
    if excess == 0.0 {
        0.0
    } else {
        excess / (f64::EPSILON * (facts.low.abs().min(facts.high.abs())).max(1e-300))
    }
}

/// How much it falls where it should rise (or rises where it should fall), in ulps.
fn off_course(f: impl Activation, case: &mut Case<'_>) -> f64 {
    let (mut x, mut y) = (case.real("x").min(case.real("y")), case.real("x").max(case.real("y")));
    if let Course::Turns(at) = f.facts().course {
        if y <= at {
            case.label("falling side");
            (x, y) = (y, x);
        } else {
            case.label("rising side");
            x = x.max(at);
        }
    }
    let (low, high) = (f.value(x), f.value(y));
    if low.is_nan() || high.is_nan() {
        return f64::NAN;
    }
    // Equal infinities differ by nothing.
    if low <= high { 0.0 } else { (low - high) / (f64::EPSILON * low.abs().max(high.abs()).max(1e-300)) }
}

/// How much the values differ beyond L·|x − y|, in ulps; ∞ if L is not reached.
fn too_steep(f: impl Activation, case: &mut Case<'_>) -> f64 {
    let facts = f.facts();
    if facts.lipschitz.is_infinite() {
        case.label("no Lipschitz constant");
        // Then it must be steeper than anything somewhere: at both ends of the logit.
        return if f.derivative(1e-12f64) > 1e11 && f.derivative(1.0 - 1e-12) > 1e11 {
            0.0
        } else {
            f64::INFINITY
        };
    }
    if f.derivative(facts.steepest).abs() < facts.lipschitz * (1.0 - 1e-4) {
        return f64::INFINITY;
    }
    let (x, y) = (case.real("x"), case.real("y"));
    let (a, b) = (f.value(x), f.value(y));
    let excess = (a - b).abs() - facts.lipschitz * (x - y).abs();
    if excess.is_nan() {
        return f64::NAN;
    }
    (excess / (f64::EPSILON * a.abs().max(b.abs()).max(1e-300))).max(0.0)
}

/// Bits apart between the receivers: ∞; else how far f32 is from f64.
fn receivers(f: impl Activation, case: &mut Case<'_>) -> Result<f64, Failure> {
    // A number that both precisions have.
    let x = f64::from(case.real("x") as f32);
    let dy = case.real("dy");
    let tensor = gradus_tensor::Tensor::from([[x]]);
    let leaf = Var::parameter(tensor.clone());
    let var = leaf.activate(f)?;
    let on_tensor = tensor.activate(f)?.item()?;
    let gradient = var.backward_with(&gradus_tensor::Tensor::from([[dy]]))?;
    let gradient = gradient.get(&leaf).map(|g| g.item()).transpose()?.unwrap_or(f64::NAN);
    let bits = super::same(on_tensor, f.value(x))
        + super::same(var.item()?, f.value(x))
        + super::same(gradient, f.derivative(x) * dy);
    let (wide, single) = (f.value(x), f64::from(f.value(x as f32)));
    let apart = if wide == single || (wide.abs() > f64::from(f32::MAX) && single.is_infinite()) {
        0.0
    } else {
        (wide - single).abs() / (f64::from(f32::EPSILON) * wide.abs().max(1e-3))
    };
    Ok(bits + apart)
}

fn keeps_nan(f: impl Activation) -> bool {
    fn kept<T: Scalar>(f: impl Activation) -> bool {
        Scalar::is_nan(f.value(T::NAN)) && Scalar::is_nan(f.derivative(T::NAN))
    }
    kept::<f32>(f) && kept::<f64>(f)
}

/// x, moved so that no kink lies within a hundredth (relative, above 1) of it.
fn away_from(kinks: &[f64], x: f64) -> f64 {
    let near = |kink: &&f64| (x - **kink).abs() < 0.01 * x.abs().max(1.0);
    kinks.iter().find(near).map_or(x, |kink| kink + 0.05)
}
