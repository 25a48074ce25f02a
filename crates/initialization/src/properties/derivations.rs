//! The derivations of the chapter, line by line: the variance of a sum, and what a ReLU takes of it.
//!
//! The expectations are no estimates: weights and inputs have laws of a few values, counted case by case.

use crate::{he_variance, sum_variance};
use gradus_formula::{Case, Derivation, Draw, Property};

pub(super) fn properties() -> Vec<Property> {
    [variance_of_a_sum(), second_moment_of_a_relu()].iter().map(Derivation::property).collect()
}

fn mean(x: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = x.len() as f64;
    x.sum::<f64>() / n
}

/// The laws of a layer: each of n weights takes one of three values of mean 0, independently; the inputs are
/// one of four vectors.
struct Layer {
    n: usize,
    weights: [f64; 3],
    values: [f64; 4],
}

impl Layer {
    fn of(case: &Case<'_>) -> Self {
        let (w, x) = (&case.array("w").data, &case.array("x").data);
        let centre = mean(w.iter().copied());
        Self {
            n: case.size("n"),
            weights: std::array::from_fn(|i| w[i] - centre),
            values: std::array::from_fn(|i| x[i]),
        }
    }

    /// Input i of vector number `which`. The same four values, moved on from input to input: all inputs have
    /// one law, and none is independent of another.
    fn input(&self, which: usize, i: usize) -> f64 {
        self.values[(which + i) % 4]
    }

    /// The weight i of choice number `choice`, of 3ⁿ.
    fn weight(&self, choice: usize, i: usize) -> f64 {
        self.weights[choice / 3usize.pow(i as u32) % 3]
    }

    fn choices(&self) -> usize {
        3usize.pow(self.n as u32)
    }

    /// The sums s, over all choices of the weights and all inputs.
    fn sums(&self) -> Vec<f64> {
        let sum = |choice: usize, which: usize| {
            (0..self.n).map(|i| self.weight(choice, i) * self.input(which, i)).sum()
        };
        (0..self.choices()).flat_map(|choice| (0..4).map(move |which| sum(choice, which))).collect()
    }

    /// E\[wᵢwⱼ\], over all choices.
    fn weight_product(&self, i: usize, j: usize) -> f64 {
        mean((0..self.choices()).map(|choice| self.weight(choice, i) * self.weight(choice, j)))
    }

    /// E\[xᵢxⱼ\], over all inputs.
    fn input_product(&self, i: usize, j: usize) -> f64 {
        mean((0..4).map(|which| self.input(which, i) * self.input(which, j)))
    }
}

/// The variance of a layer’s sum, in the four steps of the chapter.
fn variance_of_a_sum() -> Derivation {
    Derivation::new("xavier-var-sum.derivation", &["xavier-var-sum"], "The variance of a layer’s sum")
        .draw(Draw::size("n", 1..=3).limited(1.0..=4.0))
        .draw(Draw::array("w", -2.0..=2.0, &["3"]).limited(-100.0..=100.0))
        .draw(Draw::array("x", -3.0..=3.0, &["4"]).limited(-100.0..=100.0))
        .line(
            r"\operatorname{Var}(s) = E\bigl[(s - E[s])^2\bigr], \qquad s = \sum_{i=1}^{n} w_i x_i",
            "what is wanted; all choices of the weights with all inputs, counted",
            |case| {
                let sums = Layer::of(case).sums();
                let centre = mean(sums.iter().copied());
                Ok(vec![mean(sums.iter().map(|s| (s - centre) * (s - centre)))])
            },
        )
        .within("rounding of the sums", 1e-14)
        .line(
            r"E\bigl[s^2\bigr]",
            r"weights of mean $0$ that do not know the inputs: $E[s] = \sum_i E[w_i]\,E[x_i] = 0$",
            |case| {
                let sums = Layer::of(case).sums();
                Ok(vec![mean(sums.iter().map(|s| s * s))])
            },
        )
        .line(
            r"\sum_{i=1}^{n} \sum_{j=1}^{n} E[w_i w_j]\, E[x_i x_j]",
            "the square multiplied out; weights and inputs are independent of each other",
            |case| {
                let layer = Layer::of(case);
                let term = |i: usize, j: usize| layer.weight_product(i, j) * layer.input_product(i, j);
                let row = |i: usize| (0..layer.n).map(|j| term(i, j)).sum::<f64>();
                Ok(vec![(0..layer.n).map(row).sum()])
            },
        )
        .line(
            r"\sum_{i=1}^{n} E[w_i^2]\, E[x_i^2]",
            r"for $i \ne j$ it is $E[w_i w_j] = E[w_i]\,E[w_j] = 0$, however the inputs depend on each other",
            |case| {
                let layer = Layer::of(case);
                let squares = |i: usize| layer.weight_product(i, i) * layer.input_product(i, i);
                Ok(vec![(0..layer.n).map(squares).sum()])
            },
        )
        .line(
            r"n \operatorname{Var}(w)\, E[x^2]",
            r"$n$ equal terms: one law for all weights, of mean $0$, and one second moment for all inputs",
            |case| {
                let layer = Layer::of(case);
                let variance = mean(layer.weights.iter().map(|w| w * w));
                let second_moment = mean(layer.values.iter().map(|x| x * x));
                Ok(vec![sum_variance(layer.n, variance, second_moment)])
            },
        )
}

