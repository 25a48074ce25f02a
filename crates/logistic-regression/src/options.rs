//! What both regressions can be told.

use crate::error::option;
use crate::{Error, Result};
use std::fmt;

/// How the maximum is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Method {
    /// [`Newton`](Self::Newton); with the feature `lbfgs`, `Lbfgs` for more than 600 parameters.
    #[default]
    Auto,
    /// Newton's method, that is, least squares reweighted in each step, with steps halved where they go too far.
    Newton,
    /// The limited-memory quasi-Newton method (of the crate `argmin`): no Hessian, for many parameters.
    #[cfg(feature = "lbfgs")]
    Lbfgs,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Method::{self:?}")
    }
}

/// What a sample counts for the sake of its class.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ClassWeights {
    /// 1.
    #[default]
    Equal,
    /// As much as makes all classes count alike: N/(K·N_class), in which N_class is the weight of the class's samples and N that of all.
    Balanced,
    /// These, one for each class.
    Given(Vec<f64>),
}

/// The options that the two regressions share.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Options {
    pub(crate) intercept: bool,
    pub(crate) method: Method,
    pub(crate) l2: f64,
    pub(crate) sample_weights: Option<Vec<f64>>,
    pub(crate) class_weights: ClassWeights,
    pub(crate) tolerance: f64,
    pub(crate) max_iterations: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            intercept: true,
            method: Method::Auto,
            l2: 0.0,
            sample_weights: None,
            class_weights: ClassWeights::Equal,
            tolerance: 1e-8,
            max_iterations: 100,
        }
    }
}

impl Options {
    pub(crate) fn check(&self) -> Result<()> {
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return Err(option("l2", self.l2, "finite and at least 0"));
        }
        if !(self.tolerance > 0.0 && self.tolerance < 1.0) {
            return Err(option("tolerance", self.tolerance, "between 0 and 1, both excluded"));
        }
        Ok(())
    }
}

/// Every weight finite and at least 0.
pub(crate) fn check_weights(name: &'static str, weights: &[f64]) -> Result<(), Error> {
    match weights.iter().find(|w| !(**w >= 0.0 && w.is_finite())) {
        Some(bad) => Err(option(name, bad, "finite and at least 0")),
        None => Ok(()),
    }
}
