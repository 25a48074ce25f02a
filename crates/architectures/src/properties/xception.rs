//! Xception: separable convolutions against dense ones, and what is counted.

use super::{apart, conv, count, holds, network_gradient, norm, normal, of, part, start, stirred, whole};
use crate::{Action, Graph, Join, Module, ModuleShape, Separable, Start, Summary, Xception, XceptionShape};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var};
use gradus_cnn::{Convolution, MaxPool, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Tensor, Transpose};

const SEPARABLE: &[&str] = &["xception-separable"];

fn layers(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("inputs", 1..=6))
        .draw(Draw::size("outputs", 1..=6))
        .draw(Draw::size("height", 1..=7))
        .draw(Draw::size("width", 1..=7))
        .draw(Draw::seed("values"))
}

/// A separable convolution with whole numbers, and maps.
fn drawn(case: &mut Case<'_>) -> Result<(Separable<f64>, Tensor<f64>), Failure> {
    let (inputs, outputs) = (case.size("inputs"), case.size("outputs"));
    let layer = Separable::new(inputs, outputs, &mut Start::Blank)?;
    layer.depthwise.weight.update(|w| whole(case, 1, &[inputs, 1, 3, 3]).map(|v| *w = v))?;
    layer.pointwise.weight.update(|w| whole(case, 2, &[outputs, inputs, 1, 1]).map(|v| *w = v))?;
    let x = whole(case, 0, &[case.size("n"), inputs, case.size("height"), case.size("width")])?;
    Ok((layer, x))
}

/// A module, and what is put into it.
fn module(case: &mut Case<'_>) -> Result<(ModuleShape, Module<f64>, Tensor<f64>), Failure> {
    let (inputs, outputs) = (case.size("inputs"), case.size("outputs"));
    let maps = match case.choice("maps") {
        "grow first" => vec![inputs, outputs, outputs],
        "grow last" => vec![inputs, inputs, outputs],
        _ => vec![inputs; 4],
    };
    let shape = ModuleShape {
        maps,
        halves: case.choice("halves") == "yes",
        relu_first: case.choice("relu") == "first",
    };
    let module = Module::new(&shape, &mut Start::Random(&mut start(case)))?;
    stirred(&module, case)?;
    let x = normal(case, 0, &[case.size("n"), inputs, case.size("height"), case.size("width")])?;
    Ok((shape, module, x))
}

fn modules(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    layers(id, formulas, statement)
        .draw(Draw::choice("maps", &["grow first", "grow last", "stay"]))
        .draw(Draw::choice("halves", &["no", "yes"]))
        .draw(Draw::choice("relu", &["first", "later"]))
}

