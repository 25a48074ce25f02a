//! Moving elements: axes, permutations, slices, gathering, joining, padding, stretching.

use crate::parallel::{BLOCK, for_each_block};
use crate::{Element, Error, MAX_RANK, Result, Shape, Tensor};

impl<T: Element> Tensor<T> {
    /// A new axis of size 1 before `axis`; costs nothing.
    ///
    /// # Errors
    /// If `axis` is more than the rank, or there are six dimensions already.
    pub fn insert_axis(&self, axis: usize) -> Result<Self> {
        if axis > self.rank() {
            return Err(Error::Axis { op: "insert_axis", axis, rank: self.rank() + 1 });
        }
        Ok(self.reshaped(self.shape().edit(|dims| dims.insert(axis, 1))?))
    }

    /// Without an axis of size 1; costs nothing.
    ///
    /// # Errors
    /// If there is no such axis or its size is not 1.
    pub fn remove_axis(&self, axis: usize) -> Result<Self> {
        let (_, size, _) = self.shape().split("remove_axis", axis)?;
        if size != 1 {
            return Err(Error::shape("remove_axis", format!("size 1 on axis {axis}"), self.shape()));
        }
        Ok(self.reshaped(self.shape().edit(|dims| {
            dims.remove(axis);
        })?))
    }

    /// The axes in another order: axis `i` of the result is axis `order[i]` of this tensor.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.permute(&[1, 0])?, Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If `order` does not name every axis once.
    pub fn permute(&self, order: &[usize]) -> Result<Self> {
        let rank = self.rank();
        let mut seen = [false; MAX_RANK];
        let names_all = order.len() == rank
            && order.iter().all(|&axis| axis < rank && !std::mem::replace(&mut seen[axis], true));
        if !names_all {
            let allowed = format!("each of 0..{rank} once");
            return Err(Error::argument("permute", "order", format!("{order:?}"), allowed));
        }
        let own = self.shape().strides();
        let mut strides = [0; MAX_RANK];
        for (to, &from) in order.iter().enumerate() {
            strides[to] = own[from];
        }
        let shape = self.shape().edit(|dims| {
            let old = *dims;
            order.iter().enumerate().for_each(|(to, &from)| dims[to] = old[from]);
        })?;
        Ok(self.read(shape, &strides))
    }

    /// The last two axes exchanged.
    ///
    /// # Errors
    /// If there are fewer than two.
    pub fn transpose(&self) -> Result<Self> {
        let rank = self.rank();
        if rank < 2 {
            return Err(Error::shape("transpose", "at least two dimensions", self.shape()));
        }
        let mut order: Vec<usize> = (0..rank).collect();
        order.swap(rank - 2, rank - 1);
        self.permute(&order)
    }

    /// The elements that a walk over `shape` with these strides meets.
    fn read(&self, shape: Shape, strides: &[usize; MAX_RANK]) -> Self {
        let data = self.as_slice();
        let run = shape.dims().last().copied().unwrap_or(1);
        let group = (BLOCK / run.max(1)).max(1);
        Self::written(shape, |out| {
            for_each_block(out, group * run, |i, out| {
                let first = i * group;
                let mut rest = out;
                let count = rest.len() / run.max(1);
                walk_runs(&shape, [strides], first..first + count, |[at], len, [step]| {
                    let (out, after) = std::mem::take(&mut rest).split_at_mut(len);
                    rest = after;
                    match step {
                        0 => out.fill(data[at]),
                        1 => out.copy_from_slice(&data[at..at + len]),
                        _ => out.iter_mut().zip(data[at..].iter().step_by(step)).for_each(|(o, &v)| *o = v),
                    }
                });
            });
        })
    }

    /// The indices `start..end` of one axis.
    ///
    /// # Errors
    /// If there is no such axis, or the range leaves it or runs backwards.
    pub fn slice(&self, axis: usize, range: std::ops::Range<usize>) -> Result<Self> {
        let (before, size, after) = self.shape().split("slice", axis)?;
        if range.start > range.end || range.end > size {
            return Err(Error::argument("slice", "range", format!("{range:?}"), format!("within 0..{size}")));
        }
        let shape = self.shape().edit(|dims| dims[axis] = range.len())?;
        let piece = range.len() * after;
        Ok(Self::written(shape, |out| {
            for (b, out) in out.chunks_exact_mut(piece.max(1)).enumerate().take(before) {
                let start = (b * size + range.start) * after;
                out.copy_from_slice(&self.as_slice()[start..start + piece]);
            }
        }))
    }

