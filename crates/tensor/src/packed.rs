//! The packed product: both sides are copied, block by block of terms, into panels that the inner kernel reads straight on; the
//! kernel keeps a tile of the result in registers. (Goto & van de Geijn 2008.)
//!
//! The result is cut into chunks along its shorter side, and those into strips along the longer one. A worker packs a chunk's operand
//! once, with all its terms, and then computes strip after strip, of each of which a block of terms at a time is packed into the
//! second cache. Workers share nothing that they write: what another core has packed is further away than what one packs again.
//!
//! Each sum has its terms in order, fused, cut only into [`Blocks`]: the bits depend neither on the chunks and strips, nor on the
//! threads, nor on the instruction set.

use crate::Scalar;
use crate::micro::{GROUP, Kernel, Tile};
use crate::panels::{LINE, Panels, pack_left, pack_right};
use crate::parallel::{for_each_block, threads};
use crate::product::{Epilogue, Shared, View};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most terms of a block: a panel of the right side stays in the first cache.
const TERMS: usize = 384;

/// The bytes of one term of a strip, at most: its packed block stays in the second cache beside what passes through.
const STRIP: usize = 512;

/// The bytes of one term of a chunk, at most.
const CHUNK: usize = 2048;

/// How many strips each worker has at least, if there are several: one that comes late, or is held up, leaves some to others.
const SHARES: usize = 4;

/// The rows, or columns, of a chunk that are packed at once, just before their first use.
const GROUPS: usize = 96;

/// The bytes from row to row of a left side that is read where it is, at most: rows further apart meet in the first cache.
const NEAR: usize = 2048;

/// `out = left · right` by this kernel, and then `epilogue`; on all cores if `parallel`. There is at least one element, and one term.
pub(crate) fn packed<T: Scalar>(
    kernel: Kernel<T>,
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
    parallel: bool,
) {
    let (m, k, n) = (left.rows(), left.cols(), right.cols());
    let by_rows = n <= 4 * m;
    let direct = by_rows && left.strides().1 == 1 && left.strides().0 <= NEAR / size_of::<T>();
    let left = Side { view: left, width: kernel.high, pack: pack_left };
    let right = Side { view: right.transposed(), width: kernel.wide, pack: pack_right };
    let [strips, chunks] = if by_rows { [left, right] } else { [right, left] };
    let workers = if parallel { threads() } else { 1 };
    let cut = Cut::new(strips, chunks, workers);
    let plan =
        Plan { kernel, out: Shared::new(out), distance: n, by_rows, direct, terms: Blocks::new(k), cut };
    let room = [plan.cut.room(1, k), if direct { 0 } else { plan.cut.room(0, plan.terms.size) }];
    // Memory in one piece for all workers: each finds its part where it left it at the last product, in its own caches.
    let mut panels = Panels::new(workers * (room[0] + room[1]));
    let jobs = plan.cut.counts[0] * plan.cut.counts[1];
    let next: Vec<_> = (0..workers).map(|w| AtomicUsize::new(jobs * w / workers)).collect();
    for_each_block(panels.as_mut_slice(), room[0] + room[1], |worker, panels| {
        let (kept, passing) = panels.split_at_mut(room[0]);
        let mut packed = None;
        // Its own jobs, and then what others have left.
        for owner in (worker..workers).chain(0..worker) {
            let end = jobs * (owner + 1) / workers;
            while let Some(job) = Some(next[owner].fetch_add(1, Ordering::Relaxed)).filter(|&job| job < end) {
                let [strip, chunk] = plan.cut.job(job);
                // SAFETY: every job is done once; jobs do not overlap, and lie within `out`, which is borrowed for as long as they run.
                unsafe { plan.run(job, (job + 1).min(end - 1), packed != Some(chunk.start), kept, passing) };
                packed = Some(chunk.start);
                if let Some(f) = epilogue {
                    let [rows, columns] = plan.sides(strip, chunk);
                    for row in rows {
                        let start = plan.out.at(row * n + columns.start);
                        // SAFETY: as above: a stretch of a row of this job.
                        f(row, columns.start, unsafe {
                            std::slice::from_raw_parts_mut(start, columns.len())
                        });
                    }
                }
            }
        }
    });
}

/// A product, and how it is done.
struct Plan<'a, T: Scalar> {
    kernel: Kernel<T>,
    out: Shared<T>,
    distance: usize,
    /// Whether strips are rows of the result.
    by_rows: bool,
    /// Whether the left side is read where it is.
    direct: bool,
    terms: Blocks,
    cut: Cut<'a, T>,
}

