//! What the bodies of the functions are written in: the two precisions, with their bits and their constants.

use super::{coefficients as table, gelu};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// The numbers that differ between the precisions.
#[derive(Debug)]
pub struct Constants<T: 'static> {
    /// 1.5 times 2 to the bits of a fraction: a number added to it is rounded to a whole one, in its lowest bits.
    pub(super) rounder: T,
    pub(super) zero: T,
    pub(super) half: T,
    pub(super) one: T,
    pub(super) two: T,
    pub(super) infinity: T,
    pub(super) nan: T,
    pub(super) log2_e: T,
    /// ln 2 in two parts, π/2 in three.
    pub(super) ln2: [T; 2],
    pub(super) half_pi: [T; 3],
    pub(super) two_over_pi: T,
    /// Below this |x| the series of eˣ − 1 is x, rounded.
    pub(super) tiny: T,
    pub(super) smallest_normal: T,
    /// A power of two that makes subnormal numbers normal, and its exponent.
    pub(super) lift: T,
    pub(super) lift_exponent: T,
    /// eˣ is 0 below the first and ∞ above the second.
    pub(super) exp_ends: [T; 2],
    /// Below this, eˣ − 1 is −1 and 1 + eˣ is 1.
    pub(super) vanishes: T,
    /// Above this, tanh is 1.
    pub(super) tanh_end: T,
    /// What 1/(1 + eᵃ) is scaled by to stay in range, as exponent and power.
    pub(super) sigmoid_shift: T,
    pub(super) sigmoid_scale: T,
    /// What the power of a number below 0 is scaled by to stay normal, as exponent and its inverse power.
    pub(super) tail_shift: T,
    pub(super) tail_scale: T,
    /// Above these, 1 − erf is nothing beside 1, erfc is 0, Φ(−a) is 0.
    pub(super) erf_end: T,
    pub(super) erfc_end: T,
    pub(super) cdf_end: T,
    /// Where tanh and erf leave their series.
    pub(super) tanh_series: T,
    pub(super) erf_series: T,
    /// Up to here the argument of sine and cosine is reduced by three parts of π/2.
    pub(super) angle_end: T,
    /// The logarithmic derivative of the polynomials of erfc and Φ, about: constant and slope in (a − 4)/(a + 4).
    pub(super) erfc_slope: [T; 2],
    pub(super) cdf_slope: [T; 2],
    pub(super) four: T,
    pub(super) minus_eight: T,
    pub(super) exp: &'static [T],
    pub(super) tanh: &'static [T],
    pub(super) erf: &'static [T],
    pub(super) erfc: &'static [T],
    pub(super) cdf: &'static [T],
    pub(super) sin: &'static [T],
    pub(super) cos: &'static [T],
}

/// A precision. Not to be named outside of this crate; what is public is [`Scalar`](crate::Scalar). Nothing here is a
/// method, so that no method of another trait is hidden.
pub trait Real:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + 'static
{
    /// The numbers of this precision.
    const MATH: Constants<Self>;
    /// a·b + c, rounded once.
    fn fma(a: Self, b: Self, c: Self) -> Self;
    /// |x|.
    fn magnitude(x: Self) -> Self;
    /// |x| with the sign of y.
    fn signed_as(x: Self, y: Self) -> Self;
    /// 2ⁿ, of `rounder` + n; n must be the exponent of a normal number.
    fn power(t: Self) -> Self;
    /// Two powers of two whose product is 2ⁿ, of `rounder` + n: n may be twice out of range.
    fn powers(t: Self) -> (Self, Self);
    /// k and m of x = 2ᵏ·m with √½ ≤ m < √2, for a normal x > 0.
    fn split(x: Self) -> (Self, Self);
    /// ln(1 + f) − f, for √½ ≤ 1 + f ≤ √2.
    fn ln_tail(f: Self) -> Self;
    /// ln(1 + f), for 0 ≤ f ≤ 1.
    fn ln_1p_unit(f: Self) -> Self;
    /// The lowest bit of n, of `rounder` + n.
    fn is_odd(t: Self) -> bool;
    /// x, negated if the second lowest bit of n is set, of `rounder` + n.
    fn negated_by_second_bit(x: Self, t: Self) -> Self;
    /// Two numbers whose product is a·Φ(−a), for 0 ≤ a ≤ `cdf_end`.
    fn gelu_tail(a: Self) -> (Self, Self);
    /// Sine and cosine of any angle, by the library.
    fn far_sin(x: Self) -> Self;
    /// As above.
    fn far_cos(x: Self) -> Self;
}

/// c₀ + c₁x + c₂x² + …, from the highest power down.
#[inline(always)]
pub(super) fn horner<F: Real>(x: F, coefficients: &[F]) -> F {
    let mut i = coefficients.len() - 1;
    let mut y = coefficients[i];
    while i > 0 {
        i -= 1;
        y = F::fma(y, x, coefficients[i]);
    }
    y
}

