//! The derivatives of the loss, Newton's step, the fit, separation, and the statistics.

use super::{
    DIFFERENCES, Drawn, ROUNDING, apart, differences, drawn, overlapping, parts, relative, small, with_ones,
};
use crate::{
    Error, Fit, LogisticRegression, gradient, hessian, log_likelihood_of, newton_step, working_response,
};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::math::erfc;
use gradus_tensor::{Result, Scalar, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;

/// What a fit at the default tolerance leaves, in standard errors, and the rounding of badly scaled columns.
const FIT: f64 = 1e-6;

pub(super) fn properties() -> Vec<Property> {
    let mut all = derivatives();
    all.extend(steps());
    all.extend(fits());
    all.extend(separations());
    all.extend(statistics());
    all
}

fn derivatives() -> Vec<Property> {
    let quadratic = |h: &Tensor<f64>, v: &Tensor<f64>| -> Result<f64> {
        let v = v.insert_axis(1)?;
        v.product(Transpose::Yes, &h.matmul(&v)?, Transpose::No)?.item()
    };
    vec![
        small(
            "logreg-gradient.differences",
            &["logreg-gradient"],
            "it is the slope of −1/n times the log-likelihood",
        )
        .within("five-point differences", DIFFERENCES)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let n = y.len() as f64;
            let loss = |t: &Tensor<f64>| Ok(Tensor::from([-log_likelihood_of(&x, t, &y)? / n]));
            let slopes: Tensor<f64> = differences(&theta, loss)?.iter().map(|s| s.as_slice()[0]).collect();
            Ok(apart(&gradient(&x, &theta, &y)?, &slopes)?)
        }),
        small(
            "logreg-gradient.duplication",
            &["logreg-gradient", "logreg-hessian"],
            "the data twice have the same mean loss: the same derivatives",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let (xx, yy) = (Tensor::concatenate(&[&x, &x], 0)?, Tensor::concatenate(&[&y, &y], 0)?);
            let first = apart(&gradient(&xx, &theta, &yy)?, &gradient(&x, &theta, &y)?)?;
            Ok(first.max_or_nan(apart(&hessian(&xx, &theta)?, &hessian(&x, &theta)?)?))
        }),
        small(
            "logreg-gradient.exchange",
            &["logreg-gradient"],
            "with the labels exchanged and θ negated it is negated",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let other = gradient(&x, &theta.neg(), &y.map(|y| 1 - y))?;
            Ok(apart(&other.neg(), &gradient(&x, &theta, &y)?)?)
        }),
        small(
            "logreg-gradient.confident",
            &["logreg-gradient"],
            "a confident correct prediction still pulls",
        )
        .holds(|case| {
            let (x, theta, y) = parts(case)?;
            // Log-odds of ±40 on the right side: 1 − ŷ is below what ŷ = 1 can show.
            let x =
                x.slice(0, 0..1)?.slice(1, 0..1)?.map(|_| if y.as_slice()[0] == 1 { 40.0 } else { -40.0 });
            let pull = gradient(&x, &theta.slice(0, 0..1)?.map(|_| 1.0), &y.slice(0, 0..1)?)?.item()?;
            Ok(pull < 0.0 && pull > -1e-14)
        }),
        small("logreg-hessian.differences", &["logreg-hessian"], "it is the slope of the gradient")
            .within("five-point differences", DIFFERENCES)
            .check(|case| {
                let (x, theta, y) = parts(case)?;
                let slopes = differences(&theta, |t| Ok(gradient(&x, t, &y)?))?;
                Ok(apart(&Tensor::stack(&slopes.iter().collect::<Vec<_>>(), 0)?, &hessian(&x, &theta)?)?)
            }),
        small(
            "logreg-hessian.convex",
            &["logreg-hessian"],
            "along any v it is at least 0 and at most ¼ of the mean of (xᵢv)²",
        )
        .draw(Draw::array("v", -2.0..=2.0, &["d"]))
        .within("rounding", ROUNDING)
        .check(move |case| {
            let (x, theta, _) = parts(case)?;
            let v: Tensor<f64> = tensor_of(case.array("v"))?;
            let square = x.matmul(&v.insert_axis(1)?)?.map(|s| s * s).mean()?;
            let along = quadratic(&hessian(&x, &theta)?, &v)?;
            Ok((-along).max_or_nan(along - 0.25 * square).max_or_nan(0.0) / (1.0 + square))
        }),
        small("logreg-hessian.symmetric", &["logreg-hessian"], "it is symmetric, to the bit").check(|case| {
            let (x, theta, _) = parts(case)?;
            let h = hessian(&x, &theta)?;
            Ok(h.max_difference(&h.transpose()?)?)
        }),
    ]
}

