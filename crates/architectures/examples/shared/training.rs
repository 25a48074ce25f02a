//! What the programs that train a network share: options, the run, and what is kept of it.

use clap::Args;
use gradus_architectures::{load_weights, save_weights};
use gradus_autograd::{Layer, Mode};
use gradus_optimization::{OneCycle, Optimizer};
use gradus_training::{Batches, Checkpoint, Error, Progress, Result, Scored, Trainer};
use std::path::PathBuf;
use std::process::ExitCode;

/// The options of all of them.
#[derive(Debug, Args)]
pub(super) struct Training {
    /// How many epochs.
    #[arg(long, default_value_t = 10)]
    epochs: u64,
    /// Samples a batch.
    #[arg(long, default_value_t = 64)]
    pub(super) batch: usize,
    /// What all that is random follows from.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
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
    /// Draws the learning curves into this SVG file.
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Writes what each epoch came to into this CSV file.
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
}

impl Training {
    /// Trains the network, at rates of one cycle up to `rate`, or reads its weights.
    pub(super) fn run(
        &self,
        net: &dyn Layer<f32>,
        optimizer: &mut dyn Optimizer<f32>,
        rate: f64,
        batches: Batches,
        step: impl FnMut(&[u32], &mut Mode<'_>) -> Result<Scored>,
    ) -> Result<()> {
        if let (Some(file), true) = (&self.weights, self.evaluate) {
            return load_weights(net, file).map_err(Error::other);
        }
        let schedule = OneCycle::new(rate, self.epochs * batches.len() as u64)?;
        let mut progress = Progress::new();
        let mut trainer = Trainer::new(net, optimizer, batches)
            .epochs(self.epochs)
            .seed(self.seed)
            .schedule(schedule)
            .observer(&mut progress);
        if let Some(file) = &self.checkpoint {
            trainer = trainer.checkpoint(file).resume(self.resume);
            if self.resume && file.exists() {
                println!("going on after epoch {}", Checkpoint::<f32>::load(file)?.epoch);
            }
        }
        let report = trainer.run(step)?;
        drop(progress);
        report.history.epochs.iter().for_each(|epoch| println!("{epoch}"));
        if let Some(file) = &self.curves {
            report.history.write_svg(file)?;
        }
        if let Some(file) = &self.csv {
            report.history.write_csv(file)?;
        }
        if let Some(file) = &self.weights {
            save_weights(net, file)?;
            println!("weights in {}", file.display());
        }
        Ok(())
    }

    /// Runs a program on as many threads as were asked for.
    pub(super) fn main(&self, run: impl FnOnce() -> Result<()> + Send) -> ExitCode {
        super::exit::exit(gradus_tensor::with_threads(self.threads, run))
    }
}
