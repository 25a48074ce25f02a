//! Trains LeNet-5 on handwritten digits, in its modern form or as it was published.
//!
//! `cargo run --release -p gradus-architectures --example lenet_mnist -- --data DIR` takes MNIST's four files from a folder; without `--data` it
//! takes the 10,000 images that are embedded in `gradus-datasets`. `--weights FILE` keeps what was learned, `--weights FILE --evaluate` judges it again, and
//! `--mistakes FILE.svg` draws what it gets wrong.
#![allow(clippy::print_stdout)] // a program prints

use clap::{Parser, ValueEnum};
use gradus_activations::Activations;
use gradus_architectures::{LeNet, LeNet1998, LeNet1998Shape, LeNetShape, Squashing};
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_datasets::{Images, mnist, mnist_subset};
use gradus_losses::CrossEntropy;
use gradus_optimization::{OneCycle, Sgd};
use gradus_tensor::{AnyTensor, Tensor, load_safetensors, save_safetensors};
use gradus_training::{
    Batches, Checkpoint, Error, Progress, Result, Scored, Trainer, confusion, correct, evaluate,
};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

#[path = "lenet_mnist/mistakes.rs"]
mod mistakes;

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
    /// A folder with MNIST's four IDX files, gzip or not; without it, the embedded 8000 + 2000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The network: as it is built today, or as it was published.
    #[arg(long, value_enum, default_value = "modern")]
    form: Form,
    /// The activation of the modern form; that of 1998 has its own. Default: tanh.
    #[arg(long, value_enum)]
    activation: Option<Activation>,
    /// How often every image is learned from.
    #[arg(long, default_value_t = 10)]
    epochs: u64,
    /// Images a batch.
    #[arg(long, default_value_t = 64)]
    batch: usize,
    /// The greatest learning rate, of one cycle. Default: 0.1 with tanh, 0.2 with sigmoid, 0.04 with ReLU, 0.006 in 1998.
    #[arg(long)]
    rate: Option<f64>,
    /// By how many pixels training images are moved at most, in each direction by chance.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    shift: u8,
    /// What all that is random follows from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Writes the weights that were learned to this safetensors file; with --evaluate, reads them.
    #[arg(long, value_name = "FILE")]
    weights: Option<PathBuf>,
    /// Trains nothing: judges the weights of --weights.
    #[arg(long, requires = "weights", conflicts_with_all = ["checkpoint", "curves", "csv"])]
    evaluate: bool,
    /// Writes a checkpoint to this file after each epoch.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Goes on from the checkpoint, if there is one.
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// How many threads work; 0 for as many as there are cores.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Draws which digits are taken for which, and the worst mistakes, into this SVG file.
    #[arg(long, value_name = "FILE")]
    mistakes: Option<PathBuf>,
    /// Draws the learning curves into this SVG file.
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Writes what each epoch came to into this CSV file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

/// The paper's images: digits of 28 × 28 in a square of 32 × 32.
const SIDE: usize = 32;

/// Some images and their classes. Paper is −0.1 and ink 1.175, as in the paper, so that a pixel's mean is about 0 and its variance about 1. In training each is
/// moved by up to `shift` pixels.
fn batch(
    images: &Images,
    numbers: &[u32],
    shift: u8,
    mode: &mut Mode<'_>,
) -> Result<(Var<f32>, Tensor<u32>)> {
    let (height, width) = (images.height(), images.width());
    let (pixels, classes) = images.batch::<f32>(numbers)?;
    let moves: Vec<[usize; 2]> = match mode {
        Mode::Train(rng) if shift > 0 => {
            let range = 2 * u64::from(shift) + 1;
            let mut moved = |room: usize| room / 2 + (rng.next_u64() % range) as usize - usize::from(shift);
            numbers.iter().map(|_| [moved(SIDE - height), moved(SIDE - width)]).collect()
        }
        _ => vec![[(SIDE - height) / 2, (SIDE - width) / 2]; numbers.len()],
    };
    let framed = Tensor::compute([numbers.len(), 1, SIDE, SIDE], |out| {
        out.fill(-0.1);
        let pairs = out.chunks_exact_mut(SIDE * SIDE).zip(pixels.as_slice().chunks_exact(height * width));
        for ((out, image), [down, across]) in pairs.zip(moves) {
            for (out, row) in out.chunks_exact_mut(SIDE).skip(down).zip(image.chunks_exact(width)) {
                out[across..across + width].iter_mut().zip(row).for_each(|(out, p)| *out = 1.275 * p - 0.1);
            }
        }
    })?;
    Ok((Var::constant(framed), classes))
}

fn network(a: &Arguments) -> Result<Box<dyn Layer<f32>>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(a.seed);
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

