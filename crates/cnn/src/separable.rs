//! The separable convolution: look around in each channel by itself, then mix the channels at each position.

use crate::{Algorithm, Conv2d, ConvShape, Window};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::Init;
use gradus_tensor::{Result, Scalar};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "separable-conv",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The separable convolution",
    latex: r"y_{nkij} = b_k + \sum_c p_{kc} \sum_{u,v} d_{cuv}\, x_{n,\,c,\;iS + uD - P,\;jS' + vD' - P'}",
    unicode: "yₙₖᵢⱼ = bₖ + Σ p[k, c]·Σ d[c, u, v]·x[n, c, iS + uD − P, jS' + vD' − P']",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the images", shape: "[N, C, H, W]", unit: "any" },
        Symbol {
            latex: "d",
            code: "depthwise.weight",
            meaning: "the depthwise filters: one an input channel",
            shape: "[C, 1, F, F']",
            unit: "any",
        },
        Symbol {
            latex: "p",
            code: "pointwise.weight",
            meaning: "how the channels are mixed",
            shape: "[K, C, 1, 1]",
            unit: "any",
        },
        Symbol {
            latex: "b",
            code: "pointwise.bias",
            meaning: "the bias, one an output channel",
            shape: "[K]",
            unit: "that of the outputs",
        },
        crate::symbols::S,
        crate::symbols::D,
        crate::symbols::P,
    ],
    source: "Sifre 2014, §6.2; Chollet 2017, §3; Howard et al. 2017, §3.1",
    item: item!(struct SeparableConv2d),
    chapter: "convolution-layers",
    printed: None,
};

/// A depthwise convolution, then a pointwise one, as a layer. Its state is that of the two, under `depthwise` and `pointwise`.
///
/// **Formula** `separable-conv`: y\[n, k, i, j\] = b\[k\] + Σ p\[k, c\]·Σ d\[c, u, v\]·x\[n, c, iS + uD − P, jS' + vD' − P'\]. It is the full convolution whose
/// filters are w\[k, c, u, v\] = p\[k, c\]·d\[c, u, v\].
///
/// **Shapes**: x `[N, C, H, W]`, the depthwise weight `[C, 1, F, F']`, the pointwise weight `[K, C, 1, 1]` and bias `[K]`; the result `[N, K, O, O']`.
/// **Units**: those of the data.
///
/// **Gradient**: those of its two parts.
///
/// **Numerics**: as [`conv2d`](crate::conv2d()).
///
/// **Errors**: as [`Conv2d`].
///
/// **Source**: Sifre 2014; Chollet 2017.
///
/// **Default**: the depthwise part has no bias, which would be one with that of the pointwise part. Nothing stands between the two, so the first keeps
/// the size of the signal (variance 1/fan-in) and the second makes up for the ReLU that follows (He's 2/fan-in).
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_cnn::{SeparableConv2d, Window};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let layer = SeparableConv2d::<f32>::new(32, 64, [Window::new(3).padded(1); 2], rng)?;
/// let y = layer.forward(&Var::constant(Tensor::zeros([1, 32, 8, 8])?), &mut Mode::Eval)?;
/// assert_eq!(y.shape(), [1, 64, 8, 8]);
/// assert_eq!(layer.parameter_count(), 32 * 9 + 32 * 64 + 64); // a full one: 32·64·9 + 64
/// assert!(layer.state().keys().eq(["depthwise.weight", "pointwise.bias", "pointwise.weight"]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct SeparableConv2d<T: Scalar = f32> {
    /// Each channel by itself.
    pub depthwise: Conv2d<T>,
    /// The channels at each position.
    pub pointwise: Conv2d<T>,
}

parameters!(SeparableConv2d<T> { depthwise, pointwise });

impl<T: Scalar> SeparableConv2d<T> {
    /// A layer with the default initialization.
    ///
    /// # Errors
    /// As [`Conv2d::new`].
    pub fn new(
        in_channels: usize,
        out_channels: usize,
        windows: [Window; 2],
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Self> {
        let depthwise = ConvShape::depthwise(in_channels, windows).without_bias();
        let init = Init::lecun_normal();
        Ok(Self {
            depthwise: Conv2d::with_init(depthwise, |dims, fans| init.tensor(dims, fans, &mut *rng))?,
            pointwise: Conv2d::new(ConvShape::pointwise(in_channels, out_channels), rng)?,
        })
    }

    /// The same layer without a bias: before a normalisation that has one, it would be lost.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { pointwise: self.pointwise.without_bias(), ..self }
    }

    /// The same layer, its depthwise part computed in this way.
    #[must_use]
    pub fn by(self, algorithm: Algorithm) -> Self {
        Self { depthwise: self.depthwise.by(algorithm), ..self }
    }
}

impl<T: Scalar> Layer<T> for SeparableConv2d<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        self.pointwise.forward(&self.depthwise.forward(x, mode)?, mode)
    }
}
