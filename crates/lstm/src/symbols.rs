//! The symbols that the equations share.

use gradus_formula::Symbol;

pub(crate) const X: Symbol =
    Symbol { latex: "x_t", code: "x", meaning: "the input of step t", shape: "[N, D]", unit: "any" };
pub(crate) const H_BEFORE: Symbol = Symbol {
    latex: "h_{t-1}",
    code: "h",
    meaning: "the output of the step before",
    shape: "[N, H]",
    unit: "1, within (−1, 1)",
};
pub(crate) const H_AFTER: Symbol =
    Symbol { latex: "h_t", code: "h", meaning: "the output", shape: "[N, H]", unit: "1, within (−1, 1)" };
pub(crate) const C_BEFORE: Symbol = Symbol {
    latex: "C_{t-1}",
    code: "before",
    meaning: "the cell before the step",
    shape: "[N, H]",
    unit: "1",
};
pub(crate) const C_AFTER: Symbol =
    Symbol { latex: "C_t", code: "cell", meaning: "the cell after the step", shape: "[N, H]", unit: "1" };
pub(crate) const FORGET: Symbol = Symbol {
    latex: "f_t",
    code: "forget",
    meaning: "the forget gate: how much of the cell stays",
    shape: "[N, H]",
    unit: "1, within (0, 1)",
};
pub(crate) const INPUT: Symbol = Symbol {
    latex: "i_t",
    code: "input",
    meaning: "the input gate: how much of the candidate comes in",
    shape: "[N, H]",
    unit: "1, within (0, 1)",
};
pub(crate) const CANDIDATE: Symbol = Symbol {
    latex: "g_t",
    code: "candidate",
    meaning: "the candidate: what could be added, or taken away",
    shape: "[N, H]",
    unit: "1, within (−1, 1)",
};
pub(crate) const OUTPUT: Symbol = Symbol {
    latex: "o_t",
    code: "output",
    meaning: "the output gate: how much of the cell is shown",
    shape: "[N, H]",
    unit: "1, within (0, 1)",
};

/// The weights and the bias of a gate, under its letter.
macro_rules! weights {
    ($letter:literal) => {
        [
            gradus_formula::Symbol {
                latex: concat!(r"\theta_{x", $letter, "}"),
                code: "weights.x",
                meaning: "the weights of the inputs",
                shape: "[D, H]",
                unit: "1 per unit of the inputs",
            },
            gradus_formula::Symbol {
                latex: concat!(r"\theta_{h", $letter, "}"),
                code: "weights.h",
                meaning: "the weights of the outputs before",
                shape: "[H, H]",
                unit: "1",
            },
            gradus_formula::Symbol {
                latex: concat!("b_", $letter),
                code: "weights.b",
                meaning: "the bias",
                shape: "[H]",
                unit: "1",
            },
        ]
    };
}
pub(crate) use weights;
