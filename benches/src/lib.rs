//! Benches of the workspace: criterion's, one file a workload, and the program `workloads`; see `README.md` beside this
//! crate's manifest. And, for the book, what a machine can do and a ladder of products that climbs there.
#![forbid(unsafe_code)]

pub mod ladder;
pub mod machine;

use gradus_tensor::{Result, Scalar, Tensor};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::{Distribution, StandardNormal};

/// Standard normal numbers, the same ones every time.
///
/// # Errors
/// If the shape is no shape.
pub fn normal<T: Scalar>(shape: impl AsRef<[usize]>) -> Result<Tensor<T>>
where
    StandardNormal: Distribution<T>,
{
    Tensor::random(shape, &StandardNormal, &mut ChaCha8Rng::seed_from_u64(1))
}
