//! LeNet as it was published: its activation, its subsampling, its connections, its outputs.

use super::{ROUNDING, holds, normal, of, whole};
use crate::{
    Connections, LeNet1998, RadialBasis, ScaledTanh, SparseConv2d, Spread, Subsample, TABLE, codes,
    radial_basis, scaled_tanh, subsample,
};
use gradus_activations::Pointwise;
use gradus_autograd::{Op, Var, gradient_property};
use gradus_cnn::{AveragePool, Window, conv2d};
use gradus_formula::{Case, Draw, Property};
use gradus_losses::CrossEntropy;
use gradus_tensor::{Result, Tensor, rng};

const ACTIVATION: &[&str] = &["lenet-activation"];
const SUBSAMPLING: &[&str] = &["trainable-subsampling"];
const CONNECTIONS: &[&str] = &["lenet-connections"];
const OUTPUT: &[&str] = &["rbf-output"];

pub(super) fn properties() -> Vec<Property> {
    let mut all = activation();
    all.extend(subsampling());
    all.extend(connections());
    all.extend(output());
    all
}

fn activation() -> Vec<Property> {
    let at = |id, statement| {
        Property::new(id, ACTIVATION, statement).draw(Draw::real("a", -6.0..=6.0).limited(-1e3..=1e3))
    };
    /// The constants have five digits: f(1) is off by 2·10⁻⁵.
    const DIGITS: f64 = 3e-5;
    vec![
        at("lenet-activation.odd", "odd, rising, within ±1.7159, and ±1 at ±1")
            .within("five digits", DIGITS)
            .check(|case| {
                let a = case.real("a");
                let f = scaled_tanh(a);
                let right = f == -scaled_tanh(-a) && f.abs() <= 1.7159 && scaled_tanh(a + 0.1) >= f;
                Ok(holds(right).max((scaled_tanh(1.0_f64) - 1.0).abs()))
            }),
        at("lenet-activation.exponentials", "1.7159·(e^(4a/3) − 1)/(e^(4a/3) + 1)")
            .within("rounding", 1e-14)
            .check(|case| {
                let a = case.real("a").clamp(-300.0, 300.0);
                let e = (4.0 * a / 3.0).exp();
                Ok((scaled_tanh(a) - 1.7159 * (e - 1.0) / (e + 1.0)).abs())
            }),
        at(
            "lenet-activation.sigmoid",
            "a tanh is a sigmoid, stretched: tanh a = 2σ(2a) − 1, so that weights and biases can make up for it",
        )
        .within("rounding", 1e-15)
        .check(|case| {
            let a = case.real("a");
            Ok((gradus_activations::tanh(a) - (2.0 * gradus_activations::sigmoid(2.0 * a) - 1.0)).abs())
        }),
        gradient_property(
            Property::new("lenet-activation.gradient", ACTIVATION, "the derivative of 1.7159·tanh(2a/3)")
                .draw(Draw::size("n", 1..=4))
                .draw(Draw::array("a", -6.0..=6.0, &["n"])),
            |case| Ok((Pointwise(ScaledTanh), [gradus_tensor::tensor_of(case.array("a"))?])),
        ),
    ]
}

/// Maps of even sizes, a coefficient and a bias for each.
fn maps(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, SUBSAMPLING, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::size("rows", 1..=4))
        .draw(Draw::size("columns", 1..=9))
        .draw(Draw::seed("values"))
}

fn drawn_maps(
    case: &Case<'_>,
    values: fn(&Case<'_>, u64, &[usize]) -> Result<Tensor<f64>>,
) -> Result<[Tensor<f64>; 3]> {
    let (n, c, h, w) = (case.size("n"), case.size("c"), case.size("rows"), case.size("columns"));
    Ok([values(case, 0, &[n, c, 2 * h, 2 * w])?, values(case, 1, &[c])?, values(case, 2, &[c])?])
}

fn subsampling() -> Vec<Property> {
    vec![
        maps("trainable-subsampling.definition", "each number is the sum that the formula says").check(
            |case| {
                let [x, w, b] = drawn_maps(case, whole)?;
                let y = subsample(&x, &w, &b)?;
                let [n, c, h, l] = [x.dims()[0], x.dims()[1], x.dims()[2] / 2, x.dims()[3] / 2];
                let expected = Tensor::from_fn([n, c, h, l], |i| {
                    let at = |u: usize, v: usize| {
                        x.as_slice()[((i[0] * c + i[1]) * 2 * h + 2 * i[2] + u) * 2 * l + 2 * i[3] + v]
                    };
                    w.as_slice()[i[1]] * (at(0, 0) + at(0, 1) + at(1, 0) + at(1, 1)) + b.as_slice()[i[1]]
                })?;
                Ok(y.max_difference(&expected)?)
            },
        ),
        maps("trainable-subsampling.mean", "with ¼ and 0 it is average pooling")
            .within("rounding", ROUNDING)
            .check(|case| {
                let [x, w, b] = drawn_maps(case, normal)?;
                let mean = AveragePool::new([Window::new(2).stride(2); 2]).eval([&x])?;
                Ok(subsample(&x, &w.map(|_| 0.25), &b.zeros_like())?.max_difference(&mean)?)
            }),
        maps(
            "trainable-subsampling.convolution",
            "it is a convolution with four equal weights, a stride of 2 and a group a map",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let [x, w, b] = drawn_maps(case, normal)?;
            let c = case.size("c");
            let filters = w.reshape([c, 1, 1, 1])?.broadcast_to([c, 1, 2, 2])?;
            let op = gradus_cnn::Convolution::new([Window::new(2).stride(2); 2]).groups(c);
            Ok(subsample(&x, &w, &b)?.max_difference(&op.value(&x, &filters, Some(&b))?)?)
        }),
        gradient_property(
            maps("trainable-subsampling.gradient", "the gradients of maps, coefficients and biases"),
            |case| Ok((Subsample, drawn_maps(case, normal)?)),
        ),
    ]
}

