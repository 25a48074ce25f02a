//! Many steps at once.

use super::{ROUNDING, normal, relative, schedule, scheduled, some_step, z};
use crate::{Schedule, Transition, closed_form, forward_step};
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::math::normal_cdf;
use gradus_tensor::{Result, Scalar, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = alpha_bar();
    all.extend(telescope());
    all.extend(all_at_once());
    all.extend(marginal());
    all
}

fn alpha_bar() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-alpha-bar"];
    vec![
        scheduled("diffusion-alpha-bar.one", ID, "ᾱ₀ = 1: before the first step there is no noise, and the data is what it is, to the bit")
            .holds(|case| {
                let (schedule, x0) = (schedule(case)?, z(case, 0));
                let nothing = closed_form(x0, z(case, 1), schedule.log_alpha_bar(0)?);
                Ok(schedule.alpha_bar(0)? == 1.0 && schedule.scales(0)? == [1.0, 0.0] && nothing == x0)
            }),
        scheduled("diffusion-alpha-bar.recursion", ID, "ᾱₜ = αₜ·ᾱₜ₋₁, and ᾱ₁ = α₁")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut off = (schedule.alpha_bar(1)? - schedule.alpha(1)?).abs();
                for t in 1..=schedule.steps() {
                    let product = schedule.alpha(t)? * schedule.alpha_bar(t - 1)?;
                    off = off.max((schedule.alpha_bar(t)? / product - 1.0).abs());
                }
                Ok(off)
            }),
        scheduled("diffusion-alpha-bar.falls", ID, "with every step there is less of the data: ᾱ falls, strictly, and stays above 0")
            .holds(|case| {
                let schedule = schedule(case)?;
                let logs = (0..=schedule.steps()).map(|t| schedule.log_alpha_bar(t)).collect::<Result<Vec<_>>>()?;
                Ok(logs.windows(2).all(|pair| pair[1] < pair[0]) && logs.iter().all(|log| log.is_finite()))
            }),
        scheduled(
            "diffusion-alpha-bar.small",
            ID,
            "the noise 1 − ᾱₜ keeps all digits, however small: (1 − ᾱₜ₋₁)·αₜ + βₜ, which subtracts nothing",
        )
        .within("rounding, relative", 1e-12)
        .check(|case| {
            let whole = schedule(case)?;
            // As small as the steps of a fine schedule are, and smaller.
            let shrink = 10f64.powf(-12.0 * z(case, 9).abs().min(1.0));
            let betas: Vec<f64> = whole.betas().iter().map(|b| b * shrink).collect();
            let schedule = Schedule::given(&betas)?;
            let (mut noise, mut off) = (0.0, 0.0f64);
            for t in 1..=schedule.steps() {
                noise = noise * (1.0 - betas[t - 1]) + betas[t - 1];
                off = off.max((schedule.scales(t)?[1].powi(2) / noise - 1.0).abs());
            }
            Ok(off)
        }),
        Property::new("diffusion-alpha-bar.published", ID, "Ho's thousand steps leave 4.0358·10⁻⁵; a cosine over a thousand 2.4·10⁻⁹, with one β cut to 0.999")
            .within("printed digits", 1e-4)
            .check(|_| {
                let (ho, cosine) = (Schedule::ho2020(), Schedule::cosine(1000)?);
                let cut = cosine.betas().iter().filter(|&&b| b >= 0.999).count();
                let ho = ho.alpha_bar(1000)? / 4.0358e-5 - 1.0;
                let cosine = (cosine.alpha_bar(1000)? - 2.4e-9).abs() / 1e-6;
                Ok(if cut == 1 { ho.abs().max(cosine) } else { f64::INFINITY })
            }),
        scheduled("diffusion-alpha-bar.line", ID, "Ho's schedule is the line from 10⁻⁴ to 0.02; a cosine's ᾱₜ is cos²(π/2·(t/T + s)/(1 + s)) over that at 0, a sigmoid's (g(1) − g(t/T))/(g(1) − g(0)), but for the last step, which is cut")
            .within("rounding", 1e-9)
            .check(|case| {
                let steps = case.size("steps");
                let angle = |t: usize| std::f64::consts::FRAC_PI_2 * (t as f64 / steps as f64 + 0.008) / 1.008;
                let cosine = Schedule::cosine(steps)?;
                let mut off = 0.0f64;
                for t in 0..steps {
                    let expected = (angle(t).cos() / angle(0).cos()).powi(2);
                    off = off.max((cosine.alpha_bar(t)? - expected).abs());
                }
                let sigmoid = Schedule::sigmoid(steps, -3.0, 2.0, 0.7)?;
            let g = |u: f64| 1.0 / (1.0 + (-(-3.0 + 5.0 * u) / 0.7).exp());
            for t in 0..steps {
                let expected = (g(1.0) - g(t as f64 / steps as f64)) / (g(1.0) - g(0.0));
                off = off.max((sigmoid.alpha_bar(t)? - expected).abs());
            }
            let (ho, line) = (Schedule::ho2020(), Schedule::linear(1000, 1e-4, 0.02)?);
                Ok(if ho == line { off } else { f64::INFINITY })
            }),
        scheduled("diffusion-alpha-bar.spaced", ID, "the steps that a sampler stops at begin at T, fall, and are as many as were asked for; none is 0")
            .holds(|case| {
                let schedule = schedule(case)?;
                let count = some_step(case, &schedule, 1, 3);
                let steps = schedule.spaced(count)?;
                let falls = steps.windows(2).all(|pair| pair[1] < pair[0]);
                // Nearly equal parts: no two gaps differ by more than one.
                let mut gaps: Vec<usize> = steps.windows(2).map(|pair| pair[0] - pair[1]).collect();
                gaps.push(*steps.last().unwrap_or(&0));
                let even = gaps.iter().max().zip(gaps.iter().min()).is_some_and(|(most, least)| most - least <= 1);
                let refused = schedule.spaced(0).is_err() && schedule.spaced(schedule.steps() + 1).is_err();
                Ok(steps[0] == schedule.steps() && steps.len() == count && falls && even && !steps.contains(&0) && refused)
            }),
        Property::refutation("diffusion-alpha-bar.printed", ID, "the product from s = 0, over an array that begins at 0, is 1 at t = 0")
            .draw(Draw::real("beta", 0.01..=0.9))
            .within("rounding", ROUNDING)
            .check(|case| {
                let alphas = [1.0 - case.real("beta"), 0.5];
                let printed = |t: usize| alphas[..=t].iter().product::<f64>();
                Ok((printed(0) - 1.0).abs())
            }),
    ]
}

