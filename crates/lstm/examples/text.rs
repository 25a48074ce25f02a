//! A model of a text, one character after the other: trained by truncated back-propagation through time, judged in bits a character beside n-grams, and asked to go on.
//!
//! `cargo run --release -p gradus-lstm --example text -- --text FILE --sample 400 --temperature 0.7` takes any text in UTF-8; without `--text` it reads the chapters of this book.
#![allow(clippy::print_stdout)] // a program prints

#[path = "text/ngrams.rs"]
mod ngrams;

use clap::Parser;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, no_grad, parameters};
use gradus_layers::{Embedding, Linear};
use gradus_losses::CrossEntropy;
use gradus_lstm::{Lstm, LstmShape, LstmState};
use gradus_optimization::Adam;
use gradus_tensor::{Scalar, Tensor};
use gradus_training::{Batches, Error, Options, Recipe, Result};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Trains a model of a text, character by character; prints bits a character beside those of n-grams, and some text of its own.
#[derive(Debug, Parser)]
struct Arguments {
    /// A text in UTF-8; without it, the chapters of this book.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// The units of a layer.
    #[arg(long, default_value_t = 256)]
    hidden: usize,
    /// How many layers.
    #[arg(long, default_value_t = 1)]
    layers: usize,
    /// The steps after which back-propagation is cut; the state goes on.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    truncate: u32,
    /// How many characters it writes in the end.
    #[arg(long, default_value_t = 300)]
    sample: usize,
    /// How bold it writes: near 0 always the likeliest character, at 1 as it has learned.
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// What its text begins with.
    #[arg(long, default_value = "The ")]
    start: String,
    #[command(flatten)]
    training: Options,
}

struct Net<T: Scalar> {
    letters: Embedding<T>,
    lstm: Lstm<T>,
    head: Linear<T>,
}

parameters!(Net<T> { letters, lstm, head });

impl Net<f32> {
    /// The scores of each next character, `[N·T, V]`, and the state behind.
    fn scores(
        &self,
        ids: &Tensor<u32>,
        state: Option<&LstmState>,
        mode: &mut Mode<'_>,
    ) -> gradus_tensor::Result<(Var<f32>, LstmState)> {
        let (y, state) = self.lstm.run(&self.letters.forward(ids)?, None, state, mode)?;
        let rows = y.shape().elements() / self.lstm.shape().hidden;
        let scores = self.head.forward(&y.reshape([rows, self.lstm.shape().hidden])?, mode)?;
        Ok((scores, state))
    }
}

/// A text as numbers, and the letters that they stand for.
struct Corpus {
    letters: Vec<char>,
    ids: Vec<u32>,
}

impl Corpus {
    fn new(text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
        let place = |c| letters.binary_search(&c).map_or(0, |i| i as u32);
        let ids = text.chars().map(place).collect();
        Self { letters, ids }
    }
}

fn read(text: Option<&Path>) -> Result<String> {
    let open = |path: &Path| {
        std::fs::read_to_string(path).map_err(|e| Error::other(format!("{}: {e}", path.display())))
    };
    let Some(text) = text else {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src");
        let mut chapters: Vec<_> = (std::fs::read_dir(&folder)
            .map_err(|e| Error::other(format!("{}: {e}", folder.display())))?)
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
        .collect();
        chapters.sort();
        return chapters.iter().map(|chapter| open(chapter)).collect();
    };
    open(text)
}

/// As many streams side by side as fit, each a stretch of the text; what is left at the end is dropped.
fn streams(ids: &[u32], count: usize) -> (usize, Vec<&[u32]>) {
    let length = ids.len() / count;
    (length, ids.chunks_exact(length.max(1)).take(count).collect())
}

/// A piece of every stream, and the characters that follow each of its own.
fn piece(streams: &[&[u32]], first: usize, length: usize) -> Result<(Tensor<u32>, Tensor<u32>)> {
    let take = |by: usize| -> Vec<u32> {
        streams.iter().flat_map(|s| &s[first + by..first + by + length]).copied().collect()
    };
    Ok((Tensor::from_vec(take(0), [streams.len(), length])?, take(1).into_iter().collect()))
}

