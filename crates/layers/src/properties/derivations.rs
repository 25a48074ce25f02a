//! The derivations of the chapter, line by line: the dense layer's gradient, dropout's moments, and the way
//! back through a batch normalisation.

use crate::{Affine, BatchNormalization, dropout, kept};
use gradus_autograd::Op;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slopes};
use gradus_tensor::{Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    [dense(), noise(), normalised(), spread_forgotten()].iter().map(Derivation::property).collect()
}

/// How far apart the points are over which differences are taken.
const H: f64 = 1e-3;

/// A layer without its bias, as plain numbers: the rows of x and of ȳ.
struct Dense<'a> {
    x: Vec<&'a [f64]>,
    dy: Vec<&'a [f64]>,
}

impl<'a> Dense<'a> {
    fn of(case: &Case<'a>) -> Self {
        let rows = |name: &str, size: &str| case.array(name).data.chunks(case.size(size)).collect();
        Self { x: rows("x", "d"), dy: rows("dy", "k") }
    }

    /// Σ ȳᵢₖ·yᵢₖ for weights in a row.
    fn loss(&self, w: &[f64]) -> f64 {
        let k = self.dy[0].len();
        let y =
            |x: &[f64], column: usize| x.iter().enumerate().map(|(j, x)| x * w[j * k + column]).sum::<f64>();
        self.x.iter().zip(&self.dy).map(|(x, dy)| (0..k).map(|c| dy[c] * y(x, c)).sum::<f64>()).sum()
    }
}

/// The gradient of a dense layer in its weights.
fn dense() -> Derivation {
    Derivation::new("linear-layer.derivation", &["linear-layer"], "The gradient in a dense layer’s weights")
        .draw(Draw::size("n", 1..=3).limited(1.0..=8.0))
        .draw(Draw::size("d", 1..=3).limited(1.0..=8.0))
        .draw(Draw::size("k", 1..=2).limited(1.0..=8.0))
        .draw(Draw::array("x", -3.0..=3.0, &["n", "d"]).limited(-10.0..=10.0))
        .draw(Draw::array("w", -3.0..=3.0, &["d", "k"]).limited(-10.0..=10.0))
        .draw(Draw::array("dy", -3.0..=3.0, &["n", "k"]).limited(-10.0..=10.0))
        .line(
            r"\frac{\partial L}{\partial W_{jk}}, \qquad L = \sum_{i,k} \bar y_{ik}\, y_{ik}, \quad
                y_{ik} = \sum_j x_{ij} W_{jk} + b_k",
            r"what is wanted, for a loss with the slopes $\bar y_{ik}$; by differences over five points",
            |case| {
                let layer = Dense::of(case);
                Ok(slopes(&case.array("w").data, H, |w| layer.loss(w)))
            },
        )
        .within("five-point differences", 1e-11)
        .line(
            r"\sum_{i,l} \bar y_{il}\, \frac{\partial y_{il}}{\partial W_{jk}}",
            "the chain rule, over all outputs; the slopes by differences again",
            |case| {
                let layer = Dense::of(case);
                let (d, k) = (case.size("d"), case.size("k"));
                let mut sums = vec![0.0; d * k];
                for (x, dy) in layer.x.iter().zip(&layer.dy) {
                    for l in 0..k {
                        let output = |w: &[f64]| (0..d).map(|j| x[j] * w[j * k + l]).sum::<f64>();
                        let inner = slopes(&case.array("w").data, H, output);
                        sums.iter_mut().zip(inner).for_each(|(sum, slope)| *sum += dy[l] * slope);
                    }
                }
                Ok(sums)
            },
        )
        .line(
            r"\sum_i x_{ij}\, \bar y_{ik}",
            r"$W_{jk}$ is in column $k$ of the outputs alone, with the factor $x_{ij}$",
            |case| {
                let layer = Dense::of(case);
                let (d, k) = (case.size("d"), case.size("k"));
                let rows = || layer.x.iter().zip(&layer.dy);
                let sum = |at: usize| rows().map(|(x, dy)| x[at / k] * dy[at % k]).sum();
                Ok((0..d * k).map(sum).collect())
            },
        )
        .within("rounding", 1e-14)
        .line(r"X^\top \bar Y", r"$x_{ij}$ is entry $(j, i)$ of $X^\top$", |case| {
            let (x, w) = (tensor_of::<f64>(case.array("x"))?, tensor_of(case.array("w"))?);
            let (_, saved) = Affine.forward([&x, &w])?;
            let [_, dw] = Affine.vjp([&x, &w], &saved, &tensor_of(case.array("dy"))?, [false, true])?;
            dw.map(Tensor::into_vec).ok_or(Failure::Error("no gradient in W".into()))
        })
}

