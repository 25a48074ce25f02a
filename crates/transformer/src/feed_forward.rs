//! The feed-forward part of a block: two dense layers, at every position alike.

use crate::symbols::D;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Fans, Init};
use gradus_layers::{Dropout, Linear};
use gradus_tensor::{Result, Scalar};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "feed-forward",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The position-wise feed-forward network",
    latex: r"\operatorname{FFN}(x) = \max(0,\, x W_1 + b_1)\, W_2 + b_2",
    unicode: "FFN(x) = max(0, x·W₁ + b₁)·W₂ + b₂",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "a position's vector", shape: "[…, d]", unit: "any" },
        D,
        Symbol {
            latex: "W_1, W_2",
            code: "linear1, linear2",
            meaning: "the weights; the hidden layer is 4d wide as a rule",
            shape: "[d, 4d], [4d, d]",
            unit: "1",
        },
    ],
    source: "Vaswani et al. 2017, §3.3, eq. 2",
    item: item!(struct FeedForward),
    chapter: "transformer",
    printed: None,
};

/// What stands between the two dense layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Bend {
    /// The paper's.
    #[default]
    Relu,
    /// x·Φ(x): BERT's.
    Gelu,
    /// Its approximation by tanh: GPT-2's.
    GeluTanh,
}

impl Bend {
    /// The activation of all numbers.
    ///
    /// # Errors
    /// None: the signature is that of all receivers.
    pub fn apply<A: Activations>(self, x: &A) -> Result<A> {
        match self {
            Self::Relu => x.relu(),
            Self::Gelu => x.gelu(),
            Self::GeluTanh => x.gelu_tanh(),
        }
    }
}

/// Two dense layers with an activation between them, on every position alike.
///
/// **Formula** `feed-forward`: max(0, x·W₁ + b₁)·W₂ + b₂; with [`Bend`], another activation.
///
/// **Shapes**: x `[…, D]`, W₁ `[D, F]`, W₂ `[F, D]`; the result `[…, D]`. **Units**: any.
///
/// **Gradient**, **Numerics**: those of the layers it is made of. Positions do not know of each other.
///
/// **Errors**: sizes of 0.
///
/// **Source**: Vaswani et al. 2017, §3.3, eq. 2.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::Linear;
/// use gradus_transformer::{Bend, FeedForward};
/// use gradus_tensor::Tensor;
/// let linear = |w| Linear::from_tensors(w, None);
/// let (one, two) = (linear(Tensor::from([[1.0, -1.0]]))?, linear(Tensor::from([[1.0], [1.0]]))?);
/// let layer = FeedForward::from_layers(one, two, Bend::Relu); // max(0, x) + max(0, −x)
/// let y = layer.forward(&Var::constant(Tensor::from([[3.0], [-2.0]])), &mut Mode::Eval)?;
/// assert_eq!(y.value(), Tensor::from([[3.0], [2.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FeedForward<T: Scalar = f32> {
    /// W₁ and b₁.
    pub linear1: Linear<T>,
    /// W₂ and b₂.
    pub linear2: Linear<T>,
    bend: Bend,
    dropout: f64,
}

parameters!(FeedForward<T> { linear1, linear2 });

impl<T: Scalar> FeedForward<T> {
    /// With a hidden layer of this width. Glorot's weights, biases 0.
    ///
    /// # Errors
    /// If a size is 0.
    pub fn new(width: usize, hidden: usize, bend: Bend, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let mut layer = |inputs, outputs| {
            Linear::with_init(inputs, outputs, |shape| {
                Init::xavier_uniform().tensor(shape, Fans::dense(inputs, outputs), &mut *rng)
            })
        };
        let linear1 = layer(width, hidden)?;
        Ok(Self::from_layers(linear1, layer(hidden, width)?, bend))
    }

    /// These layers.
    #[must_use]
    pub fn from_layers(linear1: Linear<T>, linear2: Linear<T>, bend: Bend) -> Self {
        Self { linear1, linear2, bend, dropout: 0.0 }
    }

    /// With numbers of the hidden layer dropped in training.
    ///
    /// # Errors
    /// If `p` is not within 0..=1.
    pub fn dropout(self, p: f64) -> Result<Self> {
        Dropout::new(p)?;
        Ok(Self { dropout: p, ..self })
    }

    /// The activation.
    #[must_use]
    pub fn bend(&self) -> Bend {
        self.bend
    }
}

impl<T: Scalar> Layer<T> for FeedForward<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let hidden = self.bend.apply(&self.linear1.forward(x, mode)?)?;
        let hidden = Dropout::new(self.dropout)?.forward(&hidden, mode)?;
        self.linear2.forward(&hidden, mode)
    }
}
