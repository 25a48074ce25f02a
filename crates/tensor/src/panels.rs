//! Copies the operands of a product into the panels that its kernel reads straight on.

use crate::buffer::Buffer;
use crate::math::vectorize;
use crate::micro::GROUP;
use crate::view::View;
use crate::{Error, Result, Scalar};
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

/// How a panel of the left side lies in memory: the distances from row to row, and from term to term. Its elements stay in the order that
/// they have.
pub(crate) fn left_steps<T>(from: View<'_, T>, terms: usize, width: usize) -> [usize; 2] {
    if from.strides().0 == 1 { [1, width] } else { [terms.next_multiple_of(GROUP), 1] }
}

/// Copies some rows of the left side into panels of `width` rows. Where rows or terms end, the rest of a panel is left as it is; the
/// kernel does not read it.
pub(crate) fn pack_left<T: Scalar>(
    from: View<'_, T>,
    rows: Range<usize>,
    terms: Range<usize>,
    width: usize,
    out: &mut [T],
) {
    let (row, term) = from.strides();
    let length = terms.len().next_multiple_of(GROUP);
    let firsts = rows.clone().step_by(width).zip(out.chunks_exact_mut(width * length));
    vectorize(
        #[inline(always)]
        || {
            for (first, out) in firsts {
                let count = width.min(rows.end - first);
                let data = &from.data()[first * row + terms.start * term..];
                if row == 1 {
                    for (k, out) in out.chunks_exact_mut(width).take(terms.len()).enumerate() {
                        // A tile's height is known when this is compiled; it may reach beyond the last row.
                        let line = &data[k * term..];
                        match (line.first_chunk::<6>(), line.first_chunk::<12>()) {
                            (Some(line), _) if width == 6 => out.copy_from_slice(line),
                            (_, Some(line)) if width == 12 => out.copy_from_slice(line),
                            _ => out[..count].copy_from_slice(&line[..count]),
                        }
                    }
                } else {
                    for (r, out) in out.chunks_exact_mut(length).take(count).enumerate() {
                        let (out, data) = (&mut out[..terms.len()], &data[r * row..]);
                        if term == 1 {
                            out.copy_from_slice(&data[..terms.len()]);
                        } else {
                            out.iter_mut().enumerate().for_each(|(k, out)| *out = data[k * term]);
                        }
                    }
                }
            }
        },
    );
}

/// Copies some columns of the right side, which is given as its transpose, into panels of `width` columns: term by term, the panel's
/// elements side by side; where columns end, anything: the kernel does not keep what becomes of it.
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

/// How many terms of a column are copied at once.
const TURN: usize = 16;

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
                        let line = &from.data()[(terms.start + k) * term + first..];
                        let (whole, rest) = line[..count].as_chunks::<W>();
                        let mut to = to[k..].iter_mut().step_by(panel / W);
                        for (line, to) in whole.iter().zip(to.by_ref()) {
                            *to = *line;
                        }
                        if let Some(to) = to.next().filter(|_| !rest.is_empty()) {
                            // Whatever stands beyond the last column will do, and is quicker than as many as there are.
                            match line[count - rest.len()..].first_chunk::<W>() {
                                Some(line) => *to = *line,
                                None => to[..rest.len()].copy_from_slice(rest),
                            }
                        }
                    }
                }
                return;
            }
            for (first, out) in columns.clone().step_by(W).zip(out.chunks_exact_mut(panel)) {
                let count = W.min(columns.end - first);
                let data = &from.data()[first * column + terms.start * term..];
                // A cache line's terms of four columns at a time: columns may lie so that they meet in the cache.
                for (block, out) in out.chunks_mut(W * TURN).enumerate() {
                    let start = (block * TURN).min(terms.len());
                    let length = TURN.min(terms.len() - start);
                    let squares = if term == 1 { [count / 4 * 4, length / 4 * 4] } else { [0, 0] };
                    for c in (0..squares[0]).step_by(4) {
                        for k in (0..squares[1]).step_by(4) {
                            turn_square::<T, W>(
                                &data[c * column + start + k..],
                                column,
                                &mut out[k * W + c..],
                            );
                        }
                    }
                    for c in 0..count {
                        let first = if c < squares[0] { squares[1] } else { 0 };
                        for k in first..length {
                            out[k * W + c] = data[c * column + (start + k) * term];
                        }
                    }
                }
            }
        },
    );
}

/// Asks for some elements to be fetched into the caches, a line after the other, while other work goes on. They need not all be there: a
/// place behind the end is asked for too, and nothing comes of it.
///
/// It is worth it where short stretches are read that lie far apart, whose next the machine does not foresee.
#[inline(always)]
pub fn fetch<T>(data: &[T], range: Range<usize>) {
    let line = (LINE / size_of::<T>().max(1)).max(1);
    let mut at = range.start;
    while at < range.end {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: every x86-64 has the instruction, and it reads nothing.
        unsafe {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            _mm_prefetch::<_MM_HINT_T0>(data.as_ptr().wrapping_add(at).cast());
        }
        at += line;
    }
    let _ = data;
}

