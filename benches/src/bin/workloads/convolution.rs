//! W6: convolution, pooling and batch normalisation, forward and with their gradients, over `[32, C, H, H]`.

use crate::timing::{Bench, Work};
use gradus_autograd::{Layer, Mode, Op, Var};
use gradus_benches::normal;
use gradus_cnn::{Algorithm, AveragePool, ConvShape, Convolution, MaxPool, Window};
use gradus_layers::BatchNorm2d;
use rand::SeedableRng;

const BATCH: usize = 32;

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let square = |size| [Window::new(size); 2];
    let same = [Window::new(3).padded(1); 2];
    let cases = [
        ("conv3x3_64_56", 56, ConvShape::new(64, 64, same)),
        ("conv3x3_256_28", 28, ConvShape::new(256, 256, same)),
        ("conv3x3_512_14", 14, ConvShape::new(512, 512, same)),
        ("stem7x7_224", 224, ConvShape::new(3, 64, [Window::new(7).stride(2).padded(3); 2])),
        ("dw3x3_128_56", 56, ConvShape::new(128, 128, same).groups(128)),
        ("conv1x1_256_64_56", 56, ConvShape::new(256, 64, square(1))),
    ];
    for (case, size, shape) in cases {
        convolution(bench, case, size, shape)?;
    }
    let halves = [Window::new(2).stride(2); 2];
    pooling(bench, "maxpool2_64_112", MaxPool::new(halves))?;
    pooling(bench, "avgpool2_64_112", AveragePool::new(halves))?;
    if bench.wants("gap_64_112_f") {
        let x = normal::<f32>([BATCH, 64, 112, 112])?;
        let work = Work { bytes: 5 * x.len(), ..Work::default() };
        let pool = AveragePool::new(square(112));
        bench.case("gap_64_112_f", "gradus", work, 1, || Ok(pool.eval([&x])?))?;
    }
    if bench.wants("batchnorm_64_56_fb") {
        let x = Var::parameter(normal::<f32>([BATCH, 64, 56, 56])?);
        let dy = normal(x.shape())?;
        let layer = BatchNorm2d::new(64)?;
        let mut rng = rand::rngs::ChaCha8Rng::seed_from_u64(1);
        let work = Work { bytes: 4 * 6 * dy.len(), ..Work::default() };
        bench.case("batchnorm_64_56_fb", "gradus", work, 1, || {
            Ok(layer.forward(&x, &mut Mode::Train(&mut rng))?.backward_with(&dy)?)
        })?;
    }
    Ok(())
}

fn convolution(bench: &Bench, case: &str, size: usize, shape: ConvShape<2>) -> crate::Result {
    let (forward, both) = (format!("{case}_f"), format!("{case}_fb"));
    if !bench.wants(&forward) && !bench.wants(&both) {
        return Ok(());
    }
    let counts = shape.counts(BATCH, [size, size])?;
    let [down, across] = shape.windows.map(|w| w.size);
    let x = normal::<f32>([BATCH, shape.in_channels, size, size])?;
    let weight = normal([shape.out_channels, shape.group_channels()?, down, across])?;
    let bias = normal([shape.out_channels])?;
    let automatic = Convolution::new(shape.windows).groups(shape.groups);
    let work = Work { flop: 2 * counts.multiplications as usize, bytes: counts.memory(4)?, items: 0 };
    let ways = [("gradus", automatic), ("own-unfold", automatic.by(Algorithm::Unfold))];
    for (peer, op) in ways {
        bench.case(&forward, peer, work, 1, || Ok(op.eval([&x, &weight, &bias])?))?;
    }
    let dy = normal(automatic.eval([&x, &weight, &bias])?.shape())?;
    let [x, weight, bias] = [x, weight, bias].map(Var::parameter);
    let work = Work { flop: 3 * work.flop, bytes: 3 * work.bytes, items: 0 };
    for (peer, op) in ways {
        bench.case(&both, peer, work, 1, || Ok(Var::apply(op, [&x, &weight, &bias])?.backward_with(&dy)?))?;
    }
    Ok(())
}

fn pooling(bench: &Bench, case: &str, pool: impl Op<f32, 1> + Copy) -> crate::Result {
    let (forward, both) = (format!("{case}_f"), format!("{case}_fb"));
    if !bench.wants(&forward) && !bench.wants(&both) {
        return Ok(());
    }
    let x = normal::<f32>([BATCH, 64, 112, 112])?;
    let work = Work { bytes: 5 * x.len(), ..Work::default() };
    bench.case(&forward, "gradus", work, 1, || Ok(pool.eval([&x])?))?;
    let (dy, x) = (normal([BATCH, 64, 56, 56])?, Var::parameter(x));
    let work = Work { bytes: 2 * work.bytes, ..work };
    bench.case(&both, "gradus", work, 1, || Ok(Var::apply(pool, [&x])?.backward_with(&dy)?))
}
