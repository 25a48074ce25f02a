//! The rate along half a wave of the cosine, once or again and again.

use super::{Schedule, half_wave};
use crate::Result;
use crate::error::{allow, not_negative};
use crate::symbols::{FLOOR, PEAK, RATE, STEP};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "cosine-schedule",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Half a cosine",
    latex: r"\eta_t = \eta_{\min} + \tfrac12(\eta_{\max} - \eta_{\min})\left(1 + \cos\frac{\pi t}{T}\right)",
    unicode: "η(t) = ηmin + ½(ηmax − ηmin)(1 + cos(πt/T))",
    symbols: &[
        RATE,
        STEP,
        PEAK,
        FLOOR,
        Symbol { latex: "T", code: "steps", meaning: "the length of a descent", shape: "[]", unit: "count" },
    ],
    source: "Loshchilov & Hutter 2017, eq. 5",
    item: item!(struct Cosine),
    chapter: "sgd",
    printed: None,
};

/// Half a wave of the cosine from one rate down to another: slow at first, fast in the middle, slow at the end.
///
/// **Formula** `cosine-schedule`: η(t) = ηmin + ½(ηmax − ηmin)(1 + cos(πt/T)), and ηmin from step T on; with
/// [`restarts`](Self::restarts) it begins anew there.
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated.
///
/// **Numerics**: both ends are exact; in between two roundings, and the same bits on every machine.
///
/// **Errors**: see [`new`](Self::new). **Source**: Loshchilov & Hutter 2017, eq. 5.
///
/// ```
/// use gradus_optimization::{Cosine, Schedule};
/// let schedule = Cosine::new(1.0, 0.5, 10)?;
/// assert_eq!([0, 10, 99].map(|t| schedule.rate(t)), [1.0, 0.5, 0.5]);
/// assert!((schedule.rate(5) - 0.75).abs() < 1e-15);
/// let again = schedule.restarts(2)?; // 10 steps, then 20, then 40
/// assert_eq!([10, 30, 70].map(|t| again.rate(t)), [1.0, 1.0, 1.0]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cosine {
    peak: f64,
    floor: f64,
    steps: u64,
    multiply: Option<u64>,
}

impl Cosine {
    /// From `peak` down to `floor` within so many steps.
    ///
    /// # Errors
    /// If a rate is not finite and at least 0, or there are no steps.
    pub fn new(peak: f64, floor: f64, steps: u64) -> Result<Self> {
        not_negative("peak", peak)?;
        not_negative("floor", floor)?;
        allow(steps > 0, "steps", steps, "at least 1")?;
        Ok(Self { peak, floor, steps, multiply: None })
    }

    /// Begins anew at the end, each time for `multiply` times as many steps.
    ///
    /// # Errors
    /// If `multiply` is 0.
    pub fn restarts(mut self, multiply: u64) -> Result<Self> {
        allow(multiply > 0, "multiply", multiply, "at least 1")?;
        self.multiply = Some(multiply);
        Ok(self)
    }

    /// Where a step is within its descent, and how long that is.
    fn place(&self, step: u64) -> (u64, u64) {
        let (mut step, mut length) = (step, self.steps);
        match self.multiply {
            None => {}
            Some(1) => step %= length,
            // Lengths at least double, so there are at most 64 of them.
            Some(multiply) => {
                while step >= length {
                    step -= length;
                    length = length.saturating_mul(multiply);
                }
            }
        }
        (step, length)
    }
}

impl Schedule for Cosine {
    fn rate(&self, step: u64) -> f64 {
        let (step, length) = self.place(step);
        half_wave(self.peak, self.floor, step as f64 / length as f64)
    }
}
