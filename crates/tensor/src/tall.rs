//! What a regression needs of a tall matrix: its Gram matrix, and its triangular factor by reflections of blocks of rows that
//! stay in the first cache. Both on all cores.

#[cfg(target_arch = "x86_64")]
use crate::math::Level;
use crate::math::vectorize;
use crate::parallel::map_blocks;
use crate::{Error, Result, Scalar, Tensor};
use std::ops::Range;

impl<T: Scalar> Tensor<T> {
    /// XᵀX, `[D, D]`, of matrices side by side, without joining them: of `[X, y]` it has XᵀX, Xᵀy and yᵀy.
    ///
    /// Half the work of the product: of Xᵀ and X only one triangle is multiplied. Blocks of rows go to all cores, and their sums are
    /// added by halves.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let (x, y) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[1.0], [0.0]]));
    /// let gram = Tensor::gram_of(&[&x, &y])?;
    /// assert_eq!(gram, Tensor::from([[10.0, 14.0, 1.0], [14.0, 20.0, 2.0], [1.0, 2.0, 1.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If one is no matrix, or their rows differ.
    pub fn gram_of(parts: &[&Self]) -> Result<Self> {
        let (rows, width) = joined("gram", parts)?;
        let load = |range, chunk: &mut [T], stride, (): &mut ()| join_rows(parts, range, stride, chunk);
        let fetch = |next: Range<usize>| {
            for part in parts {
                let d = part.dims()[1];
                prefetch(&part.as_slice()[next.start * d..next.end * d]);
            }
        };
        Ok(sum_tiles(rows, width, load, fetch)?.0)
    }
}

/// Σ zᵢᵀzᵢ, `[width, width]`, over rows zᵢ that `load` writes, chunk by chunk, and what else it gathers on the way: a weighted Gram
/// matrix in the same visit of the data as the weights themselves.
///
/// `load(range, chunk, stride, part)` gets some rows' numbers and room for them, `stride` elements each, of which the first `width`
/// are to be written (all of them: they hold an earlier chunk's); the elements beyond are 0, and whole cache lines. What the parts gathered comes
/// back in the order of the rows. How the rows are cut follows from their number.
///
/// ```
/// use gradus_tensor::{Tensor, kernel::gram_by};
/// let (x, w) = ([[1.0, 2.0], [3.0, 4.0]], [1.0, 4.0f64]);
/// let (gram, total) = gram_by(2, 2, |rows, chunk, stride, total: &mut f64| {
///     for (i, z) in rows.zip(chunk.chunks_exact_mut(stride)) {
///         z[0] = w[i].sqrt() * x[i][0];
///         z[1] = w[i].sqrt() * x[i][1];
///         *total += w[i];
///     }
/// })?;
/// assert_eq!(gram, Tensor::from([[37.0, 50.0], [50.0, 68.0]])); // 1 + 4·9, 2 + 4·12, 4 + 4·16
/// assert_eq!(total, [5.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
///
/// # Errors
/// If width² overflows.
pub fn gram_by<T: Scalar, S: Default + Send>(
    rows: usize,
    width: usize,
    load: impl Fn(Range<usize>, &mut [T], usize, &mut S) + Sync,
) -> Result<(Tensor<T>, Vec<S>)> {
    sum_tiles(rows, width, load, |_| ())
}

