//! Reductions: sums in a fixed order, extremes that let no NaN slip, moments in two passes.

use crate::buffer::Buffer;
use crate::math::{self, vectorize};
use crate::parallel::{BLOCK, for_each_block, join, map_blocks};
use crate::row;
use crate::{Element, Error, Result, Scalar, Tensor};
use std::ops::Range;

/// The sum of a slice, by halves.
pub(crate) fn pairwise_sum<T: Scalar>(x: &[T]) -> T {
    sum_by(x, |v| v)
}

/// Σ f(x) in a fixed order: running sums over leaves of 1024 terms, then by halves, on all cores.
///
/// ```
/// use gradus_tensor::kernel::sum_by;
/// assert_eq!(sum_by(&[1.0, 2.0, 3.0], |x: f64| x * x), 14.0);
/// ```
pub fn sum_by<T: Scalar>(x: &[T], f: impl Fn(T) -> T + Sync) -> T {
    blocks(x.len(), |range| {
        vectorize(
            #[inline(always)]
            || row::sum_by(&x[range], &f),
        )
    })
}

/// Σ f(x, y) over two slices of one length, in the order of [`sum_by`].
pub fn sum_by_two<T: Scalar, U: Element>(x: &[T], y: &[U], f: impl Fn(T, U) -> T + Sync) -> T {
    blocks(x.len().min(y.len()), |range| {
        let (x, y) = (&x[range.clone()], &y[range]);
        vectorize(
            #[inline(always)]
            || row::sum_by_two(x, y, &f),
        )
    })
}

/// The sum of what `part` gives for each block of a length, by halves.
fn blocks<T: Scalar>(len: usize, part: impl Fn(Range<usize>) -> T + Sync) -> T {
    if len <= BLOCK {
        return part(0..len);
    }
    row::by_halves(&map_blocks(len.div_ceil(BLOCK), |i| part(i * BLOCK..len.min((i + 1) * BLOCK))))
}

/// This many rows are added straight on; more are halved.
const ROWS: usize = 16;

/// The sum of rows of length `out.len()`, by halves.
pub(crate) fn sum_rows<T: Scalar>(rows: &[T], out: &mut [T]) {
    let len = out.len();
    let n = rows.len() / len;
    if n <= ROWS {
        out.fill(T::ZERO);
        vectorize(
            #[inline(always)]
            || {
                let quads = rows.chunks_exact(4 * len);
                let tail = quads.remainder();
                for quad in quads {
                    let ((a, b), (c, d)) = (quad[..2 * len].split_at(len), quad[2 * len..].split_at(len));
                    for (j, sum) in out.iter_mut().enumerate() {
                        *sum += (a[j] + b[j]) + (c[j] + d[j]);
                    }
                }
                for row in tail.chunks_exact(len) {
                    out.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v);
                }
            },
        );
        return;
    }
    let (first, second) = rows.split_at(n.div_ceil(ROWS).next_power_of_two() / 2 * ROWS * len);
    let mut other = Buffer::stale(len);
    let right = other.as_mut_slice();
    if rows.len() > 2 * BLOCK {
        join(|| sum_rows(first, out), || sum_rows(second, right));
    } else {
        sum_rows(first, out);
        sum_rows(second, right);
    }
    vectorize(
        #[inline(always)]
        || out.iter_mut().zip(&*right).for_each(|(sum, &v)| *sum += v),
    );
}

/// The element of a slice that `pick` prefers to all others.
fn extreme<T: Scalar>(x: &[T], pick: impl Fn(T, T) -> T + Sync) -> Option<T> {
    let &first = x.first()?;
    let part = |x: &[T]| {
        vectorize(
            #[inline(always)]
            || row::extreme(x, first, &pick),
        )
    };
    if x.len() <= BLOCK {
        return Some(part(x));
    }
    let parts = map_blocks(x.len().div_ceil(BLOCK), |i| part(&x[i * BLOCK..x.len().min((i + 1) * BLOCK)]));
    parts.into_iter().reduce(&pick)
}

