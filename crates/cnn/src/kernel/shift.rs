//! Convolution without unfolding: with the image padded and its rows one after the other, what a tap reads for all outputs is the image itself,
//! from another place on. So the unfolded matrix is there already: its rows begin at different places of the image and overlap. With a
//! stride S, rows and columns are first sorted by their rests, after which each tap's are again one after the other.
//!
//! A row of outputs is as long as a padded row; what is computed behind its end is thrown away.

use super::{Finish, Sizes, run_jobs};
use crate::Window;
use gradus_tensor::kernel::{Rows, View, product_by_rows, product_of_rows, transpose_into, vectorize};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use std::borrow::Cow;
use std::ops::Range;

/// The bytes of the images' rows that are computed with at once, and of their outputs, at most (but for one output row at least).
const CACHE: usize = 192 << 10;

/// Into how many parts a batch is cut for the gradient of the weights: each has a sum of its own, and the sums are added in order.
const PARTS: usize = 4;

/// Columns of outputs come in so many.
const COLUMNS: usize = 16;

/// A convolution, one way or the other.
struct Shift {
    batch: usize,
    groups: usize,
    /// Input and output channels of a group.
    group: [usize; 2],
    windows: [Window; 2],
    input: [usize; 2],
    output: [usize; 2],
    /// The rests of rows and columns that some tap reads.
    rests: [Vec<usize>; 2],
    /// From row to row of what is computed with.
    pitch: usize,
    /// How many more rows than outputs are read.
    more: usize,
    /// The output rows at once.
    rows: usize,
}

impl Shift {
    fn new<T>(sizes: &Sizes) -> Self {
        Self::of::<T>(
            [sizes.batch, sizes.shape.groups],
            sizes.group,
            sizes.shape.windows,
            [sizes.input, sizes.output],
        )
    }

    /// From the outputs back to the inputs, with strides of 1.
    fn backward<T>(sizes: &Sizes) -> Self {
        let [inputs, outputs] = sizes.group;
        let windows = sizes.windows_back();
        Self::of::<T>(
            [sizes.batch, sizes.shape.groups],
            [outputs, inputs],
            windows,
            [sizes.output, sizes.input],
        )
    }

    fn of<T>(
        [batch, groups]: [usize; 2],
        group: [usize; 2],
        windows: [Window; 2],
        [input, output]: [[usize; 2]; 2],
    ) -> Self {
        let rests = windows.map(|w| {
            let mut rests: Vec<_> = (0..w.size).map(|tap| tap * w.dilation % w.stride).collect();
            rests.sort_unstable();
            rests.dedup();
            rests
        });
        let more = windows.map(|w| (w.size - 1) * w.dilation / w.stride);
        let pitch = output[1] + more[1];
        let planes = group[0] * rests[0].len() * rests[1].len();
        let row = (planes.max(group[1]) * pitch * size_of::<T>()).max(1);
        let most = (CACHE / row).saturating_sub(more[0]).clamp(1, output[0]);
        // Parts of about the same size.
        let rows = output[0].div_ceil(output[0].div_ceil(most));
        Self { batch, groups, group, windows, input, output, rests, pitch, more: more[0], rows }
    }

    fn depth(&self) -> usize {
        self.group[0] * self.windows[0].size * self.windows[1].size
    }

    /// Where each channel's taps begin, among the rows of `count` outputs.
    fn starts(&self, count: usize) -> Vec<usize> {
        let [down, across] = self.windows;
        let place = |axis: usize, tap: usize| {
            let (w, rests) = (self.windows[axis], &self.rests[axis]);
            let at = tap * w.dilation;
            (rests.iter().position(|&rest| rest == at % w.stride).unwrap_or(0), at / w.stride)
        };
        let plane = (count + self.more) * self.pitch;
        let mut starts = Vec::with_capacity(self.depth());
        for channel in 0..self.group[0] {
            for u in 0..down.size {
                for v in 0..across.size {
                    let ((rest, row), (rest2, column)) = (place(0, u), place(1, v));
                    let plane_number = (channel * self.rests[0].len() + rest) * self.rests[1].len() + rest2;
                    starts.push(plane_number * plane + row * self.pitch + column);
                }
            }
        }
        starts
    }