/// An error about a file.
fn refused(file: &Path, why: impl ToString) -> Error {
    Error::File { file: file.display().to_string(), why: why.to_string() }
}

fn load(net: &dyn Layer<f32>, file: &Path) -> Result<()> {
    let mut state = BTreeMap::new();
    for (name, tensor) in load_safetensors(file)? {
        let AnyTensor::F32(tensor) = tensor else {
            return Err(refused(file, format!("`{name}` has other numbers than f32")));
        };
        state.insert(name, tensor);
    }
    let other = "(of another --form?)";
    net.load_state(&state).map_err(|why| refused(file, format!("{why} {other}")))
}

/// What the network makes of images that it does not learn from: scores in the order of the numbers.
fn scores(net: &dyn Layer<f32>, images: &Images, numbers: &[u32]) -> Result<(Tensor<f32>, Tensor<u32>)> {
    let (x, classes) = batch(images, numbers, 0, &mut Mode::Eval)?;
    Ok((net.forward(&x, &mut Mode::Eval)?.value(), classes))
}

fn train(a: &Arguments, net: &dyn Layer<f32>, images: &Images) -> Result<()> {
    let batches = Batches::new(images.len(), a.batch)?.shuffled();
    let rate = rate(a);
    let mut sgd = Sgd::new(rate).momentum(0.9).nesterov(true);
    let schedule = OneCycle::new(rate, a.epochs * batches.len() as u64)?;
    let mut progress = Progress::new();
    let mut trainer = Trainer::new(net, &mut sgd, batches)
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
    let report = trainer.run(|numbers, mode| {
        let (x, classes) = batch(images, numbers, a.shift, mode)?;
        let scores = net.forward(&x, mode)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
        Scored::classes(loss, &scores, &classes)
    })?;
    drop(progress);

    report.history.epochs.iter().for_each(|epoch| println!("{epoch}"));
    if let Some(file) = &a.curves {
        report.history.write_svg(file)?;
    }
    if let Some(file) = &a.csv {
        report.history.write_csv(file)?;
    }
    if let Some(file) = &a.weights {
        let state = net.state().into_iter().map(|(name, tensor)| (name, tensor.into())).collect();
        save_safetensors(file, &state)?;
        println!("weights in {}", file.display());
    }
    Ok(())
}

fn run(a: &Arguments) -> Result<()> {
    if let (Form::Published, Some(activation)) = (a.form, a.activation) {
        let (name, value) = ("--activation", format!("{activation:?}").to_lowercase());
        let allowed = "none with --form 1998, which has 1.7159·tanh(2a/3)".into();
        return Err(Error::Argument { op: "lenet_mnist", name, value, allowed });
    }
    let data = match &a.data {
        Some(folder) => mnist(folder)?,
        None => mnist_subset()?,
    };
    for images in [&data.train, &data.test] {
        let (h, w, most) = (images.height(), images.width(), SIDE - 2 * usize::from(a.shift));
        if h.max(w) > most {
            let allowed = format!("up to {most}×{most}, so that they can be moved within {SIDE}×{SIDE}");
            let (name, value) = ("images of", format!("{h}×{w}"));
            return Err(Error::Argument { op: "lenet_mnist", name, value, allowed });
        }
    }
    let net = network(a)?;
    let form = if a.form == Form::Published { "as published" } else { "in its modern form" };
    println!(
        "LeNet-5 {form}, {} numbers to learn; {} images to learn from, {} to judge by",
        net.parameter_count(),
        data.train.len(),
        data.test.len()
    );
    match &a.weights {
        Some(file) if a.evaluate => load(&*net, file)?,
        _ => train(a, &*net, &data.train)?,
    }

    let test = &data.test;
    let (mut all, mut classes) = (Vec::new(), Vec::new());
    let judged = evaluate(test.len(), 500, |numbers| {
        let (scores, of) = scores(&*net, test, numbers)?;
        let loss = gradus_losses::cross_entropy(&scores, &of)?.mean()?;
        let right = correct(&scores, &of)?;
        all.push(scores);
        classes.push(of);
        Ok((loss.into(), Some(right)))
    })?;
    if let Some(file) = &a.mistakes {
        let scores = Tensor::concatenate(&all.iter().collect::<Vec<_>>(), 0)?;
        let classes = Tensor::concatenate(&classes.iter().collect::<Vec<_>>(), 0)?;
        let counts = confusion(&scores, &classes)?;
        let svg = mistakes::draw(test, &scores.log_softmax(1)?, &classes, &counts)
            .map_err(|why| refused(file, why))?;
        std::fs::write(file, svg).map_err(|why| refused(file, why))?;
        println!("mistakes in {}", file.display());
    }
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
