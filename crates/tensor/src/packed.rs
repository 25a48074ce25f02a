//! The packed product: both sides are copied, block by block of terms, into panels that the inner kernel reads straight on; the
//! kernel keeps a tile of the result in registers. (Goto & van de Geijn 2008.)
//!
//! Each sum has its terms in order, fused, cut only into blocks of [`TERMS`]: the bits depend neither on the tiles, nor on the
//! threads, nor on the instruction set.

use crate::buffer::Buffer;
use crate::product::View;
use crate::{Scalar, math};
use std::ops::Range;

/// The terms of a block: a panel of the right side stays in the first cache, some rows of the left side in the second.
const TERMS: usize = 384;

/// The rows of a tile in registers.
pub(crate) const HIGH: usize = 6;

/// The rows, and the columns, of a block: its panels stay in the outer caches.
const ROWS: usize = 16 * HIGH;
const COLUMNS: usize = 1024;

/// Writes `left · right` to rows that lie `distance` apart, on one thread.
///
/// # Safety
/// `out` points at as many rows and columns as the product has, initialised, which nobody else reads or writes meanwhile.
pub(crate) unsafe fn packed<T: Scalar>(out: *mut T, distance: usize, left: View<'_, T>, right: View<'_, T>) {
    let (m, k, n) = (left.rows(), left.cols(), right.cols());
    let right = right.transposed();
    let terms = k.min(TERMS);
    let mut b = Buffer::stale(n.min(COLUMNS).next_multiple_of(T::WIDE) * terms);
    let mut a = Buffer::stale(m.min(ROWS).next_multiple_of(HIGH) * terms);
    for columns in blocks(n, COLUMNS) {
        for terms in blocks(k, TERMS) {
            let (first, kc) = (terms.start == 0, terms.len());
            pack(right, columns.clone(), terms.clone(), T::WIDE, b.as_mut_slice());
            for rows in blocks(m, ROWS) {
                pack(left, rows.clone(), terms.clone(), HIGH, a.as_mut_slice());
                for (q, b) in b.as_slice()[..columns.len().div_ceil(T::WIDE) * T::WIDE * kc]
                    .chunks_exact(T::WIDE * kc)
                    .enumerate()
                {
                    let column = columns.start + q * T::WIDE;
                    let wide = T::WIDE.min(columns.end - column);
                    for row in rows.clone().step_by(HIGH) {
                        let a = &a.as_slice()[(row - rows.start) * kc..][..HIGH * kc];
                        let size = [HIGH.min(rows.end - row), wide];
                        // SAFETY: the tile lies within the output, as the caller promises.
                        unsafe { tile(out.add(row * distance + column), distance, size, a, b, first) };
                    }
                }
            }
        }
    }
}

fn blocks(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(size).map(move |start| start..count.min(start + size))
}

/// Copies some rows of a matrix into panels of `width` rows: term by term, the panel's elements side by side; zeros where rows end.
fn pack<T: Scalar>(from: View<'_, T>, rows: Range<usize>, terms: Range<usize>, width: usize, out: &mut [T]) {
    let kc = terms.len();
    let (row, term) = from.strides();
    let panel = width * kc;
    if row == 1 {
        // Some panels at once, so that each term's elements are read in one piece.
        for (first, out) in rows.clone().step_by(PANELS * width).zip(out.chunks_mut(PANELS * panel)) {
            let count = (PANELS * width).min(rows.end - first);
            if !count.is_multiple_of(width) {
                out[count / width * panel..][..panel].fill(T::ZERO);
            }
            for k in 0..kc {
                let line = &from.data()[(terms.start + k) * term + first..][..count];
                for (p, line) in line.chunks(width).enumerate() {
                    let to = &mut out[p * panel + k * width..][..width];
                    match line.len() == width {
                        true => to.copy_from_slice(line),
                        false => to[..line.len()].copy_from_slice(line),
                    }
                }
            }
        }
        return;
    }
    for (first, out) in rows.clone().step_by(width).zip(out.chunks_exact_mut(panel)) {
        let count = width.min(rows.end - first);
        let data = &from.data()[first * row + terms.start * term..];
        if count < width {
            out.fill(T::ZERO);
        }
        if count == HIGH && width == HIGH && term == 1 {
            // Six rows at a time, so that the panel is written from front to back.
            let lines: [&[T]; HIGH] = std::array::from_fn(|r| &data[r * row..][..kc]);
            for (k, out) in out.chunks_exact_mut(HIGH).enumerate() {
                for (out, line) in out.iter_mut().zip(lines) {
                    *out = line[k];
                }
            }
        } else {
            for r in 0..count {
                let line = data[r * row..].iter().step_by(term);
                for (out, &x) in out[r..].iter_mut().step_by(width).zip(line) {
                    *out = x;
                }
            }
        }
    }
}

/// How many panels are filled at once.
const PANELS: usize = 8;

