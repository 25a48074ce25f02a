//! The report of the example `fit_csv` against statsmodels, digit by digit as it is printed; and what it refuses.
//! `scripts/report.py` makes the numbers.
#![allow(clippy::unwrap_used)] // helpers of the tests

#[path = "../examples/fit_csv/data.rs"]
mod data;
#[path = "../examples/fit_csv/diagnostics.rs"]
mod diagnostics;
#[path = "../examples/fit_csv/options.rs"]
mod options;
#[path = "../examples/fit_csv/plots.rs"]
mod plots;
#[path = "../examples/fit_csv/report.rs"]
mod report;
#[path = "../examples/fit_csv/run.rs"]
mod run;

use clap::Parser;
use gradus_datasets::{Table, Values};
use options::Options;
use std::collections::HashMap;
use std::path::PathBuf;

/// Of the numbers themselves, before they are printed: statsmodels loses digits to the condition number, 7·10³.
const RELATIVE: f64 = 1e-9;
/// The square of that condition number, times a rounding error: statsmodels takes it from the eigenvalues of XᵀX.
const CONDITION: f64 = 1e-7;

fn options(arguments: &str) -> Options {
    Options::try_parse_from(["fit_csv"].into_iter().chain(arguments.split_whitespace())).unwrap()
}

/// A folder for this test's files, gone with the value.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn golden(case: &str) -> HashMap<String, f64> {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/report.csv");
    let table = Table::read(file).unwrap();
    let text = |j: usize, row: usize| match table.columns()[j].values() {
        Values::Text { codes, categories, .. } => categories[codes[row].unwrap() as usize].clone(),
        Values::Numbers(_) => panic!("numbers in column {j}"),
    };
    let values = table.column("value").unwrap();
    (0..table.rows())
        .filter(|&row| text(0, row) == case)
        .map(|row| (text(1, row), values.as_slice()[row]))
        .collect()
}

/// Whether a printed number is the value, rounded to the digits that are printed.
fn prints(printed: &str, value: f64) -> bool {
    let (mantissa, exponent) = printed.split_once('e').unwrap_or((printed, "0"));
    let decimals =
        mantissa.split_once('.').map_or(0, |(_, d)| d.len()) as i32 - exponent.parse::<i32>().unwrap();
    let unit = 10f64.powi(-decimals);
    (printed.parse::<f64>().unwrap() - value).abs() <= 0.5 * unit * (1.0 + 1e-6)
}

