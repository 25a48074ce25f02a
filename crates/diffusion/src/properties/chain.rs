//! The chain, step by step.

use super::{ROUNDING, SIX, integral, relative, schedule, scheduled, some_step, z};
use crate::{Schedule, forward_step, gaussian_kl, log_joint};
use gradus_formula::{Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor};
use std::f64::consts::{FRAC_PI_2, TAU};

pub(super) fn properties() -> Vec<Property> {
    let mut all = markov();
    all.extend(kernel());
    all.extend(step());
    all.extend(joint());
    all.extend(claims());
    all.extend(alpha());
    all
}

/// A path that the chain might take, from x₀ on.
fn path(schedule: &Schedule, x0: f64, noise: impl Fn(u64) -> f64) -> Vec<f64> {
    let mut path = vec![x0];
    for (i, &beta) in schedule.betas().iter().enumerate() {
        path.push(forward_step(path[i], noise(i as u64), beta));
    }
    path
}

fn markov() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-markov"];
    vec![
        scheduled("diffusion-markov.past", ID, "what came before xₜ₋₁ changes nothing in the density of xₜ")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                case.classify(t == 1, "nothing came before");
                let path = path(&schedule, z(case, 100), |i| z(case, i));
                let others: Vec<f64> =
                    (0..=t).map(|i| if i + 1 < t { path[i] + 0.1 * z(case, 200 + i as u64) } else { path[i] }).collect();
                let next = schedule.step(t)?.log_density(path[t - 1], path[t]);
                let mut off = 0.0f64;
                for path in [&path[..=t], &others[..]] {
                    let (whole, before) = (log_joint(&schedule, path)?, log_joint(&schedule, &path[..t])?);
                    off = off.max((whole - before - next).abs() / (1.0 + whole.abs() + before.abs()));
                }
                Ok(off)
            }),
        scheduled(
            "diffusion-markov.chapman",
            &["diffusion-markov", "diffusion-marginal"],
            "over all places in between, the densities of two stretches add up to that of both (Chapman and Kolmogorov)",
        )
        .within("quadrature", 1e-9)
        .check(|case| {
            let schedule = schedule(case)?;
            let u = some_step(case, &schedule, 0, 0);
            let (first, second) = (schedule.between(0, u)?, schedule.between(u, schedule.steps())?);
            if u == 0 || u == schedule.steps() {
                return Ok(0.0);
            }
            let both = schedule.between(0, schedule.steps())?;
            let (from, to) = (z(case, 0), both.scale * z(case, 0) + both.variance.sqrt() * z(case, 1));
            // Where the product of the two densities is largest, and how wide it is.
            let precision = 1.0 / first.variance + second.scale.powi(2) / second.variance;
            let middle = (first.scale * from / first.variance + second.scale * to / second.variance) / precision;
            let total = integral(middle, precision.powf(-0.5), |x| {
                (first.log_density(from, x) + second.log_density(x, to) - both.log_density(from, to)).exp()
            });
            Ok((total - 1.0).abs())
        }),
        Property::new(
            "diffusion-markov.uncorrelated",
            ID,
            "in simulated chains, what step t adds has nothing to do with where xₜ₋₂ was",
        )
        .draw(Draw::real("first", 0.01..=0.9))
        .draw(Draw::real("second", 0.01..=0.9))
        .draw(Draw::seed("values"))
        .within("six deviations", SIX)
        .costly(16)
        .check(|case| {
            const N: u64 = 4000;
            let (b1, b2) = (case.real("first"), case.real("second"));
            let mut sum = 0.0;
            for n in 0..N {
                let x0 = z(case, 3 * n);
                let x1 = forward_step(x0, z(case, 3 * n + 1), b1);
                let x2 = forward_step(x1, z(case, 3 * n + 2), b2);
                sum += x0 * (x2 - (1.0 - b2).sqrt() * x1) / b2.sqrt();
            }
            Ok((sum / (N as f64).sqrt()).abs())
        }),
    ]
}

