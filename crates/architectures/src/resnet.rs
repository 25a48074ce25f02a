//! ResNet: a hundred layers and more, because each block only has to learn what to add.

pub(crate) mod block;
pub(crate) mod recipe;
mod widen;

pub use block::{Basic, Block, BlockShape, Bottleneck, Projection, Shortcut};
pub use recipe::TrainingRecipe;
pub use widen::Widen;

use crate::walk::{layer, numbered};
use crate::{Network, Start, Step, Walk, refused};
use gradus_cnn::{AdaptiveAveragePool, Conv2d, ConvShape, MaxPool, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::Init;
use gradus_layers::{BatchNorm2d, Linear};
use gradus_tensor::{Result, Scalar};

pub(crate) const FORMULA_PARAMS: Formula = Formula {
    id: "resnet-params",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "ResNet's parameters",
    latex: r"\text{ResNet-152: } 60{,}192{,}808, \qquad \text{ResNet-50: } 25{,}557{,}032, \qquad \text{ResNet-18: } 11{,}689{,}512",
    unicode: "ResNet-152: 60,192,808; ResNet-50: 25,557,032; ResNet-18: 11,689,512",
    symbols: &[],
    source: "He, Zhang, Ren & Sun 2016, table 1; counted",
    item: item!(struct ResNetShape),
    chapter: "resnet",
    printed: None,
};

pub(crate) const FORMULA_DEEPER: Formula = Formula {
    id: "resnet-deeper-better",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "Deeper is better, up to a point",
    latex: r"\frac{\partial y_L}{\partial y_l} = \prod_{i=l+1}^{L} \Bigl( I + \frac{\partial \mathcal F_i}{\partial y_{i-1}} \Bigr) = I + \dots",
    unicode: "∂y_L/∂y_l = Π (I + ∂F_i/∂y_{i−1}) = I + …, i = l + 1 … L",
    symbols: &[Symbol {
        latex: "y_l",
        code: "y",
        meaning: "what comes out of block l",
        shape: "[N, C, H, W]",
        unit: "any",
    }],
    source: "He, Zhang, Ren & Sun 2016, table 4 (18 to 152 layers of ImageNet: better each time), table 6 (1202 layers of CIFAR-10: 7.93 % wrong, 110 layers: 6.43 %)",
    item: item!(struct ResNet),
    chapter: "resnet",
    printed: None,
};

/// What stands before the first block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stem {
    /// For photographs: 7 × 7 with a stride of 2, and a pooling that halves again.
    ImageNet,
    /// For images of 32 × 32: one convolution of 3 × 3.
    Cifar,
}

/// The sizes of a [`ResNet`].
///
/// ```
/// use gradus_architectures::{ResNet, ResNetShape, Start};
/// use gradus_autograd::Parameters;
/// let count = |shape| -> gradus_tensor::Result<usize> {
///     Ok(ResNet::<f32>::new(&shape, &mut Start::Blank)?.parameter_count())
/// };
/// assert_eq!(count(ResNetShape::resnet50())?, 25_557_032);
/// assert_eq!(count(ResNetShape::cifar(18)?)?, 1_727_962); // 110 layers
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResNetShape {
    /// What stands before the first block.
    pub stem: Stem,
    /// The blocks of each stage. From stage to stage the maps are halved, and there are twice as many.
    pub blocks: Vec<usize>,
    /// Whether the blocks are bottlenecks.
    pub bottleneck: bool,
    /// Whether a bottleneck has its stride in the first 1 × 1, as in the paper; torchvision has it in the 3 × 3, where fewer pixels go unread.
    pub stride_first: bool,
    /// Whether each block's last normalisation begins at 0, so that the network begins as its shortcuts.
    pub zero_init: bool,
    /// Whether the shortcuts where the shape changes are projections (option B), or have no parameters (option A).
    pub projection: bool,
    /// The image's channels: 3.
    pub channels: usize,
    /// The image's customary height and width: 224. The network takes others.
    pub image: [usize; 2],
    /// The maps of the first stage: 64.
    pub width: usize,
    /// K, the classes: 1000.
    pub classes: usize,
}

const OP: &str = "resnet";

impl ResNetShape {
    /// A column of the paper's table 1, with the stride of a bottleneck in its 3 × 3.
    fn of(blocks: [usize; 4], bottleneck: bool) -> Self {
        Self {
            stem: Stem::ImageNet,
            blocks: blocks.to_vec(),
            bottleneck,
            stride_first: false,
            zero_init: false,
            projection: true,
            channels: 3,
            image: [224, 224],
            width: 64,
            classes: 1000,
        }
    }

    /// 18 layers: 11,689,512 parameters.
    #[must_use]
    pub fn resnet18() -> Self {
        Self::of([2, 2, 2, 2], false)
    }

    /// 34 layers: 21,797,672 parameters.
    #[must_use]
    pub fn resnet34() -> Self {
        Self::of([3, 4, 6, 3], false)
    }

    /// 50 layers: 25,557,032 parameters.
    #[must_use]
    pub fn resnet50() -> Self {
        Self::of([3, 4, 6, 3], true)
    }

    /// 101 layers: 44,549,160 parameters.
    #[must_use]
    pub fn resnet101() -> Self {
        Self::of([3, 4, 23, 3], true)
    }

    /// 152 layers: 60,192,808 parameters.
    #[must_use]
    pub fn resnet152() -> Self {
        Self::of([3, 8, 36, 3], true)
    }

