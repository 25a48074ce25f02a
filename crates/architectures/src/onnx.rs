//! A network in a file that other programs run: ONNX.

mod proto;
mod steps;
mod writer;

use crate::{Action, Graph};
use gradus_tensor::{Scalar, write_whole};
use prost::Message;
use std::fmt::{self, Display, Formatter};
use std::path::Path;
use writer::{IMAGE, Writer};

/// The version of ONNX's messages, and that of its operations.
const IR: i64 = 9;
const OPERATIONS: i64 = 19;

/// The most bytes that a message of this format may have.
const MOST: usize = i32::MAX as usize;

/// Why a network could not be written for other programs.
#[derive(Debug, Clone, PartialEq)]
pub enum OnnxError {
    /// Some steps can't be said in ONNX's operations.
    Unsupported {
        /// The network.
        network: String,
        /// All such steps: their names and their kinds.
        steps: Vec<(String, &'static str)>,
    },
    /// The network has more bytes than one file of this format may have, 2 GiB.
    TooLarge {
        /// The network.
        network: String,
        /// Its bytes.
        bytes: usize,
    },
    /// A step does not fit, or the file can't be written.
    Other(gradus_tensor::Error),
}

impl Display for OnnxError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported { network, steps } => {
                let all: Vec<_> = steps.iter().map(|(name, kind)| format!("{name} ({kind})")).collect();
                write!(f, "{network} has steps that ONNX has no operations for: {}", all.join(", "))
            }
            Self::TooLarge { network, bytes } => {
                write!(
                    f,
                    "{network} has {bytes} bytes (allowed: at most {MOST}, or no program reads the file)"
                )
            }
            Self::Other(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for OnnxError {}

impl From<gradus_tensor::Error> for OnnxError {
    fn from(error: gradus_tensor::Error) -> Self {
        Self::Other(error)
    }
}

/// A network in ONNX's format, as the bytes of a file: what it does in evaluation, and its weights, in single precision.
///
/// What comes in is called `image`, of the shape `[batch, C, H, W]` for any batch, and what goes out `scores`. Nodes have the names of the steps; weights have the names and layouts of
/// [`torch_state`](crate::torch_state), but for the layers that [LeNet-5 of 1998](crate::LeNet1998) has of its own: those are convolutions here, with the weights of such. Dropout is left out, and so is whatever nobody reads.
/// The numbers agree with [`Inference`](crate::Inference) to rounding. A mean of bins that do not divide the size is two products with matrices, so that a NaN spreads over its rows and columns there.
///
/// ```
/// use gradus_architectures::{Graph, Start, Vgg, VggShape, onnx_model};
/// let net = Vgg::<f32>::new(&VggShape::tiny(), &mut Start::Blank)?;
/// let bytes = onnx_model(&Graph::of(&net, [3, 32, 32])?, "vgg")?;
/// assert!(bytes.len() > 4 * 100_000); // four bytes a parameter, and the graph
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If a step can't be said in ONNX's operations (all of them are named), or the network is larger than the format allows.
pub fn onnx_model<T: Scalar>(graph: &Graph<'_, T>, name: &str) -> Result<Vec<u8>, OnnxError> {
    let model = proto::Model {
        ir_version: Some(IR),
        producer_name: Some("gradus".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(written(graph, name)?),
        opset_import: vec![proto::OperatorSet { domain: Some(String::new()), version: Some(OPERATIONS) }],
    };
    let bytes = model.encoded_len();
    if bytes > MOST {
        return Err(OnnxError::TooLarge { network: name.into(), bytes });
    }
    Ok(model.encode_to_vec())
}

/// Writes a network into a file of ONNX's format, as [`onnx_model`] gives it. The file is written whole or not at all.
///
/// ```
/// use gradus_architectures::{Graph, ResNet, ResNetShape, Start, save_onnx};
/// let shape = ResNetShape { width: 4, ..ResNetShape::cifar(1)? };
/// let net = ResNet::<f32>::new(&shape, &mut Start::Blank)?;
/// let folder = tempfile::tempdir()?;
/// save_onnx(&Graph::of(&net, [3, 32, 32])?, "resnet8", folder.path().join("resnet8.onnx"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`onnx_model`], or if the file can't be written; what stood there before stays.
pub fn save_onnx<T: Scalar>(
    graph: &Graph<'_, T>,
    name: &str,
    path: impl AsRef<Path>,
) -> Result<(), OnnxError> {
    Ok(write_whole(path, &onnx_model(graph, name)?)?)
}

/// Which nodes have a part in the result.
fn needed<T: Scalar>(graph: &Graph<'_, T>) -> Vec<bool> {
    let mut needed = vec![false; graph.nodes().len()];
    needed[graph.result()] = true;
    // Nodes read earlier ones only.
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        if needed[i] {
            node.inputs.iter().for_each(|&input| needed[input] = true);
        }
    }
    needed
}

fn written<T: Scalar>(graph: &Graph<'_, T>, name: &str) -> Result<proto::Graph, OnnxError> {
    let (nodes, needed) = (graph.nodes(), needed(graph));
    let mut writer = Writer::new();
    let mut values = vec![String::from(IMAGE); nodes.len()];
    let mut unsupported = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if !needed[i] || matches!(node.action, Action::Input) {
            continue;
        }
        let inputs: Vec<_> =
            node.inputs.iter().map(|&i| (values[i].clone(), nodes[i].shape.as_slice())).collect();
        match writer.action(node, &inputs)? {
            Some(value) => {
                writer.shape(&value, &node.shape);
                values[i] = value;
            }
            // The others are looked at all the same, so that all that can't be written is named.
            None => unsupported.push((node.name.clone(), node.action.kind())),
        }
    }
    if !unsupported.is_empty() {
        return Err(OnnxError::Unsupported { network: name.into(), steps: unsupported });
    }
    let result = graph.result();
    let image = nodes.first().map_or(&[][..], |node| &node.shape);
    Ok(writer.finish(name, image, &values[result], &nodes[result].shape))
}
