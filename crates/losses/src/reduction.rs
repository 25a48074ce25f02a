//! From one loss a sample to one number: the reduction, and the weights that take part in it.

use gradus_tensor::{Error, Result, Scalar, Tensor};

/// What becomes of the losses of N samples.
///
/// The lecture notes divide by the number of samples and sum over a sample's components: so does [`Mean`](Self::Mean).
/// Frameworks divide L1 and MSE by samples *and* components (PyTorch's `mean`): for targets of D components theirs is
/// ours divided by D.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reduction {
    /// The mean over samples; with weights, the weighted mean, divided by the sum of the weights.
    #[default]
    Mean,
    /// The sum over samples.
    Sum,
    /// One loss a sample, `[N]`.
    None,
}

impl Reduction {
    /// Reduces `losses` with one weight each (all 1 where there are none). What is divided by is returned too:
    /// a mean over no weight at all (an empty batch, every sample ignored) is 0, with gradient 0.
    pub(crate) fn apply<T: Scalar>(self, losses: Vec<T>, weights: Option<&[T]>) -> (Tensor<T>, T) {
        let n = losses.len();
        let weighted: Tensor<T> = match weights {
            Some(w) => losses.iter().zip(w).map(|(&l, &w)| scaled(l, w)).collect(),
            None => losses.into(),
        };
        match self {
            Reduction::None => (weighted, T::ONE),
            Reduction::Sum => (Tensor::scalar(weighted.sum()), T::ONE),
            Reduction::Mean => {
                let total = match weights {
                    Some(w) => w.iter().copied().collect::<Tensor<T>>().sum(),
                    None => T::of(n as f64),
                };
                let mean = if total == T::ZERO { T::ZERO } else { weighted.sum() / total };
                (Tensor::scalar(mean), total)
            }
        }
    }

    /// ∂L/∂(loss of sample i), from ∂L/∂result.
    pub(crate) fn spread<T: Scalar>(self, i: usize, dy: &Tensor<T>, weight: T, total: T) -> T {
        match self {
            Reduction::None => scaled(dy.as_slice()[i], weight),
            Reduction::Sum => scaled(dy.as_slice()[0], weight),
            Reduction::Mean if total == T::ZERO => T::ZERO,
            Reduction::Mean => scaled(dy.as_slice()[0] / total, weight),
        }
    }
}

/// l·w, where a weight of 0 takes the sample out, whatever its loss: 0·∞ would be NaN.
#[inline(always)]
pub(crate) fn scaled<T: Scalar>(l: T, w: T) -> T {
    if w == T::ZERO { T::ZERO } else { l * w }
}

/// Weights are finite and not negative.
pub(crate) fn checked_weights<T: Scalar>(
    op: &'static str,
    name: &'static str,
    weights: &[f64],
    expected: usize,
) -> Result<Vec<T>> {
    if weights.len() != expected {
        let (value, allowed) = (format!("{} of them", weights.len()), format!("{expected}"));
        return Err(Error::Argument { op, name, value, allowed });
    }
    if let Some((i, w)) = weights.iter().enumerate().find(|(_, w)| !(**w >= 0.0 && w.is_finite())) {
        let (value, allowed) = (format!("{w} (number {i})"), "finite and at least 0".into());
        return Err(Error::Argument { op, name, value, allowed });
    }
    Ok(weights.iter().map(|&w| T::of(w)).collect())
}

/// The samples and the components of each, of two tensors of one shape.
pub(crate) fn samples<T: Scalar>(
    op: &'static str,
    prediction: &Tensor<T>,
    target: &Tensor<T>,
) -> Result<(usize, usize)> {
    if prediction.shape() != target.shape() {
        let expected = format!("prediction and target of one shape; the target has {}", target.shape());
        return Err(Error::Shape { op, expected, got: prediction.shape() });
    }
    match *prediction.dims() {
        [] => Ok((1, 1)),
        [n, ref rest @ ..] => Ok((n, rest.iter().product())),
    }
}
