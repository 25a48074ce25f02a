//! Values, running statistics and gradients against PyTorch's: golden/norms.csv, written by golden/norms.py.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

use gradus_autograd::{Layer, Mode, Var};
use gradus_layers::{BatchNorm1d, BatchNorm2d, Embedding, GroupNorm, LayerNorm, Linear, RmsNorm};
use gradus_tensor::{Tensor, rng};
use std::collections::BTreeMap;

type Rows = BTreeMap<(String, String), Vec<f64>>;

fn golden() -> Rows {
    let text = include_str!("golden/norms.csv");
    let mut rows = Rows::new();
    for line in text.lines() {
        let mut cells = line.split(',');
        let mut name = || cells.next().unwrap().to_owned();
        let key = (name(), name());
        rows.insert(key, cells.map(|cell| cell.parse().unwrap()).collect());
    }
    rows
}

/// The numbers of the script's `made`.
fn made(shape: &[usize], phase: f64) -> Tensor<f64> {
    let count = shape.iter().product::<usize>();
    let values = (0..count).map(|i| (1.7 * i as f64 + phase).sin() * 2.0 + phase).collect();
    Tensor::from_vec(values, shape).unwrap()
}

fn cosines(y: &Tensor<f64>) -> Tensor<f64> {
    Tensor::from_vec((0..y.len()).map(|i| (i as f64).cos()).collect(), y.shape()).unwrap()
}

#[track_caller]
fn close(rows: &mut Rows, case: &str, what: &str, ours: &Tensor<f64>) {
    let theirs = rows.remove(&(case.into(), what.into())).unwrap_or_else(|| panic!("{case}: no {what}"));
    let theirs = Tensor::from_vec(theirs, ours.shape()).unwrap();
    let off = ours.max_difference(&theirs).unwrap();
    assert!(off < 1e-12, "{case}, {what}: {off:e} apart\n{ours:?}\n{theirs:?}");
}

/// A layer's case. `turned` says which way its `weight` lies.
fn check(rows: &mut Rows, case: &str, layer: &dyn Layer<f64>, shape: &[usize], turned: bool) {
    let turn = |t: Tensor<f64>| if turned && t.rank() == 2 { t.transpose().unwrap() } else { t };
    for (i, (_, parameter)) in layer.named_parameters().iter().enumerate() {
        let theirs = turn(parameter.value());
        parameter.update(|value| *value = turn(made(theirs.dims(), 0.25 * (i + 1) as f64)));
    }
    let x = Var::parameter(made(shape, 0.5));
    let random = &mut rng(0);
    let y = layer.forward(&x, &mut Mode::Train(random)).unwrap();
    close(rows, case, "train", &y.value());
    let gradients = y.backward_with(&cosines(&y.value())).unwrap();
    close(rows, case, "gradient", gradients.get(&x).unwrap());
    for (name, parameter) in layer.named_parameters() {
        close(rows, case, &format!("gradient {name}"), &turn(gradients.get(&parameter).unwrap().clone()));
    }
    layer.forward(&Var::constant(made(shape, -1.5)), &mut Mode::Train(random)).unwrap();
    let eval = layer.forward(&Var::constant(made(shape, 2.5)), &mut Mode::Eval).unwrap();
    close(rows, case, "eval", &eval.value());
    let learned: Vec<String> = layer.named_parameters().into_iter().map(|(name, _)| name).collect();
    for (name, value) in layer.state().into_iter().filter(|(name, _)| !learned.contains(name)) {
        close(rows, case, &name, &value);
    }
}

#[test]
fn layers_are_pytorchs_to_twelve_digits() {
    let rows = &mut golden();
    let random = &mut rng(1);
    check(rows, "linear", &Linear::new(3, 2, random).unwrap(), &[4, 3], true);
    check(rows, "layer_norm", &LayerNorm::new([6]).unwrap().eps(1e-3).unwrap(), &[4, 6], false);
    check(rows, "layer_norm_2", &LayerNorm::new([3, 2]).unwrap(), &[4, 3, 2], false);
    check(rows, "rms_norm", &RmsNorm::new([6]).unwrap().eps(1e-3).unwrap(), &[4, 6], false);
    check(rows, "group_norm", &GroupNorm::new(2, 4).unwrap(), &[3, 4, 2, 3], false);
    let one = BatchNorm1d::new(3).unwrap().momentum(0.3).unwrap();
    check(rows, "batch_norm_1d", &one, &[5, 3], false);
    check(rows, "batch_norm_1d_length", &BatchNorm1d::new(3).unwrap(), &[4, 3, 2], false);
    let two = BatchNorm2d::new(3).unwrap().eps(1e-3).unwrap().momentum(0.25).unwrap();
    check(rows, "batch_norm_2d", &two, &[2, 3, 2, 2], false);

    let table = Embedding::from_tensor(made(&[5, 3], 0.25)).unwrap().with_padding(1).unwrap();
    let y = table.forward(&Tensor::from([[1u32, 4, 0], [4, 4, 2]])).unwrap();
    close(rows, "embedding", "train", &y.value());
    let gradients = y.backward_with(&cosines(&y.value())).unwrap();
    close(rows, "embedding", "gradient weight", gradients.get(&table.weight).unwrap());
    assert!(rows.is_empty(), "nobody looked at {:?}", rows.keys());
}
