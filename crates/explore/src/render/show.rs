//! Everything about one property.

use super::list::verdict;
use super::{Look, number, range};
use crate::Catalogue;
use gradus_formula::{Draw, Property, Scale};

/// Statement, formulas, draws with ranges and limits, tolerance, and the commands that run and replay it.
pub fn show(catalogue: &Catalogue, property: &Property, look: Look) -> String {
    let sort = if property.refutation { "refutation (must fail)" } else { "property" };
    let mut out = format!("{}  {}\n", look.bold(property.id), look.dim(sort));
    let mut row = |name: &str, text: &str| out += &format!("  {name:<10}  {text}\n");
    row("states", property.statement);
    for e in catalogue.formulas_of(property) {
        row("formula", &format!("{}: {} ({}, {})", e.id, e.title, e.kind, verdict(e.formula.verdict)));
        row("", e.formula.unicode);
        row("", &format!("{} · chapter {}", e.item, e.chapter));
        for s in e.formula.symbols {
            row("", &format!("{}: {}; shape {}, unit {}", s.code, s.meaning, s.shape, s.unit));
        }
        if let (true, Some(printed)) = (property.refutation, e.formula.printed) {
            row("printed", printed.latex);
            row("", printed.reason);
            row("by hand", printed.counterexample);
        }
    }
    match &property.draws[..] {
        [] => row("draws", "nothing: it has one case"),
        draws => {
            for (i, d) in draws.iter().enumerate() {
                row(if i == 0 { "draws" } else { "" }, &draw(d));
            }
        }
    }
    let t = property.tolerance;
    if t.value == 0.0 {
        row("tolerance", &format!("0 ({}): the two sides must be equal", t.name));
    } else {
        row("tolerance", &format!("{} ({})", number(t.value), t.name));
    }
    row("run", &format!("cargo explore run {}", property.id));
    if let Some(d) = property.draws.first() {
        let range = format!("--range {}={}..{}", d.name, d.range.low, d.range.high);
        row("", &format!("cargo explore run {} --cases 10000 --seed 1 {range} --plot", property.id));
    }
    row("replay", &format!("cargo explore run --replay {}:0 --seed 0", property.id));
    out
}

fn draw(d: &Draw) -> String {
    if let Some(options) = d.options {
        let named: Vec<_> = options.iter().enumerate().map(|(i, o)| format!("{i} = {o}")).collect();
        return format!("{}: one of {} (a range is given in these numbers)", d.name, named.join(", "));
    }
    let scale = match d.scale {
        Scale::Integer => "whole numbers",
        Scale::Linear => "reals, evenly",
        Scale::Log => "reals, evenly in their logarithm",
    };
    let shape = d.shape.map(|s| format!(" [{}] of", s.join(", "))).unwrap_or_default();
    format!("{}:{shape} {scale}, {} (allowed: {})", d.name, range(d.range), range(d.limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topics;

    #[test]
    fn a_property_shows_all_of_itself() {
        let catalogue = Catalogue::new(topics());
        let property = Property::new("sigmoid.made-up", &["sigmoid"], "a statement")
            .draw(Draw::log("t", 0.001..=1000.0))
            .draw(Draw::size("n", 1..=8))
            .draw(Draw::array("x", -1.0..=1.0, &["n", "3"]))
            .draw(Draw::choice("mode", &["sum", "mean"]))
            .within("one in a million", 1e-6);
        let text = show(&catalogue, &property, Look::PLAIN);
        for part in [
            "a statement",
            catalogue.entries.iter().find(|e| e.id == "sigmoid").unwrap().formula.unicode,
            "t: reals, evenly in their logarithm, 0.001..1000 (allowed: any positive number)",
            "n: whole numbers, 1..8 (allowed: 1..4096)",
            "x: [n, 3] of reals, evenly, -1..1 (allowed: any finite number)",
            "mode: one of 0 = sum, 1 = mean",
            "1e-6 (one in a million)",
            "cargo explore run sigmoid.made-up\n",
            "cargo explore run --replay sigmoid.made-up:0",
        ] {
            assert!(text.contains(part), "{part} is missing from\n{text}");
        }
    }
}
