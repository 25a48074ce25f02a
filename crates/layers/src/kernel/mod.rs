//! The loops that the normalisations are made of. How they are cut follows from sizes alone, so the bits are the same for any
//! number of threads.

mod channels;
mod groups;
mod rows;

pub(crate) use channels::{Channels, column_sums, per_channel, stretch_sums, sums_of_samples};
pub(crate) use groups::{After, Groups, Nothing, Operands, ThenSilu};
pub use rows::Moments;
pub(crate) use rows::Rows;

/// The stretches of a row that have `size` elements each.
#[inline(always)]
pub(crate) fn stretch<T>(x: &[T], size: usize, i: usize) -> &[T] {
    &x[i * size..(i + 1) * size]
}
