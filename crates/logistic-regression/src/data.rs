//! Checked data, and the frame in which it is fitted: columns about their means, in units of their largest deviation.

use crate::error::option;
use crate::likelihood::check_labelled;
use crate::options::{ClassWeights, Options, check_weights};
use crate::{Error, Result};
use gradus_tensor::Tensor;
use gradus_tensor::kernel::{map_blocks, vectorize};

/// Data that a fit can rely on.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    /// `[N, D]`, finite.
    pub(crate) x: Tensor<f64>,
    /// `[N]`, each below the number of classes.
    pub(crate) labels: Tensor<u32>,
    /// What each sample counts; `None` for 1.
    pub(crate) weights: Option<Vec<f64>>,
    /// The weight of each class's samples, above 0.
    pub(crate) counts: Vec<f64>,
    pub(crate) intercept: bool,
    pub(crate) frame: Frame,
}

/// Fitted is to z = (x − centre)·scale, and the intercept comes last. Only the rounding changes: the columns are nearly
/// orthogonal to the intercept's, and no square of an element overflows or vanishes.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    pub(crate) centre: Vec<f64>,
    /// Powers of two.
    pub(crate) scale: Vec<f64>,
}

impl Frame {
    /// Coefficients and intercept in units of the data, of parameters (columns, then the intercept) in this frame.
    pub(crate) fn outward(&self, theta: &[f64]) -> (Vec<f64>, f64) {
        let slopes: Vec<f64> = theta.iter().zip(&self.scale).map(|(t, s)| t * s).collect();
        let shift: f64 = slopes.iter().zip(&self.centre).map(|(b, c)| b * c).sum();
        (slopes, theta.get(self.scale.len()).map_or(0.0, |b| b - shift))
    }

    /// The largest element of a gradient, in units of the data.
    pub(crate) fn largest_slope(&self, gradient: &[f64]) -> f64 {
        let constant = gradient.get(self.scale.len()).copied().unwrap_or(0.0);
        let slopes = gradient.iter().zip(self.scale.iter().zip(&self.centre));
        slopes.fold(constant.abs(), |most, (g, (s, c))| most.max((g / s + c * constant).abs()))
    }
}

impl Data {
    pub(crate) fn new(
        x: &Tensor<f64>,
        labels: &Tensor<u32>,
        classes: usize,
        options: &Options,
    ) -> Result<Self> {
        options.check()?;
        let &[n, d] = x.dims() else {
            return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
        };
        if n == 0 {
            return Err(Error::NoSamples { shape: x.shape() });
        }
        if d == 0 && !options.intercept {
            let expected = "at least one column, or an intercept".into();
            return Err(Error::Shape { what: "X", expected, got: x.shape() });
        }
        check_labelled(labels, n, classes)?;
        let (weights, counts) = weigh(labels.as_slice(), classes, options)?;
        if let Some(class) = counts.iter().position(|&c| c == 0.0) {
            return Err(Error::EmptyClass { class: class as u32, classes });
        }
        let frame = frame(x, options.intercept)?;
        let (x, labels) = (x.clone(), labels.clone());
        Ok(Self { x, labels, weights, counts, intercept: options.intercept, frame })
    }

    /// The number of columns and the intercept.
    pub(crate) fn width(&self) -> usize {
        self.x.dims()[1] + usize::from(self.intercept)
    }

    pub(crate) fn samples(&self) -> usize {
        self.x.dims()[0]
    }

    pub(crate) fn total(&self) -> f64 {
        self.counts.iter().sum()
    }

    pub(crate) fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |w| w[row])
    }

    /// The rows in the frame, the intercept's 1 at the end, `[N, P]`.
    pub(crate) fn framed(&self) -> Result<Tensor<f64>> {
        let centre: Tensor<f64> = self.frame.centre.iter().copied().collect();
        let scale: Tensor<f64> = self.frame.scale.iter().copied().collect();
        let z = self.x.sub(&centre)?.mul(&scale)?;
        Ok(match self.intercept {
            true => Tensor::concatenate(&[&z, &Tensor::ones([self.samples(), 1])?], 1)?,
            false => z,
        })
    }

    /// Every `step`-th sample, in the same frame; `None` if that leaves a class without any.
    pub(crate) fn thinned(&self, step: usize) -> Result<Option<Self>> {
        let rows: Vec<u32> = (0..self.samples() as u32).step_by(step).collect();
        let labels = self.labels.gather(0, &rows)?;
        let weights: Option<Vec<f64>> =
            self.weights.as_ref().map(|w| rows.iter().map(|&i| w[i as usize]).collect());
        let counts = count(labels.as_slice(), weights.as_deref(), self.counts.len());
        if counts.contains(&0.0) {
            return Ok(None);
        }
        let x = self.x.gather(0, &rows)?;
        Ok(Some(Self { x, labels, weights, counts, intercept: self.intercept, frame: self.frame.clone() }))
    }
}

