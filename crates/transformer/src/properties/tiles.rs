//! The tiled operation against the plain one, and its gradient.

use super::{MASKS, ROUNDING, mask, normal, operands, sizes};
use crate::{Attention, Mask, attention, attention_weights, default_scale};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::kept;
use gradus_tensor::{Result, Tensor, Transpose};

const ID: &[&str] = &["attention"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = values();
    all.extend(gradients());
    all.extend(nan());
    all
}

/// Sizes that cross the ends of tiles.
fn long(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, ID, statement)
        .draw(Draw::size("n", 1..=2).limited(1.0..=4.0))
        .draw(Draw::size("t", 1..=220).limited(1.0..=1000.0))
        .draw(Draw::size("s", 1..=560).limited(1.0..=1000.0))
        .draw(Draw::size("d", 1..=20).limited(1.0..=64.0))
        .draw(Draw::size("w", 1..=20).limited(1.0..=64.0))
        .draw(Draw::seed("values"))
        .draw(Draw::choice("mask", MASKS))
        .costly(4)
}

fn masked(case: &mut Case<'_>, [heads, groups]: [usize; 2]) -> Result<(Attention<f64>, [Tensor<f64>; 3])> {
    let inputs = operands(case, [heads, groups])?;
    let sizes = [inputs[0].dims()[0], heads, inputs[0].dims()[1], inputs[1].dims()[1]];
    let op = Attention { key_heads: Some(groups), ..Attention::new(heads, mask(case, sizes)?) };
    Ok((op, inputs))
}

/// The columns of one head.
fn head(x: &Tensor<f64>, heads: usize, head: usize) -> Result<Tensor<f64>> {
    let size = x.dims()[2] / heads;
    x.slice(2, head * size..(head + 1) * size)
}

/// The mask of one head.
fn of_head(mask: &Mask<f64>, head: usize) -> Result<Mask<f64>> {
    let allowed = match &mask.allowed {
        Some(table) if table.dims()[1] > 1 => Some(table.slice(1, head..head + 1)?),
        other => other.clone(),
    };
    Ok(Mask { allowed, ..mask.clone() })
}

fn values() -> Vec<Property> {
    vec![
        long("attention.tiled", "by tiles it is the plain formula, under every mask")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let s = k.dims()[1];
                case.classify(s > 256, "several tiles");
                case.classify(!s.is_multiple_of(32), "a tile that is not full");
                Ok(op.eval([&q, &k, &v])?.max_difference(&attention(&q, &k, &v, &op.mask)?)?)
            }),
        sizes("attention.heads", ID, "heads side by side are as many attentions on their own columns; several heads of queries may share one of keys")
            .draw(Draw::size("groups", 1..=2).limited(1.0..=4.0))
            .draw(Draw::size("shared", 1..=3).limited(1.0..=4.0))
            .draw(Draw::choice("mask", MASKS))
            .within("rounding", ROUNDING)
            .check(|case| {
                let (groups, shared) = (case.size("groups"), case.size("shared"));
                let heads = groups * shared;
                let (op, [q, k, v]) = masked(case, [heads, groups])?;
                let y = op.eval([&q, &k, &v])?;
                let mut off = 0.0f64;
                for h in 0..heads {
                    let (k, v) = (head(&k, groups, h / shared)?, head(&v, groups, h / shared)?);
                    let alone = attention(&head(&q, heads, h)?, &k, &v, &of_head(&op.mask, h)?)?;
                    off = off.max(alone.max_difference(&head(&y, heads, h)?)?);
                }
                Ok(off)
            }),
        sizes("attention.packed", ID, "queries, keys and values side by side in one tensor are three tensors, value and gradient to the bit")
            .draw(Draw::size("groups", 1..=2).limited(1.0..=4.0))
            .draw(Draw::size("shared", 1..=2).limited(1.0..=4.0))
            .holds(|case| {
                let (groups, shared) = (case.size("groups"), case.size("shared"));
                let (n, t, d, heads) = (case.size("n"), case.size("t"), case.size("d"), groups * shared);
                let part = |which, heads: usize| normal(case, which, &[n, t, heads * d]);
                let (q, k, v) = (part(0, heads)?, part(1, groups)?, part(2, groups)?);
                let op = Attention { key_heads: Some(groups), ..Attention::new(heads, Mask::causal()) };
                let x = Tensor::concatenate(&[&q, &k, &v], 2)?;
                let (y, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v])?;
                let (packed, packed_saved) = Op::<f64, 1>::forward(&op, [&x])?;
                let dy = part(3, heads)?;
                let three = op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?;
                let [one] = op.vjp([&x], &packed_saved, &dy, [true])?;
                let three: Vec<_> = three.iter().flatten().collect();
                let same = one.is_some_and(|one| Tensor::concatenate(&three, 2).is_ok_and(|all| all.same_bits(&one)));
                Ok::<_, Failure>(y.same_bits(&packed) && same)
            }),
        long("attention.dropout", "dropped weights are those that the key draws, the others are scaled up; their sum is not computed again")
            .draw(Draw::real("p", 0.0..=1.0).limited(0.0..=1.0))
            .within("rounding", 1e-10)
            .check(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let (p, key) = (case.real("p").min(0.9), case.seed("values"));
                let y = Attention { dropout: Some((p, key)), ..op.clone() }.eval([&q, &k, &v])?;
                let mut weights = attention_weights(&q, &k, &op.mask)?;
                for (i, w) in weights.as_mut_slice().iter_mut().enumerate() {
                    *w = if kept(key, p, i as u64) { *w / (1.0 - p) } else { 0.0 };
                }
                Ok(y.max_difference(&weights.matmul(&v)?)?)
            }),
        long("attention.single", "single precision is the double one, and has the same bits on one thread and on several")
            .within("single precision", 2e-5)
            .check(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let exact = op.eval([&q, &k, &v])?;
                let [q, k, v] = [q, k, v].map(|x| x.cast::<f32>());
                let mask = Mask {
                    causal: op.mask.causal,
                    window: op.mask.window,
                    first: 0,
                    lengths: op.mask.lengths.clone(),
                    allowed: op.mask.allowed.clone(),
                    added: op.mask.added.as_ref().map(Tensor::cast),
                };
                let op = Attention::<f32>::new(1, mask);
                let run = |threads| gradus_tensor::with_threads(threads, || op.eval([&q, &k, &v]));
                let (one, three) = (run(1)?, run(3)?);
                let same = if one.same_bits(&three) { 0.0 } else { f64::INFINITY };
                Ok(one.cast::<f64>().max_difference(&exact)? + same)
            }),
    ]
}