/// [`gram_by`], which calls `fetch` with rows that are loaded next, some for each tile, so that they are on their way while this chunk
/// is multiplied.
fn sum_tiles<T: Scalar, S: Default + Send>(
    rows: usize,
    width: usize,
    load: impl Fn(Range<usize>, &mut [T], usize, &mut S) + Sync,
    fetch: impl Fn(Range<usize>) + Sync,
) -> Result<(Tensor<T>, Vec<S>)> {
    let size = crate::Shape::new([width, width])?;
    // An odd number of cache lines: the rows of a column do not fall on each other in the cache.
    let stride = (width.div_ceil(LINE) | 1) * LINE;
    let places = places(width, stride);
    let share = rows.div_ceil(64).max(SHARE / 4).next_multiple_of(CHUNK);
    let parts = map_blocks(rows.div_ceil(share), |i| {
        let end = rows.min((i + 1) * share);
        let mut sums = vec![[[T::ZERO; WIDE]; HIGH]; places.len()];
        // Behind the last column are zeros; what they give is not read.
        let mut memory = vec![T::ZERO; CHUNK * stride + 2 * LINE];
        let aligned = memory.as_ptr().align_offset(64).min(2 * LINE);
        let mut part = S::default();
        for start in (i * share..end).step_by(CHUNK) {
            let range = start..end.min(start + CHUNK);
            let chunk = &mut memory[aligned..][..range.len() * stride];
            load(range.clone(), chunk, stride, &mut part);
            for (place, sum) in places.iter().zip(&mut sums) {
                let next = place.next.start + range.end..rows.min(place.next.end + range.end);
                if !next.is_empty() {
                    fetch(next);
                }
                T::tile(chunk, stride, place.at, sum);
            }
        }
        (sums, part)
    });
    let (sums, parts): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    let total = add_by_halves(sums);
    let gram = Tensor::compute(size, |out| {
        out.fill(T::ZERO); // the sums of no rows
        for (place, sums) in places.iter().zip(total.iter().flatten()) {
            let [i, j] = place.at;
            for (i, sums) in (i..width).zip(sums) {
                for (j, &sum) in (j..width).zip(sums) {
                    (out[i * width + j], out[j * width + i]) = (sum, sum);
                }
            }
        }
    })?;
    Ok((gram, parts))
}

/// The doubles of a cache line.
const LINE: usize = 8;

/// The rows that are multiplied at once: fifty columns of them stay in the first cache.
const CHUNK: usize = 64;

/// The height and width of a tile: twelve registers of 256 bits; two more for the columns, and one for a factor. (A tile of 4 by 12
/// needs all sixteen, and the compiler kept one sum in memory: half the speed.)
const HIGH: usize = 6;
const WIDE: usize = 8;

/// A tile of sums.
type Tile<T> = [[T; WIDE]; HIGH];

/// A tile's first row and column, and which of the next chunk's rows are fetched meanwhile.
struct Place {
    at: [usize; 2],
    next: Range<usize>,
}

/// Tiles that cover the upper triangle, within `stride` columns. The last ones may overlap: a sum has the same bits in either.
fn places(width: usize, stride: usize) -> Vec<Place> {
    let at = (0..width)
        .step_by(HIGH)
        .flat_map(|i| (i..width).step_by(WIDE).map(move |j| [i.min(stride - HIGH), j.min(stride - WIDE)]));
    let count = at.clone().count();
    let share = |k| k * CHUNK / count;
    at.enumerate().map(|(k, at)| Place { at, next: share(k)..share(k + 1) }).collect()
}

/// Copies rows of the parts side by side, `stride` elements apart.
fn join_rows<T: Scalar>(parts: &[&Tensor<T>], rows: Range<usize>, stride: usize, out: &mut [T]) {
    let mut first = 0;
    for part in parts {
        let d = part.dims()[1];
        let from = &part.as_slice()[rows.start * d..rows.end * d];
        for (to, from) in out.chunks_exact_mut(stride).zip(from.chunks_exact(d.max(1))) {
            to[first..first + d].copy_from_slice(from);
        }
        first += d;
    }
}

