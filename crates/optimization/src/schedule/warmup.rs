//! Warm-up: the first steps are small ones.

use super::Schedule;
use crate::Result;
use crate::error::allow;
use crate::symbols::{RATE, STEP};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "warmup",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Warm-up",
    latex: r"\eta_t = \begin{cases} \dfrac{t + 1}{w + 1}\,\eta'_0 & t < w \\ \eta'_{t - w} & t \ge w \end{cases}",
    unicode: "η(t) = (t + 1)/(w + 1)·η′(0) for t < w, η′(t − w) for t ≥ w",
    symbols: &[
        RATE,
        STEP,
        Symbol { latex: "w", code: "steps", meaning: "the steps of the warm-up", shape: "[]", unit: "count" },
        Symbol {
            latex: r"\eta'",
            code: "then",
            meaning: "the schedule that it leads to",
            shape: "[]",
            unit: "as η",
        },
    ],
    source: "Goyal et al. 2017, §2.2",
    item: item!(struct Warmup),
    chapter: "sgd",
    printed: None,
};

/// A line up to where another schedule begins, which then runs from its own step 0.
///
/// **Formula** `warmup`: (t + 1)/(w + 1)·η′(0) for t < w, then η′(t − w). The first step has a rate above 0, step w is the first with
/// the full one, and no two are alike. (Others begin with a rate of 0, a step for nothing, or have the full rate twice.)
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated. **Numerics**: two roundings.
///
/// **Errors**: see [`new`](Self::new). **Source**: Goyal et al. 2017, §2.2.
///
/// ```
/// use gradus_optimization::{Constant, Schedule, Warmup};
/// let schedule = Warmup::new(3, Constant::new(1.0)?)?;
/// assert_eq!([0, 1, 2, 3, 4].map(|t| schedule.rate(t)), [0.25, 0.5, 0.75, 1.0, 1.0]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Warmup<S> {
    steps: u64,
    then: S,
}

impl<S: Schedule> Warmup<S> {
    /// So many steps of warm-up, `then` that schedule. None is allowed.
    ///
    /// # Errors
    /// If there are 2⁵³ steps or more.
    pub fn new(steps: u64, then: S) -> Result<Self> {
        allow(steps < 1 << 53, "steps", steps, "below 2⁵³")?;
        Ok(Self { steps, then })
    }
}

impl<S: Schedule> Schedule for Warmup<S> {
    fn rate(&self, step: u64) -> f64 {
        if step >= self.steps {
            return self.then.rate(step - self.steps);
        }
        self.then.rate(0) * ((step + 1) as f64 / (self.steps + 1) as f64)
    }
}
