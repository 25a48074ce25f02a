//! Figures of the chapter on activations.

use super::plot::{decimals, short};
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
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

/// The weight of every layer in the chain.
pub(super) const WEIGHT: &[Control] = &[Control::Slider(Slider {
    name: "weight",
    label: "weight of each layer",
    range: (0.25, 8.0),
    step: 0.25,
    scale: Scale::Linear,
    default: 1.0,
    unit: "",
})];

/// The product of derivatives through a chain of layers.
pub(super) fn saturation(inputs: &Inputs) -> Result<Figure> {
    const DEPTH: u32 = 20;
    let weight = inputs.number("weight")?;
    let chain = |f: &dyn Fn(f64) -> (f64, f64)| -> Vec<(f64, f64)> {
        let (mut x, mut product) = (0.5, 1.0f64);
        let mut points = vec![(0.0, 0.0)];
        for depth in 1..=DEPTH {
            let (value, derivative) = f(weight * x);
            product *= weight * derivative;
            x = value;
            points.push((f64::from(depth), product.log10()));
        }
        points
    };
    fn of(f: impl Activation) -> impl Fn(f64) -> (f64, f64) {
        move |x| (f.value(x), f.derivative(x))
    }
    let (sigmoid, tanh, relu) = (chain(&of(act::Sigmoid)), chain(&of(act::Tanh)), chain(&of(act::Relu)));
    let bound = (0..=DEPTH).map(|l| (f64::from(l), f64::from(l) * (0.25 * weight).log10())).collect();
    let left = |curve: &[(f64, f64)]| short(curve.last().map_or(f64::NAN, |p| 10f64.powf(p.1)));
    let status = format!(
        "Weight {weight}: after {DEPTH} layers the derivative is {} with the sigmoid (its bound is {}), {} with tanh, {} with \
         the ReLU.",
        left(&sigmoid),
        short((0.25 * weight).powf(f64::from(DEPTH))),
        left(&tanh),
        left(&relu),
    );
    let figure = Plot::new("layers", 0.0..f64::from(DEPTH), -13.0..2.0)
        .y_name("derivative of the chain")
        .log_y()
        .curve("sigmoid", sigmoid)
        .curve("tanh", tanh)
        .curve("ReLU", relu)
        .curve(&format!("{} a layer", 0.25 * weight), bound)
        .figure(
            "The logarithm of the derivative over the number of layers. With weights of 1 the sigmoid's is below 10 to the \
             -12 after twenty layers, tanh's near a tenth, the ReLU's still 1.",
            "What is left of a gradient after so many layers of one unit, starting at x = ½; beside it the bound for the \
             sigmoid, a quarter of the weight a layer. With weights of 1 an active ReLU passes everything.",
        )?;
    Ok(figure.status(status))
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

/// The temperature at which the probabilities are read off.
pub(super) const TEMPERATURE: &[Control] = &[Control::Slider(Slider {
    name: "tau",
    label: "temperature τ",
    range: (0.1, 100.0),
    step: 0.01,
    scale: Scale::Log,
    default: 1.0,
    unit: "",
})];

/// The probabilities of three scores over the temperature.
pub(super) fn softmax_temperature(inputs: &Inputs) -> Result<Figure> {
    let tau = inputs.number("tau")?;
    let scores = Tensor::from([1.0, 2.0, 4.0]);
    let here = scores.softmax_at(0, tau)?;
    let probability = |k: usize| here.get([k]).map(|p| decimals(p, 3));
    let status = format!(
        "τ = {}: the probabilities are {}, {} and {}. The best score is e^(2/τ) = {} times as likely as the second.",
        short(tau),
        probability(0)?,
        probability(1)?,
        probability(2)?,
        short(here.get([2])? / here.get([1])?),
    );
    // A temperature of 10^t is one that softmax takes; a NaN would show as a gap.
    let p =
        |t: f64, k: usize| scores.softmax_at(0, 10f64.powf(t)).and_then(|p| p.get([k])).unwrap_or(f64::NAN);
    let figure = Plot::new("temperature τ", -1.3..2.0, 0.0..1.0)
        .y_name("probability")
        .log_x()
        .line("score 4", |t| p(t, 2))
        .line("score 2", |t| p(t, 1))
        .line("score 1", |t| p(t, 0))
        .line("⅓", |_| 1.0 / 3.0)
        .curve(&format!("τ = {}", short(tau)), vec![(tau.log10(), 0.0), (tau.log10(), 1.0)])
        .figure(
            "At small temperatures the score 4 has probability 1; with rising temperature all three approach a third. An \
             upright line marks one temperature.",
            "Probabilities of the scores 1, 2 and 4. A cold softmax gives all to the largest score, a hot one the same to each; \
             the order stays. The numbers below the figure are those at the upright line.",
        )?;
    Ok(figure.status(status))
}
