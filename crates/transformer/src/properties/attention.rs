//! What the formula says, and what follows from it, on the plain version.

use super::{MASKS, ROUNDING, mask, normal, operands, shuffled, sizes};
use crate::{Attention, Mask, attention, attention_weights, default_scale};
use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, Transpose, rng};
use rand_distr::StandardNormal;

const ID: &[&str] = &["attention"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = formula();
    all.extend(scale());
    all.extend(claims());
    all
}

fn plain(x: [&Tensor<f64>; 3]) -> Result<Tensor<f64>> {
    attention(x[0], x[1], x[2], &Mask::default())
}

fn formula() -> Vec<Property> {
    vec![
        sizes("attention.definition", ID, "it is the double sum over keys, number by number")
            .within("rounding", ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let y = plain([&q, &k, &v])?;
                let (s, d) = (k.dims()[1], k.dims()[2]);
                let expected = Tensor::from_fn(y.dims(), |at| {
                    let number = |x: &Tensor<f64>, row: usize, column: usize| {
                        x.get([at[0], row, column]).unwrap_or(f64::NAN)
                    };
                    let score = |j: usize| -> f64 {
                        (0..d).map(|c| number(&q, at[1], c) * number(&k, j, c)).sum::<f64>()
                            / (d as f64).sqrt()
                    };
                    let total: f64 = (0..s).map(|j| score(j).exp()).sum();
                    (0..s).map(|j| score(j).exp() / total * number(&v, j, at[2])).sum()
                })?;
                Ok(y.max_difference(&expected)?)
            }),
        sizes(
            "attention.rows",
            ID,
            "the weights of a query are not below 0, and their sum is 1, or 0 if it may see nothing",
        )
        .draw(Draw::choice("mask", MASKS))
        .within("rounding", ROUNDING)
        .check(|case| {
            let [q, k, _] = operands(case, [1, 1])?;
            let (n, t, s) = (q.dims()[0], q.dims()[1], k.dims()[1]);
            let mask = mask(case, [n, 1, t, s])?;
            let weights = attention_weights(&q, &k, &mask)?;
            let mut off = 0.0f64;
            for (i, row) in weights.as_slice().chunks(s).enumerate() {
                let rules = mask.rules([n, 1, t, s])?;
                let blind = (0..s).all(|key| rules.hides([i / t, 0, i % t], key));
                case.classify(blind, "a query that sees nothing");
                let expected = if blind { 0.0 } else { 1.0 };
                off = off.max((row.iter().sum::<f64>() - expected).abs());
                off = off.max(if row.iter().all(|&w| w >= 0.0) { 0.0 } else { f64::INFINITY });
            }
            Ok(off)
        }),
        sizes(
            "attention.hull",
            &["attention", "missing-attention-average"],
            "no output lies outside of the values, in any direction",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [q, k, v] = operands(case, [1, 1])?;
            let (w, s) = (v.dims()[2], v.dims()[1]);
            // The hull of points is what lies, along every direction, between the first and the last of them.
            let along = normal(case, 3, &[w, 4])?;
            let y = Attention::default().eval([&q, &k, &v])?.matmul(&along)?;
            let ends = v.matmul(&along)?;
            let (t, mut off) = (y.dims()[1], 0.0f64);
            for sample in 0..y.dims()[0] {
                for c in 0..4 {
                    let column = |x: &Tensor<f64>, rows: usize| -> Result<Vec<f64>> {
                        (0..rows).map(|i| x.get([sample, i, c])).collect()
                    };
                    let values = column(&ends, s)?;
                    let low = values.iter().fold(f64::INFINITY, |a, &b| a.min(b));
                    let high = values.iter().fold(f64::NEG_INFINITY, |a, &b| a.max(b));
                    for y in column(&y, t)? {
                        off = off.max((low - y).max(y - high));
                    }
                }
            }
            Ok(off)
        }),
        sizes("attention.hidden", ID, "a hidden key and its value may hold anything, NaN and infinities too: a query that may not see them gets the bits that it gets with zeros there")
            .draw(Draw::choice("mask", MASKS))
            .draw(Draw::choice("what", &["NaN", "inf", "-inf"]))
            .holds(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let [n, t, s, w] = [q.dims()[0], q.dims()[1], k.dims()[1], v.dims()[2]];
                let mask = mask(case, [n, 1, t, s])?;
                let key = (case.seed("values") / 7 % s as u64) as usize;
                let both = |what: f64| -> Result<[Tensor<f64>; 2]> {
                    let [k, v] = [&k, &v].map(|x| {
                        Tensor::from_fn(x.dims(), |at| if at[1] == key { what } else { x.get(at).unwrap_or(f64::NAN) })
                    });
                    let (k, v) = (k?, v?);
                    Ok([attention(&q, &k, &v, &mask)?, Attention::new(1, mask.clone()).eval([&q, &k, &v])?])
                };
                let what = case.choice("what").parse().unwrap_or(f64::NAN);
                let (bad, zero) = (both(what)?, both(0.0)?);
                let rules = mask.rules([n, 1, t, s])?;
                let mut same = true;
                for i in (0..n * t).filter(|i| rules.hides([i / t, 0, i % t], key)) {
                    case.label("a query that may not see it");
                    let row = |x: &Tensor<f64>| x.as_slice()[i * w..][..w].iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                    same &= bad.iter().zip(&zero).all(|(bad, zero)| row(bad) == row(zero));
                }
                Ok(same)
            }),
        sizes("attention.permutation", ID, "keys in another order, with their values, change nothing")
            .draw(Draw::seed("order"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let order = shuffled(case.seed("order"), k.dims()[1]);
                let turned = plain([&q, &k.gather(1, &order)?, &v.gather(1, &order)?])?;
                Ok(turned.max_difference(&plain([&q, &k, &v])?)?)
            }),
        sizes("attention.affine", ID, "it is affine in the values: of V·A + b it is (that of V)·A + b")
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let (a, b) = (normal(case, 3, &[v.dims()[2], 3])?, normal(case, 4, &[3])?);
                let of = |v: &Tensor<f64>| v.matmul(&a)?.add(&b);
                Ok(plain([&q, &k, &of(&v)?])?.max_difference(&of(&plain([&q, &k, &v])?)?)?)
            }),
        sizes("attention.shift", ID, "one vector added to every key changes nothing")
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let moved = k.add(&normal(case, 3, &[k.dims()[2]])?)?;
                Ok(plain([&q, &moved, &v])?.max_difference(&plain([&q, &k, &v])?)?)
            }),
        sizes("attention.repeated", ID, "every key twice, with its value, changes nothing")
            .within("rounding", ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let twice = |x: &Tensor<f64>| Tensor::concatenate(&[x, x], 1);
                Ok(plain([&q, &twice(&k)?, &twice(&v)?])?.max_difference(&plain([&q, &k, &v])?)?)
            }),
        sizes("attention.huge", ID, "scores of any size have finite weights: the largest is taken off first")
            .draw(Draw::log("size", 1.0..=1e100).limited(1e-100..=1e100))
            .holds(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let q = q.scale(case.real("size"));
                let finite = |y: Tensor<f64>| y.as_slice().iter().all(|y| y.is_finite());
                Ok(finite(plain([&q, &k, &v])?) && finite(Attention::default().eval([&q, &k, &v])?))
            }),
    ]
}

