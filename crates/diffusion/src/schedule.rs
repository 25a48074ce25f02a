//! How much noise each step adds: βₜ, αₜ and ᾱₜ, kept as logarithms.

use crate::symbols::{ALPHA, ALPHA_BAR, BETA, T};
use gradus_formula::{Formula, Kind, Printed, Verdict, item};
use gradus_tensor::{Error, Result};

pub(crate) const FORMULA_ALPHA: Formula = Formula {
    id: "diffusion-alpha",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "What a step leaves",
    latex: r"\alpha_t = 1 - \beta_t, \qquad 0 < \beta_t < 1, \qquad t = 1, \dots, T",
    unicode: "αₜ = 1 − βₜ, 0 < βₜ < 1, t = 1 … T",
    symbols: &[ALPHA, BETA, T],
    source: "Ho, Jain & Abbeel 2020, §2, above eq. 4",
    item: item!(struct Schedule),
    chapter: "adding-noise",
    printed: None,
};

pub(crate) const FORMULA: Formula = Formula {
    id: "diffusion-alpha-bar",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "What is left after t steps",
    latex: r"\bar\alpha_t = \prod_{s=1}^{t} \alpha_s = \exp \sum_{s=1}^{t} \ln(1 - \beta_s), \qquad \bar\alpha_0 = 1",
    unicode: "ᾱₜ = ∏ₛ₌₁ᵗ αₛ = exp Σₛ₌₁ᵗ ln(1 − βₛ), ᾱ₀ = 1",
    symbols: &[ALPHA_BAR, ALPHA, BETA, T],
    source: "Ho, Jain & Abbeel 2020, §2, eq. 4",
    item: item!(fn log_alpha_bars),
    chapter: "closed-form",
    printed: Some(Printed {
        latex: r"\bar\alpha_t = \prod_{s=0}^{t} \alpha_s",
        reason: "there is no step 0: with arrays that begin at 0 the product is that of the step after, and at t = 0 there is noise already",
        counterexample: "β = (0.3, 0.5): ᾱ₀ = 1 and ᾱ₁ = 0.7; the printed product over an array gives 0.7 and 0.35",
    }),
};

/// ln ᾱ₀ = 0, ln ᾱ₁, …, ln ᾱ_T of β₁, …, β_T.
///
/// **Formula** `diffusion-alpha-bar`: ln ᾱₜ = Σₛ₌₁ᵗ ln(1 − βₛ), the empty sum for t = 0.
///
/// **Shapes**: T numbers in, T + 1 out. **Units**: β is a variance over that of the data, 1; the result in nats.
///
/// **Numerics**: the sum of `ln_1p(−β)` in `f64` errs by 10⁻¹⁴; a product in `f32` errs by 10⁻⁶, and 1 − ᾱ₁ from it by 10⁻⁴ of itself.
/// 1 − ᾱₜ is `−exp_m1` of the logarithm, never a difference.
///
/// **Errors**: a β that is not between 0 and 1. **Source**: Ho, Jain & Abbeel 2020, §2, eq. 4.
///
/// ```
/// use gradus_diffusion::log_alpha_bars;
/// let logs = log_alpha_bars(&[0.3, 0.5])?;
/// assert_eq!(logs[0], 0.0); // nothing has been added yet
/// assert!((logs[1].exp() - 0.7).abs() < 1e-15 && (logs[2].exp() - 0.35).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn log_alpha_bars(betas: &[f64]) -> Result<Vec<f64>> {
    if let Some(i) = betas.iter().position(|&beta| !(beta > 0.0 && beta < 1.0)) {
        let allowed = format!("strictly between 0 and 1, at step {}", i + 1);
        return Err(Error::argument(OP, "beta", betas[i], allowed));
    }
    Ok(running_sums(betas))
}

fn running_sums(betas: &[f64]) -> Vec<f64> {
    let mut sum = 0.0;
    let sums = betas.iter().map(|beta| {
        sum += (-beta).ln_1p();
        sum
    });
    std::iter::once(0.0).chain(sums).collect()
}

