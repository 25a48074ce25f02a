//! The packed product: both sides are copied, block by block of terms, into panels that the inner kernel reads straight on; the
//! kernel keeps a tile of the result in registers. (Goto & van de Geijn 2008.)
//!
//! The longer side of the result is cut into strips, a job each, which packs its own part of that operand; the panels of the other
//! operand are packed once, by whichever job comes to them first, and used by all.
//!
//! Each sum has its terms in order, fused, cut only into blocks of [`TERMS`]: the bits depend neither on the tiles, nor on the
//! threads, nor on the instruction set.

use crate::Scalar;
use crate::micro::{GROUP, Kernel};
use crate::panels::{Panels, pack_left, pack_right};
use crate::parallel::{for_each_block, threads};
use crate::product::{Epilogue, Shared, View};
use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The terms of a block: a panel of the right side stays in the first cache, some panels of the left side in the second.
const TERMS: usize = 384;

/// The most rows, or columns, of a strip: its packed block stays in the second cache beside what passes through.
const STRIP: usize = 128;

/// How many strips there are to a thread, at least: so that a thread that comes late, or is held up, leaves its share to others.
const SHARES: usize = 4;

/// The rows, or columns, of the shared operand that are packed at once.
const SHARED: usize = 64;

/// `out = left · right` by this kernel, and then `epilogue`; on all cores if `parallel`.
pub(crate) fn packed<T: Scalar>(
    kernel: Kernel<T>,
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
    parallel: bool,
) {
    let (m, k, n) = (left.rows(), left.cols(), right.cols());
    if k == 0 {
        out.fill(T::ZERO); // sums of no terms
    }
    let left = Side { view: left, width: kernel.high, pack: pack_left };
    let right = Side { view: right.transposed(), width: kernel.wide, pack: pack_right };
    let by_rows = m >= n;
    let (own, other) = if by_rows { (left, right) } else { (right, left) };
    let other = Packed::new(other, k);
    let panels = own.view.rows().div_ceil(own.width);
    let shares = if parallel && threads() > 1 { SHARES * threads() } else { 1 };
    let jobs = panels.div_ceil(STRIP / own.width).next_multiple_of(shares).min(panels);
    let all = Shared::new(out);
    for_each_block(&mut vec![(); jobs], 1, |job, _| {
        let end = (panels * (job + 1) / jobs * own.width).min(own.view.rows());
        let strip = panels * job / jobs * own.width..end;
        let mut mine = Panels::new(own.len(strip.len(), k.min(TERMS)));
        for (block, terms) in blocks(k, TERMS).enumerate() {
            (own.pack)(own.view, strip.clone(), terms.clone(), own.width, mine.as_mut_slice());
            // Each job begins elsewhere, so that at the start several threads pack different groups.
            let first = other.groups * job / jobs;
            for group in (first..other.groups).chain(0..first) {
                let (range, theirs) = other.group(block, group, terms.clone());
                let at = Place { out: all.at(0), distance: n, first: block == 0, terms: terms.len() };
                // SAFETY: strips do not overlap, and lie within `out`, which is borrowed for as long as the jobs run.
                unsafe {
                    match by_rows {
                        true => tiles(&kernel, at, (mine.as_slice(), strip.clone()), (theirs, range)),
                        false => tiles(&kernel, at, (theirs, range), (mine.as_slice(), strip.clone())),
                    }
                }
            }
        }
        if let Some(f) = epilogue {
            let (rows, columns) = if by_rows { (strip, 0..n) } else { (0..m, strip) };
            for row in rows {
                let start = all.at(row * n + columns.start);
                // SAFETY: as above: a stretch of a row of this strip, which nobody else reads or writes.
                f(row, columns.start, unsafe { std::slice::from_raw_parts_mut(start, columns.len()) });
            }
        }
    });
}

fn blocks(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count).step_by(size).map(move |start| start..count.min(start + size))
}

/// An operand, with its terms along its rows, and how it is packed: by panels of `width` rows.
#[derive(Clone, Copy)]
struct Side<'a, T> {
    view: View<'a, T>,
    width: usize,
    pack: fn(View<'_, T>, Range<usize>, Range<usize>, usize, &mut [T]),
}

impl<T> Side<'_, T> {
    /// The length of packed rows.
    fn len(&self, rows: usize, terms: usize) -> usize {
        rows.next_multiple_of(self.width) * terms.next_multiple_of(GROUP)
    }
}

/// An operand whose panels are packed when they are first needed, and kept.
struct Packed<'a, T: Scalar> {
    side: Side<'a, T>,
    /// The rows of a group.
    rows: usize,
    groups: usize,
    /// By block of terms, and by group.
    cells: Vec<Cell<T>>,
}

/// Some panels, and whether a thread has begun to pack them.
struct Cell<T: Scalar> {
    begun: AtomicBool,
    panels: OnceLock<Panels<T>>,
}

impl<'a, T: Scalar> Packed<'a, T> {
    fn new(side: Side<'a, T>, terms: usize) -> Self {
        let rows = SHARED.next_multiple_of(side.width);
        let groups = side.view.rows().div_ceil(rows);
        let cell = || Cell { begun: AtomicBool::new(false), panels: OnceLock::new() };
        Self { side, rows, groups, cells: (0..groups * terms.div_ceil(TERMS)).map(|_| cell()).collect() }
    }

