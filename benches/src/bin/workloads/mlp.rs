//! W14: training a network 784–128–10, batch 64, SGD with momentum: a hundred steps of the loop, from bytes to moved weights.

use crate::timing::{Bench, Work};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_datasets::Images;
use gradus_layers::Linear;
use gradus_losses::CrossEntropy;
use gradus_optimization::Sgd;
use gradus_tensor::Scalar;
use gradus_training::{Batches, Scored, Trainer};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const SIDE: usize = 28;
const BATCH: usize = 64;
const STEPS: usize = 100;

struct Mlp<T: Scalar> {
    fc1: Linear<T>,
    fc2: Linear<T>,
}

parameters!(Mlp<T> { fc1, fc2 });

impl<T: Scalar> Layer<T> for Mlp<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<T>> {
        self.fc2.forward(&self.fc1.forward(x, mode)?.relu()?, mode)
    }
}

/// As many images as MNIST has, a fifth of their pixels inked, as there. What they show does not matter to the time.
fn images() -> crate::Result<Images> {
    const COUNT: usize = 60_000;
    let mut state = 1u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = (state >> 48) as u16;
        if draw % 5 == 0 { (draw >> 8) as u8 } else { 0 }
    };
    let pixels = (0..COUNT * SIDE * SIDE).map(|_| byte()).collect();
    Ok(Images::new(pixels, [COUNT, SIDE, SIDE], (0..COUNT as u32).map(|i| i % 10).collect(), 255)?)
}

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let case = "mlp784_128_10_b64_100";
    if !bench.wants(case) {
        return Ok(());
    }
    let images = images()?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let net =
        Mlp::<f32> { fc1: Linear::new(SIDE * SIDE, 128, &mut rng)?, fc2: Linear::new(128, 10, &mut rng)? };
    let mut sgd = Sgd::new(0.01).momentum(0.9);
    // One epoch of a part of the images a call; the parts follow each other, so that every call has others.
    let numbers = Batches::new(images.len(), images.len())?.shuffled().epoch(1, 0).order().to_vec();
    let batches = Batches::new(BATCH * STEPS, BATCH)?;
    let mut part = 0;
    // The first layer's two products and the second's three, of two operations each.
    let flop = STEPS * BATCH * 2 * (2 * SIDE * SIDE * 128 + 3 * 128 * 10);
    let work = Work { items: STEPS * BATCH, flop, ..Work::default() };
    bench.case(case, "gradus", work, 1, || {
        let first = part * BATCH * STEPS % (images.len() - BATCH * STEPS);
        part += 1;
        let trainer = Trainer::new(&net, &mut sgd, batches.clone());
        trainer.run(|local, mode| {
            let start = first + local[0] as usize;
            let (x, classes) = images.batch::<f32>(&numbers[start..start + local.len()])?;
            let x = Var::constant(x.reshape([local.len(), SIDE * SIDE])?);
            let scores = net.forward(&x, mode)?;
            let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
            Scored::classes(loss, &scores, &classes)
        })?;
        Ok(())
    })
}
