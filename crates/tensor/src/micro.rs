//! The inner kernel of products: a tile of the result in registers, the terms of its sums read from two panels.

use crate::Scalar;
use crate::math::{self, Level};

/// The terms that are done without a branch, and for which one cache line is fetched ahead.
pub(crate) const GROUP: usize = 8;

/// Room for the largest tile.
pub(crate) const LARGEST: usize = 12 * 32;

/// A kernel: the size of its tile, and what computes one.
#[derive(Debug, Clone, Copy)]
pub struct Kernel<T> {
    pub(crate) high: usize,
    pub(crate) wide: usize,
    run: unsafe fn(&Tile<'_, T>),
    /// The same for the left half of a tile's columns.
    run_half: unsafe fn(&Tile<'_, T>),
}

/// What a tile is made of.
#[derive(Debug)]
pub(crate) struct Tile<'a, T> {
    pub(crate) rows: usize,
    pub(crate) terms: usize,
    /// The rows of the left side, with the distances from row to row, and from term to term.
    pub(crate) a: &'a [T],
    pub(crate) a_steps: [usize; 2],
    /// Where the rows of the left side begin, if not that far apart from each other.
    pub(crate) a_rows: &'a [usize],
    /// The columns of the right side, as many as the tile is wide, side by side, with the distance from term to term.
    pub(crate) b: &'a [T],
    pub(crate) b_step: usize,
    /// Where each term of the right side begins, if not that far apart from each other.
    pub(crate) b_terms: &'a [usize],
    /// The result, and the distance from row to row.
    pub(crate) out: *mut T,
    pub(crate) distance: usize,
    /// Whether the result is written, or else added to what is there.
    pub(crate) first: bool,
    /// What is wanted in the cache soon, a line for every group of terms, and the distance from line to line.
    #[cfg_attr(not(target_arch = "x86_64"), allow(dead_code))]
    // the plain kernel leaves it to the machine
    pub(crate) ahead: (*const T, usize),
}

impl<T: Scalar> Kernel<T> {
    /// Writes or adds a tile as wide as the kernel's.
    ///
    /// # Safety
    /// `out` points at the tile's rows, `distance` apart, initialised, which nobody else reads or writes meanwhile. Where `b_terms` says where
    /// the terms begin, it does so for all, and from each on there are the tile's columns.
    #[inline]
    pub(crate) unsafe fn run(&self, tile: &Tile<'_, T>) {
        check(tile, self.high, self.wide);
        // SAFETY: both sides reach far enough, as just seen; the rest as the caller promises.
        unsafe { (self.run)(tile) };
    }

    /// [`run`](Self::run) where only some columns are to be written; `room` is for a tile.
    ///
    /// # Safety
    /// As [`run`](Self::run), with rows of `columns` elements.
    pub(crate) unsafe fn run_narrow(&self, tile: &Tile<'_, T>, columns: usize, room: &mut [T; LARGEST]) {
        let half = self.wide / 2;
        let (run, wide) = if columns <= half { (self.run_half, half) } else { (self.run, self.wide) };
        check(tile, self.high, wide);
        if columns == half {
            // SAFETY: both sides reach far enough, as just seen; the rest as the caller promises.
            return unsafe { run(tile) };
        }
        // SAFETY: both sides reach far enough; the room holds the largest tile.
        unsafe { run(&Tile { out: room.as_mut_ptr(), distance: self.wide, first: true, ..*tile }) };
        for (r, sums) in room.chunks_exact(self.wide).take(tile.rows).enumerate() {
            // SAFETY: a row of the tile, as the caller promises.
            let row = unsafe { std::slice::from_raw_parts_mut(tile.out.add(r * tile.distance), columns) };
            write(row, sums, tile.first);
        }
    }
}

/// Makes sure that both sides reach as far as a kernel will read.
#[inline]
fn check<T>(tile: &Tile<'_, T>, high: usize, wide: usize) {
    let (row, term) = (tile.rows - 1, tile.terms - 1);
    let last_row = match tile.a_rows {
        [] => row * tile.a_steps[0],
        rows => rows[..tile.rows].iter().fold(0, |most, &row| most.max(row)),
    };
    let a_end = last_row + term * tile.a_steps[1];
    let b_end = if tile.b_terms.is_empty() { term * tile.b_step } else { 0 };
    assert!(tile.rows <= high && a_end < tile.a.len() && b_end + wide <= tile.b.len());
}

fn write<T: Scalar>(row: &mut [T], sums: &[T], first: bool) {
    for (x, &sum) in row.iter_mut().zip(sums) {
        *x = if first { sum } else { *x + sum };
    }
}

/// The kernel as loops, for machines whose instructions we do not know: what the others must equal.
pub(crate) const fn plain<T: Scalar, const H: usize, const W: usize>() -> Kernel<T> {
    Kernel { high: H, wide: W, run: plain_tile::<T, H, W, 1>, run_half: plain_tile::<T, H, W, 2> }
}

/// # Safety
/// As [`Kernel::run`].
unsafe fn plain_tile<T: Scalar, const H: usize, const W: usize, const PARTS: usize>(tile: &Tile<'_, T>) {
    let mut sums = [[T::ZERO; W]; H];
    math::vectorize(
        #[inline(always)]
        || {
            for k in 0..tile.terms {
                let b = if tile.b_terms.is_empty() { k * tile.b_step } else { tile.b_terms[k] };
                let (a, b) = (&tile.a[k * tile.a_steps[1]..], &tile.b[b..][..W / PARTS]);
                for (r, sums) in sums.iter_mut().take(tile.rows).enumerate() {
                    let row = if tile.a_rows.is_empty() { r * tile.a_steps[0] } else { tile.a_rows[r] };
                    let a = a[row];
                    sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum = Scalar::mul_add(a, b, *sum));
                }
            }
        },
    );
    for (r, sums) in sums.iter().take(tile.rows).enumerate() {
        // SAFETY: a row of the tile, as the caller promises.
        write(
            unsafe { std::slice::from_raw_parts_mut(tile.out.add(r * tile.distance), W / PARTS) },
            sums,
            tile.first,
        );
    }
}

