//! Data whose diffusion is known: mixtures of round Gaussians, with the network that nobody had to train.

use crate::denoiser::labels_of;
use crate::transition::log_normal;
use crate::{Denoiser, Diffusion, Prediction, Schedule};
use gradus_autograd::{Mode, Var};
use gradus_initialization::Stream;
use gradus_tensor::{Error, Result, Scalar, Tensor};
use rand::Rng;

/// A mixture of K round Gaussians of D numbers.
///
/// After any number of steps it is a mixture of Gaussians again, so that density, score and E\[x₀ | xₜ\] are known exactly: the best network that there can be
/// ([`ExactDenoiser`]). With one component it is Gaussian data.
///
/// **Formula** `diffusion-reverse-approx`: q(xₜ₋₁ | xₜ), which is not known for real data, is known here ([`reverse`](Self::reverse)), and is a mixture itself, which many
/// small steps bring near a Gaussian.
///
/// **Shapes**: means `[K, D]`, K weights and variances. **Units**: those of the data; densities in nats.
///
/// **Numerics**: by logarithms, the largest taken off first.
///
/// **Errors**: weights that are not above 0, variances below 0, counts that differ. **Source**: Sohl-Dickstein et al. 2015, §2.2.
///
/// ```
/// use gradus_diffusion::{GaussianMixture, Schedule};
/// use gradus_tensor::Tensor;
/// let schedule = Schedule::given(&[0.36])?; // √ᾱ₁ = 0.8
/// let coin = GaussianMixture::new(&[0.5, 0.5], Tensor::from([[-1.0], [1.0]]), &[0.0, 0.0])?;
/// // What was it, −1 or 1? At 0 nobody knows; at 0.8 it is tanh(0.8·0.8/0.36).
/// let believed = coin.data(&schedule, &Tensor::from([[0.0f64], [0.8]]), &[1, 1])?;
/// assert!((believed.get([0, 0])?).abs() < 1e-15);
/// assert!((believed.get([1, 0])? - (0.64f64 / 0.36).tanh()).abs() < 1e-15);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GaussianMixture {
    /// Logarithms of weights that add up to 1.
    logs: Vec<f64>,
    means: Tensor<f64>,
    variances: Vec<f64>,
}

const OP: &str = "gaussian_mixture";

impl GaussianMixture {
    /// With these weights, which need not add up to 1, means `[K, D]`, and variances.
    ///
    /// # Errors
    /// If a weight is not above 0, a variance below 0, or the counts differ.
    pub fn new(weights: &[f64], means: Tensor<f64>, variances: &[f64]) -> Result<Self> {
        let count = weights.len();
        if means.rank() != 2 || means.dims()[0] != count || count == 0 {
            return Err(Error::shape(
                OP,
                format!("means of the shape [{count}, D], K at least 1"),
                means.shape(),
            ));
        }
        if variances.len() != count {
            return Err(Error::argument(OP, "variances", variances.len(), format!("one a mean, {count}")));
        }
        if let Some(weight) = weights.iter().find(|&&weight| !(weight > 0.0 && weight.is_finite())) {
            return Err(Error::argument(OP, "weight", weight, "above 0"));
        }
        if let Some(variance) = variances.iter().find(|&&variance| !(variance >= 0.0 && variance.is_finite()))
        {
            return Err(Error::argument(OP, "variance", variance, "at least 0"));
        }
        let total: f64 = weights.iter().sum();
        let logs = weights.iter().map(|weight| (weight / total).ln()).collect();
        Ok(Self { logs, means, variances: variances.to_vec() })
    }

