//! What is written: with a cache, and by chance.

use crate::{Bend, FeedForward, Gpt, GptShape, Mask, MultiHead, Sampler};
use gradus_autograd::{Layer, Mode, Parameters};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::Dropout;
use gradus_tensor::{Result, Tensor, Transpose, rng};
use rand_distr::StandardNormal;

pub(super) fn properties() -> Vec<Property> {
    let mut all = cache();
    all.extend(sampling());
    all
}

fn drawn(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["causal-mask"], statement)
        .draw(Draw::size("layers", 0..=2).limited(0.0..=4.0))
        .draw(Draw::size("heads", 1..=3).limited(1.0..=4.0))
        .draw(Draw::size("size", 1..=12).limited(1.0..=32.0))
        .draw(Draw::size("tokens", 2..=40).limited(2.0..=200.0))
        .draw(Draw::size("length", 5..=40).limited(5.0..=300.0))
        .draw(Draw::seed("values"))
}

fn model(case: &Case<'_>) -> Result<(Gpt<f32>, Vec<u32>)> {
    let (heads, tokens, length) = (case.size("heads"), case.size("tokens"), case.size("length"));
    let width = heads * case.size("size");
    let layers = case.size("layers");
    let shape = GptShape { tokens, context: length, layers, heads, width, dropout: 0.0 };
    let rng = &mut rng(case.seed("values"));
    let mut model = Gpt::new(shape, rng)?;
    // Another ε than the default, which every way to the logits has to take from the layer.
    model.ln_f = model.ln_f.eps(0.25)?;
    // Fresh weights are so small that attention hardly matters.
    for (_, parameter) in model.named_parameters() {
        let numbers = Tensor::<f32>::random(parameter.shape().dims(), &StandardNormal, &mut *rng)?;
        parameter.update(|value| *value = numbers.scale(0.5));
    }
    let seed = case.seed("values");
    let token = |i: usize| ((seed.rotate_left(i as u32) ^ (i as u64 * 77)) % tokens as u64) as u32;
    Ok((model, (0..length).map(token).collect()))
}

fn whole(model: &Gpt<f32>, ids: &[u32]) -> Result<Tensor<f32>> {
    let ids = Tensor::from_vec(ids.to_vec(), [1, ids.len()])?;
    model.forward(&ids, &mut Mode::Eval)?.value().select(0, 0)
}