/// Bits a character of the text that was kept apart, read in one go by eight streams.
fn bits(net: &Net<f32>, ids: &[u32], truncate: usize) -> Result<f64> {
    let (length, streams) = streams(ids, 8);
    let (mut state, mut nats, mut count) = (None, 0.0, 0usize);
    no_grad(|| {
        let mut first = 0;
        while first + 1 < length {
            let size = truncate.min(length - 1 - first);
            let (x, next) = piece(&streams, first, size)?;
            let (scores, after) = net.scores(&x, state.as_ref(), &mut Mode::Eval)?;
            let loss = Var::apply(CrossEntropy::new(&next), [&scores])?.item()?;
            nats += f64::from(loss) * (8 * size) as f64;
            count += 8 * size;
            (state, first) = (Some(after), first + size);
        }
        Ok(nats / count as f64 / std::f64::consts::LN_2)
    })
}

/// Goes on after a beginning, by drawing each next character from what the model expects.
fn write(net: &Net<f32>, corpus: &Corpus, a: &Arguments) -> Result<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(a.training.seed);
    let known: String = a.start.chars().filter(|c| corpus.letters.binary_search(c).is_ok()).collect();
    let mut text = if known.is_empty() { corpus.letters[..1].iter().collect() } else { known };
    let mut ids: Vec<u32> =
        text.chars().filter_map(|c| corpus.letters.binary_search(&c).ok()).map(|i| i as u32).collect();
    let mut state = None;
    no_grad(|| {
        for _ in 0..a.sample {
            let x = Tensor::from_vec(ids.clone(), [1, ids.len()])?;
            let (scores, after) = net.scores(&x, state.as_ref(), &mut Mode::Eval)?;
            let last = scores.value().select(0, ids.len() - 1)?;
            let chances = last.softmax_at(0, a.temperature)?;
            let mut draw: f32 = rng.random();
            let next = chances.as_slice().iter().position(|p| {
                draw -= p;
                draw <= 0.0
            });
            let next = next.unwrap_or(corpus.letters.len() - 1);
            text.push(corpus.letters[next]);
            (ids, state) = (vec![next as u32], Some(after));
        }
        Ok(text)
    })
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 6, batch: 32, rate: 0.004, warmup: None };
    let corpus = Corpus::new(&read(a.text.as_deref())?);
    let (truncate, count) = (a.truncate as usize, a.training.batch(&recipe));
    let (train, test) = corpus.ids.split_at(corpus.ids.len() / 10 * 9);
    let (length, streams) = streams(train, count);
    let pieces = length.saturating_sub(1) / truncate;
    if pieces == 0 || test.len() < 16 {
        let why = format!(
            "a text of {} characters is too short for {count} streams of {truncate} steps",
            corpus.ids.len()
        );
        return Err(Error::other(why));
    }
    let letters = corpus.letters.len();
    println!(
        "{} characters to learn from, {} to judge by, {letters} different ones",
        train.len(),
        test.len()
    );
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let inputs = 64.min(letters);
    let shape = LstmShape {
        layers: a.layers,
        dropout: if a.layers > 1 { 0.1 } else { 0.0 },
        ..LstmShape::new(inputs, a.hidden)
    };
    let net = Net {
        letters: Embedding::new(letters, inputs, rng)?,
        lstm: Lstm::<f32>::new(shape, rng)?,
        head: Linear::new(a.hidden, letters, rng)?,
    };
    // The pieces come in their order, and the state goes from one to the next; at the beginning of the streams it is none.
    let mut state: Option<LstmState> = None;
    a.training.run(
        &net,
        &mut Adam::new(recipe.rate),
        &recipe,
        Batches::new(pieces, 1)?,
        None,
        |numbers, mode| {
            let number = numbers[0] as usize;
            let before = if number == 0 { None } else { state.take() };
            let (x, next) = piece(&streams, number * truncate, truncate)?;
            let (scores, after) = net.scores(&x, before.as_ref(), mode)?;
            state = Some(after.detach());
            Ok(Var::apply(CrossEntropy::new(&next), [&scores])?.into())
        },
    )?;
    println!("\n{}\n", write(&net, &corpus, a)?);
    for order in [1, 2, 3, 4, 5, 6] {
        let bits = ngrams::bits(train, test, order, letters);
        println!("{order}-grams, Witten and Bell's: {bits:.3} bits a character");
    }
    println!("LSTM of {} units: {:.3} bits a character", a.hidden, bits(&net, test, truncate)?);
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