/// Asks for memory that will be read soon.
fn prefetch<T>(memory: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in memory.chunks(64 / size_of::<T>().clamp(1, 64)) {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        // SAFETY: a hint, which reads nothing.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
    let _ = memory;
}

/// Adds the products of the columns i.. and j.. of the rows to a tile of sums. Each has its terms in the order of the rows, each
/// rounded once.
pub(crate) fn plain_tile<T: Scalar>(rows: &[T], stride: usize, [i, j]: [usize; 2], sum: &mut Tile<T>) {
    vectorize(
        #[inline(always)]
        || {
            let mut sums = [[T::ZERO; WIDE]; HIGH];
            for row in rows.chunks_exact(stride) {
                let (left, right) = (&row[i..i + HIGH], &row[j..j + WIDE]);
                for (sums, &l) in sums.iter_mut().zip(left) {
                    sums.iter_mut().zip(right).for_each(|(sum, &r)| *sum = Scalar::mul_add(l, r, *sum));
                }
            }
            let all = sum.iter_mut().flatten().zip(sums.iter().flatten());
            all.for_each(|(to, &from)| *to += from);
        },
    );
}

/// [`plain_tile`] in registers, where the machine has enough of them.
pub(crate) fn tile(rows: &[f64], stride: usize, at: [usize; 2], sum: &mut Tile<f64>) {
    #[cfg(target_arch = "x86_64")]
    if Level::Avx2.available() {
        assert!(at[0] + HIGH <= stride && at[1] + WIDE <= stride);
        // SAFETY: the machine has the instructions; the columns lie within the rows, as just seen.
        return unsafe { tile_avx2(rows, stride, at, sum) };
    }
    plain_tile(rows, stride, at, sum);
}

/// # Safety
/// The machine has AVX2 and FMA, and the columns i..i + 6 and j..j + 8 lie within a row of `stride` elements.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile_avx2(rows: &[f64], stride: usize, [i, j]: [usize; 2], sum: &mut Tile<f64>) {
    use std::arch::x86_64::{
        _mm256_add_pd, _mm256_broadcast_sd, _mm256_fmadd_pd, _mm256_loadu_pd, _mm256_setzero_pd,
        _mm256_storeu_pd,
    };
    let mut sums = [[_mm256_setzero_pd(); 2]; HIGH];
    // Plain loops: an iterator's or a closure's code would not be compiled for these instructions.
    let mut row = rows.as_ptr();
    for _ in 0..rows.len() / stride {
        // SAFETY: whole rows are left, and the columns lie within each, as the caller promises.
        unsafe {
            let right = row.add(j);
            let (a, b) = (_mm256_loadu_pd(right), _mm256_loadu_pd(right.add(4)));
            let mut r = 0;
            while r < HIGH {
                let l = _mm256_broadcast_sd(&*row.add(i + r));
                sums[r][0] = _mm256_fmadd_pd(l, a, sums[r][0]);
                sums[r][1] = _mm256_fmadd_pd(l, b, sums[r][1]);
                r += 1;
            }
            row = row.add(stride);
        }
    }
    let mut r = 0;
    while r < HIGH {
        let to = sum[r].as_mut_ptr();
        // SAFETY: a row of eight elements, twice four.
        unsafe {
            _mm256_storeu_pd(to, _mm256_add_pd(_mm256_loadu_pd(to), sums[r][0]));
            _mm256_storeu_pd(to.add(4), _mm256_add_pd(_mm256_loadu_pd(to.add(4)), sums[r][1]));
        }
        r += 1;
    }
}

fn add_by_halves<T: Scalar>(mut parts: Vec<Vec<Tile<T>>>) -> Option<Vec<Tile<T>>> {
    while parts.len() > 1 {
        let mut pairs = parts.into_iter();
        let mut next = Vec::new();
        while let Some(mut left) = pairs.next() {
            if let Some(right) = pairs.next() {
                let all = left.as_flattened_mut().as_flattened_mut().iter_mut();
                all.zip(right.as_flattened().as_flattened()).for_each(|(l, &r)| *l += r);
            }
            next.push(left);
        }
        parts = next;
    }
    parts.pop()
}

/// How many rows are reflected at once: a column of them fills the registers, fifty columns the first cache.
const ROWS: usize = 64;

/// The fewest rows that are worth a triangle of their own, which another must take in at the end.
const SHARE: usize = 1 << 14;

/// A block of rows, column by column.
type Block<T> = Vec<[T; ROWS]>;

