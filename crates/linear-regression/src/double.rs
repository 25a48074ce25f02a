//! Double-double arithmetic: a number as the unevaluated sum of two doubles, 106 bits together.
//!
//! The building blocks are error-free: `two_sum` and `two_product` return a rounded result and exactly what the rounding
//! took. (Dekker 1971; Knuth 1969; Hida, Li & Bailey 2001.)

use std::ops::{Add, Div, Mul, Neg, Sub};

/// hi + lo, with |lo| at most half a unit in the last place of hi.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Double {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

/// a + b and its rounding error, exactly.
#[inline(always)]
pub(crate) fn two_sum(a: f64, b: f64) -> Double {
    let hi = a + b;
    let part = hi - a;
    Double { hi, lo: (a - (hi - part)) + (b - part) }
}

/// a·b and its rounding error, exactly, by one fused multiply-add.
#[inline(always)]
pub(crate) fn two_product(a: f64, b: f64) -> Double {
    let hi = a * b;
    Double { hi, lo: a.mul_add(b, -hi) }
}

/// The sum of two numbers of which the first is the larger.
fn quick(hi: f64, lo: f64) -> Double {
    let sum = hi + lo;
    Double { hi: sum, lo: lo - (sum - hi) }
}

impl Double {
    pub(crate) const ZERO: Self = Self { hi: 0.0, lo: 0.0 };
    pub(crate) const ONE: Self = Self { hi: 1.0, lo: 0.0 };

    pub(crate) fn sqrt(self) -> Self {
        if self.hi <= 0.0 {
            return Self { hi: self.hi.sqrt(), lo: 0.0 };
        }
        // One Newton step on the double square root.
        let root = self.hi.sqrt();
        let rest = self - two_product(root, root);
        quick(root, rest.hi / (2.0 * root))
    }

    pub(crate) fn value(self) -> f64 {
        self.hi + self.lo
    }
}

impl From<f64> for Double {
    fn from(hi: f64) -> Self {
        Self { hi, lo: 0.0 }
    }
}

impl Neg for Double {
    type Output = Self;
    fn neg(self) -> Self {
        Self { hi: -self.hi, lo: -self.lo }
    }
}

impl Add for Double {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (s, t) = (two_sum(self.hi, other.hi), two_sum(self.lo, other.lo));
        let s = quick(s.hi, s.lo + t.hi);
        quick(s.hi, s.lo + t.lo)
    }
}

impl Sub for Double {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let p = two_product(self.hi, other.hi);
        quick(p.hi, p.lo + (self.hi * other.lo + self.lo * other.hi))
    }
}

impl Div for Double {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        // Long division, three digits of 53 bits.
        let q1 = self.hi / other.hi;
        let r = self - other * Self::from(q1);
        let q2 = r.hi / other.hi;
        let r = r - other * Self::from(q2);
        quick(q1, q2) + Self::from(r.hi / other.hi)
    }
}

/// Σ xᵢyᵢ − correct to double-double.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> Double {
    x.iter().zip(y).fold(Double::ZERO, |sum, (&x, &y)| sum + two_product(x, y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_what_doubles_lose() {
        let third = Double::ONE / Double::from(3.0);
        let error = third * Double::from(3.0) - Double::ONE;
        assert!(error.value().abs() < 1e-31, "{error:?}");
        let small = Double::ONE + Double::from(1e-25);
        assert_eq!((small - Double::ONE).value(), 1e-25);
        let root = Double::from(2.0).sqrt();
        assert!((root * root - Double::from(2.0)).value().abs() < 1e-31);
        assert_eq!(dot(&[1e16, 1.0, -1e16], &[1.0; 3]).value(), 1.0);
    }
}
