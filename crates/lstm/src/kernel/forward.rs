//! Forward: the inputs' products for some steps at once, then step after step the state's product and the gates.

use super::cell::{Sums, Written, step};
use super::panels::Panels;
use super::{Operands, Steps, part};
use gradus_tensor::kernel::{Rows, for_each_block, threads, vectorize};
use gradus_tensor::{Element, Result, Scalar, Tensor};
use std::ops::Range;

/// The steps whose input products are computed at once: enough rows for the product, few enough to stay in the cache.
const AT_ONCE: usize = 8;

/// What the way back needs, a row a step that is taken: the gates i, f, g, o, and C.
pub(crate) struct Kept<T: Element> {
    pub(crate) gates: Tensor<T>,
    pub(crate) cells: Tensor<T>,
}

/// A worker's samples, and its parts of what is written.
struct Share<'a, T> {
    samples: Range<usize>,
    out: &'a mut [T],
    gates: &'a mut [T],
    cells: &'a mut [T],
    done: Result<()>,
}

/// All steps: `[N, rows, H]`, of which a sample's first T are its outputs, 0 where it has no step; the two behind them, if `rows` is T + 2,
/// are its last h and C.
pub(crate) fn run<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    rows: usize,
    keep: bool,
) -> Result<(Tensor<T>, Kept<T>)> {
    let (hidden, width) = (operands.hidden, operands.width());
    let weights = [
        Panels::new(operands.input, operands.inputs, 4 * hidden)?,
        Panels::new(operands.recurrent, hidden, 4 * hidden)?,
    ];
    let kept = if keep { steps.rows() } else { 0 };
    let mut out = Tensor::compute([steps.samples(), rows, hidden], |_| ())?;
    let (mut gates, mut cells) =
        (Tensor::compute([kept, width], |_| ())?, Tensor::compute([kept, hidden], |_| ())?);
    let (mut rest, mut rest_gates, mut rest_cells) =
        (out.as_mut_slice(), gates.as_mut_slice(), cells.as_mut_slice());
    let mut shares: Vec<_> = (steps.shares(threads()).into_iter())
        .map(|samples| {
            let kept = if keep { steps.start(samples.end) - steps.start(samples.start) } else { 0 };
            let out = part(&mut rest, samples.len() * rows * hidden);
            let gates = part(&mut rest_gates, kept * width);
            Share { samples, out, gates, cells: part(&mut rest_cells, kept * hidden), done: Ok(()) }
        })
        .collect();
    for_each_block(&mut shares, 1, |_, shares| {
        for share in shares {
            share.done = walk(operands, steps, rows, &weights, share);
        }
    });
    shares.into_iter().try_for_each(|share| share.done)?;
    Ok((out, Kept { gates, cells }))
}

/// All steps of a worker's samples.
fn walk<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    rows: usize,
    [input, recurrent]: &[Panels<T>; 2],
    share: &mut Share<'_, T>,
) -> Result<()> {
    let Share { samples, out, gates, cells, .. } = share;
    let (inputs, hidden, width, n) = (operands.inputs, operands.hidden, operands.width(), samples.len());
    let longest = steps.longest(samples.clone());
    let keep = !gates.is_empty();
    let states = samples.start * hidden..samples.end * hidden;
    let (mut h, mut c) = (operands.h0[states.clone()].to_vec(), operands.c0[states].to_vec());
    let room = |rows: usize| Tensor::<T>::compute([rows, width], |_| ());
    let (mut by_inputs, mut by_state) = (room(n * AT_ONCE.min(longest))?, room(n)?);
    let h_starts: Vec<usize> = (0..n).map(|s| s * hidden).collect();
    let mut x_starts = Vec::new();
    let size = rows * hidden;
    for first in (0..longest).step_by(AT_ONCE) {
        let block = first..longest.min(first + AT_ONCE);
        x_starts.clear();
        for sample in samples.clone() {
            let length = steps.length(sample);
            // A sample that has ended has its first row multiplied; nobody reads the product.
            let time = |step| if step < length { steps.at(sample, step) } else { 0 };
            x_starts.extend(block.clone().map(|step| (sample * steps.time + time(step)) * inputs));
        }
        input.product(by_inputs.as_mut_slice(), Rows::new(operands.x, &x_starts, inputs)?)?;
        for t in block.clone() {
            recurrent.product(by_state.as_mut_slice(), Rows::new(&h, &h_starts, hidden)?)?;
            let (by_inputs, by_state) = (by_inputs.as_slice(), by_state.as_slice());
            vectorize(
                #[inline(always)]
                || {
                    for s in 0..n {
                        let (sample, states) = (samples.start + s, s * hidden..(s + 1) * hidden);
                        if t >= steps.length(sample) {
                            continue;
                        }
                        let sums = Sums {
                            inputs: &by_inputs[(s * block.len() + t - first) * width..][..width],
                            recurrent: &by_state[s * width..][..width],
                            bias: operands.bias,
                            peepholes: operands.peepholes,
                        };
                        let kept = if keep {
                            let row = steps.start(sample) - steps.start(samples.start) + t;
                            let cells = &mut cells[row * hidden..][..hidden];
                            Some([&mut gates[row * width..][..width], cells])
                        } else {
                            None
                        };
                        let out = &mut out[s * size + steps.at(sample, t) * hidden..][..hidden];
                        let (cell, state) = (&mut c[states.clone()], &mut h[states]);
                        step(&sums, Written { cell, state, out, kept });
                    }
                },
            );
        }
    }
    for (s, out) in out.chunks_mut(size.max(1)).enumerate() {
        let (padding, last) = out.split_at_mut(steps.time * hidden);
        padding[steps.length(samples.start + s) * hidden..].fill(T::ZERO);
        if let [h_row, c_row] = &mut last.chunks_mut(hidden).collect::<Vec<_>>()[..] {
            h_row.copy_from_slice(&h[s * hidden..][..hidden]);
            c_row.copy_from_slice(&c[s * hidden..][..hidden]);
        }
    }
    Ok(())
}
