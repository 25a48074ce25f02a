//! The properties of this crate: orders, means, hits, stops.

use crate::{Batches, EarlyStopping, EpochMean, Split, accuracy, confusion, correct, evaluate};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor, tensor_of};

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[orders, means, hits, stops];

/// Every property and refutation of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// Classes by a drawn seed, uneven: class k about half as often as class k − 1.
fn classes(case: &Case<'_>, n: usize) -> Tensor<u32> {
    let (seed, k) = (case.seed("classes"), case.size("k") as u32);
    (0..n as u64)
        .map(|i| {
            let word = (seed ^ i)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(31)
                .wrapping_mul(0xd6e8_feb8_6659_fd93);
            (word | 1 << 40).leading_zeros().min(k - 1)
        })
        .collect()
}

/// Batches of n samples, in one of three orders, the last one dropped or not.
fn batched(id: &'static str, statement: &'static str, most: i64) -> Property {
    Property::new(id, &["epoch-permutation"], statement)
        .draw(Draw::size("n", 1..=most))
        .draw(Draw::size("b", 1..=most + 10))
        .draw(Draw::choice("order", &["sequential", "shuffled", "stratified"]))
        .draw(Draw::size("k", 1..=5))
        .draw(Draw::seed("classes"))
        .draw(Draw::seed("seed"))
        .draw(Draw::size("epoch", 0..=1000))
}

fn batches(case: &mut Case<'_>) -> Result<Batches, Failure> {
    let (n, b) = (case.size("n"), case.size("b"));
    case.classify(b > n, "one batch, not full");
    case.classify(n % b == 0, "every batch full");
    let batches = Batches::new(n, b)?;
    Ok(match case.choice("order") {
        "shuffled" => batches.shuffled(),
        "stratified" => batches.stratified(&classes(case, n))?,
        _ => batches,
    })
}

fn orders() -> Vec<Property> {
    vec![
        batched("epoch-permutation.once", "every sample is in exactly one batch of an epoch", 60).holds(
            |case| {
                let batches = batches(case)?;
                let epoch = batches.epoch(case.seed("seed"), case.size("epoch") as u64);
                let mut seen: Vec<u32> = epoch.iter().flatten().copied().collect();
                seen.sort_unstable();
                Ok(seen.iter().copied().eq(0..case.size("n") as u32))
            },
        ),
        batched(
            "epoch-permutation.sizes",
            "every batch is full but the last, and there are as many as was said",
            60,
        )
        .draw(Draw::choice("last", &["kept", "dropped"]))
        .holds(|case| {
            let (n, b) = (case.size("n"), case.size("b"));
            let dropped = case.choice("last") == "dropped";
            let batches = batches(case)?;
            let batches = if dropped { batches.drop_last() } else { batches };
            let epoch = batches.epoch(case.seed("seed"), case.size("epoch") as u64);
            let mut sizes: Vec<usize> = epoch.iter().map(<[u32]>::len).collect();
            let distinct: std::collections::BTreeSet<_> = epoch.order().iter().collect();
            let counted = sizes.len() == batches.len() && distinct.len() == epoch.order().len();
            let last = if dropped || n % b == 0 { None } else { sizes.pop() };
            Ok(counted
                && sizes.len() == n / b
                && sizes.iter().all(|&size| size == b)
                && last.is_none_or(|last| last == n % b))
        }),
        batched(
            "epoch-permutation.alone",
            "an epoch's order follows from seed and number alone, and is another for others",
            60,
        )
        .holds(|case| {
            let batches = batches(case)?;
            let (seed, e) = (case.seed("seed"), case.size("epoch") as u64);
            let order = batches.epoch(seed, e);
            let _ = batches.epoch(seed, e + 7);
            let again = batches.epoch(seed, e) == order;
            // Of 21! orders and more no two seeds have the same by chance.
            let others = [batches.epoch(seed, e + 1), batches.epoch(seed ^ 1, e)];
            let sequential = case.choice("order") == "sequential";
            let differs = others.iter().all(|other| other != &order) != sequential;
            Ok(again && (differs || (!sequential && case.size("n") <= 20)))
        }),
        batched(
            "epoch-permutation.even",
            "stratified: each batch has each class's share, to two samples and 2K shares",
            600,
        )
        .within("samples beyond the bound", 0.0)
        .check(|case| {
            let (n, k) = (case.size("n"), case.size("k"));
            let classes = classes(case, n);
            let batches = Batches::new(n, case.size("b"))?.stratified(&classes)?;
            let mut beyond = 0.0f64;
            for batch in batches.epoch(case.seed("seed"), case.size("epoch") as u64).iter() {
                for class in 0..k as u32 {
                    let of = |numbers: &mut dyn Iterator<Item = u32>| {
                        numbers.filter(|&i| classes.as_slice()[i as usize] == class).count() as f64
                    };
                    let share = of(&mut (0..n as u32)) / n as f64;
                    let off = (of(&mut batch.iter().copied()) - share * batch.len() as f64).abs();
                    beyond = beyond.max(off - 2.0 - 2.0 * k as f64 * share);
                }
            }
            Ok(beyond)
        }),
        Property::new(
            "epoch-permutation.split",
            &["epoch-permutation"],
            "a split has every sample in one part, of the asked size",
        )
        .draw(Draw::size("n", 3..=300))
        .draw(Draw::size("k", 1..=5))
        .draw(Draw::seed("classes"))
        .draw(Draw::seed("seed"))
        .draw(Draw::real("validation", 0.0..=0.45))
        .draw(Draw::real("test", 0.0..=0.45))
        .draw(Draw::choice("by", &["chance", "class"]))
        .holds(|case| {
            let n = case.size("n");
            let [v, t] = ["validation", "test"].map(|name| (case.real(name) * n as f64).round() as usize);
            // A share too small for one sample is refused; the nearest that is not is 0.
            let [validation, test] = ["validation", "test"].map(|name| {
                let share = case.real(name);
                if (share * n as f64).round() < 1.0 { 0.0 } else { share }
            });
            if v + t >= n {
                return Ok(Split::new(n, validation, test, 0).is_err());
            }
            let classes = classes(case, n);
            let parts = match case.choice("by") {
                "class" => Split::stratified(&classes, validation, test, case.seed("seed"))?,
                _ => Split::new(n, validation, test, case.seed("seed"))?,
            };
            let mut all = [parts.train.clone(), parts.validation.clone(), parts.test.clone()].concat();
            all.sort_unstable();
            let whole = all.into_iter().eq(0..n as u32);
            let share = |part: &[u32], k| {
                part.iter().filter(|&&i| classes.as_slice()[i as usize] == k).count() as f64
            };
            let even = (0..case.size("k") as u32).all(|k| {
                let of_all = (0..n).filter(|&i| classes.as_slice()[i] == k).count() as f64 / n as f64;
                [&parts.train, &parts.validation, &parts.test].iter().all(|part| {
                    (share(part, k) - of_all * part.len() as f64).abs()
                        <= 2.0 + 2.0 * case.size("k") as f64 * of_all
                })
            });
            let sizes = parts.validation.len() == v && parts.test.len() == t;
            Ok(whole && sizes && (even || case.choice("by") == "chance"))
        }),
    ]
}

