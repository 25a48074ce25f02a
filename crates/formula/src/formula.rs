//! A formula as a value: what the book prints, what the code implements, what the notes got wrong.

/// One formula, claim, alias or figure of the book, with everything a page says about it.
///
/// It stands once, as a constant in the crate that implements it; the book, the property explorer and the
/// structure test read it from there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Formula {
    /// The stable id, in kebab case: `leaky-relu`. The book's anchor is `eq-<id>`.
    pub id: &'static str,
    /// What sort of entry this is, and so how many properties it must have.
    pub kind: Kind,
    /// How the lecture notes print it, judged.
    pub verdict: Verdict,
    /// A short name for lists and headings.
    pub title: &'static str,
    /// The correct formula in LaTeX, as the book typesets it.
    pub latex: &'static str,
    /// The same in plain Unicode, as rustdoc and a terminal show it.
    pub unicode: &'static str,
    /// Every symbol that occurs in it.
    pub symbols: &'static [Symbol],
    /// The primary source: paper or book with section and equation.
    pub source: &'static str,
    /// The item that implements it.
    pub item: Item,
    /// The chapter that derives it: the file name in the book, without `.md`.
    pub chapter: &'static str,
    /// What the notes print instead, where that differs.
    pub printed: Option<Printed>,
}

/// The sort of an entry, and the evidence it owes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Kind {
    /// A formula: at least three properties.
    Formula,
    /// A statement of the notes: at least one property, its own or a related formula's.
    Claim,
    /// Another name for the formula with this id, which carries the properties.
    Alias(&'static str),
    /// A figure or a table that the book redraws.
    Figure,
}

/// What the lecture notes' version is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Verdict {
    /// Right as printed.
    Ok,
    /// Right under a reading that has to be stated.
    Ambiguous,
    /// Wrong or garbled as printed: a refutation shows it.
    Wrong,
    /// Not in the notes, but needed beside them.
    Required,
}

/// A symbol of a formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Symbol {
    /// The symbol in LaTeX.
    pub latex: &'static str,
    /// The variable in the code: `x`, `slope`.
    pub code: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// Its shape with the book's letters: `[]`, `[N, K]`, `any`.
    pub shape: &'static str,
    /// Its unit: `nats`, `probability`, `1` for a plain number.
    pub unit: &'static str,
}

/// How the notes print a formula, and why that is not what the code does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Printed {
    /// The printed form in LaTeX.
    pub latex: &'static str,
    /// What is wrong or open about it.
    pub reason: &'static str,
    /// Numbers by hand that show it.
    pub counterexample: &'static str,
}

/// The item that implements a formula. Made by [`item!`](crate::item), which checks that it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Item {
    /// The crate as code names it: `gradus_activations`.
    pub krate: &'static str,
    /// The item's name at that crate's root: `sigmoid`.
    pub name: &'static str,
    /// What it is, and so which rustdoc page it has.
    pub kind: ItemKind,
}

/// What an [`Item`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum ItemKind {
    /// A function.
    Fn,
    /// A struct.
    Struct,
    /// An enumeration.
    Enum,
    /// A trait.
    Trait,
    /// A constant.
    Const,
}

impl Item {
    /// The full path: `gradus_activations::sigmoid`.
    pub fn path(&self) -> String {
        format!("{}::{}", self.krate, self.name)
    }

    /// The rustdoc page, relative to the documentation's root: `gradus_activations/fn.sigmoid.html`.
    pub fn rustdoc(&self) -> String {
        let kind = self.kind.keyword();
        let kind = if kind == "const" { "constant" } else { kind };
        format!("{}/{}.{}.html", self.krate, kind, self.name)
    }
}

impl ItemKind {
    /// The keyword that declares such an item.
    pub const fn keyword(self) -> &'static str {
        match self {
            ItemKind::Fn => "fn",
            ItemKind::Struct => "struct",
            ItemKind::Enum => "enum",
            ItemKind::Trait => "trait",
            ItemKind::Const => "const",
        }
    }
}

impl Formula {
    /// The id of the formula whose properties count: its own, or the one it is an alias of.
    pub const fn canonical(&self) -> &'static str {
        match self.kind {
            Kind::Alias(id) => id,
            _ => self.id,
        }
    }

    /// How many properties an entry of this kind owes.
    pub const fn owed(&self) -> usize {
        match self.kind {
            Kind::Formula => 3,
            Kind::Claim => 1,
            Kind::Alias(_) | Kind::Figure => 0,
        }
    }
}

/// The [`Item`] of the calling crate with this name; a name that does not exist there does not compile.
///
/// ```
/// # mod shop { // stands for a crate root
/// pub fn price() {}
/// # }
/// # use shop as this_crate;
/// # /*
/// let item = gradus_formula::item!(fn price);
/// # */
/// ```
#[macro_export]
#[allow(clippy::crate_in_macro_def)] // the caller's crate is meant: that is what the path is checked in
macro_rules! item {
    (fn $name:ident) => {
        $crate::item!(@ Fn $name)
    };
    (struct $name:ident) => {
        $crate::item!(@ Struct $name)
    };
    (enum $name:ident) => {
        $crate::item!(@ Enum $name)
    };
    (trait $name:ident) => {
        $crate::item!(@ Trait $name)
    };
    (const $name:ident) => {
        $crate::item!(@ Const $name)
    };
    (@ $kind:ident $name:ident) => {{
        #[allow(unused_imports)]
        use crate::$name as _;
        $crate::Item { krate: env!("CARGO_CRATE_NAME"), name: stringify!($name), kind: $crate::ItemKind::$kind }
    }};
}