/// A symmetric law: the sizes that z can have, each with a probability, and either sign equally probable.
struct Symmetric {
    sizes: Vec<f64>,
    probabilities: Vec<f64>,
}

impl Symmetric {
    fn of(case: &Case<'_>) -> Self {
        let shares = &case.array("shares").data;
        let total: f64 = shares.iter().sum();
        Self {
            sizes: case.array("z").data.clone(),
            probabilities: shares.iter().map(|share| share / total).collect(),
        }
    }

    /// E\[f(z)\], over all sizes and both signs.
    fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        let all = self.sizes.iter().zip(&self.probabilities);
        all.map(|(&z, p)| 0.5 * p * f(z) + 0.5 * p * f(-z)).sum()
    }
}

/// The second moment behind a (leaky) ReLU, for any symmetric law.
fn second_moment_of_a_relu() -> Derivation {
    Derivation::new("he-var.derivation", &["he-var"], "What a leaky ReLU leaves of the second moment")
        .draw(Draw::size("k", 1..=4).limited(1.0..=12.0))
        .draw(Draw::array("z", 0.0..=5.0, &["k"]).limited(0.0..=100.0))
        .draw(Draw::array("shares", 0.1..=1.0, &["k"]).limited(0.1..=10.0))
        .draw(Draw::real("a", -1.0..=1.0).limited(-100.0..=100.0))
        .draw(Draw::size("n", 1..=500))
        .line(
            r"E\bigl[f(z)^2\bigr], \qquad f(z) = z \text{ for } z > 0, \text{ else } a z",
            "what is wanted; the law of $z$ has a few sizes with either sign, and all are counted",
            |case| {
                let a = case.real("a");
                let leaky = |z: f64| if z > 0.0 { z } else { a * z };
                Ok(vec![Symmetric::of(case).mean(|z| leaky(z) * leaky(z))])
            },
        )
        .within("a few roundings", 2e-15)
        .line(
            r"E\bigl[z^2\, \mathbf 1_{z > 0}\bigr] + a^2\, E\bigl[z^2\, \mathbf 1_{z < 0}\bigr]",
            "one part for each side; for the plain ReLU, $a = 0$, the second is erased",
            |case| {
                let (law, a) = (Symmetric::of(case), case.real("a"));
                let right = law.mean(|z| if z > 0.0 { z * z } else { 0.0 });
                let left = law.mean(|z| if z < 0.0 { z * z } else { 0.0 });
                Ok(vec![right + a * a * left])
            },
        )
        .line(
            r"(1 + a^2)\, E\bigl[z^2\, \mathbf 1_{z > 0}\bigr]",
            "$-z$ has the law of $z$, and $z^2$ the same value: both sides have the same mean",
            |case| {
                let (law, a) = (Symmetric::of(case), case.real("a"));
                Ok(vec![(1.0 + a * a) * law.mean(|z| if z > 0.0 { z * z } else { 0.0 })])
            },
        )
        .line(
            r"\tfrac12 (1 + a^2)\, E\bigl[z^2\bigr]",
            "the two sides together are $E[z^2]$, so one is half of it",
            |case| {
                let a = case.real("a");
                Ok(vec![0.5 * (1.0 + a * a) * Symmetric::of(case).mean(|z| z * z)])
            },
        )
        .line(
            r"\frac{E[z^2]}{n \operatorname{Var}(w)}, \qquad \operatorname{Var}(w) = \frac{2}{(1 + a^2)\, n}",
            r"He’s variance is chosen so: $n \operatorname{Var}(w)$ times what is left is $E[z^2]$ again",
            |case| {
                let n = case.size("n");
                let variance = he_variance(n, case.real("a"));
                Ok(vec![Symmetric::of(case).mean(|z| z * z) / (n as f64 * variance)])
            },
        )
}
