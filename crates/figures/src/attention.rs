//! Figures of the chapters on attention and the transformer.

use super::bars::{Bar, bars};
use super::pixels::{Canvas, Picture};
use super::plot::{decimals, short};
use super::{Button, Control, Figure, Inputs, Plot, Points, Scale, Slider};
use anyhow::{Context, Result};
use gradus_autograd::{Mode, Op, Var, no_grad};
use gradus_losses::CrossEntropy;
use gradus_optimization::Adam;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Trainer};
use gradus_transformer::{
    BlockShape, Mask, ModelShape, Reach, Rotary, Sampler, Tagger, attention, attention_weights,
    convolutional_cost, default_scale, positional_encoding, recurrent_cost, restricted_cost,
    self_attention_cost,
};
use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use std::sync::{Arc, Mutex, PoisonError};

const fn slider(
    name: &'static str,
    label: &'static str,
    range: (f64, f64),
    step: f64,
    scale: Scale,
    default: f64,
) -> Control {
    Control::Slider(Slider { name, label, range, step, scale, default, unit: "" })
}

fn normal(dims: &[usize], seed: u64) -> Result<Tensor<f64>> {
    Ok(Tensor::random(dims, &StandardNormal, &mut ChaCha8Rng::seed_from_u64(seed))?)
}

/// The query, and how sharply it looks.
pub(super) const QUERY: &[Control] = &[
    Control::Points(Points {
        name: "query",
        label: "query",
        x: (-3.0, 3.0),
        y: (-3.0, 3.0),
        step: 0.1,
        default: &[(1.2, 0.6)],
    }),
    slider("beta", "sharpness β", (0.0, 10.0), 0.1, Scale::Linear, 1.0),
];

/// A query among five keys; the values lie beside, and attention within their hull.
pub(super) fn query(inputs: &Inputs) -> Result<Figure> {
    const KEYS: [[f64; 2]; 5] = [[2.0, 0.5], [0.8, 2.0], [-1.5, 1.5], [-1.2, -1.6], [1.5, -1.8]];
    const VALUES: [[f64; 2]; 5] = [[2.7, -0.6], [1.8, 2.6], [-2.6, 2.4], [-2.4, -2.5], [0.4, -2.7]];
    let at = inputs.points("query")?.at.first().copied().context("there is one query")?;
    let beta = inputs.number("beta")?;
    let (q, k, v) = (Tensor::from([[at.0, at.1]]), Tensor::from(KEYS), Tensor::from(VALUES));
    // The scale of two numbers is 1/√2; β stands in its place.
    let scaled = q.scale(beta / default_scale(2));
    let weights = attention_weights(&scaled, &k, &Mask::default())?.into_vec();
    let y = attention(&scaled, &k, &v, &Mask::default())?.into_vec();
    let gap = (f64::NAN, f64::NAN);
    let [mut rays, mut pulls] = [Vec::new(), Vec::new()];
    for ((key, value), &w) in KEYS.iter().zip(VALUES).zip(&weights) {
        // As long as the weight is large.
        let way =
            |from: (f64, f64), to: [f64; 2]| (from.0 + w * (to[0] - from.0), from.1 + w * (to[1] - from.1));
        rays.extend([at, way(at, *key), gap]);
        pulls.extend([(y[0], y[1]), way((y[0], y[1]), value), gap]);
    }
    let labelled = |points: [[f64; 2]; 5], letter: char| {
        points
            .iter()
            .zip("₁₂₃₄₅".chars())
            .map(|(p, i)| (p[0], p[1], format!("{letter}{i}")))
            .collect::<Vec<_>>()
    };
    let share = |w: &f64| format!("{} %", decimals(100.0 * w, 0));
    let status = format!(
        "Weights of the keys 1 to 5: {}. The result is ({}, {}).",
        weights.iter().map(share).collect::<Vec<_>>().join(", "),
        decimals(y[0], 2),
        decimals(y[1], 2)
    );
    let figure = Plot::new("first number", -3.0..3.0, -3.0..3.0)
        .y_name("second number")
        .points("keys", labelled(KEYS, 'k'))
        .points("values", labelled(VALUES, 'v'))
        .curve("weights", rays)
        .curve("pull of the values", pulls)
        .points("result", vec![(y[0], y[1], "y".into())])
        .figure(
            "A query that can be moved among five keys in the plane; strokes towards each key as long as its weight; near each key lies its value, and the result among the values.",
            "Attention in the plane: drag the query. A stroke towards a key is as long as its weight, a share of the way. The result is the weighted mean of \
             the values, so that it never leaves their hull. At β = 0 every weight is a fifth; at β = 10 the most similar key has nearly all.",
        )?;
    Ok(figure.status(status))
}

