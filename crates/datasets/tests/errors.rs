//! Bad input: each refusal names the file, the line, the column, the value and what was allowed.
#![allow(clippy::unwrap_used)]

use gradus_datasets::{
    Classification, CsvOptions, Error, Header, Missing, Problem, Regression, Result, Table, iris,
};
use gradus_tensor::Tensor;
use std::io::ErrorKind;

fn bytes(bytes: &[u8]) -> Result<Table> {
    CsvOptions::new().read_from(bytes, "data.csv")
}

fn numbers(text: &str, column: &str) -> Error {
    bytes(text.as_bytes()).unwrap().column(column).unwrap_err()
}

#[test]
fn every_refusal_says_where_what_and_what_is_allowed() {
    let parse = |text: &str| bytes(text.as_bytes()).unwrap_err();
    let keep = CsvOptions::new().missing(Missing::Nan);
    let drop = CsvOptions::new().missing(Missing::DropRow);
    let abc = Table::parse("alpha,beta gamma,Height_cm\n1,2,3\n").unwrap();
    let bare = CsvOptions::new().header(Header::No);
    let towns = Table::parse("heights_m,height,town\n1,2,Ulm\n").unwrap();
    let names: Vec<String> = (0..25).map(|i| format!("c{i}")).collect();
    let wide = Table::parse(&format!("{}\n{}\n", names.join(","), ["1"; 25].join(","))).unwrap();
    let iris = iris().unwrap();
    let two = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    let kinds = vec!["p".to_string(), "q".to_string()];
    let long = format!("`{}…`: not", "ä".repeat(60));
    let long = [long.as_str()];
    let table: Vec<(Error, &[&str])> = vec![
        // cells that are no numbers
        (
            numbers("a,b\n1,2\n3,4x\n", "b"),
            &["data.csv, line 3, column 2 (`b`): `4x`", "not a number", "allowed: decimal"],
        ),
        (numbers("a,b\n1,2\n3,4 5\n", "b"), &["line 3, column 2 (`b`): `4 5`", "not a number"]),
        (numbers("a;b\n1;2\n", "a;b"), &["line 2, column 1 (`a;b`): `1;2`", "not a number"]),
        (numbers("a\n0x10\n", "a"), &["line 2", "`0x10`", "not a number"]),
        (numbers("a\n1_000\n", "a"), &["line 2", "`1_000`", "not a number"]),
        (numbers("a,b\n\"x\n\ny\",1\n\"p\nq\",-\n", "b"), &["line 6, column 2 (`b`): `-`", "not a number"]),
        (numbers("a,b\r\n\"x\r\ny\",1\r\n2,z\r\n", "b"), &["line 4, column 2 (`b`): `z`"]),
        (numbers("a,b\r1,2\r3,z\r", "b"), &["line 3, column 2 (`b`): `z`"]),
        (numbers("\n\na,b\n\n1,2\n\n\n3,z\n", "b"), &["line 8, column 2 (`b`): `z`"]),
        (numbers("\u{FEFF}a,b\n1,z\n", "b"), &["line 2, column 2 (`b`): `z`"]),
        (numbers("a\n\"two\nlines\"\n", "a"), &["line 2", "`two\\nlines`"]),
        (numbers(&format!("a\n{}\n", "ä".repeat(61)), "a"), &long),
        // infinities and NaN
        (
            numbers("a,b\n1,2\n3,inf\n", "b"),
            &["line 3, column 2 (`b`): `inf`", "an infinite value", "finite numbers"],
        ),
        (numbers("a\n-Infinity\n", "a"), &["line 2", "`-Infinity`", "an infinite value"]),
        (numbers("a\n1\n\n1e999\n", "a"), &["line 4", "`1e999`", "an infinite value", "1.8e308"]),
        (numbers("a\n1\nnan\n", "a"), &["line 3", "`nan`", "by its own words", "missing-value marker"]),
        // missing values
        (
            parse("a,b\n1,2\n3,\n"),
            &["data.csv, line 3, column 2 (`b`): ``", "a missing value", "drop the row"],
        ),
        (parse("a,b\n1,2\n NA ,3\n"), &["line 3, column 1 (`a`): ` NA `", "a missing value"]),
        (parse("a\n\"\"\n"), &["line 2, column 1 (`a`): ``", "a missing value"]),
        (
            keep.parse("a,k\n1,x\n2,\n").unwrap().classes("k").unwrap_err(),
            &["line 3, column 2 (`k`): ``", "no class"],
        ),
        (
            keep.parse("k\n1\nNA\n").unwrap().classes("k").unwrap_err(),
            &["line 3, column 1 (`k`): `NA`", "no class"],
        ),
        // rows
        (parse("a,b\n1,2\n3\n"), &["data.csv, line 3: number of cells = 1", "allowed: 2, as in line 1"]),
        (parse("a,b\n\"x\ny\",2\n3,4,5\n"), &["line 4: number of cells = 3", "allowed: 2"]),
        (parse("\na,b\n1,2,\n"), &["line 3: number of cells = 3", "allowed: 2, as in line 2"]),
        // nothing to read
        (parse(""), &["data.csv: an empty file", "at least one row"]),
        (parse("\u{FEFF}\n\r\n"), &["data.csv: an empty file"]),
        (parse("a,b\n"), &["data.csv: a header and no rows", "at least one row"]),
        (
            drop.parse("a,b\n1,\nNA,2\n").unwrap_err(),
            &["text: each of its 2 rows misses a value", "at least one row"],
        ),
        // names
        (
            parse("a,b,a\n1,2,3\n"),
            &["data.csv, line 1, columns 1 and 3: both are named `a`", "each name once"],
        ),
        (parse("\nx, x\n1,2\n"), &["line 2, columns 1 and 2", "`x`"]),
        (
            abc.column("alhpa").unwrap_err(),
            &[
                "text: no column `alhpa`",
                "did you mean `alpha`?",
                "allowed: `alpha`, `beta gamma`, `Height_cm`",
            ],
        ),
        (abc.column("height cm").unwrap_err(), &["did you mean `Height_cm`?"]),
        (abc.tensor(&["alpha", "beta"]).unwrap_err(), &["no column `beta`", "did you mean `beta gamma`?"]),
        (abc.classes("zzz").unwrap_err(), &["no column `zzz` (allowed"]),
        (Regression::from_table(&abc, &["alpha"], "Beta").unwrap_err(), &["did you mean `beta gamma`?"]),
        (towns.column("heigth").unwrap_err(), &["did you mean `height`, `heights_m`? ("]),
        (towns.column("some-town").unwrap_err(), &["no column `some-town` (allowed"]),
        (wide.column("x").unwrap_err(), &["`c19` and 5 more)"]),
        // quotes
        (
            parse("a,b\n1,\"2\"3\n"),
            &[
                "data.csv, line 2, column 2 (`b`): `\"2\"3`",
                "text behind the closing quote",
                "allowed: a delimiter",
            ],
        ),
        (
            parse("a,b\n\"p\nq\",\"2\" \n"),
            &["line 3, column 2 (`b`): `\"2\" `", "text behind the closing quote"],
        ),
        (
            parse("a,b\n1,2\n\"3,4\n5,6\n"),
            &["line 3, column 1 (`a`): `\"3,4\\n5,6\\n`", "never closed", "quotes in pairs"],
        ),
        (parse("a,\"b\n1,2\n"), &["line 1, column 2: `\"b\\n1,2\\n`", "never closed"]),
        (parse("\"a\"x,b\n1,2\n"), &["line 1, column 1: `\"a\"x`", "text behind the closing quote"]),
        (bare.parse("\"1\"x,2\n").unwrap_err(), &["text, line 1, column 1 (`column_1`): `\"1\"x`"]),
        (parse("\u{FEFF}\"a\"x,b\n1,2\n"), &["line 1, column 1: `\"a\"x`", "text behind the closing quote"]),
        // bytes
        (
            bytes(b"a,b\n1,Z\xFCrich\n").unwrap_err(),
            &["data.csv, line 2, column 2 (`b`): `Z\u{FFFD}rich`", "0xFC", "allowed: UTF-8"],
        ),
        (bytes(b"a,b\n\"1\n2\",3\n\"4\n5\",\xFF\n").unwrap_err(), &["line 5, column 2 (`b`)", "0xFF"]),
        (bytes(b"\xFF\xFEa\0,\0b\0\n\0").unwrap_err(), &["line 1, column 1", "0xFF", "allowed: UTF-8"]),
        (bytes(b"a\n\xC3").unwrap_err(), &["line 2, column 1 (`a`)", "0xC3"]),
        // files
        (Table::read("no/such/file.csv").unwrap_err(), &["no/such/file.csv: No such file"]),
        (Table::read("src").unwrap_err(), &["src: Is a directory"]),
        // arguments
        (
            CsvOptions::new().delimiter('"').parse("a\n1\n").unwrap_err(),
            &["CsvOptions: delimiter = '\"'", "ASCII", "neither a quote"],
        ),
        (
            CsvOptions::new().delimiter('\n').parse("a\n1\n").unwrap_err(),
            &["delimiter = '\\n'", "nor a line's end"],
        ),
        (CsvOptions::new().delimiter('\r').parse("a\n1\n").unwrap_err(), &["delimiter = '\\r'"]),
        (CsvOptions::new().delimiter('é').parse("a\n1\n").unwrap_err(), &["delimiter = 'é'", "ASCII"]),
        (CsvOptions::new().delimiter('→').parse("a\n1\n").unwrap_err(), &["delimiter = '→'", "ASCII"]),
        (iris.split(0.0, 1).unwrap_err(), &["split: train_fraction = 0", "between 0 and 1", "150 samples"]),
        (iris.split(1.0, 1).unwrap_err(), &["train_fraction = 1", "between 0 and 1"]),
        (iris.split(-0.5, 1).unwrap_err(), &["train_fraction = -0.5"]),
        (iris.split(1.5, 1).unwrap_err(), &["train_fraction = 1.5"]),
        (iris.split(f64::NAN, 1).unwrap_err(), &["train_fraction = NaN"]),
        (iris.split(f64::INFINITY, 1).unwrap_err(), &["train_fraction = inf"]),
        (
            iris.split(0.001, 1).unwrap_err(),
            &["train_fraction = 0.001", "at least one of 150 samples in each part"],
        ),
        (
            Regression::new(two.clone(), &["a"], [1.0, 2.0].into(), "y").unwrap_err(),
            &["Dataset: feature_names = 1 names", "allowed: 2"],
        ),
        (
            Regression::new(two.clone(), &["a", "b"], [1.0].into(), "y").unwrap_err(),
            &["target = the shape [1]", "allowed: [2]"],
        ),
        (
            Regression::new([1.0].into(), &["a"], [1.0].into(), "y").unwrap_err(),
            &["features = the shape [1]", "allowed: [N, D]"],
        ),
        (
            Classification::new(two, &["a", "b"], [0, 2].into(), kinds).unwrap_err(),
            &["target = class 2", "allowed: 0..2"],
        ),
        (iris.samples(&[0, 150]).unwrap_err(), &["index 150", "0..150"]),
    ];
    for (error, parts) in table {
        let message = error.to_string();
        for part in parts {
            assert!(message.contains(part), "`{message}` lacks `{part}`");
        }
        assert!(!message.contains(['\n', '\r', '\0']), "`{message}` is more than a line");
    }
}

