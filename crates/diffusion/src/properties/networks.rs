//! Networks: small copies, in double precision.

use super::{normal, z};
use crate::{
    Denoiser, DenoisingMlp, DenoisingTransformer, DenoisingUNet, Diffusion, MlpShape, PlaceAttention,
    Prediction, Sampler, Schedule, TimedBlock, TransformerShape, UNetShape,
};
use gradus_autograd::{Layer, Mode, Name, Parameters, SlotMut, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Property};
use gradus_initialization::Stream;
use gradus_tensor::{Result, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let mut all = shapes();
    all.extend(unet());
    all
}

/// The smallest U-Net that has everything: two levels, attention, classes.
fn small(case: &Case<'_>, heads: usize, classes: u32) -> Result<DenoisingUNet<f64>> {
    let shape = UNetShape {
        channels: 1 + case.seed("values") as usize % 2,
        width: 4,
        levels: 2,
        groups: 2,
        told: 4,
        classes,
        heads,
        dropout: 0.0,
    };
    let net = DenoisingUNet::new(shape, &mut rng(case.seed("values")))?;
    stir(&net, case)?;
    Ok(net)
}

fn channels_of(net: &DenoisingUNet<f64>) -> usize {
    net.input.shape().in_channels
}

/// Gives every parameter gentle numbers: what begins with weights 0 says nothing.
fn stir(net: &dyn Parameters<f64>, case: &Case<'_>) -> Result<()> {
    for (i, (_, parameter)) in net.named_parameters().into_iter().enumerate() {
        let fresh =
            Stream::new(case.seed("values")).substream(5000 + i as u64).normal::<f64>(parameter.shape())?;
        parameter.update(|p| *p = fresh.scale(0.4));
    }
    Ok(())
}

/// The network with these parameters in the place of its own, in their order.
fn with_parameters<N: Parameters<f64> + Clone>(net: &N, given: &[Var<f64>]) -> N {
    let (mut net, mut next) = (net.clone(), given.iter());
    net.visit_mut(&mut Name::default(), &mut |_, slot| {
        if let (SlotMut::Parameter(own), Some(given)) = (slot, next.next()) {
            *own = given.clone();
        }
    });
    net
}

/// Whether the output moves with every parameter. They are moved by other amounts in each number: one added to all channels alike is taken off again by a normalisation, and one
/// added to all keys alike by a softmax.
fn heard(net: &dyn Parameters<f64>, say: &dyn Fn() -> Result<Tensor<f64>>) -> Result<bool> {
    let before = say()?;
    for (_, parameter) in net.named_parameters() {
        let value = parameter.value();
        let moved = Stream::new(9).normal::<f64>(value.shape())?.scale(0.3).add(&value)?;
        parameter.update(|p| *p = moved);
        let after = say()?;
        parameter.update(|p| *p = value);
        if after.max_difference(&before)? < 1e-9 {
            return Ok(false);
        }
    }
    Ok(true)
}

fn seeded(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement).draw(Draw::seed("values"))
}

fn steps(case: &Case<'_>, n: usize) -> Vec<usize> {
    (0..n as u64).map(|i| 1 + (z(case, 800 + i).abs() * 300.0) as usize).collect()
}

