//! The exponential linear unit: a smooth bend down to −α.

use crate::activation::X;
use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::math::{exp, exp_m1};

pub(crate) const FORMULA: Formula = Formula {
    id: "elu",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Exponential linear unit",
    latex: r"\operatorname{ELU}(x) = \begin{cases} x & x > 0 \\ \alpha (e^x - 1) & x \le 0 \end{cases}",
    unicode: "ELU(x) = x for x > 0, α(eˣ − 1) for x ≤ 0",
    symbols: &[
        X,
        Symbol {
            latex: r"\alpha",
            code: "alpha",
            meaning: "the depth to which the exponential linear unit saturates",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Clevert, Unterthiner & Hochreiter 2016, eq. 15",
    item: item!(fn elu),
    chapter: "activations",
    printed: None,
};

/// The exponential linear unit.
///
/// **Formula** `elu`: x for x > 0, α(eˣ − 1) for x ≤ 0; the paper and the frameworks take α = 1.
///
/// **Shapes**: elementwise. **Units**: 1.
///
/// **Gradient**: 1 for x > 0, αeˣ for x ≤ 0: [`elu_derivative`]. A kink at 0 unless α = 1.
///
/// **Numerics**: `exp_m1`, since eˣ − 1 loses every digit near 0.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Clevert, Unterthiner & Hochreiter 2016, eq. 15.
///
/// ```
/// use gradus_activations::elu;
/// assert_eq!(elu(2.0, 1.0), 2.0);
/// assert!((elu(-(2f64.ln()), 1.0) + 0.5).abs() < 1e-16); // ½ − 1
/// ```
#[inline(always)]
pub fn elu<T: Scalar>(x: T, alpha: T) -> T {
    if x > T::ZERO { x } else { alpha * exp_m1(x) }
}

/// The derivative of [`elu`] in x: 1 for x > 0, αeˣ for x ≤ 0.
///
/// ```
/// assert_eq!(gradus_activations::elu_derivative(0.0, 1.5), 1.5);
/// ```
#[inline(always)]
pub fn elu_derivative<T: Scalar>(x: T, alpha: T) -> T {
    if x > T::ZERO { T::ONE } else { alpha * exp(x) }
}

/// [`elu`] with its α, as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct Elu {
    /// The depth of the negative side.
    pub alpha: f64,
}

impl Activation for Elu {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        elu(x, T::of(self.alpha))
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        elu_derivative(x, T::of(self.alpha))
    }

    fn facts(self) -> Facts {
        let steep = self.alpha.abs() > 1.0;
        Facts {
            low: if self.alpha > 0.0 { -self.alpha } else { 0.0 },
            high: f64::INFINITY,
            lipschitz: if steep { self.alpha.abs() } else { 1.0 },
            steepest: if steep { 0.0 } else { 1.0 },
            course: if self.alpha < 0.0 { Course::Turns(0.0) } else { Course::Rising },
            kinks: &[0.0],
        }
    }
}
