//! What every network of this crate is told beside the data: the step, and perhaps a class.

use crate::denoiser::labels_of;
use crate::time_embedding;
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_initialization::{Fans, Init};
use gradus_layers::{Embedding, Linear};
use gradus_tensor::{Result, Scalar};
use rand::Rng;

/// The step's sines and cosines through two dense layers, plus a learned vector for the class: a vector a sample.
///
/// **Formula** `time-embedding`, then SiLU(W₂·SiLU(W₁·e + b₁) + b₂ + class).
///
/// **Shapes**: N steps, and N labels where it knows classes; the result `[N, width]`. **Units**: 1. **Gradient**, **Numerics**: those of the layers.
///
/// **Errors**: a width that is odd or 0; labels that do not fit. **Source**: Ho, Jain & Abbeel 2020, appendix B.
///
/// ```
/// use gradus_autograd::Mode;
/// use gradus_diffusion::Condition;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let condition = Condition::<f32>::new(32, 10, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let told = condition.of(&[1, 500, 500], Some(&[7, 7, 10]), &mut Mode::Eval)?.value(); // 10: no class
/// assert_eq!(told.dims(), [3, 32]);
/// assert_ne!(told.select(0, 1)?, told.select(0, 2)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Condition<T: Scalar = f32> {
    /// The first dense layer.
    pub linear1: Linear<T>,
    /// The second.
    pub linear2: Linear<T>,
    /// A row a class, and one for none.
    pub classes: Option<Embedding<T>>,
}

parameters!(Condition<T> { linear1, linear2, classes });

impl<T: Scalar> Condition<T> {
    /// Of this width, for so many classes; 0 for a network that knows none.
    ///
    /// # Errors
    /// If the width is odd or 0.
    pub fn new(width: usize, classes: u32, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        time_embedding::<T>(&[], width)?;
        let linear1 = dense(width, width, rng)?;
        let linear2 = dense(width, width, rng)?;
        let classes =
            if classes > 0 { Some(Embedding::new(classes as usize + 1, width, rng)?) } else { None };
        Ok(Self { linear1, linear2, classes })
    }

    /// The width.
    #[must_use]
    pub fn width(&self) -> usize {
        self.linear1.weight.shape().dims()[0]
    }

    /// How many classes it knows.
    #[must_use]
    pub fn known(&self) -> u32 {
        self.classes.as_ref().map_or(0, |rows| rows.weight.shape().dims()[0] as u32 - 1)
    }

    /// The vectors, `[N, width]`, with the activation that every user of them wants.
    ///
    /// # Errors
    /// If the labels do not fit.
    pub fn of(&self, t: &[usize], labels: Option<&[u32]>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        let labels = labels_of("condition", t.len(), self.known(), labels)?;
        let waves = Var::constant(time_embedding(t, self.width())?);
        let mut told = self.linear2.forward(&self.linear1.forward(&waves, mode)?.silu()?, mode)?;
        if let (Some(rows), Some(labels)) = (&self.classes, labels) {
            told = told.add(&rows.forward(&labels.into())?)?;
        }
        told.silu()
    }
}

/// A dense layer before a SiLU: half of what comes in passes, as with a ReLU.
pub(crate) fn dense<T: Scalar>(
    inputs: usize,
    outputs: usize,
    rng: &mut (impl Rng + ?Sized),
) -> Result<Linear<T>> {
    Linear::with_init(inputs, outputs, |shape| {
        Init::he_normal().tensor(shape, Fans::dense(inputs, outputs), rng)
    })
}