    /// One index of one axis; the axis goes away.
    ///
    /// # Errors
    /// If there is no such axis or index.
    pub fn select(&self, axis: usize, index: usize) -> Result<Self> {
        let (_, size, _) = self.shape().split("select", axis)?;
        if index >= size {
            return Err(Error::Index { op: "select", index, axis, size });
        }
        self.slice(axis, index..index + 1)?.remove_axis(axis)
    }

    /// These indices of one axis, in this order, repeats allowed.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let table = Tensor::from([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]]);
    /// assert_eq!(table.gather(0, &[2, 0, 2])?, Tensor::from([[2.0, 2.0], [0.0, 0.0], [2.0, 2.0]]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no such axis or index.
    pub fn gather(&self, axis: usize, indices: &[u32]) -> Result<Self> {
        let (before, size, after) = self.shape().split("gather", axis)?;
        if let Some(&index) = indices.iter().find(|&&i| i as usize >= size) {
            return Err(Error::Index { op: "gather", index: index as usize, axis, size });
        }
        let shape = self.shape().edit(|dims| dims[axis] = indices.len())?;
        Ok(Self::written(shape, |out| {
            let starts =
                (0..before).flat_map(|b| indices.iter().map(move |&i| (b * size + i as usize) * after));
            for (out, at) in out.chunks_exact_mut(after.max(1)).zip(starts) {
                out.copy_from_slice(&self.as_slice()[at..at + after]);
            }
        }))
    }

    /// The way back of [`gather`](Self::gather): slice `i` along `axis` is added to index `indices[i]` of an axis
    /// of the given size, the others stay 0. ⟨gather(x), y⟩ = ⟨x, scatter_sum(y)⟩.
    ///
    /// # Errors
    /// If there is no such axis, its size is not the number of indices, or an index is not below `size`.
    pub fn scatter_sum(&self, axis: usize, indices: &[u32], size: usize) -> Result<Self>
    where
        T: std::ops::AddAssign,
    {
        let op = "scatter_sum";
        let (before, count, after) = self.shape().split(op, axis)?;
        if count != indices.len() {
            let allowed = format!("{count} of them, the size of axis {axis}");
            return Err(Error::argument(op, "indices", format!("{} of them", indices.len()), allowed));
        }
        if let Some(&index) = indices.iter().find(|&&i| i as usize >= size) {
            return Err(Error::Index { op, index: index as usize, axis, size });
        }
        let mut out = Self::zeros(self.shape().edit(|dims| dims[axis] = size)?)?;
        let sums = out.as_mut_slice();
        for b in 0..before {
            for (k, &i) in indices.iter().enumerate() {
                let (to, from) = ((b * size + i as usize) * after, (b * count + k) * after);
                let slice = &self.as_slice()[from..from + after];
                sums[to..to + after].iter_mut().zip(slice).for_each(|(sum, &v)| *sum += v);
            }
        }
        Ok(out)
    }

    /// Tensors one after the other along an axis that they have.
    ///
    /// # Errors
    /// If there is none, or they differ in another axis.
    pub fn concatenate(parts: &[&Self], axis: usize) -> Result<Self> {
        let op = "concatenate";
        let Some(first) = parts.first() else {
            return Err(Error::argument(op, "parts", "none", "at least one"));
        };
        let (before, _, after) = first.shape().split(op, axis)?;
        let mut total = 0usize;
        for part in parts {
            let alike = part.rank() == first.rank()
                && part.dims().iter().zip(first.dims()).enumerate().all(|(i, (a, b))| i == axis || a == b);
            if !alike {
                let why = "all axes but the joined one must agree";
                return Err(Error::mismatch(op, first.shape(), part.shape(), why));
            }
            total = total.saturating_add(part.dims()[axis]);
        }
        let shape = first.shape().edit(|dims| dims[axis] = total)?;
        Ok(Self::written(shape, |out| {
            let mut rest = out;
            for b in 0..before {
                for part in parts {
                    let len = part.dims()[axis] * after;
                    let (out, behind) = std::mem::take(&mut rest).split_at_mut(len);
                    out.copy_from_slice(&part.as_slice()[b * len..(b + 1) * len]);
                    rest = behind;
                }
            }
        }))
    }