/// The coefficients with the intercept first.
fn parameters(fit: &Fit) -> Result<Tensor<f64>> {
    Tensor::concatenate(&[&Tensor::from([fit.intercept()]), fit.coefficients()], 0)
}

/// How far two fits are apart, each coefficient relative to the size that its column allows it.
fn distance(x: &Tensor<f64>, one: &Tensor<f64>, two: &Tensor<f64>) -> Result<f64> {
    let sizes = with_ones(x)?.abs().max_axis(0)?;
    Ok(one.sub(two)?.mul(&sizes)?.abs().max()? / (1.0 + two.mul(&sizes)?.abs().max()?))
}

fn weighted(d: &Drawn) -> LogisticRegression {
    LogisticRegression::new().sample_weights(&d.weights)
}

fn steps() -> Vec<Property> {
    vec![
        overlapping(
            "logreg-irls.least-squares",
            &["logreg-irls"],
            "a step solves least squares with weights W and targets Xθ + W⁻¹(y − ŷ)",
        )
        .within("rounding, by the condition", 1e-9)
        .check(|case| {
            let Drawn { copies: (x, y), .. } = drawn(case)?;
            let theta = Tensor::random([x.dims()[1]], &StandardNormal, &mut rng(case.seed("values") ^ 1))?;
            let sizes = x.abs().max_axis(0)?;
            let theta = theta.div(&sizes)?;
            let (z, w) = working_response(&x, &theta, &y)?;
            let roots = w.sqrt().insert_axis(1)?;
            let (q, r) = x.div(&sizes)?.mul(&roots)?.qr()?;
            let solved =
                r.solve_upper(&q.product(Transpose::Yes, &z.insert_axis(1)?.mul(&roots)?, Transpose::No)?)?;
            apart(&newton_step(&x, &theta, &y)?.mul(&sizes)?, &solved.flatten()).map_err(Failure::from)
        }),
        overlapping(
            "logreg-irls.fixed-point",
            &["logreg-irls", "logreg-gradient"],
            "at the fit a step leads nowhere",
        )
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let fit = parameters(&weighted(&d).fit(&d.x, &d.y)?)?;
            let again = newton_step(&with_ones(&d.copies.0)?, &fit, &d.copies.1)?;
            Ok(distance(&d.x, &again, &fit)?)
        }),
        overlapping(
            "logreg-irls.quadratic",
            &["logreg-irls"],
            "near the fit a tenth of the distance becomes a hundredth of the error",
        )
        .within("no more than half of what is left may be linear", 0.05)
        .check(|case| {
            let d = drawn(case)?;
            let fit = parameters(&weighted(&d).tolerance(1e-12).fit(&d.x, &d.y)?)?;
            let (x, y) = (with_ones(&d.copies.0)?, d.copies.1);
            let sizes = x.abs().max_axis(0)?;
            let off = Tensor::random(fit.shape(), &StandardNormal, &mut rng(case.seed("values") ^ 2))?
                .div(&sizes)?;
            let left = |by: f64| -> Result<f64, Failure> {
                let after = newton_step(&x, &fit.add(&off.scale(by))?, &y)?;
                Ok(after.sub(&fit)?.mul(&sizes)?.abs().max()?)
            };
            let (one, tenth) = (left(0.01)?, left(0.001)?);
            Ok(if one < 1e-7 { 0.0 } else { tenth / one - 0.01 })
        }),
        overlapping("logreg-irls.columns", &["logreg-irls"], "of mixed columns XA it makes A⁻¹θ")
            .within("rounding, by the condition", 1e-8)
            .check(|case| {
                let Drawn { copies: (x, y), .. } = drawn(case)?;
                let d = x.dims()[1];
                let x = x.div(&x.abs().max_axis(0)?)?;
                let mix =
                    Tensor::from_fn(
                        [d, d],
                        |i| if i[0] == i[1] { 2.0 } else { 0.5 / (1 + i[0] + i[1]) as f64 },
                    )?;
                let zero = Tensor::zeros([d])?;
                let mixed = newton_step(&x.matmul(&mix)?, &zero, &y)?;
                let back = mix.matmul(&mixed.insert_axis(1)?)?.flatten();
                apart(&back, &newton_step(&x, &zero, &y)?).map_err(Failure::from)
            }),
        overlapping(
            "logreg-irls.textbook",
            &["logreg-irls"],
            "one iteration of the library is one step from 0",
        )
        .within("rounding, by the condition", 1e-8)
        .check(|case| {
            let d = drawn(case)?;
            let fit = LogisticRegression::new().max_iterations(1).fit(&d.copies.0, &d.copies.1)?;
            let x = with_ones(&d.copies.0)?;
            let step = newton_step(&x, &Tensor::zeros([x.dims()[1]])?, &d.copies.1)?;
            let whole = fit.convergence().iterations[0].step == 1.0;
            Ok(if whole { distance(&d.x, &parameters(&fit)?, &step)? } else { 0.0 })
        }),
    ]
}

