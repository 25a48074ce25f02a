//! Layer normalisation: each sample by its own mean and variance, whatever else is in the batch.

use crate::kernel::{Moments, Rows};
use crate::refuse;
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar, Shape, Tensor};

pub(crate) const X: Symbol =
    Symbol { latex: "x", code: "x", meaning: "the input", shape: "[…, D] or [N, C, …]", unit: "any" };
pub(crate) const EPSILON: Symbol = Symbol {
    latex: r"\varepsilon",
    code: "eps",
    meaning: "a small number under the root, 10⁻⁵ unless set: what has no variance stays finite",
    shape: "[]",
    unit: "that of x, squared",
};
pub(crate) const GAIN: Symbol = Symbol {
    latex: r"\gamma",
    code: "gain",
    meaning: "the gain, learned, 1 at the start (PyTorch: weight)",
    shape: "[D] or [C]",
    unit: "that of y",
};
pub(crate) const BIAS: Symbol = Symbol {
    latex: r"\beta",
    code: "bias",
    meaning: "the bias, learned, 0 at the start",
    shape: "[D] or [C]",
    unit: "that of y",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "layer-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Layer normalisation",
    latex: r"y_{ij} = \gamma_j \frac{x_{ij} - \mu_i}{\sqrt{\sigma_i^2 + \varepsilon}} + \beta_j, \qquad
        \mu_i = \frac1D \sum_{j} x_{ij}, \quad \sigma_i^2 = \frac1D \sum_{j} (x_{ij} - \mu_i)^2",
    unicode: "yᵢⱼ = γⱼ·(xᵢⱼ − μᵢ)/√(σᵢ² + ε) + βⱼ, μᵢ and σᵢ² the mean and variance of row i",
    symbols: &[X, GAIN, BIAS, EPSILON],
    source: "Ba, Kiros & Hinton 2016, §3, eq. 4",
    item: item!(fn layer_norm),
    chapter: "layers",
    printed: None,
};

/// Each row brought to mean 0 and variance 1, then scaled and shifted by learned numbers.
///
/// **Formula** `layer-norm`: yᵢⱼ = γⱼ·(xᵢⱼ − μᵢ)/√(σᵢ² + ε) + βⱼ, with the row's mean μᵢ and variance σᵢ² (divided by D).
///
/// **Shapes**: x `[…, D]`; gain and bias `[D]`, or the shape of the last several dimensions, which then are the row. **Units**:
/// x̂ has none.
///
/// **Gradient**: with h = γ∘dy, (h − ⟨h⟩ − x̂·⟨h∘x̂⟩)/√(σ² + ε) in x; Σ dy∘x̂ in γ, Σ dy in β: [`LayerNormalization`].
///
/// **Numerics**: two passes, by halves; ⟨x²⟩ − ⟨x⟩² would lose every digit of a small variance beside a large mean. The variance
/// of x̂ is σ²/(σ² + ε), a little below 1. A NaN spoils its row only.
///
/// **Errors**: parameters whose shape is not that of x's last dimensions, ε not above 0.
///
/// **Source**: Ba, Kiros & Hinton 2016, §3, eq. 4.
///
/// ```
/// use gradus_layers::layer_norm;
/// use gradus_tensor::Tensor;
/// let (gain, bias) = (Tensor::from([1.0f64, 1.0]), Tensor::from([0.0, 10.0]));
/// let y = layer_norm(&Tensor::from([[2.0, 4.0], [500.0, 100.0]]), &gain, &bias, 1e-12)?;
/// assert!(y.all_close(&Tensor::from([[-1.0, 11.0], [1.0, 9.0]]), 0.0, 1e-11)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn layer_norm<T: Scalar>(
    x: &Tensor<T>,
    gain: &Tensor<T>,
    bias: &Tensor<T>,
    eps: f64,
) -> Result<Tensor<T>> {
    LayerNormalization { eps }.eval([x, gain, bias])
}

/// [`layer_norm`] as an operation on `[x, gain, bias]`.
#[derive(Debug, Clone, Copy)]
pub struct LayerNormalization {
    /// ε.
    pub eps: f64,
}

