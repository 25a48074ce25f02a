//! The report of a run, of a replayed case, and the last line.

use super::{Look, count, duration, number, pad, range, replay_command};
use crate::Summary;
use gradus_formula::{
    CaseRecord, Config, Counterexample, DrawReport, Outcome, Property, Report, Scale, Status,
};

/// A report as text: verdict, what was drawn, labels, headroom, and the counterexample if there is one. `path`
/// asks for every step of the way to it.
pub fn report(property: &Property, report: &Report, config: &Config, path: bool, look: Look) -> String {
    let verdict = match report.outcome {
        Outcome::Pass => look.good("pass"),
        Outcome::Refuted => look.good("refuted"),
        Outcome::Fail => look.bad("FAIL"),
        Outcome::Unrefuted => look.bad("UNREFUTED"),
    };
    let mut out = format!("{verdict}  {}  {}\n", look.bold(report.property), report.statement);
    let mut row = |name: &str, text: &str| out += &format!("  {name:<10}  {text}\n");
    let rejected = match report.rejected {
        0 => String::new(),
        n => format!(", {n} given up ({})", percent(n, n + report.cases)),
    };
    let duplicates = match report.duplicates {
        0 => "no duplicates".into(),
        n => format!("{} ({})", count(n, "duplicate"), percent(n, report.cases)),
    };
    let (cases, time) = (count(report.cases, "case"), duration(report.seconds));
    row("ran", &format!("{cases} in {time}, seed {}, {duplicates}{rejected}", report.seed));
    let widest = report.draws.iter().map(|d| d.name.len()).max().unwrap_or(0);
    for (i, d) in report.draws.iter().enumerate() {
        row(if i == 0 { "drew" } else { "" }, &drawn(d, widest));
    }
    for (i, (label, n)) in report.labels.iter().enumerate() {
        row(if i == 0 { "labels" } else { "" }, &format!("{:>6}  {label}", percent(*n, report.cases)));
    }
    if report.cases > 0 {
        row("headroom", &headroom(report));
    }
    match &report.counterexample {
        Some(c) => {
            found(&mut row, c, path);
            row("again", &replay_command(property, config, c.case));
        }
        None if report.outcome == Outcome::Unrefuted => {
            row("because", "no case shows the misprint to be wrong: widen a range or draw more cases");
        }
        None if report.outcome == Outcome::Fail => row("because", "every case was given up"),
        None => {}
    }
    out
}

/// What was drawn under one name.
fn drawn(d: &DrawReport, widest: usize) -> String {
    let name = pad(d.name, widest);
    if let Some(options) = d.options {
        let counts = options.iter().zip(&d.histogram.counts).map(|(o, n)| format!("{o} {n}"));
        return format!("{name}  choice   {}", counts.collect::<Vec<_>>().join(", "));
    }
    let scale = match d.scale {
        Scale::Integer => "integer",
        Scale::Linear => "linear",
        Scale::Log => "log",
    };
    let what = format!("{name}  {scale:<7}  {}", range(d.range));
    match d.histogram.total() {
        0 => format!("{what}, no value"),
        _ => format!("{what}: {} to {}, {}", number(d.smallest), number(d.largest), count(d.zeros, "zero")),
    }
}

/// The largest residual, what it leaves of the tolerance, and where it was.
fn headroom(report: &Report) -> String {
    let (residual, t) = (report.residual, report.tolerance);
    let place = report.worst_case.map(|case| format!(" in case {case}")).unwrap_or_default();
    if residual.is_nan() {
        return format!("no number{place} (tolerance {}: {})", number(t.value), t.name);
    }
    if t.value == 0.0 {
        return match residual {
            0.0 => "exact: every residual is 0".into(),
            r => format!("largest residual {}{place}; exact is asked for", number(r)),
        };
    }
    let (r, share) = (number(residual), number(residual / t.value));
    format!("largest residual {r} ÷ tolerance {} ({}) = {share}{place}", number(t.value), t.name)
}

fn found(row: &mut impl FnMut(&str, &str), c: &Counterexample, path: bool) {
    let steps = c.path.len().saturating_sub(1) as u64;
    row("fails at", &c.line());
    row("residual", &number(c.residual));
    if let Some(reason) = &c.reason {
        row("because", reason);
    }
    row("found", &format!("in case {}, shrunk in {}", c.case, count(steps, "step")));
    if path {
        for (i, step) in c.path.iter().enumerate() {
            let inputs: Vec<_> = step.inputs.iter().map(|(n, v)| format!("{n} = {v}")).collect();
            let name = if i == 0 { "path" } else { "" };
            row(name, &format!("{i:>3}  {}  residual {}", inputs.join(", "), number(step.residual)));
        }
    }
}

