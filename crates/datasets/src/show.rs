//! The first rows of a table, aligned.

use crate::error::one_line;
use crate::{Column, Table, Values};
use std::fmt;

/// The first rows of a table, as [`Table::head`] gives them: numbers stand to the right, text to the left, a missing
/// value is `NaN` or `—`, and a long text is cut.
#[derive(Debug, Clone, Copy)]
pub struct Head<'a> {
    table: &'a Table,
    rows: usize,
}

impl<'a> Head<'a> {
    pub(crate) fn new(table: &'a Table, n: usize) -> Self {
        Self { table, rows: n.min(table.rows()) }
    }
}

impl fmt::Display for Head<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.table.columns();
        let cells: Vec<Vec<String>> = columns
            .iter()
            .map(|c| std::iter::once(cut(c.name())).chain((0..self.rows).map(|row| cell(c, row))).collect())
            .collect();
        for row in 0..=self.rows {
            let mut line = String::new();
            for (column, cells) in columns.iter().zip(&cells) {
                let width = cells.iter().map(|c| c.chars().count()).max().unwrap_or(0);
                if !line.is_empty() {
                    line.push_str("  ");
                }
                line += &match column.values() {
                    Values::Numbers(_) => format!("{:>width$}", cells[row]),
                    Values::Text { .. } => format!("{:<width$}", cells[row]),
                };
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        match self.table.rows() - self.rows {
            0 => Ok(()),
            1 => writeln!(f, "… 1 more row"),
            n => writeln!(f, "… {n} more rows"),
        }
    }
}

fn cell(column: &Column, row: usize) -> String {
    match column.values() {
        Values::Numbers(numbers) => digits(numbers[row]),
        Values::Text { codes, categories, .. } => codes[row]
            .and_then(|code| categories.get(code as usize))
            .map_or("—".to_string(), |text| cut(text)),
    }
}

/// A number in full, with an exponent where that would be mostly zeros.
fn digits(x: f64) -> String {
    if x == 0.0 || !x.is_finite() || (1e-5..1e15).contains(&x.abs()) {
        x.to_string()
    } else {
        format!("{x:e}")
    }
}

fn cut(text: &str) -> String {
    const LONGEST: usize = 24;
    let shown: String = text.chars().flat_map(one_line).take(LONGEST + 1).collect();
    if shown.chars().count() > LONGEST {
        shown.chars().take(LONGEST - 1).chain(['…']).collect()
    } else {
        shown
    }
}
