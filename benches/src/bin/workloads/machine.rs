//! W2: elementwise work and softmax, against the memory's speed.

use crate::timing::{Bench, Work};
use gradus_activations::{Activation, Activations, Gelu, GeluTanh, Relu, Sigmoid, Softplus, Tanh};
use gradus_benches::normal;
use gradus_tensor::Tensor;

const N: usize = 16 << 20;

pub(crate) fn activations(bench: &Bench) -> crate::Result {
    let x = normal::<f32>([N])?;
    let work = Work { bytes: 8 * N, items: N, ..Work::default() };
    one(bench, "relu16M", &x, Relu)?;
    one(bench, "sigmoid16M", &x, Sigmoid)?;
    one(bench, "tanh16M", &x, Tanh)?;
    one(bench, "gelu16M", &x, Gelu)?;
    one(bench, "gelutanh16M", &x, GeluTanh)?;
    one(bench, "softplus16M", &x, Softplus)?;
    bench.case("exp16M", "gradus", work, 1, || Ok(x.exp()))?;
    for shape in [[4096, 1000], [1024, 32000]] {
        let case = format!("softmax{}x{}", shape[0], shape[1]);
        if bench.wants(&case) {
            let x = normal::<f32>(shape)?;
            let work = Work { bytes: 8 * x.len(), items: x.len(), ..Work::default() };
            bench.case(&case, "gradus", work, 1, || Ok(x.softmax(1)?))?;
        }
    }
    Ok(())
}

fn one(bench: &Bench, case: &str, x: &Tensor<f32>, f: impl Activation) -> crate::Result {
    let work = Work { bytes: 8 * N, items: N, ..Work::default() };
    bench.case(case, "gradus", work, 1, || {
        Ok(x.map(
            #[inline(always)]
            |v| f.value(v),
        ))
    })?;
    let mut out = x.zeros_like();
    bench.case(&format!("{case}_out"), "gradus", work, 1, || {
        Ok(x.map_to(
            &mut out,
            #[inline(always)]
            |v| f.value(v),
        )?)
    })
}
