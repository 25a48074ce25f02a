//! The compiler and the crates that a snippet may use.

use crate::project::Project;
use anyhow::{Context, Result, bail, ensure};
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
        Ok(Self { rustc, crates: BTreeMap::new() })
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
        toolchain.crates = libraries(&String::from_utf8_lossy(&output.stdout), &wanted);
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
        let mut folders: Vec<PathBuf> = Vec::new();
        for (name, file) in &self.crates {
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

/// The libraries among cargo's messages, by the names under which they are wanted; each name comes with a package's id. A crate that was built
/// twice (once for a build script) counts with the features that code sees: the larger set.
pub fn libraries(messages: &str, wanted: &BTreeMap<String, String>) -> BTreeMap<String, PathBuf> {
    let mut built: BTreeMap<String, (usize, PathBuf)> = BTreeMap::new();
    for message in messages.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok()) {
        if message["reason"] != "compiler-artifact" || message["profile"]["test"] == true {
            continue;
        }
        let Some(package) = message["package_id"].as_str() else { continue };
        let files = message["filenames"].as_array().into_iter().flatten().filter_map(|f| f.as_str());
        let Some(file) = files.into_iter().find(|f| f.ends_with(".rlib")) else { continue };
        let features = message["features"].as_array().map_or(0, Vec::len);
        if built.get(package).is_none_or(|(most, _)| features >= *most) {
            built.insert(package.into(), (features, file.into()));
        }
    }
    let file = |package: &String| built.get(package).map(|(_, file)| file.clone());
    wanted.iter().filter_map(|(name, package)| Some((name.clone(), file(package)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_come_from_cargos_messages_and_only_the_wanted() {
        let artifact = |package: &str, test: bool, features: &str, file: &str| {
            format!(
                "{{\"reason\":\"compiler-artifact\",\"package_id\":\"{package}\",\"profile\":{{\"test\":{test}}},\"features\":[{features}],\"filenames\":[\"{file}\"]}}"
            )
        };
        let messages = [
            artifact("x#1.0.0", false, "", "/t/libx-1.rlib"),
            artifact("x#1.0.0", false, "\"properties\"", "/t/libx-2.rlib"),
            artifact("x#1.0.0", true, "\"a\",\"b\"", "/t/x-3.rlib"),
            // What somebody else depends on, by the same name and with more features.
            artifact("x#0.9.0", false, "\"a\",\"b\",\"c\"", "/t/libx-4.rlib"),
            artifact("other#1.0.0", false, "", "/t/libother.rlib"),
            "not json".into(),
        ]
        .join("\n");
        let found = libraries(
            &messages,
            &BTreeMap::from([("x".into(), "x#1.0.0".into()), ("y".into(), "y#1.0.0".into())]),
        );
        assert_eq!(found, BTreeMap::from([("x".into(), PathBuf::from("/t/libx-2.rlib"))]));
    }
}
