//! The solvers of min ‖A·θ − b‖ on a scaled design: normal equations, QR (by reflections, or by Cholesky's factor of AᵀA where
//! that is safe) with refinement, and QR in double-double.
//!
//! What costs time for many samples is [`gram`], [`across`] and the products of [`cholesky_qr`], and one [`augmented_residuals`]
//! a step of refinement.

use crate::double::{Double, dot, two_product};
use crate::{Error, Result};
use gradus_tensor::{Tensor, Transpose};

/// A solution, with what the statistics need.
pub(crate) struct Solution {
    /// `[P, K]`.
    pub(crate) theta: Tensor<f64>,
    /// B with (AᵀA)⁻¹ = B·Bᵀ: R⁻¹, `[P, P]`. The product is never formed: it would square the condition number.
    pub(crate) root: Tensor<f64>,
    /// b − A·θ, `[M, K]`, or `None` where a difference of rounded predictions is as good.
    pub(crate) residuals: Option<Tensor<f64>>,
    /// The diagonal of the projection on A's columns, `[M]`.
    pub(crate) leverage: Option<Vec<f64>>,
}

/// A = Q·R with orthonormal columns in Q, R upper triangular, and A's singular values, which are R's.
pub(crate) struct Factors {
    q: Tensor<f64>,
    r: Tensor<f64>,
    pub(crate) s: Vec<f64>,
}

/// The largest over the smallest of sorted singular values.
pub(crate) fn condition(s: &[f64]) -> f64 {
    match (s.first(), s.last()) {
        (Some(&first), Some(&last)) => first / last,
        _ => 1.0,
    }
}

/// By Householder reflections: at any condition.
pub(crate) fn householder(a: &Tensor<f64>) -> Result<Factors> {
    let (q, r) = a.qr()?;
    let s = r.svd()?.s.into_vec();
    Ok(Factors { q, r, s })
}

/// The condition number up to which XᵀX is safe: its square, rounded, is 10⁻⁶, so that the first factor is near enough for the
/// second one to be right to the last digits, and for each step of refinement to add ten.
pub(crate) const SAFE: f64 = 1e5;

/// AᵀA, `[P, P]`.
fn gram(a: &Tensor<f64>) -> Result<Tensor<f64>> {
    across(a, a)
}

/// Aᵀb, `[P, K]`.
fn across(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(a.product(Transpose::Yes, b, Transpose::No)?)
}

/// The same factors from products alone, which is faster for many samples: AᵀA = R₁ᵀR₁, and again for A·R₁⁻¹, whose columns are
/// orthonormal but for the condition number squared; A = (A·R₁⁻¹·R₂⁻¹)·(R₂R₁). (CholeskyQR2: Yamamoto, Nakatsukasa, Yanagisawa &
/// Fukaya 2015.) `None` where it is not [`SAFE`], found out at the cost of the first product alone.
pub(crate) fn cholesky_qr(a: &Tensor<f64>) -> Result<Option<Factors>> {
    let Ok(l) = gram(a)?.cholesky() else { return Ok(None) };
    let first = l.transpose()?;
    let s = first.svd()?.s.into_vec();
    if condition(&s).is_nan() || condition(&s) > SAFE {
        return Ok(None);
    }
    // Row by row x·R₁ = a: the product with an inverse would not do, its error has the condition number.
    let nearly = l.solve_lower(&a.transpose()?)?.transpose()?;
    let Ok(l) = gram(&nearly)?.cholesky() else { return Ok(None) };
    let second = l.transpose()?;
    let (q, r) = (nearly.matmul(&inverse(&second)?)?, second.matmul(&first)?);
    Ok(Some(Factors { q, r, s }))
}

/// How many singular values are above `tolerance` times the largest.
pub(crate) fn rank(s: &[f64], tolerance: f64) -> usize {
    let largest = s.first().copied().unwrap_or(0.0);
    s.iter().filter(|&&v| v > tolerance * largest && v > 0.0).count()
}

pub(crate) fn inverse(r: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(r.solve_upper(&Tensor::eye(r.dims()[0])?)?)
}

/// The squared length of each row.
pub(crate) fn lengths(rows: &Tensor<f64>) -> Result<Vec<f64>> {
    Ok(rows.map(|v| v * v).sum_axis(1)?.into_vec())
}

