//! The derivations of the chapters, line by line: momentum written out, Adam's correction, an error's parts.

use crate::{BiasVariance, Momentum};
use gradus_formula::{Case, Derivation, Draw, Property};
use gradus_tensor::tensor_of;

pub(super) fn properties() -> Vec<Property> {
    [momentum_written_out(), bias_correction(), decomposition(), decomposition_of_seen_targets()]
        .iter()
        .map(Derivation::property)
        .collect()
}

/// A power with a whole exponent that a loop has counted.
fn power(base: f64, exponent: usize) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

fn mean(x: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = x.len() as f64;
    x.sum::<f64>() / n
}

/// How far momentum has moved a parameter: each gradient by its own share.
fn momentum_written_out() -> Derivation {
    Derivation::new(
        "momentum-update.derivation",
        &["momentum-update"],
        "What becomes of each gradient under momentum",
    )
    .draw(Draw::size("t", 1..=8).limited(1.0..=64.0))
    .draw(Draw::array("g", -5.0..=5.0, &["t"]))
    .draw(Draw::real("mu", 0.0..=0.95).limited(0.0..=0.95))
    .draw(Draw::log("rate", 1e-3..=1.0).limited(1e-6..=10.0))
    .line(
        r"\theta_0 - \theta_t",
        r"what is wanted: how far $t$ steps of momentum have gone, $\theta_0$ and $v_0$ being $0$",
        |case| {
            let (mut theta, mut v) = (0.0, 0.0);
            for &g in &case.array("g").data {
                (theta, v) = Momentum::Velocity.update(theta, v, g, case.real("rate"), case.real("mu"));
            }
            Ok(vec![-theta])
        },
    )
    .within("rounding of a few sums", 4e-14)
    .line(
        r"\eta \sum_{j=1}^{t} v_j, \qquad v_j = \mu v_{j-1} + g_j",
        r"each step takes $\eta v_j$ from $\theta$",
        |case| {
            let (mut sum, mut v) = (0.0, 0.0);
            for g in &case.array("g").data {
                v = case.real("mu") * v + g;
                sum += v;
            }
            Ok(vec![case.real("rate") * sum])
        },
    )
    .line(
        r"\eta \sum_{j=1}^{t} \sum_{k=1}^{j} \mu^{j-k} g_k",
        r"the velocity written out: $g_k$ has been multiplied by $\mu$ in each step since",
        |case| {
            let (g, mu) = (&case.array("g").data, case.real("mu"));
            let velocity = |j: usize| (0..=j).map(|k| power(mu, j - k) * g[k]).sum::<f64>();
            Ok(vec![case.real("rate") * (0..g.len()).map(velocity).sum::<f64>()])
        },
    )
    .line(
        r"\eta \sum_{k=1}^{t} g_k \bigl(1 + \mu + \mu^2 + \dots + \mu^{t-k}\bigr)",
        r"the same terms, gathered by gradients: $g_k$ is in the velocities $v_k, \dots, v_t$",
        |case| {
            let (g, mu) = (&case.array("g").data, case.real("mu"));
            let share = |k: usize| (0..g.len() - k).map(|i| power(mu, i)).sum::<f64>();
            Ok(vec![case.real("rate") * g.iter().enumerate().map(|(k, g)| g * share(k)).sum::<f64>()])
        },
    )
    .line(
        r"\eta \sum_{k=1}^{t} \frac{1 - \mu^{t-k+1}}{1 - \mu}\, g_k",
        r"the geometric sum; for an old gradient its factor is nearly $1/(1 - \mu)$",
        |case| {
            let (g, mu) = (&case.array("g").data, case.real("mu"));
            let share = |k: usize| (1.0 - power(mu, g.len() - k)) / (1.0 - mu);
            Ok(vec![case.real("rate") * g.iter().enumerate().map(|(k, g)| share(k) * g).sum::<f64>()])
        },
    )
}

/// Gradients that are one of three values, as probable as each other, and independent from step to step.
struct Gradients {
    values: Vec<f64>,
    steps: usize,
    beta: f64,
}

impl Gradients {
    fn of(case: &Case<'_>) -> Self {
        Self { values: case.array("values").data.clone(), steps: case.size("t"), beta: case.real("beta") }
    }

    /// The mean of f over all sequences of gradients.
    fn mean(&self, f: impl Fn(&[f64]) -> f64) -> f64 {
        let sequence = |number: usize| -> Vec<f64> {
            (0..self.steps).map(|k| self.values[number / 3usize.pow(k as u32) % 3]).collect()
        };
        mean((0..3usize.pow(self.steps as u32)).map(|number| f(&sequence(number))))
    }

    fn expected(&self) -> f64 {
        mean(self.values.iter().copied())
    }

    /// 1 − βᵗ.
    fn weight(&self) -> f64 {
        1.0 - power(self.beta, self.steps)
    }
}

