//! LeNet-5 as it was published: 60,000 numbers to learn.

pub(crate) mod connections;
pub(crate) mod rbf;
mod squash;
pub(crate) mod subsampling;

pub use connections::{Connections, SparseConv2d, Spread, TABLE};
pub use rbf::{Codes, RadialBasis, codes, radial_basis};
pub use squash::{ScaledTanh, scaled_tanh};
pub use subsampling::{Subsample, Subsampling, subsample};

use crate::lenet::{FILTER, HALF};
use crate::{Network, Own, Plain, Step, Walk, refused};
use gradus_activations::Pointwise;
use gradus_autograd::{Buffer, Layer, Mode, Name, Parameters, Slot, SlotMut, Var, parameters};
use gradus_cnn::{Conv2d, ConvShape, Window};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Fans, Init};
use gradus_layers::{Flatten, Linear};
use gradus_losses::CrossEntropy;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;

pub(crate) const FORMULA_PARAMS: Formula = Formula {
    id: "lenet-params",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "LeNet's parameters",
    latex: r"\begin{gathered} \underbrace{156}_{C1} + \underbrace{12}_{S2} + \underbrace{1516}_{C3} + \underbrace{32}_{S4} + \underbrace{48120}_{C5} + \underbrace{10164}_{F6} = 60000, \\ \text{and today } 156 + 2416 + 48120 + 10164 + 850 = 61706 \end{gathered}",
    unicode: "156 + 12 + 1,516 + 32 + 48,120 + 10,164 = 60,000; today 156 + 2,416 + 48,120 + 10,164 + 850 = 61,706",
    symbols: &[
        Symbol { latex: "C", code: "c1, c3, c5", meaning: "a convolution", shape: "[]", unit: "count" },
        Symbol { latex: "S", code: "s2, s4", meaning: "a subsampling", shape: "[]", unit: "count" },
        Symbol { latex: "F", code: "f6", meaning: "a dense layer", shape: "[]", unit: "count" },
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, §II.B",
    item: item!(struct LeNet1998),
    chapter: "lenet",
    printed: None,
};

const OP: &str = "lenet_1998";

/// The sizes of a [`LeNet1998`]. [`published`](Self::published) is the paper's; smaller ones are for tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeNet1998Shape {
    /// The image's channels: 1.
    pub channels: usize,
    /// The image's height and width: 32.
    pub image: [usize; 2],
    /// From the 6 maps of S2 to the 16 of C3.
    pub connections: Connections,
    /// The units of C5 and F6: 120 and 84.
    pub units: [usize; 2],
    /// K, the classes: 10.
    pub classes: usize,
}

impl LeNet1998Shape {
    /// The paper's.
    #[must_use]
    pub fn published() -> Self {
        let connections = Connections::published();
        Self { channels: 1, image: [32, 32], connections, units: [120, 84], classes: 10 }
    }

    /// The height and width of the maps of C1, S2, C3 and S4.
    ///
    /// # Errors
    /// If the image is too small, or subsampling would leave a row or a column over.
    pub fn sizes(&self) -> Result<[[usize; 2]; 4]> {
        let (mut sizes, mut now) = ([self.image; 4], self.image);
        for (size, window) in sizes.iter_mut().zip([FILTER, HALF, FILTER, HALF]) {
            for axis in &mut now {
                if window == HALF && *axis % 2 != 0 {
                    let [h, w] = self.image;
                    return Err(refused(OP, "image", format!("{h}×{w}"), "sizes whose maps can be halved"));
                }
                *axis = window.output(*axis).map_err(|geometry| geometry.during(OP))?;
            }
            *size = now;
        }
        Ok(sizes)
    }
}

