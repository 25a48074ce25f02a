//! When to stop: when nothing has become better for a while.

use crate::Result;
use crate::error::allow;
use crate::symbols::EPOCH;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};

pub(crate) const FORMULA: Formula = Formula {
    id: "early-stopping",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Early stopping",
    latex: r"\text{stop after the first } e \text{ with } e - b_e \ge p, \qquad b_e = \max\{j \le e : L_j < L_{b_{j-1}} - \delta\}",
    unicode: "stop after the first e with e − bₑ ≥ p; bₑ = max{j ≤ e : L_j < L_{b_{j−1}} − δ}",
    symbols: &[
        EPOCH,
        Symbol {
            latex: "b_e",
            code: "best",
            meaning: "the last epoch up to e that was better than all before it; the first epoch is",
            shape: "[]",
            unit: "epoch",
        },
        Symbol {
            latex: "L_j",
            code: "losses",
            meaning: "the validation loss after epoch j",
            shape: "[E]",
            unit: "nats",
        },
        Symbol {
            latex: "p",
            code: "patience",
            meaning: "how many epochs without a better one are put up with",
            shape: "[]",
            unit: "epochs",
        },
        Symbol {
            latex: r"\delta",
            code: "min_delta",
            meaning: "by how much a loss must be lower to be better",
            shape: "[]",
            unit: "nats",
        },
    ],
    source: "Prechelt 1998, §2; Goodfellow, Bengio & Courville 2016, Algorithm 7.1",
    item: item!(struct EarlyStopping),
    chapter: "first-network",
    printed: None,
};

/// Stops a training when the validation loss has not become lower for `patience` epochs.
///
/// **Formula** `early-stopping`: stop after the first e with e − bₑ ≥ p, where bₑ is the last epoch whose loss was lower by more than δ than
/// the one of the best epoch before it.
///
/// It has no state: it is a function of the losses so far, so a run that is taken up again stops where it would have stopped.
///
/// **Shapes**: E epochs. **Units**: δ as the loss. **Gradient**: not differentiated.
///
/// **Numerics**: a NaN is never better. If the first losses are NaN, any number is better than they.
///
/// **Errors**: see [`new`](Self::new), [`min_delta`](Self::min_delta). **Source**: Prechelt 1998, §2; Goodfellow et al. 2016, Algorithm 7.1.
///
/// ```
/// use gradus_training::EarlyStopping;
/// let rule = EarlyStopping::new(2)?;
/// let losses = [1.0, 0.6, 0.5, 0.55, 0.5, 0.4];
/// assert_eq!(rule.stops_after(&losses[..4]), None); // one epoch without a better one
/// assert_eq!(rule.stops_after(&losses), Some(4)); // two: what comes later is not seen
/// assert_eq!(rule.best(&losses[..5]), Some(2));
/// # Ok::<(), gradus_training::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    patience: usize,
    min_delta: f64,
}

impl EarlyStopping {
    /// No end, but a best epoch.
    pub(crate) const NEVER: Self = Self { patience: usize::MAX, min_delta: 0.0 };

    /// Stops after this many epochs without a better one.
    ///
    /// # Errors
    /// If it is 0: the first epoch already would end the training.
    pub fn new(patience: usize) -> Result<Self> {
        allow(patience > 0, "EarlyStopping::new", "patience", patience, "at least 1")?;
        Ok(Self { patience, min_delta: 0.0 })
    }

    /// Counts as better only what is lower by more than this.
    ///
    /// # Errors
    /// If it is not finite and at least 0.
    pub fn min_delta(mut self, min_delta: f64) -> Result<Self> {
        let ok = min_delta >= 0.0 && min_delta.is_finite();
        allow(ok, "EarlyStopping", "min_delta", min_delta, "finite and at least 0")?;
        self.min_delta = min_delta;
        Ok(self)
    }

    /// The epoch after which the training stops; none if it does not stop within these losses.
    pub fn stops_after(&self, losses: &[f64]) -> Option<usize> {
        let mut best = 0;
        for (epoch, &loss) in losses.iter().enumerate() {
            if self.better(loss, losses[best]) {
                best = epoch;
            } else if epoch - best >= self.patience {
                return Some(epoch);
            }
        }
        None
    }

    /// The best epoch of these; none of none.
    pub fn best(&self, losses: &[f64]) -> Option<usize> {
        let step = |best, epoch| if self.better(losses[epoch], losses[best]) { epoch } else { best };
        (0..losses.len()).reduce(step)
    }

    fn better(&self, loss: f64, best: f64) -> bool {
        loss < best - self.min_delta || (best.is_nan() && !loss.is_nan())
    }
}