fn kernel() -> Vec<Property> {
    const ID: &[&str] = &["q-step-kernel"];
    vec![
        scheduled(
            "q-step-kernel.moments",
            ID,
            "its density has the mass 1, the mean √(1 − β)·x and the variance β",
        )
        .within("quadrature", 1e-10)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let (step, beta, x) = (schedule.step(t)?, schedule.beta(t)?, z(case, 0));
            let (mean, deviation) = ((1.0 - beta).sqrt() * x, beta.sqrt());
            // In deviations from the mean, so that all three numbers are of size 1.
            let moment = |power: i32| {
                integral(mean, deviation, |y| {
                    ((y - mean) / deviation).powi(power) * step.log_density(x, y).exp()
                })
            };
            Ok((moment(0) - 1.0).abs().max(moment(1).abs()).max((moment(2) - 1.0).abs()))
        }),
        scheduled("q-step-kernel.unit", ID, "a variance of 1 stays 1, whatever β is")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut state = [z(case, 0), 1.0];
                for t in 1..=schedule.steps() {
                    state = schedule.step(t)?.carry(state);
                }
                Ok((state[1] - 1.0).abs())
            }),
        scheduled(
            "q-step-kernel.drawn",
            &["q-step-kernel", "diffusion-forward-step"],
            "a step is drawn from it: the number whose noise is z lies z deviations from the mean",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let (step, beta) = (schedule.step(t)?, schedule.beta(t)?);
            let (x, noise) = (z(case, 0), z(case, 1));
            let y = forward_step(x, noise, beta);
            let expected = -0.5 * ((TAU * beta).ln() + noise.powi(2));
            let log = step.log_density(x, y);
            // A number is known to 10⁻¹⁶ of itself, its distance from the mean in deviations to so much the less.
            Ok((log - expected).abs() * beta.sqrt() / (1.0 + noise.abs() * (1.0 + x.abs())))
        }),
    ]
}

fn step() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-forward-step"];
    let one = |id, statement| {
        Property::new(id, ID, statement)
            .draw(Draw::real("x", -10.0..=10.0).limited(-1e6..=1e6))
            .draw(Draw::real("noise", -4.0..=4.0).limited(-40.0..=40.0))
            .draw(Draw::real("beta", 0.0..=1.0).limited(0.0..=1.0))
    };
    vec![
        one(
            "diffusion-forward-step.rotation",
            "the data and the noise are turned in their plane: with √(1 − β)·ε − √β·x it keeps the length",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (x, noise, beta) = (case.real("x"), case.real("noise"), case.real("beta"));
            let along = forward_step(x, noise, beta);
            let across = forward_step(noise, -x, beta);
            Ok(relative(along.powi(2) + across.powi(2), x.powi(2) + noise.powi(2)))
        }),
        one("diffusion-forward-step.ends", "with β = 0 it is x, with β = 1 the noise, to the bit").holds(
            |case| {
                let (x, noise) = (case.real("x"), case.real("noise"));
                Ok(forward_step(x, noise, 0.0) == x && forward_step(x, noise, 1.0) == noise)
            },
        ),
        one(
            "diffusion-forward-step.squares",
            "x by the root of 1 − β, ε by that of β: squared, they are 1 − β and β",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let beta = case.real("beta");
            let (signal, noise) = (forward_step(1.0, 0.0, beta), forward_step(0.0, 1.0, beta));
            let (x, e) = (case.real("x"), case.real("noise"));
            let sum = relative(forward_step(x, e, beta), signal * x + noise * e);
            Ok((signal.powi(2) - (1.0 - beta)).abs().max((noise.powi(2) - beta).abs()).max(sum))
        }),
    ]
}

