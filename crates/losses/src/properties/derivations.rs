//! The derivations of the chapter, line by line: binary cross entropy from logits, slopes of cross entropy.

use super::gradient;
use crate::{BceWithLogits, Componentwise, CrossEntropy};
use gradus_activations::softmax;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slope};
use gradus_tensor::Tensor;

pub(super) fn properties() -> Vec<Property> {
    [bce_from_logits(), bce_slope(), cross_entropy_slope()].iter().map(Derivation::property).collect()
}

/// How far apart the points are over which differences are taken.
const H: f64 = 1e-3;

/// A logit for which 1 − ŷ still has its digits, and a label that need not be certain.
fn logit_and_label(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::real("z", -5.0..=5.0).limited(-5.0..=5.0))
        .draw(Draw::real("y", 0.0..=1.0).limited(0.0..=1.0))
}

fn pair(case: &Case<'_>) -> (f64, f64) {
    (case.real("z"), case.real("y"))
}

/// σ(z), as it is printed.
fn probability(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// −(y ln ŷ + (1 − y) ln(1 − ŷ)).
fn by_probability(p: f64, y: f64) -> f64 {
    -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())
}

/// From probabilities to a form that neither overflows nor cancels.
fn bce_from_logits() -> Derivation {
    logit_and_label(Derivation::new(
        "bce-logits.derivation",
        &["bce-logits"],
        "Binary cross entropy from logits, without a cancellation",
    ))
    .line(
        r"-\bigl( y \ln \hat y + (1 - y) \ln(1 - \hat y) \bigr), \qquad \hat y = \frac{1}{1 + e^{-z}}",
        "what is wanted, for one sample, by way of the probability",
        |case| {
            let (z, y) = pair(case);
            Ok(vec![by_probability(probability(z), y)])
        },
    )
    .within("rounding of 1 − ŷ", 3e-14)
    .line(
        r"y \ln(1 + e^{-z}) + (1 - y) \ln(1 + e^z)",
        r"$-\ln \hat y = \ln(1 + e^{-z})$; and $1 - \hat y = 1/(1 + e^z)$",
        |case| {
            let (z, y) = pair(case);
            Ok(vec![y * (1.0 + (-z).exp()).ln() + (1.0 - y) * (1.0 + z.exp()).ln()])
        },
    )
    .within("a few roundings", 2e-15)
    .line(
        r"y\,\bigl(\max(-z, 0) + t\bigr) + (1 - y)\,\bigl(\max(z, 0) + t\bigr), \qquad t = \ln(1 + e^{-|z|})",
        r"where an exponent is above $0$: $\ln(1 + e^a) = a + \ln(1 + e^{-a})$",
        |case| {
            let (z, y) = pair(case);
            let t = (-z.abs()).exp().ln_1p();
            Ok(vec![y * ((-z).max(0.0) + t) + (1.0 - y) * (z.max(0.0) + t)])
        },
    )
    .line(
        r"y \max(-z, 0) + (1 - y) \max(z, 0) + t",
        "the weights $y$ and $1 - y$ of the two $t$ add up to $1$",
        |case| {
            let (z, y) = pair(case);
            let t = (-z.abs()).exp().ln_1p();
            Ok(vec![y * (-z).max(0.0) + (1.0 - y) * z.max(0.0) + t])
        },
    )
    .line("L(y, z)", "as the library computes it", |case| {
        let (z, y) = pair(case);
        Ok(vec![BceWithLogits.loss(z, y)])
    })
}

/// The slope of binary cross entropy in the logit: prediction less truth.
fn bce_slope() -> Derivation {
    logit_and_label(Derivation::new(
        "bce-logits.derivation-slope",
        &["bce-logits", "bce-loss"],
        "The slope of binary cross entropy in the logit",
    ))
    .line(
        r"\frac{d}{dz} \Bigl( -y \ln \hat y - (1 - y) \ln(1 - \hat y) \Bigr), \qquad \hat y = \sigma(z)",
        "what is wanted; computed by differences over five points",
        |case| {
            let (z, y) = pair(case);
            Ok(vec![slope(z, H, |z| by_probability(probability(z), y))])
        },
    )
    .within("five-point differences of a rounded 1 − ŷ", 5e-12)
    .line(
        r"\Bigl( -\frac{y}{\hat y} + \frac{1 - y}{1 - \hat y} \Bigr)\, \sigma'(z)",
        r"the chain rule: the derivative in $\hat y$, times that of $\hat y$ in $z$",
        |case| {
            let (z, y) = pair(case);
            let p = probability(z);
            Ok(vec![(-y / p + (1.0 - y) / (1.0 - p)) * slope(z, H, probability)])
        },
    )
    .within("a few roundings", 2e-15)
    .line(
        r"\frac{\hat y - y}{\hat y (1 - \hat y)}\, \sigma'(z)",
        r"one denominator; in the numerator $-y(1 - \hat y) + (1 - y)\,\hat y = \hat y - y$",
        |case| {
            let (z, y) = pair(case);
            let p = probability(z);
            Ok(vec![(p - y) / (p * (1.0 - p)) * slope(z, H, probability)])
        },
    )
    .within("five-point differences, divided by ŷ(1 − ŷ)", 1e-10)
    .line(r"\hat y - y", r"$\sigma'(z) = \hat y (1 - \hat y)$ cancels the denominator", |case| {
        let (z, y) = pair(case);
        Ok(vec![probability(z) - y])
    })
    .within("a few roundings", 2e-15)
    .line(
        r"(1 - y)\,\sigma(z) - y\,\sigma(-z)",
        r"$\sigma(z) = (1 - y)\,\sigma(z) + y\,\sigma(z)$, and $1 - \sigma(z) = \sigma(-z)$; the library’s",
        |case| {
            let (z, y) = pair(case);
            Ok(vec![BceWithLogits.slopes(z, y).0])
        },
    )
}