/// Losses of n samples, in batches of b.
fn losses(p: Property) -> Property {
    p.draw(Draw::size("n", 1..=40)).draw(Draw::size("b", 1..=45)).draw(Draw::array(
        "losses",
        0.0..=10.0,
        &["n"],
    ))
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn of_batches(losses: &[f64], b: usize) -> EpochMean {
    let mut total = EpochMean::default();
    losses.chunks(b).for_each(|batch| total.add(mean(batch), batch.len(), Some(batch.len() / 2)));
    total
}

/// Rounding of a mean of forty numbers up to ten, summed in two ways.
const MEAN: (&str, f64) = ("rounding of a mean of forty numbers", 1e-13);

fn means() -> Vec<Property> {
    vec![
        losses(Property::new(
            "epoch-loss.samples",
            &["epoch-loss"],
            "it is the mean over all samples, however they are cut",
        ))
        .within(MEAN.0, MEAN.1)
        .check(|case| {
            let (all, b) = (tensor_of(case.array("losses"))?, case.size("b"));
            case.classify(all.len() % b != 0, "a smaller last batch");
            Ok((of_batches(all.as_slice(), b).loss() - mean(all.as_slice())).abs())
        }),
        losses(Property::new(
            "epoch-loss.evaluate",
            &["epoch-loss", "accuracy"],
            "a model's score does not depend on the size of a batch",
        ))
        .within(MEAN.0, MEAN.1)
        .check(|case| {
            let (all, b) = (tensor_of(case.array("losses"))?, case.size("b"));
            let judge = |numbers: &[u32]| {
                let of: Vec<f64> = numbers.iter().map(|&i| all.as_slice()[i as usize]).collect();
                Ok((mean(&of), Some(of.iter().filter(|&&loss| loss < 1.0).count())))
            };
            let (cut, whole) = (evaluate(all.len(), b, judge)?, evaluate(all.len(), all.len(), judge)?);
            if cut.accuracy != whole.accuracy {
                return Ok(f64::INFINITY);
            }
            Ok((cut.loss - whole.loss).abs())
        }),
        losses(Property::new(
            "epoch-loss.shift",
            &["epoch-loss"],
            "a loss that is higher by c for every sample is higher by c",
        ))
        .draw(Draw::real("c", -5.0..=5.0))
        .within(MEAN.0, MEAN.1)
        .check(|case| {
            let (all, b, c) = (tensor_of(case.array("losses"))?, case.size("b"), case.real("c"));
            let shifted = all.map(|x| x + c);
            Ok((of_batches(shifted.as_slice(), b).loss() - of_batches(all.as_slice(), b).loss() - c).abs())
        }),
        losses(Property::new(
            "epoch-loss.count",
            &["epoch-loss", "accuracy"],
            "samples and hits are those of all batches; one that does not tell hides the hits",
        ))
        .holds(|case| {
            let (n, b) = (case.size("n"), case.size("b"));
            let all = tensor_of(case.array("losses"))?;
            let mut total = of_batches(all.as_slice(), b);
            let hits: usize = all.as_slice().chunks(b).map(|batch| batch.len() / 2).sum();
            let counted = total.samples() == n as u64 && total.accuracy() == Some(hits as f64 / n as f64);
            total.add(1.0, 1, None);
            Ok(counted && total.accuracy().is_none() && EpochMean::default().loss().is_nan())
        }),
        losses(Property::refutation(
            "epoch-loss.mean-of-means",
            &["epoch-loss"],
            "it is the mean of the batches' means",
        ))
        .within(MEAN.0, MEAN.1)
        .check(|case| {
            let (all, b) = (tensor_of(case.array("losses"))?, case.size("b"));
            let means: Vec<f64> = all.as_slice().chunks(b).map(mean).collect();
            Ok((mean(&means) - mean(all.as_slice())).abs())
        }),
    ]
}

/// Scores of n samples in k classes on a coarse grid, so that some are equal.
fn scored(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["accuracy"], statement)
        .draw(Draw::size("n", 1..=12))
        .draw(Draw::size("k", 1..=5))
        .draw(Draw::array("s", -3.0..=3.0, &["n", "k"]))
        .draw(Draw::seed("classes"))
}

