//! VGG: what small windows save, sizes, head, counts.

use super::{apart, conv, convolves, count, dense, holds, norm, normal, of, pooled, start, stirred};
use crate::{Graph, Start, Vgg, VggColumn, VggShape};
use gradus_activations::Activations;
use gradus_autograd::Parameters;
use gradus_cnn::{ConvShape, ReceptiveField, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::Tensor;

const COLUMNS: [&str; 5] = ["A", "B", "C", "D", "E"];
/// Their parameters.
const COUNTS: [usize; 5] = [132_863_336, 133_047_848, 133_638_952, 138_357_544, 143_667_240];

fn column(case: &Case<'_>) -> VggColumn {
    let name = case.choice("column");
    VggColumn::ALL
        .into_iter()
        .zip(COLUMNS)
        .find(|(_, n)| *n == name)
        .map_or(VggColumn::A, |(column, _)| column)
}

/// A small VGG.
fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::choice("column", &COLUMNS))
        .draw(Draw::choice("normalised", &["no", "yes"]))
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=3))
        .draw(Draw::size("more rows", 0..=40))
        .draw(Draw::size("more columns", 0..=40))
        .draw(Draw::size("width", 1..=2))
        .draw(Draw::size("units", 1..=6))
        .draw(Draw::size("classes", 1..=5))
        .draw(Draw::seed("values"))
}

fn net(case: &mut Case<'_>) -> Result<(Vgg<f64>, Tensor<f64>), Failure> {
    let shape = VggShape {
        normalised: case.choice("normalised") == "yes",
        channels: case.size("channels"),
        image: [32 + case.size("more rows"), 32 + case.size("more columns")],
        width: case.size("width"),
        grid: 1,
        units: case.size("units"),
        classes: case.size("classes"),
        ..VggShape::of(column(case))
    };
    let net = Vgg::new(&shape, &mut Start::Random(&mut start(case)))?;
    stirred(&net, case)?;
    let x = normal(case, 0, &[case.size("n"), shape.channels, shape.image[0], shape.image[1]])?;
    Ok((net, x))
}

