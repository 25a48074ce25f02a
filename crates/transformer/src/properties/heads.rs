//! Many heads: projections, attention side by side, and a projection back.

use super::{ROUNDING, normal, shuffled};
use crate::{Attention, Mask, MultiHead, attention};
use gradus_autograd::{Mode, Op, Parameters, Var, composite_gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_layers::Linear;
use gradus_tensor::{Result, Tensor};

const ID: &[&str] = &["multi-head"];

pub(super) fn sizes(
    id: &'static str,
    formulas: &'static [&'static str],
    statement: &'static str,
) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=2).limited(1.0..=8.0))
        .draw(Draw::size("t", 1..=5).limited(1.0..=100.0))
        .draw(Draw::size("s", 1..=5).limited(1.0..=100.0))
        .draw(Draw::size("groups", 1..=2).limited(1.0..=4.0))
        .draw(Draw::size("shared", 1..=2).limited(1.0..=4.0))
        .draw(Draw::size("d", 1..=3).limited(1.0..=16.0))
        .draw(Draw::seed("values"))
}

/// The weights of a layer: of the projections and of the output, with their biases.
fn weights(case: &mut Case<'_>) -> Result<Vec<Tensor<f64>>> {
    let (groups, shared, d) = (case.size("groups"), case.size("shared"), case.size("d"));
    let (heads, width) = (groups * shared, groups * shared * d);
    case.classify(heads == 1, "one head");
    case.classify(shared > 1, "shared keys");
    let columns = (heads + 2 * groups) * d;
    // Not too large: five points do not resolve a softmax that jumps from one key to the next.
    let numbers = |which: u64, dims: &[usize]| normal(case, which, dims).map(|w| w.scale(0.5));
    Ok(vec![
        numbers(10, &[width, columns])?,
        numbers(11, &[columns])?,
        numbers(12, &[width, width])?,
        numbers(13, &[width])?,
    ])
}

/// The layer of some variables, so that their gradients can be checked.
fn layer(case: &Case<'_>, v: &[Var<f64>]) -> Result<MultiHead<f64>> {
    let groups = case.size("groups");
    let dense = |w: &Var<f64>, b: &Var<f64>| Linear { weight: w.clone(), bias: Some(b.clone()) };
    MultiHead::from_layers(dense(&v[0], &v[1]), dense(&v[2], &v[3]), groups * case.size("shared"), groups)
}

fn fixed(case: &mut Case<'_>) -> Result<MultiHead<f64>> {
    let all: Vec<_> = weights(case)?.into_iter().map(Var::constant).collect();
    layer(case, &all)
}

fn sequence(case: &Case<'_>, which: u64, rows: &str) -> Result<Tensor<f64>> {
    let width = case.size("groups") * case.size("shared") * case.size("d");
    normal(case, which, &[case.size("n"), case.size(rows), width])
}

fn attend(layer: &MultiHead<f64>, x: &Tensor<f64>, mask: Mask<f64>) -> Result<Tensor<f64>> {
    Ok(layer.attend(&Var::constant(x.clone()), mask, &mut Mode::Eval)?.value())
}

