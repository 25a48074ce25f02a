//! Softmax, its logarithm, and the linear classifier's probabilities.

use crate::{Activations, LogSoftmax, Softmax, linear_softmax, log_softmax, sigmoid, softmax};
use gradus_autograd::{Op, Var, composite_gradient_property, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, tensor_of};

pub(super) fn properties() -> Vec<Property> {
    let mut all = distribution();
    all.extend(invariances());
    all.extend(derivatives());
    all.extend(logarithm());
    all.extend(linear());
    all
}

/// Scores of a few samples, spread far enough that exponentials of them overflow.
fn scores(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["softmax"], statement)
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("k", 1..=12))
        .draw(Draw::array("x", -1000.0..=1000.0, &["n", "k"]).limited(-1000.0..=1000.0))
}

fn drawn(case: &mut Case<'_>) -> Result<Tensor<f64>> {
    let s: Tensor<f64> = tensor_of(case.array("x"))?;
    case.classify(s.as_slice().iter().any(|v| v.abs() > 709.8), "exp overflows or vanishes");
    case.classify(s.dims()[1] == 1, "one class");
    Ok(s)
}

fn apart(x: &Tensor<f64>, y: &Tensor<f64>) -> Result<f64> {
    x.max_difference(y)
}

fn bits(x: &Tensor<f64>, y: &Tensor<f64>) -> f64 {
    if x.same_bits(y) { 0.0 } else { f64::INFINITY }
}

fn distribution() -> Vec<Property> {
    vec![
        scores("softmax.sums-to-one", "the probabilities of a row sum to 1, none is negative")
            .within("K·u", 12.0 * f64::EPSILON)
            .check(|case| {
                let p = softmax(&drawn(case)?, 1)?;
                let sums = p.sum_axis(1)?.map(|s| (s - 1.0).abs()).max()?;
                Ok(if p.min()? >= 0.0 { sums } else { f64::INFINITY })
            }),
        scores("softmax.definition", "where nothing overflows it is the quotient as printed")
            .draw(Draw::log("temperature", 0.2..=100.0).limited(0.01..=1e6))
            .within("K + 4 ulp", 64.0)
            .check(|case| {
                let s = drawn(case)?.map(|v| v / 100.0);
                let tau = case.real("temperature");
                let e = s.map(|v| (v / tau).exp());
                let printed = e.div(&e.sum_axis(1)?.insert_axis(1)?)?;
                // The condition of exp: an error of s/τ in the last place is one of |s/τ| ulps of the value.
                let room = 1.0 + s.abs().max()? / tau;
                let p = s.softmax_at(1, tau)?;
                Ok(p.zip(&printed, super::ulps)?.max()? / room)
            }),
        scores("softmax.order", "a larger score has the larger probability; the largest stays the largest")
            .holds(|case| {
                let s = drawn(case)?;
                let p = softmax(&s, 1)?;
                let pairs = |r: usize, i: usize, j: usize| -> Result<bool> {
                    let (si, sj, pi, pj) = (s.get([r, i])?, s.get([r, j])?, p.get([r, i])?, p.get([r, j])?);
                    Ok(si < sj || pi >= pj)
                };
                let (n, k) = (s.dims()[0], s.dims()[1]);
                for r in 0..n {
                    for i in 0..k {
                        for j in 0..k {
                            if !pairs(r, i, j)? {
                                return Ok(false);
                            }
                        }
                    }
                }
                Ok(true)
            }),
        scores("softmax.rows", "a row's probabilities do not depend on the other rows: one maximum a row")
            .check(|case| {
                let s = drawn(case)?;
                // Rows of very different magnitude: a maximum over the whole matrix would erase the small ones.
                let n = s.dims()[0];
                let lift = Tensor::from_fn([n, 1], |i| 3000.0 * i[0] as f64)?;
                let s = s.add(&lift)?;
                let whole = softmax(&s, 1)?;
                let mut off = 0.0;
                for r in 0..n {
                    off += bits(&whole.slice(0, r..r + 1)?, &softmax(&s.slice(0, r..r + 1)?, 1)?);
                }
                Ok(off)
            }),
        Property::new(
            "softmax.two-classes",
            &["softmax"],
            "for two classes it is σ of the difference of the scores",
        )
        .draw(Draw::real("a", -400.0..=400.0))
        .draw(Draw::real("b", -400.0..=400.0))
        .within("8 ulp", 8.0)
        .check(|case| {
            let (a, b) = (case.real("a"), case.real("b"));
            let p = softmax(&Tensor::from([[a, b]]), 1)?;
            Ok(super::ulps(p.get([0, 0])?, sigmoid(a - b)))
        }),
        Property::new(
            "softmax.temperature-extremes",
            &["softmax", "log-softmax"],
            "the smallest and largest temperatures give the limits in either precision, −∞ scores and gradients too",
        )
        .draw(Draw::choice("temperature", &["5e-324", "1e-310", "1e-46", "1e-39", "1e39", "1e46", "1.7e308"]))
        .draw(Draw::size("k", 2..=6))
        .within("u of f32", f64::from(f32::EPSILON))
        .check(|case| {
            fn off<T: Scalar>(tau: f64, k: usize) -> Result<f64> {
                // The scores 0, 1, …, and −∞ at the end.
                let mut s = Tensor::from_fn([1, k], |i| T::of(i[1] as f64))?;
                s.set([0, k - 1], T::NEG_INFINITY)?;
                let (cold, last) = (tau < 1.0, k - 1);
                let limit = Tensor::from_fn([1, k], |i| match i[1] {
                    j if j == last => 0.0,
                    j if cold => f64::from(u8::from(j + 1 == last)),
                    _ => 1.0 / last as f64,
                })?;
                let (p, log_p) = (s.softmax_at(1, tau)?, s.log_softmax_at(1, tau)?);
                let op = Softmax { axis: 1, temperature: tau };
                let [gradient] = op.vjp([&s], &p, &Tensor::ones([1, k])?, [true])?;
                // The cotangent 1 asks for the gradient of a sum that is always 1.
                let gradient = gradient.map_or(f64::NAN, |g| if g.is_finite() { 0.0 } else { f64::NAN });
                let values = p.cast::<f64>().max_difference(&limit)?;
                Ok(values.max_or_nan(log_p.exp().cast::<f64>().max_difference(&limit)?).max_or_nan(gradient))
            }
            let tau: f64 = case.choice("temperature").parse()?;
            let k = case.size("k");
            Ok(off::<f32>(tau, k)?.max_or_nan(off::<f64>(tau, k)?))
        }),
        Property::new(
            "softmax.special",
            &["softmax"],
            "−∞ has probability 0; a row of −∞, a NaN or ∞ spoil their row only",
        )
        .holds(|_| {
            let (inf, nan) = (f64::INFINITY, f64::NAN);
            let s = Tensor::from([
                [0.0, -inf, 0.0],
                [-inf, -inf, -inf],
                [nan, 0.0, 0.0],
                [inf, 0.0, 0.0],
                [0.0; 3],
            ]);
            let p = softmax(&s, 1)?;
            let row = |r| p.select(0, r);
            let spoilt = |r| -> Result<bool> { Ok(row(r)?.as_slice().iter().all(|v| v.is_nan())) };
            let third = 1.0 / 3.0;
            Ok(row(0)? == Tensor::from([0.5, 0.0, 0.5])
                && spoilt(1)?
                && spoilt(2)?
                && spoilt(3)?
                && row(4)? == Tensor::from([third; 3]))
        }),
    ]
}

