//! Of laws: uniform, normal, truncated; gains; orthogonal matrices.

use super::{N, Z, distance_from, mean, relative};
use crate::quadrature::{density, integral, normal_mean};
use crate::{
    Gain, Law, Normal, Stream, TruncatedNormal, Uniform, gain_of, normal_quantile, orthogonal,
    truncated_variance,
};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::math::normal_cdf;
use gradus_tensor::{Scalar, Tensor, rng};
use rand_distr::Distribution;

pub(super) fn properties() -> Vec<Property> {
    let mut all = normals();
    all.extend(truncated());
    all.extend(gains());
    all.extend(orthogonals());
    all
}

/// N draws of a law, of a stream or of a generator.
fn draws(case: &Case<'_>, law: Law) -> Result<Vec<f64>, Failure> {
    let seed = case.seed("seed");
    if case.choice("source") == "generator" {
        let mut rng = rng(seed);
        return Ok((0..N).map(|_| law.sample(&mut rng)).collect());
    }
    Ok(law.tensor::<f64>([N], Stream::new(seed))?.into_vec())
}

/// A property of draws of variance `variance`.
fn drawn(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::log("variance", 1e-4..=100.0).limited(1e-30..=1e30))
        .draw(Draw::choice("source", &["stream", "generator"]))
        .draw(Draw::seed("seed"))
}

/// How far mean and variance of draws are off, in standard errors; κ is the law's fourth moment over its variance squared.
fn moments_off(x: &[f64], variance: f64, kurtosis: f64) -> f64 {
    let n = x.len() as f64;
    let centre = mean(x, |x| x);
    let spread = mean(x, |x| (x - centre).powi(2));
    let in_mean = centre.abs() / (variance / n).sqrt();
    in_mean.max((spread / variance - 1.0).abs() / ((kurtosis - 1.0) / n).sqrt())
}

fn normals() -> Vec<Property> {
    vec![
        drawn(
            "xavier-gaussian.moments",
            &["xavier-gaussian"],
            "draws have mean 0 and the variance that was asked for",
        )
        .within("6.5 standard errors, false alarms below 1e-9", Z)
        .check(|case| {
            let v = case.real("variance");
            Ok(moments_off(&draws(case, Law::Normal(Normal::of_variance(v)?))?, v, 3.0))
        }),
        drawn(
            "xavier-gaussian.distribution",
            &["xavier-gaussian"],
            "their distribution function is the normal's",
        )
        .within("3.27/√N, false alarms below 1e-9 (DKW)", 3.27)
        .check(|case| {
            let v = case.real("variance");
            let x = draws(case, Law::Normal(Normal::of_variance(v)?))?;
            Ok(distance_from(x, |x| normal_cdf(x / v.sqrt())))
        }),
        Property::new(
            "xavier-gaussian.affine",
            &["xavier-gaussian"],
            "each draw is mean + std·z, z the stream's normal",
        )
        .draw(Draw::real("mean", -10.0..=10.0))
        .draw(Draw::log("std", 1e-3..=1e3))
        .draw(Draw::size("n", 1..=600))
        .draw(Draw::seed("seed"))
        .check(|case| {
            let (mean, std) = (case.real("mean"), case.real("std"));
            let stream = Stream::new(case.seed("seed"));
            let x = Law::Normal(Normal::new(mean, std)?).tensor::<f64>([case.size("n")], stream)?;
            let at = |i: usize| Scalar::mul_add(std, stream.normal_at::<f64>(i as u64), mean);
            Ok(x.as_slice().iter().enumerate().map(|(i, &x)| (x - at(i)).abs()).sum())
        }),
        Property::refutation(
            "xavier-gaussian.printed",
            &["xavier-gaussian"],
            "a normal with the standard deviation 1/n has the variance 1/n",
        )
        .draw(Draw::size("n", 1..=1000))
        .check(|case| {
            let v = 1.0 / case.size("n") as f64;
            Ok((Law::Normal(Normal::new(0.0, v)?).variance() - v).abs())
        }),
        drawn(
            "init-uniform.moments",
            &["init-uniform"],
            "draws have mean 0 and the variance that was asked for",
        )
        .within("6.5 standard errors, false alarms below 1e-9", Z)
        .check(|case| {
            let v = case.real("variance");
            Ok(moments_off(&draws(case, Law::Uniform(Uniform::of_variance(v)?))?, v, 1.8))
        }),
        drawn(
            "init-uniform.distribution",
            &["init-uniform"],
            "their distribution function is a straight line",
        )
        .within("3.27/√N, false alarms below 1e-9 (DKW)", 3.27)
        .check(|case| {
            let v = case.real("variance");
            let bound = (3.0 * v).sqrt();
            let x = draws(case, Law::Uniform(Uniform::of_variance(v)?))?;
            Ok(distance_from(x, |x| (0.5 + 0.5 * x / bound).clamp(0.0, 1.0)))
        }),
        Property::new(
            "init-uniform.support",
            &["init-uniform"],
            "no draw is beyond a bound, in single precision either",
        )
        .draw(Draw::real("low", -10.0..=10.0))
        .draw(Draw::log("width", 1e-3..=10.0))
        .draw(Draw::size("n", 1..=600))
        .draw(Draw::seed("seed"))
        .holds(|case| {
            let low = case.real("low");
            let high = low + case.real("width");
            let law = Law::Uniform(Uniform::new(low, high)?);
            let stream = Stream::new(case.seed("seed"));
            let x = law.tensor::<f32>([case.size("n")], stream)?;
            Ok(x.as_slice().iter().all(|x| (low as f32..=high as f32).contains(x)))
        }),
    ]
}

