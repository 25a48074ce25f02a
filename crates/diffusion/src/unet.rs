//! The time-conditioned U-Net: down to see what is there, up again to say where, told at every block what time it is.

use crate::condition::dense;
use crate::denoiser::one_step_each;
use crate::symbols::{EPS_THETA, T, XT};
use crate::{Condition, Denoiser};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_cnn::{Conv2d, ConvShape, ConvTranspose2d, Window};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_layers::{Dropout, GroupNorm, Linear};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use gradus_transformer::{Mask, MultiHead};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "diffusion-unet",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Commonly a U-Net",
    latex: r"\epsilon_\theta(x_t, t) = \operatorname{UNet}(x_t;\, e(t))",
    unicode: "ε_θ(xₜ, t) = UNet(xₜ; e(t))",
    symbols: &[EPS_THETA, XT, T],
    source: "Ho, Jain & Abbeel 2020, §4 and appendix B",
    item: item!(struct DenoisingUNet),
    chapter: "diffusion-training",
    printed: None,
};

const OP: &str = "denoising_unet";

/// The sizes of a [`DenoisingUNet`].
///
/// ```
/// use gradus_autograd::Parameters;
/// use gradus_diffusion::{DenoisingUNet, UNetShape};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = UNetShape { heads: 0, ..UNetShape::default() };
/// let net = DenoisingUNet::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(net.parameter_count(), 746_145);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UNetShape {
    /// The image's channels: 1.
    pub channels: usize,
    /// The maps of the first level: 32. Each level below has twice as many, and half the sides.
    pub width: usize,
    /// The levels: 3.
    pub levels: usize,
    /// The groups of every normalisation: 8, a divisor of the width.
    pub groups: usize,
    /// The numbers that tell the step and the class: 128.
    pub told: usize,
    /// The classes: 0 for a network that knows none.
    pub classes: u32,
    /// The heads of the attention between two blocks at the lowest level: 4; 0 for one block and no attention.
    pub heads: usize,
    /// The share of numbers that are dropped within a block, in training: 0.
    pub dropout: f64,
}

impl Default for UNetShape {
    /// For images of 28 × 28: 32 maps of them, 64 of 14 × 14, 128 of 7 × 7.
    fn default() -> Self {
        Self { channels: 1, width: 32, levels: 3, groups: 8, told: 128, classes: 0, heads: 4, dropout: 0.0 }
    }
}

impl UNetShape {
    fn maps(&self, level: usize) -> Result<usize> {
        let factor = u32::try_from(level).ok().and_then(|level| 2usize.checked_pow(level));
        let maps = factor.and_then(|factor| factor.checked_mul(self.width));
        maps.ok_or_else(|| Error::argument(OP, "levels", self.levels, "fewer, whose maps can be counted"))
    }
}

fn conv<T: Scalar>(
    inputs: usize,
    outputs: usize,
    window: Window,
    rng: &mut (impl Rng + ?Sized),
) -> Result<Conv2d<T>> {
    Conv2d::new(ConvShape::new(inputs, outputs, [window; 2]), rng)
}

/// A 3 × 3 convolution that begins with weights 0: what it is added to comes through unchanged at first.
fn silent<T: Scalar>(inputs: usize, outputs: usize) -> Result<Conv2d<T>> {
    let shape = ConvShape::new(inputs, outputs, [Window::new(3).padded(1); 2]);
    Conv2d::with_init(shape, |dims, _| Tensor::zeros(dims))
}

/// A residual block that is told the time: norm, SiLU, convolution, twice; between the two, what is told is added to every map.
///
/// **Formula**: skip(x) + conv₂(SiLU(norm₂(conv₁(SiLU(norm₁(x))) + W·told))).
///
/// **Shapes**: x `[N, C, H, W]`, told `[N, D]`; the result `[N, K, H, W]`. **Units**: any. **Gradient**, **Numerics**: those of its parts; fresh, it adds nothing to skip(x).
///
/// **Errors**: groups that do not divide the maps, shapes that do not fit. **Source**: Ho, Jain & Abbeel 2020, appendix B.
///
/// ```
/// use gradus_autograd::{Mode, Var};
/// use gradus_diffusion::TimedBlock;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let block = TimedBlock::<f32>::new([8, 16], (4, 6), 0.0, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let (x, told) = (Var::constant(Tensor::ones([2, 8, 5, 5])?), Var::constant(Tensor::ones([2, 6])?));
/// assert_eq!(block.forward(&x, &told, &mut Mode::Eval)?.shape(), [2, 16, 5, 5]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct TimedBlock<T: Scalar = f32> {
    /// The first normalisation.
    pub norm1: GroupNorm<T>,
    /// The first convolution, 3 × 3.
    pub conv1: Conv2d<T>,
    /// From what is told to a number a map.
    pub told: Linear<T>,
    /// The second normalisation.
    pub norm2: GroupNorm<T>,
    /// The second convolution.
    pub conv2: Conv2d<T>,
    /// A convolution of 1 × 1 beside them, where the number of maps changes.
    pub skip: Option<Conv2d<T>>,
    dropout: f64,
}