/// The report of the diabetes data, and the golden numbers that it prints.
fn compare(case: &str, arguments: &str) {
    let golden = golden(case);
    let folder = folder();
    let file = folder.path().join("d.csv");
    // The demo's text with a column of weights 1, 2, 3, 1, …, which only one case takes.
    let text = data::demo().unwrap();
    let rows: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i == 0 { format!("{line},w\n") } else { format!("{line},{}\n", 1 + (i - 1) % 3) })
        .collect();
    std::fs::write(&file, rows.concat()).unwrap();
    let options = options(&format!("{} --target progression {arguments}", file.display()));
    let report = run::run(&options).unwrap();
    let expect = |what: &str, printed: &str, item: &str| {
        let value = golden.get(item).unwrap_or_else(|| panic!("{case}: no {item}"));
        assert!(prints(printed, *value), "{case}: {what} = {printed}, statsmodels {value}\n{report}");
    };
    // Names and values in two columns.
    for (ours, theirs) in [
        ("samples", "No. observations"),
        ("degrees of freedom", "Df residuals"),
        ("residual std. error", "Residual std. dev."),
        ("R²", "R-squared"),
        ("adjusted R²", "Adj. R-squared"),
        ("F", "F-statistic"),
        ("P(F)", "Prob (F-statistic)"),
        ("degrees of freedom, model", "Df model"),
        ("condition number, unscaled", "Cond. no."),
        ("log-likelihood", "Log-likelihood"),
        ("AIC", "AIC"),
        ("BIC", "BIC"),
        ("omnibus", "Omnibus"),
        ("P(omnibus)", "Prob(Omnibus)"),
        ("Jarque–Bera", "Jarque-Bera (JB)"),
        ("P(Jarque–Bera)", "Prob(JB)"),
        ("skew", "Skew"),
        ("kurtosis", "Kurtosis"),
        ("Durbin–Watson", "Durbin-Watson"),
    ] {
        let cells = report.lines().flat_map(|line| {
            let cells: Vec<&str> = line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect();
            cells.windows(2).map(|w| (w[0].to_string(), w[1].to_string())).collect::<Vec<_>>()
        });
        let found: Vec<String> = cells.filter(|(name, _)| name == ours).map(|(_, value)| value).collect();
        assert_eq!(found.len(), 1, "{case}: {ours}\n{report}");
        expect(ours, &found[0], theirs);
    }
    // The table of coefficients.
    let mut parameters = 0;
    let items = ["coef", "std err", "t", "P>|t|", "low", "high", "VIF"];
    for name in golden.keys().filter_map(|k| k.strip_suffix("|coef")) {
        let shown = if name == "const" { "(intercept)" } else { name };
        let row = report.lines().find(|line| line.split_whitespace().next() == Some(shown)).unwrap();
        let cells: Vec<&str> = row.split_whitespace().skip(1).collect();
        assert_eq!(cells.len(), if name == "const" { 6 } else { 7 }, "{case}: {row}");
        for (cell, item) in cells.iter().zip(items) {
            expect(&format!("{name}, {item}"), cell, &format!("{name}|{item}"));
        }
        parameters += 1;
    }
    assert_eq!(
        parameters as f64,
        golden["Df model"] + f64::from(u8::from(golden.contains_key("const|coef")))
    );
    // The samples that weigh most, in order.
    let lines = report.lines().skip_while(|line| !line.contains("Cook's D")).skip(1).take(5);
    let mut last = f64::INFINITY;
    for row in lines {
        let cells: Vec<&str> = row.split_whitespace().collect();
        for (cell, item) in cells[1..].iter().zip(["Cook's D", "leverage", "studentised"]) {
            expect(&format!("line {}, {item}", cells[0]), cell, &format!("line {}|{item}", cells[0]));
        }
        let cook: f64 = cells[1].parse().unwrap();
        assert!(cook <= last, "{case}: not in order\n{report}");
        last = cook;
    }
    assert!(last.is_finite(), "{case}: no Cook's distances\n{report}");
    compare_unprinted(case, &golden, &options);
}

/// The example's own statistics before rounding.
fn compare_unprinted(case: &str, golden: &HashMap<String, f64>, options: &Options) {
    let sample = data::sample(&data::table(options).unwrap(), options).unwrap();
    let fit = run::fit(&sample, options).unwrap();
    let statistics = fit.statistics(0).unwrap();
    let d = diagnostics::Diagnostics::of(&fit, &statistics, &sample.x, sample.weights.as_deref()).unwrap();
    for (item, value, within) in [
        ("Log-likelihood", d.log_likelihood, RELATIVE),
        ("AIC", d.aic, RELATIVE),
        ("BIC", d.bic, RELATIVE),
        ("Cond. no.", d.condition, CONDITION),
        ("Durbin-Watson", d.durbin_watson, RELATIVE),
        ("Skew", d.skew, RELATIVE),
        ("Kurtosis", d.kurtosis, RELATIVE),
        ("Jarque-Bera (JB)", d.jarque_bera, RELATIVE),
        ("Prob(JB)", d.jarque_bera_p, RELATIVE),
        ("Omnibus", d.omnibus, RELATIVE),
        ("Prob(Omnibus)", d.omnibus_p, RELATIVE),
    ] {
        let expected = golden[item];
        assert!(
            (value - expected).abs() <= within * expected.abs(),
            "{case}: {item} {value}, not {expected}"
        );
    }
}