/// The numbers of a query.
pub(super) const SCALE: &[Control] = &[slider("d", "d", (1.0, 1000.0), 0.1, Scale::Log, 100.0)];

/// The largest of sixteen weights, with and without the root.
pub(super) fn scale(inputs: &Inputs) -> Result<Figure> {
    const KEYS: usize = 16;
    const QUERIES: usize = 60;
    let chosen = inputs.number("d")?;
    let largest = |d: usize| -> Result<[f64; 2]> {
        let (q, k) = (normal(&[QUERIES, d], 1)?, normal(&[KEYS, d], 2)?);
        let mean = |q: &Tensor<f64>| -> Result<f64> {
            let weights = attention_weights(q, &k, &Mask::default())?;
            let rows = weights.as_slice().chunks(KEYS);
            Ok(rows.map(|row| row.iter().fold(0.0f64, |a, &b| a.max(b))).sum::<f64>() / QUERIES as f64)
        };
        Ok([mean(&q)?, mean(&q.scale(1.0 / default_scale(d)))?])
    };
    let steps: Vec<f64> = (0..=15).map(|i| f64::from(i) / 5.0).collect();
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for &x in &steps {
        let [a, b] = largest(10f64.powf(x).round() as usize)?;
        with.push((x, a));
        without.push((x, b));
    }
    let d = chosen.round() as usize;
    let [a, b] = largest(d)?;
    let status = format!(
        "d = {d}: the largest of {KEYS} weights is {} on average with the root, {} without it.",
        decimals(a, 2),
        decimals(b, 2)
    );
    let x = (d as f64).log10();
    let figure = Plot::new("d", 0.0..3.0, 0.0..1.0)
        .y_name("the largest weight")
        .log_x()
        .curve("q·k / √d", with)
        .curve("q·k", without)
        .points("", vec![(x, a, short(a)), (x, b, short(b))])
        .figure(
            "Two curves over d, on a logarithmic axis: with the root the largest weight stays where it is, without it goes to 1.",
            "The mean of the largest of 16 weights, of normal queries and keys of d numbers. Without the root the scores grow with √d, and softmax becomes a choice.",
        )?;
    Ok(figure.status(status))
}

/// The place that others are held against.
pub(super) const PLACE: &[Control] = &[slider("place", "place k", (0.0, 127.0), 1.0, Scale::Linear, 40.0)];

/// Products of the encodings of all places with that of one, and of a rotated query with rotated keys.
pub(super) fn waves(inputs: &Inputs) -> Result<Figure> {
    const LENGTH: usize = 128;
    const D: usize = 64;
    let place = inputs.number("place")? as usize;
    let table = positional_encoding::<f64>(LENGTH, D)?;
    let own = table.select(0, place)?;
    let added: Vec<(f64, f64)> = (0..LENGTH)
        .map(|i| Ok((i as f64, table.select(0, i)?.dot(&own)? / (D as f64 / 2.0))))
        .collect::<Result<_>>()?;
    // One vector as query and as key, everywhere.
    let x = normal(&[1, D], 3)?.broadcast_to([LENGTH, D])?;
    let turned = Rotary::new(D, 10_000.0)?.eval([&x])?;
    let query = turned.select(0, place)?;
    let length = query.dot(&query)?;
    let rotated: Vec<(f64, f64)> = (0..LENGTH)
        .map(|i| Ok((i as f64, turned.select(0, i)?.dot(&query)? / length)))
        .collect::<Result<_>>()?;
    let near =
        |curve: &[(f64, f64)]| curve.get(place + 1).or(curve.get(place.wrapping_sub(1))).map_or(0.0, |p| p.1);
    let status = format!(
        "Beside place {place} the product is {} for the sums, {} for the rotations; at the place itself 1.",
        decimals(near(&added), 3),
        decimals(near(&rotated), 3)
    );
    let figure = Plot::new("place", 0.0..(LENGTH - 1) as f64, -0.6..1.1)
        .y_name("product, over its largest")
        .curve("sines and cosines", added)
        .curve("rotations", rotated)
        .figure(
            "Two curves over the place with one peak at place k, which fall off alike to both sides.",
            "Products of the encoding of place k with those of all places (64 numbers, base 10000), and of one vector as query at k and as key everywhere, both turned by their places. \
             Move k: the curves move with it, and keep their form. Only the distance matters.",
        )?;
    Ok(figure.status(status))
}

