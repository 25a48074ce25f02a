#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod lenet;
mod lenet_1998;
#[cfg(feature = "properties")]
mod properties;

pub use lenet::{LeNet, LeNetShape, SquashedMean, Squashing};
pub use lenet_1998::{
    Connections, LeNet1998, LeNet1998Shape, RadialBasis, ScaledTanh, SparseConv2d, Spread, Subsample,
    Subsampling, TABLE, codes, radial_basis, scaled_tanh, subsample,
};
#[cfg(feature = "properties")]
pub use properties::properties;

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapter.
pub const FORMULAS: &[Formula] = &[
    lenet::FORMULA_TASK,
    lenet::FORMULA_STACK,
    lenet::FORMULA_ACTIVATION,
    lenet_1998::subsampling::FORMULA,
    lenet_1998::connections::FORMULA,
    lenet_1998::rbf::FORMULA,
    lenet_1998::FORMULA_PARAMS,
];

/// An error about an argument.
fn refused(
    op: &'static str,
    name: &'static str,
    value: impl ToString,
    allowed: impl ToString,
) -> gradus_tensor::Error {
    gradus_tensor::Error::Argument { op, name, value: value.to_string(), allowed: allowed.to_string() }
}

/// A tensor has exactly this shape.
fn expect(
    op: &'static str,
    name: &'static str,
    expected: &[usize],
    got: gradus_tensor::Shape,
) -> gradus_tensor::Result<()> {
    if got.dims() == expected {
        return Ok(());
    }
    let expected = format!("{name} of the shape {expected:?}");
    Err(gradus_tensor::Error::Shape { op, expected, got })
}