fn fits() -> Vec<Property> {
    vec![
        overlapping(
            "logreg-irls.weights",
            &["logreg-irls"],
            "a weight of k is the sample k times, in fit and statistics",
        )
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let one = weighted(&d).fit(&d.x, &d.y)?;
            let other = LogisticRegression::new().fit(&d.copies.0, &d.copies.1)?;
            let errors = |fit: &Fit| -> Result<Tensor<f64>, Failure> {
                Ok(fit.statistics()?.standard_errors.into_iter().collect())
            };
            let off = distance(&d.x, &parameters(&one)?, &parameters(&other)?)?;
            let likelihood = relative(one.log_likelihood()?, other.log_likelihood()?);
            Ok(off.max_or_nan(distance(&d.x, &errors(&one)?, &errors(&other)?)?).max_or_nan(likelihood))
        }),
        overlapping(
            "logreg-irls.absent",
            &["logreg-irls"],
            "a weight of 0 is the sample’s absence, whatever stands in it",
        )
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let wild = d.x.slice(0, 0..1)?.map(|v| 1e3 * v + 1e3);
            let x = Tensor::concatenate(&[&d.x, &wild], 0)?;
            let y = Tensor::concatenate(&[&d.y, &Tensor::from([1])], 0)?;
            let weights = [&d.weights[..], &[0.0]].concat();
            let with = LogisticRegression::new().sample_weights(&weights).fit(&x, &y)?;
            Ok(distance(&d.x, &parameters(&with)?, &parameters(&weighted(&d).fit(&d.x, &d.y)?)?)?)
        }),
        overlapping(
            "logreg-irls.penalised",
            &["logreg-irls", "logreg-gradient"],
            "n·∇L + λθ is 0 at the fit, for the intercept without the λ",
        )
        .draw(Draw::log("l2", 1e-3..=1e3).limited(1e-9..=1e9))
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let l2 = case.real("l2");
            let fit = parameters(&weighted(&d).l2(l2).fit(&d.x, &d.y)?)?;
            let (x, y) = (with_ones(&d.copies.0)?, d.copies.1);
            let n = y.len() as f64;
            let mut slope = gradient(&x, &fit, &y)?.scale(n);
            slope.as_mut_slice()[1..].iter_mut().zip(&fit.as_slice()[1..]).for_each(|(g, t)| *g += l2 * t);
            let sizes = x.abs().max_axis(0)?.map(|s| n * s).add(&fit.abs().scale(l2))?;
            Ok(slope.div(&sizes)?.abs().max()?)
        }),
        overlapping("logreg-irls.exchange", &["logreg-irls"], "with the labels exchanged the fit is negated")
            .within("the fit’s tolerance", FIT)
            .check(|case| {
                let d = drawn(case)?;
                let one = parameters(&weighted(&d).fit(&d.x, &d.y)?)?;
                let other = parameters(&weighted(&d).fit(&d.x, &d.y.map(|y| 1 - y))?)?;
                Ok(distance(&d.x, &other.neg(), &one)?)
            }),
        overlapping(
            "logreg-irls.origin",
            &["logreg-irls"],
            "columns moved by a constant move the intercept alone",
        )
        .draw(Draw::real("shift", -1e3..=1e3).limited(-1e5..=1e5))
        .within("the shift’s digits", 1e-6)
        .check(|case| {
            let d = drawn(case)?;
            let shift = case.real("shift");
            let sizes = d.x.abs().max_axis(0)?;
            let moved = weighted(&d).fit(&d.x.add(&sizes.scale(shift))?, &d.y)?;
            let fit = weighted(&d).fit(&d.x, &d.y)?;
            let share = fit.coefficients().mul(&sizes)?;
            let off = apart(&moved.coefficients().mul(&sizes)?, &share)?;
            let constant = moved.intercept() + shift * moved.coefficients().mul(&sizes)?.sum();
            Ok(off.max_or_nan(relative(constant, fit.intercept())))
        }),
        overlapping(
            "logreg-irls.falls",
            &["logreg-irls"],
            "the objective falls from step to step to its least, and ends as the log-likelihood says",
        )
        .within("rounding", 1e-12)
        .check(|case| {
            let d = drawn(case)?;
            let fit = weighted(&d).fit(&d.x, &d.y)?;
            let objectives: Vec<f64> = fit.convergence().iterations.iter().map(|i| i.objective).collect();
            let rises = objectives.windows(2).map(|w| (w[1] - w[0]) / (1.0 + w[0].abs()));
            let highest = rises.fold(0.0, f64::max_or_nan);
            let last = objectives.last().copied().unwrap_or(f64::NAN);
            case.classify(
                fit.convergence().iterations.iter().any(|i| i.step < 1.0 && i.step > 0.0),
                "a step halved",
            );
            Ok(highest.max_or_nan(relative(-last, fit.log_likelihood()?)))
        }),
        quasi_newton(),
    ]
}

