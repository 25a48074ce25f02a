//! Filters on their way into the products, and their gradients on the way back.

use super::{LANES, Lanes, Minimal, PANEL, along, lanes};
use crate::kernel::run_jobs;
use gradus_tensor::kernel::{View, transpose_into, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};

/// The taps of a filter.
const TAPS: usize = 9;

/// Which way a convolution goes: from how many channels, by how many filters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    Forward {
        channels: usize,
        filters: usize,
    },
    /// From the outputs back to the inputs: filters and channels exchanged, the taps turned around.
    Backward {
        channels: usize,
        filters: usize,
    },
}

impl Order {
    fn channels(self) -> usize {
        let (Self::Forward { channels, .. } | Self::Backward { channels, .. }) = self;
        channels
    }

    pub(super) fn filters(self) -> usize {
        let (Self::Forward { filters, .. } | Self::Backward { filters, .. }) = self;
        filters
    }
}

/// G·g·Gᵀ of all filters: panel by panel and place by place, the filters of a channel side by side.
pub(super) struct Filters<T: Scalar> {
    data: Tensor<T>,
    channels: usize,
    places: usize,
}

impl<T: Scalar> Filters<T> {
    pub(super) fn new<const M: usize, const A: usize>(
        f: impl Minimal<T, M, A>,
        weight: &[T],
        order: Order,
    ) -> Result<Self> {
        let (channels, filters) = (order.channels(), order.filters());
        let panels = filters.div_ceil(PANEL);
        let mut data = Tensor::compute([panels, A * A, channels, PANEL], |_| ())?;
        run_jobs(data.as_mut_slice(), A * A * channels * PANEL, |panel, out| {
            for half in (0..PANEL).step_by(LANES) {
                let first = panel * PANEL + half;
                let count = LANES.min(filters.saturating_sub(first));
                for channel in 0..channels {
                    let mut taps = [[T::ZERO; LANES]; TAPS];
                    if count > 0 {
                        let (start, step) = match order {
                            Order::Forward { .. } => ((first * channels + channel) * TAPS, channels * TAPS),
                            Order::Backward { .. } => ((channel * filters + first) * TAPS, TAPS),
                        };
                        let view = View::strided(&weight[start..], count, TAPS, (step, 1))?;
                        transpose_into(taps.as_flattened_mut(), LANES, view)?;
                    }
                    if matches!(order, Order::Backward { .. }) {
                        taps.reverse();
                    }
                    let out = &mut out[channel * PANEL + half..];
                    vectorize(
                        #[inline(always)]
                        || filter(f, &taps, channels * PANEL, out),
                    );
                }
            }
            Ok(())
        })?;
        Ok(Self { data, channels, places: A * A })
    }

    /// A panel at a place: a channel a row.
    pub(super) fn of(&self, panel: usize, place: usize) -> Result<View<'_, T>> {
        let start = (panel * self.places + place) * self.channels * PANEL;
        View::strided(&self.data.as_slice()[start..], self.channels, PANEL, (PANEL, 1))
    }
}

/// G·g·Gᵀ of sixteen filters.
#[inline(always)]
fn filter<T: Scalar, const M: usize, const A: usize>(
    f: impl Minimal<T, M, A>,
    taps: &[Lanes<T>; TAPS],
    places: usize,
    out: &mut [T],
) {
    let mut down = [[[T::ZERO; LANES]; A]; 3];
    for v in 0..3 {
        down[v] = along(
            #[inline(always)]
            |u| &taps[3 * u + v],
            #[inline(always)]
            |g| f.filter(g),
        );
    }
    for a in 0..A {
        let across: [Lanes<T>; A] = along(
            #[inline(always)]
            |v| &down[v][a],
            #[inline(always)]
            |g| f.filter(g),
        );
        for b in 0..A {
            out[(a * A + b) * places..][..LANES].copy_from_slice(&across[b]);
        }
    }
}

/// Gᵀ·u·G of what the filters' gradients are in the place of products: ∂L/∂w.
pub(super) fn gather<T: Scalar, const M: usize, const A: usize>(
    f: impl Minimal<T, M, A>,
    sums: &[T],
    channels: usize,
    dw: &mut [T],
) -> Result<()> {
    let places = channels * PANEL;
    run_jobs(dw, PANEL * channels * TAPS, |panel, dw| {
        let sums = &sums[panel * A * A * places..][..A * A * places];
        let mut taps = vec![[T::ZERO; LANES]; channels * TAPS];
        for (half, dw) in dw.chunks_mut(LANES * channels * TAPS).enumerate() {
            vectorize(
                #[inline(always)]
                || {
                    let mut down = [[[T::ZERO; LANES]; 3]; A];
                    for (channel, taps) in taps.chunks_exact_mut(TAPS).enumerate() {
                        for b in 0..A {
                            down[b] = along(
                                #[inline(always)]
                                |a| lanes(&sums[(a * A + b) * places + channel * PANEL + half * LANES..]),
                                #[inline(always)]
                                |u| f.gather(u),
                            );
                        }
                        for u in 0..3 {
                            let across: [Lanes<T>; 3] = along(
                                #[inline(always)]
                                |b| &down[b][u],
                                #[inline(always)]
                                |u| f.gather(u),
                            );
                            taps[3 * u..][..3].copy_from_slice(&across);
                        }
                    }
                },
            );
            let (rows, count) = (channels * TAPS, dw.len() / (channels * TAPS));
            let view = View::strided(taps.as_flattened(), rows, count, (LANES, 1))?;
            transpose_into(dw, rows, view)?;
        }
        Ok(())
    })
}
