//! The derivations of the chapters, line by line: from the likelihood to the loss, its slope, its curvature.

use super::{differences, parts};
use crate::{gradient, hessian};
use gradus_formula::{Case, Derivation, Draw, Failure, Property};
use gradus_losses::bce_with_logits;
use gradus_tensor::Tensor;

pub(super) fn properties() -> Vec<Property> {
    [log_likelihood(), slope(), curvature()].iter().map(Derivation::property).collect()
}

/// Data, coefficients and labels by hand, no prediction so sure that 1 − ŷ has lost its digits.
fn drawn(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("n", 1..=4).limited(1.0..=10.0))
        .draw(Draw::size("d", 1..=3).limited(1.0..=3.0))
        .draw(Draw::array("x", -2.0..=2.0, &["n", "d"]).limited(-2.0..=2.0))
        .draw(Draw::array("theta", -1.0..=1.0, &["d"]).limited(-1.0..=1.0))
        .draw(Draw::array("y", 0.0..=1.0, &["n"]).limited(0.0..=1.0))
}

/// What the lines are made of: the samples, each with its label, and the coefficients.
struct Data {
    rows: Vec<Vec<f64>>,
    labels: Vec<f64>,
    theta: Vec<f64>,
}

impl Data {
    fn of(case: &Case<'_>) -> Self {
        let rows = case.array("x").data.chunks(case.size("d")).map(<[f64]>::to_vec).collect();
        let labels = case.array("y").data.iter().map(|y| f64::from(*y >= 0.5)).collect();
        Self { rows, labels, theta: case.array("theta").data.clone() }
    }

    fn n(&self) -> f64 {
        self.rows.len() as f64
    }

    /// Each row with its label.
    fn samples(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.rows.iter().map(Vec::as_slice).zip(self.labels.iter().copied())
    }

    /// Each row with its label and its prediction.
    fn predicted(&self) -> impl Iterator<Item = (&[f64], f64, f64)> {
        self.samples().map(|(row, y)| (row, y, predict(row, &self.theta)))
    }

    /// The mean over the samples of what each adds to entry j, for every j.
    fn mean(&self, term: impl Fn(&[f64], f64, f64) -> f64) -> Vec<f64> {
        let entry = |j: usize| self.predicted().map(|(row, y, p)| row[j] * term(row, y, p)).sum::<f64>();
        (0..self.theta.len()).map(|j| entry(j) / self.n()).collect()
    }
}

/// σ(xθ), as it stands in the formula.
fn predict(row: &[f64], theta: &[f64]) -> f64 {
    let z: f64 = row.iter().zip(theta).map(|(x, t)| x * t).sum();
    1.0 / (1.0 + (-z).exp())
}

/// The derivatives of f in each coefficient, by differences over five points.
fn slopes(theta: &[f64], f: impl Fn(&[f64]) -> f64) -> Result<Vec<f64>, Failure> {
    let at = |there: &Tensor<f64>| Ok(Tensor::from([f(there.as_slice())]));
    differences(&Tensor::from(theta.to_vec()), at)?.iter().map(|d| Ok(d.item()?)).collect()
}

