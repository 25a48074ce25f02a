//! What can go wrong with data: which file, line and column, what stood there, what is allowed.

use crate::IdxProblem;
use std::fmt;

/// The result of reading or rearranging data.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the data or of what was asked of it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file that can't be read.
    #[error("{file}: {why}")]
    Io {
        /// The file.
        file: String,
        /// The kind of failure.
        kind: std::io::ErrorKind,
        /// The system's words.
        why: String,
    },
    /// No data: not a byte, or a header alone, or no row left.
    #[error("{file}: {why} (allowed: at least one row of data)")]
    Empty {
        /// The file.
        file: String,
        /// In which way it is empty.
        why: String,
    },
    /// A row that has more or fewer cells than the first one.
    #[error("{file}, line {line}: number of cells = {got} (allowed: {expected}, as in line {first})")]
    Ragged {
        /// The file.
        file: String,
        /// The line at which the row starts.
        line: u64,
        /// How many cells it has.
        got: usize,
        /// How many cells the first row has.
        expected: usize,
        /// The line of the first row.
        first: u64,
    },
    /// A name that two columns bear.
    #[error(
        "{file}, line {line}, columns {first} and {second}: both are named {} (allowed: each name once)",
        shown(name)
    )]
    DuplicateColumn {
        /// The file.
        file: String,
        /// The header's line.
        line: u64,
        /// The name.
        name: String,
        /// The first column's number, from 1.
        first: usize,
        /// The second column's number, from 1.
        second: usize,
    },
    /// A name that no column bears.
    #[error("{file}: no column {}{} (allowed: {})", shown(name), did_you_mean(near), listed(columns))]
    NoSuchColumn {
        /// The file.
        file: String,
        /// The name asked for.
        name: String,
        /// The columns whose names are near it, the nearest first.
        near: Vec<String>,
        /// All columns.
        columns: Vec<String>,
    },
    /// A line of a file with a layout of its own that does not keep to it.
    #[error("{file}, line {line}: expected {expected}")]
    Malformed {
        /// The file.
        file: String,
        /// The line.
        line: u64,
        /// What should stand there.
        expected: String,
    },
    /// A cell that is not what it should be.
    #[error("{place}: {problem}")]
    Cell {
        /// Where it stands.
        place: Box<Place>,
        /// What is wrong with it.
        problem: Problem,
    },
    /// An IDX file that is not one, or is not whole.
    #[error("{file}: {problem}")]
    Idx {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: IdxProblem,
    },
    /// A folder that lacks some of the files of a set.
    #[error(
        "{folder}: no file {} (allowed: a folder with {}, each as it is or packed by gzip, with or without `.gz`)",
        listed(missing),
        listed(wanted)
    )]
    MissingFiles {
        /// The folder.
        folder: String,
        /// The files that are not there.
        missing: Vec<String>,
        /// All that are looked for.
        wanted: Vec<String>,
    },
    /// An IDX file that is whole, but holds something else than it should.
    #[error("{file}: an array of the dimensions {dims:?} (allowed: {expected})")]
    NotThisKind {
        /// The file.
        file: String,
        /// The dimensions that it has.
        dims: Vec<usize>,
        /// What it should hold.
        expected: String,
    },
    /// More labels than images, or fewer.
    #[error(
        "{images_file} has {images} images, {labels_file} {labels} labels (allowed: a label for each image)"
    )]
    Unpaired {
        /// The file of images.
        images_file: String,
        /// How many it holds.
        images: usize,
        /// The file of labels.
        labels_file: String,
        /// How many it holds.
        labels: usize,
    },
    /// A label that is no digit.
    #[error("{file}, label {index}: {label} (allowed: 0 to 9)")]
    Label {
        /// The file.
        file: String,
        /// The label's number, from 0.
        index: usize,
        /// Its value.
        label: u8,
    },
    /// An argument outside its domain.
    #[error("{op}: {name} = {value} (allowed: {allowed})")]
    Argument {
        /// The operation.
        op: &'static str,
        /// The argument's name.
        name: &'static str,
        /// The value that came.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A failed operation on tensors.
    #[error(transparent)]
    Tensor(#[from] gradus_tensor::Error),
}

/// Where a cell stands, and what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line at which the cell starts, from 1.
    pub line: u64,
    /// The column's number, from 1.
    pub column: usize,
    /// The column's name; none in the header itself.
    pub name: Option<String>,
    /// The whole content of the cell; what is not UTF-8 in it stands as U+FFFD.
    pub value: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {}, column {}", self.file, self.line, self.column)?;
        if let Some(name) = &self.name {
            write!(f, " ({})", shown(name))?;
        }
        write!(f, ": {}", shown(&self.value))
    }
}

/// What is wrong with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Text where a number is needed; a number with something behind it is text too.
    #[error("not a number (allowed: decimal numbers such as -1.5 or 2e3)")]
    NotANumber,
    /// An infinity, written out or beyond the range of `f64`.
    #[error("an infinite value (allowed: finite numbers, up to ±1.8e308)")]
    Infinite,
    /// The word NaN, unless it is declared to be a missing-value marker.
    #[error("not a number by its own words (allowed: finite numbers; declare it as a missing-value marker)")]
    Nan,
    /// A missing value.
    #[error("a missing value (allowed: none, unless the options say to drop the row or to fill in NaN)")]
    Missing,
    /// A missing value where a class is needed: no class stands for it.
    #[error("a missing value has no class (allowed: a value in every row; drop the others)")]
    MissingClass,
    /// Bytes that are not UTF-8.
    #[error("the byte 0x{byte:02X} is not UTF-8 (allowed: UTF-8; convert the file)")]
    NotUtf8 {
        /// The first byte that does not belong.
        byte: u8,
    },
    /// Text between a closing quote and the next delimiter.
    #[error(
        "text behind the closing quote (allowed: a delimiter or a line's end; a quote within quotes is \"\")"
    )]
    AfterQuote,
    /// A quote that nothing closes.
    #[error("the quote opened here is never closed (allowed: quotes in pairs)")]
    OpenQuote,
    /// More categories than `u32` can number.
    #[error("one category too many (allowed: 4294967296)")]
    TooManyCategories,
}

/// A value as it fits into one line of a message.
fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    let mut out: String = value.chars().take(LONGEST).flat_map(one_line).collect();
    if value.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    format!("`{out}`")
}

/// A character as itself, or escaped if it would break the line.
pub(crate) fn one_line(c: char) -> impl Iterator<Item = char> {
    let (itself, escaped) = if c.is_control() { (None, Some(c.escape_default())) } else { (Some(c), None) };
    itself.into_iter().chain(escaped.into_iter().flatten())
}

fn did_you_mean(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", listed(near)) }
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 20;
    let mut out = names.iter().take(MOST).map(|n| shown(n)).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        out += &format!(" and {} more", names.len() - MOST);
    }
    out
}
