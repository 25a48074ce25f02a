//! The report: the fit's own summary with the inflation factors beside it, what the residuals tell, the samples that weigh
//! most.

use crate::data::Sample;
use crate::diagnostics::Diagnostics;
use gradus_linear_regression::{Fit, Result, Statistics, Summary};
use std::fmt::Write;

/// The summary's width, and the column that is added to it.
const WIDTH: usize = 78 + INFLATION;
const INFLATION: usize = 10;
const DIGITS: usize = 6;
/// How many samples are listed by Cook's distance.
const LISTED: usize = 5;

/// The report of a fit with its statistics.
pub(crate) fn report(
    sample: &Sample,
    fit: &Fit,
    statistics: &Statistics,
    diagnostics: &Diagnostics,
    confidence: f64,
) -> Result<String> {
    let (s, d) = (statistics, diagnostics);
    let names: Vec<&str> = sample.names.iter().map(String::as_str).collect();
    let mut out = opening(sample);
    out += &with_inflation(&fit.summary(&names, 0, confidence)?, fit, s);
    let model = s.samples - s.degrees_of_freedom - usize::from(fit.has_intercept());
    out += &two_columns(&[
        ("degrees of freedom, model", model.to_string(), "log-likelihood", number(d.log_likelihood)),
        ("residual sum of squares", number(s.residual_sum_of_squares), "AIC", number(d.aic)),
        ("condition number, unscaled", number(d.condition), "BIC", number(d.bic)),
        ("omnibus", number(d.omnibus), "Jarque–Bera", number(d.jarque_bera)),
        ("P(omnibus)", number(d.omnibus_p), "P(Jarque–Bera)", number(d.jarque_bera_p)),
        ("skew", number(d.skew), "Durbin–Watson", number(d.durbin_watson)),
        ("kurtosis", number(d.kurtosis), "", String::new()),
    ]);
    out += &rule('─');
    out += &most_influential(sample, s, d);
    out += &rule('═');
    out += &notes(sample, fit, s);
    Ok(out)
}

/// The summary with one column more: a parameter's row gets its inflation factor, a rule gets longer.
fn with_inflation(summary: &Summary, fit: &Fit, s: &Statistics) -> String {
    let spared = usize::from(fit.has_intercept());
    let factors = s.variance_inflation_factors().iter().map(|v| number(*v));
    // The column's name stands over the factors; the intercept has none.
    let mut column = ["VIF".to_string()].into_iter().chain((0..spared).map(|_| String::new())).chain(factors);
    let (mut out, mut in_table) = (String::new(), false);
    for line in summary.to_string().lines() {
        in_table |= line.contains("P>|t|");
        let added = match line.chars().next() {
            Some(c @ ('═' | '─')) if line.chars().all(|other| other == c) => {
                c.to_string().repeat(INFLATION)
            }
            _ if in_table => column.next().map(|cell| format!("{cell:>INFLATION$}")).unwrap_or_default(),
            _ => String::new(),
        };
        out += format!("{line}{added}").trim_end();
        out.push('\n');
    }
    out
}

/// The report of a penalised fit, whose statistics would mislead.
pub(crate) fn ridge_report(sample: &Sample, fit: &Fit, lambda: f64, residuals: &[f64]) -> Result<String> {
    let mut out = opening(sample) + &rule('═');
    let rss: f64 = residuals.iter().map(|e| e * e).sum();
    out += &two_columns(&[
        ("samples", sample.y.len().to_string(), "ridge", number(lambda)),
        ("condition number", number(fit.condition()), "residual sum of squares", number(rss)),
    ]);
    out += &rule('─');
    let names = parameter_names(sample, fit);
    let rows: Vec<Vec<String>> = names
        .iter()
        .zip(fit.parameters().as_slice())
        .map(|(name, b)| vec![(*name).to_string(), number(*b)])
        .collect();
    out += &table(&["", "coef"], &rows);
    out += &rule('─');
    out += &format!("{}:\n{}\n", fit.method(), fit.reason());
    out += &rule('═');
    out += "A ridge pulls the coefficients towards 0 (the intercept is spared): they are biased, so that standard\n\
            errors, p-values and the plots by leverage would not mean what they say. They are not given.\n";
    Ok(out)
}

