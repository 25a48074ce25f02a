//! The symbols that the formulas share.

use gradus_formula::Symbol;

pub(crate) const X0: Symbol =
    Symbol { latex: "x_0", code: "x0", meaning: "the data", shape: "[N, …]", unit: "that of the data" };
pub(crate) const XT: Symbol = Symbol {
    latex: "x_t",
    code: "x",
    meaning: "the data after t steps of noise; x_T is nearly nothing else",
    shape: "[N, …]",
    unit: "that of the data",
};
pub(crate) const T: Symbol =
    Symbol { latex: "t", code: "t", meaning: "the step, 1 to T; 0 is the data", shape: "[N]", unit: "steps" };
pub(crate) const BETA: Symbol = Symbol {
    latex: r"\beta_t",
    code: "beta",
    meaning: "the variance of the noise of step t, between 0 and 1",
    shape: "[T]",
    unit: "1",
};
pub(crate) const ALPHA: Symbol = Symbol {
    latex: r"\alpha_t",
    code: "alpha",
    meaning: "1 − βₜ: what step t leaves of the variance",
    shape: "[T]",
    unit: "1",
};
pub(crate) const ALPHA_BAR: Symbol = Symbol {
    latex: r"\bar\alpha_t",
    code: "alpha_bar",
    meaning: "the product of α₁ to αₜ: what t steps leave of the variance; 1 at t = 0",
    shape: "[T + 1]",
    unit: "1",
};
pub(crate) const EPS: Symbol = Symbol {
    latex: r"\epsilon",
    code: "noise",
    meaning: "standard normal numbers",
    shape: "[N, …]",
    unit: "1",
};
pub(crate) const EPS_THETA: Symbol = Symbol {
    latex: r"\epsilon_\theta",
    code: "denoise",
    meaning: "the network's prediction of the noise in its input",
    shape: "[N, …]",
    unit: "1",
};
pub(crate) const SIGMA: Symbol = Symbol {
    latex: r"\sigma_t",
    code: "variance",
    meaning: "the deviation of the reverse step",
    shape: "[]",
    unit: "that of the data",
};
pub(crate) const DATA_HAT: Symbol = Symbol {
    latex: r"\hat x_0",
    code: "data",
    meaning: "the data as the network's output says it",
    shape: "[N, …]",
    unit: "that of the data",
};
