//! Every batch that there is, one after the other: what is said of expectations is exact.

use super::{ROUNDING, STEPS, apart, relative, slopes};
use crate::{GradientNoise, Optimizer, Sampling, Sgd};
use gradus_autograd::Var;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Tensor, rng, tensor_of};
use rand::seq::SliceRandom;

const ID: &[&str] = &["sgd-expectation"];

fn samples(id: &'static str, most: i64, statement: &'static str) -> Property {
    Property::new(id, ID, statement)
        .draw(Draw::size("n", 1..=most).limited(1.0..=most as f64))
        .draw(Draw::size("d", 1..=3))
        .draw(Draw::array("gradients", -10.0..=10.0, &["n", "d"]))
}

/// The same, and the size of a batch: `share` of what there is.
fn batches(id: &'static str, most: i64, statement: &'static str) -> Property {
    samples(id, most, statement).draw(Draw::real("share", 0.0..=1.0).limited(0.0..=1.0))
}

fn noise(case: &Case<'_>) -> Result<GradientNoise, Failure> {
    Ok(GradientNoise::new(&tensor_of(case.array("gradients"))?)?)
}

fn batch_size(case: &mut Case<'_>, most: usize) -> usize {
    let m = 1 + ((most - 1) as f64 * case.real("share")).round() as usize;
    case.classify(m == 1, "one sample");
    case.classify(m == most, "all samples");
    m
}

/// Every set of m of n numbers.
fn subsets(n: usize, m: usize) -> Vec<Vec<u32>> {
    let chosen = |bits: u32| (0..n as u32).filter(|i| bits >> i & 1 == 1).collect::<Vec<_>>();
    (0..1u32 << n).map(chosen).filter(|set| set.len() == m).collect()
}

/// Every row of m of n numbers, each of which may come again.
fn rows(n: usize, m: usize) -> Vec<Vec<u32>> {
    let digits = |k: usize| (0..m as u32).map(|place| (k / n.pow(place) % n) as u32).collect();
    (0..n.pow(m as u32)).map(digits).collect()
}

