//! The cell's update: some of the old, and some of the candidate.

use crate::symbols::{C_AFTER, C_BEFORE, CANDIDATE, FORGET, INPUT};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-cell-update",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The cell's update",
    latex: r"C_t = f_t \odot C_{t-1} + i_t \odot g_t",
    unicode: "Cₜ = fₜ∘Cₜ₋₁ + iₜ∘gₜ",
    symbols: &[C_AFTER, FORGET, C_BEFORE, INPUT, CANDIDATE],
    source: "Gers, Schmidhuber & Cummins 2000, eq. 3.2; Greff et al. 2017, eq. 4",
    item: item!(fn cell_update),
    chapter: "lstm",
    printed: None,
};

pub(crate) const FORMULA_WEIGHTS: Formula = Formula {
    id: "lstm-weights-annotation",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "A gate is a weight that depends on the data",
    latex: r"\underbrace{f_t}_{\text{not learned itself}} \odot\; C_{t-1}",
    unicode: "fₜ∘Cₜ₋₁: fₜ is computed, θ_xf, θ_hf and b_f are learned",
    symbols: &[FORGET, C_BEFORE],
    source: "Greff et al. 2017, §II",
    item: item!(fn cell_update),
    chapter: "lstm",
    printed: None,
};

/// The cell after a step: what the forget gate keeps of it, and what the input gate lets in of the candidate.
///
/// **Formula** `lstm-cell-update`: Cₜ = fₜ∘Cₜ₋₁ + iₜ∘gₜ.
///
/// **Shapes**: unit by unit. **Units**: 1; |Cₜ| ≤ |Cₜ₋₁| + 1.
///
/// **Gradient**: f in Cₜ₋₁, C in fₜ, g in iₜ, i in gₜ.
///
/// **Numerics**: one rounding for the sum, f·C rounded once before it. **Errors**: none; NaN in, NaN out.
///
/// **Source**: Gers, Schmidhuber & Cummins 2000, eq. 3.2; Greff et al. 2017, eq. 4.
///
/// ```
/// use gradus_lstm::cell_update;
/// assert_eq!(cell_update(0.5, 4.0, 0.25, -1.0), 1.75); // half of what was there, and a quarter of −1
/// ```
#[inline(always)]
pub fn cell_update<T: Scalar>(forget: T, before: T, input: T, candidate: T) -> T {
    Scalar::mul_add(input, candidate, forget * before)
}
