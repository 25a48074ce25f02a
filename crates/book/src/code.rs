//! The code of a formula: its item, what is implemented for it in the same file, and the private helpers that it calls.

use crate::items;
use crate::project::Project;
use anyhow::{Context, Result, anyhow, ensure};
use gradus_formula::Item;
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use syn::spanned::Spanned;

/// The code of an item, and the file that it was taken from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The file.
    pub file: PathBuf,
    /// The code as it is shown: without documentation, which is on the page already.
    pub shown: String,
    /// The file's macros, on one line: they must stand before what uses them.
    macros: String,
    /// The file without that code, and without what may only stand at its beginning.
    rest: String,
}

/// What was cut, or why it could not be, and out of which text: while the book is served it is built again and again, mostly for a chapter.
static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());
type Known = BTreeMap<(PathBuf, &'static str), (String, Result<Cut, String>)>;

impl Code {
    /// Reads the code of an item.
    ///
    /// # Errors
    /// If the item is not declared, or is a method: a method is not all of anything.
    pub fn read(project: &Project, item: &Item) -> Result<Self> {
        let file = items::find(project, item)?.file;
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let key = (file.clone(), item.name);
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        let cut = match known.get(&key) {
            Some((of, cut)) if *of == text => cut.clone(),
            _ => {
                let cut = cut(&text, item.name).map_err(|error| format!("{error:#}"));
                known.insert(key, (text, cut.clone()));
                cut
            }
        };
        let Cut { shown, macros, rest } = cut.map_err(|why| anyhow!("{}: {why}", project.show(&file)))?;
        Ok(Self { file, shown, macros, rest })
    }

    /// The file with other code in that place. It stands first, so that the compiler's lines are its own.
    pub fn file_with(&self, other: &str) -> String {
        format!("{}{}\n{}", self.macros, other.replace("\r\n", "\n"), self.rest)
    }
}

/// A file in three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// The code of an item, without documentation.
    pub(crate) shown: String,
    /// The macros that the file declares, on one line.
    pub(crate) macros: String,
    /// All the rest.
    pub(crate) rest: String,
}

/// Cuts the code of an item out of its file.
pub(crate) fn cut(text: &str, name: &str) -> Result<Cut> {
    let file = syn::parse_file(text).context("the file can't be parsed")?;
    let main = file.items.iter().position(|item| named(item).is_some_and(|n| n == name));
    let main = main.with_context(|| format!("`{name}` is no item of the file itself"))?;
    let mut chosen = vec![main];
    let implements = |item: &syn::Item| matches!(item, syn::Item::Impl(i) if concerns(i, name));
    chosen.extend((0..file.items.len()).filter(|&at| implements(&file.items[at])));
    // Helpers, and helpers of helpers, in the order of the file.
    let mut known = BTreeSet::new();
    chosen.iter().for_each(|&at| words(file.items[at].to_token_stream(), &mut known));
    loop {
        let wanted = |at: &usize| {
            let item = &file.items[*at];
            !chosen.contains(at) && helps(item) && named(item).is_some_and(|n| known.contains(&n))
        };
        let Some(found) = (0..file.items.len()).find(wanted) else { break };
        words(file.items[found].to_token_stream(), &mut known);
        chosen.push(found);
    }
    let shown: Vec<_> = chosen.iter().map(|&at| without_documentation(text, &file.items[at])).collect();
    let mut gone: Vec<Range<usize>> = chosen.iter().map(|&at| file.items[at].span().byte_range()).collect();
    let macros = file.items.iter().filter(|item| matches!(item, syn::Item::Macro(m) if m.ident.is_some()));
    gone.extend(macros.clone().map(|item| item.span().byte_range()));
    let macros = macros.map(|item| item.to_token_stream().to_string() + " ").collect();
    // What may only stand at the beginning of a file; what it says is true of the whole crate anyway.
    gone.extend(file.attrs.iter().map(|attribute| attribute.span().byte_range()));
    gone.sort_by_key(|range| range.start);
    let mut rest = text.to_owned();
    for range in gone.into_iter().rev() {
        rest.replace_range(range, "");
    }
    // A byte that was there before the item is there still: an item that is another's part would show here.
    ensure!(syn::parse_file(&rest).is_ok(), "the file does not parse without `{name}`");
    Ok(Cut { shown: shown.join("\n\n") + "\n", macros, rest: rest.trim_start().to_owned() })
}

