//! Where the rows of a head lie.

use super::WIDE;
use gradus_tensor::kernel::{BLOCK, for_each_block, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};
use std::ops::Range;

/// The vectors of some heads, `[N, rows, heads·size]` within rows of a larger matrix: a head's columns lie side by side.
#[derive(Clone, Copy)]
pub(crate) struct Heads<'a, T> {
    pub(crate) data: &'a [T],
    /// From one row to the next, and where the first head's columns begin.
    pub(crate) distance: usize,
    pub(crate) offset: usize,
    /// The rows of a sample.
    pub(crate) rows: usize,
    pub(crate) heads: usize,
    /// The numbers of a head's vector.
    pub(crate) size: usize,
}

impl<'a, T: Scalar> Heads<'a, T> {
    /// The rows of one head of one sample.
    pub(crate) fn strip(&self, sample: usize, head: usize, rows: Range<usize>) -> Strip<'a, T> {
        let start = (sample * self.rows + rows.start) * self.distance + self.offset + head * self.size;
        Strip {
            data: &self.data[start.min(self.data.len())..],
            distance: self.distance,
            rows: rows.len(),
            size: self.size,
        }
    }

    /// The numbers of a vector, rounded up to whole panels.
    pub(crate) fn padded(&self) -> usize {
        self.size.next_multiple_of(WIDE)
    }
}

/// Some rows of one head.
#[derive(Clone, Copy)]
pub(crate) struct Strip<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) distance: usize,
    pub(crate) rows: usize,
    pub(crate) size: usize,
}

impl<'a, T: Scalar> Strip<'a, T> {
    pub(super) fn row(&self, i: usize) -> &'a [T] {
        &self.data[i * self.distance..][..self.size]
    }

    /// Whether all numbers are finite.
    pub(super) fn is_finite(&self) -> bool {
        vectorize(
            #[inline(always)]
            || {
                // 0·x is 0 but for what is not finite.
                (0..self.rows).all(|i| row::sum_by(self.row(i), |x| x * T::ZERO) == T::ZERO)
            },
        )
    }
}

/// What has been computed head by head, `[N, heads, rows, padded]`, and its place in a row of the result.
pub(crate) struct Piece<'a, T: Scalar> {
    pub(crate) from: &'a Tensor<T>,
    pub(crate) heads: usize,
    pub(crate) rows: usize,
    /// The numbers of a vector.
    pub(crate) size: usize,
    /// Where the first head's columns begin.
    pub(crate) offset: usize,
}

/// Puts the heads side by side: rows of so many elements, all of which the pieces write.
pub(crate) fn interleave<T: Scalar>(
    shape: impl AsRef<[usize]>,
    row: usize,
    pieces: &[Piece<'_, T>],
) -> Result<Tensor<T>> {
    if let &[Piece { from, heads: 1, size, .. }] = pieces
        && size == row
        && size.is_multiple_of(WIDE)
    {
        return from.reshape(shape); // as it lies
    }
    let group = BLOCK.div_ceil(row.max(1));
    Tensor::compute(shape, |out| {
        for_each_block(out, group * row, |b, out| {
            for (r, out) in out.chunks_mut(row.max(1)).enumerate() {
                let place = b * group + r;
                for piece in pieces {
                    let (sample, time, padded) =
                        (place / piece.rows, place % piece.rows, piece.size.next_multiple_of(WIDE));
                    let out = &mut out[piece.offset..][..piece.heads * piece.size];
                    for (head, out) in out.chunks_mut(piece.size).enumerate() {
                        let at = ((sample * piece.heads + head) * piece.rows + time) * padded;
                        out.copy_from_slice(&piece.from.as_slice()[at..][..piece.size]);
                    }
                }
            }
        });
    })
}
