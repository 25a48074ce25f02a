//! Products of matrices: how they are cut, and which kernel takes a piece: the packed one, or for small and thin ones the `gemm` crate's.

use crate::buffer::Buffer;
use crate::math::{Level, vectorize};
use crate::packed::packed;
use crate::parallel::for_each_block;
use crate::row::LANES;
use crate::{Error, Result, Scalar, Shape, Tensor};
use std::ops::Range;

/// Whether an operand of a product is read as its transpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transpose {
    /// As it is.
    No,
    /// Rows and columns exchanged; nothing is copied.
    Yes,
}

/// A matrix to read: its elements with the distances from one row, and one column, to the next.
#[derive(Debug, Clone, Copy)]
pub struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> View<'a, T> {
    /// A matrix of rows one after the other, read as it is or as its transpose: `rows` and `cols` are those of the memory.
    pub fn new(data: &'a [T], rows: usize, cols: usize, transpose: Transpose) -> Result<Self> {
        Self::strided(data, rows, cols, (cols, 1)).map(|view| match transpose {
            Transpose::No => view,
            Transpose::Yes => view.transposed(),
        })
    }

    /// A matrix with these distances from one row, and one column, to the next.
    ///
    /// # Errors
    /// If an element would lie outside of the slice.
    pub fn strided(
        data: &'a [T],
        rows: usize,
        cols: usize,
        (row_stride, col_stride): (usize, usize),
    ) -> Result<Self> {
        let last = |n: usize, stride: usize| n.saturating_sub(1).checked_mul(stride);
        let reach = last(rows, row_stride).zip(last(cols, col_stride)).and_then(|(a, b)| a.checked_add(b));
        if rows > 0 && cols > 0 && reach.is_none_or(|reach| reach >= data.len()) {
            let got = format!("{rows}×{cols} with strides ({row_stride}, {col_stride})");
            return Err(Error::argument("view", "matrix", got, format!("within {} elements", data.len())));
        }
        Ok(Self { data, rows, cols, row_stride, col_stride })
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    pub(crate) fn data(&self) -> &'a [T] {
        self.data
    }

    /// From one row, and from one column, to the next.
    pub(crate) fn strides(&self) -> (usize, usize) {
        (self.row_stride, self.col_stride)
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub fn transposed(self) -> Self {
        let Self { data, rows, cols, row_stride, col_stride } = self;
        Self { data, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }

    /// These columns of all rows.
    fn columns(self, range: Range<usize>) -> Self {
        let start = (range.start * self.col_stride).min(self.data.len());
        Self { data: &self.data[start..], cols: range.len(), ..self }
    }

    /// These rows.
    fn some_rows(self, range: Range<usize>) -> Self {
        self.transposed().columns(range).transposed()
    }
}

/// What becomes of the rows of a product: `f(row, first column, elements)`, called once for every stretch of every row.
pub type Epilogue<'a, T> = &'a (dyn Fn(usize, usize, &mut [T]) + Sync);

/// `out = left · right`, row by row, on all cores; then `epilogue`, while the elements are in the cache.
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{View, product}};
/// let (x, w) = ([1.0, 2.0], [3.0, 0.0, 0.0, 4.0]);
/// let mut y = [0.0; 2];
/// let bias = [0.5, -9.0];
/// product(&mut y, View::new(&x, 1, 2, Transpose::No)?, View::new(&w, 2, 2, Transpose::No)?, Some(&|_, column, y| {
///     y.iter_mut().zip(&bias[column..]).for_each(|(y, b)| *y = f64::max(*y + b, 0.0));
/// }))?;
/// assert_eq!(y, [3.5, 0.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the sizes do not fit.
pub fn product<T: Scalar>(
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
) -> Result<()> {
    if left.cols != right.rows {
        let sizes = format!("{}×{} · {}×{}", left.rows, left.cols, right.rows, right.cols);
        return Err(Error::argument("product", "sizes", sizes, "equal inner sizes"));
    }
    if Some(out.len()) != left.rows.checked_mul(right.cols) {
        let allowed = format!("{}·{} elements", left.rows, right.cols);
        return Err(Error::argument("product", "out", format!("{} elements", out.len()), allowed));
    }
    multiply(out, left, right, epilogue);
    Ok(())
}

/// The multiplications that are worth handing to another core: 2 million, about 20 µs.
const WORTH: usize = 1 << 21;

/// The fewest rows and columns for which it pays to pack both sides.
const THIN: usize = 24;

/// The fewest multiplications for which it pays.
const SMALL: usize = 1 << 18;

/// The most terms of one sum before it is cut: the partial sums are added in order.
const TERMS: usize = 1 << 13;

