//! The variational bound, term by term.

use crate::denoiser::labels_of;
use crate::symbols::{T, X0, XT};
use crate::transition::log_normal;
use crate::{Denoiser, Diffusion, Prediction, ReverseVariance, gaussian_kl};
use gradus_autograd::{Mode, Var, no_grad};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_initialization::Stream;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use std::f64::consts::{FRAC_1_SQRT_2, LN_2};

const L: Symbol = Symbol {
    latex: "L_T, L_{t-1}, L_0",
    code: "prior, steps, decoder",
    meaning: "the terms: how far the last distribution is from the prior, how far each step back is from the true one, what the last step costs",
    shape: "[T + 1]",
    unit: "nats",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "vlb",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "The variational bound",
    latex: r"L_{\mathrm{VLB}} = \mathbb E_q \Bigl[ \underbrace{D_{\mathrm{KL}}(q(x_T \mid x_0) \,\|\, p(x_T))}_{L_T}
        + \sum_{t=2}^{T} \underbrace{D_{\mathrm{KL}}(q(x_{t-1} \mid x_t, x_0) \,\|\, p_\theta(x_{t-1} \mid x_t))}_{L_{t-1}}
        \underbrace{{} - \log p_\theta(x_0 \mid x_1)}_{L_0} \Bigr]",
    unicode: "L = E_q[D(q(x_T|x₀) ‖ p(x_T)) + Σₜ₌₂ᵀ D(q(xₜ₋₁|xₜ, x₀) ‖ p_θ(xₜ₋₁|xₜ)) − ln p_θ(x₀|x₁)]",
    symbols: &[L, X0, XT, T],
    source: "Sohl-Dickstein et al. 2015, §2.4; Ho, Jain & Abbeel 2020, §2, eq. 5",
    item: item!(struct Bound),
    chapter: "bound",
    printed: Some(Printed {
        latex: r"\mathbb E_q \left[ D_{KL}(q(x_T|x_0) \,\|\, p_\theta(x_T)) \right]_{L_T} + \sum_{t=2}^T \underbrace{D_{KL}(q(x_{t-1}|x_t, x_0) \,\|\, p_\theta(x_{t-1}|x_t))}_{L_{t-1}} - \log p_\theta(x_0|x_1)",
        reason: "the expectation covers all terms: outside of it they still depend on the xₜ that was drawn, and two evaluations differ. The prior p(x_T) has no parameters",
        counterexample: "one step of β = 0.5 from x₀ = 1, back by N(x₁, 1): −ln p(x₀|x₁) is 0.96 at x₁ = 0.71 and 0.92 at x₁ = 1; its mean over x₁ is 1.21",
    }),
};

pub(crate) const FORMULA_NLL: Formula = Formula {
    id: "diffusion-nll",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "Optimize the negative log-likelihood",
    latex: r"\mathbb E\bigl[ -\ln p_\theta(x_0) \bigr] \le L_{\mathrm{VLB}}",
    unicode: "E[−ln p_θ(x₀)] ≤ L_VLB",
    symbols: &[X0, L],
    source: "Sohl-Dickstein et al. 2015, §2.4",
    item: item!(struct Bound),
    chapter: "bound",
    printed: Some(Printed {
        latex: r"\text{Optimize negative log-likelihood of training data}",
        reason: "an upper bound of it is what is optimised; the likelihood itself would be an integral over all paths",
        counterexample: "standard normal data, one step of β = 0.5, back by N(0, 1): the likelihood costs 1.419 nats, the bound says 1.766",
    }),
};

/// The variational bound on −ln p(x₀), term by term: means over the data, in nats a sample.
///
/// **Formula** `vlb`: L_T + Σₜ₌₂ᵀ Lₜ₋₁ + L₀; `diffusion-nll`: what the data costs is no more than that.
///
/// **Shapes**: T + 1 numbers. **Units**: nats; [`bits_per_dimension`](Self::bits_per_dimension) for data of D numbers.
///
/// **Gradient**: that of the part which can be learned is the loss with [`Weighting::Bound`](crate::Weighting::Bound). L_T has none: the prior has no parameters.
///
/// **Numerics**: divergences of Gaussians in closed form; only xₜ is drawn, once for each sample and step.
///
/// **Errors**: [`Diffusion::bound`]'s. **Source**: Ho, Jain & Abbeel 2020, §2, eq. 5, and §3.3 (decoder).
///
/// ```
/// use gradus_diffusion::{LinearReverse, Schedule};
/// // Standard normal data: the bound of the exact reverse process is the entropy, ½ ln 2πe.
/// let schedule = Schedule::given(&[0.3, 0.5])?;
/// let bound = LinearReverse::exact(&schedule, [0.0, 1.0])?.bound(&schedule, [0.0, 1.0])?;
/// let entropy = 0.5 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
/// assert!((bound.nats() - entropy).abs() < 1e-15 && bound.prior > 0.0);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Bound {
    /// L_T: how far q(x_T | x₀) is from the prior N(0, I).
    pub prior: f64,
    /// L₁, …, L_{T−1}: how far p(xₜ₋₁ | xₜ) is from q(xₜ₋₁ | xₜ, x₀), for t = 2 to T.
    pub steps: Vec<f64>,
    /// L₀: −ln p(x₀ | x₁).
    pub decoder: f64,
    /// D, the numbers of a sample.
    pub dimensions: usize,
}

impl Bound {
    /// The sum of all terms, in nats a sample.
    #[must_use]
    pub fn nats(&self) -> f64 {
        self.prior + self.steps.iter().sum::<f64>() + self.decoder
    }

