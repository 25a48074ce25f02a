//! Schedules: the learning rate as a function of the step. Plain values without a state, except for [`Plateau`].

mod cosine;
mod inverse_sqrt;
mod one_cycle;
mod plateau;
mod steps;
mod warmup;

pub use cosine::Cosine;
pub use inverse_sqrt::InverseSqrt;
pub use one_cycle::{Anneal, OneCycle};
pub use plateau::{Better, Plateau, Threshold};
pub use steps::{Constant, MultiStep, Polynomial, StepDecay};
pub use warmup::Warmup;

pub(crate) use cosine::FORMULA as COSINE;
pub(crate) use inverse_sqrt::FORMULA as INVERSE_SQRT;
pub(crate) use one_cycle::FORMULA as ONE_CYCLE;
pub(crate) use plateau::FORMULA as PLATEAU;
pub(crate) use steps::FORMULA as STEPS;
pub(crate) use warmup::FORMULA as WARMUP;

use gradus_tensor::math;
use std::f64::consts::PI;

/// The learning rate as a function of the step's number, which begins at 0.
///
/// The rate follows from the step alone, so there is nothing to save, and a run that is taken up again at step s goes on with the same
/// bits. What a step is, a batch or an epoch, is the caller's choice.
///
/// ```
/// use gradus_optimization::{Cosine, Optimizer, Schedule, Sgd, Warmup};
/// let schedule = Warmup::new(3, Cosine::new(0.1, 0.0, 100)?)?;
/// let mut sgd = Sgd::<f32>::new(schedule.rate(0));
/// for step in 0..200 {
///     sgd.set_learning_rate(schedule.rate(step))?;
///     // … and a step
/// }
/// assert_eq!(sgd.learning_rate(), 0.0);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
pub trait Schedule {
    /// The learning rate of this step.
    fn rate(&self, step: u64) -> f64;
}

impl<S: Schedule + ?Sized> Schedule for Box<S> {
    fn rate(&self, step: u64) -> f64 {
        (**self).rate(step)
    }
}

impl<S: Schedule + ?Sized> Schedule for &S {
    fn rate(&self, step: u64) -> f64 {
        (**self).rate(step)
    }
}

/// From `from` at 0 to `to` at 1, along half a wave of the cosine.
fn half_wave(from: f64, to: f64, at: f64) -> f64 {
    let wave = 0.5 * (1.0 + math::cos(PI * at.clamp(0.0, 1.0)));
    // Not to + (from − to)·wave: at both ends one term is 0, and the other one exact.
    from * wave + to * (1.0 - wave)
}

/// The same along a line.
fn line(from: f64, to: f64, at: f64) -> f64 {
    let at = at.clamp(0.0, 1.0);
    from * (1.0 - at) + to * at
}
