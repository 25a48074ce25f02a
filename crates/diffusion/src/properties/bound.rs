//! Divergences, and the bound that is made of them.

use super::reverse::any_reverse;
use super::{PREDICTIONS, ROUNDING, integral, prediction, relative, schedule, scheduled, some_step, z};
use crate::{
    Bound, Decoder, Diffusion, GaussianMixture, LinearReverse, Prediction, ReverseVariance, Schedule,
    Transition, Weighting, gaussian_kl, vlb_weight,
};
use gradus_formula::{Case, Draw, Property};
use gradus_initialization::Stream;
use gradus_tensor::{Result, Tensor};
use std::f64::consts::{E, PI};

pub(super) fn properties() -> Vec<Property> {
    let mut all = divergence();
    all.extend(exact());
    all.extend(estimated());
    all.extend(weight());
    all
}

fn divergence() -> Vec<Property> {
    const ID: &[&str] = &["gaussian-kl"];
    let two = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::real("mean1", -5.0..=5.0))
            .draw(Draw::real("mean2", -5.0..=5.0))
            .draw(Draw::log("variance1", 0.01..=100.0).limited(1e-6..=1e6))
            .draw(Draw::log("variance2", 0.01..=100.0).limited(1e-6..=1e6))
    };
    let pair = |case: &Case<'_>| {
        [[case.real("mean1"), case.real("variance1")], [case.real("mean2"), case.real("variance2")]]
    };
    vec![
        two("gaussian-kl.quadrature", "it is ∫ p·ln(p/q)").within("quadrature, relative", 1e-9).check(
            move |case| {
                let [p, q] = pair(case);
                let log = |[mean, variance]: [f64; 2], x: f64| {
                    Transition { scale: 1.0, variance }.log_density(mean, x)
                };
                let sum = integral(p[0], p[1].sqrt(), |x| log(p, x).exp() * (log(p, x) - log(q, x)));
                Ok(relative(gaussian_kl(p, q), sum))
            },
        ),
        two("gaussian-kl.zero", "it is 0 for equal ones, and above 0 for others").holds(move |case| {
            let [p, q] = pair(case);
            Ok(gaussian_kl(p, p) == 0.0 && (p == q || gaussian_kl(p, q) > 0.0))
        }),
        two(
            "gaussian-kl.units",
            "it does not depend on the unit, nor on where 0 is: both carried by one line, it stays",
        )
        .draw(Draw::real("scale", 0.1..=10.0))
        .draw(Draw::real("shift", -5.0..=5.0))
        .within("rounding, relative", 1e-9)
        .check(move |case| {
            let [p, q] = pair(case);
            let (scale, shift) = (case.real("scale"), case.real("shift"));
            let moved = |[mean, variance]: [f64; 2]| [scale * mean + shift, scale.powi(2) * variance];
            Ok(relative(gaussian_kl(moved(p), moved(q)), gaussian_kl(p, q)))
        }),
        two("gaussian-kl.noise", "the same noise added to both brings them nearer (data processing)")
            .draw(Draw::real("noise", 0.0..=5.0))
            .within("rounding", ROUNDING)
            .check(move |case| {
                let [p, q] = pair(case);
                let noisy = |[mean, variance]: [f64; 2]| [mean, variance + case.real("noise")];
                Ok(gaussian_kl(noisy(p), noisy(q)) - gaussian_kl(p, q))
            }),
        Property::new(
            "gaussian-kl.near",
            ID,
            "of variances that differ by a part of δ it is δ²/4 − δ³/6 + δ⁴/8 − …, either way, down to δ = 10⁻⁷",
        )
        .draw(Draw::log("delta", 1e-7..=1e-3))
        .draw(Draw::choice("the first is", &["larger", "smaller"]))
        .draw(Draw::log("variance", 0.01..=100.0).limited(1e-6..=1e6))
        .within("rounding of δ, as a part of it", f64::EPSILON)
        .check(|case| {
            let sign = if case.choice("the first is") == "larger" { 1.0 } else { -1.0 };
            let other = case.real("variance");
            let variance = other * (1.0 + sign * case.real("delta"));
            // The difference of two numbers that are so near is exact: this is δ as it has been rounded.
            let delta = (variance - other) / other;
            let term = |k: i32| (-delta).powi(k) / f64::from(2 * k);
            let series: f64 = (2..8).rev().map(term).sum();
            Ok((gaussian_kl([0.0, variance], [0.0, other]) - series).abs() / delta.abs())
        }),
    ]
}

