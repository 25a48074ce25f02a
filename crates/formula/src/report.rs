//! The result of a run, as data: verdict, distributions, headroom, and the smallest counterexample.

use crate::draw::{Draw, Inputs, Range, Scale, Value};
use crate::property::Tolerance;
use std::collections::BTreeMap;

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "json", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Outcome {
    /// Every case passed.
    Pass,
    /// A case failed, or none was accepted.
    Fail,
    /// A misprint, and a counterexample to it was found: as it should be.
    Refuted,
    /// A misprint, and no case failed it: the evidence is missing.
    Unrefuted,
}

impl Outcome {
    /// The word for it: `pass`, `fail`, `refuted`, `unrefuted`.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Pass => "pass",
            Outcome::Fail => "fail",
            Outcome::Refuted => "refuted",
            Outcome::Unrefuted => "unrefuted",
        }
    }
}

/// The result of running one property.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Report {
    /// The property.
    pub property: &'static str,
    /// The formulas it speaks about.
    pub formulas: &'static [&'static str],
    /// What it says.
    pub statement: &'static str,
    /// What came of it.
    pub outcome: Outcome,
    /// The seed of the run.
    pub seed: u64,
    /// How many cases were measured (rejected ones are not counted).
    pub cases: u64,
    /// How many cases were given up.
    pub rejected: u64,
    /// The largest residual among the cases as drawn; NaN if one was NaN or failed without a number.
    pub residual: f64,
    /// Which case had it.
    pub worst_case: Option<u64>,
    /// What was allowed.
    pub tolerance: Tolerance,
    /// Residual ÷ tolerance in powers of ten (for an exact property: 0 or more).
    pub headroom: Histogram,
    /// What was drawn, per draw.
    pub draws: Vec<DrawReport>,
    /// How many cases repeated the inputs of an earlier one.
    pub duplicates: u64,
    /// How many cases bore each label.
    pub labels: BTreeMap<String, u64>,
    /// The smallest counterexample, where a case failed.
    pub counterexample: Option<Counterexample>,
    /// How long it took.
    pub seconds: f64,
}

impl Report {
    /// Whether this is what should have come: a pass, or a misprint refuted.
    pub fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::Pass | Outcome::Refuted)
    }
}

/// A failing case, made as small as the runner could.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Counterexample {
    /// The case in which the failure was first seen.
    pub case: u64,
    /// The smallest inputs that still fail, by name.
    pub inputs: Vec<(String, String)>,
    /// The residual there.
    pub residual: f64,
    /// What happened, where it was not a residual.
    pub reason: Option<String>,
    /// The way from the first failing inputs to the smallest, each step a failure.
    pub path: Vec<Step>,
}

impl Counterexample {
    /// The inputs in a line: `a = 2, x = 1`.
    pub fn line(&self) -> String {
        line(&self.inputs)
    }
}

/// One step of the way to the smallest counterexample.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Step {
    /// The inputs, by name.
    pub inputs: Vec<(String, String)>,
    /// The residual there.
    pub residual: f64,
}

pub(crate) fn named(inputs: &Inputs) -> Vec<(String, String)> {
    inputs.iter().map(|(n, v)| (n.to_owned(), v.to_string())).collect()
}

pub(crate) fn line(inputs: &[(String, String)]) -> String {
    if inputs.is_empty() {
        return "(nothing is drawn)".into();
    }
    inputs.iter().map(|(n, v)| format!("{n} = {v}")).collect::<Vec<_>>().join(", ")
}

/// Counts over equal bins.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Histogram {
    /// The left edge of the first bin.
    pub low: f64,
    /// The right edge of the last bin.
    pub high: f64,
    /// Whether the edges are decimal logarithms.
    pub log: bool,
    /// The counts.
    pub counts: Vec<u64>,
}

impl Histogram {
    pub(crate) fn new(low: f64, high: f64, bins: usize, log: bool) -> Self {
        Self { low, high, log, counts: vec![0; bins.max(1)] }
    }

    pub(crate) fn add(&mut self, x: f64) {
        let x = if self.log { x.log10() } else { x };
        let bins = self.counts.len();
        let width = (self.high - self.low) / bins as f64;
        let at =
            if width > 0.0 { ((x - self.low) / width).floor().clamp(0.0, (bins - 1) as f64) } else { 0.0 };
        self.counts[at as usize] += 1;
    }

    /// How many values were counted.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// What was drawn under one name.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct DrawReport {
    /// The draw.
    pub name: &'static str,
    /// The range of this run.
    pub range: Range,
    /// The scale.
    pub scale: Scale,
    /// The smallest value that came.
    pub smallest: f64,
    /// The largest value that came.
    pub largest: f64,
    /// How many values were exactly zero.
    pub zeros: u64,
    /// Where the values lie.
    pub histogram: Histogram,
    /// For a choice: its options, in the histogram's order.
    pub options: Option<&'static [&'static str]>,
}

impl DrawReport {
    pub(crate) fn new(draw: &Draw, range: Range) -> Self {
        let histogram = match draw.scale {
            Scale::Log => Histogram::new(range.low.log10(), range.high.log10(), 20, true),
            Scale::Linear => Histogram::new(range.low, range.high, 20, false),
            Scale::Integer => {
                let values = (range.high - range.low) as usize + 1;
                Histogram::new(range.low - 0.5, range.high + 0.5, values.min(20), false)
            }
        };
        Self {
            name: draw.name,
            range,
            scale: draw.scale,
            smallest: f64::INFINITY,
            largest: f64::NEG_INFINITY,
            zeros: 0,
            histogram,
            options: draw.options,
        }
    }

    pub(crate) fn add(&mut self, value: &Value) {
        match value {
            Value::Integer(i) => self.count(*i as f64),
            Value::Choice(c) => {
                let at = self.options.and_then(|o| o.iter().position(|x| x == c));
                self.count(at.unwrap_or(0) as f64);
            }
            Value::Real(_) | Value::Array(_) => value.numbers().iter().for_each(|&x| self.count(x)),
        }
    }

    fn count(&mut self, x: f64) {
        self.smallest = self.smallest.min(x);
        self.largest = self.largest.max(x);
        self.zeros += u64::from(x == 0.0);
        self.histogram.add(x);
    }
}
