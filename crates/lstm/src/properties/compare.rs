//! The plain recurrence and the gated recurrent unit.

use super::{ROUNDING, normal};
use crate::{GateWeights, Gru, Rnn, rnn_jacobian};
use gradus_activations::sigmoid;
use gradus_autograd::{Layer, Mode, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Result, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let mut all = plain();
    all.extend(jacobian());
    all.extend(gru());
    all
}

fn drawn(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    super::sizes(id, formulas, statement)
}

/// x, W, U and b.
fn numbers(case: &mut Case<'_>) -> Result<[Tensor<f64>; 4]> {
    let (n, t, d, h) = (case.size("n"), case.size("t"), case.size("d"), case.size("h"));
    case.classify(t == 1, "one step");
    // Small enough for five points: the fifth derivative through five steps is their product.
    let weights = |which: u64, dims: &[usize]| normal(case, which, dims).map(|w| w.scale(0.35));
    Ok([weights(0, &[n, t, d])?, weights(1, &[d, h])?, weights(2, &[h, h])?, weights(3, &[h])?])
}

fn rnn([_, w, u, b]: &[Tensor<f64>; 4]) -> Result<Rnn<f64>> {
    Ok(Rnn { weights: GateWeights::new(w.clone(), u.clone(), b.clone())? })
}

fn run(layer: &dyn Layer<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
}

/// Row · matrix, one number at a time.
fn times(row: &[f64], matrix: &Tensor<f64>, column: usize) -> f64 {
    let columns = matrix.dims()[1];
    row.iter().enumerate().map(|(k, v)| v * matrix.as_slice()[k * columns + column]).sum()
}

fn plain() -> Vec<Property> {
    const ID: &[&str] = &["rnn-step"];
    vec![
        drawn("rnn-step.definition", ID, "it is the squashed double sum, step after step")
            .within("rounding", ROUNDING)
            .check(|case| {
                let all = numbers(case)?;
                let y = run(&rnn(&all)?, &all[0])?;
                let [x, w, u, b] = &all;
                let (t, k) = (x.dims()[1], b.len());
                let mut off = 0.0f64;
                for sample in 0..x.dims()[0] {
                    let mut h = vec![0.0; k];
                    for step in 0..t {
                        let row = x.select(0, sample)?.select(0, step)?;
                        h = (0..k)
                            .map(|j| (times(row.as_slice(), w, j) + times(&h, u, j) + b.as_slice()[j]).tanh())
                            .collect();
                        off += y
                            .select(0, sample)?
                            .select(0, step)?
                            .max_difference(&Tensor::from_vec(h.clone(), [k])?)?;
                    }
                }
                Ok(off)
            }),
        composite_gradient_property(
            drawn("rnn-step.gradient", ID, "the gradient in x, W, U and b"),
            |case| {
                let f = |v: &[Var<f64>]| {
                    let weights = GateWeights { x: v[1].clone(), h: v[2].clone(), b: v[3].clone() };
                    Rnn { weights }.forward(&v[0], &mut Mode::Eval)
                };
                Ok((f, numbers(case)?.to_vec()))
            },
        ),
        drawn("rnn-step.order", ID, "a step knows only what came before it").holds(|case| {
            let all = numbers(case)?;
            let (layer, t) = (rnn(&all)?, all[0].dims()[1]);
            let y = run(&layer, &all[0])?;
            let shorter = run(&layer, &all[0].slice(1, 0..1)?)?;
            let mut later = all[0].clone();
            later.set([0, t - 1, 0], 99.0)?;
            let changed = run(&layer, &later)?;
            Ok(shorter.same_bits(&y.slice(1, 0..1)?)
                && changed.slice(1, 0..t - 1)?.same_bits(&y.slice(1, 0..t - 1)?))
        }),
    ]
}

