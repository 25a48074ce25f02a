//! A sum of two tensors, each sample with its own two weights: what every formula of this crate comes down to.

use gradus_autograd::Op;
use gradus_tensor::kernel::{BLOCK, for_each_block, vectorize};
use gradus_tensor::{Error, Result, Scalar, Tensor};

/// aₙ·xₙ + bₙ·yₙ, sample by sample, as an operation on `[x, y]`.
///
/// Noise is added so, one prediction turned into another, and a step back taken: only the two numbers differ. [`Diffusion`](crate::Diffusion) makes them.
///
/// **Shapes**: x and y `[N, …]`, alike; N pairs of weights. **Units**: those of x and y.
///
/// **Gradient**: aₙ·dyₙ and bₙ·dyₙ: it is linear.
///
/// **Numerics**: one pass; the weights are computed in `f64`.
///
/// **Errors**: shapes that differ, or another number of weights than of samples.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_diffusion::Mix;
/// use gradus_tensor::Tensor;
/// let (x, y) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::ones([2, 2])?);
/// let mixed = Mix::new([[1.0, 0.0], [10.0, -5.0]]).eval([&x, &y])?;
/// assert_eq!(mixed, Tensor::from([[1.0, 2.0], [25.0, 35.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    weights: Vec<[f64; 2]>,
}

impl Mix {
    /// With these two weights a sample.
    pub fn new(weights: impl Into<Vec<[f64; 2]>>) -> Self {
        Self { weights: weights.into() }
    }

    fn check<T: Scalar>(&self, x: &Tensor<T>, y: &Tensor<T>) -> Result<()> {
        if x.shape() != y.shape() {
            return Err(Error::mismatch("mix", x.shape(), y.shape(), "two tensors of one shape"));
        }
        if x.rank() == 0 || x.dims()[0] != self.weights.len() {
            return Err(Error::shape("mix", format!("{} samples", self.weights.len()), x.shape()));
        }
        Ok(())
    }

    /// Each sample of x times its weight.
    fn scaled<T: Scalar>(&self, x: &Tensor<T>, which: usize) -> Result<Tensor<T>> {
        let size = x.len() / self.weights.len().max(1);
        Tensor::compute(x.shape(), |out| {
            for_each_block(out, BLOCK, |block, out| {
                let data = &x.as_slice()[block * BLOCK..][..out.len()];
                pieces(block * BLOCK, out, size, |n, from, out| {
                    let weight = T::of(self.weights[n][which]);
                    vectorize(
                        #[inline(always)]
                        || out.iter_mut().zip(&data[from..]).for_each(|(y, &x)| *y = weight * x),
                    );
                });
            });
        })
    }
}

/// Calls `each` with the parts of a block that belong to one sample: the sample, where in the block the part begins, the part.
fn pieces<T>(start: usize, block: &mut [T], size: usize, mut each: impl FnMut(usize, usize, &mut [T])) {
    let (mut at, length) = (0, block.len());
    while at < length {
        let sample = (start + at) / size;
        let end = ((sample + 1) * size - start).min(length);
        each(sample, at, &mut block[at..end]);
        at = end;
    }
}

impl<T: Scalar> Op<T, 2> for Mix {
    /// Nothing: the gradient depends on the weights only.
    type Saved = ();

    fn forward(&self, [x, y]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        self.check(x, y)?;
        let size = x.len() / self.weights.len().max(1);
        let sum = Tensor::compute(x.shape(), |out| {
            for_each_block(out, BLOCK, |block, out| {
                let at = block * BLOCK..block * BLOCK + out.len();
                let (x, y) = (&x.as_slice()[at.clone()], &y.as_slice()[at]);
                pieces(block * BLOCK, out, size, |n, from, out| {
                    let [a, b] = self.weights[n].map(T::of);
                    let (x, y) = (&x[from..], &y[from..]);
                    vectorize(
                        #[inline(always)]
                        || {
                            out.iter_mut()
                                .zip(x)
                                .zip(y)
                                .for_each(|((out, &x), &y)| *out = Scalar::mul_add(a, x, b * y));
                        },
                    );
                });
            });
        })?;
        Ok((sum, ()))
    }

    fn vjp(
        &self,
        [x, y]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_y]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        self.check(x, y)?;
        self.check(x, dy)?;
        Ok([
            if wants_x { Some(self.scaled(dy, 0)?) } else { None },
            if wants_y { Some(self.scaled(dy, 1)?) } else { None },
        ])
    }
}
