//! U-Net: legal sizes, levels, skips, tiles.

use super::{
    apart, conv, count, holds, network_gradient, norm, normal, of, one_signed, part, pooled, start, stirred,
    whole,
};
use crate::{CropConcat, DoubleConv, Doubling, Graph, Start, Summary, UNet, UNetShape};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, gradient_property};
use gradus_cnn::{Pad, PaddingMode, Upsample, Window, conv_transpose2d};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::Tensor;

const ENCODER: &[&str] = &["unet-encoder"];
const DECODER: &[&str] = &["unet-decoder"];
const BOTH: &[&str] = &["unet-encoder", "unet-decoder"];
const SKIP: &[&str] = &["skip-concat-crop"];

/// A small network, and images of a legal size.
fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=2))
        .draw(Draw::size("classes", 1..=3))
        .draw(Draw::size("width", 1..=2))
        .draw(Draw::size("levels", 0..=2))
        .draw(Draw::choice("edge", &["padded", "valid"]))
        .draw(Draw::choice("normalised", &["no", "yes"]))
        .draw(Draw::choice("doubling", &["transposed", "bilinear"]))
        .draw(Draw::size("more rows", 0..=2))
        .draw(Draw::size("more columns", 0..=2))
        .draw(Draw::seed("values"))
}

fn shape(case: &Case<'_>) -> UNetShape {
    UNetShape {
        channels: case.size("channels"),
        classes: case.size("classes"),
        width: case.size("width"),
        levels: case.size("levels"),
        padded: case.choice("edge") == "padded",
        normalised: case.choice("normalised") == "yes",
        doubling: if case.choice("doubling") == "transposed" {
            Doubling::Transposed
        } else {
            Doubling::Bilinear
        },
        ..UNetShape::published()
    }
}

/// The legal size that is so many legal sizes above the smallest.
fn legal(shape: &UNetShape, more: usize) -> usize {
    let least = (1..).find(|&n| shape.output(n).is_ok()).unwrap_or(1);
    least + more * (1 << shape.levels)
}

fn net(case: &mut Case<'_>) -> Result<(UNet<f64>, Tensor<f64>), Failure> {
    let shape = shape(case);
    let net = UNet::new(&shape, &mut Start::Random(&mut start(case)))?;
    stirred(&net, case)?;
    let sides = ["more rows", "more columns"].map(|name| legal(&shape, case.size(name)));
    let x = normal(case, 0, &[case.size("n"), shape.channels, sides[0], sides[1]])?;
    Ok((net, x))
}

/// Two convolutions, with functions on tensors.
fn doubled(net: &UNet<f64>, x: &Tensor<f64>, name: &str) -> Result<Tensor<f64>, Failure> {
    let (state, shape) = (net.state(), net.shape());
    let window = Window::new(3).padded(usize::from(shape.padded));
    let mut h = x.clone();
    for which in ["1", "2"] {
        h = conv(&h, &state, &format!("{name}.conv{which}"), window, 1)?;
        if shape.normalised {
            h = norm(&h, &state, &format!("{name}.bn{which}"))?;
        }
        h = h.relu()?;
    }
    Ok(h)
}

/// The two formulas, with functions on tensors; from `dead` levels below the first on the encoder gives zeros.
fn by_hand(net: &UNet<f64>, x: &Tensor<f64>, dead: usize) -> Result<Tensor<f64>, Failure> {
    let (state, shape) = (net.state(), net.shape());
    let mut e = vec![doubled(net, x, "down1")?];
    for level in 1..=shape.levels {
        let h = doubled(net, &pooled(&e[level - 1], 2, 2)?, &format!("down{}", level + 1))?;
        e.push(if level >= dead { h.zeros_like() } else { h });
    }
    let mut d = e[shape.levels].clone();
    for level in (0..shape.levels).rev() {
        let name = format!("up{}", shape.levels - level);
        let up = match shape.doubling {
            Doubling::Transposed => {
                let (w, b) =
                    (part(&state, &format!("{name}.up.weight"))?, part(&state, &format!("{name}.up.bias"))?);
                conv_transpose2d(&d, w, Some(b), [Window::new(2).stride(2); 2])?
            }
            Doubling::Bilinear => {
                let twice = Upsample::by([2, 2]).bilinear().eval([&d])?;
                conv(&twice, &state, &format!("{name}.up"), Window::new(1), 1)?
            }
        };
        let [cut, cut2] = [2, 3].map(|axis| (e[level].dims()[axis] - up.dims()[axis]) / 2);
        let (h, w) = (up.dims()[2], up.dims()[3]);
        let skip = e[level].slice(2, cut..cut + h)?.slice(3, cut2..cut2 + w)?;
        d = doubled(net, &Tensor::concatenate(&[&skip, &up], 1)?, &format!("{name}.conv"))?;
    }
    conv(&d, &state, "head", Window::new(1), 1)
}

