//! The residual block: what is learned is what has to be added.

use super::Widen;
use crate::walk::layer;
use crate::{Join, Network, Start, Step, Walk};
use gradus_autograd::{Name, Parameters, Slot, SlotMut, parameters};
use gradus_cnn::{Conv2d, ConvShape, MaxPool, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_layers::BatchNorm2d;
use gradus_tensor::{Result, Scalar};

pub(crate) const FORMULA: Formula = Formula {
    id: "residual-block",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The residual block",
    latex: r"y = f\bigl(\mathcal F(x) + S x\bigr), \qquad \mathcal F(x) = \operatorname{norm}(w_2 * f(\operatorname{norm}(w_1 * x))), \qquad S = I \text{ where the shape stays}",
    unicode: "y = f(F(x) + S·x), F(x) = norm(w₂∗f(norm(w₁∗x))), S = I where the shape stays",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "maps", shape: "[N, C, H, W]", unit: "any" },
        Symbol {
            latex: r"\mathcal F",
            code: "conv1, bn1, conv2, bn2",
            meaning: "what the block learns: the difference from its input",
            shape: "[N, K, H', W']",
            unit: "as x",
        },
        Symbol {
            latex: "S",
            code: "downsample",
            meaning: "the shortcut: nothing, or a projection by 1 × 1, or channels of zeros",
            shape: "[N, K, H', W']",
            unit: "as x",
        },
        Symbol { latex: "f", code: "relu", meaning: "max(0, ·)", shape: "[]", unit: "that of its input" },
    ],
    source: "He, Zhang, Ren & Sun 2016, eq. 1–2, §3.2",
    item: item!(enum Block),
    chapter: "resnet",
    printed: None,
};

/// How x comes around a block.
#[derive(Debug, Clone)]
pub enum Shortcut<T: Scalar = f32> {
    /// As it is.
    Identity,
    /// By a convolution of 1 × 1 and a normalisation, where the shape changes: option B of the paper.
    Projection(Projection<T>),
    /// Every second pixel, and channels of zeros for those that are new: option A, without parameters.
    Padded(MaxPool, Widen),
}

/// A convolution of 1 × 1 and its normalisation. Its state has the names of PyTorch: `0` and `1`.
#[derive(Debug, Clone)]
pub struct Projection<T: Scalar = f32> {
    /// The convolution, with the block's stride.
    pub conv: Conv2d<T>,
    /// Its normalisation.
    pub norm: BatchNorm2d<T>,
}

parameters!(Projection<T> { conv as "0", norm as "1" });

impl<T: Scalar> Network<T> for Projection<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("0", Step::Conv(&self.conv), x)?;
        w.step("1", Step::Norm(&self.norm), x)
    }
}

impl<T: Scalar> Parameters<T> for Shortcut<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        if let Self::Projection(projection) = self {
            projection.visit(name, see);
        }
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        if let Self::Projection(projection) = self {
            projection.visit_mut(name, see);
        }
    }
}

impl<T: Scalar> Network<T> for Shortcut<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        match self {
            Self::Identity => Ok(x),
            Self::Projection(projection) => projection.walk(w, x),
            Self::Padded(thin, widen) => {
                let x = w.step("thin", Step::MaxPool(*thin), x)?;
                w.step("widen", Step::Widen(*widen), x)
            }
        }
    }
}

/// Two convolutions of 3 × 3: the block of ResNet-18 and -34.
#[derive(Debug, Clone)]
pub struct Basic<T: Scalar = f32> {
    /// The first, with the block's stride.
    pub conv1: Conv2d<T>,
    /// Its normalisation.
    pub bn1: BatchNorm2d<T>,
    /// The second.
    pub conv2: Conv2d<T>,
    /// Its normalisation, before x comes back.
    pub bn2: BatchNorm2d<T>,
    /// The way around.
    pub downsample: Shortcut<T>,
}

parameters!(Basic<T> { conv1, bn1, conv2, bn2, downsample });