pub(super) fn separable() -> Vec<Property> {
    vec![
        layers("xception-separable.rank-one", SEPARABLE, "it is the full convolution whose filters are p·d, of rank one a pair of channels")
            .check(|case| {
                let (layer, x) = drawn(case)?;
                let (d, p) = (layer.depthwise.weight.value(), layer.pointwise.weight.value());
                let dims = [p.dims()[0], d.dims()[0], 3, 3];
                let dense = Tensor::from_fn(dims, |at| {
                    let p = p.get([at[0], at[1], 0, 0]).unwrap_or(f64::NAN);
                    p * d.get([at[1], 0, at[2], at[3]]).unwrap_or(f64::NAN)
                })?;
                let full = Convolution::new([Window::new(3).padded(1); 2]).value(&x, &dense, None)?;
                Ok(of(&layer, &x)?.max_difference(&full)?)
            }),
        layers("xception-separable.pointwise", SEPARABLE, "filters that pick the middle leave a product of matrices at each pixel").check(
            |case| {
                let (layer, x) = drawn(case)?;
                layer.depthwise.weight.update(|w| {
                    for filter in w.as_mut_slice().chunks_exact_mut(9) {
                        filter.fill(0.0);
                        filter[4] = 1.0;
                    }
                });
                let &[n, c, h, w] = x.dims() else { return Ok(f64::NAN) };
                let p = layer.pointwise.weight.value();
                let k = p.dims()[0];
                let y = p.reshape([k, c])?.product(Transpose::No, &x.reshape([n, c, h * w])?, Transpose::No)?;
                Ok(of(&layer, &x)?.max_difference(&y.reshape([n, k, h, w])?)?)
            },
        ),
        Property::new("xception-separable.ratio", SEPARABLE, "parameters and products are 1/K + 1/F² of the full ones, exactly")
            .draw(Draw::size("inputs", 1..=800))
            .draw(Draw::size("outputs", 1..=800))
            .draw(Draw::size("side", 1..=60))
            .check(|case| {
                let (c, k, side) = (case.size("inputs"), case.size("outputs"), case.size("side"));
                let layer = Separable::<f32>::new(c, k, &mut Start::Blank)?;
                let summary = Summary::of("", &Graph::of(&layer, [c, side, side])?);
                // Wide enough on a machine of 32 bits too.
                let [c, k, places] = [c, k, side * side].map(|n| n as u64);
                let full = 9 * c * k;
                // (1/K + 1/9)·9K = 9 + K
                let parameters = apart(summary.parameters as u64 * 9 * k, full * (9 + k));
                Ok(parameters + apart(summary.multiplications * 9 * k, full * places * (9 + k)))
            }),
        network_gradient(
            layers("xception-separable.gradient", SEPARABLE, "the gradients of x and of both weights"),
            false,
            drawn,
        ),
        layers(
            "xception-extreme-inception.towers",
            &["xception-extreme-inception"],
            "each channel has a tower of its own: convolved alone, one after the other, they give what the layer mixes",
        )
        .check(|case| {
            let (layer, x) = drawn(case)?;
            let d = layer.depthwise.weight.value();
            let alone = |c: usize| {
                let (x, w) = (x.slice(1, c..c + 1)?, d.slice(0, c..c + 1)?);
                Convolution::new([Window::new(3).padded(1); 2]).value(&x, &w, None)
            };
            let towers = (0..d.dims()[0]).map(alone).collect::<gradus_tensor::Result<Vec<_>>>()?;
            let joined = Tensor::concatenate(&towers.iter().collect::<Vec<_>>(), 1)?;
            Ok(of(&layer, &x)?.max_difference(&of(&layer.pointwise, &joined)?)?)
        }),
        layers(
            "xception-extreme-inception.linear",
            &["xception-extreme-inception"],
            "nothing stands between looking around and mixing: the layer is linear",
        )
        .check(|case| {
            let (layer, x) = drawn(case)?;
            let other = whole(case, 3, x.dims())?;
            let sum = of(&layer, &x.add(&other)?)?;
            Ok(sum.max_difference(&of(&layer, &x)?.add(&of(&layer, &other)?)?)?)
        }),
    ]
}

