//! The properties of least squares: the cost, its minimum, and the geometry of a projection.

use crate::{
    Accumulator, Error, Fit, GradientDescent, LinearRegression, Method, cost, fit_polynomial, gradient,
    inverse_formula, learning_rate_bound, matrix_cost, min_norm, predict, ridge_path,
};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    let mut all = costs();
    all.extend(descents());
    all.extend(predictions());
    all.extend(normal_equations());
    all.extend(smallest_norm());
    all.extend(ridges());
    all
}

const ROUNDING: f64 = 256.0 * f64::EPSILON;

fn relative(x: f64, y: f64) -> f64 {
    if x == y { 0.0 } else { (x - y).abs() / (1.0 + y.abs()) }
}

fn apart(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    Ok(x.max_difference(y)? / (1.0 + y.abs().max()?))
}

/// Data, coefficients and targets by hand.
fn small(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=7))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::array("x", -5.0..=5.0, &["n", "d"]))
        .draw(Draw::array("theta", -5.0..=5.0, &["d"]))
        .draw(Draw::array("y", -5.0..=5.0, &["n"]))
}

fn parts(case: &Case<'_>) -> Result<[Tensor<f64>; 3]> {
    Ok([tensor_of(case.array("x"))?, tensor_of(case.array("theta"))?, tensor_of(case.array("y"))?])
}

/// A matrix QΣVᵀ of drawn size, rank and condition number, and a target.
fn conditioned(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("d", 1..=5))
        .draw(Draw::integer("more", 0..=8).limited(0.0..=64.0))
        .draw(Draw::log("condition", 1.0..=1e5).limited(1.0..=1e6))
        .draw(Draw::seed("values"))
}

fn structured(case: &mut Case<'_>, rank: usize) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let (d, kappa) = (case.size("d"), case.real("condition"));
    let n = d + case.size("more");
    let mut rng = rng(case.seed("values"));
    let mut orthonormal =
        |rows: usize, cols: usize| Tensor::random([rows, cols], &StandardNormal, &mut rng)?.qr();
    let (u, v) = (orthonormal(n, d)?.0, orthonormal(d, d)?.0);
    let last = rank.max(2) as f64 - 1.0;
    let s: Tensor<f64> =
        (0..d).map(|i| if i < rank { kappa.powf(-(i as f64) / last) } else { 0.0 }).collect();
    let x = u.mul(&s)?.product(Transpose::No, &v, Transpose::Yes)?;
    let y = Tensor::random([n], &StandardNormal, &mut rng)?;
    case.classify(kappa > 1e3, "condition above 1000");
    case.classify(n == d, "square");
    Ok((x, y))
}

fn full(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let d = case.size("d");
    structured(case, d)
}

fn fit(x: &Tensor<f64>, y: &Tensor<f64>, method: Method) -> Result<Fit, Failure> {
    Ok(LinearRegression::new().intercept(false).method(method).fit(x, y)?)
}

/// A model with the drawn choice of an intercept and of weights.
fn model(case: &mut Case<'_>, n: usize) -> LinearRegression {
    let model = LinearRegression::new().intercept(case.choice("intercept") == "with");
    match case.choice("weights") {
        "some" => model.weights(&(0..n).map(|i| 1.0 + (i % 3) as f64).collect::<Vec<_>>()),
        _ => model,
    }
}

fn theta(fit: &Fit) -> Result<Tensor<f64>> {
    fit.parameters().select(1, 0)
}

