//! AlexNet: against a composition by hand, its towers, its sizes and counts, and local response normalisation.

use super::{apart, conv, count, dense, holds, normal, of, pooled, readers, start, stirred};
use crate::{Action, AlexNet, AlexNetShape, Graph, LeNet1998, LeNet1998Shape, LocalResponse, Start, Step};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, gradient_property};
use gradus_cnn::Window;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::dropout;
use gradus_tensor::{Result, Tensor, rng};

const STACK: &[&str] = &["alexnet-stack"];
const NORM: &[&str] = &["local-response-norm"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = stack();
    all.extend(local_response());
    all.extend(claims());
    all
}

/// A small AlexNet.
fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=3))
        .draw(Draw::size("more rows", 0..=4))
        .draw(Draw::size("more columns", 0..=4))
        .draw(Draw::size("maps", 1..=2))
        .draw(Draw::size("units", 1..=6))
        .draw(Draw::size("classes", 1..=5))
        .draw(Draw::choice("form", &["two towers", "one tower", "torchvision"]))
        .draw(Draw::seed("values"))
}

fn net(case: &mut Case<'_>) -> Result<(AlexNet<f64>, Tensor<f64>), Failure> {
    let form = match case.choice("form") {
        "two towers" => AlexNetShape::published(),
        "one tower" => AlexNetShape::one_tower(),
        _ => AlexNetShape::torchvision(),
    };
    let maps = 2 * case.size("maps");
    let shape = AlexNetShape {
        channels: case.size("channels"),
        image: [67 + case.size("more rows"), 67 + case.size("more columns")],
        maps: [maps, maps + 2, maps + 4, maps + 2, maps],
        units: [case.size("units"), case.size("units") + 1],
        classes: case.size("classes"),
        ..form
    };
    let net = AlexNet::new(&shape, &mut Start::Random(&mut start(case)))?;
    // Weights of 0.01 would leave nothing of the image.
    let mut state = net.state();
    for value in state.values_mut().filter(|value| value.rank() > 1) {
        *value = value.map(|w| 10.0 * w);
    }
    net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
    stirred(&net, case)?;
    let x = normal(case, 0, &[case.size("n"), shape.channels, shape.image[0], shape.image[1]])?;
    Ok((net, x))
}

/// The formula, written out with functions on tensors; in training with the keys of the generator's next numbers.
fn by_hand(net: &AlexNet<f64>, x: &Tensor<f64>, mode: &mut Mode<'_>) -> Result<Tensor<f64>, Failure> {
    let (state, shape) = (net.state(), net.shape());
    let first = Window::new(11).stride(4).padded(shape.padding);
    let (five, three) = (Window::new(5).padded(2), Window::new(3).padded(1));
    let normalised = |h: Tensor<f64>| -> Result<Tensor<f64>> {
        if shape.normalised { LocalResponse::published().eval([&h]) } else { Ok(h) }
    };
    // Where the convolutions stand in torchvision's numbering, and in one with normalisation.
    let numbers = if shape.normalised { [0, 4, 8, 10, 12] } else { [0, 3, 6, 8, 10] };
    let [c1, c2, c3, c4, c5] = numbers.map(|number| format!("features.{number}"));
    let g = shape.towers;
    let h = pooled(&normalised(conv(x, &state, &c1, first, 1)?.relu()?)?, 3, 2)?;
    let h = pooled(&normalised(conv(&h, &state, &c2, five, g)?.relu()?)?, 3, 2)?;
    let h = conv(&h, &state, &c3, three, 1)?.relu()?;
    let h = conv(&h, &state, &c4, three, g)?.relu()?;
    let h = pooled(&conv(&h, &state, &c5, three, g)?.relu()?, 3, 2)?;
    let n = x.dims()[0];
    let h = h.reshape([n, h.len() / n])?;
    let mut half = |h: Tensor<f64>| match mode {
        Mode::Train(rng) => dropout(&h, 0.5, rng.next_u64()),
        Mode::Eval => Ok(h),
    };
    let h = dense(&half(h)?, &state, "classifier.1")?.relu()?;
    let h = dense(&half(h)?, &state, "classifier.4")?.relu()?;
    dense(&h, &state, "classifier.6")
}

