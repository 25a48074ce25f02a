//! Backward: through the gates step before step, the last one first, and then the weights' gradients of all steps in one product.

use super::cell::{Back, step_back};
use super::panels::Panels;
use super::{Kept, Operands, Steps, part};
use gradus_tensor::kernel::{Rows, View, for_each_block, product, threads, vectorize};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use std::ops::Range;

/// The rows of ∂L/∂x that are computed at once.
const ROWS: usize = 96;

/// The result of the forward pass and its cotangent, `[N, rows, H]`, of which a sample's first T rows are its outputs, and the two behind them,
/// if there are, its last h and C.
pub(crate) struct Cotangent<'a, T> {
    pub(crate) out: &'a [T],
    pub(crate) dy: &'a [T],
    pub(crate) rows: usize,
}

/// The gradients in x, h₀, C₀, the weights of the inputs and of the state, the bias, and the peepholes.
type Gradients<T> = [Option<Tensor<T>>; 7];

/// A worker's samples, and its parts of what is written.
struct Share<'a, T> {
    samples: Range<usize>,
    /// The derivatives of the four sums, a row a step.
    dz: &'a mut [T],
    /// ∂L/∂x, if it is wanted.
    dx: &'a mut [T],
    dh: &'a mut [T],
    dc: &'a mut [T],
    done: Result<()>,
}

/// The gradients that are wanted.
pub(crate) fn back<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    kept: &Kept<T>,
    from: &Cotangent<'_, T>,
    wants: [bool; 7],
) -> Result<Gradients<T>> {
    let (hidden, width) = (operands.hidden, operands.width());
    let [wants_x, wants_h, wants_c, wants_input, wants_recurrent, wants_bias, wants_peeps] = wants;
    let transposed = Panels::transposed(operands.recurrent, 4 * hidden, hidden)?;
    let inputs = if wants_x { operands.inputs } else { 0 };
    let transposed_input = Panels::transposed(&operands.input[..inputs * 4 * hidden], 4 * hidden, inputs)?;
    let room = |rows: usize, columns: usize| Tensor::<T>::compute([rows, columns], |_| ());
    let (mut dz, n) = (room(steps.rows(), width)?, steps.samples());
    let (mut dh, mut dc) = (room(n, hidden)?, room(n, hidden)?);
    let mut dx = Tensor::<T>::compute([n, steps.time, inputs], |_| ())?;
    let mut rest_x = dx.as_mut_slice();
    let (mut rest, mut rest_h, mut rest_c) = (dz.as_mut_slice(), dh.as_mut_slice(), dc.as_mut_slice());
    let mut shares: Vec<_> = (steps.shares(threads()).into_iter())
        .map(|samples| {
            let (taken, states) =
                (steps.start(samples.end) - steps.start(samples.start), samples.len() * hidden);
            let (dh, dc) = (part(&mut rest_h, states), part(&mut rest_c, states));
            let dx = part(&mut rest_x, samples.len() * steps.time * inputs);
            Share { samples, dz: part(&mut rest, taken * width), dx, dh, dc, done: Ok(()) }
        })
        .collect();
    for_each_block(&mut shares, 1, |_, shares| {
        for share in shares {
            share.done = walk(operands, steps, kept, from, &transposed, share).and_then(|()| match wants_x {
                true => {
                    by_inputs(operands, steps, share.dz, &transposed_input, (share.samples.clone(), share.dx))
                }
                false => Ok(()),
            });
        }
    });
    shares.into_iter().try_for_each(|share| share.done)?;
    let [input, recurrent, bias] = if wants_input || wants_recurrent || wants_bias {
        by_weights(operands, steps, from, &dz)?.map(Some)
    } else {
        [None, None, None]
    };
    let wanted = |gradient: Option<Tensor<T>>, wants: bool| gradient.filter(|_| wants);
    let peeps = if wants_peeps { Some(by_peepholes(operands, steps, kept, &dz)?) } else { None };
    Ok([
        wants_x.then_some(dx),
        wants_h.then_some(dh),
        wants_c.then_some(dc),
        wanted(input, wants_input),
        wanted(recurrent, wants_recurrent),
        wanted(bias, wants_bias),
        peeps,
    ])
}

/// All steps of a worker's samples, the last one first.
fn walk<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    kept: &Kept<T>,
    from: &Cotangent<'_, T>,
    transposed: &Panels<T>,
    share: &mut Share<'_, T>,
) -> Result<()> {
    let Share { samples, dz, dh, dc, .. } = share;
    let (hidden, width, n) = (operands.hidden, operands.width(), samples.len());
    let (first_row, columns, size) = (steps.start(samples.start), transposed.columns(), from.rows * hidden);
    // What the last h and C are worth, each sample's.
    let none = vec![T::ZERO; hidden];
    let last = |s: usize, which: usize| match from.rows > steps.time {
        true => &from.dy[(samples.start + s) * size + (steps.time + which) * hidden..][..hidden],
        false => &none[..],
    };
    for s in 0..n {
        dh[s * hidden..][..hidden].copy_from_slice(last(s, 0));
        dc[s * hidden..][..hidden].copy_from_slice(last(s, 1));
    }
    let mut next = Tensor::<T>::compute([n, columns], |_| ())?;
    let mut starts = vec![0; n];
    for t in (0..steps.longest(samples.clone())).rev() {
        vectorize(
            #[inline(always)]
            || {
                for s in 0..n {
                    let sample = samples.start + s;
                    let length = steps.length(sample);
                    if t >= length {
                        continue;
                    }
                    let row = steps.start(sample) + t;
                    let before = match t {
                        0 => &operands.c0[sample * hidden..][..hidden],
                        _ => &kept.cells.as_slice()[(row - 1) * hidden..][..hidden],
                    };
                    let step = Back {
                        gates: &kept.gates.as_slice()[row * width..][..width],
                        before,
                        after: &kept.cells.as_slice()[row * hidden..][..hidden],
                        outer: &from.dy[sample * size + steps.at(sample, t) * hidden..][..hidden],
                        next: match t + 1 == length {
                            true => last(s, 0),
                            false => &next.as_slice()[s * columns..][..hidden],
                        },
                        peepholes: operands.peepholes,
                    };
                    starts[s] = (row - first_row) * width;
                    let dz = &mut dz[starts[s]..][..width];
                    step_back(&step, &mut dc[s * hidden..][..hidden], dz);
                    dz[4 * hidden..].fill(T::ZERO);
                }
            },
        );
        // A sample that has not begun yet, seen from the end, has some other row multiplied; nobody reads the product.
        transposed.product(next.as_mut_slice(), Rows::new(&dz[..], &starts, 4 * hidden)?)?;
    }
    for s in (0..n).filter(|&s| steps.length(samples.start + s) > 0) {
        dh[s * hidden..][..hidden].copy_from_slice(&next.as_slice()[s * columns..][..hidden]);
    }
    Ok(())
}

