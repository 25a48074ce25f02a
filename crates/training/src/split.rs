//! Three parts: to learn from, to choose by, to report.

use crate::Result;
use crate::batches::stratified_order;
use crate::error::allow;
use crate::random::{Purpose, shuffle, stream};
use gradus_tensor::Tensor;

/// Which samples are learned from, which settings are chosen by, and which nothing is decided by: each sample in exactly one part.
///
/// ```
/// use gradus_training::Split;
/// let parts = Split::new(10, 0.2, 0.1, 7)?;
/// assert_eq!((parts.train.len(), parts.validation.len(), parts.test.len()), (7, 2, 1));
/// # Ok::<(), gradus_training::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To learn from.
    pub train: Vec<u32>,
    /// To choose settings by, and when to stop.
    pub validation: Vec<u32>,
    /// To report.
    pub test: Vec<u32>,
}

impl Split {
    /// Parts by chance, in an order that the seed decides. The validation and the test part have these shares of the samples, rounded.
    ///
    /// # Errors
    /// If a share is not between 0 and 1, a part with a share above 0 would have no sample, or none is left to learn from.
    pub fn new(samples: usize, validation: f64, test: f64, seed: u64) -> Result<Self> {
        allow(u32::try_from(samples).is_ok(), "Split", "samples", samples, format!("at most {}", u32::MAX))?;
        let mut order: Vec<u32> = (0..samples as u32).collect();
        shuffle(&mut order, &mut stream(seed, Purpose::Split, 0, 0));
        Self::cut(&order, validation, test)
    }

    /// Parts in which each class has about the share that it has in the whole: off by less than two samples and 2K times its
    /// share, of K classes.
    ///
    /// # Errors
    /// As [`new`](Self::new), or if the classes are not `[N]`.
    pub fn stratified(classes: &Tensor<u32>, validation: f64, test: f64, seed: u64) -> Result<Self> {
        allow(classes.rank() == 1, "Split", "classes", classes.shape(), "[N]")?;
        let samples = classes.len();
        allow(u32::try_from(samples).is_ok(), "Split", "samples", samples, format!("at most {}", u32::MAX))?;
        let order = stratified_order(classes.as_slice(), &mut stream(seed, Purpose::Split, 0, 0));
        Self::cut(&order, validation, test)
    }

    fn cut(order: &[u32], validation: f64, test: f64) -> Result<Self> {
        let n = order.len();
        let part = |name, share: f64| -> Result<usize> {
            let count = (share * n as f64).round();
            let enough = (0.0..1.0).contains(&share) && (count >= 1.0 || share == 0.0);
            allow(enough, "Split", name, share, format!("0, or enough for one of {n} samples, and below 1"))?;
            Ok(count as usize)
        };
        let (v, t) = (part("validation", validation)?, part("test", test)?);
        let both = validation + test;
        allow(
            v + t < n,
            "Split",
            "validation + test",
            both,
            format!("less, so that of {n} samples one is left to learn from"),
        )?;
        let (train, rest) = order.split_at(n - v - t);
        let (validation, test) = rest.split_at(v);
        Ok(Self { train: train.to_vec(), validation: validation.to_vec(), test: test.to_vec() })
    }
}
