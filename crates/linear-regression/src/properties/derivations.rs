//! The derivations of the chapter, line by line: the gradient, the normal equations, the ridge.

use crate::{gradient, inverse_formula, ridge_path};
use gradus_formula::{Case, Derivation, Draw, Failure, Property};
use gradus_tensor::{Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    [gradient_by_sums(), gradient_by_products(), normal_equation(), ridge_solution()]
        .iter()
        .map(Derivation::property)
        .collect()
}

/// A data set as plain numbers: the rows of X, and a target for each.
struct Data {
    x: Vec<Vec<f64>>,
    y: Vec<f64>,
}

impl Data {
    fn of(case: &Case<'_>) -> Self {
        let rows = case.array("x").data.chunks(case.size("d"));
        Self { x: rows.map(<[f64]>::to_vec).collect(), y: case.array("y").data.clone() }
    }

    /// The same with 4 more on the diagonal of the upper rows: columns of numbers within ±1 stay apart.
    fn independent(case: &Case<'_>) -> Self {
        let mut data = Self::of(case);
        for (i, row) in data.x.iter_mut().take(case.size("d")).enumerate() {
            row[i] += 4.0;
        }
        data
    }

    fn n(&self) -> f64 {
        self.y.len() as f64
    }

    /// xᵢθ − yᵢ, sample by sample.
    fn residuals(&self, theta: &[f64]) -> Vec<f64> {
        self.x.iter().zip(&self.y).map(|(row, y)| dot(row, theta) - y).collect()
    }

    /// ‖Xθ − y‖².
    fn squares(&self, theta: &[f64]) -> f64 {
        self.residuals(theta).iter().map(|r| r * r).sum()
    }

    /// XᵀX, in rows.
    fn gram(&self) -> Vec<Vec<f64>> {
        let d = self.x[0].len();
        let entry = |j: usize, k: usize| self.x.iter().map(|row| row[j] * row[k]).sum();
        (0..d).map(|j| (0..d).map(|k| entry(j, k)).collect()).collect()
    }

    /// Xᵀv.
    fn across(&self, v: &[f64]) -> Vec<f64> {
        (0..self.x[0].len()).map(|j| self.x.iter().zip(v).map(|(row, v)| row[j] * v).sum()).collect()
    }

