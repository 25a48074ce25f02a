//! The error function, its complement, and the distribution function of the standard normal.
//!
//! A tail is exp(−a²) times a function without features, which is a polynomial in (a − 4)/(a + 4) over 4 + a.

use super::exp::{growth, reduce, reduce_pair};
use super::real::{Real, at_most, choose, polynomial};

/// exp(−h − l) times the polynomial over 4 + a, as a number near 1 and two powers of two.
#[inline(always)]
fn tail<F: Real>(a: F, h: F, l: F, coefficients: &[F], slope: [F; 2]) -> (F, F, F) {
    let c = &F::MATH;
    let sum = c.four + a;
    let inverse = c.one / sum;
    let u = F::fma(c.minus_eight, inverse, c.one);
    // What roundings made wrong: the sum, of which subtracting 4 is exact, and relatively its inverse. Given that, u is exact up
    // to a = 12 and hardly off beyond, so that the rest follows from the inverse's error and the polynomial's slope.
    let lost = a - (sum - c.four);
    let inverse_off = F::fma(-inverse, lost, F::fma(-inverse, sum, c.one));
    let argument_off = inverse_off * F::fma(u - c.one, F::fma(slope[1], u, slope[0]), c.one);
    // The last sum and the product keep what they lost, too.
    // The first steps one after the other, which rounds least, the rest by fours, which waits least.
    let rest = polynomial(u, &coefficients[5..]);
    let rest = F::fma(F::fma(F::fma(rest, u, coefficients[4]), u, coefficients[3]), u, coefficients[2]);
    let sum = F::fma(u, rest, coefficients[0]);
    let sum_off = F::fma(u, rest, coefficients[0] - sum) + coefficients[1];
    let smooth = inverse * sum;
    let smooth_off = F::fma(inverse, sum_off, F::fma(inverse, sum, -smooth));
    let smooth_off = F::fma(smooth, argument_off, smooth_off);
    let (t, r) = reduce_pair(-h, -l, c.rounder);
    let growth = growth(r);
    let (first, second) = F::powers(t);
    let correction = F::fma(smooth_off, growth, smooth_off);
    (smooth + F::fma(smooth, growth, correction), first, second)
}

#[inline(always)]
pub(super) fn erf<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let a = at_most(F::magnitude(x), c.erf_end);
    let square = a * a;
    // Beside 1 the tail needs few digits: none of its corrections.
    let (t, r) = reduce(-square, c.rounder);
    let inverse = c.one / (c.four + a);
    let u = F::fma(c.minus_eight, inverse, c.one);
    let smooth = inverse * F::fma(u, polynomial(u, &c.erfc[2..]), c.erfc[0] + c.erfc[1]);
    let large = c.one - F::fma(smooth, growth(r), smooth) * F::power(t);
    let small = F::fma(a, polynomial(square, c.erf), a);
    F::signed_as(choose(a < c.erf_series, small, large), x)
}

#[inline(always)]
pub(super) fn erfc<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let a = at_most(F::magnitude(x), c.erfc_end);
    let h = a * a;
    let (y, first, second) = tail(a, h, F::fma(a, a, -h), c.erfc, c.erfc_slope);
    let y = y * first * second;
    // Near 0 the series of erf has fewer roundings: 1 − a is almost exact.
    let y = choose(a < c.erf_series, F::fma(-a, polynomial(h, c.erf), c.one - a), y);
    choose(x < c.zero, c.two - y, y)
}

/// Φ(−a), as [`tail`] has it.
#[inline(always)]
pub(super) fn cdf_tail<F: Real>(a: F) -> (F, F, F) {
    let c = &F::MATH;
    let b = c.half * a;
    let h = a * b;
    tail(a, h, F::fma(a, b, -h), c.cdf, c.cdf_slope)
}

#[inline(always)]
pub(super) fn normal_cdf<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let a = at_most(F::magnitude(x), c.cdf_end);
    let (y, first, second) = cdf_tail(a);
    let y = y * first * second;
    choose(x > c.zero, c.one - y, y)
}
