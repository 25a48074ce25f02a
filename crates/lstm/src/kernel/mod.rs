//! The whole sequence as one computation: where its rows lie, its products, and the passes over the gates.
//!
//! The samples are shared out among the cores, and each core walks through all steps of its samples alone: nobody waits for anybody
//! within a step. A sample's values depend on no other sample, so the number of cores changes no bit.

mod backward;
mod cell;
mod forward;
mod panels;
mod steps;

pub(crate) use backward::{Cotangent, back};
pub(crate) use forward::{Kept, run};
pub(crate) use steps::Steps;

use gradus_tensor::Scalar;

/// The numbers of one sequence operation, as they lie.
#[derive(Clone, Copy)]
pub(crate) struct Operands<'a, T> {
    /// The inputs, `[N, T, D]`.
    pub(crate) x: &'a [T],
    /// The states before the first step, `[N, H]`.
    pub(crate) h0: &'a [T],
    pub(crate) c0: &'a [T],
    /// The weights of the inputs, `[D, 4H]`, and of the state before, `[H, 4H]`; the bias, `[4H]`. Gates i, f, g, o.
    pub(crate) input: &'a [T],
    pub(crate) recurrent: &'a [T],
    pub(crate) bias: &'a [T],
    /// The peepholes of i, f and o, `[3, H]`, or nothing.
    pub(crate) peepholes: &'a [T],
    /// D and H.
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
}

impl<T: Scalar> Operands<'_, T> {
    /// The width of a row of gates: 4H, rounded up to what the inner product takes.
    pub(crate) fn width(&self) -> usize {
        (4 * self.hidden).next_multiple_of(panels::WIDE)
    }
}

/// Takes the first elements off a slice.
fn part<'a, T>(rest: &mut &'a mut [T], size: usize) -> &'a mut [T] {
    let (part, others) = std::mem::take(rest).split_at_mut(size);
    *rest = others;
    part
}
