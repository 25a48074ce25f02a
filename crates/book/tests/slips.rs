//! Every slip of the book compiles, and is noticed: a property of its formula fails that holds without it. A test for each.
#![cfg(unix)]
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gradus_book::catalog::Catalog;
use gradus_book::project::Project;
use gradus_book::run::Toolchain;
use gradus_book::slips::{Compiled, Slips};
use libtest_mimic::{Arguments, Trial};
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, LazyLock, OnceLock};

static TOOLCHAIN: LazyLock<Toolchain> =
    LazyLock::new(|| Toolchain::prepare(&Project::here()).expect("the crates compile"));
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::new().expect("the formulas are sound"));
static SLIPS: LazyLock<Slips> =
    LazyLock::new(|| Slips::read(&Project::here()).expect("the slips can be read"));

fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> Result<T, String> {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work);
    run().map_err(|error| format!("{error:#}"))
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each program uses all processors.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(2));
    let mut crates: BTreeMap<&str, Arc<OnceLock<Result<Compiled, String>>>> = BTreeMap::new();
    let mut trials = Vec::new();
    for id in SLIPS.formulas() {
        let krate = CATALOG.formula(id).expect("a slip is one of a formula").item.krate;
        let compiled = crates.entry(krate).or_default();
        for slip in [None].into_iter().chain(SLIPS.of(id).iter().map(Some)) {
            let compiled = compiled.clone();
            let title = slip.map_or("as it is", |slip| slip.title.as_str());
            trials.push(Trial::test(format!("{id}: {title}"), move || {
                let compile =
                    || block_on(Compiled::new(&TOOLCHAIN, &SLIPS, &Project::here(), &CATALOG, krate));
                let compiled = compiled.get_or_init(compile).as_ref()?;
                block_on(compiled.check(&TOOLCHAIN, id, slip))?;
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
