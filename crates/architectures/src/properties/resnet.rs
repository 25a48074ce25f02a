//! ResNet: the block against its formula, what a shortcut does to gradients, counts.

use super::{
    apart, conv, convolves, count, dense, holds, network_gradient, norm, normal, of, opened, part, readers,
    start, stirred, whole,
};
use crate::{
    Action, Basic, Block, BlockShape, Bottleneck, Graph, Join, ResNet, ResNetShape, Shortcut, Start, Stem,
    Step, Widen,
};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, gradient_property};
use gradus_cnn::Window;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_initialization::{FanMode, Fans, Init};
use gradus_tensor::{Result, Tensor, rng};

const BLOCK: &[&str] = &["residual-block"];

/// A small block, of every kind.
fn blocks(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("inputs", 1..=5))
        .draw(Draw::size("maps", 1..=4))
        .draw(Draw::choice("shape", &["stays", "changes"]))
        .draw(Draw::size("stride", 1..=2))
        .draw(Draw::choice("kind", &["basic", "bottleneck"]))
        .draw(Draw::choice("stride in the", &["first 1 × 1", "3 × 3"]))
        .draw(Draw::choice("shortcut", &["projection", "zeros"]))
        .draw(Draw::size("height", 1..=6))
        .draw(Draw::size("width", 1..=6))
        .draw(Draw::seed("values"))
}

fn shape(case: &mut Case<'_>) -> BlockShape {
    let bottleneck = case.choice("kind") == "bottleneck";
    let mut shape = BlockShape {
        inputs: case.size("inputs"),
        maps: case.size("maps"),
        stride: case.size("stride"),
        bottleneck,
        stride_first: case.choice("stride in the") == "first 1 × 1",
        zero_init: false,
        projection: case.choice("shortcut") == "projection",
    };
    if case.choice("shape") == "stays" {
        (shape.inputs, shape.stride) = (shape.outputs(), 1);
    }
    // Channels can't be taken away by adding zeros.
    shape.projection |= shape.inputs > shape.outputs();
    case.classify(shape.inputs == shape.outputs() && shape.stride == 1, "identity");
    shape
}

fn drawn(case: &mut Case<'_>) -> Result<(BlockShape, Block<f64>, Tensor<f64>), Failure> {
    let shape = shape(case);
    let block = Block::new(&shape, &mut Start::Random(&mut start(case)))?;
    stirred(&block, case)?;
    let x = normal(case, 0, &[case.size("n"), shape.inputs, case.size("height"), case.size("width")])?;
    Ok((shape, block, x))
}

/// F(x), with functions on tensors.
fn branch(shape: &BlockShape, block: &Block<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let state = block.state();
    let (one, three) = (Window::new(1), Window::new(3).padded(1));
    if !shape.bottleneck {
        let h = norm(&conv(x, &state, "conv1", three.stride(shape.stride), 1)?, &state, "bn1")?.relu()?;
        return norm(&conv(&h, &state, "conv2", three, 1)?, &state, "bn2");
    }
    let (first, second) = if shape.stride_first { (shape.stride, 1) } else { (1, shape.stride) };
    let h = norm(&conv(x, &state, "conv1", one.stride(first), 1)?, &state, "bn1")?.relu()?;
    let h = norm(&conv(&h, &state, "conv2", three.stride(second), 1)?, &state, "bn2")?.relu()?;
    norm(&conv(&h, &state, "conv3", one, 1)?, &state, "bn3")
}

/// S·x, with functions on tensors.
fn around(shape: &BlockShape, block: &Block<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    if shape.inputs == shape.outputs() && shape.stride == 1 {
        return Ok(x.clone());
    }
    let state = block.state();
    if shape.projection {
        let h = conv(x, &state, "downsample.0", Window::new(1).stride(shape.stride), 1)?;
        return norm(&h, &state, "downsample.1");
    }
    let &[n, c, h, w] = x.dims() else { return Ok(x.clone()) };
    let s = shape.stride;
    let y = Tensor::from_fn([n, shape.outputs(), h.div_ceil(s), w.div_ceil(s)], |at| {
        if at[1] < c { x.get([at[0], at[1], s * at[2], s * at[3]]).unwrap_or(f64::NAN) } else { 0.0 }
    })?;
    Ok(y)
}

