//! Cross entropy from scores: softmax, logarithm, loss and gradient in one operation.

use crate::Reduction;
use crate::classes;
use crate::reduction::{checked_weights, scaled};
use crate::symbols::{CLASS, N, SCORES};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::kernel::{BLOCK, for_each_block, for_each_block_of_two, row, sum_by, vectorize};
use gradus_tensor::math::{exp_nonpositive, ln, ln_1p};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "softmax-ce",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Softmax cross entropy of a sample",
    latex: r"L_i = -\ln\frac{e^{s_{y}}}{\sum_k e^{s_k}} = \ln\Bigl(1 + \sum_{k \ne y} e^{s_k - s_y}\Bigr)",
    unicode: "L = −ln(exp(s_y) / Σₖ exp(sₖ)) = ln(1 + Σ_{k≠y} exp(sₖ − s_y))",
    symbols: &[SCORES, CLASS],
    source: "Bridle 1990; Goodfellow, Bengio & Courville 2016, §6.2.2.3",
    item: item!(fn cross_entropy),
    chapter: "losses",
    printed: None,
};

pub(crate) const FORMULA_SATURATION: Formula = Formula {
    id: "ce-never-saturates",
    kind: Kind::Claim,
    title: "Cross entropy never reaches 0",
    latex: r"L_i > 0 \quad\text{for finite scores}",
    unicode: "L > 0 for finite scores",
    ..FORMULA
};

const SOFT_TARGET: Symbol = Symbol {
    latex: "y_{ik}",
    code: "target",
    meaning: "the true probability of class k for sample i; 1 for the true class of a hard label",
    shape: "[N, K]",
    unit: "probability",
};
const SOFT_PREDICTION: Symbol = Symbol {
    latex: r"\hat y_{ik}",
    code: "probability",
    meaning: "the predicted probability of class k for sample i",
    shape: "[N, K]",
    unit: "probability",
};

pub(crate) const FORMULA_CE: Formula = Formula {
    id: "ce-loss",
    verdict: Verdict::Ambiguous,
    title: "Cross entropy",
    latex: r"L = -\frac{1}{n} \sum_{i=1}^{n} \sum_{k=1}^{K} y_{ik} \ln \hat y_{ik}",
    unicode: "L = −(1/n) Σᵢ Σₖ yᵢₖ ln ŷᵢₖ",
    symbols: &[N, SOFT_TARGET, SOFT_PREDICTION],
    item: item!(fn soft_cross_entropy),
    printed: Some(Printed {
        latex: r"- \sum_{i=1}^n \sum_{k=1}^K (y_{ik} \cdot \log \hat{y}_{ik})",
        reason: "no 1/n here, but in L1, MSE and BCE a few lines above. We take the mean; the printed sum is Reduction::Sum",
        counterexample: "the same batch twice doubles it, and leaves the BCE as it was",
    }),
    ..FORMULA
};

pub(crate) const FORMULA_GENERAL: Formula = Formula {
    id: "bce-general-case",
    verdict: Verdict::Wrong,
    title: "The general case: K classes",
    latex: r"L = -\frac{1}{N} \sum_{j=1}^{N} \sum_{k=1}^{K} y_{jk} \ln \hat y_{jk}",
    unicode: "L = −(1/N) Σⱼ Σₖ yⱼₖ ln ŷⱼₖ",
    symbols: &[SOFT_TARGET, SOFT_PREDICTION],
    item: item!(fn categorical_cross_entropy),
    printed: Some(Printed {
        latex: r"\mathcal{L}(\hat{y}_i, y_i) = \sum_{j=1}^N \sum_{i=1}^C y_{ij} \log \hat{y}_{ij}",
        reason: "the minus and the 1/N are missing, the left side is one sample's and the right side the batch's, and i \
                 is a class here and a sample two lines above. It is not binary either",
        counterexample: "one sample, ŷ = (½, ½): printed −0.693, correct +0.693",
    }),
    ..FORMULA
};

/// Cross entropy of scores against class numbers: the mean over samples.
///
/// **Formula** `softmax-ce`: L = −ln softmax(s)_y = ln(1 + Σ_{k≠y} exp(sₖ − s_y)).
///
/// **Shapes**: scores `[N, K]`, classes `[N]`; the result has no dimensions. **Units**: nats, above 0.
///
/// **Gradient**: (softmax(s) − one-hot(y))/n. [`CrossEntropy`] has weights, ignored samples, label smoothing and other
/// reductions.
///
/// **Numerics**: where the true class has the largest score, ln_1p of the other classes' share; else by the largest score.
/// lse(s) − s_y would be exactly 0 from a margin of 37 on; this stays above 0 up to a margin of 745.
///
/// **Errors**: scores that are no matrix, another number of classes than rows, a class of K or more.
///
/// **Source**: Bridle 1990; Goodfellow, Bengio & Courville 2016, §6.2.2.3.
///
/// ```
/// use gradus_losses::cross_entropy;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([[0.0f64, 0.0], [100.0, 0.0]]);
/// let loss = cross_entropy(&scores, &Tensor::from([1u32, 0]))?.item()?;
/// assert!((loss - (2f64.ln() + (-100f64).exp()) / 2.0).abs() < 1e-16);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn cross_entropy<T: Scalar>(scores: &Tensor<T>, classes: &Tensor<u32>) -> Result<Tensor<T>> {
    CrossEntropy::new(classes).eval([scores])
}

