//! The logarithm of the sigmoid: what a log-likelihood needs, and what must not be computed as ln(σ(x)).

use crate::activation::X;
use crate::{Activation, Course, Facts, sigmoid, softplus};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA: Formula = Formula {
    id: "log-sigmoid",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Log-sigmoid",
    latex: r"\ln\sigma(x) = -\ln(1 + e^{-x})",
    unicode: "ln σ(x) = −ln(1 + e⁻ˣ)",
    symbols: &[X],
    source: "Goodfellow, Bengio & Courville 2016, §3.10, eq. 3.35 (ζ(x) = −ln σ(−x))",
    item: item!(fn log_sigmoid),
    chapter: "activations",
    printed: None,
};

/// The logarithm of [`sigmoid`](crate::sigmoid).
///
/// **Formula** `log-sigmoid`: ln σ(x) = −ln(1 + e⁻ˣ) = −softplus(−x), x any real number.
///
/// **Shapes**: elementwise. **Units**: nats, at most 0.
///
/// **Gradient**: σ(−x): [`log_sigmoid_derivative`].
///
/// **Numerics**: `sigmoid(x).ln()` is −∞ from x = −746 downwards, its gradient NaN (0/0), and exactly 0 from x = 37
/// upwards; this is none of these.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Goodfellow, Bengio & Courville 2016, §3.10.
///
/// ```
/// use gradus_activations::log_sigmoid;
/// assert!((log_sigmoid(0.0) + 2f64.ln()).abs() < 1e-16);
/// assert_eq!(log_sigmoid(-1000.0), -1000.0);
/// assert!(log_sigmoid(100.0f64) < 0.0);
/// ```
#[inline(always)]
pub fn log_sigmoid<T: Scalar>(x: T) -> T {
    -softplus(-x)
}

/// The derivative of [`log_sigmoid`]: σ(−x).
///
/// ```
/// assert_eq!(gradus_activations::log_sigmoid_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn log_sigmoid_derivative<T: Scalar>(x: T) -> T {
    sigmoid(-x)
}

/// [`log_sigmoid`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct LogSigmoid;

impl Activation for LogSigmoid {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        log_sigmoid(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        log_sigmoid_derivative(x)
    }

    fn facts(self) -> Facts {
        let low = f64::NEG_INFINITY;
        Facts { low, high: 0.0, lipschitz: 1.0, steepest: -30.0, course: Course::Rising, kinks: &[] }
    }
}