macro_rules! kernel {
    (
        $name:ident, $t:ident, $features:literal, $high:literal: $($rows:literal)*,
        $vector:ident: $zero:ident $load:ident $splat:ident $fma:ident $add:ident $store:ident
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $name {
            use super::{GROUP, Kernel, Tile};
            use std::arch::x86_64::{$add, $fma, $load, $splat, $store, $vector, $zero, _MM_HINT_T0, _mm_prefetch};

            const LANES: usize = size_of::<$vector>() / size_of::<$t>();
            const WIDE: usize = 2 * LANES;

            /// The kernel, for machines with the instructions.
            pub(super) const KERNEL: Kernel<$t> = Kernel { high: $high, wide: WIDE, run: run::<2>, run_half: run::<1> };

            /// # Safety
            /// As [`Kernel::run`]; and the machine has the instructions.
            unsafe fn run<const V: usize>(tile: &Tile<'_, $t>) {
                match (tile.rows, tile.b_terms.is_empty()) {
                    // SAFETY: as the caller promises.
                    $(($rows, true) => unsafe { rows::<$rows, V, false>(tile) },)*
                    // SAFETY: as the caller promises.
                    $(($rows, false) => unsafe { rows::<$rows, V, true>(tile) },)*
                    _ => {}
                }
            }

            /// Adds the products of one term.
            ///
            /// # Safety
            /// `a` has its `R` elements, and `b` as many as the tile is wide.
            #[target_feature(enable = $features)]
            #[inline]
            unsafe fn add_term<const R: usize, const V: usize>(
                sums: &mut [[$vector; V]; R],
                a: *const $t,
                rows: &[usize; R],
                b: *const $t,
            ) {
                let mut columns = [$zero(); V];
                let mut v = 0;
                while v < V {
                    // SAFETY: as the caller promises.
                    columns[v] = unsafe { $load(b.add(v * LANES)) };
                    v += 1;
                }
                let mut r = 0;
                while r < R {
                    // SAFETY: as the caller promises.
                    let x = $splat(unsafe { *a.add(rows[r]) });
                    let mut v = 0;
                    while v < V {
                        sums[r][v] = $fma(x, columns[v], sums[r][v]);
                        v += 1;
                    }
                    r += 1;
                }
            }

            /// # Safety
            /// As [`run`], for a tile of `R` rows of `V` vectors, with the terms of its right side where `b_terms` says if `AT`.
            #[target_feature(enable = $features)]
            unsafe fn rows<const R: usize, const V: usize, const AT: bool>(tile: &Tile<'_, $t>) {
                let &Tile { terms, a_steps: [row, term], b_step, out, distance, first, mut ahead, .. } = tile;
                let (start, mut at) = (tile.b.as_ptr(), tile.b_terms.as_ptr());
                let (mut a, mut b) = (tile.a.as_ptr(), tile.b.as_ptr());
                // Plain loops: an iterator's or a closure's code would not be compiled for these instructions.
                let mut r = 0;
                while r < R {
                    // The tile is wanted in the cache by the time that its sums are there. (Any address may be asked for.)
                    _mm_prefetch::<_MM_HINT_T0>(out.wrapping_add(r * distance).cast());
                    _mm_prefetch::<_MM_HINT_T0>(out.wrapping_add(r * distance + V * LANES - 1).cast());
                    r += 1;
                }
                // What the compiler cannot see through it does not turn into a chain of sums.
                let mut rows = [0; R];
                let mut r = 1;
                while r < R {
                    rows[r] = std::hint::black_box(r * row);
                    r += 1;
                }
                if !tile.a_rows.is_empty() {
                    rows.copy_from_slice(&tile.a_rows[..R]);
                }
                let mut sums = [[$zero(); V]; R];
                let mut left = terms;
                while left > 0 {
                    _mm_prefetch::<_MM_HINT_T0>(ahead.0.cast());
                    ahead.0 = ahead.0.wrapping_add(ahead.1);
                    let mut group = GROUP.min(left);
                    left -= group;
                    while group > 0 {
                        // SAFETY: this term lies in both sides, and `b_terms` has a place for it if it is asked.
                        unsafe {
                            if AT {
                                b = start.add(*at);
                                at = at.wrapping_add(1);
                            }
                            add_term(&mut sums, a, &rows, b);
                        }
                        (a, b) = (a.wrapping_add(term), b.wrapping_add(b_step));
                        group -= 1;
                    }
                }
                let mut r = 0;
                while r < R {
                    // SAFETY: a row of the tile, as the caller promises.
                    unsafe {
                        let mut v = 0;
                        while v < V {
                            let to = out.add(r * distance + v * LANES);
                            let sum = if first { sums[r][v] } else { $add($load(to), sums[r][v]) };
                            $store(to, sum);
                            v += 1;
                        }
                    }
                    r += 1;
                }
            }
        }
    };
}

