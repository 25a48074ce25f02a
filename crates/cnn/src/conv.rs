//! Convolution: every output is a weighted sum of what lies below a small window, and the weights are the same everywhere.

use crate::kernel::{self, Algorithm, Finish, Operands, Sizes};
use crate::{ConvShape, Geometry, Window};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{BLOCK, for_each_block, sum_by};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

const X: Symbol = Symbol { latex: "x", code: "x", meaning: "the images", shape: "[N, C, H, W]", unit: "any" };
const WEIGHT: Symbol = Symbol {
    latex: "w",
    code: "weight",
    meaning: "the filters: for each output channel k the taps of each input channel of its group",
    shape: "[K, C/G, F, F']",
    unit: "output per input",
};
const BIAS: Symbol = Symbol {
    latex: "b",
    code: "bias",
    meaning: "the bias, one an output channel",
    shape: "[K]",
    unit: "that of the outputs",
};
const TAPS: Symbol = Symbol {
    latex: "u, v",
    code: "tap",
    meaning: "the tap of the window, down and across",
    shape: "[]",
    unit: "index",
};

pub(crate) const FORMULA: Formula = Formula {
    id: "conv-forward",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Convolution",
    latex: r"y_{nkij} = b_k + \sum_{c,u,v} w_{kcuv}\, x_{n,\,c,\;iS + uD - P,\;jS' + vD' - P'}",
    unicode: "yₙₖᵢⱼ = bₖ + Σ w[k, c, u, v]·x[n, c, iS + uD − P, jS' + vD' − P']",
    symbols: &[X, WEIGHT, BIAS, TAPS, crate::symbols::S, crate::symbols::D, crate::symbols::P],
    source: "LeCun et al. 1989; Goodfellow, Bengio & Courville 2016, §9.1, eq. 9.6; Dumoulin & Visin 2016",
    item: item!(fn conv2d),
    chapter: "convolution",
    printed: None,
};

pub(crate) const FORMULA_BACKWARD: Formula = Formula {
    id: "conv-backward",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The gradients of a convolution",
    latex: r"\frac{\partial L}{\partial x_{nchl}} = \sum_{k,i,j,u,v} w_{kcuv}\, \frac{\partial L}{\partial y_{nkij}}, \qquad \frac{\partial L}{\partial w_{kcuv}} = \sum_{n,i,j} x_{nchl}\, \frac{\partial L}{\partial y_{nkij}}, \qquad \begin{aligned} h &= iS + uD - P \\ l &= jS' + vD' - P' \end{aligned}",
    unicode: "∂L/∂x[n, c, h, l] = Σ w[k, c, u, v]·∂L/∂y[n, k, i, j], ∂L/∂w[k, c, u, v] = Σ x[n, c, h, l]·∂L/∂y[n, k, i, j]; h = iS + uD − P, l = jS' + vD' − P'",
    symbols: &[X, WEIGHT, TAPS, crate::symbols::S, crate::symbols::D, crate::symbols::P],
    source: "LeCun et al. 1989; Goodfellow, Bengio & Courville 2016, §9.5, eqs. 9.11 and 9.13",
    item: item!(struct Convolution),
    chapter: "convolution",
    printed: None,
};

/// The convolution of images with filters; in mathematics it is called cross-correlation, as the filters are not turned around.
///
/// **Formula** `conv-forward`: y\[n, k, i, j\] = b\[k\] + Σ w\[k, c, u, v\]·x\[n, c, iS + uD − P, jS' + vD' − P'\], the sum over c, u, v; outside of
/// the image x is 0.
///
/// **Shapes**: x `[N, C, H, W]`, weight `[K, C, F, F']`, bias `[K]`; the result `[N, K, O, O']` with the O of [`Window::output`]. The windows' sizes
/// are F and F'. **Units**: those of the data.
///
/// **Gradient**: [`Convolution`].
///
/// **Numerics**: sums in an order that depends on the sizes alone: the same bits for any number of threads.
///
/// **Errors**: shapes that do not fit each other or the windows, a geometry in which no window fits.
///
/// **Source**: LeCun et al. 1989; Goodfellow, Bengio & Courville 2016, §9.1.
///
/// ```
/// use gradus_cnn::{Window, conv2d};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]).reshape([1, 1, 3, 3])?;
/// let right_minus_left = Tensor::from([[-1.0, 1.0]]).reshape([1, 1, 1, 2])?;
/// let y = conv2d(&x, &right_minus_left, None, [Window::new(1), Window::new(2)])?;
/// assert_eq!((y.dims(), y.as_slice()), (&[1, 1, 3, 2][..], &[1.0; 6][..]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn conv2d<T: Scalar>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    windows: [Window; 2],
) -> Result<Tensor<T>> {
    Convolution::new(windows).value(x, weight, bias)
}

