#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "activations")]
pub use gradus_activations as activations;
#[cfg(feature = "architectures")]
pub use gradus_architectures as architectures;
pub use gradus_autograd as autograd;
#[cfg(feature = "cnn")]
pub use gradus_cnn as cnn;
#[cfg(feature = "datasets")]
pub use gradus_datasets as datasets;
#[cfg(feature = "diffusion")]
pub use gradus_diffusion as diffusion;
pub use gradus_formula as formula;
#[cfg(feature = "initialization")]
pub use gradus_initialization as initialization;
#[cfg(feature = "layers")]
pub use gradus_layers as layers;
#[cfg(feature = "linear-regression")]
pub use gradus_linear_regression as linear_regression;
#[cfg(feature = "logistic-regression")]
pub use gradus_logistic_regression as logistic_regression;
#[cfg(feature = "losses")]
pub use gradus_losses as losses;
#[cfg(feature = "lstm")]
pub use gradus_lstm as lstm;
#[cfg(feature = "optimization")]
pub use gradus_optimization as optimization;
pub use gradus_tensor as tensor;
#[cfg(feature = "training")]
pub use gradus_training as training;
#[cfg(feature = "transformer")]
pub use gradus_transformer as transformer;

pub use autograd::{Gradients, Layer, Mode, Op, Parameters, Var, no_grad};
pub use tensor::{Error, Result, Scalar, Tensor};
