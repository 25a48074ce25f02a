//! W13: what an operation costs when it computes next to nothing: a network 64–64–10 at batch 1.

use crate::timing::{Bench, Work};
use gradus_activations::{Activations, relu};
use gradus_autograd::Var;
use gradus_benches::normal;
use gradus_losses::CrossEntropy;
use gradus_tensor::Tensor;

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let work = Work { items: 1, ..Work::default() };
    let x = normal::<f32>([1, 64])?;
    let weights = [normal::<f32>([64, 64])?, normal([64])?, normal([64, 10])?, normal([10])?];
    let [w1, b1, w2, b2] = &weights;
    bench.case("mlp64_b1_f", "gradus", work, 2000, || {
        let hidden = x.affine(w1, b1)?.map_owned(relu);
        Ok(hidden.affine(w2, b2)?)
    })?;

    let parameters = weights.clone().map(|w| Var::parameter(w.scale(0.1)));
    let [w1, b1, w2, b2] = &parameters;
    let (x, class) = (Var::constant(x), Tensor::from([1u32]));
    bench.case("mlp64_b1_step", "gradus", work, 300, || {
        let hidden = x.matmul(w1)?.add(b1)?.relu()?;
        let loss = Var::apply(CrossEntropy::new(&class), [&hidden.matmul(w2)?.add(b2)?])?;
        let gradients = loss.backward()?;
        drop((hidden, loss)); // else the graph shares the weights, and the step copies them
        for p in &parameters {
            if let Some(g) = gradients.get(p) {
                p.update(|w| w.add_scaled(-0.01, g))?;
            }
        }
        Ok(())
    })
}
