//! What the residuals tell: likelihood, criteria, tests for normality and correlation, studentised residuals.
//!
//! All of it is of the weighted residuals √w·(y − ŷ), as statsmodels has it.

use gradus_linear_regression::{Fit, Result, Statistics};
use gradus_tensor::Tensor;
use std::f64::consts::PI;

/// Numbers that belong to the whole fit, and two that belong to each sample.
pub(crate) struct Diagnostics {
    pub(crate) log_likelihood: f64,
    pub(crate) aic: f64,
    pub(crate) bic: f64,
    /// Of the design matrix as it is, columns of every size: statsmodels' `Cond. No.`.
    pub(crate) condition: f64,
    pub(crate) durbin_watson: f64,
    pub(crate) skew: f64,
    /// 3 for the normal distribution.
    pub(crate) kurtosis: f64,
    pub(crate) jarque_bera: f64,
    pub(crate) jarque_bera_p: f64,
    /// NaN below eight samples.
    pub(crate) omnibus: f64,
    pub(crate) omnibus_p: f64,
    /// √w·(y − ŷ).
    pub(crate) residuals: Vec<f64>,
    /// Residual over its own standard error s·√(1 − h): "internally studentised".
    pub(crate) standardised: Vec<f64>,
    /// The same with s estimated without the sample: Student's t with one degree of freedom less.
    pub(crate) studentised: Vec<f64>,
}

impl Diagnostics {
    /// Of the first target. The weights are all above 0.
    pub(crate) fn of(
        fit: &Fit,
        statistics: &Statistics,
        x: &Tensor<f64>,
        weights: Option<&[f64]>,
    ) -> Result<Self> {
        let residuals = weighted(&fit.residuals().select(1, 0)?.into_vec(), weights);
        let n = residuals.len() as f64;
        let log_weights: f64 = weights.map_or(0.0, |w| w.iter().map(|w| w.ln()).sum());
        // Gaussian errors of the variance σ²/w, with σ² = RSS/n, its most likely value.
        let rss = statistics.residual_sum_of_squares;
        let log_likelihood = (log_weights - n * ((2.0 * PI).ln() + (rss / n).ln() + 1.0)) / 2.0;
        let parameters = fit.rank() as f64;
        let (skew, kurtosis) = skew_and_kurtosis(&residuals);
        let jarque_bera = n / 6.0 * (skew.powi(2) + (kurtosis - 3.0).powi(2) / 4.0);
        let omnibus = skew_score(skew, n).powi(2) + kurtosis_score(kurtosis, n).powi(2);
        let freedom = statistics.degrees_of_freedom as f64;
        let standard = statistics.residual_variance.sqrt();
        let standardised: Vec<f64> = residuals
            .iter()
            .zip(statistics.leverage())
            .map(|(e, h)| e / (standard * (1.0 - h).max(0.0).sqrt()))
            .collect();
        Ok(Self {
            log_likelihood,
            aic: 2.0 * (parameters - log_likelihood),
            bic: n.ln() * parameters - 2.0 * log_likelihood,
            condition: condition(x, fit.has_intercept(), weights)?,
            durbin_watson: durbin_watson(&residuals),
            skew,
            kurtosis,
            jarque_bera,
            jarque_bera_p: chi_squared_of_two(jarque_bera),
            omnibus,
            omnibus_p: chi_squared_of_two(omnibus),
            studentised: standardised
                .iter()
                .map(|r| r * ((freedom - 1.0) / (freedom - r * r)).sqrt())
                .collect(),
            standardised,
            residuals,
        })
    }
}

/// √w·e.
pub(crate) fn weighted(residuals: &[f64], weights: Option<&[f64]>) -> Vec<f64> {
    match weights {
        Some(w) => residuals.iter().zip(w).map(|(e, w)| w.sqrt() * e).collect(),
        None => residuals.to_vec(),
    }
}

fn condition(x: &Tensor<f64>, intercept: bool, weights: Option<&[f64]>) -> Result<f64> {
    let mut a = match intercept {
        true => Tensor::concatenate(&[&Tensor::ones([x.dims()[0], 1])?, x], 1)?,
        false => x.clone(),
    };
    if let Some(w) = weights {
        a = a.mul(&w.iter().map(|w| w.sqrt()).collect::<Tensor<f64>>().insert_axis(1)?)?;
    }
    let s = a.svd()?.s;
    Ok(match s.as_slice() {
        [first, .., last] => first / last,
        _ => 1.0,
    })
}

/// Σ (eᵢ − eᵢ₋₁)² / Σ eᵢ²: about 2 for residuals that do not know their neighbours. Durbin & Watson 1950.
fn durbin_watson(e: &[f64]) -> f64 {
    let steps: f64 = e.windows(2).map(|w| (w[1] - w[0]).powi(2)).sum();
    steps / e.iter().map(|e| e * e).sum::<f64>()
}

/// The third and the fourth central moment, over the deviation's power; neither corrected for its bias.
fn skew_and_kurtosis(e: &[f64]) -> (f64, f64) {
    let n = e.len() as f64;
    let mean = e.iter().sum::<f64>() / n;
    let moment = |k: i32| e.iter().map(|e| (e - mean).powi(k)).sum::<f64>() / n;
    let variance = moment(2);
    (moment(3) / variance.powf(1.5), moment(4) / variance.powi(2))
}

/// The skew as a normal score: D'Agostino 1970. The residuals of too small samples have none.
fn skew_score(skew: f64, n: f64) -> f64 {
    if n < 8.0 {
        return f64::NAN;
    }
    let y = skew * ((n + 1.0) * (n + 3.0) / (6.0 * (n - 2.0))).sqrt();
    let beta = 3.0 * (n * n + 27.0 * n - 70.0) * (n + 1.0) * (n + 3.0)
        / ((n - 2.0) * (n + 5.0) * (n + 7.0) * (n + 9.0));
    let w2 = (2.0 * (beta - 1.0)).sqrt() - 1.0;
    (y / (2.0 / (w2 - 1.0)).sqrt()).asinh() / (0.5 * w2.ln()).sqrt()
}

/// The kurtosis as a normal score: Anscombe & Glynn 1983.
fn kurtosis_score(kurtosis: f64, n: f64) -> f64 {
    let mean = 3.0 * (n - 1.0) / (n + 1.0);
    let variance = 24.0 * n * (n - 2.0) * (n - 3.0) / ((n + 1.0).powi(2) * (n + 3.0) * (n + 5.0));
    let x = (kurtosis - mean) / variance.sqrt();
    let root = 6.0 * (n * n - 5.0 * n + 2.0) / ((n + 7.0) * (n + 9.0))
        * (6.0 * (n + 3.0) * (n + 5.0) / (n * (n - 2.0) * (n - 3.0))).sqrt();
    let a = 6.0 + 8.0 / root * (2.0 / root + (1.0 + 4.0 / (root * root)).sqrt());
    let below = 1.0 + x * (2.0 / (a - 4.0)).sqrt();
    let cube_root = ((1.0 - 2.0 / a) / below).cbrt();
    (1.0 - 2.0 / (9.0 * a) - cube_root) / (2.0 / (9.0 * a)).sqrt()
}

/// The probability that χ² of two degrees of freedom is larger: it has an elementary form.
fn chi_squared_of_two(x: f64) -> f64 {
    (-x / 2.0).exp()
}
