//! Xception: Inception taken to its end. Look around in each channel by itself, and mix the channels at each pixel.

use crate::walk::{layer, numbered};
use crate::{Join, Network, Stack, Start, Step, Unit, Walk, refused};
use gradus_autograd::parameters;
use gradus_cnn::{AdaptiveAveragePool, Conv2d, ConvShape, MaxPool, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::Init;
use gradus_layers::{BatchNorm2d, Linear};
use gradus_tensor::{Result, Scalar};

pub(crate) const FORMULA_INCEPTION: Formula = Formula {
    id: "xception-extreme-inception",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Inception, taken to its end",
    latex: r"\text{Inception: } 1 \times 1, \text{ then a few towers of } 3 \times 3 \;\longrightarrow\; \text{one tower a channel}",
    unicode: "Inception: 1 × 1, then a few towers of 3 × 3 → one tower a channel",
    symbols: &[],
    source: "Chollet 2017, §1.1 (he looks around first and mixes then, and has no activation between)",
    item: item!(struct Separable),
    chapter: "xception",
    printed: None,
};

pub(crate) const FORMULA_36: Formula = Formula {
    id: "xception-36-convs",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Thirty-six convolutions",
    latex: r"2 + \underbrace{3 \cdot 2}_{\text{entry}} + \underbrace{8 \cdot 3}_{\text{middle}} + \underbrace{2 + 2}_{\text{exit}} = 36",
    unicode: "2 + 3·2 in the entry + 8·3 in the middle + 2 + 2 at the exit = 36",
    symbols: &[],
    source: "Chollet 2017, §3, fig. 5",
    item: item!(struct Xception),
    chapter: "xception",
    printed: None,
};

pub(crate) const FORMULA_SEPARABLE: Formula = Formula {
    id: "xception-separable",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "What separating saves",
    latex: r"W_{k c u v} = p_{k c}\, d_{c u v}, \qquad \frac{C F^2 + C K}{K C F^2} = \frac1K + \frac{1}{F^2}",
    unicode: "W[k, c, u, v] = p[k, c]·d[c, u, v]; (C·F² + C·K)/(K·C·F²) = 1/K + 1/F²",
    symbols: &[
        Symbol {
            latex: "d",
            code: "depthwise",
            meaning: "a filter for each channel",
            shape: "[C, 1, F, F]",
            unit: "any",
        },
        Symbol {
            latex: "p",
            code: "pointwise",
            meaning: "how the channels are mixed",
            shape: "[K, C, 1, 1]",
            unit: "any",
        },
        Symbol {
            latex: "C",
            code: "inputs",
            meaning: "the channels that come in",
            shape: "[]",
            unit: "channels",
        },
        Symbol {
            latex: "K",
            code: "outputs",
            meaning: "the channels that come out",
            shape: "[]",
            unit: "channels",
        },
        Symbol {
            latex: "F",
            code: "size",
            meaning: "the window's taps along a side: 3",
            shape: "[]",
            unit: "taps",
        },
    ],
    source: "Chollet 2017, §1.2 and §3; Howard et al. 2017, §3.1",
    item: item!(struct Separable),
    chapter: "xception",
    printed: None,
};

/// A separable convolution of 3 × 3 without biases, as Xception has it: its state is `conv1` (each channel by itself) and `pointwise`, as in timm.
///
/// **Formula** `xception-separable`: W\[k, c, u, v\] = p\[k, c\]·d\[c, u, v\], with 1/K + 1/F² of the full convolution's products.
///
/// **Shapes**: x `[N, C, H, W]`; the result `[N, K, H, W]`. **Units**: those of x.
///
/// **Gradient**: that of its two convolutions.
///
/// **Numerics**: as [`conv2d`](gradus_cnn::conv2d()).
///
/// **Errors**: no channels; another number of channels in x.
///
/// **Source**: Chollet 2017, §3.
///
/// ```
/// use gradus_architectures::{Separable, Start};
/// use gradus_autograd::Parameters;
/// let layer = Separable::<f32>::new(728, 728, &mut Start::Blank)?;
/// let share = layer.parameter_count() as f64 / (728 * 728 * 9) as f64;
/// assert!((share - (1.0 / 728.0 + 1.0 / 9.0)).abs() < 1e-12); // 0.1125
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Separable<T: Scalar = f32> {
    /// Each channel by itself.
    pub depthwise: Conv2d<T>,
    /// The channels at each pixel.
    pub pointwise: Conv2d<T>,
}

parameters!(Separable<T> { depthwise as "conv1", pointwise });
layer!(Separable);

impl<T: Scalar> Separable<T> {
    /// A layer to begin with.
    ///
    /// # Errors
    /// If there are no channels.
    pub fn new(inputs: usize, outputs: usize, start: &mut Start<'_>) -> Result<Self> {
        let depthwise = ConvShape::depthwise(inputs, [Window::new(3).padded(1); 2]).without_bias();
        Ok(Self {
            depthwise: start.conv_of(depthwise, Init::lecun_normal())?,
            pointwise: start.conv(ConvShape::pointwise(inputs, outputs).without_bias())?,
        })
    }
}

impl<T: Scalar> Network<T> for Separable<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.step("conv1", Step::Conv(&self.depthwise), x)?;
        w.step("pointwise", Step::Conv(&self.pointwise), x)
    }
}

