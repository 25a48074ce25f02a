//! A progress bar.

use crate::{EpochRecord, Observer, StepRecord};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ops::ControlFlow;

/// A bar on the standard error: the steps of the epoch, its loss so far, and a line an epoch. Where the standard error is no
/// terminal, it prints nothing at all.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// A bar that is drawn at most ten times a second: it costs a step next to nothing.
    pub fn new() -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr_with_hz(10));
        let style =
            ProgressStyle::with_template("{prefix} {bar:24} {pos}/{len}, {per_sec}, {eta} left  {wide_msg}");
        Self { bar: if let Ok(style) = style { bar.with_style(style) } else { bar } }
    }
}

impl Observer for Progress {
    fn step(&mut self, record: &StepRecord) -> ControlFlow<()> {
        if self.bar.is_hidden() {
            return ControlFlow::Continue(());
        }
        if record.step == 0 {
            self.bar.reset();
            self.bar.set_length(record.steps);
            self.bar.set_prefix(format!("epoch {}/{}", record.epoch + 1, record.epochs));
        }
        self.bar.set_position(record.step + 1);
        if record.step.is_multiple_of(16) {
            self.bar.set_message(format!("loss {:.4}", record.mean_loss));
        }
        ControlFlow::Continue(())
    }

    fn epoch(&mut self, record: &EpochRecord) -> ControlFlow<()> {
        self.bar.println(record.to_string());
        ControlFlow::Continue(())
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
