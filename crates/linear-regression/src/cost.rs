//! The cost of least squares and its gradient, as sums and as matrices; the linear prediction.

use crate::symbols::{N, THETA, X, X_I, Y, Y_HAT};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Tensor, Transpose};

pub(crate) const FORMULA_PREDICTION: Formula = Formula {
    id: "lls-prediction",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "Linear prediction",
    latex: r"\hat y_i = x_i \theta",
    unicode: "ŷᵢ = xᵢθ",
    symbols: &[Y_HAT, X_I, THETA],
    source: "Legendre 1805; Hastie, Tibshirani & Friedman 2009, eq. 3.1",
    item: item!(fn predict),
    chapter: "least-squares",
    printed: Some(Printed {
        latex: r"\hat{y}_i = x_i \theta",
        reason: "right if xᵢ is a row with a 1 in it: the notes never mention the intercept",
        counterexample: "y = 1 at x = 0: no θ fits without a column of ones",
    }),
};

pub(crate) const FORMULA: Formula = Formula {
    id: "lls-cost",
    verdict: Verdict::Wrong,
    title: "Cost of least squares",
    latex: r"J(\theta) = \frac{1}{n} \sum_{i=1}^{n} (x_i \theta - y_i)^2",
    unicode: "J(θ) = (1/n) Σᵢ (xᵢθ − yᵢ)²",
    symbols: &[N, X_I, THETA, Y],
    source: "Gauss 1809; Hastie, Tibshirani & Friedman 2009, eq. 3.2–3.3",
    item: item!(fn cost),
    printed: Some(Printed {
        latex: r"\frac{1}{n} \sum_{i=0}^n (x_i \theta - y_i)^2",
        reason: "from 0 to n there are n + 1 terms over n samples",
        counterexample: "one sample with residual 1: 2 instead of 1",
    }),
    ..FORMULA_PREDICTION
};

pub(crate) const FORMULA_MATRIX: Formula = Formula {
    id: "lls-matrix-cost",
    title: "Cost of least squares, in matrices",
    latex: r"J(\theta) = \frac{1}{n} (X\theta - y)^\top (X\theta - y)",
    unicode: "J(θ) = (1/n) (Xθ − y)ᵀ(Xθ − y)",
    symbols: &[N, X, THETA, Y],
    item: item!(fn matrix_cost),
    printed: Some(Printed {
        latex: r"(X\theta - y)^T (X\theta - y)",
        reason: "the same J a line above has 1/n. The minimiser is the same, value and gradient are not",
        counterexample: "7 samples: 7 times the cost; a learning rate made for one diverges for the other",
    }),
    ..FORMULA
};

pub(crate) const FORMULA_GRADIENT: Formula = Formula {
    id: "lls-gradient",
    verdict: Verdict::Required,
    title: "Gradient of the cost",
    latex: r"\nabla J(\theta) = \frac{2}{n} X^\top (X\theta - y)",
    unicode: "∇J(θ) = (2/n) Xᵀ(Xθ − y)",
    symbols: &[N, X, THETA, Y],
    item: item!(fn gradient),
    printed: None,
    ..FORMULA
};

/// X is `[N, D]` with N ≥ 1, theta `[D]`, y `[N]`.
fn check(x: &Tensor<f64>, theta: &Tensor<f64>, y: Option<&Tensor<f64>>) -> Result<usize> {
    let &[n, d] = x.dims() else {
        return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
    };
    if theta.dims() != [d] {
        return Err(Error::Shape {
            what: "theta",
            expected: format!("[{d}], one for each column of X"),
            got: theta.shape(),
        });
    }
    if let Some(y) = y.filter(|y| y.dims() != [n]) {
        return Err(Error::Shape {
            what: "y",
            expected: format!("[{n}], one for each row of X"),
            got: y.shape(),
        });
    }
    Ok(n)
}