/// From the product of probabilities to binary cross entropy.
fn log_likelihood() -> Derivation {
    drawn(Derivation::new(
        "logreg-likelihood.derivation",
        &["logreg-likelihood", "bce-boxed"],
        "From the likelihood to binary cross entropy",
    ))
    .line(
        r"\ln \prod_{i=1}^{n} p(y_i \mid x_i, \theta)",
        r"what is wanted; each factor by its label: $\hat y_i$ for a $1$, and $1 - \hat y_i$ for a $0$",
        |case| {
            let data = Data::of(case);
            let factors = data.predicted().map(|(_, y, p)| if y == 1.0 { p } else { 1.0 - p });
            Ok(vec![factors.product::<f64>().ln()])
        },
    )
    .within("an exponent of 0 or 1, which is exact", 1e-15)
    .line(
        r"\ln \prod_{i=1}^{n} \hat y_i^{\,y_i} (1 - \hat y_i)^{1 - y_i}",
        "the two cases in one: an exponent of $0$ makes a factor $1$",
        |case| {
            let data = Data::of(case);
            let factors = data.predicted().map(|(_, y, p)| p.powf(y) * (1.0 - p).powf(1.0 - y));
            Ok(vec![factors.product::<f64>().ln()])
        },
    )
    .within("rounding of the factors", 1e-14)
    .line(
        r"\sum_{i=1}^{n} \ln\bigl( \hat y_i^{\,y_i} (1 - \hat y_i)^{1 - y_i} \bigr)",
        "the logarithm of a product is the sum of the logarithms",
        |case| {
            let data = Data::of(case);
            let logs = data.predicted().map(|(_, y, p)| (p.powf(y) * (1.0 - p).powf(1.0 - y)).ln());
            Ok(vec![logs.sum()])
        },
    )
    .line(
        r"\sum_{i=1}^{n} \bigl( y_i \ln \hat y_i + (1 - y_i) \ln (1 - \hat y_i) \bigr)",
        "the same once more, and exponents become factors",
        |case| {
            let data = Data::of(case);
            let terms = data.predicted().map(|(_, y, p)| y * p.ln() + (1.0 - y) * (1.0 - p).ln());
            Ok(vec![terms.sum()])
        },
    )
    .line(
        r"-n \cdot \mathrm{BCE}",
        r"BCE is $-\tfrac1n$ times this sum; computed by the library, from the log-odds $x_i\theta$",
        |case| {
            let (x, theta, y) = parts(case)?;
            let z = x.matmul(&theta.insert_axis(1)?)?.remove_axis(1)?;
            Ok(vec![-(y.len() as f64) * bce_with_logits(&z, &y.map(f64::from))?.item()?])
        },
    )
}

/// The gradient of the mean loss, entry by entry.
fn slope() -> Derivation {
    drawn(Derivation::new(
        "logreg-gradient.derivation",
        &["logreg-gradient"],
        "The gradient of the logistic loss, entry by entry",
    ))
    .line(
        concat!(
            r"\frac{\partial}{\partial \theta_j} \Bigl( -\frac1n \sum_{i=1}^{n} \bigl( y_i \ln \hat y_i ",
            r"+ (1 - y_i) \ln (1 - \hat y_i) \bigr) \Bigr), \qquad \hat y_i = \sigma(x_i\theta)"
        ),
        "what is wanted; computed by differences over five points",
        |case| {
            let data = Data::of(case);
            slopes(&data.theta, |theta| {
                let term = |(row, y): (&[f64], f64)| {
                    let p = predict(row, theta);
                    y * p.ln() + (1.0 - y) * (1.0 - p).ln()
                };
                -data.samples().map(term).sum::<f64>() / data.n()
            })
        },
    )
    .within("five-point differences", 2e-11)
    .line(
        concat!(
            r"\frac1n \sum_{i=1}^{n} \Bigl( -\frac{y_i}{\hat y_i} + \frac{1 - y_i}{1 - \hat y_i} \Bigr)\, ",
            r"\frac{\partial \hat y_i}{\partial \theta_j}"
        ),
        r"the chain rule: the derivative of each term in $\hat y_i$, times that of $\hat y_i$",
        |case| {
            let data = Data::of(case);
            let mut sums = vec![0.0; data.theta.len()];
            for (row, y, p) in data.predicted() {
                let outer = -y / p + (1.0 - y) / (1.0 - p);
                let inner = slopes(&data.theta, |theta| predict(row, theta))?;
                sums.iter_mut().zip(inner).for_each(|(sum, inner)| *sum += outer * inner);
            }
            Ok(sums.iter().map(|sum| sum / data.n()).collect())
        },
    )
    .line(
        concat!(
            r"\frac1n \sum_{i=1}^{n} \Bigl( -\frac{y_i}{\hat y_i} + \frac{1 - y_i}{1 - \hat y_i} \Bigr)\, ",
            r"\hat y_i (1 - \hat y_i)\, x_{ij}"
        ),
        r"the chain rule again: the sigmoid's derivative, times $x_{ij}$ from the product $x_i\theta$",
        |case| Ok(Data::of(case).mean(|_, y, p| (-y / p + (1.0 - y) / (1.0 - p)) * (p * (1.0 - p)))),
    )
    .within("a few roundings", 3e-15)
    .line(
        r"\frac1n \sum_{i=1}^{n} \bigl( -y_i (1 - \hat y_i) + (1 - y_i)\, \hat y_i \bigr)\, x_{ij}",
        "multiplied out; each fraction loses its denominator",
        |case| Ok(Data::of(case).mean(|_, y, p| -y * (1.0 - p) + (1.0 - y) * p)),
    )
    .line(
        r"\frac1n \sum_{i=1}^{n} (\hat y_i - y_i)\, x_{ij}",
        r"the products $y_i \hat y_i$ cancel",
        |case| Ok(Data::of(case).mean(|_, y, p| p - y)),
    )
    .line(
        r"\frac1n\, X^\top (\hat y - y)",
        r"$x_{ij}$ is entry $(j, i)$ of $X^\top$; all entries at once",
        |case| {
            let (x, theta, y) = parts(case)?;
            Ok(gradient(&x, &theta, &y)?.as_slice().to_vec())
        },
    )
}