fn costs() -> Vec<Property> {
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

fn descents() -> Vec<Property> {
    let descent = |id, statement| {
        Property::new(id, &["lls-gradient", "lls-cost"], statement)
            .draw(Draw::size("d", 1..=4))
            .draw(Draw::integer("more", 0..=8).limited(0.0..=64.0))
            .draw(Draw::log("condition", 1.0..=10.0).limited(1.0..=30.0))
            .draw(Draw::seed("values"))
            .draw(Draw::real("share", 0.1..=0.95).limited(0.02..=0.99))
    };
    type Drawn = (Tensor<f64>, Tensor<f64>, f64, Tensor<f64>);
    let drawn = |case: &mut Case<'_>| -> Result<Drawn, Failure> {
        let (x, y) = full(case)?;
        let bound = learning_rate_bound(&x)?;
        let start = Tensor::random([x.dims()[1]], &StandardNormal, &mut rng(case.seed("values") ^ 1))?;
        Ok((x, y, bound, start))
    };
    vec![
        descent("lls-gradient.descent-converges", "below the bound, descent comes to what QR computes")
            .within("the tolerance of the gradient, by the condition number squared", 1e-7)
            .check(move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let model = GradientDescent::new().learning_rate(case.real("share") * bound);
                let end = model.steps(200_000).tolerance(1e-11).start(&start).run(&x, &y)?;
                case.classify(end.steps > 1000, "more than 1000 steps");
                let off = apart(&end.theta, &theta(&fit(&x, &y, Method::Qr)?)?)?;
                Ok(if end.converged { off } else { f64::INFINITY })
            }),
        descent("lls-gradient.descent-falls", "below the bound the cost never rises, and each is the cost of its step")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let (mut costs, mut off) = (Vec::new(), 0.0);
                let model = GradientDescent::new().learning_rate(case.real("share") * bound).steps(50);
                let end = model.start(&start).run_with(&x, &y, |step| {
                    let again = cost(&x, step.theta, &y).unwrap_or(f64::NAN);
                    off = f64::max_or_nan(off, (again - step.cost).abs());
                    costs.push(step.cost);
                })?;
                let rises = costs.windows(2).map(|w| (w[1] - w[0]) / (1.0 + w[0]));
                let highest = rises.fold(0.0, f64::max_or_nan);
                Ok(if costs == end.cost_history { off.max_or_nan(highest) } else { f64::INFINITY })
            }),
        descent("lls-gradient.descent-step", "one step is θ − η∇J(θ), to the bit; the default rate is half the bound").check(
            move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let rate = case.real("share") * bound;
                let step = |model: GradientDescent| model.steps(1).tolerance(0.0).start(&start).run(&x, &y);
                let by_hand = |rate: f64| -> Result<Tensor<f64>, Failure> {
                    let mut theta = start.clone();
                    theta.add_scaled(-rate, &gradient(&x, &start, &y)?)?;
                    Ok(theta)
                };
                let own = step(GradientDescent::new().learning_rate(rate))?.theta.max_difference(&by_hand(rate)?)?;
                let half = step(GradientDescent::new())?.theta.max_difference(&by_hand(0.5 * bound)?)?;
                Ok(own.max_or_nan(half))
            },
        ),
        descent(
            "lls-gradient.descent-factor",
            "along an eigenvector of the Hessian the error is multiplied by 1 − ηλ a step, on either side of the bound",
        )
        .draw(Draw::choice("side", &["below", "above"]))
        .within("rounding of four steps", 1e-12)
        .check(|case| {
            // y = 0: the error is θ itself. The largest singular value is 1: λ = 2/n, the bound is n.
            let x = full(case)?.0;
            let (n, v) = (x.dims()[0] as f64, x.svd()?.vt.select(0, 0)?);
            let share = case.real("share") + if case.choice("side") == "above" { 1.0 } else { 0.0 };
            let rate = share * n;
            let model = GradientDescent::new().learning_rate(rate).steps(4).tolerance(0.0).start(&v);
            let mut off: f64 = 0.0;
            let mut factor = 1.0;
            model.run_with(&x, &Tensor::zeros([x.dims()[0]])?, |step| {
                let error = step.theta.sub(&v.scale(factor)).and_then(|t| t.abs().max());
                off = off.max_or_nan(error.unwrap_or(f64::NAN) / f64::max(1.0, factor.abs()));
                factor *= 1.0 - rate * 2.0 / n;
            })?;
            Ok(off.max_or_nan(relative(learning_rate_bound(&x)?, n)))
        }),
        descent("lls-gradient.descent-diverges", "above the bound it is refused, with the rate and the bound named").holds(
            move |case| {
                let (x, y, bound, start) = drawn(case)?;
                let rate = (1.0 + case.real("share")) * bound;
                let run = GradientDescent::new().learning_rate(rate).tolerance(0.0).start(&start).run(&x, &y);
                Ok(matches!(run, Err(Error::Diverged { rate: r, bound: b, .. }) if r == rate && b == bound))
            },
        ),
    ]
}