/// θ from AᵀA·θ = Aᵀb by Cholesky: fast, and the condition number squared. `None` if AᵀA is not positive definite.
pub(crate) fn normal(a: &Tensor<f64>, b: &Tensor<f64>) -> Result<Option<Solution>> {
    let Ok(l) = gram(a)?.cholesky() else { return Ok(None) };
    let upper = l.transpose()?;
    let theta = upper.solve_upper(&l.solve_lower(&across(a, b)?)?)?;
    let root = inverse(&upper)?;
    let leverage = Some(lengths(&a.matmul(&root)?)?);
    Ok(Some(Solution { theta, root, residuals: None, leverage }))
}

/// The most refinement steps; two or three do.
const STEPS: usize = 12;

/// θ by A = Q·R, then refined: Björck's iteration on the system [I A; Aᵀ 0][r; θ] = [b; 0], its residuals in double-double. It
/// converges to the rounded exact solution as long as the condition number is below 10¹⁵. R itself is not refined: what is made
/// of it, the standard errors, has lost the digits of the condition number (on NIST's Longley 12.6 are left).
pub(crate) fn refined(a: &Tensor<f64>, b: &Tensor<f64>, Factors { q, r, .. }: &Factors) -> Result<Solution> {
    let lower = r.transpose()?;
    let mut columns = Vec::new();
    let mut rests = Vec::new();
    for k in 0..b.dims()[1] {
        let target = b.slice(1, k..k + 1)?;
        let mut theta = r.solve_upper(&across(q, &target)?)?;
        let mut rest = target.sub(&a.matmul(&theta)?)?;
        let mut last = f64::INFINITY;
        for _ in 0..STEPS {
            let (f, g) = augmented_residuals(a, &target, &rest, &theta)?;
            let h = lower.solve_lower(&g)?;
            let d = across(q, &f)?;
            let step = r.solve_upper(&d.sub(&h)?)?;
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
    let (theta, residuals) = (join(&columns)?, join(&rests)?);
    Ok(Solution { theta, root: inverse(r)?, residuals: Some(residuals), leverage: Some(lengths(q)?) })
}

/// f = b − r − A·θ and g = −Aᵀr, each sum in double-double, in one pass over the rows of A.
fn augmented_residuals(
    a: &Tensor<f64>,
    b: &Tensor<f64>,
    r: &Tensor<f64>,
    theta: &Tensor<f64>,
) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let p = a.dims()[1];
    let mut g = vec![Double::ZERO; p];
    let mut f = Vec::with_capacity(b.len());
    for (i, (&b, &r)) in b.as_slice().iter().zip(r.as_slice()).enumerate() {
        let row = &a.as_slice()[i * p..(i + 1) * p];
        f.push((Double::from(b) - Double::from(r) - dot(row, theta.as_slice())).value());
        g.iter_mut().zip(row).for_each(|(g, &a)| *g = *g - two_product(a, r));
    }
    let g: Tensor<f64> = g.into_iter().map(Double::value).collect();
    Ok((Tensor::from(f).insert_axis(1)?, g.insert_axis(1)?))
}

/// A solution in double-double, rounded at the end only.
pub(crate) struct Precise {
    pub(crate) theta: Vec<Vec<Double>>,
    /// The columns of R⁻¹.
    pub(crate) root: Vec<Vec<Double>>,
    pub(crate) residuals: Vec<Vec<Double>>,
    /// The diagonal of the projection on A's columns.
    pub(crate) leverage: Vec<Double>,
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
    let root: Vec<Vec<Double>> = (0..p).map(|j| back(&unit(j))).collect();
    // The rows of A·R⁻¹, too, cancel by the condition number: their lengths have digits only if they are made here.
    let product = |i: usize, root: &[Double]| {
        a.iter().zip(root).fold(Double::ZERO, |sum, (column, &r)| sum + column[i] * r)
    };
    let squared = |x: Double| x * x;
    let length = |i| root.iter().fold(Double::ZERO, |sum, root| sum + squared(product(i, root)));
    let leverage = (0..m).map(length).collect();
    let residuals = theta.iter().zip(b).map(|(theta, b)| {
        let fitted = |i: usize| a.iter().zip(theta).fold(Double::ZERO, |s, (column, &t)| s + column[i] * t);
        (0..m).map(|i| b[i] - fitted(i)).collect()
    });
    Ok(Precise { residuals: residuals.collect(), theta, root, leverage })
}
