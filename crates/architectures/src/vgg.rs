//! VGG: nothing but 3 × 3, and deep.

use crate::walk::layer;
use crate::{Network, Stack, Start, Step, Unit, Walk, refused};
use gradus_autograd::parameters;
use gradus_cnn::{AdaptiveAveragePool, ConvShape, MaxPool, Window};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_initialization::Init;
use gradus_layers::{BatchNorm2d, Dropout};
use gradus_tensor::{Result, Scalar};

const C: Symbol = Symbol { latex: "C", code: "maps", meaning: "the maps", shape: "[]", unit: "maps" };

pub(crate) const FORMULA_SIMPLICITY: Formula = Formula {
    id: "vgg-simplicity",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Why small windows",
    latex: r"\begin{aligned} 2 \times (3 \times 3): &\; 5 \times 5 \text{ pixels seen}, & 18C^2 &\text{ instead of } 25C^2 \\ 3 \times (3 \times 3): &\; 7 \times 7 \text{ pixels seen}, & 27C^2 &\text{ instead of } 49C^2 \end{aligned}",
    unicode: "two 3 × 3 see 5 × 5 pixels with 18C² weights instead of 25C²; three see 7 × 7 with 27C² instead of 49C²",
    symbols: &[C],
    source: "Simonyan & Zisserman 2015, §2.3",
    item: item!(struct Vgg),
    chapter: "vgg",
    printed: None,
};

pub(crate) const FORMULA_CONV: Formula = Formula {
    id: "vgg-conv3x3",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "VGG's convolutions",
    latex: r"F = 3,\; S = 1,\; P = 1: \quad \Bigl\lfloor \tfrac{N + 2 - 3}{1} \Bigr\rfloor + 1 = N",
    unicode: "F = 3, S = 1, P = 1: ⌊(N + 2 − 3)/1⌋ + 1 = N",
    symbols: &[Symbol { latex: "N", code: "n", meaning: "a side of the maps", shape: "[]", unit: "pixels" }],
    source: "Simonyan & Zisserman 2015, §2.1 (C has windows of 1 × 1 too)",
    item: item!(enum VggColumn),
    chapter: "vgg",
    printed: None,
};

pub(crate) const FORMULA_POOL: Formula = Formula {
    id: "vgg-pool2x2",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "VGG's pooling",
    latex: r"F = 2,\; S = 2: \quad 224 \to 112 \to 56 \to 28 \to 14 \to 7",
    unicode: "F = 2, S = 2: 224 → 112 → 56 → 28 → 14 → 7",
    symbols: &[],
    source: "Simonyan & Zisserman 2015, §2.1",
    item: item!(struct Vgg),
    chapter: "vgg",
    printed: None,
};

pub(crate) const FORMULA_HEAD: Formula = Formula {
    id: "vgg-head",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "VGG's head",
    latex: r"h_1 = f(\operatorname{flat}(h)\, W_1 + b_1), \quad h_2 = f(h_1 W_2 + b_2), \quad p = \operatorname{softmax}(h_2 W_3 + b_3)",
    unicode: "h₁ = f(flat(h)·W₁ + b₁), h₂ = f(h₁·W₂ + b₂), p = softmax(h₂·W₃ + b₃)",
    symbols: &[
        Symbol {
            latex: "h",
            code: "features",
            meaning: "the last maps",
            shape: "[N, 512, 7, 7]",
            unit: "any",
        },
        Symbol {
            latex: "W",
            code: "classifier",
            meaning: "dense weights",
            shape: "[25088, 4096], [4096, 4096], [4096, K]",
            unit: "any",
        },
        Symbol { latex: "p", code: "p", meaning: "the classes' probabilities", shape: "[N, K]", unit: "1" },
    ],
    source: "Simonyan & Zisserman 2015, §2.1, table 1",
    item: item!(struct Vgg),
    chapter: "vgg",
    printed: None,
};

