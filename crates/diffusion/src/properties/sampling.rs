//! Drawing.

use super::training::Echo;
use super::{PREDICTIONS, ROUNDING, SIX, normal, prediction, relative, schedule, scheduled, some_step, z};
use crate::{
    Bridge, Denoiser, Diffusion, ExactDenoiser, GaussianMixture, Prediction, ReverseVariance, Sampler,
    Schedule, frechet_distance, mean_by_noise,
};
use gradus_autograd::{Mode, Var};
use gradus_formula::{Case, Draw, Property};
use gradus_initialization::Stream;
use gradus_tensor::{Result, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = ancestral();
    all.extend(implicit());
    all.extend(guidance());
    all.extend(frechet());
    all
}

/// Mean and variance through a sampler's plan, where x̂₀ is what the exact network says of Gaussian data: a line at every step.
fn propagated(sampler: &Sampler, schedule: &Schedule, [mean, variance]: [f64; 2]) -> Result<[f64; 2]> {
    let mut state = [0.0, 1.0];
    for (t, _, Bridge { data, state: keep, variance: noise }) in sampler.plan()? {
        let at = schedule.between(0, t)?;
        let [centre, spread] = at.carry([mean, variance]);
        let slope = at.scale * variance / spread;
        let (slope, offset) = (data * slope + keep, data * (mean - slope * centre));
        state = [slope * state[0] + offset, slope.powi(2) * state[1] + noise];
    }
    Ok(state)
}

fn one(mean: f64, variance: f64) -> Result<GaussianMixture> {
    GaussianMixture::new(&[1.0], Tensor::from([[mean]]), &[variance])
}

