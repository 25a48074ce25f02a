//! W9: an LSTM forward, and forward and backward with the gradients of all weights and of its inputs.

use crate::timing::{Bench, Work};
use gradus_autograd::{Layer, Mode, Var};
use gradus_benches::normal;
use gradus_lstm::{Lstm, LstmShape};
use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use std::hint::black_box;

/// Name, steps, samples, inputs, units, layers.
const CASES: &[(&str, [usize; 5])] =
    &[("lstmA_T100B32I128H256L1", [100, 32, 128, 256, 1]), ("lstmB_T50B64I512H512L2", [50, 64, 512, 512, 2])];

pub(crate) fn run(bench: &Bench) -> crate::Result {
    for &(name, [time, samples, inputs, hidden, layers]) in CASES {
        let (value, step) = (format!("{name}_f"), format!("{name}_fb"));
        if !bench.wants(&value) && !bench.wants(&step) {
            continue;
        }
        let shape = LstmShape { layers, ..LstmShape::new(inputs, hidden) };
        let lstm = Lstm::<f32>::new(shape, &mut ChaCha8Rng::seed_from_u64(1))?;
        let x = normal::<f32>([samples, time, inputs])?;
        let dy = normal::<f32>([samples, time, hidden])?;
        let terms = inputs + hidden + (layers - 1) * 2 * hidden;
        let flop = 2 * time * samples * 4 * hidden * terms;
        let constant = Var::constant(x.clone());
        bench.case(&value, "gradus", Work { flop, ..Work::default() }, 1, || {
            gradus_autograd::no_grad(|| {
                black_box(lstm.forward(&constant, &mut Mode::Eval)?);
                Ok(())
            })
        })?;
        let tracked = Var::parameter(x);
        bench.case(&step, "gradus", Work { flop: 3 * flop, ..Work::default() }, 1, || {
            black_box(lstm.forward(&tracked, &mut Mode::Eval)?.backward_with(&dy)?);
            Ok(())
        })?;
    }
    Ok(())
}
