//! A step of each optimiser: one pass over parameters, gradients and state, against the memory's speed.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_autograd::{Gradients, Var};
use gradus_optimization::{Adam, AdamW, Optimizer, RmsProp, Sgd, clip_grad_norm};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;

fn normal(n: usize) -> Tensor<f32> {
    match Tensor::random([n], &StandardNormal, &mut ChaCha8Rng::seed_from_u64(1)) {
        Ok(x) => x,
        Err(e) => unreachable!("a small shape: {e}"),
    }
}

fn gradients(w: &Var<f32>) -> Gradients<f32> {
    let loss = w.mul(&Var::constant(normal(w.shape().elements()))).and_then(|product| product.sum());
    match loss.map_err(Into::into).and_then(|loss| loss.backward()) {
        Ok(gradients) => gradients,
        Err(e) => unreachable!("a product and a sum: {e}"),
    }
}

fn step(c: &mut Criterion) {
    type Make = fn() -> Box<dyn Optimizer<f32>>;
    // The numbers of θ, g and state that are read and written, for each parameter.
    let all: [(&str, usize, Make); 6] = [
        ("sgd", 3, || Box::new(Sgd::new(1e-6))),
        ("momentum", 5, || Box::new(Sgd::new(1e-6).momentum(0.9))),
        ("nesterov", 5, || Box::new(Sgd::new(1e-6).momentum(0.9).nesterov(true))),
        ("rmsprop", 5, || Box::new(RmsProp::new(1e-6))),
        ("adam", 7, || Box::new(Adam::new(1e-6))),
        ("adamw", 7, || Box::new(AdamW::new(1e-6))),
    ];
    for (size, n) in [("100K", 100_000), ("4M", 4 << 20)] {
        let w = Var::parameter(normal(n));
        let gradients = gradients(&w);
        let mut group = c.benchmark_group(format!("step_f32_{size}"));
        for (name, numbers, make) in all {
            let mut optimizer = make();
            group.throughput(Throughput::Bytes((4 * numbers * n) as u64));
            group.bench_function(name, |b| {
                b.iter(|| match optimizer.step(&w, &gradients) {
                    Ok(()) => {}
                    Err(e) => unreachable!("the settings are sound: {e}"),
                });
            });
        }
    }
}

fn clip(c: &mut Criterion) {
    let w = Var::parameter(normal(4 << 20));
    let mut gradients = gradients(&w);
    let mut group = c.benchmark_group("clip_grad_norm_f32_4M");
    group.throughput(Throughput::Bytes(4 * (4 << 20)));
    group.bench_function("measured", |b| {
        b.iter(|| match clip_grad_norm(&w, &mut gradients, f64::INFINITY) {
            Ok(length) => length,
            Err(e) => unreachable!("the limit is sound: {e}"),
        });
    });
}

criterion_group!(benches, step, clip);
criterion_main!(benches);
