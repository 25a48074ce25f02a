//! The whole sequence: against the six equations, and what holds for any recurrence of this kind.

use super::{ROUNDING, both, holds, inputs, lengths, normal, sizes};
use crate::{CellState, Gate, GateOrder, Lstm, LstmCell, LstmShape, Recurrence};
use gradus_activations::sigmoid;
use gradus_autograd::{Layer, Mode, Op, Var, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::Dropout;
use gradus_tensor::{Result, Tensor, rng};

const ID: &[&str] = &["lstm-equations"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = against_the_equations();
    all.extend(gradients());
    all.extend(structure());
    all.extend(padding());
    all
}

fn states() -> Recurrence {
    Recurrence { states: true, ..Recurrence::default() }
}

/// A case's operation: any direction, any lengths, with the last states behind or not.
fn any(case: &mut Case<'_>) -> Recurrence {
    let lengths = lengths(case);
    Recurrence {
        lengths,
        reverse: case.choice("direction") == "reverse",
        states: case.choice("states") == "with",
    }
}

fn any_drawn(property: Property) -> Property {
    property
        .draw(Draw::seed("lengths"))
        .draw(Draw::choice("direction", &["forward", "reverse"]))
        .draw(Draw::choice("states", &["with", "without"]))
}

fn against_the_equations() -> Vec<Property> {
    vec![
        sizes(
            "lstm-equations.fused",
            ID,
            "all steps at once are the six equations, step by step: outputs and last state",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let all = inputs(case)?;
            let [x, h, c, w, u, b] = &all;
            let cell = LstmCell::from_packed(w, u, b)?;
            let state = CellState { h: Var::constant(h.clone()), c: Var::constant(c.clone()) };
            let (y, last) = cell.unroll(&Var::constant(x.clone()), &state)?;
            let t = x.dims()[1];
            let fused = states().eval(all.each_ref())?;
            let off = fused.slice(1, 0..t)?.max_difference(&y.value())?;
            let off_h = fused.select(1, t)?.max_difference(&last.h.value())?;
            Ok(off + off_h + fused.select(1, t + 1)?.max_difference(&last.c.value())?)
        }),
        sizes(
            "lstm-equations.fused-gradient",
            ID,
            "and so are its gradients: all twelve blocks of weights, x, h₀ and C₀",
        )
        .within("rounding", 100.0 * ROUNDING)
        .check(|case| {
            let all = inputs(case)?;
            let dy = normal(case, 7, &[all[0].dims()[0], all[0].dims()[1] + 2, all[1].dims()[1]])?;
            let (_, fused) = both(&states(), all.each_ref(), |_| Ok(dy.clone()))?;
            let [x, h, c, w, u, b] = all;
            let cell = LstmCell::from_packed(&w, &u, &b)?;
            let (x, state) = (Var::parameter(x), CellState { h: Var::parameter(h), c: Var::parameter(c) });
            let (y, last) = cell.unroll(&x, &state)?;
            let packed = [&y, &last.h.insert_axis(1)?, &last.c.insert_axis(1)?];
            let plain = Var::concatenate(&packed, 1)?.backward_with(&dy)?;
            let get = |v: &Var<f64>| plain.get(v).cloned().unwrap_or_else(|| v.value().zeros_like());
            let mut off = fused[0].max_difference(&get(&x))?;
            off = off
                .max(fused[1].max_difference(&get(&state.h))?)
                .max(fused[2].max_difference(&get(&state.c))?);
            let gates = [
                (Gate::Input, &cell.input),
                (Gate::Forget, &cell.forget),
                (Gate::Candidate, &cell.candidate),
                (Gate::Output, &cell.output),
            ];
            for (gate, weights) in gates {
                for (packed, axis, block) in
                    [(&fused[3], 1, &weights.x), (&fused[4], 1, &weights.h), (&fused[5], 0, &weights.b)]
                {
                    let part = GateOrder::PYTORCH.part(packed, axis, gate)?;
                    let difference = part.max_difference(&get(block))?;
                    // A NaN is no maximum.
                    off = if difference <= off { off } else { difference };
                }
            }
            Ok(off)
        }),
        sizes(
            "lstm-equations.saturation",
            ID,
            "each gate, found by its place and saturated, does what its name says",
        )
        .holds(|case| {
            let [x, h, c, w, u, b] = inputs(case)?;
            let hidden = c.dims()[1];
            let with = |settings: &[(Gate, f64)]| {
                let mut b = b.clone();
                for &(gate, bias) in settings {
                    let first = GateOrder::PYTORCH.place(gate) * hidden;
                    b.as_mut_slice()[first..first + hidden].fill(bias);
                }
                let y = states().eval([&x, &h, &c, &w, &u, &b])?;
                let t = x.dims()[1];
                Ok::<_, gradus_tensor::Error>([y.select(1, t)?, y.select(1, t + 1)?])
            };
            let near = |a: &Tensor<f64>, b: &Tensor<f64>| a.all_close(b, 1e-6, 1e-6);
            let (shut, open) = (-60.0, 60.0);
            // Nothing forgotten, nothing let in: the cell stays. Nothing kept, all let in: it is the candidate.
            let [kept_h, kept] = with(&[(Gate::Forget, open), (Gate::Input, shut), (Gate::Output, open)])?;
            let [_, erased] = with(&[(Gate::Forget, shut), (Gate::Input, shut)])?;
            let [_, replaced] = with(&[(Gate::Forget, shut), (Gate::Input, open), (Gate::Candidate, shut)])?;
            let [hidden_h, _] = with(&[(Gate::Output, shut)])?;
            let minus = Tensor::full(c.shape(), -1.0)?;
            Ok(near(&kept, &c)?
                && near(&kept_h, &c.map(f64::tanh))?
                && near(&erased, &c.zeros_like())?
                && near(&replaced, &minus)?
                && near(&hidden_h, &c.zeros_like())?)
        }),
        sizes(
            "lstm-equations.order",
            ID,
            "the same weights read in any of the 23 other orders give another result",
        )
        .draw(Draw::integer("order", 1..=23).limited(1.0..=23.0))
        .holds(|case| {
            let [x, h, c, w, u, b] = inputs(case)?;
            let order = orders()[case.size("order")];
            let as_theirs = |t: &Tensor<f64>, axis| order.convert(t, axis, GateOrder::PYTORCH);
            let (w2, u2, b2) = (as_theirs(&w, 1)?, as_theirs(&u, 1)?, as_theirs(&b, 0)?);
            let ours = Recurrence::default().eval([&x, &h, &c, &w, &u, &b])?;
            let theirs = Recurrence::default().eval([&x, &h, &c, &w2, &u2, &b2])?;
            Ok(ours.max_difference(&theirs)? > 1e-9)
        }),
        sizes(
            "lstm-equations.constant",
            ID,
            "without weights it is a formula: Cₜ = fᵗC₀ + i·g·(1 − fᵗ)/(1 − f), hₜ = o·tanh Cₜ",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [x, h, c, w, u, b] = inputs(case)?;
            let y = Recurrence::default().eval([&x, &h, &c, &w.zeros_like(), &u.zeros_like(), &b])?;
            let (k, b) = (c.dims()[1], b.as_slice());
            let closed = Tensor::from_fn(y.dims(), |at| {
                let (unit, steps) = (at[2], at[1] as i32 + 1);
                let (i, f) = (sigmoid(b[unit]), sigmoid(b[k + unit]));
                let (g, o) = (b[2 * k + unit].tanh(), sigmoid(b[3 * k + unit]));
                let cell = f.powi(steps) * c.as_slice()[at[0] * k + unit]
                    + i * g * (1.0 - f.powi(steps)) / (1.0 - f);
                o * cell.tanh()
            })?;
            Ok(y.max_difference(&closed)?)
        }),
    ]
}

