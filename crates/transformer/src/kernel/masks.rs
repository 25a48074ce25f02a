//! Which keys a query may attend to, as the kernels ask it.

use gradus_tensor::Scalar;
use std::ops::Range;

/// A mask whose sizes have been seen to fit.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a, T> {
    pub(crate) causal: bool,
    pub(crate) window: Option<usize>,
    /// The place of the first query among the keys.
    pub(crate) first: usize,
    /// The keys of a sample, those that are no padding.
    pub(crate) lengths: Option<&'a [usize]>,
    /// The keys that there are.
    pub(crate) keys: usize,
    pub(crate) allowed: Option<Table<'a, bool>>,
    pub(crate) added: Option<Table<'a, T>>,
}

/// `[N, heads, queries, keys]` of which sizes of 1 are stretched: the distance along them is 0.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a, U> {
    pub(crate) data: &'a [U],
    pub(crate) strides: [usize; 4],
}

impl<'a, U: Copy> Table<'a, U> {
    fn row(&self, [sample, head, query]: [usize; 3], keys: Range<usize>) -> impl Iterator<Item = U> + 'a {
        let [n, h, q, k] = self.strides;
        let (start, data) = (sample * n + head * h + query * q, self.data);
        keys.map(move |key| data[start + key * k])
    }
}

impl<T: Scalar> Rules<'_, T> {
    /// The keys that are no padding.
    pub(crate) fn length(&self, sample: usize) -> usize {
        self.lengths.map_or(self.keys, |lengths| lengths[sample])
    }

    /// The keys that this query may see: at most as many, where there is a table.
    pub(crate) fn seen(&self, sample: usize, query: usize) -> Range<usize> {
        let (place, length) = (self.first + query, self.length(sample));
        let start = self.window.map_or(0, |window| place.saturating_sub(window));
        let after = match (self.causal, self.window) {
            (true, _) => place + 1,
            (false, Some(window)) => place.saturating_add(window).saturating_add(1),
            (false, None) => length,
        };
        let end = after.min(length);
        start.min(end)..end
    }

    /// The keys that one of these queries may see, or more.
    pub(super) fn span(&self, sample: usize, queries: Range<usize>) -> Range<usize> {
        let Some(last) = queries.clone().next_back() else { return 0..0 };
        self.seen(sample, queries.start).start..self.seen(sample, last).end
    }

    /// Whether two queries of one sample may see different keys: whether there may be a masked key in a tile.
    pub(super) fn differ(&self) -> bool {
        self.causal || self.window.is_some() || self.allowed.is_some() || self.added.is_some()
    }

    /// Adds to the scores of these keys what is to be added, and gives those that are not seen the score −∞.
    #[inline(always)]
    pub(super) fn mark(&self, scores: &mut [T], [sample, head, query]: [usize; 3], keys: Range<usize>) {
        let seen = self.seen(sample, query);
        let start = seen.start.clamp(keys.start, keys.end);
        let end = seen.end.clamp(start, keys.end);
        let (start, end) = (start - keys.start, end - keys.start);
        scores[..start].fill(T::NEG_INFINITY);
        scores[end..].fill(T::NEG_INFINITY);
        let (scores, keys) = (&mut scores[start..end], keys.start + start..keys.start + end);
        let at = [sample, head, query];
        if let Some(added) = self.added {
            for (score, added) in scores.iter_mut().zip(added.row(at, keys.clone())) {
                // −∞ hides a key even where its score is no number.
                *score = if added == T::NEG_INFINITY { added } else { *score + added };
            }
        }
        if let Some(allowed) = self.allowed {
            for (score, allowed) in scores.iter_mut().zip(allowed.row(at, keys)) {
                *score = if allowed { *score } else { T::NEG_INFINITY };
            }
        }
    }

    /// What is added to the score of a key.
    pub(crate) fn added(&self, at: [usize; 3], key: usize) -> T {
        self.added.and_then(|table| table.row(at, key..key + 1).next()).unwrap_or(T::ZERO)
    }

    /// Whether a key is hidden from a query.
    pub(crate) fn hides(&self, [sample, head, query]: [usize; 3], key: usize) -> bool {
        let at = [sample, head, query];
        let one = key..key + 1;
        !self.seen(sample, query).contains(&key)
            || self.allowed.is_some_and(|table| table.row(at, one.clone()).any(|allowed| !allowed))
            || self.added.is_some_and(|table| table.row(at, one).any(|added| added == T::NEG_INFINITY))
    }
}
