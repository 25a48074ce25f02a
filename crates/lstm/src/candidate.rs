//! The candidate: what could be added to the cell, or taken away.

use crate::GateWeights;
use crate::symbols::{CANDIDATE, H_BEFORE, X, weights};
use gradus_activations::Activations;
use gradus_autograd::Var;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar};

const WEIGHTS: [Symbol; 3] = weights!("g");

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-candidate-range",
    kind: Kind::Claim,
    verdict: Verdict::Wrong,
    title: "The candidate",
    latex: r"g_t = \tanh(\theta_{xg}\,x_t + \theta_{hg}\,h_{t-1} + b_g) \in (-1, 1)",
    unicode: "gₜ = tanh(θ_xg·xₜ + θ_hg·hₜ₋₁ + b_g) ∈ (−1, 1)",
    symbols: &[CANDIDATE, X, H_BEFORE, WEIGHTS[0], WEIGHTS[1], WEIGHTS[2]],
    source: "Greff et al. 2017, eq. 1",
    item: item!(fn candidate),
    chapter: "lstm",
    printed: Some(Printed {
        latex: r"\tanh(-1, 1)\quad \text{add subtract}",
        reason: "The figure's text is garbled, and stands in a list of gates: the candidate is no gate. A gate is within (0, 1) and can only let through; the candidate is within (−1, 1), so that the update can add or subtract.",
        counterexample: "With a sum of −1, the candidate is tanh(−1) = −0.76: below 0, which no gate is.",
    }),
};

/// What could be added to the cell, or taken away, unit by unit: no gate.
///
/// **Formula** `lstm-candidate-range`: gₜ = tanh(θ_xg·xₜ + θ_hg·hₜ₋₁ + b_g).
///
/// **Shapes**: x `[N, D]`, h `[N, H]`; the result `[N, H]`. **Units**: 1, between −1 and 1.
///
/// **Gradient**: by composition; the sum's is 1 − g² times the candidate's.
///
/// **Numerics**: as [`tanh`](fn@gradus_activations::tanh). **Errors**: sizes that do not fit.
///
/// **Source**: Greff et al. 2017, eq. 1.
///
/// ```
/// use gradus_autograd::Var;
/// use gradus_lstm::{GateWeights, candidate};
/// use gradus_tensor::Tensor;
/// let weights = GateWeights::new(Tensor::from([[-1.0]]), Tensor::from([[0.0]]), Tensor::from([0.0]))?;
/// let (x, h) = (Var::constant(Tensor::from([[3f64.ln()]])), Var::constant(Tensor::from([[0.0]])));
/// assert!((candidate(&x, &h, &weights)?.item()? + 0.8).abs() < 1e-15); // −(3 − ⅓)/(3 + ⅓)
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn candidate<T: Scalar>(x: &Var<T>, h: &Var<T>, weights: &GateWeights<T>) -> Result<Var<T>> {
    weights.sum(x, h)?.tanh()
}
