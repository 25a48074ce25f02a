#![doc = include_str!("../README.md")]
//!
//! # How to add a figure
//!
//! To add one: write a function that returns a [`Figure`] (a [`Plot`] needs about five lines; see `activations.rs`) and
//! name it in [`FIGURES`]. A chapter shows it with `{{#figure NAME}}`.
//!
//! To add a live figure, one with something to move: declare its controls beside the function, as data, and let the function
//! take [`Inputs`] (`inputs.number("delta")?`, `inputs.points("samples")?`); give the figure a [`Figure::status`], the few numbers
//! that a reader should watch; name it in [`LIVE`] instead. That is all. The page shows it as it is with the defaults, and
//! the book's server calls the same function again whenever something is moved. Axes must stay where they are, or points
//! would slip away from under a finger; captions should still be true at the ends of each range. A grid of cells is painted
//! (`inputs.cells("digit")?`). A button is for work that takes a second or more (`inputs.pressed("measure")?`): the server does it for one
//! page at a time.

#![forbid(unsafe_code)]

mod activations;
mod architectures;
mod attention;
mod backpropagation;
mod bars;
mod bias_variance;
mod cnn;
#[cfg(feature = "machine")]
mod complexity;
mod controls;
mod diffusion;
mod initialization;
mod inputs;
mod layers;
mod least_squares;
mod lenet;
mod live;
mod logistic_regression;
mod losses;
mod optimization;
mod pixels;
mod plot;
mod recurrence;
#[cfg(feature = "machine")]
mod speed;
mod statistics;
mod text;
mod training;

