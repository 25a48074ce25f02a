//! Classes that a direction separates: then the likelihood has no maximum, and no fit should pretend that it has.

use crate::Result;
use crate::data::Data;
use gradus_formula::{Formula, Kind, Symbol, Verdict, item};
use gradus_tensor::Tensor;
use std::fmt;

pub(crate) const FORMULA: Formula = Formula {
    id: "logreg-separation",
    kind: Kind::Formula,
    verdict: Verdict::Required,
    title: "Separated classes have no maximum",
    latex: r"(2y_i - 1)\, x_i d \ge 0 \text{ for all } i, \text{ and } > 0 \text{ for one} \quad\Longrightarrow\quad \ell(\theta + t d) \text{ grows with } t",
    unicode: "(2yᵢ − 1)·xᵢd ≥ 0 for all i, and > 0 for one ⟹ ℓ(θ + td) grows with t",
    symbols: &[
        crate::symbols::LABEL,
        crate::symbols::X_I,
        crate::symbols::THETA,
        Symbol {
            latex: "d",
            code: "direction",
            meaning: "a direction that separates the classes",
            shape: "[D]",
            unit: "those of θ",
        },
    ],
    source: "Albert & Anderson 1984, §3",
    item: item!(struct Separation),
    chapter: "logistic-regression",
    printed: None,
};

/// A direction that separates the classes, and with which the likelihood grows without end.
///
/// **Formula** `logreg-separation`: (2yᵢ − 1)·xᵢd ≥ 0 for every sample, > 0 for one at least. *Complete* if > 0 for all; else
/// *quasi-complete*: some samples lie on the boundary itself, and decide the finite part of a fit that is infinite otherwise.
///
/// **Numerics**: a complete separation is one for the numbers as they are: every sample was found on its side. A sample counts as on the
/// boundary within 10⁻⁹ of its length. Of a quasi-complete one that no single feature makes, the boundary is found where the fit has
/// pulled the rest far away from it; a separation that is not found shows as a fit with very large coefficients.
///
/// **Source**: Albert & Anderson 1984.
#[derive(Debug, Clone, PartialEq)]
pub struct Separation {
    /// Of each column, in units of the data; the largest is 1 or −1. Of several classes, class after class.
    pub direction: Vec<f64>,
    /// Of the intercept, one for each class if there are several; empty without an intercept.
    pub intercept: Vec<f64>,
    /// Whether no sample is on the boundary.
    pub complete: bool,
    /// How many samples are on the boundary.
    pub touching: usize,
    /// The first feature that separates the classes alone, if one does.
    pub feature: Option<usize>,
    /// Of several classes, the first one that is separated from all others.
    pub class: Option<u32>,
}

impl fmt::Display for Separation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.class {
            Some(class) => write!(f, "class {class} can be separated from the others")?,
            None => f.write_str("the classes can be separated")?,
        }
        match (self.complete, self.touching) {
            (true, _) => f.write_str(" without a mistake")?,
            (false, n) => write!(f, ", but for {n} sample(s) on the boundary,")?,
        }
        match self.feature {
            Some(j) => write!(f, " by feature {j} alone")?,
            // Of several classes the direction is a matrix.
            None if self.class.is_some() || self.intercept.len() > 1 => {}
            None => {
                // Which features do most of it.
                let mut order: Vec<usize> = (0..self.direction.len()).collect();
                order.sort_by(|&a, &b| self.direction[b].abs().total_cmp(&self.direction[a].abs()));
                let first: Vec<_> = order
                    .iter()
                    .take(3)
                    .map(|&j| format!("{:.3e} of feature {j}", self.direction[j]))
                    .collect();
                write!(f, " along {}{}", first.join(", "), if order.len() > 3 { ", …" } else { "" })?;
            }
        }
        f.write_str(": the likelihood grows without end in that direction and no coefficients are the best. Take an l2 above 0")
    }
}

/// Within this share of its length a sample is on the boundary.
const BOUNDARY: f64 = 1e-9;
/// A singular value below this share of the largest is one of a direction in which the samples on the boundary do not extend.
const FLAT: f64 = 1e-10;
/// The most numbers that are looked through.
const MANY: usize = 1 << 26;

/// A direction in which the two classes separate.
pub(crate) fn binary(data: &Data, candidates: &[&[f64]]) -> Result<Option<Separation>> {
    let (d, counted) = (data.x.dims()[1], counted(data));
    if let Some(found) = by_one_feature(data, &counted) {
        return Ok(Some(found));
    }
    let signs: Tensor<f64> =
        counted.iter().map(|&i| if data.labels.as_slice()[i as usize] == 1 { 1.0 } else { -1.0 }).collect();
    let rows = data.framed()?.gather(0, &counted)?.mul(&signs.insert_axis(1)?)?;
    let Some((direction, touching)) = direction(&rows, candidates)? else { return Ok(None) };
    let (slopes, constant) = data.frame.outward(&direction);
    let largest = slopes.iter().fold(0.0f64, |most, s| most.max(s.abs()));
    let unit = if largest > 0.0 { largest } else { 1.0 };
    Ok(Some(Separation {
        direction: slopes[..d].iter().map(|s| s / unit).collect(),
        intercept: if data.intercept { vec![constant / unit] } else { vec![] },
        complete: touching == 0,
        touching,
        feature: None,
        class: None,
    }))
}