/// `out = left · right` for sizes that fit.
fn multiply<T: Scalar>(
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
) {
    let (m, k, n) = (left.rows, left.cols, right.cols);
    if m == 0 || n == 0 {
        return;
    }
    // A view may repeat elements by a distance of 0, and then be longer than memory.
    let work = (m * n).saturating_mul(k);
    // Which kernel takes it depends on the sizes alone, so that the bits do not depend on the number of threads.
    let long = k > TERMS && m * n * 16 <= k;
    if m.min(n) >= THIN && work >= SMALL && !(long && work >= 2 * WORTH) {
        return packed(T::kernel(Level::best()), out, left, right, epilogue, work >= 2 * WORTH);
    }
    if work < 2 * WORTH {
        let (data, distance) = (out.as_mut_ptr(), n);
        // SAFETY: all of `out` is ours.
        unsafe { T::gemm(Target { data, distance, add: false }, left, right) };
    } else if long {
        long_sums(out, left, right);
    } else {
        strips(out, left, right, work);
    }
    if let Some(f) = epilogue {
        out.chunks_exact_mut(n).enumerate().for_each(|(i, row)| f(i, 0, row));
    }
}

/// A product of few rows or few columns, by strips of the longer side.
fn strips<T: Scalar>(out: &mut [T], left: View<'_, T>, right: View<'_, T>, work: usize) {
    let (m, n) = (left.rows, right.cols);
    let count = (work / (64 * WORTH)).clamp(2, 16);
    let size = m.max(n).div_ceil(count).next_multiple_of(32);
    let all = Shared::new(out);
    for_each_block(&mut vec![(); m.max(n).div_ceil(size)], 1, |i, _| {
        let range = i * size..m.max(n).min((i + 1) * size);
        let (data, left, right) = match m > n {
            true => (all.at(range.start * n), left.some_rows(range), right),
            false => (all.at(range.start), left, right.columns(range)),
        };
        // SAFETY: strips do not overlap, and lie within `out`, which is borrowed for as long as the jobs run.
        unsafe { T::gemm(Target { data, distance: n, add: false }, left, right) };
    });
}

/// A product of few elements with very many terms each, as XᵀX: blocks of terms apart, their sums added by halves.
fn long_sums<T: Scalar>(out: &mut [T], left: View<'_, T>, right: View<'_, T>) {
    let (k, n) = (left.cols, right.cols);
    // At most 64 partial sums; each walks through its terms by blocks that the caches hold.
    let part = k.div_ceil(64).next_multiple_of(TERMS / 4);
    let count = k.div_ceil(part);
    let len = out.len();
    let mut sums = Buffer::stale(count * len);
    for_each_block(sums.as_mut_slice(), len, |i, sum| {
        let end = k.min((i + 1) * part);
        for start in (i * part..end).step_by(TERMS / 4) {
            let terms = start..end.min(start + TERMS / 4);
            let target = Target { data: sum.as_mut_ptr(), distance: n, add: start > i * part };
            // SAFETY: all of `sum` is this job's.
            unsafe { T::gemm(target, left.columns(terms.clone()), right.some_rows(terms)) };
        }
    });
    crate::reduce::sum_rows(sums.as_slice(), out);
}

/// Where a product is written: rows this far apart.
#[derive(Debug)]
pub struct Target<T> {
    data: *mut T,
    distance: usize,
    /// Whether the product is added to what is there.
    add: bool,
}

/// An output that several jobs write to, each its own part.
pub(crate) struct Shared<T>(*mut T);

impl<T> Shared<T> {
    pub(crate) fn new(out: &mut [T]) -> Self {
        Self(out.as_mut_ptr())
    }

