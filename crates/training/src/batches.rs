//! An epoch: every sample once, in an order that the seed and the epoch decide, cut into batches.

use crate::error::allow;
use crate::random::{Purpose, fraction, shuffle, stream};
use crate::symbols::{EPOCH, SAMPLES};
use crate::{Error, Result};
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Tensor;
use std::sync::Arc;

pub(crate) const FORMULA: Formula = Formula {
    id: "epoch-permutation",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "An epoch visits every sample once",
    latex: r"\{\pi_e(0), \pi_e(1), \dots, \pi_e(n-1)\} = \{0, 1, \dots, n-1\}, \qquad B_s = \{\pi_e(sb), \dots, \pi_e(\min(sb + b, n) - 1)\}",
    unicode: "{πₑ(0), …, πₑ(n−1)} = {0, …, n−1}; Bₛ = {πₑ(sb), …, πₑ(min(sb + b, n) − 1)}",
    symbols: &[
        Symbol {
            latex: r"\pi_e",
            code: "order",
            meaning: "the order of epoch e: a permutation of the samples",
            shape: "[n]",
            unit: "index",
        },
        SAMPLES,
        EPOCH,
        Symbol { latex: "B_s", code: "batch", meaning: "the samples of step s", shape: "[b]", unit: "index" },
        Symbol {
            latex: "b",
            code: "size",
            meaning: "how many samples a batch has",
            shape: "[]",
            unit: "count",
        },
    ],
    source: "Fisher & Yates 1938; Durstenfeld 1964; Goodfellow, Bengio & Courville 2016, §8.1.3",
    item: item!(struct Batches),
    chapter: "first-network",
    printed: None,
};

/// In which order an epoch takes the samples.
#[derive(Debug, Clone, PartialEq)]
enum Order {
    Sequential,
    Shuffled,
    Stratified(Arc<[u32]>),
}

/// How an epoch is cut into batches.
///
/// **Formula** `epoch-permutation`: {πₑ(0), …, πₑ(n−1)} = {0, …, n−1}, and batch s is πₑ(sb) … πₑ(sb + b − 1). The last batch has what
/// is left, unless it is [dropped](Self::drop_last).
///
/// The order of an epoch follows from the seed and the epoch's number alone, so any epoch can be asked for without those before
/// it, and a run that was interrupted goes on in the same order.
///
/// **Shapes**: n samples, batches of b. **Units**: indices. **Gradient**: not differentiated.
///
/// **Numerics**: whole numbers; each of the n! orders of a shuffled epoch is equally likely.
///
/// **Errors**: see [`new`](Self::new), [`stratified`](Self::stratified).
///
/// **Source**: Fisher & Yates 1938; Durstenfeld 1964.
///
/// ```
/// use gradus_training::Batches;
/// let batches = Batches::new(5, 2)?;
/// let epoch = batches.epoch(7, 0);
/// assert_eq!(epoch.iter().collect::<Vec<_>>(), [[0, 1].as_slice(), &[2, 3], &[4]]);
///
/// let shuffled = Batches::new(5, 2)?.shuffled().drop_last();
/// assert_eq!(shuffled.len(), 2);
/// assert_ne!(shuffled.epoch(7, 0), shuffled.epoch(7, 1));
/// # Ok::<(), gradus_training::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Batches {
    samples: u32,
    size: usize,
    order: Order,
    drop_last: bool,
}

impl Batches {
    /// Batches of `size` out of so many samples, in their own order.
    ///
    /// # Errors
    /// If there are no samples or more than `u32` can number, or the size is 0.
    pub fn new(samples: usize, size: usize) -> Result<Self> {
        let op = "Batches::new";
        allow(samples > 0, op, "samples", samples, "at least 1")?;
        allow(size > 0, op, "size", size, "at least 1")?;
        let count = u32::try_from(samples).map_err(|_| Error::Argument {
            op,
            name: "samples",
            value: samples.to_string(),
            allowed: format!("at most {}", u32::MAX),
        })?;
        Ok(Self { samples: count, size, order: Order::Sequential, drop_last: false })
    }

