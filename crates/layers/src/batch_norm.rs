//! Batch normalisation as a formula: each channel by its mean and variance over the batch, or by fixed ones.

use crate::kernel::{Channels, column_sums, per_channel, stretch, stretch_sums};
use crate::layer_norm::{BIAS, EPSILON, GAIN};
use crate::refuse;
use gradus_autograd::Op;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::kernel::row;
use gradus_tensor::{Result, Scalar, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "batch-norm",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Batch normalisation",
    latex: r"y_{ncs} = \gamma_c \frac{x_{ncs} - \mu_c}{\sqrt{\sigma_c^2 + \varepsilon}} + \beta_c, \qquad
        \mu_c = \frac1m \sum_{n,s} x_{ncs}, \quad \sigma_c^2 = \frac1m \sum_{n,s} (x_{ncs} - \mu_c)^2",
    unicode: "yₙ꜀ₛ = γ꜀·(xₙ꜀ₛ − μ꜀)/√(σ꜀² + ε) + β꜀, μ꜀ and σ꜀² the mean and variance of channel c over the batch",
    symbols: &[
        Symbol { latex: "x", code: "x", meaning: "the input", shape: "[N, C, …]", unit: "any" },
        Symbol {
            latex: "m",
            code: "count",
            meaning: "how many numbers share a channel: samples times pixels",
            shape: "[]",
            unit: "count",
        },
        GAIN,
        BIAS,
        EPSILON,
    ],
    source: "Ioffe & Szegedy 2015, algorithm 1",
    item: item!(fn batch_norm),
    chapter: "layers",
    printed: None,
};

const OP: &str = "batch_norm";

/// Each channel brought to mean 0 and variance 1 over the batch, then scaled and shifted by learned numbers.
///
/// **Formula** `batch-norm`: yₙ꜀ₛ = γ꜀·(xₙ꜀ₛ − μ꜀)/√(σ꜀² + ε) + β꜀, with the channel's mean μ꜀ and variance σ꜀² (divided by m).
///
/// **Shapes**: x `[N, C, …]`; gain and bias `[C]`. **Units**: x̂ has none.
///
/// **Gradient**: γ/√(σ² + ε)·(dy − ⟨dy⟩ − x̂·⟨dy∘x̂⟩) in x, means over the channel; Σ dy∘x̂ in γ, Σ dy in β:
/// [`BatchNormalization`].
///
/// **Numerics**: two passes, leaves of 32 rows joined; ⟨x²⟩ − ⟨x⟩² would lose every digit of a small variance beside a large
/// mean. The variance of x̂ is σ²/(σ² + ε). A NaN spoils its channel only.
///
/// **Errors**: x with fewer than two dimensions, fewer than two numbers a channel (x̂ would be 0 whatever x is), parameters of
/// another shape, ε not above 0.
///
/// **Source**: Ioffe & Szegedy 2015, algorithm 1.
///
/// ```
/// use gradus_layers::batch_norm;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0f64, 50.0], [3.0, 10.0]]); // two samples of two channels
/// let y = batch_norm(&x, &Tensor::from([1.0, 2.0]), &Tensor::from([0.0, 7.0]), 1e-12)?;
/// assert!(y.all_close(&Tensor::from([[-1.0, 9.0], [1.0, 5.0]]), 0.0, 1e-11)?);
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
pub fn batch_norm<T: Scalar>(
    x: &Tensor<T>,
    gain: &Tensor<T>,
    bias: &Tensor<T>,
    eps: f64,
) -> Result<Tensor<T>> {
    BatchNormalization { eps }.eval([x, gain, bias])
}

/// [`batch_norm`] as an operation on `[x, gain, bias]`.
#[derive(Debug, Clone, Copy)]
pub struct BatchNormalization {
    /// ε.
    pub eps: f64,
}

/// What a batch was normalised by: two numbers a channel.
#[derive(Debug, Clone)]
pub struct BatchMoments<T: Scalar> {
    /// μ, `[C]`.
    pub mean: Tensor<T>,
    /// σ², divided by `count`, `[C]`.
    pub variance: Tensor<T>,
    /// How many numbers share a channel.
    pub count: usize,
}

/// Of x, gain and bias: the sizes.
fn sizes<T: Scalar>([x, gain, bias]: [&Tensor<T>; 3]) -> Result<Channels> {
    let Some(shape) = Channels::of(x) else {
        return Err(refuse::shape(OP, "[N, C, …]", x.shape()));
    };
    refuse::parameter(OP, "gain", &[shape.c], gain.shape())?;
    refuse::parameter(OP, "bias", &[shape.c], bias.shape())?;
    Ok(shape)
}

