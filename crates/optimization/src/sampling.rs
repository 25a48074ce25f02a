//! Why a sample of the gradient will do: it is right on average, and how far it scatters is known.

use crate::Result;
use crate::error::allow;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::{Error, Tensor};

pub(crate) const FORMULA: Formula = Formula {
    id: "sgd-expectation",
    kind: Kind::Formula,
    verdict: Verdict::Ok,
    title: "The loss as an expectation",
    latex: r"\frac1n \sum_{i=1}^n L_i(\theta, x_i, y_i) = \mathbb{E}_{i \sim U[1..n]}\left[L_i(\theta, x_i, y_i)\right]",
    unicode: "(1/n)·Σᵢ Lᵢ(θ, xᵢ, yᵢ) = E[Lᵢ(θ, xᵢ, yᵢ)], i uniform on 1…n",
    symbols: &[
        Symbol { latex: "n", code: "n", meaning: "the number of samples", shape: "[]", unit: "count" },
        Symbol {
            latex: "L_i",
            code: "per_sample",
            meaning: "the loss of sample i, or its gradient",
            shape: "[N, D]",
            unit: "that of the loss",
        },
        Symbol {
            latex: r"\theta",
            code: "theta",
            meaning: "the parameters",
            shape: "[D]",
            unit: "their own",
        },
        Symbol {
            latex: "x_i, y_i",
            code: "x, y",
            meaning: "sample i and what is true of it",
            shape: "[N, …]",
            unit: "those of the data",
        },
        Symbol {
            latex: "i",
            code: "index",
            meaning: "the number of a sample, every one equally likely",
            shape: "[]",
            unit: "index",
        },
    ],
    source: "Robbins & Monro 1951; Bottou, Curtis & Nocedal 2018, §2 and §3.1",
    item: item!(struct GradientNoise),
    chapter: "sgd",
    printed: None,
};

/// How the samples of a mini-batch are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Each one from all samples: one may come twice.
    WithReplacement,
    /// Each one from those that are left: the batches of a shuffled epoch.
    WithoutReplacement,
}

/// The gradients of all samples at one θ, and what a mini-batch makes of them.
///
/// **Formula** `sgd-expectation`: the mean over all samples is the expectation of one that is drawn uniformly, and of the mean of a
/// mini-batch, whichever way it is drawn. Its variance, for each component, is σ²/m with replacement and σ²/m·(n − m)/(n − 1)
/// without, with σ² = (1/n)·Σ(gᵢ − ḡ)², divided by n: the samples are all there are.
///
/// **Shapes**: gradients `[N, D]`. **Units**: those of the gradient, and their square. **Gradient**: not differentiated.
///
/// **Numerics**: two passes. **Errors**: see [`new`](Self::new). **Source**: Bottou, Curtis & Nocedal 2018, §2; Cochran 1977, eq. 2.8.
///
/// ```
/// use gradus_optimization::{GradientNoise, Sampling};
/// use gradus_tensor::Tensor;
/// let noise = GradientNoise::new(&Tensor::from([[1.0], [2.0], [6.0]]))?;
/// assert_eq!(noise.full(), &Tensor::from([3.0]));
/// assert_eq!(noise.batch(&[0, 2])?, Tensor::from([3.5]));
/// // σ² = (4 + 1 + 9)/3; the batches {1,2}, {1,6}, {2,6} have the means 1.5, 3.5, 4, with the variance 3.5/3
/// let variance = noise.variance(2, Sampling::WithoutReplacement)?;
/// assert!(variance.all_close(&Tensor::from([3.5 / 3.0]), 0.0, 1e-15)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GradientNoise {
    gradients: Tensor<f64>,
    full: Tensor<f64>,
    spread: Tensor<f64>,
}

impl GradientNoise {
    /// Of these gradients, a sample in each row.
    ///
    /// # Errors
    /// If this is no matrix, or has no rows.
    pub fn new(gradients: &Tensor<f64>) -> Result<Self> {
        if gradients.rank() != 2 || gradients.dims()[0] == 0 {
            let (op, expected) = ("GradientNoise", "[N, D] with a sample at least".into());
            return Err(Error::Shape { op, expected, got: gradients.shape() }.into());
        }
        let (full, spread) = (gradients.mean_axis(0)?, gradients.variance_axis(0, 0)?);
        Ok(Self { gradients: gradients.clone(), full, spread })
    }

    /// The gradient of the mean loss of all samples, `[D]`.
    pub fn full(&self) -> &Tensor<f64> {
        &self.full
    }

    /// The variance σ² of one sample's gradient, for each component, `[D]`.
    pub fn spread(&self) -> &Tensor<f64> {
        &self.spread
    }

    /// The mean gradient of these samples, `[D]`. One may be there twice.
    ///
    /// # Errors
    /// If there are none, or one that does not exist.
    pub fn batch(&self, samples: &[u32]) -> Result<Tensor<f64>> {
        allow(!samples.is_empty(), "samples", 0, "at least one")?;
        Ok(self.gradients.gather(0, samples)?.mean_axis(0)?)
    }

    /// The variance of the mean gradient of a batch of `m`, for each component, `[D]`.
    ///
    /// # Errors
    /// If `m` is 0, or without replacement more than there are.
    pub fn variance(&self, m: usize, sampling: Sampling) -> Result<Tensor<f64>> {
        let n = self.gradients.dims()[0];
        allow(m > 0, "m", m, "at least 1")?;
        let factor = match sampling {
            Sampling::WithReplacement => 1.0,
            Sampling::WithoutReplacement => {
                allow(m <= n, "m", m, "at most the number of samples without replacement")?;
                if n == 1 { 0.0 } else { (n - m) as f64 / (n - 1) as f64 }
            }
        };
        Ok(self.spread.scale(factor / m as f64))
    }

    /// The size of a batch whose gradient is as much noise as signal: Σσ²/‖ḡ‖². Well below it a batch twice as large saves half of
    /// the steps; well above it, almost none. ∞ where the gradient is 0.
    ///
    /// **Source**: McCandlish, Kaplan, Amodei et al. 2018, eq. 2.9.
    pub fn critical_batch(&self) -> f64 {
        self.spread.sum() / self.full.map(|g| g * g).sum()
    }
}