    /// The same, given those of as many rows of outputs as there are at once: the last part may have fewer.
    fn starts_of<'a>(&self, whole: &'a [usize], count: usize) -> Cow<'a, [usize]> {
        if count == self.rows { Cow::Borrowed(whole) } else { Cow::Owned(self.starts(count)) }
    }

    /// Room for the rows that so many rows of outputs read, with what is read beyond.
    fn room<T: Scalar>(&self) -> Result<Tensor<T>> {
        let planes = self.group[0] * self.rests[0].len() * self.rests[1].len();
        let len = planes * (self.rows + self.more) * self.pitch + self.pitch + COLUMNS;
        Tensor::zeros([len])
    }

    /// Copies the rows of a group's channels that some outputs read, padded and sorted by their rests.
    fn copy<T: Scalar>(&self, x: &[T], outputs: &Range<usize>, room: &mut [T]) {
        let ([down, across], [height, width]) = (self.windows, self.input);
        let mut lines = room.chunks_exact_mut(self.pitch);
        for x in x.chunks_exact(height * width) {
            for &rest in &self.rests[0] {
                for &rest2 in &self.rests[1] {
                    // The columns that there are.
                    let first = across.padding[0].saturating_sub(rest2).div_ceil(across.stride);
                    let end = (width + across.padding[0]).saturating_sub(rest2).div_ceil(across.stride);
                    let (first, end) = (first.min(self.pitch), end.min(self.pitch));
                    for row in outputs.start..outputs.end + self.more {
                        let Some(line) = lines.next() else { return };
                        let row = (row * down.stride + rest).checked_sub(down.padding[0]);
                        let Some(row) = row.filter(|&row| row < height && first < end) else {
                            line.fill(T::ZERO);
                            continue;
                        };
                        line[..first].fill(T::ZERO);
                        line[end..].fill(T::ZERO);
                        let from = &x[row * width + first * across.stride + rest2 - across.padding[0]..];
                        apart(from, across.stride, &mut line[first..end]);
                    }
                }
            }
        }
    }

    /// The rows of outputs, in parts.
    fn tiles(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, end) = (self.rows, self.output[0]);
        (0..end).step_by(rows).map(move |first| first..end.min(first + rows))
    }

    /// The outputs from images and weights, which lie a filter a row, group by group.
    fn run<T: Scalar>(&self, x: &[T], weight: &[T], finish: Finish<'_, T>, out: &mut [T]) -> Result<()> {
        let [in_plane, plane] = [self.input, self.output].map(|[height, width]| height * width);
        let ([inputs, outputs], depth) = (self.group, self.depth());
        let all = self.groups * outputs;
        // Some filters a job where there are few images.
        let shares = if self.batch >= PARTS || self.groups > 1 { &[][..] } else { &[4, 2][..] };
        let share = shares.iter().copied().find(|s| outputs.is_multiple_of(*s)).unwrap_or(1);
        let starts = self.starts(self.rows);
        run_jobs(out, all * plane / share, |job, out| {
            let (sample, first) = (job / share, job % share * all / share);
            let x = &x[sample * self.groups * inputs * in_plane..][..self.groups * inputs * in_plane];
            let mut room = self.room::<T>()?;
            let columns = (self.rows * self.pitch).next_multiple_of(COLUMNS);
            let mut sums = Tensor::compute([outputs, columns], |_| ())?;
            let (room, sums) = (room.as_mut_slice(), sums.as_mut_slice());
            for (g, out) in out.chunks_exact_mut(outputs / share * plane).enumerate() {
                let x = &x[g * inputs * in_plane..][..inputs * in_plane];
                let filters = g * outputs + first..g * outputs + first + outputs / share;
                let weight = &weight[filters.start * depth..filters.end * depth];
                let weight = View::new(weight, filters.len(), depth, Transpose::No)?;
                for rows in self.tiles() {
                    let starts = self.starts_of(&starts, rows.len());
                    let columns = (rows.len() * self.pitch).next_multiple_of(COLUMNS);
                    vectorize(
                        #[inline(always)]
                        || self.copy(x, &rows, room),
                    );
                    product_by_rows(sums, columns, false, weight, Rows::new(room, &starts, columns)?)?;
                    vectorize(
                        #[inline(always)]
                        || {
                            for (k, out) in out.chunks_exact_mut(plane).enumerate() {
                                let (width, pitch) = (self.output[1], self.pitch);
                                let lines = out[rows.start * width..].chunks_exact_mut(width);
                                let sums = &sums[k * columns..][..rows.len() * pitch];
                                let bias = finish.bias(filters.start + k);
                                for (line, sums) in lines.zip(sums.chunks_exact(pitch)) {
                                    for (y, &sum) in line.iter_mut().zip(sums) {
                                        *y = finish.rectified(sum + bias);
                                    }
                                }
                            }
                        },
                    );
                }
            }
            Ok(())
        })
    }
}

