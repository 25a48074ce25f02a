//! The properties of the layers: each against the operation that it is made of, and its parameters against what they should be.

use super::{Values, frame, framed, normal, whole};
use crate::{
    Algorithm, Conv1d, Conv2d, ConvShape, ConvTranspose2d, Convolution, SeparableConv2d,
    TransposedConvolution, Window, conv2d,
};
use gradus_autograd::{Layer, Mode, Parameters, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_initialization::{Fans, Init};
use gradus_tensor::{Result, Tensor, rng};

const FORWARD: &[&str] = &["conv-forward"];
const TRANSPOSED: &[&str] = &["transposed-conv"];
const SEPARABLE: &[&str] = &["separable-conv"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = convolutions();
    all.extend(separable());
    all
}

/// A layer with everything that it can have.
fn layers(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    let property = Property::new(id, formulas, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("groups", 1..=3))
        .draw(Draw::size("in", 1..=3))
        .draw(Draw::size("out", 1..=3))
        .draw(Draw::choice("bias", &["yes", "no"]));
    framed(property).draw(Draw::seed("values"))
}

/// The shape that was drawn, and the sizes of an image into which its windows fit.
pub(super) fn shape(case: &mut Case<'_>) -> Result<(ConvShape<2>, [usize; 2]), Failure> {
    let (groups, bias) = (case.size("groups"), case.choice("bias") == "yes");
    let (channels, filters) = (groups * case.size("in"), groups * case.size("out"));
    let (windows, image) = frame(case)?;
    case.classify(groups > 1, "groups");
    case.classify(!bias, "no bias");
    Ok((ConvShape { in_channels: channels, out_channels: filters, groups, bias, windows }, image))
}

/// Weights and a bias of this shape.
pub(super) fn weights(
    case: &Case<'_>,
    shape: &ConvShape<2>,
    values: Values,
) -> Result<(Tensor<f64>, Option<Tensor<f64>>)> {
    let [down, across] = shape.windows.map(|w| w.size);
    let dims = [shape.out_channels, shape.in_channels / shape.groups, down, across];
    let bias = shape.bias.then(|| values(case, 2, &[shape.out_channels])).transpose()?;
    Ok((values(case, 1, &dims)?, bias))
}

/// What a layer makes of x in evaluation.
pub(super) fn of(layer: &impl Layer<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
}

/// 0 where `yes`, else ∞.
pub(super) fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}

fn same(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    holds(a.same_bits(b))
}

