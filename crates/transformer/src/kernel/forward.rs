//! Forward: a block of queries walks over the tiles of keys, with a running maximum and a running sum for each query ("online softmax").

use super::layout::{Heads, Strip};
use super::panels::Memory;
use super::{BLOCK, LANES, Rules, TILE, WIDE, tile};
use gradus_layers::kept;
use gradus_tensor::kernel::{View, for_each_block, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use std::ops::Range;

/// The heads of the queries that are a computation each; with fewer, their queries are cut too.
const ENOUGH: usize = 16;

/// What is the same for all tiles of one head of one sample.
#[derive(Clone, Copy)]
pub(super) struct Place<'a, T> {
    pub(super) rules: Rules<'a, T>,
    pub(super) sample: usize,
    pub(super) head: usize,
    /// The number of the head's first weight, and of the queries' distance: for dropout.
    pub(super) number: u64,
    pub(super) dropout: Option<(f64, u64)>,
}

impl<T: Scalar> Place<'_, T> {
    /// The columns of a tile that these queries need: from a multiple of 32 on.
    pub(super) fn columns(&self, queries: Range<usize>, tile: usize) -> Range<usize> {
        let span = self.rules.span(self.sample, queries);
        let start = (span.start / LANES * LANES).max(tile);
        start..span.end.min(tile + TILE).max(start)
    }

    /// The tiles that these queries need.
    pub(super) fn tiles(&self, queries: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let span = self.rules.span(self.sample, queries.clone());
        (span.start / TILE * TILE..span.end)
            .step_by(TILE)
            .map(move |tile| self.columns(queries.clone(), tile))
            .filter(|columns| !columns.is_empty())
    }

    /// What dropout multiplies the weight of this query and key with.
    pub(super) fn factor(&self, query: usize, key: usize) -> T {
        let Some((p, seed)) = self.dropout else { return T::ONE };
        let i = self.number + (query * self.rules.keys + key) as u64;
        if kept(seed, p, i) { T::of(1.0 / (1.0 - p)) } else { T::ZERO }
    }
}

/// Scratch for the queries of one block.
pub(super) struct Room<T: Scalar> {
    queries: Tensor<T>,
    scores: Tensor<T>,
    /// The running maximum and the running sum of each query.
    largest: [T; BLOCK],
    sums: [T; BLOCK],
}

impl<T: Scalar> Room<T> {
    pub(super) fn new(rows: usize, size: usize) -> Result<Self> {
        let rows = rows.min(BLOCK);
        Ok(Self {
            queries: Tensor::compute([rows * size], |_| ())?,
            scores: Tensor::compute([rows * TILE], |_| ())?,
            largest: [T::ZERO; BLOCK],
            sums: [T::ZERO; BLOCK],
        })
    }
}

