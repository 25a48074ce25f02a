//! Other libraries' weights give here what they gave there: `golden.py` has asked PyTorch.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Mode, Op, Parameters, Var};
use gradus_tensor::Tensor;
use gradus_transformer::{
    Attention, Bend, BlockShape, Decoder, EncoderBlock, Gpt, Mask, NormPlace, from_pytorch,
};
use rand::{SeedableRng, rngs::ChaCha8Rng};
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

fn near(name: &str, ours: &Tensor<f64>, theirs: &Tensor<f64>) {
    // Double precision on both sides.
    let off = ours.max_difference(theirs).unwrap();
    assert!(off < 1e-12, "{name} is off by {off:e}");
}

fn gradients(layer: &dyn Parameters<f64>, gradients: &gradus_autograd::Gradients<f64>, theirs: &Value) {
    let expected = from_pytorch(&tensors(theirs)).unwrap();
    assert_eq!(layer.named_parameters().len(), expected.len());
    for (name, parameter) in layer.named_parameters() {
        near(&name, gradients.get(&parameter).unwrap(), &expected[&name]);
    }
}

#[test]
fn attention_under_a_mask_and_its_gradients_are_pytorchs() {
    let theirs = golden("attention");
    let part = |name: &str| tensor(&theirs[name]);
    let allowed: Vec<bool> = (theirs["mask"].as_array().unwrap().iter())
        .flat_map(|sample| sample.as_array().unwrap())
        .flat_map(|row| row.as_array().unwrap())
        .map(|v| v.as_i64() == Some(1))
        .collect();
    // Their heads are apart, ours side by side.
    let ours = |x: Tensor<f64>| {
        let (t, d) = (x.dims()[2], x.dims()[3]);
        x.permute(&[0, 2, 1, 3]).unwrap().reshape([2, t, 3 * d]).unwrap()
    };
    let [q, k, v, y, dy] = ["q", "k", "v", "y", "dy"].map(|name| ours(part(name)));
    let op = Attention::new(3, Mask::default().allowed(Tensor::from_vec(allowed, [2, 5, 7]).unwrap()));
    let (own, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v]).unwrap();
    near("y", &own, &y);
    let own = op.vjp([&q, &k, &v], &saved, &dy, [true; 3]).unwrap();
    for (own, name) in own.iter().zip(["dq", "dk", "dv"]) {
        near(name, own.as_ref().unwrap(), &ours(part(name)));
    }
}

#[test]
fn an_encoders_block_with_padding_is_pytorchs_normalised_after_and_before() {
    for (name, norm) in [("encoder", NormPlace::Post), ("encoder_pre", NormPlace::Pre)] {
        let theirs = golden(name);
        let shape = BlockShape { hidden: 5, bend: Bend::Gelu, norm, ..BlockShape::new(6, 2) };
        let block = EncoderBlock::<f64>::new(shape, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        block.load_state(&from_pytorch(&tensors(&theirs["state"])).unwrap()).unwrap();
        let x = Var::parameter(tensor(&theirs["x"]));
        let y = block.forward(&x, &Mask::default().lengths(&[4, 3]), &mut Mode::Eval).unwrap();
        near(name, &y.value(), &tensor(&theirs["y"]));
        let all = y.backward_with(&tensor(&theirs["dy"])).unwrap();
        near("dx", all.get(&x).unwrap(), &tensor(&theirs["dx"]));
        gradients(&block, &all, &theirs["gradients"]);
    }
}

#[test]
fn a_stack_of_decoders_is_pytorchs_with_all_gradients() {
    let theirs = golden("decoder");
    let shape = BlockShape { hidden: 5, ..BlockShape::new(6, 3) };
    let stack = Decoder::<f64>::new(shape, 2, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    stack.load_state(&from_pytorch(&tensors(&theirs["state"])).unwrap()).unwrap();
    let (x, memory) = (Var::parameter(tensor(&theirs["x"])), Var::parameter(tensor(&theirs["memory"])));
    let y = stack.forward(&x, &memory, &Mask::causal(), &Mask::default(), &mut Mode::Eval).unwrap();
    near("y", &y.value(), &tensor(&theirs["y"]));
    let all = y.backward_with(&tensor(&theirs["dy"])).unwrap();
    near("dx", all.get(&x).unwrap(), &tensor(&theirs["dx"]));
    near("dmemory", all.get(&memory).unwrap(), &tensor(&theirs["dmemory"]));
    gradients(&stack, &all, &theirs["gradients"]);
}

#[test]
fn gpt2s_and_nanogpts_files_give_their_logits_with_and_without_a_cache() {
    let theirs = golden("gpt2");
    let state = tensors(&theirs["state"]);
    let heads = theirs["heads"].as_u64().unwrap() as usize;
    let ids: Vec<u32> = (theirs["ids"].as_array().unwrap().iter())
        .flat_map(|row| row.as_array().unwrap())
        .map(|v| v.as_u64().unwrap() as u32)
        .collect();
    let logits = tensor(&theirs["logits"]);
    // nanoGPT's: a prefix, transposed matrices, and the embedding once more.
    let mut nano: BTreeMap<String, Tensor<f64>> = BTreeMap::new();
    for (name, tensor) in state.iter().filter(|(name, _)| !name.ends_with(".attn.bias")) {
        let dense = name.contains(".c_") && name.ends_with("weight");
        let tensor = if dense { tensor.transpose().unwrap() } else { tensor.clone() };
        nano.insert(format!("transformer.{name}"), tensor);
    }
    nano.insert("lm_head.weight".into(), state["wte.weight"].clone());
    for state in [&state, &nano] {
        let model = Gpt::from_gpt2(state, heads).unwrap();
        let batch = Tensor::from_vec(ids.clone(), [2, 6]).unwrap();
        near("logits", &model.forward(&batch, &mut Mode::Eval).unwrap().value(), &logits);
        let mut cached = model.cached().unwrap();
        for (i, &id) in ids[6..].iter().enumerate() {
            let expected = logits.select(0, 1).unwrap().select(0, i).unwrap();
            near("cached", &cached.push(&[id]).unwrap(), &expected);
        }
    }
}
