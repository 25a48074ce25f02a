//! The runner's own promises, by hand.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_formula::{Config, Draw, Outcome, Property, Ranges, Status, replay, run};

fn above(limit: f64) -> Property {
    Property::new("test.below", &["test"], "x stays below the limit")
        .draw(Draw::real("x", -1000.0..=1000.0))
        .holds(move |case| Ok(case.real("x") < limit))
}

#[test]
fn shrinking_finds_the_edge_on_the_grid() {
    let report = run(&above(709.7827), &Config::default(), &mut |_| {}).unwrap();
    let found = report.counterexample.expect("the range goes to 1000");
    // The grid of ±1000 has steps of 0.01.
    assert_eq!(found.line(), "x = 709.79");
    assert!(found.path.len() > 2);
    assert_eq!(report.outcome, Outcome::Fail);
}

#[test]
fn a_counterexample_just_past_a_whole_number_moves_to_the_next() {
    let property = Property::refutation("test.product", &["test"], "a·x is never above x for positive x")
        .draw(Draw::real("a", -3.0..=3.0))
        .draw(Draw::array("x", 0.0..=10.0, &["1"]))
        .holds(|case| Ok(case.real("a") * case.array("x").data[0] <= case.array("x").data[0]));
    let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
    assert_eq!(report.counterexample.unwrap().line(), "a = 2, x = [1]");
}

#[test]
fn a_case_repeats_alone() {
    let property = above(f64::INFINITY);
    let config = Config { seed: 7, ..Config::default() };
    let mut seen = Vec::new();
    run(&property, &config, &mut |record| seen.push(record.inputs.clone())).unwrap();
    for case in [0, 17, 255] {
        assert_eq!(replay(&property, &config, case).unwrap().inputs, seen[case as usize]);
    }
    let other = replay(&property, &Config { seed: 8, ..config }, 17).unwrap();
    assert_ne!(other.inputs, seen[17]);
}

#[test]
fn ranges_are_set_from_outside_and_checked() {
    let property = Property::new("test.sum", &["test"], "a sum of ones is its length")
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::array("x", 1.0..=1.0, &["n", "2"]))
        .check(|case| Ok((case.array("x").data.iter().sum::<f64>() - 2.0 * case.size("n") as f64).abs()));
    let mut ranges = Ranges::default();
    ranges.set("n", 5.0, 5.0);
    let config = Config { ranges: ranges.clone(), ..Config::default() };
    let report = run(&property, &config, &mut |_| {}).unwrap();
    assert!(report.passed());
    assert_eq!((report.draws[0].smallest, report.draws[0].largest), (5.0, 5.0));
    assert_eq!(report.draws[1].histogram.total(), 256 * 10);
    ranges.set("n", 0.0, 5.0);
    let error = run(&property, &Config { ranges, ..Config::default() }, &mut |_| {}).unwrap_err();
    assert_eq!(error.to_string(), "the range n=0..5 is empty or leaves what the draw allows: 1..4096");
}

#[test]
fn a_range_without_a_grid_is_refused_and_not_drawn_as_nan() {
    let property = Property::new("test.finite", &["test"], "draws are in their range")
        .draw(Draw::real("x", 0.0..=1.0))
        .holds(|case| Ok(case.real("x").is_finite()));
    let outcome = |low, high| {
        let mut ranges = Ranges::default();
        ranges.set("x", low, high);
        run(&property, &Config { ranges, ..Config::default() }, &mut |_| {}).map(|r| r.passed())
    };
    assert!(outcome(-1.7e308, 1.7e308).is_err());
    assert!(outcome(1e-310, 2e-310).is_err());
    assert_eq!(outcome(0.0, 1.7e308), Ok(true));
    assert_eq!(outcome(0.0, 1e-300), Ok(true));
}

#[test]
fn nan_errors_and_panics_fail_and_rejects_do_not_count() {
    let property = |check: fn() -> Result<f64, gradus_formula::Failure>| {
        Property::new("test.constant", &["test"], "a constant").within("loose", 1e9).check(move |_| check())
    };
    let outcome = |p: &Property| run(p, &Config::default(), &mut |_| {}).unwrap();
    let nan = outcome(&property(|| Ok(f64::NAN)));
    assert_eq!((nan.outcome, nan.cases), (Outcome::Fail, 1));
    assert!(nan.residual.is_nan());
    assert_eq!(nan.headroom.counts.last(), Some(&1), "a NaN is beyond the tolerance, not far below it");
    let error = outcome(&property(|| Err("x".parse::<i32>().unwrap_err().into())));
    assert!(error.counterexample.unwrap().reason.unwrap().contains("invalid digit"));
    let panic = outcome(&property(|| panic!("on purpose")));
    assert!(panic.counterexample.unwrap().reason.unwrap().contains("on purpose"));
    let rejected = outcome(&property(|| Err(gradus_formula::Failure::Reject("never".into()))));
    assert_eq!((rejected.outcome, rejected.cases, rejected.rejected), (Outcome::Fail, 0, 1));
}

