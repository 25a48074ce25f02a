//! W3: losses with their gradients, through the graph as a training step goes.

use crate::timing::{Bench, Work};
use gradus_autograd::Var;
use gradus_benches::normal;
use gradus_losses::{BceWithLogits, CrossEntropy, Elementwise, Reduction};
use gradus_tensor::Tensor;

pub(crate) fn run(bench: &Bench) -> crate::Result {
    if bench.wants("xent4096x1000_fb") {
        let x = Var::parameter(normal::<f32>([4096, 1000])?);
        let classes: Tensor<u32> = (0..4096).map(|i| i * 7919 % 1000).collect();
        let work = Work { bytes: 8 * 4096 * 1000, items: 4096 * 1000, ..Work::default() };
        bench.case("xent4096x1000_fb", "gradus", work, 1, || {
            Ok(Var::apply(CrossEntropy::new(&classes), [&x])?.backward()?)
        })?;
    }
    if bench.wants("bce16M_fb") {
        const N: usize = 16 << 20;
        let z = Var::parameter(normal::<f32>([N])?);
        let label = Var::constant(z.value().map(|v| f32::from(v > 0.3)));
        let work = Work { bytes: 12 * N, items: N, ..Work::default() };
        bench.case("bce16M_fb", "gradus", work, 1, || {
            let op = Elementwise { loss: BceWithLogits, reduction: Reduction::Mean };
            Ok(Var::apply(op, [&z, &label])?.backward()?)
        })?;
    }
    Ok(())
}
