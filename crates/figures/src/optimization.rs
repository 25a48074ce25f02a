//! Figures of the chapter on stochastic gradient descent.

use super::plot::short;
use super::{Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::Result;
use gradus_autograd::Var;
use gradus_datasets::diabetes_scaled;
use gradus_optimization::{
    Adam, Cosine, GradientNoise, MultiStep, OneCycle, Optimizer, Polynomial, Sampling, Schedule, Sgd, Warmup,
};
use gradus_tensor::{Tensor, Transpose};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng};
use rand_distr::StandardNormal;

/// Interrupts a curve.
const GAP: (f64, f64) = (f64::NAN, f64::NAN);

/// What the race is run with.
pub(super) const RACE: &[Control] = &[
    Control::Slider(Slider {
        name: "rate",
        label: "learning rate η",
        range: (0.01, 2.511_886_431_509_58),
        step: 0.05,
        scale: Scale::Log,
        default: 1.0,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "momentum",
        label: "momentum μ",
        range: (0.0, 0.98),
        step: 0.02,
        scale: Scale::Linear,
        default: 0.8,
        unit: "",
    }),
    Control::Slider(Slider {
        name: "condition",
        label: "condition number κ",
        range: (1.0, 100.0),
        step: 0.1,
        scale: Scale::Log,
        default: 31.622_776_601_683_793,
        unit: "",
    }),
];

const START: [f64; 2] = [-1.9, 0.8];
const STEPS: usize = 50;
const WIDE: f64 = 2.4;
const HIGH: f64 = 1.2;

/// The places that an optimiser comes to in the valley ½(x²/κ + y²), and the height of the last.
fn run(optimizer: &mut dyn Optimizer<f64>, kappa: f64) -> Result<(Vec<(f64, f64)>, f64)> {
    let curvature = Tensor::from([1.0 / kappa, 1.0]);
    let w = Var::parameter(Tensor::from(START));
    let mut places = vec![(START[0], START[1])];
    for _ in 0..STEPS {
        let loss = w.mul(&w)?.mul(&Var::constant(curvature.clone()))?.sum()?.scale(0.5)?;
        let gradients = loss.backward()?;
        drop(loss);
        optimizer.step(&w, &gradients)?;
        let at = w.value();
        places.push((at.as_slice()[0], at.as_slice()[1]));
    }
    let at = w.value();
    let height = 0.5 * at.powi(2).dot(&curvature)?;
    Ok((places, height))
}

/// A path as far as it stays in the picture.
fn within(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    places.iter().copied().take_while(|(x, y)| x.abs() <= WIDE && y.abs() <= 100.0).collect()
}

/// SGD, momentum and Adam on the same valley.
pub(super) fn race(inputs: &Inputs) -> Result<Figure> {
    let (rate, mu, kappa) = (inputs.number("rate")?, inputs.number("momentum")?, inputs.number("condition")?);
    let mut levels = Vec::new();
    for radius in [0.2, 0.4, 0.6, 0.8, 1.0] {
        for k in 0..=240 {
            let angle = std::f64::consts::TAU * f64::from(k) / 240.0;
            let (x, y) = (radius * kappa.sqrt() * angle.cos(), radius * angle.sin());
            levels.push(if x.abs() <= WIDE { (x, y) } else { GAP });
        }
        levels.push(GAP);
    }
    let (plain, plain_height) = run(&mut Sgd::new(rate), kappa)?;
    let (momentum, momentum_height) = run(&mut Sgd::new(rate).momentum(mu), kappa)?;
    let (adam, adam_height) = run(&mut Adam::new(0.1 * rate), kappa)?;
    let start = 0.5 * (START[0].powi(2) / kappa + START[1].powi(2));
    let says = |height: f64| {
        if height.is_finite() && height < 1e3 * start { short(height) } else { "far above the start".into() }
    };
    let status = format!(
        "η = {}, μ = {}, κ = {}: from a height of {} SGD comes to {} in {STEPS} steps, with momentum to {}, Adam at a tenth of the \
         rate to {}. SGD is stable below η = 2, momentum below {}.",
        short(rate),
        short(mu),
        short(kappa),
        short(start),
        says(plain_height),
        says(momentum_height),
        says(adam_height),
        short(2.0 * (1.0 + mu)),
    );
    let figure = Plot::new("x: the flat direction", -WIDE..WIDE, -HIGH..HIGH)
        .y_name("y: the steep one")
        .curve("level lines", levels)
        .curve("SGD", within(&plain))
        .curve("momentum", within(&momentum))
        .curve("Adam, η/10", within(&adam))
        .figure(
            &format!(
                "The elliptic level lines of a valley of condition number {}, and three paths from its upper left side: \
                 SGD, SGD with momentum {}, and Adam, {STEPS} steps each.",
                short(kappa),
                short(mu)
            ),
            "Three optimisers on the valley ½(x²/κ + y²). SGD settles the steep direction at once and crawls along the flat one, by \
             1 − η/κ a step; momentum collects speed along the floor, and overshoots; Adam divides each gradient by its own size, and \
             so hardly sees the condition number.",
        )?;
    Ok(figure.status(status))
}

