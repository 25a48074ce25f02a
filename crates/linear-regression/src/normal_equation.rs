//! The normal equations: as the notes print their solution, with an inverse, kept to be looked at.

use crate::symbols::{THETA, X, Y};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Tensor, Transpose};

pub(crate) const FORMULA: Formula = Formula {
    id: "lls-normal-equation",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Normal equations",
    latex: r"X^\top X\, \theta = X^\top y",
    unicode: "XᵀX θ = Xᵀy",
    symbols: &[X, Y, THETA],
    source: "Gauss 1809; Hastie, Tibshirani & Friedman 2009, eq. 3.6; Björck 1996, §2",
    item: item!(fn inverse_formula),
    chapter: "least-squares",
    printed: Some(Printed {
        latex: r"\theta = (X^T X)^{-1} X^T y",
        reason: "the inverse exists only for independent columns, and computed it squares the condition number: on NIST's \
                 Filip it returns numbers without one correct digit, and no error",
        counterexample: "two equal columns: XᵀX has no inverse, though the fit is fine",
    }),
};

/// The notes' formula, literally: an explicit inverse of XᵀX. For teaching; [`LinearRegression`](crate::LinearRegression) never
/// does this.
///
/// **Formula** `lls-normal-equation`: θ = (XᵀX)⁻¹Xᵀy.
///
/// **Shapes**: x `[N, D]`, y `[N]`, result `[D]`. **Units**: y a unit of x.
///
/// **Gradient**: not differentiated.
///
/// **Numerics**: the condition number of XᵀX is that of X squared: half of the digits are lost, or all, *without an error*.
///
/// **Errors**: shapes that do not fit, no samples; an XᵀX that is singular to the last bit, which rounding seldom lets happen.
///
/// **Source**: Hastie, Tibshirani & Friedman 2009, eq. 3.6.
///
/// ```
/// use gradus_linear_regression::inverse_formula;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]);
/// let theta = inverse_formula(&x, &Tensor::from([1.0, 3.0, 5.0]))?;
/// assert!(theta.all_close(&Tensor::from([1.0, 2.0]), 0.0, 1e-12)?);
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn inverse_formula(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<Tensor<f64>> {
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
    let gram = x.product(Transpose::Yes, x, Transpose::No)?.to_matrix()?;
    let singular = || {
        let (method, tolerance) = ("inverse_formula", 0.0);
        Error::RankDeficient { method, rank: d.saturating_sub(1), columns: d, tolerance }
    };
    let inverse = Tensor::from(&gram.try_inverse().ok_or_else(singular)?);
    let right = x.product(Transpose::Yes, &y.insert_axis(1)?, Transpose::No)?;
    Ok(inverse.matmul(&right)?.remove_axis(1)?)
}
