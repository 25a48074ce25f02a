//! Convolution by products of matrices, over some output rows at a time: their windows, side by side as the columns of a matrix, stay in the
//! second cache between the copy and the product. (The whole image unfolded, im2col, would be as many times larger than the image as the window
//! has taps, and go through the memory twice.)

use super::{Finish, Sizes};
use gradus_tensor::kernel::{View, for_each_block, map_blocks, product_into, vectorize};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use std::ops::Range;

/// The bytes of the unfolded windows, at most (but for one output row at least).
const CACHE: usize = 256 << 10;

/// Into how many parts a batch is cut for the gradient of the weights: each has a sum of its own, and the sums are added in order.
const PARTS: usize = 4;

/// What is the same for all samples.
struct Unfold<'a> {
    sizes: &'a Sizes,
    /// The rows of the unfolded matrix: channels of a group times taps.
    depth: usize,
    /// The output rows that are unfolded at once.
    rows: usize,
    /// Whether the input itself is the unfolded matrix.
    pointwise: bool,
}

impl<'a> Unfold<'a> {
    fn new<T>(sizes: &'a Sizes) -> Self {
        let depth = sizes.group[0] * sizes.taps();
        let pointwise =
            sizes.taps() == 1 && sizes.shape.windows.iter().all(|w| w.stride == 1 && w.padding == [0, 0]);
        let row = (depth * sizes.output[1] * size_of::<T>()).max(1);
        let most = if pointwise { sizes.output[0] } else { (CACHE / row).clamp(1, sizes.output[0]) };
        // Parts of about the same size.
        let rows = sizes.output[0].div_ceil(sizes.output[0].div_ceil(most));
        Self { sizes, depth, rows, pointwise }
    }

    /// Room for the unfolded matrix.
    fn room<T: Scalar>(&self) -> Result<Tensor<T>> {
        let columns = if self.pointwise { 0 } else { self.rows * self.sizes.output[1] };
        Tensor::compute([self.depth, columns], |_| ())
    }

    /// The tiles of output rows.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, end) = (self.rows, self.sizes.output[0]);
        (0..end).step_by(rows).map(move |first| first..end.min(first + rows))
    }

    /// The windows of some output rows of a group's channels, one a column; where they lie on padding, zeros.
    fn unfold<T: Scalar>(&self, x: &[T], rows: Range<usize>, columns: &mut [T]) {
        let (sizes, [in_plane, _]) = (self.sizes, self.sizes.planes());
        let ([height, width], [in_width, out_width]) =
            (sizes.shape.windows, [sizes.input[1], sizes.output[1]]);
        let mut lines = columns.chunks_exact_mut(rows.len() * out_width);
        for x in x.chunks_exact(in_plane) {
            for u in 0..height.size {
                let (reached, first_row) = sizes.reach(0, u);
                for v in 0..width.size {
                    let (across, first) = sizes.reach(1, v);
                    let Some(line) = lines.next() else { return };
                    for (i, line) in rows.clone().zip(line.chunks_exact_mut(out_width)) {
                        if !reached.contains(&i) || across.is_empty() {
                            line.fill(T::ZERO);
                            continue;
                        }
                        let from = &x[(first_row + (i - reached.start) * height.stride) * in_width + first..];
                        line[..across.start].fill(T::ZERO);
                        line[across.end..].fill(T::ZERO);
                        let line = &mut line[across.clone()];
                        if width.stride == 1 {
                            line.copy_from_slice(&from[..line.len()]);
                        } else {
                            line.iter_mut()
                                .zip(from.iter().step_by(width.stride))
                                .for_each(|(to, x)| *to = *x);
                        }
                    }
                }
            }
        }
    }

    /// The reverse: adds each column to the elements that its window lies on.
    fn fold<T: Scalar>(&self, columns: &[T], rows: Range<usize>, dx: &mut [T]) {
        let (sizes, [in_plane, _]) = (self.sizes, self.sizes.planes());
        let ([height, width], [in_width, out_width]) =
            (sizes.shape.windows, [sizes.input[1], sizes.output[1]]);
        let mut lines = columns.chunks_exact(rows.len() * out_width);
        for dx in dx.chunks_exact_mut(in_plane) {
            for u in 0..height.size {
                let (reached, first_row) = sizes.reach(0, u);
                for v in 0..width.size {
                    let (across, first) = sizes.reach(1, v);
                    let Some(line) = lines.next() else { return };
                    for (i, line) in rows.clone().zip(line.chunks_exact(out_width)) {
                        if !reached.contains(&i) || across.is_empty() {
                            continue;
                        }
                        let to =
                            &mut dx[(first_row + (i - reached.start) * height.stride) * in_width + first..];
                        let line = &line[across.clone()];
                        if width.stride == 1 {
                            to.iter_mut().zip(line).for_each(|(to, &x)| *to += x);
                        } else {
                            to.iter_mut().step_by(width.stride).zip(line).for_each(|(to, &x)| *to += x);
                        }
                    }
                }
            }
        }
    }

    /// Calls `f(group, tile, unfolded windows)` for a sample; of a pointwise convolution with the sample itself.
    fn each<T: Scalar>(
        &self,
        x: &[T],
        room: &mut Tensor<T>,
        mut f: impl FnMut(usize, Range<usize>, &[T]) -> Result<()>,
    ) -> Result<()> {
        let channels = self.sizes.group[0] * self.sizes.planes()[0];
        for (g, x) in x.chunks_exact(channels).enumerate() {
            for rows in self.tiles() {
                if self.pointwise {
                    f(g, rows, x)?;
                    continue;
                }
                let columns = &mut room.as_mut_slice()[..self.depth * rows.len() * self.sizes.output[1]];
                vectorize(
                    #[inline(always)]
                    || self.unfold(x, rows.clone(), columns),
                );
                f(g, rows, columns)?;
            }
        }
        Ok(())
    }

    /// A group's weights: an output channel a row.
    fn weights<'w, T>(&self, weight: &'w [T], group: usize) -> Result<View<'w, T>> {
        let outputs = self.sizes.group[1];
        let own = outputs * self.depth;
        View::new(&weight[group * own..(group + 1) * own], outputs, self.depth, Transpose::No)
    }

    /// Some rows of a group's planes of the output.
    fn rows_of<'y, T>(&self, y: &'y [T], group: usize, rows: &Range<usize>) -> Result<View<'y, T>> {
        let ([_, plane], outputs, width) = (self.sizes.planes(), self.sizes.group[1], self.sizes.output[1]);
        let from = &y[group * outputs * plane + rows.start * width..];
        View::strided(from, outputs, rows.len() * width, (plane, 1))
    }
}

