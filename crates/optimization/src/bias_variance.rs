//! Bias and variance: the two ways for a model to be wrong, and the noise that nobody can predict.

use crate::Result;
use gradus_formula::{Formula, Kind, Printed, Symbol, Verdict, item};
use gradus_tensor::{Error, Tensor};
use rand::{Rng, RngExt};

const TRUTH: Symbol = Symbol {
    latex: "f",
    code: "truth",
    meaning: "the true function: the mean of y at x",
    shape: "[P]",
    unit: "those of y",
};
const PREDICTION: Symbol = Symbol {
    latex: r"\hat f",
    code: "predictions",
    meaning: "the fitted function, which depends on the training set by chance",
    shape: "[S, P]",
    unit: "those of y",
};
const Y: Symbol = Symbol {
    latex: "y",
    code: "targets",
    meaning: "a new measurement at x, independent of the training set",
    shape: "[R, P]",
    unit: "those of the data",
};
const NOISE: Symbol = Symbol {
    latex: r"\sigma^2",
    code: "noise",
    meaning: "the variance of y at x",
    shape: "[P]",
    unit: "square of y's",
};

pub(crate) const FORMULA_BIAS: Formula = Formula {
    id: "bias-definition",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "Bias",
    latex: r"\operatorname{Bias}\left[\hat f(x)\right] = \mathbb{E}\left[\hat f(x)\right] - f(x)",
    unicode: "Bias[f̂(x)] = E[f̂(x)] − f(x)",
    symbols: &[TRUTH, PREDICTION],
    source: "Geman, Bienenstock & Doursat 1992, §3.1; Hastie, Tibshirani & Friedman 2009, §7.3",
    item: item!(struct BiasVariance),
    chapter: "bias-variance",
    printed: None,
};

pub(crate) const FORMULA: Formula = Formula {
    id: "bias-variance-decomposition",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Error is noise, bias² and variance",
    latex: r"\mathbb{E}\left[(y - \hat f)^2\right] = \underbrace{\left(\mathbb{E}\hat f - f\right)^2}_{\text{bias}^2} + \underbrace{\mathbb{E}\left[(\hat f - \mathbb{E}\hat f)^2\right]}_{\text{variance}} + \underbrace{\sigma^2}_{\text{noise}}",
    unicode: "E(y − f̂)² = (E f̂ − f)² + E(f̂ − E f̂)² + σ²",
    symbols: &[Y, TRUTH, PREDICTION, NOISE],
    source: "Geman, Bienenstock & Doursat 1992, §3.1; Hastie, Tibshirani & Friedman 2009, eq. 7.9",
    item: item!(struct BiasVariance),
    chapter: "bias-variance",
    printed: None,
};

pub(crate) const FORMULA_UNDERFITTING: Formula = Formula {
    id: "bias-underfitting",
    kind: Kind::Claim,
    verdict: Verdict::Ok,
    title: "High bias is underfitting",
    latex: r"\text{training error} \ge \operatorname{Bias}^2, \qquad \text{test error} \ge \operatorname{Bias}^2 + \sigma^2",
    unicode: "training error ≥ Bias², test error ≥ Bias² + σ²",
    symbols: &[NOISE],
    source: "Hastie, Tibshirani & Friedman 2009, §7.2–7.4",
    item: item!(fn ridge_curves),
    chapter: "bias-variance",
    printed: None,
};

pub(crate) const FORMULA_OVERFITTING: Formula = Formula {
    id: "variance-overfitting",
    kind: Kind::Claim,
    verdict: Verdict::Ambiguous,
    title: "High variance is overfitting",
    latex: r"\text{test error} - \text{training error} = \frac{2\sigma^2}{n} \operatorname{tr} H",
    unicode: "test error − training error = 2σ²·tr(H)/n",
    symbols: &[
        NOISE,
        Symbol { latex: "n", code: "n", meaning: "the number of samples", shape: "[]", unit: "count" },
        Symbol {
            latex: "H",
            code: "freedom",
            meaning: "the matrix that makes predictions of targets; its trace is the number of parameters in use",
            shape: "[N, N]",
            unit: "1",
        },
    ],
    source: "Hastie, Tibshirani & Friedman 2009, eq. 7.21–7.24",
    item: item!(fn ridge_curves),
    chapter: "bias-variance",
    printed: Some(Printed {
        latex: r"\text{High Variance} \to \text{OVERFITTING}",
        reason: "It names neither what varies nor over what. What varies is the prediction, over training sets; what shows it is a test error far above the training error.",
        counterexample: "A model that returns noise without looking at the data has a high variance and fits nothing: training and test error are alike.",
    }),
};

