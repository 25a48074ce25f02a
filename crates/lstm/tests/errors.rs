//! Bad input is refused by name, with what was allowed.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Mode, Op, Var};
use gradus_lstm::{
    Gate, GateOrder, Lstm, LstmShape, LstmWeights, OnnxLstm, Recurrence, cell_path, rnn_jacobian,
};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::collections::BTreeMap;

fn zeros(dims: &[usize]) -> Tensor<f64> {
    Tensor::zeros(dims).unwrap()
}

fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.err().unwrap().to_string()
}

fn lstm(shape: LstmShape) -> gradus_tensor::Result<Lstm<f64>> {
    Lstm::new(shape, &mut ChaCha8Rng::seed_from_u64(1))
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let (x, h, w, u, b) = (zeros(&[2, 5, 3]), zeros(&[2, 4]), zeros(&[3, 16]), zeros(&[4, 16]), zeros(&[16]));
    let run = |all: [&Tensor<f64>; 6]| said(Op::<f64, 6>::eval(&Recurrence::default(), all));
    assert!(run([&zeros(&[2, 5]), &h, &h, &w, &u, &b]).contains("[N, T, D]"));
    assert!(run([&x, &zeros(&[3, 4]), &h, &w, &u, &b]).contains("h₀"));
    assert!(run([&x, &h, &zeros(&[2, 5]), &w, &u, &b]).contains("C₀"));
    assert!(run([&x, &h, &h, &zeros(&[2, 16]), &u, &b]).contains("W of the shape"));
    assert!(run([&x, &h, &h, &w, &zeros(&[4, 12]), &b]).contains("U of the shape"));
    assert!(run([&x, &h, &h, &w, &u, &zeros(&[4])]).contains("b of the shape"));
    assert!(run([&zeros(&[2, 5, 0]), &h, &h, &zeros(&[0, 16]), &u, &b]).contains("inputs = 0"));
    let p = zeros(&[4, 4]);
    assert!(
        said(Op::<f64, 7>::eval(&Recurrence::default(), [&x, &h, &h, &w, &u, &b, &p]))
            .contains("p of the shape")
    );
}

#[test]
fn lengths_are_held_against_the_batch() {
    let net = lstm(LstmShape::new(3, 4)).unwrap();
    let x = Var::constant(zeros(&[2, 5, 3]));
    let run = |lengths: &[usize]| said(net.run(&x, Some(lengths), None, &mut Mode::Eval));
    assert_eq!(run(&[5, 6]), "lstm: length = 6, allowed: at most the 5 steps of the batch");
    assert_eq!(run(&[5]), "lstm: lengths = 1 of them, allowed: one for each of 2 samples");
    let state = net.zero_state(3).unwrap();
    assert!(said(net.run(&x, None, Some(&state), &mut Mode::Eval)).contains("state h"));
}

#[test]
fn nothing_at_all_is_a_sequence_too() {
    let net = lstm(LstmShape { layers: 2, bidirectional: true, ..LstmShape::new(3, 4) }).unwrap();
    for dims in [[0, 5, 3], [2, 0, 3], [0, 0, 3]] {
        let x = Var::parameter(zeros(&dims));
        let (y, state) = net.run(&x, None, None, &mut Mode::Eval).unwrap();
        assert_eq!(
            (y.shape().dims(), state.h.shape().dims()),
            (&[dims[0], dims[1], 8][..], &[4, dims[0], 4][..])
        );
        let gradients = y.sum().unwrap().add(&state.c.sum().unwrap()).unwrap().backward().unwrap();
        assert!(net.layers().iter().all(|w| gradients.get(&w.bias).is_none_or(Tensor::is_finite)));
    }
}

#[test]
fn sizes_of_nothing_and_weights_of_others_are_refused() {
    assert!(said(lstm(LstmShape::new(0, 4))).contains("at least 1"));
    assert!(said(lstm(LstmShape::new(3, 0))).contains("at least 1"));
    assert!(said(lstm(LstmShape { layers: 0, ..LstmShape::new(3, 4) })).contains("layers = 0"));
    assert!(said(lstm(LstmShape { dropout: 1.5, ..LstmShape::new(3, 4) })).contains("1.5"));
    let weights = || LstmWeights::new(zeros(&[3, 16]), zeros(&[4, 16]), zeros(&[16]), None).unwrap();
    let two = LstmShape { layers: 2, ..LstmShape::new(3, 4) };
    assert!(said(Lstm::from_weights(two, vec![weights()])).contains("1 of them"));
    assert!(said(Lstm::from_weights(two, vec![weights(), weights()])).contains("layer 1"));
    assert!(
        said(GateOrder::new([Gate::Input, Gate::Input, Gate::Output, Gate::Forget]))
            .contains("each gate once")
    );
    assert!(said(GateOrder::ONNX.part(&zeros(&[6]), 0, Gate::Input)).contains("multiple of 4"));
    assert!(
        said(lstm(LstmShape::new(3, 4)).unwrap().remembering(1, &mut ChaCha8Rng::seed_from_u64(1)))
            .contains("2 steps")
    );
    assert!(said(cell_path(&zeros(&[3]))).contains("[T, H]"));
    assert!(said(rnn_jacobian(&zeros(&[3, 2]), &zeros(&[3, 3]))).contains("[2, 2]"));
}

#[test]
fn foreign_states_say_what_is_missing_or_unknown() {
    let net = lstm(LstmShape::new(3, 4)).unwrap();
    let mut state = net.to_pytorch().unwrap();
    state.insert("weight_hr_l0".into(), zeros(&[2, 4]));
    assert!(said(Lstm::from_pytorch(&state)).contains("weight_hr_l0"));
    state.remove("weight_hr_l0");
    state.remove("bias_hh_l0");
    assert!(said(Lstm::from_pytorch(&state)).contains("bias_hh_l0"));
    state.remove("bias_ih_l0"); // bias=False
    assert!(Lstm::from_pytorch(&state).is_ok());
    assert!(said(Lstm::<f64>::from_pytorch(&BTreeMap::new())).contains("weight_ih_l0"));
    assert!(said(Lstm::<f64>::from_onnx(&[])).contains("layers"));
    let layer = OnnxLstm { w: zeros(&[3, 16, 3]), r: zeros(&[3, 16, 4]), b: zeros(&[3, 32]), p: None };
    assert!(said(Lstm::from_onnx(&[layer])).contains("[1 or 2, 4H, D]"));
}
