//! The way back.

use super::{ROUNDING, integral, relative, schedule, scheduled, some_step, z};
use crate::{
    GaussianMixture, LinearReverse, LinearStep, Prediction, ReverseVariance, Schedule, log_joint,
    mean_by_noise,
};
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::{Result, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = posterior();
    all.extend(kernel());
    all.extend(joint());
    all.extend(approximate());
    all.extend(by_noise());
    all
}

fn log_normal(x: f64, mean: f64, variance: f64) -> f64 {
    crate::Transition { scale: 1.0, variance }.log_density(mean, x)
}

fn posterior() -> Vec<Property> {
    const ID: &[&str] = &["posterior-mean-var"];
    vec![
        scheduled("posterior-mean-var.bayes", ID, "it is Bayes' rule: q(xₜ | xₜ₋₁)·q(xₜ₋₁ | x₀)/q(xₜ | x₀), at any three places")
            .within("rounding", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 2, 0);
                case.classify(t < 2, "one step only: nothing to check");
                if t < 2 {
                    return Ok(0.0);
                }
                let (before, step, whole) = (schedule.between(0, t - 1)?, schedule.step(t)?, schedule.between(0, t)?);
                // Places that the chain might come to.
                let x0 = z(case, 0);
                let x1 = before.scale * x0 + before.variance.sqrt() * z(case, 1);
                let x2 = step.scale * x1 + step.variance.sqrt() * z(case, 2);
                let back = schedule.posterior(t)?;
                let terms = [step.log_density(x1, x2), before.log_density(x0, x1), whole.log_density(x0, x2)];
                let bayes = terms[0] + terms[1] - terms[2];
                let own = log_normal(x1, back.mean(x0, x2), back.variance);
                // What is small in the exponent has the rounding of the places over the smallest variance.
                let least = back.variance.min(before.variance).min(step.variance);
                Ok((own - bayes).abs() * least.sqrt() / (1.0 + own.abs()))
            }),
        scheduled("posterior-mean-var.printed", ID, "its weights and variance are those of Ho's equations 6 and 7")
            .within("rounding, relative", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let (beta, alpha) = (schedule.beta(t)?, schedule.alpha(t)?);
                let noise = |t| schedule.scales(t).map(|scales| scales[1].powi(2));
                let back = schedule.posterior(t)?;
                let data = schedule.alpha_bar(t - 1)?.sqrt() * beta / noise(t)?;
                let state = alpha.sqrt() * noise(t - 1)? / noise(t)?;
                let variance = noise(t - 1)? / noise(t)? * beta;
                Ok(relative(back.data, data).max(relative(back.state, state)).max((back.variance - variance).abs() / beta))
            }),
        scheduled("posterior-mean-var.first", ID, "the step to the data is certain: β̃₁ = 0, and the mean is x₀, to the bit")
            .holds(|case| {
                let back = schedule(case)?.posterior(1)?;
                let (x0, x1) = (z(case, 0), z(case, 1));
                Ok(back.variance == 0.0 && back.state == 0.0 && (back.mean(x0, x1) - x0).abs() <= 4.0 * f64::EPSILON * x0.abs())
            }),
        scheduled("posterior-mean-var.smaller", ID, "0 < β̃ₜ < βₜ for t > 1: knowing the data leaves less to guess")
            .holds(|case| {
                let schedule = schedule(case)?;
                let mut fine = true;
                for t in 2..=schedule.steps() {
                    let variance = schedule.posterior(t)?.variance;
                    fine &= variance > 0.0 && variance < schedule.beta(t)?;
                }
                Ok(fine)
            }),
        scheduled(
            "posterior-mean-var.back",
            ID,
            "from q(xₜ | x₀) it leads to q(xₜ₋₁ | x₀): one step forward and one back, and nothing has happened",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let (back, here, there) = (schedule.posterior(t)?, schedule.between(0, t)?, schedule.between(0, t - 1)?);
            let scale = back.data + back.state * here.scale;
            let variance = back.state.powi(2) * here.variance + back.variance;
            Ok((scale - there.scale).abs().max((variance - there.variance).abs()))
        }),
    ]
}

