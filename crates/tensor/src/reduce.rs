//! Reductions: sums in a fixed order, extremes that let no NaN slip, moments in two passes.

use crate::{Element, Error, Result, Scalar, Tensor};

/// Below this many terms a sum runs straight on; above, it is halved. The order depends on the length alone,
/// so the same numbers give the same bits everywhere; the error grows with the logarithm of the length.
const STRAIGHT: usize = 128;

/// The sum of a slice, by halves.
pub(crate) fn pairwise_sum<T: Scalar>(x: &[T]) -> T {
    if x.len() <= STRAIGHT {
        // Eight running sums: the additions do not wait for each other.
        let mut lanes = [T::ZERO; 8];
        let mut chunks = x.chunks_exact(8);
        for chunk in &mut chunks {
            lanes.iter_mut().zip(chunk).for_each(|(sum, &v)| *sum += v);
        }
        let tail = chunks.remainder().iter().fold(T::ZERO, |sum, &v| sum + v);
        let [a, b, c, d, e, f, g, h] = lanes;
        return ((a + e) + (b + f)) + ((c + g) + (d + h)) + tail;
    }
    let half = (x.len() / 2).next_multiple_of(8);
    pairwise_sum(&x[..half]) + pairwise_sum(&x[half..])
}

/// The sum of `n` rows of length `out.len()`, by halves.
fn sum_rows<T: Scalar>(rows: &[T], n: usize, out: &mut [T]) {
    let len = out.len();
    if n <= STRAIGHT / 8 {
        out.fill(T::ZERO);
        for row in rows.chunks_exact(len.max(1)).take(n) {
            out.iter_mut().zip(row).for_each(|(sum, &v)| *sum += v);
        }
        return;
    }
    let half = n / 2;
    sum_rows(&rows[..half * len], half, out);
    let mut second = vec![T::ZERO; len];
    sum_rows(&rows[half * len..], n - half, &mut second);
    out.iter_mut().zip(&second).for_each(|(sum, &v)| *sum += v);
}

impl<T: Element> Tensor<T> {
    /// Folds an axis away: `f` gets the elements along it, in order.
    fn fold_axis<U: Element>(
        &self,
        op: &'static str,
        axis: usize,
        f: impl Fn(&mut dyn Iterator<Item = T>) -> U,
    ) -> Result<Tensor<U>> {
        let (before, size, after) = self.shape().split(op, axis)?;
        let shape = self.shape().edit(|dims| {
            dims.remove(axis);
        })?;
        if size == 0 {
            return Err(Error::Empty { op, shape: self.shape() });
        }
        let mut out = Vec::with_capacity(shape.elements());
        for b in 0..before {
            for a in 0..after {
                let start = b * size * after + a;
                out.push(f(&mut (0..size).map(|i| self.as_slice()[start + i * after])));
            }
        }
        Ok(Tensor::known(out, shape))
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
        let mut out = vec![T::ZERO; before * after];
        if after == 1 {
            for (sum, row) in out.iter_mut().zip(self.as_slice().chunks_exact(size.max(1))) {
                *sum = pairwise_sum(row);
            }
        } else if after > 0 {
            for (b, sums) in out.chunks_exact_mut(after).enumerate() {
                sum_rows(&self.as_slice()[b * size * after..(b + 1) * size * after], size, sums);
            }
        }
        Ok(Self::known(out, shape))
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
        let largest = self.as_slice().iter().copied().reduce(T::max_or_nan);
        largest.ok_or(Error::Empty { op: "max", shape: self.shape() })
    }

    /// The smallest element; NaN if one is NaN.
    ///
    /// # Errors
    /// If there are none.
    pub fn min(&self) -> Result<T> {
        let smallest = self.as_slice().iter().copied().reduce(T::min_or_nan);
        smallest.ok_or(Error::Empty { op: "min", shape: self.shape() })
    }

    /// The largest elements along an axis, which goes away; NaN where one is NaN.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn max_axis(&self, axis: usize) -> Result<Self> {
        self.max_of("max", axis)
    }

    fn max_of(&self, op: &'static str, axis: usize) -> Result<Self> {
        self.fold_axis(op, axis, |x| x.fold(T::NEG_INFINITY, T::max_or_nan))
    }

    /// The smallest elements along an axis, which goes away; NaN where one is NaN.
    ///
    /// # Errors
    /// If there is no such axis, or its size is 0.
    pub fn min_axis(&self, axis: usize) -> Result<Self> {
        self.fold_axis("min", axis, |x| x.fold(T::INFINITY, T::min_or_nan))
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
        let sum = self.sub(&shift.insert_axis(axis)?)?.map_into(T::exp).sum_axis(axis)?;
        sum.zip(&shift, |s, m| s.ln() + m)
    }

    /// `f` of every element, in this tensor's own buffer where nobody shares it.
    pub(crate) fn map_into(mut self, f: impl Fn(T) -> T) -> Self {
        self.map_in_place(f);
        self
    }
}
