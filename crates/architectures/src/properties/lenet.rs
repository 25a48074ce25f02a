//! LeNet in its modern form: its task, its layers against a composition by hand, its pooling, and the counts of both forms.

use super::{ROUNDING, apart, holds, normal, of, part, replace};
use crate::{Connections, LeNet, LeNet1998, LeNet1998Shape, LeNetShape, SquashedMean, Squashing, refused};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, composite_gradient_property, gradient_property};
use gradus_cnn::{AveragePool, Window, conv2d};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, rng};
use std::collections::BTreeMap;

const TASK: &[&str] = &["lenet-task"];
const STACK: &[&str] = &["lenet-stack"];
const PARAMS: &[&str] = &["lenet-params"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = task();
    all.extend(stack());
    all.extend(pooling());
    all.extend(params());
    all
}

/// A network of the modern form with sizes of its own.
fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("channels", 1..=2))
        .draw(Draw::size("more rows", 0..=3))
        .draw(Draw::size("more columns", 0..=3))
        .draw(Draw::size("padding", 0..=2))
        .draw(Draw::size("maps", 1..=3))
        .draw(Draw::size("more maps", 1..=3))
        .draw(Draw::size("units", 1..=5))
        .draw(Draw::size("more units", 1..=4))
        .draw(Draw::size("classes", 1..=4))
        .draw(Draw::choice("activation", &["tanh", "sigmoid", "relu"]))
        .draw(Draw::seed("values"))
}

/// The network that was drawn, with biases that are not 0, and images for it.
fn net(case: &mut Case<'_>) -> Result<(LeNet<f64>, Tensor<f64>), Failure> {
    let padding = case.size("padding");
    // 16 pixels, padding included, are the fewest: 16 → 12 → 6 → 2 → 1.
    let image = [case.size("more rows"), case.size("more columns")].map(|more| 16 + more - 2 * padding);
    let shape = LeNetShape {
        channels: case.size("channels"),
        image,
        padding,
        maps: [case.size("maps"), case.size("more maps")],
        units: [case.size("units"), case.size("more units")],
        classes: case.size("classes"),
    };
    let squashing = match case.choice("activation") {
        "tanh" => Squashing::Tanh,
        "sigmoid" => Squashing::Sigmoid,
        _ => Squashing::Relu,
    };
    case.classify(image[0] != image[1], "not square");
    let net = LeNet::new(shape, squashing, &mut rng(case.seed("values")))?;
    let mut state = BTreeMap::new();
    for (which, (name, value)) in (10..).zip(net.state()) {
        let value = if name.ends_with("bias") { normal(case, which, value.dims())? } else { value };
        state.insert(name, value);
    }
    net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
    let x = normal(case, 0, &[case.size("n"), shape.channels, image[0], image[1]])?;
    Ok((net, x))
}

fn squashed(net: &LeNet<f64>, a: &Tensor<f64>) -> Result<Tensor<f64>> {
    match net.squashing() {
        Squashing::Tanh => a.tanh(),
        Squashing::Sigmoid => a.sigmoid(),
        Squashing::Relu => a.relu(),
    }
}

/// The formula, written out with functions on tensors.
fn by_hand(net: &LeNet<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let state = net.state();
    let get = |name: &str| part(&state, name);
    let mean = AveragePool::new([Window::new(2).stride(2); 2]);
    let mut h = x.clone();
    for (name, padding) in [("conv1", net.shape().padding), ("conv2", 0)] {
        let (w, b) = (get(&format!("{name}.weight"))?, get(&format!("{name}.bias"))?);
        let a = conv2d(&h, w, Some(b), [Window::new(5).padded(padding); 2])?;
        h = mean.eval([&squashed(net, &a)?])?;
    }
    let mut h = h.reshape([x.dims()[0], h.len() / x.dims()[0]])?;
    for name in ["fc1", "fc2", "fc3"] {
        let (w, b) = (get(&format!("{name}.weight"))?, get(&format!("{name}.bias"))?);
        let a = h.matmul(w)?.add(b)?;
        h = if name == "fc3" { a } else { squashed(net, &a)? };
    }
    Ok(h)
}

fn task() -> Vec<Property> {
    vec![
        nets(
            "lenet-task.alone",
            TASK,
            "a score a class for each image, which depends on no other image of the batch",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let all = of(&net, &x)?;
            let mut off = holds(all.dims() == [case.size("n"), case.size("classes")]);
            for i in 0..case.size("n") {
                let own = of(&net, &x.slice(0, i..i + 1)?)?;
                off = off.max(own.max_difference(&all.slice(0, i..i + 1)?)?);
            }
            Ok(off)
        }),
        Property::new(
            "lenet-task.shapes",
            TASK,
            "32 → 28 → 14 → 10 → 5, and 28 with a padding of 2 the same; ten scores in both forms",
        )
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::seed("values"))
        .check(|case| {
            let (n, rng) = (case.size("n"), &mut rng(case.seed("values")));
            let chain = [[28, 28], [14, 14], [10, 10], [5, 5]];
            let sizes = [
                LeNetShape::default().sizes()?,
                LeNetShape::mnist().sizes()?,
                LeNet1998Shape::published().sizes()?,
            ];
            let modern = LeNet::new(LeNetShape::mnist(), Squashing::Tanh, rng)?;
            let published = LeNet1998::new(LeNet1998Shape::published(), rng)?;
            let small = of(&modern, &normal(case, 0, &[n, 1, 28, 28])?)?;
            let large = of(&published, &normal(case, 0, &[n, 1, 32, 32])?)?;
            let fits = small.dims() == [n, 10] && large.dims() == [n, 10];
            Ok(holds(sizes == [chain; 3] && fits))
        }),
    ]
}