/// Scores rounded to whole numbers: a third of the rows has a tie.
fn scores(case: &Case<'_>) -> Result<Tensor<f64>> {
    Ok(tensor_of(case.array("s"))?.map(f64::round))
}

fn hits() -> Vec<Property> {
    vec![
        scored(
            "accuracy.definition",
            "the share of rows whose class beats those before it and is not beaten behind",
        )
        .holds(|case| {
            let (s, y) = (scores(case)?, classes(case, case.size("n")));
            let mut hits = 0;
            for (row, &y) in s.as_slice().chunks(case.size("k")).zip(y.as_slice()) {
                let y = y as usize;
                let best = row[..y].iter().all(|&v| v < row[y]) && row[y..].iter().all(|&v| v <= row[y]);
                hits += usize::from(best);
                case.classify(row.iter().enumerate().any(|(i, v)| row[..i].contains(v)), "a tie");
            }
            Ok(accuracy(&s, &y)? == hits as f64 / y.len() as f64)
        }),
        scored("accuracy.parts", "the hits of two parts are those of the whole")
            .draw(Draw::size("m", 0..=12))
            .holds(|case| {
                let (s, y, n) = (scores(case)?, classes(case, case.size("n")), case.size("n"));
                let m = case.size("m").min(n);
                let part =
                    |range: std::ops::Range<usize>| correct(&s.slice(0, range.clone())?, &y.slice(0, range)?);
                Ok(part(0..m)? + part(m..n)? == correct(&s, &y)?)
            }),
        scored("accuracy.scale", "it is the same for scores that are doubled and shifted, row by row").holds(
            |case| {
                let (s, y) = (scores(case)?, classes(case, case.size("n")));
                let k = case.size("k");
                let moved =
                    Tensor::from_fn(s.shape(), |at| 2.0 * s.as_slice()[at[0] * k + at[1]] + at[0] as f64)?;
                Ok(accuracy(&moved, &y)? == accuracy(&s, &y)?)
            },
        ),
        scored(
            "accuracy.order",
            "it does not depend on the order of the samples, and the trace of the confusion is n times it",
        )
        .holds(|case| {
            let (s, y, n) = (scores(case)?, classes(case, case.size("n")), case.size("n") as u32);
            let turned: Vec<u32> = (0..n).rev().collect();
            let same = correct(&s.gather(0, &turned)?, &y.gather(0, &turned)?)? == correct(&s, &y)?;
            let counts = confusion(&s, &y)?;
            let k = case.size("k");
            let trace: u32 = (0..k).map(|i| counts.as_slice()[i * (k + 1)]).sum();
            let all: u32 = counts.as_slice().iter().sum();
            Ok(same && trace as usize == correct(&s, &y)? && all == n)
        }),
        scored("accuracy.nan", "a row with a NaN is wrong, whatever its class")
            .draw(Draw::size("at", 0..=59))
            .holds(|case| {
                let (mut s, y) = (scores(case)?, classes(case, case.size("n")));
                let at = case.size("at") % s.len();
                let row = at / case.size("k");
                s.as_mut_slice()[at] = f64::NAN;
                let without: Vec<u32> = (0..case.size("n") as u32).filter(|&i| i as usize != row).collect();
                Ok(correct(&s, &y)? == correct(&s.gather(0, &without)?, &y.gather(0, &without)?)?)
            }),
    ]
}

