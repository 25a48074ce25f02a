//! Least squares of many samples: passes over X as it is, in blocks on all cores, without a copy of it. What takes its place are the
//! Gram matrix of `[1 X y]` or its triangular factor; both hold all that the solution needs.

use crate::Result;
use crate::double::{two_product, two_sum};
use crate::solve::{condition, inverse};
use gradus_tensor::Tensor;
use gradus_tensor::kernel::{for_each_block_of_two, vectorize};

/// `[1 X]`, the ones only with an intercept, and the targets. No weights, no ridge.
pub(crate) struct Tall<'a> {
    ones: Option<Tensor<f64>>,
    x: &'a Tensor<f64>,
    y: &'a Tensor<f64>,
    /// The number of parameters.
    p: usize,
}

/// What a product or a reflection of `[1 X y]` gave: R with AᵀA = RᵀR, and Qᵀy beside it.
pub(crate) struct Triangle {
    r: Tensor<f64>,
    /// R⁻ᵀAᵀy, `[P, K]`.
    c: Tensor<f64>,
    /// The singular values of R, its columns scaled to length 1 by powers of two.
    pub(crate) s: Vec<f64>,
}

/// A solution from a triangle.
pub(crate) struct Solved {
    pub(crate) theta: Tensor<f64>,
    /// R⁻¹.
    pub(crate) root: Tensor<f64>,
    /// Where the refinement made them.
    pub(crate) residuals: Option<Tensor<f64>>,
}

/// Lengths of columns whose squares and products are far from overflow and underflow.
const LENGTHS: std::ops::Range<f64> = 1e-120..1e120;

/// Samples of one block of a pass.
const ROWS: usize = 2048;

impl<'a> Tall<'a> {
    pub(crate) fn new(x: &'a Tensor<f64>, y: &'a Tensor<f64>, intercept: bool) -> Result<Self> {
        let ones = if intercept { Some(Tensor::ones([x.dims()[0], 1])?) } else { None };
        Ok(Self { p: x.dims()[1] + usize::from(intercept), ones, x, y })
    }

    fn parts(&self) -> Vec<&Tensor<f64>> {
        self.ones.iter().chain([self.x, self.y]).collect()
    }

    /// By Cholesky's factor of AᵀA. `None` where a number is not finite, a length is extreme, or AᵀA not positive definite.
    pub(crate) fn by_gram(&self) -> Result<Option<Triangle>> {
        let gram = Tensor::gram_of(&self.parts())?;
        let (p, width) = (self.p, gram.dims()[0]);
        let lengths: Vec<f64> = (0..width).map(|j| gram.as_slice()[j * (width + 1)].sqrt()).collect();
        let Some(scale) = scale(&lengths[..p], &lengths[p..]) else { return Ok(None) };
        // Scaled by powers of two, which rounds nothing: Cholesky's factor has the scaled columns' condition.
        let block =
            |rows: std::ops::Range<usize>, cols: std::ops::Range<usize>| gram.slice(0, rows)?.slice(1, cols);
        let a = block(0..p, 0..p)?.mul(&scale)?.mul(&scale.insert_axis(1)?)?;
        let Ok(l) = a.cholesky() else { return Ok(None) };
        let c = l.solve_lower(&block(0..p, p..width)?.mul(&scale.insert_axis(1)?)?)?;
        let scaled = l.transpose()?;
        let s = scaled.singular_values()?.into_vec();
        Ok(Some(Triangle { r: scaled.div(&scale)?, c, s }))
    }

    /// By reflections: slower, and without the square of the condition number. `None` as [`by_gram`](Self::by_gram).
    pub(crate) fn by_reflections(&self) -> Result<Option<Triangle>> {
        let Ok(joined) = Tensor::triangular_factor_of(&self.parts()) else { return Ok(None) };
        let (p, width) = (self.p, joined.dims()[1]);
        let lengths = joined.map(|v| v * v).sum_axis(0)?.sqrt().into_vec();
        let Some(scale) = scale(&lengths[..p], &lengths[p..]) else { return Ok(None) };
        let top = joined.slice(0, 0..p)?;
        let (r, c) = (top.slice(1, 0..p)?, top.slice(1, p..width)?);
        let s = r.mul(&scale)?.singular_values()?.into_vec();
        Ok(Some(Triangle { r, c, s }))
    }

    /// θ alone: without another pass over X.
    pub(crate) fn solve(triangle: &Triangle) -> Result<Solved> {
        let theta = triangle.r.solve_upper(&triangle.c)?;
        Ok(Solved { root: inverse(&triangle.r)?, residuals: None, theta })
    }

    fn fitted(&self, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
        let first = self.p - self.x.dims()[1];
        let slopes = theta.slice(0, first..self.p)?;
        Ok(if first == 1 { self.x.affine(&slopes, &theta.select(0, 0)?)? } else { self.x.matmul(&slopes)? })
    }

