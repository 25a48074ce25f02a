//! Shapes: up to six dimensions, kept in place, with checked arithmetic.

use crate::{Error, Result};
use std::fmt;

/// The largest number of dimensions.
pub const MAX_RANK: usize = 6;

/// The sizes of a tensor's dimensions; the last is the fastest.
///
/// ```
/// use gradus_tensor::Shape;
/// let shape = Shape::new([2, 3])?;
/// assert_eq!((shape.rank(), shape.elements()), (2, 6));
/// assert_eq!(shape.to_string(), "[2, 3]");
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: u8,
}

/// Dimensions while they are edited, in place as a shape's; there is room for two more than a shape may have, which are refused
/// afterwards.
#[derive(Clone, Copy)]
pub(crate) struct Dims {
    sizes: [usize; MAX_RANK + 2],
    rank: usize,
}

impl Dims {
    pub(crate) fn insert(&mut self, axis: usize, size: usize) {
        self.sizes.copy_within(axis..self.rank, axis + 1);
        self.sizes[axis] = size;
        self.rank += 1;
    }

    pub(crate) fn remove(&mut self, axis: usize) {
        self.sizes.copy_within(axis + 1..self.rank, axis);
        self.rank -= 1;
    }

    pub(crate) fn extend(&mut self, sizes: &[usize]) {
        self.sizes[self.rank..][..sizes.len()].copy_from_slice(sizes);
        self.rank += sizes.len();
    }
}

impl std::ops::Deref for Dims {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }
}

impl std::ops::DerefMut for Dims {
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.sizes[..self.rank]
    }
}

impl Shape {
    /// The shape of a single number.
    pub const SCALAR: Self = Self { dims: [1; MAX_RANK], rank: 0 };

    /// A shape with these dimensions.
    ///
    /// # Errors
    /// More than [`MAX_RANK`] dimensions, or more elements than memory can hold.
    pub fn new(dims: impl AsRef<[usize]>) -> Result<Self> {
        let dims = dims.as_ref();
        if dims.len() > MAX_RANK {
            return Err(Error::argument("shape", "rank", dims.len(), format!("0..={MAX_RANK}")));
        }
        // A zero-sized dimension must not hide an overflow in the others: strides are computed from them.
        let elements = dims.iter().try_fold(1usize, |n, &d| n.checked_mul(d.max(1)));
        if elements.is_none_or(|n| n > isize::MAX as usize / 8) {
            return Err(Error::TooLarge { op: "shape", dims: dims.to_vec() });
        }
        let mut out = Self::SCALAR;
        out.dims[..dims.len()].copy_from_slice(dims);
        out.rank = dims.len() as u8;
        Ok(out)
    }

    /// The dimensions.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        &self.dims[..self.rank as usize]
    }

    /// How many dimensions there are.
    #[inline]
    pub fn rank(&self) -> usize {
        self.rank as usize
    }

    /// How many elements there are.
    #[inline]
    pub fn elements(&self) -> usize {
        self.dims().iter().product()
    }

    /// The size of one dimension.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn size(&self, axis: usize) -> Result<usize> {
        self.dims().get(axis).copied().ok_or(Error::Axis { op: "size", axis, rank: self.rank() })
    }

    /// The distance in the buffer from one index to the next, for each dimension.
    pub fn strides(&self) -> [usize; MAX_RANK] {
        let mut strides = [1; MAX_RANK];
        for axis in (0..self.rank().saturating_sub(1)).rev() {
            strides[axis] = strides[axis + 1] * self.dims[axis + 1];
        }
        strides
    }

    /// The elements before, along and after `axis`: every element is at `(before · size + i) · after + rest`.
    pub(crate) fn split(&self, op: &'static str, axis: usize) -> Result<(usize, usize, usize)> {
        if axis >= self.rank() {
            return Err(Error::Axis { op, axis, rank: self.rank() });
        }
        let (before, rest) = self.dims().split_at(axis);
        Ok((before.iter().product(), rest[0], rest[1..].iter().product()))
    }

    /// This shape with the dimensions changed by `edit`.
    pub(crate) fn edit(&self, edit: impl FnOnce(&mut Dims)) -> Result<Self> {
        let mut dims = Dims { sizes: [1; MAX_RANK + 2], rank: 0 };
        dims.extend(self.dims());
        edit(&mut dims);
        Self::new(&*dims)
    }

    /// Another size of the last dimension.
    pub(crate) fn set_last(&mut self, size: usize) -> Result<()> {
        let mut dims = self.dims;
        if let Some(last) = dims[..self.rank()].last_mut() {
            *last = size;
        }
        *self = Self::new(&dims[..self.rank()])?;
        Ok(())
    }

    /// The shape that two operands have together: dimensions are compared from the last, and a size of 1
    /// stretches to the other's.
    ///
    /// ```
    /// use gradus_tensor::Shape;
    /// let (rows, bias) = (Shape::new([4, 3])?, Shape::new([3])?);
    /// assert_eq!(rows.broadcast("add", &bias)?, rows);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If two sizes differ and neither is 1.
    pub fn broadcast(&self, op: &'static str, other: &Self) -> Result<Self> {
        if self == other {
            return Ok(*self);
        }
        let rank = self.rank().max(other.rank());
        let mut out = Self { dims: [1; MAX_RANK], rank: rank as u8 };
        for i in 0..rank {
            let (a, b) = (self.nth_last(i), other.nth_last(i));
            out.dims[rank - 1 - i] = match (a, b) {
                _ if a == b => a,
                (1, n) | (n, 1) => n,
                _ => {
                    let why = "sizes must be equal or 1, compared from the last dimension";
                    return Err(Error::mismatch(op, *self, *other, why));
                }
            };
        }
        Self::new(out.dims())
    }

    /// The size of the `i`-th dimension from the end, 1 beyond the first.
    fn nth_last(&self, i: usize) -> usize {
        if i < self.rank() { self.dims[self.rank() - 1 - i] } else { 1 }
    }

    /// The strides with which this shape is read as `out`: 0 where it is stretched.
    pub(crate) fn strides_within(&self, out: &Self) -> [usize; MAX_RANK] {
        let own = self.strides();
        let mut strides = [0; MAX_RANK];
        for i in 0..self.rank().min(out.rank()) {
            let (mine, theirs) = (self.rank() - 1 - i, out.rank() - 1 - i);
            if self.dims[mine] != 1 {
                strides[theirs] = own[mine];
            }
        }
        strides
    }
}

impl AsRef<[usize]> for Shape {
    fn as_ref(&self) -> &[usize] {
        self.dims()
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self.dims() == other.dims()
    }
}

impl Eq for Shape {}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        self.dims() == other
    }
}

impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.dims() == other
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}
