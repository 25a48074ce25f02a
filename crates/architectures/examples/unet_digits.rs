//! Trains a small U-Net to find handwritten digits on textured ground: for each pixel, whether it is of a digit.
//!
//! `cargo run --release -p gradus-architectures --example unet_digits` runs small: embedded digits on textures that are computed. With `--data DIR` the digits are MNIST's, with `--photos DIR` the
//! ground is photographs: PNG and JPEG files, as scikit-image's package brings them in `skimage/data`. The right part of each is kept to judge on, with digits that were not learned from
//! either. Judged are scenes larger than those learned from, in tiles, as the paper does it: the network sees nothing beyond an edge, so tiles overlap, and meet without a seam.
#![allow(clippy::print_stdout)] // a program prints

#[path = "shared/exit.rs"]
mod exit;
#[path = "unet_digits/scenes.rs"]
mod scenes;
#[path = "shared/training.rs"]
mod training;

use clap::Parser;
use gradus_architectures::{Start, UNet, UNetShape};
use gradus_autograd::{Layer, Mode, Parameters, Var};
use gradus_datasets::{mnist, mnist_subset};
use gradus_losses::{BceWithLogits, Elementwise, Reduction};
use gradus_optimization::Adam;
use gradus_tensor::Tensor;
use gradus_training::{Batches, Error, Result, Scored};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use scenes::{Grey, Scene};
use std::path::{Path, PathBuf};
use training::Training;

/// Trains a small U-Net to find handwritten digits on textured ground; the last line is the intersection of what it finds and what is there, over their union.
#[derive(Debug, Parser)]
#[command(mut_arg("epochs", |arg| arg.default_value("3")), mut_arg("batch", |arg| arg.default_value("8")))]
struct Arguments {
    /// A folder with MNIST's four IDX files, gzip or not; without it, the embedded 8000 + 2000 images.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A folder with photographs, PNG or JPEG, for the ground; without it, textures that are computed.
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
    /// How many scenes make an epoch. Each is new.
    #[arg(long, default_value_t = 800)]
    scenes: usize,
    /// The maps of the first level.
    #[arg(long, default_value_t = 8)]
    width: usize,
    /// How often the maps are halved.
    #[arg(long, default_value_t = 3)]
    levels: usize,
    /// The side of a scene, and of a tile; what is predicted is smaller.
    #[arg(long, default_value_t = 156)]
    tile: usize,
    /// The side of the scenes that are judged.
    #[arg(long, default_value_t = 240)]
    side: usize,
    /// How many are judged.
    #[arg(long, default_value_t = 50)]
    judged: usize,
    /// The greatest learning rate, of one cycle.
    #[arg(long, default_value_t = 0.01)]
    rate: f64,
    /// Draws some of the judged scenes into this PNG file: the scene, what is digit, what was found, and where they differ.
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    #[command(flatten)]
    training: Training,
}

/// The ground to learn on, and the ground to judge on.
fn grounds(a: &Arguments) -> Result<[Vec<Grey>; 2]> {
    let side = a.tile.max(a.side);
    let Some(folder) = &a.photos else {
        let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed);
        return Ok([60, 20].map(|count| (0..count).map(|_| Grey::texture(2 * side, rng)).collect()));
    };
    let (parts, small) = Grey::apart(folder, a.tile, a.side)?;
    println!(
        "{} photographs, the right {} columns of each to judge on; {small} are too small",
        parts[0].len(),
        a.side
    );
    Ok(parts)
}

/// How many pixels are digits in both, and in either.
fn overlap(found: &[f32], mask: &[f32]) -> [usize; 2] {
    let both = found.iter().zip(mask).filter(|(f, m)| **f > 0.0 && **m > 0.5).count();
    let either = found.iter().zip(mask).filter(|(f, m)| **f > 0.0 || **m > 0.5).count();
    [both, either]
}