parameters!(TimedBlock<T> { norm1, conv1, told, norm2, conv2, skip });

impl<T: Scalar> TimedBlock<T> {
    /// From so many maps to so many, with groups of normalisation and numbers that are told, and dropout.
    ///
    /// # Errors
    /// If there are no maps, the groups do not divide them, or the dropout is not within 0..=1.
    pub fn new(
        [inputs, outputs]: [usize; 2],
        (groups, told): (usize, usize),
        dropout: f64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Self> {
        Dropout::new(dropout)?;
        let skip = if inputs == outputs { None } else { Some(conv(inputs, outputs, Window::new(1), rng)?) };
        Ok(Self {
            norm1: GroupNorm::new(groups, inputs)?,
            conv1: conv(inputs, outputs, Window::new(3).padded(1), rng)?,
            told: dense(told, outputs, rng)?,
            norm2: GroupNorm::new(groups, outputs)?,
            conv2: silent(outputs, outputs)?,
            skip,
            dropout,
        })
    }

    /// The block of x `[N, C, H, W]`, told `[N, told]`.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn forward(&self, x: &Var<T>, told: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let h = self.conv1.forward(&self.norm1.then_silu(x, None)?, mode)?;
        let h = self.norm2.then_silu(&h, Some(&self.told.forward(told, mode)?))?;
        let h = Dropout::new(self.dropout)?.forward(&h, mode)?;
        let h = self.conv2.forward(&h, mode)?;
        match &self.skip {
            Some(skip) => h.add(&skip.forward(x, mode)?),
            None => h.add(x),
        }
    }
}

/// Attention among the places of an image, added to it.
///
/// **Formula** `multi-head`, on the normalised maps of each place: x + MHA(norm(x)).
///
/// **Shapes**: x `[N, C, H, W]`, H·W places of C numbers; the result as x. **Units**: any. **Gradient**, **Numerics**: those of its parts; fresh, it adds nothing.
///
/// **Errors**: heads or groups that do not divide the maps, another rank. **Source**: Ho, Jain & Abbeel 2020, appendix B.
#[derive(Debug, Clone)]
pub struct PlaceAttention<T: Scalar = f32> {
    /// The normalisation before.
    pub norm: GroupNorm<T>,
    /// The attention.
    pub attention: MultiHead<T>,
}

parameters!(PlaceAttention<T> { norm, attention });

impl<T: Scalar> PlaceAttention<T> {
    /// Of so many maps, by so many heads.
    ///
    /// # Errors
    /// If the heads or the groups do not divide the maps.
    pub fn new(maps: usize, (groups, heads): (usize, usize), rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let norm = GroupNorm::new(groups, maps)?;
        let attention = MultiHead::new(maps, heads, rng)?;
        // As with `silent`: nothing is added at first.
        attention.output.weight.update(|w| w.map_in_place(|_| T::ZERO));
        Ok(Self { norm, attention })
    }
}

impl<T: Scalar> Layer<T> for PlaceAttention<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let shape = x.shape();
        let &[samples, maps, h, w] = shape.dims() else {
            return Err(Error::shape("place_attention", "[N, C, H, W]", shape));
        };
        let places = self.norm.forward(x, mode)?.reshape([samples, maps, h * w])?.permute(&[0, 2, 1])?;
        let found = self.attention.attend(&places, Mask::default(), mode)?;
        found.permute(&[0, 2, 1])?.reshape(shape)?.add(x)
    }
}

/// A level on the way down: a block, then a convolution that halves the sides and doubles the maps.
#[derive(Debug, Clone)]
pub struct Down<T: Scalar = f32> {
    /// The block, whose result is what the way up gets.
    pub block: TimedBlock<T>,
    /// The halving: 3 × 3, stride 2.
    pub downsample: Conv2d<T>,
}

parameters!(Down<T> { block, downsample });

/// A level on the way up: twice the sides and half the maps, what came down laid beside, a block.
#[derive(Debug, Clone)]
pub struct Up<T: Scalar = f32> {
    /// The doubling: a transposed convolution of 2 × 2.
    pub upsample: ConvTranspose2d<T>,
    /// The block, of twice as many maps.
    pub block: TimedBlock<T>,
}

parameters!(Up<T> { upsample, block });