#[test]
fn all_columns_agree_with_statsmodels() {
    compare("all", "--columns age_years,sex,bmi_kg_m2,bp_mmhg,s1_tc,s2_ldl,s3_hdl,s4_tch,s5_ltg,s6_glu");
}

#[test]
fn without_an_intercept_r_squared_is_about_zero_as_there() {
    let all = "--columns age_years,sex,bmi_kg_m2,bp_mmhg,s1_tc,s2_ldl,s3_hdl,s4_tch,s5_ltg,s6_glu";
    compare("no-intercept", &format!("{all} --no-intercept"));
}

#[test]
fn weights_are_those_of_wls() {
    compare("weighted", "--weights w");
}

#[test]
fn chosen_columns_and_confidence_agree_with_every_method() {
    for method in ["auto", "normal", "qr", "svd", "precise"] {
        compare("two", &format!("--columns bmi_kg_m2,s5_ltg --confidence 0.9 --method {method}"));
    }
}

#[test]
fn the_demo_is_the_file() {
    let report = run::run(&options("--demo")).unwrap();
    assert!(report.contains("progression of diabetes.csv, 442 rows\n"), "{report}");
    assert!(report.contains("VIF above 10") && report.contains("`s1_tc`"), "{report}");
}

/// Runs on a text, under the name `d.csv`.
fn on(text: &str, arguments: &str) -> Result<String, String> {
    let folder = folder();
    let file = folder.path().join("d.csv");
    std::fs::write(&file, text).unwrap();
    let named = |text: String| text.replace(&file.display().to_string(), "d.csv");
    let out = run::run(&options(&format!("{} {arguments}", file.display())));
    out.map(named).map_err(|e| named(format!("{e:#}")))
}

const SMALL: &str = "x,z,y,w\n1,2,3.1,1\n2,1,3.9,2\n3,5,8.2,1\n4,3,7.1,0\n5,9,14.3,1\n6,4,10.2,3\n";

#[test]
fn refusals_name_the_place_and_what_is_allowed() {
    let table = [
        (
            "x,y\n1,2\n2,\n3,4\n4,4\n",
            "--target y",
            "d.csv, line 3, column 2 (`y`): a missing value (allowed: a number; --drop-missing",
        ),
        ("x,y\n1,2\n2,3\nNA,4\n4,5\n", "--target y", "d.csv, line 4, column 1 (`x`): a missing value"),
        ("x,y\n1,2\n2,3k\n3,4\n", "--target y", "d.csv, line 3, column 2 (`y`): `3k`: not a number"),
        (
            "t,x,y\na,1,2\nb,2,3\nc,3,5\n",
            "--target y",
            "line 2, column 1 (`t`): `a`: not a number (allowed: decimal numbers such as -1.5 or 2e3); all columns are taken unless --columns",
        ),
        (SMALL, "--target yy", "no column `yy`; did you mean `y`?"),
        (SMALL, "--target y --columns x,Z", "no column `Z`; did you mean `z`?"),
        (SMALL, "--target y --columns x,y", "`y` is the target and can't explain itself"),
        (SMALL, "--target y --columns x,x", "`x` stands there twice"),
        (SMALL, "--target y --weights y", "can't be the weights"),
        (SMALL, "--target y --weights w --columns w", "`w` is the column of weights"),
        (SMALL, "--target y --delimiter ;", "no column `y`"),
        (SMALL, "--target y --delimiter ;", "is its --delimiter another?"),
        (
            "x,y,w\n1,2,1\n2,3,-1\n3,5,1\n4,5,1\n",
            "--target y --weights w",
            "line 3, column 3 (`w`): the weight -1 (allowed: at least 0)",
        ),
        (
            "x,c,y\n1,5,2\n2,5,3\n3,5,5\n4,5,5\n",
            "--target y",
            "each value of `c` is 5: the intercept is such a column already",
        ),
        ("x,c,y\n1,0,2\n2,0,3\n3,0,5\n4,0,5\n", "--target y --no-intercept", "each value of `c` is 0"),
        ("x,y\n1,5\n2,5\n3,5\n", "--target y", "each value of `y` is 5: there is nothing to explain"),
        ("x,y\n1,2\n2,3\n", "--target y", "2 rows to fit 2 parameters (allowed: at least 3"),
        // Weight 0 is no row.
        ("x,y,w\n1,2,1\n2,3,1\n9,9,0\n", "--target y --weights w", "2 rows to fit 2 parameters"),
        ("y\n1\n2\n3\n", "--target y", "no column is left to explain `y` by"),
        ("x,y\n", "--target y", "a header and no rows"),
        ("", "--target y", "an empty file"),
        (SMALL, "--target y --confidence 1.5", "--confidence 1.5 (allowed: strictly between 0 and 1)"),
        (SMALL, "--target y --confidence NaN", "--confidence NaN"),
        (SMALL, "--target y --ridge -1", "ridge = -1"),
        ("x,z,y\n1,2,1\n2,4,3\n3,6,2\n4,8,7\n", "--target y --method qr", "rank 2"),
    ];
    for (text, arguments, part) in table {
        let message = on(text, arguments).unwrap_err();
        assert!(message.contains(part), "{arguments}: `{message}` lacks `{part}`");
        assert!(!message.contains('\n'), "`{message}` is more than a line");
    }
    let message = format!("{:#}", run::run(&options("no/such.csv --target y")).unwrap_err());
    assert!(message.contains("no/such.csv: No such file"), "{message}");
}

