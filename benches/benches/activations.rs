//! Activations and softmax: elementwise work against the memory's speed.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_activations::Activations;
use gradus_tensor::{Result, Tensor};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use std::hint::black_box;

type Activation = fn(&Tensor<f32>) -> Result<Tensor<f32>>;

fn normal(shape: [usize; 2]) -> Tensor<f32> {
    match Tensor::random(shape, &StandardNormal, &mut ChaCha8Rng::seed_from_u64(1)) {
        Ok(x) => x,
        Err(e) => unreachable!("a small shape: {e}"),
    }
}

fn elementwise(c: &mut Criterion) {
    const N: usize = 1 << 20;
    let x = normal([1, N]);
    let mut group = c.benchmark_group("activation_f32_1M");
    // Each element is read once and written once.
    group.throughput(Throughput::Bytes(8 * N as u64));
    let all: [(&str, Activation); 6] = [
        ("relu", |x| x.relu()),
        ("sigmoid", |x| x.sigmoid()),
        ("tanh", |x| x.tanh()),
        ("gelu", |x| x.gelu()),
        ("gelu_tanh", |x| x.gelu_tanh()),
        ("softplus", |x| x.softplus()),
    ];
    for (name, f) in all {
        group.bench_function(name, |b| b.iter(|| f(black_box(&x))));
    }
}

fn softmax(c: &mut Criterion) {
    let mut group = c.benchmark_group("softmax_f32");
    for shape in [[4096, 1000], [64, 10]] {
        let x = normal(shape);
        group.throughput(Throughput::Bytes(8 * x.len() as u64));
        group.bench_function(format!("{}x{}", shape[0], shape[1]), |b| b.iter(|| black_box(&x).softmax(1)));
    }
}

criterion_group!(benches, elementwise, softmax);
criterion_main!(benches);
