//! Distances between numbers: L1, MSE, Huber; and the overlap of masks.

use super::{ROUNDING, batch, drawn, relative, twice};
use crate::{Dice, Elementwise, Huber, L1, Mse, Reduction, dice, huber, l1, mse, squared_distance};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = absolute();
    all.extend(squared());
    all.extend(both());
    all.extend(masks());
    all
}

fn pair(case: &Case<'_>) -> Result<[Tensor<f64>; 2]> {
    Ok([drawn(case, "prediction")?, drawn(case, "target")?])
}

/// The pair with every difference at least ½ from 0 and from the kinks at ±δ.
fn away_from_kinks(case: &Case<'_>, kinks: &[f64]) -> Result<[Tensor<f64>; 2]> {
    let [prediction, target] = pair(case)?;
    let moved = prediction.zip(&target, |p, t| {
        let near = |d: f64| kinks.iter().any(|k| (d.abs() - k).abs() < 0.02);
        if near(p - t) { p + 0.05 } else { p }
    })?;
    Ok([moved, target])
}

fn reduction(case: &Case<'_>) -> Reduction {
    match case.choice("reduction") {
        "sum" => Reduction::Sum,
        "none" => Reduction::None,
        _ => Reduction::Mean,
    }
}

fn reductions() -> Draw {
    Draw::choice("reduction", &["mean", "sum", "none"])
}

fn absolute() -> Vec<Property> {
    vec![
        batch("l1-loss.metric", &["l1-loss"], "symmetric, 0 iff equal, and the triangle inequality holds")
            .draw(Draw::array("third", -10.0..=10.0, &["n", "d"]))
            .within("rounding", ROUNDING)
            .check(|case| {
                let ([a, b], c) = (pair(case)?, drawn(case, "third")?);
                let d = |x: &Tensor<f64>, y: &Tensor<f64>| l1(x, y)?.item();
                let detour = (d(&a, &b)? - d(&a, &c)? - d(&c, &b)?).max(0.0);
                Ok((d(&a, &b)? - d(&b, &a)?).abs() + d(&a, &a)? + detour / (1.0 + d(&a, &b)?))
            }),
        batch("l1-loss.definition", &["l1-loss"], "divided by the samples, summed over the components")
            .within("rounding", ROUNDING)
            .check(|case| {
                let [p, t] = pair(case)?;
                let mut sum = 0.0;
                for (a, b) in p.as_slice().iter().zip(t.as_slice()) {
                    sum += (a - b).abs();
                }
                case.classify(p.dims()[1] > 1, "several components");
                Ok(relative(l1(&p, &t)?.item()?, sum / p.dims()[0] as f64))
            }),
        gradient_property(
            batch("l1-loss.gradient", &["l1-loss"], "the gradients, away from the kink").draw(reductions()),
            |case| {
                let inputs = away_from_kinks(case, &[0.0])?;
                Ok((Elementwise { loss: L1, reduction: reduction(case) }, inputs))
            },
        ),
        batch(
            "l1-loss.kink",
            &["l1-loss"],
            "where prediction and target are equal both slopes are 0; a NaN has NaN",
        )
        .draw(reductions())
        .check(|case| {
            let [p, _] = pair(case)?;
            let op = Elementwise { loss: L1, reduction: reduction(case) };
            let slopes = |p: &Tensor<f64>, t: &Tensor<f64>| -> Result<Vec<f64>, Failure> {
                let (value, saved) = op.forward([p, t])?;
                let both = op.vjp([p, t], &saved, &value.map(|_| 1.0), [true, true])?;
                Ok(both.into_iter().flatten().flat_map(Tensor::into_vec).collect())
            };
            let (kink, nan) = (slopes(&p, &p)?, slopes(&p.map(|_| f64::NAN), &p)?);
            let missing = (2 * p.len()).abs_diff(kink.len());
            let swallowed = nan.iter().filter(|v| !v.is_nan()).count();
            Ok(kink.iter().map(|v| v.abs()).sum::<f64>() + (missing + swallowed) as f64)
        }),
        Property::new("l1-loss.median", &["l1-loss"], "no constant prediction is better than the median")
            .draw(Draw::size("half", 0..=4))
            .draw(Draw::array("target", -10.0..=10.0, &["9"]))
            .draw(Draw::real("other", -12.0..=12.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let n = 2 * case.size("half") + 1;
                let target = drawn(case, "target")?.slice(0, 0..n)?;
                let mut sorted = target.as_slice().to_vec();
                sorted.sort_by(f64::total_cmp);
                let loss = |c: f64| l1(&Tensor::full([n], c)?, &target)?.item();
                Ok((loss(sorted[n / 2])? - loss(case.real("other"))?).max(0.0))
            }),
    ]
}