fn ancestral() -> Vec<Property> {
    const ID: &[&str] = &["ddpm-sampler"];
    vec![
        scheduled("ddpm-sampler.formula", ID, "a step is (xₜ − βₜ/√(1 − ᾱₜ)·ε)/√αₜ + σₜ·z, and the last draws nothing; the z are the seed's")
            .draw(Draw::choice("variance", &["posterior", "step"]))
            .draw(Draw::real("echo", -0.5..=0.5))
            .within("rounding, as conditioned", 1e-9)
            .check(|case| {
                let whole = schedule(case)?;
                // Few steps, none of which takes nearly all: else a network that knows nothing is multiplied beyond all bounds.
                let betas: Vec<f64> = whole.betas().iter().take(8).map(|b| b.min(0.5)).collect();
                let schedule = Schedule::given(&betas)?;
                let choice = if case.choice("variance") == "step" { ReverseVariance::Step } else { ReverseVariance::Posterior };
                let sampler = Sampler::ddpm(Diffusion::new(schedule.clone(), Prediction::Noise), choice);
                let (echo, seed, steps) = (case.real("echo"), case.seed("values"), betas.len());
                let noise = |t: usize| Stream::new(seed).substream(t as u64).normal_at::<f64>(0);
                let mut x = noise(steps);
                let mut off = 0.0f64;
                for (stage, t) in sampler.begin::<f64, _>(&Echo(echo), [1, 1], None, seed)?.zip((1..=steps).rev()) {
                    let stage = stage?;
                    let deviation = if t == 1 { 0.0 } else { schedule.reverse(t, choice)?.variance.sqrt() };
                    let mean = mean_by_noise(x, echo * x, schedule.beta(t)?, schedule.log_alpha_bar(t)?);
                    x = mean + deviation * noise(t - 1);
                    off = off.max(relative(stage.x.item()?, x));
                    off = if stage.t == t - 1 { off } else { f64::INFINITY };
                }
                Ok(off)
            }),
        scheduled("ddpm-sampler.normal", ID, "standard normal data, σ² = β: every step keeps mean 0 and variance 1, nothing drawn, but the last, which leaves its noise out")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Noise);
                let sampler = Sampler::ddpm(diffusion, ReverseVariance::Step);
                let [mean, variance] = propagated(&sampler, &schedule, [0.0, 1.0])?;
                Ok(mean.abs().max((variance - schedule.alpha(1)?).abs()))
            }),
        scheduled("ddpm-sampler.point", ID, "data that is one point, σ² = β̃: every drawing ends in that point, to rounding")
            .draw(Draw::choice("prediction", PREDICTIONS))
            .within("rounding, as conditioned", 1e-7)
            .costly(4)
            .check(|case| {
                let (schedule, x0) = (schedule(case)?, z(case, 0));
                let diffusion = Diffusion::new(schedule.clone(), prediction(case.choice("prediction")));
                let net = one(x0, 0.0)?.denoiser(&diffusion);
                let sampler = Sampler::ddpm(diffusion, ReverseVariance::Posterior);
                let drawn: Tensor<f64> = sampler.draw(&net, [4, 1], None, case.seed("values"))?;
                Ok(drawn.max_difference(&Tensor::full([4, 1], x0)?)? / (1.0 + x0.abs()))
            }),
        Property::new("ddpm-sampler.moments", ID, "driven by the network that knows, it gives mean and variance that follow from its steps, and they come to the data's with many steps")
            .draw(Draw::real("mean", -2.0..=2.0))
            .draw(Draw::log("variance", 0.05..=2.0))
            .draw(Draw::choice("variance of the steps", &["posterior", "step"]))
            .draw(Draw::seed("values"))
            .within("six deviations", SIX)
            .costly(64)
            .check(|case| {
                const N: usize = 1500;
                let (mean, variance) = (case.real("mean"), case.real("variance"));
                let choice = if case.choice("variance of the steps") == "step" { ReverseVariance::Step } else { ReverseVariance::Posterior };
                let schedule = Schedule::linear(60, 1e-3, 0.25)?;
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Noise);
                let (net, sampler) = (one(mean, variance)?.denoiser(&diffusion), Sampler::ddpm(diffusion, choice));
                let expected = propagated(&sampler, &schedule, [mean, variance])?;
                let drawn: Tensor<f64> = sampler.draw(&net, [N, 1], None, case.seed("values"))?;
                let (own, spread) = (drawn.mean()?, drawn.variance_axis(0, 1)?.item()?);
                let count = N as f64;
                let first = (own - expected[0]).abs() / (expected[1] / count).sqrt();
                let second = (spread / expected[1] - 1.0).abs() / (2.0 / count).sqrt();
                let near = (expected[0] - mean).abs() < 0.05 && (expected[1] / variance - 1.0).abs() < 0.25;
                Ok(if near { first.max(second) } else { f64::INFINITY })
            }),
        scheduled("ddpm-sampler.alone", ID, "a larger batch begins with the same samples, to the bit: what is drawn follows from seed, step and place")
            .draw(Draw::size("n", 1..=4))
            .costly(4)
            .holds(|case| {
                let (schedule, n) = (schedule(case)?, case.size("n"));
                let diffusion = Diffusion::new(schedule, Prediction::Velocity);
                let net = one(0.5, 0.3)?.denoiser(&diffusion);
                let sampler = Sampler::ddpm(diffusion, ReverseVariance::Posterior);
                let few: Tensor<f64> = sampler.draw(&net, [n, 1], None, case.seed("values"))?;
                let many: Tensor<f64> = sampler.draw(&net, [n + 3, 1], None, case.seed("values"))?;
                let others: Tensor<f64> = sampler.draw(&net, [n, 1], None, case.seed("values") ^ 1)?;
                Ok(many.slice(0, 0..n)?.same_bits(&few) && !others.same_bits(&few))
            }),
        scheduled("ddpm-sampler.clip", ID, "where x̂₀ is kept within bounds, so is what comes out; and the noise that is kept is that of the clipped x̂₀")
            .draw(Draw::real("bound", 0.1..=2.0))
            .draw(Draw::real("eta", 0.0..=1.0))
            .within("rounding, as conditioned", 1e-8)
            .check(|case| {
                let whole = schedule(case)?;
                let betas: Vec<f64> = whole.betas().iter().map(|b| b.min(0.9)).collect();
                let (schedule, bound) = (Schedule::given(&betas)?, case.real("bound"));
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Noise);
                let sampler = Sampler::ddim(diffusion, betas.len(), case.real("eta"))?.clip(-bound, bound)?;
                let seed = case.seed("values");
                let mut x = Stream::new(seed).substream(betas.len() as u64).normal_at::<f64>(0);
                let mut off = 0.0f64;
                for (stage, (t, s, _)) in sampler.begin::<f64, _>(&Echo(0.3), [1, 1], None, seed)?.zip(sampler.plan()?) {
                    let stage = stage?;
                    let ([signal, noise], [signal_s, noise_s]) = (schedule.scales(t)?, schedule.scales(s)?);
                    let data = ((1.0 - 0.3 * noise) / signal * x).clamp(-bound, bound);
                    let said = (x - signal * data) / noise;
                    let sigma = case.real("eta") * schedule.jump(s, t, 1.0)?.variance.sqrt();
                    let drawn = Stream::new(seed).substream(s as u64).normal_at::<f64>(0);
                    x = signal_s * data + (noise_s.powi(2) - sigma.powi(2)).max(0.0).sqrt() * said + sigma * drawn;
                    off = off.max(relative(stage.data.item()?, data)).max(relative(stage.x.item()?, x) * noise);
                }
                Ok(if x.abs() <= bound * (1.0 + 1e-12) { off } else { f64::INFINITY })
            }),
        Property::new("ddpm-sampler.refused", ID, "steps that do not fall, none, too many, an η outside of 0 to 1, bounds the wrong way round: refused")
            .holds(|_| {
                let diffusion = || Diffusion::new(Schedule::ho2020(), Prediction::Noise);
                let through = |steps: &[usize], eta: f64| Sampler::through(diffusion(), steps.to_vec(), eta).is_err();
                Ok(through(&[5, 5], 0.0)
                    && through(&[3, 4], 0.0)
                    && through(&[1001], 0.0)
                    && through(&[3, 0], 0.0)
                    && through(&[], 0.0)
                    && through(&[5], 1.5)
                    && through(&[5], f64::NAN)
                    && !through(&[1000, 1], 1.0)
                    && Sampler::ddim(diffusion(), 0, 0.0).is_err()
                    && Sampler::ddim(diffusion(), 10, 0.0)?.clip(1.0, -1.0).is_err()
                    && Sampler::ddim(diffusion(), 10, 0.0)?.guidance(f64::INFINITY).is_err())
            }),
    ]
}

