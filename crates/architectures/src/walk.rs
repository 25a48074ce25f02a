//! A network, said once: the walk through its steps, which runs it, draws it, counts it.
//!
//! A network does not know what walks through it. [`Forward`] computes; [`Graph`](crate::Graph) writes down what it meets.

use crate::Stack;
use crate::alexnet::LocalResponse;
use crate::lenet::Squashing;
use crate::resnet::Widen;
use crate::unet::CropConcat;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_cnn::{AdaptiveAveragePool, AveragePool, Conv2d, ConvTranspose2d, MaxPool, Upsample};
use gradus_layers::{BatchNorm2d, Dropout, Flatten, Linear};
use gradus_tensor::{Result, Scalar, Tensor};

/// What is done with one value: a layer of the network, or an operation without parameters.
#[derive(Clone, Copy)]
pub enum Step<'a, T: Scalar> {
    /// A convolution.
    Conv(&'a Conv2d<T>),
    /// A transposed convolution.
    ConvTranspose(&'a ConvTranspose2d<T>),
    /// Batch normalisation.
    Norm(&'a BatchNorm2d<T>),
    /// Across neighbouring channels, as in AlexNet.
    LocalNorm(LocalResponse),
    /// A dense layer.
    Linear(&'a Linear<T>),
    /// max(0, x).
    Relu,
    /// One of LeNet's activations.
    Squash(Squashing),
    /// The largest of each window.
    MaxPool(MaxPool),
    /// The mean of each window.
    MeanPool(AveragePool),
    /// Means of as many bins as wished for, whatever the size.
    AveragePool(AdaptiveAveragePool),
    /// More pixels, between those that there are.
    Upsample(Upsample),
    /// More channels, of zeros.
    Widen(Widen),
    /// All that belongs to a sample in one row.
    Flatten,
    /// Some of the numbers left out, in training.
    Dropout(&'a Dropout),
    /// What one network has and no other, with a name for its kind.
    Own(&'static str, &'a dyn Own<T>),
}

/// What one network has and no other: a layer that may also say what it is in customary operations.
///
/// ```
/// use gradus_architectures::{Own, Plain, Subsampling};
/// let Some(Plain::Conv(conv)) = Subsampling::<f32>::new(6)?.plain()? else { panic!("sums are convolutions") };
/// assert_eq!(conv.weight.shape(), [6, 1, 2, 2]); // six maps, four equal weights for each
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub trait Own<T: Scalar>: Layer<T> {
    /// The same in a customary operation, for whoever writes the network down for other programs; none, unless the layer knows one.
    ///
    /// # Errors
    /// If the layer's sizes do not fit each other.
    fn plain(&self) -> Result<Option<Plain<T>>> {
        Ok(None)
    }
}

/// What a layer of one network is in operations that other programs have.
#[derive(Debug, Clone)]
pub enum Plain<T: Scalar> {
    /// A convolution.
    Conv(Box<Conv2d<T>>),
    /// height·tanh(slope·x)
    Tanh {
        /// The largest value.
        height: f64,
        /// What x is multiplied by.
        slope: f64,
    },
    /// Minus the squared distances of a row to each of these, `[K, D]`.
    Distances(Tensor<T>),
}

impl<T: Scalar> Step<'_, T> {
    /// What kind of step it is, as tables call it.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Conv(layer)
                if layer.shape().groups == layer.shape().in_channels && layer.shape().groups > 1 =>
            {
                "DepthwiseConv"
            }
            Self::Conv(_) => "Conv",
            Self::ConvTranspose(_) => "ConvTranspose",
            Self::Norm(_) => "BatchNorm",
            Self::LocalNorm(_) => "LocalResponse",
            Self::Linear(_) => "Linear",
            Self::Relu => "ReLU",
            Self::Squash(Squashing::Tanh) => "Tanh",
            Self::Squash(Squashing::Sigmoid) => "Sigmoid",
            Self::Squash(Squashing::Relu) => "ReLU",
            Self::MaxPool(_) => "MaxPool",
            Self::MeanPool(_) => "MeanPool",
            Self::AveragePool(_) => "AdaptiveMean",
            Self::Upsample(_) => "Upsample",
            Self::Widen(_) => "Widen",
            Self::Flatten => "Flatten",
            Self::Dropout(_) => "Dropout",
            Self::Own(kind, _) => kind,
        }
    }

    /// The layer, if the step has parameters.
    #[must_use]
    pub fn layer(&self) -> Option<&dyn Parameters<T>> {
        match *self {
            Self::Conv(layer) => Some(layer),
            Self::ConvTranspose(layer) => Some(layer),
            Self::Norm(layer) => Some(layer),
            Self::Linear(layer) => Some(layer),
            Self::Own(_, layer) => Some(layer),
            _ => None,
        }
    }
}

impl<T: Scalar> std::fmt::Debug for Step<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.kind())
    }
}

/// What is done with two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Their sum: where a shortcut comes back.
    Add,
    /// The first, its edge cut off where it is larger, and the second, channel after channel: where a skip comes in.
    CropConcat,
}

