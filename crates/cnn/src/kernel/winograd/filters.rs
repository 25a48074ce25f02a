//! Filters on their way into the products, and their gradients on the way back.

use super::{LANES, Lanes, Minimal, PANEL, along, lanes};
use crate::kernel::run_jobs;
use gradus_tensor::kernel::{View, fetch, transpose_into, vectorize};
use gradus_tensor::{Result, Scalar, Tensor};
use std::ops::Range;

/// The taps of a filter.
const TAPS: usize = 9;

/// The channels whose taps are turned together.
const AT_ONCE: usize = 4;

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
    pub(super) fn channels(self) -> usize {
        let (Self::Forward { channels, .. } | Self::Backward { channels, .. }) = self;
        channels
    }

    pub(super) fn filters(self) -> usize {
        let (Self::Forward { filters, .. } | Self::Backward { filters, .. }) = self;
        filters
    }
}

/// The filters of a convolution as they are given, and in which order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Filters<'a, T> {
    pub(super) weight: &'a [T],
    pub(super) order: Order,
}

impl<T: Scalar> Filters<'_, T> {
    /// The elements of a panel for some channels, at `places` places.
    pub(super) fn room(places: usize, channels: usize) -> usize {
        places * distance(channels)
    }

    /// G·g·Gᵀ of all filters, panel by panel: to be read again and again.
    pub(super) fn all<const M: usize, const A: usize>(self, f: impl Minimal<T, M, A>) -> Result<Tensor<T>> {
        let panel = Self::room(A * A, self.order.channels());
        let mut all = Tensor::compute([self.order.filters().div_ceil(PANEL), panel], |_| ())?;
        run_jobs(all.as_mut_slice(), panel, |panel, out| {
            self.panel(f, panel, 0..self.order.channels(), out)
        })?;
        Ok(all)
    }

    /// G·g·Gᵀ of a panel for some channels: place by place a channel a row, the filters side by side.
    pub(super) fn panel<const M: usize, const A: usize>(
        self,
        f: impl Minimal<T, M, A>,
        panel: usize,
        range: Range<usize>,
        out: &mut [T],
    ) -> Result<()> {
        let (channels, filters) = (self.order.channels(), self.order.filters());
        let places = distance(range.len());
        for half in (0..PANEL).step_by(LANES) {
            let first = panel * PANEL + half;
            let count = LANES.min(filters.saturating_sub(first));
            if let Order::Forward { .. } = self.order {
                // What lies in as many places as there are filters is not foreseen.
                for filter in first..first + count {
                    let from = (filter * channels + range.start) * TAPS;
                    fetch(self.weight, from..from + range.len() * TAPS);
                }
            }
            for start in range.clone().step_by(AT_ONCE) {
                let group = start..range.end.min(start + AT_ONCE);
                let mut taps = [[T::ZERO; LANES]; AT_ONCE * TAPS];
                self.taps(first, count, group.clone(), &mut taps)?;
                let out = &mut out[(start - range.start) * PANEL + half..];
                vectorize(
                    #[inline(always)]
                    || {
                        let (taps, _) = taps.as_chunks();
                        for (i, taps) in taps.iter().take(group.len()).enumerate() {
                            filter(f, taps, places, &mut out[i * PANEL..]);
                        }
                    },
                );
            }
        }
        Ok(())
    }

    /// The taps of some filters for some channels, filters side by side.
    fn taps(
        self,
        first: usize,
        count: usize,
        group: Range<usize>,
        out: &mut [Lanes<T>; AT_ONCE * TAPS],
    ) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        match self.order {
            Order::Forward { channels, .. } => {
                let start = (first * channels + group.start) * TAPS;
                let view = (count, group.len() * TAPS, (channels * TAPS, 1));
                let view = View::strided(&self.weight[start..], view.0, view.1, view.2)?;
                transpose_into(out.as_flattened_mut(), LANES, view)
            }
            Order::Backward { filters, .. } => {
                for (channel, taps) in group.zip(out.chunks_exact_mut(TAPS)) {
                    let start = (channel * filters + first) * TAPS;
                    let view = View::strided(&self.weight[start..], count, TAPS, (TAPS, 1))?;
                    transpose_into(taps.as_flattened_mut(), LANES, view)?;
                    taps.reverse();
                }
                Ok(())
            }
        }
    }

    /// A panel at a place, of what [`panel`](Self::panel) or [`all`](Self::all) has made for so many channels.
    pub(super) fn at(panel: &[T], place: usize, channels: usize) -> Result<View<'_, T>> {
        View::strided(&panel[place * distance(channels)..], channels, PANEL, (PANEL, 1))
    }
}

/// From place to place: a line more than is needed, as a channel's places would meet in one set of the cache if they lay a power of two apart.
fn distance(channels: usize) -> usize {
    channels * PANEL + PANEL
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
