//! A property as a value: a statement about a formula, what it varies, and how far apart its two sides are.

use crate::derivation::Derivation;
use crate::draw::{Array, Draw, Inputs, Value};
use std::fmt;
use std::sync::Arc;

/// How far apart the two sides of a property may be, and the name of that distance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "json", derive(serde::Serialize))]
pub struct Tolerance {
    /// What the number means and where it comes from: `2 ulp of 1`, `five-point difference floor`.
    pub name: &'static str,
    /// The largest residual that passes.
    pub value: f64,
}

impl Tolerance {
    /// The two sides must be equal.
    pub const EXACT: Self = Self { name: "exact", value: 0.0 };

    /// A named tolerance.
    pub const fn new(name: &'static str, value: f64) -> Self {
        Self { name, value }
    }

    /// Whether a residual passes; a NaN does not.
    pub fn admits(&self, residual: f64) -> bool {
        residual <= self.value
    }
}

/// Why a check gave no residual.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The case does not belong to the property's domain. Build structure rather than reject.
    Reject(String),
    /// Something that should have worked returned an error: the property fails.
    Error(String),
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(e: E) -> Self {
        Failure::Error(e.to_string())
    }
}

/// The function that measures a case: how far apart the two sides are.
pub type Check = dyn Fn(&mut Case<'_>) -> Result<f64, Failure> + Send + Sync;

/// One case, as its check sees it: what was drawn, and a place for labels.
pub struct Case<'a> {
    inputs: &'a Inputs,
    pub(crate) labels: Vec<String>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(inputs: &'a Inputs) -> Self {
        Self { inputs, labels: Vec::new() }
    }

    /// The real number drawn under this name.
    ///
    /// # Panics
    /// If the property has no such draw: a slip in the property, which its first run shows.
    pub fn real(&self, name: &str) -> f64 {
        match self.inputs.get(name) {
            Some(Value::Real(x)) => *x,
            Some(Value::Integer(i)) => *i as f64,
            other => panic!("`{name}` is no real draw: {other:?}"),
        }
    }

    /// The whole number drawn under this name. Panics as [`real`](Self::real) does.
    pub fn integer(&self, name: &str) -> i64 {
        match self.inputs.get(name) {
            Some(Value::Integer(i)) => *i,
            other => panic!("`{name}` is no integer draw: {other:?}"),
        }
    }

    /// The size drawn under this name. Panics as [`real`](Self::real) does.
    pub fn size(&self, name: &str) -> usize {
        self.integer(name) as usize
    }

    /// The seed drawn under this name. Panics as [`real`](Self::real) does.
    pub fn seed(&self, name: &str) -> u64 {
        self.integer(name) as u64
    }

    /// The option drawn under this name. Panics as [`real`](Self::real) does.
    pub fn choice(&self, name: &str) -> &'static str {
        match self.inputs.get(name) {
            Some(Value::Choice(c)) => c,
            other => panic!("`{name}` is no choice: {other:?}"),
        }
    }

    /// The array drawn under this name. Panics as [`real`](Self::real) does.
    pub fn array(&self, name: &str) -> &'a Array {
        match self.inputs.get(name) {
            Some(Value::Array(a)) => a,
            other => panic!("`{name}` is no array draw: {other:?}"),
        }
    }

    /// Everything that was drawn.
    pub fn inputs(&self) -> &'a Inputs {
        self.inputs
    }

    /// Puts a label on the case: the report counts them.
    pub fn label(&mut self, label: impl Into<String>) {
        let label = label.into();
        if !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }

    /// Puts a label on the case where `yes`.
    pub fn classify(&mut self, yes: bool, label: &str) {
        if yes {
            self.label(label);
        }
    }

    /// Gives the case up: it does not belong to the property's domain.
    pub fn reject(&self, why: impl Into<String>) -> Failure {
        Failure::Reject(why.into())
    }
}

