//! Group normalisation: the channels of a sample in groups, each group by its own mean and variance.

use crate::kernel::{After, Channels, Groups, Moments, Nothing, Operands, ThenSilu};
use crate::layer_norm::{BIAS, EPS, EPSILON, GAIN, X, learned, parameters_of};
use crate::refuse;
use gradus_autograd::{Layer, Mode, Op, Var, parameters};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "group-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Group normalisation",
    latex: r"y_{ncs} = \gamma_c \frac{x_{ncs} - \mu_{ng}}{\sqrt{\sigma_{ng}^2 + \varepsilon}} + \beta_c, \qquad
        g = \left\lfloor \frac{c\, G}{C} \right\rfloor",
    unicode: "yₙ꜀ₛ = γ꜀·(xₙ꜀ₛ − μₙ₉)/√(σₙ₉² + ε) + β꜀, where g = ⌊c·G/C⌋ is the group of channel c",
    symbols: &[
        X,
        Symbol {
            latex: "G",
            code: "groups",
            meaning: "the number of groups, a divisor of the number of channels C",
            shape: "[]",
            unit: "count",
        },
        GAIN,
        BIAS,
        EPSILON,
    ],
    source: "Wu & He 2018, §3.1, eq. 7",
    item: item!(fn group_norm),
    chapter: "layers",
    printed: None,
};

/// Each group of a sample's channels brought to mean 0 and variance 1, then scaled and shifted by channel.
///
/// **Formula** `group-norm`: yₙ꜀ₛ = γ꜀·(xₙ꜀ₛ − μₙ₉)/√(σₙ₉² + ε) + β꜀, with mean and variance of group g of sample n.
///
/// **Shapes**: x `[N, C, …]`; gain and bias `[C]`; G divides C. With one group it is a layer normalisation over all of a sample,
/// with C groups the *instance normalisation*. **Units**: x̂ has none.
///
/// **Gradient**: as that of [`layer_norm`](crate::layer_norm()), a group as a row: [`GroupNormalization`].
///
/// **Numerics**: two passes. A NaN spoils its group only.
///
/// **Errors**: x with fewer than two dimensions, a number of groups that does not divide C, parameters of another shape, ε not
/// above 0.
///
/// **Source**: Wu & He 2018, §3.1, eq. 7.
///
/// ```
/// use gradus_layers::group_norm;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0f64, 3.0, 100.0, 500.0]]); // one sample of four channels, in two groups
/// let y = group_norm(&x, 2, &Tensor::ones([4])?, &Tensor::zeros([4])?, 1e-12)?;
/// assert!(y.all_close(&Tensor::from([[-1.0, 1.0, -1.0, 1.0]]), 0.0, 1e-11)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn group_norm<T: Scalar>(
    x: &Tensor<T>,
    groups: usize,
    gain: &Tensor<T>,
    bias: &Tensor<T>,
    eps: f64,
) -> Result<Tensor<T>> {
    GroupNormalization { groups, eps }.eval([x, gain, bias])
}

/// [`group_norm`] as an operation on `[x, gain, bias]`.
#[derive(Debug, Clone, Copy)]
pub struct GroupNormalization {
    /// G.
    pub groups: usize,
    /// ε.
    pub eps: f64,
}

/// SiLU of [`group_norm`], in one visit, as an operation on `[x, gain, bias]`; on `[x, shift, gain, bias]` of x + shift, where each sample has a shift of its own for each channel.
/// It is what the blocks of a diffusion's U-Net are made of.
///
/// **Shapes**: shift `[N, C]`, the others as [`group_norm`]'s.
///
/// **Gradient**: that of the parts. The sums that the gradient in x needs are those of the gradients in gain and bias.
///
/// **Formula** `group-norm`, and SiLU of it. **Units**: any.
///
/// **Numerics**: the bits of the value are those of the parts one after the other.
///
/// **Errors**: as [`group_norm`]; a shift of another shape. **Source**: Wu & He 2018, §3.1, eq. 7; Ho, Jain & Abbeel 2020, appendix B.
///
/// ```
/// use gradus_activations::Activations;
/// use gradus_autograd::Op;
/// use gradus_layers::{GroupNormSilu, group_norm};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0f64, 3.0, 100.0, 500.0]]);
/// let (gain, bias) = (Tensor::full([4], 2.0)?, Tensor::ones([4])?);
/// let at_once = GroupNormSilu { groups: 2, eps: 1e-5 }.eval([&x, &gain, &bias])?;
/// assert_eq!(at_once, group_norm(&x, 2, &gain, &bias, 1e-5)?.silu()?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct GroupNormSilu {
    /// G.
    pub groups: usize,
    /// ε.
    pub eps: f64,
}

