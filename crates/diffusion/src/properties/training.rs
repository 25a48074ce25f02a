//! The loss, what is predicted, and what a network is told.

use super::{PREDICTIONS, ROUNDING, normal, prediction, relative, schedule, scheduled, some_step, z};
use crate::{
    Denoiser, Diffusion, GaussianMixture, Mix, Prediction, ReverseVariance, Schedule, SquaredError,
    Weighting, time_embedding,
};
use gradus_autograd::{Mode, Op, Var, gradient_property};
use gradus_formula::{Case, Draw, Property};
use gradus_initialization::Stream;
use gradus_tensor::{Result, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let mut all = loss();
    all.extend(predictions());
    all.extend(embedding());
    all
}

/// A network that says a multiple of what it sees.
pub(super) struct Echo(pub(super) f64);

impl Denoiser<f64> for Echo {
    fn denoise(&self, x: &Var<f64>, _: &[usize], _: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<f64>> {
        x.scale(self.0)
    }
}

fn sizes(property: Property) -> Property {
    property
        .draw(Draw::size("n", 1..=5).limited(1.0..=64.0))
        .draw(Draw::size("d", 1..=6).limited(1.0..=40_000.0))
}

/// Weights of the samples from the case's seed, one of them 0.
fn weights(case: &Case<'_>, n: usize) -> Vec<f64> {
    (0..n as u64).map(|i| if i == 2 { 0.0 } else { z(case, 400 + i).powi(2) }).collect()
}

fn loss() -> Vec<Property> {
    const ID: &[&str] = &["l-simple"];
    vec![
        sizes(scheduled(
            "l-simple.definition",
            ID,
            "of a batch it is the mean of the squares of what the network missed, number by number, each sample at its own step",
        ))
        .draw(Draw::choice("prediction", PREDICTIONS))
        .draw(Draw::real("echo", -1.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (schedule, n, d) = (schedule(case)?, case.size("n"), case.size("d"));
            let (x0, noise) = (normal(case, 0, &[n, d])?, normal(case, 1, &[n, d])?);
            let t: Vec<usize> = (0..n as u64).map(|i| some_step(case, &schedule, 1, i)).collect();
            let prediction = prediction(case.choice("prediction"));
            let (diffusion, echo) = (Diffusion::new(schedule.clone(), prediction), case.real("echo"));
            let loss = diffusion.loss_at(&Echo(echo), &x0, None, (&t, &noise), &mut Mode::Eval)?.item()?;
            let mut sum = 0.0;
            for (i, (x, e)) in x0.as_slice().iter().zip(noise.as_slice()).enumerate() {
                let [signal, scale] = schedule.scales(t[i / d])?;
                let target = match prediction {
                    Prediction::Noise => *e,
                    Prediction::Data => *x,
                    Prediction::Velocity => signal * e - scale * x,
                };
                sum += (echo * (signal * x + scale * e) - target).powi(2);
            }
            Ok(relative(loss, sum / (n * d) as f64))
        }),
        sizes(Property::new("l-simple.weights", ID, "weights of the samples: w·(p − y)², each sample for itself, divided by all numbers"))
            .draw(Draw::seed("values"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (n, d) = (case.size("n"), case.size("d"));
                let (said, target) = (normal(case, 0, &[n, d])?, normal(case, 1, &[n, d])?);
                let weights = weights(case, n);
                let all = SquaredError { weights: Some(weights.clone()) }.eval([&said, &target])?.item()?;
                let mut sum = 0.0;
                for (i, weight) in weights.iter().enumerate() {
                    let alone = SquaredError::default();
                    sum += weight * alone.eval([&said.slice(0, i..i + 1)?, &target.slice(0, i..i + 1)?])?.item()?;
                }
                Ok(relative(all, sum / n as f64))
            }),
        gradient_property(
            sizes(Property::new("l-simple.gradient", ID, "the gradient in the prediction and in the target"))
                .draw(Draw::choice("weighted", &["no", "yes"]))
                .draw(Draw::seed("values")),
            |case| {
                let dims = [case.size("n"), case.size("d")];
                let weights = (case.choice("weighted") == "yes").then(|| weights(case, dims[0]));
                Ok((SquaredError { weights }, [normal(case, 0, &dims)?, normal(case, 1, &dims)?]))
            },
        ),
        Property::new("l-simple.least", ID, "no network has a smaller loss than the one that says the expectation: any share of something else makes it larger")
            .draw(Draw::choice("prediction", PREDICTIONS))
            .draw(Draw::real("echo", 0.1..=1.0))
            .draw(Draw::seed("values"))
            .costly(32)
            .holds(|case| {
                struct Mixed<'a>(&'a crate::ExactDenoiser, f64);
                impl Denoiser<f64> for Mixed<'_> {
                    fn denoise(&self, x: &Var<f64>, t: &[usize], labels: Option<&[u32]>, mode: &mut Mode<'_>) -> Result<Var<f64>> {
                        self.0.denoise(x, t, labels, mode)?.add(&x.scale(self.1)?)
                    }
                }
                let diffusion = Diffusion::new(Schedule::cosine(20)?, prediction(case.choice("prediction")));
                let data = GaussianMixture::new(&[1.0, 2.0], Tensor::from([[-1.0], [0.7]]), &[0.1, 0.3])?;
                let x0: Tensor<f64> = data.sample(3000, &mut rng(case.seed("values")))?;
                let exact = data.denoiser(&diffusion);
                let loss = |echo: f64| -> Result<f64> {
                    let mut rng = rng(case.seed("values") ^ 1);
                    diffusion.loss(&Mixed(&exact, echo), &x0, None, &mut Mode::Train(&mut rng))?.item()
                };
                let echo = case.real("echo");
                // The same draws on both sides: the difference is echo²·E[xₜ²], and chance is small beside it.
                Ok(loss(0.0)? < loss(echo)? && loss(0.0)? < loss(-echo)?)
            }),
        Property::new("l-simple.draws", ID, "training draws steps from 1 to T alike, and other noise for every batch; judging has its steps spread evenly, and the same noise")
            .draw(Draw::size("steps", 1..=8).limited(1.0..=50.0))
            .draw(Draw::seed("values"))
            .costly(8)
            .holds(|case| {
                /// Writes down the steps that it is asked at.
                #[derive(Default)]
                struct Scribe(std::sync::Mutex<Vec<usize>>);
                impl Denoiser<f64> for Scribe {
                    fn denoise(&self, x: &Var<f64>, t: &[usize], _: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<f64>> {
                        self.0.lock().map(|mut all| all.extend(t)).unwrap_or(());
                        x.scale(0.0)
                    }
                }
                let steps = case.size("steps");
                let diffusion = Diffusion::new(Schedule::given(&vec![0.2; steps])?, Prediction::Noise);
                let x0 = Tensor::zeros([400 * steps, 1])?;
                let (scribe, mut rng) = (Scribe::default(), rng(case.seed("values")));
                let trained = diffusion.loss(&scribe, &x0, None, &mut Mode::Train(&mut rng))?.item()?;
                let again = diffusion.loss(&scribe, &x0, None, &mut Mode::Train(&mut rng))?.item()?;
                let all = scribe.0.lock().map(|all| all.clone()).unwrap_or_default();
                let counts: Vec<usize> = (0..=steps + 1).map(|t| all.iter().filter(|&&s| s == t).count()).collect();
                // 800 expected at each, with a deviation of at most 28.
                let alike = counts[1..=steps].iter().all(|&count| (632..=968).contains(&count));
                let judged = Scribe::default();
                let first = diffusion.loss(&judged, &x0, None, &mut Mode::Eval)?.item()?;
                let second = diffusion.loss(&judged, &x0, None, &mut Mode::Eval)?.item()?;
                let all = judged.0.lock().map(|all| all.clone()).unwrap_or_default();
                let even = (1..=steps).all(|t| all.iter().filter(|&&s| s == t).count() == 800);
                Ok(alike && counts[0] + counts[steps + 1] == 0 && trained != again && first == second && even)
            }),
        scheduled(
            "l-simple.bound",
            &["l-simple", "vlb-weight", "vlb"],
            "with the bound's weights the mean of the loss over all steps is what the network adds to the bound",
        )
        .draw(Draw::choice("prediction", PREDICTIONS))
        .within("rounding", 1e-8)
        .check(|case| {
            let (schedule, variance) = (schedule(case)?, ReverseVariance::Posterior);
            let predicts = prediction(case.choice("prediction"));
            let diffusion = Diffusion::new(schedule.clone(), predicts).weighting(Weighting::Bound(variance));
            let x0 = normal(case, 0, &[1, 3])?;
            let (mut mean, mut bound) = (0.0, 0.0);
            for t in 1..=schedule.steps() {
                let noise = Stream::new(case.seed("values")).substream(100 + t as u64).normal::<f64>([1, 3])?;
                let loss = diffusion.loss_at(&Echo(0.4), &x0, None, (&[t], &noise), &mut Mode::Eval)?;
                mean += loss.item()? / schedule.steps() as f64;
                let xt = schedule.diffuse(&x0, &[t], &noise)?;
                let data = predicts.convert(Prediction::Data, &schedule, (&xt, &[t]), &xt.scale(0.4))?;
                let (back, missed) = (schedule.reverse(t, variance)?, data.sub(&x0)?);
                bound += back.data.powi(2) * missed.mul(&missed)?.mean()? / (2.0 * back.variance);
            }
            Ok((mean / bound - 1.0).abs())
        }),
        scheduled("l-simple.min-snr", ID, "with min(SNR, γ)/SNR each step's weight, in the noise, is 1 while there is much noise, and γ/SNR beyond; in whatever is predicted")
            .draw(Draw::choice("prediction", PREDICTIONS))
            .draw(Draw::real("gamma", 0.1..=20.0))
            .within("rounding", 1e-9)
            .check(|case| {
                let (schedule, gamma) = (schedule(case)?, case.real("gamma"));
                let predicts = prediction(case.choice("prediction"));
                let t = some_step(case, &schedule, 1, 0);
                let diffusion = Diffusion::new(schedule.clone(), predicts).weighting(Weighting::MinSnr(gamma));
                let snr = schedule.alpha_bar(t)? / schedule.scales(t)?[1].powi(2);
                let [_, in_noise] = predicts.weights(Prediction::Noise, &schedule, t)?;
                let expected = if snr <= gamma { 1.0 } else { gamma / snr };
                Ok((diffusion.weight(t)? / in_noise.powi(2) / expected - 1.0).abs())
            }),
    ]
}

