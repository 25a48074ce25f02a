//! W10: attention forward, and forward and backward; an encoder's block in training and in use; a GPT that writes.

use crate::timing::{Bench, Work};
use gradus_autograd::{Mode, Op, Var, no_grad};
use gradus_benches::normal;
use gradus_optimization::{Optimizer, Sgd};
use gradus_transformer::{Attention, BlockShape, EncoderBlock, Gpt, GptShape, Mask, NormPlace, Sampler};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::hint::black_box;

/// Name, samples, heads, length, numbers of a head.
const CASES: &[(&str, [usize; 4])] =
    &[("attn512", [8, 8, 512, 64]), ("attn2048", [1, 8, 2048, 64]), ("attn16384", [1, 1, 16_384, 64])];

pub(crate) fn run(bench: &Bench) -> crate::Result {
    for &(name, [samples, heads, n, d]) in CASES {
        for causal in [false, true] {
            attention(
                bench,
                &format!("{name}{}", if causal { "_causal" } else { "" }),
                [samples * heads, n, d],
                causal,
            )?;
        }
    }
    encoder(bench)?;
    decoding(bench)
}

fn attention(bench: &Bench, name: &str, dims: [usize; 3], causal: bool) -> crate::Result {
    let (value, step) = (format!("{name}_f"), format!("{name}_fb"));
    if !bench.wants(&value) && !bench.wants(&step) {
        return Ok(());
    }
    let [heads, n, d] = dims;
    let flop = 4 * heads * n * n * d / if causal { 2 } else { 1 };
    let op = Attention::<f32>::new(1, if causal { Mask::causal() } else { Mask::default() });
    let (q, k, v, dy) =
        (normal::<f32>(dims)?, normal::<f32>(dims)?, normal::<f32>(dims)?, normal::<f32>(dims)?);
    bench.case(&value, "gradus", Work { flop, ..Work::default() }, 1, || {
        black_box(op.eval([&q, &k, &v])?);
        Ok(())
    })?;
    bench.case(&step, "gradus", Work { flop: 3 * flop, ..Work::default() }, 1, || {
        let (y, saved) = Op::<f32, 3>::forward(&op, [&q, &k, &v])?;
        black_box((y, op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?));
        Ok(())
    })
}

fn encoder(bench: &Bench) -> crate::Result {
    let (value, step) = ("encoder_d512_f", "encoder_d512_step");
    if !bench.wants(value) && !bench.wants(step) {
        return Ok(());
    }
    let shape = BlockShape { norm: NormPlace::Post, ..BlockShape::new(512, 8) };
    let block = EncoderBlock::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
    let (x, dy) = (Var::constant(normal::<f32>([8, 512, 512])?), normal::<f32>([8, 512, 512])?);
    let flop = 2 * 8 * 512 * (4 * 512 * 512 + 2 * 512 * 2048) + 4 * 8 * 8 * 512 * 512 * 64;
    let work = |flop| Work { flop, items: 8 * 512, ..Work::default() };
    let mut sgd = Sgd::new(0.01);
    bench.case(step, "gradus", work(3 * flop), 1, || {
        let gradients = block.forward(&x, &Mask::default(), &mut Mode::Eval)?.backward_with(&dy)?;
        sgd.step(&block, &gradients)?;
        Ok(())
    })?;
    bench.case(value, "gradus", work(flop), 1, || {
        no_grad(|| {
            black_box(block.forward(&x, &Mask::default(), &mut Mode::Eval)?);
            Ok(())
        })
    })
}

fn decoding(bench: &Bench) -> crate::Result {
    let name = "gpt_decode256";
    if !bench.wants(name) {
        return Ok(());
    }
    let shape = GptShape { tokens: 65, context: 256, layers: 6, heads: 6, width: 384, dropout: 0.0 };
    let mut model = Gpt::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?.cached()?;
    let count = 255 * 12 * 6 * 384 * 384;
    let work = Work { flop: 2 * count, bytes: 4 * count, items: 255 };
    bench.case(name, "gradus", work, 1, || {
        for token in model.generate(&[1], Sampler::greedy(), ChaCha8Rng::seed_from_u64(1)).longest(255) {
            black_box(token?);
        }
        Ok(())
    })
}
