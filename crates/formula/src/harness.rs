//! Every property of a crate as a test of its own name, with the options of any Rust test binary.

use crate::{Config, Property, Report, run};
use libtest_mimic::{Arguments, Failed, Trial};
use std::path::{Path, PathBuf};

/// The whole of a crate's `tests/properties.rs` (with `harness = false`): runs each property as a test.
///
/// ```no_run
/// # mod gradus_losses { pub fn properties() -> Vec<gradus_formula::Property> { vec![] } }
/// gradus_formula::property_tests!(gradus_losses::properties());
/// # fn _unused() {}
/// ```
///
/// Name filters, `--list`, `--exact`, `--test-threads` work as in any test binary; `PROPTEST_CASES` and
/// `PROPTEST_RNG_SEED` as in proptest. A case that fails is written to `tests/regressions.txt` and runs first
/// from then on: commit that file.
#[macro_export]
macro_rules! property_tests {
    ($properties:expr) => {
        fn main() -> std::process::ExitCode {
            $crate::test_main(env!("CARGO_MANIFEST_DIR"), $properties)
        }
    };
}

/// Runs properties as tests; see [`property_tests!`](crate::property_tests).
pub fn test_main(crate_dir: &str, properties: Vec<Property>) -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let regressions = Regressions { file: Path::new(crate_dir).join("tests/regressions.txt") };
    let config = Config::from_env();
    let trials = properties
        .into_iter()
        .map(|property| {
            let (regressions, config) = (regressions.clone(), config.clone());
            Trial::test(property.id, move || {
                let config = config?;
                let first = regressions.of(property.id, config.seed)?;
                let report = run(&property, &Config { first, ..config }, &mut |_| {})?;
                if report.passed() {
                    return Ok(());
                }
                let written = regressions.add(&report);
                Err(Failed::from(explain(&report, written)))
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn explain(report: &Report, written: std::io::Result<()>) -> String {
    let Report { property, statement, seed, cases, tolerance, .. } = report;
    let mut text = format!("{property}: {statement}\n");
    match &report.counterexample {
        Some(c) => {
            let (line, case, residual, name) = (c.line(), c.case, c.residual, tolerance.name);
            text += &format!("  fails at      {line}\n");
            text += &format!("  residual      {residual:e}, allowed {:e} ({name})\n", tolerance.value);
            if let Some(reason) = &c.reason {
                text += &format!("  because       {reason}\n");
            }
            text += &format!("  found in case {case} of seed {seed}, shrunk in {} steps\n", c.path.len() - 1);
            text += &format!("  again         cargo explore run --replay {property}:{case} --seed {seed}\n");
            if let Err(e) = written {
                text += &format!("  (tests/regressions.txt could not be written: {e})\n");
            }
        }
        None if *cases == 0 => text += &format!("  every case was given up ({} of them)\n", report.rejected),
        None => text += &format!("  a misprint that {cases} cases did not refute (seed {seed})\n"),
    }
    text
}

/// The cases that failed once: lines `property seed case # what failed`.
#[derive(Clone)]
struct Regressions {
    file: PathBuf,
}

impl Regressions {
    fn of(&self, property: &str, seed: u64) -> Result<Vec<u64>, Failed> {
        let Ok(text) = std::fs::read_to_string(&self.file) else { return Ok(Vec::new()) };
        let mut cases = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let entry = line.split('#').next().unwrap_or("").split_whitespace().collect::<Vec<_>>();
            match entry[..] {
                [] => {}
                [name, s, case] => {
                    let parsed = (s.parse::<u64>(), case.parse::<u64>());
                    let (Ok(s), Ok(case)) = parsed else {
                        return Err(format!(
                            "{}:{}: expected `property seed case`",
                            self.file.display(),
                            n + 1
                        )
                        .into());
                    };
                    if name == property && s == seed {
                        cases.push(case);
                    }
                }
                _ => {
                    return Err(
                        format!("{}:{}: expected `property seed case`", self.file.display(), n + 1).into()
                    );
                }
            }
        }
        Ok(cases)
    }

    /// Writes the failing case; the file is replaced whole, so that a crash can't leave half of it.
    fn add(&self, report: &Report) -> std::io::Result<()> {
        let Some(found) = &report.counterexample else { return Ok(()) };
        let entry = format!("{} {} {}", report.property, report.seed, found.case);
        let mut text = match std::fs::read_to_string(&self.file) {
            Ok(text) => text,
            Err(_) => "# Cases that failed once; they run first. Made by the tests; commit it.\n".into(),
        };
        if text.lines().any(|l| l.starts_with(&format!("{entry} "))) {
            return Ok(());
        }
        text += &format!("{entry} # {}\n", found.line());
        let fresh = self.file.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, &self.file)
    }
}
