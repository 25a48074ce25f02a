//! Adam, AdamW and RMSProp.

use super::{ROUNDING, STEPS, apart, drawn, path, reach, relative, same, walk};
use crate::{Adam, AdamW, Optimizer, RmsProp, WeightDecay, plain};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor};
use rand_distr::{Distribution, StandardNormal};

const ADAM: &[&str] = &["adam"];
const ADAMW: &[&str] = &["adamw", "adam"];
const RMS: &[&str] = &["rmsprop"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = adams();
    all.extend(decoupled());
    all.extend(roots());
    all
}

fn settings(property: Property) -> Property {
    property
        .draw(Draw::log("rate", 1e-4..=1.0).limited(1e-6..=10.0))
        .draw(Draw::real("beta1", 0.0..=0.99).limited(0.0..=0.999))
        .draw(Draw::real("beta2", 0.0..=0.999).limited(0.0..=0.9999))
}

fn of(case: &Case<'_>) -> [f64; 3] {
    ["rate", "beta1", "beta2"].map(|name| case.real(name))
}

/// Adam or AdamW against whole tensors, to the bit.
fn equals_plain<T: Scalar>(case: &Case<'_>, kind: WeightDecay) -> Result<bool, Failure>
where
    StandardNormal: Distribution<T>,
{
    let (start, gradients) = drawn::<T>(case, 1.0)?;
    let ([rate, beta1, beta2], lambda) = (of(case), case.real("lambda"));
    let places = match kind {
        WeightDecay::Coupled => {
            path(&mut Adam::new(rate).betas(beta1, beta2).weight_decay(lambda), &start, &gradients)
        }
        WeightDecay::Decoupled => {
            path(&mut AdamW::new(rate).betas(beta1, beta2).weight_decay(lambda), &start, &gradients)
        }
    }?;
    let (mut theta, mut moments) = (start.clone(), [start.zeros_like(), start.zeros_like()]);
    for (t, g) in gradients.iter().enumerate() {
        let (decayed, g) = plain::decay(kind, lambda, rate, &theta, g)?;
        let settings = [rate, beta1, beta2, 1e-8];
        (theta, moments) = plain::adam(settings, t as u64 + 1, &decayed, moments.each_ref(), &g)?;
        if !same(&places[t + 1], &theta) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn plain_property(id: &'static str, formulas: &'static [&'static str], kind: WeightDecay) -> Property {
    settings(walk(id, formulas, "the fused pass has the bits of the formula, line by line"))
        .draw(Draw::real("lambda", 0.0..=0.5).limited(0.0..=10.0))
        .draw(Draw::choice("type", &["f64", "f32"]))
        .holds(move |case| match case.choice("type") {
            "f32" => equals_plain::<f32>(case, kind),
            _ => equals_plain::<f64>(case, kind),
        })
}

fn adams() -> Vec<Property> {
    vec![
        plain_property("adam.plain", ADAM, WeightDecay::Coupled),
        settings(Property::new(
            "adam.definition",
            ADAM,
            "m̂ and ŝ are the weighted means of the gradients and their squares, with weights that add up to 1",
        ))
        .draw(Draw::size("steps", 1..=12))
        .draw(Draw::array("gradients", -5.0..=5.0, &["steps"]))
        .draw(Draw::log("epsilon", 1e-10..=1.0))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let ([rate, beta1, beta2], epsilon) = (of(case), case.real("epsilon"));
            let g = &case.array("gradients").data;
            let gradients: Vec<_> = g.iter().map(|g| Tensor::from([*g])).collect();
            let mut adam = Adam::new(rate).betas(beta1, beta2).epsilon(epsilon);
            let places = path(&mut adam, &Tensor::from([0.0]), &gradients)?;
            // Means as sums over the past, divided by the sums of their weights: no recursion, no correction.
            let mean = |t: usize, beta: f64, f: &dyn Fn(f64) -> f64| {
                let weights: Vec<f64> = (0..=t).map(|k| beta.powi((t - k) as i32)).collect();
                let total: f64 = weights.iter().sum();
                weights.iter().zip(g).map(|(w, g)| w * f(*g)).sum::<f64>() / total
            };
            let (mut off, mut largest) = (0.0f64, reach(&places)?);
            for t in 0..g.len() {
                let root = mean(t, beta2, &|g| g * g).sqrt() + epsilon;
                let step = places[t + 1].item()? - places[t].item()?;
                // Of 5 and −5 in a mean the rounding is left.
                largest = largest.max(rate * 5.0 / root);
                off = off.max_or_nan((step + rate * mean(t, beta1, &|g| g) / root).abs());
            }
            Ok(off / largest)
        }),
        settings(Property::new(
            "adam.constant",
            ADAM,
            "under a constant gradient each step is ηg/(|g| + ε): the correction undoes the start at 0",
        ))
        .draw(Draw::log("size", 1e-3..=1e3))
        .draw(Draw::choice("sign", &["+", "-"]))
        .draw(Draw::log("epsilon", 1e-8..=10.0))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let ([rate, beta1, beta2], epsilon) = (of(case), case.real("epsilon"));
            let g = if case.choice("sign") == "+" { case.real("size") } else { -case.real("size") };
            let mut adam = Adam::new(rate).betas(beta1, beta2).epsilon(epsilon);
            let places = path(&mut adam, &Tensor::from([0.0]), &vec![Tensor::from([g]); 15])?;
            let step = -rate * g / (g.abs() + epsilon);
            let mut off: f64 = 0.0;
            for (t, place) in places.iter().enumerate() {
                off = off.max_or_nan(relative(place.item()?, t as f64 * step));
            }
            Ok(off)
        }),
        settings(walk("adam.scale", ADAM, "with ε = 0 the size of the loss does not matter: 2ᵏ times it, the same bits"))
            .draw(Draw::integer("power", -20..=20).limited(-200.0..=200.0))
            .holds(|case| {
                let ([rate, beta1, beta2], (start, gradients)) = (of(case), drawn::<f64>(case, 1.0)?);
                let factor = 2f64.powi(case.integer("power") as i32);
                let scaled: Vec<_> = gradients.iter().map(|g| g.scale(factor)).collect();
                let run = |gradients: &[Tensor<f64>]| {
                    path(&mut Adam::new(rate).betas(beta1, beta2).epsilon(0.0), &start, gradients)
                };
                let (one, other) = (run(&gradients)?, run(&scaled)?);
                Ok(one.iter().zip(&other).all(|(a, b)| same(a, b)))
            }),
        Property::new("adam.correction", ADAM, "1 − βᵗ is (1 − β)·Σβᵏ, also for a β near 1")
            .draw(Draw::log("rest", 1e-12..=1.0).limited(1e-15..=1.0))
            .draw(Draw::size("step", 1..=200))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (beta, step) = (1.0 - case.real("rest"), case.size("step"));
                // 1 − β is exact for a β that is.
                let sum: f64 = (0..step).map(|k| beta.powi(k as i32)).sum();
                let expected = (1.0 - beta) * sum;
                Ok((crate::adam::correction(beta, step as u64) / expected - 1.0).abs())
            }),
        nan("adam.nan", ADAM, || Box::new(Adam::new(0.1))),
    ]
}

