//! Handwritten digits, read row by row: an image of 28 × 28 pixels is a sequence of 28 steps.
//!
//! `cargo run --release -p gradus-lstm --example rows -- --data DIR` takes MNIST's four files from a folder; without `--data` it takes the 10,000 images that are embedded in `gradus-datasets`.
#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_datasets::{Images, Mnist, mnist, mnist_subset};
use gradus_layers::Linear;
use gradus_losses::CrossEntropy;
use gradus_lstm::{Lstm, LstmShape};
use gradus_optimization::Adam;
use gradus_tensor::{Scalar, Tensor};
use gradus_training::{Batches, Error, Options, Recipe, Result, Scored, correct, evaluate};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::path::PathBuf;

/// Trains an LSTM that reads handwritten digits row by row; the last line is its accuracy on the test images.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder with MNIST's four IDX files, gzip or not; without it, the embedded 8000 + 2000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The units of a layer and direction.
    #[arg(long, default_value_t = 128)]
    hidden: usize,
    /// How many layers.
    #[arg(long, default_value_t = 1)]
    layers: usize,
    /// Reads from below, too.
    #[arg(long)]
    bidirectional: bool,
    #[command(flatten)]
    training: Options,
}

struct Net<T: Scalar> {
    lstm: Lstm<T>,
    head: Linear<T>,
}

parameters!(Net<T> { lstm, head });

impl<T: Scalar> Net<T> {
    /// The classes' scores, from the mean of all outputs.
    fn scores(&self, x: &Var<T>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<T>> {
        self.head.forward(&self.lstm.forward(x, mode)?.mean_axis(1)?, mode)
    }
}

/// Some images, rows as steps, and their classes.
fn batch(images: &Images, numbers: &[u32]) -> Result<(Var<f32>, Tensor<u32>)> {
    let (pixels, classes) = images.batch::<f32>(numbers)?;
    let rows = pixels.reshape([numbers.len(), images.height(), images.width()])?;
    Ok((Var::constant(rows.map(|p| (p - 0.1307) / 0.3081)), classes))
}

fn run(a: &Arguments) -> Result<()> {
    let Mnist { train, test, .. } = match &a.data {
        Some(folder) => mnist(folder),
        None => mnist_subset(),
    }
    .map_err(Error::other)?;
    let recipe = Recipe { epochs: 10, batch: 64, rate: 0.003, warmup: None };
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let shape = LstmShape {
        layers: a.layers,
        bidirectional: a.bidirectional,
        dropout: if a.layers > 1 { 0.2 } else { 0.0 },
        ..LstmShape::new(train.width(), a.hidden)
    };
    let net = Net { lstm: Lstm::<f32>::new(shape, rng)?, head: Linear::new(shape.outputs(), 10, rng)? };
    let batches = Batches::new(train.len(), a.training.batch(&recipe))?.shuffled();
    a.training.run(&net, &mut Adam::new(recipe.rate), &recipe, batches, None, |numbers, mode| {
        let (x, classes) = batch(&train, numbers)?;
        let scores = net.scores(&x, mode)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
        Scored::classes(loss, &scores, &classes)
    })?;
    let judged = evaluate(test.len(), 100, |numbers| {
        let (x, classes) = batch(&test, numbers)?;
        let scores = net.scores(&x, &mut Mode::Eval)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?.item()?;
        Ok((f64::from(loss), Some(correct(&scores.value(), &classes)?)))
    })?;
    println!(
        "{:.2} % of {} test images are read rightly",
        100.0 * judged.accuracy.unwrap_or(f64::NAN),
        test.len()
    );
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