fn joint() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-joint"];
    vec![
        scheduled(
            "diffusion-joint.normal",
            &["diffusion-joint", "diffusion-markov"],
            "the path is jointly normal: means √ᾱₜ·x₀, covariances √(ᾱₜ/ᾱₛ)·(1 − ᾱₛ) for s ≤ t",
        )
        .within("a triangular solve", 1e-7)
        .check(|case| {
            let whole = schedule(case)?;
            // So many numbers that the covariance keeps half of its digits.
            let betas: Vec<f64> = whole.betas().iter().take(5).map(|b| b.clamp(0.01, 0.99)).collect();
            let schedule = Schedule::given(&betas)?;
            let n = betas.len();
            let path = path(&schedule, z(case, 50), |i| z(case, i));
            let covariance = Tensor::from_fn([n, n], |at| {
                let (s, t) = (at[0].min(at[1]) + 1, at[0].max(at[1]) + 1);
                let of =
                    |s, t| schedule.between(s, t).map_or([f64::NAN; 2], |step| [step.scale, step.variance]);
                of(s, t)[0] * of(0, s)[1]
            })?;
            let off = (1..=n)
                .map(|t| Ok(path[t] - schedule.between(0, t)?.scale * path[0]))
                .collect::<Result<Vec<f64>>>()?;
            let factor = covariance.cholesky()?;
            let white = factor.solve_lower(&Tensor::from_vec(off, [n, 1])?)?;
            let squares = white.mul(&white)?.sum();
            let log_volume: f64 = (0..n).map(|i| factor.get([i, i]).map(f64::ln)).sum::<Result<f64>>()?;
            let expected = -0.5 * (squares + n as f64 * TAU.ln()) - log_volume;
            Ok(relative(log_joint(&schedule, &path)?, expected))
        }),
        scheduled(
            "diffusion-joint.parts",
            ID,
            "a path is its beginning and its end: the logarithms of the densities add up",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let path = path(&schedule, z(case, 500), |i| z(case, i));
            let cut = some_step(case, &schedule, 0, 0);
            let begin = log_joint(&schedule, &path[..=cut])?;
            let end = if cut == schedule.steps() {
                0.0
            } else {
                log_joint(&Schedule::given(&schedule.betas()[cut..])?, &path[cut..])?
            };
            let whole = log_joint(&schedule, &path)?;
            Ok((whole - begin - end).abs() / (1.0 + begin.abs() + end.abs()))
        }),
        scheduled(
            "diffusion-joint.noises",
            ID,
            "of a path drawn with noises ε it is the density of the ε, less ½ Σ ln β",
        )
        .within("rounding", 1e-9)
        .check(|case| {
            let whole = schedule(case)?;
            let betas: Vec<f64> = whole.betas().iter().map(|b| b.max(1e-4)).collect();
            let schedule = Schedule::given(&betas)?;
            let path = path(&schedule, z(case, 5000), |i| z(case, i));
            let noises = (0..betas.len() as u64).map(|i| -0.5 * (TAU.ln() + z(case, i).powi(2))).sum::<f64>();
            let volume: f64 = betas.iter().map(|b| 0.5 * b.ln()).sum();
            Ok(relative(log_joint(&schedule, &path)?, noises - volume))
        }),
        Property::new(
            "diffusion-joint.refused",
            ID,
            "a path longer than the chain, and none at all, are refused",
        )
        .draw(Draw::size("steps", 1..=20).limited(1.0..=100.0))
        .holds(|case| {
            let steps = case.size("steps");
            let schedule = Schedule::given(&vec![0.5; steps])?;
            Ok(log_joint(&schedule, &vec![0.0; steps + 2]).is_err()
                && log_joint(&schedule, &[]).is_err()
                && log_joint(&schedule, &[1.0])? == 0.0)
        }),
    ]
}

fn claims() -> Vec<Property> {
    vec![
        scheduled(
            "diffusion-adds-noise.forgets",
            &["diffusion-adds-noise"],
            "with every step the distribution of xₜ comes nearer to N(0, 1), wherever x₀ was, and no nearer than the signal allows",
        )
        .draw(Draw::real("x0", -5.0..=5.0).limited(-1e3..=1e3))
        .holds(|case| {
            let (schedule, x0) = (schedule(case)?, case.real("x0"));
            let mut before = f64::INFINITY;
            for t in 1..=schedule.steps() {
                let [mean, variance] = schedule.between(0, t)?.carry([x0, 0.0]);
                let now = gaussian_kl([mean, variance], [0.0, 1.0]);
                // Both bounds but for rounding; ½(μ² + v − 1 − ln v) is at least ½μ².
                if !(now <= before + ROUNDING && now >= 0.5 * mean.powi(2) - ROUNDING) {
                    return Ok(false);
                }
                before = now;
            }
            Ok(true)
        }),
        scheduled(
            "diffusion-eps.covariance",
            &["diffusion-eps"],
            "independent noises, each carried on: what xₛ and xₜ share is √(ᾱₜ/ᾱₛ)·(1 − ᾱₛ)",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let s = 1 + some_step(case, &schedule, 1, 1) % t;
            let mut shared = 0.0;
            for k in 0..s as u64 {
                let path = path(&schedule, 0.0, |i| f64::from(u8::from(i == k)));
                shared += path[s] * path[t];
            }
            let expected = schedule.between(s, t)?.scale * schedule.between(0, s)?.variance;
            Ok((shared - expected).abs())
        }),
        scheduled(
            "diffusion-not-efficient.one-draw",
            &["diffusion-not-efficient", "diffusion-marginal"],
            "t draws add up to one: the squares of what each gives to xₜ have the sum 1 − ᾱₜ, and x₀ comes through by √ᾱₜ",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 0, 0);
            let through = path(&schedule, 1.0, |_| 0.0)[t];
            let squares: f64 = (0..t as u64)
                .map(|k| path(&schedule, 0.0, |i| f64::from(u8::from(i == k)))[t].powi(2))
                .sum();
            let alpha_bar = schedule.alpha_bar(t)?;
            Ok((through - alpha_bar.sqrt()).abs().max((squares - (1.0 - alpha_bar)).abs()))
        }),
    ]
}