fn cache() -> Vec<Property> {
    vec![
        drawn("causal-mask.cached", "logits with kept keys and values are those without, to the bit, however the tokens come in")
            .draw(Draw::seed("cut"))
            .holds(|case| {
                let (model, ids) = model(case)?;
                let logits = whole(&model, &ids)?;
                let mut cached = model.cached()?;
                let cut = 1 + (case.seed("cut") % (ids.len() as u64 - 1)) as usize;
                let first = cached.push(&ids[..cut])?;
                let mut same = first.same_bits(&logits.select(0, cut - 1)?);
                for (i, &token) in ids.iter().enumerate().skip(cut) {
                    same &= cached.push(&[token])?.same_bits(&logits.select(0, i)?);
                }
                // And again, after it has forgotten all.
                cached.clear();
                same &= cached.push(&ids)?.same_bits(&logits.select(0, ids.len() - 1)?);
                Ok::<_, Failure>(same && cached.len() == ids.len())
            }),
        drawn("causal-mask.gpt", "a later token changes no bit of an earlier logit; names and sizes are GPT-2's")
            .holds(|case| {
                let (model, mut ids) = model(case)?;
                let before = whole(&model, &ids)?;
                let last = ids.len() - 1;
                ids[last] = (ids[last] + 1) % case.size("tokens") as u32;
                let after = whole(&model, &ids)?;
                let same = before.slice(0, 0..last)?.same_bits(&after.slice(0, 0..last)?);
                let names = model.state();
                let own = names.contains_key("transformer.wte.weight")
                    && (0..case.size("layers")).all(|l| {
                        names.contains_key(&format!("transformer.h.{l}.attn.c_attn.weight"))
                            && names.contains_key(&format!("transformer.h.{l}.mlp.c_proj.bias"))
                    });
                Ok::<_, Failure>(same && own && model.parameter_count() == model.shape().parameters())
            }),
        Property::new("causal-mask.fresh", &["causal-mask"], "a fresh GPT has normal weights of 0.02, those that are added to the sum less by the root of their number, and biases of 0")
            .draw(Draw::size("layers", 1..=3).limited(1.0..=6.0))
            .draw(Draw::seed("values"))
            .within("six deviations of the estimate", 6.0)
            .check(|case| {
                let layers = case.size("layers");
                let shape = GptShape { tokens: 100, context: 50, layers, heads: 2, width: 48, dropout: 0.0 };
                let model = Gpt::<f64>::new(shape, &mut rng(case.seed("values")))?;
                let mut off = 0.0f64;
                for (name, parameter) in model.named_parameters() {
                    let value = parameter.value();
                    let gain = name.contains("ln_") && name.ends_with("weight");
                    if value.rank() == 1 {
                        let expected = if gain { 1.0 } else { 0.0 };
                        off += value.as_slice().iter().map(|x| (x - expected).abs()).sum::<f64>() * 1e9;
                        continue;
                    }
                    // Each block adds twice.
                    let std = if name.contains("c_proj") { 0.02 / (2.0 * layers as f64).sqrt() } else { 0.02 };
                    let variance = value.powi(2).mean()? / (std * std);
                    off = off.max((variance - 1.0).abs() / (2.0 / value.len() as f64).sqrt());
                }
                Ok::<_, Failure>(off)
            }),
        drawn("causal-mask.dropout", "a GPT drops in training only; where everything is dropped every position has the scores of the last bias")
            .holds(|case| {
                let (model, ids) = model(case)?;
                let rng = &mut rng(1);
                let mut dropping = Gpt::<f32>::new(GptShape { dropout: 1.0, ..model.shape() }, &mut *rng)?;
                dropping.ln_f = dropping.ln_f.eps(0.25)?;
                dropping.load_state(&model.state()).map_err(|error| Failure::Error(error.to_string()))?;
                let same = whole(&dropping, &ids)?.same_bits(&whole(&model, &ids)?);
                let batch = Tensor::from_vec(ids.clone(), [1, ids.len()])?;
                let dropped = dropping.forward(&batch, &mut Mode::Train(rng))?.value().select(0, 0)?;
                let bias = model.ln_f.bias.value();
                let scores = model.wte.weight.value().matmul(&bias.insert_axis(1)?)?.reshape([1, dropped.dims()[1]])?;
                Ok::<_, Failure>(same && dropped.max_difference(&scores.broadcast_to(dropped.shape())?)? < 1e-4)
            }),
        drawn("causal-mask.parts", "a GPT drops what comes in, weights of attention, and what each part adds; with the same draws its parts by hand give the same bits")
            .draw(Draw::real("p", 0.0..=0.9).limited(0.0..=1.0))
            .holds(|case| {
                let (model, ids) = model(case)?;
                let (p, heads) = (case.real("p"), case.size("heads"));
                let mut dropping = Gpt::<f32>::new(GptShape { dropout: p, ..model.shape() }, &mut rng(1))?;
                (dropping.wte, dropping.wpe, dropping.h, dropping.ln_f) =
                    (model.wte.clone(), model.wpe.clone(), model.h.clone(), model.ln_f.clone());
                let batch = Tensor::from_vec(ids.clone(), [1, ids.len()])?;
                let given = dropping.forward(&batch, &mut Mode::Train(&mut rng(case.seed("values"))))?.value();
                let draws = &mut rng(case.seed("values"));
                let (mode, dropout) = (&mut Mode::Train(draws), Dropout::new(p)?);
                let x = model.wte.forward(&batch)?.add(&model.wpe.weight.slice(0, 0..ids.len())?)?;
                let mut x = dropout.forward(&x, mode)?;
                for block in &model.h {
                    let (input, output) = (block.attn.c_attn.clone(), block.attn.c_proj.clone());
                    let attention = MultiHead::from_layers(input, output, heads, heads)?.dropout(p)?;
                    let part = attention.attend(&block.ln_1.forward(&x, mode)?, Mask::causal(), mode)?;
                    x = x.add(&dropout.forward(&part, mode)?)?;
                    let (first, second) = (block.mlp.c_fc.clone(), block.mlp.c_proj.clone());
                    let network = FeedForward::from_layers(first, second, Bend::GeluTanh);
                    let part = network.forward(&block.ln_2.forward(&x, mode)?, mode)?;
                    x = x.add(&dropout.forward(&part, mode)?)?;
                }
                let table = &model.wte.weight;
                let y = model.ln_f.forward(&x, mode)?.product(Transpose::No, table, Transpose::Yes)?;
                Ok::<_, Failure>(y.value().same_bits(&given))
            }),
        drawn("causal-mask.written", "what is written greedily is the most probable token after each beginning; past the context the last half is read again")
            .holds(|case| {
                let (model, ids) = model(case)?;
                let context = ids.len();
                let prompt = &ids[..context / 2];
                let mut cached = model.cached()?;
                let rng = &mut rng(1);
                let written: Vec<u32> = cached
                    .generate(prompt, Sampler::greedy(), &mut *rng)
                    .longest(context)
                    .collect::<Result<_>>()?;
                let mut text = prompt.to_vec();
                // What the model sees: all, until there is more than the context.
                let mut seen = text.clone();
                for &token in &written {
                    if seen.len() > context {
                        seen = seen[seen.len() - (context / 2).max(1)..].to_vec();
                    }
                    let logits = if seen.len() < 5 {
                        let mut other = model.cached()?;
                        other.push(&seen)?
                    } else {
                        whole(&model, &seen)?.select(0, seen.len() - 1)?
                    };
                    if logits.get([token as usize])? < logits.max()? {
                        return Ok(false);
                    }
                    seen.push(token);
                    text.push(token);
                }
                Ok::<_, Failure>(written.len() == context)
            }),
    ]
}