    fn tensors(&self) -> Result<[Tensor<f64>; 2], Failure> {
        let x = Tensor::from_vec(self.x.concat(), [self.x.len(), self.x[0].len()])?;
        Ok([x, Tensor::from(self.y.clone())])
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The slopes of f in each coefficient: differences over two points, exact for a parabola whatever the step.
fn slopes(theta: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let moved = |j: usize, step: f64| {
        let mut there = theta.to_vec();
        there[j] += step;
        f(&there)
    };
    (0..theta.len()).map(|j| moved(j, 0.5) - moved(j, -0.5)).collect()
}

/// The lowest point of a bowl that is known by its heights alone: along directions that do not spoil each
/// other's work (conjugate ones), each time to the bottom of the parabola through three heights.
fn lowest(d: usize, f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut theta = vec![0.0; d];
    for _ in 0..2 {
        let mut g = slopes(&theta, &f);
        let mut way: Vec<f64> = g.iter().map(|g| -g).collect();
        for _ in 0..d {
            let length = dot(&way, &way).sqrt();
            if length == 0.0 {
                break;
            }
            let at = |t: f64| f(&theta.iter().zip(&way).map(|(p, w)| p + t * w / length).collect::<Vec<_>>());
            let (left, here, right) = (at(-1.0), at(0.0), at(1.0));
            let step = 0.5 * (left - right) / (left - 2.0 * here + right) / length;
            theta.iter_mut().zip(&way).for_each(|(p, w)| *p += step * w);
            let next = slopes(&theta, &f);
            let beta = dot(&next, &next) / dot(&g, &g);
            way.iter_mut().zip(&next).for_each(|(w, g)| *w = beta * *w - g);
            g = next;
        }
    }
    theta
}

/// The solution of a system with a positive definite matrix, by elimination.
fn solve(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Vec<f64> {
    let d = b.len();
    for k in 0..d {
        let (above, below) = a.split_at_mut(k + 1);
        for (i, row) in below.iter_mut().enumerate() {
            let factor = row[k] / above[k][k];
            row.iter_mut().zip(&above[k]).for_each(|(x, y)| *x -= factor * y);
            b[k + 1 + i] -= factor * b[k];
        }
    }
    for k in (0..d).rev() {
        let known: f64 = (k + 1..d).map(|j| a[k][j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k][k];
    }
    b
}

/// Where slopes that are linear in θ vanish: a matrix of their changes by a unit step, and elimination.
fn zero_of(d: usize, slopes: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let at_zero = slopes(&vec![0.0; d]);
    let mut changes = vec![vec![0.0; d]; d];
    for k in 0..d {
        let mut unit = vec![0.0; d];
        unit[k] = 1.0;
        for (j, slope) in slopes(&unit).into_iter().enumerate() {
            changes[j][k] = slope - at_zero[j];
        }
    }
    solve(changes, at_zero.iter().map(|g| -g).collect())
}

/// Data and coefficients that need not fit.
fn drawn(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("d", 1..=3))
        .draw(Draw::array("x", -5.0..=5.0, &["n", "d"]))
        .draw(Draw::array("theta", -5.0..=5.0, &["d"]))
        .draw(Draw::array("y", -5.0..=5.0, &["n"]))
}

/// The gradient of the cost, one entry of θ at a time, as the chapter derives it.
fn gradient_by_sums() -> Derivation {
    drawn(Derivation::new(
        "lls-gradient.derivation",
        &["lls-gradient", "lls-cost"],
        "The gradient of least squares, entry by entry",
    ))
    .line(
        r"\frac{\partial}{\partial \theta_j}\, \frac1n \sum_{i=1}^{n} (x_i\theta - y_i)^2",
        "what is wanted, for every $j$; computed by differences, which are exact for a parabola",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            Ok(slopes(theta, |theta| data.squares(theta) / data.n()))
        },
    )
    .within("rounding of the costs", 1e-13)
    .line(
        r"\frac1n \sum_{i=1}^{n} 2\,(x_i\theta - y_i)\, \frac{\partial (x_i\theta)}{\partial \theta_j}",
        "the chain rule, in each term: the outer derivative times the inner one",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            let mut sums = vec![0.0; theta.len()];
            for (row, y) in data.x.iter().zip(&data.y) {
                let inner = slopes(theta, |theta| dot(row, theta));
                let outer = 2.0 * (dot(row, theta) - y);
                sums.iter_mut().zip(inner).for_each(|(sum, inner)| *sum += outer * inner);
            }
            Ok(sums.iter().map(|sum| sum / data.n()).collect())
        },
    )
    .line(
        r"\frac2n \sum_{i=1}^{n} x_{ij}\,(x_i\theta - y_i)",
        r"of $x_i\theta = \sum_k x_{ik}\theta_k$ only the term $k = j$ has $\theta_j$ in it",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            let sum = |j: usize| {
                let terms = data.x.iter().zip(&data.y).map(|(row, y)| row[j] * (dot(row, theta) - y));
                2.0 / data.n() * terms.sum::<f64>()
            };
            Ok((0..theta.len()).map(sum).collect())
        },
    )
    .line(
        r"\frac2n\, X^\top (X\theta - y)",
        r"$x_{ij}$ is entry $(j, i)$ of $X^\top$; all entries at once",
        |case| {
            let [x, y] = Data::of(case).tensors()?;
            Ok(gradient(&x, &tensor_of(case.array("theta"))?, &y)?.as_slice().to_vec())
        },
    )
}

