//! The properties of the architectures: counts by brute force, each network against a composition by hand, and what the parts of 1998 are.

use crate::{
    Connections, LeNet, LeNet1998, LeNet1998Shape, LeNetShape, RadialBasis, ScaledTanh, SparseConv2d, Spread,
    SquashedMean, Squashing, Subsample, TABLE, codes, radial_basis, refused, scaled_tanh, subsample,
};
use gradus_activations::{Activations, Pointwise};
use gradus_autograd::{
    Layer, Mode, Name, Op, Parameters, SlotMut, Var, composite_gradient_property, gradient_property,
};
use gradus_cnn::{AveragePool, Window, conv2d};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_losses::CrossEntropy;
use gradus_tensor::{Result, Tensor, rng};
use rand_distr::StandardNormal;
use std::collections::BTreeMap;

const TASK: &[&str] = &["lenet-task"];
const STACK: &[&str] = &["lenet-stack"];
const ACTIVATION: &[&str] = &["lenet-activation"];
const SUBSAMPLING: &[&str] = &["trainable-subsampling"];
const CONNECTIONS: &[&str] = &["lenet-connections"];
const OUTPUT: &[&str] = &["rbf-output"];
const PARAMS: &[&str] = &["lenet-params"];

/// Rounding of sums of some hundreds of terms of size 1, in another order, through five layers.
const ROUNDING: f64 = 1e-11;

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    let mut all = task();
    all.extend(stack());
    all.extend(pooling());
    all.extend(activation());
    all.extend(subsampling());
    all.extend(connections());
    all.extend(output());
    all.extend(params());
    all
}

/// Standard normal numbers from a seed; `which` tells several of one seed apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// Small whole numbers, with which sums of products are exact.
fn whole(case: &Case<'_>, which: u64, dims: &[usize]) -> Result<Tensor<f64>> {
    Ok(normal(case, which, dims)?.map(|v| (3.0 * v).round()))
}

/// 0 where `yes`, else ∞: a residual for what is true or false.
fn holds(yes: bool) -> f64 {
    if yes { 0.0 } else { f64::INFINITY }
}

fn apart(a: usize, b: usize) -> f64 {
    a.abs_diff(b) as f64
}

fn of(layer: &impl Layer<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    Ok(layer.forward(&Var::constant(x.clone()), &mut Mode::Eval)?.value())
}

/// Puts a variable in the place of parameter number `which`.
fn replace(net: &mut dyn Parameters<f64>, which: usize, by: &Var<f64>) {
    let mut at = 0;
    net.visit_mut(&mut Name::default(), &mut |_, slot| {
        if let SlotMut::Parameter(var) = slot {
            if at == which {
                *var = by.clone();
            }
            at += 1;
        }
    });
}

/// A network of the modern form with sizes of its own.
fn nets(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 1..=3))
        .draw(Draw::size("channels", 1..=2))
        .draw(Draw::size("more rows", 0..=3))
        .draw(Draw::size("more columns", 0..=3))
        .draw(Draw::size("padding", 0..=2))
        .draw(Draw::size("maps", 1..=3))
        .draw(Draw::size("more maps", 1..=3))
        .draw(Draw::size("units", 1..=5))
        .draw(Draw::size("more units", 1..=4))
        .draw(Draw::size("classes", 1..=4))
        .draw(Draw::choice("activation", &["tanh", "sigmoid", "relu"]))
        .draw(Draw::seed("values"))
}

/// The network that was drawn, with biases that are not 0, and images for it.
fn net(case: &mut Case<'_>) -> Result<(LeNet<f64>, Tensor<f64>), Failure> {
    let padding = case.size("padding");
    // 16 pixels, padding included, are the fewest: 16 → 12 → 6 → 2 → 1.
    let image = [case.size("more rows"), case.size("more columns")].map(|more| 16 + more - 2 * padding);
    let shape = LeNetShape {
        channels: case.size("channels"),
        image,
        padding,
        maps: [case.size("maps"), case.size("more maps")],
        units: [case.size("units"), case.size("more units")],
        classes: case.size("classes"),
    };
    let squashing = match case.choice("activation") {
        "tanh" => Squashing::Tanh,
        "sigmoid" => Squashing::Sigmoid,
        _ => Squashing::Relu,
    };
    case.classify(image[0] != image[1], "not square");
    let net = LeNet::new(shape, squashing, &mut rng(case.seed("values")))?;
    let mut state = BTreeMap::new();
    for (which, (name, value)) in (10..).zip(net.state()) {
        let value = if name.ends_with("bias") { normal(case, which, value.dims())? } else { value };
        state.insert(name, value);
    }
    net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
    let x = normal(case, 0, &[case.size("n"), shape.channels, image[0], image[1]])?;
    Ok((net, x))
}

