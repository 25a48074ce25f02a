//! The book's mdBook preprocessor: from directives and math to what the page shows.

use crate::catalog::Catalog;
use crate::exercises;
use crate::markdown::{Fence, Piece, What, scan};
use crate::math::Math;
use crate::modules::{self, Module};
use crate::pages::{Links, Pages, Placement};
use crate::project::Project;
use crate::recorded::{Recorded, listings};
use crate::slips::Slips;
use crate::text::{html, line_of};
use anyhow::{Context, Result, bail};
use gradus_formula::Kind;
use mdbook_preprocessor::book::{Book, BookItem, Chapter};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext, parse_input};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// The preprocessor `gradus`.
pub struct Gradus {
    project: Project,
    catalog: Arc<Catalog>,
    links: Links,
    /// Where it puts down what each chapter's module holds, if there are to be modules.
    modules: Option<Arc<Mutex<Vec<Module>>>>,
    /// Whether the pages have what their listings print: there is nobody to run them.
    recorded: bool,
}

/// Its name in `book.toml`; mdBook lets a preprocessor given in code replace one of the same name, so that it
/// never runs twice.
pub const NAME: &str = "gradus";

impl Gradus {
    /// A preprocessor over a catalogue, that links to what `links` offers.
    pub fn new(project: Project, catalog: Arc<Catalog>, links: Links) -> Self {
        Self { project, catalog, links, modules: None, recorded: false }
    }

    /// Puts down what each chapter's module holds.
    #[must_use]
    pub fn with_modules(self, modules: Arc<Mutex<Vec<Module>>>) -> Self {
        Self { modules: Some(modules), ..self }
    }

    /// Puts what each listing printed below it.
    #[must_use]
    pub fn with_recorded(self) -> Self {
        Self { recorded: true, ..self }
    }

    /// Rewrites all chapters, in two passes: numbers first, because a reference may point forward.
    ///
    /// # Errors
    /// With every fault of every chapter, each with file and line.
    pub fn rewrite(&self, mut book: Book) -> Result<Book> {
        let mut faults = Vec::new();
        let mut scanned: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
        let mut placements: BTreeMap<String, Placement> = BTreeMap::new();
        let mut exercises = Vec::new();
        for chapter in book.chapters() {
            let Some(path) = path(chapter) else { continue };
            match scan(&chapter.content) {
                Ok(pieces) => {
                    self.place(chapter, &path, &pieces, &mut placements, &mut faults);
                    for piece in &pieces {
                        let What::Exercise(id) = &piece.what else { continue };
                        if exercises.iter().any(|(_, other)| other == id) {
                            faults.push(format!(
                                "book/src/{path}:{}: the exercise `{id}` is there already",
                                piece.line
                            ));
                        }
                        exercises.push((path.clone(), id.clone()));
                    }
                    scanned.insert(path, pieces);
                }
                Err(wrong) => {
                    faults.extend(wrong.iter().map(|w| format!("book/src/{path}:{}: {}", w.line, w.text)));
                }
            }
        }
        for id in exercises::ids(&self.project) {
            if !exercises.iter().any(|(_, shown)| *shown == id) {
                faults.push(format!("book/exercises/{id}.md: no chapter has `{{{{#exercise {id}}}}}`"));
            }
        }
        let slips = Slips::read(&self.project)?;
        for id in slips.formulas() {
            // That of another name would never be shown.
            match self.catalog.formula(id) {
                Ok(formula) if formula.canonical() == id => {}
                Ok(formula) => faults
                    .push(format!("book/slips/{id}.md: `{id}` is another name of `{}`", formula.canonical())),
                Err(error) => faults.push(format!("book/slips/{id}.md: {error}")),
            }
        }
        let math = Math::new()?;
        let pages = Pages {
            catalog: &self.catalog,
            project: &self.project,
            math: &math,
            links: &self.links,
            placements,
            exercises,
            slips: &slips,
        };
        book.for_each_mut(|item| {
            let BookItem::Chapter(chapter) = item else { return };
            let Some(path) = path(chapter) else { return };
            let pieces = scanned.get(&path).map_or(&[][..], Vec::as_slice);
            if let Some(modules) = &self.modules
                && let Some(module) = modules::module(&self.catalog, path.trim_end_matches(".md"), pieces)
            {
                chapter.content += &format!(
                    "\n\n<span id=\"gradus-module\" data-name=\"{}\" hidden></span>\n",
                    module.chapter
                );
                modules.lock().unwrap_or_else(PoisonError::into_inner).push(module);
            }
            let mut recorded = match self.recorded(&chapter.content, &path) {
                Ok(recorded) => recorded,
                Err(error) => {
                    faults.push(format!("{error:#}"));
                    Vec::new()
                }
            };
            // From the end to the beginning, so that what is still to come has not moved.
            for piece in pieces.iter().rev() {
                while let Some((at, block)) = recorded.pop_if(|(at, _)| *at >= piece.range.end) {
                    chapter.content.insert_str(at, &block);
                }
                if let Err(error) = pages.replace(&mut chapter.content, piece, &path) {
                    faults.push(format!("book/src/{path}:{}: {error:#}", piece.line));
                }
            }
            for (at, block) in recorded.into_iter().rev() {
                chapter.content.insert_str(at, &block);
            }
        });
        if !faults.is_empty() {
            faults.sort();
            bail!("the book has {} fault(s):\n{}", faults.len(), faults.join("\n"));
        }
        Ok(book)
    }