fn shapes() -> Vec<Property> {
    vec![
        seeded(
            "diffusion-dims-match.unet",
            &["diffusion-dims-match", "diffusion-unet"],
            "a U-Net's output has the shape of its input: any number of images, channels and levels, sides that can be halved; other sides are refused",
        )
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("channels", 1..=3))
        .draw(Draw::size("levels", 1..=3))
        .draw(Draw::size("high", 1..=3))
        .draw(Draw::size("wide", 1..=3))
        .draw(Draw::choice("attention", &["no", "yes"]))
        .costly(8)
        .holds(|case| {
            let (n, channels, levels) = (case.size("n"), case.size("channels"), case.size("levels"));
            let heads = if case.choice("attention") == "yes" { 2 } else { 0 };
            let shape = UNetShape { channels, levels, heads, width: 4, groups: 2, told: 4, ..UNetShape::default() };
            let net = DenoisingUNet::<f64>::new(shape, &mut rng(case.seed("values")))?;
            let factor = 1 << (levels - 1);
            let dims = [n, channels, case.size("high") * factor, case.size("wide") * factor];
            let say = |dims: [usize; 4]| net.denoise(&Var::constant(Tensor::ones(dims)?), &steps(case, n), None, &mut Mode::Eval);
            let odd = levels == 1 || say([n, channels, dims[2] + 1, dims[3]]).is_err();
            Ok(say(dims)?.shape() == dims && odd)
        }),
        seeded(
            "diffusion-dims-match.mlp",
            &["diffusion-dims-match"],
            "and so has that of dense layers, of points of any number of numbers",
        )
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("d", 1..=6))
        .draw(Draw::size("layers", 0..=3))
        .holds(|case| {
            let (n, numbers) = (case.size("n"), case.size("d"));
            let shape = MlpShape { numbers, width: 5, layers: case.size("layers"), told: 4, classes: 0 };
            let net = DenoisingMlp::<f64>::new(shape, &mut rng(case.seed("values")))?;
            let x = Var::constant(normal(case, 0, &[n, numbers])?);
            let other = Var::constant(normal(case, 0, &[n, numbers + 1])?);
            Ok(net.denoise(&x, &steps(case, n), None, &mut Mode::Eval)?.shape() == [n, numbers]
                && net.denoise(&other, &steps(case, n), None, &mut Mode::Eval).is_err())
        }),
        seeded(
            "diffusion-flexible.transformer",
            &["diffusion-flexible", "diffusion-dims-match"],
            "a transformer over patches will do: shapes, every parameter has a say, the order of the patches matters, and what it says of an image does not depend on the others",
        )
        .draw(Draw::size("patch", 1..=3))
        .draw(Draw::size("high", 1..=2))
        .draw(Draw::size("wide", 1..=2))
        .within("sums in another order", 1e-9)
        .costly(8)
        .check(|case| {
            let patch = case.size("patch");
            let shape = TransformerShape { channels: 2, patch, width: 4, heads: 2, layers: 1, classes: 2 };
            let net = DenoisingTransformer::<f64>::new(shape, &mut rng(case.seed("values")))?;
            let dims = [2, 2, patch * case.size("high"), patch * case.size("wide")];
            let x = normal(case, 0, &dims)?;
            let (t, labels) = (steps(case, 2), [1, 2]);
            let say = |x: &Tensor<f64>, n: std::ops::Range<usize>| {
                net.denoise(&Var::constant(x.slice(0, n.clone())?), &t[n.clone()], Some(&labels[n]), &mut Mode::Eval)
                    .map(|y| y.value())
            };
            let silent = say(&x, 0..2)?.as_slice().iter().all(|&y| y == 0.0);
            stir(&net, case)?;
            let all = say(&x, 0..2)?;
            // A key's bias adds the same to all scores of a query; one that is moved together with the value's is heard.
            let heard = heard(&net, &|| say(&x, 0..2))?;
            let alone = say(&x, 1..2)?.max_difference(&all.slice(0, 1..2)?)?;
            let turned: Vec<u32> = (0..dims[3] as u32).map(|i| (i + patch as u32) % dims[3] as u32).collect();
            let places = dims[3] == patch || say(&x.gather(3, &turned)?, 0..2)?.max_difference(&all.gather(3, &turned)?)? > 1e-9;
            Ok(if silent && all.shape() == dims && heard && places { alone } else { f64::INFINITY })
        }),
        seeded(
            "diffusion-flexible.patches",
            &["diffusion-flexible"],
            "where attention finds nothing, each patch of the answer comes from that patch of the image, and from no other",
        )
        .draw(Draw::size("at", 0..=3))
        .costly(8)
        .holds(|case| {
            let shape = TransformerShape { channels: 2, patch: 2, width: 4, heads: 2, layers: 1, classes: 0 };
            let net = DenoisingTransformer::<f64>::new(shape, &mut rng(case.seed("values")))?;
            stir(&net, case)?;
            for (name, parameter) in net.named_parameters() {
                if name.contains("out_proj") {
                    parameter.update(|p| p.map_in_place(|_| 0.0));
                }
            }
            let x = normal(case, 0, &[1, 2, 4, 4])?;
            let (row, column) = (2 * (case.size("at") / 2), 2 * (case.size("at") % 2));
            let mut other = x.clone();
            for i in 0..2 {
                other.set([0, 0, row + i, column], 1.0 - x.get([0, 1, row, column + i])?)?;
            }
            let say = |x: &Tensor<f64>| net.denoise(&Var::constant(x.clone()), &[3], None, &mut Mode::Eval);
            let change = say(&other)?.value().sub(&say(&x)?.value())?;
            let inside = |at: &[usize]| (row..row + 2).contains(&at[2]) && (column..column + 2).contains(&at[3]);
            let elsewhere = Tensor::from_fn([1, 2, 4, 4], |at| if inside(at) { 0.0 } else { 1.0 })?;
            Ok(change.abs().max()? > 1e-9 && change.mul(&elsewhere)?.abs().max()? == 0.0)
        }),
        composite_gradient_property(
            seeded("diffusion-flexible.gradient", &["diffusion-flexible"], "the gradient in the image, and in every parameter, of a transformer over patches").costly(16),
            |case| {
                let shape = TransformerShape { channels: 1, patch: 2, width: 4, heads: 2, layers: 1, classes: 2 };
                let net = DenoisingTransformer::<f64>::new(shape, &mut rng(case.seed("values")))?;
                stir(&net, case)?;
                let mut inputs = vec![normal(case, 0, &[2, 1, 2, 4])?];
                inputs.extend(net.named_parameters().iter().map(|(_, p)| p.value()));
                let (t, labels) = (steps(case, 2), [1, 2]);
                Ok((
                    move |given: &[Var<f64>]| {
                        let net = with_parameters(&net, &given[1..]);
                        net.denoise(&given[0], &t, Some(&labels), &mut Mode::Eval)
                    },
                    inputs,
                ))
            },
        ),
        seeded(
            "diffusion-flexible.any",
            &["diffusion-flexible", "diffusion-dims-match"],
            "whatever has an output of the input's shape can be trained and drawn with; what has another is refused by name",
        )
        .draw(Draw::choice("network", &["unet", "mlp", "scale", "other shape"]))
        .costly(8)
        .holds(|case| {
            /// A network of one number, and one that loses a number.
            struct One(Var<f64>, bool);
            impl Denoiser<f64> for One {
                fn denoise(&self, x: &Var<f64>, _: &[usize], _: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<f64>> {
                    let y = x.mul(&self.0)?;
                    if self.1 { y.slice(1, 0..0) } else { Ok(y) }
                }
            }
            let diffusion = Diffusion::new(Schedule::cosine(5)?, Prediction::Velocity);
            let sampler = Sampler::ddim(diffusion.clone(), 3, 0.5)?;
            let name = case.choice("network");
            case.label(name);
            let try_it = |net: &dyn Denoiser<f64>, dims: &[usize]| -> Result<bool> {
                let loss = diffusion.loss(net, &normal(case, 0, dims)?, None, &mut Mode::Eval)?;
                let trains = loss.backward().is_ok_and(|gradients| !gradients.is_empty());
                Ok(trains && sampler.draw(net, dims, None, 1)?.dims() == dims)
            };
            Ok(match name {
                "unet" => {
                    let net = small(case, 2, 0)?;
                    let channels = channels_of(&net);
                    try_it(&net, &[2, channels, 2, 4])?
                }
                "mlp" => {
                    let shape = MlpShape { width: 5, layers: 1, told: 4, ..MlpShape::default() };
                    let net = DenoisingMlp::<f64>::new(shape, &mut rng(case.seed("values")))?;
                    stir(&net, case)?;
                    try_it(&net, &[3, 2])?
                }
                _ => {
                    let net = One(Var::parameter(Tensor::from([0.5])), name != "scale");
                    if name == "scale" {
                        try_it(&net, &[3, 2])?
                    } else {
                        try_it(&net, &[3, 2]).is_err() && sampler.draw(&net, [3, 2], None, 1).is_err()
                    }
                }
            })
        }),
    ]
}