#[cfg(feature = "lbfgs")]
fn quasi_newton() -> Property {
    overlapping("logreg-irls.lbfgs", &["logreg-irls"], "L-BFGS comes to the same fit")
        .draw(Draw::log("l2", 1e-3..=1e3).limited(1e-9..=1e9))
        .within("both tolerances", 1e-5)
        .check(|case| {
            let d = drawn(case)?;
            let model = weighted(&d).l2(case.real("l2"));
            let newton = parameters(&model.clone().fit(&d.x, &d.y)?)?;
            let other = model.method(crate::Method::Lbfgs).max_iterations(1000).fit(&d.x, &d.y)?;
            Ok(if other.convergence().converged() {
                distance(&d.x, &parameters(&other)?, &newton)?
            } else {
                f64::INFINITY
            })
        })
}

#[cfg(not(feature = "lbfgs"))]
fn quasi_newton() -> Property {
    overlapping("logreg-irls.converges", &["logreg-irls"], "the fit converges").holds(|case| {
        let d = drawn(case)?;
        Ok(weighted(&d).fit(&d.x, &d.y)?.convergence().converged())
    })
}

/// Samples on either side of a drawn hyperplane, some of both labels on it.
fn apart_by(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<u32>, Tensor<f64>, usize), Failure> {
    let (d, touching) = (case.size("d"), case.size("touching"));
    let n = 2 * d + 4;
    let mut rng = rng(case.seed("values"));
    let direction: Tensor<f64> = Tensor::random([d], &StandardNormal, &mut rng)?;
    let unit = direction.scale(1.0 / direction.dot(&direction)?.sqrt());
    let x = Tensor::random([n, d], &StandardNormal, &mut rng)?;
    let side = x.matmul(&unit.insert_axis(1)?)?;
    let (mut rows, mut labels) = (vec![], vec![]);
    for (i, row) in x.rows()?.enumerate() {
        let (label, side) = (u32::from(i % 2 == 0), side.as_slice()[i]);
        // On its side by at least ½.
        let to = if label == 1 { 0.5 + side.abs() } else { -0.5 - side.abs() };
        rows.push(row.add(&unit.scale(to - side))?);
        labels.push(label);
    }
    for i in 0..touching {
        let row = x.select(0, i)?;
        let flat = row.sub(&unit.scale(row.dot(&unit)?))?;
        for label in [0, 1] {
            rows.push(flat.clone());
            labels.push(label);
        }
    }
    case.classify(touching > 0, "some on the boundary");
    Ok((
        Tensor::stack(&rows.iter().collect::<Vec<_>>(), 0)?,
        labels.into_iter().collect(),
        unit,
        2 * touching,
    ))
}

fn separable(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["logreg-separation"], statement)
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::integer("touching", 0..=3).limited(0.0..=5.0))
        .draw(Draw::seed("values"))
}