/// What a normalisation works on: x, perhaps a shift for each sample and channel, gain and bias.
#[derive(Clone, Copy)]
struct Inputs<'a, T: Scalar> {
    x: &'a Tensor<T>,
    shift: Option<&'a Tensor<T>>,
    learned: [&'a Tensor<T>; 2],
}

impl<'a, T: Scalar> Inputs<'a, T> {
    fn operands(self) -> Operands<'a, T> {
        let [gain, bias] = self.learned.map(Tensor::as_slice);
        Operands { x: self.x.as_slice(), shift: self.shift.map(Tensor::as_slice), gain, bias }
    }

    fn kernel<A: After>(self, groups: usize, eps: f64, after: A) -> Result<Groups<T, A>> {
        let op = "group_norm";
        let Some(shape) = Channels::of(self.x).filter(|shape| shape.c * shape.s > 0) else {
            return Err(refuse::shape(op, "[N, C, …] with something in it", self.x.shape()));
        };
        divides(groups, shape.c)?;
        let [gain, bias] = self.learned;
        refuse::parameter(op, "gain", &[shape.c], gain.shape())?;
        refuse::parameter(op, "bias", &[shape.c], bias.shape())?;
        if let Some(shift) = self.shift {
            refuse::parameter(op, "shift", &[shape.n, shape.c], shift.shape())?;
        }
        Ok(Groups { shape, groups, eps: refuse::epsilon(op, eps)?, after })
    }

    /// The gradients in x, shift, gain and bias.
    fn backward<A: After>(
        self,
        kernel: &Groups<T, A>,
        (moments, dy): (&Moments<T>, &Tensor<T>),
        [wants_x, wants_shift, wants_gain, wants_bias]: [bool; 4],
    ) -> Result<[Option<Tensor<T>>; 4]> {
        refuse::parameter("group_norm", "gradient", self.x.dims(), dy.shape())?;
        if ![wants_x, wants_shift, wants_gain, wants_bias].contains(&true) {
            return Ok([None, None, None, None]);
        }
        let back = kernel.backward(self.operands(), moments, dy)?;
        let dshift = match self.shift {
            Some(shift) if wants_shift => Some(Tensor::from_vec(back.shift(), shift.shape())?),
            _ => None,
        };
        let wanted = wants_gain || wants_bias;
        let [dgain, dbias] = learned(wanted, || kernel.parameters(&back), self.learned.map(Tensor::shape))?;
        Ok([wants_x.then_some(back.dx), dshift, dgain.filter(|_| wants_gain), dbias.filter(|_| wants_bias)])
    }
}

fn divides(groups: usize, channels: usize) -> Result<()> {
    if groups > 0 && channels.is_multiple_of(groups) {
        return Ok(());
    }
    Err(refuse::argument("group_norm", "groups", groups, format!("a divisor of the {channels} channels")))
}

impl<T: Scalar> Op<T, 3> for GroupNormalization {
    /// Two numbers a group of a sample.
    type Saved = Moments<T>;

