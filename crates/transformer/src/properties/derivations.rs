//! The derivations of the chapters, line by line: why the root, the gradient of a look, the causal mask, and
//! scores that depend on the distance alone.

use crate::{Attention, Mask, Rotary, attention, attention_weights, default_scale, positional_encoding};
use gradus_autograd::Op;
use gradus_formula::{Case, Derivation, Draw, Failure, Property, slopes};
use gradus_tensor::{Result, Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    [variance(), look_back(), hidden_keys(), masked_too_late(), distance(), turned()]
        .iter()
        .map(Derivation::property)
        .collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// How far apart the points are over which differences are taken.
const H: f64 = 1e-3;

/// A distribution of two values with mean 0 and variance 1: the values, and the probability of the first.
struct Coin {
    values: [f64; 2],
    share: f64,
}

impl Coin {
    fn of(case: &Case<'_>, name: &str) -> Self {
        let share = case.real(name);
        Self { values: [((1.0 - share) / share).sqrt(), -(share / (1.0 - share)).sqrt()], share }
    }

    fn probability(&self, side: usize) -> f64 {
        if side == 0 { self.share } else { 1.0 - self.share }
    }

    /// E[f(value)].
    fn mean(&self, f: impl Fn(f64) -> f64) -> f64 {
        self.share * f(self.values[0]) + (1.0 - self.share) * f(self.values[1])
    }
}

/// The variance of f(q, k) over all values that d independent components of each can have.
fn spread(d: usize, [q, k]: [&Coin; 2], f: impl Fn(&[f64], &[f64]) -> f64) -> f64 {
    let (mut mean, mut square) = (0.0, 0.0);
    for sides in 0..1usize << (2 * d) {
        let side = |i: usize| sides >> i & 1;
        let query: Vec<f64> = (0..d).map(|i| q.values[side(i)]).collect();
        let key: Vec<f64> = (0..d).map(|i| k.values[side(d + i)]).collect();
        let probability: f64 = (0..d).map(|i| q.probability(side(i)) * k.probability(side(d + i))).product();
        let value = f(&query, &key);
        mean += probability * value;
        square += probability * value * value;
    }
    square - mean * mean
}

/// Why the scores are divided by √d.
fn variance() -> Derivation {
    let coins = |case: &Case<'_>| [Coin::of(case, "q"), Coin::of(case, "k")];
    Derivation::new("attention-scale.derivation", &["attention-scale"], "The variance of a score")
        .draw(Draw::size("d", 1..=3).limited(1.0..=4.0))
        .draw(Draw::real("q", 0.1..=0.9).limited(0.01..=0.99))
        .draw(Draw::real("k", 0.1..=0.9).limited(0.01..=0.99))
        .within("rounding of the sum over all cases", 2e-14)
        .line(
            r"\operatorname{Var}\left( \frac{q \cdot k}{\sqrt{d_k}} \right)",
            "what is wanted; over all cases, for components of two values with mean $0$ and variance $1$",
            move |case| {
                let ([q, k], d) = (coins(case), case.size("d"));
                let root = (d as f64).sqrt();
                Ok(vec![spread(d, [&q, &k], |q, k| dot(q, k) / root)])
            },
        )
        .line(
            r"\frac{1}{d_k} \operatorname{Var}\Bigl( \sum_{i=1}^{d_k} q_i k_i \Bigr)",
            "a factor goes out of a variance as its square",
            move |case| {
                let ([q, k], d) = (coins(case), case.size("d"));
                Ok(vec![spread(d, [&q, &k], dot) / d as f64])
            },
        )
        .line(
            r"\frac{1}{d_k} \sum_{i=1}^{d_k} \operatorname{Var}(q_i k_i)",
            "the products are independent, and then the variances add up",
            move |case| {
                let ([q, k], d) = (coins(case), case.size("d"));
                let each = (0..d).map(|_| spread(1, [&q, &k], |q, k| q[0] * k[0]));
                Ok(vec![each.sum::<f64>() / d as f64])
            },
        )
        .line(
            r"\frac{1}{d_k} \sum_{i=1}^{d_k} \Bigl( \mathbb E[q_i^2]\, \mathbb E[k_i^2]
                - \bigl( \mathbb E[q_i]\, \mathbb E[k_i] \bigr)^2 \Bigr)",
            r"$\operatorname{Var} z = \mathbb E[z^2] - (\mathbb E z)^2$, and $q_i$, $k_i$ are independent",
            move |case| {
                let ([q, k], d) = (coins(case), case.size("d"));
                let squares = q.mean(|x| x * x) * k.mean(|x| x * x);
                let each = (0..d).map(|_| squares - (q.mean(|x| x) * k.mean(|x| x)).powi(2));
                Ok(vec![each.sum::<f64>() / d as f64])
            },
        )
        .line(
            r"\Bigl( \frac{1}{\sqrt{d_k}} \Bigr)^2 \cdot d_k\, (1 \cdot 1 - 0 \cdot 0)",
            r"means of $0$ and variances of $1$: all $d_k$ terms are the same",
            |case| {
                let d = case.size("d");
                Ok(vec![default_scale(d).powi(2) * d as f64])
            },
        )
        .line("1", r"whatever $d_k$ is", |_| Ok(vec![1.0]))
}