fn separations() -> Vec<Property> {
    vec![
        separable(
            "logreg-separation.ray",
            "along a separating direction the log-likelihood grows from anywhere",
        )
        .draw(Draw::log("t", 1e-3..=1e2).limited(1e-6..=1e6))
        .holds(|case| {
            let (x, y, unit, _) = apart_by(case)?;
            let start = Tensor::random(unit.shape(), &StandardNormal, &mut rng(case.seed("values") ^ 3))?;
            let of = |t: f64| log_likelihood_of(&x, &start.add(&unit.scale(t))?, &y);
            let t = case.real("t").min(20.0);
            Ok(of(2.0 * t)? > of(t)? && of(t)? > of(0.0)?)
        }),
        separable(
            "logreg-separation.found",
            "the fit ends with a direction that separates, and says how many samples are on the boundary",
        )
        .holds(|case| {
            let (x, y, _, touching) = apart_by(case)?;
            let Err(Error::Separated(found)) = LogisticRegression::new().fit(&x, &y) else {
                return Ok(false);
            };
            let d: Tensor<f64> = found.direction.iter().copied().collect();
            let length = d.dot(&d)?.sqrt();
            let mut on_boundary = 0;
            for (row, &y) in x.rows()?.zip(y.as_slice()) {
                let side = (row.dot(&d)? + found.intercept[0]) * if y == 1 { 1.0 } else { -1.0 };
                if side < -1e-8 * (1.0 + length) {
                    return Ok(false);
                }
                on_boundary += usize::from(side < 1e-8 * (1.0 + length));
            }
            // A direction with fewer on the boundary is as good.
            Ok(on_boundary <= touching
                && found.touching == on_boundary
                && found.complete == (on_boundary == 0))
        }),
        overlapping(
            "logreg-separation.none",
            &["logreg-separation"],
            "samples that overlap are never said to be separated",
        )
        .holds(|case| {
            let d = drawn(case)?;
            Ok(weighted(&d).fit(&d.x, &d.y)?.convergence().converged())
        }),
        separable(
            "logreg-separation.penalised",
            "with a penalty there is a fit, on the right side of every sample that has one",
        )
        .draw(Draw::log("l2", 1e-4..=1e-2).limited(1e-6..=1.0))
        .holds(|case| {
            let (x, y, ..) = apart_by(case)?;
            let fit = LogisticRegression::new().l2(case.real("l2")).fit(&x, &y)?;
            let side = fit.decision_function(&x)?;
            let right = side.as_slice().iter().zip(y.as_slice()).all(|(s, &y)| (*s >= 0.0) == (y == 1));
            Ok(fit.convergence().converged() && (right || case.size("touching") > 0))
        }),
    ]
}

