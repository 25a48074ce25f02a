//! Running: reports, verdicts, JSON, patterns, ranges, defaults.

use super::{explore, inexact, keys, lines, misprint, out, program, refused, told, unrefuted};
use gradus_explore::{Catalogue, topics};
use serde_json::Value;

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
    assert_eq!(ids(&[topics()[0].package]).len(), topics()[0].properties().len());
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
