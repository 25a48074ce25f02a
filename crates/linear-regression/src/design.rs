//! The matrix that is solved: data checked, weighted, with a column of ones and the ridge's rows, columns scaled.

use crate::{Error, Result};
use gradus_tensor::Tensor;

/// X with its rows multiplied by √weight, a column of ones in front if there is an intercept, √ridge·I below (the
/// intercept spared), columns scaled by powers of two; and y
/// accordingly.
pub(crate) struct Design {
    /// `[M, P]`, row-major.
    pub(crate) a: Tensor<f64>,
    /// `[M, K]`.
    pub(crate) b: Tensor<f64>,
    /// What each column of a was multiplied by, `[P]`.
    pub(crate) scale: Tensor<f64>,
    /// What each column of b was multiplied by, `[K]`.
    pub(crate) unit: Tensor<f64>,
}

/// For each column a power of two that takes its length to between ½ and 1, 1 for a column of zeros: rounds nothing, and no
/// square of an element overflows or vanishes afterwards. The powers have finite inverses.
pub(crate) fn powers(a: &Tensor<f64>) -> Result<Tensor<f64>> {
    let power =
        |size: f64| if size > 0.0 { (-size.log2().ceil()).clamp(-1022.0, 1022.0).exp2() } else { 1.0 };
    let first = a.abs().max_axis(0)?.map(power);
    let lengths = a.mul(&first)?.map(|v| v * v).sum_axis(0)?.sqrt();
    let both = |first: f64, length: f64| (first * power(length)).clamp(f64::MIN_POSITIVE, 1022f64.exp2());
    Ok(first.zip(&lengths, both)?)
}

/// Checked data: X, y as `[N, K]`, and the weights.
pub(crate) struct Data {
    pub(crate) x: Tensor<f64>,
    pub(crate) y: Tensor<f64>,
    pub(crate) weights: Option<Vec<f64>>,
    /// The sum of the weights, N without.
    pub(crate) total: f64,
}

fn finite(what: &'static str, t: &Tensor<f64>) -> Result<()> {
    let columns = t.dims().get(1).copied().unwrap_or(1).max(1);
    match t.as_slice().iter().position(|v| !v.is_finite()) {
        Some(i) => {
            let (row, column) = (i / columns, i % columns);
            Err(Error::NotFinite { what, row, column, value: t.as_slice()[i] })
        }
        None => Ok(()),
    }
}

impl Data {
    pub(crate) fn new(x: &Tensor<f64>, y: &Tensor<f64>, weights: Option<&[f64]>) -> Result<Self> {
        let &[n, _] = x.dims() else {
            return Err(Error::Shape { what: "X", expected: "[N, D]".into(), got: x.shape() });
        };
        if n == 0 {
            return Err(Error::NoSamples { shape: x.shape() });
        }
        let y2 = match *y.dims() {
            [m] if m == n => y.insert_axis(1)?,
            [m, _] if m == n => y.clone(),
            _ => {
                let expected = format!("[{n}] or [{n}, K], a target for each row of X");
                return Err(Error::Shape { what: "y", expected, got: y.shape() });
            }
        };
        finite("X", x)?;
        finite("y", &y2)?;
        let total = match weights {
            None => n as f64,
            Some(w) => {
                if w.len() != n {
                    let (name, value) = ("weights", format!("{} of them", w.len()));
                    return Err(Error::Option { name, value, allowed: "one for each sample" });
                }
                if let Some(bad) = w.iter().find(|w| !(**w >= 0.0 && w.is_finite())) {
                    let (name, value) = ("weight", bad.to_string());
                    return Err(Error::Option { name, value, allowed: "finite and at least 0" });
                }
                let total: f64 = w.iter().sum();
                if total.is_infinite() {
                    let allowed = "a finite sum";
                    return Err(Error::Option { name: "weights", value: "a sum of inf".into(), allowed });
                }
                if total == 0.0 {
                    return Err(Error::Option {
                        name: "weights",
                        value: "all 0".into(),
                        allowed: "one above 0",
                    });
                }
                total
            }
        };
        Ok(Self { x: x.clone(), y: y2, weights: weights.map(<[f64]>::to_vec), total })
    }

    pub(crate) fn design(&self, intercept: bool, ridge: f64) -> Result<Design> {
        let (n, d) = (self.x.dims()[0], self.x.dims()[1]);
        let mut a = match intercept {
            true => Tensor::concatenate(&[&Tensor::ones([n, 1])?, &self.x], 1)?,
            false => self.x.clone(),
        };
        let mut b = self.y.clone();
        if let Some(weights) = &self.weights {
            let roots = weights.iter().map(|w| w.sqrt()).collect::<Tensor<f64>>().insert_axis(1)?;
            (a, b) = (a.mul(&roots)?, b.mul(&roots)?);
        }
        if ridge > 0.0 {
            let below = Tensor::eye(d)?.scale(ridge.sqrt()).pad(1, usize::from(intercept), 0, 0.0)?;
            a = Tensor::concatenate(&[&a, &below], 0)?;
            b = b.pad(0, 0, d, 0.0)?;
        }
        let (scale, unit) = (powers(&a)?, powers(&b)?);
        Ok(Design { a: a.mul(&scale)?, b: b.mul(&unit)?, scale, unit })
    }
}