fn kernel() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-reverse-kernel"];
    vec![
        scheduled("diffusion-reverse-kernel.point", ID, "for data that is one point β̃ₜ is the right variance, and the posterior's mean the right mean")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (schedule, x0) = (schedule(case)?, z(case, 0));
                let exact = LinearReverse::exact(&schedule, [x0, 0.0])?;
                let mut off = 0.0f64;
                for t in 2..=schedule.steps() {
                    let (step, learned) = (exact.steps[t - 1], schedule.reverse(t, ReverseVariance::Posterior)?);
                    off = off.max((step.variance - learned.variance).abs());
                    off = off.max((step.slope - learned.state).abs());
                    off = off.max((step.offset - learned.data * x0).abs());
                }
                Ok(off)
            }),
        scheduled("diffusion-reverse-kernel.normal", ID, "for standard normal data βₜ is the right variance, at every step, and the step back mirrors the step forward")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let exact = LinearReverse::exact(&schedule, [0.0, 1.0])?;
                let mut off = 0.0f64;
                for t in 1..=schedule.steps() {
                    let (step, forward) = (exact.steps[t - 1], schedule.step(t)?);
                    let learned = schedule.reverse(t, ReverseVariance::Step)?;
                    off = off.max((step.variance - learned.variance).abs()).max((step.slope - forward.scale).abs());
                }
                Ok(off)
            }),
        scheduled("diffusion-reverse-kernel.between", ID, "for data of any variance from 0 to 1 the right variance lies between β̃ₜ and βₜ")
            .draw(Draw::real("variance", 0.0..=1.0).limited(0.0..=1.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (schedule, variance) = (schedule(case)?, case.real("variance"));
                let exact = LinearReverse::exact(&schedule, [0.0, variance])?;
                let mut off = 0.0f64;
                for t in 2..=schedule.steps() {
                    let right = exact.steps[t - 1].variance;
                    let of = |choice| schedule.reverse(t, choice).map(|step| step.variance);
                    off = off.max(of(ReverseVariance::Posterior)? - right).max(right - of(ReverseVariance::Step)?);
                }
                Ok(off)
            }),
        scheduled("diffusion-reverse-kernel.first", ID, "at t = 1, where β̃ is 0, its place takes β̃₂, or β₁ of a single step: the logarithm is finite")
            .holds(|case| {
                let schedule = schedule(case)?;
                let first = schedule.reverse(1, ReverseVariance::Posterior)?.variance;
                let expected = if schedule.steps() > 1 { schedule.posterior(2)?.variance } else { schedule.beta(1)? };
                Ok(first == expected && first > 0.0)
            }),
    ]
}

/// Any reverse process: steps whose numbers are drawn.
pub(super) fn any_reverse(case: &Case<'_>, steps: usize) -> LinearReverse {
    let step = |t: usize| {
        let i = 10_000 + 3 * t as u64;
        let (slope, offset) = (1.0 + 0.3 * z(case, i), 0.3 * z(case, i + 1));
        LinearStep { slope, offset, variance: (0.5 * z(case, i + 2)).exp() }
    };
    LinearReverse { steps: (1..=steps).map(step).collect() }
}