fn squashed(net: &LeNet<f64>, a: &Tensor<f64>) -> Result<Tensor<f64>> {
    match net.squashing() {
        Squashing::Tanh => a.tanh(),
        Squashing::Sigmoid => a.sigmoid(),
        Squashing::Relu => a.relu(),
    }
}

/// A state by its names.
fn part<'a>(state: &'a BTreeMap<String, Tensor<f64>>, name: &str) -> Result<&'a Tensor<f64>, Failure> {
    state.get(name).ok_or_else(|| Failure::Error(format!("no `{name}` in the state")))
}

/// The formula, written out with functions on tensors.
fn by_hand(net: &LeNet<f64>, x: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let state = net.state();
    let get = |name: &str| part(&state, name);
    let mean = AveragePool::new([Window::new(2).stride(2); 2]);
    let mut h = x.clone();
    for (name, padding) in [("conv1", net.shape().padding), ("conv2", 0)] {
        let (w, b) = (get(&format!("{name}.weight"))?, get(&format!("{name}.bias"))?);
        let a = conv2d(&h, w, Some(b), [Window::new(5).padded(padding); 2])?;
        h = mean.eval([&squashed(net, &a)?])?;
    }
    let mut h = h.reshape([x.dims()[0], h.len() / x.dims()[0]])?;
    for name in ["fc1", "fc2", "fc3"] {
        let (w, b) = (get(&format!("{name}.weight"))?, get(&format!("{name}.bias"))?);
        let a = h.matmul(w)?.add(b)?;
        h = if name == "fc3" { a } else { squashed(net, &a)? };
    }
    Ok(h)
}

fn task() -> Vec<Property> {
    vec![
        nets(
            "lenet-task.alone",
            TASK,
            "a score a class for each image, which depends on no other image of the batch",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let all = of(&net, &x)?;
            let mut off = holds(all.dims() == [case.size("n"), case.size("classes")]);
            for i in 0..case.size("n") {
                let own = of(&net, &x.slice(0, i..i + 1)?)?;
                off = off.max(own.max_difference(&all.slice(0, i..i + 1)?)?);
            }
            Ok(off)
        }),
        Property::new(
            "lenet-task.shapes",
            TASK,
            "32 → 28 → 14 → 10 → 5, and 28 with a padding of 2 the same; ten scores in both forms",
        )
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::seed("values"))
        .check(|case| {
            let (n, rng) = (case.size("n"), &mut rng(case.seed("values")));
            let chain = [[28, 28], [14, 14], [10, 10], [5, 5]];
            let sizes = [
                LeNetShape::default().sizes()?,
                LeNetShape::mnist().sizes()?,
                LeNet1998Shape::published().sizes()?,
            ];
            let modern = LeNet::new(LeNetShape::mnist(), Squashing::Tanh, rng)?;
            let published = LeNet1998::new(LeNet1998Shape::published(), rng)?;
            let small = of(&modern, &normal(case, 0, &[n, 1, 28, 28])?)?;
            let large = of(&published, &normal(case, 0, &[n, 1, 32, 32])?)?;
            let fits = small.dims() == [n, 10] && large.dims() == [n, 10];
            Ok(holds(sizes == [chain; 3] && fits))
        }),
    ]
}