pub(crate) const FORMULA_PARAMS: Formula = Formula {
    id: "vgg-params",
    kind: Kind::Claim,
    verdict: Verdict::Wrong,
    title: "VGG-16's parameters",
    latex: r"\underbrace{14{,}714{,}688}_{\text{13 convolutions}} + \underbrace{123{,}642{,}856}_{\text{3 dense layers}} = 138{,}357{,}544",
    unicode: "14,714,688 of 13 convolutions + 123,642,856 of 3 dense layers = 138,357,544",
    symbols: &[],
    source: "Simonyan & Zisserman 2015, table 2 (rounded: 138 million)",
    item: item!(struct VggShape),
    chapter: "vgg",
    printed: Some(Printed {
        latex: r"137	ext{ M parameters}",
        reason: "No column of the paper's table 2 has 137: they are 133, 133, 134, 138 and 144 million. 138.36 million are counted; without the biases they are 138.34.",
        counterexample: "VGG-16 has 138,357,544 parameters: 138 million, in whichever way one rounds.",
    }),
};

/// The columns of the paper's table 1: A to E, by the number of weight layers. (The sixth, A-LRN, has the normalisation of AlexNet, and gained nothing by it.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VggColumn {
    /// 11 layers.
    A,
    /// 13 layers.
    B,
    /// 16 layers, three of them with windows of 1 × 1.
    C,
    /// 16 layers: VGG-16.
    D,
    /// 19 layers: VGG-19.
    E,
}

impl VggColumn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    /// The windows of each block's convolutions. Between blocks is a pooling.
    ///
    /// ```
    /// use gradus_architectures::VggColumn;
    /// let layers = VggColumn::ALL.map(|column| column.blocks().concat().len() + 3);
    /// assert_eq!(layers, [11, 13, 16, 16, 19]);
    /// ```
    #[must_use]
    pub const fn blocks(self) -> [&'static [usize]; 5] {
        match self {
            Self::A => [&[3], &[3], &[3, 3], &[3, 3], &[3, 3]],
            Self::B => [&[3, 3], &[3, 3], &[3, 3], &[3, 3], &[3, 3]],
            Self::C => [&[3, 3], &[3, 3], &[3, 3, 1], &[3, 3, 1], &[3, 3, 1]],
            Self::D => [&[3, 3], &[3, 3], &[3, 3, 3], &[3, 3, 3], &[3, 3, 3]],
            Self::E => [&[3, 3], &[3, 3], &[3, 3, 3, 3], &[3, 3, 3, 3], &[3, 3, 3, 3]],
        }
    }
}

/// The sizes of a [`Vgg`].
///
/// ```
/// use gradus_architectures::{Start, Vgg, VggColumn, VggShape};
/// use gradus_autograd::Parameters;
/// let count = |column| -> gradus_tensor::Result<usize> {
///     Ok(Vgg::<f32>::new(&VggShape::of(column), &mut Start::Blank)?.parameter_count())
/// };
/// assert_eq!(count(VggColumn::D)?, 138_357_544);
/// assert_eq!(count(VggColumn::E)?, 143_667_240);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VggShape {
    /// Which column of the table.
    pub column: VggColumn,
    /// Whether each convolution is followed by batch normalisation, which is younger than the network.
    pub normalised: bool,
    /// The image's channels: 3.
    pub channels: usize,
    /// The image's height and width: 224.
    pub image: [usize; 2],
    /// The maps of the first block: 64. The others have 2, 4, 8 and 8 times as many.
    pub width: usize,
    /// The side to which means of bins bring the last maps before the dense layers: 7. For the image that the network was made for nothing changes.
    pub grid: usize,
    /// The units of the two hidden dense layers: 4096.
    pub units: usize,
    /// K, the classes: 1000.
    pub classes: usize,
}

const OP: &str = "vgg";

impl VggShape {
    /// A column of the table, as it was published.
    #[must_use]
    pub const fn of(column: VggColumn) -> Self {
        Self {
            column,
            normalised: false,
            channels: 3,
            image: [224, 224],
            width: 64,
            grid: 7,
            units: 4096,
            classes: 1000,
        }
    }

    /// The same with batch normalisation.
    #[must_use]
    pub const fn normalised(self) -> Self {
        Self { normalised: true, ..self }
    }