impl<T: Scalar> Network<T> for Basic<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let y = w.step("conv1", Step::Conv(&self.conv1), x.clone())?;
        let y = w.step("bn1", Step::Norm(&self.bn1), y)?;
        let y = w.step("relu1", Step::Relu, y)?;
        let y = w.step("conv2", Step::Conv(&self.conv2), y)?;
        let y = w.step("bn2", Step::Norm(&self.bn2), y)?;
        let x = w.part("downsample", &self.downsample, x)?;
        let y = w.join("add", Join::Add, y, x)?;
        w.step("relu", Step::Relu, y)
    }
}

/// Down to a quarter of the channels by 1 × 1, 3 × 3 there, and up again by 1 × 1: the block of ResNet-50, -101 and -152.
#[derive(Debug, Clone)]
pub struct Bottleneck<T: Scalar = f32> {
    /// 1 × 1, to fewer channels.
    pub conv1: Conv2d<T>,
    /// Its normalisation.
    pub bn1: BatchNorm2d<T>,
    /// 3 × 3.
    pub conv2: Conv2d<T>,
    /// Its normalisation.
    pub bn2: BatchNorm2d<T>,
    /// 1 × 1, to four times as many.
    pub conv3: Conv2d<T>,
    /// Its normalisation, before x comes back.
    pub bn3: BatchNorm2d<T>,
    /// The way around.
    pub downsample: Shortcut<T>,
}

parameters!(Bottleneck<T> { conv1, bn1, conv2, bn2, conv3, bn3, downsample });

impl<T: Scalar> Network<T> for Bottleneck<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let y = w.step("conv1", Step::Conv(&self.conv1), x.clone())?;
        let y = w.step("bn1", Step::Norm(&self.bn1), y)?;
        let y = w.step("relu1", Step::Relu, y)?;
        let y = w.step("conv2", Step::Conv(&self.conv2), y)?;
        let y = w.step("bn2", Step::Norm(&self.bn2), y)?;
        let y = w.step("relu2", Step::Relu, y)?;
        let y = w.step("conv3", Step::Conv(&self.conv3), y)?;
        let y = w.step("bn3", Step::Norm(&self.bn3), y)?;
        let x = w.part("downsample", &self.downsample, x)?;
        let y = w.join("add", Join::Add, y, x)?;
        w.step("relu", Step::Relu, y)
    }
}

/// How a block is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BlockShape {
    /// The channels that come in.
    pub inputs: usize,
    /// The channels that its convolutions of 3 × 3 give; a bottleneck gives four times as many.
    pub maps: usize,
    /// How far apart the pixels are that it looks at: 1, or 2 where the maps are halved.
    pub stride: usize,
    /// Whether it is a bottleneck.
    pub bottleneck: bool,
    /// Whether a bottleneck has its stride in the first 1 × 1, as in the paper, instead of in the 3 × 3.
    pub stride_first: bool,
    /// Whether the last normalisation begins at 0, so that the block begins as its shortcut.
    pub zero_init: bool,
    /// Whether a shortcut where the shape changes is a projection (option B), or has no parameters (option A).
    pub projection: bool,
}

/// How many times the channels of its 3 × 3 a bottleneck gives.
pub(crate) const EXPANSION: usize = 4;

impl BlockShape {
    /// A basic block that keeps the shape.
    #[must_use]
    pub const fn basic(maps: usize) -> Self {
        Self {
            inputs: maps,
            maps,
            stride: 1,
            bottleneck: false,
            stride_first: false,
            zero_init: false,
            projection: true,
        }
    }

    /// A bottleneck that keeps the shape.
    #[must_use]
    pub const fn bottleneck(maps: usize) -> Self {
        let block = Self::basic(maps);
        Self { inputs: maps.saturating_mul(EXPANSION), bottleneck: true, ..block }
    }

    /// The channels that come out.
    #[must_use]
    pub const fn outputs(&self) -> usize {
        if self.bottleneck { self.maps.saturating_mul(EXPANSION) } else { self.maps }
    }
}