fn telescope() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-telescope"];
    let two = |property: Property| {
        property
            .draw(Draw::real("first", 0.01..=0.99))
            .draw(Draw::real("second", 0.01..=0.99))
            .draw(Draw::real("x0", -5.0..=5.0))
    };
    let pair = |case: &Case<'_>| Schedule::given(&[case.real("first"), case.real("second")]);
    // √αₜ·xₜ₋₂ + √(1 − αₜ)·ε.
    let printed = |case: &Case<'_>| Transition {
        scale: (1.0 - case.real("second")).sqrt(),
        variance: case.real("second"),
    };
    vec![
        scheduled("diffusion-telescope.cut", ID, "cut anywhere, the two stretches make the whole: scale √(ᾱₜ/ᾱₛ), variance 1 − ᾱₜ/ᾱₛ")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut cuts = [0, 1, 2].map(|which| some_step(case, &schedule, 0, which));
                cuts.sort_unstable();
                let [s, u, t] = cuts;
                case.classify(s == u || u == t, "one of them empty");
                let (whole, parts) = (schedule.between(s, t)?, schedule.between(s, u)?.then(schedule.between(u, t)?));
                let ratio = schedule.alpha_bar(t)? / schedule.alpha_bar(s)?;
                Ok((whole.scale - parts.scale)
                    .abs()
                    .max((whole.variance - parts.variance).abs())
                    .max((whole.scale.powi(2) - ratio).abs())
                    .max((whole.variance - (1.0 - ratio)).abs()))
            }),
        scheduled("diffusion-telescope.steps", ID, "t steps one after the other are one of the scale √ᾱₜ and the variance 1 − ᾱₜ")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut all = Transition { scale: 1.0, variance: 0.0 };
                for t in 1..=schedule.steps() {
                    all = all.then(schedule.step(t)?);
                }
                let whole = schedule.between(0, schedule.steps())?;
                Ok((all.scale - whole.scale).abs().max((all.variance - whole.variance).abs()))
            }),
        Property::new("diffusion-telescope.associative", ID, "of three steps it does not matter which two are merged first, nor does merging change where one comes to")
            .draw(Draw::seed("values"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let step = |i: u64| Transition { scale: z(case, 2 * i), variance: z(case, 2 * i + 1).powi(2) };
                let (a, b, c) = (step(0), step(1), step(2));
                let (left, right) = (a.then(b).then(c), a.then(b.then(c)));
                let state = [z(case, 20), z(case, 21).powi(2)];
                let (at_once, one_by_one) = (left.carry(state), c.carry(b.carry(a.carry(state))));
                Ok(relative(left.scale, right.scale)
                    .max(relative(left.variance, right.variance))
                    .max(relative(at_once[0], one_by_one[0]))
                    .max(relative(at_once[1], one_by_one[1])))
            }),
        two(Property::new("diffusion-telescope.noise", ID, "the two noises add up: αₜβₜ₋₁ + βₜ = 1 − αₜαₜ₋₁"))
            .within("rounding", ROUNDING)
            .check(move |case| {
                let schedule = pair(case)?;
                let (a1, a2) = (schedule.alpha(1)?, schedule.alpha(2)?);
                let [mean, variance] = schedule.between(0, 2)?.carry([case.real("x0"), 0.0]);
                let noise = a2 * schedule.beta(1)? + schedule.beta(2)?;
                Ok((variance - noise)
                    .abs()
                    .max((variance - (1.0 - a1 * a2)).abs())
                    .max((mean - (a1 * a2).sqrt() * case.real("x0")).abs()))
            }),
        two(Property::new(
            "diffusion-telescope.blind",
            ID,
            "a test of the variance sees nothing: data of variance 1 keeps it by the right form and by the printed one",
        ))
        .within("rounding", ROUNDING)
        .check(move |case| {
            let right = pair(case)?.between(0, 2)?;
            let variance = |step: Transition| step.carry([0.0, 1.0])[1];
            Ok((variance(right) - 1.0).abs().max((variance(printed(case)) - 1.0).abs()))
        }),
        two(Property::refutation("diffusion-telescope.printed", ID, "after two steps the mean is √αₜ·xₜ₋₂"))
            .within("rounding", ROUNDING)
            .check(move |case| {
                let schedule = pair(case)?;
                let right = schedule.step(1)?.then(schedule.step(2)?).carry([case.real("x0"), 0.0]);
                Ok((printed(case).carry([case.real("x0"), 0.0])[0] - right[0]).abs())
            }),
    ]
}