fn stack() -> Vec<Property> {
    vec![
        nets("lenet-stack.composition", STACK, "the network is the formula, written out with functions")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (net, x) = net(case)?;
                Ok(of(&net, &x)?.max_difference(&by_hand(&net, &x)?)?)
            }),
        nets(
            "lenet-stack.maps",
            STACK,
            "the order in which maps are numbered says nothing: exchange two everywhere, and the scores stay",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let before = of(&net, &x)?;
            let mut state = net.state();
            // The maps of the first convolution in another order, and what reads them.
            let maps = case.size("maps") as u32;
            let order: Vec<u32> = (0..maps).map(|k| (k + 1) % maps).collect();
            for (name, axis) in [("conv1.weight", 0), ("conv1.bias", 0), ("conv2.weight", 1)] {
                let turned = part(&state, name)?.gather(axis, &order)?;
                state.insert(name.into(), turned);
            }
            net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
            Ok(of(&net, &x)?.max_difference(&before)?)
        }),
        nets(
            "lenet-stack.shift",
            STACK,
            "move the image by four pixels, and the first maps move by four and the second by two",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            // Without padding, so that both images have the same neighbours.
            let image = [16 + case.size("more rows"), 16 + case.size("more columns")];
            let shape = LeNetShape { image, padding: 0, ..net.shape() };
            let wide = LeNetShape { image: [image[0], image[1] + 4], ..shape };
            let wide_net = LeNet::new(wide, net.squashing(), &mut rng(1))?;
            let mut narrow = LeNet::new(shape, net.squashing(), &mut rng(2))?;
            (narrow.conv1, narrow.conv2) = (wide_net.conv1.clone(), wide_net.conv2.clone());
            let w = image[1] + 4;
            let wide_x = normal(case, 5, &[x.dims()[0], shape.channels, image[0], w])?;
            let [all1, all3] = wide_net.maps(&Var::constant(wide_x.clone()))?;
            let moved = wide_x.slice(3, 4..w)?;
            let [own1, own3] = narrow.maps(&Var::constant(moved))?;
            let behind = |map: &Var<f64>, by: usize| -> Result<Tensor<f64>> {
                let map = map.value();
                map.slice(3, by..map.dims()[3])
            };
            let off = own1.value().max_difference(&behind(&all1, 4)?)?;
            Ok(off.max(own3.value().max_difference(&behind(&all3, 2)?)?))
        }),
        composite_gradient_property(
            nets("lenet-stack.gradient", STACK, "the gradients of any of its parameters and of the image")
                .draw(Draw::size("parameter", 0..=9).limited(0.0..=9.0))
                .costly(8),
            |case| {
                let (net, x) = net(case)?;
                // Away from ReLU's kink there is no telling: the smooth ones only.
                let smooth =
                    if net.squashing() == Squashing::Relu { Squashing::Tanh } else { net.squashing() };
                let (shape, which) = (net.shape(), case.size("parameter"));
                let own = net.named_parameters().swap_remove(which).1.value();
                let state = net.state();
                let f = move |vars: &[Var<f64>]| {
                    let mut own = LeNet::new(shape, smooth, &mut rng(1))?;
                    own.load_state(&state).map_err(|e| refused("load_state", "state", e, "one that fits"))?;
                    replace(&mut own, which, &vars[1]);
                    own.forward(&vars[0], &mut Mode::Eval)
                };
                Ok((f, vec![x, own]))
            },
        ),
    ]
}

/// Maps for the activation with its pooling.
fn sums(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, STACK, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::size("rows", 2..=7))
        .draw(Draw::size("columns", 2..=19))
        .draw(Draw::choice("activation", &["tanh", "sigmoid", "relu"]))
        .draw(Draw::seed("values"))
}

fn drawn_sums(case: &mut Case<'_>) -> Result<(Squashing, Tensor<f64>)> {
    let dims = [case.size("n"), case.size("c"), case.size("rows"), case.size("columns")];
    case.classify(dims[2] % 2 + dims[3] % 2 > 0, "a row or a column left over");
    let squashing = match case.choice("activation") {
        "tanh" => Squashing::Tanh,
        "sigmoid" => Squashing::Sigmoid,
        _ => Squashing::Relu,
    };
    Ok((squashing, normal(case, 0, &dims)?))
}