fn joint() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-reverse-joint"];
    vec![
        scheduled(
            "diffusion-reverse-joint.bayes",
            &["diffusion-reverse-joint", "diffusion-joint"],
            "of the exact reverse process it differs from the forward one by p(x_T)/q(x_T) only, along any path",
        )
        .draw(Draw::real("mean", -2.0..=2.0))
        .draw(Draw::real("deviation", 0.1..=3.0))
        .within("rounding, relative", 1e-8)
        .check(|case| {
            let schedule = schedule(case)?;
            let data = [case.real("mean"), case.real("deviation").powi(2)];
            let mut path = vec![data[0] + data[1].sqrt() * z(case, 0)];
            for t in 1..=schedule.steps() {
                let step = schedule.step(t)?;
                path.push(step.scale * path[t - 1] + step.variance.sqrt() * z(case, t as u64));
            }
            let end = path[path.len() - 1];
            let last = schedule.between(0, schedule.steps())?.carry(data);
            let forward = log_joint(&schedule, &path)?;
            let start = log_normal(path[0], data[0], data[1]);
            let prior = log_normal(end, 0.0, 1.0) - log_normal(end, last[0], last[1]);
            let backward = LinearReverse::exact(&schedule, data)?.log_joint(&path)?;
            Ok((backward - (forward + start + prior)).abs() / (1.0 + forward.abs()))
        }),
        scheduled("diffusion-reverse-joint.carry", ID, "begun where the chain ends, the exact reverse process gives the data's mean and variance back")
            .draw(Draw::real("mean", -2.0..=2.0))
            .draw(Draw::real("deviation", 0.0..=3.0).limited(0.0..=100.0))
            .within("rounding, relative", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let data = [case.real("mean"), case.real("deviation").powi(2)];
                let end = schedule.between(0, schedule.steps())?.carry(data);
                let back = LinearReverse::exact(&schedule, data)?.carry(end);
                Ok(relative(back[0], data[0]).max(relative(back[1], data[1])))
            }),
        scheduled("diffusion-reverse-joint.marginal", ID, "over all x₁ the densities of a path of one step add up to that of what is generated")
            .within("quadrature", 1e-8)
            .check(|case| {
                let reverse = any_reverse(case, 1);
                let [mean, variance] = reverse.carry([0.0, 1.0]);
                let x0 = mean + variance.sqrt() * z(case, 0);
                // The product of prior and step, as a function of x₁.
                let step = reverse.steps[0];
                let precision = 1.0 + step.slope.powi(2) / step.variance;
                let middle = step.slope * (x0 - step.offset) / step.variance / precision;
                let own = log_normal(x0, mean, variance);
                let mut failed = Ok(());
                let total = integral(middle, precision.powf(-0.5), |x1| {
                    reverse.log_joint(&[x0, x1]).map_or(f64::NAN, |log| (log - own).exp())
                });
                if total.is_nan() {
                    failed = reverse.log_joint(&[x0, 0.0]).map(|_| ());
                }
                failed?;
                Ok((total - 1.0).abs())
            }),
        scheduled("diffusion-reverse-joint.prior", ID, "the prior is N(0, 1), without parameters: L_T is the same, to the bit, for any reverse process")
            .holds(|case| {
                let (schedule, data) = (schedule(case)?, [z(case, 0), z(case, 1).powi(2)]);
                let exact = LinearReverse::exact(&schedule, data)?.bound(&schedule, data)?;
                let any = any_reverse(case, schedule.steps()).bound(&schedule, data)?;
                Ok(exact.prior.to_bits() == any.prior.to_bits())
            }),
    ]
}

/// A mixture of three components on the line.
fn mixture(case: &Case<'_>) -> Result<GaussianMixture> {
    let weights = [0, 1, 2].map(|i| 0.1 + z(case, 300 + i).abs());
    let means = Tensor::from([[z(case, 310)], [2.0 * z(case, 311)], [z(case, 312) - 1.0]]);
    GaussianMixture::new(&weights, means, &[0, 1, 2].map(|i| 0.05 + z(case, 320 + i).powi(2)))
}

