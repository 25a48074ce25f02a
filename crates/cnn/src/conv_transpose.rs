//! The transposed convolution: what a convolution does to gradients, as a layer of its own.

use crate::conv::{expect, over_positions};
use crate::kernel::{self, Algorithm, Finish, Operands, Sizes};
use crate::{ConvShape, Geometry, Window};
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "transposed-conv",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The transposed convolution",
    latex: r"y_{nkhl} = b_k + \sum_{c,i,j,u,v} w_{ckuv}\, x_{ncij} \qquad \text{over all with} \qquad \begin{aligned} h &= iS + uD - P \\ l &= jS' + vD' - P' \end{aligned}",
    unicode: "y[n, k, h, l] = b[k] + Σ w[c, k, u, v]·x[n, c, i, j] over all i, j, u, v with iS + uD − P = h and jS' + vD' − P' = l",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the images", shape: "[N, C, H, W]", unit: "any" },
        Symbol {
            latex: "w",
            code: "weight",
            meaning: "the filters: those of a convolution from K channels to C",
            shape: "[C, K/G, F, F']",
            unit: "output per input",
        },
        Symbol {
            latex: "b",
            code: "bias",
            meaning: "the bias, one an output channel",
            shape: "[K]",
            unit: "that of the outputs",
        },
        crate::symbols::S,
        crate::symbols::D,
        crate::symbols::P,
    ],
    source: "Zeiler, Krishnan, Taylor & Fergus 2010; Dumoulin & Visin 2016, §4",
    item: item!(fn conv_transpose2d),
    chapter: "convolution",
    printed: None,
};

/// The transposed convolution of images with filters: each pixel lays the filter, times its value, on the output.
///
/// **Formula** `transposed-conv`: y\[n, k, h, l\] = b\[k\] + Σ w\[c, k, u, v\]·x\[n, c, i, j\], the sum over all c, i, j, u, v with iS + uD − P = h and
/// jS' + vD' − P' = l.
///
/// **Shapes**: x `[N, C, H, W]`, weight `[C, K, F, F']`, bias `[K]`; the result `[N, K, O, O']` with the O of
/// [`Window::transposed_output`]. **Units**: those of the data.
///
/// **Gradient**: the convolution of dy with the same filters in x: [`TransposedConvolution`].
///
/// **Numerics**: as [`conv2d`](crate::conv2d).
///
/// **Errors**: shapes that do not fit each other or the windows, an output padding that no size needs, padding that cuts everything off.
///
/// **Source**: Zeiler, Krishnan, Taylor & Fergus 2010; Dumoulin & Visin 2016, §4.
///
/// ```
/// use gradus_cnn::{Window, conv_transpose2d};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([1.0, 10.0]).reshape([1, 1, 1, 2])?;
/// let w = Tensor::from([1.0, 2.0, 3.0]).reshape([1, 1, 1, 3])?;
/// let y = conv_transpose2d(&x, &w, None, [Window::new(1), Window::new(3).stride(2)])?;
/// assert_eq!(y.as_slice(), [1.0, 2.0, 3.0 + 10.0, 20.0, 30.0]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn conv_transpose2d<T: Scalar>(
    x: &Tensor<T>,
    weight: &Tensor<T>,
    bias: Option<&Tensor<T>>,
    windows: [Window; 2],
) -> Result<Tensor<T>> {
    TransposedConvolution::new(windows).value(x, weight, bias)
}

/// [`conv_transpose2d`] with groups and output padding, as an operation on `[x, weight, bias]`, or on `[x, weight]` without a bias.
///
/// **Output padding**: S sizes of an image give the same size when they are convolved; which of them the way back leads to has to be said.
///
/// ```
/// use gradus_cnn::{TransposedConvolution, Window};
/// use gradus_tensor::Tensor;
/// let halved = Window::new(3).stride(2).padded(1); // 7 and 8 elements give 4
/// let op = TransposedConvolution::new([Window::new(1), halved]);
/// let (x, w) = (Tensor::<f64>::ones([1, 1, 1, 4])?, Tensor::ones([1, 1, 1, 3])?);
/// assert_eq!(op.value(&x, &w, None)?.dims(), [1, 1, 1, 7]);
/// assert_eq!(op.output_padding([0, 1]).value(&x, &w, None)?.dims(), [1, 1, 1, 8]);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransposedConvolution {
    windows: [Window; 2],
    groups: usize,
    output_padding: [usize; 2],
    algorithm: Algorithm,
}

