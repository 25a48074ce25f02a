//! The model and the likelihood of the labels, with the notes' misprints of it.

use super::{ROUNDING, parts, relative, small};
use crate::{LogisticRegression, likelihood, log_likelihood_of, probabilities};
use gradus_activations::{logit, softmax};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_losses::bce_with_logits;
use gradus_tensor::{Result, Scalar, Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    let mut all = predictions();
    all.extend(products());
    all.extend(joint());
    all
}

fn predictions() -> Vec<Property> {
    vec![
        small(
            "logreg-prediction.log-odds",
            &["logreg-prediction"],
            "the log-odds are the sum of each feature's share",
        )
        .within("rounding, worse where ŷ is next to 1", 1e-9)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            let p = probabilities(&x, &theta)?;
            let mut off: f64 = 0.0;
            for (row, &p) in x.rows()?.zip(p.as_slice()) {
                let z: f64 = row.as_slice().iter().zip(theta.as_slice()).map(|(x, t)| x * t).sum();
                // Beyond 15 the probability has not the digits.
                if z.abs() < 15.0 {
                    off = off.max_or_nan(relative(logit(p), z));
                }
            }
            Ok(off)
        }),
        small(
            "logreg-prediction.undecided",
            &["logreg-prediction"],
            "on the hyperplane xθ = 0 it is ½, exactly",
        )
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            // (b, −a)·(a, b) is 0 if the products need no rounding: sixteenths.
            let coarse = |t: &Tensor<f64>| (16.0 * t.as_slice()[0]).round() / 16.0;
            let (a, b) = (coarse(&theta), coarse(&x));
            let (pair, normal) = (Tensor::from([a, b]), Tensor::from([[b, -a]]));
            Ok((probabilities(&normal, &pair)?.item()? - 0.5).abs())
        }),
        small(
            "logreg-prediction.confidence",
            &["logreg-prediction"],
            "2θ is farther from ½ than θ, on the same side",
        )
        .holds(|case| {
            let (x, theta, _) = parts(case)?;
            let (one, two) = (probabilities(&x, &theta)?, probabilities(&x, &theta.scale(2.0))?);
            let fine =
                |(&p, &q): (&f64, &f64)| (q - 0.5).abs() >= (p - 0.5).abs() && (p - 0.5) * (q - 0.5) >= 0.0;
            Ok(one.as_slice().iter().zip(two.as_slice()).all(fine))
        }),
        small("logreg-prediction.two-classes", &["logreg-prediction"], "it is the second of softmax (0, xθ)")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (x, theta, _) = parts(case)?;
                let z = x.matmul(&theta.insert_axis(1)?)?;
                let both = softmax(&z.pad(1, 1, 0, 0.0)?, 1)?;
                Ok(both.select(1, 1)?.max_difference(&probabilities(&x, &theta)?)?)
            }),
        small(
            "logreg-prediction.mirror",
            &["logreg-prediction"],
            "−θ gives the probability of the other label",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            let sum = probabilities(&x, &theta)?.add(&probabilities(&x, &theta.neg())?)?;
            Ok(sum.map(|s| (s - 1.0).abs()).max()?)
        }),
    ]
}

/// Probabilities and labels.
fn labelled(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=6).limited(1.0..=10.0))
        .draw(Draw::array("p", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
        .draw(Draw::array("y", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
}

fn refuted(id: &'static str, statement: &'static str) -> Property {
    let mut property = labelled(id, &["logreg-likelihood"], statement);
    property.refutation = true;
    property
}

fn pair(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<u32>)> {
    let y = tensor_of::<f64>(case.array("y"))?.map(|y| u32::from(y >= 0.5));
    Ok((tensor_of(case.array("p"))?, y))
}

/// Every vector of n labels.
fn all_labels(n: usize) -> impl Iterator<Item = Tensor<u32>> {
    (0..1u32 << n).map(move |bits| (0..n).map(|i| bits >> i & 1).collect())
}

/// ∏ ŷᵢ (1 − ŷᵢ)^(1 − yᵢ), as printed.
fn printed(p: &[f64], y: &[u32]) -> f64 {
    p.iter().zip(y).map(|(p, &y)| if y == 1 { *p } else { p * (1.0 - p) }).product()
}

fn mean(y: &Tensor<u32>) -> Result<f64> {
    y.map(f64::from).mean()
}

fn products() -> Vec<Property> {
    vec![
        labelled(
            "logreg-likelihood.mass",
            &["logreg-likelihood"],
            "over all 2ⁿ label vectors it adds up to 1",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, _) = pair(case)?;
            let mut mass = 0.0;
            for y in all_labels(p.len()) {
                mass += likelihood(&p, &y)?;
            }
            Ok((mass - 1.0).abs())
        }),
        labelled(
            "logreg-likelihood.mirror",
            &["logreg-likelihood"],
            "with both labels exchanged it is the same",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = pair(case)?;
            Ok((likelihood(&p, &y)? - likelihood(&p.map(|p| 1.0 - p), &y.map(|y| 1 - y))?).abs())
        }),
        labelled(
            "logreg-likelihood.best-constant",
            &["logreg-likelihood"],
            "of one probability for all samples, the mean of the labels has the largest",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = pair(case)?;
            let of = |q: f64| likelihood(&Tensor::full(y.shape(), q).unwrap_or_else(|_| p.clone()), &y);
            let best = of(mean(&y)?)?;
            let mut above: f64 = 0.0;
            for &q in p.as_slice() {
                above = above.max_or_nan(of(q)? - best);
            }
            Ok(above)
        }),
        labelled(
            "logreg-likelihood.intercept",
            &["logreg-likelihood", "logreg-irls"],
            "a fit of the intercept alone predicts the mean of the labels",
        )
        .within("a hundred-millionth of a standard error", 5e-9)
        .check(|case| {
            let (_, y) = pair(case)?;
            // One of each more, so that both classes are there.
            let y = Tensor::concatenate(&[&y, &Tensor::from([0, 1])], 0)?;
            let none = Tensor::zeros([y.len(), 0])?;
            let fit = LogisticRegression::new().fit(&none, &y)?;
            Ok((fit.predict_proba(&none)?.as_slice()[0] - mean(&y)?).abs())
        }),
        labelled(
            "logreg-likelihood.printed-estimator",
            &["logreg-likelihood"],
            "the printed product is largest at 1/(2 − ȳ)",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = pair(case)?;
            let of = |q: f64| printed(&vec![q; y.len()], y.as_slice());
            let best = of(1.0 / (2.0 - mean(&y)?));
            Ok(p.as_slice().iter().fold(0.0, |above: f64, &q| above.max_or_nan(of(q) - best)))
        }),
        refuted("logreg-likelihood.printed-mass", "as printed it adds up to 1 over all label vectors")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, _) = pair(case)?;
                let mass: f64 = all_labels(p.len()).map(|y| printed(p.as_slice(), y.as_slice())).sum();
                Ok((mass - 1.0).abs())
            }),
        refuted(
            "logreg-likelihood.printed-best",
            "as printed, of one probability for all samples the mean of the labels has the largest",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = pair(case)?;
            let of = |q: f64| printed(&vec![q; y.len()], y.as_slice());
            let best = of(mean(&y)?);
            Ok(p.as_slice().iter().fold(0.0, |above: f64, &q| above.max_or_nan(of(q) - best)))
        }),
    ]
}