/// Cross entropy of scores against class numbers, with everything that can vary, as an operation on `[scores]`.
///
/// The mean divides by the sum of the weights that took part: class weight × sample weight, 0 for an ignored sample. A batch
/// of which every sample is ignored has loss 0 and gradient 0. Nothing that stands in an ignored row matters, not even a NaN.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_losses::CrossEntropy;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([[0.0, 0.0], [f64::NAN, 1.0]]);
/// let classes = Tensor::from([1u32, 99]);
/// let loss = CrossEntropy::new(&classes).ignore(99).eval([&scores])?;
/// assert_eq!(loss.item()?, 2f64.ln()); // one sample took part, so it is divided by 1
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CrossEntropy {
    classes: Vec<u32>,
    reduction: Reduction,
    smoothing: f64,
    class_weights: Option<Vec<f64>>,
    sample_weights: Option<Vec<f64>>,
    ignored: Option<u32>,
}

impl CrossEntropy {
    /// Against these classes, one a row of the scores.
    pub fn new(classes: &Tensor<u32>) -> Self {
        Self {
            classes: classes.as_slice().to_vec(),
            reduction: Reduction::Mean,
            smoothing: 0.0,
            class_weights: None,
            sample_weights: None,
            ignored: None,
        }
    }

    /// With another reduction.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// With labels smoothed: (1 − α) on the true class, α spread evenly over all K.
    #[must_use]
    pub fn label_smoothing(mut self, alpha: f64) -> Self {
        self.smoothing = alpha;
        self
    }

    /// With a weight for each class: a sample counts as its true class does, smoothed or not.
    #[must_use]
    pub fn class_weights(mut self, weights: &[f64]) -> Self {
        self.class_weights = Some(weights.to_vec());
        self
    }

    /// With a weight for each sample: a weight of k is the sample k times, 0 its absence.
    #[must_use]
    pub fn sample_weights(mut self, weights: &[f64]) -> Self {
        self.sample_weights = Some(weights.to_vec());
        self
    }

    /// Leaves samples of this class out; it need not be a class at all.
    #[must_use]
    pub fn ignore(mut self, class: u32) -> Self {
        self.ignored = Some(class);
        self
    }

    /// N and K, and each sample's weight.
    fn prepare<T: Scalar>(&self, scores: &Tensor<T>) -> Result<(usize, usize, Vec<T>)> {
        let op = "cross_entropy";
        let (n, k) = classes::shape(op, scores, &self.classes)?;
        if !(0.0..=1.0).contains(&self.smoothing) {
            let (value, allowed) = (self.smoothing.to_string(), "0..=1".into());
            return Err(Error::Argument { op, name: "label_smoothing", value, allowed });
        }
        let by_class = match &self.class_weights {
            Some(w) => Some(checked_weights::<T>(op, "class_weights", w, k)?),
            None => None,
        };
        let mut weights = match &self.sample_weights {
            Some(w) => checked_weights(op, "sample_weights", w, n)?,
            None => vec![T::ONE; n],
        };
        for (i, (weight, &class)) in weights.iter_mut().zip(&self.classes).enumerate() {
            if self.ignored == Some(class) {
                *weight = T::ZERO;
            } else if class as usize >= k {
                return Err(classes::outside(op, class, i, k));
            } else if let Some(by_class) = &by_class {
                *weight *= by_class[class as usize];
            }
        }
        Ok((n, k, weights))
    }
}

/// What the gradient of a sample is made of: the derivative in the score of class k ≠ y is `eₖ·slope − even`.
struct Slope<T> {
    slope: T,
    even: T,
    /// The derivative in the score of the true class.
    own: T,
}

