//! An LSTM over a batch of sequences, forward, and forward and backward with the gradients of all weights and of its inputs (W9).
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_autograd::{Layer, Mode, Var, no_grad};
use gradus_benches::normal;
use gradus_lstm::{Lstm, LstmShape};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::hint::black_box;
use std::time::Duration;

/// Steps, samples, inputs, units.
const SIZES: &[[usize; 4]] = &[[28, 64, 28, 128], [100, 32, 128, 256], [50, 64, 512, 512]];

fn lstm(c: &mut Criterion) {
    let mut group = c.benchmark_group("lstm_f32");
    for &[time, samples, inputs, hidden] in SIZES {
        let net = Lstm::<f32>::new(LstmShape::new(inputs, hidden), &mut ChaCha8Rng::seed_from_u64(1));
        let (Ok(net), Ok(x), Ok(dy)) =
            (net, normal::<f32>([samples, time, inputs]), normal::<f32>([samples, time, hidden]))
        else {
            unreachable!("sizes of at least 1")
        };
        let name = format!("T{time}_N{samples}_D{inputs}_H{hidden}");
        let operations = (2 * time * samples * 4 * hidden * (inputs + hidden)) as u64;
        let constant = Var::constant(x.clone());
        group.throughput(Throughput::Elements(operations));
        group.bench_function(BenchmarkId::new("forward", &name), |b| {
            b.iter(|| no_grad(|| net.forward(black_box(&constant), &mut Mode::Eval)))
        });
        let tracked = Var::parameter(x);
        group.throughput(Throughput::Elements(3 * operations));
        group.bench_function(BenchmarkId::new("forward_backward", &name), |b| {
            b.iter(|| net.forward(black_box(&tracked), &mut Mode::Eval).ok()?.backward_with(&dy).ok())
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = lstm
}
criterion_main!(benches);
