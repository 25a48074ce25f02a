//! The hyperbolic tangent: a sigmoid stretched to (−1, 1) and centred.

use crate::activation::X;
use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::math::exp;

pub(crate) const FORMULA: Formula = Formula {
    id: "act-tanh",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Hyperbolic tangent",
    latex: r"\tanh(x) = \frac{e^x - e^{-x}}{e^x + e^{-x}}",
    unicode: "tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ)",
    symbols: &[X],
    source: "LeCun, Bottou, Orr & Müller 1998, §4.4",
    item: item!(fn tanh),
    chapter: "activations",
    printed: None,
};

/// The hyperbolic tangent.
///
/// **Formula** `act-tanh`: tanh(x) = (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ) = 2σ(2x) − 1, x any real number.
///
/// **Shapes**: elementwise. **Units**: 1, between −1 and 1.
///
/// **Gradient**: 1 − tanh²(x), at most 1, at 0: [`tanh_derivative`].
///
/// **Numerics**: the quotient of exponentials is NaN from x = 710 (∞/∞) and loses digits near 0, where the
/// difference cancels: it returns 0 at 10⁻²⁰. The library function does neither (1.9 ulp at most).
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: LeCun, Bottou, Orr & Müller 1998, §4.4.
///
/// ```
/// use gradus_activations::tanh;
/// assert!((tanh(3f64.ln()) - 0.8).abs() < 1e-15); // (3 − 1/3) / (3 + 1/3)
/// assert_eq!(tanh(1e-20), 1e-20);
/// assert_eq!(tanh(1000.0), 1.0);
/// ```
#[inline(always)]
pub fn tanh<T: Scalar>(x: T) -> T {
    gradus_tensor::math::tanh(x)
}

/// The derivative of [`tanh`]: 1 − tanh²(x) = 1 / cosh²(x).
///
/// Computed as (2 / (e^|x| + e^−|x|))², since 1 − tanh² is 0 from x = 19.1 on, where the derivative is still 10⁻¹⁶.
///
/// ```
/// use gradus_activations::tanh_derivative;
/// assert_eq!(tanh_derivative(0.0), 1.0);
/// assert!((tanh_derivative(3f64.ln()) - 0.36).abs() < 1e-15); // 1 − 0.8²
/// ```
#[inline(always)]
pub fn tanh_derivative<T: Scalar>(x: T) -> T {
    let e = exp(-x.abs());
    // 2 / (e^|x| + e^−|x|) = 2e^−|x| / (1 + e^−2|x|): nothing overflows.
    let sech = (e + e) / (T::ONE + e * e);
    sech * sech
}

/// [`tanh`](fn@tanh) as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Tanh;

impl Activation for Tanh {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        tanh(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        tanh_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts { low: -1.0, high: 1.0, lipschitz: 1.0, steepest: 0.0, course: Course::Rising, kinks: &[] }
    }
}
