//! AlexNet: two towers of convolutions, trained on two graphics cards for six days, and half as many errors as anybody else.

mod local_response;

pub(crate) use local_response::FORMULA as FORMULA_LOCAL_RESPONSE;
pub use local_response::LocalResponse;

use crate::walk::layer;
use crate::{Network, Stack, Start, Unit, Walk, refused};
use gradus_autograd::parameters;
use gradus_cnn::{AdaptiveAveragePool, ConvShape, MaxPool, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::Init;
use gradus_layers::Dropout;
use gradus_tensor::{Result, Scalar};

const X: Symbol = Symbol {
    latex: "x",
    code: "x",
    meaning: "a photograph, in three colours",
    shape: "[N, 3, 227, 227]",
    unit: "standard deviations of a colour",
};
const S: Symbol =
    Symbol { latex: "s", code: "scores", meaning: "a score for each class", shape: "[N, K]", unit: "any" };

pub(crate) const FORMULA_STACK: Formula = Formula {
    id: "alexnet-stack",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "AlexNet, layer by layer",
    latex: r"\begin{aligned} h_1 &= \operatorname{pool}(\operatorname{norm}(f(w_1 * x))) & h_2 &= \operatorname{pool}(\operatorname{norm}(f(w_2 * h_1))) \\ h_3 &= f(w_3 * h_2) \qquad h_4 = f(w_4 * h_3) & h_5 &= \operatorname{pool}(f(w_5 * h_4)) \\ h_6 &= f(\operatorname{drop}(\operatorname{flat}(h_5))\, W_6) & h_7 &= f(\operatorname{drop}(h_6)\, W_7) \qquad s = h_7 W_8 \end{aligned}",
    unicode: "h₁ = pool(norm(f(w₁∗x))); h₂ = pool(norm(f(w₂∗h₁))); h₃ = f(w₃∗h₂); h₄ = f(w₄∗h₃); h₅ = pool(f(w₅∗h₄)); h₆ = f(drop(flat(h₅))·W₆); h₇ = f(drop(h₆)·W₇); s = h₇·W₈ (biases left out)",
    symbols: &[
        X,
        Symbol {
            latex: "w",
            code: "features",
            meaning: "filters: 96 of 11 × 11, 256 of 5 × 5, and 384, 384, 256 of 3 × 3; the second, fourth and fifth in two groups",
            shape: "[96, 3, 11, 11], [256, 48, 5, 5], …",
            unit: "any",
        },
        Symbol {
            latex: "W",
            code: "classifier",
            meaning: "dense weights",
            shape: "[9216, 4096], [4096, 4096], [4096, K]",
            unit: "any",
        },
        Symbol { latex: "f", code: "relu", meaning: "max(0, ·)", shape: "[]", unit: "that of its input" },
        Symbol {
            latex: r"\operatorname{norm}",
            code: "LocalResponse",
            meaning: "local response normalisation",
            shape: "[]",
            unit: "that of the map",
        },
        Symbol {
            latex: r"\operatorname{pool}",
            code: "MaxPool",
            meaning: "the largest of 3 × 3 pixels, every second one: windows overlap",
            shape: "[]",
            unit: "that of the map",
        },
        S,
    ],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.5, fig. 2",
    item: item!(struct AlexNet),
    chapter: "alexnet",
    printed: None,
};

pub(crate) const FORMULA_SAME_CONV: Formula = Formula {
    id: "alexnet-same-conv",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "Which convolutions keep the size",
    latex: r"\Bigl\lfloor \tfrac{27 + 2 \cdot 2 - 5}{1} \Bigr\rfloor + 1 = 27, \quad \Bigl\lfloor \tfrac{13 + 2 \cdot 1 - 3}{1} \Bigr\rfloor + 1 = 13, \quad\text{but}\quad \Bigl\lfloor \tfrac{227 - 11}{4} \Bigr\rfloor + 1 = 55",
    unicode: "⌊(27 + 2·2 − 5)/1⌋ + 1 = 27; ⌊(13 + 2·1 − 3)/1⌋ + 1 = 13; but ⌊(227 − 11)/4⌋ + 1 = 55",
    symbols: &[],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.5",
    item: item!(struct AlexNetShape),
    chapter: "alexnet",
    printed: None,
};

pub(crate) const FORMULA_RELU_SOFTMAX: Formula = Formula {
    id: "alexnet-relu-softmax",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "AlexNet's activations",
    latex: r"f(a) = \max(0, a) \text{ after each layer but the last}, \qquad p = \operatorname{softmax}(s)",
    unicode: "f(a) = max(0, a) after each layer but the last, p = softmax(s)",
    symbols: &[
        S,
        Symbol { latex: "p", code: "p", meaning: "the classes' probabilities", shape: "[N, K]", unit: "1" },
    ],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.1 and §3.5",
    item: item!(struct AlexNet),
    chapter: "alexnet",
    printed: None,
};

pub(crate) const FORMULA_1000X: Formula = Formula {
    id: "alexnet-1000x",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "A thousand times LeNet",
    latex: r"\frac{60{,}965{,}224}{60{,}000} \approx 1016",
    unicode: "60,965,224/60,000 ≈ 1016",
    symbols: &[],
    source: "Krizhevsky, Sutskever & Hinton 2012, §3.5; LeCun et al. 1998, §II.B",
    item: item!(struct AlexNet),
    chapter: "alexnet",
    printed: None,
};

pub(crate) const FORMULA_PARAMS: Formula = Formula {
    id: "alexnet-params",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Sixty million parameters",
    latex: r"34{,}944 + 307{,}456 + 885{,}120 + 663{,}936 + 442{,}624 + 37{,}752{,}832 + 16{,}781{,}312 + 4{,}097{,}000 = 60{,}965{,}224",
    unicode: "34,944 + 307,456 + 885,120 + 663,936 + 442,624 + 37,752,832 + 16,781,312 + 4,097,000 = 60,965,224",
    symbols: &[],
    source: "Krizhevsky, Sutskever & Hinton 2012, abstract and §3.5",
    item: item!(struct AlexNetShape),
    chapter: "alexnet",
    printed: None,
};

/// The sizes of an [`AlexNet`].
///
/// ```
/// use gradus_architectures::{AlexNet, AlexNetShape, Start};
/// use gradus_autograd::Parameters;
/// let count = |shape| -> gradus_tensor::Result<usize> {
///     Ok(AlexNet::<f32>::new(&shape, &mut Start::Blank)?.parameter_count())
/// };
/// assert_eq!(count(AlexNetShape::published())?, 60_965_224);
/// assert_eq!(count(AlexNetShape::one_tower())?, 62_378_344);
/// assert_eq!(count(AlexNetShape::torchvision())?, 61_100_840);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AlexNetShape {
    /// The image's channels: 3.
    pub channels: usize,
    /// The image's height and width: 227.
    pub image: [usize; 2],
    /// How many zeros the first convolution sees on each side: 0.
    pub padding: usize,
    /// The maps of the five convolutions: 96, 256, 384, 384, 256.
    pub maps: [usize; 5],
    /// In how many groups the second, fourth and fifth convolution fall apart: 2, one a graphics card.
    pub towers: usize,
    /// Whether the first two convolutions are followed by local response normalisation.
    pub normalised: bool,
    /// Whether the last maps are brought to the size that they have for `image`, by means of bins, whatever image comes.
    pub adaptive: bool,
    /// The units of the two dense layers: 4096 each.
    pub units: [usize; 2],
    /// K, the classes: 1000.
    pub classes: usize,
}

