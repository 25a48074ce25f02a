//! The rules about crates: levels, manifests, files.

use cargo_metadata::{DependencyKind, MetadataCommand, TargetKind};
use std::collections::BTreeSet;
use std::fs::read_to_string;
use std::process::Command;
use toml::{Table, Value};

/// The levels; a crate may use only crates of lower ones.
const LEVELS: &[(&str, u32)] = &[
    ("gradus-formula", 0),
    ("gradus-tensor", 1),
    ("gradus-autograd", 2),
    ("gradus-datasets", 2),
    ("gradus-activations", 3),
    ("gradus-losses", 4),
    ("gradus-initialization", 4),
    ("gradus-linear-regression", 4),
    ("gradus-layers", 5),
    ("gradus-logistic-regression", 5),
    ("gradus-optimization", 5),
    ("gradus-cnn", 6),
    ("gradus-lstm", 6),
    ("gradus-training", 6),
    ("gradus-architectures", 7),
    ("gradus-transformer", 7),
    ("gradus-diffusion", 8),
    ("gradus", 9),
    ("gradus-explore", 10),
    ("gradus-benches", 10),
    ("gradus-figures", 11),
    ("gradus-page", 12),
    ("gradus-book", 13),
];
/// Members that test and measure all the others.
const EXEMPT: &[&str] = &["gradus-tests", "gradus-benches"];
/// The levels that are chapters of the book, each a crate with formulas.
const CHAPTERS: std::ops::RangeInclusive<u32> = 3..=8;
/// The highest level that is published as a library.
const FACADE: u32 = 9;
/// What a library for others' programs does without.
const HEAVY: &[&str] = &["axum", "clap", "indicatif", "libtest-mimic", "plotters", "tokio"];

/// The most crates of others that a topic's crate brings along.
const TREE: usize = 50;
/// Crates whose products of matrices and threads would not be ours, and not have the same bits everywhere.
const KERNELS: &[&str] = &["faer", "gemm", "matrixmultiply", "rayon", "rayon-core"];

/// A crate of the workspace, as its manifest and its files show it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Member {
    /// The package.
    pub(crate) name: String,
    /// What it depends on.
    pub(crate) uses: Vec<Use>,
    /// Its manifest.
    pub(crate) manifest: Table,
    /// The text of its library's root.
    pub(crate) library: Option<String>,
    /// The names of its programs.
    pub(crate) programs: Vec<String>,
    /// Whether it has a README.md.
    pub(crate) readme: bool,
    /// Whether it has a tests/properties.rs.
    pub(crate) property_tests: bool,
}

/// A dependency.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) name: String,
    pub(crate) dev: bool,
    pub(crate) optional: bool,
}

impl Member {
    /// Every member of this workspace.
    pub(crate) fn all() -> Vec<Self> {
        let metadata = MetadataCommand::new()
            .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"))
            .no_deps()
            .other_options(vec!["--offline".to_owned()])
            .exec()
            .expect("cargo metadata");
        let members: Vec<_> = metadata.packages.iter().map(Self::read).collect();
        // A rule about nobody would always hold.
        assert!(members.iter().any(|m| m.name == "gradus-formula") && members.len() > 3);
        members
    }

    fn read(package: &cargo_metadata::Package) -> Self {
        let folder = package.manifest_path.parent().expect("a manifest lies in a folder");
        let targets = |kind: TargetKind| package.targets.iter().filter(move |t| t.kind.contains(&kind));
        let used = |d: &cargo_metadata::Dependency| Use {
            name: d.name.clone(),
            dev: d.kind == DependencyKind::Development,
            optional: d.optional,
        };
        Self {
            name: package.name.to_string(),
            uses: package.dependencies.iter().map(used).collect(),
            manifest: read_to_string(&package.manifest_path).unwrap().parse().expect("a manifest is TOML"),
            library: targets(TargetKind::Lib).next().map(|t| read_to_string(&t.src_path).unwrap()),
            programs: targets(TargetKind::Bin).map(|t| t.name.clone()).collect(),
            readme: folder.join("README.md").exists(),
            property_tests: folder.join("tests/properties.rs").exists(),
        }
    }

