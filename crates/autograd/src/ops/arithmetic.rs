//! Sums, differences, products and quotients, element by element. Where a shape was stretched, the gradient sums.

use super::wanted;
use crate::Op;
use gradus_tensor::{Result, Scalar, Tensor};

type Two<T> = [Option<Tensor<T>>; 2];

/// x + y.
pub struct Add;

impl<T: Scalar> Op<T, 2> for Add {
    type Saved = ();

    fn forward(&self, [x, y]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((x.add(y)?, ()))
    }

    // ∂L/∂x = ∂L/∂y = dy
    fn vjp(&self, [x, y]: [&Tensor<T>; 2], _: &(), dy: &Tensor<T>, [wx, wy]: [bool; 2]) -> Result<Two<T>> {
        Ok([wanted(wx, || dy.sum_to(x.shape()))?, wanted(wy, || dy.sum_to(y.shape()))?])
    }
}

/// x − y.
pub struct Sub;

impl<T: Scalar> Op<T, 2> for Sub {
    type Saved = ();

    fn forward(&self, [x, y]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((x.sub(y)?, ()))
    }

    // ∂L/∂x = dy, ∂L/∂y = −dy
    fn vjp(&self, [x, y]: [&Tensor<T>; 2], _: &(), dy: &Tensor<T>, [wx, wy]: [bool; 2]) -> Result<Two<T>> {
        Ok([wanted(wx, || dy.sum_to(x.shape()))?, wanted(wy, || Ok(dy.sum_to(y.shape())?.neg()))?])
    }
}

/// x · y.
pub struct Mul;

impl<T: Scalar> Op<T, 2> for Mul {
    type Saved = ();

    fn forward(&self, [x, y]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((x.mul(y)?, ()))
    }

    // ∂L/∂x = y·dy, ∂L/∂y = x·dy
    fn vjp(&self, [x, y]: [&Tensor<T>; 2], _: &(), dy: &Tensor<T>, [wx, wy]: [bool; 2]) -> Result<Two<T>> {
        let dx = wanted(wx, || dy.mul(y)?.sum_to(x.shape()))?;
        Ok([dx, wanted(wy, || dy.mul(x)?.sum_to(y.shape()))?])
    }
}

/// x / y.
pub struct Div;

impl<T: Scalar> Op<T, 2> for Div {
    /// The quotient, shared with the result.
    type Saved = Tensor<T>;

    fn forward(&self, [x, y]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, Tensor<T>)> {
        let quotient = x.div(y)?;
        Ok((quotient.clone(), quotient))
    }

    // ∂L/∂x = dy/y, ∂L/∂y = −(x/y)·dy/y
    fn vjp(
        &self,
        [x, y]: [&Tensor<T>; 2],
        q: &Tensor<T>,
        dy: &Tensor<T>,
        [wx, wy]: [bool; 2],
    ) -> Result<Two<T>> {
        let dx = wanted(wx, || dy.div(y)?.sum_to(x.shape()))?;
        Ok([dx, wanted(wy, || Ok(dy.mul(q)?.div(y)?.sum_to(y.shape())?.neg()))?])
    }
}

/// −x.
pub struct Neg;

impl<T: Scalar> Op<T, 1> for Neg {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.neg(), ()))
    }

    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        _: &(),
        dy: &Tensor<T>,
        [wx]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        Ok([wanted(wx, || Ok(dy.neg()))?])
    }
}

/// a · x for a fixed number a.
pub struct Scale<T>(pub T);

impl<T: Scalar> Op<T, 1> for Scale<T> {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.scale(self.0), ()))
    }

    fn vjp(
        &self,
        _: [&Tensor<T>; 1],
        _: &(),
        dy: &Tensor<T>,
        [wx]: [bool; 1],
    ) -> Result<[Option<Tensor<T>>; 1]> {
        Ok([wanted(wx, || Ok(dy.scale(self.0)))?])
    }
}
