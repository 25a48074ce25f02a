//! Products of matrices: the one door to the `gemm` crate's kernels.

use crate::{Error, Result, Scalar, Shape, Tensor};

/// Whether an operand of a product is read as its transpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transpose {
    /// As it is.
    No,
    /// Rows and columns exchanged; nothing is copied.
    Yes,
}

/// A matrix to read: its elements with the distances from one row, and one column, to the next.
#[derive(Clone, Copy)]
struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> View<'a, T> {
    fn new(data: &'a [T], rows: usize, cols: usize, transpose: Transpose) -> Self {
        match transpose {
            Transpose::No => Self { data, rows, cols, row_stride: cols, col_stride: 1 },
            Transpose::Yes => Self { data, rows: cols, cols: rows, row_stride: 1, col_stride: cols },
        }
    }

    /// Whether every element that the strides reach lies in the slice.
    fn is_within(&self) -> bool {
        self.rows == 0
            || self.cols == 0
            || (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride < self.data.len()
    }
}

/// `out = left · right`; all three are checked by [`Tensor::product`].
pub struct Operands<'a, T> {
    out: &'a mut [T],
    left: View<'a, T>,
    right: View<'a, T>,
}

/// One product on one thread, by the kernels of the `gemm` crate.
pub(crate) fn gemm<T: Scalar>(operands: Operands<'_, T>) {
    let Operands { out, left, right } = operands;
    let (m, k, n) = (left.rows, left.cols, right.cols);
    assert!(right.rows == k && out.len() == m * n && left.is_within() && right.is_within());
    if k == 0 {
        out.fill(T::ZERO); // a sum of no terms
        return;
    }
    if m == 0 || n == 0 {
        return;
    }
    // SAFETY: the assertion above: the output holds m·n elements with strides (n, 1), and the strides of both
    // operands stay within their slices. The output is borrowed mutably, so it overlaps neither. Its elements
    // are initialised, and `read_dst = false` makes `alpha` irrelevant.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            left.data.as_ptr(),
            left.col_stride as isize,
            left.row_stride as isize,
            right.data.as_ptr(),
            right.col_stride as isize,
            right.row_stride as isize,
            T::ZERO,
            T::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
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
        let shape = batch.edit(|dims| dims.extend([m, n]))?;
        let mut out = vec![T::ZERO; shape.elements()];
        if out.is_empty() {
            return Ok(Self::known(out, shape));
        }
        // A batch whose right side is shared is one tall product.
        if left == Transpose::No && batch_b.elements() == 1 {
            let rows = batch.elements() * m;
            T::gemm(Operands {
                out: &mut out,
                left: View::new(self.as_slice(), rows, k, Transpose::No),
                right: View::new(other.as_slice(), b_rows, b_cols, right),
            });
            return Ok(Self::known(out, shape));
        }
        let strides = [&batch_a.strides_within(&batch), &batch_b.strides_within(&batch)];
        let mut outs = out.chunks_exact_mut(m * n);
        crate::layout::walk(&batch, strides, |[i, j], run, [s, t]| {
            for (r, out) in outs.by_ref().take(run).enumerate() {
                let (i, j) = ((i + r * s) * a_rows * a_cols, (j + r * t) * b_rows * b_cols);
                T::gemm(Operands {
                    out,
                    left: View::new(&self.as_slice()[i..i + a_rows * a_cols], a_rows, a_cols, left),
                    right: View::new(&other.as_slice()[j..j + b_rows * b_cols], b_rows, b_cols, right),
                });
            }
        });
        Ok(Self::known(out, shape))
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
        Ok(self.mul(other)?.sum())
    }
}
