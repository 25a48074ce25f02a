//! Where things lie in the workspace.

use anyhow::{Context, Result, ensure};
use semver::VersionReq;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A checkout of the workspace.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
}

impl Project {
    /// The checkout that this program was compiled from: it is only ever run from there, by cargo.
    pub fn here() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new("."));
        Self { root: root.to_path_buf() }
    }

    /// A checkout elsewhere.
    pub fn at(root: &Path) -> Self {
        Self { root: root.to_path_buf() }
    }

    /// The workspace's root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The mdBook's folder.
    pub fn book(&self) -> PathBuf {
        self.root.join("book")
    }

    /// The folder of the crate that code calls `krate`: `gradus_activations` lies in `crates/activations`.
    pub fn krate(&self, krate: &str) -> PathBuf {
        let folder = krate.strip_prefix("gradus_").unwrap_or(krate).replace('_', "-");
        self.root.join("crates").join(folder)
    }

    /// A path as messages show it: relative to the root, with forward slashes.
    pub fn show(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().replace('\\', "/")
    }

    /// A cargo command that runs at the root.
    pub fn cargo(&self) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.current_dir(&self.root);
        // These describe the crate that cargo is running us for, not the one it will be asked to build.
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|n| n.starts_with("CARGO_PKG_") || n == "CARGO_MANIFEST_DIR") {
                cargo.env_remove(name);
            }
        }
        cargo
    }

    /// What `cargo metadata` says about the workspace's own packages.
    pub fn metadata(&self) -> Result<serde_json::Value> {
        let output = self
            .cargo()
            .args(["metadata", "--no-deps", "--format-version=1", "--offline"])
            .output()
            .context("running cargo metadata")?;
        ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).context("reading cargo metadata")
    }

    /// The crates that a package's code can name, its own and others', each with the versions that are meant: of one name there may be several, of
    /// which others depend on the other one.
    ///
    /// # Errors
    /// If cargo can't say, or there is no such package.
    pub fn crates_of(&self, package: &str) -> Result<BTreeMap<String, VersionReq>> {
        let metadata = self.metadata()?;
        let packages = metadata["packages"].as_array().context("cargo metadata names no packages")?;
        let package = packages
            .iter()
            .find(|p| p["name"] == package)
            .with_context(|| format!("no package {package}"))?;
        let mut crates = BTreeMap::new();
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let name = dependency["rename"].as_str().or(dependency["name"].as_str());
            // What a build script depends on can't be named in the code.
            let (Some(name), true) = (name, dependency["kind"] != "build") else { continue };
            let versions = dependency["req"].as_str().unwrap_or("*").parse();
            crates
                .insert(name.replace('-', "_"), versions.with_context(|| format!("the versions of {name}"))?);
        }
        Ok(crates)
    }

    /// The folder into which cargo compiles.
    ///
    /// # Errors
    /// If cargo can't say.
    pub fn target(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let folder =
            metadata["target_directory"].as_str().context("cargo metadata names no target directory")?;
        Ok(PathBuf::from(folder))
    }

    /// The folder into which rustdoc writes, if it has written there.
    pub fn api_docs(&self) -> Option<PathBuf> {
        let folder = self.target().ok()?.join("doc");
        folder.is_dir().then_some(folder)
    }
}

/// Every file below `folder`, in a fixed order; nothing where there is no such folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![folder.to_path_buf()];
    while let Some(path) = waiting.pop() {
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { waiting.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Writes a file, unless it is there already as it should be: who compares times then sees that nothing has changed.
///
/// # Errors
/// If it can't be written.
pub fn write_changed(file: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(file).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(parent) = file.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(file, content).with_context(|| file.display().to_string())
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from)?);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::copy(&file, &target).with_context(|| format!("copying {}", file.display()))?;
    }
    Ok(())
}
