//! Binary cross entropy, from probabilities as the notes print it and from logits as it is computed; and the
//! Bernoulli log-likelihood that it is the negative mean of.

use crate::symbols::{LABEL, LOGIT, N, PROBABILITY};
use crate::{Componentwise, Elementwise, Reduction};
use gradus_activations::sigmoid;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::math::{ln, ln_1p, softplus_tail};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA_SAMPLE: Formula = Formula {
    id: "bce-per-sample",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Bernoulli log-likelihood of a sample",
    latex: r"\ell(\hat y_i, y_i) = y_i \ln \hat y_i + (1 - y_i) \ln(1 - \hat y_i)",
    unicode: "ℓ(ŷᵢ, yᵢ) = yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ)",
    symbols: &[LABEL, PROBABILITY],
    source: "Cox 1958; Bishop 2006, eq. 4.89–4.90",
    item: item!(fn log_likelihood),
    chapter: "losses",
    printed: Some(Printed {
        latex: r"\mathcal{L}(\hat{y}_i, y_i) = y_i \log \hat{y}_i + (1-y_i) \log (1-\hat{y}_i)",
        reason: "called a loss, it has the wrong sign: it is a log-likelihood, at most 0, to be maximised",
        counterexample: "ŷ = 0.9, y = 1: −0.105; minimising it drives ŷ to 0",
    }),
};

pub(crate) const FORMULA_CASES: Formula = Formula {
    id: "bce-cases",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "The two cases of the log-likelihood",
    latex: r"\ell(\hat y_i, 1) = \ln \hat y_i, \qquad \ell(\hat y_i, 0) = \ln(1 - \hat y_i)",
    unicode: "ℓ(ŷ, 1) = ln ŷ, ℓ(ŷ, 0) = ln(1 − ŷ)",
    item: item!(fn log_likelihood),
    printed: None,
    ..FORMULA_SAMPLE
};

pub(crate) const FORMULA_BOXED: Formula = Formula {
    id: "bce-boxed",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Bernoulli log-likelihood of a batch",
    latex: r"\ell(\theta) = \sum_{i=1}^{n} \bigl( y_i \ln \hat y_i + (1 - y_i) \ln(1 - \hat y_i) \bigr)",
    unicode: "ℓ = Σᵢ (yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ))",
    symbols: &[LABEL, PROBABILITY, N],
    item: item!(fn total_log_likelihood),
    printed: Some(Printed {
        latex: r"\sum_{i=1}^n y_i \log \hat{y}_i + (1-y_i) \log (1-\hat{y}_i)",
        reason: "boxed under the name BCE: it is the log-likelihood, −n times the BCE",
        counterexample: "ŷ = 0.9, y = 1: −0.105, where a loss is +0.105",
    }),
    ..FORMULA_SAMPLE
};

pub(crate) const FORMULA_MINIMIZATION: Formula = Formula {
    id: "bce-minimization",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "From likelihood to loss",
    latex: r"\mathrm{BCE} = -\frac{1}{n} \sum_{i=1}^{n} \ell(\hat y_i, y_i)",
    unicode: "BCE = −(1/n) Σᵢ ℓ(ŷᵢ, yᵢ)",
    symbols: &[LABEL, PROBABILITY, N],
    item: item!(fn bce),
    printed: Some(Printed {
        latex: r"-\frac{1}{n} \sum_{i=0}^n \mathcal{L}(\hat{y}_i, y_i)",
        reason: "from 0 to n there are n + 1 terms over n samples",
        counterexample: "one sample with ℓ = −1, counted twice: 2 instead of 1",
    }),
    ..FORMULA_SAMPLE
};

pub(crate) const FORMULA: Formula = Formula {
    id: "bce-loss",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Binary cross entropy",
    latex: r"L(y, \hat y) = -\frac{1}{n} \sum_{i=1}^{n} \bigl( y_i \ln \hat y_i + (1 - y_i) \ln(1 - \hat y_i) \bigr)",
    unicode: "L = −(1/n) Σᵢ [yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ)]",
    symbols: &[LABEL, PROBABILITY, N],
    item: item!(fn bce),
    printed: Some(Printed {
        latex: r"-\frac{1}{n} \sum_{i=1}^n y_i \cdot \log \hat{y}_i + (1-y_i) \cdot \log (1-\hat{y}_i)",
        reason: "without brackets the minus and the sum end at the first product, and the second one's i is nobody's",
        counterexample: "n = 1, y = 0, ŷ = 0.9: printed −2.30, correct +2.30",
    }),
    ..FORMULA_SAMPLE
};

pub(crate) const FORMULA_LOGITS: Formula = Formula {
    id: "bce-logits",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Binary cross entropy from logits",
    latex: r"L(y, z) = y \ln(1 + e^{-z}) + (1 - y) \ln(1 + e^{z})",
    unicode: "L = y ln(1 + e⁻ᶻ) + (1 − y) ln(1 + eᶻ)",
    symbols: &[LABEL, LOGIT],
    item: item!(fn bce_with_logits),
    printed: None,
    ..FORMULA_SAMPLE
};

