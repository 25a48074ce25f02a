//! The workloads that speed is judged by, one JSON object a line: `{"w", "case", "peer", "threads", "times", …}`, times in seconds.
//!
//! `cargo run --release -p gradus-benches --bin workloads -- --threads 2 --workload W1`. The case names are those that
//! a driver of other libraries uses for the same work, so that one run can put all of them side by side.
#![allow(clippy::print_stdout)] // a program prints

mod architectures;
mod attention;
mod convolution;
mod diffusion;
mod initialization;
mod lenet;
mod limits;
mod logistic;
mod losses;
mod machine;
mod mlp;
mod products;
mod recurrence;
mod regression;
mod small;
mod timing;

use clap::Parser;
use gradus_benches::machine::{Effort, Measurement};
use std::path::{Path, PathBuf};
use std::process::Command;
use timing::Bench;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
type Workload = fn(&Bench) -> Result;

const WORKLOADS: &[(&str, &str, Workload)] = &[
    ("W0", "what the machine can do at most", limits::run),
    ("W1", "products of matrices", products::run),
    ("W2", "activations and softmax", machine::activations),
    ("W3", "losses with their gradients", losses::run),
    ("W4", "linear regression in closed form", regression::run),
    ("W5", "logistic regression", logistic::run),
    ("W6", "convolution, pooling, batch normalisation", convolution::run),
    ("W7", "training LeNet-5, and using it", lenet::run),
    ("W8", "the classic architectures", architectures::run),
    ("W9", "an LSTM over whole sequences", recurrence::run),
    ("W10", "attention, an encoder's block, a GPT that writes", attention::run),
    ("W11", "a diffusion's U-Net: a training step, ten steps of sampling", diffusion::run),
    ("W12", "random numbers for weights", initialization::run),
    ("W13", "a 64-wide network at batch 1", small::run),
    ("W14", "training a network 784–128–10", mlp::run),
];

/// Times the workloads and prints one JSON object a line.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many threads may work.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Which workload; all of them without this.
    #[arg(long)]
    workload: Option<String>,
    /// Only the cases whose name contains this.
    #[arg(long, default_value = "")]
    case: String,
    /// Only the variants of this library whose name contains this.
    #[arg(long, default_value = "")]
    peer: String,
    /// Seconds of timed repetitions a case.
    #[arg(long, default_value_t = 1.5)]
    budget: f64,
    /// The fewest repetitions.
    #[arg(long, default_value_t = 3)]
    min_reps: usize,
    /// The most repetitions.
    #[arg(long, default_value_t = 20)]
    max_reps: usize,
    /// A folder of models, which other libraries need.
    #[arg(long, hide = true)]
    models: Option<String>,
    /// Instead of workloads, measures what the book's chapter on speed shows, and writes it to this file.
    #[arg(long, value_name = "FILE", requires = "date")]
    measure: Option<PathBuf>,
    /// The day that the measurement names, as 2026-01-31.
    #[arg(long)]
    date: Option<String>,
    /// How often it measures, to keep the best of each: other programs make times longer, never shorter.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Lists the workloads.
    #[arg(long)]
    list: bool,
}

fn main() -> Result {
    let a = Arguments::parse();
    if a.list {
        WORKLOADS.iter().for_each(|(name, what, _)| println!("{name:4} {what}"));
        return Ok(());
    }
    if let Some(file) = a.measure {
        return measure(&file, a.date.unwrap_or_default(), a.rounds);
    }
    let chosen: Vec<_> =
        WORKLOADS.iter().filter(|(name, ..)| a.workload.as_deref().is_none_or(|w| w == *name)).collect();
    if chosen.is_empty() {
        let known: Vec<_> = WORKLOADS.iter().map(|(name, ..)| *name).collect();
        let wanted = a.workload.unwrap_or_default();
        return Err(format!("there is no workload `{wanted}`; there are {}", known.join(", ")).into());
    }
    for (name, _, run) in chosen {
        let bench = Bench {
            workload: name,
            threads: a.threads,
            case: a.case.clone(),
            peer: a.peer.clone(),
            budget: a.budget,
            repetitions: a.min_reps.max(1)..=a.max_reps.max(a.min_reps.max(1)),
        };
        // The error is a string: boxed errors do not cross threads.
        gradus_tensor::with_threads(a.threads, || run(&bench).map_err(|e| e.to_string()))?;
    }
    Ok(())
}

/// Writes what this machine can do to a file.
fn measure(file: &Path, date: String, rounds: usize) -> Result {
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .arg("--version")
        .output()?;
    let compiler = String::from_utf8(output.stdout)?.trim().to_owned();
    let mut measurement = Measurement { compiler, date, ..Measurement::take(Effort::Thorough)? };
    for _ in 1..rounds {
        measurement = measurement.or_better(&Measurement::take(Effort::Thorough)?);
    }
    std::fs::write(file, serde_json::to_string_pretty(&measurement)? + "\n")?;
    for sample in measurement.ladder.iter().chain(&measurement.works) {
        println!("{:32} {:8.2} GFLOP/s on {} thread(s)", sample.name, sample.gflops(), sample.threads);
    }
    Ok(())
}
