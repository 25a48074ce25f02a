//! Who watches a run: a progress bar, a plot, a person who stops it.

use crate::EpochRecord;
use std::ops::ControlFlow;

/// A step that has been made.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct StepRecord {
    /// The epoch, from 0.
    pub epoch: u64,
    /// How many epochs the run has at most.
    pub epochs: u64,
    /// The step within its epoch, from 0.
    pub step: u64,
    /// How many steps an epoch has.
    pub steps: u64,
    /// The loss of its batch, before the step.
    pub loss: f64,
    /// The mean loss of the epoch's samples so far.
    pub mean_loss: f64,
    /// The learning rate.
    pub learning_rate: f64,
}

/// Someone who watches a run, and may end it. Nothing that is computed depends on it.
pub trait Observer {
    /// A step has been made.
    fn step(&mut self, record: &StepRecord) -> ControlFlow<()> {
        let _ = record;
        ControlFlow::Continue(())
    }

    /// An epoch has come to its end.
    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        let _ = record;
        ControlFlow::Continue(())
    }
}
