//! Batch normalisation.

use super::{ROUNDING, batch, by_channel, dims, flat, gradients, holds, images, normal, over_channels};
use crate::{BatchNorm1d, BatchNorm2d, BatchNormalization, FixedNormalization, batch_norm};
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};

const ID: &[&str] = &["batch-norm"];

/// Rounding, magnified by an offset of up to 10 spreads and by channels of few numbers, which may lie close together.
const MAGNIFIED: f64 = 1e-9;

pub(super) fn properties() -> Vec<Property> {
    let mut all = values();
    all.extend(slopes());
    all.extend(running());
    all
}

/// The mean and the variance (divided by m) of each channel, by the plain definition.
fn plain(x: &Tensor<f64>) -> Result<[Tensor<f64>; 2]> {
    let m = (x.len() / x.dims()[1]) as f64;
    let mean = over_channels(x)?.map(|s| s / m);
    let centred = flat(x)?.sub(&by_channel(&mean)?)?;
    Ok([mean, over_channels(&centred.mul(&centred)?)?.map(|s| s / m)])
}

/// x̂: normalised with a gain of 1 and a bias of 0.
fn x_hat(x: &Tensor<f64>, eps: f64) -> Result<Tensor<f64>> {
    let c = x.dims()[1];
    batch_norm(x, &Tensor::ones([c])?, &Tensor::zeros([c])?, eps)
}

fn values() -> Vec<Property> {
    vec![
        images("batch-norm.definition", ID, "it is γ(x − μ)/√(σ² + ε) + β by the plain definition")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = batch(case, true)?;
                let eps = case.real("eps");
                let [mean, variance] = plain(&x)?;
                let root = variance.map(|v| (v + eps).sqrt());
                let normalised = flat(&x)?.sub(&by_channel(&mean)?)?.div(&by_channel(&root)?)?;
                let expected = normalised.mul(&by_channel(&gain)?)?.add(&by_channel(&bias)?)?;
                Ok(flat(&batch_norm(&x, &gain, &bias, eps)?)?.max_difference(&expected)?)
            }),
        images("batch-norm.moments", ID, "x̂ has mean 0 and variance σ²/(σ² + ε) in every channel")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, ..] = batch(case, true)?;
                let eps = case.real("eps");
                let [mean, variance] = plain(&x_hat(&x, eps)?)?;
                let expected = plain(&x)?[1].map(|v| v / (v + eps));
                Ok(mean.abs().max()?.max_or_nan(variance.max_difference(&expected)?))
            }),
        images(
            "batch-norm.affine",
            ID,
            "a·x + b, each channel with its own a and b, has the x̂ of x for ε·a², times the sign of a",
        )
        .draw(Draw::real("shift", -5.0..=5.0).limited(-1e2..=1e2))
        .within("rounding, magnified by the offset", MAGNIFIED)
        .check(|case| {
            let [x, ..] = batch(case, true)?;
            let (shift, eps) = (case.real("shift") * case.real("spread"), case.real("eps"));
            let channels = 0..x.dims()[1];
            let signs: Tensor<f64> = channels.clone().map(|c| if c % 2 == 0 { -1.0 } else { 1.0 }).collect();
            let shifts: Tensor<f64> = channels.map(|c| shift * c as f64).collect();
            let moved = flat(&x)?.mul(&by_channel(&signs.scale(3.0))?)?.add(&by_channel(&shifts)?)?;
            let expected = flat(&x_hat(&x, eps)?)?.mul(&by_channel(&signs)?)?;
            Ok(x_hat(&moved, 9.0 * eps)?.max_difference(&expected)?)
        }),
        images("batch-norm.scale", ID, "2ᵏ·x with ε·4ᵏ has the same bits")
            .draw(Draw::integer("k", -20..=20))
            .check(|case| {
                let [x, gain, bias] = batch(case, true)?;
                let (scale, eps) = (2f64.powi(case.integer("k") as i32), case.real("eps"));
                let y = batch_norm(&x.scale(scale), &gain, &bias, eps * scale * scale)?;
                Ok(holds(y.same_bits(&batch_norm(&x, &gain, &bias, eps)?)))
            }),
        images("batch-norm.order", ID, "the samples in another order have the same results, in that order")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = batch(case, true)?;
                let order: Vec<u32> = (0..x.dims()[0] as u32).rev().collect();
                let turned = batch_norm(&x.gather(0, &order)?, &gain, &bias, case.real("eps"))?;
                let y = batch_norm(&x, &gain, &bias, case.real("eps"))?;
                Ok(turned.gather(0, &order)?.max_difference(&y)?)
            }),
        images("batch-norm.nan", ID, "a NaN spoils its channel and no other").check(|case| {
            let [mut x, gain, bias] = batch(case, true)?;
            let clean = batch_norm(&x, &gain, &bias, case.real("eps"))?;
            x.as_mut_slice()[0] = f64::NAN; // of channel 0
            let y = flat(&batch_norm(&x, &gain, &bias, case.real("eps"))?)?;
            let spoilt = y.slice(1, 0..1)?.as_slice().iter().all(|y| y.is_nan());
            let c = y.dims()[1];
            Ok(holds(spoilt && y.slice(1, 1..c)?.same_bits(&flat(&clean)?.slice(1, 1..c)?)))
        }),
        images(
            "batch-norm.fixed",
            ID,
            "with the batch's own statistics, evaluation has the bits of training",
        )
        .check(|case| {
            let [x, gain, bias] = batch(case, true)?;
            let eps = case.real("eps");
            let (y, moments) = BatchNormalization { eps }.forward([&x, &gain, &bias])?;
            let fixed = FixedNormalization { mean: moments.mean, variance: moments.variance, eps };
            Ok(holds(fixed.eval([&x, &gain, &bias])?.same_bits(&y)))
        }),
    ]
}