/// The two stacks, drawn.
pub(super) fn stacks() -> Result<Figure> {
    let mut canvas = Canvas::new(620.0, 500.0);
    let block = |canvas: &mut Canvas, [x, y]: [f64; 2], parts: &[&str]| {
        canvas.frame([x, y - 58.0 * parts.len() as f64, x + 210.0, y], false);
        for (i, part) in parts.iter().enumerate() {
            let y = y - 58.0 * i as f64;
            canvas.frame([x + 14.0, y - 44.0, x + 150.0, y - 14.0], true);
            canvas.text([x + 82.0, y - 24.0], true, part);
            // Around the part, and added behind it.
            canvas.path(&format!("M{0} {1}h-6v-46h6", x + 10.0, y - 6.0));
            canvas.text([x + 160.0, y - 24.0], false, "+ norm");
        }
    };
    block(&mut canvas, [30.0, 340.0], &["self-attention", "feed-forward"]);
    block(&mut canvas, [360.0, 340.0], &["causal attention", "cross-attention", "feed-forward"]);
    canvas.text([18.0, 287.0], true, "L×");
    canvas.text([348.0, 231.0], true, "L×");
    for x in [112.0, 442.0] {
        canvas.path(&format!("M{x} 420v-80"));
        canvas.text([x, 440.0], true, "embedding + positions");
    }
    canvas.text([112.0, 470.0], true, "source");
    canvas.text([442.0, 470.0], true, "target, up to here");
    // The memory goes to the cross-attention of every block.
    canvas.path("M112 224v-40h205v84h43");
    canvas.text([214.0, 176.0], true, "memory");
    canvas.path("M442 166v-50");
    canvas.frame([354.0, 86.0, 530.0, 116.0], true);
    canvas.text([442.0, 106.0], true, "embedding, transposed");
    canvas.path("M442 86v-50");
    canvas.text([442.0, 26.0], true, "scores of the next token");
    Ok(canvas.figure(
        "Two stacks of boxes: the encoder's block has self-attention and a feed-forward network, the decoder's has causal attention, cross-attention and a feed-forward network; the encoder's result goes to the cross-attention.",
        "The two stacks. Every part is added to what comes in, and normalised, after the sum (in the paper) or before the part. The encoder's last result, the memory, is what the decoder's blocks look at.",
    ))
}

/// What the table's rows depend on.
pub(super) const TABLE: &[Control] = &[
    slider("n", "length n", (1.0, 100_000.0), 0.1, Scale::Log, 100.0),
    slider("d", "width d", (10.0, 10_000.0), 0.1, Scale::Log, 501.187_233_627_272_3),
    slider("k", "kernel k", (3.0, 15.0), 2.0, Scale::Linear, 3.0),
    slider("window", "window", (1.0, 256.0), 1.0, Scale::Linear, 16.0),
];

/// The table's numbers.
pub(super) fn table(inputs: &Inputs) -> Result<Figure> {
    let [n, d] = [inputs.number("n")?, inputs.number("d")?].map(|x| x.round() as usize);
    let [k, window] = [inputs.number("k")? as usize, inputs.number("window")? as usize];
    let projections = 4.0 * n as f64 * (d as f64).powi(2);
    let dilated = convolutional_cost(n, d, k, Reach::Dilated)?;
    let contiguous = convolutional_cost(n, d, k, Reach::Causal)?;
    let attention = self_attention_cost(n, d);
    let recurrent = recurrent_cost(n, d);
    let narrow = restricted_cost(n, d, window)?;
    let rows = [
        ("self-attention", attention, 0.0),
        ("self-attention with its projections", attention, projections),
        ("restricted", narrow, 0.0),
        ("recurrence", recurrent, 0.0),
        ("LSTM", recurrent, 3.0 * recurrent.multiplications as f64),
        ("convolution, contiguous", contiguous, 0.0),
        ("convolution, dilated", dilated, 0.0),
    ];
    let all: Vec<f64> = rows.iter().map(|(_, cost, more)| cost.multiplications as f64 + more).collect();
    let most = all.iter().fold(0.0f64, |a, &b| a.max(b));
    let drawn: Vec<Bar> = rows
        .iter()
        .zip(&all)
        .map(|((name, cost, _), &value)| Bar {
            text: format!(
                "{name}: {} multiplications; steps {}, path {}",
                short(value),
                cost.steps,
                cost.path
            ),
            value,
            most,
        })
        .collect();
    let cheaper = if n < 2 * d {
        "less than"
    } else if n == 2 * d {
        "as much as"
    } else {
        "more than"
    };
    let status = format!(
        "n = {n}, d = {d}: with its projections self-attention costs {cheaper} an LSTM (the line is at n = 2d = {}).",
        2 * d
    );
    let figure = bars(
        &drawn,
        "Bars of the multiplications of one layer of seven kinds, each with its sequential steps and its path length.",
        "The table with numbers in it: multiplications of one layer on n positions of d numbers, steps that wait for each other, and layers (or steps) from the first position to the last.",
    )?;
    Ok(figure.status(status))
}

