//! The sources of the crates as pages of the book, so that a formula's line can be linked to, offline too.

use crate::catalog::Catalog;
use crate::items::{self, Place};
use crate::project::Project;
use crate::text::html;
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The address of a place in the sources, from the book's root: `source/activations/src/lib.rs.html#L12`.
pub fn address(project: &Project, place: &Place) -> String {
    format!("{}#L{}", page(project, &place.file), place.line)
}

fn page(project: &Project, file: &Path) -> String {
    let shown = project.show(file);
    format!("source/{}.html", shown.strip_prefix("crates/").unwrap_or(&shown))
}

/// Writes a page for each file that declares the item of a formula.
///
/// # Errors
/// If an item is missing, or a file can't be read or written.
pub fn write(project: &Project, catalog: &Catalog, out: &Path) -> Result<usize> {
    let mut files = BTreeSet::new();
    for formula in catalog.formulas() {
        files.insert(items::find(project, &formula.item)?.file);
    }
    for file in &files {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let page = page(project, file);
        let target = out.join(&page);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let up = "../".repeat(page.matches('/').count());
        std::fs::write(&target, listing(&project.show(file), &text, &up))
            .with_context(|| target.display().to_string())?;
    }
    Ok(files.len())
}

/// A listing whose lines have ids; it follows the theme chosen in the book.
fn listing(name: &str, text: &str, up: &str) -> String {
    let name = html(name);
    let mut lines = String::new();
    for (at, line) in text.lines().enumerate() {
        let n = at + 1;
        let comment = if line.trim_start().starts_with("//") { " class=\"comment\"" } else { "" };
        lines += &format!("<span id=\"L{n}\"{comment}><a href=\"#L{n}\">{n:4}</a> {}\n</span>", html(line));
    }
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <link rel=\"stylesheet\" href=\"{up}assets/source.css\">\
         <script>try {{ const t = localStorage.getItem('mdbook-theme'); \
         if (t) document.documentElement.className = ['light', 'rust'].includes(t) ? 'light' : 'dark'; }} catch (e) {{}}</script>\
         </head><body><header><a href=\"{up}index.html\">The book</a> <h1>{name}</h1></header>\
         <main><pre tabindex=\"0\"><code>{lines}</code></pre></main></body></html>\n"
    )
}
