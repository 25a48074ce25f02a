//! A table: named columns of equal length.

use crate::{Column, CsvOptions, Error, Head, Result};
use gradus_tensor::Tensor;
use std::path::Path;

/// Named columns of equal length, read from a CSV file.
///
/// A column holds numbers if each of its cells is a finite number, and text otherwise. Nothing is guessed beyond that:
/// who asks a text column for numbers is told the first cell that is none. Names have no blanks around them; text is kept
/// to the letter. Blank lines are skipped (an empty cell of a one-column table is written `""`).
///
/// ```
/// use gradus_datasets::Table;
/// let table = Table::parse("x,y,kind\n1,2.5,a\n3,4.5,b\n5,6.5,a\n")?;
/// assert_eq!(table.names(), ["x", "y", "kind"]);
/// assert_eq!(table.tensor(&["y", "x"])?, [[2.5, 1.0], [4.5, 3.0], [6.5, 5.0]].into());
/// let (codes, kinds) = table.classes("kind")?;
/// assert_eq!((codes.as_slice(), kinds), ([0, 1, 0].as_slice(), vec!["a".to_string(), "b".to_string()]));
///
/// let error = table.column("kind").unwrap_err().to_string();
/// assert!(error.starts_with("text, line 2, column 3 (`kind`): `a`: not a number"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    file: String,
    columns: Vec<Column>,
    /// One for each row: the line at which it starts.
    lines: Vec<u64>,
    dropped: usize,
}

impl Table {
    pub(crate) fn new(file: String, columns: Vec<Column>, lines: Vec<u64>, dropped: usize) -> Self {
        Self { file, columns, lines, dropped }
    }

    /// Reads a file that has a header, commas and no missing value. [`CsvOptions`] reads others.
    ///
    /// # Errors
    /// As [`CsvOptions::read`].
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        CsvOptions::new().read(path)
    }

    /// Reads a text that has a header, commas and no missing value. [`CsvOptions`] reads others.
    ///
    /// # Errors
    /// As [`CsvOptions::parse`].
    pub fn parse(text: &str) -> Result<Self> {
        CsvOptions::new().parse(text)
    }

    /// Where it came from: the file's path, or the name given to the reader.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The columns, in the file's order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The columns' names, in the file's order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(Column::name).collect()
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The line of the file at which each row starts, from 1: where to look for a sample that stands out.
    ///
    /// ```
    /// let table = gradus_datasets::Table::parse("x\n\n1\n2\n")?;
    /// assert_eq!(table.lines(), [3, 4]); // the blank line 2 is no row
    /// # Ok::<(), gradus_datasets::Error>(())
    /// ```
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    /// How many rows were left out because they miss a value.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Some columns as numbers, in the order asked for. **Shapes**: `[N, D]`, rows are samples.
    ///
    /// # Errors
    /// If there is no such column, or a cell in it is no number.
    pub fn tensor(&self, names: &[&str]) -> Result<Tensor<f64>> {
        let columns = names.iter().map(|name| self.find(name)?.numbers()).collect::<Result<Vec<_>>>()?;
        let values = (0..self.rows()).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
        Ok(Tensor::from_vec(values, [self.rows(), columns.len()])?)
    }

    /// One column as numbers. **Shapes**: `[N]`.
    ///
    /// # Errors
    /// If there is no such column, or a cell in it is no number.
    pub fn column(&self, name: &str) -> Result<Tensor<f64>> {
        Ok(Tensor::from_vec(self.find(name)?.numbers()?.to_vec(), [self.rows()])?)
    }

    /// One column as classes: their codes, and what the codes mean, in order of first appearance. In a column of
    /// numbers each distinct number is a class: if 1 stands before 0, then 1 has the code 0. **Shapes**: `[N]`, `[K]`.
    ///
    /// # Errors
    /// If there is no such column, or it misses a value.
    pub fn classes(&self, name: &str) -> Result<(Tensor<u32>, Vec<String>)> {
        let (codes, names) = self.find(name)?.classes()?;
        Ok((Tensor::from_vec(codes, [self.rows()])?, names))
    }

    /// The first `n` rows, to be printed.
    ///
    /// ```
    /// let table = gradus_datasets::Table::parse("city,height_m\nUlm,161.53\nKöln,157\nWien,137\n")?;
    /// let head = "city  height_m\nUlm     161.53\nKöln       157\n… 1 more row\n";
    /// assert_eq!(table.head(2).to_string(), head);
    /// # Ok::<(), gradus_datasets::Error>(())
    /// ```
    pub fn head(&self, n: usize) -> Head<'_> {
        Head::new(self, n)
    }

    fn find(&self, name: &str) -> Result<&Column> {
        self.columns.iter().find(|c| c.name() == name).ok_or_else(|| Error::NoSuchColumn {
            file: self.file.clone(),
            name: name.to_string(),
            near: near(name, &self.names()),
            columns: self.columns.iter().map(|c| c.name().to_string()).collect(),
        })
    }
}

/// The names that may have been meant, the nearest first: at most two letters in five differ, or one begins with the
/// other. Upper case, blanks, `_` and `-` make no difference.
fn near(name: &str, names: &[&str]) -> Vec<String> {
    const MOST: usize = 3;
    let plain = |s: &str| -> Vec<char> {
        s.chars().filter(|c| !matches!(c, ' ' | '_' | '-')).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let mut found: Vec<(usize, &str)> = names
        .iter()
        .filter_map(|&other| {
            let other_plain = plain(other);
            let (distance, longest) = (distance(&wanted, &other_plain), wanted.len().max(other_plain.len()));
            let (short, long) = if wanted.len() < other_plain.len() {
                (&wanted, &other_plain)
            } else {
                (&other_plain, &wanted)
            };
            let begins = !short.is_empty() && long.starts_with(short);
            (5 * distance <= 2 * longest || begins).then_some((distance, other))
        })
        .collect();
    found.sort_by_key(|&(distance, _)| distance);
    found.into_iter().take(MOST).map(|(_, other)| other.to_string()).collect()
}

/// Levenshtein's distance: the least number of letters to insert, leave out or exchange.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let exchanged = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = exchanged.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