pub(crate) const FORMULA_USAGE: Formula = Formula {
    id: "bce-ce-usage",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "BCE for two classes, cross entropy for several",
    latex: r"\mathrm{CE}\bigl((0, z), y\bigr) = \mathrm{BCE}(z, y)",
    unicode: "CE((0, z), y) = BCE(z, y)",
    symbols: &[LABEL, LOGIT],
    item: item!(fn bce_with_logits),
    printed: None,
    ..FORMULA_SAMPLE
};

/// x·ln(y), 0 for x = 0 whatever y ≥ 0 is: what an event of no weight contributes.
#[inline(always)]
pub(crate) fn x_ln_y<T: Scalar>(x: T, y: T) -> T {
    if x == T::ZERO && y >= T::ZERO { T::ZERO } else { x * ln(y) }
}

/// The Bernoulli log-likelihood of one label.
///
/// **Formula** `bce-per-sample`: y ln ŷ + (1 − y) ln(1 − ŷ), y the label (0, 1, or between), ŷ the probability of 1.
///
/// **Shapes**: numbers. **Units**: probability to nats, at most 0.
///
/// **Gradient**: y/ŷ − (1 − y)/(1 − ŷ) in ŷ.
///
/// **Numerics**: 0·ln 0 is 0; a certain and wrong prediction has −∞. ln(1 − ŷ) by `ln_1p`.
///
/// **Errors**: none; NaN outside [0, 1].
///
/// **Source**: Cox 1958; Bishop 2006, eq. 4.89–4.90.
///
/// ```
/// use gradus_losses::log_likelihood;
/// assert_eq!(log_likelihood(0.25, 1.0), 0.25f64.ln());
/// assert_eq!(log_likelihood(1.0, 1.0), 0.0);
/// assert_eq!(log_likelihood(1.0, 0.0), f64::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn log_likelihood<T: Scalar>(probability: T, label: T) -> T {
    let against = T::ONE - label;
    let no =
        if against == T::ZERO && probability <= T::ONE { T::ZERO } else { against * ln_1p(-probability) };
    x_ln_y(label, probability) + no
}

/// The log-likelihood of a batch of labels, their sum: what the notes box under the name BCE.
///
/// **Formula** `bce-boxed`: Σᵢ (yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ)) = −n·BCE.
///
/// **Shapes**: both of one shape; a number. **Units**: nats, at most 0.
///
/// **Gradient**: −n times that of [`bce`]. **Numerics**: those of [`log_likelihood`].
///
/// **Errors**: different shapes, a probability or label outside [0, 1]. **Source**: Bishop 2006, eq. 4.89.
///
/// ```
/// use gradus_losses::total_log_likelihood;
/// use gradus_tensor::Tensor;
/// let l = total_log_likelihood(&Tensor::from([0.5f64, 0.5]), &Tensor::from([1.0, 0.0]))?;
/// assert_eq!(l, -2.0 * 2f64.ln());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn total_log_likelihood<T: Scalar>(probability: &Tensor<T>, label: &Tensor<T>) -> Result<T> {
    Ok(-Elementwise { loss: Bce, reduction: Reduction::Sum }.eval([probability, label])?.item()?)
}

/// Binary cross entropy of probabilities: the mean over samples of the sum over components.
///
/// **Formula** `bce-loss`: −(1/n) Σᵢ [yᵢ ln ŷᵢ + (1 − yᵢ) ln(1 − ŷᵢ)].
///
/// **Shapes**: probability and label of one shape, `[N, …]`; the result has no dimensions. **Units**: nats, at least 0.
///
/// **Gradient**: ((1 − y)/(1 − ŷ) − y/ŷ)/n in ŷ.
///
/// **Numerics**: a probability has lost what the logit knew: ŷ = 1 − 10⁻¹⁷ *is* 1, and the loss ∞ for y = 0. Nothing is
/// clamped (PyTorch cuts the logarithm at −100). Prefer [`bce_with_logits`].
///
/// **Errors**: different shapes, a probability or label outside [0, 1].
///
/// **Source**: Bishop 2006, eq. 4.90.
///
/// ```
/// use gradus_losses::bce;
/// use gradus_tensor::Tensor;
/// let loss = bce(&Tensor::from([0.25f64, 0.5]), &Tensor::from([1.0, 0.0]))?;
/// assert!((loss.item()? - 1.5 * 2f64.ln()).abs() < 1e-15); // (ln 4 + ln 2) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn bce<T: Scalar>(probability: &Tensor<T>, label: &Tensor<T>) -> Result<Tensor<T>> {
    Elementwise { loss: Bce, reduction: Reduction::Mean }.eval([probability, label])
}

