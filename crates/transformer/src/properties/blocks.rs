//! The blocks, and the models that are made of them.

use super::{ROUNDING, normal, shuffled};
use crate::{
    Bend, BlockShape, DecoderBlock, Encoder, EncoderBlock, FeedForward, Mask, ModelShape, NormPlace, Tagger,
    Transformer,
};
use gradus_autograd::{Layer, Mode, Parameters, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::{LayerNorm, Linear};
use gradus_tensor::{Result, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let mut all = feed_forward();
    all.extend(encoder());
    all.extend(decoder());
    all
}

fn drawn(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2).limited(1.0..=8.0))
        .draw(Draw::size("t", 1..=5).limited(1.0..=100.0))
        .draw(Draw::size("s", 1..=5).limited(1.0..=100.0))
        .draw(Draw::size("heads", 1..=2).limited(1.0..=4.0))
        .draw(Draw::size("half", 1..=2).limited(1.0..=8.0))
        .draw(Draw::size("hidden", 1..=5).limited(1.0..=64.0))
        .draw(Draw::choice("norm", &["post", "pre"]))
        .draw(Draw::choice("bend", &["relu", "gelu", "gelu by tanh"]))
        .draw(Draw::seed("values"))
}

fn shape(case: &Case<'_>) -> BlockShape {
    let norm = if case.choice("norm") == "post" { NormPlace::Post } else { NormPlace::Pre };
    let bend = match case.choice("bend") {
        "relu" => Bend::Relu,
        "gelu" => Bend::Gelu,
        _ => Bend::GeluTanh,
    };
    let heads = case.size("heads");
    BlockShape {
        hidden: case.size("hidden"),
        norm,
        bend,
        ..BlockShape::new(heads * 2 * case.size("half"), heads)
    }
}

fn sequence(case: &Case<'_>, which: u64, rows: &str) -> Result<Tensor<f64>> {
    normal(case, which, &[case.size("n"), case.size(rows), shape(case).width])
}

/// Every parameter of a layer drawn anew, biases and gains too. Gains stay around 1, and weights below it: five points do not resolve a block that bends sharply.
fn scrambled<L: Parameters<f64>>(case: &Case<'_>, layer: L) -> Result<L> {
    for (i, (name, parameter)) in layer.named_parameters().into_iter().enumerate() {
        let numbers = normal(case, 100 + i as u64, parameter.shape().dims())?.scale(0.35);
        let gain = name.contains("norm") && name.ends_with("weight");
        let centre = if gain { 1.0 } else { 0.0 };
        parameter.update(|value| *value = numbers.map(|x| centre + x.clamp(-0.7, 0.7)));
    }
    Ok(layer)
}

/// Positions whose numbers differ, so that no normalisation divides by next to nothing.
fn spread(x: Tensor<f64>) -> Result<Tensor<f64>> {
    let width = x.dims()[2];
    x.add(&Tensor::from_fn([width], |c| if c[0].is_multiple_of(2) { 4.0 } else { -4.0 })?)
}

fn encoder_block(case: &Case<'_>) -> Result<EncoderBlock<f64>> {
    scrambled(case, EncoderBlock::new(shape(case), &mut rng(1))?)
}

fn decoder_block(case: &Case<'_>) -> Result<DecoderBlock<f64>> {
    scrambled(case, DecoderBlock::new(shape(case), &mut rng(1))?)
}

fn constant(x: &Tensor<f64>) -> Var<f64> {
    Var::constant(x.clone())
}

