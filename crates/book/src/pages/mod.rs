//! What takes the place of a directive.

mod code;
mod derivation;
mod evidence;
mod exercise;
mod formula;
mod tables;

use crate::catalog::Catalog;
use crate::figures;
use crate::items::{self, Place};
use crate::markdown::{Piece, What, scan};
use crate::math::Math;
use crate::project::Project;
use crate::slips::Slips;
use crate::sources;
use crate::text::{html, inline_html};
use anyhow::{Context, Result, anyhow, bail};
use evidence::mark;
use gradus_formula::{Formula, Kind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// Where a formula's block stands in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The chapter's file, as the summary names it: `activations.md`.
    pub chapter: String,
    /// The number: `2.3`; an alias has that of the formula it stands for, and so none of its own.
    pub number: Option<String>,
}

/// What the pages around the book offer to link to.
#[derive(Debug, Clone, Default)]
pub struct Links {
    /// The folder of rustdoc pages that will be found under `api/`.
    pub api: Option<PathBuf>,
    /// Whether the pages of the sources will be written beside the chapters.
    pub sources: bool,
}

/// Everything that a page is written from.
pub struct Pages<'a> {
    /// The formulas and properties.
    pub catalog: &'a Catalog,
    /// The checkout.
    pub project: &'a Project,
    /// The typesetter.
    pub math: &'a Math,
    /// What may be linked to.
    pub links: &'a Links,
    /// Where the blocks are, by formula id.
    pub placements: BTreeMap<String, Placement>,
    /// Chapter and name of each exercise, in the order of the book.
    pub exercises: Vec<(String, String)>,
    /// The slips of the formulas.
    pub slips: &'a Slips,
}

impl Pages<'_> {
    /// What to write for a piece of `chapter`; `alone` says that the piece has its line for itself.
    ///
    /// # Errors
    /// If the piece names something unknown, or can't be typeset or drawn.
    pub fn render(&self, what: &What, chapter: &str, alone: bool) -> Result<String> {
        let block = |html: String| {
            if alone { Ok(format!("{html}\n")) } else { bail!("this directive wants a line for itself") }
        };
        match what {
            What::Inline(latex) => Ok(inline_html(&self.math.inline(latex)?)),
            What::Display(latex) => {
                let math = self.math.display(latex)?;
                if alone {
                    block(format!("<div class=\"display\">{math}</div>"))
                } else {
                    Ok(inline_html(&math))
                }
            }
            What::Reference(id) => Ok(self.reference(self.catalog.formula(id)?, chapter)?),
            What::Formula(id) => block(self.formula(self.catalog.formula(id)?, chapter)?),
            What::Figure(name) => block(figures::draw(name)?),
            What::Derivation(id) => block(self.derivation(id)?),
            What::Exercise(id) => block(self.exercise(id, chapter)?),
            What::Exercises => block(self.exercises_table(chapter)?),
            What::Formulas => block(self.formulas_table(chapter)?),
            What::Errata => block(self.errata(chapter)?),
            What::Notation => block(self.notation_table(chapter)?),
        }
    }

    /// Puts what a page shows in the place of a piece of the text.
    ///
    /// # Errors
    /// As [`render`](Self::render).
    pub fn replace(&self, text: &mut String, piece: &Piece, chapter: &str) -> Result<()> {
        let html = self.render(&piece.what, chapter, alone(text, piece))?;
        let (range, html) = with_its_stop(text, piece, html);
        text.replace_range(range, &html);
        Ok(())
    }

    /// A Markdown text from a file of its own, its mathematics typeset.
    fn prose(&self, text: &str, chapter: &str) -> Result<String> {
        let pieces = scan(text).map_err(|wrong| {
            let said: Vec<_> = wrong.iter().map(|w| format!("line {}: {}", w.line, w.text)).collect();
            anyhow!("{}", said.join("; "))
        })?;
        let mut text = text.to_owned();
        for piece in pieces.iter().rev() {
            self.replace(&mut text, piece, chapter).with_context(|| format!("line {}", piece.line))?;
        }
        Ok(text)
    }

    /// The way from a chapter up to the book's root: empty, or `../` as often as needed.
    fn root(chapter: &str) -> String {
        "../".repeat(chapter.matches('/').count())
    }

    /// The address of a formula's block, seen from a chapter.
    fn address(&self, formula: &Formula, chapter: &str) -> Option<String> {
        let there = self.placements.get(formula.id)?;
        let page = there.chapter.trim_end_matches(".md");
        Some(format!("{}{page}.html#eq-{}", Self::root(chapter), formula.id))
    }

    /// The number of a formula, or of what it is an alias of.
    fn number(&self, formula: &Formula) -> Option<&str> {
        self.placements.get(formula.canonical())?.number.as_deref()
    }

    /// `(2.3)`, linked.
    fn reference(&self, formula: &Formula, chapter: &str) -> Result<String> {
        let main = self.catalog.formula(formula.canonical())?;
        let (Some(address), Some(number)) = (self.address(main, chapter), self.number(main)) else {
            bail!(
                "`{}` has no block in the book: write {{{{#formula {}}}}} where it belongs",
                main.id,
                main.id
            );
        };
        let title = html(main.title);
        Ok(format!("<a class=\"eqref\" href=\"{address}\" title=\"{title}\">({number})</a>"))
    }

    /// The number in a list: linked where the block exists, a dash where it does not.
    fn number_cell(&self, formula: &Formula, chapter: &str) -> String {
        match (self.address(formula, chapter), self.number(formula)) {
            (Some(address), Some(number)) => format!("<a href=\"{address}\">({number})</a>"),
            _ => "–".into(),
        }
    }

    /// The implementing item, linked to its rustdoc page or else its source; and its file and line.
    fn item(&self, formula: &Formula, chapter: &str) -> Result<(String, String)> {
        let item = &formula.item;
        let place = items::find(self.project, item)?;
        let (path, root) = (html(&item.path()), Self::root(chapter));
        let source = self.links.sources.then(|| format!("{root}{}", sources::address(self.project, &place)));
        let page = item.rustdoc();
        let documented = self.links.api.as_ref().is_some_and(|api| api.join(&page).is_file());
        let target = if documented { Some(format!("{root}api/{page}")) } else { source.clone() };
        let label = format!("<code>{path}</code>");
        let item = target.map_or(label.clone(), |t| format!("<a class=\"item\" href=\"{t}\">{label}</a>"));
        let shown = self.shown(&place);
        let file = source.map_or(shown.clone(), |s| format!("<a class=\"source\" href=\"{s}\">{shown}</a>"));
        Ok((item, file))
    }

    fn shown(&self, place: &Place) -> String {
        html(&format!("{}:{}", self.project.show(&place.file), place.line))
    }

    /// The chapter that a formula names, linked by its title.
    fn chapter_cell(&self, formula: &Formula, chapter: &str) -> String {
        let root = Self::root(chapter);
        format!("<a href=\"{root}{0}.html\">{0}</a>", html(formula.chapter))
    }

    fn display(&self, latex: &str) -> Result<String> {
        Ok(format!("<div class=\"display\">{}</div>", self.math.display(latex)?))
    }
}

