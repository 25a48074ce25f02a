//! A transformer that looks at noisy images: patches as tokens, and one token that tells the time.

use crate::condition::dense;
use crate::denoiser::one_step_each;
use crate::{Condition, Denoiser};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_layers::Linear;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use gradus_transformer::{Bend, BlockShape, Encoder, Mask, NormPlace, positional_encoding};
use rand::Rng;

const OP: &str = "denoising_transformer";

/// The sizes of a [`DenoisingTransformer`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TransformerShape {
    /// The image's channels: 1.
    pub channels: usize,
    /// The side of a patch: 2.
    pub patch: usize,
    /// The numbers of a token: 64, an even number.
    pub width: usize,
    /// The heads of each block: 4.
    pub heads: usize,
    /// The blocks: 4.
    pub layers: usize,
    /// The classes: 0 for a network that knows none.
    pub classes: u32,
}

impl Default for TransformerShape {
    /// For the digits of 8 × 8: sixteen patches of 2 × 2.
    fn default() -> Self {
        Self { channels: 1, patch: 2, width: 64, heads: 4, layers: 4, classes: 0 }
    }
}

/// A transformer as a denoiser: the image is cut into patches, each is a token at its place, one more token says step and class, and an encoder looks at all of them.
///
/// **Formula** `diffusion-flexible`: nothing in a diffusion asks for convolutions.
///
/// **Shapes**: images `[N, C, H, W]`, whose sides are multiples of the patch's; the result as the images. **Units**: those of the prediction.
///
/// **Gradient**, **Numerics**: those of the layers. The last layer begins with weights 0.
///
/// **Errors**: sides that are no multiples of the patch, labels that do not fit.
///
/// **Source**: Peebles & Xie 2023, §3.2, with what is told as a token ("in-context conditioning").
///
/// ```
/// use gradus_autograd::{Mode, Var};
/// use gradus_diffusion::{Denoiser, DenoisingTransformer, TransformerShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = DenoisingTransformer::<f32>::new(TransformerShape::default(), &mut ChaCha8Rng::seed_from_u64(1))?;
/// let x = Var::constant(Tensor::ones([3, 1, 8, 8])?);
/// assert_eq!(net.denoise(&x, &[1, 2, 3], None, &mut Mode::Eval)?.shape(), [3, 1, 8, 8]);
/// assert!(net.denoise(&Var::constant(Tensor::ones([1, 1, 7, 8])?), &[1], None, &mut Mode::Eval).is_err());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DenoisingTransformer<T: Scalar = f32> {
    /// What the first token says.
    pub condition: Condition<T>,
    /// From a patch to a token.
    pub input: Linear<T>,
    /// The blocks.
    pub encoder: Encoder<T>,
    /// From a token to a patch.
    pub output: Linear<T>,
    patch: usize,
}

parameters!(DenoisingTransformer<T> { condition, input, encoder, output });

impl<T: Scalar> DenoisingTransformer<T> {
    /// With fresh weights.
    ///
    /// # Errors
    /// If a size is 0, the width is odd, or the heads do not divide it.
    pub fn new(shape: TransformerShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let size = shape.channels * shape.patch * shape.patch;
        let condition = Condition::new(shape.width, shape.classes, rng)?;
        let block = BlockShape {
            norm: NormPlace::Pre,
            bend: Bend::Gelu,
            dropout: 0.0,
            ..BlockShape::new(shape.width, shape.heads)
        };
        Ok(Self {
            condition,
            input: dense(size, shape.width, rng)?,
            encoder: Encoder::new(block, shape.layers, rng)?,
            output: Linear::with_init(shape.width, size, Tensor::zeros)?,
            patch: shape.patch,
        })
    }
}

impl<T: Scalar> Denoiser<T> for DenoisingTransformer<T> {
    fn denoise(
        &self,
        x: &Var<T>,
        t: &[usize],
        labels: Option<&[u32]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        one_step_each(OP, x, t)?;
        let (shape, p) = (x.shape(), self.patch);
        let &[n, c, h, w] = shape.dims() else {
            return Err(Error::shape(OP, "[N, C, H, W]", shape));
        };
        if !h.is_multiple_of(p) || !w.is_multiple_of(p) {
            return Err(Error::shape(OP, format!("sides that are multiples of {p}"), shape));
        }
        let (down, across, width) = (h / p, w / p, self.condition.width());
        // [N, C, down, P, across, P] to [N, down, across, C, P, P]: a row a patch.
        let patches = x.reshape([n, c, down, p, across, p])?.permute(&[0, 2, 4, 1, 3, 5])?;
        let tokens = self.input.forward(&patches.reshape([n, down * across, c * p * p])?, mode)?;
        let places = Var::constant(positional_encoding(down * across, width)?);
        let told = self.condition.of(t, labels, mode)?.reshape([n, 1, width])?;
        let all = Var::concatenate(&[&told, &tokens.add(&places)?], 1)?;
        let seen = self.encoder.forward(&all, &Mask::default(), mode)?.slice(1, 1..1 + down * across)?;
        let said = self.output.forward(&seen, mode)?.reshape([n, down, across, c, p, p])?;
        said.permute(&[0, 3, 1, 4, 2, 5])?.reshape(shape)
    }

    fn classes(&self) -> u32 {
        self.condition.known()
    }
}
