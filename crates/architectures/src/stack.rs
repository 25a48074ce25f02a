//! Steps one after the other, numbered from 0 as PyTorch's `Sequential` does.

use crate::{Network, Step, Walk};
use gradus_autograd::{Name, Parameters, Slot, SlotMut};
use gradus_cnn::{AdaptiveAveragePool, Conv2d, MaxPool};
use gradus_layers::{BatchNorm2d, Dropout, Linear};
use gradus_tensor::{Result, Scalar};

use crate::alexnet::LocalResponse;
use crate::xception::Separable;

/// One of the units that the older networks are stacks of.
#[derive(Debug, Clone)]
pub enum Unit<T: Scalar = f32> {
    /// A convolution.
    Conv(Conv2d<T>),
    /// A separable convolution.
    Separable(Separable<T>),
    /// Batch normalisation.
    Norm(BatchNorm2d<T>),
    /// Local response normalisation.
    LocalNorm(LocalResponse),
    /// max(0, x).
    Relu,
    /// The largest of each window.
    MaxPool(MaxPool),
    /// Means of so many bins.
    AveragePool(AdaptiveAveragePool),
    /// All that belongs to a sample in one row.
    Flatten,
    /// A dense layer.
    Linear(Linear<T>),
    /// Some of the numbers left out, in training.
    Dropout(Dropout),
}

/// Units, one after the other. Each has a number, whether it has parameters or not, and its parameters' names begin with it.
///
/// ```
/// use gradus_architectures::{Stack, Unit};
/// use gradus_autograd::Parameters;
/// use gradus_layers::Linear;
/// use gradus_tensor::Tensor;
/// let linear = || -> gradus_tensor::Result<_> { Ok(Unit::Linear(Linear::from_tensors(Tensor::ones([2, 2])?, None)?)) };
/// let stack = Stack::<f32>(vec![linear()?, Unit::Relu, linear()?]);
/// assert!(stack.state().keys().eq(["0.weight", "2.weight"]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Stack<T: Scalar = f32>(pub Vec<Unit<T>>);

impl<T: Scalar> Unit<T> {
    /// The layer, if the unit has parameters.
    fn layer(&self) -> Option<&dyn Parameters<T>> {
        match self {
            Self::Conv(layer) => Some(layer),
            Self::Separable(layer) => Some(layer),
            Self::Norm(layer) => Some(layer),
            Self::Linear(layer) => Some(layer),
            _ => None,
        }
    }

    fn layer_mut(&mut self) -> Option<&mut dyn Parameters<T>> {
        match self {
            Self::Conv(layer) => Some(layer),
            Self::Separable(layer) => Some(layer),
            Self::Norm(layer) => Some(layer),
            Self::Linear(layer) => Some(layer),
            _ => None,
        }
    }
}

impl<T: Scalar> Parameters<T> for Stack<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        for (i, unit) in self.0.iter().enumerate() {
            if let Some(layer) = unit.layer() {
                name.scope(&i.to_string(), |name| layer.visit(name, see));
            }
        }
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        for (i, unit) in self.0.iter_mut().enumerate() {
            if let Some(layer) = unit.layer_mut() {
                name.scope(&i.to_string(), |name| layer.visit_mut(name, see));
            }
        }
    }
}

impl<T: Scalar> Network<T> for Stack<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, mut x: W::Value) -> Result<W::Value> {
        for (i, unit) in self.0.iter().enumerate() {
            let name = i.to_string();
            x = match unit {
                Unit::Conv(layer) => w.step(&name, Step::Conv(layer), x),
                Unit::Separable(layer) => w.part(&name, layer, x),
                Unit::Norm(layer) => w.step(&name, Step::Norm(layer), x),
                Unit::LocalNorm(op) => w.step(&name, Step::LocalNorm(*op), x),
                Unit::Relu => w.step(&name, Step::Relu, x),
                Unit::MaxPool(op) => w.step(&name, Step::MaxPool(*op), x),
                Unit::AveragePool(op) => w.step(&name, Step::AveragePool(*op), x),
                Unit::Flatten => w.step(&name, Step::Flatten, x),
                Unit::Linear(layer) => w.step(&name, Step::Linear(layer), x),
                Unit::Dropout(layer) => w.step(&name, Step::Dropout(layer), x),
            }?;
        }
        Ok(x)
    }
}