fn implicit() -> Vec<Property> {
    const ID: &[&str] = &["ddim-sampler"];
    vec![
        scheduled(
            "ddim-sampler.marginal",
            ID,
            "whatever η is and whichever steps are left out: from q(xₜ | x₀) a step leads to q(xₛ | x₀)",
        )
        .draw(Draw::real("eta", 0.0..=1.0))
        .within("rounding", 1e-11)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let s = some_step(case, &schedule, 0, 1) % t;
            let jump = schedule.jump(s, t, case.real("eta"))?;
            let (here, there) = (schedule.between(0, t)?, schedule.between(0, s)?);
            let scale = jump.data + jump.state * here.scale;
            let variance = jump.state.powi(2) * here.variance + jump.variance;
            Ok((scale - there.scale).abs().max((variance - there.variance).abs()))
        }),
        scheduled("ddim-sampler.ancestral", &["ddim-sampler", "ddpm-sampler"], "with η = 1 and no step left out it is ancestral sampling with β̃, to the bit")
            .costly(4)
            .holds(|case| {
                let schedule = schedule(case)?;
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Data);
                let net = one(0.5, 0.3)?.denoiser(&diffusion);
                let implicit = Sampler::ddim(diffusion.clone(), schedule.steps(), 1.0)?;
                let ancestral = Sampler::ddpm(diffusion, ReverseVariance::Posterior);
                let seed = case.seed("values");
                let draw = |sampler: &Sampler| sampler.draw::<f64>(&net, [3, 1], None, seed);
                Ok(draw(&implicit)?.same_bits(&draw(&ancestral)?))
            }),
        scheduled("ddim-sampler.direction", ID, "with η = 0 the step goes along the line from x̂₀ through xₜ, in the plane of data and noise: x̂₀ and ε stay, √ᾱ and √(1 − ᾱ) change")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let s = some_step(case, &schedule, 0, 1) % t;
                let (x0, e) = (z(case, 0), z(case, 1));
                let ([signal, noise], [signal_s, noise_s]) = (schedule.scales(t)?, schedule.scales(s)?);
                let jump = schedule.jump(s, t, 0.0)?;
                let there = jump.mean(x0, signal * x0 + noise * e);
                Ok(if jump.variance == 0.0 { (there - (signal_s * x0 + noise_s * e)).abs() } else { f64::INFINITY })
            }),
        scheduled("ddim-sampler.steps", ID, "for one point any number of steps ends there: two stops or all of them, the same from the same beginning")
            .draw(Draw::real("eta", 0.0..=1.0))
            .within("rounding, as conditioned", 1e-7)
            .costly(4)
            .check(|case| {
                let (schedule, x0) = (schedule(case)?, z(case, 0));
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Velocity);
                let net = one(x0, 0.0)?.denoiser(&diffusion);
                let count = some_step(case, &schedule, 1, 5);
                let sampler = Sampler::ddim(diffusion, count, case.real("eta"))?;
                let way = sampler.begin::<f64, _>(&net, [2, 1], None, case.seed("values"))?;
                let length = way.len();
                let stages = way.collect::<Result<Vec<_>>>()?;
                let Some(last) = stages.last() else { return Ok(f64::NAN) };
                let fine = length == count && stages.len() == count && last.t == 0;
                let off = last.x.max_difference(&Tensor::full([2, 1], x0)?)? / (1.0 + x0.abs());
                Ok(if fine { off } else { f64::INFINITY })
            }),
        Property::new("ddim-sampler.converges", ID, "with η = 0 and the network that knows, twice the steps have half the error in the variance, and the data's is the limit")
            .draw(Draw::real("mean", -1.0..=1.0))
            .draw(Draw::log("variance", 0.1..=0.8))
            .within("a half, and what higher orders add", 0.65)
            .check(|case| {
                let data = [case.real("mean"), case.real("variance")];
                let schedule = Schedule::linear(2000, 1e-5, 0.012)?;
                let error = |steps: usize| -> Result<f64> {
                    let diffusion = Diffusion::new(schedule.clone(), Prediction::Noise);
                    let [_, variance] = propagated(&Sampler::ddim(diffusion, steps, 0.0)?, &schedule, data)?;
                    Ok((variance - data[1]).abs())
                };
                let (few, many) = (error(100)?, error(200)?);
                Ok(if many < 0.1 * data[1] { many / few } else { f64::INFINITY })
            }),
        scheduled("ddim-sampler.begun", ID, "begun at numbers of one's own it goes on from them: the end of the first half of a way is where the second half begins")
            .within("rounding", ROUNDING)
            .costly(4)
            .check(|case| {
                let schedule = schedule(case)?;
                if schedule.steps() < 2 {
                    return Ok(0.0);
                }
                let diffusion = Diffusion::new(schedule.clone(), Prediction::Data);
                let net = one(0.4, 0.5)?.denoiser(&diffusion);
                let seed = case.seed("values");
                let whole = Sampler::ddim(diffusion.clone(), schedule.steps(), 0.0)?;
                let cut = 1 + some_step(case, &schedule, 1, 7) % (schedule.steps() - 1);
                let stages = whole.begin::<f64, _>(&net, [2, 1], None, seed)?.collect::<Result<Vec<_>>>()?;
                let rest = Sampler::through(diffusion, whole.steps()[cut..].to_vec(), 0.0)?;
                let mut on = rest.begin_from(&net, stages[cut - 1].x.clone(), None, seed)?;
                let mut end = None;
                for stage in on.by_ref() {
                    end = Some(stage?.x);
                }
                let (Some(end), Some(last)) = (end, stages.last()) else { return Ok(f64::NAN) };
                Ok(end.max_difference(&last.x)?)
            }),
    ]
}

