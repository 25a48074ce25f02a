//! Figures of the chapter on backpropagation.

use super::plot::{GRID, INK, SIZE, decimals, marker};
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::{Context, Result, anyhow};
use gradus_activations::{Sigmoid, sigmoid, sigmoid_derivative};
use gradus_autograd::Var;
use gradus_tensor::Tensor;
use plotters::prelude::*;

const fn slider(name: &'static str, label: &'static str, default: f64) -> Control {
    Control::Slider(Slider {
        name,
        label,
        range: (-3.0, 3.0),
        step: 0.1,
        scale: Scale::Linear,
        default,
        unit: "",
    })
}

/// The inputs of the neuron.
pub(super) const NEURON: &[Control] = &[
    slider("w", "weight w", 1.0),
    slider("x", "input x", 2.0),
    slider("b", "bias b", -1.0),
    slider("t", "target t", 0.0),
];

/// A node of the drawn graph: its name, its value, its gradient if it has one, and where it stands.
struct Node {
    name: &'static str,
    value: f64,
    gradient: Option<f64>,
    at: (i32, i32),
}

/// From which node to which.
const EDGES: [(usize, usize); 7] = [(0, 3), (1, 3), (3, 4), (2, 4), (4, 5), (5, 7), (6, 7)];
/// Half the width and height of a node.
const HALF: (i32, i32) = (54, 44);

/// A neuron with its loss as a graph: values forward, gradients back.
pub(super) fn neuron(inputs: &Inputs) -> Result<Figure> {
    let leaf = |name| -> Result<Var<f64>> { Ok(Var::parameter(Tensor::scalar(inputs.number(name)?))) };
    let (w, x, b, t) = (leaf("w")?, leaf("x")?, leaf("b")?, leaf("t")?);
    let p = w.mul(&x)?;
    let z = p.add(&b)?;
    let y = Var::apply(gradus_activations::Pointwise(Sigmoid), [&z])?;
    let loss = y.sub(&t)?.powi(2)?.scale(0.5)?;
    let values = [&w, &x, &b, &p, &z, &y, &t, &loss].map(Var::item);
    let gradients = loss.backward()?;
    let of = |v: &Var<f64>| Ok::<_, anyhow::Error>(gradients.get(v).context("no gradient")?.item()?);
    let (dw, dx, db, dt) = (of(&w)?, of(&x)?, of(&b)?, of(&t)?);
    // Inside, the graph keeps no gradients: the chain rule gives them, and the leaves must agree.
    let (vz, vy) = (z.item()?, y.item()?);
    let (dy, dz) = (vy - t.item()?, (vy - t.item()?) * sigmoid_derivative(vz));
    anyhow::ensure!((dz - db).abs() < 1e-12 && (dy + dt).abs() < 1e-12, "the chain rule by hand disagrees");
    let names = ["w", "x", "b", "p = w·x", "z = p + b", "y = σ(z)", "t", "L"];
    let slopes = [Some(dw), Some(dx), Some(db), Some(dz), Some(dz), Some(dy), None, Some(1.0)];
    let places = [(62, 52), (62, 165), (62, 278), (186, 108), (310, 165), (434, 165), (434, 278), (558, 165)];
    let mut nodes = Vec::new();
    for (((name, value), gradient), at) in names.into_iter().zip(values).zip(slopes).zip(places) {
        nodes.push(Node { name, value: value?, gradient, at });
    }
    let d = |v: f64| decimals(v, 3);
    let status = format!(
        "Back from L: ȳ = y − t = {}; z̄ = ȳ·y(1 − y) = {}; p̄ = b̄ = z̄; w̄ = p̄·x = {}; x̄ = p̄·w = {}.",
        d(dy),
        d(dz),
        d(dw),
        d(dx)
    );
    let figure = graph(
        &nodes,
        "A graph from the weight, the input and the bias over their product and sum and the sigmoid to the loss. Each node shows \
         its value and below it the gradient of the loss.",
        "A neuron with the loss L = ½(y − t)². In each node: its name, its value, and below the line its gradient. Values are \
         computed from left to right, gradients from right to left.",
    )?;
    Ok(figure.status(status))
}

