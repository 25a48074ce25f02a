//! The symbols that several formulas share.

use gradus_formula::Symbol;

pub(crate) const THETA: Symbol = Symbol {
    latex: r"\theta",
    code: "theta",
    meaning: "a parameter that is learned",
    shape: "any",
    unit: "its own",
};
pub(crate) const GRADIENT: Symbol = Symbol {
    latex: "g",
    code: "gradient",
    meaning: "the gradient of the loss at θ, of a batch",
    shape: "as θ",
    unit: "loss per unit of θ",
};
pub(crate) const RATE: Symbol = Symbol {
    latex: r"\eta",
    code: "rate",
    meaning: "the learning rate",
    shape: "[]",
    unit: "square of θ's unit per loss",
};
pub(crate) const MU: Symbol = Symbol {
    latex: r"\mu",
    code: "mu",
    meaning: "the momentum: how much of the velocity a step keeps",
    shape: "[]",
    unit: "1",
};
pub(crate) const VELOCITY: Symbol = Symbol {
    latex: "v",
    code: "velocity",
    meaning: "the velocity: what is left of all steps before, 0 at first",
    shape: "as θ",
    unit: "as g, or as θ in the classical form",
};
pub(crate) const DECAY: Symbol = Symbol {
    latex: r"\lambda",
    code: "lambda",
    meaning: "the weight decay",
    shape: "[]",
    unit: "loss per square of θ's unit",
};
pub(crate) const EPSILON: Symbol = Symbol {
    latex: r"\varepsilon",
    code: "epsilon",
    meaning: "what keeps the quotient finite where all gradients are 0; added after the root",
    shape: "[]",
    unit: "as g",
};
pub(crate) const STEP: Symbol = Symbol {
    latex: "t",
    code: "step",
    meaning: "the number of the step; the first is 0 in a schedule, 1 in an update",
    shape: "[]",
    unit: "count",
};
pub(crate) const PEAK: Symbol = Symbol {
    latex: r"\eta_{\max}",
    code: "peak",
    meaning: "the largest learning rate",
    shape: "[]",
    unit: "as η",
};
pub(crate) const FLOOR: Symbol = Symbol {
    latex: r"\eta_{\min}",
    code: "floor",
    meaning: "the smallest learning rate",
    shape: "[]",
    unit: "as η",
};
