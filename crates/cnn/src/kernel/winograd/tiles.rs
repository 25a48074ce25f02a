//! Images, cut into tiles, on their way into the products.

use super::{LANES, Lanes, Minimal, PANEL, PIXELS, along};
use gradus_tensor::kernel::{View, fetch, transpose_into, vectorize};
use gradus_tensor::{Result, Scalar};
use std::ops::Range;

/// Some tiles side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) image: usize,
    pub(super) row: usize,
    pub(super) column: usize,
    pub(super) count: usize,
}

/// The pieces of some images with so many tiles down and across, in blocks of at most so many tiles.
pub(super) fn blocks(
    images: Range<usize>,
    [down, across]: [usize; 2],
    most: usize,
) -> impl Iterator<Item = Vec<Piece>> {
    // Pieces of about the same size.
    let size = across.div_ceil(across.div_ceil(most));
    let mut pieces = images.flat_map(move |image| {
        (0..down).flat_map(move |row| {
            (0..across).step_by(size).map(move |column| {
                let count = size.min(across - column);
                Piece { image, row, column, count }
            })
        })
    });
    let mut next = pieces.next();
    std::iter::from_fn(move || {
        let mut block = vec![next?];
        let mut tiles = next?.count;
        next = pieces.next();
        while let Some(piece) = next.filter(|piece| tiles + piece.count <= most) {
            tiles += piece.count;
            block.push(piece);
            next = pieces.next();
        }
        Some(block)
    })
}

/// Images, `[N, C, H, W]`.
#[derive(Clone, Copy)]
pub(super) struct Images<'a, T> {
    pub(super) data: &'a [T],
    pub(super) channels: usize,
    pub(super) size: [usize; 2],
}

impl<T: Scalar> Images<'_, T> {
    /// Sixteen channels of some pixels of a row, counted from the padding's first, each pixel's side by side; zeros where there are no pixels.
    /// Where there are fewer channels, something: no product reads it.
    fn turn(
        &self,
        image: usize,
        channel: usize,
        [row, column]: [usize; 2],
        padding: [usize; 2],
        out: &mut [Lanes<T>],
    ) -> Result<()> {
        let [height, width] = self.size;
        let row = row.checked_sub(padding[0]).filter(|&row| row < height);
        let count = LANES.min(self.channels.saturating_sub(channel));
        // The pixels that there are, as places in `out`.
        let first = padding[1].saturating_sub(column).min(out.len());
        let end = (width + padding[1]).saturating_sub(column).min(out.len()).max(first);
        let (Some(row), false) = (row, count == 0 || first == end) else {
            out.fill([T::ZERO; LANES]);
            return Ok(());
        };
        out[..first].fill([T::ZERO; LANES]);
        out[end..].fill([T::ZERO; LANES]);
        let out = &mut out[first..end];
        let start =
            (image * self.channels + channel) * height * width + row * width + column + first - padding[1];
        // The rows of the next tiles are some rows further on: the machine does not see by itself what comes next in each channel.
        for channel in 0..count {
            let next = start + channel * height * width + 4 * width;
            fetch(self.data, next..next + out.len());
        }
        let view = View::strided(&self.data[start..], count, out.len(), (height * width, 1))?;
        transpose_into(out.as_flattened_mut(), LANES, view)
    }

    /// Bᵀ·d·B of a block's tiles: for each place a row a tile, of `padded` channels.
    pub(super) fn inputs<const M: usize, const A: usize>(
        &self,
        f: impl Minimal<T, M, A>,
        padding: [usize; 2],
        block: &[Piece],
        (tiles, padded): (usize, usize),
        [rows, out]: [&mut [T]; 2],
    ) -> Result<()> {
        let (rows, _) = rows.as_chunks_mut::<LANES>();
        for channel in (0..self.channels).step_by(LANES) {
            let mut tile = 0;
            let mut above: Option<Piece> = None;
            for piece in block {
                let pixels = piece.count * M + A - M;
                // The last rows of the piece above are the first of this one: a row stands where its number's rest says.
                let below = above.is_some_and(|p| Piece { row: p.row + 1, ..p } == *piece);
                for i in if below { A - M } else { 0 }..A {
                    let row = piece.row * M + i;
                    let out = &mut rows[row % A * PIXELS..][..pixels];
                    self.turn(piece.image, channel, [row, piece.column * M], padding, out)?;
                }
                let rows: [&[Lanes<T>]; A] =
                    std::array::from_fn(|i| &rows[(piece.row * M + i) % A * PIXELS..][..pixels]);
                let out = &mut out[tile * padded + channel..];
                vectorize(
                    #[inline(always)]
                    || input_tiles(f, rows, piece.count, [padded, tiles * padded], out),
                );
                tile += piece.count;
                above = Some(*piece);
            }
        }
        Ok(())
    }

    /// A·dy·Aᵀ of a block's tiles of a panel of channels: for each place a row a tile.
    pub(super) fn spread<const M: usize, const A: usize>(
        &self,
        f: impl Minimal<T, M, A>,
        block: &[Piece],
        first: usize,
        tiles: usize,
        [rows, out]: [&mut [T]; 2],
    ) -> Result<()> {
        let (rows, _) = rows.as_chunks_mut::<LANES>();
        for half in (0..PANEL).step_by(LANES) {
            let mut tile = 0;
            for piece in block {
                let pixels = piece.count * M;
                for (i, row) in rows.chunks_mut(PIXELS).take(M).enumerate() {
                    let from = [piece.row * M + i, piece.column * M];
                    self.turn(piece.image, first + half, from, [0, 0], &mut row[..pixels])?;
                }
                let rows: [&[Lanes<T>]; M] = std::array::from_fn(|i| &rows[i * PIXELS..][..pixels]);
                let out = &mut out[tile * PANEL + half..];
                vectorize(
                    #[inline(always)]
                    || spread_tiles(f, rows, piece.count, [PANEL, tiles * PANEL], out),
                );
                tile += piece.count;
            }
        }
        Ok(())
    }
}

