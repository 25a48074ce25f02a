//! The program itself, as a user meets it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

#[path = "cli/cases.rs"]
mod cases;
#[path = "cli/run.rs"]
mod run;

use gradus_explore::{Catalogue, topics};
use gradus_formula::{Config, Outcome, Property, Scale};
use serde_json::Value;
use std::io::Read;
use std::process::{Command, Output, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradus-explore"));
    for name in ["PROPTEST_CASES", "PROPTEST_RNG_SEED", "COLUMNS", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    command
}

fn explore(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The standard output of what must come out with this exit code.
fn told(code: i32, arguments: &[&str]) -> String {
    let output = explore(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
    out(&output)
}

/// The standard error of what must be refused: exit code 2, and nothing on the standard output.
fn refused(arguments: &[&str]) -> String {
    let output = explore(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    assert_eq!(out(&output), "", "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A property that holds, within a tolerance that is not 0, and draws a real from around 0; and that draw's name.
/// The tests pick what they run, so that they outlive the properties of any one crate.
fn inexact() -> (Property, &'static str) {
    let fits = |p: &Property| {
        let around_0 = |d: &&gradus_formula::Draw| {
            let alone = d.scale == Scale::Linear && d.shape.is_none() && d.options.is_none();
            alone && d.range.low <= -1.0 && d.range.high >= 1.0
        };
        let draw = p.draws.iter().find(around_0)?;
        (!p.refutation && p.tolerance.value > 0.0 && !p.formulas.is_empty()).then(|| (p.clone(), draw.name))
    };
    Catalogue::new(topics()).properties.iter().find_map(fits).expect("a property to try things on")
}

/// A refutation whose counterexample is found by shrinking.
fn misprint() -> Property {
    let shrinks = |p: &Property| {
        let run = || gradus_formula::run(p, &Config::default(), &mut |_| {}).unwrap();
        p.refutation && run().counterexample.is_some_and(|c| c.path.len() > 2)
    };
    Catalogue::new(topics()).properties.into_iter().find(shrinks).expect("a misprint to try things on")
}

/// A refutation and a range in which it finds nothing: `a=1..1`.
fn unrefuted() -> (Property, String) {
    for p in Catalogue::new(topics()).properties.into_iter().filter(|p| p.refutation) {
        for draw in &p.draws {
            for x in [0.0, 1.0, draw.range.low, draw.range.high] {
                let mut config = Config::default();
                config.ranges.set(draw.name, x, x);
                let report = gradus_formula::run(&p, &config, &mut |_| {});
                if report.is_ok_and(|r| r.outcome == Outcome::Unrefuted) {
                    let range = format!("{}={x}..{x}", draw.name);
                    return (p, range);
                }
            }
        }
    }
    panic!("every misprint is wrong everywhere");
}

/// A number of a JSON line, to the last bit, which serde_json's own reader need not keep.
fn exact(line: &str, key: &str) -> f64 {
    let from = line.find(&format!("\"{key}\":")).unwrap() + key.len() + 3;
    let length = line[from..].find([',', '}']).unwrap();
    line[from..from + length].parse().unwrap()
}

/// The id with a letter missing.
fn slip(id: &str) -> String {
    id[..id.len() - 1].to_owned()
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn list_is_a_table_and_one_json_object() {
    let table = told(0, &["list"]);
    assert!(table.starts_with("FORMULA"), "{table}");
    assert!(table.contains(&format!("\n    property    {} ", inexact().0.id)), "{table}");
    let json: Value = serde_json::from_str(&told(0, &["list", "--json"])).unwrap();
    assert_eq!(keys(&json), ["formulas"]);
    for f in json["formulas"].as_array().unwrap() {
        let mut expected = vec![
            "chapter",
            "crate",
            "id",
            "item",
            "kind",
            "misprinted",
            "properties",
            "refutations",
            "title",
        ];
        if f["kind"] == "alias" {
            expected.insert(0, "alias_of");
        }
        assert_eq!(keys(f), expected);
        assert!(["formula", "claim", "alias", "figure"].contains(&f["kind"].as_str().unwrap()));
        assert!(f["misprinted"].is_boolean() && f["properties"].is_array() && f["refutations"].is_array());
    }
    assert_eq!(json, gradus_explore::catalogue().unwrap());
    let id = Catalogue::new(topics()).entries[0].id;
    let one: Value = serde_json::from_str(&told(0, &["list", id, "--json"])).unwrap();
    assert_eq!(one["formulas"][0]["id"], id);
    assert_eq!(one["formulas"].as_array().unwrap().len(), 1);
    assert!(refused(&["list", &format!("{id}{id}")]).contains("no property, formula or crate matches"));
}

#[test]
fn show_says_what_a_property_is_and_how_to_run_it() {
    let id = inexact().0.id;
    let text = told(0, &["show", id]);
    let (run, replay) = (format!("cargo explore run {id}\n"), format!("--replay {id}:0"));
    for part in ["states", "draws", "tolerance", &run, &replay] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    assert!(refused(&["show", &slip(id)]).contains(&format!("did you mean {id}")));
}

#[test]
fn usage_errors_have_exit_code_2_and_say_what_is_wrong() {
    let id = inexact().0.id;
    assert!(refused(&["run", &slip(id)]).contains(&format!("did you mean {id}")));
    assert!(refused(&["run"]).contains("required"));
    assert!(refused(&["run", id, "--all"]).contains("cannot be used with"));
    assert!(refused(&["run", id, "--cases", "0"]).contains("--cases"));
    assert!(refused(&["run", "sigmoid["]).contains("is no pattern"));
    assert!(refused(&["run", "--replay", id]).contains("PROPERTY:CASE"));
    assert!(refused(&["run", "--replay", &format!("{id}:x")]).contains("PROPERTY:CASE"));
    assert!(
        refused(&["run", "--replay", &format!("{}:3", slip(id))]).contains(&format!("did you mean {id}"))
    );
    let error = refused(&["run", id, "--observations", "/no/such/directory/x.jsonl"]);
    assert!(error.contains("/no/such/directory/x.jsonl"), "{error}");
    assert!(told(0, &["run", "--help"]).contains("Examples:"));
}

#[test]
fn plots_keep_to_the_width_and_to_no_color() {
    let (p, _) = inexact();
    for columns in [30, 60] {
        let mut command = program();
        command.env("COLUMNS", columns.to_string()).args(["run", p.id, "--plot"]);
        let text = out(&command.output().unwrap());
        let axes: Vec<_> = text.lines().filter(|l| l.contains('└')).collect();
        assert!(axes.len() >= 2, "{text}");
        assert!(axes.iter().all(|l| l.chars().count() <= columns), "{text}");
        assert!(text.contains('█') && text.contains('┴'), "{text}");
    }
    let colored = |name: &str| {
        let output = program().env(name, "1").args(["run", p.id, "--plot"]).output().unwrap();
        out(&output).contains('\u{1b}')
    };
    assert!(colored("CLICOLOR_FORCE") && !colored("NO_COLOR"));
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    for arguments in [&["list", "--json"][..], &["run", "--all", "--plot", "--path"]] {
        let mut child =
            program().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let code = child.wait().unwrap().code();
        assert_eq!((code, errors.as_str()), (Some(141), ""), "{arguments:?}");
    }
}
