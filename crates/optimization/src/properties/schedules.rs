//! Schedules without a state.

use super::{ROUNDING, relative};
use crate::{
    Anneal, Constant, Cosine, InverseSqrt, MultiStep, OneCycle, Polynomial, Schedule, StepDecay, Warmup,
};
use gradus_formula::{Case, Draw, Failure, Property};

const STEP: &[&str] = &["step-schedule"];
const COSINE: &[&str] = &["cosine-schedule"];
const WARMUP: &[&str] = &["warmup"];
const INVERSE_SQRT: &[&str] = &["inverse-sqrt"];
const CYCLE: &[&str] = &["one-cycle"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = steps();
    all.extend(cosines());
    all.extend(warmups());
    all.extend(inverse_roots());
    all.extend(cycles());
    all
}

fn rates(property: Property) -> Property {
    property.draw(Draw::log("peak", 1e-4..=10.0)).draw(Draw::real("of_peak", 0.0..=1.0).limited(0.0..=1.0))
}

/// The peak and the floor.
fn ends(case: &Case<'_>) -> [f64; 2] {
    [case.real("peak"), case.real("peak") * case.real("of_peak")]
}

fn steps() -> Vec<Property> {
    let staircase = |id, statement| {
        Property::new(id, STEP, statement)
            .draw(Draw::log("start", 1e-4..=10.0))
            .draw(Draw::real("divisor", 1.0..=20.0).limited(1.0..=1e3))
            .draw(Draw::size("every", 1..=50))
            .draw(Draw::size("level", 0..=12))
    };
    vec![
        staircase("step-schedule.levels", "a level lasts k steps, and the next is a d-th of it")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (start, divisor) = (case.real("start"), case.real("divisor"));
                let (every, level) = (case.size("every") as u64, case.size("level") as u64);
                let schedule = StepDecay::new(start, divisor, every)?;
                let rate = |step| schedule.rate(step);
                let (first, last) = (rate(level * every), rate((level + 1) * every - 1));
                if first != last || rate(0) != start {
                    return Ok(f64::INFINITY);
                }
                // By division, level after level: no power.
                let divided = (0..level).fold(start, |rate, _| rate / divisor);
                Ok((first / divided - 1.0).abs())
            }),
        staircase(
            "step-schedule.milestones",
            "with a milestone at each multiple of k it is the list of milestones, to the bit",
        )
        .draw(Draw::size("step", 0..=600))
        .holds(|case| {
            let (start, divisor) = (case.real("start"), case.real("divisor"));
            let every = case.size("every") as u64;
            let milestones: Vec<u64> = (1..=650).map(|k| k * every).collect();
            let (one, other) =
                (StepDecay::new(start, divisor, every)?, MultiStep::new(start, divisor, &milestones)?);
            let step = case.size("step") as u64;
            Ok(one.rate(step) == other.rate(step) && one.rate(step + 1) <= one.rate(step))
        }),
        Property::new(
            "step-schedule.tenths",
            STEP,
            "0.1 divided by 10 is 0.01, then 0.001, …, as they are written, to the bit",
        )
        .draw(Draw::size("level", 0..=5).limited(0.0..=5.0))
        .holds(|case| {
            let level = case.size("level");
            let written: f64 = format!("1e-{}", level + 1).parse()?;
            Ok(StepDecay::new(0.1, 10.0, 3)?.rate(3 * level as u64) == written)
        }),
        rates(Property::new(
            "step-schedule.polynomial",
            STEP,
            "a power of 1 is a line; each power ends where it should",
        ))
        .draw(Draw::size("steps", 1..=100))
        .draw(Draw::size("step", 0..=150))
        .draw(Draw::real("power", 0.1..=4.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let [peak, floor] = ends(case);
            let (steps, step) = (case.size("steps") as u64, case.size("step") as u64);
            let schedule = Polynomial::new(peak, floor, steps, case.real("power"))?;
            if schedule.rate(0) != peak || schedule.rate(steps) != floor || schedule.rate(u64::MAX) != floor {
                return Ok(f64::INFINITY);
            }
            let line = Polynomial::new(peak, floor, steps, 1.0)?;
            let done = step.min(steps) as f64 / steps as f64;
            let power = floor + (peak - floor) * (1.0 - done).powf(case.real("power"));
            let off = relative(schedule.rate(step), power);
            Ok(off + relative(line.rate(step), peak + (floor - peak) * done))
        }),
    ]
}

fn cosine(id: &'static str, statement: &'static str) -> Property {
    rates(Property::new(id, COSINE, statement))
        .draw(Draw::size("steps", 1..=200))
        .draw(Draw::size("step", 0..=300))
}