    /// The sum in bits a number of the data: the nats divided by D·ln 2. Comparable between models where the decoder counts levels ([`Decoder::Discretised`]).
    #[must_use]
    pub fn bits_per_dimension(&self) -> f64 {
        self.nats() / (self.dimensions as f64 * LN_2)
    }
}

/// What p(x₀ | x₁) is a distribution of.
///
/// **Formula** `vlb`, its last term: −ln of a Gaussian's density, or of its mass within half a level on each side. **Units**: nats. **Source**: Ho, Jain & Abbeel 2020, §3.3, eq. 13.
///
/// **Numerics**: the mass is a difference on the side of the tail; where it underflows, the tail's own form. NaN stays NaN. **Errors**: none; fewer than two levels are two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decoder {
    /// Of real numbers: a Gaussian's density.
    Continuous,
    /// Of so many levels, evenly spaced from −1 to 1: the Gaussian's mass around each, with all beyond the ends in the end ones. 256 for images of bytes.
    Discretised(u32),
}

impl Decoder {
    /// −ln p of a number that was `x0`, under N(mean, variance), in nats.
    ///
    /// ```
    /// use gradus_diffusion::Decoder;
    /// // Two levels, −1 and 1, share the line at 0.
    /// assert_eq!(Decoder::Discretised(2).cost(1.0, 0.0, 0.7), 2f64.ln());
    /// let total: f64 = (0..=4).map(|i| (-Decoder::Discretised(5).cost(f64::from(i) / 2.0 - 1.0, 0.3, 0.04)).exp()).sum();
    /// assert!((total - 1.0).abs() < 1e-15);
    /// ```
    #[must_use]
    pub fn cost(self, x0: f64, mean: f64, variance: f64) -> f64 {
        let levels = match self {
            Self::Continuous => return -log_normal(x0, mean, variance),
            Self::Discretised(levels) => levels,
        };
        let half = 1.0 / f64::from(levels.max(2) - 1);
        let deviation = variance.sqrt();
        // The interval's ends in deviations, turned to the side of the tail, where the difference keeps its digits.
        let low = if x0 - half <= -1.0 { f64::NEG_INFINITY } else { (x0 - half - mean) / deviation };
        let high = if x0 + half >= 1.0 { f64::INFINITY } else { (x0 + half - mean) / deviation };
        let [near, far] = if low + high > 0.0 { [low, high] } else { [-high, -low] };
        let beyond = |z: f64| 0.5 * gradus_tensor::math::erfc(z * FRAC_1_SQRT_2);
        let mass = beyond(near) - beyond(far);
        if mass > 1e-290 || mass.is_nan() {
            return -mass.ln();
        }
        // So far out that the mass underflows: the tail is about e^(−z²/2)/(z·√2π).
        0.5 * near.powi(2) + near.ln() + 0.5 * std::f64::consts::TAU.ln()
    }
}

impl Diffusion {
    /// The variational bound of data, as a mean over the samples. One xₜ is drawn for each sample and step; what is drawn follows from `seed`. A network is asked
    /// T times; `seen` is told after which step it has been.
    ///
    /// # Errors
    /// If the network fails, there are no samples, or the labels do not fit.
    pub fn bound<S: Scalar>(
        &self,
        net: &(impl Denoiser<S> + ?Sized),
        (x0, labels): (&Tensor<S>, Option<&[u32]>),
        (decoder, variance): (Decoder, ReverseVariance),
        seed: u64,
        mut seen: impl FnMut(usize),
    ) -> Result<Bound> {
        let samples = x0.shape().size(0)?;
        if x0.is_empty() {
            return Err(Error::shape("bound", "at least one number", x0.shape()));
        }
        let labels = labels_of("bound", samples, net.classes(), labels)?;
        let (schedule, dimensions) = (&self.schedule, x0.len() / samples);
        let last = schedule.between(0, schedule.steps())?;
        let prior = |x: S| gaussian_kl([last.scale * x.as_f64(), last.variance], [0.0, 1.0]);
        let prior = x0.as_slice().iter().map(|&x| prior(x)).sum::<f64>() / samples as f64;
        let mut terms = Vec::new();
        for t in 1..=schedule.steps() {
            let steps = vec![t; samples];
            let noise = Stream::new(seed).substream(t as u64).normal(x0.shape())?;
            let xt = schedule.diffuse(x0, &steps, &noise)?;
            let said = no_grad(|| {
                let xt = Var::constant(xt.clone());
                net.denoise(&xt, &steps, labels.as_deref(), &mut Mode::Eval)
            })?;
            let data = self.prediction.convert(Prediction::Data, schedule, (&xt, &steps), &said.value())?;
            let back = schedule.reverse(t, variance)?;
            let posterior = schedule.posterior(t)?;
            let pairs = x0.as_slice().iter().zip(data.as_slice()).zip(xt.as_slice());
            let term: f64 = pairs
                .map(|((&x0, &data), &xt)| {
                    let [x0, data, xt] = [x0, data, xt].map(Scalar::as_f64);
                    match t {
                        1 => decoder.cost(x0, back.mean(data, xt), back.variance),
                        // The two means share the part that comes from xₜ.
                        _ => gaussian_kl(
                            [posterior.data * x0, posterior.variance],
                            [back.data * data, back.variance],
                        ),
                    }
                })
                .sum();
            terms.push(term / samples as f64);
            seen(t);
        }
        let decoder = terms.remove(0);
        Ok(Bound { prior, steps: terms, decoder, dimensions })
    }
}