/// The gradient from the matrices, with the notes' lost 1/n.
fn gradient_by_products() -> Derivation {
    drawn(Derivation::new(
        "lls-gradient.derivation-slip",
        &["lls-gradient", "lls-matrix-cost"],
        "A derivation with a wrong line: the gradient from the matrices",
    ))
    .slip(2)
    .line(
        r"\nabla\, \frac1n \sum_{i=1}^{n} (x_i\theta - y_i)^2",
        "what is wanted; computed by differences, which are exact for a parabola",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            Ok(slopes(theta, |theta| data.squares(theta) / data.n()))
        },
    )
    .within("rounding of the costs", 1e-12)
    .line(
        r"\nabla\, (X\theta - y)^\top (X\theta - y)",
        "a sum of squares is the product of a vector with itself",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            Ok(slopes(theta, |theta| {
                let r = data.residuals(theta);
                dot(&r, &r)
            }))
        },
    )
    .line(
        r"\nabla\, \bigl(\theta^\top X^\top X\theta - 2\,\theta^\top X^\top y + y^\top y\bigr)",
        r"multiplied out; $\theta^\top X^\top y$ and $y^\top X\theta$ are the same number",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            let (gram, right) = (data.gram(), data.across(&data.y));
            Ok(slopes(theta, |theta| {
                let image: Vec<f64> = gram.iter().map(|row| dot(row, theta)).collect();
                dot(theta, &image) - 2.0 * dot(theta, &right) + dot(&data.y, &data.y)
            }))
        },
    )
    .line(
        r"2\,X^\top X\theta - 2\,X^\top y",
        r"term by term; $X^\top X$ is symmetric, so both factors $\theta$ give the same, and together a $2$",
        |case| {
            let (data, theta) = (Data::of(case), &case.array("theta").data);
            let (gram, right) = (data.gram(), data.across(&data.y));
            Ok(gram.iter().zip(right).map(|(row, r)| 2.0 * dot(row, theta) - 2.0 * r).collect())
        },
    )
    .line(r"2\,X^\top (X\theta - y)", r"$2X^\top$ taken out", |case| {
        let (data, theta) = (Data::of(case), &case.array("theta").data);
        Ok(data.across(&data.residuals(theta)).iter().map(|g| 2.0 * g).collect())
    })
}

/// From the lowest point to the normal equations and the inverse, for independent columns.
fn normal_equation() -> Derivation {
    Derivation::new(
        "lls-normal-equation.derivation",
        &["lls-normal-equation", "lls-gradient"],
        "From the lowest cost to the normal equations",
    )
    .draw(Draw::size("d", 1..=3).limited(1.0..=3.0))
    // Three rows at least: as many as columns.
    .draw(Draw::size("n", 3..=5).limited(3.0..=16.0))
    .draw(Draw::array("x", -1.0..=1.0, &["n", "d"]).limited(-1.0..=1.0))
    .draw(Draw::array("y", -5.0..=5.0, &["n"]).limited(-100.0..=100.0))
    .line(
        r"\arg\min_\theta\, \frac1n \lVert X\theta - y \rVert^2",
        "what is wanted; found by going downhill, from values of the cost alone",
        |case| {
            let data = Data::independent(case);
            Ok(lowest(case.size("d"), |theta| data.squares(theta) / data.n()))
        },
    )
    .within("rounding of the costs at the bottom", 1e-14)
    .line(
        r"\text{the } \theta \text{ with } \tfrac2n\, X^\top (X\theta - y) = 0",
        "at the bottom the gradient is zero, and a bowl has no other such place",
        |case| {
            let data = Data::independent(case);
            let slope = |theta: &[f64]| {
                data.across(&data.residuals(theta)).iter().map(|g| 2.0 / data.n() * g).collect()
            };
            Ok(zero_of(case.size("d"), slope))
        },
    )
    .within("rounding of a well-conditioned solution", 1e-14)
    .line(
        r"\text{the } \theta \text{ with } X^\top X\,\theta = X^\top y",
        r"the factor $\tfrac2n$ dropped, and moved to two sides",
        |case| {
            let data = Data::independent(case);
            Ok(solve(data.gram(), data.across(&data.y)))
        },
    )
    .line(
        r"(X^\top X)^{-1} X^\top y",
        "the columns are independent here, so there is an inverse – on paper",
        |case| {
            let [x, y] = Data::independent(case).tensors()?;
            Ok(inverse_formula(&x, &y)?.as_slice().to_vec())
        },
    )
}

