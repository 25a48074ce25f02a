//! Comparison with a tolerance, and to the bit.

use crate::{Element, Error, Result, Scalar, Tensor};

impl<T: Element> Tensor<T> {
    fn same_shape(&self, op: &'static str, other: &Self) -> Result<()> {
        if self.shape() != other.shape() {
            let why = "a comparison needs equal shapes";
            return Err(Error::mismatch(op, self.shape(), other.shape(), why));
        }
        Ok(())
    }
}

impl<T: Scalar> Tensor<T> {
    /// Whether |x − y| ≤ `absolute` + `relative` · |y| everywhere. A NaN is close to nothing, an infinity
    /// to itself alone.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn all_close(&self, other: &Self, relative: T, absolute: T) -> Result<bool> {
        self.same_shape("all_close", other)?;
        // An infinite y would make the room infinite, and every x close to it.
        let near = |x: T, y: T| y.is_finite() && (x - y).abs() <= absolute + relative * y.abs();
        let close = |(&x, &y): (&T, &T)| x == y || near(x, y);
        Ok(self.as_slice().iter().zip(other.as_slice()).all(close))
    }

    /// The largest |x − y|: NaN if one is NaN, 0 where both are the same infinity, 0 for no elements.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn max_difference(&self, other: &Self) -> Result<T> {
        self.same_shape("max_difference", other)?;
        let distance = |(&x, &y): (&T, &T)| if x == y { T::ZERO } else { (x - y).abs() };
        Ok(self.as_slice().iter().zip(other.as_slice()).map(distance).fold(T::ZERO, T::max_or_nan))
    }

    /// Whether both have the same shape and the same bits: NaN equals NaN of the same payload, 0 is not −0.
    pub fn same_bits(&self, other: &Self) -> bool {
        // An f32 goes to f64 and its bits without loss.
        let bits = |x: &T| x.as_f64().to_bits();
        self.shape() == other.shape()
            && self.as_slice().iter().map(bits).eq(other.as_slice().iter().map(bits))
    }

    /// Whether every element is a finite number.
    pub fn is_finite(&self) -> bool {
        self.as_slice().iter().all(|x| x.is_finite())
    }
}
