//! The Kullback–Leibler divergence: how far a predicted distribution is from the true one.

use crate::Reduction;
use crate::bce::x_ln_y;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::math::ln;
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "kl-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Kullback–Leibler divergence",
    latex: r"D(p \,\|\, q) = \sum_{k} p_k \ln\frac{p_k}{q_k}",
    unicode: "D(p ‖ q) = Σₖ pₖ ln(pₖ / qₖ)",
    symbols: &[
        Symbol {
            latex: "p",
            code: "target",
            meaning: "the true distribution",
            shape: "[N, K]",
            unit: "probability",
        },
        Symbol {
            latex: "q",
            code: "log_probability",
            meaning: "the predicted distribution, given by its logarithm",
            shape: "[N, K]",
            unit: "probability",
        },
    ],
    source: "Kullback & Leibler 1951",
    item: item!(fn kl),
    chapter: "losses",
    printed: None,
};

/// The Kullback–Leibler divergence of a predicted distribution, given as log-probabilities, from the true one: the mean over
/// samples.
///
/// **Formula** `kl-loss`: Σₖ pₖ (ln pₖ − ln qₖ). Cross entropy is this plus the target's entropy.
///
/// **Shapes**: log-probabilities and target `[N, K]`; the result has no dimensions. **Units**: nats, at least 0 for
/// distributions.
///
/// **Gradient**: −p/n in ln q, (ln p − ln q + 1)/n in p. [`Kl`] has other reductions.
///
/// **Numerics**: 0·ln 0 is 0, also where q is 0.
///
/// **Errors**: shapes other than `[N, K]` twice, a target below 0. **Source**: Kullback & Leibler 1951.
///
/// ```
/// use gradus_losses::kl;
/// use gradus_tensor::Tensor;
/// let log_q = Tensor::from([[0.5f64.ln(), 0.5f64.ln()]]);
/// assert_eq!(kl(&log_q, &Tensor::from([[1.0, 0.0]]))?.item()?, 2f64.ln());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn kl<T: Scalar>(log_probability: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    Kl { reduction: Reduction::Mean }.eval([log_probability, target])
}

/// [`kl`] as an operation on `[log_probability, target]`.
#[derive(Debug, Clone, Copy)]
pub struct Kl {
    /// What becomes of the samples' divergences.
    pub reduction: Reduction,
}

fn check<T: Scalar>(log_q: &Tensor<T>, p: &Tensor<T>) -> Result<usize> {
    if log_q.rank() != 2 || log_q.shape() != p.shape() {
        let expected = format!("[N, K] for both; the target has {}", p.shape());
        return Err(Error::Shape { op: "kl", expected, got: log_q.shape() });
    }
    match p.as_slice().iter().position(|&v| v < T::ZERO) {
        Some(i) => {
            let (value, allowed) = (format!("{} (number {i})", p.as_slice()[i]), "at least 0".into());
            Err(Error::Argument { op: "kl", name: "target", value, allowed })
        }
        None => Ok(log_q.dims()[0]),
    }
}

impl<T: Scalar> Op<T, 2> for Kl {
    /// Nothing: both gradients are computed from the inputs.
    type Saved = ();

    fn forward(&self, [log_q, p]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        check(log_q, p)?;
        let term = |p: T, log_q: T| if p == T::ZERO { T::ZERO } else { x_ln_y(p, p) - p * log_q };
        let losses = p.zip(log_q, term)?.sum_axis(1)?.into_vec();
        Ok((self.reduction.apply(losses, None).0, ()))
    }

    fn vjp(
        &self,
        [log_q, p]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_log_q, wants_p]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let n = check(log_q, p)?;
        let factors = (0..n).map(|i| self.reduction.spread(i, dy, T::ONE, T::of(n as f64)));
        let factors = factors.collect::<Tensor<T>>().insert_axis(1)?;
        Ok([
            if wants_log_q { Some(p.neg().mul(&factors)?) } else { None },
            if wants_p { Some(p.zip(log_q, |p, l| ln(p) - l + T::ONE)?.mul(&factors)?) } else { None },
        ])
    }
}
