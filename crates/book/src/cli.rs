//! The command line of `cargo book`.

use crate::build::{self, build, ensure_ours};
use crate::catalog::Catalog;
use crate::project::{Project, files};
use crate::recorded::{Recorded, listings};
use crate::run::{Runner, Stage, Toolchain};
use crate::slips::{Compiled, Slips};
use crate::{answers, check, exercises, preprocess, serve};
use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Parser, Subcommand};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

/// Builds, checks and serves the book.
///
/// Without a command it serves: it builds the book, opens it in your browser, and builds again whenever a
/// chapter or a crate changes.
#[derive(Debug, Parser)]
#[command(name = "cargo book", bin_name = "cargo book", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build the book and serve it on this machine, with the run button and live reload
    Serve(Serve),
    /// Build the book as a static site
    Build(Build),
    /// Build the book into a temporary folder and check every page of it
    ///
    /// Faults are: a broken link or anchor, an id that is there twice, a request to another machine, a formula without
    /// its block, a chapter that is not in the book, a property that does not hold, a misprint that is not refuted.
    Check,
    /// Check exercises: what they begin with must fail, and their solution hold
    Exercise {
        /// Their names, those of the files in book/exercises [default: all]
        names: Vec<String>,
    },
    /// Keep what the chapters' listings print, for copies of the book that can't run them
    Record {
        /// Chapters, the names of the files in book/src [default: all]
        chapters: Vec<String>,
        /// Run what is recorded already, too: a crate may have changed what a listing prints
        #[arg(long)]
        again: bool,
    },
    /// Check slips: each must compile, and a property of its formula must notice it
    Slip {
        /// Formulas, the names of the files in book/slips [default: all]
        formulas: Vec<String>,
    },
    /// mdBook's preprocessor protocol: context and book as JSON in, the book as JSON out
    Preprocess {
        /// `supports RENDERER`: only say, by the exit status, whether that renderer can be written for
        #[arg(num_args = 0..=2, value_names = ["supports", "RENDERER"])]
        question: Vec<String>,
    },
    /// Answer pages' questions: JSON in, an answer a line as JSON out; for the server's own use
    #[command(hide = true)]
    Answer,
    /// Say, by the exit status, whether mdBook's renderer can be written for
    Supports {
        /// The renderer: html
        renderer: String,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// The port [default: 3000, or the next that is free]
    #[arg(long)]
    port: Option<u16>,
    /// Do not open a browser
    #[arg(long)]
    no_open: bool,
    /// Turn the run button off: no code is run from the page
    #[arg(long)]
    no_run: bool,
}

#[derive(Debug, Args)]
struct Build {
    /// The folder to build into [default: book/out]; what a former build left there is deleted
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A folder of rustdoc pages (target/doc) to take along and link the formulas' items to
    #[arg(long, value_name = "DIR")]
    api: Option<PathBuf>,
    /// Make figures and properties alive without a server: a WebAssembly module for each chapter (rustup target add wasm32-wasip1)
    #[arg(long)]
    wasm: bool,
    /// For the server's own use: pages reload themselves
    #[arg(long, hide = true)]
    live: bool,
}

/// Reads the command line and does what it says.
///
/// # Errors
/// With everything that is wrong with the book.
pub fn main() -> Result<()> {
    let cli = Cli::parse();
    let project = Project::here();
    match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(Serve { port, no_open, no_run }) => {
            serve::serve(&project, &serve::Options { port, open: !no_open, run: !no_run })
        }
        Command::Build(options) => build_static(&project, options),
        Command::Check => check_book(&project),
        Command::Exercise { names } => check_exercises(&project, names),
        Command::Record { chapters, again } => record(&project, chapters, again),
        Command::Slip { formulas } => check_slips(&project, &formulas),
        Command::Preprocess { question } => match question.iter().map(String::as_str).collect::<Vec<_>>()[..]
        {
            [] => preprocess::protocol(std::io::stdin().lock(), std::io::stdout().lock()),
            ["supports", renderer] => supports(renderer),
            _ => bail!("preprocess takes nothing, or `supports RENDERER`"),
        },
        Command::Answer => {
            for question in serde_json::Deserializer::from_reader(std::io::stdin().lock()).into_iter() {
                let reply = answers::reply(question.context("reading a question")?);
                println!("{}", serde_json::to_string(&reply)?);
            }
            Ok(())
        }
        Command::Supports { renderer } => supports(&renderer),
    }
}

fn supports(renderer: &str) -> Result<()> {
    if preprocess::supports(renderer) {
        Ok(())
    } else {
        bail!("the book is written for html, not for {renderer}")
    }
}

fn build_static(project: &Project, options: Build) -> Result<()> {
    let started = Instant::now();
    let out = options.out.unwrap_or_else(|| project.book().join("out"));
    std::fs::create_dir_all(&out).with_context(|| out.display().to_string())?;
    let out = out.canonicalize().with_context(|| out.display().to_string())?;
    ensure_ours(&out)?;
    let api =
        options.api.map(|api| api.canonicalize().with_context(|| api.display().to_string())).transpose()?;
    let catalog = Arc::new(Catalog::new()?);
    build(
        project,
        &catalog,
        &build::Options { out: out.clone(), live: options.live, api, modules: options.wasm },
    )?;
    println!("Built {} in {:.1} s.", out.display(), started.elapsed().as_secs_f64());
    Ok(())
}

