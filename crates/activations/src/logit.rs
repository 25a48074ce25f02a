//! The logit, ln(p / (1 − p)): the sigmoid's inverse, the logarithm of the odds.

use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::math::{ln, ln_1p};

pub(crate) const FORMULA: Formula = Formula {
    id: "logit",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Logit",
    latex: r"\operatorname{logit}(p) = \ln\frac{p}{1 - p}",
    unicode: "logit(p) = ln(p / (1 − p))",
    symbols: &[Symbol {
        latex: "p",
        code: "p",
        meaning: "a probability strictly between 0 and 1",
        shape: "any",
        unit: "probability",
    }],
    source: "Berkson 1944",
    item: item!(fn logit),
    chapter: "activations",
    printed: None,
};

/// The logarithm of the odds, the inverse of [`sigmoid`](crate::sigmoid).
///
/// **Formula** `logit`: ln(p / (1 − p)), p a probability.
///
/// **Shapes**: elementwise. **Units**: probability to nats.
///
/// **Gradient**: 1 / (p·(1 − p)): [`logit_derivative`].
///
/// **Numerics**: near ½ the quotient is near 1 and its logarithm loses digits: there it is ln(1 + (2p − 1)/(1 − p))
/// by `ln_1p`; elsewhere the quotient is far from 1, and its rounding harmless.
///
/// **Errors**: none; −∞ at 0, ∞ at 1, NaN outside.
///
/// **Source**: Berkson 1944.
///
/// ```
/// use gradus_activations::logit;
/// assert_eq!(logit(0.5), 0.0);
/// assert!((logit(0.75) - 3f64.ln()).abs() < 1e-15);
/// assert_eq!(logit(1.0), f64::INFINITY);
/// ```
#[inline(always)]
pub fn logit<T: Scalar>(p: T) -> T {
    if p > T::of(0.3) && p < T::of(0.65) {
        ln_1p((p + p - T::ONE) / (T::ONE - p))
    } else {
        ln(p / (T::ONE - p))
    }
}

/// The derivative of [`logit`]: 1 / (p·(1 − p)); ∞ at 0 and −0 and at 1; NaN outside [0, 1], as
/// the function is.
///
/// ```
/// assert_eq!(gradus_activations::logit_derivative(0.5), 4.0);
/// ```
#[inline(always)]
pub fn logit_derivative<T: Scalar>(p: T) -> T {
    if p < T::ZERO || p > T::ONE { T::NAN } else { T::ONE / (p * (T::ONE - p)).abs() }
}

/// [`logit`] as an [`Activation`], on (0, 1).
#[derive(Debug, Clone, Copy)]
pub struct Logit;

impl Activation for Logit {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        logit(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        logit_derivative(x)
    }

    fn facts(self) -> Facts {
        let infinity = f64::INFINITY;
        // Infinitely steep at both ends.
        Facts {
            low: -infinity,
            high: infinity,
            lipschitz: infinity,
            steepest: 0.0,
            course: Course::Rising,
            kinks: &[],
        }
    }
}
