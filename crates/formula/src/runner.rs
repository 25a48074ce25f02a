//! Runs a property: case `i` is drawn from `hash(seed, property, i)`, so that any case can be repeated alone
//! and any range can be changed from outside; a failing case is shrunk along proptest's value trees.

use crate::draw::{Inputs, RangeError, Ranges, Scale, Value, strategy};
use crate::property::{Case, Failure, Property};
use crate::report::{Counterexample, DrawReport, Histogram, Outcome, Report, Step, named};
use proptest::strategy::{SBoxedStrategy, Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use std::collections::{BTreeMap, HashSet};
use std::env::VarError;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

/// How a property is run.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// How many cases are drawn. A property without draws has one, a [costly](crate::Property::costly) one fewer.
    pub cases: u64,
    /// The seed.
    pub seed: u64,
    /// Ranges that differ from the property's own.
    pub ranges: Ranges,
    /// Cases to run before all others: those that failed once.
    pub first: Vec<u64>,
    /// The most checks that shrinking may spend.
    pub shrink_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { cases: 256, seed: 0, ranges: Ranges::default(), first: Vec::new(), shrink_limit: 4096 }
    }
}

impl Config {
    /// The default under proptest's own environment variables, `PROPTEST_CASES` and `PROPTEST_RNG_SEED`.
    ///
    /// # Errors
    /// If one of them is set to something that is no whole number.
    pub fn from_env() -> Result<Self, String> {
        let read = |name: &str| match std::env::var(name) {
            Ok(text) => match text.trim().parse() {
                Ok(n) => Ok(Some(n)),
                Err(_) => Err(format!("{name}={text}: expected a whole number of at least 0")),
            },
            Err(VarError::NotPresent) => Ok(None),
            Err(e) => Err(format!("{name}: {e}")),
        };
        let default = Self::default();
        Ok(Self {
            cases: read("PROPTEST_CASES")?.unwrap_or(default.cases).max(1),
            seed: read("PROPTEST_RNG_SEED")?.unwrap_or(default.seed),
            ..default
        })
    }
}

/// Whether a case passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The residual is within the tolerance.
    Passed,
    /// It is not, or there is none.
    Failed,
    /// The case does not belong to the property's domain.
    GaveUp,
}

/// Where a case came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It was drawn.
    Drawn,
    /// It was tried on the way to a smaller counterexample.
    Shrinking,
}

/// One measured case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseRecord {
    /// Its number; cases tried while shrinking bear the number of the case they came from.
    pub case: u64,
    /// Where it came from.
    pub origin: Origin,
    /// What was drawn.
    pub inputs: Inputs,
    /// What came of it.
    pub status: Status,
    /// How far apart the two sides were; NaN where the check gave no number.
    pub residual: f64,
    /// What happened, where the check gave no number.
    pub reason: Option<String>,
    /// The labels it got.
    pub labels: Vec<String>,
    /// How long the check took.
    pub seconds: f64,
}

/// Runs a property; `watch` sees every case as it is measured.
///
/// # Errors
/// If a range asked for is not one that the property's draw allows.
pub fn run(
    property: &Property,
    config: &Config,
    watch: &mut dyn FnMut(&CaseRecord),
) -> Result<Report, RangeError> {
    let mut run = Run::new(property, config)?;
    while run.step(watch) {}
    Ok(run.report())
}

/// A run under way: a case at a step, so that who watches may stop in between, and look at what there is so far.
///
/// ```
/// use gradus_formula::{Config, Draw, Property, Run};
/// let property = Property::new("x.small", &["x"], "x < 2").draw(Draw::real("x", 0.0..=1.0)).holds(|case| Ok(case.real("x") < 2.0));
/// let mut run = Run::new(&property, &Config::default())?;
/// for _ in 0..10 {
///     assert!(run.step(&mut |_| {}));
/// }
/// assert_eq!((run.report().cases, run.planned()), (10, 256));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Run {
    property: Property,
    config: Config,
    strategy: SBoxedStrategy<Inputs>,
    planned: u64,
    next: u64,
    seen: HashSet<u64>,
    report: Report,
}

impl Run {
    /// A run that has not begun.
    ///
    /// # Errors
    /// If a range asked for is not one that the property's draw allows.
    pub fn new(property: &Property, config: &Config) -> Result<Self, RangeError> {
        let strategy = strategy(&property.draws, &config.ranges)?;
        let mut draws = Vec::new();
        for draw in &property.draws {
            draws.push(DrawReport::new(draw, config.ranges.of(draw)?));
        }
        let headroom = if property.tolerance.value == 0.0 {
            Histogram::new(0.0, 1.0, 2, false)
        } else {
            Histogram::new(-8.0, 1.0, 18, true)
        };
        let report = Report {
            property: property.id,
            formulas: property.formulas,
            statement: property.statement,
            outcome: Outcome::Pass,
            seed: config.seed,
            cases: 0,
            rejected: 0,
            residual: 0.0,
            worst_case: None,
            tolerance: property.tolerance,
            headroom,
            draws,
            duplicates: 0,
            labels: BTreeMap::new(),
            counterexample: None,
            seconds: 0.0,
        };
        let planned = config.first.len() as u64 + property.cases(config.cases);
        let (property, config) = (property.clone(), config.clone());
        Ok(Self { property, config, strategy, planned, next: 0, seen: HashSet::new(), report })
    }

