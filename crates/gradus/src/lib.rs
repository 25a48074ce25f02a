#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

#[cfg(feature = "activations")]
pub use gradus_activations as activations;
pub use gradus_autograd as autograd;
#[cfg(feature = "datasets")]
pub use gradus_datasets as datasets;
pub use gradus_formula as formula;
#[cfg(feature = "linear-regression")]
pub use gradus_linear_regression as linear_regression;
#[cfg(feature = "losses")]
pub use gradus_losses as losses;
pub use gradus_tensor as tensor;

pub use autograd::{Gradients, Layer, Mode, Op, Parameters, Var, no_grad};
pub use tensor::{Error, Result, Scalar, Tensor};
