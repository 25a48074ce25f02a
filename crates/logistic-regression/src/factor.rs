//! Cholesky's factor of a Hessian, which says which column is the first that depends on others.

use gradus_tensor::{Result, Tensor};

/// L with H = L·Lᵀ.
#[derive(Debug, Clone)]
pub(crate) struct Factor {
    size: usize,
    /// Row-major; only the lower triangle is used.
    l: Vec<f64>,
}

/// What is left of a column, relative to all of it, below which it counts as a combination of those before it: a few roundings
/// of sums.
pub(crate) const DEPENDENT: f64 = 1e-13;

impl Factor {
    /// The factor, or the first column that depends on those before it.
    pub(crate) fn new(h: &Tensor<f64>) -> Result<Self, usize> {
        let n = h.dims().first().copied().unwrap_or(0);
        let h = h.as_slice();
        let mut l = vec![0.0; n * n];
        for i in 0..n {
            let (above, row) = l.split_at_mut(i * n);
            for j in 0..=i {
                let other = if j < i { &above[j * n..(j + 1) * n] } else { &[][..] };
                if j < i {
                    row[j] = (h[i * n + j] - dot(&row[..j], &other[..j])) / other[j];
                    continue;
                }
                let left = h[i * n + i] - dot(&row[..i], &row[..i]);
                // A NaN is not above it either.
                if !(left > DEPENDENT * h[i * n + i]) {
                    return Err(i);
                }
                row[i] = left.sqrt();
            }
        }
        Ok(Self { size: n, l })
    }

    /// The factor of H·k.
    pub(crate) fn scaled(mut self, k: f64) -> Self {
        let root = k.sqrt();
        self.l.iter_mut().for_each(|l| *l *= root);
        self
    }

    /// H⁻¹·b.
    pub(crate) fn solve(&self, b: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = self.solve_lower(b);
        for i in (0..n).rev() {
            x[i] /= self.l[i * n + i];
            let (head, tail) = x.split_at_mut(i);
            head.iter_mut().zip(&self.l[i * n..]).for_each(|(x, l)| *x -= l * tail[0]);
        }
        x
    }

    /// L⁻¹·b.
    pub(crate) fn solve_lower(&self, b: &[f64]) -> Vec<f64> {
        let n = self.size;
        let mut x = b.to_vec();
        for i in 0..n {
            x[i] = (x[i] - dot(&self.l[i * n..i * n + i], &x[..i])) / self.l[i * n + i];
        }
        x
    }

    /// H⁻¹, `[P, P]`.
    pub(crate) fn inverse(&self) -> Result<Tensor<f64>> {
        let n = self.size;
        let columns: Vec<Vec<f64>> = (0..n)
            .map(|j| {
                let mut unit = vec![0.0; n];
                unit[j] = 1.0;
                self.solve_lower(&unit)
            })
            .collect();
        Tensor::from_fn([n, n], |i| dot(&columns[i[0]], &columns[i[1]]))
    }
}

fn dot(x: &[f64], y: &[f64]) -> f64 {
    gradus_tensor::kernel::row::sum_by_two(x, y, |x, y| x * y)
}