const OP: &str = "schedule";

/// A schedule: T steps, and how much noise each adds.
///
/// **Formula** `diffusion-alpha`: αₜ = 1 − βₜ; `diffusion-alpha-bar`: ᾱₜ = ∏ₛ₌₁ᵗ αₛ, ᾱ₀ = 1. Steps are numbered 1 to T everywhere; step 0 is the data.
///
/// **Shapes**: numbers. **Units**: β, α, ᾱ are variances over that of the data: 1; logarithms in nats.
///
/// **Numerics**: ln ᾱₜ is what is kept, in `f64`; see [`log_alpha_bars`].
///
/// **Errors**: no steps, a β outside of (0, 1), a step greater than T.
///
/// **Source**: Ho, Jain & Abbeel 2020, §2 and §4 (linear); Nichol & Dhariwal 2021, §3.2 (cosine); Jabri, Fleet & Chen 2022, alg. 1 (sigmoid).
///
/// ```
/// use gradus_diffusion::Schedule;
/// let schedule = Schedule::given(&[0.3, 0.5])?;
/// assert_eq!((schedule.steps(), schedule.alpha_bar(0)?), (2, 1.0));
/// assert!((schedule.alpha_bar(2)? - 0.7 * 0.5).abs() < 1e-15);
/// // Of a picture's variance, Ho's thousand steps leave 4 in 100,000.
/// assert!((Schedule::ho2020().alpha_bar(1000)? - 4.0358e-5).abs() < 1e-9);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    betas: Vec<f64>,
    logs: Vec<f64>,
}

impl Schedule {
    /// These β₁, …, β_T.
    ///
    /// # Errors
    /// If there is none, or one is not between 0 and 1.
    pub fn given(betas: &[f64]) -> Result<Self> {
        if betas.is_empty() {
            return Err(Error::argument(OP, "steps", 0, "at least 1"));
        }
        Ok(Self { betas: betas.to_vec(), logs: log_alpha_bars(betas)? })
    }

    /// β rises in equal parts from `first` to `last`.
    ///
    /// With fewer steps and the same ends, more of the data is left in the end: 78 % of the deviation after 50 steps of Ho's ends.
    ///
    /// # Errors
    /// If there are no steps, or an end is not between 0 and 1.
    pub fn linear(steps: usize, first: f64, last: f64) -> Result<Self> {
        let parts = steps.saturating_sub(1).max(1) as f64;
        let betas: Vec<f64> = (0..steps).map(|i| first + (last - first) * (i as f64 / parts)).collect();
        Self::given(&betas)
    }

    /// Ho's: 1000 steps, β from 10⁻⁴ to 0.02.
    #[must_use]
    pub fn ho2020() -> Self {
        let beta = |i: u32| 1e-4 + (0.02 - 1e-4) * (f64::from(i) / 999.0);
        let betas: Vec<f64> = (0..1000).map(beta).collect();
        Self { logs: running_sums(&betas), betas }
    }

    /// ᾱ falls as a squared cosine: ᾱₜ = f(t)/f(0), f(t) = cos²(π/2·(t/T + s)/(1 + s)), s = 0.008; β at most 0.999.
    ///
    /// In the end next to nothing is left of the data (√ᾱ_T is 0.0005 for a hundred steps), so that a sampler of few steps should not divide by it: let the network predict the
    /// velocity or the data.
    ///
    /// # Errors
    /// If there are no steps.
    pub fn cosine(steps: usize) -> Result<Self> {
        const S: f64 = 0.008;
        let angle = |t: usize| std::f64::consts::FRAC_PI_2 * (t as f64 / steps as f64 + S) / (1.0 + S);
        // 1 − cos²b/cos²a as a product: a difference would lose the first steps' digits.
        let beta = |t: usize| {
            let (a, b) = (angle(t - 1), angle(t));
            ((b - a).sin() * (a + b).sin() / a.cos().powi(2)).min(MOST)
        };
        Self::given(&(1..=steps).map(beta).collect::<Vec<_>>())
    }

