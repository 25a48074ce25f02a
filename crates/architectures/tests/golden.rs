//! Scores against PyTorch's: golden/logits.csv, written by golden/logits.py, with weights that both sides make. GRADUS_GOLDEN names a folder with the same for
//! the published sizes (see the script); they take minutes.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_architectures::{
    AlexNet, AlexNetShape, Doubling, ResNet, ResNetShape, Start, Stem, UNet, UNetShape, Vgg, VggColumn,
    VggShape, WeightsError, Xception, XceptionShape, catalog, load_torch_state, load_weights, save_weights,
    torch_state,
};
use gradus_autograd::{Layer, Mode, Var};
use gradus_tensor::{Scalar, Tensor};
use std::collections::BTreeMap;

/// What the script wrote of a network.
#[derive(Default)]
struct Golden {
    shapes: Vec<(String, Vec<usize>)>,
    logits: Vec<f64>,
}

fn golden(text: &str) -> BTreeMap<String, Golden> {
    let mut all = BTreeMap::<String, Golden>::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split(',').collect();
        let case = all.entry(cells[0].into()).or_default();
        match cells[1] {
            "tensor" => {
                let dims = cells[3..].iter().map(|cell| cell.parse().unwrap()).collect();
                case.shapes.push((cells[2].into(), dims));
            }
            _ => case.logits = cells[2..].iter().map(|cell| cell.parse().unwrap()).collect(),
        }
    }
    all
}

/// The numbers of the script's `made`.
fn made<T: Scalar>(dims: &[usize], phase: f64, number: impl Fn(f64) -> f64) -> Tensor<T> {
    let count = dims.iter().product::<usize>();
    let values = (0..count).map(|i| T::of(number((1.7 * i as f64 + phase).sin()))).collect();
    Tensor::from_vec(values, dims).unwrap()
}

/// The script's `state`.
fn state<T: Scalar>(golden: &Golden) -> BTreeMap<String, Tensor<T>> {
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
    (1..).zip(&golden.shapes).map(tensor).collect()
}

/// The largest difference of the scores, as a part of their largest.
fn off<T: Scalar>(golden: &Golden, network: &dyn Layer<T>, image: [usize; 3]) -> f64 {
    load_torch_state(network, &state(golden)).unwrap();
    let x = made(&[2, image[0], image[1], image[2]], 0.5, |v| v);
    let y = network.forward(&Var::constant(x), &mut Mode::Eval).unwrap().value();
    let step = (y.len() / 40).max(1);
    let ours: Vec<f64> = y.as_slice().iter().step_by(step).map(|v| v.as_f64()).collect();
    assert_eq!(ours.len(), golden.logits.len());
    let largest = golden.logits.iter().fold(0.0, |m: f64, v| m.max(v.abs()));
    ours.iter().zip(&golden.logits).fold(0.0, |m: f64, (a, b)| m.max((a - b).abs())) / largest
}

#[test]
fn small_networks_give_the_scores_of_pytorch() {
    let all = golden(include_str!("golden/logits.csv"));
    let blank = &mut Start::Blank;
    let mut cases: Vec<(&str, Box<dyn Layer<f64>>, [usize; 3])> = Vec::new();
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
    assert_eq!(cases.len(), all.len());
    for (name, network, image) in &cases {
        let off = off(&all[*name], &**network, *image);
        // Rounding of double precision through twenty layers and more, in another order.
        assert!(off < 1e-11, "{name}: {off:e} apart");
    }
}

#[test]
fn published_sizes_give_the_scores_of_pytorch() {
    let Ok(folder) = std::env::var("GRADUS_GOLDEN") else {
        eprintln!("SKIPPED: GRADUS_GOLDEN names no folder with the published sizes' scores");
        return;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join("logits.csv")).unwrap();
    for (name, golden) in golden(&text) {
        let entry = catalog().iter().find(|entry| entry.name == name).unwrap();
        let network = entry.build(&mut Start::Blank).unwrap();
        let image = match name.as_str() {
            // Large enough to see every part, and not larger.
            "unet2015" => [1, 188, 204],
            "unet" | "unet_bilinear" => [3, 64, 80],
            _ => network.image(),
        };
        let off = off(&golden, &*network, image);
        eprintln!("{name}: {off:.1e}");
        assert!(off < 1e-4, "{name}: {off:e} apart");
    }
}

/// The network of the file that PyTorch wrote.
fn small() -> ResNet<f32> {
    let shape = ResNetShape {
        stem: Stem::Cifar,
        blocks: vec![1, 1],
        width: 2,
        classes: 3,
        ..ResNetShape::resnet18()
    };
    ResNet::new(&shape, &mut Start::Blank).unwrap()
}

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/resnet.safetensors");

#[test]
fn a_file_that_pytorch_wrote_is_read_with_its_counts_of_batches() {
    let net = small();
    load_weights(&net, FILE).unwrap();
    assert!(net.conv1.weight.value().as_slice().iter().any(|w| *w != 0.0));
    // Written again and read again it is the same.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("again.safetensors");
    save_weights(&net, &file).unwrap();
    let other = small();
    load_weights(&other, &file).unwrap();
    assert_eq!(torch_state(&net), torch_state(&other));
}

#[test]
fn everything_that_does_not_fit_is_listed_and_nothing_changes() {
    let shape = ResNetShape { classes: 4, blocks: vec![1, 2], ..small().shape().clone() };
    let net = ResNet::<f32>::new(&shape, &mut Start::Blank).unwrap();
    let before = net.fc.bias.clone().unwrap().value();
    let Err(WeightsError::Misfit { misfit, .. }) = load_weights(&net, FILE) else {
        panic!("it does not fit")
    };
    assert_eq!(misfit.missing.len(), 10, "{misfit}"); // a block more
    assert!(misfit.missing.iter().all(|name| name.starts_with("layer2.1.")));
    assert_eq!(misfit.misshapen.len(), 2, "{misfit}");
    assert!(misfit.extra.is_empty());
    assert!(misfit.to_string().contains("fc.weight [3, 4] instead of [4, 4]"), "{misfit}");
    assert!(net.fc.bias.clone().unwrap().value().same_bits(&before));
    let fewer = ResNetShape { blocks: vec![1], ..small().shape().clone() };
    let error = load_weights(&ResNet::<f32>::new(&fewer, &mut Start::Blank).unwrap(), FILE).unwrap_err();
    assert!(error.to_string().contains("that the network does not have: layer2.0.bn1.bias"), "{error}");
    assert!(matches!(load_weights(&net, "nowhere.safetensors"), Err(WeightsError::File(_))));
}