    /// θ and the residuals, refined: Björck's iteration with R alone. A step's error is that of the first solution times the
    /// square of the condition number in roundings, so below a condition of 10⁵ two or three settle the last digit.
    pub(crate) fn refine(&self, triangle: &Triangle) -> Result<Solved> {
        let (r, lower) = (&triangle.r, triangle.r.transpose()?);
        let mut thetas = Vec::new();
        let mut rests = Vec::new();
        for k in 0..self.y.dims()[1] {
            let y = self.y.slice(1, k..k + 1)?;
            let mut theta = r.solve_upper(&triangle.c.slice(1, k..k + 1)?)?;
            let mut last = f64::INFINITY;
            let mut rest = Tensor::zeros([0])?;
            for _ in 0..STEPS {
                // The residuals rounded, what the rounding took, and from both the gradient: one pass.
                let pass = self.residual_pass(theta.as_slice(), y.as_slice())?;
                let step = r.solve_upper(&lower.solve_lower(&pass.gradient)?)?;
                let size = step.abs().max()? / theta.abs().max()?.max(f64::MIN_POSITIVE);
                rest = pass.residuals;
                // A step that does not shrink is rounding: it would only stir the last digits.
                if size.is_nan() || size >= 0.5 * last || size <= f64::EPSILON / 4.0 {
                    break;
                }
                theta = theta.add(&step)?;
                rest = rest.sub(&self.fitted(&step)?.flatten())?;
                last = size;
                // The next step would be smaller by at least the square of the condition number in roundings.
                if size * condition(&triangle.s).powi(2) * f64::EPSILON * self.p as f64 <= f64::EPSILON / 4.0
                {
                    break;
                }
            }
            thetas.push(theta);
            rests.push(rest.insert_axis(1)?);
        }
        let join = |parts: &[Tensor<f64>]| Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), 1);
        Ok(Solved { theta: join(&thetas)?, root: inverse(r)?, residuals: Some(join(&rests)?) })
    }

    /// r = y − A·θ, each in double-double and rounded, and Aᵀ(y − A·θ), its sums compensated.
    fn residual_pass(&self, theta: &[f64], y: &[f64]) -> Result<Pass> {
        let (n, d) = (y.len(), self.x.dims()[1]);
        let (constant, slopes) = theta.split_at(self.p - d);
        let (constant, slopes) = (constant.first().copied().unwrap_or(0.0), Vec::from(slopes));
        let x = self.x.as_slice();
        // For each block the gradient's sums and what their rounding took; the first of each is the intercept's.
        let width = 2 * (d + 1);
        let mut sums = vec![0.0; n.div_ceil(ROWS) * width];
        let residuals = Tensor::compute([n], |out| {
            for_each_block_of_two((out, ROWS), (&mut sums, width), |i, out, sums| {
                let (high, low) = sums.split_at_mut(d + 1);
                let rows = x[i * ROWS * d..].chunks_exact(d).zip(&y[i * ROWS..]);
                vectorize(
                    #[inline(always)]
                    || {
                        for (out, (row, &y)) in out.iter_mut().zip(rows) {
                            let (rest, lost) = residual(row, &slopes, y, constant);
                            *out = rest;
                            let one = two_sum(high[0], rest);
                            high[0] = one.hi;
                            low[0] += one.lo + lost;
                            for ((high, low), &a) in high[1..].iter_mut().zip(&mut low[1..]).zip(row) {
                                let product = two_product(a, rest);
                                let sum = two_sum(*high, product.hi);
                                *high = sum.hi;
                                *low += sum.lo + a.mul_add(lost, product.lo);
                            }
                        }
                    },
                );
            });
        })?;
        let mut total = vec![(0.0, 0.0); d + 1];
        for block in sums.chunks_exact(width) {
            for ((high, low), (&h, &l)) in total.iter_mut().zip(block[..d + 1].iter().zip(&block[d + 1..])) {
                let sum = two_sum(*high, h);
                *high = sum.hi;
                *low += sum.lo + l;
            }
        }
        // Without an intercept the first is nobody's.
        let gradient: Tensor<f64> = total[d + 1 - self.p..].iter().map(|(high, low)| high + low).collect();
        Ok(Pass { residuals, gradient: gradient.insert_axis(1)? })
    }
}

/// How many steps of refinement at most.
const STEPS: usize = 8;

struct Pass {
    residuals: Tensor<f64>,
    /// `[P, 1]`.
    gradient: Tensor<f64>,
}

/// y − c − ⟨x, θ⟩ as a rounded number and what the rounding took: running sums with their errors beside them, so that it is as
/// good as in twice the precision. (Ogita, Rump & Oishi 2005.)
#[inline(always)]
fn residual(x: &[f64], theta: &[f64], y: f64, constant: f64) -> (f64, f64) {
    const LANES: usize = 8;
    let (mut high, mut low) = ([0.0; LANES], [0.0; LANES]);
    let (xs, ts) = (x.chunks_exact(LANES), theta.chunks_exact(LANES));
    let (x_tail, t_tail) = (xs.remainder(), ts.remainder());
    for (x, t) in xs.zip(ts) {
        for (((high, low), &x), &t) in high.iter_mut().zip(&mut low).zip(x).zip(t) {
            let product = two_product(x, t);
            let sum = two_sum(*high, product.hi);
            *high = sum.hi;
            *low += sum.lo + product.lo;
        }
    }
    let (mut sum, mut lost) = (two_sum(y, -constant), 0.0);
    for (&x, &t) in x_tail.iter().zip(t_tail) {
        let product = two_product(-x, t);
        lost += sum.lo + product.lo;
        sum = two_sum(sum.hi, product.hi);
    }
    for (&high, &low) in high.iter().zip(&low) {
        lost += sum.lo - low;
        sum = two_sum(sum.hi, -high);
    }
    let rest = two_sum(sum.hi, sum.lo + lost);
    (rest.hi, rest.lo)
}

/// Powers of two that take the lengths to between ½ and 1, or `None` where a length is too extreme for products.
fn scale(columns: &[f64], targets: &[f64]) -> Option<Tensor<f64>> {
    let fine = columns.iter().all(|l| LENGTHS.contains(l)) && targets.iter().all(|&l| l < LENGTHS.end);
    fine.then(|| columns.iter().map(|l| (-l.log2().ceil()).exp2()).collect())
}
