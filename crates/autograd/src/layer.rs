//! A layer: parameters and a forward pass, with randomness and train/eval as an argument.

use crate::{Parameters, Var};
use gradus_tensor::{Result, Scalar};
use rand::Rng;

/// Whether a layer is being trained, and the randomness that training needs. Never a global.
pub enum Mode<'a> {
    /// Training: dropout draws from here, running statistics are updated.
    Train(&'a mut dyn Rng),
    /// Evaluation: nothing is random, nothing is updated.
    Eval,
}

impl Mode<'_> {
    /// Whether this is training.
    pub fn is_train(&self) -> bool {
        matches!(self, Mode::Train(_))
    }

    /// The same mode for a part of the layer.
    pub fn reborrow(&mut self) -> Mode<'_> {
        match self {
            Mode::Train(rng) => Mode::Train(&mut **rng),
            Mode::Eval => Mode::Eval,
        }
    }
}

/// A plain struct of variables that maps a variable to a variable.
pub trait Layer<T: Scalar>: Parameters<T> {
    /// The value of the layer at `x`.
    ///
    /// # Errors
    /// If `x` does not fit.
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>>;
}
