//! Several classes: cross entropy with its weights, NLL, KL, hinge; and the notes' general case.

use super::{ROUNDING, drawn, gradient, relative, twice};
use crate::{
    CrossEntropy, Hinge, HingeForm, Kl, Nll, Reduction, SoftCrossEntropy, categorical_cross_entropy,
    cross_entropy, hinge, kl, log_likelihood, nll, soft_cross_entropy,
};
use gradus_activations::{log_softmax, softmax};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor};

pub(super) fn properties() -> Vec<Property> {
    let mut all = hard_labels();
    all.extend(options());
    all.extend(soft_labels());
    all.extend(divergences());
    all.extend(hinges());
    all
}

/// Scores of N samples in K classes, and a seed for their classes.
fn scored(
    id: &'static str,
    formula: &'static [&'static str],
    statement: &'static str,
    reach: f64,
) -> Property {
    Property::new(id, formula, statement)
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("k", 1..=6))
        .draw(Draw::array("s", -reach..=reach, &["n", "k"]).limited(-reach..=reach))
        .draw(Draw::seed("classes"))
}

fn parts(case: &mut Case<'_>) -> Result<(Tensor<f64>, Tensor<u32>)> {
    let s = drawn(case, "s")?;
    let (n, k) = (s.dims()[0] as u32, s.dims()[1] as u64);
    case.classify(k == 1, "one class");
    let seed = case.seed("classes");
    Ok((s, (0..n).map(|i| (seed.rotate_left(9 * i) % k) as u32).collect()))
}

fn one_hot(classes: &Tensor<u32>, k: usize) -> Result<Tensor<f64>> {
    Tensor::eye(k)?.gather(0, classes.as_slice())
}

/// A distribution for each sample, some entries 0.
fn distributions(case: &Case<'_>) -> Result<Tensor<f64>> {
    let raw = drawn(case, "t")?.map(|v| v.max(0.0));
    let raw = raw
        .add(&raw.zeros_like().map(|_| 1e-3))?
        .zip(&raw, |lifted, v| if v == 0.0 { 0.0 } else { lifted })?;
    let sums = raw.sum_axis(1)?.insert_axis(1)?;
    let k = raw.dims()[1] as f64;
    raw.zip(&sums, |v, s| if s == 0.0 { 1.0 / k } else { v / s })
}

fn targets(p: Property) -> Property {
    p.draw(Draw::array("t", -1.0..=2.0, &["n", "k"]))
}

