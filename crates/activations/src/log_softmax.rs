//! The logarithm of softmax by its own formula: what cross entropy needs.

use crate::softmax::{SCORES, TEMPERATURE, along, inverse_temperature, powers};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::kernel::row;
use gradus_tensor::math::{exp, ln};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "log-softmax",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Log-softmax",
    latex: r"\ln\operatorname{softmax}(s)_k = \frac{s_k}{\tau} - \ln\sum_{j=1}^{K} e^{s_j / \tau}",
    unicode: "ln softmax(s)ₖ = sₖ/τ − ln Σⱼ exp(sⱼ/τ)",
    symbols: &[SCORES, TEMPERATURE],
    source: "Goodfellow, Bengio & Courville 2016, §6.2.2.3, eq. 6.30",
    item: item!(fn log_softmax),
    chapter: "activations",
    printed: None,
};

/// The logarithm of [`softmax`](crate::softmax) along one axis.
///
/// **Formula** `log-softmax`: sₖ − ln Σⱼ exp(sⱼ), the sum over the axis.
///
/// **Shapes**: any, commonly `[N, K]` with axis 1; the result has the shape of the scores. **Units**: nats, at most 0.
///
/// **Gradient**: against a cotangent v it gives v − p·Σv, with p the softmax. See [`LogSoftmax`], which has the
/// temperature too.
///
/// **Numerics**: with m the largest score, (sₖ − m) − ln Σⱼ exp(sⱼ − m): no overflow, and no logarithm of an underflowed
/// probability. The logarithm of softmax is −∞ from a distance of 746 on; this is −746.
///
/// **Errors**: no such axis. Infinite and NaN scores as in [`softmax`](crate::softmax); −∞ has log-probability −∞.
///
/// **Source**: Goodfellow, Bengio & Courville 2016, §6.2.2.3, eq. 6.30.
///
/// ```
/// use gradus_activations::log_softmax;
/// use gradus_tensor::Tensor;
/// let scores = Tensor::from([[0.0, 0.0], [0.0, 1000.0]]);
/// let log_p = log_softmax(&scores, 1)?;
/// assert!(log_p.all_close(&Tensor::from([[-(2f64.ln()), -(2f64.ln())], [-1000.0, 0.0]]), 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn log_softmax<T: Scalar>(scores: &Tensor<T>, axis: usize) -> Result<Tensor<T>> {
    LogSoftmax { axis, temperature: 1.0 }.eval([scores])
}

/// [`log_softmax`] of s/τ as an operation, with a temperature τ > 0.
#[derive(Debug, Clone, Copy)]
pub struct LogSoftmax {
    /// The axis along which the probabilities sum to 1.
    pub axis: usize,
    /// The temperature τ.
    pub temperature: f64,
}

impl<T: Scalar> Op<T, 1> for LogSoftmax {
    /// The log-probabilities, shared with the result.
    type Saved = Tensor<T>;

    fn forward(&self, [scores]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        let inverse = inverse_temperature("log_softmax", self.temperature)?;
        let log_p = along(
            "log_softmax",
            [scores],
            self.axis,
            #[inline(always)]
            |[scores], log_p| {
                // The result's place holds the powers meanwhile: filled and then summed they take less time than in one loop.
                let (max, sum) = powers(scores, inverse, log_p);
                let log_sum = ln(sum);
                for (log_p, &s) in log_p.iter_mut().zip(scores) {
                    *log_p = (s - max) * inverse - log_sum;
                }
            },
        )?;
        Ok((log_p.clone(), log_p))
    }

    // ∂L/∂s = (dy − p·Σdy)/τ, a lane at a time
    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        log_p: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_scores]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants_scores {
            return Ok([None]);
        }
        let inverse: T = inverse_temperature("log_softmax", self.temperature)?;
        let gradient = along(
            "log_softmax",
            [log_p, dy],
            self.axis,
            #[inline(always)]
            |[log_p, dy], out| {
                let total = row::sum_by(
                    dy,
                    #[inline(always)]
                    |dy| dy,
                );
                for ((out, &log_p), &dy) in out.iter_mut().zip(log_p).zip(dy) {
                    *out = (dy - exp(log_p) * total) * inverse;
                }
            },
        )?;
        Ok([Some(gradient)])
    }
}
