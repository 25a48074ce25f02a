//! The product of matrices.

use super::wanted;
use crate::Op;
use gradus_tensor::{Result, Scalar, Tensor, Transpose};

/// A·B, either side read as its transpose; leading dimensions are a batch.
pub struct MatMul {
    /// How the left side is read.
    pub left: Transpose,
    /// How the right side is read.
    pub right: Transpose,
}

fn turned(t: Transpose) -> Transpose {
    if t == Transpose::No { Transpose::Yes } else { Transpose::No }
}

impl<T: Scalar> Op<T, 2> for MatMul {
    type Saved = ();

    fn forward(&self, [a, b]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((a.product(self.left, b, self.right)?, ()))
    }

    // ∂L/∂A = dy·Bᵀ and ∂L/∂B = Aᵀ·dy, transposed where the side was; batches that were stretched sum.
    fn vjp(
        &self,
        [a, b]: [&Tensor<T>; 2],
        _: &(),
        dy: &Tensor<T>,
        [wa, wb]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let da = wanted(wa, || {
            let da = match self.left {
                Transpose::No => dy.product(Transpose::No, b, turned(self.right)),
                Transpose::Yes => b.product(self.right, dy, Transpose::Yes),
            };
            da?.sum_to(a.shape())
        })?;
        let db = wanted(wb, || {
            let db = match self.right {
                Transpose::No => a.product(turned(self.left), dy, Transpose::No),
                Transpose::Yes => dy.product(Transpose::Yes, a, self.left),
            };
            db?.sum_to(b.shape())
        })?;
        Ok([da, db])
    }
}
