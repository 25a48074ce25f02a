//! Products of matrices, in GFLOP/s (criterion calls a multiply-add two elements).
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_tensor::{Result, Tensor};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use std::hint::black_box;

fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul_f32");
    for [m, k, n] in [[64, 64, 64], [256, 256, 256], [512, 512, 512], [64, 4096, 1024]] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut normal = |shape: [usize; 2]| Tensor::<f32>::random(shape, &StandardNormal, &mut rng);
        let (a, b): (Result<_>, Result<_>) = (normal([m, k]), normal([k, n]));
        let (Ok(a), Ok(b)) = (a, b) else { unreachable!("small shapes") };
        group.throughput(Throughput::Elements(2 * (m * k * n) as u64));
        group.bench_function(format!("{m}x{k}x{n}"), |bench| {
            bench.iter(|| black_box(&a).matmul(black_box(&b)))
        });
    }
}

criterion_group!(benches, matmul);
criterion_main!(benches);