fn squared() -> Vec<Property> {
    vec![
        Property::new("mse-norm-line.pythagoras", &["mse-norm-line"], "‖(3k, 4k)‖² = (5k)²")
            .draw(Draw::integer("k", -1000..=1000).limited(-1e6..=1e6))
            .check(|case| {
                let k = case.integer("k") as f64;
                Ok((squared_distance(&Tensor::from([3.0 * k, 4.0 * k]), &Tensor::from([0.0, 0.0]))?
                    - 25.0 * k * k)
                    .abs())
            }),
        batch(
            "mse-norm-line.additive",
            &["mse-norm-line"],
            "it adds up over the components, in any grouping",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [p, t] = pair(case)?;
            let mut rows = 0.0;
            for i in 0..p.dims()[0] {
                rows += squared_distance(&p.select(0, i)?, &t.select(0, i)?)?;
            }
            Ok(relative(squared_distance(&p, &t)?, rows))
        }),
        batch("mse-norm-line.polarisation", &["mse-norm-line"], "‖a − b‖² = ‖a‖² − 2⟨a, b⟩ + ‖b‖²")
            .within("rounding of the squares", 16.0 * ROUNDING)
            .check(|case| {
                let [a, b] = pair(case)?;
                let expected = a.dot(&a)? - 2.0 * a.dot(&b)? + b.dot(&b)?;
                Ok((squared_distance(&a, &b)? - expected).abs() / (1.0 + a.dot(&a)? + b.dot(&b)?))
            }),
        Property::refutation(
            "mse-norm-line.printed",
            &["mse-norm-line"],
            "‖y − ŷ‖² is the square of one component",
        )
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::array("difference", -10.0..=10.0, &["d"]))
        .draw(Draw::integer("i", 0..=3).limited(0.0..=3.0))
        .check(|case| {
            let d = drawn(case, "difference")?;
            let one = d.as_slice()[case.size("i") % d.len()];
            Ok((squared_distance(&d, &d.zeros_like())? - one * one).abs())
        }),
        batch(
            "mse-loss.definition",
            &["mse-loss", "mse-norm-line"],
            "the mean over samples of the squared distance",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [p, t] = pair(case)?;
            Ok(relative(mse(&p, &t)?.item()?, squared_distance(&p, &t)? / p.dims()[0] as f64))
        }),
        batch(
            "mse-loss.parallelogram",
            &["mse-loss"],
            "mse(a, c) + mse(b, c) = 2·mse((a + b)/2, c) + ½·mse(a, b)",
        )
        .draw(Draw::array("third", -10.0..=10.0, &["n", "d"]))
        .within("rounding", ROUNDING)
        .check(|case| {
            let ([a, b], c) = (pair(case)?, drawn(case, "third")?);
            let d = |x: &Tensor<f64>, y: &Tensor<f64>| mse(x, y)?.item();
            let middle = a.add(&b)?.scale(0.5);
            Ok(relative(d(&a, &c)? + d(&b, &c)?, 2.0 * d(&middle, &c)? + 0.5 * d(&a, &b)?))
        }),
        Property::new(
            "mse-loss.mean",
            &["mse-loss"],
            "the best constant is the mean, and the gap to another is its distance²",
        )
        .draw(Draw::size("n", 1..=9))
        .draw(Draw::array("target", -10.0..=10.0, &["n"]))
        .draw(Draw::real("other", -12.0..=12.0))
        .within("rounding", 4.0 * ROUNDING)
        .check(|case| {
            let target = drawn(case, "target")?;
            let (n, mean, other) = (target.len(), target.mean()?, case.real("other"));
            let loss = |c: f64| mse(&Tensor::full([n], c)?, &target)?.item();
            Ok(relative(loss(other)? - loss(mean)?, (other - mean).powi(2)))
        }),
        gradient_property(
            batch("mse-loss.gradient", &["mse-loss"], "the gradients").draw(reductions()),
            |case| Ok((Elementwise { loss: Mse, reduction: reduction(case) }, pair(case)?)),
        ),
    ]
}

