//! The hard variants: pieces of straight lines in place of sigmoid, tanh and SiLU, for machines where exp is dear.

use crate::activation::X;
use crate::{Activation, Course, Facts};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::Scalar;

pub(crate) const FORMULA_SIGMOID: Formula = Formula {
    id: "hard-sigmoid",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Hard sigmoid",
    latex: r"\operatorname{hardsigmoid}(x) = \min\left(1, \max\left(0, \frac{x + 3}{6}\right)\right)",
    unicode: "hardsigmoid(x) = (x + 3)/6, cut to 0…1",
    symbols: &[X],
    source: "Howard et al. 2019, §5.2",
    item: item!(fn hard_sigmoid),
    chapter: "activations",
    printed: None,
};

pub(crate) const FORMULA_TANH: Formula = Formula {
    id: "hard-tanh",
    title: "Hard tanh",
    latex: r"\operatorname{hardtanh}(x) = \min(1, \max(-1, x))",
    unicode: "hardtanh(x) = x, cut to −1…1",
    source: "Collobert 2004, §6.2",
    item: item!(fn hard_tanh),
    ..FORMULA_SIGMOID
};

pub(crate) const FORMULA_SWISH: Formula = Formula {
    id: "hard-swish",
    title: "Hard swish",
    latex: r"\operatorname{hardswish}(x) = x \cdot \operatorname{hardsigmoid}(x)",
    unicode: "hardswish(x) = x·hardsigmoid(x)",
    source: "Howard et al. 2019, §5.2",
    item: item!(fn hard_swish),
    ..FORMULA_SIGMOID
};

/// x cut to low…high; a NaN passes.
#[inline(always)]
fn cut<T: Scalar>(x: T, low: T, high: T) -> T {
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// `inside` strictly within low…high, else `outside`; a NaN passes.
#[inline(always)]
fn slope<T: Scalar>(x: T, low: T, high: T, inside: T, outside: T) -> T {
    if x > low && x < high {
        inside
    } else if x <= low || x >= high {
        outside
    } else {
        x
    }
}

/// The hard sigmoid.
///
/// **Formula** `hard-sigmoid`: (x + 3)/6, cut to 0…1. (Keras' older form is 0.2x + 0.5, cut.)
///
/// **Shapes**: elementwise. **Units**: between 0 and 1.
///
/// **Gradient**: 1/6 for −3 < x < 3, else 0, the kinks among it: [`hard_sigmoid_derivative`].
///
/// **Numerics**: one rounding. **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Howard et al. 2019, §5.2.
///
/// ```
/// use gradus_activations::hard_sigmoid;
/// assert_eq!([hard_sigmoid(-4.0), hard_sigmoid(0.0), hard_sigmoid(1.5), hard_sigmoid(9.0)], [0.0, 0.5, 0.75, 1.0]);
/// ```
#[inline(always)]
pub fn hard_sigmoid<T: Scalar>(x: T) -> T {
    cut((x + T::of(3.0)) / T::of(6.0), T::ZERO, T::ONE)
}

/// The derivative of [`hard_sigmoid`]: 1/6 for −3 < x < 3, else 0.
///
/// ```
/// assert_eq!(gradus_activations::hard_sigmoid_derivative(3.0), 0.0);
/// ```
#[inline(always)]
pub fn hard_sigmoid_derivative<T: Scalar>(x: T) -> T {
    slope(x, T::of(-3.0), T::of(3.0), T::ONE / T::of(6.0), T::ZERO)
}

/// The hard tanh.
///
/// **Formula** `hard-tanh`: x, cut to −1…1.
///
/// **Shapes**: elementwise. **Units**: those of x.
///
/// **Gradient**: 1 for −1 < x < 1, else 0, the kinks among it: [`hard_tanh_derivative`].
///
/// **Numerics**: exact. **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Collobert 2004, §6.2.
///
/// ```
/// use gradus_activations::hard_tanh;
/// assert_eq!([hard_tanh(-4.0), hard_tanh(0.5), hard_tanh(9.0)], [-1.0, 0.5, 1.0]);
/// ```
#[inline(always)]
pub fn hard_tanh<T: Scalar>(x: T) -> T {
    cut(x, -T::ONE, T::ONE)
}

/// The derivative of [`hard_tanh`]: 1 for −1 < x < 1, else 0.
///
/// ```
/// assert_eq!(gradus_activations::hard_tanh_derivative(0.5), 1.0);
/// ```
#[inline(always)]
pub fn hard_tanh_derivative<T: Scalar>(x: T) -> T {
    slope(x, -T::ONE, T::ONE, T::ONE, T::ZERO)
}

/// The hard swish.
///
/// **Formula** `hard-swish`: x·hardsigmoid(x).
///
/// **Shapes**: elementwise. **Units**: 1; at least −3/8, taken at x = −3/2.
///
/// **Gradient**: 0 for x ≤ −3, (2x + 3)/6 between, 1 for x ≥ 3: [`hard_swish_derivative`].
///
/// **Numerics**: a few roundings; −∞ gives −0. **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Howard et al. 2019, §5.2.
///
/// ```
/// use gradus_activations::hard_swish;
/// assert_eq!([hard_swish(-4.0), hard_swish(-1.5), hard_swish(9.0)], [0.0, -0.375, 9.0]);
/// ```
#[inline(always)]
pub fn hard_swish<T: Scalar>(x: T) -> T {
    if x == T::NEG_INFINITY { -T::ZERO } else { x * hard_sigmoid(x) }
}

/// The derivative of [`hard_swish`]: 0 for x ≤ −3, (2x + 3)/6 between, 1 for x ≥ 3.
///
/// ```
/// assert_eq!(gradus_activations::hard_swish_derivative(0.0), 0.5);
/// ```
#[inline(always)]
pub fn hard_swish_derivative<T: Scalar>(x: T) -> T {
    let three = T::of(3.0);
    if x >= three { T::ONE } else { slope(x, -three, three, (x + x + three) / T::of(6.0), T::ZERO) }
}

/// [`hard_sigmoid`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct HardSigmoid;

impl Activation for HardSigmoid {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        hard_sigmoid(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        hard_sigmoid_derivative(x)
    }

    fn facts(self) -> Facts {
        let (lipschitz, kinks) = (1.0 / 6.0, &[-3.0, 3.0]);
        Facts { low: 0.0, high: 1.0, lipschitz, steepest: 0.0, course: Course::Rising, kinks }
    }
}

/// [`hard_tanh`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct HardTanh;

impl Activation for HardTanh {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        hard_tanh(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        hard_tanh_derivative(x)
    }

    fn facts(self) -> Facts {
        let kinks = &[-1.0, 1.0];
        Facts { low: -1.0, high: 1.0, lipschitz: 1.0, steepest: 0.0, course: Course::Rising, kinks }
    }
}

/// [`hard_swish`] as an [`Activation`].
#[derive(Debug, Clone, Copy)]
pub struct HardSwish;

impl Activation for HardSwish {
    #[inline(always)]
    fn value<T: Scalar>(self, x: T) -> T {
        hard_swish(x)
    }

    #[inline(always)]
    fn derivative<T: Scalar>(self, x: T) -> T {
        hard_swish_derivative(x)
    }

    fn facts(self) -> Facts {
        Facts {
            low: -0.375,
            high: f64::INFINITY,
            // The slope just before 3 is 3/2; after it, 1.
            lipschitz: 1.5,
            steepest: 2.9999,
            course: Course::Turns(-1.5),
            kinks: &[-3.0, 3.0],
        }
    }
}