/// Rows over the dimensions of x that the gain has.
pub(crate) fn rows<T: Scalar>(
    op: &'static str,
    x: &Tensor<T>,
    gain: &Tensor<T>,
    centred: bool,
    eps: f64,
) -> Result<Rows<T>> {
    if gain.rank() == 0 || !x.dims().ends_with(gain.dims()) || gain.is_empty() {
        let expected = format!("x that ends in the shape of the gain, {}", gain.shape());
        return Err(refuse::shape(op, expected, x.shape()));
    }
    Ok(Rows { len: gain.len(), centred, eps: refuse::epsilon(op, eps)? })
}

impl<T: Scalar> Op<T, 3> for LayerNormalization {
    /// Two numbers a row.
    type Saved = Moments<T>;

    fn forward(&self, [x, gain, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, Moments<T>)> {
        let rows = rows("layer_norm", x, gain, true, self.eps)?;
        refuse::parameter("layer_norm", "bias", gain.dims(), bias.shape())?;
        rows.forward(x, gain.as_slice(), Some(bias.as_slice()))
    }

    fn vjp(
        &self,
        [x, gain, bias]: [&Tensor<T>; 3],
        moments: &Moments<T>,
        dy: &Tensor<T>,
        [wants_x, wants_gain, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let rows = rows("layer_norm", x, gain, true, self.eps)?;
        refuse::parameter("layer_norm", "gradient", x.dims(), dy.shape())?;
        let dx = if wants_x { Some(rows.backward(x, gain.as_slice(), moments, dy)?) } else { None };
        let [dgain, dbias] = learned(
            wants_gain || wants_bias,
            || rows.parameters(x, moments, dy),
            [gain.shape(), bias.shape()],
        )?;
        Ok([dx, dgain.filter(|_| wants_gain), dbias.filter(|_| wants_bias)])
    }
}

/// The gradients of gain and bias as tensors, where they are wanted.
pub(crate) fn learned<T: Scalar>(
    wanted: bool,
    sums: impl FnOnce() -> [Vec<T>; 2],
    shapes: [Shape; 2],
) -> Result<[Option<Tensor<T>>; 2]> {
    if !wanted {
        return Ok([None, None]);
    }
    let [gain, bias] = sums();
    Ok([Some(Tensor::from_vec(gain, shapes[0])?), Some(Tensor::from_vec(bias, shapes[1])?)])
}

/// [`layer_norm`] as a layer. Its state is `weight` (γ) and `bias` (β).
///
/// **Default**: γ = 1, β = 0, ε = 10⁻⁵.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::LayerNorm;
/// use gradus_tensor::Tensor;
/// let layer = LayerNorm::<f64>::new([2])?.eps(3.0)?;
/// let y = layer.forward(&Var::constant(Tensor::from([[2.0, 4.0]])), &mut Mode::Eval)?;
/// assert_eq!(y.value(), Tensor::from([[-0.5, 0.5]])); // ±1 / √(1 + 3)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LayerNorm<T: Scalar = f32> {
    /// γ, in the shape that is normalised.
    pub weight: Var<T>,
    /// β, likewise.
    pub bias: Var<T>,
    eps: f64,
}

parameters!(LayerNorm<T> { weight, bias });

impl<T: Scalar> LayerNorm<T> {
    /// Over the last dimensions of its input, which have this shape: `[D]`, say.
    ///
    /// # Errors
    /// If the shape is none, or has no elements.
    pub fn new(shape: impl AsRef<[usize]>) -> Result<Self> {
        let [weight, bias] = parameters_of("layer_norm", shape.as_ref())?;
        Ok(Self { weight, bias, eps: EPS })
    }

    /// With another ε.
    ///
    /// # Errors
    /// If it is not finite and above 0.
    pub fn eps(self, eps: f64) -> Result<Self> {
        refuse::epsilon::<T>("layer_norm", eps)?;
        Ok(Self { eps, ..self })
    }
}

impl<T: Scalar> Layer<T> for LayerNorm<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(LayerNormalization { eps: self.eps }, [x, &self.weight, &self.bias])
    }
}

/// The ε of every normalisation, unless another is asked for; PyTorch's.
pub const EPS: f64 = 1e-5;

/// A gain of 1 and a bias of 0.
pub(crate) fn parameters_of<T: Scalar>(op: &'static str, shape: &[usize]) -> Result<[Var<T>; 2]> {
    let (gain, bias) = (Tensor::ones(shape)?, Tensor::zeros(shape)?);
    if gain.rank() == 0 || gain.is_empty() {
        return Err(refuse::shape(op, "at least one dimension and one element to normalise", gain.shape()));
    }
    Ok([Var::parameter(gain), Var::parameter(bias)])
}
