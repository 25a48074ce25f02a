//! Dense layers and embeddings.

use super::{ROUNDING, gradients, holds, normal, whole};
use crate::{Affine, Embedding, Linear, Lookup, embedding, linear};
use gradus_autograd::{Layer, Mode, Op, Parameters, Var, gradient_property};
use gradus_formula::{Case, Draw, Property};
use gradus_tensor::{Result, Scalar, Tensor, rng};

pub(super) fn properties() -> Vec<Property> {
    let mut all = dense();
    all.extend(tables());
    all
}

fn sizes(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["linear-layer"], statement)
        .draw(Draw::size("n", 1..=5))
        .draw(Draw::size("d", 1..=6))
        .draw(Draw::size("k", 1..=6))
        .draw(Draw::choice("shape", &["[N, D]", "[D]", "[2, N, D]"]))
        .draw(Draw::seed("values"))
}

/// The dimensions of x, W, b and y.
fn dims(case: &mut Case<'_>) -> [Vec<usize>; 4] {
    let (n, d, k) = (case.size("n"), case.size("d"), case.size("k"));
    case.classify(d != k, "not square");
    let samples = match case.choice("shape") {
        "[D]" => vec![],
        "[N, D]" => vec![n],
        _ => vec![2, n],
    };
    [[&samples[..], &[d]].concat(), vec![d, k], vec![k], [&samples[..], &[k]].concat()]
}

fn dense() -> Vec<Property> {
    vec![
        sizes("linear-layer.definition", "it is the double sum, with and without a bias").check(|case| {
            let [x, w, b, y] = dims(case);
            let (x, w, b) =
                (whole(case, "values", 0, &x)?, whole(case, "values", 1, &w)?, whole(case, "values", 2, &b)?);
            let (d, k) = (w.dims()[0], w.dims()[1]);
            let plain = |i: usize| {
                let (row, column) = (i / k, i % k);
                (0..d).map(|j| x.as_slice()[row * d + j] * w.as_slice()[j * k + column]).sum::<f64>()
            };
            let without = Tensor::from_vec((0..y.iter().product()).map(plain).collect(), &y)?;
            let off = Affine.eval([&x, &w])?.max_difference(&without)?;
            Ok(linear(&x, &w, &b)?.max_difference(&without.add(&b)?)?.max_or_nan(off))
        }),
        sizes("linear-layer.additive", "of a sum of inputs it is the sum, less one bias").check(|case| {
            let [x, w, b, _] = dims(case);
            let (u, v) = (whole(case, "values", 0, &x)?, whole(case, "values", 3, &x)?);
            let (w, b) = (whole(case, "values", 1, &w)?, whole(case, "values", 2, &b)?);
            let sum = linear(&u.add(&v)?, &w, &b)?.add(&b)?;
            Ok(sum.max_difference(&linear(&u, &w, &b)?.add(&linear(&v, &w, &b)?)?)?)
        }),
        sizes("linear-layer.adjoint", "⟨xW, y⟩ = ⟨x, ∂x⟩ = ⟨W, ∂W⟩, and ⟨b, ∂b⟩ = ⟨b stretched, y⟩").check(
            |case| {
                let [x, w, b, y] = dims(case);
                let (x, w) = (whole(case, "values", 0, &x)?, whole(case, "values", 1, &w)?);
                let (b, y) = (whole(case, "values", 2, &b)?, whole(case, "values", 3, &y)?);
                let product = Affine.eval([&x, &w])?.dot(&y)?;
                let [dx, dw, db] = gradients(&Affine, [&x, &w, &b], &y)?;
                let bias = b.broadcast_to(y.shape())?.dot(&y)?;
                Ok((x.dot(&dx)? - product).abs() + (w.dot(&dw)? - product).abs() + (b.dot(&db)? - bias).abs())
            },
        ),
        gradient_property(sizes("linear-layer.gradient", "the gradient in x, W and b"), |case| {
            let [x, w, b, _] = dims(case);
            let (x, w) = (normal(case, "values", 0, &x)?, normal(case, "values", 1, &w)?);
            Ok((Affine, [x, w, normal(case, "values", 2, &b)?]))
        }),
        gradient_property(sizes("linear-layer.gradient-without-bias", "the gradient in x and W"), |case| {
            let [x, w, ..] = dims(case);
            Ok((Affine, [normal(case, "values", 0, &x)?, normal(case, "values", 1, &w)?]))
        }),
        sizes("linear-layer.layer", "the layer is the formula of its weight and bias, in both modes").check(
            |case| {
                let [x, w, b, _] = dims(case);
                let rng = &mut rng(case.seed("values"));
                let layer = Linear::<f64>::new(w[0], w[1], rng)?;
                let bias = whole(case, "values", 2, &b)?;
                if let Some(own) = &layer.bias {
                    own.update(|own| *own = bias.clone());
                }
                let x = normal(case, "values", 0, &x)?;
                let expected = linear(&x, &layer.weight.value(), &bias)?;
                let x = Var::constant(x);
                let (train, eval) =
                    (layer.forward(&x, &mut Mode::Train(rng))?, layer.forward(&x, &mut Mode::Eval)?);
                let without = layer.without_bias();
                let plain = without.forward(&x, &mut Mode::Eval)?.value();
                let same = train.value().same_bits(&expected)
                    && eval.value().same_bits(&expected)
                    && without.parameter_count() == w[0] * w[1]
                    && plain.same_bits(&Affine.eval([&x.value(), &without.weight.value()])?);
                Ok(holds(same))
            },
        ),
        Property::new(
            "linear-layer.default-scale",
            &["linear-layer"],
            "the default weights have mean 0 and variance 2/inputs (a fixed seed; false alarm 2·10⁻¹⁰)",
        )
        .within("6.5 standard deviations", 6.5)
        .check(|_| {
            let layer = Linear::<f64>::new(50, 2000, &mut rng(20_240))?;
            let w = layer.weight.value().scale(5.0); // √(50/2)
            let n = w.len() as f64;
            let (mean, square) = (w.mean()?, w.map(|v| v * v).mean()?);
            // Standard errors of the mean, 1/√n, and of the mean square of normal numbers, √(2/n).
            Ok((mean.abs() * n.sqrt()).max((square - 1.0).abs() * (n / 2.0).sqrt()))
        }),
    ]
}