#[test]
fn an_error_is_a_value_that_a_program_can_look_into() {
    match numbers("a,b\n1,2\n3,4x\n", "b") {
        Error::Cell { place, problem: Problem::NotANumber } => {
            assert_eq!((place.line, place.column, place.name.as_deref()), (3, 2, Some("b")));
            assert_eq!((place.file.as_str(), place.value.as_str()), ("data.csv", "4x"));
        }
        other => panic!("{other:?}"),
    }
    let kind = |e| if let Error::Io { kind, .. } = e { Some(kind) } else { None };
    assert_eq!(kind(Table::read("no/such/file.csv").unwrap_err()), Some(ErrorKind::NotFound));
}

#[test]
fn a_reader_that_fails_is_reported_under_its_name() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the cable is out"))
        }
    }
    let error = CsvOptions::new().read_from(Broken, "probe 7").unwrap_err();
    assert_eq!(error.to_string(), "probe 7: the cable is out");
}

#[test]
fn the_refusals_are_no_stricter_than_they_say() {
    // A quote inside an unquoted cell is a letter; doubled quotes, blanks around numbers, and no final line end are fine.
    let table = bytes(b"name, x\n5\" pipe, 1.5 \n\"\"\"q\"\"\",+2e0").unwrap();
    assert_eq!(table.classes("name").unwrap().1, ["5\" pipe", "\"q\""]);
    assert_eq!(table.column("x").unwrap().as_slice(), [1.5, 2.0]);
    // Subnormal, greatest and negative zero are numbers, to the bit.
    let x = bytes(b"x\n5e-324\n1.7976931348623157e308\n-0\n").unwrap().column("x").unwrap();
    let expected = [5e-324, f64::MAX, -0.0_f64];
    assert_eq!(x.as_slice().iter().map(|x| x.to_bits()).collect::<Vec<_>>(), expected.map(f64::to_bits));
    // No header asked for, none taken.
    let table = CsvOptions::new().header(Header::No).parse("1,1\n2,2\n").unwrap();
    assert_eq!((table.names(), table.rows()), (vec!["column_1", "column_2"], 2));
}
