//! The Huber loss: squared near the target, absolute far from it.

use crate::symbols::{Y, Y_HAT};
use crate::{Componentwise, Elementwise, Reduction};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "huber-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Huber loss",
    latex: r"L_\delta(y, \hat y) = \begin{cases} \frac12 (y - \hat y)^2 & |y - \hat y| \le \delta \\ \delta\left(|y - \hat y| - \frac12\delta\right) & |y - \hat y| > \delta \end{cases}",
    unicode: "L = ½d² for |d| ≤ δ, δ(|d| − ½δ) for |d| > δ, d = y − ŷ",
    symbols: &[
        Y,
        Y_HAT,
        Symbol {
            latex: r"\delta",
            code: "delta",
            meaning: "the distance from which on an outlier counts linearly",
            shape: "[]",
            unit: "those of y",
        },
    ],
    source: "Huber 1964",
    item: item!(fn huber),
    chapter: "losses",
    printed: None,
};

/// The Huber loss of a batch: the mean over samples of the sum over components.
///
/// **Formula** `huber-loss`: ½d² for |d| ≤ δ, δ(|d| − ½δ) beyond, d = ŷ − y.
///
/// **Shapes**: prediction and target of one shape, `[N, …]`; the result has no dimensions. **Units**: those of y,
/// squared.
///
/// **Gradient**: d cut to −δ…δ, divided by n. See [`Elementwise`] for other reductions.
///
/// **Numerics**: continuous with its first derivative at δ.
///
/// **Errors**: different shapes, δ not finite and above 0.
///
/// **Source**: Huber 1964.
///
/// ```
/// use gradus_losses::huber;
/// use gradus_tensor::Tensor;
/// let (prediction, target) = (Tensor::from([1.0, 10.0]), Tensor::from([0.0, 0.0]));
/// assert_eq!(huber(&prediction, &target, 2.0)?, Tensor::scalar(9.25)); // (½ + 2·(10 − 1)) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn huber<T: Scalar>(prediction: &Tensor<T>, target: &Tensor<T>, delta: f64) -> Result<Tensor<T>> {
    Elementwise { loss: Huber { delta }, reduction: Reduction::Mean }.eval([prediction, target])
}

/// The Huber loss of a component.
#[derive(Debug, Clone, Copy)]
pub struct Huber {
    /// The distance from which on it is linear.
    pub delta: f64,
}

impl Componentwise for Huber {
    const NAME: &'static str = "huber";

    #[inline(always)]
    fn loss<T: Scalar>(self, prediction: T, target: T) -> T {
        let (d, delta, half) = ((prediction - target).abs(), T::of(self.delta), T::of(0.5));
        if d > delta { delta * (d - half * delta) } else { half * d * d }
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, prediction: T, target: T) -> (T, T) {
        let (d, delta) = (prediction - target, T::of(self.delta));
        let slope = if d > delta {
            delta
        } else if d < -delta {
            -delta
        } else {
            d
        };
        (slope, -slope)
    }

    fn check(self) -> Result<()> {
        if self.delta > 0.0 && self.delta.is_finite() {
            return Ok(());
        }
        let (value, allowed) = (self.delta.to_string(), "finite and above 0".into());
        Err(Error::Argument { op: "huber", name: "delta", value, allowed })
    }
}