/// [`conv2d`] with groups, as an operation on `[x, weight, bias]`, or on `[x, weight]` without a bias.
///
/// **Formula** `conv-backward`: each product w·x of the sum gives w·dy to the gradient of its x, and x·dy to that of its w; dy itself goes to
/// the bias.
///
/// **Groups**: the channels are cut into G groups, each with its own filters, `[K, C/G, F, F']`. With G = C each channel is convolved by itself:
/// a depthwise convolution.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_cnn::{Convolution, Window};
/// use gradus_tensor::Tensor;
/// let (x, w) = (Tensor::from([[[[1.0, 2.0, 3.0]]]; 1]), Tensor::from([[[[10.0, 1.0]]]; 1]));
/// let op = Convolution::new([Window::new(1), Window::new(2)]);
/// let (y, ()) = op.forward([&x, &w])?;
/// assert_eq!(y.as_slice(), [12.0, 23.0]);
/// let [dx, dw] = op.vjp([&x, &w], &(), &Tensor::ones([1, 1, 1, 2])?, [true, true])?;
/// assert_eq!(dx.map(|dx| dx.as_slice().to_vec()), Some(vec![10.0, 11.0, 1.0]));
/// assert_eq!(dw.map(|dw| dw.as_slice().to_vec()), Some(vec![3.0, 5.0]));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Convolution {
    windows: [Window; 2],
    groups: usize,
    algorithm: Algorithm,
}

impl Convolution {
    /// With a window down and a window across, and one group.
    #[must_use]
    pub const fn new(windows: [Window; 2]) -> Self {
        Self { windows, groups: 1, algorithm: Algorithm::Automatic }
    }