/// The loss of one sample; `powers` becomes exp(s − max), but 0 for the true class.
#[inline(always)]
fn sample<T: Scalar>(scores: &[T], class: usize, smoothing: T, factor: T, powers: &mut [T]) -> (T, Slope<T>) {
    let k = T::of(scores.len() as f64);
    // A NaN makes its own power NaN, and so the sum.
    let (max, own) = (row::largest(scores), scores[class]);
    for (power, &s) in powers.iter_mut().zip(scores) {
        *power = exp_nonpositive(s - max);
    }
    powers[class] = T::ZERO;
    let others = row::sum_by(powers, |power| power);
    let sum = others + exp_nonpositive(own - max);
    // max − s_y + ln Σ: where the true class has the maximum, the sum is 1 + others.
    let log_sum = if own == max { ln_1p(others) } else { ln(sum) };
    let hard = (max - own) + log_sum;
    let even = smoothing / k;
    // p_y − 1 is −(the others' share), without cancellation.
    let slope =
        Slope { slope: factor / sum, even: even * factor, own: (smoothing - others / sum - even) * factor };
    if smoothing == T::ZERO {
        return (hard, slope);
    }
    let mean_gap = row::sum_by(
        scores,
        #[inline(always)]
        |s| max - s,
    ) / k;
    ((T::ONE - smoothing) * hard + smoothing * (mean_gap + log_sum), slope)
}

impl CrossEntropy {
    /// [`sample`] of row i.
    #[inline(always)]
    fn row<T: Scalar>(&self, scores: &[T], i: usize, factor: T, powers: &mut [T]) -> (T, Slope<T>) {
        let scores = &scores[i * powers.len()..][..powers.len()];
        sample(scores, self.classes[i] as usize, T::of(self.smoothing), factor, powers)
    }

    /// The reduced loss; where `gradient` has room, also its derivative in the scores.
    fn compute<T: Scalar>(&self, scores: &Tensor<T>, gradient: &mut [T]) -> Result<Tensor<T>> {
        let (n, k, weights) = self.prepare(scores)?;
        let total = match self.reduction {
            Reduction::Mean => sum_by(&weights, |w| w),
            _ => T::ONE,
        };
        let mut losses = vec![T::ZERO; n];
        let group = (BLOCK / k.max(1)).max(1);
        let scores = scores.as_slice();
        // An ignored row is not looked at: its class need not exist.
        let ignored = |i: usize| weights[i] == T::ZERO;
        if gradient.is_empty() {
            for_each_block(&mut losses, group, |g, losses| {
                let mut powers = vec![T::ZERO; k];
                vectorize(
                    #[inline(always)]
                    || {
                        for (i, loss) in (g * group..).zip(losses) {
                            if !ignored(i) {
                                *loss = self.row(scores, i, weights[i] / total, &mut powers).0;
                            }
                        }
                    },
                );
            });
        } else {
            for_each_block_of_two((gradient, group * k), (&mut losses, group), |g, gradient, losses| {
                vectorize(
                    #[inline(always)]
                    || {
                        for ((i, loss), row) in (g * group..).zip(losses).zip(gradient.chunks_exact_mut(k)) {
                            if ignored(i) {
                                row.fill(T::ZERO);
                                continue;
                            }
                            let slope;
                            (*loss, slope) = self.row(scores, i, weights[i] / total, row);
                            for p in row.iter_mut() {
                                *p = Scalar::mul_add(*p, slope.slope, -slope.even);
                            }
                            row[self.classes[i] as usize] = slope.own;
                        }
                    },
                );
            });
        }
        Ok(self.reduction.apply(losses, Some(&weights)).0)
    }
}

impl<T: Scalar> Op<T, 1> for CrossEntropy {
    /// The derivative in the scores, made in the same pass as the loss: N·K numbers.
    type Saved = Tensor<T>;

    fn forward(&self, [scores]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        let mut loss = Ok(Tensor::scalar(T::ZERO));
        let gradient = Tensor::compute(scores.shape(), |out| loss = self.compute(scores, out))?;
        Ok((loss?, gradient))
    }

    fn eval(&self, [scores]: [&Tensor<T>; 1]) -> Result<Tensor<T>> {
        self.compute(scores, &mut [])
    }

    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        gradient: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_scores]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants_scores {
            return Ok([None]);
        }
        let out = match (self.reduction, dy.as_slice()) {
            // A row without weight has gradient 0, whatever came back to it.
            (Reduction::None, _) => gradient.zip(&dy.insert_axis(1)?, |g, dy| scaled(dy, g))?,
            (_, [dy]) if *dy == T::ONE => gradient.clone(),
            (_, [dy]) => gradient.map(|g| scaled(*dy, g)),
            _ => {
                return Err(Error::Shape {
                    op: "cross_entropy",
                    expected: "one number".into(),
                    got: dy.shape(),
                });
            }
        };
        Ok([Some(out)])
    }
}

