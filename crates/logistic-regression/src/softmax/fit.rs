//! What a fit of several classes knows.

use super::pass::Loss;
use crate::convergence::Convergence;
use crate::data::Data;
use crate::factor::Factor;
use crate::likelihood::check_labelled;
use crate::newton::Objective;
use crate::{Error, Result};
use gradus_activations::Activations;
use gradus_losses::cross_entropy;
use gradus_tensor::Tensor;

/// A fitted model of several classes.
#[derive(Debug, Clone)]
pub struct SoftmaxFit {
    data: Data,
    l2: f64,
    theta: Vec<f64>,
    coefficients: Tensor<f64>,
    intercepts: Tensor<f64>,
    convergence: Convergence,
}

impl SoftmaxFit {
    pub(super) fn new(data: Data, l2: f64, theta: Vec<f64>, convergence: Convergence) -> Result<Self> {
        let (d, k) = (data.x.dims()[1], data.counts.len());
        let mut coefficients = Tensor::zeros([d, k])?;
        let mut intercepts = Tensor::zeros([k])?;
        for class in 0..k {
            let own: Vec<f64> = theta[class..].iter().step_by(k).copied().collect();
            let (slopes, constant) = data.frame.outward(&own);
            intercepts.as_mut_slice()[class] = constant;
            let to = coefficients.as_mut_slice()[class.min(d * k)..].iter_mut().step_by(k);
            to.zip(&slopes).for_each(|(to, s)| *to = *s);
        }
        Ok(Self { data, l2, theta, coefficients, intercepts, convergence })
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.data.counts.len()
    }

    /// The coefficients, `[D, K]`: what a unit of each column adds to the score of each class. Each row adds up to 0.
    pub fn coefficients(&self) -> &Tensor<f64> {
        &self.coefficients
    }

    /// The intercepts, `[K]`; zeros if there are none. They add up to 0.
    pub fn intercepts(&self) -> &Tensor<f64> {
        &self.intercepts
    }

    /// Coefficients and intercepts less those of one class, which has 0 then: what a unit of each column adds to the log-odds of each
    /// class against that one. The probabilities are the same.
    ///
    /// # Errors
    /// If there is no such class.
    pub fn relative_to(&self, class: u32) -> Result<(Tensor<f64>, Tensor<f64>)> {
        self.check_class(class)?;
        let own = self.coefficients.select(1, class as usize)?.insert_axis(1)?;
        let constant = self.intercepts.as_slice()[class as usize];
        Ok((self.coefficients.sub(&own)?, self.intercepts.map(|b| b - constant)))
    }

    /// The standard errors of [`relative_to`](Self::relative_to), coefficients and intercepts; 0 for the class itself.
    ///
    /// # Errors
    /// If there is no such class; if the fit is penalised, or its Hessian is not positive definite.
    pub fn standard_errors(&self, class: u32) -> Result<(Tensor<f64>, Tensor<f64>)> {
        self.check_class(class)?;
        if self.l2 > 0.0 {
            return Err(Error::Penalised { what: "a standard error", l2: self.l2 });
        }
        let (d, p, k, r) = (self.data.x.dims()[1], self.data.width(), self.classes(), class as usize);
        let loss = Loss::new(&self.data, 0.0)?;
        let hessian = loss.evaluate(&self.theta, true)?.hessian.ok_or_else(|| loss.dependent(0))?;
        let inverse = Factor::new(&hessian).map_err(|column| loss.dependent(column))?.inverse()?;
        let at = |a: usize, b: usize| inverse.as_slice()[a * p * k + b];
        let mut coefficients = Tensor::zeros([d, k])?;
        let mut intercepts = Tensor::zeros([k])?;
        for c in (0..k).filter(|&c| c != r) {
            // Of the difference of two classes; what they have in common cancels.
            let variance = |i: usize, j: usize| {
                at(i * k + c, j * k + c) + at(i * k + r, j * k + r)
                    - at(i * k + c, j * k + r)
                    - at(i * k + r, j * k + c)
            };
            let frame = &self.data.frame;
            for j in 0..d {
                coefficients.as_mut_slice()[j * k + c] = variance(j, j).sqrt() * frame.scale[j];
            }
            if self.data.intercept {
                let shift = |j: usize| if j == d { 1.0 } else { -frame.scale[j] * frame.centre[j] };
                let sum: f64 =
                    (0..p).map(|i| (0..p).map(|j| shift(i) * shift(j) * variance(i, j)).sum::<f64>()).sum();
                intercepts.as_mut_slice()[c] = sum.sqrt();
            }
        }
        Ok((coefficients, intercepts))
    }

