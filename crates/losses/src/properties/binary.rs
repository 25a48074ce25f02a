//! Two classes: the Bernoulli likelihood, binary cross entropy, the focal loss; and the notes' misprints of them.

use super::{ROUNDING, drawn, gradient, relative, twice};
use crate::{
    Bce, BceWithLogits, Componentwise, CrossEntropy, Elementwise, Focal, Reduction, bce, bce_with_logits,
    cross_entropy, focal, log_likelihood, total_log_likelihood,
};
use gradus_activations::sigmoid;
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::{Result, Scalar, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = likelihood();
    all.extend(probabilities());
    all.extend(logits());
    all.extend(focals());
    all
}

/// Probabilities and labels of a batch.
fn batch(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::array("p", 0.001..=0.999, &["n"]).limited(1e-6..=0.999999))
        .draw(Draw::array("y", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
}

fn refuted(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    let mut property = batch(id, formula, statement);
    property.refutation = true;
    property
}

/// Labels that are 0 or 1.
fn hard(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    Ok((drawn(case, "p")?, drawn(case, "y")?.map(f64::round)))
}

fn soft(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    Ok((drawn(case, "p")?, drawn(case, "y")?))
}

fn likelihood() -> Vec<Property> {
    vec![
        batch("bce-per-sample.mass", &["bce-per-sample"], "over both labels the likelihood adds up to 1")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, _) = hard(case)?;
                let mass =
                    p.map(|p| (log_likelihood(p, 0.0).exp() + log_likelihood(p, 1.0).exp() - 1.0).abs());
                Ok(mass.max()?)
            }),
        batch(
            "bce-per-sample.sign",
            &["bce-per-sample"],
            "a log-likelihood is at most 0, and 0 for what is certain and right",
        )
        .holds(|case| {
            let (p, y) = soft(case)?;
            let certain = log_likelihood(1.0, 1.0) == 0.0 && log_likelihood(0.0, 0.0) == 0.0;
            Ok(certain && p.zip(&y, log_likelihood)?.max()? <= 0.0)
        }),
        batch(
            "bce-per-sample.affine",
            &["bce-per-sample", "bce-cases"],
            "in a soft label it is affine between the two cases",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = soft(case)?;
            let off = p.zip(&y, |p, y| {
                let between = y * log_likelihood(p, 1.0) + (1.0 - y) * log_likelihood(p, 0.0);
                relative(log_likelihood(p, y), between)
            })?;
            Ok(off.max()?)
        }),
        batch("bce-cases.two", &["bce-cases"], "ln ŷ for label 1, ln(1 − ŷ) for label 0")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, _) = hard(case)?;
                let off = p.map(|p| {
                    relative(log_likelihood(p, 1.0), p.ln())
                        + relative(log_likelihood(p, 0.0), (1.0 - p).ln())
                });
                Ok(off.max()?)
            }),
        Property::new(
            "bce-per-sample.tiny",
            &["bce-per-sample"],
            "of a tiny ŷ, ln(1 − ŷ) = −ŷ − ŷ²/2 − ŷ³/3 − …, not 0: it keeps its digits",
        )
        .draw(Draw::log("p", 1e-300..=1e-4).limited(1e-300..=1e-4))
        .draw(Draw::real("y", 0.0..=0.5).limited(0.0..=0.5))
        .within("4 ulp", 4.0)
        .check(|case| {
            let (p, y) = (case.real("p"), case.real("y"));
            case.classify(p < 0.5 * f64::EPSILON, "1 − ŷ is 1");
            let series = -p * (1.0 + p * (1.0 / 2.0 + p * (1.0 / 3.0 + p / 4.0)));
            let ulps = |x: f64, of: f64| (x - of).abs() / (f64::EPSILON * of.abs());
            let soft = y * p.ln() + (1.0 - y) * series;
            Ok(ulps(log_likelihood(p, 0.0), series).max_or_nan(ulps(log_likelihood(p, y), soft)))
        }),
        refuted("bce-per-sample.printed", &["bce-per-sample"], "as printed it is a loss: never below 0")
            .holds(|case| {
                let (p, y) = hard(case)?;
                Ok(p.zip(&y, log_likelihood)?.min()? >= 0.0)
            }),
        batch("bce-boxed.negative-mean", &["bce-boxed"], "it is −n times the BCE")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, y) = soft(case)?;
                Ok(relative(total_log_likelihood(&p, &y)?, -(p.len() as f64) * bce(&p, &y)?.item()?))
            }),
        batch(
            "bce-boxed.product",
            &["bce-boxed"],
            "its exponential is the product of the labels' probabilities",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = hard(case)?;
            let product =
                p.zip(&y, |p, y| if y == 1.0 { p } else { 1.0 - p })?.as_slice().iter().product::<f64>();
            Ok((total_log_likelihood(&p, &y)?.exp() - product).abs())
        }),
        batch("bce-boxed.additive", &["bce-boxed"], "it adds up over any split of the batch")
            .draw(Draw::integer("cut", 0..=8).limited(0.0..=64.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, y) = soft(case)?;
                let cut = case.size("cut").min(p.len());
                let part = |a: usize, b: usize| total_log_likelihood(&p.slice(0, a..b)?, &y.slice(0, a..b)?);
                Ok(relative(total_log_likelihood(&p, &y)?, part(0, cut)? + part(cut, p.len())?))
            }),
        refuted(
            "bce-boxed.printed",
            &["bce-boxed"],
            "what the notes box is the BCE: its negative mean, never below 0",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = hard(case)?;
            Ok(relative(total_log_likelihood(&p, &y)?, bce(&p, &y)?.item()?))
        }),
    ]
}

