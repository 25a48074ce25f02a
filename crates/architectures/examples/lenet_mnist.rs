//! Trains LeNet-5 on handwritten digits, in its modern form or as it was published.
//!
//! `cargo run --release -p gradus-architectures --example lenet_mnist -- --data DIR` takes MNIST's four files from a folder; without `--data` it
//! takes the 10,000 images that are embedded in `gradus-datasets`. `--weights FILE` keeps what was learned, `--weights FILE --evaluate` judges it again, and
//! `--mistakes FILE.svg` draws what it gets wrong.
#![allow(clippy::print_stdout)] // a program prints

mod digits;
#[path = "shared/exit.rs"]
mod exit;
#[path = "shared/training.rs"]
mod training;

use clap::{Parser, ValueEnum};
use digits::{Options, Recipe};
use gradus_architectures::{LeNet, LeNet1998, LeNet1998Shape, LeNetShape, Squashing};
use gradus_autograd::Layer;
use gradus_training::{Error, Result};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Which of the two networks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Dense convolutions, averages, scores: 61,706 parameters.
    Modern,
    /// Sparse connections, subsampling that is learned, radial basis functions: 60,000 parameters.
    #[value(name = "1998")]
    Published,
}

/// What stands between the layers of the modern form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Activation {
    Tanh,
    Sigmoid,
    Relu,
}

/// Trains LeNet-5 on handwritten digits; the last line is its accuracy on the test images.
#[derive(Debug, Parser)]
struct Arguments {
    /// The network: as it is built today, or as it was published.
    #[arg(long, value_enum, default_value = "modern")]
    form: Form,
    /// The activation of the modern form; that of 1998 has its own. Default: tanh.
    #[arg(long, value_enum)]
    activation: Option<Activation>,
    /// The greatest learning rate, of one cycle. Default: 0.1 with tanh, 0.2 with sigmoid, 0.04 with ReLU, 0.006 in 1998.
    #[arg(long)]
    rate: Option<f64>,
    #[command(flatten)]
    options: Options,
}

fn network(a: &Arguments) -> Result<Box<dyn Layer<f32>>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(a.options.training.seed);
    Ok(match a.form {
        Form::Published => Box::new(LeNet1998::new(LeNet1998Shape::published(), rng)?),
        Form::Modern => {
            let squashing = match a.activation.unwrap_or(Activation::Tanh) {
                Activation::Tanh => Squashing::Tanh,
                Activation::Sigmoid => Squashing::Sigmoid,
                Activation::Relu => Squashing::Relu,
            };
            Box::new(LeNet::new(LeNetShape::default(), squashing, rng)?)
        }
    })
}

fn rate(a: &Arguments) -> f64 {
    a.rate.unwrap_or(match (a.form, a.activation) {
        (Form::Published, _) => 0.006,
        (Form::Modern, Some(Activation::Sigmoid)) => 0.2,
        (Form::Modern, Some(Activation::Relu)) => 0.04,
        (Form::Modern, _) => 0.1,
    })
}

fn run(a: &Arguments) -> Result<()> {
    if let (Form::Published, Some(activation)) = (a.form, a.activation) {
        let (name, value) = ("--activation", format!("{activation:?}").to_lowercase());
        let allowed = "none with --form 1998, which has 1.7159·tanh(2a/3)".into();
        return Err(Error::Argument { op: "lenet_mnist", name, value, allowed });
    }
    let form = if a.form == Form::Published { "as published" } else { "in its modern form" };
    let recipe = Recipe { rate: rate(a), weight_decay: 0.0 };
    digits::run(&a.options, &format!("LeNet-5 {form}"), &*network(a)?, &recipe)
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.options.training.main(|| run(&a))
}