/// The scores of a sample and its class.
fn sample<'a>(case: &Case<'a>) -> (&'a [f64], usize) {
    let s = &case.array("s").data;
    // A number from 0 to 1 is a share of the classes.
    (s, ((case.real("class") * s.len() as f64) as usize).min(s.len() - 1))
}

/// The slopes of f in each score.
fn slopes(s: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let entry = |k: usize| {
        slope(s[k], H, |x| {
            let mut there = s.to_vec();
            there[k] = x;
            f(&there)
        })
    };
    (0..s.len()).map(entry).collect()
}

fn sum_of_powers(s: &[f64]) -> f64 {
    s.iter().map(|s| s.exp()).sum()
}

/// The slope of softmax cross entropy in the scores: prediction less truth.
fn cross_entropy_slope() -> Derivation {
    Derivation::new(
        "softmax-ce.derivation",
        &["softmax-ce"],
        "The slope of softmax cross entropy in the scores",
    )
    .draw(Draw::size("k", 1..=5).limited(1.0..=12.0))
    .draw(Draw::array("s", -5.0..=5.0, &["k"]).limited(-20.0..=20.0))
    .draw(Draw::real("class", 0.0..=1.0).limited(0.0..=1.0))
    .line(
        r"\frac{\partial}{\partial s_k} \Bigl( -\ln \frac{e^{s_y}}{\sum_j e^{s_j}} \Bigr)",
        "what is wanted, $y$ being the true class; computed by differences over five points",
        |case| {
            let (s, y) = sample(case);
            Ok(slopes(s, |s| -(s[y].exp() / sum_of_powers(s)).ln()))
        },
    )
    .within("five-point differences", 1e-11)
    .line(
        r"\frac{\partial}{\partial s_k} \ln \sum_j e^{s_j} - \frac{\partial s_y}{\partial s_k}",
        "the logarithm of a quotient is a difference",
        |case| {
            let (s, y) = sample(case);
            let (first, second) = (slopes(s, |s| sum_of_powers(s).ln()), slopes(s, |s| s[y]));
            Ok(first.iter().zip(second).map(|(a, b)| a - b).collect())
        },
    )
    .line(
        r"\frac{1}{\sum_j e^{s_j}}\, \frac{\partial}{\partial s_k} \sum_j e^{s_j} - \delta_{ky}",
        r"the chain rule for the logarithm; and $\delta_{ky}$ is $1$ for $k = y$, else $0$",
        |case| {
            let (s, y) = sample(case);
            let mut entries: Vec<f64> =
                slopes(s, sum_of_powers).iter().map(|slope| slope / sum_of_powers(s)).collect();
            entries[y] -= 1.0;
            Ok(entries)
        },
    )
    .line(
        r"\frac{e^{s_k}}{\sum_j e^{s_j}} - \delta_{ky}",
        "of the sum only the term $j = k$ changes, and $e^x$ is its own derivative",
        |case| {
            let (s, y) = sample(case);
            let below = sum_of_powers(s);
            let truth = |k: usize| if k == y { 1.0 } else { 0.0 };
            Ok(s.iter().enumerate().map(|(k, s)| s.exp() / below - truth(k)).collect())
        },
    )
    .within("a few roundings", 2e-15)
    .line(
        r"p - \operatorname{one-hot}(y), \qquad p = \operatorname{softmax}(s)",
        "all entries at once: prediction less truth",
        |case| {
            let (s, y) = sample(case);
            let mut entries = softmax(&Tensor::from(s.to_vec()), 0)?.as_slice().to_vec();
            entries[y] -= 1.0;
            Ok(entries)
        },
    )
    .line(
        r"\nabla_s L",
        "the library’s backward pass, which adds up the others for the true class: nothing cancels",
        |case| {
            let (s, y) = sample(case);
            let scores = Tensor::from_vec(s.to_vec(), [1, s.len()])?;
            let class = u32::try_from(y).map_err(Failure::from)?;
            Ok(gradient(&CrossEntropy::new(&Tensor::from([class])), &scores)?.as_slice().to_vec())
        },
    )
}
