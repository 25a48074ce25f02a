//! One step of noise, and several at once: Gaussians whose mean is a multiple of where one comes from.

use crate::Schedule;
use crate::symbols::{ALPHA, BETA, EPS, T, X0, XT};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Error, Result};
use std::f64::consts::PI;

pub(crate) const FORMULA_MARKOV: Formula = Formula {
    id: "diffusion-markov",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "A Markov chain of T steps",
    latex: r"q(x_t \mid x_{t-1}, \dots, x_0) = q(x_t \mid x_{t-1})",
    unicode: "q(xₜ | xₜ₋₁, …, x₀) = q(xₜ | xₜ₋₁)",
    symbols: &[XT, X0, T],
    source: "Sohl-Dickstein et al. 2015, §2.1",
    item: item!(struct Transition),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA: Formula = Formula {
    id: "q-step-kernel",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The kernel of a step",
    latex: r"q(x_t \mid x_{t-1}) = \mathcal N\bigl(x_t;\; \sqrt{1 - \beta_t}\, x_{t-1},\; \beta_t I\bigr)",
    unicode: "q(xₜ | xₜ₋₁) = N(xₜ; √(1 − βₜ)·xₜ₋₁, βₜ·I)",
    symbols: &[XT, BETA, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 2",
    item: item!(struct Transition),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA_JOINT: Formula = Formula {
    id: "diffusion-joint",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The density of a whole path",
    latex: r"q(x_{1:T} \mid x_0) = \prod_{t=1}^{T} q(x_t \mid x_{t-1})",
    unicode: "q(x₁, …, x_T | x₀) = ∏ₜ₌₁ᵀ q(xₜ | xₜ₋₁)",
    symbols: &[XT, X0, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 2",
    item: item!(fn log_joint),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA_TELESCOPE: Formula = Formula {
    id: "diffusion-telescope",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Two steps at once",
    latex: r"x_t = \sqrt{\alpha_t \alpha_{t-1}}\, x_{t-2} + \sqrt{1 - \alpha_t \alpha_{t-1}}\, \bar\epsilon, \qquad
        \alpha_t \beta_{t-1} + \beta_t = 1 - \alpha_t \alpha_{t-1}",
    unicode: "xₜ = √(αₜαₜ₋₁)·xₜ₋₂ + √(1 − αₜαₜ₋₁)·ε̄; αₜβₜ₋₁ + βₜ = 1 − αₜαₜ₋₁",
    symbols: &[XT, ALPHA, BETA, EPS],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 4; Luo 2022, eqs. 61–70",
    item: item!(struct Transition),
    chapter: "closed-form",
    printed: Some(Printed {
        latex: r"\sqrt{\alpha_t}\, x_{t-2} + \sqrt{1 - \alpha_t}\, \epsilon_{t-2}",
        reason: "the signal is multiplied once for each step: a factor is missing. The variance of data of variance 1 stays 1 all the same, so that a test of the variance passes",
        counterexample: "β = (0.3, 0.5), x₀ = 3: mean 1.775 and variance 0.65; the printed form gives 2.121 and 0.5",
    }),
};

/// A Gaussian step along the chain: from x to N(scale·x, variance), each number on its own.
///
/// **Formula** `q-step-kernel`: q(xₜ | xₜ₋₁) = N(√(1 − βₜ)·xₜ₋₁, βₜ); `diffusion-markov`: nothing before xₜ₋₁ matters; `diffusion-telescope`: a step after a step
/// is a step, of the scale c₂c₁ and of the variance c₂²v₁ + v₂.
///
/// **Shapes**: numbers; a step does the same to every number of the data. **Units**: the scale has none, the variance the data's squared.
///
/// **Numerics**: [`Schedule::between`] takes both from ln ᾱₜ − ln ᾱₛ: no product, no difference of nearly equal numbers.
///
/// **Errors**: steps out of order, or beyond T.
///
/// **Source**: Ho, Jain & Abbeel 2020, §2, eqs. 2 and 4.
///
/// ```
/// use gradus_diffusion::Schedule;
/// let schedule = Schedule::given(&[0.3, 0.5])?;
/// let two = schedule.step(1)?.then(schedule.step(2)?);
/// let [mean, variance] = two.carry([3.0, 0.0]); // x₀ = 3, known
/// assert!((mean - 1.775).abs() < 1e-3 && (variance - 0.65).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// By what the mean is multiplied.
    pub scale: f64,
    /// The variance of the noise that is added.
    pub variance: f64,
}

impl Transition {
    /// This step, and after it another.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self { scale: next.scale * self.scale, variance: next.scale.powi(2) * self.variance + next.variance }
    }

    /// Mean and variance after the step, of those before.
    #[must_use]
    pub fn carry(self, [mean, variance]: [f64; 2]) -> [f64; 2] {
        [self.scale * mean, self.scale.powi(2) * variance + self.variance]
    }

    /// The logarithm of the density with which the step leads from a number to a number, in nats.
    #[must_use]
    pub fn log_density(self, from: f64, to: f64) -> f64 {
        log_normal(to, self.scale * from, self.variance)
    }
}

/// The logarithm of the density of N(mean, variance) at x, in nats.
pub(crate) fn log_normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((2.0 * PI * variance).ln() + (x - mean).powi(2) / variance)
}

impl Schedule {
    /// The kernel of step t: q(xₜ | xₜ₋₁).
    ///
    /// # Errors
    /// If there is no such step.
    pub fn step(&self, t: usize) -> Result<Transition> {
        let beta = self.beta(t)?;
        Ok(Transition { scale: (1.0 - beta).sqrt(), variance: beta })
    }

    /// The steps s + 1, …, t at once: q(xₜ | xₛ) = N(√(ᾱₜ/ᾱₛ)·xₛ, 1 − ᾱₜ/ᾱₛ).
    ///
    /// ```
    /// use gradus_diffusion::Schedule;
    /// let schedule = Schedule::given(&[0.3, 0.5])?;
    /// assert!((schedule.between(0, 2)?.variance - 0.65).abs() < 1e-15);
    /// assert_eq!(schedule.between(1, 1)?.variance, 0.0);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If t is before s, or there is no such step.
    pub fn between(&self, s: usize, t: usize) -> Result<Transition> {
        let log = self.log_alpha_bar(t)? - self.log_alpha_bar(s)?;
        if s > t {
            return Err(Error::argument(
                "Schedule::between",
                "first step",
                s,
                format!("at most the last, {t}"),
            ));
        }
        Ok(Transition { scale: (0.5 * log).exp(), variance: -log.exp_m1() })
    }
}

/// The logarithm of the density of a path x₀, x₁, …, xₜ of one number, given where it began, in nats.
///
/// **Formula** `diffusion-joint`: ln q(x₁, …, xₜ | x₀) = Σₛ ln q(xₛ | xₛ₋₁).
///
/// **Shapes**: t + 1 numbers. **Units**: nats.
///
/// **Numerics**: a sum of logarithms; the product overflows after some hundred small steps, whose densities are above 1.
///
/// **Errors**: an empty path, or one of more steps than there are. **Source**: Ho, Jain & Abbeel 2020, §2, eq. 2.
///
/// ```
/// use gradus_diffusion::{Schedule, log_joint};
/// let schedule = Schedule::given(&[0.5, 0.5])?;
/// // Along the means the exponentials are 1: what is left is −½ ln(2π·½) twice.
/// let path = [2.0, 2.0 * 0.5f64.sqrt(), 1.0];
/// assert!((log_joint(&schedule, &path)? + std::f64::consts::PI.ln()).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn log_joint(schedule: &Schedule, path: &[f64]) -> Result<f64> {
    if path.is_empty() {
        return Err(Error::argument("log_joint", "path", "none", "at least x₀"));
    }
    let step = |(i, pair): (usize, &[f64])| Ok(schedule.step(i + 1)?.log_density(pair[0], pair[1]));
    path.windows(2).enumerate().map(step).sum()
}
