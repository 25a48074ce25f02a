//! Single cases: observed, replayed.

use super::{exact, explore, inexact, keys, lines, misprint, out, refused, told};
use serde_json::Value;

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
    if cfg!(target_os = "linux") {
        let full = refused(&["run", p.id, "--quiet", "--cases", "9", "--observations", "/dev/full"]);
        assert!(full.contains("/dev/full: No space left"), "{full}");
    }
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
