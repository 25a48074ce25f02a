//! Products of a row or two, a column, or a few terms, which are bound by the memory: nothing is copied.

use crate::Scalar;
use crate::math::vectorize;
use crate::view::View;
use std::marker::PhantomData;

/// The most rows that are taken so, times a matrix whose rows lie in one piece, and times one whose columns do: those are slow to pack.
const FEW: [usize; 2] = [2, 4];

/// The rows of the right side that are added up at once: a product of so few terms is written once, too.
const AT_ONCE: usize = 4;

/// The columns that are done at once, if there are several rows: what is read again stays in the first cache.
const COLUMNS: usize = 1024;

/// The running sums of a dot product.
const LANES: usize = 8;

/// How many dot products are computed at once, so that their sums do not wait for each other.
const COLUMNS_AT_ONCE: usize = 8;

/// Where a product is written: rows this far apart.
#[derive(Debug)]
pub(crate) struct Target<'a, T> {
    data: *mut T,
    distance: usize,
    /// Whether the product is added to what is there.
    pub(crate) add: bool,
    borrow: PhantomData<&'a mut [T]>,
}

impl<'a, T> Target<'a, T> {
    /// All of a slice, by rows of so many elements.
    pub(crate) fn new(out: &'a mut [T], distance: usize) -> Self {
        Self { data: out.as_mut_ptr(), distance, add: false, borrow: PhantomData }
    }

    /// Rows that begin here.
    ///
    /// # Safety
    /// What is written is initialised, lives as long as the target, and nobody else reads or writes it meanwhile.
    pub(crate) unsafe fn at(data: *mut T, distance: usize) -> Self {
        Self { data, distance, add: false, borrow: PhantomData }
    }

    /// A stretch of a row.
    ///
    /// # Safety
    /// It lies within the target.
    unsafe fn stretch(&mut self, row: usize, start: usize, len: usize) -> &mut [T] {
        // SAFETY: as the caller promises, and who made the target.
        unsafe { std::slice::from_raw_parts_mut(self.data.add(row * self.distance + start), len) }
    }
}

/// The operands of a product that is done here, a column turned to a row; nothing if packing is better. There are elements and terms.
pub(crate) fn operands<'a, T: Scalar>(left: View<'a, T>, right: View<'a, T>) -> Option<[View<'a, T>; 2]> {
    let [left, right] =
        if right.cols() == 1 { [right.transposed(), left.transposed()] } else { [left, right] };
    let (m, k) = (left.rows(), left.cols());
    // Rows of the right side in one piece are added up; columns in one piece are multiplied by the left side's rows.
    let rows = right.strides().1 == 1 && (m <= FEW[0] || k <= AT_ONCE);
    let columns = right.strides().0 == 1 && left.strides().1 == 1 && m <= FEW[1];
    (rows || columns).then_some([left, right])
}

/// The product of what [`operands`] chose.
///
/// # Safety
/// The target has the product's rows and columns.
pub(crate) unsafe fn multiply<T: Scalar>(target: &mut Target<'_, T>, left: View<'_, T>, right: View<'_, T>) {
    let (m, n) = (left.rows(), right.cols());
    vectorize(
        #[inline(always)]
        || {
            if left.cols() == 1 && right.strides().1 == 1 && !target.add {
                // A column times a row, as the gradient of weights is for one sample.
                for row in 0..m {
                    let x = left.data()[row * left.strides().0];
                    // SAFETY: as the caller promises.
                    let out = unsafe { target.stretch(row, 0, n) };
                    out.iter_mut()
                        .zip(right.data())
                        .for_each(|(out, &y)| *out = Scalar::mul_add(x, y, T::ZERO));
                }
            } else if right.strides().1 == 1 {
                let size = if m == 1 { n } else { COLUMNS };
                for start in (0..n).step_by(size) {
                    for row in 0..m {
                        let fresh = !target.add;
                        // SAFETY: as the caller promises.
                        let out = unsafe { target.stretch(row, start, size.min(n - start)) };
                        add_rows(out, left, row, right, start, fresh);
                    }
                }
            } else {
                for row in 0..m {
                    let x = &left.data()[row * left.strides().0..][..left.cols()];
                    let add = target.add;
                    // SAFETY: as the caller promises.
                    let out = unsafe { target.stretch(row, 0, n) };
                    let mut outs = out.chunks_exact_mut(COLUMNS_AT_ONCE);
                    for (j, out) in outs.by_ref().enumerate() {
                        dots::<T, COLUMNS_AT_ONCE>(out, x, right, j * COLUMNS_AT_ONCE, add);
                    }
                    let rest = outs.into_remainder();
                    for (j, out) in rest.iter_mut().enumerate() {
                        let j = n - n % COLUMNS_AT_ONCE + j;
                        dots::<T, 1>(std::slice::from_mut(out), x, right, j, add);
                    }
                }
            }
        },
    );
}

