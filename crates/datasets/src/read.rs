//! From bytes to a table. The `csv` crate finds the cells; what it lets pass (quotes that don't pair, rows of several
//! lengths) is refused here, and lines are counted here, because a record's position in that crate is where the
//! previous one ended, blank lines included.

use crate::column::{Cells, Column};
use crate::{CsvOptions, Error, Header, Missing, Place, Problem, Result, Table};
use csv::{ByteRecord, StringRecord};

/// Reads a table.
pub(crate) fn table(bytes: &[u8], file: &str, options: &CsvOptions) -> Result<Table> {
    let delimiter = options.delimiter_byte()?;
    // The mark that some programs put before UTF-8.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut source = Source { file, names: None, lines: Lines { bytes, at: 0, line: 1 } };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(bytes);
    let quotes = unpaired_quote(bytes, delimiter);

    let Some((first, first_line)) = source.next(&mut reader)? else {
        source.check_quotes(quotes.as_ref())?;
        return Err(Error::Empty { file: file.to_string(), why: "an empty file".to_string() });
    };
    let width = first.len();
    let named = match options.header {
        Header::Yes => true,
        Header::No => false,
        Header::Auto => !first.iter().any(|c| crate::column::number(c).is_ok() || options.is_missing(c)),
    };
    let names: Vec<String> = match named {
        true => first.iter().map(|name| name.trim().to_string()).collect(),
        false => (1..=width).map(|i| format!("column_{i}")).collect(),
    };
    // A quote in the header makes its names doubtful: no cell is named by them then.
    if quotes.as_ref().is_none_or(|q| !named || q.record > 1) {
        source.names = Some(names.clone());
    }
    source.check_quotes(quotes.as_ref())?;
    for (second, name) in names.iter().enumerate() {
        if let Some(first) = names[..second].iter().position(|other| other == name) {
            let (file, name) = (file.to_string(), name.clone());
            let (first, second) = (first + 1, second + 1);
            return Err(Error::DuplicateColumn { file, line: first_line, name, first, second });
        }
    }

    let mut rows = Vec::new();
    let mut dropped = 0;
    let mut pending = (!named).then_some((first, first_line));
    while let Some((record, line)) =
        pending.take().map_or_else(|| source.next(&mut reader), |r| Ok(Some(r)))?
    {
        if record.len() != width {
            let (file, got) = (file.to_string(), record.len());
            return Err(Error::Ragged { file, line, got, expected: width, first: first_line });
        }
        match (record.iter().position(|cell| options.is_missing(cell)), options.missing) {
            (Some(i), Missing::Refuse) => return Err(source.cell(&record, line, i, Problem::Missing)),
            (Some(_), Missing::DropRow) => dropped += 1,
            _ => rows.push((record, line)),
        }
    }
    if rows.is_empty() {
        let why = match dropped {
            0 => "a header and no rows".to_string(),
            n => format!("each of its {n} rows misses a value and was dropped"),
        };
        return Err(Error::Empty { file: file.to_string(), why });
    }
    let columns = names
        .into_iter()
        .enumerate()
        .map(|(i, name)| Column::new(name, &Cells { rows: &rows, column: i, options, source: &source }))
        .collect::<Result<_>>()?;
    let lines = rows.into_iter().map(|(_, line)| line).collect();
    Ok(Table::new(file.to_string(), columns, lines, dropped))
}

/// A file on its way through the reader, with what its error messages need.
pub(crate) struct Source<'a> {
    file: &'a str,
    names: Option<Vec<String>>,
    lines: Lines<'a>,
}