/// The table, written out with functions on tensors.
fn by_hand(net: &Vgg<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let (state, shape) = (net.state(), net.shape());
    let (mut h, mut number) = (x.clone(), 0);
    for block in shape.column.blocks() {
        for &size in block {
            h = conv(&h, &state, &format!("features.{number}"), Window::new(size).padded(size / 2), 1)?;
            number += 1;
            if shape.normalised {
                h = norm(&h, &state, &format!("features.{number}"))?;
                number += 1;
            }
            h = h.relu()?;
            number += 1;
        }
        h = pooled(&h, 2, 2)?;
        number += 1;
    }
    let n = x.dims()[0];
    let pixels = h.dims()[2] * h.dims()[3];
    let h = h.reshape([n, h.dims()[1], pixels])?.sum_axis(2)?.map(|sum| sum / pixels as f64);
    let h = dense(&h, &state, "classifier.0")?.relu()?;
    let h = dense(&h, &state, "classifier.3")?.relu()?;
    dense(&h, &state, "classifier.6")
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::new(
            "vgg-simplicity.stacks",
            &["vgg-simplicity"],
            "so many 3 × 3 on each other see 2n + 1 pixels, with 9n of the weights of which one window has (2n + 1)²",
        )
        .draw(Draw::size("maps", 1..=600))
        .draw(Draw::size("windows", 1..=9))
        .check(|case| {
            let (maps, n) = (case.size("maps"), case.size("windows"));
            let window = Window::new(3).padded(1);
            let sees = ReceptiveField::of(&vec![window; n])?.size();
            let weights = |size| ConvShape::new(maps, maps, [Window::new(size); 2]).without_bias().parameters();
            let small = n * weights(3)?;
            let saves = n == 1 || small < weights(sees)?;
            Ok(apart(sees, 2 * n + 1) + apart(small, 9 * n * maps * maps) + holds(saves))
        }),
        nets("vgg-conv3x3.keeps", &["vgg-conv3x3"], "every convolution keeps height and width, and all but those of column C are 3 × 3")
            .check(|case| {
                let (net, x) = net(case)?;
                let graph = Graph::of(&net, [x.dims()[1], x.dims()[2], x.dims()[3]])?;
                let convs: Vec<_> = graph.nodes().iter().filter(|node| node.action.kind() == "Conv").collect();
                let keeps = convs.iter().all(|node| node.shape[1..] == graph.nodes()[node.inputs[0]].shape[1..]);
                let small = convs.iter().filter(|node| convolves(&node.action, 3)).count();
                let others = if net.shape().column == VggColumn::C { 3 } else { 0 };
                Ok(holds(keeps) + apart(convs.len() - small, others))
            }),
        nets("vgg-pool2x2.halves", &["vgg-pool2x2"], "five poolings halve the maps, an odd row or column left out").check(
            |case| {
                let (net, x) = net(case)?;
                let graph = Graph::of(&net, [x.dims()[1], x.dims()[2], x.dims()[3]])?;
                let mut size = [x.dims()[2], x.dims()[3]];
                let mut off = 0.0;
                let pools = graph.nodes().iter().filter(|node| node.action.kind() == "MaxPool");
                let mut poolings = 0;
                for node in pools {
                    size = size.map(|n| n / 2);
                    off += apart(node.shape[1], size[0]) + apart(node.shape[2], size[1]);
                    poolings += 1;
                }
                Ok(off + apart(poolings, 5))
            },
        ),
        Property::new("vgg-pool2x2.published", &["vgg-pool2x2"], "224 become 112, 56, 28, 14 and 7, in every column").check(|_| {
            let mut off = 0.0;
            for column in VggColumn::ALL {
                let shape = VggShape { width: 1, units: 1, classes: 1, ..VggShape::of(column) };
                let net = Vgg::<f32>::new(&shape, &mut Start::Blank)?;
                let graph = Graph::of(&net, [3, 224, 224])?;
                let pools = graph.nodes().iter().filter(|node| node.action.kind() == "MaxPool");
                off += holds(pools.map(|node| node.shape[1]).collect::<Vec<_>>() == [112, 56, 28, 14, 7]);
            }
            Ok(off)
        }),
        nets("vgg-head.by-hand", &["vgg-head"], "the whole network is the table, column by column, with three dense layers at the end")
            .within("rounding", super::ROUNDING)
            .check(|case| {
                let (net, x) = net(case)?;
                let off = of(&net, &x)?.max_difference(&by_hand(&net, &x)?)?;
                let sums = of(&net, &x)?.softmax(1)?.sum_axis(1)?;
                Ok(sums.as_slice().iter().fold(off, |off, sum| off.max((sum - 1.0).abs())))
            }),
        Property::new(
            "vgg-head.third",
            &["vgg-head"],
            "the softmax hides a third dense layer: with two only, from 4096 to the classes, there would be 121,576,232 parameters",
        )
        .check(|_| {
            let net = Vgg::<f32>::new(&VggShape::of(VggColumn::D), &mut Start::Blank)?;
            let dense = net.named_parameters().into_iter().filter(|(name, _)| name.starts_with("classifier"));
            let hidden = 4096 * 4096 + 4096;
            Ok(apart(dense.count(), 6) + apart(count(&net) - hidden, 121_576_232))
        }),
        Property::new(
            "vgg-params.columns",
            &["vgg-params"],
            "133, 133, 134, 138 and 144 million, each exactly as multiplied out, with batch normalisation two more a map",
        )
        .check(|_| {
            let mut off = 0.0;
            for (column, exact) in VggColumn::ALL.into_iter().zip(COUNTS) {
                let (mut inputs, mut convolutions, mut maps) = (3, 0, 0);
                for (block, width) in column.blocks().into_iter().zip([64, 128, 256, 512, 512]) {
                    for size in block {
                        convolutions += (inputs * size * size + 1) * width;
                        inputs = width;
                        maps += width;
                    }
                }
                let expected = convolutions + (25_088 + 1) * 4096 + (4096 + 1) * 4096 + (4096 + 1) * 1000;
                let of = |shape: VggShape| Ok::<_, Failure>(count(&Vgg::<f32>::new(&shape, &mut Start::Blank)?));
                off += apart(of(VggShape::of(column))?, expected) + apart(expected, exact);
                off += apart(of(VggShape::of(column).normalised())?, expected + 2 * maps);
            }
            Ok(off)
        }),
        Property::refutation("vgg-params.printed", &["vgg-params"], "VGG-16 has 137 million parameters").check(|_| {
            let exact = count(&Vgg::<f32>::new(&VggShape::of(VggColumn::D), &mut Start::Blank)?);
            Ok(apart(exact / 1_000_000, 137))
        }),
    ]
}
