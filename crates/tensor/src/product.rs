//! Products of matrices: how they are cut, and which kernel takes a piece: the packed one, or one that copies nothing for few rows.

use crate::buffer::Buffer;
use crate::few::{self, Target};
use crate::math::Level;
use crate::packed::{Finish, Lines, packed, unpacked};
use crate::parallel::for_each_block;
use crate::view::{Rows, View};
use crate::{Error, Result, Scalar, Shape, Tensor, Transpose};

/// What becomes of the rows of a product: `f(row, first column, elements)`, called once for every stretch of every row.
pub type Epilogue<'a, T> = &'a (dyn Fn(usize, usize, &mut [T]) + Sync);

/// `out = left · right`, row by row, on all cores; then `epilogue`, while the elements are in the cache.
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{View, product}};
/// let (x, w) = ([1.0, 2.0], [3.0, 0.0, 0.0, 4.0]);
/// let mut y = [0.0; 2];
/// let bias = [0.5, -9.0];
/// product(&mut y, View::new(&x, 1, 2, Transpose::No)?, View::new(&w, 2, 2, Transpose::No)?, Some(&|_, column, y| {
///     y.iter_mut().zip(&bias[column..]).for_each(|(y, b)| *y = f64::max(*y + b, 0.0));
/// }))?;
/// assert_eq!(y, [3.5, 0.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the sizes do not fit.
pub fn product<T: Scalar>(
    out: &mut [T],
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
) -> Result<()> {
    if left.cols() != right.rows() {
        let sizes = format!("{}×{} · {}×{}", left.rows(), left.cols(), right.rows(), right.cols());
        return Err(Error::argument("product", "sizes", sizes, "equal inner sizes"));
    }
    if Some(out.len()) != left.rows().checked_mul(right.cols()) {
        let allowed = format!("{}·{} elements", left.rows(), right.cols());
        return Err(Error::argument("product", "out", format!("{} elements", out.len()), allowed));
    }
    multiply(out, Place { distance: right.cols(), add: false }, left, right, epilogue);
    Ok(())
}

/// Writes `left · right` into rows of a larger matrix, `distance` apart, or adds it to what is there; then `epilogue`, as in [`product`].
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{View, product_into}};
/// let (x, w) = ([1.0, 2.0], [3.0, 4.0]);
/// let mut y = [0.5; 5]; // two rows of three elements, of which a block of two columns is wanted
/// let (x, w) = (View::new(&x, 2, 1, Transpose::No)?, View::new(&w, 1, 2, Transpose::No)?);
/// product_into(&mut y, 3, true, x, w, None)?;
/// assert_eq!(y, [3.5, 4.5, 0.5, 6.5, 8.5]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the sizes do not fit, or rows would overlap.
pub fn product_into<T: Scalar>(
    out: &mut [T],
    distance: usize,
    add: bool,
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
) -> Result<()> {
    fits("product_into", out, distance, [left.rows(), left.cols()], [right.rows(), right.cols()])?;
    // Of one row the distance is nobody's.
    multiply(out, Place { distance: distance.max(right.cols()), add }, left, right, epilogue);
    Ok(())
}

/// As [`product_into`], in this thread and with nothing copied: for operands that lie as the kernel reads them, as the blocks of a larger
/// computation that has laid them so. `right` has its columns side by side, a multiple of 16 of them; the best is 32 in one piece.
///
/// Each sum has its terms in order, fused, cut into the blocks that [`product`] cuts them into.
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{View, product_in_place}};
/// let (x, w) = ([2.0, 3.0], [[1.0; 16], [10.0; 16]].concat());
/// let mut y = [0.0; 16];
/// product_in_place(&mut y, 16, false, View::new(&x, 1, 2, Transpose::No)?, View::new(&w, 2, 16, Transpose::No)?)?;
/// assert_eq!(y, [32.0; 16]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If the sizes do not fit, rows would overlap, or `right` does not lie so.
pub fn product_in_place<T: Scalar>(
    out: &mut [T],
    distance: usize,
    add: bool,
    left: View<'_, T>,
    right: View<'_, T>,
) -> Result<()> {
    let op = "product_in_place";
    fits(op, out, distance, [left.rows(), left.cols()], [right.rows(), right.cols()])?;
    side_by_side(op, right)?;
    let ((a_row, a_term), sizes) = (left.strides(), [left.rows(), left.cols(), right.cols()]);
    let right = (right.data(), Lines::Apart(right.strides().0));
    in_place(out, (distance, add), sizes, (left.data(), Lines::Apart(a_row), a_term), right);
    Ok(())
}

