//! Back-propagation through time: a step of it, pieces of it, and where it is cut.

use super::{ROUNDING, both, inputs, normal, sizes};
use crate::{
    CellState, Lstm, LstmCell, LstmShape, LstmState, Recurrence, Unit, bptt_step, cell_update, hidden_state,
};
use gradus_activations::sigmoid;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use std::ops::Range;

pub(super) fn properties() -> Vec<Property> {
    vec![
        unit_step(),
        sizes(
            "lstm-bptt.weights",
            &["lstm-bptt", "lstm-learned-bptt"],
            "the weights' gradients are Σ xₜᵀδz, Σ hₜ₋₁ᵀδz and Σ δz over all steps",
        )
        .within("rounding", 100.0 * ROUNDING)
        .check(weights),
        pieces("lstm-bptt.pieces", "pieces whose state carries the gradient have the gradient of the whole")
            .within("rounding", 100.0 * ROUNDING)
            .check(|case| {
                let (whole, cut) = (gradients(case, usize::MAX, false)?, case.size("k"));
                let carried = gradients(case, cut, false)?;
                apart(&whole, &carried)
            }),
        pieces("lstm-bptt.long-truncation", "truncated at T or later it is the whole, to the bit").check(
            |case| {
                let t = case.size("t");
                let (whole, late) =
                    (gradients(case, usize::MAX, false)?, gradients(case, t + case.size("k"), true)?);
                apart(&whole, &late)
            },
        ),
        pieces(
            "lstm-bptt.truncation",
            "truncated, nothing reaches what lies before the piece, and what the value is does not change",
        )
        .holds(|case| {
            let lstm = lstm(case)?;
            let (n, t, d) = (case.size("n"), case.size("t"), case.size("d"));
            let x = Var::parameter(normal(case, 0, &[n, t + 1, d])?);
            // The loss is the last piece's alone.
            let (_, state) = lstm.run(&x.slice(1, 0..t)?, None, None, &mut Mode::Eval)?;
            let (cut, _) = lstm.run(&x.slice(1, t..t + 1)?, None, Some(&state.detach()), &mut Mode::Eval)?;
            let (whole, _) = lstm.run(&x.slice(1, t..t + 1)?, None, Some(&state), &mut Mode::Eval)?;
            let same = cut.value().same_bits(&whole.value());
            let early = |y: Var<f64>| {
                let gradients = y.sum()?.backward()?;
                let dx = gradients.get(&x).cloned().unwrap_or_else(|| x.value().zeros_like());
                Ok::<_, Failure>(dx.slice(1, 0..t)?.abs().sum())
            };
            Ok(same && early(cut)? == 0.0 && early(whole)? > 0.0)
        }),
        sizes(
            "lstm-weight-sharing.sum",
            &["lstm-weight-sharing", "lstm-bptt"],
            "the gradient of shared weights is the sum of those of a copy a step",
        )
        .within("rounding", 100.0 * ROUNDING)
        .check(sharing),
        pieces(
            "lstm-learned-bptt.descent",
            "a small step against the gradient lowers the loss by about η‖∇L‖²",
        )
        .within("a quarter of it", 0.25)
        .check(|case| {
            let lstm = lstm(case)?;
            let x = Var::constant(normal(case, 0, &[case.size("n"), case.size("t"), case.size("d")])?);
            let loss = |lstm: &Lstm<f64>| lstm.forward(&x, &mut Mode::Eval)?.powi(2)?.sum();
            let before = loss(&lstm)?;
            let value = before.item()?;
            let gradients = before.backward()?;
            let mut square = 0.0;
            for (_, parameter) in lstm.named_parameters() {
                if let Some(gradient) = gradients.get(&parameter) {
                    square += gradient.powi(2).sum();
                }
            }
            if square < 1e-8 {
                return Err(case.reject("a gradient of nearly 0"));
            }
            let rate = 1e-4 / (1.0 + square);
            for (_, parameter) in lstm.named_parameters() {
                if let Some(gradient) = gradients.get(&parameter) {
                    parameter.update(|value| value.add_scaled(-rate, gradient))?;
                }
            }
            Ok(((value - loss(&lstm)?.item()?) / (rate * square) - 1.0).abs())
        }),
    ]
}