fn scale() -> Vec<Property> {
    const SCALE: &[&str] = &["attention-scale"];
    vec![
        Property::new("attention-scale.enumerated", SCALE, "over all 2^d queries of ones and minus ones, the mean of (q·k)² is d, and that of (q·k/√d)² is 1, exactly")
            .draw(Draw::size("d", 1..=10).limited(1.0..=16.0))
            .draw(Draw::seed("values"))
            .within("rounding", ROUNDING)
            .check(|case| {
                let d = case.size("d");
                let sign = |bits: u64, i: usize| if bits >> (i % 64) & 1 == 0 { 1.0 } else { -1.0 };
                let seed = case.seed("values");
                let square = |bits: u64| -> f64 {
                    (0..d).map(|i| sign(bits, i) * sign(seed, i)).sum::<f64>().powi(2)
                };
                let mean = (0..1u64 << d).map(square).sum::<f64>() / (1u64 << d) as f64;
                let scaled = mean * default_scale(d).powi(2);
                Ok((mean - d as f64).abs() + (scaled - 1.0).abs())
            }),
        Property::new("attention-scale.variance", SCALE, "of 4000 normal pairs the variance of q·k is d, and that of the scaled score 1, within six deviations")
            .draw(Draw::size("d", 1..=256).limited(1.0..=1024.0))
            .draw(Draw::seed("values"))
            .within("six deviations of the estimate", 6.0)
            .check(|case| {
                let (d, count) = (case.size("d"), 4000);
                let [q, k] = [0, 1].map(|which| normal(case, which, &[count, d]));
                let scores = q?.mul(&k?)?.sum_axis(1)?;
                let mean_square = scores.powi(2).mean()? / d as f64;
                // Var((q·k)²/d) is 2 + 6/d: the fourth moment of a sum of d products of normal numbers is 3d² + 6d.
                let deviation = ((2.0 + 6.0 / d as f64) / count as f64).sqrt();
                let scaled = scores.scale(default_scale(d)).powi(2).mean()?;
                Ok((mean_square - 1.0).abs().max((scaled - 1.0).abs()) / deviation)
            }),
        sizes("attention-scale.default", SCALE, "the operation's own scale is 1/√d of one head's d")
            .draw(Draw::size("heads", 1..=3).limited(1.0..=8.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let heads = case.size("heads");
                let [q, k, v] = operands(case, [heads, heads])?;
                let own = Attention::new(heads, Mask::default());
                let by_hand = Attention { scale: Some(1.0), ..own.clone() };
                let divided = q.scale(1.0 / (case.size("d") as f64).sqrt());
                Ok(own.eval([&q, &k, &v])?.max_difference(&by_hand.eval([&divided, &k, &v])?)?)
            }),
    ]
}