pub(super) fn sizes() -> Vec<Property> {
    vec![
        Property::new(
            "unet-encoder.legal",
            ENCODER,
            "without padding the legal sizes are 16m + 12 from 188 on, and 184 pixels are lost; all others are refused with the nearest",
        )
        .draw(Draw::size("n", 1..=1200).limited(1.0..=100_000.0))
        .check(|case| {
            let (n, shape) = (case.size("n"), UNetShape::published());
            let legal = n >= 188 && n % 16 == 12;
            match shape.output(n) {
                Ok(output) => Ok(holds(legal) + apart(output, n - 184)),
                Err(error) => {
                    let near = |m: usize| m >= 188 && m % 16 == 12;
                    let distance = (0..).find(|&d| n.checked_sub(d).is_some_and(near) || near(n + d)).unwrap_or(0);
                    let named = [n.checked_sub(distance), Some(n + distance)].into_iter().flatten();
                    let said = named.filter(|&m| near(m)).any(|m| error.to_string().contains(&format!("{m}, which")));
                    Ok(holds(!legal && said))
                }
            }
        }),
        Property::new(
            "unet-decoder.same-size",
            DECODER,
            "with padding the scores are as large as the image, for sizes that 2^L divides; all others are refused",
        )
        .draw(Draw::size("n", 1..=400))
        .draw(Draw::size("levels", 0..=5))
        .check(|case| {
            let (n, levels) = (case.size("n"), case.size("levels"));
            let shape = UNetShape { levels, ..UNetShape::modern() };
            let legal = n.is_multiple_of(1 << levels);
            Ok(match shape.output(n) {
                Ok(output) => holds(legal) + apart(output, n),
                Err(_) => holds(!legal),
            })
        }),
        Property::new(
            "skip-concat-crop.published",
            SKIP,
            "of 572 pixels 4, 16, 40 and 88 are cut off on each side, the lowest level first",
        )
        .check(|_| {
            let net = UNet::<f32>::new(&UNetShape::published(), &mut Start::Blank)?;
            let graph = Graph::of(&net, [1, 572, 572])?;
            let joins = graph.nodes().iter().filter(|node| node.action.kind() == "CropConcat");
            let cut = joins.map(|node| (graph.nodes()[node.inputs[0]].shape[1] - node.shape[1]) / 2);
            Ok(holds(cut.collect::<Vec<_>>() == [4, 16, 40, 88]))
        }),
        Property::new(
            "unet-decoder.counts",
            DECODER,
            "31,030,658 parameters in 23 convolutions as published, 31,037,698 with batch normalisation; a doubling multiplies once for each of its outputs and each map it reads",
        )
        .check(|_| {
            let of = |shape| UNet::<f32>::new(&shape, &mut Start::Blank);
            let (published, modern) = (of(UNetShape::published())?, of(UNetShape::modern())?);
            let graph = Graph::of(&published, [1, 572, 572])?;
            let convs = graph.nodes().iter().filter(|node| node.action.kind().starts_with("Conv"));
            let summary = Summary::of("", &graph);
            let doublings = summary.rows.iter().filter(|row| row.kind == "ConvTranspose");
            let products = doublings.map(|row| row.multiplications).collect::<Vec<_>>();
            // K·(2n)² outputs from 2K maps.
            let expected = [(512, 56), (256, 104), (128, 200), (64, 392)].map(|(k, side)| Some(k * side * side * 2 * k));
            Ok(apart(count(&published), 31_030_658)
                + apart(count(&modern), 31_037_698)
                + apart(convs.count(), 23)
                + holds(products == expected))
        }),
    ]
}

