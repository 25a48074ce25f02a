//! Summarises a CSV file: for each column how many values there are and miss, least, mean and greatest, or categories.

use gradus_datasets::{CsvOptions, Error, Header, Missing, Table, Values};
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

const USAGE: &str = "usage: csv_summary [FILE [DELIMITER]]

Without FILE it summarises the iris data; FILE - is the standard input.
DELIMITER is one character, or the word tab; a comma unless given.
Empty cells and NA count as missing. The first row names the columns unless a number stands in it.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|a| a == "--help" || a == "-h") {
        return print(USAGE);
    }
    let (file, delimiter) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (None, Some(',')),
        [file] => (Some(file), Some(',')),
        [file, "tab"] => (Some(file), Some('\t')),
        [file, word] => (Some(file), word.chars().next().filter(|c| c.len_utf8() == word.len())),
        _ => (None, None),
    };
    let Some(delimiter) = delimiter else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match read(file, delimiter) {
        Ok(table) => print(summary(&table).trim_end()),
        Err(error) => {
            eprintln!("csv_summary: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(file: Option<&str>, delimiter: char) -> Result<Table, Error> {
    let options = CsvOptions::new().delimiter(delimiter).header(Header::Auto).missing(Missing::Nan);
    match file {
        None => options.read_from(include_bytes!("../data/iris.csv").as_slice(), "iris.csv"),
        Some("-") => options.read_from(std::io::stdin().lock(), "standard input"),
        Some(file) => options.read(file),
    }
}

fn summary(table: &Table) -> String {
    let mut rows =
        vec![["column", "count", "missing", "min", "mean", "max", "categories"].map(str::to_string)];
    let mut doubts = String::new();
    for column in table.columns() {
        let count = table.rows() - column.missing();
        let (mut brief, mut categories_brief) = Default::default();
        match column.values() {
            Values::Numbers(numbers) => brief = numbers_in_brief(numbers),
            Values::Text { codes, categories, not_numeric } => {
                categories_brief = categories_in_brief(codes, categories);
                if almost_numeric(codes, categories, count) {
                    doubts += &format!("\nalmost all numbers, but {not_numeric}\n");
                }
            }
        }
        let [min, mean, max] = brief;
        let (name, missing) = (one_line(column.name()), column.missing().to_string());
        rows.push([name, count.to_string(), missing, min, mean, max, categories_brief]);
    }
    let size = format!("{}: {} rows, {} columns", table.file(), table.rows(), table.columns().len());
    format!("{size}\n\n{}\n{}{doubts}", table.head(5), aligned(&rows))
}

/// Text to the left in the first and the last column, numbers to the right between them.
fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|i| rows.iter().map(|row| row[i].chars().count()).max().unwrap_or(0));
    let mut out = String::new();
    for row in rows {
        let cell = |i: usize| match i {
            0 => format!("{:<1$}", row[i], widths[i]),
            i if i == N - 1 => row[i].clone(),
            i => format!("{:>1$}", row[i], widths[i]),
        };
        let line: Vec<String> = (0..N).map(cell).collect();
        out += line.join("  ").trim_end();
        out.push('\n');
    }
    out
}

fn numbers_in_brief(numbers: &[f64]) -> [String; 3] {
    let (mut n, mut min, mut mean, mut max) = (0.0, f64::INFINITY, 0.0, f64::NEG_INFINITY);
    for &x in numbers.iter().filter(|x| !x.is_nan()) {
        n += 1.0;
        // A running mean: the sum itself could overflow.
        mean += (x / n) - (mean / n);
        (min, max) = (f64::min(min, x), f64::max(max, x));
    }
    if n == 0.0 { Default::default() } else { [min, mean, max].map(significant) }
}

/// Six significant digits, without trailing zeros; with an exponent where there would be many zeros.
fn significant(x: f64) -> String {
    let x = format!("{x:.5e}").parse::<f64>().unwrap_or(x);
    if x == 0.0 || (1e-4..1e9).contains(&x.abs()) { x.to_string() } else { format!("{x:e}") }
}

fn categories_in_brief(codes: &[Option<u32>], categories: &[String]) -> String {
    const MOST: usize = 5;
    let mut counts = vec![0_usize; categories.len()];
    for &code in codes.iter().flatten() {
        counts[code as usize] += 1;
    }
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(counts[i]));
    let named: Vec<String> =
        order.iter().take(MOST).map(|&i| format!("{} {}", one_line(&categories[i]), counts[i])).collect();
    let more = if counts.len() > MOST { ", …" } else { "" };
    format!("{}: {}{more}", counts.len(), named.join(", "))
}

/// Whether at least nine in ten cells of a text column are numbers: the others may be slips.
fn almost_numeric(codes: &[Option<u32>], categories: &[String], count: usize) -> bool {
    let number: Vec<bool> = categories.iter().map(|c| c.trim().parse::<f64>().is_ok()).collect();
    let numbers = codes.iter().flatten().filter(|&&code| number[code as usize]).count();
    10 * numbers >= 9 * count
}

fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn print(text: &str) -> ExitCode {
    match writeln!(std::io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads has read enough.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("csv_summary: {e}");
            ExitCode::FAILURE
        }
    }
}
