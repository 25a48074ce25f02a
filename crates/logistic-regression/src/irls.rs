//! The slope and the curvature of the loss, and the step that both of them give.

use crate::likelihood::check_labelled;
use crate::prediction::{check, probabilities};
use crate::symbols::{LABEL, N, PROBABILITY, THETA, WEIGHTS, X};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Tensor, Transpose};

pub(crate) const FORMULA_GRADIENT: Formula = Formula {
    id: "logreg-gradient",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Gradient of the logistic loss",
    latex: r"\nabla L(\theta) = \frac{1}{n} X^\top (\hat y - y)",
    unicode: "∇L(θ) = (1/n) Xᵀ(ŷ − y)",
    symbols: &[X, PROBABILITY, LABEL, N, THETA],
    source: "Hastie, Tibshirani & Friedman 2009, eq. 4.21; Bishop 2006, eq. 4.91",
    item: item!(fn gradient),
    chapter: "logistic-regression",
    printed: None,
};

pub(crate) const FORMULA_HESSIAN: Formula = Formula {
    id: "logreg-hessian",
    title: "Hessian of the logistic loss",
    latex: r"\nabla^2 L(\theta) = \frac{1}{n} X^\top W X, \qquad W_{ii} = \hat y_i (1 - \hat y_i)",
    unicode: "∇²L(θ) = (1/n) XᵀWX, Wᵢᵢ = ŷᵢ(1 − ŷᵢ)",
    symbols: &[X, WEIGHTS, PROBABILITY, N, THETA],
    source: "Hastie, Tibshirani & Friedman 2009, eq. 4.22; Bishop 2006, eq. 4.97–4.98",
    item: item!(fn hessian),
    ..FORMULA_GRADIENT
};

pub(crate) const FORMULA: Formula = Formula {
    id: "logreg-irls",
    title: "Newton's step: reweighted least squares",
    latex: r"\theta \leftarrow \theta - (X^\top W X)^{-1} X^\top (\hat y - y)",
    unicode: "θ ← θ − (XᵀWX)⁻¹Xᵀ(ŷ − y)",
    symbols: &[THETA, X, WEIGHTS, PROBABILITY, LABEL],
    source: "Hastie, Tibshirani & Friedman 2009, eq. 4.26–4.28; Bishop 2006, eq. 4.99–4.100",
    item: item!(fn newton_step),
    ..FORMULA_GRADIENT
};