pub(super) fn block() -> Vec<Property> {
    vec![
        blocks("residual-block.definition", BLOCK, "it is f(F(x) + S·x), for both kinds of block and all shortcuts")
            .within("rounding", super::ROUNDING)
            .check(|case| {
                let (shape, block, x) = drawn(case)?;
                let expected = branch(&shape, &block, &x)?.add(&around(&shape, &block, &x)?)?.relu()?;
                Ok(of(&block, &x)?.max_difference(&expected)?)
            }),
        blocks("residual-block.zero", BLOCK, "whose last normalisation is 0, that is its shortcut: f(S·x)").within("rounding of a shortcut with numbers", 1e-12).check(|case| {
            let shape = BlockShape { zero_init: true, ..shape(case) };
            let block = Block::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
            let x = normal(case, 0, &[case.size("n"), shape.inputs, case.size("height"), case.size("width")])?;
            Ok(of(&block, &x)?.max_difference(&around(&shape, &block, &x)?.relu()?)?)
        }),
        blocks(
            "residual-block.jacobian",
            BLOCK,
            "where nothing is cut off, its gradient is dy itself and that of F: I + J_F",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let mut shape = shape(case);
            (shape.inputs, shape.stride) = (shape.outputs(), 1);
            let block = Block::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
            stirred(&block, case)?;
            let dims = [case.size("n"), shape.inputs, case.size("height"), case.size("width")];
            // So far above 0 that the last ReLU lets everything pass.
            let x = Var::parameter(normal(case, 0, &dims)?.map(|v| 50.0 + v));
            let dy = normal(case, 1, &dims)?;
            let gradient = |y: Var<f64>| -> Result<Tensor<f64>, Failure> {
                let gradients = y.backward_with(&dy).map_err(|e| Failure::Error(e.to_string()))?;
                gradients.get(&x).cloned().ok_or_else(|| Failure::Error("no gradient".into()))
            };
            let whole = gradient(block.forward(&x, &mut Mode::Eval)?)?;
            let y = block.forward(&x, &mut Mode::Eval)?.sub(&x)?;
            let own = gradient(y)?;
            let passes = of(&block, &x.value())?.as_slice().iter().all(|&v| v > 0.0);
            Ok(holds(passes) + whole.max_difference(&own.add(&dy)?)?)
        }),
        blocks(
            "residual-block.chain",
            &["residual-block", "resnet-deeper-better"],
            "through any number of blocks that add nothing yet, the gradient comes out as it went in, to the bit",
        )
        .draw(Draw::size("depth", 1..=40))
        .check(|case| {
            let mut shape = shape(case);
            (shape.inputs, shape.stride, shape.zero_init) = (shape.outputs(), 1, true);
            let dims = [case.size("n"), shape.inputs, case.size("height"), case.size("width")];
            let x = Var::parameter(normal(case, 0, &dims)?.map(|v| v.abs() + 1.0));
            let dy = normal(case, 1, &dims)?;
            let mut h = x.clone();
            for _ in 0..case.size("depth") {
                let block = Block::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
                h = block.forward(&h, &mut Mode::Eval)?;
            }
            let gradients = h.backward_with(&dy).map_err(|e| Failure::Error(e.to_string()))?;
            let dx = gradients.get(&x).ok_or_else(|| Failure::Error("no gradient".into()))?;
            Ok(dx.max_difference(&dy)?)
        }),
        network_gradient(
            blocks("residual-block.gradient", BLOCK, "the gradients of x and of each parameter, in evaluation"),
            false,
            |case| {
                let (_, block, x) = drawn(case)?;
                // Further from 0 than F's own shifts, or the sum with the shortcut would come near the kink; a shortcut without parameters stays below them.
                let (Block::Basic(Basic { downsample, .. }) | Block::Bottleneck(Bottleneck { downsample, .. })) = &block;
                if let Shortcut::Projection(projection) = downsample {
                    projection.norm.bias.update(|b| *b = b.map(|b| 4.0 * b));
                }
                Ok((block, x.map(|v| 0.5 * v.sin())))
            },
        ),
        network_gradient(
            blocks("residual-block.training", BLOCK, "the same in training, through the batch's statistics"),
            true,
            |case| {
                // Of few numbers a channel, or of a single weight, the statistics change too fast for differences.
                let mut shape = shape(case);
                (shape.inputs, shape.maps) = (shape.inputs + 2, shape.maps + 2);
                if case.choice("shape") == "stays" {
                    shape.inputs = shape.outputs();
                }
                shape.projection |= shape.inputs > shape.outputs();
                let block = Block::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
                opened(&block, case)?;
                let sides = ["height", "width"].map(|name| 1 + case.size(name).min(2));
                let x = normal(case, 0, &[case.size("n") + 3, shape.inputs, sides[0], sides[1]])?;
                Ok((block, x))
            },
        ),
        gradient_property(
            Property::new("residual-block.widened", BLOCK, "channels of zeros: the gradient of those that were there")
                .draw(Draw::size("n", 0..=3))
                .draw(Draw::size("channels", 1..=4))
                .draw(Draw::size("more", 0..=4))
                .draw(Draw::size("side", 1..=4))
                .draw(Draw::seed("values")),
            |case| {
                let (channels, side) = (case.size("channels"), case.size("side"));
                let op = Widen { channels: channels + case.size("more") };
                Ok((op, [normal(case, 0, &[case.size("n"), channels, side, side])?]))
            },
        ),
        Property::new(
            "residual-block.adjoint",
            BLOCK,
            "widening is linear, and its gradient is its transpose: ⟨Wx, z⟩ = ⟨x, Wᵀz⟩",
        )
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("channels", 1..=4))
        .draw(Draw::size("more", 0..=4))
        .draw(Draw::size("side", 1..=4))
        .draw(Draw::seed("values"))
        .check(|case| {
            let (n, channels, side) = (case.size("n"), case.size("channels"), case.size("side"));
            let op = Widen { channels: channels + case.size("more") };
            let (x, z) = (whole(case, 0, &[n, channels, side, side])?, whole(case, 1, &[n, op.channels, side, side])?);
            let [dx] = op.vjp([&x], &(), &z, [true])?;
            let dx = dx.ok_or_else(|| Failure::Error("no gradient".into()))?;
            Ok((op.eval([&x])?.dot(&z)? - x.dot(&dx)?).abs())
        }),
    ]
}

