//! What a layer costs, measured on the machine at hand.

use super::plot::short;
use super::{Button, Control, Figure, Inputs, Plot};
use anyhow::Result;
use gradus_autograd::{Mode, Op, Var, no_grad};
use gradus_cnn::{Conv1d, ConvShape, Window};
use gradus_lstm::Recurrence;
use gradus_tensor::Tensor;
use gradus_transformer::{
    Attention, Mask, Reach, convolutional_cost, recurrent_cost, restricted_cost, self_attention_cost,
};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;
use std::collections::BTreeMap;
use std::time::Instant;

/// The button that measures.
pub(super) const MEASURE: &[Control] = &[Control::Button(Button {
    name: "measure",
    label: "Measure this machine",
    busy: "Running each layer at six lengths, which takes some seconds …",
    stays: false,
})];

/// Seconds of each layer over n: measured when asked for, of the counted multiplications otherwise.
pub(super) fn measured(inputs: &Inputs) -> Result<Figure> {
    const D: usize = 64;
    /// Multiplications a second, for those who have not measured.
    const NOMINAL: f64 = 1e10;
    let pressed = inputs.pressed("measure")?;
    let lengths = [64usize, 128, 256, 512, 1024, 2048, 4096];
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let mut curves: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for &n in &lengths {
        let works: [(usize, f64); 4] = [
            (0, self_attention_cost(n, D).multiplications as f64),
            (1, restricted_cost(n, D, 16)?.multiplications as f64),
            (2, 4.0 * recurrent_cost(n, D).multiplications as f64),
            (3, convolutional_cost(n, D, 3, Reach::Causal)?.multiplications as f64),
        ];
        for (i, count) in works {
            let y = if pressed { seconds(i, n, D, rng)? } else { count / NOMINAL };
            curves.entry(i).or_default().push(((n as f64).log10(), y.log10()));
        }
    }
    let last = |i: usize| curves[&i].last().map_or(f64::NAN, |p| 10f64.powf(p.1));
    let status = format!(
        "{}, n = 4096, d = {D}: self-attention {} ms, a window of 16 {} ms, an LSTM {} ms, a convolution {} ms.",
        if pressed { "On your machine" } else { "By the count" },
        short(1e3 * last(0)),
        short(1e3 * last(1)),
        short(1e3 * last(2)),
        short(1e3 * last(3))
    );
    let mut plot = Plot::new("length n", 1.7..3.7, -6.0..1.0).y_name("seconds").log_x().log_y();
    for (i, name) in ["self-attention", "window of 16", "LSTM", "convolution of 3"].iter().enumerate() {
        plot = plot.curve(name, curves[&i].clone());
    }
    let figure = plot.figure(
        "Four lines over n, both logarithmic: self-attention rises twice as steeply as the other three.",
        &format!(
            "One layer of d = {D}, forward, over the length. {} Attention rises with n², and still needs no more memory than its result: its tiles never hold all scores.",
            if pressed {
                "Seconds, measured just now."
            } else {
                "Seconds of the counted multiplications at ten billion a second; the button measures the layers on this machine."
            }
        ),
    )?;
    Ok(figure.status(status))
}

/// The best of three runs of one layer.
fn seconds(layer: usize, n: usize, d: usize, rng: &mut ChaCha8Rng) -> Result<f64> {
    let mut random = |dims: &[usize]| -> Result<Tensor<f32>> {
        Ok(Tensor::<f32>::random(dims, &StandardNormal, &mut *rng)?.scale(0.1))
    };
    let x = random(&[1, n, d])?;
    let (h, w, u, b) = (random(&[1, d])?, random(&[d, 4 * d])?, random(&[d, 4 * d])?, random(&[4 * d])?);
    let shape = ConvShape::new(d, d, [Window::new(3).padded_by(2, 0)]).without_bias();
    let conv = Conv1d::from_tensors(shape, random(&[d, d, 3])?, None)?;
    let channels = Var::constant(random(&[1, d, n])?);
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let started = Instant::now();
        match layer {
            0 => drop(Attention::new(1, Mask::default()).eval([&x, &x, &x])?),
            1 => drop(Attention::new(1, Mask::default().window(16)).eval([&x, &x, &x])?),
            2 => drop(Recurrence::default().eval([&x, &h, &h, &w, &u, &b])?),
            _ => drop(no_grad(|| gradus_autograd::Layer::forward(&conv, &channels, &mut Mode::Eval))?),
        }
        best = best.min(started.elapsed().as_secs_f64());
    }
    Ok(best)
}