/// Two classes on the line, and a network that knows them.
fn classes(diffusion: &Diffusion) -> Result<ExactDenoiser> {
    ExactDenoiser::of_classes(diffusion, &[one(-1.5, 0.2)?, one(1.0, 0.5)?])
}

fn guidance() -> Vec<Property> {
    const ID: &[&str] = &["classifier-free-guidance"];
    let guided = |id, statement| {
        scheduled(id, ID, statement)
            .draw(Draw::real("w", -1.0..=4.0))
            .draw(Draw::choice("prediction", PREDICTIONS))
            .draw(Draw::choice("class", &["0", "1", "none"]))
            .costly(4)
    };
    let label = |case: &Case<'_>| match case.choice("class") {
        "0" => 0,
        "1" => 1,
        _ => 2,
    };
    // One step from T to 0: what comes out is x̂₀.
    let believed = |case: &Case<'_>, schedule: &Schedule, w: f64, label: Option<u32>| -> Result<f64> {
        let diffusion = Diffusion::new(schedule.clone(), prediction(case.choice("prediction")));
        let sampler = Sampler::ddim(diffusion.clone(), 1, 0.0)?.guidance(w)?;
        let labels = label.map(|label| vec![label]);
        sampler.draw::<f64>(&classes(&diffusion)?, [1, 1], labels.as_deref(), case.seed("values"))?.item()
    };
    let gentle = |case: &mut Case<'_>| -> Result<Schedule> {
        let betas: Vec<f64> = schedule(case)?.betas().iter().take(6).map(|b| b.min(0.5)).collect();
        Schedule::given(&betas)
    };
    vec![
        guided("classifier-free-guidance.line", "what is believed lies on the line through what is believed without the class (w = 0) and with it (w = 1)")
            .within("rounding", 1e-9)
            .check(move |case| {
                let (schedule, w) = (gentle(case)?, case.real("w"));
                let of = |w| believed(case, &schedule, w, Some(label(case)));
                let (none, learned, asked) = (of(0.0)?, of(1.0)?, of(w)?);
                Ok(relative(asked, none + w * (learned - none)))
            }),
        guided("classifier-free-guidance.none", "with w = 0 the class does not matter, nor does w where no class is named")
            .within("rounding", 1e-10)
            .check(move |case| {
                let (schedule, w) = (gentle(case)?, case.real("w"));
                let nobody = believed(case, &schedule, 1.0, None)?;
                let off = relative(believed(case, &schedule, 0.0, Some(label(case)))?, nobody);
                Ok(off.max(relative(believed(case, &schedule, w, Some(2))?, nobody)).max(relative(believed(case, &schedule, w, None)?, nobody)))
            }),
        guided("classifier-free-guidance.learned", "with w = 1 it is what the network says of the class: the exact E[x₀ | xₜ] of that class alone")
            .within("rounding, as conditioned", 1e-8)
            .check(move |case| {
                let schedule = gentle(case)?;
                let parts = [one(-1.5, 0.2)?, one(1.0, 0.5)?];
                let Some(part) = parts.get(label(case) as usize) else { return Ok(0.0) };
                let start = Stream::new(case.seed("values")).substream(schedule.steps() as u64).normal::<f64>([1, 1])?;
                let exact = part.data(&schedule, &start, &[schedule.steps()])?.item()?;
                Ok(relative(believed(case, &schedule, 1.0, Some(label(case)))?, exact))
            }),
        Property::new("classifier-free-guidance.typical", ID, "the more of it, the further the drawings of a class are from the other class, and the less they differ")
            .draw(Draw::real("w", 1.5..=4.0))
            .draw(Draw::seed("values"))
            .costly(64)
            .holds(|case| {
                let diffusion = Diffusion::new(Schedule::cosine(60)?, Prediction::Velocity);
                // Two classes that overlap: the more to the right, the surer it is the second.
                let net = ExactDenoiser::of_classes(&diffusion, &[one(-0.5, 1.0)?, one(0.5, 1.0)?])?;
                let labels = vec![1; 400];
                let of = |w: f64| -> Result<f64> {
                    let sampler = Sampler::ddim(diffusion.clone(), 30, 0.0)?.guidance(w)?;
                    sampler.draw::<f64>(&net, [400, 1], Some(&labels), case.seed("values"))?.mean()
                };
                Ok(of(case.real("w"))? > of(1.0)? + 0.1)
            }),
        Property::new("classifier-free-guidance.kept-back", ID, "in training a class is kept back as often as is wished for, and never changed into another")
            .draw(Draw::real("share", 0.0..=1.0))
            .draw(Draw::seed("values"))
            .within("six deviations", SIX)
            .costly(4)
            .check(|case| {
                /// Writes down the labels that it is asked with.
                #[derive(Default)]
                struct Scribe(std::sync::Mutex<Vec<u32>>);
                impl Denoiser<f64> for Scribe {
                    fn denoise(&self, x: &Var<f64>, _: &[usize], labels: Option<&[u32]>, _: &mut Mode<'_>) -> Result<Var<f64>> {
                        self.0.lock().map(|mut all| all.extend(labels.unwrap_or_default())).unwrap_or(());
                        x.scale(0.0)
                    }
                    fn classes(&self) -> u32 {
                        3
                    }
                }
                const N: usize = 900;
                let share = case.real("share");
                let diffusion = Diffusion { unlabelled: share, ..Diffusion::new(Schedule::cosine(9)?, Prediction::Noise) };
                let labels: Vec<u32> = (0..N as u32).map(|i| i % 3).collect();
                let (scribe, mut rng) = (Scribe::default(), gradus_tensor::rng(case.seed("values")));
                diffusion.loss(&scribe, &Tensor::zeros([N, 1])?, Some(&labels), &mut Mode::Train(&mut rng))?;
                let asked = scribe.0.lock().map(|all| all.clone()).unwrap_or_default();
                let true_or_none = asked.iter().zip(&labels).all(|(&asked, &label)| asked == label || asked == 3);
                let none = asked.iter().filter(|&&label| label == 3).count() as f64;
                let deviation = (N as f64 * share * (1.0 - share)).sqrt().max(1.0);
                Ok(if true_or_none && asked.len() == N { (none - N as f64 * share).abs() / deviation } else { f64::INFINITY })
            }),
    ]
}

