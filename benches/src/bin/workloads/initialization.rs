//! W12: random numbers for weights.

use crate::timing::Bench;

pub(crate) fn run(_: &Bench) -> crate::Result {
    Ok(())
}
