//! The parametric ReLU: the negative slope is learned, one for all channels or one a channel.

use crate::activation::X;
use crate::leaky_relu_derivative;
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Error, Result, Scalar, Shape, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "prelu",
    kind: Kind::Formula,
    verdict: Verdict::Wrong,
    title: "Parametric ReLU",
    latex: r"\operatorname{PReLU}(x) = \max(0, x) + a \min(0, x)",
    unicode: "PReLU(x) = max(0, x) + a·min(0, x)",
    symbols: &[
        X,
        Symbol {
            latex: "a",
            code: "slope",
            meaning: "the slope on the negative side, fixed in the leaky ReLU, learned here",
            shape: "[] or [C]",
            unit: "1",
        },
    ],
    source: "He, Zhang, Ren & Sun 2015, §2.1, eq. 1",
    item: item!(fn prelu),
    chapter: "activations",
    printed: Some(Printed {
        latex: r"\max(a x, x)",
        reason: "for a > 1 the two sides change places: a·x is then the larger for x > 0. A learned slope may get there",
        counterexample: "a = 2, x = 1: printed 2, correct 1",
    }),
};

/// The slope that He et al. and PyTorch start from.
pub const PRELU_INITIAL_SLOPE: f64 = 0.25;

/// The parametric rectified linear unit.
///
/// **Formula** `prelu`: max(0, x) + a·min(0, x), that is x for x > 0 and a·x for x ≤ 0, with a learned slope a.
///
/// **Shapes**: elementwise; as a layer a is `[1]` or `[C]`, one a channel. **Units**: those of x.
///
/// **Gradient**: in x, 1 for x > 0 and a for x ≤ 0; in a, min(0, x): [`prelu_derivatives`].
///
/// **Numerics**: exact but for the one product. The printed max(a·x, x) agrees for a ≤ 1 only.
///
/// **Errors**: none; a NaN stays a NaN.
///
/// **Source**: He, Zhang, Ren & Sun 2015, §2.1, eq. 1.
///
/// ```
/// use gradus_activations::prelu;
/// assert_eq!(prelu(-2.0, 0.25), -0.5);
/// assert_eq!(prelu(1.0, 2.0), 1.0); // as printed, max(2·1, 1) = 2
/// ```
#[inline(always)]
pub fn prelu<T: Scalar>(x: T, slope: T) -> T {
    if x > T::ZERO { x } else { slope * x }
}

/// The derivatives of [`prelu`] in x and in the slope: (1, 0) for x > 0, (a, x) for x ≤ 0; NaNs for a NaN.
///
/// ```
/// use gradus_activations::prelu_derivatives;
/// assert_eq!(prelu_derivatives(-2.0, 0.25), (0.25, -2.0));
/// assert_eq!(prelu_derivatives(3.0, 0.25), (1.0, 0.0));
/// ```
#[inline(always)]
pub fn prelu_derivatives<T: Scalar>(x: T, slope: T) -> (T, T) {
    (leaky_relu_derivative(x, slope), if x > T::ZERO { T::ZERO } else { x })
}

/// [`prelu`] as an operation on `[x, slope]`: x of any shape with one slope, or `[N, C, …]` with C slopes.
#[derive(Debug, Clone, Copy)]
pub struct PRelu;

/// The slope's shape within x: its channels lie on axis 1.
fn within<T: Scalar>(x: &Tensor<T>, slope: &Tensor<T>) -> Result<Shape> {
    if slope.len() == 1 {
        return Shape::new([]);
    }
    match (x.dims(), slope.dims()) {
        (&[_, c, ref rest @ ..], &[k]) if c == k => Shape::new([vec![c], vec![1; rest.len()]].concat()),
        _ => {
            let expected = "[N, C, …] with one slope, or as many slopes as channels C";
            Err(Error::Shape {
                op: "prelu",
                expected: format!("{expected} ({} slopes came)", slope.len()),
                got: x.shape(),
            })
        }
    }
}

impl<T: Scalar> Op<T, 2> for PRelu {
    /// Nothing: both derivatives are computed from the inputs.
    type Saved = ();

    fn forward(&self, [x, slope]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        Ok((x.zip(&slope.reshape(within(x, slope)?)?, prelu)?, ()))
    }

    // ∂L/∂x = (1 or a)·dy, ∂L/∂a = Σ min(0, x)·dy over everything that shares the slope
    fn vjp(
        &self,
        [x, slope]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_slope]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let shape = within(x, slope)?;
        let a = slope.reshape(shape)?;
        let dx = if wants_x { Some(x.zip(&a, leaky_relu_derivative)?.mul(dy)?) } else { None };
        let da = if wants_slope {
            Some(
                x.zip(&a, |x, a| prelu_derivatives(x, a).1)?
                    .mul(dy)?
                    .sum_to(shape)?
                    .reshape(slope.shape())?,
            )
        } else {
            None
        };
        Ok([dx, da])
    }
}

/// [`prelu`] as a layer that learns its slopes, from [`PRELU_INITIAL_SLOPE`].
///
/// ```
/// use gradus_activations::PReluLayer;
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_tensor::Tensor;
/// let layer = PReluLayer::new(2)?;
/// let x = Var::constant(Tensor::from([[-4.0, 4.0]]));
/// assert_eq!(layer.forward(&x, &mut Mode::Eval)?.value(), Tensor::from([[-1.0, 4.0]]));
/// assert_eq!(layer.parameter_count(), 2);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct PReluLayer<T: Scalar = f32> {
    /// The slopes, `[1]` or `[C]`.
    pub weight: Var<T>,
}

parameters!(PReluLayer<T> { weight });

impl<T: Scalar> PReluLayer<T> {
    /// A layer with this many slopes: 1, or as many as there are channels.
    ///
    /// # Errors
    /// If there are none.
    pub fn new(channels: usize) -> Result<Self> {
        if channels == 0 {
            let (value, allowed) = ("0".into(), "at least 1".into());
            return Err(Error::Argument { op: "prelu", name: "channels", value, allowed });
        }
        Ok(Self { weight: Var::parameter(Tensor::full([channels], T::of(PRELU_INITIAL_SLOPE))?) })
    }
}

impl<T: Scalar> Layer<T> for PReluLayer<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(PRelu, [x, &self.weight])
    }
}
