//! The compiler and the crates that a snippet may use.

use crate::project::Project;
use anyhow::{Context, Result, bail, ensure};
use semver::{Version, VersionReq};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The package whose dependencies a snippet may use: the one whose doctests the chapters are.
const PACKAGE: &str = "gradus-tests";

/// A compiler with compiled crates.
#[derive(Debug, Clone, Default)]
pub struct Toolchain {
    /// The compiler itself, not a proxy that would look for its version in the folder of the run.
    pub rustc: PathBuf,
    /// The crates, by the name that code uses.
    pub crates: BTreeMap<String, PathBuf>,
    /// What cargo said about everything that it has compiled.
    pub(super) messages: String,
    /// The checkout, and a folder in which to keep what is compiled of edited crates.
    pub(super) kept: Option<(Project, PathBuf)>,
}

impl Toolchain {
    /// The compiler alone: snippets then have the standard library only.
    ///
    /// # Errors
    /// If there is no `rustc`.
    pub fn bare(project: &Project) -> Result<Self> {
        let proxy = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(&proxy)
            .args(["--print", "sysroot"])
            .current_dir(project.root())
            .output()
            .context("running rustc")?;
        ensure!(output.status.success(), "rustc: {}", String::from_utf8_lossy(&output.stderr));
        let sysroot = String::from_utf8(output.stdout).context("the path of the toolchain")?;
        let rustc =
            Path::new(sysroot.trim()).join("bin").join(format!("rustc{}", std::env::consts::EXE_SUFFIX));
        let rustc = if rustc.is_file() { rustc } else { PathBuf::from(proxy) };
        Ok(Self { rustc, ..Self::default() })
    }

    /// Compiles what the chapters' doctests may use. Cargo's progress goes to the terminal.
    ///
    /// The files come from cargo's own messages: a search through the folder would find the remains of other
    /// builds, and the compiler two crates of one name (E0464).
    ///
    /// # Errors
    /// If something does not compile.
    pub fn prepare(project: &Project) -> Result<Self> {
        let mut toolchain = Self::bare(project)?;
        let wanted = project.crates_of(PACKAGE)?;
        let output = project
            .cargo()
            .args(["test", "--no-run", "--lib", "--package", PACKAGE])
            .arg("--message-format=json-render-diagnostics")
            .stderr(Stdio::inherit())
            .output()
            .context("running cargo")?;
        ensure!(output.status.success(), "the crates do not compile; the terminal says why");
        toolchain.messages = String::from_utf8_lossy(&output.stdout).into_owned();
        toolchain.crates = libraries(&toolchain.messages, &wanted);
        toolchain.kept = Some((project.clone(), project.target()?.join("edited")));
        // Another kind of dependency, a macro's crate say, may have no such file; ours all have one.
        let missing = wanted.keys().find(|n| n.starts_with("gradus_") && !toolchain.crates.contains_key(*n));
        if let Some(name) = missing {
            bail!("cargo did not say where it put {name}");
        }
        Ok(toolchain)
    }

    /// The compiler's arguments for `snippet.rs`.
    pub(super) fn arguments(&self, tests: bool) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["--edition=2024", "snippet.rs", "-o", "snippet", "--color=never"]
            .into_iter()
            .chain([
                "-Cdebuginfo=0",
                "-Copt-level=0",
                "-Aunused",
                "-Aredundant_semicolons",
                "-Aunreachable_code",
            ])
            .map(OsString::from)
            .collect();
        arguments.extend(externs(&self.crates));
        if tests {
            arguments.push("--test".into());
        }
        arguments
    }

    /// What the compiler may see of the environment: enough to find the linker, and nothing that `env!` in a
    /// snippet could give away.
    pub(super) fn environment(&self, folder: &Path) -> Vec<(&'static str, OsString)> {
        let mut environment = vec![("TMPDIR", folder.into()), ("HOME", folder.into())];
        for name in ["PATH", "SDKROOT", "DEVELOPER_DIR"] {
            environment.extend(std::env::var_os(name).map(|value| (name, value)));
        }
        environment
    }
}

