//! The solvers of min ‖A·θ − b‖ on a scaled design: normal equations, QR with refinement, and QR in double-double.

use crate::double::{Double, dot};
use crate::{Error, Result};
use gradus_tensor::{Tensor, Transpose};

/// A solution, with what the statistics need.
pub(crate) struct Solution {
    /// `[P, K]`.
    pub(crate) theta: Tensor<f64>,
    /// B with (AᵀA)⁻¹ = B·Bᵀ: R⁻¹, `[P, P]`. The product is never formed: it would square the condition number.
    pub(crate) root: Tensor<f64>,
    /// b − A·θ, `[M, K]`.
    pub(crate) residuals: Tensor<f64>,
}

/// The singular values of A, by those of its triangular factor.
pub(crate) fn singular_values(a: &Tensor<f64>) -> Result<Vec<f64>> {
    let (_, r) = a.qr()?;
    Ok(r.svd()?.s.into_vec())
}

/// How many singular values are above `tolerance` times the largest.
pub(crate) fn rank(s: &[f64], tolerance: f64) -> usize {
    let largest = s.first().copied().unwrap_or(0.0);
    s.iter().filter(|&&v| v > tolerance * largest && v > 0.0).count()
}

fn inverse(r: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(r.solve_upper(&Tensor::eye(r.dims()[0])?)?)
}

/// θ from AᵀA·θ = Aᵀb by Cholesky: fast, and the condition number squared. `None` if AᵀA is not positive definite.
pub(crate) fn normal(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<Option<Solution>> {
    let gram = a.product(Transpose::Yes, a, Transpose::No)?;
    let Ok(l) = gram.cholesky() else { return Ok(None) };
    let upper = l.transpose()?;
    let theta = upper.solve_upper(&l.solve_lower(&a.product(Transpose::Yes, b, Transpose::No)?)?)?;
    let residuals = b.sub(&a.matmul(&theta)?)?;
    Ok(Some(Solution { theta, root: inverse(&upper)?, residuals }))
}

/// The most refinement steps; two or three do.
const STEPS: usize = 12;

/// θ by Householder QR, then refined: Björck's iteration on the system [I A; Aᵀ 0][r; θ] = [b; 0], its residuals in
/// double-double. It converges to the rounded exact solution as long as the condition number is below 10¹⁵.
pub(crate) fn qr(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<Solution> {
    let (q, r) = a.qr()?;
    let solve = |rhs: &Tensor<f64>| r.solve_upper(rhs);
    let lower = r.transpose()?;
    let mut columns = Vec::new();
    let mut rests = Vec::new();
    for k in 0..b.dims()[1] {
        let target = b.slice(1, k..k + 1)?;
        let mut theta = solve(&q.product(Transpose::Yes, &target, Transpose::No)?)?;
        let mut rest = target.sub(&a.matmul(&theta)?)?;
        let mut last = f64::INFINITY;
        for _ in 0..STEPS {
            let (f, g) = augmented_residuals(a, &target, &rest, &theta)?;
            let h = lower.solve_lower(&g)?;
            let d = q.product(Transpose::Yes, &f, Transpose::No)?;
            let step = solve(&d.sub(&h)?)?;
            let size = step.abs().max()? / theta.abs().max()?.max(f64::MIN_POSITIVE);
            // A step that does not shrink is rounding: it would only stir the last digits.
            if size.is_nan() || size >= 0.5 * last {
                break;
            }
            theta = theta.add(&step)?;
            rest = rest.add(&f)?.add(&q.matmul(&h.sub(&d)?)?)?;
            last = size;
            if size <= f64::EPSILON / 4.0 {
                break;
            }
        }
        columns.push(theta);
        rests.push(rest);
    }
    let join = |parts: &[Tensor<f64>]| Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), 1);
    Ok(Solution { theta: join(&columns)?, root: inverse(&r)?, residuals: join(&rests)? })
}

/// f = b − r − A·θ and g = −Aᵀr, each sum in double-double.
fn augmented_residuals(
    a: &Tensor<f64>,
    b: &Tensor<f64>,
    r: &Tensor<f64>,
    theta: &Tensor<f64>,
) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let (m, p) = (a.dims()[0], a.dims()[1]);
    let (av, rv, tv) = (a.as_slice(), r.as_slice(), theta.as_slice());
    let f = (0..m).map(|i| {
        let row = av[i * p..(i + 1) * p].iter().copied();
        (Double::from(b.as_slice()[i]) - Double::from(rv[i]) - dot(row, tv.iter().copied())).value()
    });
    let g = (0..p).map(|j| -dot((0..m).map(|i| av[i * p + j]), rv.iter().copied()).value());
    Ok((f.collect::<Tensor<f64>>().insert_axis(1)?, g.collect::<Tensor<f64>>().insert_axis(1)?))
}

/// A solution in double-double, rounded at the end only.
pub(crate) struct Precise {
    pub(crate) theta: Vec<Vec<Double>>,
    /// The columns of R⁻¹.
    pub(crate) root: Vec<Vec<Double>>,
    pub(crate) residuals: Vec<Vec<Double>>,
}

/// θ by Householder QR in double-double. `a` and `b` are columns.
///
/// # Errors
/// If a column depends on those before it.
pub(crate) fn precise(a: &[Vec<Double>], b: &[Vec<Double>]) -> Result<Precise> {
    let p = a.len();
    let m = b.first().map_or(0, Vec::len);
    let dot = |x: &[Double], y: &[Double]| x.iter().zip(y).fold(Double::ZERO, |s, (&x, &y)| s + x * y);
    // The columns of A and then of b; each reflection is applied to what is right of it.
    let mut work: Vec<Vec<Double>> = a.iter().chain(b).cloned().collect();
    let mut diagonal = Vec::with_capacity(p);
    for j in 0..p {
        let length = dot(&a[j], &a[j]).sqrt();
        let tail = &work[j][j.min(m)..];
        let norm = dot(tail, tail).sqrt();
        if norm.hi <= 1e-28 * length.hi || norm.hi == 0.0 {
            let (method, columns, tolerance) = ("Method::Precise", p, 1e-28);
            return Err(Error::RankDeficient { method, rank: j, columns, tolerance });
        }
        let alpha = if work[j][j].hi > 0.0 { -norm } else { norm };
        let mut v = work[j][j..].to_vec();
        v[0] = v[0] - alpha;
        let half = dot(&v, &v);
        diagonal.push(alpha);
        for column in &mut work[j + 1..] {
            let factor = dot(&v, &column[j..]) * Double::from(2.0) / half;
            column[j..].iter_mut().zip(&v).for_each(|(c, &v)| *c = *c - factor * v);
        }
    }
    let back = |rhs: &[Double]| -> Vec<Double> {
        let mut x = rhs[..p].to_vec();
        for i in (0..p).rev() {
            let known = (i + 1..p).fold(Double::ZERO, |s, j| s + work[j][i] * x[j]);
            x[i] = (x[i] - known) / diagonal[i];
        }
        x
    };
    let theta: Vec<Vec<Double>> = work[p..].iter().map(|column| back(column)).collect();
    let unit = |j: usize| (0..p).map(|i| if i == j { Double::ONE } else { Double::ZERO }).collect::<Vec<_>>();
    let root = (0..p).map(|j| back(&unit(j))).collect();
    let residuals = theta.iter().zip(b).map(|(theta, b)| {
        let fitted = |i: usize| a.iter().zip(theta).fold(Double::ZERO, |s, (column, &t)| s + column[i] * t);
        (0..m).map(|i| b[i] - fitted(i)).collect()
    });
    Ok(Precise { residuals: residuals.collect(), theta, root })
}
