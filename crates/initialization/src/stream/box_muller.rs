//! Box and Muller's transformation: from two uniform numbers to two normal ones.

use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Scalar;
use gradus_tensor::math::{ln, ln_of_normal, sin_cos_turns};

pub(crate) const FORMULA: Formula = Formula {
    id: "box-muller",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Box and Muller's transformation",
    latex: r"z_1 = \sqrt{-2 \ln u}\, \cos 2\pi v, \qquad z_2 = \sqrt{-2 \ln u}\, \sin 2\pi v",
    unicode: "z₁ = √(−2 ln u)·cos 2πv, z₂ = √(−2 ln u)·sin 2πv",
    symbols: &[
        Symbol {
            latex: "u",
            code: "u",
            meaning: "uniform on (0, 1]: it makes the radius",
            shape: "[]",
            unit: "probability",
        },
        Symbol {
            latex: "v",
            code: "v",
            meaning: "uniform over a turn, independent of u: the angle",
            shape: "[]",
            unit: "turns",
        },
        Symbol {
            latex: "z_1, z_2",
            code: "z",
            meaning: "two independent standard normal numbers",
            shape: "[2]",
            unit: "1",
        },
    ],
    source: "Box & Muller 1958, A Note on the Generation of Random Normal Deviates",
    item: item!(fn box_muller),
    chapter: "initialization",
    printed: None,
};

/// Two independent standard normal numbers of two uniform ones.
///
/// **Formula** `box-muller`: √(−2 ln u)·(cos 2πv, sin 2πv), u on (0, 1], v over one turn.
///
/// **Shapes**: two numbers in, two out. **Units**: v in turns.
///
/// **Numerics**: the largest radius is that of the smallest u: 5.8 for 24 bits, 6.7 for 32, 8.6 for 53.
///
/// **Errors**: none; u = 0 gives infinities (or NaN), a u outside of (0, 1] NaN.
///
/// **Source**: Box & Muller 1958.
///
/// ```
/// use gradus_initialization::box_muller;
/// let (z1, z2) = box_muller((-2.0f64).exp(), 0.25); // radius √4, straight up
/// assert!(z1 == 0.0 && (z2 - 2.0).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn box_muller<T: Scalar>(u: T, v: T) -> (T, T) {
    turned(ln(u), v)
}

/// [`box_muller`], with its bits, of a u that is neither 0 nor subnormal.
#[inline(always)]
pub(super) fn of_normal<T: Scalar>(u: T, v: T) -> (T, T) {
    turned(ln_of_normal(u), v)
}

#[inline(always)]
fn turned<T: Scalar>(ln_u: T, v: T) -> (T, T) {
    let (sin, cos) = sin_cos_turns(v);
    let radius = (T::of(-2.0) * ln_u).sqrt();
    (radius * cos, radius * sin)
}