/// Data on the line, and a schedule.
fn gaussian(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    scheduled(id, formulas, statement)
        .draw(Draw::real("mean", -2.0..=2.0).limited(-100.0..=100.0))
        .draw(Draw::log("variance", 0.01..=10.0).limited(1e-4..=1e4))
}

fn data(case: &Case<'_>) -> [f64; 2] {
    [case.real("mean"), case.real("variance")]
}

fn entropy(variance: f64) -> f64 {
    0.5 * (2.0 * PI * E * variance).ln()
}

/// The exact reverse process, each of its numbers moved by as much as the case says.
fn moved(case: &Case<'_>, exact: &LinearReverse) -> LinearReverse {
    let mut steps = exact.steps.clone();
    for (t, step) in steps.iter_mut().enumerate() {
        let i = 20_000 + 3 * t as u64;
        step.slope += 0.1 * z(case, i);
        step.offset += 0.1 * z(case, i + 1);
        step.variance *= (0.3 * z(case, i + 2)).exp();
    }
    LinearReverse { steps }
}

fn exact() -> Vec<Property> {
    const ID: &[&str] = &["vlb"];
    vec![
        gaussian(
            "vlb.gap",
            &["vlb", "posterior-mean-var", "gaussian-kl"],
            "for Gaussian data and the exact way back the bound is the data's entropy and D(q(x_T) ‖ p(x_T)) more, nothing drawn, whatever the schedule",
        )
        .within("rounding of some dozen terms", 1e-10)
        .check(|case| {
            let (schedule, data) = (schedule(case)?, data(case));
            let bound = LinearReverse::exact(&schedule, data)?.bound(&schedule, data)?;
            let end = schedule.between(0, schedule.steps())?.carry(data);
            Ok(relative(bound.nats(), entropy(data[1]) + gaussian_kl(end, [0.0, 1.0])))
        }),
        scheduled("vlb.tight", ID, "for standard normal data it is the entropy, ½ ln 2πe")
            .within("rounding of some dozen terms", 1e-11)
            .check(|case| {
                let (schedule, data) = (schedule(case)?, [0.0, 1.0]);
                let bound = LinearReverse::exact(&schedule, data)?.bound(&schedule, data)?;
                Ok((bound.nats() - entropy(1.0)).abs())
            }),
        gaussian("vlb.least", &["vlb", "diffusion-reverse-kernel"], "no other step back has a lower term: each of them grows when slope, offset or variance is moved")
            .within("rounding", 1e-10)
            .check(|case| {
                let (schedule, data) = (schedule(case)?, data(case));
                let exact = LinearReverse::exact(&schedule, data)?;
                let (best, other) = (exact.bound(&schedule, data)?, moved(case, &exact).bound(&schedule, data)?);
                let pairs = best.steps.iter().chain([&best.decoder]).zip(other.steps.iter().chain([&other.decoder]));
                Ok(pairs.map(|(best, other)| (best - other) / (1.0 + best.abs())).fold(0.0f64, f64::max))
            }),
        gaussian("vlb.terms", ID, "L_T and each Lₜ₋₁ are at least 0; there are T + 1 terms, and bits a number are nats over D·ln 2")
            .holds(|case| {
                let (schedule, data) = (schedule(case)?, data(case));
                let bound = any_reverse(case, schedule.steps()).bound(&schedule, data)?;
                let fine = bound.prior >= 0.0 && bound.steps.iter().all(|&term| term >= 0.0);
                let many = Bound { dimensions: 7, ..bound.clone() };
                let bits = bound.nats() / 2f64.ln();
                Ok(fine
                    && bound.steps.len() + 1 == schedule.steps()
                    && (bound.bits_per_dimension() - bits).abs() <= 1e-12 * bits.abs()
                    && (many.bits_per_dimension() - bits / 7.0).abs() <= 1e-12 * bits.abs())
            }),
        gaussian(
            "diffusion-nll.bound",
            &["diffusion-nll", "vlb"],
            "what the data costs under any reverse process is no more than its bound",
        )
        .within("rounding", 1e-9)
        .check(|case| {
            let (schedule, data) = (schedule(case)?, data(case));
            let reverse = if case.seed("values").is_multiple_of(2) {
                any_reverse(case, schedule.steps())
            } else {
                moved(case, &LinearReverse::exact(&schedule, data)?)
            };
            let (cost, bound) = (reverse.cost(data), reverse.bound(&schedule, data)?.nats());
            Ok((cost - bound) / (1.0 + bound.abs()))
        }),
        gaussian(
            "diffusion-nll.gap",
            &["diffusion-nll"],
            "by so much it is too high: how far the true way back, E_q D(q(x₁…x_T | x₀) ‖ p(x₁…x_T | x₀)), is from the process's own; for one step in closed form",
        )
        .within("rounding", 1e-9)
        .check(|case| {
            let beta = schedule(case)?.beta(1)?;
            let (schedule, data) = (Schedule::given(&[beta])?, data(case));
            let reverse = any_reverse(case, 1);
            let (step, forward) = (reverse.steps[0], schedule.step(1)?);
            // p(x₁ | x₀): Bayes' rule with the prior N(0, 1).
            let variance = 1.0 / (1.0 + step.slope.powi(2) / step.variance);
            let slope = variance * step.slope / step.variance;
            let offset = -slope * step.offset;
            // The mean over x₀ of a divergence that is quadratic in it.
            let difference = forward.scale - slope;
            let gap = gaussian_kl([difference * data[0] - offset, forward.variance], [0.0, variance])
                + 0.5 * difference.powi(2) * data[1] / variance;
            let bound = reverse.bound(&schedule, data)?.nats();
            Ok(relative(bound - reverse.cost(data), gap) / (1.0 + bound.abs()))
        }),
        Property::new("vlb.prior", ID, "of Ho's schedule L_T is 2.0·10⁻⁵ nats a number of variance 1")
            .within("printed digits", 0.03)
            .check(|_| {
                let (schedule, data) = (Schedule::ho2020(), [0.0, 1.0]);
                let bound = LinearReverse::exact(&schedule, data)?.bound(&schedule, data)?;
                Ok((bound.prior / 2.0e-5 - 1.0).abs())
            }),
        gaussian("vlb.expectation", ID, "the expectation covers all terms: the closed form is the mean over x₀ and xₜ of the divergences, by quadrature over both")
            .within("quadrature", 1e-8)
            .costly(8)
            .check(|case| {
                let (schedule, data) = (schedule(case)?, data(case));
                let t = some_step(case, &schedule, 2, 0);
                if t < 2 {
                    return Ok(0.0);
                }
                let reverse = any_reverse(case, schedule.steps());
                let (back, step) = (schedule.posterior(t)?, reverse.steps[t - 1]);
                let at = schedule.between(0, t)?;
                // A divergence is a polynomial of degree 2 in both: three points of Gauss and Hermite are exact.
                let points = [(-(3f64.sqrt()), 1.0 / 6.0), (0.0, 2.0 / 3.0), (3f64.sqrt(), 1.0 / 6.0)];
                let mut mean = 0.0;
                for (u, wu) in points {
                    for (v, wv) in points {
                        let x0 = data[0] + data[1].sqrt() * u;
                        let xt = at.scale * x0 + at.variance.sqrt() * v;
                        let term = gaussian_kl([back.mean(x0, xt), back.variance], [step.slope * xt + step.offset, step.variance]);
                        mean += wu * wv * term;
                    }
                }
                Ok(relative(reverse.bound(&schedule, data)?.steps[t - 2], mean))
            }),
        Property::refutation("vlb.printed", ID, "with the expectation over L_T alone the value does not depend on the xₜ that was drawn")
            .draw(Draw::real("drawn", -3.0..=3.0))
            .draw(Draw::real("drawn again", -3.0..=3.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = Schedule::given(&[0.3, 0.5])?;
                let back = schedule.posterior(2)?;
                // A step back that keeps x₂ as it is; x₀ = 1.
                let term = |x2: f64| gaussian_kl([back.mean(1.0, x2), back.variance], [x2, back.variance]);
                Ok((term(case.real("drawn")) - term(case.real("drawn again"))).abs())
            }),
    ]
}

