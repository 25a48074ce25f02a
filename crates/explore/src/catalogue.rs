//! Every formula with its properties, and how to find them by name, by pattern or by a slip of the keyboard.

use crate::{Error, Result, Topic, near, topics};
use glob::Pattern;
use gradus_formula::{Formula, Kind, Property, Verdict};
use serde::Serialize;

/// A formula as the lists show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The id.
    pub id: &'static str,
    /// `formula`, `claim`, `alias` or `figure`.
    pub kind: &'static str,
    /// For an alias, the formula that carries the properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias_of: Option<&'static str>,
    /// The short name.
    pub title: &'static str,
    /// The package: `gradus-activations`.
    #[serde(rename = "crate")]
    pub package: &'static str,
    /// The full path of the implementing item.
    pub item: String,
    /// The chapter: its file in the book, without `.md`.
    pub chapter: &'static str,
    /// Whether the lecture notes print it wrongly.
    pub misprinted: bool,
    /// The ids of its properties; an alias shows those of its formula.
    pub properties: Vec<&'static str>,
    /// The ids of its refutations.
    pub refutations: Vec<&'static str>,
    /// All of it.
    #[serde(skip)]
    pub formula: &'static Formula,
}

/// Every formula and property of some topics.
#[derive(Debug, Clone, Serialize)]
pub struct Catalogue {
    /// The formulas, in the order of the book.
    #[serde(rename = "formulas")]
    pub entries: Vec<Entry>,
    /// The properties and refutations, in the order of the book.
    #[serde(skip)]
    pub properties: Vec<Property>,
    /// The package of each property.
    #[serde(skip)]
    packages: Vec<&'static str>,
}

/// What a list shows.
#[derive(Debug, Clone)]
pub struct Listing<'a> {
    /// Formulas, with their properties.
    pub entries: Vec<&'a Entry>,
    /// Properties about no formula, with their package: those of the tensor crate's operations.
    pub others: Vec<(&'static str, &'a Property)>,
}

/// The whole workspace's catalogue as JSON: `{"formulas": [{"id", "kind", …}]}`.
///
/// # Errors
/// If it can't be written as JSON, which would be a slip in this crate.
pub fn catalogue() -> Result<serde_json::Value> {
    Ok(serde_json::to_value(Catalogue::new(topics()))?)
}

impl Catalogue {
    /// The catalogue of these topics.
    pub fn new(topics: &[Topic]) -> Self {
        let (packages, properties): (Vec<_>, Vec<_>) = topics
            .iter()
            .flat_map(|topic| topic.properties().into_iter().map(|p| (topic.package, p)))
            .unzip();
        let entries = topics
            .iter()
            .flat_map(|topic| topic.formulas.iter().map(|f| Entry::new(topic.package, f, &properties)))
            .collect();
        Self { entries, properties, packages }
    }