    /// The same with the channels in so many groups.
    #[must_use]
    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same, computed in this way.
    #[must_use]
    pub const fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The result, with or without a bias.
    ///
    /// # Errors
    /// As [`conv2d`].
    pub fn value<T: Scalar>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
    ) -> Result<Tensor<T>> {
        self.finished(x, weight, bias, false)
    }

    /// max(0, y) of the result y, taken while it is in the cache: a convolution with the ReLU that follows it. A NaN stays one.
    ///
    /// ```
    /// use gradus_cnn::{Convolution, Window};
    /// use gradus_tensor::Tensor;
    /// let (x, w) = (Tensor::from([[[[1.0, 4.0, 2.0]]]; 1]), Tensor::from([[[[-1.0, 1.0]]]; 1]));
    /// let difference = Convolution::new([Window::new(1), Window::new(2)]);
    /// assert_eq!(difference.value(&x, &w, None)?.as_slice(), [3.0, -2.0]);
    /// assert_eq!(difference.rectified(&x, &w, None)?.as_slice(), [3.0, 0.0]);
    /// # Ok::<(), gradus_tensor::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`conv2d`].
    pub fn rectified<T: Scalar>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
    ) -> Result<Tensor<T>> {
        self.finished(x, weight, bias, true)
    }

    fn finished<T: Scalar>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
        rectify: bool,
    ) -> Result<Tensor<T>> {
        let sizes = self.sizes(OP, x.shape(), weight.shape())?;
        if let Some(bias) = bias {
            expect(OP, "bias", &[sizes.shape.out_channels], bias.shape())?;
        }
        let operands = Operands { x: x.as_slice(), weight: weight.as_slice() };
        let finish = Finish { bias: bias.map(Tensor::as_slice), rectify };
        kernel::forward(self.algorithm, &sizes, operands, finish)
    }

    /// The sizes, if the shapes of x and of the weights fit.
    pub(crate) fn sizes(&self, op: &'static str, x: Shape, weight: Shape) -> Result<Sizes> {
        let &[batch, channels, height, width] = x.dims() else {
            return Err(Error::Shape { op, expected: "x of the shape [N, C, H, W]".into(), got: x });
        };
        let &[outputs, ..] = weight.dims() else {
            let expected = "weight of the shape [K, C/G, F, F']".into();
            return Err(Error::Shape { op, expected, got: weight });
        };
        let shape = ConvShape::new(channels, outputs, self.windows).groups(self.groups);
        let during = |geometry: Geometry| geometry.during(op);
        let group = shape.group_channels().map_err(during)?;
        let sizes = Sizes::new(shape, batch, [height, width]).map_err(during)?;
        let [down, across] = self.windows.map(|w| w.size);
        expect(op, "weight", &[outputs, group, down, across], weight)?;
        if let Some((value, allowed)) = self.algorithm.refuses(&sizes) {
            let value = format!("{:?} with {value}", self.algorithm);
            return Err(Error::Argument { op, name: "algorithm", value, allowed: allowed.into() });
        }
        Ok(sizes)
    }

    /// The gradients of x, weight and bias, as far as they are wanted.
    fn gradients<T: Scalar>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let sizes = self.sizes(OP, x.shape(), weight.shape())?;
        expect(OP, "dy", &sizes.output_dims(), dy.shape())?;
        let (w, x, y) = (weight.as_slice(), x.as_slice(), dy.as_slice());
        let dx = wants_x.then(|| kernel::by_data(self.algorithm, &sizes, w, y)).transpose()?;
        let dw = wants_weight.then(|| kernel::by_weights(self.algorithm, &sizes, x, y)).transpose()?;
        let db = wants_bias.then(|| over_positions(dy)).transpose()?;
        Ok([dx, dw, db])
    }
}

const OP: &str = "conv2d";

/// A tensor has exactly this shape.
pub(crate) fn expect(op: &'static str, name: &'static str, expected: &[usize], got: Shape) -> Result<()> {
    if got.dims() == expected {
        return Ok(());
    }
    Err(Error::Shape { op, expected: format!("{name} of the shape {expected:?}"), got })
}

/// The sum over samples and positions, one a channel.
pub(crate) fn over_positions<T: Scalar>(dy: &Tensor<T>) -> Result<Tensor<T>> {
    let &[batch, channels, height, width] = dy.dims() else {
        return Err(Error::Shape {
            op: OP,
            expected: "dy of the shape [N, K, O, O']".into(),
            got: dy.shape(),
        });
    };
    let plane = height * width;
    let together = (BLOCK / plane.max(1)).max(1);
    let planes = Tensor::compute([batch, channels], |sums| {
        for_each_block(sums, together, |i, sums| {
            for (p, sum) in sums.iter_mut().enumerate() {
                *sum = sum_by(&dy.as_slice()[(i * together + p) * plane..][..plane], |x| x);
            }
        });
    })?;
    planes.sum_axis(0)
}

impl<T: Scalar> Op<T, 3> for Convolution {
    /// Nothing: the derivatives need the inputs only.
    type Saved = ();

    fn forward(&self, [x, weight, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, ())> {
        Ok((self.value(x, weight, Some(bias))?, ()))
    }

    fn vjp(
        &self,
        [x, weight, _]: [&Tensor<T>; 3],
        (): &(),
        dy: &Tensor<T>,
        wants: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        self.gradients(x, weight, dy, wants)
    }
}

impl<T: Scalar> Op<T, 2> for Convolution {
    /// Nothing: the derivatives need the inputs only.
    type Saved = ();

    fn forward(&self, [x, weight]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((self.value(x, weight, None)?, ()))
    }

    fn vjp(
        &self,
        [x, weight]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_weight]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let [dx, dw, _] = self.gradients(x, weight, dy, [wants_x, wants_weight, false])?;
        Ok([dx, dw])
    }
}