fn estimated() -> Vec<Property> {
    const ID: &[&str] = &["vlb"];
    vec![
        Property::new(
            "vlb.estimate",
            &["vlb", "diffusion-reverse-kernel"],
            "of drawn Gaussian data, and of the network that knows, every term is that of the closed form but for chance, whatever the network predicts",
        )
        .draw(Draw::choice("prediction", PREDICTIONS))
        .draw(Draw::choice("variance", &["posterior", "step"]))
        .draw(Draw::seed("values"))
        .within("six deviations of a mean of 4000 squares, relative", 0.07)
        .costly(32)
        .check(|case| {
            const N: usize = 4000;
            let schedule = Schedule::given(&[0.2, 0.35, 0.5])?;
            let (mean, variance) = (0.5, 0.6);
            let choice = if case.choice("variance") == "step" { ReverseVariance::Step } else { ReverseVariance::Posterior };
            let diffusion = Diffusion::new(schedule.clone(), prediction(case.choice("prediction")));
            let data = GaussianMixture::new(&[1.0], Tensor::from([[mean]]), &[variance])?;
            let x0 = Stream::new(case.seed("values")).normal::<f64>([N, 1])?.map(|z| mean + variance.sqrt() * z);
            let net = data.denoiser(&diffusion);
            let given = (Decoder::Continuous, choice);
            let drawn = diffusion.bound(&net, (&x0, None), given, case.seed("values") ^ 77, |_| ())?;
            // The same steps as lines: x̂₀ = E[x₀ | xₜ] in the posterior's mean.
            let line = |t: usize| -> Result<crate::LinearStep> {
                let (at, back) = (schedule.between(0, t)?, schedule.reverse(t, choice)?);
                let [centre, spread] = at.carry([mean, variance]);
                let slope = at.scale * variance / spread;
                let offset = mean - slope * centre;
                Ok(crate::LinearStep {
                    slope: back.data * slope + back.state,
                    offset: back.data * offset,
                    variance: back.variance,
                })
            };
            let exact = LinearReverse { steps: (1..=3).map(line).collect::<Result<_>>()? }.bound(&schedule, [mean, variance])?;
            // L_T has no xₜ in it: of the drawn data it is known.
            let [signal, noise] = schedule.scales(3)?.map(|scale| scale.powi(2));
            let squares = x0.mul(&x0)?.mean()?;
            let prior = 0.5 * (signal * squares + noise - 1.0 - noise.ln());
            if relative(drawn.prior, prior) > ROUNDING {
                return Ok(f64::INFINITY);
            }
            let terms = |bound: &Bound| [bound.prior, bound.steps[0], bound.steps[1], bound.decoder];
            Ok(terms(&drawn).into_iter().zip(terms(&exact)).map(|(a, b)| relative(a, b)).fold(0.0, f64::max))
        }),
        Property::new("vlb.decoder", ID, "the levels of a discretised decoder share the whole mass: their probabilities have the sum 1")
            .draw(Draw::size("levels", 2..=40).limited(2.0..=65_536.0))
            .draw(Draw::real("mean", -2.0..=2.0).limited(-50.0..=50.0))
            .draw(Draw::log("variance", 1e-4..=4.0).limited(1e-8..=1e4))
            .within("rounding", 1e-11)
            .check(|case| {
                let (levels, mean, variance) = (case.size("levels") as u32, case.real("mean"), case.real("variance"));
                let level = |i: u32| 2.0 * f64::from(i) / f64::from(levels - 1) - 1.0;
                let total: f64 = (0..levels).map(|i| (-Decoder::Discretised(levels).cost(level(i), mean, variance)).exp()).sum();
                Ok((total - 1.0).abs())
            }),
        Property::new("vlb.decoder-fine", ID, "with fine levels it is the continuous one: −ln(density·width), within the levels")
            .draw(Draw::real("x0", -0.9..=0.9))
            .draw(Draw::real("mean", -1.0..=1.0))
            .within("a width of 1/32768, squared, over a variance", 1e-6)
            .check(|case| {
                const LEVELS: u32 = 65_537;
                let (mean, variance) = (case.real("mean"), 0.09);
                let x0 = (case.real("x0") * 32_768.0).round() / 32_768.0;
                let width = 2.0 / f64::from(LEVELS - 1);
                let fine = Decoder::Discretised(LEVELS).cost(x0, mean, variance);
                Ok(relative(fine, Decoder::Continuous.cost(x0, mean, variance) - width.ln()))
            }),
        Property::new(
            "vlb.decoder-tail",
            ID,
            "thirty deviations off and more, where the mass underflows on the way, it is that of the nearer edge: z²/2 + ln z + ½ ln 2π, but for 1/z²",
        )
        .draw(Draw::real("z", 30.0..=60.0).limited(20.0..=1e6))
        .draw(Draw::choice("side", &["above", "below"]))
        .within("1/z², relative", 1e-5)
        .check(|case| {
            // The edge of the middle level, half a level off 0, is z deviations from the mean.
            let (z, deviation, half) = (case.real("z"), 0.01, 1.0 / 254.0);
            let mean = if case.choice("side") == "above" { half + z * deviation } else { -half - z * deviation };
            let cost = Decoder::Discretised(255).cost(0.0, mean, deviation * deviation);
            Ok(relative(cost, 0.5 * z.powi(2) + z.ln() + 0.5 * (2.0 * PI).ln()))
        }),
        Property::new("vlb.decoder-far", ID, "however far the mean is off, the cost is finite and grows with the distance; NaN stays NaN")
            .draw(Draw::log("deviation", 1e-6..=1e-1))
            .draw(Draw::real("mean", -1.0..=1.0))
            .holds(|case| {
                let (variance, mean) = (case.real("deviation").powi(2), case.real("mean"));
                let cost = |x0: f64| Decoder::Discretised(256).cost(x0, mean, variance);
                let level = |i: i32| 2.0 * f64::from(i) / 255.0 - 1.0;
                let costs: Vec<f64> = (0..256).map(|i| cost(level(i))).collect();
                let best = (1..255).min_by(|&a, &b| costs[a].total_cmp(&costs[b])).unwrap_or(1);
                // Away from the nearest level it rises; the end levels take all that is beyond them, and are left out.
                let rises = costs[1..=best].windows(2).all(|pair| pair[0] >= pair[1])
                    && costs[best..255].windows(2).all(|pair| pair[0] <= pair[1]);
                let nearest = (level(best as i32) - mean.clamp(level(1), level(254))).abs() <= 1.001 / 255.0;
                Ok(costs.iter().all(|cost| cost.is_finite()) && rises && nearest && cost(f64::NAN).is_nan())
            }),
    ]
}

