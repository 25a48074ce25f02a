//! Printing as NumPy does: nested brackets, aligned columns, long axes cut in the middle.

use crate::{Dtype, Element, Tensor};
use std::fmt;

/// More elements than this are not all printed.
const THRESHOLD: usize = 1000;
/// How many of a long axis are printed at either end.
const EDGE: usize = 3;

impl<T: Element> fmt::Display for Tensor<T> {
    /// Four digits after the point unless told otherwise: `{:.2}`.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, -2.5], [30.0, 4.25]]);
    /// assert_eq!(format!("{x:.2}"), "[[ 1.00, -2.50],\n [30.00,  4.25]]");
    /// ```
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let precision = f.precision().unwrap_or(4);
        // An axis of size 0 leaves no elements, but brackets: [1000000, 0] is cut too.
        let cut = self.dims().iter().map(|&n| n.max(1)).product::<usize>() > THRESHOLD;
        let text = |x: &T| match T::DTYPE {
            Dtype::F32 | Dtype::F64 => format!("{x:.precision$}"),
            Dtype::U32 | Dtype::Bool => x.to_string(),
        };
        let mut width = 0;
        self.visit(cut, 0, 0, &mut |x| width = width.max(text(x).chars().count()));
        self.nest(f, cut, 0, 0, &|f, x| write!(f, "{:>width$}", text(x)))
    }
}

impl<T: Element> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor<{}>{} {self}", std::any::type_name::<T>(), self.shape())
    }
}

impl<T: Element> Tensor<T> {
    /// The indices of an axis that are printed; `None` stands for the gap.
    fn shown(&self, cut: bool, axis: usize) -> Vec<Option<usize>> {
        let n = self.dims()[axis];
        if cut && n > 2 * EDGE {
            return (0..EDGE).map(Some).chain([None]).chain((n - EDGE..n).map(Some)).collect();
        }
        (0..n).map(Some).collect()
    }

    fn visit(&self, cut: bool, axis: usize, at: usize, see: &mut impl FnMut(&T)) {
        if axis == self.rank() {
            return see(&self.as_slice()[at]);
        }
        let stride = self.shape().strides()[axis];
        for i in self.shown(cut, axis).into_iter().flatten() {
            self.visit(cut, axis + 1, at + i * stride, see);
        }
    }

    fn nest(
        &self,
        f: &mut fmt::Formatter<'_>,
        cut: bool,
        axis: usize,
        at: usize,
        leaf: &impl Fn(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
    ) -> fmt::Result {
        if axis == self.rank() {
            return leaf(f, &self.as_slice()[at]);
        }
        let stride = self.shape().strides()[axis];
        let inner = self.rank() - axis - 1;
        f.write_str("[")?;
        for (n, i) in self.shown(cut, axis).into_iter().enumerate() {
            if n > 0 {
                match inner {
                    0 => f.write_str(", ")?,
                    _ => write!(f, ",{}{}", "\n".repeat(inner), " ".repeat(axis + 1))?,
                }
            }
            match i {
                Some(i) => self.nest(f, cut, axis + 1, at + i * stride, leaf)?,
                None => f.write_str("...")?,
            }
        }
        f.write_str("]")
    }
}