    fn check_class(&self, class: u32) -> Result<()> {
        match (class as usize) < self.classes() {
            true => Ok(()),
            false => Err(crate::error::option("class", class, "below the number of classes")),
        }
    }

    /// How the fit went, iteration by iteration, and why it stopped.
    pub fn convergence(&self) -> &Convergence {
        &self.convergence
    }

    /// The scores of new samples, `[N, K]`.
    ///
    /// # Errors
    /// If x is not `[N, D]`.
    pub fn decision_function(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        if x.rank() != 2 || x.dims()[1] != self.coefficients.dims()[0] {
            let expected = format!("[N, {}]", self.coefficients.dims()[0]);
            return Err(Error::Shape { what: "X", expected, got: x.shape() });
        }
        Ok(x.matmul(&self.coefficients)?.add(&self.intercepts)?)
    }

    /// The probabilities of the classes for new samples, `[N, K]`.
    ///
    /// # Errors
    /// If x is not `[N, D]`.
    pub fn predict_proba(&self, x: &Tensor<f64>) -> Result<Tensor<f64>> {
        Ok(self.decision_function(x)?.softmax(1)?)
    }

    /// The most probable class of new samples, `[N]`.
    ///
    /// # Errors
    /// If x is not `[N, D]`; a sample whose scores are NaN.
    pub fn predict(&self, x: &Tensor<f64>) -> Result<Tensor<u32>> {
        let scores = self.decision_function(x)?;
        if let Some(i) = scores.as_slice().iter().position(|z| z.is_nan()) {
            let (row, column) = (i / self.classes(), i % self.classes());
            return Err(Error::NotFinite { what: "decision", row, column, value: f64::NAN });
        }
        Ok(scores.argmax_axis(1)?)
    }

    /// The share of samples whose class is the predicted one.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); other than N labels, a label of K or more, no samples.
    pub fn accuracy(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
        let guess = self.predict(x)?;
        check_labelled(labels, guess.len(), self.classes())?;
        Ok(guess.zip(labels, |a, b| if a == b { 1.0 } else { 0.0 })?.mean()?)
    }

    /// The mean cross entropy of the labels, in nats.
    ///
    /// # Errors
    /// As [`accuracy`](Self::accuracy).
    pub fn log_loss(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<f64> {
        let scores = self.decision_function(x)?;
        check_labelled(labels, scores.dims()[0], self.classes())?;
        Ok(cross_entropy(&scores, labels)?.item()?)
    }

    /// The counts of samples by their class (rows) and the predicted one (columns), `[K, K]`.
    ///
    /// # Errors
    /// As [`accuracy`](Self::accuracy).
    pub fn confusion(&self, x: &Tensor<f64>, labels: &Tensor<u32>) -> Result<Tensor<u32>> {
        let (guess, k) = (self.predict(x)?, self.classes());
        check_labelled(labels, guess.len(), k)?;
        let mut counts = Tensor::zeros([k, k])?;
        for (&truth, &guess) in labels.as_slice().iter().zip(guess.as_slice()) {
            counts.as_mut_slice()[truth as usize * k + guess as usize] += 1;
        }
        Ok(counts)
    }

    /// The log-likelihood of the labels that were fitted, weights counted.
    ///
    /// # Errors
    /// If memory for the scores can't be had.
    pub fn log_likelihood(&self) -> Result<f64> {
        Ok(-Loss::new(&self.data, 0.0)?.evaluate(&self.theta, false)?.value)
    }
}
