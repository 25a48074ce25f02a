//! Keys and values as the inner product reads them: by panels of 16 columns, each in one piece.

use super::layout::Strip;
use super::{LANES, WIDE};
use gradus_tensor::kernel::{View, product_in_place, transpose_into};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use std::ops::Range;

/// The right side of a product, by panels: `[columns / 16, terms, 16]`; what is missing is 0.
#[derive(Debug, Clone)]
pub(crate) struct Panels<T: Scalar> {
    data: Tensor<T>,
    /// The terms there is room for.
    terms: usize,
    columns: usize,
}

impl<T: Scalar> Panels<T> {
    /// Room for so many terms and columns, all 0.
    pub(crate) fn zeros(terms: usize, columns: usize) -> Result<Self> {
        let columns = columns.next_multiple_of(WIDE);
        Ok(Self { data: Tensor::zeros([terms * columns])?, terms, columns })
    }

    /// A matrix, `[terms, columns]`.
    pub(crate) fn of_rows(matrix: &Tensor<T>) -> Result<Self> {
        let (rows, size) = (matrix.dims()[0], matrix.dims()[1]);
        let mut panels = Self::zeros(rows, size)?;
        panels.set_rows(0, Strip { data: matrix.as_slice(), distance: size, rows, size });
        Ok(panels)
    }

    /// The transpose of a matrix, `[columns, terms]`.
    pub(crate) fn of_columns(matrix: &Tensor<T>) -> Result<Self> {
        let (rows, size) = (matrix.dims()[0], matrix.dims()[1]);
        let mut panels = Self::zeros(size, rows)?;
        panels.set_columns(0, Strip { data: matrix.as_slice(), distance: size, rows, size })?;
        Ok(panels)
    }

    /// The columns, whole panels.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Rows of a matrix as terms, from the term `first` on.
    pub(super) fn set_rows(&mut self, first: usize, rows: Strip<'_, T>) {
        let terms = self.terms;
        for (p, panel) in self.data.as_mut_slice().chunks_mut((terms * WIDE).max(1)).enumerate() {
            let columns = p * WIDE..rows.size.min((p + 1) * WIDE);
            for i in 0..rows.rows {
                panel[(first + i) * WIDE..][..columns.len()].copy_from_slice(&rows.row(i)[columns.clone()]);
            }
        }
    }

    /// Rows of a matrix as columns, from the column `first` on: a panel at once where they fill it.
    pub(super) fn set_columns(&mut self, first: usize, rows: Strip<'_, T>) -> Result<()> {
        let (terms, mut i) = (self.terms, 0);
        let data = self.data.as_mut_slice();
        while i < rows.rows {
            let (panel, column) = ((first + i) / WIDE, (first + i) % WIDE);
            let count = (WIDE - column).min(rows.rows - i);
            let from = View::strided(&rows.data[i * rows.distance..], count, rows.size, (rows.distance, 1))?;
            transpose_into(&mut data[panel * terms * WIDE + column..][..terms * WIDE - column], WIDE, from)?;
            i += count;
        }
        Ok(())
    }

    /// The panels of these columns, with these terms: whole panels.
    fn each(&self, terms: Range<usize>, columns: Range<usize>) -> impl Iterator<Item = (usize, &[T])> {
        (columns.start..columns.end).step_by(WIDE).map(move |column| {
            let start = (column / WIDE * self.terms + terms.start) * WIDE;
            (column - columns.start, &self.data.as_slice()[start..][..terms.len() * WIDE])
        })
    }

    /// Writes `left` · these terms and columns into rows of `out` so far apart, or adds it.
    pub(crate) fn product(
        &self,
        (out, distance, add): (&mut [T], usize, bool),
        left: View<'_, T>,
        terms: Range<usize>,
        columns: Range<usize>,
    ) -> Result<()> {
        for (at, panel) in self.each(terms.clone(), columns) {
            let panel = View::new(panel, terms.len(), WIDE, Transpose::No)?;
            product_in_place(&mut out[at..], distance, add, left, panel)?;
        }
        Ok(())
    }

    /// The same, added, without the terms that `hidden` names: with the bits of [`product`](Self::product) where they are 0 times a number. Where
    /// they are 0 times a NaN, only this is right.
    pub(super) fn product_of_some(
        &self,
        (out, distance): (&mut [T], usize),
        rows: usize,
        (left, hidden): (impl Fn(usize, usize) -> T, impl Fn(usize, usize) -> bool),
        terms: Range<usize>,
    ) {
        for (at, panel) in self.each(terms.clone(), 0..self.columns) {
            for r in 0..rows {
                for (column, out) in out[r * distance + at..][..WIDE].iter_mut().enumerate() {
                    let sum = (0..terms.len())
                        .filter(|&t| !hidden(r, t))
                        .fold(T::ZERO, |sum, t| Scalar::mul_add(left(r, t), panel[t * WIDE + column], sum));
                    *out += sum;
                }
            }
        }
    }
}

/// What the queries of one head look into: its keys, as the columns of a product, and its values, as the terms of another.
#[derive(Debug, Clone)]
pub(crate) struct Memory<T: Scalar> {
    pub(super) keys: Panels<T>,
    pub(super) values: Panels<T>,
    /// Whether all keys and values are finite.
    pub(super) finite: bool,
}

impl<T: Scalar> Memory<T> {
    /// Room for so many keys and values of these sizes.
    pub(crate) fn new(capacity: usize, size: usize, value: usize) -> Result<Self> {
        let capacity = capacity.next_multiple_of(LANES);
        let keys = Panels::zeros(size, capacity)?;
        Ok(Self { keys, values: Panels::zeros(capacity, value)?, finite: true })
    }

    /// What is there is to be written over.
    pub(crate) fn clear(&mut self) {
        if !self.finite {
            // 0 times a NaN that is left over would not be 0.
            self.keys.data.as_mut_slice().fill(T::ZERO);
            self.values.data.as_mut_slice().fill(T::ZERO);
        }
        self.finite = true;
    }

    /// Keys and values from this place on.
    pub(crate) fn set(&mut self, first: usize, keys: Strip<'_, T>, values: Strip<'_, T>) -> Result<()> {
        self.finite = self.finite && keys.is_finite() && values.is_finite();
        self.values.set_rows(first, values);
        self.keys.set_columns(first, keys)
    }
}
