//! The loss of several classes with its derivatives, by products of whole matrices.

use super::formulas::curvature;
use crate::data::Data;
use crate::newton::{Evaluation, Objective};
use crate::separation::{Separation, direction};
use crate::{Error, Result};
use gradus_activations::Activations;
use gradus_tensor::{Tensor, Transpose};

/// The sum of the losses of K classes, half the penalty times the squared length of the coefficients, and a price on what the classes have
/// in common: the loss does not depend on that, so that the price is 0 in the end, and without it the Hessian would be singular.
pub(crate) struct Loss<'a> {
    pub(crate) data: &'a Data,
    pub(crate) l2: f64,
    /// The rows in the frame, the intercept's 1 at the end, `[N, P]`.
    pub(crate) z: Tensor<f64>,
}

/// The most numbers of the matrix in which a separating direction is looked for.
const MANY: usize = 1 << 22;

impl<'a> Loss<'a> {
    pub(crate) fn new(data: &'a Data, l2: f64) -> Result<Self> {
        Ok(Self { data, l2, z: data.framed()? })
    }

    fn classes(&self) -> usize {
        self.data.counts.len()
    }

    /// The price of a common shift: of the size of the Hessian's elements.
    fn common(&self) -> f64 {
        self.data.total() / (self.classes() * self.classes()) as f64
    }

    /// The price of each coefficient of column j; none of the intercept.
    fn price(&self, j: usize) -> f64 {
        self.data.frame.scale.get(j).map_or(0.0, |s| self.l2 * s * s)
    }

    fn scores(&self, theta: &[f64]) -> Result<Tensor<f64>> {
        Ok(self.z.matmul(&Tensor::from_vec(theta.to_vec(), [self.data.width(), self.classes()])?)?)
    }

    /// A row for each sample and each class but its own: what the score of its own class is ahead by.
    fn differences(&self) -> Result<Tensor<f64>> {
        let (p, k) = (self.data.width(), self.classes());
        let mut rows = Vec::new();
        for i in (0..self.data.samples()).filter(|&i| self.data.weight(i) > 0.0) {
            let (z, y) = (&self.z.as_slice()[i * p..(i + 1) * p], self.data.labels.as_slice()[i] as usize);
            for other in (0..k).filter(|&other| other != y) {
                let start = rows.len();
                rows.resize(start + p * k, 0.0);
                for (to, z) in rows[start..].chunks_exact_mut(k).zip(z) {
                    (to[y], to[other]) = (*z, -z);
                }
            }
        }
        let count = rows.len() / (p * k);
        Ok(Tensor::from_vec(rows, [count, p * k])?)
    }
}

