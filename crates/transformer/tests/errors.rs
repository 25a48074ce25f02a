//! Bad input is refused by name, with what was allowed.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_autograd::{Mode, Op, Parameters, Var};
use gradus_tensor::Tensor;
use gradus_transformer::{
    Attention, BlockShape, Gpt, GptShape, Mask, ModelShape, MultiHead, Reach, Rotary, Sampler, Tagger,
    Transformer, attention, attention_weights, convolutional_cost, dependence, path_length,
    positional_encoding, restricted_cost,
};
use rand::{SeedableRng, rngs::ChaCha8Rng};

fn zeros(dims: &[usize]) -> Tensor<f64> {
    Tensor::zeros(dims).unwrap()
}

fn said<T, E: std::fmt::Display>(result: Result<T, E>) -> String {
    result.err().unwrap().to_string()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn gpt() -> Gpt<f32> {
    let shape = GptShape { tokens: 5, context: 4, layers: 1, heads: 2, width: 4, dropout: 0.0 };
    Gpt::new(shape, &mut rng()).unwrap()
}

#[test]
fn shapes_that_do_not_fit_are_named() {
    let run = |op: &Attention<f64>, q: &[usize], k: &[usize], v: &[usize]| {
        said(op.eval([&zeros(q), &zeros(k), &zeros(v)]))
    };
    let one = Attention::default();
    assert!(run(&one, &[3], &[2, 4], &[2, 4]).contains("q of at least two dimensions"));
    assert!(run(&one, &[3, 4], &[2, 5], &[2, 4]).contains("as many numbers"));
    assert!(run(&one, &[2, 3, 4], &[1, 2, 4], &[1, 2, 4]).contains("same samples"));
    assert!(run(&one, &[3, 4], &[2, 4], &[3, 4]).contains("as many values as keys"));
    assert!(run(&one, &[3, 0], &[2, 0], &[2, 4]).contains("multiple of 1 heads"));
    assert!(
        run(&Attention::new(3, Mask::default()), &[3, 4], &[2, 4], &[2, 4]).contains("multiple of 3 heads")
    );
    assert!(run(&Attention::new(0, Mask::default()), &[3, 4], &[2, 4], &[2, 4]).contains("heads = 0"));
    let grouped = Attention { key_heads: Some(4), ..Attention::new(6, Mask::default()) };
    assert!(run(&grouped, &[3, 6], &[2, 4], &[2, 4]).contains("a divisor of the 6 heads"));
    let dropped = Attention { dropout: Some((1.5, 1)), ..Attention::default() };
    assert!(run(&dropped, &[3, 4], &[2, 4], &[2, 4]).contains("p = 1.5"));
    assert!(said(Op::<f64, 1>::eval(&one, [&zeros(&[2, 4])])).contains("multiple of 3 heads"));
    assert!(
        said(attention(&zeros(&[3, 4]), &zeros(&[2, 4]), &zeros(&[3, 4]), &Mask::default()))
            .contains("as many values")
    );
    assert!(
        said(attention_weights(&zeros(&[4]), &zeros(&[2, 4]), &Mask::default())).contains("two dimensions")
    );
    let (x, op) = (zeros(&[3, 4]), Attention::<f64>::default());
    let (_, saved) = Op::<f64, 3>::forward(&op, [&x, &x, &x]).unwrap();
    assert!(said(op.vjp([&x, &x, &x], &saved, &zeros(&[2, 4]), [true; 3])).contains("gradient"));
}

#[test]
fn masks_are_held_against_the_sizes() {
    let x = zeros(&[2, 5, 4]);
    let run = |mask: Mask<f64>| said(Attention::new(1, mask).eval([&x, &x, &x]));
    assert_eq!(
        run(Mask::default().lengths(&[5, 6])),
        "attention: length = 6, allowed: at most the 5 keys of the batch"
    );
    assert_eq!(
        run(Mask::default().lengths(&[5])),
        "attention: lengths = 1 of them, allowed: one for each of 2 samples"
    );
    let table = |dims: &[usize]| Mask::default().allowed(Tensor::full(dims, true).unwrap());
    for dims in [&[5][..], &[4, 5], &[3, 5, 5], &[2, 2, 5, 5], &[1, 1, 1, 5, 5]] {
        assert!(run(table(dims)).contains("a mask that stretches to [2, 1, 5, 5]"), "{dims:?}");
    }
    assert!(run(Mask::default().added(zeros(&[5, 4]))).contains("stretches"));
}

#[test]
fn sizes_of_layers_and_models_are_checked() {
    assert!(
        said(MultiHead::<f32>::new(6, 4, &mut rng()))
            .contains("heads = 4, allowed: a divisor of the width 6")
    );
    assert!(said(MultiHead::<f32>::new(0, 1, &mut rng())).contains("width 0"));
    assert!(said(MultiHead::<f32>::grouped(6, 3, 2, &mut rng())).contains("a divisor of the 3 heads"));
    assert!(said(MultiHead::<f32>::new(6, 2, &mut rng()).unwrap().dropout(-0.1)).contains("p = -0.1"));
    assert!(said(MultiHead::<f32>::new(6, 2, &mut rng()).unwrap().rotary(100.0)).contains("an even number"));
    assert!(said(Rotary::new(4, 1.0)).contains("above 1"));
    let turn =
        |columns, width| said(Rotary::new(4, 10.0).unwrap().columns(columns).eval([&zeros(&[2, width])]));
    assert!(turn(6, 8).contains("whole heads of 4 within 8") && turn(8, 4).contains("whole heads"));
    assert!(said(positional_encoding::<f32>(3, 5)).contains("d = 5"));
    let shape = ModelShape { block: BlockShape::new(4, 2), layers: 1, source: 3, target: 0 };
    assert!(said(Transformer::<f32>::new(shape, &mut rng())).contains("tokens = 0"));
    assert!(said(Tagger::<f32>::new(ModelShape { source: 0, ..shape }, &mut rng())).contains("tokens = 0"));
    let model = Tagger::<f32>::new(ModelShape { target: 2, ..shape }, &mut rng()).unwrap();
    assert!(said(model.forward(&Tensor::from([1u32]), None, &mut Mode::Eval)).contains("[N, T]"));
    assert!(said(model.forward(&Tensor::from([[3u32]]), None, &mut Mode::Eval)).contains('3'));
}

#[test]
fn costs_refuse_what_never_arrives() {
    assert!(said(convolutional_cost(5, 1, 1, Reach::Causal)).contains("at least 2"));
    assert!(said(convolutional_cost(5, 1, 4, Reach::Centred)).contains("odd"));
    assert!(said(restricted_cost(5, 1, 0)).contains("window = 0"));
    assert!(said(dependence(&zeros(&[3]), |x| Ok(x.clone()))).contains("[n, d]"));
    assert!(said(dependence(&zeros(&[3, 2]), |x| x.slice(0, 0..2))).contains("keep the shape"));
    let odd = Tensor::full([2, 3], true).unwrap();
    assert!(said(path_length(&mut [odd].into_iter())).contains("squares"));
    let blind = Tensor::from([[true, false], [false, true]]);
    assert_eq!(path_length(&mut std::iter::repeat_n(blind, 50)).unwrap(), None);
}

#[test]
fn a_gpt_says_what_is_wrong_with_a_file_or_a_text() {
    let shape = GptShape { tokens: 5, context: 4, layers: 1, heads: 3, width: 4, dropout: 0.0 };
    assert!(said(Gpt::<f32>::new(shape, &mut rng())).contains("heads = 3"));
    assert!(
        said(Gpt::<f32>::new(GptShape { heads: 2, context: 0, ..shape }, &mut rng())).contains("context = 0")
    );
    let model = gpt();
    let long = Tensor::from([[0u32; 5]]);
    assert!(said(model.forward(&long, &mut Mode::Eval)).contains("at most the context of 4"));
    let mut state = model.state();
    state.insert("lm_head.weight".into(), Tensor::zeros([5, 4]).unwrap());
    assert!(said(Gpt::from_gpt2(&state, 2)).contains("the two are one matrix"));
    state.remove("lm_head.weight");
    let wte = state.remove("transformer.wte.weight").unwrap();
    assert!(said(Gpt::from_gpt2(&state, 2)).contains("transformer.wte.weight; there are"));
    state.insert("transformer.wte.weight".into(), wte);
    state.insert("transformer.h.0.extra".into(), Tensor::zeros([1]).unwrap());
    assert!(said(Gpt::from_gpt2(&state, 2)).contains("extra"));
}

#[test]
fn a_model_that_writes_refuses_what_it_cannot_read_and_keeps_what_it_has() {
    let mut cached = gpt().cached().unwrap();
    assert!(said(cached.push(&[])).contains("0 of them"));
    assert!(said(cached.push(&[5])).contains("token = 5, allowed: 0..5"));
    cached.push(&[1, 2, 3]).unwrap();
    assert!(said(cached.push(&[1, 2])).contains("1 to 1 of them: the context is 4"));
    assert_eq!(cached.len(), 3);
    cached.push(&[1]).unwrap();
    let written: Result<Vec<u32>, _> = cached.generate(&[], Sampler::default(), rng()).longest(3).collect();
    assert!(said(written).contains("0 of them"), "an empty prompt");
    // An error ends the writing.
    let bad = Sampler { temperature: f64::NAN, ..Sampler::default() };
    assert_eq!(cached.generate(&[1], bad, rng()).count(), 1);
    // A stop token is not written.
    let greedy = cached.generate(&[1], Sampler::greedy(), rng()).longest(1).next().unwrap().unwrap();
    assert_eq!(cached.generate(&[1], Sampler::greedy(), rng()).stop(&[greedy]).count(), 0);
}

#[test]
fn samplers_say_what_is_out_of_range() {
    let of = |sampler: Sampler, logits: &[f64]| said(sampler.probabilities(logits));
    let with = Sampler::default();
    assert!(of(Sampler { temperature: -1.0, ..with }, &[1.0]).contains("temperature = -1"));
    assert!(of(Sampler { top_k: Some(0), ..with }, &[1.0]).contains("top_k = 0"));
    assert!(of(Sampler { top_p: Some(1.5), ..with }, &[1.0]).contains("top_p = 1.5"));
    for logits in [&[][..], &[1.0, f64::NAN], &[f64::INFINITY], &[f64::NEG_INFINITY; 2]] {
        assert!(of(with, logits).contains("largest logit"), "{logits:?}");
    }
    assert_eq!(with.probabilities(&[0.0, f64::NEG_INFINITY]).unwrap(), [1.0, 0.0]);
}

#[test]
fn sizes_of_nothing_give_nothing() {
    let op = Attention::<f64>::default();
    assert_eq!(op.eval([&zeros(&[0, 4]), &zeros(&[3, 4]), &zeros(&[3, 2])]).unwrap().shape(), [0, 2]);
    assert_eq!(op.eval([&zeros(&[2, 4]), &zeros(&[0, 4]), &zeros(&[0, 2])]).unwrap(), zeros(&[2, 2]));
    let (x, none) = (zeros(&[0, 3, 4]), Var::parameter(zeros(&[0, 3, 4])));
    assert_eq!(op.eval([&x, &x, &x]).unwrap().shape(), [0, 3, 4]);
    let y = Var::apply(op, [&none, &none, &none]).unwrap().sum().unwrap();
    assert_eq!(y.backward().unwrap().get(&none).unwrap().shape(), [0, 3, 4]);
}
