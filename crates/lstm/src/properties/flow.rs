//! What arrives of a gradient many steps earlier.

use super::{holds, inputs, normal, sizes};
use crate::{CellState, Gate, GateOrder, Lstm, LstmShape, LstmWeights, Recurrence, cell_path, gradient_flow};
use gradus_autograd::{Op, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};

const ID: &[&str] = &["lstm-no-vanishing"];

pub(super) fn properties() -> Vec<Property> {
    vec![
        sizes("lstm-no-vanishing.path", ID, "without recurrent weights the cell path is all there is: ∂C_T/∂C₀ = ∏ diag(fₜ)")
            .within("rounding", 1e-13)
            .check(|case| {
                let [x, h, c, w, u, b] = one(case)?;
                let state = CellState { h: Var::constant(h), c: Var::constant(c) };
                let flow = gradient_flow(&x.select(0, 0)?, [&w, &u.zeros_like(), &b], &state)?;
                Ok(flow.path.iter().zip(&flow.total).map(|(p, t)| (p - t).abs()).fold(0.0, f64::max))
            }),
        sizes("lstm-no-vanishing.total", ID, "the total derivative from any step on, by all paths, is that of five-point differences")
            .draw(Draw::seed("step"))
            .within("five-point differences", 1e-8)
            .check(|case| {
                let all = one(case)?;
                let [x, h, c, w, u, b] = all.each_ref();
                let (t, k) = (x.dims()[1], c.dims()[1]);
                let state = CellState { h: Var::constant(h.clone()), c: Var::constant(c.clone()) };
                let flow = gradient_flow(&x.select(0, 0)?, [w, u, b], &state)?;
                let op = Recurrence { states: true, ..Recurrence::default() };
                // The state before some step, and from there on.
                let from = (case.seed("step") % t as u64) as usize;
                case.classify(from == 0, "from the first step on");
                let before = op.eval([&x.slice(1, 0..from)?, h, c, w, u, b])?;
                let (h, c, rest) = (before.select(1, from)?, before.select(1, from + 1)?, x.slice(1, from..t)?);
                let last = |unit: usize, step: f64| {
                    let mut c = c.clone();
                    c.as_mut_slice()[unit] += step;
                    op.eval([&rest, &h, &c, w, u, b])?.select(1, t - from + 1)
                };
                let mut square = 0.0;
                for unit in 0..k {
                    let s = 1e-3;
                    let near = last(unit, s)?.sub(&last(unit, -s)?)?;
                    let far = last(unit, 2.0 * s)?.sub(&last(unit, -2.0 * s)?)?;
                    let slope = near.scale(8.0).sub(&far)?.scale(1.0 / (12.0 * s));
                    square += slope.powi(2).sum();
                }
                Ok((flow.total[from] - (square / k as f64).sqrt()).abs())
            }),
        sizes("lstm-no-vanishing.bounds", ID, "the path is between the product of each step's least gate and that of its largest")
            .holds(|case| {
                let forget = normal(case, 0, &[case.size("t"), case.size("h")])?.map(gradus_activations::sigmoid);
                let path = cell_path(&forget)?;
                let product = |pick: fn(f64, f64) -> f64| {
                    forget.rows().map(|rows| rows.map(|row| row.as_slice().iter().copied().reduce(pick).unwrap_or(1.0)).product::<f64>())
                };
                let (low, high) = (product(f64::min)?, product(f64::max)?);
                let first = path.select(0, 0)?;
                Ok(first.as_slice().iter().all(|p| *p >= low * (1.0 - 1e-14) && *p <= high * (1.0 + 1e-14)))
            }),
        Property::new("lstm-no-vanishing.rate", ID, "with a forget bias of b, and nothing else, the path over T steps is σ(b)ᵀ: it tends to 1 as b grows")
            .draw(Draw::size("t", 1..=100).limited(1.0..=1000.0))
            .draw(Draw::real("bias", -2.0..=30.0))
            .within("rounding, relative", 1e-12)
            .check(|case| {
                let (t, bias) = (case.size("t"), case.real("bias"));
                let flow = lone(t, bias)?;
                let closed = gradus_activations::sigmoid(bias).powi(t as i32);
                let higher = lone(t, bias + 1.0)?[0];
                if higher < flow[0] {
                    return Ok(f64::INFINITY);
                }
                Ok((flow[0] - closed).abs() / closed)
            }),
        fresh(),
        Property::new("lstm-no-vanishing.explodes", ID, "by the paths through h the total can grow without bound, with every gate below 1").holds(|_| {
            // One unit whose output feeds its own candidate: around h = 0 it pushes itself away.
            let (w, u) = (Tensor::zeros([1, 4])?, Tensor::from([[0.0, 0.0, 8.0, 0.0]]));
            let b = Tensor::from([0.0, 2.0, 0.0, 0.0]);
            let zero = || Var::constant(Tensor::zeros([1, 1]).unwrap_or_else(|_| Tensor::scalar(f64::NAN)));
            let flow = gradient_flow(&Tensor::zeros([20, 1])?, [&w, &u, &b], &CellState { h: zero(), c: zero() })?;
            Ok(flow.path[0] < 0.1 && flow.total[0] > 1e6)
        }),
        Property::refutation("lstm-no-vanishing.printed", ID, "the gradient along the cell does not vanish: a tenth of it is left, whatever the gates")
            .draw(Draw::size("t", 1..=100).limited(1.0..=1000.0))
            .draw(Draw::real("f", 0.0..=1.0).limited(0.0..=1.0))
            .holds(|case| Ok(cell_path(&Tensor::full([case.size("t"), 1], case.real("f"))?)?.get([0, 0])? >= 0.1)),
    ]
}