fn gradients() -> Vec<Property> {
    vec![
        gradient_property(
            sizes("attention.gradient", ID, "the gradient in queries, keys and values, of several heads, under every mask")
                .draw(Draw::size("groups", 1..=2).limited(1.0..=3.0))
                .draw(Draw::size("shared", 1..=2).limited(1.0..=3.0))
                .draw(Draw::choice("mask", MASKS)),
            |case| {
                let groups = case.size("groups");
                Ok(masked(case, [groups * case.size("shared"), groups])?)
            },
        ),
        gradient_property(
            sizes("attention.dropout-gradient", ID, "the gradient with dropped weights")
                .draw(Draw::choice("mask", MASKS)),
            |case| {
                let (op, inputs) = masked(case, [1, 1])?;
                Ok((Attention { dropout: Some((0.4, case.seed("values"))), ..op }, inputs))
            },
        ),
        long("attention.tiled-gradient", "by tiles the gradients are those of whole matrices: Pᵀ·dy, dS·K/√d, dSᵀ·Q/√d with dS = P∘(dP − ⟨dP⟩)")
            .within("rounding", 100.0 * ROUNDING)
            .check(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let (y, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v])?;
                let dy = normal(case, 3, y.dims())?;
                let given = op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?;
                let p = attention_weights(&q, &k, &op.mask)?;
                let d_p = dy.product(Transpose::No, &v, Transpose::Yes)?;
                let mean = p.mul(&d_p)?.sum_axis(2)?.insert_axis(2)?;
                let d_s = p.mul(&d_p.sub(&mean)?)?.scale(default_scale(q.dims()[2]));
                let expected = [
                    d_s.matmul(&k)?,
                    d_s.product(Transpose::Yes, &q, Transpose::No)?,
                    p.product(Transpose::Yes, &dy, Transpose::No)?,
                ];
                let mut off = 0.0f64;
                for (given, expected) in given.iter().zip(&expected) {
                    let given = given.as_ref().ok_or_else(|| Failure::Error("a gradient is missing".into()))?;
                    let difference = given.max_difference(expected)?;
                    off = if difference <= off { off } else { difference };
                }
                Ok(off)
            }),
    ]
}

/// Which keys no query sees, and which queries see no key.
fn unseen(op: &Attention<f64>, [n, t, s]: [usize; 3]) -> Result<(Vec<bool>, Vec<bool>)> {
    let rules = op.mask.rules([n, 1, t, s])?;
    let keys = (0..n * s).map(|i| (0..t).all(|query| rules.hides([i / s, 0, query], i % s))).collect();
    let queries = (0..n * t).map(|i| (0..s).all(|key| rules.hides([i / t, 0, i % t], key))).collect();
    Ok((keys, queries))
}

