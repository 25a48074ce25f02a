//! Products of matrices, in GFLOP/s (criterion calls a multiply-add two elements).
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use gradus_benches::normal;
use gradus_tensor::{Scalar, Tensor};
use std::hint::black_box;
use std::time::Duration;

/// The product of two tensors, whose last two sizes are m×k and k×n.
fn product<T: Scalar>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, a: &Tensor<T>, b: &Tensor<T>) {
    let n = b.dims().last().copied().unwrap_or(0);
    group.throughput(Throughput::Elements(2 * (a.len() * n) as u64));
    group.bench_function(name, |bench| bench.iter(|| black_box(a).matmul(black_box(b))));
}

fn matmul(c: &mut Criterion) {
    let mut group = c.benchmark_group("matmul_f32");
    for [m, k, n] in [[64, 64, 64], [256, 256, 256], [512, 512, 512], [1024, 1024, 1024], [64, 4096, 1024]] {
        let (Ok(a), Ok(b)) = (normal::<f32>([m, k]), normal([k, n])) else { unreachable!("small shapes") };
        product(&mut group, &format!("{m}x{k}x{n}"), &a, &b);
    }
    let (Ok(a), Ok(b)) = (normal::<f32>([32, 128, 64]), normal([32, 64, 128])) else {
        unreachable!("small shapes")
    };
    product(&mut group, "32x128x64x128", &a, &b);
    group.finish();
    let mut group = c.benchmark_group("matmul_f64");
    for n in [256, 1024] {
        let (Ok(a), Ok(b)) = (normal::<f64>([n, n]), normal([n, n])) else { unreachable!("small shapes") };
        product(&mut group, &format!("{n}x{n}x{n}"), &a, &b);
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = matmul
}
criterion_main!(benches);
