//! Symbols that several formulas of this crate share.

use gradus_formula::Symbol;

pub(crate) const SAMPLES: Symbol =
    Symbol { latex: "n", code: "samples", meaning: "how many samples there are", shape: "[]", unit: "count" };

pub(crate) const EPOCH: Symbol = Symbol {
    latex: "e",
    code: "epoch",
    meaning: "the number of the epoch, from 0",
    shape: "[]",
    unit: "count",
};