/// The four sums and C₋₁ of a unit: what it computes, weighed by the derivatives of later steps.
fn unit_step() -> Property {
    Property::new(
        "lstm-bptt.step",
        &["lstm-bptt"],
        "a step back is the derivative of a step forward, in all four sums and in the cell, with peepholes",
    )
    .draw(Draw::array("z", -3.0..=3.0, &["four"]))
    .draw(Draw::size("four", 4..=4).limited(4.0..=4.0))
    .draw(Draw::real("before", -3.0..=3.0))
    .draw(Draw::real("dh", -2.0..=2.0))
    .draw(Draw::real("dc", -2.0..=2.0))
    .draw(Draw::real("pi", -1.0..=1.0))
    .draw(Draw::real("pf", -1.0..=1.0))
    .draw(Draw::real("po", -1.0..=1.0))
    .within("five-point differences", 1e-9)
    .check(|case| {
        let peeps = [case.real("pi"), case.real("pf"), case.real("po")];
        let (dh, dc) = (case.real("dh"), case.real("dc"));
        let forward = |v: [f64; 5]| {
            let [zi, zf, zg, zo, before] = v;
            let (i, f) = (sigmoid(zi + peeps[0] * before), sigmoid(zf + peeps[1] * before));
            let g = zg.tanh();
            let after = cell_update(f, before, i, g);
            let o = sigmoid(zo + peeps[2] * after);
            ([i, f, g, o], after, hidden_state(o, after))
        };
        let z = gradus_tensor::tensor_of::<f64>(case.array("z"))?.into_vec();
        let at = [z[0], z[1], z[2], z[3], case.real("before")];
        let (gates, after, _) = forward(at);
        let back = bptt_step(Unit { gates, before: at[4], after, peepholes: peeps }, dh, dc);
        let phi = |k: usize, step: f64| {
            let mut v = at;
            v[k] += step;
            let (_, after, h) = forward(v);
            dh * h + dc * after
        };
        let mut off = 0.0f64;
        for (k, &given) in back.sums.iter().chain([&back.before]).enumerate() {
            let s = 1e-3;
            let slope = (8.0 * (phi(k, s) - phi(k, -s)) - (phi(k, 2.0 * s) - phi(k, -2.0 * s))) / (12.0 * s);
            off += (slope - given).abs();
        }
        Ok(off)
    })
}

fn weights(case: &mut Case<'_>) -> Result<f64, Failure> {
    let all = inputs(case)?;
    let [x, h0, c0, _, u, _] = all.each_ref();
    let op = Recurrence::default();
    let (y, trace) = Op::<f64, 6>::forward(&op, all.each_ref())?;
    let dy = normal(case, 7, y.dims())?;
    let (_, gradients) = both(&op, all.each_ref(), |_| Ok(dy.clone()))?;
    let (d, k) = (x.dims()[2], h0.dims()[1]);
    let (mut dw, mut du, mut db) = (vec![0.0; d * 4 * k], vec![0.0; k * 4 * k], vec![0.0; 4 * k]);
    for sample in 0..x.dims()[0] {
        let (mut next_h, mut next_c) = (vec![0.0; k], vec![0.0; k]);
        for t in (0..x.dims()[1]).rev() {
            let (gates, after) = (trace.gates(sample, t)?, trace.cell(sample, t)?);
            let before = if t == 0 { c0.select(0, sample)? } else { trace.cell(sample, t - 1)? };
            let h = if t == 0 { h0.select(0, sample)? } else { y.select(0, sample)?.select(0, t - 1)? };
            let mut dz = vec![0.0; 4 * k];
            for unit in 0..k {
                let part = |gate: usize| gates.as_slice()[gate * k + unit];
                let here = Unit {
                    gates: [part(0), part(1), part(2), part(3)],
                    before: before.as_slice()[unit],
                    after: after.as_slice()[unit],
                    peepholes: [0.0; 3],
                };
                let back = bptt_step(here, dy.get([sample, t, unit])? + next_h[unit], next_c[unit]);
                next_c[unit] = back.before;
                (0..4).for_each(|gate| dz[gate * k + unit] = back.sums[gate]);
            }
            for (column, dz) in dz.iter().enumerate() {
                (0..d).for_each(|row| {
                    dw[row * 4 * k + column] += x.as_slice()[(sample * x.dims()[1] + t) * d + row] * dz
                });
                (0..k).for_each(|row| du[row * 4 * k + column] += h.as_slice()[row] * dz);
                db[column] += dz;
            }
            next_h = (0..k)
                .map(|row| (0..4 * k).map(|column| u.as_slice()[row * 4 * k + column] * dz[column]).sum())
                .collect();
        }
    }
    let off =
        |given: &Tensor<f64>, own: Vec<f64>| given.max_difference(&Tensor::from_vec(own, given.shape())?);
    Ok(off(&gradients[3], dw)? + off(&gradients[4], du)? + off(&gradients[5], db)?)
}

