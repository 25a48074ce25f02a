//! Images of any size, tile by tile.

use super::{OP, UNet};
use crate::refused;
use gradus_autograd::{Layer, Mode, Op, Var, no_grad};
use gradus_cnn::{Pad, PaddingMode};
use gradus_tensor::{Error, Result, Scalar, Tensor};

impl<T: Scalar> UNet<T> {
    /// The scores of all pixels of images of any size, computed from tiles of `tile` × `tile` pixels: the paper's overlap-tile strategy. Where a tile would look beyond the image, it sees
    /// the image mirrored.
    ///
    /// Tiles lie as far apart as their predictions reach, rounded down to a multiple of 2^L, and the last one begins as early as it may to reach the end: so each pooling of a tile looks at the same pixels as one of the whole image would, and
    /// the result is that of the whole image. With [`Doubling::Bilinear`](crate::Doubling) it nearly is: next to a tile's edge the doubling has no neighbour to look at, and repeats the last pixel.
    ///
    /// **Errors**: a network with padding, whose predictions at a tile's edge would not be those of the whole; a tile that is not legal or too small; an image smaller than what has to be mirrored.
    ///
    /// ```
    /// use gradus_architectures::{Start, UNet, UNetShape};
    /// use gradus_tensor::Tensor;
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let shape = UNetShape { padded: false, ..UNetShape::tiny() };
    /// let net = UNet::<f32>::new(&shape, &mut Start::Random(&mut ChaCha8Rng::seed_from_u64(1)))?;
    /// let scores = net.by_tiles(&Tensor::zeros([1, 1, 50, 61])?, 60)?;
    /// assert_eq!(scores.dims(), [1, 2, 50, 61]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// See above.
    pub fn by_tiles(&self, x: &Tensor<T>, tile: usize) -> Result<Tensor<T>> {
        let &[n, _, height, width] = x.dims() else {
            return Err(Error::Shape {
                op: OP,
                expected: "x of the shape [N, C, H, W]".into(),
                got: x.shape(),
            });
        };
        if self.shape.padded {
            return Err(refused(OP, "padded", true, "a network without padding"));
        }
        let out = self.shape.output(tile)?;
        let grid = 1 << self.shape.levels;
        let step = out - out % grid;
        if step == 0 {
            return Err(refused(OP, "tile", tile, format!("at least {}", tile - out + grid)));
        }
        // Where tiles begin: so far apart, and the last one as early as it may to reach the end.
        let starts = |n: usize| {
            let last = n.saturating_sub(out).next_multiple_of(grid);
            (0..last).step_by(step).chain([last]).collect::<Vec<_>>()
        };
        let [rows, columns] = [starts(height), starts(width)];
        // What a tile sees beyond its predictions, and how far the last one reaches beyond the image.
        let margin = (tile - out) / 2;
        let beyond = |starts: &[usize], n: usize| starts.last().map_or(0, |last| last + out - n);
        let padding =
            [beyond(&rows, height), beyond(&columns, width)].map(|beyond| [margin, margin + beyond]);
        let padded = Pad::new(padding).mode(PaddingMode::Reflect).eval([x])?;
        let mut scores = Tensor::zeros([n, self.shape.classes, height, width])?;
        for &row in &rows {
            for &column in &columns {
                let own = padded.slice(2, row..row + tile)?.slice(3, column..column + tile)?;
                let own = no_grad(|| self.forward(&Var::constant(own), &mut Mode::Eval))?.value();
                let [high, wide] = [out.min(height - row), out.min(width - column)];
                let planes = scores.as_mut_slice().chunks_exact_mut(height * width);
                for (plane, own) in planes.zip(own.as_slice().chunks_exact(out * out)) {
                    for r in 0..high {
                        plane[(row + r) * width + column..][..wide].copy_from_slice(&own[r * out..][..wide]);
                    }
                }
            }
        }
        Ok(scores)
    }
}
