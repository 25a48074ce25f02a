//! The statistics of a fit: how sure its coefficients are, how much it explains, which samples weigh most.

use crate::fit::Fit;
use crate::{Error, Result};
use gradus_tensor::Tensor;
use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

/// What the classical linear model says of a fit with independent errors of one variance.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Samples with a weight above 0.
    pub samples: usize,
    /// n − rank.
    pub degrees_of_freedom: usize,
    /// Σ w (y − ŷ)².
    pub residual_sum_of_squares: f64,
    /// Σ w (y − ȳ)², about 0 without an intercept.
    pub total_sum_of_squares: f64,
    /// The residual variance, RSS / degrees of freedom.
    pub residual_variance: f64,
    /// 1 − RSS / TSS.
    pub r_squared: f64,
    /// R² with the degrees of freedom taken into account.
    pub adjusted_r_squared: f64,
    /// Of all parameters, the intercept first if there is one. By the triangular factor, which is not refined: correct to
    /// 2⁻⁵² times the condition number; by `Method::Precise` to the last digits.
    pub standard_errors: Vec<f64>,
    /// Parameter over standard error.
    pub t_values: Vec<f64>,
    /// The probability of a t as far from 0, if the parameter were 0.
    pub p_values: Vec<f64>,
    /// The F statistic of all coefficients against none.
    pub f_value: f64,
    /// Its probability, if all coefficients were 0.
    pub f_p_value: f64,
    parameters: Vec<f64>,
    inflation: Vec<f64>,
    leverage: Vec<f64>,
    residuals: Vec<f64>,
    weights: Option<Vec<f64>>,
}

fn option(name: &'static str, value: f64, allowed: &'static str) -> Error {
    Error::Option { name, value: value.to_string(), allowed }
}

impl Statistics {
    pub(crate) fn of(fit: &Fit, target: usize) -> Result<Self> {
        if fit.ridge > 0.0 {
            return Err(option(
                "ridge",
                fit.ridge,
                "0: a penalised fit is biased, and these statistics are not for it",
            ));
        }
        let y = fit.y.select(1, target)?;
        let residuals = fit.residuals().select(1, target)?.into_vec();
        let parameters = fit.parameters().select(1, target)?.into_vec();
        let n = y.len();
        let weight = |i: usize| fit.weights.as_ref().map_or(1.0, |w| w[i]);
        let samples = (0..n).filter(|&i| weight(i) > 0.0).count();
        if samples <= fit.rank() {
            return Err(Error::NoFreedom { what: "a residual variance", samples, rank: fit.rank() });
        }
        let freedom = samples - fit.rank();
        let sum = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Tensor<f64>>().sum();
        let total_weight = sum(&weight);
        let centre =
            if fit.has_intercept() { sum(&|i| weight(i) * y.as_slice()[i]) / total_weight } else { 0.0 };
        let rss = sum(&|i| weight(i) * residuals[i] * residuals[i]);
        let tss = sum(&|i| weight(i) * (y.as_slice()[i] - centre).powi(2));
        if !(rss.is_finite() && tss.is_finite()) {
            return Err(Error::Overflow { what: "a sum of squares" });
        }
        let variance = rss / freedom as f64;
        let about = usize::from(fit.has_intercept());
        let r_squared = 1.0 - rss / tss;
        let adjusted = 1.0 - (rss / freedom as f64) / (tss / (samples - about) as f64);
        let spread = fit.root.map(|v| v * v).sum_axis(1)?;
        let errors: Vec<f64> = spread.as_slice().iter().map(|v| (variance * v).sqrt()).collect();
        let t_values: Vec<f64> = parameters.iter().zip(&errors).map(|(b, s)| b / s).collect();
        let student = student(freedom)?;
        // A perfect fit has t = ±∞ or NaN.
        let tail = |t: &f64| if t.is_nan() { f64::NAN } else { 2.0 * student.cdf(-t.abs()) };
        let p_values = t_values.iter().map(tail).collect();
        let explained = fit.rank() - about;
        let f_value = if explained == 0 { f64::NAN } else { ((tss - rss) / explained as f64) / variance };
        let f_p_value = if f_value.is_finite() {
            fisher(explained, freedom)?.sf(f_value)
        } else if f_value > 0.0 {
            0.0
        } else {
            f64::NAN
        };
        Ok(Self {
            samples,
            degrees_of_freedom: freedom,
            residual_sum_of_squares: rss,
            total_sum_of_squares: tss,
            residual_variance: variance,
            r_squared,
            adjusted_r_squared: adjusted,
            standard_errors: errors,
            t_values,
            p_values,
            f_value,
            f_p_value,
            parameters,
            inflation: inflation(fit, &spread)?,
            leverage: fit.leverage()?,
            residuals,
            weights: fit.weights.clone(),
        })
    }

