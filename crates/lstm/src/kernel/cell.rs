//! One step of one sample, forward and back: the six equations and their derivatives over the units.

use crate::{Unit, bptt_step, cell_update, hidden_state};
use gradus_activations::{sigmoid, tanh};
use gradus_tensor::Scalar;

/// The units that are computed at once. Their numbers are copied first, so that the compiler need not prove that the rows are apart.
const LANES: usize = 16;

/// An expression for every lane.
macro_rules! lanes {
    (|$u:ident| $value:expr) => {{
        let mut out = [T::ZERO; LANES];
        for ($u, out) in out.iter_mut().enumerate() {
            *out = $value;
        }
        out
    }};
}

/// Some numbers of a row, and 0 behind its end.
#[inline(always)]
fn load<T: Scalar>(row: &[T], at: usize) -> [T; LANES] {
    if let Some(lanes) = row[at..].first_chunk() {
        return *lanes;
    }
    let mut lanes = [T::ZERO; LANES];
    lanes[..row.len() - at].copy_from_slice(&row[at..]);
    lanes
}

#[inline(always)]
fn store<T: Scalar>(row: &mut [T], at: usize, lanes: [T; LANES]) {
    if let Some(out) = row[at..].first_chunk_mut() {
        *out = lanes;
    } else {
        let rest = row.len() - at;
        row[at..].copy_from_slice(&lanes[..rest]);
    }
}

/// The gates of a row: i, f, g, o.
#[inline(always)]
fn gates<T>(row: &[T], hidden: usize) -> [&[T]; 4] {
    let (i, rest) = row.split_at(hidden);
    let (f, rest) = rest.split_at(hidden);
    let (g, rest) = rest.split_at(hidden);
    [i, f, g, &rest[..hidden]]
}

#[inline(always)]
fn gates_mut<T>(row: &mut [T], hidden: usize) -> [&mut [T]; 4] {
    let (i, rest) = row.split_at_mut(hidden);
    let (f, rest) = rest.split_at_mut(hidden);
    let (g, rest) = rest.split_at_mut(hidden);
    [i, f, g, &mut rest[..hidden]]
}

/// Some units' peepholes of i, f and o: 0 where there are none.
#[inline(always)]
fn peepholes<T: Scalar>(all: &[T], hidden: usize, at: usize) -> [[T; LANES]; 3] {
    if all.is_empty() {
        return [[T::ZERO; LANES]; 3];
    }
    [load(&all[..hidden], at), load(&all[hidden..2 * hidden], at), load(&all[2 * hidden..], at)]
}

/// What a step is made from: x·W and h·U, the bias and the peepholes.
pub(super) struct Sums<'a, T> {
    pub(super) inputs: &'a [T],
    pub(super) recurrent: &'a [T],
    pub(super) bias: &'a [T],
    pub(super) peepholes: &'a [T],
}

/// Where a step is written: C and h, which are those before it at first, and the output; and, if they are kept, the gates and C.
pub(super) struct Written<'a, T> {
    pub(super) cell: &'a mut [T],
    pub(super) state: &'a mut [T],
    pub(super) out: &'a mut [T],
    pub(super) kept: Option<[&'a mut [T]; 2]>,
}

/// One step. The sums are (x·W + h·U) + b, and then the peepholes.
#[inline(always)]
pub(super) fn step<T: Scalar>(from: &Sums<'_, T>, to: Written<'_, T>) {
    let Written { cell, state, out, mut kept } = to;
    let hidden = cell.len();
    let (inputs, recurrent) = (gates(from.inputs, hidden), gates(from.recurrent, hidden));
    let bias = gates(from.bias, hidden);
    for at in (0..hidden).step_by(LANES) {
        macro_rules! sum {
            ($gate:literal) => {{
                let (x, h) = (load(inputs[$gate], at), load(recurrent[$gate], at));
                let b = load(bias[$gate], at);
                lanes!(|u| (x[u] + h[u]) + b[u])
            }};
        }
        let (zi, zf, zg, zo) = (sum!(0), sum!(1), sum!(2), sum!(3));
        let (before, [pi, pf, po]) = (load(cell, at), peepholes(from.peepholes, hidden, at));
        let input = lanes!(|u| sigmoid(Scalar::mul_add(pi[u], before[u], zi[u])));
        let forget = lanes!(|u| sigmoid(Scalar::mul_add(pf[u], before[u], zf[u])));
        let candidate = lanes!(|u| tanh(zg[u]));
        let after = lanes!(|u| cell_update(forget[u], before[u], input[u], candidate[u]));
        let output = lanes!(|u| sigmoid(Scalar::mul_add(po[u], after[u], zo[u])));
        let h = lanes!(|u| hidden_state(output[u], after[u]));
        store(cell, at, after);
        store(state, at, h);
        store(out, at, h);
        if let Some([row, cells]) = &mut kept {
            let [i, f, g, o] = gates_mut(row, hidden);
            store(i, at, input);
            store(f, at, forget);
            store(g, at, candidate);
            store(o, at, output);
            store(cells, at, after);
        }
    }
}

/// What a step back is made from.
pub(super) struct Back<'a, T> {
    pub(super) gates: &'a [T],
    /// C before the step, and after it.
    pub(super) before: &'a [T],
    pub(super) after: &'a [T],
    /// ∂L/∂h of this step's output, and what comes from the step that follows.
    pub(super) outer: &'a [T],
    pub(super) next: &'a [T],
    pub(super) peepholes: &'a [T],
}

/// One step back: the derivatives of the four sums go to `dz`; `dc` holds what later steps give to C, and gets what goes on.
#[inline(always)]
pub(super) fn step_back<T: Scalar>(from: &Back<'_, T>, dc: &mut [T], dz: &mut [T]) {
    let hidden = dc.len();
    let [i, f, g, o] = gates(from.gates, hidden);
    let [di, df, dg, d_o] = gates_mut(dz, hidden);
    for at in (0..hidden).step_by(LANES) {
        let gates = [load(i, at), load(f, at), load(g, at), load(o, at)];
        let peeps = peepholes(from.peepholes, hidden, at);
        let (before, after) = (load(from.before, at), load(from.after, at));
        let (outer, next, later) = (load(from.outer, at), load(from.next, at), load(dc, at));
        let (mut sums, mut on) = ([[T::ZERO; LANES]; 4], [T::ZERO; LANES]);
        for u in 0..LANES {
            let unit = Unit {
                gates: [gates[0][u], gates[1][u], gates[2][u], gates[3][u]],
                before: before[u],
                after: after[u],
                peepholes: [peeps[0][u], peeps[1][u], peeps[2][u]],
            };
            let back = bptt_step(unit, outer[u] + next[u], later[u]);
            on[u] = back.before;
            [sums[0][u], sums[1][u], sums[2][u], sums[3][u]] = back.sums;
        }
        store(di, at, sums[0]);
        store(df, at, sums[1]);
        store(dg, at, sums[2]);
        store(d_o, at, sums[3]);
        store(dc, at, on);
    }
}