fn predictions() -> Vec<Property> {
    const ID: &[&str] = &["v-prediction"];
    vec![
        scheduled("v-prediction.round-trip", ID, "from any prediction to any other and back: what was said is said again")
            .draw(Draw::choice("from", PREDICTIONS))
            .draw(Draw::choice("to", PREDICTIONS))
            .within("rounding, as conditioned", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let (from, to) = (prediction(case.choice("from")), prediction(case.choice("to")));
                let t = some_step(case, &schedule, 1, 0);
                let (x, said) = (normal(case, 0, &[1, 4])?, normal(case, 1, &[1, 4])?);
                let there = from.convert(to, &schedule, (&x, &[t]), &said)?;
                let back = to.convert(from, &schedule, (&x, &[t]), &there)?;
                // A division by √ᾱ or √(1 − ᾱ) multiplies the rounding.
                let [signal, noise] = schedule.scales(t)?;
                Ok(back.max_difference(&said)? * signal * noise)
            }),
        scheduled("v-prediction.truth", ID, "of the true xₜ the three true predictions give each other: x₀, ε and v from any of them")
            .draw(Draw::choice("from", PREDICTIONS))
            .draw(Draw::choice("to", PREDICTIONS))
            .within("rounding, as conditioned", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let ([signal, noise], x0, e) = (schedule.scales(t)?, z(case, 0), z(case, 1));
                let xt = signal * x0 + noise * e;
                let truth = |name| match prediction(name) {
                    Prediction::Noise => e,
                    Prediction::Data => x0,
                    Prediction::Velocity => signal * e - noise * x0,
                };
                let (from, to) = (case.choice("from"), case.choice("to"));
                let [a, b] = prediction(from).weights(prediction(to), &schedule, t)?;
                let [c, d] = prediction(to).target(&schedule, t)?;
                let target = (c * x0 + d * e - truth(to)).abs();
                Ok(((a * xt + b * truth(from) - truth(to)).abs() * signal * noise).max(target))
            }),
        scheduled("v-prediction.rotation", ID, "xₜ and v are x₀ and ε turned in their plane: the squares have the same sum, and v is how xₜ changes with the angle")
            .within("rounding", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let ([signal, noise], x0, e) = (schedule.scales(t)?, z(case, 0), z(case, 1));
                let [c, d] = Prediction::Velocity.target(&schedule, t)?;
                let (xt, v) = (signal * x0 + noise * e, c * x0 + d * e);
                let angle = noise.atan2(signal);
                let at = |angle: f64| angle.cos() * x0 + angle.sin() * e;
                let h = 1e-4;
                let slope = (at(angle - 2.0 * h) - 8.0 * at(angle - h) + 8.0 * at(angle + h) - at(angle + 2.0 * h)) / (12.0 * h);
                Ok(relative(xt.powi(2) + v.powi(2), x0.powi(2) + e.powi(2)).max((slope - v).abs()))
            }),
        scheduled("v-prediction.gentle", ID, "an error in the velocity is no larger in the data and in the noise, at any step; one in the noise is multiplied by √(1 − ᾱ)/√ᾱ in the data")
            .within("rounding", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let of = |from: Prediction, to| from.weights(to, &schedule, t).map(|weights| weights[1].abs());
                let most = of(Prediction::Velocity, Prediction::Data)?.max(of(Prediction::Velocity, Prediction::Noise)?);
                let [signal, noise] = schedule.scales(t)?;
                let grows = of(Prediction::Noise, Prediction::Data)? * signal / noise;
                Ok((most - 1.0).max((grows - 1.0).abs()))
            }),
        gradient_property(
            sizes(Property::new("v-prediction.gradient", ID, "the gradient of a mixture of two tensors, sample by sample"))
                .draw(Draw::seed("values")),
            |case| {
                let dims = [case.size("n"), case.size("d")];
                let weights: Vec<[f64; 2]> = (0..dims[0] as u64).map(|i| [z(case, 600 + i), z(case, 700 + i)]).collect();
                Ok((Mix::new(weights), [normal(case, 0, &dims)?, normal(case, 1, &dims)?]))
            },
        ),
        sizes(Property::new("v-prediction.adjoint", ID, "a mixture is linear, and its gradient the adjoint: ⟨mix(x, y), d⟩ = ⟨(x, y), back(d)⟩"))
            .draw(Draw::seed("values"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let dims = [case.size("n"), case.size("d")];
                let weights: Vec<[f64; 2]> = (0..dims[0] as u64).map(|i| [z(case, 600 + i), z(case, 700 + i)]).collect();
                let (x, y, d) = (normal(case, 0, &dims)?, normal(case, 1, &dims)?, normal(case, 2, &dims)?);
                let mix = Mix::new(weights);
                let [dx, dy] = mix.vjp([&x, &y], &(), &d, [true; 2])?;
                let product = |a: &Tensor<f64>, b: &Tensor<f64>| a.mul(b).map(|p| p.sum());
                let (Some(dx), Some(dy)) = (dx, dy) else { return Ok(f64::NAN) };
                let (there, back) = (product(&mix.eval([&x, &y])?, &d)?, product(&x, &dx)? + product(&y, &dy)?);
                Ok(relative(there, back) / (dims[0] * dims[1]) as f64)
            }),
        Property::new("v-prediction.blocks", ID, "samples that end within a block of numbers, or reach over several, are mixed as numbers one by one")
            .draw(Draw::size("n", 1..=4).limited(1.0..=64.0))
            .draw(Draw::integer("d", 10_000..=40_000).limited(1.0..=1e6))
            .draw(Draw::seed("values"))
            .within("rounding", ROUNDING)
            .costly(16)
            .check(|case| {
                let dims = [case.size("n"), case.size("d")];
                let weights: Vec<[f64; 2]> = (0..dims[0] as u64).map(|i| [z(case, 1 << 50 | i), z(case, 1 << 51 | i)]).collect();
                let (x, y) = (normal(case, 0, &dims)?, normal(case, 1, &dims)?);
                let mixed = Mix::new(weights.clone()).eval([&x, &y])?;
                let pairs = x.as_slice().iter().zip(y.as_slice()).zip(mixed.as_slice()).enumerate();
                Ok(pairs.map(|(i, ((x, y), m))| {
                    let [a, b] = weights[i / dims[1]];
                    (a * x + b * y - m).abs()
                }).fold(0.0, f64::max))
            }),
    ]
}