impl<T: Scalar> Plan<'_, T> {
    /// What belongs to the rows of the result, and what to its columns.
    fn sides<S>(&self, strip: S, chunk: S) -> [S; 2] {
        if self.by_rows { [strip, chunk] } else { [chunk, strip] }
    }

    /// Computes a job; the operand of its chunk is packed into `kept` if that is not there yet.
    ///
    /// # Safety
    /// Nobody else reads or writes what is at this job's place in the output.
    unsafe fn run(&self, job: usize, next: usize, fresh: bool, kept: &mut [T], passing: &mut [T]) {
        let ([strip, chunk], [strips, chunks]) = (self.cut.job(job), &self.cut.sides);
        for terms in self.terms.ranges() {
            if !self.direct {
                strips.pack(strip.clone(), terms.clone(), passing);
            }
            let kept = &mut kept[chunks.room(chunk.len(), terms.start)..];
            // What is packed next is fetched meanwhile.
            let mut ahead = match self.terms.after(&terms) {
                Some(terms) => Ahead::new(strips.view, strip.clone(), terms),
                None => Ahead::new(strips.view, self.cut.job(next)[0].clone(), self.terms.first()),
            };
            if self.direct {
                ahead.lines = 0;
            }
            for group in blocks(chunk.clone(), GROUPS.next_multiple_of(chunks.width)) {
                let at = chunks.room(group.start - chunk.start, terms.len());
                let kept = &mut kept[at..][..chunks.room(group.len(), terms.len())];
                if fresh {
                    chunks.pack(group.clone(), terms.clone(), kept);
                }
                let [rows, columns] = self.sides(strip.clone(), group);
                let [a, b] = self.sides(&*passing, &*kept);
                // SAFETY: as the caller promises.
                unsafe { self.tiles(a, b, rows, columns, terms.clone(), &mut ahead) };
            }
        }
    }

    /// Writes or adds the products of some rows and some columns to their tiles.
    ///
    /// # Safety
    /// Nobody else reads or writes these rows and columns of the output.
    unsafe fn tiles(
        &self,
        a: &[T],
        b: &[T],
        rows: Range<usize>,
        columns: Range<usize>,
        terms: Range<usize>,
        ahead: &mut Ahead<T>,
    ) {
        let Kernel { high, wide, .. } = self.kernel;
        let length = terms.len().next_multiple_of(GROUP);
        let (a, steps) = match self.direct {
            true => {
                let view = self.cut.sides[0].view;
                let row = view.strides().0;
                (&view.data()[rows.start * row + terms.start..], [row, GROUP, high * row])
            }
            false => (a, [GROUP, high * GROUP, high * length]),
        };
        for (column, b) in columns.clone().step_by(wide).zip(b.chunks_exact(wide * length)) {
            for (panel, row) in rows.clone().step_by(high).enumerate() {
                let tile = Tile {
                    rows: high.min(rows.end - row),
                    terms: terms.len(),
                    a: &a[panel * steps[2]..],
                    steps: [steps[0], steps[1]],
                    b,
                    out: self.out.at(row * self.distance + column),
                    distance: self.distance,
                    first: terms.start == 0,
                    ahead: ahead.next(length / GROUP),
                };
                // SAFETY: the tile lies within the rows and columns, as the caller promises.
                unsafe {
                    match columns.end - column {
                        columns if columns < wide => self.kernel.run_narrow(&tile, columns),
                        _ => self.kernel.run(&tile),
                    }
                }
            }
        }
    }
}

/// What is to be packed next: its cache lines, which the kernel fetches one by one.
struct Ahead<T> {
    start: *const T,
    /// How many stretches of memory, the distance from one to the next, and the cache lines of each.
    count: usize,
    distance: usize,
    lines: usize,
    at: [usize; 2],
}

impl<T: Scalar> Ahead<T> {
    fn new(view: View<'_, T>, rows: Range<usize>, terms: Range<usize>) -> Self {
        let (row, term) = view.strides();
        let start = view.data().as_ptr().wrapping_add(rows.start * row + terms.start * term);
        let (count, distance, length) = match (row, term) {
            (_, 1) => (rows.len(), row, terms.len()),
            (1, _) => (terms.len(), term, rows.len()),
            _ => (0, 0, 0), // scattered elements
        };
        Self { start, count, distance, lines: (length * size_of::<T>()).div_ceil(LINE), at: [0; 2] }
    }

    /// Where the next so many lines begin, and the distance between them. They may lie anywhere: nothing is read.
    fn next(&mut self, count: usize) -> (*const T, usize) {
        let [line, stretch] = self.at;
        if line == self.lines {
            return (self.start, 0);
        }
        self.at = if stretch + count < self.count { [line, stretch + count] } else { [line + 1, 0] };
        let offset = stretch * self.distance + line * (LINE / size_of::<T>());
        (self.start.wrapping_add(offset), self.distance)
    }
}

fn blocks(range: Range<usize>, size: usize) -> impl Iterator<Item = Range<usize>> {
    range.clone().step_by(size).map(move |start| start..range.end.min(start + size))
}

