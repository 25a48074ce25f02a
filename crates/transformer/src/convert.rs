//! States of PyTorch's transformer layers, by name.

use gradus_tensor::{Result, Scalar, Tensor};
use std::collections::BTreeMap;

/// The state of PyTorch's `nn.TransformerEncoderLayer`, `nn.TransformerDecoderLayer`, `nn.TransformerEncoder`, `nn.TransformerDecoder` or
/// `nn.MultiheadAttention` under the names, and lying as the matrices, of [`EncoderBlock`](crate::EncoderBlock), [`DecoderBlock`](crate::DecoderBlock),
/// [`Encoder`](crate::Encoder), [`Decoder`](crate::Decoder) or [`MultiHead`](crate::MultiHead), for
/// [`load_state`](gradus_autograd::Parameters::load_state).
///
/// ```
/// use gradus_autograd::Parameters;
/// use gradus_transformer::{BlockShape, EncoderBlock, from_pytorch, to_pytorch};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let block = EncoderBlock::<f32>::new(BlockShape::new(8, 2), &mut ChaCha8Rng::seed_from_u64(1))?;
/// let theirs = to_pytorch(&block.state())?;
/// assert_eq!(theirs["self_attn.in_proj_weight"].shape(), [24, 8]);
/// block.load_state(&from_pytorch(&theirs)?)?;
/// # Ok::<(), gradus_autograd::Error>(())
/// ```
///
/// # Errors
/// None that a state of these layers would have.
pub fn from_pytorch<T: Scalar>(theirs: &BTreeMap<String, Tensor<T>>) -> Result<BTreeMap<String, Tensor<T>>> {
    let ours = |name: &str| {
        let name = name.replace("in_proj_", "in_proj.");
        match name.rfind("linear") {
            Some(at) => format!("{}feed_forward.{}", &name[..at], &name[at..]),
            None => name,
        }
    };
    theirs.iter().map(|(name, tensor)| Ok((ours(name), turned(tensor)?))).collect()
}

/// The other way: a state of ours as PyTorch has it.
///
/// # Errors
/// As [`from_pytorch`].
pub fn to_pytorch<T: Scalar>(ours: &BTreeMap<String, Tensor<T>>) -> Result<BTreeMap<String, Tensor<T>>> {
    let theirs = |name: &str| name.replace("in_proj.", "in_proj_").replace("feed_forward.", "");
    ours.iter().map(|(name, tensor)| Ok((theirs(name), turned(tensor)?))).collect()
}

fn turned<T: Scalar>(tensor: &Tensor<T>) -> Result<Tensor<T>> {
    if tensor.rank() == 2 { tensor.transpose() } else { Ok(tensor.clone()) }
}
