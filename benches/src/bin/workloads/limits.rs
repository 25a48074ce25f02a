//! W0: what the machine can do at most.

use crate::timing::{Bench, Work};
use gradus_benches::machine::{STREAM, Streams, copy, fill, fma, fma_flop, fresh, large_pages, read, triad};

pub(crate) fn run(bench: &Bench) -> crate::Result {
    let flop = |flop| Work { flop, ..Work::default() };
    bench.case("fma_f32", "gradus", flop(fma_flop::<f32>()), 5, || Ok(fma::<f32>()))?;
    bench.case("fma_f64", "gradus", flop(fma_flop::<f64>()), 5, || Ok(fma::<f64>()))?;
    let mut streams = Streams::new(STREAM)?;
    let Streams { a, b, c } = &mut streams;
    let work = |arrays: usize| Work { bytes: arrays * 4 * STREAM, items: STREAM, ..Work::default() };
    bench.case("triad", "gradus", work(3), 1, || {
        triad(a, b, c);
        Ok(())
    })?;
    bench.case("copy", "gradus", work(2), 1, || {
        copy(a, b);
        Ok(())
    })?;
    bench.case("read_sum", "gradus", work(1), 1, || Ok(read(b)))?;
    bench.case("fill", "gradus", work(1), 1, || {
        fill(a);
        Ok(())
    })?;
    bench.case("fresh_fill64MiB", "gradus", work(1), 1, || Ok(fresh()))?;
    bench.case("fresh_fill64MiB", "gradus-hugepages", work(1), 1, || Ok(large_pages()?))?;
    bench.case("fresh_fill64MiB", "gradus-reused", work(1), 1, || {
        a.fill(std::hint::black_box(1.0)); // on one thread, as the fresh ones
        Ok(())
    })
}