/// The mean and the variance of every channel.
fn moments<T: Scalar>(x: &Tensor<T>, shape: Channels) -> [Vec<T>; 2] {
    let (data, n) = (x.as_slice(), T::of(shape.each() as f64));
    let mut mean = channel_sums(
        data,
        shape,
        &vec![T::ZERO; shape.c],
        #[inline(always)]
        |x, _| x,
    );
    mean.iter_mut().for_each(|sum| *sum /= n);
    let mut variance = channel_sums(
        data,
        shape,
        &mean,
        #[inline(always)]
        |x, mean| (x - mean) * (x - mean),
    );
    variance.iter_mut().for_each(|sum| *sum /= n);
    [mean, variance]
}

/// Σ f(x, constant of the channel) over every channel.
#[inline(always)]
fn channel_sums<T: Scalar>(
    x: &[T],
    shape: Channels,
    constants: &[T],
    f: impl Fn(T, T) -> T + Sync,
) -> Vec<T> {
    let [sums] = if shape.s == 1 {
        column_sums(
            shape.n,
            shape.c,
            #[inline(always)]
            |n, [sums]| {
                for ((sum, &x), &k) in sums.iter_mut().zip(stretch(x, shape.c, n)).zip(constants) {
                    *sum += f(x, k);
                }
            },
        )
    } else {
        stretch_sums(
            shape,
            #[inline(always)]
            |n, c| {
                let sum = row::sum_by(
                    stretch(x, shape.s, n * shape.c + c),
                    #[inline(always)]
                    |x| f(x, constants[c]),
                );
                [sum]
            },
        )
    };
    sums
}

/// Σ dy∘x̂ and Σ dy over every channel.
fn gradient_sums<T: Scalar>(
    [x, dy]: [&Tensor<T>; 2],
    shape: Channels,
    mean: &[T],
    inverse: &[T],
) -> [Vec<T>; 2] {
    let (x, dy) = (x.as_slice(), dy.as_slice());
    if shape.s == 1 {
        return column_sums(
            shape.n,
            shape.c,
            #[inline(always)]
            |n, [gains, biases]| {
                let (x, dy) = (stretch(x, shape.c, n), stretch(dy, shape.c, n));
                let sums = gains.iter_mut().zip(biases).zip(mean.iter().zip(inverse));
                for (((gain, bias), (&mean, &inverse)), (&x, &dy)) in sums.zip(x.iter().zip(dy)) {
                    *gain += dy * ((x - mean) * inverse);
                    *bias += dy;
                }
            },
        );
    }
    stretch_sums(
        shape,
        #[inline(always)]
        |n, c| {
            let (mean, inverse, at) = (mean[c], inverse[c], n * shape.c + c);
            let (x, dy) = (stretch(x, shape.s, at), stretch(dy, shape.s, at));
            let along = row::sum_by_two(
                dy,
                x,
                #[inline(always)]
                |dy, x| dy * ((x - mean) * inverse),
            );
            let sum = row::sum_by(
                dy,
                #[inline(always)]
                |dy| dy,
            );
            [along, sum]
        },
    )
}

/// 1/√(variance + ε).
fn inverses<T: Scalar>(variance: &[T], eps: T) -> Vec<T> {
    variance.iter().map(|&v| T::ONE / (v + eps).sqrt()).collect()
}

/// γ·(x − mean)·inverse + β, channel by channel.
fn scaled<T: Scalar>(
    [x, gain, bias]: [&Tensor<T>; 3],
    shape: Channels,
    mean: &[T],
    inverse: &[T],
) -> Result<Tensor<T>> {
    per_channel(
        [x],
        shape,
        [mean, inverse, gain.as_slice(), bias.as_slice()],
        #[inline(always)]
        |[x], [mean, inverse, gain, bias]| (x - mean) * inverse * gain + bias,
    )
}

impl<T: Scalar> Op<T, 3> for BatchNormalization {
    /// Two numbers a channel.
    type Saved = BatchMoments<T>;

    fn forward(&self, inputs: [&Tensor<T>; 3]) -> Result<(Tensor<T>, BatchMoments<T>)> {
        let (shape, eps) = (sizes(inputs)?, refuse::epsilon(OP, self.eps)?);
        if shape.each() < 2 {
            let (name, allowed) = ("numbers in each channel", "at least 2, to have a variance in training");
            return Err(refuse::argument(OP, name, shape.each(), allowed));
        }
        let [mean, variance] = moments(inputs[0], shape);
        let y = scaled(inputs, shape, &mean, &inverses(&variance, eps))?;
        let (mean, variance) = (mean.into(), variance.into());
        Ok((y, BatchMoments { mean, variance, count: shape.each() }))
    }

