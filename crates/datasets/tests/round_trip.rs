//! Properties of the reader: what a writer writes is read again to the bit, and a spoiled cell is found where it stands.
#![allow(clippy::unwrap_used)]

use gradus_datasets::{Column, CsvOptions, Error, Problem, Values};
use proptest::prelude::*;

/// Pieces that a CSV reader has to take care of.
const PIECES: [&str; 16] =
    ["a", "Z", "0", "1.5", " ", ",", ";", "\t", "\"", "\n", "\r\n", "\r", "é", "字", "🙂", "\u{FEFF}"];

/// No marker: any text is a value.
fn plain(delimiter: char) -> CsvOptions {
    CsvOptions::new().delimiter(delimiter).markers([""; 0])
}

/// What a drawn column holds.
#[derive(Debug, Clone)]
enum Drawn {
    Numbers(Vec<f64>),
    Text(Vec<String>),
}

fn column(rows: usize) -> impl Strategy<Value = Drawn> {
    // Any bits that are a finite number: subnormal ones, both zeros and the greatest among them.
    let finite = any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite());
    let text = prop::collection::vec(prop::sample::select(&PIECES[..]), 0..6).prop_map(|p| p.concat());
    let numbers = prop::collection::vec(prop_oneof![finite, (-99i32..99).prop_map(f64::from)], rows);
    prop_oneof![
        numbers.prop_map(Drawn::Numbers),
        // A letter at the front of its first cell keeps the column from being one of numbers.
        prop::collection::vec(text, rows).prop_map(|mut cells| {
            cells[0].insert(0, 'k');
            Drawn::Text(cells)
        }),
    ]
}

fn table() -> impl Strategy<Value = Vec<Drawn>> {
    (1usize..8, 1usize..5).prop_flat_map(|(rows, columns)| prop::collection::vec(column(rows), columns))
}

fn written(names: &[String], columns: &[Drawn], delimiter: char, crlf: bool) -> Vec<u8> {
    let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
    let mut writer =
        csv::WriterBuilder::new().delimiter(delimiter as u8).terminator(terminator).from_writer(Vec::new());
    writer.write_record(names).unwrap();
    let rows = match &columns[0] {
        Drawn::Numbers(x) => x.len(),
        Drawn::Text(x) => x.len(),
    };
    for row in 0..rows {
        let cells = columns.iter().map(|column| match column {
            Drawn::Numbers(x) => format!("{:?}", x[row]),
            Drawn::Text(x) => x[row].clone(),
        });
        writer.write_record(cells).unwrap();
    }
    writer.into_inner().unwrap()
}

fn read(column: &Column) -> Drawn {
    match column.values() {
        Values::Numbers(x) => Drawn::Numbers(x.clone()),
        Values::Text { codes, categories, .. } => {
            Drawn::Text(codes.iter().map(|code| categories[code.unwrap() as usize].clone()).collect())
        }
    }
}

