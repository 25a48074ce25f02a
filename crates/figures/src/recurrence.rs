//! Figures of the chapters on recurrence and the LSTM.

use super::plot::{decimals, short};
use super::{Control, Figure, Inputs, Plot};
use anyhow::Result;
use gradus_activations::sigmoid;
use gradus_autograd::{Layer, Mode, Var};
use gradus_initialization::{Fans, Init};
use gradus_lstm::{
    CellState, Gate, GateOrder, GateWeights, Lstm, LstmShape, Rnn, cell_path, cell_update, gradient_flow,
    hidden_state, rnn_jacobian,
};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;

const TIME: usize = 60;
const UNITS: usize = 16;
const INPUTS: usize = 4;

fn normal(dims: &[usize], seed: u64) -> Result<Tensor<f64>> {
    Ok(Tensor::random(dims, &StandardNormal, &mut ChaCha8Rng::seed_from_u64(seed))?)
}

/// The size of the recurrent weights.
pub(super) const GAIN: &[Control] = &[Control::slider("gain", "gain of U", (0.5, 2.0), 0.05, 1.3)];

/// The gradient of a plain recurrence over the steps that it goes back.
pub(super) fn rnn_gradients(inputs: &Inputs) -> Result<Figure> {
    let gain = inputs.number("gain")?;
    let fans = Fans::dense(UNITS, UNITS);
    let u = Init::orthogonal()
        .tensor::<f64>([UNITS, UNITS], fans, &mut ChaCha8Rng::seed_from_u64(1))?
        .scale(gain);
    let w = normal(&[INPUTS, UNITS], 2)?;
    let (x, b) = (normal(&[1, TIME, INPUTS], 3)?, Tensor::zeros([UNITS])?);
    let curve = |size: f64| -> Result<Vec<(f64, f64)>> {
        let weights = GateWeights::new(w.scale(size), u.clone(), b.clone())?;
        let outputs =
            Rnn { weights }.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value().select(0, 0)?;
        (0..=TIME)
            .map(|back| {
                let jacobian = rnn_jacobian(&outputs.slice(0, TIME - back..TIME)?, &u)?;
                let norm = (jacobian.powi(2).sum() / UNITS as f64).sqrt();
                Ok((back as f64, norm.log10()))
            })
            .collect()
    };
    let (small, large) = (curve(0.1)?, curve(1.0)?);
    let last = |curve: &[(f64, f64)]| short(10f64.powf(curve[TIME].1));
    let status = format!(
        "gain {}: {TIME} steps back a gradient has {} of its size with small inputs, {} with large ones; around h = 0 it would be {}.",
        short(gain),
        last(&small),
        last(&large),
        short(gain.powi(TIME as i32))
    );
    let figure = Plot::new("steps back", 0.0..TIME as f64, -20.0..20.0)
        .y_name("size of the gradient")
        .log_y()
        .line("gainᵀ", |t| t * gain.log10())
        .curve("small inputs", small)
        .curve("large inputs", large)
        .figure(
            "On a logarithmic axis a straight line, the power of the gain, and two measured curves; that of large inputs falls away the fastest.",
            "How large the gradient of a plain recurrence of 16 units still is (‖∂h_T/∂h_t‖ over √H), by the steps it has gone back; U is orthogonal \
             times the gain. Around h = 0 it is a power of the gain. Where outputs are large tanh is flat, and every step takes a part away.",
        )?;
    Ok(figure.status(status))
}

/// The sums that the gates squash, and the cell at first.
pub(super) const GATES: &[Control] = &[
    Control::slider("forget", "sum of the forget gate", (-6.0, 6.0), 0.25, 2.0),
    Control::slider("input", "sum of the input gate", (-6.0, 6.0), 0.25, 0.0),
    Control::slider("candidate", "sum of the candidate", (-3.0, 3.0), 0.25, 1.0),
    Control::slider("output", "sum of the output gate", (-6.0, 6.0), 0.25, 0.0),
    Control::slider("before", "cell at the beginning", (-5.0, 5.0), 0.25, -4.0),
];