/// Errors of jobs: the first, if there is one.
fn all<T>(results: Vec<Result<T>>) -> Result<Vec<T>> {
    results.into_iter().collect()
}

pub(super) fn forward<T: Scalar>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    finish: Finish<'_, T>,
    out: &mut [T],
) -> Result<()> {
    let (unfold, [in_plane, plane]) = (Unfold::new::<T>(sizes), sizes.planes());
    let (sample_in, sample_out) = (sizes.shape.in_channels * in_plane, sizes.shape.out_channels * plane);
    let run = |x: &[T], out: &mut [T]| {
        unfold.each(x, &mut unfold.room()?, |g, rows, columns| {
            let columns = View::new(columns, unfold.depth, rows.len() * sizes.output[1], Transpose::No)?;
            let to = &mut out[g * sizes.group[1] * plane + rows.start * sizes.output[1]..];
            let first = g * sizes.group[1];
            let epilogue = |row: usize, _: usize, sums: &mut [T]| finish.finish(first + row, sums);
            product_into(to, plane, false, unfold.weights(weight, g)?, columns, Some(&epilogue))
        })
    };
    let mut jobs: Vec<_> =
        x.chunks_exact(sample_in).zip(out.chunks_exact_mut(sample_out)).map(|job| (job, Ok(()))).collect();
    for_each_block(&mut jobs, 1, |_, jobs| {
        for ((x, out), result) in jobs {
            *result = run(x, out);
        }
    });
    all(jobs.into_iter().map(|(_, result)| result).collect()).map(|_| ())
}

pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) -> Result<()> {
    let (unfold, [in_plane, plane]) = (Unfold::new::<T>(sizes), sizes.planes());
    let (sample_in, sample_out) = (sizes.shape.in_channels * in_plane, sizes.shape.out_channels * plane);
    let channels = sizes.group[0] * in_plane;
    let run = |dy: &[T], dx: &mut [T]| -> Result<()> {
        dx.fill(T::ZERO);
        let mut room = unfold.room::<T>()?;
        for (g, dx) in dx.chunks_exact_mut(channels).enumerate() {
            let weights = unfold.weights(weight, g)?.transposed();
            for rows in unfold.tiles() {
                let (width, dy) = (rows.len() * sizes.output[1], unfold.rows_of(dy, g, &rows)?);
                if unfold.pointwise {
                    product_into(dx, width, false, weights, dy, None)?;
                    continue;
                }
                let columns = &mut room.as_mut_slice()[..unfold.depth * width];
                product_into(columns, width, false, weights, dy, None)?;
                vectorize(
                    #[inline(always)]
                    || unfold.fold(columns, rows.clone(), dx),
                );
            }
        }
        Ok(())
    };
    let mut jobs: Vec<_> =
        dy.chunks_exact(sample_out).zip(dx.chunks_exact_mut(sample_in)).map(|job| (job, Ok(()))).collect();
    for_each_block(&mut jobs, 1, |_, jobs| {
        for ((dy, dx), result) in jobs {
            *result = run(dy, dx);
        }
    });
    all(jobs.into_iter().map(|(_, result)| result).collect()).map(|_| ())
}

pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T]) -> Result<Tensor<T>> {
    let (unfold, [in_plane, plane]) = (Unfold::new::<T>(sizes), sizes.planes());
    let (sample_in, sample_out) = (sizes.shape.in_channels * in_plane, sizes.shape.out_channels * plane);
    let own = sizes.group[1] * unfold.depth;
    // A sum for each part of the batch, but no more memory than the samples take.
    let parts = PARTS.min(sizes.batch).min(1 + x.len() / (sizes.shape.groups * own));
    let part = sizes.batch.div_ceil(parts);
    let run = |p: usize| {
        let mut dw = Tensor::zeros([sizes.shape.groups * own])?;
        let mut room = unfold.room()?;
        let samples = p * part..sizes.batch.min((p + 1) * part);
        for n in samples {
            let (x, dy) = (&x[n * sample_in..][..sample_in], &dy[n * sample_out..][..sample_out]);
            unfold.each(x, &mut room, |g, rows, columns| {
                let columns = View::new(columns, unfold.depth, rows.len() * sizes.output[1], Transpose::No)?;
                let to = &mut dw.as_mut_slice()[g * own..(g + 1) * own];
                product_into(
                    to,
                    unfold.depth,
                    true,
                    unfold.rows_of(dy, g, &rows)?,
                    columns.transposed(),
                    None,
                )
            })?;
        }
        Ok(dw)
    };
    let sums = all(map_blocks(parts, run))?;
    sums.into_iter()
        .reduce(|mut sum, part| {
            sum.as_mut_slice().iter_mut().zip(part.as_slice()).for_each(|(sum, &x)| *sum += x);
            sum
        })
        .map_or_else(|| Tensor::zeros([sizes.shape.groups * own]), Ok)
}
