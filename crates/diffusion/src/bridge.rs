//! Steps back: Gaussians whose mean is a mixture of the data and of where one is.

use crate::Schedule;
use crate::symbols::{ALPHA, ALPHA_BAR, BETA, DATA_HAT, SIGMA, T, X0, XT};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result};

pub(crate) const FORMULA_POSTERIOR: Formula = Formula {
    id: "posterior-mean-var",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The step back when the data is known",
    latex: r"q(x_{t-1} \mid x_t, x_0) = \mathcal N(\tilde\mu_t, \tilde\beta_t I), \qquad
        \tilde\mu_t = \frac{\sqrt{\bar\alpha_{t-1}}\, \beta_t}{1 - \bar\alpha_t}\, x_0 + \frac{\sqrt{\alpha_t}\, (1 - \bar\alpha_{t-1})}{1 - \bar\alpha_t}\, x_t, \qquad
        \tilde\beta_t = \frac{1 - \bar\alpha_{t-1}}{1 - \bar\alpha_t}\, \beta_t",
    unicode: "q(xₜ₋₁ | xₜ, x₀) = N(μ̃ₜ, β̃ₜ·I): μ̃ₜ = √ᾱₜ₋₁·βₜ/(1 − ᾱₜ)·x₀ + √αₜ·(1 − ᾱₜ₋₁)/(1 − ᾱₜ)·xₜ, β̃ₜ = (1 − ᾱₜ₋₁)/(1 − ᾱₜ)·βₜ",
    symbols: &[X0, XT, ALPHA, BETA, ALPHA_BAR, T],
    source: "Ho, Jain & Abbeel 2020, §2, eqs. 6–7",
    item: item!(struct Bridge),
    chapter: "reverse-process",
    printed: None,
};

pub(crate) const FORMULA_REVERSE: Formula = Formula {
    id: "diffusion-reverse-kernel",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The learned step back",
    latex: r"p_\theta(x_{t-1} \mid x_t) = \mathcal N\bigl(x_{t-1};\; \mu_\theta(x_t, t),\; \Sigma_\theta(x_t, t)\bigr), \qquad \Sigma_\theta = \sigma_t^2 I",
    unicode: "p_θ(xₜ₋₁ | xₜ) = N(xₜ₋₁; μ_θ(xₜ, t), Σ_θ(xₜ, t)); Ho fixes Σ_θ = σₜ²·I",
    symbols: &[XT, SIGMA, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 1, and §3.2",
    item: item!(enum ReverseVariance),
    chapter: "reverse-process",
    printed: None,
};

pub(crate) const FORMULA_DDIM: Formula = Formula {
    id: "ddim-sampler",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Steps that leave steps out",
    latex: r"x_s = \sqrt{\bar\alpha_s}\, \hat x_0 + \sqrt{1 - \bar\alpha_s - \sigma^2}\, \frac{x_t - \sqrt{\bar\alpha_t}\, \hat x_0}{\sqrt{1 - \bar\alpha_t}} + \sigma z, \qquad
        \sigma^2 = \eta^2\, \frac{1 - \bar\alpha_s}{1 - \bar\alpha_t} \left( 1 - \frac{\bar\alpha_t}{\bar\alpha_s} \right)",
    unicode: "xₛ = √ᾱₛ·x̂₀ + √(1 − ᾱₛ − σ²)·(xₜ − √ᾱₜ·x̂₀)/√(1 − ᾱₜ) + σ·z; σ² = η²·(1 − ᾱₛ)/(1 − ᾱₜ)·(1 − ᾱₜ/ᾱₛ)",
    symbols: &[
        XT,
        DATA_HAT,
        ALPHA_BAR,
        Symbol {
            latex: r"\eta",
            code: "eta",
            meaning: "how much of the posterior's noise is drawn: 0 none, 1 all",
            shape: "[]",
            unit: "1",
        },
        SIGMA,
        Symbol {
            latex: "s",
            code: "s",
            meaning: "the step that is gone to, before t",
            shape: "[]",
            unit: "steps",
        },
    ],
    source: "Song, Meng & Ermon 2021, §4.1, eqs. 12 and 16",
    item: item!(struct Bridge),
    chapter: "diffusion-sampling",
    printed: None,
};

/// A step back: from xₜ, given the data or what is believed of it, to N(a·x₀ + b·xₜ, variance), each number on its own.
///
/// **Formula** `posterior-mean-var`: q(xₜ₋₁ | xₜ, x₀), by Bayes' rule; `ddim-sampler`: any step s before t, with a share η of the posterior's deviation. With the network's
/// x̂₀ in place of x₀ it is the learned step.
///
/// **Shapes**: numbers. **Units**: a and b have none, the variance the data's squared.
///
/// **Numerics**: all from ln ᾱ; at s = 0 the variance and b are 0, exactly.
///
/// **Errors**: s not before t, a step beyond T, η outside of 0..=1.
///
/// **Source**: Ho, Jain & Abbeel 2020, eqs. 6–7; Song, Meng & Ermon 2021, eqs. 12 and 16.
///
/// ```
/// use gradus_diffusion::Schedule;
/// let schedule = Schedule::given(&[0.3, 0.5])?; // ᾱ = 0.7, 0.35
/// let back = schedule.posterior(2)?;
/// assert!((back.data - 0.7f64.sqrt() * 0.5 / 0.65).abs() < 1e-15);
/// assert!((back.state - 0.5f64.sqrt() * 0.3 / 0.65).abs() < 1e-15);
/// assert!((back.variance - 0.3 / 0.65 * 0.5).abs() < 1e-15);
/// assert_eq!(schedule.posterior(1)?.variance, 0.0); // x₀ is known
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bridge {
    /// a: the weight of x₀.
    pub data: f64,
    /// b: the weight of xₜ.
    pub state: f64,
    /// The variance.
    pub variance: f64,
}

impl Bridge {
    /// a·x₀ + b·xₜ.
    #[must_use]
    pub fn mean(self, x0: f64, xt: f64) -> f64 {
        self.data * x0 + self.state * xt
    }
}

/// The variance σₜ² of the learned step back.
///
/// **Formula** `diffusion-reverse-kernel`: p_θ(xₜ₋₁ | xₜ) = N(μ_θ(xₜ, t), σₜ²·I).
///
/// **Shapes**: a number a step. **Units**: the data's squared.
///
/// **Numerics**: β̃₁ is 0, whose logarithm the bound can't use: its place takes β̃₂, as in the authors' code (β₁ if there is one step only).
///
/// **Errors**: steps beyond T. **Source**: Ho, Jain & Abbeel 2020, §3.2.
///
/// ```
/// use gradus_diffusion::{ReverseVariance, Schedule};
/// let schedule = Schedule::given(&[0.3, 0.5])?;
/// let of = |choice: ReverseVariance, t| schedule.reverse(t, choice).map(|step| step.variance);
/// assert_eq!((of(ReverseVariance::Step, 1)?, of(ReverseVariance::Step, 2)?), (0.3, 0.5));
/// assert_eq!(of(ReverseVariance::Posterior, 1)?, of(ReverseVariance::Posterior, 2)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum ReverseVariance {
    /// β̃ₜ: right where the data is one point. The smallest that can be right. For drawing it does not matter much; in the bound of data that is smooth it is too narrow at the first
    /// steps, and costs more than βₜ.
    #[default]
    Posterior,
    /// βₜ: right where the data is standard normal. The largest.
    Step,
}

