//! Training: the simple loss, the weights that make the bound of it, and the draws of a step.

use crate::denoiser::labels_of;
use crate::symbols::{ALPHA, ALPHA_BAR, BETA, EPS, EPS_THETA, SIGMA, T, X0, XT};
use crate::{Denoiser, Prediction, ReverseVariance, Schedule};
use gradus_autograd::{Mode, Op, Var};
use gradus_formula::{Formula, Kind, Verdict, item};
use gradus_initialization::Stream;
use gradus_tensor::kernel::{row, vectorize};
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::RngExt;

pub(crate) const FORMULA: Formula = Formula {
    id: "l-simple",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The simple loss",
    latex: r"L_{\mathrm{simple}} = \mathbb E_{t, x_0, \epsilon} \bigl\lVert \epsilon - \epsilon_\theta\bigl(\sqrt{\bar\alpha_t}\, x_0 + \sqrt{1 - \bar\alpha_t}\, \epsilon,\; t\bigr) \bigr\rVert^2",
    unicode: "L_simple = E ‖ε − ε_θ(√ᾱₜ·x₀ + √(1 − ᾱₜ)·ε, t)‖², over t uniform on 1 … T, x₀, ε",
    symbols: &[EPS, EPS_THETA, X0, ALPHA_BAR, T],
    source: "Ho, Jain & Abbeel 2020, §3.4, eq. 14",
    item: item!(struct SquaredError),
    chapter: "diffusion-training",
    printed: None,
};

pub(crate) const FORMULA_WEIGHT: Formula = Formula {
    id: "vlb-weight",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The weight that the bound gives a step",
    latex: r"L_{t-1} - C = \mathbb E_{x_0, \epsilon} \left[ \frac{\beta_t^2}{2 \sigma_t^2 \alpha_t (1 - \bar\alpha_t)} \lVert \epsilon - \epsilon_\theta(x_t, t) \rVert^2 \right]",
    unicode: "Lₜ₋₁ − C = E[βₜ²/(2σₜ²αₜ(1 − ᾱₜ))·‖ε − ε_θ(xₜ, t)‖²]",
    symbols: &[BETA, SIGMA, ALPHA, ALPHA_BAR, EPS, EPS_THETA, XT],
    source: "Ho, Jain & Abbeel 2020, §3.2, eq. 12",
    item: item!(fn vlb_weight),
    chapter: "bound",
    printed: None,
};

/// The weight of step t's squared error of the noise in the bound.
///
/// **Formula** `vlb-weight`: β²/(2σ²α(1 − ᾱ)), α = 1 − β.
///
/// **Shapes**: numbers. **Units**: nats.
///
/// **Gradient**: none is taken of it.
///
/// **Numerics**: from ln ᾱ. It is largest at the first steps: 54 times the mean over all of them at t = 2 of Ho's schedule, with σ² = β̃. [`SquaredError`] with all weights 1 looks away from them.
///
/// **Errors**: none; ∞ for σ² = 0. **Source**: Ho, Jain & Abbeel 2020, §3.2, eq. 12.
///
/// ```
/// use gradus_diffusion::vlb_weight;
/// let (beta, alpha_bar, variance) = (0.5, 0.35f64, 0.25);
/// assert!((vlb_weight(beta, alpha_bar.ln(), variance) - 0.25 / (2.0 * 0.25 * 0.5 * 0.65)).abs() < 1e-14);
/// ```
#[must_use]
pub fn vlb_weight(beta: f64, log_alpha_bar: f64, variance: f64) -> f64 {
    beta.powi(2) / (2.0 * variance * (1.0 - beta) * -log_alpha_bar.exp_m1())
}

