#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod accuracy;
mod batches;
mod checkpoint;
#[cfg(feature = "plots")]
mod curves;
mod early_stopping;
mod epoch_loss;
mod error;
mod history;
mod observer;
#[cfg(feature = "options")]
mod options;
#[cfg(feature = "progress")]
mod progress;
#[cfg(feature = "properties")]
mod properties;
mod random;
mod split;
mod symbols;
mod trainer;

pub use accuracy::{accuracy, confusion, correct};
pub use batches::{Batches, Epoch};
pub use checkpoint::{Checkpoint, State};
pub use early_stopping::EarlyStopping;
pub use epoch_loss::{EpochMean, Evaluation, evaluate};
pub use error::{Error, Result};
pub use history::{EpochRecord, History};
pub use observer::{Observer, StepRecord};
#[cfg(feature = "options")]
pub use options::{Options, Recipe};
#[cfg(feature = "progress")]
pub use progress::Progress;
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use random::step_rng;
pub use split::Split;
pub use trainer::{Ended, Report, Scored, Trainer};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] =
    &[batches::FORMULA, epoch_loss::FORMULA, accuracy::FORMULA, early_stopping::FORMULA];
