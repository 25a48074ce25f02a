//! Momentum in both forms, and Nesterov's.

use super::{ROUNDING, STEPS, apart, drawn, path, relative, same, slopes, walk, with_momentum};
use crate::{Momentum, Optimizer, Sgd, WeightDecay, nesterov, plain};
use gradus_autograd::Var;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Scalar, Tensor, rng, with_threads};
use rand_distr::{Distribution, StandardNormal};

const ID: &[&str] = &["momentum-update"];
const NESTEROV: &[&str] = &["nesterov", "momentum-update"];

fn form(case: &Case<'_>) -> Momentum {
    if case.choice("form") == "velocity" { Momentum::Velocity } else { Momentum::Classical }
}

fn forms() -> Draw {
    Draw::choice("form", &["velocity", "classical"])
}

/// The fused pass against whole tensors, to the bit.
fn equals_plain<T: Scalar>(case: &Case<'_>, looks_ahead: bool) -> Result<bool, Failure>
where
    StandardNormal: Distribution<T>,
{
    let (start, gradients) = drawn::<T>(case, 1.0)?;
    let (rate, mu, lambda) = (case.real("rate"), case.real("mu"), case.real("lambda"));
    let kind = if case.choice("decay") == "coupled" { WeightDecay::Coupled } else { WeightDecay::Decoupled };
    let sgd = Sgd::new(rate).momentum(mu).form(form(case)).nesterov(looks_ahead);
    let mut sgd = match kind {
        WeightDecay::Coupled => sgd.weight_decay(lambda),
        WeightDecay::Decoupled => sgd.decoupled_weight_decay(lambda),
    };
    let places = path(&mut sgd, &start, &gradients)?;
    let (mut theta, mut v) = (start.clone(), start.zeros_like());
    for (g, place) in gradients.iter().zip(&places[1..]) {
        let (decayed, g) = plain::decay(kind, lambda, rate, &theta, g)?;
        (theta, v) = plain::momentum(form(case), looks_ahead, [rate, mu], &decayed, &v, &g)?;
        if !same(place, &theta) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn plain_property(id: &'static str, formulas: &'static [&'static str], looks_ahead: bool) -> Property {
    with_momentum(walk(id, formulas, "the fused pass has the bits of the formula, line by line"))
        .draw(forms())
        .draw(Draw::choice("decay", &["coupled", "decoupled"]))
        .draw(Draw::real("lambda", 0.0..=0.5).limited(0.0..=10.0))
        .draw(Draw::choice("type", &["f64", "f32"]))
        .holds(move |case| match case.choice("type") {
            "f32" => equals_plain::<f32>(case, looks_ahead),
            _ => equals_plain::<f64>(case, looks_ahead),
        })
}

/// Both forms from one start with one rate.
fn forms_agree(id: &'static str, formulas: &'static [&'static str], looks_ahead: bool) -> Property {
    with_momentum(walk(id, formulas, "at a constant rate both forms come to the same places"))
        .within("rounding over the steps", STEPS)
        .check(move |case| {
            let (start, gradients) = drawn(case, 1.0)?;
            let [one, other] = [Momentum::Velocity, Momentum::Classical].map(|form| {
                let mut sgd = Sgd::new(case.real("rate"));
                sgd = sgd.momentum(case.real("mu")).form(form).nesterov(looks_ahead);
                path(&mut sgd, &start, &gradients)
            });
            let (one, other) = (one?, other?);
            one.iter().zip(&other).try_fold(0.0f64, |off, (a, b)| Ok(off.max_or_nan(apart(a, b)?)))
        })
}

/// The places on a parabola of curvature 1/2·c, from 1.
fn on_parabola(mut sgd: Sgd<f64>, curvature: f64, steps: usize) -> Result<Vec<f64>, Failure> {
    let w = Var::parameter(Tensor::from([1.0]));
    let mut places = vec![1.0];
    for _ in 0..steps {
        let gradients = slopes(&w, &w.value().scale(curvature))?;
        sgd.step(&w, &gradients)?;
        places.push(w.item()?);
    }
    Ok(places)
}

fn parabola(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    with_momentum(Property::new(id, formulas, statement))
        .draw(Draw::real("curvature", 0.01..=2.0).limited(0.001..=10.0))
        .draw(forms())
}

/// The second difference equation that the places on a parabola obey: θ″ = a·θ′ − b·θ.
fn recurrence(case: &Case<'_>, looks_ahead: bool) -> Result<f64, Failure> {
    let (rate, mu, curvature) = (case.real("rate"), case.real("mu"), case.real("curvature"));
    let sgd = Sgd::new(rate).momentum(mu).form(form(case)).nesterov(looks_ahead);
    let places = on_parabola(sgd, curvature, 20)?;
    let shrink = 1.0 - rate * curvature;
    let [a, b] = if looks_ahead { [(1.0 + mu) * shrink, mu * shrink] } else { [mu + shrink, mu] };
    let second = if looks_ahead { 1.0 - rate * curvature * (1.0 + mu) } else { shrink };
    let first = relative(places[1], second);
    let step = |three: &[f64]| relative(three[2], a * three[1] - b * three[0]);
    Ok(places.windows(3).map(step).fold(first, f64::max_or_nan))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = momenta();
    all.extend(nesterovs());
    all
}

fn momenta() -> Vec<Property> {
    vec![
        plain_property("momentum-update.plain", ID, false),
        forms_agree("momentum-update.forms", ID, false),
        with_momentum(walk(
            "momentum-update.changing-rate",
            ID,
            "after a change of the rate the forms part: by μ(η′ − η)v in the first step",
        ))
        .draw(Draw::log("later", 1e-3..=1.0).limited(1e-6..=2.0))
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let (start, gradients) = drawn(case, 1.0)?;
            let (rate, later, mu) = (case.real("rate"), case.real("later"), case.real("mu"));
            let Some((last, before)) = gradients.split_last() else { return Err(case.reject("no steps")) };
            let mut velocity = start.zeros_like();
            for g in before {
                velocity = velocity.scale(mu).add(g)?;
            }
            let [one, other] = [Momentum::Velocity, Momentum::Classical].map(|form| {
                let mut sgd = Sgd::new(rate).momentum(mu).form(form);
                let w = Var::parameter(start.clone());
                for g in before {
                    let gradients = slopes(&w, g)?;
                    sgd.step(&w, &gradients)?;
                }
                sgd.set_learning_rate(later)?;
                let gradients = slopes(&w, last)?;
                sgd.step(&w, &gradients)?;
                Ok::<_, Failure>(w.value())
            });
            apart(&other?.sub(&one?)?, &velocity.scale(mu * (later - rate)))
        }),
        Property::new("momentum-update.none", ID, "without momentum it is plain descent, to the bit, in either form")
            .draw(Draw::real("theta", -5.0..=5.0))
            .draw(Draw::real("velocity", -5.0..=5.0))
            .draw(Draw::real("gradient", -5.0..=5.0))
            .draw(Draw::log("rate", 1e-4..=10.0))
            .holds(|case| {
                let [theta, v, g, rate] =
                    ["theta", "velocity", "gradient", "rate"].map(|name| case.real(name));
                let by = |form: Momentum| form.update(theta, v, g, rate, 0.0).0;
                let ahead = |form| nesterov(form, theta, v, g, rate, 0.0).0;
                let all = [by(Momentum::Velocity), by(Momentum::Classical), ahead(Momentum::Velocity)];
                let classical = ahead(Momentum::Classical);
                Ok(all.iter().chain([&classical]).all(|to| *to == theta - rate * g))
            }),
        with_momentum(walk(
            "momentum-update.steady",
            ID,
            "under a constant gradient the velocity is (1 − μᵗ)/(1 − μ) times it, and a step tends to ηg/(1 − μ)",
        ))
        .draw(Draw::real("slope", -3.0..=3.0))
        .draw(forms())
        .within("rounding over the steps", STEPS)
        .check(|case| {
            let (rate, mu, g) = (case.real("rate"), case.real("mu"), case.real("slope"));
            let constant = vec![Tensor::from([g]); case.size("steps")];
            let mut sgd = Sgd::new(rate).momentum(mu).form(form(case));
            let places = path(&mut sgd, &Tensor::from([0.0]), &constant)?;
            let mut off: f64 = 0.0;
            for (t, pair) in places.windows(2).enumerate() {
                let step = pair[1].item()? - pair[0].item()?;
                let expected = -rate * g * (1.0 - mu.powi(t as i32 + 1)) / (1.0 - mu);
                off = off.max_or_nan(relative(step, expected));
            }
            Ok(off)
        }),
        parabola("momentum-update.recurrence", ID, "on a parabola θ″ = (1 + μ − ηλ)θ′ − μθ")
            .within("rounding", ROUNDING)
            .check(|case| recurrence(case, false)),
        Property::new("momentum-update.stability", ID, "on a parabola it converges iff 0 < ηλ < 2(1 + μ)")
            .draw(Draw::real("mu", 0.0..=0.95).limited(0.0..=0.98))
            .draw(Draw::real("of_bound", 0.05..=2.0).limited(0.05..=10.0))
            .draw(forms())
            .holds(|case| {
                let (mu, share) = (case.real("mu"), case.real("of_bound"));
                if (share - 1.0).abs() < 0.02 {
                    return Err(case.reject("too near the bound to tell"));
                }
                case.classify(share > 1.0, "beyond the bound");
                let sgd = Sgd::new(share * 2.0 * (1.0 + mu)).momentum(mu).form(form(case));
                let places = on_parabola(sgd, 1.0, 3000)?;
                let end = places[2990..].iter().fold(0.0f64, |most, x| most.max_or_nan(x.abs()));
                Ok(if share > 1.0 { end.is_nan() || end > 1e3 } else { end < 1e-3 })
            }),
        Property::new(
            "momentum-update.blocks",
            ID,
            "large parameters are cut into blocks: any number of threads has the bits of one number after the other",
        )
        .draw(Draw::integer("more", -2..=40_000).limited(-2.0..=1e6))
        .draw(Draw::seed("values"))
        .holds(|case| {
            let n = (32_768 + case.integer("more")) as usize;
            case.classify(n > 65_536, "three blocks");
            let mut rng = rng(case.seed("values"));
            let mut normal = || Tensor::<f32>::random([n], &StandardNormal, &mut rng);
            let (start, gradients) = (normal()?, [normal()?, normal()?]);
            let run = |threads| {
                let mut sgd = Sgd::new(0.1).momentum(0.9);
                with_threads(threads, || path(&mut sgd, &start, &gradients))
            };
            let (one, two) = (run(1)?, run(2)?);
            let number = |i: usize| {
                let first = (start.as_slice()[i], 0.0);
                let step = |(theta, v): (f32, f32), g: &Tensor<f32>| {
                    Momentum::Velocity.update(theta, v, g.as_slice()[i], 0.1, 0.9)
                };
                gradients.iter().fold(first, step).0
            };
            let alone: Tensor<f32> = (0..n).map(number).collect();
            Ok(same(&one[2], &two[2]) && same(&one[2], &alone))
        }),
    ]
}

fn nesterovs() -> Vec<Property> {
    vec![
        plain_property("nesterov.plain", NESTEROV, true),
        forms_agree("nesterov.forms", NESTEROV, true),
        parabola("nesterov.recurrence", NESTEROV, "on a parabola θ″ = (1 + μ)(1 − ηλ)θ′ − μ(1 − ηλ)θ")
            .within("rounding", ROUNDING)
            .check(|case| recurrence(case, true)),
        parabola(
            "nesterov.lookahead",
            NESTEROV,
            "its places are the points θ + μv where the original form takes its gradients",
        )
        .draw(Draw::real("bend", 0.0..=1.0))
        .within("rounding, which five steps make larger", 1e-10)
        .check(|case| {
            let (rate, mu) = (case.real("rate"), case.real("mu"));
            let (curvature, bend) = (case.real("curvature"), case.real("bend"));
            // Not only a parabola: its slope is bent, so that gradients at other points would be others.
            let slope = |x: f64| curvature * x + bend * (3.0 * x).sin();
            let (mut theta, mut v, mut off) = (1.0, 0.0, 0.0f64);
            let w = Var::parameter(Tensor::from([1.0]));
            let mut sgd = Sgd::new(rate).momentum(mu).form(form(case)).nesterov(true);
            for _ in 0..5 {
                let gradients = slopes(&w, &w.value().map(slope))?;
                sgd.step(&w, &gradients)?;
                v = mu * v - rate * slope(theta + mu * v);
                theta += v;
                off = off.max_or_nan(relative(w.item()?, theta + mu * v));
            }
            Ok(off)
        }),
    ]
}