fn check_book(project: &Project) -> Result<()> {
    let started = Instant::now();
    let folder = tempfile::Builder::new().prefix("gradus-check-").tempdir()?;
    let catalog = Arc::new(Catalog::new()?);
    build(project, &catalog, &build::Options { out: folder.path().into(), ..Default::default() })?;
    let mut findings = check::pages(folder.path())?;
    findings.faults.extend(check::formulas(folder.path(), &catalog)?);
    if !findings.faults.is_empty() {
        bail!("the book has {} fault(s):\n{}", findings.faults.len(), findings.faults.join("\n"));
    }
    println!(
        "The book is sound: {} pages, {} links, {} formulas, {} properties, checked in {:.1} s.",
        findings.pages,
        findings.links,
        catalog.formulas().len(),
        catalog.all_properties().len(),
        started.elapsed().as_secs_f64()
    );
    Ok(())
}

fn check_exercises(project: &Project, names: Vec<String>) -> Result<()> {
    let names = if names.is_empty() { exercises::ids(project) } else { names };
    let exercises = names.iter().map(|name| exercises::read(project, name)).collect::<Result<Vec<_>>>()?;
    let runner = Runner::new(Stage::Ready(Arc::new(Toolchain::prepare(project)?)));
    let runtime = tokio::runtime::Runtime::new()?;
    let mut unsound = 0;
    for exercise in &exercises {
        let trial = runtime.block_on(exercises::trial(&runner, exercise))?;
        println!("{}: what it begins with\n{}", exercise.id, trial.before.result);
        println!("{}: its solution\n{}", exercise.id, trial.after.result);
        unsound += usize::from(!trial.sound());
        if !trial.sound() {
            println!("{}: NOT SOUND: the start must compile and fail, the solution hold\n", exercise.id);
        }
    }
    ensure!(unsound == 0, "{unsound} of {} exercises are not sound", exercises.len());
    println!("{} exercises are sound.", exercises.len());
    Ok(())
}

fn check_slips(project: &Project, wanted: &[String]) -> Result<()> {
    let (slips, catalog) = (Slips::read(project)?, Catalog::new()?);
    for formula in wanted {
        ensure!(!slips.of(formula).is_empty(), "there is no file book/slips/{formula}.md");
    }
    let toolchain = Toolchain::prepare(project)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut crates: BTreeMap<&str, Compiled> = BTreeMap::new();
    let (mut checked, mut unsound) = (0, 0);
    for id in slips.formulas().filter(|id| wanted.is_empty() || wanted.iter().any(|w| w == id)) {
        let krate = catalog.formula(id)?.item.krate;
        if !crates.contains_key(krate) {
            let compiled = Compiled::new(&toolchain, &slips, project, &catalog, krate);
            crates.insert(krate, runtime.block_on(compiled)?);
        }
        for slip in [None].into_iter().chain(slips.of(id).iter().map(Some)) {
            let title = slip.map_or("as it is", |slip| slip.title.as_str());
            checked += 1;
            match runtime.block_on(crates[krate].check(&toolchain, id, slip)) {
                Ok(shown) => println!("{id}: {title}\n{shown}"),
                Err(error) => {
                    unsound += 1;
                    println!("{id}: {title}: NOT SOUND: {error:#}");
                }
            }
        }
    }
    ensure!(unsound == 0, "{unsound} of {checked} are not sound");
    println!("{checked} are sound.");
    Ok(())
}

fn record(project: &Project, chapters: Vec<String>, again: bool) -> Result<()> {
    let source = project.book().join("src");
    let chapters = if chapters.is_empty() {
        let files = files(&source).into_iter().filter(|f| f.extension().is_some_and(|e| e == "md"));
        files.filter_map(|f| Some(f.file_stem()?.to_str()?.to_owned())).collect()
    } else {
        chapters
    };
    let runner = Runner::new(Stage::Ready(Arc::new(Toolchain::prepare(project)?)));
    let runtime = tokio::runtime::Runtime::new()?;
    let mut faults = Vec::new();
    for chapter in &chapters {
        let file = source.join(format!("{chapter}.md"));
        let text = std::fs::read_to_string(&file).with_context(|| project.show(&file))?;
        let all = listings(&text).len();
        let mut tell = |done: usize| {
            print!("\r{chapter}: {done} of {all} ");
            // A terminal that is gone is no reason to stop.
            let _ = std::io::stdout().flush();
        };
        match runtime.block_on(Recorded::record(&runner, project, chapter, &text, again, &mut tell)) {
            Ok(()) if all > 0 => println!(),
            Ok(()) => {}
            Err(error) => faults.push(format!("{error:#}")),
        }
    }
    ensure!(faults.is_empty(), "{} listing(s) can't be recorded:\n{}", faults.len(), faults.join("\n"));
    Ok(())
}
