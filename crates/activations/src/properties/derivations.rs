//! The derivations of the chapter, line by line.

use crate::{Softmax, sigmoid, softmax, tanh, tanh_derivative};
use gradus_autograd::Op;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slope};
use gradus_tensor::Tensor;

pub(super) fn properties() -> Vec<Property> {
    [
        sigmoid_slope(),
        tanh_by_sigmoid(),
        tanh_slope(),
        softmax_shift(),
        softmax_jacobian(),
        softmax_backward(),
        softmax_backward_of_one(),
    ]
    .iter()
    .map(Derivation::property)
    .collect()
}

/// How far apart the points are over which differences are taken.
const H: f64 = 1e-3;

/// The slope of the sigmoid, as the chapter derives it.
fn sigmoid_slope() -> Derivation {
    Derivation::new("sigmoid.derivation", &["sigmoid"], "The derivative of the sigmoid")
        .draw(Draw::real("x", -30.0..=30.0).limited(-600.0..=600.0))
        .line(
            r"\frac{d}{dx}\,\frac{1}{1 + e^{-x}}",
            "what is wanted; computed by differences over five points",
            |case| Ok(vec![slope(case.real("x"), H, |x| 1.0 / (1.0 + (-x).exp()))]),
        )
        .within("five-point differences", 1e-12)
        .line(
            r"\frac{e^{-x}}{(1 + e^{-x})^2}",
            r"the chain rule: $-(1 + e^{-x})^{-2}$ from the power, times $-e^{-x}$ from what is in it",
            |case| {
                let e = (-case.real("x")).exp();
                Ok(vec![e / ((1.0 + e) * (1.0 + e))])
            },
        )
        .within("a few roundings", 1e-15)
        .line(r"\frac{1}{1 + e^{-x}} \cdot \frac{e^{-x}}{1 + e^{-x}}", "the square taken apart", |case| {
            let e = (-case.real("x")).exp();
            Ok(vec![1.0 / (1.0 + e) * (e / (1.0 + e))])
        })
        .line(
            r"\sigma(x)\,\sigma(-x)",
            r"top and bottom of the second factor multiplied by $e^x$: it is $1/(e^x + 1)$",
            |case| Ok(vec![sigmoid(case.real("x")) * sigmoid(-case.real("x"))]),
        )
        .line(r"\sigma(x)\,\bigl(1 - \sigma(x)\bigr)", r"$\sigma(x) + \sigma(-x) = 1$", |case| {
            let p = sigmoid(case.real("x"));
            Ok(vec![p * (1.0 - p)])
        })
}

/// The hyperbolic tangent as a sigmoid, stretched and shifted.
fn tanh_by_sigmoid() -> Derivation {
    Derivation::new(
        "act-tanh.derivation",
        &["act-tanh", "sigmoid"],
        "The hyperbolic tangent is a stretched sigmoid",
    )
    .draw(Draw::real("x", -20.0..=20.0).limited(-300.0..=300.0))
    .line(r"2\,\sigma(2x) - 1", "stretched to twice its height and half its width, and shifted", |case| {
        Ok(vec![2.0 * sigmoid(2.0 * case.real("x")) - 1.0])
    })
    .within("a few roundings", 2e-15)
    .line(
        r"\frac{2}{1 + e^{-2x}} - \frac{1 + e^{-2x}}{1 + e^{-2x}}",
        "the definition of the sigmoid; the $1$ over the same denominator",
        |case| {
            let above = 1.0 + (-2.0 * case.real("x")).exp();
            let below = above;
            Ok(vec![2.0 / below - above / below])
        },
    )
    .line(r"\frac{1 - e^{-2x}}{1 + e^{-2x}}", "one fraction", |case| {
        let e = (-2.0 * case.real("x")).exp();
        Ok(vec![(1.0 - e) / (1.0 + e)])
    })
    .line(r"\frac{e^x - e^{-x}}{e^x + e^{-x}}", "top and bottom multiplied by $e^x$", |case| {
        let (up, down) = (case.real("x").exp(), (-case.real("x")).exp());
        Ok(vec![(up - down) / (up + down)])
    })
    .line(r"\tanh(x)", "its definition", |case| Ok(vec![tanh(case.real("x"))]))
}

