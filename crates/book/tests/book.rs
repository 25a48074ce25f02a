//! The driver and mdBook's protocol, on the real book and on broken copies of it.
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gradus_book::build::{Options, build};
use gradus_book::catalog::Catalog;
use gradus_book::check;
use gradus_book::project::{Project, copy};
use gradus_explore::Topic;
use gradus_formula::{Formula, Item, ItemKind, Kind, Printed, Property, Verdict};
use mdbook_driver::MDBook;
use mdbook_driver::book::Book;
use mdbook_driver::builtin_preprocessors::LinkPreprocessor;
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// The properties of all crates run once for all tests.
static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::new().unwrap()));

/// A checkout with a copy of the book and the real crates.
fn checkout() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let here = Project::here();
    copy(&here.book().join("src"), &folder.path().join("book/src")).unwrap();
    copy(&here.book().join("theme"), &folder.path().join("book/theme")).unwrap();
    for data in ["exercises", "recorded", "slips"] {
        copy(&here.book().join(data), &folder.path().join("book").join(data)).unwrap();
    }
    std::fs::copy(here.book().join("book.toml"), folder.path().join("book/book.toml")).unwrap();
    for krate in std::fs::read_dir(here.root().join("crates")).unwrap() {
        let src = Path::new("crates").join(krate.unwrap().file_name()).join("src");
        copy(&here.root().join(&src), &folder.path().join(&src)).unwrap();
    }
    folder
}

/// Leaves a book of one chapter, without exercises and slips.
fn only(root: &Path, chapter: &str) {
    for data in ["exercises", "slips"] {
        std::fs::remove_dir_all(root.join("book").join(data)).unwrap();
    }
    std::fs::write(root.join("book/src/SUMMARY.md"), format!("# Summary\n\n- [One]({chapter})\n")).unwrap();
}

fn build_in(root: &Path) -> anyhow::Result<()> {
    let out = root.join("out");
    build(&Project::at(root), &CATALOG, &Options { out, ..Options::default() })
}

fn replace(file: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{from}");
    std::fs::write(file, text.replace(from, to)).unwrap();
}

#[test]
fn our_own_driver_does_not_start_the_preprocessor_a_second_time() {
    let folder = checkout();
    replace(&folder.path().join("book/book.toml"), "command = \"cargo run", "command = \"no-such-program");
    build_in(folder.path()).unwrap();
    let page = std::fs::read_to_string(folder.path().join("out/activations.html")).unwrap();
    assert_eq!(page.matches("id=\"eq-sigmoid\"").count(), 1);
    assert!(!page.contains("{{#"), "a directive is left");
}

#[test]
fn plain_mdbook_works_too() {
    let out = tempfile::tempdir().unwrap();
    let mut book = MDBook::load(Project::here().book()).unwrap();
    book.config.set("build.build-dir", out.path()).unwrap();
    // No preprocessor is given in code: mdBook starts the command of book.toml.
    book.build().unwrap();
    let page = std::fs::read_to_string(out.path().join("activations.html")).unwrap();
    assert_eq!(page.matches("id=\"eq-sigmoid\"").count(), 1);
    assert!(!page.contains("{{#"), "a directive is left");
}

/// A misprint that nobody can refute, and a property that does not hold.
static BROKEN: &[Topic] = &[Topic {
    package: "gradus-activations",
    formulas: &[Formula {
        id: "sigmoid",
        kind: Kind::Claim,
        verdict: Verdict::Wrong,
        title: "A claim & more",
        latex: "x_1",
        unicode: "x₁",
        symbols: &[],
        source: "nobody",
        item: Item { krate: "gradus_activations", name: "sigmoid", kind: ItemKind::Fn },
        chapter: "activations",
        printed: Some(Printed { latex: "x_2", reason: "a <reason>", counterexample: "none" }),
    }],
    properties: &[|| {
        vec![
            Property::new("sigmoid.fails", &["sigmoid"], "1 = 4").check(|_| Ok(3.0)),
            Property::refutation("sigmoid.holds", &["sigmoid"], "1 = 1").check(|_| Ok(0.0)),
        ]
    }],
}];

