//! The program itself, as a user meets it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests are tests too

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
fn run_reports_and_sums_up() {
    let id = inexact().0.id;
    let text = told(0, &["run", id, "--cases", "50", "--seed", "9"]);
    assert!(text.starts_with(&format!("pass  {id}")), "{text}");
    assert!(text.contains("50 cases in ") && text.contains("seed 9"), "{text}");
    assert!(text.contains("drew ") && text.contains("headroom"), "{text}");
    assert!(text.contains("\n1 passed, 0 failed, 0 refuted, 0 unrefuted (50 cases in "), "{text}");
    let quiet = told(0, &["run", id, "-q"]);
    assert_eq!(quiet.lines().count(), 1, "{quiet}");
    assert!(!text.contains('\u{1b}'), "no colour into a pipe");
}

#[test]
fn a_refutation_shows_its_counterexample_and_path() {
    let id = misprint().id;
    let text = told(0, &["run", id, "--path"]);
    assert!(text.starts_with(&format!("refuted  {id}")), "{text}");
    let again = format!("again       cargo explore run --replay {id}:");
    for part in ["fails at", "shrunk in ", "  path ", &again] {
        assert!(text.contains(part), "{part} is missing from\n{text}");
    }
    assert!(text.contains("0 passed, 0 failed, 1 refuted, 0 unrefuted"));
    assert!(!told(0, &["run", id]).contains("  path "));
}

#[test]
fn a_misprint_that_nothing_refutes_fails_the_run() {
    let (p, range) = unrefuted();
    let text = told(1, &["run", p.id, "--range", &range]);
    assert!(text.starts_with("UNREFUTED"), "{text}");
    assert!(text.contains("0 refuted, 1 unrefuted"), "{text}");
    let json = lines(&told(1, &["run", p.id, "--range", &range, "--json"]));
    assert_eq!(json[0]["verdict"], "unrefuted");
    // Quiet keeps silent about what is well, not about this.
    assert!(told(1, &["run", p.id, "--range", &range, "--quiet"]).starts_with("UNREFUTED"));
    let case = format!("{}:0", p.id);
    assert!(told(1, &["run", "--replay", &case, "--range", &range]).starts_with("UNREFUTED"));
}

/// The JSON lines of a run of few cases: too few for every refutation, so the verdicts may be any.
fn json(patterns: &[&str]) -> Vec<Value> {
    let output = explore(&[&["run", "--json", "--cases", "4"], patterns].concat());
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    lines(&out(&output))
}

#[test]
fn json_is_one_line_a_property_and_nothing_else() {
    let reports = json(&["--all"]);
    let ran: Vec<_> = reports.iter().map(|r| r["property"].as_str().unwrap()).collect();
    let all = Catalogue::new(topics()).properties;
    assert_eq!(ran, all.iter().map(|p| p.id).collect::<Vec<_>>());
    for (r, p) in reports.iter().zip(all) {
        assert_eq!(keys(r), ["cases", "formula", "property", "residual", "seconds", "tolerance", "verdict"]);
        let verdicts = if p.refutation { ["refuted", "unrefuted"] } else { ["pass", "fail"] };
        assert!(verdicts.contains(&r["verdict"].as_str().unwrap()), "{r}");
        assert!(r["cases"].is_u64() && r["tolerance"].is_number() && r["seconds"].is_number());
    }
    assert_eq!(json(&[misprint().id])[0]["formula"], misprint().formula());
    assert_eq!(lines(&told(0, &["run", "--json", misprint().id]))[0]["verdict"], "refuted");
}

