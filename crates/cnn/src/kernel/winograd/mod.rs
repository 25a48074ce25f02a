//! Convolution with 3×3 windows and stride 1 by minimal filtering: tiles of M×M outputs from (M + 2)² products a channel, in place of 9·M².
//! (Lavin & Gray 2016.) For each of these places there is a product of matrices, tiles × channels by channels × filters.
//!
//! Channels lie innermost while it is computed, sixteen side by side, so that the transforms of sixteen are one loop; rows of the images are
//! turned so on the way in, and back on the way out. Some tiles at a time go through all steps, for the second cache's sake.

mod filters;
mod minimal;
mod tiles;

use super::{Finish, Sizes, run_jobs};
use filters::{Filters, Order};
use gradus_tensor::kernel::{View, fetch, for_each_block, product_in_place, transpose_into, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};
use minimal::{Four, Minimal, Two};
use std::ops::Range;
use tiles::{Images, Piece, blocks};

/// Channels that lie side by side.
const LANES: usize = 16;

/// Filters whose products are computed together.
const PANEL: usize = 32;

/// The tiles of a block, at most.
const TILES: usize = 60;

/// The pixels under a row of them, with those that the last tile shares with the next.
const PIXELS: usize = 4 * TILES + 2;

/// The channels for which a panel of filters is made at once where it is made anew for each block: it stays in the second cache.
const CHANNELS: usize = 64;

/// The bytes of all filters, ready for the products, beyond which reading them again costs more than making them again.
const STORED: usize = 6 << 20;

/// Into how many jobs the gradient of the weights is cut. The number is fixed, as each job has sums of its own.
const JOBS: usize = 4;

type Lanes<T> = [T; LANES];

/// How large a tile is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Two,
    Four,
}

/// Whether it can be computed so, forward and backward.
pub(super) fn can(sizes: &Sizes) -> bool {
    let of_axis = |w: &crate::Window| {
        w.size == 3 && w.stride == 1 && w.dilation == 1 && w.padding.iter().all(|&padding| padding <= 2)
    };
    sizes.shape.groups == 1 && sizes.shape.windows.iter().all(of_axis)
}

/// Whether the transforms are likely to cost less than the products that they save: those of the filters are paid for by a dozen tiles.
pub(super) fn pays(sizes: &Sizes) -> bool {
    let channels = sizes.group.iter().all(|&n| n >= 32);
    let tiles = sizes.batch * sizes.output.iter().map(|n| n.div_ceil(4)).product::<usize>();
    channels && sizes.output.iter().all(|&n| n >= 4) && tiles >= 12 && can(sizes)
}

/// The output.
pub(super) fn forward<T: Scalar>(
    size: Size,
    sizes: &Sizes,
    x: &[T],
    weight: &[T],
    finish: Finish<'_, T>,
    out: &mut [T],
) -> Result<()> {
    let order = Order::Forward { channels: sizes.shape.in_channels, filters: sizes.shape.out_channels };
    let padding = sizes.shape.windows.map(|w| w.padding[0]);
    let images = Images { data: x, channels: sizes.shape.in_channels, size: sizes.input };
    let call = Call {
        images,
        padding,
        batch: sizes.batch,
        output: sizes.output,
        filters: Filters { weight, order },
        finish,
    };
    match size {
        Size::Two => call.run(Two, out),
        Size::Four => call.run(Four::new(), out),
    }
}

/// ∂L/∂x: the same with the filters turned around, the padding that is missing to two.
pub(super) fn by_data<T: Scalar>(
    size: Size,
    sizes: &Sizes,
    weight: &[T],
    dy: &[T],
    dx: &mut [T],
) -> Result<()> {
    let order = Order::Backward { channels: sizes.shape.out_channels, filters: sizes.shape.in_channels };
    let padding = sizes.windows_back().map(|w| w.padding[0]);
    let images = Images { data: dy, channels: sizes.shape.out_channels, size: sizes.output };
    let call = Call {
        images,
        padding,
        batch: sizes.batch,
        output: sizes.input,
        filters: Filters { weight, order },
        finish: Finish::NOTHING,
    };
    match size {
        Size::Two => call.run(Two, dx),
        Size::Four => call.run(Four::new(), dx),
    }
}