/// Writes the transpose of a matrix, whose columns lie side by side, into rows of a larger one, `distance` apart.
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{View, transpose_into}};
/// let (x, mut out) = ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0.0; 8]);
/// transpose_into(&mut out, 3, View::new(&x, 2, 3, Transpose::No)?)?;
/// assert_eq!(out, [1.0, 4.0, 0.0, 2.0, 5.0, 0.0, 3.0, 6.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If there is no room, rows would overlap, or the columns do not lie side by side.
#[inline]
pub fn transpose_into<T: Scalar>(out: &mut [T], distance: usize, from: View<'_, T>) -> Result<()> {
    let (op, rows, columns, (row, column)) = ("transpose_into", from.rows(), from.cols(), from.strides());
    if rows == 0 || columns == 0 {
        return Ok(());
    }
    if column != 1 && columns > 1 {
        return Err(Error::argument(op, "from", format!("columns {column} apart"), "columns side by side"));
    }
    if columns > 1 && distance < rows {
        return Err(Error::argument(op, "distance", distance, format!("at least the {rows} rows")));
    }
    let needed = (columns - 1).checked_mul(distance).and_then(|length| length.checked_add(rows));
    if needed.is_none_or(|needed| needed > out.len()) {
        let allowed = format!("at least {columns} rows of {rows}, {distance} apart");
        return Err(Error::argument(op, "out", format!("{} elements", out.len()), allowed));
    }
    vectorize(
        #[inline(always)]
        || {
            let whole = [rows / 4 * 4, columns / 4 * 4];
            // Along the side whose elements are further apart in memory, so that each line is filled, or emptied, at once.
            if row >= distance {
                for r in (0..whole[0]).step_by(4) {
                    for c in (0..whole[1]).step_by(4) {
                        turn(from, [r, c], out, distance);
                    }
                }
            } else {
                for c in (0..whole[1]).step_by(4) {
                    for r in (0..whole[0]).step_by(4) {
                        turn(from, [r, c], out, distance);
                    }
                }
            }
            for r in 0..rows {
                let first = if r < whole[0] { whole[1] } else { 0 };
                for c in first..columns {
                    out[c * distance + r] = from.data()[r * row + c];
                }
            }
        },
    );
    Ok(())
}

/// Four rows' four elements, turned.
#[inline(always)]
fn turn<T: Scalar>(from: View<'_, T>, [r, c]: [usize; 2], out: &mut [T], distance: usize) {
    let (data, row) = (from.data(), from.strides().0);
    let mut square = [[T::ZERO; 4]; 4];
    for i in 0..4 {
        square[i].copy_from_slice(&data[(r + i) * row + c..][..4]);
    }
    let turned = T::turned(square);
    for k in 0..4 {
        out[(c + k) * distance + r..][..4].copy_from_slice(&turned[k]);
    }
}

/// Copies four columns' four terms, which lie in one piece, to four terms of a panel.
#[inline(always)]
fn turn_square<T: Scalar, const W: usize>(data: &[T], column: usize, out: &mut [T]) {
    let mut square = [[T::ZERO; 4]; 4];
    for (c, square) in square.iter_mut().enumerate() {
        square.copy_from_slice(&data[c * column..][..4]);
    }
    for (k, turned) in T::turned(square).iter().enumerate() {
        out[k * W..][..4].copy_from_slice(turned);
    }
}

/// A square's transpose.
pub(crate) fn turned<T: Scalar>(square: [[T; 4]; 4]) -> [[T; 4]; 4] {
    std::array::from_fn(|k| std::array::from_fn(|c| square[c][k]))
}

/// The same by the shuffles that every x86-64 has; the compiler does not find them.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn turned_f32(square: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
    use std::arch::x86_64::{__m128, _mm_movehl_ps, _mm_movelh_ps, _mm_unpackhi_ps, _mm_unpacklo_ps};
    // SAFETY: every x86-64 has these instructions; and both types are four times four singles, any of which is a value.
    unsafe {
        let [a, b, c, d] = std::mem::transmute::<[[f32; 4]; 4], [__m128; 4]>(square);
        let (low, high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
        let (low2, high2) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
        let first = [_mm_movelh_ps(low, low2), _mm_movehl_ps(low2, low)];
        let last = [_mm_movelh_ps(high, high2), _mm_movehl_ps(high2, high)];
        std::mem::transmute::<[[__m128; 2]; 2], [[f32; 4]; 4]>([first, last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Scalar>(rows: usize, columns: usize, [row, distance]: [usize; 2]) -> Result<()> {
        let x: Vec<T> = (0..rows * row).map(|i| T::of(i as f64)).collect();
        let mut out = vec![-T::ONE; columns * distance];
        transpose_into(&mut out, distance, View::strided(&x, rows, columns, (row, 1))?)?;
        for (place, &found) in out.iter().enumerate() {
            let (c, r) = (place / distance, place % distance);
            assert!(found == if r < rows { x[r * row + c] } else { -T::ONE }, "{rows}×{columns}, {place}");
        }
        Ok(())
    }

    #[test]
    fn a_transpose_has_every_element_in_its_place_and_touches_no_other() -> Result<()> {
        for rows in 1..=9 {
            for columns in [1, 3, 4, 7, 8, 17] {
                // Longer rows on either side: both orders.
                check::<f32>(rows, columns, [columns + 30, rows])?;
                check::<f64>(rows, columns, [columns, rows + 40])?;
            }
        }
        Ok(())
    }

    #[test]
    fn what_does_not_fit_is_refused() -> Result<()> {
        let (x, mut out) = ([1.0f32; 12], [0.0; 12]);
        let view = View::strided(&x, 3, 4, (4, 1))?;
        assert!(transpose_into(&mut out, 2, view).is_err());
        assert!(transpose_into(&mut out[..11], 3, view).is_err());
        assert!(transpose_into(&mut out, usize::MAX, view).is_err());
        assert!(transpose_into(&mut out, 3, View::strided(&x, 3, 4, (1, 3))?).is_err());
        transpose_into(&mut out, 3, view)
    }
}
