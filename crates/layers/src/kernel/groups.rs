//! Groups of a sample's channels that are normalised each by itself, with what comes before (a shift a channel) and after (an activation) in the same visit.

use super::{Channels, Moments, stretch, sums_of_samples};
use gradus_activations::{silu, silu_derivative};
use gradus_tensor::kernel::{BLOCK, for_each_block_of_two, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// What is done to the normalised numbers: the value, and the derivative.
pub(crate) trait After: Copy + Sync {
    fn value<T: Scalar>(self, z: T) -> T;
    fn derivative<T: Scalar>(self, z: T) -> T;
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Nothing;

impl After for Nothing {
    #[inline(always)]
    fn value<T: Scalar>(self, z: T) -> T {
        z
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, _: T) -> T {
        T::ONE
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ThenSilu;

impl After for ThenSilu {
    #[inline(always)]
    fn value<T: Scalar>(self, z: T) -> T {
        silu(z)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, z: T) -> T {
        silu_derivative(z)
    }
}

/// What becomes of a tensor `[N, C, S]`: f(x̂·gain + bias), x̂ the numbers x + shift of a group by their own mean and variance.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Groups<T, A> {
    pub(crate) shape: Channels,
    pub(crate) groups: usize,
    pub(crate) eps: T,
    pub(crate) after: A,
}

/// The operands: x, for each sample and channel what is added to it, and for each channel gain and bias.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operands<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) shift: Option<&'a [T]>,
    pub(crate) gain: &'a [T],
    pub(crate) bias: &'a [T],
}

/// The gradients in x, and for each sample and channel: Σ dz·x̂, Σ dz, Σ dx, where dz is what comes back through the activation.
pub(crate) struct Back<T: Scalar> {
    pub(crate) dx: Tensor<T>,
    each: Vec<[T; 3]>,
}

/// One group of one sample.
struct Group<'a, T> {
    x: &'a [T],
    span: usize,
    shift: Option<&'a [T]>,
    gain: &'a [T],
    bias: &'a [T],
}

impl<'a, T: Scalar> Group<'a, T> {
    fn shift(&self, c: usize) -> T {
        self.shift.map_or(T::ZERO, |shift| shift[c])
    }

    /// Mean, and 1/√(variance + ε), in two passes.
    #[inline(always)]
    fn moments(&self, eps: T) -> [T; 2] {
        let count = T::of(self.x.len() as f64);
        let mut sum = T::ZERO;
        for (c, x) in self.x.chunks_exact(self.span).enumerate() {
            let shift = self.shift(c);
            sum += row::sum_by(
                x,
                #[inline(always)]
                |x| x + shift,
            );
        }
        let mean = sum / count;
        let mut sum = T::ZERO;
        for (c, x) in self.x.chunks_exact(self.span).enumerate() {
            let off = self.shift(c) - mean;
            sum += row::sum_by(
                x,
                #[inline(always)]
                |x| (x + off) * (x + off),
            );
        }
        [mean, T::ONE / (sum / count + eps).sqrt()]
    }
}

impl<T: Scalar, A: After> Groups<T, A> {
    /// The channels of a group.
    fn channels(&self) -> usize {
        self.shape.c / self.groups
    }

    fn len(&self) -> usize {
        self.channels() * self.shape.s
    }

    /// How many groups a core takes at a time.
    fn block(&self) -> usize {
        (BLOCK / self.len()).max(1)
    }

    fn group<'a>(&self, of: Operands<'a, T>, at: usize) -> Group<'a, T> {
        let portion = at % self.groups;
        Group {
            x: stretch(of.x, self.len(), at),
            span: self.shape.s,
            shift: of.shift.map(|shift| stretch(shift, self.channels(), at)),
            gain: stretch(of.gain, self.channels(), portion),
            bias: stretch(of.bias, self.channels(), portion),
        }
    }

    pub(crate) fn forward(
        &self,
        of: Operands<'_, T>,
        shape: impl AsRef<[usize]>,
    ) -> Result<(Tensor<T>, Moments<T>)> {
        let (len, block) = (self.len(), self.block());
        let mut moments = vec![[T::ZERO; 2]; self.shape.n * self.groups];
        let y = Tensor::compute(shape, |out| {
            for_each_block_of_two((out, block * len), (&mut moments, block), |b, out, moments| {
                for (i, (y, moments)) in out.chunks_exact_mut(len).zip(moments).enumerate() {
                    let group = self.group(of, b * block + i);
                    vectorize(
                        #[inline(always)]
                        || {
                            *moments = group.moments(self.eps);
                            self.value(&group, *moments, y);
                        },
                    );
                }
            });
        })?;
        Ok((y, Moments(moments)))
    }

    #[inline(always)]
    fn value(&self, group: &Group<'_, T>, [mean, inverse]: [T; 2], y: &mut [T]) {
        let channels = group.x.chunks_exact(group.span).zip(y.chunks_exact_mut(group.span));
        for (c, (x, y)) in channels.enumerate() {
            let (a, b, off) = (group.gain[c], group.bias[c], group.shift(c) - mean);
            for (y, &x) in y.iter_mut().zip(x) {
                *y = self.after.value((x + off) * inverse * a + b);
            }
        }
    }

    /// With dz = f′(z)∘dy, h = gain∘dz and ⟨·⟩ the mean over the group: dx = (h − ⟨h⟩ − x̂·⟨h∘x̂⟩)/√(variance + ε). The sums of the gradients in gain and bias are those
    /// that ⟨h⟩ and ⟨h∘x̂⟩ are made of, so that all comes in one visit.
    pub(crate) fn backward(
        &self,
        of: Operands<'_, T>,
        moments: &Moments<T>,
        dy: &Tensor<T>,
    ) -> Result<Back<T>> {
        let (len, block, channels) = (self.len(), self.block(), self.channels());
        let mut each = vec![[T::ZERO; 3]; self.shape.n * self.shape.c];
        let (data, shape) = (dy.as_slice(), dy.shape());
        let dx = Tensor::compute(shape, |out| {
            for_each_block_of_two((out, block * len), (&mut each, block * channels), |b, out, each| {
                let rows = out.chunks_exact_mut(len).zip(each.chunks_exact_mut(channels));
                for (i, (dx, each)) in rows.enumerate() {
                    let at = b * block + i;
                    let (group, moments) = (self.group(of, at), moments.0[at]);
                    let dy = stretch(data, len, at);
                    vectorize(
                        #[inline(always)]
                        || self.back(&group, moments, dy, (dx, each)),
                    );
                }
            });
        })?;
        Ok(Back { dx, each })
    }

    #[inline(always)]
    fn back(
        &self,
        group: &Group<'_, T>,
        [mean, inverse]: [T; 2],
        dy: &[T],
        (dx, each): (&mut [T], &mut [[T; 3]]),
    ) {
        let span = group.span;
        let count = T::of(dx.len() as f64);
        // dz first, in the place of the result.
        let (mut mean_h, mut along) = (T::ZERO, T::ZERO);
        for (c, dz) in dx.chunks_exact_mut(span).enumerate() {
            let (a, b, off) = (group.gain[c], group.bias[c], group.shift(c) - mean);
            let (x, dy) = (stretch(group.x, span, c), stretch(dy, span, c));
            for ((dz, &x), &dy) in dz.iter_mut().zip(x).zip(dy) {
                *dz = self.after.derivative((x + off) * inverse * a + b) * dy;
            }
            let with = row::sum_by_two(
                dz,
                x,
                #[inline(always)]
                |dz, x| dz * ((x + off) * inverse),
            );
            let sum = row::sum_by(
                dz,
                #[inline(always)]
                |dz| dz,
            );
            each[c] = [with, sum, T::ZERO];
            mean_h += a * sum;
            along += a * with;
        }
        let (mean_h, along) = (mean_h / count, along / count);
        for (c, dx) in dx.chunks_exact_mut(span).enumerate() {
            let (a, off) = (group.gain[c], group.shift(c) - mean);
            for (dx, &x) in dx.iter_mut().zip(stretch(group.x, span, c)) {
                *dx = (a * *dx - mean_h - (x + off) * inverse * along) * inverse;
            }
            if group.shift.is_some() {
                each[c][2] = row::sum_by(
                    dx,
                    #[inline(always)]
                    |dx| dx,
                );
            }
        }
    }

    /// ∂L/∂gain and ∂L/∂bias: the sums over the samples.
    pub(crate) fn parameters(&self, back: &Back<T>) -> [Vec<T>; 2] {
        let [gain, bias, _] = sums_of_samples(self.shape, &back.each);
        [gain, bias]
    }
}

impl<T: Scalar> Back<T> {
    /// ∂L/∂shift, for each sample and channel.
    pub(crate) fn shift(&self) -> Vec<T> {
        self.each.iter().map(|sums| sums[2]).collect()
    }
}
