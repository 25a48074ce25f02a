//! W1: products of matrices, square, skinny, in batches, in both precisions.

use crate::timing::{Bench, Work};
use gradus_benches::normal;
use gradus_tensor::{Scalar, Tensor};
use rand_distr::{Distribution, StandardNormal};

const SIZES: [(&str, usize, usize, usize); 5] = [
    ("mm256", 256, 256, 256),
    ("mm512", 512, 512, 512),
    ("mm1024", 1024, 1024, 1024),
    ("mm2048", 2048, 2048, 2048),
    ("skinny64x4096x1024", 64, 4096, 1024),
];

pub(crate) fn run(bench: &Bench) -> crate::Result {
    squares::<f32>(bench, "")?;
    let (batch, m, k, n) = (32, 128, 64, 128);
    let (a, b) = (normal::<f32>([batch, m, k])?, normal([batch, k, n])?);
    let work = Work { flop: 2 * batch * m * k * n, ..Work::default() };
    bench.case("bmm32x128x64x128", "gradus", work, 5, || Ok(a.matmul(&b)?))?;
    squares::<f64>(bench, "_f64")
}

fn squares<T: Scalar>(bench: &Bench, suffix: &str) -> crate::Result
where
    StandardNormal: Distribution<T>,
{
    for (name, m, k, n) in SIZES {
        let name = format!("{name}{suffix}");
        if !bench.wants(&name) {
            continue;
        }
        let (a, b): (Tensor<T>, Tensor<T>) = (normal([m, k])?, normal([k, n])?);
        let flop = 2 * m * k * n;
        let inner = (200_000_000 / flop).max(1);
        bench.case(&name, "gradus", Work { flop, ..Work::default() }, inner, || Ok(a.matmul(&b)?))?;
    }
    Ok(())
}