fn predictions() -> Vec<Property> {
    vec![
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

fn normal_equations() -> Vec<Property> {
    vec![
        conditioned(
            "lls-normal-equation.orthogonal",
            &["lls-normal-equation"],
            "the residual is orthogonal to every column",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, y) = full(case)?;
            let fit = fit(&x, &y, Method::Qr)?;
            let across = x.product(Transpose::Yes, fit.residuals(), Transpose::No)?.abs().max()?;
            Ok(across / (1.0 + y.dot(&y)?.sqrt()))
        }),
        conditioned(
            "lls-normal-equation.methods",
            &["lls-normal-equation"],
            "QR, SVD, Cholesky and double-double agree, to the condition number squared",
        )
        .within("16 u κ²", 16.0)
        .check(|case| {
            let ((x, y), kappa) = (full(case)?, case.real("condition"));
            let exact = theta(&fit(&x, &y, Method::Precise)?)?;
            let mut off: f64 = 0.0;
            for method in [Method::Qr, Method::Svd, Method::NormalEquations] {
                off = off.max_or_nan(apart(&theta(&fit(&x, &y, method)?)?, &exact)?);
            }
            Ok(off / (f64::EPSILON * kappa * kappa * (1.0 + y.dot(&y)?.sqrt())))
        }),
        conditioned(
            "lls-normal-equation.refined",
            &["lls-normal-equation"],
            "QR with refinement is the double-double solution, rounded",
        )
        .within("8 ulp of the largest coefficient", 8.0 * f64::EPSILON)
        .check(|case| {
            let (x, y) = full(case)?;
            apart(&theta(&fit(&x, &y, Method::Qr)?)?, &theta(&fit(&x, &y, Method::Precise)?)?)
                .map_err(Failure::from)
        }),
        conditioned(
            "lls-normal-equation.by-products",
            &["lls-normal-equation"],
            "QR by Cholesky's factor loses nothing against reflections, or refuses, and does so above its limit only",
        )
        .draw(Draw::choice("intercept", &["with", "without"]))
        .draw(Draw::choice("weights", &["none", "some"]))
        .within("16 u, and 16 u κ for what is made of R", 16.0)
        .check(|case| {
            let (x, y) = full(case)?;
            let model = model(case, y.len());
            if y.len() < case.size("d") + 2 {
                return Ok(0.0);
            }
            let reflected = model.clone().method(Method::Qr).fit(&x, &y)?;
            let made = match model.method(Method::CholeskyQr).fit(&x, &y) {
                Ok(fit) => fit,
                Err(Error::IllConditioned { condition, limit, .. }) if condition > 0.999 * limit => {
                    case.label("refused");
                    return Ok(0.0);
                }
                Err(other) => return Err(other.into()),
            };
            let (a, b) = (made.statistics(0)?, reflected.statistics(0)?);
            let mut off = apart(made.parameters(), reflected.parameters())?;
            let with_r = f64::EPSILON * reflected.condition();
            for (a, b) in a.standard_errors.iter().zip(&b.standard_errors) {
                off = off.max_or_nan((a / b - 1.0).abs() * f64::EPSILON / with_r);
            }
            for (a, b) in a.leverage().iter().zip(b.leverage()) {
                off = off.max_or_nan((a - b).abs() * f64::EPSILON / with_r);
            }
            Ok(off / f64::EPSILON)
        }),
        Property::new(
            "lls-normal-equation.choice",
            &["lls-normal-equation"],
            "the automatic method is what its rule says: products for tall and safe, reflections, SVD for dependent columns",
        )
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::integer("more", 0..=30).limited(0.0..=64.0))
        .draw(Draw::log("condition", 1.0..=1e9).limited(1.0..=1e10))
        .draw(Draw::seed("values"))
        .draw(Draw::choice("columns", &["independent", "dependent"]))
        .holds(|case| {
            let (mut x, y) = full(case)?;
            if case.choice("columns") == "dependent" {
                x = Tensor::concatenate(&[&x, &x.slice(1, 0..1)?.scale(-3.0)], 1)?;
            }
            let fit = LinearRegression::new().intercept(false).fit(&x, &y)?;
            let (tall, kappa) = (y.len() >= 4 * x.dims()[1], fit.condition());
            case.label(fit.method().to_string());
            // Near the limit either is right: the number itself is rounded.
            let near = (0.999..=1.001).contains(&(kappa / 1e5));
            Ok(match fit.method() {
                Method::Svd => case.choice("columns") == "dependent" && kappa == f64::INFINITY,
                Method::CholeskyQr => tall && kappa <= 1e5,
                Method::Qr => near || !tall || kappa > 1e5,
                _ => false,
            })
        }),
        conditioned(
            "lls-normal-equation.equivariant",
            &["lls-normal-equation"],
            "columns scaled by 2ᵏ have coefficients divided by it, to the bit",
        )
        .draw(Draw::integer("k", -30..=30).limited(-200.0..=200.0))
        .check(|case| {
            // A power of two rounds nothing.
            let ((x, y), c) = (full(case)?, (case.integer("k") as f64).exp2());
            let scaled = theta(&fit(&x.scale(c), &y, Method::Qr)?)?.scale(c);
            Ok(scaled.max_difference(&theta(&fit(&x, &y, Method::Qr)?)?)?)
        }),
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
        Property::refutation(
            "lls-normal-equation.printed",
            &["lls-normal-equation"],
            "(XᵀX)⁻¹Xᵀy solves every least-squares problem",
        )
        .draw(Draw::size("n", 2..=5))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "1"]))
        .draw(Draw::array("y", -3.0..=3.0, &["n"]))
        .within("rounding", 1e-6)
        .check(|case| {
            let (x, y): (Tensor<f64>, Tensor<f64>) =
                (tensor_of(case.array("x"))?, tensor_of(case.array("y"))?);
            // The same column twice: nothing wrong with that, the fit is as good as with one.
            let x = Tensor::concatenate(&[&x, &x], 1)?;
            let best = cost(&x, &min_norm(&x, &y)?, &y)?;
            let printed = match inverse_formula(&x, &y) {
                Ok(theta) => cost(&x, &theta, &y)?,
                Err(_) => f64::INFINITY,
            };
            Ok(printed - best)
        }),
        Property::new(
            "lls-normal-equation.polynomial",
            &["lls-normal-equation"],
            "the polynomial that made the data comes back, to the last digits",
        )
        .draw(Draw::size("degree", 1..=8))
        .draw(Draw::integer("c", -9..=9))
        .draw(Draw::integer("more", 1..=6).limited(1.0..=64.0))
        .within("4 ulp of the largest coefficient", 4.0 * f64::EPSILON)
        .check(|case| {
            let (degree, c) = (case.size("degree"), case.integer("c") as f64);
            // Whole numbers: the values are exact.
            let x: Vec<f64> = (0..degree + case.size("more")).map(|i| i as f64 - 3.0).collect();
            let y: Vec<f64> =
                x.iter().map(|x| (0..=degree).rev().fold(0.0, |s, j| s * x + c + j as f64)).collect();
            let fit = fit_polynomial(&x, &y, degree)?;
            let expected: Tensor<f64> = (0..=degree).map(|j| c + j as f64).collect();
            apart(&theta(&fit)?, &expected).map_err(Failure::from)
        }),
    ]
}

