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
        Ok(mathml.replace('\n', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
