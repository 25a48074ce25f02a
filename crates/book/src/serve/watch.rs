//! Builds again when something changes, and tells the pages.
//!
//! Modification times are polled: the system's own notices also report our reading, and a build would set off
//! the next. A change in a crate changes formulas, properties and figures, which are compiled into this
//! program; so the program is compiled again, and from then on its newer self builds the pages and draws what is moved.

use super::{Site, prepare};
use crate::build::{Options, build};
use crate::catalog::Catalog;
use crate::project::{Project, files};
use crate::run::Stage;
use anyhow::{Context, Result, ensure};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const PERIOD: Duration = Duration::from_millis(400);

/// A new folder for a build.
pub(super) fn fresh_folder() -> Result<TempDir> {
    tempfile::Builder::new().prefix("gradus-book-").tempdir().context("a folder for the pages")
}

/// Watches from a thread of its own, for as long as the program runs.
pub(super) fn start(project: Project, catalog: Arc<Catalog>, site: Arc<Site>, run: bool) {
    let mut watch = Watch { project, catalog, site, run, newer: None };
    let (mut book, mut crates) = (watch.book_state(), watch.crates_state());
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(PERIOD);
            let (new_book, new_crates) = (watch.book_state(), watch.crates_state());
            if (new_book, new_crates) == (book, crates) {
                continue;
            }
            let started = Instant::now();
            let done = watch.again(new_crates != crates);
            (book, crates) = (new_book, new_crates);
            match done {
                Ok(()) => println!("Built again in {:.1} s.", started.elapsed().as_secs_f64()),
                Err(error) => eprintln!("Not built again: {error:#}"),
            }
        }
    });
}

struct Watch {
    project: Project,
    catalog: Arc<Catalog>,
    site: Arc<Site>,
    run: bool,
    /// The program compiled after a change in a crate.
    newer: Option<PathBuf>,
}

impl Watch {
    fn book_state(&self) -> u64 {
        let book = self.project.book();
        state(
            files(&book.join("src"))
                .into_iter()
                .chain(files(&book.join("exercises")))
                .chain(files(&book.join("theme")))
                .chain([book.join("book.toml")]),
        )
    }

    fn crates_state(&self) -> u64 {
        let folders = ["crates", "benches/src"].map(|f| self.project.root().join(f));
        let all = folders.iter().flat_map(|f| files(f));
        state(all.filter(|f| f.extension().is_some_and(|e| e == "rs" || e == "toml")))
    }

    fn again(&mut self, crates_changed: bool) -> Result<()> {
        if crates_changed {
            println!("A crate has changed: compiling …");
            self.newer = Some(compile(&self.project)?);
        }
        let folder = fresh_folder()?;
        match &self.newer {
            None => {
                let out = folder.path().to_path_buf();
                build(
                    &self.project,
                    &self.catalog,
                    &Options { out, live: true, api: self.site.api(), modules: false },
                )?;
            }
            Some(program) => {
                let mut command = Command::new(program);
                command.args(["build", "--live", "--out"]).arg(folder.path()).stdout(Stdio::null());
                if let Some(api) = self.site.api() {
                    command.arg("--api").arg(api);
                }
                let status = command.status().context("running the newer program")?;
                ensure!(status.success(), "the newer program could not build the book");
            }
        }
        if let Some(program) = &self.newer {
            self.site.draw_with(program.clone());
        }
        self.site.swap(folder);
        if crates_changed && self.run {
            self.site.runner().set(Stage::Preparing);
            prepare(&self.project, self.site.runner());
        }
        Ok(())
    }
}

/// Compiles this program, and says where it is.
fn compile(project: &Project) -> Result<PathBuf> {
    let output = project
        .cargo()
        .args(["build", "--bin", "gradus-book"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .context("running cargo")?;
    ensure!(output.status.success(), "the crates do not compile");
    let messages = String::from_utf8_lossy(&output.stdout);
    let values = messages.lines().filter_map(|l| serde_json::from_str::<serde_json::Value>(l).ok());
    let program = values.filter(|v| v["target"]["name"] == "gradus-book");
    program
        .filter_map(|v| v["executable"].as_str().map(PathBuf::from))
        .next_back()
        .context("cargo did not say where the program is")
}

/// A number that changes when a file comes, goes or is written.
fn state(files: impl Iterator<Item = PathBuf>) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        let metadata = file.metadata().ok();
        let seen = metadata.map(|m| (m.len(), m.modified().ok()));
        (file, seen).hash(&mut hasher);
    }
    hasher.finish()
}
