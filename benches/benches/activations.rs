//! Activations and softmax: elementwise work against the memory's speed.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_activations::Activations;
use gradus_benches::normal;
use gradus_tensor::{Result, Tensor};
use std::hint::black_box;
use std::time::Duration;

type Activation = fn(&Tensor<f32>) -> Result<Tensor<f32>>;

fn elementwise(c: &mut Criterion) {
    let all: [(&str, Activation); 7] = [
        ("relu", |x| x.relu()),
        ("sigmoid", |x| x.sigmoid()),
        ("tanh", |x| x.tanh()),
        ("gelu", |x| x.gelu()),
        ("gelu_tanh", |x| x.gelu_tanh()),
        ("softplus", |x| x.softplus()),
        ("exp", |x| Ok(x.exp())),
    ];
    let mut group = c.benchmark_group("activation_f32");
    // In the second cache, in the third, and in memory.
    for n in [1 << 14, 1 << 20, 1 << 24] {
        let Ok(x) = normal([n]) else { unreachable!("a shape") };
        // Each element is read once and written once.
        group.throughput(Throughput::Bytes(8 * n as u64));
        for (name, f) in all {
            group.bench_function(BenchmarkId::new(name, n), |b| b.iter(|| f(black_box(&x))));
        }
    }
}

fn softmax(c: &mut Criterion) {
    let mut group = c.benchmark_group("softmax_f32");
    for [n, k] in [[64, 10], [4096, 1000], [1024, 32000]] {
        let Ok(x) = normal::<f32>([n, k]) else { unreachable!("a shape") };
        group.throughput(Throughput::Bytes(8 * x.len() as u64));
        group.bench_function(format!("{n}x{k}"), |b| b.iter(|| black_box(&x).softmax(1)));
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(2));
    targets = elementwise, softmax
}
criterion_main!(benches);
