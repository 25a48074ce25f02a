#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod alexnet;
mod catalog;
mod classes;
mod diagram;
mod graph;
mod inference;
mod lenet;
mod lenet_1998;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "images")]
mod photo;
#[cfg(feature = "properties")]
mod properties;
mod resnet;
mod stack;
mod start;
mod summary;
mod unet;
mod vgg;
mod walk;
mod weights;
mod xception;

pub use alexnet::{AlexNet, AlexNetShape, LocalResponse};
pub use catalog::{Architecture, Entry, catalog, entry};
pub use classes::{labels, top};
pub use graph::{Action, Graph, Node};
pub use inference::Inference;
pub use lenet::{LeNet, LeNetShape, SquashedMean, Squashing};
pub use lenet_1998::{
    Codes, Connections, LeNet1998, LeNet1998Shape, RadialBasis, ScaledTanh, SparseConv2d, Spread, Subsample,
    Subsampling, TABLE, codes, radial_basis, scaled_tanh, subsample,
};
#[cfg(feature = "onnx")]
pub use onnx::{OnnxError, onnx_model, save_onnx};
#[cfg(feature = "images")]
pub use photo::{Filter, Photo, PhotoError, Preprocessing};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use resnet::{
    Basic, Block, BlockShape, Bottleneck, Projection, ResNet, ResNetShape, Shortcut, Stage, Stem,
    TrainingRecipe, Widen,
};
pub use stack::{Stack, Unit};
pub use start::Start;
pub use summary::{Row, Summary};
pub use unet::{CropConcat, Double, DoubleConv, Doubling, UNet, UNetShape, Up};
pub use vgg::{Vgg, VggColumn, VggShape};
pub use walk::{Forward, Join, Network, Own, Plain, Step, Walk};
pub use weights::{Misfit, load_torch_state, torch_state};
#[cfg(feature = "safetensors")]
pub use weights::{WeightsError, load_weights, save_weights};
pub use xception::{Module, ModuleShape, Separable, Xception, XceptionShape};

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
    alexnet::FORMULA_SAME_CONV,
    alexnet::FORMULA_STACK,
    alexnet::FORMULA_LOCAL_RESPONSE,
    alexnet::FORMULA_RELU_SOFTMAX,
    alexnet::FORMULA_1000X,
    alexnet::FORMULA_PARAMS,
    vgg::FORMULA_SIMPLICITY,
    vgg::FORMULA_CONV,
    vgg::FORMULA_POOL,
    vgg::FORMULA_HEAD,
    vgg::FORMULA_PARAMS,
    resnet::block::FORMULA,
    resnet::recipe::FORMULA_INIT,
    resnet::recipe::FORMULA_MOMENTUM,
    resnet::recipe::FORMULA_PLATEAU,
    resnet::recipe::FORMULA_BATCH,
    resnet::recipe::FORMULA_DECAY,
    resnet::recipe::FORMULA_NO_DROPOUT,
    resnet::FORMULA_PARAMS,
    resnet::FORMULA_DEEPER,
    xception::FORMULA_INCEPTION,
    xception::FORMULA_36,
    xception::FORMULA_SEPARABLE,
    unet::FORMULA_ENCODER,
    unet::FORMULA_DECODER,
    unet::FORMULA_SKIP,
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
