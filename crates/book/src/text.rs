//! Text made safe for the place it goes to.

pub use gradus_figures::html;

/// HTML on one line that Markdown will leave alone even inside a paragraph or a table cell.
///
/// Markdown takes tags in running text as they are, but reads the text between them as Markdown: there every
/// character that could mean something becomes an entity. A table splits its cells before it sees tags, so
/// the bar becomes one everywhere.
pub fn inline_html(html: &str) -> String {
    let mut out = String::with_capacity(html.len() + html.len() / 4);
    let mut in_tag = false;
    for c in html.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            '\n' => {
                out.push(' ');
                continue;
            }
            _ => {}
        }
        let special = c == '|' || (!in_tag && "*_\\[]`~'\"-.{}!#+:$^=()@/".contains(c));
        if special {
            out.push_str(&format!("&#{};", c as u32));
        } else {
            out.push(c);
        }
    }
    out
}

/// The line in which a byte offset lies, counted from 1.
pub fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_in_markdown_becomes_an_entity() {
        let out = inline_html("<mi class=\"a_b|c\">a*b_c|d\\e</mi>\n<mo>-</mo>&lt;");
        assert_eq!(out, "<mi class=\"a_b&#124;c\">a&#42;b&#95;c&#124;d&#92;e</mi> <mo>&#45;</mo>&lt;");
        // What Markdown makes of it is the HTML that went in, and nothing else.
        let mut back = String::new();
        for event in pulldown_cmark::Parser::new(&format!("x {out} y")) {
            match event {
                pulldown_cmark::Event::Text(t) | pulldown_cmark::Event::InlineHtml(t) => back.push_str(&t),
                pulldown_cmark::Event::Start(_) | pulldown_cmark::Event::End(_) => {}
                other => panic!("Markdown saw {other:?}"),
            }
        }
        assert_eq!(back, "x <mi class=\"a_b&#124;c\">a*b_c|d\\e</mi> <mo>-</mo>< y");
    }
}
