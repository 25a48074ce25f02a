//! Finds what the book replaces in a chapter: math and directives, never inside code.

use crate::text::line_of;
use anyhow::{Result, bail};
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use std::ops::Range;

/// A part of a chapter that will be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes it takes up.
    pub range: Range<usize>,
    /// The line it begins on.
    pub line: usize,
    /// What it is.
    pub what: What,
}

/// What stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// `$…$`
    Inline(String),
    /// `$$…$$`
    Display(String),
    /// `{{#formula ID}}`
    Formula(String),
    /// `{{#eqref ID}}`
    Reference(String),
    /// `{{#figure NAME}}`
    Figure(String),
    /// `{{#derivation ID}}`
    Derivation(String),
    /// `{{#exercise ID}}`
    Exercise(String),
    /// `{{#exercises}}`
    Exercises,
    /// `{{#formulas}}`
    Formulas,
    /// `{{#errata}}`
    Errata,
    /// `{{#notation}}`
    Notation,
}

/// A directive that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its line.
    pub line: usize,
    /// What is wrong with it.
    pub text: String,
}

/// The pieces of a chapter, in order.
///
/// # Errors
/// With all directives that are unknown or malformed.
pub fn scan(source: &str) -> Result<Vec<Piece>, Vec<Wrong>> {
    let mut pieces = Vec::new();
    let mut code: Vec<Range<usize>> = Vec::new();
    let mut block = None;
    let mut wrong = Vec::new();
    for (event, range) in Parser::new_ext(source, options()).into_offset_iter() {
        match event {
            Event::InlineMath(latex) => pieces.push((range, What::Inline(latex.to_string()))),
            Event::DisplayMath(latex) => pieces.push((range, What::Display(latex.to_string()))),
            Event::Code(_) => code.push(range),
            Event::Start(Tag::CodeBlock(_)) => block = Some(range.start),
            Event::End(TagEnd::CodeBlock) => code.push(block.take().unwrap_or(range.start)..range.end),
            // Math whose braces do not match is no math to the parser: the reader would see the LaTeX.
            Event::Text(_) if block.is_none() => {
                for (at, _) in source[range.clone()].match_indices('$') {
                    let start = range.start + at;
                    if !source[..start].ends_with('\\') {
                        let text =
                            "a `$` that opens no formula: braces don't match, a table's `|` cuts it (write \\vert), or it should be \\$".into();
                        wrong.push(Wrong { line: line_of(source, start), text });
                    }
                }
            }
            _ => {}
        }
    }
    for (start, _) in source.match_indices("{{#") {
        if code.iter().any(|c| c.contains(&start)) {
            continue;
        }
        match directive(&source[start..]) {
            Ok((length, what)) => pieces.push((start..start + length, what)),
            Err(error) => wrong.push(Wrong { line: line_of(source, start), text: error.to_string() }),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    pieces.sort_by_key(|(range, _)| range.start);
    let piece =
        |(range, what): (Range<usize>, What)| Piece { line: line_of(source, range.start), range, what };
    Ok(pieces.into_iter().map(piece).collect())
}

/// Markdown as mdBook reads it, with mathematics.
fn options() -> Options {
    Options::ENABLE_MATH
        | Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
}

/// A fenced block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The bytes that it takes up, fences included.
    pub range: Range<usize>,
    /// What stands behind the opening fence.
    pub info: String,
    /// What is in it.
    pub code: String,
}

/// The fenced blocks of a text, in order.
pub fn fences(source: &str) -> Vec<Fence> {
    let mut fences = Vec::new();
    let mut open: Option<Fence> = None;
    for (event, range) in Parser::new_ext(source, options()).into_offset_iter() {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                open = Some(Fence { range, info: info.to_string(), code: String::new() });
            }
            Event::Text(text) => {
                if let Some(fence) = &mut open {
                    fence.code += &text;
                }
            }
            Event::End(TagEnd::CodeBlock) => fences.extend(open.take()),
            _ => {}
        }
    }
    fences
}

