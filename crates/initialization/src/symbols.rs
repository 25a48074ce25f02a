//! Symbols that several formulas share.

use gradus_formula::Symbol;

pub(crate) const VARIANCE: Symbol = Symbol {
    latex: r"\operatorname{Var}(w)",
    code: "variance",
    meaning: "the variance of each weight",
    shape: "[]",
    unit: "1",
};
pub(crate) const FAN_IN: Symbol = Symbol {
    latex: "n",
    code: "fan_in",
    meaning: "how many inputs each output sums over",
    shape: "[]",
    unit: "count",
};
pub(crate) const SUM: Symbol = Symbol {
    latex: "s",
    code: "s",
    meaning: "the output before the activation, the sum of wᵢxᵢ",
    shape: "[]",
    unit: "1",
};
pub(crate) const INPUT: Symbol = Symbol {
    latex: "x",
    code: "x",
    meaning: "an input, independent of the weights; all have one distribution",
    shape: "[n]",
    unit: "1",
};
pub(crate) const WEIGHT: Symbol = Symbol {
    latex: "w",
    code: "w",
    meaning: "a weight; all are independent, with mean 0 and one variance",
    shape: "[n]",
    unit: "1",
};
