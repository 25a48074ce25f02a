//! The hyperbolic tangent and the logistic function.

use super::exp::{growth, reduce};
use super::real::{Real, at_least, at_most, choose, horner};

#[inline(always)]
pub(super) fn tanh<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let a = at_most(F::magnitude(x), c.tanh_end);
    // 1 − 2/(e²ᵃ + 1), the sum rounded once.
    let (t, r) = reduce(a + a, c.rounder);
    let power = F::power(t);
    let large = c.one - c.two / F::fma(power, growth(r), power + c.one);
    let square = a * a;
    let small = F::fma(a * square, horner(square, c.tanh), a);
    F::signed_as(choose(a < c.tanh_series, small, large), x)
}

#[inline(always)]
pub(super) fn sigmoid<F: Real>(x: F) -> F {
    let c = &F::MATH;
    // 1/(1 + e⁻ˣ) = s/(s + s·e⁻ˣ): with s = 2⁻³² (2⁻⁶⁴) nothing overflows, and the quotient alone may be subnormal.
    let minus_x = at_least(at_most(-x, -c.exp_ends[0]), c.vanishes);
    let (t, r) = reduce(minus_x, c.rounder - c.sigmoid_shift);
    let power = F::power(t);
    let sum = power + c.sigmoid_scale;
    // Lost where the powers are a whole fraction apart; 0 elsewhere, and then the product is exact.
    let lost = c.sigmoid_scale - (sum - power);
    c.sigmoid_scale / (sum + F::fma(power, growth(r), lost))
}
