//! Predictions: intercepts, weights, several targets, samples in blocks.

use super::{ROUNDING, apart, conditioned, fit, full, parts, relative, small, theta};
use crate::{Accumulator, LinearRegression, Method, predict};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    vec![
        small(
            "lls-prediction.sum",
            &["lls-prediction"],
            "it is the intercept and each number of the row times its coefficient, added up",
        )
        .draw(Draw::real("intercept", -5.0..=5.0))
        // Either sum rounds each term at most once in a product and once an addition: u/2 for each of D + 1 terms.
        .within("a rounding a term, of either sum", 1.0)
        .check(|case| {
            let ([x, t, _], intercept) = (parts(case)?, case.real("intercept"));
            let [n, d] = ["n", "d"].map(|name| case.size(name));
            let ones = Tensor::concatenate(&[&Tensor::ones([n, 1])?, &x], 1)?;
            let both = Tensor::concatenate(&[&Tensor::from([intercept]), &t], 0)?;
            let predicted = predict(&ones, &both)?;
            let mut off = 0.0f64;
            for (i, &got) in predicted.as_slice().iter().enumerate() {
                let (mut sum, mut size) = (intercept, intercept.abs());
                for (x, t) in x.as_slice()[i * d..][..d].iter().zip(t.as_slice()) {
                    sum += x * t;
                    size += (x * t).abs();
                }
                let unit = (d + 1) as f64 * f64::EPSILON * size;
                off = off.max_or_nan(if got == sum { 0.0 } else { (got - sum).abs() / unit });
            }
            Ok(off)
        }),
        small(
            "lls-prediction.linear",
            &["lls-prediction"],
            "it is linear in θ, and each sample's is its row's alone",
        )
        .draw(Draw::array("other", -5.0..=5.0, &["d"]))
        .draw(Draw::real("c", -3.0..=3.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let ([x, t, _], c) = (parts(case)?, case.real("c"));
            let other: Tensor<f64> = tensor_of(case.array("other"))?;
            let mixed = predict(&x, &t.add(&other.scale(c))?)?;
            let linear = apart(&mixed, &predict(&x, &t)?.add(&predict(&x, &other)?.scale(c))?)?;
            let first = predict(&x.slice(0, 0..1)?, &t)?.item()?;
            Ok(linear + relative(predict(&x, &t)?.as_slice()[0], first))
        }),
        conditioned(
            "lls-prediction.intercept",
            &["lls-prediction"],
            "with an intercept the residuals sum to 0: the fit passes through the means",
        )
        .draw(Draw::real("level", -1e4..=1e4))
        .within("rounding, relative to the level", 1e-11)
        .check(|case| {
            let ((x, y), level) = (full(case)?, case.real("level"));
            let y = y.map(|v| v + level);
            let fit = LinearRegression::new().method(Method::Svd).fit(&x, &y)?;
            Ok(fit.residuals().mean()?.abs() / (1.0 + level.abs()))
        }),
        conditioned(
            "lls-prediction.shift",
            &["lls-prediction"],
            "a constant added to y moves the intercept by it, and nothing else",
        )
        .draw(Draw::real("level", -1e4..=1e4))
        .within("rounding, by the condition number", 1e-8)
        .check(|case| {
            let ((x, y), level) = (full(case)?, case.real("level"));
            let fit = |y: &Tensor<f64>| LinearRegression::new().fit(&x, y);
            let (here, there) = (fit(&y)?, fit(&y.map(|v| v + level))?);
            let size = 1.0 + level.abs();
            let moved = (there.intercept().item()? - here.intercept().item()? - level).abs() / size;
            Ok(moved.max_or_nan(apart(&there.coefficients(), &here.coefficients())? / size))
        }),
        conditioned(
            "lls-prediction.weights",
            &["lls-prediction", "lls-cost"],
            "a weight of k is the sample k times, 0 its absence",
        )
        .draw(Draw::array("w", 0.6..=3.4, &["13"]).limited(0.0..=9.0))
        .within("rounding, by the condition number", 1e-7)
        .check(|case| {
            let (x, y) = full(case)?;
            let w: Vec<f64> = case.array("w").data[..y.len()].iter().map(|w| w.round()).collect();
            let rows: Vec<u32> =
                (0..y.len()).flat_map(|i| std::iter::repeat_n(i as u32, w[i] as usize)).collect();
            let model = || LinearRegression::new().intercept(false);
            let weighted = model().weights(&w).fit(&x, &y)?;
            let repeated = model().fit(&x.gather(0, &rows)?, &y.gather(0, &rows)?)?;
            Ok(apart(weighted.parameters(), repeated.parameters())?)
        }),
        conditioned(
            "lls-normal-equation.accumulated",
            &["lls-normal-equation"],
            "block by block, and merged from parts, it is the fit of the whole, digits and all",
        )
        .draw(Draw::integer("cut", 1..=12).limited(1.0..=99.0))
        .draw(Draw::choice("how", &["one after the other", "merged", "merged the other way"]))
        .within("16 u (κ‖y‖ + κ²‖r‖)", 16.0)
        .check(|case| {
            let ((x, y), kappa) = (full(case)?, case.real("condition"));
            let (n, cut) = (y.len(), case.size("cut").min(y.len()));
            let part = |range: std::ops::Range<usize>| -> Result<Accumulator, Failure> {
                let mut part = Accumulator::new(false);
                if !range.is_empty() {
                    part.partial_fit(&x.slice(0, range.clone())?, &y.slice(0, range)?, None)?;
                }
                Ok(part)
            };
            let (mut first, mut second) = (part(0..cut)?, part(cut..n)?);
            let all = match case.choice("how") {
                "merged" => {
                    first.merge(&second)?;
                    first
                }
                "merged the other way" => {
                    second.merge(&first)?;
                    second
                }
                _ => {
                    if cut < n {
                        first.partial_fit(&x.slice(0, cut..n)?, &y.slice(0, cut..n)?, None)?;
                    }
                    first
                }
            };
            let whole = fit(&x, &y, Method::Qr)?;
            let rss = whole.residuals().dot(whole.residuals())?;
            let sums = (all.residual_sums_of_squares()?[0] - rss).abs() / (1.0 + y.dot(&y)?);
            let off = apart(&all.parameters()?, whole.parameters())?.max_or_nan(sums);
            // The bound of a backward stable solver: κ for the right side, κ² for the residual.
            let bound = f64::EPSILON * kappa * (1.0 + y.dot(&y)?.sqrt() + kappa * rss.sqrt());
            Ok(off / bound)
        }),
        conditioned(
            "lls-prediction.targets",
            &["lls-prediction"],
            "several targets are fitted as each alone",
        )
        .check(|case| {
            let (x, y) = full(case)?;
            let both = Tensor::stack(&[&y, &y.map(|v| v * v)], 1)?;
            let together = LinearRegression::new().intercept(false).fit(&x, &both)?;
            let mut off = 0.0;
            for k in 0..2 {
                let alone = fit(&x, &both.select(1, k)?, Method::Auto)?;
                off += together.parameters().select(1, k)?.max_difference(&theta(&alone)?)?;
            }
            Ok(off)
        }),
    ]
}