/// The merged noise of t steps: Σₛ √(ᾱₜ/ᾱₛ·βₛ)·εₛ₋₁ over √(1 − ᾱₜ).
fn merged(schedule: &Schedule, t: usize, noise: impl Fn(u64) -> f64) -> Result<f64> {
    let mut sum = 0.0;
    for s in 1..=t {
        sum += schedule.between(s, t)?.scale * schedule.beta(s)?.sqrt() * noise(s as u64 - 1);
    }
    Ok(sum / schedule.scales(t)?[1])
}

/// t steps, one after the other.
fn stepwise(schedule: &Schedule, t: usize, x0: f64, noise: impl Fn(u64) -> f64) -> f64 {
    let betas = schedule.betas()[..t].iter().enumerate();
    betas.fold(x0, |x, (i, &beta)| forward_step(x, noise(i as u64), beta))
}

fn all_at_once() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-closed-form"];
    vec![
        scheduled("diffusion-closed-form.merged", ID, "draw by draw: t steps are the closed form with the merged noise")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let (x0, noise) = (z(case, 999), |i| z(case, i));
                let at_once = closed_form(x0, merged(&schedule, t, noise)?, schedule.log_alpha_bar(t)?);
                Ok((at_once - stepwise(&schedule, t, x0, noise)).abs())
            }),
        scheduled("diffusion-closed-form.unit", ID, "the merged noise is standard normal: the squares of its weights have the sum 1")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let t = some_step(case, &schedule, 1, 0);
                let mut squares = 0.0;
                for k in 0..t as u64 {
                    squares += merged(&schedule, t, |i| f64::from(u8::from(i == k)))?.powi(2);
                }
                Ok((squares - 1.0).abs())
            }),
        scheduled(
            "diffusion-closed-form.correlation",
            ID,
            "its correlation with the chain's first noise is √(ᾱₜ/ᾱ₁·β₁/(1 − ᾱₜ)): 1 after one step, and less after more",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let schedule = schedule(case)?;
            let t = some_step(case, &schedule, 1, 0);
            let first = merged(&schedule, t, |i| f64::from(u8::from(i == 0)))?;
            let [_, noise] = schedule.scales(t)?;
            let expected = schedule.between(1, t)?.scale * schedule.beta(1)?.sqrt() / noise;
            let less = if t == 1 { (first - 1.0).abs() } else if first < 1.0 { 0.0 } else { f64::INFINITY };
            Ok((first - expected).abs().max(less))
        }),
        scheduled("diffusion-closed-form.batch", ID, "of a batch each sample is noised by its own number of steps, as the numbers one by one; at step 0 to the bit")
            .draw(Draw::size("n", 1..=5).limited(1.0..=64.0))
            .draw(Draw::size("d", 1..=6).limited(1.0..=40_000.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (schedule, n, d) = (schedule(case)?, case.size("n"), case.size("d"));
                let (x0, noise) = (normal(case, 0, &[n, d])?, normal(case, 1, &[n, d])?);
                let t: Vec<usize> = (0..n as u64).map(|i| some_step(case, &schedule, 0, i)).collect();
                let noisy = schedule.diffuse(&x0, &t, &noise)?;
                let mut off = 0.0f64;
                for (i, ((&x, &e), &y)) in x0.as_slice().iter().zip(noise.as_slice()).zip(noisy.as_slice()).enumerate() {
                    let t = t[i / d];
                    off = off.max((closed_form(x, e, schedule.log_alpha_bar(t)?) - y).abs());
                    off = if t == 0 && x != y { f64::INFINITY } else { off };
                }
                let other = schedule.diffuse(&x0, &t[1..], &noise).is_err();
                let beyond = schedule.diffuse(&x0, &vec![schedule.steps() + 1; n], &noise).is_err();
                Ok(if other && beyond { off } else { f64::INFINITY })
            }),
        Property::new(
            "diffusion-closed-form.small",
            &["diffusion-closed-form", "diffusion-marginal"],
            "after one step the variance of the noise is β₁, to all digits, however small",
        )
        .draw(Draw::log("beta", 1e-12..=1e-3).limited(1e-300..=0.1))
        .within("rounding of a logarithm, an exponential and a root, relative", 8.0 * f64::EPSILON)
        .check(|case| {
            let beta = case.real("beta");
            let schedule = Schedule::given(&[beta])?;
            let number: f64 = closed_form(0.0, 1.0, schedule.log_alpha_bar(1)?);
            let tensor = schedule.diffuse(&Tensor::from([[0.0]]), &[1], &Tensor::from([[1.0]]))?.item()?;
            let squares = [number, tensor, schedule.scales(1)?[1]].map(|noise| noise.powi(2));
            Ok(squares.into_iter().map(|square| (square / beta - 1.0).abs()).fold(0.0, f64::max_or_nan))
        }),
        Property::refutation("diffusion-closed-form.printed", ID, "xₜ is √ᾱₜ·x₀ + √(1 − ᾱₜ)·ε₀ with the chain's first noise ε₀")
            .draw(Draw::real("first", 0.01..=0.99))
            .draw(Draw::real("second", 0.01..=0.99))
            .draw(Draw::real("noise0", -3.0..=3.0))
            .draw(Draw::real("noise1", -3.0..=3.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = Schedule::given(&[case.real("first"), case.real("second")])?;
                let noises = [case.real("noise0"), case.real("noise1")];
                let chain = stepwise(&schedule, 2, 3.0, |i| noises[i as usize]);
                Ok((closed_form(3.0, noises[0], schedule.log_alpha_bar(2)?) - chain).abs())
            }),
    ]
}

