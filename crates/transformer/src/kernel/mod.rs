//! Attention by tiles: scores of 96 queries and 256 keys at a time, which stay in the caches; the n×n matrix of all scores never exists.
//!
//! Each head of each sample is a computation of its own, in one thread. A query's numbers depend on the keys it may attend to, and on nothing
//! else: tiles begin at multiples of 256 and 32 keys, sums are added in order, and what is masked adds nothing. So neither the other queries, nor the
//! number of threads, nor keys behind the last one that is attended to change a bit.

mod backward;
mod forward;
mod layout;
mod masks;
mod panels;
mod tile;

pub(crate) use backward::back;
pub(crate) use forward::{Kept, forward, over_memory};
pub(crate) use layout::{Heads, Piece, interleave};
pub(crate) use masks::{Rules, Table};
pub(crate) use panels::{Memory, Panels};

/// The queries whose scores are computed at once: a multiple of the inner kernels' rows.
const BLOCK: usize = 96;

/// The keys of a tile.
const TILE: usize = 256;

/// The columns of a panel: a tile's of the inner kernel with 256-bit registers.
const WIDE: usize = 16;

/// Running sums, and what the columns of a tile are rounded up to.
const LANES: usize = 32;

/// Takes the first elements off a slice.
fn part<'a, T>(rest: &mut &'a mut [T], size: usize) -> &'a mut [T] {
    let (part, others) = std::mem::take(rest).split_at_mut(size);
    *rest = others;
    part
}
