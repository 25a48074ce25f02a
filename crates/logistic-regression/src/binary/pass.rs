//! The one pass over the data that a step needs: log-odds, losses, gradient and weighted Gram matrix, chunk by chunk, while the chunk
//! is in the cache.

use crate::data::Data;
use crate::newton::{Evaluation, Objective};
use crate::separation::{self, Separation};
use crate::{Error, Result};
use gradus_tensor::Tensor;
use gradus_tensor::kernel::{gram_by, row, vectorize};
use gradus_tensor::math::softplus_tail;
use std::ops::Range;

/// The sum of the losses of two classes, and half the penalty times the squared length of the coefficients.
pub(crate) struct Loss<'a> {
    pub(crate) data: &'a Data,
    pub(crate) l2: f64,
}

/// What some rows add up to, and room for numbers on the way.
#[derive(Default)]
struct Part {
    loss: f64,
    gradient: Vec<f64>,
    /// Rows on the other class's side, or on the boundary.
    wrong: usize,
    farthest: f64,
    /// The least margin, if below 0.
    least: f64,
    rows: Vec<f64>,
    each: Vec<f64>,
    chunk_gradient: Vec<f64>,
}

/// What the length of a row is a multiple of: the numbers of a cache line. Behind the last column are zeros.
const LINE: usize = 8;
/// How many running sums a product of two rows has.
const LANES: usize = 2 * LINE;
/// Room for a chunk's rows.
const CHUNK: usize = 96;

impl Objective for Loss<'_> {
    fn evaluate(&self, theta: &[f64], hessian: bool) -> Result<Evaluation> {
        let (n, p) = (self.data.samples(), self.data.width());
        let mut padded = theta.to_vec();
        padded.resize(p.next_multiple_of(LINE), 0.0);
        // Of width 0, the same cut of the rows without the products.
        let width = if hessian { p } else { 0 };
        let (gram, parts) = gram_by(n, width, |rows, chunk, stride, part: &mut Part| {
            if hessian {
                self.visit(rows, chunk, stride, &padded, part, true);
            } else {
                let mut own = std::mem::take(&mut part.rows);
                own.resize(rows.len() * padded.len(), 0.0);
                self.visit(rows, &mut own, padded.len(), &padded, part, false);
                part.rows = own;
            }
        })?;
        let (mut value, mut gradient) = (0.0, vec![0.0; p]);
        let (mut wrong, mut farthest, mut least) = (0, 0.0f64, 0.0f64);
        for part in &parts {
            value += part.loss;
            gradient.iter_mut().zip(&part.gradient).for_each(|(sum, g)| *sum += g);
            wrong += part.wrong;
            farthest = farthest.max(part.farthest);
            least = least.min(part.least);
        }
        let mut gram = gram;
        for (j, scale) in self.data.frame.scale.iter().enumerate() {
            // The price is for the coefficient in units of the data.
            let price = self.l2 * scale * scale;
            value += 0.5 * price * theta[j] * theta[j];
            gradient[j] += price * theta[j];
            if hessian {
                gram.as_mut_slice()[j * p + j] += price;
            }
        }
        Ok(Evaluation {
            value,
            gradient,
            hessian: hessian.then_some(gram),
            separated: wrong == 0,
            farthest,
            least,
        })
    }

    fn gradient_norm(&self, gradient: &[f64]) -> f64 {
        self.data.frame.largest_slope(gradient) / self.data.total()
    }

    fn penalised(&self) -> bool {
        self.l2 > 0.0
    }

    fn separation(&self, candidates: &[&[f64]]) -> Result<Option<Separation>> {
        separation::binary(self.data, candidates)
    }

    fn dependent(&self, parameter: usize) -> Error {
        Error::RankDeficient {
            column: parameter.min(self.data.x.dims()[1].saturating_sub(1)),
            intercept: self.data.intercept,
        }
    }

    fn width(&self) -> usize {
        self.data.width()
    }
}

