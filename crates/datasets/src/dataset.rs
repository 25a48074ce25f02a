//! Samples with what is to be predicted from them.

use crate::{Error, Result, Table};
use gradus_tensor::{Element, Tensor};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};

/// Samples whose target is a class, numbered from 0.
pub type Classification = Dataset<u32>;

/// Samples whose target is a number.
pub type Regression = Dataset<f64>;

/// Samples, what is to be predicted from them, and where they came from.
///
/// **Shapes**: N samples, D features, K classes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Dataset<T: Element> {
    /// `[N, D]`: a row a sample.
    pub features: Tensor<f64>,
    /// `[D]`: the features' names.
    pub feature_names: Vec<String>,
    /// `[N]`: each sample's class (`u32`, below K) or value (`f64`).
    pub target: Tensor<T>,
    /// The K classes' names; of a regression, the one target's name.
    pub target_names: Vec<String>,
    /// Who measured it, and where it can be found.
    pub source: String,
    /// On what terms it may be used.
    pub licence: String,
}

const NOT_STATED: &str = "not stated";

impl Classification {
    /// Samples and classes from tensors. Source and licence are told with [`with_source`](Self::with_source).
    ///
    /// # Errors
    /// If the features are not `[N, D]` with D names, the target is not `[N]`, or a class is not below K.
    pub fn new(
        features: Tensor<f64>,
        feature_names: &[&str],
        target: Tensor<u32>,
        target_names: Vec<String>,
    ) -> Result<Self> {
        if let Some(class) = target.as_slice().iter().find(|&&class| class as usize >= target_names.len()) {
            return Err(refused("target", format!("class {class}"), format!("0..{}", target_names.len())));
        }
        Self::checked(features, feature_names, target, target_names)
    }

    /// Samples and classes from a table; the classes are numbered in order of first appearance.
    ///
    /// ```
    /// use gradus_datasets::{Classification, Table};
    /// let table = Table::parse("x,kind\n1,b\n2,a\n3,b\n")?;
    /// let data = Classification::from_table(&table, &["x"], "kind")?;
    /// assert_eq!(data.target, [0, 1, 0].into());
    /// assert_eq!(data.target_names, ["b", "a"]);
    /// # Ok::<(), gradus_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::tensor`] and [`Table::classes`].
    pub fn from_table(table: &Table, features: &[&str], target: &str) -> Result<Self> {
        let (classes, names) = table.classes(target)?;
        Ok(Self::new(table.tensor(features)?, features, classes, names)?
            .with_source(table.file(), NOT_STATED))
    }
}

impl Regression {
    /// Samples and values from tensors. Source and licence are told with [`with_source`](Self::with_source).
    ///
    /// # Errors
    /// If the features are not `[N, D]` with D names, or the target is not `[N]`.
    pub fn new(
        features: Tensor<f64>,
        feature_names: &[&str],
        target: Tensor<f64>,
        target_name: &str,
    ) -> Result<Self> {
        Self::checked(features, feature_names, target, vec![target_name.to_string()])
    }

    /// Samples and values from a table.
    ///
    /// ```
    /// use gradus_datasets::{Regression, Table};
    /// let table = Table::parse("x,y\n1,2\n2,4.5\n")?;
    /// let data = Regression::from_table(&table, &["x"], "y")?;
    /// assert_eq!(data.target, [2.0, 4.5].into());
    /// # Ok::<(), gradus_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`Table::tensor`].
    pub fn from_table(table: &Table, features: &[&str], target: &str) -> Result<Self> {
        let (x, y) = (table.tensor(features)?, table.column(target)?);
        Ok(Self::new(x, features, y, target)?.with_source(table.file(), NOT_STATED))
    }
}

