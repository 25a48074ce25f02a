//! A window that moves over a plane: which tap lies on what, for rows of outputs at a time.

use crate::Window;
use std::ops::Range;

/// The outputs along an axis whose window has this tap on one of `n` elements; the first of these elements.
pub(super) fn reach(window: &Window, n: usize, outputs: usize, tap: usize) -> (Range<usize>, usize) {
    let (stride, offset, before) = (window.stride, tap * window.dilation, window.padding[0]);
    // o·S + offset − before lies in 0..n
    let first = before.saturating_sub(offset).div_ceil(stride);
    let end = (n + before).saturating_sub(offset).div_ceil(stride).min(outputs);
    let first = first.min(end);
    (first..end, (first * stride + offset).saturating_sub(before))
}

/// The windows over a plane.
pub(crate) struct Plane {
    pub(super) windows: [Window; 2],
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    /// For each tap along an axis the outputs whose window has it on the plane, and where it lies for the first of them.
    taps: [Vec<(Range<usize>, usize)>; 2],
}

impl Plane {
    pub(crate) fn new(windows: [Window; 2], input: [usize; 2], output: [usize; 2]) -> Self {
        let taps = std::array::from_fn(|axis| {
            let w = &windows[axis];
            (0..w.size).map(|tap| reach(w, input[axis], output[axis], tap)).collect()
        });
        Self { windows, input, output, taps }
    }

    /// Calls `f(tap, outputs, first element)` for every row of outputs and every tap, in the order of the taps: the outputs of the row whose tap
    /// lies on the plane, and what it reads for the first of them; the others' are a stride further on, each.
    #[inline(always)]
    pub(super) fn each(&self, mut f: impl FnMut(usize, Range<usize>, usize)) {
        let across = self.windows[1].size;
        for i in 0..self.output[0] {
            let y = i * self.output[1];
            for (u, (rows, first_row)) in self.taps[0].iter().enumerate() {
                if !rows.contains(&i) {
                    continue;
                }
                let x = (first_row + (i - rows.start) * self.windows[0].stride) * self.input[1];
                for (v, (columns, first)) in self.taps[1].iter().enumerate() {
                    if !columns.is_empty() {
                        f(u * across + v, y + columns.start..y + columns.end, x + first);
                    }
                }
            }
        }
    }
}
