//! What an operation costs when it computes next to nothing: networks of two layers at batch 1.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_activations::{Activations, relu};
use gradus_autograd::Var;
use gradus_benches::normal;
use gradus_losses::CrossEntropy;
use gradus_tensor::{Result, Tensor};
use std::hint::black_box;
use std::time::Duration;

/// Weights and biases of a network D–D–10.
fn weights(d: usize) -> Result<[Tensor; 4]> {
    Ok([normal([d, d])?.scale(0.1), normal([d])?, normal([d, 10])?.scale(0.1), normal([10])?])
}

fn forward(x: &Tensor, [w1, b1, w2, b2]: &[Tensor; 4]) -> Result<Tensor> {
    x.affine(w1, b1)?.map_owned(relu).affine(w2, b2)
}

fn step(x: &Var, class: &Tensor<u32>, parameters: &[Var; 4]) -> Option<()> {
    let [w1, b1, w2, b2] = parameters;
    let hidden = x.matmul(w1).ok()?.add(b1).ok()?.relu().ok()?;
    let scores = hidden.matmul(w2).ok()?.add(b2).ok()?;
    let loss = Var::apply(CrossEntropy::new(class), [&scores]).ok()?;
    let gradients = loss.backward().ok()?;
    drop((hidden, scores, loss)); // else the graph shares the weights, and the step copies them
    parameters.iter().try_for_each(|p| p.update(|w| w.add_scaled(-0.01, gradients.get(p)?).ok()))
}

fn network(c: &mut Criterion) {
    let mut group = c.benchmark_group("network_f32_batch1");
    group.throughput(Throughput::Elements(1));
    for d in [16, 64, 256] {
        let (Ok(x), Ok(weights)) = (normal::<f32>([1, d]), weights(d)) else { unreachable!("small shapes") };
        let name = format!("{d}-{d}-10");
        group.bench_function(BenchmarkId::new("forward", &name), |b| {
            b.iter(|| forward(black_box(&x), &weights))
        });
        let (parameters, class) = (weights.map(Var::parameter), Tensor::from([1u32]));
        let x = Var::constant(x);
        group.bench_function(BenchmarkId::new("step", &name), |b| {
            b.iter(|| step(black_box(&x), &class, &parameters))
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = network
}
criterion_main!(benches);
