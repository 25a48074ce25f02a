//! Convolution as a layer: filters and biases that are learned, over images and over sequences.

use crate::conv::expect;
use crate::{Algorithm, ConvShape, Convolution, Geometry, Pad, PaddingMode, Window};
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};
use rand::Rng;

/// Whether a layer of this shape can be made; the channels of a group.
pub(crate) fn checked<const A: usize>(op: &'static str, shape: &ConvShape<A>) -> Result<usize> {
    let during = |geometry: Geometry| geometry.during(op);
    shape.parameters().map_err(during)?;
    shape.group_channels().map_err(during)
}

/// A bias where the shape has one, and of its size.
pub(crate) fn expect_bias(
    op: &'static str,
    has: bool,
    outputs: usize,
    bias: Option<&Tensor<impl Scalar>>,
) -> Result<()> {
    match bias {
        Some(bias) if has => expect(op, "bias", &[outputs], bias.shape()),
        None if !has => Ok(()),
        _ => {
            let value = if has { "none" } else { "one" }.into();
            let allowed = format!("{} as the layer's shape says", if has { "one," } else { "none," });
            Err(Error::Argument { op, name: "bias", value, allowed })
        }
    }
}

/// [`conv2d`](crate::conv2d()) as a layer. Its state is `weight` and, if it has one, `bias`, as in PyTorch.
///
/// **Shapes**: x `[N, C, H, W]`, weight `[K, C/G, F, F']`, bias `[K]`; the result `[N, K, O, O']`.
///
/// **Default**: weights from a normal distribution of variance 2/fan-in (He, for ReLU networks), where each output sums over fan-in = C/G·F·F' numbers;
/// bias 0. (PyTorch's weights are uniform and a sixth of that in variance: [`Init::fan_in_uniform`].)
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_cnn::{Conv2d, ConvShape, Window};
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let shape = ConvShape::new(3, 16, [Window::new(3).stride(2).padded(1); 2]);
/// let layer = Conv2d::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let y = layer.forward(&Var::constant(Tensor::zeros([5, 3, 32, 32])?), &mut Mode::Eval)?;
/// assert_eq!((y.shape().dims(), layer.parameter_count()), (&[5, 16, 16, 16][..], 16 * 3 * 9 + 16));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Conv2d<T: Scalar = f32> {
    /// w, `[K, C/G, F, F']`.
    pub weight: Var<T>,
    /// b, `[K]`.
    pub bias: Option<Var<T>>,
    shape: ConvShape<2>,
    algorithm: Algorithm,
    padding_mode: PaddingMode,
}

parameters!(Conv2d<T> { weight, bias });

const OP2: &str = "conv2d";

impl<T: Scalar> Conv2d<T> {
    /// A layer with the default initialization.
    ///
    /// # Errors
    /// If the shape is impossible: a 0, groups that do not divide the channels, a number too large.
    pub fn new(shape: ConvShape<2>, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Self::with_init(shape, |dims, fans| Init::he_normal().tensor(dims, fans, rng))
    }

    /// A layer whose weights `init` makes, given their shape `[K, C/G, F, F']` and their fans; the bias is 0.
    ///
    /// ```
    /// use gradus_cnn::{Conv2d, ConvShape, Window};
    /// use gradus_initialization::Init;
    /// use rand::{SeedableRng, rngs::ChaCha8Rng};
    /// let rng = &mut ChaCha8Rng::seed_from_u64(1);
    /// let shape = ConvShape::new(8, 8, [Window::new(5); 2]);
    /// let layer = Conv2d::<f32>::with_init(shape, |dims, fans| Init::xavier_uniform().tensor(dims, fans, rng))?;
    /// let bound = (6.0_f32 / (200.0 + 200.0)).sqrt(); // 8·5·5 each
    /// assert!(layer.weight.value().as_slice().iter().all(|w| w.abs() <= bound));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the shape is impossible, `init` fails, or what it makes has another shape.
    pub fn with_init(
        shape: ConvShape<2>,
        init: impl FnOnce([usize; 4], Fans) -> Result<Tensor<T>>,
    ) -> Result<Self> {
        let group = checked(OP2, &shape)?;
        let [down, across] = shape.windows.map(|w| w.size);
        let fans = Fans::conv(shape.in_channels, shape.out_channels, shape.groups, &[down, across])?;
        let weight = init([shape.out_channels, group, down, across], fans)?;
        let bias = if shape.bias { Some(Tensor::zeros([shape.out_channels])?) } else { None };
        Self::from_tensors(shape, weight, bias)
    }

