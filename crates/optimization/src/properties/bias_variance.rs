//! Bias, variance and noise: by counting, and in closed form.

use super::{ROUNDING, apart, relative};
use crate::{BiasVariance, RidgeCurves, ZeroOne, bootstrap, ridge_curves};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor, Transpose, rng, tensor_of};
use rand_distr::StandardNormal;

const BIAS: &[&str] = &["bias-definition"];
const ID: &[&str] = &["bias-variance-decomposition"];
const UNDER: &[&str] = &["bias-underfitting"];
const OVER: &[&str] = &["variance-overfitting"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = finite();
    all.extend(closed());
    all
}

fn sets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("sets", 1..=6))
        .draw(Draw::size("points", 1..=4))
        .draw(Draw::size("repeats", 1..=4))
        .draw(Draw::array("predictions", -5.0..=5.0, &["sets", "points"]))
        .draw(Draw::array("targets", -5.0..=5.0, &["repeats", "points"]))
}

fn given(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>), Failure> {
    Ok((tensor_of(case.array("predictions"))?, tensor_of(case.array("targets"))?))
}

fn finite() -> Vec<Property> {
    vec![
        sets("bias-definition.shift", BIAS, "a prediction that is c too high has c more bias, and the same variance")
            .draw(Draw::real("shift", -5.0..=5.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((predictions, targets), c) = (given(case)?, case.real("shift"));
                let before = BiasVariance::new(&predictions, &targets)?;
                let after = BiasVariance::new(&predictions.map(|p| p + c), &targets)?;
                let same = apart(&after.variance, &before.variance)?;
                Ok(same + apart(&after.bias, &before.bias.map(|b| b + c))?)
            }),
        sets(
            "bias-definition.definition",
            BIAS,
            "it is the mean prediction less the truth; predictions on either side of the truth have none",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (predictions, targets) = given(case)?;
            let truth = targets.mean_axis(0)?;
            let parts = BiasVariance::new(&predictions, &truth)?;
            let mut off = 0.0f64;
            for (p, (truth, bias)) in truth.as_slice().iter().zip(parts.bias.as_slice()).enumerate() {
                let all = predictions.select(1, p)?;
                off = off.max(relative(*bias, all.sum() / all.len() as f64 - truth));
            }
            let mirrored = predictions.map(|p| -p).add(&truth.scale(2.0))?;
            let both = Tensor::concatenate(&[&predictions, &mirrored], 0)?;
            Ok(off + BiasVariance::new(&both, &truth)?.bias.abs().max()?)
        }),
        sets(
            "bias-variance-decomposition.identity",
            ID,
            "over any finite sets of models and targets the mean squared error is bias² + variance + noise, exactly",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (predictions, targets) = given(case)?;
            let parts = BiasVariance::new(&predictions, &targets)?;
            let sum = parts.bias_squared().add(&parts.variance)?.add(&parts.noise)?;
            // The error once more, pair by pair.
            let mut off = apart(&parts.error, &sum)?;
            for p in 0..case.size("points") {
                let (f, y) = (predictions.select(1, p)?, targets.select(1, p)?);
                let pairs = f.as_slice().iter().flat_map(|f| y.as_slice().iter().map(move |y| (y - f).powi(2)));
                let mean = pairs.sum::<f64>() / (f.len() * y.len()) as f64;
                off = off.max(relative(parts.error.as_slice()[p], mean));
            }
            Ok(off)
        }),
        sets("bias-variance-decomposition.duplication", ID, "every model twice, every target three times: nothing changes")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (predictions, targets) = given(case)?;
                let once = BiasVariance::new(&predictions, &targets)?;
                let twice = Tensor::concatenate(&[&predictions, &predictions], 0)?;
                let thrice = Tensor::concatenate(&[&targets, &targets, &targets], 0)?;
                let again = BiasVariance::new(&twice, &thrice)?;
                let parts = [(&once.bias, &again.bias), (&once.variance, &again.variance)];
                let more = [(&once.noise, &again.noise), (&once.error, &again.error)];
                parts.iter().chain(&more).try_fold(0.0, |off, (a, b)| Ok(off + apart(b, a)?))
            }),
        sets("bias-variance-decomposition.averaging", ID, "the mean of all models has their bias and no variance: less error")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (predictions, targets) = given(case)?;
                let all = BiasVariance::new(&predictions, &targets)?;
                let one = BiasVariance::new(&all.mean.insert_axis(0)?, &targets)?;
                let saved = all.error.sub(&one.error)?;
                let off = saved.max_difference(&all.variance)? / (1.0 + all.error.max()?);
                Ok(apart(&one.bias, &all.bias)? + one.variance.sum() + off)
            }),
        sets("bias-variance-decomposition.corrected", ID, "models less their bias have none, and an error that is smaller by bias²")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (predictions, targets) = given(case)?;
                let all = BiasVariance::new(&predictions, &targets)?;
                // Bias² has no sign: only here does it matter which way the models are off.
                let corrected = BiasVariance::new(&predictions.sub(&all.bias)?, &targets)?;
                let saved = all.error.sub(&corrected.error)?;
                let off = saved.max_difference(&all.bias_squared())? / (1.0 + all.error.max()?);
                Ok(corrected.bias.abs().max()? + apart(&corrected.variance, &all.variance)? + off)
            }),
        Property::new(
            "bias-variance-decomposition.zero-one",
            ID,
            "counting mistakes of two classes the error is variance where the main prediction is right, 1 − variance where not",
        )
        .draw(Draw::size("sets", 1..=9))
        .draw(Draw::size("points", 1..=5))
        .draw(Draw::size("classes", 2..=4).limited(2.0..=10.0))
        .draw(Draw::array("votes", 0.0..=1.0, &["sets", "points"]))
        .draw(Draw::array("truth", 0.0..=1.0, &["points"]))
        .within("rounding", ROUNDING)
        .check(|case| {
            let classes = case.size("classes");
            let class = |x: f64| ((x * classes as f64) as u32).min(classes as u32 - 1);
            let votes = tensor_of::<f64>(case.array("votes"))?.map(class);
            let truth = tensor_of::<f64>(case.array("truth"))?.map(class);
            let parts = ZeroOne::new(&votes, &truth)?;
            let mut off = 0.0f64;
            for p in 0..truth.len() {
                let at = |part: &Tensor<f64>| part.as_slice()[p];
                let (bias, variance, error) = (at(&parts.bias), at(&parts.variance), at(&parts.error));
                let (all, main) = (votes.select(1, p)?, parts.main.as_slice()[p]);
                let share = |class: u32| {
                    all.as_slice().iter().filter(|v| **v == class).count() as f64 / all.len() as f64
                };
                // The main class has the most votes, and the error is what misses the truth.
                let winner = (0..classes as u32).all(|c| share(c) <= share(main));
                off = off.max((error - (1.0 - share(truth.as_slice()[p]))).abs());
                off = if winner { off } else { f64::INFINITY };
                let expected = if bias == 0.0 {
                    variance
                } else if classes == 2 {
                    1.0 - variance
                } else {
                    // Of several classes only the deviations that hit the true one help.
                    1.0 - share(truth.as_slice()[p])
                };
                case.classify(bias == 1.0 && variance > 0.0, "bias + variance is not the error");
                off = off.max((error - expected).abs());
                // The sum of squared error is too much here, or right by accident.
                if bias == 1.0 && variance > 0.0 && error >= bias + variance {
                    off = f64::INFINITY;
                }
            }
            Ok(off)
        }),
        Property::new("bias-variance-decomposition.bootstrap", ID, "a bootstrap set has as many samples, all of them from the data")
            .draw(Draw::size("n", 1..=30))
            .draw(Draw::size("sets", 0..=5))
            .draw(Draw::seed("seed"))
            .holds(|case| {
                let (n, sets) = (case.size("n"), case.size("sets"));
                let drawn = bootstrap(n, sets, &mut rng(case.seed("seed")))?;
                let again = bootstrap(n, sets, &mut rng(case.seed("seed")))?;
                Ok(drawn.dims() == [sets, n]
                    && drawn == again
                    && drawn.as_slice().iter().all(|i| (*i as usize) < n))
            }),
    ]
}

