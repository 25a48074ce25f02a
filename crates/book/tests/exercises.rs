//! Every exercise fails before and holds after its solution, by the way that the page's button takes. A test for each.
#![cfg(unix)]
// A helper that panics fails the test that called it, which is what a test is for.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use gradus_book::exercises;
use gradus_book::project::Project;
use gradus_book::run::{Runner, Stage, Toolchain};
use libtest_mimic::{Arguments, Trial};
use std::process::ExitCode;
use std::sync::{Arc, LazyLock};

static RUNNER: LazyLock<Runner> = LazyLock::new(|| {
    Runner::new(Stage::Ready(Arc::new(Toolchain::prepare(&Project::here()).expect("the crates compile"))))
});

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // The runner has two slots.
    arguments.test_threads = Some(arguments.test_threads.unwrap_or(2).min(2));
    let trials = exercises::ids(&Project::here()).into_iter().map(|id| {
        Trial::test(id.clone(), move || {
            let exercise = exercises::read(&Project::here(), &id)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let trial = runtime.block_on(exercises::trial(&RUNNER, &exercise))?;
            if trial.sound() {
                return Ok(());
            }
            let (before, after) = (trial.before, trial.after);
            Err(format!(
                "what it begins with must compile and fail ({:?}):\n{}\nits solution must hold ({:?}):\n{}",
                before.error, before.result, after.error, after.result
            )
            .into())
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
