//! Exercises: in their chapter, and in the list of all.

use super::Pages;
use crate::exercises::{self, Exercise, Part};
use crate::text::html;
use anyhow::{Context, Result};

impl Pages<'_> {
    /// An exercise, as Markdown: mdBook makes of its blocks what it makes of all others.
    pub(super) fn exercise(&self, id: &str, chapter: &str) -> Result<String> {
        let exercise = exercises::read(self.project, id)?;
        let part = |part: &Part| self.part(&exercise, part, chapter);
        let title = html(&exercise.title);
        let mut out = format!(
            "<div class=\"exercise\" id=\"exercise-{id}\" data-exercise=\"{id}\" role=\"group\" aria-labelledby=\"exercise-{id}-title\">\n\
             <p class=\"exercise-title\" id=\"exercise-{id}-title\"><a href=\"#exercise-{id}\">{title}</a> <span class=\"exercise-state\"></span></p>\n\n\
             {}\n\n```rust,editable\n{}```\n\n\
             <p class=\"exercise-check\"><button type=\"button\" class=\"check\">Check</button> \
             <span class=\"check-hint\">With <code>cargo book</code> this exercise checks itself.</span></p>\n\
             <pre class=\"verdict\" role=\"status\" hidden></pre>\n\
             <details><summary>What is checked</summary>\n\n```rust,noplayground\n{}```\n\n</details>\n",
            part(&exercise.statement)?,
            exercise.start,
            exercise.check,
        );
        let all = exercise.hints.len();
        for (at, hint) in exercise.hints.iter().enumerate() {
            let name = if all == 1 { "Hint".into() } else { format!("Hint {} of {all}", at + 1) };
            out += &format!("<details><summary>{name}</summary>\n\n{}\n\n</details>\n", part(hint)?);
        }
        out += &format!(
            "<details class=\"solution\"><summary>Solution</summary>\n\n{}\n\n```rust,noplayground\n{}```\n\n</details>\n</div>\n",
            part(&exercise.explanation)?,
            exercise.solution
        );
        Ok(out)
    }

    /// The text of a part, its mathematics typeset.
    fn part(&self, exercise: &Exercise, part: &Part, chapter: &str) -> Result<String> {
        self.prose(&part.text, chapter)
            .with_context(|| format!("exercises/{}.md, in what begins on line {}", exercise.id, part.line))
    }

    /// Every exercise, in the order of the chapters, and the reader's progress.
    pub(super) fn exercises_table(&self, chapter: &str) -> Result<String> {
        let mut rows = String::new();
        for (place, id) in &self.exercises {
            let exercise = exercises::read(self.project, id)?;
            let page = place.trim_end_matches(".md");
            rows += &format!(
                "<tr data-exercise=\"{id}\"><td><a href=\"{}{page}.html#exercise-{id}\">{}</a></td><td>{page}</td>\
                 <td><span class=\"exercise-state\"></span></td></tr>",
                Self::root(chapter),
                html(&exercise.title),
            );
        }
        Ok(format!(
            "<div class=\"progress\"><p class=\"progress-said\" role=\"status\"></p>\
             <p class=\"progress-buttons\"><button type=\"button\" class=\"export\">Save to a file</button> \
             <label class=\"import\">Load from a file <input type=\"file\" accept=\"application/json\"></label> \
             <button type=\"button\" class=\"forget\">Forget all</button></p></div>\
             <div class=\"table-wrapper exercises\"><table><thead><tr><th scope=\"col\">exercise</th><th scope=\"col\">chapter</th>\
             <th scope=\"col\">solved</th></tr></thead><tbody>{rows}</tbody></table></div>"
        ))
    }
}