/// Losses of some epochs on a coarse grid, with a rule.
fn run_of(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["early-stopping"], statement)
        .draw(Draw::size("n", 1..=20))
        .draw(Draw::array("losses", -8.0..=8.0, &["n"]))
        .draw(Draw::size("patience", 1..=6))
        .draw(Draw::size("delta", 0..=4))
}

/// Whole losses and a whole δ/4: every comparison is exact.
fn rule(case: &Case<'_>) -> Result<(EarlyStopping, Vec<f64>), Failure> {
    let rule = EarlyStopping::new(case.size("patience"))?.min_delta(case.size("delta") as f64 / 4.0)?;
    Ok((rule, tensor_of(case.array("losses"))?.map(f64::round).into_vec()))
}

fn stops() -> Vec<Property> {
    vec![
        run_of("early-stopping.definition", "it stops after the first epoch whose best is p epochs ago")
            .holds(|case| {
                let (rule, losses) = rule(case)?;
                let (patience, delta) = (case.size("patience"), case.size("delta") as f64 / 4.0);
                // From the definition: the records one after the other, then the first that is too long ago.
                let mut records = vec![0usize];
                for (j, loss) in losses.iter().enumerate().skip(1) {
                    if *loss < losses[records[records.len() - 1]] - delta {
                        records.push(j);
                    }
                }
                let best_at = |e: usize| records.iter().copied().filter(|&r| r <= e).max().unwrap_or(0);
                let expected = (0..losses.len()).find(|&e| e - best_at(e) >= patience);
                case.classify(expected.is_some(), "stops");
                Ok(rule.stops_after(&losses) == expected && rule.best(&losses) == records.last().copied())
            }),
        run_of("early-stopping.causal", "later losses do not change when it stops").holds(|case| {
            let (rule, losses) = rule(case)?;
            let stops = rule.stops_after(&losses);
            Ok((0..=losses.len())
                .all(|seen| rule.stops_after(&losses[..seen]) == stops.filter(|&e| e < seen)))
        }),
        run_of("early-stopping.shift", "losses that are all higher by 1 stop at the same epoch").holds(
            |case| {
                let (rule, losses) = rule(case)?;
                let higher: Vec<f64> = losses.iter().map(|x| x + 1.0).collect();
                Ok(rule.stops_after(&higher) == rule.stops_after(&losses))
            },
        ),
        run_of(
            "early-stopping.patience",
            "more patience never stops earlier, and a falling loss never stops",
        )
        .holds(|case| {
            let (rule, losses) = rule(case)?;
            let (patience, delta) = (case.size("patience"), case.size("delta") as f64 / 4.0);
            let patient = EarlyStopping::new(patience + 1)?.min_delta(delta)?;
            let falling: Vec<f64> = (0..losses.len()).map(|e| -(e as f64) * (delta + 0.5)).collect();
            let level = vec![losses[0]; patience + 1];
            let later = |e: Option<usize>| e.unwrap_or(usize::MAX);
            Ok(later(patient.stops_after(&losses)) > later(rule.stops_after(&losses)).min(losses.len() - 1)
                && rule.stops_after(&falling).is_none()
                && rule.stops_after(&level) == Some(patience))
        }),
        run_of("early-stopping.nan", "a NaN is never better, and any number is better than it").holds(
            |case| {
                let (rule, losses) = rule(case)?;
                let patience = case.size("patience");
                let nans = vec![f64::NAN; patience + 1];
                let late = [vec![f64::NAN], losses.clone()].concat();
                let number = rule.best(&late).is_some_and(|best| best > 0);
                let end = [losses.clone(), vec![f64::NAN]].concat();
                Ok(rule.stops_after(&nans) == Some(patience)
                    && number
                    && rule.best(&end) == rule.best(&losses))
            },
        ),
    ]
}
