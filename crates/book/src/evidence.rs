//! What came of running a property, as a page says it.

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
        let counterexample = report.counterexample.as_ref().map(Counterexample::place);
        let verdict = report.verdict();
        Self { outcome: report.outcome, cases: report.cases, counterexample, verdict }
    }

    /// Whether this is what should have come: a pass, or a misprint refuted.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Refuted)
    }
}