#[test]
fn a_misprint_without_a_counterexample_is_not_refuted() {
    let misprint = Property::refutation("test.true", &["test"], "0 = 0").check(|_| Ok(0.0));
    let report = run(&misprint, &Config::default(), &mut |_| {}).unwrap();
    assert_eq!(report.outcome, Outcome::Unrefuted);
    assert!(!report.passed());
}

#[test]
fn labels_duplicates_and_headroom_are_counted() {
    let property = Property::new("test.coin", &["test"], "a coin shows a side")
        .draw(Draw::integer("side", 0..=1))
        .within("one", 1.0)
        .check(|case| {
            let side = case.integer("side");
            case.classify(side == 0, "heads");
            Ok(side as f64)
        });
    let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
    let heads = report.labels["heads"];
    assert!((64..192).contains(&heads));
    assert_eq!(report.duplicates, 254);
    assert_eq!(report.residual, 1.0);
    assert_eq!(report.headroom.total(), 256);
    assert_eq!(report.draws[0].zeros, heads);
}

#[test]
fn an_observation_has_the_schemas_keys_and_no_others() {
    let property = above(0.0);
    let record = replay(&property, &Config::default(), 3).unwrap();
    let json = gradus_formula::observation(&property, &record, 1.5);
    let mut keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    let schema = [
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
    assert_eq!(keys, schema);
    assert_eq!(json["status"], if record.status == Status::Passed { "passed" } else { "failed" });
}

/// The values that a real draw takes under a range.
fn values(draw: Draw, low: f64, high: f64) -> Vec<f64> {
    let name = draw.name;
    let property = Property::new("test.values", &["test"], "nothing").draw(draw).check(|_| Ok(0.0));
    let mut ranges = Ranges::default();
    ranges.set(name, low, high);
    let mut seen = Vec::new();
    let config = Config { ranges, cases: 64, ..Config::default() };
    run(&property, &config, &mut |r| seen.extend(r.inputs.get(name).unwrap().numbers())).unwrap();
    seen
}

#[test]
fn a_range_of_one_number_draws_that_number() {
    for x in [0.29, -1.15, 0.0, 1e-300, 1.7e308, std::f64::consts::PI, 709.782_712_893_383_97] {
        assert_eq!(values(Draw::real("x", 0.0..=1.0), x, x), [x; 64]);
    }
    assert_eq!(values(Draw::log("x", 1.0..=10.0), 2.0, 2.0), [2.0; 64]);
}

#[test]
fn a_range_reaches_its_ends_and_not_beyond() {
    for cents in (-300..-33).chain(1..300) {
        let (low, high) = (f64::from(cents) / 100.0, f64::from(cents + 33) / 100.0);
        let seen = values(Draw::real("x", 0.0..=1.0), low, high);
        assert!(seen.iter().all(|&x| low <= x && x <= high), "{low}..{high}");
        // Shrinking walks towards 0, and so to the end that is nearest to it. 0.29 · 10⁶ rounds to less than 290000.
        let end = if low > 0.0 { low } else { high };
        let property = Property::new("test.never", &["test"], "never")
            .draw(Draw::real("x", low..=high))
            .holds(|_| Ok(false));
        let found = run(&property, &Config::default(), &mut |_| {}).unwrap().counterexample.unwrap();
        assert_eq!(found.line(), format!("x = {end}"));
    }
}

#[test]
fn shrinking_stays_in_a_range_without_positive_numbers_and_finds_its_end() {
    for (low, high) in [(-5, -5), (-5, -3), (-9, 0), (0, 0), (-4, 7), (3, 3)] {
        let property = Property::new("test.never", &["test"], "never")
            .draw(Draw::integer("i", low..=high))
            .holds(|_| Ok(false));
        let check = |record: &gradus_formula::CaseRecord| {
            let i: i64 = record.inputs.get("i").unwrap().to_string().parse().unwrap();
            assert!((low..=high).contains(&i), "{i} is not in {low}..={high}");
        };
        for seed in 0..20 {
            let config = Config { seed, ..Config::default() };
            let found = run(&property, &config, &mut |r| check(r)).unwrap().counterexample.unwrap();
            assert_eq!(found.line(), format!("i = {}", 0.clamp(low, high)));
        }
    }
}
