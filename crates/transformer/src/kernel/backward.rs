//! Backward: the weights of a tile are computed again from the scores and each query's sum, and pass their gradients on.

use super::forward::{Kept, Place, scaled};
use super::layout::{Heads, Strip};
use super::panels::{Memory, Panels};
use super::{BLOCK, LANES, Rules, TILE, part, tile};
use gradus_tensor::kernel::{View, for_each_block, row, vectorize};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};

/// The gradients head by head: of the queries `[N, H, T, padded]`, of keys and values `[N, G, S, padded]`.
pub(crate) struct Cotangents<T: Scalar> {
    pub(crate) queries: Tensor<T>,
    pub(crate) keys: Tensor<T>,
    pub(crate) values: Tensor<T>,
}

/// A head of keys of one sample, with all heads of queries that look into it.
struct Job<'a, T> {
    sample: usize,
    /// The head of the keys.
    group: usize,
    queries: &'a mut [T],
    keys: &'a mut [T],
    values: &'a mut [T],
    done: Result<()>,
}

/// All of one head of keys that the passes read.
struct Sides<T: Scalar> {
    /// Kᵀ as columns, for the scores; the values for nothing but whether they are finite.
    memory: Memory<T>,
    /// Vᵀ as columns, for the gradients of the weights.
    values: Panels<T>,
    /// K as terms, for the gradients of the queries.
    keys: Panels<T>,
}

/// Scratch for a block of queries.
struct Room<T: Scalar> {
    queries: Tensor<T>,
    dy: Tensor<T>,
    weights: Tensor<T>,
    gradients: Tensor<T>,
}

