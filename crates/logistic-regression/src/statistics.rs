//! The statistics of a fit: how sure its coefficients are, and how much it explains.

use crate::binary::Fit;
use crate::binary::pass::information;
use crate::error::option;
use crate::factor::Factor;
use crate::symbols::{THETA, WEIGHTS, X};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::math::erfc;
use gradus_tensor::{Tensor, Transpose};
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal};

pub(crate) const FORMULA: Formula = Formula {
    id: "wald-interval",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Standard error and Wald’s interval",
    latex: r"\theta_j \pm q\, \mathrm{se}_j, \qquad \mathrm{se}_j^2 = \bigl[(X^\top W X)^{-1}\bigr]_{jj}",
    unicode: "θⱼ ± q·seⱼ, seⱼ² = [(XᵀWX)⁻¹]ⱼⱼ",
    symbols: &[
        THETA,
        X,
        WEIGHTS,
        Symbol {
            latex: "q",
            code: "quantile",
            meaning: "the quantile of the normal distribution: 1.96 for a confidence of 95 %",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: r"\mathrm{se}_j",
            code: "standard_errors",
            meaning: "the standard error of coefficient j",
            shape: "[D]",
            unit: "those of θ",
        },
    ],
    source: "Wald 1943; Hosmer, Lemeshow & Sturdivant 2013, §2.4",
    item: item!(struct Statistics),
    chapter: "logistic-regression",
    printed: None,
};

/// What the theory of large samples says of an unpenalised fit.
///
/// **Formula** `wald-interval`: θⱼ ± q·seⱼ, seⱼ² the j-th diagonal element of (XᵀWX)⁻¹.
///
/// **Numerics**: in a frame where the columns are centred, through Cholesky's factor. Weights count as copies of their sample.
///
/// **Source**: Hosmer, Lemeshow & Sturdivant 2013, §2.4.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// Intercept (if there is one), then coefficients.
    pub parameters: Vec<f64>,
    /// Of each parameter.
    pub standard_errors: Vec<f64>,
    /// Parameter over standard error.
    pub z_values: Vec<f64>,
    /// The probability of a z as far from 0, if the parameter were 0.
    pub p_values: Vec<f64>,
    /// (XᵀWX)⁻¹, `[P, P]`.
    pub covariance: Tensor<f64>,
    /// Of the labels under the fit.
    pub log_likelihood: f64,
    /// Of the labels under the intercept alone; without an intercept, under ½ for all.
    pub null_log_likelihood: f64,
    /// 2·(log-likelihood − null log-likelihood): the likelihood-ratio statistic of all coefficients against none.
    pub likelihood_ratio: f64,
    /// Its probability, if all coefficients were 0.
    pub likelihood_ratio_p: f64,
    /// 1 − log-likelihood/null log-likelihood (McFadden).
    pub pseudo_r_squared: f64,
    /// Akaike's criterion, 2P − 2·log-likelihood.
    pub aic: f64,
    /// Schwarz's criterion, P·ln n − 2·log-likelihood, n the sum of the weights.
    pub bic: f64,
}

