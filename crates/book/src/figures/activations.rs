//! Figures of the chapter on activations.

use super::{Figure, Plot};
use anyhow::Result;
use gradus_activations as act;

/// The sigmoid with its derivative.
pub(super) fn sigmoid() -> Result<Figure> {
    Plot::new("x", -8.0..8.0, 0.0..1.0)
        .line("σ(x)", act::sigmoid)
        .derivative("σ′(x)", |x| act::sigmoid(x) * act::sigmoid(-x))
        .figure(
            "The logistic sigmoid: it rises from 0 to 1 and is ½ at 0; its derivative is a bell with the top ¼ at 0.",
            "The logistic sigmoid and, dashed, its derivative. Beyond ±6 the curve is almost flat: a unit there learns slowly.",
        )
}
