//! Element by element: maps, broadcasting pairs, arithmetic.

use crate::layout::walk_runs;
use crate::math::{self, vectorize};
use crate::parallel::{BLOCK, for_each_block};
use crate::{Element, Result, Scalar, Shape, Tensor};

impl<T: Element> Tensor<T> {
    /// `f` of every element.
    pub fn map<U: Element>(&self, f: impl Fn(T) -> U + Sync) -> Tensor<U> {
        Tensor::written(self.shape(), |out| map_blocks_to(self.as_slice(), out, &f))
    }

    /// `f` of every element, in place: without a new buffer if no other tensor shares this one's.
    pub fn map_in_place(&mut self, f: impl Fn(T) -> T + Sync) {
        for_each_block(self.as_mut_slice(), BLOCK, |_, x| {
            vectorize(
                #[inline(always)]
                || {
                    for x in x.iter_mut() {
                        *x = f(*x);
                    }
                },
            );
        });
    }

    /// `f` of every element, written into a tensor that exists: without a new buffer if nobody shares that one's.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn map_to<U: Element>(&self, out: &mut Tensor<U>, f: impl Fn(T) -> U + Sync) -> Result<()> {
        if self.shape() != out.shape() {
            let why = "the output has the input's shape";
            return Err(crate::Error::mismatch("map_to", self.shape(), out.shape(), why));
        }
        map_blocks_to(self.as_slice(), out.as_mut_slice(), &f);
        Ok(())
    }

    /// `f` of every element, in this tensor's own buffer where nobody shares it.
    #[must_use]
    pub fn map_owned(mut self, f: impl Fn(T) -> T + Sync) -> Self {
        self.map_in_place(f);
        self
    }

    /// `f` of every element and the one at the same place in `other`, in place.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn zip_in_place<U: Element>(
        &mut self,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> T + Sync,
    ) -> Result<()> {
        self.zip_in_place_named("zip_in_place", other, f)
    }

    fn zip_in_place_named<U: Element>(
        &mut self,
        op: &'static str,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> T + Sync,
    ) -> Result<()> {
        if self.shape() != other.shape() {
            let why = "an operation in place needs equal shapes";
            return Err(crate::Error::mismatch(op, self.shape(), other.shape(), why));
        }
        for_each_block(self.as_mut_slice(), BLOCK, |i, x| {
            let y = &other.as_slice()[i * BLOCK..][..x.len()];
            vectorize(
                #[inline(always)]
                || {
                    for (x, &y) in x.iter_mut().zip(y) {
                        *x = f(*x, y);
                    }
                },
            );
        });
        Ok(())
    }

    /// `f` of every pair of elements; shapes are stretched as [`Shape::broadcast`] says.
    ///
    /// # Errors
    /// If the shapes do not fit.
    pub fn zip<U: Element, V: Element>(
        &self,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> V + Sync,
    ) -> Result<Tensor<V>> {
        self.zip_named("zip", other, f)
    }

    pub(crate) fn zip_named<U: Element, V: Element>(
        &self,
        op: &'static str,
        other: &Tensor<U>,
        f: impl Fn(T, U) -> V + Sync,
    ) -> Result<Tensor<V>> {
        let (a, b) = (self.as_slice(), other.as_slice());
        if self.shape() == other.shape() {
            return Ok(Tensor::written(self.shape(), |out| {
                for_each_block(out, BLOCK, |i, out| {
                    let (a, b) = (&a[i * BLOCK..][..out.len()], &b[i * BLOCK..][..out.len()]);
                    vectorize(
                        #[inline(always)]
                        || pairs(out, a, b, &f),
                    );
                });
            }));
        }
        let shape = self.shape().broadcast(op, &other.shape())?;
        let strides = [&self.shape().strides_within(&shape), &other.shape().strides_within(&shape)];
        let run = shape.dims().last().copied().unwrap_or(1);
        let group = (BLOCK / run.max(1)).max(1);
        Ok(Tensor::written(shape, |out| {
            for_each_block(out, group * run, |i, out| {
                let count = out.len() / run.max(1);
                let mut rest = out;
                walk_runs(&shape, strides, i * group..i * group + count, |[i, j], n, steps| {
                    let (out, behind) = std::mem::take(&mut rest).split_at_mut(n);
                    rest = behind;
                    vectorize(
                        #[inline(always)]
                        || match steps {
                            [1, 0] => {
                                for (out, &x) in out.iter_mut().zip(&a[i..i + n]) {
                                    *out = f(x, b[j]);
                                }
                            }
                            [0, 1] => {
                                for (out, &y) in out.iter_mut().zip(&b[j..j + n]) {
                                    *out = f(a[i], y);
                                }
                            }
                            [1, 1] => pairs(out, &a[i..i + n], &b[j..j + n], &f),
                            [s, t] => {
                                for (k, out) in out.iter_mut().enumerate() {
                                    *out = f(a[i + k * s], b[j + k * t]);
                                }
                            }
                        },
                    );
                });
            });
        }))
    }
}

fn map_blocks_to<T: Element, U: Element>(x: &[T], out: &mut [U], f: &(impl Fn(T) -> U + Sync)) {
    for_each_block(out, BLOCK, |i, out| math::map_into(&x[i * BLOCK..][..out.len()], out, f));
}

#[inline(always)]
fn pairs<T: Copy, U: Copy, V>(out: &mut [V], a: &[T], b: &[U], f: &impl Fn(T, U) -> V) {
    for ((out, &x), &y) in out.iter_mut().zip(a).zip(b) {
        *out = f(x, y);
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
        let choice = self.broadcast_to(shape)?;
        let all = choice.as_slice().iter().zip(yes.as_slice()).zip(no.as_slice());
        Ok(Tensor::written(shape, |out| {
            out.iter_mut().zip(all).for_each(|(out, ((&c, &yes), &no))| *out = if c { yes } else { no });
        }))
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
        self.map(move |x| x * factor)
    }

    /// Adds `factor · other` in place. The shapes must be equal.
    ///
    /// # Errors
    /// If they are not.
    pub fn add_scaled(&mut self, factor: T, other: &Self) -> Result<()> {
        // A factor behind two references is read again for each element, and the loop is not made of vectors.
        self.zip_in_place_named("add_scaled", other, move |x, y| x + factor * y)
    }

    /// e to every element.
    pub fn exp(&self) -> Self {
        self.map(
            #[inline(always)]
            |x| math::exp(x),
        )
    }

    /// The natural logarithm of every element: −∞ at 0, NaN below.
    pub fn ln(&self) -> Self {
        self.map(
            #[inline(always)]
            |x| math::ln(x),
        )
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
