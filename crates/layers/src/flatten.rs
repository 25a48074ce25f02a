//! From images to rows.

use gradus_autograd::{Layer, Mode, Name, Parameters, Slot, SlotMut, Var};
use gradus_tensor::{Result, Scalar};

/// `[N, C, H, W]` as `[N, C·H·W]`: a sample a row, between convolutions and a dense layer. Nothing is copied.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_layers::Flatten;
/// use gradus_tensor::Tensor;
/// let x = Var::constant(Tensor::<f32>::zeros([5, 3, 4, 2])?);
/// assert_eq!(Flatten.forward(&x, &mut Mode::Eval)?.shape(), [5, 24]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Flatten;

impl<T: Scalar> Parameters<T> for Flatten {
    fn visit(&self, _: &mut Name, _: &mut dyn FnMut(&str, Slot<'_, T>)) {}

    fn visit_mut(&mut self, _: &mut Name, _: &mut dyn FnMut(&str, SlotMut<'_, T>)) {}
}

impl<T: Scalar> Layer<T> for Flatten {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        let shape = x.shape();
        match *shape.dims() {
            [n, ref rest @ ..] => x.reshape([n, rest.iter().product()]),
            [] => Err(crate::refuse::shape("flatten", "at least one dimension", shape)),
        }
    }
}
