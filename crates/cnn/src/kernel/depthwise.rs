//! Convolution with one input channel a group: for each tap a row of the image, times one weight, is added to a row of the output. The nine taps of
//! the most frequent window go together over the padded image, so that an output is read and written once for them.

use super::plane::Plane;
use super::{Finish, Sizes};
use gradus_tensor::Scalar;
use gradus_tensor::kernel::{for_each_block, row, vectorize};

/// Outputs that are computed side by side.
const LANES: usize = 8;

/// How many planes a job has: room for a padded image is made once for them.
const TOGETHER: usize = 8;

/// The next ones from a place on.
#[inline(always)]
fn next<T>(x: &[T], at: usize) -> &[T; LANES] {
    // Every caller has made sure that they are there.
    x[at..].first_chunk().unwrap_or_else(|| unreachable!())
}

/// Adds nine taps to some outputs; `at` is where the first column of taps lies in its three rows.
#[inline(always)]
fn nine<T: Scalar>(
    room: &[T],
    at: [usize; 3],
    across: usize,
    weight: &[[T; 3]; 3],
    mut sums: [T; LANES],
) -> [T; LANES] {
    for (at, weight) in at.iter().zip(weight) {
        for (v, &weight) in weight.iter().enumerate() {
            let x = next(room, at + v * across);
            for l in 0..LANES {
                sums[l] = Scalar::mul_add(weight, x[l], sums[l]);
            }
        }
    }
    sums
}

impl Plane {
    /// Whether all nine taps go together: there are so many, and windows begin at every pixel.
    fn nine(&self) -> bool {
        self.windows.iter().all(|w| w.size == 3 && w.stride == 1)
    }

    /// From row to row of the padded image.
    fn pitch(&self) -> usize {
        self.input[1] + self.windows[1].padding[0] + self.windows[1].padding[1]
    }

    /// Room for a padded image, if it is needed, and for what is read behind its end.
    fn room<T: Scalar>(&self) -> Vec<T> {
        let rows = self.input[0] + self.windows[0].padding[0] + self.windows[0].padding[1];
        if self.nine() { vec![T::ZERO; rows * self.pitch() + LANES] } else { Vec::new() }
    }

    /// Copies an image to where the padding leaves it room.
    fn pad<T: Scalar>(&self, x: &[T], room: &mut [T]) {
        let (pitch, width) = (self.pitch(), self.input[1]);
        let first = self.windows[0].padding[0] * pitch + self.windows[1].padding[0];
        vectorize(
            #[inline(always)]
            || {
                for (x, room) in x.chunks_exact(width).zip(room[first..].chunks_mut(pitch)) {
                    // Rows are short: a call to copy each would take longer than the copy.
                    let (whole, _) = x.as_chunks::<LANES>();
                    for (x, room) in whole.iter().zip(room.as_chunks_mut::<LANES>().0) {
                        *room = *x;
                    }
                    match (x.last_chunk::<LANES>(), room[..width].last_chunk_mut::<LANES>()) {
                        (Some(x), Some(room)) => *room = *x,
                        _ => room[..width].copy_from_slice(x),
                    }
                }
            },
        );
    }

