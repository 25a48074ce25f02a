//! Rows that are normalised each by itself: by their mean and variance, or by their mean square alone.

use super::{column_sums, stretch};
use gradus_tensor::kernel::{BLOCK, for_each_block, for_each_block_of_two, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// What becomes of a tensor whose rows lie one after the other. Each element has a gain and a bias of its own, which all rows share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<T> {
    /// The elements of a row.
    pub(crate) len: usize,
    /// Whether the mean is taken off.
    pub(crate) centred: bool,
    pub(crate) eps: T,
}

/// Of each row, its mean (0 where it is not taken off) and 1/√(variance + ε): two numbers a row.
#[derive(Debug, Clone)]
pub struct Moments<T>(pub(crate) Vec<[T; 2]>);

impl<T: Scalar> Rows<T> {
    #[inline(always)]
    fn moments(&self, x: &[T]) -> [T; 2] {
        let n = T::of(x.len() as f64);
        let mean = if self.centred {
            row::sum_by(
                x,
                #[inline(always)]
                |x| x,
            ) / n
        } else {
            T::ZERO
        };
        let variance = row::sum_by(
            x,
            #[inline(always)]
            |x| (x - mean) * (x - mean),
        ) / n;
        [mean, T::ONE / (variance + self.eps).sqrt()]
    }

    /// x̂·gain + bias, where x̂ = (x − mean)/√(variance + ε).
    pub(crate) fn forward(
        &self,
        x: &Tensor<T>,
        gain: &[T],
        bias: Option<&[T]>,
    ) -> Result<(Tensor<T>, Moments<T>)> {
        let (data, len) = (x.as_slice(), self.len);
        let group = (BLOCK / len.max(1)).max(1);
        let mut moments = vec![[T::ZERO; 2]; x.len() / len.max(1)];
        let y = Tensor::compute(x.shape(), |out| {
            for_each_block_of_two((out, group * len), (&mut moments, group), |b, out, moments| {
                for (i, (y, moments)) in out.chunks_exact_mut(len).zip(moments).enumerate() {
                    let x = stretch(data, len, b * group + i);
                    vectorize(
                        #[inline(always)]
                        || {
                            *moments = self.moments(x);
                            self.scale(x, *moments, gain, bias, y);
                        },
                    );
                }
            });
        })?;
        Ok((y, Moments(moments)))
    }

    #[inline(always)]
    fn scale(&self, x: &[T], [mean, inverse]: [T; 2], gain: &[T], bias: Option<&[T]>, y: &mut [T]) {
        match bias {
            Some(bias) => {
                for (((y, &x), &a), &b) in y.iter_mut().zip(x).zip(gain).zip(bias) {
                    *y = (x - mean) * inverse * a + b;
                }
            }
            None => {
                for ((y, &x), &a) in y.iter_mut().zip(x).zip(gain) {
                    *y = (x - mean) * inverse * a;
                }
            }
        }
    }

    /// ∂L/∂x. With h = gain∘dy and ⟨·⟩ the mean over the row: (h − ⟨h⟩ − x̂·⟨h∘x̂⟩)/√(variance + ε), the middle term only where
    /// the mean was taken off.
    pub(crate) fn backward(
        &self,
        x: &Tensor<T>,
        gain: &[T],
        moments: &Moments<T>,
        dy: &Tensor<T>,
    ) -> Result<Tensor<T>> {
        let (x, dy, len) = (x.as_slice(), dy, self.len);
        let (shape, dy) = (dy.shape(), dy.as_slice());
        let group = (BLOCK / len.max(1)).max(1);
        Tensor::compute(shape, |out| {
            for_each_block(out, group * len, |b, out| {
                for (i, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
                    let at = b * group + i;
                    let (x, dy) = (stretch(x, len, at), stretch(dy, len, at));
                    let moments = moments.0[at];
                    vectorize(
                        #[inline(always)]
                        || self.backward_row(x, moments, gain, dy, out),
                    );
                }
            });
        })
    }

    #[inline(always)]
    fn backward_row(&self, x: &[T], [mean, inverse]: [T; 2], gain: &[T], dy: &[T], out: &mut [T]) {
        // h first, in the place of the result.
        out.iter_mut().zip(dy).zip(gain).for_each(|((h, &dy), &a)| *h = dy * a);
        let n = T::of(x.len() as f64);
        let mean_h = if self.centred {
            row::sum_by(
                out,
                #[inline(always)]
                |h| h,
            ) / n
        } else {
            T::ZERO
        };
        let along = row::sum_by_two(
            out,
            x,
            #[inline(always)]
            |h, x| h * ((x - mean) * inverse),
        ) / n;
        for (h, &x) in out.iter_mut().zip(x) {
            *h = (*h - mean_h - (x - mean) * inverse * along) * inverse;
        }
    }

    /// ∂L/∂gain = Σ dy∘x̂ and ∂L/∂bias = Σ dy, over everything that shares one.
    pub(crate) fn parameters(&self, x: &Tensor<T>, moments: &Moments<T>, dy: &Tensor<T>) -> [Vec<T>; 2] {
        let (x, dy) = (x.as_slice(), dy.as_slice());
        column_sums(
            x.len() / self.len.max(1),
            self.len,
            #[inline(always)]
            |n, [gains, biases]| {
                let [mean, inverse] = moments.0[n];
                let (x, dy) = (stretch(x, self.len, n), stretch(dy, self.len, n));
                for (((gain, bias), &x), &dy) in gains.iter_mut().zip(biases).zip(x).zip(dy) {
                    *gain += dy * ((x - mean) * inverse);
                    *bias += dy;
                }
            },
        )
    }
}