impl<T: Element> Dataset<T> {
    fn checked(
        features: Tensor<f64>,
        feature_names: &[&str],
        target: Tensor<T>,
        target_names: Vec<String>,
    ) -> Result<Self> {
        let &[n, d] = features.dims() else {
            return Err(refused("features", format!("the shape {}", features.shape()), "[N, D]".to_string()));
        };
        if feature_names.len() != d {
            return Err(refused("feature_names", format!("{} names", feature_names.len()), format!("{d}")));
        }
        if target.dims() != [n] {
            return Err(refused("target", format!("the shape {}", target.shape()), format!("[{n}]")));
        }
        let feature_names = feature_names.iter().map(|name| name.to_string()).collect();
        let (source, licence) = (NOT_STATED.to_string(), NOT_STATED.to_string());
        Ok(Self { features, feature_names, target, target_names, source, licence })
    }

    /// The same data, with where it comes from and on what terms.
    pub fn with_source(mut self, source: impl Into<String>, licence: impl Into<String>) -> Self {
        (self.source, self.licence) = (source.into(), licence.into());
        self
    }

    /// N, the number of samples.
    pub fn len(&self) -> usize {
        self.target.dims().first().copied().unwrap_or(0)
    }

    /// Whether there is no sample.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The samples of these numbers, in this order; a number may stand several times.
    ///
    /// # Errors
    /// If a number is not below N.
    pub fn samples(&self, numbers: &[u32]) -> Result<Self> {
        Ok(Self {
            features: self.features.gather(0, numbers)?,
            target: self.target.gather(0, numbers)?,
            ..self.clone()
        })
    }

    /// The samples in an order that the seed alone decides.
    ///
    /// The order is the same on every machine and in every version of this crate: sample i gets as its key the i-th
    /// 64-bit number of the ChaCha8 stream whose 256-bit key is the seed (little-endian, the other bits 0), and the
    /// samples are sorted by key.
    ///
    /// # Errors
    /// If there are more samples than `u32` can number.
    pub fn shuffle(&self, seed: u64) -> Result<Self> {
        self.samples(&self.order("shuffle", seed)?)
    }

    /// A training part and a test part: [`shuffle`](Self::shuffle), and the first `train_fraction · N` samples,
    /// rounded, against the rest. Classes are not balanced.
    ///
    /// ```
    /// let (train, test) = gradus_datasets::iris()?.split(0.8, 7)?;
    /// assert_eq!((train.len(), test.len()), (120, 30));
    /// # Ok::<(), gradus_datasets::Error>(())
    /// ```
    ///
    /// # Errors
    /// If the fraction is not between 0 and 1, or leaves one of the parts without a sample.
    pub fn split(&self, train_fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let order = self.order("split", seed)?;
        let train = (train_fraction * self.len() as f64).round();
        // A NaN is within no range. Of a fraction beyond (0, 1) one part is empty, or more than all are asked for.
        if !(1.0..self.len() as f64).contains(&train) {
            let allowed = format!("at least one of {} samples in each part", self.len());
            return Err(Error::Argument {
                op: "split",
                name: "train_fraction",
                value: train_fraction.to_string(),
                allowed: format!("between 0 and 1, {allowed}"),
            });
        }
        let (train, test) = order.split_at(train as usize);
        Ok((self.samples(train)?, self.samples(test)?))
    }

    fn order(&self, op: &'static str, seed: u64) -> Result<Vec<u32>> {
        let n = u32::try_from(self.len()).map_err(|_| Error::Argument {
            op,
            name: "samples",
            value: self.len().to_string(),
            allowed: format!("at most {}", u32::MAX),
        })?;
        // Sorted keys rather than `rand`'s shuffle, whose draws may change with its version.
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut stream = ChaCha8Rng::from_seed(key);
        let mut order: Vec<(u64, u32)> = (0..n).map(|i| (stream.next_u64(), i)).collect();
        order.sort_unstable();
        Ok(order.into_iter().map(|(_, i)| i).collect())
    }
}

fn refused(name: &'static str, value: String, allowed: String) -> Error {
    Error::Argument { op: "Dataset", name, value, allowed }
}
