//! What ends a training that should have gone on.

/// The result of a step, a run, a file.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What ends a training that should have gone on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A tensor operation failed.
    #[error(transparent)]
    Tensor(#[from] gradus_tensor::Error),
    /// A backward pass failed, or a state did not fit.
    #[error(transparent)]
    Autograd(#[from] gradus_autograd::Error),
    /// An optimiser refused a step, a rate or a state.
    #[error(transparent)]
    Optimization(#[from] gradus_optimization::Error),
    /// The data can't give a batch (feature `datasets`).
    #[cfg(feature = "datasets")]
    #[error(transparent)]
    Data(#[from] gradus_datasets::Error),
    /// Something else that the caller's own code ran into.
    #[error(transparent)]
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// An argument outside its domain.
    #[error("{op}: {name} = {value} (allowed: {allowed})")]
    Argument {
        /// The operation.
        op: &'static str,
        /// The argument's name.
        name: &'static str,
        /// The value that came.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// A loss, a gradient or a parameter that is no finite number. The parameters are those before the step.
    #[error(
        "diverged in epoch {epoch}, step {step}: {tensor} holds {value} (allowed: finite numbers; a lower learning rate, clipped \
         gradients or scaled inputs may help)"
    )]
    Diverged {
        /// The epoch, from 0.
        epoch: u64,
        /// The step within the epoch, from 0.
        step: u64,
        /// What is not finite: `the loss`, ``the gradient of `fc1.weight` ``, ``the parameter `fc1.weight` ``.
        tensor: String,
        /// The first value that is not.
        value: f64,
    },
    /// A file that can’t be written, or a checkpoint that can’t be used.
    #[error("{file}: {why}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
}

impl Error {
    /// An error of the caller's own.
    pub fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Error::Other(error.into())
    }
}

/// Refuses an argument unless it is as it must be.
pub(crate) fn allow(
    ok: bool,
    op: &'static str,
    name: &'static str,
    value: impl std::fmt::Display,
    allowed: impl Into<String>,
) -> Result<()> {
    if ok {
        return Ok(());
    }
    Err(Error::Argument { op, name, value: value.to_string(), allowed: allowed.into() })
}
