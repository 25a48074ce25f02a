//! What every optimiser is: it moves parameters by their gradients, and its state can be taken away and brought back.

use crate::Result;
use gradus_autograd::{Gradients, Parameters};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

/// Something that moves parameters by their gradients.
///
/// State is kept under the parameters' dotted names, so that it can be saved beside them, and loaded into another process.
/// An optimiser can be a trait object: a training loop holds any of them.
pub trait Optimizer<T: Scalar>: Send {
    /// One step: every parameter of `model` that has a gradient moves, in place.
    ///
    /// Drop the graph (the loss and what was computed on the way) before: a graph that is alive shares the parameters' values, and
    /// the step would copy them.
    ///
    /// # Errors
    /// If a gradient has another shape than its parameter. Nothing has moved then.
    fn step(&mut self, model: &dyn Parameters<T>, gradients: &Gradients<T>) -> Result<()>;

    /// The learning rate.
    fn learning_rate(&self) -> f64;

    /// Sets the learning rate, as a schedule does between steps. It must be finite and at least 0.
    ///
    /// # Errors
    /// If it is not.
    fn set_learning_rate(&mut self, rate: f64) -> Result<()>;

    /// All that a later step depends on, besides the settings that made the optimiser: `momentum.fc1.weight`, `step`, …
    fn state(&self) -> BTreeMap<String, Tensor<T>>;

    /// Brings a state back: the next step has the bits that it would have had.
    ///
    /// # Errors
    /// Which name is unknown or missing. Nothing has changed then.
    fn load_state(&mut self, state: &BTreeMap<String, Tensor<T>>) -> Result<()>;
}