/// From the price on length to the solution along the singular directions.
fn ridge_solution() -> Derivation {
    Derivation::new("ridge.derivation", &["ridge"], "The ridge solution, direction by direction")
        .draw(Draw::size("n", 1..=5).limited(1.0..=16.0))
        .draw(Draw::size("d", 1..=3).limited(1.0..=3.0))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "d"]).limited(-3.0..=3.0))
        .draw(Draw::array("y", -5.0..=5.0, &["n"]).limited(-100.0..=100.0))
        .draw(Draw::log("lambda", 0.5..=50.0).limited(0.5..=1e3))
        .line(
            r"\arg\min_\theta\, \lVert X\theta - y \rVert^2 + \lambda \lVert \theta \rVert^2",
            "what is wanted; found by going downhill, from values of the sum alone",
            |case| {
                let (data, lambda) = (Data::of(case), case.real("lambda"));
                Ok(lowest(case.size("d"), |theta| data.squares(theta) + lambda * dot(theta, theta)))
            },
        )
        .within("rounding of the costs at the bottom", 5e-14)
        .line(
            r"\text{the } \theta \text{ with } 2\,X^\top (X\theta - y) + 2\lambda\theta = 0",
            r"the gradient is zero there; that of $\lVert \theta \rVert^2$ is $2\theta$",
            |case| {
                let (data, lambda) = (Data::of(case), case.real("lambda"));
                let slope = |theta: &[f64]| {
                    let across = data.across(&data.residuals(theta));
                    across.iter().zip(theta).map(|(g, t)| 2.0 * g + 2.0 * lambda * t).collect()
                };
                Ok(zero_of(case.size("d"), slope))
            },
        )
        .within("rounding, by the condition", 5e-14)
        .line(
            r"(X^\top X + \lambda I)^{-1} X^\top y",
            r"$\theta$ gathered; with $\lambda > 0$ there is an inverse, whatever $X$ is",
            |case| {
                let data = Data::of(case);
                let mut gram = data.gram();
                for (j, row) in gram.iter_mut().enumerate() {
                    row[j] += case.real("lambda");
                }
                Ok(solve(gram, data.across(&data.y)))
            },
        )
        .line(
            r"\sum_k v_k\, \frac{1}{s_k^2 + \lambda}\; v_k^\top X^\top y",
            r"$X^\top X v_k = s_k^2 v_k$: along $v_k$ the matrix is the number $s_k^2 + \lambda$",
            |case| {
                let (data, [x, _]) = (Data::of(case), Data::of(case).tensors()?);
                let (svd, right) = (x.svd()?, data.across(&data.y));
                let mut theta = vec![0.0; right.len()];
                for (v, s) in svd.vt.rows()?.zip(svd.s.as_slice()) {
                    let a = dot(v.as_slice(), &right) / (s * s + case.real("lambda"));
                    theta.iter_mut().zip(v.as_slice()).for_each(|(t, v)| *t += a * v);
                }
                Ok(theta)
            },
        )
        .line(
            r"\sum_k v_k\, \frac{s_k}{s_k^2 + \lambda}\; u_k^\top y",
            r"$X v_k = s_k u_k$, transposed",
            |case| {
                let [x, y] = Data::of(case).tensors()?;
                Ok(ridge_path(&x, &y, &[case.real("lambda")])?.as_slice().to_vec())
            },
        )
}