fn probabilities() -> Vec<Property> {
    vec![
        batch(
            "bce-minimization.mean",
            &["bce-minimization", "bce-loss"],
            "it is the negative mean of the log-likelihoods",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = soft(case)?;
            Ok(relative(bce(&p, &y)?.item()?, -p.zip(&y, log_likelihood)?.mean()?))
        }),
        batch(
            "bce-minimization.duplication",
            &["bce-minimization", "bce-loss"],
            "the batch twice has the loss of the batch",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = soft(case)?;
            Ok(relative(bce(&twice(&p)?, &twice(&y)?)?.item()?, bce(&p, &y)?.item()?))
        }),
        batch("bce-minimization.constant", &["bce-minimization"], "n equal samples have the loss of one")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, y) = (drawn(case, "p")?.slice(0, 0..1)?, drawn(case, "y")?.slice(0, 0..1)?);
                let n = case.size("n");
                Ok(relative(bce(&p.broadcast_to([n])?, &y.broadcast_to([n])?)?.item()?, bce(&p, &y)?.item()?))
            }),
        refuted(
            "bce-minimization.printed",
            &["bce-minimization"],
            "a sum from 0 to n, divided by n, is the mean",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, y) = hard(case)?;
            // One term more than there are samples: the first, say, counted as number 0 too.
            let terms = p.zip(&y, log_likelihood)?;
            let printed = -(terms.sum() + terms.as_slice()[0]) / p.len() as f64;
            Ok(relative(printed, bce(&p, &y)?.item()?))
        }),
        batch("bce-loss.entropy", &["bce-loss"], "it is at least the labels' entropy, which it is for ŷ = y")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, y) = soft(case)?;
                let entropy = bce(&y, &y)?.item()?;
                case.classify(y.as_slice().iter().any(|&y| y == 0.0 || y == 1.0), "a certain label");
                Ok((entropy - bce(&p, &y)?.item()?).max(-entropy).max(0.0))
            }),
        batch(
            "bce-loss.symmetry",
            &["bce-loss"],
            "exchanging the labels and the probabilities with 1 − them changes nothing",
        )
        .within("rounding of 1 − ŷ, carried through the logarithm", 1e-12)
        .check(|case| {
            let (p, y) = soft(case)?;
            let flip = |x: &Tensor<f64>| x.map(|v| 1.0 - v);
            Ok(relative(bce(&flip(&p), &flip(&y))?.item()?, bce(&p, &y)?.item()?))
        }),
        gradient_property(
            Property::new("bce-loss.gradient", &["bce-loss"], "the gradients in probability and label")
                .draw(Draw::size("n", 1..=5))
                .draw(Draw::array("p", 0.2..=0.8, &["n"]).limited(0.15..=0.85))
                .draw(Draw::array("y", 0.05..=0.95, &["n"]).limited(0.01..=0.99)),
            |case| {
                let (p, y) = soft(case)?;
                Ok((Elementwise { loss: Bce, reduction: Reduction::Mean }, [p, y]))
            },
        ),
        refuted(
            "bce-loss.printed",
            &["bce-loss"],
            "without brackets −(1/n)Σ yᵢ ln ŷᵢ + (1 − y) ln(1 − ŷ) is never below 0",
        )
        .holds(|case| {
            let (p, y) = hard(case)?;
            let first = p.zip(&y, |p, y| y * p.ln())?;
            // The second product stands outside the sum: whichever i it is given, here the last.
            let (p, y) = (p.as_slice()[p.len() - 1], y.as_slice()[y.len() - 1]);
            Ok(-first.mean()? + (1.0 - y) * (1.0 - p).ln() >= 0.0)
        }),
        Property::new(
            "bce-loss.certain",
            &["bce-loss"],
            "certain and right costs 0, certain and wrong ∞, a NaN stays one",
        )
        .holds(|_| {
            let loss = |p: f64, y: f64| bce(&Tensor::from([p]), &Tensor::from([y]))?.item();
            let right = loss(1.0, 1.0)? == 0.0 && loss(0.0, 0.0)? == 0.0;
            let wrong = loss(1.0, 0.0)? == f64::INFINITY && loss(0.0, 1.0)? == f64::INFINITY;
            Ok(right && wrong && loss(f64::NAN, 1.0)?.is_nan() && loss(0.5, f64::NAN)?.is_nan())
        }),
    ]
}

