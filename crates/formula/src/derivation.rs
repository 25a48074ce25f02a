//! A derivation as a value: numbered lines, each with what it is worth; a line that does not equal the one before it is found, and told by its number.

use crate::draw::Draw;
use crate::property::{Case, Failure, Property, Tolerance};
use crate::verdict::number;
use std::fmt;
use std::sync::Arc;

/// What a line is worth where a case is: one number, or all numbers of a vector or a matrix in their order.
pub type LineValue = dyn Fn(&mut Case<'_>) -> Result<Vec<f64>, Failure> + Send + Sync;

/// A line of a derivation.
#[derive(Clone)]
pub struct Line {
    /// The line in LaTeX.
    pub latex: &'static str,
    /// Why it equals the line before; of the first line, what it is. Mathematics stands between dollars.
    pub because: &'static str,
    /// How far it may be from the line before, relative to 1 and that line's largest number.
    pub tolerance: Tolerance,
    value: Arc<LineValue>,
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("latex", &self.latex)
            .field("because", &self.because)
            .finish_non_exhaustive()
    }
}

/// A derivation: from the first line to the last, each equal to the one before it, for everything that is drawn.
///
/// As a [`Property`] it is run, explored and shown like any other; a line that does not follow is named. A derivation may also be a
/// *printed* one, with a line that is known not to follow: it is a refutation, and comes out only if that very line is found.
#[derive(Debug, Clone)]
pub struct Derivation {
    /// The id, beginning with the formula's: `sigmoid-derivative.derivation`.
    pub id: &'static str,
    /// The formulas that it derives, the main one first.
    pub formulas: &'static [&'static str],
    /// What is derived, in a line.
    pub title: &'static str,
    /// What the lines are about.
    pub draws: Vec<Draw>,
    /// The lines, at least two.
    pub lines: Vec<Line>,
    /// The line that does not follow, counted from 1, where the derivation is known to be wrong.
    pub slip: Option<usize>,
    tolerance: Tolerance,
    cost: u64,
}

impl Derivation {
    /// A derivation without lines.
    ///
    /// ```
    /// use gradus_formula::{Config, Derivation, Draw, Outcome, run};
    /// let square = |wrong: f64| {
    ///     Derivation::new("square.derivation", &["square"], "The square of a sum")
    ///         .draw(Draw::integer("a", -9..=9))
    ///         .draw(Draw::integer("b", -9..=9))
    ///         .line("(a + b)^2", "what is wanted", |case| Ok(vec![(case.real("a") + case.real("b")).powi(2)]))
    ///         .line("a(a + b) + b(a + b)", "one bracket taken apart", |case| {
    ///             let (a, b) = (case.real("a"), case.real("b"));
    ///             Ok(vec![a * (a + b) + b * (a + b)])
    ///         })
    ///         .line("a^2 + 2ab + b^2", "and the other", move |case| {
    ///             let (a, b) = (case.real("a"), case.real("b"));
    ///             Ok(vec![a * a + wrong * a * b + b * b])
    ///         })
    /// };
    /// assert!(run(&square(2.0).property(), &Config::default(), &mut |_| {})?.passed());
    /// let report = run(&square(1.0).property(), &Config::default(), &mut |_| {})?;
    /// let found = report.counterexample.and_then(|found| found.reason).unwrap_or_default();
    /// assert!(found.starts_with("line 3 does not follow from line 2"), "{found}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(id: &'static str, formulas: &'static [&'static str], title: &'static str) -> Self {
        Self {
            id,
            formulas,
            title,
            draws: Vec::new(),
            lines: Vec::new(),
            slip: None,
            tolerance: Tolerance::new("rounding", 1e-12),
            cost: 1,
        }
    }

    /// Adds a named draw.
    #[must_use]
    pub fn draw(mut self, draw: Draw) -> Self {
        self.draws.push(draw);
        self
    }

    /// Sets how far apart neighbours may be, for the lines that follow.
    #[must_use]
    pub fn within(mut self, name: &'static str, value: f64) -> Self {
        self.tolerance = Tolerance::new(name, value);
        self
    }

    /// Says that a case takes as long as so many of other properties.
    #[must_use]
    pub fn costly(mut self, times: u64) -> Self {
        self.cost = times;
        self
    }

    /// Says which line is known not to follow, counted from 1.
    #[must_use]
    pub fn slip(mut self, line: usize) -> Self {
        self.slip = Some(line);
        self
    }

    /// Adds a line: in LaTeX, why it equals the line before, and what it is worth.
    #[must_use]
    pub fn line(
        mut self,
        latex: &'static str,
        because: &'static str,
        value: impl Fn(&mut Case<'_>) -> Result<Vec<f64>, Failure> + Send + Sync + 'static,
    ) -> Self {
        self.lines.push(Line { latex, because, tolerance: self.tolerance, value: Arc::new(value) });
        self
    }

    /// The derivation as a property: its residual is the largest distance between neighbours, in units of what is allowed there.
    pub fn property(&self) -> Property {
        let (lines, slip) = (self.lines.clone(), self.slip);
        let new = if slip.is_some() { Property::refutation } else { Property::new };
        let mut property = new(self.id, self.formulas, self.title).costly(self.cost);
        for draw in &self.draws {
            property = property.draw(draw.clone());
        }
        property.derivation = Some(Arc::new(self.clone()));
        property.within("each line’s own tolerance", 1.0).check(move |case| {
            let mut largest = 0.0f64;
            let mut before: Option<Vec<f64>> = None;
            let mut found: Option<Failure> = None;
            for (at, line) in lines.iter().enumerate() {
                let now = (line.value)(case)?;
                if let Some(before) = &before {
                    let apart = apart(before, &now) / line.tolerance.value;
                    // A NaN is no number that is small enough.
                    if apart <= 1.0 {
                        largest = largest.max(apart);
                    } else if slip.is_some_and(|slip| slip != at + 1) {
                        // That another line than the one that is known does not follow is no refutation.
                        return Ok(0.0);
                    } else {
                        let (x, y) = shown(before, &now);
                        let said = format!("line {} does not follow from line {at}: {y} against {x}", at + 1);
                        found = Some(Failure::Error(said));
                        // Behind a known slip the others must follow.
                        if slip.is_none() {
                            break;
                        }
                    }
                }
                before = Some(now);
            }
            if let Some(failure) = found {
                return Err(failure);
            }
            Ok(largest)
        })
    }
}

