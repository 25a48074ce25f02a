//! What a table gives back: options, columns, the printed head.

use gradus_datasets::{CsvOptions, Header, Missing, Table, Values};

#[test]
fn the_header_is_found_by_its_lack_of_numbers() {
    let auto = CsvOptions::new().header(Header::Auto).missing(Missing::Nan);
    for (text, names, rows) in [
        ("a,b\n1,2\n", ["a", "b"], 1),
        ("1,b\n1,2\n", ["column_1", "column_2"], 2),
        ("a,\n1,2\n", ["column_1", "column_2"], 2),
        ("a,NA\n1,2\n", ["column_1", "column_2"], 2),
        ("a,inf\n1,2\n", ["a", "inf"], 1),
        ("a,b\nc,d\n", ["a", "b"], 1),
    ] {
        let table = auto.parse(text).unwrap();
        assert_eq!((table.names(), table.rows()), (names.to_vec(), rows), "{text:?}");
    }
    // Asked for, a header may be of numbers.
    assert_eq!(Table::parse("2019,2020\n1,2\n").unwrap().names(), ["2019", "2020"]);
}

#[test]
fn missing_values_are_dropped_or_filled_as_chosen() {
    let text = "x,k\n1,a\n,b\n3,NA\n4,c\n";
    let dropped = CsvOptions::new().missing(Missing::DropRow).parse(text).unwrap();
    assert_eq!((dropped.rows(), dropped.dropped()), (2, 2));
    assert_eq!(dropped.column("x").unwrap().as_slice(), [1.0, 4.0]);
    assert_eq!(dropped.lines(), [2, 5]);
    // The category of a dropped row does not exist.
    let (codes, names) = dropped.classes("k").unwrap();
    assert_eq!((codes.as_slice(), names), ([0, 1].as_slice(), vec!["a".to_string(), "c".to_string()]));

    let kept = CsvOptions::new().missing(Missing::Nan).parse(text).unwrap();
    assert_eq!((kept.rows(), kept.dropped()), (4, 0));
    let x = kept.column("x").unwrap();
    assert!(x.as_slice()[1].is_nan());
    assert_eq!([x.as_slice()[0], x.as_slice()[2], x.as_slice()[3]], [1.0, 3.0, 4.0]);
    assert_eq!(kept.columns().iter().map(|c| c.missing()).collect::<Vec<_>>(), [1, 1]);
    let Values::Text { codes, .. } = kept.columns()[1].values() else { panic!("not text") };
    assert_eq!(codes, &[Some(0), Some(1), None, Some(2)]);

    // Other markers replace the usual ones.
    let marked = CsvOptions::new()
        .missing(Missing::Nan)
        .markers(["?", "nan"])
        .parse("x,k\n?,\nnan,NA\n2,z\n")
        .unwrap();
    assert!(marked.column("x").unwrap().as_slice()[..2].iter().all(|x| x.is_nan()));
    assert_eq!(marked.classes("k").unwrap().1, ["", "NA", "z"]);
}

#[test]
fn columns_come_in_the_order_asked_for() {
    let table = Table::parse("a,b,c\n1,2,3\n4,5,6\n").unwrap();
    assert_eq!(table.tensor(&["c", "a"]).unwrap(), [[3.0, 1.0], [6.0, 4.0]].into());
    assert_eq!(table.tensor(&["b", "b"]).unwrap(), [[2.0, 2.0], [5.0, 5.0]].into());
    assert_eq!(table.tensor(&[]).unwrap().dims(), [2, 0]);
}

#[test]
fn rows_know_their_lines() {
    for (text, lines) in [
        ("a\n1\n2\n", vec![2, 3]),
        ("\n\na,b\r\n\r\n\"x\r\ny\",1\r\nz,2", vec![5, 7]),
        ("a\r1\r\r2\r", vec![2, 4]),
    ] {
        assert_eq!(Table::parse(text).unwrap().lines(), lines, "{text:?}");
    }
    assert_eq!(CsvOptions::new().header(Header::No).parse("1\n2\n").unwrap().lines(), [1, 2]);
}

#[test]
fn numbers_can_be_classes() {
    let (codes, names) = Table::parse("y\n1\n0\n1.0\n-0\n2.5\n").unwrap().classes("y").unwrap();
    assert_eq!(codes.as_slice(), [0, 1, 0, 1, 2]);
    assert_eq!(names, ["1", "0", "2.5"]);
}

#[test]
fn delimiters_other_than_commas() {
    for delimiter in [';', '\t', '|', ' '] {
        let text = "a,b\n1,\"2\"\n".replace(',', &delimiter.to_string());
        let table = CsvOptions::new().delimiter(delimiter).parse(&text).unwrap();
        assert_eq!(table.tensor(&["a", "b"]).unwrap(), [[1.0, 2.0]].into());
    }
}

#[test]
fn the_head_is_aligned_whatever_stands_in_it() {
    let text = "name,x\n\"two\nlines\",-1.5\nåäö,1e300\n,12\nabcdefghijklmnopqrstuvwxyz,NA\nlast,0\nmore,1\n";
    let table = CsvOptions::new().missing(Missing::Nan).parse(text).unwrap();
    let expected = "\
name                          x
two\\nlines                 -1.5
åäö                       1e300
—                            12
abcdefghijklmnopqrstuvw…    NaN
… 2 more rows
";
    assert_eq!(table.head(4).to_string(), expected);
    assert_eq!(table.head(0).to_string().lines().next(), Some("name  x"));
    // No blanks at a line's end, though text stands to the left.
    let last = Table::parse("x,kind\n1,a\n2,longer\n").unwrap();
    assert_eq!(last.head(2).to_string(), "x  kind\n1  a\n2  longer\n");
    assert_eq!(table.head(usize::MAX).to_string().lines().count(), 7);
}

#[test]
fn a_file_is_read_under_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a table.csv");
    std::fs::write(&path, "a\n1\n").unwrap();
    let table = Table::read(&path).unwrap();
    assert_eq!(table.file(), path.display().to_string());
    assert_eq!(table, CsvOptions::new().read_from(&b"a\n1\n"[..], table.file()).unwrap());
}
