//! Slips: mistakes that students make in a formula's code, and which of its properties notice them.
//!
//! A file `book/slips/<formula>.md` holds those of a formula:
//!
//! ````markdown
//! # The minus is lost
//!
//! What is wrong with it, and which property sees it.
//!
//! ```rust,right
//! (-x).exp()
//! ```
//!
//! ```rust,slip
//! x.exp()
//! ```
//! ````
//!
//! The right code stands in the formula's code exactly once, within the body of a function. For a copy of the book that can't compile anything, all
//! slips are compiled in: such a function has a second body, which a switch turns on.

use crate::catalog::Catalog;
use crate::code::{Code, Cut, cut};
use crate::markdown::fences;
use crate::project::{Project, files};
use crate::run::{Effort, Limits, Toolchain};
use crate::text::line_of;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;
use syn::spanned::Spanned;
use syn::visit::Visit;
use tempfile::TempDir;

/// A slip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Its number, from 1, among all of the book.
    pub number: u32,
    /// In a few words.
    pub title: String,
    /// What is wrong with it, in Markdown.
    pub story: String,
    /// The code as it is.
    pub right: String,
    /// The code as it would be.
    pub slip: String,
}

/// All slips of the book, by formula.
#[derive(Debug, Clone, Default)]
pub struct Slips(BTreeMap<String, Vec<Slip>>);

impl Slips {
    /// Reads all of them.
    ///
    /// # Errors
    /// If one of the files is not as it should be.
    pub fn read(project: &Project) -> Result<Self> {
        let mut slips = Self::default();
        let mut last = 0;
        for file in files(&project.book().join("slips")) {
            let Some(formula) = file.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let found = parse(&text, &mut last).with_context(|| project.show(&file))?;
            slips.0.insert(formula.to_owned(), found);
        }
        Ok(slips)
    }

    /// Those of a formula.
    pub fn of(&self, formula: &str) -> &[Slip] {
        self.0.get(formula).map_or(&[], Vec::as_slice)
    }

    /// The formulas that have some.
    pub fn formulas(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The files of a crate in which all its slips are compiled in.
    ///
    /// # Errors
    /// If there are slips of a formula that there is not, or one does not fit its code.
    pub fn compiled_in(
        &self,
        project: &Project,
        catalog: &Catalog,
        krate: &str,
    ) -> Result<BTreeMap<PathBuf, String>> {
        // Several formulas may have one item, and several items one file.
        let mut items: BTreeMap<(PathBuf, &str), (&str, Vec<Slip>)> = BTreeMap::new();
        for (id, slips) in &self.0 {
            let formula = catalog.formula(id)?;
            let main = formula.canonical();
            ensure!(main == id, "book/slips/{id}.md: `{id}` is another name of `{main}`");
            if formula.item.krate == krate {
                let file = Code::read(project, &formula.item)?.file;
                items.entry((file, formula.item.name)).or_insert((id, Vec::new())).1.extend_from_slice(slips);
            }
        }
        let mut files = BTreeMap::new();
        for ((file, item), (id, slips)) in items {
            let at = || format!("book/slips/{id}.md");
            let text = match files.remove(&file) {
                Some(text) => text,
                None => std::fs::read_to_string(&file)?,
            };
            let Cut { shown, macros, rest } = cut(&text, item).with_context(at)?;
            let switched = with_switches(&shown, &slips).with_context(at)?;
            files.insert(file, format!("{macros}{switched}\n{rest}"));
        }
        Ok(files)
    }
}

/// The compiler has more time for all slips of a crate than a reader would wait for one change, and the properties as well.
const COMPILING: Limits = Limits { wall: Duration::from_secs(300), cpu: 300, ..Limits::COMPILING };
const CHECKING: Limits = Limits { wall: Duration::from_secs(60), cpu: 60, ..Limits::RUNNING };

/// A crate with all its slips compiled in, as a program that checks a formula's properties.
pub struct Compiled(TempDir);

impl Compiled {
    /// Compiles it.
    ///
    /// # Errors
    /// If the slips do not fit the code, or do not compile.
    pub async fn new(
        toolchain: &Toolchain,
        slips: &Slips,
        project: &Project,
        catalog: &Catalog,
        krate: &str,
    ) -> Result<Self> {
        let files = slips.compiled_in(project, catalog, krate)?;
        let folder = tempfile::Builder::new().prefix("gradus-slips-").tempdir()?;
        let ended = toolchain.compile_edited(krate, &files, Effort::SLIPS, folder.path(), &COMPILING).await?;
        ensure!(ended.success, "{krate} with its slips: {}", ended.shown(&COMPILING));
        Ok(Self(folder))
    }