fn stack() -> Vec<Property> {
    vec![
        nets("alexnet-stack.by-hand", STACK, "it is the composition that is written, in all three forms")
            .within("rounding", super::ROUNDING)
            .check(|case| {
                let (net, x) = net(case)?;
                Ok(of(&net, &x)?.max_difference(&by_hand(&net, &x, &mut Mode::Eval)?)?)
            }),
        nets(
            "alexnet-stack.towers",
            STACK,
            "two towers are one whose weights between the towers are 0, in value and gradients",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            if net.shape().towers == 1 {
                return Ok(0.0);
            }
            let shape = AlexNetShape { towers: 1, ..net.shape() };
            let dense = AlexNet::<f64>::new(&shape, &mut Start::Blank)?;
            let mut state = net.state();
            for (name, wide) in dense.state() {
                let Some(value) = state.get(&name).filter(|v| v.dims() != wide.dims()).cloned() else { continue };
                let (filters, own) = (value.dims()[0], value.dims()[1]);
                let block = Tensor::from_fn(wide.dims(), |at| {
                    let first = at[0] / (filters / 2) * own;
                    let channel = at[1].checked_sub(first).filter(|&c| c < own);
                    channel.and_then(|c| value.get([at[0], c, at[2], at[3]]).ok()).unwrap_or(0.0)
                })?;
                state.insert(name, block);
            }
            dense.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
            Ok(of(&net, &x)?.max_difference(&of(&dense, &x)?)?)
        }),
        nets(
            "alexnet-stack.dropout",
            STACK,
            "in training half of the numbers before both hidden dense layers are left out and the others doubled, as the seed says; in evaluation none",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let (mut one, mut other) = (rng(case.seed("values")), rng(case.seed("values")));
            let trained = net.forward(&Var::constant(x.clone()), &mut Mode::Train(&mut one))?.value();
            Ok(trained.max_difference(&by_hand(&net, &x, &mut Mode::Train(&mut other))?)?)
        }),
        Property::new(
            "alexnet-stack.sizes",
            STACK,
            "227 → 55 → 27 → 27 → 13 → 13 → 13 → 13 → 6, and 9216 numbers before the dense layers",
        )
        .check(|_| {
            let mut off = 0.0;
            for shape in [AlexNetShape::published(), AlexNetShape::one_tower(), AlexNetShape::torchvision()] {
                let net = AlexNet::<f32>::new(&shape, &mut Start::Blank)?;
                let graph = Graph::of(&net, [3, shape.image[0], shape.image[1]])?;
                let sides = graph.nodes().iter().filter(|node| matches!(node.action.kind(), "Conv" | "MaxPool"));
                let sides: Vec<usize> = sides.map(|node| node.shape[1]).collect();
                let flat = graph.nodes().iter().find(|node| node.action.kind() == "Flatten");
                let said = shape.sizes()?.map(|[height, _]| height).to_vec();
                off += holds(sides == [55, 27, 27, 13, 13, 13, 13, 6] && said == sides);
                off += holds(flat.is_some_and(|node| node.shape == [9216]));
            }
            Ok(off)
        }),
    ]
}

