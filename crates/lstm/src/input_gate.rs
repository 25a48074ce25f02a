//! The input gate: how much of the candidate comes in.

use crate::GateWeights;
use crate::symbols::{H_BEFORE, INPUT, X, weights};
use gradus_activations::Activations;
use gradus_autograd::Var;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar};

const WEIGHTS: [Symbol; 3] = weights!("i");

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-input-gate",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The input gate",
    latex: r"i_t = \sigma(\theta_{xi}\,x_t + \theta_{hi}\,h_{t-1} + b_i)",
    unicode: "iₜ = σ(θ_xi·xₜ + θ_hi·hₜ₋₁ + bᵢ)",
    symbols: &[INPUT, X, H_BEFORE, WEIGHTS[0], WEIGHTS[1], WEIGHTS[2]],
    source: "Hochreiter & Schmidhuber 1997, §4; Greff et al. 2017, eq. 2",
    item: item!(fn input_gate),
    chapter: "lstm",
    printed: None,
};

/// How much of the candidate comes into the cell, unit by unit.
///
/// **Formula** `lstm-input-gate`: iₜ = σ(θ_xi·xₜ + θ_hi·hₜ₋₁ + bᵢ).
///
/// **Shapes**: x `[N, D]`, h `[N, H]`; the result `[N, H]`. **Units**: 1, between 0 and 1.
///
/// **Gradient**: by composition; the sum's is i(1 − i) times the gate's.
///
/// **Numerics**: as [`sigmoid`](gradus_activations::sigmoid). **Errors**: sizes that do not fit.
///
/// **Source**: Hochreiter & Schmidhuber 1997, §4; Greff et al. 2017, eq. 2.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{GateWeights, input_gate};
/// use gradus_tensor::Tensor;
/// let weights = GateWeights::new(Tensor::from([[0.0]]), Tensor::from([[0.0]]), Tensor::from([3f64.ln()]))?;
/// let (x, h) = (Var::constant(Tensor::from([[7.0]])), Var::constant(Tensor::from([[0.1]])));
/// assert!((input_gate(&x, &h, &weights)?.item()? - 0.75).abs() < 1e-15); // 1/(1 + ⅓)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn input_gate<T: Scalar>(x: &Var<T>, h: &Var<T>, weights: &GateWeights<T>) -> Result<Var<T>> {
    weights.sum(x, h)?.sigmoid()
}
