//! Initializations: what becomes of a layer's fans, and the tensors that come of it.

use crate::law::{Law, Normal, Uniform, argument, finite};
use crate::{FanMode, Fans, Gain, Stream, TruncatedNormal, orthogonal};
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

/// The law's form, once its variance is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Spread {
    /// Normal.
    Normal,
    /// Uniform about 0.
    Uniform,
    /// Normal, cut at two deviations, with the promised variance.
    TruncatedNormal,
}

/// How the weights of a layer begin.
///
/// | constructor | variance | law |
/// |---|---|---|
/// | [`lecun_normal`](Self::lecun_normal), [`lecun_uniform`](Self::lecun_uniform) | 1/n_in | normal, uniform |
/// | [`xavier_normal`](Self::xavier_normal), [`xavier_uniform`](Self::xavier_uniform) | 2/(n_in + n_out) | normal, uniform |
/// | [`he_normal`](Self::he_normal), [`he_uniform`](Self::he_uniform) | 2/n_in | normal, uniform |
/// | [`fan_in_uniform`](Self::fan_in_uniform) | 1/(3·n_in) | U(−1/√n, 1/√n\], PyTorch's default |
/// | [`orthogonal`](Self::orthogonal) | 1/max(n_in, n_out) | Haar's |
/// | [`normal`](Self::normal), [`uniform`](Self::uniform), [`constant`](Self::constant), [`zeros`](Self::zeros) | as told | |
///
/// [`gain`](Self::gain), [`fan`](Self::fan) and [`truncated`](Self::truncated) change one of them.
///
/// ```
/// use gradus_initialization::{FanMode, Fans, Gain, Init};
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let fans = Fans::dense(300, 100);
/// let he = Init::lecun_normal().gain(Gain::Relu);
/// assert!((he.law(fans)?.variance() - 2.0 / 300.0).abs() < 1e-17);
/// let w = he.tensor::<f32>([300, 100], fans, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let second_moment = w.powi(2).mean()?;
/// assert!((second_moment - 2.0 / 300.0).abs() < 3e-4);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// Every weight this number.
    Constant(f64),
    /// Uniform between two bounds.
    Uniform {
        /// The smallest weight.
        low: f64,
        /// The largest weight.
        high: f64,
    },
    /// Normal.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Of variance gain²/fan.
    Scaled {
        /// The gain.
        gain: f64,
        /// Which fan.
        mode: FanMode,
        /// The form of the law.
        spread: Spread,
    },
    /// [`orthogonal`], with this gain.
    Orthogonal {
        /// The gain: every singular value.
        gain: f64,
    },
}

impl Init {
    /// Every weight 0: for biases, and for the last scale of a residual branch. Hidden units that begin alike stay alike.
    pub const fn zeros() -> Self {
        Self::Constant(0.0)
    }

    /// Every weight `c`.
    pub const fn constant(c: f64) -> Self {
        Self::Constant(c)
    }

    /// Uniform between two bounds, whatever the fans.
    pub const fn uniform(low: f64, high: f64) -> Self {
        Self::Uniform { low, high }
    }

    /// Normal with mean 0 and this standard deviation, whatever the fans.
    pub const fn normal(std: f64) -> Self {
        Self::Normal { mean: 0.0, std }
    }

    /// LeCun's: variance 1/n_in, normal.
    pub const fn lecun_normal() -> Self {
        Self::Scaled { gain: 1.0, mode: FanMode::In, spread: Spread::Normal }
    }

    /// LeCun's: variance 1/n_in, uniform.
    pub const fn lecun_uniform() -> Self {
        Self::Scaled { gain: 1.0, mode: FanMode::In, spread: Spread::Uniform }
    }

    /// Xavier Glorot's: variance 2/(n_in + n_out), normal.
    pub const fn xavier_normal() -> Self {
        Self::Scaled { gain: 1.0, mode: FanMode::Average, spread: Spread::Normal }
    }

    /// Xavier Glorot's: variance 2/(n_in + n_out), uniform: the bound is √(6/(n_in + n_out)).
    pub const fn xavier_uniform() -> Self {
        Self::Scaled { gain: 1.0, mode: FanMode::Average, spread: Spread::Uniform }
    }

    /// He's, for the ReLU: variance 2/n_in, normal.
    pub const fn he_normal() -> Self {
        Self::Scaled { gain: std::f64::consts::SQRT_2, mode: FanMode::In, spread: Spread::Normal }
    }