    /// The interval that holds each parameter with this confidence, from below to above.
    ///
    /// # Errors
    /// If the confidence is not between 0 and 1.
    pub fn confidence_intervals(&self, confidence: f64) -> Result<Vec<(f64, f64)>> {
        let reach = self.quantile(confidence)?;
        let around = |(b, s): (&f64, &f64)| (b - reach * s, b + reach * s);
        Ok(self.parameters.iter().zip(&self.standard_errors).map(around).collect())
    }

    fn quantile(&self, confidence: f64) -> Result<f64> {
        if !(confidence > 0.0 && confidence < 1.0) {
            return Err(option("confidence", confidence, "strictly between 0 and 1"));
        }
        Ok(student(self.degrees_of_freedom)?.inverse_cdf(0.5 + confidence / 2.0))
    }

    /// The variance inflation factor of each coefficient, the intercept not among them: by how much the other columns multiply
    /// the variance of its estimate.
    ///
    /// **Formula**: VIFⱼ = 1/(1 − Rⱼ²), Rⱼ² that of the (weighted) regression of column j on the others, with the intercept if
    /// the fit has one; without, Rⱼ² is about 0. At least 1, and 1 for a column orthogonal to the others; ∞ for one that depends
    /// on them.
    ///
    /// **Numerics**: no column is regressed and no (XᵀX)⁻¹ formed: with (XᵀX)⁻¹ = B·Bᵀ it is the squared length of B's row j
    /// times column j's sum of squares about its mean. Scaling a column changes nothing.
    ///
    /// **Source**: Marquardt 1970; Belsley, Kuh & Welsch 1980, §3.2.
    ///
    /// ```
    /// use gradus_linear_regression::LinearRegression;
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [4.0, 5.0]]); // the columns go nearly together
    /// let fit = LinearRegression::new().fit(&x, &Tensor::from([1.0, 3.0, 2.0, 4.0]))?;
    /// let vif = fit.statistics(0)?.variance_inflation_factors().to_vec();
    /// assert!((vif[0] - 175.0 / 6.0).abs() < 1e-10 && (vif[1] - vif[0]).abs() < 1e-10); // of two columns each has the same
    /// # Ok::<(), gradus_linear_regression::Error>(())
    /// ```
    pub fn variance_inflation_factors(&self) -> &[f64] {
        &self.inflation
    }

    /// How much each sample's own value moves its prediction: the diagonal of the hat matrix X(XᵀX)⁻¹Xᵀ. It adds up to the rank.
    ///
    /// **Numerics**: the squared lengths of Q's rows, so that the sum has all digits at any condition; each alone is correct to
    /// 2⁻⁵² times the condition number.
    pub fn leverage(&self) -> &[f64] {
        &self.leverage
    }

    /// Cook's distances: how far all predictions move when a sample is left out.
    pub fn cooks_distances(&self) -> Vec<f64> {
        let rank = (self.samples - self.degrees_of_freedom) as f64;
        let weight = |i: usize| self.weights.as_ref().map_or(1.0, |w| w[i]);
        let one = |(i, (&h, &r)): (usize, (&f64, &f64))| {
            weight(i) * r * r / (rank * self.residual_variance) * h / ((1.0 - h) * (1.0 - h))
        };
        self.leverage.iter().zip(&self.residuals).enumerate().map(one).collect()
    }
}

