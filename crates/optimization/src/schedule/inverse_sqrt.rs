//! The transformer's schedule: a line up, and then down with the root of the step.

use super::Schedule;
use crate::Result;
use crate::error::allow;
use crate::symbols::{RATE, STEP};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "inverse-sqrt",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "The inverse square root, after a warm-up",
    latex: r"\eta_t = d^{-1/2} \min\!\left((t + 1)^{-1/2},\; (t + 1)\, w^{-3/2}\right)",
    unicode: "η(t) = d^(−½)·min((t + 1)^(−½), (t + 1)·w^(−3/2)): largest, (d·w)^(−½), at step w",
    symbols: &[
        RATE,
        STEP,
        Symbol {
            latex: "w",
            code: "warmup",
            meaning: "the steps of the warm-up",
            shape: "[]",
            unit: "count",
        },
        Symbol { latex: "d", code: "width", meaning: "the width of the model", shape: "[]", unit: "count" },
    ],
    source: "Vaswani et al. 2017, §5.3, eq. 3",
    item: item!(struct InverseSqrt),
    chapter: "sgd",
    printed: None,
};

/// A line up over w steps, then down with 1/√t.
///
/// **Formula** `inverse-sqrt`: d^(−½)·min((t + 1)^(−½), (t + 1)·w^(−3/2)); in terms of the peak, peak·min((t + 1)/w, √(w/(t + 1))).
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated. **Numerics**: three roundings. The paper counts steps from 1, here they begin at 0.
///
/// **Errors**: see [`new`](Self::new). **Source**: Vaswani et al. 2017, §5.3, eq. 3.
///
/// ```
/// use gradus_optimization::{InverseSqrt, Schedule};
/// let schedule = InverseSqrt::new(1.0, 4)?;
/// assert_eq!([0, 1, 3, 15, 63].map(|t| schedule.rate(t)), [0.25, 0.5, 1.0, 0.5, 0.25]);
/// let paper = InverseSqrt::of_width(512, 4000)?;
/// assert!((paper.rate(3999) - 6.988e-4).abs() < 1e-7);
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InverseSqrt {
    peak: f64,
    warmup: u64,
}

impl InverseSqrt {
    /// The largest rate, and the steps until it is reached.
    ///
    /// # Errors
    /// If the rate is negative or not finite, there is no step of warm-up, or there are 2⁵³ or more.
    pub fn new(peak: f64, warmup: u64) -> Result<Self> {
        crate::error::not_negative("peak", peak)?;
        allow((1..1 << 53).contains(&warmup), "warmup", warmup, "at least 1 and below 2⁵³")?;
        Ok(Self { peak, warmup })
    }

    /// The paper's: the largest rate follows from the width of the model, (d·w)^(−½).
    ///
    /// # Errors
    /// If the width is 0, and as [`new`](Self::new).
    pub fn of_width(width: usize, warmup: u64) -> Result<Self> {
        allow(width > 0, "width", width, "at least 1")?;
        Self::new(1.0 / (width as f64 * warmup as f64).sqrt(), warmup)
    }
}

impl Schedule for InverseSqrt {
    fn rate(&self, step: u64) -> f64 {
        let (t, w) = (step as f64 + 1.0, self.warmup as f64);
        self.peak * if t <= w { t / w } else { (w / t).sqrt() }
    }
}
