//! What is common to all networks: the walk that writes down, and the walk that computes.

use super::{apart, holds, learned, normal, of, start, stirred};
use crate::{
    AlexNet, AlexNetShape, Forward, Graph, Inference, LeNet, LeNet1998, LeNet1998Shape, LeNetShape, Network,
    ResNet, ResNetShape, Squashing, Start, Summary, UNet, UNetShape, Vgg, VggShape, Xception, XceptionShape,
};
use gradus_autograd::{Layer, Mode, Var};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::rng;

const NAMES: [&str; 7] = ["lenet", "lenet1998", "alexnet", "vgg", "resnet", "xception", "unet"];

/// What a network's summary says, and what its forward pass gives.
fn compared<N: Network<f64> + Layer<f64>>(
    net: &N,
    case: &Case<'_>,
    image: [usize; 3],
) -> Result<f64, Failure> {
    stirred(net, case)?;
    let graph = Graph::of(net, image)?;
    let summary = Summary::of("", &graph);
    let x = normal(case, 0, &[2, image[0], image[1], image[2]])?;
    let scores = of(net, &x)?;
    let planned = Inference::of(&graph)?.run(&x)?;
    let walked = net.walk(&mut Forward(&mut Mode::Eval), Var::constant(x))?.value();
    let shape = graph.nodes().last().map(|node| node.shape.clone()).unwrap_or_default();
    // Some networks have passes of their own, which do more at once.
    Ok(apart(summary.parameters, learned(net))
        + holds(scores.dims()[1..] == shape)
        + scores.max_difference(&walked)?.max(scores.max_difference(&planned)?))
}

/// The two walks, held against each other.
pub(super) fn walked() -> Vec<Property> {
    vec![
        Property::new(
            "lenet-params.walk",
            &["lenet-params", "alexnet-params", "vgg-params", "resnet-params", "xception-36-convs", "unet-decoder"],
            "in the walk through a network each parameter is met once; computing it step by step gives its scores, and so does a plan with everything folded",
        )
        .draw(Draw::choice("network", &NAMES))
        .draw(Draw::seed("values"))
        .within("rounding", super::ROUNDING)
        .check(|case| {
            let mut rng = rng(case.seed("values"));
            let first = &mut Start::Random(&mut start(case));
            match case.choice("network") {
                "lenet" => {
                    let net = LeNet::new(LeNetShape::mnist(), Squashing::Tanh, &mut rng)?;
                    compared(&net, case, [1, 28, 28])
                }
                "lenet1998" => {
                    compared(&LeNet1998::new(LeNet1998Shape::published(), &mut rng)?, case, [1, 32, 32])
                }
                "alexnet" => compared(&AlexNet::new(&AlexNetShape::tiny(), first)?, case, [3, 67, 67]),
                "vgg" => compared(&Vgg::new(&VggShape::tiny(), first)?, case, [3, 32, 32]),
                "resnet" => {
                    let shape = ResNetShape { width: 4, ..ResNetShape::cifar(1)? };
                    compared(&ResNet::new(&shape, first)?, case, [3, 32, 32])
                }
                "xception" => {
                    let shape = XceptionShape { middle: 1, ..XceptionShape::tiny() };
                    compared(&Xception::new(&shape, first)?, case, [3, 40, 40])
                }
                _ => compared(&UNet::new(&UNetShape::tiny(), first)?, case, [1, 16, 20]),
            }
        }),
    ]
}

/// What is counted in the one that writes down, of the networks as they were published.
pub(super) fn counted() -> Vec<Property> {
    vec![
        Property::new(
            "lenet-params.sees",
            &["lenet-params", "alexnet-params", "vgg-params", "resnet-params"],
            "what the last maps see, counted: LeNet 16, AlexNet 195, VGG-16 212, VGG-19 268, ResNet-18 435, -34 899, -50 427 or 483, -152 1451 or 1507",
        )
        .check(|_| {
            fn sees<N: Network<f32>>(net: &N, image: [usize; 3]) -> Result<usize, Failure> {
                let summary = Summary::of("", &Graph::of(net, image)?);
                let last = summary.rows.iter().rev().find_map(|row| row.receptive_field);
                Ok(last.map_or(0, |[height, _]| height))
            }
            let photo = [3, 224, 224];
            let mut off = apart(sees(&LeNet::new(LeNetShape::default(), Squashing::Tanh, &mut rng(1))?, [1, 32, 32])?, 16);
            off += apart(sees(&AlexNet::new(&AlexNetShape::published(), &mut Start::Blank)?, [3, 227, 227])?, 195);
            for (column, expected) in [(crate::VggColumn::D, 212), (crate::VggColumn::E, 268)] {
                off += apart(sees(&Vgg::new(&VggShape::of(column), &mut Start::Blank)?, photo)?, expected);
            }
            let first = |shape| ResNetShape { stride_first: true, ..shape };
            for (shape, expected) in [
                (ResNetShape::resnet18(), 435),
                (ResNetShape::resnet34(), 899),
                (ResNetShape::resnet50(), 427),
                (ResNetShape::resnet101(), 971),
                (ResNetShape::resnet152(), 1451),
                (first(ResNetShape::resnet50()), 483),
                (first(ResNetShape::resnet101()), 1027),
                (first(ResNetShape::resnet152()), 1507),
            ] {
                off += apart(sees(&ResNet::new(&shape, &mut Start::Blank)?, photo)?, expected);
            }
            Ok(off)
        }),
        Property::new(
            "lenet-params.products",
            &["lenet-params", "alexnet-params", "vgg-params", "resnet-params"],
            "the products of an image: 416,520 of LeNet, 724,406,816 of AlexNet, 15,470,264,320 of VGG-16, 4,089,184,256 or 3,857,973,248 of ResNet-50",
        )
        .check(|_| {
            fn products<N: Network<f32>>(net: &N, image: [usize; 3]) -> Result<u64, Failure> {
                Ok(Summary::of("", &Graph::of(net, image)?).multiplications)
            }
            let photo = [3, 224, 224];
            let mut off =
                apart(products(&LeNet::new(LeNetShape::default(), Squashing::Tanh, &mut rng(1))?, [1, 32, 32])?, 416_520);
            for (shape, side, expected) in [
                (AlexNetShape::published(), 227, 724_406_816),
                (AlexNetShape::one_tower(), 227, 1_135_256_096),
                (AlexNetShape::torchvision(), 224, 714_188_480),
            ] {
                off += apart(products(&AlexNet::new(&shape, &mut Start::Blank)?, [3, side, side])?, expected);
            }
            for (column, expected) in [(crate::VggColumn::D, 15_470_264_320), (crate::VggColumn::E, 19_632_062_464)] {
                off += apart(products(&Vgg::new(&VggShape::of(column), &mut Start::Blank)?, photo)?, expected);
            }
            let first = |shape| ResNetShape { stride_first: true, ..shape };
            for (shape, expected) in [
                (ResNetShape::resnet18(), 1_814_073_344),
                (ResNetShape::resnet34(), 3_663_761_408),
                (ResNetShape::resnet50(), 4_089_184_256),
                (ResNetShape::resnet101(), 7_801_405_440),
                (ResNetShape::resnet152(), 11_513_626_624),
                (first(ResNetShape::resnet50()), 3_857_973_248),
                (first(ResNetShape::resnet101()), 7_570_194_432),
                (first(ResNetShape::resnet152()), 11_282_415_616),
            ] {
                off += apart(products(&ResNet::new(&shape, &mut Start::Blank)?, photo)?, expected);
            }
            Ok(off)
        }),
    ]
}
