//! What came of running properties, in words: a line each.

use crate::property::Property;
use crate::report::{Counterexample, Outcome, Report};
use crate::runner::{Config, Run, run};
use std::fmt;
use std::time::{Duration, Instant};

/// A number as a line shows it: short, and a NaN is seen.
pub fn number(x: f64) -> String {
    if x == 0.0 {
        "0".into()
    } else if x.is_finite() && (0.001..10_000.0).contains(&x.abs()) {
        let digits = format!("{x:.4}");
        digits.trim_end_matches('0').trim_end_matches('.').into()
    } else if x.is_finite() {
        format!("{x:.1e}")
    } else if x.is_nan() {
        "NaN".into()
    } else if x > 0.0 {
        "∞".into()
    } else {
        "−∞".into()
    }
}

impl Report {
    /// What came of it, in a line: `256 cases, pass; largest residual 0 of tolerance 2.2e-16 (an ulp)`.
    pub fn verdict(&self) -> String {
        let found = self.counterexample.as_ref().map(Counterexample::place).unwrap_or_default();
        let cases = match self.cases {
            1 => "1 case".into(),
            n => format!("{n} cases"),
        };
        match self.outcome {
            Outcome::Pass if self.tolerance.value == 0.0 => {
                format!("{cases}, pass, exactly: residual 0 of tolerance 0")
            }
            Outcome::Pass => format!(
                "{cases}, pass; largest residual {} of tolerance {} ({})",
                number(self.residual),
                number(self.tolerance.value),
                self.tolerance.name
            ),
            Outcome::Fail if self.cases == 0 => {
                format!("fails: every one of {} cases was given up", self.rejected)
            }
            Outcome::Fail => format!("fails {found}"),
            Outcome::Refuted => format!("refuted, as it should be, {found}"),
            Outcome::Unrefuted => format!("{cases} did not refute it: the evidence is missing"),
        }
    }
}

impl Counterexample {
    /// Where it is: `at x = 2 (residual 1)`; what is only true or false has no residual, and what draws nothing has no inputs.
    pub fn place(&self) -> String {
        let at = if self.inputs.is_empty() {
            "by itself: nothing is drawn".into()
        } else {
            format!("at {}", self.line())
        };
        match &self.reason {
            Some(reason) => format!("{at} ({reason})"),
            None if self.residual.is_infinite() => at,
            None => format!("{at} (residual {})", number(self.residual)),
        }
    }
}

/// What came of several properties; shown, a line each.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdicts(Vec<Report>);

/// Runs properties of somebody's attempt at something, each with 256 cases, and says in words what came of them.
///
/// ```
/// use gradus_formula::{Draw, Property, verify};
/// let attempt = |x: f64| x * x;
/// let verdicts = verify(&[
///     Property::new("even", &[], "f(−x) = f(x)")
///         .draw(Draw::real("x", -9.0..=9.0))
///         .holds(move |case| Ok(attempt(-case.real("x")) == attempt(case.real("x")))),
///     Property::new("small", &[], "f(x) ≤ 4")
///         .draw(Draw::real("x", -9.0..=9.0))
///         .holds(move |case| Ok(attempt(case.real("x")) <= 4.0)),
/// ]);
/// assert!(!verdicts.passed());
/// assert!(verdicts.to_string().ends_with("✗ small: f(x) ≤ 4 — fails at x = 3\n1 of 2 properties holds.\n"), "{verdicts}");
/// ```
#[must_use]
pub fn verify(properties: &[Property]) -> Verdicts {
    // Only a range set from outside could be refused, and none is.
    Verdicts(properties.iter().filter_map(|p| run(p, &Config::default(), &mut |_| {}).ok()).collect())
}

/// The same in about so much time: each property in turn draws a case, until all have 256 or the time is over. Refutations are left out: what they
/// are about is somebody else's slip.
#[must_use]
pub fn verify_within(properties: &[Property], time: Duration) -> Verdicts {
    let wanted = properties.iter().filter(|p| !p.refutation);
    let mut runs: Vec<Run> = wanted.filter_map(|p| Run::new(p, &Config::default()).ok()).collect();
    let until = Instant::now() + time;
    let mut going = true;
    let mut first = true;
    while going && (first || Instant::now() < until) {
        going = false;
        for run in &mut runs {
            going |= run.step_within(SHRINKING);
            if !first && Instant::now() >= until {
                break;
            }
        }
        first = false;
    }
    Verdicts(runs.iter().map(Run::report).collect())
}

/// How long making a failed case smaller may take, where time is short.
const SHRINKING: Duration = Duration::from_millis(300);

impl Verdicts {
    /// The reports, in the properties' order.
    pub fn reports(&self) -> &[Report] {
        &self.0
    }