/// How many terms there are, and how they are cut: into blocks of about the same size. It depends on nothing else.
#[derive(Clone, Copy)]
struct Blocks {
    count: usize,
    size: usize,
}

impl Blocks {
    fn new(count: usize) -> Self {
        Self { count, size: count.div_ceil(count.div_ceil(TERMS).max(1)).next_multiple_of(GROUP).max(GROUP) }
    }

    fn first(self) -> Range<usize> {
        0..self.size.min(self.count)
    }

    /// The block after this one.
    fn after(self, block: &Range<usize>) -> Option<Range<usize>> {
        (block.end < self.count).then(|| block.end..self.count.min(block.end + self.size))
    }

    fn ranges(self) -> impl Iterator<Item = Range<usize>> {
        blocks(0..self.count, self.size)
    }
}

/// Packs `(view, rows, terms, width, out)`.
type Pack<T> = fn(View<'_, T>, Range<usize>, Range<usize>, usize, &mut [T]);

/// An operand, with its terms along its rows, and how it is packed: by panels of `width` rows.
#[derive(Clone, Copy)]
struct Side<'a, T> {
    view: View<'a, T>,
    width: usize,
    pack: Pack<T>,
}

impl<T: Scalar> Side<'_, T> {
    fn panels(&self) -> usize {
        self.view.rows().div_ceil(self.width)
    }

    /// The rows of these panels.
    fn rows(&self, panels: Range<usize>) -> Range<usize> {
        panels.start * self.width..self.view.rows().min(panels.end * self.width)
    }

    /// The elements that so many rows need.
    fn room(&self, rows: usize, terms: usize) -> usize {
        rows.next_multiple_of(self.width) * terms.next_multiple_of(GROUP)
    }

    fn pack(&self, rows: Range<usize>, terms: Range<usize>, out: &mut [T]) {
        (self.pack)(self.view, rows, terms, self.width, out);
    }
}

/// How the result is cut into jobs: how many strips and chunks there are of the sides that are cut into them.
struct Cut<'a, T: Scalar> {
    sides: [Side<'a, T>; 2],
    counts: [usize; 2],
}

impl<'a, T: Scalar> Cut<'a, T> {
    fn new(strips: Side<'a, T>, chunks: Side<'a, T>, workers: usize) -> Self {
        let (long, short) = (strips.view.rows(), chunks.view.rows());
        // As nearly square as they can be, what the workers have to pack is least.
        let square = ((workers * short) as f64 / long as f64).sqrt().round() as usize;
        let chunk_count = square.max(short.div_ceil(CHUNK / size_of::<T>())).clamp(1, chunks.panels());
        let shares = if workers > 1 { (SHARES * workers).div_ceil(chunk_count) } else { 1 };
        let strip_count = long.div_ceil(STRIP / size_of::<T>()).next_multiple_of(shares).min(strips.panels());
        Self { sides: [strips, chunks], counts: [strip_count, chunk_count] }
    }

    /// The strip and the chunk of a job: chunk after chunk.
    fn job(&self, job: usize) -> [Range<usize>; 2] {
        let part = |axis: usize, i: usize| {
            let (side, count) = (&self.sides[axis], self.counts[axis]);
            side.rows(side.panels() * i / count..side.panels() * (i + 1) / count)
        };
        [part(0, job % self.counts[0]), part(1, job / self.counts[0])]
    }

    /// The elements that the longest strip, or chunk, needs.
    fn room(&self, axis: usize, terms: usize) -> usize {
        let side = &self.sides[axis];
        side.room(side.panels().div_ceil(self.counts[axis]) * side.width, terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Level;
    use crate::micro::plain;
    use crate::{Result, with_threads};

    /// Numbers between −1 and 1 with all their digits: another order of a sum shows.
    fn input<T: Scalar>(len: usize, mut state: u64) -> Vec<T> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            T::of((state >> 11) as f64 / (1u64 << 52) as f64 - 1.0)
        };
        (0..len).map(|_| next()).collect()
    }

    /// By three loops: terms in order, fused, and cut into blocks.
    fn by_loops<T: Scalar>(left: View<'_, T>, right: View<'_, T>) -> Vec<T> {
        let k = left.cols();
        let cut = k.div_ceil(k.div_ceil(384).max(1)).next_multiple_of(8).max(8);
        let at = |x: View<'_, T>, i: usize, j: usize| x.data()[i * x.strides().0 + j * x.strides().1];
        let element = |i: usize, j: usize| {
            let sum = |terms: Range<usize>| {
                terms.fold(T::ZERO, |sum, k| Scalar::mul_add(at(left, i, k), at(right, k, j), sum))
            };
            blocks(0..k, cut).map(sum).reduce(|x, y| x + y).unwrap_or(T::ZERO)
        };
        (0..left.rows() * right.cols()).map(|i| element(i / right.cols(), i % right.cols())).collect()
    }