    /// What the properties of a formula say under a slip of it, or under none.
    ///
    /// # Errors
    /// If no property notices the slip, or one fails without it, with what they said.
    pub async fn check(&self, toolchain: &Toolchain, formula: &str, slip: Option<&Slip>) -> Result<String> {
        let (number, effort) = slip.map_or((0, Effort::NONE), |slip| (slip.number, Effort::SLIPS));
        let ended = toolchain.check_edited(formula, number, effort, self.0.path(), &CHECKING).await?;
        let shown = ended.shown(&CHECKING);
        match slip {
            None => ensure!(ended.success, "without a slip it does not hold:\n{shown}"),
            Some(_) => {
                ensure!(ended.code == Some(1) && shown.contains('✗'), "no property notices it:\n{shown}")
            }
        }
        Ok(shown)
    }
}

fn parse(text: &str, last: &mut u32) -> Result<Vec<Slip>> {
    let blocks = fences(text);
    let heading = |at: &usize| !blocks.iter().any(|block| block.range.contains(at));
    let mut cuts: Vec<usize> = text.match_indices("# ").map(|(at, _)| at).collect();
    cuts.retain(|at| heading(at) && (*at == 0 || text[..*at].ends_with('\n')));
    ensure!(cuts.first() == Some(&0), "line 1: wanted is `# Title`");
    cuts.push(text.len());
    let mut slips = Vec::new();
    for pair in cuts.windows(2) {
        let part = pair[0]..pair[1];
        let line = line_of(text, part.start);
        let (title, _) =
            text[part.clone()].split_once('\n').with_context(|| format!("line {line}: nothing follows"))?;
        let within: Vec<_> = blocks.iter().filter(|block| part.contains(&block.range.start)).collect();
        let [right, slip] = within[..] else { bail!("line {line}: wanted are two blocks of code") };
        ensure!(
            (right.info.as_str(), slip.info.as_str()) == ("rust,right", "rust,slip"),
            "line {line}: wanted are a block `rust,right` and then a block `rust,slip`"
        );
        ensure!(right.code != slip.code, "line {line}: both blocks are the same");
        ensure!(text[slip.range.end..part.end].trim().is_empty(), "line {line}: text behind the code");
        let story = text[part.start + title.len()..right.range.start].trim();
        ensure!(!story.is_empty(), "line {line}: it is not said what is wrong");
        *last += 1;
        slips.push(Slip {
            number: *last,
            title: title.trim_start_matches('#').trim().into(),
            story: story.into(),
            right: right.code.trim_end_matches('\n').into(),
            slip: slip.code.trim_end_matches('\n').into(),
        });
    }
    Ok(slips)
}

impl Slip {
    /// Some code with this slip in it.
    ///
    /// # Errors
    /// If what it replaces is not there exactly once.
    pub fn made(&self, code: &str) -> Result<String> {
        let place = self.place(code)?;
        Ok(format!("{}{}{}", &code[..place.start], self.slip, &code[place.end..]))
    }

