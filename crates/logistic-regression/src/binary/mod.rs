//! Logistic regression of two classes, to be configured and fitted.

mod fit;
pub(crate) mod pass;

pub use fit::Fit;

use crate::convergence::Convergence;
use crate::data::Data;
use crate::newton::{Rules, Solution, newton};
use crate::options::{ClassWeights, Method, Options};
use crate::{Result, Stop};
use gradus_tensor::Tensor;
use pass::Loss;

/// Logistic regression of two classes, to be configured and fitted.
///
/// Minimised is Σ wᵢ·lossᵢ + ½·l2·‖θ‖², the intercept spared: scikit-learn's C is 1/l2. Without a penalty that is the maximum of the
/// likelihood, which exists only where no direction separates the classes: where one does, the error is
/// [`Separated`](crate::Error::Separated) and names it.
///
/// ```
/// use gradus_logistic_regression::LogisticRegression;
/// use gradus_tensor::Tensor;
/// let x = Tensor::from([[0.0], [0.0], [0.0], [0.0], [1.0], [1.0], [1.0], [1.0]]);
/// let y = Tensor::from([0, 0, 0, 1, 1, 1, 0, 1]); // odds 1 : 3 at x = 0, 3 : 1 at x = 1
/// let fit = LogisticRegression::new().fit(&x, &y)?;
/// assert!((fit.intercept() + 3f64.ln()).abs() < 1e-12);
/// assert!((fit.coefficients().get([0])? - 9f64.ln()).abs() < 1e-12); // the odds ratio is 9
/// println!("{}", fit.convergence());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct LogisticRegression {
    options: Options,
}

impl LogisticRegression {
    /// With an intercept, the automatic method, no penalty, no weights.
    pub fn new() -> Self {
        Self::default()
    }

    /// With or without an intercept.
    #[must_use]
    pub fn intercept(mut self, yes: bool) -> Self {
        self.options.intercept = yes;
        self
    }

    /// With this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.options.method = method;
        self
    }

    /// With ½·l2·‖θ‖² added to the sum of the losses; the intercept is not penalised.
    #[must_use]
    pub fn l2(mut self, l2: f64) -> Self {
        self.options.l2 = l2;
        self
    }

    /// With a weight for each sample: k is the sample k times, 0 its absence.
    #[must_use]
    pub fn sample_weights(mut self, weights: &[f64]) -> Self {
        self.options.sample_weights = Some(weights.to_vec());
        self
    }

    /// With a weight for each class, by which the weights of its samples are multiplied.
    #[must_use]
    pub fn class_weights(mut self, weights: ClassWeights) -> Self {
        self.options.class_weights = weights;
        self
    }

    /// With this tolerance: the fit stops where the optimum is at most so many standard errors away. The default is 10⁻⁸.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.options.tolerance = tolerance;
        self
    }

    /// With at most so many steps; the default is 100. A fit that has used them up is given back, and says so:
    /// [`Fit::convergence`].
    #[must_use]
    pub fn max_iterations(mut self, steps: usize) -> Self {
        self.options.max_iterations = steps;
        self
    }

    /// Fits labels, `[N]`, each 0 or 1, to X, `[N, D]`.
    ///
    /// # Errors
    /// Shapes that do not fit, no samples, a NaN or an infinity, a label that is not 0 or 1, a class without samples, an option
    /// outside its domain; without a penalty, columns that depend on each other and classes that can be separated.
    pub fn fit(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<Fit> {
        let data = Data::new(x, labels, 2, &self.options)?;
        let loss = Loss { data: &data, l2: self.options.l2 };
        let (theta, convergence) = self.minimise(&loss)?;
        Ok(Fit::new(data, self.options.l2, theta, convergence))
    }

    fn minimise(&self, loss: &Loss<'_>) -> Result<(Vec<f64>, Convergence)> {
        let p = loss.data.width();
        #[cfg(feature = "lbfgs")]
        if self.options.method == Method::Lbfgs
            || self.options.method == Method::Auto && p > crate::lbfgs::MANY
        {
            let units = crate::lbfgs::units(loss.data, self.options.l2)?;
            return crate::lbfgs::lbfgs(loss, vec![0.0; p], &units, &self.options);
        }
        let large = loss.data.samples() * p >= LARGE && loss.data.samples() >= THIN * TALL * p;
        let rules = Rules {
            tolerance: self.options.tolerance,
            max_iterations: self.options.max_iterations,
            keep: large,
        };
        let start = if large { self.from_a_part(loss)? } else { None };
        let (theta, factor) = match start {
            Some(Solution { theta, factor, .. }) => (theta, factor.map(|f| f.scaled(THIN as f64))),
            None => (vec![0.0; p], None),
        };
        let Solution { theta, convergence, .. } = newton(loss, theta, factor, &rules)?;
        Ok((theta, convergence))
    }

    /// A fit of every eighth sample, where all of them are about √8 standard errors of it away from their own: the first steps need
    /// not look at all of the data. `None` where the part is unlike the whole.
    fn from_a_part(&self, loss: &Loss<'_>) -> Result<Option<Solution>> {
        let Some(data) = loss.data.thinned(THIN)? else { return Ok(None) };
        // The penalty is worth some samples: in a part of them, a part of it. Without one, a little keeps the part from running away.
        let l2 = loss.l2 / THIN as f64 + 1e-6;
        let part = Loss { data: &data, l2 };
        let rules = Rules { tolerance: 0.1, max_iterations: 12, keep: false };
        let start = vec![0.0; loss.data.width()];
        let solution = newton(&part, start, None, &rules).ok();
        Ok(solution.filter(|s| s.convergence.stop == Stop::Tolerance))
    }
}

/// How many numbers make data large: from then on a Hessian may serve for several steps.
const LARGE: usize = 1 << 20;
/// Large data is fitted first to every so many-th sample,
const THIN: usize = 8;
/// where that leaves so many for each parameter.
const TALL: usize = 20;
