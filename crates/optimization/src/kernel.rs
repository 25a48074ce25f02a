//! The fused pass: a parameter, its gradient and its state are read once and written once, block by block on all cores.
//!
//! Each number is updated on its own, so the bits depend neither on the blocks nor on the instruction set. The formulas of
//! [`plain`](crate::plain), whole tensors line by line, give the same bits.

use gradus_tensor::Scalar;
use gradus_tensor::kernel::{BLOCK, for_each_block, vectorize};

/// A parameter, its gradient, and the parts of its state, all of one length.
pub(crate) struct Pass<'a, T, const S: usize> {
    pub(crate) theta: &'a mut [T],
    pub(crate) gradient: &'a [T],
    pub(crate) state: [&'a mut [T]; S],
}

impl<'a, T: Scalar, const S: usize> Pass<'a, T, S> {
    /// Replaces each number and its state by what `rule` makes of θ, g and the state.
    pub(crate) fn run(self, rule: impl Fn(T, T, [T; S]) -> (T, [T; S]) + Sync) {
        if self.theta.len() <= BLOCK {
            return self.on_one_core(&rule);
        }
        let mut blocks = self.blocks();
        for_each_block(&mut blocks, 1, |_, some| {
            some.iter_mut().filter_map(Option::take).for_each(|block| block.on_one_core(&rule));
        });
    }

    /// The pass in pieces of a fixed size.
    fn blocks(self) -> Vec<Option<Self>> {
        let mut blocks = Vec::with_capacity(self.theta.len().div_ceil(BLOCK));
        let Self { mut theta, mut gradient, mut state } = self;
        while !theta.is_empty() {
            let size = BLOCK.min(theta.len());
            let (head, rest) = theta.split_at_mut(size);
            theta = rest;
            let (slope, rest) = gradient.split_at(size);
            gradient = rest;
            let mut parts = state.map(|part| part.split_at_mut(size));
            let heads = parts.each_mut().map(|(head, _)| std::mem::take(head));
            state = parts.map(|(_, rest)| rest);
            blocks.push(Some(Self { theta: head, gradient: slope, state: heads }));
        }
        blocks
    }

    fn on_one_core(self, rule: &impl Fn(T, T, [T; S]) -> (T, [T; S])) {
        let size = self.theta.len();
        let (theta, gradient) = (&mut self.theta[..size], &self.gradient[..size]);
        let mut state = self.state.map(|part| &mut part[..size]);
        vectorize(
            #[inline(always)]
            || {
                for i in 0..size {
                    let (moved, kept) = rule(theta[i], gradient[i], state.each_ref().map(|part| part[i]));
                    theta[i] = moved;
                    for (part, kept) in state.iter_mut().zip(kept) {
                        part[i] = kept;
                    }
                }
            },
        );
    }
}