pub use controls::{Button, Control, Grid, Points, Scale, Slider, Touch};
pub use inputs::{InputError, Inputs, Moved};
pub use live::{Live, Reply, live, reply, takes_a_while};
pub use plot::{Figure, Plot};
pub use text::html;

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
    ("batch-noise", optimization::batch_noise),
    ("noise-floor", optimization::noise_floor),
    ("schedules", optimization::schedules),
    ("ridge-trade-off", bias_variance::ridge_trade_off),
    ("bootstrap-diabetes", bias_variance::bootstrap_diabetes),
    ("difference-error", backpropagation::difference_error),
    ("truncated-std", initialization::truncated_std),
    ("newton-and-descent", logistic_regression::newton_and_descent),
    ("softmax-regions", logistic_regression::softmax_regions),
    #[cfg(feature = "machine")]
    ("ladder", speed::ladder),
    #[cfg(feature = "machine")]
    ("page-faults", speed::page_faults),
    ("mnist-digits", training::mnist_digits),
    ("learning-curves", training::learning_curves),
    ("first-weights", training::first_weights),
    ("alexnet-drawn", architectures::alexnet),
    ("vgg-drawn", architectures::vgg),
    ("resnet-drawn", architectures::resnet),
    ("xception-drawn", architectures::xception),
    ("unet-drawn", architectures::unet),
    ("transformer-stacks", attention::stacks),
    ("complexity-path", attention::path),
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
    Live { name: "race", controls: optimization::RACE, draw: optimization::race },
    Live { name: "trade-off", controls: bias_variance::DEGREE, draw: bias_variance::trade_off },
    Live { name: "neuron-graph", controls: backpropagation::NEURON, draw: backpropagation::neuron },
    Live { name: "who-shares", controls: layers::GROUPS, draw: layers::who_shares },
    Live { name: "sliding-window", controls: cnn::FILTER, draw: cnn::sliding_window },
    Live { name: "window-calculator", controls: cnn::WINDOW, draw: cnn::window_calculator },
    Live { name: "running-statistics", controls: layers::MOMENTUM, draw: layers::running_statistics },
    Live {
        name: "signal-schemes",
        controls: initialization::ACTIVATION,
        draw: initialization::signal_schemes,
    },
    Live { name: "signal-scale", controls: initialization::SCALE, draw: initialization::signal_scale },
    Live {
        name: "likelihood-of-a-constant",
        controls: logistic_regression::ONES,
        draw: logistic_regression::likelihood_of_a_constant,
    },
    Live {
        name: "decision-boundary",
        controls: logistic_regression::WEIGHTS,
        draw: logistic_regression::decision_boundary,
    },
    Live { name: "separation", controls: logistic_regression::GAP, draw: logistic_regression::separation },
    #[cfg(feature = "machine")]
    Live { name: "roofline", controls: speed::MEASURE, draw: speed::roofline },
    Live { name: "train-digits", controls: training::DIGITS, draw: training::train_digits },
    Live { name: "train-mnist", controls: training::MNIST, draw: training::train_mnist },
    Live { name: "lenet-maps", controls: lenet::MAPS, draw: lenet::lenet_maps },
    Live { name: "lenet-draw", controls: lenet::DRAW, draw: lenet::lenet_draw },
    Live { name: "receptive-fields", controls: architectures::UNIT, draw: architectures::receptive_fields },
    Live {
        name: "separable-share",
        controls: architectures::SEPARABLE,
        draw: architectures::separable_share,
    },
    Live { name: "rnn-gradients", controls: recurrence::GAIN, draw: recurrence::rnn_gradients },
    Live { name: "lstm-gates", controls: recurrence::GATES, draw: recurrence::lstm_gates },
    Live { name: "forget-path", controls: recurrence::FORGET, draw: recurrence::forget_path },
    Live { name: "gradient-norms", controls: recurrence::BIAS, draw: recurrence::gradient_norms },
    Live { name: "attention-query", controls: attention::QUERY, draw: attention::query },
    Live { name: "attention-scale", controls: attention::SCALE, draw: attention::scale },
    Live { name: "positional-waves", controls: attention::PLACE, draw: attention::waves },
    Live { name: "complexity-table", controls: attention::TABLE, draw: attention::table },
    #[cfg(feature = "machine")]
    Live { name: "complexity-measured", controls: complexity::MEASURE, draw: complexity::measured },
    Live { name: "attention-maps", controls: attention::MAPS, draw: attention::maps },
    Live { name: "noise-digit", controls: diffusion::NOISE, draw: diffusion::noise_digit },
    Live { name: "noise-schedules", controls: diffusion::STEPS, draw: diffusion::noise_schedules },
    Live { name: "telescope", controls: diffusion::TWO, draw: diffusion::telescope },
    Live { name: "reverse-step", controls: diffusion::BACK, draw: diffusion::reverse_step },
    Live { name: "bound-terms", controls: diffusion::BOUND, draw: diffusion::bound_terms },
    Live { name: "simple-weights", controls: diffusion::STEPS, draw: diffusion::simple_weights },
    Live { name: "particles", controls: diffusion::WAY, draw: diffusion::particles },
    Live { name: "trained-points", controls: diffusion::TRAINED, draw: diffusion::trained_points },
    Live { name: "sampling", controls: attention::SAMPLING, draw: attention::sampling },
];

/// Live figures that need the images of MNIST, which are more than a page should fetch, or the machine to themselves.
const SERVED: &[&str] =
    &["train-mnist", "lenet-maps", "lenet-draw", "noise-digit", "roofline", "complexity-measured"];

/// The names of the live figures that a page can have without a server.
pub fn fetched() -> impl Iterator<Item = &'static str> {
    LIVE.iter().map(|live| live.name).filter(|name| !SERVED.contains(name))
}

/// The names of all figures.
pub fn names() -> impl Iterator<Item = &'static str> {
    FIGURES.iter().map(|(name, _)| *name).chain(LIVE.iter().map(|live| live.name))
}

/// A figure as HTML on one line; some train a network for it.
///
/// # Errors
/// If there is no such figure, or it can't be drawn.
pub fn draw(name: &str) -> Result<String> {
    if let Some(live) = LIVE.iter().find(|live| live.name == name) {
        live.html()
    } else if let Some((known, draw)) = FIGURES.iter().find(|(known, _)| *known == name) {
        Ok(draw()?.html(known))
    } else {
        bail!("no figure is called `{name}`; there are: {}", names().collect::<Vec<_>>().join(", "))
    }
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
