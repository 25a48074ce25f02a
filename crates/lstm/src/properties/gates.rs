//! Gate by gate, and the two equations after them.

use super::{ROUNDING, holds, normal};
use crate::{
    CellState, Gate, GateWeights, LstmCell, candidate, cell_update, forget_gate, hidden_state, input_gate,
    output_gate,
};
use gradus_activations::Activations;
use gradus_autograd::{Parameters, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = Vec::new();
    all.extend(gate(Gate::Forget));
    all.extend(gate(Gate::Input));
    all.extend(gate(Gate::Output));
    all.extend(gate(Gate::Candidate));
    all.extend(update());
    all.extend(output());
    all.extend(claims());
    all
}

/// A gate's formula, and the ids and statements of its properties.
fn names(gate: Gate) -> (&'static [&'static str], [&'static str; 4]) {
    match gate {
        Gate::Forget => (
            &["lstm-forget-gate"],
            [
                "lstm-forget-gate.definition",
                "lstm-forget-gate.gradient",
                "lstm-forget-gate.rows",
                "lstm-forget-gate.bias",
            ],
        ),
        Gate::Input => (
            &["lstm-input-gate"],
            [
                "lstm-input-gate.definition",
                "lstm-input-gate.gradient",
                "lstm-input-gate.rows",
                "lstm-input-gate.bias",
            ],
        ),
        Gate::Output => (
            &["lstm-output-list"],
            [
                "lstm-output-list.gate",
                "lstm-output-list.gate-gradient",
                "lstm-output-list.rows",
                "lstm-output-list.bias",
            ],
        ),
        Gate::Candidate => (
            &["lstm-candidate-range"],
            [
                "lstm-candidate-range.definition",
                "lstm-candidate-range.gradient",
                "lstm-candidate-range.rows",
                "lstm-candidate-range.bias",
            ],
        ),
    }
}

fn apply(gate: Gate, x: &Var<f64>, h: &Var<f64>, weights: &GateWeights<f64>) -> Result<Var<f64>> {
    match gate {
        Gate::Forget => forget_gate(x, h, weights),
        Gate::Input => input_gate(x, h, weights),
        Gate::Output => output_gate(x, h, weights),
        Gate::Candidate => candidate(x, h, weights),
    }
}

fn drawn(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::size("h", 1..=4))
        .draw(Draw::seed("values"))
}

/// x, h, θₓ, θₕ, b.
fn numbers(case: &mut Case<'_>) -> Result<[Tensor<f64>; 5]> {
    let (n, d, h) = (case.size("n"), case.size("d"), case.size("h"));
    case.classify(d != h, "not square");
    Ok([
        normal(case, 0, &[n, d])?,
        normal(case, 1, &[n, h])?,
        normal(case, 2, &[d, h])?,
        normal(case, 3, &[h, h])?,
        normal(case, 4, &[h])?,
    ])
}

