//! Other libraries' weights: each layout read by a plain loop as its documentation says, so that a wrong order is seen.

use super::{ROUNDING, normal, sizes};
use crate::{Lstm, LstmShape, OnnxLstm};
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let formulas: &[&str] = &["lstm-equations"];
    vec![
        sizes(
            "lstm-equations.pytorch",
            formulas,
            "PyTorch's weights, i f g o with two biases, do here what its documentation says",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (d, h) = (case.size("d"), case.size("h"));
            let state = [
                ("weight_ih_l0".to_owned(), normal(case, 1, &[4 * h, d])?),
                ("weight_hh_l0".to_owned(), normal(case, 2, &[4 * h, h])?),
                ("bias_ih_l0".to_owned(), normal(case, 3, &[4 * h])?),
                ("bias_hh_l0".to_owned(), normal(case, 4, &[4 * h])?),
            ];
            let lstm = Lstm::from_pytorch(&state.clone().into())?;
            let [w, r, b, b2] = state.map(|(_, t)| t);
            let bias = b.add(&b2)?;
            compare(case, &lstm, &Theirs { w: &w, r: &r, bias: bias.as_slice(), order: [0, 1, 2, 3] })
        }),
        sizes(
            "lstm-equations.onnx",
            formulas,
            "ONNX' weights, i o f c with one bias behind the other, do here what its specification says",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (d, h) = (case.size("d"), case.size("h"));
            let layer = OnnxLstm {
                w: normal(case, 1, &[1, 4 * h, d])?,
                r: normal(case, 2, &[1, 4 * h, h])?,
                b: normal(case, 3, &[1, 8 * h])?,
                p: None,
            };
            let both: Vec<f64> =
                (0..4 * h).map(|k| layer.b.as_slice()[k] + layer.b.as_slice()[4 * h + k]).collect();
            let (w, r) = (layer.w.select(0, 0)?, layer.r.select(0, 0)?);
            let lstm = Lstm::from_onnx(&[layer])?;
            // Where its i, f, c, o stand among i, o, f, c.
            compare(case, &lstm, &Theirs { w: &w, r: &r, bias: &both, order: [0, 2, 3, 1] })
        }),
        sizes(
            "lstm-equations.round-trip",
            formulas,
            "to PyTorch or ONNX and back is where one was, for any shape; so is the state by name",
        )
        .draw(Draw::size("layers", 1..=3))
        .draw(Draw::choice("directions", &["one", "both"]))
        .draw(Draw::choice("peepholes", &["with", "without"]))
        .holds(round_trip),
    ]
}

/// Another library's weights of one layer: matrices `[4H, …]`, the biases added, and where its i, f, g, o stand.
struct Theirs<'a> {
    w: &'a Tensor<f64>,
    r: &'a Tensor<f64>,
    bias: &'a [f64],
    order: [usize; 4],
}

/// Step after step, one number at a time.
fn compare(case: &mut Case<'_>, lstm: &Lstm<f64>, theirs: &Theirs<'_>) -> Result<f64, Failure> {
    let (n, t, d, h) = (case.size("n"), case.size("t"), case.size("d"), case.size("h"));
    let x = normal(case, 0, &[n, t, d])?;
    let mut expected = Tensor::zeros([n, t, h])?;
    for sample in 0..n {
        let (mut state, mut cell) = (vec![0.0f64; h], vec![0.0f64; h]);
        for step in 0..t {
            let sum = |gate: usize, unit: usize| -> Result<f64> {
                let row = theirs.order[gate] * h + unit;
                let mut z = theirs.bias[row];
                for k in 0..d {
                    z += theirs.w.get([row, k])? * x.get([sample, step, k])?;
                }
                for (k, state) in state.iter().enumerate() {
                    z += theirs.r.get([row, k])? * state;
                }
                Ok(z)
            };
            let logistic = |z: f64| 1.0 / (1.0 + (-z).exp());
            let mut next = vec![0.0; h];
            for unit in 0..h {
                let (i, f) = (logistic(sum(0, unit)?), logistic(sum(1, unit)?));
                let (g, o) = (sum(2, unit)?.tanh(), logistic(sum(3, unit)?));
                cell[unit] = f * cell[unit] + i * g;
                next[unit] = o * cell[unit].tanh();
                expected.set([sample, step, unit], next[unit])?;
            }
            state = next;
        }
    }
    let y = lstm.forward(&Var::constant(x), &mut Mode::Eval)?;
    Ok(y.value().max_difference(&expected)?)
}

fn round_trip(case: &mut Case<'_>) -> Result<bool, Failure> {
    let shape = LstmShape {
        layers: case.size("layers"),
        bidirectional: case.choice("directions") == "both",
        peepholes: case.choice("peepholes") == "with",
        ..LstmShape::new(case.size("d"), case.size("h"))
    };
    let lstm = Lstm::<f64>::new(shape, &mut rng(case.seed("values")))?;
    // Nothing may stay as it began.
    for (k, (_, parameter)) in lstm.named_parameters().into_iter().enumerate() {
        let drawn = normal(case, 10 + k as u64, parameter.shape().dims())?;
        parameter.update(|value| *value = drawn);
    }
    let same = |other: &Lstm<f64>| other.state() == lstm.state() && other.shape() == shape;
    let onnx = same(&Lstm::from_onnx(&lstm.to_onnx()?)?);
    let pytorch = match shape.peepholes {
        true => lstm.to_pytorch().is_err(), // it has none
        false => same(&Lstm::from_pytorch(&lstm.to_pytorch()?)?),
    };
    let fresh = Lstm::<f64>::new(shape, &mut rng(1))?;
    fresh.load_state(&lstm.state())?;
    Ok(onnx && pytorch && same(&fresh))
}