fn embedding() -> Vec<Property> {
    const ID: &[&str] = &["time-embedding"];
    let steps = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::integer("t", 0..=1000).limited(0.0..=10_000.0))
            .draw(Draw::integer("gap", 1..=1000).limited(1.0..=10_000.0))
            .draw(Draw::size("half", 1..=64).limited(1.0..=512.0))
    };
    vec![
        steps(
            "time-embedding.definition",
            "number i is sin(ωᵢt), number d/2 + i is cos(ωᵢt), ωᵢ = 10000^(−i/(d/2))",
        )
        .within("rounding of the angle", 1e-10)
        .check(|case| {
            let (t, half) = (case.size("t"), case.size("half"));
            let e = time_embedding::<f64>(&[t], 2 * half)?;
            let mut off = 0.0f64;
            for i in 0..half {
                let angle = t as f64 / 10_000f64.powf(i as f64 / half as f64);
                off = off
                    .max((e.get([0, i])? - angle.sin()).abs())
                    .max((e.get([0, half + i])? - angle.cos()).abs());
            }
            Ok(off)
        }),
        steps(
            "time-embedding.distance",
            "the product of two embeddings depends on how far the steps are apart, not on where they are",
        )
        .within("rounding of the angles, a number", 1e-10)
        .check(|case| {
            let (t, gap, half) = (case.size("t"), case.size("gap"), case.size("half"));
            let e = time_embedding::<f64>(&[0, gap, t, t + gap], 2 * half)?;
            let product = |a, b| e.select(0, a)?.dot(&e.select(0, b)?);
            Ok((product(0, 1)? - product(2, 3)?).abs() / half as f64)
        }),
        steps(
            "time-embedding.apart",
            "two steps have two embeddings, neighbours too; every one has the length √(d/2)",
        )
        .holds(|case| {
            let (t, gap, half) = (case.size("t"), case.size("gap"), case.size("half"));
            let e = time_embedding::<f64>(&[t, t + gap], 2 * half)?;
            let (a, b) = (e.select(0, 0)?, e.select(0, 1)?);
            let length = (a.dot(&a)? - half as f64).abs() < 1e-10 * half as f64;
            // The fastest wave alone tells neighbours by 2·sin ½, and no whole number is a multiple of 2π.
            Ok(length && a.max_difference(&b)? > 1e-6)
        }),
    ]
}
