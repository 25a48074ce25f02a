//! The properties of padding: against sequences that are really continued.

use super::layers::{holds, of, shape, weights};
use super::{framed, normal, whole};
use crate::{Conv2d, Convolution, Pad, PaddingMode, Window, conv2d};
use gradus_autograd::{Layer, Mode, Op, Var, composite_gradient_property, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Error, Result, Scalar, Tensor};

const PADDING: &[&str] = &["padding-modes"];
const MODES: &[&str] = &["zeros", "constant", "reflect", "replicate", "circular"];
const CONSTANT: f64 = 2.5;

/// Rounding of sums of a few dozen terms.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

fn padded(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, PADDING, statement)
        .draw(Draw::choice("mode", MODES))
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::size("c", 1..=2))
        .draw(Draw::size("h", 1..=5))
        .draw(Draw::size("w", 1..=5))
        .draw(Draw::size("above", 0..=6))
        .draw(Draw::size("below", 0..=6))
        .draw(Draw::size("left", 0..=6))
        .draw(Draw::size("right", 0..=6))
        .draw(Draw::seed("values"))
}

fn mode_of(case: &mut Case<'_>) -> PaddingMode {
    match case.choice("mode") {
        "constant" => PaddingMode::Constant(CONSTANT),
        "reflect" => PaddingMode::Reflect,
        "replicate" => PaddingMode::Replicate,
        "circular" => PaddingMode::Circular,
        _ => PaddingMode::Zeros,
    }
}

/// The most that a mode can add on a side.
fn most(mode: PaddingMode, n: usize) -> usize {
    match mode {
        PaddingMode::Reflect => n - 1,
        PaddingMode::Circular => n,
        _ => usize::MAX,
    }
}

struct Drawn {
    mode: PaddingMode,
    dims: [usize; 4],
    padding: [[usize; 2]; 2],
}

impl Drawn {
    fn op(&self) -> Pad {
        Pad::new(self.padding).mode(self.mode)
    }
}

fn drawn(case: &mut Case<'_>) -> Drawn {
    let mode = mode_of(case);
    let dims = [case.size("n"), case.size("c"), case.size("h"), case.size("w")];
    let sides = [["above", "below"], ["left", "right"]];
    let padding = [0, 1].map(|axis| sides[axis].map(|side| case.size(side).min(most(mode, dims[2 + axis]))));
    case.classify(dims[0] == 0, "no images");
    case.classify(padding == [[0; 2]; 2], "no padding");
    case.classify(padding.iter().any(|[before, after]| before != after), "uneven padding");
    Drawn { mode, dims, padding }
}

/// Which element stands at each place of an axis, read from a sequence that is continued on both sides.
fn continued(mode: PaddingMode, [before, after]: [usize; 2], n: usize) -> Vec<Option<usize>> {
    let own: Vec<Option<usize>> = (0..n).map(Some).collect();
    let turned = |range: std::ops::Range<usize>| range.rev().map(Some).collect::<Vec<_>>();
    let (left, right) = match mode {
        PaddingMode::Reflect => (turned(1..n), turned(0..n - 1)),
        PaddingMode::Circular => (own.clone(), own.clone()),
        PaddingMode::Replicate => (vec![Some(0); before], vec![Some(n - 1); after]),
        _ => (vec![None; before], vec![None; after]),
    };
    let from = left.len() - before;
    let all = [left, own, right].concat();
    all[from..from + before + n + after].to_vec()
}

/// The padded images, place by place.
fn expected(drawn: &Drawn, x: &Tensor<f64>) -> Result<Tensor<f64>> {
    let [n, c, h, w] = drawn.dims;
    let [rows, columns] = [(0, h), (1, w)].map(|(axis, n)| continued(drawn.mode, drawn.padding[axis], n));
    let fill = if drawn.mode == PaddingMode::Constant(CONSTANT) { CONSTANT } else { 0.0 };
    Tensor::from_fn([n, c, rows.len(), columns.len()], |at| {
        let place = rows[at[2]].zip(columns[at[3]]);
        place.map_or(fill, |(i, j)| x.as_slice()[((at[0] * c + at[1]) * h + i) * w + j])
    })
}