/// The mean of the batches' gradients, and their variance about the full gradient.
fn moments(noise: &GradientNoise, batches: &[Vec<u32>]) -> Result<[Tensor<f64>; 2], Failure> {
    let (mut mean, mut variance) = (noise.full().zeros_like(), noise.full().zeros_like());
    for batch in batches {
        let gradient = noise.batch(batch)?;
        variance = variance.add(&gradient.sub(noise.full())?.powi(2))?;
        mean = mean.add(&gradient)?;
    }
    let each = 1.0 / batches.len() as f64;
    Ok([mean.scale(each), variance.scale(each)])
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        samples("sgd-expectation.single", 8, "the mean over all single samples is the full gradient")
            .within("rounding", ROUNDING)
            .check(|case| {
                let noise = noise(case)?;
                let [mean, variance] = moments(&noise, &rows(case.size("n"), 1))?;
                Ok(apart(&mean, noise.full())? + apart(&variance, noise.spread())?)
            }),
        batches("sgd-expectation.batches", 8, "the mean over all C(n, m) mini-batches is the full gradient")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (noise, n) = (noise(case)?, case.size("n"));
                let m = batch_size(case, n);
                apart(&moments(&noise, &subsets(n, m))?[0], noise.full())
            }),
        batches(
            "sgd-expectation.variance-without",
            8,
            "without replacement it scatters by σ²/m·(n − m)/(n − 1), over all C(n, m) mini-batches",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (noise, n) = (noise(case)?, case.size("n"));
            let m = batch_size(case, n);
            let variance = noise.variance(m, Sampling::WithoutReplacement)?;
            apart(&moments(&noise, &subsets(n, m))?[1], &variance)
        }),
        batches(
            "sgd-expectation.variance-with",
            5,
            "with replacement it scatters by σ²/m, and is right on average, over all nᵐ batches",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (noise, n) = (noise(case)?, case.size("n"));
            let m = batch_size(case, 4);
            let [mean, variance] = moments(&noise, &rows(n, m))?;
            let expected = noise.variance(m, Sampling::WithReplacement)?;
            Ok(apart(&mean, noise.full())? + apart(&variance, &expected)?)
        }),
        samples("sgd-expectation.all", 8, "a batch of all samples is the full gradient, without any variance")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (noise, n) = (noise(case)?, case.size("n"));
                let all: Vec<u32> = (0..n as u32).collect();
                let variance = noise.variance(n, Sampling::WithoutReplacement)?.abs().sum();
                Ok(variance + apart(&noise.batch(&all)?, noise.full())?)
            }),
        batches(
            "sgd-expectation.epoch",
            8,
            "the batches of a shuffled epoch, each weighted by its size, have the full gradient as their mean",
        )
        .draw(Draw::seed("order"))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (noise, n) = (noise(case)?, case.size("n"));
            let m = batch_size(case, n);
            let mut order: Vec<u32> = (0..n as u32).collect();
            order.shuffle(&mut rng(case.seed("order")));
            case.classify(!n.is_multiple_of(m), "a last batch that is smaller");
            let mut mean = noise.full().zeros_like();
            for batch in order.chunks(m) {
                mean = mean.add(&noise.batch(batch)?.scale(batch.len() as f64 / n as f64))?;
            }
            apart(&mean, noise.full())
        }),
        samples(
            "sgd-expectation.critical-batch",
            8,
            "a batch of the critical size, drawn with replacement, has as much variance as the gradient has length",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let noise = noise(case)?;
            let length = noise.full().map(|g| g * g).sum();
            if length < 1e-3 {
                return Err(case.reject("a gradient of almost nothing"));
            }
            // The variance goes as 1/m, so that of one sample is the critical size times that of a critical batch.
            let one = noise.variance(1, Sampling::WithReplacement)?.sum();
            Ok(relative(one / length, noise.critical_batch()))
        }),
        Property::new(
            "sgd-expectation.contraction",
            ID,
            "on a parabola of curvature λ each step of descent multiplies the distance by 1 − ηλ",
        )
        .draw(Draw::size("n", 1..=6))
        .draw(Draw::array("curvature", 0.01..=4.0, &["n"]))
        .draw(Draw::real("rate", 0.01..=1.0).limited(0.0..=2.0))
        .draw(Draw::size("steps", 1..=20))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let (curvature, rate) = (tensor_of::<f64>(case.array("curvature"))?, case.real("rate"));
            let w = Var::parameter(Tensor::ones(curvature.shape())?);
            let mut sgd = Sgd::new(rate);
            for _ in 0..case.size("steps") {
                let gradients = slopes(&w, &w.value().mul(&curvature)?)?;
                sgd.step(&w, &gradients)?;
            }
            let expected = curvature.map(|c| (1.0 - rate * c).powi(case.size("steps") as i32));
            case.classify(expected.abs().max()? > 1.0, "diverges");
            apart(&w.value(), &expected)
        }),
        Property::new("sgd-expectation.diverges", ID, "descent on a parabola diverges iff η > 2/λ")
            .draw(Draw::log("curvature", 1e-3..=1e3))
            .draw(Draw::real("of_bound", 0.02..=1.98).limited(0.001..=10.0))
            .holds(|case| {
                let (curvature, share) = (case.real("curvature"), case.real("of_bound"));
                if (share - 1.0).abs() < 0.01 {
                    return Err(case.reject("too near the bound to tell"));
                }
                case.classify(share > 1.0, "beyond the bound");
                let w = Var::parameter(Tensor::from([1.0]));
                let mut sgd = Sgd::new(share * 2.0 / curvature);
                for _ in 0..400 {
                    let gradients = slopes(&w, &w.value().scale(curvature))?;
                    sgd.step(&w, &gradients)?;
                }
                let end = w.item()?.abs();
                Ok(if share > 1.0 { end.is_nan() || end > 100.0 } else { end < 0.01 })
            }),
    ]
}
