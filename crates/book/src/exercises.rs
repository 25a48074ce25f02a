//! Exercises that check themselves: an item that is missing or wrong, and the properties that fail until it is right.
//!
//! An exercise is a file `book/exercises/<id>.md`, which a chapter shows with `{{#exercise <id>}}`:
//!
//! ````markdown
//! # Title
//!
//! What is wanted.
//!
//! ```rust,start
//! fn f(x: f64) -> f64 { todo!("f") }
//! ```
//!
//! ```rust,check
//! [Property::new("even", &[], "f(−x) = f(x)").draw(…).holds(|case| …)]
//! ```
//!
//! ## Hint
//!
//! As many as are helpful.
//!
//! ## Solution
//!
//! In words, and then in code:
//!
//! ```rust,solution
//! fn f(x: f64) -> f64 { x * x }
//! ```
//! ````
//!
//! The check is an expression, a list of properties, in the scope of the reader's code. The start must compile, and fail the check; the solution
//! must pass it: `tests/exercises.rs` sees both, by the way that the page's button takes.

use crate::markdown::{Fence, fences};
use crate::project::{Project, files};
use crate::run::{Answer, Runner};
use crate::text::line_of;
use anyhow::{Context, Result, bail, ensure};
use std::path::PathBuf;

/// An exercise, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// Its name: that of its file.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is wanted.
    pub statement: Part,
    /// The code that the reader begins with.
    pub start: String,
    /// An expression: the properties that a solution has.
    pub check: String,
    /// From the gentlest to the plainest.
    pub hints: Vec<Part>,
    /// The solution in words.
    pub explanation: Part,
    /// The solution in code.
    pub solution: String,
}

/// What an exercise says before and after.
#[derive(Debug)]
pub struct Trial {
    /// To the code that the reader begins with.
    pub before: Answer,
    /// To the solution.
    pub after: Answer,
}

impl Trial {
    /// Whether the start compiles and fails, and the solution holds.
    pub fn sound(&self) -> bool {
        self.before.error == Some("run") && self.after.error.is_none()
    }
}

/// Checks the start and the solution of an exercise, by the way that the page's button takes.
///
/// # Errors
/// If they can't be run.
pub async fn trial(runner: &Runner, exercise: &Exercise) -> Result<Trial> {
    let run = async |attempt: &str| match runner.run(&exercise.program(attempt)).await? {
        Ok(answer) => Ok(answer),
        Err(refusal) => bail!("{refusal:?}"),
    };
    Ok(Trial { before: run(&exercise.start).await?, after: run(&exercise.solution).await? })
}

/// Markdown, with the line of the file on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The line, from 1.
    pub line: usize,
    /// The text.
    pub text: String,
}

/// The names of all exercises, in alphabetical order.
pub fn ids(project: &Project) -> Vec<String> {
    let files = files(&folder(project)).into_iter().filter(|f| f.extension().is_some_and(|e| e == "md"));
    let mut ids: Vec<_> = files.filter_map(|f| Some(f.file_stem()?.to_str()?.to_owned())).collect();
    ids.sort();
    ids
}

/// Reads an exercise.
///
/// # Errors
/// If there is none of this name, or it lacks a part.
pub fn read(project: &Project, id: &str) -> Result<Exercise> {
    // The name comes from a page, too.
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(plain) {
        bail!("`{id}` is no name of an exercise: small letters, digits and hyphens");
    }
    let file = folder(project).join(format!("{id}.md"));
    ensure!(file.is_file(), "there is no exercise `{id}`: no file {}", project.show(&file));
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    Exercise::parse(id, &text).with_context(|| project.show(&file))
}

fn folder(project: &Project) -> PathBuf {
    project.book().join("exercises")
}