/// A query, some keys with their values, and what the loss asks of the result, as plain numbers.
struct Look<'a> {
    q: &'a [f64],
    k: Vec<&'a [f64]>,
    v: Vec<&'a [f64]>,
    dy: &'a [f64],
}

impl<'a> Look<'a> {
    fn of(case: &Case<'a>) -> Self {
        let rows = |name: &str, size: &str| case.array(name).data.chunks(case.size(size)).collect();
        let (q, dy) = (&case.array("q").data, &case.array("dy").data);
        Self { q, k: rows("k", "d"), v: rows("v", "w"), dy }
    }

    fn root(&self) -> f64 {
        (self.q.len() as f64).sqrt()
    }

    fn scores(&self, q: &[f64]) -> Vec<f64> {
        self.k.iter().map(|k| dot(q, k) / self.root()).collect()
    }

    /// δy·y for these scores: what they do to the loss.
    fn loss(&self, scores: &[f64]) -> f64 {
        dot(&weights(scores), &self.by_weights())
    }

    /// δw: the slope of the loss in each weight, δy·vⱼ.
    fn by_weights(&self) -> Vec<f64> {
        self.v.iter().map(|v| dot(self.dy, v)).collect()
    }

    /// Σₗ δsₗ·kₗ/√d.
    fn through_keys(&self, by_scores: &[f64]) -> Vec<f64> {
        let entry = |c: usize| by_scores.iter().zip(&self.k).map(|(ds, k)| ds * k[c]).sum::<f64>();
        (0..self.q.len()).map(|c| entry(c) / self.root()).collect()
    }
}

/// The softmax by its definition; the scores here are small.
fn weights(scores: &[f64]) -> Vec<f64> {
    let total: f64 = scores.iter().map(|s| s.exp()).sum();
    scores.iter().map(|s| s.exp() / total).collect()
}