    /// The rows of a group, and their panels.
    fn group(&self, block: usize, group: usize, terms: Range<usize>) -> (Range<usize>, &[T]) {
        let start = group * self.rows;
        let rows = start..self.side.view.rows().min(start + self.rows);
        let cell = &self.cells[block * self.groups + group];
        if let Some(panels) = cell.panels.get() {
            return (rows, panels.as_slice());
        }
        if cell.begun.swap(true, Ordering::Relaxed) {
            // Another thread is at it and needs some microseconds, less than sleeping and waking would take.
            for _ in 0..SPINS {
                if cell.panels.get().is_some() {
                    break;
                }
                std::hint::spin_loop();
            }
        }
        let panels = cell.panels.get_or_init(|| {
            let mut panels = Panels::new(self.side.len(rows.len(), terms.len()));
            (self.side.pack)(self.side.view, rows.clone(), terms, self.side.width, panels.as_mut_slice());
            panels
        });
        (rows, panels.as_slice())
    }
}

/// How often to look whether another thread has packed a group, before sleeping until it has: about 100 µs.
const SPINS: usize = 1 << 12;

/// Where tiles are written, and what they are made of.
#[derive(Clone, Copy)]
struct Place<T> {
    /// The first element of the whole result, and from one row to the next.
    out: *mut T,
    distance: usize,
    /// Whether these are the first terms: otherwise they are added to what is there.
    first: bool,
    terms: usize,
}

/// Writes or adds the products of some panels of rows, and some panels of columns, to their tiles.
///
/// # Safety
/// The rows and columns lie within the result, initialised, and nobody else reads or writes what is at them meanwhile.
unsafe fn tiles<T: Scalar>(
    kernel: &Kernel<T>,
    at: Place<T>,
    (a, rows): (&[T], Range<usize>),
    (b, columns): (&[T], Range<usize>),
) {
    let Place { out, distance, first, terms } = at;
    let Kernel { high, wide, .. } = *kernel;
    let length = terms.next_multiple_of(GROUP);
    for (column, b) in columns.clone().step_by(wide).zip(b.chunks_exact(wide * length)) {
        let width = wide.min(columns.end - column);
        for (row, a) in rows.clone().step_by(high).zip(a.chunks_exact(high * length)) {
            let height = high.min(rows.end - row);
            // SAFETY: the tile lies within the rows and columns, as the caller promises.
            unsafe {
                let to = out.add(row * distance + column);
                if width == wide {
                    kernel.run(terms, height, a, b, to, distance, first);
                } else {
                    kernel.run_narrow(terms, [height, width], a, b, to, distance, first);
                }
            }
        }
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
        let at = |x: View<'_, T>, i: usize, j: usize| x.data()[i * x.strides().0 + j * x.strides().1];
        let element = |i: usize, j: usize| {
            let sum = |terms: Range<usize>| {
                terms.fold(T::ZERO, |sum, k| Scalar::mul_add(at(left, i, k), at(right, k, j), sum))
            };
            blocks(left.cols(), TERMS).map(sum).reduce(|x, y| x + y).unwrap_or(T::ZERO)
        };
        (0..left.rows() * right.cols()).map(|i| element(i / right.cols(), i % right.cols())).collect()
    }

    /// All kernels of this machine, and plain ones with the tiles of those that it may not have.
    fn kernels<T: Scalar>() -> Vec<Kernel<T>> {
        let tiles = [plain::<T, 6, 8>(), plain::<T, 6, 16>(), plain::<T, 12, 16>(), plain::<T, 12, 32>()];
        Level::ALL.map(T::kernel).into_iter().chain(tiles).collect()
    }

    /// A matrix laid out in one of five ways: as it is, as its transpose, with gaps in and between its rows, with one row for all.
    fn laid_out<T>(data: &[T], rows: usize, cols: usize, way: usize) -> Result<View<'_, T>> {
        let strides =
            [(cols, 1), (1, rows), (cols + 3, 1), (2 * cols + 1, 2), (1, rows + 5), (0, 1), (1, 0)][way];
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
            [6, 0, 16],
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
                        33 => (0..49).map(|w| [w / 7, w % 7]).collect(),
                        _ => vec![[i % 7, (i + 2) % 7], [0, 0], [1, 1]],
                    };
                    ways.into_iter().try_for_each(|ways| check::<f32>(size, ways).and(check::<f64>(size, ways)))?;
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
                assert!((0..m * n).all(|i| out[i].is_finite() == (i / n != row)), "{x} as term {term} of row {row}");
                let mut turned = vec![0.0; m * n];
                packed(f32::kernel(Level::best()), &mut turned, b.transposed(), a.transposed(), None, true);
                let same = |i: usize| out[i].to_bits() == turned[i % n * m + i / n].to_bits() || out[i].is_nan();
                assert!((0..m * n).all(|i| out[i].is_nan() == turned[i % n * m + i / n].is_nan() && same(i)));
            }
        }
        Ok(())
    }
}
