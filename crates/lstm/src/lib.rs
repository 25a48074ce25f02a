#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod bptt;
mod candidate;
mod cell;
mod cell_update;
mod convert;
mod forget_gate;
mod gate;
mod gradient_flow;
mod gru;
mod input_gate;
mod kernel;
mod lstm;
mod output_gate;
#[cfg(feature = "properties")]
mod properties;
mod recurrence;
mod rnn;
mod symbols;

pub use bptt::{Unit, UnitGradient, bptt_step};
pub use candidate::candidate;
pub use cell::{CellState, LstmCell};
pub use cell_update::cell_update;
pub use convert::OnnxLstm;
pub use forget_gate::forget_gate;
pub use gate::{Gate, GateOrder, GateWeights};
pub use gradient_flow::{GradientFlow, cell_path, gradient_flow};
pub use gru::Gru;
pub use input_gate::input_gate;
pub use lstm::{Lstm, LstmShape, LstmState, LstmWeights};
pub use output_gate::{hidden_state, output_gate};
#[cfg(feature = "properties")]
pub use properties::{PROPERTIES, properties};
pub use recurrence::{Recurrence, Trace};
pub use rnn::{Rnn, rnn_jacobian};

use gradus_formula::Formula;

/// Every formula of this crate, in the order of the chapters.
pub const FORMULAS: &[Formula] = &[
    rnn::FORMULA,
    rnn::FORMULA_GRADIENT,
    gru::FORMULA,
    forget_gate::FORMULA,
    forget_gate::FORMULA_SEMANTICS,
    input_gate::FORMULA,
    candidate::FORMULA,
    cell_update::FORMULA,
    cell_update::FORMULA_WEIGHTS,
    output_gate::FORMULA,
    cell::FORMULA_LIST,
    cell::FORMULA,
    bptt::FORMULA,
    cell::FORMULA_SHARING,
    bptt::FORMULA_LEARNED,
    gradient_flow::FORMULA,
    gradient_flow::FORMULA_FIGURE,
];
