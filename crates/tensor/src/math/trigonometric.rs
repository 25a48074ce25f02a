//! Sine and cosine: a body for arguments up to a bound, the library's functions beyond it.

use super::dispatch::vectorize;
use super::real::{Real, choose, polynomial};

/// How many elements are looked at together: all of them in the vectorised body, or each alone.
const BLOCK: usize = 256;

/// x = n·π/2 + r: `rounder` + n, and r.
#[inline(always)]
fn reduce<F: Real>(x: F) -> (F, F) {
    let c = &F::MATH;
    let t = F::fma(x, c.two_over_pi, c.rounder);
    let minus_n = c.rounder - t;
    let r = F::fma(minus_n, c.half_pi[0], x);
    let r = F::fma(minus_n, c.half_pi[1], r);
    (t, F::fma(minus_n, c.half_pi[2], r))
}

/// The sine of n·π/2 + r.
#[inline(always)]
fn sine<F: Real>(t: F, r: F) -> F {
    let c = &F::MATH;
    let square = r * r;
    let odd = F::fma(r * square, polynomial(square, c.sin), r);
    let even = F::fma(square * square, polynomial(square, c.cos), F::fma(-c.half, square, c.one));
    F::negated_by_second_bit(choose(F::is_odd(t), even, odd), t)
}

#[inline(always)]
fn near_sin<F: Real>(x: F) -> F {
    let (t, r) = reduce(x);
    choose(F::magnitude(x) < F::MATH.tiny, x, sine(t, r))
}

#[inline(always)]
fn near_cos<F: Real>(x: F) -> F {
    let (t, r) = reduce(x);
    sine(t + F::MATH.one, r)
}

#[inline(always)]
fn near<F: Real>(x: F) -> bool {
    F::magnitude(x) <= F::MATH.angle_end
}

#[inline]
pub(super) fn sin<F: Real>(x: F) -> F {
    if near(x) { near_sin(x) } else { F::far_sin(x) }
}

#[inline]
pub(super) fn cos<F: Real>(x: F) -> F {
    if near(x) { near_cos(x) } else { F::far_cos(x) }
}

/// Sine and cosine of x turns: 4x = n + f is exact, and only f·π/2 is rounded.
#[inline(always)]
pub(super) fn sin_cos_turns<F: Real>(x: F) -> (F, F) {
    let c = &F::MATH;
    let t = F::fma(x, c.four, c.rounder);
    let fraction = F::fma(x, c.four, c.rounder - t);
    let r = F::fma(fraction, c.half_pi[0], fraction * c.half_pi[1]);
    (sine(t, r), sine(t + c.one, r))
}

/// Fills `out` block by block: a block whose arguments are all near goes through the vectorised body.
#[inline(always)]
fn by_blocks<F: Real>(x: &[F], out: &mut [F], body: impl Fn(F) -> F, any: impl Fn(F) -> F) {
    vectorize(
        #[inline(always)]
        || {
            for (x, out) in x.chunks(BLOCK).zip(out.chunks_mut(BLOCK)) {
                if x.iter().fold(true, |all, &x| all & near(x)) {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = body(x);
                    }
                } else {
                    for (out, &x) in out.iter_mut().zip(x) {
                        *out = any(x);
                    }
                }
            }
        },
    );
}

pub(super) fn sin_into<F: Real>(x: &[F], out: &mut [F]) {
    by_blocks(x, out, near_sin, sin);
}

pub(super) fn cos_into<F: Real>(x: &[F], out: &mut [F]) {
    by_blocks(x, out, near_cos, cos);
}
