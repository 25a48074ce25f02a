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
pub(crate) const Y: Symbol = Symbol {
    latex: "y",
    code: "y",
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
pub(crate) const THETA: Symbol = Symbol {
    latex: r"\theta",
    code: "theta",
    meaning: "the coefficients of the linear model",
    shape: "[D]",
    unit: "y a unit of x",
};
pub(crate) const N: Symbol =
    Symbol { latex: "n", code: "n", meaning: "the number of samples", shape: "[]", unit: "count" };
pub(crate) const LAMBDA: Symbol = Symbol {
    latex: r"\lambda_{\mathrm{ridge}}",
    code: "lambda",
    meaning: "the ridge: how much a large coefficient costs",
    shape: "[]",
    unit: "x²",
};
