//! A network for points: dense layers, told the step.

use crate::condition::dense;
use crate::denoiser::one_step_each;
use crate::{Condition, Denoiser};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_layers::Linear;
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

/// The sizes of a [`DenoisingMlp`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MlpShape {
    /// The numbers of a point: 2.
    pub numbers: usize,
    /// The width of the hidden layers: 64.
    pub width: usize,
    /// The hidden layers, each added to what comes in: 3.
    pub layers: usize,
    /// The numbers that tell the step and the class: 32.
    pub told: usize,
    /// The classes: 0 for a network that knows none.
    pub classes: u32,
}

impl Default for MlpShape {
    fn default() -> Self {
        Self { numbers: 2, width: 64, layers: 3, told: 32, classes: 0 }
    }
}

/// A hidden layer: h + W·SiLU(h) + b + V·told, of h `[N, width]` and told `[N, D]`.
#[derive(Debug, Clone)]
pub struct TimedLayer<T: Scalar = f32> {
    /// W and b.
    pub linear: Linear<T>,
    /// V.
    pub told: Linear<T>,
}

parameters!(TimedLayer<T> { linear, told });

/// Dense layers for points of a few numbers, told at every layer which step it is.
///
/// **Formula** `diffusion-flexible`: whatever has an output of the input's shape will do.
///
/// **Shapes**: points `[N, D]`, the result too. **Units**: those of the prediction. **Gradient**, **Numerics**: those of the layers. The last layer begins with weights 0.
///
/// **Errors**: points of another size, labels that do not fit. **Source**: Ho, Jain & Abbeel 2020, §3.2.
///
/// ```
/// use gradus_autograd::{Mode, Var};
/// use gradus_diffusion::{Denoiser, DenoisingMlp, MlpShape};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let net = DenoisingMlp::<f32>::new(MlpShape::default(), &mut ChaCha8Rng::seed_from_u64(1))?;
/// let x = Var::constant(Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
/// assert_eq!(net.denoise(&x, &[1, 2, 3], None, &mut Mode::Eval)?.shape(), [3, 2]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DenoisingMlp<T: Scalar = f32> {
    /// What all layers are told.
    pub condition: Condition<T>,
    /// From the point to the first hidden layer.
    pub input: Linear<T>,
    /// The hidden layers.
    pub hidden: Vec<TimedLayer<T>>,
    /// From the last hidden layer to the point.
    pub output: Linear<T>,
}

parameters!(DenoisingMlp<T> { condition, input, hidden, output });

impl<T: Scalar> DenoisingMlp<T> {
    /// With fresh weights.
    ///
    /// # Errors
    /// If a size is 0, or `told` is odd.
    pub fn new(shape: MlpShape, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let condition = Condition::new(shape.told, shape.classes, rng)?;
        let input = dense(shape.numbers, shape.width, rng)?;
        let mut layer = || -> Result<_> {
            let linear = dense(shape.width, shape.width, rng)?;
            Ok(TimedLayer { linear, told: dense(shape.told, shape.width, rng)? })
        };
        let hidden = (0..shape.layers).map(|_| layer()).collect::<Result<_>>()?;
        let output = Linear::with_init(shape.width, shape.numbers, Tensor::zeros)?;
        Ok(Self { condition, input, hidden, output })
    }
}

impl<T: Scalar> Denoiser<T> for DenoisingMlp<T> {
    fn denoise(
        &self,
        x: &Var<T>,
        t: &[usize],
        labels: Option<&[u32]>,
        mode: &mut Mode<'_>,
    ) -> Result<Var<T>> {
        one_step_each("denoising_mlp", x, t)?;
        let told = self.condition.of(t, labels, mode)?;
        let mut h = self.input.forward(x, mode)?;
        for layer in &self.hidden {
            let step = layer.linear.forward(&h.silu()?, mode)?;
            h = h.add(&step.add(&layer.told.forward(&told, mode)?)?)?;
        }
        self.output.forward(&h.silu()?, mode)
    }

    fn classes(&self) -> u32 {
        self.condition.known()
    }
}