/// A design of drawn size and condition, a true function, and a noise.
fn design(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=12))
        .draw(Draw::size("d", 1..=6))
        .draw(Draw::log("condition", 1.0..=1e3).limited(1.0..=1e6))
        .draw(Draw::real("sigma", 0.0..=3.0))
        .draw(Draw::log("lambda", 1e-4..=1e3))
        .draw(Draw::seed("values"))
}

/// X, of rank min(n, d), and f.
fn problem(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>), Failure> {
    let (n, d, mut rng) = (case.size("n"), case.size("d"), rng(case.seed("values")));
    let rank = n.min(d);
    let mut normal = |shape: [usize; 2]| Tensor::<f64>::random(shape, &StandardNormal, &mut rng);
    let (u, v) = (normal([n, rank])?.qr()?.0, normal([d, rank])?.qr()?.0);
    let last = rank.max(2) as f64 - 1.0;
    let s: Tensor<f64> = (0..rank).map(|i| case.real("condition").powf(-(i as f64) / last)).collect();
    let x = u.mul(&s)?.product(Transpose::No, &v, Transpose::Yes)?;
    Ok((x, normal([n, 1])?.flatten().scale(2.0)))
}

fn curves(case: &Case<'_>, lambdas: &[f64]) -> Result<RidgeCurves, Failure> {
    let (x, truth) = problem(case)?;
    Ok(ridge_curves(&x, &truth, case.real("sigma"), lambdas)?)
}

