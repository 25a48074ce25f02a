//! How a fit went: each iteration, and why it was the last.

use std::fmt;

/// One iteration, as it began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Iteration {
    /// The sum of the losses, with the penalty: what is minimised.
    pub objective: f64,
    /// The largest element of the gradient of the *mean* objective, in units of the data.
    pub gradient_norm: f64,
    /// About how far the optimum was, in standard errors: √(gᵀH⁻¹g). Each parameter was about as many of its standard errors off, at
    /// most. Of L-BFGS, which has no H: with ¼·N·I in its place.
    pub distance: f64,
    /// The share of the step that was taken then: 1, ½, ¼, …; 0 in the last.
    pub step: f64,
}

/// Why the last iteration was the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// The distance to the optimum was within the tolerance.
    Tolerance,
    /// The rounding of the objective and its gradient allows no better.
    Precision,
    /// As many iterations as were allowed: the optimum is not reached.
    Iterations,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tolerance => "the optimum is within the tolerance",
            Self::Precision => "rounding allows no better",
            Self::Iterations => "the iterations allowed are used up; the optimum is not reached",
        })
    }
}

/// How a fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Convergence {
    /// Every iteration, the last being where the fit stopped.
    pub iterations: Vec<Iteration>,
    /// Why it stopped.
    pub stop: Stop,
}

impl Convergence {
    /// Whether the optimum was reached.
    pub fn converged(&self) -> bool {
        self.stop != Stop::Iterations
    }

    /// How many steps were taken.
    pub fn steps(&self) -> usize {
        self.iterations.iter().filter(|i| i.step > 0.0).count()
    }
}

impl fmt::Display for Convergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>4} {:>20} {:>12} {:>12} {:>8}", "", "objective", "gradient", "distance", "step")?;
        for (i, Iteration { objective, gradient_norm, distance, step }) in self.iterations.iter().enumerate()
        {
            writeln!(f, "{i:>4} {objective:>20.12} {gradient_norm:>12.3e} {distance:>12.3e} {step:>8}")?;
        }
        write!(f, "stopped: {}", self.stop)
    }
}
