//! Softmax regression's gradient and Hessian.

use crate::likelihood::check_labelled;
use crate::symbols::{CLASS_PROBABILITIES, N, SCORES_THETA, X, X_I};
use crate::{Error, Result};
use gradus_activations::linear_softmax;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Tensor, Transpose};

pub(crate) const FORMULA_GRADIENT: Formula = Formula {
    id: "softmax-regression-gradient",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Gradient of softmax regression",
    latex: r"\frac{\partial L}{\partial \theta_k} = \frac{1}{n} \sum_{i=1}^{n} (p_{ik} - [y_i = k])\, x_i^\top",
    unicode: "∂L/∂θₖ = (1/n) Σᵢ (pᵢₖ − [yᵢ = k]) xᵢᵀ",
    symbols: &[
        SCORES_THETA,
        CLASS_PROBABILITIES,
        X_I,
        N,
        Symbol {
            latex: "y_i",
            code: "labels",
            meaning: "the class of sample i",
            shape: "[N]",
            unit: "class",
        },
    ],
    source: "Bishop 2006, eq. 4.109",
    item: item!(fn softmax_gradient),
    chapter: "softmax-regression",
    printed: None,
};

pub(crate) const FORMULA: Formula = Formula {
    id: "softmax-regression-hessian",
    title: "Hessian of softmax regression",
    latex: r"\frac{\partial^2 L}{\partial \theta_k\, \partial \theta_m^\top} = \frac{1}{n} \sum_{i=1}^{n} p_{ik} ([k = m] - p_{im})\, x_i^\top x_i",
    unicode: "∂²L/∂θₖ∂θₘᵀ = (1/n) Σᵢ pᵢₖ([k = m] − pᵢₘ) xᵢᵀxᵢ",
    symbols: &[SCORES_THETA, CLASS_PROBABILITIES, X_I, X, N],
    source: "Bishop 2006, eq. 4.110; Böhning 1992",
    item: item!(fn softmax_hessian),
    ..FORMULA_GRADIENT
};

/// The gradient of the mean cross entropy of softmax regression in θ.
///
/// **Formula** `softmax-regression-gradient`: column k is (1/n) Σᵢ (pᵢₖ − [yᵢ = k]) xᵢᵀ, p the softmax of the scores Xθ.
///
/// **Shapes**: x `[N, D]`, theta `[D, K]`, labels `[N]`, result `[D, K]`. **Units**: nats a unit of θ.
///
/// **Gradient**: [`softmax_hessian`]. Its columns add up to 0: a shift of all classes changes nothing.
///
/// **Numerics**: softmax subtracts each row's largest score. **Errors**: shapes that do not fit, no samples, a label of K or more.
///
/// **Source**: Bishop 2006, eq. 4.109.
///
/// ```
/// use gradus_logistic_regression::softmax_gradient;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[2.0], [4.0]]);
/// let g = softmax_gradient(&x, &Tensor::zeros([1, 2])?, &Tensor::from([0, 1]))?;
/// assert_eq!(g, Tensor::from([[0.5, -0.5]])); // ½·(−½·2 + ½·4), and its opposite
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn softmax_gradient(x: &Tensor<f64>, theta: &Tensor<f64>, labels: &Tensor<u32>) -> Result<Tensor<f64>> {
    let [n, k] = check(x, theta)?;
    check_labelled(labels, n, k)?;
    let mut off = linear_softmax(x, theta)?;
    for (row, &y) in off.as_mut_slice().chunks_exact_mut(k).zip(labels.as_slice()) {
        // p − 1 of the true class as minus the others, which does not cancel.
        row[y as usize] = 0.0;
        row[y as usize] = -row.iter().sum::<f64>();
    }
    Ok(x.product(Transpose::Yes, &off, Transpose::No)?.map(|g| g / n as f64))
}

/// The Hessian of the mean cross entropy of softmax regression in θ, taken row by row: element (d, k) of θ is number d·K + k.
///
/// **Formula** `softmax-regression-hessian`: block (k, m) is (1/n) Σᵢ pᵢₖ([k = m] − pᵢₘ) xᵢᵀxᵢ.
///
/// **Shapes**: x `[N, D]`, theta `[D, K]`, result `[D·K, D·K]`. **Units**: nats a unit of θ².
///
/// **Gradient**: not differentiated. Positive semidefinite, and singular: shifts of all classes alike are in its null space.
///
/// **Numerics**: pₖ(1 − pₖ) as pₖ times the other classes' sum; symmetric to the bit. **Errors**: shapes that do not fit, no samples.
///
/// **Source**: Bishop 2006, eq. 4.110.
///
/// ```
/// use gradus_logistic_regression::softmax_hessian;
/// use gradus_tensor::Tensor;
/// let h = softmax_hessian(&Tensor::from([[2.0]]), &Tensor::zeros([1, 2])?)?;
/// assert_eq!(h, Tensor::from([[1.0, -1.0], [-1.0, 1.0]])); // ½·(1 − ½)·2², −½·½·2²
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn softmax_hessian(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    let [n, _] = check(x, theta)?;
    let p = linear_softmax(x, theta)?;
    Ok(curvature(x, &p, |_| 1.0)?.map(|h| h / n as f64))
}

/// Σᵢ wᵢ·(diag(pᵢ) − pᵢpᵢᵀ) ⊗ xᵢᵀxᵢ, class fastest.
pub(crate) fn curvature(
    x: &Tensor<f64>,
    p: &Tensor<f64>,
    weight: impl Fn(usize) -> f64,
) -> Result<Tensor<f64>> {
    let (d, classes) = (x.dims()[1], p.dims()[1]);
    let size = d * classes;
    let mut h = Tensor::zeros([size, size])?;
    for k in 0..classes {
        for m in k..classes {
            let factor = |(i, p): (usize, &[f64])| {
                let others: f64 = p.iter().enumerate().filter(|(j, _)| *j != k).map(|(_, p)| p).sum();
                weight(i) * if k == m { p[k] * others } else { -p[k] * p[m] }
            };
            let factors: Tensor<f64> =
                p.as_slice().chunks_exact(classes.max(1)).enumerate().map(factor).collect();
            let block = x.product(Transpose::Yes, &x.mul(&factors.insert_axis(1)?)?, Transpose::No)?;
            let to = h.as_mut_slice();
            for i in 0..d {
                for j in i..d {
                    let value = block.as_slice()[i * d + j];
                    for (a, b) in [(i, j), (j, i)] {
                        to[(a * classes + k) * size + b * classes + m] = value;
                        to[(a * classes + m) * size + b * classes + k] = value;
                    }
                }
            }
        }
    }
    Ok(h)
}

/// X is `[N, D]` with N ≥ 1, theta `[D, K]`: gives N and K.
fn check(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<[usize; 2]> {
    let &[n, d] = x.dims() else {
        return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
    };
    match *theta.dims() {
        _ if n == 0 => Err(Error::NoSamples { shape: x.shape() }),
        [rows, k] if rows == d && k > 0 => Ok([n, k]),
        _ => Err(Error::Shape { what: "theta", expected: format!("[{d}, K]"), got: theta.shape() }),
    }
}
