//! A GPT that reads a text character by character and goes on writing it: judged in bits a character, on a part that it has not seen.
//!
//! `cargo run --release -p gradus-transformer --example gpt -- --text FILE --sample 400` takes any text in UTF-8; without `--text` it reads the chapters of this book.
#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_autograd::{Mode, Parameters, Var, no_grad};
use gradus_losses::CrossEntropy;
use gradus_optimization::AdamW;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Error, Options, Recipe, Result};
use gradus_transformer::{Gpt, GptShape, Sampler};
use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Trains a GPT on a text, character by character; prints bits a character, and some text of its own.
#[derive(Debug, Parser)]
struct Arguments {
    /// A text in UTF-8; without it, the chapters of this book.
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// The width of the model.
    #[arg(long, default_value_t = 96)]
    width: usize,
    /// How many heads.
    #[arg(long, default_value_t = 4)]
    heads: usize,
    /// How many blocks.
    #[arg(long, default_value_t = 3)]
    layers: usize,
    /// The characters that it sees at once.
    #[arg(long, default_value_t = 128)]
    context: usize,
    /// With which probability a number is dropped in training.
    #[arg(long, default_value_t = 0.0)]
    dropout: f64,
    /// How many characters it writes in the end.
    #[arg(long, default_value_t = 300)]
    sample: usize,
    /// How bold it writes: 0 always the likeliest character, at 1 as it has learned.
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// Only so many of the likeliest characters.
    #[arg(long)]
    top_k: Option<usize>,
    /// Only the likeliest characters that together have this probability.
    #[arg(long)]
    top_p: Option<f64>,
    /// What its text begins with.
    #[arg(long, default_value = "The ")]
    start: String,
    #[command(flatten)]
    training: Options,
}

/// A text as numbers, and the letters that they stand for.
struct Corpus {
    letters: Vec<char>,
    ids: Vec<u32>,
}

impl Corpus {
    fn new(text: &str) -> Self {
        let letters: Vec<char> = text.chars().collect::<BTreeSet<_>>().into_iter().collect();
        let ids = text.chars().filter_map(|c| place(&letters, c)).collect();
        Self { letters, ids }
    }
}

fn place(letters: &[char], c: char) -> Option<u32> {
    letters.binary_search(&c).ok().map(|i| i as u32)
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

/// Stretches of the text that begin at these places, and the characters that follow each of their own.
fn stretches(ids: &[u32], places: &[usize], length: usize) -> Result<(Tensor<u32>, Tensor<u32>)> {
    let take = |by: usize| -> Vec<u32> {
        places.iter().flat_map(|&place| &ids[place + by..place + by + length]).copied().collect()
    };
    let next = Tensor::from_vec(take(1), [places.len() * length])?;
    Ok((Tensor::from_vec(take(0), [places.len(), length])?, next))
}

fn loss(net: &Gpt, (x, next): &(Tensor<u32>, Tensor<u32>), mode: &mut Mode<'_>) -> Result<Var<f32>> {
    let logits = net.forward(x, mode)?;
    let logits = logits.reshape([next.len(), net.shape().tokens])?;
    Ok(Var::apply(CrossEntropy::new(next), [&logits])?)
}

/// Bits a character of a text that it has not seen. Each stretch overlaps the one before by half, and only its second half is judged, so that no
/// character is guessed from less than half the context (but for the first stretch).
fn bits(net: &Gpt, ids: &[u32]) -> Result<f64> {
    let (length, half) = (net.shape().context, net.shape().context / 2);
    let places: Vec<usize> = (0..(ids.len() - 1).saturating_sub(length)).step_by(half.max(1)).collect();
    let (mut nats, mut count) = (0.0, 0usize);
    no_grad(|| {
        for places in places.chunks(16) {
            let (x, next) = stretches(ids, places, length)?;
            let logits = net.forward(&x, &mut Mode::Eval)?.value();
            let first = if places[0] == 0 { 0 } else { half };
            let judged = |n: usize| if n == 0 { first } else { half };
            for n in 0..places.len() {
                let rows = judged(n)..length;
                let logits = logits.select(0, n)?.slice(0, rows.clone())?;
                let next = next.slice(0, n * length + rows.start..n * length + rows.end)?;
                let loss = Var::apply(CrossEntropy::new(&next), [&Var::constant(logits)])?.item()?;
                nats += f64::from(loss) * rows.len() as f64;
                count += rows.len();
            }
        }
        Ok(nats / count as f64 / std::f64::consts::LN_2)
    })
}

/// Goes on after a beginning, and shows each character as it is written.
fn write(net: &Gpt, corpus: &Corpus, a: &Arguments) -> Result<()> {
    let mut prompt: Vec<u32> = a.start.chars().filter_map(|c| place(&corpus.letters, c)).collect();
    if prompt.is_empty() {
        prompt.push(0);
    }
    let sampler = Sampler { temperature: a.temperature, top_k: a.top_k, top_p: a.top_p };
    let text = |id: u32| corpus.letters[id as usize];
    print!("\n{}", prompt.iter().map(|&id| text(id)).collect::<String>());
    let mut cached = net.cached()?;
    let started = std::time::Instant::now();
    for id in cached.generate(&prompt, sampler, ChaCha8Rng::seed_from_u64(a.training.seed)).longest(a.sample)
    {
        print!("{}", text(id?));
        let _ = std::io::stdout().flush(); // a character that cannot be shown is no loss
    }
    println!("\n\n{:.0} characters a second", a.sample as f64 / started.elapsed().as_secs_f64());
    Ok(())
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 6, batch: 32, rate: 0.002, warmup: None };
    let corpus = Corpus::new(&read(a.text.as_deref())?);
    let (train, test) = corpus.ids.split_at(corpus.ids.len() / 10 * 9);
    if train.len() <= a.context + 1 || test.len() <= a.context + 1 {
        let why =
            format!("a text of {} characters is too short for a context of {}", corpus.ids.len(), a.context);
        return Err(Error::other(why));
    }
    let tokens = corpus.letters.len();
    println!("{} characters to learn from, {} to judge by, {tokens} different ones", train.len(), test.len());
    let shape = GptShape {
        tokens,
        context: a.context,
        layers: a.layers,
        heads: a.heads,
        width: a.width,
        dropout: a.dropout,
    };
    let net = Gpt::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(a.training.seed))?;
    println!("{} parameters", net.parameter_count());
    let batch = a.training.batch(&recipe);
    // An epoch is as many stretches, from anywhere, as the text has characters.
    let steps = (train.len() / (batch * a.context)).max(1);
    let mut adam = AdamW::new(recipe.rate).weight_decay(0.05);
    a.training.run(&net, &mut adam, &recipe, Batches::new(steps, 1)?, None, |_, mode| {
        let Mode::Train(rng) = mode else { return Err(Error::other("a step is training")) };
        let last = train.len() - 1 - a.context;
        let places: Vec<usize> = (0..batch).map(|_| rng.random_range(0..=last)).collect();
        Ok(loss(&net, &stretches(train, &places, a.context)?, mode)?.into())
    })?;
    write(&net, &corpus, a)?;
    println!("GPT of {} parameters: {:.3} bits a character", net.parameter_count(), bits(&net, test)?);
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