/// Skewness and excess kurtosis of a mixture on the line: 0 for a Gaussian.
fn shape_of(mixture: &GaussianMixture) -> [f64; 2] {
    let parts: Vec<(f64, f64, f64)> = mixture
        .weights()
        .into_iter()
        .zip(mixture.means().as_slice())
        .zip(mixture.variances())
        .map(|((w, &m), &v)| (w, m, v))
        .collect();
    let mean: f64 = parts.iter().map(|(w, m, _)| w * m).sum();
    let sum = |f: &dyn Fn(f64, f64) -> f64| parts.iter().map(|&(w, m, v)| w * f(m - mean, v)).sum::<f64>();
    let second = sum(&|d, v| d * d + v);
    let third = sum(&|d, v| d.powi(3) + 3.0 * d * v);
    let fourth = sum(&|d, v| d.powi(4) + 6.0 * d * d * v + 3.0 * v * v);
    [third / second.powf(1.5), fourth / second.powi(2) - 3.0]
}

fn approximate() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-reverse-approx"];
    vec![
        scheduled("diffusion-reverse-approx.bayes", ID, "where the data is known it is q(xₜ | xₜ₋₁)·q(xₜ₋₁)/q(xₜ), a mixture, at any two places")
            .within("rounding", 1e-9)
            .check(|case| {
                let (schedule, data) = (schedule(case)?, mixture(case)?);
                let t = some_step(case, &schedule, 1, 0);
                let (before, after, step) = (data.noised(&schedule, t - 1)?, data.noised(&schedule, t)?, schedule.step(t)?);
                let x1 = 2.0 * z(case, 0);
                let x2 = step.scale * x1 + step.variance.sqrt() * z(case, 1);
                let terms = [step.log_density(x1, x2), before.log_density(&[x1])?, after.log_density(&[x2])?];
                let own = data.reverse(&schedule, t, &[x2])?.log_density(&[x1])?;
                Ok((own - (terms[0] + terms[1] - terms[2])).abs() * step.variance.sqrt() / (1.0 + own.abs()))
            }),
        Property::new(
            "diffusion-reverse-approx.small-steps",
            ID,
            "a small step back is nearly Gaussian: of a step a hundred times smaller the skewness is ten times smaller at most",
        )
        .draw(Draw::seed("values"))
        .within("a tenth, and a half more", 0.15)
        .check(|case| {
            let data = mixture(case)?;
            let x = 2.0 * z(case, 0);
            let of = |beta: f64| -> Result<f64> {
                // Noise before, so that the data is smooth, and then a step.
                let schedule = Schedule::given(&[0.3, beta])?;
                Ok(shape_of(&data.reverse(&schedule, 2, &[x])?)[0].abs())
            };
            let (large, small) = (of(1e-3)?, of(1e-5)?);
            Ok(if large < 1e-6 { 0.0 } else { small / large })
        }),
        Property::new(
            "diffusion-reverse-approx.large-steps",
            ID,
            "a large step back is not: between two points it is a choice of one of them",
        )
        .draw(Draw::real("beta", 0.9..=0.99))
        .holds(|case| {
            let coin = GaussianMixture::new(&[1.0, 1.0], Tensor::from([[-1.0], [1.0]]), &[0.0, 0.0])?;
            let schedule = Schedule::given(&[1e-4, case.real("beta")])?;
            // A coin's excess kurtosis is −2, and no distribution has less.
            let [skewness, kurtosis] = shape_of(&coin.reverse(&schedule, 2, &[0.0])?);
            Ok(skewness.abs() < 1e-9 && kurtosis < -1.9)
        }),
        scheduled("diffusion-reverse-approx.score", ID, "E[x₀ | xₜ] is (xₜ + (1 − ᾱₜ)·∂ ln q(xₜ))/√ᾱₜ: what a network learns is the slope of the density (Tweedie)")
            .within("five-point differences", 1e-7)
            .check(|case| {
                let (schedule, data) = (schedule(case)?, mixture(case)?);
                let t = some_step(case, &schedule, 1, 0);
                let (noised, [signal, noise]) = (data.noised(&schedule, t)?, schedule.scales(t)?);
                let x = 2.0 * z(case, 0);
                let believed = data.data(&schedule, &Tensor::from([[x]]), &[t])?.item()?;
                let step = 1e-3;
                let log = |i: f64| noised.log_density(&[x + i * step]);
                let slope = (log(-2.0)? - 8.0 * log(-1.0)? + 8.0 * log(1.0)? - log(2.0)?) / (12.0 * step);
                // Measured at xₜ: the division by √ᾱₜ is exact on both sides.
                Ok(relative(signal * believed, x + noise.powi(2) * slope))
            }),
        scheduled("diffusion-reverse-approx.mixture", ID, "a mixture of one component is Gaussian data, and its way back that of the formula")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let (mean, variance) = (z(case, 0), z(case, 1).powi(2));
                let data = GaussianMixture::new(&[3.0], Tensor::from([[mean]]), &[variance])?;
                let exact = LinearReverse::exact(&schedule, [mean, variance])?;
                let (t, x) = (some_step(case, &schedule, 1, 0), z(case, 2));
                let (back, step) = (data.reverse(&schedule, t, &[x])?, exact.steps[t - 1]);
                let off = relative(back.means().item()?, step.slope * x + step.offset);
                Ok(off.max(relative(back.variances()[0], step.variance)))
            }),
    ]
}

