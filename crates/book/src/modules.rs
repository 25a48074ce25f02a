//! A WebAssembly module for each chapter: its figures and its properties, for pages that no server of the book stands behind.
//!
//! The crates are compiled once; a chapter's module is then a few lines that name what it needs, and the linker leaves out all the rest.

use crate::catalog::Catalog;
use crate::markdown::{Piece, What};
use crate::project::{Project, files, write_changed};
use crate::run::libraries;
use crate::slips::Slips;
use anyhow::{Context, Result, ensure};
use flate2::{Compression, write::GzEncoder};
use gradus_explore::{Topic, topics};
use gradus_formula::Property;
use semver::VersionReq;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the modules are compiled for: WebAssembly with a clock, and without anything else.
pub const TARGET: &str = "wasm32-wasip1";
/// The most that a module may have when it is compressed, as a web host sends it.
pub const LIMIT: usize = 500 * 1000;

/// What a module holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// The chapter: its file without `.md`.
    pub chapter: String,
    /// The names of live figures.
    pub figures: Vec<&'static str>,
    /// Parts of the crates' properties.
    pub parts: Vec<Part>,
    /// All properties that the chapter shows, in whichever module they are.
    pub shown: Vec<&'static str>,
}

/// A part of a crate's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// As code: `gradus_cnn::PROPERTIES[2]`.
    pub code: String,
    /// The ids.
    pub properties: Vec<&'static str>,
}

/// What the module of a chapter with these pieces holds; nothing, if there is nothing to move or to explore. A property is in the module of the
/// chapter that shows the formula that it is about first of all.
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
    let parts: Vec<_> = topics().iter().flat_map(|topic| parts(topic, &formulas)).collect();
    let about = |p: &&Property| p.formulas.iter().any(|id| formulas.contains(id));
    let shown: Vec<_> = catalog.all_properties().iter().filter(about).map(|p| p.id).collect();
    let empty = figures.is_empty() && shown.is_empty();
    (!empty).then(|| Module { chapter: chapter.into(), figures, parts, shown })
}

/// The parts of a topic's properties in which one speaks about one of these formulas first of all.
fn parts(topic: &Topic, formulas: &BTreeSet<&str>) -> Vec<Part> {
    let krate = topic.package.replace('-', "_");
    let part = |(at, part): (usize, &fn() -> Vec<Property>)| {
        let properties = part();
        let about = properties.iter().any(|p| formulas.contains(p.formula()));
        let properties = properties.iter().map(|p| p.id).collect();
        about.then(|| Part { code: format!("{krate}::PROPERTIES[{at}]"), properties })
    };
    topic.properties.iter().enumerate().filter_map(part).collect()
}

impl Module {
    /// The whole of its code.
    fn code(&self) -> String {
        let figures: String = self.figures.iter().map(|name| format!("{name:?}, ")).collect();
        let parts: Vec<_> = self.parts.iter().map(|part| part.code.as_str()).collect();
        format!("gradus_page::module! {{ figures: [{figures}], properties: [{}] }}\n", parts.join(", "))
    }

    /// The same in two modules, if there is more than one thing in it: first the figures go, then half of the parts.
    fn halves(&self) -> Option<[Self; 2]> {
        let with = |figures: &[&'static str], parts: &[Part]| Self {
            chapter: self.chapter.clone(),
            figures: figures.to_vec(),
            parts: parts.to_vec(),
            shown: Vec::new(),
        };
        match (self.figures.len(), self.parts.len()) {
            (0, 0 | 1) | (1, 0) => None,
            (n, 0) => Some([with(&self.figures[..n / 2], &[]), with(&self.figures[n / 2..], &[])]),
            (0, n) => Some([with(&[], &self.parts[..n / 2]), with(&[], &self.parts[n / 2..])]),
            _ => Some([with(&self.figures, &[]), with(&[], &self.parts)]),
        }
    }
}