    /// What the window makes of an image.
    fn write<T: Scalar>(
        &self,
        x: &[T],
        weight: &[T],
        room: &mut [T],
        (channel, finish): (usize, Finish<'_, T>),
        y: &mut [T],
    ) {
        if let (true, &[a, b, c, d, e, f, g, h, i]) = (self.nine(), weight) {
            self.pad(x, room);
            self.write_nine(room, [[a, b, c], [d, e, f], [g, h, i]], y);
        } else {
            y.fill(T::ZERO);
            self.add(x, weight, room, y);
        }
        finish.finish(channel, y);
    }

    /// The same for a padded image and nine taps. The last outputs of a row that do not fill a vector are computed with some before them.
    fn write_nine<T: Scalar>(&self, room: &[T], weight: [[T; 3]; 3], y: &mut [T]) {
        let (pitch, [down, across]) = (self.pitch(), self.windows.map(|w| w.dilation));
        let width = self.output[1];
        vectorize(
            #[inline(always)]
            || {
                for (row, y) in y.chunks_exact_mut(width).enumerate() {
                    let starts: [usize; 3] = [row, row + down, row + 2 * down];
                    let (whole, _) = y.as_chunks_mut::<LANES>();
                    for (part, y) in whole.iter_mut().enumerate() {
                        let at = starts.map(|start| start * pitch + part * LANES);
                        *y = nine(room, at, across, &weight, [T::ZERO; LANES]);
                    }
                    if !width.is_multiple_of(LANES) {
                        let at = starts.map(|start| start * pitch + width.saturating_sub(LANES));
                        let sums = nine(room, at, across, &weight, [T::ZERO; LANES]);
                        match y.last_chunk_mut::<LANES>() {
                            Some(last) => *last = sums,
                            None => y.copy_from_slice(&sums[..width]),
                        }
                    }
                }
            },
        );
    }

    /// Adds what the window makes of an image to an output.
    fn add<T: Scalar>(&self, x: &[T], weight: &[T], room: &mut [T], y: &mut [T]) {
        if let (true, &[a, b, c, d, e, f, g, h, i]) = (self.nine(), weight) {
            self.pad(x, room);
            return self.add_nine(room, [[a, b, c], [d, e, f], [g, h, i]], y);
        }
        let stride = self.windows[1].stride;
        vectorize(
            #[inline(always)]
            || {
                self.each(
                    #[inline(always)]
                    |tap, outputs, first| {
                        let (w, x) = (weight[tap], &x[first..]);
                        y[outputs].iter_mut().zip(x.iter().step_by(stride)).for_each(
                            #[inline(always)]
                            |(y, &x)| *y = Scalar::mul_add(w, x, *y),
                        );
                    },
                );
            },
        );
    }

    /// The same for a padded image and nine taps.
    fn add_nine<T: Scalar>(&self, room: &[T], weight: [[T; 3]; 3], y: &mut [T]) {
        let (pitch, [down, across]) = (self.pitch(), self.windows.map(|w| w.dilation));
        vectorize(
            #[inline(always)]
            || {
                for (row, y) in y.chunks_exact_mut(self.output[1]).enumerate() {
                    let starts: [usize; 3] = [row, row + down, row + 2 * down];
                    let (whole, rest) = y.as_chunks_mut::<LANES>();
                    for (part, y) in whole.iter_mut().enumerate() {
                        let at = starts.map(|start| start * pitch + part * LANES);
                        *y = nine(room, at, across, &weight, *y);
                    }
                    if !rest.is_empty() {
                        let at = starts.map(|start| start * pitch + whole.len() * LANES);
                        let mut y = [T::ZERO; LANES];
                        y[..rest.len()].copy_from_slice(rest);
                        rest.copy_from_slice(&nine(room, at, across, &weight, y)[..rest.len()]);
                    }
                }
            },
        );
    }

    /// The reverse: adds what comes back from an output to an image.
    fn add_back<T: Scalar>(&self, dy: &[T], weight: &[T], dx: &mut [T]) {
        let stride = self.windows[1].stride;
        vectorize(
            #[inline(always)]
            || {
                self.each(
                    #[inline(always)]
                    |tap, outputs, first| {
                        let (w, dx) = (weight[tap], &mut dx[first..]);
                        dx.iter_mut().step_by(stride).zip(&dy[outputs]).for_each(
                            #[inline(always)]
                            |(x, &y)| *x = Scalar::mul_add(w, y, *x),
                        );
                    },
                );
            },
        );
    }

    /// Adds the products of an image and of what comes back from an output to the taps' sums.
    fn add_products<T: Scalar>(&self, x: &[T], dy: &[T], room: &mut [T], dw: &mut [T]) {
        if self.nine() {
            self.pad(x, room);
            return self.add_nine_products(room, dy, dw);
        }
        let stride = self.windows[1].stride;
        vectorize(
            #[inline(always)]
            || {
                self.each(
                    #[inline(always)]
                    |tap, outputs, first| {
                        let (dy, x) = (&dy[outputs], &x[first..]);
                        dw[tap] += if stride == 1 {
                            row::sum_by_two(
                                dy,
                                &x[..dy.len()],
                                #[inline(always)]
                                |y, x| y * x,
                            )
                        } else {
                            let mut sum = T::ZERO;
                            for (&y, &x) in dy.iter().zip(x.iter().step_by(stride)) {
                                sum = Scalar::mul_add(y, x, sum);
                            }
                            sum
                        };
                    },
                );
            },
        );
    }

    /// The same for a padded image and nine taps.
    fn add_nine_products<T: Scalar>(&self, room: &[T], dy: &[T], dw: &mut [T]) {
        let (pitch, [down, across]) = (self.pitch(), self.windows.map(|w| w.dilation));
        vectorize(
            #[inline(always)]
            || {
                for (u, dw) in dw.chunks_exact_mut(3).enumerate() {
                    let mut sums = [[T::ZERO; LANES]; 3];
                    for (row, dy) in dy.chunks_exact(self.output[1]).enumerate() {
                        let start = (row + u * down) * pitch;
                        let (whole, rest) = dy.as_chunks::<LANES>();
                        for (part, y) in whole.iter().enumerate() {
                            for (v, sums) in sums.iter_mut().enumerate() {
                                let x = next(room, start + part * LANES + v * across);
                                for l in 0..LANES {
                                    sums[l] = Scalar::mul_add(y[l], x[l], sums[l]);
                                }
                            }
                        }
                        if !rest.is_empty() {
                            // Filled up with zeros, on both sides: what is read behind a row's end may be anything.
                            let mut y = [T::ZERO; LANES];
                            y[..rest.len()].copy_from_slice(rest);
                            for (v, sums) in sums.iter_mut().enumerate() {
                                let mut x = [T::ZERO; LANES];
                                let from = start + whole.len() * LANES + v * across;
                                x[..rest.len()].copy_from_slice(&room[from..from + rest.len()]);
                                for l in 0..LANES {
                                    sums[l] = Scalar::mul_add(y[l], x[l], sums[l]);
                                }
                            }
                        }
                    }
                    for (dw, sums) in dw.iter_mut().zip(&sums) {
                        *dw += row::sum_by(
                            sums,
                            #[inline(always)]
                            |x| x,
                        );
                    }
                }
            },
        );
    }
}

fn plane_of(sizes: &Sizes) -> Plane {
    Plane::new(sizes.shape.windows, sizes.input, sizes.output)
}

pub(super) fn forward<T: Scalar>(sizes: &Sizes, x: &[T], weight: &[T], finish: Finish<'_, T>, out: &mut [T]) {
    let ([in_plane, plane], outputs, taps) = (sizes.planes(), sizes.shape.out_channels, sizes.taps());
    let of_plane = plane_of(sizes);
    for_each_block(out, TOGETHER * plane, |job, out| {
        let mut room = of_plane.room();
        for (p, out) in out.chunks_exact_mut(plane).enumerate() {
            let p = job * TOGETHER + p;
            let (n, k) = (p / outputs, p % outputs);
            let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
            of_plane.write(x, &weight[k * taps..][..taps], &mut room, (k, finish), out);
        }
    });
}

pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) {
    let ([in_plane, plane], inputs, taps) = (sizes.planes(), sizes.shape.in_channels, sizes.taps());
    // Where windows begin at every pixel it is a convolution of dy with the filters turned around.
    let turned = sizes.turns().then(|| {
        let back = sizes.windows_back();
        let turned: Vec<T> = weight.chunks_exact(taps).flat_map(|w| w.iter().rev().copied()).collect();
        (Plane::new(back, sizes.output, sizes.input), turned)
    });
    let forth = plane_of(sizes);
    for_each_block(dx, TOGETHER * in_plane, |job, dx| {
        let mut room = turned.as_ref().map_or_else(Vec::new, |(back, _)| back.room());
        for (p, dx) in dx.chunks_exact_mut(in_plane).enumerate() {
            let p = job * TOGETHER + p;
            let (n, c) = (p / inputs, p % inputs);
            let first = c * sizes.group[1];
            if turned.is_none() {
                dx.fill(T::ZERO);
            }
            for k in first..first + sizes.group[1] {
                let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
                match &turned {
                    Some((back, turned)) if k == first => {
                        back.write(dy, &turned[k * taps..][..taps], &mut room, (c, Finish::NOTHING), dx);
                    }
                    Some((back, turned)) => back.add(dy, &turned[k * taps..][..taps], &mut room, dx),
                    None => forth.add_back(dy, &weight[k * taps..][..taps], dx),
                }
            }
        }
    });
}

pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T], dw: &mut [T]) {
    let ([in_plane, plane], taps) = (sizes.planes(), sizes.taps());
    let of_plane = plane_of(sizes);
    for_each_block(dw, taps, |k, dw| {
        dw.fill(T::ZERO);
        let mut room = of_plane.room();
        for n in 0..sizes.batch {
            let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
            let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
            of_plane.add_products(x, dy, &mut room, dw);
        }
    });
}