fn truncated() -> Vec<Property> {
    vec![
        Property::new(
            "truncated-normal.integral",
            &["truncated-normal"],
            "the closed form is the integral of x²φ(x) over ±c, over the mass",
        )
        .draw(Draw::log("c", 0.01..=8.0).limited(1e-6..=8.0))
        .within("cancellation near c = ½", 1e-12)
        .check(|case| {
            let c = case.real("c");
            case.classify(c < 0.5, "by the integral");
            let of = |power: i32| integral(-c, c, 64, |x| x.powi(power) * density(x));
            Ok(relative(truncated_variance(c), of(2) / of(0)))
        }),
        Property::new(
            "truncated-normal.limits",
            &["truncated-normal"],
            "it rises from c²/3, the uniform's, towards 1, the whole normal's",
        )
        .draw(Draw::log("c", 1e-3..=8.0).limited(1e-6..=8.0))
        .holds(|case| {
            let c = case.real("c");
            let v = truncated_variance(c);
            Ok(v < 1.0 && v < c * c / 3.0 && v > c * c / 3.0 * (1.0 - c * c) && v < truncated_variance(1.01 * c))
        }),
        drawn(
            "truncated-normal.promise",
            &["truncated-normal"],
            "draws have the variance that was asked for, though the tails are cut",
        )
        .within("6.5 standard errors, false alarms below 1e-9", Z)
        .check(|case| {
            let v = case.real("variance");
            // The fourth moment of the normal cut at ±2 is 1.4161, its variance 0.77374: κ = 2.3654.
            Ok(moments_off(&draws(case, Law::TruncatedNormal(TruncatedNormal::of_variance(v)?))?, v, 2.3654))
        }),
        Property::new(
            "truncated-normal.distribution",
            &["truncated-normal"],
            "between any bounds, draws have the normal's distribution function, scaled; and the mean and variance that are said",
        )
        .draw(Draw::real("low", -12.0..=12.0).limited(-20.0..=20.0))
        .draw(Draw::log("width", 0.01..=10.0).limited(1e-3..=40.0))
        .draw(Draw::choice("source", &["stream", "generator"]))
        .draw(Draw::seed("seed"))
        .within("3.27/√N, false alarms below 1e-9 (DKW)", 3.27)
        .check(|case| {
            let low = case.real("low");
            let high = low + case.real("width");
            let law = TruncatedNormal::new(0.0, 1.0, low, high)?;
            let x = draws(case, Law::TruncatedNormal(law))?;
            let inside = x.iter().all(|x| (low..=high).contains(x));
            // On the left, tails keep their digits.
            let mirror = low > 0.0;
            let (a, b) = if mirror { (-high, -low) } else { (low, high) };
            let (below, mass) = (normal_cdf(a), normal_cdf(b) - normal_cdf(a));
            let cdf = |x: f64| (normal_cdf(x) - below) / mass;
            let centre = mean(&x, |x| x);
            let off = (centre - law.mean()).abs() / (law.variance() / N as f64).sqrt();
            let distance = distance_from(x, |x| if mirror { 1.0 - cdf(-x) } else { cdf(x) });
            Ok(if inside && off < Z { distance } else { f64::INFINITY })
        }),
        Property::new(
            "truncated-normal.moments",
            &["truncated-normal"],
            "between any bounds, or with one of them alone, mean and variance are the integrals of the density",
        )
        .draw(Draw::real("low", -12.0..=12.0).limited(-20.0..=20.0))
        .draw(Draw::log("width", 0.01..=10.0).limited(1e-3..=40.0))
        .draw(Draw::choice("open", &["neither", "below", "above"]))
        .draw(Draw::real("mean", -3.0..=3.0))
        .draw(Draw::log("std", 0.1..=10.0))
        .within("a few ulp, of the second moment where the closed form cancels", 64.0 * f64::EPSILON)
        .check(|case| {
            let (mean, std, open) = (case.real("mean"), case.real("std"), case.choice("open"));
            let (low, high) = (case.real("low"), case.real("low") + case.real("width"));
            let low = if open == "below" { f64::NEG_INFINITY } else { mean + std * low };
            let high = if open == "above" { f64::INFINITY } else { mean + std * high };
            let law = TruncatedNormal::new(mean, std, low, high)?;
            // In deviations, with the rounding that the law has too, and from the most likely place on: near it the
            // distances keep their digits, and 13 deviations further nothing is left.
            let (a, b) = ((low - mean) / std, (high - mean) / std);
            let near = 0.0f64.clamp(a, b);
            let (from, to) = ((a - near).max(-13.0), (b - near).min(13.0));
            let of = |f: &dyn Fn(f64) -> f64| integral(from, to, 64, |d| f(d) * (-d * (near + 0.5 * d)).exp());
            let mass = of(&|_| 1.0);
            let away = of(&|d| d) / mass;
            let (centre, variance) = (near + away, of(&|d| (d - away).powi(2)) / mass);
            let narrow = b - a < 1.0;
            case.classify(narrow, "by the integral");
            case.classify(a > 0.0, "above the mean");
            let in_mean = (law.mean() - (mean + std * centre)).abs() / (mean.abs() + std * (1.0 + centre.abs()));
            let size = if narrow { variance } else { 1.0 + centre * centre };
            Ok(in_mean.max_or_nan((law.variance() / (std * std) - variance).abs() / size))
        }),
        Property::new("truncated-normal.quantile", &["truncated-normal"], "Φ⁻¹ inverts Φ, far into the tail")
            .draw(Draw::real("x", -30.0..=5.0).limited(-37.0..=5.0))
            .within("Φ's slope times a few ulp", 1e-12)
            .check(|case| {
                let x = case.real("x");
                Ok((normal_quantile(normal_cdf(x)) - x).abs() / (1.0 + x.abs()) * (-0.5 * x.max(0.0) * x).exp())
            }),
        Property::refutation(
            "truncated-normal.uncorrected",
            &["truncated-normal"],
            "a normal of variance v that is cut at two deviations still has the variance v",
        )
        .draw(Draw::log("v", 1e-3..=1e3))
        .within("the rounding of a closed form", 1e-12)
        .check(|case| {
            let v = case.real("v");
            let std = v.sqrt();
            Ok(relative(TruncatedNormal::new(0.0, std, -2.0 * std, 2.0 * std)?.variance(), v))
        }),
    ]
}

