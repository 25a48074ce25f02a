//! Timing and printing.

use serde_json::{Map, Value, json};
use std::hint::black_box;
use std::io::Write;
use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

/// One workload's run.
pub(crate) struct Bench {
    pub(crate) workload: &'static str,
    pub(crate) threads: usize,
    pub(crate) case: String,
    pub(crate) peer: String,
    pub(crate) budget: f64,
    pub(crate) repetitions: RangeInclusive<usize>,
}

/// What one call does: floating-point operations, bytes moved at the least, things processed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) flop: usize,
    pub(crate) bytes: usize,
    pub(crate) items: usize,
}

impl Bench {
    /// Whether a case is asked for: its data need not be made otherwise.
    pub(crate) fn wants(&self, case: &str) -> bool {
        case.contains(&self.case)
    }

    /// Times `inner` calls of `f` at a time, after one that warms up.
    pub(crate) fn case<R>(
        &self,
        case: &str,
        peer: &str,
        work: Work,
        inner: usize,
        mut f: impl FnMut() -> crate::Result<R>,
    ) -> crate::Result {
        if !self.wants(case) || !peer.contains(&self.peer) {
            return Ok(());
        }
        black_box(f()?);
        let (mut times, mut processor) = (Vec::new(), Vec::new());
        let end = Instant::now() + Duration::from_secs_f64(self.budget);
        while times.len() < *self.repetitions.end()
            && (times.len() < *self.repetitions.start() || Instant::now() < end)
        {
            let (wall, cpu) = (Instant::now(), processor_time());
            for _ in 0..inner {
                black_box(f()?);
            }
            times.push(wall.elapsed().as_secs_f64() / inner as f64);
            processor.push(cpu.and_then(|c| Some((processor_time()? - c) / inner as f64)));
        }
        let mut line = Map::new();
        let mut set = |key: &str, value: Value| line.insert(key.into(), value);
        set("w", json!(self.workload));
        set("case", json!(case));
        set("peer", json!(peer));
        set("threads", json!(self.threads));
        set("times", json!(times));
        if let Some(processor) = processor.into_iter().collect::<Option<Vec<f64>>>() {
            set("cpu", json!(processor));
        }
        for (key, value) in [("flop", work.flop), ("bytes", work.bytes), ("items", work.items)] {
            if value > 0 {
                set(key, json!(value));
            }
        }
        // A reader that has gone away is an error like another, not a panic.
        writeln!(std::io::stdout(), "{}", Value::Object(line))?;
        Ok(())
    }
}

/// Processor seconds of all threads of this process so far, where the system tells.
fn processor_time() -> Option<f64> {
    let nanoseconds = |task: std::fs::DirEntry| -> Option<f64> {
        let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    let tasks = std::fs::read_dir("/proc/self/task").ok()?;
    Some(tasks.flatten().filter_map(nanoseconds).sum::<f64>() * 1e-9)
}
