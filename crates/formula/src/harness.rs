//! Every property of a crate as a test of its own name, with the options of any Rust test binary.

use crate::{Config, Property, Report, run};
use libtest_mimic::{Arguments, Failed, Trial};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

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
        let text = self.read().map_err(|e| format!("{}: {e}", self.file.display()))?;
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

    /// What the file holds; nothing, if there is none. A file that can't be read is not taken for none: it would be
    /// written over.
    fn read(&self) -> std::io::Result<String> {
        match std::fs::read_to_string(&self.file) {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }

    /// Writes the failing case; the file is replaced whole, so that a crash can't leave half of it.
    fn add(&self, report: &Report) -> std::io::Result<()> {
        // Properties are tested side by side: between reading and replacing, no other may write.
        static WRITING: Mutex<()> = Mutex::new(());
        let _turn = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(found) = &report.counterexample else { return Ok(()) };
        let entry = format!("{} {} {}", report.property, report.seed, found.case);
        let mut text = self.read()?;
        if text.is_empty() {
            text += "# Cases that failed once; they run first. Made by the tests; commit it.\n";
        }
        if text.lines().any(|l| l.split('#').next().unwrap_or("").split_whitespace().eq(entry.split(' '))) {
            return Ok(());
        }
        if !text.ends_with('\n') {
            text.push('\n'); // an editor may have left it out
        }
        text += &format!("{entry} # {}\n", found.line());
        let fresh = self.file.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&fresh, text)?;
        std::fs::rename(fresh, &self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(id: &'static str) -> Report {
        let property = Property::new(id, &[], "never").check(|_| Ok(1.0));
        run(&property, &Config::default(), &mut |_| {}).unwrap()
    }

    /// A file of this test's own.
    fn regressions(name: &str) -> Regressions {
        let file = std::env::temp_dir().join(format!("gradus-{}-{name}.txt", std::process::id()));
        let _ = std::fs::remove_file(&file);
        Regressions { file }
    }

    #[test]
    fn properties_that_fail_at_once_lose_no_line() {
        const IDS: [&str; 16] =
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p"];
        let regressions = regressions("at-once");
        std::thread::scope(|scope| {
            for id in IDS {
                let regressions = &regressions;
                scope.spawn(move || regressions.add(&failing(id)).unwrap());
            }
        });
        for id in IDS {
            assert_eq!(regressions.of(id, 0).unwrap(), [0], "{id}");
        }
        std::fs::remove_file(&regressions.file).unwrap();
    }

    #[test]
    fn a_line_is_written_once_and_on_its_own() {
        let regressions = regressions("lines");
        std::fs::write(&regressions.file, "# by hand\na 0 0\nb 7 3").unwrap();
        for id in ["a", "c", "c"] {
            regressions.add(&failing(id)).unwrap();
        }
        let text = std::fs::read_to_string(&regressions.file).unwrap();
        assert_eq!(text, "# by hand\na 0 0\nb 7 3\nc 0 0 # (nothing is drawn)\n");
        assert_eq!((regressions.of("b", 7).unwrap(), regressions.of("b", 0).unwrap()), (vec![3], vec![]));
        std::fs::remove_file(&regressions.file).unwrap();
    }

    #[test]
    fn a_file_that_is_none_of_ours_is_refused_and_kept() {
        let regressions = regressions("foreign");
        for text in [&b"a zero 0"[..], b"a 0", b"a 0 0 0", b"\xff\xfe"] {
            std::fs::write(&regressions.file, text).unwrap();
            assert!(regressions.of("a", 0).is_err());
        }
        assert!(regressions.add(&failing("a")).is_err());
        assert_eq!(std::fs::read(&regressions.file).unwrap(), b"\xff\xfe");
        std::fs::remove_file(&regressions.file).unwrap();
        assert_eq!(regressions.of("a", 0).unwrap(), [] as [u64; 0], "no file is no line");
    }
}
