//! Softmax regression: logistic regression of several classes.

mod fit;
pub(crate) mod formulas;
mod pass;

pub use fit::SoftmaxFit;
pub use formulas::{softmax_gradient, softmax_hessian};

use crate::Result;
use crate::data::Data;
use crate::error::option;
use crate::newton::{Rules, newton};
use crate::options::{ClassWeights, Method, Options};
use gradus_tensor::Tensor;
use pass::Loss;

/// Logistic regression of K classes, to be configured and fitted: softmax of linear scores.
///
/// Minimised is Σ wᵢ·lossᵢ + ½·l2·‖θ‖², the intercepts spared. The same vector added to every class's coefficients changes no
/// probability; of all that are as good, those are given that add up to 0 over the classes. With a penalty the coefficients do
/// by themselves; [`SoftmaxFit::relative_to`] takes one class as the reference instead.
///
/// ```
/// use gradus_logistic_regression::SoftmaxRegression;
/// use gradus_tensor::Tensor;
/// let x = Tensor::zeros([6, 0])?; // intercepts alone
/// let fit = SoftmaxRegression::new(3).fit(&x, &Tensor::from([0, 0, 0, 1, 1, 2]))?;
/// let p = fit.predict_proba(&Tensor::zeros([1, 0])?)?;
/// assert!(p.max_difference(&Tensor::from([[3.0 / 6.0, 2.0 / 6.0, 1.0 / 6.0]]))? < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct SoftmaxRegression {
    classes: usize,
    options: Options,
}

impl SoftmaxRegression {
    /// Of so many classes, with intercepts, the automatic method, no penalty, no weights.
    pub fn new(classes: usize) -> Self {
        Self { classes, options: Options::default() }
    }

    /// With or without intercepts.
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

    /// With ½·l2·‖θ‖² added to the sum of the losses; the intercepts are not penalised.
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

    /// With at most so many steps; the default is 100. A fit that has used them up is given back, and says so.
    #[must_use]
    pub fn max_iterations(mut self, steps: usize) -> Self {
        self.options.max_iterations = steps;
        self
    }

    /// Fits labels, `[N]`, each below K, to X, `[N, D]`.
    ///
    /// # Errors
    /// As [`LogisticRegression::fit`](crate::LogisticRegression::fit); fewer than two classes.
    pub fn fit(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<SoftmaxFit> {
        if self.classes < 2 {
            return Err(option("classes", self.classes, "at least 2"));
        }
        let data = Data::new(x, labels, self.classes, &self.options)?;
        let (theta, convergence) = {
            let loss = Loss::new(&data, self.options.l2)?;
            let p = data.width() * self.classes;
            self.minimise(&loss, p)?
        };
        SoftmaxFit::new(data, self.options.l2, theta, convergence)
    }

    fn minimise(&self, loss: &Loss<'_>, p: usize) -> Result<(Vec<f64>, crate::Convergence)> {
        #[cfg(feature = "lbfgs")]
        if self.options.method == Method::Lbfgs
            || self.options.method == Method::Auto && p > crate::lbfgs::MANY
        {
            let share = 4.0 * (self.classes as f64 - 1.0) / (self.classes * self.classes) as f64;
            let columns = crate::lbfgs::units(loss.data, self.options.l2 / share)?;
            let each = |unit: f64| std::iter::repeat_n(unit / share.sqrt(), self.classes);
            let units: Vec<f64> = columns.into_iter().flat_map(each).collect();
            return crate::lbfgs::lbfgs(loss, vec![0.0; p], &units, &self.options);
        }
        let rules = Rules {
            tolerance: self.options.tolerance,
            max_iterations: self.options.max_iterations,
            keep: false,
        };
        let solution = newton(loss, vec![0.0; p], None, &rules)?;
        Ok((solution.theta, solution.convergence))
    }
}
