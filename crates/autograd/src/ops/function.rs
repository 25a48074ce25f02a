//! Functions of a number, element by element.

use super::wanted;
use crate::Op;
use gradus_tensor::{Result, Scalar, Tensor};

type One<T> = [Option<Tensor<T>>; 1];

/// eˣ.
pub struct Exp;

impl<T: Scalar> Op<T, 1> for Exp {
    /// The value, shared with the result: it is its own derivative.
    type Saved = Tensor<T>;

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        let y = x.exp();
        Ok((y.clone(), y))
    }

    fn vjp(&self, _: [&Tensor<T>; 1], y: &Tensor<T>, dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.mul(y))?])
    }
}

/// The natural logarithm.
pub struct Ln;

impl<T: Scalar> Op<T, 1> for Ln {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.ln(), ()))
    }

    // ∂L/∂x = dy / x
    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.div(x))?])
    }
}

/// √x.
pub struct Sqrt;

impl<T: Scalar> Op<T, 1> for Sqrt {
    /// The value, shared with the result.
    type Saved = Tensor<T>;

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, Tensor<T>)> {
        let y = x.sqrt();
        Ok((y.clone(), y))
    }

    // ∂L/∂x = dy / (2√x)
    fn vjp(&self, _: [&Tensor<T>; 1], y: &Tensor<T>, dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        Ok([wanted(wx, || dy.zip(y, |d, y| d / (y + y)))?])
    }
}

/// xᵖ for a fixed real p.
pub struct PowF<T>(pub T);

impl<T: Scalar> Op<T, 1> for PowF<T> {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.powf(self.0), ()))
    }

    // ∂L/∂x = p·xᵖ⁻¹·dy, and 0 for p = 0 (also at x = 0, where xᵖ⁻¹ is infinite)
    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let p = self.0;
        let slope = |x: T| if p == T::ZERO { T::ZERO } else { p * x.powf(p - T::ONE) };
        Ok([wanted(wx, || dy.zip(x, |d, x| d * slope(x)))?])
    }
}

/// xⁿ for a fixed whole n.
pub struct PowI(pub i32);

impl<T: Scalar> Op<T, 1> for PowI {
    type Saved = ();

    fn forward(&self, [x]: [&Tensor<T>; 1]) -> Result<(Tensor<T>, ())> {
        Ok((x.powi(self.0), ()))
    }

    // ∂L/∂x = n·xⁿ⁻¹·dy, and 0 for n = 0 (also at x = 0, where xⁿ⁻¹ is infinite)
    fn vjp(&self, [x]: [&Tensor<T>; 1], _: &(), dy: &Tensor<T>, [wx]: [bool; 1]) -> Result<One<T>> {
        let n = self.0;
        let slope = |x: T| match n.checked_sub(1) {
            _ if n == 0 => T::ZERO,
            Some(less) => T::of(n.into()) * x.powi(less),
            None => T::of(n.into()) * (x.powi(n) / x), // the smallest n has none below
        };
        Ok([wanted(wx, || dy.zip(x, |d, x| d * slope(x)))?])
    }
}
