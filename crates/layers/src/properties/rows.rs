//! Layer, root-mean-square and group normalisation.

use super::{batch, dims, flat, gradients, holds, images, normal};
use crate::{
    GroupNormSilu, GroupNormalization, LayerNormalization, RmsNormalization, batch_norm, group_norm,
    layer_norm, rms_norm,
};
use gradus_activations::Activations;
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::{Result, Scalar, Tensor};

/// Rounding, magnified by an offset of up to 10 spreads and by rows of few numbers, which may lie close together.
const MAGNIFIED: f64 = 1e-9;

pub(super) fn properties() -> Vec<Property> {
    let mut all = layer();
    all.extend(root_mean_square());
    all.extend(group());
    all
}

fn matrix(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("d", 1..=40))
        .draw(Draw::seed("values"))
        .draw(Draw::real("offset", -10.0..=10.0).limited(-1e3..=1e3))
        .draw(Draw::log("spread", 0.1..=100.0).limited(1e-2..=1e4))
        .draw(Draw::log("eps", 1e-8..=10.0).limited(1e-12..=1e6))
}

/// x, gain and bias.
fn rows(case: &mut Case<'_>) -> Result<[Tensor<f64>; 3]> {
    let (n, d) = (case.size("n"), case.size("d"));
    case.classify(d == 1, "rows of one");
    let (offset, spread) = (case.real("offset"), case.real("spread"));
    let x = normal(case, "values", 0, &[n, d])?.map(|v| spread * (v + offset));
    Ok([x, normal(case, "values", 1, &[d])?, normal(case, "values", 2, &[d])?])
}

/// The mean and the variance (divided by D) of each row, `[N, 1]`.
fn plain(x: &Tensor<f64>) -> Result<[Tensor<f64>; 2]> {
    Ok([x.mean_axis(1)?.insert_axis(1)?, x.variance_axis(1, 0)?.insert_axis(1)?])
}

fn layer_hat(x: &Tensor<f64>, eps: f64) -> Result<Tensor<f64>> {
    let d = x.dims()[1];
    layer_norm(x, &Tensor::ones([d])?, &Tensor::zeros([d])?, eps)
}

/// Draws for gradient checks: an ε that keeps the function as smooth as the differences need.
fn smooth(p: Property) -> Property {
    p.draw(Draw::real("smooth", 0.5..=2.0).limited(0.3..=10.0))
}

/// Inputs near 0 with a spread of 1, few enough to be checked each: over the last dimension or the last two.
fn near(case: &mut Case<'_>) -> Result<[Tensor<f64>; 3]> {
    let (n, d) = (case.size("n"), case.size("d").min(6));
    let two = case.choice("over") == "the last two";
    let (x, own): (&[usize], &[usize]) = if two { (&[n, 2, d], &[2, d]) } else { (&[n, d], &[d]) };
    Ok([normal(case, "values", 0, x)?, normal(case, "values", 1, own)?, normal(case, "values", 2, own)?])
}

fn over(p: Property) -> Property {
    smooth(p).draw(Draw::choice("over", &["the last one", "the last two"]))
}