/// The 24 orders of the gates; the first is ours.
fn orders() -> Vec<GateOrder> {
    let gates = GateOrder::PYTORCH.gates();
    let mut all = Vec::new();
    for code in 0..256usize {
        let pick = [code / 64, code / 16 % 4, code / 4 % 4, code % 4].map(|k| gates[k]);
        if let Ok(order) = GateOrder::new(pick) {
            all.push(order);
        }
    }
    all
}

fn gradients() -> Vec<Property> {
    vec![
        gradient_property(
            any_drawn(sizes(
                "lstm-equations.gradient",
                ID,
                "the gradient in x, h₀, C₀, W, U and b, for any lengths and both directions",
            )),
            |case| {
                let op = any(case);
                Ok((op, inputs(case)?))
            },
        ),
        gradient_property(
            any_drawn(sizes(
                "lstm-equations.peephole-gradient",
                ID,
                "the gradient with peepholes, in those too",
            )),
            |case| {
                let (op, [x, h, c, w, u, b]) = (any(case), inputs(case)?);
                let p = normal(case, 6, &[3, c.dims()[1]])?;
                Ok((op, [x, h, c, w, u, b, p]))
            },
        ),
        any_drawn(sizes("lstm-equations.no-peepholes", ID, "peepholes of 0 are none, to the bit")).holds(
            |case| {
                let (op, all) = (any(case), inputs(case)?);
                let p = Tensor::zeros([3, all[1].dims()[1]])?;
                let [x, h, c, w, u, b] = all.each_ref();
                Ok(op.eval([x, h, c, w, u, b])?.same_bits(&op.eval([x, h, c, w, u, b, &p])?))
            },
        ),
        sizes("lstm-equations.peepholes", ID, "i and f see the cell before the step, o the one after it")
            .within("rounding", ROUNDING)
            .check(|case| {
                let [x, h, c, w, u, b] = inputs(case)?;
                let (x, k) = (x.slice(1, 0..1)?, c.dims()[1]);
                let p = normal(case, 6, &[3, k])?;
                let y = states().eval([&x, &h, &c, &w, &u, &b, &p])?;
                // One step by the equations, with the peepholes' share put in by hand.
                let n = x.dims()[0];
                let z = x.reshape([n, x.dims()[2]])?.matmul(&w)?.add(&h.matmul(&u)?)?.add(&b)?;
                let part = |gate| GateOrder::PYTORCH.part(&z, 1, gate);
                let peep = |row: usize, cell: &Tensor<f64>| p.select(0, row)?.mul(cell);
                let i = part(Gate::Input)?.add(&peep(0, &c)?)?.map(sigmoid);
                let f = part(Gate::Forget)?.add(&peep(1, &c)?)?.map(sigmoid);
                let after = f.mul(&c)?.add(&i.mul(&part(Gate::Candidate)?.map(f64::tanh))?)?;
                let o = part(Gate::Output)?.add(&peep(2, &after)?)?.map(sigmoid);
                let out = o.mul(&after.map(f64::tanh))?;
                Ok(y.select(1, 0)?.max_difference(&out)? + y.select(1, 2)?.max_difference(&after)?)
            }),
    ]
}

