//! The transposed convolution as a layer.

use crate::conv::expect;
use crate::conv_layer::{checked, expect_bias};
use crate::{Algorithm, ConvShape, TransposedConvolution};
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Result, Scalar, Tensor};
use rand::Rng;

/// [`conv_transpose2d`](crate::conv_transpose2d()) as a layer. Its state is `weight` and, if it has one, `bias`, as in PyTorch.
///
/// The channels are those of the layer: C come in, K go out. The windows are those of the convolution whose sizes it undoes.
///
/// **Shapes**: x `[N, C, H, W]`, weight `[C, K/G, F, F']`, bias `[K]`; the result `[N, K, O, O']` with the O of
/// [`Window::transposed_output`](crate::Window::transposed_output).
///
/// **Default**: as [`Conv2d`](crate::Conv2d): He's variance over the numbers that an output sums over. Between two pixels that are S apart the output has S places, so
/// these are C/G·F·F'/(S·S') on average. (PyTorch divides by K/G·F·F', which is the fan of the convolution it transposes.)
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_cnn::{ConvShape, ConvTranspose2d, Window};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let halved = Window::new(3).stride(2).padded(1); // of 8 it makes 4, and of 7 too
/// let shape = ConvShape::new(16, 8, [halved; 2]);
/// let layer = ConvTranspose2d::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?.output_padding([1, 0]);
/// let y = layer.forward(&Var::constant(Tensor::zeros([2, 16, 4, 4])?), &mut Mode::Eval)?;
/// assert_eq!(y.shape(), [2, 8, 8, 7]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ConvTranspose2d<T: Scalar = f32> {
    /// w, `[C, K/G, F, F']`.
    pub weight: Var<T>,
    /// b, `[K]`.
    pub bias: Option<Var<T>>,
    shape: ConvShape<2>,
    output_padding: [usize; 2],
    algorithm: Algorithm,
}

parameters!(ConvTranspose2d<T> { weight, bias });

const OP: &str = "conv_transpose2d";

/// The shape of the weights, once the layer is checked.
fn dims(shape: &ConvShape<2>) -> Result<[usize; 4]> {
    checked(OP, shape)?;
    let [down, across] = shape.windows.map(|w| w.size);
    Ok([shape.in_channels, shape.out_channels / shape.groups, down, across])
}

impl<T: Scalar> ConvTranspose2d<T> {
    /// A layer with the default initialization.
    ///
    /// # Errors
    /// If the shape is impossible: a 0, groups that do not divide the channels, a number too large.
    pub fn new(shape: ConvShape<2>, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Self::with_init(shape, |dims, fans| Init::he_normal().tensor(dims, fans, rng))
    }

    /// A layer whose weights `init` makes, given their shape `[C, K/G, F, F']` and their fans; the bias is 0.
    ///
    /// # Errors
    /// If the shape is impossible, `init` fails, or what it makes has another shape.
    pub fn with_init(
        shape: ConvShape<2>,
        init: impl FnOnce([usize; 4], Fans) -> Result<Tensor<T>>,
    ) -> Result<Self> {
        let dims = dims(&shape)?;
        let [down, across] = shape.windows;
        // Each pixel has a part in F·F' outputs a channel, and of the pixels below an output every S-th is there.
        let conv =
            Fans::conv(shape.in_channels, shape.out_channels, shape.groups, &[down.size, across.size])?;
        let positions = down.stride.saturating_mul(across.stride);
        let fans = Fans { fan_in: conv.fan_in.div_ceil(positions), fan_out: conv.fan_out };
        let weight = init(dims, fans)?;
        let bias = if shape.bias { Some(Tensor::zeros([shape.out_channels])?) } else { None };
        Self::from_tensors(shape, weight, bias)
    }

    /// A layer with these weights, `[C, K/G, F, F']`, and this bias, `[K]`.
    ///
    /// ```
    /// use gradus_autograd::{Layer, Mode, Var};
    /// use gradus_cnn::{ConvShape, ConvTranspose2d, Window};
    /// use gradus_tensor::Tensor;
    /// let shape = ConvShape::new(1, 1, [Window::new(1), Window::new(2).stride(2)]).without_bias();
    /// let twice = ConvTranspose2d::from_tensors(shape, Tensor::ones([1, 1, 1, 2])?, None)?;
    /// let x = Var::constant(Tensor::from([[[[3.0, 5.0]]]; 1]));
    /// assert_eq!(twice.forward(&x, &mut Mode::Eval)?.value().as_slice(), [3.0, 3.0, 5.0, 5.0]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the shape is impossible, or weights or bias are not of that shape.
    pub fn from_tensors(shape: ConvShape<2>, weight: Tensor<T>, bias: Option<Tensor<T>>) -> Result<Self> {
        expect(OP, "weight", &dims(&shape)?, weight.shape())?;
        expect_bias(OP, shape.bias, shape.out_channels, bias.as_ref())?;
        let (weight, bias) = (Var::parameter(weight), bias.map(Var::parameter));
        Ok(Self { weight, bias, shape, output_padding: [0, 0], algorithm: Algorithm::Automatic })
    }

    /// The same with so many more rows and columns, after the others. Below the stride, or the layer refuses its input.
    #[must_use]
    pub fn output_padding(self, output_padding: [usize; 2]) -> Self {
        Self { output_padding, ..self }
    }

    /// The same layer, computed in this way.
    #[must_use]
    pub fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// What the layer was made of: channels, groups, windows.
    #[must_use]
    pub fn shape(&self) -> ConvShape<2> {
        self.shape
    }
}

impl<T: Scalar> Layer<T> for ConvTranspose2d<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        let op = TransposedConvolution::new(self.shape.windows).groups(self.shape.groups);
        let op = op.output_padding(self.output_padding).by(self.algorithm);
        match &self.bias {
            Some(bias) => Var::apply(op, [x, &self.weight, bias]),
            None => Var::apply(op, [x, &self.weight]),
        }
    }
}