/// LeNet-5 as published: C1, S2, C3, S4, C5, F6, each followed by 1.7159·tanh(2a/3), and radial basis functions.
///
/// The modern form is [`LeNet`](crate::LeNet). What differs: each map of C3 reads three to six of the six maps before, by a [table](TABLE); S2 and S4 have
/// [a coefficient and a bias](Subsampling) a map, and are squashed; C5 is a convolution whose window covers the whole map; the [output](radial_basis) is the distance to a fixed code.
///
/// **Shapes**: x `[N, 1, 32, 32]`, background −0.1 and ink 1.175 in the paper; the result `[N, K]`. **Units**: minus squared distances; the largest score wins, and a
/// cross entropy of them is the paper's criterion without its class of rubbish ([`criterion`](Self::criterion) is the one with it).
///
/// **State**: `c1`, `s2`, `c3`, `s4`, `c5`, `f6`, each with `weight` and `bias`, and the buffer `codes`.
///
/// **Default**: weights uniform between ±2.4/fan-in, as in the paper's appendix A; biases 0, subsampling as a mean; [random codes](codes).
///
/// **Errors**: another shape of x.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner, Gradient-based learning applied to document recognition, 1998, §II.B and §II.C.
///
/// ```
/// use gradus_architectures::{LeNet1998, LeNet1998Shape};
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = LeNet1998::<f32>::new(LeNet1998Shape::published(), &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(net.parameter_count(), 60_000);
/// let scores = net.forward(&Var::constant(Tensor::zeros([5, 1, 32, 32])?), &mut Mode::Eval)?;
/// assert_eq!(scores.shape(), [5, 10]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LeNet1998<T: Scalar = f32> {
    /// From the image to 6 maps of 28 × 28.
    pub c1: Conv2d<T>,
    /// Down to 14 × 14.
    pub s2: Subsampling<T>,
    /// From 6 maps to 16 of 10 × 10, by the table.
    pub c3: SparseConv2d<T>,
    /// Down to 5 × 5.
    pub s4: Subsampling<T>,
    /// From 16 maps to 120 of 1 × 1.
    pub c5: Conv2d<T>,
    /// 84 units.
    pub f6: Linear<T>,
    /// The classes' codes, `[K, 84]`: not learned.
    pub codes: Codes<T>,
    shape: LeNet1998Shape,
}

parameters!(LeNet1998<T> { c1, s2, c3, s4, c5, f6, codes });

impl<T: Scalar> LeNet1998<T> {
    /// A network to begin with.
    ///
    /// # Errors
    /// If the image is too small or can't be halved twice, there are no channels, units or classes, or more classes than codes.
    pub fn new(shape: LeNet1998Shape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let [.., [height, width]] = shape.sizes()?;
        let ([units, features], maps) =
            (shape.units, [shape.connections.inputs(), shape.connections.outputs()]);
        let law = |fan_in: usize| {
            let bound = 2.4 / fan_in.max(1) as f64;
            Init::uniform(-bound, bound)
        };
        let c1 = ConvShape::new(shape.channels, maps[0], [FILTER; 2]);
        let c1 = Conv2d::with_init(c1, |dims, fans| law(fans.fan_in).tensor(dims, fans, rng))?;
        // Each map of C3 has a fan-in of its own.
        let mut weights = Vec::new();
        for row in shape.connections.rows() {
            let fans = Fans::dense(row.len() * FILTER.size * FILTER.size, 1);
            let dims = [row.len(), FILTER.size, FILTER.size];
            weights.push(law(fans.fan_in).tensor::<T>(dims, fans, rng)?);
        }
        let weight = Tensor::concatenate(&weights.iter().collect::<Vec<_>>(), 0)?;
        let c3 = SparseConv2d::from_tensors(shape.connections.clone(), weight, Tensor::zeros([maps[1]])?)?;
        let c5 = ConvShape::new(maps[1], units, [height, width].map(Window::new));
        let c5 = Conv2d::with_init(c5, |dims, fans| law(fans.fan_in).tensor(dims, fans, rng))?;
        let fans = Fans::dense(units, features);
        let f6 = Linear::with_init(units, features, |dims| law(units).tensor(dims, fans, rng))?;
        let codes = Codes(Buffer::new(codes(shape.classes, features, rng)?));
        let (s2, s4) = (Subsampling::new(maps[0])?, Subsampling::new(maps[1])?);
        Ok(Self { c1, s2, c3, s4, c5, f6, codes, shape })
    }

    /// The sizes that the network was made of.
    #[must_use]
    pub fn shape(&self) -> &LeNet1998Shape {
        &self.shape
    }