    /// Every epoch in another order, each order equally likely.
    #[must_use]
    pub fn shuffled(mut self) -> Self {
        self.order = Order::Shuffled;
        self
    }

    /// Every epoch in another order, in which each class is spread evenly: a batch has about as much of it as the whole. With K
    /// classes the share of class k in any stretch of the order is off by less than two samples and 2K times its share.
    ///
    /// ```
    /// use gradus_tensor::Tensor;
    /// use gradus_training::Batches;
    /// let classes = Tensor::from([0u32, 0, 0, 0, 0, 0, 1, 1, 1]);
    /// let epoch = Batches::new(9, 3)?.stratified(&classes)?.epoch(1, 0);
    /// for batch in epoch.iter() {
    ///     assert_eq!(batch.iter().filter(|&&i| i >= 6).count(), 1);
    /// }
    /// # Ok::<(), gradus_training::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is not one class a sample.
    pub fn stratified(mut self, classes: &Tensor<u32>) -> Result<Self> {
        let n = self.samples;
        allow(
            classes.dims() == [n as usize],
            "Batches::stratified",
            "classes",
            classes.shape(),
            format!("[{n}]"),
        )?;
        self.order = Order::Stratified(classes.as_slice().into());
        Ok(self)
    }

    /// Leaves out the last batch of an epoch if it is smaller than the others. Its samples are others in the next epoch, if the order
    /// is.
    #[must_use]
    pub fn drop_last(mut self) -> Self {
        self.drop_last = true;
        self
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        self.samples as usize
    }

    /// How many samples a batch has, the last one perhaps fewer.
    pub fn size(&self) -> usize {
        self.size
    }

    /// How many batches an epoch has.
    pub fn len(&self) -> usize {
        if self.drop_last { self.samples() / self.size } else { self.samples().div_ceil(self.size) }
    }

    /// Whether an epoch has no batch: the only one would be smaller than asked for, and is left out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The batches of an epoch.
    pub fn epoch(&self, seed: u64, epoch: u64) -> Epoch {
        let mut rng = stream(seed, Purpose::Order, epoch, 0);
        let mut order: Vec<u32> = match &self.order {
            Order::Sequential | Order::Shuffled => (0..self.samples).collect(),
            Order::Stratified(classes) => stratified_order(classes, &mut rng),
        };
        if self.order == Order::Shuffled {
            shuffle(&mut order, &mut rng);
        }
        order.truncate(self.len().saturating_mul(self.size));
        Epoch { order, size: self.size }
    }

    /// What two runs must share to be parts of one: samples, size, order, whether the last batch is left out.
    pub(crate) fn signature(&self) -> [u64; 4] {
        let order = match self.order {
            Order::Sequential => 0,
            Order::Shuffled => 1,
            Order::Stratified(_) => 2,
        };
        [self.samples.into(), self.size as u64, order, self.drop_last.into()]
    }
}

/// An order in which each class is spread evenly: the j-th of the m samples of a class, shuffled, stands at (j + u)/m of the way, u
/// drawn once a class.
pub(crate) fn stratified_order(classes: &[u32], rng: &mut impl rand::Rng) -> Vec<u32> {
    let mut order: Vec<u32> = (0..classes.len() as u32).collect();
    shuffle(&mut order, rng);
    let mut members = std::collections::BTreeMap::<u32, Vec<u32>>::new();
    order.into_iter().for_each(|i| members.entry(classes[i as usize]).or_default().push(i));
    let mut placed = Vec::with_capacity(classes.len());
    for members in members.values() {
        let (offset, m) = (fraction(rng), members.len() as f64);
        placed.extend(members.iter().enumerate().map(|(j, &i)| ((j as f64 + offset) / m, i)));
    }
    placed.sort_by(|(a, i), (b, k)| a.total_cmp(b).then(i.cmp(k)));
    placed.into_iter().map(|(_, i)| i).collect()
}

/// The batches of one epoch, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    order: Vec<u32>,
    size: usize,
}

impl Epoch {
    /// The samples of all batches, one after the other.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// The batches.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.order.chunks(self.size)
    }
}
