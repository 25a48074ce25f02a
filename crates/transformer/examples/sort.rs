//! An encoder that sorts digits, or reverses them: every position writes one of the result, and has to find out which.
//!
//! `cargo run --release -p gradus-transformer --example sort -- --task reverse --show` also prints where each position looks.
#![allow(clippy::print_stdout)] // a program prints

use clap::{Parser, ValueEnum};
use gradus_autograd::{Mode, Var, no_grad};
use gradus_losses::CrossEntropy;
use gradus_optimization::Adam;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Options, Recipe, Result};
use gradus_transformer::{BlockShape, ModelShape, Tagger};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// The tokens: ten digits, and a padding.
const DIGITS: u32 = 10;
const LONGEST: usize = 12;

/// Trains an encoder to sort, or to reverse, sequences of 1 to 12 digits, and judges it on sequences that it has not seen.
#[derive(Debug, Parser)]
struct Arguments {
    /// What is to be done with the digits.
    #[arg(long, value_enum, default_value_t = Task::Sort)]
    task: Task,
    /// The width of the model.
    #[arg(long, default_value_t = 64)]
    width: usize,
    /// How many heads.
    #[arg(long, default_value_t = 4)]
    heads: usize,
    /// How many blocks.
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// How many sequences to judge by.
    #[arg(long, default_value_t = 5000)]
    judge: usize,
    /// Prints where each position of one sequence looks, block by block.
    #[arg(long)]
    show: bool,
    #[command(flatten)]
    training: Options,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Task {
    /// Smallest first.
    Sort,
    /// Last first.
    Reverse,
}

impl Task {
    fn done(self, digits: &[u32]) -> Vec<u32> {
        let mut out = digits.to_vec();
        match self {
            Self::Sort => out.sort_unstable(),
            Self::Reverse => out.reverse(),
        }
        out
    }
}

/// Sequences side by side, padded; their lengths; and what each position shall write.
struct Batch {
    ids: Tensor<u32>,
    lengths: Vec<usize>,
    wanted: Tensor<u32>,
}

/// Random sequences of every length alike; the judged ones, which a training never draws, are those whose digits add up to a multiple of ten.
fn draw(task: Task, count: usize, judged: bool, rng: &mut dyn Rng) -> Result<Batch> {
    let (mut ids, mut wanted, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    while lengths.len() < count {
        let length = rng.random_range(1..=LONGEST);
        let digits: Vec<u32> = (0..length).map(|_| rng.random_range(0..DIGITS)).collect();
        if digits.iter().sum::<u32>().is_multiple_of(10) != judged {
            continue;
        }
        let pad = |mut digits: Vec<u32>| {
            digits.resize(LONGEST, DIGITS);
            digits
        };
        wanted.extend(pad(task.done(&digits)));
        ids.extend(pad(digits));
        lengths.push(length);
    }
    let ids = Tensor::from_vec(ids, [count, LONGEST])?;
    Ok(Batch { ids, lengths, wanted: Tensor::from_vec(wanted, [count * LONGEST])? })
}

fn loss(net: &Tagger, batch: &Batch, mode: &mut Mode<'_>) -> Result<Var<f32>> {
    let logits = net.forward(&batch.ids, Some(&batch.lengths), mode)?;
    let rows = batch.wanted.len();
    let logits = logits.reshape([rows, DIGITS as usize])?;
    Ok(Var::apply(CrossEntropy::new(&batch.wanted).ignore(DIGITS), [&logits])?)
}

/// The share of sequences of which every digit is right, by length.
fn judge(net: &Tagger, a: &Arguments) -> Result<Vec<(usize, usize)>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed ^ 0x5EED);
    let mut right = vec![(0, 0); LONGEST + 1];
    let mut left = a.judge;
    while left > 0 {
        let batch = draw(a.task, left.min(500), true, rng)?;
        left -= batch.lengths.len();
        let logits = no_grad(|| net.forward(&batch.ids, Some(&batch.lengths), &mut Mode::Eval))?.value();
        let written = logits.argmax_axis(2)?;
        let rows = written.as_slice().chunks(LONGEST).zip(batch.wanted.as_slice().chunks(LONGEST));
        for ((written, wanted), &length) in rows.zip(&batch.lengths) {
            right[length].1 += 1;
            right[length].0 += usize::from(written[..length] == wanted[..length]);
        }
    }
    Ok(right)
}

/// One sequence, and how each block's heads look at it: a row a position, the darker the more.
fn show(net: &Tagger, task: Task) -> Result<()> {
    let digits = [3u32, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];
    println!("\n{digits:?} → {:?}", task.done(&digits));
    let ids = Tensor::from_vec(digits.to_vec(), [1, LONGEST])?;
    for (block, weights) in net.weights(&ids, None)?.iter().enumerate() {
        for head in 0..weights.dims()[1] {
            println!("block {block}, head {head}");
            for query in weights.select(0, 0)?.select(0, head)?.rows()? {
                let shades: String = query.as_slice().iter().map(|&w| shade(w)).collect();
                println!("  {shades}");
            }
        }
    }
    Ok(())
}

fn shade(weight: f32) -> char {
    let shades = [' ', '·', '░', '▒', '▓', '█'];
    shades[((weight * 6.0) as usize).min(5)]
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 20, batch: 128, rate: 0.003, warmup: None };
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let block = BlockShape { dropout: 0.0, ..BlockShape::new(a.width, a.heads) };
    let shape = ModelShape { block, layers: a.layers, source: DIGITS as usize + 1, target: DIGITS as usize };
    let net = Tagger::<f32>::new(shape, rng)?;
    let batch = a.training.batch(&recipe);
    // An epoch is 200 batches of sequences that are drawn when they are needed.
    a.training.run(&net, &mut Adam::new(recipe.rate), &recipe, Batches::new(200, 1)?, None, |_, mode| {
        let batch = match mode {
            Mode::Train(rng) => draw(a.task, batch, false, *rng)?,
            Mode::Eval => draw(a.task, batch, false, &mut ChaCha8Rng::seed_from_u64(0))?,
        };
        Ok(loss(&net, &batch, mode)?.into())
    })?;
    let right = judge(&net, a)?;
    for (length, (right, of)) in right.iter().enumerate().filter(|(_, (_, of))| *of > 0) {
        println!("length {length:2}: {right} of {of}");
    }
    let [right, of] = right.iter().fold([0, 0], |[a, b], (right, of)| [a + right, b + of]);
    println!(
        "{:?}: {:.2} % of {of} new sequences without a mistake",
        a.task,
        100.0 * right as f64 / of as f64
    );
    if a.show { show(&net, a.task) } else { Ok(()) }
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