/// Cross entropy of scores against probabilities: the mean over samples.
///
/// **Formula** `ce-loss`: −(1/n) Σᵢ Σₖ yᵢₖ ln ŷᵢₖ with ŷ = softmax(s).
///
/// **Shapes**: scores and target `[N, K]`; the result has no dimensions. **Units**: nats, at least the target's entropy.
///
/// **Gradient**: (softmax(s)·Σₖyₖ − y)/n in the scores, −ln ŷ/n in the target. [`SoftCrossEntropy`] has other reductions.
///
/// **Numerics**: by [`log_softmax`](gradus_activations::log_softmax); a target of 0 contributes 0, whatever its score.
///
/// **Errors**: shapes other than `[N, K]` twice, a target below 0.
///
/// **Source**: Goodfellow, Bengio & Courville 2016, §6.2.2.3.
///
/// ```
/// use gradus_losses::soft_cross_entropy;
/// use gradus_tensor::Tensor;
/// let loss = soft_cross_entropy(&Tensor::from([[0.0f64, 0.0]]), &Tensor::from([[0.3, 0.7]]))?;
/// assert!((loss.item()? - 2f64.ln()).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn soft_cross_entropy<T: Scalar>(scores: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    SoftCrossEntropy { reduction: Reduction::Mean }.eval([scores, target])
}

/// Cross entropy of scores against probabilities, as an operation on `[scores, target]`.
#[derive(Debug, Clone, Copy)]
pub struct SoftCrossEntropy {
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

fn soft_shapes<T: Scalar>(op: &'static str, left: &Tensor<T>, target: &Tensor<T>) -> Result<usize> {
    let (2, n, true) = (left.rank(), left.dims()[0], left.shape() == target.shape()) else {
        let expected = format!("[N, K] for both; the target has {}", target.shape());
        return Err(Error::Shape { op, expected, got: left.shape() });
    };
    if let Some(i) = target.as_slice().iter().position(|&t| t < T::ZERO) {
        let value = format!("{} (number {i})", target.as_slice()[i]);
        return Err(Error::Argument { op, name: "target", value, allowed: "at least 0".into() });
    }
    Ok(n)
}

impl<T: Scalar> Op<T, 2> for SoftCrossEntropy {
    /// The log-probabilities, `[N, K]`.
    type Saved = Tensor<T>;

    fn forward(&self, [scores, target]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, Tensor<T>)> {
        soft_shapes("soft_cross_entropy", scores, target)?;
        let log_p = gradus_activations::log_softmax(scores, 1)?;
        let losses =
            target.zip(&log_p, |t, l| if t == T::ZERO { T::ZERO } else { -(t * l) })?.sum_axis(1)?.into_vec();
        Ok((self.reduction.apply(losses, None).0, log_p))
    }

    // In the scores: p·Σt − t; in the target: −ln p.
    fn vjp(
        &self,
        [_, target]: [&Tensor<T>; 2],
        log_p: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_scores, wants_target]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let n = target.dims()[0];
        let factors = (0..n).map(|i| self.reduction.spread(i, dy, T::ONE, T::of(n as f64)));
        let factors = factors.collect::<Tensor<T>>().insert_axis(1)?;
        let in_scores = || log_p.exp().mul(&target.sum_axis(1)?.insert_axis(1)?)?.sub(target)?.mul(&factors);
        let in_target = || log_p.neg().mul(&factors);
        Ok([
            if wants_scores { Some(in_scores()?) } else { None },
            if wants_target { Some(in_target()?) } else { None },
        ])
    }
}

/// Cross entropy of probabilities against probabilities, as the notes print it: the mean over samples.
///
/// **Formula** `bce-general-case`: −(1/N) Σⱼ Σₖ yⱼₖ ln ŷⱼₖ.
///
/// **Shapes**: both `[N, K]`; a number. **Units**: nats.
///
/// **Gradient**: −y/(N·ŷ) in ŷ; to train, take [`soft_cross_entropy`] of scores. **Numerics**: 0·ln 0 is 0.
///
/// **Errors**: other shapes, a target below 0. **Source**: Bishop 2006, eq. 4.108.
///
/// ```
/// use gradus_losses::categorical_cross_entropy;
/// use gradus_tensor::Tensor;
/// let loss = categorical_cross_entropy(&Tensor::from([[0.5f64, 0.5]]), &Tensor::from([[1.0, 0.0]]))?;
/// assert_eq!(loss, 2f64.ln());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn categorical_cross_entropy<T: Scalar>(probability: &Tensor<T>, target: &Tensor<T>) -> Result<T> {
    let n = soft_shapes("categorical_cross_entropy", probability, target)?;
    let terms = target.zip(probability, crate::bce::x_ln_y)?;
    if n == 0 { Ok(T::ZERO) } else { Ok(-terms.sum() / T::of(n as f64)) }
}
