//! Losses with their gradients, through the graph as a training step goes: against the memory's speed.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_autograd::Var;
use gradus_benches::normal;
use gradus_losses::{BceWithLogits, CrossEntropy, Elementwise, Reduction};
use gradus_tensor::Tensor;
use std::hint::black_box;
use std::time::Duration;

fn parameter(dims: &[usize]) -> Var {
    match normal::<f32>(dims) {
        Ok(x) => Var::parameter(x),
        Err(e) => unreachable!("a shape: {e}"),
    }
}

fn cross_entropy(c: &mut Criterion) {
    let mut group = c.benchmark_group("cross_entropy_f32");
    for [n, k] in [[64, 10], [4096, 1000], [256, 32000]] {
        let scores = parameter(&[n, k]);
        let classes: Tensor<u32> = (0..n as u32).map(|i| i * 7919 % k as u32).collect();
        // Each score is read once, and its gradient written once.
        group.throughput(Throughput::Bytes(8 * (n * k) as u64));
        group.bench_function(BenchmarkId::from_parameter(format!("{n}x{k}")), |b| {
            b.iter(|| {
                Some(
                    Var::apply(CrossEntropy::new(&classes), [black_box(&scores)])
                        .ok()?
                        .backward()
                        .ok()?
                        .len(),
                )
            })
        });
    }
}

fn elementwise(c: &mut Criterion) {
    let mut group = c.benchmark_group("elementwise_loss_f32");
    for n in [1 << 10, 1 << 20, 1 << 24] {
        let prediction = parameter(&[n]);
        let target = Var::constant(prediction.value().map(|v| f32::from(v > 0.3)));
        // Two numbers are read, and one is written.
        group.throughput(Throughput::Bytes(12 * n as u64));
        group.bench_function(BenchmarkId::new("bce_with_logits", n), |b| {
            let op = || Elementwise { loss: BceWithLogits, reduction: Reduction::Mean };
            b.iter(|| Some(Var::apply(op(), [black_box(&prediction), &target]).ok()?.backward().ok()?.len()))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = cross_entropy, elementwise
}
criterion_main!(benches);