/// A statement about one or more formulas that can be run.
///
/// It passes a case iff the residual that its check returns is at most the tolerance; a NaN, an error and a
/// panic fail. A *refutation* is the same about a misprinted formula, and is expected to fail: its smallest
/// counterexample is what the book shows.
#[derive(Clone)]
pub struct Property {
    /// The id, beginning with the formula's: `sigmoid.symmetry`.
    pub id: &'static str,
    /// The formulas it is evidence for, the main one first.
    pub formulas: &'static [&'static str],
    /// What it says, in a line.
    pub statement: &'static str,
    /// What it varies.
    pub draws: Vec<Draw>,
    /// How far apart the two sides may be.
    pub tolerance: Tolerance,
    /// Whether it states a misprint and so must fail.
    pub refutation: bool,
    /// How many cases of another property one of this costs.
    pub cost: u64,
    /// The derivation that it checks line by line, if it is one.
    pub derivation: Option<Arc<Derivation>>,
    check: Arc<Check>,
}

impl Property {
    /// A statement that must hold. Without further calls it draws nothing and is exact.
    ///
    /// ```
    /// use gradus_formula::{Draw, Property, Tolerance};
    /// let symmetric = Property::new("square.even", &["square"], "(−x)² = x²")
    ///     .draw(Draw::real("x", -1e3..=1e3))
    ///     .check(|case| {
    ///         let x = case.real("x");
    ///         case.classify(x == 0.0, "zero");
    ///         Ok(((-x) * (-x) - x * x).abs())
    ///     });
    /// let report = gradus_formula::run(&symmetric, &Default::default(), &mut |_| {})?;
    /// assert!(report.passed());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Self {
        Self {
            id,
            formulas,
            statement,
            draws: Vec::new(),
            tolerance: Tolerance::EXACT,
            refutation: false,
            cost: 1,
            derivation: None,
            check: Arc::new(|_| Err(Failure::Error("the property has no check".into()))),
        }
    }

    /// A statement of the notes that must fail.
    pub fn refutation(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Self {
        Self { refutation: true, ..Self::new(id, formulas, statement) }
    }

    /// Adds a named draw.
    #[must_use]
    pub fn draw(mut self, draw: Draw) -> Self {
        self.draws.push(draw);
        self
    }

    /// Sets the tolerance, with its name.
    #[must_use]
    pub fn within(mut self, name: &'static str, value: f64) -> Self {
        self.tolerance = Tolerance::new(name, value);
        self
    }

    /// Says that a case takes as long as so many of others: a run draws so many times fewer, and at least one.
    ///
    /// ```
    /// use gradus_formula::{Config, Draw, Property, run};
    /// let slow = Property::new("x.slow", &["x"], "").draw(Draw::real("x", 0.0..=1.0)).costly(10).holds(|_| Ok(true));
    /// assert_eq!(run(&slow, &Config::default(), &mut |_| {})?.cases, 26); // of 256
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn costly(mut self, times: u64) -> Self {
        self.cost = times.max(1);
        self
    }

    /// How many cases a run draws that draws so many of others: one, if there is nothing to draw.
    #[must_use]
    pub fn cases(&self, of_others: u64) -> u64 {
        if self.draws.is_empty() { 1 } else { of_others.div_ceil(self.cost) }
    }

    /// Sets the check: from a case to how far apart the two sides are.
    #[must_use]
    pub fn check(
        mut self,
        check: impl Fn(&mut Case<'_>) -> Result<f64, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.check = Arc::new(check);
        self
    }

    /// Sets a yes-or-no check: `false` is a residual of infinity.
    #[must_use]
    pub fn holds(
        self,
        check: impl Fn(&mut Case<'_>) -> Result<bool, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.check(move |case| Ok(if check(case)? { 0.0 } else { f64::INFINITY }))
    }

    /// The main formula's id.
    pub fn formula(&self) -> &'static str {
        self.formulas.first().copied().unwrap_or("")
    }

    /// Measures one case.
    pub(crate) fn measure(&self, case: &mut Case<'_>) -> Result<f64, Failure> {
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| (self.check)(case)));
        caught.unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            Err(Failure::Error(format!("panicked: {text}")))
        })
    }
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Property")
            .field("id", &self.id)
            .field("statement", &self.statement)
            .finish_non_exhaustive()
    }
}