impl<T: Scalar> Tensor<T> {
    /// The R of A = Q·R, `[min(N, D), D]`, upper triangular, without Q: for tall matrices many times faster than
    /// [`qr`](Self::qr), and as accurate. The signs of its rows are not those of `qr`.
    ///
    /// R₁ of some rows and R₂ of others have together the R of all: that of [R₁; R₂], as an orthogonal factor on the left
    /// changes nothing. So blocks of rows go into R one after the other, by reflections that leave the zeros of R alone.
    ///
    /// ```
    /// use gradus_tensor::{Tensor, Transpose};
    /// let a = Tensor::from([[3.0f64, 1.0], [4.0, 2.0], [0.0, 5.0]]);
    /// let r = a.triangular_factor()?;
    /// let gram = |x: &Tensor<f64>| x.product(Transpose::Yes, x, Transpose::No);
    /// assert!(gram(&r)?.all_close(&gram(&a)?, 0.0, 1e-14)?);
    /// assert_eq!(r.get([1, 0])?, 0.0);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// **Numerics**: Householder reflections of columns scaled by powers of two, as `qr`.
    ///
    /// # Errors
    /// If A is no matrix or not finite.
    pub fn triangular_factor(&self) -> Result<Self> {
        Self::triangular_factor_of(&[self])
    }

    /// The R of several matrices side by side, without joining them: of `[X, y]`, it holds all that a regression needs.
    ///
    /// # Errors
    /// If one is no matrix or not finite, or their rows differ.
    pub fn triangular_factor_of(parts: &[&Self]) -> Result<Self> {
        let op = "triangular_factor";
        let (rows, width) = joined(op, parts)?;
        let scales = scales(op, parts, width)?;
        // The shares depend on the sizes alone, and are merged in order.
        let share = rows.div_ceil(32).max(SHARE).next_multiple_of(ROWS);
        let triangles = map_blocks(rows.div_ceil(share), |i| {
            let mut r = vec![T::ZERO; width * width];
            let mut block: Block<T> = vec![[T::ZERO; ROWS]; width];
            for start in (i * share..rows.min((i + 1) * share)).step_by(ROWS) {
                load(parts, start..rows.min(start + ROWS), &scales, &mut block);
                absorb(&mut r, &mut block);
            }
            r
        });
        let mut triangles = triangles.into_iter();
        let mut r = triangles.next().unwrap_or_else(|| vec![T::ZERO; width * width]);
        let mut block: Block<T> = vec![[T::ZERO; ROWS]; width];
        for other in triangles {
            for rows in other.chunks(ROWS * width.max(1)) {
                for (j, column) in block.iter_mut().enumerate() {
                    column.fill(T::ZERO);
                    for (to, row) in column.iter_mut().zip(rows.chunks_exact(width)) {
                        *to = row[j];
                    }
                }
                absorb(&mut r, &mut block);
            }
        }
        for row in r.chunks_exact_mut(width.max(1)) {
            row.iter_mut().zip(&scales).for_each(|(r, scale)| *r /= *scale);
        }
        r.truncate(rows.min(width) * width);
        Self::from_vec(r, [rows.min(width), width])
    }
}

/// The rows and columns of matrices side by side.
fn joined<T: Scalar>(op: &'static str, parts: &[&Tensor<T>]) -> Result<(usize, usize)> {
    let mut width = 0;
    let mut rows = None;
    for part in parts {
        let (n, d) = part.matrix_dims(op)?;
        if *rows.get_or_insert(n) != n {
            return Err(Error::mismatch(op, parts[0].shape(), part.shape(), "the rows must agree"));
        }
        width += d;
    }
    Ok((rows.unwrap_or(0), width))
}

/// For each column the power of two that brings its largest element below 1, 1 for a column of zeros.
fn scales<T: Scalar>(op: &'static str, parts: &[&Tensor<T>], width: usize) -> Result<Vec<T>> {
    let mut out = Vec::with_capacity(width);
    for part in parts {
        if part.is_empty() {
            out.resize(out.len() + part.dims()[1], T::ONE);
            continue;
        }
        let most = part.column_magnitudes()?;
        for &m in most.as_slice() {
            if !m.is_finite() {
                part.finite(op)?;
            }
            // Neither the power nor its inverse may leave the range.
            let most = if T::DTYPE == crate::Dtype::F32 { 120.0 } else { 1000.0 };
            let exponent = if m > T::ZERO { m.as_f64().log2().ceil().clamp(-most, most) } else { 0.0 };
            out.push(T::of((-exponent).exp2()));
        }
    }
    Ok(out)
}