fn gradient(op: &Pad, x: &Tensor<f64>, dy: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let [dx] = op.vjp([x], &(), dy, [true])?;
    dx.ok_or_else(|| Failure::Error("a gradient is missing".into()))
}

/// The columns moved on by so many, those that leave coming in again.
fn rolled(x: &Tensor<f64>, axis: usize, by: usize) -> Result<Tensor<f64>> {
    let n = x.dims()[axis];
    let by = by % n;
    Tensor::concatenate(&[&x.slice(axis, n - by..n)?, &x.slice(axis, 0..n - by)?], axis)
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = values();
    all.extend(gradients());
    all.extend(convolved());
    all
}

fn values() -> Vec<Property> {
    vec![
        padded(
            "padding-modes.definition",
            "it is the images with their rows and columns continued, to the bit, a NaN too",
        )
        .check(|case| {
            let drawn = drawn(case);
            let mut x = normal(case, 0, &drawn.dims)?;
            if !x.is_empty() {
                let at = (case.seed("values") % x.len() as u64) as usize;
                x.as_mut_slice()[at] = f64::NAN;
            }
            Ok(holds(drawn.op().eval([&x])?.same_bits(&expected(&drawn, &x)?)))
        }),
        padded("padding-modes.constants", "all but zeros keep a constant image").check(|case| {
            let drawn = drawn(case);
            let y = drawn.op().eval([&Tensor::full(drawn.dims, CONSTANT)?])?;
            let inside = |at: usize, [before, _]: [usize; 2], n: usize| (before..before + n).contains(&at);
            let [.., h, w] = drawn.dims;
            let expected = Tensor::from_fn(y.dims(), |at| {
                let own = inside(at[2], drawn.padding[0], h) && inside(at[3], drawn.padding[1], w);
                if own || drawn.mode != PaddingMode::Zeros { CONSTANT } else { 0.0 }
            })?;
            Ok(y.max_difference(&expected)?)
        }),
        padded(
            "padding-modes.mirror",
            "reflected, it is symmetric about its outermost pixels, which stand there once",
        )
        .check(|case| {
            let mut drawn = drawn(case);
            drawn.mode = PaddingMode::Reflect;
            let [.., h, w] = drawn.dims;
            drawn.padding = [(0, h), (1, w)].map(|(axis, n)| drawn.padding[axis].map(|p| p.min(n - 1)));
            let y = drawn.op().eval([&normal(case, 0, &drawn.dims)?])?;
            let mut off = 0.0f64;
            for (axis, n) in [(2, h), (3, w)] {
                let [before, after] = drawn.padding[axis - 2];
                let (first, last) = (before, before + n - 1);
                for (edge, reach) in [(first, before), (last, after)] {
                    for k in 0..=reach {
                        let (a, b) = (y.select(axis, edge - k.min(edge))?, y.select(axis, edge + k)?);
                        off = off.max(a.max_difference(&b)?);
                    }
                }
            }
            Ok(off)
        }),
        padded(
            "padding-modes.period",
            "circular, a whole turn of padding on each side repeats the images three times",
        )
        .check(|case| {
            let dims = drawn(case).dims;
            let x = normal(case, 0, &dims)?;
            let [.., h, w] = dims;
            let y = Pad::new([[h, h], [w, w]]).mode(PaddingMode::Circular).eval([&x])?;
            let tall = Tensor::concatenate(&[&x, &x, &x], 2)?;
            Ok(holds(y.same_bits(&Tensor::concatenate(&[&tall, &tall, &tall], 3)?)))
        }),
        padded(
            "padding-modes.refused",
            "a side larger than the mode can make is refused, and so is an image of nothing",
        )
        .check(|case| {
            let drawn = drawn(case);
            let x = Tensor::<f64>::zeros(drawn.dims)?;
            let [.., h, w] = drawn.dims;
            let refused = |padding: [[usize; 2]; 2]| {
                let result = Pad::new(padding).mode(drawn.mode).eval([&x]);
                matches!(result, Err(Error::Argument { name: "padding", .. } | Error::TooLarge { .. }))
            };
            let mut all = true;
            for (axis, n) in [(0, h), (1, w)] {
                for side in [0, 1] {
                    let mut padding = drawn.padding;
                    padding[axis][side] = most(drawn.mode, n);
                    padding[axis][1 - side] = 0;
                    if padding[axis][side] < usize::MAX {
                        all &= !refused(padding);
                        padding[axis][side] += 1;
                    }
                    all &= refused(padding);
                }
            }
            let [n, c, ..] = drawn.dims;
            let empty = drawn.op().eval([&Tensor::<f64>::zeros([n, c, 0, w])?]);
            let vector = drawn.op().eval([&Tensor::<f64>::zeros([w])?]);
            Ok(holds(all && empty.is_err() && matches!(vector, Err(Error::Shape { .. }))))
        }),
    ]
}

