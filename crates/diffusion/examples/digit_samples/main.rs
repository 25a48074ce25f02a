//! Learns to draw handwritten digits: each digit when it is asked for.
//!
//! `cargo run --release -p gradus-diffusion --example digit_samples` takes the 1797 digits of 8 × 8 pixels that are embedded, for a few minutes;
//! `-- --images mnist` the embedded 8000 of MNIST's 28 × 28, `--data DIR` all of them. In the end a LeNet-5 that has learned to read the same digits judges what was drawn:
//! whether it is the digit that was asked for, whether it was copied, how much drawings of a digit differ, and how far all are from real ones.
#![allow(clippy::print_stdout)] // a program prints

mod judge;
mod sheet;

use clap::{Parser, ValueEnum};
use gradus_architectures::{load_weights, save_weights};
use gradus_autograd::Parameters;
use gradus_datasets::{Images, mnist, mnist_subset};
use gradus_diffusion::{
    Decoder, Denoiser, DenoisingTransformer, DenoisingUNet, Diffusion, Prediction, ReverseVariance, Sampler,
    Schedule, TransformerShape, UNetShape, Weighting,
};
use gradus_optimization::{Adam, Averaged};
use gradus_tensor::Tensor;
use gradus_training::{Batches, Error, Options, Recipe, Result, evaluate};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::path::PathBuf;
use std::time::Instant;

/// Learns to draw handwritten digits, and has them judged.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which digits.
    #[arg(long, value_enum, default_value_t = Kind::Small)]
    images: Kind,
    /// A folder with MNIST's four IDX files, in place of the embedded 8000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The steps of the schedule, T.
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// How the noise grows.
    #[arg(long, value_enum, default_value_t = Growth::Cosine)]
    schedule: Growth,
    /// What the network predicts.
    #[arg(long, value_enum, default_value_t = Output::Velocity)]
    predict: Output,
    /// Which network learns.
    #[arg(long, value_enum, default_value_t = Learner::UNet)]
    network: Learner,
    /// The maps of the U-Net's first level (32), or the numbers of the transformer's tokens (96).
    #[arg(long)]
    width: Option<usize>,
    /// How many steps a drawing takes; T for ancestral sampling.
    #[arg(long, default_value_t = 50)]
    sampling: usize,
    /// The noise of those steps: 0 for none, 1 for that of ancestral sampling.
    #[arg(long, default_value_t = 1.0)]
    eta: f64,
    /// How strongly the asked class counts: 1 as learned.
    #[arg(long, default_value_t = 1.5)]
    guidance: f64,
    /// How many drawings are judged; 0 for none.
    #[arg(long, default_value_t = 2000)]
    judged: usize,
    /// Writes ten drawings of each digit, a row a digit, into this PNG file.
    #[arg(long, value_name = "FILE", default_value = "digits.png")]
    sheet: PathBuf,
    /// Writes the steps of ten drawings, from noise to digit, into this PNG file.
    #[arg(long, value_name = "FILE")]
    film: Option<PathBuf>,
    /// Keeps the weights' running means in this safetensors file.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Draws with the weights of `--weights`, without training.
    #[arg(long, requires = "weights")]
    draw: bool,
    /// Also computes the variational bound of so many test images, in bits a pixel.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    bound: usize,
    #[command(flatten)]
    training: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// 8 × 8 pixels, 1797 of them.
    Small,
    /// MNIST's 28 × 28.
    Mnist,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Learner {
    /// Convolutions, down and up again.
    #[value(name = "unet")]
    UNet,
    /// Patches that look at each other.
    Transformer,
}

/// What learns, whichever it is.
trait Network: Denoiser<f32> + Parameters<f32> {}

impl<N: Denoiser<f32> + Parameters<f32>> Network for N {}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Growth {
    /// A squared cosine.
    Cosine,
    /// Ho's line, stretched to the number of steps.
    Linear,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    Noise,
    Data,
    Velocity,
}

/// What is learned from, and what is held back.
struct Data {
    train: Images,
    test: Images,
    classes: u32,
}

impl Data {
    fn of(a: &Arguments) -> Result<Self> {
        let (train, test) = match (a.images, &a.data) {
            (_, Some(folder)) => {
                let all = mnist(folder)?;
                (all.train, all.test)
            }
            (Kind::Mnist, None) => {
                let part = mnist_subset()?;
                (part.train, part.test)
            }
            (Kind::Small, None) => {
                let all = Images::digits()?;
                let (test, train): (Vec<u32>, Vec<u32>) = (0..all.len() as u32).partition(|i| i % 6 == 0);
                (all.samples(&train)?, all.samples(&test)?)
            }
        };
        let classes = train.classes().as_slice().iter().max().map_or(1, |most| most + 1);
        Ok(Self { train, test, classes })
    }

    /// [C, H, W].
    fn shape(&self) -> [usize; 3] {
        [1, self.train.height(), self.train.width()]
    }
}

/// Some images, from −1 (paper) to 1 (ink), with their classes.
fn batch(images: &Images, numbers: &[u32]) -> Result<(Tensor<f32>, Vec<u32>)> {
    let (pixels, classes) = images.batch::<f32>(numbers)?;
    let shape = [numbers.len(), 1, images.height(), images.width()];
    Ok((pixels.reshape(shape)?.map_owned(|p| 2.0 * p - 1.0), classes.into_vec()))
}

