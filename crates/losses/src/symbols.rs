//! The symbols that several losses share.

use gradus_formula::Symbol;

pub(crate) const N: Symbol =
    Symbol { latex: "n", code: "n", meaning: "the number of samples", shape: "[]", unit: "count" };
pub(crate) const Y: Symbol = Symbol {
    latex: "y",
    code: "target",
    meaning: "the true value",
    shape: "[N] or [N, D]",
    unit: "those of the data",
};
pub(crate) const Y_HAT: Symbol = Symbol {
    latex: r"\hat y",
    code: "prediction",
    meaning: "the model's prediction",
    shape: "as y",
    unit: "those of the data",
};
pub(crate) const LABEL: Symbol = Symbol {
    latex: "y_i",
    code: "target",
    meaning: "the label of sample i: 0 or 1, or between for soft labels",
    shape: "[N]",
    unit: "probability",
};
pub(crate) const PROBABILITY: Symbol = Symbol {
    latex: r"\hat y_i",
    code: "probability",
    meaning: "the predicted probability of label 1",
    shape: "[N]",
    unit: "probability",
};
pub(crate) const LOGIT: Symbol = Symbol {
    latex: "z",
    code: "logit",
    meaning: "the logit: the log-odds that the model gives",
    shape: "[N]",
    unit: "nats",
};
pub(crate) const SCORES: Symbol = Symbol {
    latex: "s",
    code: "scores",
    meaning: "the scores (logits) of one sample, one a class",
    shape: "[N, K]",
    unit: "nats",
};
pub(crate) const CLASS: Symbol =
    Symbol { latex: "y", code: "target", meaning: "the true class", shape: "[N]", unit: "class" };
