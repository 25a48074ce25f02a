//! Figures of the chapter on least squares.

use super::plot::{decimals, short};
use super::{Control, Figure, Inputs, Moved, Plot, Points, Scale, Slider};
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

/// The same points, to be moved.
pub(super) const SAMPLES: &[Control] = &[Control::Points(Points {
    name: "samples",
    label: "sample",
    x: (-0.4, 4.4),
    y: (0.1, 5.9),
    step: 0.05,
    default: &[(0.0, 1.0), (1.0, 3.0), (2.0, 2.0), (3.0, 5.0), (4.0, 4.0)],
})];

/// The fitted line with each residual as a short vertical line.
pub(super) fn projection_line(inputs: &Inputs) -> Result<Figure> {
    let Moved { at: samples, chosen } = inputs.points("samples")?;
    let x: Tensor<f64> = samples.iter().map(|p| p.0).collect();
    let y: Tensor<f64> = samples.iter().map(|p| p.1).collect();
    let fit = LinearRegression::new().fit(&x.insert_axis(1)?, &y)?;
    let statistics = fit.statistics(0)?;
    let fitted = fit.predict(&x.insert_axis(1)?)?;
    let (intercept, slope) = (fit.intercept().item()?, fit.coefficients().item()?);
    let (mut marks, mut residuals) = (Vec::new(), Vec::new());
    let gap = (f64::NAN, f64::NAN);
    for (&(x, y), &fitted) in samples.iter().zip(fitted.as_slice()) {
        residuals.extend([(x, fitted), (x, y), gap]);
        // A small diamond.
        let (w, h) = (0.06, 0.09);
        marks.extend([(x - w, y), (x, y + h), (x + w, y), (x, y - h), (x - w, y), gap]);
    }
    let sign = if slope < 0.0 { '−' } else { '+' };
    let equation =
        |places: usize| format!("{} {sign} {}·x", decimals(intercept, places), decimals(slope.abs(), places));
    let determined = if statistics.total_sum_of_squares > 0.0 {
        format!("R² is {}", decimals(statistics.r_squared, 3))
    } else {
        "R² is not defined, since all y are equal".into()
    };
    let mut status = format!(
        "The line is {}. The squared residuals add up to {}; {determined}; the condition number is {}.",
        equation(3),
        decimals(statistics.residual_sum_of_squares, 3),
        short(fit.condition()),
    );
    if fit.rank() < 2 {
        status += " All x are equal, so the columns are dependent: of all the lines that fit as well, this one has the \
                    smallest slope.";
    }
    if let Some((i, leverage)) = chosen.and_then(|i| statistics.leverage().get(i).map(|h| (i, h))) {
        status += &format!(
            " Sample {} has the leverage {}: move it up by 1, and the line there moves up by so much.",
            i + 1,
            decimals(*leverage, 3)
        );
    }
    let above = samples.iter().zip(fitted.as_slice()).filter(|(p, f)| p.1 > **f).count();
    let figure = Plot::new("x", -0.5..4.5, 0.0..6.0)
        .y_name("y")
        .curve("samples", marks)
        .line(&equation(2), |x| intercept + slope * x)
        .curve("residuals", residuals)
        .figure(
            &format!(
                "Five points and the line of least squares, {}; a vertical stroke joins each point to the line; {above} of \
                 the points lie above it.",
                equation(2)
            ),
            "Five samples and the line of least squares. The strokes are the residuals: their squares are added up, and they \
             are vertical, since only y is taken to have errors.",
        )?;
    Ok(figure.status(status))
}

/// QΣVᵀ with singular values from 1 down to 1/κ, and a vector of length 1 that is orthogonal to its columns.
fn conditioned(kappa: f64) -> Result<(Tensor<f64>, Tensor<f64>)> {
    let wave = |i: &[usize]| ((i[0] * i[0] + 3 * i[1] + 1) as f64 * (i[1] + 1) as f64).sin();
    let (q, _) = Tensor::from_fn([20, 6], wave)?.qr()?;
    let (v, _) = Tensor::from_fn([5, 5], wave)?.qr()?;
    let s: Tensor<f64> = (0..5).map(|i| kappa.powf(-f64::from(i) / 4.0)).collect();
    let x = q.slice(1, 0..5)?.mul(&s)?.product(Transpose::No, &v, Transpose::Yes)?;
    Ok((x, q.select(1, 5)?))
}

/// How far the measured y is from everything that the model can say.
pub(super) const RESIDUAL: &[Control] = &[Control::Slider(Slider {
    name: "residual",
    label: "length of the residual",
    range: (1e-16, 1.0),
    step: 0.5,
    scale: Scale::Log,
    default: 1e-16,
    unit: "",
})];

/// Correct digits of θ over the condition number.
pub(super) fn digits_lost(inputs: &Inputs) -> Result<Figure> {
    let length = inputs.number("residual")?;
    let truth = Tensor::from([1.0, -2.0, 3.0, -4.0, 5.0]);
    let error = |theta: &Tensor<f64>| -> Result<f64> {
        let error = theta.max_difference(&truth)? / 5.0;
        Ok(error.clamp(1e-16, 10.0).log10())
    };
    let (mut inverse, mut normal, mut qr) = (Vec::new(), Vec::new(), Vec::new());
    for step in 0..=64 {
        let log = f64::from(step) / 4.0;
        let (x, orthogonal) = conditioned(10f64.powf(log))?;
        let y = predict(&x, &truth)?.add(&orthogonal.scale(length))?;
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
    // The 24th is a condition number of a million.
    let digits = |curve: &[(f64, f64)]| match curve.get(24) {
        Some((_, error)) if error.is_finite() => decimals(-error, 1),
        _ => "no".into(),
    };
    let status = format!(
        "A residual of length {}. At a condition number of 10⁶ the inverse has {} correct digits, Cholesky {}, QR {}.",
        short(length),
        digits(&inverse),
        digits(&normal),
        digits(&qr)
    );
    let figure = Plot::new("condition number of X", 0.0..16.0, -16.5..1.5)
        .y_name("relative error of θ")
        .log_x()
        .log_y()
        .curve("inverse", inverse)
        .curve("Cholesky", normal)
        .curve("QR", qr)
        .figure(
            "On logarithmic axes the errors of the inverse and of Cholesky rise with slope two and reach 1 near 10 to the 8, \
             where Cholesky stops; that of QR rises with slope one as long as the residual is small, and with slope two from \
             where the condition number outgrows one over its length.",
            "The relative error of θ, where y = Xθ up to rounding and a residual that is orthogonal to the columns, of length \
             10⁻¹⁶ at first. Through XᵀX it grows with the square of the condition \
             number, and near 10⁸ all is lost. From there on Cholesky refuses (but for an accident of rounding), and the \
             inverse goes on. With QR the rounding of X and y itself is what is left, which grows with the first power while the \
             residual is small; beyond 10¹⁴ it calls the columns dependent.",
        )?;
    Ok(figure.status(status))
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