/// The Hessian of the mean loss, entry by entry.
fn curvature() -> Derivation {
    drawn(Derivation::new(
        "logreg-hessian.derivation",
        &["logreg-hessian", "logreg-gradient"],
        "The Hessian of the logistic loss, entry by entry",
    ))
    .line(
        r"\frac{\partial}{\partial \theta_k}\, \frac1n \sum_{i=1}^{n} (\hat y_i - y_i)\, x_{ij}",
        "what is wanted: the derivatives of the gradient’s entries; computed by differences over five points",
        |case| {
            let data = Data::of(case);
            let d = data.theta.len();
            let mut entries = vec![];
            for j in 0..d {
                entries.extend(slopes(&data.theta, |theta| {
                    data.samples().map(|(row, y)| (predict(row, theta) - y) * row[j]).sum::<f64>() / data.n()
                })?);
            }
            Ok(entries)
        },
    )
    .within("five-point differences", 5e-12)
    .line(
        r"\frac1n \sum_{i=1}^{n} x_{ij}\, \frac{\partial \hat y_i}{\partial \theta_k}",
        r"labels and features are constants: only $\hat y_i$ depends on $\theta$",
        |case| {
            let data = Data::of(case);
            let d = data.theta.len();
            let mut entries = vec![0.0; d * d];
            for (row, _) in data.samples() {
                let inner = slopes(&data.theta, |theta| predict(row, theta))?;
                for (at, entry) in entries.iter_mut().enumerate() {
                    *entry += row[at / d] * inner[at % d];
                }
            }
            Ok(entries.iter().map(|entry| entry / data.n()).collect())
        },
    )
    .line(
        r"\frac1n \sum_{i=1}^{n} x_{ij}\, \hat y_i (1 - \hat y_i)\, x_{ik}",
        r"the sigmoid's derivative, times $x_{ik}$ from the product $x_i\theta$",
        |case| {
            let data = Data::of(case);
            let columns = (0..data.theta.len()).flat_map(|k| data.mean(|row, _, p| p * (1.0 - p) * row[k]));
            Ok(columns.collect())
        },
    )
    .within("a few roundings", 3e-15)
    .line(
        r"\frac1n\, X^\top W X, \qquad W_{ii} = \hat y_i (1 - \hat y_i)",
        r"a diagonal matrix between the two multiplies row $i$ of $X$ by its weight",
        |case| {
            let (x, theta, _) = parts(case)?;
            Ok(hessian(&x, &theta)?.as_slice().to_vec())
        },
    )
}