/// A row a scene: the scene, its mask, what was found, and the differences: found but not there in red, there but not found in blue.
fn draw(file: &Path, side: usize, judged: &[(Scene, Tensor<f32>)]) -> Result<()> {
    const GAP: usize = 6;
    let (high, wide) = (judged.len() * (side + GAP) + GAP, 4 * (side + GAP) + GAP);
    let mut picture = image::RgbImage::from_pixel(wide as u32, high as u32, image::Rgb([255; 3]));
    for (row, (scene, found)) in judged.iter().enumerate() {
        for at in 0..side * side {
            let (there, found) = (scene.mask[at] > 0.5, found.as_slice()[at] > 0.0);
            let grey = (255.0 * scene.pixels[at]).round() as u8;
            let ink = |yes: bool| [if yes { 20 } else { 235 }; 3];
            let difference = match (there, found) {
                (true, false) => [30, 90, 220],
                (false, true) => [220, 50, 40],
                (true, true) => [150; 3],
                (false, false) => [240; 3],
            };
            let (y, x) = (GAP + row * (side + GAP) + at / side, at % side);
            for (column, colour) in [[grey; 3], ink(there), ink(found), difference].into_iter().enumerate() {
                let x = GAP + column * (side + GAP) + x;
                picture.put_pixel(x as u32, y as u32, image::Rgb(colour));
            }
        }
    }
    picture.save(file).map_err(|why| Error::File { file: file.display().to_string(), why: why.to_string() })
}

fn run(a: &Arguments) -> Result<()> {
    let shape = UNetShape {
        padded: false,
        width: a.width,
        levels: a.levels,
        image: [a.tile; 2],
        ..UNetShape::tiny().classes(1)
    };
    let inner = shape.output(a.tile)?;
    let data = match &a.data {
        Some(folder) => mnist(folder)?,
        None => mnist_subset()?,
    };
    let [learned, ground] = grounds(a)?;
    let net = UNet::<f32>::new(&shape, &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(a.training.seed)))?;
    println!(
        "U-Net of {} levels, {} numbers to learn; tiles of {}×{}, of which {inner}×{inner} are predicted",
        a.levels,
        net.parameter_count(),
        a.tile,
        a.tile
    );
    let mut adam = Adam::new(a.rate);
    let batches = Batches::new(a.scenes, a.training.batch)?;
    a.training.run(&net, &mut adam, a.rate, batches, |numbers, mode| {
        let made: Vec<Scene> = match mode {
            Mode::Train(rng) => {
                numbers.iter().map(|_| scenes::scene(a.tile, &learned, &data.train, &mut **rng)).collect()
            }
            Mode::Eval => Vec::new(),
        };
        let [x, mask] = scenes::tensors(&made, a.tile, inner)?;
        let logits = net.forward(&Var::constant(x), mode)?;
        // Each pixel is a sample.
        let pixels = mask.len();
        let (logits, mask) = (logits.reshape([pixels])?, Var::constant(mask.reshape([pixels])?));
        let loss = Elementwise { loss: BceWithLogits, reduction: Reduction::Mean };
        Ok(Scored::from(Var::apply(loss, [&logits, &mask])?))
    })?;

    let rng = &mut ChaCha8Rng::seed_from_u64(a.training.seed + 1);
    let (mut both, mut either, mut shown) = (0, 0, Vec::new());
    for _ in 0..a.judged {
        let scene = scenes::scene(a.side, &ground, &data.test, rng);
        let [x, _] = scenes::tensors(std::slice::from_ref(&scene), a.side, a.side)?;
        let found = net.by_tiles(&x, a.tile)?;
        let [b, e] = overlap(found.as_slice(), &scene.mask);
        (both, either) = (both + b, either + e);
        if shown.len() < 6 {
            shown.push((scene, found));
        }
    }
    if let Some(file) = &a.picture {
        draw(file, a.side, &shown)?;
        println!("the first {} scenes in {}", shown.len(), file.display());
    }
    println!(
        "{} scenes of {}×{}: intersection over union {:.3}",
        a.judged,
        a.side,
        a.side,
        both as f64 / either.max(1) as f64
    );
    Ok(())
}

fn main() -> std::process::ExitCode {
    let a = Arguments::parse();
    a.training.main(|| run(&a))
}