fn opening(sample: &Sample) -> String {
    let kind = if sample.weights.is_some() { "Weighted least squares" } else { "Least squares" };
    let out = match sample.left_out {
        0 => String::new(),
        1 => ", 1 row left out".to_string(),
        n => format!(", {n} rows left out"),
    };
    format!("{kind}: {} of {}, {} rows{out}\n", sample.target, sample.file, sample.y.len())
}

fn most_influential(sample: &Sample, s: &Statistics, d: &Diagnostics) -> String {
    let cook = s.cooks_distances();
    let rows: Vec<Vec<String>> = largest(&cook, LISTED)
        .into_iter()
        .map(|i| {
            let y = sample.y.as_slice()[i];
            let numbers = [cook[i], s.leverage()[i], d.studentised[i], y].map(number);
            [sample.lines[i].to_string()].into_iter().chain(numbers).collect()
        })
        .collect();
    table(&["line of the file", "Cook's D", "leverage", "studentised", &sample.target], &rows)
}

fn notes(sample: &Sample, fit: &Fit, s: &Statistics) -> String {
    let mut out = String::new();
    if sample.weights.is_some() {
        out += "Weights are taken as 1/variance: the degrees of freedom count rows. Weights that count equal rows\n\
                would count sum(weights) instead; see --help. Residuals are multiplied by the root of their weight.\n";
    }
    if !fit.has_intercept() {
        out +=
            "Without an intercept R² is about 0, not about the mean: it does not compare with one that is.\n";
    }
    let parameters = fit.parameters().len();
    if fit.rank() < parameters {
        out += &format!(
            "The columns depend on each other: rank {} of {parameters}. The coefficients are the smallest of many that\n\
             fit as well; their single values, errors and p-values say little. VIF = inf marks the columns.\n",
            fit.rank()
        );
    }
    if let Some((name, vif)) = sample
        .names
        .iter()
        .zip(s.variance_inflation_factors())
        .filter(|(_, v)| **v > 10.0 && v.is_finite())
        .max_by(|a, b| a.1.total_cmp(b.1))
    {
        out += &format!("VIF above 10: the other columns almost determine `{name}` ({}).\n", number(*vif));
    }
    out
}

/// The places of the largest values, the largest first; what is not a number is none.
pub(crate) fn largest(values: &[f64], n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).filter(|&i| !values[i].is_nan()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    order.truncate(n);
    order
}

fn parameter_names<'a>(sample: &'a Sample, fit: &Fit) -> Vec<&'a str> {
    fit.has_intercept()
        .then_some("const")
        .into_iter()
        .chain(sample.names.iter().map(String::as_str))
        .collect()
}

/// Six significant digits, as C's `%g` prints them.
pub(crate) fn number(x: f64) -> String {
    if !x.is_finite() {
        return x.to_string();
    }
    let scientific = format!("{x:.*e}", DIGITS - 1);
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trimmed = |s: &str| match s.contains('.') {
        true => s.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => s.to_string(),
    };
    if (-4..DIGITS as i32).contains(&exponent) {
        trimmed(&format!("{x:.*}", (DIGITS as i32 - 1 - exponent).max(0) as usize))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trimmed(digits), exponent.abs())
    }
}

fn rule(c: char) -> String {
    c.to_string().repeat(WIDTH) + "\n"
}

/// Two columns of names with values, each value to the right.
fn two_columns(rows: &[(&str, String, &str, String)]) -> String {
    let half = WIDTH / 2 - 2;
    let cell = |name: &str, value: &str| {
        let gap = half.saturating_sub(name.chars().count() + value.chars().count()).max(1);
        format!("{name}{}{value}", " ".repeat(gap))
    };
    rows.iter().fold(String::new(), |mut out, (a, va, b, vb)| {
        let line = format!("{}    {}", cell(a, va), cell(b, vb));
        out += line.trim_end();
        out.push('\n');
        out
    })
}

/// A table: the first column to the left, numbers to the right, as wide as they are.
fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let all: Vec<Vec<&str>> = [header.to_vec()]
        .into_iter()
        .chain(rows.iter().map(|r| r.iter().map(String::as_str).collect()))
        .collect();
    let width = |j: usize| all.iter().filter_map(|r| r.get(j)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let mut out = String::new();
    for row in &all {
        let mut line = String::new();
        for (j, (cell, w)) in row.iter().zip(&widths).enumerate() {
            // A String takes all that is written to it.
            let _ = if j == 0 { write!(line, "{cell:<w$}") } else { write!(line, "  {cell:>w$}") };
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}