fn statistics() -> Vec<Property> {
    let table = |id, statement| {
        let cell = |name| Draw::integer(name, 1..=40).limited(1.0..=1000.0);
        Property::new(id, &["wald-interval"], statement)
            .draw(cell("a"))
            .draw(cell("b"))
            .draw(cell("c"))
            .draw(cell("d"))
    };
    vec![
        table(
            "wald-interval.table",
            "of a two-by-two table the error of the log odds ratio is √(1/a + 1/b + 1/c + 1/d)",
        )
        .within("the fit’s tolerance", 1e-7)
        .check(|case| {
            let cells = ["a", "b", "c", "d"].map(|name| case.real(name));
            let x = Tensor::from([[0.0], [0.0], [1.0], [1.0]]);
            let model = LogisticRegression::new().sample_weights(&cells);
            let s = model.fit(&x, &Tensor::from([0, 1, 0, 1]))?.statistics()?;
            let [a, b, c, d] = cells;
            let error = (1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d).sqrt();
            let ratio = a * d / (b * c);
            let odds = s.odds_ratios(0.95)?[1];
            let off = relative(s.standard_errors[1], error).max_or_nan(relative(s.parameters[1], ratio.ln()));
            let ends = (odds.to / odds.from).ln() - 2.0 * 1.959963984540054 * error;
            Ok(off.max_or_nan(relative(odds.ratio / ratio, 1.0)).max_or_nan(ends.abs() / error))
        }),
        table(
            "wald-interval.likelihoods",
            "of a two-by-two table both log-likelihoods are those of the counts’ shares, and what compares them is as defined",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .within("the fit’s tolerance, squared: the likelihood is flat there", 1e-12)
        .check(|case| {
            let [a, b, c, d] = ["a", "b", "c", "d"].map(|name| case.real(name));
            let intercept = case.choice("intercept") == "with";
            let x = Tensor::from([[0.0], [0.0], [1.0], [1.0]]);
            let model = LogisticRegression::new().intercept(intercept).sample_weights(&[a, b, c, d]);
            let s = model.fit(&x, &Tensor::from([0, 1, 0, 1]))?.statistics()?;
            let (n, half) = (a + b + c + d, 0.5f64.ln());
            // With as many coefficients as rows every share is met; without an intercept, rows of 0 have ½.
            let shares = |no: f64, yes: f64| no * (no / (no + yes)).ln() + yes * (yes / (no + yes)).ln();
            let (parameters, fitted, null) = if intercept {
                (2.0, shares(a, b) + shares(c, d), shares(a + c, b + d))
            } else {
                (1.0, (a + b) * half + shares(c, d), n * half)
            };
            // Of one degree of freedom: a squared normal number.
            let tail = erfc((0.5 * s.likelihood_ratio.max(0.0)).sqrt());
            let pairs = [
                (s.log_likelihood, fitted),
                (s.null_log_likelihood, null),
                (s.likelihood_ratio, 2.0 * fitted - 2.0 * null),
                (s.likelihood_ratio_p, tail),
                (s.pseudo_r_squared, 1.0 - fitted / null),
                (s.aic, 2.0 * parameters - 2.0 * fitted),
                (s.bic, parameters * n.ln() - 2.0 * fitted),
            ];
            Ok(pairs.iter().map(|(got, want)| relative(*got, *want)).fold(0.0, f64::max_or_nan))
        }),
        overlapping(
            "wald-interval.inverse",
            &["wald-interval", "logreg-hessian"],
            "the covariance is the inverse of n times the Hessian",
        )
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let Drawn { copies: (x, y), .. } = drawn(case)?;
            let fit = LogisticRegression::new().fit(&x, &y)?;
            let ones = with_ones(&x)?;
            let h = hessian(&ones, &parameters(&fit)?)?.scale(y.len() as f64);
            // In units in which both are of about 1.
            let sizes = ones.abs().max_axis(0)?;
            let (rows, columns) = (sizes.insert_axis(1)?, sizes.clone());
            let h = h.div(&rows)?.div(&columns)?;
            let covariance = fit.statistics()?.covariance.mul(&rows)?.mul(&columns)?;
            let unit = h.matmul(&covariance)?;
            Ok(unit.max_difference(&Tensor::eye(unit.dims()[0])?)? / (1.0 + covariance.abs().max()?))
        }),
        overlapping(
            "wald-interval.copies",
            &["wald-interval"],
            "of k times the data the errors are 1/√k as large",
        )
        .draw(Draw::integer("k", 1..=9).limited(1.0..=100.0))
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let k = case.real("k");
            let many: Vec<f64> = d.weights.iter().map(|w| k * w).collect();
            let one = weighted(&d).fit(&d.x, &d.y)?.statistics()?;
            let more = LogisticRegression::new().sample_weights(&many).fit(&d.x, &d.y)?.statistics()?;
            let off = one
                .standard_errors
                .iter()
                .zip(&more.standard_errors)
                .map(|(a, b)| relative(b * k.sqrt() / a, 1.0));
            let statistic = relative(more.likelihood_ratio, k * one.likelihood_ratio);
            Ok(off.fold(statistic, f64::max_or_nan))
        }),
        overlapping(
            "wald-interval.units",
            &["wald-interval"],
            "in another unit coefficient and error change alike: z and p stay",
        )
        .draw(Draw::integer("power", -20..=20).limited(-300.0..=300.0))
        .within("the fit’s tolerance", FIT)
        .check(|case| {
            let d = drawn(case)?;
            let unit = 2f64.powi(case.integer("power") as i32);
            let one = weighted(&d).fit(&d.x, &d.y)?.statistics()?;
            let other = weighted(&d).fit(&d.x.scale(unit), &d.y)?.statistics()?;
            let off = one.z_values.iter().zip(&other.z_values).map(|(a, b)| relative(*a, *b));
            let p = one.p_values.iter().zip(&other.p_values).map(|(a, b)| (a - b).abs());
            Ok(off.chain(p).fold(0.0, f64::max_or_nan))
        }),
    ]
}
