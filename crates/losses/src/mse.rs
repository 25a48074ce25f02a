//! The mean squared error, minimised by the mean; and the squared norm that the notes lose a sum of.

use crate::symbols::{N, Y, Y_HAT};
use crate::{Componentwise, Elementwise, Reduction};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA_NORM: Formula = Formula {
    id: "mse-norm-line",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Squared Euclidean distance",
    latex: r"\lVert y - \hat y \rVert_2^2 = \sum_{i} (y_i - \hat y_i)^2",
    unicode: "‖y − ŷ‖² = Σᵢ (yᵢ − ŷᵢ)²",
    symbols: &[Y, Y_HAT],
    source: "Euclid, Elements, I.47",
    item: item!(fn squared_distance),
    chapter: "losses",
    printed: Some(Printed {
        latex: r"\lVert y - \hat{y} \rVert_2^2 = (y_i - \hat{y}_i)^2",
        reason: "the left side is a sum over all components, the right side one of its terms",
        counterexample: "y − ŷ = (3, 4): 25, not 9 and not 16",
    }),
};

pub(crate) const FORMULA: Formula = Formula {
    id: "mse-loss",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "Mean squared error",
    latex: r"L(y, \hat y) = \frac{1}{n} \sum_{i=1}^{n} \lVert y_i - \hat y_i \rVert_2^2",
    unicode: "L = (1/n) Σᵢ ‖yᵢ − ŷᵢ‖²",
    symbols: &[N, Y, Y_HAT],
    source: "Legendre 1805; Gauss 1809",
    item: item!(fn mse),
    chapter: "losses",
    printed: Some(Printed {
        latex: r"\frac{1}{n} \sum_{i=1}^n \lVert y_i - \hat{y}_i \rVert_2^2",
        reason: "as for the L1 loss: divided by the samples only, where frameworks divide by the components too",
        counterexample: "2 samples of 3 components, all differences 2: here 12, a framework's mean 4",
    }),
};

/// The squared Euclidean distance.
///
/// **Formula** `mse-norm-line`: ‖y − ŷ‖² = Σᵢ (yᵢ − ŷᵢ)².
///
/// **Shapes**: both of one shape; a number. **Units**: those of y, squared.
///
/// **Gradient**: 2(ŷ − y) in ŷ. **Numerics**: sums by halves; overflows from differences of 10¹⁵⁴ on.
///
/// **Errors**: different shapes. **Source**: Euclid, Elements, I.47.
///
/// ```
/// use gradus_losses::squared_distance;
/// use gradus_tensor::Tensor;
/// assert_eq!(squared_distance(&Tensor::from([3.0f64, 5.0]), &Tensor::from([0.0, 1.0]))?, 25.0);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn squared_distance<T: Scalar>(prediction: &Tensor<T>, target: &Tensor<T>) -> Result<T> {
    crate::reduction::samples("squared_distance", prediction, target)?;
    let difference = prediction.sub(target)?;
    difference.dot(&difference)
}

/// The mean squared error of a batch, as the notes normalise it: the mean over samples of the sum over components.
///
/// **Formula** `mse-loss`: (1/n) Σᵢ ‖yᵢ − ŷᵢ‖².
///
/// **Shapes**: prediction and target of one shape, `[N, …]`; the result has no dimensions. **Units**: those of y,
/// squared.
///
/// **Gradient**: 2(ŷ − y)/n. See [`Elementwise`] for other reductions.
///
/// **Numerics**: sums by halves. A NaN in either argument comes out.
///
/// **Errors**: different shapes.
///
/// **Source**: Legendre 1805; Gauss 1809.
///
/// ```
/// use gradus_losses::mse;
/// use gradus_tensor::Tensor;
/// let (prediction, target) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[1.0, 0.0], [6.0, 3.0]]));
/// assert_eq!(mse(&prediction, &target)?, Tensor::scalar(7.0)); // (0 + 4 + 9 + 1) / 2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn mse<T: Scalar>(prediction: &Tensor<T>, target: &Tensor<T>) -> Result<Tensor<T>> {
    Elementwise { loss: Mse, reduction: Reduction::Mean }.eval([prediction, target])
}

/// (ŷ − y)² of a component.
#[derive(Debug, Clone, Copy)]
pub struct Mse;

impl Componentwise for Mse {
    const NAME: &'static str = "mse";

    #[inline(always)]
    fn loss<T: Scalar>(self, prediction: T, target: T) -> T {
        let d = prediction - target;
        d * d
    }

    #[inline(always)]
    fn slopes<T: Scalar>(self, prediction: T, target: T) -> (T, T) {
        let d = prediction - target;
        (d + d, -(d + d))
    }
}