/// Mean and variance of what the next unit hears.
fn noise() -> Derivation {
    Derivation::new(
        "dropout.derivation",
        &["dropout"],
        "Mean and variance of what a unit hears through dropout",
    )
    .draw(Draw::size("n", 1..=3).limited(1.0..=4.0))
    .draw(Draw::real("p", 0.25..=0.75).limited(0.2..=0.8))
    .draw(Draw::array("x", -3.0..=3.0, &["n"]).limited(-100.0..=100.0))
    .draw(Draw::array("w", -3.0..=3.0, &["n"]).limited(-100.0..=100.0))
    .costly(4)
    .within("rounding", 2e-14)
    .line(
        r"\mathbb E,\; \operatorname{Var} \text{ of } \sum_i w_i y_i, \qquad y_i = \frac{m_i}{1 - p}\, x_i",
        "what is wanted; over all masks, each with its probability",
        |case| {
            let (n, p, w) = (case.size("n"), case.real("p"), &case.array("w").data);
            let x = tensor_of::<f64>(case.array("x"))?;
            let (mut mean, mut square, mut missing) = (0.0, 0.0, (0..1usize << n).collect::<Vec<_>>());
            // A key for every mask: the rarest of sixteen comes once in 625 keys.
            for key in 0..100_000 {
                let mask = (0..n).fold(0, |mask, i| mask | usize::from(kept(key, p, i as u64)) << i);
                let Some(at) = missing.iter().position(|&m| m == mask) else { continue };
                missing.swap_remove(at);
                let stay = mask.count_ones() as i32;
                let probability = (1.0 - p).powi(stay) * p.powi(n as i32 - stay);
                let heard: f64 = dropout(&x, p, key)?.as_slice().iter().zip(w).map(|(y, w)| w * y).sum();
                mean += probability * heard;
                square += probability * heard * heard;
                if missing.is_empty() {
                    return Ok(vec![mean, square - mean * mean]);
                }
            }
            Err(Failure::Error("a mask that no key stands for".into()))
        },
    )
    .line(
        r"\sum_i w_i\, \mathbb E[y_i],\; \sum_i w_i^2 \operatorname{Var}[y_i]",
        "means add up always, variances because each unit is dropped on its own",
        |case| {
            let (p, x, w) = (case.real("p"), &case.array("x").data, &case.array("w").data);
            // Two cases: dropped or scaled up.
            let moments = |x: f64| {
                let cases = [(p, 0.0), (1.0 - p, x / (1.0 - p))];
                let mean: f64 = cases.iter().map(|(share, y)| share * y).sum();
                (mean, cases.iter().map(|(share, y)| share * (y - mean) * (y - mean)).sum::<f64>())
            };
            let (mut mean, mut variance) = (0.0, 0.0);
            for (&x, w) in x.iter().zip(w) {
                mean += w * moments(x).0;
                variance += w * w * moments(x).1;
            }
            Ok(vec![mean, variance])
        },
    )
    .line(
        r"\sum_i w_i\, x_i,\; \sum_i w_i^2 \left( \frac{x_i^2}{1 - p} - x_i^2 \right)",
        r"$(1 - p) \cdot \frac{x}{1 - p} = x$, and $(1 - p) \bigl( \frac{x}{1 - p} \bigr)^2 - x^2$",
        |case| {
            let (p, x, w) = (case.real("p"), &case.array("x").data, &case.array("w").data);
            let terms = || x.iter().zip(w);
            let variance = terms().map(|(x, w)| w * w * (x * x / (1.0 - p) - x * x));
            Ok(vec![terms().map(|(x, w)| w * x).sum(), variance.sum()])
        },
    )
    .line(
        r"\sum_i w_i\, x_i,\; \frac{p}{1 - p} \sum_i w_i^2 x_i^2",
        r"$\frac{1}{1 - p} - 1 = \frac{p}{1 - p}$: the mean is as without dropout, the variance is new",
        |case| {
            let (p, x, w) = (case.real("p"), &case.array("x").data, &case.array("w").data);
            let heard: Vec<f64> = x.iter().zip(w).map(|(x, w)| w * x).collect();
            Ok(vec![heard.iter().sum(), p / (1.0 - p) * heard.iter().map(|h| h * h).sum::<f64>()])
        },
    )
}

