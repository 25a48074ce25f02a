//! LaTeX to MathML, behind one function each for display and running text.

use anyhow::{Result, anyhow};
use math_core::{LatexToMathML, MathCoreConfig, MathDisplay};

/// A typesetter.
pub struct Math {
    converter: LatexToMathML,
}

impl Math {
    /// A typesetter that keeps the LaTeX beside the MathML, so that search finds it and copying gives it.
    ///
    /// # Errors
    /// Never in practice: only macros of ours could be refused, and there are none.
    pub fn new() -> Result<Self> {
        let config = MathCoreConfig { annotation: true, ..MathCoreConfig::default() };
        let converter = LatexToMathML::new(config).map_err(|(e, ..)| anyhow!("{e:?}"))?;
        Ok(Self { converter })
    }

    /// A formula on a line of its own.
    ///
    /// # Errors
    /// If the LaTeX is not understood.
    pub fn display(&self, latex: &str) -> Result<String> {
        self.convert(latex, MathDisplay::Block)
    }

    /// A formula in running text.
    ///
    /// # Errors
    /// If the LaTeX is not understood.
    pub fn inline(&self, latex: &str) -> Result<String> {
        self.convert(latex, MathDisplay::Inline)
    }

    fn convert(&self, latex: &str, display: MathDisplay) -> Result<String> {
        let converted = self.converter.convert_with_local_state(latex, display);
        let mathml = converted.map_err(|e| anyhow!("bad formula `{latex}`: {e}"))?.mathml;
        Ok(primes_on_the_line(&mathml.replace('\n', " ")))
    }
}

/// Sets primes beside their letter, not above it: the font's prime is raised already, and browsers, unlike TeX, do not
/// take the larger one that is meant for superscripts. `f'` would have a speck far above the f.
fn primes_on_the_line(mathml: &str) -> String {
    const PRIMES: [&str; 3] = ["′", "″", "‴"];
    let mut out = String::with_capacity(mathml.len());
    // Where in `out` the superscripts begin that are still open.
    let mut open = Vec::new();
    let mut rest = mathml;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let tag = &rest[..rest.find('>').map_or(rest.len(), |end| end + 1)];
        rest = &rest[tag.len()..];
        match tag {
            "<msup>" => open.push(out.len()),
            "</msup>" => {
                let start = open.pop().unwrap_or_default();
                let prime = PRIMES.iter().find(|p| out.ends_with(&format!("<mo>{p}</mo>")));
                if let Some(prime) = prime {
                    out.truncate(out.len() - format!("<mo>{prime}</mo>").len());
                    out.replace_range(start..start + "<msup>".len(), "<mrow>");
                    out.push_str(&format!("<mo lspace=\"0\" rspace=\"0\">{prime}</mo></mrow>"));
                    continue;
                }
            }
            _ => {}
        }
        out.push_str(tag);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prime_stands_beside_its_letter_and_other_superscripts_stay() {
        let math = Math::new().unwrap();
        let html = math.inline("f'(x^2)").unwrap();
        let prime = "<mrow><mi>f</mi><mo lspace=\"0\" rspace=\"0\">′</mo></mrow>";
        assert!(html.contains(prime), "{html}");
        assert!(html.contains("<msup><mi>x</mi><mn>2</mn></msup>"), "{html}");
        for latex in ["\\left(e^{f'}\\right)^2", "f''", "\\theta_1'", "x^{a^{b'}}"] {
            let html = math.inline(latex).unwrap();
            for name in ["msup", "mrow"] {
                let count = |tag: String| html.matches(&tag).count();
                assert_eq!(count(format!("<{name}>")), count(format!("</{name}>")), "{latex}: {html}");
            }
        }
    }

    #[test]
    fn good_math_is_typeset_on_one_line_with_its_source() {
        let html = Math::new().unwrap().display("\\frac{1}{2}\n + x").unwrap();
        assert!(html.contains("<mfrac>") && html.contains("display=\"block\""), "{html}");
        assert!(html.contains("application/x-tex") && !html.contains('\n'), "{html}");
    }

    #[test]
    fn bad_math_is_an_error_that_quotes_it() {
        for bad in ["\\frac{1}{", "\\nosuchcommand x", "x}"] {
            let error = Math::new().unwrap().inline(bad).unwrap_err().to_string();
            assert!(error.contains(bad), "{error}");
        }
    }
}
