//! The output gate, and the output: which are not the same.

use crate::GateWeights;
use crate::symbols::{C_AFTER, H_AFTER, H_BEFORE, OUTPUT, X, weights};
use gradus_activations::{Activations, tanh};
use gradus_autograd::Var;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar};

const WEIGHTS: [Symbol; 3] = weights!("o");

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-output-list",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "The output gate and the output",
    latex: r"o_t = \sigma(\theta_{xo}\,x_t + \theta_{ho}\,h_{t-1} + b_o), \qquad h_t = o_t \odot \tanh(C_t)",
    unicode: "oₜ = σ(θ_xo·xₜ + θ_ho·hₜ₋₁ + bₒ), hₜ = oₜ∘tanh(Cₜ)",
    symbols: &[OUTPUT, H_AFTER, C_AFTER, X, H_BEFORE, WEIGHTS[0], WEIGHTS[1], WEIGHTS[2]],
    source: "Hochreiter & Schmidhuber 1997, §4; Greff et al. 2017, eqs. 5–6",
    item: item!(fn hidden_state),
    chapter: "lstm",
    printed: Some(Printed {
        latex: r"\text{Output gate}\quad h_t = o_t \odot \tanh(C_t)",
        reason: "The list calls the output “output gate”, twice, and has no formula of the gate: oₜ is the gate, hₜ the output.",
        counterexample: "With oₜ = ½ and Cₜ = −1, hₜ = −0.38: a gate is never below 0.",
    }),
};

/// How much of the cell is shown, unit by unit.
///
/// **Formula** `lstm-output-list`: oₜ = σ(θ_xo·xₜ + θ_ho·hₜ₋₁ + bₒ).
///
/// **Shapes**: x `[N, D]`, h `[N, H]`; the result `[N, H]`. **Units**: 1, between 0 and 1.
///
/// **Gradient**: by composition; the sum's is o(1 − o) times the gate's.
///
/// **Numerics**: as [`sigmoid`](gradus_activations::sigmoid). **Errors**: sizes that do not fit.
///
/// **Source**: Hochreiter & Schmidhuber 1997, §4; Greff et al. 2017, eq. 5.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{GateWeights, output_gate};
/// use gradus_tensor::Tensor;
/// let weights = GateWeights::new(Tensor::from([[2.0]]), Tensor::from([[0.0]]), Tensor::from([-2.0]))?;
/// let (x, h) = (Var::constant(Tensor::from([[1.0]])), Var::constant(Tensor::from([[0.3]])));
/// assert_eq!(output_gate(&x, &h, &weights)?.value(), Tensor::from([[0.5]])); // σ(2 − 2)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn output_gate<T: Scalar>(x: &Var<T>, h: &Var<T>, weights: &GateWeights<T>) -> Result<Var<T>> {
    weights.sum(x, h)?.sigmoid()
}

/// The output: the part of the squashed cell that the output gate shows.
///
/// **Formula** `lstm-output-list`: hₜ = oₜ∘tanh(Cₜ).
///
/// **Shapes**: unit by unit. **Units**: 1, between −1 and 1: it may be negative, as no gate is.
///
/// **Gradient**: tanh Cₜ in oₜ, oₜ(1 − tanh² Cₜ) in Cₜ.
///
/// **Numerics**: two roundings beside those of tanh. **Errors**: none; NaN in, NaN out.
///
/// **Source**: Hochreiter & Schmidhuber 1997, §4; Greff et al. 2017, eq. 6.
///
/// ```
/// use gradus_lstm::hidden_state;
/// assert!((hidden_state(0.5, -3f64.ln()) + 0.4).abs() < 1e-15); // half of −0.8
/// ```
#[inline(always)]
pub fn hidden_state<T: Scalar>(output: T, cell: T) -> T {
    output * tanh(cell)
}
