//! The gated recurrent unit: two gates, and no cell beside the output.

use crate::symbols::{H_BEFORE, X};
use crate::{GateWeights, rnn};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_layers::Affine;
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "gru-step",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The gated recurrent unit",
    latex: r"\begin{aligned}r_t &= \sigma(\theta_{xr}x_t + \theta_{hr}h_{t-1} + b_r) & n_t &= \tanh\bigl(\theta_{xn}x_t + b_n + r_t \odot (\theta_{hn}h_{t-1} + b_{hn})\bigr)\\ z_t &= \sigma(\theta_{xz}x_t + \theta_{hz}h_{t-1} + b_z) & h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}\end{aligned}",
    unicode: "r, z = σ(θₓ·xₜ + θₕ·hₜ₋₁ + b); n = tanh(θₓ·xₜ + bₙ + r∘(θₕ·hₜ₋₁ + bₕₙ)); hₜ = (1 − z)∘n + z∘hₜ₋₁",
    symbols: &[
        X,
        H_BEFORE,
        Symbol {
            latex: "r_t",
            code: "reset",
            meaning: "the reset gate",
            shape: "[N, H]",
            unit: "1, within (0, 1)",
        },
        Symbol {
            latex: "z_t",
            code: "update",
            meaning: "the update gate: how much stays",
            shape: "[N, H]",
            unit: "1, within (0, 1)",
        },
        Symbol {
            latex: "n_t",
            code: "new",
            meaning: "the candidate",
            shape: "[N, H]",
            unit: "1, within (−1, 1)",
        },
    ],
    source: "Cho et al. 2014, §2.3; the place of r as in cuDNN and PyTorch",
    item: item!(struct Gru),
    chapter: "recurrence",
    printed: None,
};

/// The gated recurrent unit: an update gate between the old output and a new one, and a reset gate in the new one.
///
/// **Formula** `gru-step`: r, z = σ(…); n = tanh(θₓ·xₜ + bₙ + r∘(θₕ·hₜ₋₁ + bₕₙ)); hₜ = (1 − z)∘n + z∘hₜ₋₁. (Cho et al. multiply r with hₜ₋₁ before the
/// product; this is the form that cuDNN and PyTorch have.)
///
/// **Shapes**: x `[N, T, D]`, the result `[N, T, H]`, from h₀ = 0. **Units**: 1, between −1 and 1.
///
/// **Gradient**: by composition; along hₜ₋₁ it is zₜ, as the LSTM's is fₜ.
///
/// **Numerics**: a step at a time, as [`Rnn`](crate::Rnn). **Errors**: sizes that do not fit, no step.
///
/// **Source**: Cho et al. 2014, §2.3.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_lstm::Gru;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let gru = Gru::<f64>::new(3, 4, &mut ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(gru.parameter_count(), 3 * ((3 + 4) * 4 + 4) + 4); // three quarters of an LSTM's, and bₕₙ
/// let y = gru.forward(&Var::constant(Tensor::ones([2, 5, 3])?), &mut Mode::Eval)?;
/// assert!(y.value().as_slice().iter().all(|h| h.abs() < 1.0));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gru<T: Scalar = f32> {
    /// The weights of r.
    pub reset: GateWeights<T>,
    /// The weights of z.
    pub update: GateWeights<T>,
    /// The weights of n.
    pub new: GateWeights<T>,
    /// bₕₙ, the bias within what the reset gate multiplies, `[H]`.
    pub new_bias: Var<T>,
}

parameters!(Gru<T> { reset, update, new, new_bias });

impl<T: Scalar> Gru<T> {
    /// Glorot's weights for the inputs, orthogonal ones for the recurrence, biases 0.
    ///
    /// # Errors
    /// If a size is 0.
    pub fn new(inputs: usize, hidden: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Ok(Self {
            reset: rnn::fresh(inputs, hidden, rng)?,
            update: rnn::fresh(inputs, hidden, rng)?,
            new: rnn::fresh(inputs, hidden, rng)?,
            new_bias: Var::parameter(Tensor::zeros([hidden])?),
        })
    }

    fn step(&self, x: &Var<T>, h: &Var<T>) -> Result<Var<T>> {
        let reset = self.reset.sum(x, h)?.sigmoid()?;
        let update = self.update.sum(x, h)?.sigmoid()?;
        let old = reset.mul(&Var::apply(Affine, [h, &self.new.h, &self.new_bias])?)?;
        let new = Var::apply(Affine, [x, &self.new.x, &self.new.b])?.add(&old)?.tanh()?;
        new.add(&update.mul(&h.sub(&new)?)?)
    }
}

impl<T: Scalar> Layer<T> for Gru<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        rnn::unroll("gru", x, self.new_bias.shape().elements(), |x, h| self.step(x, h))
    }
}