/// Rounding of quotients of squared singular values.
const RIDGE: f64 = 1e-10;

fn closed() -> Vec<Property> {
    vec![
        design(
            "bias-variance-decomposition.ridge",
            ID,
            "the curves are those of H = X(XᵀX + λI)⁻¹Xᵀ: ‖(H − I)f‖²/n, σ²·tr(HHᵀ)/n, and the mean errors",
        )
        .within("rounding of a solution with a condition number of at most 10⁶", 1e-8)
        .check(|case| {
            let ((x, truth), lambda) = (problem(case)?, case.real("lambda"));
            let (n, d) = (case.size("n"), case.size("d"));
            let of = curves(case, &[lambda])?;
            // (XᵀX + λI) by Cholesky's method, and H column by column.
            let gram = x.product(Transpose::Yes, &x, Transpose::No)?.add(&Tensor::eye(d)?.scale(lambda))?;
            let l = gram.cholesky()?;
            let half = l.solve_lower(&x.transpose()?)?; // L⁻¹Xᵀ, so H = halfᵀ·half
            let h = half.product(Transpose::Yes, &half, Transpose::No)?;
            let (eye, noise) = (Tensor::eye(n)?, case.real("sigma").powi(2) / n as f64);
            let rest = eye.sub(&h)?;
            let bias = rest.matmul(&truth.insert_axis(1)?)?.powi(2).sum() / n as f64;
            let variance = noise * h.powi(2).sum();
            let trace: f64 = (0..n).map(|i| h.as_slice()[i * n + i]).sum();
            let expected = [
                (&of.bias_squared, bias),
                (&of.variance, variance),
                (&of.training_error, bias + noise * rest.powi(2).sum()),
                (&of.test_error, bias + variance + noise * n as f64),
                (&of.freedom, trace),
            ];
            Ok(expected.iter().map(|(got, want)| relative(got.as_slice()[0], *want)).fold(0.0, f64::max))
        }),
        design("bias-variance-decomposition.monotone", ID, "as λ grows, bias² never falls and variance never rises")
            .draw(Draw::log("factor", 1.0..=1e3).limited(1.0..=1e9))
            .within("rounding", ROUNDING)
            .check(|case| {
                let lambda = case.real("lambda");
                let of = curves(case, &[0.0, lambda, lambda * case.real("factor")])?;
                let mut off = 0.0f64;
                for k in 1..3 {
                    let step = |part: &Tensor<f64>| part.as_slice()[k] - part.as_slice()[k - 1];
                    let wrong = (-step(&of.bias_squared)).max(step(&of.variance)).max(step(&of.freedom));
                    off = off.max(wrong / (1.0 + of.test_error.as_slice()[k]));
                }
                Ok(off)
            }),
        design(
            "bias-variance-decomposition.ols",
            ID,
            "least squares of a true linear model has no bias, and the variance σ²d/n averaged over the design",
        )
        .draw(Draw::array("theta", -3.0..=3.0, &["d"]))
        .within("rounding of quotients of singular values", RIDGE)
        .check(|case| {
            let (x, _) = problem(case)?;
            let theta = tensor_of::<f64>(case.array("theta"))?;
            let truth = x.matmul(&theta.insert_axis(1)?)?.flatten();
            let (n, d) = (case.size("n"), case.size("d"));
            let of = ridge_curves(&x, &truth, case.real("sigma"), &[0.0])?;
            case.classify(d >= n, "as many columns as points");
            let expected = case.real("sigma").powi(2) * n.min(d) as f64 / n as f64;
            Ok(of.bias_squared.as_slice()[0] + relative(of.variance.as_slice()[0], expected))
        }),
        design("bias-underfitting.floor", UNDER, "neither error is below bias², and both go to the same as λ grows: 0 is predicted")
            .within("rounding of quotients of singular values", RIDGE)
            .check(|case| {
                let (_, truth) = problem(case)?;
                let of = curves(case, &[case.real("lambda"), 1e14])?;
                let at = |part: &Tensor<f64>, k: usize| part.as_slice()[k];
                let noise = case.real("sigma").powi(2);
                let under = (at(&of.bias_squared, 0) - at(&of.training_error, 0))
                    .max(at(&of.bias_squared, 0) + noise - at(&of.test_error, 0));
                let all = truth.powi(2).mean()? + noise;
                let ends = relative(at(&of.training_error, 1), all) + relative(at(&of.test_error, 1), all);
                Ok(under.max(0.0) + ends)
            }),
        design(
            "bias-underfitting.samples",
            UNDER,
            "both are mean errors of fits, over training sets with an error of ±σ√n at each point in turn",
        )
        .within("rounding, by the condition number of XᵀX + λI", ROUNDING)
        .check(|case| {
            let ((x, truth), sigma) = (problem(case)?, case.real("sigma"));
            let (n, d) = (case.size("n"), case.size("d"));
            let of = curves(case, &[case.real("lambda")])?;
            // 2n training sets, a column each. Their errors have the mean 0 and the covariance σ²I, as the noise has; the
            // fits are linear in them, so nothing else matters. No trace is taken.
            let error = sigma * (n as f64).sqrt();
            let y = Tensor::from_fn([n, 2 * n], |i| {
                let sign = if i[1] < n { 1.0 } else { -1.0 };
                truth.as_slice()[i[0]] + if i[1] % n == i[0] { sign * error } else { 0.0 }
            })?;
            let gram = x.product(Transpose::Yes, &x, Transpose::No)?;
            let l = gram.add(&Tensor::eye(d)?.scale(case.real("lambda")))?.cholesky()?;
            let half = l.solve_lower(&x.transpose()?)?;
            let fitted = half.product(Transpose::Yes, &half.matmul(&y)?, Transpose::No)?;
            let training = y.sub(&fitted)?.powi(2).mean()?;
            // A new measurement is off by the fit's error and by a noise that no fit knows.
            let test = fitted.sub(&truth.insert_axis(1)?)?.powi(2).mean()? + sigma * sigma;
            let off = relative(of.training_error.as_slice()[0], training);
            // The largest singular value is 1, so (1 + λ)/λ is the most that the condition can be.
            let condition = 1.0 + 1.0 / case.real("lambda");
            Ok(off.max_or_nan(relative(of.test_error.as_slice()[0], test)) / condition)
        }),
        design("variance-overfitting.gap", OVER, "test error and training error are 2σ²·tr(H)/n apart, and with σ = 0 not at all")
            .within("rounding of quotients of singular values", RIDGE)
            .check(|case| {
                let of = curves(case, &[0.0, case.real("lambda")])?;
                let scale = 2.0 * case.real("sigma").powi(2) / case.size("n") as f64;
                let gap = of.test_error.sub(&of.training_error)?;
                apart(&gap, &of.freedom.scale(scale))
            }),
        design("variance-overfitting.nested", OVER, "with each column more the training error of least squares never rises")
            .within("rounding of quotients of singular values", RIDGE)
            .check(|case| {
                let (x, truth) = problem(case)?;
                let (mut before, mut off) = (f64::INFINITY, 0.0f64);
                for d in 1..=case.size("d") {
                    let of = ridge_curves(&x.slice(1, 0..d)?, &truth, case.real("sigma"), &[0.0])?;
                    let now = of.training_error.as_slice()[0];
                    off = off.max(now - before);
                    before = now;
                }
                Ok(off)
            }),
        design(
            "variance-overfitting.interpolation",
            OVER,
            "with as many independent columns as points nothing is left of the training error, and 2σ² of the test error",
        )
        .within("rounding of quotients of singular values", RIDGE)
        .check(|case| {
            let (x, truth) = problem(case)?;
            if x.dims()[1] < x.dims()[0] {
                return Err(case.reject("fewer columns than points"));
            }
            let of = ridge_curves(&x, &truth, case.real("sigma"), &[0.0])?;
            let twice = 2.0 * case.real("sigma").powi(2);
            Ok(of.training_error.as_slice()[0] + relative(of.test_error.as_slice()[0], twice))
        }),
    ]
}