fn logit_batch(
    id: &'static str,
    formula: &'static [&'static str],
    statement: &'static str,
    reach: f64,
) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::array("z", -reach..=reach, &["n"]).limited(-reach..=reach))
        .draw(Draw::array("y", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
}

fn logit_parts(case: &Case<'_>) -> Result<(Tensor<f64>, Tensor<f64>)> {
    Ok((drawn(case, "z")?, drawn(case, "y")?))
}

/// Labels strictly inside 0 to 1: a difference quotient steps to either side.
fn inside(y: &Tensor<f64>) -> Tensor<f64> {
    y.map(|y| 0.01 + 0.98 * y)
}

const LOGITS: Elementwise<BceWithLogits> = Elementwise { loss: BceWithLogits, reduction: Reduction::Mean };

fn logits() -> Vec<Property> {
    vec![
        logit_batch(
            "bce-logits.probabilities",
            &["bce-logits", "bce-loss"],
            "it is the BCE of σ(z), where that has digits",
            12.0,
        )
        .within("rounding of σ, carried through the logarithm", 1e-10)
        .check(|case| {
            let (z, y) = logit_parts(case)?;
            Ok(relative(bce_with_logits(&z, &y)?.item()?, bce(&z.map(sigmoid), &y)?.item()?))
        }),
        gradient_property(
            logit_batch("bce-logits.gradient", &["bce-logits"], "the gradients in logit and label", 8.0),
            |case| {
                let (z, y) = logit_parts(case)?;
                Ok((LOGITS, [z, inside(&y)]))
            },
        ),
        logit_batch(
            "bce-logits.slope",
            &["bce-logits"],
            "its slope is σ(z) − y, at most 1 in size, without cancellation",
            700.0,
        )
        .within("4 ulp", 4.0)
        .check(|case| {
            let (z, y) = logit_parts(case)?;
            let mut off: f64 = 0.0;
            for (&z, &y) in z.as_slice().iter().zip(y.as_slice()) {
                let slope = BceWithLogits.slopes(z, y).0;
                // With a hard label one side is left, exact to its last places.
                let hard = BceWithLogits.slopes(z, 1.0).0;
                let ulps = (hard + sigmoid(-z)).abs() / (f64::EPSILON * sigmoid(-z));
                off = off.max_or_nan(ulps).max_or_nan((slope - (sigmoid(z) - y)).abs() / f64::EPSILON);
                if slope.abs() > 1.0 {
                    return Ok(f64::INFINITY);
                }
            }
            Ok(off)
        }),
        logit_batch(
            "bce-logits.tail",
            &["bce-logits"],
            "a confident right answer still costs e⁻ᶻ, not 0",
            1.0,
        )
        .draw(Draw::real("margin", 20.0..=700.0).limited(20.0..=700.0))
        .within("4 ulp", 4.0)
        .check(|case| {
            let z = case.real("margin");
            let loss = bce_with_logits(&Tensor::from([z]), &Tensor::from([1.0]))?.item()?;
            let expected = (-z).exp() * (1.0 - 0.5 * (-z).exp());
            Ok((loss - expected).abs() / (f64::EPSILON * expected))
        }),
        logit_batch("bce-logits.symmetry", &["bce-logits"], "(z, y) and (−z, 1 − y) have one loss", 1000.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let (z, y) = logit_parts(case)?;
                Ok(relative(
                    bce_with_logits(&z.neg(), &y.map(|y| 1.0 - y))?.item()?,
                    bce_with_logits(&z, &y)?.item()?,
                ))
            }),
        logit_batch(
            "bce-logits.convex",
            &["bce-logits"],
            "it is convex in the logits: no chord lies below it",
            100.0,
        )
        .draw(Draw::array("w", -100.0..=100.0, &["n"]).limited(-100.0..=100.0))
        .draw(Draw::real("t", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let ((z, y), w, t) = (logit_parts(case)?, drawn(case, "w")?, case.real("t"));
            let loss = |z: &Tensor<f64>| bce_with_logits(z, &y)?.item();
            let between = z.scale(t).add(&w.scale(1.0 - t))?;
            let chord = t * loss(&z)? + (1.0 - t) * loss(&w)?;
            Ok((loss(&between)? - chord).max(0.0) / (1.0 + chord))
        }),
        logit_batch(
            "bce-ce-usage.two-classes",
            &["bce-ce-usage", "bce-logits", "softmax-ce"],
            "cross entropy of (0, z) is the BCE of z",
            700.0,
        )
        .within("4 ulp of the value, absolute below 10⁻³⁰⁰", ROUNDING)
        .check(|case| {
            let (z, y) = logit_parts(case)?;
            let y = y.map(f64::round);
            let scores = Tensor::stack(&[&z.zeros_like(), &z], 1)?;
            let classes = y.map(|y| y as u32);
            let (binary, several) =
                (bce_with_logits(&z, &y)?.item()?, cross_entropy(&scores, &classes)?.item()?);
            // Their gradients too.
            let slopes = gradient(&CrossEntropy::new(&classes), &scores)?.select(1, 1)?;
            let [expected, _] =
                LOGITS.vjp([&z, &y], &LOGITS.forward([&z, &y])?.1, &Tensor::scalar(1.0), [true, false])?;
            let off = expected.map_or(Ok(f64::NAN), |e| slopes.max_difference(&e))?;
            Ok(relative(several, binary).max_or_nan(off))
        }),
        Property::new(
            "bce-logits.infinite",
            &["bce-logits"],
            "an infinite logit costs 0 when right, ∞ when wrong; a NaN stays one",
        )
        .holds(|_| {
            let loss = |z: f64, y: f64| bce_with_logits(&Tensor::from([z]), &Tensor::from([y]))?.item();
            let infinity = f64::INFINITY;
            let right = loss(infinity, 1.0)? == 0.0 && loss(-infinity, 0.0)? == 0.0;
            let wrong = loss(infinity, 0.0)? == infinity && loss(-infinity, 1.0)? == infinity;
            Ok(right && wrong && loss(f64::NAN, 1.0)?.is_nan())
        }),
    ]
}

