//! The elementary functions of the book's formulas, made so that a loop over them becomes vector instructions.
//!
//! Each is one body without branches, look-ups or calls, in single and in double precision, of sums, products, quotients,
//! fused products and selections. All of these are exact to the last bit by IEEE 754, so the results do not depend on the
//! machine, on its instruction set, or on whether an element stood in a loop: a property of construction. Run loops through
//! [`vectorize`] or [`map_into`]: they pick the machine's instruction set; outside of them each call is correct and, where the
//! program was compiled for processors without fused products, slow.
//!
//! Errors are counted in ulp, units in the last place of the result; NaN goes in, NaN comes out.
//!
//! ```
//! use gradus_tensor::{Scalar, math};
//! fn swish<T: Scalar>(x: T) -> T {
//!     x * math::sigmoid(x)
//! }
//! let mut y = [0.0; 100];
//! math::map_into(&[2.0f32; 100], &mut y, swish);
//! assert_eq!(y, [swish(2.0); 100]);
//! ```

mod coefficients;
pub mod dispatch;
mod erf;
mod exp;
mod gelu;
mod hyperbolic;
mod log;
mod real;
mod trigonometric;

use crate::Scalar;
pub use dispatch::{Level, map_into, map_into_at, vectorize, vectorize_at};
#[doc(hidden)]
pub use real::Real;

/// e to a power.
///
/// **Formula**: eˣ.
///
/// **Numerics**: at most 1.25 ulp; ∞ from the first x whose power rounds to it (88.73, 709.79), and gradually 0 through the subnormal numbers.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::exp(0.0), 1.0);
/// assert_eq!(math::exp(f64::NEG_INFINITY), 0.0);
/// assert!(math::exp(-100.0f32) > 0.0); // subnormal
/// ```
#[inline(always)]
pub fn exp<T: Scalar>(x: T) -> T {
    exp::exp(x)
}

/// e to a power that is at most 0.
///
/// **Formula**: eˣ, x ≤ 0.
///
/// **Numerics**: with the bits of [`exp`], for about two thirds of the work: softmax, whose largest power is 1, needs no more. Above 0 the
/// result is not to be used.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::exp_nonpositive(-3.0f32), math::exp(-3.0));
/// assert_eq!(math::exp_nonpositive(f64::NEG_INFINITY), 0.0);
/// ```
#[inline(always)]
pub fn exp_nonpositive<T: Scalar>(x: T) -> T {
    exp::exp_nonpositive(x)
}

/// e to a power, less 1, without cancellation.
///
/// **Formula**: eˣ − 1.
///
/// **Numerics**: at most 2 ulp; the sign of a zero is kept.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::exp_m1(1e-300), 1e-300);
/// assert_eq!(math::exp_m1(f64::NEG_INFINITY), -1.0);
/// ```
#[inline(always)]
pub fn exp_m1<T: Scalar>(x: T) -> T {
    exp::exp_m1(x)
}

/// The natural logarithm.
///
/// **Formula**: ln x.
///
/// **Numerics**: at most 1 ulp; −∞ at 0, NaN below; subnormal x like others.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::ln(1.0), 0.0);
/// assert_eq!(math::ln(0.0), f64::NEG_INFINITY);
/// assert!(math::ln(-1.0f64).is_nan());
/// ```
#[inline(always)]
pub fn ln<T: Scalar>(x: T) -> T {
    log::ln(x)
}

/// The natural logarithm of 1 + x, without cancellation.
///
/// **Formula**: ln(1 + x).
///
/// **Numerics**: at most 1.75 ulp; −∞ at −1, NaN below; the sign of a zero is kept.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::ln_1p(1e-300), 1e-300);
/// assert_eq!(math::ln_1p(-1.0), f64::NEG_INFINITY);
/// ```
#[inline(always)]
pub fn ln_1p<T: Scalar>(x: T) -> T {
    log::ln_1p(x)
}

