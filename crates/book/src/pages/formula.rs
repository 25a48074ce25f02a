//! The block of a formula.

use super::{Pages, at, kind};
use crate::symbols::mark;
use crate::text::html;
use anyhow::Result;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict};

impl Pages<'_> {
    /// The numbered block: mathematics, item, evidence, symbols, misprint, source.
    pub(super) fn formula(&self, formula: &Formula, chapter: &str) -> Result<String> {
        if let Kind::Alias(of) = formula.kind {
            return self.alias(formula, of, chapter);
        }
        let number = self.number(formula).unwrap_or("–");
        let math = self.typeset(formula)?;
        let (item, file) = self.item(formula, chapter).map_err(|e| at(formula, e))?;
        let (id, title) = (formula.id, html(formula.title));
        let (kind, label) = match formula.kind {
            Kind::Formula => ("equation", String::new()),
            _ => (kind(formula), format!(" <span class=\"kind\">{}</span>", kind(formula))),
        };
        Ok(format!(
            "<div class=\"formula\" id=\"eq-{id}\" role=\"group\" aria-label=\"{kind} {number}: {title}\">\
             <div class=\"formula-head\"><span class=\"formula-title\">{title}{label}</span> \
             <a class=\"formula-number\" href=\"#eq-{id}\" aria-label=\"Link to {kind} {number}\">({number})</a></div>\
             {math}<div class=\"formula-meta\">{item} <span class=\"file\">{file}</span></div>{}{}{}{}\
             <p class=\"formula-source\"><span class=\"label\">Source</span> {}</p></div>",
            self.evidence(formula),
            self.symbols(formula)?,
            self.code(formula, chapter)?,
            self.printed(formula)?,
            html(formula.source),
        ))
    }

    /// The small block of another name.
    fn alias(&self, formula: &Formula, of: &str, chapter: &str) -> Result<String> {
        let main = self.catalog.formula(of)?;
        let (id, title) = (formula.id, html(formula.title));
        Ok(format!(
            "<div class=\"formula alias\" id=\"eq-{id}\" role=\"group\" aria-label=\"{title}\">\
             <div class=\"formula-head\"><span class=\"formula-title\">{title}</span> <span>another name for {} {}</span></div>{}{}</div>",
            html(main.title),
            self.reference(main, chapter)?,
            // An alias under the very same sign need not be printed twice.
            if formula.latex == main.latex { String::new() } else { self.typeset(formula)? },
            self.printed(formula)?,
        ))
    }

    fn typeset(&self, formula: &Formula) -> Result<String> {
        if formula.latex.is_empty() {
            return Ok(String::new());
        }
        let typeset = |(at, symbol): (usize, &Symbol)| Ok((at, self.math.inline(symbol.latex)?));
        let symbols: Result<Vec<_>> = formula.symbols.iter().enumerate().map(typeset).collect();
        let math = self.display(formula.latex);
        Ok(mark(&math.map_err(|e| at(formula, e))?, &symbols.map_err(|e| at(formula, e))?))
    }

    fn symbols(&self, formula: &Formula) -> Result<String> {
        if formula.symbols.is_empty() {
            return Ok(String::new());
        }
        let mut rows = String::new();
        for (at, symbol) in formula.symbols.iter().enumerate() {
            rows += &format!(
                "<tr data-symbol=\"{at}\"><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                self.math.inline(symbol.latex).map_err(|e| super::at(formula, e))?,
                html(symbol.meaning),
                html(symbol.code),
                html(symbol.shape),
                html(symbol.unit),
            );
        }
        Ok(format!(
            "<details class=\"symbols\"><summary><span class=\"summary-label\">Symbols</span></summary><div class=\"table-wrapper\"><table><thead><tr>\
             <th>symbol</th><th>meaning</th><th>in code</th><th>shape</th><th>unit</th></tr></thead>\
             <tbody>{rows}</tbody></table></div></details>"
        ))
    }

    /// The box that shows what the notes print instead.
    fn printed(&self, formula: &Formula) -> Result<String> {
        let Some(printed) = &formula.printed else { return Ok(String::new()) };
        let math = match printed.latex {
            "" => String::new(),
            latex => self.display(latex).map_err(|e| at(formula, e))?,
        };
        Ok(format!(
            "<div class=\"printed\"><p><span class=\"label\">As printed in the notes</span> \
             <span class=\"judged\">{}</span></p>{math}{}{}</div>",
            judged(formula.verdict),
            reasons(printed),
            self.refutations(formula),
        ))
    }
}

/// What is wrong with a printed form, and the numbers by hand.
pub(super) fn reasons(printed: &Printed) -> String {
    format!(
        "<p><span class=\"label\">Why not</span> {}.</p><p><span class=\"label\">By hand</span> {}.</p>",
        html(printed.reason.trim_end_matches('.')),
        html(printed.counterexample.trim_end_matches('.'))
    )
}

/// What the notes' version is worth, in words.
pub(super) fn judged(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "right as printed",
        Verdict::Ambiguous => "ambiguous",
        Verdict::Wrong => "wrong",
        Verdict::Required => "not in the notes",
    }
}