/// The prediction of a linear model.
///
/// **Formula** `lls-prediction`: ŷᵢ = xᵢθ. For an intercept X has a column of ones, or take
/// [`LinearRegression`](crate::LinearRegression), which does so by itself.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, result `[N]`. **Units**: those of y.
///
/// **Gradient**: X in θ. **Numerics**: one product. **Errors**: shapes that do not fit.
///
/// **Source**: Legendre 1805.
///
/// ```
/// use gradus_linear_regression::predict;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0], [1.0, 3.0]]); // a column of ones first
/// assert_eq!(predict(&x, &Tensor::from([10.0, -1.0]))?, Tensor::from([8.0, 7.0]));
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn predict(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    check(x, theta, None)?;
    Ok(x.matmul(&theta.insert_axis(1)?)?.remove_axis(1)?)
}

/// The cost of least squares: the mean of the squared residuals.
///
/// **Formula** `lls-cost`: J(θ) = (1/n) Σᵢ (xᵢθ − yᵢ)².
///
/// **Shapes**: x `[N, D]`, theta `[D]`, y `[N]`; a number. **Units**: those of y, squared.
///
/// **Gradient**: [`gradient`]. **Numerics**: sums by halves; overflows for residuals beyond 10¹⁵⁴.
///
/// **Errors**: shapes that do not fit, no samples. **Source**: Gauss 1809.
///
/// ```
/// use gradus_linear_regression::cost;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0], [2.0]]);
/// assert_eq!(cost(&x, &Tensor::from([1.0]), &Tensor::from([1.0, 4.0]))?, 2.0); // (0² + 2²) / 2
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn cost(x: &Tensor<f64>, theta: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    if check(x, theta, Some(y))? == 0 {
        return Err(Error::NoSamples { shape: x.shape() });
    }
    Ok(predict(x, theta)?.sub(y)?.map(|r| r * r).mean()?)
}

/// The same cost as one product of vectors.
///
/// **Formula** `lls-matrix-cost`: J(θ) = (1/n) (Xθ − y)ᵀ(Xθ − y).
///
/// **Shapes**, **Units**, **Gradient**, **Numerics**, **Errors**: as for [`cost`]. **Source**: Gauss 1809.
///
/// ```
/// use gradus_linear_regression::matrix_cost;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0], [2.0]]);
/// assert_eq!(matrix_cost(&x, &Tensor::from([1.0]), &Tensor::from([1.0, 4.0]))?, 2.0);
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn matrix_cost(x: &Tensor<f64>, theta: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    let n = check(x, theta, Some(y))?;
    if n == 0 {
        return Err(Error::NoSamples { shape: x.shape() });
    }
    let r = predict(x, theta)?.sub(y)?.insert_axis(1)?;
    Ok(r.product(Transpose::Yes, &r, Transpose::No)?.item()? / n as f64)
}

/// The gradient of the cost in θ.
///
/// **Formula** `lls-gradient`: ∇J(θ) = (2/n) Xᵀ(Xθ − y). It is 0 exactly at the solutions of the normal equations.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, y `[N]`, result `[D]`. **Units**: those of y², a unit of θ.
///
/// **Gradient**: the Hessian (2/n) XᵀX, positive semidefinite: J is convex. **Numerics**: two products.
///
/// **Errors**: shapes that do not fit, no samples. **Source**: Hastie, Tibshirani & Friedman 2009, eq. 3.4.
///
/// ```
/// use gradus_linear_regression::gradient;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0], [2.0]]);
/// let g = gradient(&x, &Tensor::from([1.0]), &Tensor::from([1.0, 4.0]))?;
/// assert_eq!(g, Tensor::from([-4.0])); // (2/2)·(1·0 + 2·(−2))
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn gradient(x: &Tensor<f64>, theta: &Tensor<f64>, y: &Tensor<f64>) -> Result<Tensor<f64>> {
    let n = check(x, theta, Some(y))?;
    if n == 0 {
        return Err(Error::NoSamples { shape: x.shape() });
    }
    let r = predict(x, theta)?.sub(y)?.insert_axis(1)?;
    let product = x.product(Transpose::Yes, &r, Transpose::No)?.remove_axis(1)?;
    Ok(product.map(|g| 2.0 * g / n as f64))
}