/// A small network.
fn net(case: &mut Case<'_>) -> Result<(ResNet<f64>, Tensor<f64>), Failure> {
    let stages = case.size("stages");
    let shape = ResNetShape {
        stem: if case.choice("stem") == "7 × 7" { Stem::ImageNet } else { Stem::Cifar },
        blocks: (0..stages).map(|i| 1 + (case.size("blocks") + i) % 2).collect(),
        bottleneck: case.choice("kind") == "bottleneck",
        stride_first: case.choice("stride in the") == "first 1 × 1",
        zero_init: false,
        projection: case.choice("shortcut") == "projection",
        channels: case.size("channels"),
        image: [case.size("height"), case.size("columns")],
        width: case.size("width"),
        classes: case.size("classes"),
    };
    let net = ResNet::new(&shape, &mut Start::Random(&mut start(case)))?;
    stirred(&net, case)?;
    let x = normal(case, 0, &[case.size("n"), shape.channels, shape.image[0], shape.image[1]])?;
    Ok((net, x))
}

fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=3))
        .draw(Draw::size("height", 1..=20))
        .draw(Draw::size("columns", 1..=20))
        .draw(Draw::size("stages", 1..=3))
        .draw(Draw::size("blocks", 1..=2))
        .draw(Draw::size("width", 1..=3))
        .draw(Draw::size("classes", 1..=4))
        .draw(Draw::choice("stem", &["7 × 7", "3 × 3"]))
        .draw(Draw::choice("kind", &["basic", "bottleneck"]))
        .draw(Draw::choice("stride in the", &["first 1 × 1", "3 × 3"]))
        .draw(Draw::choice("shortcut", &["projection", "zeros"]))
        .draw(Draw::seed("values"))
}

