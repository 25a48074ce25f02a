//! Small copies of the networks, and numbers for their weights: both as golden/logits.py makes them too.
#![allow(clippy::unwrap_used, dead_code, unreachable_pub)] // helpers of tests are tests too, and no test needs all of them

use gradus_architectures::{
    AlexNet, AlexNetShape, Architecture, Doubling, ResNet, ResNetShape, Start, UNet, UNetShape, Vgg,
    VggColumn, VggShape, Xception, XceptionShape,
};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

/// The numbers of the script's `made`.
pub fn made<T: Scalar>(dims: &[usize], phase: f64, number: impl Fn(f64) -> f64) -> Tensor<T> {
    let count = dims.iter().product::<usize>();
    let values = (0..count).map(|i| T::of(number((1.7 * i as f64 + phase).sin()))).collect();
    Tensor::from_vec(values, dims).unwrap()
}

/// The script's `state`, of names in their order and shapes.
pub fn state<T: Scalar>(shapes: &[(String, Vec<usize>)]) -> BTreeMap<String, Tensor<T>> {
    let tensor = |(phase, (name, dims)): (usize, &(String, Vec<usize>))| {
        let scale = 1.4 * (2.0 / dims[1..].iter().product::<usize>() as f64).sqrt();
        let values = match name.rsplit('.').next().unwrap() {
            _ if dims.len() > 1 => made(dims, phase as f64, |v| scale * v),
            "running_var" => made(dims, phase as f64, |v| 1.0 + 0.5 * v),
            "weight" => made(dims, phase as f64, |v| 1.0 + 0.3 * v),
            _ => made(dims, phase as f64, |v| 0.1 * v),
        };
        (name.clone(), values)
    };
    (1..).zip(shapes).map(tensor).collect()
}

/// The networks of the script: their names, and the shapes of their images.
pub fn networks() -> Vec<(&'static str, Box<dyn Architecture<f64>>, [usize; 3])> {
    let blank = &mut Start::Blank;
    let mut cases: Vec<(&str, Box<dyn Architecture<f64>>, [usize; 3])> = Vec::new();
    let alexnet = AlexNetShape {
        image: [67, 67],
        maps: [4, 8, 12, 12, 8],
        units: [16, 16],
        classes: 10,
        ..AlexNetShape::published()
    };
    let torchvision =
        AlexNetShape { towers: 1, padding: 2, normalised: false, adaptive: true, image: [67, 70], ..alexnet };
    cases.push(("alexnet2012", Box::new(AlexNet::new(&alexnet, blank).unwrap()), [3, 67, 67]));
    cases.push(("alexnet", Box::new(AlexNet::new(&torchvision, blank).unwrap()), [3, 67, 70]));
    let vgg = |column, normalised, width, grid| VggShape {
        normalised,
        width,
        grid,
        units: 8,
        classes: 10,
        ..VggShape::of(column)
    };
    for (name, shape, image) in [
        ("vgg11", vgg(VggColumn::A, false, 2, 1), [3, 32, 32]),
        ("vgg13_bn", vgg(VggColumn::B, true, 1, 1), [3, 40, 32]),
        ("vgg16c", vgg(VggColumn::C, false, 1, 1), [3, 32, 32]),
        ("vgg16", vgg(VggColumn::D, false, 1, 2), [3, 64, 64]),
        ("vgg19_bn", vgg(VggColumn::E, true, 1, 1), [3, 32, 32]),
    ] {
        cases.push((name, Box::new(Vgg::new(&shape, blank).unwrap()), image));
    }
    let narrow = |shape: ResNetShape| ResNetShape { width: 2, classes: 10, ..shape };
    let first = ResNetShape { blocks: vec![2, 2], stride_first: true, ..narrow(ResNetShape::resnet50()) };
    for (name, shape, image) in [
        ("resnet18", narrow(ResNetShape::resnet18()), [3, 64, 48]),
        ("resnet50", narrow(ResNetShape::resnet50()), [3, 64, 64]),
        ("resnet50_first", first, [3, 32, 32]),
        ("resnet20_cifar", ResNetShape { width: 4, ..ResNetShape::cifar(3).unwrap() }, [3, 32, 32]),
    ] {
        cases.push((name, Box::new(ResNet::new(&shape, blank).unwrap()), image));
    }
    let xception =
        XceptionShape { stem: [2, 4], entry: [6, 8, 10], exit: [12, 14, 16], ..XceptionShape::tiny() };
    cases.push(("xception", Box::new(Xception::new(&xception, blank).unwrap()), [3, 71, 71]));
    let valid = UNetShape { width: 2, levels: 2, ..UNetShape::published() };
    let modern = UNetShape { width: 2, levels: 2, ..UNetShape::modern() };
    let bilinear = UNetShape { doubling: Doubling::Bilinear, ..modern };
    cases.push(("unet2015", Box::new(UNet::new(&valid, blank).unwrap()), [1, 60, 64]));
    cases.push(("unet", Box::new(UNet::new(&modern, blank).unwrap()), [3, 16, 20]));
    cases.push(("unet_bilinear", Box::new(UNet::new(&bilinear, blank).unwrap()), [3, 16, 20]));
    cases
}
