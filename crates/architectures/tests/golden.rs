//! Scores against PyTorch's: golden/logits.csv, written by golden/logits.py, with weights that both sides make. GRADUS_GOLDEN names a folder with the same for
//! the published sizes (see the script); they take minutes.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

mod small;

use gradus_architectures::{
    ResNet, ResNetShape, Start, Stem, WeightsError, catalog, load_torch_state, load_weights, save_weights,
    torch_state,
};
use gradus_autograd::{Layer, Mode, Var};
use gradus_tensor::Scalar;
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

/// The largest difference of the scores, as a part of their largest.
fn off<T: Scalar>(golden: &Golden, network: &dyn Layer<T>, image: [usize; 3]) -> f64 {
    load_torch_state(network, &small::state(&golden.shapes)).unwrap();
    let x = small::made(&[2, image[0], image[1], image[2]], 0.5, |v| v);
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
    let cases = small::networks();
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