fn local_response() -> Vec<Property> {
    let maps = |id, statement| {
        Property::new(id, NORM, statement)
            .draw(Draw::size("n", 0..=3))
            .draw(Draw::size("channels", 1..=9))
            .draw(Draw::size("height", 1..=4))
            .draw(Draw::size("width", 1..=5))
            .draw(Draw::size("half", 0..=3))
            .draw(Draw::real("alpha", 0.0..=2.0))
            .draw(Draw::choice("beta", &["¾", "½", "1", "0.6"]))
            .draw(Draw::real("k", 0.5..=3.0))
            .draw(Draw::seed("values"))
    };
    fn drawn(case: &mut Case<'_>) -> Result<(LocalResponse, Tensor<f64>), Failure> {
        let beta = match case.choice("beta") {
            "¾" => 0.75,
            "½" => 0.5,
            "1" => 1.0,
            _ => 0.6,
        };
        let op = LocalResponse {
            size: 2 * case.size("half") + 1,
            alpha: case.real("alpha"),
            beta,
            k: case.real("k"),
        };
        let dims = [case.size("n"), case.size("channels"), case.size("height"), case.size("width")];
        let x = normal(case, 0, &dims)?;
        Ok((op, x))
    }
    vec![
        maps(
            "local-response-norm.definition",
            "each number is divided by the power of a sum over its neighbours' squares",
        )
        .within("rounding of a power", 1e-13)
        .check(|case| {
            let (op, x) = drawn(case)?;
            let half = op.size / 2;
            let expected = Tensor::from_fn(x.dims(), |at| {
                let channels = (0..x.dims()[1]).filter(|c| c.abs_diff(at[1]) <= half);
                let of = |c| x.get([at[0], c, at[2], at[3]]).unwrap_or(f64::NAN);
                let sum: f64 = channels.map(|c| of(c) * of(c)).sum();
                of(at[1]) * (op.k + op.alpha * sum).powf(-op.beta)
            })?;
            Ok(op.eval([&x])?.max_difference(&expected)?)
        }),
        maps("local-response-norm.reversed", "channels in reversed order come out in reversed order")
            .within("rounding of a sum in another order", 1e-13)
            .check(|case| {
                let (op, x) = drawn(case)?;
                let turned = |x: &Tensor<f64>| {
                    Tensor::from_fn(x.dims(), |at| {
                        x.get([at[0], x.dims()[1] - 1 - at[1], at[2], at[3]]).unwrap_or(f64::NAN)
                    })
                };
                Ok(op.eval([&turned(&x)?])?.max_difference(&turned(&op.eval([&x])?)?)?)
            }),
        maps(
            "local-response-norm.nan",
            "a NaN reaches the neighbouring channels of its pixel, and nothing else",
        )
        .check(|case| {
            let (op, mut x) = drawn(case)?;
            if x.is_empty() {
                return Ok(0.0);
            }
            let plane = x.dims()[2] * x.dims()[3];
            let channels = x.dims()[1];
            let at = (case.seed("values") % x.len() as u64) as usize;
            x.as_mut_slice()[at] = f64::NAN;
            let y = op.eval([&x])?;
            let wrong = y.as_slice().iter().enumerate().filter(|(i, y)| {
                let near = (i / plane % channels).abs_diff(at / plane % channels) <= op.size / 2;
                let same = i % plane == at % plane && i / (plane * channels) == at / (plane * channels);
                y.is_nan() != (near && same)
            });
            Ok(wrong.count() as f64)
        }),
        gradient_property(maps("local-response-norm.gradient", "the gradient"), |case| {
            let (op, x) = drawn(case)?;
            Ok((op, [x]))
        }),
    ]
}