/// The smooth version of max(x, 0).
///
/// **Formula**: ln(1 + eˣ) = max(x, 0) + ln(1 + exp(−|x|)).
///
/// **Numerics**: at most 2 ulp; no overflow on the right, and eˣ far on the left.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::softplus(1000.0), 1000.0);
/// assert_eq!(math::softplus(-50.0), math::exp(-50.0));
/// ```
#[inline(always)]
pub fn softplus<T: Scalar>(x: T) -> T {
    log::softplus(x)
}

/// What softplus adds to max(x, 0), and the power that it is made of: for formulas that need both.
///
/// **Formula**: exp(−|x|) and ln(1 + exp(−|x|)).
///
/// **Numerics**: at most 1.25 and 2 ulp, with the bits of [`exp`] and of [`softplus`] at −|x|.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::softplus_tail(3.0f64), (math::exp(-3.0), math::softplus(-3.0)));
/// ```
#[inline(always)]
pub fn softplus_tail<T: Scalar>(x: T) -> (T, T) {
    log::softplus_tail(x)
}

/// The hyperbolic tangent.
///
/// **Formula**: (eˣ − e⁻ˣ)/(eˣ + e⁻ˣ).
///
/// **Numerics**: at most 1.5 ulp; a polynomial below 0.55, 1 − 2/(e²ˣ + 1) above; at most 1; the sign of a zero is kept.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::tanh(1e-300), 1e-300);
/// assert_eq!(math::tanh(f64::NEG_INFINITY), -1.0);
/// ```
#[inline(always)]
pub fn tanh<T: Scalar>(x: T) -> T {
    hyperbolic::tanh(x)
}

/// The logistic function.
///
/// **Formula**: 1/(1 + e⁻ˣ).
///
/// **Numerics**: at most 2 ulp; from 0 to 1; on the left eˣ, through the subnormal numbers.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::sigmoid(0.0), 0.5);
/// assert!(math::sigmoid(-100.0f32) > 0.0);
/// assert_eq!(math::sigmoid(f64::INFINITY), 1.0);
/// ```
#[inline(always)]
pub fn sigmoid<T: Scalar>(x: T) -> T {
    hyperbolic::sigmoid(x)
}

/// The error function.
///
/// **Formula**: 2/√π · ∫₀ˣ exp(−t²) dt.
///
/// **Numerics**: at most 2 ulp; from −1 to 1; the sign of a zero is kept.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::erf(0.0), 0.0);
/// assert!((math::erf(0.5f64) - 0.520_499_877_813_046_5).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn erf<T: Scalar>(x: T) -> T {
    erf::erf(x)
}

/// The complement of the error function.
///
/// **Formula**: 1 − erf(x).
///
/// **Numerics**: at most 2 ulp; without cancellation on the right: x² is rounded, and what it lost corrected.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::erfc(0.0), 1.0);
/// assert!(math::erfc(27.0) > 0.0);
/// assert_eq!(math::erfc(f64::NEG_INFINITY), 2.0);
/// ```
#[inline(always)]
pub fn erfc<T: Scalar>(x: T) -> T {
    erf::erfc(x)
}

/// The distribution function of the standard normal.
///
/// **Formula**: Φ(x) = ½·erfc(−x/√2).
///
/// **Numerics**: at most 1.75 ulp; without cancellation on the left, and without the rounding of x/√2, which the square in the exponent would magnify.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::normal_cdf(0.0), 0.5);
/// assert!((math::normal_cdf(1.0f64) - 0.841_344_746_068_543).abs() < 1e-15);
/// assert!(math::normal_cdf(-38.0) > 0.0);
/// ```
#[inline(always)]
pub fn normal_cdf<T: Scalar>(x: T) -> T {
    erf::normal_cdf(x)
}