    /// The weights, which add up to 1.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.logs.iter().map(|log| log.exp()).collect()
    }

    /// The means, `[K, D]`.
    #[must_use]
    pub fn means(&self) -> &Tensor<f64> {
        &self.means
    }

    /// The variances.
    #[must_use]
    pub fn variances(&self) -> &[f64] {
        &self.variances
    }

    /// The distribution of xₜ: every mean times √ᾱₜ, every variance times ᾱₜ and 1 − ᾱₜ more.
    ///
    /// # Errors
    /// If there is no such step.
    pub fn noised(&self, schedule: &Schedule, t: usize) -> Result<Self> {
        let steps = schedule.between(0, t)?;
        Ok(Self {
            logs: self.logs.clone(),
            means: self.means.scale(steps.scale),
            variances: self.variances.iter().map(|&v| steps.carry([0.0, v])[1]).collect(),
        })
    }

    /// ln of each component's weight and density at x.
    fn terms(&self, x: &[f64]) -> Vec<f64> {
        let means = self.means.as_slice().chunks_exact(x.len().max(1));
        let density = |mean: &[f64], variance: f64| -> f64 {
            mean.iter().zip(x).map(|(&mean, &x)| log_normal(x, mean, variance)).sum()
        };
        means.zip(&self.variances).zip(&self.logs).map(|((mean, &v), log)| log + density(mean, v)).collect()
    }

    /// The logarithm of the density at a point, in nats.
    ///
    /// # Errors
    /// If the point has another number of numbers than the means.
    pub fn log_density(&self, x: &[f64]) -> Result<f64> {
        self.check(x.len())?;
        Ok(log_sum(&self.terms(x)))
    }

    /// How likely a point comes from each component.
    fn shares(&self, x: &[f64]) -> Vec<f64> {
        let terms = self.terms(x);
        let total = log_sum(&terms);
        terms.iter().map(|term| (term - total).exp()).collect()
    }

    fn check(&self, numbers: usize) -> Result<()> {
        let wanted = self.means.dims()[1];
        if numbers == wanted {
            return Ok(());
        }
        Err(Error::argument(OP, "numbers of a point", numbers, wanted))
    }

    /// E\[x₀ | xₜ\] of points `[N, D]`, each after its own number of steps.
    ///
    /// # Errors
    /// If the shapes do not fit, or a step is greater than T.
    pub fn data<T: Scalar>(&self, schedule: &Schedule, x: &Tensor<T>, t: &[usize]) -> Result<Tensor<T>> {
        let &[samples, numbers] = x.dims() else {
            return Err(Error::shape(OP, "points of the shape [N, D]", x.shape()));
        };
        self.check(numbers)?;
        if t.len() != samples {
            return Err(Error::argument(OP, "steps", t.len(), format!("one a point, {samples}")));
        }
        let mut data = Vec::with_capacity(x.len());
        // Neighbours are often at the same step.
        let mut last = (0, schedule.between(0, 0)?, self.clone());
        for (x, &t) in x.as_slice().chunks_exact(numbers).zip(t) {
            let x: Vec<f64> = x.iter().map(|x| x.as_f64()).collect();
            if last.0 != t {
                last = (t, schedule.between(0, t)?, self.noised(schedule, t)?);
            }
            let (_, steps, noised) = &last;
            let shares = noised.shares(&x);
            for (d, x) in x.iter().enumerate() {
                let of = |k: usize| {
                    let mean = self.means.as_slice()[k * numbers + d];
                    let slope = steps.scale * self.variances[k] / noised.variances[k];
                    // A point that nothing has been added to is what it is.
                    let slope = if t == 0 { 1.0 } else { slope };
                    shares[k] * (mean + slope * (x - steps.scale * mean))
                };
                data.push(T::of((0..shares.len()).map(of).sum()));
            }
        }
        Tensor::from_vec(data, x.shape())
    }

    /// q(xₜ₋₁ | xₜ) at one point: a mixture again, whose weights are how likely the point comes from each component.
    ///
    /// # Errors
    /// If the point has another number of numbers than the means, or there is no such step.
    pub fn reverse(&self, schedule: &Schedule, t: usize, x: &[f64]) -> Result<Self> {
        self.check(x.len())?;
        let step = schedule.step(t)?;
        let (before, after) = (self.noised(schedule, t - 1)?, self.noised(schedule, t)?);
        let slope = |k: usize| step.scale * before.variances[k] / after.variances[k];
        let mean = |at: &[usize]| {
            let mean = before.means.as_slice()[at[0] * x.len() + at[1]];
            mean + slope(at[0]) * (x[at[1]] - step.scale * mean)
        };
        let variance = |k: usize| before.variances[k] * step.variance / after.variances[k];
        let (terms, count) = (after.terms(x), self.logs.len());
        let total = log_sum(&terms);
        Ok(Self {
            logs: terms.iter().map(|term| term - total).collect(),
            means: Tensor::from_fn(before.means.shape(), mean)?,
            variances: (0..count).map(variance).collect(),
        })
    }

    /// Points drawn from it, `[N, D]`.
    ///
    /// # Errors
    /// If there are too many to count.
    pub fn sample<T: Scalar>(&self, count: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Tensor<T>> {
        let numbers = self.means.dims()[1];
        let (normals, uniforms) = (Stream::new(rng.next_u64()), Stream::new(rng.next_u64()));
        let (weights, mut points) = (self.weights(), Vec::new());
        for n in 0..count {
            let mut left: f64 = uniforms.uniform_at(n as u64);
            let component = weights.iter().position(|weight| {
                left -= weight;
                left <= 0.0
            });
            let k = component.unwrap_or(weights.len() - 1);
            let deviation = self.variances[k].sqrt();
            for (d, &mean) in self.means.as_slice()[k * numbers..(k + 1) * numbers].iter().enumerate() {
                let z: f64 = normals.normal_at((n * numbers + d) as u64);
                points.push(T::of(mean + deviation * z));
            }
        }
        Tensor::from_vec(points, [count, numbers])
    }

    /// The network that knows: its output is the expectation of whatever the diffusion's network is to predict.
    #[must_use]
    pub fn denoiser(&self, diffusion: &Diffusion) -> ExactDenoiser {
        let (schedule, prediction) = (diffusion.schedule.clone(), diffusion.prediction);
        ExactDenoiser { schedule, prediction, classes: vec![self.clone()] }
    }
}

