//! What programs that train a network share on their command line: options, the run, and how they end.

use crate::{Batches, Checkpoint, Evaluation, Progress, Report, Result, Scored, Trainer};
use clap::Args;
use gradus_autograd::{Mode, Parameters};
use gradus_optimization::{Cosine, InverseSqrt, Optimizer, Schedule};
use std::path::PathBuf;
use std::process::ExitCode;

/// The options of a program that trains: to be flattened into its own.
///
/// ```
/// use clap::Parser;
/// use gradus_training::Options;
/// #[derive(Parser)]
/// struct Arguments {
///     #[command(flatten)]
///     training: Options,
/// }
/// let a = Arguments::parse_from(["program", "--epochs", "3", "--seed", "7"]);
/// assert_eq!(a.training.seed, 7);
/// ```
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// How many epochs.
    #[arg(long)]
    epochs: Option<u64>,
    /// Samples a batch.
    #[arg(long)]
    batch: Option<usize>,
    /// The greatest learning rate; it falls to nothing along a cosine, or as the program says.
    #[arg(long)]
    rate: Option<f64>,
    /// What all that is random follows from.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
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
}

/// A program's own epochs, batch and greatest rate.
#[derive(Debug, Clone, Copy)]
pub struct Recipe {
    /// How many epochs.
    pub epochs: u64,
    /// Samples a batch.
    pub batch: usize,
    /// The greatest learning rate.
    pub rate: f64,
    /// The steps of a warm-up, after which the rate falls with the root of the step; without, it falls to nothing along a cosine.
    pub warmup: Option<u64>,
}

impl Options {
    /// Samples a batch, if nothing else is asked for.
    #[must_use]
    pub fn batch(&self, recipe: &Recipe) -> usize {
        self.batch.unwrap_or(recipe.batch)
    }

    /// Trains the network, with a bar of progress; gradients are clipped to a length of 1. With a validation, it is in the end as it was after its best epoch.
    ///
    /// # Errors
    /// Those of [`Trainer::run`], and of the files.
    pub fn run(
        &self,
        net: &dyn Parameters<f32>,
        optimizer: &mut dyn Optimizer<f32>,
        recipe: &Recipe,
        batches: Batches,
        validate: Option<&mut dyn FnMut() -> Result<Evaluation>>,
        step: impl FnMut(&[u32], &mut Mode<'_>) -> Result<Scored>,
    ) -> Result<Report> {
        let epochs = self.epochs.unwrap_or(recipe.epochs);
        let rate = self.rate.unwrap_or(recipe.rate);
        let schedule: Box<dyn Schedule> = match recipe.warmup {
            Some(warmup) => Box::new(InverseSqrt::new(rate, warmup)?),
            None => Box::new(Cosine::new(rate, 0.0, epochs * batches.len() as u64)?),
        };
        let mut progress = Progress::new();
        let mut trainer = Trainer::new(net, optimizer, batches)
            .epochs(epochs)
            .seed(self.seed)
            .clip_norm(1.0)
            .schedule(schedule)
            .observer(&mut progress);
        if let Some(validate) = validate {
            trainer = trainer.validate(validate).keep_best();
        }
        if let Some(file) = &self.checkpoint {
            trainer = trainer.checkpoint(file).resume(self.resume);
            if self.resume && file.exists() {
                eprintln!("going on after epoch {}", Checkpoint::<f32>::load(file)?.epoch);
            }
        }
        let report = trainer.run(step)?;
        drop(progress);
        report.history.epochs.iter().for_each(|epoch| eprintln!("{epoch}"));
        if let Some(file) = &self.curves {
            report.history.write_svg(file)?;
        }
        Ok(report)
    }

    /// Runs a program on as many threads as were asked for, and says what was wrong, if something was.
    pub fn main(&self, run: impl FnOnce() -> Result<()> + Send) -> ExitCode {
        match gradus_tensor::with_threads(self.threads, run) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }
}