fn gate(which: Gate) -> Vec<Property> {
    let (formulas, [definition, gradient, rows, bias]) = names(which);
    let value = move |[x, h, wx, wh, b]: [&Tensor<f64>; 5]| {
        let weights = GateWeights::new(wx.clone(), wh.clone(), b.clone())?;
        Ok::<_, gradus_tensor::Error>(
            apply(which, &Var::constant(x.clone()), &Var::constant(h.clone()), &weights)?.value(),
        )
    };
    vec![
        drawn(definition, formulas, "it is the squashed double sum, element by element")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let all = numbers(case)?;
                let y = value(all.each_ref())?;
                let [x, h, wx, wh, b] = &all;
                let (d, k) = (wx.dims()[0], wx.dims()[1]);
                let plain = Tensor::from_fn(y.dims(), |i| {
                    let (row, u) = (i[0], i[1]);
                    let mut z = b.as_slice()[u];
                    z += (0..d).map(|j| x.as_slice()[row * d + j] * wx.as_slice()[j * k + u]).sum::<f64>();
                    z += (0..k).map(|j| h.as_slice()[row * k + j] * wh.as_slice()[j * k + u]).sum::<f64>();
                    if which == Gate::Candidate { z.tanh() } else { 1.0 / (1.0 + (-z).exp()) }
                })?;
                Ok(y.max_difference(&plain)?)
            }),
        composite_gradient_property(
            drawn(gradient, formulas, "the gradient in x, h, both weights and the bias"),
            move |case| {
                let f = move |v: &[Var<f64>]| {
                    let weights = GateWeights { x: v[2].clone(), h: v[3].clone(), b: v[4].clone() };
                    apply(which, &v[0], &v[1], &weights)
                };
                Ok((f, numbers(case)?.to_vec()))
            },
        ),
        drawn(rows, formulas, "a sample's gate knows nothing of the samples beside it")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let all = numbers(case)?;
                let y = value(all.each_ref())?;
                let last = y.dims()[0] - 1;
                let (x, h) = (all[0].slice(0, last..last + 1)?, all[1].slice(0, last..last + 1)?);
                Ok(value([&x, &h, &all[2], &all[3], &all[4]])?
                    .max_difference(&y.slice(0, last..last + 1)?)?)
            }),
        drawn(bias, formulas, "a bias of ±50 decides alone, whatever the rest")
            .draw(Draw::choice("sign", &["+", "−"]))
            .holds(move |case| {
                let mut all = numbers(case)?;
                let up = case.choice("sign") == "+";
                all[4] = all[4].map(|_| if up { 50.0 } else { -50.0 });
                let limit = match (which, up) {
                    (_, true) => 1.0,
                    (Gate::Candidate, false) => -1.0,
                    _ => 0.0,
                };
                let y = value(all.each_ref())?;
                Ok(y.as_slice().iter().all(|y| (y - limit).abs() < 1e-6))
            }),
    ]
}

fn update() -> Vec<Property> {
    let drawn = |id, statement| {
        Property::new(id, &["lstm-cell-update"], statement)
            .draw(Draw::real("f", 0.0..=1.0).limited(0.0..=1.0))
            .draw(Draw::real("i", 0.0..=1.0).limited(0.0..=1.0))
            .draw(Draw::real("g", -1.0..=1.0).limited(-1.0..=1.0))
            .draw(Draw::real("c", -100.0..=100.0))
    };
    let four = |case: &Case<'_>| (case.real("f"), case.real("c"), case.real("i"), case.real("g"));
    vec![
        drawn("lstm-cell-update.bound", "|Cₜ| ≤ |Cₜ₋₁| + 1").holds(move |case| {
            let (f, c, i, g) = four(case);
            Ok(cell_update(f, c, i, g).abs() <= c.abs() + 1.0)
        }),
        drawn("lstm-cell-update.exact", "f = 1, i = 0 keeps; f = 0, i = 1 replaces; f = i = 1 adds").check(
            move |case| {
                let (_, c, _, g) = four(case);
                let off = |x: f64, y: f64| (x - y).abs();
                Ok(off(cell_update(1.0, c, 0.0, g), c)
                    + off(cell_update(0.0, c, 1.0, g), g)
                    + off(cell_update(1.0, c, 1.0, g), c + g))
            },
        ),
        drawn(
            "lstm-cell-update.linear",
            "twice the cell and twice the candidate give twice the cell, to the bit",
        )
        .check(move |case| {
            let (f, c, i, g) = four(case);
            Ok((cell_update(f, 2.0 * c, i, 2.0 * g) - 2.0 * cell_update(f, c, i, g)).abs())
        }),
        drawn("lstm-cell-update.slopes", "its slopes are f, C, i and g, each in its own place")
            .within("rounding", 1e-11)
            .check(move |case| {
                // Linear in each: a difference over 1 is the slope, but for rounding at the size of C.
                let (f, c, i, g) = four(case);
                let at = cell_update(f, c, i, g);
                let slopes = [
                    (cell_update(f, c + 1.0, i, g) - at - f).abs(),
                    (cell_update(f + 1.0, c, i, g) - at - c).abs(),
                    (cell_update(f, c, i + 1.0, g) - at - g).abs(),
                    (cell_update(f, c, i, g + 1.0) - at - i).abs(),
                ];
                Ok(slopes.into_iter().sum())
            }),
        Property::new("lstm-cell-update.nan", &["lstm-cell-update"], "a NaN anywhere comes out").holds(
            |_| {
                let all =
                    |k: usize| std::array::from_fn::<f64, 4, _>(|j| if j == k { f64::NAN } else { 0.5 });
                Ok((0..4).all(|k| {
                    let [f, c, i, g] = all(k);
                    cell_update(f, c, i, g).is_nan()
                }))
            },
        ),
    ]
}