fn joint() -> Vec<Property> {
    let id = &["logreg-likelihood-display"];
    vec![
        small(
            "logreg-likelihood-display.mass",
            id,
            "over all 2ⁿ label vectors the joint probabilities add up to 1",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            let mut mass = 0.0;
            for y in all_labels(x.dims()[0]) {
                mass += log_likelihood_of(&x, &theta, &y)?.exp();
            }
            Ok((mass - 1.0).abs())
        }),
        small(
            "logreg-likelihood-display.product",
            &["logreg-likelihood-display", "logreg-likelihood"],
            "it is the product of the labels’ probabilities",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let product = likelihood(&probabilities(&x, &theta)?, &y)?;
            Ok((log_likelihood_of(&x, &theta, &y)?.exp() - product).abs())
        }),
        small("logreg-likelihood-display.split", id, "over any split of the samples its logarithm adds up")
            .draw(Draw::integer("cut", 0..=7).limited(0.0..=64.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (x, theta, y) = parts(case)?;
                let cut = case.size("cut").min(y.len());
                let part = |range: std::ops::Range<usize>| {
                    log_likelihood_of(&x.slice(0, range.clone())?, &theta, &y.slice(0, range)?)
                };
                Ok(relative(part(0..cut)? + part(cut..y.len())?, log_likelihood_of(&x, &theta, &y)?))
            }),
        small(
            "logreg-likelihood-display.bce",
            &["logreg-likelihood-display", "bce-boxed"],
            "its logarithm is −n times the binary cross entropy",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let z = x.matmul(&theta.insert_axis(1)?)?.remove_axis(1)?;
            let bce = bce_with_logits(&z, &y.map(f64::from))?.item()?;
            Ok(relative(log_likelihood_of(&x, &theta, &y)?, -(y.len() as f64) * bce))
        }),
        small(
            "logreg-likelihood-display.concave",
            id,
            "its logarithm is concave: between two θ it is above the chord",
        )
        .draw(Draw::array("other", -2.0..=2.0, &["d"]).limited(-10.0..=10.0))
        .draw(Draw::real("share", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, y) = parts(case)?;
            let (other, t) = (tensor_of(case.array("other"))?, case.real("share"));
            let of = |theta: &Tensor<f64>| log_likelihood_of(&x, theta, &y);
            let between = of(&theta.scale(1.0 - t).add(&other.scale(t))?)?;
            let (one, two) = (of(&theta)?, of(&other)?);
            let chord = (1.0 - t) * one + t * two;
            Ok(((chord - between) / (1.0 + one.abs() + two.abs())).max_or_nan(0.0))
        }),
        {
            let mut printed = small(
                "logreg-likelihood-display.printed",
                id,
                "as printed, p(y | X, θ) adds up to 1 over all label vectors",
            );
            printed.refutation = true;
            printed
        }
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, theta, _) = parts(case)?;
            // p(y = 1 | X, θ) is the product over the samples, and stands before it once more; y does not occur.
            let ones: f64 = probabilities(&x, &theta)?.as_slice().iter().product();
            let printed = |_: &Tensor<u32>| -> Result<f64, Failure> { Ok(ones * ones) };
            let mut mass = 0.0;
            for y in all_labels(x.dims()[0]) {
                mass += printed(&y)?;
            }
            Ok((mass - 1.0).abs())
        }),
    ]
}
