//! The dense layer: every output is a weighted sum of all inputs, and a bias.

use crate::refuse;
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};
use rand::Rng;

pub(crate) const FORMULA: Formula = Formula {
    id: "linear-layer",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The dense layer",
    latex: r"y_{ik} = \sum_{j=1}^{D} x_{ij} W_{jk} + b_k",
    unicode: "yᵢₖ = Σⱼ xᵢⱼ·Wⱼₖ + bₖ",
    symbols: &[
        Symbol {
            latex: "x", code: "x", meaning: "the inputs, a sample a row", shape: "[…, D]", unit: "any"
        },
        Symbol {
            latex: "W",
            code: "weight",
            meaning: "the weights, an input a row, an output a column",
            shape: "[D, K]",
            unit: "output per input",
        },
        Symbol {
            latex: "b",
            code: "bias",
            meaning: "the bias, one an output",
            shape: "[K]",
            unit: "that of the outputs",
        },
    ],
    source: "Rosenblatt 1958; Goodfellow, Bengio & Courville 2016, §6.1",
    item: item!(fn linear),
    chapter: "layers",
    printed: None,
};

/// x·W + b: the dense (fully connected) layer.
///
/// **Formula** `linear-layer`: yᵢₖ = Σⱼ xᵢⱼ·Wⱼₖ + bₖ.
///
/// **Shapes**: x `[…, D]`, weight `[D, K]`, bias `[K]`; the result `[…, K]`. PyTorch keeps the transpose, `[K, D]`.
/// **Units**: those of the data.
///
/// **Gradient**: dy·Wᵀ in x, xᵀ·dy in W, the column sums of dy in b: [`Affine`].
///
/// **Numerics**: one product with the bias added while the row is in the cache; sums in a fixed order.
///
/// **Errors**: sizes that do not fit.
///
/// **Source**: Rosenblatt 1958; Goodfellow, Bengio & Courville 2016, §6.1.
///
/// ```
/// use gradus_layers::linear;
/// use gradus_tensor::Tensor;
/// let (x, w) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[1.0, 0.0, 3.0], [0.0, 10.0, 4.0]]));
/// let y = linear(&x, &w, &Tensor::from([0.5, 0.0, -1.0]))?;
/// assert_eq!(y, Tensor::from([[1.5, 20.0, 10.0]]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn linear<T: Scalar>(x: &Tensor<T>, weight: &Tensor<T>, bias: &Tensor<T>) -> Result<Tensor<T>> {
    Affine.eval([x, weight, bias])
}

/// [`linear`] as an operation on `[x, weight, bias]`, or on `[x, weight]` without a bias.
#[derive(Debug, Clone, Copy)]
pub struct Affine;

/// The samples of x as the rows of a matrix.
fn rows<T: Scalar>(x: &Tensor<T>) -> Result<Tensor<T>> {
    match *x.dims() {
        [ref samples @ .., d] => x.reshape([samples.iter().product(), d]),
        [] => Err(refuse::shape("linear", "at least one dimension", x.shape())),
    }
}

/// The derivatives in x and in W. What dy is worth is checked by the products.
fn products<T: Scalar>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    dy: &Tensor<T>,
    [wants_x, wants_weight]: [bool; 2],
) -> Result<[Option<Tensor<T>>; 2]> {
    // ∂L/∂x = dy·Wᵀ
    let dx = || rows(dy)?.product(Transpose::No, weight, Transpose::Yes)?.reshape(x.shape());
    // ∂L/∂W = xᵀ·dy
    let dw = || rows(x)?.product(Transpose::Yes, &rows(dy)?, Transpose::No);
    Ok([if wants_x { Some(dx()?) } else { None }, if wants_weight { Some(dw()?) } else { None }])
}

impl<T: Scalar> Op<T, 3> for Affine {
    /// Nothing: the derivatives need the inputs only.
    type Saved = ();

    fn forward(&self, [x, weight, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, ())> {
        Ok((x.affine(weight, bias)?, ()))
    }

    fn vjp(
        &self,
        [x, weight, _]: [&Tensor<T>; 3],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let [dx, dw] = products(x, weight, dy, [wants_x, wants_weight])?;
        // ∂L/∂b: every row adds b, so every row of dy comes back.
        Ok([dx, dw, if wants_bias { Some(rows(dy)?.sum_axis(0)?) } else { None }])
    }
}

impl<T: Scalar> Op<T, 2> for Affine {
    /// Nothing: the derivatives need the inputs only.
    type Saved = ();