fn graph(nodes: &[Node], alt: &str, caption: &str) -> Result<Figure> {
    let mut svg = String::new();
    draw(nodes, &mut svg).map_err(|e| anyhow!("drawing: {e}"))?;
    for (number, colour) in [(0, "var(--plot-1)"), (1, "var(--plot-2)")] {
        let RGBColor(r, g, b) = marker(number);
        svg = svg.replace(&format!("\"#{r:02X}{g:02X}{b:02X}\""), &format!("\"{colour}\""));
    }
    let svg = svg.replace("\"#000101\"", "\"var(--fg)\"").replace("\"#000102\"", "\"var(--plot-grid)\"");
    let (alt, caption) = (alt.into(), caption.into());
    Ok(Figure { svg, alt, caption, status: String::new(), frame: [0; 4], x: (0.0, 1.0), y: (0.0, 1.0) })
}

fn draw<'a>(nodes: &[Node], svg: &'a mut String) -> Result<(), Box<dyn std::error::Error + 'a>> {
    use plotters::style::text_anchor::{HPos, Pos, VPos};
    let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    for (from, to) in EDGES {
        let (a, b) = (nodes[from].at, nodes[to].at);
        let (start, end) = ((a.0 + HALF.0, a.1), (b.0 - HALF.0, b.1));
        root.draw(&PathElement::new(vec![start, end], INK.stroke_width(2)))?;
        root.draw(&Circle::new(end, 4, INK.filled()))?;
    }
    for node in nodes {
        let (x, y) = node.at;
        let (left, right) = (x - HALF.0, x + HALF.0);
        root.draw(&Rectangle::new([(left, y - HALF.1), (right, y + HALF.1)], GRID.stroke_width(2)))?;
        root.draw(&PathElement::new(vec![(left + 4, y + 15), (right - 4, y + 15)], GRID.stroke_width(1)))?;
        let text = |text: String, dy: i32, colour: RGBColor| {
            let style =
                ("sans-serif", 16).into_font().color(&colour).pos(Pos::new(HPos::Center, VPos::Center));
            root.draw(&Text::new(text, (x, y + dy), style))
        };
        text(node.name.to_owned(), -28, INK)?;
        text(decimals(node.value, 3), -2, marker(0))?;
        text(node.gradient.map_or("–".into(), |g| decimals(g, 3)), 30, marker(1))?;
    }
    root.present()?;
    Ok(())
}

/// How far differences are from the derivative, over their step.
pub(super) fn difference_error() -> Result<Figure> {
    let at = 0.7f64;
    let exact = sigmoid_derivative(at);
    // The error is ragged where it is rounding: the largest of twenty neighbours.
    let worst = |difference: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        let error = |t: f64| (difference(10f64.powf(t)) / exact - 1.0).abs();
        (0..110)
            .map(|i| {
                let t = -11.0 + 0.1 * f64::from(i);
                let largest = (0..20).map(|k| error(t + 0.005 * f64::from(k))).fold(1e-17, f64::max);
                (t + 0.05, largest.log10())
            })
            .collect()
    };
    let f = |h: f64| sigmoid(at + h);
    let one_sided = |h: f64| (f(h) - f(0.0)) / h;
    let central = |h: f64| (f(h) - f(-h)) / (2.0 * h);
    let five = |h: f64| (f(-2.0 * h) - 8.0 * f(-h) + 8.0 * f(h) - f(2.0 * h)) / (12.0 * h);
    Plot::new("step h", -11.0..0.0, -15.0..0.5)
        .y_name("relative error")
        .log_x()
        .log_y()
        .curve("one-sided", worst(&one_sided))
        .curve("central", worst(&central))
        .curve("five points", worst(&five))
        .figure(
            "Three curves that fall from the right as the step shrinks, with slopes one, two and four, and then rise together to the \
             left as rounding takes over. The five-point curve is lowest, near a step of a thousandth.",
            "The error of three differences for σ′(0.7). From the right it falls with h, h² and h⁴; to the left all rise with u/h, \
             the rounding. Five points at 10⁻³ are good to about twelve digits, a one-sided difference never to more than eight.",
        )
}
