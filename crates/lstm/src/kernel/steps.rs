//! Which samples have which steps, and where their rows lie.

use gradus_tensor::{Error, Result};
use std::ops::Range;

/// The steps of a batch of sequences: how many each sample has, and in which direction they are taken.
///
/// Inputs and outputs lie padded, `[N, T, …]`. What is kept between the passes lies without gaps, a row a step that is really taken, in the
/// order in which they are taken: so that nothing depends on the padding, not even the order of a sum.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// The padded length.
    pub(crate) time: usize,
    pub(crate) reverse: bool,
    lengths: Vec<usize>,
    /// The first row of each sample, and the number of all.
    starts: Vec<usize>,
}

impl Steps {
    /// # Errors
    /// If there is not one length a sample, or one is more than the padded length.
    pub(crate) fn new(samples: usize, time: usize, lengths: Option<&[usize]>, reverse: bool) -> Result<Self> {
        let lengths = match lengths {
            None => vec![time; samples],
            Some(lengths) if lengths.len() != samples => {
                let got = format!("{} of them", lengths.len());
                return Err(Error::argument(
                    "lstm",
                    "lengths",
                    got,
                    format!("one for each of {samples} samples"),
                ));
            }
            Some(lengths) => lengths.to_vec(),
        };
        if let Some(&long) = lengths.iter().find(|&&length| length > time) {
            return Err(Error::argument(
                "lstm",
                "length",
                long,
                format!("at most the {time} steps of the batch"),
            ));
        }
        let mut starts = vec![0];
        let mut rows = 0;
        for &length in &lengths {
            rows += length;
            starts.push(rows);
        }
        Ok(Self { time, reverse, lengths, starts })
    }

    pub(crate) fn samples(&self) -> usize {
        self.lengths.len()
    }

    pub(crate) fn length(&self, sample: usize) -> usize {
        self.lengths[sample]
    }

    /// The most steps that one of these samples has.
    pub(crate) fn longest(&self, samples: Range<usize>) -> usize {
        self.lengths[samples].iter().copied().max().unwrap_or(0)
    }

    /// How many steps are taken before this sample's: of the sample after the last, how many there are.
    pub(crate) fn start(&self, sample: usize) -> usize {
        self.starts[sample]
    }

    /// How many steps there are.
    pub(crate) fn rows(&self) -> usize {
        self.starts[self.samples()]
    }

    /// Where in time a sample's step is: the last one first, if they are taken in reverse.
    pub(crate) fn at(&self, sample: usize, step: usize) -> usize {
        if self.reverse { self.lengths[sample] - 1 - step } else { step }
    }

    /// The samples, shared out.
    pub(crate) fn shares(&self, workers: usize) -> Vec<Range<usize>> {
        let size = self.samples().div_ceil(workers.max(1)).max(1);
        (0..self.samples()).step_by(size).map(|first| first..self.samples().min(first + size)).collect()
    }
}
