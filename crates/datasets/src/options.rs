//! What a CSV file looks like, and what to do about its gaps.

use crate::{Error, Result, Table, read};
use std::io::Read;
use std::path::Path;

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Header {
    /// It does.
    #[default]
    Yes,
    /// It is data; the columns are named `column_1`, `column_2`, …
    No,
    /// It does if none of its cells is a number or missing. A file whose columns are named by years has to say `Yes`.
    Auto,
}

/// What to do about a missing value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// Refuse the file, naming the cell.
    #[default]
    Refuse,
    /// Leave the row out; [`Table::dropped`] counts them.
    DropRow,
    /// Keep the row: NaN among numbers, no code among categories.
    Nan,
}

/// How a CSV file is read.
///
/// ```
/// use gradus_datasets::{CsvOptions, Missing};
/// let text = "height;weight\n1.80;?\n1.65;61\n";
/// let table = CsvOptions::new().delimiter(';').missing(Missing::DropRow).markers(["?"]).parse(text)?;
/// assert_eq!((table.rows(), table.dropped()), (1, 1));
/// assert_eq!(table.column("weight")?.as_slice(), [61.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    pub(crate) header: Header,
    pub(crate) delimiter: char,
    pub(crate) missing: Missing,
    pub(crate) markers: Vec<String>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        let markers = vec![String::new(), "NA".to_string()];
        Self { header: Header::Yes, delimiter: ',', missing: Missing::Refuse, markers }
    }
}

impl CsvOptions {
    /// A header, commas, and no missing values; an empty cell and `NA` count as missing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the first row names the columns.
    pub fn header(mut self, header: Header) -> Self {
        self.header = header;
        self
    }

    /// What stands between two cells: an ASCII character, neither a quote nor a line's end.
    pub fn delimiter(mut self, delimiter: char) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// What to do about a missing value.
    pub fn missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }

    /// What a missing value looks like, blanks around it aside; these replace the empty cell and `NA`.
    pub fn markers<S: Into<String>>(mut self, markers: impl IntoIterator<Item = S>) -> Self {
        self.markers = markers.into_iter().map(Into::into).collect();
        self
    }

    /// Reads a file, whole, into memory.
    ///
    /// # Errors
    /// If it can't be read, or as [`parse`](Self::parse).
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table> {
        let path = path.as_ref();
        let file = path.display().to_string();
        let bytes = std::fs::read(path).map_err(|e| failed(&file, &e))?;
        read::table(&bytes, &file, self)
    }

    /// Reads a text. Its messages name the file `text`.
    ///
    /// # Errors
    /// If it has no rows, rows of several lengths, two columns of one name, unpaired quotes, or a missing value
    /// that the options don't allow; and if the delimiter is not an ASCII character or is a quote or a line's end.
    pub fn parse(&self, text: &str) -> Result<Table> {
        read::table(text.as_bytes(), "text", self)
    }

    /// Reads whatever can be read, to its end. Messages call it `name`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_from(&self, mut reader: impl Read, name: &str) -> Result<Table> {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|e| failed(name, &e))?;
        read::table(&bytes, name, self)
    }

    /// The delimiter as a byte.
    pub(crate) fn delimiter_byte(&self) -> Result<u8> {
        match u8::try_from(self.delimiter) {
            Ok(b) if b.is_ascii() && !matches!(b, b'"' | b'\r' | b'\n') => Ok(b),
            _ => Err(Error::Argument {
                op: "CsvOptions",
                name: "delimiter",
                value: format!("{:?}", self.delimiter),
                allowed: "an ASCII character, neither a quote nor a line's end".to_string(),
            }),
        }
    }

    /// Whether a cell is a missing value.
    pub(crate) fn is_missing(&self, cell: &str) -> bool {
        self.markers.iter().any(|m| m.trim() == cell.trim())
    }
}

pub(crate) fn failed(file: &str, e: &std::io::Error) -> Error {
    Error::Io { file: file.to_string(), kind: e.kind(), why: e.to_string() }
}