/// The gradient of a layer in everything that it has: its parameters are set to the variables that are checked.
fn everything<L: Parameters<f64> + Clone + 'static>(
    layer: L,
    inputs: Vec<Tensor<f64>>,
    run: impl Fn(&L, &[Var<f64>]) -> Result<Var<f64>> + 'static,
) -> (impl Fn(&[Var<f64>]) -> Result<Var<f64>> + 'static, Vec<Tensor<f64>>) {
    let count = inputs.len();
    let mut all = inputs;
    all.extend(layer.named_parameters().iter().map(|(_, p)| p.value()));
    let f = move |v: &[Var<f64>]| {
        let mut layer = layer.clone();
        let mut next = v[count..].iter();
        layer.visit_mut(&mut gradus_autograd::Name::default(), &mut |_, slot| {
            if let (gradus_autograd::SlotMut::Parameter(p), Some(own)) = (slot, next.next()) {
                *p = own.clone();
            }
        });
        run(&layer, &v[..count])
    };
    (f, all)
}

fn feed_forward() -> Vec<Property> {
    const ID: &[&str] = &["feed-forward"];
    let layer = |case: &Case<'_>| {
        let shape = shape(case);
        scrambled(case, FeedForward::<f64>::new(shape.width, shape.hidden, shape.bend, &mut rng(1))?)
    };
    let run = |layer: &FeedForward<f64>, x: &Tensor<f64>| -> Result<Tensor<f64>> {
        Ok(layer.forward(&constant(x), &mut Mode::Eval)?.value())
    };
    vec![
        drawn(
            "feed-forward.definition",
            ID,
            "it is max(0, x·W₁ + b₁)·W₂ + b₂, or with the other activation, number by number",
        )
        .within("rounding", ROUNDING)
        .check(move |case| {
            let (layer, x) = (layer(case)?, sequence(case, 0, "t")?);
            let y = run(&layer, &x)?;
            let dense = |layer: &Linear<f64>, x: &[f64]| -> Vec<f64> {
                let (w, b) = (layer.weight.value(), layer.bias.as_ref().map(Var::value));
                let columns = w.dims()[1];
                (0..columns)
                    .map(|c| {
                        let sum: f64 =
                            x.iter().enumerate().map(|(i, x)| x * w.as_slice()[i * columns + c]).sum();
                        sum + b.as_ref().map_or(0.0, |b| b.as_slice()[c])
                    })
                    .collect()
            };
            let bend = |x: f64| match layer.bend() {
                Bend::Relu => x.max(0.0),
                Bend::Gelu => gradus_activations::gelu(x),
                Bend::GeluTanh => gradus_activations::gelu_tanh(x),
            };
            let mut off = 0.0f64;
            let width = x.dims()[2];
            for (x, y) in x.as_slice().chunks(width).zip(y.as_slice().chunks(width)) {
                let hidden: Vec<f64> = dense(&layer.linear1, x).into_iter().map(bend).collect();
                for (own, y) in dense(&layer.linear2, &hidden).iter().zip(y) {
                    off = off.max((own - y).abs());
                }
            }
            Ok(off)
        }),
        composite_gradient_property(
            // ReLU's kink is checked where it is defined; here it would be met by chance.
            drawn("feed-forward.gradient", ID, "the gradient in x and in all four parameters"),
            move |case| {
                let shape = BlockShape {
                    bend: if case.choice("bend") == "gelu" { Bend::Gelu } else { Bend::GeluTanh },
                    ..shape(case)
                };
                let layer = scrambled(
                    case,
                    FeedForward::<f64>::new(shape.width, shape.hidden, shape.bend, &mut rng(1))?,
                )?;
                Ok(everything(layer, vec![sequence(case, 0, "t")?], |layer, v| {
                    layer.forward(&v[0], &mut Mode::Eval)
                }))
            },
        ),
        drawn(
            "feed-forward.positions",
            ID,
            "every position for itself: in another order they get the same, to the bit",
        )
        .draw(Draw::seed("order"))
        .holds(move |case| {
            let (layer, x) = (layer(case)?, sequence(case, 0, "t")?);
            let order = shuffled(case.seed("order"), x.dims()[1]);
            Ok(run(&layer, &x.gather(1, &order)?)?.same_bits(&run(&layer, &x)?.gather(1, &order)?))
        }),
        drawn(
            "feed-forward.dropout",
            ID,
            "in evaluation nothing is dropped; where all of the hidden layer is, only the last bias is left",
        )
        .holds(move |case| {
            let (layer, x) = (layer(case)?, sequence(case, 0, "t")?);
            let all = layer.clone().dropout(1.0)?;
            let same = run(&all, &x)?.same_bits(&run(&layer, &x)?);
            let dropped = all.forward(&constant(&x), &mut Mode::Train(&mut rng(1)))?.value();
            let bias = layer.linear2.bias.as_ref().map_or_else(|| Tensor::zeros([1]), |b| Ok(b.value()))?;
            Ok(same && dropped == bias.broadcast_to(dropped.shape())?)
        }),
        drawn("feed-forward.parameters", ID, "2·D·F weights, and F + D biases").holds(move |case| {
            let (layer, shape) = (layer(case)?, shape(case));
            let (d, f) = (shape.width, shape.hidden);
            Ok::<_, Failure>(layer.parameter_count() == 2 * d * f + f + d)
        }),
    ]
}

