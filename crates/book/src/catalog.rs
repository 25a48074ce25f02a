//! Every formula and property of the workspace, and what came of running the properties.

use crate::evidence::Evidence;
use crate::kept;
use anyhow::{Result, anyhow, bail, ensure};
use gradus_explore::{Topic, topics};
use gradus_formula::{Config, Formula, Kind, Property, run};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many cases a badge rests on: enough to notice, few enough that a page is built at once.
pub const CASES: u64 = 64;
/// How many cases a misprint gets: its run ends with the first that refutes it.
pub const REFUTATION_CASES: u64 = 1024;

/// The formulas and properties that the book knows.
pub struct Catalog {
    formulas: Vec<&'static Formula>,
    places: BTreeMap<&'static str, usize>,
    properties: Vec<Property>,
    /// Whether these are all topics: what is kept of a run is that of all.
    complete: bool,
    evidence: OnceLock<BTreeMap<String, Evidence>>,
}

impl Catalog {
    /// The catalogue of all topic crates.
    ///
    /// # Errors
    /// If two entries share an id, or one names a formula that does not exist.
    pub fn new() -> Result<Self> {
        Ok(Self { complete: true, ..Self::of(topics())? })
    }

    /// The catalogue of some topics.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of(topics: &'static [Topic]) -> Result<Self> {
        let formulas: Vec<_> = topics.iter().flat_map(|t| t.formulas).collect();
        let properties: Vec<_> = topics.iter().flat_map(Topic::properties).collect();
        let mut places = BTreeMap::new();
        for (place, formula) in formulas.iter().enumerate() {
            if places.insert(formula.id, place).is_some() {
                bail!("two formulas have the id `{}`", formula.id);
            }
        }
        for formula in &formulas {
            if let Kind::Alias(of) = formula.kind {
                ensure!(places.contains_key(of), "`{}` is an alias of the unknown `{of}`", formula.id);
            }
        }
        let mut seen = BTreeSet::new();
        for property in &properties {
            ensure!(seen.insert(property.id), "two properties have the id `{}`", property.id);
            for id in property.formulas {
                ensure!(places.contains_key(id), "`{}` names the unknown formula `{id}`", property.id);
            }
        }
        Ok(Self { formulas, places, properties, complete: false, evidence: OnceLock::new() })
    }

    /// All formulas, in the order of the topics.
    pub fn formulas(&self) -> &[&'static Formula] {
        &self.formulas
    }

    /// The formula with this id.
    ///
    /// # Errors
    /// If there is none; the message names ids that look alike.
    pub fn formula(&self, id: &str) -> Result<&'static Formula> {
        if let Some(&place) = self.places.get(id) {
            return Ok(self.formulas[place]);
        }
        let alike: Vec<_> =
            self.places.keys().filter(|known| known.contains(id) || id.contains(*known)).copied().collect();
        let hint = if alike.is_empty() { String::new() } else { format!("; is it {}?", alike.join(" or ")) };
        Err(anyhow!("no formula has the id `{id}`{hint}"))
    }

    /// The properties that are evidence for a formula (for an alias: for the formula it stands for).
    pub fn properties(&self, formula: &Formula) -> Vec<&Property> {
        let id = formula.canonical();
        self.properties.iter().filter(|p| p.formulas.contains(&id)).collect()
    }

    /// The derivation with this id, as the property that checks it.
    ///
    /// # Errors
    /// If there is none.
    pub fn derivation(&self, id: &str) -> Result<&Property> {
        let known = || self.properties.iter().filter(|p| p.derivation.is_some());
        known().find(|p| p.id == id).ok_or_else(|| {
            let known: Vec<_> = known().map(|p| p.id).collect();
            anyhow!("no derivation has the id `{id}`; there are: {}", known.join(", "))
        })
    }

    /// All properties.
    pub fn all_properties(&self) -> &[Property] {
        &self.properties
    }

    /// What came of a property; all are run at the first call, and then remembered: by every program of the same crates, too.
    pub fn evidence(&self, property: &Property) -> Option<&Evidence> {
        self.evidence.get_or_init(|| self.run_all()).get(property.id)
    }

    fn run_all(&self) -> BTreeMap<String, Evidence> {
        if !self.complete {
            return run_all(&self.properties);
        }
        let kept = kept::text("evidence.json", || Ok(serde_json::to_string(&run_all(&self.properties))?));
        kept.ok()
            .and_then(|kept| serde_json::from_str(&kept).ok())
            .unwrap_or_else(|| run_all(&self.properties))
    }
}

/// Runs every property, on all processors: which thread runs which does not change what comes of it.
fn run_all(properties: &[Property]) -> BTreeMap<String, Evidence> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(property) = properties.get(next.fetch_add(1, Ordering::Relaxed)) {
            let cases = if property.refutation { REFUTATION_CASES } else { CASES };
            // Only ranges set from outside can be refused, and none is set here.
            if let Ok(report) = run(property, &Config { cases, ..Config::default() }, &mut |_| {}) {
                done.push((property.id.to_owned(), Evidence::of(&report)));
            }
        }
        done
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        handles.into_iter().filter_map(|h| h.join().ok()).flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::{Item, ItemKind, Verdict};

    #[test]
    fn an_unknown_id_is_refused_with_a_hint() {
        let catalog = Catalog::new().unwrap();
        assert_eq!(catalog.formula("sigmoid").unwrap().id, "sigmoid");
        let error = catalog.formula("sigmoids").unwrap_err().to_string();
        assert!(error.contains("`sigmoids`") && error.contains("is it sigmoid"), "{error}");
    }

    #[test]
    fn entries_that_contradict_each_other_are_refused() {
        const ONE: Formula = Formula {
            id: "one",
            kind: Kind::Formula,
            verdict: Verdict::Ok,
            title: "One",
            latex: "1",
            unicode: "1",
            symbols: &[],
            source: "nobody",
            item: Item { krate: "x", name: "one", kind: ItemKind::Const },
            chapter: "none",
            printed: None,
        };
        const ALIAS: Formula = Formula { id: "two", kind: Kind::Alias("three"), ..ONE };
        fn none() -> Vec<Property> {
            Vec::new()
        }
        fn stranger() -> Vec<Property> {
            vec![Property::new("one.p", &["one", "four"], "")]
        }
        fn twice() -> Vec<Property> {
            vec![Property::new("one.p", &["one"], ""), Property::new("one.p", &["one"], "")]
        }
        static CASES: &[(Topic, &str)] = &[
            (
                Topic { package: "x", formulas: &[ONE, ONE], properties: &[none] },
                "two formulas have the id `one`",
            ),
            (
                Topic { package: "x", formulas: &[ONE, ALIAS], properties: &[none] },
                "alias of the unknown `three`",
            ),
            (
                Topic { package: "x", formulas: &[ONE], properties: &[stranger] },
                "names the unknown formula `four`",
            ),
            (
                Topic { package: "x", formulas: &[ONE], properties: &[twice] },
                "two properties have the id `one.p`",
            ),
        ];
        for (topic, expected) in CASES {
            let error = Catalog::of(std::slice::from_ref(topic)).err().unwrap().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn every_property_is_really_run() {
        let catalog = Catalog::new().unwrap();
        for property in catalog.all_properties() {
            let evidence = catalog.evidence(property).unwrap();
            assert!(evidence.cases > 0, "{}", property.id);
            assert_eq!(evidence.counterexample.is_some(), property.refutation, "{}", property.id);
        }
    }
}
