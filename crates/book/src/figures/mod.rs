//! Figures, computed by the crates' own functions when the book is built.
//!
//! To add one: write a function that returns a [`Figure`] (a [`Plot`] needs about five lines; see `activations.rs`) and
//! name it in [`FIGURES`]. A chapter shows it with `{{#figure NAME}}`.
//!
//! To add a live figure, one with something to move: declare its controls beside the function, as data, and let the function
//! take [`Inputs`] (`inputs.number("delta")?`, `inputs.points("samples")?`); give the figure a [`Figure::status`], the few numbers
//! that a reader should watch; name it in [`LIVE`] instead. That is all. The page shows it as it is with the defaults, and
//! the book's server calls the same function again whenever something is moved. Axes must stay where they are, or points
//! would slip away from under a finger; captions should still be true at the ends of each range. A button is for work that takes a
//! second or more (`inputs.pressed("measure")?`): the server does it for one page at a time.

mod activations;
mod bars;
mod controls;
mod initialization;
mod least_squares;
mod live;
mod losses;
mod plot;
mod speed;
mod statistics;

pub use controls::{Button, Control, InputError, Inputs, Moved, Points, Scale, Slider};
pub use live::{Live, Reply, reply, takes_a_while};
pub use plot::{Figure, Plot};

use anyhow::{Result, bail};

/// A function that draws.
pub type Draw = fn() -> Result<Figure>;

/// Every figure that stands still, by the name that chapters use.
pub const FIGURES: &[(&str, Draw)] = &[
    ("ridge-path", least_squares::ridge_path),
    ("descent", least_squares::descent),
    ("hundred-intervals", statistics::hundred_intervals),
    ("student-density", statistics::student_density),
    ("bands", statistics::bands),
    ("noise-explains", statistics::noise_explains),
    ("influence", statistics::influence),
    ("sigmoid", activations::sigmoid),
    ("sigmoid-forms", activations::sigmoid_forms),
    ("tanh-near-zero", activations::tanh_near_zero),
    ("relu-family", activations::relu_family),
    ("smooth-relus", activations::smooth_relus),
    ("derivatives", activations::derivatives),
    ("bce-curves", losses::bce_curves),
    ("bce-naive", losses::bce_naive),
    ("hinge-vs-ce", losses::hinge_vs_ce),
    ("focal", losses::focal),
    ("truncated-std", initialization::truncated_std),
    ("ladder", speed::ladder),
    ("page-faults", speed::page_faults),
];

/// Every figure that can be moved.
pub const LIVE: &[Live] = &[
    Live { name: "projection-line", controls: least_squares::SAMPLES, draw: least_squares::projection_line },
    Live { name: "digits-lost", controls: least_squares::RESIDUAL, draw: least_squares::digits_lost },
    Live { name: "saturation", controls: activations::WEIGHT, draw: activations::saturation },
    Live {
        name: "softmax-temperature",
        controls: activations::TEMPERATURE,
        draw: activations::softmax_temperature,
    },
    Live { name: "regression-losses", controls: losses::DELTA, draw: losses::regression_losses },
    Live { name: "regression-slopes", controls: losses::DELTA, draw: losses::regression_slopes },
    Live {
        name: "signal-schemes",
        controls: initialization::ACTIVATION,
        draw: initialization::signal_schemes,
    },
    Live { name: "signal-scale", controls: initialization::SCALE, draw: initialization::signal_scale },
    Live { name: "roofline", controls: speed::MEASURE, draw: speed::roofline },
];

/// The names of all figures.
fn names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|(name, _)| *name).chain(LIVE.iter().map(|live| live.name))
}

/// A figure as HTML on one line.
///
/// # Errors
/// If there is no such figure, or it can't be drawn.
pub fn draw(name: &str) -> Result<String> {
    if let Some(live) = LIVE.iter().find(|live| live.name == name) {
        return live.html();
    }
    let Some((_, draw)) = FIGURES.iter().find(|(known, _)| *known == name) else {
        bail!("no figure is called `{name}`; there are: {}", names().collect::<Vec<_>>().join(", "));
    };
    Ok(draw()?.html(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_is_one_line_of_html_with_text_for_those_who_cannot_see_it() {
        for name in names() {
            let html = draw(name).unwrap();
            assert!(!html.contains('\n'), "{name}");
            assert!(html.contains("role=\"img\" aria-label=\"") && html.contains("<figcaption>"), "{name}");
            assert!(!html.contains("NaN") && !html.contains("#0001"), "{name}: a marker colour is left");
        }
    }

    #[test]
    fn no_two_figures_have_one_name() {
        let mut all: Vec<_> = names().collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), names().count());
    }

    #[test]
    fn an_unknown_figure_is_an_error_that_lists_the_known() {
        assert!(draw("sigmold").unwrap_err().to_string().contains("sigmoid"));
    }
}