/// The gradient in a query, back through the weighted mean, the softmax and the scores.
fn look_back() -> Derivation {
    Derivation::new("attention.derivation", &["attention"], "The gradient in a query")
        .draw(Draw::size("s", 1..=4).limited(1.0..=16.0))
        .draw(Draw::size("d", 1..=3).limited(1.0..=8.0))
        .draw(Draw::size("w", 1..=2).limited(1.0..=8.0))
        .draw(Draw::array("q", -2.0..=2.0, &["d"]).limited(-3.0..=3.0))
        .draw(Draw::array("k", -2.0..=2.0, &["s", "d"]).limited(-3.0..=3.0))
        .draw(Draw::array("v", -2.0..=2.0, &["s", "w"]).limited(-10.0..=10.0))
        .draw(Draw::array("dy", -2.0..=2.0, &["w"]).limited(-10.0..=10.0))
        .line(
            r"\frac{\partial}{\partial q}\; \delta y \cdot \sum_j w_j v_j, \qquad 
                w = \operatorname{softmax}(s), \quad s_l = \frac{q \cdot k_l}{\sqrt{d_k}}",
            "what is wanted; computed by differences over five points",
            |case| {
                let look = Look::of(case);
                let y = |q: &[f64], column: usize| -> f64 {
                    weights(&look.scores(q)).iter().zip(&look.v).map(|(w, v)| w * v[column]).sum()
                };
                Ok(slopes(look.q, H, |q| {
                    (0..look.dy.len()).map(|column| look.dy[column] * y(q, column)).sum()
                }))
            },
        )
        .within("five-point differences", 1e-10)
        .line(
            r"\sum_l \frac{\partial}{\partial s_l} \Bigl( \sum_j w_j\, \delta w_j \Bigr) 
                \frac{k_l}{\sqrt{d_k}}, \qquad \delta w_j = \delta y \cdot v_j",
            r"the chain rule: $q$ is in the scores alone, with the slopes $k_l/\sqrt{d_k}$",
            |case| {
                let look = Look::of(case);
                Ok(look.through_keys(&slopes(&look.scores(look.q), H, |scores| look.loss(scores))))
            },
        )
        .line(
            r"\sum_l \Bigl( \sum_j \delta w_j\, w_j (\mathbf 1_{j = l} - w_l) \Bigr) \frac{k_l}{\sqrt{d_k}}",
            r"the softmax’s Jacobian, $\partial w_j/\partial s_l = w_j (\mathbf 1_{j = l} - w_l)$",
            |case| {
                let look = Look::of(case);
                let (w, dw) = (weights(&look.scores(look.q)), look.by_weights());
                let own = |j: usize, l: usize| if j == l { 1.0 } else { 0.0 };
                let by_score = |l: usize| (0..w.len()).map(|j| dw[j] * w[j] * (own(j, l) - w[l])).sum();
                Ok(look.through_keys(&(0..w.len()).map(by_score).collect::<Vec<f64>>()))
            },
        )
        .within("rounding", 1e-14)
        .line(
            r"\sum_l w_l\, \bigl( \delta w_l - \langle \delta w \rangle \bigr) \frac{k_l}{\sqrt{d_k}},
                \qquad \langle \delta w \rangle = \sum_j w_j\, \delta w_j",
            r"of $\mathbf 1_{j = l}$ one term is left; $w_l$ taken out",
            |case| {
                let look = Look::of(case);
                let (w, dw) = (weights(&look.scores(look.q)), look.by_weights());
                let mean = dot(&w, &dw);
                let by_scores: Vec<f64> = w.iter().zip(&dw).map(|(w, dw)| w * (dw - mean)).collect();
                Ok(look.through_keys(&by_scores))
            },
        )
        .line(
            r"\frac{1}{\sqrt{d_k}}\, \Bigl( P \circ \bigl( \delta y\, V^\top - \langle \delta y, y \rangle
                \bigr) \Bigr) K",
            r"$\langle \delta w \rangle = \delta y \cdot \sum_j w_j v_j$; the sum over $l$ is a product",
            |case| {
                let (d, w) = (case.size("d"), case.size("w"));
                let q = tensor_of::<f64>(case.array("q"))?.reshape([1, d])?;
                let (k, v) = (tensor_of(case.array("k"))?, tensor_of(case.array("v"))?);
                let dy = tensor_of::<f64>(case.array("dy"))?.reshape([1, w])?;
                let op = Attention::default();
                let (_, saved) = op.forward([&q, &k, &v])?;
                let [dq, ..] = op.vjp([&q, &k, &v], &saved, &dy, [true, false, false])?;
                dq.map(Tensor::into_vec).ok_or(Failure::Error("no gradient in q".into()))
            },
        )
}

/// Queries, keys and values of n places, and the scores, a row for each query.
fn places(case: &Case<'_>) -> Result<([Tensor<f64>; 3], Vec<Vec<f64>>)> {
    let column = |name: &str| tensor_of::<f64>(case.array(name))?.reshape([case.size("n"), 1]);
    let (q, k) = (&case.array("q").data, &case.array("k").data);
    // Keys of one number: √d is 1.
    let scores = q.iter().map(|q| k.iter().map(|k| q * k).collect()).collect();
    Ok(([column("q")?, column("k")?, column("v")?], scores))
}

fn text(derivation: Derivation, least: i64) -> Derivation {
    derivation
        .draw(Draw::size("n", least..=4).limited(least as f64..=16.0))
        .draw(Draw::array("q", -2.0..=2.0, &["n"]).limited(-5.0..=5.0))
        .draw(Draw::array("k", -2.0..=2.0, &["n"]).limited(-5.0..=5.0))
        .draw(Draw::array("v", -5.0..=5.0, &["n"]).limited(-100.0..=100.0))
}

/// What each place would get if the text ended there.
fn ending_there(case: &mut Case<'_>) -> std::result::Result<Vec<f64>, Failure> {
    let (_, scores) = places(case)?;
    let v = &case.array("v").data;
    Ok(scores.iter().enumerate().map(|(i, row)| dot(&weights(&row[..=i]), v)).collect())
}

