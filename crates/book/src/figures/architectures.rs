//! Figures of the chapters on architectures: each network, drawn by the walk through its steps.

use super::Figure;
use anyhow::{Result, anyhow};
use gradus_architectures::{Start, catalog};

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