    /// The formulas that match `pattern`, or have a property that does, and the matching properties about no
    /// formula; all of them for `None`.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is none; [`Error::Pattern`] if the pattern is malformed.
    pub fn list(&self, pattern: Option<&str>) -> Result<Listing<'_>> {
        let text = pattern.unwrap_or("*");
        let pattern = compile(text)?;
        let entry = |e: &&Entry| {
            let mut ids = e.properties.iter().chain(&e.refutations);
            pattern.matches(e.id) || pattern.matches(e.package) || ids.any(|id| pattern.matches(id))
        };
        let other = |(package, p): &(&str, &Property)| {
            p.formulas.is_empty() && (pattern.matches(p.id) || pattern.matches(package))
        };
        let found = Listing {
            entries: self.entries.iter().filter(entry).collect(),
            others: self.packages.iter().copied().zip(&self.properties).filter(other).collect(),
        };
        let empty = found.entries.is_empty() && found.others.is_empty();
        if empty { Err(self.unknown(text)) } else { Ok(found) }
    }

    /// The properties that these patterns select, each once, in the order of the book.
    ///
    /// A pattern is the id of a property (`sigmoid.symmetry`), a formula (`sigmoid`: all its properties and
    /// refutations, and an alias its formula's) or a crate (`gradus-activations`), or a glob over those with
    /// `*`, `?` and `[…]` (`softmax.*`).
    ///
    /// # Errors
    /// [`Error::Unknown`] for a pattern that matches nothing, with the nearest names;
    /// [`Error::NoProperties`] for one that matches only formulas without properties.
    pub fn select<S: AsRef<str>>(&self, patterns: &[S]) -> Result<Vec<&Property>> {
        let mut chosen = vec![false; self.properties.len()];
        for text in patterns {
            let text = text.as_ref();
            let pattern = compile(text)?;
            let formulas: Vec<&Entry> =
                self.entries.iter().filter(|e| pattern.matches(e.id) || pattern.matches(e.package)).collect();
            let mut found = false;
            for ((p, package), chosen) in self.properties.iter().zip(&self.packages).zip(&mut chosen) {
                let of = |e: &&Entry| e.properties.contains(&p.id) || e.refutations.contains(&p.id);
                if pattern.matches(p.id) || pattern.matches(package) || formulas.iter().any(of) {
                    (*chosen, found) = (true, true);
                }
            }
            match formulas.first() {
                _ if found => {}
                Some(e) => return Err(Error::NoProperties { pattern: text.into(), kind: e.kind }),
                None => return Err(self.unknown(text)),
            }
        }
        Ok(self.properties.iter().zip(chosen).filter(|(_, yes)| *yes).map(|(p, _)| p).collect())
    }

    /// The property with exactly this id.
    ///
    /// # Errors
    /// [`Error::Unknown`], with the nearest names.
    pub fn property(&self, id: &str) -> Result<&Property> {
        let found = self.properties.iter().find(|p| p.id == id);
        found.ok_or_else(|| Error::Unknown {
            pattern: id.into(),
            near: near(id, self.properties.iter().map(|p| p.id)),
        })
    }

    /// The formulas that a property speaks about.
    pub fn formulas_of(&self, property: &Property) -> impl Iterator<Item = &Entry> {
        property.formulas.iter().filter_map(|id| self.entries.iter().find(|e| e.id == *id))
    }

    fn unknown(&self, pattern: &str) -> Error {
        let formulas = self.entries.iter().map(|e| e.id);
        let packages = self.packages.iter().copied();
        let names = self.properties.iter().map(|p| p.id).chain(formulas).chain(packages);
        Error::Unknown { pattern: pattern.into(), near: near(pattern, names) }
    }
}

impl Entry {
    fn new(package: &'static str, formula: &'static Formula, properties: &[Property]) -> Self {
        let about = |refutation: bool| {
            let of = |p: &&Property| {
                p.refutation == refutation && p.formulas.iter().any(|id| *id == formula.canonical())
            };
            properties.iter().filter(of).map(|p| p.id).collect()
        };
        let (kind, alias_of) = match formula.kind {
            Kind::Formula => ("formula", None),
            Kind::Claim => ("claim", None),
            Kind::Alias(of) => ("alias", Some(of)),
            Kind::Figure => ("figure", None),
        };
        Self {
            id: formula.id,
            kind,
            alias_of,
            title: formula.title,
            package,
            item: formula.item.path(),
            chapter: formula.chapter,
            misprinted: formula.verdict == Verdict::Wrong,
            properties: about(false),
            refutations: about(true),
            formula,
        }
    }
}