/// The same by fours: (c₀ + c₁x) + x²(c₂ + c₃x), then x⁴ times the next. With [`horner`] each step would wait for the last, and a processor looks ahead too little to fill the wait with other elements.
#[inline(always)]
pub(super) fn polynomial<F: Real>(x: F, coefficients: &[F]) -> F {
    let square = x * x;
    let fourth = square * square;
    let mut i = (coefficients.len() - 1) / 4 * 4;
    let mut y = four(x, square, &coefficients[i..]);
    while i > 0 {
        i -= 4;
        y = F::fma(y, fourth, four(x, square, &coefficients[i..i + 4]));
    }
    y
}

/// A polynomial of up to four coefficients.
#[inline(always)]
fn four<F: Real>(x: F, square: F, coefficients: &[F]) -> F {
    match *coefficients {
        [] => F::MATH.zero,
        [a] => a,
        [a, b] => F::fma(b, x, a),
        [a, b, c] => F::fma(c, square, F::fma(b, x, a)),
        [a, b, c, d, ..] => F::fma(F::fma(d, x, c), square, F::fma(b, x, a)),
    }
}

/// a, or b if the condition does not hold; both have been computed.
#[inline(always)]
pub(super) fn choose<F>(condition: bool, a: F, b: F) -> F {
    if condition { a } else { b }
}

/// x, but at most `high`; a NaN stays.
#[inline(always)]
pub(super) fn at_most<F: Real>(x: F, high: F) -> F {
    choose(x > high, high, x)
}

/// x, but at least `low`; a NaN stays.
#[inline(always)]
pub(super) fn at_least<F: Real>(x: F, low: F) -> F {
    choose(x < low, low, x)
}

macro_rules! real {
    ($t:ident, $bits:ident, $math:expr, $ln_tail:expr, $ln_1p_unit:expr, $gelu_tail:path, $sin:path, $cos:path) => {
        impl Real for $t {
            const MATH: Constants<Self> = $math;

            #[inline(always)]
            fn fma(a: Self, b: Self, c: Self) -> Self {
                a.mul_add(b, c)
            }

            #[inline(always)]
            fn magnitude(x: Self) -> Self {
                x.abs()
            }

            #[inline(always)]
            fn signed_as(x: Self, y: Self) -> Self {
                x.copysign(y)
            }

            #[inline(always)]
            fn power(t: Self) -> Self {
                // The lowest bits of t are those of n; shifted to the exponent's place, the others fall off.
                $t::from_bits((t.to_bits() << FRACTION).wrapping_add((1.0 as $t).to_bits()))
            }

            #[inline(always)]
            fn powers(t: Self) -> (Self, Self) {
                // An unsigned shift serves: above the bits of n stands a constant whose lowest bits are 0.
                let (n, half) = (t.to_bits(), t.to_bits() >> 1);
                let one = (1.0 as $t).to_bits();
                let first = (half << FRACTION).wrapping_add(one);
                let second = (n.wrapping_sub(half) << FRACTION).wrapping_add(one);
                ($t::from_bits(first), $t::from_bits(second))
            }

            #[inline(always)]
            fn split(x: Self) -> (Self, Self) {
                const ROOT: $bits = (std::$t::consts::FRAC_1_SQRT_2).to_bits();
                const ONE: $bits = (1.0 as $t).to_bits();
                // 2^FRACTION, below which whole numbers are their own lowest bits; the exponents' bias goes with it.
                const WHOLE: $t = (1u64 << FRACTION) as $t;
                let shifted = x.to_bits().wrapping_add(ONE - ROOT);
                let k = $t::from_bits((shifted >> FRACTION) | WHOLE.to_bits())
                    - (WHOLE + ($t::MAX_EXP - 1) as $t);
                (k, $t::from_bits((shifted & ((1 << FRACTION) - 1)).wrapping_add(ROOT)))
            }

            #[inline(always)]
            fn ln_tail(f: Self) -> Self {
                $ln_tail(f)
            }

            #[inline(always)]
            fn ln_1p_unit(f: Self) -> Self {
                $ln_1p_unit(f)
            }

            #[inline(always)]
            fn is_odd(t: Self) -> bool {
                t.to_bits() & 1 != 0
            }

            #[inline(always)]
            fn negated_by_second_bit(x: Self, t: Self) -> Self {
                $t::from_bits(x.to_bits() ^ ((t.to_bits() >> 1) << ($bits::BITS - 1)))
            }

            #[inline(always)]
            fn gelu_tail(a: Self) -> (Self, Self) {
                $gelu_tail(a)
            }

            fn far_sin(x: Self) -> Self {
                $sin(x)
            }

            fn far_cos(x: Self) -> Self {
                $cos(x)
            }
        }
    };
}

