//! He's variance: twice as much, for a ReLU leaves half of the second moment.

use crate::symbols::{FAN_IN, VARIANCE};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "he-var",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "He's variance",
    latex: r"\operatorname{Var}(w) = \frac{2}{(1 + a^2)\,n}, \qquad \text{ReLU, } a = 0\text{: } \frac{2}{n}",
    unicode: "Var(w) = 2/((1 + a²)·n); for the ReLU, a = 0, it is 2/n",
    symbols: &[
        VARIANCE,
        FAN_IN,
        Symbol {
            latex: "a",
            code: "slope",
            meaning: "the slope of a leaky ReLU below 0",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "He, Zhang, Ren & Sun 2015, §2.2, eq. 10 (forward), 14 (backward), 15 (with a slope)",
    item: item!(fn he_variance),
    chapter: "initialization",
    printed: Some(Printed {
        latex: r"\text{With ReLU (that kills half of the data): } \operatorname{Var}(w) = \frac{1}{n/2} = \frac{2}{n}",
        reason: "The formula is right, its reason is not: what the ReLU halves is the second moment, not the variance or the number of inputs.",
        counterexample: "z standard normal: E[relu(z)²] = ½, but Var(relu(z)) = ½ − 1/(2π) = 0.3408.",
    }),
};

/// The variance of weights that keeps the second moment through a (leaky) ReLU.
///
/// **Formula** `he-var`: Var(w) = 2/((1 + a²)·n), n the fan-in (or the fan-out, to keep the gradient), a the slope below 0.
///
/// **Shapes**: numbers. **Units**: 1.
///
/// **Numerics**: a huge slope gives 0, not a NaN; ∞ for a fan of 0, which [`Init`](crate::Init) refuses.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: He, Zhang, Ren & Sun 2015, eq. 10, 14, 15.
///
/// ```
/// use gradus_initialization::he_variance;
/// assert_eq!(he_variance(50, 0.0), 0.04);
/// assert_eq!(he_variance(50, 1.0), 0.02); // slope 1: no activation at all, 1/n
/// ```
pub fn he_variance(fan_in: usize, slope: f64) -> f64 {
    2.0 / ((1.0 + slope * slope) * fan_in as f64)
}
