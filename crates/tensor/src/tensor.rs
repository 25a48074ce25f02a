//! The tensor: a shape and one contiguous row-major buffer, shared and copied on write.

use crate::buffer::Buffer;
use crate::{Element, Error, Result, Shape};
use std::sync::Arc;

/// A dense array of numbers: a shape and one contiguous row-major buffer.
///
/// The buffer is shared: `clone` and [`reshape`](Self::reshape) cost nothing, and whoever writes first gets a
/// copy of its own. The last dimension is the fastest; images are `[N, C, H, W]`, sequences `[N, T, D]`, and
/// samples are rows.
///
/// ```
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// let w = Tensor::from([[1.0], [0.0], [-1.0]]);
/// assert_eq!(x.matmul(&w)?, Tensor::from([[-2.0], [-2.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Clone)]
pub struct Tensor<T: Element = f32> {
    shape: Shape,
    data: Arc<Buffer<T>>,
}

impl<T: Element> Tensor<T> {
    /// A tensor of this shape with these values, the last dimension fastest.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2])?;
    /// assert_eq!(x.get([1, 0])?, 3.0);
    /// let error = Tensor::from_vec(vec![1.0, 2.0, 3.0], [2, 2]).unwrap_err();
    /// assert_eq!(error.to_string(), "from_vec: the shape [2, 2] holds 4 values, got 3");
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the number of values is not the shape's.
    pub fn from_vec(data: Vec<T>, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Shape::new(shape)?;
        let expected = shape.elements();
        if data.len() != expected {
            return Err(Error::Length { op: "from_vec", shape, expected, got: data.len() });
        }
        Ok(Self { shape, data: Arc::new(data.into()) })
    }

    /// A tensor of a shape that is known to hold as many values.
    #[inline]
    pub(crate) fn known(data: Vec<T>, shape: Shape) -> Self {
        Self::of(data.into(), shape)
    }

    #[inline]
    fn of(data: Buffer<T>, shape: Shape) -> Self {
        debug_assert_eq!(data.len(), shape.elements());
        Self { shape, data: Arc::new(data) }
    }

    /// A tensor whose elements `write` writes, all of them: what it finds there is left from another tensor.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::compute([2, 2], |out| out.copy_from_slice(&[1.0, 2.0, 3.0, 4.0]))?;
    /// assert_eq!(x, Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the shape is no shape (too many dimensions, too many elements).
    pub fn compute(shape: impl AsRef<[usize]>, write: impl FnOnce(&mut [T])) -> Result<Self> {
        Ok(Self::written(Shape::new(shape)?, write))
    }

    #[inline]
    pub(crate) fn written(shape: Shape, write: impl FnOnce(&mut [T])) -> Self {
        let mut data = Buffer::stale(shape.elements());
        write(data.as_mut_slice());
        Self::of(data, shape)
    }

    /// A single number: no dimensions, one element.
    pub fn scalar(value: T) -> Self {
        Self::known(vec![value], Shape::SCALAR)
    }

    /// The sizes of the dimensions.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The dimensions as a slice: `let [n, d] = *x.dims() else { … }`.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        self.shape.dims()
    }

    /// How many dimensions there are.
    #[inline]
    pub fn rank(&self) -> usize {
        self.shape.rank()
    }

    /// How many elements there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there are no elements.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.data.len() == 0
    }

    /// The elements, the last dimension fastest.
    #[inline]
    pub fn as_slice(&self) -> &[T] {
        self.data.as_slice()
    }

    /// The elements, to be written: copied first if another tensor shares them.
    #[inline]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        Arc::make_mut(&mut self.data).as_mut_slice()
    }

    /// The elements as a vector: without a copy if no other tensor shares them.
    pub fn into_vec(self) -> Vec<T> {
        match Arc::try_unwrap(self.data) {
            Ok(own) => own.into_vec(),
            Err(shared) => shared.as_slice().to_vec(),
        }
    }

    /// Whether both tensors read the same buffer.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([1.0, 2.0]);
    /// let mut y = x.clone();
    /// assert!(x.shares_buffer(&y));
    /// y.as_mut_slice()[0] = 5.0; // the copy is made here
    /// assert!(!x.shares_buffer(&y));
    /// assert_eq!(x, Tensor::from([1.0, 2.0]));
    /// ```
    pub fn shares_buffer(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.data, &other.data)
    }

    /// The element at this index.
    ///
    /// # Errors
    /// If the index has another number of dimensions or leaves one.
    pub fn get(&self, index: impl AsRef<[usize]>) -> Result<T> {
        Ok(self.as_slice()[self.offset("get", index.as_ref())?])
    }

    /// Replaces the element at this index.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn set(&mut self, index: impl AsRef<[usize]>, value: T) -> Result<()> {
        let at = self.offset("set", index.as_ref())?;
        self.as_mut_slice()[at] = value;
        Ok(())
    }

    fn offset(&self, op: &'static str, index: &[usize]) -> Result<usize> {
        if index.len() != self.rank() {
            return Err(Error::argument(
                op,
                "index",
                format!("{index:?}"),
                format!("{} numbers", self.rank()),
            ));
        }
        let strides = self.shape.strides();
        let mut at = 0;
        for (axis, (&i, &size)) in index.iter().zip(self.dims()).enumerate() {
            if i >= size {
                return Err(Error::Index { op, index: i, axis, size });
            }
            at += i * strides[axis];
        }
        Ok(at)
    }

    /// The only element.
    ///
    /// # Errors
    /// If there is not exactly one.
    pub fn item(&self) -> Result<T> {
        match self.as_slice() {
            [x] => Ok(*x),
            _ => Err(Error::shape("item", "one element", self.shape)),
        }
    }

    /// The same elements under another shape of as many; costs nothing.
    ///
    /// # Errors
    /// If the new shape holds another number of elements.
    pub fn reshape(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Shape::new(shape)?;
        if shape.elements() != self.len() {
            return Err(Error::Length { op: "reshape", shape, expected: shape.elements(), got: self.len() });
        }
        Ok(Self { shape, data: Arc::clone(&self.data) })
    }

    pub(crate) fn reshaped(&self, shape: Shape) -> Self {
        debug_assert_eq!(shape.elements(), self.len());
        Self { shape, data: Arc::clone(&self.data) }
    }

    /// All elements in one dimension; costs nothing.
    pub fn flatten(&self) -> Self {
        match Shape::new([self.len()]) {
            Ok(shape) => self.reshaped(shape),
            Err(_) => unreachable!("the elements exist, so their number is a size"),
        }
    }

    /// The tensor's first dimension as an iterator of tensors. Each is a copy.
    ///
    /// # Errors
    /// If there is no dimension.
    pub fn rows(&self) -> Result<impl Iterator<Item = Self> + '_> {
        let (_, n, len) = self.shape.split("rows", 0)?;
        let shape = Shape::new(&self.dims()[1..])?;
        Ok((0..n).map(move |i| Self::known(self.as_slice()[i * len..(i + 1) * len].to_vec(), shape)))
    }
}

/// Equal shapes and equal elements (a NaN equals nothing).
impl<T: Element> PartialEq for Tensor<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}
