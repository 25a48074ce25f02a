//! A matrix as the inner product reads it: cut into panels of 16 columns, each in one piece. Laid out once for all steps.

use gradus_tensor::kernel::{Rows, View, for_each_block, product_of_rows, transpose_into};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};

/// The columns of a panel: a tile's of the inner kernel with 256-bit registers, on which this was measured (32 took 3 to 8 % longer).
pub(super) const WIDE: usize = 16;

/// The right side of a product, `[terms, columns]`; columns that are missing at the end are zero.
pub(super) struct Panels<T: Scalar> {
    data: Tensor<T>,
    terms: usize,
    columns: usize,
}

impl<T: Scalar> Panels<T> {
    /// A matrix whose rows lie one after the other.
    pub(super) fn new(matrix: &[T], terms: usize, columns: usize) -> Result<Self> {
        Self::laid(terms, columns, |first, panel| {
            let real = WIDE.min(columns - first);
            for (k, row) in panel.chunks_mut(WIDE).enumerate() {
                row[..real].copy_from_slice(&matrix[k * columns + first..][..real]);
                row[real..].fill(T::ZERO);
            }
            Ok(())
        })
    }

    /// The transpose of a matrix whose rows, `columns` of them, lie one after the other.
    pub(super) fn transposed(matrix: &[T], terms: usize, columns: usize) -> Result<Self> {
        Self::laid(terms, columns, |first, panel| {
            let real = WIDE.min(columns - first);
            if real < WIDE {
                panel.fill(T::ZERO);
            }
            let rows = &matrix[first * terms..][..real * terms];
            transpose_into(panel, WIDE, View::new(rows, real, terms, Transpose::No)?)
        })
    }

    fn laid(
        terms: usize,
        columns: usize,
        write: impl Fn(usize, &mut [T]) -> Result<()> + Sync,
    ) -> Result<Self> {
        let columns = columns.next_multiple_of(WIDE);
        let mut failed = vec![Ok(()); columns / WIDE];
        let data = Tensor::compute([terms * columns], |out| {
            let mut jobs: Vec<_> = out.chunks_mut((WIDE * terms).max(1)).zip(&mut failed).collect();
            for_each_block(&mut jobs, 1, |p, jobs| {
                for (panel, failed) in jobs {
                    **failed = write(WIDE * p, panel);
                }
            });
        })?;
        failed.into_iter().collect::<Result<Vec<()>>>()?;
        Ok(Self { data, terms, columns })
    }

    /// How many elements a row of a product has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Writes left · right, in this thread.
    pub(super) fn product(&self, out: &mut [T], left: Rows<'_, T>) -> Result<()> {
        for first in (0..self.columns).step_by(WIDE) {
            let panel = &self.data.as_slice()[first * self.terms..][..WIDE * self.terms];
            let panel = View::new(panel, self.terms, WIDE, Transpose::No)?;
            product_of_rows(&mut out[first..], self.columns, false, left, panel)?;
        }
        Ok(())
    }
}