    fn vjp(
        &self,
        inputs: [&Tensor<T>; 3],
        BatchMoments { mean, variance, count }: &BatchMoments<T>,
        dy: &Tensor<T>,
        [wants_x, wants_gain, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let ([x, gain, _], shape) = (inputs, sizes(inputs)?);
        refuse::parameter(OP, "gradient", x.dims(), dy.shape())?;
        let (mean, inverse) =
            (mean.as_slice(), inverses(variance.as_slice(), refuse::epsilon(OP, self.eps)?));
        let [along, sum] = gradient_sums([x, dy], shape, mean, &inverse);
        let dx = if wants_x {
            let n = T::of(*count as f64);
            let factor: Vec<T> = gain.as_slice().iter().zip(&inverse).map(|(&a, &r)| a * r).collect();
            let mean_of = |sums: &[T]| -> Vec<T> { sums.iter().map(|&s| s / n).collect() };
            Some(per_channel(
                [x, dy],
                shape,
                [mean, &inverse, &factor, &mean_of(&sum), &mean_of(&along)],
                #[inline(always)]
                |[x, dy], [mean, inverse, factor, sum, along]| {
                    factor * (dy - sum - (x - mean) * inverse * along)
                },
            )?)
        } else {
            None
        };
        Ok([dx, wants_gain.then(|| along.into()), wants_bias.then(|| sum.into())])
    }
}

/// Normalisation by fixed statistics, as an operation on `[x, gain, bias]`: what batch normalisation is in evaluation. For each
/// channel it is one straight line.
///
/// ```
/// use gradus_autograd::Op;
/// use gradus_layers::FixedNormalization;
/// use gradus_tensor::Tensor;
/// let fixed = FixedNormalization { mean: Tensor::from([5.0]), variance: Tensor::from([3.0]), eps: 1.0 };
/// let y = fixed.eval([&Tensor::from([[9.0]]), &Tensor::from([10.0]), &Tensor::from([1.0])])?;
/// assert_eq!(y, Tensor::from([[21.0]])); // 10·(9 − 5)/√(3 + 1) + 1
/// # Ok::<(), gradus_tensor::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FixedNormalization<T: Scalar> {
    /// μ, `[C]`.
    pub mean: Tensor<T>,
    /// σ², `[C]`.
    pub variance: Tensor<T>,
    /// ε.
    pub eps: f64,
}

impl<T: Scalar> FixedNormalization<T> {
    /// The sizes, and 1/√(σ² + ε).
    fn prepared(&self, inputs: [&Tensor<T>; 3]) -> Result<(Channels, Vec<T>)> {
        let (shape, eps) = (sizes(inputs)?, refuse::epsilon(OP, self.eps)?);
        refuse::parameter(OP, "mean", &[shape.c], self.mean.shape())?;
        refuse::parameter(OP, "variance", &[shape.c], self.variance.shape())?;
        Ok((shape, inverses(self.variance.as_slice(), eps)))
    }
}

impl<T: Scalar> Op<T, 3> for FixedNormalization<T> {
    /// Nothing: the statistics are those of the operation.
    type Saved = ();

    fn forward(&self, inputs: [&Tensor<T>; 3]) -> Result<(Tensor<T>, ())> {
        let (shape, inverse) = self.prepared(inputs)?;
        Ok((scaled(inputs, shape, self.mean.as_slice(), &inverse)?, ()))
    }

    fn vjp(
        &self,
        inputs: [&Tensor<T>; 3],
        (): &(),
        dy: &Tensor<T>,
        [wants_x, wants_gain, wants_bias]: [bool; 3],
    ) -> Result<[Option<Tensor<T>>; 3]> {
        let ([x, gain, _], (shape, inverse)) = (inputs, self.prepared(inputs)?);
        refuse::parameter(OP, "gradient", x.dims(), dy.shape())?;
        // ∂L/∂x = γ·dy/√(σ² + ε): here the statistics do not depend on x.
        let dx = if wants_x {
            let constants = [&inverse[..], gain.as_slice()];
            Some(per_channel(
                [dy],
                shape,
                constants,
                #[inline(always)]
                |[dy], [inverse, gain]| dy * inverse * gain,
            )?)
        } else {
            None
        };
        let [dgain, dbias] = if wants_gain || wants_bias {
            gradient_sums([x, dy], shape, self.mean.as_slice(), &inverse).map(|sums| Some(sums.into()))
        } else {
            [None, None]
        };
        Ok([dx, dgain.filter(|_| wants_gain), dbias.filter(|_| wants_bias)])
    }
}
