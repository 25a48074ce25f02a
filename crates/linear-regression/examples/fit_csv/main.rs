//! Least squares on a CSV file: a report as statistics programs print it, and four plots of the residuals.
//!
//! ```text
//! cargo run --release -p gradus-linear-regression --example fit_csv -- --demo --plots out/
//! cargo run --release -p gradus-linear-regression --example fit_csv -- data.csv --target y
//! ```
//!
//! `--weights` are variance weights, as in statsmodels' WLS: a row's variance is proportional to 1/weight, the degrees of
//! freedom are rows minus parameters. Frequency weights, where 3 stands for three equal rows, give the same coefficients, but
//! Σ weights minus parameters degrees of freedom: for those, repeat the rows.

mod data;
mod diagnostics;
mod options;
mod plots;
mod report;
mod run;

use clap::Parser;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run::run(&options::Options::parse()) {
        Ok(report) => match std::io::stdout().write_all(report.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            // Whoever reads has read enough.
            Err(e) if e.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(e) => failed(&e.into()),
        },
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    eprintln!("fit_csv: {error:#}");
    ExitCode::FAILURE
}