    /// For so many classes.
    #[must_use]
    pub const fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// A copy of column A that trains in seconds: images of 32 × 32, an eighth of the maps, ten classes.
    #[must_use]
    pub const fn tiny() -> Self {
        Self { image: [32, 32], width: 8, grid: 1, units: 64, classes: 10, ..Self::of(VggColumn::A) }
    }

    /// The maps of the five blocks.
    ///
    /// # Errors
    /// If there are too many to be counted.
    pub fn maps(&self) -> Result<[usize; 5]> {
        let mut maps = [1, 2, 4, 8, 8];
        for maps in &mut maps {
            *maps = self.width.checked_mul(*maps).ok_or_else(|| {
                refused(OP, "width", self.width, "fewer maps, eight times which can be counted")
            })?;
        }
        Ok(maps)
    }
}

/// VGG: five blocks of convolutions, each twice as wide and half as large as the one before, and three dense layers.
///
/// **Formula** `vgg-conv3x3`, `vgg-pool2x2`, `vgg-head`: each block is h ← f(w∗h + b), once to four times, then the largest of each 2 × 2.
///
/// **Shapes**: x `[N, C, H, W]` of at least 32 × 32 pixels; the result `[N, K]`. **Units**: scores, whose softmax are probabilities.
///
/// **State**: `features` and `classifier`, numbered as in torchvision.
///
/// **Gradient**: that of its layers.
///
/// **Default**: He's law over the outputs for the convolutions, a standard deviation of 0.01 for the dense layers, biases 0, as in torchvision. (The paper trained column A first, and began the deeper ones with
/// its weights.)
///
/// **Errors**: no channels, maps, units or classes; another number of channels in x, or fewer pixels than five halvings need.
///
/// **Source**: Simonyan & Zisserman, Very deep convolutional networks for large-scale image recognition, 2015.
///
/// ```
/// use gradus_architectures::{Start, Vgg, VggShape};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = Vgg::<f32>::new(&VggShape::tiny(), &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([2, 3, 32, 32])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [2, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Vgg<T: Scalar = f32> {
    /// The convolutions.
    pub features: Stack<T>,
    /// The dense layers.
    pub classifier: Stack<T>,
    shape: VggShape,
}

parameters!(Vgg<T> { features, classifier });
layer!(Vgg);

impl<T: Scalar> Vgg<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If there are none of something, or too many.
    pub fn new(shape: &VggShape, start: &mut Start<'_>) -> Result<Self> {
        let mut features = Vec::new();
        let mut inputs = shape.channels;
        for (windows, maps) in shape.column.blocks().into_iter().zip(shape.maps()?) {
            for &size in windows {
                let window = Window::new(size).padded(size / 2);
                features.push(Unit::Conv(start.conv(ConvShape::new(inputs, maps, [window; 2]))?));
                if shape.normalised {
                    features.push(Unit::Norm(BatchNorm2d::new(maps)?));
                }
                features.push(Unit::Relu);
                inputs = maps;
            }
            features.push(Unit::MaxPool(MaxPool::new([Window::new(2).stride(2); 2])));
        }
        features.push(Unit::AveragePool(AdaptiveAveragePool::new([shape.grid; 2])));

        let flat = shape
            .grid
            .checked_mul(shape.grid)
            .and_then(|pixels| pixels.checked_mul(inputs))
            .ok_or_else(|| refused(OP, "grid", shape.grid, "a side whose pixels can be counted"))?;
        let mut dense =
            |inputs, outputs| start.linear([inputs, outputs], Init::normal(0.01)).map(Unit::Linear);
        let half = || Dropout::new(0.5).map(Unit::Dropout);
        let classifier = vec![
            dense(flat, shape.units)?,
            Unit::Relu,
            half()?,
            dense(shape.units, shape.units)?,
            Unit::Relu,
            half()?,
            dense(shape.units, shape.classes)?,
        ];
        Ok(Self { features: Stack(features), classifier: Stack(classifier), shape: *shape })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> VggShape {
        self.shape
    }
}

impl<T: Scalar> Network<T> for Vgg<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.part("features", &self.features, x)?;
        let x = w.step("flatten", Step::Flatten, x)?;
        w.part("classifier", &self.classifier, x)
    }
}
