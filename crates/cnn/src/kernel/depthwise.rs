//! Convolution with one input channel a group: row by row, each tap's row of the input added to the row of the output.

use super::Sizes;
use gradus_tensor::Scalar;
use gradus_tensor::kernel::{for_each_block, row, vectorize};

/// Calls `f(weight of the plane, output row, first output, outputs, input row, first input)` for each row of products of a plane.
#[inline(always)]
fn each_row(sizes: &Sizes, mut f: impl FnMut(usize, std::ops::Range<usize>, usize)) {
    let [height, width] = sizes.shape.windows;
    for u in 0..height.size {
        let (rows, first_row) = sizes.reach(0, u);
        for v in 0..width.size {
            let (across, first) = sizes.reach(1, v);
            if across.is_empty() {
                continue;
            }
            for i in rows.clone() {
                let x = (first_row + (i - rows.start) * height.stride) * sizes.input[1] + first;
                let y = i * sizes.output[1];
                f(u * width.size + v, y + across.start..y + across.end, x);
            }
        }
    }
}

pub(super) fn forward<T: Scalar>(
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    out: &mut [T],
    begin: impl Fn(&mut [T]) + Sync,
) {
    let ([in_plane, plane], outputs, taps) = (sizes.planes(), sizes.shape.out_channels, sizes.taps());
    let stride = sizes.shape.windows[1].stride;
    let sample = outputs * plane;
    begin(out);
    for_each_block(out, plane, |p, out| {
        let (n, k) = (p * plane / sample, p % outputs);
        let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
        let weight = &weight[k * taps..][..taps];
        vectorize(
            #[inline(always)]
            || {
                each_row(
                    sizes,
                    #[inline(always)]
                    |tap, y, first| {
                        let (w, out, x) = (weight[tap], &mut out[y], &x[first..]);
                        if stride == 1 {
                            out.iter_mut().zip(x).for_each(|(y, &x)| *y = Scalar::mul_add(w, x, *y));
                        } else {
                            out.iter_mut()
                                .zip(x.iter().step_by(stride))
                                .for_each(|(y, &x)| *y = Scalar::mul_add(w, x, *y));
                        }
                    },
                );
            },
        );
    });
}

pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) {
    let ([in_plane, plane], inputs, taps) = (sizes.planes(), sizes.shape.in_channels, sizes.taps());
    let stride = sizes.shape.windows[1].stride;
    for_each_block(dx, in_plane, |p, dx| {
        let (n, c) = (p / inputs, p % inputs);
        dx.fill(T::ZERO);
        for k in c * sizes.group[1]..(c + 1) * sizes.group[1] {
            let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
            let weight = &weight[k * taps..][..taps];
            vectorize(
                #[inline(always)]
                || {
                    each_row(
                        sizes,
                        #[inline(always)]
                        |tap, y, first| {
                            let (w, dy, dx) = (weight[tap], &dy[y], &mut dx[first..]);
                            if stride == 1 {
                                dx.iter_mut().zip(dy).for_each(|(x, &y)| *x = Scalar::mul_add(w, y, *x));
                            } else {
                                dx.iter_mut()
                                    .step_by(stride)
                                    .zip(dy)
                                    .for_each(|(x, &y)| *x = Scalar::mul_add(w, y, *x));
                            }
                        },
                    );
                },
            );
        }
    });
}

pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T], dw: &mut [T]) {
    let ([in_plane, plane], taps) = (sizes.planes(), sizes.taps());
    let stride = sizes.shape.windows[1].stride;
    for_each_block(dw, taps, |k, dw| {
        dw.fill(T::ZERO);
        for n in 0..sizes.batch {
            let x = &x[(n * sizes.shape.in_channels + k / sizes.group[1]) * in_plane..][..in_plane];
            let dy = &dy[(n * sizes.shape.out_channels + k) * plane..][..plane];
            vectorize(
                #[inline(always)]
                || {
                    each_row(
                        sizes,
                        #[inline(always)]
                        |tap, y, first| {
                            let (dy, x) = (&dy[y], &x[first..]);
                            dw[tap] += if stride == 1 {
                                row::sum_by_two(
                                    dy,
                                    &x[..dy.len()],
                                    #[inline(always)]
                                    |y, x| y * x,
                                )
                            } else {
                                dy.iter()
                                    .zip(x.iter().step_by(stride))
                                    .fold(T::ZERO, |s, (&y, &x)| Scalar::mul_add(y, x, s))
                            };
                        },
                    );
                },
            );
        }
    });
}