    /// What F6 says, `[N, 84]`: to be held against the codes.
    ///
    /// # Errors
    /// If x has another shape.
    pub fn features(&self, x: &Var<T>) -> Result<Var<T>> {
        let LeNet1998Shape { channels, image: [h, w], .. } = self.shape;
        if x.shape().dims().get(1..) != Some(&[channels, h, w]) {
            let expected = format!("x of the shape [N, {channels}, {h}, {w}]");
            return Err(Error::Shape { op: OP, expected, got: x.shape() });
        }
        let mode = &mut Mode::Eval;
        let squashed = |a: Var<T>| Var::apply(Pointwise(ScaledTanh), [&a]);
        let c1 = squashed(self.c1.forward(x, mode)?)?;
        let s2 = squashed(self.s2.forward(&c1, mode)?)?;
        let c3 = squashed(self.c3.forward(&s2, mode)?)?;
        let s4 = squashed(self.s4.forward(&c3, mode)?)?;
        let c5 = squashed(self.c5.forward(&s4, mode)?)?;
        squashed(self.f6.forward(&Flatten.forward(&c5, mode)?, mode)?)
    }

    /// The paper's criterion, eq. (9): the mean of y + ln(e⁻ʲ + Σᵢ e^(−yᵢ)), where y are the distances and y that of the true class. It pulls a sample to the code of its
    /// class, and pushes it away from the others; j ≥ 0 stands for a class of rubbish, with a fixed distance, from which nobody needs to be pushed further.
    ///
    /// **Shapes**: scores `[N, K]` from [`forward`](Layer::forward), classes `[N]`; the result has no dimensions. **Units**: nats.
    ///
    /// # Errors
    /// If the sizes do not fit, there is no sample, or a class is not below K.
    pub fn criterion(scores: &Var<T>, classes: &Tensor<u32>, j: T) -> Result<Var<T>> {
        let &[n, k] = scores.shape().dims() else {
            return Err(Error::Shape {
                op: "criterion",
                expected: "scores [N, K]".into(),
                got: scores.shape(),
            });
        };
        if let Some(class) = classes.as_slice().iter().find(|&&class| class as usize >= k) {
            return Err(refused("criterion", "class", class, format!("below {k}")));
        }
        // The cross entropy with one more score.
        let rubbish = Var::constant(Tensor::full([n, 1], -j)?);
        let all = Var::concatenate(&[scores, &rubbish], 1)?;
        Var::apply(CrossEntropy::new(classes), [&all])
    }
}

impl<T: Scalar> Layer<T> for LeNet1998<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        self.codes.forward(&self.features(x)?, mode)
    }
}

impl<T: Scalar> Network<T> for LeNet1998<T> {
    fn walk<'a, W: Walk<'a, T>>(&'a self, w: &mut W, mut x: W::Value) -> Result<W::Value> {
        let squash = Step::Own("ScaledTanh", &Squash);
        let layers = [
            ("c1", Step::Conv(&self.c1)),
            ("s2", Step::Own("Subsampling", &self.s2)),
            ("c3", Step::Own("SparseConv", &self.c3)),
            ("s4", Step::Own("Subsampling", &self.s4)),
            ("c5", Step::Conv(&self.c5)),
            ("flatten", Step::Flatten),
            ("f6", Step::Linear(&self.f6)),
        ];
        for (name, layer) in layers {
            x = w.step(name, layer, x)?;
            // What is flat now has been squashed.
            if name != "flatten" {
                x = w.step(&format!("{name}.squash"), squash, x)?;
            }
        }
        w.step("codes", Step::Own("RadialBasis", &self.codes), x)
    }
}

/// [`ScaledTanh`] as a layer.
struct Squash;

impl<T: Scalar> Parameters<T> for Squash {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for Squash {
    fn forward(&self, a: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(Pointwise(ScaledTanh), [a])
    }
}

impl<T: Scalar> Own<T> for Squash {
    fn plain(&self) -> Result<Option<Plain<T>>> {
        Ok(Some(Plain::Tanh { height: squash::HEIGHT, slope: squash::SLOPE }))
    }
}