fn look(layer: &MultiHead<f64>, x: &Tensor<f64>, memory: &Tensor<f64>) -> Result<Tensor<f64>> {
    let (x, memory) = (Var::constant(x.clone()), Var::constant(memory.clone()));
    Ok(layer.look(&x, &memory, Mask::default(), &mut Mode::Eval)?.value())
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        sizes("multi-head.definition", ID, "each head attends on projections of its own, and what they find is projected side by side")
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let all = weights(case)?;
                let (groups, shared, d) = (case.size("groups"), case.size("shared"), case.size("d"));
                let heads = groups * shared;
                let (x, memory) = (sequence(case, 0, "t")?, sequence(case, 1, "s")?);
                let projected = |x: &Tensor<f64>, first: usize| -> Result<Tensor<f64>> {
                    let columns = first * d..(first + 1) * d;
                    x.matmul(&all[0].slice(1, columns.clone())?)?.add(&all[1].slice(0, columns)?)
                };
                let mut found = Vec::new();
                for h in 0..heads {
                    let q = projected(&x, h)?;
                    let k = projected(&memory, heads + h / shared)?;
                    let v = projected(&memory, heads + groups + h / shared)?;
                    found.push(attention(&q, &k, &v, &Mask::default())?);
                }
                let found = Tensor::concatenate(&found.iter().collect::<Vec<_>>(), 2)?;
                let expected = found.matmul(&all[2])?.add(&all[3])?;
                Ok(look(&fixed(case)?, &x, &memory)?.max_difference(&expected)?)
            }),
        sizes("multi-head.identity", ID, "one head with projections that change nothing is attention, to the bit")
            .holds(|case| {
                let x = sequence(case, 0, "t")?;
                let width = x.dims()[2];
                let eye = Tensor::eye(width)?;
                let three = Tensor::concatenate(&[&eye, &eye, &eye], 1)?;
                let layer = MultiHead::from_layers(
                    Linear::from_tensors(three, None)?,
                    Linear::from_tensors(eye, None)?,
                    1,
                    1,
                )?;
                let alone = Attention::new(1, Mask::causal()).eval([&x, &x, &x])?;
                Ok(attend(&layer, &x, Mask::causal())? == alone)
            }),
        composite_gradient_property(
            sizes("multi-head.gradient", ID, "the gradient in x and in all weights and biases"),
            |case| {
                let mut all = weights(case)?;
                all.push(sequence(case, 0, "t")?);
                let (groups, heads) = (case.size("groups"), case.size("groups") * case.size("shared"));
                let f = move |v: &[Var<f64>]| {
                    let dense = |w: &Var<f64>, b: &Var<f64>| Linear { weight: w.clone(), bias: Some(b.clone()) };
                    let layer =
                        MultiHead::from_layers(dense(&v[0], &v[1]), dense(&v[2], &v[3]), heads, groups)?;
                    layer.attend(&v[4], Mask::causal(), &mut Mode::Eval)
                };
                Ok((f, all))
            },
        ),
        composite_gradient_property(
            sizes("multi-head.cross-gradient", ID, "the gradient of cross-attention, in the memory too"),
            |case| {
                let mut all = weights(case)?;
                all.push(sequence(case, 0, "t")?);
                all.push(sequence(case, 1, "s")?);
                let (groups, heads) = (case.size("groups"), case.size("groups") * case.size("shared"));
                let f = move |v: &[Var<f64>]| {
                    let dense = |w: &Var<f64>, b: &Var<f64>| Linear { weight: w.clone(), bias: Some(b.clone()) };
                    let layer =
                        MultiHead::from_layers(dense(&v[0], &v[1]), dense(&v[2], &v[3]), heads, groups)?;
                    layer.look(&v[4], &v[5], Mask::default(), &mut Mode::Eval)
                };
                Ok((f, all))
            },
        ),
        sizes("multi-head.self", ID, "looking at itself is self-attention")
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let (layer, x) = (fixed(case)?, sequence(case, 0, "t")?);
                Ok(look(&layer, &x, &x)?.max_difference(&attend(&layer, &x, Mask::default())?)?)
            }),
        sizes("multi-head.parameters", ID, "4D² weights and 4D biases, whatever the number of heads; fewer where keys are shared")
            .holds(|case| {
                let (groups, shared, d) = (case.size("groups"), case.size("shared"), case.size("d"));
                let width = groups * shared * d;
                let rng = &mut gradus_tensor::rng(case.seed("values"));
                let whole = MultiHead::<f64>::new(width, groups * shared, rng)?;
                let shares = MultiHead::<f64>::grouped(width, groups * shared, groups, rng)?;
                let keys = groups * d;
                Ok(whole.parameter_count() == 4 * width * width + 4 * width
                    && shares.parameter_count() == 2 * (width * width + width) + 2 * (width * keys + keys))
            }),
        sizes("multi-head.fresh", ID, "fresh projections have Glorot's variance, each for itself, and biases of 0")
            .holds(|case| {
                let (width, heads) = (48, case.size("groups") * case.size("shared"));
                let heads = if 48usize.is_multiple_of(heads) { heads } else { 1 };
                let rng = &mut gradus_tensor::rng(case.seed("values"));
                let layer = MultiHead::<f64>::new(width, heads, rng)?;
                let (input, output) = (layer.input.weight.value(), layer.output.weight.value());
                let mut fine = layer.input.bias.iter().chain(&layer.output.bias).all(|b| b.value().powi(2).sum() == 0.0);
                // A uniform number's square has a standard deviation of 2/√5 of its mean.
                let near = |w: &Tensor<f64>| -> Result<bool> {
                    let ratio = w.powi(2).mean()? * width as f64;
                    Ok((ratio - 1.0).abs() < 6.0 * 0.9 / width as f64)
                };
                for part in 0..3 {
                    fine &= near(&input.slice(1, part * width..(part + 1) * width)?)?;
                }
                Ok(fine && near(&output)?)
            }),
        sizes("multi-head.equivariant", ID, "positions in another order get their results in that order: nothing says where they stand")
            .draw(Draw::seed("order"))
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let (layer, x) = (fixed(case)?, sequence(case, 0, "t")?);
                let order = shuffled(case.seed("order"), x.dims()[1]);
                let turned = attend(&layer, &x.gather(1, &order)?, Mask::default())?;
                Ok(turned.max_difference(&attend(&layer, &x, Mask::default())?.gather(1, &order)?)?)
            }),
        sizes("multi-head.weights", ID, "the weights that are shown are those that are used: with them, each head's values give the result")
            .within("rounding", 10.0 * ROUNDING)
            .check(|case| {
                let (layer, x, memory) = (fixed(case)?, sequence(case, 0, "t")?, sequence(case, 1, "s")?);
                let all = weights(case)?;
                let (groups, shared, d) = (case.size("groups"), case.size("shared"), case.size("d"));
                let heads = groups * shared;
                let (vx, vm) = (Var::constant(x.clone()), Var::constant(memory.clone()));
                let shown = layer.weights(&vx, &vm, &Mask::default())?;
                let mut found = Vec::new();
                for h in 0..heads {
                    let first = (heads + groups + h / shared) * d;
                    let v = memory.matmul(&all[0].slice(1, first..first + d)?)?.add(&all[1].slice(0, first..first + d)?)?;
                    found.push(shown.select(1, h)?.matmul(&v)?);
                }
                let found = Tensor::concatenate(&found.iter().collect::<Vec<_>>(), 2)?;
                Ok(found.matmul(&all[2])?.add(&all[3])?.max_difference(&look(&layer, &x, &memory)?)?)
            }),
        sizes("multi-head.rotary", ID, "with rotations every score depends on how far apart two places are: a shift of all changes no weight")
            .draw(Draw::size("shift", 1..=4).limited(1.0..=20.0))
            .within("rounding", 1e-10)
            .check(|case| {
                let (groups, shared) = (case.size("groups"), case.size("shared"));
                let (heads, size) = (groups * shared, 2 * case.size("d"));
                let rng = &mut gradus_tensor::rng(case.seed("values"));
                let layer = MultiHead::<f64>::grouped(heads * size, heads, groups, rng)?.rotary(100.0)?;
                let (n, t, shift) = (case.size("n"), case.size("t"), case.size("shift"));
                let x = normal(case, 0, &[n, t, heads * size])?;
                let before = normal(case, 1, &[n, shift, heads * size])?;
                // The same positions later, with others before them that nobody sees.
                let later = Tensor::concatenate(&[&before, &x], 1)?;
                let hidden = Tensor::from_fn([1, shift + t], |at| at[1] >= shift)?;
                let y = attend(&layer, &x, Mask::default())?;
                let moved = attend(&layer, &later, Mask::default().allowed(hidden))?;
                let looked = look(&layer, &x, &x)?;
                Ok(moved.slice(1, shift..shift + t)?.max_difference(&y)? + looked.max_difference(&y)?)
            }),
        sizes("multi-head.dropout", ID, "in evaluation nothing is dropped; in training weights are, and the output's mean over many draws is that of evaluation")
            .costly(4)
            .within("six deviations", 1.0)
            .check(|case| {
                let (layer, x) = (fixed(case)?, sequence(case, 0, "t")?);
                let dropping = layer.clone().dropout(0.5)?;
                let clean = attend(&layer, &x, Mask::default())?;
                if !attend(&dropping, &x, Mask::default())?.same_bits(&clean) {
                    return Ok::<_, Failure>(f64::INFINITY);
                }
                let rng = &mut gradus_tensor::rng(case.seed("values"));
                let x = Var::constant(x);
                let (mut sum, mut squares) = (clean.zeros_like(), clean.zeros_like());
                let draws = 400;
                for _ in 0..draws {
                    let y = dropping.attend(&x, Mask::default(), &mut Mode::Train(rng))?.value();
                    let off = y.sub(&clean)?;
                    sum = sum.add(&off)?;
                    squares = squares.add(&off.powi(2))?;
                }
                // With p = 1 no weight is left, and of the output its bias.
                let none = layer.clone().dropout(1.0)?.attend(&x, Mask::default(), &mut Mode::Train(rng))?.value();
                let bias = layer.output.bias.as_ref().map_or_else(|| Tensor::zeros([1]), |b| Ok(b.value()))?;
                if squares.max()? == 0.0 || !none.same_bits(&bias.broadcast_to(none.shape())?) {
                    return Ok(f64::INFINITY);
                }
                let worst = sum.as_slice().iter().zip(squares.as_slice()).map(|(s, q)| s.abs() / (6.0 * q.sqrt() + 1e-12));
                Ok(worst.fold(0.0, f64::max))
            }),
        sizes("multi-head.shown", ID, "what is shown of a masked head is 0 where it is hidden, and sums to 1 elsewhere")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (layer, x) = (fixed(case)?, sequence(case, 0, "t")?);
                let x = Var::constant(x);
                let shown = layer.weights(&x, &x, &Mask::causal())?;
                let (t, mut off) = (x.shape().dims()[1], 0.0f64);
                for (i, row) in shown.as_slice().chunks(t).enumerate() {
                    let (seen, hidden) = row.split_at(i % t + 1);
                    off = off.max((seen.iter().sum::<f64>() - 1.0).abs()).max(hidden.iter().sum());
                }
                Ok(off)
            }),
    ]
}