fn gradients() -> Vec<Property> {
    vec![
        padded("padding-modes.adjoint", "⟨pad(x), dy⟩ = ⟨x, ∂x⟩, but for what a constant adds").check(
            |case| {
                let drawn = drawn(case);
                let (op, x) = (drawn.op(), whole(case, 0, &drawn.dims)?);
                let y = op.eval([&x])?;
                let dy = whole(case, 1, y.dims())?;
                let linear = y.sub(&op.eval([&x.zeros_like()])?)?;
                Ok((linear.dot(&dy)? - x.dot(&gradient(&op, &x, &dy)?)?).abs())
            },
        ),
        padded("padding-modes.copies", "of ones the gradient counts each element's copies").check(|case| {
            let drawn = drawn(case);
            let (op, x) = (drawn.op(), whole(case, 0, &drawn.dims)?);
            let dx = gradient(&op, &x, &op.eval([&x])?.map(|_| 1.0))?;
            let [.., h, w] = drawn.dims;
            let [rows, columns] =
                [(0, h), (1, w)].map(|(axis, n)| continued(drawn.mode, drawn.padding[axis], n));
            let copies =
                |places: &[Option<usize>], at: usize| places.iter().filter(|p| **p == Some(at)).count();
            let expected =
                Tensor::from_fn(drawn.dims, |at| (copies(&rows, at[2]) * copies(&columns, at[3])) as f64)?;
            Ok(dx.max_difference(&expected)?)
        }),
        gradient_property(padded("padding-modes.gradient", "the gradient in x"), |case| {
            let drawn = drawn(case);
            Ok((drawn.op(), [normal(case, 0, &drawn.dims)?]))
        }),
    ]
}

/// A layer whose windows' padding the drawn mode can make.
fn layer(case: &mut Case<'_>) -> Result<(Conv2d<f64>, Tensor<f64>, PaddingMode), Failure> {
    let mode = mode_of(case);
    let n = case.size("n");
    let (mut shape, mut image) = shape(case)?;
    for (window, elements) in shape.windows.iter_mut().zip(&mut image) {
        // Reflected, an image must be larger than its padding.
        let [before, after] = window.padding;
        *elements = (*elements).max(before.max(after) + 1);
    }
    let (weight, bias) = weights(case, &shape, whole)?;
    let x = whole(case, 0, &[n, shape.in_channels, image[0], image[1]])?;
    Ok((Conv2d::from_tensors(shape, weight, bias)?.padding_mode(mode), x, mode))
}

fn layers(id: &'static str, statement: &'static str) -> Property {
    let property = Property::new(id, PADDING, statement)
        .draw(Draw::choice("mode", MODES))
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::size("groups", 1..=2))
        .draw(Draw::size("in", 1..=2))
        .draw(Draw::size("out", 1..=2))
        .draw(Draw::choice("bias", &["yes", "no"]));
    framed(property).draw(Draw::seed("values"))
}

