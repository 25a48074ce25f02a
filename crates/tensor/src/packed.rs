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
use crate::micro::{GROUP, Kernel, LARGEST, Tile};
use crate::panels::{LINE, Panels, left_steps, pack_left, pack_right};
use crate::parallel::{for_each_block, threads};
use crate::product::{Epilogue, Shared};
use crate::view::View;
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

/// The bytes of a matrix that is read where it is, at most, however its rows lie.
const SMALL: usize = 1 << 14;

/// What is done with a product, and by whom.
#[derive(Clone, Copy)]
pub(crate) struct Finish<'a, T> {
    /// From row to row of where it goes.
    pub(crate) distance: usize,
    /// Whether it is added to what is there.
    pub(crate) add: bool,
    pub(crate) epilogue: Option<Epilogue<'a, T>>,
    /// Whether all cores work on it.
    pub(crate) parallel: bool,
}

/// `out = left · right` by this kernel. There is at least one element, and one term.
pub(crate) fn packed<T: Scalar>(
    kernel: Kernel<T>,
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    Finish { distance, add, epilogue, parallel }: Finish<'_, T>,
) {
    let (m, k, n) = (left.rows(), left.cols(), right.cols());
    let by_rows = n <= 4 * m;
    let left = Side::left(left, kernel.high, n <= kernel.wide);
    let right = Side::right(right.transposed(), kernel.wide, m <= kernel.high);
    let [strips, chunks] = if by_rows { [left, right] } else { [right, left] };
    let workers = if parallel { threads() } else { 1 };
    let cut = Cut::new(strips, chunks, workers);
    let plan = Plan { kernel, out: Shared::new(out), distance, add, by_rows, terms: Blocks::new(k), cut };
    // At least something, as each worker has its part.
    let room = [plan.cut.room(1, k), plan.cut.room(0, plan.terms.size).max(1)];
    // Memory in one piece for all workers: each finds its part where it left it at the last product, in its own caches.
    let mut panels = Panels::new(workers * (room[0] + room[1]));
    let jobs = plan.cut.counts[0] * plan.cut.counts[1];
    let (alone, several): (_, Vec<_>);
    let next = if workers == 1 {
        alone = [AtomicUsize::new(0)];
        alone.as_slice()
    } else {
        several = (0..workers).map(|w| AtomicUsize::new(jobs * w / workers)).collect();
        &several
    };
    for_each_block(panels.as_mut_slice(), room[0] + room[1], |worker, panels| {
        let (kept, passing) = panels.split_at_mut(room[0]);
        let (mut packed, mut room) = (None, [T::ZERO; LARGEST]);
        // Its own jobs, and then what others have left.
        for owner in (worker..workers).chain(0..worker) {
            let end = jobs * (owner + 1) / workers;
            while let Some(job) = Some(next[owner].fetch_add(1, Ordering::Relaxed)).filter(|&job| job < end) {
                let [strip, chunk] = plan.cut.job(job);
                // SAFETY: every job is done once; jobs do not overlap, and lie within `out`, which is borrowed for as long as they run.
                unsafe {
                    plan.run(
                        [job, (job + 1).min(end - 1)],
                        packed != Some(chunk.start),
                        kept,
                        passing,
                        &mut room,
                    )
                };
                packed = Some(chunk.start);
                if let Some(f) = epilogue {
                    let [rows, columns] = plan.sides(strip, chunk);
                    for row in rows {
                        let start = plan.out.at(row * distance + columns.start);
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

/// Where the rows of an operand begin that is read where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lines<'a> {
    Apart(usize),
    At(&'a [usize]),
}

impl<'a> Lines<'a> {
    /// The distance between them, and the places of some of them.
    fn of(self, range: Range<usize>) -> (usize, &'a [usize]) {
        match self {
            Self::Apart(distance) => (distance, &[]),
            Self::At(places) => (0, &places[range]),
        }
    }
}

/// `out = left · right`, or added to it, in this thread, from operands that are read where they are: m×k and k×n elements, n a multiple of
/// 16. Rows of `out` are as far apart as the first of `place` says. Where `b_rows` has places, from each on there are n elements.
pub(crate) fn unpacked<T: Scalar>(
    kernel: Kernel<T>,
    out: &mut [T],
    (distance, add): (usize, bool),
    [m, k, n]: [usize; 3],
    (a, a_rows, a_term): (&[T], Lines<'_>, usize),
    (b, b_rows): (&[T], Lines<'_>),
) {
    if k == 0 && !add {
        return out.chunks_mut(distance).take(m).for_each(|row| row[..n].fill(T::ZERO));
    }
    let out = Shared::new(out);
    let mut room = [T::ZERO; LARGEST];
    for terms in Blocks::new(k).ranges() {
        let (b_step, b_terms) = b_rows.of(terms.clone());
        for column in (0..n).step_by(kernel.wide) {
            let b = &b[terms.start * b_step + column..];
            for row in (0..m).step_by(kernel.high) {
                let rows = row..m.min(row + kernel.high);
                let (a_row, a_rows) = a_rows.of(rows.clone());
                let tile = Tile {
                    rows: rows.len(),
                    terms: terms.len(),
                    a: &a[row * a_row + terms.start * a_term..],
                    a_steps: [a_row, a_term],
                    a_rows,
                    b,
                    b_step,
                    b_terms,
                    out: out.at(row * distance + column),
                    distance,
                    first: terms.start == 0 && !add,
                    ahead: (b.as_ptr(), 0),
                };
                // SAFETY: the caller has seen that `out`, which is borrowed here, holds m rows of n elements, `distance` apart; and that
                // from the places of the right side's rows on there are n elements, of which these are some.
                unsafe {
                    match n - column {
                        columns if columns < kernel.wide => kernel.run_narrow(&tile, columns, &mut room),
                        _ => kernel.run(&tile),
                    }
                }
            }
        }
    }
}

/// A product, and how it is done.
struct Plan<'a, T: Scalar> {
    kernel: Kernel<T>,
    out: Shared<T>,
    distance: usize,
    add: bool,
    /// Whether strips are rows of the result.
    by_rows: bool,
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
    unsafe fn run(
        &self,
        [job, next]: [usize; 2],
        fresh: bool,
        kept: &mut [T],
        passing: &mut [T],
        room: &mut [T; LARGEST],
    ) {
        let ([strip, chunk], [strips, chunks]) = (self.cut.job(job), &self.cut.sides);
        for terms in self.terms.ranges() {
            strips.pack(strip.clone(), terms.clone(), passing);
            let kept = &mut kept[chunks.room(chunk.clone(), terms.start)..];
            // What is packed next is fetched meanwhile.
            let mut ahead = match self.terms.after(&terms) {
                Some(terms) => Ahead::new(strips, strip.clone(), terms),
                None => Ahead::new(strips, self.cut.job(next)[0].clone(), self.terms.first()),
            };
            for group in blocks(chunk.clone(), GROUPS.next_multiple_of(chunks.width)) {
                let kept = &mut kept[chunks.room(chunk.start..group.start, terms.len())..];
                if fresh {
                    chunks.pack(group.clone(), terms.clone(), kept);
                }
                let [rows, columns] = self.sides(strip.clone(), group);
                let [a, b] = self.sides(&*passing, &*kept);
                // SAFETY: as the caller promises.
                unsafe { self.tiles([a, b], rows, columns, terms.clone(), &mut ahead, room) };
            }
        }
    }

    /// Writes or adds the products of some rows and some columns to their tiles.
    ///
    /// # Safety
    /// Nobody else reads or writes these rows and columns of the output.
    unsafe fn tiles(
        &self,
        [a, b]: [&[T]; 2],
        rows: Range<usize>,
        columns: Range<usize>,
        terms: Range<usize>,
        ahead: &mut Ahead<T>,
        room: &mut [T; LARGEST],
    ) {
        let Kernel { high, wide, .. } = self.kernel;
        let length = terms.len().next_multiple_of(GROUP);
        let [left, right] = self.sides(&self.cut.sides[0], &self.cut.sides[1]);
        let (a, a_steps) = match left.direct {
            true => (left.from(rows.start, terms.start), left.view.strides().into()),
            false => (a, left_steps(left.view, terms.len(), high)),
        };
        let a_panel = if left.direct { high * a_steps[0] } else { high * length };
        for (panel, column) in columns.clone().step_by(wide).enumerate() {
            let (b, b_step) = match right.direct {
                true if right.rest() > 0 && column + wide > right.view.rows() => (b, wide),
                true => (right.from(column, terms.start), right.view.strides().1),
                false => (&b[panel * wide * length..], wide),
            };
            for (panel, row) in rows.clone().step_by(high).enumerate() {
                let tile = Tile {
                    rows: high.min(rows.end - row),
                    terms: terms.len(),
                    a: &a[panel * a_panel..],
                    a_steps,
                    a_rows: &[],
                    b,
                    b_step,
                    b_terms: &[],
                    out: self.out.at(row * self.distance + column),
                    distance: self.distance,
                    first: terms.start == 0 && !self.add,
                    ahead: ahead.next(length / GROUP),
                };
                // SAFETY: the tile lies within the rows and columns, as the caller promises.
                unsafe {
                    match columns.end - column {
                        columns if columns < wide => self.kernel.run_narrow(&tile, columns, room),
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
    fn new(side: &Side<'_, T>, rows: Range<usize>, terms: Range<usize>) -> Self {
        let view = side.view;
        let (row, term) = view.strides();
        let start = view.data().as_ptr().wrapping_add(rows.start * row + terms.start * term);
        let (count, distance, length) = match (row, term) {
            _ if side.direct => (0, 0, 0),
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

/// An operand, with its terms along its rows, and how the kernel gets it: by panels of `width` rows.
#[derive(Clone, Copy)]
struct Side<'a, T> {
    view: View<'a, T>,
    width: usize,
    is_left: bool,
    /// Whether it is read where it is.
    direct: bool,
}

impl<'a, T: Scalar> Side<'a, T> {
    /// The left side; `once`: it is read once.
    fn left(view: View<'a, T>, width: usize, once: bool) -> Self {
        let direct = match view.strides() {
            (row, 1) => once || row * size_of::<T>() <= NEAR,
            (1, _) => once || small(view),
            _ => false,
        };
        Self { view, width, is_left: true, direct }
    }

    /// The transpose of the right side; `once`: it is read once.
    fn right(view: View<'a, T>, width: usize, once: bool) -> Self {
        Self { view, width, is_left: false, direct: view.strides().0 == 1 && (once || small(view)) }
    }

    fn panels(&self) -> usize {
        self.view.rows().div_ceil(self.width)
    }

    /// The rows of these panels.
    fn rows(&self, panels: Range<usize>) -> Range<usize> {
        panels.start * self.width..self.view.rows().min(panels.end * self.width)
    }

    /// The rows at the end that are packed even if the others are read where they are: too few for a panel of the right side, which the
    /// kernel reads whole, or by its first half.
    fn rest(&self) -> usize {
        let rest = self.view.rows() % self.width;
        if self.is_left || 2 * rest == self.width { 0 } else { rest }
    }

    /// What is to be packed of these rows.
    fn packed(&self, rows: Range<usize>) -> Range<usize> {
        match self.direct {
            true if rows.end == self.view.rows() => rows.end - self.rest()..rows.end,
            true => rows.end..rows.end,
            false => rows,
        }
    }

    /// The elements that these rows need when they are packed.
    fn room(&self, rows: Range<usize>, terms: usize) -> usize {
        self.packed(rows).len().next_multiple_of(self.width) * terms.next_multiple_of(GROUP)
    }

    fn pack(&self, rows: Range<usize>, terms: Range<usize>, out: &mut [T]) {
        let rows = self.packed(rows);
        if !rows.is_empty() {
            let pack = if self.is_left { pack_left } else { pack_right };
            pack(self.view, rows, terms, self.width, out);
        }
    }

    /// The elements from this row and this term on.
    fn from(&self, row: usize, term: usize) -> &'a [T] {
        let (row_step, term_step) = self.view.strides();
        &self.view.data()[row * row_step + term * term_step..]
    }
}

/// Whether a matrix stays in the first cache.
fn small<T>(view: View<'_, T>) -> bool {
    view.rows() * view.cols() * size_of::<T>() <= SMALL
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
        let most = side.panels().div_ceil(self.counts[axis]) * side.width;
        let all = side.view.rows();
        side.room(all - most.min(all)..all, terms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Level;
    use crate::micro::plain;
    use crate::view::laid_out;
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
            let finish = Finish { distance: n, add: false, epilogue: None, parallel: true };
            packed(kernel, &mut out, left, right, finish);
            assert!(same(&out, &expected), "{what}");
            out.fill(T::NAN);
            let mark = |row: usize, column: usize, y: &mut [T]| {
                y.iter_mut().enumerate().for_each(|(j, y)| *y += T::of((row * n + column + j) as f64));
            };
            let finish = Finish { distance: n, add: false, epilogue: Some(&mark), parallel: false };
            packed(kernel, &mut out, left, right, finish);
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
        let finish = Finish { distance: n, add: false, epilogue: None, parallel: true };
        for (row, term) in [(0, 0), (17, 383), (49, 399)] {
            for x in [f32::NAN, f32::INFINITY] {
                let mut left = input::<f32>(m * k, 1);
                left[row * k + term] = x;
                let mut out = vec![0.0; m * n];
                let (a, b) = (View::strided(&left, m, k, (k, 1))?, View::strided(&right, k, n, (n, 1))?);
                packed(f32::kernel(Level::best()), &mut out, a, b, finish);
                assert!(
                    (0..m * n).all(|i| out[i].is_finite() == (i / n != row)),
                    "{x} as term {term} of row {row}"
                );
                let mut turned = vec![0.0; m * n];
                let finish = Finish { distance: m, ..finish };
                packed(f32::kernel(Level::best()), &mut turned, b.transposed(), a.transposed(), finish);
                let same =
                    |i: usize| out[i].to_bits() == turned[i % n * m + i / n].to_bits() || out[i].is_nan();
                assert!((0..m * n).all(|i| out[i].is_nan() == turned[i % n * m + i / n].is_nan() && same(i)));
            }
        }
        Ok(())
    }
}