fn output() -> Vec<Property> {
    let drawn = |property: Property| {
        property.draw(Draw::real("o", 0.01..=0.99).limited(0.0..=1.0)).draw(Draw::real("c", -20.0..=20.0))
    };
    vec![
        drawn(Property::new(
            "lstm-output-list.output",
            &["lstm-output-list"],
            "h has the sign of C, is within the gate, odd in C, and o·C for a small C",
        ))
        .holds(|case| {
            let (o, c) = (case.real("o"), case.real("c"));
            let h = hidden_state(o, c);
            let small = hidden_state(o, 1e-9);
            Ok(h.abs() <= o && h * c >= 0.0 && hidden_state(o, -c) == -h && (small - o * 1e-9).abs() <= 1e-24)
        }),
        composite_gradient_property(
            drawn(Property::new(
                "lstm-output-list.gradient",
                &["lstm-output-list"],
                "the gradient of o∘tanh C in o and C",
            )),
            |case| {
                let both = [case.real("o"), case.real("c")].map(|v| Tensor::from([v]));
                Ok((|v: &[Var<f64>]| v[0].mul(&v[1].tanh()?), both.to_vec()))
            },
        ),
        drawn(Property::refutation(
            "lstm-output-list.printed",
            &["lstm-output-list"],
            "the output is a gate: hₜ is within (0, 1)",
        ))
        .holds(|case| Ok((0.0..1.0).contains(&hidden_state(case.real("o"), case.real("c"))))),
    ]
}