fn smallest_norm() -> Vec<Property> {
    let deficient = |id, statement| {
        conditioned(id, &["lls-min-norm"], statement).draw(Draw::integer("lost", 0..=4).limited(0.0..=8.0))
    };
    let data = |case: &mut Case<'_>| -> Result<(Tensor<f64>, Tensor<f64>, usize)> {
        let rank = case.size("d").saturating_sub(case.size("lost")).max(1);
        case.classify(rank < case.size("d"), "rank deficient");
        let (x, y) = structured(case, rank)?;
        Ok((x, y, rank))
    };
    vec![
        deficient(
            "lls-min-norm.rank",
            "the rank that was built in is found, and the residual is orthogonal to every column",
        )
        .within("rounding, by the condition number", 1e-8)
        .check(move |case| {
            let (x, y, rank) = data(case)?;
            let fit = fit(&x, &y, Method::Svd)?;
            if fit.rank() != rank {
                return Ok(f64::INFINITY);
            }
            Ok(x.product(Transpose::Yes, fit.residuals(), Transpose::No)?.abs().max()?)
        }),
        deficient(
            "lls-min-norm.smallest",
            "no other solution is shorter: a step in the null space only adds length",
        )
        .draw(Draw::seed("step"))
        .within("rounding, by the condition number", 1e-7)
        .check(move |case| {
            let (x, y, rank) = data(case)?;
            let best = min_norm(&x, &y)?;
            let vt = x.svd()?.vt;
            let null = vt.slice(0, rank..x.dims()[1])?;
            let step = Tensor::random([1, x.dims()[1] - rank], &StandardNormal, &mut rng(case.seed("step")))?;
            let other = best.add(&step.matmul(&null)?.remove_axis(0)?)?;
            let across =
                null.matmul(&best.insert_axis(1)?)?.abs().as_slice().iter().fold(0.0, |m: f64, &v| m.max(v));
            let longer = other.dot(&other)? - best.dot(&best)?;
            Ok((-longer).max(0.0).max_or_nan(across) / (1.0 + best.dot(&best)?))
        }),
        deficient("lls-min-norm.ridge-limit", "ridge goes to it as λ goes to 0")
            .within("λ/s², s the smallest singular value", 1e-3)
            .check(move |case| {
                let (x, y, _) = data(case)?;
                let smallest = 1.0 / case.real("condition").powi(2);
                let near = ridge_path(&x, &y, &[1e-4 * smallest])?.select(0, 0)?;
                let best = min_norm(&x, &y)?;
                Ok(near.sub(&best)?.abs().max()? / (1e-9 + best.abs().max()?))
            }),
    ]
}