/// LN(x), with the numbers of a layer.
fn norm(layer: &LayerNorm<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    gradus_layers::layer_norm(x, &layer.weight.value(), &layer.bias.value(), gradus_layers::EPS)
}

/// One part of a block by its definition.
fn part(
    place: NormPlace,
    x: &Tensor<f64>,
    layer: &LayerNorm<f64>,
    f: impl Fn(&Var<f64>) -> Result<Var<f64>>,
) -> Result<Tensor<f64>> {
    match place {
        NormPlace::Post => norm(layer, &x.add(&f(&constant(x))?.value())?),
        NormPlace::Pre => x.add(&f(&constant(&norm(layer, x)?))?.value()),
    }
}

fn encoder() -> Vec<Property> {
    const ID: &[&str] = &["encoder-block"];
    let run = |block: &EncoderBlock<f64>, x: &Tensor<f64>, mask: &Mask<f64>| -> Result<Tensor<f64>> {
        Ok(block.forward(&constant(x), mask, &mut Mode::Eval)?.value())
    };
    vec![
        drawn("encoder-block.definition", ID, "attention and the feed-forward network, each added to what comes in, normalised before or after")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (block, x, place) = (encoder_block(case)?, sequence(case, 0, "t")?, shape(case).norm);
                let mode = || Mode::Eval;
                let y = part(place, &x, &block.norm1, |x| block.self_attn.attend(x, Mask::default(), &mut mode()))?;
                let y = part(place, &y, &block.norm2, |x| block.feed_forward.forward(x, &mut mode()))?;
                Ok(run(&block, &x, &Mask::default())?.max_difference(&y)?)
            }),
        composite_gradient_property(
            drawn("encoder-block.gradient", ID, "the gradient in x and in all sixteen parameters").costly(8),
            |case| {
                let shape = BlockShape { bend: Bend::Gelu, ..shape(case) };
                let block = scrambled(case, EncoderBlock::<f64>::new(shape, &mut rng(1))?)?;
                let x = spread(sequence(case, 0, "t")?)?;
                Ok(everything(block, vec![x], |block, v| block.forward(&v[0], &Mask::default(), &mut Mode::Eval)))
            },
        ),
        drawn("encoder-block.equivariant", ID, "positions in another order get their results in that order")
            .draw(Draw::seed("order"))
            .within("rounding", 1e-10)
            .check(move |case| {
                let (block, x) = (encoder_block(case)?, sequence(case, 0, "t")?);
                let order = shuffled(case.seed("order"), x.dims()[1]);
                let turned = run(&block, &x.gather(1, &order)?, &Mask::default())?;
                Ok(turned.max_difference(&run(&block, &x, &Mask::default())?.gather(1, &order)?)?)
            }),
        drawn("encoder-block.normalised", ID, "normalised after each sum every position leaves with mean 0 and variance 1; before, the sum passes through: without its parts the block is nothing")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (shape, x) = (shape(case), sequence(case, 0, "t")?.scale(5.0));
                let block = EncoderBlock::<f64>::new(shape, &mut rng(case.seed("values")))?;
                if shape.norm == NormPlace::Pre {
                    for parameter in [&block.self_attn.output.weight, &block.feed_forward.linear2.weight] {
                        parameter.update(|w| *w = w.zeros_like());
                    }
                    return Ok(run(&block, &x, &Mask::default())?.max_difference(&x)?);
                }
                let y = run(&block, &x, &Mask::default())?;
                let off = y.mean_axis(2)?.powi(2).max()?.sqrt();
                let variance = y.powi(2).mean_axis(2)?;
                // ε takes a part of a small variance; two numbers may be nearly alike.
                let least = if shape.width > 2 { 0.5 } else { 0.0 };
                let fine = variance.as_slice().iter().all(|&v| v >= least && v <= 1.0 + ROUNDING);
                Ok(off + if fine { 0.0 } else { f64::INFINITY })
            }),
        drawn("encoder-block.padding", ID, "padding changes no bit of what a sequence gets, whatever stands in it; a stack of blocks alike")
            .holds(|case| {
                let shape = shape(case);
                let stack = scrambled(case, Encoder::<f64>::new(shape, 2, &mut rng(1))?)?;
                let x = sequence(case, 0, "t")?;
                let (n, t) = (x.dims()[0], x.dims()[1]);
                let padding = Tensor::full([n, 3, shape.width], f64::NAN)?;
                let padded = Tensor::concatenate(&[&x, &padding], 1)?;
                let run = |x: &Tensor<f64>, mask: &Mask<f64>| -> Result<Tensor<f64>> {
                    Ok(stack.forward(&constant(x), mask, &mut Mode::Eval)?.value())
                };
                let y = run(&padded, &Mask::default().lengths(&vec![t; n]))?.slice(1, 0..t)?;
                // Products of few rows are added up in another order.
                let alone = run(&x, &Mask::default())?;
                Ok(y.max_difference(&alone)? < 1e-10 && (n * t <= 4 || y.same_bits(&alone)))
            }),
        drawn("encoder-block.dropout", ID, "where all of its parts is dropped a block normalised before them is nothing, in training only; a decoder's alike")
            .holds(|case| {
                let own = BlockShape { norm: NormPlace::Pre, ..shape(case) };
                let dropping = BlockShape { dropout: 1.0, ..own };
                let seed = case.seed("values");
                let [plain, all] = [own, dropping].map(|shape| EncoderBlock::<f64>::new(shape, &mut rng(seed)));
                let (plain, all) = (plain?, all?);
                let x = sequence(case, 0, "t")?;
                let value = |block: &EncoderBlock<f64>, mode: &mut Mode<'_>| -> Result<Tensor<f64>> {
                    Ok(block.forward(&constant(&x), &Mask::default(), mode)?.value())
                };
                let same = value(&all, &mut Mode::Eval)?.same_bits(&value(&plain, &mut Mode::Eval)?);
                let decoder = DecoderBlock::<f64>::new(dropping, &mut rng(seed))?;
                let memory = constant(&sequence(case, 1, "s")?);
                let training = &mut rng(seed);
                let none = decoder.forward(&constant(&x), &memory, &Mask::causal(), &Mask::default(), &mut Mode::Train(training))?;
                Ok(same && value(&all, &mut Mode::Train(training))? == x && none.value() == x)
            }),
        Property::new("encoder-block.parameters", ID, "12D² + 13D parameters, if the hidden layer is 4D wide; an encoder that tags adds its table, a normalisation and a head")
            .draw(Draw::size("heads", 1..=4).limited(1.0..=8.0))
            .draw(Draw::size("half", 1..=4).limited(1.0..=16.0))
            .draw(Draw::size("layers", 0..=3).limited(0.0..=6.0))
            .holds(|case| {
                let (heads, layers) = (case.size("heads"), case.size("layers"));
                let d = heads * 2 * case.size("half");
                let block = BlockShape::new(d, heads);
                let own = 12 * d * d + 13 * d;
                let shape = ModelShape { block, layers, source: 7, target: 5 };
                let tagger = Tagger::<f64>::new(shape, &mut rng(1))?;
                Ok::<_, Failure>(EncoderBlock::<f64>::new(block, &mut rng(1))?.parameter_count() == own
                    && tagger.parameter_count() == layers * own + 7 * d + 2 * d + 5 * d + 5)
            }),
    ]
}