/// The name that an item declares.
fn named(item: &syn::Item) -> Option<String> {
    Some(match item {
        syn::Item::Fn(i) => i.sig.ident.to_string(),
        syn::Item::Struct(i) => i.ident.to_string(),
        syn::Item::Enum(i) => i.ident.to_string(),
        syn::Item::Trait(i) => i.ident.to_string(),
        syn::Item::Const(i) => i.ident.to_string(),
        syn::Item::Static(i) => i.ident.to_string(),
        syn::Item::Type(i) => i.ident.to_string(),
        _ => return None,
    })
}

/// Whether it implements something for, or of, the item of this name.
fn concerns(item: &syn::ItemImpl, name: &str) -> bool {
    let last = |path: &syn::Path| path.segments.last().is_some_and(|s| s.ident == name);
    let of_type = matches!(&*item.self_ty, syn::Type::Path(p) if last(&p.path));
    of_type || item.trait_.as_ref().is_some_and(|(_, path, _)| last(path))
}

/// Whether an item may be a helper: it is private, and no formula's data.
fn helps(item: &syn::Item) -> bool {
    let (public, data) = match item {
        syn::Item::Fn(i) => (&i.vis, false),
        syn::Item::Const(i) => {
            let of = i.ty.to_token_stream().to_string();
            (&i.vis, of.contains("Formula") || of.contains("Symbol"))
        }
        _ => return false,
    };
    matches!(public, syn::Visibility::Inherited) && !data
}

/// Every identifier in some code.
fn words(tokens: TokenStream, into: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                into.insert(word.to_string());
            }
            TokenTree::Group(group) => words(group.stream(), into),
            _ => {}
        }
    }
}

/// The text of an item without its documentation and that of its parts.
fn without_documentation(text: &str, item: &syn::Item) -> String {
    let lines = text[item.span().byte_range()].lines();
    let kept: Vec<_> = lines.filter(|line| !line.trim_start().starts_with("///")).collect();
    kept.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "//! A module.\n\n#![allow(unused)]\n\nuse std::fmt;\n\npub(crate) const FORMULA: Formula = Formula { id: \"x\", item: item!(fn f) };\n\n/// Doubles.\n///\n/// ```\n/// f(1);\n/// ```\n#[inline]\npub fn f(x: i32) -> i32 {\n    twice(x) + g()\n}\n\nfn unused() {}\n\n/// Helps.\nfn twice(x: i32) -> i32 {\n    TWO * x\n}\n\nconst TWO: i32 = 2;\n\npub fn g() -> i32 {\n    0\n}\n\n#[cfg(test)]\nmod tests {}\n";

    #[test]
    fn an_item_comes_with_its_private_helpers_and_goes_back() {
        let Cut { shown, macros, rest } = cut(FILE, "f").unwrap();
        assert_eq!(
            shown,
            "#[inline]\npub fn f(x: i32) -> i32 {\n    twice(x) + g()\n}\n\nfn twice(x: i32) -> i32 {\n    TWO * x\n}\n\nconst TWO: i32 = 2;\n"
        );
        for kept in ["use std::fmt;", "FORMULA", "fn unused", "pub fn g", "mod tests"] {
            assert!(rest.contains(kept), "{kept}: {rest}");
        }
        for gone in ["A module", "#![allow", "Doubles", "Helps", "fn f(", "fn twice", "const TWO"] {
            assert!(!rest.contains(gone), "{gone}: {rest}");
        }
        let code = Code { file: "x.rs".into(), shown, macros, rest };
        let whole = code.file_with(&code.shown);
        assert!(whole.starts_with("#[inline]\npub fn f"), "{whole}");
        assert!(syn::parse_file(&whole).is_ok());
    }

    #[test]
    fn a_type_comes_with_what_is_implemented_for_it() {
        let file = "/// One.\nmacro_rules! one {\n    // In words.\n    () => { 1 };\n}\npub struct A;\nimpl A {\n    /// One.\n    pub fn one() {}\n}\nimpl Clone for A {\n    fn clone(&self) -> A { A }\n}\nstruct B;\nimpl B {}\n";
        let Cut { shown, macros, rest } = cut(file, "A").unwrap();
        assert_eq!(macros, "# [doc = \" One.\"] macro_rules ! one { () => { 1 } ; } ");
        assert_eq!(
            shown,
            "pub struct A;\n\nimpl A {\n    pub fn one() {}\n}\n\nimpl Clone for A {\n    fn clone(&self) -> A { A }\n}\n"
        );
        assert_eq!(rest, "struct B;\nimpl B {}\n");
        assert!(cut(file, "one").is_err());
    }
}
