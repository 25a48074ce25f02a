//! The solution of smallest norm: what least squares means when columns depend on each other.

use crate::symbols::{THETA, X, Y};
use crate::{LinearRegression, Method, Result};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Tensor;

pub(crate) const FORMULA: Formula = Formula {
    id: "lls-min-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Solution of smallest norm",
    latex: r"\theta = X^{+} y = V \Sigma^{+} U^\top y",
    unicode: "θ = X⁺y = V Σ⁺ Uᵀ y",
    symbols: &[
        X,
        Y,
        THETA,
        Symbol {
            latex: r"X^{+}",
            code: "svd",
            meaning: "the pseudo-inverse of X, by its singular value decomposition UΣVᵀ",
            shape: "[D, N]",
            unit: "1 a unit of x",
        },
    ],
    source: "Moore 1920; Penrose 1955; Golub & Van Loan, Matrix Computations, §5.5",
    item: item!(fn min_norm),
    chapter: "least-squares",
    printed: None,
};

/// The least-squares solution of smallest norm, without an intercept.
///
/// **Formula** `lls-min-norm`: θ = X⁺y. Of all θ that minimise ‖Xθ − y‖, the one with the smallest ‖θ‖; orthogonal to the
/// null space of X.
///
/// **Shapes**: x `[N, D]` of any rank, y `[N]`, result `[D]`. **Units**: y a unit of x.
///
/// **Gradient**: not differentiated.
///
/// **Numerics**: the rank is that of the columns scaled to one length, with the tolerance max(N, D)·2⁻⁵²; so many singular values
/// of X itself are kept.
///
/// **Errors**: those of [`LinearRegression::fit`]. **Source**: Golub & Van Loan, §5.5.
///
/// ```
/// use gradus_linear_regression::min_norm;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 1.0], [2.0, 2.0]]); // two equal columns
/// let theta = min_norm(&x, &Tensor::from([2.0, 4.0]))?;
/// assert!(theta.all_close(&Tensor::from([1.0, 1.0]), 0.0, 1e-14)?);
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn min_norm(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<Tensor<f64>> {
    let fit = LinearRegression::new().intercept(false).method(Method::Svd).fit(x, y)?;
    Ok(fit.parameters().select(1, 0)?)
}