/// One query, keys and values of a case.
fn one_query(case: &mut Case<'_>) -> Result<[Tensor<f64>; 3]> {
    let (s, d, w) = (case.size("s"), case.size("d"), case.size("w"));
    case.classify(s == 1, "one key");
    Ok([normal(case, 0, &[1, d])?, normal(case, 1, &[s, d])?, normal(case, 2, &[s, w])?])
}

/// The same vectors, of length 1.
fn unit(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    x.div(&x.powi(2).sum_axis(1)?.map(f64::sqrt).insert_axis(1)?)
}

/// Addressing by content as it is printed: a softmax of β times the cosines.
fn addressed(beta: f64, q: &Tensor<f64>, k: &Tensor<f64>) -> Result<Tensor<f64>> {
    let a = q.select(0, 0)?;
    let cosine = |j: usize| -> Result<f64> {
        let b = k.select(0, j)?;
        Ok(a.dot(&b)? / (a.dot(&a)? * b.dot(&b)?).sqrt())
    };
    let weights: Vec<f64> = (0..k.dims()[0]).map(|j| Ok((beta * cosine(j)?).exp())).collect::<Result<_>>()?;
    let total: f64 = weights.iter().sum();
    Tensor::from_vec(weights.iter().map(|w| w / total).collect(), [1, k.dims()[0]])
}

fn with_scale(beta: f64, [q, k, v]: [&Tensor<f64>; 3]) -> Result<Tensor<f64>> {
    Attention { scale: Some(beta), ..Attention::default() }.eval([q, k, v])
}