    /// How many cases it draws, if none fails.
    pub fn planned(&self) -> u64 {
        self.planned
    }

    /// Whether nothing is left to do.
    pub fn done(&self) -> bool {
        self.next >= self.planned || self.report.counterexample.is_some()
    }

    /// Draws and measures a case, and makes it as small as it can if it fails; whether something is left to do.
    pub fn step(&mut self, watch: &mut dyn FnMut(&CaseRecord)) -> bool {
        if self.done() {
            return false;
        }
        let clock = Clock::start();
        let first = self.config.first.len() as u64;
        // The cases that failed once stand in front of the others.
        let case = match self.next.checked_sub(first) {
            Some(case) => case,
            None => self.config.first[self.next as usize],
        };
        self.next += 1;
        let (mut tree, record) = draw_case(&self.property, &self.strategy, self.config.seed, case);
        watch(&record);
        if record.status == Status::GaveUp {
            self.report.rejected += 1;
        } else {
            self.report.add(&record, &mut self.seen);
        }
        if record.status == Status::Failed {
            let smallest = shrink(&self.property, &mut *tree, record, &self.config, watch);
            self.report.counterexample = Some(smallest);
        }
        self.report.seconds += clock.seconds();
        !self.done()
    }

    /// The same, where making a failed case smaller may take about so long, as long as cases have taken so far.
    pub(crate) fn step_within(&mut self, time: Duration) -> bool {
        let a_case = self.report.seconds / self.report.cases.max(1) as f64;
        // Of the first case it is not known how long one takes.
        let most = if self.report.cases == 0 { 64.0 } else { time.as_secs_f64() / a_case };
        self.config.shrink_limit = most.clamp(8.0, 4096.0) as u32;
        self.step(&mut |_| {})
    }

    /// The property.
    pub fn property(&self) -> &Property {
        &self.property
    }

    /// How it is run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Measures one case of it again.
    pub fn replay(&self, case: u64) -> CaseRecord {
        draw_case(&self.property, &self.strategy, self.config.seed, case).1
    }

    /// What has come of it so far.
    pub fn report(&self) -> Report {
        let outcome = match (self.property.refutation, self.report.counterexample.is_some()) {
            (true, true) => Outcome::Refuted,
            (true, false) => Outcome::Unrefuted,
            (false, true) => Outcome::Fail,
            // A property that gave every case up has shown nothing.
            (false, false) if self.report.cases == 0 => Outcome::Fail,
            (false, false) => Outcome::Pass,
        };
        Report { outcome, ..self.report.clone() }
    }
}

/// Measures one case alone, as [`run`] with the same seed and ranges would.
///
/// # Errors
/// If a range asked for is not one that the property's draw allows.
pub fn replay(property: &Property, config: &Config, case: u64) -> Result<CaseRecord, RangeError> {
    let strategy = strategy(&property.draws, &config.ranges)?;
    Ok(draw_case(property, &strategy, config.seed, case).1)
}

type Tree = Box<dyn ValueTree<Value = Inputs>>;

fn draw_case(p: &Property, strategy: &SBoxedStrategy<Inputs>, seed: u64, case: u64) -> (Tree, CaseRecord) {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &case_seed(seed, p.id, case));
    let mut runner = TestRunner::new_with_rng(proptest::test_runner::Config::default(), rng);
    match strategy.new_tree(&mut runner) {
        Ok(tree) => {
            let record = measure(p, tree.current(), case, Origin::Drawn);
            (Box::new(tree), record)
        }
        // The strategies of `draw` are ranges and maps: they do not filter, so they do not reject.
        Err(reason) => unreachable!("{}: {reason}", p.id),
    }
}

fn measure(property: &Property, inputs: Inputs, case: u64, origin: Origin) -> CaseRecord {
    let clock = Clock::start();
    let mut view = Case::new(&inputs);
    let measured = property.measure(&mut view);
    let labels = view.labels;
    let (status, residual, reason) = match measured {
        Ok(r) if property.tolerance.admits(r) => (Status::Passed, r, None),
        Ok(r) => (Status::Failed, r, None),
        Err(Failure::Reject(why)) => (Status::GaveUp, f64::NAN, Some(why)),
        Err(Failure::Error(why)) => (Status::Failed, f64::NAN, Some(why)),
    };
    CaseRecord { case, origin, inputs, status, residual, reason, labels, seconds: clock.seconds() }
}

