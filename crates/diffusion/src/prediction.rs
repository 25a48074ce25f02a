//! What a network says of its noisy input: the noise, the data, or the velocity. Each can be had from each.

use crate::symbols::{ALPHA, ALPHA_BAR, BETA, EPS, EPS_THETA, X0, XT};
use crate::{Mix, Schedule};
use gradus_autograd::{Op, Var};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Tensor};

pub(crate) const FORMULA_V: Formula = Formula {
    id: "v-prediction",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The velocity",
    latex: r"v = \sqrt{\bar\alpha_t}\, \epsilon - \sqrt{1 - \bar\alpha_t}\, x_0, \qquad
        x_0 = \sqrt{\bar\alpha_t}\, x_t - \sqrt{1 - \bar\alpha_t}\, v, \qquad
        \epsilon = \sqrt{1 - \bar\alpha_t}\, x_t + \sqrt{\bar\alpha_t}\, v",
    unicode: "v = √ᾱₜ·ε − √(1 − ᾱₜ)·x₀; x₀ = √ᾱₜ·xₜ − √(1 − ᾱₜ)·v; ε = √(1 − ᾱₜ)·xₜ + √ᾱₜ·v",
    symbols: &[
        Symbol {
            latex: "v",
            code: "velocity",
            meaning: "how xₜ changes with the angle whose cosine is √ᾱₜ",
            shape: "[N, …]",
            unit: "that of the data",
        },
        X0,
        XT,
        ALPHA_BAR,
        EPS,
    ],
    source: "Salimans & Ho 2022, §4 and appendix D",
    item: item!(enum Prediction),
    chapter: "diffusion-training",
    printed: None,
};

pub(crate) const FORMULA_MEAN: Formula = Formula {
    id: "eps-mean",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The mean of the step back, by the noise",
    latex: r"\mu_\theta(x_t, t) = \frac{1}{\sqrt{\alpha_t}} \left( x_t - \frac{\beta_t}{\sqrt{1 - \bar\alpha_t}}\, \epsilon_\theta(x_t, t) \right)",
    unicode: "μ_θ(xₜ, t) = (xₜ − βₜ/√(1 − ᾱₜ)·ε_θ(xₜ, t)) / √αₜ",
    symbols: &[XT, ALPHA, BETA, ALPHA_BAR, EPS_THETA],
    source: "Ho, Jain & Abbeel 2020, §3.2, eq. 11",
    item: item!(fn mean_by_noise),
    chapter: "reverse-process",
    printed: None,
};

/// What a network says of xₜ.
///
/// **Formula** `v-prediction`: v = √ᾱₜ·ε − √(1 − ᾱₜ)·x₀. With xₜ = √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε, any two of xₜ, x₀, ε, v give the others: xₜ and v are x₀ and ε turned by an
/// angle.
///
/// **Shapes**: those of the data. **Units**: noise has none, the data and the velocity those of the data.
///
/// **Gradient**: linear in the output: [`weights`](Self::weights) are the two factors.
///
/// **Numerics**: from noise to data one divides by √ᾱₜ, which multiplies an error of the network by 157 at the end of Ho's schedule; from data to noise by √(1 − ᾱₜ), which
/// is 0 at t = 0. The velocity divides by nothing.
///
/// **Errors**: a step beyond T; noise from data at t = 0, where there is none.
///
/// **Source**: Salimans & Ho 2022, §4; Ho, Jain & Abbeel 2020, §3.2 (noise).
///
/// ```
/// use gradus_diffusion::{Prediction, Schedule};
/// let schedule = Schedule::given(&[0.36])?; // √ᾱ₁ = 0.8, √(1 − ᾱ₁) = 0.6
/// let (x0, noise) = (10.0, -1.0);
/// let xt = 0.8 * x0 + 0.6 * noise;
/// let [a, b] = Prediction::Noise.weights(Prediction::Data, &schedule, 1)?;
/// assert!((a * xt + b * noise - x0).abs() < 1e-14); // (7.4 + 0.6)/0.8
/// let [a, b] = Prediction::Noise.weights(Prediction::Velocity, &schedule, 1)?;
/// assert!((a * xt + b * noise - (0.8 * noise - 0.6 * x0)).abs() < 1e-14);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Prediction {
    /// ε, the noise in it: Ho's choice.
    #[default]
    Noise,
    /// x₀, the data behind it.
    Data,
    /// v, in which neither is small at either end.
    Velocity,
}

