//! Negative log-likelihood of log-probabilities.

use crate::Reduction;
use crate::symbols::CLASS;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "nll-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Negative log-likelihood",
    latex: r"L = -\frac{1}{n} \sum_{i=1}^{n} \ell_{i, y_i}",
    unicode: "L = −(1/n) Σᵢ ℓ(i, yᵢ)",
    symbols: &[
        Symbol {
            latex: r"\ell_{ik}",
            code: "log_probability",
            meaning: "the log-probability of class k for sample i",
            shape: "[N, K]",
            unit: "nats",
        },
        CLASS,
    ],
    source: "Fisher 1922",
    item: item!(fn nll),
    chapter: "losses",
    printed: None,
};

/// The negative log-likelihood of classes under given log-probabilities: the mean over samples.
///
/// **Formula** `nll-loss`: −(1/n) Σᵢ ℓ(i, yᵢ). After [`log_softmax`](gradus_activations::log_softmax) it is the cross
/// entropy; [`cross_entropy`](crate::cross_entropy) does both at once.
///
/// **Shapes**: log-probabilities `[N, K]`, classes `[N]`; the result has no dimensions. **Units**: nats.
///
/// **Gradient**: −1/n at each sample's class, else 0. [`Nll`] has other reductions.
///
/// **Numerics**: exact but for the mean; a class of log-probability −∞ costs ∞.
///
/// **Errors**: log-probabilities that are no matrix, another number of classes than rows, a class of K or more.
///
/// **Source**: Fisher 1922.
///
/// ```
/// use gradus_losses::nll;
/// use gradus_tensor::Tensor;
/// let log_p = Tensor::from([[-1.0, -0.5], [-2.0, -0.25]]);
/// assert_eq!(nll(&log_p, &Tensor::from([0u32, 1]))?, Tensor::scalar(0.625)); // (1 + ¼) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn nll<T: Scalar>(log_probability: &Tensor<T>, classes: &Tensor<u32>) -> Result<Tensor<T>> {
    Nll { classes: classes.as_slice().to_vec(), reduction: Reduction::Mean }.eval([log_probability])
}

/// [`nll`] as an operation on `[log_probability]`.
#[derive(Debug, Clone)]
pub struct Nll {
    /// The true class of each sample.
    pub classes: Vec<u32>,
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

impl Nll {
    fn check<T: Scalar>(&self, log_p: &Tensor<T>) -> Result<usize> {
        crate::classes::check("nll", log_p, &self.classes).map(|(_, k)| k)
    }
}

impl<T: Scalar> Op<T, 1> for Nll {
    /// Nothing: the gradient does not depend on the values.
    type Saved = ();

    fn forward(&self, [log_p]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        let k = self.check(log_p)?;
        let rows = log_p.as_slice().chunks_exact(k.max(1)).zip(&self.classes);
        let losses = rows.map(|(row, &y)| -row[y as usize]).collect();
        Ok((self.reduction.apply(losses, None).0, ()))
    }

    fn vjp(
        &self,
        [log_p]: [&Tensor<T>; 1],
        (): &(),
        dy: &Tensor<T>,
        [wants]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        if !wants {
            return Ok([None]);
        }
        let k = self.check(log_p)?;
        let mut out = log_p.zeros_like();
        let total = T::of(self.classes.len() as f64);
        for (i, (row, &y)) in out.as_mut_slice().chunks_exact_mut(k.max(1)).zip(&self.classes).enumerate() {
            row[y as usize] = -self.reduction.spread(i, dy, T::ONE, total);
        }
        Ok([Some(out)])
    }
}
