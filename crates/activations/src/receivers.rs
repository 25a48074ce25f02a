//! One name, three receivers: what is `sigmoid(x)` on a number is `x.sigmoid()` on a tensor and on a variable.

use crate::{
    Activation, Elu, Gelu, GeluTanh, HardSigmoid, HardSwish, HardTanh, LeakyRelu, LogSigmoid, LogSoftmax,
    Logit, Mish, PRelu, Pointwise, Relu, Selu, Sigmoid, Silu, Softmax, Softplus, Tanh,
};
use gradus_autograd::{Op, Var};
use gradus_tensor::{Result, Scalar, Tensor};

macro_rules! pointwise {
    ($($(#[$doc:meta])* $name:ident($($arg:ident),*) => $activation:expr;)*) => {$(
        $(#[$doc])*
        ///
        /// # Errors
        /// None: the signature is that of all receivers.
        fn $name(&self, $($arg: f64),*) -> Result<Self> {
            self.activate($activation)
        }
    )*};
}

/// The activations as methods of a tensor or a variable.
///
/// ```
/// use gradus_activations::{Activations, sigmoid};
/// use gradus_autograd::Var;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([-1.0, 0.0, 2.0]);
/// let on_tensor = x.sigmoid()?;
/// let on_var = Var::parameter(x.clone()).sigmoid()?;
/// assert_eq!(on_tensor, x.map(sigmoid));
/// assert_eq!(on_var.value(), on_tensor);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub trait Activations: Sized {
    /// Any [`Activation`], element by element.
    ///
    /// # Errors
    /// None: the signature is that of all receivers.
    fn activate<A: Activation>(&self, activation: A) -> Result<Self>;

    /// Softmax of s/τ along an axis.
    ///
    /// # Errors
    /// If there is no such axis, or the temperature is not finite and above 0.
    fn softmax_at(&self, axis: usize, temperature: f64) -> Result<Self>;

    /// Log-softmax of s/τ along an axis.
    ///
    /// # Errors
    /// If there is no such axis, or the temperature is not finite and above 0.
    fn log_softmax_at(&self, axis: usize, temperature: f64) -> Result<Self>;

    /// The parametric ReLU with one slope, or with one a channel (axis 1).
    ///
    /// # Errors
    /// If there are several slopes, and not as many as channels.
    fn prelu(&self, slope: &Self) -> Result<Self>;

    /// [`softmax`](crate::softmax) along an axis.
    ///
    /// # Errors
    /// If there is no such axis.
    fn softmax(&self, axis: usize) -> Result<Self> {
        self.softmax_at(axis, 1.0)
    }

    /// [`log_softmax`](crate::log_softmax) along an axis.
    ///
    /// # Errors
    /// If there is no such axis.
    fn log_softmax(&self, axis: usize) -> Result<Self> {
        self.log_softmax_at(axis, 1.0)
    }

    pointwise! {
        /// [`sigmoid`](crate::sigmoid) of every element.
        sigmoid() => Sigmoid;
        /// [`logit`](crate::logit) of every element.
        logit() => Logit;
        /// [`log_sigmoid`](crate::log_sigmoid) of every element.
        log_sigmoid() => LogSigmoid;
        /// [`tanh`](fn@crate::tanh) of every element.
        tanh() => Tanh;
        /// [`relu`](crate::relu) of every element.
        relu() => Relu;
        /// [`leaky_relu`](crate::leaky_relu) of every element.
        leaky_relu(slope) => LeakyRelu { slope };
        /// [`elu`](crate::elu) of every element.
        elu(alpha) => Elu { alpha };
        /// [`selu`](crate::selu) of every element.
        selu() => Selu;
        /// [`softplus`](crate::softplus) of every element.
        softplus() => Softplus;
        /// [`silu`](crate::silu) of every element.
        silu() => Silu;
        /// [`gelu`](crate::gelu) of every element.
        gelu() => Gelu;
        /// [`gelu_tanh`](crate::gelu_tanh) of every element.
        gelu_tanh() => GeluTanh;
        /// [`mish`](crate::mish) of every element.
        mish() => Mish;
        /// [`hard_sigmoid`](crate::hard_sigmoid) of every element.
        hard_sigmoid() => HardSigmoid;
        /// [`hard_tanh`](crate::hard_tanh) of every element.
        hard_tanh() => HardTanh;
        /// [`hard_swish`](crate::hard_swish) of every element.
        hard_swish() => HardSwish;
    }
}

impl<T: Scalar> Activations for Tensor<T> {
    fn activate<A: Activation>(&self, activation: A) -> Result<Self> {
        Pointwise(activation).eval([self])
    }

    fn softmax_at(&self, axis: usize, temperature: f64) -> Result<Self> {
        Softmax { axis, temperature }.eval([self])
    }

    fn log_softmax_at(&self, axis: usize, temperature: f64) -> Result<Self> {
        LogSoftmax { axis, temperature }.eval([self])
    }

    fn prelu(&self, slope: &Self) -> Result<Self> {
        PRelu.eval([self, slope])
    }
}

impl<T: Scalar> Activations for Var<T> {
    fn activate<A: Activation>(&self, activation: A) -> Result<Self> {
        Var::apply(Pointwise(activation), [self])
    }

    fn softmax_at(&self, axis: usize, temperature: f64) -> Result<Self> {
        Var::apply(Softmax { axis, temperature }, [self])
    }

    fn log_softmax_at(&self, axis: usize, temperature: f64) -> Result<Self> {
        Var::apply(LogSoftmax { axis, temperature }, [self])
    }

    fn prelu(&self, slope: &Self) -> Result<Self> {
        Var::apply(PRelu, [self, slope])
    }
}