/// The gradients of queries, keys and values, of `dy`, the gradient of the result, which lies as `dy` says.
pub(crate) fn back<T: Scalar>(
    [queries, keys, values, dy]: [Heads<'_, T>; 4],
    samples: usize,
    (rules, scale, dropout): (Rules<'_, T>, T, Option<(f64, u64)>),
    kept: &Kept<T>,
    wants: [bool; 3],
) -> Result<Cotangents<T>> {
    let per = queries.heads / keys.heads;
    let room = |wanted: bool, count: usize| Tensor::zeros([if wanted { count } else { 0 }]);
    let sizes =
        [per * queries.rows * queries.padded(), keys.rows * keys.padded(), values.rows * values.padded()];
    let groups = samples * keys.heads;
    let mut out = Cotangents {
        queries: room(wants[0], groups * sizes[0])?,
        keys: room(wants[1], groups * sizes[1])?,
        values: room(wants[2], groups * sizes[2])?,
    };
    let mut rest = [out.queries.as_mut_slice(), out.keys.as_mut_slice(), out.values.as_mut_slice()];
    let mut jobs: Vec<_> = (0..groups)
        .map(|i| {
            let [q, k, v] = &mut rest;
            let size = |i: usize| if wants[i] { sizes[i] } else { 0 };
            Job {
                sample: i / keys.heads,
                group: i % keys.heads,
                queries: part(q, size(0)),
                keys: part(k, size(1)),
                values: part(v, size(2)),
                done: Ok(()),
            }
        })
        .collect();
    for_each_block(&mut jobs, 1, |_, jobs| {
        for job in jobs {
            job.done = one(job, [queries, keys, values, dy], (rules, scale, dropout), kept);
        }
    });
    jobs.into_iter().try_for_each(|job| job.done)?;
    Ok(out)
}

fn one<T: Scalar>(
    job: &mut Job<'_, T>,
    [queries, keys, values, dy]: [Heads<'_, T>; 4],
    (rules, scale, dropout): (Rules<'_, T>, T, Option<(f64, u64)>),
    kept: &Kept<T>,
) -> Result<()> {
    let (sample, group, per) = (job.sample, job.group, queries.heads / keys.heads);
    let span = rules.span(sample, 0..queries.rows);
    let capacity = span.end.next_multiple_of(LANES);
    let mut sides = Sides {
        memory: Memory::new(span.end, keys.size, 0)?,
        values: Panels::zeros(values.size, capacity)?,
        keys: Panels::zeros(capacity, keys.size)?,
    };
    let [seen, values_seen] = [keys, values].map(|heads| heads.strip(sample, group, span.clone()));
    sides.memory.set(span.start, seen, Strip { size: 0, ..values_seen })?;
    sides.memory.finite = sides.memory.finite && values_seen.is_finite();
    sides.values.set_columns(span.start, values_seen)?;
    sides.keys.set_rows(span.start, seen);
    let rows = queries.rows.min(BLOCK);
    let mut room = Room {
        queries: Tensor::compute([rows * queries.size], |_| ())?,
        dy: Tensor::compute([rows * values.size], |_| ())?,
        weights: Tensor::compute([rows * TILE], |_| ())?,
        gradients: Tensor::compute([rows * TILE], |_| ())?,
    };
    for h in 0..per {
        let head = group * per + h;
        let number = ((sample * queries.heads + head) * queries.rows * rules.keys) as u64;
        let place = Place { rules, sample, head, number, dropout };
        for first in (0..queries.rows).step_by(BLOCK) {
            let own = first..queries.rows.min(first + BLOCK);
            let at = (sample * queries.heads + head) * queries.rows + first;
            let padded = values.padded();
            let block = Block {
                place: &place,
                first,
                queries: queries.strip(sample, head, own.clone()),
                dy: dy.strip(sample, head, own.clone()),
                out: &kept.out.as_slice()[at * padded..][..own.len() * padded],
                log_sums: &kept.log_sums.as_slice()[at..][..own.len()],
                scale,
            };
            let gradient = match job.queries.is_empty() {
                true => &mut [][..],
                false => {
                    let row = queries.padded();
                    &mut job.queries[(h * queries.rows + first) * row..][..own.len() * row]
                }
            };
            block.run(&sides, gradient, [job.keys, job.values], &mut room)?;
        }
    }
    Ok(())
}

/// A block of queries, and what is known of them.
struct Block<'a, T> {
    place: &'a Place<'a, T>,
    first: usize,
    queries: Strip<'a, T>,
    dy: Strip<'a, T>,
    out: &'a [T],
    log_sums: &'a [T],
    scale: T,
}

impl<T: Scalar> Block<'_, T> {
    fn run(
        &self,
        sides: &Sides<T>,
        queries: &mut [T],
        [keys, values]: [&mut [T]; 2],
        room: &mut Room<T>,
    ) -> Result<()> {
        let (rows, size, value) = (self.queries.rows, self.queries.size, self.dy.size);
        let padded = self.out.len() / rows;
        scaled(self.queries, self.scale, room.queries.as_mut_slice());
        scaled(self.dy, T::ONE, room.dy.as_mut_slice());
        let whole = |data, size| Strip { data, distance: size, rows, size };
        let (mut query_terms, mut dy_terms) = (Panels::zeros(rows, size)?, Panels::zeros(rows, value)?);
        query_terms.set_rows(0, whole(room.queries.as_slice(), size));
        dy_terms.set_rows(0, whole(room.dy.as_slice(), value));
        // What a masked weight, which is 0, must not be multiplied with is looked for once.
        let careful = self.place.rules.differ()
            && !(sides.memory.finite && self.queries.is_finite() && self.dy.is_finite());
        // Σ over a query's keys of weight times gradient of the weight: ⟨dy, y⟩.
        let mut means = [T::ZERO; BLOCK];
        for (r, mean) in means.iter_mut().enumerate().take(rows) {
            *mean = row::sum_by_two(self.dy.row(r), &self.out[r * padded..][..value], |dy, y| dy * y);
        }
        let left = View::new(room.queries.as_slice(), rows, size, Transpose::No)?;
        let dy_left = View::new(room.dy.as_slice(), rows, value, Transpose::No)?;
        for columns in self.place.tiles(self.first..self.first + rows) {
            let width = columns.len().next_multiple_of(LANES);
            let wide = columns.start..columns.start + width;
            let (weights, gradients) = (room.weights.as_mut_slice(), room.gradients.as_mut_slice());
            sides.memory.keys.product((weights, TILE, false), left, 0..size, wide.clone())?;
            sides.values.product((gradients, TILE, false), dy_left, 0..value, wide.clone())?;
            let hidden = |r, t| {
                self.place.rules.hides([self.place.sample, self.place.head, self.first + r], wide.start + t)
            };
            vectorize(
                #[inline(always)]
                || {
                    for r in 0..rows {
                        let weights = &mut weights[r * TILE..][..width];
                        let at = [self.place.sample, self.place.head, self.first + r];
                        self.place.rules.mark(weights, at, wide.clone());
                        tile::weights(weights, self.log_sums[r]);
                    }
                },
            );
            if self.place.dropout.is_some() {
                for r in 0..rows {
                    for (t, key) in wide.clone().enumerate() {
                        gradients[r * TILE + t] *= self.place.factor(self.first + r, key);
                    }
                }
            }
            // dV += Pᵀ·dy, of the weights that dropout has left.
            if !values.is_empty() {
                self.add_values(&dy_terms, (weights, &hidden), (values, padded), &columns, careful)?;
            }
            // The derivative of softmax: dS = P∘(dP − ⟨dP⟩).
            vectorize(
                #[inline(always)]
                || {
                    for (r, &mean) in means.iter().enumerate().take(rows) {
                        let (weights, gradients) =
                            (&weights[r * TILE..][..width], &mut gradients[r * TILE..][..width]);
                        for (g, &p) in gradients.iter_mut().zip(weights) {
                            *g = p * (*g - mean);
                        }
                    }
                },
            );
            let width = columns.len();
            let terms = columns.start..columns.end;
            if !queries.is_empty() {
                let distance = sides.keys.columns();
                if careful {
                    let left = |r: usize, t: usize| gradients[r * TILE + t];
                    sides.keys.product_of_some((queries, distance), rows, (left, &hidden), terms);
                } else {
                    let left = View::strided(gradients, rows, width, (TILE, 1))?;
                    sides.keys.product((queries, distance, true), left, terms, 0..distance)?;
                }
            }
            if !keys.is_empty() {
                let distance = query_terms.columns();
                let out = &mut keys[columns.start * distance..];
                if careful {
                    let left = |t: usize, r: usize| gradients[r * TILE + t];
                    query_terms.product_of_some((out, distance), width, (left, |t, r| hidden(r, t)), 0..rows);
                } else {
                    let left = View::strided(gradients, rows, width, (TILE, 1))?.transposed();
                    query_terms.product((out, distance, true), left, 0..rows, 0..distance)?;
                }
            }
        }
        // The scores were of queries that had been scaled.
        queries.iter_mut().for_each(|dq| *dq *= self.scale);
        Ok(())
    }

    /// Adds Pᵀ·dy, with the weights that dropout has left.
    fn add_values(
        &self,
        dy_terms: &Panels<T>,
        (weights, hidden): (&[T], &impl Fn(usize, usize) -> bool),
        (values, padded): (&mut [T], usize),
        columns: &std::ops::Range<usize>,
        careful: bool,
    ) -> Result<()> {
        let (rows, width) = (self.queries.rows, columns.len());
        let out = &mut values[columns.start * padded..];
        if !careful && self.place.dropout.is_none() {
            let left = View::strided(weights, rows, width, (TILE, 1))?.transposed();
            return dy_terms.product((out, padded, true), left, 0..rows, 0..padded);
        }
        let left =
            |t: usize, r: usize| weights[r * TILE + t] * self.place.factor(self.first + r, columns.start + t);
        let hidden = |t: usize, r: usize| careful && hidden(r, t);
        dy_terms.product_of_some((out, padded), width, (left, hidden), 0..rows);
        Ok(())
    }
}