impl Source<'_> {
    /// The next record, and the line at which it starts.
    fn next(&mut self, reader: &mut csv::Reader<&[u8]>) -> Result<Option<(StringRecord, u64)>> {
        let mut record = ByteRecord::new();
        let io = |e: csv::Error| Error::Io {
            file: self.file.to_string(),
            kind: std::io::ErrorKind::InvalidData,
            why: e.to_string(),
        };
        if !reader.read_byte_record(&mut record).map_err(io)? {
            return Ok(None);
        }
        let start = record.position().map_or(0, csv::Position::byte);
        let line = self.lines.of_record_at(usize::try_from(start).unwrap_or(usize::MAX));
        StringRecord::from_byte_record(record).map(|r| Some((r, line))).map_err(|e| {
            let (i, valid) = (e.utf8_error().field(), e.utf8_error().valid_up_to());
            let record = e.into_byte_record();
            let line = line + record.iter().take(i).map(breaks).sum::<u64>();
            let cell = record.get(i).unwrap_or_default();
            let byte = cell.get(valid).copied().unwrap_or_default();
            self.at(line, i, String::from_utf8_lossy(cell).into_owned(), Problem::NotUtf8 { byte })
        })
    }

    /// The error of cell `i` in a record that starts at `line`.
    pub(crate) fn cell(&self, record: &StringRecord, line: u64, i: usize, problem: Problem) -> Error {
        // Cells before it may hold line breaks of their own.
        let line = line + record.iter().take(i).map(|c| breaks(c.as_bytes())).sum::<u64>();
        self.at(line, i, record.get(i).unwrap_or_default().to_string(), problem)
    }

    fn at(&self, line: u64, i: usize, value: String, problem: Problem) -> Error {
        let name = self.names.as_ref().and_then(|names| names.get(i).cloned());
        let place = Box::new(Place { file: self.file.to_string(), line, column: i + 1, name, value });
        Error::Cell { place, problem }
    }

    fn check_quotes(&self, unpaired: Option<&Unpaired>) -> Result<()> {
        unpaired.map_or(Ok(()), |q| Err(self.at(q.line, q.column, q.value.clone(), q.problem)))
    }
}

/// Counts lines up to growing offsets. `\n`, `\r\n` and a lone `\r` each end a line.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the record that starts at or behind an offset, once blank lines are skipped.
    fn of_record_at(&mut self, offset: usize) -> u64 {
        let bytes = self.bytes;
        let offset = offset.min(bytes.len());
        let blank = bytes[offset..].iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        self.line += breaks(&bytes[self.at..offset + blank]);
        self.at = offset + blank;
        self.line
    }
}

/// The number of line ends in a text.
fn breaks(text: &[u8]) -> u64 {
    let ends = |i: usize| match text[i] {
        b'\n' => true,
        b'\r' => text.get(i + 1) != Some(&b'\n'),
        _ => false,
    };
    (0..text.len()).filter(|&i| ends(i)).count() as u64
}

/// A quote without its partner.
struct Unpaired {
    record: u64,
    line: u64,
    column: usize,
    value: String,
    problem: Problem,
}

/// The first closing quote that is followed by text, or the quote that is never closed. The `csv` crate reads
/// `"1"2` as 12, and a file with one quote too many as one long cell.
fn unpaired_quote(bytes: &[u8], delimiter: u8) -> Option<Unpaired> {
    enum State {
        CellStart,
        Plain,
        Quoted,
        Closed,
    }
    let (mut state, mut record, mut column) = (State::CellStart, 1, 0);
    // The last opening quote, and the line and the record's column it stands in.
    let mut opened = 0;
    for (i, &b) in bytes.iter().enumerate() {
        state = match (state, b) {
            (State::Quoted, b'"') => State::Closed,
            (State::Quoted, _) | (State::Closed, b'"') => State::Quoted,
            (State::CellStart, b'"') => {
                opened = i;
                State::Quoted
            }
            (_, b) if b == delimiter => {
                column += 1;
                State::CellStart
            }
            (_, b'\r' | b'\n') => {
                // A blank line, or the second half of \r\n, is no record.
                record += u64::from(i > 0 && !matches!(bytes[i - 1], b'\r' | b'\n'));
                column = 0;
                State::CellStart
            }
            (State::Closed, _) => {
                let rest =
                    bytes[i..].iter().take_while(|&&b| b != delimiter && b != b'\r' && b != b'\n').count();
                return Some(unpaired(&bytes[..i + rest], opened, record, column, Problem::AfterQuote));
            }
            (State::CellStart | State::Plain, _) => State::Plain,
        };
    }
    matches!(state, State::Quoted).then(|| unpaired(bytes, opened, record, column, Problem::OpenQuote))
}

fn unpaired(upto: &[u8], opened: usize, record: u64, column: usize, problem: Problem) -> Unpaired {
    let value = String::from_utf8_lossy(&upto[opened..]).into_owned();
    Unpaired { record, line: 1 + breaks(&upto[..opened]), column, value, problem }
}
