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
        Ok(Self::written(shape, |out| out.fill(value)))
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
        Self::written(self.shape(), |out| out.fill(T::ZERO))
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
        Ok(Self::written(shape, |out| out.fill_with(|| distribution.sample(rng))))
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
        let value = || {
            let value = f(&index);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                if index[axis] < shape.dims()[axis] {
                    break;
                }
                index[axis] = 0;
            }
            value
        };
        Ok(Self::written(shape, |out| out.fill_with(value)))
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
    /// If the step is 0, one of the three is not finite, or there are more numbers than memory holds.
    pub fn arange(start: T, end: T, step: T) -> Result<Self> {
        let (a, b, s) = (start.as_f64(), end.as_f64(), step.as_f64());
        // Before any arithmetic: `max` below would turn a NaN into 0, and so into an empty tensor.
        if !(a.is_finite() && b.is_finite()) {
            return Err(Error::argument("arange", "start..end", format!("{a}..{b}"), "finite numbers"));
        }
        if s == 0.0 || !s.is_finite() {
            return Err(Error::argument("arange", "step", s, "finite and not 0"));
        }
        let count = ((b - a) / s).ceil().max(0.0);
        // The conversion saturates: more than memory holds is refused as a shape.
        let mut count = Shape::new([count as usize])?.elements();
        let value = |i: usize| start + T::of(i as f64) * step;
        let before_end = |x: T| if step > T::ZERO { x < end } else { x > end };
        // The quotient is rounded, and so is the value: 1 + 3·0.1 is 1.3, not before it.
        while count > 0 && !before_end(value(count - 1)) {
            count -= 1;
        }
        Ok(Self::written(Shape::new([count])?, |out| number(out, value)))
    }

    /// `n` numbers from `start` to `end`, both included exactly, evenly spaced; for one, `start`.
    ///
    /// **Numerics**: a distance beyond the largest number does not overflow.
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
        let width = end - start;
        let value = |i: usize| match (i, T::of(i as f64 / last as f64)) {
            (0, _) => start,
            (i, _) if i == last => end,
            (_, part) if width.is_finite() => start + width * part,
            (_, part) => start * (T::ONE - part) + end * part,
        };
        Ok(Self::written(shape, |out| number(out, value)))
    }
}

/// Writes the value of each place.
fn number<T>(out: &mut [T], value: impl Fn(usize) -> T) {
    out.iter_mut().enumerate().for_each(|(i, x)| *x = value(i));
}