impl<T: Element> Tensor<T> {
    /// Folds an axis away: `f` gets the elements along it, in order.
    fn fold_axis<U: Element>(
        &self,
        op: &'static str,
        axis: usize,
        f: impl Fn(&mut dyn Iterator<Item = T>) -> U + Sync,
    ) -> Result<Tensor<U>> {
        let (before, size, after) = self.shape().split(op, axis)?;
        let shape = self.shape().edit(|dims| {
            dims.remove(axis);
        })?;
        if size == 0 {
            return Err(Error::Empty { op, shape: self.shape() });
        }
        let data = self.as_slice();
        let group = (BLOCK / size).max(1);
        Ok(Tensor::written(shape, |out| {
            debug_assert_eq!(out.len(), before * after);
            for_each_block(out, group, |g, out| {
                for (k, out) in out.iter_mut().enumerate() {
                    let (b, a) = ((g * group + k) / after, (g * group + k) % after);
                    let start = b * size * after + a;
                    *out = f(&mut data[start..start + (size - 1) * after + 1].iter().step_by(after).copied());
                }
            });
        }))
    }
}

impl<T: Scalar> Tensor<T> {
    /// The sum of all elements: 0 for none.
    pub fn sum(&self) -> T {
        pairwise_sum(self.as_slice())
    }