fn invariances() -> Vec<Property> {
    vec![
        scores(
            "softmax.shift",
            "adding a number to all scores of a row changes no bit (where the sums are exact)",
        )
        .draw(Draw::integer("shift", -10_000..=10_000).limited(-1e9..=1e9))
        .check(|case| {
            // Whole scores: the shifted ones are exact.
            let s = drawn(case)?.map(f64::trunc);
            let shift = case.integer("shift") as f64;
            Ok(bits(&softmax(&s.map(|v| v + shift), 1)?, &softmax(&s, 1)?))
        }),
        scores("softmax.permutation", "permuted classes have permuted probabilities")
            .draw(Draw::integer("by", 0..=11).limited(0.0..=64.0))
            .within("K·u", 12.0 * f64::EPSILON)
            .check(|case| {
                let s = drawn(case)?;
                let k = s.dims()[1] as u32;
                let by = case.size("by") as u32 % k;
                let turned: Vec<u32> = (0..k).map(|i| (i + by) % k).collect();
                apart(&softmax(&s.gather(1, &turned)?, 1)?, &softmax(&s, 1)?.gather(1, &turned)?)
                    .map_err(Failure::from)
            }),
        scores("softmax.axis", "along another axis it is softmax of the transposed scores, transposed")
            .check(|case| {
                let s = drawn(case)?;
                Ok(bits(&softmax(&s, 0)?, &softmax(&s.transpose()?, 1)?.transpose()?))
            }),
        scores("softmax.temperature", "towards τ = 0 the largest score takes all, towards ∞ all are equal")
            .within("distance to the limit", 1e-9)
            .check(|case| {
                // Whole scores: the largest stands out by at least 1, or it is shared.
                let s = drawn(case)?.map(f64::trunc);
                let k = s.dims()[1];
                let max = s.max_axis(1)?.insert_axis(1)?;
                let best = s.zip(&max, |v, m| if v == m { 1.0 } else { 0.0 })?;
                let cold = best.div(&best.sum_axis(1)?.insert_axis(1)?)?;
                let hot = Tensor::full(s.shape(), 1.0 / k as f64)?;
                Ok(apart(&s.softmax_at(1, 0.02)?, &cold)?.max_or_nan(apart(&s.softmax_at(1, 1e13)?, &hot)?))
            }),
    ]
}