/// A residual block.
///
/// **Formula** `residual-block`: y = f(F(x) + S·x).
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, K, H', W']`, K the block's [`outputs`](BlockShape::outputs) and the sizes divided by the stride, rounded up. **Units**: those of x.
///
/// **Gradient**: with S = I and where f passes everything, the Jacobian is I + J_F: whatever F does, the gradient of a chain of blocks has a part that comes
/// through untouched.
///
/// **Numerics**: a sum of two numbers of similar size. A stack of such sums grows: the variance doubles in each block of a network that begins at random, unless
/// the last normalisation begins at 0.
///
/// **Errors**: no channels; another number of channels in x.
///
/// **Source**: He, Zhang, Ren & Sun 2016, eq. 1–2; the zero: Goyal et al. 2017, §5.1.
///
/// ```
/// use gradus_architectures::{Block, BlockShape, Start};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let shape = BlockShape { zero_init: true, ..BlockShape::basic(8) };
/// let block = Block::<f64>::new(&shape, &mut Start::Random(rng))?;
/// // What it adds is 0 as yet.
/// let x = Var::constant(Tensor::from_fn([1, 8, 5, 5], |i| (i[1] * i[2] + i[3]) as f64)?);
/// assert_eq!(block.forward(&x, &mut Mode::Eval)?.value(), x.value());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum Block<T: Scalar = f32> {
    /// Two convolutions of 3 × 3.
    Basic(Basic<T>),
    /// 1 × 1, 3 × 3, 1 × 1.
    Bottleneck(Bottleneck<T>),
}

layer!(Block);

impl<T: Scalar> Parameters<T> for Block<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        match self {
            Self::Basic(block) => block.visit(name, see),
            Self::Bottleneck(block) => block.visit(name, see),
        }
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        match self {
            Self::Basic(block) => block.visit_mut(name, see),
            Self::Bottleneck(block) => block.visit_mut(name, see),
        }
    }
}

impl<T: Scalar> Network<T> for Block<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        match self {
            Self::Basic(block) => block.walk(w, x),
            Self::Bottleneck(block) => block.walk(w, x),
        }
    }
}

impl<T: Scalar> Block<T> {
    /// A block to begin with.
    ///
    /// # Errors
    /// If there are no channels, or the stride is 0.
    pub fn new(shape: &BlockShape, start: &mut Start<'_>) -> Result<Self> {
        let BlockShape { inputs, maps, stride, .. } = *shape;
        let outputs = shape.outputs();
        let mut conv = |inputs, outputs, size: usize, stride| {
            let window = Window::new(size).padded(size / 2).stride(stride);
            start.conv(ConvShape::new(inputs, outputs, [window; 2]).without_bias())
        };
        let last = || -> Result<BatchNorm2d<T>> {
            let norm = BatchNorm2d::new(outputs)?;
            if shape.zero_init {
                norm.weight.update(|gain| gain.as_mut_slice().fill(T::ZERO));
            }
            Ok(norm)
        };
        let block = if shape.bottleneck {
            let strides = if shape.stride_first { [stride, 1] } else { [1, stride] };
            Self::Bottleneck(Bottleneck {
                conv1: conv(inputs, maps, 1, strides[0])?,
                bn1: BatchNorm2d::new(maps)?,
                conv2: conv(maps, maps, 3, strides[1])?,
                bn2: BatchNorm2d::new(maps)?,
                conv3: conv(maps, outputs, 1, 1)?,
                bn3: last()?,
                downsample: Shortcut::Identity,
            })
        } else {
            Self::Basic(Basic {
                conv1: conv(inputs, maps, 3, stride)?,
                bn1: BatchNorm2d::new(maps)?,
                conv2: conv(maps, maps, 3, 1)?,
                bn2: last()?,
                downsample: Shortcut::Identity,
            })
        };
        let shortcut = if stride == 1 && inputs == outputs {
            Shortcut::Identity
        } else if shape.projection {
            let (conv, norm) = (conv(inputs, outputs, 1, stride)?, BatchNorm2d::new(outputs)?);
            Shortcut::Projection(Projection { conv, norm })
        } else {
            Shortcut::Padded(MaxPool::new([Window::new(1).stride(stride); 2]), Widen { channels: outputs })
        };
        Ok(block.with(shortcut))
    }

    fn with(self, downsample: Shortcut<T>) -> Self {
        match self {
            Self::Basic(block) => Self::Basic(Basic { downsample, ..block }),
            Self::Bottleneck(block) => Self::Bottleneck(Bottleneck { downsample, ..block }),
        }
    }
}
