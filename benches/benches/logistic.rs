//! Logistic regression: fits of two classes and of several, in samples a second.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gradus_benches::normal;
use gradus_datasets::{breast_cancer, digits};
use gradus_logistic_regression::{LogisticRegression, SoftmaxRegression};
use gradus_tensor::{Result, Tensor};
use std::hint::black_box;

/// Labels that overlap: the sign of a sum with noise in it.
fn tall(n: usize, d: usize) -> Result<(Tensor<f64>, Tensor<u32>)> {
    let x = normal::<f64>([n, d])?;
    let sums = x.sum_axis(1)?;
    let y =
        sums.as_slice().iter().enumerate().map(|(i, s)| u32::from(*s + 9.0 * (i as f64 * 0.7).sin() > 0.0));
    let y = y.collect();
    Ok((x, y))
}

fn two_classes(c: &mut Criterion) {
    let mut group = c.benchmark_group("logistic_f64");
    group.sample_size(20);
    let cancer = breast_cancer().map(|data| (data.features, data.target)).ok();
    let sets = [
        ("cancer569x30", cancer),
        ("normal10kx20", tall(10_000, 20).ok()),
        ("normal100kx50", tall(100_000, 50).ok()),
    ];
    for (name, data) in sets {
        let Some((x, y)) = data else { unreachable!("embedded, or of a small shape") };
        group.throughput(Throughput::Elements(y.len() as u64));
        let model = LogisticRegression::new().l2(1.0);
        group.bench_function(name, |b| b.iter(|| model.fit(black_box(&x), black_box(&y))));
    }
}

fn several(c: &mut Criterion) {
    let mut group = c.benchmark_group("softmax_f64");
    group.sample_size(10);
    let Ok(data) = digits() else { unreachable!("embedded") };
    group.throughput(Throughput::Elements(data.len() as u64));
    let model = SoftmaxRegression::new(10).l2(1.0);
    group.bench_function("digits1797x64x10", |b| {
        b.iter(|| model.fit(black_box(&data.features), black_box(&data.target)))
    });
}

criterion_group!(benches, two_classes, several);
criterion_main!(benches);
