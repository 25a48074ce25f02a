//! Counting mistakes: a loss whose bias and variance do not add up.

use crate::Result;
use gradus_tensor::{Error, Tensor};
use std::collections::BTreeMap;

/// Bias and variance of a classifier under the loss that counts mistakes, at some points, after Domingos.
///
/// **Formula**: the *main* prediction is the class that most training sets predict (of several, the lowest). Bias is 1 where it is
/// wrong, variance the share of the training sets that predict another class. Where the main prediction is right, the error is
/// the variance. Where it is wrong, every deviation that hits the true class *helps*: the error is 1 minus their share, which
/// with two classes is 1 − variance. So the error is not bias + variance; squared error alone has that.
///
/// **Shapes**: predictions `[S, P]`, classes `[P]`; results `[P]`. **Units**: probability. **Gradient**: none.
///
/// **Numerics**: shares are quotients of counts. **Errors**: see [`new`](Self::new).
///
/// **Source**: Domingos 2000, Theorems 1 and 3.
///
/// ```
/// use gradus_optimization::ZeroOne;
/// use gradus_tensor::Tensor;
/// // Three of four training sets say class 0, and class 1 is right.
/// let parts = ZeroOne::new(&Tensor::from([[0u32], [0], [0], [1]]), &Tensor::from([1u32]))?;
/// let numbers = [&parts.bias, &parts.variance, &parts.error].map(|part| part.as_slice()[0]);
/// assert_eq!(numbers, [1.0, 0.25, 0.75]); // 1 + 0.25 would be more than all
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ZeroOne {
    /// The class that most sets predict, `[P]`.
    pub main: Tensor<u32>,
    /// 1 where that is wrong, `[P]`.
    pub bias: Tensor<f64>,
    /// The share of the sets that predict another, `[P]`.
    pub variance: Tensor<f64>,
    /// The share of the sets that are wrong, `[P]`.
    pub error: Tensor<f64>,
}

impl ZeroOne {
    /// Of these predicted classes `[S, P]` against the true ones `[P]`.
    ///
    /// # Errors
    /// If there is no training set, or the points are not as many.
    pub fn new(predictions: &Tensor<u32>, classes: &Tensor<u32>) -> Result<Self> {
        let op = "ZeroOne";
        let &[sets, points] = predictions.dims() else {
            return Err(Error::Shape { op, expected: "[S, P]".into(), got: predictions.shape() }.into());
        };
        if sets == 0 {
            return Err(Error::Empty { op, shape: predictions.shape() }.into());
        }
        if classes.dims() != [points] {
            return Err(Error::Shape { op, expected: format!("[{points}]"), got: classes.shape() }.into());
        }
        let (mut main, mut bias, mut variance, mut error) = (vec![], vec![], vec![], vec![]);
        for (p, &class) in classes.as_slice().iter().enumerate() {
            let mut votes = BTreeMap::new();
            for &vote in predictions.as_slice()[p..].iter().step_by(points) {
                *votes.entry(vote).or_insert(0usize) += 1;
            }
            let most = votes.values().copied().max().unwrap_or(0);
            let winner = votes.iter().find(|(_, count)| **count == most).map_or(class, |(vote, _)| *vote);
            let share = |count: usize| count as f64 / sets as f64;
            main.push(winner);
            bias.push(f64::from(u8::from(winner != class)));
            variance.push(share(sets - most));
            error.push(share(sets - votes.get(&class).copied().unwrap_or(0)));
        }
        let of = |values| Tensor::from_vec(values, [points]);
        Ok(Self {
            main: Tensor::from_vec(main, [points])?,
            bias: of(bias)?,
            variance: of(variance)?,
            error: of(error)?,
        })
    }
}
