//! What a tensor can store ([`Element`]) and what mathematics is generic over ([`Scalar`]).

use nalgebra::RealField;
use std::fmt::{Debug, Display};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
    impl Sealed for u32 {}
    impl Sealed for bool {}
}

/// The type of a tensor's elements, as a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 32-bit floating point.
    F32,
    /// 64-bit floating point.
    F64,
    /// Unsigned 32-bit integers: labels, token ids, indices.
    U32,
    /// Truth values: masks.
    Bool,
}

/// What a tensor can store: `f32`, `f64`, `u32`, `bool`.
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + Debug + Display + Send + Sync + 'static
{
    /// The type as a value.
    const DTYPE: Dtype;
    /// The number 0, or `false`.
    const ZERO: Self;
    /// The number 1, or `true`.
    const ONE: Self;
}

macro_rules! element {
    ($($t:ty, $d:ident, $zero:expr, $one:expr;)*) => {$(
        impl Element for $t {
            const DTYPE: Dtype = Dtype::$d;
            const ZERO: Self = $zero;
            const ONE: Self = $one;
        }
    )*};
}

element! {
    f32, F32, 0.0, 1.0;
    f64, F64, 0.0, 1.0;
    u32, U32, 0, 1;
    bool, Bool, false, true;
}

/// What mathematics is generic over: `f64` for proofs, `f32` for speed.
///
/// The functions of a real number (`exp`, `ln`, `tanh`, `ln_1p`, …) come from nalgebra's [`RealField`].
pub trait Scalar: Element + RealField + crate::math::Real {
    /// The distance from 1 to the next number above.
    const EPSILON: Self;
    /// Not a number.
    const NAN: Self;
    /// +∞.
    const INFINITY: Self;
    /// −∞.
    const NEG_INFINITY: Self;

    /// This constant in this type: `T::of(0.5)`.
    fn of(x: f64) -> Self;

    /// This number as an `f64`, exactly.
    fn as_f64(self) -> f64;

    /// Whether this is not a number.
    fn is_nan(self) -> bool;

    /// The larger of two, or NaN if one is NaN (Rust's `max` returns the other one).
    ///
    /// ```
    /// use gradus_tensor::Scalar;
    /// assert_eq!(2.0f64.max_or_nan(3.0), 3.0);
    /// assert!(0.0f64.max_or_nan(f64::NAN).is_nan() && f64::NAN.max_or_nan(0.0).is_nan());
    /// ```
    #[inline]
    fn max_or_nan(self, other: Self) -> Self {
        if Scalar::is_nan(self) || self >= other { self } else { other }
    }

    /// The smaller of two, or NaN if one is NaN.
    #[inline]
    fn min_or_nan(self, other: Self) -> Self {
        if Scalar::is_nan(self) || self <= other { self } else { other }
    }

    /// The error function's complement, 1 − erf(x), without cancellation.
    fn erfc(self) -> Self;

    /// One product of matrices, the hot kernel behind [`Tensor::matmul`](crate::Tensor::matmul).
    #[doc(hidden)]
    fn gemm(operands: crate::product::Operands<'_, Self>);
}

macro_rules! scalar {
    ($t:ident, $erfc:path) => {
        impl Scalar for $t {
            const EPSILON: Self = $t::EPSILON;
            const NAN: Self = $t::NAN;
            const INFINITY: Self = $t::INFINITY;
            const NEG_INFINITY: Self = $t::NEG_INFINITY;

            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }

            #[inline]
            fn as_f64(self) -> f64 {
                self.into()
            }

            #[inline]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }

            #[inline]
            fn erfc(self) -> Self {
                $erfc(self)
            }

            fn gemm(operands: crate::product::Operands<'_, Self>) {
                crate::product::gemm(operands);
            }
        }
    };
}

scalar!(f32, libm::erfcf);
scalar!(f64, libm::erfc);
