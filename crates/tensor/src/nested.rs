//! Tensors from nested arrays: `Tensor::from([[1.0, 2.0], [3.0, 4.0]])`.

use crate::{Element, MAX_RANK, Shape, Tensor};

/// A number or an array of arrays of numbers, all of one length a level.
pub trait Nested<T> {
    /// How deep it is nested.
    const RANK: usize;
    /// Writes the sizes, the outermost first.
    fn sizes(dims: &mut [usize]);
    /// Appends the numbers in order.
    fn append(self, out: &mut Vec<T>);
}

macro_rules! nested {
    ($($t:ty),*) => {$(
        impl Nested<$t> for $t {
            const RANK: usize = 0;
            fn sizes(_: &mut [usize]) {}
            fn append(self, out: &mut Vec<$t>) {
                out.push(self);
            }
        }
    )*};
}

nested!(f32, f64, u32, bool);

impl<T, A: Nested<T>, const N: usize> Nested<T> for [A; N] {
    const RANK: usize = 1 + A::RANK;

    fn sizes(dims: &mut [usize]) {
        dims[0] = N;
        A::sizes(&mut dims[1..]);
    }

    fn append(self, out: &mut Vec<T>) {
        for inner in self {
            inner.append(out);
        }
    }
}

impl<T: Element, A: Nested<T>, const N: usize> From<[A; N]> for Tensor<T> {
    /// A tensor with the dimensions of the nested arrays.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[[1u32, 2], [3, 4]]]);
    /// assert_eq!(x.shape(), [1, 2, 2]);
    /// ```
    fn from(nested: [A; N]) -> Self {
        const { assert!(A::RANK < MAX_RANK, "a tensor has at most six dimensions") };
        let mut dims = [0; MAX_RANK];
        <[A; N]>::sizes(&mut dims[..1 + A::RANK]);
        let mut data = Vec::new();
        nested.append(&mut data);
        match Shape::new(&dims[..1 + A::RANK]) {
            Ok(shape) => Self::known(data, shape),
            Err(_) => unreachable!("the array exists, so its shape fits memory"),
        }
    }
}

impl<T: Element> From<Vec<T>> for Tensor<T> {
    /// One dimension with these elements.
    fn from(data: Vec<T>) -> Self {
        data.into_iter().collect()
    }
}

impl<T: Element> FromIterator<T> for Tensor<T> {
    /// One dimension with these elements.
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        let data: Vec<T> = iter.into_iter().collect();
        match Shape::new([data.len()]) {
            Ok(shape) => Self::known(data, shape),
            Err(_) => unreachable!("the elements exist, so their number is a size"),
        }
    }
}