/// A U-Net that looks at noisy images, told at every block which step it is, and which class.
///
/// **Formula** `diffusion-unet`: ε_θ(xₜ, t), with the step's [embedding](crate::time_embedding) through two dense layers into every residual block.
///
/// **Shapes**: images `[N, C, H, W]`, whose sides are multiples of 2^(levels − 1); the result as the images. **Units**: those of the prediction.
///
/// **Gradient**, **Numerics**: those of the layers. The last convolution of each block, and of all, begins with weights 0: an untrained network says 0.
///
/// **Errors**: sides that can't be halved so often, labels that do not fit.
///
/// **Source**: Ho, Jain & Abbeel 2020, appendix B, with one block a level.
///
/// ```
/// use gradus_autograd::{Mode, Var};
/// use gradus_diffusion::{Denoiser, DenoisingUNet, UNetShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = UNetShape { width: 8, levels: 2, classes: 10, ..UNetShape::default() };
/// let net = DenoisingUNet::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let x = Var::constant(Tensor::ones([2, 1, 8, 8])?);
/// let said = net.denoise(&x, &[1, 1000], Some(&[3, 4]), &mut Mode::Eval)?;
/// assert_eq!(said.value(), Tensor::zeros([2, 1, 8, 8])?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DenoisingUNet<T: Scalar = f32> {
    /// What all blocks are told.
    pub condition: Condition<T>,
    /// The first convolution.
    pub input: Conv2d<T>,
    /// The way down.
    pub down: Vec<Down<T>>,
    /// The block at the lowest level.
    pub middle: TimedBlock<T>,
    /// Attention there, and a block after it.
    pub attention: Option<PlaceAttention<T>>,
    /// The block after the attention.
    pub after: Option<TimedBlock<T>>,
    /// The way up, from the lowest level.
    pub up: Vec<Up<T>>,
    /// The last normalisation.
    pub norm: GroupNorm<T>,
    /// The last convolution.
    pub output: Conv2d<T>,
}

parameters!(DenoisingUNet<T> { condition, input, down, middle, attention, after, up, norm, output });

impl<T: Scalar> DenoisingUNet<T> {
    /// With fresh weights.
    ///
    /// # Errors
    /// If a size is 0, the groups or the heads do not divide the maps, or `told` is odd.
    pub fn new(shape: UNetShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        if shape.levels == 0 {
            return Err(Error::argument(OP, "levels", 0, "at least 1"));
        }
        let lowest = shape.maps(shape.levels - 1)?;
        let block = |inputs, outputs, rng: &mut _| {
            TimedBlock::new([inputs, outputs], (shape.groups, shape.told), shape.dropout, rng)
        };
        let (mut down, mut up) = (Vec::new(), Vec::new());
        for level in 0..shape.levels - 1 {
            let (maps, below) = (shape.maps(level)?, shape.maps(level + 1)?);
            let window = Window::new(3).stride(2).padded(1);
            down.push(Down {
                block: block(maps, maps, &mut *rng)?,
                downsample: conv(maps, below, window, rng)?,
            });
            let twice = ConvShape::new(below, maps, [Window::new(2).stride(2); 2]);
            let upsample = ConvTranspose2d::new(twice, rng)?;
            up.push(Up { upsample, block: block(2 * maps, maps, &mut *rng)? });
        }
        up.reverse();
        let middle = block(lowest, lowest, &mut *rng)?;
        let (attention, after) = if shape.heads > 0 {
            let attention = PlaceAttention::new(lowest, (shape.groups, shape.heads), rng)?;
            (Some(attention), Some(block(lowest, lowest, &mut *rng)?))
        } else {
            (None, None)
        };
        Ok(Self {
            condition: Condition::new(shape.told, shape.classes, rng)?,
            input: conv(shape.channels, shape.width, Window::new(3).padded(1), rng)?,
            down,
            middle,
            attention,
            after,
            up,
            norm: GroupNorm::new(shape.groups, shape.width)?,
            output: silent(shape.width, shape.channels)?,
        })
    }
}

impl<T: Scalar> Denoiser<T> for DenoisingUNet<T> {
    fn denoise(
        &self,
        x: &Var<T>,
        t: &[usize],
        labels: Option<&[u32]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let factor = 1 << self.down.len();
        if x.shape().dims().iter().skip(2).any(|side| !side.is_multiple_of(factor)) {
            return Err(Error::shape(OP, format!("sides that are multiples of {factor}"), x.shape()));
        }
        one_step_each(OP, x, t)?;
        let told = self.condition.of(t, labels, mode)?;
        let mut h = self.input.forward(x, mode)?;
        let mut across = Vec::new();
        for level in &self.down {
            h = level.block.forward(&h, &told, mode)?;
            across.push(h.clone());
            h = level.downsample.forward(&h, mode)?;
        }
        h = self.middle.forward(&h, &told, mode)?;
        if let Some(attention) = &self.attention {
            h = attention.forward(&h, mode)?;
        }
        if let Some(after) = &self.after {
            h = after.forward(&h, &told, mode)?;
        }
        for (level, skip) in self.up.iter().zip(across.iter().rev()) {
            let doubled = level.upsample.forward(&h, mode)?;
            h = level.block.forward(&Var::concatenate(&[&doubled, skip], 1)?, &told, mode)?;
        }
        self.output.forward(&self.norm.then_silu(&h, None)?, mode)
    }

    fn classes(&self) -> u32 {
        self.condition.known()
    }
}
