//! What came of running a property, as a page says it.

use crate::text::number;
use gradus_formula::{Counterexample, Outcome, Report};
use serde::{Deserialize, Serialize};

/// What the run of a property has shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What came of it.
    pub outcome: Outcome,
    /// How many cases were measured.
    pub cases: u64,
    /// The smallest counterexample, where a case failed: `at x = 2 (residual 1)`.
    pub counterexample: Option<String>,
    /// All of it in a line.
    pub verdict: String,
}

impl Evidence {
    /// What a report says.
    pub fn of(report: &Report) -> Self {
        let counterexample = report.counterexample.as_ref().map(counterexample);
        let found = counterexample.clone().unwrap_or_default();
        let cases = match report.cases {
            1 => "1 case".into(),
            n => format!("{n} cases"),
        };
        let verdict = match report.outcome {
            Outcome::Pass if report.tolerance.value == 0.0 => {
                format!("{cases}, pass, exactly: residual 0 of tolerance 0")
            }
            Outcome::Pass => format!(
                "{cases}, pass; largest residual {} of tolerance {} ({})",
                number(report.residual),
                number(report.tolerance.value),
                report.tolerance.name
            ),
            Outcome::Fail if report.cases == 0 => {
                format!("fails: every one of {} cases was given up", report.rejected)
            }
            Outcome::Fail => format!("fails {found}"),
            Outcome::Refuted => format!("refuted, as it should be, {found}"),
            Outcome::Unrefuted => format!("{cases} did not refute it: the evidence is missing"),
        };
        Self { outcome: report.outcome, cases: report.cases, counterexample, verdict }
    }

    /// Whether this is what should have come: a pass, or a misprint refuted.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Refuted)
    }
}

/// `at x = 2 (residual 1)`; what is only true or false has no residual, and what draws nothing has no inputs.
fn counterexample(found: &Counterexample) -> String {
    let at = if found.inputs.is_empty() {
        "by itself: nothing is drawn".into()
    } else {
        format!("at {}", found.line())
    };
    match &found.reason {
        Some(reason) => format!("{at} ({reason})"),
        None if found.residual.is_infinite() => at,
        None => format!("{at} (residual {})", number(found.residual)),
    }
}