    fn level(&self) -> Option<u32> {
        level(&self.name)
    }

    fn exempt(&self) -> bool {
        EXEMPT.contains(&self.name.as_str())
    }
}

fn level(name: &str) -> Option<u32> {
    LEVELS.iter().find(|(n, _)| *n == name).map(|(_, level)| *level)
}

/// Every member has a level, and what it uses (but for its tests) has a lower one.
pub(crate) fn arrows(members: &[Member]) -> Vec<String> {
    let mut offenders = Vec::new();
    for m in members.iter().filter(|m| !m.exempt()) {
        let Some(own) = m.level() else {
            offenders.push(format!("{} has no level: give it one in {}", m.name, file!()));
            continue;
        };
        let ours = |u: &&Use| members.iter().any(|m| m.name == u.name) || level(&u.name).is_some();
        for u in m.uses.iter().filter(|u| !u.dev).filter(ours) {
            match level(&u.name) {
                Some(other) if other < own => {}
                Some(other) => {
                    offenders.push(format!("{} (level {own}) uses {} (level {other})", m.name, u.name));
                }
                None => offenders.push(format!("{} uses {}, which has no level", m.name, u.name)),
            }
        }
    }
    offenders
}

/// A manifest's dependencies: where they stand, their name and what is said of them.
fn dependencies(manifest: &Table) -> Vec<(String, String, &Value)> {
    const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let mut places = vec![(String::new(), manifest)];
    for (target, table) in manifest.get("target").and_then(Value::as_table).into_iter().flatten() {
        places.extend(table.as_table().map(|t| (format!("target.{target}."), t)));
    }
    let mut found = Vec::new();
    for (place, table) in places {
        for section in SECTIONS {
            for (name, value) in table.get(section).and_then(Value::as_table).into_iter().flatten() {
                found.push((format!("{place}{section}"), name.clone(), value));
            }
        }
    }
    found
}

/// Every dependency says `.workspace = true`, or `path = "."` where a crate tests itself.
pub(crate) fn versions(members: &[Member]) -> Vec<String> {
    let mut offenders = Vec::new();
    for m in members {
        for (section, name, value) in dependencies(&m.manifest) {
            let says = |key| value.get(key).is_some();
            let inherits = value.get("workspace").and_then(Value::as_bool) == Some(true);
            let itself = name == m.name && value.get("path").and_then(Value::as_str) == Some(".");
            if says("version") || says("git") || !(inherits || itself) {
                offenders.push(format!("{}: [{section}] {name} must say `.workspace = true`", m.name));
            }
        }
    }
    offenders
}

/// Every library but the tensor crate's forbids unsafe code.
pub(crate) fn unsafe_code(members: &[Member]) -> Vec<String> {
    let forbids = |text: &String| text.lines().any(|line| line.trim() == "#![forbid(unsafe_code)]");
    members
        .iter()
        .filter(|m| m.name != "gradus-tensor" && !m.exempt())
        .filter(|m| m.library.as_ref().is_some_and(|text| !forbids(text)))
        .map(|m| format!("{}: its lib.rs lacks #![forbid(unsafe_code)]", m.name))
        .collect()
}

/// Only the tensor crate names threads and product kernels; the others use its doors.
pub(crate) fn kernels(members: &[Member]) -> Vec<String> {
    let kernel = |u: &&Use| KERNELS.contains(&u.name.as_str());
    let others = members.iter().filter(|m| m.name != "gradus-tensor" && !m.exempt());
    others
        .flat_map(|m| m.uses.iter().filter(kernel).map(|u| format!("{} names {}", m.name, u.name)))
        .collect()
}

/// No published library needs a server, a command line or a plotter, unless a feature asks for it.
pub(crate) fn light(members: &[Member]) -> Vec<String> {
    let heavy = |u: &&Use| !u.dev && !u.optional && HEAVY.contains(&u.name.as_str());
    let published = members.iter().filter(|m| m.level().is_some_and(|level| level <= FACADE));
    published
        .flat_map(|m| m.uses.iter().filter(heavy).map(|u| format!("{} always needs {}", m.name, u.name)))
        .collect()
}