fn claims() -> Vec<Property> {
    vec![
        Property::new(
            "alexnet-same-conv.sizes",
            &["alexnet-same-conv"],
            "all convolutions but the first keep the size, whatever the image; the first divides it by four",
        )
        .draw(Draw::size("rows", 67..=400))
        .draw(Draw::size("columns", 67..=400))
        .draw(Draw::size("padding", 0..=2))
        .check(|case| {
            let image = [case.size("rows"), case.size("columns")];
            let shape = AlexNetShape { image, padding: case.size("padding"), ..AlexNetShape::published() };
            let [c1, p1, c2, p2, c3, c4, c5, _] = shape.sizes()?;
            let quarter = [0, 1].map(|axis| (image[axis] + 2 * shape.padding - 11) / 4 + 1);
            Ok(holds(c2 == p1 && c3 == p2 && c4 == p2 && c5 == p2 && c1 == quarter && c1 != image))
        }),
        Property::new(
            "alexnet-same-conv.fits",
            &["alexnet-same-conv"],
            "55 come of 227 without padding or of 224 with two zeros, not of the paper's 224 without",
        )
        .check(|_| {
            let first = |image, padding| -> Result<usize> {
                let shape = AlexNetShape { image: [image; 2], padding, ..AlexNetShape::published() };
                Ok(shape.sizes()?[0][0])
            };
            Ok(apart(first(227, 0)?, 55) + apart(first(224, 2)?, 55) + apart(first(224, 0)?, 54))
        }),
        nets(
            "alexnet-relu-softmax.graph",
            &["alexnet-relu-softmax"],
            "a ReLU reads each layer but the last, and the softmax of the scores are probabilities",
        )
        .within("rounding of a sum", 1e-12)
        .check(|case| {
            let (net, x) = net(case)?;
            let graph = Graph::of(&net, [x.dims()[1], x.dims()[2], x.dims()[3]])?;
            let last = graph.nodes().len() - 1;
            let weighted = graph.nodes().iter().enumerate().filter(|(_, node)| {
                matches!(node.action, Action::Step(Step::Conv(_) | Step::Linear(_)))
            });
            let rectified = weighted.filter(|(i, _)| *i != last).all(|(i, _)| readers(&graph, i) == ["ReLU"]);
            let sums = of(&net, &x)?.softmax(1)?.sum_axis(1)?;
            let off = sums.as_slice().iter().fold(0.0, |off: f64, sum| off.max((sum - 1.0).abs()));
            Ok(off + holds(rectified && graph.nodes()[last].action.kind() == "Linear"))
        }),
        Property::new(
            "alexnet-1000x.ratio",
            &["alexnet-1000x"],
            "the two networks as published have 60,965,224 and 60,000 parameters: a thousandfold",
        )
        .check(|_| {
            let large = count(&AlexNet::<f32>::new(&AlexNetShape::published(), &mut Start::Blank)?);
            let small = count(&LeNet1998::<f32>::new(LeNet1998Shape::published(), &mut rng(1))?);
            Ok(apart(large / small, 1016))
        }),
        Property::new(
            "alexnet-params.layers",
            &["alexnet-params"],
            "layer by layer as multiplied out, two towers halving what the second, fourth and fifth convolution read",
        )
        .check(|_| {
            let net = AlexNet::<f32>::new(&AlexNetShape::published(), &mut Start::Blank)?;
            let mut layers: Vec<usize> = Vec::new();
            for (name, var) in net.named_parameters() {
                if name.ends_with("weight") {
                    layers.push(0);
                }
                if let Some(layer) = layers.last_mut() {
                    *layer += var.shape().elements();
                }
            }
            let conv = |read: usize, size: usize, maps: usize| (read * size * size + 1) * maps;
            let expected = [
                conv(3, 11, 96),
                conv(48, 5, 256),
                conv(256, 3, 384),
                conv(192, 3, 384),
                conv(192, 3, 256),
                (256 * 6 * 6 + 1) * 4096,
                (4096 + 1) * 4096,
                (4096 + 1) * 1000,
            ];
            Ok(holds(layers == expected) + apart(expected.iter().sum(), 60_965_224) + apart(count(&net), 60_965_224))
        }),
        Property::new(
            "alexnet-params.forms",
            &["alexnet-params"],
            "with the towers grown together 62,378,344, in torchvision's form 61,100,840",
        )
        .check(|_| {
            let of = |shape| Ok::<_, Failure>(count(&AlexNet::<f32>::new(&shape, &mut Start::Blank)?));
            let one = apart(of(AlexNetShape::one_tower())?, 62_378_344);
            Ok(one + apart(of(AlexNetShape::torchvision())?, 61_100_840))
        }),
    ]
}
