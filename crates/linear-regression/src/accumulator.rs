//! Least squares of data larger than memory: the triangular factor is updated block by block, and two of them merge.

use crate::design::{Data, powers};
use crate::solve::rank;
use crate::{Error, Result};
use gradus_tensor::Tensor;

/// A running least-squares fit with the stability of a QR decomposition: it holds R of [1 X | y] and nothing else.
///
/// For blocks X₁, X₂, … with R₁ of the first, the R of the whole is that of [R₁; X₂]: an orthogonal factor on the left changes no
/// residual. So the blocks may come one after the other, and accumulators of parts of the data merge, in any order. No XᵀX is formed,
/// and no condition number squared.
///
/// ```
/// use gradus_linear_regression::Accumulator;
/// use gradus_tensor::Tensor;
/// let (mut here, mut there) = (Accumulator::new(true), Accumulator::new(true));
/// here.partial_fit(&Tensor::from([[0.0], [1.0]]), &Tensor::from([1.0, 3.0]), None)?;
/// there.partial_fit(&Tensor::from([[2.0], [3.0]]), &Tensor::from([5.0, 7.0]), None)?;
/// here.merge(&there)?;
/// let theta = here.parameters()?;
/// assert!(theta.all_close(&Tensor::from([[1.0], [2.0]]), 0.0, 1e-12)?); // 1 + 2x
/// assert_eq!(here.samples(), 4);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Accumulator {
    intercept: bool,
    /// Upper triangular, `[at most P + K, P + K]`; none before the first block.
    r: Option<Tensor<f64>>,
    /// P and K.
    sizes: (usize, usize),
    samples: usize,
}

impl Accumulator {
    /// An empty one, with or without an intercept.
    pub fn new(intercept: bool) -> Self {
        Self { intercept, r: None, sizes: (0, 0), samples: 0 }
    }

    /// Adds a block of samples: X `[N, D]`, y `[N]` or `[N, K]`, and a weight for each sample, if there are any.
    ///
    /// # Errors
    /// Shapes that do not fit each other or the earlier blocks, a NaN or an infinity, weights that are none. Then nothing is added.
    pub fn partial_fit(&mut self, x: &Tensor<f64>, y: &Tensor<f64>, weights: Option<&[f64]>) -> Result<()> {
        let data = Data::new(x, y, weights)?;
        let (n, k) = (data.x.dims()[0], data.y.dims()[1]);
        let mut block = Tensor::concatenate(&[&data.x, &data.y], 1)?;
        if self.intercept {
            block = Tensor::concatenate(&[&Tensor::ones([n, 1])?, &block], 1)?;
        }
        let kept = match &data.weights {
            None => n,
            Some(w) => {
                block = block.mul(&w.iter().map(|w| w.sqrt()).collect::<Tensor<f64>>().insert_axis(1)?)?;
                w.iter().filter(|w| **w > 0.0).count()
            }
        };
        let sizes = (block.dims()[1] - k, k);
        self.stack(&block, sizes, kept)
    }

    /// Adds what another accumulator has seen.
    ///
    /// # Errors
    /// If it is for other numbers of columns or targets, or one has an intercept and the other not.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if self.intercept != other.intercept {
            let value = format!("{} here, {} there", self.intercept, other.intercept);
            return Err(Error::Option { name: "intercept", value, allowed: "the same for both" });
        }
        match &other.r {
            Some(r) => self.stack(r, other.sizes, other.samples),
            None => Ok(()),
        }
    }

    /// R of [R; block].
    fn stack(&mut self, block: &Tensor<f64>, sizes: (usize, usize), samples: usize) -> Result<()> {
        let stacked = match &self.r {
            None => block.clone(),
            Some(_) if self.sizes != sizes => {
                let (d, k) = self.sizes;
                let d = d - usize::from(self.intercept);
                return Err(Error::Shape {
                    what: "the block",
                    expected: format!("{d} columns of X and {k} targets, as the blocks before"),
                    got: block.shape(),
                });
            }
            Some(r) => Tensor::concatenate(&[r, block], 0)?,
        };
        self.r = Some(stacked.qr()?.1);
        (self.sizes, self.samples) = (sizes, self.samples + samples);
        Ok(())
    }

    /// How many samples of a weight above 0 have come.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// The parameters, `[P, K]`, the intercept first if there is one.
    ///
    /// # Errors
    /// If no block has come yet, the columns so far depend on each other, or a coefficient overflows.
    pub fn parameters(&self) -> Result<Tensor<f64>> {
        let (p, k) = self.sizes;
        let Some(r) = &self.r else {
            return Err(Error::NoSamples { shape: gradus_tensor::Shape::new([0, 0])? });
        };
        let rows = r.dims()[0];
        let deficient = |rank| {
            let tolerance = self.samples.max(p) as f64 * f64::EPSILON;
            Error::RankDeficient { method: "Accumulator", rank, columns: p, tolerance }
        };
        if rows < p {
            return Err(deficient(rows));
        }
        let upper = r.slice(0, 0..p)?.slice(1, 0..p)?;
        // Columns scaled to one length, as the rank of a fit has it.
        let scaled = upper.mul(&powers(&upper)?)?.svd()?.s.into_vec();
        let rank = rank(&scaled, self.samples.max(p) as f64 * f64::EPSILON);
        if rank < p {
            return Err(deficient(rank));
        }
        let theta = upper.solve_upper(&r.slice(0, 0..p)?.slice(1, p..p + k)?)?;
        if theta.is_finite() { Ok(theta) } else { Err(Error::Overflow { what: "a coefficient" }) }
    }

    /// The residual sum of squares of each target.
    ///
    /// # Errors
    /// If no block has come yet, or a sum overflows.
    pub fn residual_sums_of_squares(&self) -> Result<Vec<f64>> {
        let (p, k) = self.sizes;
        let Some(r) = &self.r else {
            return Err(Error::NoSamples { shape: gradus_tensor::Shape::new([0, 0])? });
        };
        let rows = r.dims()[0];
        if rows <= p {
            return Ok(vec![0.0; k]);
        }
        let sums = r.slice(0, p..rows)?.slice(1, p..p + k)?.map(|v| v * v).sum_axis(0)?;
        if sums.is_finite() { Ok(sums.into_vec()) } else { Err(Error::Overflow { what: "a sum of squares" }) }
    }
}