/// The results of some queries: rows of `padded` numbers, and, if wanted, the logarithm of each query's sum (∞ if it attends to nothing).
fn block<T: Scalar>(
    place: &Place<'_, T>,
    queries: Strip<'_, T>,
    (first, scale): (usize, T),
    memory: &Memory<T>,
    (out, log_sums): (&mut [T], &mut [T]),
    room: &mut Room<T>,
) -> Result<()> {
    let (rows, size, padded) = (queries.rows, queries.size, memory.values.columns());
    let own = first..first + rows;
    scaled(queries, scale, room.queries.as_mut_slice());
    out.fill(T::ZERO);
    room.largest.fill(T::NEG_INFINITY);
    room.sums.fill(T::ZERO);
    let left = View::new(room.queries.as_slice(), rows, size, Transpose::No)?;
    for columns in place.tiles(own.clone()) {
        let width = columns.len().next_multiple_of(LANES);
        let wide = columns.start..columns.start + width;
        let scores = room.scores.as_mut_slice();
        memory.keys.product((scores, TILE, false), left, 0..size, wide.clone())?;
        let (largest, sums) = (&mut room.largest, &mut room.sums);
        vectorize(
            #[inline(always)]
            || {
                for r in 0..rows {
                    let (scores, out) = (&mut scores[r * TILE..][..width], &mut out[r * padded..][..padded]);
                    place.rules.mark(scores, [place.sample, place.head, first + r], wide.clone());
                    let m = largest[r].max_or_nan(row::max(scores));
                    if m == T::NEG_INFINITY {
                        scores.fill(T::ZERO);
                        continue; // nothing to attend to yet
                    }
                    let sum = tile::exponentials(scores, m);
                    if largest[r] == m {
                        sums[r] += sum;
                        continue;
                    }
                    // What has been added up was relative to a smaller maximum.
                    let before = (largest[r] - m).exp();
                    out.iter_mut().for_each(|out| *out *= before);
                    sums[r] = Scalar::mul_add(sums[r], before, sum);
                    largest[r] = m;
                }
            },
        );
        if place.dropout.is_some() {
            for r in 0..rows {
                for (s, key) in scores[r * TILE..][..width].iter_mut().zip(wide.clone()) {
                    *s *= place.factor(first + r, key);
                }
            }
        }
        if memory.finite || !place.rules.differ() {
            let left = View::strided(scores, rows, width, (TILE, 1))?;
            memory.values.product((out, padded, true), left, wide, 0..padded)?;
        } else {
            let hidden = |r, t| place.rules.hides([place.sample, place.head, first + r], columns.start + t);
            let left = |r: usize, t: usize| scores[r * TILE + t];
            memory.values.product_of_some((out, padded), rows, (left, hidden), wide);
        }
    }
    for r in 0..rows {
        let (sum, largest) = (room.sums[r], room.largest[r]);
        let nothing = largest == T::NEG_INFINITY;
        if !nothing {
            let share = T::ONE / sum;
            out[r * padded..][..padded].iter_mut().for_each(|out| *out *= share);
        }
        if let Some(log_sum) = log_sums.get_mut(r) {
            *log_sum = if nothing { T::INFINITY } else { largest + sum.ln() };
        }
    }
    Ok(())
}

/// The rows, times the scale, one after the other.
pub(super) fn scaled<T: Scalar>(rows: Strip<'_, T>, scale: T, out: &mut [T]) {
    for (i, out) in out.chunks_mut(rows.size).take(rows.rows).enumerate() {
        out.iter_mut().zip(rows.row(i)).for_each(|(out, &x)| *out = x * scale);
    }
}

/// What the way back needs.
#[derive(Debug, Clone)]
pub(crate) struct Kept<T: Scalar> {
    /// The results head by head, `[N, H, T, padded]`.
    pub(super) out: Tensor<T>,
    /// L, the logarithm of the sum of each query's exponentials, `[N, H, T]`; ∞ for a query that attends to nothing.
    pub(super) log_sums: Tensor<T>,
}

/// Some queries of one head of one sample.
struct Job<'a, T> {
    sample: usize,
    head: usize,
    first: usize,
    out: &'a mut [T],
    log_sums: &'a mut [T],
    done: Result<()>,
}

impl<T: Scalar> Kept<T> {
    /// The results head by head.
    pub(crate) fn values(&self) -> &Tensor<T> {
        &self.out
    }
}