    pub(crate) fn at(&self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

// SAFETY: the pointer is to a slice of a type that may be sent, and each job writes its own part of it.
unsafe impl<T: Send> Sync for Shared<T> {}

/// One product on one thread.
///
/// # Safety
/// `target` is `left.rows` rows of `right.cols` elements, initialised, that nobody else reads or writes meanwhile.
pub(crate) unsafe fn gemm<T: Scalar>(target: Target<T>, left: View<'_, T>, right: View<'_, T>) {
    let (m, k, n) = (left.rows, left.cols, right.cols);
    debug_assert!(right.rows == k);
    if m == 1 && (right.col_stride == 1 || right.row_stride == 1) && left.col_stride == 1 {
        // SAFETY: one row of n elements.
        let out = unsafe { std::slice::from_raw_parts_mut(target.data, n) };
        return row_times_matrix(out, &left.data[..k], right, target.add);
    }
    if k == 1 && right.col_stride == 1 {
        // SAFETY: the target is as promised.
        return unsafe { outer(target, left, &right.data[..n]) };
    }
    if k == 0 {
        for i in 0..if target.add { 0 } else { m } {
            // SAFETY: row i of the target.
            unsafe { std::slice::from_raw_parts_mut(target.data.add(i * target.distance), n).fill(T::ZERO) };
        }
        return; // sums of no terms
    }
    // SAFETY: the target is as promised; the views stay within their slices, which was checked when they were made. The elements
    // of the target are initialised; without `add` they are not read.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            target.data,
            1,
            target.distance as isize,
            target.add,
            left.data.as_ptr(),
            left.col_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.col_stride as isize,
            right.row_stride as isize,
            T::ONE,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// A column times a row, as the gradient of weights is for one sample: no packing.
///
/// # Safety
/// As [`gemm`].
unsafe fn outer<T: Scalar>(target: Target<T>, left: View<'_, T>, row: &[T]) {
    vectorize(
        #[inline(always)]
        || {
            for i in 0..left.rows {
                // SAFETY: row i of the target.
                let out = unsafe {
                    std::slice::from_raw_parts_mut(target.data.add(i * target.distance), row.len())
                };
                let factor = left.data[i * left.row_stride];
                if target.add {
                    out.iter_mut().zip(row).for_each(|(out, &y)| *out = Scalar::mul_add(factor, y, *out));
                } else {
                    out.iter_mut().zip(row).for_each(|(out, &y)| *out = factor * y);
                }
            }
        },
    );
}

/// x·W for one row x: no packing, every element of W is read once.
fn row_times_matrix<T: Scalar>(out: &mut [T], x: &[T], w: View<'_, T>, add: bool) {
    vectorize(
        #[inline(always)]
        || {
            if w.col_stride == 1 {
                // Four rows of W at a time onto the whole of the output, which stays in the cache.
                if !add {
                    out.fill(T::ZERO);
                }
                let n = out.len();
                let row = |i: usize| &w.data[i * w.row_stride..][..n];
                let mut i = 0;
                while i + 4 <= x.len() {
                    let (a, b, c, d) = (row(i), row(i + 1), row(i + 2), row(i + 3));
                    let (p, q, r, s) = (x[i], x[i + 1], x[i + 2], x[i + 3]);
                    for j in 0..n {
                        let sum = Scalar::mul_add(a[j], p, out[j]);
                        let sum = Scalar::mul_add(b[j], q, sum);
                        let sum = Scalar::mul_add(c[j], r, sum);
                        out[j] = Scalar::mul_add(d[j], s, sum);
                    }
                    i += 4;
                }
                for (i, &p) in x.iter().enumerate().skip(i) {
                    out.iter_mut().zip(row(i)).for_each(|(sum, &w)| *sum = Scalar::mul_add(w, p, *sum));
                }
            } else {
                // The columns of W lie in one piece: a dot product each.
                for (j, out) in out.iter_mut().enumerate() {
                    let dot = dot(x, &w.data[j * w.col_stride..][..x.len()]);
                    *out = if add { *out + dot } else { dot };
                }
            }
        },
    );
}

/// Σ xᵢ·yᵢ by 32 running sums, each with one rounding a term, as all products of matrices have them; by one, if there are no more
/// terms than that. (The dot product of tensors, [`sum_by_two`](crate::row::sum_by_two), rounds what it adds up first, and adds by
/// blocks, as any sum of a map does.)
#[inline(always)]
fn dot<T: Scalar>(x: &[T], y: &[T]) -> T {
    if x.len() <= LANES {
        return x.iter().zip(y).fold(T::ZERO, |sum, (&x, &y)| Scalar::mul_add(x, y, sum));
    }
    let mut lanes = [T::ZERO; LANES];
    let (x, y) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (x_tail, y_tail) = (x.remainder(), y.remainder());
    for (x, y) in x.zip(y) {
        lanes.iter_mut().zip(x).zip(y).for_each(|((sum, &x), &y)| *sum = Scalar::mul_add(x, y, *sum));
    }
    lanes.iter_mut().zip(x_tail).zip(y_tail).for_each(|((sum, &x), &y)| *sum = Scalar::mul_add(x, y, *sum));
    crate::row::fold(lanes)
}

impl<T: Scalar> Tensor<T> {
    /// The product of matrices: `[M, K] · [K, N] → [M, N]`; leading dimensions are a batch and are stretched.
    ///
    /// # Errors
    /// If an operand has fewer than two dimensions, the inner sizes differ, or the batches do not fit.
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        self.product(Transpose::No, other, Transpose::No)
    }

    /// The product with either operand read as its transpose (of its last two dimensions); nothing is copied
    /// for that.
    ///
    /// ```
    /// use gradus_tensor::{Tensor, Transpose};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let gram = x.product(Transpose::Yes, &x, Transpose::No)?;
    /// assert_eq!(gram, Tensor::from([[35.0, 44.0], [44.0, 56.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`matmul`](Self::matmul).
    pub fn product(&self, left: Transpose, other: &Self, right: Transpose) -> Result<Self> {
        let op = "matmul";
        let (&[ref batch_a @ .., a_rows, a_cols], &[ref batch_b @ .., b_rows, b_cols]) =
            (self.dims(), other.dims())
        else {
            let thin = if self.rank() < 2 { self.shape() } else { other.shape() };
            return Err(Error::shape(op, "at least two dimensions", thin));
        };
        let (m, k) = if left == Transpose::No { (a_rows, a_cols) } else { (a_cols, a_rows) };
        let (k2, n) = if right == Transpose::No { (b_rows, b_cols) } else { (b_cols, b_rows) };
        if k != k2 {
            let why = "the inner sizes must agree";
            return Err(Error::mismatch(op, self.shape(), other.shape(), why));
        }
        let (batch_a, batch_b) = (Shape::new(batch_a)?, Shape::new(batch_b)?);
        let batch = batch_a.broadcast(op, &batch_b).map_err(|_| {
            let why = "the leading (batch) sizes must be equal or 1";
            Error::mismatch(op, self.shape(), other.shape(), why)
        })?;
        let shape = batch.edit(|dims| dims.extend(&[m, n]))?;
        let view = |data, rows, cols, transpose| View::new(data, rows, cols, transpose);
        // A batch whose right side is shared is one tall product.
        if left == Transpose::No && batch_b.elements() == 1 {
            let a = view(self.as_slice(), batch.elements() * m, k, left)?;
            let b = view(other.as_slice(), b_rows, b_cols, right)?;
            return Ok(Self::written(shape, |out| multiply(out, a, b, None)));
        }
        let strides = [&batch_a.strides_within(&batch), &batch_b.strides_within(&batch)];
        let (a_len, b_len) = (a_rows * a_cols, b_rows * b_cols);
        // Small products go to the cores in groups, large ones are cut themselves.
        let group = (WORTH / (m * n * k).max(1)).max(1);
        let mut out = Self::written(shape, |_| ());
        for_each_block(out.as_mut_slice(), group * m * n, |g, out| {
            let count = out.len() / (m * n).max(1);
            let mut outs = out.chunks_exact_mut((m * n).max(1));
            let start = g * group;
            crate::layout::walk_items(&batch, strides, start..start + count, |[i, j]| {
                let a = view(&self.as_slice()[i * a_len..(i + 1) * a_len], a_rows, a_cols, left);
                let b = view(&other.as_slice()[j * b_len..(j + 1) * b_len], b_rows, b_cols, right);
                if let (Some(out), Ok(a), Ok(b)) = (outs.next(), a, b) {
                    multiply(out, a, b, None);
                }
            });
        });
        Ok(out)
    }

    /// x·W + b in one pass: `[…, K] · [K, N] + [N]`.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// let y = x.affine(&Tensor::from([[1.0, 0.0], [0.0, 10.0]]), &Tensor::from([0.5, 0.5]))?;
    /// assert_eq!(y, Tensor::from([[1.5, 20.5]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn affine(&self, w: &Self, b: &Self) -> Result<Self> {
        let op = "affine";
        let (&[ref batch @ .., k], &[k2, n]) = (self.dims(), w.dims()) else {
            let thin = if self.rank() == 0 { self.shape() } else { w.shape() };
            return Err(Error::shape(op, "x of at least one dimension, W of two", thin));
        };
        if k != k2 {
            return Err(Error::mismatch(op, self.shape(), w.shape(), "the inner sizes must agree"));
        }
        if b.dims() != [n] {
            return Err(Error::mismatch(op, w.shape(), b.shape(), "one bias for each column of W"));
        }
        let mut shape = self.shape();
        shape.set_last(n)?;
        let left = View::new(self.as_slice(), batch.iter().product(), k, Transpose::No)?;
        let right = View::new(w.as_slice(), k, n, Transpose::No)?;
        let bias = b.as_slice();
        Ok(Self::written(shape, |out| {
            multiply(
                out,
                left,
                right,
                Some(&|_, column, y: &mut [T]| y.iter_mut().zip(&bias[column..]).for_each(|(y, &b)| *y += b)),
            );
        }))
    }

    /// The sum of the products of corresponding elements, ⟨x, y⟩.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn dot(&self, other: &Self) -> Result<T> {
        if self.shape() != other.shape() {
            let why = "a dot product needs equal shapes";
            return Err(Error::mismatch("dot", self.shape(), other.shape(), why));
        }
        Ok(crate::reduce::sum_by_two(self.as_slice(), other.as_slice(), |x, y| x * y))
    }
}
