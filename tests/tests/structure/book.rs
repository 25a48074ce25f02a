//! The rules about formulas, their properties and their chapters.

use gradus_explore::topics;
use gradus_formula::{Formula, Kind, Property, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Every formula and property, and the text of the chapters.
pub(crate) struct Book {
    /// With the package that each is in.
    pub(crate) formulas: Vec<(&'static str, Formula)>,
    /// With the package that each is in.
    pub(crate) properties: Vec<(&'static str, Property)>,
    /// The packages.
    pub(crate) topics: Vec<&'static str>,
    /// By file name without `.md`.
    pub(crate) chapters: BTreeMap<String, String>,
}

impl Book {
    /// The workspace's own.
    pub(crate) fn real() -> Self {
        let mut book = Self {
            formulas: Vec::new(),
            properties: Vec::new(),
            topics: topics().iter().map(|t| t.package).collect(),
            chapters: BTreeMap::new(),
        };
        for topic in topics() {
            book.formulas.extend(topic.formulas.iter().map(|f| (topic.package, *f)));
            book.properties.extend(topic.properties().into_iter().map(|p| (topic.package, p)));
        }
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../book/src");
        // A chapter that is not there is named by the rule, not here.
        for (_, formula) in &book.formulas {
            if let Ok(text) = std::fs::read_to_string(format!("{folder}/{}.md", formula.chapter)) {
                book.chapters.insert(formula.chapter.to_owned(), text);
            }
        }
        assert!(!book.formulas.is_empty(), "a rule about nothing would always hold");
        book
    }

    /// The properties (or the refutations) of a formula; an alias has those of its formula.
    fn about(&self, formula: &Formula, refutation: bool) -> usize {
        let of = |p: &&Property| p.refutation == refutation && p.formulas.contains(&formula.canonical());
        self.properties.iter().map(|(_, p)| p).filter(of).count()
    }
}

/// A crate in the registry with nothing to run.
pub(crate) fn empty_topics(book: &Book) -> Vec<String> {
    let has = |topic: &str| book.properties.iter().any(|(package, _)| *package == topic);
    book.topics.iter().filter(|t| !has(t)).map(|t| format!("{t}: its properties() is empty")).collect()
}

/// A formula owes three properties, a claim one; refutations do not count.
pub(crate) fn evidence(book: &Book) -> Vec<String> {
    let missing = |(package, f): &(&str, Formula)| {
        let (has, owes) = (book.about(f, false), f.owed());
        (has < owes).then(|| format!("{}: {package} owes it {owes} properties and has {has}", f.id))
    };
    book.formulas.iter().filter_map(missing).collect()
}

/// What the notes print wrongly is shown as printed, and refuted.
pub(crate) fn misprints(book: &Book) -> Vec<String> {
    let mut offenders = Vec::new();
    for (_, f) in book.formulas.iter().filter(|(_, f)| f.verdict == Verdict::Wrong) {
        if f.printed.is_none() {
            offenders.push(format!("{}: wrong in the notes, but `printed` is None", f.id));
        }
        if book.about(f, true) == 0 {
            offenders.push(format!("{}: wrong in the notes, but no refutation shows it", f.id));
        }
    }
    offenders
}

/// An alias names an entry that is no alias itself.
pub(crate) fn aliases(book: &Book) -> Vec<String> {
    let mut offenders = Vec::new();
    for (_, f) in &book.formulas {
        let Kind::Alias(of) = f.kind else { continue };
        match book.formulas.iter().find(|(_, other)| other.id == of) {
            None => offenders.push(format!("{}: an alias of `{of}`, which does not exist", f.id)),
            Some((_, other)) if matches!(other.kind, Kind::Alias(_)) => {
                offenders.push(format!("{}: an alias of `{of}`, which is an alias itself", f.id));
            }
            Some(_) => {}
        }
    }
    offenders
}

/// An id means one thing.
pub(crate) fn duplicates(book: &Book) -> Vec<String> {
    let mut seen = BTreeMap::new();
    let formulas = book.formulas.iter().map(|(package, f)| ("formula", f.id, *package));
    let properties = book.properties.iter().map(|(package, p)| ("property", p.id, *package));
    let mut offenders = Vec::new();
    for (what, id, package) in formulas.chain(properties) {
        if let Some(first) = seen.insert((what, id), package) {
            offenders.push(format!("{what} {id} is given twice: in {first} and {package}"));
        }
    }
    offenders
}

/// A property names formulas that exist, and begins with the first one's id. One about no formula, as the tensor
/// crate has them, begins with its crate's name.
pub(crate) fn property_names(book: &Book) -> Vec<String> {
    let known: BTreeSet<_> = book.formulas.iter().map(|(_, f)| f.id).collect();
    let mut offenders = Vec::new();
    for (package, p) in &book.properties {
        for id in p.formulas.iter().filter(|id| !known.contains(*id)) {
            offenders.push(format!("{}: names the unknown formula `{id}`", p.id));
        }
        let short = package.strip_prefix("gradus-").unwrap_or(package);
        let head = p.formulas.first().copied().unwrap_or(short);
        if !p.id.strip_prefix(head).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')) {
            offenders.push(format!("{}: must begin with `{head}.`", p.id));
        }
    }
    offenders
}

/// A formula says all that its page shows.
pub(crate) fn fields(book: &Book) -> Vec<String> {
    let mut offenders = Vec::new();
    for (_, f) in book.formulas.iter().filter(|(_, f)| f.kind == Kind::Formula) {
        let texts = [("title", f.title), ("latex", f.latex), ("unicode", f.unicode), ("source", f.source)];
        let empty = texts.iter().filter(|(_, text)| text.trim().is_empty()).map(|(name, _)| *name);
        for name in empty.chain(f.symbols.is_empty().then_some("symbols")) {
            offenders.push(format!("{}: `{name}` is empty", f.id));
        }
    }
    offenders
}

/// A formula's chapter exists and shows it.
pub(crate) fn chapters(book: &Book) -> Vec<String> {
    let mut offenders = Vec::new();
    for (_, f) in &book.formulas {
        let directive = format!("{{{{#formula {}}}}}", f.id);
        match book.chapters.get(f.chapter) {
            None => offenders.push(format!("{}: its chapter book/src/{}.md does not exist", f.id, f.chapter)),
            Some(text) if !text.contains(&directive) => {
                offenders.push(format!("{}: book/src/{}.md lacks {directive}", f.id, f.chapter));
            }
            Some(_) => {}
        }
    }
    offenders
}

/// A derivation is shown once, in the chapter of the formula that it derives.
pub(crate) fn derivations(book: &Book) -> Vec<String> {
    let mut offenders = Vec::new();
    for (_, property) in book.properties.iter().filter(|(_, p)| p.derivation.is_some()) {
        let directive = format!("{{{{#derivation {}}}}}", property.id);
        let formula = book.formulas.iter().find(|(_, f)| f.id == property.formula());
        let Some((_, formula)) = formula else {
            offenders.push(format!("{}: derives no formula", property.id));
            continue;
        };
        let text = book.chapters.get(formula.chapter).map_or("", String::as_str);
        let times = text.matches(&directive).count();
        if times != 1 {
            offenders.push(format!(
                "{}: book/src/{}.md has {directive} {times} times",
                property.id, formula.chapter
            ));
        }
    }
    offenders
}
