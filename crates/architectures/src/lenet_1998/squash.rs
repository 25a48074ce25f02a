//! The activation of 1998: a tanh whose values at ±1 are ±1.

use gradus_activations::{Activation, Course, Facts, tanh, tanh_derivative};
use gradus_tensor::Scalar;

/// The height, and what a is multiplied by.
pub(super) const HEIGHT: f64 = 1.7159;
pub(super) const SLOPE: f64 = 2.0 / 3.0;

/// The activation of 1998.
///
/// **Formula** `lenet-activation`: f(a) = 1.7159·tanh(2a/3), a the weighted sum of a unit.
///
/// **Shapes**: elementwise. **Units**: 1, between ±1.7159. f(±1) is ±1.00002, so that a target of ±1 is not at infinity, and the second derivative is largest there.
///
/// **Gradient**: 1.7159·⅔·(1 − tanh²(2a/3)), 1.1439 at most, at 0.
///
/// **Numerics**: as [`tanh`](fn@tanh).
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner 1998, eq. (6) and appendix A.
///
/// ```
/// use gradus_architectures::scaled_tanh;
/// assert!((scaled_tanh(1.0_f64) - 1.0).abs() < 3e-5);
/// assert!((scaled_tanh(1.5 * 3f64.ln()) - 1.7159 * 0.8).abs() < 1e-15); // tanh(ln 3) = 4/5
/// ```
#[inline(always)]
pub fn scaled_tanh<T: Scalar>(a: T) -> T {
    T::of(HEIGHT) * tanh(T::of(SLOPE) * a)
}

/// [`scaled_tanh`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct ScaledTanh;

impl Activation for ScaledTanh {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        scaled_tanh(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        T::of(HEIGHT * SLOPE) * tanh_derivative(T::of(SLOPE) * x)
    }

    fn facts(self) -> Facts {
        let lipschitz = HEIGHT * SLOPE;
        Facts { low: -HEIGHT, high: HEIGHT, lipschitz, steepest: 0.0, course: Course::Rising, kinks: &[] }
    }
}
