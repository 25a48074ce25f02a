//! Work in fixed blocks over the cores. How it is cut depends on its size alone, never on the number of threads: each
//! block is computed alike wherever it runs, and partial results are joined in order, so the bits are the same for any number.

use std::sync::{Mutex, PoisonError};

/// How many elements of simple work make a block that is worth handing to another core (about 10 µs).
pub const BLOCK: usize = 1 << 15;

/// Calls `f(i, block)` for every block of `size` elements (the last may be shorter), on all cores.
///
/// ```
/// use gradus_tensor::kernel::for_each_block;
/// let mut squares = vec![0; 10];
/// for_each_block(&mut squares, 4, |i, block| {
///     for (k, x) in block.iter_mut().enumerate() {
///         *x = (4 * i + k).pow(2);
///     }
/// });
/// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
/// ```
pub fn for_each_block<T: Send>(out: &mut [T], size: usize, f: impl Fn(usize, &mut [T]) + Sync) {
    each_block(out, size, &f);
}

/// Knows nothing of what is done, so that it is compiled once a type, not once a call: a tenth of what was compiled otherwise.
fn each_block<T: Send>(out: &mut [T], size: usize, f: &(dyn Fn(usize, &mut [T]) + Sync)) {
    let size = size.max(1);
    let blocks = out.len().div_ceil(size);
    let workers = threads().min(blocks);
    if workers <= 1 {
        out.chunks_mut(size).enumerate().for_each(|(i, block)| f(i, block));
        return;
    }
    // Each worker has a part in one piece, which its caches may still hold, and then takes what others have left.
    let mut rest = out;
    let parts: Vec<_> = (0..workers)
        .map(|w| {
            let (first, end) = (blocks * w / workers, blocks * (w + 1) / workers);
            let others = std::mem::take(&mut rest);
            let (part, others) = others.split_at_mut(((end - first) * size).min(others.len()));
            rest = others;
            Mutex::new((first..end).zip(part.chunks_mut(size)))
        })
        .collect();
    on_all(workers, &|worker| {
        for part in parts[worker..].iter().chain(&parts[..worker]) {
            // Nothing panics while a part is locked: only the next block is taken.
            let next = || part.lock().unwrap_or_else(PoisonError::into_inner).next();
            while let Some((i, block)) = next() {
                f(i, block);
            }
        }
    });
}

/// As [`for_each_block`] for two outputs at once, each with its own size of block and as many blocks.
pub fn for_each_block_of_two<T: Send, U: Send>(
    (one, one_size): (&mut [T], usize),
    (two, two_size): (&mut [U], usize),
    f: impl Fn(usize, &mut [T], &mut [U]) + Sync,
) {
    let mut pairs: Vec<_> = one.chunks_mut(one_size.max(1)).zip(two.chunks_mut(two_size.max(1))).collect();
    for_each_block(&mut pairs, 1, |i, pair| {
        for (one, two) in pair {
            f(i, one, two);
        }
    });
}

/// The results of `f(0)`, `f(1)`, … `f(count - 1)` in order, computed on all cores.
pub fn map_blocks<R: Send>(count: usize, f: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let mut out: Vec<Option<R>> = std::iter::repeat_with(|| None).take(count).collect();
    for_each_block(&mut out, 1, |i, slot| slot.iter_mut().for_each(|slot| *slot = Some(f(i))));
    out.into_iter().flatten().collect()
}

/// How many threads work on blocks.
#[cfg(feature = "parallel")]
pub fn threads() -> usize {
    rayon_core::current_num_threads()
}

/// How many threads work on blocks.
#[cfg(not(feature = "parallel"))]
pub fn threads() -> usize {
    1
}

/// Calls `f(0)`, `f(1)`, … `f(workers - 1)`, each on a core of its own where there are so many. The first is called by this thread, which
/// has begun while the others wake up (ten microseconds, and more on a virtual machine).
#[cfg(feature = "parallel")]
fn on_all(workers: usize, f: &(dyn Fn(usize) + Sync)) {
    rayon_core::in_place_scope(|scope| {
        for worker in 1..workers {
            scope.spawn(move |_| f(worker));
        }
        f(0);
    });
}

/// Calls `f(0)`, `f(1)`, … `f(workers - 1)`.
#[cfg(not(feature = "parallel"))]
fn on_all(workers: usize, f: &(dyn Fn(usize) + Sync)) {
    (0..workers).for_each(f);
}

/// Runs both, on two cores where there are.
#[cfg(feature = "parallel")]
pub(crate) fn join(left: impl FnOnce() + Send, right: impl FnOnce() + Send) {
    rayon_core::in_place_scope(|scope| {
        scope.spawn(|_| right());
        left();
    });
}

/// Runs both.
#[cfg(not(feature = "parallel"))]
pub(crate) fn join(left: impl FnOnce(), right: impl FnOnce()) {
    left();
    right();
}

/// Runs `f` with this many threads for the blocks in it (0: as many as there are cores). The environment's
/// `RAYON_NUM_THREADS` sets the number for everything else.
///
/// The results have the same bits for every number; a program that shares its machine may want fewer.
///
/// ```
/// use gradus_tensor::{Tensor, with_threads};
/// let x = Tensor::<f64>::linspace(-1.0, 1.0, 100_000)?;
/// let (one, two) = (with_threads(1, || x.sum()), with_threads(2, || x.sum()));
/// assert_eq!(one.to_bits(), two.to_bits());
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn with_threads<R: Send>(count: usize, f: impl FnOnce() -> R + Send) -> R {
    #[cfg(feature = "parallel")]
    if let Ok(pool) = rayon_core::ThreadPoolBuilder::new().num_threads(count).build() {
        return pool.install(f);
    }
    let _ = count;
    f()
}