/// The networks whose layers and parameters are published.
fn published() -> [(ResNetShape, usize, usize); 5] {
    [
        (ResNetShape::resnet18(), 18, 11_689_512),
        (ResNetShape::resnet34(), 34, 21_797_672),
        (ResNetShape::resnet50(), 50, 25_557_032),
        (ResNetShape::resnet101(), 101, 44_549_160),
        (ResNetShape::resnet152(), 152, 60_192_808),
    ]
}

pub(super) fn claims() -> Vec<Property> {
    vec![
        nets(
            "resnet-deeper-better.blocks",
            &["resnet-deeper-better", "residual-block"],
            "the network is its blocks one after the other, between the stem and the mean of each map",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let state = net.state();
            let stem = match net.shape().stem {
                Stem::ImageNet => Window::new(7).stride(2).padded(3),
                Stem::Cifar => Window::new(3).padded(1),
            };
            let mut h = norm(&conv(&x, &state, "conv1", stem, 1)?, &state, "bn1")?.relu()?;
            if net.shape().stem == Stem::ImageNet {
                let window = Window::new(3).stride(2).padded(1);
                h = gradus_cnn::MaxPool::new([window; 2]).eval([&h])?;
            }
            for block in net.stages.iter().flatten() {
                h = of(block, &h)?;
            }
            let &[n, c, rows, columns] = h.dims() else { return Ok(f64::NAN) };
            let means = h.reshape([n, c, rows * columns])?.sum_axis(2)?.map(|v| v / (rows * columns) as f64);
            Ok(of(&net, &x)?.max_difference(&dense(&means, &state, "fc")?)?)
        }),
        Property::new(
            "resnet-deeper-better.depths",
            &["resnet-deeper-better"],
            "the networks of 18 to 152 layers have the blocks of the paper's table, stage by stage, and so many layers with weights on the longest way",
        )
        .check(|_| {
            let blocks = [[2, 2, 2, 2], [3, 4, 6, 3], [3, 4, 6, 3], [3, 4, 23, 3], [3, 8, 36, 3]];
            let mut off = 0.0;
            for ((shape, layers, _), blocks) in published().into_iter().zip(blocks) {
                let net = ResNet::<f32>::new(&shape, &mut Start::Blank)?;
                let graph = Graph::of(&net, [3, 224, 224])?;
                let count = |what: &dyn Fn(&Action<f32>) -> bool, name: &str| {
                    // A shortcut is not on the longest way.
                    let nodes = graph.nodes().iter().filter(|node| !node.name.contains("downsample"));
                    nodes.filter(|node| node.name.starts_with(name) && what(&node.action)).count()
                };
                for (stage, blocks) in blocks.into_iter().enumerate() {
                    let sum = |action: &Action<f32>| matches!(action, Action::Join(Join::Add));
                    off += apart(count(&sum, &format!("layer{}.", stage + 1)), blocks);
                }
                let weighted = |action: &Action<f32>| matches!(action, Action::Step(Step::Conv(_) | Step::Linear(_)));
                off += apart(count(&weighted, ""), layers);
            }
            Ok(off)
        }),
        nets(
            "resnet-no-dropout.normalised",
            &["resnet-no-dropout"],
            "each convolution is read by a batch normalisation and by nothing else, and nothing is left out",
        )
        .check(|case| {
            let (net, x) = net(case)?;
            let graph = Graph::of(&net, [x.dims()[1], x.dims()[2], x.dims()[3]])?;
            let nodes = graph.nodes().iter().enumerate();
            let convs = nodes.filter(|(_, node)| matches!(node.action, Action::Step(Step::Conv(_))));
            let normalised = convs.into_iter().all(|(i, _)| readers(&graph, i) == ["BatchNorm"]);
            let whole = graph.nodes().iter().all(|node| node.action.kind() != "Dropout");
            // A convolution before a normalisation has no bias of its own.
            let bare = net.state().keys().all(|name| !(name.contains("conv") && name.ends_with("bias")));
            let projected = !net.state().keys().any(|name| name.ends_with("downsample.0.bias"));
            Ok(holds(normalised && whole && bare && projected))
        }),
        Property::new(
            "resnet-params.counts",
            &["resnet-params"],
            "the five networks have exactly the published parameters, layers and, where the shape changes only, projections",
        )
        .check(|_| {
            let mut off = 0.0;
            for (shape, layers, expected) in published() {
                let net = ResNet::<f32>::new(&shape, &mut Start::Blank)?;
                let graph = Graph::of(&net, [3, 224, 224])?;
                let sums = graph.nodes().iter().filter(|node| matches!(node.action, Action::Join(Join::Add)));
                let projected = |block: &&Block<f32>| match block {
                    Block::Basic(block) => matches!(block.downsample, Shortcut::Projection(_)),
                    Block::Bottleneck(block) => matches!(block.downsample, Shortcut::Projection(_)),
                };
                let projections = net.stages.iter().flatten().filter(projected).count();
                let last = graph.nodes().iter().rfind(|node| node.action.kind() == "ReLU");
                let right = sums.count() == shape.blocks.iter().sum::<usize>()
                    && projections == if shape.bottleneck { 4 } else { 3 }
                    && last.is_some_and(|node| node.shape[1..] == [7, 7]);
                off += apart(count(&net), expected) + apart(shape.layers(), layers) + holds(right);
            }
            Ok(off)
        }),
        Property::new(
            "resnet-params.stride",
            &["resnet-params"],
            "where a bottleneck has its stride changes no parameter, only what is computed",
        )
        .check(|_| {
            let mut off = 0.0;
            for (shape, _, expected) in published() {
                let first = ResNetShape { stride_first: true, ..shape.clone() };
                let nets = [ResNet::<f32>::new(&shape, &mut Start::Blank)?, ResNet::<f32>::new(&first, &mut Start::Blank)?];
                let graphs = [Graph::of(&nets[0], [3, 224, 224])?, Graph::of(&nets[1], [3, 224, 224])?];
                let [full, less] = graphs.each_ref().map(|graph| {
                    let three = graph.nodes().iter().filter(|node| convolves(&node.action, 3));
                    three.map(|node| graph.nodes()[node.inputs[0]].shape.iter().product::<usize>()).sum::<usize>()
                });
                off += apart(count(&nets[1]), expected);
                off += holds(if shape.bottleneck { less < full } else { less == full });
            }
            Ok(off)
        }),
        Property::new(
            "resnet-init.variance",
            &["resnet-init"],
            "the weights' mean square is 2/(F·F·K), as far as so many draws can tell; half of that, or twice, they would not be",
        )
        .draw(Draw::size("width", 24..=48))
        .draw(Draw::seed("values"))
        .within("six standard deviations of a mean of squares", 6.0)
        .check(|case| {
            let shape = ResNetShape { width: case.size("width"), ..ResNetShape::cifar(1)? };
            let net = ResNet::<f64>::new(&shape, &mut Start::Random(&mut rng(case.seed("values"))))?;
            let mut worst = 0.0f64;
            for (name, value) in net.state().iter().filter(|(name, v)| name.contains("conv") && v.rank() == 4) {
                let &[k, _, f, _] = value.dims() else { return Ok(f64::NAN) };
                let expected = 2.0 / (f * f * k) as f64;
                let law = Init::he_normal().fan(FanMode::Out).law(Fans::conv(value.dims()[1], k, 1, &[f, f])?)?;
                let squares = value.as_slice().iter().map(|w| w * w).sum::<f64>() / value.len() as f64;
                // The square of a normal number has a variance of 2σ⁴.
                let deviation = expected * (2.0 / value.len() as f64).sqrt();
                worst = worst.max((squares - expected).abs() / deviation);
                if (law.variance() - expected).abs() > 1e-12 * expected {
                    return Err(Failure::Error(format!("{name} has a variance of {}", law.variance())));
                }
            }
            part(&net.state(), "conv1.weight")?;
            Ok(worst)
        }),
    ]
}