/// Path lengths over n.
pub(super) fn path() -> Result<Figure> {
    let lengths: Vec<usize> = (1..=24).map(|i| 2f64.powf(f64::from(i) / 2.0).round() as usize).collect();
    let of = |path: &dyn Fn(usize) -> Result<usize>| -> Result<Vec<(f64, f64)>> {
        lengths.iter().map(|&n| Ok(((n as f64).log10(), (path(n)? as f64).max(1.0).log10()))).collect()
    };
    Plot::new("length n", 0.0..3.65, 0.0..3.65)
        .y_name("path length")
        .log_x()
        .log_y()
        .curve("recurrence", of(&|n| Ok(recurrent_cost(n, 1).path))?)
        .curve("kernels of 3, centred", of(&|n| Ok(convolutional_cost(n, 1, 3, Reach::Centred)?.path))?)
        .curve("kernels of 3, causal", of(&|n| Ok(convolutional_cost(n, 1, 3, Reach::Causal)?.path))?)
        .curve("window of 16", of(&|n| Ok(restricted_cost(n, 1, 16)?.path))?)
        .curve("kernels of 3, dilated", of(&|n| Ok(convolutional_cost(n, 1, 3, Reach::Dilated)?.path))?)
        .curve("self-attention", of(&|n| Ok(self_attention_cost(n, 1).path))?)
        .figure(
            "Path length over n, both logarithmic: parallel lines for recurrence, contiguous kernels and a window; a curve that hardly rises for dilated kernels; a level line for self-attention.",
            "Layers, or steps, from the first position to the last. Only dilated kernels have the logarithm that the table prints for all convolutions.",
        )
}

/// Training, and which head is looked at.
pub(super) const MAPS: &[Control] = &[
    Control::Button(Button {
        name: "train",
        label: "Train on this machine",
        busy: "Learning to reverse eight digits, which takes some seconds …",
        stays: true,
    }),
    slider("head", "head", (1.0, 2.0), 1.0, Scale::Linear, 1.0),
    slider("seed", "digits", (1.0, 20.0), 1.0, Scale::Linear, 1.0),
];

const LETTERS: usize = 8;
static TRAINED: Mutex<Option<Arc<Tagger>>> = Mutex::new(None);

fn reversing() -> Result<Tagger> {
    let block = BlockShape::new(32, 2);
    let shape = ModelShape { block, layers: 1, source: 10, target: 10 };
    Ok(Tagger::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?)
}

fn digits(rng: &mut dyn Rng, count: usize) -> Result<[Tensor<u32>; 2]> {
    let (mut ids, mut wanted) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let row: Vec<u32> = (0..LETTERS).map(|_| rng.random_range(0..10)).collect();
        wanted.extend(row.iter().rev());
        ids.extend(row);
    }
    Ok([Tensor::from_vec(ids, [count, LETTERS])?, Tensor::from_vec(wanted, [count * LETTERS])?])
}

/// The network, trained once in this process.
fn trained() -> Result<Arc<Tagger>> {
    let mut trained = TRAINED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(net) = &*trained {
        return Ok(net.clone());
    }
    let net = reversing()?;
    let mut adam = Adam::new(0.004);
    Trainer::new(&net, &mut adam, Batches::new(400, 1)?).epochs(1).seed(1).run(|numbers, mode| {
        let [ids, wanted] = digits(&mut ChaCha8Rng::seed_from_u64(u64::from(numbers[0]) + 100), 32)
            .map_err(|error| gradus_training::Error::other(error.to_string()))?;
        let logits = net.forward(&ids, None, mode)?.reshape([wanted.len(), 10])?;
        Ok(Var::apply(CrossEntropy::new(&wanted), [&logits])?.into())
    })?;
    Ok(trained.insert(Arc::new(net)).clone())
}

