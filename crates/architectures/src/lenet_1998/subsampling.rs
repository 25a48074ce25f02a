//! Subsampling that is learned: the sum of four, times a number, plus another one.

use crate::lenet::HALF;
use crate::{Own, Plain, expect, refused};
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_cnn::{Conv2d, ConvShape};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::{for_each_block, for_each_block_of_two, vectorize};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "trainable-subsampling",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Subsampling that is learned",
    latex: r"y_{ncij} = w_c \sum_{u=0}^{1} \sum_{v=0}^{1} x_{nc,\,2i+u,\,2j+v} + b_c",
    unicode: "y[n, c, i, j] = w[c]·Σ x[n, c, 2i + u, 2j + v] + b[c], over u and v of 0 and 1",
    symbols: &[
        Symbol {
            latex: "x",
            code: "x",
            meaning: "the maps, of even height and width",
            shape: "[N, C, H, W]",
            unit: "any",
        },
        Symbol {
            latex: "w",
            code: "weight",
            meaning: "the coefficient of each map",
            shape: "[C]",
            unit: "output per input",
        },
        Symbol {
            latex: "b",
            code: "bias",
            meaning: "the bias of each map",
            shape: "[C]",
            unit: "that of the output",
        },
    ],
    source: "LeCun, Bottou, Bengio & Haffner 1998, §II.B, layer S2",
    item: item!(fn subsample),
    chapter: "lenet",
    printed: None,
};

/// The sum of each square of 2 × 2, times a coefficient, plus a bias, both of its map.
///
/// **Formula** `trainable-subsampling`: y\[n, c, i, j\] = w\[c\]·Σ x\[n, c, 2i + u, 2j + v\] + b\[c\].
///
/// **Shapes**: x `[N, C, H, W]`, H and W even; w and b `[C]`; the result `[N, C, H/2, W/2]`. **Units**: any. With w = ¼ and b = 0 it is an
/// average pooling.
///
/// **Gradient**: each of the four pixels gets w·dy; the coefficient gets Σ dy·(the sum of four), the bias Σ dy, over samples and positions.
///
/// **Numerics**: the two rows of a square are added first, then the two columns.
///
/// **Errors**: another rank, an odd height or width, another number of coefficients or biases than maps.
///
/// **Source**: LeCun, Bottou, Bengio & Haffner 1998, §II.B, layer S2.
///
/// ```
/// use gradus_architectures::subsample;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 2.0, 5.0, 5.0], [3.0, 4.0, 5.0, 5.0]]).reshape([1, 1, 2, 4])?;
/// let y = subsample(&x, &Tensor::from([0.5]), &Tensor::from([1.0]))?;
/// assert_eq!(y.as_slice(), [6.0, 11.0]); // ½·10 + 1, ½·20 + 1
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn subsample<T: Scalar>(x: &Tensor<T>, weight: &Tensor<T>, bias: &Tensor<T>) -> Result<Tensor<T>> {
    Subsample.eval([x, weight, bias])
}

const OP: &str = "subsample";

/// [`subsample`] as an operation on `[x, weight, bias]`.
#[derive(Debug, Clone, Copy)]
pub struct Subsample;

/// N, C, H and W, if H and W are even and there is a number for each map.
fn sizes(x: Shape, weight: Shape, bias: Shape) -> Result<[usize; 4]> {
    let &[n, c, h, w] = x.dims() else {
        return Err(Error::Shape { op: OP, expected: "x of the shape [N, C, H, W]".into(), got: x });
    };
    if h % 2 != 0 || w % 2 != 0 || h * w == 0 {
        return Err(refused(OP, "height and width", format!("{h}×{w}"), "even numbers above 0"));
    }
    expect(OP, "weight", &[c], weight)?;
    expect(OP, "bias", &[c], bias)?;
    Ok([n, c, h, w])
}

/// The sums of the squares of 2 × 2 of a plane.
#[inline(always)]
fn sums<T: Scalar>(x: &[T], width: usize, out: &mut [T]) {
    for (rows, out) in x.chunks_exact(2 * width).zip(out.chunks_exact_mut(width / 2)) {
        let (upper, lower) = rows.split_at(width);
        let (upper, lower) = (upper.as_chunks::<2>().0, lower.as_chunks::<2>().0);
        for ((y, a), b) in out.iter_mut().zip(upper).zip(lower) {
            *y = (a[0] + b[0]) + (a[1] + b[1]);
        }
    }
}

impl<T: Scalar> Op<T, 3> for Subsample {
    /// The sums of four, `[N, C, H/2, W/2]`: the coefficients' gradient needs them.
    type Saved = Tensor<T>;