/// The Gaussian error linear unit, x times the distribution function of the standard normal.
///
/// **Formula**: x·Φ(x) = max(x, 0) − |x|·Φ(−|x|).
///
/// **Numerics**: at most 1.75 ulp above −0.8. Below, where the result dwindles, at most 5.75 ulp in single precision and 2.25 in double
/// (of the result, not of x): without cancellation, down through the subnormal numbers.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::gelu(0.0), 0.0);
/// assert!((math::gelu(1.0f64) - 0.841_344_746_068_543).abs() < 1e-15);
/// assert!(math::gelu(-13.0f32) < 0.0);
/// ```
#[inline(always)]
pub fn gelu<T: Scalar>(x: T) -> T {
    gelu::gelu(x)
}

/// The sine, of radians.
///
/// **Formula**: sin x.
///
/// **Numerics**: at most 1.75 ulp; π/2 is subtracted in three parts for |x| up to 10⁵ (2³⁰ in double precision). Beyond that
/// the library's function takes over, a branch that loops over this function keep: [`sin_into`] is the way for slices.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::sin(-0.0f64).to_bits(), (-0.0f64).to_bits());
/// assert!((math::sin(0.5f64) - 0.479_425_538_604_203).abs() < 1e-15);
/// ```
#[inline]
pub fn sin<T: Scalar>(x: T) -> T {
    trigonometric::sin(x)
}

/// The sines of a slice, as far as both slices go, with the bits of [`sin`].
///
/// ```
/// use gradus_tensor::math;
/// let mut y = [0.0; 2];
/// math::sin_into(&[0.5f32, 1e30], &mut y);
/// assert_eq!(y, [math::sin(0.5), math::sin(1e30)]);
/// ```
pub fn sin_into<T: Scalar>(x: &[T], out: &mut [T]) {
    trigonometric::sin_into(x, out);
}

/// The cosine, of radians.
///
/// **Formula**: cos x.
///
/// **Numerics**: at most 1.75 ulp; π/2 is subtracted in three parts for |x| up to 10⁵ (2³⁰ in double precision). Beyond that
/// the library's function takes over, a branch that loops over this function keep: [`cos_into`] is the way for slices.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::cos(0.0), 1.0);
/// assert!((math::cos(0.5f64) - 0.877_582_561_890_372_7).abs() < 1e-15);
/// ```
#[inline]
pub fn cos<T: Scalar>(x: T) -> T {
    trigonometric::cos(x)
}

/// The cosines of a slice, as far as both slices go, with the bits of [`cos`].
///
/// ```
/// use gradus_tensor::math;
/// let mut y = [0.0; 2];
/// math::cos_into(&[0.5f32, 1e30], &mut y);
/// assert_eq!(y, [math::cos(0.5), math::cos(1e30)]);
/// ```
pub fn cos_into<T: Scalar>(x: &[T], out: &mut [T]) {
    trigonometric::cos_into(x, out);
}

/// The natural logarithm where x is known to be a normal number: [`ln`] without a look at 0, ∞, NaN and subnormal numbers.
///
/// **Formula**: ln x, for x from the smallest normal number to the largest; elsewhere the result means nothing.
///
/// **Numerics**: there it has the bits of [`ln`], in two thirds of the time.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::ln_of_normal(0.3), math::ln(0.3));
/// ```
#[inline(always)]
pub fn ln_of_normal<T: Scalar>(x: T) -> T {
    log::ln_of_normal(x)
}

/// The sine and the cosine of x whole turns, together, without branches: what random directions are made of.
///
/// **Formula**: sin 2πx and cos 2πx.
///
/// **Units**: turns, |x| ≤ 1000; far beyond, the result means nothing.
///
/// **Numerics**: at most 2 ulp. The quarter that x lies in is found exactly, so that sin ½ turn is 0, not 1.2·10⁻¹⁶; that costs
/// less than to subtract multiples of π, too.
///
/// ```
/// use gradus_tensor::math;
/// assert_eq!(math::sin_cos_turns(0.25), (1.0, 0.0));
/// let (sin, cos) = math::sin_cos_turns(0.125f64);
/// assert!((sin - 0.5f64.sqrt()).abs() < 1e-15 && (cos - 0.5f64.sqrt()).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn sin_cos_turns<T: Scalar>(x: T) -> (T, T) {
    trigonometric::sin_cos_turns(x)
}