/// Bᵀ·d·B of tiles side by side; the steps are from tile to tile, and from place to place.
#[inline(always)]
fn input_tiles<T: Scalar, const M: usize, const A: usize>(
    f: impl Minimal<T, M, A>,
    rows: [&[Lanes<T>]; A],
    count: usize,
    [step, places]: [usize; 2],
    out: &mut [T],
) {
    let mut down = [[[T::ZERO; LANES]; A]; A];
    for tile in 0..count {
        for j in 0..A {
            // The first columns are the last of the tile before: a column stands where its number's rest says.
            if tile == 0 || j >= A - M {
                down[(tile * M + j) % A] = along(
                    #[inline(always)]
                    |i| &rows[i][tile * M + j],
                    #[inline(always)]
                    |d| f.input(d),
                );
            }
        }
        for a in 0..A {
            let across: [Lanes<T>; A] = along(
                #[inline(always)]
                |j| &down[(tile * M + j) % A][a],
                #[inline(always)]
                |d| f.input(d),
            );
            for b in 0..A {
                out[(a * A + b) * places + tile * step..][..LANES].copy_from_slice(&across[b]);
            }
        }
    }
}

/// A·dy·Aᵀ of tiles side by side.
#[inline(always)]
fn spread_tiles<T: Scalar, const M: usize, const A: usize>(
    f: impl Minimal<T, M, A>,
    rows: [&[Lanes<T>]; M],
    count: usize,
    [step, places]: [usize; 2],
    out: &mut [T],
) {
    let mut down = [[[T::ZERO; LANES]; A]; M];
    for tile in 0..count {
        for j in 0..M {
            down[j] = along(
                #[inline(always)]
                |i| &rows[i][tile * M + j],
                #[inline(always)]
                |dy| f.spread(dy),
            );
        }
        for a in 0..A {
            let across: [Lanes<T>; A] = along(
                #[inline(always)]
                |j| &down[j][a],
                #[inline(always)]
                |dy| f.spread(dy),
            );
            for b in 0..A {
                out[(a * A + b) * places + tile * step..][..LANES].copy_from_slice(&across[b]);
            }
        }
    }
}