fn weight() -> Vec<Property> {
    const ID: &[&str] = &["vlb-weight"];
    vec![
        scheduled("vlb-weight.term", ID, "so much more the term of step t costs when the noise is said wrong: the weight times the square of the error")
            .draw(Draw::choice("variance", &["posterior", "step"]))
            .within("rounding", 1e-9)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let choice = if case.choice("variance") == "step" { ReverseVariance::Step } else { ReverseVariance::Posterior };
                let (back, error) = (schedule.reverse(t, choice)?, z(case, 0));
                let [_, to_data] = Prediction::Noise.weights(Prediction::Data, &schedule, t)?;
                let term = (back.data * to_data * error).powi(2) / (2.0 * back.variance);
                let weight = vlb_weight(schedule.beta(t)?, schedule.log_alpha_bar(t)?, back.variance);
                Ok((weight * error.powi(2) / term - 1.0).abs())
            }),
        scheduled("vlb-weight.divergence", ID, "it is that of the divergence of the two steps: D with a wrong noise, less D with the right one")
            .within("rounding", 1e-7)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 2, 0);
                if t < 2 {
                    return Ok(0.0);
                }
                let back = schedule.reverse(t, ReverseVariance::Step)?;
                let ([signal, noise], x0, e, said) = (schedule.scales(t)?, z(case, 0), z(case, 1), z(case, 2));
                let xt = signal * x0 + noise * e;
                let posterior = schedule.posterior(t)?;
                let of = |e: f64| -> Result<f64> {
                    let mean = crate::mean_by_noise(xt, e, schedule.beta(t)?, schedule.log_alpha_bar(t)?);
                    Ok(gaussian_kl([posterior.mean(x0, xt), posterior.variance], [mean, back.variance]))
                };
                let more = of(said)? - of(e)?;
                let weight = vlb_weight(schedule.beta(t)?, schedule.log_alpha_bar(t)?, back.variance);
                let expected = weight * (said - e).powi(2);
                Ok((more - expected).abs() / (1.0 + expected) * schedule.alpha(t)?)
            }),
        scheduled(
            "vlb-weight.predictions",
            &["vlb-weight", "v-prediction"],
            "the same error costs the same, in whatever it is said: the training weights of noise, data and velocity agree, and times 1/T they are the bound's",
        )
        .within("rounding", 1e-9)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let variance = ReverseVariance::Posterior;
            let bound = vlb_weight(schedule.beta(t)?, schedule.log_alpha_bar(t)?, schedule.reverse(t, variance)?.variance);
            let mut off = 0.0f64;
            for name in PREDICTIONS {
                let prediction = prediction(name);
                let diffusion = Diffusion::new(schedule.clone(), prediction).weighting(Weighting::Bound(variance));
                // An error of 1 in this is so much in the noise.
                let [_, in_noise] = prediction.weights(Prediction::Noise, &schedule, t)?;
                let weight = diffusion.weight(t)? / schedule.steps() as f64;
                off = off.max((weight / (bound * in_noise.powi(2)) - 1.0).abs());
            }
            Ok(off)
        }),
        Property::new("vlb-weight.falls", ID, "Ho's schedule, with his variance β: the weight falls from step to step until the noise is half of all, and never rises to a tenth of the first again")
            .holds(|_| {
                let schedule = Schedule::ho2020();
                let weights = (1..=1000)
                    .map(|t| Ok(vlb_weight(schedule.beta(t)?, schedule.log_alpha_bar(t)?, schedule.beta(t)?)))
                    .collect::<Result<Vec<f64>>>()?;
                let half = (1..=1000).find(|&t| schedule.alpha_bar(t).is_ok_and(|left| left < 0.5)).unwrap_or(0);
                let falls = weights[..20].windows(2).all(|pair| pair[1] < pair[0]);
                Ok(half > 100 && falls && weights[half..].iter().all(|&w| w < 0.1 * weights[0]))
            }),
    ]
}