fn frechet() -> Vec<Property> {
    const ID: &[&str] = &["frechet-distance"];
    let sets = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::size("n", 2..=8).limited(2.0..=200.0))
            .draw(Draw::size("m", 2..=8).limited(2.0..=200.0))
            .draw(Draw::size("d", 1..=4).limited(1.0..=32.0))
            .draw(Draw::seed("values"))
    };
    let pair = |case: &Case<'_>| -> Result<[Tensor<f64>; 2]> {
        let d = case.size("d");
        Ok([normal(case, 0, &[case.size("n"), d])?, normal(case, 1, &[case.size("m"), d])?.scale(1.5)])
    };
    vec![
        sets("frechet-distance.zero", "a set is at the distance 0 from itself, in any order; others are at least at 0, both ways alike")
            .within("rounding", 1e-9)
            .check(move |case| {
                let [x, y] = pair(case)?;
                let order: Vec<u32> = (0..x.dims()[0] as u32).rev().collect();
                let own = frechet_distance(&x, &x.gather(0, &order)?)?.abs();
                let (there, back) = (frechet_distance(&x, &y)?, frechet_distance(&y, &x)?);
                Ok(own.max(relative(there, back)).max(-there))
            }),
        sets("frechet-distance.moved", "a set moved by a vector is at the square of its length; both moved and turned alike stay where they are")
            .within("rounding", 1e-8)
            .check(move |case| {
                let [x, y] = pair(case)?;
                let d = case.size("d");
                let way = normal(case, 2, &[d])?;
                let alone = relative(frechet_distance(&x, &x.add(&way)?)?, way.dot(&way)?);
                let (turn, _) = normal(case, 3, &[d, d])?.qr()?;
                let moved = |x: &Tensor<f64>| x.matmul(&turn)?.add(&way);
                let together = relative(frechet_distance(&moved(&x)?, &moved(&y)?)?, frechet_distance(&x, &y)?);
                Ok(alone.max(together))
            }),
        sets("frechet-distance.line", "on a line it is the square of the means' difference and that of the deviations'")
            .within("rounding", 1e-9)
            .check(move |case| {
                let [x, y] = pair(case)?;
                let (x, y) = (x.slice(1, 0..1)?, y.slice(1, 0..1)?);
                let of = |x: &Tensor<f64>| -> Result<[f64; 2]> { Ok([x.mean()?, x.variance_axis(0, 1)?.item()?.sqrt()]) };
                let ([m1, s1], [m2, s2]) = (of(&x)?, of(&y)?);
                Ok(relative(frechet_distance(&x, &y)?, (m1 - m2).powi(2) + (s1 - s2).powi(2)))
            }),
        sets("frechet-distance.scaled", "a set stretched by a about its mean is at (1 − a)² times its variance; covariances that are singular are no trouble")
            .draw(Draw::real("a", 0.0..=3.0))
            .within("rounding", 1e-8)
            .check(move |case| {
                let ([x, _], a) = (pair(case)?, case.real("a"));
                let mean = x.mean_axis(0)?;
                let stretched = x.sub(&mean)?.scale(a).add(&mean)?;
                let total = x.variance_axis(0, 1)?.sum();
                case.classify(x.dims()[0] <= x.dims()[1], "fewer samples than features");
                Ok(relative(frechet_distance(&x, &stretched)?, (1.0 - a).powi(2) * total))
            }),
    ]
}