/// Where the positions of a network that reverses look.
pub(super) fn maps(inputs: &Inputs) -> Result<Figure> {
    let pressed = inputs.pressed("train")?;
    let net = if pressed { trained()? } else { Arc::new(reversing()?) };
    let head = inputs.number("head")? as usize - 1;
    let seed = 7000 + inputs.number("seed")? as u64;
    let [ids, wanted] = digits(&mut ChaCha8Rng::seed_from_u64(seed), 1)?;
    let weights =
        net.weights(&ids, None)?.first().context("there is a block")?.select(0, 0)?.select(0, head)?;
    let written = no_grad(|| net.forward(&ids, None, &mut Mode::Eval))?.value().argmax_axis(2)?;
    let text = |ids: &[u32]| ids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    let ink: Vec<f64> = weights.as_slice().iter().map(|&w| f64::from(w)).collect();
    let (left, top, side) = (90.0, 60.0, 320.0);
    let mut canvas = Canvas::new(460.0, 420.0);
    let each = side / LETTERS as f64;
    canvas.text([left + side / 2.0, 22.0], true, "looks at");
    canvas.text([8.0, top + side / 2.0], false, "writes");
    for (i, (read, write)) in ids.as_slice().iter().zip(written.as_slice()).enumerate() {
        let middle = each * (i as f64 + 0.5);
        canvas.text([left + middle, top - 10.0], true, &read.to_string());
        canvas.text([left - 16.0, top + middle + 5.0], true, &write.to_string());
    }
    let picture: Picture = (LETTERS, LETTERS, ink);
    canvas.picture([left, top], side, &picture);
    let right = written.as_slice().iter().zip(wanted.as_slice()).filter(|(a, b)| a == b).count();
    let mirrored: f64 = (0..LETTERS)
        .map(|i| weights.get([i, LETTERS - 1 - i]).map(f64::from))
        .sum::<gradus_tensor::Result<f64>>()?
        / LETTERS as f64;
    let status = format!(
        "{}: {} becomes {}, {right} of {LETTERS} right. On the mirrored place lies {} % of head {}'s weight.",
        if pressed { "Trained" } else { "Not trained" },
        text(ids.as_slice()),
        text(written.as_slice()),
        decimals(100.0 * mirrored, 0),
        head + 1
    );
    let figure = canvas.figure(
        "A square of eight by eight cells: for each position that writes, a row, the darker a cell the more it looks there. Trained, the other diagonal is dark.",
        "Attention weights of one head of an encoder (one block, two heads, 32 wide) that shall reverse eight digits: a row a position, above what it reads, at the left what it writes. \
         Not trained, each looks everywhere. The button trains it for 400 steps.",
    );
    Ok(figure.status(status))
}

/// How a token is chosen.
pub(super) const SAMPLING: &[Control] = &[
    slider("temperature", "temperature", (0.0, 3.0), 0.05, Scale::Linear, 1.0),
    slider("k", "top-k", (1.0, 10.0), 1.0, Scale::Linear, 10.0),
    slider("p", "top-p", (0.05, 1.0), 0.05, Scale::Linear, 1.0),
];

/// The probabilities of ten tokens under the limits.
pub(super) fn sampling(inputs: &Inputs) -> Result<Figure> {
    const TOKENS: [(&str, f64); 10] = [
        ("the", 3.2),
        ("a", 2.6),
        ("his", 1.9),
        ("no", 1.4),
        ("every", 1.0),
        ("my", 0.6),
        ("one", 0.1),
        ("such", -0.5),
        ("blue", -1.3),
        ("xylophone", -3.0),
    ];
    let sampler = Sampler {
        temperature: inputs.number("temperature")?,
        top_k: Some(inputs.number("k")? as usize),
        top_p: Some(inputs.number("p")?),
    };
    let p = sampler.probabilities(&TOKENS.map(|(_, logit)| logit))?;
    let drawn: Vec<Bar> = TOKENS
        .iter()
        .zip(&p)
        .map(|((token, logit), &p)| Bar {
            text: format!("{token} ({}): {} %", decimals(*logit, 1), decimals(100.0 * p, 1)),
            value: p,
            most: 1.0,
        })
        .collect();
    let kept = p.iter().filter(|&&p| p > 0.0).count();
    let entropy: f64 = p.iter().filter(|&&p| p > 0.0).map(|p| -p * p.log2()).sum();
    let status =
        format!("{kept} of 10 tokens can be drawn; what is drawn has {} bits.", decimals(entropy, 2));
    let figure = bars(
        &drawn,
        "Ten tokens with their scores, and bars of their probabilities.",
        "Ten tokens with their scores (in nats), and with what probability each is written. Temperature 0 takes the largest score; the limits drop tokens and leave the ratios of the others as they are.",
    )?;
    Ok(figure.status(status))
}
