//! The runner's own promises, by hand.
#![allow(clippy::unwrap_used)] // helpers of tests are tests too

use gradus_formula::{
    Config, Draw, Failure, Histogram, Origin, Outcome, Property, Ranges, Report, Status, replay, run,
};
use std::process::Command;

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
    // A fifth past a whole number is not just past it: the edge stays.
    let report = run(&above(709.205), &Config::default(), &mut |_| {}).unwrap();
    assert_eq!(report.counterexample.unwrap().line(), "x = 709.21");
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
fn a_size_that_only_wild_contents_needed_is_made_smaller_in_the_end() {
    // With the contents as drawn, all five are needed to sum up to 20; once one of them is 0, fewer do for below 1.
    let property =
        Property::refutation("test.sizes", &["test"], "the first element is not 0, or the sum is above 20")
            .draw(Draw::size("n", 1..=6))
            .draw(Draw::array("x", 0.0..=5.0, &["n", "2"]))
            .holds(|case| {
                let x = &case.array("x").data;
                Ok(x.iter().sum::<f64>() > 20.0 || x.len() < 2)
            });
    let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
    assert_eq!(report.counterexample.unwrap().line(), "n = 1, x = [[0, 0]]");
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

/// A run of `property`, and the number that each of its cases drew.
fn observed(property: &Property, config: &Config) -> (Report, Vec<f64>) {
    let mut numbers = Vec::new();
    let report = run(property, config, &mut |r| {
        let (_, value) = r.inputs.iter().next().unwrap();
        let number = |_| {
            property.draws[0].options.unwrap().iter().position(|o| *o == value.to_string()).unwrap() as f64
        };
        numbers.push(value.to_string().parse().unwrap_or_else(number));
    });
    (report.unwrap(), numbers)
}

fn passing(id: &'static str, draw: Draw) -> Property {
    Property::new(id, &["test"], "nothing").draw(draw).check(|_| Ok(0.0))
}

#[test]
fn each_property_seed_and_case_draws_for_itself() {
    let draw = || Draw::real("x", 0.0..=1.0);
    let drawn = |id, seed| observed(&passing(id, draw()), &Config { seed, ..Config::default() }).1;
    let (here, there, other) = (drawn("test.a", 1), drawn("test.b", 1), drawn("test.a", 2));
    let equal = |x: &[f64], y: &[f64]| x.iter().zip(y).filter(|(a, b)| a == b).count();
    assert!(equal(&here, &there) < 4 && equal(&here, &other) < 4 && equal(&here, &here[1..]) < 4);
    assert_eq!(here, drawn("test.a", 1));
}

#[test]
fn shrinking_accepts_no_rejected_case_and_keeps_to_its_limit() {
    let property = Property::new("test.never", &["test"], "never")
        .draw(Draw::integer("i", 0..=1000))
        .check(|case| if case.integer("i") < 10 { Err(case.reject("too small")) } else { Ok(1.0) });
    let shrunk = |shrink_limit| {
        let mut tried = 0;
        let config = Config { shrink_limit, ..Config::default() };
        let report =
            run(&property, &config, &mut |r| tried += u32::from(r.origin == Origin::Shrinking)).unwrap();
        (report.counterexample.unwrap(), tried)
    };
    assert_eq!(shrunk(4096).0.line(), "i = 10");
    let (stopped, tried) = shrunk(3);
    assert!(tried == 3 && stopped.path.len() <= 4);
    let (first, tried) = shrunk(0);
    assert_eq!((tried, first.path.len()), (0, 1));
    assert_eq!(first.inputs, first.path[0].inputs);
}

#[test]
fn cases_that_failed_once_run_first() {
    let property = passing("test.first", Draw::integer("i", 0..=1_000_000));
    let config = Config { first: vec![40, 99], cases: 3, ..Config::default() };
    let mut order = Vec::new();
    let report = run(&property, &config, &mut |r| order.push(r.case)).unwrap();
    assert_eq!((order, report.cases, report.duplicates), (vec![40, 99, 0, 1, 2], 5, 0));
}

#[test]
fn the_largest_residual_is_reported_and_a_nan_is_larger_than_any() {
    let property = Property::new("test.itself", &["test"], "x is its own residual")
        .draw(Draw::real("x", 0.0..=1.0))
        .within("one", 1.0)
        .check(|case| Ok(case.real("x")));
    let (report, numbers) = observed(&property, &Config::default());
    let worst = numbers.iter().copied().fold(0.0, f64::max);
    assert_eq!(report.residual, worst);
    assert_eq!(report.worst_case, numbers.iter().position(|&x| x == worst).map(|i| i as u64));
    let first = numbers[0];
    let property = property.check(move |case| Ok(if case.real("x") == first { 1.0 } else { f64::NAN }));
    let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
    assert!(report.residual.is_nan() && report.worst_case == Some(1));
}

#[test]
fn headroom_is_the_residual_in_powers_of_ten_of_the_tolerance() {
    let property = |residual: f64, tolerance: f64| {
        Property::new("test.room", &["test"], "a constant")
            .draw(Draw::seed("seed"))
            .within("room", tolerance)
            .check(move |_| Ok(residual))
    };
    // Half decades from 10⁻⁸ to 10.
    for (residual, tolerance, bin) in
        [(2.0, 1e3, 10), (2e-5, 1e-2, 10), (5.0, 1e3, 11), (7.0, 7.0, 16), (0.0, 1.0, 0), (1e-30, 1.0, 0)]
    {
        let report = run(&property(residual, tolerance), &Config::default(), &mut |_| {}).unwrap();
        assert_eq!((report.headroom.low, report.headroom.high, report.headroom.log), (-8.0, 1.0, true));
        assert_eq!(report.headroom.counts[bin], 256, "{residual} of {tolerance}: {:?}", report.headroom);
    }
}

#[test]
fn distributions_are_those_of_what_was_drawn() {
    let draws = [
        Draw::integer("x", -1..=3),
        Draw::integer("x", -100..=100),
        Draw::real("x", -3.0..=1.0),
        Draw::log("x", 1e-3..=1e5),
        Draw::choice("x", &["a", "b", "c"]),
    ];
    for draw in draws {
        let (report, numbers) = observed(&passing("test.spread", draw), &Config::default());
        let found = &report.draws[0];
        let Histogram { low, high, log, counts } = &found.histogram;
        assert_eq!(
            counts.len(),
            match found.name {
                _ if found.options.is_some() => 3,
                _ if found.range.high == 3.0 => 5,
                _ => 20,
            }
        );
        let width = (high - low) / counts.len() as f64;
        let mut expected = vec![0; counts.len()];
        for &x in &numbers {
            let at = ((if *log { x.log10() } else { x } - low) / width) as usize;
            expected[at.min(counts.len() - 1)] += 1;
        }
        assert_eq!(*counts, expected, "{found:?}");
        assert!(counts.iter().filter(|&&n| n > 0).count() >= 3, "{found:?}");
        let ends = (
            numbers.iter().copied().fold(f64::MAX, f64::min),
            numbers.iter().copied().fold(f64::MIN, f64::max),
        );
        assert_eq!((found.smallest, found.largest), ends);
        assert!(found.range.low <= ends.0 && ends.1 <= found.range.high);
        assert_eq!(found.zeros, numbers.iter().filter(|&&x| x == 0.0).count() as u64);
    }
}

#[test]
fn a_log_draw_has_a_hundred_values_a_decade() {
    let (_, numbers) = observed(&passing("test.log", Draw::log("x", 1e-3..=1e3)), &Config::default());
    for x in numbers {
        let index = x.log10() * 100.0;
        assert!((index - index.round()).abs() < 1e-9, "{x}");
    }
}

#[test]
fn arrays_shrink_from_the_end_and_print_nested() {
    let property = Property::new("test.long", &["test"], "no array has six elements")
        .draw(Draw::size("n", 1..=40))
        .draw(Draw::array("x", 0.0..=9.0, &["n", "2"]))
        .holds(|case| Ok(case.size("n") < 3));
    let mut kept = Vec::new();
    let report = run(&property, &Config::default(), &mut |r| {
        if r.status == Status::Failed {
            kept.push(r.inputs.get("x").unwrap().numbers()[0]);
        }
    });
    let found = report.unwrap().counterexample.unwrap();
    assert_eq!(found.line(), "n = 3, x = [[0, 0], [0, 0], [0, 0]]");
    // The first element stays what it was while the sizes shrink.
    assert!(kept[0] != 0.0 && kept[1] == kept[0], "{kept:?}");
    let matrix = Property::new("test.print", &["test"], "the last element is below 3")
        .draw(Draw::array("x", 1.0..=4.0, &["2", "2"]))
        .holds(|case| Ok(case.array("x").data[3] < 3.0));
    let found = run(&matrix, &Config::default(), &mut |_| {}).unwrap().counterexample.unwrap();
    assert_eq!(found.line(), "x = [[1, 1], [1, 3]]");
}

#[test]
fn an_array_beyond_the_limit_and_a_range_beyond_its_own_are_refused() {
    let property = Property::new("test.large", &["test"], "nothing")
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::array("x", 0.0..=1.0, &["n", "n"]).limited(0.0..=2.0))
        .check(|_| Ok(0.0));
    let outcome = |name: &str, low: f64, high: f64| {
        let mut ranges = Ranges::default();
        ranges.set(name, low, high);
        run(&property, &Config { ranges, cases: 2, ..Config::default() }, &mut |_| {}).is_ok()
    };
    assert!(outcome("n", 1.0, 256.0) && outcome("x", 0.0, 2.0));
    assert!(!outcome("n", 1.0, 257.0), "66049 elements");
    assert!(!outcome("x", 0.0, 2.1) && !outcome("x", -0.1, 1.0) && !outcome("x", 1.0, 0.5));
    assert!(!outcome("x", f64::NAN, 1.0) && !outcome("x", 0.0, f64::INFINITY));
}

