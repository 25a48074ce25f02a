//! From a snippet to a program, without moving a line.

/// A program made of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrapped {
    /// The program.
    pub code: String,
    /// Whether it is a test binary.
    pub tests: bool,
}

/// What mdBook puts around a block without `main` that is not editable.
const MDBOOK_HEAD: &str = "#![allow(unused)]\nfn main() {\n";

/// Adds a `main` in which `?` works, unless the snippet has one; `#[test]` functions make a test binary.
///
/// What is added stands on the snippet's first and after its last line, so that the compiler's line numbers
/// are those that the reader sees. A snippet that ends in `Ok::<(), E>(())` decides on the error itself, as in
/// a doctest.
pub fn wrap(code: &str) -> Wrapped {
    let code = code.replace("\r\n", "\n");
    let inner = code.strip_prefix(MDBOOK_HEAD).and_then(|rest| rest.trim_end().strip_suffix('}'));
    let code = inner.unwrap_or(&code);
    let bare = without_comments(code);
    if bare.contains("#[test]") {
        return Wrapped { code: code.into(), tests: true };
    }
    if bare.contains("fn main()") {
        return Wrapped { code: code.into(), tests: false };
    }
    let code = if bare.trim_end().ends_with("(())") {
        format!("fn main() -> Result<(), impl std::fmt::Debug> {{ {code}\n}}")
    } else {
        format!("fn main() -> Result<(), Box<dyn std::error::Error>> {{ {code}\n; Ok(()) }}")
    };
    Wrapped { code, tests: false }
}

/// The code without its line comments, to look for words in.
fn without_comments(code: &str) -> String {
    code.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of(code: &str, needle: &str) -> usize {
        code.lines().position(|l| l.contains(needle)).unwrap()
    }

    #[test]
    fn a_main_is_added_and_no_line_moves() {
        let snippet = "let x: f64 = \"1\".parse()?;\nprintln!(\"{x}\") // done";
        let wrapped = wrap(snippet);
        assert!(wrapped.code.starts_with("fn main() -> Result<(), Box<dyn std::error::Error>> { let x"));
        assert_eq!(line_of(&wrapped.code, "println!"), line_of(snippet, "println!"));
    }

    #[test]
    fn what_has_a_main_or_tests_is_left_alone() {
        let main = "use std::fmt;\nfn main() { }";
        assert_eq!(wrap(main), Wrapped { code: main.into(), tests: false });
        let test = "#[test]\nfn holds() {}";
        assert_eq!(wrap(test), Wrapped { code: test.into(), tests: true });
        assert!(wrap("// fn main() is added\nlet x = 1;").code.starts_with("fn main() ->"));
    }

    #[test]
    fn mdbooks_own_main_is_taken_off_so_that_errors_can_be_returned() {
        let from_page = "#![allow(unused)]\nfn main() {\nlet x = f()?;\nOk::<(), E>(())\n}";
        let wrapped = wrap(from_page);
        assert_eq!(
            wrapped.code,
            "fn main() -> Result<(), impl std::fmt::Debug> { let x = f()?;\nOk::<(), E>(())\n\n}"
        );
    }
}
