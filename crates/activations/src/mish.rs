//! Mish, x·tanh(softplus(x)).

use crate::activation::X;
use crate::{Activation, Course, Facts, sigmoid};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::math::exp;

pub(crate) const FORMULA: Formula = Formula {
    id: "mish",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Mish",
    latex: r"\operatorname{Mish}(x) = x \tanh(\ln(1 + e^x))",
    unicode: "Mish(x) = x·tanh(ln(1 + eˣ))",
    symbols: &[X],
    source: "Misra 2020, eq. 1",
    item: item!(fn mish),
    chapter: "activations",
    printed: None,
};

/// tanh(ln(1 + eˣ)) and one minus its square, both without cancellation.
///
/// With n = eˣ(eˣ + 2), tanh(ln(1 + eˣ)) = ((1 + eˣ)² − 1) / ((1 + eˣ)² + 1) = n / (n + 2). For x > 0 numerator and
/// denominator are divided by e²ˣ, so that nothing overflows.
#[inline(always)]
fn gate<T: Scalar>(x: T) -> (T, T) {
    let (one, two) = (T::ONE, T::of(2.0));
    let e = exp(-x.abs());
    let (top, bottom, unit) = if x > T::ZERO {
        (one + two * e, one + two * e + two * e * e, e)
    } else {
        (e * (e + two), e * (e + two) + two, one)
    };
    // 1 − t² = (1 − t)(1 + t) = 4(1 + eˣ)² / (n + 2)², in the same units.
    let root = two * unit * (one + e) / bottom;
    (top / bottom, root * root)
}

/// Mish.
///
/// **Formula** `mish`: x·tanh(ln(1 + eˣ)), x any real number.
///
/// **Shapes**: elementwise. **Units**: 1; at least −0.3088, taken at x = −1.1924.
///
/// **Gradient**: t + x·(1 − t²)·σ(x) with t = tanh(ln(1 + eˣ)), at most 1.0885: [`mish_derivative`].
///
/// **Numerics**: t as a quotient of polynomials in e^−|x|: no overflow, no cancellation.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Misra 2020, eq. 1.
///
/// ```
/// use gradus_activations::mish;
/// assert_eq!(mish(0.0), 0.0);
/// // e^ln 2 = 2, so the gate is tanh(ln 3) = 0.8.
/// assert!((mish(2f64.ln()) - 0.8 * 2f64.ln()).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn mish<T: Scalar>(x: T) -> T {
    if x == T::NEG_INFINITY { -T::ZERO } else { x * gate(x).0 }
}

/// The derivative of [`mish`]: t + x·(1 − t²)·σ(x).
///
/// ```
/// assert!((gradus_activations::mish_derivative(0.0f64) - 0.6).abs() < 1e-15); // tanh(ln 2)
/// ```
#[inline(always)]
pub fn mish_derivative<T: Scalar>(x: T) -> T {
    let (t, bend) = gate(x);
    let far = !x.is_finite() && !Scalar::is_nan(x);
    if far { t } else { t + x * bend * sigmoid(x) }
}

/// [`mish`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Mish;

impl Activation for Mish {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        mish(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        mish_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: -0.308_843_413_017_250_4,
            high: f64::INFINITY,
            lipschitz: 1.088_498_161_251_727_9,
            steepest: 1.490_571_179_485_428_5,
            course: Course::Turns(-1.192_431_214_515_495_2),
            kinks: &[],
        }
    }
}