mod single {
    use super::*;
    const FRACTION: u32 = f32::MANTISSA_DIGITS - 1;

    real!(
        f32,
        u32,
        Constants {
            rounder: 12_582_912.0,
            zero: 0.0,
            half: 0.5,
            one: 1.0,
            two: 2.0,
            infinity: f32::INFINITY,
            nan: f32::NAN,
            log2_e: std::f32::consts::LOG2_E,
            ln2: [std::f32::consts::LN_2, -1.90465421e-09],
            half_pi: [std::f32::consts::FRAC_PI_2, -4.37113883e-08, -1.71512451e-15],
            two_over_pi: std::f32::consts::FRAC_2_PI,
            tiny: f32::EPSILON / 4.0,
            smallest_normal: f32::MIN_POSITIVE,
            lift: 33_554_432.0,
            lift_exponent: 25.0,
            exp_ends: [-104.0, 89.0],
            vanishes: -20.0,
            tanh_end: 9.1,
            sigmoid_shift: 32.0,
            sigmoid_scale: 1.0 / 4_294_967_296.0,
            tail_shift: 64.0,
            tail_scale: 1.0 / 18_446_744_073_709_551_616.0,
            erf_end: 4.0,
            erfc_end: 10.2,
            cdf_end: 14.5,
            tanh_series: 0.55,
            erf_series: 0.9,
            angle_end: 1e5,
            erfc_slope: [-0.9, 0.8],
            cdf_slope: [-0.8, 0.3],
            four: 4.0,
            minus_eight: -8.0,
            exp: &table::EXP_F32,
            tanh: &table::TANH_F32,
            erf: &table::ERF_F32,
            erfc: &table::ERFC_F32,
            cdf: &table::CDF_F32,
            sin: &table::SIN_F32,
            cos: &table::COS_F32,
        },
        |f: f32| f * f * polynomial(f, &table::LN_F32),
        |f: f32| {
            // The first step by itself: the sum by fours would round once more where it counts.
            let rest = polynomial(f, &table::LN_UNIT_F32[1..]);
            f32::fma(f * f, f32::fma(f, rest, table::LN_UNIT_F32[0]), f)
        },
        gelu::single_tail,
        libm::sinf,
        libm::cosf
    );
}

mod double {
    use super::*;
    const FRACTION: u32 = f64::MANTISSA_DIGITS - 1;

    /// By s = f/(2 + f): ln(1 + f) = 2s + s³·R(s²) = f − f²/2 + s·(f²/2 + s²·R(s²)).
    #[inline(always)]
    fn ln_tail(f: f64, coefficients: &[f64]) -> f64 {
        let s = f / (2.0 + f);
        let square = s * s;
        let half = 0.5 * f * f;
        f64::fma(s, f64::fma(square, polynomial(square, coefficients), half), -half)
    }

    real!(
        f64,
        u64,
        Constants {
            rounder: 6_755_399_441_055_744.0,
            zero: 0.0,
            half: 0.5,
            one: 1.0,
            two: 2.0,
            infinity: f64::INFINITY,
            nan: f64::NAN,
            log2_e: std::f64::consts::LOG2_E,
            ln2: [std::f64::consts::LN_2, 2.3190468138462996e-17],
            half_pi: [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591698e-33],
            two_over_pi: std::f64::consts::FRAC_2_PI,
            tiny: f64::EPSILON / 4.0,
            smallest_normal: f64::MIN_POSITIVE,
            lift: 18_014_398_509_481_984.0,
            lift_exponent: 54.0,
            exp_ends: [-746.0, 710.0],
            vanishes: -40.0,
            tanh_end: 20.0,
            sigmoid_shift: 64.0,
            sigmoid_scale: 1.0 / 18_446_744_073_709_551_616.0,
            tail_shift: 512.0,
            tail_scale: 7.458340731200207e-155,
            erf_end: 6.0,
            erfc_end: 27.4,
            cdf_end: 38.7,
            tanh_series: 0.55,
            erf_series: 0.9,
            angle_end: 1_073_741_824.0,
            erfc_slope: [-0.9, 0.8],
            cdf_slope: [-0.8, 0.3],
            four: 4.0,
            minus_eight: -8.0,
            exp: &table::EXP_F64,
            tanh: &table::TANH_F64,
            erf: &table::ERF_F64,
            erfc: &table::ERFC_F64,
            cdf: &table::CDF_F64,
            sin: &table::SIN_F64,
            cos: &table::COS_F64,
        },
        |f: f64| ln_tail(f, &table::LN_F64),
        |f: f64| f + ln_tail(f, &table::LN_UNIT_F64),
        gelu::double_tail,
        libm::sin,
        libm::cos
    );
}