fn focals() -> Vec<Property> {
    let batch = |id, statement| {
        logit_batch(id, &["focal-loss"], statement, 30.0)
            .draw(Draw::real("gamma", 0.0..=5.0).limited(0.0..=20.0))
            .draw(Draw::real("alpha", 0.0..=1.0).limited(0.0..=1.0))
    };
    vec![
        batch("focal-loss.cross-entropy", "for γ = 0 and α = ½ it is half the BCE")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (z, y) = logit_parts(case)?;
                Ok(relative(focal(&z, &y, 0.0, 0.5)?.item()?, 0.5 * bce_with_logits(&z, &y)?.item()?))
            }),
        batch("focal-loss.definition", "it is the formula, term for term, averaged over the batch")
            .within("rounding of 1 − σ, carried through the logarithm and the power", 1e-9)
            .check(|case| {
                let ((z, y), gamma, alpha) = (logit_parts(case)?, case.real("gamma"), case.real("alpha"));
                let z = z.map(|z| z / 4.0);
                let mut sum = 0.0;
                for (z, y) in z.as_slice().iter().zip(y.as_slice()) {
                    let p = 1.0 / (1.0 + (-z).exp());
                    sum -= alpha * y * (1.0 - p).powf(gamma) * p.ln();
                    sum -= (1.0 - alpha) * (1.0 - y) * p.powf(gamma) * (1.0 - p).ln();
                }
                Ok(relative(focal(&z, &y, gamma, alpha)?.item()?, sum / y.len() as f64))
            }),
        Property::new(
            "focal-loss.tail",
            &["focal-loss"],
            "a confident right answer keeps its digits: qᵞ·ln(1 + q) with q = e⁻ᶻ, to its own rounding",
        )
        .draw(Draw::real("margin", 1.0..=100.0).limited(1.0..=100.0))
        .draw(Draw::real("gamma", 0.0..=5.0).limited(0.0..=5.0))
        .within("rounding of the power, relative to the loss itself", 1e-12)
        .check(|case| {
            let (z, gamma) = (case.real("margin"), case.real("gamma"));
            let q = (-z).exp();
            let exact = (q / (1.0 + q)).powf(gamma) * q.ln_1p();
            let loss = |z: f64, y: f64| focal(&Tensor::from([z]), &Tensor::from([y]), gamma, 0.5)?.item();
            let off = |loss: f64| (2.0 * loss / exact - 1.0).abs();
            Ok(off(loss(z, 1.0)?).max(off(loss(-z, 0.0)?)))
        }),
        batch("focal-loss.falls", "a larger γ never costs more, and nothing is below 0")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((z, y), gamma, alpha) = (logit_parts(case)?, case.real("gamma"), case.real("alpha"));
                let (less, more) =
                    (focal(&z, &y, gamma + 0.5, alpha)?.item()?, focal(&z, &y, gamma, alpha)?.item()?);
                Ok((less - more).max(-less).max(0.0))
            }),
        Property::new(
            "focal-loss.infinite",
            &["focal-loss"],
            "an infinite logit costs 0 when right, ∞ when wrong; a NaN stays one",
        )
        .draw(Draw::real("gamma", 0.0..=5.0).limited(0.0..=20.0))
        .holds(|case| {
            let gamma = case.real("gamma");
            let loss = |z: f64, y: f64| focal(&Tensor::from([z]), &Tensor::from([y]), gamma, 0.25)?.item();
            let infinity = f64::INFINITY;
            let right = loss(infinity, 1.0)? == 0.0 && loss(-infinity, 0.0)? == 0.0;
            let wrong = loss(infinity, 0.0)? == infinity && loss(-infinity, 1.0)? == infinity;
            Ok(right && wrong && loss(f64::NAN, 1.0)?.is_nan())
        }),
        batch("focal-loss.symmetry", "(z, y, α) and (−z, 1 − y, 1 − α) have one loss")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((z, y), gamma, alpha) = (logit_parts(case)?, case.real("gamma"), case.real("alpha"));
                let mirrored = focal(&z.neg(), &y.map(|y| 1.0 - y), gamma, 1.0 - alpha)?.item()?;
                Ok(relative(mirrored, focal(&z, &y, gamma, alpha)?.item()?))
            }),
        gradient_property(
            logit_batch("focal-loss.gradient", &["focal-loss"], "the gradients in logit and label", 6.0)
                .draw(Draw::real("gamma", 0.0..=5.0).limited(0.0..=20.0))
                .draw(Draw::real("alpha", 0.0..=1.0).limited(0.0..=1.0)),
            |case| {
                let (z, y) = logit_parts(case)?;
                let loss = Focal { gamma: case.real("gamma"), alpha: case.real("alpha") };
                Ok((Elementwise { loss, reduction: Reduction::Mean }, [z, inside(&y)]))
            },
        ),
    ]
}
