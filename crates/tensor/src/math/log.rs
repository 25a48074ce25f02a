//! ln x, ln(1 + x) and softplus, ln(1 + eˣ).

use super::exp::exp;
use super::real::{Real, at_least, at_most, choose};

/// k·ln 2 + ln(1 + f + small).
#[inline(always)]
fn join<F: Real>(k: F, f: F, small: F) -> F {
    let [high, low] = F::MATH.ln2;
    F::fma(k, high, f + F::fma(k, low, F::ln_tail(f) + small))
}

/// y, but for an argument 1 + x at which the logarithm is something else: `from_zero` is how far 1 + x is from 0.
#[inline(always)]
fn with_ends<F: Real>(y: F, x: F, pole: F) -> F {
    let c = &F::MATH;
    let outside = choose(x == pole, -c.infinity, c.nan);
    choose(x > pole, choose(x < c.infinity, y, x), outside)
}

#[inline(always)]
pub(super) fn ln<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let subnormal = x < c.smallest_normal;
    let (k, m) = F::split(choose(subnormal, x * c.lift, x));
    let k = k - choose(subnormal, c.lift_exponent, c.zero);
    with_ends(join(k, m - c.one, c.zero), x, c.zero)
}

/// The logarithm of a normal number above 0.
#[inline(always)]
pub(super) fn ln_of_normal<F: Real>(x: F) -> F {
    let (k, m) = F::split(x);
    join(k, m - F::MATH.one, F::MATH.zero)
}

#[inline(always)]
pub(super) fn ln_1p<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let sum = c.one + x;
    // What the sum lost, by Knuth's two-sum.
    let x_part = sum - c.one;
    let lost = (c.one - (sum - x_part)) + (x - x_part);
    let (k, m) = F::split(sum);
    // 2⁻ᵏ; where k is large nothing is lost, and the power need only be small.
    let scale = F::power(c.rounder - at_most(k, c.sigmoid_shift + c.sigmoid_shift));
    let y = join(k, F::fma(lost, scale, m - c.one), c.zero);
    F::signed_as(with_ends(y, x, -c.one), x)
}

#[inline(always)]
pub(super) fn softplus_tail<F: Real>(x: F) -> (F, F) {
    let e = exp(-F::magnitude(x));
    (e, F::ln_1p_unit(e))
}

#[inline(always)]
pub(super) fn softplus<F: Real>(x: F) -> F {
    at_least(x, F::MATH.zero) + softplus_tail(x).1
}