fn gains() -> Vec<Property> {
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    vec![
        Property::new(
            "init-gain.leaky",
            &["init-gain", "he-var"],
            "for a leaky ReLU the integral gives √(2/(1 + a²))",
        )
        .draw(Draw::real("a", -3.0..=3.0).limited(-1e3..=1e3))
        .within("the integral's rounding", 1e-13)
        .check(|case| {
            let a = case.real("a");
            let gain = gain_of(|z| if z > 0.0 { z } else { a * z })?;
            Ok(relative(gain, Gain::LeakyRelu(a).value()))
        }),
        Property::new(
            "init-gain.homogeneous",
            &["init-gain"],
            "an activation c times as steep has 1/|c| of the gain",
        )
        .draw(Draw::real("c", 0.01..=10.0).limited(1e-3..=1e3))
        .draw(Draw::real("a", -3.0..=3.0).limited(-1e3..=1e3))
        .within("the integral's rounding", 1e-13)
        .check(|case| {
            let (c, a) = (case.real("c"), case.real("a"));
            let f = move |z: f64| if z > 0.0 { z } else { a * z };
            Ok(relative(gain_of(|z| c * f(z))? * c, gain_of(f)?))
        }),
        Property::new("init-gain.powers", &["init-gain"], "for zᵏ it is 1/√(1·3·5⋯(2k − 1))")
            .draw(Draw::integer("k", 0..=6).limited(0.0..=8.0))
            .within("the integral's rounding", 1e-12)
            .check(|case| {
                let k = case.integer("k") as i32;
                let moment: f64 = (1..=k).map(|i| f64::from(2 * i - 1)).product();
                Ok(relative(gain_of(|z| z.powi(k))?, 1.0 / moment.sqrt()))
            }),
        Property::new("init-gain.constants", &["init-gain"], "the gains of GELU and SiLU are the integral's")
            .within("the integral's rounding", 1e-14)
            .check(move |_| {
                let gelu = relative(gain_of(|z| z * normal_cdf(z))?, Gain::Gelu.value());
                Ok(gelu.max(relative(gain_of(|z| z * sigmoid(z))?, Gain::Silu.value())))
            }),
        Property::refutation(
            "he-var.printed-reason",
            &["he-var"],
            "a ReLU halves the variance of a standard normal: Var(relu(z)) = ½",
        )
        .within("the integral's rounding", 1e-13)
        .check(|_| {
            let relu = |z: f64| z.max(0.0);
            let mean = normal_mean(relu);
            Ok((normal_mean(|z| relu(z).powi(2)) - mean * mean - 0.5).abs())
        }),
        Property::new(
            "he-var.reason",
            &["he-var"],
            "a ReLU halves the second moment, and leaves ½ − 1/(2π) of the variance",
        )
        .within("the integral's rounding", 1e-13)
        .check(|_| {
            let (mean, moment) = (normal_mean(|z| z.max(0.0)), normal_mean(|z| z.max(0.0).powi(2)));
            let variance = 0.5 - 0.5 / std::f64::consts::PI;
            Ok((moment - 0.5).abs().max((moment - mean * mean - variance).abs()))
        }),
    ]
}

