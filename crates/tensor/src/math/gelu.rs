//! The Gaussian error linear unit: x·Φ(x) = max(x, 0) − |x|·Φ(−|x|), whose second term alone needs the normal distribution.

use super::coefficients as table;
use super::erf::cdf_tail;
use super::exp::{growth, reduce_pair};
use super::real::{Real, at_most, choose, horner};

/// Up to here the series of Φ is taken, in single precision.
const SERIES: f32 = 0.8;

#[inline(always)]
pub(super) fn gelu<F: Real>(x: F) -> F {
    let c = &F::MATH;
    let (left, right) = F::gelu_tail(at_most(F::magnitude(x), c.cdf_end));
    F::fma(-left, right, choose(x < c.zero, c.zero, x))
}

/// In double precision: by the tail of Φ. The product of the two is rounded but once, so that the least numbers keep their sign, and of the far
/// tail only the last factor leads into the subnormal numbers.
#[inline(always)]
pub(super) fn double_tail(a: f64) -> (f64, f64) {
    let (y, first, second) = cdf_tail(a);
    let near = a < 1.0;
    (choose(near, a, a * y * first), choose(near, y * first * second, second))
}

/// In single precision: near 0 by the series of Φ, with few roundings, and beyond by exp(−a²/2) times a rational function.
#[inline(always)]
pub(super) fn single_tail(a: f32) -> (f32, f32) {
    let c = &f32::MATH;
    let b = c.half * a;
    let h = a * b;
    let (t, r) = reduce_pair(-h, -f32::fma(a, b, -h), c.rounder + c.tail_shift);
    let scaled = a * f32::power(t);
    // Numerator and denominator in a and h = a²/2, which is there already.
    let (p, q, s) = (&table::GELU_P_F32, &table::GELU_Q_F32, &table::GELU_S_F32);
    let above = f32::fma(h, f32::fma(p[3], a, p[2]), f32::fma(p[1], a, p[0]));
    let below = f32::fma(h, f32::fma(q[4], h, f32::fma(q[3], a, q[2])), f32::fma(q[1], a, q[0]));
    let smooth = scaled * above;
    let far = f32::fma(smooth, growth(r), smooth) / below;
    let near = a < SERIES;
    (choose(near, a, far), choose(near, f32::fma(-a, horner(h, s), c.half), c.tail_scale))
}
