//! The cost in its two forms, and its slope.

use super::{ROUNDING, conditioned, fit, full, parts, relative, small, theta};
use crate::{Method, cost, gradient, matrix_cost, predict};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};
use rand_distr::StandardNormal;

pub(super) fn properties() -> Vec<Property> {
    let twice = |t: &Tensor<f64>| Tensor::concatenate(&[t, t], 0);
    vec![
        small(
            "lls-cost.definition",
            &["lls-cost"],
            "the sum over the samples, term for term, divided by their number",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [x, t, y] = parts(case)?;
            let mut sum = 0.0;
            for (row, &y) in x.rows()?.zip(y.as_slice()) {
                sum += (row.dot(&t)? - y).powi(2);
            }
            Ok(relative(cost(&x, &t, &y)?, sum / y.len() as f64))
        }),
        small(
            "lls-cost.duplication",
            &["lls-cost", "lls-matrix-cost"],
            "the data twice have the cost of the data, in either form",
        )
        .within("rounding", ROUNDING)
        .check(move |case| {
            let [x, t, y] = parts(case)?;
            let (xx, yy) = (twice(&x)?, twice(&y)?);
            let sums = relative(cost(&xx, &t, &yy)?, cost(&x, &t, &y)?);
            Ok(sums + relative(matrix_cost(&xx, &t, &yy)?, matrix_cost(&x, &t, &y)?))
        }),
        conditioned("lls-cost.quadratic", &["lls-cost"], "from its minimum it grows by exactly ‖Xδ‖²/n")
            .draw(Draw::seed("delta"))
            .within("rounding of the costs, and of the minimum by its condition", 1e-9)
            .check(|case| {
                let (x, y) = full(case)?;
                let best = theta(&fit(&x, &y, Method::Qr)?)?;
                let delta = Tensor::random([x.dims()[1]], &StandardNormal, &mut rng(case.seed("delta")))?;
                let moved = predict(&x, &delta)?;
                let gap = cost(&x, &best.add(&delta)?, &y)? - cost(&x, &best, &y)?;
                Ok(relative(gap, moved.dot(&moved)? / y.len() as f64))
            }),
        small("lls-cost.scale", &["lls-cost"], "y and θ doubled quadruple it, exactly").check(|case| {
            let [x, t, y] = parts(case)?;
            Ok((cost(&x, &t.scale(2.0), &y.scale(2.0))? - 4.0 * cost(&x, &t, &y)?).abs())
        }),
        {
            let mut printed =
                small("lls-cost.printed", &["lls-cost"], "a sum from 0 to n, divided by n, is the mean");
            printed.refutation = true;
            printed.within("rounding", ROUNDING).check(|case| {
                let [x, t, y] = parts(case)?;
                let n = y.len() as f64;
                // One term more than there are samples: whichever it is, here the first again.
                let extra = (x.select(0, 0)?.dot(&t)? - y.as_slice()[0]).powi(2);
                Ok(relative(cost(&x, &t, &y)? + extra / n, cost(&x, &t, &y)?))
            })
        },
        small(
            "lls-matrix-cost.sum",
            &["lls-matrix-cost", "lls-cost"],
            "the product of vectors is the sum over samples",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [x, t, y] = parts(case)?;
            Ok(relative(matrix_cost(&x, &t, &y)?, cost(&x, &t, &y)?))
        }),
        small("lls-matrix-cost.not-negative", &["lls-matrix-cost"], "it is at least 0, and 0 where y = Xθ")
            .holds(|case| {
                let [x, t, y] = parts(case)?;
                Ok(matrix_cost(&x, &t, &y)? >= 0.0 && matrix_cost(&x, &t, &predict(&x, &t)?)? == 0.0)
            }),
        {
            let printed = small(
                "lls-matrix-cost.printed",
                &["lls-matrix-cost"],
                "(Xθ − y)ᵀ(Xθ − y) is the J of the line above",
            );
            let mut printed = printed.within("rounding", ROUNDING);
            printed.refutation = true;
            printed.check(|case| {
                let [x, t, y] = parts(case)?;
                Ok(relative(matrix_cost(&x, &t, &y)? * y.len() as f64, cost(&x, &t, &y)?))
            })
        },
        small(
            "lls-gradient.differences",
            &["lls-gradient", "lls-cost"],
            "it is the cost's slope, by differences that are exact for a parabola",
        )
        .within("rounding of the costs over the step", 1e-9)
        .check(|case| {
            let [x, t, y] = parts(case)?;
            let g = gradient(&x, &t, &y)?;
            let mut off: f64 = 0.0;
            for j in 0..t.len() {
                let at = |step: f64| {
                    let mut moved = t.clone();
                    moved.as_mut_slice()[j] += step;
                    cost(&x, &moved, &y)
                };
                off = off.max_or_nan(relative((at(0.5)? - at(-0.5)?) / 1.0, g.as_slice()[j]));
            }
            Ok(off)
        }),
        conditioned(
            "lls-gradient.zero",
            &["lls-gradient", "lls-normal-equation"],
            "it vanishes at the least-squares solution, and there only",
        )
        .within("rounding, relative to ‖X‖·‖y‖", ROUNDING)
        .check(|case| {
            let (x, y) = full(case)?;
            let best = theta(&fit(&x, &y, Method::Qr)?)?;
            let away = gradient(&x, &best.map(|t| t + 1.0), &y)?.abs().max()?;
            let size = y.dot(&y)?.sqrt();
            let zero = gradient(&x, &best, &y)?.abs().max()? / (1.0 + size + best.abs().max()?);
            Ok(if away > 0.0 { zero } else { f64::INFINITY })
        }),
        small(
            "lls-gradient.descent",
            &["lls-gradient"],
            "descent contracts for a rate below 2/λ, λ the Hessian's largest eigenvalue",
        )
        .draw(Draw::real("share", 0.05..=0.95).limited(0.01..=0.99))
        .holds(|case| {
            let [x, t, y] = parts(case)?;
            let largest = 2.0 / y.len() as f64 * x.svd()?.s.as_slice().first().map_or(0.0, |s| s * s);
            if largest == 0.0 {
                return Ok(true);
            }
            let step = |rate: f64| -> Result<f64, Failure> {
                let mut moved = t.clone();
                moved.add_scaled(-rate, &gradient(&x, &t, &y)?)?;
                Ok(cost(&x, &moved, &y)?)
            };
            let before = cost(&x, &t, &y)?;
            Ok(step(case.real("share") * 2.0 / largest)? <= before * (1.0 + 1e-12) + 1e-12)
        }),
    ]
}