fn convolved() -> Vec<Property> {
    vec![
        layers(
            "padding-modes.value",
            "without a graph the layer gives the same for each mode, and with the ReLU behind it max(0, y)",
        )
        .check(|case| {
            let (layer, x, _) = layer(case)?;
            let y = of(&layer, &x)?;
            let off = layer.value(&x, false)?.max_difference(&y)?;
            Ok(off.max_or_nan(layer.value(&x, true)?.max_difference(&y.map(|y| y.max(0.0)))?))
        }),
        layers(
            "padding-modes.convolution",
            "a convolution of images padded with zeros is the padded convolution",
        )
        .check(|case| {
            let (layer, x, _) = layer(case)?;
            let shape = layer.shape();
            let padded = Pad::of(shape.windows).eval([&x])?;
            let bare = Convolution::new(shape.windows.map(|w| w.padded(0))).groups(shape.groups);
            let own = Convolution::new(shape.windows).groups(shape.groups);
            let weight = layer.weight.value();
            Ok(own.value(&x, &weight, None)?.max_difference(&bare.value(&padded, &weight, None)?)?)
        }),
        layers(
            "padding-modes.layer",
            "a layer with a padding mode is the convolution of the continued images",
        )
        .check(|case| {
            let (layer, x, mode) = layer(case)?;
            let shape = layer.shape();
            let &[n, c, h, w] = x.dims() else { return Ok(f64::NAN) };
            let padding = shape.windows.map(|w| w.padding);
            let padded = expected(&Drawn { mode, dims: [n, c, h, w], padding }, &x)?;
            let bare = Convolution::new(shape.windows.map(|w| w.padded(0))).groups(shape.groups);
            let bias = layer.bias.as_ref().map(|bias| bias.value());
            let expected = bare.value(&padded, &layer.weight.value(), bias.as_ref())?;
            Ok(of(&layer, &x)?.max_difference(&expected)?)
        }),
        Property::new(
            "padding-modes.rolls",
            PADDING,
            "a circular convolution of stride 1 may change places with a roll of the images",
        )
        .draw(Draw::size("down", 1..=4))
        .draw(Draw::size("across", 1..=4))
        .draw(Draw::size("dilation", 1..=2))
        .draw(Draw::size("more", 0..=4))
        .draw(Draw::size("rows", 0..=9))
        .draw(Draw::size("columns", 0..=9))
        .draw(Draw::seed("values"))
        .check(|case| {
            let windows = [case.size("down"), case.size("across")]
                .map(|size| Window::new(size).dilation(case.size("dilation")));
            let windows = [windows[0].same()?, windows[1].same()?];
            let [h, w] = [windows[0].extent()?, windows[1].extent()?].map(|e| e + case.size("more"));
            let x = whole(case, 0, &[2, 2, h, w])?;
            let weight = whole(case, 1, &[3, 2, windows[0].size, windows[1].size])?;
            let (rows, columns) = (case.size("rows"), case.size("columns"));
            let roll = |x: &Tensor<f64>| rolled(&rolled(x, 2, rows)?, 3, columns);
            let conv = |x: &Tensor<f64>| -> Result<Tensor<f64>> {
                let padded = Pad::of(windows).mode(PaddingMode::Circular).eval([x])?;
                conv2d(&padded, &weight, None, windows.map(|w| w.padded(0)))
            };
            Ok(conv(&roll(&x)?)?.max_difference(&roll(&conv(&x)?)?)?)
        }),
        layers(
            "padding-modes.constant-image",
            "without zeros, a constant image gives a constant output: no edge is seen",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (layer, x, mode) = layer(case)?;
            if mode == PaddingMode::Zeros {
                return Ok(0.0);
            }
            let y = of(&layer, &x.map(|_| CONSTANT))?;
            let plane: usize = y.dims()[2..].iter().product();
            let apart = |plane: &[f64]| plane.iter().fold(0.0, |off: f64, y| off.max((y - plane[0]).abs()));
            Ok(y.as_slice().chunks_exact(plane).map(apart).fold(0.0, f64::max))
        }),
        composite_gradient_property(
            layers("padding-modes.layer-gradient", "the gradients of such a layer in x and its weights"),
            |case| {
                let (layer, x, _) = layer(case)?;
                let inputs = vec![x, layer.weight.value()];
                let f = move |p: &[Var<f64>]| {
                    let mut layer = layer.clone();
                    layer.weight = p[1].clone();
                    layer.forward(&p[0], &mut Mode::Eval)
                };
                Ok((f, inputs))
            },
        ),
    ]
}