/// A convolution, one way or the other.
struct Call<'a, T> {
    images: Images<'a, T>,
    padding: [usize; 2],
    batch: usize,
    output: [usize; 2],
    filters: Filters<'a, T>,
    finish: Finish<'a, T>,
}

impl<T: Scalar> Call<'_, T> {
    fn run<const M: usize, const A: usize>(&self, f: impl Minimal<T, M, A>, out: &mut [T]) -> Result<()> {
        let (count, plane) = (self.filters.order.filters(), self.output[0] * self.output[1]);
        let bytes = A * A * self.filters.order.channels() * count * size_of::<T>();
        let stored = if bytes <= STORED { Some(self.filters.all(f)?) } else { None };
        let tiles: usize = self.output.iter().map(|n| n.div_ceil(M)).product();
        // Some images a job, as few as keep all busy; but where each job makes filters anew, as many as go together.
        let most = if stored.is_some() { self.batch.div_ceil(JOBS) } else { self.batch };
        let together = (TILES / tiles).clamp(1, most);
        let jobs = self.batch.div_ceil(together);
        // And some filters, where there are few jobs: no fewer than must be, as each part transforms the images again.
        let share =
            |parts: usize| (jobs * (parts / 2) < JOBS && count % (parts * PANEL) == 0).then_some(parts);
        let parts = share(4).or(share(2)).unwrap_or(1);
        let mut outs: Vec<_> = std::iter::repeat_with(Vec::new).take(jobs * parts).collect();
        for (i, out) in out.chunks_mut(count * plane / parts).enumerate() {
            outs[i / parts / together * parts + i % parts].push(out);
        }
        run_jobs(&mut outs, 1, |job, outs| {
            let first = job / parts * together;
            let images = first..(first + together).min(self.batch);
            let from = job % parts * count / parts;
            let stored = stored.as_ref().map(Tensor::as_slice);
            outs.iter_mut()
                .try_for_each(|outs| self.some(f, stored, images.clone(), from..from + count / parts, outs))
        })
    }

    /// The outputs of some images, each its own, and of some filters, which begin at a panel.
    fn some<const M: usize, const A: usize>(
        &self,
        f: impl Minimal<T, M, A>,
        stored: Option<&[T]>,
        images: Range<usize>,
        range: Range<usize>,
        outs: &mut [&mut [T]],
    ) -> Result<()> {
        let channels = self.images.channels;
        let padded = channels.next_multiple_of(LANES);
        let mut inputs = Tensor::compute([A * A, TILES, padded], |_| ())?;
        let mut products = Tensor::compute([A * A, TILES, PANEL], |_| ())?;
        let mut rows = Tensor::compute([A, PIXELS, LANES], |_| ())?;
        let together = if stored.is_some() { channels } else { CHANNELS.min(channels) };
        let room = Filters::<T>::room(A * A, together);
        let mut made = Tensor::compute([if stored.is_some() { 0 } else { room }], |_| ())?;
        let (inputs, products) = (inputs.as_mut_slice(), products.as_mut_slice());
        let (rows, made) = (rows.as_mut_slice(), made.as_mut_slice());
        for block in blocks(images.clone(), self.output.map(|n| n.div_ceil(M)), TILES) {
            let tiles = block.iter().map(|piece| piece.count).sum();
            self.images.inputs(f, self.padding, &block, (tiles, padded), [rows, inputs])?;
            for start in range.clone().step_by(PANEL) {
                for from in (0..channels).step_by(together) {
                    let terms = from..channels.min(from + together);
                    let panel = match stored {
                        Some(all) => &all[start / PANEL * room..],
                        None => {
                            self.filters.panel(f, start / PANEL, terms.clone(), made)?;
                            &*made
                        }
                    };
                    for place in 0..A * A {
                        let left = &inputs[place * tiles * padded + from..];
                        let left = View::strided(left, tiles, terms.len(), (padded, 1))?;
                        let to = &mut products[place * tiles * PANEL..][..tiles * PANEL];
                        product_in_place(to, PANEL, from > 0, left, Filters::at(panel, place, terms.len())?)?;
                    }
                }
                self.outputs(f, (products, rows), &block, images.start, &range, start, outs)?;
            }
        }
        Ok(())
    }

    /// Writes a block's outputs of a panel of filters.
    #[expect(clippy::too_many_arguments, reason = "the parts of one place in the output")]
    fn outputs<const M: usize, const A: usize>(
        &self,
        f: impl Minimal<T, M, A>,
        (products, rows): (&[T], &mut [T]),
        block: &[Piece],
        first_image: usize,
        range: &Range<usize>,
        start: usize,
        outs: &mut [&mut [T]],
    ) -> Result<()> {
        let ([height, width], plane) = (self.output, self.output[0] * self.output[1]);
        let tiles: usize = block.iter().map(|piece| piece.count).sum();
        let (rows, _) = rows.as_chunks_mut::<LANES>();
        for filter in (start..range.end.min(start + PANEL)).step_by(LANES) {
            let count = LANES.min(range.end - filter);
            let mut bias = [T::ZERO; LANES];
            if let Some(all) = self.finish.bias {
                bias[..count].copy_from_slice(&all[filter..filter + count]);
            }
            let mut tile = 0;
            for piece in block {
                let [y, x] = [piece.row * M, piece.column * M];
                let pixels = (piece.count * M).min(width - x);
                let base = (filter - range.start) * plane + x;
                let out = &mut *outs[piece.image - first_image];
                let lines = M.min(height - y);
                // Where the outputs go, while they are computed.
                for k in 0..count {
                    let to = base + k * plane + y * width;
                    fetch(out, to..to + (lines - 1) * width + pixels);
                }
                vectorize(
                    #[inline(always)]
                    || {
                        for t in 0..piece.count {
                            let mut down = [[[T::ZERO; LANES]; M]; A];
                            for b in 0..A {
                                down[b] = along(
                                    #[inline(always)]
                                    |a| {
                                        lanes(
                                            &products
                                                [((a * A + b) * tiles + tile + t) * PANEL + filter - start..],
                                        )
                                    },
                                    #[inline(always)]
                                    |m| f.output(m),
                                );
                            }
                            for i in 0..M {
                                let across: [Lanes<T>; M] = along(
                                    #[inline(always)]
                                    |b| &down[b][i],
                                    #[inline(always)]
                                    |m| f.output(m),
                                );
                                for j in 0..M {
                                    for l in 0..LANES {
                                        rows[i * PIXELS + t * M + j][l] =
                                            self.finish.rectified(across[j][l] + bias[l]);
                                    }
                                }
                            }
                        }
                    },
                );
                for (i, row) in rows.chunks(PIXELS).enumerate().take(lines) {
                    let row = View::strided(row.as_flattened(), pixels, count, (LANES, 1))?;
                    transpose_into(&mut out[base + (y + i) * width..], plane, row)?;
                }
                tile += piece.count;
            }
        }
        Ok(())
    }
}

