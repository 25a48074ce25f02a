//! Figures of the chapter on the statistics of a fit.

use super::{Figure, Plot};
use anyhow::{Context, Result};
use gradus_datasets::nist_linear;
use gradus_linear_regression::{Fit, LinearRegression};
use gradus_tensor::Tensor;
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use statrs::distribution::{Continuous, Normal, StudentsT};

/// Interrupts a curve.
const GAP: (f64, f64) = (f64::NAN, f64::NAN);

/// The points of the chapter on least squares, without a column of ones.
fn points() -> (Tensor<f64>, Tensor<f64>) {
    (Tensor::from([[0.0], [1.0], [2.0], [3.0], [4.0]]), Tensor::from([1.0, 3.0, 2.0, 5.0, 4.0]))
}

/// Independent standard normal numbers.
fn noise(rows: usize, columns: usize, seed: u64) -> Result<Tensor<f64>> {
    Ok(Tensor::random([rows, columns], &StandardNormal, &mut ChaCha8Rng::seed_from_u64(seed))?)
}

/// The line 1.4 + 0.8·x measured at the five places `times` times, with errors of deviation 1: one fit, a target each.
fn repeated(times: usize, seed: u64) -> Result<Fit> {
    let (x, _) = points();
    let truth = x.map(|x| 1.4 + 0.8 * x);
    Ok(LinearRegression::new().fit(&x, &noise(5, times, seed)?.add(&truth)?)?)
}

/// A small diamond around a point, half as wide and high as said.
fn diamond((x, y): (f64, f64), (w, h): (f64, f64)) -> [(f64, f64); 6] {
    [(x - w, y), (x, y + h), (x + w, y), (x, y - h), (x - w, y), GAP]
}

/// The intervals of the slope of a hundred repeated measurements.
pub(super) fn hundred_intervals() -> Result<Figure> {
    let fit = repeated(100, 1)?;
    let (mut hold, mut miss, mut missed) = (Vec::new(), Vec::new(), 0);
    for k in 0..100 {
        let (low, high) = fit.statistics(k)?.confidence_intervals(0.95)?[1];
        let at = k as f64 + 0.5;
        if low <= 0.8 && 0.8 <= high {
            hold.extend([(at, low), (at, high), GAP]);
        } else {
            missed += 1;
            for end in [low, high] {
                miss.extend([(at - 1.0, end), (at + 1.0, end), GAP]);
            }
            miss.extend([(at, low), (at, high), GAP]);
        }
    }
    let caption = format!(
        "The same line measured a hundred times at the same five places, with other errors each time, and the 95 % interval of \
         its slope. {missed} of the intervals, the dashed ones with bars at their ends, miss the truth; on average it is 5 in \
         100. Nothing in a missing interval itself says that it misses."
    );
    Plot::new("repetition", 0.0..100.0, -2.0..3.5)
        .y_name("slope")
        .curve("hold the truth", hold)
        .curve("miss it", miss)
        .line("the truth, 0.8", |_| 0.8)
        .figure(
            "A hundred vertical strokes of very different lengths around a horizontal line; all but a few cross it.",
            &caption,
        )
}

/// Student's density, the normal one, and the t values of simulated fits, on a logarithmic axis: the tails are the point.
pub(super) fn student_density() -> Result<Figure> {
    const FITS: usize = 2000;
    const WIDTH: f64 = 0.5;
    const REACH: f64 = 7.0;
    let fit = repeated(FITS, 2)?;
    let mut counts = vec![0usize; (2.0 * REACH / WIDTH) as usize];
    for k in 0..FITS {
        let s = fit.statistics(k)?;
        let t = (fit.coefficients().get([0, k])? - 0.8) / s.standard_errors[1];
        if (-REACH..REACH).contains(&t) {
            counts[((t + REACH) / WIDTH) as usize] += 1;
        }
    }
    let mut steps = Vec::new();
    for (i, &count) in counts.iter().enumerate() {
        // An empty class has the logarithm −∞, which leaves a gap.
        let (left, height) = (WIDTH * i as f64 - REACH, count as f64 / (FITS as f64 * WIDTH));
        steps.extend([(left, height.log10()), (left + WIDTH, height.log10())]);
    }
    let (normal, student) = (Normal::standard(), StudentsT::new(0.0, 1.0, 3.0)?);
    Plot::new("t", -REACH..REACH, -4.0..0.0)
        .y_name("density")
        .log_y()
        .line("Student's", |t| student.pdf(t).log10())
        .line("normal", |t| normal.pdf(t).log10())
        .curve("2000 fits", steps)
        .figure(
            "On a logarithmic axis the normal density is a narrow parabola; Student's spreads far beyond it, and the steps of the \
             simulated values follow Student's.",
            "The distance of the slope from the truth, in standard errors, in 2000 fits to five points (steps), with \
             Student's density for three degrees of freedom and the normal one. In the middle they are much alike; beyond ±2 lies a \
             seventh of Student's, and less than a twentieth of the normal one.",
        )
}