/// The arguments that name crates, and say where what they depend on lies.
pub(super) fn externs(crates: &BTreeMap<String, PathBuf>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = Vec::new();
    let mut folders: Vec<PathBuf> = Vec::new();
    for (name, file) in crates {
        arguments.push("--extern".into());
        let mut named = OsString::from(format!("{name}="));
        named.push(file);
        arguments.push(named);
        let parent = file.parent().unwrap_or(Path::new("."));
        let folder = if parent.ends_with("deps") { parent.to_path_buf() } else { parent.join("deps") };
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    for folder in folders {
        let mut search = OsString::from("-Ldependency=");
        search.push(folder);
        arguments.push(search);
    }
    arguments
}

/// The libraries among cargo's messages that are wanted, by the name that code uses. Of one name there may be several versions; and a crate that was
/// built twice (once for a build script) counts with the features that code sees: the larger set.
pub fn libraries(messages: &str, wanted: &BTreeMap<String, VersionReq>) -> BTreeMap<String, PathBuf> {
    artifacts(messages, wanted).into_iter().map(|(name, (_, file))| (name, file)).collect()
}

/// The same with the features of each.
pub(super) fn artifacts(
    messages: &str,
    wanted: &BTreeMap<String, VersionReq>,
) -> BTreeMap<String, (Vec<String>, PathBuf)> {
    let mut found: BTreeMap<String, (Vec<String>, PathBuf)> = BTreeMap::new();
    for message in messages.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok()) {
        if message["reason"] != "compiler-artifact" || message["profile"]["test"] == true {
            continue;
        }
        let name = message["target"]["name"].as_str().unwrap_or("").replace('-', "_");
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(|f| f.as_str());
        let Some(file) = files.into_iter().find(|f| f.ends_with(".rlib")) else { continue };
        let meant = wanted.get(&name).zip(version(&message)).is_some_and(|(meant, v)| meant.matches(&v));
        let features = message["features"].as_array().into_iter().flatten();
        let features: Vec<_> = features.filter_map(|f| Some(f.as_str()?.to_owned())).collect();
        if meant && found.get(&name).is_none_or(|(most, _)| features.len() >= most.len()) {
            found.insert(name, (features, file.into()));
        }
    }
    found
}

/// The version in a package's id: `registry+https://…#rand@0.10.4`, `path+file:///…#0.1.0`.
fn version(message: &serde_json::Value) -> Option<Version> {
    message["package_id"].as_str()?.rsplit(['#', '@']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_come_from_cargos_messages_and_only_the_wanted() {
        let artifact = |name: &str, id: &str, test: bool, features: &str, file: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"package_id\":\"{id}\",\"target\":{{\"name\":\"{name}\"}},\"profile\":{{\"test\":{test}}},\"features\":[{features}],\"filenames\":[\"{file}\"]}}"
            )
        };
        let messages = [
            artifact("gradus-x", "path+file:///x#0.1.0", false, "", "/t/libx-1.rlib"),
            artifact("gradus_x", "path+file:///x#gradus-x@0.1.0", false, "\"properties\"", "/t/libx-2.rlib"),
            artifact("gradus_x", "path+file:///x#0.1.0", true, "\"a\",\"b\"", "/t/x-3.rlib"),
            // What somebody else depends on, of the same name and with more features.
            artifact(
                "rand",
                "registry+https://r#rand@0.9.5",
                false,
                "\"a\",\"b\",\"c\"",
                "/t/librand-9.rlib",
            ),
            artifact("rand", "registry+https://r#rand@0.10.4", false, "", "/t/librand-10.rlib"),
            artifact("other", "registry+https://r#other@1.0.0", false, "", "/t/libother.rlib"),
            "not json".into(),
        ]
        .join("\n");
        let meant = |name: &str, versions: &str| (name.to_owned(), versions.parse().unwrap());
        let wanted = BTreeMap::from([meant("gradus_x", "^0.1.0"), meant("rand", "^0.10"), meant("y", "*")]);
        let expected = [("gradus_x", "/t/libx-2.rlib"), ("rand", "/t/librand-10.rlib")];
        let expected = expected.map(|(name, file)| (name.to_owned(), PathBuf::from(file)));
        assert_eq!(libraries(&messages, &wanted), BTreeMap::from(expected));
    }
}
