//! Bias and variance of ridge regression in closed form: no repetition is simulated.

use crate::Result;
use crate::error::not_negative;
use gradus_tensor::{Error, Tensor, Transpose};

/// Bias, variance and errors of ridge regression at the points of its design, over λ. All are means over the N points, and
/// expectations over the noise of the training set.
#[derive(Debug, Clone, PartialEq)]
pub struct RidgeCurves {
    /// Bias², `[L]`: never falls with λ.
    pub bias_squared: Tensor<f64>,
    /// Variance, `[L]`: never rises with λ.
    pub variance: Tensor<f64>,
    /// The expected squared error on the training set itself, `[L]`.
    pub training_error: Tensor<f64>,
    /// The expected squared error on new measurements at the same points, `[L]`: bias² + variance + σ².
    pub test_error: Tensor<f64>,
    /// tr H, `[L]`: how many parameters are in use; D for λ = 0, if the columns are independent.
    pub freedom: Tensor<f64>,
}

/// [`RidgeCurves`] of a design, a true function and a noise.
///
/// **Formula**: with X = U·diag(s)·Vᵀ, hⱼ = sⱼ²/(sⱼ² + λ), c = Uᵀf, and f⊥ the part of f that no θ reaches:
/// bias² = (Σ(1 − hⱼ)²cⱼ² + ‖f⊥‖²)/n, variance = σ²Σhⱼ²/n, training error = bias² + σ²(n − 2Σhⱼ + Σhⱼ²)/n, test error = bias² +
/// variance + σ². So `bias-underfitting`: neither error is below bias²; and `variance-overfitting`: they are 2σ²Σhⱼ/n apart.
///
/// **Shapes**: x `[N, D]`, truth `[N]`, lambdas L. **Units**: σ those of y, λ those of x². **Gradient**: not differentiated.
///
/// **Numerics**: by singular values; 1 − h is λ/(s² + λ), which does not cancel. A singular value of 0 (to rounding) has h = 0.
///
/// **Errors**: shapes that do not fit, no samples, σ or a λ not finite and at least 0.
///
/// **Source**: Hastie, Tibshirani & Friedman 2009, eq. 3.47, 7.11 and 7.24.
///
/// ```
/// use gradus_optimization::ridge_curves;
/// use gradus_tensor::Tensor;
/// // Two measurements of one number, 3, each with the variance 4; x is a column of ones, so s² = 2.
/// let (x, truth) = (Tensor::from([[1.0], [1.0]]), Tensor::from([3.0, 3.0]));
/// let curves = ridge_curves(&x, &truth, 2.0, &[0.0, 2.0])?;
/// let close = |part: &Tensor<f64>, to: [f64; 2]| part.all_close(&Tensor::from(to), 0.0, 1e-14);
/// assert!(close(&curves.bias_squared, [0.0, 2.25])?); // half of 3, squared
/// assert!(close(&curves.variance, [2.0, 0.5])?); // that of a mean of two; a quarter of it
/// assert!(close(&curves.freedom, [1.0, 0.5])?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn ridge_curves(
    x: &Tensor<f64>,
    truth: &Tensor<f64>,
    sigma: f64,
    lambdas: &[f64],
) -> Result<RidgeCurves> {
    let op = "ridge_curves";
    let &[n, d] = x.dims() else {
        return Err(Error::Shape { op, expected: "[N, D]".into(), got: x.shape() }.into());
    };
    if n == 0 {
        return Err(Error::Empty { op, shape: x.shape() }.into());
    }
    if truth.dims() != [n] {
        return Err(Error::Shape { op, expected: format!("[{n}]"), got: truth.shape() }.into());
    }
    not_negative("sigma", sigma)?;
    lambdas.iter().try_for_each(|lambda| not_negative("lambda", *lambda))?;
    let svd = x.svd()?;
    let c = svd.u.product(Transpose::Yes, &truth.insert_axis(1)?, Transpose::No)?;
    let largest = svd.s.as_slice().first().copied().unwrap_or(0.0);
    let floor = largest * n.max(d) as f64 * f64::EPSILON;
    // What no column reaches: the truth less its projection on those that count.
    let counts = svd.s.map(|s| if s > floor { 1.0 } else { 0.0 });
    let reached = svd.u.matmul(&c.mul(&counts.insert_axis(1)?)?)?.flatten();
    let out_of_reach = truth.sub(&reached)?.powi(2).sum();
    let (noise, n) = (sigma * sigma, n as f64);
    let mut rows = [const { Vec::new() }; 5];
    for &lambda in lambdas {
        let (mut missed, mut h_sum, mut h_squares) = (out_of_reach, 0.0, 0.0);
        for (&s, &c) in svd.s.as_slice().iter().zip(c.as_slice()).filter(|(s, _)| **s > floor) {
            let (h, rest) = (s / (s + lambda / s), lambda / (s * s + lambda));
            missed += (rest * c).powi(2);
            h_sum += h;
            h_squares += h * h;
        }
        let (bias, variance) = (missed / n, noise * h_squares / n);
        // (n − 2Σh + Σh²)/n, as a sum of squares: that many directions are not used at all, the others in part.
        let left = (n - 2.0 * h_sum + h_squares).max(0.0);
        let values = [bias, variance, bias + noise * left / n, bias + variance + noise, h_sum];
        rows.iter_mut().zip(values).for_each(|(row, value)| row.push(value));
    }
    let [bias_squared, variance, training_error, test_error, freedom] =
        rows.map(|row| row.into_iter().collect::<Tensor<f64>>());
    Ok(RidgeCurves { bias_squared, variance, training_error, test_error, freedom })
}
