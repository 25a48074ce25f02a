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
    pub(crate) fn run(self, rule: impl Fn(T, T, [T; S]) -> (T, [T; S]) + Copy + Sync) {
        if self.theta.len() <= BLOCK {
            return self.on_one_core(rule);
        }
        let mut blocks = self.blocks();
        for_each_block(&mut blocks, 1, |_, some| {
            some.iter_mut().filter_map(Option::take).for_each(|block| block.on_one_core(rule));
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

    fn on_one_core(self, rule: impl Fn(T, T, [T; S]) -> (T, [T; S]) + Copy) {
        let Self { theta, gradient, state } = self;
        vectorize(
            #[inline(always)]
            move || {
                let (theta, last) = theta.as_chunks_mut::<LANES>();
                let (gradient, last_gradient) = gradient.as_chunks::<LANES>();
                let mut parts = state.map(|part| part.as_chunks_mut::<LANES>());
                for (i, (theta, gradient)) in theta.iter_mut().zip(gradient).enumerate() {
                    // Copies on the stack: the compiler knows that they do not overlap, and takes all lanes at once.
                    let (mut moved, mut kept) = (*theta, parts.each_ref().map(|(part, _)| part[i]));
                    lanes(&mut moved, gradient, &mut kept, rule);
                    *theta = moved;
                    for ((part, _), kept) in parts.iter_mut().zip(kept) {
                        part[i] = kept;
                    }
                }
                for (i, (theta, &g)) in last.iter_mut().zip(last_gradient).enumerate() {
                    let (moved, kept) = rule(*theta, g, parts.each_ref().map(|(_, rest)| rest[i]));
                    *theta = moved;
                    for ((_, rest), kept) in parts.iter_mut().zip(kept) {
                        rest[i] = kept;
                    }
                }
            },
        );
    }
}

/// How many numbers are updated at once.
const LANES: usize = 16;

/// The rule for some numbers, each on its own.
#[inline(always)]
fn lanes<T: Scalar, const S: usize>(
    theta: &mut [T; LANES],
    gradient: &[T; LANES],
    state: &mut [[T; LANES]; S],
    rule: impl Fn(T, T, [T; S]) -> (T, [T; S]),
) {
    for l in 0..LANES {
        let (moved, kept) = rule(theta[l], gradient[l], state.each_ref().map(|part| part[l]));
        theta[l] = moved;
        for (part, kept) in state.iter_mut().zip(kept) {
            part[l] = kept;
        }
    }
}