/// All heads of all samples: `[N, H, T, padded]`.
pub(crate) fn forward<T: Scalar>(
    [queries, keys, values]: [Heads<'_, T>; 3],
    samples: usize,
    rules: Rules<'_, T>,
    scale: T,
    dropout: Option<(f64, u64)>,
    keep: bool,
) -> Result<Kept<T>> {
    let (time, padded) = (queries.rows, values.padded());
    let heads = samples * queries.heads;
    let mut out = Tensor::compute([heads * time * padded], |_| ())?;
    let mut log_sums = Tensor::compute([if keep { heads * time } else { 0 }], |_| ())?;
    let pieces = ENOUGH.div_ceil(heads.max(1)).min(time.div_ceil(BLOCK)).max(1);
    let piece = time.div_ceil(pieces).next_multiple_of(BLOCK).clamp(1, time.max(1));
    let (mut rest, mut rest_sums) = (out.as_mut_slice(), log_sums.as_mut_slice());
    let mut jobs = Vec::new();
    for head in 0..heads {
        for first in (0..time).step_by(piece) {
            let rows = piece.min(time - first);
            jobs.push(Job {
                sample: head / queries.heads,
                head: head % queries.heads,
                first,
                out: super::part(&mut rest, rows * padded),
                log_sums: super::part(&mut rest_sums, if keep { rows } else { 0 }),
                done: Ok(()),
            });
        }
    }
    let group = queries.heads / keys.heads;
    for_each_block(&mut jobs, 1, |_, jobs| {
        for job in jobs {
            job.done = one(job, [queries, keys, values], group, (rules, scale, dropout));
        }
    });
    jobs.into_iter().try_for_each(|job| job.done)?;
    Ok(Kept { out, log_sums })
}

/// One job: its head's keys and values are laid out, and its queries walk over them.
fn one<T: Scalar>(
    job: &mut Job<'_, T>,
    [queries, keys, values]: [Heads<'_, T>; 3],
    group: usize,
    (rules, scale, dropout): (Rules<'_, T>, T, Option<(f64, u64)>),
) -> Result<()> {
    let &mut Job { sample, head, first, .. } = job;
    let padded = values.padded();
    let rows = job.out.len() / padded.max(1);
    let number = ((sample * queries.heads + head) * queries.rows * rules.keys) as u64;
    let place = Place { rules, sample, head, number, dropout };
    let span = rules.span(sample, first..first + rows);
    let mut memory = Memory::new(span.end, keys.size, values.size)?;
    let [keys, values] = [keys, values].map(|heads| heads.strip(sample, head / group, span.clone()));
    memory.set(span.start, keys, values)?;
    let mut room = Room::new(rows, queries.size)?;
    for start in (0..rows).step_by(BLOCK) {
        let own = start..rows.min(start + BLOCK);
        let log_sums = if job.log_sums.is_empty() { &mut [][..] } else { &mut job.log_sums[own.clone()] };
        block(
            &place,
            queries.strip(sample, head, first + own.start..first + own.end),
            (first + start, scale),
            &memory,
            (&mut job.out[own.start * padded..own.end * padded], log_sums),
            &mut room,
        )?;
    }
    Ok(())
}

/// The queries of one sample over keys and values that are laid out already, a memory a head of theirs: `[T, H·size]`.
pub(crate) fn over_memory<T: Scalar>(
    queries: Heads<'_, T>,
    value: usize,
    memories: &[Memory<T>],
    rules: Rules<'_, T>,
    scale: T,
    out: &mut [T],
) -> Result<()> {
    let (rows, padded) = (queries.rows, value.next_multiple_of(WIDE));
    let group = queries.heads / memories.len();
    let mut room = Room::new(rows, queries.size)?;
    let mut own = Tensor::compute([rows.min(BLOCK) * padded], |_| ())?;
    let distance = queries.heads * value;
    for head in 0..queries.heads {
        let place = Place { rules, sample: 0, head, number: 0, dropout: None };
        for start in (0..rows).step_by(BLOCK) {
            let range = start..rows.min(start + BLOCK);
            let block_out = &mut own.as_mut_slice()[..range.len() * padded];
            let strip = queries.strip(0, head, range.clone());
            block(&place, strip, (start, scale), &memories[head / group], (block_out, &mut []), &mut room)?;
            for (row, from) in range.zip(block_out.chunks(padded)) {
                out[row * distance + head * value..][..value].copy_from_slice(&from[..value]);
            }
        }
    }
    Ok(())
}
