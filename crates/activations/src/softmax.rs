//! Softmax: from scores to a probability distribution, along any axis, at any temperature.

use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{BLOCK, for_each_block, row, vectorize};
use gradus_tensor::math::exp_nonpositive;
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
        let p = along(
            "softmax",
            [scores],
            self.axis,
            #[inline(always)]
            |[scores], p| {
                let share = T::ONE / powers(scores, inverse, p).1;
                p.iter_mut().for_each(|p| *p *= share);
            },
        )?;
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
        let gradient = along(
            "softmax",
            [p, dy],
            self.axis,
            #[inline(always)]
            |[p, dy], out| {
                let mean = row::sum_by_two(
                    p,
                    dy,
                    #[inline(always)]
                    |p, dy| p * dy,
                );
                for ((out, &p), &dy) in out.iter_mut().zip(p).zip(dy) {
                    *out = p * (dy - mean) * inverse;
                }
            },
        )?;
        Ok([Some(gradient)])
    }
}

/// Writes exp((s − max)/τ) of each score, and gives the largest score and the sum of what was written.
#[inline(always)]
pub(crate) fn powers<T: Scalar>(scores: &[T], inverse: T, out: &mut [T]) -> (T, T) {
    // A NaN makes its own power NaN, and so the sum.
    let max = row::largest(scores);
    let sum = row::map_sum(
        scores,
        out,
        #[inline(always)]
        |s| exp_nonpositive((s - max) * inverse),
    );
    (max, sum)
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

/// Computes each lane along an axis from the same lanes of tensors of one shape, on all cores: `f(lanes, result)`.
pub(crate) fn along<T: Scalar, const K: usize>(
    op: &'static str,
    inputs: [&Tensor<T>; K],
    axis: usize,
    f: impl Fn([&[T]; K], &mut [T]) + Sync,
) -> Result<Tensor<T>> {
    let x = inputs[0];
    let Some(&size) = x.dims().get(axis) else {
        return Err(Error::Axis { op, axis, rank: x.rank() });
    };
    if let Some(other) = inputs.iter().find(|other| other.shape() != x.shape()) {
        return Err(Error::Shape { op, expected: format!("{} as the first", x.shape()), got: other.shape() });
    }
    let after: usize = x.dims()[axis + 1..].iter().product();
    let slices = inputs.map(Tensor::as_slice);
    Tensor::compute(x.shape(), |out| {
        if after == 1 {
            let group = (BLOCK / size.max(1)).max(1) * size;
            for_each_block(out, group, |g, out| {
                vectorize(
                    #[inline(always)]
                    || {
                        for (i, out) in out.chunks_exact_mut(size).enumerate() {
                            f(slices.map(|x| &x[g * group + i * size..][..size]), out);
                        }
                    },
                );
            });
            return;
        }
        // The lane's elements lie `after` apart: through buffers.
        for_each_block(out, size * after, |b, out| {
            let mut lanes = slices.map(|_| vec![T::ZERO; size]);
            let mut result = vec![T::ZERO; size];
            for a in 0..after {
                for (lane, x) in lanes.iter_mut().zip(slices) {
                    let from = x[b * size * after + a..].iter().step_by(after);
                    lane.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
                }
                vectorize(
                    #[inline(always)]
                    || f(lanes.each_ref().map(Vec::as_slice), &mut result),
                );
                out[a..].iter_mut().step_by(after).zip(&result).for_each(|(to, &from)| *to = from);
            }
        });
    })
}