fn pooling() -> Vec<Property> {
    vec![
        sums(
            "lenet-stack.fused",
            "activation and pooling in one pass are the two one by one, there and back",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (f, a) = drawn_sums(case)?;
            let pool = AveragePool::new([Window::new(2).stride(2); 2]);
            let var = Var::parameter(a.clone());
            let slow = Var::apply(pool, [&f.apply(&var)?])?;
            let fast = Var::apply(SquashedMean(f), [&var])?;
            let dy = normal(case, 1, slow.shape().dims())?;
            let mut off = slow.value().max_difference(&fast.value())?;
            let back = |y: &Var<f64>| -> Result<Tensor<f64>, Failure> {
                let gradients = y.backward_with(&dy).map_err(|e| Failure::Error(e.to_string()))?;
                gradients.get(&var).cloned().ok_or_else(|| Failure::Error("no gradient".into()))
            };
            off = off.max(back(&slow)?.max_difference(&back(&fast)?)?);
            Ok(off)
        }),
        gradient_property(
            sums("lenet-stack.fused-gradient", "the gradient of activation and pooling in one pass"),
            |case| {
                let (f, a) = drawn_sums(case)?;
                // Five points must lie on one side of ReLU's kink.
                let away = |a: f64| if a < 0.0 { a - 0.1 } else { a + 0.1 };
                Ok((SquashedMean(f), [if f == Squashing::Relu { a.map(away) } else { a }]))
            },
        ),
    ]
}

fn params() -> Vec<Property> {
    /// The parameters of a layer, by walking the struct.
    fn walked(net: &dyn Parameters<f64>, layer: &str) -> usize {
        let own =
            net.named_parameters().into_iter().filter(|(name, _)| name.split('.').next() == Some(layer));
        own.map(|(_, var)| var.value().len()).sum()
    }
    vec![
        Property::new(
            "lenet-params.published",
            PARAMS,
            "60,000 as published: 156 + 12 + 1,516 + 32 + 48,120 + 10,164",
        )
        .draw(Draw::seed("values"))
        .check(|case| {
            let net = LeNet1998::new(LeNet1998Shape::published(), &mut rng(case.seed("values")))?;
            let layers = [("c1", 156), ("s2", 12), ("c3", 1516), ("s4", 32), ("c5", 48_120), ("f6", 10_164)];
            let off: f64 = layers.iter().map(|(name, count)| apart(walked(&net, name), *count)).sum();
            Ok(off + apart(net.parameter_count(), 60_000) + apart(walked(&net, "codes"), 0))
        }),
        nets("lenet-params.modern", PARAMS, "as many as multiplied out, 61,706 for the sizes of 1998").check(
            |case| {
                let (net, _) = net(case)?;
                let LeNetShape { channels, maps: [a, b], units: [u, v], classes, .. } = net.shape();
                let [.., [h, w]] = net.shape().sizes()?;
                let counted = (25 * channels + 1) * a
                    + (25 * a + 1) * b
                    + (b * h * w + 1) * u
                    + (u + 1) * v
                    + (v + 1) * classes;
                let modern = LeNet::<f64>::new(LeNetShape::mnist(), Squashing::Tanh, &mut rng(1))?;
                Ok(apart(net.parameter_count(), counted) + apart(modern.parameter_count(), 61_706))
            },
        ),
        Property::new(
            "lenet-params.connections",
            PARAMS,
            "the paper's 340,908 connections: each output of each layer counts what it reads, biases too",
        )
        .check(|_| {
            let [c1, s2, c3, s4] = LeNet1998Shape::published().sizes()?.map(|[h, w]| h * w);
            let table = Connections::published();
            let convolutions = c1 * 6 * 26 + c3 * (table.count() * 25 + 16) + 120 * (16 * 25 + 1);
            let subsamplings = s2 * 6 * 5 + s4 * 16 * 5;
            Ok(apart(convolutions + subsamplings + 84 * 121 + 84 * 10, 340_908))
        }),
        composite_gradient_property(
            Property::new(
                "lenet-params.gradient",
                PARAMS,
                "any of the parameters of a small copy of 1998, and the image, have their gradient",
            )
            .draw(Draw::size("n", 1..=2))
            .draw(Draw::size("parameter", 0..=11).limited(0.0..=11.0))
            .draw(Draw::seed("values"))
            .costly(8),
            |case| {
                let shape = LeNet1998Shape {
                    channels: 1,
                    image: [16, 16],
                    connections: Connections::new(2, &[&[0], &[0, 1], &[1]])?,
                    units: [4, 5],
                    classes: 3,
                };
                let net = LeNet1998::<f64>::new(shape, &mut rng(case.seed("values")))?;
                let (x, which) = (normal(case, 0, &[case.size("n"), 1, 16, 16])?, case.size("parameter"));
                let own = net.named_parameters().swap_remove(which).1.value();
                let f = move |vars: &[Var<f64>]| {
                    let mut own = net.clone();
                    replace(&mut own, which, &vars[1]);
                    own.forward(&vars[0], &mut Mode::Eval)
                };
                Ok((f, vec![x, own]))
            },
        ),
    ]
}
