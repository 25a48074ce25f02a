//! How probable the labels are under the model: the likelihood, as the notes print it and as it is.

use crate::prediction::{check, log_odds};
use crate::symbols::{LABEL, N, PROBABILITY, THETA, X_I};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_losses::{BceWithLogits, Componentwise, Reduction};
use gradus_tensor::Tensor;

pub(crate) const FORMULA_DISPLAY: Formula = Formula {
    id: "logreg-likelihood-display",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Likelihood of independent labels",
    latex: r"p(y \mid X, \theta) = \prod_{i=1}^{n} p(y_i \mid x_i, \theta)",
    unicode: "p(y | X, θ) = ∏ᵢ p(yᵢ | xᵢ, θ)",
    symbols: &[LABEL, X_I, THETA, N],
    source: "Cox 1958; Hastie, Tibshirani & Friedman 2009, eq. 4.19",
    item: item!(fn log_likelihood_of),
    chapter: "likelihood",
    printed: Some(Printed {
        latex: r"p(y|X, \theta) = \hat{y} = p(y=1|X,\theta) \cdot \prod_{i=1}^n p(y_i=1|x_i,\theta)",
        reason: "the right side is about labels of 1 only, whatever y is, and has the joint probability twice: once whole, and once as \
                 the product that it equals",
        counterexample: "n = 1, ŷ = ½: printed ¼ for either label, ½ for both together; correct ½ for each, 1 together",
    }),
};

pub(crate) const FORMULA: Formula = Formula {
    id: "logreg-likelihood",
    title: "Bernoulli likelihood",
    latex: r"p(y \mid X, \theta) = \prod_{i=1}^{n} \hat y_i^{\,y_i} (1 - \hat y_i)^{1 - y_i}",
    unicode: "p(y | X, θ) = ∏ᵢ ŷᵢ^yᵢ (1 − ŷᵢ)^(1 − yᵢ)",
    symbols: &[LABEL, PROBABILITY, N],
    source: "Cox 1958; Bishop 2006, eq. 4.89",
    item: item!(fn likelihood),
    printed: Some(Printed {
        latex: r"\hat{y} = \prod_{i=1}^n \hat{y}_i \cdot (1-\hat{y}_i)^{1-y_i}",
        reason: "the exponent yᵢ of the first factor is missing, so that a sample of label 0 pays for both; and a likelihood is called ŷ, which \
                 is a probability of label 1 elsewhere",
        counterexample: "y = 0, ŷ = 0.2: printed 0.16, correct 0.8. Without features it is largest at 1/(2 − ȳ), for labels all 0 at ½",
    }),
    ..FORMULA_DISPLAY
};

/// The likelihood: how probable the labels are, given each sample's probability of label 1.
///
/// **Formula** `logreg-likelihood`: ∏ᵢ ŷᵢ^yᵢ (1 − ŷᵢ)^(1 − yᵢ).
///
/// **Shapes**: probability and labels `[N]`; a number. **Units**: probability.
///
/// **Gradient**: that of its logarithm, times itself; nobody descends on it.
///
/// **Numerics**: 0⁰ is 1. A product of a thousand factors near ½ is below the smallest number, and 0: use
/// [`log_likelihood_of`], or the logarithm, `gradus_losses::total_log_likelihood`.
///
/// **Errors**: different shapes, a probability outside [0, 1], a label that is not 0 or 1.
///
/// **Source**: Cox 1958; Bishop 2006, eq. 4.89.
///
/// ```
/// use gradus_logistic_regression::likelihood;
/// use gradus_tensor::Tensor;
/// let p = Tensor::from([0.5, 0.25]);
/// assert_eq!(likelihood(&p, &Tensor::from([1, 0]))?, 0.375); // ½ · ¾
/// # Ok::<(), gradus_logistic_regression::Error>(())
/// ```
pub fn likelihood(probability: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
    if let Some(bad) = probability.as_slice().iter().find(|p| **p < 0.0 || **p > 1.0) {
        return Err(crate::error::option("probability", bad, "0..=1"));
    }
    if probability.dims() != labels.dims() {
        let expected = format!("{}, as the probabilities", probability.shape());
        return Err(Error::Shape { what: "labels", expected, got: labels.shape() });
    }
    check_labels(labels, 2)?;
    let factor = |(&p, &y): (&f64, &u32)| if y == 1 { p } else { 1.0 - p };
    Ok(probability.as_slice().iter().zip(labels.as_slice()).map(factor).product())
}

/// The log-likelihood of coefficients: the logarithm of the labels' joint probability.
///
/// **Formula** `logreg-likelihood-display`: ln ∏ᵢ p(yᵢ | xᵢ, θ) = Σᵢ ln p(yᵢ | xᵢ, θ), −n times the binary cross entropy.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, labels `[N]`; a number. **Units**: nats, at most 0.
///
/// **Gradient**: [`gradient`](crate::gradient). It is concave in θ.
///
/// **Numerics**: from the log-odds, without probabilities: neither overflow nor a logarithm of 0.
///
/// **Errors**: shapes that do not fit, a label that is not 0 or 1. **Source**: Hastie, Tibshirani & Friedman 2009, eq. 4.20.
///
/// ```
/// use gradus_logistic_regression::log_likelihood_of;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0], [1.0], [1.0]]);
/// let l = log_likelihood_of(&x, &Tensor::from([0.0]), &Tensor::from([1, 0, 1]))?;
/// assert!((l - 3.0 * 0.5f64.ln()).abs() < 1e-15);
/// # Ok::<(), gradus_logistic_regression::Error>(())
/// ```
pub fn log_likelihood_of(x: &Tensor<f64>, theta: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
    let n = check(x, theta)?;
    check_labelled(labels, n, 2)?;
    let z = log_odds(x, theta)?;
    Ok(-z.zip(labels, |z, y| BceWithLogits.loss(z, f64::from(y)))?.sum())
}

/// The mean loss of log-odds: −1/n times the log-likelihood.
pub(crate) fn mean_loss(log_odds: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
    use gradus_autograd::Op;
    let loss = gradus_losses::Elementwise { loss: BceWithLogits, reduction: Reduction::Mean };
    Ok(loss.eval([log_odds, &labels.map(f64::from)])?.item()?)
}

/// Labels `[N]`, each a class.
pub(crate) fn check_labelled(labels: &Tensor<u32>, n: usize, classes: usize) -> Result<()> {
    if labels.dims() != [n] {
        let expected = format!("[{n}], one for each row of X");
        return Err(Error::Shape { what: "labels", expected, got: labels.shape() });
    }
    check_labels(labels, classes)
}

fn check_labels(labels: &Tensor<u32>, classes: usize) -> Result<()> {
    match labels.as_slice().iter().position(|&y| y as usize >= classes) {
        Some(row) => Err(Error::Label { row, label: labels.as_slice()[row], classes }),
        None => Ok(()),
    }
}
