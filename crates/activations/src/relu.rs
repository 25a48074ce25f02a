//! The rectified linear unit, max(0, x): linear where it is active, silent elsewhere.

use crate::activation::X;
use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "relu",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Rectified linear unit",
    latex: r"\operatorname{ReLU}(x) = \max(0, x)",
    unicode: "ReLU(x) = max(0, x)",
    symbols: &[X],
    source: "Fukushima 1969; Nair & Hinton 2010; Glorot, Bordes & Bengio 2011",
    item: item!(fn relu),
    chapter: "activations",
    printed: None,
};

/// The rectified linear unit.
///
/// **Formula** `relu`: max(0, x), x any real number.
///
/// **Shapes**: elementwise. **Units**: those of x.
///
/// **Gradient**: 1 for x > 0, 0 for x < 0, and by convention 0 at the kink x = 0: [`relu_derivative`].
///
/// **Numerics**: exact. Not `x.max(0.0)`: Rust's `max` drops a NaN, so that a broken value upstream would turn into
/// a healthy 0 here.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Fukushima 1969; Nair & Hinton 2010; Glorot, Bordes & Bengio 2011.
///
/// ```
/// use gradus_activations::relu;
/// assert_eq!([relu(-2.0), relu(0.0), relu(3.0)], [0.0, 0.0, 3.0]);
/// assert!(relu(f64::NAN).is_nan());
/// assert_eq!(f64::NAN.max(0.0), 0.0); // the trap
/// ```
#[inline(always)]
pub fn relu<T: Scalar>(x: T) -> T {
    // A NaN fails the comparison and is returned.
    if x <= T::ZERO { T::ZERO } else { x }
}

/// The derivative of [`relu`]: 1 for x > 0, else 0 (0 at the kink, as PyTorch has it); NaN for a NaN.
///
/// ```
/// use gradus_activations::relu_derivative;
/// assert_eq!([relu_derivative(-2.0), relu_derivative(0.0), relu_derivative(3.0)], [0.0, 0.0, 1.0]);
/// ```
#[inline(always)]
pub fn relu_derivative<T: Scalar>(x: T) -> T {
    crate::leaky_relu_derivative(x, T::ZERO)
}

/// [`relu`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Relu;

impl Activation for Relu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        relu(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        relu_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: 0.0,
            high: f64::INFINITY,
            lipschitz: 1.0,
            steepest: 1.0,
            course: Course::Rising,
            kinks: &[0.0],
        }
    }
}
