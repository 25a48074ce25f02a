//! Convolutions in every way of computing that takes them, forward and back, and pooling. Throughput is in multiply-add operations counted as two.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_autograd::Op;
use gradus_benches::normal;
use gradus_cnn::{Algorithm, AveragePool, ConvShape, Convolution, MaxPool, Window};
use gradus_tensor::Tensor;
use std::hint::black_box;
use std::time::Duration;

fn tensor(dims: &[usize]) -> Tensor<f32> {
    match normal::<f32>(dims) {
        Ok(x) => x,
        Err(e) => unreachable!("a shape: {e}"),
    }
}

/// Name, shape, side, and the ways that take it.
fn cases() -> Vec<(&'static str, ConvShape<2>, usize, Vec<Algorithm>)> {
    use Algorithm::{Depthwise, Shift, Unfold, Winograd2, Winograd4};
    let three = [Window::new(3).padded(1); 2];
    let wide = |c| ConvShape::new(c, c, three);
    vec![
        ("3x3_64_56", wide(64), 56, vec![Unfold, Shift, Winograd2, Winograd4]),
        ("3x3_256_14", wide(256), 14, vec![Unfold, Shift, Winograd2, Winograd4]),
        ("1x1_256_64_56", ConvShape::pointwise(256, 64), 56, vec![Unfold, Shift]),
        ("depthwise_128_56", ConvShape::depthwise(128, three), 56, vec![Depthwise]),
        (
            "stem_3_64_224",
            ConvShape::new(3, 64, [Window::new(7).stride(2).padded(3); 2]),
            224,
            vec![Unfold, Shift],
        ),
    ]
}

const BATCH: usize = 4;

fn convolutions(c: &mut Criterion) {
    for (name, shape, side, ways) in cases() {
        let mut group = c.benchmark_group(format!("conv_{name}"));
        let Ok(counts) = shape.counts(BATCH, [side; 2]) else { unreachable!("the windows fit") };
        let [down, across] = shape.windows.map(|w| w.size);
        let x = tensor(&[BATCH, shape.in_channels, side, side]);
        let w = tensor(&[shape.out_channels, shape.in_channels / shape.groups, down, across]);
        for way in ways {
            let op = Convolution::new(shape.windows).groups(shape.groups).by(way);
            group.throughput(Throughput::Elements(2 * counts.multiplications));
            group.bench_function(BenchmarkId::new("forward", format!("{way:?}")), |b| {
                b.iter(|| op.value(black_box(&x), &w, None).ok());
            });
            let Ok(dy) = op.value(&x, &w, None) else { unreachable!("the shapes fit") };
            group.throughput(Throughput::Elements(4 * counts.multiplications));
            group.bench_function(BenchmarkId::new("gradients", format!("{way:?}")), |b| {
                b.iter(|| op.vjp([black_box(&x), &w], &(), &dy, [true; 2]).ok());
            });
        }
        group.finish();
    }
}

fn pooling(c: &mut Criterion) {
    let mut group = c.benchmark_group("pool_64_56");
    let x = tensor(&[BATCH, 64, 56, 56]);
    // Each number is read once.
    group.throughput(Throughput::Bytes(4 * x.len() as u64));
    for (name, window) in [("2_2", Window::new(2).stride(2)), ("3_2", Window::new(3).stride(2).padded(1))] {
        let (max, mean) = (MaxPool::new([window; 2]), AveragePool::new([window; 2]));
        group.bench_function(BenchmarkId::new("max", name), |b| b.iter(|| max.eval([black_box(&x)]).ok()));
        group.bench_function(BenchmarkId::new("mean", name), |b| b.iter(|| mean.eval([black_box(&x)]).ok()));
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    targets = convolutions, pooling
}
criterion_main!(benches);