fn layer() -> Vec<Property> {
    const ID: &[&str] = &["layer-norm"];
    vec![
        matrix("layer-norm.definition", ID, "it is γ(x − μ)/√(σ² + ε) + β by the plain definition")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = rows(case)?;
                let eps = case.real("eps");
                let [mean, variance] = plain(&x)?;
                let normalised = x.sub(&mean)?.div(&variance.map(|v| (v + eps).sqrt()))?;
                let expected = normalised.mul(&gain)?.add(&bias)?;
                Ok(layer_norm(&x, &gain, &bias, eps)?.max_difference(&expected)?)
            }),
        matrix("layer-norm.moments", ID, "x̂ has mean 0 and variance σ²/(σ² + ε) in every row")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, ..] = rows(case)?;
                let eps = case.real("eps");
                let [mean, variance] = plain(&layer_hat(&x, eps)?)?;
                let expected = plain(&x)?[1].map(|v| v / (v + eps));
                Ok(mean.abs().max()?.max_or_nan(variance.max_difference(&expected)?))
            }),
        matrix("layer-norm.affine", ID, "a·x + b has the x̂ of x for ε·a², times the sign of a")
            .draw(Draw::real("shift", -5.0..=5.0).limited(-1e2..=1e2))
            .draw(Draw::choice("a", &["3", "-3"]))
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, ..] = rows(case)?;
                let (shift, eps) = (case.real("shift") * case.real("spread"), case.real("eps"));
                let sign = if case.choice("a") == "3" { 1.0 } else { -1.0 };
                let moved = x.map(|v| 3.0 * sign * v + shift);
                Ok(layer_hat(&moved, 9.0 * eps)?.max_difference(&layer_hat(&x, eps)?.scale(sign))?)
            }),
        matrix("layer-norm.alone", ID, "a row has the same bits whatever stands in the others, a NaN too")
            .check(|case| {
                let [x, gain, bias] = rows(case)?;
                let eps = case.real("eps");
                let last = x.dims()[0] - 1;
                let alone = layer_norm(&x.slice(0, last..last + 1)?, &gain, &bias, eps)?;
                let mut spoilt = x;
                if last > 0 {
                    spoilt.as_mut_slice()[0] = f64::NAN;
                }
                let y = layer_norm(&spoilt, &gain, &bias, eps)?;
                let nan = last == 0 || y.select(0, 0)?.as_slice().iter().all(|y| y.is_nan());
                Ok(holds(nan && y.slice(0, last..last + 1)?.same_bits(&alone)))
            }),
        matrix(
            "layer-norm.orthogonal",
            ID,
            "∂L/∂x sums to 0 in every row, and along x̂ it is ε/(σ² + ε)^(3/2)·Σ γ·dy·x̂",
        )
        .within("rounding, magnified by the offset", MAGNIFIED)
        .check(|case| {
            let [x, gain, bias] = rows(case)?;
            let eps = case.real("eps");
            let dy = normal(case, "values", 3, x.dims())?;
            let [dx, ..] = gradients(&LayerNormalization { eps }, [&x, &gain, &bias], &dy)?;
            let (variance, x_hat) = (plain(&x)?[1].clone(), layer_hat(&x, eps)?);
            let dx = dx.mul(&variance.map(|v| (v + eps).sqrt()))?;
            let expected =
                dy.mul(&gain)?.mul(&x_hat)?.mul(&variance.map(|v| eps / (v + eps)))?.sum_axis(1)?;
            let sum = dx.sum_axis(1)?.abs().max()?;
            Ok(sum.max_or_nan(dx.mul(&x_hat)?.sum_axis(1)?.max_difference(&expected)?))
        }),
        gradient_property(over(matrix("layer-norm.gradient", ID, "the gradient in x, γ and β")), |case| {
            Ok((LayerNormalization { eps: case.real("smooth") }, near(case)?))
        }),
    ]
}

