#![doc = include_str!("../README.md")]
#![warn(clippy::undocumented_unsafe_blocks)]

mod compare;
mod construct;
mod display;
mod element;
mod elementwise;
mod error;
mod layout;
mod linalg;
pub mod math;
mod matrix;
mod nested;
mod product;
#[cfg(feature = "properties")]
mod properties;
mod reduce;
#[cfg(feature = "safetensors")]
mod safetensors_file;
#[cfg(feature = "serde")]
mod serialize;
mod shape;
mod tensor;

pub use element::{Dtype, Element, Scalar};
pub use error::{Error, Result};
pub use linalg::Svd;
pub use nested::Nested;
pub use product::Transpose;
#[cfg(feature = "properties")]
pub use properties::{properties, rng, tensor_of};
#[cfg(feature = "safetensors")]
pub use safetensors_file::{AnyTensor, load_safetensors, save_safetensors};
pub use shape::{MAX_RANK, Shape};
pub use tensor::Tensor;