/// Reads the directive with which `text` begins; gives its length in bytes too.
fn directive(text: &str) -> Result<(usize, What)> {
    let line = text.lines().next().unwrap_or("");
    let Some(end) = line.find("}}") else { bail!("`{}` is not closed on its line", line.trim_end()) };
    let words: Vec<_> = line[3..end].split_whitespace().collect();
    let what = match words[..] {
        ["formula", id] => What::Formula(id.into()),
        ["eqref", id] => What::Reference(id.into()),
        ["figure", name] => What::Figure(name.into()),
        ["derivation", id] => What::Derivation(id.into()),
        ["exercise", id] => What::Exercise(id.into()),
        ["exercises"] => What::Exercises,
        ["formulas"] => What::Formulas,
        ["errata"] => What::Errata,
        ["notation"] => What::Notation,
        ["formula" | "eqref" | "figure" | "derivation" | "exercise", ..] => {
            bail!("`{}` wants one name", &line[..end + 2])
        }
        _ => bail!(
            "`{}` is no directive of the book: formula, eqref, figure, derivation, exercise, exercises, formulas, errata, notation",
            &line[..end + 2]
        ),
    };
    Ok((end + 2, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(source: &str) -> Vec<What> {
        scan(source).unwrap().into_iter().map(|p| p.what).collect()
    }

    #[test]
    fn math_and_directives_are_found_with_their_lines() {
        let source = "# T\n\nLet $x_1$ be.\n\n{{#formula sigmoid}}\n\n| a |\n|---|\n| $\\vert x\\vert$ {{#eqref prelu}} |\n\n$$\ny\n$$\n";
        let pieces = scan(source).unwrap();
        let found: Vec<_> = pieces.iter().map(|p| (p.line, &source[p.range.clone()])).collect();
        assert_eq!(found[0], (3, "$x_1$"));
        assert_eq!(found[1], (5, "{{#formula sigmoid}}"));
        assert_eq!(pieces[1].what, What::Formula("sigmoid".into()));
        assert!(found.contains(&(9, "{{#eqref prelu}}")));
        assert_eq!(found.last().unwrap().0, 11);
    }

    #[test]
    fn code_is_never_touched() {
        let source = "`{{#formula a}}` and `$x$`\n\n```text\n{{#nonsense}} $x$\n```\n\n    {{#formula b}}\n\n- ~~~\n  {{#figure c}}\n  ~~~\n";
        assert_eq!(whats(source), []);
    }

    #[test]
    fn every_unknown_directive_is_named_with_its_line() {
        let wrong = scan("x\n{{#formulae}}\n\n{{#formula}}\n{{#figure a b}}\n{{#eqref\nx}}").unwrap_err();
        let found: Vec<_> = wrong.iter().map(|w| (w.line, w.text.as_str())).collect();
        assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), [2, 4, 5, 6]);
        assert!(found[0].1.starts_with("`{{#formulae}}` is no directive"), "{found:?}");
        assert_eq!(found[1].1, "`{{#formula}}` wants one name");
        assert_eq!(found[3].1, "`{{#eqref` is not closed on its line");
    }

    #[test]
    fn math_that_is_torn_is_found() {
        let wrong = scan("fine: $x$\n\nLet $\\frac{1}{$ be.\n").unwrap_err();
        assert!(!wrong.is_empty() && wrong.iter().all(|w| w.line == 3), "{wrong:?}");
        let wrong = scan("| a |\n|---|\n| $|x|$ |\n").unwrap_err();
        assert!(wrong[0].line == 3 && wrong[0].text.contains("\\vert"), "{wrong:?}");
    }

    #[test]
    fn an_escaped_dollar_is_money() {
        assert_eq!(whats("It costs \\$5 or \\$6.\n"), []);
    }
}
