//! Pictures of another size: each new pixel is a weighted mean of the old ones below it, as Pillow does it, to the bit.

use super::Photo;

/// How the pixels below a new one are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Filter {
    /// By how near they are: a triangle over two pixels ("bilinear").
    #[default]
    Triangle,
    /// By a cubic over four pixels, a little below 0 at its sides ("bicubic", a = −½): sharper.
    Cubic,
}

impl Filter {
    /// How far it reaches to each side.
    fn support(self) -> f64 {
        match self {
            Self::Triangle => 1.0,
            Self::Cubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let x = x.abs();
        match self {
            Self::Triangle if x < 1.0 => 1.0 - x,
            Self::Cubic if x < 1.0 => ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0,
            Self::Cubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * A,
            _ => 0.0,
        }
    }
}

const A: f64 = -0.5;

/// An axis of `from` pixels brought to `to`, of which `count` are wanted, from number `first` on.
pub(super) struct Resampling {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) first: usize,
    pub(super) count: usize,
}

/// What a new pixel reads: where that begins, and the weights in units of 2⁻²².
pub(super) struct Taps {
    start: usize,
    weights: Vec<i32>,
}

const BITS: u32 = 22;

impl Resampling {
    pub(super) fn taps(&self, filter: Filter) -> Vec<Taps> {
        let scale = self.from as f64 / self.to as f64;
        // Where pixels become fewer the filter becomes as wide as a new one.
        let width = scale.max(1.0);
        let (support, shrink) = (filter.support() * width, 1.0 / width);
        let of = |i: usize| {
            let centre = (i as f64 + 0.5) * scale;
            // As whole numbers, towards 0, and at least 0.
            let start = (centre - support + 0.5) as usize;
            let end = ((centre + support + 0.5) as usize).min(self.from);
            let weight = |at: usize| filter.weight((at as f64 - centre + 0.5) * shrink);
            let weights: Vec<f64> = (start..end).map(weight).collect();
            let sum = weights.iter().fold(0.0, |sum, w| sum + w);
            let whole = |w: &f64| {
                let w = if sum == 0.0 { *w } else { w / sum } * f64::from(1 << BITS);
                // Half away from 0.
                (w + if w < 0.0 { -0.5 } else { 0.5 }) as i32
            };
            Taps { start, weights: weights.iter().map(whole).collect() }
        };
        (self.first..self.first + self.count).map(of).collect()
    }
}

/// A weighted sum as a byte.
fn byte(pixels: impl Iterator<Item = u8>, weights: &[i32]) -> u8 {
    let half = 1 << (BITS - 1);
    let sum = pixels.zip(weights).fold(half, |sum, (pixel, weight)| sum + i32::from(pixel) * weight);
    (sum >> BITS).clamp(0, 255) as u8
}

/// A picture resampled along its rows, and what comes of it along its columns.
pub(super) fn both(photo: &Photo, down: &[Taps], across: &[Taps]) -> Vec<u8> {
    let ([_, width], bytes) = (photo.size(), photo.bytes());
    // Only of the rows that are read later.
    let start = down.first().map_or(0, |taps| taps.start);
    let end = down.last().map_or(0, |taps| taps.start + taps.weights.len());
    let line = 3 * across.len();
    let mut rows = Vec::with_capacity((end - start) * line);
    for row in bytes[3 * width * start..3 * width * end].chunks_exact(3 * width) {
        for taps in across {
            let read = &row[3 * taps.start..][..3 * taps.weights.len()];
            rows.extend((0..3).map(|colour| byte(read[colour..].iter().step_by(3).copied(), &taps.weights)));
        }
    }
    let mut out = Vec::with_capacity(down.len() * line);
    for taps in down {
        let read = &rows[(taps.start - start) * line..];
        out.extend((0..line).map(|i| byte(read[i..].iter().step_by(line).copied(), &taps.weights)));
    }
    out
}
