//! Gradient descent on the cost of least squares: how far a step may go, and what happens beyond.

use crate::design::Data;
use crate::{Error, Result, cost, gradient};
use gradus_tensor::Tensor;

/// The learning rate below which gradient descent converges, and above which it diverges from nearly every start.
///
/// **Formula**: 2/λ, λ the largest eigenvalue of the Hessian (2/n)XᵀX: n/s², s the largest singular value of X. A step of rate η
/// multiplies the error along an eigenvector with eigenvalue λ by 1 − ηλ.
///
/// **Shapes**: x `[N, D]`; a number. **Units**: those of 1/x². **Gradient**: not differentiated.
///
/// **Numerics**: by the singular values of X; the Hessian is not formed. ∞ where X is 0 or has no columns.
///
/// **Errors**: an x that is no matrix, no samples, a NaN or an infinity, an x whose square overflows or vanishes.
///
/// **Source**: Bottou, Curtis & Nocedal 2018, §4; Boyd & Vandenberghe 2004, §9.3.
///
/// ```
/// use gradus_linear_regression::learning_rate_bound;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[2.0], [0.0]]); // the Hessian is (2/2)·4
/// assert_eq!(learning_rate_bound(&x)?, 0.5);
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
pub fn learning_rate_bound(x: &Tensor<f64>) -> Result<f64> {
    let &[n, _] = x.dims() else {
        return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
    };
    Data::new(x, &Tensor::zeros([n])?, None)?;
    let largest = x.svd()?.s.as_slice().first().copied().unwrap_or(0.0);
    let bound = n as f64 / (largest * largest);
    if largest > 0.0 && !(bound > 0.0 && bound.is_finite()) {
        return Err(Error::Overflow { what: "the Hessian, or its inverse," });
    }
    Ok(bound)
}

/// Gradient descent on [`cost()`](crate::cost()), to be configured and run: θ ← θ − η∇J(θ).
///
/// It reaches what [`LinearRegression`](crate::LinearRegression) computes at once, by a factor 1 − 1/κ² a step at the best: here to
/// be watched. X is taken as it is; for an intercept give it a column of ones.
///
/// ```
/// use gradus_linear_regression::{Error, GradientDescent, learning_rate_bound};
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]]); // ones, and a predictor
/// let y = Tensor::from([1.0, 3.0, 5.0]);
/// let descent = GradientDescent::new().run(&x, &y)?;
/// assert!(descent.converged);
/// assert!(descent.theta.all_close(&Tensor::from([1.0, 2.0]), 0.0, 1e-8)?);
///
/// let bound = learning_rate_bound(&x)?;
/// let error = GradientDescent::new().learning_rate(1.01 * bound).run(&x, &y).unwrap_err();
/// assert!(matches!(error, Error::Diverged { .. }));
/// # Ok::<(), gradus_linear_regression::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct GradientDescent {
    rate: Option<f64>,
    steps: usize,
    tolerance: f64,
    start: Option<Tensor<f64>>,
}

impl Default for GradientDescent {
    fn default() -> Self {
        Self { rate: None, steps: 10_000, tolerance: 1e-10, start: None }
    }
}

