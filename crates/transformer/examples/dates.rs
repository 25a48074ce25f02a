//! Dates as people write them, translated into 2026-11-05: the whole encoder–decoder, character by character.
//!
//! `cargo run --release -p gradus-transformer --example dates` trains it and judges it on days that it has not seen.
#![allow(clippy::print_stdout)] // a program prints

use clap::Parser;
use gradus_autograd::{Mode, Var};
use gradus_losses::CrossEntropy;
use gradus_optimization::Adam;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Error, Options, Recipe, Result};
use gradus_transformer::{BlockShape, ModelShape, Transformer};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, RngExt, SeedableRng};

/// What the source may be made of.
const LETTERS: &str = " ,./-'0123456789abcdefghijklmnopqrstuvwxyzADFJMNOSTW";
/// The target's: digits, a dash, the beginning and the end.
const WRITTEN: &str = "0123456789-";
const BEGIN: u32 = 11;
const END: u32 = 12;
/// The characters of 2026-11-05.
const LENGTH: usize = 10;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Trains a transformer to read dates in fourteen ways of writing them, and judges it on days that it has not seen.
#[derive(Debug, Parser)]
struct Arguments {
    /// A date to translate in the end, besides the examples; several are allowed.
    #[arg(long, value_name = "DATE")]
    read: Vec<String>,
    /// The width of the model.
    #[arg(long, default_value_t = 64)]
    width: usize,
    /// How many blocks each stack has.
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// How much of each true label is spread over all.
    #[arg(long, default_value_t = 0.1)]
    smoothing: f64,
    /// How many dates to judge by.
    #[arg(long, default_value_t = 4000)]
    judge: usize,
    #[command(flatten)]
    training: Options,
}

#[derive(Debug, Clone, Copy)]
struct Day {
    year: u32,
    month: u32,
    day: u32,
}

impl Day {
    fn random(rng: &mut dyn Rng) -> Self {
        let (year, month) = (rng.random_range(1900..=2099), rng.random_range(1..=12));
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        Self { year, month, day: rng.random_range(1..=days) }
    }

    /// Kept apart to judge by: a tenth of all days.
    fn is_judged(self) -> bool {
        (self.year * 372 + self.month * 31 + self.day) % 10 == 3
    }

    /// Sakamoto's method: 0 is a Sunday.
    fn weekday(self) -> usize {
        let shift = [0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4][self.month as usize - 1];
        let year = if self.month < 3 { self.year - 1 } else { self.year };
        ((year + year / 4 - year / 100 + year / 400 + shift + self.day) % 7) as usize
    }

    /// As people write it, in one of fourteen ways.
    fn written(self, way: u32) -> String {
        let Self { year, month, day } = self;
        let name = MONTHS[month as usize - 1];
        let (short, weekday) = (&name[..3], DAYS[self.weekday()]);
        let ending = match day {
            1 | 21 | 31 => "st",
            2 | 22 => "nd",
            3 | 23 => "rd",
            _ => "th",
        };
        match way {
            0 => format!("{name} {day}, {year}"),
            1 => format!("{short} {day}, {year}"),
            2 => format!("{day} {name} {year}"),
            3 => format!("{day} {short} {year}"),
            4 => format!("{day}{ending} of {name} {year}"),
            5 => format!("the {day}{ending} of {name}, {year}"),
            6 => format!("{weekday}, {name} {day}, {year}"),
            7 => format!("{}, {day} {short} {year}", &weekday[..3]),
            8 => format!("{day}.{month}.{year}"),
            9 => format!("{day:02}.{month:02}.{year}"),
            10 => format!("{year}/{month}/{day}"),
            11 => format!("{year}{month:02}{day:02}"),
            12 => format!("{day} {short} '{:02}", year % 100),
            _ => format!("{weekday} {day}{ending} {name} {year}"),
        }
    }