    fn forward(&self, [x, weight, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, Tensor<T>)> {
        let [n, c, h, w] = sizes(x.shape(), weight.shape(), bias.shape())?;
        let (plane, quarter) = (h * w, h * w / 4);
        let mut saved = Tensor::zeros([n, c, h / 2, w / 2])?;
        let y = Tensor::compute([n, c, h / 2, w / 2], |y| {
            for_each_block_of_two((y, quarter), (saved.as_mut_slice(), quarter), |p, y, s| {
                let x = &x.as_slice()[p * plane..][..plane];
                let (weight, bias) = (weight.as_slice()[p % c], bias.as_slice()[p % c]);
                vectorize(
                    #[inline(always)]
                    || {
                        sums(x, w, s);
                        y.iter_mut().zip(&*s).for_each(|(y, s)| *y = weight * *s + bias);
                    },
                );
            });
        })?;
        Ok((y, saved))
    }

    fn vjp(
        &self,
        [x, weight, bias]: [&Tensor<T>; 3],
        sums: &Tensor<T>,
        dy: &Tensor<T>,
        [wants_x, wants_weight, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let [n, c, h, w] = sizes(x.shape(), weight.shape(), bias.shape())?;
        expect(OP, "dy", &[n, c, h / 2, w / 2], dy.shape())?;
        let (plane, quarter) = (h * w, h * w / 4);
        let spread = || {
            Tensor::compute([n, c, h, w], |dx| {
                for_each_block(dx, plane, |p, dx| {
                    let dy = &dy.as_slice()[p * quarter..][..quarter];
                    let weight = weight.as_slice()[p % c];
                    vectorize(
                        #[inline(always)]
                        || {
                            for (rows, dy) in dx.chunks_exact_mut(2 * w).zip(dy.chunks_exact(w / 2)) {
                                let (upper, lower) = rows.split_at_mut(w);
                                let (upper, lower) =
                                    (upper.as_chunks_mut::<2>().0, lower.as_chunks_mut::<2>().0);
                                for ((a, b), dy) in upper.iter_mut().zip(lower).zip(dy) {
                                    let share = weight * *dy;
                                    (*a, *b) = ([share; 2], [share; 2]);
                                }
                            }
                        },
                    );
                });
            })
        };
        // One sum a map, of all samples and positions.
        let a_map = |dy: &Tensor<T>| dy.reshape([n, c, quarter])?.sum_axis(2)?.sum_axis(0);
        Ok([
            wants_x.then(spread).transpose()?,
            wants_weight.then(|| a_map(&dy.mul(sums)?)).transpose()?,
            wants_bias.then(|| a_map(dy)).transpose()?,
        ])
    }
}

/// [`subsample`] as a layer: S2 and S4 of [`LeNet1998`](crate::LeNet1998). Its state is `weight` and `bias`.
///
/// **Default**: w = ¼, b = 0, a mean.
///
/// ```
/// use gradus_architectures::Subsampling;
/// use gradus_autograd::Parameters;
/// assert_eq!(Subsampling::<f32>::new(6)?.parameter_count(), 12); // S2
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Subsampling<T: Scalar = f32> {
    /// w, `[C]`.
    pub weight: Var<T>,
    /// b, `[C]`.
    pub bias: Var<T>,
}

parameters!(Subsampling<T> { weight, bias });

impl<T: Scalar> Subsampling<T> {
    /// A layer for so many maps.
    ///
    /// # Errors
    /// If there are too many to be counted.
    pub fn new(maps: usize) -> Result<Self> {
        let weight = Var::parameter(Tensor::full([maps], T::of(0.25))?);
        Ok(Self { weight, bias: Var::parameter(Tensor::zeros([maps])?) })
    }
}

impl<T: Scalar> Layer<T> for Subsampling<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(Subsample, [x, &self.weight, &self.bias])
    }
}

/// A convolution of each map alone, with four equal weights.
impl<T: Scalar> Own<T> for Subsampling<T> {
    fn plain(&self) -> Result<Option<Plain<T>>> {
        let (weight, bias) = (self.weight.value(), self.bias.value());
        let maps = weight.len();
        let four = Tensor::from_fn([maps, 1, 2, 2], |i| weight.as_slice()[i[0]])?;
        let shape = ConvShape::depthwise(maps, [HALF; 2]);
        Ok(Some(Plain::Conv(Box::new(Conv2d::from_tensors(shape, four, Some(bias))?))))
    }
}