fn convolutions() -> Vec<Property> {
    vec![
        layers("conv-forward.layer", FORWARD, "the layer is the operation with its weights and its bias").check(|case| {
            let n = case.size("n");
            let (shape, [h, w]) = shape(case)?;
            let (weight, bias) = weights(case, &shape, normal)?;
            let x = normal(case, 0, &[n, shape.in_channels, h, w])?;
            let layer = Conv2d::from_tensors(shape, weight.clone(), bias.clone())?;
            let op = Convolution::new(shape.windows).groups(shape.groups);
            let mut off = 0.0f64;
            for way in [Algorithm::Automatic, Algorithm::Plain, Algorithm::Unfold] {
                let own = of(&layer.clone().by(way), &x)?;
                off = off.max(same(&own, &op.by(way).value(&x, &weight, bias.as_ref())?));
            }
            let without = of(&layer.without_bias(), &x)?;
            Ok(off.max(same(&without, &op.value(&x, &weight, None)?)))
        }),
        layers("conv-forward.sequences", FORWARD, "along sequences it is the sum over a padded sequence").check(|case| {
            let n = case.size("n");
            let (shape, [_, l]) = shape(case)?;
            let window = shape.windows[1];
            let (channels, filters, group) =
                (shape.in_channels, shape.out_channels, shape.in_channels / shape.groups);
            let own = ConvShape { in_channels: channels, out_channels: filters, groups: shape.groups, bias: shape.bias, windows: [window] };
            let weight = whole(case, 1, &[filters, group, window.size])?;
            let bias = shape.bias.then(|| whole(case, 2, &[filters])).transpose()?;
            let x = whole(case, 0, &[n, channels, l])?;
            let y = of(&Conv1d::from_tensors(own, weight.clone(), bias.clone())?, &x)?;
            let expected = Tensor::from_fn([n, filters, window.output(l)?], |at| {
                let (sample, k, o) = (at[0], at[1], at[2]);
                let mut sum = bias.as_ref().map_or(0.0, |bias| bias.as_slice()[k]);
                for c in 0..group {
                    for tap in 0..window.size {
                        let place = (o * window.stride + tap * window.dilation).checked_sub(window.padding[0]);
                        let channel = k / (filters / shape.groups) * group + c;
                        if let Some(place) = place.filter(|&place| place < l) {
                            sum += weight.as_slice()[(k * group + c) * window.size + tap]
                                * x.as_slice()[(sample * channels + channel) * l + place];
                        }
                    }
                }
                sum
            })?;
            Ok(y.max_difference(&expected)?)
        }),
        layers(
            "conv-forward.parameters",
            FORWARD,
            "a new layer has He's weights over the numbers that an output sums over, a bias of 0, and as many parameters as counted",
        )
        .check(|case| {
            let (shape, _) = shape(case)?;
            let seed = case.seed("values");
            let layer = Conv2d::<f64>::new(shape, &mut rng(seed))?;
            let [down, across] = shape.windows.map(|w| w.size);
            let dims = [shape.out_channels, shape.in_channels / shape.groups, down, across];
            // An output sums over the weights of its filter.
            let fans = Fans { fan_in: dims[1..].iter().product(), fan_out: 1 };
            let he: Tensor<f64> = Init::he_normal().tensor(dims, fans, &mut rng(seed))?;
            let state = layer.state();
            let bias = state.get("bias").map(|bias| bias.as_slice() == vec![0.0; shape.out_channels]);
            let right = state.get("weight").is_some_and(|weight| weight.same_bits(&he))
                && bias == shape.bias.then_some(true)
                && layer.parameter_count() == shape.parameters()?;
            Ok(holds(right))
        }),
        layers("transposed-conv.layer", TRANSPOSED, "the layer is the operation with its weights and its bias").check(|case| {
            let n = case.size("n");
            let (shape, [h, w]) = shape(case)?;
            // Without padding nothing is cut off.
            let shape = ConvShape { windows: shape.windows.map(|w| w.padded(0)), ..shape };
            let more = shape.windows.map(|w| (w.stride - 1).min(1));
            let [down, across] = shape.windows.map(|w| w.size);
            let weight = normal(case, 1, &[shape.in_channels, shape.out_channels / shape.groups, down, across])?;
            let bias = shape.bias.then(|| normal(case, 2, &[shape.out_channels])).transpose()?;
            let x = normal(case, 0, &[n, shape.in_channels, h, w])?;
            let layer = ConvTranspose2d::from_tensors(shape, weight.clone(), bias.clone())?.output_padding(more);
            let op = TransposedConvolution::new(shape.windows).groups(shape.groups).output_padding(more);
            let y = of(&layer, &x)?;
            let sizes = [shape.windows[0].transposed_output(h, more[0])?, shape.windows[1].transposed_output(w, more[1])?];
            let fits = y.dims() == [n, shape.out_channels, sizes[0], sizes[1]];
            Ok(same(&y, &op.value(&x, &weight, bias.as_ref())?).max(holds(fits)))
        }),
        layers(
            "transposed-conv.fans",
            TRANSPOSED,
            "a new layer divides by the mean number of terms of an output away from the edge, rounded up",
        )
        .check(|case| {
            let (shape, _) = shape(case)?;
            let shape = ConvShape { bias: false, windows: shape.windows.map(|w| w.padded(0)), ..shape };
            let mut fan = 0;
            let layer = ConvTranspose2d::<f64>::with_init(shape, |dims, fans| {
                fan = fans.fan_in;
                Tensor::ones(dims)
            })?;
            // So many pixels that a block of S·S' outputs has all its terms.
            let mut from = [0; 2];
            let mut image = [0; 2];
            for (axis, window) in shape.windows.iter().enumerate() {
                from[axis] = window.extent()? - 1;
                image[axis] = (from[axis] + window.stride).div_ceil(window.stride) + 1;
            }
            let y = of(&layer, &Tensor::ones([1, shape.in_channels, image[0], image[1]])?)?;
            let block = y
                .slice(2, from[0]..from[0] + shape.windows[0].stride)?
                .slice(3, from[1]..from[1] + shape.windows[1].stride)?;
            Ok((block.mean()?.ceil() - fan as f64).abs())
        }),
    ]
}