/// Moderate scores, for differences.
fn moderate(id: &'static str, formula: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("k", 1..=4))
        .draw(Draw::size("w", 1..=2))
        .draw(Draw::array("x", -4.0..=4.0, &["n", "k", "w"]).limited(-100.0..=100.0))
        .draw(Draw::integer("axis", 0..=2).limited(0.0..=2.0))
        .draw(Draw::log("temperature", 0.3..=10.0).limited(0.1..=1e3))
}

fn derivatives() -> Vec<Property> {
    vec![
        gradient_property(
            moderate("softmax.gradient", &["softmax"], "the gradient along any axis, at any temperature"),
            |case| {
                let op = Softmax { axis: case.size("axis"), temperature: case.real("temperature") };
                Ok((op, [tensor_of(case.array("x"))?]))
            },
        ),
        Property::new(
            "softmax.jacobian",
            &["softmax"],
            "the Jacobian is diag(p) − ppᵀ: symmetric, rows sum to 0, no negative eigenvalue",
        )
        .draw(Draw::size("k", 1..=8))
        .draw(Draw::array("x", -20.0..=20.0, &["k"]).limited(-100.0..=100.0))
        .within("8 K·u", 64.0 * f64::EPSILON)
        .check(|case| {
            let s: Tensor<f64> = tensor_of(case.array("x"))?;
            let op = Softmax { axis: 0, temperature: 1.0 };
            let (p, saved) = op.forward([&s])?;
            let k = s.len();
            let mut rows = Vec::new();
            for i in 0..k {
                let mut dy = s.zeros_like();
                dy.set([i], 1.0)?;
                let [row] = op.vjp([&s], &saved, &dy, [true])?;
                rows.push(row.ok_or(Failure::Error("no gradient".into()))?);
            }
            let jacobian = Tensor::stack(&rows.iter().collect::<Vec<_>>(), 0)?;
            let outer = p.reshape([k, 1])?.mul(&p)?;
            let formula = Tensor::eye(k)?.mul(&p)?.sub(&outer)?;
            let symmetric = apart(&jacobian, &jacobian.transpose()?)?;
            let sums = jacobian.sum_axis(1)?.abs().max()?;
            let lowest = jacobian.to_matrix()?.symmetric_eigenvalues().min();
            Ok(apart(&jacobian, &formula)?.max_or_nan(symmetric).max_or_nan(sums).max_or_nan(-lowest))
        }),
        gradient_property(
            moderate(
                "log-softmax.gradient",
                &["log-softmax"],
                "the gradient along any axis, at any temperature",
            ),
            |case| {
                let op = LogSoftmax { axis: case.size("axis"), temperature: case.real("temperature") };
                Ok((op, [tensor_of(case.array("x"))?]))
            },
        ),
    ]
}

fn logarithm() -> Vec<Property> {
    let scores = |id, statement| {
        let mut property = scores(id, statement);
        property.formulas = &["log-softmax"];
        property
    };
    vec![
        scores("log-softmax.logarithm", "it is the logarithm of softmax, where that has digits")
            .within("rounding carried through the logarithm", 32.0 * f64::EPSILON)
            .check(|case| {
                let s = drawn(case)?.map(|v| v / 2.0);
                let (log_p, p) = (log_softmax(&s, 1)?, softmax(&s, 1)?);
                let off = log_p
                    .zip(&p, |l, p| if p > 1e-290 { (l - p.ln()).abs() / (1.0 + l.abs()) } else { 0.0 })?;
                Ok(off.max()?)
            }),
        scores("log-softmax.differences", "ln pᵢ − ln pⱼ = (sᵢ − sⱼ)/τ, however far apart the scores are")
            .draw(Draw::log("temperature", 0.1..=100.0).limited(1e-3..=1e6))
            .within("8 ulp of the largest difference", 8.0 * f64::EPSILON)
            .check(|case| {
                let s = drawn(case)?;
                let tau = case.real("temperature");
                let log_p = s.log_softmax_at(1, tau)?;
                let first = |t: &Tensor<f64>| t.sub(&t.slice(1, 0..1)?);
                let size = 1.0 + log_p.abs().max()?;
                Ok(apart(&first(&log_p)?, &first(&s)?.map(|v| v / tau))? / size)
            }),
        scores("log-softmax.normalised", "log-sum-exp of the result is 0, and no entry is above 0")
            .within("8 K·u", 96.0 * f64::EPSILON)
            .check(|case| {
                let log_p = log_softmax(&drawn(case)?, 1)?;
                let above = log_p.max()?.max_or_nan(0.0);
                Ok(log_p.log_sum_exp_axis(1)?.abs().max()?.max_or_nan(above))
            }),
        Property::new(
            "log-softmax.rows",
            &["log-softmax"],
            "a far score has a finite log-probability, in every row",
        )
        .holds(|_| {
            let s = Tensor::from([[0.0, 1000.0], [-5000.0, 0.0]]);
            Ok(log_softmax(&s, 1)? == Tensor::from([[-1000.0, 0.0], [-5000.0, 0.0]]))
        }),
    ]
}