fn hard_labels() -> Vec<Property> {
    vec![
        scored(
            "softmax-ce.definition",
            &["softmax-ce"],
            "it is −ln of the true class's softmax, where that has digits",
            20.0,
        )
        .within("rounding carried through the logarithm", 1e-12)
        .check(|case| {
            let (s, y) = parts(case)?;
            let p = softmax(&s, 1)?;
            let mut sum = 0.0;
            for (i, &y) in y.as_slice().iter().enumerate() {
                sum -= p.get([i, y as usize])?.ln();
            }
            Ok(relative(cross_entropy(&s, &y)?.item()?, sum / y.len() as f64))
        }),
        gradient_property(
            scored("softmax-ce.gradient", &["softmax-ce"], "the gradient in the scores", 5.0),
            |case| {
                let (s, y) = parts(case)?;
                Ok((CrossEntropy::new(&y), [s]))
            },
        ),
        scored(
            "softmax-ce.slope",
            &["softmax-ce"],
            "the gradient is (softmax − one-hot)/n, and each row of it sums to 0",
            500.0,
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let g = gradient(&CrossEntropy::new(&y), &s)?;
            let (n, k) = (s.dims()[0] as f64, s.dims()[1]);
            let expected = softmax(&s, 1)?.sub(&one_hot(&y, k)?)?.map(|v| v / n);
            Ok(g.max_difference(&expected)?.max_or_nan(g.sum_axis(1)?.abs().max()?))
        }),
        scored(
            "softmax-ce.shift",
            &["softmax-ce"],
            "one number added to all scores of a row changes nothing",
            500.0,
        )
        .draw(Draw::integer("shift", -100_000..=100_000))
        .check(|case| {
            let (s, y) = parts(case)?;
            let s = s.map(f64::trunc);
            let moved = s.map(|v| v + case.integer("shift") as f64);
            Ok((cross_entropy(&moved, &y)?.item()? - cross_entropy(&s, &y)?.item()?).abs())
        }),
        scored("softmax-ce.convex", &["softmax-ce"], "it is convex in the scores", 100.0)
            .draw(Draw::array("w", -100.0..=100.0, &["n", "k"]).limited(-100.0..=100.0))
            .draw(Draw::real("t", 0.0..=1.0).limited(0.0..=1.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, y), w, t) = (parts(case)?, drawn(case, "w")?, case.real("t"));
                let loss = |s: &Tensor<f64>| cross_entropy(s, &y)?.item();
                let chord = t * loss(&s)? + (1.0 - t) * loss(&w)?;
                Ok((loss(&s.scale(t).add(&w.scale(1.0 - t))?)? - chord).max(0.0) / (1.0 + chord))
            }),
        Property::new(
            "ce-never-saturates.positive",
            &["ce-never-saturates"],
            "loss and gradient stay above 0, whatever the margin",
        )
        .draw(Draw::size("k", 2..=6).limited(2.0..=64.0))
        .draw(Draw::real("margin", 0.0..=700.0).limited(0.0..=700.0))
        .draw(Draw::real("level", -1e3..=1e3))
        .within("4 ulp of (K − 1)e^−margin", 4.0)
        .check(|case| {
            let (k, margin, level) =
                (case.size("k"), case.real("margin").trunc(), case.real("level").trunc());
            case.classify(margin > 37.0, "lse − s would be 0");
            let s = Tensor::from_fn([1, k], |i| if i[1] == 0 { level + margin } else { level })?;
            let y = Tensor::from([0u32]);
            let (loss, g) = (cross_entropy(&s, &y)?.item()?, gradient(&CrossEntropy::new(&y), &s)?);
            let others = (k - 1) as f64 * (-margin).exp();
            let off = (loss - others.ln_1p()).abs() / (f64::EPSILON * others.ln_1p());
            Ok(if loss > 0.0 && g.as_slice().iter().all(|&g| g != 0.0) { off } else { f64::INFINITY })
        }),
    ]
}

