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
    Plot::new("repetition", 0.0..100.0, -3.5..5.0)
        .y_name("slope")
        .curve("hold the truth", hold)
        .curve("miss it", miss)
        .line("the truth, 0.8", |_| 0.8)
        .figure(
            "A hundred vertical strokes of very different lengths around a horizontal line; all but a few cross it.",
            &caption,
        )
}

/// Student's density, the normal one, and the t values of simulated fits.
pub(super) fn student_density() -> Result<Figure> {
    const FITS: usize = 4000;
    const WIDTH: f64 = 0.5;
    let fit = repeated(FITS, 2)?;
    let mut counts = vec![0usize; 24];
    for k in 0..FITS {
        let s = fit.statistics(k)?;
        let t = (fit.coefficients().get([0, k])? - 0.8) / s.standard_errors[1];
        if let Some(count) = counts.get_mut(((t + 6.0) / WIDTH).floor() as usize).filter(|_| t >= -6.0) {
            *count += 1;
        }
    }
    let mut steps = Vec::new();
    for (i, &count) in counts.iter().enumerate() {
        let (left, height) = (-6.0 + WIDTH * i as f64, count as f64 / (FITS as f64 * WIDTH));
        steps.extend([(left, height), (left + WIDTH, height)]);
    }
    let (normal, student) = (Normal::standard(), StudentsT::new(0.0, 1.0, 3.0)?);
    Plot::new("t", -6.0..6.0, 0.0..0.42)
        .y_name("density")
        .line("Student, 3 degrees", |t| student.pdf(t))
        .line("normal", |t| normal.pdf(t))
        .curve("4000 fits", steps)
        .figure(
            "Two bells. Student's is lower in the middle and has thicker tails; the steps of the simulated values follow it and \
             not the normal one.",
            "The distance of the slope from the truth, in standard errors, in 4000 fits to five points (steps), with \
             Student's density for three degrees of freedom and the normal one. Beyond ±2 the normal has nearly nothing, and \
             Student a seventh.",
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
        line.extend(diamond((x, y), (0.05, 0.22)));
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

/// R² and the adjusted one over the number of columns of noise.
pub(super) fn noise_explains() -> Result<Figure> {
    let columns = noise(30, 25, 3)?;
    let signal = columns.slice(1, 0..1)?;
    let y = signal.flatten().add(&noise(30, 1, 4)?.flatten())?;
    let (mut plain, mut adjusted) = (Vec::new(), Vec::new());
    for k in 0..25 {
        let s = LinearRegression::new().fit(&columns.slice(1, 0..k + 1)?, &y)?.statistics(0)?;
        plain.push((k as f64, s.r_squared));
        adjusted.push((k as f64, s.adjusted_r_squared));
    }
    Plot::new("columns of noise", 0.0..24.0, -0.2..1.0)
        .y_name("R²")
        .curve("R²", plain)
        .curve("adjusted R²", adjusted)
        .figure(
            "R squared climbs from about one half towards 1 without a single step down; the adjusted one wavers around where it began.",
            "Thirty samples and one column that matters; then columns of noise are added, up to twenty-four. R² can only rise. The \
             adjusted R² pays for each column and wavers.",
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
    let mark = |i: &usize| diamond((h[*i], studentised(*i)), (0.008, 0.11));
    let marks = |of: &[usize]| of.iter().flat_map(mark).collect::<Vec<_>>();
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
        .curve("other years", marks(&order[2..]))
        .curve(&year(order[0]), marks(&order[..1]))
        .curve(&year(order[1]), marks(&order[1..2]))
        .curve("Cook's distance ½", half)
        .figure(
            "Sixteen points with leverages from 0.23 to 0.69. Two curves close in from above and below as the leverage grows; one \
             point on the right lies outside them, another just inside.",
            &caption,
        )
}
