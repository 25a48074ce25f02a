//! Losses that add up over the components of a sample: what L1, MSE, Huber and BCE have in common.

use crate::Reduction;
use crate::reduction::samples;
use gradus_autograd::Op;
use gradus_tensor::kernel::{BLOCK, for_each_block_of_two, row, sum_by, vectorize};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A loss between a predicted and a true number. Implementations of the functions of numbers carry `#[inline(always)]`, so that a
/// loop over them is compiled for the machine's instruction set as one piece.
pub trait Componentwise: Copy + Send + Sync + 'static {
    /// The operation's name, for errors.
    const NAME: &'static str;

    /// The loss.
    fn loss<T: Scalar>(self, prediction: T, target: T) -> T;

    /// Its derivatives in the prediction and in the target.
    fn slopes<T: Scalar>(self, prediction: T, target: T) -> (T, T);

    /// The loss and its derivative in the prediction, where they have work in common.
    #[inline(always)]
    fn loss_and_slope<T: Scalar>(self, prediction: T, target: T) -> (T, T) {
        (self.loss(prediction, target), self.slopes(prediction, target).0)
    }

    /// Whether the options are in their domain.
    ///
    /// # Errors
    /// Which option is outside, and what is allowed.
    fn check(self) -> Result<()> {
        Ok(())
    }

    /// Of numbers outside of the domain: which one, its name, and what is allowed. A NaN is not outside: it passes through.
    #[inline(always)]
    fn outside<T: Scalar>(self, _prediction: T, _target: T) -> Option<(T, &'static str, &'static str)> {
        None
    }
}

/// A [`Componentwise`] loss, summed over each sample's components and reduced over the samples, as an operation on
/// `[prediction, target]`.
#[derive(Debug, Clone, Copy)]
pub struct Elementwise<L> {
    /// The loss of a component.
    pub loss: L,
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

impl<L: Componentwise> Elementwise<L> {
    /// The sums of the losses over pieces of `size` elements, by `part(predictions, targets, i, piece of out)`, and the error where a
    /// number is outside of its domain. The domain is checked while the numbers are in the cache.
    fn pieces<T: Scalar>(
        self,
        [prediction, target]: [&[T]; 2],
        size: usize,
        out: &mut [T],
        part: impl Fn(&[T], &[T], &mut [T]) -> T + Sync,
    ) -> Result<Vec<T>> {
        let piece =
            |x: &'_ [T], i: usize| -> std::ops::Range<usize> { i * size..x.len().min((i + 1) * size) };
        let mut sums = vec![T::ZERO; prediction.len().div_ceil(size.max(1))];
        let first_bad = AtomicUsize::new(usize::MAX);
        // Without a gradient there is an empty piece of it for each sum.
        let out_size = if out.is_empty() { 0 } else { size };
        let visit = |i: usize, out: &mut [T]| {
            let range = piece(prediction, i);
            let (x, y) = (&prediction[range.clone()], &target[range]);
            let fine = vectorize(
                #[inline(always)]
                || x.iter().zip(y).fold(true, |fine, (&p, &t)| fine & self.loss.outside(p, t).is_none()),
            );
            if !fine {
                first_bad.fetch_min(i, Ordering::Relaxed);
            }
            part(x, y, out)
        };
        if out_size == 0 {
            gradus_tensor::kernel::for_each_block(&mut sums, 1, |i, sum| sum[0] = visit(i, &mut []));
        } else {
            for_each_block_of_two((out, size), (&mut sums, 1), |i, out, sum| sum[0] = visit(i, out));
        }
        match first_bad.into_inner() {
            usize::MAX => Ok(sums),
            i => Err(self.refusal(prediction, target, i * size)),
        }
    }

