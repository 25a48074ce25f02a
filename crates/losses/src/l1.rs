//! The L1 loss: the mean absolute distance, minimised by the median.

use crate::symbols::{N, Y, Y_HAT};
use crate::{Componentwise, Elementwise, Reduction};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "l1-loss",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "L1 loss",
    latex: r"L(y, \hat y) = \frac{1}{n} \sum_{i=1}^{n} \lVert y_i - \hat y_i \rVert_1",
    unicode: "L = (1/n) Σᵢ ‖yᵢ − ŷᵢ‖₁",
    symbols: &[N, Y, Y_HAT],
    source: "Laplace 1774; Bloomfield & Steiger 1983",
    item: item!(fn l1),
    chapter: "losses",
    printed: Some(Printed {
        latex: r"\frac{1}{n} \sum_{i=1}^n \lVert y_i - \hat{y}_i \rVert_1",
        reason: "for vectors it divides by the samples and sums over the components; frameworks divide by both. We keep \
                 the notes' reading",
        counterexample: "2 samples of 3 components, all differences 2: here 6, a framework's mean 2",
    }),
};

/// The L1 loss of a batch, as the notes normalise it: the mean over samples of the sum over components.
///
/// **Formula** `l1-loss`: (1/n) Σᵢ ‖yᵢ − ŷᵢ‖₁.
///
/// **Shapes**: prediction and target of one shape, `[N, …]`; the result has no dimensions. **Units**: those of y.
///
/// **Gradient**: sign(ŷ − y)/n, by convention 0 where they are equal. See [`Elementwise`] for other reductions.
///
/// **Numerics**: sums by halves. A NaN in either argument comes out.
///
/// **Errors**: different shapes.
///
/// **Source**: Laplace 1774; Bloomfield & Steiger 1983.
///
/// ```
/// use gradus_losses::l1;
/// use gradus_tensor::Tensor;
/// let (prediction, target) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[1.0, 0.0], [6.0, 3.0]]));
/// assert_eq!(l1(&prediction, &target)?, Tensor::scalar(3.0)); // (0 + 2 + 3 + 1) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn l1<T: Scalar>(prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    Elementwise { loss: L1, reduction: Reduction::Mean }.eval([prediction, target])
}

/// |ŷ − y| of a component.
#[derive(Debug, Clone, Copy)]
pub struct L1;

impl Componentwise for L1 {
    const NAME: &'static str = "l1";

    #[inline(always)]
    fn loss<T: Scalar>(self, prediction: T, target: T) -> T {
        (prediction - target).abs()
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, prediction: T, target: T) -> (T, T) {
        let d = prediction - target;
        // A NaN passes; `signum` of 0 would be 1.
        let sign = if d > T::ZERO {
            T::ONE
        } else if d < T::ZERO {
            -T::ONE
        } else {
            d
        };
        (sign, -sign)
    }
}
