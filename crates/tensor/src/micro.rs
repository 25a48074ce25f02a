//! The inner kernel of products: a tile of the result in registers, the terms of its sums read from two panels.

use crate::Scalar;
use crate::math::{self, Level};

/// The terms that are done at once: a panel of the left side has its rows' terms in groups of so many.
pub(crate) const GROUP: usize = 8;

/// Room for the largest tile.
const TILE: usize = 12 * 32;

/// A kernel: the size of its tile, and the function for each number of rows.
#[derive(Debug)]
pub struct Kernel<T> {
    pub(crate) high: usize,
    pub(crate) wide: usize,
    run: Run<T>,
}

/// `(terms, rows, a, b, out, distance, first)`, as [`Kernel::run`].
type Run<T> = unsafe fn(usize, usize, &[T], &[T], *mut T, usize, bool);

impl<T: Scalar> Kernel<T> {
    /// Writes (`first`) or adds the product of `rows` rows of one panel and all columns of another.
    ///
    /// # Safety
    /// `out` points at so many rows, `distance` apart, of as many elements as a panel has columns, initialised, which nobody else reads
    /// or writes meanwhile.
    #[allow(clippy::too_many_arguments)] // one call of a hot loop
    pub(crate) unsafe fn run(
        &self,
        terms: usize,
        rows: usize,
        a: &[T],
        b: &[T],
        out: *mut T,
        distance: usize,
        first: bool,
    ) {
        assert!(a.len() >= self.high * terms.next_multiple_of(GROUP) && b.len() >= self.wide * terms);
        // SAFETY: both panels have so many terms; the rest as the caller promises.
        unsafe { (self.run)(terms, rows, a, b, out, distance, first) };
    }

    /// [`run`](Self::run) where fewer columns are to be written.
    ///
    /// # Safety
    /// As [`run`](Self::run), with `size[0]` rows and `size[1]` columns.
    #[allow(clippy::too_many_arguments)] // as above
    pub(crate) unsafe fn run_narrow(
        &self,
        terms: usize,
        size: [usize; 2],
        a: &[T],
        b: &[T],
        out: *mut T,
        distance: usize,
        first: bool,
    ) {
        let mut sums = [T::ZERO; TILE];
        // SAFETY: the array holds the largest tile.
        unsafe { self.run(terms, size[0], a, b, sums.as_mut_ptr(), self.wide, true) };
        for (r, sums) in sums.chunks_exact(self.wide).take(size[0]).enumerate() {
            // SAFETY: a row of the tile, as the caller promises.
            let row = unsafe { std::slice::from_raw_parts_mut(out.add(r * distance), size[1]) };
            for (x, &sum) in row.iter_mut().zip(sums) {
                *x = if first { sum } else { *x + sum };
            }
        }
    }
}

/// The kernel as loops, for machines whose instructions we do not know: what the others must equal.
pub(crate) fn plain<T: Scalar, const H: usize, const W: usize>() -> Kernel<T> {
    Kernel { high: H, wide: W, run: plain_run::<T, H, W> }
}

/// # Safety
/// As [`Kernel::run`].
unsafe fn plain_run<T: Scalar, const H: usize, const W: usize>(
    terms: usize,
    rows: usize,
    a: &[T],
    b: &[T],
    out: *mut T,
    distance: usize,
    first: bool,
) {
    let mut sums = [[T::ZERO; W]; H];
    math::vectorize(
        #[inline(always)]
        || {
            for (k, b) in b.chunks_exact(W).take(terms).enumerate() {
                let a = &a[k / GROUP * GROUP * H + k % GROUP..];
                for (&a, sums) in a.iter().step_by(GROUP).zip(&mut sums).take(rows) {
                    sums.iter_mut().zip(b).for_each(|(sum, &b)| *sum = Scalar::mul_add(a, b, *sum));
                }
            }
        },
    );
    for (r, sums) in sums.iter().take(rows).enumerate() {
        // SAFETY: a row of the tile, as the caller promises.
        let row = unsafe { std::slice::from_raw_parts_mut(out.add(r * distance), W) };
        for (x, &sum) in row.iter_mut().zip(sums) {
            *x = if first { sum } else { *x + sum };
        }
    }
}