/// The mean of wₙ·(pₙ − yₙ)² over all numbers of all samples, as an operation on `[prediction, target]`.
///
/// **Formula** `l-simple`: E‖ε − ε_θ‖², here divided by the numbers of a sample too, so that a network that says 0 has a loss of 1 whatever the size of the data.
///
/// **Shapes**: both `[N, …]`, alike; N weights, or none for 1 everywhere; the result has no dimensions. **Units**: those of the target, squared.
///
/// **Gradient**: 2wₙ(p − y)/(elements) in the prediction, its negative in the target.
///
/// **Numerics**: one pass; sums by parts, in a fixed order.
///
/// **Errors**: shapes that differ, no elements, another number of weights than of samples. **Source**: Ho, Jain & Abbeel 2020, §3.4, eq. 14.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_diffusion::SquaredError;
/// use gradus_tensor::Tensor;
/// let (said, noise) = (Tensor::from([[1.0f64, 2.0], [0.0, 0.0]]), Tensor::from([[0.0, 0.0], [0.0, 2.0]]));
/// assert_eq!(SquaredError::default().eval([&said, &noise])?.item()?, 2.25); // (1 + 4 + 4)/4
/// let weighted = SquaredError { weights: Some(vec![2.0, 0.5]) };
/// assert_eq!(weighted.eval([&said, &noise])?.item()?, 3.0); // (2·5 + ½·4)/4
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SquaredError {
    /// w, one a sample.
    pub weights: Option<Vec<f64>>,
}

impl SquaredError {
    fn weight(&self, sample: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[sample])
    }

    /// The samples, and the numbers of each.
    fn check<T: Scalar>(&self, said: &Tensor<T>, target: &Tensor<T>) -> Result<[usize; 2]> {
        const OP: &str = "squared_error";
        if said.shape() != target.shape() {
            return Err(Error::mismatch(OP, said.shape(), target.shape(), "two tensors of one shape"));
        }
        let &[samples, ..] = said.dims() else {
            return Err(Error::shape(OP, "[N, …]", said.shape()));
        };
        if said.is_empty() {
            return Err(Error::shape(OP, "at least one element", said.shape()));
        }
        if let Some(weights) = self.weights.as_ref().filter(|weights| weights.len() != samples) {
            return Err(Error::argument(OP, "weights", weights.len(), format!("one a sample, {samples}")));
        }
        Ok([samples, said.len() / samples])
    }
}

impl<T: Scalar> Op<T, 2> for SquaredError {
    /// Nothing: the gradient needs the inputs only.
    type Saved = ();

    fn forward(&self, [said, target]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        let [samples, size] = self.check(said, target)?;
        let rows = said.as_slice().chunks_exact(size).zip(target.as_slice().chunks_exact(size));
        let sums = rows.map(|(said, target)| {
            vectorize(
                #[inline(always)]
                || {
                    row::sum_by_two(
                        said,
                        target,
                        #[inline(always)]
                        |p, y| (p - y) * (p - y),
                    )
                },
            )
        });
        let total: f64 = sums.enumerate().map(|(n, sum)| self.weight(n) * sum.as_f64()).sum();
        Ok((Tensor::scalar(T::of(total / (samples * size) as f64)), ()))
    }

    fn vjp(
        &self,
        [said, target]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_said, wants_target]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let [samples, size] = self.check(said, target)?;
        let scale = 2.0 * dy.item()?.as_f64() / (samples * size) as f64;
        // w·(p − y), and the sign that is wanted.
        let gradient = |sign: f64| {
            let weights = |n| [sign * scale * self.weight(n), -sign * scale * self.weight(n)];
            crate::Mix::new((0..samples).map(weights).collect::<Vec<_>>()).eval([said, target])
        };
        Ok([
            if wants_said { Some(gradient(1.0)?) } else { None },
            if wants_target { Some(gradient(-1.0)?) } else { None },
        ])
    }
}

/// How much each step counts in the loss.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Weighting {
    /// All alike, in what the network predicts: Ho's simple loss.
    #[default]
    Simple,
    /// As in the bound, times T: the mean over steps is then the part of the bound that can be learned, in nats a number.
    Bound(ReverseVariance),
    /// Of the noise's error, min(SNR, γ)/SNR, whatever is predicted: steps with little noise count less (Hang et al. 2023). The paper's γ is 5.
    MinSnr(f64),
}

