//! The adding problem: two numbers stand somewhere in a long sequence of numbers, marked; what is their sum?
//!
//! `cargo run --release -p gradus-lstm --example adding -- --length 200` trains an LSTM on sequences that are made as it goes; `--cell rnn` or `--cell gru` trains another recurrence on the same.
//! Who knows nothing but the mean errs by 1/6 (the variance of the sum of two uniform numbers). After S. Hochreiter & J. Schmidhuber, Long short-term memory, 1997, §5.4.
#![allow(clippy::print_stdout)] // a program prints

use clap::{Parser, ValueEnum};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_initialization::Stream;
use gradus_layers::Linear;
use gradus_losses::{Elementwise, Mse, Reduction};
use gradus_lstm::{Gru, Lstm, LstmShape, Rnn};
use gradus_optimization::Adam;
use gradus_tensor::{Scalar, Tensor};
use gradus_training::{Batches, Options, Recipe, Result, evaluate};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// Trains a recurrence to add two marked numbers of a long sequence; the last line is its error on sequences that it has not seen.
#[derive(Debug, Parser)]
struct Arguments {
    /// The steps of a sequence.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..))]
    length: u32,
    /// Which recurrence.
    #[arg(long, value_enum, default_value_t = Cell::Lstm)]
    cell: Cell,
    /// Its units.
    #[arg(long, default_value_t = 64)]
    hidden: usize,
    #[command(flatten)]
    training: Options,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Cell {
    Lstm,
    Gru,
    Rnn,
}

struct Net<T: Scalar> {
    recurrence: Box<dyn Layer<T>>,
    head: Linear<T>,
}

parameters!(Net<T> { recurrence, head });

impl Net<f32> {
    /// The sums, from the last output.
    fn sums(&self, x: &Var<f32>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<f32>> {
        let last = x.shape().size(1)? - 1;
        self.head.forward(&self.recurrence.forward(x, mode)?.select(1, last)?, mode)
    }
}

/// Sequences by their numbers: each a number within 0 and 1 and a mark a step, one mark in either half; and the sums of the marked.
fn sequences(numbers: &[u32], length: usize, seed: u64) -> Result<(Var<f32>, Var<f32>)> {
    let mut x = Tensor::zeros([numbers.len(), length, 2])?;
    let mut sums = Vec::new();
    for (row, &number) in numbers.iter().enumerate() {
        let stream = Stream::new(seed ^ (u64::from(number) << 20));
        let values = stream.uniform::<f32>([length + 2])?;
        let half = length / 2;
        let place = |k: usize, first: usize, size: usize| {
            first + ((values.as_slice()[length + k] * size as f32) as usize).min(size - 1)
        };
        let marked = [place(0, 0, half), place(1, half, length - half)];
        for t in 0..length {
            x.set([row, t, 0], values.as_slice()[t])?;
        }
        for t in marked {
            x.set([row, t, 1], 1.0)?;
        }
        sums.push([values.as_slice()[marked[0]] + values.as_slice()[marked[1]]]);
    }
    let sums = sums.concat();
    Ok((Var::constant(x), Var::constant(Tensor::from_vec(sums, [numbers.len(), 1])?)))
}

fn run(a: &Arguments) -> Result<()> {
    let (length, hidden) = (a.length as usize, a.hidden);
    let recipe = Recipe { epochs: 10, batch: 50, rate: 0.01, warmup: None };
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let recurrence: Box<dyn Layer<f32>> = match a.cell {
        Cell::Lstm => Box::new(Lstm::new(LstmShape::new(2, hidden), rng)?.remembering(length, rng)?),
        Cell::Gru => Box::new(Gru::new(2, hidden, rng)?),
        Cell::Rnn => Box::new(Rnn::new(2, hidden, rng)?),
    };
    let net = Net { recurrence, head: Linear::new(hidden, 1, rng)? };
    // An "epoch" is 5000 sequences; every one has others.
    let (samples, size) = (5000, a.training.batch(&recipe));
    let loss = || Elementwise { loss: Mse, reduction: Reduction::Mean };
    a.training.run(
        &net,
        &mut Adam::new(recipe.rate),
        &recipe,
        Batches::new(samples, size)?,
        None,
        |numbers, mode| {
            let seed = match mode {
                Mode::Train(rng) => rng.next_u64(),
                Mode::Eval => 0,
            };
            let (x, sums) = sequences(numbers, length, seed)?;
            Ok(Var::apply(loss(), [&net.sums(&x, mode)?, &sums])?.into())
        },
    )?;
    let test = evaluate(2000, 100, |numbers| {
        let (x, sums) = sequences(numbers, length, !a.training.seed)?;
        let error = Var::apply(loss(), [&net.sums(&x, &mut Mode::Eval)?, &sums])?;
        Ok((f64::from(error.item()?), None))
    })?;
    println!(
        "mean squared error on 2000 new sequences of {length} steps: {:.5} (by the mean alone 0.16667)",
        test.loss
    );
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
