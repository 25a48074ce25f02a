//! Trains a small ResNet, of the paper's kind for images of 32 × 32, on handwritten digits.
//!
//! `cargo run --release -p gradus-architectures --example resnet_mnist -- --data DIR --epochs 6` takes MNIST's four files from a folder; without `--data` it takes the 10,000 images that are
//! embedded in `gradus-datasets`. `--weights FILE` keeps what was learned, `--weights FILE --evaluate` judges it again, and `--mistakes FILE.svg` draws what it gets wrong.
#![allow(clippy::print_stdout)] // a program prints

mod digits;
#[path = "shared/exit.rs"]
mod exit;
#[path = "shared/training.rs"]
mod training;

use clap::Parser;
use digits::{Options, Recipe};
use gradus_architectures::{ResNet, ResNetShape, Start};
use gradus_training::Result;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Trains a small ResNet on handwritten digits; the last line is its accuracy on the test images.
#[derive(Debug, Parser)]
struct Arguments {
    /// n, the blocks of each of the three stages: 6n + 2 layers.
    #[arg(long, default_value_t = 1)]
    blocks: usize,
    /// The maps of the first stage.
    #[arg(long, default_value_t = 16)]
    width: usize,
    /// The greatest learning rate, of one cycle.
    #[arg(long, default_value_t = 0.1)]
    rate: f64,
    /// What is taken of every parameter in a step, times the rate.
    #[arg(long, default_value_t = 5e-4)]
    decay: f64,
    #[command(flatten)]
    options: Options,
}

fn run(a: &Arguments) -> Result<()> {
    let shape = ResNetShape { channels: 1, width: a.width, ..ResNetShape::cifar(a.blocks)? };
    let rng = &mut ChaCha8Rng::seed_from_u64(a.options.training.seed);
    let net = ResNet::<f32>::new(&shape, &mut Start::Random(rng))?;
    let recipe = Recipe { rate: a.rate, weight_decay: a.decay };
    digits::run(&a.options, &format!("ResNet of {} layers", shape.layers()), &net, &recipe)
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.options.training.main(|| run(&a))
}
