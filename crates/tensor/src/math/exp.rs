//! eˣ and what is made of it: eˣ − 1, and the reduction that all others share.

use super::real::{Real, at_least, at_most, choose, horner};

/// x = n·ln 2 + r with whole n and |r| ≤ ½ ln 2: `rounder` + n, and r.
///
/// The first product is exact: both numbers are multiples of a last place that the small difference can hold.
#[inline(always)]
pub(super) fn reduce<F: Real>(x: F, rounder: F) -> (F, F) {
    let t = F::fma(x, F::MATH.log2_e, rounder);
    let minus_n = rounder - t;
    let r = F::fma(minus_n, F::MATH.ln2[0], x);
    (t, F::fma(minus_n, F::MATH.ln2[1], r))
}

/// [`reduce`] of x + low, which is not rounded to one number before.
#[inline(always)]
pub(super) fn reduce_pair<F: Real>(x: F, low: F, rounder: F) -> (F, F) {
    let t = F::fma(x, F::MATH.log2_e, rounder);
    let minus_n = rounder - t;
    let r = F::fma(minus_n, F::MATH.ln2[0], x);
    (t, r + F::fma(minus_n, F::MATH.ln2[1], low))
}

/// eʳ − 1 for |r| ≤ ½ ln 2.
#[inline(always)]
pub(super) fn growth<F: Real>(r: F) -> F {
    F::fma(r * r, horner(r, F::MATH.exp), r)
}

#[inline(always)]
pub(super) fn exp<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let (t, r) = reduce(at_least(at_most(x, c.exp_ends[1]), c.exp_ends[0]), c.rounder);
    // In two steps: the first is exact, the second rounds once, also into the subnormal numbers.
    let (first, second) = F::powers(t);
    (growth(r) + c.one) * first * second
}

#[inline(always)]
pub(super) fn exp_nonpositive<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let (t, r) = reduce(at_least(x, c.exp_ends[0]), c.rounder + c.tail_shift);
    // The power is too large by a factor that takes it clear of the subnormal numbers: only the last product rounds into them.
    let power = F::power(t);
    F::fma(power, growth(r), power) * c.tail_scale
}

#[inline(always)]
pub(super) fn exp_m1<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let (t, r) = reduce(at_least(at_most(x, c.exp_ends[1]), c.vanishes), c.rounder - c.one);
    // 2ⁿ(1 + g) − 1 = 2ⁿ·g + (2ⁿ − 1), of which the half has a power in range.
    let half = F::power(t);
    let y = F::fma(half, growth(r), half - c.half);
    choose(F::magnitude(x) < c.tiny, x, y + y)
}
