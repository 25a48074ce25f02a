//! Figures of the chapters on architectures: each network, drawn by the walk through its steps.

use super::plot::short;
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::{Result, anyhow};
use gradus_architectures::{Start, catalog};
use gradus_cnn::{ConvShape, Window};

/// A network of the catalog.
fn drawn(name: &str, what: &str) -> Result<Figure> {
    let entry = catalog().iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| anyhow!("no network is called {name}"))?;
    let network = entry.build(&mut Start::Blank)?;
    let graph = network.graph(network.image())?;
    Ok(Figure {
        svg: graph.diagram(),
        alt: format!(
            "{what}: a box for each layer's result, from the image on the left to the scores on the right."
        ),
        caption: format!(
            "{what}, drawn by the walk that also computes it. A box is the result of a layer: its height goes with the root of the maps' height, its width \
             with the logarithm of their number. Point at a box to see what it is."
        ),
        status: String::new(),
        frame: [0; 4],
        x: (0.0, 1.0),
        y: (0.0, 1.0),
    })
}

pub(super) fn alexnet() -> Result<Figure> {
    drawn("alexnet2012", "AlexNet")
}

pub(super) fn vgg() -> Result<Figure> {
    drawn("vgg16", "VGG-16")
}

pub(super) fn resnet() -> Result<Figure> {
    drawn("resnet34", "ResNet-34, with its shortcuts as arcs")
}

pub(super) fn xception() -> Result<Figure> {
    drawn("xception", "Xception, with its shortcuts as arcs")
}

pub(super) fn unet() -> Result<Figure> {
    drawn("unet2015", "U-Net, with its skips as arcs")
}

/// The networks whose units can be looked through, in the order of the slider, with the names that the legend has for them.
const SEEN: [(&str, &str); 5] = [
    ("alexnet2012", "AlexNet"),
    ("vgg16", "VGG-16"),
    ("resnet50", "ResNet-50"),
    ("xception", "Xception"),
    ("unet2015", "U-Net"),
];

