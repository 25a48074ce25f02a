//! Figures of the chapters on diffusion.

use super::bars::{Bar, bars};
use super::pixels::{Canvas, Picture};
use super::plot::{decimals, short};
use super::{Button, Control, Figure, Inputs, Plot, Scale, Slider};
use anyhow::{Context, Result};
use gradus_datasets::{mnist_subset, two_moons};
use gradus_diffusion::{
    DenoisingMlp, Diffusion, GaussianMixture, LinearReverse, LinearStep, MlpShape, Prediction,
    ReverseVariance, Sampler, Schedule, Weighting, closed_form,
};
use gradus_initialization::Stream;
use gradus_optimization::{Adam, Averaged};
use gradus_tensor::Tensor;
use gradus_training::{Batches, Trainer};
use rand::{SeedableRng, rngs::ChaCha8Rng};
use std::f64::consts::{E, PI};
use std::sync::{Arc, Mutex, PoisonError};

/// How many steps.
pub(super) const NOISE: &[Control] = &[Control::slider("t", "step t", (0.0, 1000.0), 10.0, 200.0)];

/// A digit after t steps, and what the notes' formula makes of it.
pub(super) fn noise_digit(inputs: &Inputs) -> Result<Figure> {
    let t = inputs.number("t")? as usize;
    let data = mnist_subset()?.train;
    let three = data.classes().as_slice().iter().position(|&class| class == 3).context("there is a 3")?;
    let (pixels, _) = data.batch::<f64>(&[three as u32])?;
    let (schedule, side) = (Schedule::ho2020(), data.width());
    let noise = Stream::new(3).normal::<f64>([side * side])?;
    let noisy = |log: f64| -> Picture {
        let ink = pixels.as_slice().iter().zip(noise.as_slice());
        // The data is from −1 to 1; paper is to be without colour.
        (
            side,
            side,
            ink.map(|(&p, &e)| (0.5 * closed_form(2.0 * p - 1.0, e, log) + 0.5).clamp(-1.0, 1.0)).collect(),
        )
    };
    let printed = if t == 0 { 0.0 } else { schedule.alpha(t)?.ln() };
    let pictures = [
        ("the image", noisy(0.0)),
        ("after t steps", noisy(schedule.log_alpha_bar(t)?)),
        ("as the notes have it", noisy(printed)),
    ];
    let mut canvas = Canvas::new(630.0, 230.0);
    for (i, (text, picture)) in pictures.iter().enumerate() {
        let x = 10.0 + 210.0 * i as f64;
        canvas.picture([x, 5.0], 190.0, picture);
        canvas.text([x + 95.0, 220.0], true, text);
    }
    let [signal, scale] = schedule.scales(t)?;
    let status = format!(
        "t = {t}: the image times {} and noise of the deviation {}; with the notes' factor the image would be multiplied by {}.",
        decimals(signal, 3),
        decimals(scale, 3),
        decimals((0.5 * printed).exp(), 3)
    );
    let figure = canvas.figure(
        "A handwritten 3; the same with noise, more with every step; and the same by the printed formula, in which nearly nothing happens.",
        "A handwritten 3 after t of Ho's 1000 steps: √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε. What is darker than paper has one colour, what is lighter the other. On the right the same with α of the last step alone, \
         which is what comes out if the notes' second line is carried on to x₀.",
    );
    Ok(figure.status(status))
}

/// T.
pub(super) const STEPS: &[Control] = &[Control::slider("steps", "steps T", (10.0, 1000.0), 10.0, 1000.0)];

