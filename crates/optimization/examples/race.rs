//! Lets the optimisers race on the diabetes data: least squares in mini-batches, the columns as badly scaled as they were measured.
//!
//! `cargo run --release -p gradus-optimization --example race -- --epochs 200 --batch 32`

#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_autograd::{Var, parameters};
use gradus_datasets::{Regression, diabetes};
use gradus_optimization::{
    Adam, AdamW, Cosine, Group, Optimizer, RmsProp, Schedule, Sgd, Warmup, clip_grad_norm,
};
use gradus_tensor::{Scalar, Tensor};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// A line in ten dimensions.
struct Line<T: Scalar> {
    weight: Var<T>,
    bias: Var<T>,
}
parameters!(Line<T> { weight, bias });

impl Line<f64> {
    fn loss(&self, data: &Regression) -> Outcome<Var<f64>> {
        // Columns of about 1: years, mmHg and mg/dL by the hundred. Their sizes still differ by a factor of a hundred.
        let x = Var::constant(data.features.scale(0.01));
        let y = Var::constant(data.target.scale(0.01).insert_axis(1)?);
        let off = x.matmul(&self.weight)?.add(&self.bias)?.sub(&y)?;
        Ok(off.mul(&off)?.mean()?)
    }
}

/// Least squares on the diabetes data by every optimiser, each at a rate that suits it, and what is left of the loss.
#[derive(Parser)]
struct Arguments {
    /// How often every sample is seen.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// The samples of a batch.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

fn main() -> Outcome<()> {
    let Arguments { epochs, batch } = Arguments::parse();
    let (epochs, batch) = (epochs as usize, batch as usize);
    let data = diabetes()?;
    let steps = (epochs * data.len().div_ceil(batch)) as u64;
    // Biases do not decay.
    let group = || Group::suffix("bias").weight_decay(0.0);
    let racers: Vec<(&str, f64, Box<dyn Optimizer<f64>>)> = vec![
        ("SGD", 0.05, Box::new(Sgd::new(0.05))),
        ("momentum", 0.05, Box::new(Sgd::new(0.05).momentum(0.9))),
        ("Nesterov", 0.05, Box::new(Sgd::new(0.05).momentum(0.9).nesterov(true))),
        ("RMSProp", 0.01, Box::new(RmsProp::new(0.01))),
        ("Adam", 0.01, Box::new(Adam::new(0.01))),
        ("AdamW", 0.01, Box::new(AdamW::new(0.01).group(group()))),
    ];
    println!("{:>10} {:>10} {:>10} {:>10}", "", "a tenth", "half", "the end");
    for (name, rate, mut optimizer) in racers {
        let schedule = Warmup::new(steps / 20, Cosine::new(rate, 0.0, (steps - steps / 20).max(1))?)?;
        let (weight, bias) = (Var::parameter(Tensor::zeros([10, 1])?), Var::parameter(Tensor::zeros([1])?));
        let line = Line { weight, bias };
        let (mut step, mut marks) = (0, Vec::new());
        for epoch in 0..epochs {
            let shuffled = data.shuffle(epoch as u64)?;
            let all: Vec<u32> = (0..data.len() as u32).collect();
            for numbers in all.chunks(batch) {
                let loss = line.loss(&shuffled.samples(numbers)?)?;
                let mut gradients = loss.backward()?;
                drop(loss);
                clip_grad_norm(&line, &mut gradients, 10.0)?;
                optimizer.set_learning_rate(schedule.rate(step))?;
                optimizer.step(&line, &gradients)?;
                step += 1;
            }
            if [epochs.div_ceil(10), epochs.div_ceil(2), epochs].contains(&(epoch + 1)) {
                marks.push(format!("{:>10.4}", line.loss(&data)?.item()?));
            }
        }
        println!("{name:>10} {}", marks.join(" "));
    }
    println!("(mean squared error, in units of 100²)");
    Ok(())
}