/// The largest difference, relative to 1 and the largest number of the first; infinite for different lengths, and NaN where one is.
fn apart(x: &[f64], y: &[f64]) -> f64 {
    if x.len() != y.len() || x.is_empty() {
        return f64::INFINITY;
    }
    let scale = x.iter().fold(1.0f64, |most, v| most.max(v.abs()));
    let difference = |(x, y): (&f64, &f64)| if x == y { 0.0 } else { (x - y).abs() / scale };
    x.iter().zip(y).map(difference).fold(0.0, |most, d| if d > most || d.is_nan() { d } else { most })
}

/// The first numbers that differ most, for a message.
fn shown(x: &[f64], y: &[f64]) -> (String, String) {
    if x.len() != y.len() {
        return (format!("{} numbers", x.len()), format!("{} numbers", y.len()));
    }
    let farthest = x.iter().zip(y).fold((f64::NAN, f64::NAN, -1.0), |found, (x, y)| {
        let apart = (x - y).abs();
        if apart > found.2 || apart.is_nan() && !f64::is_nan(found.2) { (*x, *y, apart) } else { found }
    });
    (number(farthest.0), number(farthest.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Outcome, run};

    fn half(slip: Option<usize>, third: f64) -> Property {
        let mut derivation = Derivation::new("x.derivation", &["x"], "…")
            .draw(Draw::real("x", 1.0..=9.0))
            .line("x", "itself", |case| Ok(vec![case.real("x"), 0.0]))
            .line("2x/2", "twice a half", |case| Ok(vec![2.0 * case.real("x") / 2.0, 0.0]))
            .line("3x/3", "thrice a third", move |case| Ok(vec![third * case.real("x") / 3.0, 0.0]))
            .within("nothing", 0.5)
            .line("x", "itself", |case| Ok(vec![case.real("x"), 0.0]));
        derivation.slip = slip;
        derivation.property()
    }

    fn outcome(property: &Property) -> (Outcome, String) {
        let report = run(property, &Config::default(), &mut |_| {}).unwrap();
        (report.outcome, report.counterexample.and_then(|c| c.reason).unwrap_or_default())
    }

    #[test]
    fn a_line_that_does_not_follow_is_named() {
        assert_eq!(outcome(&half(None, 3.0)).0, Outcome::Pass);
        let (failed, reason) = outcome(&half(None, 3.3));
        assert_eq!(failed, Outcome::Fail);
        assert_eq!(reason, "line 3 does not follow from line 2: 1.1 against 1");
        assert_eq!(outcome(&half(None, f64::NAN)).0, Outcome::Fail);
    }

    #[test]
    fn a_known_slip_is_refuted_only_by_that_line() {
        assert_eq!(outcome(&half(Some(3), 3.3)).0, Outcome::Refuted);
        assert_eq!(outcome(&half(Some(2), 3.3)).0, Outcome::Unrefuted);
        assert_eq!(outcome(&half(Some(3), 3.0)).0, Outcome::Unrefuted);
        // The line behind the slip, within half of it, follows; within less it would not, and that would be a second slip.
        assert_eq!(outcome(&half(Some(3), 9.0)).0, Outcome::Unrefuted);
    }

    #[test]
    fn lengths_and_nans_are_differences() {
        assert_eq!(apart(&[1.0], &[1.0, 2.0]), f64::INFINITY);
        assert_eq!(apart(&[], &[]), f64::INFINITY);
        assert!(apart(&[1.0, f64::NAN], &[1.0, 2.0]).is_nan());
        assert_eq!(apart(&[f64::INFINITY], &[f64::INFINITY]), 0.0);
        assert_eq!(apart(&[100.0, 1.0], &[101.0, 1.0]), 0.01);
        assert_eq!(shown(&[1.0], &[1.0, 2.0]), ("1 numbers".into(), "2 numbers".into()));
    }
}