fn options() -> Vec<Property> {
    vec![
        scored(
            "softmax-ce.ignored",
            &["softmax-ce"],
            "an ignored sample is an absent one, in loss and gradient, NaN and all",
            50.0,
        )
        .draw(Draw::integer("kept", 0..=31).limited(0.0..=31.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let kept: Vec<u32> = (0..y.len() as u32).filter(|i| case.size("kept") >> i & 1 == 1).collect();
            case.classify(kept.is_empty(), "all ignored");
            let (mut spoilt, mut marked) = (s.clone(), y.clone());
            for i in (0..y.len()).filter(|i| !kept.contains(&(*i as u32))) {
                marked.set([i], 77)?;
                spoilt.set([i, 0], f64::NAN)?;
            }
            let op = CrossEntropy::new(&marked).ignore(77);
            let (loss, g) = (op.eval([&spoilt])?.item()?, gradient(&op, &spoilt)?);
            let left = CrossEntropy::new(&y.gather(0, &kept)?);
            let alone = s.gather(0, &kept)?;
            let rest = g.gather(0, &kept)?.max_difference(&gradient(&left, &alone)?)?;
            let elsewhere = g.abs().sum() - g.gather(0, &kept)?.abs().sum();
            Ok(relative(loss, left.eval([&alone])?.item()?).max_or_nan(rest).max_or_nan(elsewhere.abs()))
        }),
        scored(
            "softmax-ce.sample-weights",
            &["softmax-ce"],
            "a weight of k is the sample k times, 0 its absence",
            50.0,
        )
        .draw(Draw::array("w", 0.0..=3.4, &["n"]).limited(0.0..=8.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let w: Vec<f64> = case.array("w").data.iter().map(|w| w.round()).collect();
            let repeated: Vec<u32> =
                (0..y.len()).flat_map(|i| std::iter::repeat_n(i as u32, w[i] as usize)).collect();
            let weighted = CrossEntropy::new(&y).sample_weights(&w).eval([&s])?.item()?;
            Ok(relative(weighted, cross_entropy(&s.gather(0, &repeated)?, &y.gather(0, &repeated)?)?.item()?))
        }),
        scored(
            "softmax-ce.class-weights",
            &["softmax-ce"],
            "class weights are the weights of the samples that have the class",
            50.0,
        )
        .draw(Draw::array("c", 0.0..=3.0, &["k"]).limited(0.0..=1e3))
        .draw(Draw::real("smoothing", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let (c, alpha) = (&case.array("c").data, case.real("smoothing"));
            let by_sample: Vec<f64> = y.as_slice().iter().map(|&y| c[y as usize]).collect();
            let op = || CrossEntropy::new(&y).label_smoothing(alpha);
            let by_class = op().class_weights(c).eval([&s])?.item()?;
            Ok(relative(by_class, op().sample_weights(&by_sample).eval([&s])?.item()?))
        }),
        scored(
            "softmax-ce.both-weights",
            &["softmax-ce"],
            "a sample's weight and its class's multiply, in the sum and in what the mean divides by",
            50.0,
        )
        .draw(Draw::array("w", 0.0..=3.0, &["n"]).limited(0.0..=8.0))
        .draw(Draw::array("c", 0.0..=3.0, &["k"]).limited(0.0..=1e3))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let (w, c) = (&case.array("w").data, &case.array("c").data);
            let product: Vec<f64> = w.iter().zip(y.as_slice()).map(|(w, &y)| w * c[y as usize]).collect();
            let mut off: f64 = 0.0;
            for reduction in [Reduction::Mean, Reduction::Sum] {
                let op = || CrossEntropy::new(&y).reduction(reduction);
                let both = op().sample_weights(w).class_weights(c).eval([&s])?.item()?;
                off = off.max_or_nan(relative(both, op().sample_weights(&product).eval([&s])?.item()?));
            }
            Ok(off)
        }),
        gradient_property(
            scored(
                "softmax-ce.options-gradient",
                &["softmax-ce"],
                "the gradient with weights, smoothing and every reduction",
                5.0,
            )
            .draw(Draw::array("w", 0.0..=3.0, &["n"]).limited(0.0..=8.0))
            .draw(Draw::array("c", 0.1..=3.0, &["k"]).limited(0.01..=1e3))
            .draw(Draw::real("smoothing", 0.0..=1.0).limited(0.0..=1.0))
            .draw(Draw::choice("reduction", &["mean", "sum", "none"])),
            |case| {
                let (s, y) = parts(case)?;
                let reduction = match case.choice("reduction") {
                    "sum" => Reduction::Sum,
                    "none" => Reduction::None,
                    _ => Reduction::Mean,
                };
                let op = CrossEntropy::new(&y)
                    .sample_weights(&case.array("w").data)
                    .class_weights(&case.array("c").data)
                    .label_smoothing(case.real("smoothing"))
                    .reduction(reduction);
                Ok((op, [s]))
            },
        ),
        scored(
            "ce-loss.smoothing",
            &["ce-loss", "softmax-ce"],
            "label smoothing mixes the target with 1/K",
            50.0,
        )
        .draw(Draw::real("smoothing", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let (alpha, k) = (case.real("smoothing"), s.dims()[1]);
            let mixed = one_hot(&y, k)?.map(|t| (1.0 - alpha) * t + alpha / k as f64);
            let op = CrossEntropy::new(&y).label_smoothing(alpha);
            let slopes = {
                let (_, log_p) = SoftCrossEntropy { reduction: Reduction::Mean }.forward([&s, &mixed])?;
                let soft = SoftCrossEntropy { reduction: Reduction::Mean };
                let [g, _] = soft.vjp([&s, &mixed], &log_p, &Tensor::scalar(1.0), [true, false])?;
                g.ok_or(Failure::Error("no gradient".into()))?.max_difference(&gradient(&op, &s)?)?
            };
            Ok(relative(op.eval([&s])?.item()?, soft_cross_entropy(&s, &mixed)?.item()?).max_or_nan(slopes))
        }),
    ]
}