/// Why −∞ hides a key.
fn hidden_keys() -> Derivation {
    text(Derivation::new("causal-mask.derivation", &["causal-mask"], "What is hidden by a score of −∞"), 1)
        .within("rounding", 5e-15)
        .line(
            r"y_i = \sum_{j \le i} \operatorname{softmax}(s_{i1}, \dots, s_{ii})_j\; v_j, \qquad i = 1,
                \dots, n",
            r"what is wanted: each place gets what it would get if the text ended there",
            ending_there,
        )
        .line(
            r"\frac{\sum_{j \le i} e^{s_{ij}}\, v_j + \sum_{j > i} 0 \cdot v_j}{\sum_{j \le i} e^{s_{ij}} +
                \sum_{j > i} 0}",
            "the softmax written out; and nothing is added, above and below",
            |case| {
                let (_, scores) = places(case)?;
                let v = &case.array("v").data;
                let row = |(i, row): (usize, &Vec<f64>)| {
                    let factor = |j: usize| if j <= i { row[j].exp() } else { 0.0 };
                    let above: f64 = (0..v.len()).map(|j| factor(j) * v[j]).sum();
                    above / (0..v.len()).map(factor).sum::<f64>()
                };
                Ok(scores.iter().enumerate().map(row).collect())
            },
        )
        .line(
            r"\sum_{j=1}^{n} \operatorname{softmax}(S_{i1}, \dots, S_{in})_j\; v_j, \qquad
                S_{ij} = \begin{cases} s_{ij} & j \le i \\ -\infty & j > i \end{cases}",
            r"$0 = e^{-\infty}$, and with it both sums are those of one softmax over all places",
            |case| {
                let (_, mut scores) = places(case)?;
                for (i, row) in scores.iter_mut().enumerate() {
                    row[i + 1..].fill(f64::NEG_INFINITY);
                }
                Ok(scores.iter().map(|row| dot(&weights(row), &case.array("v").data)).collect())
            },
        )
        .line(r"\operatorname{softmax}(S)\, V", "all rows at once", |case| {
            let ([q, k, v], _) = places(case)?;
            Ok(attention(&q, &k, &v, &Mask::causal())?.into_vec())
        })
}

/// The mask behind the softmax, as a chain of equations.
fn masked_too_late() -> Derivation {
    text(
        Derivation::new(
            "causal-mask.derivation-slip",
            &["causal-mask"],
            "A derivation with a wrong line: the mask as a factor of the weights",
        ),
        2,
    )
    .slip(3)
    .within("rounding", 1e-14)
    .line(
        r"y_i = \frac{\sum_{j \le i} e^{s_{ij}}\, v_j}{\sum_{l \le i} e^{s_{il}}}, \qquad i = 1, \dots, n",
        r"what is wanted: each place gets what it would get if the text ended there",
        ending_there,
    )
    .line(
        r"\frac{\sum_j m_{ij}\, e^{s_{ij}}\, v_j}{\sum_l m_{il}\, e^{s_{il}}}, \qquad
            m_{ij} = \begin{cases} 1 & j \le i \\ 0 & j > i \end{cases}",
        "sums over all places, with a factor that ends them in time",
        |case| {
            let (_, scores) = places(case)?;
            let v = &case.array("v").data;
            let row = |(i, row): (usize, &Vec<f64>)| {
                let seen = |j: usize| if j <= i { 1.0 } else { 0.0 };
                let above: f64 = (0..v.len()).map(|j| seen(j) * row[j].exp() * v[j]).sum();
                above / (0..v.len()).map(|l| seen(l) * row[l].exp()).sum::<f64>()
            };
            Ok(scores.iter().enumerate().map(row).collect())
        },
    )
    .line(
        r"\sum_j m_{ij}\, \frac{e^{s_{ij}}}{\sum_l e^{s_{il}}}\, v_j",
        r"one sum of fractions, whose factor $m_{ij}$ leaves nothing of what is hidden",
        |case| {
            let (_, scores) = places(case)?;
            let v = &case.array("v").data;
            let row = |(i, row): (usize, &Vec<f64>)| {
                let total: f64 = row.iter().map(|s| s.exp()).sum();
                (0..=i).map(|j| row[j].exp() / total * v[j]).sum()
            };
            Ok(scores.iter().enumerate().map(row).collect())
        },
    )
    .line(
        r"\sum_j m_{ij}\, w_{ij}\, v_j, \qquad w_i = \operatorname{softmax}(s_{i1}, \dots, s_{in})",
        "the fractions are the weights without a mask",
        |case| {
            let (_, scores) = places(case)?;
            let row = |(i, row): (usize, &Vec<f64>)| {
                let mut w = weights(row);
                w[i + 1..].fill(0.0);
                dot(&w, &case.array("v").data)
            };
            Ok(scores.iter().enumerate().map(row).collect())
        },
    )
    .line(r"(M \circ P)\, V", "all rows at once", |case| {
        let ([q, k, v], _) = places(case)?;
        let table = Tensor::from_fn([case.size("n"); 2], |at| if at[1] <= at[0] { 1.0 } else { 0.0 })?;
        Ok(attention_weights(&q, &k, &Mask::default())?.mul(&table)?.matmul(&v)?.into_vec())
    })
}

