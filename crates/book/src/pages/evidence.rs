//! What running the properties has shown: badges, verdicts, counterexamples.

use super::Pages;
use crate::text::{html, number};
use gradus_formula::{Counterexample, Formula, Outcome, Property, Report};

impl Pages<'_> {
    /// A badge for each property, unfolding into statements and verdicts; nothing where there is no property.
    pub(super) fn evidence(&self, formula: &Formula) -> String {
        let properties = self.catalog.properties(formula);
        if properties.is_empty() {
            return String::new();
        }
        let mut badges = String::new();
        let mut rows = String::new();
        for property in properties {
            let (class, mark) = mark(self.catalog.report(property));
            let verdict = self.verdict(property);
            let statement = html(property.statement);
            let name = html(short(property.id, formula.canonical()));
            let said = if property.refutation { "misprint: " } else { "" };
            badges += &format!(
                "<span class=\"badge {class}\" title=\"{said}{statement} — {0}\"><span aria-hidden=\"true\">{mark}</span> \
                 {name}<span class=\"only-heard\">: {class}. </span></span> ",
                html(&verdict)
            );
            rows += &format!(
                "<li class=\"{class}\"><code>{}</code> {}<span class=\"statement\">{statement}</span> \
                 <span class=\"verdict\">{}</span></li>",
                html(property.id),
                if property.refutation { "<strong>as printed</strong> " } else { "" },
                html(&verdict)
            );
        }
        format!(
            "<details class=\"evidence\"><summary><span class=\"summary-label\">Properties</span> {badges}</summary>\
             <ul>{rows}</ul><p>Explore them: <code>cargo explore run {}</code></p></details>",
            html(formula.canonical())
        )
    }

    /// What came of a property, in a line.
    pub(super) fn verdict(&self, property: &Property) -> String {
        let Some(report) = self.catalog.report(property) else { return "it could not be run".into() };
        let cases = match report.cases {
            1 => "1 case".into(),
            n => format!("{n} cases"),
        };
        let found = report.counterexample.as_ref().map_or(String::new(), counterexample);
        match report.outcome {
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
        }
    }

    /// The smallest counterexamples that the run found to the printed forms of a formula.
    pub(super) fn refutations(&self, formula: &Formula) -> String {
        let mut out = String::new();
        for property in self.catalog.properties(formula).into_iter().filter(|p| p.refutation) {
            out += &format!(
                "<p class=\"refutation\"><span class=\"label\">Found by the run</span> <code>{}</code> says \
                 <span class=\"statement\">{}</span> — {}.</p>",
                html(property.id),
                html(property.statement),
                html(&self.verdict(property))
            );
        }
        out
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

/// The class and the sign of a verdict: they differ in word and shape, not in colour alone.
fn mark(report: Option<&Report>) -> (&'static str, &'static str) {
    match report.map(|r| r.outcome) {
        Some(Outcome::Pass) => ("pass", "✓"),
        Some(Outcome::Refuted) => ("refuted", "≠"),
        Some(Outcome::Fail) | None => ("fail", "✗"),
        Some(Outcome::Unrefuted) => ("unrefuted", "?"),
    }
}

/// The part of a property's id that the formula's block does not say already.
fn short<'a>(property: &'a str, formula: &str) -> &'a str {
    property.strip_prefix(formula).and_then(|rest| rest.strip_prefix('.')).unwrap_or(property)
}