fn decoupled() -> Vec<Property> {
    let lambda = || Draw::real("lambda", 0.0..=0.9).limited(0.0..=10.0);
    vec![
        plain_property("adamw.plain", ADAMW, WeightDecay::Decoupled),
        settings(walk(
            "adamw.beside",
            ADAMW,
            "θ′ − (1 − ηλ)θ is the step of Adam without decay: it knows nothing of λ",
        ))
        .draw(lambda())
        .within("rounding over the steps", STEPS)
        .check(move |case| {
            let ([rate, beta1, beta2], lambda) = (of(case), case.real("lambda"));
            let (start, gradients) = drawn(case, 1.0)?;
            let adam = path(&mut Adam::new(rate).betas(beta1, beta2), &start, &gradients)?;
            let mut decoupled = AdamW::new(rate).betas(beta1, beta2).weight_decay(lambda);
            let adamw = path(&mut decoupled, &start, &gradients)?;
            let mut off: f64 = 0.0;
            for (one, other) in adam.windows(2).zip(adamw.windows(2)) {
                let step = other[1].sub(&other[0].scale(1.0 - rate * lambda))?;
                off = off.max_or_nan(step.max_difference(&one[1].sub(&one[0])?)?);
            }
            Ok(off / reach(&adam)?.max(reach(&adamw)?))
        }),
        settings(walk(
            "adamw.shrinks",
            ADAMW,
            "where the loss has no slope, θ after t steps is (1 − ηλ)ᵗ of the first",
        ))
        .draw(lambda())
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let ([rate, beta1, beta2], lambda) = (of(case), case.real("lambda"));
            let (start, gradients) = drawn(case, 0.0)?;
            let mut adamw = AdamW::new(rate).betas(beta1, beta2).weight_decay(lambda);
            let places = path(&mut adamw, &start, &gradients)?;
            let left = (1.0 - rate * lambda).powi(gradients.len() as i32);
            apart(&places[gradients.len()], &start.scale(left))
        }),
        settings(walk("adamw.none", ADAMW, "with λ = 0 it is Adam, to the bit")).holds(|case| {
            let ([rate, beta1, beta2], (start, gradients)) = (of(case), drawn::<f64>(case, 1.0)?);
            let adam = path(&mut Adam::new(rate).betas(beta1, beta2), &start, &gradients)?;
            let mut adamw = AdamW::new(rate).betas(beta1, beta2).weight_decay(0.0);
            Ok(path(&mut adamw, &start, &gradients)?.iter().zip(&adam).all(|(a, b)| same(a, b)))
        }),
    ]
}