#[test]
fn a_label_counts_once_a_case_and_a_residual_at_the_tolerance_passes() {
    let property = Property::new("test.label", &["test"], "a label").within("two", 2.0).check(|case| {
        case.label("twice");
        case.label("twice");
        Ok(2.0)
    });
    let report = run(&property, &Config::default(), &mut |_| {}).unwrap();
    assert_eq!((report.labels["twice"], report.outcome), (1, Outcome::Pass));
}

#[test]
fn lines_and_observations_say_what_happened() {
    let property = Property::new("test.said", &["test"], "below")
        .draw(Draw::integer("i", 0..=1000))
        .within("one", 1.0)
        .check(|case| match case.integer("i") {
            i if i < 300 => Err(Failure::Reject("small".into())),
            i if i < 900 => Ok(0.5),
            _ => Ok(3.0),
        });
    let mut said = std::collections::BTreeSet::new();
    let report = run(&property, &Config::default(), &mut |record| {
        let json = gradus_formula::observation(&property, record, 0.0);
        let word = match record.status {
            Status::Passed => "passed",
            Status::Failed => "failed",
            Status::GaveUp => "gave_up",
        };
        assert_eq!(json["status"], word);
        assert_eq!(json["arguments"]["i"].to_string(), record.inputs.get("i").unwrap().to_string());
        let how = json["how_generated"].as_str().unwrap();
        let from = if record.origin == Origin::Drawn { "drawn as case" } else { "while shrinking case" };
        assert!(how.starts_with(from) && how.ends_with(&record.case.to_string()), "{how}");
        said.insert(format!("{word} {from}"));
    });
    assert!(said.len() >= 5, "{said:?}");
    let line = gradus_formula::report_line(&report.unwrap());
    assert_eq!(
        (&line["residual"], &line["tolerance"], &line["verdict"]),
        (&3.0.into(), &1.0.into(), &"fail".into())
    );
}

/// Not a test of its own: what the next one runs in a process of its own.
#[test]
fn prints_its_configuration() {
    println!("{:?}", Config::from_env());
}

#[test]
fn the_environment_sets_cases_and_seed() {
    let printed = |cases: &str, seed: &str| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "prints_its_configuration", "--nocapture"]);
        command.env("PROPTEST_CASES", cases).env("PROPTEST_RNG_SEED", seed);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(printed(" 12 ", "7").contains("cases: 12, seed: 7,"));
    assert!(printed("0", "0").contains("cases: 1, seed: 0,"), "no case would show nothing");
    assert!(printed("many", "0").contains("PROPTEST_CASES=many: expected a whole number"));
    assert!(printed("1", "-1").contains("PROPTEST_RNG_SEED=-1: expected a whole number"));
}