fn orthogonals() -> Vec<Property> {
    let shaped = |id, statement| {
        Property::new(id, &["orthogonal-init"], statement)
            .draw(Draw::size("rows", 1..=12))
            .draw(Draw::size("cols", 1..=12))
            .draw(Draw::real("gain", -3.0..=3.0).limited(-1e3..=1e3))
            .draw(Draw::seed("seed"))
    };
    let of = |case: &Case<'_>| -> Result<Tensor<f64>, Failure> {
        let shape = [case.size("rows"), case.size("cols")];
        Ok(orthogonal(shape, case.real("gain"), Stream::new(case.seed("seed")))?)
    };
    vec![
        shaped("orthogonal-init.gram", "the shorter side's products are gain²·I")
            .within("Householder's rounding", 1e-13)
            .check(move |case| {
                let (w, gain) = (of(case)?, case.real("gain"));
                let wt = w.transpose()?;
                let gram = if w.dims()[0] < w.dims()[1] { w.matmul(&wt)? } else { wt.matmul(&w)? };
                let want = Tensor::eye(gram.dims()[0])?.scale(gain * gain);
                Ok(gram.max_difference(&want)? / (1.0 + gain * gain))
            }),
        shaped("orthogonal-init.gain", "the gain scales every weight, exactly")
            .check(move |case| {
                let shape = [case.size("rows"), case.size("cols")];
                let plain = orthogonal::<f64>(shape, 1.0, Stream::new(case.seed("seed")))?;
                Ok(of(case)?.max_difference(&plain.scale(case.real("gain")))?)
            }),
        Property::new(
            "orthogonal-init.kernel",
            &["orthogonal-init"],
            "a kernel is the matrix of its first size by all others",
        )
        .draw(Draw::size("o", 1..=6))
        .draw(Draw::size("i", 1..=4))
        .draw(Draw::size("k", 1..=3))
        .draw(Draw::seed("seed"))
        .check(|case| {
            let [o, i, k] = ["o", "i", "k"].map(|name| case.size(name));
            let stream = Stream::new(case.seed("seed"));
            let kernel = orthogonal::<f64>([o, i, k, k], 1.0, stream)?;
            Ok(kernel.reshape([o, i * k * k])?.max_difference(&orthogonal([o, i * k * k], 1.0, stream)?)?)
        }),
        Property::new(
            "orthogonal-init.haar",
            &["orthogonal-init"],
            "the first weight of an n×n matrix is spread as a coordinate of a random direction: mean 0, second moment 1/n, and so is the diagonal's sum, of variance 1",
        )
        .draw(Draw::size("n", 2..=5).limited(2.0..=12.0))
        .draw(Draw::seed("seed"))
        .within("6.5 standard errors, false alarms below 1e-9", Z)
        .check(|case| {
            let (n, seed) = (case.size("n"), case.seed("seed"));
            let count = 500u64;
            let (mut first, mut square, mut trace, mut trace_square) = (0.0, 0.0, 0.0, 0.0);
            for i in 0..count {
                let w = orthogonal::<f64>([n, n], 1.0, Stream::new(seed).substream(i))?;
                let w = w.as_slice();
                let sum: f64 = (0..n).map(|k| w[k * (n + 1)]).sum();
                first += w[0];
                square += w[0] * w[0];
                trace += sum;
                trace_square += sum * sum;
            }
            // Standard errors: √(1/n), at most ½ for a number on [0, 1], 1 for a trace, √2 (a little less) for its square.
            let (n, count) = (n as f64, count as f64);
            let off = |sum: f64, want: f64, deviation: f64| (sum / count - want).abs() * count.sqrt() / deviation;
            let of_first = off(first, 0.0, (1.0 / n).sqrt()).max(off(square, 1.0 / n, 0.5));
            Ok(of_first.max(off(trace, 0.0, 1.0)).max(off(trace_square, 1.0, 2f64.sqrt())))
        }),
    ]
}
