//! Scenes: handwritten digits, turned, enlarged and inked, laid over a texture. What is digit and what is not is known exactly.

use gradus_datasets::Images;
use gradus_tensor::Tensor;
use gradus_training::{Error, Result};
use image::imageops::FilterType;
use rand::{Rng, RngExt};
use std::ops::Range;
use std::path::Path;

/// A picture in grey, from 0 to 1.
pub(super) struct Grey {
    pixels: Vec<f32>,
    height: usize,
    width: usize,
}

/// The longer side of a photograph, at most: larger ones are made smaller, so that their textures have about the size of a digit's strokes.
const LARGEST: u32 = 640;

impl Grey {
    /// The photographs of a folder that are at least `side` pixels high and wide, in the order of their names; and how many were smaller.
    fn of_folder(folder: &Path, side: usize) -> Result<(Vec<Self>, usize)> {
        let refused = |why: String| Error::File {
            file: folder.display().to_string(),
            why: format!("as photographs: {why}"),
        };
        let entries = std::fs::read_dir(folder).map_err(|why| refused(why.to_string()))?;
        let mut files: Vec<_> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
        files.sort();
        let (mut photographs, mut small) = (Vec::new(), 0);
        for file in files {
            let extension = file.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
            if !["png", "jpg", "jpeg"].contains(&extension.as_str()) {
                continue;
            }
            let opened = image::open(&file).map_err(|why| refused(format!("{}: {why}", file.display())))?;
            let smaller = if opened.width().max(opened.height()) > LARGEST {
                opened.resize(LARGEST, LARGEST, FilterType::Triangle)
            } else {
                opened
            };
            let (height, width) = (smaller.height() as usize, smaller.width() as usize);
            if height.min(width) < side {
                small += 1;
                continue;
            }
            let pixels = smaller.to_luma8().into_raw().into_iter().map(|p| f32::from(p) / 255.0).collect();
            photographs.push(Self { pixels, height, width });
        }
        if photographs.is_empty() {
            return Err(refused(format!(
                "none of at least {side}×{side} pixels, {small} smaller (allowed: at least one)"
            )));
        }
        Ok((photographs, small))
    }

    /// The photographs of a folder, cut apart: what is left of the last `judged` columns to learn on, these to judge on, `[learned, judged]`; and how many were too small for both, of which a side is
    /// at least `learned` pixels.
    pub(super) fn apart(folder: &Path, learned: usize, judged: usize) -> Result<([Vec<Self>; 2], usize)> {
        let (photographs, mut small) = Self::of_folder(folder, learned.max(judged))?;
        let mut parts = [Vec::new(), Vec::new()];
        for photograph in photographs {
            let Some(left) = photograph.width.checked_sub(judged).filter(|left| *left >= learned) else {
                small += 1;
                continue;
            };
            parts[0].push(photograph.columns(0..left));
            parts[1].push(photograph.columns(left..photograph.width));
        }
        if parts[0].is_empty() {
            let why = format!("as photographs: none is {} pixels wide", learned + judged);
            return Err(Error::File { file: folder.display().to_string(), why });
        }
        Ok((parts, small))
    }

    fn columns(&self, range: Range<usize>) -> Self {
        let rows = self.pixels.chunks_exact(self.width);
        let pixels = rows.flat_map(|row| row[range.clone()].to_vec()).collect();
        Self { pixels, height: self.height, width: range.len() }
    }

    /// A texture without a photograph: waves of all lengths and directions, and grains.
    pub(super) fn texture(side: usize, rng: &mut impl Rng) -> Self {
        let waves: Vec<[f32; 4]> = (0..24)
            .map(|_| {
                let length = 2.0f32.powf(rng.random_range(2.0..6.5));
                let (angle, phase) =
                    (rng.random_range(0.0..std::f32::consts::TAU), rng.random_range(0.0..6.3));
                let often = std::f32::consts::TAU / length;
                // Longer waves are higher, as in photographs.
                [
                    often * angle.cos(),
                    often * angle.sin(),
                    phase,
                    rng.random_range(0.0..0.012) * length.sqrt(),
                ]
            })
            .collect();
        let grain = rng.random_range(0.0..0.1);
        let level = rng.random_range(0.3..0.7);
        let pixels = (0..side * side)
            .map(|at| {
                let (y, x) = ((at / side) as f32, (at % side) as f32);
                let sum: f32 = waves
                    .iter()
                    .map(|[down, across, phase, high]| high * (down * y + across * x + phase).sin())
                    .sum();
                (level + sum + grain * rng.random_range(-1.0..1.0f32)).clamp(0.0, 1.0)
            })
            .collect();
        Self { pixels, height: side, width: side }
    }
}

