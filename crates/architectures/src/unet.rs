//! U-Net: down to see what is there, up again to say where, and across on every level.

mod skip;
mod tiles;

pub use skip::CropConcat;
pub(crate) use skip::FORMULA as FORMULA_SKIP;

use crate::walk::{layer, numbered};
use crate::{Join, Network, Start, Step, Walk, refused};
use gradus_autograd::{Name, Parameters, Slot, SlotMut, parameters};
use gradus_cnn::{Conv2d, ConvShape, ConvTranspose2d, MaxPool, Upsample, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_layers::{BatchNorm2d, Dropout};
use gradus_tensor::{Result, Scalar};

const E: Symbol = Symbol {
    latex: "e_l",
    code: "down",
    meaning: "the maps of level l on the way down",
    shape: "[N, 64·2^l, …]",
    unit: "any",
};

pub(crate) const FORMULA_ENCODER: Formula = Formula {
    id: "unet-encoder",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The contracting path",
    latex: r"e_0 = D_0(x), \qquad e_l = D_l(\operatorname{pool}(e_{l-1})), \quad l = 1, \dots, L, \qquad D(h) = f(w' * f(w * h))",
    unicode: "e₀ = D₀(x), e_l = D_l(pool(e_{l−1})), l = 1 … L; D(h) = f(w′∗f(w∗h))",
    symbols: &[
        E,
        Symbol { latex: "x", code: "x", meaning: "the image", shape: "[N, C, n, n]", unit: "any" },
        Symbol {
            latex: "D",
            code: "DoubleConv",
            meaning: "two convolutions of 3 × 3",
            shape: "[]",
            unit: "any",
        },
        Symbol { latex: "L", code: "levels", meaning: "the halvings: 4", shape: "[]", unit: "levels" },
    ],
    source: "Ronneberger, Fischer & Brox 2015, fig. 1, §2",
    item: item!(struct UNet),
    chapter: "unet",
    printed: None,
};

pub(crate) const FORMULA_DECODER: Formula = Formula {
    id: "unet-decoder",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The expanding path",
    latex: r"d_L = e_L, \qquad d_{l} = D'_{l}\bigl([\, e_{l},\; u_{l} *^{\mathsf T} d_{l+1} \,]\bigr), \quad l = L - 1, \dots, 0, \qquad s = w * d_0",
    unicode: "d_L = e_L; d_l = D′_l([e_l, u_l ∗ᵀ d_{l+1}]), l = L − 1 … 0; s = w∗d₀",
    symbols: &[
        E,
        Symbol {
            latex: "d_l",
            code: "up",
            meaning: "the maps of level l on the way up",
            shape: "[N, 64·2^l, …]",
            unit: "any",
        },
        Symbol {
            latex: "u_l",
            code: "up",
            meaning: "a transposed convolution of 2 × 2 that doubles the sides",
            shape: "[128·2^l, 64·2^l, 2, 2]",
            unit: "any",
        },
        Symbol {
            latex: "s",
            code: "scores",
            meaning: "for each pixel a score a class",
            shape: "[N, K, n − 184, n − 184]",
            unit: "any",
        },
    ],
    source: "Ronneberger, Fischer & Brox 2015, fig. 1, §2",
    item: item!(struct UNet),
    chapter: "unet",
    printed: None,
};

/// How the maps are doubled on the way up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doubling {
    /// By a transposed convolution of 2 × 2, which learns how.
    Transposed,
    /// Between the pixels, and then 1 × 1 to half as many maps: no checkerboards.
    Bilinear,
}

