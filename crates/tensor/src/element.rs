//! What a tensor can store ([`Element`]) and what mathematics is generic over ([`Scalar`]).

use crate::buffer::List;
use crate::math::Level;
use crate::micro::Kernel;
use nalgebra::RealField;
use std::fmt::{Debug, Display};
use std::sync::Mutex;

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
    /// What tests find where a kernel forgot to write.
    #[doc(hidden)]
    const POISON: Self;

    /// The free buffers of this type, if they are kept.
    #[doc(hidden)]
    fn list() -> Option<&'static Mutex<List<Self>>>;
}

macro_rules! element {
    ($($t:ty, $d:ident, $zero:expr, $one:expr, $poison:expr;)*) => {$(
        impl Element for $t {
            const DTYPE: Dtype = Dtype::$d;
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const POISON: Self = $poison;

            #[inline]
            fn list() -> Option<&'static Mutex<List<Self>>> {
                static LIST: Mutex<List<$t>> = Mutex::new(List::new());
                cfg!(feature = "reuse").then_some(&LIST)
            }
        }
    )*};
}

element! {
    f32, F32, 0.0, 1.0, f32::NAN;
    f64, F64, 0.0, 1.0, f64::NAN;
    u32, U32, 0, 1, 0xDEAD_BEEF;
    bool, Bool, false, true, true;
}

/// What mathematics is generic over: `f64` for proofs, `f32` for speed.
///
/// The functions of a real number are those of [`math`](crate::math); nalgebra's [`RealField`] has methods of the same names, which call
/// the system's library.
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

    /// x·y + z with one rounding; with two in WebAssembly, which has no such instruction: there one rounding would cost as much as thirty products.
    fn mul_add(self, y: Self, z: Self) -> Self;

    /// The inner kernel of products at this level.
    #[doc(hidden)]
    fn kernel(level: Level) -> Kernel<Self>;

    /// A square's transpose, for copying a matrix whose columns lie in one piece.
    #[doc(hidden)]
    #[inline(always)]
    fn turned(square: [[Self; 4]; 4]) -> [[Self; 4]; 4] {
        crate::panels::turned(square)
    }

    /// A tile of XᵀX, the hot kernel behind [`Tensor::gram_of`](crate::Tensor::gram_of).
    #[doc(hidden)]
    fn tile(rows: &[Self], stride: usize, at: [usize; 2], sum: &mut [[Self; 8]; 6]) {
        crate::tall::plain_tile(rows, stride, at, sum);
    }
}

macro_rules! scalar {
    ($t:ident $($more:item)*) => {
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

            $($more)*

            #[inline(always)]
            fn mul_add(self, y: Self, z: Self) -> Self {
                if cfg!(target_family = "wasm") { self * y + z } else { $t::mul_add(self, y, z) }
            }
        }
    };
}

scalar! {
    f32
    fn kernel(level: Level) -> Kernel<f32> {
        crate::micro::f32_kernel(level)
    }
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turned(square: [[f32; 4]; 4]) -> [[f32; 4]; 4] {
        crate::panels::turned_f32(square)
    }
}
scalar! {
    f64
    fn kernel(level: Level) -> Kernel<f64> {
        crate::micro::f64_kernel(level)
    }
    fn tile(rows: &[f64], stride: usize, at: [usize; 2], sum: &mut [[f64; 8]; 6]) {
        crate::tall::tile(rows, stride, at, sum);
    }
}