    /// A layer with these weights, `[K, C/G, F, F']`, and this bias, `[K]`.
    ///
    /// ```
    /// use gradus_autograd::{Layer, Mode, Var};
    /// use gradus_cnn::{Conv2d, ConvShape, Window};
    /// use gradus_tensor::Tensor;
    /// let difference = Tensor::from([[[[-1.0, 1.0]]]; 1]);
    /// let shape = ConvShape::new(1, 1, [Window::new(1), Window::new(2)]).without_bias();
    /// let layer = Conv2d::from_tensors(shape, difference, None)?;
    /// let x = Var::constant(Tensor::from([[[[1.0, 4.0, 9.0]]]; 1]));
    /// assert_eq!(layer.forward(&x, &mut Mode::Eval)?.value().as_slice(), [3.0, 5.0]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the shape is impossible, or weights or bias are not of that shape: a bias where it says that there is none, or the other way around.
    pub fn from_tensors(shape: ConvShape<2>, weight: Tensor<T>, bias: Option<Tensor<T>>) -> Result<Self> {
        let group = checked(OP2, &shape)?;
        let [down, across] = shape.windows.map(|w| w.size);
        expect(OP2, "weight", &[shape.out_channels, group, down, across], weight.shape())?;
        expect_bias(OP2, shape.bias, shape.out_channels, bias.as_ref())?;
        let (weight, bias) = (Var::parameter(weight), bias.map(Var::parameter));
        Ok(Self { weight, bias, shape, algorithm: Algorithm::Automatic, padding_mode: PaddingMode::Zeros })
    }

    /// The same layer without a bias: before a normalisation that has one, it would be lost.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { bias: None, shape: self.shape.without_bias(), ..self }
    }

    /// The same layer, computed in this way.
    #[must_use]
    pub fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The same layer with something else than zeros beyond the edge: the image is padded first, and then convolved.
    ///
    /// ```
    /// use gradus_autograd::{Layer, Mode, Var};
    /// use gradus_cnn::{Conv2d, ConvShape, PaddingMode, Window};
    /// use gradus_tensor::Tensor;
    /// let shape = ConvShape::new(1, 1, [Window::new(1), Window::new(2).padded_by(1, 0)]).without_bias();
    /// let difference = Conv2d::from_tensors(shape, Tensor::from([[[[-1.0, 1.0]]]; 1]), None)?;
    /// let x = Var::constant(Tensor::from([[[[5.0, 7.0, 10.0]]]; 1]));
    /// assert_eq!(difference.forward(&x, &mut Mode::Eval)?.value().as_slice(), [5.0, 2.0, 3.0]);
    /// let around = difference.padding_mode(PaddingMode::Circular);
    /// assert_eq!(around.forward(&x, &mut Mode::Eval)?.value().as_slice(), [-5.0, 2.0, 3.0]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    #[must_use]
    pub fn padding_mode(self, padding_mode: PaddingMode) -> Self {
        Self { padding_mode, ..self }
    }

    /// The same in everything but the numbers, which are these, with a bias.
    pub(crate) fn with_tensors(&self, weight: Tensor<T>, bias: Tensor<T>) -> Result<Self> {
        let shape = ConvShape { bias: true, ..self.shape };
        let layer = Self::from_tensors(shape, weight, Some(bias))?;
        Ok(layer.by(self.algorithm).padding_mode(self.padding_mode))
    }

    /// The layer's outputs without a graph, and if wished without what is negative in them: for networks that are not trained any more.
    ///
    /// # Errors
    /// As the layer's forward pass.
    pub fn value(&self, x: &Tensor<T>, rectify: bool) -> Result<Tensor<T>> {
        let way = self.way();
        let (weight, bias) = (self.weight.value(), self.bias.as_ref().map(Var::value));
        let (x, windows) = if way.padding_mode == PaddingMode::Zeros {
            (x.clone(), way.windows)
        } else {
            let (padded, ()) = Op::forward(&Pad::of(way.windows).mode(way.padding_mode), [x])?;
            (padded, way.windows.map(|window| window.padded(0)))
        };
        let op = Convolution::new(windows).groups(way.groups).by(way.algorithm);
        let value = if rectify { Convolution::rectified } else { Convolution::value };
        value(&op, &x, &weight, bias.as_ref())
    }

    fn way(&self) -> Way {
        let Self { algorithm, padding_mode, shape, .. } = *self;
        Way { windows: shape.windows, groups: shape.groups, algorithm, padding_mode }
    }

    /// What the layer was made of: channels, groups, windows.
    #[must_use]
    pub fn shape(&self) -> ConvShape<2> {
        self.shape
    }

    /// What is beyond the edge.
    #[must_use]
    pub fn beyond(&self) -> PaddingMode {
        self.padding_mode
    }
}

