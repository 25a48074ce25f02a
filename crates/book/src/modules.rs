//! A WebAssembly module for each chapter: its figures and its properties, for pages that no server of the book stands behind.
//!
//! The crates are compiled once; a chapter's module is then a few lines that name what it needs, and the linker leaves out all the rest.

use crate::catalog::Catalog;
use crate::markdown::{Piece, What};
use crate::project::Project;
use crate::run::libraries;
use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use gradus_explore::{Topic, topics};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the modules are compiled for: WebAssembly with a clock, and without anything else.
pub const TARGET: &str = "wasm32-wasip1";
/// The most that a module may have when it is compressed, as a web host sends it.
pub const LIMIT: usize = 500 * 1000;

/// What a chapter's module holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The chapter: its file without `.md`.
    pub chapter: String,
    /// The names of its live figures.
    pub figures: Vec<&'static str>,
    /// The parts of the crates' properties, as code: `gradus_cnn::PROPERTIES[2]`.
    pub properties: Vec<String>,
}

/// What the module of a chapter with these pieces holds; nothing, if there is nothing to move or to explore.
pub fn module(catalog: &Catalog, chapter: &str, pieces: &[Piece]) -> Option<Module> {
    let figure = |what: &What| match what {
        What::Figure(name) => gradus_figures::fetched().find(|live| live == name),
        _ => None,
    };
    let figures: Vec<_> = pieces.iter().filter_map(|piece| figure(&piece.what)).collect();
    let formula = |what: &What| match what {
        What::Formula(id) => catalog.formula(id).ok().map(|formula| formula.canonical()),
        _ => None,
    };
    let formulas: BTreeSet<_> = pieces.iter().filter_map(|piece| formula(&piece.what)).collect();
    let properties: Vec<_> = topics().iter().flat_map(|topic| parts(topic, &formulas)).collect();
    let empty = figures.is_empty() && properties.is_empty();
    (!empty).then(|| Module { chapter: chapter.into(), figures, properties })
}

/// The parts of a topic's properties that speak about one of these formulas.
fn parts(topic: &Topic, formulas: &BTreeSet<&str>) -> Vec<String> {
    let krate = topic.package.replace('-', "_");
    let about = |part: &fn() -> Vec<_>| {
        part().iter().any(|p: &gradus_formula::Property| p.formulas.iter().any(|id| formulas.contains(id)))
    };
    let parts = topic.properties.iter().enumerate().filter(|(_, part)| about(part));
    parts.map(|(at, _)| format!("{krate}::PROPERTIES[{at}]")).collect()
}

impl Module {
    /// The whole of its code.
    fn code(&self) -> String {
        let figures: String = self.figures.iter().map(|name| format!("{name:?}, ")).collect();
        format!(
            "gradus_page::module! {{ figures: [{figures}], properties: [{}] }}\n",
            self.properties.join(", ")
        )
    }
}

/// Compiles the modules of all chapters into `out/modules`, and says what they come to.
///
/// # Errors
/// If the target is not installed, something does not compile, or a module is too large.
pub fn build(project: &Project, wanted: &[Module], out: &Path) -> Result<BTreeMap<String, usize>> {
    let installed = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let libraries_of_target = PathBuf::from(String::from_utf8_lossy(&installed.stdout).trim());
    ensure!(
        installed.status.success() && libraries_of_target.is_dir(),
        "the modules need the target {TARGET}: rustup target add {TARGET}"
    );
    let crates = compile(project)?;
    let folder = out.join("modules");
    std::fs::create_dir_all(&folder)?;
    let work = tempfile::Builder::new().prefix("gradus-modules-").tempdir()?;
    let mut sizes = BTreeMap::new();
    for module in wanted {
        let file = folder.join(format!("{}.wasm", module.chapter));
        link(&crates, module, work.path(), &file)
            .with_context(|| format!("the module of {}", module.chapter))?;
        sizes.insert(module.chapter.clone(), compressed(&std::fs::read(&file)?)?);
    }
    let large: Vec<_> = sizes.iter().filter(|(_, size)| **size > LIMIT).collect();
    ensure!(large.is_empty(), "modules of more than {LIMIT} bytes, compressed: {large:?}");
    Ok(sizes)
}

/// Compiles the crates; gives the libraries by name.
fn compile(project: &Project) -> Result<BTreeMap<String, PathBuf>> {
    let output = project
        .cargo()
        .args(["build", "--profile", "module", "--target", TARGET, "--lib"])
        .args(["--package", "gradus-page", "--package", "gradus-explore"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "the crates do not compile for {TARGET}; the terminal says why");
    let metadata = project.metadata()?;
    let wanted = metadata["packages"].as_array().into_iter().flatten().filter_map(|package| {
        let name = package["name"].as_str()?;
        let named = name == "gradus-page" || topics().iter().any(|topic| topic.package == name);
        named.then_some((name.replace('-', "_"), package["id"].as_str()?.to_owned()))
    });
    let wanted = wanted.collect();
    Ok(libraries(&String::from_utf8_lossy(&output.stdout), &wanted))
}

fn link(crates: &BTreeMap<String, PathBuf>, module: &Module, work: &Path, file: &Path) -> Result<()> {
    let root = work.join(format!("{}.rs", module.chapter));
    std::fs::write(&root, module.code())?;
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=cdylib", "--crate-name=chapter", "--target", TARGET]);
    rustc.args(["-Copt-level=s", "-Cpanic=abort", "-Ccodegen-units=1", "-Cstrip=symbols", "--color=never"]);
    let mut folders = BTreeSet::new();
    for (name, library) in crates {
        rustc.arg("--extern").arg(format!("{name}={}", library.display()));
        let folder = library.parent().unwrap_or(Path::new("."));
        folders.insert(if folder.ends_with("deps") { folder.into() } else { folder.join("deps") });
        // The macros that the crates use are compiled for this machine.
        if let Some(target) = folder.ancestors().find(|f| f.ends_with(TARGET)).and_then(Path::parent) {
            folders.insert(target.join("module/deps"));
        }
    }
    for folder in folders {
        rustc.arg(format!("-Ldependency={}", folder.display()));
    }
    let output = rustc.arg(&root).arg("-o").arg(file).output().context("running rustc")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// How many bytes a web host sends.
fn compressed(bytes: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::markdown::scan;

    #[test]
    fn a_module_holds_what_its_chapter_shows() {
        let catalog = Catalog::new().unwrap();
        let text =
            "{{#formula sigmoid}}\n\n{{#figure saturation}}\n\n{{#figure sigmoid}}\n\n{{#figure roofline}}\n";
        let module = module(&catalog, "activations", &scan(text).unwrap()).unwrap();
        // The second stands still, and the third measures the machine.
        assert_eq!(module.figures, ["saturation"]);
        assert!(
            module.properties.iter().any(|p| p.starts_with("gradus_activations::PROPERTIES[")),
            "{module:?}"
        );
        assert!(!module.properties.iter().any(|p| p.starts_with("gradus_diffusion")), "{module:?}");
        assert!(
            module
                .code()
                .starts_with("gradus_page::module! { figures: [\"saturation\", ], properties: [gradus_")
        );
        assert_eq!(super::module(&catalog, "x", &[]), None);
    }
}
