//! Trains a network 784–128–10 on handwritten digits.
//!
//! `cargo run --release -p gradus-training --example mnist_mlp -- --data DIR` takes MNIST's four files from a folder; without
//! `--data` it takes the 10,000 images that are embedded in `gradus-datasets`.
#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Parameters, Var, parameters};
use gradus_datasets::{Images, mnist, mnist_subset};
use gradus_layers::Linear;
use gradus_losses::CrossEntropy;
use gradus_optimization::{OneCycle, Sgd};
use gradus_tensor::{Scalar, Tensor};
use gradus_training::{Batches, Checkpoint, Progress, Result, Scored, Trainer, correct, evaluate};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::path::PathBuf;

/// Trains a network 784–128–10 on handwritten digits; the last line is its accuracy on the test images.
#[derive(Debug, Parser)]
struct Arguments {
    /// A folder with MNIST's four IDX files, gzip or not; without it, the embedded 8000 + 2000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How often every image is learned from.
    #[arg(long, default_value_t = 5)]
    epochs: u64,
    /// Images a batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The greatest learning rate, of one cycle.
    #[arg(long, default_value_t = 0.12)]
    rate: f64,
    /// What all that is random follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes a checkpoint to this file after each epoch.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Goes on from the checkpoint, if there is one.
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// How many threads work; 0 for as many as there are cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Draws the learning curves into this SVG file.
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Writes what each epoch came to into this CSV file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// Pixels to 128 features to scores.
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

/// The pixels of some images as rows, and their classes.
fn batch(images: &Images, numbers: &[u32]) -> Result<(Var<f32>, Tensor<u32>)> {
    let (pixels, classes) = images.batch(numbers)?;
    let rows = pixels.reshape([numbers.len(), images.height() * images.width()])?;
    Ok((Var::constant(rows), classes))
}

/// Loss and hits on a part of the data.
fn score(net: &Mlp<f32>, images: &Images, numbers: &[u32], mode: &mut Mode<'_>) -> Result<Scored<f32>> {
    let (x, classes) = batch(images, numbers)?;
    let scores = net.forward(&x, mode)?;
    let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
    Scored::classes(loss, &scores, &classes)
}

fn run(a: &Arguments) -> Result<()> {
    let data = match &a.data {
        Some(folder) => mnist(folder)?,
        None => mnist_subset()?,
    };
    let (train, test) = (&data.train, &data.test);
    let mut rng = ChaCha8Rng::seed_from_u64(a.seed);
    let pixels = train.height() * train.width();
    let net = Mlp { fc1: Linear::new(pixels, 128, &mut rng)?, fc2: Linear::new(128, 10, &mut rng)? };
    println!(
        "{pixels}–128–10, {} numbers to learn; {} images to learn from, {} to judge by",
        net.parameter_count(),
        train.len(),
        test.len()
    );

    let batches = Batches::new(train.len(), a.batch)?.shuffled();
    let mut sgd = Sgd::new(a.rate).momentum(0.9).nesterov(true);
    let schedule = OneCycle::new(a.rate, a.epochs * batches.len() as u64)?;
    let mut progress = Progress::new();
    let mut trainer = Trainer::new(&net, &mut sgd, batches)
        .epochs(a.epochs)
        .seed(a.seed)
        .schedule(schedule)
        .observer(&mut progress);
    if let Some(file) = &a.checkpoint {
        trainer = trainer.checkpoint(file).resume(a.resume);
        if a.resume && file.exists() {
            println!("going on after epoch {}", Checkpoint::<f32>::load(file)?.epoch);
        }
    }
    let report = trainer.run(|numbers, mode| score(&net, train, numbers, mode))?;
    drop(progress);

    report.history.epochs.iter().for_each(|epoch| println!("{epoch}"));
    if let Some(file) = &a.curves {
        report.history.write_svg(file)?;
    }
    if let Some(file) = &a.csv {
        report.history.write_csv(file)?;
    }
    let judged = evaluate(test.len(), 1000, |numbers| {
        let (x, classes) = batch(test, numbers)?;
        let scores = net.forward(&x, &mut Mode::Eval)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?.item()?;
        Ok((loss.into(), Some(correct(&scores.value(), &classes)?)))
    })?;
    println!("test loss {:.4}", judged.loss);
    let share = judged.accuracy.unwrap_or(f64::NAN);
    println!("accuracy on {} test images: {:.2} %", test.len(), 100.0 * share);
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    match gradus_tensor::with_threads(a.threads, || run(&a)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
