//! The plain recurrence, whose gradient is a product of matrices: what the LSTM was made against.

use crate::GateWeights;
use crate::symbols::{H_BEFORE, X};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;

const U: Symbol = Symbol {
    latex: "U",
    code: "weights.h",
    meaning: "the recurrent weights, the same in every step",
    shape: "[H, H]",
    unit: "1",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "rnn-step",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The plain recurrence",
    latex: r"h_t = \tanh(x_t W + h_{t-1} U + b)",
    unicode: "hₜ = tanh(xₜ·W + hₜ₋₁·U + b)",
    symbols: &[X, H_BEFORE, U],
    source: "Elman 1990; Goodfellow, Bengio & Courville 2016, §10.2",
    item: item!(struct Rnn),
    chapter: "recurrence",
    printed: None,
};

pub(crate) const FORMULA_GRADIENT: Formula = Formula {
    id: "rnn-gradient",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The gradient of a recurrence is a product",
    latex: r"\frac{\partial h_T}{\partial h_0} = \prod_{t=T}^{1} \operatorname{diag}(1 - h_t^2)\, U^{\top}, \qquad \left\lVert \frac{\partial h_T}{\partial h_0} \right\rVert_2 \le \lVert U \rVert_2^{T}",
    unicode: "∂h_T/∂h₀ = ∏ₜ diag(1 − hₜ²)·Uᵀ, t from T down to 1; its norm is at most ‖U‖ᵀ",
    symbols: &[H_BEFORE, U],
    source: "Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, §2.1",
    item: item!(fn rnn_jacobian),
    chapter: "recurrence",
    printed: None,
};

/// The plain (Elman) recurrence: the output is a squashed sum of the input and the output before.
///
/// **Formula** `rnn-step`: hₜ = tanh(xₜ·W + hₜ₋₁·U + b).
///
/// **Shapes**: x `[N, T, D]`, the result `[N, T, H]`, from h₀ = 0. **Units**: 1, between −1 and 1.
///
/// **Gradient**: by composition; through time it is [`rnn_jacobian`].
///
/// **Numerics**: a step at a time, each with tensors of its own: it is here to be compared with, not to be fast.
///
/// **Errors**: sizes that do not fit, no step.
///
/// **Source**: Elman 1990; Goodfellow, Bengio & Courville 2016, §10.2.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_lstm::{GateWeights, Rnn};
/// use gradus_tensor::Tensor;
/// let weights = GateWeights::new(Tensor::from([[1.0]]), Tensor::from([[0.5]]), Tensor::from([0.0]))?;
/// let y = Rnn { weights }.forward(&Var::constant(Tensor::from([[[1.0], [0.0]]])), &mut Mode::Eval)?;
/// let first = 1f64.tanh();
/// assert!(y.value().all_close(&Tensor::from([[[first], [(0.5 * first).tanh()]]]), 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Rnn<T: Scalar = f32> {
    /// W, U and b.
    pub weights: GateWeights<T>,
}

parameters!(Rnn<T> { weights });

impl<T: Scalar> Rnn<T> {
    /// Glorot's weights for the inputs, orthogonal ones for the recurrence, no bias.
    ///
    /// # Errors
    /// If a size is 0.
    pub fn new(inputs: usize, hidden: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Ok(Self { weights: fresh(inputs, hidden, rng)? })
    }
}

/// Fresh weights of one gate.
pub(crate) fn fresh<T: Scalar>(
    inputs: usize,
    hidden: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Result<GateWeights<T>> {
    let x = Init::xavier_uniform().tensor([inputs, hidden], Fans::dense(inputs, hidden), rng)?;
    let h = Init::orthogonal().tensor([hidden, hidden], Fans::dense(hidden, hidden), rng)?;
    GateWeights::new(x, h, Tensor::zeros([hidden])?)
}

/// Step after step from h₀ = 0: the outputs, `[N, T, H]`.
pub(crate) fn unroll<T: Scalar>(
    op: &'static str,
    x: &Var<T>,
    hidden: usize,
    step: impl Fn(&Var<T>, &Var<T>) -> Result<Var<T>>,
) -> Result<Var<T>> {
    let &[samples, time, _] = x.shape().dims() else {
        return Err(Error::shape(op, "x of the shape [N, T, D]", x.shape()));
    };
    let mut h = Var::constant(Tensor::zeros([samples, hidden])?);
    let mut outputs = Vec::new();
    for t in 0..time {
        h = step(&x.select(1, t)?, &h)?;
        outputs.push(h.clone());
    }
    Var::stack(&outputs.iter().collect::<Vec<_>>(), 1)
}

impl<T: Scalar> Layer<T> for Rnn<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        unroll("rnn", x, self.weights.b.shape().elements(), |x, h| self.weights.sum(x, h)?.tanh())
    }
}

/// The derivative of the last output in the state before the first step, of outputs hₜ that a plain recurrence gave.
///
/// **Formula** `rnn-gradient`: ∂h_T/∂h₀ = ∏ diag(1 − hₜ²)·Uᵀ: row i, column j is ∂h_T\[i\]/∂h₀\[j\].
///
/// **Shapes**: the outputs of one sequence `[T, H]`, U `[H, H]`; the result `[H, H]`. **Units**: 1.
///
/// **Gradient**: this is one. **Numerics**: T products from the left; its norm is at most ‖U‖₂ᵀ, 0 or ∞ where that has no number.
///
/// **Errors**: shapes that do not fit.
///
/// **Source**: Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013, §2.1.
///
/// ```
/// use gradus_lstm::rnn_jacobian;
/// use gradus_tensor::Tensor;
/// // Two steps, two units, of which each hands on to the other; the second step has nearly saturated one.
/// let h = Tensor::from([[0.0, 0.5], [0.9, 0.0]]);
/// let jacobian = rnn_jacobian(&h, &Tensor::from([[0.0, 2.0], [2.0, 0.0]]))?;
/// let expected = Tensor::from([[0.19 * 2.0 * 0.75 * 2.0, 0.0], [0.0, 4.0]]);
/// assert!(jacobian.all_close(&expected, 1e-15, 0.0)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn rnn_jacobian<T: Scalar>(outputs: &Tensor<T>, recurrent: &Tensor<T>) -> Result<Tensor<T>> {
    let &[_, hidden] = outputs.dims() else {
        return Err(Error::shape("rnn_jacobian", "outputs of the shape [T, H]", outputs.shape()));
    };
    if recurrent.dims() != [hidden, hidden] {
        let expected = format!("recurrent weights of the shape [{hidden}, {hidden}]");
        return Err(Error::shape("rnn_jacobian", expected, recurrent.shape()));
    }
    let (back, mut jacobian) = (recurrent.transpose()?, Tensor::eye(hidden)?);
    for h in outputs.rows()? {
        let slopes = h.map(|h| T::ONE - h * h).reshape([hidden, 1])?;
        jacobian = back.matmul(&jacobian)?.mul(&slopes)?;
    }
    Ok(jacobian)
}