/// Which network, and how far into it.
pub(super) const UNIT: &[Control] = &[
    Control::Slider(Slider {
        name: "network",
        label: "1 AlexNet, 2 VGG-16, 3 ResNet-50, 4 Xception, 5 U-Net",
        range: (1.0, 5.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 2.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "depth",
        label: "how far into its layers",
        range: (0.0, 100.0),
        step: 1.0,
        scale: Scale::Linear,
        default: 50.0,
        unit: "%",
    }),
];

/// What the units of a network's layers can know of, layer after layer.
pub(super) fn receptive_fields(inputs: &Inputs) -> Result<Figure> {
    let chosen = (inputs.number("network")? as usize).clamp(1, SEEN.len()) - 1;
    let mut plot = Plot::new("share of the layers passed, in per cent", 0.0..100.0, 0.0..3.2)
        .log_y()
        .y_name("receptive field, pixels across");
    let mut status = String::new();
    for (i, (name, shown)) in SEEN.iter().enumerate() {
        let entry = catalog().iter().find(|entry| entry.name == *name);
        let network =
            entry.ok_or_else(|| anyhow!("no network is called {name}"))?.build(&mut Start::Blank)?;
        let image = network.image();
        let graph = network.graph(image)?;
        // As long as a unit sees a window: up to the mean of all pixels, or to where maps grow again.
        let layers: Vec<_> = graph.nodes().iter().filter_map(|node| Some((node, node.field?[1]))).collect();
        let place = |layer: usize| 100.0 * layer as f64 / (layers.len() - 1).max(1) as f64;
        let curve = layers
            .iter()
            .enumerate()
            .map(|(layer, (_, field))| (place(layer), (field.size() as f64).log10()));
        plot = plot.curve(shown, curve.collect());
        if i == chosen {
            let layer = (inputs.number("depth")? / 100.0 * (layers.len() - 1) as f64).round() as usize;
            let (node, field) = layers[layer.min(layers.len() - 1)];
            let shape: Vec<_> = node.shape.iter().map(ToString::to_string).collect();
            let size = field.size();
            status = format!(
                "{shown}, {} ({}): {}. Each unit can know of {size} × {size} pixels{}; neighbours look {} apart.",
                node.name,
                node.action.kind(),
                shape.join(" × "),
                if size > image[2] {
                    format!(", more than the {} × {} that there are", image[1], image[2])
                } else {
                    String::new()
                },
                field.jump()
            );
            plot = plot.points("the unit", vec![(place(layer), (size as f64).log10(), node.name.clone())]);
        }
    }
    let figure = plot.figure(
        "Five curves rise from one pixel to some hundreds: AlexNet’s in a few large steps, VGG’s in many small ones, those of the deeper networks beyond the size of the image.",
        "How much of the image a unit can know of, from the first layer to the last that has a window. Each step up is a window; where the curve gets steeper, a stride before it has moved \
         neighbours further apart, so that the same three taps reach further. Where it dips, the layer is a shortcut’s, which sees less. Without strides three by three would add two pixels a layer.",
    )?;
    Ok(figure.status(status))
}

/// A separable convolution: how many maps, and how large its windows are.
pub(super) const SEPARABLE: &[Control] = &[
    Control::Slider(Slider {
        name: "maps",
        label: "K, maps that come out",
        range: (10.0, 1000.0),
        step: 0.05,
        scale: Scale::Log,
        default: 100.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "size",
        label: "F, taps of a window's side",
        range: (1.0, 9.0),
        step: 2.0,
        scale: Scale::Linear,
        default: 3.0,
        unit: "",
    }),
];

/// The products of a full convolution, and of a depthwise one with a pointwise one behind it.
fn products(channels: usize, maps: usize, size: usize) -> Result<[u64; 2]> {
    let windows = [Window::new(size).padded(size / 2); 2];
    let count =
        |shape: ConvShape<2>| shape.without_bias().counts(1, [19, 19]).map(|counts| counts.multiplications);
    let full = count(ConvShape::new(channels, maps, windows))?;
    let looking = count(ConvShape::depthwise(channels, windows))?;
    Ok([full, looking + count(ConvShape::pointwise(channels, maps))?])
}

/// What a separable convolution costs of a full one.
pub(super) fn separable_share(inputs: &Inputs) -> Result<Figure> {
    let (maps, size) = (inputs.number("maps")?.round() as usize, inputs.number("size")? as usize);
    let share = |maps: usize, size: usize| -> Result<f64> {
        let [full, separable] = products(128, maps, size)?;
        Ok(separable as f64 / full as f64)
    };
    let mut plot = Plot::new("K, maps that come out", 1.0..3.0, -2.0..0.2)
        .log_x()
        .log_y()
        .y_name("share of the products");
    for window in [1, 3, 5, 9] {
        let curve = (0..=40).map(|i| {
            let maps = 10f64.powf(1.0 + f64::from(i) / 20.0).round() as usize;
            Ok(((maps as f64).log10(), share(maps, window)?.log10()))
        });
        plot = plot.curve(&format!("F = {window}"), curve.collect::<Result<_>>()?);
    }
    let (own, [full, separable]) = (share(maps, size)?, products(128, maps, size)?);
    let figure = plot.points("this one", vec![((maps as f64).log10(), own.log10(), short(own))]).figure(
        "For each window a curve falls with the number of maps and becomes flat: at a ninth for three taps, at a twenty-fifth for five, and for one tap it stays above one.",
        "What looking and mixing apart cost of a full convolution, counted by the crate for 128 maps that come in. On the left looking costs: one map in K. On the right only mixing does, and \
         the floor is 1/F². With one tap there is nothing to look at, and two layers do what one did.",
    )?;
    Ok(figure.status(format!(
        "K = {maps}, F = {size}: {separable} products instead of {full}, a share of {} = 1/{maps} + 1/{}.",
        short(own),
        size * size
    )))
}