/// The three schedules.
fn schedules(steps: usize) -> Result<[(&'static str, Schedule); 3]> {
    Ok([
        ("linear, 10⁻⁴ to 0.02", Schedule::linear(steps, 1e-4, 0.02)?),
        ("cosine", Schedule::cosine(steps)?),
        ("sigmoid", Schedule::sigmoid(steps, -3.0, 3.0, 1.0)?),
    ])
}

/// What is left of the data's variance, over the steps.
pub(super) fn noise_schedules(inputs: &Inputs) -> Result<Figure> {
    let steps = inputs.number("steps")? as usize;
    let mut plot = Plot::new("t / T", 0.0..1.0, 0.0..1.0).y_name("ᾱ");
    let mut ends = Vec::new();
    for (name, schedule) in schedules(steps)? {
        let every = steps.div_ceil(200);
        let points = (0..=steps).filter(|t| t % every == 0 || *t == steps);
        let curve =
            points.map(|t| Ok((t as f64 / steps as f64, schedule.alpha_bar(t)?))).collect::<Result<_>>()?;
        plot = plot.curve(name, curve);
        ends.push(format!("{name}: {}", short(schedule.alpha_bar(steps)?)));
    }
    let figure = plot.figure(
        "Three curves that fall from 1: linear, cosine and sigmoid schedules.",
        "What is left of the data's variance after t of T steps. The linear schedule has Ho's ends whatever T is: with few steps much is left.",
    )?;
    Ok(figure.status(format!("ᾱ after {steps} steps: {}.", ends.join("; "))))
}

/// Two steps.
pub(super) const TWO: &[Control] = &[
    Control::slider("first", "β₁", (0.05, 0.95), 0.05, 0.3),
    Control::slider("second", "β₂", (0.05, 0.95), 0.05, 0.5),
    Control::slider("x0", "x₀", (-4.0, 4.0), 0.1, 3.0),
];

fn bell(mean: f64, variance: f64) -> impl Fn(f64) -> f64 {
    move |x| (-0.5 * (x - mean).powi(2) / variance).exp() / (2.0 * PI * variance).sqrt()
}

/// The density of x₂, right and as printed.
pub(super) fn telescope(inputs: &Inputs) -> Result<Figure> {
    let (first, second, x0) = (inputs.number("first")?, inputs.number("second")?, inputs.number("x0")?);
    let [mean, variance] = Schedule::given(&[first, second])?.between(0, 2)?.carry([x0, 0.0]);
    let (printed_mean, printed_variance) = ((1.0 - second).sqrt() * x0, second);
    let figure = Plot::new("x₂", -5.0..5.0, 0.0..1.8)
        .y_name("density")
        .line("two steps", bell(mean, variance))
        .line("as printed", bell(printed_mean, printed_variance))
        .figure(
            "Two bells over x₂: that of two real steps, and that of the printed formula, which lies further out and is narrower.",
            "Where x₂ lies after two steps from x₀, and where the notes' second line says that it lies. Both forms keep the variance of data of variance 1; only the first multiplies the signal twice.",
        )?;
    Ok(figure.status(format!(
        "Two steps: mean {}, variance {}. As printed: mean {}, variance {}.",
        decimals(mean, 3),
        decimals(variance, 3),
        decimals(printed_mean, 3),
        decimals(printed_variance, 3)
    )))
}

/// The step, and where one stands.
pub(super) const BACK: &[Control] = &[
    Control::Slider(Slider {
        name: "beta",
        label: "β of the step",
        range: (0.001, 0.954_992_586_021_436),
        step: 0.01,
        scale: Scale::Log,
        default: 0.001,
        unit: "",
    }),
    Control::slider("x", "where xₜ is", (-2.0, 2.0), 0.05, 0.0),
];

/// How far the axis reaches.
const REACH: f64 = 3.0;

/// The true step back from a place, and the Gaussian with its mean and variance.
pub(super) fn reverse_step(inputs: &Inputs) -> Result<Figure> {
    let (beta, x) = (inputs.number("beta")?, inputs.number("x")?);
    let data = GaussianMixture::new(&[1.0, 1.0], Tensor::from([[-1.0], [1.0]]), &[0.01, 0.01])?;
    let schedule = Schedule::given(&[0.05, beta])?;
    let back = data.reverse(&schedule, 2, &[x])?;
    let weights = back.weights();
    let parts = || weights.iter().zip(back.means().as_slice()).zip(back.variances());
    let mean: f64 = parts().map(|((w, m), _)| w * m).sum();
    let variance: f64 = parts().map(|((w, m), v)| w * ((m - mean).powi(2) + v)).sum();
    let deviation = variance.sqrt();
    // Both over the Gaussian's peak, so that they can be seen however narrow they are.
    let peak = bell(mean, variance)(mean);
    let own = |x: f64| parts().map(|((w, &m), &v)| w * bell(m, v)(x)).sum::<f64>() / peak;
    let gaussian = |x: f64| bell(mean, variance)(x) / peak;
    let places: Vec<f64> = (-200..=200).map(|i| mean + 5.0 * deviation * f64::from(i) / 200.0).collect();
    let curve = |f: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        let inside = places.iter().copied().filter(|x| x.abs() < REACH);
        [-REACH].into_iter().chain(inside).chain([REACH]).map(|x| (x, f(x))).collect()
    };
    let step = 5.0 * deviation / 200.0;
    let far = places.iter().map(|&x| (own(x) - gaussian(x)).abs()).sum::<f64>() * step * peak / 2.0;
    let figure = Plot::new("xₜ₋₁", -REACH..REACH, 0.0..2.0)
        .y_name("density, over the Gaussian's peak")
        .curve("true step back", curve(&own))
        .curve("Gaussian", curve(&gaussian))
        .points("xₜ", vec![(x, 0.0, String::new())])
        .figure(
            "The density of the true step back and a bell of its mean and variance: alike for a small β, two bells for a large one.",
            "Data near −1 and 1, some noise (a step of β = 0.05), and then one step: where it came from, given where it led to; beside it the Gaussian of the same mean and variance. \
             For a small β the two are alike, whatever the data is; for a large one the question back is which of the two it was.",
        )?;
    Ok(figure.status(format!(
        "β = {}: mean {}, deviation {}; {} % of the probability lie elsewhere than the Gaussian says.",
        short(beta),
        decimals(mean, 3),
        decimals(deviation, 3),
        decimals(100.0 * far, 1)
    )))
}

