//! LeNet-5 as it is built today: convolution, pooling, convolution, pooling, and three dense layers.

mod squashed_mean;

pub use squashed_mean::SquashedMean;

use crate::{Network, Step, Walk, refused};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_cnn::{AveragePool, Conv2d, ConvShape, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Gain, Init};
use gradus_layers::{Flatten, Linear};
use gradus_tensor::{Error, Result, Scalar};
use rand::Rng;

const X: Symbol = Symbol {
    latex: "x",
    code: "x",
    meaning: "the image of a digit, in the middle of a square of 32 pixels",
    shape: "[N, 1, 32, 32]",
    unit: "ink",
};
const S: Symbol =
    Symbol { latex: "s", code: "scores", meaning: "a score for each class", shape: "[N, K]", unit: "any" };
const F: Symbol = Symbol { latex: "f", code: "squashing", meaning: "the activation", shape: "[]", unit: "1" };

pub(crate) const FORMULA_TASK: Formula = Formula {
    id: "lenet-task",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "What LeNet is for",
    latex: r"x \in \mathbb{R}^{32 \times 32} \;\longmapsto\; \hat y = \operatorname*{arg\,max}_{k \in \{0, \dots, 9\}} s_k(x)",
    unicode: "x, an image of 32 × 32 ↦ ŷ = argmaxₖ sₖ(x), k = 0 … 9",
    symbols: &[
        X,
        S,
        Symbol {
            latex: r"\hat y",
            code: "y",
            meaning: "the digit that is read",
            shape: "[N]",
            unit: "class",
        },
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, §II.B and §III",
    item: item!(struct LeNet),
    chapter: "lenet",
    printed: None,
};

pub(crate) const FORMULA_STACK: Formula = Formula {
    id: "lenet-stack",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "LeNet, layer by layer",
    latex: r"\begin{aligned} h_1 &= \operatorname{pool}\bigl(f(w_1 * x + b_1)\bigr) & h_2 &= \operatorname{pool}\bigl(f(w_2 * h_1 + b_2)\bigr) \\ h_3 &= f(\operatorname{flat}(h_2)\, W_3 + b_3) & h_4 &= f(h_3 W_4 + b_4) \\ s &= h_4 W_5 + b_5 \end{aligned}",
    unicode: "h₁ = pool(f(w₁∗x + b₁)); h₂ = pool(f(w₂∗h₁ + b₂)); h₃ = f(flat(h₂)·W₃ + b₃); h₄ = f(h₃·W₄ + b₄); s = h₄·W₅ + b₅",
    symbols: &[
        X,
        F,
        Symbol {
            latex: "w",
            code: "conv1, conv2",
            meaning: "filters of 5 × 5: 6 over the image, 16 over the 6 maps",
            shape: "[6, 1, 5, 5], [16, 6, 5, 5]",
            unit: "any",
        },
        Symbol {
            latex: "W",
            code: "fc1, fc2, fc3",
            meaning: "dense weights",
            shape: "[400, 120], [120, 84], [84, K]",
            unit: "any",
        },
        Symbol { latex: "b", code: "bias", meaning: "a bias a map, or a unit", shape: "[K]", unit: "any" },
        Symbol {
            latex: r"\operatorname{pool}",
            code: "AveragePool",
            meaning: "the mean of each square of 2 × 2",
            shape: "[]",
            unit: "that of the map",
        },
        S,
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, §II.B, fig. 2, with every layer dense",
    item: item!(struct LeNet),
    chapter: "lenet",
    printed: None,
};

pub(crate) const FORMULA_ACTIVATION: Formula = Formula {
    id: "lenet-activation",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "LeNet's activation",
    latex: r"f(a) = \tanh a \quad\text{or}\quad f(a) = \sigma(a) \qquad\text{(1998: } f(a) = 1.7159 \tanh\tfrac{2a}{3} \text{)}",
    unicode: "f(a) = tanh a, or f(a) = σ(a); in 1998 f(a) = 1.7159·tanh(2a/3)",
    symbols: &[Symbol {
        latex: "a",
        code: "a",
        meaning: "the weighted sum of a unit, bias included",
        shape: "any",
        unit: "1",
    }],
    source: "LeCun, Bottou, Bengio & Haffner 1998, eq. (6) and appendix A",
    item: item!(fn scaled_tanh),
    chapter: "lenet",
    printed: None,
};

/// What stands between the layers of a [`LeNet`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Squashing {
    /// The hyperbolic tangent, as in most of today's copies.
    #[default]
    Tanh,
    /// The logistic sigmoid: five of them in a row learn slowly.
    Sigmoid,
    /// ReLU, which is younger than the network by a dozen years.
    Relu,
}

impl Squashing {
    /// f of every element.
    ///
    /// # Errors
    /// None in practice.
    pub fn apply<T: Scalar>(self, a: &Var<T>) -> Result<Var<T>> {
        match self {
            Self::Tanh => a.tanh(),
            Self::Sigmoid => a.sigmoid(),
            Self::Relu => a.relu(),
        }
    }

    /// The weights to begin with. A sigmoid is a tanh of half of what comes in, halved: its weights begin four times as large (Glorot & Bengio 2010, §4).
    fn init(self) -> Init {
        match self {
            Self::Tanh => Init::xavier_uniform(),
            Self::Sigmoid => Init::xavier_uniform().gain(Gain::Of(4.0)),
            Self::Relu => Init::he_normal(),
        }
    }
}

/// The sizes of a [`LeNet`]. [`default`](Self::default) is the one of 1998 for images of 32 × 32.
///
/// ```
/// use gradus_architectures::LeNetShape;
/// assert_eq!(LeNetShape::default().sizes()?, [[28, 28], [14, 14], [10, 10], [5, 5]]);
/// assert_eq!(LeNetShape::mnist().sizes()?, LeNetShape::default().sizes()?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LeNetShape {
    /// The image's channels: 1.
    pub channels: usize,
    /// The image's height and width: 32, or 28 with a padding of 2.
    pub image: [usize; 2],
    /// How many zeros the first convolution sees on each side: 0.
    pub padding: usize,
    /// The maps of the two convolutions: 6 and 16.
    pub maps: [usize; 2],
    /// The units of the two dense layers: 120 and 84.
    pub units: [usize; 2],
    /// K, the classes: 10.
    pub classes: usize,
}

