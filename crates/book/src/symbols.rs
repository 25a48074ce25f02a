//! Marks in a formula's MathML where its symbols are, so that a page can say what each means.

/// A symbol's place among those of its formula, and its own MathML.
pub type Typeset = (usize, String);

/// The formula with an attribute `data-symbol` on each part that is one of the symbols; the longer ones come first, so that the $h$ in $h_{t-1}$ is
/// not taken for another one's.
///
/// A symbol that is not there as it is given ($x_i$, where the formula has $x_j$) is looked for by its letter alone.
pub fn mark(math: &str, symbols: &[Typeset]) -> String {
    // What a screen reader or a copy takes as LaTeX is left alone.
    let (presentation, rest) = math.split_at(math.find("<annotation").unwrap_or(math.len()));
    let mut symbols: Vec<(usize, &str)> =
        symbols.iter().map(|(at, own)| (*at, inner(own))).filter(|(_, own)| !own.is_empty()).collect();
    symbols.sort_by_key(|(_, own)| std::cmp::Reverse(own.len()));
    let mut marked = Marked { text: presentation.into(), done: Vec::new() };
    let missing: Vec<_> = symbols.iter().filter(|(at, own)| !marked.take(*at, own)).copied().collect();
    for (at, own) in missing {
        if let Some(letter) = letter(own) {
            marked.take(at, letter);
        }
    }
    format!("{}{rest}", marked.whole())
}

/// What a formula typeset alone has within `<math>`.
fn inner(math: &str) -> &str {
    let body = math.split_once("<semantics>").map_or(math, |(_, body)| body);
    let body = body.split("<annotation").next().unwrap_or("");
    let body = body.strip_prefix("<mrow>").and_then(|b| b.strip_suffix("</mrow>")).unwrap_or(body);
    if body.starts_with("<math") { "" } else { body }
}

/// The first letter of a symbol, as an element.
fn letter(own: &str) -> Option<&str> {
    let start = own.find("<mi")?;
    let end = own[start..].find("</mi>")? + start + "</mi>".len();
    Some(&own[start..end])
}

/// A text from which parts are taken out, so that nothing is found within them again.
struct Marked {
    text: String,
    done: Vec<String>,
}

/// Stands before and behind the number of a part that was taken out: no MathML has it.
const SIGN: char = '\u{1}';

impl Marked {
    /// Takes all places out that are this symbol; whether there was one.
    fn take(&mut self, at: usize, own: &str) -> bool {
        let mut found = false;
        while let Some(start) = self.text.find(own) {
            found = true;
            let place = format!("{SIGN}{}{SIGN}", self.done.len());
            self.text.replace_range(start..start + own.len(), &place);
            self.done.push(with_attribute(at, own));
        }
        found
    }

    /// The text with everything in its place again, the last first: nothing taken out earlier lies within what was taken out later.
    fn whole(&self) -> String {
        let mut text = self.text.clone();
        for (number, part) in self.done.iter().enumerate() {
            text = text.replacen(&format!("{SIGN}{number}{SIGN}"), part, 1);
        }
        text
    }
}

/// One element gets the attribute itself, several get an element around them.
fn with_attribute(at: usize, own: &str) -> String {
    let attribute = format!(" class=\"symbol\" data-symbol=\"{at}\"");
    match one_element(own) {
        Some(name) => format!("<{name}{attribute}{}", &own[1 + name.len()..]),
        None => format!("<mrow{attribute}>{own}</mrow>"),
    }
}

/// The name of the element that is all of this, if it is one.
fn one_element(own: &str) -> Option<&str> {
    let name = own.strip_prefix('<')?.split(['>', ' ']).next()?;
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut depth = 0usize;
    let mut at = 0;
    while at < own.len() {
        if own[at..].starts_with(&close) {
            depth = depth.checked_sub(1)?;
            at += close.len();
            if depth == 0 {
                return (at == own.len()).then_some(name);
            }
        } else if own[at..].starts_with(&open) && own[at + open.len()..].starts_with(['>', ' ']) {
            depth += 1;
            at += open.len();
        } else {
            at += own[at..].chars().next()?.len_utf8();
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::Math;

    fn marked(latex: &str, symbols: &[&str]) -> String {
        let math = Math::new().unwrap();
        let symbols: Vec<_> =
            symbols.iter().enumerate().map(|(at, s)| (at, math.inline(s).unwrap())).collect();
        mark(&math.inline(latex).unwrap(), &symbols)
    }

    #[test]
    fn symbols_are_found_the_longer_ones_first() {
        let html = marked("h_t = W h_{t-1} + h", &["h", "h_{t-1}", "h_t", "W"]);
        assert_eq!(html.matches("data-symbol=\"0\"").count(), 1, "{html}");
        for symbol in [
            "<msub class=\"symbol\" data-symbol=\"1\"><mi>h</mi>",
            "<msub class=\"symbol\" data-symbol=\"2\"><mi>h</mi>",
            "<mi class=\"symbol\" data-symbol=\"3\">W</mi>",
        ] {
            assert!(html.contains(symbol), "{symbol}: {html}");
        }
        assert!(html.ends_with("<annotation encoding=\"application/x-tex\">h_t = W h_{t-1} + h</annotation></semantics></math>"), "{html}");
    }

    #[test]
    fn a_symbol_with_another_index_is_found_by_its_letter() {
        let html = marked("y_j + 1", &["x", "y_i"]);
        assert!(html.contains("<mi class=\"symbol\" data-symbol=\"1\">y</mi>"), "{html}");
        assert!(!html.contains("data-symbol=\"0\""), "{html}");
    }

    #[test]
    fn several_elements_get_one_around_them() {
        let html = marked("p(x) = 1", &["p(x)"]);
        assert!(html.contains("<mrow class=\"symbol\" data-symbol=\"0\"><mi>p</mi>"), "{html}");
        assert_eq!(one_element("<mi>a</mi>"), Some("mi"));
        assert_eq!(one_element("<mi>a</mi><mi>b</mi>"), None);
        assert_eq!(one_element("<mrow><mrow>a</mrow></mrow>"), Some("mrow"));
    }
}
