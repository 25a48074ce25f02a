//! `cargo explore run`.

use crate::cli::Run;
use crate::say;
use gradus_explore::render::{self, Look};
use gradus_explore::{
    Catalogue, Error, Event, Observations, Result, Summary, check_ranges, fit, planned_cases, replay_case,
    run_all,
};
use gradus_formula::{Config, Outcome, Property, Status, report_line};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Runs the selected properties; `false` if one of them failed.
pub(crate) fn run(catalogue: &Catalogue, arguments: &Run, look: Look) -> Result<bool> {
    let config = config(arguments)?;
    let properties = match arguments.all {
        true => catalogue.properties.iter().collect(),
        false => catalogue.select(&arguments.pattern)?,
    };
    // Before the observations' file is begun, and an older one lost.
    check_ranges(&properties, &config.ranges)?;
    let mut observations = observations(arguments)?;
    let bar = progress(&properties, &config, arguments.quiet);
    let mut summary = Summary::default();
    let silence = Silence::begin();
    run_all(&properties, &config, &mut |event| {
        match event {
            Event::Started(property) => bar.set_message(property.id),
            Event::Case(property, record) => {
                bar.inc(1);
                if let Some(file) = &mut observations {
                    file.add(property, record).map_err(|e| unwritten(arguments, e))?;
                }
            }
            Event::Done(property, report) => {
                summary.add(report);
                if let Some(file) = &mut observations {
                    file.flush().map_err(|e| unwritten(arguments, e))?;
                }
                let good = matches!(report.outcome, Outcome::Pass | Outcome::Refuted);
                let mut text = String::new();
                if arguments.json {
                    text = format!("{}\n", report_line(report));
                } else if !(arguments.quiet && good) {
                    let config = fit(property, &config, properties.len() == 1);
                    text = render::report(property, report, &config, arguments.path, look);
                    if arguments.plot {
                        text += &render::plots(report, look);
                    }
                    text.push('\n');
                }
                bar.suspend(|| say(&text))?;
            }
        }
        Ok(())
    })?;
    drop(silence);
    bar.finish_and_clear();
    if !arguments.json {
        say(&render::summary(&summary, look))?;
    }
    Ok(summary.good())
}

/// Repeats single cases; `false` if one of them did not come out as it should.
pub(crate) fn replay(catalogue: &Catalogue, arguments: &Run, look: Look) -> Result<bool> {
    let config = config(arguments)?;
    let mut cases = Vec::new();
    for text in &arguments.replay {
        let bad = || Error::BadCase(text.clone());
        let (id, case) = text.rsplit_once(':').ok_or_else(bad)?;
        cases.push((catalogue.property(id)?, case.parse::<u64>().map_err(|_| bad())?));
    }
    for (property, _) in &cases {
        check_ranges(&[property], &config.ranges)?;
    }
    let mut observations = observations(arguments)?;
    let mut good = true;
    let silence = Silence::begin();
    for (property, case) in cases {
        let record = replay_case(property, &config, case)?;
        if let Some(file) = &mut observations {
            file.add(property, &record).map_err(|e| unwritten(arguments, e))?;
        }
        let (expected, verdict) = match (record.status, property.refutation) {
            (Status::Passed, false) => (true, Outcome::Pass.word()),
            (Status::Failed, true) => (true, Outcome::Refuted.word()),
            (Status::Failed, false) => (false, Outcome::Fail.word()),
            (Status::Passed, true) => (false, Outcome::Unrefuted.word()),
            (Status::GaveUp, _) => (false, Outcome::Fail.word()),
        };
        good &= expected;
        if arguments.json {
            let line = serde_json::json!({
                "property": property.id,
                "formula": property.formula(),
                "verdict": verdict,
                "cases": 1,
                "residual": record.residual,
                "tolerance": property.tolerance.value,
                "seconds": record.seconds,
            });
            say(&format!("{line}\n"))?;
        } else {
            say(&(render::replay(property, &record, &config, look) + "\n"))?;
        }
    }
    drop(silence);
    if let Some(file) = &mut observations {
        file.flush().map_err(|e| unwritten(arguments, e))?;
    }
    Ok(good)
}

/// The environment's defaults under the flags.
fn config(arguments: &Run) -> Result<Config> {
    let mut config = Config::from_env().map_err(Error::BadRange)?;
    config.cases = arguments.cases.unwrap_or(config.cases);
    config.seed = arguments.seed.unwrap_or(config.seed);
    for range in &arguments.range {
        config.ranges.set(&range.name, range.low, range.high);
    }
    Ok(config)
}

fn observations(arguments: &Run) -> Result<Option<Observations>> {
    let Some(path) = &arguments.observations else { return Ok(None) };
    Ok(Some(Observations::create(path).map_err(|e| unwritten(arguments, e))?))
}

/// What went wrong with the observations, with the file's name.
fn unwritten(arguments: &Run, source: std::io::Error) -> Error {
    let path = arguments.observations.as_ref().map(|p| p.display().to_string());
    Error::File { path: path.unwrap_or_default(), source }
}

/// A bar on the standard error, if that is a terminal.
fn progress(properties: &[&Property], config: &Config, quiet: bool) -> ProgressBar {
    let cases = properties.iter().map(|p| planned_cases(p, config)).sum();
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(Some(cases), target);
    match ProgressStyle::with_template("{bar:24} {human_pos}/{human_len} cases, {eta} left  {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// While this lives, panics print nothing. A check that panics fails, and its report says why; the usual trace
/// would be printed once for every step of shrinking, into the midst of the bar.
struct Silence;

impl Silence {
    fn begin() -> Self {
        std::panic::set_hook(Box::new(|_| {}));
        Self
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // The default hook takes the place of the one that is taken. A thread that panics can't touch it.
        if !std::thread::panicking() {
            drop(std::panic::take_hook());
        }
    }
}