fn both() -> Vec<Property> {
    let delta = || Draw::real("delta", 0.1..=8.0).limited(0.01..=1e6);
    vec![
        batch(
            "l1-loss.duplication",
            &["l1-loss", "mse-loss"],
            "the batch twice has the loss of the batch, and twice its sum",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [p, t] = pair(case)?;
            let (pp, tt) = (twice(&p)?, twice(&t)?);
            let sum = Elementwise { loss: Mse, reduction: Reduction::Sum };
            let doubled = relative(sum.eval([&pp, &tt])?.item()?, 2.0 * sum.eval([&p, &t])?.item()?);
            Ok(relative(l1(&pp, &tt)?.item()?, l1(&p, &t)?.item()?)
                + relative(mse(&pp, &tt)?.item()?, mse(&p, &t)?.item()?)
                + doubled)
        }),
        batch(
            "huber-loss.limits",
            &["huber-loss"],
            "half the MSE for a large δ; δ·(L1 − ½δ·D) where every distance is beyond δ",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [p, t] = pair(case)?;
            let squares = relative(huber(&p, &t, 100.0)?.item()?, 0.5 * mse(&p, &t)?.item()?);
            let far = p.zip(&t, |p, t| if p > t { p + 1.0 } else { p - 1.0 })?;
            let d = p.dims()[1] as f64;
            let lines = relative(huber(&far, &t, 0.5)?.item()?, 0.5 * (l1(&far, &t)?.item()? - 0.25 * d));
            Ok(squares + lines)
        }),
        batch(
            "huber-loss.bounds",
            &["huber-loss", "mse-loss", "l1-loss"],
            "it is at most half the MSE and at most δ times L1",
        )
        .draw(delta())
        .within("rounding", ROUNDING)
        .check(|case| {
            let ([p, t], delta) = (pair(case)?, case.real("delta"));
            let loss = huber(&p, &t, delta)?.item()?;
            let above = (loss - 0.5 * mse(&p, &t)?.item()?).max(loss - delta * l1(&p, &t)?.item()?);
            Ok(above.max(0.0) / (1.0 + loss))
        }),
        gradient_property(
            batch("huber-loss.gradient", &["huber-loss"], "the gradients, away from ±δ")
                .draw(delta())
                .draw(reductions()),
            |case| {
                let delta = case.real("delta");
                let inputs = away_from_kinks(case, &[delta])?;
                Ok((Elementwise { loss: Huber { delta }, reduction: reduction(case) }, inputs))
            },
        ),
        batch("huber-loss.join", &["huber-loss"], "value and slope pass δ without a jump")
            .draw(delta())
            .within("rounding of δ²", ROUNDING)
            .check(|case| {
                let delta = case.real("delta");
                let (below, above) = (delta * (1.0 - 1e-15), delta * (1.0 + 1e-15));
                let at = |d: f64| huber(&Tensor::from([d]), &Tensor::from([0.0]), delta)?.item();
                Ok(relative(at(below)?, at(above)?))
            }),
    ]
}

fn masks() -> Vec<Property> {
    let masks = |id, statement| {
        Property::new(id, &["dice-loss"], statement)
            .draw(Draw::size("n", 1..=4))
            .draw(Draw::size("d", 1..=6))
            .draw(Draw::array("prediction", 0.0..=1.0, &["n", "d"]).limited(0.0..=1.0))
            .draw(Draw::array("target", 0.0..=1.0, &["n", "d"]).limited(0.0..=1.0))
            .draw(Draw::log("smooth", 1.0..=10.0))
    };
    vec![
        masks("dice-loss.range", "it lies between 0 and 1, and is symmetric")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ([p, t], smooth) = (pair(case)?, case.real("smooth"));
                let loss = dice(&p, &t, smooth)?.item()?;
                Ok((loss - dice(&t, &p, smooth)?.item()?).abs() + (-loss).max(loss - 1.0).max(0.0))
            }),
        masks("dice-loss.equal-masks", "equal masks of zeros and ones have loss 0, empty ones too")
            .within("rounding", ROUNDING)
            .check(|case| {
                let t = drawn(case, "target")?.map(f64::round);
                case.classify(t.sum() == 0.0, "empty");
                Ok(dice(&t, &t, case.real("smooth"))?.item()?.abs()
                    + dice(&t.zeros_like(), &t.zeros_like(), 1.0)?.item()?)
            }),
        gradient_property(masks("dice-loss.gradient", "the gradients"), |case| {
            Ok((Dice { smooth: case.real("smooth"), reduction: Reduction::Mean }, pair(case)?))
        }),
        masks("dice-loss.samples", "each sample has an overlap of its own")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ([p, t], smooth) = (pair(case)?, case.real("smooth"));
                let mut sum = 0.0;
                for i in 0..p.dims()[0] {
                    sum += dice(&p.slice(0, i..i + 1)?, &t.slice(0, i..i + 1)?, smooth)?.item()?;
                }
                Ok::<_, Failure>(relative(dice(&p, &t, smooth)?.item()?, sum / p.dims()[0] as f64))
            }),
    ]
}