/// The gradient of each patient's squared error, where all coefficients are 0.
fn gradients() -> Result<Tensor<f64>> {
    let data = diabetes_scaled()?;
    let y = data.target.map(|y| (y - 152.0) / 77.0);
    Ok(data.features.mul(&y.insert_axis(1)?)?.scale(-2.0))
}

/// How a mini-batch's gradient scatters, over its size.
pub(super) fn batch_noise() -> Result<Figure> {
    let noise = GradientNoise::new(&gradients()?)?;
    let n = 442usize;
    let curve = |sampling| -> Result<Vec<(f64, f64)>> {
        let last = if sampling == Sampling::WithReplacement { 2000 } else { n - 1 };
        let mut sizes: Vec<usize> = (0..=80).map(|k| 10f64.powf(f64::from(k) / 24.0) as usize).collect();
        sizes.push(last);
        sizes.retain(|m| (1..=last).contains(m));
        sizes.sort_unstable();
        sizes.dedup();
        sizes
            .into_iter()
            .map(|m| Ok(((m as f64).log10(), noise.variance(m, sampling)?.sum().log10())))
            .collect()
    };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut order: Vec<u32> = (0..n as u32).collect();
    let mut measured = Vec::new();
    for m in [1usize, 4, 16, 64, 256, 400] {
        let mut sum = 0.0;
        for _ in 0..400 {
            order.shuffle(&mut rng);
            sum += noise.batch(&order[..m])?.sub(noise.full())?.powi(2).sum();
        }
        measured.push(((m as f64).log10(), (sum / 400.0).log10(), String::new()));
    }
    let caption = format!(
        "How far the gradient of a mini-batch is from that of all 442 patients, squared, on average: the formulas as lines, \
         400 drawn batches of each size as points. Ten times the samples, a tenth of the variance, until the batch is nearly everything. \
         The critical size is {}.",
        short(noise.critical_batch())
    );
    Plot::new("samples in a batch", 0.0..3.3, -6.5..-0.5)
        .y_name("variance of the gradient")
        .log_x()
        .log_y()
        .curve("with replacement", curve(Sampling::WithReplacement)?)
        .curve("without", curve(Sampling::WithoutReplacement)?)
        .points("400 batches", measured)
        .figure(
            "On logarithmic axes the variance falls along a line of slope minus one; without replacement it bends down from about a hundred \
             samples on and goes to zero at 442. The points lie on the curve.",
            &caption,
        )
}

/// A problem of least squares with noise: the samples, their targets, and the smallest loss.
fn noisy() -> Result<(Tensor<f64>, Tensor<f64>, f64)> {
    let (n, d, mut rng) = (256, 6, ChaCha8Rng::seed_from_u64(3));
    let x = Tensor::<f64>::random([n, d], &StandardNormal, &mut rng)?;
    let theta = Tensor::random([d, 1], &StandardNormal, &mut rng)?;
    let y = x.matmul(&theta)?.add(&Tensor::random([n, 1], &StandardNormal, &mut rng)?)?;
    let (q, _) = x.qr()?;
    let fitted = q.matmul(&q.product(Transpose::Yes, &y, Transpose::No)?)?;
    let least = y.sub(&fitted)?.powi(2).mean()?;
    Ok((x, y, least))
}