    /// The sums along an axis, which goes away.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.sum_axis(0)?, Tensor::from([4.0, 6.0]));
    /// assert_eq!(x.sum_axis(1)?, Tensor::from([3.0, 7.0]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn sum_axis(&self, axis: usize) -> Result<Self> {
        let (before, size, after) = self.shape().split("sum_axis", axis)?;
        let shape = self.shape().edit(|dims| {
            dims.remove(axis);
        })?;
        let data = self.as_slice();
        Ok(Self::written(shape, |out| {
            debug_assert_eq!(out.len(), before * after);
            if after == 1 {
                let group = (BLOCK / size.max(1)).max(1);
                for_each_block(out, group, |g, out| {
                    for (k, sum) in out.iter_mut().enumerate() {
                        *sum = pairwise_sum(&data[(g * group + k) * size..][..size]);
                    }
                });
            } else if after > 0 {
                let group = (BLOCK / (size * after).max(1)).max(1);
                for_each_block(out, group * after, |g, out| {
                    for (k, sums) in out.chunks_exact_mut(after).enumerate() {
                        sum_rows(&data[(g * group + k) * size * after..][..size * after], sums);
                    }
                });
            }
        }))
    }

    /// The mean of all elements.
    ///
    /// # Errors
    /// If there are none.
    pub fn mean(&self) -> Result<T> {
        if self.is_empty() {
            return Err(Error::Empty { op: "mean", shape: self.shape() });
        }
        Ok(self.sum() / T::of(self.len() as f64))
    }

    /// The means along an axis, which goes away.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn mean_axis(&self, axis: usize) -> Result<Self> {
        let (_, size, _) = self.shape().split("mean", axis)?;
        if size == 0 {
            return Err(Error::Empty { op: "mean", shape: self.shape() });
        }
        let n = T::of(size as f64);
        Ok(self.sum_axis(axis)?.map(|x| x / n))
    }

    /// The variances along an axis, which goes away: Σ(x − x̄)² / (n − `ddof`), in two passes.
    ///
    /// # Errors
    /// If there is no such axis, or its size is not above `ddof`.
    pub fn variance_axis(&self, axis: usize, ddof: usize) -> Result<Self> {
        let (_, size, _) = self.shape().split("variance", axis)?;
        if size <= ddof {
            let allowed = format!("less than the {size} samples on axis {axis}");
            return Err(Error::argument("variance", "ddof", ddof, allowed));
        }
        let centred = self.sub(&self.mean_axis(axis)?.insert_axis(axis)?)?;
        let n = T::of((size - ddof) as f64);
        Ok(centred.map(|x| x * x).sum_axis(axis)?.map(|x| x / n))
    }

    /// The largest element; NaN if one is NaN.
    ///
    /// # Errors
    /// If there are none.
    pub fn max(&self) -> Result<T> {
        extreme(self.as_slice(), T::max_or_nan).ok_or(Error::Empty { op: "max", shape: self.shape() })
    }

    /// The smallest element; NaN if one is NaN.
    ///
    /// # Errors
    /// If there are none.
    pub fn min(&self) -> Result<T> {
        extreme(self.as_slice(), T::min_or_nan).ok_or(Error::Empty { op: "min", shape: self.shape() })
    }

    /// The largest elements along an axis, which goes away; NaN where one is NaN.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn max_axis(&self, axis: usize) -> Result<Self> {
        self.max_of("max", axis)
    }

    fn max_of(&self, op: &'static str, axis: usize) -> Result<Self> {
        self.extreme_axis(op, axis, T::max_or_nan)
    }

    fn extreme_axis(&self, op: &'static str, axis: usize, pick: impl Fn(T, T) -> T + Sync) -> Result<Self> {
        let (_, size, after) = self.shape().split(op, axis)?;
        let shape = self.shape().edit(|dims| {
            dims.remove(axis);
        })?;
        if size == 0 {
            return Err(Error::Empty { op, shape: self.shape() });
        }
        let data = self.as_slice();
        let group = (BLOCK / (size * after).max(1)).max(1);
        Ok(Self::written(shape, |out| {
            for_each_block(out, group * after, |g, out| {
                for (k, out) in out.chunks_exact_mut(after).enumerate() {
                    let rows = &data[(g * group + k) * size * after..][..size * after];
                    out.copy_from_slice(&rows[..after]);
                    if after == 1 {
                        out.iter_mut().zip(extreme(rows, &pick)).for_each(|(out, best)| *out = best);
                        continue;
                    }
                    for row in rows.chunks_exact(after).skip(1) {
                        vectorize(
                            #[inline(always)]
                            || out.iter_mut().zip(row).for_each(|(best, &v)| *best = pick(*best, v)),
                        );
                    }
                }
            });
        }))
    }

    /// The smallest elements along an axis, which goes away; NaN where one is NaN.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn min_axis(&self, axis: usize) -> Result<Self> {
        self.extreme_axis("min", axis, T::min_or_nan)
    }

    /// The largest magnitude in each column of a matrix; NaN where one is NaN.
    pub(crate) fn column_magnitudes(&self) -> Result<Self> {
        let d = self.dims()[1];
        let group = (BLOCK / d.max(1)).max(1) * d;
        let parts = map_blocks(self.len().div_ceil(group.max(1)), |i| {
            let rows = &self.as_slice()[i * group..self.len().min((i + 1) * group)];
            let mut most = vec![T::ZERO; d];
            vectorize(
                #[inline(always)]
                || {
                    for row in rows.chunks_exact(d) {
                        most.iter_mut().zip(row).for_each(|(most, &x)| *most = x.abs().max_or_nan(*most));
                    }
                },
            );
            most
        });
        let join = |mut a: Vec<T>, b: Vec<T>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a = a.max_or_nan(b));
            a
        };
        Self::from_vec(parts.into_iter().reduce(join).unwrap_or_else(|| vec![T::ZERO; d]), [d])
    }

    /// The index of the largest element along an axis, which goes away: the first of equals; the first NaN if
    /// there is one.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn argmax_axis(&self, axis: usize) -> Result<Tensor<u32>> {
        self.fold_axis("argmax", axis, |x| {
            let mut best = (0u32, None::<T>);
            for (i, v) in x.enumerate() {
                let better = best.1.is_none_or(|b| !Scalar::is_nan(b) && (v > b || Scalar::is_nan(v)));
                if better {
                    best = (i as u32, Some(v));
                }
            }
            best.0
        })
    }

    /// ln Σ exp(x) along an axis, which goes away, by the shift m + ln Σ exp(x − m) with m the maximum: it
    /// neither overflows nor loses the small terms' sum. All −∞ gives −∞, a NaN gives NaN.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1000.0, 1000.0], [-1000.0, -1000.0]]);
    /// let y = x.log_sum_exp_axis(1)?;
    /// assert_eq!(y, Tensor::from([1000.0 + 2f64.ln(), -1000.0 + 2f64.ln()]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn log_sum_exp_axis(&self, axis: usize) -> Result<Self> {
        let max = self.max_of("log_sum_exp", axis)?;
        // Of an infinite maximum, ∞ − ∞ would be NaN; without a shift the sum is 0 or ∞, and its logarithm right.
        let shift = max.map(|m| if m.is_finite() { m } else { T::ZERO });
        let sum = self
            .sub(&shift.insert_axis(axis)?)?
            .map_owned(
                #[inline(always)]
                |x| math::exp(x),
            )
            .sum_axis(axis)?;
        sum.zip(&shift, |s, m| math::ln(s) + m)
    }
}