/// A scene, and for each of its pixels whether it is of a digit.
pub(super) struct Scene {
    pub(super) pixels: Vec<f32>,
    pub(super) mask: Vec<f32>,
}

/// A square of `side` pixels of one of the textures, with digits on it.
pub(super) fn scene(side: usize, textures: &[Grey], digits: &Images, rng: &mut (impl Rng + ?Sized)) -> Scene {
    let texture = &textures[rng.random_range(0..textures.len())];
    let top = rng.random_range(0..=texture.height - side);
    let left = rng.random_range(0..=texture.width - side);
    let flip = rng.random_range(0..2) == 1;
    let mut pixels = Vec::with_capacity(side * side);
    for row in 0..side {
        let from = &texture.pixels[(top + row) * texture.width + left..][..side];
        if flip { pixels.extend(from.iter().rev()) } else { pixels.extend(from) }
    }
    let mut mask = vec![0.0; side * side];
    // As dense whatever the scene's size.
    let most = (side * side).div_ceil(50 * 50);
    for _ in 0..rng.random_range(most.div_ceil(4)..=most) {
        place(side, digits, &mut pixels, &mut mask, rng);
    }
    Scene { pixels, mask }
}

/// Lays a digit on a scene.
fn place(side: usize, digits: &Images, pixels: &mut [f32], mask: &mut [f32], rng: &mut (impl Rng + ?Sized)) {
    let (height, width) = (digits.height() as f32, digits.width() as f32);
    let Some(digit) = digits.image(rng.random_range(0..digits.len())) else { return };
    let (larger, turned) = (rng.random_range(1.0..2.2f32), rng.random_range(-0.5..0.5f32));
    let (sin, cos) = turned.sin_cos();
    let [y0, x0] = [0, 1].map(|_| rng.random_range(0.0..side as f32));
    let at = |y: f32, x: f32| {
        let inside = y >= 0.0 && x >= 0.0 && y < height && x < width;
        if inside {
            f32::from(digit[y as usize * digits.width() + x as usize]) / f32::from(digits.white())
        } else {
            0.0
        }
    };
    let reach = (larger * height.hypot(width) / 2.0).ceil();
    let range =
        |middle: f32| ((middle - reach).max(0.0) as usize)..((middle + reach).max(0.0) as usize).min(side);
    // The pixels that it covers, and how much of each.
    let mut covered = Vec::new();
    for y in range(y0) {
        for x in range(x0) {
            // The place in the digit's image, between four of its pixels.
            let (down, across) = ((y as f32 - y0) / larger, (x as f32 - x0) / larger);
            let v = cos * down - sin * across + height / 2.0 - 0.5;
            let u = sin * down + cos * across + width / 2.0 - 0.5;
            let (v0, u0) = (v.floor(), u.floor());
            let (dv, du) = (v - v0, u - u0);
            let upper = (1.0 - du) * at(v0, u0) + du * at(v0, u0 + 1.0);
            let lower = (1.0 - du) * at(v0 + 1.0, u0) + du * at(v0 + 1.0, u0 + 1.0);
            let share = (1.0 - dv) * upper + dv * lower;
            if share > 0.0 {
                covered.push((y * side + x, share));
            }
        }
    }
    // The ink differs from the mean of what it covers, towards where there is more room.
    let ground = covered.iter().map(|(at, share)| share * pixels[*at]).sum::<f32>()
        / covered.iter().map(|(_, share)| share).sum::<f32>().max(1.0);
    let contrast = rng.random_range(0.4..0.8);
    let ink = if ground > 0.5 { ground - contrast } else { ground + contrast }.clamp(0.0, 1.0);
    for (at, share) in covered {
        pixels[at] += share * (ink - pixels[at]);
        if share > 0.5 {
            mask[at] = 1.0;
        }
    }
}

/// Some scenes as `[N, 1, side, side]`, brightness around 0, and their masks within a margin, `[N, 1, inner, inner]`.
pub(super) fn tensors(scenes: &[Scene], side: usize, inner: usize) -> Result<[Tensor<f32>; 2]> {
    let margin = (side - inner) / 2;
    let x = scenes.iter().flat_map(|scene| scene.pixels.iter().map(|p| 2.0 * p - 1.0)).collect();
    let mask = scenes.iter().flat_map(|scene| {
        scene
            .mask
            .chunks_exact(side)
            .skip(margin)
            .take(inner)
            .flat_map(move |row| row[margin..margin + inner].to_vec())
    });
    Ok([
        Tensor::from_vec(x, [scenes.len(), 1, side, side])?,
        Tensor::from_vec(mask.collect(), [scenes.len(), 1, inner, inner])?,
    ])
}