/// The sizes of a [`UNet`].
///
/// ```
/// use gradus_architectures::{Start, UNet, UNetShape};
/// use gradus_autograd::Parameters;
/// let shape = UNetShape::published();
/// assert_eq!(UNet::<f32>::new(&shape, &mut Start::Blank)?.parameter_count(), 31_030_658);
/// assert_eq!(shape.output(572)?, 388);
/// assert!(shape.output(512).unwrap_err().to_string().contains("508"));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UNetShape {
    /// The image's channels: 1.
    pub channels: usize,
    /// The image's customary height and width: 572. The network takes others.
    pub image: [usize; 2],
    /// K, the classes of a pixel: 2.
    pub classes: usize,
    /// The maps of the first level: 64. Each level below has twice as many.
    pub width: usize,
    /// L, how often the maps are halved: 4.
    pub levels: usize,
    /// Whether the convolutions see zeros beyond the edge, so that the maps keep their size.
    pub padded: bool,
    /// Whether each convolution is followed by batch normalisation, and has no bias.
    pub normalised: bool,
    /// How the maps are doubled on the way up.
    pub doubling: Doubling,
    /// Whether half of the numbers are left out at the lowest level, in training.
    pub dropout: bool,
}

const OP: &str = "unet";

impl UNetShape {
    /// The network of 2015: nothing beyond the edge, so that 572 pixels become 388. 31,030,658 parameters.
    #[must_use]
    pub const fn published() -> Self {
        Self {
            channels: 1,
            image: [572, 572],
            classes: 2,
            width: 64,
            levels: 4,
            padded: false,
            normalised: false,
            doubling: Doubling::Transposed,
            dropout: true,
        }
    }

    /// As it is built most often today: zeros beyond the edge, batch normalisation, three colours. 31,037,698 parameters.
    #[must_use]
    pub const fn modern() -> Self {
        Self {
            channels: 3,
            image: [512, 512],
            padded: true,
            normalised: true,
            dropout: false,
            ..Self::published()
        }
    }

    /// A copy that trains in seconds: two levels, eight maps.
    #[must_use]
    pub const fn tiny() -> Self {
        Self { image: [64, 64], width: 8, levels: 2, channels: 1, ..Self::modern() }
    }

    /// For so many classes.
    #[must_use]
    pub const fn classes(self, classes: usize) -> Self {
        Self { classes, ..self }
    }

    fn conv(&self) -> Window {
        Window::new(3).padded(usize::from(self.padded))
    }

    /// What two convolutions leave of a side.
    fn doubled(&self, n: usize) -> Option<usize> {
        let conv = self.conv();
        conv.output(n).and_then(|n| conv.output(n)).ok()
    }

    /// What the network leaves of a side, if every pooling comes out even and every skip is as large as what it is laid beside.
    fn leaves(&self, n: usize) -> Option<usize> {
        let mut n = self.doubled(n)?;
        for _ in 0..self.levels {
            n = n.is_multiple_of(2).then_some(n / 2)?;
            n = self.doubled(n)?;
        }
        for _ in 0..self.levels {
            n = self.doubled(n.checked_mul(2)?)?;
        }
        Some(n)
    }

    /// How many pixels of a side are predicted from `n`: all of them with padding, 184 fewer without.
    ///
    /// # Errors
    /// If a pooling would not come out even, or nothing is left; the error names the nearest size that is fine.
    pub fn output(&self, n: usize) -> Result<usize> {
        self.leaves(n).ok_or_else(|| {
            // Legal sizes lie 2^L apart, from some size on.
            let nearest = (0..=1 << 20).find_map(|d: usize| {
                [n.checked_sub(d), n.checked_add(d)].into_iter().flatten().find(|&n| self.leaves(n).is_some())
            });
            let allowed =
                nearest.map_or_else(|| "fewer levels".to_owned(), |n| format!("{n}, which is the nearest"));
            refused(OP, "size", n, allowed)
        })
    }

    /// The maps of a level.
    fn maps(&self, level: usize) -> Result<usize> {
        let factor = u32::try_from(level).ok().and_then(|level| 2usize.checked_pow(level));
        factor
            .and_then(|factor| factor.checked_mul(self.width))
            .ok_or_else(|| refused(OP, "levels", self.levels, "fewer, whose maps can be counted"))
    }
}

/// Two convolutions of 3 × 3, each with its normalisation, if any, and a ReLU.
#[derive(Debug, Clone)]
pub struct DoubleConv<T: Scalar = f32> {
    /// The first.
    pub conv1: Conv2d<T>,
    /// Its normalisation.
    pub bn1: Option<BatchNorm2d<T>>,
    /// The second.
    pub conv2: Conv2d<T>,
    /// Its normalisation.
    pub bn2: Option<BatchNorm2d<T>>,
}

