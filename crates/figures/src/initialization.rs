//! Figures of the chapter on initialization.

use super::plot::short;
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_activations::{self as act, Activation};
use gradus_initialization::{FanMode, Init, Spread, signal, truncated_variance};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const DEPTH: u32 = 50;
const WIDTH: usize = 64;
const SAMPLES: usize = 32;

/// The decimal logarithms of the second moment behind each layer, up to where they leave the plot; and the last.
fn through(init: Init, activation: &dyn Fn(f64) -> (f64, f64), low: f64, high: f64) -> Result<Curve> {
    let widths = [WIDTH; DEPTH as usize + 1];
    let signal = signal(init, &widths, SAMPLES, activation, &mut ChaCha8Rng::seed_from_u64(2026))?;
    let logs: Vec<f64> = signal.forward.iter().map(|m| m.log10()).collect();
    let last = signal.forward.last().copied().unwrap_or(f64::NAN);
    let points = (0..=DEPTH).map(f64::from).zip(logs);
    Ok(Curve { points: points.take_while(|(_, y)| (low..=high).contains(y)).collect(), last })
}

struct Curve {
    points: Vec<(f64, f64)>,
    last: f64,
}

fn of(f: impl Activation) -> impl Fn(f64) -> (f64, f64) {
    move |x| (f.value(x), f.derivative(x))
}

/// The activations that a slider goes through.
const NAMES: [&str; 6] = ["none", "ReLU", "tanh", "sigmoid", "GELU", "SELU"];

fn activation(number: f64) -> (&'static str, Box<dyn Fn(f64) -> (f64, f64)>) {
    match number as u32 {
        1 => (NAMES[0], Box::new(|x| (x, 1.0))),
        2 => (NAMES[1], Box::new(of(act::Relu))),
        3 => (NAMES[2], Box::new(of(act::Tanh))),
        4 => (NAMES[3], Box::new(of(act::Sigmoid))),
        5 => (NAMES[4], Box::new(of(act::Gelu))),
        _ => (NAMES[5], Box::new(of(act::Selu))),
    }
}

/// Which activation.
pub(super) const ACTIVATION: &[Control] = &[Control::Slider(Slider {
    name: "activation",
    label: "activation: 1 none, 2 ReLU, 3 tanh, 4 sigmoid, 5 GELU, 6 SELU",
    range: (1.0, 6.0),
    step: 1.0,
    scale: Scale::Linear,
    default: 2.0,
    unit: "",
})];

/// Each scheme's signal through fifty layers, for an activation.
pub(super) fn signal_schemes(inputs: &Inputs) -> Result<Figure> {
    let (name, f) = activation(inputs.number("activation")?);
    let (low, high) = (-32.0, 4.0);
    let orthogonal = Init::orthogonal();
    let schemes = [
        ("σ = 1/n (misprint)", Init::normal(1.0 / WIDTH as f64)),
        ("U(−1/√n, 1/√n)", Init::fan_in_uniform()),
        ("1/n: LeCun, Xavier", Init::lecun_normal()),
        ("orthogonal", orthogonal),
        ("2/n: He", Init::he_normal()),
    ];
    let mut plot = Plot::new("layers", 0.0..f64::from(DEPTH), low..high).y_name("second moment").log_y();
    let mut last = Vec::new();
    for (scheme, init) in schemes {
        let curve = through(init, &f, low, high)?;
        last.push(format!("{scheme}: {}", short(curve.last)));
        plot = plot.curve(scheme, curve.points);
    }
    let status =
        format!("Activation: {name}. Behind {DEPTH} layers the second moment is, with {}.", last.join("; "));
    let figure = plot.figure(
        "The logarithm of the second moment over the number of layers, a line a scheme. With ReLUs only He's stays level; 1/n falls by half a layer.",
        "The second moment of the signal through fifty layers of 64 units, measured, as each scheme begins. All layers are as wide, so that Xavier’s \
         variance is LeCun’s. A line that leaves the plot ends there.",
    )?;
    Ok(figure.status(status))
}

/// How large the weights are.
pub(super) const SCALE: &[Control] = &[Control::Slider(Slider {
    name: "scale",
    label: "n · Var(w)",
    range: (0.25, 4.0),
    step: 0.05,
    scale: Scale::Linear,
    default: 2.0,
    unit: "",
})];

/// Each activation's signal through fifty layers, for a variance of the weights.
pub(super) fn signal_scale(inputs: &Inputs) -> Result<Figure> {
    let scale = inputs.number("scale")?;
    let (low, high) = (-20.0, 20.0);
    let init = Init::Scaled { gain: scale.sqrt(), mode: FanMode::In, spread: Spread::Normal };
    let mut plot = Plot::new("layers", 0.0..f64::from(DEPTH), low..high).y_name("second moment").log_y();
    let mut last = Vec::new();
    for number in [1.0, 2.0, 3.0, 5.0, 6.0] {
        let (name, f) = activation(number);
        let curve = through(init, &f, low, high)?;
        last.push(format!("{name} {}", short(curve.last)));
        plot = plot.curve(name, curve.points);
    }
    let status = format!("n·Var(w) = {}: behind {DEPTH} layers {}.", short(scale), last.join(", "));
    let figure = plot.figure(
        "The logarithm of the second moment over the number of layers, a line an activation. Straight lines rise or fall for no activation and for the ReLU; tanh and SELU level off.",
        "The same network for weights of any size. Without an activation the balance is at 1, for the ReLU at 2. What saturates, tanh, cannot explode \
         in value.",
    )?;
    Ok(figure.status(status))
}

/// What is left of the standard deviation of a normal that is cut.
pub(super) fn truncated_std() -> Result<Figure> {
    Plot::new("cut at ± this many deviations", 0.05..4.0, 0.0..1.05)
        .y_name("deviation that is left")
        .line("truncated normal", |c| truncated_variance(c).sqrt())
        .line("uniform, c/√3", |c| c / 3f64.sqrt())
        .points("the usual cut", vec![(2.0, truncated_variance(2.0).sqrt(), "0.8796".into())])
        .figure(
            "The curve starts along the straight line of the uniform distribution and bends to 1; at 2 it is 0.8796.",
            "What truncation leaves of a normal’s standard deviation. Cut close, nothing but a uniform distribution is left; at two deviations, where \
             everybody cuts, an eighth is missing.",
        )
}
