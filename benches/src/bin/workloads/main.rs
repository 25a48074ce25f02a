//! The workloads that speed is judged by, one JSON object a line: `{"w", "case", "peer", "threads", "times", …}`, times in seconds.
//!
//! `cargo run --release -p gradus-benches --bin workloads -- --threads 2 --workload W1`. The case names are those that
//! a driver of other libraries uses for the same work, so that one run can put all of them side by side.
#![allow(clippy::print_stdout)] // a program prints

mod losses;
mod machine;
mod products;
mod regression;
mod small;
mod timing;

use clap::Parser;
use timing::Bench;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;
type Workload = fn(&Bench) -> Result;

const WORKLOADS: &[(&str, &str, Workload)] = &[
    ("W1", "products of matrices", products::run),
    ("W2", "activations and softmax", machine::activations),
    ("W3", "losses with their gradients", losses::run),
    ("W4", "linear regression in closed form", regression::run),
    ("W13", "a 64-wide network at batch 1", small::run),
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