/// One channel of a batch: x, h = γ·ȳ, and ε.
struct Channel<'a> {
    x: &'a [f64],
    h: Vec<f64>,
    eps: f64,
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

/// 1/√(σ² + ε).
fn root(x: &[f64], eps: f64) -> f64 {
    let mean = mean(x);
    let square = x.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>();
    (square / x.len() as f64 + eps).powf(-0.5)
}

impl<'a> Channel<'a> {
    fn of(case: &Case<'a>) -> Self {
        let gain = case.real("gain");
        let h = case.array("dy").data.iter().map(|dy| gain * dy).collect();
        Self { x: &case.array("x").data, h, eps: case.real("eps") }
    }

    fn x_hat(&self) -> Vec<f64> {
        let (mean, r) = (mean(self.x), root(self.x, self.eps));
        self.x.iter().map(|x| r * (x - mean)).collect()
    }

    /// ∂/∂xₖ Σ hₙ·x̂ₙ, by differences.
    fn wanted(&self) -> Vec<f64> {
        slopes(self.x, H, |x| {
            let (mean, r) = (mean(x), root(x, self.eps));
            x.iter().zip(&self.h).map(|(x, h)| h * r * (x - mean)).sum()
        })
    }

    /// The same by the product rule, the slopes of r by differences.
    fn by_product_rule(&self) -> Vec<f64> {
        let (average, r, m) = (mean(self.x), root(self.x, self.eps), self.x.len());
        let of_root = slopes(self.x, H, |x| root(x, self.eps));
        let term = |n: usize, k: usize| {
            let own = if n == k { 1.0 } else { 0.0 };
            self.h[n] * (r * (own - 1.0 / m as f64) + (self.x[n] - average) * of_root[k])
        };
        (0..m).map(|k| (0..m).map(|n| term(n, k)).sum()).collect()
    }
}

fn channel(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("m", 2..=4).limited(2.0..=16.0))
        .draw(Draw::array("x", -3.0..=3.0, &["m"]).limited(-10.0..=10.0))
        .draw(Draw::array("dy", -2.0..=2.0, &["m"]).limited(-10.0..=10.0))
        .draw(Draw::real("gain", -2.0..=2.0).limited(-10.0..=10.0))
        .draw(Draw::real("eps", 0.5..=2.0).limited(0.5..=10.0))
}

const LOSS: &str = r"\frac{\partial}{\partial x_k} \sum_n h_n\, \hat x_n, \qquad 
    \hat x_n = r\,(x_n - \mu), \quad r = \frac{1}{\sqrt{\sigma^2 + \varepsilon}}, \quad
    h_n = \gamma\, \bar y_n";
const PRODUCT_RULE: &str = r"\sum_n h_n \Bigl( r\, \bigl( \mathbf 1_{n = k} - \tfrac1m \bigr)
    + (x_n - \mu)\, \frac{\partial r}{\partial x_k} \Bigr)";

