//! A made-up offender for each rule about formulas.

use super::book::{self, Book};
use gradus_formula::{Derivation, Formula, Item, ItemKind, Kind, Printed, Property, Symbol, Verdict};
use std::collections::BTreeMap;

const SHOP: &str = "gradus-shop";
const SYMBOL: Symbol = Symbol { latex: "x", code: "x", meaning: "a thing", shape: "any", unit: "1" };
const PRINTED: Printed = Printed { latex: "x", reason: "wrong", counterexample: "x = 1" };
const PRICE: Formula = Formula {
    id: "price",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The price",
    latex: "x",
    unicode: "x",
    symbols: &[SYMBOL],
    source: "here",
    item: Item { krate: "gradus_shop", name: "price", kind: ItemKind::Fn },
    chapter: "shop",
    printed: None,
};
const CLAIM: Formula = Formula { id: "claim", kind: Kind::Claim, ..PRICE };

fn property(id: &'static str, formulas: &'static [&'static str]) -> (&'static str, Property) {
    (SHOP, Property::new(id, formulas, "…"))
}

fn refutation(id: &'static str, formulas: &'static [&'static str]) -> (&'static str, Property) {
    (SHOP, Property::refutation(id, formulas, "…"))
}

fn shop(formulas: &[Formula], properties: Vec<(&'static str, Property)>) -> Book {
    Book {
        formulas: formulas.iter().map(|f| (SHOP, *f)).collect(),
        properties,
        topics: vec![SHOP],
        chapters: BTreeMap::new(),
    }
}

#[test]
fn a_topic_with_nothing_to_run() {
    assert_eq!(book::empty_topics(&shop(&[PRICE], vec![])), ["gradus-shop: its properties() is empty"]);
    assert!(book::empty_topics(&shop(&[PRICE], vec![property("price.a", &["price"])])).is_empty());
}

#[test]
fn a_formula_with_two_properties_and_a_refutation() {
    let two = || {
        vec![
            property("price.a", &["price", "claim"]),
            property("price.b", &["price"]),
            refutation("price.printed", &["price"]),
        ]
    };
    let found = book::evidence(&shop(&[PRICE, CLAIM], two()));
    assert_eq!(found, ["price: gradus-shop owes it 3 properties and has 2"], "the claim shares one");
    let three = [two(), vec![property("other.c", &["other", "price"])]].concat();
    assert!(
        book::evidence(&shop(&[PRICE, CLAIM], three)).is_empty(),
        "another formula's property counts too"
    );
    let claim = book::evidence(&shop(&[CLAIM], vec![refutation("claim.printed", &["claim"])]));
    assert_eq!(claim, ["claim: gradus-shop owes it 1 properties and has 0"]);
    let free = [Formula { kind: Kind::Figure, ..PRICE }, Formula { kind: Kind::Alias("price"), ..PRICE }];
    assert!(book::evidence(&shop(&free, vec![])).is_empty());
}

#[test]
fn a_misprint_that_is_not_shown_or_not_refuted() {
    let wrong = Formula { verdict: Verdict::Wrong, ..PRICE };
    let shown = Formula { printed: Some(PRINTED), ..wrong };
    let refuted = || vec![refutation("price.printed", &["price"])];
    let found = book::misprints(&shop(&[wrong], refuted()));
    assert_eq!(found, ["price: wrong in the notes, but `printed` is None"]);
    let found = book::misprints(&shop(&[shown], vec![property("price.a", &["price"])]));
    assert_eq!(found, ["price: wrong in the notes, but no refutation shows it"]);
    assert!(book::misprints(&shop(&[shown], refuted())).is_empty());
    let alias = Formula { id: "cost", kind: Kind::Alias("price"), ..shown };
    assert!(book::misprints(&shop(&[alias], refuted())).is_empty(), "its formula's refutation is its own");
}

#[test]
fn an_alias_of_nothing_or_of_an_alias() {
    let alias = |id, of| Formula { id, kind: Kind::Alias(of), ..PRICE };
    let found =
        book::aliases(&shop(&[PRICE, alias("a", "price"), alias("b", "a"), alias("c", "prize")], vec![]));
    let expected =
        ["b: an alias of `a`, which is an alias itself", "c: an alias of `prize`, which does not exist"];
    assert_eq!(found, expected);
}

#[test]
fn an_id_given_twice() {
    let mut book =
        shop(&[PRICE, CLAIM], vec![property("price.a", &["price"]), property("price.a", &["price"])]);
    book.formulas.push(("gradus-stall", PRICE));
    let expected = [
        "formula price is given twice: in gradus-shop and gradus-stall",
        "property price.a is given twice: in gradus-shop and gradus-shop",
    ];
    assert_eq!(book::duplicates(&book), expected);
}

#[test]
fn a_property_of_an_unknown_formula_or_under_a_strange_name() {
    let found = book::property_names(&shop(
        &[PRICE, CLAIM],
        vec![
            property("price.good", &["price", "claim"]),
            property("shop.good", &[]),
            property("prize.unknown", &["prize"]),
            property("price.second", &["claim", "price"]),
            property("price-list", &["price"]),
            property("price.", &["price"]),
            property("price.of-nothing", &[]),
        ],
    ));
    let expected = [
        "prize.unknown: names the unknown formula `prize`",
        "price.second: must begin with `claim.`",
        "price-list: must begin with `price.`",
        "price.: must begin with `price.`",
        "price.of-nothing: must begin with `shop.`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_formula_with_empty_fields() {
    let bare = Formula { title: "", latex: " ", unicode: "", symbols: &[], source: "", ..PRICE };
    let found = book::fields(&shop(&[bare], vec![]));
    assert_eq!(
        found,
        ["title", "latex", "unicode", "source", "symbols"].map(|f| format!("price: `{f}` is empty"))
    );
    let figure = Formula { kind: Kind::Figure, ..bare };
    assert!(book::fields(&shop(&[PRICE, figure], vec![])).is_empty());
}

#[test]
fn a_formula_that_its_chapter_does_not_show() {
    let with = |text: &str| {
        let mut book = shop(&[PRICE], vec![]);
        book.chapters.insert("shop".into(), text.into());
        book::chapters(&book)
    };
    assert!(with("# Shop\n\n{{#formula price}}\n").is_empty());
    assert_eq!(with("{{#formula prices}} price"), ["price: book/src/shop.md lacks {{#formula price}}"]);
    let absent = book::chapters(&shop(&[PRICE], vec![]));
    assert_eq!(absent, ["price: its chapter book/src/shop.md does not exist"]);
}

#[test]
fn a_derivation_that_its_chapter_does_not_show_once() {
    let derivation = |formula: &'static [&'static str]| {
        let line = |x: f64| move |_: &mut gradus_formula::Case<'_>| Ok(vec![x]);
        let derivation = Derivation::new("price.derivation", formula, "…");
        ("gradus-shop", derivation.line("1", "", line(1.0)).line("1", "", line(1.0)).property())
    };
    let with = |text: &str| {
        let mut book = shop(&[PRICE], vec![derivation(&["price"])]);
        book.chapters.insert("shop".into(), text.into());
        book::derivations(&book)
    };
    assert!(with("{{#derivation price.derivation}}").is_empty());
    let lacks = |times: usize| {
        format!("price.derivation: book/src/shop.md has {{{{#derivation price.derivation}}}} {times} times")
    };
    assert_eq!(with("{{#derivation price}}"), [lacks(0)]);
    assert_eq!(with("{{#derivation price.derivation}} {{#derivation price.derivation}}"), [lacks(2)]);
    let of_nothing = book::derivations(&shop(&[PRICE], vec![derivation(&["cost"])]));
    assert_eq!(of_nothing, ["price.derivation: derives no formula"]);
}