proptest! {
    #[test]
    fn a_written_table_is_read_back_to_the_bit(
        columns in table(),
        delimiter in prop::sample::select(&[',', ';', '\t', '|'][..]),
        crlf in any::<bool>(),
        mark in any::<bool>(),
        odd_names in any::<bool>(),
    ) {
        let odd = |i| format!("n{}, \"ä\"\n{i}", "\r\n".repeat(i));
        let names: Vec<String> = (0..columns.len()).map(|i| if odd_names { odd(i) } else { i.to_string() }).collect();
        let mut bytes = if mark { "\u{FEFF}".as_bytes().to_vec() } else { Vec::new() };
        bytes.extend(written(&names, &columns, delimiter, crlf));
        let table = plain(delimiter).read_from(bytes.as_slice(), "drawn").unwrap();
        prop_assert_eq!(table.names(), names.iter().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(table.columns().len(), columns.len());
        for (expected, got) in columns.iter().zip(table.columns()) {
            match (expected, read(got)) {
                (Drawn::Numbers(a), Drawn::Numbers(b)) => {
                    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    prop_assert_eq!(bits(a), bits(&b));
                    prop_assert_eq!(bits(table.column(got.name()).unwrap().as_slice()), bits(a));
                }
                (Drawn::Text(a), Drawn::Text(b)) => {
                    let (codes, names) = table.classes(got.name()).unwrap();
                    // Codes appear in order: the first is 0, and each new one is the next.
                    let mut next = 0;
                    for &code in codes.as_slice() {
                        prop_assert!(code <= next);
                        next = next.max(code + 1);
                    }
                    prop_assert_eq!(next as usize, names.len());
                    prop_assert_eq!(a, &b);
                }
                (expected, got) => prop_assert!(false, "{:?} was read as {:?}", expected, got),
            }
        }
    }

    #[test]
    fn a_spoiled_cell_is_reported_at_its_line_and_column(
        rows in 1usize..8,
        columns in 1usize..5,
        pick in any::<(prop::sample::Index, prop::sample::Index)>(),
        fault in 0usize..6,
        // Before each row: a cell of text with these line breaks in it, and so many blank lines.
        breaks in prop::collection::vec((prop::sample::select(&["", "\n", "\r\n", "x\n\ny", ",", "\"\""][..]), 0usize..3), 8),
        ends in prop::sample::select(&["\n", "\r\n"][..]),
    ) {
        let (bad_row, bad_column) = (pick.0.index(rows), pick.1.index(columns));
        let (cell, value, problem): (&[u8], &str, Problem) = [
            (&b"4x"[..], "4x", Problem::NotANumber),
            (b"\"4\n2\"", "4\n2", Problem::NotANumber),
            (b"inf", "inf", Problem::Infinite),
            (b"", "", Problem::Missing),
            (b"\xE9", "\u{FFFD}", Problem::NotUtf8 { byte: 0xE9 }),
            (b"\"4\"2", "\"4\"2", Problem::AfterQuote),
        ][fault];
        let names: Vec<String> = (0..columns).map(|i| format!("c{i}")).collect();
        let mut text = format!("text,{}{ends}", names.join(",")).into_bytes();
        let mut bad_at = 0;
        for (row, (inner, blank)) in breaks.iter().enumerate().take(rows) {
            text.extend(ends.repeat(*blank).bytes());
            text.extend(format!("\"k{inner}\"").bytes());
            for column in 0..columns {
                text.push(b',');
                if (row, column) == (bad_row, bad_column) {
                    bad_at = text.len();
                    text.extend(cell);
                } else {
                    text.extend(format!("{}", row * columns + column).bytes());
                }
            }
            text.extend(ends.bytes());
        }
        // Lines are counted as an editor does.
        let line = 1 + text[..bad_at].iter().filter(|&&b| b == b'\n').count() as u64;
        let name = names[bad_column].clone();
        let result = CsvOptions::new().read_from(text.as_slice(), "spoiled").and_then(|table| {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            // The other columns are not touched by it.
            for other in all.iter().filter(|&&n| n != name) {
                table.column(other).unwrap();
            }
            table.tensor(&all)
        });
        let Err(Error::Cell { place, problem: found }) = result else { panic!("not reported: {result:?}") };
        prop_assert_eq!(found, problem);
        prop_assert_eq!((place.line, place.column), (line, bad_column + 2));
        prop_assert_eq!((place.file.as_str(), place.name.as_deref()), ("spoiled", Some(name.as_str())));
        prop_assert_eq!(place.value.as_str(), value);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(pieces in prop::collection::vec(
        prop_oneof![prop::sample::select(&PIECES[..]).prop_map(|p| p.as_bytes().to_vec()), any::<u8>().prop_map(|b| vec![b])], 0..40,
    )) {
        let bytes = pieces.concat();
        match plain(',').read_from(bytes.as_slice(), "bytes") {
            Ok(table) => {
                prop_assert!(table.rows() > 0);
                let sound = |c: &Column| match c.values() {
                    Values::Numbers(x) => x.len() == table.rows() && x.iter().all(|x| x.is_finite()),
                    Values::Text { codes, categories, .. } => codes.iter().flatten().all(|&code| (code as usize) < categories.len()) && codes.len() == table.rows(),
                };
                prop_assert!(table.columns().iter().all(sound));
                prop_assert!(!table.head(3).to_string().contains('\0'));
            }
            // The line is one of the file's.
            Err(Error::Cell { place, .. }) => prop_assert!(place.line as usize <= 1 + bytes.len()),
            Err(error) => prop_assert!(error.to_string().starts_with("bytes")),
        }
    }
}