    fn forward(&self, [x, gain, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, Moments<T>)> {
        let inputs = Inputs { x, shift: None, learned: [gain, bias] };
        inputs.kernel(self.groups, self.eps, Nothing)?.forward(inputs.operands(), x.shape())
    }

    fn vjp(
        &self,
        [x, gain, bias]: [&Tensor<T>; 3],
        moments: &Moments<T>,
        dy: &Tensor<T>,
        [wants_x, wants_gain, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let inputs = Inputs { x, shift: None, learned: [gain, bias] };
        let kernel = inputs.kernel(self.groups, self.eps, Nothing)?;
        let [dx, _, dgain, dbias] =
            inputs.backward(&kernel, (moments, dy), [wants_x, false, wants_gain, wants_bias])?;
        Ok([dx, dgain, dbias])
    }
}

impl<T: Scalar> Op<T, 3> for GroupNormSilu {
    /// Two numbers a group of a sample.
    type Saved = Moments<T>;

    fn forward(&self, [x, gain, bias]: [&Tensor<T>; 3]) -> Result<(Tensor<T>, Moments<T>)> {
        let inputs = Inputs { x, shift: None, learned: [gain, bias] };
        inputs.kernel(self.groups, self.eps, ThenSilu)?.forward(inputs.operands(), x.shape())
    }

    fn vjp(
        &self,
        [x, gain, bias]: [&Tensor<T>; 3],
        moments: &Moments<T>,
        dy: &Tensor<T>,
        [wants_x, wants_gain, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let inputs = Inputs { x, shift: None, learned: [gain, bias] };
        let kernel = inputs.kernel(self.groups, self.eps, ThenSilu)?;
        let [dx, _, dgain, dbias] =
            inputs.backward(&kernel, (moments, dy), [wants_x, false, wants_gain, wants_bias])?;
        Ok([dx, dgain, dbias])
    }
}

impl<T: Scalar> Op<T, 4> for GroupNormSilu {
    /// Two numbers a group of a sample.
    type Saved = Moments<T>;

    fn forward(&self, [x, shift, gain, bias]: [&Tensor<T>; 4]) -> Result<(Tensor<T>, Moments<T>)> {
        let inputs = Inputs { x, shift: Some(shift), learned: [gain, bias] };
        inputs.kernel(self.groups, self.eps, ThenSilu)?.forward(inputs.operands(), x.shape())
    }

    fn vjp(
        &self,
        [x, shift, gain, bias]: [&Tensor<T>; 4],
        moments: &Moments<T>,
        dy: &Tensor<T>,
        wants: [bool; 4],
    ) -> Result<[Option<Tensor<T>>; 4]> {
        let inputs = Inputs { x, shift: Some(shift), learned: [gain, bias] };
        let kernel = inputs.kernel(self.groups, self.eps, ThenSilu)?;
        inputs.backward(&kernel, (moments, dy), wants)
    }
}

/// [`group_norm`] as a layer. Its state is `weight` (γ) and `bias` (β).
///
/// **Default**: γ = 1, β = 0, ε = 10⁻⁵.
///
/// ```
/// use gradus_autograd::{Layer, Mode, Parameters, Var};
/// use gradus_layers::GroupNorm;
/// use gradus_tensor::Tensor;
/// let layer = GroupNorm::<f32>::new(8, 32)?;
/// let y = layer.forward(&Var::constant(Tensor::zeros([2, 32, 4, 4])?), &mut Mode::Eval)?;
/// assert_eq!((y.value().sum(), layer.parameter_count()), (0.0, 64));
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GroupNorm<T: Scalar = f32> {
    /// γ, `[C]`.
    pub weight: Var<T>,
    /// β, `[C]`.
    pub bias: Var<T>,
    groups: usize,
    eps: f64,
}

parameters!(GroupNorm<T> { weight, bias });

impl<T: Scalar> GroupNorm<T> {
    /// So many groups of so many channels together.
    ///
    /// # Errors
    /// If there are no channels, or the groups do not divide them.
    pub fn new(groups: usize, channels: usize) -> Result<Self> {
        refuse::none("group_norm", "channels", channels)?;
        divides(groups, channels)?;
        let [weight, bias] = parameters_of("group_norm", &[channels])?;
        Ok(Self { weight, bias, groups, eps: EPS })
    }

    /// With another ε.
    ///
    /// # Errors
    /// If it is not finite and above 0.
    pub fn eps(self, eps: f64) -> Result<Self> {
        refuse::epsilon::<T>("group_norm", eps)?;
        Ok(Self { eps, ..self })
    }

    /// SiLU of the layer's result, or of that of x + shift, with a shift `[N, C]` for each sample and channel: in one visit.
    ///
    /// # Errors
    /// If shapes do not fit.
    pub fn then_silu(&self, x: &Var<T>, shift: Option<&Var<T>>) -> Result<Var<T>> {
        let op = GroupNormSilu { groups: self.groups, eps: self.eps };
        match shift {
            Some(shift) => Var::apply(op, [x, shift, &self.weight, &self.bias]),
            None => Var::apply(op, [x, &self.weight, &self.bias]),
        }
    }
}

impl<T: Scalar> Layer<T> for GroupNorm<T> {
    fn forward(&self, x: &Var<T>, _: &mut Mode<'_>) -> Result<Var<T>> {
        Var::apply(GroupNormalization { groups: self.groups, eps: self.eps }, [x, &self.weight, &self.bias])
    }
}
