//! Losses that add up over the components of a sample: what L1, MSE, Huber and BCE have in common.

use crate::Reduction;
use crate::reduction::samples;
use gradus_autograd::Op;
use gradus_tensor::{Result, Scalar, Tensor};

/// A loss between a predicted and a true number.
pub trait Componentwise: Copy + Send + Sync + 'static {
    /// The operation's name, for errors.
    const NAME: &'static str;

    /// The loss.
    fn loss<T: Scalar>(self, prediction: T, target: T) -> T;

    /// Its derivatives in the prediction and in the target.
    fn slopes<T: Scalar>(self, prediction: T, target: T) -> (T, T);

    /// Whether the arguments are in the domain, named if not.
    ///
    /// # Errors
    /// Which value is outside, and what is allowed.
    fn check<T: Scalar>(self, _prediction: &Tensor<T>, _target: &Tensor<T>) -> Result<()> {
        Ok(())
    }
}

/// A [`Componentwise`] loss, summed over each sample's components and reduced over the samples, as an operation on
/// `[prediction, target]`.
#[derive(Debug, Clone, Copy)]
pub struct Elementwise<L> {
    /// The loss of a component.
    pub loss: L,
    /// What becomes of the samples' losses.
    pub reduction: Reduction,
}

impl<T: Scalar, L: Componentwise> Op<T, 2> for Elementwise<L> {
    /// Nothing: the slopes are computed from the inputs.
    type Saved = ();

    fn forward(&self, [prediction, target]: [&Tensor<T>; 2]) -> Result<(Tensor<T>, ())> {
        let (n, d) = samples(L::NAME, prediction, target)?;
        self.loss.check(prediction, target)?;
        let pairs = prediction.as_slice().iter().zip(target.as_slice());
        let each: Vec<T> = pairs.map(|(&p, &t)| self.loss.loss(p, t)).collect();
        let losses = Tensor::from_vec(each, [n, d])?.sum_axis(1)?.into_vec();
        Ok((self.reduction.apply(losses, None).0, ()))
    }

    fn vjp(
        &self,
        [prediction, target]: [&Tensor<T>; 2],
        (): &(),
        dy: &Tensor<T>,
        [wants_prediction, wants_target]: [bool; 2],
    ) -> Result<[Option<Tensor<T>>; 2]> {
        let (n, d) = samples(L::NAME, prediction, target)?;
        let total = T::of(n as f64);
        let weight: Vec<T> = (0..n).map(|i| self.reduction.spread(i, dy, T::ONE, total)).collect();
        let gradient = |pick: fn((T, T)) -> T| {
            let pairs = prediction.as_slice().iter().zip(target.as_slice()).enumerate();
            let slope =
                |(k, (&p, &t)): (usize, (&T, &T))| pick(self.loss.slopes(p, t)) * weight[k / d.max(1)];
            Tensor::from_vec(pairs.map(slope).collect(), prediction.shape())
        };
        Ok([
            if wants_prediction { Some(gradient(|s| s.0)?) } else { None },
            if wants_target { Some(gradient(|s| s.1)?) } else { None },
        ])
    }
}
