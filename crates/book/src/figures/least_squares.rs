//! Figures of the chapter on least squares.

use super::{Figure, Plot};
use anyhow::Result;
use gradus_linear_regression::{
    LinearRegression, Method, cost, gradient, inverse_formula, predict, ridge_path as path,
};
use gradus_tensor::{Tensor, Transpose};

/// The points of the chapter's first listing, as a matrix with a column of ones, and their y.
fn points() -> (Tensor<f64>, Tensor<f64>) {
    let x = Tensor::from([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0], [1.0, 3.0], [1.0, 4.0]]);
    (x, Tensor::from([1.0, 3.0, 2.0, 5.0, 4.0]))
}

/// The fitted line with each residual as a short vertical line.
pub(super) fn projection_line() -> Result<Figure> {
    let (x, y) = points();
    let fit = LinearRegression::new().intercept(false).fit(&x, &y)?;
    let theta = fit.parameters().select(1, 0)?;
    let fitted = predict(&x, &theta)?;
    let (intercept, slope) = (theta.get([0])?, theta.get([1])?);
    let (mut marks, mut residuals) = (Vec::new(), Vec::new());
    let gap = (f64::NAN, f64::NAN);
    for (i, (&y, &fitted)) in y.as_slice().iter().zip(fitted.as_slice()).enumerate() {
        let at = i as f64;
        residuals.extend([(at, fitted), (at, y), gap]);
        // A small diamond.
        let (w, h) = (0.06, 0.09);
        marks.extend([(at - w, y), (at, y + h), (at + w, y), (at, y - h), (at - w, y), gap]);
    }
    Plot::new("x", -0.5..4.5, 0.0..6.0)
        .y_name("y")
        .curve("samples", marks)
        .line("1.4 + 0.8·x", |x| intercept + slope * x)
        .curve("residuals", residuals)
        .figure(
            "Five points and a rising line; a vertical stroke joins each point to the line; two points lie above it, three below.",
            "Five samples and the line of least squares. The strokes are the residuals: their squares are added up, and they \
             are vertical, since only y is taken to have errors.",
        )
}

/// QΣVᵀ with singular values from 1 down to 1/κ.
fn conditioned(kappa: f64) -> Result<Tensor<f64>> {
    let wave = |i: &[usize]| ((i[0] * i[0] + 3 * i[1] + 1) as f64 * (i[1] + 1) as f64).sin();
    let (q, _) = Tensor::from_fn([20, 5], wave)?.qr()?;
    let (v, _) = Tensor::from_fn([5, 5], wave)?.qr()?;
    let s: Tensor<f64> = (0..5).map(|i| kappa.powf(-f64::from(i) / 4.0)).collect();
    Ok(q.mul(&s)?.product(Transpose::No, &v, Transpose::Yes)?)
}

/// Correct digits of θ over the condition number.
pub(super) fn digits_lost() -> Result<Figure> {
    let truth = Tensor::from([1.0, -2.0, 3.0, -4.0, 5.0]);
    let error = |theta: &Tensor<f64>| -> Result<f64> {
        let error = theta.max_difference(&truth)? / 5.0;
        Ok(error.clamp(1e-16, 10.0).log10())
    };
    let (mut inverse, mut normal, mut qr) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..=64 {
        let log = f64::from(step) / 4.0;
        let x = conditioned(10f64.powf(log))?;
        let y = predict(&x, &truth)?;
        // A method that refuses leaves a gap.
        let by = |method| -> Result<f64> {
            match LinearRegression::new().intercept(false).method(method).fit(&x, &y) {
                Ok(fit) => error(&fit.parameters().select(1, 0)?),
                Err(_) => Ok(f64::NAN),
            }
        };
        inverse.push((log, inverse_formula(&x, &y).map_or(Ok(f64::NAN), |theta| error(&theta))?));
        normal.push((log, by(Method::NormalEquations)?));
        qr.push((log, by(Method::Qr)?));
    }
    Plot::new("condition number of X", 0.0..16.0, -16.5..1.5)
        .y_name("relative error of θ")
        .log_x()
        .log_y()
        .curve("inverse", inverse)
        .curve("Cholesky", normal)
        .curve("QR", qr)
        .figure(
            "On logarithmic axes the errors of the inverse and of Cholesky rise with slope two and reach 1 near 10 to the 8, where Cholesky stops; that of QR rises with slope one.",
            "The relative error of θ, where y = Xθ up to rounding. Through XᵀX it grows with the square of the condition \
             number, and near 10⁸ all is lost. From there on Cholesky refuses (but for an accident of rounding), and the \
             inverse goes on. With QR the rounding of y itself is what is left, which grows with the first power; beyond \
             10¹⁴ it calls the columns dependent.",
        )
}