/// The slope of the hyperbolic tangent, from that of the sigmoid.
fn tanh_slope() -> Derivation {
    Derivation::new(
        "act-tanh.derivation-slope",
        &["act-tanh", "sigmoid"],
        "The derivative of the hyperbolic tangent",
    )
    .draw(Draw::real("x", -20.0..=20.0).limited(-300.0..=300.0))
    .line(
        r"\frac{d}{dx}\, \frac{e^x - e^{-x}}{e^x + e^{-x}}",
        "what is wanted; computed by differences over five points",
        |case| {
            Ok(vec![slope(case.real("x"), H, |x| {
                let (up, down) = (x.exp(), (-x).exp());
                (up - down) / (up + down)
            })])
        },
    )
    .within("five-point differences", 5e-12)
    .line(
        r"\frac{d}{dx}\, \bigl(2\,\sigma(2x) - 1\bigr)",
        "the same function, by the derivation above",
        |case| Ok(vec![slope(case.real("x"), H, |x| 2.0 / (1.0 + (-2.0 * x).exp()) - 1.0)]),
    )
    .line(
        r"4\,\sigma(2x)\,\sigma(-2x)",
        r"the chain rule: $2 \cdot 2\,\sigma'(2x)$, and the sigmoid’s derivative is $\sigma(z)\,\sigma(-z)$",
        |case| {
            let z = 2.0 * case.real("x");
            Ok(vec![4.0 * sigmoid(z) * sigmoid(-z)])
        },
    )
    .within("a few roundings", 2e-15)
    .line(
        r"4 \cdot \frac{1 + \tanh(x)}{2} \cdot \frac{1 - \tanh(x)}{2}",
        r"$2\,\sigma(2x) - 1 = \tanh(x)$ solved for $\sigma(2x)$; and $\tanh(-x) = -\tanh(x)$",
        |case| {
            let t = tanh(case.real("x"));
            Ok(vec![4.0 * ((1.0 + t) / 2.0) * ((1.0 - t) / 2.0)])
        },
    )
    .line(r"1 - \tanh(x)^2", "the fours cancel, and the brackets multiplied out", |case| {
        let t = tanh(case.real("x"));
        Ok(vec![1.0 - t * t])
    })
    .line(r"\tanh'(x)", "as the library computes it, without a difference", |case| {
        Ok(vec![tanh_derivative(case.real("x"))])
    })
}

/// Softmax of numbers, as it is printed.
fn quotients(s: &[f64]) -> Vec<f64> {
    let sum: f64 = s.iter().map(|s| s.exp()).sum();
    s.iter().map(|s| s.exp() / sum).collect()
}

/// The slopes of each f(s)ᵢ in each sₖ by differences over five points: row i, column k, one after the other.
fn slopes(s: &[f64], f: impl Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let outputs = f(s).len();
    let entry = |i: usize, k: usize| {
        slope(s[k], H, |x| {
            let mut there = s.to_vec();
            there[k] = x;
            f(&there)[i]
        })
    };
    (0..outputs * s.len()).map(|at| entry(at / s.len(), at % s.len())).collect()
}

/// What the library’s backward pass makes of a cotangent v.
fn backward(s: &[f64], v: &[f64]) -> Result<Vec<f64>, Failure> {
    let (op, scores) = (Softmax { axis: 0, temperature: 1.0 }, Tensor::from(s.to_vec()));
    let (_, saved) = op.forward([&scores])?;
    let [gradient] = op.vjp([&scores], &saved, &Tensor::from(v.to_vec()), [true])?;
    Ok(gradient.ok_or(Failure::Error("no gradient".into()))?.as_slice().to_vec())
}

fn scores(derivation: Derivation) -> Derivation {
    derivation
        .draw(Draw::size("k", 1..=4).limited(1.0..=12.0))
        .draw(Draw::array("s", -5.0..=5.0, &["k"]).limited(-10.0..=10.0))
}

fn drawn<'a>(case: &Case<'a>, name: &str) -> &'a [f64] {
    &case.array(name).data
}