impl Objective for Loss<'_> {
    fn evaluate(&self, theta: &[f64], hessian: bool) -> Result<Evaluation> {
        let (p, k) = (self.data.width(), self.classes());
        let scores = self.scores(theta)?;
        let log_p = scores.log_softmax(1)?;
        let mut off = log_p.exp();
        let probabilities = off.clone();
        let (mut value, mut separated, mut farthest, mut least) = (0.0, true, 0.0f64, 0.0f64);
        let mut losses = Vec::with_capacity(self.data.samples());
        for (i, (off, log_p)) in
            off.as_mut_slice().chunks_exact_mut(k).zip(log_p.as_slice().chunks_exact(k)).enumerate()
        {
            let (y, weight) = (self.data.labels.as_slice()[i] as usize, self.data.weight(i));
            losses.push(-weight * log_p[y]);
            // p − 1 of the true class as minus the others, which does not cancel.
            off[y] = 0.0;
            off[y] = -off.iter().sum::<f64>();
            off.iter_mut().for_each(|v| *v *= weight);
            let other = log_p.iter().enumerate().filter(|(j, _)| *j != y).map(|(_, l)| *l);
            let margin = log_p[y] - other.fold(f64::NEG_INFINITY, f64::max);
            separated &= margin > 0.0 || weight == 0.0;
            farthest = farthest.max(margin.abs());
            least = least.min(margin);
        }
        value += gradus_tensor::kernel::sum_by(&losses, |v| v);
        let mut gradient = self.z.product(Transpose::Yes, &off, Transpose::No)?;
        let mut hessian = match hessian {
            true => Some(curvature(&self.z, &probabilities, |i| self.data.weight(i))?),
            false => None,
        };
        for j in 0..p {
            let own = &theta[j * k..(j + 1) * k];
            let (shift, price, common) = (own.iter().sum::<f64>(), self.price(j), self.common());
            value += 0.5 * (price * own.iter().map(|t| t * t).sum::<f64>() + common * shift * shift);
            let to = &mut gradient.as_mut_slice()[j * k..(j + 1) * k];
            to.iter_mut().zip(own).for_each(|(g, t)| *g += price * t + common * shift);
            if let Some(h) = &mut hessian {
                for a in 0..k {
                    for b in 0..k {
                        h.as_mut_slice()[(j * k + a) * p * k + j * k + b] +=
                            common + if a == b { price } else { 0.0 };
                    }
                }
            }
        }
        Ok(Evaluation { value, gradient: gradient.into_vec(), hessian, separated, farthest, least })
    }

    fn gradient_norm(&self, gradient: &[f64]) -> f64 {
        let k = self.classes();
        let of = |class: usize| -> Vec<f64> { gradient[class..].iter().step_by(k).copied().collect() };
        let largest = (0..k).map(|class| self.data.frame.largest_slope(&of(class))).fold(0.0, f64::max);
        largest / self.data.total()
    }

    fn penalised(&self) -> bool {
        self.l2 > 0.0
    }

    fn separation(&self, candidates: &[&[f64]]) -> Result<Option<Separation>> {
        let (d, p, k) = (self.data.x.dims()[1], self.data.width(), self.classes());
        if self.data.samples() * (k - 1) * p * k > MANY {
            return Ok(None);
        }
        let rows = self.differences()?;
        let Some((found, touching)) = direction(&rows, candidates)? else { return Ok(None) };
        // Of each class whether its samples are ahead of all others', and all others' ahead of it.
        let v: Tensor<f64> = found.iter().copied().collect();
        let margins = rows.matmul(&v.insert_axis(1)?)?.into_vec();
        let size = margins.iter().fold(0.0f64, |most, m| most.max(*m));
        let mut alone = vec![true; k];
        let counted = (0..self.data.samples()).filter(|&i| self.data.weight(i) > 0.0);
        let pairs = counted.flat_map(|i| {
            let y = self.data.labels.as_slice()[i] as usize;
            (0..k).filter(move |&other| other != y).map(move |other| [y, other])
        });
        for (pair, margin) in pairs.zip(&margins) {
            if *margin <= 1e-9 * size {
                pair.into_iter().for_each(|class| alone[class] = false);
            }
        }
        let outward: Vec<_> = (0..k)
            .map(|class| {
                self.data.frame.outward(&found[class..].iter().step_by(k).copied().collect::<Vec<_>>())
            })
            .collect();
        let largest = outward.iter().flat_map(|(s, _)| &s[..d]).fold(0.0f64, |most, s| most.max(s.abs()));
        let unit = if largest > 0.0 { largest } else { 1.0 };
        Ok(Some(Separation {
            direction: outward.iter().flat_map(|(s, _)| s[..d].iter().map(|s| s / unit)).collect(),
            intercept: match self.data.intercept {
                true => outward.iter().map(|(_, b)| b / unit).collect(),
                false => vec![],
            },
            complete: touching == 0,
            touching,
            feature: None,
            class: alone.iter().position(|a| *a).map(|class| class as u32),
        }))
    }

    fn dependent(&self, parameter: usize) -> Error {
        Error::RankDeficient {
            column: (parameter / self.classes()).min(self.data.x.dims()[1].saturating_sub(1)),
            intercept: self.data.intercept,
        }
    }

    fn width(&self) -> usize {
        self.data.width() * self.classes()
    }
}