/// The product of two rows of sines and cosines.
fn distance() -> Derivation {
    let theta = |case: &Case<'_>| -> Vec<f64> {
        let half = case.size("half");
        (0..half).map(|i| 10_000f64.powf(-(i as f64) / half as f64)).collect()
    };
    let row = |case: &Case<'_>, place: usize| -> Result<Vec<f64>> {
        Ok(positional_encoding::<f64>(place + 1, 2 * case.size("half"))?.select(0, place)?.into_vec())
    };
    Derivation::new(
        "positional-encoding.derivation",
        &["positional-encoding"],
        "The product of two places depends on their distance alone",
    )
    .draw(Draw::size("half", 1..=3).limited(1.0..=16.0))
    .draw(Draw::size("p", 0..=50).limited(0.0..=50.0))
    .draw(Draw::size("k", 0..=50).limited(0.0..=50.0))
    .within("rounding of the angles", 5e-15)
    .line(r"PE_{p + k} \cdot PE_p", "what is wanted, from the table", move |case| {
        let (p, k) = (case.size("p"), case.size("k"));
        Ok(vec![dot(&row(case, p + k)?, &row(case, p)?)])
    })
    .line(
        r"\sum_i \bigl( \sin (p + k)\theta_i \sin p\theta_i + \cos (p + k)\theta_i \cos p\theta_i \bigr)",
        r"each pair is a sine and a cosine of one angle, with $\theta_i = 10000^{-2i/d}$",
        move |case| {
            let (p, k) = (case.real("p"), case.real("k"));
            let pair = |theta: &f64| {
                let (there, here) = (((p + k) * theta).sin_cos(), (p * theta).sin_cos());
                there.0 * here.0 + there.1 * here.1
            };
            Ok(vec![theta(case).iter().map(pair).sum()])
        },
    )
    .line(
        r"\sum_i \bigl( (\sin p\theta_i \cos k\theta_i + \cos p\theta_i \sin k\theta_i) \sin p\theta_i
            + (\cos p\theta_i \cos k\theta_i - \sin p\theta_i \sin k\theta_i) \cos p\theta_i \bigr)",
        r"the addition theorems: $k$ places further on, the pair is turned by $k\theta_i$",
        move |case| {
            let (p, k) = (case.real("p"), case.real("k"));
            let pair = |theta: &f64| {
                let ((s, c), (sin, cos)) = ((p * theta).sin_cos(), (k * theta).sin_cos());
                (s * cos + c * sin) * s + (c * cos - s * sin) * c
            };
            Ok(vec![theta(case).iter().map(pair).sum()])
        },
    )
    .line(
        r"\sum_i \cos k\theta_i",
        r"the mixed products cancel, and $\sin^2 + \cos^2 = 1$: $p$ has gone",
        move |case| Ok(vec![theta(case).iter().map(|theta| (case.real("k") * theta).cos()).sum()]),
    )
    .line(r"PE_k \cdot PE_0", r"row $0$ of the table is $0, 1, 0, 1, \dots$", move |case| {
        Ok(vec![dot(&row(case, case.size("k"))?, &row(case, 0)?)])
    })
}