/// A shift of all scores changes nothing, so the largest may be taken from them.
fn softmax_shift() -> Derivation {
    scores(Derivation::new("softmax.derivation-shift", &["softmax"], "Softmax of scores less their largest"))
        .draw(Draw::real("c", -5.0..=5.0).limited(-10.0..=10.0))
        .line(r"\frac{e^{s_k}}{\sum_j e^{s_j}}, \qquad k = 1, \dots, K", "softmax as it is printed", |case| {
            Ok(quotients(drawn(case, "s")))
        })
        .within("a few roundings", 4e-15)
        .line(
            r"\frac{e^c\, e^{s_k}}{e^c \sum_j e^{s_j}}",
            "top and bottom multiplied by the same number, whatever $c$ is",
            |case| {
                let (s, factor) = (drawn(case, "s"), case.real("c").exp());
                let below = factor * s.iter().map(|s| s.exp()).sum::<f64>();
                Ok(s.iter().map(|s| factor * s.exp() / below).collect())
            },
        )
        .line(
            r"\frac{e^{s_k + c}}{\sum_j e^{s_j + c}}",
            "the factor moved into every term of the sum, and there into the exponent",
            |case| {
                let (s, c) = (drawn(case, "s"), case.real("c"));
                let below: f64 = s.iter().map(|s| (s + c).exp()).sum();
                Ok(s.iter().map(|s| (s + c).exp() / below).collect())
            },
        )
        .line(
            r"\frac{e^{s_k - m}}{\sum_j e^{s_j - m}}, \qquad m = \max_j s_j",
            "$c$ may be any number: also $-m$, and then no exponent is above $0$",
            |case| {
                let s = drawn(case, "s");
                let top = s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let below: f64 = s.iter().map(|s| (s - top).exp()).sum();
                Ok(s.iter().map(|s| (s - top).exp() / below).collect())
            },
        )
        .line(r"\operatorname{softmax}(s)_k", "which is how the library computes it", |case| {
            Ok(softmax(&Tensor::from(drawn(case, "s").to_vec()), 0)?.as_slice().to_vec())
        })
}

/// The Jacobian, index by index.
fn softmax_jacobian() -> Derivation {
    scores(Derivation::new("softmax.derivation", &["softmax"], "The Jacobian of softmax, index by index"))
        .line(
            r"\frac{\partial}{\partial s_k}\, \frac{e^{s_i}}{Z}, \qquad Z = \sum_j e^{s_j}",
            "what is wanted, for every $i$ and $k$; computed by differences over five points",
            |case| Ok(slopes(drawn(case, "s"), quotients)),
        )
        .within("five-point differences", 1e-12)
        .line(
            r"\frac{\delta_{ik}\, e^{s_i}\, Z - e^{s_i}\, e^{s_k}}{Z^2}",
            r"the quotient rule; $s_k$ is in the numerator only for $i = k$, and in $Z$ always",
            |case| {
                let e: Vec<f64> = drawn(case, "s").iter().map(|s| s.exp()).collect();
                let z: f64 = e.iter().sum();
                let entry = |i: usize, k: usize| {
                    let own = if i == k { e[i] * z } else { 0.0 };
                    (own - e[i] * e[k]) / (z * z)
                };
                Ok((0..e.len()).flat_map(|i| (0..e.len()).map(move |k| entry(i, k))).collect())
            },
        )
        .within("a few roundings", 2e-15)
        .line(
            r"\delta_{ik}\, p_i - p_i\, p_k",
            r"the fraction taken apart; $p_i = e^{s_i}/Z$, one $Z$ for each of the two exponentials",
            |case| {
                let p = quotients(drawn(case, "s"));
                let entry = |i: usize, k: usize| if i == k { p[i] - p[i] * p[i] } else { -p[i] * p[k] };
                Ok((0..p.len()).flat_map(|i| (0..p.len()).map(move |k| entry(i, k))).collect())
            },
        )
        .line(
            r"J = \operatorname{diag}(p) - p\,p^\top",
            "all at once; row $i$ is what the library’s backward pass makes of the gradient $1$ in $p_i$",
            |case| {
                let s = drawn(case, "s");
                let mut rows = vec![];
                for i in 0..s.len() {
                    let mut unit = vec![0.0; s.len()];
                    unit[i] = 1.0;
                    rows.extend(backward(s, &unit)?);
                }
                Ok(rows)
            },
        )
}