impl Schedule {
    /// q(xₜ₋₁ | xₜ, x₀).
    ///
    /// # Errors
    /// If there is no such step.
    pub fn posterior(&self, t: usize) -> Result<Bridge> {
        self.beta(t)?;
        self.jump(t - 1, t, 1.0)
    }

    /// The learned step back from t, with this variance; x̂₀ takes the place of x₀.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn reverse(&self, t: usize, variance: ReverseVariance) -> Result<Bridge> {
        let posterior = self.posterior(t)?;
        let variance = match variance {
            ReverseVariance::Step => self.beta(t)?,
            ReverseVariance::Posterior if t > 1 => posterior.variance,
            ReverseVariance::Posterior if self.steps() > 1 => self.posterior(2)?.variance,
            ReverseVariance::Posterior => self.beta(1)?,
        };
        Ok(Bridge { variance, ..posterior })
    }

    /// From t to any earlier step s, with `eta` times the posterior's deviation.
    ///
    /// ```
    /// use gradus_diffusion::Schedule;
    /// let schedule = Schedule::given(&[0.3, 0.5])?;
    /// assert_eq!(schedule.jump(1, 2, 1.0)?, schedule.posterior(2)?);
    /// let straight = schedule.jump(0, 2, 0.0)?;
    /// assert_eq!((straight.data, straight.state, straight.variance), (1.0, 0.0, 0.0));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If s is not before t, t is beyond T, or η is outside of 0..=1.
    pub fn jump(&self, s: usize, t: usize, eta: f64) -> Result<Bridge> {
        if !(0.0..=1.0).contains(&eta) {
            return Err(Error::argument("Schedule::jump", "eta", eta, "0 to 1"));
        }
        if s >= t {
            return Err(Error::argument("Schedule::jump", "step", s, format!("before {t}")));
        }
        let steps = self.between(s, t)?;
        let ([signal, noise], [signal_t, noise_t]) = (self.scales(s)?, self.scales(t)?);
        // The posterior's variance, as a share of the noise at s.
        let share = steps.variance / noise_t.powi(2);
        // What is left for the direction of xₜ: (1 − ᾱₛ − σ²)/(1 − ᾱₛ). With η = 1 it is ᾱₜ/ᾱₛ·(1 − ᾱₛ)/(1 − ᾱₜ).
        let left =
            if eta == 1.0 { (steps.scale * noise / noise_t).powi(2) } else { 1.0 - eta.powi(2) * share };
        let state = noise / noise_t * left.sqrt();
        let data = if eta == 1.0 { signal * share } else { signal - state * signal_t };
        Ok(Bridge { data, state, variance: (eta * noise).powi(2) * share })
    }
}