#[test]
fn rows_without_weight_or_value_count_as_left_out() {
    // Line 5 has the weight 0: the report is that of the file without it, but for its first line.
    let rest = |s: String| s.split_once('\n').map(|(_, rest)| rest.to_string()).unwrap();
    let with = on(SMALL, "--target y --weights w").unwrap();
    assert!(with.contains("5 rows, 1 row left out"), "{with}");
    let (short, longer) = (SMALL.replace("4,3,7.1,0\n", ""), SMALL.replace("4,3,7.1,0", "4,,7.1,1"));
    // The same line numbers: the row left out becomes a blank line.
    let blank = SMALL.replace("4,3,7.1,0\n", "\n");
    assert_eq!(rest(with), rest(on(&blank, "--target y --weights w").unwrap()));
    assert!(on(&longer, "--target y").is_err());
    // A gap in a column that is not used does no harm.
    assert!(on(&longer, "--target y --columns x").unwrap().contains("6 rows\n"));
    let dropped = on(&longer, "--target y --weights w --drop-missing").unwrap();
    assert!(dropped.contains("5 rows, 1 row left out"), "{dropped}");
    assert_eq!(rest(dropped), rest(on(&blank, "--target y --weights w").unwrap()));
    assert!(on(&short, "--target y --weights w").unwrap().contains("5 rows\n"));
}

#[test]
fn weights_are_variances_not_counts() {
    let variance = |line: &str| -> f64 {
        let report = on(&SMALL.replace("4,3,7.1,0", "4,3,7.1,2"), line).unwrap();
        let row = report.lines().find(|l| l.starts_with("x ")).unwrap().to_string();
        row.split_whitespace().nth(2).unwrap().parse().unwrap()
    };
    // Ten times the weights, the same standard errors.
    let ten = SMALL
        .replace("4,3,7.1,0", "4,3,7.1,2")
        .replace(",1\n", ",10\n")
        .replace(",2\n", ",20\n")
        .replace(",3\n", ",30\n");
    let report = on(&ten, "--target y --weights w").unwrap();
    let row = report.lines().find(|l| l.starts_with("x ")).unwrap();
    assert_eq!(
        row.split_whitespace().nth(2).unwrap().parse::<f64>().unwrap(),
        variance("--target y --weights w")
    );
}

