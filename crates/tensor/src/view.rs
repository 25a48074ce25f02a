//! Matrices to read, in whatever way their elements lie.

use crate::{Error, Result};
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

/// A matrix whose rows begin anywhere in a slice, and may overlap: windows over an image, as they lie there. A row's elements are one after
/// the other.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) starts: &'a [usize],
    pub(crate) columns: usize,
}

impl<'a, T> Rows<'a, T> {
    /// Rows of so many elements that begin at these places.
    ///
    /// # Errors
    /// If one of them would end outside of the slice.
    pub fn new(data: &'a [T], starts: &'a [usize], columns: usize) -> Result<Self> {
        let last = starts.iter().fold(0, |last: usize, &start| last.max(start));
        if last.checked_add(columns).is_none_or(|end| end > data.len()) {
            let got = format!("{columns} elements from {last} on");
            return Err(Error::argument("rows", "starts", got, format!("within {} elements", data.len())));
        }
        Ok(Self { data, starts, columns })
    }
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
    pub(crate) fn columns(self, range: Range<usize>) -> Self {
        let start = (range.start * self.col_stride).min(self.data.len());
        Self { data: &self.data[start..], cols: range.len(), ..self }
    }

    /// These rows.
    pub(crate) fn some_rows(self, range: Range<usize>) -> Self {
        self.transposed().columns(range).transposed()
    }
}

/// A matrix laid out in one of nine ways: row by row, column by column, with gaps between its rows, between all elements, between its
/// columns; with one row for all, with one column, and both with gaps.
#[cfg(test)]
pub(crate) fn laid_out<T>(data: &[T], rows: usize, cols: usize, way: usize) -> Result<View<'_, T>> {
    let strides = [
        (cols, 1),
        (1, rows),
        (cols + 3, 1),
        (2 * cols + 1, 2),
        (1, rows + 5),
        (0, 1),
        (1, 0),
        (0, 2),
        (2, 0),
    ][way];
    View::strided(data, rows, cols, strides)
}