fn root_mean_square() -> Vec<Property> {
    const ID: &[&str] = &["rms-norm"];
    let mean_square = |x: &Tensor<f64>| x.map(|v| v * v).mean_axis(1)?.insert_axis(1);
    vec![
        matrix("rms-norm.definition", ID, "it is γx/√(⟨x²⟩ + ε) by the plain definition")
            .within("rounding", MAGNIFIED)
            .check(move |case| {
                let [x, gain, _] = rows(case)?;
                let eps = case.real("eps");
                let expected = x.div(&mean_square(&x)?.map(|v| (v + eps).sqrt()))?.mul(&gain)?;
                Ok(rms_norm(&x, &gain, eps)?.max_difference(&expected)?)
            }),
        matrix("rms-norm.scale", ID, "2ᵏ·x with ε·4ᵏ has the same bits")
            .draw(Draw::integer("k", -20..=20))
            .check(|case| {
                let [x, gain, _] = rows(case)?;
                let (scale, eps) = (2f64.powi(case.integer("k") as i32), case.real("eps"));
                let y = rms_norm(&x.scale(scale), &gain, eps * scale * scale)?;
                Ok(holds(y.same_bits(&rms_norm(&x, &gain, eps)?)))
            }),
        matrix("rms-norm.centred", ID, "of rows without a mean it is the layer normalisation without a bias")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = rows(case)?;
                let eps = case.real("eps");
                let centred = x.sub(&plain(&x)?[0])?;
                let expected = layer_norm(&x, &gain, &bias.zeros_like(), eps)?;
                Ok(rms_norm(&centred, &gain, eps)?.max_difference(&expected)?)
            }),
        matrix("rms-norm.orthogonal", ID, "along x̂, ∂L/∂x is ε/(⟨x²⟩ + ε)^(3/2)·Σ γ·dy·x̂")
            .within("rounding", MAGNIFIED)
            .check(move |case| {
                let [x, gain, _] = rows(case)?;
                let eps = case.real("eps");
                let dy = normal(case, "values", 3, x.dims())?;
                let [dx, _] = gradients(&RmsNormalization { eps }, [&x, &gain], &dy)?;
                let square = mean_square(&x)?;
                let x_hat = x.div(&square.map(|v| (v + eps).sqrt()))?;
                let dx = dx.mul(&square.map(|v| (v + eps).sqrt()))?;
                let expected =
                    dy.mul(&gain)?.mul(&x_hat)?.mul(&square.map(|v| eps / (v + eps)))?.sum_axis(1)?;
                Ok(dx.mul(&x_hat)?.sum_axis(1)?.max_difference(&expected)?)
            }),
        gradient_property(over(matrix("rms-norm.gradient", ID, "the gradient in x and γ")), |case| {
            let [x, gain, _] = near(case)?;
            Ok((RmsNormalization { eps: case.real("smooth") }, [x, gain]))
        }),
    ]
}

fn grouped(id: &'static str, statement: &'static str) -> Property {
    images(id, &["group-norm"], statement).draw(Draw::size("groups", 1..=6).limited(1.0..=6.0))
}

/// The largest divisor of the channels that is at most what was drawn.
fn groups(case: &mut Case<'_>, channels: usize) -> usize {
    let groups = (1..=case.size("groups")).rev().find(|g| channels.is_multiple_of(*g)).unwrap_or(1);
    case.classify(groups > 1 && groups < channels, "between one group and a group a channel");
    groups
}

