//! What was drawn, as pictures.

use crate::{Arguments, Data, Network};
use gradus_diffusion::Sampler;
use gradus_tensor::{Tensor, write_whole};
use gradus_training::{Error, Result};
use image::{GrayImage, ImageFormat};
use std::io::Cursor;
use std::path::Path;

/// Rows of images of one size, from −1 (white) to 1 (black), as one picture; small ones are enlarged.
fn picture(rows: &[Tensor<f32>]) -> GrayImage {
    let [across, _, h, w] = match rows.first().map(Tensor::dims) {
        Some(&[n, c, h, w]) => [n, c, h, w],
        _ => [0, 0, 1, 1],
    };
    let factor = (96 / h.max(w)).max(1);
    // Digits often fill their image: a gap keeps them apart.
    let gap = 2 + h * factor / 8;
    let (cell_h, cell_w) = (h * factor + gap, w * factor + gap);
    GrayImage::from_fn((across * cell_w) as u32, (rows.len() * cell_h) as u32, |x, y| {
        let [x, y] = [x, y].map(|at| at as usize);
        let (row, column) = (y / cell_h, x / cell_w);
        let (i, j) = (y % cell_h / factor, x % cell_w / factor);
        let ink = if i < h && j < w { rows[row].get([column, 0, i, j]).unwrap_or(0.0) } else { -1.0 };
        image::Luma([(127.5 * (1.0 - ink.clamp(-1.0, 1.0))).round() as u8])
    })
}

fn save(picture: &GrayImage, file: &Path) -> Result<()> {
    let failed = |why: &dyn ToString| Error::File { file: file.display().to_string(), why: why.to_string() };
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).map_err(|why| failed(&why))?;
    write_whole(file, bytes.get_ref()).map_err(|why| failed(&why))
}

/// The sheet, a row a digit; and the film, a row a drawing.
pub(super) fn write(a: &Arguments, net: &dyn Network, sampler: &Sampler, data: &Data) -> Result<()> {
    const ACROSS: usize = 10;
    let [c, h, w] = data.shape();
    let labels: Vec<u32> = (0..data.classes).flat_map(|class| [class; ACROSS]).collect();
    let bar = indicatif::ProgressBar::new(sampler.steps().len() as u64);
    let mut way = sampler.begin(net, [labels.len(), c, h, w], Some(&labels), a.training.seed)?;
    let mut film = Vec::new();
    let every = sampler.steps().len().div_ceil(12);
    let mut last = None;
    for (i, stage) in way.by_ref().enumerate() {
        let stage = stage?;
        if i % every == 0 || stage.t == 0 {
            film.push(stage.x.clone());
        }
        last = Some(stage.x);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let Some(drawn) = last else { return Ok(()) };
    let rows = (0..data.classes as usize).map(|row| drawn.slice(0, row * ACROSS..(row + 1) * ACROSS));
    save(&picture(&rows.collect::<std::result::Result<Vec<_>, _>>()?), &a.sheet)?;
    println!("ten drawings of each digit in {}", a.sheet.display());
    if let Some(file) = &a.film {
        // The first drawing of each digit, from step to step.
        let row = |class: usize| {
            let at = class * ACROSS;
            let frames = film.iter().map(|x| x.slice(0, at..at + 1));
            let frames = frames.collect::<std::result::Result<Vec<_>, _>>()?;
            Tensor::concatenate(&frames.iter().collect::<Vec<_>>(), 0)
        };
        let rows = (0..data.classes as usize).map(row).collect::<std::result::Result<Vec<_>, _>>()?;
        save(&picture(&rows), file)?;
        println!("their steps in {}", file.display());
    }
    Ok(())
}