fn structure() -> Vec<Property> {
    vec![
        sizes("lstm-equations.bounds", ID, "|h| < 1, and no cell grows by more than 1 a step").holds(|case| {
            let [x, h, c, w, u, b] = inputs(case)?;
            let inputs = [&x.scale(10.0), &h, &c, &w, &u, &b];
            let (y, trace) = Op::<f64, 6>::forward(&Recurrence::default(), inputs)?;
            let mut fine = y.as_slice().iter().all(|h| h.abs() < 1.0);
            for sample in 0..x.dims()[0] {
                let mut before = c.select(0, sample)?;
                for t in 0..x.dims()[1] {
                    let cell = trace.cell(sample, t)?;
                    fine &= before.as_slice().iter().zip(cell.as_slice()).all(|(b, a)| a.abs() <= b.abs() + 1.0);
                    before = cell;
                }
            }
            Ok(fine)
        }),
        sizes("lstm-equations.split", ID, "a sequence in two pieces, the state carried over, is the sequence, to the bit")
            .draw(Draw::seed("cut"))
            .holds(|case| {
                let [x, h, c, w, u, b] = inputs(case)?;
                let t = x.dims()[1];
                let cut = (case.seed("cut") % (t as u64 + 1)) as usize;
                case.classify(cut == 0 || cut == t, "an empty piece");
                let whole = states().eval([&x, &h, &c, &w, &u, &b])?;
                let first = states().eval([&x.slice(1, 0..cut)?, &h, &c, &w, &u, &b])?;
                let (h, c) = (first.select(1, cut)?, first.select(1, cut + 1)?);
                let second = states().eval([&x.slice(1, cut..t)?, &h, &c, &w, &u, &b])?;
                Ok(Tensor::concatenate(&[&first.slice(1, 0..cut)?, &second], 1)?.same_bits(&whole))
            }),
        sizes("lstm-equations.units", ID, "units in another order, with their weights, give the outputs in that order")
            .draw(Draw::seed("order"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let [x, h, c, w, u, b] = inputs(case)?;
                let k = c.dims()[1];
                let order = shuffled(case.seed("order"), k);
                let four: Vec<u32> =
                    (0..4).flat_map(|gate| order.iter().map(move |&u| gate * k as u32 + u)).collect();
                let y = states().eval([&x, &h, &c, &w, &u, &b])?;
                let turned = states().eval([
                    &x,
                    &h.gather(1, &order)?,
                    &c.gather(1, &order)?,
                    &w.gather(1, &four)?,
                    &u.gather(0, &order)?.gather(1, &four)?,
                    &b.gather(0, &four)?,
                ])?;
                Ok(turned.max_difference(&y.gather(2, &order)?)?)
            }),
        sizes("lstm-equations.alone", ID, "a sample alone has the bits that it has among others, value and gradients").holds(|case| {
            let all = inputs(case)?;
            let last = all[0].dims()[0] - 1;
            let row = |t: &Tensor<f64>| t.slice(0, last..last + 1);
            let [x, h, c, w, u, b] = all.each_ref();
            let (y, gradients) = both(&states(), [x, h, c, w, u, b], |y| normal(case, 7, y.dims()))?;
            let dy = normal(case, 7, y.dims())?;
            let (own, own_gradients) =
                both(&states(), [&row(x)?, &row(h)?, &row(c)?, w, u, b], |_| row(&dy))?;
            let same = (0..3).try_fold(true, |same, k| Ok::<_, Failure>(same && own_gradients[k].same_bits(&row(&gradients[k])?)))?;
            Ok(own.same_bits(&row(&y)?) && same)
        }),
        sizes("lstm-equations.nan", ID, "a NaN in a step is in that sample's outputs from there on, and nowhere else").draw(Draw::seed("where")).holds(
            |case| {
                let [mut x, h, c, w, u, b] = inputs(case)?;
                let clean = Recurrence::default().eval([&x, &h, &c, &w, &u, &b])?;
                let (n, t) = (x.dims()[0], x.dims()[1]);
                let seed = case.seed("where");
                let (sample, step) = ((seed % n as u64) as usize, (seed / 7 % t as u64) as usize);
                x.set([sample, step, 0], f64::NAN)?;
                let y = Recurrence::default().eval([&x, &h, &c, &w, &u, &b])?;
                let k = c.dims()[1];
                let right = |(i, (y, clean)): (usize, (&f64, &f64))| {
                    let hit = i / k / t == sample && i / k % t >= step;
                    if hit { y.is_nan() } else { y.to_bits() == clean.to_bits() }
                };
                Ok(y.as_slice().iter().zip(clean.as_slice()).enumerate().all(right))
            },
        ),
        Property::new("lstm-equations.wide", ID, "single precision at widths that fill whole panels is the double one, and the same for any number of threads")
            .draw(Draw::size("n", 1..=20))
            .draw(Draw::size("t", 1..=12))
            .draw(Draw::size("d", 1..=40))
            .draw(Draw::size("h", 1..=48))
            .draw(Draw::seed("values"))
            .within("single precision", 1e-5)
            .check(|case| {
                let [x, h, c, w, u, b] = inputs(case)?;
                let (w, u) = (w.scale(0.3), u.scale(0.3));
                let exact = states().eval([&x, &h, &c, &w, &u, &b])?;
                let [x, h, c, w, u, b] = [&x, &h, &c, &w, &u, &b].map(|t| t.cast::<f32>());
                let single = states().eval([&x, &h, &c, &w, &u, &b])?;
                let again = gradus_tensor::with_threads(3, || states().eval([&x, &h, &c, &w, &u, &b]))?;
                Ok(single.cast::<f64>().max_difference(&exact)? + holds(single.same_bits(&again)))
            }),
    ]
}