/// What the bound depends on.
pub(super) const BOUND: &[Control] = &[
    Control::slider("steps", "steps T", (2.0, 10.0), 1.0, 5.0),
    Control::slider("variance", "data's variance", (0.1, 2.0), 0.1, 1.0),
    Control::slider("wrong", "mean wrong by", (0.0, 1.0), 0.05, 0.0),
    Control::slider("wide", "variance too large, times", (0.25, 4.0), 0.25, 1.0),
];

/// The terms of the bound.
pub(super) fn bound_terms(inputs: &Inputs) -> Result<Figure> {
    let (steps, variance) = (inputs.number("steps")? as usize, inputs.number("variance")?);
    let (wrong, wide) = (inputs.number("wrong")?, inputs.number("wide")?);
    let schedule = Schedule::linear(steps, 0.5 / steps as f64, (4.0 / steps as f64).min(0.9))?;
    let data = [0.0, variance];
    let exact = LinearReverse::exact(&schedule, data)?;
    let learned = LinearReverse {
        steps: exact
            .steps
            .iter()
            .map(|step| LinearStep { offset: step.offset + wrong, variance: step.variance * wide, ..*step })
            .collect(),
    };
    let bound = learned.bound(&schedule, data)?;
    let bar = |name: String, value: f64| Bar {
        text: format!("{name}: {}", decimals(value, 3)),
        value: value.max(0.0),
        most: 2.0,
    };
    let mut drawn = vec![bar("L₀, the last step".into(), bound.decoder)];
    drawn.extend(
        bound.steps.iter().enumerate().map(|(i, &term)| bar(format!("step back from {}", i + 2), term)),
    );
    drawn.push(bar("L_T, the prior".into(), bound.prior));
    let entropy = 0.5 * (2.0 * PI * E * variance).ln();
    let figure = bars(
        &drawn,
        "Bars of the terms of the bound: the last step, the steps between, the prior.",
        "The terms of the bound in nats, for Gaussian data and steps back that are lines. With the true steps (mean right, variance times 1) it exceeds the data's entropy by no more than what is wrong with the prior, \
         whatever T is: each step's divergence, seen from its own x₀, is then unavoidable.",
    )?;
    Ok(figure.status(format!(
        "Bound {} nats; what the data really costs {}; its entropy {}.",
        decimals(bound.nats(), 3),
        decimals(learned.cost(data), 3),
        decimals(entropy, 3)
    )))
}

