//! The table of formulas.

use super::{Look, count, cut, pad};
use crate::{Catalogue, Entry, Listing};
use gradus_formula::{Property, Verdict};

/// Formulas, two lines each, with their properties and refutations beneath; then the properties about none.
pub fn list(catalogue: &Catalogue, listing: &Listing<'_>, look: Look) -> String {
    let Listing { entries, others } = listing;
    let id_width = entries.iter().map(|e| e.id.len()).max().unwrap_or(0).max("FORMULA".len());
    let ids = entries.iter().flat_map(|e| e.properties.iter().chain(&e.refutations).copied());
    let property_width = ids.chain(others.iter().map(|(_, p)| p.id)).map(str::len).max().unwrap_or(0);
    let row = |id: &str, kind: &str, verdict: &str, title: &str| {
        format!("{}  {}  {}  {title}", pad(id, id_width), pad(kind, 7), pad(verdict, 9))
    };
    let evidence = |word: &str, id: &str, statement: &str| {
        cut(&format!("    {}  {}  {statement}", pad(word, 10), pad(id, property_width)), look.width) + "\n"
    };
    let mut out = String::new();
    if !entries.is_empty() {
        out += &look.dim(&cut(&row("FORMULA", "KIND", "VERDICT", "TITLE"), look.width));
        out.push('\n');
    }
    for e in entries {
        let line = cut(&row(e.id, e.kind, verdict(e.formula.verdict), e.title), look.width);
        out += &format!("{}{}\n", look.bold(e.id), line.strip_prefix(e.id).unwrap_or(&line));
        let alias = e.alias_of.map(|of| format!("alias of {of} · ")).unwrap_or_default();
        let place = format!("  {alias}{} · {} · chapter {}", e.package, e.item, e.chapter);
        out += &format!("{}\n", look.dim(&cut(&place, look.width)));
        let statement = |id| catalogue.properties.iter().find(|p| p.id == id).map_or("", |p| p.statement);
        e.properties.iter().for_each(|id| out += &evidence("property", id, statement(*id)));
        e.refutations.iter().for_each(|id| out += &evidence("refutation", id, statement(*id)));
    }
    for (i, (package, p)) in others.iter().enumerate() {
        if i == 0 || others[i - 1].0 != *package {
            out += &format!("{}\n", look.bold(&cut(package, look.width)));
        }
        out += &evidence(if p.refutation { "refutation" } else { "property" }, p.id, p.statement);
    }
    out + &format!("\n{}\n", cut(&totals(catalogue, listing), look.width))
}

/// `3 entries, 6 properties, 1 refutation`: each property once, however many formulas share it.
fn totals(catalogue: &Catalogue, listing: &Listing<'_>) -> String {
    let shown = |refutation| {
        let listed = |p: &&Property| {
            let of = |e: &&Entry| e.properties.contains(&p.id) || e.refutations.contains(&p.id);
            listing.entries.iter().any(of) || listing.others.iter().any(|(_, other)| other.id == p.id)
        };
        let all = catalogue.properties.iter().filter(|p| p.refutation == refutation);
        all.filter(listed).count() as u64
    };
    let entries = count(listing.entries.len() as u64, "entry");
    format!("{entries}, {}, {}", count(shown(false), "property"), count(shown(true), "refutation"))
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
        for line in text.lines() {
            assert!(console::measure_text_width(line) <= 40, "{line}");
        }
        assert!(text.contains("gradus-tensor"), "the crate without formulas has its heading");
        assert!(text.contains("\u{1b}["), "colour was asked for");
    }
}