    fn wanted(self) -> String {
        format!("{}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// A text as the numbers of its letters.
fn numbers(text: &str, letters: &str) -> Result<Vec<u32>> {
    let place = |c| letters.find(c).map(|i| i as u32);
    let unknown = |c| Error::other(format!("{text:?} has a {c:?}; there are only {letters:?}"));
    text.chars().map(|c| place(c).ok_or_else(|| unknown(c))).collect()
}

/// Sources side by side, padded, and their lengths.
fn sources(texts: &[String]) -> Result<(Tensor<u32>, Vec<usize>)> {
    let rows: Vec<Vec<u32>> = texts.iter().map(|text| numbers(text, LETTERS)).collect::<Result<_>>()?;
    let lengths: Vec<usize> = rows.iter().map(Vec::len).collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let mut ids = Vec::new();
    for mut row in rows {
        row.resize(longest, 0);
        ids.extend(row);
    }
    Ok((Tensor::from_vec(ids, [texts.len(), longest])?, lengths))
}

/// Days that are kept apart, or others, with their texts. "'05" does not say which century: it stands for 2005, so only such years are written so.
fn draw(count: usize, judged: bool, rng: &mut dyn Rng) -> (Vec<Day>, Vec<String>) {
    let (mut days, mut texts) = (Vec::new(), Vec::new());
    while days.len() < count {
        let (day, way) = (Day::random(rng), rng.random_range(0..14));
        if day.is_judged() == judged && (way != 12 || day.year >= 2000) {
            days.push(day);
            texts.push(day.written(way));
        }
    }
    (days, texts)
}

fn loss(
    net: &Transformer,
    a: &Arguments,
    count: usize,
    mode: &mut Mode<'_>,
    rng: &mut dyn Rng,
) -> Result<Var<f32>> {
    let (days, texts) = draw(count, false, rng);
    let (source, lengths) = sources(&texts)?;
    // At every place the character before is known, and the next one is asked for.
    let (mut given, mut wanted) = (Vec::new(), Vec::new());
    for day in &days {
        let letters = numbers(&day.wanted(), WRITTEN)?;
        given.push(BEGIN);
        given.extend(&letters);
        wanted.extend(letters);
        wanted.push(END);
    }
    let given = Tensor::from_vec(given, [count, LENGTH + 1])?;
    let logits = net.forward(&source, Some(&lengths), &given, mode)?;
    let logits = logits.reshape([count * (LENGTH + 1), WRITTEN.len() + 2])?;
    let wanted = Tensor::from_vec(wanted, [count * (LENGTH + 1)])?;
    Ok(Var::apply(CrossEntropy::new(&wanted).label_smoothing(a.smoothing), [&logits])?)
}

/// What the model writes for these texts.
fn translate(net: &Transformer, texts: &[String]) -> Result<Vec<String>> {
    let (source, lengths) = sources(texts)?;
    let written = net.translate(&source, Some(&lengths), [BEGIN, END], LENGTH + 2)?;
    let letters: Vec<char> = WRITTEN.chars().collect();
    let text = |row: &[u32]| row.iter().filter_map(|&id| letters.get(id as usize)).collect();
    Ok(written.as_slice().chunks(written.dims()[1]).map(text).collect())
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 12, batch: 64, rate: 0.002, warmup: Some(300) };
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
    let shape = ModelShape {
        block: BlockShape::new(a.width, 4),
        layers: a.layers,
        source: LETTERS.len(),
        target: WRITTEN.len() + 2,
    };
    let net = Transformer::<f32>::new(shape, rng)?;
    let batch = a.training.batch(&recipe);
    a.training.run(
        &net,
        &mut Adam::new(recipe.rate),
        &recipe,
        Batches::new(200, 1)?,
        None,
        |numbers, mode| {
            let own = &mut match mode {
                Mode::Train(rng) => ChaCha8Rng::seed_from_u64(rng.next_u64()),
                Mode::Eval => ChaCha8Rng::seed_from_u64(u64::from(numbers[0])),
            };
            Ok(loss(&net, a, batch, mode, own)?.into())
        },
    )?;
    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed ^ 0x5EED);
    let (mut right, mut shown) = (0, 0);
    for first in (0..a.judge).step_by(500) {
        let (days, texts) = draw(500.min(a.judge - first), true, rng);
        let written = translate(&net, &texts)?;
        for ((day, text), written) in days.iter().zip(&texts).zip(&written) {
            let good = *written == day.wanted();
            right += usize::from(good);
            if !good && shown < 5 || first == 0 && shown == 0 {
                shown += 1;
                println!("{text} → {written}{}", if good { "" } else { ", which is wrong" });
            }
        }
    }
    println!(
        "{:.2} % of {} days that it had not seen, without a mistake",
        100.0 * right as f64 / a.judge as f64,
        a.judge
    );
    if !a.read.is_empty() {
        for (text, written) in a.read.iter().zip(translate(&net, &a.read)?) {
            println!("{text} → {written}");
        }
    }
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
