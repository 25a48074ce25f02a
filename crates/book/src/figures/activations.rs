//! Figures of the chapter on activations.

use super::{Figure, Plot};
use anyhow::Result;
use gradus_activations::{self as act, Activation, Activations};
use gradus_tensor::Tensor;

/// The sigmoid with its derivative.
pub(super) fn sigmoid() -> Result<Figure> {
    Plot::new("x", -8.0..8.0, 0.0..1.0)
        .line("σ(x)", act::sigmoid)
        .derivative("σ′(x)", act::sigmoid_derivative)
        .figure(
            "The logistic sigmoid: it rises from 0 to 1 and is ½ at 0; its derivative is a bell with the top ¼ at 0.",
            "The logistic sigmoid and, dashed, its derivative. Beyond ±6 the curve is almost flat: a unit there learns slowly.",
        )
}

/// The printed form of the sigmoid against the one with two branches, where the printed one ends.
pub(super) fn sigmoid_forms() -> Result<Figure> {
    Plot::new("x", -745.0..-700.0, -324.0..-303.0)
        .y_name("value")
        .log_y()
        .line("sigmoid(x)", |x| act::sigmoid(x).log10())
        .line("as printed, 1 / (1 + e⁻ˣ)", |x: f64| (1.0 / (1.0 + (-x).exp())).log10())
        .figure(
            "The two forms agree from -700 down to -709.78, where the printed one ends; the other goes on down to -745.",
            "Left of −709.78 the printed form is exactly 0, and cannot be drawn on this scale. The form with two branches \
             goes on to the smallest number that f64 has; the steps at the far left are its last binary digits.",
        )
}

/// The product of derivatives through a chain of activations.
pub(super) fn saturation() -> Result<Figure> {
    fn chain(f: impl Activation) -> Vec<(f64, f64)> {
        let (mut x, mut product) = (0.5, 1.0f64);
        let mut points = vec![(0.0, 0.0)];
        for depth in 1..=20 {
            product *= f.derivative(x);
            x = f.value(x);
            points.push((f64::from(depth), product.log10()));
        }
        points
    }
    let bound = (0..=20).map(|depth| (f64::from(depth), f64::from(depth) * 0.25f64.log10())).collect();
    Plot::new("layers", 0.0..20.0, -13.0..0.5)
        .y_name("derivative of the chain")
        .log_y()
        .curve("sigmoid", chain(act::Sigmoid))
        .curve("tanh", chain(act::Tanh))
        .curve("ReLU", chain(act::Relu))
        .curve("¼ a layer", bound)
        .figure(
            "After twenty layers the sigmoid's derivative is below 10 to the -12, tanh's near a tenth, the ReLU's still 1.",
            "What is left of a gradient after so many activations, the weights all 1, starting at x = ½; beside it the bound \
             of ¼ a layer for the sigmoid. An active ReLU passes everything.",
        )
}

/// How many digits the printed forms of tanh lose near 0.
pub(super) fn tanh_near_zero() -> Result<Figure> {
    let quotient = |x: f64| (x.exp() - (-x).exp()) / (x.exp() + (-x).exp());
    let by_sigmoid = |x: f64| 2.0 * act::sigmoid(2.0 * x) - 1.0;
    // The error is ragged: the largest of twenty neighbours.
    let worst = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        let error = |t: f64| {
            let x = 10f64.powf(t);
            (f(x) / act::tanh(x) - 1.0).abs()
        };
        (0..100)
            .map(|i| {
                let t = -20.0 + 0.2 * f64::from(i);
                let largest = (0..20).map(|k| error(t + 0.01 * f64::from(k))).fold(1e-17, f64::max);
                (t + 0.1, largest.log10())
            })
            .collect()
    };
    Plot::new("x", -20.0..0.0, -17.0..0.5)
        .y_name("relative error")
        .log_x()
        .log_y()
        .curve("quotient", worst(&quotient))
        .curve("2σ(2x) − 1", worst(&by_sigmoid))
        .line("2.2·10⁻¹⁶ / x", |t| (f64::EPSILON / 10f64.powf(t)).log10())
        .figure(
            "Both errors grow as one over x towards 0 and reach 1 at ten to the -16.",
            "The closer to 0, the fewer digits survive the subtraction. Below about 10⁻¹⁶ nothing is left: the error is 1. \
             Both formulas are exact on paper; the function of the standard library has no such loss.",
        )
}

/// ReLU and its relatives with a kink, the misprint among them.
pub(super) fn relu_family() -> Result<Figure> {
    Plot::new("x", -3.0..3.0, -2.0..6.0)
        .break_at(0.0)
        .line("ReLU", act::relu)
        .line("leaky, a = 0.1", |x| act::leaky_relu(x, act::LEAKY_SLOPE_NOTES))
        .line("PReLU, a = 2", |x| act::prelu(x, 2.0))
        .line("printed: max(2x, x)", |x: f64| (2.0 * x).max(x))
        .line("ELU, α = 1", |x| act::elu(x, 1.0))
        .figure(
            "All agree with the diagonal for positive x but the printed form, which is twice as steep there.",
            "The ReLU and its relatives. For a = 2 the form that the notes print has changed its two sides: it is 2x on the \
             right and x on the left.",
        )
}

/// The smooth relatives of the ReLU.
pub(super) fn smooth_relus() -> Result<Figure> {
    Plot::new("x", -5.0..3.0, -0.5..3.2)
        .line("softplus", act::softplus)
        .line("SiLU", act::silu)
        .line("GELU", act::gelu)
        .line("Mish", act::mish)
        .line("ReLU", act::relu)
        .figure(
            "Softplus lies above the ReLU; SiLU, GELU and Mish dip below zero left of 0 and come back.",
            "Smooth relatives of the ReLU. Softplus stays above it; the other three dip below zero, at −1.28, −0.75 and −1.19 \
             at their lowest, and come back.",
        )
}

/// Their derivatives.
pub(super) fn derivatives() -> Result<Figure> {
    Plot::new("x", -5.0..5.0, -0.2..1.2)
        .break_at(0.0)
        .line("softplus′", act::softplus_derivative)
        .line("SiLU′", act::silu_derivative)
        .line("GELU′", act::gelu_derivative)
        .line("Mish′", act::mish_derivative)
        .line("ReLU′", act::relu_derivative)
        .figure(
            "The ReLU's derivative is a step; the others rise smoothly from 0 to 1, three of them above 1 in between.",
            "Their derivatives. The ReLU's is a step; softplus has the sigmoid. The other three overshoot 1, by 10, 13 and 9 \
             per cent.",
        )
}

/// The probabilities of three scores over the temperature.
pub(super) fn softmax_temperature() -> Result<Figure> {
    let scores = Tensor::from([1.0, 2.0, 4.0]);
    // A temperature of 10^t is one that softmax takes; a NaN would show as a gap.
    let p =
        |t: f64, k: usize| scores.softmax_at(0, 10f64.powf(t)).and_then(|p| p.get([k])).unwrap_or(f64::NAN);
    Plot::new("temperature τ", -1.3..2.0, 0.0..1.0)
        .y_name("probability")
        .log_x()
        .line("score 4", |t| p(t, 2))
        .line("score 2", |t| p(t, 1))
        .line("score 1", |t| p(t, 0))
        .line("⅓", |_| 1.0 / 3.0)
        .figure(
            "At small temperatures the score 4 has probability 1; with rising temperature all three approach a third.",
            "Probabilities of the scores 1, 2 and 4. A cold softmax gives all to the largest score, a hot one the same to each; \
             the order stays.",
        )
}
