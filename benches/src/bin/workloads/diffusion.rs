//! W11: a training step of a time-conditioned U-Net, and ten steps of ancestral sampling.

use crate::timing::{Bench, Work};
use gradus_autograd::{Mode, Parameters};
use gradus_benches::normal;
use gradus_diffusion::{DenoisingUNet, Diffusion, Prediction, ReverseVariance, Sampler, Schedule, UNetShape};
use gradus_optimization::{Adam, Optimizer};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::hint::black_box;

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let (step, sample) = ("diffunet_b64_step", "ddpm_sample_b16_10steps");
    if !bench.wants(step) && !bench.wants(sample) {
        return Ok(());
    }
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let net = DenoisingUNet::<f32>::new(UNetShape { heads: 0, ..UNetShape::default() }, rng)?;
    // Blocks that end with weights 0 would be dead ends for half of the gradients' numbers.
    net.named_parameters()
        .iter()
        .filter(|(name, _)| name.ends_with("conv2.weight") || name == "output.weight")
        .try_for_each(|(_, weight)| {
            let fresh = normal::<f32>(weight.shape())?.scale(0.05);
            weight.update(|w| *w = fresh);
            crate::Result::Ok(())
        })?;
    let diffusion = Diffusion::new(Schedule::ho2020(), Prediction::Noise);
    let (x0, mut adam) = (normal::<f32>([64, 1, 28, 28])?, Adam::new(2e-4));
    // As PyTorch counts them.
    let work = Work { flop: 38_700_000_000, items: 64, ..Work::default() };
    bench.case(step, "gradus", work, 1, || {
        let loss = diffusion.loss(&net, &x0, None, &mut Mode::Train(rng))?;
        let gradients = loss.backward()?;
        drop(loss);
        adam.step(&net, &gradients)?;
        Ok(())
    })?;
    // Ten of Ho's steps, the last ones, as the peer takes them: of noise, not of what the steps before would have left.
    let sampler = Sampler::ddpm(Diffusion::new(last_ten()?, Prediction::Noise), ReverseVariance::Step);
    bench.case(sample, "gradus", Work { items: 10, ..Work::default() }, 1, || {
        black_box(sampler.draw::<f32>(&net, [16, 1, 28, 28], None, 1)?);
        Ok(())
    })
}

fn last_ten() -> crate::Result<Schedule> {
    Ok(Schedule::given(&Schedule::ho2020().betas()[..10])?)
}
