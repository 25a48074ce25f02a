//! The run button's other end: compiles a snippet against the reader's own checkout and runs it, under limits.
//!
//! The code runs as the reader, like `cargo test` does; the limits keep a slip (an endless loop, an endless
//! print, a huge allocation) from taking the machine along. They are no sandbox against hostile code: that is
//! kept out by the server, which answers nobody but the book's own pages on this machine.

mod edited;
mod limits;
mod toolchain;
mod wrap;

pub use edited::Effort;
pub use limits::{Ended, Limits, Stop, limited};
pub use toolchain::{Toolchain, libraries};
pub use wrap::{Wrapped, wrap};

use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// How many snippets may be under way at once.
pub const SLOTS: usize = 2;

/// Whether the button can be used.
#[derive(Debug, Clone)]
pub enum Stage {
    /// It was turned off, or can't work here.
    Off(String),
    /// The crates are being compiled.
    Preparing,
    /// It works.
    Ready(Arc<Toolchain>),
    /// The crates did not compile.
    Failed(String),
}

/// Runs snippets, a few at a time.
pub struct Runner {
    stage: RwLock<Stage>,
    slots: Semaphore,
    compiling: Limits,
    running: Limits,
}

/// What the page shows.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// What the compiler or the program printed.
    pub result: String,
    /// `compile` or `run`, where one of them failed.
    pub error: Option<&'static str>,
}

/// Why a snippet was not even tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// All slots are taken.
    Busy,
    /// Not yet, or not at all.
    NotReady(String),
}

impl Runner {
    /// A runner in some stage, with the usual limits.
    pub fn new(stage: Stage) -> Self {
        Self::with_limits(stage, Limits::COMPILING, Limits::RUNNING)
    }

    /// A runner with limits of one's own.
    pub fn with_limits(stage: Stage, compiling: Limits, running: Limits) -> Self {
        Self { stage: RwLock::new(stage), slots: Semaphore::new(SLOTS), compiling, running }
    }

    /// The stage it is in.
    pub fn stage(&self) -> Stage {
        self.stage.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Moves to another stage.
    pub fn set(&self, stage: Stage) {
        *self.stage.write().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// Compiles and runs a snippet, if there is a slot.
    ///
    /// # Errors
    /// If the machine fails (no folder, no compiler); what is wrong with the snippet is in the answer.
    pub async fn run(&self, code: &str) -> Result<Result<Answer, Refusal>> {
        self.in_a_slot(async |toolchain, folder| self.compile_and_run(toolchain, folder, code).await).await
    }

    /// Compiles a crate in which some files are other ones, and checks a formula's properties, if there is a slot.
    ///
    /// # Errors
    /// If the machine fails; what is wrong with the code is in the answer.
    pub async fn edited(
        &self,
        krate: &str,
        files: &BTreeMap<PathBuf, String>,
        formula: &str,
    ) -> Result<Result<Answer, Refusal>> {
        self.in_a_slot(async |toolchain, folder| {
            let ended =
                toolchain.compile_edited(krate, files, Effort::READER, folder, &self.compiling).await?;
            if !ended.success {
                return Ok(Answer { result: ended.shown(&self.compiling), error: Some("compile") });
            }
            let ran = toolchain.check_edited(formula, 0, Effort::READER, folder, &self.running).await?;
            Ok(Answer { result: ran.shown(&self.running), error: (!ran.success).then_some("run") })
        })
        .await
    }

    async fn in_a_slot(
        &self,
        work: impl AsyncFnOnce(&Toolchain, &Path) -> Result<Answer>,
    ) -> Result<Result<Answer, Refusal>> {
        let toolchain = match self.stage() {
            Stage::Ready(toolchain) => toolchain,
            Stage::Preparing => {
                return Ok(Err(Refusal::NotReady("the crates are still being compiled".into())));
            }
            Stage::Off(why) | Stage::Failed(why) => return Ok(Err(Refusal::NotReady(why))),
        };
        let Ok(_slot) = self.slots.try_acquire() else { return Ok(Err(Refusal::Busy)) };
        let folder =
            tempfile::Builder::new().prefix("gradus-run-").tempdir().context("a folder for the run")?;
        work(&toolchain, folder.path()).await.map(Ok)
    }

    async fn compile_and_run(&self, toolchain: &Toolchain, folder: &Path, code: &str) -> Result<Answer> {
        let wrapped = wrap(code);
        std::fs::write(folder.join("snippet.rs"), &wrapped.code).context("writing the snippet")?;
        let arguments = toolchain.arguments(wrapped.tests);
        let environment = toolchain.environment(folder);
        let ended = limited(folder, &toolchain.rustc, &arguments, &environment, &self.compiling).await?;
        if !ended.success {
            return Ok(Answer { result: ended.shown(&self.compiling), error: Some("compile") });
        }
        let arguments = if wrapped.tests { vec!["--test-threads=1".into()] } else { Vec::new() };
        let environment = [
            ("HOME", folder.into()),
            ("TMPDIR", folder.into()),
            ("RUST_BACKTRACE", "0".into()),
            ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "1".into()),
        ];
        let program = folder.join("snippet");
        let ran = limited(folder, &program, &arguments, &environment, &self.running).await?;
        // Warnings of the compiler stand above what the program says, as in a terminal.
        let mut result = format!("{}{}", ended.output, ran.shown(&self.running));
        // Many listings only assert: that nothing came is news, and the page would call it "No output".
        if ran.success && result.trim().is_empty() {
            result = "It ran to its end and printed nothing: every assertion holds.\n".into();
        }
        Ok(Answer { result, error: (!ran.success).then_some("run") })
    }
}
