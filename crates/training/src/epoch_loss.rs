//! The loss of an epoch: the mean over its samples, not over its batches.

use crate::Result;
use crate::error::allow;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "epoch-loss",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The loss of an epoch",
    latex: r"L = \frac{\sum_s n_s L_s}{\sum_s n_s}",
    unicode: "L = Σₛ nₛLₛ / Σₛ nₛ",
    symbols: &[
        Symbol { latex: "L_s", code: "loss", meaning: "the mean loss of batch s", shape: "[]", unit: "nats" },
        Symbol {
            latex: "n_s",
            code: "samples",
            meaning: "how many samples batch s has",
            shape: "[]",
            unit: "count",
        },
    ],
    source: "the mean of means, weighted",
    item: item!(struct EpochMean),
    chapter: "first-network",
    printed: None,
};

/// The mean over samples from the means of batches, and how many samples were classified rightly.
///
/// **Formula** `epoch-loss`: L = Σₛ nₛLₛ / Σₛ nₛ. The mean of the Lₛ alone gives the samples of a small last batch too much weight.
///
/// **Shapes**: numbers. **Units**: those of the loss. **Gradient**: not differentiated.
///
/// **Numerics**: sums in double precision, in the order of the batches; a NaN in any batch is a NaN in the mean.
///
/// **Errors**: none; the mean of no batch is NaN. **Source**: the mean of means, weighted.
///
/// ```
/// use gradus_training::EpochMean;
/// let mut mean = EpochMean::default();
/// mean.add(1.0, 3, Some(2));
/// mean.add(5.0, 1, Some(0));
/// assert_eq!((mean.loss(), mean.accuracy()), (2.0, Some(0.5))); // (3·1 + 1·5)/4, not (1 + 5)/2
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EpochMean {
    pub(crate) sum: f64,
    pub(crate) samples: u64,
    /// Of how many samples it is known whether they were right, and how many were.
    pub(crate) judged: u64,
    pub(crate) correct: u64,
}

impl EpochMean {
    /// Takes a batch in: its mean loss, its size, and how many of its samples were right, where that has a meaning.
    pub fn add(&mut self, loss: f64, samples: usize, correct: Option<usize>) {
        let samples = samples as u64;
        self.sum += loss * samples as f64;
        self.samples += samples;
        if let Some(correct) = correct {
            self.judged += samples;
            self.correct += correct as u64;
        }
    }

    /// The mean loss of all samples so far.
    pub fn loss(&self) -> f64 {
        self.sum / self.samples as f64
    }

    /// The share of samples that were right, if every batch told.
    pub fn accuracy(&self) -> Option<f64> {
        (self.judged == self.samples && self.judged > 0).then(|| self.correct as f64 / self.judged as f64)
    }

    /// How many samples there were.
    pub fn samples(&self) -> u64 {
        self.samples
    }
}

/// What a model scores on samples that it does not learn from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation {
    /// The mean loss.
    pub loss: f64,
    /// The share of samples that are right, where that has a meaning.
    pub accuracy: Option<f64>,
}

impl From<EpochMean> for Evaluation {
    fn from(mean: EpochMean) -> Self {
        Self { loss: mean.loss(), accuracy: mean.accuracy() }
    }
}

/// Judges a model on so many samples, `size` of them at a time, without recording: `judge` gets the numbers of a batch's samples and
/// tells its mean loss and, where that has a meaning, how many of them were right.
///
/// ```
/// use gradus_training::evaluate;
/// // A "loss" that is the sample's number: the mean of 0, 1, 2, 3, 4 is 2 for any size of batch.
/// let judge = |numbers: &[u32]| {
///     let sum: u32 = numbers.iter().sum();
///     Ok((f64::from(sum) / numbers.len() as f64, None))
/// };
/// assert_eq!(evaluate(5, 2, judge)?.loss, 2.0);
/// # Ok::<(), gradus_training::Error>(())
/// ```
///
/// # Errors
/// If there are no samples, the size is 0, or `judge` fails.
pub fn evaluate(
    samples: usize,
    size: usize,
    mut judge: impl FnMut(&[u32]) -> Result<(f64, Option<usize>)>,
) -> Result<Evaluation> {
    allow(samples > 0, "evaluate", "samples", samples, "at least 1")?;
    let batches = crate::Batches::new(samples, size)?.epoch(0, 0);
    let mut mean = EpochMean::default();
    gradus_autograd::no_grad(|| {
        for numbers in batches.iter() {
            let (loss, correct) = judge(numbers)?;
            mean.add(loss, numbers.len(), correct);
        }
        Ok(mean.into())
    })
}