/// Compiles the modules of all chapters into `out/modules`, and says how large each is, compressed. Beside them is a list for each chapter: in which
/// module each of its figures and properties is.
///
/// # Errors
/// If the target is not installed, something does not compile, or a module is too large and can't be divided.
pub fn build(
    project: &Project,
    catalog: &Catalog,
    wanted: &[Module],
    out: &Path,
) -> Result<BTreeMap<String, usize>> {
    let installed = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).output()?;
    let libraries_of_target = PathBuf::from(String::from_utf8_lossy(&installed.stdout).trim());
    ensure!(
        installed.status.success() && libraries_of_target.is_dir(),
        "the modules need the target {TARGET}: rustup target add {TARGET}"
    );
    let crates = compile(&with_slips(project, catalog)?, &project.target()?)?;
    let folder = out.join("modules");
    std::fs::create_dir_all(&folder)?;
    let work = tempfile::Builder::new().prefix("gradus-modules-").tempdir()?;
    let mut sizes = BTreeMap::new();
    // In which module something is, and of which chapter: its own comes first.
    let mut places: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for chapter in wanted {
        let mut waiting = vec![chapter.clone()];
        let mut made = 0;
        while let Some(module) = waiting.pop() {
            if module.figures.is_empty() && module.parts.is_empty() {
                continue;
            }
            let name = match made {
                0 => module.chapter.clone(),
                n => format!("{}-{}", module.chapter, n + 1),
            };
            let file = folder.join(format!("{name}.wasm"));
            link(&crates, &module, work.path(), &file)
                .with_context(|| format!("the module of {}", module.chapter))?;
            let size = compressed(&std::fs::read(&file)?)?;
            if size > LIMIT {
                let halves = module.halves().with_context(|| {
                    format!(
                        "{name} has {size} bytes compressed, of {LIMIT}, and can't be divided: {}",
                        module.code()
                    )
                })?;
                waiting.extend(halves.into_iter().rev());
                continue;
            }
            let properties = module.parts.iter().flat_map(|part| &part.properties);
            for thing in module.figures.iter().chain(properties) {
                places.entry(thing).or_default().push((&chapter.chapter, name.clone()));
            }
            sizes.insert(name, size);
            made += 1;
        }
    }
    for chapter in wanted {
        let mut list = BTreeMap::new();
        for thing in chapter.figures.iter().chain(&chapter.shown) {
            let found = places.get(thing).map_or(&[][..], Vec::as_slice);
            let own = found.iter().find(|(of, _)| *of == chapter.chapter).or(found.first());
            let (_, name) = own.with_context(|| format!("{thing} is in no module"))?;
            list.insert(thing, name);
        }
        let file = folder.join(format!("{}.json", chapter.chapter));
        std::fs::write(&file, serde_json::to_string(&list)?).with_context(|| file.display().to_string())?;
    }
    Ok(sizes)
}

/// A copy of the workspace in which all slips are compiled in.
fn with_slips(project: &Project, catalog: &Catalog) -> Result<Project> {
    let copy = project.target()?.join("with-slips");
    let slips = Slips::read(project)?;
    let packages = topics().iter().map(|topic| topic.package.replace('-', "_"));
    let edited = packages.map(|krate| slips.compiled_in(project, catalog, &krate));
    let edited: BTreeMap<_, _> = edited.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    let root = project.root();
    let mut wanted = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    for folder in ["crates", "benches", "tests"] {
        wanted.extend(files(&root.join(folder)));
    }
    wanted.retain(|file| !file.components().any(|part| part.as_os_str() == "node_modules"));
    // What is in the workspace no more would still be compiled.
    for old in files(&copy) {
        if !wanted.contains(&root.join(old.strip_prefix(&copy)?)) {
            std::fs::remove_file(&old).with_context(|| old.display().to_string())?;
        }
    }
    for file in wanted {
        let content = match edited.get(&file) {
            Some(text) => text.clone().into_bytes(),
            None => std::fs::read(&file).with_context(|| file.display().to_string())?,
        };
        write_changed(&copy.join(file.strip_prefix(root)?), &content)?;
    }
    Ok(Project::at(&copy))
}

/// Compiles the crates; gives the libraries by name.
fn compile(project: &Project, target: &Path) -> Result<BTreeMap<String, PathBuf>> {
    let output = project
        .cargo()
        .args(["build", "--profile", "module", "--target", TARGET, "--lib"])
        .args(["--package", "gradus-page", "--package", "gradus-explore"])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target)
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "the crates do not compile for {TARGET}; the terminal says why");
    let names = topics().iter().map(|topic| topic.package.replace('-', "_")).chain(["gradus_page".into()]);
    let wanted = names.map(|name| (name, VersionReq::STAR)).collect();
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
        let of = |krate: &str| module.parts.iter().filter(|part| part.code.starts_with(krate)).count();
        assert!(of("gradus_activations::PROPERTIES[") > 0 && of("gradus_diffusion") == 0, "{module:?}");
        assert!(module.shown.contains(&"sigmoid.symmetry"));
        assert!(
            module
                .code()
                .starts_with("gradus_page::module! { figures: [\"saturation\", ], properties: [gradus_")
        );
        assert_eq!(super::module(&catalog, "x", &[]), None);
    }

    #[test]
    fn a_module_is_divided_until_nothing_is_left_to_divide() {
        let part = |code: &str| Part { code: code.into(), properties: Vec::new() };
        let whole = Module {
            figures: vec!["f", "g"],
            parts: vec![part("a"), part("b"), part("c")],
            ..Module::default()
        };
        let (mut waiting, mut single) = (vec![whole], Vec::new());
        while let Some(module) = waiting.pop() {
            match module.halves() {
                Some(halves) => waiting.extend(halves),
                None => single.push(module.code()),
            }
        }
        single.sort();
        let all = [
            "\"f\", ], properties: []",
            "\"g\", ], properties: []",
            "], properties: [a]",
            "], properties: [b]",
            "], properties: [c]",
        ];
        let all = all.map(|inner| format!("gradus_page::module! {{ figures: [{inner} }}\n"));
        assert_eq!(single, all);
    }
}
