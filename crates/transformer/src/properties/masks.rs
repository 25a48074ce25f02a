//! What masks mean, and that nothing comes through them.

use super::{MASKS, ROUNDING, mask, normal, operands, sizes};
use crate::{Attention, Mask, attention};
use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Tensor};

const ID: &[&str] = &["causal-mask"];

/// T positions that look at each other, over several tiles.
fn positions(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, ID, statement)
        .draw(Draw::size("t", 1..=400).limited(1.0..=1000.0))
        .draw(Draw::size("d", 1..=20).limited(1.0..=64.0))
        .draw(Draw::seed("values"))
        .draw(Draw::seed("where"))
        .costly(2)
}

fn three(case: &Case<'_>) -> Result<[Tensor<f64>; 3]> {
    let (t, d) = (case.size("t"), case.size("d"));
    Ok([normal(case, 0, &[t, d])?, normal(case, 1, &[t, d])?, normal(case, 2, &[t, d])?])
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        sizes("causal-mask.table", ID, "causal, windows and lengths are the table that their definitions write down")
            .draw(Draw::choice("mask", MASKS))
            .draw(Draw::size("first", 0..=4).limited(0.0..=200.0))
            .within("rounding", ROUNDING)
            .check(|case| {
                let [q, k, v] = operands(case, [1, 1])?;
                let [n, t, s] = [q.dims()[0], q.dims()[1], k.dims()[1]];
                let own = Mask { first: case.size("first"), ..mask(case, [n, 1, t, s])? };
                let allowed = Tensor::from_fn([n, t, s], |at| {
                    let (place, key) = ((own.first + at[1]) as i64, at[2] as i64);
                    let table = own.allowed.as_ref().is_none_or(|table| {
                        let sample = if table.dims()[0] == 1 { 0 } else { at[0] };
                        table.get([sample, 0, at[1], at[2]]).unwrap_or(false)
                    });
                    (!own.causal || key <= place)
                        && own.window.is_none_or(|w| (place - key).abs() <= w as i64)
                        && own.lengths.as_ref().is_none_or(|lengths| at[2] < lengths[at[0]])
                        && table
                })?;
                let table = Mask { allowed: Some(allowed), added: own.added.clone(), ..Mask::default() };
                let by_table = attention(&q, &k, &v, &table)?;
                let tiled = Attention::new(1, own.clone()).eval([&q, &k, &v])?;
                Ok(tiled.max_difference(&by_table)? + attention(&q, &k, &v, &own)?.max_difference(&by_table)?)
            }),
        positions("causal-mask.future", "what comes later changes no bit of what is before it, forward or backward")
            .holds(|case| {
                let [q, k, v] = three(case)?;
                let t = q.dims()[0];
                let cut = (case.seed("where") % t as u64) as usize;
                let other = |x: &Tensor<f64>, which| -> Result<Tensor<f64>> {
                    Tensor::concatenate(&[&x.slice(0, 0..cut)?, &normal(case, which, &[t - cut, x.dims()[1]])?], 0)
                };
                let (q2, k2, v2) = (other(&q, 10)?, other(&k, 11)?, other(&v, 12)?);
                let op = Attention::new(1, Mask::causal());
                let (y, saved) = Op::<f64, 3>::forward(&op, [&q, &k, &v])?;
                let (y2, saved2) = Op::<f64, 3>::forward(&op, [&q2, &k2, &v2])?;
                // The cotangent of what is before the cut only.
                let dy = Tensor::concatenate(
                    &[&normal(case, 3, &[cut, v.dims()[1]])?, &Tensor::zeros([t - cut, v.dims()[1]])?],
                    0,
                )?;
                let before = |x: &Option<Tensor<f64>>| match x {
                    Some(x) => x.slice(0, 0..cut),
                    None => Tensor::zeros([0, 0]),
                };
                let [a, b] = [
                    op.vjp([&q, &k, &v], &saved, &dy, [true; 3])?,
                    op.vjp([&q2, &k2, &v2], &saved2, &dy, [true; 3])?,
                ];
                let mut same = y.slice(0, 0..cut)?.same_bits(&y2.slice(0, 0..cut)?);
                for (a, b) in a.iter().zip(&b) {
                    same &= before(a)?.same_bits(&before(b)?);
                }
                Ok::<_, Failure>(same)
            }),
        positions("causal-mask.prefix", "the beginning of a sequence has the bits that it has alone")
            .holds(|case| {
                let [q, k, v] = three(case)?;
                let cut = (case.seed("where") % q.dims()[0] as u64) as usize + 1;
                let op = Attention::new(1, Mask::causal());
                let whole = op.eval([&q, &k, &v])?;
                let [q, k, v] = [q, k, v].map(|x| x.slice(0, 0..cut));
                Ok(op.eval([&q?, &k?, &v?])?.same_bits(&whole.slice(0, 0..cut)?))
            }),
        positions("causal-mask.cache", "the last queries alone, over all keys and from their place on, have the bits that they have among all")
            .holds(|case| {
                let [q, k, v] = three(case)?;
                let t = q.dims()[0];
                let first = (case.seed("where") % t as u64) as usize;
                let whole = Attention::new(1, Mask::causal()).eval([&q, &k, &v])?;
                let op = Attention::new(1, Mask { first, ..Mask::causal() });
                let last = op.eval([&q.slice(0, first..t)?, &k, &v])?;
                Ok(last.same_bits(&whole.slice(0, first..t)?))
            }),
        positions("causal-mask.deleted", "keys that are hidden from all are as good as deleted: to the bit behind the others, but for rounding among them")
            .holds(|case| {
                let [q, k, v] = three(case)?;
                let t = q.dims()[0];
                let length = (case.seed("where") % t as u64) as usize;
                let short = Attention::new(1, Mask::default().lengths(&[length])).eval([&q, &k, &v])?;
                let deleted = Attention::default().eval([&q, &k.slice(0, 0..length)?, &v.slice(0, 0..length)?])?;
                // And one from the midst.
                let hole = Tensor::from_fn([1, t], |at| at[1] != length)?;
                let hidden = Attention::new(1, Mask::default().allowed(hole)).eval([&q, &k, &v])?;
                let without = |x: &Tensor<f64>| {
                    Tensor::concatenate(&[&x.slice(0, 0..length)?, &x.slice(0, length + 1..t)?], 0)
                };
                let gone = Attention::default().eval([&q, &without(&k)?, &without(&v)?])?;
                Ok(short.same_bits(&deleted) && hidden.max_difference(&gone)? < ROUNDING)
            }),
        positions("causal-mask.added", "−∞ added hides as a table does, to the bit; the same number added to all changes nothing but by rounding")
            .holds(|case| {
                let [q, k, v] = three(case)?;
                let (t, seed) = (q.dims()[0], case.seed("where"));
                let allowed = Tensor::from_fn([t, t], |at| {
                    !(at[0] as u64 * 31 + at[1] as u64 * 17 + seed % 101).is_multiple_of(3)
                })?;
                let added = Tensor::from_fn([t, t], |at| match allowed.get(at) {
                    Ok(true) => 0.0,
                    _ => f64::NEG_INFINITY,
                })?;
                let run = |mask: Mask<f64>| Attention::new(1, mask).eval([&q, &k, &v]);
                let hidden = run(Mask::default().added(added))?;
                let shifted = run(Mask::default().added(Tensor::full([1, 1], 7.25)?))?;
                Ok(hidden.same_bits(&run(Mask::default().allowed(allowed))?)
                    && shifted.max_difference(&run(Mask::default())?)? < ROUNDING)
            }),
    ]
}