/// [`product_in_place`] of a left side whose rows begin anywhere: the windows over an image, as they lie there.
///
/// # Errors
/// As [`product_in_place`].
pub fn product_of_rows<T: Scalar>(
    out: &mut [T],
    distance: usize,
    add: bool,
    left: Rows<'_, T>,
    right: View<'_, T>,
) -> Result<()> {
    let op = "product_of_rows";
    fits(op, out, distance, [left.starts.len(), left.columns], [right.rows(), right.cols()])?;
    side_by_side(op, right)?;
    let sizes = [left.starts.len(), left.columns, right.cols()];
    let right = (right.data(), Lines::Apart(right.strides().0));
    in_place(out, (distance, add), sizes, (left.data, Lines::At(left.starts), 1), right);
    Ok(())
}

/// [`product_in_place`] with a right side whose rows begin anywhere.
///
/// ```
/// use gradus_tensor::{Transpose, kernel::{Rows, View, product_by_rows}};
/// // A filter of two taps over a signal of 17 numbers: its windows are the rows that begin at 0 and at 1.
/// let signal: Vec<f32> = (0..17).map(|i| (i * i) as f32).collect();
/// let (filter, mut y) = ([-1.0, 1.0], [0.0; 16]);
/// let taps = Rows::new(&signal, &[0, 1], 16)?;
/// product_by_rows(&mut y, 16, false, View::new(&filter, 1, 2, Transpose::No)?, taps)?;
/// assert_eq!(y[..4], [1.0, 3.0, 5.0, 7.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// As [`product_in_place`].
pub fn product_by_rows<T: Scalar>(
    out: &mut [T],
    distance: usize,
    add: bool,
    left: View<'_, T>,
    right: Rows<'_, T>,
) -> Result<()> {
    let op = "product_by_rows";
    fits(op, out, distance, [left.rows(), left.cols()], [right.starts.len(), right.columns])?;
    if !right.columns.is_multiple_of(16) {
        return Err(Error::argument(op, "right", format!("{} columns", right.columns), "a multiple of 16"));
    }
    let ((a_row, a_term), sizes) = (left.strides(), [left.rows(), left.cols(), right.columns]);
    let right = (right.data, Lines::At(right.starts));
    in_place(out, (distance, add), sizes, (left.data(), Lines::Apart(a_row), a_term), right);
    Ok(())
}