fn lookups(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, &["embedding"], statement)
        .draw(Draw::size("v", 1..=6))
        .draw(Draw::size("d", 1..=4))
        .draw(Draw::size("n", 1..=8))
        .draw(Draw::choice("shape", &["[N]", "[2, N]"]))
        .draw(Draw::seed("values"))
}

/// Ids, repeats among them, a table, and the shape of what is looked up.
fn table(case: &mut Case<'_>) -> Result<(Tensor<u32>, Tensor<f64>, Vec<usize>)> {
    let (v, d, n) = (case.size("v"), case.size("d"), case.size("n"));
    let dims = if case.choice("shape") == "[N]" { vec![n] } else { vec![2, n] };
    let seed = case.seed("values");
    let count = dims.iter().product::<usize>() as u32;
    let ids: Vec<u32> = (0..count).map(|i| (seed.rotate_left(5 * i) % v as u64) as u32).collect();
    case.classify(count as usize > v, "an id twice");
    let shape = [&dims[..], &[d]].concat();
    Ok((Tensor::from_vec(ids, &dims)?, whole(case, "values", 0, &[v, d])?, shape))
}

/// The ids as rows of the identity, a row an id.
fn one_hot(ids: &Tensor<u32>, v: usize) -> Result<Tensor<f64>> {
    Tensor::eye(v)?.gather(0, ids.as_slice())
}

fn tables() -> Vec<Property> {
    vec![
        lookups("embedding.one-hot", "it is the product of one-hot rows with the table").check(|case| {
            let (ids, w, shape) = table(case)?;
            let product = one_hot(&ids, w.dims()[0])?.matmul(&w)?.reshape(shape)?;
            Ok(embedding(&w, &ids)?.max_difference(&product)?)
        }),
        lookups("embedding.adjoint", "its gradient is one-hotᵀ·dy, but 0 for the padding")
            .draw(Draw::size("padding", 0..=7).limited(0.0..=7.0))
            .check(|case| {
                let (ids, w, shape) = table(case)?;
                let (v, d) = (w.dims()[0], w.dims()[1]);
                let dy = whole(case, "values", 1, &shape)?;
                let rows = dy.reshape([ids.len(), d])?;
                let mut expected = one_hot(&ids, v)?.transpose()?.matmul(&rows)?;
                let padding = Some(case.size("padding") as u32).filter(|&p| (p as usize) < v);
                case.classify(padding.is_some(), "padding");
                if let Some(p) = padding {
                    for j in 0..d {
                        expected.set([p as usize, j], 0.0)?;
                    }
                }
                let [dw] = gradients(&Lookup { ids, padding }, [&w], &dy)?;
                Ok(dw.max_difference(&expected)?)
            }),
        gradient_property(lookups("embedding.gradient", "the gradient in the table"), |case| {
            let (ids, w, _) = table(case)?;
            Ok((Lookup { ids, padding: None }, [w]))
        }),
        lookups("embedding.layer", "the padding's row is 0 and stays 0; the others are the table's")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (ids, w, _) = table(case)?;
                let layer = Embedding::from_tensor(w.clone())?.with_padding(0)?;
                let y = layer.forward(&ids)?;
                let gradient = y.powi(2)?.sum()?.backward()?.take(&layer.weight);
                let Some(gradient) = gradient else { return Ok(f64::INFINITY) };
                let own = layer.weight.value();
                let mut expected = w;
                expected.as_mut_slice()[..own.dims()[1]].fill(0.0);
                let zero = gradient.select(0, 0)?.abs().sum();
                Ok(own.max_difference(&expected)? + zero)
            }),
    ]
}
