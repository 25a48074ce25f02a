//! What the programs share that learn to read handwritten digits: their images, and what is shown in the end.

mod mistakes;

use super::training::Training;

use clap::Args;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var};
use gradus_datasets::{Images, Mnist, mnist, mnist_subset};
use gradus_losses::CrossEntropy;
use gradus_optimization::Sgd;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Error, Result, Scored, confusion, correct, evaluate};
use std::path::{Path, PathBuf};

/// The options of all of them.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// A folder with MNIST's four IDX files, gzip or not; without it, the embedded 8000 + 2000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// By how many pixels training images are moved at most, in each direction by chance.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    shift: u8,
    /// Draws which digits are taken for which, and the worst mistakes, into this SVG file.
    #[arg(long, value_name = "FILE")]
    mistakes: Option<PathBuf>,
    #[command(flatten)]
    pub(super) training: Training,
}

/// How a network is trained.
pub(super) struct Recipe {
    /// The greatest rate, of one cycle.
    pub(super) rate: f64,
    /// λ of all parameters.
    pub(super) weight_decay: f64,
}

/// Digits of 28 × 28 come in a square of 32 × 32, as in LeNet's paper.
const SIDE: usize = 32;

/// Some images and their classes. Paper is −0.1 and ink 1.175, as in that paper, so that a pixel's mean is about 0 and its variance about 1. In training each is
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

/// An error about a file.
fn refused(file: &Path, why: impl ToString) -> Error {
    Error::File { file: file.display().to_string(), why: why.to_string() }
}

/// The images to learn from, and those to judge by.
fn data(a: &Options) -> Result<Mnist> {
    let data = match &a.data {
        Some(folder) => mnist(folder)?,
        None => mnist_subset()?,
    };
    for images in [&data.train, &data.test] {
        let (h, w, most) = (images.height(), images.width(), SIDE - 2 * usize::from(a.shift));
        if h.max(w) > most {
            let allowed = format!("up to {most}×{most}, so that they can be moved within {SIDE}×{SIDE}");
            let (name, value) = ("images of", format!("{h}×{w}"));
            return Err(Error::Argument { op: "digits", name, value, allowed });
        }
    }
    Ok(data)
}

/// Trains the network, or reads its weights, and judges it.
pub(super) fn run(a: &Options, name: &str, net: &dyn Layer<f32>, recipe: &Recipe) -> Result<()> {
    let data = data(a)?;
    let (learned, test) = (&data.train, &data.test);
    println!(
        "{name}, {} numbers to learn; {} images to learn from, {} to judge by",
        net.parameter_count(),
        learned.len(),
        test.len()
    );
    let mut sgd = Sgd::new(recipe.rate).momentum(0.9).nesterov(true).weight_decay(recipe.weight_decay);
    let batches = Batches::new(learned.len(), a.training.batch)?.shuffled();
    a.training.run(net, &mut sgd, recipe.rate, batches, |numbers, mode| {
        let (x, classes) = batch(learned, numbers, a.shift, mode)?;
        let scores = net.forward(&x, mode)?;
        let loss = Var::apply(CrossEntropy::new(&classes), [&scores])?;
        Scored::classes(loss, &scores, &classes)
    })?;

    let (mut all, mut classes) = (Vec::new(), Vec::new());
    let judged = evaluate(test.len(), 500, |numbers| {
        let (x, of) = batch(test, numbers, 0, &mut Mode::Eval)?;
        let scores = net.forward(&x, &mut Mode::Eval)?.value();
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