parameters!(DoubleConv<T> { conv1, bn1, conv2, bn2 });
layer!(DoubleConv);

impl<T: Scalar> DoubleConv<T> {
    /// Two convolutions to begin with.
    ///
    /// # Errors
    /// If there are no channels.
    pub fn new(inputs: usize, maps: usize, shape: &UNetShape, start: &mut Start<'_>) -> Result<Self> {
        let mut conv = |inputs| {
            let conv = ConvShape::new(inputs, maps, [shape.conv(); 2]);
            start.conv(if shape.normalised { conv.without_bias() } else { conv })
        };
        let norm = || shape.normalised.then(|| BatchNorm2d::new(maps)).transpose();
        Ok(Self { conv1: conv(inputs)?, bn1: norm()?, conv2: conv(maps)?, bn2: norm()? })
    }
}

impl<T: Scalar> Network<T> for DoubleConv<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, mut x: W::Value) -> Result<W::Value> {
        x = w.step("conv1", Step::Conv(&self.conv1), x)?;
        if let Some(norm) = &self.bn1 {
            x = w.step("bn1", Step::Norm(norm), x)?;
        }
        x = w.step("relu1", Step::Relu, x)?;
        x = w.step("conv2", Step::Conv(&self.conv2), x)?;
        if let Some(norm) = &self.bn2 {
            x = w.step("bn2", Step::Norm(norm), x)?;
        }
        w.step("relu2", Step::Relu, x)
    }
}

/// Twice the sides, half the maps.
#[derive(Debug, Clone)]
pub enum Double<T: Scalar = f32> {
    /// A transposed convolution of 2 × 2.
    Transposed(ConvTranspose2d<T>),
    /// Pixels in between, then a convolution of 1 × 1.
    Bilinear(Conv2d<T>),
}

impl<T: Scalar> Parameters<T> for Double<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        match self {
            Self::Transposed(layer) => layer.visit(name, see),
            Self::Bilinear(layer) => layer.visit(name, see),
        }
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        match self {
            Self::Transposed(layer) => layer.visit_mut(name, see),
            Self::Bilinear(layer) => layer.visit_mut(name, see),
        }
    }
}

/// A level on the way up: what comes from below is doubled, the skip is laid beside it, and two convolutions make one of both.
#[derive(Debug, Clone)]
pub struct Up<T: Scalar = f32> {
    /// The doubling.
    pub up: Double<T>,
    /// What makes one of both.
    pub conv: DoubleConv<T>,
}

parameters!(Up<T> { up, conv });

impl<T: Scalar> Up<T> {
    fn new(inputs: usize, maps: usize, shape: &UNetShape, start: &mut Start<'_>) -> Result<Self> {
        let up = match shape.doubling {
            Doubling::Transposed => {
                let window = Window::new(2).stride(2);
                Double::Transposed(start.conv_transpose(ConvShape::new(inputs, maps, [window; 2]))?)
            }
            Doubling::Bilinear => Double::Bilinear(start.conv(ConvShape::pointwise(inputs, maps))?),
        };
        Ok(Self { up, conv: DoubleConv::new(2 * maps, maps, shape, start)? })
    }

    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value, skip: W::Value) -> Result<W::Value> {
        let x = match &self.up {
            Double::Transposed(layer) => w.step("up", Step::ConvTranspose(layer), x)?,
            Double::Bilinear(layer) => {
                let x = w.step("upsample", Step::Upsample(Upsample::by([2, 2]).bilinear()), x)?;
                w.step("up", Step::Conv(layer), x)?
            }
        };
        let x = w.join("skip", Join::CropConcat, skip, x)?;
        w.part("conv", &self.conv, x)
    }
}