    /// The paper's networks for CIFAR-10: three stages of n basic blocks, 6n + 2 layers, 16 maps in the first stage and shortcuts without parameters. n = 3 makes 20 layers, n = 18 makes 110.
    ///
    /// # Errors
    /// If n is 0.
    pub fn cifar(n: usize) -> Result<Self> {
        if n == 0 {
            return Err(refused(OP, "n", n, "at least 1"));
        }
        Ok(Self {
            stem: Stem::Cifar,
            blocks: vec![n; 3],
            projection: false,
            image: [32, 32],
            width: 16,
            classes: 10,
            ..Self::resnet18()
        })
    }

    /// For so many classes.
    #[must_use]
    pub fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// Layers with weights on the longest way: the number in the name.
    ///
    /// ```
    /// use gradus_architectures::ResNetShape;
    /// assert_eq!(ResNetShape::resnet152().layers(), 152);
    /// assert_eq!(ResNetShape::cifar(9)?.layers(), 56);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    #[must_use]
    pub fn layers(&self) -> usize {
        let blocks: usize = self.blocks.iter().sum();
        2 + blocks * if self.bottleneck { 3 } else { 2 }
    }
}

/// ResNet: after a stem stages of [`Block`]s, the mean of each map, and one dense layer.
///
/// **Formula** `residual-block`: each block is y = f(F(x) + S·x).
///
/// **Shapes**: x `[N, C, H, W]` of any size that leaves a pixel; the result `[N, K]`. **Units**: scores, whose softmax are probabilities.
///
/// **State**: `conv1`, `bn1`, `layer1.0.conv1`, …, `fc`, as in torchvision.
///
/// **Gradient**: that of its blocks: a part of it comes through every shortcut untouched.
///
/// **Default**: He's law over the outputs (the notes' "Xavier/2"), gains 1, shifts 0; for the dense layer a uniform law of ±1/√fan-in, as PyTorch has it. There is no dropout: batch
/// normalisation makes enough noise.
///
/// **Errors**: no blocks, channels or classes; another number of channels in x.
///
/// **Source**: He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016, table 1 and §4.2.
///
/// ```
/// use gradus_architectures::{ResNet, ResNetShape, Start};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = ResNetShape { width: 4, ..ResNetShape::cifar(1)? };
/// let net = ResNet::<f32>::new(&shape, &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([2, 3, 32, 32])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [2, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ResNet<T: Scalar = f32> {
    /// The first convolution.
    pub conv1: Conv2d<T>,
    /// Its normalisation.
    pub bn1: BatchNorm2d<T>,
    /// The stages.
    pub stages: Vec<Stage<T>>,
    /// A score a class.
    pub fc: Linear<T>,
    shape: ResNetShape,
}

/// The blocks of one size of map.
pub type Stage<T> = Vec<Block<T>>;

impl<T: Scalar> ResNet<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If there are none of something, or too many.
    pub fn new(shape: &ResNetShape, start: &mut Start<'_>) -> Result<Self> {
        if shape.blocks.is_empty() || shape.blocks.contains(&0) {
            return Err(refused(
                OP,
                "blocks",
                format!("{:?}", shape.blocks),
                "at least one stage, and one block in each",
            ));
        }
        let window = match shape.stem {
            Stem::ImageNet => Window::new(7).stride(2).padded(3),
            Stem::Cifar => Window::new(3).padded(1),
        };
        let conv1 = start.conv(ConvShape::new(shape.channels, shape.width, [window; 2]).without_bias())?;
        let mut inputs = shape.width;
        let mut stages = Vec::new();
        for (stage, &count) in shape.blocks.iter().enumerate() {
            let maps = u32::try_from(stage).ok().and_then(|s| 2usize.checked_pow(s));
            let maps = maps
                .and_then(|factor| shape.width.checked_mul(factor))
                .ok_or_else(|| refused(OP, "blocks", format!("{} stages", shape.blocks.len()), "fewer"))?;
            let mut blocks = Vec::new();
            for i in 0..count {
                let block = BlockShape {
                    inputs,
                    maps,
                    stride: if stage > 0 && i == 0 { 2 } else { 1 },
                    bottleneck: shape.bottleneck,
                    stride_first: shape.stride_first,
                    zero_init: shape.zero_init,
                    projection: shape.projection,
                };
                inputs = block.outputs();
                blocks.push(Block::new(&block, start)?);
            }
            stages.push(blocks);
        }
        Ok(Self {
            conv1,
            bn1: BatchNorm2d::new(shape.width)?,
            stages,
            fc: start.linear([inputs, shape.classes], Init::fan_in_uniform())?,
            shape: shape.clone(),
        })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> &ResNetShape {
        &self.shape
    }
}

layer!(ResNet);
numbered!(ResNet { conv1, bn1; stages as "layer"; fc });

impl<T: Scalar> Network<T> for ResNet<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let mut x = w.step("conv1", Step::Conv(&self.conv1), x)?;
        x = w.step("bn1", Step::Norm(&self.bn1), x)?;
        x = w.step("relu", Step::Relu, x)?;
        if self.shape.stem == Stem::ImageNet {
            x = w.step("maxpool", Step::MaxPool(MaxPool::new([Window::new(3).stride(2).padded(1); 2])), x)?;
        }
        for (i, blocks) in self.stages.iter().enumerate() {
            w.enter(&format!("layer{}", i + 1));
            for (i, block) in blocks.iter().enumerate() {
                x = w.part(&i.to_string(), block, x)?;
            }
            w.leave();
        }
        x = w.step("avgpool", Step::AveragePool(AdaptiveAveragePool::new([1, 1])), x)?;
        x = w.step("flatten", Step::Flatten, x)?;
        w.step("fc", Step::Linear(&self.fc), x)
    }
}
