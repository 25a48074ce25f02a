//! W7: training LeNet-5 with ReLU and max pooling, as other libraries' examples have it: sixteen steps of 64 images, SGD with momentum.

use crate::timing::{Bench, Work};
use gradus_activations::Activations;
use gradus_autograd::{Layer, Mode, Var, parameters};
use gradus_benches::normal;
use gradus_cnn::{Conv2d, ConvShape, MaxPool, Window};
use gradus_layers::{Flatten, Linear};
use gradus_losses::CrossEntropy;
use gradus_optimization::{Optimizer, Sgd};
use gradus_tensor::{Scalar, Tensor};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;

const BATCH: usize = 64;
const STEPS: usize = 16;

struct LeNet<T: Scalar> {
    conv1: Conv2d<T>,
    conv2: Conv2d<T>,
    fc1: Linear<T>,
    fc2: Linear<T>,
    fc3: Linear<T>,
}

parameters!(LeNet<T> { conv1, conv2, fc1, fc2, fc3 });

impl<T: Scalar> Layer<T> for LeNet<T> {
    fn forward(&self, x: &Var<T>, mode: &mut Mode<'_>) -> gradus_tensor::Result<Var<T>> {
        let pool = MaxPool::new([Window::new(2).stride(2); 2]);
        let h = pool.forward(&self.conv1.forward(x, mode)?.relu()?, mode)?;
        let h = pool.forward(&self.conv2.forward(&h, mode)?.relu()?, mode)?;
        let h = self.fc1.forward(&Flatten.forward(&h, mode)?, mode)?.relu()?;
        self.fc3.forward(&self.fc2.forward(&h, mode)?.relu()?, mode)
    }
}

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let (train, infer) = ("lenet5_b64_train", "lenet5_b64_infer");
    if !bench.wants(train) && !bench.wants(infer) {
        return Ok(());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let net = LeNet::<f32> {
        conv1: Conv2d::new(ConvShape::new(1, 6, [Window::new(5).padded(2); 2]), &mut rng)?,
        conv2: Conv2d::new(ConvShape::new(6, 16, [Window::new(5); 2]), &mut rng)?,
        fc1: Linear::new(400, 120, &mut rng)?,
        fc2: Linear::new(120, 84, &mut rng)?,
        fc3: Linear::new(84, 10, &mut rng)?,
    };
    let batches = (0..STEPS)
        .map(|i| {
            let classes: Tensor<u32> = (0..BATCH as u32).map(|k| (k * 7 + i as u32) % 10).collect();
            Ok((Var::constant(normal::<f32>([BATCH, 1, 28, 28])?), classes))
        })
        .collect::<gradus_tensor::Result<Vec<_>>>()?;
    let work = Work { items: STEPS * BATCH, ..Work::default() };
    let mut sgd = Sgd::new(0.01).momentum(0.9);
    bench.case(train, "gradus", work, 1, || {
        for (x, classes) in &batches {
            let scores = net.forward(x, &mut Mode::Train(&mut rng))?;
            let gradients = Var::apply(CrossEntropy::new(classes), [&scores])?.backward()?;
            sgd.step(&net, &gradients)?;
        }
        Ok(())
    })?;
    bench.case(infer, "gradus", work, 1, || {
        gradus_autograd::no_grad(|| {
            for (x, _) in &batches {
                std::hint::black_box(net.forward(x, &mut Mode::Eval)?);
            }
            Ok(())
        })
    })
}