    /// All kernels of this machine, and plain ones with the tiles of those that it may not have.
    fn kernels<T: Scalar>() -> Vec<Kernel<T>> {
        let tiles = [plain::<T, 6, 8>(), plain::<T, 6, 16>(), plain::<T, 12, 16>(), plain::<T, 12, 32>()];
        Level::ALL.map(T::kernel).into_iter().chain(tiles).collect()
    }

    /// A matrix laid out in one of nine ways: row by row, column by column, with gaps between its rows, between all elements, between its
    /// columns; with one row for all, with one column, and both with
    /// gaps.
    fn laid_out<T>(data: &[T], rows: usize, cols: usize, way: usize) -> Result<View<'_, T>> {
        let strides = [
            (cols, 1),
            (1, rows),
            (cols + 3, 1),
            (2 * cols + 1, 2),
            (1, rows + 5),
            (0, 1),
            (1, 0),
            (0, 2),
            (2, 0),
        ][way];
        View::strided(data, rows, cols, strides)
    }

    fn check<T: Scalar>([m, k, n]: [usize; 3], ways: [usize; 2]) -> Result<()> {
        let (a, b) = (input::<T>((m + 5) * (2 * k + 5), 1), input::<T>((k + 5) * (2 * n + 5), 2));
        let (left, right) = (laid_out(&a, m, k, ways[0])?, laid_out(&b, k, n, ways[1])?);
        let expected = by_loops(left, right);
        let marked: Vec<T> = expected.iter().enumerate().map(|(i, x)| *x + T::of(i as f64)).collect();
        let same = |x: &[T], y: &[T]| {
            x.iter().zip(y).all(|(x, y)| x.as_f64().to_bits() == y.as_f64().to_bits()) && x.len() == y.len()
        };
        for kernel in kernels::<T>() {
            let what = format!("{m}×{k}·{k}×{n}, {ways:?}, {kernel:?}");
            let mut out = vec![T::NAN; m * n];
            packed(kernel, &mut out, left, right, None, true);
            assert!(same(&out, &expected), "{what}");
            out.fill(T::NAN);
            let mark = |row: usize, column: usize, y: &mut [T]| {
                y.iter_mut().enumerate().for_each(|(j, y)| *y += T::of((row * n + column + j) as f64));
            };
            packed(kernel, &mut out, left, right, Some(&mark), false);
            assert!(same(&out, &marked), "{what}, with an epilogue");
        }
        Ok(())
    }

    #[test]
    fn every_kernel_gives_the_bits_of_three_loops() -> Result<()> {
        let sizes = [
            [1, 1, 1],
            [5, 8, 7],
            [6, 2, 16],
            [12, 9, 32],
            [13, 385, 33],
            [31, 800, 12],
            [12, 383, 131],
            [140, 5, 90],
            [67, 33, 300],
            [301, 16, 66],
        ];
        for threads in [1, 3] {
            with_threads(threads, || {
                for (i, size) in sizes.into_iter().enumerate() {
                    let ways = match size[1] {
                        33 => (0..81).map(|w| [w / 9, w % 9]).collect(),
                        _ => vec![[i % 9, (i + 2) % 9], [0, 0], [1, 1]],
                    };
                    ways.into_iter()
                        .try_for_each(|ways| check::<f32>(size, ways).and(check::<f64>(size, ways)))?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    #[test]
    fn what_is_not_finite_goes_to_its_row_and_its_column_alone() -> Result<()> {
        let (m, k, n) = (50, 400, 40);
        let right = input::<f32>(k * n, 2);
        for (row, term) in [(0, 0), (17, 383), (49, 399)] {
            for x in [f32::NAN, f32::INFINITY] {
                let mut left = input::<f32>(m * k, 1);
                left[row * k + term] = x;
                let mut out = vec![0.0; m * n];
                let (a, b) = (View::strided(&left, m, k, (k, 1))?, View::strided(&right, k, n, (n, 1))?);
                packed(f32::kernel(Level::best()), &mut out, a, b, None, true);
                assert!(
                    (0..m * n).all(|i| out[i].is_finite() == (i / n != row)),
                    "{x} as term {term} of row {row}"
                );
                let mut turned = vec![0.0; m * n];
                packed(f32::kernel(Level::best()), &mut turned, b.transposed(), a.transposed(), None, true);
                let same =
                    |i: usize| out[i].to_bits() == turned[i % n * m + i / n].to_bits() || out[i].is_nan();
                assert!((0..m * n).all(|i| out[i].is_nan() == turned[i % n * m + i / n].is_nan() && same(i)));
            }
        }
        Ok(())
    }
}
