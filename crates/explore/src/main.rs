//! The property explorer on the command line.
#![forbid(unsafe_code)]

mod cli;
mod run;

use clap::Parser;
use cli::{Cli, Command};
use gradus_explore::render::{self, Look};
use gradus_explore::{Catalogue, Error, Result, topics};
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

/// The command could not be done as asked.
const USAGE: u8 = 2;
/// What a shell reports of a program whose reader went away: 128 + SIGPIPE.
const CLOSED: u8 = 141;

fn main() -> ExitCode {
    match execute(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Error::Io(e)) if e.kind() == ErrorKind::BrokenPipe => CLOSED.into(),
        Err(e) => {
            // Where even this can't be written, the exit code says it.
            let _ = writeln!(std::io::stderr(), "error: {e}");
            USAGE.into()
        }
    }
}

/// Does what was asked; `false` if a property failed.
fn execute(command: Command) -> Result<bool> {
    let catalogue = Catalogue::new(topics());
    let look = look();
    match command {
        Command::List(list) => {
            let listing = catalogue.list(list.pattern.as_deref())?;
            if list.json {
                let json = serde_json::to_string_pretty(&serde_json::json!({ "formulas": listing.entries }))?;
                say(&format!("{json}\n"))?;
            } else {
                say(&render::list(&catalogue, &listing, look))?;
            }
            Ok(true)
        }
        Command::Show(show) => {
            let properties = catalogue.select(&show.property)?;
            let texts: Vec<_> = properties.iter().map(|p| render::show(&catalogue, p, look)).collect();
            say(&texts.join("\n"))?;
            Ok(true)
        }
        Command::Run(arguments) if arguments.replay.is_empty() => run::run(&catalogue, &arguments, look),
        Command::Run(arguments) => run::replay(&catalogue, &arguments, look),
    }
}

/// Writes to the standard output; a reader that has gone away is an error, not a panic as with `print!`.
fn say(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// The terminal's width and whether it wants colours. Where there is none, `COLUMNS` is asked; a list that goes
/// to a file or another program is not cut.
fn look() -> Look {
    let color = console::colors_enabled();
    let columns = std::env::var("COLUMNS").ok().and_then(|c| c.parse().ok());
    let width = if std::io::stdout().is_terminal() {
        console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns))
    } else {
        columns.unwrap_or(usize::from(u16::MAX))
    };
    Look { width, color }
}