impl Default for LeNetShape {
    fn default() -> Self {
        Self { channels: 1, image: [32, 32], padding: 0, maps: [6, 16], units: [120, 84], classes: 10 }
    }
}

const OP: &str = "lenet";
/// The window of both convolutions.
pub(crate) const FILTER: Window = Window::new(5);
/// The window of both poolings.
pub(crate) const HALF: Window = Window::new(2).stride(2);

impl LeNetShape {
    /// For MNIST's images of 28 × 28, with two zeros on each side.
    #[must_use]
    pub fn mnist() -> Self {
        Self { image: [28, 28], padding: 2, ..Self::default() }
    }

    /// For so many classes.
    #[must_use]
    pub fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// The height and width of the maps: after the first convolution and pooling, and after the second ones.
    ///
    /// # Errors
    /// If the image is too small for a window.
    pub fn sizes(&self) -> Result<[[usize; 2]; 4]> {
        let mut sizes = [self.image; 4];
        let first = FILTER.padded(self.padding);
        let mut now = self.image;
        for (size, window) in sizes.iter_mut().zip([first, HALF, FILTER, HALF]) {
            for axis in &mut now {
                *axis = window.output(*axis).map_err(|geometry| geometry.during(OP))?;
            }
            *size = now;
        }
        Ok(sizes)
    }
}

/// LeNet-5 in its modern form: dense convolutions, plain averages, tanh or what else is wished for, and scores for a
/// [cross entropy](gradus_losses::CrossEntropy). The network as it was published is [`LeNet1998`](crate::LeNet1998).
///
/// **Formula** `lenet-stack`: h₁ = pool(f(w₁∗x + b₁)); h₂ = pool(f(w₂∗h₁ + b₂)); h₃ = f(flat(h₂)·W₃ + b₃); h₄ = f(h₃·W₄ + b₄);
/// s = h₄·W₅ + b₅.
///
/// **Shapes**: x `[N, C, H, W]` as the shape says; the result `[N, K]`. **Units**: scores, whose softmax are probabilities.
///
/// **State**: `conv1`, `conv2`, `fc1`, `fc2`, `fc3`, each with `weight` and `bias`, as in PyTorch's tutorial; dense weights lie as `[inputs, outputs]`.
///
/// **Gradient**: that of its layers. The image is a constant, so that nothing is computed for it.
///
/// **Default**: weights from Xavier's uniform law (four times that for the sigmoid, He's for ReLU), biases 0.
///
/// **Errors**: another shape of x.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, §II.B.
///
/// ```
/// use gradus_architectures::{LeNet, LeNetShape, Squashing};
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = LeNet::<f32>::new(LeNetShape::mnist(), Squashing::Tanh, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([5, 1, 28, 28])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [5, 10]);
/// // 156 + 2,416 + 48,120 + 10,164 + 850
/// assert_eq!(net.parameter_count(), 61_706);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LeNet<T: Scalar = f32> {
    /// C1: from the image to 6 maps.
    pub conv1: Conv2d<T>,
    /// C3: from 6 maps to 16, each from all.
    pub conv2: Conv2d<T>,
    /// C5: from all that is left to 120 units.
    pub fc1: Linear<T>,
    /// F6: 84 units.
    pub fc2: Linear<T>,
    /// A score a class.
    pub fc3: Linear<T>,
    shape: LeNetShape,
    squashing: Squashing,
}

