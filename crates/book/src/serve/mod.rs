//! The book's server: pages, live reload and the run button, for this machine only.

mod guard;
mod newer;
mod site;
mod watch;

pub use site::{Site, router};

use crate::build::{self, build};
use crate::catalog::Catalog;
use crate::project::Project;
use crate::run::{Runner, Stage, Toolchain};
use anyhow::{Context, Result};
use std::io::IsTerminal;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;

/// How to serve.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The port; without one, 3000 or the next that is free.
    pub port: Option<u16>,
    /// Whether to open a browser.
    pub open: bool,
    /// Whether code may be run from the page.
    pub run: bool,
}

const FIRST_PORT: u16 = 3000;
const PORTS: u16 = 50;

/// Builds the book and serves it until it is interrupted.
///
/// # Errors
/// If the book has a fault, or no port can be had.
pub fn serve(project: &Project, options: &Options) -> Result<()> {
    let started = Instant::now();
    println!("Building the book …");
    let catalog = Arc::new(Catalog::new()?);
    let api = project.api_docs();
    let folder = watch::fresh_folder()?;
    let how =
        build::Options { out: folder.path().to_path_buf(), live: true, api: api.clone(), modules: false };
    build(project, &catalog, &how)?;
    println!("Built in {:.1} s: {} formulas.", started.elapsed().as_secs_f64(), catalog.formulas().len());
    let off = if !options.run {
        Some("the book was started with --no-run")
    } else if cfg!(not(unix)) {
        Some("running code from the page needs a Unix-like system")
    } else {
        None
    };
    let stage = off.map_or(Stage::Preparing, |why| Stage::Off(why.into()));
    let runner = Arc::new(Runner::new(stage));
    let runtime = tokio::runtime::Runtime::new().context("starting the server")?;
    runtime.block_on(async {
        let listener = listen(options.port).await?;
        let port = listener.local_addr()?.port();
        let site = Arc::new(Site::new(project.clone(), port, folder, api, runner.clone())?);
        let address = format!("http://127.0.0.1:{port}/");
        println!("The book is at {address} (Ctrl-C ends it).");
        if options.open {
            open(&address);
        }
        if off.is_none() {
            let (project, runner) = (project.clone(), runner.clone());
            std::thread::spawn(move || prepare(&project, &runner));
        }
        watch::start(project.clone(), catalog, site.clone(), off.is_none());
        let serving = axum::serve(listener, router(site.clone())).into_future();
        let ended = tokio::select! {
            ended = serving => ended.context("serving"),
            () = told_to_end() => Ok(()),
        };
        site.clear();
        ended
    })?;
    // A compilation under way in a thread must not hold the end up.
    runtime.shutdown_background();
    Ok(())
}

/// Waits for Ctrl-C, or for being told to end in another way: either way the folders of pages are then removed.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut told) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = told.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler for it, Ctrl-C ends the program by itself.
    let _ = tokio::signal::ctrl_c().await;
}

/// Compiles the crates for the run button, and tells what came of it.
fn prepare(project: &Project, runner: &Runner) {
    let started = Instant::now();
    println!("Compiling the crates for the run button, in the background …");
    match Toolchain::prepare(project) {
        Ok(toolchain) => {
            println!("The run button is ready ({:.0} s).", started.elapsed().as_secs_f64());
            runner.set(Stage::Ready(Arc::new(toolchain)));
        }
        Err(error) => {
            eprintln!("The run button is not ready: {error:#}");
            runner.set(Stage::Failed(format!("{error:#}")));
        }
    }
}

/// Binds the asked port, or the first free one; on loopback, and never anywhere else.
async fn listen(port: Option<u16>) -> Result<TcpListener> {
    if let Some(port) = port {
        return TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .with_context(|| format!("port {port} can't be had; without --port the next free one is taken"));
    }
    for port in FIRST_PORT..FIRST_PORT + PORTS {
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            if port != FIRST_PORT {
                println!("Port {FIRST_PORT} is in use: it is {port} this time.");
            }
            return Ok(listener);
        }
    }
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port can be had")
}

/// Opens the reader's browser if there seems to be one; that there is none is no error.
fn open(address: &str) {
    if !std::io::stdout().is_terminal() || std::env::var_os("CI").is_some() {
        return;
    }
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("cmd", &["/C", "start", ""])
    } else if ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].iter().any(|v| std::env::var_os(v).is_some())
    {
        ("xdg-open", &[])
    } else {
        // Without a screen, xdg-open would start a text browser in this very terminal.
        return;
    };
    let mut command = Command::new(program);
    command.args(arguments).arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Ok(mut child) = command.spawn() {
        std::thread::spawn(move || drop(child.wait()));
    }
}
