//! What each epoch came to, as a table.

use crate::{Error, Result};
use std::path::Path;

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct EpochRecord {
    /// The epoch's number, from 0.
    pub epoch: u64,
    /// The mean loss of its samples while it was learned from them.
    pub loss: f64,
    /// The share of its samples that were right at that time, if the loss told.
    pub accuracy: Option<f64>,
    /// The validation loss after it, if there is a validation.
    pub validation_loss: Option<f64>,
    /// The validation accuracy after it, if there is one.
    pub validation_accuracy: Option<f64>,
    /// The learning rate of its last step.
    pub learning_rate: f64,
    /// How long its steps took, the validation not among them: the only column that differs from run to run.
    pub seconds: f64,
    /// How many samples it had.
    pub samples: u64,
}

/// The columns of a history, as they stand in its CSV file and in a checkpoint.
const COLUMNS: [&str; 8] = [
    "epoch",
    "loss",
    "accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
    "samples",
];

impl EpochRecord {
    /// How many columns it has.
    pub(crate) const CELLS: usize = COLUMNS.len();

    /// Samples learned from in a second.
    pub fn samples_per_second(&self) -> f64 {
        self.samples as f64 / self.seconds
    }

    /// The loss that early stopping and the best model go by: that of the validation, or without one that of the training.
    pub fn watched(&self) -> f64 {
        self.validation_loss.unwrap_or(self.loss)
    }

    pub(crate) fn to_row(self) -> [Option<f64>; 8] {
        [
            Some(self.epoch as f64),
            Some(self.loss),
            self.accuracy,
            self.validation_loss,
            self.validation_accuracy,
            Some(self.learning_rate),
            Some(self.seconds),
            Some(self.samples as f64),
        ]
    }

    pub(crate) fn from_row(row: [Option<f64>; 8]) -> Option<Self> {
        let [epoch, loss, accuracy, validation_loss, validation_accuracy, rate, seconds, samples] = row;
        Some(Self {
            epoch: epoch? as u64,
            loss: loss?,
            accuracy,
            validation_loss,
            validation_accuracy,
            learning_rate: rate?,
            seconds: seconds?,
            samples: samples? as u64,
        })
    }
}

/// One line: what a person wants to see of an epoch.
impl std::fmt::Display for EpochRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "epoch {:>3}  loss {:.4}", self.epoch + 1, self.loss)?;
        let percent = |f: &mut std::fmt::Formatter<'_>, share: Option<f64>| match share {
            Some(share) => write!(f, " ({:.2} %)", 100.0 * share),
            None => Ok(()),
        };
        percent(f, self.accuracy)?;
        if let Some(loss) = self.validation_loss {
            write!(f, "  validation {loss:.4}")?;
            percent(f, self.validation_accuracy)?;
        }
        write!(f, "  rate {:.3e}  {:.0} samples/s", self.learning_rate, self.samples_per_second())
    }
}

/// What the epochs of a run came to, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// A record an epoch.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// The losses that early stopping and the best model go by.
    pub fn watched(&self) -> Vec<f64> {
        self.epochs.iter().map(EpochRecord::watched).collect()
    }

    /// As a CSV table with a header. Numbers are written in full: read back they are the same. What there is not is an empty cell.
    pub fn to_csv(&self) -> String {
        let mut out = COLUMNS.join(",") + "\n";
        for record in &self.epochs {
            let cells = record.to_row().map(|cell| cell.map_or(String::new(), |x| x.to_string()));
            out += &(cells.join(",") + "\n");
        }
        out
    }

    /// Writes [`to_csv`](Self::to_csv) to a file.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        write(path.as_ref(), &self.to_csv())
    }
}

/// Writes a text to a file.
pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    let failed = |e| Error::File { file: path.display().to_string(), why: std::io::Error::to_string(&e) };
    std::fs::write(path, text).map_err(failed)
}
