//! One module a chapter, made from the book's summary: a chapter that readers see can't be left out of the tests.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let book = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../book/src").canonicalize()?;
    let summary = book.join("SUMMARY.md");
    println!("cargo::rerun-if-changed={}", summary.display());
    println!("cargo::rerun-if-changed=build.rs");
    let mut modules = String::new();
    for line in fs::read_to_string(&summary)?.lines() {
        // A chapter is a line `[title](file.md)`, perhaps behind a bullet.
        let Some((_, link)) = line.split_once("](") else { continue };
        let Some(file) = link.split(')').next().filter(|f| f.ends_with(".md")) else { continue };
        let chapter = book.join(file);
        if !chapter.is_file() {
            return Err(format!("{}: there is no {file}", summary.display()).into());
        }
        let name: String =
            file.trim_end_matches(".md").chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        modules += &format!(
            "/// The chapter `{file}`.\n#[doc = include_str!({:?})]\npub mod {name} {{}}\n",
            chapter.to_string_lossy()
        );
    }
    if modules.is_empty() {
        return Err(format!("{} names no chapter", summary.display()).into());
    }
    fs::write(Path::new(&env::var("OUT_DIR")?).join("chapters.rs"), modules)?;
    Ok(())
}