fn by_noise() -> Vec<Property> {
    const ID: &[&str] = &["eps-mean"];
    vec![
        scheduled("eps-mean.posterior", ID, "with the noise that is in xₜ it is the posterior's mean")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let ([signal, noise], x0, e) = (schedule.scales(t)?, z(case, 0), z(case, 1));
                let xt = signal * x0 + noise * e;
                let mean = mean_by_noise(xt, e, schedule.beta(t)?, schedule.log_alpha_bar(t)?);
                // A β near 1 divides by √α: what is lost then is lost in x₀ too.
                Ok((mean - schedule.posterior(t)?.mean(x0, xt)).abs() * schedule.alpha(t)?.sqrt())
            }),
        scheduled("eps-mean.data", ID, "said through the data it is the same: x̂₀ = (xₜ − √(1 − ᾱₜ)·ε)/√ᾱₜ put into the posterior's mean, whatever ε is")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let (xt, said) = (z(case, 0), z(case, 1));
                let [a, b] = Prediction::Noise.weights(Prediction::Data, &schedule, t)?;
                let data = a * xt + b * said;
                let mean = mean_by_noise(xt, said, schedule.beta(t)?, schedule.log_alpha_bar(t)?);
                Ok(relative(schedule.posterior(t)?.mean(data, xt), mean) * schedule.scales(t)?[0])
            }),
        scheduled("eps-mean.score", ID, "it goes uphill: (xₜ + βₜ·∂ ln q(xₜ | x₀))/√αₜ")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let (step, x0, e) = (schedule.between(0, t)?, z(case, 0), z(case, 1));
                let xt = step.scale * x0 + step.variance.sqrt() * e;
                let score = -(xt - step.scale * x0) / step.variance;
                let (alpha, beta) = (schedule.alpha(t)?, schedule.beta(t)?);
                let mean = mean_by_noise(xt, e, beta, schedule.log_alpha_bar(t)?);
                Ok((mean * alpha.sqrt() - (xt + beta * score)).abs() / (1.0 + (beta * score).abs()) * step.variance.sqrt())
            }),
        scheduled("eps-mean.first", ID, "at the first step it is x₀ itself")
            .within("rounding", 1e-10)
            .check(|case| {
                let schedule = schedule(case)?;
                let ([signal, noise], x0, e) = (schedule.scales(1)?, z(case, 0), z(case, 1));
                let mean = mean_by_noise(signal * x0 + noise * e, e, schedule.beta(1)?, schedule.log_alpha_bar(1)?);
                Ok((mean - x0).abs() * signal)
            }),
    ]
}
