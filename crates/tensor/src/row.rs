//! What kernels are made of: loops over slices that fit the caches, in a fixed order. All are compiled into their caller, so
//! that inside [`vectorize`](crate::kernel::vectorize) they use its instruction set.

use crate::Scalar;
use std::ops::Range;

/// A sum has this many running sums, which do not wait for each other and fill the widest registers …
pub(crate) const LANES: usize = 32;

/// … over this many terms; the sums of such leaves are then added by halves. The order depends on the length alone, so
/// the same numbers give the same bits everywhere; the error grows with the logarithm of the length.
pub(crate) const LEAF: usize = 1024;

/// How many leaves are added by halves; sums of more are added one after the other.
pub(crate) const LEAVES: usize = 32;

/// Σ f(xᵢ).
#[inline(always)]
pub fn sum_by<T: Scalar>(x: &[T], f: impl Fn(T) -> T) -> T {
    add_leaves(
        x.len(),
        #[inline(always)]
        |leaf| {
            let x = &x[leaf];
            let mut lanes = [T::ZERO; LANES];
            let chunks = x.chunks_exact(LANES);
            let tail = chunks.remainder();
            for chunk in chunks {
                for (sum, &x) in lanes.iter_mut().zip(chunk) {
                    *sum += f(x);
                }
            }
            for (sum, &x) in lanes.iter_mut().zip(tail) {
                *sum += f(x);
            }
            fold(lanes)
        },
    )
}

/// Σ f(xᵢ, yᵢ), of slices of one length.
#[inline(always)]
pub fn sum_by_two<T: Scalar, U: Copy>(x: &[T], y: &[U], f: impl Fn(T, U) -> T) -> T {
    add_leaves(
        x.len().min(y.len()),
        #[inline(always)]
        |leaf| {
            let mut lanes = [T::ZERO; LANES];
            let (x, y) = (x[leaf.clone()].chunks_exact(LANES), y[leaf].chunks_exact(LANES));
            let (x_tail, y_tail) = (x.remainder(), y.remainder());
            for (x, y) in x.zip(y) {
                for ((sum, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
                    *sum += f(x, y);
                }
            }
            for ((sum, &x), &y) in lanes.iter_mut().zip(x_tail).zip(y_tail) {
                *sum += f(x, y);
            }
            fold(lanes)
        },
    )
}

/// Writes f(xᵢ) to `out` and gives the sum of what was written.
#[inline(always)]
pub fn map_sum<T: Scalar>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) -> T {
    add_leaves(
        x.len().min(out.len()),
        #[inline(always)]
        |leaf| {
            let (x, out) = (&x[leaf.clone()], &mut out[leaf]);
            for (out, &x) in out.iter_mut().zip(x) {
                *out = f(x);
            }
            // A second loop over what the first cache still holds: the first one is simpler to compile without it.
            let mut lanes = [T::ZERO; LANES];
            let chunks = out.chunks_exact(LANES);
            let tail = chunks.remainder();
            for chunk in chunks {
                for (sum, &x) in lanes.iter_mut().zip(chunk) {
                    *sum += x;
                }
            }
            for (sum, &x) in lanes.iter_mut().zip(tail) {
                *sum += x;
            }
            fold(lanes)
        },
    )
}

/// Of f(xᵢ, yᵢ) = (a, b): writes a to `out` and gives the sum of b. A loss with its gradient in one pass.
#[inline(always)]
pub fn zip_map_sum<T: Scalar>(x: &[T], y: &[T], out: &mut [T], f: impl Fn(T, T) -> (T, T)) -> T {
    add_leaves(
        x.len().min(y.len()).min(out.len()),
        #[inline(always)]
        |leaf| {
            let mut terms = [T::ZERO; LEAF];
            let (x, y, out) = (&x[leaf.clone()], &y[leaf.clone()], &mut out[leaf]);
            for (((term, out), &x), &y) in terms.iter_mut().zip(&mut *out).zip(x).zip(y) {
                (*out, *term) = f(x, y);
            }
            let mut lanes = [T::ZERO; LANES];
            for chunk in terms[..x.len().next_multiple_of(LANES)].chunks_exact(LANES) {
                for (sum, &x) in lanes.iter_mut().zip(chunk) {
                    *sum += x;
                }
            }
            fold(lanes)
        },
    )
}

