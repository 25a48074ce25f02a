//! Sums over everything that shares a channel, and loops with constants that each channel has for itself.

use super::stretch;
use gradus_tensor::kernel::{BLOCK, for_each_block, map_blocks, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// A tensor as `[N, C, S]`: N samples of C channels of S numbers each.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Channels {
    pub(crate) n: usize,
    pub(crate) c: usize,
    pub(crate) s: usize,
}

impl Channels {
    /// Channels on axis 1, of a tensor with at least two.
    pub(crate) fn of<T: Scalar>(x: &Tensor<T>) -> Option<Self> {
        match *x.dims() {
            [n, c, ref rest @ ..] => Some(Self { n, c, s: rest.iter().product() }),
            _ => None,
        }
    }

    /// How many numbers share a channel.
    pub(crate) fn each(self) -> usize {
        self.n * self.s
    }
}

/// So many rows are added one after the other; the sums of such leaves are added then. The error grows with the number of rows
/// in a leaf and of leaves, and not with their product.
const LEAF: usize = 32;

/// K sums for each column over rows: `add(row, sums)` adds a row's terms.
pub(crate) fn column_sums<T: Scalar, const K: usize>(
    rows: usize,
    columns: usize,
    add: impl Fn(usize, [&mut [T]; K]) + Sync,
) -> [Vec<T>; K] {
    let block = LEAF * (BLOCK / (columns * LEAF).max(1)).clamp(1, LEAF);
    let zeros = || -> [Vec<T>; K] { std::array::from_fn(|_| vec![T::ZERO; columns]) };
    let partial = map_blocks(rows.div_ceil(block), |b| {
        let (mut total, mut leaf) = (zeros(), zeros());
        let (start, end) = (b * block, rows.min((b + 1) * block));
        vectorize(
            #[inline(always)]
            || {
                for start in (start..end).step_by(LEAF) {
                    leaf.iter_mut().for_each(|sums| sums.fill(T::ZERO));
                    for row in start..end.min(start + LEAF) {
                        add(row, leaf.each_mut().map(Vec::as_mut_slice));
                    }
                    join(&mut total, &leaf);
                }
            },
        );
        total
    });
    let mut sums = zeros();
    partial.iter().for_each(|partial| join(&mut sums, partial));
    sums
}

#[inline(always)]
fn join<T: Scalar, const K: usize>(sums: &mut [Vec<T>; K], more: &[Vec<T>; K]) {
    for (sums, more) in sums.iter_mut().zip(more) {
        sums.iter_mut().zip(more).for_each(|(sum, &more)| *sum += more);
    }
}

/// K sums for each channel, where `sum(n, c)` are those of one sample's stretch of a channel.
pub(crate) fn stretch_sums<T: Scalar, const K: usize>(
    Channels { n, c, s }: Channels,
    sum: impl Fn(usize, usize) -> [T; K] + Sync,
) -> [Vec<T>; K] {
    let mut each = vec![[T::ZERO; K]; n * c];
    let group = (BLOCK / s.max(1)).max(1);
    for_each_block(&mut each, group, |g, out| {
        vectorize(
            #[inline(always)]
            || {
                for (i, out) in out.iter_mut().enumerate() {
                    *out = sum((g * group + i) / c, (g * group + i) % c);
                }
            },
        );
    });
    sums_of_samples(Channels { n, c, s }, &each)
}

/// K sums for each channel, of those of each sample.
pub(crate) fn sums_of_samples<T: Scalar, const K: usize>(
    Channels { n, c, .. }: Channels,
    each: &[[T; K]],
) -> [Vec<T>; K] {
    column_sums(n, c, |row, mut sums| {
        for (channel, terms) in stretch(each, c, row).iter().enumerate() {
            sums.iter_mut().zip(terms).for_each(|(sums, &term)| sums[channel] += term);
        }
    })
}

/// f of the corresponding elements of tensors of one shape and of their channel's constants.
pub(crate) fn per_channel<T: Scalar, const I: usize, const K: usize>(
    inputs: [&Tensor<T>; I],
    Channels { c, s, .. }: Channels,
    constants: [&[T]; K],
    f: impl Fn([T; I], [T; K]) -> T + Sync,
) -> Result<Tensor<T>> {
    let data = inputs.map(Tensor::as_slice);
    Tensor::compute(inputs[0].shape(), |out| {
        // Rows of channels, or stretches of one channel.
        let size = if s == 1 { c } else { s };
        let group = (BLOCK / size.max(1)).max(1);
        for_each_block(out, group * size, |g, out| {
            vectorize(
                #[inline(always)]
                || {
                    for (i, out) in out.chunks_exact_mut(size.max(1)).enumerate() {
                        let inputs = data.map(|x| stretch(x, size, g * group + i));
                        if s == 1 {
                            let constants = constants.map(|k| &k[..out.len()]);
                            for (j, y) in out.iter_mut().enumerate() {
                                *y = f(inputs.map(|x| x[j]), constants.map(|k| k[j]));
                            }
                        } else {
                            let constants = constants.map(|k| k[(g * group + i) % c]);
                            for (j, y) in out.iter_mut().enumerate() {
                                *y = f(inputs.map(|x| x[j]), constants);
                            }
                        }
                    }
                },
            );
        });
    })
}
