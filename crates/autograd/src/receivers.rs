//! The basic operations as methods of a variable, with the names that they have on a tensor.

use crate::Var;
use crate::ops::{
    Add, BroadcastTo, Concatenate, Div, Exp, Gather, Ln, MatMul, Mean, MeanAxis, Mul, Neg, Permute, PowF,
    PowI, Reshape, Scale, Slice, Sqrt, Sub, Sum, SumAxis,
};
use gradus_tensor::{Error, Result, Scalar, Shape, Transpose};

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty),*) => $op:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// As the tensor's operation of this name.
        pub fn $name(&self, $($arg: $t),*) -> Result<Self> {
            Self::apply($op, [self])
        }
    )*};
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident => $op:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// If the shapes do not fit.
        pub fn $name(&self, other: &Self) -> Result<Self> {
            Self::apply($op, [self, other])
        }
    )*};
}

impl<T: Scalar> Var<T> {
    binary! {
        /// The sum, element by element, with broadcasting.
        add => Add;
        /// The difference, element by element, with broadcasting.
        sub => Sub;
        /// The product, element by element, with broadcasting.
        mul => Mul;
        /// The quotient, element by element, with broadcasting.
        div => Div;
        /// The product of matrices; leading dimensions are a batch.
        matmul => MatMul { left: Transpose::No, right: Transpose::No };
    }

    unary! {
        /// Every element with its sign turned.
        neg() => Neg;
        /// Every element times a number.
        scale(factor: T) => Scale(factor);
        /// e to every element.
        exp() => Exp;
        /// The natural logarithm of every element.
        ln() => Ln;
        /// The square root of every element.
        sqrt() => Sqrt;
        /// Every element to a real power.
        powf(exponent: T) => PowF(exponent);
        /// Every element to a whole power.
        powi(exponent: i32) => PowI(exponent);
        /// The sum of all elements, without dimensions.
        sum() => Sum;
        /// The sums along an axis, which goes away.
        sum_axis(axis: usize) => SumAxis(axis);
        /// The mean of all elements, without dimensions.
        mean() => Mean;
        /// The means along an axis, which goes away.
        mean_axis(axis: usize) => MeanAxis(axis);
        /// The axes in another order.
        permute(order: &[usize]) => Permute(order.to_vec());
        /// A range of indices of one axis.
        slice(axis: usize, range: std::ops::Range<usize>) => Slice { axis, range };
        /// Chosen indices of one axis, repeats allowed.
        gather(axis: usize, indices: &[u32]) => Gather { axis, indices: indices.to_vec() };
    }

    /// The product of matrices with either side read as its transpose.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn product(&self, left: Transpose, other: &Self, right: Transpose) -> Result<Self> {
        Self::apply(MatMul { left, right }, [self, other])
    }

    /// The same elements under another shape.
    ///
    /// # Errors
    /// If the new shape holds another number of elements.
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::apply(Reshape(Shape::new(shape)?), [self])
    }

    /// Stretched to a larger shape.
    ///
    /// # Errors
    /// If this shape does not stretch to that one.
    pub fn broadcast_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::apply(BroadcastTo(Shape::new(shape)?), [self])
    }

    /// The last two axes exchanged.
    ///
    /// # Errors
    /// If there are fewer than two.
    pub fn transpose(&self) -> Result<Self> {
        let rank = self.shape().rank();
        if rank < 2 {
            return Err(Error::Axis { op: "transpose", axis: 1, rank });
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        Self::apply(Permute(order), [self])
    }

    /// A new axis of size 1 before `axis`.
    ///
    /// # Errors
    /// If `axis` is more than the rank.
    pub fn insert_axis(&self, axis: usize) -> Result<Self> {
        self.reshape(self.value().insert_axis(axis)?.shape())
    }

    /// Without an axis of size 1.
    ///
    /// # Errors
    /// If there is no such axis or its size is not 1.
    pub fn remove_axis(&self, axis: usize) -> Result<Self> {
        self.reshape(self.value().remove_axis(axis)?.shape())
    }

    /// One index of one axis; the axis goes away.
    ///
    /// # Errors
    /// If there is no such axis or index.
    pub fn select(&self, axis: usize, index: usize) -> Result<Self> {
        let size = self.shape().size(axis)?;
        if index >= size {
            return Err(Error::Index { op: "select", index, axis, size });
        }
        self.slice(axis, index..index + 1)?.remove_axis(axis)
    }

    /// Variables one after the other along an axis that they have.
    ///
    /// # Errors
    /// If there is none, or they differ in another axis.
    pub fn concatenate(parts: &[&Self], axis: usize) -> Result<Self> {
        Self::apply_many(Concatenate(axis), parts)
    }

    /// Variables of one shape side by side along a new axis.
    ///
    /// # Errors
    /// If there is none, or their shapes differ.
    pub fn stack(parts: &[&Self], axis: usize) -> Result<Self> {
        let parts = parts.iter().map(|p| p.insert_axis(axis)).collect::<Result<Vec<_>>>()?;
        Self::concatenate(&parts.iter().collect::<Vec<_>>(), axis)
    }
}