/// A module of Xception: separable convolutions, and a way around them.
#[derive(Debug, Clone)]
pub struct Module<T: Scalar = f32> {
    /// ReLU, separable convolution, normalisation, two or three times; then a pooling, if the module halves.
    pub rep: Stack<T>,
    /// The way around, where the shape changes: 1 × 1.
    pub skip: Option<Conv2d<T>>,
    /// Its normalisation.
    pub skip_norm: Option<BatchNorm2d<T>>,
}

parameters!(Module<T> { rep, skip, skip_norm as "skipbn" });
layer!(Module);

/// How a module is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ModuleShape {
    /// The channels before the first convolution, and after each one.
    pub maps: Vec<usize>,
    /// Whether the maps are halved at the end.
    pub halves: bool,
    /// Whether it begins with a ReLU: all but the first do.
    pub relu_first: bool,
}

impl<T: Scalar> Module<T> {
    /// A module to begin with.
    ///
    /// # Errors
    /// If there are fewer than two numbers of channels, or one is 0.
    pub fn new(shape: &ModuleShape, start: &mut Start<'_>) -> Result<Self> {
        let (&[inputs, .., outputs], halves) = (shape.maps.as_slice(), shape.halves) else {
            let value = format!("{:?}", shape.maps);
            return Err(refused(
                "xception",
                "maps",
                value,
                "those before the first convolution and after each one",
            ));
        };
        let mut rep = Vec::new();
        for (i, pair) in shape.maps.windows(2).enumerate() {
            let &[from, to] = pair else { continue };
            if i > 0 || shape.relu_first {
                rep.push(Unit::Relu);
            }
            rep.extend([
                Unit::Separable(Separable::new(from, to, start)?),
                Unit::Norm(BatchNorm2d::new(to)?),
            ]);
        }
        if halves {
            rep.push(Unit::MaxPool(MaxPool::new([Window::new(3).stride(2).padded(1); 2])));
        }
        let projected = halves || inputs != outputs;
        let window = Window::new(1).stride(if halves { 2 } else { 1 });
        let skip = ConvShape::new(inputs, outputs, [window; 2]).without_bias();
        Ok(Self {
            rep: Stack(rep),
            skip: projected.then(|| start.conv(skip)).transpose()?,
            skip_norm: projected.then(|| BatchNorm2d::new(outputs)).transpose()?,
        })
    }
}

impl<T: Scalar> Network<T> for Module<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let y = w.part("rep", &self.rep, x.clone())?;
        let mut x = x;
        if let (Some(conv), Some(norm)) = (&self.skip, &self.skip_norm) {
            x = w.step("skip", Step::Conv(conv), x)?;
            x = w.step("skipbn", Step::Norm(norm), x)?;
        }
        w.join("add", Join::Add, y, x)
    }
}

/// The sizes of an [`Xception`].
///
/// ```
/// use gradus_architectures::{Start, Xception, XceptionShape};
/// use gradus_autograd::Parameters;
/// let net = Xception::<f32>::new(&XceptionShape::published(), &mut Start::Blank)?;
/// assert_eq!(net.parameter_count(), 22_855_952);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct XceptionShape {
    /// The image's channels: 3.
    pub channels: usize,
    /// The image's customary height and width: 299. The network takes others.
    pub image: [usize; 2],
    /// The maps of the two ordinary convolutions: 32 and 64.
    pub stem: [usize; 2],
    /// The maps of the entry's three modules: 128, 256, 728.
    pub entry: [usize; 3],
    /// The modules of the middle: 8.
    pub middle: usize,
    /// The maps of the exit: 1024, 1536, 2048.
    pub exit: [usize; 3],
    /// K, the classes: 1000.
    pub classes: usize,
}

impl XceptionShape {
    /// The network of 2017.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            channels: 3,
            image: [299, 299],
            stem: [32, 64],
            entry: [128, 256, 728],
            middle: 8,
            exit: [1024, 1536, 2048],
            classes: 1000,
        }
    }

    /// A copy that trains in seconds: images of 71 × 71, an eighth of the maps and less, two modules in the middle, ten classes.
    #[must_use]
    pub const fn tiny() -> Self {
        Self {
            image: [71, 71],
            stem: [4, 8],
            entry: [16, 24, 32],
            middle: 2,
            exit: [48, 56, 64],
            classes: 10,
            ..Self::published()
        }
    }

    /// For so many classes.
    #[must_use]
    pub const fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// The modules with a way around: three of the entry, those of the middle, and one of the exit.
    #[must_use]
    pub fn modules(&self) -> Vec<ModuleShape> {
        let [a, b, c] = self.entry;
        let halving =
            |from, to, relu_first| ModuleShape { maps: vec![from, to, to], halves: true, relu_first };
        let mut modules = vec![halving(self.stem[1], a, false), halving(a, b, true), halving(b, c, true)];
        let middle = ModuleShape { maps: vec![c; 4], halves: false, relu_first: true };
        modules.extend(std::iter::repeat_n(middle, self.middle));
        modules.push(ModuleShape { maps: vec![c, c, self.exit[0]], halves: true, relu_first: true });
        modules
    }
}