    /// Tensors of one shape side by side along a new axis.
    ///
    /// # Errors
    /// If there is none, or their shapes differ.
    pub fn stack(parts: &[&Self], axis: usize) -> Result<Self> {
        let op = "stack";
        if let Some(other) = parts.iter().find(|p| p.shape() != parts[0].shape()) {
            let why = "all must have one shape";
            return Err(Error::mismatch(op, parts[0].shape(), other.shape(), why));
        }
        let parts = parts.iter().map(|p| p.insert_axis(axis)).collect::<Result<Vec<_>>>()?;
        Self::concatenate(&parts.iter().collect::<Vec<_>>(), axis)
    }

    /// Pieces of these sizes along an axis: what [`concatenate`](Self::concatenate) joins again.
    ///
    /// # Errors
    /// If there is no such axis, or the sizes do not add up to it.
    pub fn split(&self, axis: usize, sizes: &[usize]) -> Result<Vec<Self>> {
        let (_, size, _) = self.shape().split("split", axis)?;
        if sizes.iter().try_fold(0usize, |a, &b| a.checked_add(b)) != Some(size) {
            let allowed = format!("sizes that add up to {size}");
            return Err(Error::argument("split", "sizes", format!("{sizes:?}"), allowed));
        }
        let mut start = 0;
        let mut piece = |&len: &usize| {
            start += len;
            self.slice(axis, start - len..start)
        };
        sizes.iter().map(&mut piece).collect()
    }

    /// `value` added around an axis, `before` times in front and `after` times behind.
    ///
    /// # Errors
    /// If there is no such axis, or the result is beyond memory.
    pub fn pad(&self, axis: usize, before: usize, after: usize, value: T) -> Result<Self> {
        self.shape().split("pad", axis)?;
        let border = |n| Self::full(self.shape().edit(|dims| dims[axis] = n)?, value);
        Self::concatenate(&[&border(before)?, self, &border(after)?], axis)
    }

    /// Stretched to a larger shape: axes of size 1 and missing leading axes repeat.
    ///
    /// # Errors
    /// If this shape does not stretch to that one.
    pub fn broadcast_to(&self, shape: impl AsRef<[usize]>) -> Result<Self> {
        let shape = Shape::new(shape)?;
        if self.shape().broadcast("broadcast_to", &shape)? != shape {
            let why = "the right one must be the larger";
            return Err(Error::mismatch("broadcast_to", self.shape(), shape, why));
        }
        if self.shape() == shape {
            return Ok(self.clone());
        }
        Ok(self.read(shape, &self.shape().strides_within(&shape)))
    }
}

/// Walks over some elements of `shape`, one at a time: `visit(offsets)`, an offset for each set of strides.
pub(crate) fn walk_items<const K: usize>(
    shape: &Shape,
    strides: [&[usize; MAX_RANK]; K],
    range: std::ops::Range<usize>,
    mut visit: impl FnMut([usize; K]),
) {
    let run = shape.dims().last().copied().unwrap_or(1).max(1);
    for item in range {
        walk_runs(shape, strides, item / run..item / run + 1, |at, _, steps| {
            visit(std::array::from_fn(|k| at[k] + item % run * steps[k]));
        });
    }
}

/// Walks over some runs of the last axis of `shape`: `visit(offsets, length, steps)`, one offset and one step for each set of
/// strides.
pub(crate) fn walk_runs<const K: usize>(
    shape: &Shape,
    strides: [&[usize; MAX_RANK]; K],
    range: std::ops::Range<usize>,
    mut visit: impl FnMut([usize; K], usize, [usize; K]),
) {
    let Some((&run, outer)) = shape.dims().split_last() else {
        return range.for_each(|_| visit([0; K], 1, [1; K]));
    };
    let last = outer.len();
    let steps = std::array::from_fn(|k| strides[k][last]);
    let mut index = [0; MAX_RANK];
    let mut at = [0; K];
    let mut rest = range.start;
    for axis in (0..last).rev() {
        index[axis] = rest % outer[axis].max(1);
        rest /= outer[axis].max(1);
        (0..K).for_each(|k| at[k] += strides[k][axis] * index[axis]);
    }
    for _ in range {
        visit(at, run, steps);
        for axis in (0..last).rev() {
            index[axis] += 1;
            (0..K).for_each(|k| at[k] += strides[k][axis]);
            if index[axis] < outer[axis] {
                break;
            }
            (0..K).for_each(|k| at[k] -= strides[k][axis] * outer[axis]);
            index[axis] = 0;
        }
    }
}
