//! A formula's code, and what becomes of its properties when it is changed.

use super::{Pages, at};
use crate::code::Code;
use crate::text::html;
use anyhow::{Context, Result};
use gradus_formula::Formula;

impl Pages<'_> {
    /// The folded code of a formula, with its slips; nothing, if its item is a method and so no code of its own.
    pub(super) fn code(&self, formula: &Formula, chapter: &str) -> Result<String> {
        let slips = self.slips.of(formula.id);
        let code = match Code::read(self.project, &formula.item) {
            Ok(code) => code,
            Err(_) if slips.is_empty() => return Ok(String::new()),
            Err(error) => return Err(at(formula, error)),
        };
        let id = html(formula.id);
        let mut options = String::new();
        let mut stories = String::new();
        let mut changes = Vec::new();
        for slip in slips {
            let file = || format!("book/slips/{}.md", formula.id);
            // That it fits is seen when the book is built, not when a reader tries it.
            slip.made(&code.shown).with_context(file)?;
            let number = slip.number;
            options += &format!("<option value=\"{number}\">{}</option>", html(&slip.title));
            changes.push(serde_json::json!({ "number": number, "right": slip.right, "slip": slip.slip }));
            let story = self.prose(&slip.story, chapter).with_context(file)?;
            stories += &format!("\n<div class=\"story\" data-slip=\"{number}\" hidden>\n\n{story}\n\n</div>");
        }
        let changes = html(&serde_json::Value::Array(changes).to_string());
        let choice = if slips.is_empty() {
            String::new()
        } else {
            format!(
                "<label>A slip <select class=\"slip\"><option value=\"0\">none: the code as it is</option>{options}</select></label> "
            )
        };
        Ok(format!(
            "<details class=\"code\" id=\"code-{id}\" data-formula=\"{id}\" data-slips=\"{changes}\">\
             <summary><span class=\"summary-label\">Code</span></summary>\n\n```rust,noplayground\n{}```\n\n\
             <div class=\"break\" hidden><p>{choice}<button type=\"button\" class=\"edit\">Break it</button> \
             <button type=\"button\" class=\"check\">Check</button> <button type=\"button\" class=\"mend\" hidden>As it was</button></p>\
             <p class=\"break-said\"></p><pre class=\"verdict\" role=\"status\" hidden></pre></div>{stories}\n</details>",
            code.shown,
        ))
    }
}
