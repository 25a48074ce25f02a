//! The way back: what it is for data that one knows, and the exact bound of a reverse process that is linear.

use crate::symbols::{T, X0, XT};
use crate::transition::log_normal;
use crate::{Bound, Schedule, gaussian_kl};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Error, Result};

pub(crate) const FORMULA_APPROX: Formula = Formula {
    id: "diffusion-reverse-approx",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "The true step back is not known",
    latex: r"q(x_{t-1} \mid x_t) = \frac{q(x_t \mid x_{t-1})\, q(x_{t-1})}{q(x_t)} \approx p_\theta(x_{t-1} \mid x_t)",
    unicode: "q(xₜ₋₁ | xₜ) = q(xₜ | xₜ₋₁)·q(xₜ₋₁)/q(xₜ) ≈ p_θ(xₜ₋₁ | xₜ)",
    symbols: &[XT, T],
    source: "Sohl-Dickstein et al. 2015, §2.2; Feller 1949",
    item: item!(struct GaussianMixture),
    chapter: "reverse-process",
    printed: None,
};

pub(crate) const FORMULA_JOINT: Formula = Formula {
    id: "diffusion-reverse-joint",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The reverse chain",
    latex: r"p_\theta(x_{0:T}) = p(x_T) \prod_{t=1}^{T} p_\theta(x_{t-1} \mid x_t), \qquad p(x_T) = \mathcal N(0, I)",
    unicode: "p_θ(x₀, …, x_T) = p(x_T)·∏ₜ₌₁ᵀ p_θ(xₜ₋₁ | xₜ), p(x_T) = N(0, I)",
    symbols: &[X0, XT, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 1",
    item: item!(struct LinearReverse),
    chapter: "reverse-process",
    printed: Some(Printed {
        latex: r"p_\theta(x_{0:T}) = p_\theta(x_T) \prod_{t=1}^T p_\theta(x_{t-1}|x_t)",
        reason: "the prior has no parameters: it is N(0, I), and L_T has no gradient",
        counterexample: "two steps with weights θ: ∂L_T/∂θ = 0",
    }),
};

/// A step back whose mean is a line: N(slope·xₜ + offset, variance).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearStep {
    /// By what xₜ is multiplied.
    pub slope: f64,
    /// What is added.
    pub offset: f64,
    /// The variance.
    pub variance: f64,
}

/// A reverse process of one number all of whose steps are linear: what it generates, and its bound, are known without drawing anything. It is the oracle of this crate.
///
/// **Formula** `diffusion-reverse-joint`: p(x_T)·∏ₜ p(xₜ₋₁ | xₜ), p(x_T) = N(0, 1).
///
/// **Shapes**: T steps of one number; D independent numbers have D of them. **Units**: nats.
///
/// **Numerics**: closed forms; for Gaussian data and the [exact](Self::exact) steps, L_VLB less the data's entropy is D(q(x_T) ‖ p(x_T)) to 10⁻¹², whatever the schedule.
///
/// **Errors**: another number of steps than the schedule has, a variance that is not above 0. **Source**: Sohl-Dickstein et al. 2015, §2.4.
///
/// ```
/// use gradus_diffusion::{LinearReverse, Schedule};
/// let schedule = Schedule::given(&[0.3, 0.5])?;
/// let exact = LinearReverse::exact(&schedule, [2.0, 0.25])?;
/// // Begun with q(x_T) it gives the data back; begun with the prior, nearly.
/// let end = schedule.between(0, 2)?.carry([2.0, 0.25]);
/// let [mean, variance] = exact.carry(end);
/// assert!((mean - 2.0).abs() < 1e-15 && (variance - 0.25).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct LinearReverse {
    /// The steps from t = 1 (to the data) to T (from the prior).
    pub steps: Vec<LinearStep>,
}

impl LinearReverse {
    /// The true reverse process of data N(mean, variance): q(xₜ₋₁ | xₜ) by Bayes' rule.
    ///
    /// # Errors
    /// If the variance is below 0.
    pub fn exact(schedule: &Schedule, [mean, variance]: [f64; 2]) -> Result<Self> {
        if !(variance >= 0.0) {
            return Err(Error::argument("LinearReverse::exact", "variance", variance, "at least 0"));
        }
        let step = |t: usize| {
            let step = schedule.step(t)?;
            let before = schedule.between(0, t - 1)?.carry([mean, variance]);
            let after = step.carry(before);
            let slope = step.scale * before[1] / after[1];
            Ok(LinearStep {
                slope,
                offset: before[0] - slope * after[0],
                variance: before[1] * step.variance / after[1],
            })
        };
        Ok(Self { steps: (1..=schedule.steps()).map(step).collect::<Result<_>>()? })
    }

