//! One column: numbers if each of its cells is one, text otherwise.

use crate::read::Source;
use crate::{CsvOptions, Error, Problem, Result};
use csv::StringRecord;
use std::collections::HashMap;

/// A named column of a [`Table`](crate::Table).
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    name: String,
    values: Values,
    missing: usize,
    first_missing: Option<Error>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers, finite ones; a missing value is NaN.
    Numbers(Vec<f64>),
    /// Text. Each cell is kept as the place of its category.
    Text {
        /// For each row the place of its value in `categories`; none where it is missing.
        codes: Vec<Option<u32>>,
        /// The distinct values, in order of first appearance.
        categories: Vec<String>,
        /// Why these are no numbers: the first cell that is none.
        not_numeric: Box<Error>,
    },
}

/// The cells of a column, with all that a message about one of them needs.
pub(crate) struct Cells<'a> {
    pub(crate) rows: &'a [(StringRecord, u64)],
    pub(crate) column: usize,
    pub(crate) options: &'a CsvOptions,
    pub(crate) source: &'a Source<'a>,
}

impl Cells<'_> {
    /// The cells in order, none where a value is missing.
    fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.rows
            .iter()
            .map(|(record, _)| record.get(self.column).filter(|cell| !self.options.is_missing(cell)))
    }

    fn error(&self, row: usize, problem: Problem) -> Error {
        let (record, line) = &self.rows[row];
        self.source.cell(record, *line, self.column, problem)
    }
}

impl Column {
    pub(crate) fn new(name: String, cells: &Cells<'_>) -> Result<Self> {
        let missing = cells.iter().filter(Option::is_none).count();
        let first_missing =
            cells.iter().position(|c| c.is_none()).map(|r| cells.error(r, Problem::MissingClass));
        let numbers: Result<Vec<f64>, (usize, Problem)> = cells
            .iter()
            .enumerate()
            .map(|(row, cell)| cell.map_or(Ok(f64::NAN), number).map_err(|problem| (row, problem)))
            .collect();
        let values = match numbers {
            Ok(numbers) => Values::Numbers(numbers),
            Err((row, problem)) => categorise(cells, cells.error(row, problem))?,
        };
        Ok(Self { name, values, missing, first_missing })
    }

    /// The column's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it holds.
    pub fn values(&self) -> &Values {
        &self.values
    }

    /// How many of its values are missing.
    pub fn missing(&self) -> usize {
        self.missing
    }

    /// The numbers.
    pub(crate) fn numbers(&self) -> Result<&[f64]> {
        match &self.values {
            Values::Numbers(numbers) => Ok(numbers),
            Values::Text { not_numeric, .. } => Err((**not_numeric).clone()),
        }
    }

    /// The codes and the categories. Numbers are categories by their value.
    pub(crate) fn classes(&self) -> Result<(Vec<u32>, Vec<String>)> {
        if let Some(error) = &self.first_missing {
            return Err(error.clone());
        }
        match &self.values {
            Values::Text { codes, categories, .. } => {
                Ok((codes.iter().copied().flatten().collect(), categories.clone()))
            }
            Values::Numbers(numbers) => {
                let mut names = Categories::default();
                // 0 is added because -0 and 0 are one value.
                let codes = numbers.iter().map(|x| names.code(&(x + 0.0).to_string())).collect::<Option<_>>();
                Ok((codes.ok_or_else(|| too_many(numbers.len()))?, names.in_order))
            }
        }
    }
}

/// A finite number, blanks around it aside.
pub(crate) fn number(cell: &str) -> Result<f64, Problem> {
    match cell.trim().parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(x) if x.is_nan() => Err(Problem::Nan),
        Ok(_) => Err(Problem::Infinite),
        Err(_) => Err(Problem::NotANumber),
    }
}

fn categorise(cells: &Cells<'_>, not_numeric: Error) -> Result<Values> {
    let mut categories = Categories::default();
    let mut codes = Vec::with_capacity(cells.rows.len());
    for (row, cell) in cells.iter().enumerate() {
        codes.push(match cell {
            None => None,
            Some(cell) => {
                Some(categories.code(cell).ok_or_else(|| cells.error(row, Problem::TooManyCategories))?)
            }
        });
    }
    Ok(Values::Text { codes, categories: categories.in_order, not_numeric: Box::new(not_numeric) })
}

/// Distinct values, numbered in order of first appearance.
#[derive(Default)]
struct Categories {
    codes: HashMap<String, u32>,
    in_order: Vec<String>,
}

impl Categories {
    /// The number of a value; none if `u32` has no more.
    fn code(&mut self, value: &str) -> Option<u32> {
        if let Some(&code) = self.codes.get(value) {
            return Some(code);
        }
        let code = u32::try_from(self.in_order.len()).ok()?;
        self.codes.insert(value.to_string(), code);
        self.in_order.push(value.to_string());
        Some(code)
    }
}

fn too_many(rows: usize) -> Error {
    let (value, allowed) = (rows.to_string(), "at most 4294967296 distinct values".to_string());
    Error::Argument { op: "classes", name: "rows", value, allowed }
}