/// An order of so many, from a seed.
fn shuffled(seed: u64, count: usize) -> Vec<u32> {
    let mut order: Vec<u32> = (0..count as u32).collect();
    for i in (1..count).rev() {
        order.swap(i, (seed.rotate_left(5 * i as u32) % (i as u64 + 1)) as usize);
    }
    order
}

fn padding() -> Vec<Property> {
    vec![
        any_drawn(sizes("lstm-equations.padding", ID, "what stands behind a sample's end, and how much of it, changes no bit of values and gradients"))
            .holds(|case| {
                let (op, all) = (any(case), inputs(case)?);
                let (n, t) = (all[0].dims()[0], all[0].dims()[1]);
                let lengths = op.lengths.clone().unwrap_or_else(|| vec![t; n]);
                let op = Recurrence { lengths: Some(lengths.clone()), ..op };
                let extra = 2;
                // The padding becomes NaN, and longer.
                let longer = all[0].pad(1, 0, extra, 0.0)?;
                let x = Tensor::from_fn(longer.dims(), |i| {
                    if i[1] < lengths[i[0]] { longer.get(i).unwrap_or(f64::NAN) } else { f64::NAN }
                })?;
                let (y, gradients) = both(&op, all.each_ref(), |y| normal(case, 7, y.dims()))?;
                let dy = normal(case, 7, y.dims())?;
                let stretch = |v: &Tensor<f64>| {
                    let rest = v.slice(1, t..v.dims()[1])?;
                    Tensor::concatenate(&[&v.slice(1, 0..t)?.pad(1, 0, extra, 0.0)?, &rest], 1)
                };
                let [_, h, c, w, u, b] = all.each_ref();
                let (padded, padded_gradients) = both(&op, [&x, h, c, w, u, b], |_| stretch(&dy))?;
                let same = padded.same_bits(&stretch(&y)?)
                    && padded_gradients[0].same_bits(&gradients[0].pad(1, 0, extra, 0.0)?)
                    && (1..6).all(|k| padded_gradients[k].same_bits(&gradients[k]));
                Ok(same)
            }),
        any_drawn(sizes("lstm-equations.lengths", ID, "a sample of length L is the sequence of its first L steps, and 0 behind them, to the bit"))
            .holds(|case| {
                let (op, [x, h, c, w, u, b]) = (any(case), inputs(case)?);
                let op = Recurrence { states: true, ..op };
                let (n, t) = (x.dims()[0], x.dims()[1]);
                let lengths = op.lengths.clone().unwrap_or_else(|| vec![t; n]);
                let y = op.eval([&x, &h, &c, &w, &u, &b])?;
                for (s, &length) in lengths.iter().enumerate() {
                    let row = |t: &Tensor<f64>| t.slice(0, s..s + 1);
                    let alone = Recurrence { lengths: None, ..op.clone() };
                    let own = alone.eval([&row(&x)?.slice(1, 0..length)?, &row(&h)?, &row(&c)?, &w, &u, &b])?;
                    let y = row(&y)?;
                    let (outputs, states) = (y.slice(1, 0..length)?, y.slice(1, t..t + 2)?);
                    let silent = y.slice(1, length..t)?.as_slice().iter().all(|&y| y.to_bits() == 0);
                    if !silent || !Tensor::concatenate(&[&outputs, &states], 1)?.same_bits(&own) {
                        return Ok(false);
                    }
                }
                Ok(true)
            }),
        any_drawn(sizes("lstm-equations.reverse", ID, "backward is forward on the reversed input, each sample from its own end")).holds(|case| {
            let (op, [x, h, c, w, u, b]) = (any(case), inputs(case)?);
            let (n, t) = (x.dims()[0], x.dims()[1]);
            let lengths = op.lengths.clone().unwrap_or_else(|| vec![t; n]);
            let turn = |v: &Tensor<f64>| {
                Tensor::from_fn(v.dims(), |i| {
                    let step = if i[1] < lengths[i[0]] { lengths[i[0]] - 1 - i[1] } else { i[1] };
                    v.get([i[0], step, i[2]]).unwrap_or(f64::NAN)
                })
            };
            let forward = Recurrence { reverse: false, ..op.clone() };
            let backward = Recurrence { reverse: true, ..op };
            let y = backward.eval([&x, &h, &c, &w, &u, &b])?;
            Ok(turn(&forward.eval([&turn(&x)?, &h, &c, &w, &u, &b])?)?.same_bits(&y))
        }),
        sizes("lstm-equations.layer", ID, "layers on top of each other, in both directions, are their parts one after the other, with dropout between them, to the bit")
            .draw(Draw::size("layers", 1..=3))
            .draw(Draw::choice("directions", &["one", "both"]))
            .draw(Draw::choice("peepholes", &["with", "without"]))
            .draw(Draw::seed("lengths"))
            .draw(Draw::real("p", 0.0..=0.9).limited(0.0..=1.0))
        .holds(layer),
    ]
}