fn marginal() -> Vec<Property> {
    const ID: &[&str] = &["diffusion-marginal"];
    vec![
        scheduled("diffusion-marginal.squares", ID, "the squares of signal and noise have the sum 1 at every step")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut off = 0.0f64;
                for t in 0..=schedule.steps() {
                    let [signal, noise] = schedule.scales(t)?;
                    off = off.max((signal.powi(2) + noise.powi(2) - 1.0).abs());
                }
                Ok(off)
            }),
        scheduled("diffusion-marginal.propagation", ID, "mean and variance carried through every step, nothing drawn, are √ᾱₜ·x₀ and 1 − ᾱₜ")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (schedule, x0) = (schedule(case)?, z(case, 0));
                let (mut state, mut off) = ([x0, 0.0], 0.0f64);
                for t in 1..=schedule.steps() {
                    state = schedule.step(t)?.carry(state);
                    let alpha_bar = schedule.alpha_bar(t)?;
                    off = off.max((state[0] - alpha_bar.sqrt() * x0).abs()).max((state[1] - (1.0 - alpha_bar)).abs());
                }
                Ok(off)
            }),
        scheduled("diffusion-marginal.snr", ID, "ᾱₜ/(1 − ᾱₜ), the signal over the noise, is infinite at 0 and falls with every step")
            .within("rounding", ROUNDING)
            .check(|case| {
                let schedule = schedule(case)?;
                let mut before = schedule.log_snr(0)?;
                let mut off = if before == f64::INFINITY { 0.0 } else { f64::INFINITY };
                for t in 1..=schedule.steps() {
                    let (now, [signal, noise]) = (schedule.log_snr(t)?, schedule.scales(t)?);
                    off = off.max(relative(now, 2.0 * (signal / noise).ln()));
                    off = if now < before { off } else { f64::INFINITY };
                    before = now;
                }
                Ok(off)
            }),
        scheduled("diffusion-marginal.distribution", ID, "drawn through all steps, xₜ has that distribution: no place where the shares of draws below differ by more than chance allows")
            .within("chance of 10⁻⁹ (Dvoretzky, Kiefer and Wolfowitz)", 1.0)
            .costly(32)
            .check(|case| {
                const N: u64 = 2048;
                let schedule = schedule(case)?;
                let (t, x0) = (some_step(case, &schedule, 1, 0), z(case, 1 << 30));
                let [mean, variance] = schedule.between(0, t)?.carry([x0, 0.0]);
                let mut draws: Vec<f64> = (0..N)
                    .map(|n| stepwise(&schedule, t, x0, |i| z(case, n * t as u64 + i)))
                    .map(|x| normal_cdf((x - mean) / variance.sqrt()))
                    .collect();
                draws.sort_by(f64::total_cmp);
                let off = draws.iter().enumerate().map(|(i, p)| {
                    let (low, high) = (i as f64 / N as f64, (i + 1) as f64 / N as f64);
                    (p - low).max(high - p)
                });
                let most = off.fold(0.0f64, f64::max);
                Ok(most / ((2e9f64).ln() / (2.0 * N as f64)).sqrt())
            }),
        scheduled("diffusion-marginal.single", ID, "in single precision a batch is noised as in double, to single rounding")
            .within("single rounding", 4.0 * f64::from(f32::EPSILON))
            .check(|case| {
                let schedule = schedule(case)?;
                let t = [some_step(case, &schedule, 0, 0)];
                let (x0, noise) = (normal(case, 0, &[1, 9])?, normal(case, 1, &[1, 9])?);
                let single = schedule.diffuse(&x0.cast::<f32>(), &t, &noise.cast::<f32>())?;
                let double: Tensor<f64> = schedule.diffuse(&x0, &t, &noise)?;
                Ok(single.cast::<f64>().max_difference(&double)? / (1.0 + double.abs().max()?))
            }),
    ]
}