fn linear() -> Vec<Property> {
    let model = |id, statement| {
        Property::new(id, &["softmax-linear-scores"], statement)
            .draw(Draw::size("n", 1..=4))
            .draw(Draw::size("d", 1..=4))
            .draw(Draw::size("k", 1..=5))
            .draw(Draw::array("x", -3.0..=3.0, &["n", "d"]).limited(-3.0..=3.0))
            .draw(Draw::array("theta", -3.0..=3.0, &["d", "k"]).limited(-3.0..=3.0))
    };
    let parts = |case: &Case<'_>| -> Result<(Tensor<f64>, Tensor<f64>)> {
        Ok((tensor_of(case.array("x"))?, tensor_of(case.array("theta"))?))
    };
    vec![
        model("softmax-linear-scores.redundant", "adding one vector to every θₖ changes nothing")
            .draw(Draw::array("v", -3.0..=3.0, &["d", "1"]))
            .within("rounding of the scores, |s| ≤ 72", 72.0 * 8.0 * f64::EPSILON)
            .check(move |case| {
                let (x, theta) = parts(case)?;
                let v: Tensor<f64> = tensor_of(case.array("v"))?;
                Ok(apart(&linear_softmax(&x, &theta.add(&v)?)?, &linear_softmax(&x, &theta)?)?)
            }),
        model("softmax-linear-scores.log-odds", "the log-odds of two classes are linear in x: x(θᵢ − θⱼ)")
            .within("rounding of the scores and their logarithms", 1e-12)
            .check(move |case| {
                let (x, theta) = parts(case)?;
                let log_p = linear_softmax(&x, &theta)?.ln();
                let odds = log_p.sub(&log_p.slice(1, 0..1)?)?;
                Ok(apart(&odds, &x.matmul(&theta.sub(&theta.slice(1, 0..1)?)?)?)?)
            }),
        model(
            "softmax-linear-scores.rows",
            "samples are rows: each row of the result is that sample's alone",
        )
        .within("rounding of the scores", 36.0 * 8.0 * f64::EPSILON)
        .check(move |case| {
            let (x, theta) = parts(case)?;
            let p = linear_softmax(&x, &theta)?;
            case.classify(x.dims()[0] != x.dims()[1], "not square");
            let mut off: f64 = 0.0;
            for i in 0..x.dims()[0] {
                // By hand, sample for sample and class for class.
                let score = |k: usize| -> Result<f64> {
                    (0..x.dims()[1]).try_fold(0.0, |s, d| Ok(s + x.get([i, d])? * theta.get([d, k])?))
                };
                let e = (0..theta.dims()[1]).map(|k| Ok(score(k)?.exp())).collect::<Result<Vec<f64>>>()?;
                let total: f64 = e.iter().sum();
                for (k, e) in e.iter().enumerate() {
                    off = off.max_or_nan((p.get([i, k])? - e / total).abs());
                }
            }
            Ok(off)
        }),
        composite_gradient_property(
            model("softmax-linear-scores.gradient", "the gradient in x and θ, through the product"),
            move |case| {
                let (x, theta) = parts(case)?;
                Ok((|v: &[Var<f64>]| v[0].matmul(&v[1])?.softmax(1), vec![x, theta]))
            },
        ),
        Property::refutation(
            "softmax-linear-scores.printed",
            &["softmax-linear-scores"],
            "with samples in rows, as least squares has them, XᵀΘ are the scores",
        )
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::size("k", 1..=3))
        .holds(|case| {
            let (x, theta) = (
                Tensor::<f64>::ones([case.size("n"), case.size("d")])?,
                Tensor::ones([case.size("d"), case.size("k")])?,
            );
            Ok(x.transpose()?.matmul(&theta).is_ok())
        }),
    ]
}