fn jacobian() -> Vec<Property> {
    const ID: &[&str] = &["rnn-gradient"];
    vec![
        drawn("rnn-gradient.backward", ID, "its rows are what back-propagation gives").within("rounding", 100.0 * ROUNDING).check(|case| {
            let all = numbers(case)?;
            let [x, w, u, b] = &all;
            let (t, k) = (x.dims()[1], b.len());
            let x = x.slice(0, 0..1)?;
            let weights = GateWeights::new(w.clone(), u.clone(), b.clone())?;
            let start = normal(case, 4, &[1, k])?.map(f64::tanh);
            let mut off = 0.0f64;
            for unit in 0..k {
                let h0 = Var::parameter(start.clone());
                let (mut h, mut outputs) = (h0.clone(), Vec::new());
                for step in 0..t {
                    use gradus_activations::Activations;
                    h = weights.sum(&Var::constant(x.select(1, step)?), &h)?.tanh()?;
                    outputs.push(h.value());
                }
                let outputs = Tensor::concatenate(&outputs.iter().collect::<Vec<_>>(), 0)?;
                let given = rnn_jacobian(&outputs, u)?.select(0, unit)?;
                let gradients = h.select(1, unit)?.sum()?.backward()?;
                let own = gradients.get(&h0).ok_or_else(|| Failure::Error("no gradient".into()))?.select(0, 0)?;
                off += given.max_difference(&own)?;
            }
            Ok(off)
        }),
        drawn("rnn-gradient.bound", ID, "its largest singular value is at most that of U, to the power of T").holds(|case| {
            let (t, k) = (case.size("t"), case.size("h"));
            let (outputs, u) = (normal(case, 0, &[t, k])?.map(f64::tanh), normal(case, 1, &[k, k])?);
            let largest = |m: &Tensor<f64>| m.singular_values()?.max();
            Ok(largest(&rnn_jacobian(&outputs, &u)?)? <= largest(&u)?.powi(t as i32) * (1.0 + 1e-9))
        }),
        drawn("rnn-gradient.orthogonal", ID, "around h = 0 an orthogonal U of gain g scales every gradient by gᵀ: below 1 it vanishes, above 1 it explodes")
            .draw(Draw::log("gain", 0.5..=2.0).limited(0.1..=10.0))
            .within("rounding, relative", 1e-9)
            .check(|case| {
                let (t, k, gain) = (case.size("t"), case.size("h"), case.real("gain"));
                let u = Init::orthogonal().tensor::<f64>([k, k], Fans::dense(k, k), &mut rng(case.seed("values")))?;
                let jacobian = rnn_jacobian(&Tensor::zeros([t, k])?, &u.scale(gain))?;
                let values = jacobian.singular_values()?;
                Ok(values.as_slice().iter().map(|v| (v / gain.powi(t as i32) - 1.0).abs()).fold(0.0, f64::max))
            }),
    ]
}

fn gru() -> Vec<Property> {
    const ID: &[&str] = &["gru-step"];
    let parts = |case: &mut Case<'_>| -> Result<Vec<Tensor<f64>>> {
        let (n, t, d, h) = (case.size("n"), case.size("t"), case.size("d"), case.size("h"));
        let mut all = vec![normal(case, 0, &[n, t, d])?];
        for gate in 0..3 {
            all.push(normal(case, 10 + gate, &[d, h])?);
            all.push(normal(case, 20 + gate, &[h, h])?);
            all.push(normal(case, 30 + gate, &[h])?);
        }
        all.push(normal(case, 40, &[h])?);
        Ok(all)
    };
    let layer = |v: &[Var<f64>]| {
        let gate = |k: usize| GateWeights { x: v[k].clone(), h: v[k + 1].clone(), b: v[k + 2].clone() };
        Gru { reset: gate(1), update: gate(4), new: gate(7), new_bias: v[10].clone() }
    };
    let constants = |all: &[Tensor<f64>]| all.iter().cloned().map(Var::constant).collect::<Vec<_>>();
    vec![
        drawn("gru-step.definition", ID, "it is the four equations, one number at a time")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let all = parts(case)?;
                let y = run(&layer(&constants(&all)), &all[0])?;
                let (x, k) = (&all[0], all[10].len());
                let mut off = 0.0f64;
                for sample in 0..x.dims()[0] {
                    let mut h = vec![0.0; k];
                    for step in 0..x.dims()[1] {
                        let row = x.select(0, sample)?.select(0, step)?;
                        let own = |gate: usize, j: usize| {
                            times(row.as_slice(), &all[gate], j) + all[gate + 2].as_slice()[j]
                        };
                        let next = (0..k).map(|j| {
                            let r = sigmoid(own(1, j) + times(&h, &all[2], j));
                            let z = sigmoid(own(4, j) + times(&h, &all[5], j));
                            let n = (own(7, j) + r * (times(&h, &all[8], j) + all[10].as_slice()[j])).tanh();
                            (1.0 - z) * n + z * h[j]
                        });
                        h = next.collect();
                        off += y
                            .select(0, sample)?
                            .select(0, step)?
                            .max_difference(&Tensor::from_vec(h.clone(), [k])?)?;
                    }
                }
                Ok(off)
            }),
        composite_gradient_property(
            drawn("gru-step.gradient", ID, "the gradient in x and all ten parameters"),
            move |case| {
                let f = move |v: &[Var<f64>]| layer(v).forward(&v[0], &mut Mode::Eval);
                Ok((f, parts(case)?))
            },
        ),
        drawn(
            "gru-step.gates",
            ID,
            "an update gate that is open keeps h = 0; both shut, no step knows the one before",
        )
        .holds(move |case| {
            let mut all = parts(case)?;
            all[6] = all[6].map(|_| 60.0);
            let kept = run(&layer(&constants(&all)), &all[0])?.as_slice().iter().all(|h| h.abs() < 1e-12);
            all[6] = all[6].map(|_| -60.0);
            all[3] = all[3].map(|_| -60.0);
            let y = run(&layer(&constants(&all)), &all[0])?;
            let t = all[0].dims()[1];
            all[0] = all[0].slice(1, t - 1..t)?;
            let last = run(&layer(&constants(&all)), &all[0])?;
            Ok(kept && last.max_difference(&y.slice(1, t - 1..t)?)? < 1e-12)
        }),
    ]
}