fn separable() -> Vec<Property> {
    let drawn = |id, statement| {
        let property = Property::new(id, SEPARABLE, statement)
            .draw(Draw::size("n", 0..=3))
            .draw(Draw::size("in", 1..=4))
            .draw(Draw::size("out", 1..=4));
        framed(property).draw(Draw::seed("values"))
    };
    /// The layer with drawn weights, and an image.
    fn layer(
        case: &mut Case<'_>,
        values: Values,
    ) -> Result<(SeparableConv2d<f64>, [Window; 2], Tensor<f64>), Failure> {
        let (n, c, k) = (case.size("n"), case.size("in"), case.size("out"));
        let (windows, [h, w]) = frame(case)?;
        let [down, across] = windows.map(|w| w.size);
        let depthwise = ConvShape::depthwise(c, windows).without_bias();
        let layer = SeparableConv2d {
            depthwise: Conv2d::from_tensors(depthwise, values(case, 1, &[c, 1, down, across])?, None)?,
            pointwise: Conv2d::from_tensors(
                ConvShape::pointwise(c, k),
                values(case, 2, &[k, c, 1, 1])?,
                Some(values(case, 3, &[k])?),
            )?,
        };
        Ok((layer, windows, values(case, 0, &[n, c, h, w])?))
    }
    vec![
        drawn("separable-conv.full", "it is the full convolution whose filters are p[k, c]·d[c, u, v]")
            .check(|case| {
                let (layer, windows, x) = layer(case, whole)?;
                let (d, p) = (layer.depthwise.weight.value(), layer.pointwise.weight.value());
                let taps = d.len() / d.dims()[0];
                let full = Tensor::from_fn([p.dims()[0], d.dims()[0], d.dims()[2], d.dims()[3]], |at| {
                    let (k, c, tap) = (at[0], at[1], at[2] * d.dims()[3] + at[3]);
                    p.as_slice()[k * d.dims()[0] + c] * d.as_slice()[c * taps + tap]
                })?;
                let bias = layer.pointwise.bias.as_ref().map(|bias| bias.value());
                let expected = conv2d(&x, &full, bias.as_ref(), windows)?;
                let off = of(&layer, &x)?.max_difference(&expected)?;
                let without = conv2d(&x, &full, None, windows)?;
                Ok(off.max(of(&layer.without_bias(), &x)?.max_difference(&without)?))
            }),
        drawn(
            "separable-conv.counts",
            "a new layer has C·F·F' + C·K weights and K biases, and half of He's variance in the first part",
        )
        .check(|case| {
            let (c, k, seed) = (case.size("in"), case.size("out"), case.seed("values"));
            let (windows, _) = frame(case)?;
            let layer = SeparableConv2d::<f64>::new(c, k, windows, &mut rng(seed))?;
            let [down, across] = windows.map(|w| w.size);
            let mut own = rng(seed);
            let fans = |fan_in| Fans { fan_in, fan_out: 1 };
            let first: Tensor<f64> =
                Init::lecun_normal().tensor([c, 1, down, across], fans(down * across), &mut own)?;
            let second: Tensor<f64> = Init::he_normal().tensor([k, c, 1, 1], fans(c), &mut own)?;
            let right = layer.depthwise.weight.value().same_bits(&first)
                && layer.pointwise.weight.value().same_bits(&second)
                && layer.parameter_count() == c * down * across + c * k + k
                && layer.state().keys().eq(["depthwise.weight", "pointwise.bias", "pointwise.weight"]);
            Ok(holds(right))
        }),
        drawn(
            "separable-conv.order",
            "channels in another order, with their filters and their weights, give the same",
        )
        .check(|case| {
            let (layer, windows, x) = layer(case, whole)?;
            let c = x.dims()[1];
            let turned: Vec<u32> = (0..c as u32).rev().collect();
            let other = SeparableConv2d {
                depthwise: Conv2d::from_tensors(
                    ConvShape::depthwise(c, windows).without_bias(),
                    layer.depthwise.weight.value().gather(0, &turned)?,
                    None,
                )?,
                pointwise: Conv2d::from_tensors(
                    layer.pointwise.shape(),
                    layer.pointwise.weight.value().gather(1, &turned)?,
                    layer.pointwise.bias.as_ref().map(|bias| bias.value()),
                )?,
            };
            Ok(of(&layer, &x)?.max_difference(&of(&other, &x.gather(1, &turned)?)?)?)
        }),
        composite_gradient_property(
            drawn("separable-conv.gradient", "the gradients in x, both weights and the bias"),
            |case| {
                let (layer, _, x) = layer(case, normal)?;
                let bias = layer.pointwise.bias.as_ref().map(|bias| bias.value());
                let bias = bias.ok_or_else(|| Failure::Error("no bias".into()))?;
                let inputs = vec![x, layer.depthwise.weight.value(), layer.pointwise.weight.value(), bias];
                let f = move |p: &[Var<f64>]| {
                    let mut layer = layer.clone();
                    layer.depthwise.weight = p[1].clone();
                    layer.pointwise.weight = p[2].clone();
                    layer.pointwise.bias = Some(p[3].clone());
                    layer.forward(&p[0], &mut Mode::Eval)
                };
                Ok((f, inputs))
            },
        ),
    ]
}