/// The way back through a batch normalisation.
fn normalised() -> Derivation {
    channel(Derivation::new(
        "batch-norm.derivation",
        &["batch-norm"],
        "The way back through a normalised channel",
    ))
    .line(
        LOSS,
        "what is wanted, for one channel of $m$ numbers; computed by differences over five points",
        |case| Ok(Channel::of(case).wanted()),
    )
    .within("five-point differences", 1e-10)
    .line(
        PRODUCT_RULE,
        r"the product rule, with $\partial \mu/\partial x_k = \frac1m$; the last slope by differences",
        |case| Ok(Channel::of(case).by_product_rule()),
    )
    .line(
        r"\sum_n h_n\, r \Bigl( \mathbf 1_{n = k} - \frac1m - \frac1m\, \hat x_n\, \hat x_k \Bigr)",
        r"$\partial r/\partial x_k = -\frac12 r^3 \cdot \frac2m (x_k - \mu) = -\frac1m r^2\, \hat x_k$",
        |case| {
            let channel = Channel::of(case);
            let (x_hat, r, m) = (channel.x_hat(), root(channel.x, channel.eps), channel.x.len());
            let term = |n: usize, k: usize| {
                let own = if n == k { 1.0 } else { 0.0 };
                channel.h[n] * r * (own - (1.0 + x_hat[n] * x_hat[k]) / m as f64)
            };
            Ok((0..m).map(|k| (0..m).map(|n| term(n, k)).sum()).collect())
        },
    )
    .within("rounding", 1e-14)
    .line(
        r"r\, \bigl( h_k - \langle h \rangle - \hat x_k\, \langle h\, \hat x \rangle \bigr)",
        r"the sums over $n$ carried out: one term, and two means",
        |case| {
            let (m, op) = (case.size("m"), BatchNormalization { eps: case.real("eps") });
            let column = |name: &str| tensor_of::<f64>(case.array(name))?.reshape([m, 1]);
            let (x, gain, bias) = (column("x")?, Tensor::from([case.real("gain")]), Tensor::from([0.0]));
            let (_, saved) = op.forward([&x, &gain, &bias])?;
            let [dx, ..] = op.vjp([&x, &gain, &bias], &saved, &column("dy")?, [true, false, false])?;
            dx.map(Tensor::into_vec).ok_or(Failure::Error("no gradient in x".into()))
        },
    )
}

/// The same with a sum that is zero only where nothing is weighted.
fn spread_forgotten() -> Derivation {
    channel(Derivation::new(
        "batch-norm.derivation-slip",
        &["batch-norm"],
        "A derivation with a wrong line: the way back through a batch normalisation",
    ))
    .slip(3)
    .line(LOSS, "what is wanted; computed by differences over five points", |case| {
        Ok(Channel::of(case).wanted())
    })
    .within("five-point differences", 1e-10)
    .line(
        PRODUCT_RULE,
        r"the product rule, with $\partial \mu/\partial x_k = \frac1m$; the last slope by differences",
        |case| Ok(Channel::of(case).by_product_rule()),
    )
    // Wider than it need be, so that the smallest counterexample differs in digits that one can see.
    .within("a hundredth", 0.01)
    .line(
        r"\sum_n h_n\, r\, \bigl( \mathbf 1_{n = k} - \tfrac1m \bigr)",
        r"$\partial r/\partial x_k$ is the same for every $n$, and $\sum_n (x_n - \mu) = 0$",
        |case| {
            let channel = Channel::of(case);
            let (r, m) = (root(channel.x, channel.eps), channel.x.len());
            let share = |n: usize, k: usize| if n == k { 1.0 - 1.0 / m as f64 } else { -1.0 / m as f64 };
            Ok((0..m).map(|k| (0..m).map(|n| channel.h[n] * r * share(n, k)).sum()).collect())
        },
    )
    .within("rounding", 1e-14)
    .line(r"r\, \bigl( h_k - \langle h \rangle \bigr)", r"the sum over $n$ carried out", |case| {
        let channel = Channel::of(case);
        let (r, average) = (root(channel.x, channel.eps), mean(&channel.h));
        Ok(channel.h.iter().map(|h| r * (h - average)).collect())
    })
}