/// Draws for gradient checks: an ε that keeps the function as smooth as the differences need.
fn smooth(id: &'static str, statement: &'static str) -> Property {
    images(id, ID, statement).draw(Draw::real("smooth", 0.5..=2.0).limited(0.3..=10.0))
}

/// x, gain and bias near 0 with a spread of 1.
fn near(case: &mut Case<'_>) -> Result<[Tensor<f64>; 3]> {
    let dims = dims(case, true);
    let gain = normal(case, "values", 1, &dims[1..2])?;
    Ok([normal(case, "values", 0, &dims)?, gain, normal(case, "values", 2, &dims[1..2])?])
}

fn slopes() -> Vec<Property> {
    vec![
        gradient_property(smooth("batch-norm.gradient", "the gradient in x, γ and β"), |case| {
            Ok((BatchNormalization { eps: case.real("smooth") }, near(case)?))
        }),
        gradient_property(
            smooth("batch-norm.fixed-gradient", "the gradient with fixed statistics"),
            |case| {
                let inputs = near(case)?;
                let mean = normal(case, "values", 3, inputs[1].dims())?;
                let variance = normal(case, "values", 4, inputs[1].dims())?.map(|v| v * v);
                Ok((FixedNormalization { mean, variance, eps: case.real("smooth") }, inputs))
            },
        ),
        images(
            "batch-norm.orthogonal",
            ID,
            "∂L/∂x sums to 0 in every channel, and along x̂ it is γ·∂L/∂γ·ε/(σ² + ε)^(3/2)",
        )
        .within("rounding, magnified by the offset", MAGNIFIED)
        .check(|case| {
            let [x, gain, bias] = batch(case, true)?;
            let eps = case.real("eps");
            let dy = normal(case, "values", 3, x.dims())?;
            let [dx, dgain, _] = gradients(&BatchNormalization { eps }, [&x, &gain, &bias], &dy)?;
            let variance = &plain(&x)?[1];
            // In units of the gradient's own size, γ/√(σ² + ε).
            let unit = variance.map(|v| (v + eps).sqrt());
            let sum = over_channels(&dx)?.mul(&unit)?.abs().max()?;
            let along = over_channels(&dx.mul(&x_hat(&x, eps)?)?)?.mul(&unit)?;
            let left = variance.map(|v| eps / (v + eps));
            let expected = gain.mul(&dgain)?.mul(&left)?;
            Ok(sum.max_or_nan(along.max_difference(&expected)?))
        }),
    ]
}