/// One replayed case as text.
pub fn replay(property: &Property, record: &CaseRecord, config: &Config, look: Look) -> String {
    let verdict = match (record.status, property.refutation) {
        (Status::Passed, false) => look.good("pass"),
        (Status::Failed, true) => look.good("refuted"),
        (Status::Failed, false) => look.bad("FAIL"),
        (Status::Passed, true) => look.bad("UNREFUTED"),
        (Status::GaveUp, _) => look.bad("GAVE UP"),
    };
    let id = look.bold(property.id);
    let mut out = format!("{verdict}  {id}  case {} of seed {}\n", record.case, config.seed);
    let mut row = |name: &str, text: &str| out += &format!("  {name:<10}  {text}\n");
    row("states", property.statement);
    if record.inputs.iter().next().is_none() {
        row("inputs", "(nothing is drawn)");
    }
    for (i, (name, value)) in record.inputs.iter().enumerate() {
        row(if i == 0 { "inputs" } else { "" }, &format!("{name} = {value}"));
    }
    for (i, label) in record.labels.iter().enumerate() {
        row(if i == 0 { "labels" } else { "" }, label);
    }
    // In full: this is where the last bit matters.
    row("residual", &format!("{:?}", record.residual));
    row("tolerance", &format!("{:?} ({})", property.tolerance.value, property.tolerance.name));
    if let Some(reason) = &record.reason {
        row("because", reason);
    }
    row("took", &duration(record.seconds));
    out
}

/// `6 passed, 0 failed, 1 refuted, 0 unrefuted (1537 cases in 1.2 ms)`.
pub fn summary(s: &Summary, look: Look) -> String {
    let Summary { passed, failed, refuted, unrefuted, cases, seconds } = *s;
    let verdict = format!("{passed} passed, {failed} failed, {refuted} refuted, {unrefuted} unrefuted");
    let verdict = if s.good() { look.good(&verdict) } else { look.bad(&verdict) };
    format!("{verdict} ({} in {})\n", count(cases, "case"), duration(seconds))
}

fn percent(n: u64, of: u64) -> String {
    format!("{:.1} %", 100.0 * n as f64 / of.max(1) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::{Draw, Failure, run};

    fn text(p: &Property, path: bool) -> String {
        let config = Config { seed: 4, ..Config::default() };
        report(p, &run(p, &config, &mut |_| {}).unwrap(), &config, path, Look::PLAIN)
    }

    #[test]
    fn a_pass_says_what_was_drawn_and_how_much_room_is_left() {
        let p = Property::new("t.half", &["t"], "a half")
            .draw(Draw::integer("side", 0..=1))
            .draw(Draw::choice("mode", &["sum", "mean"]))
            .within("loose", 2.0)
            .check(|case| {
                let side = case.integer("side");
                case.classify(side == 1, "heads");
                Ok(side as f64)
            });
        let text = text(&p, false);
        assert!(text.starts_with("pass  t.half  a half\n"), "{text}");
        for part in [
            "256 cases in ",
            ", seed 4, 252 duplicates (98.4 %)",
            "side  integer  0..1: 0 to 1, ",
            " zeros",
            "mode  choice   sum ",
            " %  heads",
            "largest residual 1 ÷ tolerance 2 (loose) = 0.5 in case ",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
        assert!(!text.contains("fails at"));
    }

    #[test]
    fn a_failure_shows_the_smallest_counterexample_and_the_way_there() {
        let p = Property::new("t.below", &["t"], "x < 100")
            .draw(Draw::real("x", 0.0..=1000.0))
            .holds(|case| Ok(case.real("x") < 100.0));
        let long = text(&p, true);
        assert!(long.starts_with("FAIL  t.below"), "{long}");
        assert!(long.contains("fails at    x = 100\n") && long.contains("residual    inf"), "{long}");
        assert!(long.contains("again       cargo explore run --replay t.below:"), "{long}");
        let steps: usize = {
            let at = long.find("shrunk in ").unwrap() + "shrunk in ".len();
            long[at..].split(' ').next().unwrap().parse().unwrap()
        };
        assert!(steps > 1);
        assert!(long.contains(&format!("\n              {steps:>3}  x = 100  residual inf")), "{long}");
        assert!(!text(&p, false).contains("path"));
    }

    #[test]
    fn what_gives_no_number_gives_its_reason() {
        let p = Property::new("t.error", &["t"], "…").check(|_| Err(Failure::Error("on purpose".into())));
        let text = text(&p, false);
        assert!(text.contains("no number in case 0") && text.contains("because     on purpose"), "{text}");
    }

    #[test]
    fn a_replayed_case_shows_inputs_labels_and_residual_in_full() {
        let p =
            Property::new("t.third", &["t"], "a third").draw(Draw::real("x", 0.5..=0.5)).within("half", 0.5);
        let p = p.check(|case| {
            case.label("thirds");
            if case.real("x") > 1.0 { Err(case.reject("too large")) } else { Ok(1.0 / 3.0) }
        });
        let mut config = Config { seed: 2, ..Config::default() };
        let text = |config: &Config| {
            let record = gradus_formula::replay(&p, config, 8).unwrap();
            replay(&p, &record, config, Look::PLAIN)
        };
        let good = text(&config);
        let start = "pass  t.third  case 8 of seed 2\n  states      a third\n  inputs      x = 0.5\n";
        assert!(good.starts_with(start), "{good}");
        assert!(
            good.contains("  labels      thirds\n  residual    0.3333333333333333\n  tolerance   0.5 (half)"),
            "{good}"
        );
        config.ranges.set("x", 2.0, 2.0);
        let given_up = text(&config);
        assert!(given_up.starts_with("GAVE UP") && given_up.contains("because     too large"), "{given_up}");
    }

    #[test]
    fn the_summary_counts_all_four() {
        let s = Summary { passed: 3, failed: 1, refuted: 2, unrefuted: 0, cases: 1, seconds: 0.5 };
        assert_eq!(
            summary(&s, Look::PLAIN),
            "3 passed, 1 failed, 2 refuted, 0 unrefuted (1 case in 500.0 ms)\n"
        );
    }
}