/// Xception: two ordinary convolutions and thirty-four separable ones in fourteen modules, all but the first and the last with a way around.
///
/// **Formula** `xception-separable`: in each module x ← x + norm(W∗f(…)), W separable.
///
/// **Shapes**: x `[N, C, H, W]` of at least 7 × 7 pixels; the result `[N, K]`. **Units**: scores, whose softmax are probabilities.
///
/// **State**: `conv1`, `bn1`, …, `block1.rep.0.conv1`, …, `fc`, as in timm's `legacy_xception`.
///
/// **Gradient**: that of its layers.
///
/// **Default**: He's law over the outputs, for the depthwise part LeCun's, as nothing squashes between the two.
///
/// **Errors**: no channels or classes; another number of channels in x.
///
/// **Source**: Chollet, Xception: Deep learning with depthwise separable convolutions, 2017, fig. 5.
///
/// ```
/// use gradus_architectures::{Start, Xception, XceptionShape};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let net = Xception::<f32>::new(&XceptionShape::tiny(), &mut Start::Random(rng))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([2, 3, 71, 71])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [2, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Xception<T: Scalar = f32> {
    /// 3 × 3 with a stride of 2.
    pub conv1: Conv2d<T>,
    /// Its normalisation.
    pub bn1: BatchNorm2d<T>,
    /// 3 × 3.
    pub conv2: Conv2d<T>,
    /// Its normalisation.
    pub bn2: BatchNorm2d<T>,
    /// The modules with a way around.
    pub blocks: Vec<Module<T>>,
    /// The last but one separable convolution.
    pub conv3: Separable<T>,
    /// Its normalisation.
    pub bn3: BatchNorm2d<T>,
    /// The last separable convolution.
    pub conv4: Separable<T>,
    /// Its normalisation.
    pub bn4: BatchNorm2d<T>,
    /// A score a class.
    pub fc: Linear<T>,
    shape: XceptionShape,
}

impl<T: Scalar> Xception<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If there are none of something.
    pub fn new(shape: &XceptionShape, start: &mut Start<'_>) -> Result<Self> {
        let ([s1, s2], [e1, e2, e3]) = (shape.stem, shape.exit);
        let mut bare = |inputs, outputs, stride| {
            start.conv(ConvShape::new(inputs, outputs, [Window::new(3).stride(stride); 2]).without_bias())
        };
        let (conv1, conv2) = (bare(shape.channels, s1, 2)?, bare(s1, s2, 1)?);
        let modules = shape.modules();
        Ok(Self {
            conv1,
            bn1: BatchNorm2d::new(s1)?,
            conv2,
            bn2: BatchNorm2d::new(s2)?,
            blocks: modules.iter().map(|module| Module::new(module, start)).collect::<Result<_>>()?,
            conv3: Separable::new(e1, e2, start)?,
            bn3: BatchNorm2d::new(e2)?,
            conv4: Separable::new(e2, e3, start)?,
            bn4: BatchNorm2d::new(e3)?,
            fc: start.linear([e3, shape.classes], Init::fan_in_uniform())?,
            shape: *shape,
        })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> XceptionShape {
        self.shape
    }
}

layer!(Xception);
numbered!(Xception { conv1, bn1, conv2, bn2; blocks as "block"; conv3, bn3, conv4, bn4, fc });

impl<T: Scalar> Network<T> for Xception<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let mut x = w.step("conv1", Step::Conv(&self.conv1), x)?;
        x = w.step("bn1", Step::Norm(&self.bn1), x)?;
        x = w.step("relu1", Step::Relu, x)?;
        x = w.step("conv2", Step::Conv(&self.conv2), x)?;
        x = w.step("bn2", Step::Norm(&self.bn2), x)?;
        x = w.step("relu2", Step::Relu, x)?;
        for (i, block) in self.blocks.iter().enumerate() {
            x = w.part(&format!("block{}", i + 1), block, x)?;
        }
        x = w.part("conv3", &self.conv3, x)?;
        x = w.step("bn3", Step::Norm(&self.bn3), x)?;
        x = w.step("relu3", Step::Relu, x)?;
        x = w.part("conv4", &self.conv4, x)?;
        x = w.step("bn4", Step::Norm(&self.bn4), x)?;
        x = w.step("relu4", Step::Relu, x)?;
        x = w.step("avgpool", Step::AveragePool(AdaptiveAveragePool::new([1, 1])), x)?;
        x = w.step("flatten", Step::Flatten, x)?;
        w.step("fc", Step::Linear(&self.fc), x)
    }
}
