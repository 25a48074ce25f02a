//! What running the properties has shown: badges, verdicts, counterexamples.

use super::Pages;
use crate::evidence::Evidence;
use crate::text::html;
use gradus_formula::{Formula, Outcome, Property};

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
            let (class, mark) = mark(self.catalog.evidence(property));
            let verdict = self.verdict(property);
            let statement = html(property.statement);
            let name = html(short(property.id, formula.canonical()));
            let said = if property.refutation { "misprint: " } else { "" };
            badges += &format!(
                "<span class=\"badge {class}\" title=\"{said}{statement} — {0}\"><span aria-hidden=\"true\">{mark}</span> \
                 {name}<span class=\"only-heard\">: {class}. </span></span> ",
                html(verdict)
            );
            rows += &format!(
                "<li class=\"{class}\"><code>{}</code> {}<span class=\"statement\">{statement}</span> \
                 <span class=\"verdict\">{}</span></li>",
                html(property.id),
                if property.refutation { "<strong>as printed</strong> " } else { "" },
                html(verdict)
            );
        }
        format!(
            "<details class=\"evidence\"><summary><span class=\"summary-label\">Properties</span> {badges}</summary>\
             <ul>{rows}</ul><p>Explore them: <code>cargo explore run {}</code></p></details>",
            html(formula.canonical())
        )
    }

    /// What came of a property, in a line.
    pub(super) fn verdict(&self, property: &Property) -> &str {
        self.catalog.evidence(property).map_or("it could not be run", |evidence| &evidence.verdict)
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
                html(self.verdict(property))
            );
        }
        out
    }
}

/// The class and the sign of a verdict: they differ in word and shape, not in colour alone.
fn mark(evidence: Option<&Evidence>) -> (&'static str, &'static str) {
    match evidence.map(|e| e.outcome) {
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