/// Why Adam divides by 1 − βᵗ.
fn bias_correction() -> Derivation {
    Derivation::new("adam.derivation", &["adam"], "The corrected mean of the gradients has their expectation")
        .draw(Draw::size("t", 1..=4).limited(1.0..=5.0))
        .draw(Draw::array("values", -5.0..=5.0, &["3"]).limited(-100.0..=100.0))
        .draw(Draw::real("beta", 0.0..=0.99).limited(0.0..=0.99))
        .line(
            r"\mathbb{E}\, \frac{m_t}{1 - \beta^t}, \qquad m_k = \beta m_{k-1} + (1 - \beta)\, g_k",
            r"wanted is $\mathbb{E}\,\hat m_t$; all sequences of three gradients are counted; $m_0 = 0$",
            |case| {
                let all = Gradients::of(case);
                let running = |g: &[f64]| g.iter().fold(0.0, |m, g| all.beta * m + (1.0 - all.beta) * g);
                Ok(vec![all.mean(|g| running(g) / all.weight())])
            },
        )
        .within("rounding, divided by 1 − β", 3e-14)
        .line(
            r"\frac{1 - \beta}{1 - \beta^t}\, \mathbb{E} \sum_{k=1}^{t} \beta^{t-k} g_k",
            r"the running mean written out: $g_k$ has been multiplied by $\beta$ in each step since",
            |case| {
                let all = Gradients::of(case);
                let last = all.steps - 1;
                let sum = |g: &[f64]| -> f64 {
                    g.iter().enumerate().map(|(k, g)| power(all.beta, last - k) * g).sum()
                };
                Ok(vec![(1.0 - all.beta) / all.weight() * all.mean(sum)])
            },
        )
        .line(
            r"\frac{1 - \beta}{1 - \beta^t} \sum_{k=1}^{t} \beta^{t-k}\, \mathbb{E}\, g_k",
            "the expectation of a sum is the sum of the expectations",
            |case| {
                let all = Gradients::of(case);
                let last = all.steps - 1;
                let term = |k: usize| power(all.beta, last - k) * all.mean(|g| g[k]);
                Ok(vec![(1.0 - all.beta) / all.weight() * (0..all.steps).map(term).sum::<f64>()])
            },
        )
        .line(
            r"\frac{1 - \beta}{1 - \beta^t}\, \bigl(1 + \beta + \dots + \beta^{t-1}\bigr)\, \bar g",
            r"all gradients have the same expectation, $\bar g$",
            |case| {
                let all = Gradients::of(case);
                let weights: f64 = (0..all.steps).map(|i| power(all.beta, i)).sum();
                Ok(vec![(1.0 - all.beta) / all.weight() * weights * all.expected()])
            },
        )
        .line(r"\bar g", r"the geometric sum is $(1 - \beta^t)/(1 - \beta)$", |case| {
            Ok(vec![Gradients::of(case).expected()])
        })
}

/// Predictions of some models, and measurements, at one place.
fn at_one_place(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("models", 1..=4).limited(1.0..=64.0))
        .draw(Draw::size("repeats", 1..=4).limited(1.0..=64.0))
        .draw(Draw::array("predictions", -5.0..=5.0, &["models"]))
        .draw(Draw::array("targets", -5.0..=5.0, &["repeats"]))
}

/// The three parts of y − f̂: the error of a measurement, minus the bias, and how this fit is off.
fn parts(y: f64, f: f64, centre: f64, prediction: f64) -> [f64; 3] {
    [y - f, f - centre, centre - prediction]
}

/// The square of three parts, averaged.
const SQUARED: &str = concat!(
    r"\begin{aligned} &\mathbb{E}(y - f)^2 + (f - \bar f)^2 + \mathbb{E}(\bar f - \hat f)^2 \\ ",
    r"&{} + 2\,\mathbb{E}[(y - f)(f - \bar f)] + 2\,\mathbb{E}[(f - \bar f)(\bar f - \hat f)] ",
    r"+ 2\,\mathbb{E}[(y - f)(\bar f - \hat f)] \end{aligned}"
);

/// Which products of two of three parts there are.
const PRODUCTS: [[usize; 2]; 3] = [[0, 1], [1, 2], [0, 2]];