impl Prediction {
    /// [a, b] such that a·xₜ + b·(this prediction) is the other one.
    ///
    /// # Errors
    /// If there is no such step, or noise is asked of the data at t = 0.
    pub fn weights(self, other: Self, schedule: &Schedule, t: usize) -> Result<[f64; 2]> {
        let [signal, noise] = schedule.scales(t)?;
        if self == Self::Data && other != Self::Data && t == 0 {
            let allowed =
                format!("1 to {}: at 0 there is no noise to be told from the data", schedule.steps());
            return Err(Error::argument("prediction", "step", t, allowed));
        }
        Ok(match (self, other) {
            (Self::Noise, Self::Data) => [1.0 / signal, -noise / signal],
            (Self::Velocity, Self::Data) => [signal, -noise],
            (Self::Data, Self::Noise) => [1.0 / noise, -signal / noise],
            (Self::Velocity, Self::Noise) => [noise, signal],
            (Self::Noise, Self::Velocity) => [-noise / signal, 1.0 / signal],
            (Self::Data, Self::Velocity) => [signal / noise, -1.0 / noise],
            _ => [0.0, 1.0],
        })
    }

    /// The same, of tensors, each sample at its own step.
    ///
    /// # Errors
    /// As [`weights`](Self::weights); if the shapes differ, or there are not as many steps as samples.
    pub fn convert<T: Scalar>(
        self,
        other: Self,
        schedule: &Schedule,
        (x, t): (&Tensor<T>, &[usize]),
        output: &Tensor<T>,
    ) -> Result<Tensor<T>> {
        self.conversion(other, schedule, t)?.eval([x, output])
    }

    /// The same, of variables.
    ///
    /// # Errors
    /// As [`convert`](Self::convert).
    pub fn convert_var<T: Scalar>(
        self,
        other: Self,
        schedule: &Schedule,
        (x, t): (&Var<T>, &[usize]),
        output: &Var<T>,
    ) -> Result<Var<T>> {
        Var::apply(self.conversion(other, schedule, t)?, [x, output])
    }

    fn conversion(self, other: Self, schedule: &Schedule, t: &[usize]) -> Result<Mix> {
        schedule.mix(t, |t| self.weights(other, schedule, t))
    }

    /// [a, b] such that a·x₀ + b·ε is what the network should say.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn target(self, schedule: &Schedule, t: usize) -> Result<[f64; 2]> {
        let [signal, noise] = schedule.scales(t)?;
        Ok(match self {
            Self::Noise => [0.0, 1.0],
            Self::Data => [1.0, 0.0],
            Self::Velocity => [-noise, signal],
        })
    }
}

/// The mean of the step back from xₜ, where the network has said the noise.
///
/// **Formula** `eps-mean`: (xₜ − β/√(1 − ᾱ)·ε)/√(1 − β): the posterior's mean with x₀ = (xₜ − √(1 − ᾱ)·ε)/√ᾱ put in.
///
/// **Shapes**: numbers. **Units**: those of the data.
///
/// **Gradient**: −β/√((1 − β)(1 − ᾱ)) in ε.
///
/// **Numerics**: from ln ᾱ, as everywhere. **Errors**: none. **Source**: Ho, Jain & Abbeel 2020, §3.2, eq. 11.
///
/// ```
/// use gradus_diffusion::mean_by_noise;
/// // The first step: x₁ = 0.8·10 − 0.6, and the mean back is x₀ itself.
/// assert!((mean_by_noise(7.4, -1.0, 0.36, 0.64f64.ln()) - 10.0).abs() < 1e-14);
/// ```
#[inline(always)]
pub fn mean_by_noise<T: Scalar>(x: T, noise: T, beta: T, log_alpha_bar: T) -> T {
    (x - beta / (-log_alpha_bar.exp_m1()).sqrt() * noise) / (T::ONE - beta).sqrt()
}
