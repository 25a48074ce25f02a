//! The basic operations: arithmetic with broadcasting, functions of a number, products, reductions, layout.

mod arithmetic;
mod function;
mod layout;
mod product;
mod reduce;

pub use arithmetic::{Add, Div, Mul, Neg, Scale, Sub};
pub use function::{Exp, Ln, PowF, PowI, Sqrt};
pub use layout::{BroadcastTo, Concatenate, Gather, Permute, Reshape, Slice};
pub use product::MatMul;
pub use reduce::{Mean, MeanAxis, Sum, SumAxis};

use gradus_tensor::{Result, Scalar, Tensor};

/// The gradient, where it is wanted.
pub(crate) fn wanted<T: Scalar>(
    wants: bool,
    gradient: impl FnOnce() -> Result<Tensor<T>>,
) -> Result<Option<Tensor<T>>> {
    if wants { gradient().map(Some) } else { Ok(None) }
}