/// What a formula is, in a word or two, where it is not simply a formula.
fn kind(formula: &Formula) -> &'static str {
    match formula.kind {
        Kind::Formula => "formula",
        Kind::Claim => "claim",
        Kind::Alias(_) => "alias",
        Kind::Figure => "figure",
    }
}

/// An error of a formula that names it.
fn at(formula: &Formula, error: anyhow::Error) -> anyhow::Error {
    anyhow!("formula `{}`: {error:#}", formula.id)
}

/// Whether a piece has its lines for itself (in a quotation or a list item too).
fn alone(content: &str, piece: &Piece) -> bool {
    let before = content[..piece.range.start].rsplit('\n').next().unwrap_or("");
    let after = content[piece.range.end..].split('\n').next().unwrap_or("");
    before.trim_start_matches(['>', ' ', '\t']).is_empty() && after.trim().is_empty()
}

/// A formula in running text, together with the stop behind it: browsers break a line between the two, and a line would begin with a comma.
fn with_its_stop(content: &str, piece: &Piece, html: String) -> (Range<usize>, String) {
    let after = &content[piece.range.end..];
    let stop = &after[..after.len() - after.trim_start_matches(['.', ',', ';', ':', '!', '?', ')']).len()];
    if !matches!(piece.what, What::Inline(_)) || stop.is_empty() {
        return (piece.range.clone(), html);
    }
    let range = piece.range.start..piece.range.end + stop.len();
    (range, format!("<span class=\"unbroken\">{html}{}</span>", inline_html(stop)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::scan;

    #[test]
    fn a_formula_takes_its_stop_along_and_nothing_else() {
        let content = "so $x$, and $y$ (or $z$).\n\n$$w$$.";
        let kept: Vec<_> = scan(content)
            .unwrap()
            .iter()
            .map(|piece| {
                let (range, html) = with_its_stop(content, piece, "<math>".into());
                (&content[range], html)
            })
            .collect();
        let with = |stop| format!("<span class=\"unbroken\"><math>{stop}</span>");
        assert_eq!(
            kept,
            [
                ("$x$,", with(",")),
                ("$y$", "<math>".into()),
                ("$z$).", with("&#41;&#46;")),
                ("$$w$$", "<math>".into()),
            ]
        );
    }
}