fn log_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}

/// What the best of all networks says of a [`GaussianMixture`], or of several, one a class.
///
/// ```
/// use gradus_diffusion::{Diffusion, GaussianMixture, Prediction, Sampler, Schedule};
/// use gradus_tensor::Tensor;
/// let diffusion = Diffusion::new(Schedule::cosine(100)?, Prediction::Noise);
/// let data = GaussianMixture::new(&[1.0, 1.0], Tensor::from([[-2.0, 0.0], [2.0, 0.0]]), &[0.01, 0.01])?;
/// let drawn = Sampler::ddim(diffusion.clone(), 50, 0.0)?.draw::<f64>(&data.denoiser(&diffusion), [200, 2], None, 1)?;
/// // All of them have found one of the two places.
/// assert!(drawn.as_slice().chunks(2).all(|p| (p[0].abs() - 2.0).abs() < 0.7 && p[1].abs() < 0.7));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ExactDenoiser {
    schedule: Schedule,
    prediction: Prediction,
    classes: Vec<GaussianMixture>,
}

impl ExactDenoiser {
    /// One mixture a class. Without a class, the data is all of them alike.
    ///
    /// # Errors
    /// If there is none, or they have different numbers of numbers.
    pub fn of_classes(diffusion: &Diffusion, classes: &[GaussianMixture]) -> Result<Self> {
        let Some(numbers) = classes.first().map(|class| class.means.dims()[1]) else {
            return Err(Error::argument("exact_denoiser", "classes", 0, "at least 1"));
        };
        classes.iter().try_for_each(|class| class.check(numbers))?;
        let mut classes = classes.to_vec();
        // The last says what there is without a class.
        let means: Vec<&Tensor<f64>> = classes.iter().map(|class| &class.means).collect();
        let weights: Vec<f64> = classes.iter().flat_map(GaussianMixture::weights).collect();
        let variances: Vec<f64> = classes.iter().flat_map(|class| class.variances.clone()).collect();
        let all = GaussianMixture::new(&weights, Tensor::concatenate(&means, 0)?, &variances)?;
        classes.push(all);
        Ok(Self { schedule: diffusion.schedule.clone(), prediction: diffusion.prediction, classes })
    }
}

impl<T: Scalar> Denoiser<T> for ExactDenoiser {
    fn denoise(&self, x: &Var<T>, t: &[usize], labels: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<T>> {
        let (x, classes) = (x.value(), Denoiser::<T>::classes(self));
        let labels = labels_of("exact_denoiser", t.len(), classes, labels)?;
        let data = match labels {
            None => self.classes[0].data(&self.schedule, &x, t)?,
            Some(labels) => {
                let one = |(n, &label): (usize, &u32)| {
                    self.classes[label as usize].data(&self.schedule, &x.slice(0, n..n + 1)?, &t[n..n + 1])
                };
                let rows = labels.iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
                Tensor::concatenate(&rows.iter().collect::<Vec<_>>(), 0)?
            }
        };
        let said = Prediction::Data.convert(self.prediction, &self.schedule, (&x, t), &data)?;
        Ok(Var::constant(said))
    }

    fn classes(&self) -> u32 {
        self.classes.len() as u32 - 1
    }
}