/// How a layer convolves.
struct Way {
    windows: [Window; 2],
    groups: usize,
    algorithm: Algorithm,
    padding_mode: PaddingMode,
}

impl Way {
    /// The convolution with or without a bias. Zeros need no copy of the image: the kernels know how to leave them out.
    fn convolved<T: Scalar>(&self, x: &Var<T>, weight: &Var<T>, bias: Option<&Var<T>>) -> Result<Var<T>> {
        let of = |x: &Var<T>, windows: [Window; 2]| {
            let op = Convolution::new(windows).groups(self.groups).by(self.algorithm);
            match bias {
                Some(bias) => Var::apply(op, [x, weight, bias]),
                None => Var::apply(op, [x, weight]),
            }
        };
        if self.padding_mode == PaddingMode::Zeros {
            return of(x, self.windows);
        }
        let padded = Var::apply(Pad::of(self.windows).mode(self.padding_mode), [x])?;
        of(&padded, self.windows.map(|window| window.padded(0)))
    }
}

impl<T: Scalar> Layer<T> for Conv2d<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        self.way().convolved(x, &self.weight, self.bias.as_ref())
    }
}

/// A convolution along sequences, as a layer: an image of height 1. Its state is `weight` and, if it has one, `bias`, as in PyTorch.
///
/// **Shapes**: x `[N, C, L]`, weight `[K, C/G, F]`, bias `[K]`; the result `[N, K, O]`.
///
/// **Default**: as [`Conv2d`].
///
/// ```
/// use gradus_autograd::{Layer, Mode, Var};
/// use gradus_cnn::{Conv1d, ConvShape, Window};
/// use gradus_tensor::Tensor;
/// // A causal moving sum of three: padding before only.
/// let shape = ConvShape::new(1, 1, [Window::new(3).padded_by(2, 0)]).without_bias();
/// let layer = Conv1d::from_tensors(shape, Tensor::ones([1, 1, 3])?, None)?;
/// let x = Var::constant(Tensor::from([[[1.0, 2.0, 3.0, 4.0]]; 1]));
/// assert_eq!(layer.forward(&x, &mut Mode::Eval)?.value(), Tensor::from([[[1.0, 3.0, 6.0, 9.0]]; 1]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Conv1d<T: Scalar = f32> {
    /// w, `[K, C/G, F]`.
    pub weight: Var<T>,
    /// b, `[K]`.
    pub bias: Option<Var<T>>,
    shape: ConvShape<1>,
    algorithm: Algorithm,
    padding_mode: PaddingMode,
}

parameters!(Conv1d<T> { weight, bias });

const OP1: &str = "conv1d";

/// The axes with one of size 1 for the height.
fn with_height(op: &'static str, expected: &str, shape: Shape) -> Result<[usize; 4]> {
    match *shape.dims() {
        [n, c, l] => Ok([n, c, 1, l]),
        _ => Err(Error::Shape { op, expected: expected.into(), got: shape }),
    }
}