/// A cell through time, with gates that stay as they are.
pub(super) fn lstm_gates(inputs: &Inputs) -> Result<Figure> {
    const STEPS: usize = 20;
    let number = |name| inputs.number(name);
    let (f, i, o) = (sigmoid(number("forget")?), sigmoid(number("input")?), sigmoid(number("output")?));
    let g = number("candidate")?.tanh();
    let mut c = number("before")?;
    let (mut cells, mut outputs) = (vec![(0.0, c)], Vec::new());
    for t in 1..=STEPS {
        c = cell_update(f, c, i, g);
        cells.push((t as f64, c));
        outputs.push((t as f64, hidden_state(o, c)));
    }
    let limit = i * g / (1.0 - f);
    let status = format!(
        "f = {}, i = {}, g = {}, o = {}: every step keeps {} % of the cell and adds {}. It tends to i·g/(1 − f) = {}, and shows {} of tanh C: h = {} \
         after {STEPS} steps.",
        decimals(f, 3),
        decimals(i, 3),
        decimals(g, 3),
        decimals(o, 3),
        decimals(100.0 * f, 1),
        decimals(i * g, 3),
        decimals(limit, 2),
        decimals(o, 3),
        decimals(hidden_state(o, c), 3),
    );
    let figure = Plot::new("step", 0.0..STEPS as f64, -8.0..8.0)
        .curve("cell C", cells)
        .curve("output h", outputs)
        .line("where C tends to", |_| limit)
        .figure(
            "The cell moves from its first value towards a level line, ever more slowly; the output stays within minus one and one.",
            "One unit through twenty steps, with the four sums held where the sliders are. The forget gate sets how fast the old cell goes, input gate and \
             candidate where it goes, the output gate how much of tanh C is shown.",
        )?;
    Ok(figure.status(status))
}

/// The forget gate's sum.
pub(super) const FORGET: &[Control] =
    &[Control::slider("sum", "sum of the forget gate", (-2.0, 8.0), 0.25, 1.0)];

/// What is left of a gradient along the cell.
pub(super) fn forget_path(inputs: &Inputs) -> Result<Figure> {
    const STEPS: usize = 200;
    let f = sigmoid(inputs.number("sum")?);
    let curve = |f: f64| -> Result<Vec<(f64, f64)>> {
        let path = cell_path(&Tensor::full([STEPS, 1], f)?)?;
        Ok((0..=STEPS).map(|back| (back as f64, path.as_slice()[STEPS - back].log10())).collect())
    };
    let own = curve(f)?;
    let status = format!(
        "f = {}: a gradient is halved every {} steps; after 100 steps {} of it is left.",
        decimals(f, 4),
        short(0.5f64.ln() / f.ln()),
        short(10f64.powf(own[100].1))
    );
    let figure = Plot::new("steps back", 0.0..STEPS as f64, -12.0..0.0)
        .y_name("what is left")
        .log_y()
        .curve("f = σ(sum)", own)
        .curve("f = 0.9", curve(0.9)?)
        .curve("f = 0.99", curve(0.99)?)
        .figure(
            "On a logarithmic axis three falling lines; the nearer the gate is to one, the flatter.",
            "The product of forget gates, ∂C_T/∂C_t along the cell, where every gate has the same value. It is a straight line on this axis whatever the gate, \
             and level only at f = 1, which no gate is.",
        )?;
    Ok(figure.status(status))
}

/// The bias of a fresh forget gate.
pub(super) const BIAS: &[Control] =
    &[Control::slider("bias", "bias of the forget gate", (-2.0, 6.0), 0.25, 1.0)];

/// The gradient of a fresh LSTM along its cell, and by all paths.
pub(super) fn gradient_norms(inputs: &Inputs) -> Result<Figure> {
    let bias = inputs.number("bias")?;
    let lstm = Lstm::<f64>::new(LstmShape::new(INPUTS, UNITS), &mut ChaCha8Rng::seed_from_u64(1))?;
    let weights = &lstm.layers()[0];
    let mut b = weights.bias.value();
    let first = GateOrder::PYTORCH.place(Gate::Forget) * UNITS;
    b.as_mut_slice()[first..first + UNITS].fill(bias);
    let zero = Var::constant(Tensor::zeros([1, UNITS])?);
    let state = CellState { h: zero.clone(), c: zero };
    let x = normal(&[TIME, INPUTS], 3)?;
    let flow = gradient_flow(&x, [&weights.input.value(), &weights.recurrent.value(), &b], &state)?;
    let curve = |norms: &[f64]| -> Vec<(f64, f64)> {
        norms.iter().rev().enumerate().map(|(back, norm)| (back as f64, norm.log10())).collect()
    };
    let apart = (flow.total.iter().zip(&flow.path)).map(|(t, p)| t / p).fold(0.0, f64::max);
    let status = format!(
        "bias {}: {TIME} steps back {} is left along the cell, {} by all paths; they differ by a factor of up to {}.",
        decimals(bias, 2),
        short(flow.path[0]),
        short(flow.total[0]),
        short(apart)
    );
    let figure = Plot::new("steps back", 0.0..TIME as f64, -20.0..1.0)
        .y_name("size of the gradient")
        .log_y()
        .curve("along the cell", curve(&flow.path))
        .curve("by all paths", curve(&flow.total))
        .figure(
            "On a logarithmic axis the curve along the cell falls in a nearly straight line; the one by all paths falls more slowly, and with a large bias rises. \
             With a larger bias both are flatter.",
            "How large ∂C_T/∂C_t still is (its Frobenius norm over √H) in a fresh LSTM of 16 units that reads noise: along the cell, which is the product \
             of the forget gates, and by all paths, through the outputs too.",
        )?;
    Ok(figure.status(status))
}