    fn refusal<T: Scalar>(self, prediction: &[T], target: &[T], from: usize) -> Error {
        let mut pairs = prediction.iter().zip(target).enumerate().skip(from);
        let found = pairs.find_map(|(i, (&p, &t))| self.loss.outside(p, t).map(|found| (i, found)));
        let (i, (value, name, allowed)) = found.unwrap_or((from, (T::NAN, "argument", "a number")));
        Error::Argument { op: L::NAME, name, value: format!("{value} (number {i})"), allowed: allowed.into() }
    }

    /// The reduced loss; where `gradient` has room, also its derivative in the prediction.
    fn compute<T: Scalar>(self, inputs: [&Tensor<T>; 2], gradient: &mut [T]) -> Result<Tensor<T>> {
        let (n, d) = samples(L::NAME, inputs[0], inputs[1])?;
        self.loss.check()?;
        let slices = inputs.map(Tensor::as_slice);
        let factor = match self.reduction {
            Reduction::Mean if n > 0 => T::ONE / T::of(n as f64),
            _ => T::ONE,
        };
        let part = |x: &[T], y: &[T], out: &mut [T]| {
            vectorize(
                #[inline(always)]
                || {
                    if out.is_empty() {
                        row::sum_by_two(
                            x,
                            y,
                            #[inline(always)]
                            |p, t| self.loss.loss(p, t),
                        )
                    } else {
                        row::zip_map_sum(
                            x,
                            y,
                            out,
                            #[inline(always)]
                            |p, t| {
                                let (loss, slope) = self.loss.loss_and_slope(p, t);
                                (slope * factor, loss)
                            },
                        )
                    }
                },
            )
        };
        if self.reduction == Reduction::None {
            let sums = if d == 0 { vec![T::ZERO; n] } else { self.pieces(slices, d, gradient, part)? };
            return Tensor::from_vec(sums, [n]);
        }
        let sums = self.pieces(slices, BLOCK, gradient, part)?;
        let total = sum_by(&sums, |v| v);
        Ok(Tensor::scalar(if self.reduction == Reduction::Mean && n > 0 {
            total / T::of(n as f64)
        } else {
            total
        }))
    }
}

impl<T: Scalar, L: Componentwise> Op<T, 2> for Elementwise<L> {
    /// The derivative in the prediction, made in the same pass as the loss: N·D numbers.
    type Saved = Tensor<T>;

    fn forward(&self, [prediction, target]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, Tensor<T>)> {
        let mut loss = Ok(Tensor::scalar(T::ZERO));
        let gradient = Tensor::compute(prediction.shape(), |out| {
            loss = self.compute([prediction, target], out);
        })?;
        Ok((loss?, gradient))
    }

    fn eval(&self, inputs: [&Tensor<T>; 2]) -> Result<Tensor<T>> {
        self.compute(inputs, &mut [])
    }

    fn vjp(
        &self,
        [prediction, target]: [&Tensor<T>; 2],
        gradient: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_prediction, wants_target]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let n = prediction.dims().first().copied().unwrap_or(1);
        let scaled = |slope: &Tensor<T>, factor: T| match (self.reduction, dy.as_slice()) {
            (Reduction::None, _) => {
                let rows = slope.reshape([n, slope.len() / n.max(1)])?;
                rows.mul(&dy.insert_axis(1)?)?.reshape(slope.shape())
            }
            (_, [dy]) if *dy * factor == T::ONE => Ok(slope.clone()),
            (_, dy) => Ok(slope.scale(dy.iter().fold(factor, |f, &dy| f * dy))),
        };
        let in_target = || {
            let slope = prediction.zip(
                target,
                #[inline(always)]
                |p, t| self.loss.slopes(p, t).1,
            )?;
            let mean = self.reduction == Reduction::Mean && n > 0;
            scaled(&slope, if mean { T::ONE / T::of(n as f64) } else { T::ONE })
        };
        Ok([
            if wants_prediction { Some(scaled(gradient, T::ONE)?) } else { None },
            if wants_target { Some(in_target()?) } else { None },
        ])
    }
}
