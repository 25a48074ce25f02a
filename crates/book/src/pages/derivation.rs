//! Derivations: numbered lines, each checked against the one before it.

use super::{Pages, mark};
use crate::text::html;
use anyhow::{Context, Result};

impl Pages<'_> {
    /// The lines of a derivation, with a badge that runs them.
    pub(super) fn derivation(&self, id: &str) -> Result<String> {
        let property = self.catalog.derivation(id)?;
        let derivation = property.derivation.as_ref().context("a derivation without lines")?;
        let mut lines = String::new();
        for (at, line) in derivation.lines.iter().enumerate() {
            let equals = if at == 0 { "" } else { "{} = " };
            let math = self
                .display(&format!("{equals}{}", line.latex))
                .with_context(|| format!("derivation `{id}`"))?;
            lines += &format!("<li>{math}<p class=\"because\">{}</p></li>", self.with_math(line.because)?);
        }
        let (class, sign) = mark(self.catalog.evidence(property));
        let (id, title) = (html(id), html(derivation.title));
        let said = match derivation.slip {
            None => "each line is checked against the one before it",
            Some(_) => "one line does not follow from the one before it: which?",
        };
        let answer = match derivation.slip {
            None => String::new(),
            Some(line) => format!(
                "<details><summary>Which line it is</summary><p>Line {line}: {}.</p></details>",
                html(self.verdict(property))
            ),
        };
        Ok(format!(
            "<div class=\"derivation evidence\" id=\"derivation-{id}\" role=\"group\" aria-label=\"Derivation: {title}\">\
             <p class=\"badges\"><span class=\"formula-title\">{title}</span> \
             <a class=\"badge {class}\" href=\"#derivation-{id}\" data-property=\"{id}\"><span aria-hidden=\"true\">{sign}</span> {said}</a></p>\
             <ol>{lines}</ol>{answer}<div class=\"explorer\" hidden></div></div>"
        ))
    }

    /// A sentence with mathematics between dollars.
    fn with_math(&self, text: &str) -> Result<String> {
        let parts = text.split('$').enumerate();
        parts.map(|(at, part)| if at % 2 == 0 { Ok(html(part)) } else { self.math.inline(part) }).collect()
    }
}
