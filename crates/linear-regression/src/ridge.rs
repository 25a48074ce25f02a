//! Ridge regression: a price on large coefficients, and the path of solutions over it.

use crate::symbols::{LAMBDA, THETA, X, Y};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_tensor::{Tensor, Transpose};

pub(crate) const FORMULA: Formula = Formula {
    id: "ridge",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Ridge regression",
    latex: r"\theta_\lambda = \arg\min_\theta \lVert X\theta - y \rVert_2^2 + \lambda_{\mathrm{ridge}} \lVert \theta \rVert_2^2",
    unicode: "θ = argmin ‖Xθ − y‖² + λ‖θ‖²",
    symbols: &[X, Y, THETA, LAMBDA],
    source: "Hoerl & Kennard 1970; Hastie, Tibshirani & Friedman 2009, eq. 3.41–3.47",
    item: item!(fn ridge_path),
    chapter: "least-squares",
    printed: None,
};

/// The ridge solutions for several λ, without an intercept, from one singular value decomposition.
///
/// **Formula** `ridge`: θ = V·diag(s/(s² + λ))·Uᵀy, which solves (XᵀX + λI)θ = Xᵀy. For an intercept and for one λ take
/// [`LinearRegression::ridge`](crate::LinearRegression::ridge).
///
/// **Shapes**: x `[N, D]`, y `[N]`, lambdas L; result `[L, D]`. **Units**: λ in those of x².
///
/// **Gradient**: not differentiated.
///
/// **Numerics**: for λ → 0 each goes to the solution of smallest norm. Singular values of 0 contribute 0.
///
/// **Errors**: shapes that do not fit, no samples, a λ below 0. **Source**: Hastie, Tibshirani & Friedman 2009, eq. 3.47.
///
/// ```
/// use gradus_linear_regression::ridge_path;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0], [1.0]]);
/// let path = ridge_path(&x, &Tensor::from([2.0, 4.0]), &[0.0, 2.0])?;
/// assert!(path.all_close(&Tensor::from([[3.0], [1.5]]), 0.0, 1e-14)?); // 6/2, 6/(2 + 2)
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn ridge_path(x: &Tensor<f64>, y: &Tensor<f64>, lambdas: &[f64]) -> Result<Tensor<f64>> {
    let &[n, d] = x.dims() else {
        return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
    };
    if n == 0 {
        return Err(Error::NoSamples { shape: x.shape() });
    }
    if y.dims() != [n] {
        return Err(Error::Shape {
            what: "y",
            expected: format!("[{n}], one for each row of X"),
            got: y.shape(),
        });
    }
    if let Some(bad) = lambdas.iter().find(|l| !(**l >= 0.0 && l.is_finite())) {
        return Err(Error::Option {
            name: "lambda",
            value: bad.to_string(),
            allowed: "finite and at least 0",
        });
    }
    let svd = x.svd()?;
    let rotated = svd.u.product(Transpose::Yes, &y.insert_axis(1)?, Transpose::No)?.flatten();
    let largest = svd.s.as_slice().first().copied().unwrap_or(0.0);
    let floor = largest * n.max(d) as f64 * f64::EPSILON;
    let shrunk = Tensor::from_fn([lambdas.len(), svd.s.len()], |i| {
        let (s, lambda) = (svd.s.as_slice()[i[1]], lambdas[i[0]]);
        if s <= floor { 0.0 } else { rotated.as_slice()[i[1]] / (s + lambda / s) }
    })?;
    Ok(shrunk.matmul(&svd.vt)?)
}