/// What the forget gates of a fresh network are, and of one that begins with memories.
fn fresh() -> Property {
    let statement = "fresh: all biases 0 but the forget gates' 1, each gate's U orthogonal; with memories: b_f = ln u, bᵢ = −b_f, 1 + u from 2 to the longest";
    Property::new("lstm-no-vanishing.fresh", ID, statement)
        .draw(Draw::size("d", 1..=6))
        .draw(Draw::size("h", 1..=8))
        .draw(Draw::size("layers", 1..=2))
        .draw(Draw::size("longest", 2..=300).limited(2.0..=1e4))
        .draw(Draw::seed("values"))
        .within("rounding", 1e-12)
        .check(|case| {
            let (h, longest, rng) = (case.size("h"), case.size("longest"), &mut rng(case.seed("values")));
            let shape = LstmShape {
                layers: case.size("layers"),
                bidirectional: true,
                ..LstmShape::new(case.size("d"), h)
            };
            let lstm = Lstm::<f64>::new(shape, rng)?;
            let biases =
                |weights: &LstmWeights<f64>, gate| GateOrder::PYTORCH.part(&weights.bias.value(), 0, gate);
            let all = |t: Tensor<f64>, value: f64| t.as_slice().iter().all(|&v| v == value);
            let mut off = 0.0;
            for weights in lstm.layers() {
                for gate in GateOrder::PYTORCH.gates() {
                    let wanted = if gate == Gate::Forget { 1.0 } else { 0.0 };
                    let u = GateOrder::PYTORCH.part(&weights.recurrent.value(), 1, gate)?;
                    off += u.transpose()?.matmul(&u)?.max_difference(&Tensor::eye(h)?)?;
                    off += holds(all(biases(weights, gate)?, wanted));
                }
            }
            for weights in lstm.remembering(longest, rng)?.layers() {
                let (forget, input) = (biases(weights, Gate::Forget)?, biases(weights, Gate::Input)?);
                let steps = forget.map(|b| 1.0 + b.exp());
                let within = steps.min()? >= 2.0 - 1e-9 && steps.max()? <= longest as f64 * (1.0 + 1e-12);
                let others =
                    all(biases(weights, Gate::Candidate)?, 0.0) && all(biases(weights, Gate::Output)?, 0.0);
                off += forget.add(&input)?.abs().max()? + holds(within && others);
            }
            Ok(off)
        })
}

/// One sequence.
fn one(case: &mut Case<'_>) -> Result<[Tensor<f64>; 6]> {
    let [x, h, c, w, u, b] = inputs(case)?;
    Ok([x.slice(0, 0..1)?, h.slice(0, 0..1)?, c.slice(0, 0..1)?, w, u, b])
}

/// The path of one unit of which all weights are 0, and all biases but the forget gate's.
fn lone(time: usize, bias: f64) -> Result<Vec<f64>, Failure> {
    let (w, u) = (Tensor::zeros([1, 4])?, Tensor::zeros([1, 4])?);
    let mut b = Tensor::zeros([4])?;
    b.set([GateOrder::PYTORCH.place(Gate::Forget)], bias)?;
    let zero = Var::constant(Tensor::zeros([1, 1])?);
    let state = CellState { h: zero.clone(), c: zero };
    Ok(gradient_flow(&Tensor::zeros([time, 1])?, [&w, &u, &b], &state)?.path)
}
