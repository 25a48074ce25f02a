//! The table of formulas.

use super::{Look, count, cut, pad};
use crate::{Catalogue, Entry};
use gradus_formula::Verdict;

/// Formulas, two lines each, with their properties and refutations beneath.
pub fn list(catalogue: &Catalogue, entries: &[&Entry], look: Look) -> String {
    let widest = |ids: &mut dyn Iterator<Item = &str>| ids.map(str::len).max().unwrap_or(0);
    let id_width = widest(&mut entries.iter().map(|e| e.id)).max("FORMULA".len());
    let property_ids = entries.iter().flat_map(|e| e.properties.iter().chain(&e.refutations).copied());
    let property_width = widest(&mut property_ids.into_iter());
    let row = |id: &str, kind: &str, verdict: &str, title: &str| {
        format!("{}  {}  {}  {title}", pad(id, id_width), pad(kind, 7), pad(verdict, 9))
    };
    let mut out = look.dim(&row("FORMULA", "KIND", "VERDICT", "TITLE")) + "\n";
    for e in entries {
        let line = cut(&row(e.id, e.kind, verdict(e.formula.verdict), e.title), look.width);
        out += &format!("{}{}\n", look.bold(e.id), line.strip_prefix(e.id).unwrap_or(&line));
        let alias = e.alias_of.map(|of| format!("alias of {of} · ")).unwrap_or_default();
        let place = format!("  {alias}{} · {} · chapter {}", e.package, e.item, e.chapter);
        out += &format!("{}\n", look.dim(&cut(&place, look.width)));
        let evidence = e.properties.iter().map(|id| ("property  ", id));
        for (word, id) in evidence.chain(e.refutations.iter().map(|id| ("refutation", id))) {
            let statement = catalogue.properties.iter().find(|p| p.id == *id).map_or("", |p| p.statement);
            let line = format!("    {word}  {}  {statement}", pad(id, property_width));
            out += &format!("{}\n", cut(&line, look.width));
        }
    }
    out + &format!("\n{}\n", totals(catalogue, entries))
}

/// `3 formulas, 6 properties, 1 refutation`: each property once, however many formulas share it.
fn totals(catalogue: &Catalogue, entries: &[&Entry]) -> String {
    let shown = |refutation| {
        let of = |e: &&Entry, id| e.properties.contains(&id) || e.refutations.contains(&id);
        let all = catalogue.properties.iter().filter(|p| p.refutation == refutation);
        all.filter(|p| entries.iter().any(|e| of(e, p.id))).count() as u64
    };
    let formulas = count(entries.len() as u64, "entry");
    format!("{formulas}, {}, {}", count(shown(false), "property"), count(shown(true), "refutation"))
}

pub(super) fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Ambiguous => "ambiguous",
        Verdict::Wrong => "wrong",
        Verdict::Required => "required",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics;

    #[test]
    fn every_formula_and_property_has_its_line() {
        let catalogue = Catalogue::new(topics());
        let text = list(&catalogue, &catalogue.list(None).unwrap(), Look { width: 400, color: false });
        for e in &catalogue.entries {
            for part in [e.id, e.kind, e.title, e.package, &e.item, e.chapter] {
                assert!(text.contains(part), "{part}");
            }
        }
        for p in &catalogue.properties {
            assert!(text.contains(&format!("  {}", p.id)) && text.contains(p.statement), "{}", p.id);
        }
        let last = text.lines().last().unwrap();
        assert!(last.starts_with(&format!("{} entries", catalogue.entries.len())), "{last}");
    }

    #[test]
    fn lines_keep_to_the_width() {
        let catalogue = Catalogue::new(topics());
        let text = list(&catalogue, &catalogue.list(None).unwrap(), Look { width: 40, color: true });
        for line in text.lines().skip(1) {
            assert!(console::measure_text_width(line) <= 40, "{line}");
        }
        assert!(text.contains("\u{1b}["), "colour was asked for");
    }
}