#[test]
fn patterns_select() {
    let ids = |patterns: &[&str]| {
        json(patterns).iter().map(|r| r["property"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (p, misprint) = (inexact().0, misprint());
    let of_formula = ids(&[p.formula()]);
    assert!(of_formula.len() >= 3 && of_formula.iter().any(|id| id == p.id), "{of_formula:?}");
    let glob = ids(&[&format!("{}.*", p.formula())]);
    assert!(glob.len() >= 3 && glob.iter().all(|id| id.starts_with(&format!("{}.", p.formula()))));
    assert!(
        ids(&[misprint.formula()]).iter().any(|id| id == misprint.id),
        "a formula selects its refutations"
    );
    assert_eq!(ids(&["*"]).len(), Catalogue::new(topics()).properties.len());
    assert_eq!(ids(&[misprint.id, p.id]).len(), 2);
    assert_eq!(ids(&[topics()[0].package]).len(), (topics()[0].properties)().len());
}

#[test]
fn ranges_are_set_and_the_wrong_ones_refused_before_anything_runs() {
    let (p, x) = inexact();
    let range = |range: &str| told(0, &["run", p.id, "--range", &format!("{x}={range}")]);
    for text in ["-0.5..0.5", "-0.5..=0.5", "-5e-1..5e-1"] {
        assert!(range(text).contains("-0.5..0.5: "), "{}", range(text));
    }
    assert!(range("-0.75..-0.25").contains("-0.75..-0.25: "));
    assert!(range("0.5").contains("0.5..0.5: 0.5 to 0.5"));
    let wrong = |range: &str| refused(&["run", p.id, "--range", range]);
    let error = wrong(&format!("{x}{x}=0..1"));
    assert!(error.contains(&format!("no selected property draws `{x}{x}`")), "{error}");
    assert!(error.contains("did you mean "), "{error}");
    assert!(wrong(&format!("{x}=5..1")).contains("5 is above 1"));
    assert!(wrong(&format!("{x}=one..2")).contains("`one` is no number"));
    assert!(wrong(x).contains("expected NAME=LOW..HIGH"));
    let error = wrong(&format!("{x}=-1.7e308..1.7e308"));
    assert!(error.contains(&format!("{}: ", p.id)) && error.len() < 200, "{error}");
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
fn the_environment_gives_the_defaults_and_flags_win() {
    let id = inexact().0.id;
    let run = |arguments: &[&str]| {
        let mut command = program();
        command.env("PROPTEST_CASES", "17").env("PROPTEST_RNG_SEED", "5").args(["run", id]).args(arguments);
        out(&command.output().unwrap())
    };
    let text = run(&[]);
    assert!(text.contains("17 cases in ") && text.contains("seed 5"), "{text}");
    let text = run(&["--cases", "3", "--seed", "6"]);
    assert!(text.contains("3 cases in ") && text.contains("seed 6"), "{text}");
    let wrong = program().env("PROPTEST_CASES", "many").args(["run", id]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("PROPTEST_CASES=many"));
}

#[test]
fn observations_hold_every_case_with_the_schemas_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let path = file.to_str().unwrap();
    let read = || lines(&std::fs::read_to_string(&file).unwrap());
    let (p, x) = inexact();
    told(0, &["run", p.id, "--cases", "300", "--observations", path]);
    let observed = read();
    assert_eq!(observed.len(), 300);
    let required = [
        "arguments",
        "coverage",
        "features",
        "how_generated",
        "metadata",
        "property",
        "representation",
        "run_start",
        "status",
        "status_reason",
        "timing",
        "type",
    ];
    for o in &observed {
        assert_eq!(keys(o), required);
        assert_eq!((o["type"].as_str(), o["status"].as_str()), (Some("test_case"), Some("passed")));
        assert_eq!((&o["property"], &o["run_start"]), (&Value::from(p.id), &observed[0]["run_start"]));
        assert!(o["arguments"][x].is_number());
    }
    // The file begins anew, and the cases of shrinking are in it.
    let reports = lines(&told(0, &["run", misprint().id, "--observations", path, "--json"]));
    let observed = read();
    let drawn = observed.iter().filter(|o| o["how_generated"].as_str().unwrap().starts_with("drawn")).count();
    assert_eq!(drawn as u64, reports[0]["cases"].as_u64().unwrap());
    assert!(observed.len() > drawn);
    assert!(observed.iter().any(|o| o["status"] == "failed"));
    // What is refused leaves an older file alone.
    refused(&["run", p.id, "--range", "no-such-draw=0..1", "--observations", path]);
    assert_eq!(read().len(), observed.len());
}

#[test]
fn a_replay_is_the_case_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.jsonl");
    let path = file.to_str().unwrap();
    let (p, x) = inexact();
    let range = format!("{x}=-0.5..0.5");
    let settings = ["--range", &range, "--seed", "11"];
    told(0, &[&["run", p.id, "--observations", path], &settings[..]].concat());
    let run = std::fs::read_to_string(&file).unwrap();
    let run: Vec<_> = run.lines().collect();
    for case in [0usize, 100, 255] {
        let name = format!("{}:{case}", p.id);
        let text = told(0, &[&["run", "--replay", &name], &settings[..]].concat());
        assert!(text.starts_with(&format!("pass  {}  case {case} of seed 11", p.id)), "{text}");
        let drawn = exact(run[case], x);
        assert!(text.contains(&format!("  {x} = {drawn}\n")), "{text}");
        let residual = exact(run[case], "residual");
        assert!(text.contains(&format!("residual    {residual:?}\n")), "{text}");
        assert!(
            text.contains(&format!("tolerance   {:?} ({})", p.tolerance.value, p.tolerance.name)),
            "{text}"
        );
    }
    let (one, two) = (format!("{}:1", p.id), format!("{}:7", misprint().id));
    let output = explore(&["run", "--json", "--replay", &one, "--replay", &two]);
    let json = lines(&out(&output));
    assert_eq!(
        (json.len(), &json[0]["verdict"], &json[1]["property"]),
        (2, &"pass".into(), &misprint().id.into())
    );
}

#[test]
fn the_command_that_a_report_names_repeats_its_failure() {
    let (p, x) = (misprint(), misprint().draws[0].clone());
    // Three quarters of the range: another one than the property's own.
    let high = x.range.high - (x.range.high - x.range.low) / 4.0;
    let range = format!("{}={}..{high}", x.name, x.range.low);
    let output = explore(&["run", p.id, "--seed", "3", "--range", &range]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    let again = text.lines().find_map(|l| l.trim().strip_prefix("again")).unwrap().trim();
    let arguments: Vec<_> = again.strip_prefix("cargo explore ").unwrap().split(' ').collect();
    assert!(told(0, &arguments).starts_with(&format!("refuted  {}  case ", p.id)), "{again}");
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
