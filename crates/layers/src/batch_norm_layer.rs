//! Batch normalisation as a layer: by the batch in training, by running statistics in evaluation.

use crate::batch_norm::{BatchMoments, BatchNormalization, FixedNormalization};
use crate::layer_norm::{EPS, parameters_of};
use crate::refuse;
use gradus_autograd::{Buffer, Layer, Mode, Name, Parameters, Slot, SlotMut, Var};
use gradus_tensor::{Result, Scalar, Shape, Tensor};

const OP: &str = "batch_norm";

/// How much of the running statistics a batch replaces, unless another share is asked for; PyTorch's.
pub const MOMENTUM: f64 = 0.1;

/// [`batch_norm`](crate::batch_norm()) over `[N, C]` or `[N, C, L]`.
pub type BatchNorm1d<T = f32> = BatchNorm<T, 1>;

/// [`batch_norm`](crate::batch_norm()) over `[N, C, H, W]`.
pub type BatchNorm2d<T = f32> = BatchNorm<T, 2>;

/// [`batch_norm`](crate::batch_norm()) as a layer with D spatial dimensions, of which [`BatchNorm1d`] and [`BatchNorm2d`] are the
/// usual ones. Its state is `weight` (γ), `bias` (β), `running_mean` and `running_var`.
///
/// In training a channel is normalised by its mean and variance in the batch, and the running statistics move:
/// running ← (1 − momentum)·running + momentum·batch. As in PyTorch, *momentum* is the share of what is new, and the variance that
/// enters the running one is unbiased (divided by m − 1), though the batch itself is divided by the biased one. In evaluation the
/// running statistics stand in for the batch's, and a sample's result does not depend on its neighbours.
///
/// **Default**: γ = 1, β = 0, running mean 0 and variance 1, ε = 10⁻⁵, momentum 0.1. There is no `num_batches_tracked`: nothing
/// depends on it while the momentum is a number, so leave it out when a state comes from PyTorch.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::BatchNorm1d;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let layer = BatchNorm1d::<f64>::new(1)?;
/// let x = Var::constant(Tensor::from([[10.0], [30.0]])); // mean 20, variance 100, unbiased 200
/// layer.forward(&x, &mut Mode::Train(&mut ChaCha8Rng::seed_from_u64(1)))?;
/// assert_eq!(layer.running_mean.value(), Tensor::from([2.0]));
/// assert_eq!(layer.running_var.value(), Tensor::from([0.9 + 20.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct BatchNorm<T: Scalar, const D: usize> {
    /// γ, `[C]`.
    pub weight: Var<T>,
    /// β, `[C]`.
    pub bias: Var<T>,
    /// The running mean, `[C]`.
    pub running_mean: Buffer<T>,
    /// The running variance, unbiased, `[C]`.
    pub running_var: Buffer<T>,
    eps: f64,
    momentum: f64,
}

impl<T: Scalar, const D: usize> BatchNorm<T, D> {
    /// For this many channels.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(channels: usize) -> Result<Self> {
        refuse::none(OP, "channels", channels)?;
        let [weight, bias] = parameters_of(OP, &[channels])?;
        let running_mean = Buffer::new(Tensor::zeros([channels])?);
        let running_var = Buffer::new(Tensor::ones([channels])?);
        Ok(Self { weight, bias, running_mean, running_var, eps: EPS, momentum: MOMENTUM })
    }

    /// With another ε.
    ///
    /// # Errors
    /// If it is not finite and above 0.
    pub fn eps(self, eps: f64) -> Result<Self> {
        refuse::epsilon::<T>(OP, eps)?;
        Ok(Self { eps, ..self })
    }

    /// With another share of the running statistics that a batch replaces.
    ///
    /// # Errors
    /// If it is not within 0..=1.
    pub fn momentum(self, momentum: f64) -> Result<Self> {
        if !(0.0..=1.0).contains(&momentum) {
            return Err(refuse::argument(OP, "momentum", momentum, "0..=1"));
        }
        Ok(Self { momentum, ..self })
    }

    /// What it does in evaluation, as an operation: the running statistics as they are now.
    #[must_use]
    pub fn fixed(&self) -> FixedNormalization<T> {
        let (mean, variance) = (self.running_mean.value(), self.running_var.value());
        FixedNormalization { mean, variance, eps: self.eps }
    }

    fn expects(shape: Shape) -> Result<()> {
        if shape.rank() == D + 2 || (D == 1 && shape.rank() == 2) {
            return Ok(());
        }
        let expected = match D {
            1 => "[N, C] or [N, C, L]".to_owned(),
            2 => "[N, C, H, W]".to_owned(),
            _ => format!("{} dimensions, channels on axis 1", D + 2),
        };
        Err(refuse::shape(OP, expected, shape))
    }

    /// Moves the running statistics towards a batch's.
    fn follow(&self, batch: &BatchMoments<T>) -> Result<()> {
        let share = T::of(self.momentum);
        let count = batch.count as f64;
        let unbiased = T::of(count / (count - 1.0));
        let towards = |buffer: &Buffer<T>, batch: &Tensor<T>, factor: T| {
            buffer.update(|running| {
                running.zip_in_place(batch, |old, new| (T::ONE - share) * old + share * (factor * new))
            })
        };
        towards(&self.running_mean, &batch.mean, T::ONE)?;
        towards(&self.running_var, &batch.variance, unbiased)
    }
}

/// As the macro writes it for structs without a number among their parameters.
impl<T: Scalar, const D: usize> Parameters<T> for BatchNorm<T, D> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        name.scope("weight", |name| self.weight.visit(name, see));
        name.scope("bias", |name| self.bias.visit(name, see));
        name.scope("running_mean", |name| self.running_mean.visit(name, see));
        name.scope("running_var", |name| self.running_var.visit(name, see));
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        name.scope("weight", |name| self.weight.visit_mut(name, see));
        name.scope("bias", |name| self.bias.visit_mut(name, see));
        name.scope("running_mean", |name| self.running_mean.visit_mut(name, see));
        name.scope("running_var", |name| self.running_var.visit_mut(name, see));
    }
}

impl<T: Scalar, const D: usize> Layer<T> for BatchNorm<T, D> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        Self::expects(x.shape())?;
        let inputs = [x, &self.weight, &self.bias];
        if mode.is_train() {
            let (y, batch) = Var::apply_saved(BatchNormalization { eps: self.eps }, inputs)?;
            self.follow(&batch)?;
            return Ok(y);
        }
        Var::apply(self.fixed(), inputs)
    }
}