    /// ᾱ falls as a sigmoid: ᾱₜ = (g(1) − g(t/T))/(g(1) − g(0)), g(u) = σ((start + u·(end − start))/τ); β at most 0.999. The paper's values are −3, 3, 1.
    ///
    /// # Errors
    /// If there are no steps, `end` is not above `start`, or τ is not above 0.
    pub fn sigmoid(steps: usize, start: f64, end: f64, tau: f64) -> Result<Self> {
        if !(end > start && (end - start).is_finite()) {
            return Err(Error::argument(OP, "end", end, format!("a number above the start, {start}")));
        }
        if !(tau > 0.0 && tau.is_finite()) {
            return Err(Error::argument(OP, "tau", tau, "above 0"));
        }
        let g = |u: f64| 1.0 / (1.0 + (-(start + u * (end - start)) / tau).exp());
        let left = |t: usize| g(1.0) - g(t as f64 / steps as f64);
        let beta = |t: usize| (1.0 - left(t) / left(t - 1)).min(MOST);
        Self::given(&(1..=steps).map(beta).collect::<Vec<_>>())
    }

    /// T.
    #[must_use]
    pub fn steps(&self) -> usize {
        self.betas.len()
    }

    /// β₁, …, β_T.
    #[must_use]
    pub fn betas(&self) -> &[f64] {
        &self.betas
    }

    /// βₜ, for t from 1 to T.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn beta(&self, t: usize) -> Result<f64> {
        let beta = t.checked_sub(1).and_then(|i| self.betas.get(i));
        beta.copied().ok_or_else(|| self.no_step(t, 1))
    }

    /// αₜ = 1 − βₜ, for t from 1 to T.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn alpha(&self, t: usize) -> Result<f64> {
        Ok(1.0 - self.beta(t)?)
    }

    /// ln ᾱₜ, for t from 0 to T.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn log_alpha_bar(&self, t: usize) -> Result<f64> {
        self.logs.get(t).copied().ok_or_else(|| self.no_step(t, 0))
    }

    /// ᾱₜ, for t from 0 to T.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn alpha_bar(&self, t: usize) -> Result<f64> {
        Ok(self.log_alpha_bar(t)?.exp())
    }

    /// [√ᾱₜ, √(1 − ᾱₜ)]: what is left of the data, and how much noise there is.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn scales(&self, t: usize) -> Result<[f64; 2]> {
        let log = self.log_alpha_bar(t)?;
        // 0 − …, for the root of −0 is −0.
        Ok([(0.5 * log).exp(), (0.0 - log.exp_m1()).sqrt()])
    }

    /// The signal-to-noise ratio ᾱₜ/(1 − ᾱₜ), by its logarithm: ∞ at t = 0, falling with every step.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn log_snr(&self, t: usize) -> Result<f64> {
        let log = self.log_alpha_bar(t)?;
        Ok(log - (-log.exp_m1()).ln())
    }

    /// `count` of the steps, from T down to 1 in nearly equal parts: what a sampler that leaves steps out goes through. The last of them leads to 0, the data.
    ///
    /// ```
    /// use gradus_diffusion::Schedule;
    /// assert_eq!(Schedule::ho2020().spaced(5)?, [1000, 800, 600, 400, 200]);
    /// assert!(Schedule::ho2020().spaced(1001).is_err());
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are not so many, or none is asked for.
    pub fn spaced(&self, count: usize) -> Result<Vec<usize>> {
        let steps = self.steps();
        if count == 0 || count > steps {
            return Err(Error::argument(OP, "steps of the sampler", count, format!("1 to {steps}")));
        }
        // "Trailing": the first is T itself, so that what is begun with is what the network saw there.
        Ok((0..count).map(|i| ((count - i) * steps).div_ceil(count)).collect())
    }

    fn no_step(&self, t: usize, first: usize) -> Error {
        Error::argument(OP, "step", t, format!("{first} to {}", self.steps()))
    }
}

/// The largest β of the schedules that are made of ᾱ.
const MOST: f64 = 0.999;
