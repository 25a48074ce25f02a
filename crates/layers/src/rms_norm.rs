//! Root-mean-square normalisation: layer normalisation without the mean and without the bias.

use crate::kernel::{Moments, Rows};
use crate::layer_norm::{EPS, EPSILON, GAIN, X, learned, parameters_of, rows};
use crate::refuse;
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "rms-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Root-mean-square normalisation",
    latex: r"y_{ij} = \gamma_j \frac{x_{ij}}{\sqrt{\frac1D \sum_{k} x_{ik}^2 + \varepsilon}}",
    unicode: "yᵢⱼ = γⱼ·xᵢⱼ/√(Σₖ xᵢₖ²/D + ε)",
    symbols: &[X, GAIN, EPSILON],
    source: "Zhang & Sennrich 2019, eq. 4",
    item: item!(fn rms_norm),
    chapter: "layers",
    printed: None,
};

/// Each row divided by the root of its mean square, then scaled by learned numbers.
///
/// **Formula** `rms-norm`: yᵢⱼ = γⱼ·xᵢⱼ/√(Σₖ xᵢₖ²/D + ε).
///
/// **Shapes**: x `[…, D]`; gain `[D]`, or the shape of the last several dimensions. **Units**: x̂ has none.
///
/// **Gradient**: with h = γ∘dy, (h − x̂·⟨h∘x̂⟩)/√(⟨x²⟩ + ε) in x; Σ dy∘x̂ in γ: [`RmsNormalization`].
///
/// **Numerics**: the squares overflow from 10¹⁹ on in `f32`, and give 0. A NaN spoils its row only.
///
/// **Errors**: a gain whose shape is not that of x's last dimensions, ε not above 0.
///
/// **Source**: Zhang & Sennrich 2019, eq. 4.
///
/// ```
/// use gradus_layers::rms_norm;
/// use gradus_tensor::Tensor;
/// let y = rms_norm(&Tensor::from([[1.0f64, 7.0]]), &Tensor::from([1.0, 2.0]), 1e-12)?; // √((1 + 49)/2) = 5
/// assert!(y.all_close(&Tensor::from([[0.2, 2.8]]), 0.0, 1e-12)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn rms_norm<T: Scalar>(x: &Tensor<T>, gain: &Tensor<T>, eps: f64) -> Result<Tensor<T>> {
    RmsNormalization { eps }.eval([x, gain])
}

/// [`rms_norm`] as an operation on `[x, gain]`.
#[derive(Debug, Clone, Copy)]
pub struct RmsNormalization {
    /// ε.
    pub eps: f64,
}

impl RmsNormalization {
    fn rows<T: Scalar>(self, x: &Tensor<T>, gain: &Tensor<T>) -> Result<Rows<T>> {
        rows("rms_norm", x, gain, false, self.eps)
    }
}

impl<T: Scalar> Op<T, 2> for RmsNormalization {
    /// Two numbers a row.
    type Saved = Moments<T>;

    fn forward(&self, [x, gain]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, Moments<T>)> {
        self.rows(x, gain)?.forward(x, gain.as_slice(), None)
    }

    fn vjp(
        &self,
        [x, gain]: [&Tensor<T>; 2],
        moments: &Moments<T>,
        dy: &Tensor<T>,
        [wants_x, wants_gain]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let rows = self.rows(x, gain)?;
        refuse::parameter("rms_norm", "gradient", x.dims(), dy.shape())?;
        let dx = if wants_x { Some(rows.backward(x, gain.as_slice(), moments, dy)?) } else { None };
        let [dgain, _] = learned(wants_gain, || rows.parameters(x, moments, dy), [gain.shape(); 2])?;
        Ok([dx, dgain])
    }
}

/// [`rms_norm`] as a layer. Its state is `weight` (γ).
///
/// **Default**: γ = 1, ε = 10⁻⁵. PyTorch's `eps=None` is the distance from 1 to the next number, 1.2·10⁻⁷ in `f32`.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::RmsNorm;
/// use gradus_tensor::Tensor;
/// let layer = RmsNorm::<f64>::new([2])?.eps(11.0)?;
/// let y = layer.forward(&Var::constant(Tensor::from([[1.0, 7.0]])), &mut Mode::Eval)?;
/// assert!(y.value().all_close(&Tensor::from([[1.0 / 6.0, 7.0 / 6.0]]), 1e-15, 0.0)?); // √(25 + 11)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct RmsNorm<T: Scalar = f32> {
    /// γ, in the shape that is normalised.
    pub weight: Var<T>,
    eps: f64,
}

parameters!(RmsNorm<T> { weight });

impl<T: Scalar> RmsNorm<T> {
    /// Over the last dimensions of its input, which have this shape: `[D]`, say.
    ///
    /// # Errors
    /// If the shape is none, or has no elements.
    pub fn new(shape: impl AsRef<[usize]>) -> Result<Self> {
        let [weight, _] = parameters_of("rms_norm", shape.as_ref())?;
        Ok(Self { weight, eps: EPS })
    }

    /// With another ε.
    ///
    /// # Errors
    /// If it is not finite and above 0.
    pub fn eps(self, eps: f64) -> Result<Self> {
        refuse::epsilon::<T>("rms_norm", eps)?;
        Ok(Self { eps, ..self })
    }
}

impl<T: Scalar> Layer<T> for RmsNorm<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(RmsNormalization { eps: self.eps }, [x, &self.weight])
    }
}
