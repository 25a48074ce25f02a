//! Convolution with one input channel a group: for each tap a row of the image, times one weight, is added to a row of the output. The three taps of
//! the most frequent windows go together, so that an output is read and written once for them.

use super::Sizes;
use super::pooling::reach;
use crate::Window;
use gradus_tensor::Scalar;
use gradus_tensor::kernel::{for_each_block, row, vectorize};
use std::ops::Range;

/// A window that moves over a plane.
struct Plane {
    windows: [Window; 2],
    input: [usize; 2],
    output: [usize; 2],
    /// For each tap the outputs that it adds to, and where it lies for the first of them.
    taps: [Vec<(Range<usize>, usize)>; 2],
    /// The outputs of a row that all taps add to.
    all: Range<usize>,
}

impl Plane {
    fn new(windows: [Window; 2], [input, output]: [[usize; 2]; 2]) -> Self {
        let taps: [Vec<_>; 2] = std::array::from_fn(|axis| {
            let w = &windows[axis];
            (0..w.size).map(|tap| reach(w, input[axis], output[axis], tap)).collect()
        });
        let all = taps[1].iter().fold(0..output[1], |all, (outputs, _)| {
            let start = all.start.max(outputs.start);
            start..all.end.min(outputs.end).max(start)
        });
        Self { windows, input, output, taps, all }
    }

    /// Whether the taps of a row go together: they are three, and windows begin at every pixel.
    fn together(&self) -> bool {
        self.windows[1].size == 3 && self.windows[1].stride == 1 && !self.all.is_empty()
    }

    /// Calls `f(tap down, output row's start, input row's start)` for every row of outputs, and every row of taps that lies on the image.
    #[inline(always)]
    fn each_row(&self, mut f: impl FnMut(usize, usize, usize)) {
        for i in 0..self.output[0] {
            for (u, (rows, first)) in self.taps[0].iter().enumerate() {
                if rows.contains(&i) {
                    let row = first + (i - rows.start) * self.windows[0].stride;
                    f(u, i * self.output[1], row * self.input[1]);
                }
            }
        }
    }

    /// Calls `f(tap across, outputs, first element)` for those outputs of a row that are computed tap by tap, counted from the row's start.
    #[inline(always)]
    fn each_tap(&self, together: bool, mut f: impl FnMut(usize, Range<usize>, usize)) {
        let stride = self.windows[1].stride;
        for (v, (outputs, first)) in self.taps[1].iter().enumerate() {
            if !together {
                if !outputs.is_empty() {
                    f(v, outputs.clone(), *first);
                }
                continue;
            }
            let left = outputs.start..outputs.end.min(self.all.start);
            let right = outputs.start.max(self.all.end)..outputs.end;
            for part in [left, right] {
                if !part.is_empty() {
                    let from = first + (part.start - outputs.start) * stride;
                    f(v, part, from);
                }
            }
        }
    }

    /// Where the first output that all taps add to reads each of the three taps.
    fn firsts(&self) -> [usize; 3] {
        let mut firsts = [0; 3];
        for (at, (outputs, first)) in firsts.iter_mut().zip(&self.taps[1]) {
            *at = first + (self.all.start - outputs.start);
        }
        firsts
    }

    /// Adds what the window makes of an image to an output.
    fn add<T: Scalar>(&self, x: &[T], weight: &[T], y: &mut [T]) {
        let (together, stride, across) = (self.together(), self.windows[1].stride, self.windows[1].size);
        let (firsts, count) = (self.firsts(), self.all.len());
        vectorize(
            #[inline(always)]
            || {
                self.each_row(
                    #[inline(always)]
                    |u, to, from| {
                        let weight = &weight[u * across..][..across];
                        if let (true, &[a, b, c]) = (together, weight) {
                            let part = |first: usize| &x[from + first..][..count];
                            let (p, q, r) = (part(firsts[0]), part(firsts[1]), part(firsts[2]));
                            let y = &mut y[to + self.all.start..][..count];
                            for j in 0..count {
                                let sum = Scalar::mul_add(b, q[j], Scalar::mul_add(a, p[j], y[j]));
                                y[j] = Scalar::mul_add(c, r[j], sum);
                            }
                        }
                        self.each_tap(
                            together,
                            #[inline(always)]
                            |v, outputs, first| {
                                let (w, x) = (weight[v], &x[from + first..]);
                                let y = &mut y[to + outputs.start..to + outputs.end];
                                if stride == 1 {
                                    y.iter_mut().zip(x).for_each(
                                        #[inline(always)]
                                        |(y, &x)| *y = Scalar::mul_add(w, x, *y),
                                    );
                                } else {
                                    y.iter_mut().zip(x.iter().step_by(stride)).for_each(
                                        #[inline(always)]
                                        |(y, &x)| *y = Scalar::mul_add(w, x, *y),
                                    );
                                }
                            },
                        );
                    },
                );
            },
        );
    }

