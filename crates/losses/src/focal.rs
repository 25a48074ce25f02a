//! The focal loss: cross entropy in which what is already right hardly counts.

use crate::reduction::scaled;
use crate::symbols::{LABEL, LOGIT};
use crate::{Componentwise, Elementwise, Reduction};
use gradus_activations::{sigmoid, softplus};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "focal-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Focal loss",
    latex: r"L = -\alpha\, y\, (1 - \sigma(z))^\gamma \ln \sigma(z) - (1 - \alpha)(1 - y)\, \sigma(z)^\gamma \ln(1 - \sigma(z))",
    unicode: "L = −α·y·(1 − σ(z))^γ ln σ(z) − (1 − α)(1 − y)·σ(z)^γ ln(1 − σ(z))",
    symbols: &[
        LABEL,
        LOGIT,
        Symbol {
            latex: r"\gamma",
            code: "gamma",
            meaning: "how fast a sample that is already right loses weight; 0 is cross entropy",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: r"\alpha",
            code: "alpha",
            meaning: "the weight of label 1 in the focal loss; label 0 has 1 − α",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Lin, Goyal, Girshick, He & Dollár 2017, eq. 5",
    item: item!(fn focal),
    chapter: "losses",
    printed: None,
};

/// The focal loss of logits: the mean over samples of the sum over components.
///
/// **Formula** `focal-loss`: −α·y·(1 − p)^γ ln p − (1 − α)(1 − y)·p^γ ln(1 − p), p = σ(z).
///
/// **Shapes**: logit and label of one shape, `[N, …]`; the result has no dimensions. **Units**: nats.
///
/// **Gradient**: for label 1, −α(1 − p)^γ (1 − p − γ p ln p)/n; for label 0 its mirror image. [`Elementwise`] has other
/// reductions.
///
/// **Numerics**: 1 − p is σ(−z) and −ln p softplus(−z): no cancellation.
///
/// **Errors**: different shapes, a label outside [0, 1], γ below 0, α outside [0, 1].
///
/// **Source**: Lin, Goyal, Girshick, He & Dollár 2017, eq. 5.
///
/// ```
/// use gradus_losses::focal;
/// use gradus_tensor::Tensor;
/// let loss = focal(&Tensor::from([0.0f64]), &Tensor::from([1.0]), 2.0, 0.25)?;
/// assert!((loss.item()? - 0.25 * 0.25 * 2f64.ln()).abs() < 1e-16); // α (½)² ln 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn focal<T: Scalar>(logit: &Tensor<T>, label: &Tensor<T>, gamma: f64, alpha: f64) -> Result<Tensor<T>> {
    Elementwise { loss: Focal { gamma, alpha }, reduction: Reduction::Mean }.eval([logit, label])
}

/// The focal loss of a logit.
#[derive(Debug, Clone, Copy)]
pub struct Focal {
    /// γ: how fast what is right loses weight.
    pub gamma: f64,
    /// α: the weight of label 1.
    pub alpha: f64,
}

impl Focal {
    /// (1 − p)^γ (−ln p) for p = σ(z), and its derivative in z.
    #[inline(always)]
    fn side<T: Scalar>(self, z: T) -> (T, T) {
        let gamma = T::of(self.gamma);
        let (right, wrong, cost) = (sigmoid(z), sigmoid(-z), softplus(-z));
        let weight = if self.gamma == 0.0 { T::ONE } else { wrong.powf(gamma) };
        (weight * cost, -weight * (gamma * right * cost + wrong))
    }
}

impl Componentwise for Focal {
    const NAME: &'static str = "focal";

    #[inline(always)]
    fn loss<T: Scalar>(self, logit: T, label: T) -> T {
        let alpha = T::of(self.alpha);
        // A side without weight has no say, though it may be infinite.
        let (yes, no) = (alpha * label, (T::ONE - alpha) * (T::ONE - label));
        scaled(self.side(logit).0, yes) + scaled(self.side(-logit).0, no)
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, logit: T, label: T) -> (T, T) {
        let alpha = T::of(self.alpha);
        let ((yes, yes_slope), (no, no_slope)) = (self.side(logit), self.side(-logit));
        let against = T::ONE - alpha;
        let slope = scaled(yes_slope, alpha * label) - scaled(no_slope, against * (T::ONE - label));
        (slope, scaled(yes, alpha) - scaled(no, against))
    }

    fn check(self) -> Result<()> {
        let refuse = |name, value: f64, allowed: &str| {
            Err(Error::Argument { op: "focal", name, value: value.to_string(), allowed: allowed.into() })
        };
        if !(self.gamma >= 0.0 && self.gamma.is_finite()) {
            return refuse("gamma", self.gamma, "finite and at least 0");
        }
        if !(0.0..=1.0).contains(&self.alpha) {
            return refuse("alpha", self.alpha, "0..=1");
        }
        Ok(())
    }

    #[inline(always)]
    fn outside<T: Scalar>(self, _: T, label: T) -> Option<(T, &'static str, &'static str)> {
        crate::bce::unit_interval(label, "label")
    }
}