/// The crates from the registry that a published library brings along on this machine, with its default features.
pub(crate) fn tree(name: &str) -> BTreeSet<String> {
    let out = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--offline",
            "--edges=normal,build",
            "--prefix=none",
            "--format={p}",
            "--package",
            name,
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo tree");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let lines = String::from_utf8(out.stdout).unwrap();
    let packages = lines.lines().map(|line| line.trim_end_matches(" (*)").to_owned());
    packages.filter(|package| !package.starts_with("gradus")).collect()
}

/// A topic's crate brings at most fifty crates of others along.
pub(crate) fn trees(members: &[Member], tree: impl Fn(&str) -> BTreeSet<String>) -> Vec<String> {
    let topics = members.iter().filter(|m| m.level().is_some_and(|level| level < FACADE));
    let sizes = topics.map(|m| (&m.name, tree(&m.name).len()));
    let large = sizes.filter(|(_, size)| *size > TREE);
    large.map(|(name, size)| format!("{name} brings {size} crates along (allowed: {TREE})")).collect()
}

/// Without `bench = false` a target's own harness meets criterion's options, and `cargo bench` breaks.
pub(crate) fn bench_false(members: &[Member]) -> Vec<String> {
    let off =
        |target: Option<&Value>| target.and_then(|t| t.get("bench")).and_then(Value::as_bool) == Some(false);
    let mut offenders = Vec::new();
    for m in members {
        if m.library.is_some() && !off(m.manifest.get("lib")) {
            offenders.push(format!("{}: [lib] lacks `bench = false`", m.name));
        }
        for program in &m.programs {
            if !off(named(&m.manifest, "bin", program)) {
                offenders.push(format!("{}: [[bin]] {program} lacks `bench = false`", m.name));
            }
        }
    }
    offenders
}

/// The entry of a manifest's `[[section]]` with this name.
fn named<'a>(manifest: &'a Table, section: &str, name: &str) -> Option<&'a Value> {
    let mut entries = manifest.get(section)?.as_array()?.iter();
    entries.find(|t| t.get("name").and_then(Value::as_str) == Some(name))
}

/// Every crate has a README.md.
pub(crate) fn readmes(members: &[Member]) -> Vec<String> {
    let without = members.iter().filter(|m| !m.exempt() && !m.readme);
    without.map(|m| format!("{} has no README.md", m.name)).collect()
}

/// Every chapter's crate, and every other one with a feature `properties`, is in the explorer's registry.
pub(crate) fn registered(members: &[Member], registry: &BTreeSet<&str>) -> Vec<String> {
    let feature = |m: &Member| m.manifest.get("features").and_then(|f| f.get("properties")).is_some();
    members
        .iter()
        .filter(|m| m.name != "gradus-formula" && m.level().is_some_and(|level| level < FACADE))
        .filter(|m| m.level().is_some_and(|level| CHAPTERS.contains(&level)) || feature(m))
        .filter(|m| !registry.contains(m.name.as_str()))
        .map(|m| format!("{} is missing from crates/explore/src/registry.rs", m.name))
        .collect()
}

/// Every registered crate runs its properties as tests, and turns its own feature on for them.
pub(crate) fn property_tests(members: &[Member], registry: &BTreeSet<&str>) -> Vec<String> {
    let mut offenders = Vec::new();
    for m in members.iter().filter(|m| registry.contains(m.name.as_str())) {
        if !m.property_tests {
            offenders.push(format!("{} has no tests/properties.rs", m.name));
            continue;
        }
        let target = named(&m.manifest, "test", "properties");
        let harness = target.and_then(|t| t.get("harness")).and_then(Value::as_bool);
        if harness != Some(false) {
            offenders.push(format!("{}: [[test]] properties lacks `harness = false`", m.name));
        }
        let itself = m.manifest.get("dev-dependencies").and_then(|d| d.get(&m.name));
        let features = itself.and_then(|d| d.get("features")).and_then(Value::as_array);
        if !features.is_some_and(|f| f.iter().any(|f| f.as_str() == Some("properties"))) {
            let name = &m.name;
            offenders.push(format!(
                "{name}: its tests need {name} = {{ path = \".\", features = [\"properties\"] }}"
            ));
        }
    }
    offenders
}