/// Binary cross entropy of logits: the mean over samples of the sum over components.
///
/// **Formula** `bce-logits`: y ln(1 + e⁻ᶻ) + (1 − y) ln(1 + eᶻ), the BCE of ŷ = σ(z).
///
/// **Shapes**: logit and label of one shape, `[N, …]`; the result has no dimensions. **Units**: nats, at least 0.
///
/// **Gradient**: (σ(z) − y)/n in z, at most 1/n: computed as (1 − y)σ(z) − yσ(−z), which does not cancel.
///
/// **Numerics**: with t = ln(1 + e^−|z|), y·max(−z, 0) + (1 − y)·max(z, 0) + t: no overflow, and a confident correct
/// prediction keeps a loss above 0 (4·10⁻¹⁸ at z = 40). The usual max(z, 0) − zy + t cancels: to 0 if t is added before zy
/// is subtracted, and in any order it loses digits for a label just below 1.
///
/// **Errors**: different shapes, a label outside [0, 1].
///
/// **Source**: Bishop 2006, eq. 4.90.
///
/// ```
/// use gradus_losses::bce_with_logits;
/// use gradus_tensor::Tensor;
/// let loss = bce_with_logits(&Tensor::from([0.0f64, 1000.0]), &Tensor::from([1.0, 0.0]))?;
/// assert_eq!(loss.item()?, (2f64.ln() + 1000.0) / 2.0);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn bce_with_logits<T: Scalar>(logit: &Tensor<T>, label: &Tensor<T>) -> Result<Tensor<T>> {
    Elementwise { loss: BceWithLogits, reduction: Reduction::Mean }.eval([logit, label])
}

/// Of a number outside of 0..=1: what is said of it.
#[inline(always)]
pub(crate) fn unit_interval<T: Scalar>(x: T, name: &'static str) -> Option<(T, &'static str, &'static str)> {
    // A NaN is not outside: it passes through.
    if (x < T::ZERO) | (x > T::ONE) { Some((x, name, "0..=1")) } else { None }
}

/// Binary cross entropy of a probability.
#[derive(Debug, Clone, Copy)]
pub struct Bce;

impl Componentwise for Bce {
    const NAME: &'static str = "bce";

    #[inline(always)]
    fn loss<T: Scalar>(self, probability: T, label: T) -> T {
        // 0 − x and not −x: a loss of 0 has no sign.
        T::ZERO - log_likelihood(probability, label)
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, probability: T, label: T) -> (T, T) {
        let (for_one, for_zero) = (label, T::ONE - label);
        let part = |weight: T, p: T| if weight == T::ZERO { T::ZERO } else { weight / p };
        let slope = part(for_zero, T::ONE - probability) - part(for_one, probability);
        (slope, ln_1p(-probability) - ln(probability))
    }

    #[inline(always)]
    fn outside<T: Scalar>(self, probability: T, label: T) -> Option<(T, &'static str, &'static str)> {
        unit_interval(probability, "probability").or(unit_interval(label, "label"))
    }
}

/// y·max(−z, 0) + (1 − y)·max(z, 0): what a certain prediction of the wrong label costs.
#[inline(always)]
fn wrong_side<T: Scalar>(logit: T, label: T) -> T {
    let (miss, cost) = if logit > T::ZERO { (T::ONE - label, logit) } else { (label, -logit) };
    // An infinite logit on the right side costs nothing: 0·∞ is not meant.
    if (miss == T::ZERO) & (cost == T::INFINITY) { T::ZERO } else { miss * cost }
}

/// Binary cross entropy of a logit.
#[derive(Debug, Clone, Copy)]
pub struct BceWithLogits;

impl Componentwise for BceWithLogits {
    const NAME: &'static str = "bce_with_logits";

    #[inline(always)]
    fn loss<T: Scalar>(self, logit: T, label: T) -> T {
        wrong_side(logit, label) + softplus_tail(logit).1
    }

    // With e = exp(−|z|), the three of them are ln(1 + e), 1/(1 + e) and e/(1 + e).
    #[inline(always)]
    fn loss_and_slope<T: Scalar>(self, logit: T, label: T) -> (T, T) {
        let (e, tail) = softplus_tail(logit);
        let large = T::ONE / (T::ONE + e);
        let small = e * large;
        let (yes, no) = if logit > T::ZERO { (large, small) } else { (small, large) };
        (wrong_side(logit, label) + tail, (T::ONE - label) * yes - label * no)
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, logit: T, label: T) -> (T, T) {
        ((T::ONE - label) * sigmoid(logit) - label * sigmoid(-logit), -logit)
    }

    #[inline(always)]
    fn outside<T: Scalar>(self, _: T, label: T) -> Option<(T, &'static str, &'static str)> {
        unit_interval(label, "label")
    }
}
