//! `cargo book`: see the library for the parts.

use std::process::ExitCode;

fn main() -> ExitCode {
    match gradus_book::cli::main() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