    /// He's, for the ReLU: variance 2/n_in, uniform.
    pub const fn he_uniform() -> Self {
        Self::Scaled { gain: std::f64::consts::SQRT_2, mode: FanMode::In, spread: Spread::Uniform }
    }

    /// Uniform between ±1/√n_in: the “commonly used heuristic” that Glorot and Bengio begin with, and PyTorch's default for weights and biases. Its
    /// variance is a third of LeCun's.
    pub const fn fan_in_uniform() -> Self {
        // 1/√3
        Self::Scaled { gain: 0.577_350_269_189_625_8, mode: FanMode::In, spread: Spread::Uniform }
    }

    /// Orthogonal, with gain 1.
    pub const fn orthogonal() -> Self {
        Self::Orthogonal { gain: 1.0 }
    }

    /// Every weight times the gain of the activation that follows.
    #[must_use]
    pub fn gain(self, activation: Gain) -> Self {
        let by = activation.value();
        match self {
            Self::Constant(c) => Self::Constant(c * by),
            Self::Uniform { low, high } => Self::Uniform { low: low * by, high: high * by },
            Self::Normal { mean, std } => Self::Normal { mean: mean * by, std: std * by },
            Self::Scaled { gain, mode, spread } => Self::Scaled { gain: gain * by, mode, spread },
            Self::Orthogonal { gain } => Self::Orthogonal { gain: gain * by },
        }
    }

    /// Divides by another fan; those that divide by none stay as they are.
    #[must_use]
    pub fn fan(self, mode: FanMode) -> Self {
        match self {
            Self::Scaled { gain, spread, .. } => Self::Scaled { gain, mode, spread },
            other => other,
        }
    }

    /// Normal weights cut at two deviations, with the variance that they had before; those that are not scaled by a fan stay as they are.
    #[must_use]
    pub fn truncated(self) -> Self {
        match self {
            Self::Scaled { gain, mode, .. } => Self::Scaled { gain, mode, spread: Spread::TruncatedNormal },
            other => other,
        }
    }

    /// The law of each weight of a layer with these fans.
    ///
    /// # Errors
    /// If a number is NaN, infinite or out of range, the fan to divide by is 0, or the weights are not independent: [`orthogonal`](Self::orthogonal).
    pub fn law(self, fans: Fans) -> Result<Law> {
        Ok(match self {
            Self::Constant(c) => Law::Constant(finite("Init::law", "constant", c)?),
            Self::Uniform { low, high } => Law::Uniform(Uniform::new(low, high)?),
            Self::Normal { mean, std } => Law::Normal(Normal::new(mean, std)?),
            Self::Scaled { gain, mode, spread } => {
                let fan = fans.of(mode)?;
                if gain == 0.0 {
                    return Ok(Law::Constant(0.0));
                }
                let variance = finite("Init::law", "gain", gain)?.powi(2) / fan;
                match spread {
                    Spread::Normal => Law::Normal(Normal::of_variance(variance)?),
                    Spread::Uniform => Law::Uniform(Uniform::of_variance(variance)?),
                    Spread::TruncatedNormal => Law::TruncatedNormal(TruncatedNormal::of_variance(variance)?),
                }
            }
            Self::Orthogonal { gain } => {
                return Err(argument("Init::law", "orthogonal, gain", gain, "independent weights".into()));
            }
        })
    }

    /// The weights of a layer with these fans.
    ///
    /// **Shapes**: any; the fans say what the shape means. **Numerics**: takes one `u64` from the generator, as the key of a [`Stream`]; weight i is then a function
    /// of the key and of i. So other layers' weights do not change when this layer's shape does, and the bits are the same for any number of threads.
    ///
    /// # Errors
    /// As [`law`](Self::law) and [`Law::tensor`]; for orthogonal weights as [`orthogonal`].
    pub fn tensor<T: Scalar>(
        self,
        shape: impl AsRef<[usize]>,
        fans: Fans,
        rng: &mut (impl Rng + ?Sized),
    ) -> Result<Tensor<T>> {
        let stream = Stream::new(rng.next_u64());
        match self {
            Self::Orthogonal { gain } => orthogonal(shape, gain, stream),
            other => other.law(fans)?.tensor(shape, stream),
        }
    }
}