fn soft_labels() -> Vec<Property> {
    let soft = |id, statement, reach| targets(scored(id, &["ce-loss"], statement, reach));
    vec![
        soft("ce-loss.gibbs", "it is at least the target's entropy, which it is for ŷ = y", 50.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, _), t) = (parts(case)?, distributions(case)?);
                case.classify(t.as_slice().contains(&0.0), "a target of 0");
                let entropy = categorical_cross_entropy(&t, &t)?;
                // At the logarithms of the target, −∞ among them, the two are equal.
                let equal = relative(soft_cross_entropy(&t.ln(), &t)?.item()?, entropy);
                Ok((entropy - soft_cross_entropy(&s, &t)?.item()?).max(0.0).max_or_nan(equal))
            }),
        soft("ce-loss.permutation", "permuted classes have the same loss", 50.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, _), t) = (parts(case)?, distributions(case)?);
                let k = s.dims()[1] as u32;
                let turned: Vec<u32> = (0..k).map(|i| (i + 1) % k).collect();
                let moved = soft_cross_entropy(&s.gather(1, &turned)?, &t.gather(1, &turned)?)?.item()?;
                Ok(relative(moved, soft_cross_entropy(&s, &t)?.item()?))
            }),
        soft("ce-loss.duplication", "the batch twice has the same mean and twice the sum", 50.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, _), t) = (parts(case)?, distributions(case)?);
                let loss = |reduction, s: &Tensor<f64>, t: &Tensor<f64>| {
                    SoftCrossEntropy { reduction }.eval([s, t])?.item()
                };
                let (ss, tt) = (twice(&s)?, twice(&t)?);
                let mean = relative(loss(Reduction::Mean, &ss, &tt)?, loss(Reduction::Mean, &s, &t)?);
                Ok(mean + relative(loss(Reduction::Sum, &ss, &tt)?, 2.0 * loss(Reduction::Sum, &s, &t)?))
            }),
        gradient_property(soft("ce-loss.gradient", "the gradients in scores and target", 5.0), |case| {
            let (s, _) = parts(case)?;
            // Away from 0, where a target below would be refused.
            let t = distributions(case)?.map(|t| t + 0.1);
            Ok((SoftCrossEntropy { reduction: Reduction::Mean }, [s, t]))
        }),
        scored(
            "ce-loss.one-hot",
            &["ce-loss", "bce-general-case", "softmax-ce"],
            "with one-hot targets it is the loss of the classes",
            30.0,
        )
        .within("rounding carried through the logarithm", 1e-10)
        .check(|case| {
            let (s, y) = parts(case)?;
            let t = one_hot(&y, s.dims()[1])?;
            let hard = cross_entropy(&s, &y)?.item()?;
            let printed = categorical_cross_entropy(&softmax(&s, 1)?, &t)?;
            Ok(relative(soft_cross_entropy(&s, &t)?.item()?, hard).max_or_nan(relative(printed, hard)))
        }),
        Property::new("bce-general-case.two-classes", &["bce-general-case"], "for two classes it is the BCE")
            .draw(Draw::real("p", 0.001..=0.999).limited(1e-6..=0.999999))
            .draw(Draw::real("y", 0.0..=1.0).limited(0.0..=1.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (p, y) = (case.real("p"), case.real("y"));
                let loss =
                    categorical_cross_entropy(&Tensor::from([[1.0 - p, p]]), &Tensor::from([[1.0 - y, y]]))?;
                Ok(relative(loss, -log_likelihood(p, y)))
            }),
        Property::new(
            "bce-general-case.duplication",
            &["bce-general-case"],
            "the batch twice has the loss of the batch",
        )
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("k", 1..=4))
        .draw(Draw::array("s", -5.0..=5.0, &["n", "k"]).limited(-50.0..=50.0))
        .draw(Draw::array("t", -1.0..=2.0, &["n", "k"]))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, t) = (softmax(&drawn(case, "s")?, 1)?, distributions(case)?);
            Ok(relative(
                categorical_cross_entropy(&twice(&p)?, &twice(&t)?)?,
                categorical_cross_entropy(&p, &t)?,
            ))
        }),
        Property::new(
            "bce-general-case.absent",
            &["bce-general-case"],
            "a class that is in no target counts for nothing, whatever its probability, and be it 0; one that is, and has 0, for ∞",
        )
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("k", 1..=4))
        .draw(Draw::array("s", -5.0..=5.0, &["n", "k"]).limited(-50.0..=50.0))
        .draw(Draw::array("t", -1.0..=2.0, &["n", "k"]))
        .draw(Draw::real("absent", 0.0..=1.0).limited(0.0..=1.0))
        .within("rounding", ROUNDING)
        .check(|case| {
            let (p, t) = (softmax(&drawn(case, "s")?, 1)?, distributions(case)?);
            // Without the mass that stands where the target has none: 0·ln 0 among the drawn classes too.
            let p = p.zip(&t, |p, t| if t == 0.0 { 0.0 } else { p })?;
            let loss = categorical_cross_entropy(&p, &t)?;
            let zeros = Tensor::zeros([p.dims()[0], 1])?;
            let (with, more) = (zeros.map(|_| case.real("absent")), zeros.map(|_| 1.0));
            let longer = categorical_cross_entropy(
                &Tensor::concatenate(&[&p, &zeros, &with], 1)?,
                &Tensor::concatenate(&[&t, &zeros, &zeros], 1)?,
            )?;
            let missed = categorical_cross_entropy(
                &Tensor::concatenate(&[&p, &zeros], 1)?,
                &Tensor::concatenate(&[&t, &more], 1)?,
            )?;
            Ok(if missed == f64::INFINITY && loss.is_finite() { relative(longer, loss) } else { f64::INFINITY })
        }),
        Property::refutation(
            "bce-general-case.printed",
            &["bce-general-case"],
            "ΣⱼΣᵢ yᵢⱼ ln ŷᵢⱼ, as printed, is a loss: never below 0",
        )
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("k", 1..=4))
        .draw(Draw::array("s", -5.0..=5.0, &["n", "k"]).limited(-50.0..=50.0))
        .draw(Draw::seed("classes"))
        .holds(|case| {
            let (s, y) = parts(case)?;
            let t = one_hot(&y, s.dims()[1])?;
            Ok(-categorical_cross_entropy(&softmax(&s, 1)?, &t)? * y.len() as f64 >= 0.0)
        }),
    ]
}

