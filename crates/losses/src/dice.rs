//! The soft Dice loss: overlap of a predicted and a true mask.

use crate::Reduction;
use crate::reduction::samples;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "dice-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Dice loss",
    latex: r"L = 1 - \frac{2 \sum_j p_j t_j + \varepsilon}{\sum_j p_j + \sum_j t_j + \varepsilon}",
    unicode: "L = 1 − (2Σⱼpⱼtⱼ + ε) / (Σⱼpⱼ + Σⱼtⱼ + ε)",
    symbols: &[
        Symbol {
            latex: "p_j",
            code: "probability",
            meaning: "the predicted probability that pixel j is in the mask",
            shape: "[N, …]",
            unit: "probability",
        },
        Symbol {
            latex: "t_j",
            code: "target",
            meaning: "1 where pixel j is in the mask, 0 elsewhere",
            shape: "[N, …]",
            unit: "probability",
        },
        Symbol {
            latex: r"\varepsilon",
            code: "smooth",
            meaning: "what keeps two empty masks at a loss of 0",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Dice 1945; Milletari, Navab & Ahmadi 2016",
    item: item!(fn dice),
    chapter: "losses",
    printed: None,
};

/// The soft Dice loss of masks: the mean over samples, the overlap taken over all components of each.
///
/// **Formula** `dice-loss`: 1 − (2Σpt + ε) / (Σp + Σt + ε).
///
/// **Shapes**: probability and target of one shape, `[N, …]`; the result has no dimensions. **Units**: 1, from 0 (equal
/// masks of zeros and ones) to 1 − ε/(Σp + Σt + ε) (disjoint), a little below 1.
///
/// **Gradient**: with I the numerator and U the denominator, −(2tU − I)/U² in p, and the mirror image in t. [`Dice`] has
/// other reductions.
///
/// **Numerics**: ε > 0 keeps two empty masks at 0. **Errors**: different shapes, ε not above 0.
///
/// **Source**: Dice 1945; Milletari, Navab & Ahmadi 2016.
///
/// ```
/// use gradus_losses::dice;
/// use gradus_tensor::Tensor;
/// let (p, t) = (Tensor::from([[1.0, 1.0, 0.0]]), Tensor::from([[1.0, 0.0, 0.0]]));
/// assert_eq!(dice(&p, &t, 1.0)?, Tensor::scalar(0.25)); // 1 − 3/4
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn dice<T: Scalar>(probability: &Tensor<T>, target: &Tensor<T>, smooth: f64) -> Result<Tensor<T>> {
    Dice { smooth, reduction: Reduction::Mean }.eval([probability, target])
}

/// [`dice`] as an operation on `[probability, target]`.
#[derive(Debug, Clone, Copy)]
pub struct Dice {
    /// ε of the formula.
    pub smooth: f64,
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

impl<T: Scalar> Op<T, 2> for Dice {
    /// Numerator and denominator of each sample.
    type Saved = Vec<(T, T)>;

    fn forward(&self, [p, t]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, Vec<(T, T)>)> {
        let (n, d) = samples("dice", p, t)?;
        if !(self.smooth > 0.0 && self.smooth.is_finite()) {
            let (value, allowed) = (self.smooth.to_string(), "finite and above 0".into());
            return Err(Error::Argument { op: "dice", name: "smooth", value, allowed });
        }
        let (p, t, smooth) = (p.reshape([n, d])?, t.reshape([n, d])?, T::of(self.smooth));
        let overlap = p.mul(&t)?.sum_axis(1)?.map(|s| s + s + smooth);
        let union = p.add(&t)?.sum_axis(1)?.map(|s| s + smooth);
        let parts: Vec<(T, T)> = overlap.as_slice().iter().copied().zip(union.into_vec()).collect();
        let losses = parts.iter().map(|&(i, u)| T::ONE - i / u).collect();
        Ok((self.reduction.apply(losses, None).0, parts))
    }

    fn vjp(
        &self,
        [p, t]: [&Tensor<T>; 2],
        parts: &Vec<(T, T)>,
        dy: &Tensor<T>,
        [wants_p, wants_t]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let (n, d) = samples("dice", p, t)?;
        // ∂/∂p = −(2t·U − I)/U²; t and p change places for ∂/∂t.
        let gradient = |other: &Tensor<T>| {
            let slope = |(j, &o): (usize, &T)| {
                let i = j / d.max(1);
                let (overlap, union) = parts[i];
                let factor = self.reduction.spread(i, dy, T::ONE, T::of(n as f64));
                factor * (overlap - (o + o) * union) / (union * union)
            };
            Tensor::from_vec(other.as_slice().iter().enumerate().map(slope).collect(), p.shape())
        };
        Ok([if wants_p { Some(gradient(t)?) } else { None }, if wants_t { Some(gradient(p)?) } else { None }])
    }
}
