//! Moving elements. Each is linear, and its gradient is its adjoint: the way back.

use super::wanted;
use crate::{Op, OpMany};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};
use std::ops::Range;

type One<T> = [Option<Tensor<T>>; 1];

/// The same elements under another shape.
pub struct Reshape(pub Shape);

impl<T: Scalar> Op<T, 1> for Reshape {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.reshape(self.0)?, ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.reshape(x.shape()))?])
    }
}

/// The axes in another order.
pub struct Permute(pub Vec<usize>);

impl<T: Scalar> Op<T, 1> for Permute {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.permute(&self.0)?, ()))
    }

    fn vjp(&self, _: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        // The place of each axis in the order; for an order that is none, `permute` says so.
        let place = |axis: usize| self.0.iter().position(|&from| from == axis).unwrap_or(self.0.len());
        let back: Vec<usize> = (0..self.0.len()).map(place).collect();
        Ok([wanted(wx, || dy.permute(&back))?])
    }
}

/// A range of indices of one axis.
pub struct Slice {
    /// The axis.
    pub axis: usize,
    /// Its indices.
    pub range: Range<usize>,
}

impl<T: Scalar> Op<T, 1> for Slice {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.slice(self.axis, self.range.clone())?, ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let size = x.shape().size(self.axis)?;
        let Some(behind) = size.checked_sub(self.range.end) else {
            let (value, allowed) = (format!("{:?}", self.range), format!("within 0..{size}"));
            return Err(Error::Argument { op: "slice", name: "range", value, allowed });
        };
        Ok([wanted(wx, || dy.pad(self.axis, self.range.start, behind, T::ZERO))?])
    }
}

/// Chosen indices of one axis, repeats allowed: an embedding.
pub struct Gather {
    /// The axis.
    pub axis: usize,
    /// Its indices, in the order of the result.
    pub indices: Vec<u32>,
}

impl<T: Scalar> Op<T, 1> for Gather {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.gather(self.axis, &self.indices)?, ()))
    }

    // An index that was taken twice gets both gradients.
    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let size = x.shape().size(self.axis)?;
        Ok([wanted(wx, || dy.scatter_sum(self.axis, &self.indices, size))?])
    }
}

/// Stretched to a larger shape.
pub struct BroadcastTo(pub Shape);

impl<T: Scalar> Op<T, 1> for BroadcastTo {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.broadcast_to(self.0)?, ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.sum_to(x.shape()))?])
    }
}

/// One after the other along an axis.
pub struct Concatenate(pub usize);

impl<T: Scalar> OpMany<T> for Concatenate {
    type Saved = ();

    fn forward(&self, inputs: &[&Tensor<T>]) -> Result<(Tensor<T>, ())> {
        Ok((Tensor::concatenate(inputs, self.0)?, ()))
    }

    fn vjp(
        &self,
        inputs: &[&Tensor<T>],
        _: &(),
        dy: &Tensor<T>,
        wants: &[bool],
    ) -> Result<Vec<Option<Tensor<T>>>> {
        let mut start = 0;
        let mut gradients = Vec::with_capacity(inputs.len());
        for (x, &wants) in inputs.iter().zip(wants) {
            let end = start + x.shape().size(self.0)?;
            gradients.push(wanted(wants, || dy.slice(self.0, start..end))?);
            start = end;
        }
        Ok(gradients)
    }
}