/// Copies numbers that lie a stride apart.
#[inline(always)]
fn apart<T: Scalar>(from: &[T], stride: usize, to: &mut [T]) {
    match stride {
        1 => to.copy_from_slice(&from[..to.len()]),
        2 => {
            let (pairs, _) = from.as_chunks::<2>();
            let count = to.len() - 1; // the last one may have nobody behind it
            for (to, pair) in to[..count].iter_mut().zip(pairs) {
                *to = pair[0];
            }
            to[count] = from[2 * count];
        }
        _ => to.iter_mut().zip(from.iter().step_by(stride)).for_each(|(to, &x)| *to = x),
    }
}

/// Whether what is computed behind the ends of rows, for each filter, costs less than unfolding would: copying an element costs about as much
/// as some 150 products.
pub(super) fn pays(sizes: &Sizes) -> bool {
    let across = sizes.shape.windows[1];
    let more = (across.size - 1) * across.dilation / across.stride;
    sizes.taps() > 1 && more * sizes.group[1] <= 150 * sizes.output[1]
}

pub(super) fn forward<T: Scalar>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    finish: Finish<'_, T>,
    out: &mut [T],
) -> Result<()> {
    Shift::new::<T>(sizes).run(x, weight, finish, out)
}

pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) -> Result<()> {
    let ([inputs, outputs], taps) = (sizes.group, sizes.taps());
    // Filters and channels exchanged, the taps turned around.
    let mut turned = Vec::with_capacity(weight.len());
    for group in weight.chunks_exact(outputs * inputs * taps) {
        for c in 0..inputs {
            for k in 0..outputs {
                turned.extend(group[(k * inputs + c) * taps..][..taps].iter().rev());
            }
        }
    }
    Shift::backward::<T>(sizes).run(dy, &turned, Finish::NOTHING, dx)
}

pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T], dw: &mut [T]) -> Result<()> {
    let shift = Shift::new::<T>(sizes);
    let [in_plane, plane] = [sizes.input, sizes.output].map(|[height, width]| height * width);
    let ([inputs, outputs], depth, width) = (shift.group, shift.depth(), sizes.output[1]);
    let padded = outputs.next_multiple_of(COLUMNS);
    let (groups, one) = (shift.groups, depth * padded);
    let mut sums = Tensor::compute([PARTS, groups * one], |_| ())?;
    let starts = shift.starts(shift.rows);
    run_jobs(sums.as_mut_slice(), groups * one, |part, sums| {
        sums.fill(T::ZERO);
        let mut room = shift.room::<T>()?;
        let mut turned = Tensor::zeros([width, padded])?;
        let (room, turned) = (room.as_mut_slice(), turned.as_mut_slice());
        for sample in sizes.batch * part / PARTS..sizes.batch * (part + 1) / PARTS {
            for (g, sums) in sums.chunks_exact_mut(one).enumerate() {
                let x = &x[(sample * groups + g) * inputs * in_plane..][..inputs * in_plane];
                let dy = &dy[(sample * groups + g) * outputs * plane..][..outputs * plane];
                for rows in shift.tiles() {
                    let starts = shift.starts_of(&starts, rows.len());
                    vectorize(
                        #[inline(always)]
                        || shift.copy(x, &rows, room),
                    );
                    // A row of outputs at a time, so that nothing behind its end is counted.
                    for (i, row) in rows.enumerate() {
                        let line = View::strided(&dy[row * width..], outputs, width, (plane, 1))?;
                        transpose_into(turned, padded, line)?;
                        let left = Rows::new(&room[i * shift.pitch..], &starts, width)?;
                        product_of_rows(
                            sums,
                            padded,
                            true,
                            left,
                            View::new(turned, width, padded, Transpose::No)?,
                        )?;
                    }
                }
            }
        }
        Ok(())
    })?;
    let (sum, others) = sums.as_mut_slice().split_at_mut(groups * one);
    for other in others.chunks_exact(groups * one) {
        sum.iter_mut().zip(other).for_each(|(sum, &x)| *sum += x);
    }
    for (sum, dw) in sum.chunks_exact(one).zip(dw.chunks_exact_mut(outputs * depth)) {
        transpose_into(dw, depth, View::strided(sum, depth, outputs, (padded, 1))?)?;
    }
    Ok(())
}
