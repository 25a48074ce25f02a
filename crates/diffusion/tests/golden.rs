//! PyTorch's layers, put together in the same way, give the same: `golden.py` has asked them.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Mode, Parameters, Var};
use gradus_diffusion::{Denoiser, DenoisingUNet, UNetShape};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde_json::Value;
use std::collections::BTreeMap;

fn tensor(value: &Value) -> Tensor<f64> {
    let shape: Vec<usize> =
        value["shape"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as usize).collect();
    let data = value["data"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
    Tensor::from_vec(data, shape).unwrap()
}

/// Their dense weights lie as `[outputs, inputs]`; a table of vectors lies as ours.
fn ours(value: &Value) -> BTreeMap<String, Tensor<f64>> {
    let one = |(name, value): (&String, &Value)| {
        let own = tensor(value);
        let dense = own.rank() == 2 && !name.contains("classes");
        (name.clone(), if dense { own.transpose().unwrap() } else { own })
    };
    value.as_object().unwrap().iter().map(one).collect()
}

fn near(name: &str, ours: &Tensor<f64>, theirs: &Tensor<f64>) {
    // Double precision on both sides; some thousand terms.
    let off = ours.max_difference(theirs).unwrap() / (1.0 + theirs.abs().max().unwrap());
    assert!(off < 1e-12, "{name} is off by {off:e}");
}

#[test]
fn a_u_net_with_attention_and_classes_is_pytorchs_with_all_gradients() {
    let all: Value = serde_json::from_str(include_str!("golden.json")).unwrap();
    let theirs = &all["unet"];
    let shape =
        UNetShape { width: 4, levels: 2, groups: 2, told: 6, classes: 3, heads: 2, ..UNetShape::default() };
    let net = DenoisingUNet::<f64>::new(shape, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    net.load_state(&ours(&theirs["state"])).unwrap();
    let x = Var::parameter(tensor(&theirs["x"]));
    let y = net.denoise(&x, &[3, 700], Some(&[1, 3]), &mut Mode::Eval).unwrap();
    near("y", &y.value(), &tensor(&theirs["y"]));
    let gradients = y.backward_with(&tensor(&theirs["dy"])).unwrap();
    near("dx", gradients.get(&x).unwrap(), &tensor(&theirs["dx"]));
    let expected = ours(&theirs["gradients"]);
    assert_eq!(net.named_parameters().len(), expected.len());
    for (name, parameter) in net.named_parameters() {
        near(&name, gradients.get(&parameter).unwrap(), &expected[&name]);
    }
}