const OP: &str = "alexnet";
const FIRST: Window = Window::new(11).stride(4);
const POOL: Window = Window::new(3).stride(2);

impl AlexNetShape {
    /// The network of 2012: two towers that meet in the third convolution. 60,965,224 parameters.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            channels: 3,
            image: [227, 227],
            padding: 0,
            maps: [96, 256, 384, 384, 256],
            towers: 2,
            normalised: true,
            adaptive: false,
            units: [4096, 4096],
            classes: 1000,
        }
    }

    /// The same with the towers grown together: every map reads all maps before it. 62,378,344 parameters, which is often taken for the original's number.
    #[must_use]
    pub const fn one_tower() -> Self {
        Self { towers: 1, ..Self::published() }
    }

    /// torchvision's: fewer maps, a padding that makes 55 of 224, no normalisation. 61,100,840 parameters.
    #[must_use]
    pub const fn torchvision() -> Self {
        Self {
            image: [224, 224],
            padding: 2,
            maps: [64, 192, 384, 256, 256],
            normalised: false,
            adaptive: true,
            ..Self::one_tower()
        }
    }

    /// A copy that trains in seconds: images of 67 × 67, two towers, ten classes.
    #[must_use]
    pub const fn tiny() -> Self {
        Self { image: [67, 67], maps: [4, 8, 12, 12, 8], units: [16, 16], classes: 10, ..Self::published() }
    }

    /// For so many classes.
    #[must_use]
    pub const fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    /// The height and width of the maps after the convolutions and poolings: 55, 27, 27, 13, 13, 13, 13, 6 for 227. What a window does not reach is not read: 224 without padding gives 54.
    ///
    /// # Errors
    /// If the image is too small for a window.
    pub fn sizes(&self) -> Result<[[usize; 2]; 8]> {
        let first = FIRST.padded(self.padding);
        let (five, three) = (Window::new(5).padded(2), Window::new(3).padded(1));
        let mut sizes = [self.image; 8];
        let mut now = self.image;
        for (size, window) in sizes.iter_mut().zip([first, POOL, five, POOL, three, three, three, POOL]) {
            for axis in &mut now {
                *axis = window.output(*axis).map_err(|geometry| geometry.during(OP))?;
            }
            *size = now;
        }
        Ok(sizes)
    }
}

