//! Figures, computed by the crates' own functions when the book is built.
//!
//! To add one: write a function that returns a [`Figure`] (a [`Plot`] needs about five lines; see `activations.rs`) and
//! name it in [`FIGURES`]. A chapter shows it with `{{#figure NAME}}`.

mod activations;
mod least_squares;
mod losses;
mod plot;
mod statistics;

pub use plot::{Figure, Plot};

use anyhow::{Result, bail};

/// A function that draws.
pub type Draw = fn() -> Result<Figure>;

/// Every figure, by the name that chapters use.
pub const FIGURES: &[(&str, Draw)] = &[
    ("projection-line", least_squares::projection_line),
    ("digits-lost", least_squares::digits_lost),
    ("ridge-path", least_squares::ridge_path),
    ("descent", least_squares::descent),
    ("hundred-intervals", statistics::hundred_intervals),
    ("student-density", statistics::student_density),
    ("bands", statistics::bands),
    ("noise-explains", statistics::noise_explains),
    ("influence", statistics::influence),
    ("sigmoid", activations::sigmoid),
    ("sigmoid-forms", activations::sigmoid_forms),
    ("saturation", activations::saturation),
    ("tanh-near-zero", activations::tanh_near_zero),
    ("relu-family", activations::relu_family),
    ("smooth-relus", activations::smooth_relus),
    ("derivatives", activations::derivatives),
    ("softmax-temperature", activations::softmax_temperature),
    ("regression-losses", losses::regression_losses),
    ("regression-slopes", losses::regression_slopes),
    ("bce-curves", losses::bce_curves),
    ("bce-naive", losses::bce_naive),
    ("hinge-vs-ce", losses::hinge_vs_ce),
    ("focal", losses::focal),
];

/// A figure as HTML on one line.
///
/// # Errors
/// If there is no such figure, or it can't be drawn.
pub fn draw(name: &str) -> Result<String> {
    let Some((_, draw)) = FIGURES.iter().find(|(known, _)| *known == name) else {
        let known: Vec<_> = FIGURES.iter().map(|(known, _)| *known).collect();
        bail!("no figure is called `{name}`; there are: {}", known.join(", "));
    };
    Ok(draw()?.html(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_one_line_of_html_with_text_for_those_who_cannot_see_it() {
        for (name, _) in FIGURES {
            let html = draw(name).unwrap();
            assert!(!html.contains('\n'), "{name}");
            assert!(html.contains("role=\"img\" aria-label=\"") && html.contains("<figcaption>"), "{name}");
            assert!(!html.contains("NaN") && !html.contains("#0001"), "{name}: a marker colour is left");
        }
    }

    #[test]
    fn an_unknown_figure_is_an_error_that_lists_the_known() {
        assert!(draw("sigmold").unwrap_err().to_string().contains("sigmoid"));
    }
}
