//! Convolution as its formula reads: loops over samples, channels, positions and taps.

use super::Sizes;
use gradus_tensor::Scalar;

/// Calls `f(input element, weight, output element)` for every product that the convolution is a sum of, in the order of the outputs.
fn each(sizes: &Sizes, mut f: impl FnMut(usize, usize, usize)) {
    let ([in_plane, out_plane], [height, width]) = (sizes.planes(), sizes.shape.windows);
    let [group_in, group_out] = sizes.group;
    for n in 0..sizes.batch {
        for k in 0..sizes.shape.out_channels {
            let first = k / group_out * group_in;
            for i in 0..sizes.output[0] {
                for j in 0..sizes.output[1] {
                    let y = (n * sizes.shape.out_channels + k) * out_plane + i * sizes.output[1] + j;
                    for c in 0..group_in {
                        // Both positions exist.
                        for u in height.taps(sizes.input[0], i).into_iter().flatten() {
                            for v in width.taps(sizes.input[1], j).into_iter().flatten() {
                                let x = (n * sizes.shape.in_channels + first + c) * in_plane
                                    + u.element * sizes.input[1]
                                    + v.element;
                                let w = ((k * group_in + c) * height.size + u.tap) * width.size + v.tap;
                                f(x, w, y);
                            }
                        }
                    }
                }
            }
        }
    }
}

/// yₙₖᵢⱼ += Σ w·x
pub(super) fn forward<T: Scalar>(sizes: &Sizes, x: &[T], weight: &[T], out: &mut [T]) {
    each(sizes, |i, w, y| out[y] += weight[w] * x[i]);
}

/// ∂L/∂x: what each element was multiplied by, times what came of it.
pub(super) fn by_data<T: Scalar>(sizes: &Sizes, weight: &[T], dy: &[T], dx: &mut [T]) {
    dx.fill(T::ZERO);
    each(sizes, |i, w, y| dx[i] += weight[w] * dy[y]);
}

/// ∂L/∂w: likewise.
pub(super) fn by_weights<T: Scalar>(sizes: &Sizes, x: &[T], dy: &[T], dw: &mut [T]) {
    dw.fill(T::ZERO);
    each(sizes, |i, w, y| dw[w] += x[i] * dy[y]);
}
