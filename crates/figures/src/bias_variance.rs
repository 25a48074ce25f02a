//! Figures of the chapter on bias and variance.

use super::plot::{decimals, short};
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_datasets::diabetes;
use gradus_linear_regression::LinearRegression;
use gradus_optimization::{BiasVariance, bootstrap, ridge_curves};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;

/// How flexible the model is, and how noisy the measurements.
pub(super) const DEGREE: &[Control] = &[
    Control::Slider(Slider {
        name: "degree",
        label: "degree of the polynomial",
        range: (0.0, 11.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 3.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "sigma",
        label: "noise σ",
        range: (0.05, 0.6),
        step: 0.05,
        scale: Scale::Linear,
        default: 0.3,
        unit: "",
    }),
];

const POINTS: usize = 16;
const SETS: usize = 200;

/// The true function of the chapter.
fn truth(x: f64) -> f64 {
    (3.0 * x).sin()
}

/// The places where it is measured, evenly from −1 to 1.
fn places() -> Result<Tensor<f64>> {
    Ok(Tensor::linspace(-1.0, 1.0, POINTS)?)
}

/// The polynomials of Chebyshev up to a degree at each x: a basis of all polynomials in which none is nearly another.
fn basis(x: &Tensor<f64>, degree: usize) -> Result<Tensor<f64>> {
    Ok(Tensor::from_fn([x.len(), degree + 1], |i| {
        (i[1] as f64 * x.as_slice()[i[0]].clamp(-1.0, 1.0).acos()).cos()
    })?)
}

/// The fits of a degree to repeated measurements, on a grid: `[sets, grid]`.
fn fits(degree: usize, sigma: f64, grid: &Tensor<f64>) -> Result<Tensor<f64>> {
    let x = places()?;
    let noise = Tensor::<f64>::random([POINTS, SETS], &StandardNormal, &mut ChaCha8Rng::seed_from_u64(1))?
        .scale(sigma);
    let y = x.map(truth).insert_axis(1)?.add(&noise)?;
    let fit = LinearRegression::new().intercept(false).fit(&basis(&x, degree)?, &y)?;
    Ok(fit.predict(&basis(grid, degree)?)?.transpose()?)
}

/// Many fits of one degree around the true function.
pub(super) fn trade_off(inputs: &Inputs) -> Result<Figure> {
    let (degree, sigma) = (inputs.number("degree")? as usize, inputs.number("sigma")?);
    let grid = Tensor::linspace(-1.0, 1.0, 101)?;
    let predictions = fits(degree, sigma, &grid)?;
    let parts = BiasVariance::new(&predictions, &grid.map(truth))?;
    let [bias, variance, _, error] = parts.averages()?;
    let mut some = Vec::new();
    for k in 0..20 {
        let fit = predictions.select(0, k)?;
        some.extend(grid.as_slice().iter().copied().zip(fit.as_slice().iter().copied()));
        some.push((f64::NAN, f64::NAN));
    }
    let mean = grid.as_slice().iter().copied().zip(parts.mean.as_slice().iter().copied()).collect();
    let status = format!(
        "Degree {degree}, σ = {}: bias² {} + variance {} = {}, and with the noise of a new measurement, σ² = {}, an error of {}.",
        decimals(sigma, 2),
        short(bias),
        short(variance),
        short(error),
        short(sigma * sigma),
        short(error + sigma * sigma),
    );
    let figure = Plot::new("x", -1.0..1.0, -2.0..2.0)
        .y_name("y")
        .curve("20 fits", some)
        .line("truth", truth)
        .curve("mean of 200 fits", mean)
        .figure(
            &format!(
                "A wave, and around it twenty polynomials of degree {degree}, each fitted to 16 noisy measurements; the mean of two hundred \
                 such fits is drawn too."
            ),
            "Sixteen places are measured again and again, and a polynomial is fitted each time. How far the mean fit is from the truth is \
             bias; how far the fits are from their mean is variance.",
        )?;
    Ok(figure.status(status))
}

/// Bias, variance and errors of ridge regression over λ.
pub(super) fn ridge_trade_off() -> Result<Figure> {
    let x = places()?;
    let logs: Vec<f64> = (0..=120).map(|k| -6.0 + f64::from(k) / 12.0).collect();
    let lambdas: Vec<f64> = logs.iter().map(|t| 10f64.powf(*t)).collect();
    let curves = ridge_curves(&basis(&x, 11)?, &x.map(truth), 0.3, &lambdas)?;
    let of = |part: &Tensor<f64>| logs.iter().copied().zip(part.as_slice().iter().copied()).collect();
    let test = curves.test_error.as_slice();
    let best = (0..test.len()).min_by(|a, b| test[*a].total_cmp(&test[*b])).unwrap_or(0);
    let caption = format!(
        "Ridge regression on the same sixteen places with a polynomial of degree 11, in closed form: nothing is drawn by chance. The \
         test error is least, {}, near λ = {}, where {} of the 12 parameters are in use.",
        decimals(test[best], 3),
        short(lambdas[best]),
        decimals(curves.freedom.as_slice()[best], 1),
    );
    Plot::new("λ", -6.0..4.0, 0.0..0.7)
        .y_name("squared error")
        .log_x()
        .curve("bias²", of(&curves.bias_squared))
        .curve("variance", of(&curves.variance))
        .curve("test error", of(&curves.test_error))
        .curve("training error", of(&curves.training_error))
        .line("noise σ²", |_| 0.09)
        .figure(
            "As lambda grows, bias squared rises from zero, variance falls to zero; the test error falls to a minimum and rises; the training \
             error only rises, and meets it at the right.",
            &caption,
        )
}

/// Polynomials in the body mass index, fitted to bootstrap sets of sixty patients and tested on others like them.
pub(super) fn bootstrap_diabetes() -> Result<Figure> {
    const TRAINED: usize = 60;
    const TIMES: usize = 200;
    const LAST: usize = 8;
    let data = diabetes()?.shuffle(1)?;
    let index = data.features.select(1, 2)?;
    let mut sorted = index.as_slice()[..TRAINED].to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[0], sorted[TRAINED - 1]);
    let x = index.map(|v| 2.0 * (v - low) / (high - low) - 1.0);
    // Beyond the patients that it has seen a polynomial says nothing.
    let seen = sorted[3]..=sorted[TRAINED - 4];
    let others = (TRAINED..x.len()).filter(|i| seen.contains(&index.as_slice()[*i]));
    let others: Vec<u32> = others.map(|i| i as u32).collect();
    let (train_x, train_y) = (x.slice(0, 0..TRAINED)?, data.target.slice(0, 0..TRAINED)?);
    let (test_x, test_y) = (x.gather(0, &others)?, data.target.gather(0, &others)?);
    let sets = bootstrap(TRAINED, TIMES, &mut ChaCha8Rng::seed_from_u64(2))?;
    let mut parts = [const { Vec::new() }; 4];
    for degree in 0..=LAST {
        let (mut predictions, mut training) = (Vec::new(), 0.0);
        for set in sets.rows()? {
            let (x, y) = (train_x.gather(0, set.as_slice())?, train_y.gather(0, set.as_slice())?);
            // The least ridge keeps a set with few different patients from having no solution.
            let fit = LinearRegression::new().intercept(false).ridge(1e-6).fit(&basis(&x, degree)?, &y)?;
            training += fit.residuals().powi(2).mean()? / TIMES as f64;
            predictions.push(fit.predict(&basis(&test_x, degree)?)?.flatten());
        }
        let predictions = Tensor::stack(&predictions.iter().collect::<Vec<_>>(), 0)?;
        let [bias, variance, _, error] = BiasVariance::new(&predictions, &test_y)?.averages()?;
        for (part, value) in parts.iter_mut().zip([bias, variance, error, training]) {
            part.push((degree as f64, value / 1e3));
        }
    }
    let [bias, variance, error, training] = parts;
    Plot::new("degree of the polynomial", 0.0..LAST as f64, 0.0..8.0)
        .y_name("squared error, thousands")
        .curve("bias² + noise", bias)
        .curve("variance", variance)
        .curve("test error", error)
        .curve("training error", training)
        .figure(
            "The training error falls with every degree. Bias squared falls from degree 0 to 1 and then hardly changes; variance rises, \
             slowly and then faster, and the test error with it.",
            "Disease progression from the body mass index alone: polynomials fitted to 200 bootstrap sets of 60 patients, tested on the \
             others whose index is not beyond theirs. Each patient was measured once, so that noise and bias cannot be told apart. A \
             line is as good as any curve; from there on the training error falls, and the test error does not.",
        )
}