/// The weight of each class's samples.
fn count(labels: &[u32], weights: Option<&[f64]>, classes: usize) -> Vec<f64> {
    let mut counts = vec![0.0; classes];
    match weights {
        Some(weights) => labels.iter().zip(weights).for_each(|(&y, w)| counts[y as usize] += w),
        None => labels.iter().for_each(|&y| counts[y as usize] += 1.0),
    }
    counts
}

/// What each sample counts, its class's weight included; and what the samples of each class count together.
fn weigh(labels: &[u32], classes: usize, options: &Options) -> Result<(Option<Vec<f64>>, Vec<f64>)> {
    if let Some(w) = &options.sample_weights {
        if w.len() != labels.len() {
            return Err(option("sample_weights", format!("{} of them", w.len()), "one for each sample"));
        }
        check_weights("sample_weight", w)?;
    }
    let counts = count(labels, options.sample_weights.as_deref(), classes);
    let total: f64 = counts.iter().sum();
    if !total.is_finite() {
        return Err(option("sample_weights", "a sum of inf", "a finite sum"));
    }
    let by_class: Vec<f64> = match &options.class_weights {
        ClassWeights::Equal => return Ok((options.sample_weights.clone(), counts)),
        ClassWeights::Balanced => counts.iter().map(|c| total / (classes as f64 * c)).collect(),
        ClassWeights::Given(weights) => {
            if weights.len() != classes {
                let given = format!("{} of them", weights.len());
                return Err(option("class_weights", given, "one for each class"));
            }
            check_weights("class_weight", weights)?;
            weights.clone()
        }
    };
    let own = |row: usize| options.sample_weights.as_ref().map_or(1.0, |w| w[row]);
    let weights: Vec<f64> =
        labels.iter().enumerate().map(|(row, &y)| own(row) * by_class[y as usize]).collect();
    // Of a class without samples the weight is no number.
    let counts = counts.iter().zip(&by_class).map(|(c, w)| if *c > 0.0 { c * w } else { 0.0 }).collect();
    Ok((Some(weights), counts))
}

/// How many rows are looked at at once.
const ROWS: usize = 4096;

fn frame(x: &Tensor<f64>, intercept: bool) -> Result<Frame> {
    let (n, d) = (x.dims()[0], x.dims()[1]);
    let values = x.as_slice();
    let (mut centre, mut scale) = (vec![0.0; d], vec![1.0; d]);
    if d == 0 {
        return Ok(Frame { centre, scale });
    }
    // About the first row, so that a large mean cancels nothing. Without an intercept about 0: nothing may be moved.
    let first = if intercept { values[..d].to_vec() } else { vec![0.0; d] };
    let parts = map_blocks(n.div_ceil(ROWS), |i| {
        let (mut sum, mut most) = (vec![0.0; d], vec![0.0; d]);
        vectorize(
            #[inline(always)]
            || {
                for row in values[i * ROWS * d..n.min((i + 1) * ROWS) * d].chunks_exact(d) {
                    let columns = sum.iter_mut().zip(&mut most).zip(row.iter().zip(&first));
                    for ((sum, most), (&x, &first)) in columns {
                        let off = x - first;
                        *sum += off;
                        // Of a NaN the sum will tell.
                        *most = if off.abs() > *most { off.abs() } else { *most };
                    }
                }
            },
        );
        (sum, most)
    });
    for j in 0..d {
        let sum: f64 = parts.iter().map(|(sum, _)| sum[j]).sum();
        let most = parts.iter().fold(0.0, |most: f64, (_, m)| most.max(m[j]));
        if !(sum.is_finite() && most.is_finite()) {
            return Err(not_finite(x));
        }
        centre[j] = if intercept { first[j] + sum / n as f64 } else { 0.0 };
        // The powers have finite inverses.
        scale[j] = if most > 0.0 { (-most.log2().ceil()).clamp(-1022.0, 1022.0).exp2() } else { 1.0 };
    }
    Ok(Frame { centre, scale })
}

/// What to say of data that a sum over is not finite.
fn not_finite(x: &Tensor<f64>) -> Error {
    let d = x.dims()[1];
    match x.as_slice().iter().position(|v| !v.is_finite()) {
        Some(i) => Error::NotFinite { what: "X", row: i / d, column: i % d, value: x.as_slice()[i] },
        None => Error::Overflow { what: "the range of a column" },
    }
}