fn claims() -> Vec<Property> {
    const INTUITION: &[&str] = &["attention-qkv-intuition"];
    let best = |q: &Tensor<f64>, k: &Tensor<f64>| -> Result<(usize, f64)> {
        let scores = q.product(Transpose::No, k, Transpose::Yes)?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores.as_slice()[b].total_cmp(&scores.as_slice()[a]));
        let gap = order
            .get(1)
            .map_or(f64::INFINITY, |&second| scores.as_slice()[order[0]] - scores.as_slice()[second]);
        Ok((order[0], gap))
    };
    vec![
        sizes(
            "attention-qkv-intuition.limit",
            INTUITION,
            "sharpened without end it is the value of the most similar key",
        )
        .within("what is left of the others", 1e-9)
        .check(move |case| {
            let [q, k, v] = one_query(case)?;
            let (first, gap) = best(&q, &k)?;
            // e^(−β·gap) of the second is left: enough to vanish.
            let beta = 60.0 / gap.min(1.0);
            let y = with_scale(beta, [&q, &k, &v])?;
            Ok(y.select(0, 0)?.max_difference(&v.select(0, first)?)?)
        }),
        sizes(
            "attention-qkv-intuition.mean",
            INTUITION,
            "without any sharpness it is the mean of all values",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [q, k, v] = one_query(case)?;
            Ok(with_scale(0.0, [&q, &k, &v])?.select(0, 0)?.max_difference(&v.mean_axis(0)?)?)
        }),
        Property::refutation(
            "attention-qkv-intuition.printed",
            INTUITION,
            "attention finds the most similar key and then the value",
        )
        .within("rounding", ROUNDING)
        .check(|_| {
            // Scores 0 and ln 3: the weights are ¼ and ¾.
            let (q, k) = (Tensor::from([[1.0]]), Tensor::from([[0.0], [3f64.ln()]]));
            let v = Tensor::from([[8.0], [4.0]]);
            Ok((plain([&q, &k, &v])?.item()? - 4.0).abs())
        }),
        sizes(
            "attention-ntm.cosine",
            &["attention-ntm"],
            "of queries and keys of length 1 it is addressing by content: a softmax of β times their cosine",
        )
        .draw(Draw::log("beta", 0.1..=10.0).limited(1e-3..=1e3))
        .within("rounding", ROUNDING)
        .check(|case| {
            let [q, k, v] = one_query(case)?;
            let beta = case.real("beta");
            let y = with_scale(beta, [&unit(&q)?, &unit(&k)?, &v])?;
            Ok(y.max_difference(&addressed(beta, &q, &k)?.matmul(&v)?)?)
        }),
        sizes(
            "attention-ntm.weights",
            &["attention-ntm"],
            "the weights themselves are those of keys of length 1 and a query of length β·√d, whose root the scale takes back",
        )
        .draw(Draw::log("beta", 0.1..=10.0).limited(1e-3..=1e3))
        .within("rounding", ROUNDING)
        .check(|case| {
            let [q, k, _] = one_query(case)?;
            let beta = case.real("beta");
            let long = unit(&q)?.scale(beta * (case.size("d") as f64).sqrt());
            let weights = attention_weights(&long, &unit(&k)?, &Mask::default())?;
            Ok(weights.max_difference(&addressed(beta, &q, &k)?)?)
        }),
        sizes(
            "attention-multi-query.stacked",
            &["attention-multi-query"],
            "queries one on top of the other get what each would get alone, to the bit",
        )
        .holds(|case| {
            let [q, k, v] = operands(case, [1, 1])?;
            let together = Attention::default().eval([&q, &k, &v])?;
            for t in 0..q.dims()[1] {
                let alone = Attention::default().eval([&q.slice(1, t..t + 1)?, &k, &v])?;
                if !alone.same_bits(&together.slice(1, t..t + 1)?) {
                    return Ok(false);
                }
            }
            Ok::<_, Failure>(true)
        }),
        Property::new(
            "missing-attention-average.constant",
            &["missing-attention-average"],
            "if all values are one vector, every query gets it",
        )
        .draw(Draw::size("t", 1..=300).limited(1.0..=2000.0))
        .draw(Draw::size("d", 1..=8).limited(1.0..=64.0))
        .draw(Draw::seed("values"))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (t, d) = (case.size("t"), case.size("d"));
            let x = normal(case, 0, &[t, d])?;
            let one = Tensor::random([1, d], &StandardNormal, &mut rng(case.seed("values")))?;
            let y = Attention::default().eval([&x, &x, &one.broadcast_to([t, d])?])?;
            Ok(y.max_difference(&one.broadcast_to([t, d])?)?)
        }),
    ]
}