fn diffusion(a: &Arguments) -> Result<Diffusion> {
    let stretch = 1000.0 / a.steps as f64;
    let schedule = match a.schedule {
        Growth::Cosine => Schedule::cosine(a.steps)?,
        Growth::Linear => Schedule::linear(a.steps, 1e-4 * stretch, 0.02 * stretch)?,
    };
    let prediction = match a.predict {
        Output::Noise => Prediction::Noise,
        Output::Data => Prediction::Data,
        Output::Velocity => Prediction::Velocity,
    };
    Ok(Diffusion::new(schedule, prediction).weighting(Weighting::Simple))
}

fn sampler(a: &Arguments, diffusion: &Diffusion) -> Result<Sampler> {
    let sampler = Sampler::ddim(diffusion.clone(), a.sampling, a.eta)?;
    Ok(sampler.guidance(a.guidance)?.clip(-1.0, 1.0)?)
}

/// A network for images of this size.
fn network(a: &Arguments, data: &Data) -> Result<Box<dyn Network>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let (small, classes) = (data.train.height() < 16, data.classes);
    Ok(match a.network {
        Learner::UNet => {
            let (width, levels) = (a.width.unwrap_or(32), if small { 2 } else { 3 });
            Box::new(DenoisingUNet::new(UNetShape { width, levels, classes, ..UNetShape::default() }, rng)?)
        }
        Learner::Transformer => {
            let (width, patch) = (a.width.unwrap_or(96), if small { 2 } else { 4 });
            let shape = TransformerShape { width, patch, layers: 6, classes, ..TransformerShape::default() };
            Box::new(DenoisingTransformer::new(shape, rng)?)
        }
    })
}

fn run(a: &Arguments) -> Result<()> {
    let data = Data::of(a)?;
    let small = data.train.height() < 16;
    let recipe = if small {
        Recipe { epochs: 120, batch: 64, rate: 2e-3, warmup: None }
    } else {
        Recipe { epochs: 20, batch: 64, rate: 1e-3, warmup: None }
    };
    let net = network(a, &data)?;
    let net = &*net;
    let diffusion = diffusion(a)?;
    println!(
        "{} numbers to learn; {} images of {} × {} to learn from",
        net.parameter_count(),
        data.train.len(),
        data.train.height(),
        data.train.width()
    );
    if let (true, Some(file)) = (a.draw, &a.weights) {
        load_weights(net, file).map_err(Error::other)?;
    } else {
        learn(a, net, &diffusion, &data, &recipe)?;
        if let Some(file) = &a.weights {
            save_weights(net, file)?;
        }
    }
    let sampler = sampler(a, &diffusion)?;
    sheet::write(a, net, &sampler, &data)?;
    if a.bound > 0 {
        bound(a, net, &diffusion, &data)?;
    }
    if a.judged > 0 { judge::judge(a, net, &sampler, &data) } else { Ok(()) }
}

/// Trains, and leaves the running means of the weights in the network.
fn learn(
    a: &Arguments,
    net: &dyn Network,
    diffusion: &Diffusion,
    data: &Data,
    recipe: &Recipe,
) -> Result<()> {
    let mut adam = Averaged::new(Adam::new(recipe.rate), 0.999)?;
    let batches = Batches::new(data.train.len(), a.training.batch(recipe))?.shuffled();
    let mut validate = || {
        evaluate(data.test.len().min(1000), 250, |numbers| {
            let (x0, labels) = batch(&data.test, numbers)?;
            let loss = diffusion.loss(net, &x0, Some(&labels), &mut gradus_autograd::Mode::Eval)?;
            Ok((loss.item()?.into(), None))
        })
    };
    a.training.run(net, &mut adam, recipe, batches, Some(&mut validate), |numbers, mode| {
        let (x0, labels) = batch(&data.train, numbers)?;
        Ok(diffusion.loss(net, &x0, Some(&labels), mode)?.into())
    })?;
    Ok(adam.load_into(net)?)
}

/// The bound of some test images, in bits a pixel, with the levels that the pixels have.
fn bound(a: &Arguments, net: &dyn Network, diffusion: &Diffusion, data: &Data) -> Result<()> {
    let numbers: Vec<u32> = (0..a.bound.min(data.test.len()) as u32).collect();
    let (x0, labels) = batch(&data.test, &numbers)?;
    let decoder = Decoder::Discretised(u32::from(data.test.white()) + 1);
    let start = Instant::now();
    let bar = indicatif::ProgressBar::new(diffusion.schedule.steps() as u64);
    let given = (decoder, ReverseVariance::Posterior);
    let bound = diffusion.bound(net, (&x0, Some(&labels)), given, a.training.seed, |_| bar.inc(1))?;
    bar.finish_and_clear();
    println!(
        "bound on {} test images: {:.3} bits a pixel (prior {:.2e} nats, steps {:.2}, decoder {:.2}), {:.0} s",
        numbers.len(),
        bound.bits_per_dimension(),
        bound.prior,
        bound.steps.iter().sum::<f64>(),
        bound.decoder,
        start.elapsed().as_secs_f64()
    );
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