    /// What to put behind each listing of a chapter, and where; nothing, where listings can be run.
    fn recorded(&self, text: &str, path: &str) -> Result<Vec<(usize, String)>> {
        if !self.recorded {
            return Ok(Vec::new());
        }
        let recorded = Recorded::read(&self.project, path.trim_end_matches(".md"))?;
        let block = |listing: &Fence| {
            let line = line_of(text, listing.range.start);
            let printed = recorded.of(listing).with_context(|| {
                format!("book/src/{path}:{line}: what this listing prints is not recorded: cargo book record")
            })?;
            // Markdown ends a block of HTML at an empty line.
            let printed = html(printed.trim_end());
            let lines = printed.split('\n').map(|line| if line.trim().is_empty() { "&nbsp;" } else { line });
            let block = format!(
                "\n\n<details class=\"recorded\"><summary>What it prints</summary><pre><code class=\"language-text\">{}</code></pre></details>\n\n",
                lines.collect::<Vec<_>>().join("\n")
            );
            Ok((listing.range.end, block))
        };
        listings(text).iter().map(block).collect()
    }

    fn place(
        &self,
        chapter: &Chapter,
        path: &str,
        pieces: &[Piece],
        placements: &mut BTreeMap<String, Placement>,
        faults: &mut Vec<String>,
    ) {
        let section = chapter.number.as_ref().map(|n| n.to_string().trim_end_matches('.').to_owned());
        let mut count = 0;
        for piece in pieces {
            let What::Formula(id) = &piece.what else { continue };
            // An unknown id is reported where it is rendered.
            let Ok(formula) = self.catalog.formula(id) else { continue };
            let mut fault = |text: String| faults.push(format!("book/src/{path}:{}: {text}", piece.line));
            let number = if matches!(formula.kind, Kind::Alias(_)) {
                None
            } else {
                count += 1;
                let Some(section) = &section else {
                    fault(format!("`{id}` stands in a chapter without a number"));
                    continue;
                };
                Some(format!("{section}.{count}"))
            };
            let here = Placement { chapter: path.into(), number };
            if let Some(before) = placements.insert(id.clone(), here) {
                fault(format!("`{id}` has its block already, in {}", before.chapter));
            }
        }
    }
}

fn path(chapter: &Chapter) -> Option<String> {
    chapter.path.as_ref().map(|p| p.to_string_lossy().replace('\\', "/"))
}

impl Preprocessor for Gradus {
    fn name(&self) -> &str {
        NAME
    }

    fn run(&self, _: &PreprocessorContext, book: Book) -> Result<Book> {
        self.rewrite(book)
    }

    fn supports_renderer(&self, renderer: &str) -> Result<bool> {
        Ok(supports(renderer))
    }
}

/// Whether the book can be written for this renderer: what takes a directive's place is HTML.
pub fn supports(renderer: &str) -> bool {
    renderer == "html"
}

/// mdBook's protocol for preprocessors: context and book as JSON in, the book as JSON out.
///
/// Plain mdBook does not write the pages of the sources, so places are named there, not linked.
///
/// # Errors
/// If the input is not what mdBook sends, or the book has a fault.
pub fn protocol(input: impl Read, mut output: impl Write) -> Result<()> {
    let (_, book) = parse_input(input)?;
    let gradus = Gradus::new(Project::here(), Arc::new(Catalog::new()?), Links::default());
    let book = gradus.rewrite(book)?;
    serde_json::to_writer(&mut output, &book).context("writing the book")
}