/// The sum of the right side's rows, each times its element of a row of the left side: four rows at a time onto the output, which stays
/// in the cache. `fresh`: what is there is overwritten.
#[inline(always)]
fn add_rows<T: Scalar>(
    out: &mut [T],
    left: View<'_, T>,
    row: usize,
    right: View<'_, T>,
    start: usize,
    mut fresh: bool,
) {
    let (terms, n) = (left.cols(), out.len());
    let (left_data, (left_row, left_col)) = (left.data(), left.strides());
    let (data, distance) = (right.data(), right.strides().0);
    let mut i = 0;
    while i + AT_ONCE <= terms {
        let at = i * distance + start;
        let (a, b) = (&data[at..][..n], &data[at + distance..][..n]);
        let (c, d) = (&data[at + 2 * distance..][..n], &data[at + 3 * distance..][..n]);
        let x = row * left_row + i * left_col;
        let (p, q) = (left_data[x], left_data[x + left_col]);
        let (r, s) = (left_data[x + 2 * left_col], left_data[x + 3 * left_col]);
        for j in 0..n {
            let sum = if fresh { T::ZERO } else { out[j] };
            let sum = Scalar::mul_add(a[j], p, sum);
            let sum = Scalar::mul_add(b[j], q, sum);
            let sum = Scalar::mul_add(c[j], r, sum);
            out[j] = Scalar::mul_add(d[j], s, sum);
        }
        fresh = false;
        i += AT_ONCE;
    }
    while i < terms {
        let (w, p) = (&data[i * distance + start..][..n], left_data[row * left_row + i * left_col]);
        for (out, &w) in out.iter_mut().zip(w) {
            *out = Scalar::mul_add(w, p, if fresh { T::ZERO } else { *out });
        }
        fresh = false;
        i += 1;
    }
}

/// The dot products of a row with `W` columns of the right side that lie in one piece each: by eight running sums, each with one
/// rounding a term. (The dot product of tensors, [`sum_by_two`](crate::row::sum_by_two), rounds what it adds up first, and adds by
/// blocks, as any sum of a map does.)
#[inline(always)]
fn dots<T: Scalar, const W: usize>(out: &mut [T], x: &[T], right: View<'_, T>, first: usize, add: bool) {
    let (groups, tail) = x.as_chunks::<LANES>();
    let columns: [(&[[T; LANES]], &[T]); W] = std::array::from_fn(
        #[inline(always)]
        |c| right.data()[(first + c) * right.strides().1..][..x.len()].as_chunks::<LANES>(),
    );
    let mut sums = [[T::ZERO; LANES]; W];
    for (i, x) in groups.iter().enumerate() {
        for c in 0..W {
            let y = &columns[c].0[i];
            for l in 0..LANES {
                sums[c][l] = Scalar::mul_add(x[l], y[l], sums[c][l]);
            }
        }
    }
    let mut dots: [T; W] = std::array::from_fn(
        #[inline(always)]
        |c| {
            let [a, b, c, d, e, f, g, h] = sums[c];
            ((a + e) + (c + g)) + ((b + f) + (d + h))
        },
    );
    for (l, &x) in tail.iter().enumerate() {
        for c in 0..W {
            dots[c] = Scalar::mul_add(x, columns[c].1[l], dots[c]);
        }
    }
    for (out, dot) in out.iter_mut().zip(dots) {
        *out = if add { *out + dot } else { dot };
    }
}
