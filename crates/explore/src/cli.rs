//! What the command line accepts.

use clap::{Args, Parser, Subcommand};
use gradus_explore::{NamedRange, parse_range};
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  cargo explore list                                  every formula, with its properties
  cargo explore show sigmoid.symmetry                 one property in full
  cargo explore run sigmoid                           all properties of a formula
  cargo explore run 'softmax.*' --cases 10000 --seed 7
  cargo explore run sigmoid.range --range x=-1e3..1e3 --plot
  cargo explore run --replay sigmoid.symmetry:17      one case alone
  cargo explore run --all --observations run.jsonl    every case, for Tyche";

/// The property explorer: lists, runs, replays and plots what checks the formulas of the book.
#[derive(Debug, Parser)]
#[command(name = "cargo explore", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists formulas with their properties and refutations.
    List(List),
    /// Shows a property: statement, formula, draws, tolerance, commands.
    Show(Show),
    /// Runs properties, or repeats single cases of them.
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only what matches: the id of a formula, a property or a crate, or a glob over those.
    pub(crate) pattern: Option<String>,
    /// One JSON object: {"formulas": […]}.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The id of a property, or of a formula for all of its properties; globs work too.
    #[arg(required = true)]
    pub(crate) property: Vec<String>,
}

/// Runs properties, or repeats single cases of them.
///
/// Exits with 0 if every property passed and every misprint was refuted, with 1 if not, and with 2 if it could not
/// be done as asked.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    /// Ids of properties, formulas or crates, or globs over those: sigmoid.symmetry, sigmoid, 'softmax.*'.
    #[arg(required_unless_present_any = ["all", "replay"])]
    pub(crate) pattern: Vec<String>,
    /// Every property of the workspace.
    #[arg(long, conflicts_with = "pattern")]
    pub(crate) all: bool,
    /// Repeats one case and shows its inputs, labels and residual; may be given several times.
    #[arg(long, value_name = "PROPERTY:CASE", conflicts_with_all = ["pattern", "all", "cases", "plot", "path", "quiet"])]
    pub(crate) replay: Vec<String>,
    /// How many cases each property draws [default: PROPTEST_CASES, or 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) cases: Option<u64>,
    /// The seed of the draws [default: PROPTEST_RNG_SEED, or 0].
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Another range for every draw of this name, both ends included: x=-50..50, t=1e-3..1e3, n=4.
    #[arg(long, value_name = "NAME=LOW..HIGH", value_parser = parse_range, allow_hyphen_values = true)]
    pub(crate) range: Vec<NamedRange>,
    /// One line of JSON for each property, and nothing else.
    #[arg(long, conflicts_with_all = ["plot", "path", "quiet"])]
    pub(crate) json: bool,
    /// Writes every case to FILE as JSON lines in Hypothesis' observation schema (Tyche opens it).
    #[arg(long, value_name = "FILE")]
    pub(crate) observations: Option<PathBuf>,
    /// Draws histograms of every draw and of the headroom.
    #[arg(long)]
    pub(crate) plot: bool,
    /// Shows every step of the way to a minimal counterexample.
    #[arg(long)]
    pub(crate) path: bool,
    /// Shows only what went wrong, and the summary.
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }
}