fn stack() -> Vec<Property> {
    vec![
        nets("lenet-stack.composition", STACK, "the network is the formula, written out with functions")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (net, x) = net(case)?;
                Ok(of(&net, &x)?.max_difference(&by_hand(&net, &x)?)?)
            }),
        nets(
            "lenet-stack.maps",
            STACK,
            "the order in which maps are numbered says nothing: exchange two everywhere, and the scores stay",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            let before = of(&net, &x)?;
            let mut state = net.state();
            // The maps of the first convolution in another order, and what reads them.
            let maps = case.size("maps") as u32;
            let order: Vec<u32> = (0..maps).map(|k| (k + 1) % maps).collect();
            for (name, axis) in [("conv1.weight", 0), ("conv1.bias", 0), ("conv2.weight", 1)] {
                let turned = part(&state, name)?.gather(axis, &order)?;
                state.insert(name.into(), turned);
            }
            net.load_state(&state).map_err(|e| Failure::Error(e.to_string()))?;
            Ok(of(&net, &x)?.max_difference(&before)?)
        }),
        nets(
            "lenet-stack.shift",
            STACK,
            "move the image by four pixels, and the first maps move by four and the second by two",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (net, x) = net(case)?;
            // Without padding, so that both images have the same neighbours.
            let image = [16 + case.size("more rows"), 16 + case.size("more columns")];
            let shape = LeNetShape { image, padding: 0, ..net.shape() };
            let wide = LeNetShape { image: [image[0], image[1] + 4], ..shape };
            let wide_net = LeNet::new(wide, net.squashing(), &mut rng(1))?;
            let mut narrow = LeNet::new(shape, net.squashing(), &mut rng(2))?;
            (narrow.conv1, narrow.conv2) = (wide_net.conv1.clone(), wide_net.conv2.clone());
            let w = image[1] + 4;
            let wide_x = normal(case, 5, &[x.dims()[0], shape.channels, image[0], w])?;
            let [all1, all3] = wide_net.maps(&Var::constant(wide_x.clone()))?;
            let moved = wide_x.slice(3, 4..w)?;
            let [own1, own3] = narrow.maps(&Var::constant(moved))?;
            let behind = |map: &Var<f64>, by: usize| -> Result<Tensor<f64>> {
                let map = map.value();
                map.slice(3, by..map.dims()[3])
            };
            let off = own1.value().max_difference(&behind(&all1, 4)?)?;
            Ok(off.max(own3.value().max_difference(&behind(&all3, 2)?)?))
        }),
        composite_gradient_property(
            nets("lenet-stack.gradient", STACK, "the gradients of any of its parameters and of the image")
                .draw(Draw::size("parameter", 0..=9).limited(0.0..=9.0)),
            |case| {
                let (net, x) = net(case)?;
                // Away from ReLU's kink there is no telling: the smooth ones only.
                let smooth =
                    if net.squashing() == Squashing::Relu { Squashing::Tanh } else { net.squashing() };
                let (shape, which) = (net.shape(), case.size("parameter"));
                let own = net.named_parameters().swap_remove(which).1.value();
                let state = net.state();
                let f = move |vars: &[Var<f64>]| {
                    let mut own = LeNet::new(shape, smooth, &mut rng(1))?;
                    own.load_state(&state).map_err(|e| refused("load_state", "state", e, "one that fits"))?;
                    replace(&mut own, which, &vars[1]);
                    own.forward(&vars[0], &mut Mode::Eval)
                };
                Ok((f, vec![x, own]))
            },
        ),
    ]
}

/// Maps for the activation with its pooling.
fn sums(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, STACK, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::size("rows", 2..=7))
        .draw(Draw::size("columns", 2..=19))
        .draw(Draw::choice("activation", &["tanh", "sigmoid", "relu"]))
        .draw(Draw::seed("values"))
}

fn drawn_sums(case: &mut Case<'_>) -> Result<(Squashing, Tensor<f64>)> {
    let dims = [case.size("n"), case.size("c"), case.size("rows"), case.size("columns")];
    case.classify(dims[2] % 2 + dims[3] % 2 > 0, "a row or a column left over");
    let squashing = match case.choice("activation") {
        "tanh" => Squashing::Tanh,
        "sigmoid" => Squashing::Sigmoid,
        _ => Squashing::Relu,
    };
    Ok((squashing, normal(case, 0, &dims)?))
}

fn pooling() -> Vec<Property> {
    vec![
        sums(
            "lenet-stack.fused",
            "activation and pooling in one pass are the two one by one, there and back",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (f, a) = drawn_sums(case)?;
            let pool = AveragePool::new([Window::new(2).stride(2); 2]);
            let var = Var::parameter(a.clone());
            let slow = Var::apply(pool, [&f.apply(&var)?])?;
            let fast = Var::apply(SquashedMean(f), [&var])?;
            let dy = normal(case, 1, slow.shape().dims())?;
            let mut off = slow.value().max_difference(&fast.value())?;
            let back = |y: &Var<f64>| -> Result<Tensor<f64>, Failure> {
                let gradients = y.backward_with(&dy).map_err(|e| Failure::Error(e.to_string()))?;
                gradients.get(&var).cloned().ok_or_else(|| Failure::Error("no gradient".into()))
            };
            off = off.max(back(&slow)?.max_difference(&back(&fast)?)?);
            Ok(off)
        }),
        gradient_property(
            sums("lenet-stack.fused-gradient", "the gradient of activation and pooling in one pass"),
            |case| {
                let (f, a) = drawn_sums(case)?;
                // Five points must lie on one side of ReLU's kink.
                let away = |a: f64| if a < 0.0 { a - 0.1 } else { a + 0.1 };
                Ok((SquashedMean(f), [if f == Squashing::Relu { a.map(away) } else { a }]))
            },
        ),
    ]
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
            "a tanh is a sigmoid, stretched: with weights and biases to suit, both networks are the same",
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

