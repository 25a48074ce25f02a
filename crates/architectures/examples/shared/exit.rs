//! How a program ends.

use std::fmt::Display;
use std::process::ExitCode;

/// Says what was wrong, if something was.
pub(super) fn exit<E: Display>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
