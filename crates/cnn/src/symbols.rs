//! The letters of the shapes' formulas.

use gradus_formula::Symbol;

pub(crate) const O: Symbol =
    Symbol { latex: "O", code: "output", meaning: "the windows that fit", shape: "[]", unit: "count" };
pub(crate) const N: Symbol =
    Symbol { latex: "N", code: "n", meaning: "the elements along the axis", shape: "[]", unit: "count" };
pub(crate) const F: Symbol =
    Symbol { latex: "F", code: "size", meaning: "the window's taps", shape: "[]", unit: "count" };
pub(crate) const S: Symbol = Symbol {
    latex: "S",
    code: "stride",
    meaning: "how far the window moves from one output to the next",
    shape: "[]",
    unit: "elements",
};
pub(crate) const D: Symbol = Symbol {
    latex: "D",
    code: "dilation",
    meaning: "how far apart two neighbouring taps are",
    shape: "[]",
    unit: "elements",
};
pub(crate) const E: Symbol = Symbol {
    latex: "E",
    code: "extent",
    meaning: "the window's extent, from its first tap to its last",
    shape: "[]",
    unit: "elements",
};
pub(crate) const P: Symbol = Symbol {
    latex: "P",
    code: "padding",
    meaning: "the padding, before and after the elements",
    shape: "[2]",
    unit: "elements",
};
