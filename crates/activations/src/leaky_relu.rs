//! The leaky ReLU: a small slope instead of silence on the negative side.

use crate::activation::X;
use crate::{Activation, Course, Facts, prelu};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "leaky-relu",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "Leaky ReLU",
    latex: r"\operatorname{LeakyReLU}(x) = \begin{cases} x & x > 0 \\ a x & x \le 0 \end{cases}",
    unicode: "LeakyReLU(x) = x for x > 0, a·x for x ≤ 0",
    symbols: &[
        X,
        Symbol {
            latex: "a",
            code: "slope",
            meaning: "the slope on the negative side, fixed here, learned in the parametric ReLU",
            shape: "[] or [C]",
            unit: "1",
        },
    ],
    source: "Maas, Hannun & Ng 2013, §2",
    item: item!(fn leaky_relu),
    chapter: "activations",
    printed: Some(Printed {
        latex: r"\max\{0.1x, x\}",
        reason: "the slope 0.1 is a choice: Maas et al. and every framework take 0.01; and as a maximum it is right \
                 for slopes up to 1 only",
        counterexample: "x = −1: −0.1 with the notes' slope, −0.01 with the source's",
    }),
};

/// The slope that the lecture notes use.
pub const LEAKY_SLOPE_NOTES: f64 = 0.1;

/// The slope of Maas, Hannun & Ng 2013, the default of PyTorch and Keras.
pub const LEAKY_SLOPE_MAAS: f64 = 0.01;

/// The leaky rectified linear unit.
///
/// **Formula** `leaky-relu`: x for x > 0, a·x for x ≤ 0, with a fixed slope a. There is no default: the notes take
/// [`LEAKY_SLOPE_NOTES`] = 0.1, the source and the frameworks [`LEAKY_SLOPE_MAAS`] = 0.01.
///
/// **Shapes**: elementwise. **Units**: those of x.
///
/// **Gradient**: 1 for x > 0, a for x ≤ 0 (at the kink by convention): [`leaky_relu_derivative`].
///
/// **Numerics**: exact but for the one product. Written as max(a·x, x), as the notes do, it would be right for
/// a ≤ 1 only.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Maas, Hannun & Ng 2013, §2.
///
/// ```
/// use gradus_activations::{LEAKY_SLOPE_NOTES, leaky_relu};
/// assert_eq!(leaky_relu(-2.0, LEAKY_SLOPE_NOTES), -0.2);
/// assert_eq!(leaky_relu(3.0, LEAKY_SLOPE_NOTES), 3.0);
/// ```
#[inline(always)]
pub fn leaky_relu<T: Scalar>(x: T, slope: T) -> T {
    prelu(x, slope)
}

/// The derivative of [`leaky_relu`] in x: 1 for x > 0, `slope` for x ≤ 0; NaN for a NaN.
///
/// ```
/// assert_eq!(gradus_activations::leaky_relu_derivative(-2.0, 0.1), 0.1);
/// ```
#[inline(always)]
pub fn leaky_relu_derivative<T: Scalar>(x: T, slope: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x <= T::ZERO {
        slope
    } else {
        x
    }
}

/// [`leaky_relu`] with its slope, as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct LeakyRelu {
    /// The slope on the negative side.
    pub slope: f64,
}

impl Activation for LeakyRelu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        leaky_relu(x, T::of(self.slope))
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        leaky_relu_derivative(x, T::of(self.slope))
    }

    fn facts(self) -> Facts {
        Facts {
            low: if self.slope > 0.0 { f64::NEG_INFINITY } else { 0.0 },
            high: f64::INFINITY,
            lipschitz: if self.slope.abs() > 1.0 { self.slope.abs() } else { 1.0 },
            steepest: if self.slope.abs() > 1.0 { -1.0 } else { 1.0 },
            course: if self.slope < 0.0 { Course::Turns(0.0) } else { Course::Rising },
            kinks: &[0.0],
        }
    }
}
