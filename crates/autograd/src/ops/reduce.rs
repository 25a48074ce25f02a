//! Sums and means. Their gradients stretch.

use super::wanted;
use crate::Op;
use gradus_tensor::{Error, Result, Scalar, Tensor};

type One<T> = [Option<Tensor<T>>; 1];

/// The sum of all elements, as a tensor without dimensions.
pub struct Sum;

impl<T: Scalar> Op<T, 1> for Sum {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((Tensor::scalar(x.sum()), ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.broadcast_to(x.shape()))?])
    }
}

/// The sums along an axis, which goes away.
pub struct SumAxis(pub usize);

impl<T: Scalar> Op<T, 1> for SumAxis {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.sum_axis(self.0)?, ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.insert_axis(self.0)?.broadcast_to(x.shape()))?])
    }
}

/// The mean of all elements, as a tensor without dimensions.
pub struct Mean;

impl<T: Scalar> Op<T, 1> for Mean {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((Tensor::scalar(x.mean()?), ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let n = T::of(x.len() as f64);
        Ok([wanted(wx, || dy.map(|d| d / n).broadcast_to(x.shape()))?])
    }
}

/// The means along an axis, which goes away.
pub struct MeanAxis(pub usize);

impl<T: Scalar> Op<T, 1> for MeanAxis {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.mean_axis(self.0)?, ()))
    }

    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let size = x.dims().get(self.0).copied();
        let n = T::of(size.ok_or(Error::Axis { op: "mean", axis: self.0, rank: x.rank() })? as f64);
        Ok([wanted(wx, || dy.map(|d| d / n).insert_axis(self.0)?.broadcast_to(x.shape()))?])
    }
}