fn unet() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-unet"];
    vec![
        composite_gradient_property(
            seeded("diffusion-unet.gradient", ID, "the gradient in the image and in every parameter, of a U-Net with attention and classes").costly(85),
            |case| {
                let net = small(case, 2, 3)?;
                let channels = channels_of(&net);
                let x = normal(case, 0, &[2, channels, 2, 4])?;
                let mut inputs = vec![x];
                inputs.extend(net.named_parameters().iter().map(|(_, p)| p.value()));
                let (t, labels) = (steps(case, 2), [1, 3]);
                Ok((
                    move |given: &[Var<f64>]| {
                        let net = with_parameters(&net, &given[1..]);
                        net.denoise(&given[0], &t, Some(&labels), &mut Mode::Eval)
                    },
                    inputs,
                ))
            },
        ),
        seeded("diffusion-unet.silent", ID, "a fresh network says 0 of everything, so that training begins with the loss of knowing nothing")
            .costly(8)
            .holds(|case| {
                let shape = UNetShape { width: 8, levels: 2, classes: 4, ..UNetShape::default() };
                let net = DenoisingUNet::<f64>::new(shape, &mut rng(case.seed("values")))?;
                let x = Var::constant(normal(case, 0, &[2, 1, 4, 4])?);
                let said = net.denoise(&x, &steps(case, 2), Some(&[0, 3]), &mut Mode::Eval)?.value();
                Ok(said.as_slice().iter().all(|&y| y == 0.0))
            }),
        seeded("diffusion-unet.alone", ID, "what it says of an image does not depend on the others of the batch, nor on their steps and classes")
            .draw(Draw::choice("attention", &["no", "yes"]))
            .within("sums in another order", 1e-10)
            .costly(8)
            .check(|case| {
                let net = small(case, if case.choice("attention") == "yes" { 2 } else { 0 }, 3)?;
                let channels = channels_of(&net);
                let x = normal(case, 0, &[3, channels, 4, 4])?;
                let (t, labels) = (steps(case, 3), [2, 0, 3]);
                let all = net.denoise(&Var::constant(x.clone()), &t, Some(&labels), &mut Mode::Eval)?.value();
                let mut off = 0.0f64;
                for n in 0..3 {
                    let one = Var::constant(x.slice(0, n..n + 1)?);
                    let alone = net.denoise(&one, &t[n..=n], Some(&labels[n..=n]), &mut Mode::Eval)?;
                    off = off.max(alone.value().max_difference(&all.slice(0, n..n + 1)?)?);
                }
                Ok(off)
            }),
        seeded("diffusion-unet.told", ID, "it is told the step and the class: another of either, and it says something else; without a class it is that of no class")
            .costly(8)
            .holds(|case| {
                let net = small(case, 0, 3)?;
                let channels = channels_of(&net);
                let x = Var::constant(normal(case, 0, &[1, channels, 4, 4])?);
                let say = |t: usize, labels: Option<&[u32]>| net.denoise(&x, &[t], labels, &mut Mode::Eval).map(|y| y.value());
                let here = say(10, Some(&[1]))?;
                Ok(here != say(11, Some(&[1]))?
                    && here != say(10, Some(&[2]))?
                    && say(10, None)?.same_bits(&say(10, Some(&[3]))?)
                    && say(10, Some(&[4])).is_err()
                    && say(10, Some(&[1, 1])).is_err())
            }),
        seeded("diffusion-unet.say", ID, "every parameter has a say: whichever is moved, the output moves; of dense layers too")
            .costly(16)
            .holds(|case| {
                let (unet, mlp) = (small(case, 2, 2)?, MlpShape { width: 5, layers: 2, told: 4, classes: 2, numbers: 2 });
                let mlp = DenoisingMlp::<f64>::new(mlp, &mut rng(case.seed("values")))?;
                stir(&mlp, case)?;
                let image = Var::constant(normal(case, 0, &[3, channels_of(&unet), 4, 4])?);
                let point = Var::constant(normal(case, 1, &[3, 2])?);
                let say = |net: &dyn Denoiser<f64>, x: &Var<f64>| {
                    net.denoise(x, &[3, 40, 200], Some(&[0, 1, 2]), &mut Mode::Eval).map(|y| y.value())
                };
                Ok(heard(&unet, &|| say(&unet, &image))? && heard(&mlp, &|| say(&mlp, &point))?)
            }),
        seeded("diffusion-unet.residual", ID, "a fresh block lets through what it gets, or its projection where the number of maps changes")
            .draw(Draw::choice("maps", &["as many", "more"]))
            .within("sums in another order", 1e-12)
            .check(|case| {
                let outputs = if case.choice("maps") == "more" { 6 } else { 4 };
                let block = TimedBlock::<f64>::new([4, outputs], (2, 4), 0.0, &mut rng(case.seed("values")))?;
                let x = Var::constant(normal(case, 0, &[2, 4, 3, 5])?);
                let told = Var::constant(normal(case, 1, &[2, 4])?);
                let through = match &block.skip {
                    Some(skip) => skip.forward(&x, &mut Mode::Eval)?,
                    None => x.clone(),
                };
                let off = block.forward(&x, &told, &mut Mode::Eval)?.value().max_difference(&through.value())?;
                Ok(if block.skip.is_some() == (outputs == 6) { off } else { f64::INFINITY })
            }),
        seeded("diffusion-unet.places", ID, "attention among places knows no places: with the pixels in another order it says the same, in that order; fresh, it adds nothing")
            .draw(Draw::size("high", 1..=3))
            .draw(Draw::size("wide", 1..=3))
            .within("sums in another order", 1e-10)
            .check(|case| {
                let (high, wide) = (case.size("high"), case.size("wide"));
                let layer = PlaceAttention::<f64>::new(4, (2, 2), &mut rng(case.seed("values")))?;
                let x = normal(case, 0, &[2, 4, high, wide])?;
                let say = |layer: &PlaceAttention<f64>, x: &Tensor<f64>| -> Result<Tensor<f64>> {
                    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
                };
                let silent = say(&layer, &x)?.max_difference(&x)?;
                stir(&layer, case)?;
                let places = high * wide;
                let order: Vec<u32> = (0..places as u32).rev().collect();
                let turned = |x: &Tensor<f64>| x.reshape([2, 4, places])?.gather(2, &order)?.reshape(x.shape());
                let off = say(&layer, &turned(&x)?)?.max_difference(&turned(&say(&layer, &x)?)?)?;
                Ok(if silent == 0.0 { off } else { f64::INFINITY })
            }),
        seeded("diffusion-unet.dropout", ID, "in training numbers are dropped where that is wished for, in judging never")
            .costly(8)
            .holds(|case| {
                let shape = UNetShape { width: 4, levels: 2, groups: 2, told: 4, heads: 0, dropout: 0.5, ..UNetShape::default() };
                let net = DenoisingUNet::<f64>::new(shape, &mut rng(case.seed("values")))?;
                stir(&net, case)?;
                let x = Var::constant(normal(case, 0, &[1, 1, 8, 8])?);
                let train = |seed: u64| {
                    let mut rng = rng(seed);
                    net.denoise(&x, &[5], None, &mut Mode::Train(&mut rng)).map(|y| y.value())
                };
                let judge = || net.denoise(&x, &[5], None, &mut Mode::Eval).map(|y| y.value());
                Ok(train(1)? != train(2)? && train(1)?.same_bits(&train(1)?) && judge()?.same_bits(&judge()?))
            }),
    ]
}