fn divergences() -> Vec<Property> {
    let divergence = |id, statement| targets(scored(id, &["kl-loss"], statement, 20.0));
    vec![
        divergence("kl-loss.not-negative", "it is at least 0, and 0 for equal distributions")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, _), t) = (parts(case)?, distributions(case)?);
                let equal = kl(&t.ln(), &t)?.item()?;
                Ok((-kl(&log_softmax(&s, 1)?, &t)?.item()?).max(0.0).max_or_nan(equal.abs()))
            }),
        divergence("kl-loss.cross-entropy", "it is the cross entropy less the target's entropy")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ((s, _), t) = (parts(case)?, distributions(case)?);
                let entropy = categorical_cross_entropy(&t, &t)?;
                Ok(relative(
                    kl(&log_softmax(&s, 1)?, &t)?.item()?,
                    soft_cross_entropy(&s, &t)?.item()? - entropy,
                ))
            }),
        gradient_property(divergence("kl-loss.gradient", "the gradients in ln q and p"), |case| {
            let (s, _) = parts(case)?;
            Ok((
                Kl { reduction: Reduction::Mean },
                [log_softmax(&s, 1)?, distributions(case)?.map(|t| t + 0.2)],
            ))
        }),
        scored(
            "nll-loss.cross-entropy",
            &["nll-loss", "softmax-ce"],
            "after log-softmax it is the cross entropy",
            300.0,
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            Ok(relative(nll(&log_softmax(&s, 1)?, &y)?.item()?, cross_entropy(&s, &y)?.item()?))
        }),
        scored("nll-loss.duplication", &["nll-loss"], "the batch twice has the loss of the batch", 100.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let (s, y) = parts(case)?;
                let yy = Tensor::concatenate(&[&y, &y], 0)?;
                Ok(relative(nll(&twice(&s)?, &yy)?.item()?, nll(&s, &y)?.item()?))
            }),
        gradient_property(scored("nll-loss.gradient", &["nll-loss"], "the gradient", 5.0), |case| {
            let (s, y) = parts(case)?;
            Ok((Nll { classes: y.into_vec(), reduction: Reduction::Mean }, [s]))
        }),
    ]
}

