//! Softmax: from scores to a probability distribution, along any axis, at any temperature.

use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Dtype, Error, Result, Scalar, Tensor};

pub(crate) const SCORES: Symbol = Symbol {
    latex: "s",
    code: "scores",
    meaning: "the scores (logits) of one sample, one a class",
    shape: "[N, K]",
    unit: "nats",
};
const CLASSES: Symbol =
    Symbol { latex: "K", code: "classes", meaning: "the number of classes", shape: "[]", unit: "count" };
pub(crate) const TEMPERATURE: Symbol = Symbol {
    latex: r"\tau",
    code: "temperature",
    meaning: "the temperature: 1 as printed, towards 0 the largest score takes all, towards ∞ all are equal",
    shape: "[]",
    unit: "1",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "softmax",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Softmax",
    latex: r"\operatorname{softmax}(s)_k = \frac{e^{s_k / \tau}}{\sum_{j=1}^{K} e^{s_j / \tau}}",
    unicode: "softmax(s)ₖ = exp(sₖ/τ) / Σⱼ exp(sⱼ/τ)",
    symbols: &[SCORES, CLASSES, TEMPERATURE],
    source: "Bridle 1990; Bishop, Pattern Recognition and Machine Learning, eq. 4.62",
    item: item!(fn softmax),
    chapter: "activations",
    printed: None,
};

/// From scores to a probability distribution along one axis.
///
/// **Formula** `softmax`: exp(sₖ) / Σⱼ exp(sⱼ), the sum over the axis.
///
/// **Shapes**: any, commonly `[N, K]` with axis 1; the result has the shape of the scores. **Units**: nats to
/// probabilities.
///
/// **Gradient**: the Jacobian is diag(p) − p·pᵀ; against a cotangent v it gives p∘(v − ⟨p, v⟩). See [`Softmax`], which
/// has the temperature too.
///
/// **Numerics**: e¹⁰⁰⁰ overflows. The largest score along the axis is subtracted first, which changes nothing (shift
/// invariance) and makes the largest exponential e⁰ = 1. For ln p use [`log_softmax`](crate::log_softmax), never the
/// logarithm of this.
///
/// **Errors**: no such axis. A score of −∞ has probability 0; a row of −∞ alone has no distribution and gives NaN,
/// as does a row with a NaN or +∞; other rows are not touched.
///
/// **Source**: Bridle 1990; Bishop 2006, eq. 4.62.
///
/// ```
/// use gradus_activations::softmax;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([[0.0, 3f64.ln()], [1000.0, 1000.0]]);
/// let p = softmax(&scores, 1)?;
/// assert!(p.all_close(&Tensor::from([[0.25, 0.75], [0.5, 0.5]]), 0.0, 1e-15)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn softmax<T: Scalar>(scores: &Tensor<T>, axis: usize) -> Result<Tensor<T>> {
    Softmax { axis, temperature: 1.0 }.eval([scores])
}

/// [`softmax`] of s/τ as an operation, with a temperature τ > 0.
#[derive(Debug, Clone, Copy)]
pub struct Softmax {
    /// The axis along which the probabilities sum to 1.
    pub axis: usize,
    /// The temperature τ.
    pub temperature: f64,
}

impl<T: Scalar> Op<T, 1> for Softmax {
    /// The probabilities, shared with the result.
    type Saved = Tensor<T>;

    fn forward(&self, [scores]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        let inverse = inverse_temperature("softmax", self.temperature)?;
        let mut p = scores.clone();
        along("softmax", &mut p, self.axis, |lane| {
            let max = lane.iter().copied().fold(T::NEG_INFINITY, T::max_or_nan);
            let mut sum = T::ZERO;
            for s in lane.iter_mut() {
                *s = ((*s - max) * inverse).exp();
                sum += *s;
            }
            lane.iter_mut().for_each(|s| *s /= sum);
        })?;
        Ok((p.clone(), p))
    }

    // ∂L/∂s = p∘(dy − ⟨p, dy⟩)/τ, a lane at a time
    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        p: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_scores]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants_scores {
            return Ok([None]);
        }
        let inverse: T = inverse_temperature("softmax", self.temperature)?;
        let weighted = p.mul(dy)?;
        let mean = weighted.sum_axis(self.axis)?.insert_axis(self.axis)?;
        Ok([Some(weighted.sub(&p.mul(&mean)?)?.scale(inverse))])
    }
}

/// 1/τ, where τ is a temperature; the nearest positive finite number where it has none in T.
pub(crate) fn inverse_temperature<T: Scalar>(op: &'static str, temperature: f64) -> Result<T> {
    if temperature > 0.0 && temperature.is_finite() {
        let inverse = T::of(1.0 / temperature);
        // Neither 0 nor ∞: a distance of 0 times ∞, or of −∞ times 0, would be NaN.
        let widest = if T::DTYPE == Dtype::F32 { f32::MAX.into() } else { f64::MAX };
        let narrowest = T::of(f32::MIN_POSITIVE.into());
        return Ok(match inverse {
            i if !i.is_finite() => T::of(widest),
            i if i == T::ZERO => narrowest,
            i => i,
        });
    }
    let (value, allowed) = (temperature.to_string(), "finite and above 0".into());
    Err(Error::Argument { op, name: "temperature", value, allowed })
}

/// Runs `f` over every lane of `x` along `axis`, in place.
pub(crate) fn along<T: Scalar>(
    op: &'static str,
    x: &mut Tensor<T>,
    axis: usize,
    f: impl Fn(&mut [T]),
) -> Result<()> {
    let Some(&size) = x.dims().get(axis) else {
        return Err(Error::Axis { op, axis, rank: x.rank() });
    };
    let after: usize = x.dims()[axis + 1..].iter().product();
    if x.is_empty() {
        return Ok(());
    }
    let data = x.as_mut_slice();
    if after == 1 {
        data.chunks_exact_mut(size).for_each(f);
        return Ok(());
    }
    // The lane's elements lie `after` apart: through a buffer.
    let mut lane = vec![T::ZERO; size];
    for block in data.chunks_exact_mut(size * after) {
        for a in 0..after {
            lane.iter_mut().zip(block[a..].iter().step_by(after)).for_each(|(to, &from)| *to = from);
            f(&mut lane);
            block[a..].iter_mut().step_by(after).zip(&lane).for_each(|(to, &from)| *to = from);
        }
    }
    Ok(())
}