#[test]
fn files_of_other_kinds_are_read() {
    let semicolons = SMALL.replace(',', ";");
    let plain = on(SMALL, "--target y --columns x,z").unwrap();
    assert_eq!(on(&semicolons, "--target y --columns x,z --delimiter ;").unwrap(), plain);
    assert_eq!(on(&SMALL.replace(',', "\t"), "--target y --columns x,z --delimiter tab").unwrap(), plain);
    let bare = SMALL.split_once('\n').unwrap().1;
    let report = on(bare, "--target column_3 --columns column_1,column_2 --no-header").unwrap();
    assert!(report.contains("column_3 of d.csv"), "{report}");
    // The rows start a line higher.
    assert!(report.lines().any(|l| l.starts_with("5 ")), "{report}");
}

#[test]
fn dependent_columns_a_perfect_fit_and_a_ridge_are_told() {
    let text = "x,z,y\n1,2,1\n2,4,3\n3,6,2\n4,8,7\n";
    let report = on(text, "--target y").unwrap();
    assert!(report.contains("rank 2 of 3") && report.contains("inf"), "{report}");
    let folder = folder();
    let perfect =
        on("x,y\n1,3\n2,5\n3,7\n4,9\n", &format!("--target y --plots {}", folder.path().display())).unwrap();
    assert!(perfect.contains("wrote"), "{perfect}");
    let ridge = on(SMALL, &format!("--target y --columns x,z --ridge 2 --plots {}", folder.path().display()))
        .unwrap();
    assert!(ridge.contains("biased") && !ridge.contains("std err"), "{ridge}");
    // By hand: x about its mean 3.5 has the sum of squares 17.5, with y 30.1; 30.1/(17.5 + 2.5) = 1.505.
    let one = on("x,y\n1,1\n2,2.6\n3,4\n4,7\n5,7.5\n6,9.1\n", "--target y --ridge 2.5").unwrap();
    let row = one.lines().find(|l| l.starts_with("x ")).unwrap();
    let expected: f64 = [(-2.5, 1.0), (-1.5, 2.6), (-0.5, 4.0), (0.5, 7.0), (1.5, 7.5), (2.5, 9.1)]
        .iter()
        .map(|(x, y)| x * y)
        .sum::<f64>()
        / 20.0;
    assert!(prints(row.split_whitespace().nth(1).unwrap(), expected), "{one}");
}

#[test]
fn the_plots_show_every_sample_and_name_the_outliers() {
    let folder = folder();
    run::run(&options(&format!("--demo --plots {}", folder.path().display()))).unwrap();
    for (name, axis) in [
        ("residuals", "residual of progression"),
        ("qq", "quantile of the standard normal"),
        ("scale_location", "fitted progression"),
        ("leverage", "leverage"),
    ] {
        let svg = std::fs::read_to_string(folder.path().join(format!("{name}.svg"))).unwrap();
        assert_eq!(svg.matches("<circle").count(), 442, "{name}");
        assert!(svg.contains(axis) && svg.contains(": progression"), "{name}");
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}");
    }
    let leverage = std::fs::read_to_string(folder.path().join("leverage.svg")).unwrap();
    // The largest of Cook's distances, as the report lists them.
    for line in [384, 125, 171] {
        assert!(leverage.contains(&format!("{line}\n</text>")), "line {line}");
    }
}

#[test]
fn the_command_line_is_checked_and_explained() {
    use clap::CommandFactory;
    Options::command().debug_assert();
    let help = Options::command().render_long_help().to_string();
    for part in ["Examples:", "variance", "Frequency weights", "--demo", "--drop-missing"] {
        assert!(help.contains(part), "{part}");
    }
    let refused = |line: &str| Options::try_parse_from(line.split_whitespace()).unwrap_err().to_string();
    assert!(refused("fit_csv").contains("required"));
    assert!(refused("fit_csv d.csv").contains("--target"));
    assert!(refused("fit_csv d.csv --demo").contains("cannot be used with"));
    assert!(refused("fit_csv d.csv --target y --delimiter xy").contains("one character, or the word tab"));
    assert!(refused("fit_csv d.csv --target y --method lu").contains("precise"));
}
