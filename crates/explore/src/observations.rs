//! Every case as a line of Hypothesis' observation schema, which Tyche opens.

use gradus_formula::{CaseRecord, Property, observation};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// How much is gathered before it is written.
const BUFFER: usize = 1 << 16;

/// A file of observations. Only whole lines are ever written, so a crash leaves a file that still reads.
#[derive(Debug)]
pub struct Observations<W: Write = File> {
    out: W,
    lines: Vec<u8>,
    run_start: f64,
}

impl Observations {
    /// Begins the file anew.
    ///
    /// # Errors
    /// If it can't be created.
    pub fn create(path: &Path) -> io::Result<Self> {
        Ok(Self::new(File::create(path)?))
    }
}

impl<W: Write> Observations<W> {
    /// Begins a run of observations, all with the present time as its start.
    pub fn new(out: W) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self { out, lines: Vec::new(), run_start: since.map_or(0.0, |t| t.as_secs_f64()) }
    }

    /// Adds a case.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn add(&mut self, property: &Property, record: &CaseRecord) -> io::Result<()> {
        serde_json::to_writer(&mut self.lines, &observation(property, record, self.run_start))?;
        self.lines.push(b'\n');
        if self.lines.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    /// Writes what has been gathered.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn flush(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.lines);
        self.out.write_all(&lines)?;
        self.out.flush()
    }
}

impl<W: Write> Drop for Observations<W> {
    fn drop(&mut self) {
        // Where the run ended by an error, that one is told, and not a second one from here.
        let _ = self.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_formula::{Config, Draw, run};

    /// Remembers what each write held.
    struct Writes<'a>(&'a mut Vec<Vec<u8>>);

    impl Write for Writes<'_> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_write_ends_a_line_and_every_case_has_one() {
        let property = Property::new("t.below", &["t"], "x < 900")
            .draw(Draw::real("x", 0.0..=1000.0))
            .holds(|case| Ok(case.real("x") < 999.0));
        let mut writes = Vec::new();
        let mut cases = 0;
        let mut file = Observations::new(Writes(&mut writes));
        let config = Config { cases: 5000, ..Config::default() };
        run(&property, &config, &mut |record| {
            cases += 1;
            file.add(&property, record).unwrap();
        })
        .unwrap();
        drop(file);
        let writes: Vec<_> = writes.into_iter().filter(|w| !w.is_empty()).collect();
        assert!(writes.len() > 1, "the test is to see more than one write");
        assert!(writes.iter().all(|w| w.ends_with(b"\n")));
        let text = String::from_utf8(writes.concat()).unwrap();
        assert_eq!(text.lines().count(), cases);
        for line in text.lines() {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(json["type"], "test_case");
        }
    }
}