/// Somebody who walks through a network.
pub trait Walk<'a, T: Scalar> {
    /// What is carried from step to step.
    type Value: Clone;

    /// Takes a step, called `name` within the part that one is in.
    ///
    /// # Errors
    /// If the value does not fit the step.
    fn step(&mut self, name: &str, step: Step<'a, T>, x: Self::Value) -> Result<Self::Value>;

    /// Brings two values together.
    ///
    /// # Errors
    /// If they do not fit each other.
    fn join(&mut self, name: &str, join: Join, a: Self::Value, b: Self::Value) -> Result<Self::Value>;

    /// Begins a part.
    fn enter(&mut self, _name: &str) {}

    /// Ends the part that was begun last.
    fn leave(&mut self) {}

    /// Walks through a part with a name of its own.
    ///
    /// # Errors
    /// As the part's steps.
    fn part(&mut self, name: &str, part: &'a impl Network<T>, x: Self::Value) -> Result<Self::Value>
    where
        Self: Sized,
    {
        self.enter(name);
        let y = part.walk(self, x);
        self.leave();
        y
    }
}

/// A network for images, or a part of one: steps, in an order.
pub trait Network<T: Scalar>: Parameters<T> {
    /// Leads somebody through the steps, with what comes in. Names are those of the state.
    ///
    /// # Errors
    /// If something does not fit.
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value>;
}

/// Walks through a network and computes.
///
/// ```
/// use gradus_architectures::{Forward, Network, Start, Vgg, VggShape};
/// use gradus_autograd::{Mode, Var};
/// use gradus_tensor::Tensor;
/// let net = Vgg::<f32>::new(&VggShape::tiny(), &mut Start::Blank)?;
/// let x = Var::constant(Tensor::zeros([1, 3, 32, 32])?);
/// let scores = net.walk(&mut Forward(&mut Mode::Eval), x)?;
/// assert_eq!(scores.shape(), [1, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub struct Forward<'m, 'r>(pub &'m mut Mode<'r>);

impl<'a, T: Scalar> Walk<'a, T> for Forward<'_, '_> {
    type Value = Var<T>;

    fn step(&mut self, _: &str, step: Step<'a, T>, x: Var<T>) -> Result<Var<T>> {
        match step {
            Step::Conv(layer) => layer.forward(&x, self.0),
            Step::ConvTranspose(layer) => layer.forward(&x, self.0),
            Step::Norm(layer) => layer.forward(&x, self.0),
            Step::LocalNorm(op) => Var::apply(op, [&x]),
            Step::Linear(layer) => layer.forward(&x, self.0),
            Step::Relu => x.relu(),
            Step::Squash(f) => f.apply(&x),
            Step::MaxPool(op) => Var::apply(op, [&x]),
            Step::MeanPool(op) => Var::apply(op, [&x]),
            Step::AveragePool(op) => Var::apply(op, [&x]),
            Step::Upsample(op) => Var::apply(op, [&x]),
            Step::Widen(op) => Var::apply(op, [&x]),
            Step::Flatten => Flatten.forward(&x, self.0),
            Step::Dropout(layer) => layer.forward(&x, self.0),
            Step::Own(_, layer) => layer.forward(&x, self.0),
        }
    }

    fn join(&mut self, _: &str, join: Join, a: Var<T>, b: Var<T>) -> Result<Var<T>> {
        match join {
            Join::Add => a.add(&b),
            Join::CropConcat => Var::apply(CropConcat, [&a, &b]),
        }
    }
}

/// Makes a network of this crate a [`Layer`]: its forward pass is the walk.
macro_rules! layer {
    ($($network:ident),+) => {$(
        impl<T: gradus_tensor::Scalar> gradus_autograd::Layer<T> for $network<T> {
            fn forward(
                &self,
                x: &gradus_autograd::Var<T>,
                mode: &mut gradus_autograd::Mode<'_>,
            ) -> gradus_tensor::Result<gradus_autograd::Var<T>> {
                $crate::Network::walk(self, &mut $crate::Forward(mode), x.clone())
            }
        }
    )+};
}
pub(crate) use layer;

/// Writes `Parameters` for a network with numbered parts, which are called `block1`, `block2` and so on.
macro_rules! numbered {
    ($network:ident { $($before:ident),*; $($list:ident as $prefix:literal),+; $($after:ident),* }) => {
        impl<T: gradus_tensor::Scalar> gradus_autograd::Parameters<T> for $network<T> {
            fn visit(
                &self,
                name: &mut gradus_autograd::Name,
                see: &mut dyn FnMut(&str, gradus_autograd::Slot<'_, T>),
            ) {
                $(name.scope(stringify!($before), |name| self.$before.visit(name, see));)*
                $(for (part, i) in self.$list.iter().zip(1..) {
                    name.scope(&format!(concat!($prefix, "{}"), i), |name| part.visit(name, see));
                })+
                $(name.scope(stringify!($after), |name| self.$after.visit(name, see));)*
            }

            fn visit_mut(
                &mut self,
                name: &mut gradus_autograd::Name,
                see: &mut dyn FnMut(&str, gradus_autograd::SlotMut<'_, T>),
            ) {
                $(name.scope(stringify!($before), |name| self.$before.visit_mut(name, see));)*
                $(for (part, i) in self.$list.iter_mut().zip(1..) {
                    name.scope(&format!(concat!($prefix, "{}"), i), |name| part.visit_mut(name, see));
                })+
                $(name.scope(stringify!($after), |name| self.$after.visit_mut(name, see));)*
            }
        }
    };
}
pub(crate) use numbered;

layer!(Stack);
