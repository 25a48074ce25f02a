//! Group normalisation and SiLU in one visit beside one after the other, as a diffusion's U-Net has them (W11); a training step of that network.
#![allow(missing_docs)] // criterion's macros make the entry points

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use gradus_activations::{Pointwise, Silu};
use gradus_autograd::{Mode, Op};
use gradus_benches::normal;
use gradus_diffusion::{DenoisingUNet, Diffusion, Prediction, Schedule, UNetShape};
use gradus_layers::{GroupNormSilu, GroupNormalization};
use gradus_tensor::Tensor;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::hint::black_box;
use std::time::Duration;

fn normalisation(c: &mut Criterion) {
    let mut group = c.benchmark_group("group_norm_silu_f32");
    for (channels, side) in [(32usize, 28usize), (128, 7)] {
        let dims = [64, channels, side, side];
        let all: Vec<Tensor<f32>> = [&dims[..], &dims[1..2], &dims[1..2], &dims]
            .iter()
            .filter_map(|dims| normal(dims).ok())
            .collect();
        let [x, gain, bias, dy] = &all[..] else { unreachable!("sizes of at least 1") };
        let (at_once, apart) =
            (GroupNormSilu { groups: 8, eps: 1e-5 }, GroupNormalization { groups: 8, eps: 1e-5 });
        let name = format!("N64_C{channels}_{side}x{side}");
        group.throughput(Throughput::Elements(x.len() as u64));
        group.bench_function(BenchmarkId::new("at_once", &name), |b| {
            b.iter(|| {
                let (_, saved) = Op::<f32, 3>::forward(&at_once, black_box([x, gain, bias])).ok()?;
                at_once.vjp([x, gain, bias], &saved, dy, [true; 3]).ok()
            });
        });
        group.bench_function(BenchmarkId::new("apart", &name), |b| {
            b.iter(|| {
                let (z, saved) = apart.forward(black_box([x, gain, bias])).ok()?;
                let (_, ()) = Pointwise(Silu).forward([&z]).ok()?;
                let [dz] = Pointwise(Silu).vjp([&z], &(), dy, [true]).ok()?;
                apart.vjp([x, gain, bias], &saved, &dz?, [true; 3]).ok()
            });
        });
    }
}

fn step(c: &mut Criterion) {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (Ok(net), Ok(x0)) =
        (DenoisingUNet::<f32>::new(UNetShape::default(), rng), normal::<f32>([64, 1, 28, 28]))
    else {
        unreachable!("sizes of at least 1")
    };
    let diffusion = Diffusion::new(Schedule::ho2020(), Prediction::Noise);
    let mut group = c.benchmark_group("denoising_unet_f32");
    group.throughput(Throughput::Elements(64));
    group.bench_function(BenchmarkId::new("forward_backward", "N64_28x28"), |b| {
        b.iter(|| diffusion.loss(&net, &x0, None, &mut Mode::Train(rng)).ok()?.backward().ok());
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).measurement_time(Duration::from_secs(3));
    targets = normalisation, step
}
criterion_main!(benches);