    /// Whether there was something to run, and all of it came out as it should.
    pub fn passed(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(Report::passed)
    }
}

impl fmt::Display for Verdicts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for report in &self.0 {
            let mark = if report.passed() { '✓' } else { '✗' };
            writeln!(f, "{mark} {}: {} — {}", report.property, report.statement, report.verdict())?;
        }
        let (all, good) = (self.0.len(), self.0.iter().filter(|r| r.passed()).count());
        match (good, all) {
            (1, 1) => writeln!(f, "The property holds."),
            (good, all) if good == all => writeln!(f, "All {all} properties hold."),
            (1, all) => writeln!(f, "1 of {all} properties holds."),
            (0, 1) => writeln!(f, "The property does not hold."),
            (0, all) => writeln!(f, "None of {all} properties holds."),
            (good, all) => writeln!(f, "{good} of {all} properties hold."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draw;

    #[test]
    fn numbers_are_short_and_never_lie() {
        let shown = [0.0, 0.5, 2.0, 2.2e-16, 1e9, f64::NAN, f64::INFINITY].map(number);
        assert_eq!(shown, ["0", "0.5", "2", "2.2e-16", "1.0e9", "NaN", "∞"]);
    }

    #[test]
    fn every_verdict_has_its_words() {
        let draw = || Draw::real("x", 0.0..=4.0);
        let close = Property::new("close", &[], "…").draw(draw()).within("a bit", 0.5).check(|_| Ok(0.25));
        let exact = Property::new("exact", &[], "…").check(|_| Ok(0.0));
        let off = Property::new("off", &[], "…").draw(draw()).check(|case| Ok(case.real("x")));
        let lost = Property::new("lost", &[], "…").draw(draw()).check(|case| Err(case.reject("never")));
        let torn = Property::new("torn", &[], "…").check(|_| panic!("torn"));
        let wrong =
            Property::refutation("wrong", &[], "…").draw(draw()).holds(|case| Ok(case.real("x") < 2.0));
        let kept = Property::refutation("kept", &[], "…").draw(draw()).check(|_| Ok(0.0));
        let said = [close, exact, off, lost, torn, wrong, kept]
            .map(|p| run(&p, &Config::default(), &mut |_| {}).unwrap().verdict());
        assert_eq!(
            said,
            [
                "256 cases, pass; largest residual 0.25 of tolerance 0.5 (a bit)",
                "1 case, pass, exactly: residual 0 of tolerance 0",
                "fails at x = 1 (residual 1)",
                "fails: every one of 256 cases was given up",
                "fails by itself: nothing is drawn (panicked: torn)",
                "refuted, as it should be, at x = 2",
                "256 cases did not refute it: the evidence is missing",
            ]
        );
    }

    #[test]
    fn nothing_to_run_is_no_success() {
        assert!(!verify(&[]).passed());
        let good = || Property::new("good", &[], "…").check(|_| Ok(0.0));
        let bad = || Property::new("bad", &[], "…").check(|_| Ok(1.0));
        let last = |properties: &[Property]| {
            let verdicts = verify(properties);
            let text = verdicts.to_string();
            (verdicts.passed(), text.lines().last().unwrap_or_default().to_owned())
        };
        assert_eq!(last(&[good()]), (true, "The property holds.".into()));
        assert_eq!(last(&[good(), good()]), (true, "All 2 properties hold.".into()));
        assert_eq!(last(&[bad()]), (false, "The property does not hold.".into()));
        assert_eq!(last(&[bad(), bad()]), (false, "None of 2 properties holds.".into()));
        assert_eq!(last(&[good(), bad(), good()]), (false, "2 of 3 properties hold.".into()));
    }

    #[test]
    fn in_little_time_every_property_has_a_case_and_a_failure_is_made_smaller() {
        let slow = |id| Property::new(id, &[], "…").draw(Draw::real("x", 0.0..=1.0));
        let asleep = || std::thread::sleep(Duration::from_millis(5));
        let properties = [
            slow("a").holds(move |_| {
                asleep();
                Ok(true)
            }),
            slow("b").holds(move |case| {
                asleep();
                Ok(case.real("x") < 0.0)
            }),
            Property::refutation("c", &[], "…").holds(|_| Ok(true)),
        ];
        let verdicts = verify_within(&properties, Duration::ZERO);
        let cases: Vec<_> = verdicts.reports().iter().map(|r| (r.property, r.cases, r.passed())).collect();
        assert_eq!(cases, [("a", 1, true), ("b", 1, false)]);
        let most = verify_within(&properties[..1], Duration::from_millis(100));
        let cases = most.reports()[0].cases;
        assert!((2..=20).contains(&cases), "{cases}");
    }
}
