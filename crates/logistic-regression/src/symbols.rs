//! The symbols that the formulas share.

use gradus_formula::Symbol;

pub(crate) const X: Symbol = Symbol {
    latex: "X",
    code: "x",
    meaning: "the data, a sample in each row",
    shape: "[N, D]",
    unit: "those of the data",
};
pub(crate) const X_I: Symbol = Symbol {
    latex: "x_i",
    code: "x",
    meaning: "sample i, a row of X",
    shape: "[N, D]",
    unit: "those of the data",
};
pub(crate) const THETA: Symbol = Symbol {
    latex: r"\theta",
    code: "theta",
    meaning: "the coefficients: what a unit of a feature adds to the log-odds",
    shape: "[D]",
    unit: "nats a unit of x",
};
pub(crate) const LABEL: Symbol = Symbol {
    latex: "y_i",
    code: "labels",
    meaning: "the label of sample i: 0 or 1",
    shape: "[N]",
    unit: "class",
};
pub(crate) const PROBABILITY: Symbol = Symbol {
    latex: r"\hat y_i",
    code: "probability",
    meaning: "the predicted probability of label 1",
    shape: "[N]",
    unit: "probability",
};
pub(crate) const SIGMOID: Symbol = Symbol {
    latex: r"\sigma",
    code: "sigmoid",
    meaning: "the logistic sigmoid",
    shape: "[]",
    unit: "probability",
};
pub(crate) const N: Symbol =
    Symbol { latex: "n", code: "n", meaning: "the number of samples", shape: "[]", unit: "count" };
pub(crate) const WEIGHTS: Symbol = Symbol {
    latex: "W",
    code: "weights",
    meaning: "the diagonal matrix of the variances ŷᵢ(1 − ŷᵢ) of the labels",
    shape: "[N, N]",
    unit: "probability²",
};
pub(crate) const SCORES_THETA: Symbol = Symbol {
    latex: r"\theta_k",
    code: "theta",
    meaning: "the coefficients of class k, a column",
    shape: "[D, K]",
    unit: "nats a unit of x",
};
pub(crate) const CLASS_PROBABILITIES: Symbol = Symbol {
    latex: "p_{ik}",
    code: "p",
    meaning: "the predicted probability of class k for sample i",
    shape: "[N, K]",
    unit: "probability",
};
