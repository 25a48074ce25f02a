//! The default initializations, until a layer is given another.

use gradus_tensor::{Result, Scalar, Shape, Tensor};
use rand::Rng;
use rand::distr::Distribution;
use rand_distr::StandardNormal;

/// Normal with variance 2/fan-in: it keeps the size of a signal through layers with ReLU.
pub(crate) fn he<T: Scalar>(
    shape: impl AsRef<[usize]>,
    fan_in: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Result<Tensor<T>> {
    normal(shape, (2.0 / fan_in as f64).sqrt(), rng)
}

/// Normal with mean 0 and this standard deviation.
pub(crate) fn normal<T: Scalar>(
    shape: impl AsRef<[usize]>,
    std: f64,
    rng: &mut (impl Rng + ?Sized),
) -> Result<Tensor<T>> {
    let shape = Shape::new(shape)?;
    let mut draw = || -> f64 { StandardNormal.sample(rng) };
    Tensor::compute(shape, |out| out.fill_with(|| T::of(std * draw())))
}