/// A stack against its operations.
fn layer(case: &mut Case<'_>) -> Result<bool, Failure> {
    let shape = LstmShape {
        layers: case.size("layers"),
        bidirectional: case.choice("directions") == "both",
        peepholes: case.choice("peepholes") == "with",
        dropout: case.real("p"),
        ..LstmShape::new(case.size("d"), case.size("h"))
    };
    let (n, t) = (case.size("n"), case.size("t"));
    let lstm = Lstm::<f64>::new(shape, &mut rng(case.seed("values")))?;
    let directions = if shape.bidirectional { 2 } else { 1 };
    let states = [n, shape.hidden];
    let mut x = normal(case, 0, &[n, t, shape.inputs])?;
    let lengths = lengths(case);
    let (mut hs, mut cs, mut starts_h, mut starts_c) = (vec![], vec![], vec![], vec![]);
    let first = x.clone();
    let (dropout, mut own) = (Dropout::new(shape.dropout)?, rng(5));
    for (k, weights) in lstm.layers().chunks(directions).enumerate() {
        if k > 0 {
            x = dropout.forward(&Var::constant(x), &mut Mode::Train(&mut own))?.value();
        }
        let mut halves = Vec::new();
        for (direction, weights) in weights.iter().enumerate() {
            let which = (2 * k + direction) as u64;
            let (h, c) = (normal(case, 100 + which, &states)?, normal(case, 200 + which, &states)?);
            let op = Recurrence { lengths: lengths.clone(), reverse: direction == 1, states: true };
            let (w, u, b) = (weights.input.value(), weights.recurrent.value(), weights.bias.value());
            let y = match &weights.peepholes {
                Some(p) => op.eval([&x, &h, &c, &w, &u, &b, &p.value()])?,
                None => op.eval([&x, &h, &c, &w, &u, &b])?,
            };
            hs.push(y.select(1, t)?);
            cs.push(y.select(1, t + 1)?);
            starts_h.push(h);
            starts_c.push(c);
            halves.push(y.slice(1, 0..t)?);
        }
        x = Tensor::concatenate(&halves.iter().collect::<Vec<_>>(), 2)?;
    }
    let stack = |parts: &[Tensor<f64>]| Tensor::stack(&parts.iter().collect::<Vec<_>>(), 0);
    let start = crate::LstmState { h: Var::constant(stack(&starts_h)?), c: Var::constant(stack(&starts_c)?) };
    let (y, last) =
        lstm.run(&Var::constant(first), lengths.as_deref(), Some(&start), &mut Mode::Train(&mut rng(5)))?;
    Ok(y.value().same_bits(&x)
        && last.h.value().same_bits(&stack(&hs)?)
        && last.c.value().same_bits(&stack(&cs)?))
}
