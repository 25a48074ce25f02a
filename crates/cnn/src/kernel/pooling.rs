//! Pooling, row by row: for each tap of the window, what it reads for a whole row of outputs is one loop.

use super::plane::Plane;
use gradus_tensor::Scalar;
use gradus_tensor::kernel::{row, vectorize};

/// Joins numbers that lie a stride apart to what there is, each to its own.
#[inline(always)]
fn join_apart<T: Scalar>(x: &[T], stride: usize, y: &mut [T], join: impl Fn(T, T) -> T) {
    match (stride, y) {
        (1, y) => {
            for (y, &x) in y.iter_mut().zip(x) {
                *y = join(*y, x);
            }
        }
        (2, [y @ .., last]) => {
            // The last one may have nobody behind it.
            let (pairs, _) = x.as_chunks::<2>();
            *last = join(*last, x[2 * y.len()]);
            for (y, pair) in y.iter_mut().zip(pairs) {
                *y = join(*y, pair[0]);
            }
        }
        (_, y) => {
            for (y, &x) in y.iter_mut().zip(x.iter().step_by(stride)) {
                *y = join(*y, x);
            }
        }
    }
}

/// Nothing has been read for this output yet.
const NONE: u32 = u32::MAX;

/// The largest number of each window, and its place in the plane: of equal ones the first, of NaN the first.
pub(crate) fn largest<T: Scalar>(plane: &Plane, x: &[T], y: &mut [T], places: &mut [u32]) {
    let stride = plane.windows[1].stride;
    y.fill(T::NEG_INFINITY);
    places.fill(NONE);
    vectorize(
        #[inline(always)]
        || {
            plane.each(
                #[inline(always)]
                |_, outputs, first| {
                    let (y, places) = (&mut y[outputs.clone()], &mut places[outputs]);
                    larger(&x[first..], stride, first as u32, y, places);
                },
            );
        },
    );
}

/// Takes what lies a stride apart where it is larger than what there is, with its place; the first number's is `at`.
#[inline(always)]
fn larger<T: Scalar>(x: &[T], stride: usize, at: u32, y: &mut [T], places: &mut [u32]) {
    // Counted in the places' own width, which keeps the loop a loop of vectors.
    let mut at = at;
    let step = stride as u32;
    if stride == 2 {
        let (pairs, _) = x.as_chunks::<2>();
        let count = (y.len() - 1).min(pairs.len());
        for ((y, place), pair) in y[..count].iter_mut().zip(&mut places[..count]).zip(pairs) {
            take_larger(pair[0], at, y, place);
            at = at.wrapping_add(step);
        }
        take_larger(x[2 * count], at, &mut y[count], &mut places[count]);
        return;
    }
    for ((y, place), &x) in y.iter_mut().zip(places).zip(x.iter().step_by(stride)) {
        take_larger(x, at, y, place);
        at = at.wrapping_add(step);
    }
}

#[inline(always)]
fn take_larger<T: Scalar>(x: T, at: u32, y: &mut T, place: &mut u32) {
    let better = (x > *y) | (*place == NONE) | (Scalar::is_nan(x) & !Scalar::is_nan(*y));
    *y = if better { x } else { *y };
    *place = if better { at } else { *place };
}

/// The largest number of each window.
pub(crate) fn largest_only<T: Scalar>(plane: &Plane, x: &[T], y: &mut [T]) {
    if in_pieces(plane) {
        return by_pieces(plane, x, y, T::NEG_INFINITY, T::max_or_nan, row::max);
    }
    y.fill(T::NEG_INFINITY);
    taps(
        plane,
        x,
        y,
        #[inline(always)]
        |now, x| if (x > now) | Scalar::is_nan(x) { x } else { now },
    );
}

/// The sum of each window.
pub(crate) fn sums<T: Scalar>(plane: &Plane, x: &[T], y: &mut [T]) {
    if in_pieces(plane) {
        let sum = |x: &[T]| {
            row::sum_by(
                x,
                #[inline(always)]
                |x| x,
            )
        };
        return by_pieces(plane, x, y, T::ZERO, |a, b| a + b, sum);
    }
    y.fill(T::ZERO);
    taps(
        plane,
        x,
        y,
        #[inline(always)]
        |sum, x| sum + x,
    );
}

/// Joins what each tap reads to what there is of its output, in the order of the taps.
#[inline(always)]
fn taps<T: Scalar>(plane: &Plane, x: &[T], y: &mut [T], join: impl Fn(T, T) -> T) {
    let stride = plane.windows[1].stride;
    vectorize(
        #[inline(always)]
        || {
            plane.each(
                #[inline(always)]
                |_, outputs, first| {
                    join_apart(&x[first..], stride, &mut y[outputs], &join);
                },
            );
        },
    );
}

/// Whether the rows of a window are long enough to be read in one piece each: a window of an image's size.
fn in_pieces(plane: &Plane) -> bool {
    plane.windows[1].dilation == 1 && plane.windows[1].size >= 16
}

/// The same for wide windows: each of their rows at once.
fn by_pieces<T: Scalar>(
    plane: &Plane,
    x: &[T],
    y: &mut [T],
    start: T,
    join: impl Fn(T, T) -> T,
    of_row: impl Fn(&[T]) -> T,
) {
    let [down, across] = plane.windows;
    let [height, width] = plane.input;
    for (at, y) in y.iter_mut().enumerate() {
        let (i, j) = (at / plane.output[1], at % plane.output[1]);
        let left = (j * across.stride).saturating_sub(across.padding[0]);
        let right = (j * across.stride + across.size).saturating_sub(across.padding[0]).min(width);
        *y = start;
        for u in 0..down.size {
            let row = (i * down.stride + u * down.dilation).checked_sub(down.padding[0]);
            if let Some(row) = row.filter(|&row| row < height && left < right) {
                *y = join(*y, of_row(&x[row * width..][left..right]));
            }
        }
    }
}

/// Adds each output's share to every number that its window reads.
pub(crate) fn spread<T: Scalar>(plane: &Plane, shares: &[T], dx: &mut [T]) {
    let (stride, across) = (plane.windows[1].stride, plane.windows[1]);
    // Windows side by side, in pairs: both halves at once.
    let pairs = across.size == 2 && stride == 2 && across.dilation == 1 && across.padding[0] == 0;
    let pairs = pairs && 2 * plane.output[1] <= plane.input[1];
    vectorize(
        #[inline(always)]
        || {
            plane.each(
                #[inline(always)]
                |_, outputs, first| {
                    let shares = &shares[outputs];
                    let dx = &mut dx[first..];
                    if pairs {
                        if first.is_multiple_of(plane.input[1]) {
                            let (dx, _) = dx.as_chunks_mut::<2>();
                            for (dx, &share) in dx.iter_mut().zip(shares) {
                                *dx = [dx[0] + share, dx[1] + share];
                            }
                        }
                    } else if stride == 1 {
                        for (dx, &share) in dx.iter_mut().zip(shares) {
                            *dx += share;
                        }
                    } else {
                        for (dx, &share) in dx.iter_mut().step_by(stride).zip(shares) {
                            *dx += share;
                        }
                    }
                },
            );
        },
    );
}