fn claims() -> Vec<Property> {
    vec![
        drawn(
            "lstm-forget-semantics.limits",
            &["lstm-forget-semantics", "lstm-forget-gate"],
            "b_f = 50 and b_i = −50 keep the cell; b_f = −50 forgets it",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (cell, x, state) = saturated(case, 50.0, -50.0)?;
            let kept = cell.step(&x, &state)?.c.value().max_difference(&state.c.value())?;
            let (cell, x, state) = saturated(case, -50.0, 0.0)?;
            let other =
                CellState { c: Var::constant(state.c.value().map(|c| 3.0 - 100.0 * c)), ..state.clone() };
            let gone = cell.step(&x, &state)?.c.value().max_difference(&cell.step(&x, &other)?.c.value())?;
            Ok(kept + gone)
        }),
        drawn(
            "lstm-candidate-range.odd",
            &["lstm-candidate-range"],
            "with the signs of all inputs and of the bias, the candidate turns its own, to the bit",
        )
        .holds(|case| {
            let [x, h, wx, wh, b] = numbers(case)?;
            let of = |x: Tensor<f64>, h: Tensor<f64>, b: Tensor<f64>| {
                let weights = GateWeights::new(wx.clone(), wh.clone(), b)?;
                Ok::<_, Failure>(candidate(&Var::constant(x), &Var::constant(h), &weights)?.value())
            };
            let (g, turned) = (of(x.clone(), h.clone(), b.clone())?, of(x.neg(), h.neg(), b.neg())?);
            Ok(turned == g.neg() && g.as_slice().iter().all(|g| g.abs() <= 1.0))
        }),
        Property::refutation(
            "lstm-candidate-range.printed",
            &["lstm-candidate-range"],
            "the candidate is a gate: g is within (0, 1)",
        )
        .draw(Draw::real("z", -5.0..=5.0))
        .holds(|case| {
            let weights =
                GateWeights::new(Tensor::from([[1.0]]), Tensor::from([[0.0]]), Tensor::from([0.0]))?;
            let x = Var::constant(Tensor::from([[case.real("z")]]));
            let g = candidate(&x, &Var::constant(Tensor::zeros([1, 1])?), &weights)?.item()?;
            Ok(g > 0.0 && g < 1.0)
        }),
        drawn(
            "lstm-weights-annotation.data",
            &["lstm-weights-annotation", "lstm-cell-update"],
            "the forget gate is no parameter: it follows x, and is not among the twelve that are learned",
        )
        .holds(|case| {
            let (cell, x, state) = saturated(case, 0.0, 0.0)?;
            let names: Vec<String> = cell.named_parameters().into_iter().map(|(name, _)| name).collect();
            let of = |x: &Var<f64>| Ok::<_, Failure>(forget_gate(x, &state.h, &cell.forget)?.value());
            let moved = Var::constant(x.value().map(|v| v + 1.0));
            // Whose weights add up to more than nothing, that gate grows with all inputs.
            let slopes = cell.forget.x.value().sum_axis(0)?;
            let (before, after) = (of(&x)?, of(&moved)?);
            let grows = |(i, (a, b)): (usize, (&f64, &f64))| {
                let slope = slopes.as_slice()[i % slopes.len()];
                slope.abs() < 1e-3 || (b - a) * slope > 0.0
            };
            let follows = before.as_slice().iter().zip(after.as_slice()).enumerate().all(grows);
            Ok(names.len() == 12 && follows)
        }),
        drawn(
            "lstm-gate-list.ranges",
            &["lstm-gate-list", "lstm-equations"],
            "three gates within (0, 1), candidate and output within (−1, 1)",
        )
        .holds(|case| {
            let [x, h, ..] = numbers(case)?;
            let (cell, ..) = saturated(case, 0.5, -0.5)?;
            let (x, h) = (Var::constant(x), Var::constant(h));
            let within = |v: Var<f64>, low: f64| v.value().as_slice().iter().all(|&v| v > low && v < 1.0);
            let c = Var::constant(normal(case, 9, h.shape().dims())?.scale(5.0));
            let next = cell.step(&x, &CellState { h: h.clone(), c })?;
            Ok(within(forget_gate(&x, &h, &cell.forget)?, 0.0)
                && within(input_gate(&x, &h, &cell.input)?, 0.0)
                && within(output_gate(&x, &h, &cell.output)?, 0.0)
                && within(candidate(&x, &h, &cell.candidate)?, -1.0)
                && within(next.h, -1.0))
        }),
        Property::new(
            "lstm-gate-list.count",
            &["lstm-gate-list", "lstm-equations"],
            "4((D + H)H + H) numbers are learned",
        )
        .draw(Draw::size("d", 1..=12))
        .draw(Draw::size("h", 1..=12))
        .check(|case| {
            let (d, h) = (case.size("d"), case.size("h"));
            let cell = LstmCell::from_packed(
                &Tensor::<f64>::zeros([d, 4 * h])?,
                &Tensor::zeros([h, 4 * h])?,
                &Tensor::zeros([4 * h])?,
            )?;
            Ok(cell.parameter_count().abs_diff(4 * ((d + h) * h + h)) as f64 + holds(cell.hidden() == h))
        }),
    ]
}

/// A cell with these biases of the forget and the input gate (small ones besides), an input and a state.
fn saturated(
    case: &mut Case<'_>,
    forget: f64,
    input: f64,
) -> Result<(LstmCell<f64>, Var<f64>, CellState<f64>)> {
    let [x, h, ..] = numbers(case)?;
    let (d, k, n) = (x.dims()[1], h.dims()[1], x.dims()[0]);
    let weights = |which: u64, bias: f64| {
        let (wx, wh) = (normal(case, which, &[d, k])?, normal(case, which + 1, &[k, k])?);
        GateWeights::new(wx.scale(0.5), wh.scale(0.5), Tensor::full([k], bias)?)
    };
    let cell = LstmCell {
        input: weights(10, input)?,
        forget: weights(20, forget)?,
        candidate: weights(30, 0.1)?,
        output: weights(40, -0.1)?,
    };
    let c = normal(case, 50, &[n, k])?;
    let state = CellState { h: Var::constant(h.map(f64::tanh)), c: Var::constant(c) };
    Ok((cell, Var::constant(x), state))
}
