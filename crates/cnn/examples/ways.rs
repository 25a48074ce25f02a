//! How long each way of computing a convolution takes, and how large its errors are, as a table.
//!
//! `cargo run --release -p gradus-cnn --example ways -- [FILE]` prints it, or writes it to the file as the book includes it.
#![allow(clippy::print_stdout)] // a program prints

use gradus_autograd::Op;
use gradus_cnn::{Algorithm, ConvShape, Convolution, Window};
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;
use std::fmt::Write;
use std::time::Instant;

/// Name, shape, size of the images, and how many.
const LAYERS: [(&str, ConvShape<2>, usize, usize); 5] = [
    ("3×3, 64 to 64, 56×56", ConvShape::new(64, 64, [Window::new(3).padded(1); 2]), 56, 4),
    ("3×3, 256 to 256, 14×14", ConvShape::new(256, 256, [Window::new(3).padded(1); 2]), 14, 4),
    ("7×7 by 2, 3 to 64, 224×224", ConvShape::new(3, 64, [Window::new(7).stride(2).padded(3); 2]), 224, 2),
    ("5×5, 6 to 16, 14×14 (LeNet)", ConvShape::new(6, 16, [Window::new(5); 2]), 14, 64),
    ("3×3, depthwise 128, 56×56", ConvShape::new(128, 128, [Window::new(3).padded(1); 2]).groups(128), 56, 4),
];

const WAYS: [Algorithm; 6] = [
    Algorithm::Plain,
    Algorithm::Unfold,
    Algorithm::Shift,
    Algorithm::Winograd2,
    Algorithm::Winograd4,
    Algorithm::Depthwise,
];

/// Seconds of the fastest of some calls, forward and backward: other programs make times longer, never shorter.
fn fastest(mut f: impl FnMut() -> Result<()>) -> Result<f64> {
    let begin = Instant::now();
    f()?;
    // The first call warms up; one that took so long need not.
    let mut best = begin.elapsed().as_secs_f64();
    if best > 0.5 {
        return Ok(best);
    }
    for _ in 0..20 {
        let start = Instant::now();
        f()?;
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed().as_secs_f64() > 2.0 {
            break;
        }
    }
    Ok(best)
}

/// The root mean square of the differences, as a part of the root mean square of what is expected.
fn error(got: &Tensor<f32>, expected: &Tensor<f64>) -> f64 {
    let pairs = got.as_slice().iter().zip(expected.as_slice());
    let off: f64 = pairs.map(|(&x, y)| (f64::from(x) - y).powi(2)).sum();
    (off / expected.as_slice().iter().map(|y| y * y).sum::<f64>()).sqrt()
}

fn table() -> Result<String> {
    let mut text = String::from("| layer | ");
    let mut rule = String::from("|---|");
    for way in WAYS {
        let _ = write!(text, "`{way:?}` | ");
        rule.push_str("---|");
    }
    text = format!("{}\n{rule}\n", text.trim_end());
    for (name, shape, size, batch) in LAYERS {
        let during = |geometry: gradus_cnn::Geometry| geometry.during("ways");
        let mut random = rng(1);
        let mut normal = |dims: [usize; 4]| Tensor::<f32>::random(dims, &StandardNormal, &mut random);
        let x = normal([batch, shape.in_channels, size, size])?;
        let [down, across] = shape.windows.map(|w| w.size);
        let w = normal([shape.out_channels, shape.group_channels().map_err(during)?, down, across])?;
        let op = Convolution::new(shape.windows).groups(shape.groups);
        let exact = op.by(Algorithm::Plain).eval([&x.slice(0, 0..1)?.map(f64::from), &w.map(f64::from)])?;
        let multiplications = shape.counts(batch, [size, size]).map_err(during)?.multiplications;
        let _ = write!(text, "| {name} |");
        for way in WAYS {
            let op = op.by(way);
            // What it cannot compute it says.
            let Ok(y) = op.eval([&x, &w]) else {
                text.push_str(" – |");
                continue;
            };
            let error = error(&y.slice(0, 0..1)?, &exact);
            let forward = fastest(|| op.eval([&x, &w]).map(|_| ()))?;
            let dy = Tensor::<f32>::random(y.dims(), &StandardNormal, &mut random)?;
            let backward = fastest(|| op.vjp([&x, &w], &(), &dy, [true; 2]).map(|_| ()))?;
            let rate = |seconds: f64, passes: usize| 2e-9 * passes as f64 * multiplications as f64 / seconds;
            let (f, b) = (rate(forward, 1), rate(backward, 2));
            let [f, b] =
                [f, b].map(|rate| if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") });
            let _ = write!(text, " {f}, {b}; {error:.0e} |");
        }
        text.push('\n');
    }
    Ok(text)
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let table = table()?;
    match std::env::args().nth(1) {
        Some(file) => std::fs::write(file, table)?,
        None => print!("{table}"),
    }
    Ok(())
}
