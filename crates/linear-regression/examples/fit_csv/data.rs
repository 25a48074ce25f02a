//! From a table to what is fitted: the columns chosen, each refusal with its place in the file.

use crate::options::Options;
use anyhow::{Result, anyhow, bail, ensure};
use gradus_datasets::{CsvOptions, Header, Missing, Table, diabetes};
use gradus_tensor::Tensor;
use std::path::Path;

/// What is fitted, and where each sample stands in the file.
pub(crate) struct Sample {
    pub(crate) file: String,
    pub(crate) target: String,
    pub(crate) names: Vec<String>,
    pub(crate) x: Tensor<f64>,
    pub(crate) y: Tensor<f64>,
    pub(crate) weights: Option<Vec<f64>>,
    /// The line of each sample.
    pub(crate) lines: Vec<u64>,
    /// Rows that miss a value, and rows of weight 0.
    pub(crate) left_out: usize,
}

/// The table that the command line names.
pub(crate) fn table(options: &Options) -> Result<Table> {
    let header = if options.no_header { Header::No } else { Header::Yes };
    let csv = CsvOptions::new().header(header).delimiter(options.delimiter).missing(Missing::Nan);
    Ok(match options.file.as_deref() {
        None => csv.read_from(demo()?.as_bytes(), "diabetes.csv")?,
        Some(file) if file == Path::new("-") => csv.read_from(std::io::stdin().lock(), "standard input")?,
        Some(file) => csv.read(file)?,
    })
}

/// The embedded diabetes data as a CSV text.
pub(crate) fn demo() -> Result<String> {
    let data = diabetes()?;
    let mut text = data.feature_names.join(",") + "," + &data.target_names.join(",") + "\n";
    for (x, y) in data.features.as_slice().chunks(data.feature_names.len()).zip(data.target.as_slice()) {
        let cells: Vec<String> = x.iter().chain([y]).map(f64::to_string).collect();
        text += &(cells.join(",") + "\n");
    }
    Ok(text)
}

/// The chosen columns, without rows of weight 0.
pub(crate) fn sample(table: &Table, options: &Options) -> Result<Sample> {
    let target = options.target.as_deref().unwrap_or("progression");
    let weights = options.weights.as_deref();
    // The target first: if the delimiter is another, its name is what is not found.
    for name in [target].into_iter().chain(weights).filter(|name| !table.names().contains(name)) {
        table.column(name).map_err(|e| with_hint(e, table, options))?;
    }
    let names = predictors(table, options, target, weights)?;
    let used: Vec<&str> = names.iter().copied().chain([target]).chain(weights).collect();
    let columns: Vec<Tensor<f64>> = used
        .iter()
        .map(|name| table.column(name).map_err(|e| with_hint(e, table, options)))
        .collect::<Result<_>>()?;
    let columns: Vec<&[f64]> = columns.iter().map(Tensor::as_slice).collect();
    let place = |row: usize, name: &str| {
        let column = table.names().iter().position(|n| *n == name).map_or(0, |i| i + 1);
        format!("{}, line {}, column {column} (`{name}`)", table.file(), table.lines()[row])
    };

    let mut rows = Vec::new();
    for row in 0..table.rows() {
        if let Some(j) = columns.iter().position(|c| c[row].is_nan()) {
            ensure!(
                options.drop_missing,
                "{}: a missing value (allowed: a number; --drop-missing leaves such rows out)",
                place(row, used[j])
            );
            continue;
        }
        if let (Some(name), Some(w)) = (weights, columns.last()) {
            ensure!(w[row] >= 0.0, "{}: the weight {} (allowed: at least 0)", place(row, name), w[row]);
            if w[row] == 0.0 {
                continue;
            }
        }
        rows.push(row);
    }
    let kept = |c: &[f64]| -> Vec<f64> { rows.iter().map(|&row| c[row]).collect() };
    let parameters = names.len() + usize::from(!options.no_intercept);
    // A ridge has one solution however few rows there are.
    let least = if options.ridge > 0.0 { 1 } else { parameters + 1 };
    ensure!(
        rows.len() >= least,
        "{}: {} rows to fit {parameters} parameters (allowed: at least {least}; fewer --columns, or a --ridge)",
        table.file(),
        rows.len()
    );
    for (name, column) in used.iter().zip(&columns).take(names.len() + 1) {
        let (first, is_target) = (column[rows[0]], *name == target);
        let same = rows.iter().all(|&row| column[row] == first);
        let why = match (options.no_intercept, is_target) {
            (false, true) => "there is nothing to explain",
            (false, false) => {
                "the intercept is such a column already; leave it out of --columns, or take --no-intercept"
            }
            (true, true) => "there is nothing to explain",
            (true, false) => "it can have any coefficient; leave it out of --columns",
        };
        if same && (!options.no_intercept || first == 0.0) {
            bail!("{}: each value of `{name}` is {first}: {why}", table.file());
        }
    }
    let x = rows.iter().flat_map(|&row| columns[..names.len()].iter().map(move |c| c[row])).collect();
    Ok(Sample {
        file: table.file().to_string(),
        target: target.to_string(),
        x: Tensor::from_vec(x, [rows.len(), names.len()])?,
        y: kept(columns[names.len()]).into(),
        weights: weights.and(columns.last()).map(|w| kept(w)),
        lines: rows.iter().map(|&row| table.lines()[row]).collect(),
        left_out: table.rows() - rows.len(),
        names: names.iter().map(|name| name.to_string()).collect(),
    })
}

/// The columns to explain by: those asked for, or all that have no other part.
fn predictors<'a>(
    table: &'a Table,
    options: &'a Options,
    target: &str,
    weights: Option<&str>,
) -> Result<Vec<&'a str>> {
    ensure!(weights != Some(target), "`{target}` is the target and can't be the weights");
    if options.columns.is_empty() {
        let names: Vec<&str> =
            table.names().into_iter().filter(|&n| n != target && Some(n) != weights).collect();
        ensure!(
            !names.is_empty(),
            "{}: no column is left to explain `{target}` by (columns: {})",
            table.file(),
            table.names().join(", ")
        );
        return Ok(names);
    }
    let names: Vec<&str> = options.columns.iter().map(|name| name.trim()).collect();
    for (i, name) in names.iter().enumerate() {
        ensure!(*name != target, "--columns: `{name}` is the target and can't explain itself");
        ensure!(Some(*name) != weights, "--columns: `{name}` is the column of weights");
        ensure!(!names[..i].contains(name), "--columns: `{name}` stands there twice");
    }
    Ok(names)
}

/// An error with what may help when a column can't be had.
fn with_hint(error: gradus_datasets::Error, table: &Table, options: &Options) -> anyhow::Error {
    if table.names().len() == 1 {
        anyhow!("{error}; the file has one column: is its --delimiter another?")
    } else if options.columns.is_empty() && matches!(error, gradus_datasets::Error::Cell { .. }) {
        anyhow!("{error}; all columns are taken unless --columns names some")
    } else {
        error.into()
    }
}