fn cosines() -> Vec<Property> {
    let of = |case: &Case<'_>| -> Result<(Cosine, u64, u64), Failure> {
        let [peak, floor] = ends(case);
        let steps = case.size("steps") as u64;
        Ok((Cosine::new(peak, floor, steps)?, steps, case.size("step") as u64))
    };
    vec![
        cosine("cosine-schedule.definition", "it is the formula, by the system's cosine")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let ([peak, floor], (schedule, steps, step)) = (ends(case), of(case)?);
                let angle = std::f64::consts::PI * step.min(steps) as f64 / steps as f64;
                Ok(relative(schedule.rate(step), floor + 0.5 * (peak - floor) * (1.0 + angle.cos())))
            }),
        cosine(
            "cosine-schedule.ends",
            "it begins at the peak, ends at the floor, and stays there, to the bit",
        )
        .holds(move |case| {
            let ([peak, floor], (schedule, steps, step)) = (ends(case), of(case)?);
            Ok(schedule.rate(0) == peak
                && schedule.rate(steps) == floor
                && schedule.rate(steps + step) == floor)
        }),
        cosine("cosine-schedule.symmetry", "the rates of t and T − t add up to peak + floor; it never rises")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let ([peak, floor], (schedule, steps, step)) = (ends(case), of(case)?);
                let step = step.min(steps);
                let rise = (schedule.rate(step + 1) - schedule.rate(step)).max(0.0);
                let sum = schedule.rate(step) + schedule.rate(steps - step);
                Ok(relative(sum, peak + floor) + rise / peak)
            }),
        cosine("cosine-schedule.restarts", "each period is a descent of its own length, to the bit")
            .draw(Draw::size("multiply", 1..=3))
            .draw(Draw::size("period", 0..=6))
            .holds(move |case| {
                let ([peak, floor], (schedule, steps, step)) = (ends(case), of(case)?);
                let (multiply, period) = (case.size("multiply") as u64, case.size("period") as u32);
                let again = schedule.restarts(multiply)?;
                let start: u64 = (0..period).map(|k| steps * multiply.pow(k)).sum();
                let length = steps * multiply.pow(period);
                let step = step % length;
                let alone = Cosine::new(peak, floor, length)?;
                Ok(again.rate(start + step) == alone.rate(step) && again.rate(start) == peak)
            }),
    ]
}

fn warmups() -> Vec<Property> {
    let warm = |id, statement| {
        rates(Property::new(id, WARMUP, statement))
            .draw(Draw::size("warm", 0..=100))
            .draw(Draw::size("steps", 1..=100))
            .draw(Draw::size("step", 0..=300))
    };
    let of = |case: &Case<'_>| -> Result<(Warmup<Cosine>, Cosine, u64, u64), Failure> {
        let [peak, floor] = ends(case);
        let (warm, steps) = (case.size("warm") as u64, case.size("steps") as u64);
        let then = Cosine::new(peak, floor, steps)?;
        Ok((Warmup::new(warm, then)?, then, warm, case.size("step") as u64))
    };
    vec![
        warm("warmup.line", "it rises by equal steps, the first from 0, the last to where the other begins")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (schedule, then, warm, _) = of(case)?;
                let rise = then.rate(0) / (warm + 1) as f64;
                let mut before = 0.0;
                let mut off = 0.0f64;
                for step in 0..=warm {
                    off = off.max(relative(schedule.rate(step) - before, rise));
                    before = schedule.rate(step);
                }
                Ok(off)
            }),
        warm("warmup.continues", "after w steps it is the other schedule from its step 0, to the bit").holds(
            move |case| {
                let (schedule, then, warm, step) = of(case)?;
                Ok(schedule.rate(warm + step) == then.rate(step))
            },
        ),
        warm("warmup.below", "during the warm-up every rate is above 0 and below the full one").holds(
            move |case| {
                let (schedule, then, warm, step) = of(case)?;
                // A draw nearly never is the first step, where others have 0, or the last one, where others have all.
                let below = |step: u64| {
                    let rate = schedule.rate(step);
                    step >= warm || (rate > 0.0 && rate < then.rate(0))
                };
                Ok([step, 0, warm.saturating_sub(1)].into_iter().all(below))
            },
        ),
        warm("warmup.chain", "schedules within schedules are one schedule: boxed, by reference, twice warm")
            .holds(move |case| {
                let (schedule, _, _, step) = of(case)?;
                let boxed: Box<dyn Schedule> = Box::new(schedule);
                let one = Warmup::new(0, &boxed)?;
                let constant = Warmup::new(0, Constant::new(0.5)?)?;
                Ok(one.rate(step) == schedule.rate(step) && constant.rate(step) == 0.5)
            }),
    ]
}