/// Bias, variance and noise at some points, from the predictions of models that were trained on different sets.
///
/// **Formula** `bias-definition`, `bias-variance-decomposition`: the mean of (y − f̂)² over all pairs of a model and a target is
/// (mean f̂ − mean y)² + the variance of f̂ + the variance of y. With all means over the finite sets that are given, divided by their
/// number, this is no approximation: it holds to rounding.
///
/// **Shapes**: predictions `[S, P]`, a training set in each row; targets `[P]` (the true function: no noise) or `[R, P]` (R
/// measurements at each point). Results `[P]`. **Units**: the square of y's. **Gradient**: not differentiated.
///
/// **Numerics**: means first, then squares of differences. **Errors**: see [`new`](Self::new).
///
/// **Source**: Geman, Bienenstock & Doursat 1992, §3.1. For the loss that counts mistakes, see [`ZeroOne`](crate::ZeroOne): there the
/// parts do not add up.
///
/// ```
/// use gradus_optimization::BiasVariance;
/// use gradus_tensor::Tensor;
/// let predictions = Tensor::from([[1.0], [3.0]]); // of two training sets, at one point
/// let parts = BiasVariance::new(&predictions, &Tensor::from([5.0]))?;
/// assert_eq!(parts.bias, Tensor::from([-3.0])); // 2 − 5
/// assert_eq!(parts.variance, Tensor::from([1.0]));
/// assert_eq!(parts.error, Tensor::from([10.0])); // (4² + 2²)/2 = 3² + 1
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct BiasVariance {
    /// The mean of the predictions, `[P]`.
    pub mean: Tensor<f64>,
    /// The mean of the predictions less that of the targets, `[P]`.
    pub bias: Tensor<f64>,
    /// The variance of the predictions, divided by S, `[P]`.
    pub variance: Tensor<f64>,
    /// The variance of the targets, divided by R, `[P]`.
    pub noise: Tensor<f64>,
    /// The mean squared error over all pairs, computed as such and not from the parts, `[P]`.
    pub error: Tensor<f64>,
}

impl BiasVariance {
    /// Of these predictions, `[S, P]`, against the true function `[P]` or measurements `[R, P]`.
    ///
    /// # Errors
    /// If there is no training set, no measurement, or the points are not as many.
    pub fn new(predictions: &Tensor<f64>, targets: &Tensor<f64>) -> Result<Self> {
        let op = "BiasVariance";
        let &[sets, points] = predictions.dims() else {
            return Err(Error::Shape { op, expected: "[S, P]".into(), got: predictions.shape() }.into());
        };
        let targets = if targets.rank() == 1 { targets.insert_axis(0)? } else { targets.clone() };
        if sets == 0 {
            return Err(Error::Empty { op, shape: predictions.shape() }.into());
        }
        if targets.rank() != 2 || targets.dims()[0] == 0 || targets.dims()[1] != points {
            let expected = format!("[{points}] or [R, {points}]");
            return Err(Error::Shape { op, expected, got: targets.shape() }.into());
        }
        let (mean, centre) = (predictions.mean_axis(0)?, targets.mean_axis(0)?);
        let mut error = Tensor::zeros([points])?;
        for target in targets.rows()? {
            error = error.add(&predictions.sub(&target)?.powi(2).mean_axis(0)?)?;
        }
        Ok(Self {
            bias: mean.sub(&centre)?,
            variance: predictions.variance_axis(0, 0)?,
            noise: targets.variance_axis(0, 0)?,
            error: error.scale(1.0 / targets.dims()[0] as f64),
            mean,
        })
    }

    /// The square of the bias, `[P]`.
    pub fn bias_squared(&self) -> Tensor<f64> {
        self.bias.powi(2)
    }

    /// Bias², variance, noise and error, each averaged over the points.
    ///
    /// # Errors
    /// If there are no points.
    pub fn averages(&self) -> Result<[f64; 4]> {
        Ok([self.bias_squared().mean()?, self.variance.mean()?, self.noise.mean()?, self.error.mean()?])
    }
}

/// Training sets drawn from one: `sets` rows of as many numbers of samples as there are, `[sets, n]`, each with replacement.
///
/// A stand-in for the new training sets that nobody has: a sample is missing from a set with probability (1 − 1/n)ⁿ ≈ 1/e.
///
/// ```
/// use gradus_optimization::bootstrap;
/// use rand::SeedableRng;
/// let sets = bootstrap(5, 3, &mut rand::rngs::ChaCha8Rng::seed_from_u64(1))?;
/// assert_eq!(sets.shape(), [3, 5]);
/// assert!(sets.as_slice().iter().all(|i| *i < 5));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If there are no samples, or more than 2³² − 1.
pub fn bootstrap(n: usize, sets: usize, rng: &mut (impl Rng + ?Sized)) -> Result<Tensor<u32>> {
    let last = u32::try_from(n).ok().filter(|n| *n > 0);
    let Some(n32) = last else {
        let name = "n";
        return Err(crate::Error::Option { name, value: n.to_string(), allowed: "from 1 to 2³² − 1" });
    };
    let numbers = (0..sets.saturating_mul(n)).map(|_| rng.random_range(0..n32)).collect();
    Ok(Tensor::from_vec(numbers, [sets, n])?)
}