parameters!(LeNet<T> { conv1, conv2, fc1, fc2, fc3 });

impl<T: Scalar> LeNet<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If the image is too small for the windows, or there are no channels, maps, units or classes.
    pub fn new(shape: LeNetShape, squashing: Squashing, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let [.., [height, width]] = shape.sizes()?;
        let (init, [maps1, maps2], [units1, units2]) = (squashing.init(), shape.maps, shape.units);
        // Before any product of sizes: what is drawn should not be drawn for nothing.
        let counts = [
            ("channels", shape.channels),
            ("maps", maps1.min(maps2)),
            ("units", units1.min(units2)),
            ("classes", shape.classes),
        ];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(refused(OP, name, 0, "at least 1"));
        }
        let window = [FILTER.padded(shape.padding); 2];
        let conv1 = ConvShape::new(shape.channels, maps1, window);
        let conv2 = ConvShape::new(maps1, maps2, [FILTER; 2]);
        let flat = maps2
            .checked_mul(height)
            .and_then(|n| n.checked_mul(width))
            .ok_or_else(|| refused(OP, "maps", maps2, "fewer, whose pixels can be counted"))?;
        let mut dense = |inputs, outputs| {
            let fans = gradus_initialization::Fans::dense(inputs, outputs);
            Linear::with_init(inputs, outputs, |dims| init.tensor(dims, fans, rng))
        };
        let (fc1, fc2, fc3) = (dense(flat, units1)?, dense(units1, units2)?, dense(units2, shape.classes)?);
        Ok(Self {
            conv1: Conv2d::with_init(conv1, |dims, fans| init.tensor(dims, fans, rng))?,
            conv2: Conv2d::with_init(conv2, |dims, fans| init.tensor(dims, fans, rng))?,
            fc1,
            fc2,
            fc3,
            shape,
            squashing,
        })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> LeNetShape {
        self.shape
    }

    /// What stands between its layers.
    #[must_use]
    pub fn squashing(&self) -> Squashing {
        self.squashing
    }

    /// The 6 and the 16 maps, each after its activation and before its pooling: what one looks at to see what a network looks for.
    ///
    /// # Errors
    /// If x has another shape.
    pub fn maps(&self, x: &Var<T>) -> Result<[Var<T>; 2]> {
        let (f, mode) = (self.squashing, &mut Mode::Eval);
        let first = self.first(x, mode)?;
        let second = self.conv2.forward(&Var::apply(SquashedMean(f), [&first])?, mode)?;
        Ok([f.apply(&first)?, f.apply(&second)?])
    }

    /// The 84 numbers from which the scores are made: what images are compared by, where pixels say too little.
    ///
    /// # Errors
    /// If x has another shape.
    pub fn features(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let f = self.squashing;
        let pooled = |a: Var<T>| Var::apply(SquashedMean(f), [&a]);
        let h1 = pooled(self.first(x, mode)?)?;
        let h2 = pooled(self.conv2.forward(&h1, mode)?)?;
        let h2 = Flatten.forward(&h2, mode)?;
        let h3 = f.apply(&self.fc1.forward(&h2, mode)?)?;
        f.apply(&self.fc2.forward(&h3, mode)?)
    }

    /// The sums of the first convolution.
    fn first(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let LeNetShape { channels, image: [h, w], .. } = self.shape;
        if x.shape().rank() != 4 || x.shape().dims()[1..] != [channels, h, w] {
            return Err(self.other(x));
        }
        self.conv1.forward(x, mode)
    }

    fn other(&self, x: &Var<T>) -> Error {
        let LeNetShape { channels, image: [h, w], .. } = self.shape;
        Error::Shape { op: OP, expected: format!("x of the shape [N, {channels}, {h}, {w}]"), got: x.shape() }
    }
}

/// As [`forward`](Layer::forward), activation and pooling one after the other.
impl<T: Scalar> Network<T> for LeNet<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, mut x: W::Value) -> Result<W::Value> {
        let (f, mean) = (Step::Squash(self.squashing), AveragePool::new([HALF; 2]));
        for (i, conv) in [&self.conv1, &self.conv2].into_iter().enumerate() {
            x = w.step(["conv1", "conv2"][i], Step::Conv(conv), x)?;
            x = w.step(["squash1", "squash2"][i], f, x)?;
            x = w.step(["pool1", "pool2"][i], Step::MeanPool(mean), x)?;
        }
        x = w.step("flatten", Step::Flatten, x)?;
        x = w.step("fc1", Step::Linear(&self.fc1), x)?;
        x = w.step("squash3", f, x)?;
        x = w.step("fc2", Step::Linear(&self.fc2), x)?;
        x = w.step("squash4", f, x)?;
        w.step("fc3", Step::Linear(&self.fc3), x)
    }
}

impl<T: Scalar> Layer<T> for LeNet<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        self.fc3.forward(&self.features(x, mode)?, mode)
    }
}