/// Copies some rows of the parts into a block, scaled, with zeros behind the last row: they change nothing.
fn load<T: Scalar>(parts: &[&Tensor<T>], rows: Range<usize>, scales: &[T], block: &mut Block<T>) {
    let mut columns = block.iter_mut().zip(scales);
    for part in parts {
        let d = part.dims()[1];
        let data = &part.as_slice()[rows.start * d..rows.end * d];
        for (j, (column, &scale)) in columns.by_ref().take(d).enumerate() {
            column[rows.len()..].fill(T::ZERO);
            for (to, &from) in column.iter_mut().zip(data[j..].iter().step_by(d)) {
                *to = from * scale;
            }
        }
    }
}

/// R of [R; block]: column by column, a reflection that turns the block's column into zeros.
fn absorb<T: Scalar>(r: &mut [T], block: &mut Block<T>) {
    let width = block.len();
    vectorize(
        #[inline(always)]
        || {
            for j in 0..width {
                let (head, rest) = block.split_at_mut(j + 1);
                let mut v = head[j];
                let below = dot(&v, &v);
                if below == T::ZERO {
                    continue;
                }
                let own = r[j * width + j];
                let length = Scalar::mul_add(own, own, below).sqrt();
                let new = if own > T::ZERO { -length } else { length };
                // The reflection is 1 − τ·(1, v)(1, v)ᵀ.
                let top = own - new;
                let tau = (new - own) / new;
                let inverse = T::ONE / top;
                v.iter_mut().for_each(|v| *v *= inverse);
                let row = &mut r[j * width..(j + 1) * width];
                row[j] = new;
                for (column, r) in rest.iter_mut().zip(&mut row[j + 1..]) {
                    let w = tau * (*r + dot(&v, column));
                    *r -= w;
                    for (c, &v) in column.iter_mut().zip(&v) {
                        *c = Scalar::mul_add(-w, v, *c);
                    }
                }
            }
        },
    );
}

#[inline(always)]
fn dot<T: Scalar>(x: &[T; ROWS], y: &[T; ROWS]) -> T {
    let mut lanes = [T::ZERO; ROWS / 2];
    for i in 0..ROWS / 2 {
        lanes[i] = Scalar::mul_add(x[i + ROWS / 2], y[i + ROWS / 2], x[i] * y[i]);
    }
    crate::row::fold(lanes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test
mod tests {
    use super::*;

    #[test]
    fn the_tile_in_registers_has_the_bits_of_the_plain_one() {
        let mut state = 1u64;
        let mut number = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / 1e6 - 8.0
        };
        for (rows, stride) in [(0, 8), (1, 8), (7, 24), (CHUNK, 56)] {
            let memory: Vec<f64> = (0..rows * stride).map(|_| number()).collect();
            let before: Tile<f64> = std::array::from_fn(|_| std::array::from_fn(|_| number()));
            for at in [[0, 0], [2, 0], [0, stride - WIDE], [stride - HIGH, stride - WIDE]] {
                let (mut fast, mut plain) = (before, before);
                tile(&memory, stride, at, &mut fast);
                plain_tile(&memory, stride, at, &mut plain);
                let bits = |tile: Tile<f64>| tile.map(|row| row.map(f64::to_bits));
                assert_eq!(bits(fast), bits(plain), "{rows} rows of {stride} at {at:?}");
            }
        }
    }

    #[test]
    fn tiles_cover_the_triangle_within_the_rows_and_fetch_each_row_once() {
        for width in 1..200usize {
            let stride = (width.div_ceil(LINE) | 1) * LINE;
            let places = places(width, stride);
            let covers = |i, j| {
                places
                    .iter()
                    .any(|p| (p.at[0]..p.at[0] + HIGH).contains(&i) && (p.at[1]..p.at[1] + WIDE).contains(&j))
            };
            for i in 0..width {
                assert!((i..width).all(|j| covers(i, j)), "row {i} of {width}");
            }
            assert!(places.iter().all(|p| p.at[0] + HIGH <= stride && p.at[1] + WIDE <= stride), "{width}");
            let next: Vec<usize> = places.into_iter().flat_map(|p| p.next).collect();
            assert_eq!(next, (0..CHUNK).collect::<Vec<_>>(), "{width}");
        }
    }
}