/// A product of operands that have been seen to fit.
fn in_place<T: Scalar>(
    out: &mut [T],
    (distance, add): (usize, bool),
    sizes: [usize; 3],
    left: (&[T], Lines<'_>, usize),
    right: (&[T], Lines<'_>),
) {
    if sizes[0] > 0 && sizes[2] > 0 {
        unpacked(T::kernel(Level::best()), out, (distance.max(sizes[2]), add), sizes, left, right);
    }
}

/// The right side of a product that is read where it is.
fn side_by_side<T>(op: &'static str, right: View<'_, T>) -> Result<()> {
    if right.strides().1 != 1 || !right.cols().is_multiple_of(16) {
        let value = format!("{} columns, {} elements apart", right.cols(), right.strides().1);
        return Err(Error::argument(op, "right", value, "a multiple of 16 columns, side by side"));
    }
    Ok(())
}

/// The sizes of a product fit, and so does the place of the result: rows of a larger matrix, `distance` apart.
fn fits<T>(
    op: &'static str,
    out: &[T],
    distance: usize,
    [m, k]: [usize; 2],
    [rows, n]: [usize; 2],
) -> Result<()> {
    if k != rows {
        let sizes = format!("{m}×{k} · {rows}×{n}");
        return Err(Error::argument(op, "sizes", sizes, "equal inner sizes"));
    }
    if m > 1 && distance < n {
        return Err(Error::argument(op, "distance", distance, format!("at least the {n} columns")));
    }
    let needed = m.saturating_sub(1).checked_mul(distance).and_then(|rows| rows.checked_add(n));
    if m > 0 && needed.is_none_or(|needed| needed > out.len()) {
        let allowed = format!("at least {m} rows of {n}, {distance} apart");
        return Err(Error::argument(op, "out", format!("{} elements", out.len()), allowed));
    }
    Ok(())
}

/// The multiplications that are worth handing to another core: 2 million, about 20 µs.
const WORTH: usize = 1 << 21;

/// The most terms of one sum before it is cut: the partial sums are added in order.
const TERMS: usize = 1 << 13;

/// Where a product goes.
#[derive(Clone, Copy)]
struct Place {
    /// From row to row.
    distance: usize,
    /// Whether it is added to what is there.
    add: bool,
}

/// `out = left · right` for sizes that fit, and for a matrix that has its rows, so far apart.
fn multiply<T: Scalar>(
    out: &mut [T],
    place: Place,
    left: View<'_, T>,
    right: View<'_, T>,
    epilogue: Option<Epilogue<'_, T>>,
) {
    let (m, k, n) = (left.rows(), left.cols(), right.cols());
    if m == 0 || n == 0 {
        return;
    }
    // A view may repeat elements by a distance of 0, and then be longer than memory.
    let work = (m * n).saturating_mul(k);
    // Which kernel takes it depends on the sizes alone, so that the bits do not depend on the number of threads.
    let parallel = work >= 2 * WORTH;
    let in_one_piece = place.distance == n && !place.add;
    if k == 0 && !place.add {
        out.chunks_mut(place.distance).take(m).for_each(|row| row[..n].fill(T::ZERO)); // sums of no terms
    } else if k > TERMS && m * n * 16 <= k && parallel && in_one_piece {
        long_sums(out, left, right);
    } else if k > 0
        && (n > 1 || place.distance == 1 || m == 1)
        && let Some([left, right]) = few::operands(left, right)
    {
        few_rows(out, place, left, right, work);
    } else if k > 0 {
        let Place { distance, add } = place;
        return packed(
            T::kernel(Level::best()),
            out,
            left,
            right,
            Finish { distance, add, epilogue, parallel },
        );
    }
    if let Some(f) = epilogue {
        out.chunks_mut(place.distance).take(m).enumerate().for_each(|(i, row)| f(i, 0, &mut row[..n]));
    }
}

/// A product of few rows, by strips of columns if it is worth it.
fn few_rows<T: Scalar>(out: &mut [T], place: Place, left: View<'_, T>, right: View<'_, T>, work: usize) {
    let n = right.cols();
    let count = if work < 2 * WORTH { 1 } else { (work / (64 * WORTH)).clamp(2, 16) };
    let size = n.div_ceil(count).next_multiple_of(32);
    let all = Shared::new(out);
    for_each_block(&mut vec![(); n.div_ceil(size)], 1, |i, _| {
        let columns = i * size..n.min((i + 1) * size);
        // SAFETY: strips do not overlap, and lie within `out`, which is borrowed for as long as the jobs run.
        let mut target = unsafe { Target::at(all.at(columns.start), place.distance) };
        target.add = place.add;
        // SAFETY: the target is of these columns.
        unsafe { few::multiply(&mut target, left, right.columns(columns)) };
    });
}

/// A product of few elements with very many terms each, as XᵀX: blocks of terms apart, their sums added by halves.
fn long_sums<T: Scalar>(out: &mut [T], left: View<'_, T>, right: View<'_, T>) {
    let k = left.cols();
    // At most 64 partial sums; each walks through its terms by blocks that the caches hold.
    let part = k.div_ceil(64).next_multiple_of(TERMS / 4);
    let count = k.div_ceil(part);
    let len = out.len();
    let mut sums = Buffer::stale(count * len);
    for_each_block(sums.as_mut_slice(), len, |i, sum| {
        let end = k.min((i + 1) * part);
        for start in (i * part..end).step_by(TERMS / 4) {
            let terms = start..end.min(start + TERMS / 4);
            let (left, right) = (left.columns(terms.clone()), right.some_rows(terms));
            let add = start > i * part;
            if let Some([left, right]) = few::operands(left, right) {
                let mut target = Target::new(sum, right.cols());
                target.add = add;
                // SAFETY: all of `sum` is this job's.
                unsafe { few::multiply(&mut target, left, right) };
            } else {
                let finish = Finish { distance: right.cols(), add, epilogue: None, parallel: false };
                packed(T::kernel(Level::best()), sum, left, right, finish);
            }
        }
    });
    crate::reduce::sum_rows(sums.as_slice(), out);
}

/// An output that several jobs write to, each its own part.
pub(crate) struct Shared<T>(*mut T);

impl<T> Shared<T> {
    pub(crate) fn new(out: &mut [T]) -> Self {
        Self(out.as_mut_ptr())
    }

    pub(crate) fn at(&self, offset: usize) -> *mut T {
        self.0.wrapping_add(offset)
    }
}

// SAFETY: the pointer is to a slice of a type that may be sent, and each job writes its own part of it.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T: Scalar> Tensor<T> {
    /// The product of matrices: `[M, K] · [K, N] → [M, N]`; leading dimensions are a batch and are stretched.
    ///
    /// # Errors
    /// If an operand has fewer than two dimensions, the inner sizes differ, or the batches do not fit.
    pub fn matmul(&self, other: &Self) -> Result<Self> {
        self.product(Transpose::No, other, Transpose::No)
    }

    /// The product with either operand read as its transpose (of its last two dimensions); nothing is copied
    /// for that.
    ///
    /// ```
    /// use gradus_tensor::{Tensor, Transpose};
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    /// let gram = x.product(Transpose::Yes, &x, Transpose::No)?;
    /// assert_eq!(gram, Tensor::from([[35.0, 44.0], [44.0, 56.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`matmul`](Self::matmul).
    pub fn product(&self, left: Transpose, other: &Self, right: Transpose) -> Result<Self> {
        let op = "matmul";
        let (&[ref batch_a @ .., a_rows, a_cols], &[ref batch_b @ .., b_rows, b_cols]) =
            (self.dims(), other.dims())
        else {
            let thin = if self.rank() < 2 { self.shape() } else { other.shape() };
            return Err(Error::shape(op, "at least two dimensions", thin));
        };
        let (m, k) = if left == Transpose::No { (a_rows, a_cols) } else { (a_cols, a_rows) };
        let (k2, n) = if right == Transpose::No { (b_rows, b_cols) } else { (b_cols, b_rows) };
        if k != k2 {
            let why = "the inner sizes must agree";
            return Err(Error::mismatch(op, self.shape(), other.shape(), why));
        }
        let (batch_a, batch_b) = (Shape::new(batch_a)?, Shape::new(batch_b)?);
        let batch = batch_a.broadcast(op, &batch_b).map_err(|_| {
            let why = "the leading (batch) sizes must be equal or 1";
            Error::mismatch(op, self.shape(), other.shape(), why)
        })?;
        let shape = batch.edit(|dims| dims.extend(&[m, n]))?;
        let view = |data, rows, cols, transpose| View::new(data, rows, cols, transpose);
        let place = Place { distance: n, add: false };
        // A batch whose right side is shared is one tall product.
        if left == Transpose::No && batch_b.elements() == 1 {
            let a = view(self.as_slice(), batch.elements() * m, k, left)?;
            let b = view(other.as_slice(), b_rows, b_cols, right)?;
            return Ok(Self::written(shape, |out| multiply(out, place, a, b, None)));
        }
        let strides = [&batch_a.strides_within(&batch), &batch_b.strides_within(&batch)];
        let (a_len, b_len) = (a_rows * a_cols, b_rows * b_cols);
        // Small products go to the cores in groups, large ones are cut themselves.
        let group = (WORTH / (m * n * k).max(1)).max(1);
        let mut out = Self::written(shape, |_| ());
        for_each_block(out.as_mut_slice(), group * m * n, |g, out| {
            let count = out.len() / (m * n).max(1);
            let mut outs = out.chunks_exact_mut((m * n).max(1));
            let start = g * group;
            crate::layout::walk_items(&batch, strides, start..start + count, |[i, j]| {
                let a = view(&self.as_slice()[i * a_len..(i + 1) * a_len], a_rows, a_cols, left);
                let b = view(&other.as_slice()[j * b_len..(j + 1) * b_len], b_rows, b_cols, right);
                if let (Some(out), Ok(a), Ok(b)) = (outs.next(), a, b) {
                    multiply(out, place, a, b, None);
                }
            });
        });
        Ok(out)
    }

    /// x·W + b in one pass: `[…, K] · [K, N] + [N]`.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0]]);
    /// let y = x.affine(&Tensor::from([[1.0, 0.0], [0.0, 10.0]]), &Tensor::from([0.5, 0.5]))?;
    /// assert_eq!(y, Tensor::from([[1.5, 20.5]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the sizes do not fit.
    pub fn affine(&self, w: &Self, b: &Self) -> Result<Self> {
        let op = "affine";
        let (&[ref batch @ .., k], &[k2, n]) = (self.dims(), w.dims()) else {
            let thin = if self.rank() == 0 { self.shape() } else { w.shape() };
            return Err(Error::shape(op, "x of at least one dimension, W of two", thin));
        };
        if k != k2 {
            return Err(Error::mismatch(op, self.shape(), w.shape(), "the inner sizes must agree"));
        }
        if b.dims() != [n] {
            return Err(Error::mismatch(op, w.shape(), b.shape(), "one bias for each column of W"));
        }
        let mut shape = self.shape();
        shape.set_last(n)?;
        let left = View::new(self.as_slice(), batch.iter().product(), k, Transpose::No)?;
        let right = View::new(w.as_slice(), k, n, Transpose::No)?;
        let bias = b.as_slice();
        Ok(Self::written(shape, |out| {
            multiply(
                out,
                Place { distance: n, add: false },
                left,
                right,
                Some(&|_, column, y: &mut [T]| y.iter_mut().zip(&bias[column..]).for_each(|(y, &b)| *y += b)),
            );
        }))
    }

    /// The sum of the products of corresponding elements, ⟨x, y⟩.
    ///
    /// # Errors
    /// If the shapes differ.
    pub fn dot(&self, other: &Self) -> Result<T> {
        if self.shape() != other.shape() {
            let why = "a dot product needs equal shapes";
            return Err(Error::mismatch("dot", self.shape(), other.shape(), why));
        }
        Ok(crate::reduce::sum_by_two(self.as_slice(), other.as_slice(), |x, y| x * y))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::laid_out;
    use crate::with_threads;

    /// Whole numbers whose products' sums are exact, whatever their order.
    fn whole<T: Scalar>(len: usize, step: usize) -> Vec<T> {
        (0..len).map(|i| T::of((i * step % 13) as f64 - 6.0)).collect()
    }

    fn check<T: Scalar>([m, k, n]: [usize; 3], ways: [usize; 2]) -> Result<()> {
        let (a, b) = (whole::<T>((m + 5) * (2 * k + 5), 5), whole::<T>((k + 5) * (2 * n + 5), 8));
        let (left, right) = (laid_out(&a, m, k, ways[0])?, laid_out(&b, k, n, ways[1])?);
        let at = |x: View<'_, T>, i: usize, j: usize| x.data()[i * x.strides().0 + j * x.strides().1];
        let mut out = vec![T::NAN; m * n];
        multiply(&mut out, Place { distance: n, add: false }, left, right, None);
        for (i, &found) in out.iter().enumerate() {
            let terms = (0..k).map(|t| at(left, i / n, t) * at(right, t, i % n));
            let expected = terms.fold(T::ZERO, |sum, x| sum + x);
            assert!(found == expected, "{m}×{k}·{k}×{n}, {ways:?}, element {i}: {found} and not {expected}");
        }
        // Into a larger matrix of ones, each element marked once in the end: what lies between the rows stays as it is.
        let mark = |row: usize, column: usize| T::of((row % 7 + 10 * (column % 5)) as f64);
        let epilogue = |row: usize, first: usize, y: &mut [T]| {
            y.iter_mut().zip(first..).for_each(|(y, column)| *y += mark(row, column));
        };
        let distance = n + 3;
        let mut into = vec![T::ONE; (m - 1) * distance + n];
        for add in [true, false] {
            product_into(&mut into, distance, add, left, right, Some(&epilogue))?;
            for (i, &found) in into.iter().enumerate() {
                let own = i % distance < n;
                let base = if add || !own { T::ONE } else { T::ZERO };
                let (row, column) = (i / distance, i % distance);
                let expected = if own { base + out[row * n + column] + mark(row, column) } else { base };
                assert!(
                    found == expected,
                    "{m}×{k}·{k}×{n}, {ways:?}, add {add}, place {i}: {found} and not {expected}"
                );
            }
        }
        Ok(())
    }

    #[test]
    fn every_way_through_gives_exact_sums_for_whole_numbers() -> Result<()> {
        let sizes = [1, 2, 3, 4, 5, 8, 9, 17];
        for (i, size) in (0..512).map(|i| [sizes[i % 8], sizes[i / 8 % 8], sizes[i / 64]]).enumerate() {
            for way in [i % 81, (i + 27) % 81, (i + 54) % 81, 0, 1, 9, 10] {
                check::<f32>(size, [way / 9, way % 9]).and(check::<f64>(size, [way / 9, way % 9]))?;
            }
        }
        // Strips on two cores, rows in pieces, and sums in blocks of terms, of one row, and of some.
        for size in
            [[1, 2100, 2003], [2003, 2100, 1], [2, 3, 2050], [1, 8300, 520], [3, 90_001, 17], [9, 30_001, 21]]
        {
            for ways in [[0, 0], [0, 1], [1, 0], [1, 1]] {
                for threads in [1, 3] {
                    with_threads(threads, || check::<f32>(size, ways))?;
                }
            }
        }
        Ok(())
    }

    /// A product in place, at a level, into rows that are further apart than they are long: element by element.
    fn check_in_place<T: Scalar>(level: Level, [m, k, n]: [usize; 3], add: bool) {
        let (a, b) = (whole::<T>(m * k + 7, 5), whole::<T>(k * n + 3 * k + n, 8));
        // Rows anywhere: in no order, overlapping.
        let a_rows: Vec<_> = (0..m).map(|i| (i * 7) % (a.len() - k)).collect();
        let b_rows: Vec<_> = (0..k).map(|t| (t * 5) % (b.len() - n)).collect();
        for way in 0..4 {
            let left = if way % 2 == 0 { Lines::Apart(k) } else { Lines::At(&a_rows) };
            let right = if way / 2 == 0 { Lines::Apart(n) } else { Lines::At(&b_rows) };
            let at = |lines: Lines<'_>, i: usize| match lines {
                Lines::Apart(distance) => i * distance,
                Lines::At(places) => places[i],
            };
            let distance = n + 5;
            let mut out = vec![T::ONE; m * distance];
            unpacked(T::kernel(level), &mut out, (distance, add), [m, k, n], (&a, left, 1), (&b, right));
            for (place, &found) in out.iter().enumerate() {
                let (i, j) = (place / distance, place % distance);
                let terms = (0..k).map(|t| a[at(left, i) + t] * b[at(right, t) + j.min(n - 1)]);
                let sum = terms.fold(if add { T::ONE } else { T::ZERO }, |sum, x| sum + x);
                let expected = if j < n { sum } else { T::ONE };
                assert!(
                    found == expected,
                    "{level:?}, {m}×{k}·{k}×{n}, way {way}, add {add}, {i}, {j}: {found}"
                );
            }
        }
    }

    #[test]
    fn what_is_read_in_place_gives_exact_sums_for_whole_numbers() {
        for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
            for (m, k, n) in [(1, 1, 16), (6, 7, 32), (13, 25, 48), (5, 400, 16), (25, 9, 80), (12, 800, 64)]
            {
                for add in [false, true] {
                    check_in_place::<f32>(level, [m, k, n], add);
                    check_in_place::<f64>(level, [m, k, n], add);
                }
            }
        }
    }

    #[test]
    fn what_does_not_fit_in_place_is_refused() -> Result<()> {
        let (x, mut out) = ([1.0f32; 64], [0.0; 64]);
        let left = View::new(&x, 2, 2, Transpose::No)?;
        let odd = View::new(&x, 2, 8, Transpose::No)?;
        let long = View::new(&x, 3, 16, Transpose::No)?;
        assert!(product_in_place(&mut out, 16, false, left, odd).is_err());
        assert!(product_in_place(&mut out, 16, false, left, long).is_err());
        let right = View::new(&x, 2, 16, Transpose::No)?;
        assert!(product_in_place(&mut out, 15, false, left, right).is_err());
        assert!(product_in_place(&mut out[..31], 16, false, left, right).is_err());
        assert!(product_in_place(&mut out[..32], 16, false, left, right).is_ok());
        assert!(Rows::new(&x, &[0, 49], 16).is_err());
        assert!(Rows::new(&x, &[48], usize::MAX).is_err());
        let rows = Rows::new(&x, &[48, 0], 16)?;
        assert!(product_by_rows(&mut out, 16, false, left, rows).is_ok());
        assert!(product_by_rows(&mut out, 16, false, View::new(&x, 2, 3, Transpose::No)?, rows).is_err());
        assert!(product_by_rows(&mut out, 16, false, left, Rows::new(&x, &[0, 1], 17)?).is_err());
        assert!(product_of_rows(&mut out, 16, false, Rows::new(&x, &[3, 62], 2)?, right).is_ok());
        assert!(product_of_rows(&mut out, 16, false, Rows::new(&x, &[3, 61], 3)?, right).is_err());
        Ok(())
    }
}
