//! W12: random numbers for weights, a hundred million at a time, into memory that is there already.

use crate::timing::{Bench, Work};
use gradus_initialization::Stream;
use gradus_tensor::Tensor;

const N: usize = 100_000_000;

pub(crate) fn run(bench: &Bench) -> crate::Result {
    if !bench.wants("normal100M") && !bench.wants("uniform100M") {
        return Ok(());
    }
    let work = Work { bytes: 4 * N, items: N, ..Work::default() };
    let mut x = Tensor::<f32>::zeros([N])?;
    let stream = Stream::new(1);
    bench.case("normal100M", "gradus", work, 1, || {
        stream.fill_normal(x.as_mut_slice());
        Ok(())
    })?;
    bench.case("uniform100M", "gradus", work, 1, || {
        stream.fill_uniform(x.as_mut_slice());
        Ok(())
    })
}