/// The coefficients of a small set with two nearly equal columns, over λ.
pub(super) fn ridge_path() -> Result<Figure> {
    let x = Tensor::from([
        [-2.0, -1.9, 1.0],
        [-1.0, -1.1, -1.0],
        [0.0, 0.1, 0.0],
        [1.0, 0.9, -1.0],
        [2.0, 2.0, 1.0],
    ]);
    let y = Tensor::from([-3.9, -2.4, 0.3, 1.7, 4.3]);
    let logs: Vec<f64> = (0..=160).map(|i| -4.0 + f64::from(i) / 20.0).collect();
    let lambdas: Vec<f64> = logs.iter().map(|t| 10f64.powf(*t)).collect();
    let thetas = path(&x, &y, &lambdas)?;
    let of = |k: usize| -> Result<Vec<(f64, f64)>> {
        Ok(logs.iter().copied().zip(thetas.select(1, k)?.as_slice().iter().copied()).collect())
    };
    Plot::new("λ", -4.0..4.0, -1.5..3.5)
        .y_name("coefficient")
        .log_x()
        .curve("θ₁", of(0)?)
        .curve("θ₂", of(1)?)
        .curve("θ₃", of(2)?)
        .figure(
            "Two coefficients start far apart, soon meet near 1, and fall together to 0; the third stays small all along.",
            "Ridge coefficients of the chapter's small set, whose first two columns are almost equal. A little λ ends \
             their quarrel; it takes a hundred times as much to shrink their sum.",
        )
}

/// The cost over the steps of gradient descent, at three rates.
pub(super) fn descent() -> Result<Figure> {
    let (x, y) = points();
    // The Hessian (2/n)·XᵀX; the square root of its largest eigenvalue is a singular value.
    let n = y.len() as f64;
    let steepest = x.svd()?.s.as_slice()[0].powi(2) * 2.0 / n;
    let fit = LinearRegression::new().intercept(false).fit(&x, &y)?;
    let least = cost(&x, &fit.parameters().select(1, 0)?, &y)?;
    let run = |rate: f64| -> Result<Vec<(f64, f64)>> {
        let mut theta = Tensor::zeros([2])?;
        let mut points = Vec::new();
        for step in 0..=60 {
            points.push((f64::from(step), (cost(&x, &theta, &y)? - least).max(1e-12).log10()));
            theta.add_scaled(-rate / steepest, &gradient(&x, &theta, &y)?)?;
        }
        Ok(points)
    };
    Plot::new("step", 0.0..60.0, -6.0..7.0)
        .y_name("cost above its minimum")
        .log_y()
        .curve("0.5/λ", run(0.5)?)
        .curve("1.9/λ", run(1.9)?)
        .curve("2.1/λ", run(2.1)?)
        .figure(
            "At 0.5 and 1.9 over lambda the cost falls, soon slowly at 0.5; at 2.1 over lambda it grows a hundred-thousandfold.",
            "Gradient descent on the five samples; λ is the largest eigenvalue of the Hessian. Below 2/λ the cost falls, above \
             it the steepest direction grows by a tenth a step, whatever the others do.",
        )
}