/// The weight of each step in the bound, over their mean.
pub(super) fn simple_weights(inputs: &Inputs) -> Result<Figure> {
    let steps = inputs.number("steps")? as usize;
    let mut plot = Plot::new("t / T", 0.0..1.0, -1.0..5.5).y_name("weight, over the median").log_y();
    let mut firsts = Vec::new();
    for (name, schedule) in schedules(steps)? {
        let variance = ReverseVariance::Posterior;
        let diffusion = Diffusion::new(schedule, Prediction::Noise).weighting(Weighting::Bound(variance));
        let weights = (1..=steps).map(|t| Ok(diffusion.weight(t)?)).collect::<Result<Vec<f64>>>()?;
        let mut sorted = weights.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[steps / 2];
        let every = steps.div_ceil(200);
        let curve = weights.iter().enumerate().filter(|(i, _)| i % every == 0);
        plot = plot
            .curve(name, curve.map(|(i, w)| ((i + 1) as f64 / steps as f64, (w / median).log10())).collect());
        firsts.push(format!("{name}: {}", short(weights[0] / median)));
    }
    let figure = plot.curve("simple loss", vec![(0.0, 0.0), (1.0, 0.0)]).figure(
        "Curves over t on a logarithmic axis: the bound's weights fall steeply over the first steps, and for cosine and sigmoid rise again at the end; the simple loss's is 1 everywhere.",
        "How much the squared error of the noise at step t counts in the bound (with σ² = β̃), over the median of all steps, for three schedules; in the simple loss every step counts 1.",
    )?;
    Ok(figure.status(format!("The first step's weight, over the median: {}.", firsts.join("; "))))
}

/// Where on the way, how many steps, how much noise.
pub(super) const WAY: &[Control] = &[
    Control::slider("way", "on the way, %", (0.0, 100.0), 5.0, 100.0),
    Control::slider("steps", "steps", (1.0, 60.0), 1.0, 30.0),
    Control::slider("eta", "noise η", (0.0, 1.0), 0.1, 0.0),
];

/// Small bells along two half circles.
fn moons() -> Result<GaussianMixture> {
    const EACH: usize = 10;
    let place = |at: &[usize]| {
        let angle = PI * (at[0] % EACH) as f64 / (EACH - 1) as f64;
        let own =
            if at[0] < EACH { [angle.cos(), angle.sin()] } else { [1.0 - angle.cos(), 0.5 - angle.sin()] };
        // About the origin, with a deviation of about 1.
        1.2 * (own[at[1]] - [0.5, 0.25][at[1]])
    };
    Ok(GaussianMixture::new(&[1.0; 2 * EACH], Tensor::from_fn([2 * EACH, 2], place)?, &[0.01; 2 * EACH])?)
}

/// Points on their way from noise to two moons.
pub(super) fn particles(inputs: &Inputs) -> Result<Figure> {
    const POINTS: usize = 300;
    const TRAILS: usize = 40;
    let (steps, eta) = (inputs.number("steps")? as usize, inputs.number("eta")?);
    let shown = (inputs.number("way")? / 100.0 * steps as f64).round() as usize;
    let diffusion = Diffusion::new(Schedule::cosine(240)?, Prediction::Noise);
    let net = moons()?.denoiser(&diffusion);
    let sampler = Sampler::ddim(diffusion, steps, eta)?;
    let start = Stream::new(5).normal::<f64>([POINTS, 2])?;
    let (mut places, mut t) = (vec![start.clone()], sampler.steps()[0]);
    for stage in sampler.begin_from(&net, start, None, 5)?.take(shown) {
        let stage = stage?;
        t = stage.t;
        places.push(stage.x);
    }
    let at = |x: &Tensor<f64>, n: usize| (x.as_slice()[2 * n], x.as_slice()[2 * n + 1]);
    let mut trails = Vec::new();
    for n in 0..TRAILS {
        trails.extend(places.iter().map(|x| at(x, n)));
        trails.push((f64::NAN, f64::NAN));
    }
    let now = places.last().context("there is a start")?;
    let points = (0..POINTS).map(|n| (at(now, n).0, at(now, n).1, String::new())).collect();
    let figure = Plot::new("first number", -3.5..3.5, -3.0..3.0).y_name("second number").curve("ways of 40", trails).points("300 points", points).figure(
        "Points in the plane on their way from a cloud to two half circles, with the ways that some of them took.",
        "300 points on their way from noise to two moons, led by the network that knows (the moons are twenty small bells). With η = 0 the ways are smooth, and the same beginning leads to the same end; with η = 1 they \
         tremble. With few steps they go straight ahead for too long.",
    )?;
    Ok(figure.status(format!("After {shown} of {steps} steps: t = {t} of 240.")))
}