/// The element that `pick` prefers to all others, `start` for none.
#[inline(always)]
pub fn extreme<T: Scalar>(x: &[T], start: T, pick: impl Fn(T, T) -> T) -> T {
    let mut lanes = [start; LANES];
    let chunks = x.chunks_exact(LANES);
    let tail = chunks.remainder();
    for chunk in chunks {
        for (best, &x) in lanes.iter_mut().zip(chunk) {
            *best = pick(*best, x);
        }
    }
    for (best, &x) in lanes.iter_mut().zip(tail) {
        *best = pick(*best, x);
    }
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (low, &mut high) in low.iter_mut().zip(high) {
            *low = pick(*low, high);
        }
        width /= 2;
    }
    lanes[0]
}

/// The largest element, −∞ for none, NaN if one is NaN.
#[inline(always)]
pub fn max<T: Scalar>(x: &[T]) -> T {
    extreme(x, T::NEG_INFINITY, T::max_or_nan)
}

/// The largest element, −∞ for none; a NaN is passed over. Cheaper than [`max`], for formulas in which a NaN goes on by another way.
#[inline(always)]
pub fn largest<T: Scalar>(x: &[T]) -> T {
    extreme(
        x,
        T::NEG_INFINITY,
        #[inline(always)]
        |best, x| if x > best { x } else { best },
    )
}

/// The sum of the sums of leaves, by halves up to 32 of them, one after the other beyond.
#[inline(always)]
fn add_leaves<T: Scalar>(len: usize, mut leaf: impl FnMut(Range<usize>) -> T) -> T {
    let mut sums = [T::ZERO; LEAVES];
    let mut total = T::ZERO;
    let mut count = 0;
    let mut start = 0;
    while start < len {
        let end = len.min(start + LEAF);
        sums[count] = leaf(start..end);
        count += 1;
        start = end;
        if count == LEAVES && start < len {
            total += by_halves(&sums);
            count = 0;
        }
    }
    match (count, len > LEAF * LEAVES) {
        (0, _) => total,
        (1, false) => sums[0],
        (_, false) => by_halves(&sums[..count]),
        (_, true) => total + by_halves(&sums[..count]),
    }
}

/// The sum of the lanes: the second half onto the first, until one is left.
#[inline(always)]
pub(crate) fn fold<T: Scalar>(mut lanes: [T; LANES]) -> T {
    let mut width = LANES / 2;
    while width > 0 {
        let (low, high) = lanes.split_at_mut(width);
        for (low, &mut high) in low.iter_mut().zip(high) {
            *low += high;
        }
        width /= 2;
    }
    lanes[0]
}

/// The sum of a few numbers, by halves.
pub(crate) fn by_halves<T: Scalar>(x: &[T]) -> T {
    match x {
        [] => T::ZERO,
        [x] => *x,
        _ => {
            let (left, right) = x.split_at(x.len().next_power_of_two() / 2);
            by_halves(left) + by_halves(right)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_is_visited_once_at_every_length() {
        for len in (0..100).chain([1023, 1024, 1025, 32768, 32769, 70000]) {
            let x: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let expected = x.iter().sum::<f64>(); // whole numbers: exact in any order
            let mut out = vec![f64::NAN; len];
            assert_eq!(sum_by(&x, |v| v), expected);
            assert_eq!(sum_by_two(&x, &x, |a, b| a + b), 2.0 * expected);
            assert_eq!(map_sum(&x, &mut out, |v| v + 1.0), expected + len as f64);
            assert!(out.iter().zip(&x).all(|(o, x)| *o == x + 1.0));
            assert_eq!(zip_map_sum(&x, &x, &mut out, |a, b| (a - b, a)), expected);
            assert!(out.iter().all(|o| *o == 0.0));
            assert_eq!(max(&x), x.last().copied().unwrap_or(f64::NEG_INFINITY));
        }
    }

    #[test]
    fn no_nan_is_lost() {
        for at in [0, 5, 31, 32, 1000] {
            let mut x = vec![1.0; 1001];
            x[at] = f64::NAN;
            assert!(max(&x).is_nan() && sum_by(&x, |v| v).is_nan());
        }
    }
}