impl Report {
    fn add(&mut self, record: &CaseRecord, seen: &mut HashSet<u64>) {
        self.cases += 1;
        let mut hasher = DefaultHasher::new();
        record.inputs.to_string().hash(&mut hasher);
        self.duplicates += u64::from(!seen.insert(hasher.finish()));
        for (report, (_, value)) in self.draws.iter_mut().zip(record.inputs.iter()) {
            report.add(value);
        }
        for label in &record.labels {
            *self.labels.entry(label.clone()).or_default() += 1;
        }
        let r = record.residual;
        // `>` alone would let a NaN slip by.
        if r.is_nan() || r > self.residual || self.worst_case.is_none() {
            (self.residual, self.worst_case) = (r, Some(record.case));
        }
        if self.tolerance.value == 0.0 {
            self.headroom.add(if r == 0.0 { 0.0 } else { 1.0 });
        } else {
            // No number leaves no room: a NaN would count as the smallest residual.
            self.headroom.add(if r.is_nan() { f64::INFINITY } else { r / self.tolerance.value });
        }
    }
}

/// Of a whole number this close to the least one, every smaller value is tried in the end.
const SIZES: i64 = 16;

/// Walks proptest's value tree towards the smallest inputs that still fail, then to plainer numbers near them.
fn shrink(
    property: &Property,
    tree: &mut dyn ValueTree<Value = Inputs>,
    first: CaseRecord,
    config: &Config,
    watch: &mut dyn FnMut(&CaseRecord),
) -> Counterexample {
    let case = first.case;
    let mut path = vec![Step { inputs: named(&first.inputs), residual: first.residual }];
    let mut best = first;
    let mut spent = 0;
    let mut still_fails = |inputs: Inputs, best: &mut CaseRecord| {
        // A step in what the present sizes cut off changes nothing: it still fails, for free.
        if inputs == best.inputs {
            return true;
        }
        if spent == config.shrink_limit {
            return false;
        }
        spent += 1;
        let record = measure(property, inputs, case, Origin::Shrinking);
        watch(&record);
        let fails = record.status == Status::Failed;
        if fails {
            path.push(Step { inputs: named(&record.inputs), residual: record.residual });
            *best = record;
        }
        fails
    };
    let mut moved = tree.simplify();
    while moved {
        moved = if still_fails(tree.current(), &mut best) { tree.simplify() } else { tree.complicate() };
    }
    // The tree shrinks sizes first, while the contents are still wild; with tame contents a smaller size may do.
    for (i, draw) in property.draws.iter().enumerate() {
        let (Ok(range), Some(Value::Integer(now))) = (config.ranges.of(draw), best.inputs.value(i)) else {
            continue;
        };
        let low = range.low.ceil() as i64;
        if draw.scale == Scale::Integer && low >= 0 && now - low <= SIZES {
            let smaller = (low..now).find(|&size| {
                let inputs = best.inputs.resized(&property.draws, i, size);
                inputs.is_some_and(|inputs| still_fails(inputs, &mut best))
            });
            debug_assert!(smaller.is_none_or(|size| best.inputs.value(i) == Some(Value::Integer(size))));
        }
    }
    for (i, draw) in property.draws.iter().enumerate() {
        let Ok(range) = config.ranges.of(draw) else { continue };
        let numbers = best.inputs.0[i].1.numbers().to_vec();
        for (at, x) in numbers.into_iter().enumerate() {
            if let Some(plainer) = draw.plainer(x, range) {
                let mut inputs = best.inputs.clone();
                inputs.0[i].1.set(at, plainer);
                still_fails(inputs, &mut best);
            }
        }
    }
    Counterexample { case, inputs: named(&best.inputs), residual: best.residual, reason: best.reason, path }
}

/// The 32 bytes that draw case `case` of `property`: FNV-1a over the name, then SplitMix64.
fn case_seed(seed: u64, property: &str, case: u64) -> [u8; 32] {
    let mut state = 0xcbf2_9ce4_8422_2325u64;
    for byte in property.bytes().chain(seed.to_le_bytes()).chain(case.to_le_bytes()) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let mut out = [0; 32];
    for chunk in out.chunks_exact_mut(8) {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes());
    }
    out
}

/// A stopwatch that stands still where there is no clock, as in a page.
struct Clock(#[cfg(not(target_arch = "wasm32"))] std::time::Instant);

impl Clock {
    fn start() -> Self {
        Self(
            #[cfg(not(target_arch = "wasm32"))]
            std::time::Instant::now(),
        )
    }

    fn seconds(&self) -> f64 {
        #[cfg(not(target_arch = "wasm32"))]
        return self.0.elapsed().as_secs_f64();
        #[cfg(target_arch = "wasm32")]
        0.0
    }
}
