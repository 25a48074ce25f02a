//! The Gaussian error linear unit, x·Φ(x), exactly and by its tanh approximation.

use crate::activation::X;
use crate::{Activation, Course, Facts, tanh_derivative};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, math};
use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

pub(crate) const FORMULA: Formula = Formula {
    id: "gelu",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Gaussian error linear unit",
    latex: r"\operatorname{GELU}(x) = x\,\Phi(x) = \frac{x}{2} \operatorname{erfc}\left(-\frac{x}{\sqrt 2}\right)",
    unicode: "GELU(x) = x·Φ(x) = (x/2)·erfc(−x/√2)",
    symbols: &[
        X,
        Symbol {
            latex: r"\Phi",
            code: "normal_cdf",
            meaning: "the distribution function of the standard normal",
            shape: "as x",
            unit: "probability",
        },
    ],
    source: "Hendrycks & Gimpel 2016, §2",
    item: item!(fn gelu),
    chapter: "activations",
    printed: None,
};

pub(crate) const FORMULA_TANH: Formula = Formula {
    id: "gelu-tanh",
    title: "GELU, tanh approximation",
    latex: r"\operatorname{GELU}(x) \approx \frac{x}{2}\left(1 + \tanh\left(\sqrt{\tfrac{2}{\pi}}\,(x + 0.044715\,x^3)\right)\right)",
    unicode: "GELU(x) ≈ (x/2)·(1 + tanh(√(2/π)·(x + 0.044715x³)))",
    symbols: &[X],
    item: item!(fn gelu_tanh),
    ..FORMULA
};

/// Φ(x), the distribution function of the standard normal: ½·erfc(−x/√2), which keeps its digits on the left.
#[inline(always)]
fn normal_cdf<T: Scalar>(x: T) -> T {
    math::normal_cdf(x)
}

/// The density of the standard normal.
#[inline(always)]
fn normal_density<T: Scalar>(x: T) -> T {
    T::of(FRAC_2_SQRT_PI * 0.5 * FRAC_1_SQRT_2) * math::exp(T::of(-0.5) * x * x)
}

/// The Gaussian error linear unit, exact.
///
/// **Formula** `gelu`: x·Φ(x), Φ the distribution function of the standard normal.
///
/// **Shapes**: elementwise. **Units**: 1; at least −0.1700, taken at x = −0.7518.
///
/// **Gradient**: Φ(x) + x·φ(x), φ the density, at most 1.1289, at √2: [`gelu_derivative`].
///
/// **Numerics**: with 1 + erf(x/√2) the left tail cancels (2·10⁸ ulp at −6). This is max(x, 0) − |x|·Φ(−|x|), which does not: at most
/// 1.75 ulp above −0.8, 5.75 ulp (2.25 in double precision) below. See [`math::gelu`].
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Hendrycks & Gimpel 2016, §2.
///
/// ```
/// use gradus_activations::gelu;
/// assert_eq!(gelu(0.0), 0.0);
/// assert!((gelu(1.0f64) - 0.841_344_746_068_543).abs() < 1e-15); // Φ(1)
/// assert!(gelu(-20.0f64) < 0.0);
/// ```
#[inline(always)]
pub fn gelu<T: Scalar>(x: T) -> T {
    math::gelu(x)
}

/// The derivative of [`gelu`]: Φ(x) + x·φ(x).
///
/// ```
/// assert_eq!(gradus_activations::gelu_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn gelu_derivative<T: Scalar>(x: T) -> T {
    if x.is_finite() || Scalar::is_nan(x) { normal_cdf(x) + x * normal_density(x) } else { normal_cdf(x) }
}

/// √(2/π) and the cubic coefficient of the tanh approximation.
const SCALE: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
const CUBIC: f64 = 0.044_715;

/// The Gaussian error linear unit by tanh, as the first implementations and GPT-2 have it.
///
/// **Formula** `gelu-tanh`: (x/2)·(1 + tanh(√(2/π)·(x + 0.044715x³))).
///
/// **Shapes**: elementwise. **Units**: 1. It differs from [`gelu`] by at most 4.8·10⁻⁴.
///
/// **Gradient**: ½(1 + tanh u) + (x/2)·tanh′(u)·u′: [`gelu_tanh_derivative`].
///
/// **Numerics**: 1 + tanh(u) cancels on the left: it is 2σ(2u) instead, which does not.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Hendrycks & Gimpel 2016, §2.
///
/// ```
/// use gradus_activations::{gelu, gelu_tanh};
/// assert!((gelu_tanh(1.0f64) - gelu(1.0)).abs() < 2e-4);
/// assert!(gelu_tanh(1.0f64) != gelu(1.0));
/// ```
#[inline(always)]
pub fn gelu_tanh<T: Scalar>(x: T) -> T {
    if x == T::NEG_INFINITY {
        return -T::ZERO;
    }
    let u = inner(x);
    x * crate::sigmoid(u + u)
}

#[inline(always)]
fn inner<T: Scalar>(x: T) -> T {
    T::of(SCALE) * (x + T::of(CUBIC) * x * x * x)
}

/// The derivative of [`gelu_tanh`].
///
/// ```
/// assert_eq!(gradus_activations::gelu_tanh_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn gelu_tanh_derivative<T: Scalar>(x: T) -> T {
    let u = inner(x);
    let gate = crate::sigmoid(u + u);
    let slope = T::of(SCALE) * (T::ONE + T::of(3.0 * CUBIC) * x * x);
    let bend = tanh_derivative(u);
    // Far out the bend is 0 and the slope infinite: their product is 0.
    if bend == T::ZERO { gate } else { gate + T::of(0.5) * x * bend * slope }
}

/// [`gelu`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Gelu;

impl Activation for Gelu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        gelu(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        gelu_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: -0.169_971_207_479_903_66,
            high: f64::INFINITY,
            // At √2, where the second derivative (2 − x²)φ(x) is 0.
            lipschitz: 1.128_904_145_185_154_8,
            steepest: SQRT_2,
            course: Course::Turns(-0.751_791_524_693_564_5),
            kinks: &[],
        }
    }
}

/// [`gelu_tanh`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct GeluTanh;

impl Activation for GeluTanh {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        gelu_tanh(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        gelu_tanh_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: -0.170_040_750_571_254_05,
            high: f64::INFINITY,
            lipschitz: 1.128_993_068_658_771_8,
            steepest: 1.418_504_008_790_828_4,
            course: Course::Turns(-0.752_461_422_071_016_3),
            kinks: &[],
        }
    }
}