/// U-Net: for each pixel of an image a score a class.
///
/// **Formula** `unet-encoder`, `unet-decoder`: e₀ = D₀(x), e_l = D_l(pool(e_{l−1})); d_L = e_L, d_l = D′_l(\[e_l, u_l ∗ᵀ d_{l+1}\]); s = w∗d₀.
///
/// **Shapes**: x `[N, C, n, n']`; the result `[N, K, o, o']` as [`UNetShape::output`] says. **Units**: scores, whose softmax over the classes are probabilities.
///
/// **State**: `down1.conv1`, …, `up1.up`, `up1.conv.conv1`, …, `head`. `up1` is the lowest level.
///
/// **Gradient**: that of its layers. Through the skips it reaches every level without passing the ones below.
///
/// **Default**: He's law, as the paper says (§3), biases 0.
///
/// **Errors**: a size that is not legal, with the nearest that is; another number of channels in x.
///
/// **Source**: Ronneberger, Fischer & Brox, U-Net: Convolutional networks for biomedical image segmentation, 2015.
///
/// ```
/// use gradus_architectures::{Start, UNet, UNetShape};
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let net = UNet::<f32>::new(&UNetShape::tiny(), &mut Start::Random(rng))?;
/// let scores = net.forward(&Var::constant(Tensor::zeros([1, 1, 32, 40])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [1, 2, 32, 40]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct UNet<T: Scalar = f32> {
    /// The levels on the way down; the last is the lowest.
    pub down: Vec<DoubleConv<T>>,
    /// The levels on the way up, from the lowest.
    pub up: Vec<Up<T>>,
    /// 1 × 1: a score a class.
    pub head: Conv2d<T>,
    dropout: Option<Dropout>,
    shape: UNetShape,
}

impl<T: Scalar> UNet<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If there are none of something, or too many.
    pub fn new(shape: &UNetShape, start: &mut Start<'_>) -> Result<Self> {
        let mut down = Vec::new();
        let mut inputs = shape.channels;
        for level in 0..=shape.levels {
            down.push(DoubleConv::new(inputs, shape.maps(level)?, shape, start)?);
            inputs = shape.maps(level)?;
        }
        let levels = (0..shape.levels).rev();
        let up = levels.map(|level| Up::new(shape.maps(level + 1)?, shape.maps(level)?, shape, start));
        Ok(Self {
            down,
            up: up.collect::<Result<_>>()?,
            head: start.conv(ConvShape::pointwise(shape.width, shape.classes))?,
            dropout: shape.dropout.then(|| Dropout::new(0.5)).transpose()?,
            shape: *shape,
        })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> UNetShape {
        self.shape
    }
}

numbered!(UNet { ; down as "down", up as "up"; head });

impl<T: Scalar> gradus_autograd::Layer<T> for UNet<T> {
    fn forward(
        &self,
        x: &gradus_autograd::Var<T>,
        mode: &mut gradus_autograd::Mode<'_>,
    ) -> Result<gradus_autograd::Var<T>> {
        // A pooling that leaves a row out would shift everything above it by half a pixel.
        for &n in x.shape().dims().iter().skip(2) {
            self.shape.output(n)?;
        }
        self.walk(&mut crate::Forward(mode), x.clone())
    }
}

impl<T: Scalar> Network<T> for UNet<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, x: W::Value) -> Result<W::Value> {
        let halve = MaxPool::new([Window::new(2).stride(2); 2]);
        let (mut x, mut skips) = (x, Vec::new());
        for (level, conv) in self.down.iter().enumerate() {
            if level > 0 {
                skips.push(x.clone());
                x = w.step(&format!("pool{level}"), Step::MaxPool(halve), x)?;
            }
            x = w.part(&format!("down{}", level + 1), conv, x)?;
        }
        if let Some(dropout) = &self.dropout {
            x = w.step("dropout", Step::Dropout(dropout), x)?;
        }
        for (i, up) in self.up.iter().enumerate() {
            // As many skips as levels: there is one.
            let Some(skip) = skips.pop() else { break };
            w.enter(&format!("up{}", i + 1));
            x = up.walk(w, x, skip)?;
            w.leave();
        }
        w.step("head", Step::Conv(&self.head), x)
    }
}