kernel! {
    avx2_f32, f32, "avx2,fma", 6: 1 2 3 4 5 6,
    __m256: _mm256_setzero_ps _mm256_loadu_ps _mm256_set1_ps _mm256_fmadd_ps _mm256_add_ps _mm256_storeu_ps
}
kernel! {
    avx2_f64, f64, "avx2,fma", 6: 1 2 3 4 5 6,
    __m256d: _mm256_setzero_pd _mm256_loadu_pd _mm256_set1_pd _mm256_fmadd_pd _mm256_add_pd _mm256_storeu_pd
}
kernel! {
    avx512_f32, f32, "avx512f", 12: 1 2 3 4 5 6 7 8 9 10 11 12,
    __m512: _mm512_setzero_ps _mm512_loadu_ps _mm512_set1_ps _mm512_fmadd_ps _mm512_add_ps _mm512_storeu_ps
}
kernel! {
    avx512_f64, f64, "avx512f", 12: 1 2 3 4 5 6 7 8 9 10 11 12,
    __m512d: _mm512_setzero_pd _mm512_loadu_pd _mm512_set1_pd _mm512_fmadd_pd _mm512_add_pd _mm512_storeu_pd
}

macro_rules! choice {
    ($name:ident, $t:ty, $avx2:ident, $avx512:ident, $wide:literal) => {
        /// The kernel for this level, or the plain one if this machine cannot run that.
        pub(crate) fn $name(level: Level) -> Kernel<$t> {
            match level {
                #[cfg(target_arch = "x86_64")]
                Level::Avx512 if level.available() => $avx512::KERNEL,
                #[cfg(target_arch = "x86_64")]
                Level::Avx2 if level.available() => $avx2::KERNEL,
                _ => plain::<$t, 6, $wide>(),
            }
        }
    };
}

choice!(f32_kernel, f32, avx2_f32, avx512_f32, 16);
choice!(f64_kernel, f64, avx2_f64, avx512_f64, 8);

#[cfg(test)]
mod tests {
    use super::*;

    /// What a kernel reads of a narrow tile is there: the right side ends with the half tile, or the whole one, as it does in place.
    fn narrow<T: Scalar>(kernel: &Kernel<T>) {
        let (terms, half) = (11, kernel.wide / 2);
        for rows in 1..=kernel.high {
            for columns in 1..=kernel.wide {
                let step = if columns <= half { half } else { kernel.wide };
                let a: Vec<T> = (0..rows * terms).map(|i| T::of((i % 7) as f64 - 3.0)).collect();
                let b: Vec<T> = (0..terms * step).map(|i| T::of((i % 5) as f64 - 2.0)).collect();
                let mut out = vec![T::NAN; rows * columns];
                let tile = Tile {
                    rows,
                    terms,
                    a: &a,
                    a_steps: [terms, 1],
                    a_rows: &[],
                    b: &b,
                    b_step: step,
                    b_terms: &[],
                    out: out.as_mut_ptr(),
                    distance: columns,
                    first: true,
                    ahead: (b.as_ptr(), 0),
                };
                // SAFETY: `out` has the rows, and nobody else knows of it.
                unsafe { kernel.run_narrow(&tile, columns, &mut [T::ZERO; LARGEST]) };
                for (i, sum) in out.iter().enumerate() {
                    let (row, column) = (i / columns, i % columns);
                    let products = (0..terms).map(|k| a[row * terms + k] * b[k * step + column]);
                    // Whole numbers: any order has the same sum.
                    assert!(products.fold(T::ZERO, |x, y| x + y) == *sum, "{kernel:?}, {rows} × {columns}");
                }
            }
        }
    }

    #[test]
    fn no_kernel_reads_beyond_a_narrow_tile() {
        Level::ALL
            .map(f32::kernel)
            .iter()
            .chain(&[plain::<f32, 6, 8>(), plain::<f32, 12, 32>()])
            .for_each(narrow);
        Level::ALL
            .map(f64::kernel)
            .iter()
            .chain(&[plain::<f64, 6, 8>(), plain::<f64, 12, 16>()])
            .for_each(narrow);
    }
}