    /// Mean and variance of x₀, of those of x_T. Those of the prior are [0, 1].
    #[must_use]
    pub fn carry(&self, end: [f64; 2]) -> [f64; 2] {
        self.steps.iter().rev().fold(end, |[mean, variance], step| {
            [step.slope * mean + step.offset, step.slope.powi(2) * variance + step.variance]
        })
    }

    /// What data N(mean, variance) costs on average under what the process generates, in nats: E[−ln p(x₀)].
    #[must_use]
    pub fn cost(&self, data: [f64; 2]) -> f64 {
        expected_cost(data, self.carry([0.0, 1.0]))
    }

    /// ln p(x₀, x₁, …, x_T) of a path, in nats.
    ///
    /// # Errors
    /// If the path has another length than T + 1.
    pub fn log_joint(&self, path: &[f64]) -> Result<f64> {
        let Some((&end, _)) = path.split_last().filter(|(_, before)| before.len() == self.steps.len()) else {
            let allowed = format!("{} numbers", self.steps.len() + 1);
            return Err(Error::argument("LinearReverse::log_joint", "path", path.len(), allowed));
        };
        let back = |(step, pair): (&LinearStep, &[f64])| {
            log_normal(pair[0], step.slope * pair[1] + step.offset, step.variance)
        };
        Ok(log_normal(end, 0.0, 1.0) + self.steps.iter().zip(path.windows(2)).map(back).sum::<f64>())
    }

    /// The variational bound of data N(mean, variance): all expectations in closed form.
    ///
    /// # Errors
    /// If there are not T steps, or a variance is not above 0.
    pub fn bound(&self, schedule: &Schedule, data: [f64; 2]) -> Result<Bound> {
        const OP: &str = "LinearReverse::bound";
        let last = schedule.steps();
        if self.steps.len() != last {
            return Err(Error::argument(OP, "steps", self.steps.len(), format!("as the schedule, {last}")));
        }
        if let Some(step) = self.steps.iter().find(|step| !(step.variance > 0.0)) {
            return Err(Error::argument(OP, "variance", step.variance, "above 0"));
        }
        let [mean, variance] = data;
        // A divergence is quadratic in the difference of the means: its mean is that of the mean difference, and a half of its variance over the second's.
        let end = schedule.between(0, last)?;
        let prior =
            gaussian_kl([end.scale * mean, end.variance], [0.0, 1.0]) + 0.5 * end.scale.powi(2) * variance;
        let step = |t: usize| -> Result<f64> {
            let (posterior, back, at) = (schedule.posterior(t)?, self.steps[t - 1], schedule.between(0, t)?);
            // a·x₀ + b·xₜ − (slope·xₜ + offset), with xₜ = c·x₀ + noise.
            let state = posterior.state - back.slope;
            let known = posterior.data + state * at.scale;
            let difference = known * mean - back.offset;
            let spread = known.powi(2) * variance + state.powi(2) * at.variance;
            Ok(gaussian_kl([difference, posterior.variance], [0.0, back.variance])
                + 0.5 * spread / back.variance)
        };
        let first = self.steps[0];
        let at = schedule.between(0, 1)?;
        let known = 1.0 - first.slope * at.scale;
        let difference = known * mean - first.offset;
        let spread = known.powi(2) * variance + first.slope.powi(2) * at.variance;
        Ok(Bound {
            prior,
            steps: (2..=last).map(step).collect::<Result<_>>()?,
            decoder: expected_cost([difference, spread], [0.0, first.variance]),
            dimensions: 1,
        })
    }
}

/// E[−ln q(x)] over x from a Gaussian p; each is [mean, variance].
fn expected_cost([mean, variance]: [f64; 2], [other, other_variance]: [f64; 2]) -> f64 {
    -log_normal(mean, other, other_variance) + 0.5 * variance / other_variance
}