fn samples(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<f64> {
    match check(x, theta)? {
        0 => Err(Error::NoSamples { shape: x.shape() }),
        n => Ok(n as f64),
    }
}

/// The gradient of the mean loss in θ.
///
/// **Formula** `logreg-gradient`: ∇L(θ) = (1/n) Xᵀ(ŷ − y): each sample pulls with its mistake.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, labels `[N]`, result `[D]`. **Units**: nats a unit of θ.
///
/// **Gradient**: [`hessian`].
///
/// **Numerics**: ŷ − 1 is computed as −σ(−z): a confident correct prediction still pulls.
///
/// **Errors**: shapes that do not fit, no samples, a label that is not 0 or 1. **Source**: Bishop 2006, eq. 4.91.
///
/// ```
/// use gradus_logistic_regression::gradient;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [1.0, 4.0]]);
/// let g = gradient(&x, &Tensor::from([0.0, 0.0]), &Tensor::from([0, 1]))?;
/// assert_eq!(g, Tensor::from([0.0, -0.5])); // ½·(½·1 − ½·1), ½·(½·2 − ½·4)
/// # Ok::<(), gradus_logistic_regression::Error>(())
/// ```
pub fn gradient(x: &Tensor<f64>, theta: &Tensor<f64>, labels: &Tensor<u32>) -> Result<Tensor<f64>> {
    let n = samples(x, theta)?;
    check_labelled(labels, n as usize, 2)?;
    let z = crate::prediction::log_odds(x, theta)?;
    let sigmoid = gradus_activations::sigmoid::<f64>;
    let residual = z.zip(labels, |z, y| if y == 1 { -sigmoid(-z) } else { sigmoid(z) })?;
    let sum = x.product(Transpose::Yes, &residual.insert_axis(1)?, Transpose::No)?.remove_axis(1)?;
    Ok(sum.map(|g| g / n))
}

/// The Hessian of the mean loss in θ.
///
/// **Formula** `logreg-hessian`: (1/n) XᵀWX with Wᵢᵢ = ŷᵢ(1 − ŷᵢ). It does not depend on the labels.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, result `[D, D]`. **Units**: nats a unit of θ².
///
/// **Gradient**: not differentiated. It is positive semidefinite: the loss is convex.
///
/// **Numerics**: ŷ(1 − ŷ) as σ(z)σ(−z), which does not cancel; symmetric to the bit.
///
/// **Errors**: shapes that do not fit, no samples. **Source**: Bishop 2006, eq. 4.97.
///
/// ```
/// use gradus_logistic_regression::hessian;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [1.0, 4.0]]);
/// let h = hessian(&x, &Tensor::from([0.0, 0.0]))?; // each weight is ¼
/// assert_eq!(h, Tensor::from([[0.25, 0.75], [0.75, 2.5]]));
/// # Ok::<(), gradus_logistic_regression::Error>(())
/// ```
pub fn hessian(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    let n = samples(x, theta)?;
    let z = crate::prediction::log_odds(x, theta)?;
    let sigmoid = gradus_activations::sigmoid::<f64>;
    let roots = z.map(|z| (sigmoid(z) * sigmoid(-z)).sqrt());
    Ok(Tensor::gram_of(&[&x.mul(&roots.insert_axis(1)?)?])?.map(|h| h / n))
}

/// θ after one step of Newton's method, the whole step.
///
/// **Formula** `logreg-irls`: θ − (XᵀWX)⁻¹Xᵀ(ŷ − y). The same θ solves a weighted least-squares problem: weights W, targets
/// Xθ + W⁻¹(y − ŷ), hence the name *iteratively reweighted least squares*.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, labels `[N]`, result `[D]`. **Units**: those of θ.
///
/// **Gradient**: not differentiated.
///
/// **Numerics**: Cholesky's factor of XᵀWX. From afar a whole step may go too far and the next one farther:
/// [`LogisticRegression`](crate::LogisticRegression) halves such steps.
///
/// **Errors**: as [`gradient`]; a Hessian that is not positive definite (dependent columns, or weights that have vanished).
///
/// **Source**: Bishop 2006, eq. 4.99.
///
/// ```
/// use gradus_logistic_regression::newton_step;
/// use gradus_tensor::Tensor;
/// let x = Tensor::ones([4, 1])?; // an intercept alone: the best is ln(3/1)
/// let y = Tensor::from([1, 1, 1, 0]);
/// let one = newton_step(&x, &Tensor::from([0.0]), &y)?;
/// assert_eq!(one, Tensor::from([1.0])); // 0 + (4·¼)⁻¹·(3·½ − ½)
/// let two = newton_step(&x, &one, &y)?;
/// assert!((two.item()? - 3f64.ln()).abs() < 1e-2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn newton_step(x: &Tensor<f64>, theta: &Tensor<f64>, labels: &Tensor<u32>) -> Result<Tensor<f64>> {
    let g = gradient(x, theta, labels)?;
    let l = hessian(x, theta)?.cholesky()?;
    Ok(theta.sub(&l.transpose()?.solve_upper(&l.solve_lower(&g)?)?)?)
}

/// The right side of the least-squares problem that one step solves: xᵢθ + (yᵢ − ŷᵢ)/wᵢ, and the weights wᵢ = ŷᵢ(1 − ŷᵢ).
///
/// ```
/// use gradus_logistic_regression::working_response;
/// use gradus_tensor::Tensor;
/// let (z, w) = working_response(&Tensor::ones([2, 1])?, &Tensor::from([0.0]), &Tensor::from([1, 0]))?;
/// assert_eq!((z, w), (Tensor::from([2.0, -2.0]), Tensor::from([0.25, 0.25]))); // 0 ± ½/¼
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`gradient`].
pub fn working_response(
    x: &Tensor<f64>,
    theta: &Tensor<f64>,
    labels: &Tensor<u32>,
) -> Result<(Tensor<f64>, Tensor<f64>)> {
    check_labelled(labels, check(x, theta)?, 2)?;
    let p = probabilities(x, theta)?;
    let w = p.map(|p| p * (1.0 - p));
    let z = crate::prediction::log_odds(x, theta)?;
    // (y − ŷ)/(ŷ(1 − ŷ)) is 1/ŷ for label 1 and −1/(1 − ŷ) for label 0.
    let pull = p.zip(labels, |p, y| if y == 1 { 1.0 / p } else { -1.0 / (1.0 - p) })?;
    Ok((z.add(&pull)?, w))
}
