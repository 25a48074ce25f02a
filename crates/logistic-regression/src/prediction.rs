//! The model: log-odds that are linear in the features.

use crate::symbols::{PROBABILITY, SIGMOID, THETA, X_I};
use crate::{Error, Result};
use gradus_activations::Activations;
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::Tensor;

pub(crate) const FORMULA: Formula = Formula {
    id: "logreg-prediction",
    kind: Kind::Formula,
    verdict: Verdict::Ambiguous,
    title: "Logistic prediction",
    latex: r"\hat y_i = \sigma(x_i \theta)",
    unicode: "ŷᵢ = σ(xᵢθ)",
    symbols: &[PROBABILITY, SIGMOID, X_I, THETA],
    source: "Cox 1958; Hastie, Tibshirani & Friedman 2009, eq. 4.17–4.18",
    item: item!(fn probabilities),
    chapter: "logistic-regression",
    printed: Some(Printed {
        latex: r"\hat{y}_i = f(x_i, \theta)",
        reason: "f was the sigmoid, of one number, a line before; here it has two arguments. The number is the product xᵢθ",
        counterexample: "x = 2, θ = 3: σ of which of them? σ(6) = 0.9975, but σ(2) = 0.881 and σ(3) = 0.953",
    }),
};

/// X is `[N, D]`, theta `[D]`: gives N.
pub(crate) fn check(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<usize> {
    let &[n, d] = x.dims() else {
        return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
    };
    if theta.dims() != [d] {
        let expected = format!("[{d}], one for each column of X");
        return Err(Error::Shape { what: "theta", expected, got: theta.shape() });
    }
    Ok(n)
}

/// The log-odds xᵢθ of each sample.
pub(crate) fn log_odds(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    check(x, theta)?;
    Ok(x.matmul(&theta.insert_axis(1)?)?.remove_axis(1)?)
}

/// The probabilities of label 1 that a logistic model gives.
///
/// **Formula** `logreg-prediction`: ŷᵢ = σ(xᵢθ). For an intercept X has a column of ones, or take
/// [`LogisticRegression`](crate::LogisticRegression), which does so by itself.
///
/// **Shapes**: x `[N, D]`, theta `[D]`, result `[N]`. **Units**: probability.
///
/// **Gradient**: ŷᵢ(1 − ŷᵢ)·xᵢ in θ.
///
/// **Numerics**: one product; σ neither overflows nor loses digits. For ln ŷ take the log-odds, not the logarithm of this.
///
/// **Errors**: shapes that do not fit. **Source**: Cox 1958; Hastie, Tibshirani & Friedman 2009, eq. 4.17.
///
/// ```
/// use gradus_logistic_regression::probabilities;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 0.0], [1.0, 2.0]]); // a column of ones first
/// let p = probabilities(&x, &Tensor::from([0.0, 3f64.ln() / 2.0]))?;
/// assert!(p.all_close(&Tensor::from([0.5, 0.75]), 0.0, 1e-15)?); // odds 1 : 1 and 3 : 1
/// # Ok::<(), gradus_logistic_regression::Error>(())
/// ```
pub fn probabilities(x: &Tensor<f64>, theta: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(log_odds(x, theta)?.sigmoid()?)
}
