//! LeCun's variance 1/n, which the notes call Xavier's, and Glorot's own compromise between forward and backward.

use crate::Fans;
use crate::symbols::{FAN_IN, INPUT, SUM, VARIANCE};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};

/// As the notes begin: what one wants.
pub(crate) const FORMULA_PRESERVE: Formula = Formula {
    id: "xavier-preserve",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "A layer should keep the variance",
    latex: r"\operatorname{Var}(s) = \operatorname{Var}(x)",
    unicode: "Var(s) = Var(x)",
    symbols: &[SUM, INPUT],
    source: "Glorot & Bengio 2010, eq. 8; of gradients their eq. 9 says the same, and the notes nothing",
    item: item!(fn lecun_variance),
    chapter: "initialization",
    printed: None,
};

pub(crate) const FORMULA_UNDERBRACE: Formula = Formula {
    id: "xavier-underbrace",
    kind: Kind::Claim,
    verdict: Verdict::Wrong,
    title: "What has to be 1",
    latex: r"\underbrace{n \operatorname{Var}(w)}_{1} \operatorname{Var}(x) = \operatorname{Var}(x)",
    unicode: "n·Var(w) = 1 makes n·Var(w)·Var(x) = Var(x)",
    symbols: &[FAN_IN, VARIANCE, INPUT],
    source: "Glorot & Bengio 2010, eq. 10",
    item: item!(fn lecun_variance),
    chapter: "initialization",
    printed: Some(Printed {
        latex: r"n \cdot \underbrace{\operatorname{Var}(w)\operatorname{Var}(x)}_{1} = \operatorname{Var}(x)",
        reason: "The brace is under the wrong factors: read as printed, Var(x) would have to be n.",
        counterexample: "n = 100 inputs of variance 1, Var(w) = 1/Var(x) = 1: Var(s) = 100.",
    }),
};

pub(crate) const FORMULA: Formula = Formula {
    id: "xavier-var",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "Variance by fan-in",
    latex: r"\operatorname{Var}(w) = \frac{1}{n}",
    unicode: "Var(w) = 1/n",
    symbols: &[VARIANCE, FAN_IN],
    source: "LeCun, Bottou, Orr & Müller 1998, Efficient BackProp, §4.6, eq. 16",
    item: item!(fn lecun_variance),
    chapter: "initialization",
    printed: Some(Printed {
        latex: r"\text{Xavier: } \operatorname{Var}(w) = \frac{1}{n}",
        reason: "The formula is LeCun's of 1998. Xavier Glorot's of 2010 has both fans: 2/(n_in + n_out).",
        counterexample: "100 inputs, 400 outputs: 1/n = 0.010, Glorot's 2/500 = 0.004.",
    }),
};

pub(crate) const FORMULA_GLOROT: Formula = Formula {
    id: "glorot-var",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Glorot's variance",
    latex: r"\operatorname{Var}(w) = \frac{2}{n_{\text{in}} + n_{\text{out}}}",
    unicode: "Var(w) = 2/(n_in + n_out)",
    symbols: &[
        VARIANCE,
        Symbol {
            latex: r"n_{\text{in}}",
            code: "fan_in",
            meaning: "how many inputs each output sums over",
            shape: "[]",
            unit: "count",
        },
        Symbol {
            latex: r"n_{\text{out}}",
            code: "fan_out",
            meaning: "how many outputs each input has a part in",
            shape: "[]",
            unit: "count",
        },
    ],
    source: "Glorot & Bengio 2010, §4.2.1, eq. 12; eq. 16 for its uniform form",
    item: item!(fn glorot_variance),
    chapter: "initialization",
    printed: None,
};

/// The variance of weights that keeps the second moment on the way forward, without an activation.
///
/// **Formula** `xavier-var`: Var(w) = 1/n, n the fan-in.
///
/// **Shapes**: numbers. **Units**: 1.
///
/// **Numerics**: one division; ∞ for a fan-in of 0, which [`Init`](crate::Init) refuses.
///
/// **Errors**: none.
///
/// **Source**: LeCun, Bottou, Orr & Müller 1998, §4.6.
///
/// ```
/// assert_eq!(gradus_initialization::lecun_variance(100), 0.01);
/// ```
pub fn lecun_variance(fan_in: usize) -> f64 {
    1.0 / fan_in as f64
}

/// The variance of weights that keeps the signal and its gradient about equally well.
///
/// **Formula** `glorot-var`: Var(w) = 2/(n_in + n_out): the harmonic mean of what the way forward wants, 1/n_in, and what the way back
/// wants, 1/n_out.
///
/// **Shapes**: numbers. **Units**: 1.
///
/// **Numerics**: a sum and a division; ∞ if both fans are 0, which [`Init`](crate::Init) refuses.
///
/// **Errors**: none.
///
/// **Source**: Glorot & Bengio 2010, eq. 12.
///
/// ```
/// use gradus_initialization::{Fans, glorot_variance};
/// assert_eq!(glorot_variance(Fans::dense(100, 400)), 0.004);
/// ```
pub fn glorot_variance(fans: Fans) -> f64 {
    2.0 / (fans.fan_in as f64 + fans.fan_out as f64)
}