/// The button, and the steps of DDIM.
pub(super) const TRAINED: &[Control] = &[
    Control::Button(Button {
        name: "train",
        label: "Train on this machine",
        busy: "Learning two moons, which takes some seconds …",
        stays: true,
    }),
    Control::slider("steps", "steps of DDIM", (1.0, 50.0), 1.0, 10.0),
    Control::slider("seed", "beginning", (1.0, 20.0), 1.0, 1.0),
];

static NET: Mutex<Option<Arc<DenoisingMlp>>> = Mutex::new(None);

fn points_diffusion() -> Result<Diffusion> {
    Ok(Diffusion::new(Schedule::cosine(100)?, Prediction::Velocity))
}

fn fresh() -> Result<DenoisingMlp> {
    Ok(DenoisingMlp::new(MlpShape::default(), &mut ChaCha8Rng::seed_from_u64(1))?)
}

/// The network, trained once in this process.
fn trained() -> Result<Arc<DenoisingMlp>> {
    let mut kept = NET.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(net) = &*kept {
        return Ok(net.clone());
    }
    let (net, diffusion) = (fresh()?, points_diffusion()?);
    let data = two_moons([1000, 1000], 0.05, &mut ChaCha8Rng::seed_from_u64(2))?.features.cast::<f32>();
    let middle = Tensor::from([0.5, 0.25]);
    let data = data.sub(&middle)?.scale(1.2);
    let mut adam = Averaged::new(Adam::new(3e-3), 0.995)?;
    Trainer::new(&net, &mut adam, Batches::new(2000, 200)?.shuffled())
        .epochs(150)
        .seed(1)
        .run(|numbers, mode| Ok(diffusion.loss(&net, &data.gather(0, numbers)?, None, mode)?.into()))?;
    adam.load_into(&net)?;
    Ok(kept.insert(Arc::new(net)).clone())
}

/// What a network that was trained here draws, by both samplers.
pub(super) fn trained_points(inputs: &Inputs) -> Result<Figure> {
    const POINTS: usize = 250;
    const BESIDE: f32 = 5.0;
    let pressed = inputs.pressed("train")?;
    let net = if pressed { trained()? } else { Arc::new(fresh()?) };
    let (steps, seed) = (inputs.number("steps")? as usize, inputs.number("seed")? as u64);
    let diffusion = points_diffusion()?;
    let ddpm = Sampler::ddpm(diffusion.clone(), ReverseVariance::Posterior);
    let ddim = Sampler::ddim(diffusion, steps, 0.0)?;
    let drawn = |sampler: &Sampler, right: f32| -> Result<Vec<(f64, f64, String)>> {
        let points = sampler.draw::<f32>(&*net, [POINTS, 2], None, seed)?;
        Ok(points
            .as_slice()
            .chunks(2)
            .map(|p| (f64::from(p[0] + right), f64::from(p[1]), String::new()))
            .collect())
    };
    let figure = Plot::new("first number (DDIM: 5 to the right)", -2.5..7.5, -3.0..3.0)
        .y_name("second number")
        .points("DDPM, 100 steps", drawn(&ddpm, 0.0)?)
        .points("DDIM", drawn(&ddim, BESIDE)?)
        .figure(
            "Two clouds of points side by side, two moons each after training: ancestral sampling in 100 steps, and DDIM in as many as are set.",
            "250 points drawn with a network of 24,000 numbers. Before it is trained it says 0 and leaves the noise as noise. Train it (1500 batches of 200 points), and change the steps of DDIM: ten are nearly as good as fifty.",
        )?;
    let status = if pressed {
        format!("Trained. DDPM asked the network 100 times, DDIM {steps} times.")
    } else {
        "Not trained yet: what is drawn is noise.".into()
    };
    Ok(figure.status(status))
}
