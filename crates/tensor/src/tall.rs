//! The triangular factor of a tall matrix: reflections of blocks of rows that stay in the first cache, on all cores.

use crate::math::vectorize;
use crate::parallel::map_blocks;
use crate::{Error, Result, Scalar, Tensor};

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
        let mut width = 0;
        let mut rows = None;
        for part in parts {
            let (n, d) = part.matrix_dims(op)?;
            if *rows.get_or_insert(n) != n {
                return Err(Error::mismatch(op, parts[0].shape(), part.shape(), "the rows must agree"));
            }
            width += d;
        }
        let rows = rows.unwrap_or(0);
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
fn load<T: Scalar>(parts: &[&Tensor<T>], rows: std::ops::Range<usize>, scales: &[T], block: &mut Block<T>) {
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