impl Statistics {
    pub(crate) fn of(fit: &Fit) -> Result<Self> {
        if fit.l2 > 0.0 {
            return Err(Error::Penalised { what: "a standard error", l2: fit.l2 });
        }
        let data = &fit.data;
        let d = data.x.dims()[1];
        let (p, about) = (data.width(), usize::from(data.intercept));
        let factor = Factor::new(&information(data, &fit.theta)?).map_err(|column| Error::RankDeficient {
            column: column.min(d.max(1) - 1),
            intercept: data.intercept,
        })?;
        // From the frame: θ = A·θ', the intercept first.
        let outward = Tensor::from_fn([p, p], |i| {
            let (scale, centre) = (&data.frame.scale, &data.frame.centre);
            match (i[0] < about, i[1] == d) {
                (true, true) => 1.0,
                (true, false) => -scale[i[1]] * centre[i[1]],
                (false, _) if i[0] - about == i[1] => scale[i[1]],
                (false, _) => 0.0,
            }
        })?;
        let covariance =
            outward.matmul(&factor.inverse()?)?.product(Transpose::No, &outward, Transpose::Yes)?;
        let mut parameters = if data.intercept { vec![fit.intercept()] } else { vec![] };
        parameters.extend_from_slice(fit.coefficients().as_slice());
        let standard_errors: Vec<f64> = (0..p).map(|j| covariance.as_slice()[j * p + j].sqrt()).collect();
        let z_values: Vec<f64> = parameters.iter().zip(&standard_errors).map(|(t, s)| t / s).collect();
        let p_values = z_values.iter().map(|z| erfc(z.abs() / 2f64.sqrt())).collect();
        let total = data.total();
        let log_likelihood = fit.log_likelihood()?;
        let null_log_likelihood = match data.intercept {
            true => data.counts.iter().map(|c| c * (c / total).ln()).sum(),
            false => -total * 2f64.ln(),
        };
        let likelihood_ratio = 2.0 * (log_likelihood - null_log_likelihood);
        Ok(Self {
            parameters,
            standard_errors,
            z_values,
            p_values,
            covariance,
            log_likelihood,
            null_log_likelihood,
            likelihood_ratio,
            likelihood_ratio_p: if d == 0 { f64::NAN } else { chi_squared_tail(likelihood_ratio, d) },
            pseudo_r_squared: 1.0 - log_likelihood / null_log_likelihood,
            aic: 2.0 * p as f64 - 2.0 * log_likelihood,
            bic: p as f64 * total.ln() - 2.0 * log_likelihood,
        })
    }

    /// Of each parameter the interval that holds it with this confidence.
    ///
    /// ```
    /// use gradus_logistic_regression::LogisticRegression;
    /// use gradus_tensor::Tensor;
    /// let y = Tensor::from([1, 1, 1, 0]);
    /// let fit = LogisticRegression::new().fit(&Tensor::zeros([4, 0])?, &y)?; // an intercept alone
    /// let s = fit.statistics()?;
    /// assert!((s.standard_errors[0] - (4.0f64 / 3.0).sqrt()).abs() < 1e-9); // 1/√(4·¾·¼)
    /// let (from, to) = s.intervals(0.95)?[0];
    /// assert!((to - from - 2.0 * 1.959964 * s.standard_errors[0]).abs() < 1e-5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A confidence that is not between 0 and 1.
    pub fn intervals(&self, confidence: f64) -> Result<Vec<(f64, f64)>> {
        let q = quantile(confidence)?;
        let one = |(t, s): (&f64, &f64)| (t - q * s, t + q * s);
        Ok(self.parameters.iter().zip(&self.standard_errors).map(one).collect())
    }

    /// Of each parameter how many times the odds a unit of its column makes, e^θ, with the ends of its interval.
    ///
    /// # Errors
    /// A confidence that is not between 0 and 1.
    pub fn odds_ratios(&self, confidence: f64) -> Result<Vec<OddsRatio>> {
        let intervals = self.intervals(confidence)?;
        let one = |(t, (from, to)): (&f64, &(f64, f64))| OddsRatio {
            ratio: t.exp(),
            from: from.exp(),
            to: to.exp(),
        };
        Ok(self.parameters.iter().zip(&intervals).map(one).collect())
    }
}

/// How many times the odds a unit more makes, and the interval of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OddsRatio {
    /// e^θ.
    pub ratio: f64,
    /// The lower end of its interval.
    pub from: f64,
    /// The upper end.
    pub to: f64,
}

/// How many standard errors to either side hold this share of a normal distribution.
fn quantile(confidence: f64) -> Result<f64> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return Err(option("confidence", confidence, "between 0 and 1, both excluded"));
    }
    let normal = Normal::new(0.0, 1.0).map_err(|_| option("deviation", 1.0, "above 0"))?;
    Ok(-normal.inverse_cdf((1.0 - confidence) / 2.0))
}

fn chi_squared_tail(statistic: f64, freedom: usize) -> f64 {
    ChiSquared::new(freedom as f64).map_or(f64::NAN, |d| d.sf(statistic.max(0.0)))
}
