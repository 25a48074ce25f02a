//! The lists at the end of the book: all formulas, all misprints, all symbols.

use super::formula::{judged, reasons};
use super::{Pages, at, kind};
use crate::text::html;
use anyhow::Result;
use std::collections::BTreeMap;

impl Pages<'_> {
    /// Every formula, a row each.
    pub(super) fn formulas_table(&self, chapter: &str) -> Result<String> {
        let mut rows = String::new();
        for formula in self.catalog.formulas() {
            let (item, _) = self.item(formula, chapter).map_err(|e| at(formula, e))?;
            let math = if formula.latex.is_empty() {
                String::new()
            } else {
                self.math.inline(formula.latex).map_err(|e| at(formula, e))?
            };
            let properties = self.catalog.properties(formula);
            let refutations = properties.iter().filter(|p| p.refutation).count();
            let wrong =
                properties.iter().filter(|p| self.catalog.evidence(p).is_none_or(|e| !e.passed())).count();
            let evidence = match refutations {
                0 => format!("{}", properties.len()),
                n => format!("{} + {n} refuted", properties.len() - n),
            };
            let evidence = if wrong == 0 {
                evidence
            } else {
                format!("{evidence}, <strong>{wrong} not as it should be</strong>")
            };
            rows += &format!(
                "<tr><td>{}</td><td><span class=\"row-title\">{}</span><span class=\"row-math\">{math}</span><span class=\"row-id\"><code>{}</code> {}</span></td>\
                 <td>{}</td><td>{evidence}</td><td>{}</td><td>{}</td></tr>",
                self.number_cell(formula, chapter),
                html(formula.title),
                html(formula.id),
                kind(formula),
                // A long path may be broken between its parts.
                item.replace("::", "::<wbr>"),
                judged(formula.verdict),
                self.chapter_cell(formula, chapter),
            );
        }
        Ok(table("wide", &["no.", "formula", "item", "properties", "in the notes", "chapter"], &rows))
    }

    /// Every misprint, with what is right and why.
    pub(super) fn errata(&self, chapter: &str) -> Result<String> {
        let mut out = String::new();
        for formula in self.catalog.formulas() {
            let Some(printed) = &formula.printed else { continue };
            let correct = match formula.latex {
                "" => html(formula.unicode),
                latex => self.display(latex).map_err(|e| at(formula, e))?,
            };
            let as_printed = match printed.latex {
                "" => String::new(),
                latex => self.display(latex).map_err(|e| at(formula, e))?,
            };
            let title = html(formula.title);
            out += &format!(
                "<div class=\"erratum\" id=\"erratum-{}\" role=\"group\" aria-label=\"{title}\"><div class=\"formula-head\">\
                 <span class=\"formula-title\">{title}</span> <span>{} {}</span></div><div class=\"two-forms\">\
                 <div class=\"printed\"><p><span class=\"label\">As printed</span></p>{as_printed}</div>\
                 <div class=\"correct\"><p><span class=\"label\">Correct</span></p>{correct}</div></div>{}{}</div>",
                formula.id,
                judged(formula.verdict),
                self.number_cell(formula, chapter),
                reasons(printed),
                self.refutations(formula),
            );
        }
        Ok(format!("<div class=\"errata\">{out}</div>"))
    }

    /// Every symbol: rows that agree in everything but the formula are one row.
    pub(super) fn notation_table(&self, chapter: &str) -> Result<String> {
        /// Sorted by letter first, so that a letter's several meanings stand together.
        type Key = (String, &'static str, &'static str, &'static str, &'static str, &'static str);
        let mut rows: BTreeMap<Key, Vec<String>> = BTreeMap::new();
        for formula in self.catalog.formulas() {
            for s in formula.symbols {
                let key = (sort_key(s.latex), s.latex, s.meaning, s.shape, s.unit, s.code);
                let id = html(formula.id);
                let link = match self.address(formula, chapter) {
                    Some(address) => format!("<a href=\"{address}\">{id}</a>"),
                    None => id,
                };
                let uses = rows.entry(key).or_default();
                if !uses.contains(&link) {
                    uses.push(link);
                }
            }
        }
        let mut body = String::new();
        for ((_, latex, meaning, shape, unit, code), uses) in rows {
            body += &format!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td><code>{}</code></td><td>{}</td></tr>",
                self.math.inline(latex)?,
                html(meaning),
                html(shape),
                html(unit),
                html(code),
                uses.join(", ")
            );
        }
        Ok(table("notation", &["symbol", "meaning", "shape", "unit", "in code", "used in"], &body))
    }
}

fn table(class: &str, heads: &[&str], rows: &str) -> String {
    let heads: String = heads.iter().map(|h| format!("<th scope=\"col\">{h}</th>")).collect();
    format!(
        "<div class=\"table-wrapper {class}\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
}

/// The letters of a symbol, without LaTeX's signs: `\hat{y}_i` sorts among the y.
fn sort_key(latex: &str) -> String {
    const DRESS: [&str; 9] =
        ["hat", "bar", "tilde", "mathbf", "mathrm", "boldsymbol", "vec", "operatorname", "mathcal"];
    let words = latex.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty() && !DRESS.contains(w));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::sort_key;

    #[test]
    fn dress_does_not_count_in_sorting() {
        assert_eq!(sort_key("\\hat{y}_i"), "y i");
        assert_eq!(sort_key("\\mathbf{W}"), "w");
        assert_eq!(sort_key("\\alpha"), "alpha");
    }
}