/// AlexNet: five convolutions and three dense layers, which give scores for a [cross entropy](gradus_losses::CrossEntropy). The largest network that fitted two graphics cards of 2012 with
/// three gigabytes each, and the one after which everybody did it with networks.
///
/// **Formula** `alexnet-stack`: h₁ = pool(norm(f(w₁∗x))); h₂ = pool(norm(f(w₂∗h₁))); h₃ = f(w₃∗h₂); h₄ = f(w₄∗h₃); h₅ = pool(f(w₅∗h₄)); h₆ = f(drop(flat(h₅))·W₆);
/// h₇ = f(drop(h₆)·W₇); s = h₇·W₈.
///
/// **Shapes**: x `[N, C, H, W]` as the shape says; the result `[N, K]`. **Units**: scores, whose softmax are probabilities.
///
/// **State**: `features` and `classifier`, numbered as in torchvision, whose weights it takes in the form [`torchvision`](AlexNetShape::torchvision). Where there is normalisation, the
/// units have other numbers.
///
/// **Gradient**: that of its layers.
///
/// **Default**: weights from a normal distribution of standard deviation 0.01 and biases 0, but 1 for the second, fourth and fifth convolution and the hidden dense layers, so that their ReLUs see
/// something positive (§5).
///
/// **Errors**: as [`AlexNetShape::sizes`]; another shape of x.
///
/// **Source**: Krizhevsky, Sutskever & Hinton, ImageNet classification with deep convolutional neural networks, 2012. One tower: Krizhevsky 2014.
///
/// ```
/// use gradus_architectures::{AlexNet, AlexNetShape, Start};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let net = AlexNet::<f32>::new(&AlexNetShape::tiny(), &mut Start::Random(rng))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([2, 3, 67, 67])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [2, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AlexNet<T: Scalar = f32> {
    /// The convolutions.
    pub features: Stack<T>,
    /// The dense layers.
    pub classifier: Stack<T>,
    shape: AlexNetShape,
}

parameters!(AlexNet<T> { features, classifier });
layer!(AlexNet);

impl<T: Scalar> AlexNet<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If the image is too small for the windows, the towers do not divide the maps, or there are none of something.
    pub fn new(shape: &AlexNetShape, start: &mut Start<'_>) -> Result<Self> {
        let [.., [height, width]] = shape.sizes()?;
        let [m1, m2, m3, m4, m5] = shape.maps;
        // Five of the hidden layers begin with a bias of 1, if they begin at random.
        let one = if matches!(start, Start::Random(_)) { T::ONE } else { T::ZERO };
        let mut conv = |inputs: usize, outputs: usize, window: Window, towers: usize, bias: T| {
            let layer = start.conv_of(ConvShape::new(inputs, outputs, [window; 2]).groups(towers), SMALL)?;
            if let Some(b) = &layer.bias {
                b.update(|b| b.as_mut_slice().fill(bias));
            }
            Ok::<_, gradus_tensor::Error>(Unit::Conv(layer))
        };
        let norm = || shape.normalised.then(|| Unit::LocalNorm(LocalResponse::published()));
        let pool = || Unit::MaxPool(MaxPool::new([POOL; 2]));
        let three = Window::new(3).padded(1);

        let mut features =
            vec![conv(shape.channels, m1, FIRST.padded(shape.padding), 1, T::ZERO)?, Unit::Relu];
        features.extend(norm());
        features.extend([pool(), conv(m1, m2, Window::new(5).padded(2), shape.towers, one)?, Unit::Relu]);
        features.extend(norm());
        features.extend([pool(), conv(m2, m3, three, 1, T::ZERO)?, Unit::Relu]);
        features.extend([conv(m3, m4, three, shape.towers, one)?, Unit::Relu]);
        features.extend([conv(m4, m5, three, shape.towers, one)?, Unit::Relu, pool()]);
        if shape.adaptive {
            features.push(Unit::AveragePool(AdaptiveAveragePool::new([height, width])));
        }

        let flat = m5
            .checked_mul(height)
            .and_then(|n| n.checked_mul(width))
            .ok_or_else(|| refused(OP, "maps", m5, "fewer, whose pixels can be counted"))?;
        let [u1, u2] = shape.units;
        let mut dense = |inputs: usize, outputs: usize, bias: T| {
            let layer = start.linear([inputs, outputs], SMALL)?;
            if let Some(b) = &layer.bias {
                b.update(|b| b.as_mut_slice().fill(bias));
            }
            Ok::<_, gradus_tensor::Error>(Unit::Linear(layer))
        };
        let half = || Dropout::new(0.5).map(Unit::Dropout);
        let classifier = vec![
            half()?,
            dense(flat, u1, one)?,
            Unit::Relu,
            half()?,
            dense(u1, u2, one)?,
            Unit::Relu,
            dense(u2, shape.classes, T::ZERO)?,
        ];
        Ok(Self { features: Stack(features), classifier: Stack(classifier), shape: *shape })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> AlexNetShape {
        self.shape
    }
}

/// The law that all of its weights begin with.
const SMALL: Init = Init::normal(0.01);

impl<T: Scalar> Network<T> for AlexNet<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let x = w.part("features", &self.features, x)?;
        let x = w.step("flatten", crate::Step::Flatten, x)?;
        w.part("classifier", &self.classifier, x)
    }
}
