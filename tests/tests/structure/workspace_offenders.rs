//! A made-up offender for each rule about crates.

use super::workspace::{self, Member, Use};
use std::collections::BTreeSet;

fn member(name: &str, manifest: &str) -> Member {
    Member {
        name: name.into(),
        manifest: manifest.parse().unwrap(),
        library: Some("#![forbid(unsafe_code)]\n".into()),
        readme: true,
        property_tests: true,
        ..Member::default()
    }
}

fn using(name: &str, other: &str, dev: bool, optional: bool) -> Member {
    Member { uses: vec![Use { name: other.into(), dev, optional }], ..member(name, "") }
}

#[test]
fn an_upward_arrow_and_one_along_a_level() {
    let found = workspace::arrows(&[
        using("gradus-tensor", "gradus-losses", false, true),
        using("gradus-cnn", "gradus-lstm", false, false),
        using("gradus-cnn", "gradus-tensor", false, false),
        using("gradus-tensor", "gradus-cnn", true, false),
        using("gradus-tests", "gradus-book", false, false),
        using("gradus-losses", "nalgebra", false, false),
    ]);
    let expected = [
        "gradus-tensor (level 1) uses gradus-losses (level 4)",
        "gradus-cnn (level 6) uses gradus-lstm (level 6)",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_crate_without_a_level() {
    let found = workspace::arrows(&[
        member("gradus-quantum", ""),
        using("gradus-book", "gradus-quantum", false, false),
        using("gradus-book", "gradus-tests", false, false),
        member("gradus-tests", ""),
    ]);
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("gradus-quantum has no level"));
    assert_eq!(found[1], "gradus-book uses gradus-quantum, which has no level");
    assert_eq!(found[2], "gradus-book uses gradus-tests, which has no level");
}

#[test]
fn versions_outside_the_workspace() {
    let found = workspace::versions(&[member(
        "gradus-losses",
        r#"
        [dependencies]
        a = "1"
        b = { version = "1" }
        c.workspace = true
        d = { workspace = true, features = ["x"] }
        e = { path = "../e" }
        [dev-dependencies]
        gradus-losses = { path = ".", features = ["properties"] }
        gradus-tensor = { path = "." }
        [target.'cfg(unix)'.build-dependencies]
        f = { git = "x" }
        "#,
    )]);
    let names: Vec<_> =
        found.iter().map(|f| f.split("] ").nth(1).unwrap().split(' ').next().unwrap()).collect();
    assert_eq!(names, ["a", "b", "e", "gradus-tensor", "f"]);
    assert!(found[4].contains("[target.cfg(unix).build-dependencies]"));
}

#[test]
fn a_library_that_does_not_forbid_unsafe_code() {
    let with = |name: &str, text: &str| Member { library: Some(text.into()), ..member(name, "") };
    let found = workspace::unsafe_code(&[
        with("gradus-losses", "//! #![forbid(unsafe_code)] is a comment here\n"),
        with("gradus-tensor", ""),
        with("gradus-cnn", "//! Text.\n#![forbid(unsafe_code)]\n"),
    ]);
    assert_eq!(found, ["gradus-losses: its lib.rs lacks #![forbid(unsafe_code)]"]);
}

#[test]
fn kernels_outside_the_tensor_crate() {
    let found = workspace::kernels(&[
        using("gradus-cnn", "gemm", true, false),
        using("gradus-explore", "rayon-core", false, true),
        using("gradus-tensor", "rayon", false, true),
        using("gradus-benches", "gemm", false, false),
    ]);
    assert_eq!(found, ["gradus-cnn names gemm", "gradus-explore names rayon-core"]);
}

#[test]
fn a_heavy_library() {
    let found = workspace::light(&[
        using("gradus-training", "indicatif", false, false),
        using("gradus-training", "plotters", false, true),
        using("gradus-training", "libtest-mimic", true, false),
        using("gradus", "clap", false, false),
        using("gradus-explore", "clap", false, false),
    ]);
    assert_eq!(found, ["gradus-training always needs indicatif", "gradus always needs clap"]);
}

#[test]
fn a_library_that_brings_many_along() {
    let members = ["gradus-cnn", "gradus-lstm", "gradus"].map(|name| member(name, ""));
    let tree = |name: &str| {
        (0..if name == "gradus-lstm" { 50 } else { 51 }).map(|i| format!("c{i} v1.0.0")).collect()
    };
    assert_eq!(workspace::trees(&members, tree), ["gradus-cnn brings 51 crates along (allowed: 50)"]);
}

#[test]
fn targets_that_meet_criterions_options() {
    let program = |manifest: &str| Member {
        library: None,
        programs: vec!["gradus-book".into()],
        ..member("gradus-book", manifest)
    };
    let found = workspace::bench_false(&[
        member("gradus-losses", ""),
        member("gradus-cnn", "[lib]\nbench = true"),
        member("gradus-lstm", "[lib]\nbench = false"),
        program("[[bin]]\nname = \"gradus-book\"\nbench = false"),
        program("[[bin]]\nname = \"another\"\nbench = false"),
    ]);
    let expected = [
        "gradus-losses: [lib] lacks `bench = false`",
        "gradus-cnn: [lib] lacks `bench = false`",
        "gradus-book: [[bin]] gradus-book lacks `bench = false`",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_crate_without_a_readme() {
    let bare = |name: &str| Member { readme: false, ..member(name, "") };
    assert_eq!(
        workspace::readmes(&[bare("gradus-losses"), bare("gradus-tests"), member("gradus-cnn", "")]),
        ["gradus-losses has no README.md"]
    );
}

#[test]
fn a_crate_that_the_explorer_does_not_know() {
    let registry = BTreeSet::from(["gradus-losses"]);
    let properties = "[features]\nproperties = []";
    let found = workspace::registered(
        &[
            member("gradus-losses", properties),
            member("gradus-cnn", ""),
            member("gradus-tensor", properties),
            member("gradus-datasets", ""),
            member("gradus-formula", properties),
            member("gradus", properties),
        ],
        &registry,
    );
    let names: Vec<_> = found.iter().map(|f| f.split(' ').next().unwrap()).collect();
    assert_eq!(names, ["gradus-cnn", "gradus-tensor"]);
}

#[test]
fn properties_that_are_not_run() {
    const HARNESS: &str = "[[test]]\nname = \"properties\"\nharness = false\n";
    let itself =
        |f: &str| format!("[dev-dependencies]\ngradus-losses = {{ path = \".\", features = [{f}] }}\n");
    let good = format!("{HARNESS}{}", itself("\"properties\""));
    let check = |m: Member| workspace::property_tests(&[m], &BTreeSet::from(["gradus-losses"]));
    assert_eq!(check(member("gradus-losses", &good)), [""; 0]);
    assert_eq!(check(member("gradus-cnn", "")), [""; 0], "not registered: another rule's business");
    let missing = Member { property_tests: false, ..member("gradus-losses", &good) };
    assert_eq!(check(missing), ["gradus-losses has no tests/properties.rs"]);
    let found = check(member("gradus-losses", &itself("\"properties\"")));
    assert_eq!(found, ["gradus-losses: [[test]] properties lacks `harness = false`"]);
    let found = check(member("gradus-losses", &format!("{HARNESS}{}", itself(""))));
    assert!(found.len() == 1 && found[0].starts_with("gradus-losses: its tests need"), "{found:?}");
}
