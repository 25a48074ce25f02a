//! Plateau: the rate falls when the measured error no longer does.

use super::steps::{divided, divisor};
use crate::error::not_negative;
use crate::symbols::RATE;
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Tensor;
use std::collections::BTreeMap;

pub(crate) const FORMULA: Formula = Formula {
    id: "plateau-schedule",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Drop on a plateau",
    latex: r"\eta = \max\left(\frac{\eta_0}{d^k},\ \eta_{\min}\right), \qquad k = \text{the number of times that more than } p \text{ epochs in a row were not better}",
    unicode: "η = max(η₀/dᵏ, ηmin), k: how often more than p epochs in a row were not better",
    symbols: &[
        RATE,
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
            code: "drops",
            meaning: "how many drops there were",
            shape: "[]",
            unit: "count",
        },
        Symbol {
            latex: "p",
            code: "patience",
            meaning: "how many bad epochs in a row are put up with",
            shape: "[]",
            unit: "count",
        },
        Symbol {
            latex: r"\eta_{\min}",
            code: "minimum",
            meaning: "the smallest rate",
            shape: "[]",
            unit: "as η",
        },
    ],
    source: "He, Zhang, Ren & Sun 2016, §3.4; with these settings: PyTorch's ReduceLROnPlateau",
    item: item!(struct Plateau),
    chapter: "sgd",
    printed: None,
};

/// Which of two measurements is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Better {
    /// The lower one: of a loss, an error.
    #[default]
    Lower,
    /// The higher one: of an accuracy.
    Higher,
}

/// By how much a measurement must be better than the best to count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// By this share of the best one's size.
    Relative(f64),
    /// By this much.
    Absolute(f64),
}

/// Divides the rate whenever a measurement, the validation error say, has not got better for more than `patience` epochs.
///
/// **Formula** `plateau-schedule`: η = max(η₀/dᵏ, ηmin), where the k-th drop comes at the (p + 1)-th bad epoch in a row. After a
/// drop, bad epochs are not counted for `cooldown` epochs.
///
/// **Shapes**: numbers. **Units**: those of η. **Gradient**: not differentiated.
///
/// **Numerics**: η₀/dᵏ is computed from the start each time: 0.1, 0.01, 0.001 exactly. A NaN is never better. A relative threshold
/// is a share of the best one's *size*, so that it asks for more, not less, of a measurement below 0.
///
/// **Errors**: see [`new`](Self::new) and the settings. **Source**: He et al. 2016, §3.4: “starts from 0.1 and is divided by 10 when the error
/// plateaus”. How long a plateau is, they do not say.
///
/// ```
/// use gradus_optimization::Plateau;
/// let mut plateau = Plateau::new(0.1)?.patience(1);
/// let rates = [0.9, 0.5, 0.6, 0.5, 0.4].map(|error| plateau.observe(error));
/// assert_eq!(rates, [0.1, 0.1, 0.1, 0.01, 0.01]); // 0.6 is put up with, the second 0.5 is one too many
/// # Ok::<(), gradus_optimization::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Plateau {
    start: f64,
    divide_by: f64,
    patience: u64,
    threshold: Threshold,
    cooldown: u64,
    minimum: f64,
    better: Better,
    /// None yet: every measurement but a NaN is better than this infinity.
    best: f64,
    bad: u64,
    cooling: u64,
    drops: u64,
}

impl Plateau {
    /// From this rate, divided by 10 after more than 10 epochs that are not better by a share of 10⁻⁴; no cooldown, no
    /// minimum, and lower is better.
    ///
    /// # Errors
    /// If the rate is not finite and at least 0.
    pub fn new(start: f64) -> Result<Self> {
        not_negative("start", start)?;
        Ok(Self {
            start,
            divide_by: 10.0,
            patience: 10,
            threshold: Threshold::Relative(1e-4),
            cooldown: 0,
            minimum: 0.0,
            better: Better::Lower,
            best: f64::INFINITY,
            bad: 0,
            cooling: 0,
            drops: 0,
        })
    }

    /// Divides by this.
    ///
    /// # Errors
    /// If it is not finite and at least 1.
    pub fn divide_by(mut self, divide_by: f64) -> Result<Self> {
        divisor(divide_by)?;
        self.divide_by = divide_by;
        Ok(self)
    }

