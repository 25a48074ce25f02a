//! What a fit of two classes knows.

use crate::convergence::Convergence;
use crate::data::Data;
use crate::likelihood::{check_labelled, mean_loss};
use crate::statistics::Statistics;
use crate::{Error, Result};
use gradus_activations::Activations;
use gradus_tensor::Tensor;

/// A fitted model of two classes.
#[derive(Debug, Clone)]
pub struct Fit {
    pub(crate) data: Data,
    pub(crate) l2: f64,
    /// In the frame of the data.
    pub(crate) theta: Vec<f64>,
    coefficients: Tensor<f64>,
    intercept: f64,
    convergence: Convergence,
}

impl Fit {
    pub(crate) fn new(data: Data, l2: f64, theta: Vec<f64>, convergence: Convergence) -> Self {
        let (slopes, intercept) = data.frame.outward(&theta);
        Self { data, l2, theta, coefficients: slopes.into_iter().collect(), intercept, convergence }
    }

    /// The coefficients of the columns of X, `[D]`: what a unit of each adds to the log-odds of label 1.
    pub fn coefficients(&self) -> &Tensor<f64> {
        &self.coefficients
    }

    /// The intercept; 0 if there is none.
    pub fn intercept(&self) -> f64 {
        self.intercept
    }

    /// How the fit went, iteration by iteration, and why it stopped.
    pub fn convergence(&self) -> &Convergence {
        &self.convergence
    }

    /// The log-odds of label 1 of new samples, `[N]`: xθ + intercept.
    ///
    /// # Errors
    /// If x is not `[N, D]`.
    pub fn decision_function(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        let intercept = self.intercept;
        Ok(crate::prediction::log_odds(x, &self.coefficients)?.map_owned(|z| z + intercept))
    }

    /// The probability of label 1 of new samples, `[N]`.
    ///
    /// # Errors
    /// If x is not `[N, D]`.
    pub fn predict_proba(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        Ok(self.decision_function(x)?.sigmoid()?)
    }

    /// The more probable label of new samples, `[N]`; 1 where both are as probable.
    ///
    /// # Errors
    /// If x is not `[N, D]`; a sample whose log-odds is NaN.
    pub fn predict(&self, x: &Tensor<f64>) -> Result<Tensor<u32>> {
        let z = self.decision_function(x)?;
        if let Some(row) = z.as_slice().iter().position(|z| z.is_nan()) {
            return Err(Error::NotFinite { what: "decision", row, column: 0, value: f64::NAN });
        }
        Ok(z.map(|z| u32::from(z >= 0.0)))
    }

    /// The share of samples whose label is the predicted one.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); other than N labels, a label that is not 0 or 1, no samples.
    pub fn accuracy(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
        let guess = self.predict(x)?;
        check_labelled(labels, guess.len(), 2)?;
        Ok(guess.zip(labels, |a, b| if a == b { 1.0 } else { 0.0 })?.mean()?)
    }

    /// The mean loss: −1/n times the log-likelihood of the labels, in nats.
    ///
    /// # Errors
    /// As [`accuracy`](Self::accuracy).
    pub fn log_loss(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
        let z = self.decision_function(x)?;
        check_labelled(labels, z.len(), 2)?;
        mean_loss(&z, labels)
    }

    /// The counts of samples by their label (rows) and the predicted one (columns).
    ///
    /// # Errors
    /// As [`accuracy`](Self::accuracy).
    pub fn confusion(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<[[usize; 2]; 2]> {
        let guess = self.predict(x)?;
        check_labelled(labels, guess.len(), 2)?;
        let mut counts = [[0; 2]; 2];
        for (&truth, &guess) in labels.as_slice().iter().zip(guess.as_slice()) {
            counts[truth as usize][guess as usize] += 1;
        }
        Ok(counts)
    }

    /// Where the model is undecided, for plots of two features: the ends of the line, within a rectangle, on which the probability of
    /// label 1 is `level`. `None` if the line does not cross it.
    ///
    /// ```
    /// use gradus_logistic_regression::LogisticRegression;
    /// use gradus_tensor::Tensor;
    /// let x = Tensor::from([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]);
    /// let fit = LogisticRegression::new().l2(1.0).fit(&x, &Tensor::from([0, 0, 1, 1]))?;
    /// let [from, to] = fit.boundary((0.0, 1.0), (0.0, 1.0), 0.5)?.ok_or("it crosses")?;
    /// assert!((from.1 - 0.5).abs() < 1e-9 && (to.1 - 0.5).abs() < 1e-9); // the line x₂ = ½
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If there are not two features, or the level is not between 0 and 1.
    pub fn boundary(&self, x: (f64, f64), y: (f64, f64), level: f64) -> Result<Option<[(f64, f64); 2]>> {
        let &[a, b] = self.coefficients.as_slice() else {
            let got = self.data.x.shape();
            return Err(Error::Shape {
                what: "X",
                expected: "[N, 2] for a boundary in the plane".into(),
                got,
            });
        };
        if !(level > 0.0 && level < 1.0) {
            return Err(crate::error::option("level", level, "between 0 and 1, both excluded"));
        }
        Ok(line_in_box([a, b, self.intercept - gradus_activations::logit(level)], x, y))
    }

    /// The log-likelihood of the labels that were fitted, weights counted.
    ///
    /// # Errors
    /// If memory for the log-odds can't be had.
    pub fn log_likelihood(&self) -> Result<f64> {
        use crate::newton::Objective;
        Ok(-super::pass::Loss { data: &self.data, l2: 0.0 }.evaluate(&self.theta, false)?.value)
    }

    /// How sure the coefficients are: standard errors, z and p values, intervals, and what the whole explains.
    ///
    /// # Errors
    /// If the fit is penalised, or its Hessian is not positive definite.
    pub fn statistics(&self) -> Result<Statistics> {
        Statistics::of(self)
    }
}

/// The ends of the line ax + by + c = 0 within a rectangle.
pub(crate) fn line_in_box([a, b, c]: [f64; 3], x: (f64, f64), y: (f64, f64)) -> Option<[(f64, f64); 2]> {
    let mut ends: Vec<(f64, f64)> = Vec::new();
    let inside = |v: f64, (low, high): (f64, f64)| v >= low && v <= high;
    let mut push = |p: (f64, f64)| {
        if !ends.contains(&p) {
            ends.push(p);
        }
    };
    if b != 0.0 {
        [x.0, x.1].iter().map(|&u| (u, -(a * u + c) / b)).filter(|p| inside(p.1, y)).for_each(&mut push);
    }
    if a != 0.0 {
        [y.0, y.1].iter().map(|&v| (-(b * v + c) / a, v)).filter(|p| inside(p.0, x)).for_each(&mut push);
    }
    match ends[..] {
        [first, second, ..] => Some([first, second]),
        _ => None,
    }
}