fn running() -> Vec<Property> {
    vec![
        images(
            "batch-norm.running",
            ID,
            "running ← (1 − momentum)·running + momentum·(mean, unbiased variance), in training only",
        )
        .draw(Draw::real("momentum", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding, relative to the largest", MAGNIFIED)
        .check(|case| {
            let [x, ..] = batch(case, true)?;
            let (c, momentum) = (x.dims()[1], case.real("momentum"));
            let m = (x.len() / c) as f64;
            let (mut mean, mut variance) = (Tensor::zeros([c])?, Tensor::ones([c])?);
            let layer = Either::new(&x, case.real("eps"), momentum)?;
            for k in 1..=3 {
                let x = x.scale(f64::from(k));
                let [batch_mean, batch_variance] = plain(&x)?;
                mean = mean.scale(1.0 - momentum).add(&batch_mean.scale(momentum))?;
                let unbiased = batch_variance.map(|v| v * m / (m - 1.0));
                variance = variance.scale(1.0 - momentum).add(&unbiased.scale(momentum))?;
                layer.forward(&x, true)?;
                layer.forward(&x, false)?; // leaves no trace
            }
            let [own_mean, own_variance] = layer.running()?;
            let off = own_mean.max_difference(&mean)? / (1.0 + mean.abs().max()?);
            Ok(off.max_or_nan(own_variance.max_difference(&variance)? / (1.0 + variance.max()?)))
        }),
        images(
            "batch-norm.layer",
            ID,
            "in training the layer is the formula of its weight and bias, with its own ε",
        )
        .check(|case| {
            let [x, gain, bias] = batch(case, true)?;
            let layer = Either::new(&x, case.real("eps"), 0.3)?;
            layer.set(&gain, &bias);
            let expected = batch_norm(&x, &gain, &bias, case.real("eps"))?;
            Ok(holds(layer.forward(&x, true)?.same_bits(&expected)))
        }),
        images("batch-norm.alone", ID, "in evaluation a sample's result does not depend on the others")
            .check(|case| {
                let [x, ..] = batch(case, true)?;
                let layer = Either::new(&x, case.real("eps"), 0.3)?;
                layer.forward(&x, true)?;
                let together = layer.forward(&x, false)?;
                let mut same = true;
                for i in 0..x.dims()[0] {
                    let alone = layer.forward(&x.slice(0, i..i + 1)?, false)?;
                    same &= alone.same_bits(&together.slice(0, i..i + 1)?);
                }
                Ok(holds(same))
            }),
        images("batch-norm.converges", ID, "with momentum 1, evaluation gives x̂·√((m − 1)/m), but for ε")
            .within("rounding, magnified by the offset", MAGNIFIED + ROUNDING)
            .check(|case| {
                let [x, ..] = batch(case, true)?;
                let eps = case.real("eps");
                let m = (x.len() / x.dims()[1]) as f64;
                let layer = Either::new(&x, eps, 1.0)?;
                layer.forward(&x, true)?;
                let eval = layer.forward(&x, false)?;
                // σ²·m/(m − 1) + ε = (σ² + ε·(m − 1)/m)·m/(m − 1)
                let expected = x_hat(&x, eps * (m - 1.0) / m)?.scale(((m - 1.0) / m).sqrt());
                Ok(eval.max_difference(&expected)?)
            }),
    ]
}

/// The layer that fits a batch.
enum Either {
    Rows(BatchNorm1d<f64>),
    Images(BatchNorm2d<f64>),
}

impl Either {
    fn new(x: &Tensor<f64>, eps: f64, momentum: f64) -> Result<Self> {
        let c = x.dims()[1];
        Ok(if x.rank() == 4 {
            Self::Images(BatchNorm2d::new(c)?.eps(eps)?.momentum(momentum)?)
        } else {
            Self::Rows(BatchNorm1d::new(c)?.eps(eps)?.momentum(momentum)?)
        })
    }

    fn set(&self, gain: &Tensor<f64>, bias: &Tensor<f64>) {
        let (weight, own) = match self {
            Self::Rows(layer) => (&layer.weight, &layer.bias),
            Self::Images(layer) => (&layer.weight, &layer.bias),
        };
        weight.update(|value| *value = gain.clone());
        own.update(|value| *value = bias.clone());
    }

    fn forward(&self, x: &Tensor<f64>, train: bool) -> Result<Tensor<f64>> {
        let (x, rng) = (Var::constant(x.clone()), &mut rng(0));
        let mut mode = if train { Mode::Train(rng) } else { Mode::Eval };
        let y = match self {
            Self::Rows(layer) => layer.forward(&x, &mut mode)?,
            Self::Images(layer) => layer.forward(&x, &mut mode)?,
        };
        Ok(y.value())
    }

    fn running(&self) -> Result<[Tensor<f64>; 2], Failure> {
        let state = match self {
            Self::Rows(layer) => layer.state(),
            Self::Images(layer) => layer.state(),
        };
        let of = |name: &str| state.get(name).cloned().ok_or_else(|| Failure::Error(format!("no {name}")));
        Ok([of("running_mean")?, of("running_var")?])
    }
}