fn compile(text: &str) -> Result<Pattern> {
    Pattern::new(text).map_err(|e| Error::Pattern { pattern: text.into(), reason: e.msg })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(found: Result<Vec<&Property>>) -> Vec<&'static str> {
        found.unwrap().iter().map(|p| p.id).collect()
    }

    /// A catalogue that no other crate can change: three formulas of this test's own.
    fn small() -> Catalogue {
        use gradus_formula::{Item, ItemKind};
        const fn formula(id: &'static str, kind: Kind, verdict: Verdict) -> Formula {
            let item = Item { krate: "gradus_shop", name: "price", kind: ItemKind::Fn };
            Formula {
                id,
                kind,
                verdict,
                title: "t",
                latex: "l",
                unicode: "u",
                symbols: &[],
                source: "s",
                item,
                chapter: "shop",
                printed: None,
            }
        }
        static FORMULAS: &[Formula] = &[
            formula("price", Kind::Formula, Verdict::Wrong),
            formula("cost", Kind::Alias("price"), Verdict::Ok),
            formula("window", Kind::Figure, Verdict::Ok),
            formula("sum", Kind::Claim, Verdict::Ok),
        ];
        const PROPERTIES: &[fn() -> Vec<Property>] = &[|| {
            vec![
                Property::new("price.positive", &["price", "sum"], "…"),
                Property::new("price.additive", &["price"], "…"),
                Property::refutation("price.printed", &["price"], "…"),
            ]
        }];
        Catalogue::new(&[Topic { package: "gradus-shop", formulas: FORMULAS, properties: PROPERTIES }])
    }

    #[test]
    fn patterns_select_by_property_formula_alias_crate_and_glob() {
        let c = small();
        let all = ["price.positive", "price.additive", "price.printed"];
        assert_eq!(ids(c.select(&["price.additive"])), ["price.additive"]);
        assert_eq!(ids(c.select(&["price"])), all);
        assert_eq!(ids(c.select(&["cost"])), all);
        assert_eq!(ids(c.select(&["gradus-shop"])), all);
        assert_eq!(ids(c.select(&["*"])), all);
        assert_eq!(ids(c.select(&["sum"])), ["price.positive"]);
        assert_eq!(ids(c.select(&["price.p*"])), ["price.positive", "price.printed"]);
        // Each once, in the book's order, whatever the order of the patterns.
        assert_eq!(ids(c.select(&["price.printed", "price.p*", "sum"])), ["price.positive", "price.printed"]);
    }

    #[test]
    fn what_selects_nothing_says_why() {
        let c = small();
        let error = |p: &str| c.select(&[p]).unwrap_err().to_string();
        assert_eq!(error("window"), "`window` has no properties to run (a figure)");
        let unknown = error("price.aditive");
        assert!(unknown.contains("did you mean price.additive"), "{unknown}");
        assert!(error("aditive").contains("price.additive"));
        assert!(!error("qqqq").contains("did you mean"));
        assert!(error("price[").contains("is no pattern"));
        // One unknown name among known ones is not passed over.
        assert!(c.select(&["price", "nothing-like-it"]).is_err());
        assert!(c.property("price").is_err(), "a formula is no property");
    }

    #[test]
    fn entries_bear_their_kind_and_an_alias_its_formulas_properties() {
        let json = serde_json::to_value(small()).unwrap();
        let formulas = json["formulas"].as_array().unwrap();
        assert_eq!(formulas.len(), 4);
        assert_eq!(formulas[1]["kind"], "alias");
        assert_eq!(formulas[1]["alias_of"], "price");
        assert_eq!(formulas[1]["properties"], formulas[0]["properties"]);
        assert_eq!(formulas[0]["refutations"], serde_json::json!(["price.printed"]));
        assert_eq!(formulas[0]["misprinted"], true);
        assert_eq!(formulas[0]["crate"], "gradus-shop");
        assert_eq!(formulas[0]["item"], "gradus_shop::price");
        assert_eq!(formulas[3]["properties"], serde_json::json!(["price.positive"]));
        assert!(formulas[0].get("alias_of").is_none());
    }

    #[test]
    fn a_list_is_filtered_by_formula_or_property() {
        let c = small();
        let list = |p| c.list(Some(p)).unwrap().entries.iter().map(|e| e.id).collect::<Vec<_>>();
        assert_eq!(c.list(None).unwrap().entries.len(), 4);
        assert_eq!(list("win*"), ["window"]);
        assert_eq!(list("price.additive"), ["price", "cost"]);
        assert!(c.list(Some("nope")).is_err());
    }

    #[test]
    fn properties_about_no_formula_are_found_by_name_and_crate() {
        fn properties() -> Vec<Property> {
            vec![Property::new("till.adds", &[], "…")]
        }
        let c = Catalogue::new(&[Topic {
            package: "gradus-till",
            formulas: &[],
            properties: const { &[properties] },
        }]);
        assert_eq!(ids(c.select(&["gradus-till"])), ["till.adds"]);
        assert_eq!(ids(c.select(&["till.*"])), ["till.adds"]);
        let others = |p| c.list(p).unwrap().others.iter().map(|(at, p)| (*at, p.id)).collect::<Vec<_>>();
        assert_eq!(others(None), [("gradus-till", "till.adds")]);
        assert_eq!(others(Some("gradus-till")), others(None));
        assert!(c.select(&["till.ads"]).unwrap_err().to_string().contains("did you mean till.adds"));
    }
}
