//! The command line.

use clap::{Parser, ValueEnum};
use gradus_linear_regression::Method;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  fit_csv --demo --plots out/
      the embedded diabetes data: a report, and four plots in out/
  fit_csv data.csv --target y
      y on all other columns, with an intercept
  fit_csv data.csv --target y --columns a,b --weights w --delimiter ';'
      y on a and b, each row weighted by w, from a file with semicolons
  fit_csv data.csv --no-header --target column_3 --method svd
      columns without names are column_1, column_2, ...

Weights say how precise a row is: its variance is proportional to 1/weight (analytic or variance weights, as in
statsmodels' WLS and R's lm). The degrees of freedom are rows minus parameters, whatever the weights; to multiply
all weights by a constant changes no coefficient, standard error or p-value. Frequency weights, where a row of
weight 3 stands for three equal rows, give the same coefficients and R-squared, but count sum(weights) minus
parameters degrees of freedom, so smaller standard errors: to get those, write each row as often as it
counts. Rows of weight 0 are left out and counted as left out.

A header's names title the axes of the plots: write units into them (height_cm, or \"height (cm)\").

Exit code: 0; 1 for data or options that can't be fitted; 2 for a command line that can't be read.";

/// Least squares on a CSV file: a report as statsmodels prints it, and plots of the residuals.
#[derive(Parser, Debug)]
#[command(name = "fit_csv", after_help = EXAMPLES)]
pub(crate) struct Options {
    /// The CSV file, UTF-8; - is the standard input
    #[arg(required_unless_present = "demo")]
    pub(crate) file: Option<PathBuf>,

    /// Fit the embedded diabetes data (442 patients, ten columns) instead of a file
    #[arg(long, conflicts_with_all = ["file", "delimiter", "no_header"])]
    pub(crate) demo: bool,

    /// The column to explain; with --demo it is progression
    #[arg(long, value_name = "NAME", required_unless_present = "demo")]
    pub(crate) target: Option<String>,

    /// The columns to explain it by [default: all but the target and the weights]
    #[arg(long, value_name = "A,B,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,

    /// A column of weights, finite and at least 0: 1/weight is proportional to the row's variance (see below)
    #[arg(long, value_name = "NAME")]
    pub(crate) weights: Option<String>,

    /// Fit without an intercept; R-squared is then about 0 instead of the mean
    #[arg(long)]
    pub(crate) no_intercept: bool,

    /// How to solve
    #[arg(long, value_enum, default_value = "auto")]
    pub(crate) method: Solver,

    /// Add this times the coefficients' squares to the sum of squares; standard errors are then not given
    #[arg(long, value_name = "LAMBDA", default_value_t = 0.0, allow_negative_numbers = true)]
    pub(crate) ridge: f64,

    /// How sure the intervals of the coefficients are
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95, allow_negative_numbers = true)]
    pub(crate) confidence: f64,

    /// What stands between two cells: one ASCII character, or the word tab
    #[arg(long, value_name = "CHAR", default_value = ",", value_parser = delimiter)]
    pub(crate) delimiter: char,

    /// The first row is data; the columns are column_1, column_2, ...
    #[arg(long)]
    pub(crate) no_header: bool,

    /// Leave out rows that miss a value (an empty cell, NA) in a column that is used, instead of refusing them
    #[arg(long)]
    pub(crate) drop_missing: bool,

    /// Write residuals.svg, qq.svg, scale_location.svg and leverage.svg into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(crate) plots: Option<PathBuf>,
}

/// How to solve, as the command line spells it.
#[derive(ValueEnum, Debug, Clone, Copy)]
pub(crate) enum Solver {
    /// QR where the columns are independent, else SVD
    Auto,
    /// X'X and Cholesky: the fastest, and the condition number squared
    Normal,
    /// Householder QR with iterative refinement
    Qr,
    /// Singular values: the smallest solution, whatever the rank
    Svd,
    /// QR in double-double arithmetic
    Precise,
}

impl From<Solver> for Method {
    fn from(solver: Solver) -> Self {
        match solver {
            Solver::Auto => Method::Auto,
            Solver::Normal => Method::NormalEquations,
            Solver::Qr => Method::Qr,
            Solver::Svd => Method::Svd,
            Solver::Precise => Method::Precise,
        }
    }
}

fn delimiter(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        (_, Some(c), None) => Ok(c),
        _ => Err("one character, or the word tab".to_string()),
    }
}
