//! What the chapters' listings print, for a copy of the book that can't run them.
//!
//! `cargo book record` runs every listing that has a button, and keeps what each printed in `book/recorded/<chapter>.json`, under a fingerprint of its
//! code: a listing that was changed since has no record any more, and the check of the book says so.

use crate::markdown::{Fence, fences};
use crate::project::{Project, write_changed};
use crate::run::Runner;
use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What the listings of a chapter print, by fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded(BTreeMap<String, String>);

impl Recorded {
    /// Reads what is recorded of a chapter; nothing, if nothing is.
    ///
    /// # Errors
    /// If the file is no such record.
    pub fn read(project: &Project, chapter: &str) -> Result<Self> {
        let file = file(project, chapter);
        if !file.is_file() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(&file).with_context(|| project.show(&file))?;
        Ok(Self(serde_json::from_str(&text).with_context(|| project.show(&file))?))
    }

    /// What a listing printed.
    pub fn of(&self, listing: &Fence) -> Option<&str> {
        self.0.get(&fingerprint(&code(listing))).map(String::as_str)
    }

    /// Runs the listings of a chapter, those that are recorded already only if `again`, and keeps what they print.
    ///
    /// # Errors
    /// If one does not run to its end (or does, though it is to panic), or the machine fails.
    pub async fn record(
        runner: &Runner,
        project: &Project,
        chapter: &str,
        text: &str,
        again: bool,
        tell: &mut dyn FnMut(usize),
    ) -> Result<()> {
        let before = Self::read(project, chapter)?;
        let mut now = BTreeMap::new();
        for listing in listings(text) {
            let code = code(&listing);
            let printed = match before.of(&listing) {
                Some(printed) if !again => printed.to_owned(),
                _ => run(runner, &code, panics(&listing)).await.with_context(|| {
                    format!("book/src/{chapter}.md:{}", crate::text::line_of(text, listing.range.start))
                })?,
            };
            now.insert(fingerprint(&code), printed);
            tell(now.len());
        }
        if now.is_empty() {
            return Ok(());
        }
        write_changed(&file(project, chapter), (serde_json::to_string_pretty(&now)? + "\n").as_bytes())
    }
}

async fn run(runner: &Runner, code: &str, panics: bool) -> Result<String> {
    match runner.run(code).await? {
        Ok(answer) => {
            ensure!(answer.error.is_some() == panics, "it ends otherwise than it should:\n{}", answer.result);
            Ok(without_number(&answer.result))
        }
        Err(refusal) => bail!("{refusal:?}"),
    }
}

/// The output without the number that a thread has when it panics: it is another one each time.
fn without_number(output: &str) -> String {
    const THREAD: &str = "thread 'main' (";
    let Some(at) = output.find(THREAD) else { return output.into() };
    let rest = output[at + THREAD.len()..].trim_start_matches(|c: char| c.is_ascii_digit());
    format!("{}{}", &output[..at + THREAD.len() - 2], rest.trim_start_matches(')'))
}

fn file(project: &Project, chapter: &str) -> PathBuf {
    project.book().join("recorded").join(format!("{chapter}.json"))
}

/// The listings of a chapter that have a button.
pub fn listings(text: &str) -> Vec<Fence> {
    let runs = |info: &str| {
        let mut words = info.split([',', ' ']);
        words.next() == Some("rust")
            && !words.any(|w| ["noplayground", "ignore", "no_run", "compile_fail"].contains(&w))
    };
    fences(text).into_iter().filter(|fence| runs(&fence.info)).collect()
}

fn panics(listing: &Fence) -> bool {
    listing.info.split([',', ' ']).any(|word| word == "should_panic")
}

/// The code as the page has it: without the signs that hide a line.
fn code(listing: &Fence) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(hidden) => hidden.to_owned(),
        None if line == "#" => String::new(),
        None => line.to_owned(),
    };
    listing.code.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn fingerprint(code: &str) -> String {
    Sha256::digest(code.as_bytes())[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panics_thread_has_no_number() {
        let said = "1\nthread 'main' (3354) panicked at snippet.rs:7:1:\n";
        assert_eq!(without_number(said), "1\nthread 'main' panicked at snippet.rs:7:1:\n");
        assert_eq!(without_number("1 (2)"), "1 (2)");
    }

    #[test]
    fn a_listing_is_known_by_its_code() {
        let text = "```rust\n# use std::fmt;\n#\nlet x = 1; // # no\n```\n\n```rust,noplayground\nx\n```\n\n```text\ny\n```\n\n```rust,should_panic,editable\npanic!()\n```\n";
        let found = listings(text);
        assert_eq!(found.len(), 2);
        assert_eq!(code(&found[0]), "use std::fmt;\n\nlet x = 1; // # no");
        assert_eq!((panics(&found[0]), panics(&found[1])), (false, true));
        let recorded = Recorded(BTreeMap::from([(fingerprint(&code(&found[0])), "1\n".into())]));
        assert_eq!((recorded.of(&found[0]), recorded.of(&found[1])), (Some("1\n"), None));
    }
}
