//! Softplus, ln(1 + eˣ): a smooth ReLU, and the negative logarithm of σ(−x).

use crate::activation::X;
use crate::{Activation, Course, Facts, sigmoid};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Scalar, math};

pub(crate) const FORMULA: Formula = Formula {
    id: "softplus",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Softplus",
    latex: r"\operatorname{softplus}(x) = \ln(1 + e^x)",
    unicode: "softplus(x) = ln(1 + eˣ)",
    symbols: &[X],
    source: "Dugas, Bengio, Bélisle, Nadeau & Garcia 2001, §3",
    item: item!(fn softplus),
    chapter: "activations",
    printed: None,
};

/// A smooth version of the ReLU.
///
/// **Formula** `softplus`: ln(1 + eˣ), x any real number.
///
/// **Shapes**: elementwise. **Units**: 1; as −ln σ(−x), nats.
///
/// **Gradient**: σ(x): [`softplus_derivative`].
///
/// **Numerics**: eˣ overflows from x = 710, and for x < −37 the sum 1 + eˣ is 1. It is computed as
/// max(x, 0) + ln(1 + e^−|x|), which does neither, by [`math::softplus`]: at most 2 ulp.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Dugas, Bengio, Bélisle, Nadeau & Garcia 2001, §3.
///
/// ```
/// use gradus_activations::softplus;
/// assert!((softplus(0.0) - 2f64.ln()).abs() < 1e-16);
/// assert_eq!(softplus(1000.0), 1000.0);
/// assert!((softplus(-50.0) / (-50.0f64).exp() - 1.0).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn softplus<T: Scalar>(x: T) -> T {
    math::softplus(x)
}

/// The derivative of [`softplus`]: σ(x).
///
/// ```
/// assert_eq!(gradus_activations::softplus_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn softplus_derivative<T: Scalar>(x: T) -> T {
    sigmoid(x)
}

/// [`softplus`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Softplus;

impl Activation for Softplus {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        softplus(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        softplus_derivative(x)
    }

    fn facts(self) -> Facts {
        // The slope 1 is approached at infinity.
        Facts {
            low: 0.0,
            high: f64::INFINITY,
            lipschitz: 1.0,
            steepest: 30.0,
            course: Course::Rising,
            kinks: &[],
        }
    }
}
