//! Activation and average pooling in one pass.

use super::Squashing;
use crate::expect;
use gradus_activations::{relu, sigmoid, tanh};
use gradus_autograd::Op;
use gradus_tensor::kernel::{for_each_block, for_each_block_of_two, vectorize};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

/// f of every number, and of that the mean of each square of 2 × 2: what stands behind both convolutions of a [`LeNet`](crate::LeNet), as one operation.
///
/// **Shapes**: a `[N, C, H, W]`; the result `[N, C, ⌊H/2⌋, ⌊W/2⌋]`. A last row or column that has no neighbour is not read.
///
/// **Gradient**: each of the four numbers gets ¼·f′(a)·dy.
///
/// **Numerics**: f′ follows from f: 1 − t² for the tanh t, t·(1 − t) for the sigmoid. So the way back computes no exponential, and a map is visited once
/// in each direction while it is in the cache. The price is that from a = 19 on (9 in single precision) f′ is 0, where it is 10⁻¹⁶; the operations
/// one by one, which a property holds this one against, keep it.
///
/// **Errors**: another rank.
///
/// ```
/// use gradus_architectures::{SquashedMean, Squashing};
/// use gradus_autograd::Op;
/// use gradus_tensor::Tensor;
/// let a = Tensor::from([[1.0, -2.0, 9.0], [3.0, 4.0, 9.0]]).reshape([1, 1, 2, 3])?;
/// assert_eq!(SquashedMean(Squashing::Relu).eval([&a])?.as_slice(), [2.0]); // (1 + 0 + 3 + 4)/4
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SquashedMean(pub Squashing);

const OP: &str = "squashed_mean";

/// N, C, H, W, and the dimensions of the result.
fn sizes(a: Shape) -> Result<([usize; 4], [usize; 4])> {
    match *a.dims() {
        [n, c, h, w] if h > 1 && w > 1 => Ok(([n, c, h, w], [n, c, h / 2, w / 2])),
        _ => {
            let expected = "maps of the shape [N, C, H, W], H and W at least 2".into();
            Err(Error::Shape { op: OP, expected, got: a })
        }
    }
}

/// f of some maps, and the means of its squares.
fn forward<T: Scalar>(a: &Tensor<T>, f: impl Fn(T) -> T + Sync) -> Result<(Tensor<T>, Tensor<T>)> {
    let ([_, c, h, w], dims) = sizes(a.shape())?;
    let (sample, means) = (c * h * w, dims[1] * dims[2] * dims[3]);
    let mut values = Tensor::zeros(a.dims())?;
    let y = Tensor::compute(dims, |y| {
        for_each_block_of_two((values.as_mut_slice(), sample), (y, means), |i, values, y| {
            let a = &a.as_slice()[i * sample..][..sample];
            vectorize(
                #[inline(always)]
                || {
                    values.iter_mut().zip(a).for_each(|(v, &a)| *v = f(a));
                    let planes = values.chunks_exact(h * w).zip(y.chunks_exact_mut(dims[2] * dims[3]));
                    for (plane, y) in planes {
                        for (rows, y) in plane.chunks_exact(2 * w).zip(y.chunks_exact_mut(dims[3])) {
                            let (upper, lower) = rows.split_at(w);
                            let pairs = upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0);
                            for (y, (u, l)) in y.iter_mut().zip(pairs) {
                                *y = T::of(0.25) * ((u[0] + l[0]) + (u[1] + l[1]));
                            }
                        }
                    }
                },
            );
        });
    })?;
    Ok((y, values))
}

/// ¼·f′·dy, where `slope` is f′ as a function of f.
fn backward<T: Scalar>(
    values: &Tensor<T>,
    dy: &Tensor<T>,
    slope: impl Fn(T) -> T + Sync,
) -> Result<Tensor<T>> {
    let ([_, c, h, w], dims) = sizes(values.shape())?;
    let (sample, means) = (c * h * w, dims[1] * dims[2] * dims[3]);
    let odd = h % 2 != 0 || w % 2 != 0;
    Tensor::compute(values.dims(), |da| {
        for_each_block(da, sample, |i, da| {
            let values = &values.as_slice()[i * sample..][..sample];
            let dy = &dy.as_slice()[i * means..][..means];
            vectorize(
                #[inline(always)]
                || {
                    if odd {
                        da.fill(T::ZERO);
                    }
                    let planes = da.chunks_exact_mut(h * w).zip(values.chunks_exact(h * w));
                    for ((da, values), dy) in planes.zip(dy.chunks_exact(dims[2] * dims[3])) {
                        let rows = da.chunks_mut(w).zip(values.chunks(w)).take(2 * dims[2]);
                        for (r, (da, values)) in rows.enumerate() {
                            let dy = &dy[r / 2 * dims[3]..][..dims[3]];
                            let pairs = da.as_chunks_mut::<2>().0.iter_mut().zip(values.as_chunks::<2>().0);
                            for ((da, v), &dy) in pairs.zip(dy) {
                                let share = T::of(0.25) * dy;
                                *da = [share * slope(v[0]), share * slope(v[1])];
                            }
                        }
                    }
                },
            );
        });
    })
}

impl<T: Scalar> Op<T, 1> for SquashedMean {
    /// f of every number, `[N, C, H, W]`.
    type Saved = Tensor<T>;

    fn forward(&self, [a]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        match self.0 {
            Squashing::Tanh => forward(
                a,
                #[inline(always)]
                |a| tanh(a),
            ),
            Squashing::Sigmoid => forward(
                a,
                #[inline(always)]
                |a| sigmoid(a),
            ),
            Squashing::Relu => forward(
                a,
                #[inline(always)]
                |a| relu(a),
            ),
        }
    }

    fn vjp(
        &self,
        [a]: [&Tensor<T>; 1],
        values: &Tensor<T>,
        dy: &Tensor<T>,
        [wanted]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        expect(OP, "dy", &sizes(a.shape())?.1, dy.shape())?;
        if !wanted {
            return Ok([None]);
        }
        let da = match self.0 {
            Squashing::Tanh => backward(
                values,
                dy,
                #[inline(always)]
                |t| T::ONE - t * t,
            ),
            Squashing::Sigmoid => backward(
                values,
                dy,
                #[inline(always)]
                |t| t * (T::ONE - t),
            ),
            // 0·t is 0, but for a NaN.
            Squashing::Relu => backward(
                values,
                dy,
                #[inline(always)]
                |t| if t > T::ZERO { T::ONE } else { T::ZERO * t },
            ),
        }?;
        Ok([Some(da)])
    }
}