/// The five points with the line, the band of the mean and that of a value.
pub(super) fn bands() -> Result<Figure> {
    let (x, y) = points();
    let fit = LinearRegression::new().fit(&x, &y)?;
    let grid: Tensor<f64> = (0..=120).map(|i| -1.0 + f64::from(i) / 20.0).collect();
    let intervals = fit.intervals(&grid.insert_axis(1)?, 0, 0.95)?;
    let (mut line, mut mean, mut value) = (Vec::new(), Vec::new(), Vec::new());
    for sign in [-1.0, 1.0] {
        for (&at, i) in grid.as_slice().iter().zip(&intervals) {
            mean.push((at, i.mean + sign * i.of_mean));
            value.push((at, i.mean + sign * i.of_value));
        }
        mean.push(GAP);
        value.push(GAP);
    }
    for (&at, i) in grid.as_slice().iter().zip(&intervals) {
        line.push((at, i.mean));
    }
    line.push(GAP);
    for (&x, &y) in x.as_slice().iter().zip(y.as_slice()) {
        line.extend(diamond((x, y), (0.07, 0.32)));
    }
    Plot::new("x", -1.0..5.0, -5.0..11.0)
        .y_name("y")
        .curve("line and samples", line)
        .curve("the mean", mean)
        .curve("a new value", value)
        .figure(
            "A line through five points with two pairs of curves around it; both are narrowest at the middle point, and the outer \
             pair is far outside the inner one.",
            "The five points, their line, and where 95 % puts the mean (dashed) and a single new value (dotted). \
             Both bands are narrowest at the mean of x; outside the points they open, and there nothing but the model speaks.",
        )
}

/// R² and the adjusted one over the number of columns of noise: of one study, and on average.
pub(super) fn noise_explains() -> Result<Figure> {
    const SAMPLES: usize = 40;
    const STUDIES: usize = 30;
    let columns = noise(SAMPLES, 25, 3)?;
    let y = columns.slice(1, 0..1)?.add(&noise(SAMPLES, STUDIES, 4)?)?;
    let tss = y.sub(&y.mean_axis(0)?)?.powi(2).sum_axis(0)?;
    // R² and adjusted R² of the first study, and their means.
    let mut curves: [Vec<(f64, f64)>; 4] = Default::default();
    for k in 0..25 {
        let fit = LinearRegression::new().fit(&columns.slice(1, 0..k + 1)?, &y)?;
        let first = fit.statistics(0)?;
        // Of all studies at once: the mean of 1 − RSS/TSS, and of the same with each sum over its degrees of freedom.
        let left = fit.residuals().powi(2).sum_axis(0)?.div(&tss)?.mean()?;
        let price = (SAMPLES - 1) as f64 / first.degrees_of_freedom as f64;
        let values = [first.r_squared, first.adjusted_r_squared, 1.0 - left, 1.0 - left * price];
        for (curve, value) in curves.iter_mut().zip(values) {
            curve.push((k as f64, value));
        }
    }
    let [plain, adjusted, mean, adjusted_mean] = curves;
    Plot::new("columns of noise", 0.0..24.0, 0.0..1.0)
        .y_name("R²")
        .curve("R²", plain)
        .curve("adjusted R²", adjusted)
        .curve("R², mean", mean)
        .curve("adjusted, mean", adjusted_mean)
        .figure(
            "R squared climbs without a single step down as columns are added; the adjusted one wavers, and its mean is a level line.",
            "Forty samples and one column that matters; then up to twenty-four columns of noise are added. R² can only rise, in \
             each study and so in the mean of 30. The adjusted R² wavers, and its mean stays where it was.",
        )
}

/// Longley's years: leverage and studentised residual, with lines of equal Cook's distance.
pub(super) fn influence() -> Result<Figure> {
    let sets = nist_linear()?;
    let longley = sets.iter().find(|set| set.name == "Longley").context("no Longley")?;
    let fit = LinearRegression::new().fit(&longley.x, &longley.y)?;
    let s = fit.statistics(0)?;
    let (h, cook) = (s.leverage(), s.cooks_distances());
    let mut order: Vec<usize> = (0..cook.len()).collect();
    order.sort_by(|&a, &b| cook[b].total_cmp(&cook[a]));
    let studentised = |i: usize| fit.residuals().as_slice()[i] / (s.residual_variance * (1.0 - h[i])).sqrt();
    // The two that are named are drawn larger.
    let marks = |of: &[usize], size: f64| -> Vec<_> {
        of.iter().flat_map(|&i| diamond((h[i], studentised(i)), (0.007 * size, 0.1 * size))).collect()
    };
    let year = |i: usize| format!("{}", 1947 + i);
    let parameters = fit.parameters().len() as f64;
    // Where Cook's distance is one half, above zero and below.
    let mut half = Vec::new();
    for sign in [1.0, -1.0] {
        half.extend(
            (20..=75)
                .map(|i| f64::from(i) / 100.0)
                .map(|h| (h, sign * (0.5 * parameters * (1.0 - h) / h).sqrt())),
        );
        half.push(GAP);
    }
    let caption = format!(
        "Longley's sixteen years. The leverage depends on the columns alone; the residual is in units of its own deviation. On the \
         dash-dotted lines Cook's distance is one half: {} lies outside with {:.2}, and {} is near with {:.2}.",
        year(order[0]),
        cook[order[0]],
        year(order[1]),
        cook[order[1]],
    );
    Plot::new("leverage", 0.2..0.75, -3.0..3.0)
        .y_name("studentised residual")
        .curve("other years", marks(&order[2..], 1.0))
        .curve(&year(order[0]), marks(&order[..1], 2.2))
        .curve(&year(order[1]), marks(&order[1..2], 2.2))
        .curve("Cook's distance ½", half)
        .figure(
            "Sixteen points with leverages from 0.23 to 0.69. Two curves close in from above and below as the leverage grows; one \
             point on the right lies outside them, another just inside.",
            &caption,
        )
}
