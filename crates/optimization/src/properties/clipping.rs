//! Clipping of gradients.

use super::{ROUNDING, relative, same, slopes};
use crate::{clip_grad_norm, clip_grad_value};
use gradus_autograd::{Gradients, Parameters, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor, rng, tensor_of, with_threads};
use rand_distr::StandardNormal;

const ID: &[&str] = &["gradient-clipping"];

fn clip(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, ID, statement)
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::array("gradient", -10.0..=10.0, &["n"]))
        .draw(Draw::log("limit", 1e-3..=100.0))
}

fn length(g: &Tensor<f64>) -> f64 {
    g.as_slice().iter().fold(0.0, |so_far: f64, g| so_far.hypot(*g))
}

/// The gradient after clipping, and the length that was told.
fn clipped(g: &Tensor<f64>, limit: f64) -> Result<(Tensor<f64>, f64), Failure> {
    let w = Var::parameter(g.zeros_like());
    let mut gradients = slopes(&w, g)?;
    let told = clip_grad_norm(&w, &mut gradients, limit)?;
    Ok((taken(&mut gradients, &w)?, told))
}

fn taken<T: Scalar>(gradients: &mut Gradients<T>, w: &Var<T>) -> Result<Tensor<T>, Failure> {
    gradients.take(w).ok_or_else(|| Failure::Error("the gradient is gone".into()))
}

fn drawn(case: &Case<'_>) -> Result<(Tensor<f64>, f64), Failure> {
    Ok((tensor_of(case.array("gradient"))?, case.real("limit")))
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        clip("gradient-clipping.length", "its length is then the smaller of the limit and what it was, which is told")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (g, limit) = drawn(case)?;
                let (after, told) = clipped(&g, limit)?;
                case.classify(told > limit, "too long");
                Ok(relative(length(&after), length(&g).min(limit)) + relative(told, length(&g)))
            }),
        clip("gradient-clipping.direction", "it points where it pointed").within("rounding", ROUNDING).check(|case| {
            let (g, limit) = drawn(case)?;
            let (after, told) = clipped(&g, limit)?;
            let factor = if told > limit { limit / told } else { 1.0 };
            super::apart(&after, &g.scale(factor))
        }),
        clip("gradient-clipping.idle", "one that is not too long keeps its bits; without a limit it is only measured")
            .holds(|case| {
                let (g, _) = drawn(case)?;
                let wide = length(&g) * (1.0 + 1e-9) + 1e-300;
                Ok(same(&clipped(&g, wide)?.0, &g) && same(&clipped(&g, f64::INFINITY)?.0, &g))
            }),
        clip("gradient-clipping.global", "a model of several parameters is one vector: cut in two, the same")
            .draw(Draw::real("cut", 0.0..=1.0).limited(0.0..=1.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (g, limit) = drawn(case)?;
                let n = g.len();
                let cut = (n as f64 * case.real("cut")) as usize;
                let parts = [Var::parameter(Tensor::zeros([cut])?), Var::parameter(Tensor::zeros([n - cut])?)];
                let tied = vec![parts[0].clone(), parts[1].clone(), parts[0].clone()];
                let ends = [g.slice(0, 0..cut)?, g.slice(0, cut..n)?];
                let mut loss = Var::constant(Tensor::scalar(0.0));
                for (part, end) in parts.iter().zip(&ends) {
                    loss = loss.add(&part.mul(&Var::constant(end.clone()))?.sum()?)?;
                }
                let mut gradients = loss.backward()?;
                let model: &dyn Parameters<f64> = &tied;
                let told = clip_grad_norm(model, &mut gradients, limit)?;
                let got = [taken(&mut gradients, &parts[0])?, taken(&mut gradients, &parts[1])?];
                let whole = clipped(&g, limit)?;
                let joined = Tensor::concatenate(&[&got[0], &got[1]], 0)?;
                Ok(super::apart(&joined, &whole.0)? + relative(told, whole.1))
            }),
        clip("gradient-clipping.range", "no square overflows or vanishes: the gradient times 2ᵏ has 2ᵏ times the length")
            .draw(Draw::integer("power", -900..=900).limited(-960.0..=960.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (g, _) = drawn(case)?;
                let factor = 2f64.powi(case.integer("power") as i32);
                let (one, other) = (clipped(&g, f64::INFINITY)?.1, clipped(&g.scale(factor), f64::INFINITY)?.1);
                Ok(relative(other / factor, one))
            }),
        clip("gradient-clipping.nan", "a NaN makes every number a NaN, and is the length that is told")
            .draw(Draw::seed("place"))
            .holds(|case| {
                let (mut g, limit) = drawn(case)?;
                let at = case.seed("place") as usize % g.len();
                g.as_mut_slice()[at] = f64::NAN;
                let (after, told) = clipped(&g, limit)?;
                let w = Var::parameter(g.zeros_like());
                let mut gradients = slopes(&w, &g)?;
                clip_grad_value(&w, &mut gradients, limit)?;
                let by_value = taken(&mut gradients, &w)?;
                let only_there = by_value.as_slice().iter().enumerate().all(|(i, g)| g.is_nan() == (i == at));
                Ok(told.is_nan() && after.as_slice().iter().all(|g| g.is_nan()) && only_there)
            }),
        clip("gradient-clipping.value", "cut by value, each number is the nearest that the limit allows").holds(|case| {
            let (g, limit) = drawn(case)?;
            let w = Var::parameter(g.zeros_like());
            let mut gradients = slopes(&w, &g)?;
            clip_grad_value(&w, &mut gradients, limit)?;
            let after = taken(&mut gradients, &w)?;
            case.classify(!same(&after, &g), "cut");
            let nearest = |g: f64| if g.abs() <= limit { g } else { limit.copysign(g) };
            Ok(after.as_slice().iter().zip(g.as_slice()).all(|(after, g)| *after == nearest(*g)))
        }),
        Property::new(
            "gradient-clipping.threads",
            ID,
            "the length of a long gradient of f32 is that of f64, for any number of threads with the same bits",
        )
        .draw(Draw::size("n", 1..=100_000).limited(1.0..=1e6))
        .draw(Draw::seed("values"))
        .within("rounding", ROUNDING)
        .check(|case| {
            let g = Tensor::<f32>::random([case.size("n")], &StandardNormal, &mut rng(case.seed("values")))?;
            let told = |threads| {
                with_threads(threads, || {
                    let w = Var::parameter(g.zeros_like());
                    let mut gradients = slopes(&w, &g)?;
                    Ok::<_, Failure>(clip_grad_norm(&w, &mut gradients, f64::INFINITY)?)
                })
            };
            let (one, two) = (told(1)?, told(2)?);
            // By pieces: a plain sum of so many terms would be the one that is off.
            let squares = |some: &[f32]| some.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
            let exact = g.as_slice().chunks(256).map(squares).sum::<f64>().sqrt();
            Ok(if one.to_bits() == two.to_bits() { relative(one, exact) } else { f64::INFINITY })
        }),
    ]
}
