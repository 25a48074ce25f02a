//! Weight decay: every step makes the weights a little smaller.

use crate::symbols::{DECAY, GRADIENT, RATE, THETA};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "weight-decay-update",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Weight decay",
    latex: r"\theta \leftarrow (1 - \eta\lambda)\,\theta - \eta g",
    unicode: "θ ← (1 − ηλ)θ − ηg",
    symbols: &[THETA, GRADIENT, RATE, DECAY],
    source: "Krogh & Hertz 1992; Loshchilov & Hutter 2019, eq. 1",
    item: item!(enum WeightDecay),
    chapter: "sgd",
    printed: None,
};

/// Where the decay enters: into the gradient, or beside it.
///
/// **Formula** `weight-decay-update`: (1 − ηλ)θ − ηg for a step of plain descent, whichever way. For whatever changes the gradient
/// before it is used (momentum keeps it, Adam divides it) the two differ.
///
/// **Shapes**: θ and g of one shape. **Units**: ηλ is a plain number. **Gradient**: coupled decay is that of ½λ‖θ‖².
///
/// **Numerics**: with λ = 0 nothing is computed, not even 0·θ, which would be NaN for an infinite θ.
///
/// **Errors**: none; the optimisers check λ ≥ 0. **Source**: Loshchilov & Hutter 2019, Algorithms 1 and 2.
///
/// ```
/// use gradus_optimization::WeightDecay;
/// let (theta, gradient, rate, lambda) = (8.0, 2.0, 0.5, 0.25);
/// assert_eq!(WeightDecay::Coupled.apply(theta, gradient, rate, lambda), (8.0, 4.0)); // g + λθ
/// assert_eq!(WeightDecay::Decoupled.apply(theta, gradient, rate, lambda), (7.0, 2.0)); // (1 − ηλ)θ
/// // A plain step from either is at 6.
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WeightDecay {
    /// g ← g + λθ: the gradient of the loss plus ½λ‖θ‖², an L2 penalty. PyTorch's `weight_decay` of SGD, Adam and RMSprop.
    #[default]
    Coupled,
    /// θ ← (1 − ηλ)θ before the step: the gradient does not know of it. AdamW's.
    Decoupled,
}

impl WeightDecay {
    /// θ and g as a step sees them.
    #[inline(always)]
    pub fn apply<T: Scalar>(self, theta: T, gradient: T, rate: f64, lambda: f64) -> (T, T) {
        match self {
            _ if lambda == 0.0 => (theta, gradient),
            WeightDecay::Coupled => (theta, gradient + T::of(lambda) * theta),
            WeightDecay::Decoupled => (T::of(1.0 - rate * lambda) * theta, gradient),
        }
    }
}
