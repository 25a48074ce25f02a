//! Rows that are normalised each by itself: by their mean and variance, or by their mean square alone.

use super::{Channels, column_sums, stretch, stretch_sums};
use gradus_tensor::kernel::{BLOCK, for_each_block, for_each_block_of_two, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// What becomes of a tensor whose rows lie one after the other. Each has `channels` × `span` elements; a gain and a bias belong
/// to `span` elements each, and the rows take `groups` portions of them in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<T> {
    pub(crate) groups: usize,
    pub(crate) channels: usize,
    pub(crate) span: usize,
    /// Whether the mean is taken off.
    pub(crate) centred: bool,
    pub(crate) eps: T,
}

/// Of each row, its mean (0 where it is not taken off) and 1/√(variance + ε): two numbers a row.
#[derive(Debug, Clone)]
pub struct Moments<T>(pub(crate) Vec<[T; 2]>);

impl<T: Scalar> Rows<T> {
    /// How long a row is.
    fn len(&self) -> usize {
        self.channels * self.span
    }

    /// The tensor as `[N, C, S]`, where C counts the gains.
    fn as_channels(&self, elements: usize) -> Channels {
        let c = self.groups * self.channels;
        Channels { n: elements / (c * self.span).max(1), c, s: self.span }
    }

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
        let (data, len) = (x.as_slice(), self.len());
        let group = (BLOCK / len.max(1)).max(1);
        let mut moments = vec![[T::ZERO; 2]; x.len() / len.max(1)];
        let y = Tensor::compute(x.shape(), |out| {
            for_each_block_of_two((out, group * len), (&mut moments, group), |b, out, moments| {
                for (i, (y, moments)) in out.chunks_exact_mut(len).zip(moments).enumerate() {
                    let x = stretch(data, len, b * group + i);
                    let portion = (b * group + i) % self.groups;
                    let gain = stretch(gain, self.channels, portion);
                    let bias = bias.map(|bias| stretch(bias, self.channels, portion));
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
        if self.span > 1 {
            for (c, y) in y.chunks_exact_mut(self.span).enumerate() {
                let (a, b) = (gain[c], bias.map_or(T::ZERO, |bias| bias[c]));
                for (y, &x) in y.iter_mut().zip(stretch(x, self.span, c)) {
                    *y = (x - mean) * inverse * a + b;
                }
            }
            return;
        }
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
        let (x, dy, len) = (x.as_slice(), dy, self.len());
        let (shape, dy) = (dy.shape(), dy.as_slice());
        let group = (BLOCK / len.max(1)).max(1);
        Tensor::compute(shape, |out| {
            for_each_block(out, group * len, |b, out| {
                for (i, out) in out.chunks_exact_mut(len.max(1)).enumerate() {
                    let at = b * group + i;
                    let (x, dy) = (stretch(x, len, at), stretch(dy, len, at));
                    let gain = stretch(gain, self.channels, at % self.groups);
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
        if self.span > 1 {
            for (c, h) in out.chunks_exact_mut(self.span).enumerate() {
                h.iter_mut().zip(stretch(dy, self.span, c)).for_each(|(h, &dy)| *h = dy * gain[c]);
            }
        } else {
            out.iter_mut().zip(dy).zip(gain).for_each(|((h, &dy), &a)| *h = dy * a);
        }
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
        let shape = self.as_channels(x.len());
        let (x, dy) = (x.as_slice(), dy.as_slice());
        if self.span > 1 {
            return stretch_sums(
                shape,
                #[inline(always)]
                |n, c| {
                    let at = n * shape.c + c;
                    let [mean, inverse] = moments.0[at / self.channels];
                    let (x, dy) = (stretch(x, self.span, at), stretch(dy, self.span, at));
                    let along = row::sum_by_two(
                        dy,
                        x,
                        #[inline(always)]
                        |dy, x| dy * ((x - mean) * inverse),
                    );
                    let sum = row::sum_by(
                        dy,
                        #[inline(always)]
                        |dy| dy,
                    );
                    [along, sum]
                },
            );
        }
        column_sums(
            shape.n,
            shape.c,
            #[inline(always)]
            |n, [gains, biases]| {
                for g in 0..self.groups {
                    let at = n * self.groups + g;
                    let [mean, inverse] = moments.0[at];
                    let (x, dy) = (stretch(x, self.channels, at), stretch(dy, self.channels, at));
                    let portion = g * self.channels..(g + 1) * self.channels;
                    let (gains, biases) = (&mut gains[portion.clone()], &mut biases[portion]);
                    for (((gain, bias), &x), &dy) in gains.iter_mut().zip(biases).zip(x).zip(dy) {
                        *gain += dy * ((x - mean) * inverse);
                        *bias += dy;
                    }
                }
            },
        )
    }
}