/// Error is noise, bias² and variance, over finite sets.
fn decomposition() -> Derivation {
    /// The mean over all pairs of a measurement and a model of g(y, f, f̄, f̂).
    fn over_pairs(case: &Case<'_>, g: impl Fn([f64; 3]) -> f64) -> f64 {
        let (predictions, targets) = (&case.array("predictions").data, &case.array("targets").data);
        let (centre, f) = (mean(predictions.iter().copied()), mean(targets.iter().copied()));
        mean(targets.iter().map(|&y| mean(predictions.iter().map(|&p| g(parts(y, f, centre, p))))))
    }

    at_one_place(Derivation::new(
        "bias-variance-decomposition.derivation",
        &["bias-variance-decomposition", "bias-definition"],
        "Error is noise, bias² and variance",
    ))
    .line(
        r"\mathbb{E}\left[(y - \hat f)^2\right]",
        "what is wanted; the mean over all pairs of a new measurement and a model",
        |case| {
            let (predictions, targets) = (&case.array("predictions").data, &case.array("targets").data);
            let of_one = |y: f64| mean(predictions.iter().map(|p| (y - p) * (y - p)));
            Ok(vec![mean(targets.iter().map(|&y| of_one(y)))])
        },
    )
    .within("a few roundings", 1e-14)
    .line(
        r"\mathbb{E}\left[\bigl((y - f) + (f - \bar f) + (\bar f - \hat f)\bigr)^2\right]",
        r"two zeros put in: $f = \mathbb{E}\,y$ and $\bar f = \mathbb{E}\hat f$, each taken away and added",
        |case| Ok(vec![over_pairs(case, |p| (p[0] + p[1] + p[2]).powi(2))]),
    )
    .line(SQUARED, "squared: three squares, and each product twice", |case| {
        let squares = (0..3).map(|i| over_pairs(case, |p| p[i] * p[i])).sum::<f64>();
        let products = PRODUCTS.map(|[i, j]| 2.0 * over_pairs(case, |p| p[i] * p[j]));
        Ok(vec![squares + products.iter().sum::<f64>()])
    })
    .line(
        concat!(
            r"\mathbb{E}(y - f)^2 + (f - \bar f)^2 + \mathbb{E}(\bar f - \hat f)^2 ",
            r"+ 2\,\mathbb{E}[y - f]\;\mathbb{E}[\bar f - \hat f]"
        ),
        r"$f - \bar f$ is one number: its products have the mean $0$; the third has independent factors",
        |case| {
            let squares = (0..3).map(|i| over_pairs(case, |p| p[i] * p[i])).sum::<f64>();
            Ok(vec![squares + 2.0 * over_pairs(case, |p| p[0]) * over_pairs(case, |p| p[2])])
        },
    )
    .line(
        r"\text{noise} + \text{bias}^2 + \text{variance}",
        "both means are $0$; the three squares have names, and the library has them",
        |case| {
            let column = |name: &str| tensor_of::<f64>(case.array(name))?.insert_axis(1);
            let parts = BiasVariance::new(&column("predictions")?, &column("targets")?)?;
            let [bias, variance, noise, _] = parts.averages()?;
            Ok(vec![noise + bias + variance])
        },
    )
}

/// The same for the targets that the models were trained on, where the third product stays.
fn decomposition_of_seen_targets() -> Derivation {
    /// The mean over the training sets: each has its own measurement, and its own model.
    fn over_sets(case: &Case<'_>, g: impl Fn([f64; 3]) -> f64) -> f64 {
        let (predictions, targets) = (&case.array("predictions").data, &case.array("targets").data);
        let (centre, f) = (mean(predictions.iter().copied()), mean(targets.iter().copied()));
        mean(targets.iter().zip(predictions).map(|(&y, &p)| g(parts(y, f, centre, p))))
    }

    Derivation::new(
        "bias-variance-decomposition.derivation-slip",
        &["bias-variance-decomposition", "bias-underfitting"],
        "A derivation with a wrong line: the error on the training set",
    )
    .draw(Draw::size("sets", 1..=4).limited(1.0..=64.0))
    .draw(Draw::array("predictions", -5.0..=5.0, &["sets"]))
    .draw(Draw::array("targets", -5.0..=5.0, &["sets"]))
    .slip(4)
    .line(
        r"\mathbb{E}\left[(y - \hat f)^2\right]",
        r"at one place, the mean over training sets: $y$ is in the set, and $\hat f$ is the fit to this set",
        |case| {
            let (predictions, targets) = (&case.array("predictions").data, &case.array("targets").data);
            Ok(vec![mean(targets.iter().zip(predictions).map(|(y, p)| (y - p) * (y - p)))])
        },
    )
    .within("rounding of squares that may cancel", 4e-14)
    .line(
        r"\mathbb{E}\left[\bigl((y - f) + (f - \bar f) + (\bar f - \hat f)\bigr)^2\right]",
        r"two zeros put in, $f = \mathbb{E}\,y$ and $\bar f = \mathbb{E}\hat f$",
        |case| Ok(vec![over_sets(case, |p| (p[0] + p[1] + p[2]).powi(2))]),
    )
    .line(SQUARED, "three squares, and each product twice", |case| {
        let squares = (0..3).map(|i| over_sets(case, |p| p[i] * p[i])).sum::<f64>();
        let products = PRODUCTS.map(|[i, j]| 2.0 * over_sets(case, |p| p[i] * p[j]));
        Ok(vec![squares + products.iter().sum::<f64>()])
    })
    .line(
        r"\mathbb{E}(y - f)^2 + (f - \bar f)^2 + \mathbb{E}(\bar f - \hat f)^2",
        r"$\mathbb{E}(y - f) = 0$ and $\mathbb{E}(\bar f - \hat f) = 0$, so the products have the mean $0$",
        |case| Ok(vec![(0..3).map(|i| over_sets(case, |p| p[i] * p[i])).sum()]),
    )
    .line(
        r"\text{noise} + \text{bias}^2 + \text{variance}",
        "the three squares by their names",
        |case| {
            let column = |name: &str| tensor_of::<f64>(case.array(name))?.insert_axis(1);
            let parts = BiasVariance::new(&column("predictions")?, &column("targets")?)?;
            let [bias, variance, noise, _] = parts.averages()?;
            Ok(vec![noise + bias + variance])
        },
    )
}
