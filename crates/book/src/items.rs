//! Where an item is declared: file and line.

use crate::project::{Project, files};
use anyhow::{Context, Result, bail};
use gradus_formula::Item;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// A place in the sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

/// Finds the declaration of an item in its crate's `src`.
///
/// # Errors
/// If the crate's folder can't be read or declares no such item.
pub fn find(project: &Project, item: &Item) -> Result<Place> {
    find_in(&project.krate(item.krate).join("src"), item.kind.keyword(), item.name)
        .with_context(|| format!("looking for {} `{}`", item.kind.keyword(), item.path()))
}

/// A line that declares something for all, with its number.
type Public = (usize, String);
/// When a file was written that was read, and what it declares.
type Known = BTreeMap<PathBuf, (SystemTime, Arc<[Public]>)>;
/// The sources read last: an item is looked for in all files of its crate, and there are hundreds of items.
static KNOWN: Mutex<Known> = Mutex::new(BTreeMap::new());

fn declarations(file: &Path) -> Result<Arc<[Public]>> {
    let of = || file.display().to_string();
    let written = file.metadata().and_then(|meta| meta.modified()).with_context(of)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((then, lines)) = known.get(file)
        && *then == written
    {
        return Ok(lines.clone());
    }
    let text = std::fs::read_to_string(file).with_context(of)?;
    let public = text.lines().enumerate().filter(|(_, line)| line.trim_start().starts_with("pub "));
    let lines: Arc<[_]> = public.map(|(at, line)| (at + 1, line.to_owned())).collect();
    known.insert(file.to_owned(), (written, lines.clone()));
    Ok(lines)
}

/// The least indented public declaration wins: a free function over a method of the same name.
fn find_in(src: &Path, keyword: &str, name: &str) -> Result<Place> {
    let mut best: Option<(usize, Place)> = None;
    for file in files(src).into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")) {
        for (number, line) in declarations(&file)?.iter() {
            let indent = line.len() - line.trim_start().len();
            if declares(line, keyword, name) && best.as_ref().is_none_or(|(least, _)| indent < *least) {
                best = Some((indent, Place { file: file.clone(), line: *number }));
            }
        }
    }
    match best {
        Some((_, place)) => Ok(place),
        None => bail!("no `pub {keyword} {name}` in {}", src.display()),
    }
}

/// Whether a line declares the item: `pub`, perhaps some modifiers, the keyword, the name, and no more name.
fn declares(line: &str, keyword: &str, name: &str) -> bool {
    let Some(mut rest) = line.trim_start().strip_prefix("pub ") else { return false };
    loop {
        let (word, tail) = rest.split_once(' ').unwrap_or((rest, ""));
        if word == keyword {
            let Some(after) = tail.trim_start().strip_prefix(name) else { break };
            return !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        }
        // `const` is both a modifier and a keyword; the loop takes it as a keyword first.
        if !["const", "async", "unsafe", "extern", "\"C\""].contains(&word) {
            return false;
        }
        rest = tail;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_told_from_uses() {
        assert!(declares("pub fn sigmoid(x: f64) -> f64 {", "fn", "sigmoid"));
        assert!(declares("    pub const fn sigmoid<T>(x: T)", "fn", "sigmoid"));
        assert!(declares("pub struct Softmax;", "struct", "Softmax"));
        assert!(declares("pub const ALPHA: f64 = 1.0;", "const", "ALPHA"));
        assert!(!declares("pub fn sigmoid_all(x: f64)", "fn", "sigmoid"));
        assert!(!declares("// pub fn sigmoid(x: f64)", "fn", "sigmoid"));
        assert!(!declares("pub(crate) fn sigmoid(x: f64)", "fn", "sigmoid"));
        assert!(!declares("fn sigmoid(x: f64)", "fn", "sigmoid"));
        assert!(!declares("pub use sigmoid::sigmoid;", "fn", "sigmoid"));
    }

    #[test]
    fn a_free_function_wins_over_a_method_and_a_missing_item_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("inner")).unwrap();
        std::fs::write(folder.path().join("a.rs"), "impl X {\n    pub fn relu(&self) {}\n}\n").unwrap();
        std::fs::write(folder.path().join("inner/b.rs"), "\n\npub fn relu() {}\n").unwrap();
        let place = find_in(folder.path(), "fn", "relu").unwrap();
        assert_eq!((place.file.ends_with("inner/b.rs"), place.line), (true, 3));
        let error = find_in(folder.path(), "fn", "gelu").unwrap_err().to_string();
        assert!(error.starts_with("no `pub fn gelu` in "), "{error}");
    }
}