fn group() -> Vec<Property> {
    vec![
        grouped("group-norm.definition", "it is γ(x − μ)/√(σ² + ε) + β with the moments of each group")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = batch(case, false)?;
                let (n, c, eps) = (x.dims()[0], x.dims()[1], case.real("eps"));
                let (g, s) = (groups(case, c), x.len() / (n * c));
                let x_hat = layer_hat(&x.reshape([n * g, c / g * s])?, eps)?.reshape([n, c, s])?;
                let expected = x_hat.mul(&gain.insert_axis(1)?)?.add(&bias.insert_axis(1)?)?;
                Ok(flat(&group_norm(&x, g, &gain, &bias, eps)?)?.max_difference(&expected)?)
            }),
        grouped(
            "group-norm.one",
            "with one group it is a layer normalisation over the whole sample",
        )
        .within("sums in another order, magnified by the offset", MAGNIFIED)
        .check(|case| {
            let [x, gain, bias] = batch(case, false)?;
            let own = &x.dims()[1..];
            let stretched = |v: &Tensor<f64>| {
                v.reshape([&[own[0]], &vec![1; own.len() - 1][..]].concat())?.broadcast_to(own)
            };
            let eps = case.real("eps");
            let expected = layer_norm(&x, &stretched(&gain)?, &stretched(&bias)?, eps)?;
            Ok(group_norm(&x, 1, &gain, &bias, eps)?.max_difference(&expected)?)
        }),
        grouped("group-norm.instance", "with a group a channel, each sample is its own batch")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = batch(case, false)?;
                let (n, c, eps) = (x.dims()[0], x.dims()[1], case.real("eps"));
                // Twice the sample, for a batch must have a variance: its moments stay.
                let x = flat(&x)?;
                let y = group_norm(&x, c, &gain, &bias, eps)?;
                let mut off: f64 = 0.0;
                for i in 0..n {
                    let one = x.slice(0, i..i + 1)?;
                    let alone = batch_norm(&Tensor::concatenate(&[&one, &one], 0)?, &gain, &bias, eps)?;
                    off = off.max_or_nan(y.slice(0, i..i + 1)?.max_difference(&alone.slice(0, 0..1)?)?);
                }
                Ok(off)
            }),
        grouped("group-norm.gain", "the gradients in γ and β are Σ dy·x̂ and Σ dy over each channel")
            .within("rounding, magnified by the offset", MAGNIFIED)
            .check(|case| {
                let [x, gain, bias] = batch(case, false)?;
                let (c, eps) = (x.dims()[1], case.real("eps"));
                let g = groups(case, c);
                let dy = normal(case, "values", 3, x.dims())?;
                let x_hat = group_norm(&x, g, &Tensor::ones([c])?, &Tensor::zeros([c])?, eps)?;
                let op = GroupNormalization { groups: g, eps };
                let [_, dgain, dbias] = gradients(&op, [&x, &gain, &bias], &dy)?;
                let gains = super::over_channels(&dy.mul(&x_hat)?)?;
                Ok(dgain
                    .max_difference(&gains)?
                    .max_or_nan(dbias.max_difference(&super::over_channels(&dy)?)?))
            }),
        gradient_property(smooth(grouped("group-norm.gradient", "the gradient in x, γ and β")), |case| {
            let dims = dims(case, false);
            let g = groups(case, dims[1]);
            let gain = normal(case, "values", 1, &dims[1..2])?;
            let inputs = [normal(case, "values", 0, &dims)?, gain, normal(case, "values", 2, &dims[1..2])?];
            Ok((GroupNormalization { groups: g, eps: case.real("smooth") }, inputs))
        }),
        grouped(
            "group-norm.silu",
            "SiLU of it at once has the bits of SiLU after it; with a shift, of both after x + shift but for rounding",
        )
        .within("rounding, magnified by the offset", MAGNIFIED)
        .check(|case| {
            let [x, gain, bias] = batch(case, false)?;
            let (n, c, eps) = (x.dims()[0], x.dims()[1], case.real("eps"));
            let groups = groups(case, c);
            let op = GroupNormSilu { groups, eps };
            let at_once = op.eval([&x, &gain, &bias])?;
            let after = group_norm(&x, groups, &gain, &bias, eps)?.silu()?;
            let shift = normal(case, "values", 4, &[n, c])?;
            let shape = [&[n, c], &vec![1; x.rank() - 2][..]].concat();
            let moved = x.add(&shift.reshape(shape)?)?;
            let expected = group_norm(&moved, groups, &gain, &bias, eps)?.silu()?;
            let off = op.eval([&x, &shift, &gain, &bias])?.max_difference(&expected)?;
            Ok(if at_once.same_bits(&after) { off } else { f64::INFINITY })
        }),
        gradient_property(
            smooth(grouped("group-norm.silu-gradient", "the gradient of SiLU of it, in x, shift, γ and β")),
            |case| {
                let dims = dims(case, false);
                let g = groups(case, dims[1]);
                let gain = normal(case, "values", 1, &dims[1..2])?;
                let (x, shift) = (normal(case, "values", 0, &dims)?, normal(case, "values", 3, &dims[..2])?);
                let inputs = [x, shift, gain, normal(case, "values", 2, &dims[1..2])?];
                Ok((GroupNormSilu { groups: g, eps: case.real("smooth") }, inputs))
            },
        ),
        gradient_property(
            smooth(grouped("group-norm.silu-alone", "the same without a shift")),
            |case| {
                let dims = dims(case, false);
                let g = groups(case, dims[1]);
                let gain = normal(case, "values", 1, &dims[1..2])?;
                let inputs = [normal(case, "values", 0, &dims)?, gain, normal(case, "values", 2, &dims[1..2])?];
                Ok((GroupNormSilu { groups: g, eps: case.real("smooth") }, inputs))
            },
        ),
    ]
}