pub(super) fn network() -> Vec<Property> {
    vec![
        modules(
            "xception-36-convs.module",
            &["xception-36-convs"],
            "a module is ReLU, separable convolution and normalisation, over and over, and a way around it",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let (shape, module, x) = module(case)?;
            let state = module.state();
            let (mut h, mut number) = (x.clone(), 0);
            for (i, pair) in shape.maps.windows(2).enumerate() {
                if i > 0 || shape.relu_first {
                    h = h.relu()?;
                    number += 1;
                }
                let three = Window::new(3).padded(1);
                h = conv(&h, &state, &format!("rep.{number}.conv1"), three, pair[0])?;
                h = conv(&h, &state, &format!("rep.{number}.pointwise"), Window::new(1), 1)?;
                h = norm(&h, &state, &format!("rep.{}", number + 1))?;
                number += 2;
            }
            let mut around = x.clone();
            if shape.halves {
                h = MaxPool::new([Window::new(3).stride(2).padded(1); 2]).eval([&h])?;
            }
            if shape.halves || shape.maps[0] != h.dims()[1] {
                let stride = if shape.halves { 2 } else { 1 };
                around = norm(&conv(&x, &state, "skip", Window::new(1).stride(stride), 1)?, &state, "skipbn")?;
            }
            Ok(of(&module, &x)?.max_difference(&h.add(&around)?)?)
        }),
        network_gradient(
            modules("xception-36-convs.gradient", &["xception-36-convs"], "the gradients of a module's x and of each of its parameters"),
            false,
            |case| {
                let (shape, module, x) = module(case)?;
                // A pooling has kinks of its own; it is checked by itself.
                let module = if shape.halves {
                    let shape = ModuleShape { halves: false, ..shape };
                    let module = Module::new(&shape, &mut Start::Random(&mut start(case)))?;
                    stirred(&module, case)?;
                    module
                } else {
                    module
                };
                Ok((module, x.map(|v| if v < 0.0 { v - 0.2 } else { v + 0.2 })))
            },
        ),
        Property::new(
            "xception-36-convs.counted",
            &["xception-36-convs"],
            "2 ordinary and 34 separable convolutions are 36; with both halves of the separable and 4 shortcuts there are 74",
        )
        .check(|_| {
            let net = Xception::<f32>::new(&XceptionShape::published(), &mut Start::Blank)?;
            let graph = Graph::of(&net, [3, 299, 299])?;
            let kinds: Vec<&str> = graph.nodes().iter().map(|node| node.action.kind()).collect();
            let count_of = |kind| kinds.iter().filter(|k| **k == kind).count();
            let (depthwise, others) = (count_of("DepthwiseConv"), count_of("Conv"));
            let shortcuts = graph.nodes().iter().filter(|node| node.name.ends_with("skip")).count();
            let sums = graph.nodes().iter().filter(|node| matches!(node.action, Action::Join(Join::Add))).count();
            let ordinary = others - depthwise - shortcuts;
            // Fourteen modules, of which the first and the last have no way around.
            Ok(apart(ordinary + depthwise, 36)
                + apart(ordinary, 2)
                + apart(depthwise + others, 74)
                + apart(shortcuts, 4)
                + apart(sums, 12)
                + apart(count(&net), 22_855_952))
        }),
        Property::new(
            "xception-36-convs.whole",
            &["xception-36-convs"],
            "a small copy is its stem, its modules and its exit, one after the other",
        )
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("rows", 30..=50))
        .draw(Draw::size("columns", 30..=50))
        .draw(Draw::size("middle", 0..=2))
        .draw(Draw::seed("values"))
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let shape = XceptionShape {
                channels: 2,
                stem: [2, 3],
                entry: [3, 4, 5],
                middle: case.size("middle"),
                exit: [5, 6, 7],
                classes: 3,
                ..XceptionShape::tiny()
            };
            let net = Xception::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
            stirred(&net, case)?;
            let state = net.state();
            let x = normal(case, 0, &[case.size("n"), 2, case.size("rows"), case.size("columns")])?;
            let h = norm(&conv(&x, &state, "conv1", Window::new(3).stride(2), 1)?, &state, "bn1")?.relu()?;
            let mut h = norm(&conv(&h, &state, "conv2", Window::new(3), 1)?, &state, "bn2")?.relu()?;
            for block in &net.blocks {
                h = of(block, &h)?;
            }
            h = norm(&of(&net.conv3, &h)?, &state, "bn3")?.relu()?;
            h = norm(&of(&net.conv4, &h)?, &state, "bn4")?.relu()?;
            let &[n, c, rows, columns] = h.dims() else { return Ok(f64::NAN) };
            let means = h.reshape([n, c, rows * columns])?.sum_axis(2)?.map(|v| v / (rows * columns) as f64);
            let scores = net.fc.forward(&Var::constant(means), &mut Mode::Eval)?.value();
            part(&state, "block1.rep.0.conv1.weight")?;
            Ok(of(&net, &x)?.max_difference(&scores)? + holds(net.blocks.len() == 4 + case.size("middle")))
        }),
    ]
}
