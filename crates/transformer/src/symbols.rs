//! The symbols that the formulas share.

use gradus_formula::Symbol;

pub(crate) const Q: Symbol = Symbol {
    latex: "Q",
    code: "q",
    meaning: "the queries, one a row: what each position looks for",
    shape: "[…, T, d]",
    unit: "any",
};
pub(crate) const K: Symbol = Symbol {
    latex: "K",
    code: "k",
    meaning: "the keys, one a row: by what a position is found",
    shape: "[…, S, d]",
    unit: "any",
};
pub(crate) const V: Symbol = Symbol {
    latex: "V",
    code: "v",
    meaning: "the values, one a row: what a position gives when it is found",
    shape: "[…, S, dᵥ]",
    unit: "any",
};
pub(crate) const D_K: Symbol = Symbol {
    latex: "d_k",
    code: "d",
    meaning: "the numbers of a query and of a key",
    shape: "[]",
    unit: "1",
};
pub(crate) const N: Symbol =
    Symbol { latex: "n", code: "n", meaning: "the length of the sequence", shape: "[]", unit: "steps" };
pub(crate) const D: Symbol = Symbol {
    latex: "d",
    code: "d",
    meaning: "the width of the model: the numbers of a position",
    shape: "[]",
    unit: "1",
};