fn decoder() -> Vec<Property> {
    const ID: &[&str] = &["decoder-block"];
    let run = |block: &DecoderBlock<f64>, x: &Tensor<f64>, memory: &Tensor<f64>| -> Result<Tensor<f64>> {
        let (x, memory) = (constant(x), constant(memory));
        Ok(block.forward(&x, &memory, &Mask::causal(), &Mask::default(), &mut Mode::Eval)?.value())
    };
    let model = |case: &Case<'_>| -> Result<(Transformer<f64>, Tensor<u32>, Tensor<u32>)> {
        let shape = ModelShape { block: shape(case), layers: 2, source: 9, target: 6 };
        let model = Transformer::new(shape, &mut rng(case.seed("values")))?;
        let (n, t, s, seed) = (case.size("n"), case.size("t"), case.size("s"), case.seed("values"));
        let ids = |rows: usize, of: u64, turn: u32| {
            Tensor::from_fn([n, rows], |at| {
                (seed.rotate_left(turn + 7 * at[1] as u32 + 3 * at[0] as u32) % of) as u32
            })
        };
        Ok((model, ids(s, 9, 1)?, ids(t, 6, 30)?))
    };
    vec![
        drawn("decoder-block.definition", ID, "attention to what came before, to the memory, and the feed-forward network, each added to what comes in")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (block, place) = (decoder_block(case)?, shape(case).norm);
                let (x, memory) = (sequence(case, 0, "t")?, sequence(case, 1, "s")?);
                let mode = || Mode::Eval;
                let y = part(place, &x, &block.norm1, |x| block.self_attn.attend(x, Mask::causal(), &mut mode()))?;
                let y = part(place, &y, &block.norm2, |x| {
                    block.multihead_attn.look(x, &constant(&memory), Mask::default(), &mut mode())
                })?;
                let y = part(place, &y, &block.norm3, |x| block.feed_forward.forward(x, &mut mode()))?;
                Ok(run(&block, &x, &memory)?.max_difference(&y)?)
            }),
        composite_gradient_property(
            drawn("decoder-block.gradient", ID, "the gradient in x, in the memory and in all parameters").costly(16),
            |case| {
                let shape = BlockShape { bend: Bend::Gelu, ..shape(case) };
                let block = scrambled(case, DecoderBlock::<f64>::new(shape, &mut rng(1))?)?;
                let inputs = vec![spread(sequence(case, 0, "t")?)?, sequence(case, 1, "s")?];
                Ok(everything(block, inputs, |block, v| {
                    block.forward(&v[0], &v[1], &Mask::causal(), &Mask::default(), &mut Mode::Eval)
                }))
            },
        ),
        drawn("decoder-block.causal", ID, "a later position changes no bit of an earlier one")
            .draw(Draw::seed("where"))
            .holds(move |case| {
                let (block, x, memory) = (decoder_block(case)?, sequence(case, 0, "t")?, sequence(case, 1, "s")?);
                let t = x.dims()[1];
                let cut = (case.seed("where") % t as u64) as usize;
                let later = sequence(case, 2, "t")?.slice(1, cut..t)?;
                let other = Tensor::concatenate(&[&x.slice(1, 0..cut)?, &later], 1)?;
                let y = run(&block, &x, &memory)?.slice(1, 0..cut)?;
                Ok(run(&block, &other, &memory)?.slice(1, 0..cut)?.same_bits(&y))
            }),
        drawn("decoder-block.memory", ID, "the memory's positions in another order change nothing; none at all gives zeros for what it would have told")
            .draw(Draw::seed("order"))
            .within("rounding", 1e-10)
            .check(move |case| {
                let (block, x, memory) = (decoder_block(case)?, sequence(case, 0, "t")?, sequence(case, 1, "s")?);
                let s = memory.dims()[1];
                let turned = memory.gather(1, &shuffled(case.seed("order"), s))?;
                let off = run(&block, &x, &turned)?.max_difference(&run(&block, &x, &memory)?)?;
                // Nobody sees the memory: only the projection's bias is left of it, whatever the memory is.
                let blind = |memory: &Tensor<f64>| -> Result<Tensor<f64>> {
                    let mask = Mask::default().lengths(&vec![0; memory.dims()[0]]);
                    let (x, memory) = (constant(&x), constant(memory));
                    Ok(block.forward(&x, &memory, &Mask::causal(), &mask, &mut Mode::Eval)?.value())
                };
                Ok::<_, Failure>(off + blind(&memory)?.max_difference(&blind(&memory.scale(-3.0))?)?)
            }),
        drawn("decoder-block.model", ID, "of a whole model: logits do not depend on later tokens, nor on padding of the source, nor on the other samples")
            .within("rounding", 1e-10)
            .check(move |case| {
                let (model, source, target) = model(case)?;
                let mode = &mut Mode::Eval;
                let logits = model.forward(&source, None, &target, mode)?.value();
                let (n, t) = (target.dims()[0], target.dims()[1]);
                let first = model.forward(&source, None, &target.slice(1, 0..1)?, mode)?.value();
                let padded = Tensor::concatenate(&[&source, &Tensor::full([n, 2], 8)?], 1)?;
                let lengths = vec![source.dims()[1]; n];
                let by_length = model.forward(&padded, Some(&lengths), &target, mode)?.value();
                let alone = model.forward(&source.slice(0, 0..1)?, None, &target.slice(0, 0..1)?, mode)?.value();
                let off = first.max_difference(&logits.slice(1, 0..1)?)? + by_length.max_difference(&logits)?;
                case.classify(t == 1, "one token");
                Ok::<_, Failure>(off + alone.max_difference(&logits.slice(0, 0..1)?)?)
            }),
        drawn("decoder-block.embedded", ID, "tokens come in as their vectors times √D and the sines of their places; scores are products with the target's vectors")
            .within("rounding", 1e-10)
            .check(move |case| {
                let (model, source, target) = model(case)?;
                let mode = &mut Mode::Eval;
                let width = shape(case).width;
                let come_in = |table: &gradus_layers::Embedding<f64>, ids: &Tensor<u32>| -> Result<Var<f64>> {
                    let (table, n, t) = (table.weight.value(), ids.dims()[0], ids.dims()[1]);
                    let places = crate::positional_encoding::<f64>(t, width)?;
                    let x = Tensor::from_fn([n, t, width], |at| {
                        let token = ids.get([at[0], at[1]]).unwrap_or(u32::MAX) as usize;
                        let number = |x: &Tensor<f64>, row| x.get([row, at[2]]).unwrap_or(f64::NAN);
                        number(&table, token) * (width as f64).sqrt() + number(&places, at[1])
                    })?;
                    Ok(Var::constant(x))
                };
                let x = come_in(&model.source, &source)?;
                let memory = model.encoder.forward(&x, &Mask::default(), mode)?;
                let x = come_in(&model.target, &target)?;
                let y = model.decoder.forward(&x, &memory, &Mask::causal(), &Mask::default(), mode)?;
                let logits = y.value().matmul(&model.target.weight.value().transpose()?)?;
                // An encoder alone does the same, and a dense layer gives its scores.
                let parts = ModelShape { block: shape(case), layers: 1, source: 9, target: 3 };
                let tagger = Tagger::new(parts, &mut rng(case.seed("values")))?;
                let x = come_in(&tagger.source, &source)?;
                let tags = tagger.head.forward(&tagger.encoder.forward(&x, &Mask::default(), mode)?, mode)?;
                let off = model.forward(&source, None, &target, mode)?.value().max_difference(&logits)?;
                Ok::<_, Failure>(off + tagger.forward(&source, None, mode)?.value().max_difference(&tags.value())?)
            }),
        Property::new("decoder-block.fresh", ID, "a model's fresh tables have the variance 1/D, so that what comes in has that of a normal number")
            .draw(Draw::size("half", 1..=8).limited(1.0..=64.0))
            .draw(Draw::seed("values"))
            .within("six deviations of the estimate", 6.0)
            .check(|case| {
                let (width, tokens) = (2 * case.size("half"), 2000);
                let parts = ModelShape { block: BlockShape::new(width, 1), layers: 0, source: tokens, target: tokens };
                let model = Transformer::<f64>::new(parts, &mut rng(case.seed("values")))?;
                let count = (tokens * width) as f64;
                let off = |table: &gradus_layers::Embedding<f64>| -> Result<f64> {
                    let variance = table.weight.value().powi(2).mean()? * width as f64;
                    Ok((variance - 1.0).abs() / (2.0 / count).sqrt())
                };
                Ok::<_, Failure>(off(&model.source)?.max(off(&model.target)?))
            }),
        drawn("decoder-block.dropout", ID, "in training with everything dropped a fresh model's scores are 0, whatever the tokens are: nothing comes in; in evaluation nothing is dropped")
            .holds(move |case| {
                let (_, source, target) = model(case)?;
                let scores = |dropout: f64, mode: &mut Mode<'_>| -> Result<[Tensor<f64>; 2]> {
                    let block = BlockShape { norm: NormPlace::Pre, dropout, ..shape(case) };
                    let parts = ModelShape { block, layers: 1, source: 9, target: 6 };
                    let rng = &mut rng(case.seed("values"));
                    let model = Transformer::<f64>::new(parts, &mut *rng)?;
                    let tagger = Tagger::<f64>::new(parts, rng)?;
                    Ok([model.forward(&source, None, &target, mode)?.value(), tagger.forward(&source, None, mode)?.value()])
                };
                let none = scores(1.0, &mut Mode::Train(&mut rng(1)))?;
                let (plain, all) = (scores(0.0, &mut Mode::Eval)?, scores(1.0, &mut Mode::Eval)?);
                Ok::<_, Failure>(none.iter().all(|y| y.as_slice().iter().all(|&y| y == 0.0))
                    && plain.iter().zip(&all).all(|(a, b)| a.same_bits(b)))
            }),
        drawn("decoder-block.translate", ID, "what is written is the most probable token after each beginning, up to the stop")
            .holds(move |case| {
                let (model, source, _) = model(case)?;
                let written = model.translate(&source, None, [0, 1], 4)?;
                let n = source.dims()[0];
                let mut sequence = Tensor::full([n, 1], 0u32)?;
                for step in 0..written.dims()[1] {
                    let logits = model.forward(&source, None, &sequence, &mut Mode::Eval)?.value().select(1, step)?;
                    for sample in 0..n {
                        let own = logits.select(0, sample)?;
                        let chosen = written.get([sample, step])?;
                        let stopped = step > 0 && written.get([sample, step - 1])? == 1;
                        let best = own.get([chosen as usize])? >= own.max()? - 1e-9;
                        if !(best && !stopped || stopped && chosen == 1) {
                            return Ok(false);
                        }
                    }
                    sequence = Tensor::concatenate(&[&sequence, &written.slice(1, step..step + 1)?], 1)?;
                }
                Ok::<_, Failure>(true)
            }),
    ]
}