fn sampling() -> Vec<Property> {
    const ID: &[&str] = &["token-sampling"];
    let drawn = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::size("v", 1..=12).limited(1.0..=1000.0))
            .draw(Draw::log("temperature", 0.1..=10.0).limited(1e-3..=1e3))
            .draw(Draw::size("k", 1..=12).limited(1.0..=1000.0))
            .draw(Draw::real("p", 0.0..=1.0).limited(0.0..=1.0))
            .draw(Draw::choice("limits", &["none", "top-k", "top-p", "both"]))
            .draw(Draw::seed("values"))
    };
    let logits = |case: &Case<'_>| -> Result<Vec<f64>> {
        let numbers = Tensor::random([case.size("v")], &StandardNormal, &mut rng(case.seed("values")))?;
        Ok(numbers.scale(2.0).into_vec())
    };
    let sampler = |case: &Case<'_>| {
        let limits = case.choice("limits");
        Sampler {
            temperature: case.real("temperature"),
            top_k: (limits == "top-k" || limits == "both").then(|| case.size("k")),
            top_p: (limits == "top-p" || limits == "both").then(|| case.real("p").max(1e-9)),
        }
    };
    vec![
        drawn("token-sampling.total", "probabilities are not below 0, and their sum is 1; the most probable token is always kept")
            .within("rounding", 1e-12)
            .check(move |case| {
                let (logits, sampler) = (logits(case)?, sampler(case));
                let p = sampler.probabilities(&logits)?;
                let best = (0..p.len()).max_by(|&a, &b| logits[a].total_cmp(&logits[b]).then(b.cmp(&a)));
                let kept = best.is_some_and(|best| p[best] > 0.0);
                let fine = kept && p.iter().all(|&p| p >= 0.0);
                Ok::<_, Failure>((p.iter().sum::<f64>() - 1.0).abs() + if fine { 0.0 } else { f64::INFINITY })
            }),
        drawn("token-sampling.ratios", "of two tokens that are kept the ratio is exp((sᵢ − sⱼ)/τ), whatever is dropped; a number added to all scores changes nothing")
            .within("rounding, relative", 1e-9)
            .check(move |case| {
                let (logits, sampler) = (logits(case)?, sampler(case));
                let p = sampler.probabilities(&logits)?;
                let shifted: Vec<f64> = logits.iter().map(|s| s + 64.0).collect();
                let again = sampler.probabilities(&shifted)?;
                let mut off = p.iter().zip(&again).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let first = p.iter().position(|&p| p > 1e-200);
                for i in (0..p.len()).filter(|&i| p[i] > 1e-200) {
                    let Some(first) = first else { break };
                    let expected = ((logits[i] - logits[first]) / sampler.temperature).exp();
                    off = off.max((p[i] / p[first] / expected - 1.0).abs());
                }
                Ok::<_, Failure>(off)
            }),
        drawn("token-sampling.kept", "top-k keeps k; top-p the fewest whose probability is p: without the last of them it would be less; what is kept is not less probable than what is not")
            .holds(move |case| {
                let (logits, sampler) = (logits(case)?, sampler(case));
                let p = sampler.probabilities(&logits)?;
                let plain = Sampler { temperature: sampler.temperature, ..Sampler::default() }.probabilities(&logits)?;
                // By rank, as a probability may have become 0.
                let kept: Vec<usize> = (0..p.len()).filter(|&i| p[i] > 0.0).collect();
                let dropped = (0..p.len()).filter(|&i| p[i] == 0.0 && plain[i] > 0.0);
                let least = kept.iter().map(|&i| logits[i]).fold(f64::INFINITY, f64::min);
                let mut fine = dropped.into_iter().all(|i| logits[i] <= least);
                if let Some(k) = sampler.top_k {
                    fine &= kept.len() <= k;
                }
                if let (Some(wanted), None) = (sampler.top_p, sampler.top_k) {
                    let sum: f64 = kept.iter().map(|&i| plain[i]).sum();
                    let last = kept.iter().map(|&i| plain[i]).fold(f64::INFINITY, f64::min);
                    fine &= sum >= wanted - 1e-12 && (kept.len() == 1 || sum - last < wanted + 1e-12);
                }
                if sampler.top_k.is_none() && sampler.top_p.is_none() {
                    fine &= p == plain;
                } else if sampler.top_p.is_none() {
                    let k = sampler.top_k.unwrap_or(0).min(p.len());
                    fine &= kept.len() == k || plain.iter().filter(|&&p| p > 0.0).count() < k;
                }
                Ok::<_, Failure>(fine)
            }),
        drawn("token-sampling.temperature", "a temperature of 0 takes the largest score, and what the temperature goes to 0 with goes there; a large one makes all alike")
            .within("what is left", 1e-9)
            .check(move |case| {
                let logits = logits(case)?;
                let at = |temperature| Sampler { temperature, ..Sampler::default() }.probabilities(&logits);
                let mut sorted = logits.clone();
                sorted.sort_by(|a, b| b.total_cmp(a));
                let gap = sorted.get(1).map_or(1.0, |second| sorted[0] - second);
                let far = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                let (zero, cold) = (at(0.0)?, at(gap / 60.0)?);
                let even = vec![1.0 / logits.len() as f64; logits.len()];
                Ok::<_, Failure>(far(&zero, &cold) + far(&at(1e12)?, &even))
            }),
        drawn("token-sampling.drawn", "tokens are drawn as often as their probabilities say, within six deviations, and never one that is not kept")
            .costly(4)
            .within("six deviations", 6.0)
            .check(move |case| {
                let (logits, sampler) = (logits(case)?, sampler(case));
                let p = sampler.probabilities(&logits)?;
                let (draws, rng) = (2000, &mut rng(case.seed("values") ^ 1));
                let mut counts = vec![0.0; p.len()];
                for _ in 0..draws {
                    counts[sampler.pick(&logits, rng)? as usize] += 1.0;
                }
                let off = p.iter().zip(&counts).map(|(&p, &count)| {
                    let expected = p * f64::from(draws);
                    if p == 0.0 {
                        return if count > 0.0 { f64::INFINITY } else { 0.0 };
                    }
                    // One more, for the rare ones.
                    (count - expected).abs() / ((expected * (1.0 - p)).sqrt() + 1.0)
                });
                Ok::<_, Failure>(off.fold(0.0, f64::max))
            }),
    ]
}