fn rms(property: Property) -> Property {
    property
        .draw(Draw::log("rate", 1e-4..=1.0).limited(1e-6..=10.0))
        .draw(Draw::real("alpha", 0.0..=0.999).limited(0.0..=0.9999))
}

fn equals_plain_rms<T: Scalar>(case: &Case<'_>) -> Result<bool, Failure>
where
    StandardNormal: Distribution<T>,
{
    let (start, gradients) = drawn::<T>(case, 1.0)?;
    let settings = [case.real("rate"), case.real("alpha"), 1e-8];
    let places = path(&mut RmsProp::new(settings[0]).alpha(settings[1]), &start, &gradients)?;
    let (mut theta, mut s) = (start.clone(), start.zeros_like());
    for (g, place) in gradients.iter().zip(&places[1..]) {
        (theta, s) = plain::rms_prop(settings, &theta, &s, g)?;
        if !same(place, &theta) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn roots() -> Vec<Property> {
    let kinds = || Draw::choice("kind", &["plain", "centred"]);
    let optimizer = |case: &Case<'_>| {
        RmsProp::new(case.real("rate")).alpha(case.real("alpha")).centred(case.choice("kind") == "centred")
    };
    vec![
        rms(walk("rmsprop.plain", RMS, "the fused pass has the bits of the formula, line by line"))
            .draw(Draw::choice("type", &["f64", "f32"]))
            .holds(|case| match case.choice("type") {
                "f32" => equals_plain_rms::<f32>(case),
                _ => equals_plain_rms::<f64>(case),
            }),
        rms(Property::new(
            "rmsprop.first-step",
            RMS,
            "the first step is ηg/(√(1 − α)·|g| + ε), centred ηg/(√(α(1 − α))·|g| + ε)",
        ))
        .draw(Draw::log("size", 1e-3..=1e3))
        .draw(Draw::log("epsilon", 1e-8..=10.0))
        .draw(kinds())
        .within("rounding, where α(1 − α) is the rest of a difference", 1e-10)
        .check(move |case| {
            let (rate, alpha, g) = (case.real("rate"), case.real("alpha"), case.real("size"));
            let epsilon = case.real("epsilon");
            let centred = case.choice("kind") == "centred";
            if centred && alpha < 0.01 {
                return Err(case.reject("the mean is the gradient: nothing is left of the variance"));
            }
            let share = if centred { alpha * (1.0 - alpha) } else { 1.0 - alpha };
            let places =
                path(&mut optimizer(case).epsilon(epsilon), &Tensor::from([0.0]), &[Tensor::from([g])])?;
            Ok(relative(places[1].item()?, -rate * g / (share.sqrt() * g + epsilon)))
        }),
        rms(walk(
            "rmsprop.scale",
            RMS,
            "with ε = 0 the size of the loss does not matter: 2ᵏ times it, the same bits",
        ))
        .draw(Draw::integer("power", -20..=20).limited(-200.0..=200.0))
        .draw(kinds())
        .draw(Draw::real("mu", 0.0..=0.9).limited(0.0..=0.99))
        .holds(move |case| {
            let (start, gradients) = drawn::<f64>(case, 1.0)?;
            let factor = 2f64.powi(case.integer("power") as i32);
            let scaled: Vec<_> = gradients.iter().map(|g| g.scale(factor)).collect();
            let run = |gradients: &[Tensor<f64>]| {
                path(&mut optimizer(case).momentum(case.real("mu")).epsilon(0.0), &start, gradients)
            };
            let (one, other) = (run(&gradients)?, run(&scaled)?);
            Ok(one.iter().zip(&other).all(|(a, b)| same(a, b)))
        }),
        rms(walk("rmsprop.momentum", RMS, "its velocity is that of the quotients, in PyTorch's form"))
            .draw(kinds())
            .draw(Draw::real("mu", 0.01..=0.95).limited(0.001..=0.99))
            .within("rounding over the steps", STEPS)
            .check(move |case| {
                let (start, gradients) = drawn(case, 1.0)?;
                let mu = case.real("mu");
                let alone = path(&mut optimizer(case).epsilon(0.1), &start, &gradients)?;
                let with = path(&mut optimizer(case).epsilon(0.1).momentum(mu), &start, &gradients)?;
                // The steps with momentum are the steps without, summed with weights of μ.
                let mut way = start.zeros_like();
                let mut off: f64 = 0.0;
                for (one, other) in alone.windows(2).zip(with.windows(2)) {
                    way = way.scale(mu).add(&one[1].sub(&one[0])?)?;
                    off = off.max_or_nan(way.max_difference(&other[1].sub(&other[0])?)?);
                }
                Ok(off / reach(&with)?.max(reach(&alone)?))
            }),
        rms(Property::new(
            "rmsprop.constant",
            RMS,
            "a constant gradient makes no NaN, even where its variance rounds below 0",
        ))
        .draw(Draw::log("size", 1e-6..=1e6))
        .draw(kinds())
        .holds(move |case| {
            let constant = vec![Tensor::from([case.real("size")]); 60];
            let places = path(&mut optimizer(case).epsilon(0.1), &Tensor::from([0.0]), &constant)?;
            Ok(places.iter().all(|place| place.as_slice()[0].is_finite()))
        }),
        nan("rmsprop.nan", RMS, || Box::new(RmsProp::new(0.1).centred(true).momentum(0.9))),
    ]
}

/// A NaN in a gradient is a NaN in its parameter, from then on, and in no other.
pub(super) fn nan(
    id: &'static str,
    formulas: &'static [&'static str],
    make: fn() -> Box<dyn Optimizer<f64>>,
) -> Property {
    let statement = "a NaN, or an infinity, in a gradient is never lost: that number is none from then on, the others are";
    walk(id, formulas, statement)
        .draw(Draw::choice("what", &["NaN", "∞", "−∞"]))
        .draw(Draw::seed("place"))
        .holds(move |case| {
            let (start, mut gradients) = drawn::<f64>(case, 1.0)?;
            let at = case.seed("place") as usize % start.len();
            let what = match case.choice("what") {
                "∞" => f64::INFINITY,
                "−∞" => f64::NEG_INFINITY,
                _ => f64::NAN,
            };
            let when = case.seed("place") as usize / 7 % gradients.len();
            gradients[when].as_mut_slice()[at] = what;
            let places = path(make().as_mut(), &start, &gradients)?;
            Ok(places.iter().enumerate().all(|(t, place)| {
                let lost = |i: usize| t > when && i == at;
                place.as_slice().iter().enumerate().all(|(i, x)| x.is_finite() != lost(i))
            }))
        })
}