    fn forward(&self, [x, weight]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        let y = rows(x)?.matmul(weight)?;
        let (samples, outputs) = (&x.dims()[..x.rank() - 1], y.dims()[1]);
        Ok((y.reshape([samples, &[outputs]].concat())?, ()))
    }

    fn vjp(
        &self,
        [x, weight]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        wants: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        products(x, weight, dy, wants)
    }
}

/// [`linear`] as a layer. Its state is `weight` and, if it has one, `bias`.
///
/// The weights lie as `[inputs, outputs]`, so that y = x·W as it is written; PyTorch's are the transpose.
///
/// **Default**: weights from a normal distribution of variance 2/inputs (He, for ReLU networks), bias 0.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_layers::Linear;
/// use gradus_tensor::Tensor;
/// use rand::{SeedableRng, rngs::ChaCha8Rng};
/// let layer = Linear::<f32>::new(784, 10, &mut ChaCha8Rng::seed_from_u64(1))?;
/// let y = layer.forward(&Var::constant(Tensor::zeros([32, 784])?), &mut Mode::Eval)?;
/// assert_eq!((y.shape().dims(), layer.parameter_count()), (&[32, 10][..], 7850));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Linear<T: Scalar = f32> {
    /// W, `[inputs, outputs]`.
    pub weight: Var<T>,
    /// b, `[outputs]`.
    pub bias: Option<Var<T>>,
}

parameters!(Linear<T> { weight, bias });

impl<T: Scalar> Linear<T> {
    /// A layer with the default initialization.
    ///
    /// # Errors
    /// If there are no inputs or no outputs.
    pub fn new(inputs: usize, outputs: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Self> {
        let fans = Fans::dense(inputs, outputs);
        Self::with_init(inputs, outputs, |shape| Init::he_normal().tensor(shape, fans, rng))
    }

    /// A layer whose weights `init` makes, given their shape `[inputs, outputs]`; the bias is 0.
    ///
    /// ```
    /// use gradus_layers::Linear;
    /// use gradus_tensor::Tensor;
    /// let layer = Linear::with_init(2, 3, |shape| Tensor::full(shape, 0.5))?;
    /// assert_eq!(layer.weight.value(), Tensor::from([[0.5; 3]; 2]));
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there are no inputs or no outputs, `init` fails, or what it makes has another shape.
    pub fn with_init(
        inputs: usize,
        outputs: usize,
        init: impl FnOnce([usize; 2]) -> Result<Tensor<T>>,
    ) -> Result<Self> {
        refuse::none("linear", "inputs", inputs)?;
        refuse::none("linear", "outputs", outputs)?;
        let weight = init([inputs, outputs])?;
        refuse::parameter("linear", "weight", &[inputs, outputs], weight.shape())?;
        Self::from_tensors(weight, Some(Tensor::zeros([outputs])?))
    }

    /// A layer with these weights, `[inputs, outputs]`, and this bias, if any, `[outputs]`.
    ///
    /// # Errors
    /// If the weights are no matrix, or the bias has another number of elements than they have columns.
    pub fn from_tensors(weight: Tensor<T>, bias: Option<Tensor<T>>) -> Result<Self> {
        let &[_, outputs] = weight.dims() else {
            return Err(refuse::shape("linear", "weight of the shape [inputs, outputs]", weight.shape()));
        };
        if let Some(bias) = &bias {
            refuse::parameter("linear", "bias", &[outputs], bias.shape())?;
        }
        Ok(Self { weight: Var::parameter(weight), bias: bias.map(Var::parameter) })
    }

    /// The same layer without a bias: before a normalisation that has one, it would be lost.
    #[must_use]
    pub fn without_bias(self) -> Self {
        Self { bias: None, ..self }
    }
}

impl<T: Scalar> Layer<T> for Linear<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        match &self.bias {
            Some(bias) => Var::apply(Affine, [x, &self.weight, bias]),
            None => Var::apply(Affine, [x, &self.weight]),
        }
    }
}
