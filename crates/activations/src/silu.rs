//! SiLU or Swish, x·σ(x): a ReLU whose gate is soft.

use crate::activation::X;
use crate::{Activation, Course, Facts, sigmoid};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "silu",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Sigmoid linear unit (Swish)",
    latex: r"\operatorname{SiLU}(x) = x\,\sigma(x)",
    unicode: "SiLU(x) = x·σ(x)",
    symbols: &[X],
    source: "Hendrycks & Gimpel 2016, §2; Elfwing, Uchibe & Doya 2018; Ramachandran, Zoph & Le 2017",
    item: item!(fn silu),
    chapter: "activations",
    printed: None,
};

/// The sigmoid linear unit, also called Swish.
///
/// **Formula** `silu`: x·σ(x), x any real number.
///
/// **Shapes**: elementwise. **Units**: 1; at least −0.2785, taken at x = −1.2785.
///
/// **Gradient**: σ(x)·(1 + x·σ(−x)), at most 1.0998: [`silu_derivative`].
///
/// **Numerics**: those of [`sigmoid`]; −∞ gives −0, not NaN.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Hendrycks & Gimpel 2016, §2; Elfwing, Uchibe & Doya 2018; Ramachandran, Zoph & Le 2017.
///
/// ```
/// use gradus_activations::silu;
/// assert!((silu(3f64.ln()) - 0.75 * 3f64.ln()).abs() < 1e-15);
/// assert_eq!(silu(f64::NEG_INFINITY), 0.0);
/// ```
#[inline(always)]
pub fn silu<T: Scalar>(x: T) -> T {
    if x == T::NEG_INFINITY { -T::ZERO } else { x * sigmoid(x) }
}

/// The derivative of [`silu`]: σ(x)·(1 + x·σ(−x)).
///
/// ```
/// assert_eq!(gradus_activations::silu_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn silu_derivative<T: Scalar>(x: T) -> T {
    let gate = sigmoid(x);
    if x.is_finite() || Scalar::is_nan(x) { gate * (T::ONE + x * sigmoid(-x)) } else { gate }
}

/// [`silu`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Silu;

impl Activation for Silu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        silu(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        silu_derivative(x)
    }

    fn facts(self) -> Facts {
        // The zero of the derivative, and of the second derivative: x·tanh(x/2) = 2.
        Facts {
            low: -0.278_464_542_761_073_8,
            high: f64::INFINITY,
            lipschitz: 1.099_839_320_128_867,
            steepest: 2.399_357_280_515_467_7,
            course: Course::Turns(-1.278_464_542_761_073_8),
            kinks: &[],
        }
    }
}