impl Exercise {
    /// Reads an exercise from the text of its file.
    ///
    /// # Errors
    /// If a part is missing, there twice or empty.
    pub fn parse(id: &str, text: &str) -> Result<Self> {
        let first = text.lines().next().unwrap_or_default();
        let title = first.strip_prefix("# ").context("line 1: wanted is `# Title`")?.trim().to_owned();
        ensure!(!title.is_empty(), "line 1: the title is empty");
        let blocks = fences(text);
        let one = |kind: &str| -> Result<&Fence> {
            let mut found = blocks.iter().filter(|b| b.info == format!("rust,{kind}"));
            match (found.next(), found.next()) {
                (Some(block), None) if !block.code.trim().is_empty() => Ok(block),
                (Some(block), None) => bail!("line {}: the block is empty", line_of(text, block.range.start)),
                (Some(_), Some(again)) => {
                    bail!("line {}: a second block `rust,{kind}`", line_of(text, again.range.start))
                }
                (None, _) => bail!("there is no block ```rust,{kind}"),
            }
        };
        let (start, check, solution) = (one("start")?, one("check")?, one("solution")?);
        // Headings within code are none.
        let heading = |at: &usize| !blocks.iter().any(|b| b.range.contains(at));
        let mut cuts: Vec<usize> =
            text.match_indices("\n## ").map(|(at, _)| at + 1).filter(heading).collect();
        cuts.push(text.len());
        let part = |from: usize, to: usize| {
            let lead = text[from..to].len() - text[from..to].trim_start().len();
            Part { line: line_of(text, from + lead), text: text[from..to].trim().to_owned() }
        };
        let statement = part(first.len(), start.range.start);
        ensure!(!statement.text.is_empty(), "the statement is empty");
        let between = text[start.range.end..check.range.start].trim();
        ensure!(
            between.is_empty(),
            "line {}: text between the start and the check",
            line_of(text, start.range.end)
        );
        ensure!(
            text[check.range.end.min(cuts[0])..cuts[0]].trim().is_empty() && check.range.end <= cuts[0],
            "behind the check wanted is `## Hint` or `## Solution`"
        );
        let mut hints = Vec::new();
        let mut explanation = None;
        for pair in cuts.windows(2) {
            let line = line_of(text, pair[0]);
            let end = text[pair[0]..].find('\n').map_or(pair[1], |n| pair[0] + n);
            match (text[pair[0]..end].trim_end(), &explanation) {
                ("## Hint", None) => hints.push(part(end, pair[1])),
                ("## Solution", None) => {
                    ensure!(
                        (pair[0]..pair[1]).contains(&solution.range.start),
                        "line {line}: the solution has no code"
                    );
                    ensure!(
                        text[solution.range.end..pair[1]].trim().is_empty(),
                        "line {}: text behind the solution's code",
                        line_of(text, solution.range.end)
                    );
                    explanation = Some(part(end, solution.range.start));
                }
                (other, _) => bail!(
                    "line {line}: `{other}`: wanted are `## Hint`, as often as you like, and `## Solution` at the end"
                ),
            }
        }
        let explanation = explanation.context("there is no `## Solution`")?;
        ensure!(!hints.is_empty(), "there is no `## Hint`");
        ensure!(hints.iter().all(|h| !h.text.is_empty()), "a hint is empty");
        Ok(Self {
            id: id.into(),
            title,
            statement,
            start: start.code.clone(),
            check: check.code.clone(),
            hints,
            explanation,
            solution: solution.code.clone(),
        })
    }

    /// The program that checks an attempt. The attempt stands first, so that the compiler's lines are those of the editor. What the attempt itself
    /// does is done, and only panics within the check are silent: the verdict tells of them.
    pub fn program(&self, attempt: &str) -> String {
        format!(
            "fn main() -> Result<(), Box<dyn std::error::Error>> {{ {attempt}\n; \
             let properties = {{ use gradus_formula::{{Draw, Failure, Property}}; {check} }};\n\
             std::panic::set_hook(Box::new(|_| {{}}));\n\
             let verdicts = gradus_formula::verify(&properties);\n\
             print!(\"{{verdicts}}\");\n\
             std::process::exit(if verdicts.passed() {{ 0 }} else {{ 1 }}) }}\n",
            attempt = attempt.replace("\r\n", "\n"),
            check = self.check.trim(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# Square\n\nWrite $x^2$.\n\n```rust,start\nfn f() {}\n```\n\n```rust,check\n[]\n```\n\n## Hint\n\nMultiply.\n\n## Hint\n\nBy itself.\n\n## Solution\n\nSo:\n\n```rust,solution\n// ## no heading\nfn f() {}\n```\n";

    #[test]
    fn an_exercise_falls_into_its_parts() {
        let e = Exercise::parse("square", GOOD).unwrap();
        assert_eq!(
            (e.id.as_str(), e.title.as_str(), e.start.as_str(), e.check.as_str()),
            ("square", "Square", "fn f() {}\n", "[]\n")
        );
        assert_eq!((e.statement.line, e.statement.text.as_str()), (3, "Write $x^2$."));
        let hints: Vec<_> = e.hints.iter().map(|h| (h.line, h.text.as_str())).collect();
        assert_eq!(hints, [(15, "Multiply."), (19, "By itself.")]);
        assert_eq!((e.explanation.line, e.explanation.text.as_str()), (23, "So:"));
        assert_eq!(e.solution, "// ## no heading\nfn f() {}\n");
    }

    #[test]
    fn what_is_missing_is_said() {
        let without = |part: &str, other: &str| {
            assert!(GOOD.contains(part), "{part}");
            format!("{:#}", Exercise::parse("square", &GOOD.replacen(part, other, 1)).unwrap_err())
        };
        assert_eq!(without("# Square", "Square"), "line 1: wanted is `# Title`");
        assert_eq!(without("rust,start", "rust"), "there is no block ```rust,start");
        assert_eq!(without("rust,check", "rust,start"), "line 9: a second block `rust,start`");
        assert_eq!(without("[]\n", ""), "line 9: the block is empty");
        assert_eq!(without("Write $x^2$.", ""), "the statement is empty");
        assert_eq!(without("Multiply.", ""), "a hint is empty");
        assert_eq!(
            without("## Solution", "## Answer").split(": wanted").next(),
            Some("line 21: `## Answer`")
        );
        assert_eq!(without("## Hint\n\nMultiply.\n\n## Hint\n\nBy itself.\n\n", ""), "there is no `## Hint`");
        assert_eq!(
            without("```\n\n```rust,check", "```\n\nSo.\n\n```rust,check"),
            "line 7: text between the start and the check"
        );
    }

    #[test]
    fn the_attempt_keeps_its_lines() {
        let program = Exercise::parse("square", GOOD).unwrap().program("fn f() {\n    todo!()\n}");
        assert_eq!(program.lines().nth(1), Some("    todo!()"));
    }
}
