//! Tensors of a rule: constants, ranges, the identity, random numbers.

use crate::{Element, Error, Result, Scalar, Shape, Tensor};
use rand::Rng;
use rand::distr::Distribution;

impl<T: Element> Tensor<T> {
    /// All elements equal to `value`.
    ///
    /// # Errors
    /// If the shape is no shape (too many dimensions, too many elements).
    pub fn full(shape: impl AsRef<[usize]>, value: T) -> Result<Self> {
        let shape = Shape::new(shape)?;
        Ok(Self::known(vec![value; shape.elements()], shape))
    }

    /// All elements 0 (or `false`).
    ///
    /// # Errors
    /// As [`full`](Self::full).
    pub fn zeros(shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::full(shape, T::ZERO)
    }

    /// All elements 1 (or `true`).
    ///
    /// # Errors
    /// As [`full`](Self::full).
    pub fn ones(shape: impl AsRef<[usize]>) -> Result<Self> {
        Self::full(shape, T::ONE)
    }

    /// All elements 0, in the shape of this tensor.
    pub fn zeros_like(&self) -> Self {
        Self::known(vec![T::ZERO; self.len()], self.shape())
    }

    /// The identity matrix of n rows.
    ///
    /// # Errors
    /// As [`full`](Self::full).
    pub fn eye(n: usize) -> Result<Self> {
        let mut out = Self::zeros([n, n])?;
        for x in out.as_mut_slice().iter_mut().step_by(n + 1) {
            *x = T::ONE;
        }
        Ok(out)
    }

    /// Independent draws from a distribution, in row-major order.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let mut rng = ChaCha8Rng::seed_from_u64(7);
    /// let x = Tensor::<f64>::random([2, 3], &rand_distr::StandardNormal, &mut rng)?;
    /// assert_eq!(x.shape(), [2, 3]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`full`](Self::full).
    pub fn random(
        shape: impl AsRef<[usize]>,
        distribution: &impl Distribution<T>,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Self> {
        let shape = Shape::new(shape)?;
        Ok(Self::known((0..shape.elements()).map(|_| distribution.sample(rng)).collect(), shape))
    }

    /// The value of `f` at every index.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from_fn([2, 3], |i| (10 * i[0] + i[1]) as f64)?;
    /// assert_eq!(x, Tensor::from([[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`full`](Self::full).
    pub fn from_fn(shape: impl AsRef<[usize]>, mut f: impl FnMut(&[usize]) -> T) -> Result<Self> {
        let shape = Shape::new(shape)?;
        let mut index = vec![0; shape.rank()];
        let mut data = Vec::with_capacity(shape.elements());
        for _ in 0..shape.elements() {
            data.push(f(&index));
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape.dims()[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
        Ok(Self::known(data, shape))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The numbers `start, start + step, …` before `end`, each computed as `start + i · step`.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// assert_eq!(Tensor::arange(0.0, 1.0, 0.25)?, Tensor::from([0.0, 0.25, 0.5, 0.75]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the step is 0, or one of the three is not finite.
    pub fn arange(start: T, end: T, step: T) -> Result<Self> {
        let (a, b, s) = (start.as_f64(), end.as_f64(), step.as_f64());
        if s == 0.0 || !s.is_finite() {
            return Err(Error::argument("arange", "step", s, "finite and not 0"));
        }
        let count = ((b - a) / s).ceil().max(0.0);
        if !(count.is_finite() && count < usize::MAX as f64) {
            return Err(Error::argument("arange", "start..end", format!("{a}..{b}"), "finite numbers"));
        }
        let shape = Shape::new([count as usize])?;
        Ok(Self::known((0..shape.elements()).map(|i| start + T::of(i as f64) * step).collect(), shape))
    }

    /// `n` numbers from `start` to `end`, both included exactly, evenly spaced.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// assert_eq!(Tensor::linspace(-1.0, 1.0, 5)?, Tensor::from([-1.0, -0.5, 0.0, 0.5, 1.0]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `n` is beyond memory.
    pub fn linspace(start: T, end: T, n: usize) -> Result<Self> {
        let shape = Shape::new([n])?;
        let last = n.saturating_sub(1);
        let value = |i: usize| match i {
            0 => start,
            i if i == last => end,
            i => start + (end - start) * T::of(i as f64 / last as f64),
        };
        Ok(Self::known((0..n).map(value).collect(), shape))
    }
}