macro_rules! kernel {
    (
        $name:ident, $t:ident, $features:literal, $high:literal: $($rows:literal)*,
        $vector:ident: $zero:ident $load:ident $splat:ident $fma:ident $add:ident $store:ident
    ) => {
        #[cfg(target_arch = "x86_64")]
        mod $name {
            use super::{GROUP, Kernel};
            use std::arch::x86_64::{$add, $fma, $load, $splat, $store, $vector, $zero, _MM_HINT_T0, _mm_prefetch};

            const LANES: usize = size_of::<$vector>() / size_of::<$t>();
            const WIDE: usize = 2 * LANES;

            /// The kernel; its functions need the instructions.
            pub(super) const KERNEL: Kernel<$t> = Kernel { high: $high, wide: WIDE, run };

            /// # Safety
            /// As [`Kernel::run`]; and the machine has the instructions, and both panels have so many terms.
            unsafe fn run(
                terms: usize,
                rows: usize,
                a: &[$t],
                b: &[$t],
                out: *mut $t,
                distance: usize,
                first: bool,
            ) {
                let (a, b) = (a.as_ptr(), b.as_ptr());
                match rows {
                    // SAFETY: as the caller promises.
                    $($rows => unsafe { tile::<$rows>(terms, a, b, out, distance, first) },)*
                    _ => {}
                }
            }

            /// # Safety
            /// As [`run`], with `R` rows.
            #[target_feature(enable = $features)]
            unsafe fn tile<const R: usize>(
                terms: usize,
                mut a: *const $t,
                mut b: *const $t,
                out: *mut $t,
                distance: usize,
                first: bool,
            ) {
                // Plain loops: an iterator's or a closure's code would not be compiled for these instructions.
                let mut r = 0;
                while r < R {
                    // The tile is wanted in the cache by the time that its sums are there. (Any address may be asked for.)
                    _mm_prefetch::<_MM_HINT_T0>(out.wrapping_add(r * distance).cast());
                    _mm_prefetch::<_MM_HINT_T0>(out.wrapping_add(r * distance + WIDE - 1).cast());
                    r += 1;
                }
                let mut sums = [[$zero(); 2]; R];
                let mut k = 0;
                while k + GROUP <= terms {
                    let mut u = 0;
                    while u < GROUP {
                        // SAFETY: this group of terms lies in both panels.
                        unsafe {
                            let (b0, b1) = ($load(b.add(u * WIDE)), $load(b.add(u * WIDE + LANES)));
                            let mut r = 0;
                            while r < R {
                                let x = $splat(*a.add(r * GROUP + u));
                                sums[r][0] = $fma(x, b0, sums[r][0]);
                                sums[r][1] = $fma(x, b1, sums[r][1]);
                                r += 1;
                            }
                        }
                        u += 1;
                    }
                    a = a.wrapping_add($high * GROUP);
                    b = b.wrapping_add(GROUP * WIDE);
                    k += GROUP;
                }
                while k < terms {
                    // SAFETY: this term lies in both panels.
                    unsafe {
                        let (b0, b1) = ($load(b), $load(b.add(LANES)));
                        let mut r = 0;
                        while r < R {
                            let x = $splat(*a.add(r * GROUP));
                            sums[r][0] = $fma(x, b0, sums[r][0]);
                            sums[r][1] = $fma(x, b1, sums[r][1]);
                            r += 1;
                        }
                    }
                    a = a.wrapping_add(1);
                    b = b.wrapping_add(WIDE);
                    k += 1;
                }
                let mut r = 0;
                while r < R {
                    // SAFETY: a row of the tile, as the caller promises.
                    unsafe {
                        let to = out.add(r * distance);
                        if !first {
                            sums[r][0] = $add($load(to), sums[r][0]);
                            sums[r][1] = $add($load(to.add(LANES)), sums[r][1]);
                        }
                        $store(to, sums[r][0]);
                        $store(to.add(LANES), sums[r][1]);
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
