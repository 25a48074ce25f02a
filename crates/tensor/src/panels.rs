//! Copies the operands of a product into the panels that its kernel reads straight on.

use crate::Scalar;
use crate::buffer::Buffer;
use crate::math::vectorize;
use crate::micro::GROUP;
use crate::product::View;
use std::ops::Range;

/// Memory for panels, which begin at a cache line.
pub(crate) struct Panels<T: Scalar> {
    buffer: Buffer<T>,
    range: Range<usize>,
}

impl<T: Scalar> Panels<T> {
    pub(crate) fn new(len: usize) -> Self {
        let line = LINE / size_of::<T>();
        let buffer = Buffer::<T>::stale(len + line);
        let skip = buffer.as_slice().as_ptr().align_offset(LINE).min(line);
        Self { buffer, range: skip..skip + len }
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.buffer.as_mut_slice()[self.range.clone()]
    }
}

/// The bytes of a cache line.
pub(crate) const LINE: usize = 64;

/// Copies some rows of the left side into panels of `width` rows: by groups of terms, and in a group row by row. Where rows or
/// terms end, the rest of a panel is left as it is; the kernel does not read it.
pub(crate) fn pack_left<T: Scalar>(
    from: View<'_, T>,
    rows: Range<usize>,
    terms: Range<usize>,
    width: usize,
    out: &mut [T],
) {
    let (row, term) = from.strides();
    let panel = width * terms.len().next_multiple_of(GROUP);
    vectorize(
        #[inline(always)]
        || {
            for (first, out) in rows.clone().step_by(width).zip(out.chunks_exact_mut(panel)) {
                let count = width.min(rows.end - first);
                let data = &from.data()[first * row + terms.start * term..];
                if term == 1 {
                    for r in 0..count {
                        let (groups, rest) = data[r * row..][..terms.len()].as_chunks::<GROUP>();
                        let (to, _) = out[r * GROUP..].as_chunks_mut::<GROUP>();
                        let mut to = to.iter_mut().step_by(width);
                        for (group, to) in groups.iter().zip(to.by_ref()) {
                            *to = *group;
                        }
                        if let Some(to) = to.next() {
                            to[..rest.len()].copy_from_slice(rest);
                        }
                    }
                } else {
                    for (g, out) in out.chunks_exact_mut(width * GROUP).enumerate() {
                        for k in 0..GROUP.min(terms.len() - g * GROUP) {
                            for (r, out) in out[k..].iter_mut().step_by(GROUP).take(count).enumerate() {
                                *out = data[(g * GROUP + k) * term + r * row];
                            }
                        }
                    }
                }
            }
        },
    );
}

/// Copies some columns of the right side, which is given as its transpose, into panels of `width` columns: term by term, the panel's
/// elements side by side; zeros where columns end.
pub(crate) fn pack_right<T: Scalar>(
    from: View<'_, T>,
    columns: Range<usize>,
    terms: Range<usize>,
    width: usize,
    out: &mut [T],
) {
    match width {
        8 => columns_of::<T, 8>(from, columns, terms, out),
        16 => columns_of::<T, 16>(from, columns, terms, out),
        _ => columns_of::<T, 32>(from, columns, terms, out),
    }
}

/// How many panels are filled at once.
const PANELS: usize = 4;

fn columns_of<T: Scalar, const W: usize>(
    from: View<'_, T>,
    columns: Range<usize>,
    terms: Range<usize>,
    out: &mut [T],
) {
    let (column, term) = from.strides();
    let panel = W * terms.len().next_multiple_of(GROUP);
    vectorize(
        #[inline(always)]
        || {
            if column == 1 {
                // Some panels at once, so that each term's elements are read in one piece.
                for (first, out) in columns.clone().step_by(PANELS * W).zip(out.chunks_mut(PANELS * panel)) {
                    let count = (PANELS * W).min(columns.end - first);
                    let (to, _) = out.as_chunks_mut::<W>();
                    for k in 0..terms.len() {
                        let line = &from.data()[(terms.start + k) * term + first..][..count];
                        let (whole, rest) = line.as_chunks::<W>();
                        let mut to = to[k..].iter_mut().step_by(panel / W);
                        for (line, to) in whole.iter().zip(to.by_ref()) {
                            *to = *line;
                        }
                        if let Some(to) = to.next().filter(|_| !rest.is_empty()) {
                            to[..rest.len()].copy_from_slice(rest);
                            to[rest.len()..].fill(T::ZERO);
                        }
                    }
                }
                return;
            }
            for (first, out) in columns.clone().step_by(W).zip(out.chunks_exact_mut(panel)) {
                let count = W.min(columns.end - first);
                let data = &from.data()[first * column + terms.start * term..];
                if count < W {
                    out.fill(T::ZERO);
                }
                // All columns at once, so that the panel is written from front to back.
                let lines: [&[T]; W] =
                    std::array::from_fn(|c| if c < count { &data[c * column..] } else { &[] });
                for (k, out) in out.chunks_exact_mut(W).take(terms.len()).enumerate() {
                    for (out, line) in out.iter_mut().zip(lines).take(count) {
                        *out = line[k * term];
                    }
                }
            }
        },
    );
}