/// Writes (`first`) or adds the product of two panels to a tile of the output.
///
/// # Safety
/// `out` points at `size[0]` rows, `distance` apart, of `size[1]` elements, initialised, which nobody else reads or writes meanwhile.
unsafe fn tile<T: Scalar>(out: *mut T, distance: usize, size: [usize; 2], a: &[T], b: &[T], first: bool) {
    if size == [HIGH, T::WIDE] {
        // SAFETY: a whole tile, as the caller promises.
        return unsafe { T::panels(a, b, out, distance, first) };
    }
    let mut sums = [T::ZERO; HIGH * 16];
    // SAFETY: the array holds six rows of at most 16.
    unsafe { T::panels(a, b, sums.as_mut_ptr(), T::WIDE, true) };
    for (r, sums) in sums.chunks_exact(T::WIDE).take(size[0]).enumerate() {
        // SAFETY: a row of the tile, as the caller promises.
        let row = unsafe { std::slice::from_raw_parts_mut(out.add(r * distance), size[1]) };
        for (x, &sum) in row.iter_mut().zip(sums) {
            *x = if first { sum } else { *x + sum };
        }
    }
}

/// Writes (`first`) or adds the product of six rows and a panel of `T::WIDE` columns.
///
/// # Safety
/// `out` points at six rows, `distance` apart, of `T::WIDE` elements, initialised, which nobody else reads or writes meanwhile.
pub(crate) unsafe fn plain_panels<T: Scalar>(a: &[T], b: &[T], out: *mut T, distance: usize, first: bool) {
    let mut sums = [T::ZERO; HIGH * 16];
    math::vectorize(
        #[inline(always)]
        || {
            for (a, b) in a.chunks_exact(HIGH).zip(b.chunks_exact(T::WIDE)) {
                for (&a, sums) in a.iter().zip(sums.chunks_exact_mut(T::WIDE)) {
                    for (sum, &b) in sums.iter_mut().zip(b) {
                        *sum = Scalar::mul_add(a, b, *sum);
                    }
                }
            }
        },
    );
    for (r, sums) in sums.chunks_exact(T::WIDE).take(HIGH).enumerate() {
        // SAFETY: a row of the tile, as the caller promises.
        let row = unsafe { std::slice::from_raw_parts_mut(out.add(r * distance), T::WIDE) };
        for (x, &sum) in row.iter_mut().zip(sums) {
            *x = if first { sum } else { *x + sum };
        }
    }
}

macro_rules! panels {
    ($name:ident, $inner:ident, $t:ty, $wide:literal, $zero:ident, $load:ident, $splat:ident, $fma:ident, $add:ident, $store:ident) => {
        /// [`plain_panels`] in registers, where the machine has the instructions.
        ///
        /// # Safety
        /// As [`plain_panels`].
        pub(crate) unsafe fn $name(a: &[$t], b: &[$t], out: *mut $t, distance: usize, first: bool) {
            #[cfg(target_arch = "x86_64")]
            if math::Level::Avx2.available() {
                assert!(a.len() / HIGH == b.len() / $wide);
                // SAFETY: the machine has the instructions, both panels have as many terms; the rest as the caller promises.
                return unsafe { $inner(a, b, out, distance, first) };
            }
            // SAFETY: as the caller promises.
            unsafe { plain_panels(a, b, out, distance, first) };
        }

        /// # Safety
        /// The machine has AVX2 and FMA, and both panels have as many terms; the rest as [`plain_panels`].
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        unsafe fn $inner(a: &[$t], b: &[$t], out: *mut $t, distance: usize, first: bool) {
            use std::arch::x86_64::{$add, $fma, $load, $splat, $store, $zero};
            const HALF: usize = $wide / 2;
            let mut sums = [[$zero(); 2]; HIGH];
            let (mut left, mut right) = (a.as_ptr(), b.as_ptr());
            // Plain loops: an iterator's or a closure's code would not be compiled for these instructions.
            for _ in 0..b.len() / $wide {
                // SAFETY: as many terms are left in both.
                unsafe {
                    let (b0, b1) = ($load(right), $load(right.add(HALF)));
                    let mut r = 0;
                    while r < HIGH {
                        let x = $splat(&*left.add(r));
                        sums[r][0] = $fma(x, b0, sums[r][0]);
                        sums[r][1] = $fma(x, b1, sums[r][1]);
                        r += 1;
                    }
                    left = left.add(HIGH);
                    right = right.add($wide);
                }
            }
            let mut r = 0;
            while r < HIGH {
                // SAFETY: a row of the tile, as the caller promises.
                unsafe {
                    let to = out.add(r * distance);
                    if !first {
                        sums[r][0] = $add($load(to), sums[r][0]);
                        sums[r][1] = $add($load(to.add(HALF)), sums[r][1]);
                    }
                    $store(to, sums[r][0]);
                    $store(to.add(HALF), sums[r][1]);
                }
                r += 1;
            }
        }
    };
}

panels!(
    panels_f32,
    panels_f32_avx2,
    f32,
    16,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_broadcast_ss,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_storeu_ps
);
panels!(
    panels_f64,
    panels_f64_avx2,
    f64,
    8,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_broadcast_sd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    _mm256_storeu_pd
);
