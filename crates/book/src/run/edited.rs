//! A crate with other code in it, compiled and asked which of its properties still hold.
//!
//! Only that crate is compiled, against all others as they are, and so that the next time only what differs is compiled again. What is checked are
//! the crate's own properties.

use super::limits::{Ended, Limits, limited};
use super::toolchain::{Toolchain, artifacts, externs};
use crate::project::{files, write_changed};
use anyhow::{Context, Result};
use semver::VersionReq;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use tokio::sync::Mutex;

/// How an edited crate is compiled and checked.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The compiler's level of optimisation.
    pub optimised: u8,
    /// How long the properties are run, in seconds, one time after the other until one fails: less than the limit, so that the program tells what it
    /// has found.
    pub seconds: &'static [f64],
}

impl Effort {
    /// For a reader, who comes back with another change: the first compilation takes longer, and many cases are run.
    pub const READER: Self = Self { optimised: 1, seconds: &[6.0] };
    /// For many slips, most of which are noticed at once.
    pub const SLIPS: Self = Self { optimised: 0, seconds: &[0.0, 0.2, 4.0] };
    /// For their crates without any.
    pub const NONE: Self = Self { optimised: 0, seconds: &[0.1] };
}

/// A crate is edited by one at a time: each has one folder.
static COMPILING: std::sync::Mutex<BTreeMap<PathBuf, Arc<Mutex<()>>>> =
    std::sync::Mutex::new(BTreeMap::new());

/// The program that checks a formula's properties: its arguments are the formula, the number of a slip, and for how many seconds,
/// one time after the other until one fails.
fn program(krate: &str) -> String {
    format!(
        "fn main() {{\n\
             let mut arguments = std::env::args().skip(1);\n\
             let formula = arguments.next().unwrap_or_default();\n\
             gradus_formula::slip(arguments.next().and_then(|n| n.parse().ok()).unwrap_or(0));\n\
             let mut properties = {krate}::properties();\n\
             properties.retain(|p| p.formulas.contains(&formula.as_str()));\n\
             std::panic::set_hook(Box::new(|_| {{}}));\n\
             let mut verdicts = gradus_formula::verify_within(&[], std::time::Duration::ZERO);\n\
             for seconds in arguments.filter_map(|s| s.parse().ok()) {{\n\
                 verdicts = gradus_formula::verify_within(&properties, std::time::Duration::from_secs_f64(seconds));\n\
                 if !verdicts.passed() {{ break; }}\n\
             }}\n\
             print!(\"{{verdicts}}\");\n\
             std::process::exit(if verdicts.passed() {{ 0 }} else {{ 1 }})\n\
         }}\n"
    )
}

impl Toolchain {
    /// Compiles a crate (`gradus_cnn`) in which these files are other ones, into a program that checks it, in `folder`. The answer of the compiler
    /// says whether it did.
    ///
    /// # Errors
    /// If there is no such crate, or the machine fails.
    pub async fn compile_edited(
        &self,
        krate: &str,
        edited: &BTreeMap<PathBuf, String>,
        effort: Effort,
        folder: &Path,
        limits: &Limits,
    ) -> Result<Ended> {
        let (project, kept) = self.kept.as_ref().context("the crates have not been compiled")?;
        let package = krate.replace('_', "-");
        let mut wanted = project.crates_of(&package)?;
        wanted.insert(krate.to_owned(), VersionReq::STAR);
        let mut found = artifacts(&self.messages, &wanted);
        let (features, _) =
            found.remove(krate).with_context(|| format!("cargo did not say where {krate} is"))?;
        let dependencies: BTreeMap<_, _> = found.into_iter().map(|(name, (_, file))| (name, file)).collect();

        let source = kept.join(&package);
        let lock = COMPILING
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(source.clone())
            .or_default()
            .clone();
        let _one = lock.lock().await;
        mirror(&project.krate(krate), &source, edited)?;
        let library = folder.join(format!("lib{krate}.rlib"));
        let mut arguments: Vec<OsString> =
            ["--edition=2024", "--crate-type=rlib", "--emit=link", "--crate-name"].map(OsString::from).into();
        arguments.extend(
            [krate, "src/lib.rs", "-Cdebuginfo=0", "--cap-lints=allow", "--color=never"].map(OsString::from),
        );
        arguments.push(format!("-Copt-level={}", effort.optimised).into());
        arguments.extend(features.iter().flat_map(|f| ["--cfg".into(), format!("feature=\"{f}\"").into()]));
        arguments.extend(externs(&dependencies));
        arguments.extend([
            format!("-Cincremental=incremental-{}", effort.optimised).into(),
            "-o".into(),
            library.clone().into_os_string(),
        ]);
        let mut environment = self.environment(folder);
        // What the crates ask cargo for while they are compiled.
        environment.extend([
            ("CARGO_CRATE_NAME", krate.into()),
            ("CARGO_PKG_NAME", package.into()),
            ("CARGO_PKG_VERSION", env!("CARGO_PKG_VERSION").into()),
            ("CARGO_MANIFEST_DIR", source.clone().into_os_string()),
        ]);
        let ended = limited(&source, &self.rustc, &arguments, &environment, limits).await?;
        if !ended.success {
            return Ok(ended);
        }
        std::fs::write(folder.join("check.rs"), program(krate)).context("writing the program")?;
        let mut crates = BTreeMap::from([(krate.to_owned(), library)]);
        let formula =
            self.crates.get("gradus_formula").context("cargo did not say where gradus_formula is")?;
        crates.insert("gradus_formula".into(), formula.clone());
        let mut arguments: Vec<OsString> =
            ["--edition=2024", "check.rs", "-Cdebuginfo=0", "-o", "check"].map(OsString::from).into();
        arguments.extend(externs(&crates));
        arguments.extend(externs(&dependencies));
        limited(folder, &self.rustc, &arguments, &self.environment(folder), limits).await
    }

    /// Checks a formula's properties, with a slip switched on that was compiled in (0 is none).
    ///
    /// # Errors
    /// If the program can't be started.
    pub async fn check_edited(
        &self,
        formula: &str,
        slip: u32,
        effort: Effort,
        folder: &Path,
        limits: &Limits,
    ) -> Result<Ended> {
        let environment =
            [("HOME", folder.into()), ("TMPDIR", folder.into()), ("RUST_BACKTRACE", "0".into())];
        let mut arguments = vec![formula.into(), slip.to_string().into()];
        arguments.extend(effort.seconds.iter().map(|seconds| seconds.to_string().into()));
        limited(folder, &folder.join("check"), &arguments, &environment, limits).await
    }
}

/// Makes a folder the image of a crate's, with some files edited; what is there already and no other is not written again.
fn mirror(krate: &Path, image: &Path, edited: &BTreeMap<PathBuf, String>) -> Result<()> {
    for file in files(&krate.join("src")).into_iter().chain([krate.join("README.md")]) {
        let text = match edited.get(&file) {
            Some(text) => text.clone().into_bytes(),
            None => std::fs::read(&file).with_context(|| file.display().to_string())?,
        };
        write_changed(&image.join(file.strip_prefix(krate)?), &text)?;
    }
    Ok(())
}
