//! Learns points of the plane, two moons or a spiral, and draws how noise flows to them.
//!
//! `cargo run --release -p gradus-diffusion --example flow -- --set spiral` takes some seconds; the picture shows the points at six places on the way.
#![allow(clippy::print_stdout)] // a program prints

use clap::{Parser, ValueEnum};
use gradus_autograd::{Mode, Parameters};
use gradus_datasets::{spiral, two_moons};
use gradus_diffusion::{DenoisingMlp, Diffusion, MlpShape, Prediction, Sampler, Schedule};
use gradus_optimization::{Adam, Averaged};
use gradus_tensor::{Tensor, write_whole};
use gradus_training::{Batches, Error, Options, Recipe, Result, evaluate};
use image::{GrayImage, ImageFormat, Luma};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::io::Cursor;
use std::path::PathBuf;

/// Learns points of the plane, and draws how noise flows to them.
#[derive(Debug, Parser)]
struct Arguments {
    /// Which points.
    #[arg(long, value_enum, default_value_t = Set::Moons)]
    set: Set,
    /// The width of the hidden layers.
    #[arg(long, default_value_t = 128)]
    width: usize,
    /// The steps of the schedule, T.
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// How many steps a drawing takes.
    #[arg(long, default_value_t = 50)]
    sampling: usize,
    /// The noise of those steps: 0 for none, 1 for that of ancestral sampling.
    #[arg(long, default_value_t = 0.0)]
    eta: f64,
    /// How many points are drawn.
    #[arg(long, default_value_t = 4000)]
    points: usize,
    /// Writes the picture into this PNG file.
    #[arg(long, value_name = "FILE", default_value = "flow.png")]
    picture: PathBuf,
    #[command(flatten)]
    training: Options,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Set {
    /// Two half circles that reach into each other.
    Moons,
    /// Two interleaved spirals.
    Spiral,
}

const LEARNED: usize = 8000;

/// So many points, about the origin and with a deviation of 1.
fn points(set: Set, count: usize, seed: u64) -> Result<Tensor<f32>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(seed);
    let half = [count / 2, count - count / 2];
    let all = match set {
        Set::Moons => two_moons(half, 0.05, rng)?,
        Set::Spiral => spiral(&half, 1.0, 0.02, rng)?,
    };
    let x = all.features;
    let x = x.sub(&x.mean_axis(0)?)?;
    let deviation = x.mul(&x)?.mean()?.sqrt();
    Ok(x.scale(1.0 / deviation).cast())
}

/// The mean distance from each point to the nearest of the others.
fn nearest(x: &Tensor<f32>, others: &Tensor<f32>) -> f64 {
    let distance = |p: &[f32], q: &[f32]| f64::from((p[0] - q[0]).hypot(p[1] - q[1]));
    let least = |p: &[f32]| others.as_slice().chunks(2).map(|q| distance(p, q)).fold(f64::INFINITY, f64::min);
    x.as_slice().chunks(2).map(least).sum::<f64>() / x.dims()[0] as f64
}

/// Clouds side by side: the more points at a place, the darker.
fn picture(stages: &[Tensor<f32>]) -> GrayImage {
    const SIDE: usize = 260;
    const REACH: f32 = 3.2;
    let mut counts = vec![0u32; stages.len() * SIDE * SIDE];
    for (k, stage) in stages.iter().enumerate() {
        for p in stage.as_slice().chunks(2) {
            let [x, y] = [p[0], -p[1]].map(|at| (at / REACH * 0.5 + 0.5) * SIDE as f32);
            if x >= 0.0 && y >= 0.0 && (x as usize) < SIDE && (y as usize) < SIDE {
                counts[(y as usize * stages.len() + k) * SIDE + x as usize] += 1;
            }
        }
    }
    let width = stages.len() * SIDE;
    GrayImage::from_fn(width as u32, SIDE as u32, |x, y| {
        let count = counts[y as usize * width + x as usize];
        let edge = x > 0 && (x as usize).is_multiple_of(SIDE);
        Luma([if edge { 200 } else { (255.0 * 0.5f32.powi(count.min(8) as i32)) as u8 }])
    })
}

fn run(a: &Arguments) -> Result<()> {
    let recipe = Recipe { epochs: 60, batch: 200, rate: 3e-3, warmup: None };
    let shape = MlpShape { width: a.width, ..MlpShape::default() };
    let net = DenoisingMlp::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(a.training.seed))?;
    let diffusion = Diffusion::new(Schedule::cosine(a.steps)?, Prediction::Velocity);
    let (learned, held_back) = (points(a.set, LEARNED, 1)?, points(a.set, 2000, 2)?);
    println!("{} numbers to learn, from {LEARNED} points", net.parameter_count());
    let mut adam = Averaged::new(Adam::new(recipe.rate), 0.995)?;
    let batches = Batches::new(LEARNED, a.training.batch(&recipe))?.shuffled();
    let mut validate = || {
        evaluate(held_back.dims()[0], 500, |numbers| {
            let x0 = held_back.gather(0, numbers)?;
            Ok((diffusion.loss(&net, &x0, None, &mut Mode::Eval)?.item()?.into(), None))
        })
    };
    a.training.run(&net, &mut adam, &recipe, batches, Some(&mut validate), |numbers, mode| {
        Ok(diffusion.loss(&net, &learned.gather(0, numbers)?, None, mode)?.into())
    })?;
    adam.load_into(&net)?;

    let sampler = Sampler::ddim(diffusion, a.sampling, a.eta)?;
    let mut stages = Vec::new();
    let mut way = sampler.begin(&net, [a.points, 2], None, a.training.seed)?;
    let (all, mut last) = (way.len(), None);
    for (i, stage) in way.by_ref().enumerate() {
        let stage = stage?;
        if (i + 1) * 6 / all > i * 6 / all {
            stages.push(stage.x.clone());
        }
        last = Some(stage.x);
    }
    let Some(drawn) = last else { return Ok(()) };
    let mut bytes = Cursor::new(Vec::new());
    let failed =
        |why: &dyn ToString| Error::File { file: a.picture.display().to_string(), why: why.to_string() };
    picture(&stages).write_to(&mut bytes, ImageFormat::Png).map_err(|why| failed(&why))?;
    write_whole(&a.picture, bytes.get_ref())?;
    println!("{} points on their way in {}", a.points, a.picture.display());
    println!(
        "distance of a drawn point to the nearest real one: {:.4} (real ones held back: {:.4})",
        nearest(&drawn, &learned),
        nearest(&held_back, &learned)
    );
    // As many real ones as were drawn, from all of the set.
    let count = a.points.min(LEARNED);
    let some: Vec<u32> = (0..count).map(|i| (i * LEARNED / count) as u32).collect();
    println!(
        "distance of a real point to the nearest drawn one: {:.4} (to the nearest of the real ones: {:.4})",
        nearest(&held_back, &drawn),
        nearest(&held_back, &learned.gather(0, &some)?)
    );
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