impl GradientDescent {
    /// From 0, at half the [`learning_rate_bound`], for at most 10 000 steps, to a gradient of 10⁻¹⁰ of that at θ = 0.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this learning rate η. The default is 1/λ, half the bound: the steepest direction is solved in one step.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.rate = Some(rate);
        self
    }

    /// With at most so many steps.
    #[must_use]
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Until ‖∇J(θ)‖ is at most this times ‖∇J(0)‖. With 0 it stops at a gradient of 0 only.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// From this θ, `[D]`.
    #[must_use]
    pub fn start(mut self, theta: &Tensor<f64>) -> Self {
        self.start = Some(theta.clone());
        self
    }

    /// Descends on X `[N, D]` and y `[N]`.
    ///
    /// # Errors
    /// As [`run_with`](Self::run_with).
    pub fn run(&self, x: &Tensor<f64>, y: &Tensor<f64>) -> Result<Descent> {
        self.run_with(x, y, |_| ())
    }

    /// Descends on X `[N, D]` and y `[N]`, and shows each point that it comes to, the start too.
    ///
    /// # Errors
    /// Shapes that do not fit, no samples, a NaN or an infinity, a learning rate that is not finite and above 0, a tolerance that
    /// is not finite and at least 0; [`Error::Diverged`] when, at a rate not below the bound, the cost is a million times what it
    /// was at the start. (Not every run at such a rate diverges before its steps are used up, or at all: it may have started
    /// at the minimum.)
    pub fn run_with(
        &self,
        x: &Tensor<f64>,
        y: &Tensor<f64>,
        mut watch: impl FnMut(&Step<'_>),
    ) -> Result<Descent> {
        Data::new(x, y, None)?;
        let bound = learning_rate_bound(x)?;
        let rate = self.checked_rate(bound)?;
        let zero = Tensor::zeros([x.dims()[1]])?;
        let mut theta = self.start.clone().unwrap_or_else(|| zero.clone());
        if let Some(i) = theta.as_slice().iter().position(|v| !v.is_finite()) {
            let value = theta.as_slice()[i];
            return Err(Error::NotFinite { what: "start", row: i, column: 0, value });
        }
        let target = self.tolerance * length(&gradient(x, &zero, y)?);
        let mut cost_history = Vec::new();
        loop {
            let number = cost_history.len();
            let (cost, slope) = (cost(x, &theta, y)?, gradient(x, &theta, y)?);
            let gradient_norm = length(&slope);
            let first = *cost_history.first().unwrap_or(&cost);
            cost_history.push(cost);
            watch(&Step { number, theta: &theta, cost, gradient_norm });
            if !(cost.is_finite() && gradient_norm.is_finite()) && rate < bound {
                return Err(Error::Overflow { what: "the cost, or its gradient," });
            }
            // Below the bound the cost never rises.
            if !cost.is_finite() || (rate >= bound && cost > 1e6 * first) {
                return Err(Error::Diverged { rate, bound, step: number, cost });
            }
            let converged = gradient_norm <= target;
            if converged || number == self.steps {
                return Ok(Descent {
                    theta,
                    converged,
                    steps: number,
                    cost_history,
                    gradient_norm,
                    rate,
                    bound,
                });
            }
            theta.add_scaled(-rate, &slope)?;
        }
    }

    fn checked_rate(&self, bound: f64) -> Result<f64> {
        let refused =
            |name, value: f64, allowed| Err(Error::Option { name, value: value.to_string(), allowed });
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return refused("tolerance", self.tolerance, "finite and at least 0");
        }
        match self.rate {
            Some(rate) if !(rate > 0.0 && rate.is_finite()) => {
                refused("learning_rate", rate, "finite and above 0")
            }
            Some(rate) => Ok(rate),
            // On an X of zeros every rate stands still.
            None => Ok(if bound.is_finite() { 0.5 * bound } else { 1.0 }),
        }
    }
}

/// The Euclidean length, by the largest component: no square overflows or vanishes.
fn length(v: &Tensor<f64>) -> f64 {
    let largest = v.as_slice().iter().fold(0.0, |m: f64, x| if x.is_nan() { *x } else { m.max(x.abs()) });
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * v.map(|x| (x / largest).powi(2)).sum().sqrt()
}

/// A point that gradient descent came to.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// How many steps it took; 0 is the start.
    pub number: usize,
    /// Where it is, `[D]`.
    pub theta: &'a Tensor<f64>,
    /// J(θ).
    pub cost: f64,
    /// ‖∇J(θ)‖.
    pub gradient_norm: f64,
}

/// Where gradient descent ended, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct Descent {
    /// The last point, `[D]`.
    pub theta: Tensor<f64>,
    /// Whether the gradient came down to the tolerance; else the steps were used up.
    pub converged: bool,
    /// How many steps were taken.
    pub steps: usize,
    /// The cost at the start and after each step.
    pub cost_history: Vec<f64>,
    /// ‖∇J(θ)‖ at the last point.
    pub gradient_norm: f64,
    /// The learning rate.
    pub rate: f64,
    /// The [`learning_rate_bound`] of the data.
    pub bound: f64,
}
