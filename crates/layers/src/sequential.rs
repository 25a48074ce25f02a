//! Layers one after the other.

use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var};
use gradus_tensor::{Result, Scalar};

/// Layers one after the other, each given what the one before it returned. Names are those of PyTorch's `Sequential`:
/// `0.weight`, `0.bias`, `2.weight`, …; an activation has a number too.
///
/// ```
/// use gradus_activations::{Pointwise, Relu};
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_layers::{Dropout, Linear, Sequential};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let rng = &mut ChaCha8Rng::seed_from_u64(1);
/// let net = Sequential::<f32>::new()
///     .with(Linear::new(64, 32, rng)?)
///     .with(Pointwise(Relu))
///     .with(Dropout::new(0.1)?)
///     .with(Linear::new(32, 10, rng)?);
/// let y = net.forward(&Var::constant(Tensor::zeros([5, 64])?), &mut Mode::Train(rng))?;
/// assert_eq!((y.shape().dims(), net.parameter_count()), (&[5, 10][..], 65 * 32 + 33 * 10));
/// assert!(net.state().keys().eq(["0.bias", "0.weight", "3.bias", "3.weight"]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Default)]
pub struct Sequential<T: Scalar = f32> {
    /// The layers, first to last.
    pub layers: Vec<Box<dyn Layer<T> + Send + Sync>>,
}

impl<T: Scalar> Sequential<T> {
    /// No layers yet: the identity.
    #[must_use]
    pub fn new() -> Self {
        Self { layers: Vec::new() }
    }

    /// With one more layer at the end.
    #[must_use]
    pub fn with(mut self, layer: impl Layer<T> + Send + Sync + 'static) -> Self {
        self.layers.push(Box::new(layer));
        self
    }
}

impl<T: Scalar> Parameters<T> for Sequential<T> {
    fn visit(&self, name: &mut Name, see: &mut dyn FnMut(&str, Slot<'_, T>)) {
        self.layers.visit(name, see);
    }

    fn visit_mut(&mut self, name: &mut Name, see: &mut dyn FnMut(&str, SlotMut<'_, T>)) {
        self.layers.visit_mut(name, see);
    }
}

impl<T: Scalar> Layer<T> for Sequential<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> Result<Var<T>> {
        self.layers.iter().try_fold(x.clone(), |x, layer| layer.forward(&x, &mut mode.reborrow()))
    }
}
