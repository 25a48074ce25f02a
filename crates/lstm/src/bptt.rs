//! Back-propagation through time: one step back, for one unit.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;

const DH: Symbol = Symbol {
    latex: r"\delta h_t",
    code: "dh",
    meaning: "the loss's derivative in the output, of this step and of all that follow",
    shape: "[N, H]",
    unit: "loss",
};
const DC: Symbol = Symbol {
    latex: r"\delta C_t",
    code: "dc",
    meaning: "the loss's derivative in the cell",
    shape: "[N, H]",
    unit: "loss",
};
const DZ: Symbol = Symbol {
    latex: r"\delta z^k_t",
    code: "sums",
    meaning: "the loss's derivative in the sum that gate k squashes",
    shape: "[N, H]",
    unit: "loss",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "lstm-bptt",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Back-propagation through time",
    latex: r"\begin{aligned}\delta C_t &= \delta h_t \odot o_t \odot (1 - \tanh^2 C_t) + f_{t+1} \odot \delta C_{t+1}\\ \delta z^f_t &= \delta C_t \odot C_{t-1} \odot f_t(1 - f_t) \qquad \delta z^i_t = \delta C_t \odot g_t \odot i_t(1 - i_t)\\ \delta z^g_t &= \delta C_t \odot i_t \odot (1 - g_t^2) \qquad\quad \delta z^o_t = \delta h_t \odot \tanh C_t \odot o_t(1 - o_t)\\ \delta h_{t-1} &= \frac{\partial L}{\partial h_{t-1}} + \sum_k \theta_{hk}^{\top}\, \delta z^k_t \qquad\ \frac{\partial L}{\partial \theta_{hk}} = \sum_t \delta z^k_t\, h_{t-1}^{\top}\end{aligned}",
    unicode: "δCₜ = δhₜ∘oₜ∘(1 − tanh²Cₜ) + fₜ₊₁∘δCₜ₊₁; δz^f = δC∘Cₜ₋₁∘f(1 − f), δz^i = δC∘g∘i(1 − i), δz^g = δC∘i∘(1 − g²), δz^o = δh∘tanh C∘o(1 − o); δhₜ₋₁ = ∂L/∂hₜ₋₁ + Σₖ θₕₖᵀδzᵏ; ∂L/∂θₕₖ = Σₜ δzᵏₜ·hₜ₋₁ᵀ",
    symbols: &[DH, DC, DZ],
    source: "Werbos 1990; Gers, Schmidhuber & Cummins 2000, appendix; Greff et al. 2017, appendix A",
    item: item!(fn bptt_step),
    chapter: "bptt",
    printed: None,
};

pub(crate) const FORMULA_LEARNED: Formula = Formula {
    id: "lstm-learned-bptt",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Learned through back-propagation",
    latex: r"\theta \leftarrow \theta - \eta\, \frac{\partial L}{\partial \theta}, \qquad \frac{\partial L}{\partial \theta_{x k}} = \sum_t \delta z^k_t\, x_t^{\top}, \quad \frac{\partial L}{\partial b_k} = \sum_t \delta z^k_t",
    unicode: "∂L/∂θₓₖ = Σₜ δzᵏₜ·xₜᵀ, ∂L/∂bₖ = Σₜ δzᵏₜ",
    symbols: &[DZ],
    source: "Werbos 1990",
    item: item!(fn bptt_step),
    chapter: "bptt",
    printed: None,
};

/// A unit at one step, as the way forward has left it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit<T> {
    /// i, f, g, o.
    pub gates: [T; 4],
    /// Cₜ₋₁.
    pub before: T,
    /// Cₜ.
    pub after: T,
    /// The peepholes of i, f, o: 0 where there are none.
    pub peepholes: [T; 3],
}

/// What a step back gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UnitGradient<T> {
    /// ∂L/∂z of the sums that i, f, g and o squash.
    pub sums: [T; 4],
    /// What goes on to Cₜ₋₁.
    pub before: T,
}

/// One step back for one unit: from ∂L/∂hₜ, and what later steps give to Cₜ, to the derivatives of the four sums and of Cₜ₋₁.
///
/// **Formula** `lstm-bptt`: δC = δh·o·(1 − tanh²C) + what comes from later; δzᶠ = δC·C₋₁·f(1 − f), δzⁱ = δC·g·i(1 − i), δzᵍ = δC·i·(1 − g²),
/// δzᵒ = δh·tanh C·o(1 − o); f·δC goes on. Peepholes p add pₒ·δzᵒ to δC, and pᵢ·δzⁱ + p_f·δzᶠ to what goes on.
///
/// **Shapes**: unit by unit; the sum over the units of the step before, Σₖ θₕₖᵀδzᵏ, is a product of the whole step.
/// **Units**: those of the loss.
///
/// **Gradient**: this is one.
///
/// **Numerics**: 1 − tanh² and the like by their products: absolutely exact to rounding, not relatively where a gate is saturated.
///
/// **Errors**: none; NaN in, NaN out.
///
/// **Source**: Werbos 1990; Greff et al. 2017, appendix A.
///
/// ```
/// use gradus_lstm::{Unit, bptt_step};
/// let unit = Unit { gates: [0.5, 0.25, -0.5, 0.5], before: 2.0, after: 0.0, peepholes: [0.0; 3] };
/// let back = bptt_step(unit, 1.0, 0.5); // δC = 1·½·(1 − 0) + ½ = 1
/// assert_eq!(back.before, 0.25);
/// assert_eq!(back.sums, [-0.125, 0.375, 0.375, 0.0]); // −½·¼, 2·3/16, ½·¾, tanh 0
/// ```
#[inline(always)]
pub fn bptt_step<T: Scalar>(unit: Unit<T>, dh: T, dc: T) -> UnitGradient<T> {
    let Unit { gates: [i, f, g, o], before, after, peepholes: [pi, pf, po] } = unit;
    let t = gradus_activations::tanh(after);
    let dzo = dh * t * (o * (T::ONE - o));
    let dc = Scalar::mul_add(dh * o, T::ONE - t * t, dc);
    let dc = Scalar::mul_add(po, dzo, dc);
    let dzi = dc * g * (i * (T::ONE - i));
    let dzf = dc * before * (f * (T::ONE - f));
    let dzg = dc * i * (T::ONE - g * g);
    let on = Scalar::mul_add(pi, dzi, Scalar::mul_add(pf, dzf, dc * f));
    UnitGradient { sums: [dzi, dzf, dzg, dzo], before: on }
}