fn nan() -> Vec<Property> {
    vec![
        long("attention.hidden-nan", "a NaN or an infinity in a key, or in a value, reaches those queries only that see it: no other bit changes, forward or backward")
            .draw(Draw::choice("what", &["NaN", "∞"]))
            .draw(Draw::choice("where", &["key", "value"]))
            .holds(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let [n, t, s] = [q.dims()[0], q.dims()[1], k.dims()[1]];
                let bad = if case.choice("what") == "NaN" { f64::NAN } else { f64::INFINITY };
                let seed = case.seed("values");
                let (sample, key) = ((seed % n as u64) as usize, (seed / 5 % s as u64) as usize);
                let (mut bad_k, mut bad_v) = (k.clone(), v.clone());
                if case.choice("where") == "key" {
                    bad_k.set([sample, key, 0], bad)?;
                } else {
                    bad_v.set([sample, key, 0], bad)?;
                }
                let (y, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v])?;
                let (bad_y, bad_saved) = Op::<f64, 3>::forward(&op, [&q, &bad_k, &bad_v])?;
                let dy = normal(case, 3, y.dims())?;
                let [dq, dk, dv] = op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?;
                let [bad_dq, bad_dk, bad_dv] = op.vjp([&q, &bad_k, &bad_v], &bad_saved, &dy, [true; 3])?;
                let rules = op.mask.rules([n, 1, t, s])?;
                let sees = |query: usize| !rules.hides([sample, 0, query], key);
                case.classify((0..t).any(sees), "seen by some");
                case.classify(!(0..t).any(sees), "seen by none");
                let rows = |a: &Tensor<f64>, b: &Tensor<f64>, count: usize, hit: &dyn Fn(usize, usize) -> bool| {
                    let size = a.dims()[2];
                    let pairs = a.as_slice().chunks(size).zip(b.as_slice().chunks(size)).enumerate();
                    // −0 and 0 are alike: what is left out is not added.
                    pairs.into_iter().all(|(i, (a, b))| hit(i / count, i % count) || a == b)
                };
                let hit = |own: usize, query: usize| own == sample && sees(query);
                // A key may share a query with the bad one.
                let near = |own: usize, other: usize| {
                    own == sample && (0..t).any(|query| sees(query) && !rules.hides([sample, 0, query], other))
                };
                let same = |a: &Option<Tensor<f64>>, b: &Option<Tensor<f64>>, count, hit: &dyn Fn(usize, usize) -> bool| {
                    matches!((a, b), (Some(a), Some(b)) if rows(a, b, count, hit))
                };
                Ok::<_, Failure>(
                    rows(&y, &bad_y, t, &hit)
                        && same(&dq, &bad_dq, t, &hit)
                        && same(&dk, &bad_dk, s, &near)
                        && same(&dv, &bad_dv, s, &near),
                )
            }),
        long("attention.nan", "a NaN in a query is in all of that query's result, and in no other")
            .holds(|case| {
                let (op, [mut q, k, v]) = masked(case, [1, 1])?;
                let [n, t, s] = [q.dims()[0], q.dims()[1], k.dims()[1]];
                let clean = op.eval([&q, &k, &v])?;
                let seed = case.seed("values");
                let at = ((seed % n as u64) as usize, (seed / 5 % t as u64) as usize);
                q.set([at.0, at.1, 0], f64::NAN)?;
                let y = op.eval([&q, &k, &v])?;
                let (_, blind) = unseen(&op, [n, t, s])?;
                let w = v.dims()[2];
                let right = |(i, (y, clean)): (usize, (&f64, &f64))| {
                    let hit = i / w == at.0 * t + at.1 && !blind[i / w];
                    if hit { y.is_nan() } else { y.to_bits() == clean.to_bits() }
                };
                Ok(y.as_slice().iter().zip(clean.as_slice()).enumerate().all(right))
            }),
        long("attention.nothing", "a query that may see nothing gets zeros, and passes no gradient on; a key that nobody sees gets none")
            .holds(|case| {
                let (op, [q, k, v]) = masked(case, [1, 1])?;
                let [n, t, s] = [q.dims()[0], q.dims()[1], k.dims()[1]];
                let (keys, queries) = unseen(&op, [n, t, s])?;
                case.classify(queries.contains(&true), "a query that sees nothing");
                case.classify(keys.contains(&true), "a key that nobody sees");
                let (y, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v])?;
                let dy = normal(case, 3, y.dims())?;
                let gradients = op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?;
                let zero = |x: &Tensor<f64>, blind: &[bool]| {
                    let rows = x.as_slice().chunks(x.dims()[2]).zip(blind);
                    rows.into_iter().all(|(row, &blind)| !blind || row.iter().all(|&y| y == 0.0))
                };
                let [Some(dq), Some(dk), Some(dv)] = &gradients else { return Ok(false) };
                Ok::<_, Failure>(zero(&y, &queries) && zero(dq, &queries) && zero(dk, &keys) && zero(dv, &keys))
            }),
    ]
}