fn hinges() -> Vec<Property> {
    let margins = |p: Property| p.draw(Draw::real("margin", 0.0..=3.0).limited(0.0..=1e3));
    let build = |case: &Case<'_>, y: &Tensor<u32>| Hinge {
        form: if case.choice("form") == "sum" { HingeForm::WestonWatkins } else { HingeForm::CrammerSinger },
        squared: case.choice("power") == "squared",
        margin: case.real("margin"),
        ..Hinge::new(y)
    };
    let varied = move |p: Property| {
        margins(p)
            .draw(Draw::choice("form", &["sum", "largest"]))
            .draw(Draw::choice("power", &["plain", "squared"]))
    };
    vec![
        scored(
            "hinge.definition",
            &["hinge"],
            "the sum over the other classes of what they lack of a lag of 1",
            10.0,
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (s, y) = parts(case)?;
            let mut sum = 0.0;
            for (i, &y) in y.as_slice().iter().enumerate() {
                for k in (0..s.dims()[1]).filter(|&k| k != y as usize) {
                    sum += (s.get([i, k])? - s.get([i, y as usize])? + 1.0).max(0.0);
                }
            }
            Ok(relative(hinge(&s, &y)?.item()?, sum / y.len() as f64))
        }),
        scored(
            "hinge.zero-one",
            &["hinge"],
            "it is at least the share of wrong guesses, in either form",
            10.0,
        )
        .holds(|case| {
            let (s, y) = parts(case)?;
            let guess = s.argmax_axis(1)?;
            let wrong = guess.as_slice().iter().zip(y.as_slice()).filter(|(g, y)| g != y).count() as f64
                / y.len() as f64;
            let loss = |form| Hinge { form, ..Hinge::new(&y) }.eval([&s])?.item();
            let (sum, largest) = (loss(HingeForm::WestonWatkins)?, loss(HingeForm::CrammerSinger)?);
            Ok(largest >= wrong * (1.0 - 1e-12) && sum >= largest * (1.0 - 1e-12))
        }),
        varied(scored(
            "hinge.shift",
            &["hinge"],
            "one number added to all scores of a row changes nothing; the slopes sum to 0",
            10.0,
        ))
        .draw(Draw::integer("shift", -1000..=1000))
        .within("rounding", 16.0 * ROUNDING)
        .check(move |case| {
            let (s, y) = parts(case)?;
            let s = s.map(f64::trunc);
            let op = build(case, &y);
            let moved = s.map(|v| v + case.integer("shift") as f64);
            let slopes = gradient(&op, &s)?.sum_axis(1)?.abs().max()?;
            Ok(relative(op.eval([&moved])?.item()?, op.eval([&s])?.item()?).max_or_nan(slopes))
        }),
        scored("hinge.two-classes", &["hinge"], "for two classes the two forms are one", 10.0)
            .within("rounding", ROUNDING)
            .check(|case| {
                let (s, y) = parts(case)?;
                let wide = Tensor::concatenate(&[&s, &s], 1)?.slice(1, 0..2)?;
                let y = y.map(|y| y % 2);
                let loss = |form| Hinge { form, ..Hinge::new(&y) }.eval([&wide])?.item();
                Ok(relative(loss(HingeForm::WestonWatkins)?, loss(HingeForm::CrammerSinger)?))
            }),
        gradient_property(
            varied(scored(
                "hinge.gradient",
                &["hinge"],
                "the gradient of every form, away from the kinks",
                10.0,
            )),
            move |case| {
                let (mut s, y) = parts(case)?;
                // Scores on multiples of 1 with an offset a class: no two are within 0.02, nor a margin apart to within that.
                let margin = case.real("margin");
                let k = s.dims()[1];
                for (at, v) in s.as_slice().to_vec().into_iter().enumerate() {
                    s.as_mut_slice()[at] = v.trunc() + 0.07 * (at % k) as f64;
                }
                let grid = Hinge { margin: (margin * 10.0).trunc() / 10.0 + 0.035, ..build(case, &y) };
                Ok((grid, [s]))
            },
        ),
        varied(scored(
            "hinge-saturates.zero",
            &["hinge-saturates", "hinge"],
            "with every margin met, loss and slopes are exactly 0, and stay so",
            10.0,
        ))
        .draw(Draw::real("more", 0.0..=100.0).limited(0.0..=1e9))
        .check(move |case| {
            let (mut s, y) = parts(case)?;
            let op = build(case, &y);
            let lead = 20.0 + op.margin + case.real("more");
            for (i, &y) in y.as_slice().iter().enumerate() {
                s.set([i, y as usize], lead)?;
            }
            Ok(op.eval([&s])?.item()? + gradient(&op, &s)?.abs().max()?)
        }),
    ]
}
