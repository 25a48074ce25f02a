//! Drives mdBook: chapters and crates in, a folder of pages out.

use crate::catalog::Catalog;
use crate::modules;
use crate::pages::Links;
use crate::preprocess::Gradus;
use crate::project::{Project, copy};
use crate::sources;
use anyhow::{Context, Result, ensure};
use mdbook_driver::MDBook;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The folder to build into; mdBook empties it first.
    pub out: PathBuf,
    /// For the server: pages reload themselves, and `api/` is answered by the server.
    pub live: bool,
    /// A folder of rustdoc pages to link to.
    pub api: Option<PathBuf>,
    /// Compile a WebAssembly module for each chapter.
    pub modules: bool,
}

/// Builds the book once.
///
/// # Errors
/// With every fault of every chapter, each with file and line.
pub fn build(project: &Project, catalog: &Arc<Catalog>, options: &Options) -> Result<()> {
    let mut book = MDBook::load(project.book()).context("loading book/")?;
    book.config.set("build.build-dir", &options.out)?;
    if options.live {
        book.config.set("output.html.live-reload-endpoint", "__livereload")?;
    }
    let links = Links { api: options.api.clone(), sources: true };
    let modules = Arc::new(Mutex::new(Vec::new()));
    let gradus = Gradus::new(project.clone(), catalog.clone(), links);
    let gradus = if options.live { gradus } else { gradus.with_recorded() };
    book.with_preprocessor(if options.modules { gradus.with_modules(modules.clone()) } else { gradus });
    book.build()?;
    if options.modules {
        let wanted = std::mem::take(&mut *modules.lock().unwrap_or_else(PoisonError::into_inner));
        let sizes = modules::build(project, catalog, &wanted, &options.out)?;
        let largest = sizes.iter().max_by_key(|(_, size)| **size);
        let (chapter, size) = largest.context("no chapter has a module")?;
        println!("{} modules, the largest ({chapter}) of {} KB compressed.", sizes.len(), size / 1000);
    }
    sources::write(project, catalog, &options.out)?;
    if let (Some(api), false) = (&options.api, options.live) {
        copy(api, &options.out.join("api"))?;
    }
    Ok(())
}

/// Refuses to empty a folder that holds anything but a book built before.
///
/// # Errors
/// If there is something else in it.
pub fn ensure_ours(out: &Path) -> Result<()> {
    let empty = std::fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
    let ours = out.join("toc.html").is_file() && out.join("assets/source.css").is_file();
    ensure!(
        empty || ours,
        "{} is not empty and holds no book built before: building would delete what is in it",
        out.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_something_else_is_not_emptied() {
        let folder = tempfile::tempdir().unwrap();
        ensure_ours(folder.path()).unwrap();
        ensure_ours(&folder.path().join("new")).unwrap();
        std::fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
        let error = ensure_ours(folder.path()).unwrap_err().to_string();
        assert!(error.contains("would delete"), "{error}");
    }
}