pub(super) fn levels() -> Vec<Property> {
    vec![
        nets("unet-encoder.by-hand", BOTH, "it is the two formulas, level by level, with and without padding, normalised or not, doubled in both ways")
            .within("rounding", super::ROUNDING)
            .check(|case| {
                let (net, x) = net(case)?;
                Ok(of(&net, &x)?.max_difference(&by_hand(&net, &x, usize::MAX)?)?)
            }),
        nets("unet-encoder.refused", ENCODER, "an image is refused if one of its sides, rows or columns, is not whole at every level; no other is")
            .draw(Draw::size("odd rows", 0..=3))
            .draw(Draw::size("odd columns", 0..=3))
            .check(|case| {
                let shape = shape(case);
                let net = UNet::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
                let odd = ["odd rows", "odd columns"].map(|name| case.size(name));
                let [rows, columns] = [0, 1].map(|axis| legal(&shape, 0) + odd[axis]);
                // Legal sizes lie 2^L apart.
                let legal = odd.iter().all(|n| n.is_multiple_of(1 << shape.levels));
                case.classify(legal, "legal");
                let x = normal(case, 0, &[case.size("n"), shape.channels, rows, columns])?;
                Ok(holds(of(&net, &x).is_ok() == legal))
            }),
        nets("unet-encoder.mirror", BOTH, "the way up has the channels of the way down, level by level, and twice as many where a skip comes in")
            .check(|case| {
                let (net, x) = net(case)?;
                let graph = Graph::of(&net, [x.dims()[1], x.dims()[2], x.dims()[3]])?;
                let channels = |name: String| {
                    let node = graph.nodes().iter().find(|node| node.name == name);
                    node.map(|node| node.shape[0]).ok_or_else(|| Failure::Error(format!("no {name}")))
                };
                let mut off = 0.0;
                for level in 0..net.shape().levels {
                    let up = net.shape().levels - level;
                    let down = channels(format!("down{}.relu2", level + 1))?;
                    off += apart(down, net.shape().width << level);
                    off += apart(channels(format!("up{up}.conv.relu2"))?, down);
                    off += apart(channels(format!("up{up}.skip"))?, 2 * down);
                }
                Ok(off)
            }),
        network_gradient(
            nets("unet-encoder.gradient", BOTH, "the gradients of two convolutions, normalised or not, and of the maps they read"),
            false,
            |case| {
                let shape = shape(case);
                let maps = case.size("width");
                let layer = DoubleConv::<f64>::new(shape.channels, maps, &shape, &mut Start::Random(&mut start(case)))?;
                stirred(&layer, case)?;
                if !shape.normalised {
                    one_signed(&layer, true)?;
                }
                Ok((layer, normal(case, 0, &[case.size("n"), shape.channels, 6, 5])?.map(f64::abs)))
            },
        ),
        nets(
            "unet-decoder.skips",
            DECODER,
            "the skips carry the gradient to the image though everything below is dead, exactly as if only the skips were there",
        )
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let levels = net.shape().levels;
            if levels == 0 {
                return Ok(0.0);
            }
            // The lowest level gives nothing: its last ReLU is always closed.
            let mut state = net.state();
            let lowest = format!("down{}", levels + 1);
            let last = if net.shape().normalised { format!("{lowest}.bn2") } else { format!("{lowest}.conv2") };
            for (name, value) in &mut state {
                if *name == format!("{last}.weight") {
                    *value = value.zeros_like();
                } else if *name == format!("{last}.bias") {
                    *value = value.map(|_| -1.0);
                }
            }
            net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
            let off = of(&net, &x)?.max_difference(&by_hand(&net, &x, levels)?)?;
            // With all weights above 0 the ReLUs of the levels above are open: something must come through, and not by the lowest, whose last weights are 0.
            one_signed(&net, false)?;
            let image = Var::parameter(x.map(f64::abs));
            let loss = net.forward(&image, &mut Mode::Eval)?.sum()?;
            let gradients = loss.backward().map_err(|e| Failure::Error(e.to_string()))?;
            let reached = gradients.get(&image).is_some_and(|g| g.as_slice().iter().any(|&g| g != 0.0));
            Ok(off + holds(reached))
        }),
        Property::new(
            "unet-decoder.tiles",
            DECODER,
            "without padding, tiles give exactly what the whole mirrored image would: no seam anywhere",
        )
        .draw(Draw::size("levels", 0..=3))
        .draw(Draw::size("rows", 30..=60))
        .draw(Draw::size("columns", 30..=60))
        .draw(Draw::size("tile", 0..=3))
        .draw(Draw::choice("doubling", &["transposed", "bilinear"]))
        .draw(Draw::seed("values"))
        .costly(4)
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let doubling =
                if case.choice("doubling") == "transposed" { Doubling::Transposed } else { Doubling::Bilinear };
            // Bilinear doubling looks at a neighbour beyond the tile's edge: its seams are real.
            let levels = if doubling == Doubling::Bilinear { 0 } else { case.size("levels") };
            let shape = UNetShape { width: 2, levels, padded: false, doubling, ..UNetShape::published() };
            let net = UNet::<f64>::new(&shape, &mut Start::Random(&mut start(case)))?;
            stirred(&net, case)?;
            let grid = 1 << levels;
            let tile = legal(&shape, 1 + case.size("tile"));
            // From three levels on what a tile predicts is no multiple of 2^L, and there is more to mirror.
            let more = if levels == 3 { 70 } else { 0 };
            let x = normal(case, 0, &[1, 1, case.size("rows") + more, case.size("columns") + more])?;
            if shape.output(tile)? < grid {
                return Ok(holds(net.by_tiles(&x, tile).is_err()));
            }
            let tiled = net.by_tiles(&x, tile)?;
            // The whole image, with the same margin, and as much behind as makes the size legal.
            let margin = (tile - shape.output(tile)?) / 2;
            let [more, more2] = [2, 3].map(|axis| {
                let n = x.dims()[axis] + 2 * margin;
                (0..grid).find(|more| shape.output(n + more).is_ok()).unwrap_or(0)
            });
            let padding = [[margin, margin + more], [margin, margin + more2]];
            let padded = Pad::new(padding).mode(PaddingMode::Reflect).eval([&x])?;
            let whole = of(&net, &padded)?;
            let whole = whole.slice(2, 0..x.dims()[2])?.slice(3, 0..x.dims()[3])?;
            Ok(tiled.max_difference(&whole)?)
        }),
    ]
}