fn counted(data: &Data) -> Vec<u32> {
    (0..data.samples()).filter(|&i| data.weight(i) > 0.0).map(|i| i as u32).collect()
}

/// A threshold on one feature with one class on one side and the other on the other: exact, since nothing is computed. Without an
/// intercept the threshold must be 0.
fn by_one_feature(data: &Data, counted: &[u32]) -> Option<Separation> {
    let (d, x, labels) = (data.x.dims()[1], data.x.as_slice(), data.labels.as_slice());
    // Least and largest of each class.
    let mut ends = vec![[(f64::INFINITY, f64::NEG_INFINITY); 2]; d];
    for &i in counted {
        let class = labels[i as usize] as usize;
        for (ends, &x) in ends.iter_mut().zip(&x[i as usize * d..]) {
            let (least, most) = ends[class];
            ends[class] = (least.min(x), most.max(x));
        }
    }
    let (j, sign, cut) = ends.iter().enumerate().find_map(|(j, &[zero, one])| {
        let apart = |below: (f64, f64), above: (f64, f64)| {
            let varies = below.0 < above.1;
            let between = if data.intercept { below.1 <= above.0 } else { below.1 <= 0.0 && above.0 >= 0.0 };
            (varies && between).then_some(if data.intercept {
                below.1 + 0.5 * (above.0 - below.1)
            } else {
                0.0
            })
        };
        apart(zero, one).map(|cut| (j, 1.0, cut)).or_else(|| apart(one, zero).map(|cut| (j, -1.0, cut)))
    })?;
    let touching = counted.iter().filter(|&&i| x[i as usize * d + j] == cut).count();
    let mut direction = vec![0.0; d];
    direction[j] = sign;
    let intercept = if data.intercept { vec![-sign * cut] } else { vec![] };
    Some(Separation {
        direction,
        intercept,
        complete: touching == 0,
        touching,
        feature: Some(j),
        class: None,
    })
}

/// A d with rows·d ≥ 0 and not all 0, near one of the candidates, and how many products are 0.
pub(crate) fn direction(rows: &Tensor<f64>, candidates: &[&[f64]]) -> Result<Option<(Vec<f64>, usize)>> {
    if rows.len() > MANY {
        return Ok(None);
    }
    let lengths = rows.map(|v| v * v).sum_axis(1)?.sqrt();
    for candidate in candidates {
        let d: Tensor<f64> = candidate.iter().copied().collect();
        if let Some(touching) = separates(rows, &lengths, &d)? {
            return Ok(Some((candidate.to_vec(), touching)));
        }
        let margins = rows.matmul(&d.insert_axis(1)?)?.remove_axis(1)?;
        let (least, most) = (margins.min()?, margins.max()?);
        if !(most > 0.0) {
            continue;
        }
        // Those on the boundary are those that the fit leaves near it; how near, nobody says. As few as possible.
        for power in (1..=10).rev() {
            let limit = most * 0.5f64.powi(power);
            if least < -limit {
                continue;
            }
            let near: Vec<u32> =
                (0..margins.len() as u32).filter(|&i| margins.as_slice()[i as usize] <= limit).collect();
            let d = flattened(&rows.gather(0, &near)?, &d)?;
            if let Some(touching) = separates(rows, &lengths, &d)? {
                return Ok(Some((d.into_vec(), touching)));
            }
        }
    }
    Ok(None)
}

/// What is left of d without its part in the span of the rows: their products with it become 0.
fn flattened(rows: &Tensor<f64>, d: &Tensor<f64>) -> Result<Tensor<f64>> {
    let svd = rows.triangular_factor()?.svd()?;
    let (s, size) = (svd.s.as_slice(), svd.s.as_slice().first().copied().unwrap_or(0.0));
    let mut d = d.clone();
    // Twice, for the rounding of the first time.
    for _ in 0..2 {
        for (k, _) in s.iter().enumerate().filter(|(_, s)| **s > FLAT * size) {
            let v = svd.vt.select(0, k)?;
            d.add_scaled(-v.dot(&d)?, &v)?;
        }
    }
    Ok(d)
}

/// How many rows have a product of 0 with d, if none has one below and one is above.
fn separates(rows: &Tensor<f64>, lengths: &Tensor<f64>, d: &Tensor<f64>) -> Result<Option<usize>> {
    let size = d.dot(d)?.sqrt();
    if !(size > 0.0 && size.is_finite()) {
        return Ok(None);
    }
    let margins = rows.matmul(&d.insert_axis(1)?)?.remove_axis(1)?;
    let (mut touching, mut beyond) = (0, 0);
    for (&margin, &length) in margins.as_slice().iter().zip(lengths.as_slice()) {
        match margin / (length * size) {
            m if m > BOUNDARY => beyond += 1,
            m if m >= -BOUNDARY || length == 0.0 => touching += 1,
            _ => return Ok(None),
        }
    }
    Ok((beyond > 0).then_some(touching))
}
