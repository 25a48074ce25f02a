//! Elementary functions.
pub mod dispatch;
use crate::Scalar;
pub use dispatch::{Level, vectorize, vectorize_at};
macro_rules! fns { ($($n:ident)*) => {$(
/// f
#[inline(always)]
pub fn $n<T: Scalar>(x: T) -> T { x.$n() }
)*}}
fns! { exp exp_m1 ln ln_1p tanh sin cos erfc }
