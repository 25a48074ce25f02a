//! Other libraries' weights give here what they gave there: `golden.py` has asked PyTorch and onnxruntime.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_lstm::{Lstm, OnnxLstm};
use gradus_tensor::Tensor;
use serde_json::Value;
use std::collections::BTreeMap;

fn golden(part: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    all[part].clone()
}

fn tensor(value: &Value) -> Tensor<f64> {
    let shape: Vec<usize> =
        value["shape"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    let data = value["data"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    Tensor::from_vec(data, shape).unwrap()
}

fn tensors(value: &Value) -> BTreeMap<String, Tensor<f64>> {
    value.as_object().unwrap().iter().map(|(name, value)| (name.clone(), tensor(value))).collect()
}

/// Double precision on both sides.
const ROUNDING: f64 = 1e-13;

#[test]
fn two_layers_in_both_directions_with_several_lengths_are_pytorchs_and_so_are_their_gradients() {
    let theirs = golden("pytorch");
    let lstm = Lstm::from_pytorch(&tensors(&theirs["state"])).unwrap();
    let lengths: Vec<usize> =
        theirs["lengths"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    let x = Var::constant(tensor(&theirs["x"]));
    let (y, state) = lstm.run(&x, Some(&lengths), None, &mut Mode::Eval).unwrap();
    for (ours, name) in [(&y, "y"), (&state.h, "h"), (&state.c, "c")] {
        let off = ours.value().max_difference(&tensor(&theirs[name])).unwrap();
        assert!(off < ROUNDING, "{name} is off by {off:e}");
    }
    let gradients = y.backward_with(&tensor(&theirs["cotangent"])).unwrap();
    let expected = tensors(&theirs["gradients"]);
    for (name, parameter) in lstm.named_parameters() {
        let ours = gradients.get(&parameter).unwrap();
        // One bias here is two there, each with the same gradient.
        let theirs = expected.get(&name).unwrap_or_else(|| &expected[&name.replace("bias", "bias_ih")]);
        let theirs = if theirs.rank() == 2 { theirs.transpose().unwrap() } else { theirs.clone() };
        let off = ours.max_difference(&theirs).unwrap();
        assert!(off < ROUNDING, "the gradient of {name} is off by {off:e}");
    }
}

#[test]
fn onnx_operator_with_peepholes_is_ours() {
    let theirs = golden("onnx");
    let part = |name: &str| tensor(&theirs[name]);
    let layer = OnnxLstm { w: part("w"), r: part("r"), b: part("b"), p: Some(part("p")) };
    let lstm = Lstm::from_onnx(&[layer]).unwrap();
    let x = Var::constant(part("x").permute(&[1, 0, 2]).unwrap());
    let y = lstm.forward(&x, &mut Mode::Eval).unwrap().value();
    // [T, directions, N, H] there.
    let theirs = part("y").permute(&[2, 0, 1, 3]).unwrap().reshape(y.shape()).unwrap();
    let off = y.max_difference(&theirs).unwrap();
    assert!(off < 1e-6, "off by {off:e}, of numbers in single precision");
}
