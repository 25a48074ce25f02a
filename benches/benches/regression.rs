//! Linear regression in closed form on tall data: the multiplications that one triangle of XᵀX needs, by each method.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use gradus_benches::normal;
use gradus_linear_regression::{LinearRegression, Method};
use gradus_tensor::{Result, Tensor};
use std::hint::black_box;
use std::time::Duration;

/// X and y = Xθ + noise.
fn data(n: usize, d: usize) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let x = normal([n, d])?;
    let y = x.matmul(&normal([d, 1])?)?.remove_axis(1)?.add(&normal([n])?.scale(0.1))?;
    Ok((x, y))
}

fn fit(c: &mut Criterion) {
    let mut group = c.benchmark_group("linear_regression_f64");
    group.sampling_mode(SamplingMode::Flat);
    for [n, d] in [[10_000, 10], [1_000_000, 50], [100_000, 200]] {
        let Ok((x, y)) = data(n, d) else { unreachable!("shapes that fit") };
        group.throughput(Throughput::Elements((n * d * (d + 1)) as u64));
        for (name, method) in
            [("normal", Method::NormalEquations), ("qr", Method::Qr), ("auto", Method::Auto)]
        {
            let model = LinearRegression::new().intercept(false).method(method);
            group.bench_function(BenchmarkId::new(name, format!("{n}x{d}")), |b| {
                b.iter(|| model.fit(black_box(&x), &y))
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = fit
}
criterion_main!(benches);