fn alpha() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-alpha"];
    vec![
        scheduled(
            "diffusion-alpha.complement",
            ID,
            "α + β = 1, both strictly between 0 and 1, at every step",
        )
        .within("rounding", f64::EPSILON)
        .check(|case| {
            let schedule = schedule(case)?;
            let mut off = 0.0f64;
            for t in 1..=schedule.steps() {
                let (alpha, beta) = (schedule.alpha(t)?, schedule.beta(t)?);
                let inside = |x: f64| x > 0.0 && x < 1.0;
                off = off.max(if inside(alpha) && inside(beta) {
                    (alpha + beta - 1.0).abs()
                } else {
                    f64::INFINITY
                });
            }
            Ok(off)
        }),
        scheduled(
            "diffusion-alpha.variance",
            ID,
            "it is what a step leaves: the variance of numbers without noise is multiplied by it",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let (step, variance) = (schedule.step(t)?, z(case, 0).powi(2));
            let [_, after] = step.carry([0.0, variance]);
            Ok(relative(after, schedule.alpha(t)? * variance + schedule.beta(t)?))
        }),
        scheduled("diffusion-alpha.quotient", ID, "it is the quotient of two neighbours ᾱₜ and ᾱₜ₋₁")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let quotient = (schedule.log_alpha_bar(t)? - schedule.log_alpha_bar(t - 1)?).exp();
                Ok((quotient - schedule.alpha(t)?).abs())
            }),
        Property::new(
            "diffusion-alpha.named",
            &["diffusion-alpha", "diffusion-marginal"],
            "of a line it is 1 − βₜ, of a squared cosine and of a sigmoid the quotient of two neighbours ᾱₜ and ᾱₜ₋₁ by the closed formula, at least 0.001; ᾱₜ is their product",
        )
        .draw(Draw::size("steps", 1..=30).limited(1.0..=2000.0))
        .draw(Draw::choice("schedule", &["linear", "cosine", "sigmoid"]))
        .draw(Draw::log("first", 1e-4..=0.5).limited(1e-9..=0.999))
        .draw(Draw::log("last", 1e-4..=0.5).limited(1e-9..=0.999))
        .draw(Draw::real("start", -4.0..=-0.5))
        .draw(Draw::real("end", 0.5..=4.0))
        .draw(Draw::log("tau", 0.5..=2.0))
        .within("rounding of the differences of two sigmoids", 1e-9)
        .check(|case| {
            let (steps, kind) = (case.size("steps"), case.choice("schedule"));
            let [first, last, start, end, tau] = ["first", "last", "start", "end", "tau"].map(|name| case.real(name));
            case.label(kind);
            let schedule = match kind {
                "linear" => Schedule::linear(steps, first, last)?,
                "cosine" => Schedule::cosine(steps)?,
                _ => Schedule::sigmoid(steps, start, end, tau)?,
            };
            let g = |u: f64| 1.0 / (1.0 + (-(start + u * (end - start)) / tau).exp());
            // Up to a factor that is the same at every step.
            let left = |t: usize| match (kind, t as f64 / steps as f64) {
                ("cosine", u) => (FRAC_PI_2 * (u + 0.008) / 1.008).cos().powi(2),
                (_, u) => g(1.0) - g(u),
            };
            let (mut product, mut off) = (1.0, 0.0f64);
            for t in 1..=steps {
                let alpha = match kind {
                    "linear" => 1.0 - first - (last - first) * (t - 1) as f64 / (steps - 1).max(1) as f64,
                    _ => (left(t) / left(t - 1)).max(0.001),
                };
                product *= alpha;
                let [signal, noise] = schedule.scales(t)?;
                off = off
                    .max_or_nan((schedule.alpha(t)? - alpha).abs())
                    .max_or_nan((signal.powi(2) - product).abs())
                    .max_or_nan((noise.powi(2) - (1.0 - product)).abs());
            }
            Ok(off)
        }),
        Property::new(
            "diffusion-alpha.refused",
            ID,
            "a β that is not strictly between 0 and 1 is refused, by the step where it stands",
        )
        .draw(Draw::size("steps", 1..=10).limited(1.0..=100.0))
        .draw(Draw::choice("beta", &["0", "1", "-0.1", "1.5", "NaN", "inf"]))
        .draw(Draw::seed("values"))
        .holds(|case| {
            let (steps, beta) = (case.size("steps"), case.choice("beta"));
            let at = case.seed("values") as usize % steps;
            let Ok(beta) = beta.parse::<f64>() else {
                return Err(Failure::Error(format!("{beta} is no number")));
            };
            let mut betas = vec![0.5; steps];
            betas[at] = beta;
            let text = Schedule::given(&betas).map_or_else(|error| error.to_string(), |_| String::new());
            Ok(text.contains(&format!("at step {}", at + 1)))
        }),
    ]
}