impl Loss<'_> {
    /// Brings rows into the frame, adds up what they contribute, and leaves them multiplied by the roots of their weights.
    fn visit(
        &self,
        range: Range<usize>,
        chunk: &mut [f64],
        stride: usize,
        theta: &[f64],
        part: &mut Part,
        hessian: bool,
    ) {
        let data = self.data;
        let (d, count, wide) = (data.x.dims()[1], range.len(), theta.len());
        let x = &data.x.as_slice()[range.start * d..range.end * d];
        let labels = &data.labels.as_slice()[range.clone()];
        part.gradient.resize(wide, 0.0);
        part.chunk_gradient.resize(wide, 0.0);
        part.each.resize(4 * CHUNK.max(count), 0.0);
        let mut each = part.each.chunks_exact_mut(CHUNK.max(count));
        let [Some(scores), Some(losses), Some(roots), Some(weights)] = std::array::from_fn(|_| each.next())
        else {
            return;
        };
        let (scores, losses, roots, weights) =
            (&mut scores[..count], &mut losses[..count], &mut roots[..count], &mut weights[..count]);
        match &data.weights {
            Some(own) => weights.copy_from_slice(&own[range]),
            None => weights.fill(1.0),
        }
        let frame = &data.frame;
        vectorize(
            #[inline(always)]
            || {
                for (i, (z, score)) in chunk.chunks_exact_mut(stride).zip(scores.iter_mut()).enumerate() {
                    let columns = x[i * d..(i + 1) * d].iter().zip(frame.centre.iter().zip(&frame.scale));
                    for (z, (x, (centre, scale))) in z.iter_mut().zip(columns) {
                        *z = (x - centre) * scale;
                    }
                    if data.intercept {
                        z[d] = 1.0;
                    }
                    *score = dot(&z[..wide], theta);
                }
                // From now on `scores` has the derivatives of the losses in the scores.
                let (mut wrong, mut farthest, mut least) = (0, part.farthest, part.least);
                let sides = labels.iter().zip(weights.iter());
                for (((score, loss), root), (&y, &w)) in
                    scores.iter_mut().zip(losses.iter_mut()).zip(roots.iter_mut()).zip(sides)
                {
                    let sign = if y == 1 { 1.0 } else { -1.0 };
                    let margin = sign * *score;
                    let (e, tail) = softplus_tail(margin);
                    let large = 1.0 / (1.0 + e);
                    let small = e * large;
                    let (over, miss) = if margin < 0.0 { (-margin, large) } else { (0.0, small) };
                    *loss = w * (over + tail);
                    *score = -sign * w * miss;
                    *root = (w * small * large).sqrt();
                    // A sample that does not count is on no side. A NaN is on the wrong one.
                    let right = (margin > 0.0) | (w == 0.0);
                    wrong += usize::from(!right);
                    farthest = if margin.abs() > farthest { margin.abs() } else { farthest };
                    least = if margin < least { margin } else { least };
                }
                part.wrong += wrong;
                part.farthest = farthest;
                part.least = least;
                part.loss += row::sum_by(losses, |v| v);
                let sums = &mut part.chunk_gradient;
                sums.fill(0.0);
                for ((z, &slope), &root) in
                    chunk.chunks_exact_mut(stride).zip(scores.iter()).zip(roots.iter())
                {
                    for (sum, z) in sums.iter_mut().zip(&z[..wide]) {
                        *sum = slope.mul_add(*z, *sum);
                    }
                    if hessian {
                        z[..wide].iter_mut().for_each(|z| *z *= root);
                    }
                }
                part.gradient.iter_mut().zip(sums.iter()).for_each(|(sum, g)| *sum += g);
            },
        );
    }
}

/// The product of two rows of a multiple of [`LINE`] elements.
#[inline(always)]
fn dot(x: &[f64], y: &[f64]) -> f64 {
    let mut lanes = [0.0f64; LANES];
    let (x, y) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = x.remainder().iter().zip(y.remainder());
    for (x, y) in x.zip(y) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane = x.mul_add(*y, *lane);
        }
    }
    for (lane, (x, y)) in lanes.iter_mut().zip(rest) {
        *lane = x.mul_add(*y, *lane);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
        width /= 2;
    }
    lanes[0]
}

/// XᵀWX in the frame at these parameters, without the penalty.
pub(crate) fn information(data: &Data, theta: &[f64]) -> Result<Tensor<f64>> {
    let there = Loss { data, l2: 0.0 }.evaluate(theta, true)?;
    there.hessian.ok_or_else(|| crate::error::option("hessian", "none", "one that was asked for"))
}