    /// The reverse: adds what comes back from an output to an image.
    fn add_back<T: Scalar>(&self, dy: &[T], weight: &[T], dx: &mut [T]) {
        let (stride, across) = (self.windows[1].stride, self.windows[1].size);
        vectorize(
            #[inline(always)]
            || {
                self.each_row(
                    #[inline(always)]
                    |u, from, to| {
                        self.each_tap(
                            false,
                            #[inline(always)]
                            |v, outputs, first| {
                                let (w, dx) = (weight[u * across + v], &mut dx[to + first..]);
                                let dy = &dy[from + outputs.start..from + outputs.end];
                                dx.iter_mut().step_by(stride).zip(dy).for_each(
                                    #[inline(always)]
                                    |(x, &y)| *x = Scalar::mul_add(w, y, *x),
                                );
                            },
                        );
                    },
                );
            },
        );
    }

    /// Adds the products of an image and of what comes back from an output to the taps' sums.
    fn add_products<T: Scalar>(&self, x: &[T], dy: &[T], dw: &mut [T]) {
        const LANES: usize = 16;
        let (together, stride, across) = (self.together(), self.windows[1].stride, self.windows[1].size);
        let (firsts, count) = (self.firsts(), self.all.len());
        vectorize(
            #[inline(always)]
            || {
                for u in 0..self.windows[0].size {
                    let mut sums = [[T::ZERO; LANES]; 3];
                    let (rows, first_row) = &self.taps[0][u];
                    for i in rows.clone() {
                        let row = first_row + (i - rows.start) * self.windows[0].stride;
                        let (dy, x) =
                            (&dy[i * self.output[1]..][..self.output[1]], &x[row * self.input[1]..]);
                        if together {
                            let y = &dy[self.all.clone()];
                            let (groups, rest) = y.as_chunks::<LANES>();
                            for (v, sums) in sums.iter_mut().enumerate() {
                                let (x, x_rest) = x[firsts[v]..][..count].as_chunks::<LANES>();
                                for (y, x) in groups.iter().zip(x) {
                                    for l in 0..LANES {
                                        sums[l] = Scalar::mul_add(y[l], x[l], sums[l]);
                                    }
                                }
                                for (l, (&y, &x)) in rest.iter().zip(x_rest).enumerate() {
                                    sums[l] = Scalar::mul_add(y, x, sums[l]);
                                }
                            }
                        }
                        self.each_tap(
                            together,
                            #[inline(always)]
                            |v, outputs, first| {
                                let (dy, x) = (&dy[outputs], &x[first..]);
                                dw[u * across + v] += if stride == 1 {
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
                    }
                    if together {
                        for (dw, sums) in dw[u * across..].iter_mut().zip(&sums) {
                            *dw += row::sum_by(
                                sums,
                                #[inline(always)]
                                |x| x,
                            );
                        }
                    }
                }
            },
        );
    }
}

fn plane_of(sizes: &Sizes) -> Plane {
    Plane::new(sizes.shape.windows, [sizes.input, sizes.output])
}

pub(super) fn forward<T: Scalar>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    out: &mut [T],
    begin: impl Fn(&mut [T]) + Sync,
) {
    let ([in_plane, plane], outputs, taps) = (sizes.planes(), sizes.shape.out_channels, sizes.taps());
    let of_plane = plane_of(sizes);
    begin(out);
    for_each_block(out, plane, |p, out| {
        let (n, k) = (p / outputs, p % outputs);
        let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
        of_plane.add(x, &weight[k * taps..][..taps], out);
    });
}

pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) {
    let ([in_plane, plane], inputs, taps) = (sizes.planes(), sizes.shape.in_channels, sizes.taps());
    // Where windows begin at every pixel it is a convolution of dy with the filters turned around.
    let turned = super::shift::can_by_data(sizes).then(|| {
        let back = sizes.shape.windows.map(|w| {
            let reach = (w.size - 1) * w.dilation;
            w.padded_by(reach - w.padding[0], reach - w.padding[1])
        });
        let turned: Vec<T> = weight.chunks_exact(taps).flat_map(|w| w.iter().rev().copied()).collect();
        (Plane::new(back, [sizes.output, sizes.input]), turned)
    });
    let forth = plane_of(sizes);
    for_each_block(dx, in_plane, |p, dx| {
        let (n, c) = (p / inputs, p % inputs);
        dx.fill(T::ZERO);
        for k in c * sizes.group[1]..(c + 1) * sizes.group[1] {
            let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
            match &turned {
                Some((back, turned)) => back.add(dy, &turned[k * taps..][..taps], dx),
                None => forth.add_back(dy, &weight[k * taps..][..taps], dx),
            }
        }
    });
}

pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T], dw: &mut [T]) {
    let ([in_plane, plane], taps) = (sizes.planes(), sizes.taps());
    let of_plane = plane_of(sizes);
    for_each_block(dw, taps, |k, dw| {
        dw.fill(T::ZERO);
        for n in 0..sizes.batch {
            let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
            let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
            of_plane.add_products(x, dy, dw);
        }
    });
}