pub(super) fn skips() -> Vec<Property> {
    let maps = |id, statement| {
        Property::new(id, SKIP, statement)
            .draw(Draw::size("n", 0..=3))
            .draw(Draw::size("skip", 1..=4))
            .draw(Draw::size("below", 1..=4))
            .draw(Draw::size("height", 1..=4))
            .draw(Draw::size("width", 1..=4))
            .draw(Draw::size("more rows", 0..=5))
            .draw(Draw::size("more columns", 0..=5))
            .draw(Draw::seed("values"))
    };
    fn drawn(case: &mut Case<'_>) -> Result<[Tensor<f64>; 2], Failure> {
        let (n, h, w) = (case.size("n"), case.size("height"), case.size("width"));
        let skip = [n, case.size("skip"), h + case.size("more rows"), w + case.size("more columns")];
        Ok([whole(case, 0, &skip)?, whole(case, 1, &[n, case.size("below"), h, w])?])
    }
    vec![
        maps("skip-concat-crop.definition", "number by number it is the formula").check(|case| {
            let [a, b] = drawn(case)?;
            let y = CropConcat.eval([&a, &b])?;
            let expected =
                Tensor::from_fn([b.dims()[0], a.dims()[1] + b.dims()[1], b.dims()[2], b.dims()[3]], |at| {
                    let [o, o2] = [2, 3].map(|axis| (a.dims()[axis] - b.dims()[axis]) / 2);
                    let own = match at[1].checked_sub(a.dims()[1]) {
                        None => a.get([at[0], at[1], at[2] + o, at[3] + o2]),
                        Some(channel) => b.get([at[0], channel, at[2], at[3]]),
                    };
                    own.unwrap_or(f64::NAN)
                })?;
            Ok(y.max_difference(&expected)?)
        }),
        maps(
            "skip-concat-crop.adjoint",
            "⟨y, z⟩ = ⟨a, ∂a⟩ + ⟨b, ∂b⟩: what is cut off gets nothing, and nothing is counted twice",
        )
        .check(|case| {
            let [a, b] = drawn(case)?;
            let y = CropConcat.eval([&a, &b])?;
            let z = whole(case, 2, y.dims())?;
            let [da, db] = CropConcat.vjp([&a, &b], &(), &z, [true; 2])?;
            let (Some(da), Some(db)) = (da, db) else { return Ok(f64::NAN) };
            Ok((y.dot(&z)? - a.dot(&da)? - b.dot(&db)?).abs() + (z.sum() - da.sum() - db.sum()).abs())
        }),
        gradient_property(maps("skip-concat-crop.gradient", "the gradients of both"), |case| {
            Ok((CropConcat, drawn(case)?))
        }),
    ]
}
