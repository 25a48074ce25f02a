//! One cycle: up to a large rate, and down to almost none.

use super::{Schedule, half_wave, line};
use crate::Result;
use crate::error::{allow, not_negative};
use crate::symbols::{PEAK, RATE, STEP};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "one-cycle",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "One cycle",
    latex: r"\eta_t = \begin{cases} A\left(\frac{\eta_{\max}}{d},\ \eta_{\max},\ \frac{t}{pT - 1}\right) & t \le pT - 1 \\ A\left(\eta_{\max},\ \frac{\eta_{\max}}{d f},\ \frac{t - (pT - 1)}{T - pT}\right) & t > pT - 1 \end{cases}",
    unicode: "η(t) = A(ηmax/d, ηmax, t/(pT − 1)) up to t = pT − 1, then A(ηmax, ηmax/(df), (t − pT + 1)/(T − pT))",
    symbols: &[
        RATE,
        STEP,
        PEAK,
        Symbol {
            latex: "A",
            code: "anneal",
            meaning: "the way from one rate to another, over a share between 0 and 1: a line or half a cosine",
            shape: "[]",
            unit: "as η",
        },
        Symbol { latex: "T", code: "steps", meaning: "the steps of the cycle", shape: "[]", unit: "count" },
        Symbol { latex: "p", code: "rise", meaning: "the share of the rise", shape: "[]", unit: "1" },
        Symbol {
            latex: "d",
            code: "start_divisor",
            meaning: "how much smaller the first rate is than the peak",
            shape: "[]",
            unit: "1",
        },
        Symbol {
            latex: "f",
            code: "end_divisor",
            meaning: "how much smaller the last rate is than the first",
            shape: "[]",
            unit: "1",
        },
    ],
    source: "Smith & Topin 2018, §3; with these ends: PyTorch's OneCycleLR",
    item: item!(struct OneCycle),
    chapter: "sgd",
    printed: None,
};

/// The way from one rate to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Anneal {
    /// Half a wave of the cosine.
    #[default]
    Cosine,
    /// A line.
    Line,
}

impl Anneal {
    fn between(self, from: f64, to: f64, at: f64) -> f64 {
        match self {
            Anneal::Cosine => half_wave(from, to, at),
            Anneal::Line => line(from, to, at),
        }
    }
}

/// One rise from a small rate to a large one, and a long descent to almost none.
///
/// **Formula** `one-cycle`: from ηmax/d at step 0 to ηmax at step pT − 1, from there to ηmax/(df) at step T − 1, and so it stays.
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated. **Numerics**: the ends are exact.
///
/// **Errors**: see [`new`](Self::new). **Source**: Smith & Topin 2018, §3. The momentum, which they let fall while the rate rises, stays.
///
/// ```
/// use gradus_optimization::{Anneal, OneCycle, Schedule};
/// let schedule = OneCycle::new(1.0, 10)?.rise(0.5)?.divisors(4.0, 8.0)?.anneal(Anneal::Line);
/// assert_eq!([0, 2, 4, 9, 99].map(|t| schedule.rate(t)), [0.25, 0.625, 1.0, 0.03125, 0.03125]);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OneCycle {
    peak: f64,
    steps: u64,
    rise: f64,
    start_divisor: f64,
    end_divisor: f64,
    anneal: Anneal,
}

impl OneCycle {
    /// Up to `peak` and down within so many steps, with PyTorch's settings: a rise of 0.3, divisors of 25 and 10⁴, cosines.
    ///
    /// # Errors
    /// If the peak is not finite and at least 0, or there are no steps.
    pub fn new(peak: f64, steps: u64) -> Result<Self> {
        not_negative("peak", peak)?;
        allow(steps > 0, "steps", steps, "at least 1")?;
        Ok(Self { peak, steps, rise: 0.3, start_divisor: 25.0, end_divisor: 1e4, anneal: Anneal::Cosine })
    }

    /// With a rise of this share of the steps.
    ///
    /// # Errors
    /// If it is not between 0 and 1.
    pub fn rise(mut self, share: f64) -> Result<Self> {
        allow((0.0..=1.0).contains(&share), "rise", share, "between 0 and 1")?;
        self.rise = share;
        Ok(self)
    }

    /// With a first rate so many times smaller than the peak, and a last one so many times smaller than the first.
    ///
    /// # Errors
    /// If one is not finite and at least 1.
    pub fn divisors(mut self, start: f64, end: f64) -> Result<Self> {
        super::steps::divisor(start)?;
        super::steps::divisor(end)?;
        (self.start_divisor, self.end_divisor) = (start, end);
        Ok(self)
    }

    /// With lines or cosines.
    #[must_use]
    pub fn anneal(mut self, anneal: Anneal) -> Self {
        self.anneal = anneal;
        self
    }
}

impl Schedule for OneCycle {
    fn rate(&self, step: u64) -> f64 {
        let (step, last) = (step.min(self.steps - 1) as f64, (self.steps - 1) as f64);
        let start = self.peak / self.start_divisor;
        let top = self.rise * self.steps as f64 - 1.0;
        if step < top {
            return self.anneal.between(start, self.peak, step / top);
        }
        if step == top || last <= top {
            return self.peak;
        }
        // A rise of less than a step has its top before step 0.
        self.anneal.between(self.peak, start / self.end_divisor, (step - top) / (last - top))
    }
}