/// The loss above its minimum over the epochs, at constant rates and a falling one.
pub(super) fn noise_floor() -> Result<Figure> {
    const EPOCHS: usize = 40;
    const BATCH: usize = 8;
    let (x, y, least) = noisy()?;
    let n = x.dims()[0];
    let run = |rate: &dyn Fn(u64) -> f64| -> Result<Vec<(f64, f64)>> {
        let w = Var::parameter(Tensor::zeros([x.dims()[1], 1])?);
        let (mut sgd, mut rng) = (Sgd::new(0.0), ChaCha8Rng::seed_from_u64(4));
        let (mut points, mut step) = (Vec::new(), 0);
        for epoch in 0..=EPOCHS {
            let loss = x.matmul(&w.value())?.sub(&y)?.powi(2).mean()?;
            points.push((epoch as f64, (loss - least).max(1e-12).log10()));
            for _ in 0..n / BATCH {
                // Each sample on its own, as the formula for the floor has it.
                let batch: Vec<u32> = (0..BATCH).map(|_| rng.random_range(0..n as u32)).collect();
                let (x, y) = (x.gather(0, &batch)?, y.gather(0, &batch)?);
                let loss = Var::constant(x).matmul(&w)?.sub(&Var::constant(y))?;
                let loss = loss.mul(&loss)?.mean()?;
                let gradients = loss.backward()?;
                drop(loss);
                sgd.set_learning_rate(rate(step))?;
                sgd.step(&w, &gradients)?;
                step += 1;
            }
        }
        Ok(points)
    };
    let cosine = Cosine::new(0.05, 0.0, (EPOCHS * n / BATCH) as u64)?;
    Plot::new("epoch", 0.0..EPOCHS as f64, -4.0..1.5)
        .y_name("loss above its minimum")
        .log_y()
        .curve("η = 0.05", run(&|_| 0.05)?)
        .curve("η = 0.005", run(&|_| 0.005)?)
        .curve("cosine from 0.05", run(&|step| cosine.rate(step))?)
        .figure(
            "At the constant rate of 0.05 the loss falls at once and then shakes around a twentieth; at 0.005 it falls more \
             slowly, to a few thousandths; with the cosine it begins like the first and ends like the second.",
            "Least squares with noise, in batches of 8 that are drawn with replacement. At a constant rate SGD comes only so near: at a \
             tenth of the rate it takes ten times as long, and comes about ten times nearer. A rate that falls to 0 has both. (In \
             the batches of a shuffled epoch the noise partly cancels, and all three come nearer.)",
        )
}

/// The rates of five schedules.
pub(super) fn schedules() -> Result<Figure> {
    let of = |schedule: &dyn Schedule| -> Vec<(f64, f64)> {
        (0..=300).map(|step| (f64::from(step), schedule.rate(u64::from(step as u32)))).collect()
    };
    Plot::new("step", 0.0..300.0, 0.0..1.1)
        .y_name("rate, of its largest")
        .curve("milestones", of(&MultiStep::new(1.0, 10.0, &[100, 200])?))
        .curve("restarts", of(&Cosine::new(1.0, 0.0, 43)?.restarts(2)?))
        .curve("warm-up, cosine", of(&Warmup::new(30, Cosine::new(1.0, 0.0, 270)?)?))
        .curve("one cycle", of(&OneCycle::new(1.0, 301)?))
        .curve("polynomial, p = 2", of(&Polynomial::new(1.0, 0.0, 300, 2.0)?))
        .figure(
            "A staircase of three steps; three waves of a cosine, each twice as long as the last; a line up and half a cosine down; a \
             gentle rise and a long fall; half a parabola.",
            "Five schedules over 300 steps, by the crate's own functions.",
        )
}
