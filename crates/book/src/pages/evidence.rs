//! What running the properties has shown: badges, verdicts, counterexamples.

use super::Pages;
use crate::evidence::Evidence;
use crate::text::html;
use gradus_formula::{Formula, Outcome, Property};

impl Pages<'_> {
    /// A badge for each property, which opens the explorer, and what they say; nothing where there is no property.
    pub(super) fn evidence(&self, formula: &Formula) -> String {
        let properties = self.catalog.properties(formula);
        if properties.is_empty() {
            return String::new();
        }
        let id = html(formula.id);
        let mut badges = String::new();
        let mut rows = String::new();
        for property in properties {
            let (class, mark) = mark(self.catalog.evidence(property));
            let name = html(short(property.id, formula.canonical()));
            badges += &format!(
                "<a class=\"badge {class}\" href=\"#ev-{id}\" data-property=\"{}\"><span aria-hidden=\"true\">{mark}</span> \
                 {name}<span class=\"only-heard\">: {class}. </span></a> ",
                html(property.id)
            );
            rows += &format!(
                "<li class=\"{class}\"><code>{}</code> {}<span class=\"statement\">{}</span> \
                 <span class=\"verdict-line\">{}</span></li>",
                html(property.id),
                if as_printed(property) { "<strong>as printed</strong> " } else { "" },
                html(property.statement),
                html(self.verdict(property))
            );
        }
        format!(
            "<div class=\"evidence\" id=\"ev-{id}\"><p class=\"badges\"><span class=\"summary-label\">Properties</span> {badges}</p>\
             <div class=\"explorer\" hidden></div><details><summary><span class=\"summary-label\">What they say</span></summary>\
             <ul>{rows}</ul><p>On the command line: <code>cargo explore run {}</code></p></details></div>",
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
        for property in self.catalog.properties(formula).into_iter().filter(|p| as_printed(p)) {
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

/// Whether it refutes what the notes print; a derivation with a wrong line is somebody else's.
fn as_printed(property: &Property) -> bool {
    property.refutation && property.derivation.is_none()
}

/// The class and the sign of a verdict: they differ in word and shape, not in colour alone.
pub(super) fn mark(evidence: Option<&Evidence>) -> (&'static str, &'static str) {
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