fn params() -> Vec<Property> {
    /// The parameters of a layer, by walking the struct.
    fn walked(net: &dyn Parameters<f64>, layer: &str) -> usize {
        let own =
            net.named_parameters().into_iter().filter(|(name, _)| name.split('.').next() == Some(layer));
        own.map(|(_, var)| var.value().len()).sum()
    }
    vec![
        Property::new(
            "lenet-params.published",
            PARAMS,
            "60,000 as published: 156 + 12 + 1,516 + 32 + 48,120 + 10,164",
        )
        .draw(Draw::seed("values"))
        .check(|case| {
            let net = LeNet1998::new(LeNet1998Shape::published(), &mut rng(case.seed("values")))?;
            let layers = [("c1", 156), ("s2", 12), ("c3", 1516), ("s4", 32), ("c5", 48_120), ("f6", 10_164)];
            let off: f64 = layers.iter().map(|(name, count)| apart(walked(&net, name), *count)).sum();
            Ok(off + apart(net.parameter_count(), 60_000) + apart(walked(&net, "codes"), 0))
        }),
        nets("lenet-params.modern", PARAMS, "as many as multiplied out, 61,706 for the sizes of 1998").check(
            |case| {
                let (net, _) = net(case)?;
                let LeNetShape { channels, maps: [a, b], units: [u, v], classes, .. } = net.shape();
                let [.., [h, w]] = net.shape().sizes()?;
                let counted = (25 * channels + 1) * a
                    + (25 * a + 1) * b
                    + (b * h * w + 1) * u
                    + (u + 1) * v
                    + (v + 1) * classes;
                let modern = LeNet::<f64>::new(LeNetShape::mnist(), Squashing::Tanh, &mut rng(1))?;
                Ok(apart(net.parameter_count(), counted) + apart(modern.parameter_count(), 61_706))
            },
        ),
        Property::new(
            "lenet-params.connections",
            PARAMS,
            "the paper's 340,908 connections: each output of each layer counts what it reads, biases too",
        )
        .check(|_| {
            let [c1, s2, c3, s4] = LeNet1998Shape::published().sizes()?.map(|[h, w]| h * w);
            let table = Connections::published();
            let convolutions = c1 * 6 * 26 + c3 * (table.count() * 25 + 16) + 120 * (16 * 25 + 1);
            let subsamplings = s2 * 6 * 5 + s4 * 16 * 5;
            Ok(apart(convolutions + subsamplings + 84 * 121 + 84 * 10, 340_908))
        }),
        composite_gradient_property(
            Property::new(
                "lenet-params.gradient",
                PARAMS,
                "any of the parameters of a small copy of 1998, and the image, have their gradient",
            )
            .draw(Draw::size("n", 1..=2))
            .draw(Draw::size("parameter", 0..=11).limited(0.0..=11.0))
            .draw(Draw::seed("values")),
            |case| {
                let shape = LeNet1998Shape {
                    channels: 1,
                    image: [16, 16],
                    connections: Connections::new(2, &[&[0], &[0, 1], &[1]])?,
                    units: [4, 5],
                    classes: 3,
                };
                let net = LeNet1998::<f64>::new(shape, &mut rng(case.seed("values")))?;
                let (x, which) = (normal(case, 0, &[case.size("n"), 1, 16, 16])?, case.size("parameter"));
                let own = net.named_parameters().swap_remove(which).1.value();
                let f = move |vars: &[Var<f64>]| {
                    let mut own = net.clone();
                    replace(&mut own, which, &vars[1]);
                    own.forward(&vars[0], &mut Mode::Eval)
                };
                Ok((f, vec![x, own]))
            },
        ),
    ]
}
