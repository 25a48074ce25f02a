//! The logistic sigmoid, σ(x) = 1 / (1 + e⁻ˣ): from a real number to a probability.

use crate::activation::X;
use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Scalar, math};

pub(crate) const FORMULA: Formula = Formula {
    id: "sigmoid",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Logistic sigmoid",
    latex: r"\sigma(x) = \frac{1}{1 + e^{-x}}",
    unicode: "σ(x) = 1 / (1 + e⁻ˣ)",
    symbols: &[
        X,
        Symbol {
            latex: r"\sigma",
            code: "sigmoid",
            meaning: "the logistic sigmoid",
            shape: "as x",
            unit: "probability",
        },
    ],
    source: "Verhulst 1845; Cox 1958; Goodfellow, Bengio & Courville 2016, §3.10",
    item: item!(fn sigmoid),
    chapter: "activations",
    printed: None,
};

/// The notes print the sigmoid twice.
pub(crate) const ALIAS: Formula =
    Formula { id: "act-sigmoid", kind: Kind::Alias("sigmoid"), title: "Sigmoid as an activation", ..FORMULA };

/// The logistic sigmoid.
///
/// **Formula** `sigmoid`: σ(x) = 1 / (1 + e⁻ˣ), x any real number.
///
/// **Shapes**: elementwise. **Units**: a probability, between 0 and 1.
///
/// **Gradient**: σ′(x) = σ(x)·σ(−x), at most ¼, at 0: [`sigmoid_derivative`].
///
/// **Numerics**: as printed, e⁻ˣ overflows for x < −709.78 (`f64`; −88.7 in `f32`), and the result is 0 although
/// σ(−710) = 4.5·10⁻³⁰⁹ can be represented. [`math::sigmoid`] divides s by s + s·e⁻ˣ with s = 2⁻³² (2⁻⁶⁴), which neither
/// overflows nor loses digits: at most 2 ulp, on every instruction set the same bits. For the complement take
/// `sigmoid(-x)`: `1.0 - sigmoid(x)` is 0 from x = 37 on.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Verhulst 1845; Cox 1958; Goodfellow, Bengio & Courville 2016, §3.10.
///
/// ```
/// use gradus_activations::sigmoid;
/// assert_eq!(sigmoid(0.0), 0.5);
/// assert!((sigmoid(3f64.ln()) - 0.75).abs() < 1e-15); // 1 / (1 + 1/3)
/// assert!(sigmoid(-710.0f64) > 0.0);
/// ```
#[inline(always)]
pub fn sigmoid<T: Scalar>(x: T) -> T {
    math::sigmoid(x)
}

/// The derivative of [`sigmoid`]: σ′(x) = σ(x)·σ(−x).
///
/// Not σ(x)·(1 − σ(x)): the difference is 0 from x = 37 on, where the derivative is still 8·10⁻¹⁷.
///
/// ```
/// use gradus_activations::sigmoid_derivative;
/// assert_eq!(sigmoid_derivative(0.0), 0.25);
/// assert!(sigmoid_derivative(40.0f64) > 0.0);
/// ```
#[inline(always)]
pub fn sigmoid_derivative<T: Scalar>(x: T) -> T {
    sigmoid(x) * sigmoid(-x)
}

/// [`sigmoid`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Sigmoid;

impl Activation for Sigmoid {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        sigmoid(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        sigmoid_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts { low: 0.0, high: 1.0, lipschitz: 0.25, steepest: 0.0, course: Course::Rising, kinks: &[] }
    }
}
