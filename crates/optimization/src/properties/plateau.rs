//! The schedule that watches the error.

use crate::{Better, Plateau, Threshold};
use gradus_formula::{Case, Draw, Failure, Property};

const ID: &[&str] = &["plateau-schedule"];

fn watch(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, ID, statement)
        .draw(Draw::size("patience", 0..=5))
        .draw(Draw::size("cooldown", 0..=4))
        .draw(Draw::size("epochs", 1..=60))
        .draw(Draw::array("errors", -3.0..=3.0, &["epochs"]))
}

fn of(case: &Case<'_>) -> Result<Plateau, Failure> {
    let plateau = Plateau::new(0.1)?;
    Ok(plateau.patience(case.size("patience") as u64).cooldown(case.size("cooldown") as u64))
}

fn errors(case: &Case<'_>) -> Vec<f64> {
    // In half steps, so that an error often comes again.
    case.array("errors").data.iter().map(|e| (2.0 * e).round() / 2.0).collect()
}

/// The same decisions, taken with the whole history in hand.
fn by_history(
    errors: &[f64],
    patience: usize,
    cooldown: usize,
    better: &dyn Fn(f64, f64) -> bool,
) -> Vec<usize> {
    let (mut drops, mut counted_from, mut out) = (0, 0, Vec::new());
    for now in 0..errors.len() {
        let is_good = |k: usize| {
            let before = errors[..k].iter().fold(None, |best: Option<f64>, e| match best {
                Some(best) if !better(*e, best) => Some(best),
                _ => Some(*e),
            });
            before.is_none_or(|best| better(errors[k], best))
        };
        let last_good = (0..=now).rev().find(|k| is_good(*k)).map_or(0, |k| k + 1);
        let bad = (now + 1).saturating_sub(last_good.max(counted_from));
        if bad > patience {
            drops += 1;
            counted_from = now + 1 + cooldown;
        }
        out.push(drops);
    }
    out
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        watch(
            "plateau-schedule.values",
            "the rates never rise, and are 0.1/10ᵏ to the bit: 0.1, 0.01, 0.001, …",
        )
        .holds(|case| {
            let mut plateau = of(case)?;
            let mut before = plateau.rate();
            for error in errors(case) {
                let rate = plateau.observe(error);
                let drops = plateau.drops() as i32;
                let written: f64 = format!("1e-{}", drops + 1).parse()?;
                if rate > before || rate != 0.1 / 10f64.powi(drops) || (drops <= 5 && rate != written) {
                    return Ok(false);
                }
                before = rate;
            }
            Ok(before == plateau.rate())
        }),
        watch(
            "plateau-schedule.patience",
            "the first drop comes with the (p + 1)-th bad epoch in a row, not before",
        )
        .draw(Draw::size("good", 1..=10))
        .holds(|case| {
            let (mut plateau, patience) = (of(case)?, case.size("patience"));
            for epoch in 0..case.size("good") {
                plateau.observe(10.0 - epoch as f64);
            }
            for _ in 0..patience {
                if plateau.observe(11.0) != 0.1 {
                    return Ok(false);
                }
            }
            Ok(plateau.observe(11.0) == 0.01)
        }),
        watch(
            "plateau-schedule.improving",
            "it never drops as long as each epoch is better by more than the threshold",
        )
        .draw(Draw::real("threshold", 0.0..=0.2))
        .draw(Draw::choice("kind", &["relative", "absolute"]))
        .holds(|case| {
            let by = case.real("threshold");
            let (threshold, relative) = match case.choice("kind") {
                "relative" => (Threshold::Relative(by), true),
                _ => (Threshold::Absolute(by), false),
            };
            let mut plateau = of(case)?.patience(0).threshold(threshold)?;
            let mut error = 3.0;
            for _ in 0..case.size("epochs") {
                // A little more than asked for, also below 0, where a share is one of the size.
                error -= 1e-6 + by * if relative { f64::abs(error) } else { 1.0 };
                if plateau.observe(error) != 0.1 {
                    return Ok(false);
                }
            }
            let almost = by * if relative { error.abs() } else { 1.0 };
            Ok(by < 1e-3 || plateau.observe(error - 0.99 * almost) == 0.01)
        }),
        watch("plateau-schedule.history", "its decisions are those that the whole history leads to")
            .draw(Draw::real("threshold", 0.0..=1.0))
            .holds(|case| {
                let by = case.real("threshold");
                let mut plateau = of(case)?.threshold(Threshold::Absolute(by))?;
                let errors = errors(case);
                let (patience, cooldown) = (case.size("patience"), case.size("cooldown"));
                let drops = by_history(&errors, patience, cooldown, &|new, best| new < best - by);
                case.classify(drops.last().is_some_and(|drops| *drops > 1), "several drops");
                Ok(errors.iter().zip(drops).all(|(error, drops)| {
                    plateau.observe(*error);
                    plateau.drops() == drops as u64
                }))
            }),
        watch(
            "plateau-schedule.mirror",
            "that higher is better is that lower is better with the signs turned",
        )
        .holds(|case| {
            let (mut lower, mut higher) = (of(case)?, of(case)?.better(Better::Higher));
            Ok(errors(case).iter().all(|error| lower.observe(*error) == higher.observe(-error)))
        }),
        watch(
            "plateau-schedule.state",
            "saved and loaded after any epoch, it goes on as if nothing had happened",
        )
        .draw(Draw::size("saved", 0..=60))
        .holds(|case| {
            let (mut whole, mut first) = (of(case)?, of(case)?);
            let errors = errors(case);
            let (before, after) = errors.split_at(case.size("saved").min(errors.len()));
            for error in before {
                whole.observe(*error);
                first.observe(*error);
            }
            let mut other = of(case)?;
            other.load_state(&first.state())?;
            let alike =
                after.iter().all(|error| whole.observe(*error).to_bits() == other.observe(*error).to_bits());
            Ok(alike && whole == other)
        }),
        watch(
            "plateau-schedule.nan",
            "a NaN is a bad epoch, wherever it comes, and is never taken for the best",
        )
        .holds(|case| {
            let (mut plateau, patience) = (of(case)?, case.size("patience"));
            for _ in 0..patience {
                plateau.observe(f64::NAN);
            }
            let before = plateau.observe(f64::NAN);
            plateau.observe(1.0);
            let mut fresh = of(case)?;
            fresh.observe(1.0);
            let kept = (0..patience).all(|_| fresh.observe(f64::NAN) == 0.1);
            let kept = kept && fresh.observe(f64::NAN) == 0.01;
            let best = plateau.state().get("best").cloned();
            Ok(before == 0.01 && kept && best == fresh.state().get("best").cloned())
        }),
        watch("plateau-schedule.minimum", "it never goes below the minimum, and stays where it starts below")
            .draw(Draw::log("minimum", 1e-6..=1.0))
            .holds(|case| {
                let minimum = case.real("minimum");
                let mut plateau = of(case)?.patience(0).minimum(minimum)?;
                let rates: Vec<f64> = (0..40).map(|_| plateau.observe(1.0)).collect();
                let floor = minimum.min(0.1);
                Ok(rates.iter().all(|rate| *rate >= floor) && rates.last() == Some(&floor))
            }),
    ]
}