#[test]
fn what_does_not_hold_is_shown_and_fails_the_check() {
    let folder = checkout();
    let src = folder.path().join("book/src");
    std::fs::write(src.join("activations.md"), "# A\n\n{{#formula sigmoid}}\n").unwrap();
    only(folder.path(), "activations.md");
    let catalog = Arc::new(Catalog::of(BROKEN).unwrap());
    let out = folder.path().join("out");
    let project = Project::at(folder.path());
    build(&project, &catalog, &Options { out: out.clone(), ..Options::default() }).unwrap();
    let page = std::fs::read_to_string(out.join("activations.html")).unwrap();
    for expected in [
        "class=\"badge fail\"",
        "fails by itself: nothing is drawn (residual 3)",
        "class=\"badge unrefuted\"",
        "1 case did not refute it: the evidence is missing",
        "A claim &amp; more",
        "a &lt;reason&gt;.",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    let faults = check::formulas(&out, &catalog).unwrap();
    assert_eq!(faults, ["property `sigmoid.fails`: fail", "property `sigmoid.holds`: unrefuted"]);
}

#[test]
fn every_fault_fails_the_build_with_chapter_and_line() {
    let folder = checkout();
    only(folder.path(), "activations.md");
    let chapter = folder.path().join("book/src/activations.md");
    let text = std::fs::read_to_string(&chapter).unwrap();
    let faults = [
        ("{{#formula no-such}}", "no formula has the id `no-such`"),
        ("{{#eqref no-such}}", "no formula has the id `no-such`"),
        ("{{#figure no-such}}", "no figure is called `no-such`"),
        ("{{#nonsense}}", "is no directive of the book"),
        ("{{#formula sigmoid}}", "has its block already"),
        ("a {{#figure sigmoid}}", "wants a line for itself"),
        ("$\\frac{1}{$", "opens no formula"),
        ("$\\frac{1}$", "bad formula"),
        ("| a |\n|---|\n| $\\nosuch$ |", "bad formula"),
    ];
    for (fault, expected) in faults {
        let line = text.lines().count() + 2 + fault.lines().count() - 1;
        std::fs::write(&chapter, format!("{text}\n{fault}\n")).unwrap();
        let error = format!("{:#}", build_in(folder.path()).unwrap_err());
        let place = format!("book/src/activations.md:{line}: ");
        let found =
            error.lines().find(|l| l.contains(expected)).unwrap_or_else(|| panic!("{fault}: {error}"));
        assert!(found.contains(&place), "{fault}: {place} not in {found}");
    }
}

#[test]
fn an_item_that_is_gone_fails_the_build() {
    let folder = checkout();
    for file in gradus_book::project::files(&folder.path().join("crates/activations/src")) {
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace("pub fn sigmoid", "pub fn sigmoid_renamed")).unwrap();
    }
    let error = format!("{:#}", build_in(folder.path()).unwrap_err());
    assert!(error.contains("no `pub fn sigmoid` in"), "{error}");
    assert!(error.contains("book/src/activations.md:"), "{error}");
}

#[test]
fn a_reference_to_a_formula_without_a_block_fails_and_a_forward_one_works() {
    let folder = checkout();
    let chapter = folder.path().join("book/src/reading.md");
    replace(&chapter, "{{#eqref sigmoid}}", "{{#eqref act-sigmoid}} {{#eqref prelu}}");
    build_in(folder.path()).unwrap();
    let page = std::fs::read_to_string(folder.path().join("out/reading.html")).unwrap();
    // An alias bears the number of what it stands for.
    let link = "href=\"activations.html#eq-sigmoid\"";
    assert!(page.contains(link) && page.contains("activations.html#eq-prelu"), "no link {link}");
    replace(&folder.path().join("book/src/activations.md"), "{{#formula prelu}}", "");
    let error = format!("{:#}", build_in(folder.path()).unwrap_err());
    assert!(error.contains("`prelu` has no block in the book"), "{error}");
}

