//! The forget gate: how much of the cell stays.

use crate::GateWeights;
use crate::symbols::{C_BEFORE, FORGET, H_BEFORE, X, weights};
use gradus_activations::Activations;
use gradus_autograd::Var;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar};

const WEIGHTS: [Symbol; 3] = weights!("f");

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-forget-gate",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The forget gate",
    latex: r"f_t = \sigma(\theta_{xf}\,x_t + \theta_{hf}\,h_{t-1} + b_f)",
    unicode: "fₜ = σ(θ_xf·xₜ + θ_hf·hₜ₋₁ + b_f)",
    symbols: &[FORGET, X, H_BEFORE, WEIGHTS[0], WEIGHTS[1], WEIGHTS[2]],
    source: "Gers, Schmidhuber & Cummins 2000, eq. 3.1; Greff et al. 2017, eq. 3",
    item: item!(fn forget_gate),
    chapter: "lstm",
    printed: None,
};

pub(crate) const FORMULA_SEMANTICS: Formula = Formula {
    id: "lstm-forget-semantics",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "0 erases, 1 keeps",
    latex: r"f_t \to 0:\ C_t \to i_t \odot g_t, \qquad f_t \to 1:\ C_t \to C_{t-1} + i_t \odot g_t",
    unicode: "fₜ → 0: Cₜ → iₜ∘gₜ; fₜ → 1: Cₜ → Cₜ₋₁ + iₜ∘gₜ",
    symbols: &[FORGET, C_BEFORE],
    source: "Gers, Schmidhuber & Cummins 2000, §3",
    item: item!(fn forget_gate),
    chapter: "lstm",
    printed: None,
};

/// How much of the cell stays, unit by unit.
///
/// **Formula** `lstm-forget-gate`: fₜ = σ(θ_xf·xₜ + θ_hf·hₜ₋₁ + b_f).
///
/// **Shapes**: x `[N, D]`, h `[N, H]`; the result `[N, H]`. **Units**: 1, between 0 and 1: 0 and 1 are limits.
///
/// **Gradient**: by composition; the sum's is f(1 − f) times the gate's.
///
/// **Numerics**: a bias of 37 rounds to 1 in double precision, of 17 in single: there the gate's gradient is 0.
///
/// **Errors**: sizes that do not fit.
///
/// **Source**: Gers, Schmidhuber & Cummins 2000, eq. 3.1; Greff et al. 2017, eq. 3.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{GateWeights, forget_gate};
/// use gradus_tensor::Tensor;
/// let weights = GateWeights::new(Tensor::from([[1.0]]), Tensor::from([[2.0]]), Tensor::from([-1.0]))?;
/// let (x, h) = (Var::constant(Tensor::from([[3.0]])), Var::constant(Tensor::from([[-1.0]])));
/// assert_eq!(forget_gate(&x, &h, &weights)?.value(), Tensor::from([[0.5]])); // σ(3 − 2 − 1)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn forget_gate<T: Scalar>(x: &Var<T>, h: &Var<T>, weights: &GateWeights<T>) -> Result<Var<T>> {
    weights.sum(x, h)?.sigmoid()
}