    /// Puts up with so many bad epochs in a row; one more, and the rate drops.
    #[must_use]
    pub fn patience(mut self, epochs: u64) -> Self {
        self.patience = epochs;
        self
    }

    /// Counts as better only what is better by this.
    ///
    /// # Errors
    /// If it is not finite and at least 0.
    pub fn threshold(mut self, threshold: Threshold) -> Result<Self> {
        let (Threshold::Relative(by) | Threshold::Absolute(by)) = threshold;
        not_negative("threshold", by)?;
        self.threshold = threshold;
        Ok(self)
    }

    /// Counts no bad epochs for so many after a drop.
    #[must_use]
    pub fn cooldown(mut self, epochs: u64) -> Self {
        self.cooldown = epochs;
        self
    }

    /// Never goes below this rate (nor changes a start that is below it).
    ///
    /// # Errors
    /// If it is not finite and at least 0.
    pub fn minimum(mut self, rate: f64) -> Result<Self> {
        not_negative("minimum", rate)?;
        self.minimum = rate;
        Ok(self)
    }

    /// Takes the lower or the higher measurement for the better one. What was observed before is forgotten.
    #[must_use]
    pub fn better(mut self, better: Better) -> Self {
        self.better = better;
        self.best = match better {
            Better::Lower => f64::INFINITY,
            Better::Higher => f64::NEG_INFINITY,
        };
        self
    }

    /// The rate now.
    pub fn rate(&self) -> f64 {
        divided(self.start, self.divide_by, self.drops).max(self.minimum.min(self.start))
    }

    /// How often the rate has dropped.
    pub fn drops(&self) -> u64 {
        self.drops
    }

    /// Takes note of an epoch's measurement, and gives the rate for the next epoch.
    pub fn observe(&mut self, measured: f64) -> f64 {
        if self.is_better(measured) {
            (self.best, self.bad) = (measured, 0);
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            (self.cooling, self.bad) = (self.cooling - 1, 0);
        }
        if self.bad > self.patience {
            (self.bad, self.cooling) = (0, self.cooldown);
            self.drops += 1;
        }
        self.rate()
    }

    fn is_better(&self, measured: f64) -> bool {
        if self.best.is_infinite() {
            return match self.better {
                Better::Lower => measured < self.best,
                Better::Higher => measured > self.best,
            };
        }
        let by = match self.threshold {
            Threshold::Relative(share) => share * self.best.abs(),
            Threshold::Absolute(by) => by,
        };
        match self.better {
            Better::Lower => measured < self.best - by,
            Better::Higher => measured > self.best + by,
        }
    }

    /// All that it has taken note of, as it is saved beside an optimiser's state.
    pub fn state(&self) -> BTreeMap<String, Tensor<f64>> {
        let counts = [self.bad, self.cooling, self.drops].map(|count| count as f64);
        let values = [self.best, counts[0], counts[1], counts[2]];
        STATE.iter().zip(values).map(|(name, value)| ((*name).to_owned(), Tensor::scalar(value))).collect()
    }

    /// Brings a state back: what it observes next has the same effect as if nothing had happened.
    ///
    /// # Errors
    /// If a name is missing, unknown, or holds no such number. Nothing has changed then.
    pub fn load_state(&mut self, state: &BTreeMap<String, Tensor<f64>>) -> Result<()> {
        let refuse = |name: &str, problem| Error::State { name: name.to_owned(), problem };
        if let Some(name) = state.keys().find(|name| !STATE.contains(&name.as_str())) {
            return Err(refuse(name, "is unknown"));
        }
        let mut values = [0.0; 4];
        for ((k, name), value) in STATE.iter().enumerate().zip(&mut values) {
            *value = state.get(*name).ok_or_else(|| refuse(name, "is missing"))?.item()?;
            let count = *value >= 0.0 && *value < COUNTS && value.fract() == 0.0;
            // The best one may be infinite, before the first.
            let sound = if k == 0 { !value.is_nan() } else { count };
            if !sound {
                return Err(refuse(name, "is no such number"));
            }
        }
        self.best = values[0];
        [self.bad, self.cooling, self.drops] = [values[1], values[2], values[3]].map(|count| count as u64);
        Ok(())
    }
}

const STATE: [&str; 4] = ["best", "bad_epochs", "cooling", "drops"];

/// Counts below this are exact in `f64`.
const COUNTS: f64 = 9007199254740992.0;