/// The score of a turned query and a turned key.
fn turned() -> Derivation {
    /// The pairs of q and of k, each with its angle a place.
    fn pairs(case: &Case<'_>) -> Vec<([f64; 2], [f64; 2], f64)> {
        let (half, base) = (case.size("half"), case.real("base"));
        let (q, k) = (&case.array("q").data, &case.array("k").data);
        let pair = |i: usize| {
            let theta = base.powf(-(i as f64) / half as f64);
            ([q[2 * i], q[2 * i + 1]], [k[2 * i], k[2 * i + 1]], theta)
        };
        (0..half).map(pair).collect()
    }
    /// The product of two complex numbers.
    fn times(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
        [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
    }
    fn on_circle(angle: f64) -> [f64; 2] {
        [angle.cos(), angle.sin()]
    }
    fn conjugate([re, im]: [f64; 2]) -> [f64; 2] {
        [re, -im]
    }
    Derivation::new(
        "rotary-encoding.derivation",
        &["rotary-encoding"],
        "The score of a turned query at place i and a turned key at place j",
    )
    .draw(Draw::size("half", 1..=2).limited(1.0..=16.0))
    .draw(Draw::array("q", -2.0..=2.0, &["half", "2"]).limited(-100.0..=100.0))
    .draw(Draw::array("k", -2.0..=2.0, &["half", "2"]).limited(-100.0..=100.0))
    .draw(Draw::log("base", 2.0..=1e4).limited(1.001..=1e9))
    .draw(Draw::size("j", 0..=50).limited(0.0..=100.0))
    .draw(Draw::size("distance", 0..=50).limited(0.0..=100.0))
    .within("rounding of the angles", 1e-13)
    .line(
        r"\langle R_i\, q,\; R_j\, k \rangle, \qquad R_p \text{ turns pair } m \text{ by } p\,\theta_m",
        "what is wanted; the pairs turned, then multiplied",
        |case| {
            let (j, distance) = (case.size("j"), case.size("distance"));
            let rotary = Rotary::new(2 * case.size("half"), case.real("base"))?;
            let at = |name: &str, place: usize| -> Result<Vec<f64>> {
                let row = tensor_of::<f64>(case.array(name))?.reshape([1, 2 * case.size("half")])?;
                Ok(rotary.first(place).eval([&row])?.into_vec())
            };
            Ok(vec![dot(&at("q", j + distance)?, &at("k", j)?)])
        },
    )
    .line(
        r"\sum_m \operatorname{Re}\bigl( z_m e^{\mathrm i\, i\theta_m} \cdot
            \overline{w_m e^{\mathrm i\, j\theta_m}} \bigr), \qquad z_m = q_{2m} + \mathrm i\, q_{2m+1}, \quad
            w_m = k_{2m} + \mathrm i\, k_{2m+1}",
        r"pairs as complex numbers: a turn is a factor, a scalar product is $\operatorname{Re}(z \bar w)$",
        |case| {
            let (j, i) = (case.real("j"), case.real("j") + case.real("distance"));
            let term = |&(z, w, theta): &([f64; 2], [f64; 2], f64)| {
                let (z, w) = (times(z, on_circle(i * theta)), times(w, on_circle(j * theta)));
                times(z, conjugate(w))[0]
            };
            Ok(vec![pairs(case).iter().map(term).sum()])
        },
    )
    .line(
        r"\sum_m \operatorname{Re}\bigl( z_m \overline{w_m}\, e^{\mathrm i\, (i - j)\theta_m} \bigr)",
        r"$\overline{e^{\mathrm i\varphi}} = e^{-\mathrm i\varphi}$, and the exponents are added",
        |case| {
            let term = |&(z, w, theta): &([f64; 2], [f64; 2], f64)| {
                times(times(z, conjugate(w)), on_circle(case.real("distance") * theta))[0]
            };
            Ok(vec![pairs(case).iter().map(term).sum()])
        },
    )
    .line(
        r"\sum_m \bigl( (q_{2m} k_{2m} + q_{2m+1} k_{2m+1}) \cos (i - j)\theta_m
            + (q_{2m} k_{2m+1} - q_{2m+1} k_{2m}) \sin (i - j)\theta_m \bigr)",
        r"multiplied out; $i$ and $j$ are in it as $i - j$ and not otherwise",
        |case| {
            let term = |&(q, k, theta): &([f64; 2], [f64; 2], f64)| {
                let (sin, cos) = (case.real("distance") * theta).sin_cos();
                (q[0] * k[0] + q[1] * k[1]) * cos + (q[0] * k[1] - q[1] * k[0]) * sin
            };
            Ok(vec![pairs(case).iter().map(term).sum()])
        },
    )
    .line(r"\langle R_{i - j}\, q,\; k \rangle", r"the same for the places $i - j$ and $0$", |case| {
        let width = 2 * case.size("half");
        let rotary = Rotary::new(width, case.real("base"))?.first(case.size("distance"));
        let q = rotary.eval([&tensor_of::<f64>(case.array("q"))?.reshape([1, width])?])?;
        Ok(vec![dot(q.as_slice(), &case.array("k").data)])
    })
}
