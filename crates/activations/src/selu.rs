//! The scaled exponential linear unit: its two constants keep mean 0 and variance 1 from layer to layer.

use crate::activation::X;
use crate::{Activation, Course, Facts, elu, elu_derivative};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "selu",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Scaled exponential linear unit",
    latex: r"\operatorname{SELU}(x) = \lambda \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}",
    unicode: "SELU(x) = λ·ELU(x) with α = 1.6733, λ = 1.0507",
    symbols: &[
        X,
        Symbol {
            latex: r"\alpha",
            code: "SELU_ALPHA",
            meaning: "the depth constant of the self-normalising unit, 1.6733",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: r"\lambda",
            code: "SELU_LAMBDA",
            meaning: "the scale constant of the self-normalising unit, 1.0507",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Klambauer, Unterthiner, Mayr & Hochreiter 2017, eq. 2 and 14",
    item: item!(fn selu),
    chapter: "activations",
    printed: None,
};

/// α of the self-normalising unit: the solution of mean 0 and variance 1 for standard normal input.
pub const SELU_ALPHA: f64 = 1.673_263_242_354_377_3;

/// λ of the self-normalising unit.
pub const SELU_LAMBDA: f64 = 1.050_700_987_355_480_5;

/// The scaled exponential linear unit.
///
/// **Formula** `selu`: λ·x for x > 0, λα(eˣ − 1) for x ≤ 0, with [`SELU_ALPHA`] and [`SELU_LAMBDA`]: for x standard
/// normal the result has mean 0 and variance 1, which fixes both.
///
/// **Shapes**: elementwise. **Units**: 1.
///
/// **Gradient**: λ for x > 0, λαeˣ for x ≤ 0: [`selu_derivative`].
///
/// **Numerics**: `exp_m1`, as for [`elu`].
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Klambauer, Unterthiner, Mayr & Hochreiter 2017, eq. 2 and 14.
///
/// ```
/// use gradus_activations::{SELU_LAMBDA, selu};
/// assert_eq!(selu(1.0), SELU_LAMBDA);
/// assert_eq!(selu(0.0), 0.0);
/// ```
#[inline(always)]
pub fn selu<T: Scalar>(x: T) -> T {
    T::of(SELU_LAMBDA) * elu(x, T::of(SELU_ALPHA))
}

/// The derivative of [`selu`]: λ for x > 0, λαeˣ for x ≤ 0.
///
/// ```
/// use gradus_activations::{SELU_LAMBDA, selu_derivative};
/// assert_eq!(selu_derivative(1.0), SELU_LAMBDA);
/// ```
#[inline(always)]
pub fn selu_derivative<T: Scalar>(x: T) -> T {
    T::of(SELU_LAMBDA) * elu_derivative(x, T::of(SELU_ALPHA))
}

/// [`selu`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Selu;

impl Activation for Selu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        selu(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        selu_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: -SELU_LAMBDA * SELU_ALPHA,
            high: f64::INFINITY,
            lipschitz: SELU_LAMBDA * SELU_ALPHA,
            steepest: 0.0,
            course: Course::Rising,
            kinks: &[0.0],
        }
    }
}
