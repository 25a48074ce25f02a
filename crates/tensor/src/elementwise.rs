//! Element by element: maps, broadcasting pairs, arithmetic.

use crate::layout::walk;
use crate::{Element, Result, Scalar, Shape, Tensor};

impl<T: Element> Tensor<T> {
    /// `f` of every element.
    pub fn map<U: Element>(&self, f: impl Fn(T) -> U) -> Tensor<U> {
        Tensor::known(self.as_slice().iter().map(|&x| f(x)).collect(), self.shape())
    }

    /// `f` of every element, in place: without a new buffer if no other tensor shares this one's.
    pub fn map_in_place(&mut self, f: impl Fn(T) -> T) {
        for x in self.as_mut_slice() {
            *x = f(*x);
        }
    }

    /// `f` of every pair of elements; shapes are stretched as [`Shape::broadcast`] says.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn zip<U: Element, V: Element>(&self, other: &Tensor<U>, f: impl Fn(T, U) -> V) -> Result<Tensor<V>> {
        self.zip_named("zip", other, f)
    }

    pub(crate) fn zip_named<U: Element, V: Element>(
        &self,
        op: &'static str,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> V,
    ) -> Result<Tensor<V>> {
        let (a, b) = (self.as_slice(), other.as_slice());
        if self.shape() == other.shape() {
            return Ok(Tensor::known(a.iter().zip(b).map(|(&x, &y)| f(x, y)).collect(), self.shape()));
        }
        let shape = self.shape().broadcast(op, &other.shape())?;
        let strides = [&self.shape().strides_within(&shape), &other.shape().strides_within(&shape)];
        let mut out = Vec::with_capacity(shape.elements());
        walk(&shape, strides, |[i, j], n, steps| match steps {
            [1, 0] => out.extend(a[i..i + n].iter().map(|&x| f(x, b[j]))),
            [0, 1] => out.extend(b[j..j + n].iter().map(|&y| f(a[i], y))),
            [1, 1] => out.extend(a[i..i + n].iter().zip(&b[j..j + n]).map(|(&x, &y)| f(x, y))),
            [s, t] => out.extend((0..n).map(|k| f(a[i + k * s], b[j + k * t]))),
        });
        Ok(Tensor::known(out, shape))
    }
}

impl Tensor<bool> {
    /// An element of `yes` where this is true, of `no` elsewhere; the three are stretched to one shape.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn choose<T: Element>(&self, yes: &Tensor<T>, no: &Tensor<T>) -> Result<Tensor<T>> {
        let op = "choose";
        let shape = self.shape().broadcast(op, &yes.shape())?.broadcast(op, &no.shape())?;
        let (yes, no) = (yes.broadcast_to(shape)?, no.broadcast_to(shape)?);
        let mut at = 0..;
        let pick = |&b: &bool| {
            let i = at.next().unwrap_or(0);
            if b { yes.as_slice()[i] } else { no.as_slice()[i] }
        };
        Ok(Tensor::known(self.broadcast_to(shape)?.as_slice().iter().map(pick).collect(), shape))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The sum, element by element.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn add(&self, other: &Self) -> Result<Self> {
        self.zip_named("add", other, |x, y| x + y)
    }

    /// The difference, element by element.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn sub(&self, other: &Self) -> Result<Self> {
        self.zip_named("sub", other, |x, y| x - y)
    }

    /// The product, element by element.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn mul(&self, other: &Self) -> Result<Self> {
        self.zip_named("mul", other, |x, y| x * y)
    }

    /// The quotient, element by element.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn div(&self, other: &Self) -> Result<Self> {
        self.zip_named("div", other, |x, y| x / y)
    }

    /// Every element with its sign turned.
    pub fn neg(&self) -> Self {
        self.map(|x| -x)
    }

    /// Every element times a number.
    pub fn scale(&self, factor: T) -> Self {
        self.map(|x| x * factor)
    }

    /// Adds `factor · other` in place. The shapes must be equal.
    ///
    /// # Errors
    /// If they are not.
    pub fn add_scaled(&mut self, factor: T, other: &Self) -> Result<()> {
        if self.shape() != other.shape() {
            let why = "in-place addition needs equal shapes";
            let (left, right) = (self.shape(), other.shape());
            return Err(crate::Error::mismatch("add_scaled", left, right, why));
        }
        for (x, &y) in self.as_mut_slice().iter_mut().zip(other.as_slice()) {
            *x += factor * y;
        }
        Ok(())
    }

    /// e to every element.
    pub fn exp(&self) -> Self {
        self.map(T::exp)
    }

    /// The natural logarithm of every element: −∞ at 0, NaN below.
    pub fn ln(&self) -> Self {
        self.map(T::ln)
    }

    /// The square root of every element: NaN below 0.
    pub fn sqrt(&self) -> Self {
        self.map(T::sqrt)
    }

    /// Every element to a real power: NaN for a negative number under a power that is not whole.
    pub fn powf(&self, exponent: T) -> Self {
        self.map(|x| x.powf(exponent))
    }

    /// Every element to a whole power.
    pub fn powi(&self, exponent: i32) -> Self {
        self.map(|x| x.powi(exponent))
    }

    /// The absolute value of every element.
    pub fn abs(&self) -> Self {
        self.map(|x| x.abs())
    }

    /// The elements in another precision, rounded to the nearest.
    pub fn cast<U: Scalar>(&self) -> Tensor<U> {
        self.map(|x| U::of(x.as_f64()))
    }

    /// Sums over what a stretch to this tensor's shape repeated: the adjoint of
    /// [`broadcast_to`](Tensor::broadcast_to), so that ⟨stretch(x), y⟩ = ⟨x, sum_to(y)⟩.
    ///
    /// # Errors
    /// If `shape` does not stretch to this tensor's.
    pub fn sum_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Shape::new(shape)?;
        if self.shape() == shape {
            return Ok(self.clone());
        }
        if shape.broadcast("sum_to", &self.shape())? != self.shape() {
            let why = "the right one must stretch to the left one";
            return Err(crate::Error::mismatch("sum_to", self.shape(), shape, why));
        }
        let mut out = self.clone();
        while out.rank() > shape.rank() {
            out = out.sum_axis(0)?;
        }
        for axis in 0..shape.rank() {
            if shape.dims()[axis] == 1 && out.dims()[axis] != 1 {
                out = out.sum_axis(axis)?.insert_axis(axis)?;
            }
        }
        Ok(out)
    }
}