const OP: &str = "conv_transpose2d";

impl TransposedConvolution {
    /// With the windows of the convolution that it is the transpose of, and one group.
    #[must_use]
    pub const fn new(windows: [Window; 2]) -> Self {
        Self { windows, groups: 1, output_padding: [0, 0], algorithm: Algorithm::Automatic }
    }

    /// The same with the channels in so many groups.
    #[must_use]
    pub const fn groups(self, groups: usize) -> Self {
        Self { groups, ..self }
    }

    /// The same with so many more rows and columns, after the others.
    #[must_use]
    pub const fn output_padding(self, output_padding: [usize; 2]) -> Self {
        Self { output_padding, ..self }
    }

    /// The same, computed in this way.
    #[must_use]
    pub const fn by(self, algorithm: Algorithm) -> Self {
        Self { algorithm, ..self }
    }

    /// The result, with or without a bias.
    ///
    /// # Errors
    /// As [`conv_transpose2d`].
    pub fn value<T: Scalar>(
        &self,
        x: &Tensor<T>,
        weight: &Tensor<T>,
        bias: Option<&Tensor<T>>,
    ) -> Result<Tensor<T>> {
        let sizes = self.sizes(x.shape(), weight.shape())?;
        let mut y = kernel::by_data(self.algorithm, &sizes, weight.as_slice(), x.as_slice())?;
        if let Some(bias) = bias {
            expect(OP, "bias", &[sizes.shape.in_channels], bias.shape())?;
            let plane = sizes.input[0] * sizes.input[1];
            for (y, &b) in y.as_mut_slice().chunks_exact_mut(plane).zip(bias.as_slice().iter().cycle()) {
                y.iter_mut().for_each(|y| *y += b);
            }
        }
        Ok(y)
    }

    /// The sizes of the convolution that this is the transpose of: its input is our output.
    fn sizes(&self, x: Shape, weight: Shape) -> Result<Sizes> {
        let &[batch, channels, height, width] = x.dims() else {
            return Err(Error::Shape { op: OP, expected: "x of the shape [N, C, H, W]".into(), got: x });
        };
        let &[_, each, ..] = weight.dims() else {
            let expected = "weight of the shape [C, K/G, F, F']".into();
            return Err(Error::Shape { op: OP, expected, got: weight });
        };
        let during = |geometry: Geometry| geometry.during(OP);
        let [down, across] = self.windows;
        let output = [
            down.transposed_output(height, self.output_padding[0]).map_err(during)?,
            across.transposed_output(width, self.output_padding[1]).map_err(during)?,
        ];
        let outputs = each.checked_mul(self.groups).ok_or_else(|| {
            during(Geometry::TooLarge { name: "groups", value: self.groups, most: usize::MAX / each.max(1) })
        })?;
        let shape = ConvShape::new(outputs, channels, self.windows).groups(self.groups);
        let sizes = Sizes::new(shape, batch, output).map_err(during)?;
        expect(OP, "weight", &[channels, each, down.size, across.size], weight)?;
        if self.algorithm == Algorithm::Depthwise && each != 1 {
            let (value, allowed) = (format!("Depthwise with {each} output channels a group"), "1".into());
            return Err(Error::Argument { op: OP, name: "algorithm", value, allowed });
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
        let sizes = self.sizes(x.shape(), weight.shape())?;
        let [height, width] = sizes.input;
        expect(OP, "dy", &[sizes.batch, sizes.shape.in_channels, height, width], dy.shape())?;
        let operands = || Operands { x: dy.as_slice(), weight: weight.as_slice() };
        let dx = wants_x
            .then(|| kernel::forward(self.algorithm, &sizes, operands(), Finish::NOTHING))
            .transpose()?;
        let (dy_slice, x_slice) = (dy.as_slice(), x.as_slice());
        let dw = wants_weight
            .then(|| kernel::by_weights(self.algorithm, &sizes, dy_slice, x_slice))
            .transpose()?;
        let db = wants_bias.then(|| over_positions(dy)).transpose()?;
        Ok([dx, dw, db])
    }
}

impl<T: Scalar> Op<T, 3> for TransposedConvolution {
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

impl<T: Scalar> Op<T, 2> for TransposedConvolution {
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
