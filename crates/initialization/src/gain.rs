//! Gains: what an activation takes from the signal, to be given back by the weights.

use crate::quadrature::normal_mean;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result};

pub(crate) const FORMULA: Formula = Formula {
    id: "init-gain",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The gain of an activation",
    latex: r"g = \frac{1}{\sqrt{E[f(z)^2]}}, \qquad z \sim \mathcal N(0, 1)",
    unicode: "g = 1/√E[f(z)²], z ~ N(0, 1)",
    symbols: &[
        Symbol {
            latex: "g",
            code: "gain",
            meaning: "the gain: weights of variance g²/n keep the second moment",
            shape: "[]",
            unit: "1",
        },
        Symbol { latex: "f", code: "f", meaning: "the activation", shape: "elementwise", unit: "1" },
        Symbol {
            latex: "z",
            code: "z",
            meaning: "a pre-activation, standard normal",
            shape: "[]",
            unit: "1",
        },
        Symbol { latex: "E", code: "normal_mean", meaning: "the mean over z", shape: "[]", unit: "1" },
    ],
    source: "He, Zhang, Ren & Sun 2015, §2.2, for the ReLU; Klambauer et al. 2017, eq. 4, as a fixed point",
    item: item!(fn gain_of),
    chapter: "initialization",
    printed: None,
};

/// The gain that keeps the second moment, of any activation: 1/√E\[f(z)²\] for a standard normal z.
///
/// **Formula** `init-gain`: g = 1/√E\[f(z)²\]; with Var(w) = g²/n each layer's output has the second moment of its input.
///
/// **Shapes**: f is a function of one number. **Units**: 1.
///
/// **Numerics**: Gauss–Legendre's rule with 16 points on 24 pieces between −12 and 12: to about 10⁻¹⁵ for functions that are smooth but
/// for a kink at 0 (or at another whole number), and for steeper ones to what such pieces resolve. A fixed point, not a
/// guarantee: whether the signal returns to it after a disturbance is a matter of the slope there.
///
/// **Errors**: if the second moment is 0, infinite or NaN.
///
/// **Source**: He et al. 2015, §2.2; Klambauer et al. 2017.
///
/// ```
/// use gradus_initialization::gain_of;
/// let relu = gain_of(|z: f64| z.max(0.0))?;
/// assert!((relu - 2f64.sqrt()).abs() < 1e-14); // half of E[z²] = 1 is left
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn gain_of(f: impl Fn(f64) -> f64) -> Result<f64> {
    let moment = normal_mean(|z| f(z).powi(2));
    if moment > 0.0 && moment.is_finite() {
        return Ok(1.0 / moment.sqrt());
    }
    let (value, allowed) = (moment.to_string(), "above 0 and finite".into());
    Err(Error::Argument { op: "gain_of", name: "second moment of f", value, allowed })
}

/// The gain by the activation that follows.
///
/// The first six are those of PyTorch's table, so that networks carry over. Two of them are conventions: 5/3 for tanh lies a little above the
/// gain 1.5925 that keeps the second moment, and ¾ for SELU below its 1. [`gain_of`] has the others.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Gain {
    /// No activation: 1.
    #[default]
    Linear,
    /// The logistic sigmoid: 1, by convention.
    Sigmoid,
    /// tanh: 5/3, by convention.
    Tanh,
    /// ReLU: √2.
    Relu,
    /// Leaky ReLU with this slope a: √(2/(1 + a²)).
    LeakyRelu(f64),
    /// SELU: ¾, by convention. With 1, and [`lecun_normal`](crate::Init::lecun_normal), it normalises itself as in its paper.
    Selu,
    /// GELU: 1.5335, which keeps the second moment.
    Gelu,
    /// SiLU (swish): 1.6765, which keeps the second moment.
    Silu,
    /// This number, as from [`gain_of`].
    Of(f64),
}

/// 1/√E\[GELU(z)²\] and 1/√E\[SiLU(z)²\]; properties hold them against the integral.
const GELU: f64 = 1.533_530_441_195_535_2;
const SILU: f64 = 1.676_532_470_331_091_2;

impl Gain {
    /// The gain as a number.
    ///
    /// ```
    /// use gradus_initialization::Gain;
    /// assert_eq!(Gain::Relu.value(), 2f64.sqrt());
    /// assert_eq!(Gain::LeakyRelu(1.0).value(), 1.0); // the identity
    /// ```
    pub fn value(self) -> f64 {
        match self {
            Gain::Linear | Gain::Sigmoid => 1.0,
            Gain::Tanh => 5.0 / 3.0,
            Gain::Relu => std::f64::consts::SQRT_2,
            Gain::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
            Gain::Selu => 0.75,
            Gain::Gelu => GELU,
            Gain::Silu => SILU,
            Gain::Of(gain) => gain,
        }
    }
}
