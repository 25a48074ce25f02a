//! The statistics of a fit: leverages, intervals, weights, inflation.

use super::{ROUNDING, conditioned, fit, full, model, relative};
use crate::{LinearRegression, Method};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};
use rand_distr::StandardNormal;
use statrs::distribution::{ContinuousCDF, StudentsT};

pub(super) fn properties() -> Vec<Property> {
    vec![
        conditioned(
            "lls-normal-equation.hat",
            &["lls-normal-equation"],
            "the hat matrix is a projection: leverages lie in 0…1 and add up to the rank",
        )
        .within("rounding, by the condition number", 1e-9)
        .check(|case| {
            let (x, y) = full(case)?;
            if x.dims()[0] == x.dims()[1] {
                return Ok(0.0);
            }
            let fit = fit(&x, &y, Method::Qr)?;
            let statistics = fit.statistics(0)?;
            let h = statistics.leverage();
            let outside = h.iter().fold(0.0, |m: f64, &h| m.max(-h).max(h - 1.0));
            Ok((h.iter().sum::<f64>() - fit.rank() as f64).abs().max_or_nan(outside))
        }),
        conditioned(
            "lls-normal-equation.cook",
            &["lls-normal-equation"],
            "Cook's distance is how far the predictions move when the sample is left out, in units of rank · variance",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("weights", &["none", "some"]))
        .draw(Draw::integer("left", 0..=12).limited(0.0..=64.0))
        .within("rounding, by the square of the condition number", 1e-8)
        .check(|case| {
            let (x, y) = full(case)?;
            let (n, left) = (y.len(), case.size("left") % y.len());
            if n < case.size("d") + 3 {
                return Ok(0.0);
            }
            let w: Vec<f64> =
                (0..n).map(|i| if case.choice("weights") == "some" { 1.0 + (i % 3) as f64 } else { 1.0 }).collect();
            let model = LinearRegression::new().intercept(case.choice("intercept") == "with").weights(&w);
            let whole = model.fit(&x, &y)?;
            let mut without = w.clone();
            without[left] = 0.0;
            let others = model.weights(&without).fit(&x, &y)?;
            let moved = whole.predict(&x)?.sub(&others.predict(&x)?)?;
            let squares: f64 = moved.as_slice().iter().zip(&w).map(|(m, w)| w * m * m).sum();
            let s = whole.statistics(0)?;
            let definition = squares / (whole.rank() as f64 * s.residual_variance);
            // A sample that alone holds a coefficient leaves the others without it.
            if others.rank() < whole.rank() || s.leverage()[left] > 0.999 {
                return Ok(0.0);
            }
            Ok(relative(s.cooks_distances()[left], definition) / case.real("condition").powi(2).max(1.0))
        }),
        conditioned(
            "lls-normal-equation.intervals",
            &["lls-normal-equation"],
            "a mean's interval reaches t·s·√leverage at a sample, a value's has one variance more; parameters' t·s.e.",
        )
        .draw(Draw::real("confidence", 0.5..=0.99).limited(0.01..=0.999))
        .within("rounding, by the condition number", 1e-9)
        .check(|case| {
            let ((x, y), confidence) = (full(case)?, case.real("confidence"));
            let model = LinearRegression::new();
            if y.len() < case.size("d") + 2 {
                return Ok(0.0);
            }
            let fit = model.fit(&x, &y)?;
            let s = fit.statistics(0)?;
            // Student's t that leaves half of the rest above it.
            let t = StudentsT::new(0.0, 1.0, (y.len() - fit.rank()) as f64).map_err(Failure::from)?;
            let reach = t.inverse_cdf(1.0 - (1.0 - confidence) / 2.0);
            let mut off: f64 = 0.0;
            for (i, interval) in fit.intervals(&x, 0, confidence)?.into_iter().enumerate() {
                let mean = reach * (s.residual_variance * s.leverage()[i]).sqrt();
                let value = (mean.powi(2) + reach.powi(2) * s.residual_variance).sqrt();
                off = off.max_or_nan(relative(interval.of_mean, mean)).max_or_nan(relative(interval.of_value, value));
                off = off.max_or_nan(relative(interval.mean, y.as_slice()[i] - fit.residuals().as_slice()[i]));
            }
            for (j, (below, above)) in s.confidence_intervals(confidence)?.into_iter().enumerate() {
                let (b, e) = (fit.parameters().as_slice()[j], reach * s.standard_errors[j]);
                off = off.max_or_nan(relative(below, b - e)).max_or_nan(relative(above, b + e));
                let p = 2.0 * (1.0 - t.cdf((b / s.standard_errors[j]).abs()));
                off = off.max_or_nan(relative(s.p_values[j], p));
            }
            Ok(off / case.real("condition").max(1.0))
        }),
        conditioned(
            "lls-normal-equation.weighted-statistics",
            &["lls-normal-equation"],
            "sums of squares, R² and leverages are those of repeated samples; the degrees of freedom count each once",
        )
        .draw(Draw::array("w", 0.0..=3.4, &["13"]).limited(0.0..=9.0))
        .draw(Draw::choice("intercept", &["with", "without"]))
        .within("rounding, by the square of the condition number", 1e-8)
        .check(|case| {
            let (x, y) = full(case)?;
            let w: Vec<f64> = case.array("w").data[..y.len()].iter().map(|w| w.round()).collect();
            let kept = w.iter().filter(|w| **w > 0.0).count();
            let model = LinearRegression::new().intercept(case.choice("intercept") == "with");
            if kept < case.size("d") + 2 {
                return Ok(0.0);
            }
            let rows: Vec<u32> =
                (0..y.len()).flat_map(|i| std::iter::repeat_n(i as u32, w[i] as usize)).collect();
            let weighted = model.clone().weights(&w).fit(&x, &y)?;
            let repeated = model.fit(&x.gather(0, &rows)?, &y.gather(0, &rows)?)?;
            let (a, b) = (weighted.statistics(0)?, repeated.statistics(0)?);
            let explained = weighted.rank() - usize::from(weighted.has_intercept());
            if (a.samples, a.degrees_of_freedom) != (kept, kept - weighted.rank()) {
                return Ok(f64::INFINITY);
            }
            let pairs = [
                (a.residual_sum_of_squares, b.residual_sum_of_squares),
                (a.total_sum_of_squares, b.total_sum_of_squares),
                (a.r_squared, b.r_squared),
                (a.residual_variance * a.degrees_of_freedom as f64, b.residual_sum_of_squares),
                (
                    (1.0 - a.adjusted_r_squared) * a.degrees_of_freedom as f64,
                    (1.0 - a.r_squared) * (a.degrees_of_freedom + explained) as f64,
                ),
                (a.leverage().iter().sum(), weighted.rank() as f64),
            ];
            let mut off = pairs.into_iter().fold(0.0, |m: f64, (a, b)| m.max_or_nan(relative(a, b)));
            for (copy, &i) in rows.iter().enumerate() {
                let i = i as usize;
                off = off.max_or_nan((a.leverage()[i] / w[i] - b.leverage()[copy]).abs());
            }
            Ok(off / case.real("condition").powi(2).max(1.0))
        }),
        conditioned(
            "lls-normal-equation.inflation",
            &["lls-normal-equation"],
            "the variance inflation factor is 1/(1 − R²) of its column regressed on the others",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("weights", &["none", "some"]))
        .within("rounding, by the square of the condition number", 1e-9)
        .check(|case| {
            let ((x, y), d) = (full(case)?, case.size("d"));
            let model = model(case, y.len());
            if y.len() < d + 2 {
                return Ok(0.0);
            }
            let vif = model.fit(&x, &y)?.statistics(0)?.variance_inflation_factors().to_vec();
            let mut off: f64 = 0.0;
            for (j, vif) in vif.iter().enumerate() {
                let others = Tensor::concatenate(&[&x.slice(1, 0..j)?, &x.slice(1, j + 1..d)?], 1)?;
                let one =
                    model.clone().method(Method::Precise).fit(&others, &x.select(1, j)?)?.statistics(0)?;
                // TSS/RSS, which is 1/(1 − R²) and does not cancel.
                let definition = one.total_sum_of_squares / one.residual_sum_of_squares;
                off = off.max_or_nan(relative(*vif, definition)).max_or_nan((1.0 - vif).max(0.0));
            }
            Ok(off / case.real("condition").powi(2).max(1.0))
        }),
        conditioned(
            "lls-normal-equation.inflation-scale",
            &["lls-normal-equation"],
            "scaling a column by 2ᵏ changes no variance inflation factor, and another target neither",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("weights", &["none", "some"]))
        .draw(Draw::integer("k", -30..=30).limited(-200.0..=200.0))
        .check(|case| {
            let ((x, y), d) = (full(case)?, case.size("d"));
            let model = model(case, y.len());
            if y.len() < d + 2 {
                return Ok(0.0);
            }
            let scale: Tensor<f64> =
                (0..d).map(|j| if j == 0 { (case.integer("k") as f64).exp2() } else { 1.0 }).collect();
            let plain = model.fit(&x, &y)?.statistics(0)?;
            let scaled = model.fit(&x.mul(&scale)?, &y.map(|v| 1.0 - v))?.statistics(0)?;
            let pairs = plain.variance_inflation_factors().iter().zip(scaled.variance_inflation_factors());
            Ok(pairs.fold(0.0, |m: f64, (a, b)| m.max_or_nan((a - b).abs())))
        }),
        Property::new(
            "lls-normal-equation.inflation-orthogonal",
            &["lls-normal-equation"],
            "it is 1 for orthogonal centred columns, and ∞ for just the columns that depend on each other",
        )
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::integer("more", 2..=8).limited(2.0..=64.0))
        .draw(Draw::seed("values"))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (d, mut rng) = (case.size("d"), rng(case.seed("values")));
            let n = d + 1 + case.size("more");
            // An orthonormal basis that begins with the constant: the rest is orthogonal and centred.
            let some = Tensor::random([n, d + 1], &StandardNormal, &mut rng)?;
            let basis = Tensor::concatenate(&[&Tensor::ones([n, 1])?, &some], 1)?.qr()?.0;
            let (x, extra) = (basis.slice(1, 1..d + 1)?, basis.slice(1, d + 1..d + 2)?);
            let y = Tensor::random([n], &StandardNormal, &mut rng)?;
            let of = |x: &Tensor<f64>| -> Result<Vec<f64>, Failure> {
                Ok(LinearRegression::new().fit(x, &y)?.statistics(0)?.variance_inflation_factors().to_vec())
            };
            let ones = of(&x)?.iter().fold(0.0, |m: f64, v| m.max_or_nan((v - 1.0).abs()));
            let twins = of(&Tensor::concatenate(&[&x, &extra, &extra.scale(3.0)], 1)?)?;
            let apart = twins[..d].iter().fold(ones, |m, v| m.max_or_nan((v - 1.0).abs()));
            Ok(if twins[d..].iter().all(|&v| v == f64::INFINITY) { apart } else { f64::INFINITY })
        }),
        conditioned(
            "lls-normal-equation.one-predictor",
            &["lls-normal-equation"],
            "for one predictor F = t², with the same probability, and R² is the squared correlation",
        )
        .within("rounding", 1e-8)
        .check(|case| {
            let (x, y) = full(case)?;
            let x = x.slice(1, 0..1)?;
            if y.len() < 4 {
                return Ok(0.0);
            }
            let s = LinearRegression::new().fit(&x, &y)?.statistics(0)?;
            let centred = |t: &Tensor<f64>| -> Result<Tensor<f64>> {
                let m = t.mean()?;
                Ok(t.map(|v| v - m))
            };
            let (a, b) = (centred(&x.flatten())?, centred(&y)?);
            let r = a.dot(&b)? / (a.dot(&a)? * b.dot(&b)?).sqrt();
            let p = relative(s.f_p_value, s.p_values[1]);
            Ok(relative(s.f_value, s.t_values[1].powi(2)).max_or_nan(relative(s.r_squared, r * r)).max_or_nan(p))
        }),
    ]
}
