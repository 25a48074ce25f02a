//! Running a selection, with an eye on every case.

use crate::{Error, Result, check_ranges, fit};
use gradus_formula::{CaseRecord, Config, Outcome, Property, Report, replay, run};

/// What a run reports as it goes.
#[derive(Debug)]
pub enum Event<'a> {
    /// A property begins.
    Started(&'a Property),
    /// A case was measured.
    Case(&'a Property, &'a CaseRecord),
    /// A property is done.
    Done(&'a Property, &'a Report),
}

/// How many cases a run draws for this property, if none fails.
pub fn planned_cases(property: &Property, config: &Config) -> u64 {
    config.first.len() as u64 + property.cases(config.cases)
}

/// Runs the properties in turn; `on` sees what happens, and ends the run by an error.
///
/// # Errors
/// Those of [`check_ranges`], before anything runs; and those of `on`.
pub fn run_all(
    properties: &[&Property],
    config: &Config,
    on: &mut dyn FnMut(Event<'_>) -> Result<()>,
) -> Result<Vec<Report>> {
    check_ranges(properties, &config.ranges)?;
    let mut reports = Vec::with_capacity(properties.len());
    for &property in properties {
        on(Event::Started(property))?;
        let mut seen = Ok(());
        let config = fit(property, config, properties.len() == 1);
        let report = run(property, &config, &mut |record| {
            // The runner can't be stopped half-way: the first error waits for the end of the property.
            if seen.is_ok() {
                seen = on(Event::Case(property, record));
            }
        })
        .map_err(|source| Error::Range { property: property.id, source, allowed: None })?;
        seen?;
        on(Event::Done(property, &report))?;
        reports.push(report);
    }
    Ok(reports)
}

/// Measures one case alone, as a run with the same seed and ranges does.
///
/// # Errors
/// Those of [`check_ranges`].
pub fn replay_case(property: &Property, config: &Config, case: u64) -> Result<CaseRecord> {
    check_ranges(&[property], &config.ranges)?;
    replay(property, config, case).map_err(|source| Error::Range {
        property: property.id,
        source,
        allowed: None,
    })
}

/// How many properties came out how.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Summary {
    /// Properties that held.
    pub passed: u64,
    /// Properties that did not.
    pub failed: u64,
    /// Misprints that were refuted, as they should be.
    pub refuted: u64,
    /// Misprints that were not.
    pub unrefuted: u64,
    /// Cases measured.
    pub cases: u64,
    /// Time taken.
    pub seconds: f64,
}

impl Summary {
    /// Counts a report.
    pub fn add(&mut self, report: &Report) {
        match report.outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Fail => self.failed += 1,
            Outcome::Refuted => self.refuted += 1,
            Outcome::Unrefuted => self.unrefuted += 1,
        }
        self.cases += report.cases;
        self.seconds += report.seconds;
    }

    /// Whether everything came out as it should.
    pub fn good(&self) -> bool {
        self.failed == 0 && self.unrefuted == 0
    }
}

impl<'a> FromIterator<&'a Report> for Summary {
    fn from_iter<I: IntoIterator<Item = &'a Report>>(reports: I) -> Self {
        let mut summary = Self::default();
        reports.into_iter().for_each(|report| summary.add(report));
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::Draw;

    fn three() -> [Property; 3] {
        [
            Property::new("t.true", &["t"], "…").draw(Draw::real("x", 0.0..=1.0)).check(|_| Ok(0.0)),
            Property::new("t.false", &["t"], "…")
                .draw(Draw::real("x", 0.0..=1.0))
                .holds(|case| Ok(case.real("x") < 0.5)),
            Property::refutation("t.printed", &["t"], "…").check(|_| Ok(1.0)),
        ]
    }

    #[test]
    fn every_property_and_case_is_seen_in_order() {
        let properties = three();
        let config = Config { cases: 10, ..Config::default() };
        let (mut names, mut cases) = (Vec::new(), 0);
        let reports = run_all(&properties.each_ref(), &config, &mut |event| {
            match event {
                Event::Started(p) => names.push(format!("start {}", p.id)),
                Event::Case(..) => cases += 1,
                Event::Done(p, _) => names.push(format!("done {}", p.id)),
            }
            Ok(())
        })
        .unwrap();
        let expected = [
            "start t.true",
            "done t.true",
            "start t.false",
            "done t.false",
            "start t.printed",
            "done t.printed",
        ];
        assert_eq!(names, expected);
        assert!(cases >= 12);
        let summary: Summary = reports.iter().collect();
        assert_eq!((summary.passed, summary.failed, summary.refuted, summary.unrefuted), (1, 1, 1, 0));
        assert!(!summary.good());
        assert_eq!(planned_cases(&properties[0], &config), 10);
        assert_eq!(planned_cases(&properties[2], &config), 1);
    }

    #[test]
    fn an_error_of_the_watcher_ends_the_run() {
        let properties = three();
        let mut started = 0;
        let error = run_all(&properties.each_ref(), &Config::default(), &mut |event| match event {
            Event::Started(_) => {
                started += 1;
                Ok(())
            }
            _ => Err(Error::BadRange("full".into())),
        });
        assert_eq!(error.unwrap_err().to_string(), "full");
        assert_eq!(started, 1);
    }

    #[test]
    fn a_replay_is_the_runs_case() {
        let [p, ..] = three();
        let config = Config { seed: 3, ..Config::default() };
        let mut seen = Vec::new();
        run(&p, &config, &mut |r| seen.push(r.inputs.clone())).unwrap();
        assert_eq!(replay_case(&p, &config, 200).unwrap().inputs, seen[200]);
        let mut ranges = config.ranges.clone();
        ranges.set("y", 0.0, 1.0);
        assert!(replay_case(&p, &Config { ranges, ..config }, 0).is_err());
    }
}