impl<T: Scalar> Conv1d<T> {
    /// A layer with the default initialization.
    ///
    /// # Errors
    /// As [`Conv2d::new`].
    pub fn new(shape: ConvShape<1>, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        Self::with_init(shape, |dims, fans| Init::he_normal().tensor(dims, fans, rng))
    }

    /// A layer whose weights `init` makes, given their shape `[K, C/G, F]` and their fans; the bias is 0.
    ///
    /// # Errors
    /// As [`Conv2d::with_init`].
    pub fn with_init(
        shape: ConvShape<1>,
        init: impl FnOnce([usize; 3], Fans) -> Result<Tensor<T>>,
    ) -> Result<Self> {
        let group = checked(OP1, &shape)?;
        let [window] = shape.windows;
        let fans = Fans::conv(shape.in_channels, shape.out_channels, shape.groups, &[window.size])?;
        let weight = init([shape.out_channels, group, window.size], fans)?;
        let bias = if shape.bias { Some(Tensor::zeros([shape.out_channels])?) } else { None };
        Self::from_tensors(shape, weight, bias)
    }

    /// A layer with these weights, `[K, C/G, F]`, and this bias, `[K]`.
    ///
    /// # Errors
    /// As [`Conv2d::from_tensors`].
    pub fn from_tensors(shape: ConvShape<1>, weight: Tensor<T>, bias: Option<Tensor<T>>) -> Result<Self> {
        let group = checked(OP1, &shape)?;
        let [window] = shape.windows;
        expect(OP1, "weight", &[shape.out_channels, group, window.size], weight.shape())?;
        expect_bias(OP1, shape.bias, shape.out_channels, bias.as_ref())?;
        let (weight, bias) = (Var::parameter(weight), bias.map(Var::parameter));
        Ok(Self { weight, bias, shape, algorithm: Algorithm::Automatic, padding_mode: PaddingMode::Zeros })
    }

    /// The same layer without a bias: before a normalisation that has one, it would be lost.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { bias: None, shape: self.shape.without_bias(), ..self }
    }

    /// The same layer, computed in this way.
    #[must_use]
    pub fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The same layer with something else than zeros beyond the edge: the image is padded first, and then convolved.
    ///
    /// ```
    /// use gradus_autograd::{Layer, Mode, Var};
    /// use gradus_cnn::{Conv1d, ConvShape, PaddingMode, Window};
    /// use gradus_tensor::Tensor;
    /// let shape = ConvShape::new(1, 1, [Window::new(2).padded_by(1, 0)]).without_bias();
    /// let difference = Conv1d::from_tensors(shape, Tensor::from([[[-1.0, 1.0]]; 1]), None)?;
    /// let x = Var::constant(Tensor::from([[[5.0, 7.0, 10.0]]; 1]));
    /// assert_eq!(difference.forward(&x, &mut Mode::Eval)?.value().as_slice(), [5.0, 2.0, 3.0]);
    /// let around = difference.padding_mode(PaddingMode::Circular);
    /// assert_eq!(around.forward(&x, &mut Mode::Eval)?.value().as_slice(), [-5.0, 2.0, 3.0]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    #[must_use]
    pub fn padding_mode(self, padding_mode: PaddingMode) -> Self {
        Self { padding_mode, ..self }
    }

    /// What the layer was made of: channels, groups, window.
    #[must_use]
    pub fn shape(&self) -> ConvShape<1> {
        self.shape
    }
}

impl<T: Scalar> Layer<T> for Conv1d<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        let Self { algorithm, padding_mode, .. } = *self;
        let windows = [Window::new(1), self.shape.windows[0]];
        let way = Way { windows, groups: self.shape.groups, algorithm, padding_mode };
        // Nothing is copied: the same numbers under shapes with a height.
        let images = x.reshape(with_height(OP1, "x of the shape [N, C, L]", x.shape())?)?;
        let weight = with_height(OP1, "weight of the shape [K, C/G, F]", self.weight.shape())?;
        let y = way.convolved(&images, &self.weight.reshape(weight)?, self.bias.as_ref())?;
        y.remove_axis(2)
    }
}