impl Fit {
    /// For each new sample: the interval of the mean, and the wider one of a single value, with this confidence.
    ///
    /// # Errors
    /// As [`Fit::statistics`] and [`Fit::predict`]; a confidence that is not between 0 and 1.
    pub fn intervals(&self, x: &Tensor<f64>, target: usize, confidence: f64) -> Result<Vec<Interval>> {
        let statistics = self.statistics(target)?;
        let reach = statistics.quantile(confidence)?;
        let predicted = self.predict(x)?.select(1, target)?;
        let spread = quadratic_forms(self, x)?;
        let one = |(&mean, &q): (&f64, &f64)| {
            let (s2, q) = (statistics.residual_variance, q.max(0.0));
            Interval { mean, of_mean: reach * (s2 * q).sqrt(), of_value: reach * (s2 * (1.0 + q)).sqrt() }
        };
        Ok(predicted.as_slice().iter().zip(&spread).map(one).collect())
    }
}

/// A prediction with its uncertainty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// The predicted value.
    pub mean: f64,
    /// How far to either side the mean's confidence interval reaches.
    pub of_mean: f64,
    /// How far to either side the interval of a single new value reaches.
    pub of_value: f64,
}

/// ‖x·B‖² for each row x (with its 1): x·(XᵀX)⁻¹·xᵀ without the loss of the product's digits.
pub(crate) fn quadratic_forms(fit: &Fit, x: &Tensor<f64>) -> Result<Vec<f64>> {
    let a = match fit.has_intercept() {
        true => Tensor::concatenate(&[&Tensor::ones([x.dims()[0], 1])?, x], 1)?,
        false => x.clone(),
    };
    Ok(a.matmul(&fit.root)?.map(|v| v * v).sum_axis(1)?.into_vec())
}

/// Each coefficient's variance relative to the one it had alone: `spread` is the diagonal of (XᵀX)⁻¹, the intercept's first.
fn inflation(fit: &Fit, spread: &Tensor<f64>) -> Result<Vec<f64>> {
    let (n, d) = (fit.x.dims()[0], fit.x.dims()[1]);
    let about = usize::from(fit.has_intercept());
    let weights =
        fit.weights.as_ref().map_or_else(|| Tensor::ones([n]), |w| Ok(w.iter().copied().collect()))?;
    let (total, weights) = (weights.sum(), weights.insert_axis(1)?);
    let centred = match about {
        0 => fit.x.clone(),
        _ => fit.x.sub(&fit.x.mul(&weights)?.sum_axis(0)?.map(|s| s / total))?,
    };
    let squares = centred.map(|v| v * v).mul(&weights)?.sum_axis(0)?;
    // Dependent columns: a pseudo-inverse stands for the inverse, right for a column that takes no part in the dependence. Such a
    // one lies in the row space, where B's normed columns V are an orthonormal basis: its row of V has length 1.
    let within = if fit.rank() < d + about {
        let rows = fit.root.slice(0, about..d + about)?;
        let lengths = rows.map(|v| v * v).sum_axis(0)?.map(|l| if l > 0.0 { 1.0 / l } else { 0.0 });
        rows.map(|v| v * v).mul(&lengths)?.sum_axis(1)?
    } else {
        Tensor::ones([d])?
    };
    let one = |j: usize| {
        let dependent = within.as_slice()[j] < 1.0 - 1e-8;
        if dependent { f64::INFINITY } else { spread.as_slice()[j + about] * squares.as_slice()[j] }
    };
    Ok((0..d).map(one).collect())
}

fn student(freedom: usize) -> Result<StudentsT> {
    StudentsT::new(0.0, 1.0, freedom as f64)
        .map_err(|_| option("degrees of freedom", freedom as f64, "at least 1"))
}

fn fisher(above: usize, below: usize) -> Result<FisherSnedecor> {
    FisherSnedecor::new(above as f64, below as f64)
        .map_err(|_| option("degrees of freedom", above as f64, "at least 1"))
}