/// A diffusion: a schedule, and what its network predicts. It trains, draws and judges.
///
/// **Formula** `l-simple`: [`loss`](Self::loss), with weights by `vlb-weight` if wished; `vlb`: [`bound`](Self::bound); [`Sampler`](crate::Sampler) draws.
///
/// **Shapes**: data `[N, …]`. **Units**: data of a variance of about 1. **Gradient**: in the network's parameters. **Numerics**: weights of steps in `f64`, one pass over the data each.
///
/// **Errors**: those of the methods. **Source**: Ho, Jain & Abbeel 2020, §2 and §3.
///
/// ```
/// use gradus_diffusion::{Diffusion, Prediction, Schedule};
/// let diffusion = Diffusion::new(Schedule::cosine(1000)?, Prediction::Velocity);
/// assert_eq!(diffusion.schedule.steps(), 1000);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Diffusion {
    /// How much noise each step adds.
    pub schedule: Schedule,
    /// What the network's output means.
    pub prediction: Prediction,
    /// How much each step counts in training.
    pub weighting: Weighting,
    /// The share of samples whose class is kept from the network in training, so that it can be asked both ways. See [`Sampler::guidance`](crate::Sampler::guidance).
    pub unlabelled: f64,
}

impl Diffusion {
    /// With this schedule and prediction; every step counts alike, and one class in ten is kept back.
    #[must_use]
    pub fn new(schedule: Schedule, prediction: Prediction) -> Self {
        Self { schedule, prediction, weighting: Weighting::Simple, unlabelled: 0.1 }
    }

    /// The same with another weighting.
    #[must_use]
    pub fn weighting(self, weighting: Weighting) -> Self {
        Self { weighting, ..self }
    }

    /// The weight of a sample at step t, on the squared error of what is predicted.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn weight(&self, t: usize) -> Result<f64> {
        let schedule = &self.schedule;
        Ok(match self.weighting {
            Weighting::Simple => 1.0,
            Weighting::Bound(variance) => {
                let step = schedule.reverse(t, variance)?;
                let [_, output] = self.prediction.weights(Prediction::Data, schedule, t)?;
                schedule.steps() as f64 * (step.data * output).powi(2) / (2.0 * step.variance)
            }
            Weighting::MinSnr(gamma) => {
                let [_, output] = self.prediction.weights(Prediction::Noise, schedule, t)?;
                let snr = schedule.log_snr(t)?.exp();
                output.powi(2) * (gamma / snr).min(1.0)
            }
        })
    }

    /// The loss of a batch. In training each sample gets a random step and random noise; for judging, steps that are spread evenly, and the same noise every time.
    ///
    /// # Errors
    /// If the network fails, there are no samples, or the labels do not fit.
    pub fn loss<T: Scalar>(
        &self,
        net: &(impl Denoiser<T> + ?Sized),
        x0: &Tensor<T>,
        labels: Option<&[u32]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let (samples, steps) = (x0.shape().size(0)?, self.schedule.steps());
        let mut labels = labels_of("diffusion", samples, net.classes(), labels)?;
        let (t, key): (Vec<usize>, u64) = match mode {
            Mode::Train(rng) => {
                let t = (0..samples).map(|_| rng.random_range(1..=steps)).collect();
                for label in labels.iter_mut().flatten() {
                    if rng.random_bool(self.unlabelled.clamp(0.0, 1.0)) {
                        *label = net.classes();
                    }
                }
                (t, rng.next_u64())
            }
            Mode::Eval => ((0..samples).map(|n| 1 + (2 * n + 1) * steps / (2 * samples)).collect(), 0),
        };
        let noise = Stream::new(key).normal(x0.shape())?;
        self.loss_at(net, x0, labels.as_deref(), (&t, &noise), mode)
    }

    /// The loss of a batch with this noise, each sample at its own step.
    ///
    /// # Errors
    /// If the network fails, shapes differ, or a step is not one of 1 to T.
    pub fn loss_at<T: Scalar>(
        &self,
        net: &(impl Denoiser<T> + ?Sized),
        x0: &Tensor<T>,
        labels: Option<&[u32]>,
        (t, noise): (&[usize], &Tensor<T>),
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        let schedule = &self.schedule;
        let noisy = Var::constant(schedule.diffuse(x0, t, noise)?);
        let target = schedule.mix(t, |t| self.prediction.target(schedule, t))?.eval([x0, noise])?;
        let weights = match self.weighting {
            Weighting::Simple => None,
            _ => Some(t.iter().map(|&t| self.weight(t)).collect::<Result<Vec<_>>>()?),
        };
        let said = net.denoise(&noisy, t, labels, mode)?;
        Var::apply(SquaredError { weights }, [&said, &Var::constant(target)])
    }
}
