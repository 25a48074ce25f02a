//! What a layer makes of the size of its input: the variance of a sum of products.

use crate::symbols::{FAN_IN, INPUT, SUM, VARIANCE, WEIGHT};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "xavier-var-sum",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "The variance of a layer's sum",
    latex: r"\operatorname{Var}(s) = \operatorname{Var}\Bigl(\sum_{i=1}^{n} w_i x_i\Bigr) = n \operatorname{Var}(w)\, E[x^2]",
    unicode: "Var(s) = Var(Σᵢ wᵢxᵢ) = n·Var(w)·E[x²]",
    symbols: &[
        SUM,
        FAN_IN,
        WEIGHT,
        INPUT,
        VARIANCE,
        Symbol {
            latex: "E[x^2]",
            code: "second_moment",
            meaning: "the second moment of the inputs: Var(x) + E[x]²",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Glorot & Bengio 2010, §4.2.1, eq. 5; He, Zhang, Ren & Sun 2015, eq. 7",
    item: item!(fn sum_variance),
    chapter: "initialization",
    printed: Some(Printed {
        latex: r"\operatorname{Var}(s) = \sum_i^n \operatorname{Var}(x_i)\operatorname{Var}(w_i) = n \operatorname{Var}(w)\operatorname{Var}(x)",
        reason: "It needs E[x] = 0, which is not said, and which is false behind a ReLU: then E[x]² is missing.",
        counterexample: "x = max(0, z) with standard normal z and n·Var(w) = 1: Var(s) = E[x²] = 0.5; printed, Var(x) = 0.341.",
    }),
};

/// The variance of a layer's sum.
///
/// **Formula** `xavier-var-sum`: Var(s) = n·Var(w)·E\[x²\], n the fan-in; the weights independent of each other and of the inputs, with mean 0. The inputs may
/// depend on each other and have any mean.
///
/// **Shapes**: numbers. **Units**: the square of the inputs'.
///
/// **Numerics**: two products.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: Glorot & Bengio 2010, eq. 5 (for mean 0); He et al. 2015, eq. 7.
///
/// ```
/// use gradus_initialization::sum_variance;
/// // 100 weights of variance 1/100, inputs that are all 3: their variance is 0, that of the sum is not.
/// assert_eq!(sum_variance(100, 0.01, 9.0), 9.0);
/// ```
pub fn sum_variance(fan_in: usize, variance: f64, second_moment: f64) -> f64 {
    fan_in as f64 * variance * second_moment
}