/// ∂L/∂x = dz·Wᵀ for a worker's samples, 0 where one has no step. By the products that the steps are made of, so that a sample's bits do not
/// depend on the others.
fn by_inputs<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    dz: &[T],
    weights: &Panels<T>,
    (samples, dx): (Range<usize>, &mut [T]),
) -> Result<()> {
    let (inputs, width, columns) = (operands.inputs, operands.width(), weights.columns());
    let first_row = steps.start(samples.start);
    let mut room = Tensor::<T>::compute([ROWS, columns], |_| ())?;
    for (sample, dx) in samples.zip(dx.chunks_mut((steps.time * inputs).max(1))) {
        let length = steps.length(sample);
        for first in (0..length).step_by(ROWS) {
            let block = first..length.min(first + ROWS);
            let starts: Vec<usize> =
                block.clone().map(|t| (steps.start(sample) - first_row + t) * width).collect();
            let rows = Rows::new(dz, &starts, 4 * operands.hidden)?;
            weights.product(&mut room.as_mut_slice()[..block.len() * columns], rows)?;
            for (t, row) in block.zip(room.as_slice().chunks(columns)) {
                dx[steps.at(sample, t) * inputs..][..inputs].copy_from_slice(&row[..inputs]);
            }
        }
        dx[length * inputs..].fill(T::ZERO);
    }
    Ok(())
}

/// The gradients of all weights and of the bias in one product: [x, h₋₁, 1]ᵀ·dz. One that is not wanted is computed too: the bits of a
/// product depend on its size.
fn by_weights<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    from: &Cotangent<'_, T>,
    dz: &Tensor<T>,
) -> Result<[Tensor<T>; 3]> {
    let (inputs, hidden, width, rows) = (operands.inputs, operands.hidden, operands.width(), steps.rows());
    let (columns, share) = (inputs + hidden + 1, rows.div_ceil(64).max(1));
    // Which sample and step a row is.
    let places: Vec<(usize, usize)> =
        (0..steps.samples()).flat_map(|sample| (0..steps.length(sample)).map(move |t| (sample, t))).collect();
    let left = Tensor::compute([rows, columns], |out| {
        for_each_block(out, share * columns, |block, out| {
            for (out, &(sample, t)) in out.chunks_mut(columns).zip(&places[block * share..]) {
                let place = sample * steps.time + steps.at(sample, t);
                let before = match t {
                    0 => &operands.h0[sample * hidden..],
                    _ => &from.out[(sample * from.rows + steps.at(sample, t - 1)) * hidden..],
                };
                out[..inputs].copy_from_slice(&operands.x[place * inputs..][..inputs]);
                out[inputs..columns - 1].copy_from_slice(&before[..hidden]);
                out[columns - 1] = T::ONE;
            }
        });
    })?;
    let mut done = Ok(());
    let all = Tensor::compute([columns, 4 * hidden], |out| {
        done = View::new(left.as_slice(), rows, columns, Transpose::Yes).and_then(|left| {
            product(out, left, View::strided(dz.as_slice(), rows, 4 * hidden, (width, 1))?, None)
        });
    })?;
    done?;
    Ok([all.slice(0, 0..inputs)?, all.slice(0, inputs..columns - 1)?, all.select(0, columns - 1)?])
}

/// The gradients of the peepholes: Σ dzᵢ∘C₋₁, Σ dz_f∘C₋₁, Σ dzₒ∘C, over all steps in order.
fn by_peepholes<T: Scalar>(
    operands: Operands<'_, T>,
    steps: &Steps,
    kept: &Kept<T>,
    dz: &Tensor<T>,
) -> Result<Tensor<T>> {
    let (hidden, width) = (operands.hidden, operands.width());
    let mut sums = Tensor::zeros([3, hidden])?;
    let out = sums.as_mut_slice();
    for sample in 0..steps.samples() {
        for t in 0..steps.length(sample) {
            let row = steps.start(sample) + t;
            let dz = &dz.as_slice()[row * width..];
            let after = &kept.cells.as_slice()[row * hidden..][..hidden];
            let before = match t {
                0 => &operands.c0[sample * hidden..][..hidden],
                _ => &kept.cells.as_slice()[(row - 1) * hidden..][..hidden],
            };
            for (which, (gate, cell)) in [(0, before), (1, before), (3, after)].into_iter().enumerate() {
                for u in 0..hidden {
                    let sum = &mut out[which * hidden + u];
                    *sum = Scalar::mul_add(dz[gate * hidden + u], cell[u], *sum);
                }
            }
        }
    }
    Ok(sums)
}
