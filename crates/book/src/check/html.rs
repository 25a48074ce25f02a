//! Reads the tags of a page: enough of HTML for what mdBook and we write.

/// A tag with its attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag<'a> {
    /// The name, as written.
    pub name: &'a str,
    /// Names and values, as written.
    pub attributes: Vec<(&'a str, &'a str)>,
    /// The line it begins on.
    pub line: usize,
}

impl<'a> Tag<'a> {
    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| *v)
    }
}

/// The opening tags of a page, in order; comments, and what scripts and styles contain, are passed over.
pub fn tags(html: &str) -> Vec<Tag<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    let (mut line, mut counted) = (1, 0);
    while let Some(start) = html[at..].find('<').map(|i| at + i) {
        line += html[counted..start].matches('\n').count();
        counted = start;
        let rest = &html[start + 1..];
        if let Some(comment) = rest.strip_prefix("!--") {
            at = start + 4 + comment.find("-->").map_or(comment.len(), |i| i + 3);
            continue;
        }
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            at = start + 1;
            continue;
        }
        let name_end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
        let name = &rest[..name_end];
        let (attributes, length) = attributes(&rest[name_end..]);
        at = start + 1 + name_end + length;
        if ["script", "style"].iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
            let close = format!("</{}", name.to_ascii_lowercase());
            at += html[at..].find(&close).unwrap_or(html.len() - at);
        }
        found.push(Tag { name, attributes, line });
    }
    found
}

/// The attributes up to the tag's end, and how many bytes they and it take.
fn attributes(text: &str) -> (Vec<(&str, &str)>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    loop {
        at += text[at..].find(|c: char| !c.is_whitespace() && c != '/').unwrap_or(text.len() - at);
        let rest = &text[at..];
        if rest.is_empty() {
            return (found, at);
        }
        if rest.starts_with('>') {
            return (found, at + 1);
        }
        let end = rest.find(|c: char| c.is_whitespace() || "=>/".contains(c)).unwrap_or(rest.len()).max(1);
        let name = &rest[..end];
        at += end;
        let Some(value) = text[at..].strip_prefix('=') else {
            found.push((name, ""));
            continue;
        };
        let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
        let (value, taken) = match quote {
            Some(q) => {
                let inner = &value[1..];
                let end = inner.find(q).unwrap_or(inner.len());
                (&inner[..end], (end + 2).min(value.len()))
            }
            None => {
                let end = value.find(|c: char| c.is_whitespace() || c == '>').unwrap_or(value.len());
                (&value[..end], end)
            }
        };
        found.push((name, value));
        at += 1 + taken;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_attributes_and_lines() {
        let html = "<!DOCTYPE html>\n<!-- <a href=no> -->\n<a href=\"x>y\" id='i' hidden>a < b</a>\n<br/><script src=s.js>if (a<b) \"<p id=no>\"</script><img src=z>";
        let found = tags(html);
        let names: Vec<_> = found.iter().map(|t| (t.name, t.line)).collect();
        assert_eq!(names, [("a", 3), ("br", 4), ("script", 4), ("img", 4)]);
        assert_eq!(found[0].attributes, [("href", "x>y"), ("id", "i"), ("hidden", "")]);
        assert_eq!((found[2].get("src"), found[3].get("SRC")), (Some("s.js"), Some("z")));
    }

    #[test]
    fn a_torn_page_does_not_hang_or_panic() {
        for torn in
            ["<", "<a", "<a href", "<a href=", "<a href=\"", "<!--", "<script>", "<a =>", "<a ==", "é<é"]
        {
            let _ = tags(torn);
        }
    }
}