#[test]
fn a_block_shows_item_line_evidence_and_misprint() {
    let folder = checkout();
    build_in(folder.path()).unwrap();
    let read = |page: &str| std::fs::read_to_string(folder.path().join("out").join(page)).unwrap();
    let catalog = &CATALOG;
    for formula in catalog.formulas().iter().filter(|f| matches!(f.kind, Kind::Formula)) {
        let page = read(&format!("{}.html", formula.chapter));
        let start = page.find(&format!("id=\"eq-{}\"", formula.id)).unwrap();
        let block = &page[start..];
        let block = &block[..block.find("formula-source").unwrap()];
        // The line is the item's: read it in the page of its source.
        let (_, link) = block.split_once("<a class=\"source\" href=\"").unwrap();
        let (address, line) = link.split_once('"').unwrap().0.split_once('#').unwrap();
        let listing = read(address);
        let listed = listing.split_once(&format!("id=\"{line}\"")).unwrap().1.lines().next().unwrap();
        let declared = |constant: &str| {
            listed.contains(&format!("pub {constant}{} {}", formula.item.kind.keyword(), formula.item.name))
        };
        assert!(declared("") || declared("const "), "{}: {listed}", formula.id);
        for property in catalog.properties(formula) {
            let evidence = catalog.evidence(property).unwrap();
            assert!(block.contains(&format!("<code>{}</code>", property.id)), "{}", property.id);
            if let Some(found) = &evidence.counterexample {
                let shown = format!("refuted, as it should be, {}", found.split(" (").next().unwrap());
                assert!(block.contains(&shown), "{shown}");
                // What is refuted may also be a mistake that others make.
                assert_eq!(block.contains("As printed in the notes"), formula.printed.is_some(), "{shown}");
            } else {
                assert!(block.contains(&format!("{} cases, pass", evidence.cases)) || evidence.cases == 1);
            }
        }
    }
}

/// Runs the program with some input; gives its success, output and messages.
fn program(arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradus-book"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that does not read closes the pipe.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    (output.status.success(), output.stdout, String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_protocol_gets_a_book_and_gives_it_back_with_its_formulas() {
    let book = MDBook::load(Project::here().book()).unwrap();
    let context = PreprocessorContext::new(book.root.clone(), book.config.clone(), "html".into());
    // Ours comes after mdBook's own, which puts in what a chapter includes.
    let included = LinkPreprocessor::new().run(&context, book.book.clone()).unwrap();
    let input = serde_json::to_vec(&(&context, &included)).unwrap();
    let (success, output, messages) = program(&["preprocess"], &input);
    assert!(success, "{messages}");
    let book: Book = serde_json::from_slice(&output).unwrap();
    let names: Vec<_> = book.chapters().filter_map(|c| c.path.as_ref()?.to_str()).collect();
    assert!(names.starts_with(&["reading.md", "notation.md", "least-squares.md"]), "{names:?}");
    let chapter = book.chapters().find(|c| c.path.as_deref() == Some("activations.md".as_ref())).unwrap();
    assert!(chapter.content.contains("id=\"eq-sigmoid\"") && chapter.content.contains("<mfrac>"));
    for chapter in book.chapters() {
        assert!(!chapter.content.contains("{{#"), "{}: a directive is left", chapter.name);
        // Plain mdBook does not write these pages.
        assert!(!chapter.content.contains("href=\"source/"), "{}", chapter.name);
    }
}

#[test]
fn the_protocol_refuses_what_is_no_book() {
    for input in ["", "{}", "[1, 2]", "not json"] {
        let (success, _, messages) = program(&["preprocess"], input.as_bytes());
        assert!(!success && messages.starts_with("error: "), "{input}: {messages}");
    }
}

#[test]
fn the_program_says_which_renderers_it_can_write_for() {
    for arguments in [vec!["supports"], vec!["preprocess", "supports"]] {
        let with = |renderer| program(&[arguments.clone(), vec![renderer]].concat(), b"").0;
        assert!(with("html") && !with("markdown"), "{arguments:?}");
    }
}

#[test]
fn the_check_finds_the_book_sound() {
    let (success, output, messages) = program(&["check"], b"");
    assert!(success, "{messages}");
    assert!(String::from_utf8(output).unwrap().starts_with("The book is sound: "));
}

#[test]
fn building_refuses_to_empty_a_folder_of_something_else() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("thesis.tex"), "years of work").unwrap();
    let out = folder.path().to_str().unwrap();
    let (success, _, messages) = program(&["build", "--out", out], b"");
    assert!(!success && messages.contains("would delete"), "{messages}");
    assert!(folder.path().join("thesis.tex").is_file());
    let inner = folder.path().join("site");
    for _ in 0..2 {
        let (success, _, messages) = program(&["build", "--out", inner.to_str().unwrap()], b"");
        assert!(success, "{messages}");
    }
    assert!(inner.join("activations.html").is_file() && inner.join("source").is_dir());
}
