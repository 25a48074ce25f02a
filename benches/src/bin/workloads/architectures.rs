//! W8: the classic architectures, in evaluation for one image and for eight, and training steps of ResNets.

use crate::timing::{Bench, Work};
use gradus_architectures::{
    Architecture, Inference, ResNet, ResNetShape, Start, Summary, UNet, UNetShape, Vgg, VggColumn, VggShape,
    catalog,
};
use gradus_autograd::{Mode, Var};
use gradus_benches::normal;
use gradus_losses::CrossEntropy;
use gradus_optimization::{Optimizer, Sgd};
use gradus_tensor::Tensor;
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

/// The networks, and the batches of each.
const NETWORKS: [(&str, &[usize]); 6] = [
    ("alexnet", &[1, 8]),
    ("vgg16", &[1, 8]),
    ("resnet50", &[1, 8]),
    ("resnet152", &[1, 8]),
    ("xception", &[1, 8]),
    ("unet512", &[1]),
];

/// A network with random weights.
fn network(name: &str) -> crate::Result<Box<dyn Architecture<f32>>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut start = Start::Random(rng);
    if name == "unet512" {
        // With padding and without normalisation, as in the other libraries' driver.
        let shape = UNetShape { normalised: false, ..UNetShape::modern() };
        return Ok(Box::new(UNet::new(&shape, &mut start)?));
    }
    if name == "vgg16" {
        return Ok(Box::new(Vgg::new(&VggShape::of(VggColumn::D), &mut start)?));
    }
    let entry = catalog().iter().find(|entry| entry.name == name).ok_or("no such network")?;
    Ok(entry.build(&mut start)?)
}

pub(crate) fn run(bench: &Bench) -> crate::Result {
    for (name, batches) in NETWORKS {
        let cases: Vec<_> = batches.iter().map(|batch| (format!("{name}_b{batch}_f"), *batch)).collect();
        if !cases.iter().any(|(case, _)| bench.wants(case)) {
            continue;
        }
        let network = network(name)?;
        let image = network.image();
        let graph = network.graph(image)?;
        let (products, plan) = (Summary::of(name, &graph).multiplications as usize, Inference::of(&graph)?);
        for (case, batch) in cases {
            let x = normal::<f32>([batch, image[0], image[1], image[2]])?;
            let work = Work { items: batch, flop: 2 * batch * products, ..Work::default() };
            bench.case(&case, "gradus", work, 1, || Ok(std::hint::black_box(plan.run(&x)?)))?;
        }
    }
    for (name, shape) in [("resnet18", ResNetShape::resnet18()), ("resnet50", ResNetShape::resnet50())] {
        let (case, batch) = (format!("{name}_b8_step"), 8);
        if !bench.wants(&case) {
            continue;
        }
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let net = ResNet::<f32>::new(&shape, &mut Start::Random(rng))?;
        let products = Summary::of(name, &net.graph([3, 224, 224])?).multiplications as usize;
        let x = Var::constant(normal::<f32>([batch, 3, 224, 224])?);
        let classes: Tensor<u32> = (0..batch as u32).map(|k| k * 37).collect();
        let mut sgd = Sgd::new(0.01).momentum(0.9);
        // A step is three passes: forward, by data, by weights.
        let work = Work { items: batch, flop: 6 * batch * products, ..Work::default() };
        bench.case(&case, "gradus", work, 1, || {
            let scores = gradus_autograd::Layer::forward(&net, &x, &mut Mode::Train(rng))?;
            let gradients = Var::apply(CrossEntropy::new(&classes), [&scores])?.backward()?;
            sgd.step(&net, &gradients)?;
            Ok(())
        })?;
    }
    Ok(())
}
