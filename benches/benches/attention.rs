//! Attention by tiles, forward, and with all gradients; the plain formula beside it at the length where that is still bearable (W10).
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_autograd::Op;
use gradus_benches::normal;
use gradus_tensor::Tensor;
use gradus_transformer::{Attention, Mask, attention};
use std::hint::black_box;
use std::time::Duration;

/// Heads (of all samples), length, numbers of a head.
const SIZES: &[[usize; 3]] = &[[64, 128, 64], [64, 512, 64], [8, 2048, 64]];

fn tiles(c: &mut Criterion) {
    let mut group = c.benchmark_group("attention_f32");
    for &dims in SIZES {
        let [heads, n, d] = dims;
        let all: Vec<Tensor<f32>> = (0..4).filter_map(|_| normal::<f32>(dims).ok()).collect();
        let [q, k, v, dy] = &all[..] else { unreachable!("sizes of at least 1") };
        for (kind, mask) in [("full", Mask::default()), ("causal", Mask::causal())] {
            let op = Attention::<f32>::new(1, mask);
            let name = format!("{kind}_H{heads}_n{n}_d{d}");
            let operations = (4 * heads * n * n * d / if kind == "causal" { 2 } else { 1 }) as u64;
            group.throughput(Throughput::Elements(operations));
            group.bench_function(BenchmarkId::new("forward", &name), |b| {
                b.iter(|| op.eval(black_box([q, k, v])))
            });
            group.throughput(Throughput::Elements(3 * operations));
            group.bench_function(BenchmarkId::new("forward_backward", &name), |b| {
                b.iter(|| {
                    let (_, saved) = Op::<f32, 3>::forward(&op, black_box([q, k, v])).ok()?;
                    op.vjp([q, k, v], &saved, dy, [true; 3]).ok()
                });
            });
            if n <= 128 {
                group.throughput(Throughput::Elements(operations));
                group.bench_function(BenchmarkId::new("plain", &name), |b| {
                    b.iter(|| attention(black_box(q), k, v, &op.mask));
                });
            }
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = tiles
}
criterion_main!(benches);
