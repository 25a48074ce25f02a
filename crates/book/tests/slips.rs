//! Every slip of the book compiles, and is noticed: a property of its formula fails that holds without it. A test for each.
#![cfg(unix)]
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gradus_book::catalog::Catalog;
use gradus_book::project::Project;
use gradus_book::run::{Ended, Limits, Toolchain};
use gradus_book::slips::Slips;
use libtest_mimic::{Arguments, Failed, Trial};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, OnceLock};
use tempfile::TempDir;

static TOOLCHAIN: LazyLock<Toolchain> =
    LazyLock::new(|| Toolchain::prepare(&Project::here()).expect("the crates compile"));
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new().expect("the formulas are sound"));
static SLIPS: LazyLock<Slips> =
    LazyLock::new(|| Slips::read(&Project::here()).expect("the slips can be read"));

/// The compiler has more time than a reader would wait: the machine may be at other work.
const COMPILING: Limits = Limits { wall: std::time::Duration::from_secs(300), cpu: 300, ..Limits::COMPILING };
const CHECKING: Limits = Limits { wall: std::time::Duration::from_secs(60), cpu: 60, ..Limits::RUNNING };

/// A crate with all slips compiled in, once it was needed.
type Compiled = Arc<OnceLock<Result<TempDir, String>>>;

fn compile(krate: &str) -> Result<TempDir, String> {
    let make = || {
        let files = SLIPS.compiled_in(&Project::here(), &CATALOG, krate)?;
        let folder = tempfile::tempdir()?;
        let ended = block_on(TOOLCHAIN.compile_edited(krate, &files, folder.path(), &COMPILING))?;
        anyhow::ensure!(ended.success, "{krate} with its slips: {}", ended.shown(&COMPILING));
        Ok(folder)
    };
    make().map_err(|error: anyhow::Error| format!("{error:#}"))
}

fn check(formula: &str, slip: u32, folder: &Path) -> Result<Ended, Failed> {
    Ok(block_on(TOOLCHAIN.check_edited(formula, slip, folder, &CHECKING))?)
}

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(2));
    let mut crates: BTreeMap<&str, Compiled> = BTreeMap::new();
    let mut trials = Vec::new();
    for id in SLIPS.formulas() {
        let krate = CATALOG.formula(id).expect("a slip is one of a formula").item.krate;
        let compiled = crates.entry(krate).or_default();
        // Number 0 is none of them.
        let numbers = SLIPS.of(id).iter().map(|slip| (slip.number, slip.title.as_str()));
        for (number, title) in [(0, "as it is")].into_iter().chain(numbers) {
            let compiled = compiled.clone();
            trials.push(Trial::test(format!("{id}: {title}"), move || {
                let folder = compiled.get_or_init(|| compile(krate)).as_ref()?;
                let ended = check(id, number, folder.path())?;
                let shown = ended.shown(&CHECKING);
                match (number, ended.code, shown.contains('✗')) {
                    (0, Some(0), false) | (1.., Some(1), true) => Ok(()),
                    (0, ..) => Err(format!("it holds without a slip no more:\n{shown}").into()),
                    _ => Err(format!("no property notices it:\n{shown}").into()),
                }
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