/// A score and what the loss wants of each probability.
fn with_gradient(derivation: Derivation) -> Derivation {
    scores(derivation).draw(Draw::array("v", -3.0..=3.0, &["k"]).limited(-10.0..=10.0))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// From the gradient in the probabilities to that in the scores.
fn softmax_backward() -> Derivation {
    with_gradient(Derivation::new(
        "softmax.derivation-backward",
        &["softmax"],
        "The gradient through softmax, without its Jacobian",
    ))
    .line(
        r"\frac{\partial}{\partial s_k} \sum_i v_i\, p_i, \qquad p = \operatorname{softmax}(s)",
        "a loss whose gradient in $p$ is $v$; computed by differences over five points",
        |case| {
            let v = drawn(case, "v");
            Ok(slopes(drawn(case, "s"), |s| vec![dot(v, &quotients(s))]))
        },
    )
    .within("five-point differences", 5e-12)
    .line(
        r"\sum_i v_i\, (\delta_{ik}\, p_i - p_i\, p_k)",
        r"the chain rule: every probability depends on $s_k$",
        |case| {
            let (p, v) = (quotients(drawn(case, "s")), drawn(case, "v"));
            let term = |i: usize, k: usize| v[i] * (if i == k { p[i] } else { 0.0 } - p[i] * p[k]);
            Ok((0..p.len()).map(|k| (0..p.len()).map(|i| term(i, k)).sum()).collect())
        },
    )
    .within("a few roundings", 1e-14)
    .line(
        r"p_k v_k - p_k \sum_i p_i v_i",
        r"two sums: of the first only the term $i = k$ is left, and $p_k$ leaves the second",
        |case| {
            let (p, v) = (quotients(drawn(case, "s")), drawn(case, "v"));
            let mean = dot(&p, v);
            Ok(p.iter().zip(v).map(|(p, v)| p * v - p * mean).collect())
        },
    )
    .line(
        r"p_k \Bigl(v_k - \sum_i p_i v_i\Bigr)",
        "$p_k$ taken out; so the library computes it",
        |case| backward(drawn(case, "s"), drawn(case, "v")),
    )
}

/// The gradient in the scores by somebody who looks at the numerator only.
fn softmax_backward_of_one() -> Derivation {
    with_gradient(Derivation::new(
        "softmax.derivation-slip",
        &["softmax"],
        "A derivation with a wrong line: the gradient through softmax",
    ))
    .slip(3)
    .line(
        r"\frac{\partial L}{\partial s_k}, \quad L = \sum_i v_i p_i, \quad p_i = e^{s_i} / \sum_j e^{s_j}",
        "what is wanted; computed by differences over five points",
        |case| {
            let v = drawn(case, "v");
            Ok(slopes(drawn(case, "s"), |s| vec![dot(v, &quotients(s))]))
        },
    )
    .within("five-point differences", 1e-11)
    .line(
        r"\sum_i \frac{\partial L}{\partial p_i}\, \frac{\partial p_i}{\partial s_k}",
        "the chain rule",
        |case| {
            let (s, v) = (drawn(case, "s"), drawn(case, "v"));
            let rows = slopes(s, quotients);
            let column = |k: usize| (0..s.len()).map(|i| v[i] * rows[i * s.len() + k]).sum();
            Ok((0..s.len()).map(column).collect())
        },
    )
    .line(
        r"v_k\, \frac{\partial p_k}{\partial s_k}",
        r"$\partial L/\partial p_i = v_i$, and it is $p_k$ that belongs to the score $s_k$",
        |case| {
            let (s, v) = (drawn(case, "s"), drawn(case, "v"));
            let rows = slopes(s, quotients);
            Ok((0..s.len()).map(|k| v[k] * rows[k * s.len() + k]).collect())
        },
    )
    .line(
        r"v_k\, \frac{e^{s_k} Z - e^{s_k} e^{s_k}}{Z^2}, \qquad Z = \sum_j e^{s_j}",
        "the quotient rule",
        |case| {
            let e: Vec<f64> = drawn(case, "s").iter().map(|s| s.exp()).collect();
            let z: f64 = e.iter().sum();
            Ok(e.iter().zip(drawn(case, "v")).map(|(e, v)| v * (e * z - e * e) / (z * z)).collect())
        },
    )
    .line(r"v_k\, p_k\, (1 - p_k)", "the fraction taken apart, as for the sigmoid", |case| {
        let p = quotients(drawn(case, "s"));
        Ok(p.iter().zip(drawn(case, "v")).map(|(p, v)| v * p * (1.0 - p)).collect())
    })
}