    fn place(&self, code: &str) -> Result<Range<usize>> {
        let found: Vec<_> = code.match_indices(&self.right).collect();
        match found[..] {
            [(at, _)] => Ok(at..at + self.right.len()),
            [] => bail!("“{}”: the code has no `{}`", self.title, self.right),
            _ => bail!("“{}”: the code has `{}` {} times", self.title, self.right, found.len()),
        }
    }
}

/// The code with all slips in it: each function that has some gets a body for each, and its own for when none is switched on.
fn with_switches(code: &str, slips: &[Slip]) -> Result<String> {
    let file = syn::parse_file(code).context("the code can't be parsed")?;
    let mut bodies = Bodies(Vec::new());
    bodies.visit_file(&file);
    let mut others: BTreeMap<(usize, usize), Vec<(u32, String)>> = BTreeMap::new();
    for slip in slips {
        let place = slip.place(code)?;
        // The innermost function that it is in.
        let body = bodies
            .0
            .iter()
            .filter(|body| body.start < place.start && place.end < body.end)
            .max_by_key(|body| body.start);
        let body = body.with_context(|| {
            format!("“{}”: `{}` is in no function that can change", slip.title, slip.right)
        })?;
        let other = format!("{}{}{}", &code[body.start..place.start], slip.slip, &code[place.end..body.end]);
        others.entry((body.start, body.end)).or_default().push((slip.number, other));
    }
    let mut out = code.to_owned();
    for ((start, end), others) in others.into_iter().rev() {
        let switched: String = others
            .iter()
            .map(|(number, body)| format!("if gradus_formula::slipped({number}) {body} else "))
            .collect();
        out.replace_range(start..end, &format!("{{ {switched} {} }}", &code[start..end]));
    }
    Ok(out)
}

/// Where the bodies of functions are; of `const` ones none, which can't ask anything.
struct Bodies(Vec<Range<usize>>);

impl Bodies {
    fn add(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if signature.constness.is_none() {
            self.0.push(body.span().byte_range());
        }
    }
}

impl<'a> Visit<'a> for Bodies {
    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.add(&item.sig, &item.block);
        syn::visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.add(&item.sig, body);
        }
        syn::visit::visit_trait_item_fn(self, item);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# Lost\n\nThe minus is lost.\n\n```rust,right\n-x\n```\n\n```rust,slip\nx\n```\n\n# Twice\n\nTwo.\n\n```rust,right\n    1.0 +\n```\n\n```rust,slip\n    2.0 +\n```\n";

    #[test]
    fn slips_are_read_and_made() {
        let mut last = 6;
        let slips = parse(FILE, &mut last).unwrap();
        assert_eq!(last, 8);
        let [lost, twice] = &slips[..] else { panic!("{slips:?}") };
        assert_eq!(
            (lost.number, lost.title.as_str(), lost.story.as_str()),
            (7, "Lost", "The minus is lost.")
        );
        assert_eq!((lost.right.as_str(), lost.slip.as_str(), twice.right.as_str()), ("-x", "x", "    1.0 +"));
        let code = "fn f(x: f64) -> f64 {\n    1.0 + -x\n}\n";
        assert_eq!(lost.made(code).unwrap(), "fn f(x: f64) -> f64 {\n    1.0 + x\n}\n");
        assert!(lost.made("-x -x").unwrap_err().to_string().contains("2 times"));
        assert!(lost.made("x").unwrap_err().to_string().contains("has no `-x`"));
    }

    #[test]
    fn what_a_file_lacks_is_said() {
        let wrong = |part: &str, other: &str| {
            assert!(FILE.contains(part), "{part}");
            parse(&FILE.replacen(part, other, 1), &mut 0).unwrap_err().to_string()
        };
        assert_eq!(wrong("# Lost", "Lost"), "line 1: wanted is `# Title`");
        assert_eq!(wrong("The minus is lost.", ""), "line 1: it is not said what is wrong");
        assert_eq!(
            wrong("rust,slip", "rust"),
            "line 1: wanted are a block `rust,right` and then a block `rust,slip`"
        );
        assert_eq!(wrong("    2.0 +", "    1.0 +"), "line 13: both blocks are the same");
    }

    #[test]
    fn a_function_gets_a_body_for_each_slip() {
        let slips = parse(FILE, &mut 0).unwrap();
        let code = "const fn g() -> f64 {\n    1.0\n}\nfn f(x: f64) -> f64 {\n    1.0 + -x\n}\n";
        let switched = with_switches(code, &slips).unwrap();
        assert_eq!(
            switched,
            "const fn g() -> f64 {\n    1.0\n}\nfn f(x: f64) -> f64 { if gradus_formula::slipped(1) {\n    1.0 + x\n} else if gradus_formula::slipped(2) {\n    2.0 + -x\n} else  {\n    1.0 + -x\n} }\n"
        );
        assert!(with_switches("const fn f() { -x; 1.0 + 2.0 }", &slips).is_err());
    }
}
