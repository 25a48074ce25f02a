//! The rate in steps, and along a power.

use super::Schedule;
use crate::Result;
use crate::error::{allow, not_negative};
use crate::symbols::{RATE, STEP};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "step-schedule",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Steps",
    latex: r"\eta_t = \frac{\eta_0}{d^{\lfloor t/k \rfloor}}",
    unicode: "η(t) = η₀/d^⌊t/k⌋",
    symbols: &[
        RATE,
        STEP,
        Symbol { latex: r"\eta_0", code: "start", meaning: "the first rate", shape: "[]", unit: "as η" },
        Symbol {
            latex: "d",
            code: "divide_by",
            meaning: "what each drop divides by",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: "k",
            code: "every",
            meaning: "how many steps one level has",
            shape: "[]",
            unit: "count",
        },
    ],
    source: "Krizhevsky, Sutskever & Hinton 2012, §5 (by hand); He, Zhang, Ren & Sun 2016, §3.4",
    item: item!(struct StepDecay),
    chapter: "sgd",
    printed: None,
};

/// One rate for all steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constant {
    rate: f64,
}

impl Constant {
    /// This rate.
    ///
    /// # Errors
    /// If it is not finite and at least 0.
    pub fn new(rate: f64) -> Result<Self> {
        not_negative("rate", rate)?;
        Ok(Self { rate })
    }
}

impl Schedule for Constant {
    fn rate(&self, _step: u64) -> f64 {
        self.rate
    }
}

/// `start` divided by a power of `by`: one rounding of the power, one of the quotient. Not a product of factors of a tenth: 0.1·0.1
/// is 0.010000000000000002.
pub(super) fn divided(start: f64, by: f64, times: u64) -> f64 {
    // A power of more than 2³¹ is infinite or 1, whatever it is exactly.
    start / by.powi(i32::try_from(times).unwrap_or(i32::MAX))
}

/// The rate divided by d every k steps.
///
/// **Formula** `step-schedule`: η(t) = η₀/d^⌊t/k⌋.
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated. **Numerics**: 0.1 divided by 10 is
/// exactly what 0.01 is; PyTorch multiplies by `gamma` = 1/d, and gets 0.010000000000000002.
///
/// **Errors**: see [`new`](Self::new). **Source**: He et al. 2016, §3.4.
///
/// ```
/// use gradus_optimization::{Schedule, StepDecay};
/// let schedule = StepDecay::new(0.1, 10.0, 30)?;
/// assert_eq!([0, 29, 30, 60].map(|t| schedule.rate(t)), [0.1, 0.1, 0.01, 0.001]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepDecay {
    start: f64,
    divide_by: f64,
    every: u64,
}

impl StepDecay {
    /// From `start`, divided by `divide_by` after every `every` steps.
    ///
    /// # Errors
    /// If `start` is not finite and at least 0, `divide_by` not finite and at least 1, or `every` is 0.
    pub fn new(start: f64, divide_by: f64, every: u64) -> Result<Self> {
        not_negative("start", start)?;
        divisor(divide_by)?;
        allow(every > 0, "every", every, "at least 1")?;
        Ok(Self { start, divide_by, every })
    }
}

impl Schedule for StepDecay {
    fn rate(&self, step: u64) -> f64 {
        divided(self.start, self.divide_by, step / self.every)
    }
}

pub(super) fn divisor(divide_by: f64) -> Result<()> {
    allow(divide_by >= 1.0 && divide_by.is_finite(), "divide_by", divide_by, "finite and at least 1")
}

/// The rate divided by d at each of some steps.
///
/// ```
/// use gradus_optimization::{MultiStep, Schedule};
/// let schedule = MultiStep::new(0.1, 10.0, &[32_000, 48_000])?; // the residual networks' on CIFAR-10
/// assert_eq!([0, 31_999, 32_000, 48_000].map(|t| schedule.rate(t)), [0.1, 0.1, 0.01, 0.001]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MultiStep {
    start: f64,
    divide_by: f64,
    milestones: Vec<u64>,
}

impl MultiStep {
    /// From `start`, divided by `divide_by` at each of these steps, which ascend.
    ///
    /// # Errors
    /// If `start` is not finite and at least 0, `divide_by` not finite and at least 1, or the milestones do not ascend.
    pub fn new(start: f64, divide_by: f64, milestones: &[u64]) -> Result<Self> {
        not_negative("start", start)?;
        divisor(divide_by)?;
        let ascend = milestones.is_sorted_by(|a, b| a < b);
        allow(ascend, "milestones", format!("{milestones:?}"), "each larger than the one before")?;
        Ok(Self { start, divide_by, milestones: milestones.to_vec() })
    }
}

impl Schedule for MultiStep {
    fn rate(&self, step: u64) -> f64 {
        let passed = self.milestones.partition_point(|milestone| *milestone <= step);
        divided(self.start, self.divide_by, passed as u64)
    }
}

/// From one rate to another along a power: end + (start − end)(1 − t/T)ᵖ, and `end` from step T on.
///
/// ```
/// use gradus_optimization::{Polynomial, Schedule};
/// let schedule = Polynomial::new(1.0, 0.0, 4, 2.0)?;
/// assert_eq!([0, 1, 2, 4, 9].map(|t| schedule.rate(t)), [1.0, 0.5625, 0.25, 0.0, 0.0]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Polynomial {
    start: f64,
    end: f64,
    steps: u64,
    power: f64,
}

impl Polynomial {
    /// From `start` to `end` within so many steps; a power of 1 is a line.
    ///
    /// # Errors
    /// If a rate is not finite and at least 0, there are no steps, or the power is not finite and above 0.
    pub fn new(start: f64, end: f64, steps: u64, power: f64) -> Result<Self> {
        not_negative("start", start)?;
        not_negative("end", end)?;
        allow(steps > 0, "steps", steps, "at least 1")?;
        allow(power > 0.0 && power.is_finite(), "power", power, "finite and above 0")?;
        Ok(Self { start, end, steps, power })
    }
}

impl Schedule for Polynomial {
    fn rate(&self, step: u64) -> f64 {
        let left = 1.0 - step.min(self.steps) as f64 / self.steps as f64;
        let share = if self.power == 1.0 { left } else { left.powf(self.power) };
        self.start * share + self.end * (1.0 - share)
    }
}