fn inverse_roots() -> Vec<Property> {
    let drawn = |id, statement| {
        Property::new(id, INVERSE_SQRT, statement)
            .draw(Draw::size("width", 1..=2048).limited(1.0..=1e6))
            .draw(Draw::size("warm", 1..=5000).limited(1.0..=1e7))
            .draw(Draw::size("step", 0..=20_000).limited(0.0..=1e9))
    };
    let of = |case: &Case<'_>| -> Result<(InverseSqrt, u64, u64), Failure> {
        let warm = case.size("warm") as u64;
        Ok((InverseSqrt::of_width(case.size("width"), warm)?, warm, case.size("step") as u64))
    };
    vec![
        drawn(
            "inverse-sqrt.definition",
            "it is the smaller one of the line and the root, as the paper writes them",
        )
        .within("rounding", ROUNDING)
        .check(move |case| {
            let (schedule, warm, step) = of(case)?;
            let (t, w, d) = ((step + 1) as f64, warm as f64, case.size("width") as f64);
            Ok(relative(schedule.rate(step), d.powf(-0.5) * t.powf(-0.5).min(t * w.powf(-1.5))))
        }),
        drawn(
            "inverse-sqrt.peak",
            "it is largest at the last step of the warm-up, rises before it and falls after it",
        )
        .holds(move |case| {
            let (schedule, warm, step) = of(case)?;
            let right = |step: u64| {
                let [here, next] = [schedule.rate(step), schedule.rate(step + 1)];
                let way = if step + 1 < warm { next > here } else { next < here };
                way && here > 0.0 && here <= schedule.rate(warm - 1)
            };
            // A draw nearly never is the first step, or one of those about the peak.
            Ok([step, 0, warm.saturating_sub(2), warm - 1, warm].into_iter().all(right))
        }),
        drawn(
            "inverse-sqrt.quarter",
            "after the warm-up four times the steps have half the rate; during it half the steps have half",
        )
        .within("rounding", ROUNDING)
        .check(move |case| {
            let (schedule, warm, step) = of(case)?;
            let late = warm - 1 + step;
            let down = relative(schedule.rate(4 * (late + 1) - 1), schedule.rate(late) / 2.0);
            let early = step % warm;
            let up = if early % 2 == 1 {
                relative(schedule.rate(early / 2), schedule.rate(early) / 2.0)
            } else {
                0.0
            };
            Ok(down.max(up))
        }),
    ]
}

fn cycles() -> Vec<Property> {
    let cycle = |id, statement| {
        Property::new(id, CYCLE, statement)
            .draw(Draw::log("peak", 1e-4..=10.0))
            .draw(Draw::size("steps", 2..=300).limited(1.0..=1e6))
            .draw(Draw::real("rise", 0.0..=1.0).limited(0.0..=1.0))
            .draw(Draw::real("first", 1.0..=50.0).limited(1.0..=1e6))
            .draw(Draw::log("last", 1.0..=1e6).limited(1.0..=1e12))
            .draw(Draw::choice("way", &["cosine", "line"]))
    };
    let of = |case: &Case<'_>| -> Result<OneCycle, Failure> {
        let anneal = if case.choice("way") == "line" { Anneal::Line } else { Anneal::Cosine };
        let schedule =
            OneCycle::new(case.real("peak"), case.size("steps") as u64)?.rise(case.real("rise"))?;
        Ok(schedule.divisors(case.real("first"), case.real("last"))?.anneal(anneal))
    };
    vec![
        cycle(
            "one-cycle.ends",
            "it begins at a d-th of the peak, ends at an f-th of that, and stays there, to the bit",
        )
        .holds(move |case| {
            let (schedule, peak, steps) = (of(case)?, case.real("peak"), case.size("steps") as u64);
            let top = case.real("rise") * steps as f64 - 1.0;
            if top <= 0.0 || top >= (steps - 1) as f64 {
                return Err(case.reject("a rise, or a descent, of less than a step"));
            }
            let (first, last) = (peak / case.real("first"), peak / case.real("first") / case.real("last"));
            let end = [steps - 1, steps, u64::MAX].iter().all(|step| schedule.rate(*step) == last);
            Ok(schedule.rate(0) == first && end)
        }),
        cycle("one-cycle.shape", "it rises to the peak and falls from there, and is never above it")
            .within("rounding", ROUNDING)
            .check(move |case| {
                let (schedule, peak, steps) = (of(case)?, case.real("peak"), case.size("steps") as u64);
                let top = case.real("rise") * steps as f64 - 1.0;
                let mut off = 0.0f64;
                for step in 1..steps {
                    let (before, after) = (schedule.rate(step - 1), schedule.rate(step));
                    let wrong = if step as f64 <= top {
                        before - after
                    } else if (step - 1) as f64 >= top {
                        after - before
                    } else {
                        0.0
                    };
                    off = off.max(wrong / peak).max((after - peak) / peak);
                    off = if after > 0.0 { off } else { f64::NAN };
                }
                Ok(off)
            }),
        cycle(
            "one-cycle.definition",
            "each part is the way between its two rates, at its share of the steps",
        )
        .draw(Draw::real("at", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(move |case| {
            let (schedule, peak) = (of(case)?, case.real("peak"));
            let (steps, rise) = (case.size("steps") as f64, case.real("rise"));
            let step = (case.real("at") * (steps - 1.0)).floor();
            let (first, top) = (peak / case.real("first"), rise * steps - 1.0);
            if top <= 0.0 || top >= steps - 1.0 {
                return Err(case.reject("a rise, or a descent, of less than a step"));
            }
            case.classify(step < top, "rising");
            let (from, to, at) = if step <= top {
                (first, peak, step / top)
            } else {
                (peak, first / case.real("last"), (step - top) / (steps - steps * rise))
            };
            let share = match case.choice("way") {
                "line" => at,
                _ => 0.5 - 0.5 * (std::f64::consts::PI * at).cos(),
            };
            Ok(relative(schedule.rate(step as u64), from + (to - from) * share))
        }),
    ]
}