/// A table: each of some maps reads those whose bits are drawn, and at least one.
fn tables(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, CONNECTIONS, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("inputs", 1..=4))
        .draw(Draw::size("outputs", 1..=4))
        .draw(Draw::size("size", 1..=3))
        .draw(Draw::size("more", 0..=2))
        .draw(Draw::seed("table"))
        .draw(Draw::seed("values"))
}

fn table(case: &Case<'_>) -> Result<Connections> {
    let (inputs, seed) = (case.size("inputs"), case.seed("table"));
    let row = |k: usize| -> Vec<usize> {
        let bits = seed.rotate_left(7 * k as u32) ^ (seed >> 3);
        let chosen: Vec<usize> = (0..inputs).filter(|c| bits >> c & 1 == 1).collect();
        if chosen.is_empty() { vec![bits as usize % inputs] } else { chosen }
    };
    let rows: Vec<Vec<usize>> = (0..case.size("outputs")).map(row).collect();
    Connections::new(inputs, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Weights, biases and maps for a table.
fn sparse(case: &Case<'_>, table: &Connections) -> Result<[Tensor<f64>; 3]> {
    let (f, n) = (case.size("size"), case.size("n"));
    let side = f + case.size("more");
    let x = whole(case, 0, &[n, table.inputs(), side, side + 1])?;
    Ok([whole(case, 1, &[table.count(), f, f])?, whole(case, 2, &[table.outputs()])?, x])
}

fn connections() -> Vec<Property> {
    vec![
        tables("lenet-connections.map-by-map", "each map is a convolution of its own over the maps that it reads").check(|case| {
            let table = table(case)?;
            let [w, b, x] = sparse(case, &table)?;
            let y = of(&SparseConv2d::from_tensors(table.clone(), w.clone(), b.clone())?, &x)?;
            let (windows, mut first, mut off) = ([Window::new(case.size("size")); 2], 0, 0.0f64);
            for (k, row) in table.rows().enumerate() {
                let read: Vec<u32> = row.iter().map(|&c| c as u32).collect();
                let own = w.slice(0, first..first + row.len())?.insert_axis(0)?;
                let expected = conv2d(&x.gather(1, &read)?, &own, Some(&b.slice(0, k..k + 1)?), windows)?;
                off = off.max(y.slice(1, k..k + 1)?.max_difference(&expected)?);
                first += row.len();
            }
            Ok(off)
        }),
        tables("lenet-connections.mask", "it is the dense convolution whose weights are masked by the table").check(|case| {
            let table = table(case)?;
            let [_, b, x] = sparse(case, &table)?;
            let f = case.size("size");
            let dense = whole(case, 3, &[table.outputs(), table.inputs(), f, f])?;
            let mut kept = Vec::new();
            let mut masked = dense.zeros_like();
            for (k, row) in table.rows().enumerate() {
                for &c in row {
                    let from = (k * table.inputs() + c) * f * f;
                    let own = &dense.as_slice()[from..from + f * f];
                    kept.extend_from_slice(own);
                    masked.as_mut_slice()[from..from + f * f].copy_from_slice(own);
                }
            }
            let w = Tensor::from_vec(kept, [table.count(), f, f])?;
            let y = of(&SparseConv2d::from_tensors(table, w, b.clone())?, &x)?;
            Ok(y.max_difference(&conv2d(&x, &masked, Some(&b), [Window::new(f); 2])?)?)
        }),
        tables("lenet-connections.unread", "what a map does not read does not change it").check(|case| {
            let table = table(case)?;
            let [w, b, x] = sparse(case, &table)?;
            let layer = SparseConv2d::from_tensors(table.clone(), w, b)?;
            let (y, mut off) = (of(&layer, &x)?, 0.0f64);
            for (k, row) in table.rows().enumerate() {
                let planes = x.len() / (x.dims()[0] * x.dims()[1]);
                let mut other = x.clone();
                for (plane, pixels) in other.as_mut_slice().chunks_exact_mut(planes).enumerate() {
                    if !row.contains(&(plane % table.inputs())) {
                        pixels.iter_mut().for_each(|p| *p += 7.0);
                    }
                }
                let own = |y: &Tensor<f64>| y.slice(1, k..k + 1);
                off = off.max(own(&of(&layer, &other)?)?.max_difference(&own(&y)?)?);
            }
            Ok(off)
        }),
        Property::new("lenet-connections.table", CONNECTIONS, "table I: six maps of three, nine of four, one of six; every map is read by ten, and no two read the same")
            .check(|_| {
                let table = Connections::published();
                let rows: Vec<&[usize]> = table.rows().collect();
                let sizes: Vec<usize> = rows.iter().map(|row| row.len()).collect();
                let read = |c: usize| rows.iter().filter(|row| row.contains(&c)).count();
                let different = (0..16).all(|i| (0..i).all(|j| rows[i] != rows[j]));
                // Each group of six is one row, turned around the ring of six maps.
                let turned = |from: usize, by: usize| -> Vec<usize> {
                    let mut row: Vec<usize> = rows[from].iter().map(|c| (c + by) % 6).collect();
                    row.sort_unstable();
                    row
                };
                let ring = (0..6).all(|i| rows[i] == turned(0, i) && rows[6 + i] == turned(6, i))
                    && (0..3).all(|i| rows[12 + i] == turned(12, i));
                let right = sizes == [3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 6]
                    && (0..6).all(|c| read(c) == 10)
                    && different
                    && ring
                    && Connections::new(6, &TABLE)? == table;
                Ok(holds(right))
            }),
        gradient_property(
            tables("lenet-connections.gradient", "the gradient of the weights that are spread out"),
            |case| {
                let table = table(case)?;
                let f = case.size("size");
                let w = normal(case, 1, &[table.count(), f, f])?;
                Ok((Spread(table), [w]))
            },
        ),
    ]
}

fn outputs(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, OUTPUT, statement)
        .draw(Draw::size("n", 1..=4))
        .draw(Draw::size("k", 1..=5))
        .draw(Draw::size("d", 3..=12))
        .draw(Draw::seed("values"))
}

fn output() -> Vec<Property> {
    let drawn = |case: &Case<'_>| -> Result<[Tensor<f64>; 2]> {
        let (n, k, d) = (case.size("n"), case.size("k").min(1 << (case.size("d") - 1)), case.size("d"));
        Ok([normal(case, 0, &[n, d])?, codes(k, d, &mut rng(case.seed("values")))?])
    };
    vec![
        outputs(
            "rbf-output.expanded",
            "−‖x‖² + 2x·c − ‖c‖², where ‖c‖² = D: a linear layer, less what all classes share",
        )
        .within("rounding", ROUNDING)
        .check(move |case| {
            let [x, c] = drawn(case)?;
            let d = case.size("d") as f64;
            let norms = x.mul(&x)?.sum_axis(1)?.insert_axis(1)?;
            let expected = x.matmul(&c.transpose()?)?.map(|v| 2.0 * v - d).sub(&norms)?;
            Ok(radial_basis(&x, &c)?.max_difference(&expected)?)
        }),
        outputs(
            "rbf-output.own-code",
            "0 at a class' own code, and −4 times the places that differ at another one",
        )
        .check(move |case| {
            let [_, c] = drawn(case)?;
            let s = radial_basis(&c, &c)?;
            let (k, d) = (c.dims()[0], c.dims()[1]);
            let row = |i: usize| &c.as_slice()[i * d..][..d];
            let differ = |i: usize, j: usize| row(i).iter().zip(row(j)).filter(|(a, b)| a != b).count();
            let expected = Tensor::from_fn([k, k], |i| -4.0 * differ(i[0], i[1]) as f64)?;
            let apart = (0..k).all(|i| (0..i).all(|j| differ(i, j) > 0));
            Ok(holds(apart).max(s.max_difference(&expected)?))
        }),
        outputs(
            "rbf-output.criterion",
            "y + ln(e⁻ʲ + Σ e^−y) of the paper, and for a large j the cross entropy of the scores",
        )
        .draw(Draw::real("j", 0.0..=20.0))
        .within("rounding", ROUNDING)
        .check(move |case| {
            let [x, c] = drawn(case)?;
            let (n, k, j) = (case.size("n"), c.dims()[0], case.real("j"));
            let scores = Var::constant(radial_basis(&x, &c)?);
            let classes: Vec<u32> = (0..n).map(|i| (i % k) as u32).collect();
            let mut expected = 0.0;
            for (row, &class) in scores.value().as_slice().chunks(k).zip(&classes) {
                let sum = (-j).exp() + row.iter().map(|s| s.exp()).sum::<f64>();
                expected += (sum.ln() - row[class as usize]) / n as f64;
            }
            let classes = Tensor::from(classes);
            let own = LeNet1998::criterion(&scores, &classes, j)?.item()?;
            let far = LeNet1998::criterion(&scores, &classes, 1e6)?.item()?;
            let plain = Var::apply(CrossEntropy::new(&classes), [&scores])?.item()?;
            Ok((own - expected).abs().max((far - plain).abs()) / expected.abs().max(1.0))
        }),
        gradient_property(
            outputs("rbf-output.gradient", "the gradients of samples and codes"),
            move |case| Ok((RadialBasis, drawn(case)?)),
        ),
    ]
}