fn pieces(id: &'static str, statement: &'static str) -> Property {
    let formula: &[&str] = if id.starts_with("lstm-bptt") { &["lstm-bptt"] } else { &["lstm-learned-bptt"] };
    sizes(id, formula, statement).draw(Draw::size("k", 1..=4)).draw(Draw::size("layers", 1..=2))
}

fn lstm(case: &Case<'_>) -> Result<Lstm<f64>> {
    let shape = LstmShape { layers: case.size("layers"), ..LstmShape::new(case.size("d"), case.size("h")) };
    Lstm::new(shape, &mut rng(case.seed("values")))
}

/// The gradients of ⟨v, y⟩ in pieces of so many steps, with the graph cut between them or not.
fn gradients(case: &mut Case<'_>, length: usize, cut: bool) -> Result<Vec<Tensor<f64>>, Failure> {
    let lstm = lstm(case)?;
    let (n, t, d, h) = (case.size("n"), case.size("t"), case.size("d"), case.size("h"));
    case.classify(length < t, "several pieces");
    let x = Var::parameter(normal(case, 0, &[n, t, d])?);
    let dy = normal(case, 7, &[n, t, h])?;
    let (mut state, mut outputs): (Option<LstmState<f64>>, Vec<Var<f64>>) = (None, Vec::new());
    let mut first = 0;
    while first < t {
        let piece: Range<usize> = first..t.min(first.saturating_add(length));
        first = piece.end;
        let (y, next) = lstm.run(&x.slice(1, piece)?, None, state.as_ref(), &mut Mode::Eval)?;
        state = Some(if cut { next.detach() } else { next });
        outputs.push(y);
    }
    let y = Var::concatenate(&outputs.iter().collect::<Vec<_>>(), 1)?;
    let gradients = y.backward_with(&dy)?;
    let parameters = lstm.named_parameters().into_iter().map(|(_, p)| p).chain([x]);
    Ok(parameters.map(|p| gradients.get(&p).cloned().unwrap_or_else(|| p.value().zeros_like())).collect())
}

fn apart(one: &[Tensor<f64>], other: &[Tensor<f64>]) -> Result<f64, Failure> {
    one.iter().zip(other).try_fold(0.0, |sum, (a, b)| Ok(sum + a.max_difference(b)?))
}

fn sharing(case: &mut Case<'_>) -> Result<f64, Failure> {
    let [x, h, c, w, u, b] = inputs(case)?;
    let (t, dy) = (x.dims()[1], normal(case, 7, &[x.dims()[0], x.dims()[1], h.dims()[1]])?);
    let start = CellState { h: Var::constant(h), c: Var::constant(c) };
    let shared = LstmCell::from_packed(&w, &u, &b)?;
    let (y, _) = shared.unroll(&Var::constant(x.clone()), &start)?;
    let of_shared = y.backward_with(&dy)?;
    // A copy of the weights for every step.
    let copies = (0..t).map(|_| LstmCell::from_packed(&w, &u, &b)).collect::<Result<Vec<_>>>()?;
    let (mut state, mut outputs) = (start, Vec::new());
    for (step, cell) in copies.iter().enumerate() {
        state = cell.step(&Var::constant(x.select(1, step)?), &state)?;
        outputs.push(state.h.clone());
    }
    let of_copies = Var::stack(&outputs.iter().collect::<Vec<_>>(), 1)?.backward_with(&dy)?;
    let copies: Vec<Vec<Var<f64>>> =
        copies.iter().map(|cell| cell.named_parameters().into_iter().map(|(_, p)| p).collect()).collect();
    let mut off = 0.0;
    for (k, (_, parameter)) in shared.named_parameters().iter().enumerate() {
        let mut sum = parameter.value().zeros_like();
        for copy in &copies {
            if let Some(gradient) = of_copies.get(&copy[k]) {
                sum = sum.add(gradient)?;
            }
        }
        let whole = of_shared.get(parameter).ok_or_else(|| Failure::Error("a gradient is missing".into()))?;
        off += whole.max_difference(&sum)?;
    }
    Ok(off)
}