/// ∂L/∂w.
pub(super) fn by_weights<T: Scalar>(
    size: Size,
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    dw: &mut [T],
) -> Result<()> {
    match size {
        Size::Two => weights_by(Two, sizes, x, dy, dw),
        Size::Four => weights_by(Four::new(), sizes, x, dy, dw),
    }
}

fn weights_by<T: Scalar, const M: usize, const A: usize>(
    f: impl Minimal<T, M, A>,
    sizes: &Sizes,
    x: &[T],
    dy: &[T],
    dw: &mut [T],
) -> Result<()> {
    let (channels, count) = (sizes.shape.in_channels, sizes.shape.out_channels);
    let images = Images { data: x, channels, size: sizes.input };
    let upstream = Images { data: dy, channels: count, size: sizes.output };
    let padding = sizes.shape.windows.map(|w| w.padding[0]);
    let (padded, panels) = (channels.next_multiple_of(LANES), count.div_ceil(PANEL));
    let one = A * A * channels * PANEL;
    // Parts of the batch have sums of their own, if there is room for them; or each job has some of the filters.
    let room = (x.len() + dy.len()) / 2;
    let parts = [JOBS, 2].into_iter().find(|p| p * panels * one <= room && *p <= sizes.batch).unwrap_or(1);
    let shares = [JOBS / parts, 2, 1].into_iter().find(|s| panels % s == 0).unwrap_or(1);
    let own = panels / shares;
    let mut sums = Tensor::compute([parts, panels * one], |_| ())?;
    run_jobs(sums.as_mut_slice(), own * one, |job, sums| {
        sums.fill(T::ZERO);
        let (part, first) = (job / shares, job % shares * own);
        let range = sizes.batch * part / parts..sizes.batch * (part + 1) / parts;
        let mut inputs = Tensor::compute([A * A, TILES, padded], |_| ())?;
        let mut spread = Tensor::compute([A * A, TILES, PANEL], |_| ())?;
        let mut rows = Tensor::compute([A, PIXELS, LANES], |_| ())?;
        let (inputs, spread) = (inputs.as_mut_slice(), spread.as_mut_slice());
        let rows = rows.as_mut_slice();
        for block in blocks(range, sizes.output.map(|n| n.div_ceil(M)), TILES) {
            let tiles = block.iter().map(|piece| piece.count).sum();
            images.inputs(f, padding, &block, (tiles, padded), [rows, inputs])?;
            for (panel, sums) in sums.chunks_exact_mut(one).enumerate() {
                upstream.spread(f, &block, (first + panel) * PANEL, tiles, [rows, spread])?;
                for (place, sums) in sums.chunks_exact_mut(channels * PANEL).enumerate() {
                    let left =
                        View::strided(&inputs[place * tiles * padded..], tiles, channels, (padded, 1))?;
                    let right = View::strided(&spread[place * tiles * PANEL..], tiles, PANEL, (PANEL, 1))?;
                    product_in_place(sums, PANEL, true, left.transposed(), right)?;
                }
            }
        }
        Ok(())
    })?;
    let (sum, others) = sums.as_mut_slice().split_at_mut(panels * one);
    for other in others.chunks_exact(panels * one) {
        for_each_block(sum, one, |i, sum| {
            sum.iter_mut().zip(&other[i * one..]).for_each(|(sum, &x)| *sum += x);
        });
    }
    filters::gather(f, sum, channels, dw)
}

/// The first sixteen.
#[inline(always)]
fn lanes<T>(from: &[T]) -> &Lanes<T> {
    // Every caller has made the slice long enough.
    from.first_chunk().unwrap_or_else(|| unreachable!())
}

/// A transform of sixteen channels at once. (Loops, as the closures of iterators and of array functions would not be compiled for the
/// machine's instructions.)
#[inline(always)]
fn along<'a, T: Scalar, const N: usize, const O: usize>(
    from: impl Fn(usize) -> &'a Lanes<T>,
    f: impl Fn([T; N]) -> [T; O],
) -> [Lanes<T>; O] {
    let mut given = [[T::ZERO; LANES]; N];
    for (i, given) in given.iter_mut().enumerate() {
        *given = *from(i);
    }
    let mut out = [[T::ZERO; LANES]; O];
    for l in 0..LANES {
        let mut one = [T::ZERO; N];
        for i in 0..N {
            one[i] = given[i][l];
        }
        let one = f(one);
        for i in 0..O {
            out[i][l] = one[i];
        }
    }
    out
}