fn ridges() -> Vec<Property> {
    let ridge = |id, statement| {
        conditioned(id, &["ridge"], statement).draw(Draw::log("lambda", 1e-4..=1e3).limited(1e-8..=1e8))
    };
    vec![
        ridge("ridge.normal-equations", "(XᵀX + λI)θ = Xᵀy").within("rounding", ROUNDING).check(|case| {
            let ((x, y), lambda) = (full(case)?, case.real("lambda"));
            let t = ridge_path(&x, &y, &[lambda])?.transpose()?;
            let left = x.product(Transpose::Yes, &x.matmul(&t)?, Transpose::No)?.add(&t.scale(lambda))?;
            let right = x.product(Transpose::Yes, &y.insert_axis(1)?, Transpose::No)?;
            apart(&left, &right).map_err(Failure::from)
        }),
        ridge("ridge.shrinks", "a larger λ has a shorter θ and a larger residual")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((x, y), lambda) = (full(case)?, case.real("lambda"));
                let path = ridge_path(&x, &y, &[lambda, 2.0 * lambda])?;
                let (near, far) = (path.select(0, 0)?, path.select(0, 1)?);
                let longer = far.dot(&far)? - near.dot(&near)?;
                let better = cost(&x, &near, &y)? - cost(&x, &far, &y)?;
                Ok(longer.max(better).max(0.0))
            }),
        ridge("ridge.rows", "it is least squares with √λ·I below X and 0 below y, by every method")
            .within("rounding, by the condition number", 1e-9)
            .check(|case| {
                let ((x, y), lambda) = (full(case)?, case.real("lambda"));
                let path = ridge_path(&x, &y, &[lambda])?.select(0, 0)?;
                let mut off: f64 = 0.0;
                for method in [Method::Qr, Method::Svd, Method::Precise] {
                    let fit =
                        LinearRegression::new().intercept(false).ridge(lambda).method(method).fit(&x, &y)?;
                    off = off.max_or_nan(apart(&theta(&fit)?, &path)?);
                }
                Ok(off)
            }),
        ridge("ridge.intercept", "the intercept is not penalised: a constant added to y moves nothing else")
            .draw(Draw::real("level", -1e3..=1e3))
            .within("rounding, by the condition number", 1e-8)
            .check(|case| {
                let ((x, y), level) = (full(case)?, case.real("level"));
                let fit = |y: &Tensor<f64>| LinearRegression::new().ridge(case.real("lambda")).fit(&x, y);
                let (here, there) = (fit(&y)?, fit(&y.map(|v| v + level))?);
                let size = 1.0 + level.abs();
                let moved = (there.intercept().item()? - here.intercept().item()? - level).abs() / size;
                Ok(moved.max_or_nan(apart(&there.coefficients(), &here.coefficients())? / size))
            }),
    ]
}
