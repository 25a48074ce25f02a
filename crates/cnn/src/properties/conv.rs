//! The properties of convolution: against sums over a padded image, and of its kernels against each other.

use super::{Values, apart, frame, framed, normal, whole};
use crate::{Algorithm, Convolution, TransposedConvolution, Window, conv_transpose2d, conv2d};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor, Transpose};

pub(super) fn properties() -> Vec<Property> {
    let mut all = forward();
    all.extend(backward());
    all.extend(transposed());
    all
}

const FORWARD: &[&str] = &["conv-forward"];
const BACKWARD: &[&str] = &["conv-backward"];
const TRANSPOSED: &[&str] = &["transposed-conv"];

/// Rounding of sums of a hundred terms of size 1.
const ROUNDING: f64 = 1024.0 * f64::EPSILON;

/// Images, filters and windows with everything that they can have.
fn images(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    let property = Property::new(id, formulas, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("groups", 1..=3))
        .draw(Draw::size("in", 1..=3))
        .draw(Draw::size("out", 1..=3));
    framed(property).draw(Draw::seed("values"))
}

/// What was drawn.
struct Drawn {
    op: Convolution,
    windows: [Window; 2],
    groups: usize,
    x: Tensor<f64>,
    weight: Tensor<f64>,
    bias: Tensor<f64>,
    dy: Tensor<f64>,
}

fn drawn(case: &mut Case<'_>, values: Values) -> Result<Drawn, Failure> {
    let (n, groups) = (case.size("n"), case.size("groups"));
    let (channels, filters) = (groups * case.size("in"), groups * case.size("out"));
    let (windows, image) = frame(case)?;
    case.classify(n == 0, "no images");
    case.classify(groups > 1, "groups");
    case.classify(image == [1, 1], "one pixel");
    let output = [windows[0].output(image[0])?, windows[1].output(image[1])?];
    let taps = windows.map(|w| w.size);
    Ok(Drawn {
        op: Convolution::new(windows).groups(groups),
        windows,
        groups,
        x: values(case, 0, &[n, channels, image[0], image[1]])?,
        weight: values(case, 1, &[filters, channels / groups, taps[0], taps[1]])?,
        bias: values(case, 2, &[filters])?,
        dy: values(case, 3, &[n, filters, output[0], output[1]])?,
    })
}

/// Every way of computing that takes this convolution.
fn ways(drawn: &Drawn) -> Vec<Convolution> {
    let mut all = vec![Algorithm::Automatic, Algorithm::Plain, Algorithm::Unfold, Algorithm::Shift];
    if drawn.weight.dims()[1] == 1 {
        all.push(Algorithm::Depthwise);
    }
    all.into_iter().map(|way| drawn.op.by(way)).collect()
}

/// The formula over an image that is really padded: nothing of the crate's geometry.
fn padded_sum(drawn: &Drawn) -> Result<Tensor<f64>> {
    let &[n, channels, height, width] = drawn.x.dims() else { return Tensor::zeros([0]) };
    let [down, across] = drawn.windows;
    let (rows, columns) =
        (height + down.padding[0] + down.padding[1], width + across.padding[0] + across.padding[1]);
    let mut padded = Tensor::<f64>::zeros([n, channels, rows, columns])?;
    for (i, &x) in drawn.x.as_slice().iter().enumerate() {
        let (plane, row, column) = (i / (height * width), i / width % height, i % width);
        let at = (plane * rows + row + down.padding[0]) * columns + column + across.padding[0];
        padded.as_mut_slice()[at] = x;
    }
    let (group_in, group_out) = (channels / drawn.groups, drawn.bias.len() / drawn.groups);
    Tensor::from_fn(drawn.dy.dims(), |at| {
        let (sample, k, i, j) = (at[0], at[1], at[2], at[3]);
        let mut sum = drawn.bias.as_slice()[k];
        for c in 0..group_in {
            for u in 0..down.size {
                for v in 0..across.size {
                    let channel = sample * channels + k / group_out * group_in + c;
                    let (row, column) =
                        (i * down.stride + u * down.dilation, j * across.stride + v * across.dilation);
                    let w = ((k * group_in + c) * down.size + u) * across.size + v;
                    sum += drawn.weight.as_slice()[w]
                        * padded.as_slice()[(channel * rows + row) * columns + column];
                }
            }
        }
        sum
    })
}

fn forward() -> Vec<Property> {
    vec![
        images(
            "conv-forward.definition",
            FORWARD,
            "computed in any way, it is the sum over the padded image",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let expected = padded_sum(&drawn)?;
            let mut off = 0.0f64;
            for op in ways(&drawn) {
                let y = op.value(&drawn.x, &drawn.weight, Some(&drawn.bias))?;
                off = off.max(y.max_difference(&expected)?);
                let without = op.value(&drawn.x, &drawn.weight, None)?;
                let bias = drawn.bias.reshape([drawn.bias.len(), 1, 1])?;
                off = off.max(without.add(&bias)?.max_difference(&expected)?);
            }
            Ok(off)
        }),
        images(
            "conv-forward.linear",
            FORWARD,
            "without a bias it is linear in the images and in the filters",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let (x, w) = (whole(case, 4, drawn.x.dims())?, whole(case, 5, drawn.weight.dims())?);
            let of = |x: &Tensor<f64>, w: &Tensor<f64>| drawn.op.value(x, w, None);
            let images = of(&drawn.x.add(&x)?, &w)?.max_difference(&of(&drawn.x, &w)?.add(&of(&x, &w)?)?)?;
            let filters =
                of(&x, &drawn.weight.add(&w)?)?.max_difference(&of(&x, &drawn.weight)?.add(&of(&x, &w)?)?)?;
            Ok(images.max(filters))
        }),
        images("conv-forward.groups", FORWARD, "in groups it is the convolution of each group by itself")
            .check(|case| {
                let drawn = drawn(case, whole)?;
                let all = drawn.op.value(&drawn.x, &drawn.weight, Some(&drawn.bias))?;
                let (ins, outs) = (drawn.x.dims()[1] / drawn.groups, drawn.bias.len() / drawn.groups);
                let mut off = 0.0f64;
                for g in 0..drawn.groups {
                    let (from, to) = (g * ins..(g + 1) * ins, g * outs..(g + 1) * outs);
                    let (x, w) = (drawn.x.slice(1, from)?, drawn.weight.slice(0, to.clone())?);
                    let own = conv2d(&x, &w, Some(&drawn.bias.slice(0, to.clone())?), drawn.windows)?;
                    off = off.max(all.slice(1, to)?.max_difference(&own)?);
                }
                Ok(off)
            }),
        images(
            "conv-forward.shift",
            FORWARD,
            "an image moved by one stride gives an output moved by one, but for what came in at the edge",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let stride = drawn.windows[1].stride;
            // The stride's columns come in on the left; then all windows but the first see what their neighbours saw.
            let entering =
                whole(case, 4, &[drawn.x.dims()[0], drawn.x.dims()[1], drawn.x.dims()[2], stride])?;
            let bare = [drawn.windows[0], drawn.windows[1].padded(0)];
            let op = Convolution::new(bare).groups(drawn.groups);
            let columns = drawn.x.dims()[3].max(bare[1].extent()?);
            let x = whole(case, 5, &[drawn.x.dims()[0], drawn.x.dims()[1], drawn.x.dims()[2], columns])?;
            let moved = Tensor::concatenate(&[&entering, &x], 3)?;
            let (y, after) = (op.value(&x, &drawn.weight, None)?, op.value(&moved, &drawn.weight, None)?);
            let count = y.dims()[3];
            Ok(after.slice(3, 1..count + 1)?.max_difference(&y)?)
        }),
        images("conv-forward.delta", FORWARD, "a filter with a single 1 picks one element of each window")
            .check(|case| {
                let drawn = drawn(case, whole)?;
                let [down, across] = drawn.windows;
                let taps = down.size * across.size;
                let tap = (case.seed("values") % taps as u64) as usize;
                let (u, v) = (tap / across.size, tap % across.size);
                let n = drawn.x.dims()[0];
                let channel = drawn.x.slice(1, 0..1)?;
                let weight = Tensor::from_fn([1, 1, down.size, across.size], |at| {
                    f64::from(u8::from(at[2..] == [u, v]))
                })?;
                let y = conv2d(&channel, &weight, None, drawn.windows)?;
                let picked = Tensor::from_fn([n, 1, y.dims()[2], y.dims()[3]], |at| {
                    let row = (at[2] * down.stride + u * down.dilation).checked_sub(down.padding[0]);
                    let column = (at[3] * across.stride + v * across.dilation).checked_sub(across.padding[0]);
                    let inside =
                        row.zip(column).filter(|(r, c)| *r < channel.dims()[2] && *c < channel.dims()[3]);
                    inside.and_then(|(r, c)| channel.get([at[0], 0, r, c]).ok()).unwrap_or(0.0)
                })?;
                Ok(y.max_difference(&picked)?)
            }),
        images(
            "conv-forward.pointwise",
            FORWARD,
            "with one tap it is a product of matrices at each position",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let &[n, channels, height, width] = drawn.x.dims() else { return Ok(f64::NAN) };
            let filters = drawn.bias.len();
            let weight = whole(case, 4, &[filters, channels, 1, 1])?;
            let y = conv2d(&drawn.x, &weight, None, [Window::new(1); 2])?;
            let columns = drawn.x.reshape([n, channels, height * width])?;
            let product =
                weight.reshape([filters, channels])?.product(Transpose::No, &columns, Transpose::No)?;
            Ok(product.reshape(y.shape())?.max_difference(&y)?)
        }),
        images("conv-forward.ones", FORWARD, "of ones with ones it counts the taps that lie on the image")
            .check(|case| {
                let drawn = drawn(case, whole)?;
                let (x, w) = (drawn.x.map(|_| 1.0), drawn.weight.map(|_| 1.0));
                let y = drawn.op.value(&x, &w, None)?;
                let taps = |axis: usize, i: usize| -> Result<usize, Failure> {
                    Ok(drawn.windows[axis].taps(drawn.x.dims()[2 + axis], i)?.count())
                };
                let mut off = 0.0f64;
                for i in 0..y.dims()[2] {
                    for j in 0..y.dims()[3] {
                        let count = taps(0, i)? * taps(1, j)? * w.dims()[1];
                        for plane in y.as_slice().chunks_exact(y.dims()[2] * y.dims()[3]) {
                            off = off.max(apart(plane[i * y.dims()[3] + j] as usize, count));
                        }
                    }
                }
                Ok(off)
            }),
        images("conv-forward.nan", FORWARD, "a NaN reaches exactly the outputs whose window lies on it")
            .check(|case| {
                let drawn = drawn(case, whole)?;
                let &[n, channels, height, width] = drawn.x.dims() else { return Ok(f64::NAN) };
                if n == 0 {
                    return Ok(0.0);
                }
                let weight = drawn.weight.map(|_| 1.0);
                let pixel = (case.seed("values") % (height * width) as u64) as usize;
                let channel = (case.seed("values") / 7 % channels as u64) as usize;
                let mut x = drawn.x.clone();
                x.as_mut_slice()[channel * height * width + pixel] = f64::NAN;
                let reads = |axis: usize, position: usize, element: usize| -> Result<bool, Failure> {
                    let taps = drawn.windows[axis].taps(drawn.x.dims()[2 + axis], position)?;
                    Ok(taps.elements().any(|e| e == element))
                };
                let group = channel / (channels / drawn.groups);
                let filters = drawn.bias.len() / drawn.groups;
                let mut wrong = 0;
                for op in ways(&drawn) {
                    let y = op.value(&x, &weight, None)?;
                    for (at, value) in y.as_slice().iter().enumerate() {
                        let (plane, i, j) = (
                            at / (y.dims()[2] * y.dims()[3]),
                            at / y.dims()[3] % y.dims()[2],
                            at % y.dims()[3],
                        );
                        let lies = plane < drawn.bias.len()
                            && plane / filters == group
                            && reads(0, i, pixel / width)?
                            && reads(1, j, pixel % width)?;
                        wrong += usize::from(value.is_nan() != lies);
                    }
                }
                Ok(wrong as f64)
            }),
        images(
            "conv-forward.rectified",
            FORWARD,
            "with the ReLU that follows, all ways of computing give max(0, y) to the bit; a NaN stays one",
        )
        .draw(Draw::choice("values_are", &["numbers", "numbers and a NaN"]))
        .draw(Draw::choice("bias", &["yes", "no"]))
        .check(|case| {
            let drawn = drawn(case, normal)?;
            let (mut x, bias) = (drawn.x.clone(), Some(&drawn.bias).filter(|_| case.choice("bias") == "yes"));
            if case.choice("values_are") != "numbers" && !x.is_empty() {
                let place = (case.seed("values") % x.len() as u64) as usize;
                x.as_mut_slice()[place] = f64::NAN;
            }
            let mut wrong = 0;
            let tiles = [Algorithm::Winograd2, Algorithm::Winograd4].map(|way| drawn.op.by(way));
            for op in ways(&drawn).into_iter().chain(tiles) {
                // Tiles do not take all windows.
                let Ok(plain) = op.value(&x, &drawn.weight, bias) else { continue };
                let rectified = op.rectified(&x, &drawn.weight, bias)?;
                let same = |(y, plain): (&f64, &f64)| match plain.is_nan() {
                    true => y.is_nan(),
                    false => y.to_bits() == if *plain > 0.0 { plain.to_bits() } else { 0 },
                };
                wrong +=
                    rectified.as_slice().iter().zip(plain.as_slice()).filter(|both| !same(*both)).count();
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "conv-forward.tiles",
            &["conv-forward", "conv-backward"],
            "an image that is unfolded, or shifted, in several pieces gives what the loops give",
        )
        .check(|_| {
            // 3·25 taps times 40 columns in double precision are 24 kB a row: eleven rows at once. The last tile of the last image has fewer rows: what
            // the one before left in its place has other columns.
            let tiled = [
                (Algorithm::Unfold, 2, [3, 3, 37, 79]),
                (Algorithm::Shift, 1, [2, 12, 61, 79]),
                (Algorithm::Shift, 2, [2, 12, 121, 79]),
            ];
            let number = |at: &[usize]| {
                (at.iter().zip([7, 5, 3, 11]).map(|(i, f)| i * f).sum::<usize>() % 9) as f64 - 4.0
            };
            let mut off = 0.0f64;
            for (way, stride, dims) in tiled {
                let window = Window::new(5).padded(2);
                let op = Convolution::new([window, window.stride(stride)]);
                let (op, plain) = (op.by(way), op.by(Algorithm::Plain));
                let (x, w) = (Tensor::from_fn(dims, number)?, Tensor::from_fn([4, dims[1], 5, 5], number)?);
                let y = op.value(&x, &w, None)?;
                let dy = Tensor::from_fn(y.dims(), number)?;
                off = off.max_or_nan(y.max_difference(&plain.value(&x, &w, None)?)?);
                let gradients = op.vjp([&x, &w], &(), &dy, [true; 2])?;
                for (own, theirs) in gradients.iter().zip(&plain.vjp([&x, &w], &(), &dy, [true; 2])?) {
                    let (Some(own), Some(theirs)) = (own, theirs) else { return Ok(f64::NAN) };
                    off = off.max_or_nan(own.max_difference(theirs)?);
                }
            }
            Ok(off)
        }),
        images("conv-forward.rounding", FORWARD, "of real numbers all ways agree to rounding")
            .within("rounding of sums of a hundred terms", ROUNDING)
            .check(|case| {
                let drawn = drawn(case, normal)?;
                let plain =
                    drawn.op.by(Algorithm::Plain).value(&drawn.x, &drawn.weight, Some(&drawn.bias))?;
                let mut off = 0.0f64;
                for op in ways(&drawn) {
                    off = off
                        .max(op.value(&drawn.x, &drawn.weight, Some(&drawn.bias))?.max_difference(&plain)?);
                }
                Ok(off)
            }),
    ]
}

/// ⟨a, b⟩, 0 of nothing.
fn inner(a: &Option<Tensor<f64>>, b: &Tensor<f64>) -> Result<f64, Failure> {
    let a = a.as_ref().ok_or_else(|| Failure::Error("a gradient is missing".into()))?;
    Ok(a.dot(b)?)
}

fn backward() -> Vec<Property> {
    vec![
        images(
            "conv-backward.adjoint",
            BACKWARD,
            "⟨x ∗ w, dy⟩ = ⟨x, ∂x⟩ = ⟨w, ∂w⟩, in every way of computing; and ⟨b, ∂b⟩ is the bias' share",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let mut off = 0.0f64;
            for op in ways(&drawn) {
                let product = op.value(&drawn.x, &drawn.weight, None)?.dot(&drawn.dy)?;
                let inputs = [&drawn.x, &drawn.weight, &drawn.bias];
                let [dx, dw, db] = op.vjp(inputs, &(), &drawn.dy, [true; 3])?;
                let biased = op.value(&drawn.x, &drawn.weight, Some(&drawn.bias))?.dot(&drawn.dy)?;
                off = off
                    .max((inner(&dx, &drawn.x)? - product).abs())
                    .max((inner(&dw, &drawn.weight)? - product).abs())
                    .max((inner(&db, &drawn.bias)? - (biased - product)).abs());
            }
            Ok(off)
        }),
        images("conv-backward.ways", BACKWARD, "every way of computing gives the same gradients").check(|case| {
            let drawn = drawn(case, whole)?;
            let gradients = |op: Convolution| -> Result<[Option<Tensor<f64>>; 2]> {
                op.vjp([&drawn.x, &drawn.weight], &(), &drawn.dy, [true; 2])
            };
            let plain = gradients(drawn.op.by(Algorithm::Plain))?;
            let mut off = 0.0f64;
            for op in ways(&drawn) {
                for (own, plain) in gradients(op)?.iter().zip(&plain) {
                    let (Some(own), Some(plain)) = (own, plain) else { return Ok(f64::NAN) };
                    off = off.max(own.max_difference(plain)?);
                }
            }
            Ok(off)
        }),
        images(
            "conv-backward.one-output",
            BACKWARD,
            "of a single output the gradient in x is the filter laid on its window, and that in w what lies below it",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            if drawn.dy.is_empty() {
                return Ok(0.0);
            }
            let at = (case.seed("values") % drawn.dy.len() as u64) as usize;
            let mut dy = drawn.dy.map(|_| 0.0);
            dy.as_mut_slice()[at] = 1.0;
            let [dx, dw] = drawn.op.vjp([&drawn.x, &drawn.weight], &(), &dy, [true; 2])?;
            let (Some(dx), Some(dw)) = (dx, dw) else { return Ok(f64::NAN) };
            let [down, across] = drawn.windows;
            let &[_, filters, rows, columns] = dy.dims() else { return Ok(f64::NAN) };
            let (sample, k) = (at / (filters * rows * columns), at / (rows * columns) % filters);
            let (i, j) = (at / columns % rows, at % columns);
            let (channels, group) = (drawn.x.dims()[1], drawn.weight.dims()[1]);
            let (mut laid, mut below) = (dx.map(|_| 0.0), dw.map(|_| 0.0));
            for c in 0..group {
                let plane = sample * channels + k / (filters / drawn.groups) * group + c;
                for u in down.taps(drawn.x.dims()[2], i)? {
                    for v in across.taps(drawn.x.dims()[3], j)? {
                        let x = (plane * drawn.x.dims()[2] + u.element) * drawn.x.dims()[3] + v.element;
                        let w = ((k * group + c) * down.size + u.tap) * across.size + v.tap;
                        laid.as_mut_slice()[x] += drawn.weight.as_slice()[w];
                        below.as_mut_slice()[w] += drawn.x.as_slice()[x];
                    }
                }
            }
            Ok(dx.max_difference(&laid)?.max(dw.max_difference(&below)?))
        }),
        Property::new(
            "conv-backward.nine",
            &["conv-backward", "conv-forward"],
            "nine taps of each channel by itself give what the loops give, in rows of any length",
        )
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=4))
        .draw(Draw::size("multiplier", 1..=3))
        .draw(Draw::size("dilation", 1..=2))
        .draw(Draw::size("before", 0..=3))
        .draw(Draw::size("after", 0..=3))
        .draw(Draw::size("height", 5..=9))
        .draw(Draw::size("width", 5..=70))
        .draw(Draw::seed("values"))
        .check(|case| {
            let (n, channels, filters) = (case.size("n"), case.size("channels"), case.size("multiplier"));
            let window =
                Window::new(3).dilation(case.size("dilation")).padded_by(case.size("before"), case.size("after"));
            let size = [case.size("height"), case.size("width")];
            let output = [window.output(size[0])?, window.output(size[1])?];
            let op = Convolution::new([window; 2]).groups(channels);
            let x = whole(case, 0, &[n, channels, size[0], size[1]])?;
            let w = whole(case, 1, &[channels * filters, 1, 3, 3])?;
            let dy = whole(case, 2, &[n, channels * filters, output[0], output[1]])?;
            let (own, plain) = (op.by(Algorithm::Depthwise), op.by(Algorithm::Plain));
            let mut off = own.value(&x, &w, None)?.max_difference(&plain.value(&x, &w, None)?)?;
            let both = own.vjp([&x, &w], &(), &dy, [true; 2])?.into_iter().zip(plain.vjp(
                [&x, &w],
                &(),
                &dy,
                [true; 2],
            )?);
            for (own, plain) in both {
                let (Some(own), Some(plain)) = (own, plain) else { return Ok(f64::NAN) };
                off = off.max_or_nan(own.max_difference(&plain)?);
            }
            Ok(off)
        }),
        gradient_property(
            images("conv-backward.gradient", BACKWARD, "the gradients in x, w and b"),
            |case| {
                let drawn = drawn(case, normal)?;
                Ok((drawn.op, [drawn.x, drawn.weight, drawn.bias]))
            },
        ),
        gradient_property(
            images("conv-backward.gradient-without-bias", BACKWARD, "the gradients in x and w without a bias"),
            |case| {
                let drawn = drawn(case, normal)?;
                Ok((drawn.op.by(Algorithm::Unfold), [drawn.x, drawn.weight]))
            },
        ),
    ]
}

/// The transpose of a drawn convolution, with the output padding that leads back to its images: dy goes in, and what has the shape of x
/// comes out.
fn way_back(drawn: &Drawn) -> Result<TransposedConvolution, Failure> {
    let mut output_padding = [0; 2];
    for (axis, padding) in output_padding.iter_mut().enumerate() {
        let least = *drawn.windows[axis].inputs_for(drawn.dy.dims()[2 + axis])?.start();
        *padding = drawn.x.dims()[2 + axis] - least;
    }
    Ok(TransposedConvolution::new(drawn.windows).groups(drawn.groups).output_padding(output_padding))
}

/// Cases in which the way back exists: the smallest image of an output may be cut off by the padding.
fn returning(case: &mut Case<'_>, values: Values) -> Result<Option<(Drawn, TransposedConvolution)>, Failure> {
    let drawn = drawn(case, values)?;
    let op = way_back(&drawn)?;
    let exists = drawn
        .windows
        .iter()
        .enumerate()
        .all(|(axis, window)| window.transposed_output(drawn.dy.dims()[2 + axis], 0).is_ok());
    case.classify(!exists, "everything is cut off");
    Ok(exists.then_some((drawn, op)))
}

fn transposed() -> Vec<Property> {
    vec![
        images(
            "transposed-conv.adjoint",
            TRANSPOSED,
            "it is the transpose: ⟨x ∗ w, z⟩ = ⟨x, z ∗ᵀ w⟩, in every way of computing, for all that a window can have",
        )
        .check(|case| {
            let Some((drawn, op)) = returning(case, whole)? else { return Ok(0.0) };
            let product = drawn.op.value(&drawn.x, &drawn.weight, None)?.dot(&drawn.dy)?;
            let mut off = 0.0f64;
            let mut ways = vec![Algorithm::Automatic, Algorithm::Plain, Algorithm::Unfold, Algorithm::Shift];
            if drawn.weight.dims()[1] == 1 {
                ways.push(Algorithm::Depthwise);
            }
            for way in ways {
                let back = op.by(way).value(&drawn.dy, &drawn.weight, None)?;
                off = off.max((back.dot(&drawn.x)? - product).abs());
            }
            Ok(off)
        }),
        images("transposed-conv.definition", TRANSPOSED, "each pixel lays the filter, times its value, on the output; the function does it with one group, and leaves out the rows and columns that have to be asked for").check(
            |case| {
                let Some((drawn, op)) = returning(case, whole)? else { return Ok(0.0) };
                let channels = drawn.x.dims()[1];
                let bias = whole(case, 4, &[channels])?;
                let back = op.value(&drawn.dy, &drawn.weight, Some(&bias))?;
                let [down, across] = drawn.windows;
                let &[n, _, height, width] = drawn.x.dims() else { return Ok(f64::NAN) };
                let mut expected = Tensor::from_fn([n, channels, height, width], |at| bias.as_slice()[at[1]])?;
                let &[_, filters, rows, columns] = drawn.dy.dims() else { return Ok(f64::NAN) };
                let group = drawn.weight.dims()[1];
                for (t, &z) in drawn.dy.as_slice().iter().enumerate() {
                    let (sample, k) = (t / (filters * rows * columns), t / (rows * columns) % filters);
                    let (i, j) = (t / columns % rows, t % columns);
                    for (w, &weight) in drawn.weight.as_slice()[k * group * down.size * across.size..]
                        [..group * down.size * across.size]
                        .iter()
                        .enumerate()
                    {
                        let (c, u, v) =
                            (w / (down.size * across.size), w / across.size % down.size, w % across.size);
                        let row = (i * down.stride + u * down.dilation).checked_sub(down.padding[0]);
                        let column = (j * across.stride + v * across.dilation).checked_sub(across.padding[0]);
                        let channel = k / (filters / drawn.groups) * group + c;
                        if let (Some(row), Some(column)) = (row, column)
                            && row < height
                            && column < width
                        {
                            let at = ((sample * channels + channel) * height + row) * width + column;
                            expected.as_mut_slice()[at] += weight * z;
                        }
                    }
                }
                let mut off = back.max_difference(&expected)?;
                if drawn.groups == 1 {
                    let function = conv_transpose2d(&drawn.dy, &drawn.weight, Some(&bias), drawn.windows)?;
                    let [least, least2] = [down.transposed_output(rows, 0)?, across.transposed_output(columns, 0)?];
                    off = off.max_or_nan(function.max_difference(&expected.slice(2, 0..least)?.slice(3, 0..least2)?)?);
                }
                Ok(off)
            },
        ),
        images(
            "transposed-conv.gradients",
            TRANSPOSED,
            "its gradients are those of the convolution with the parts exchanged",
        )
        .check(|case| {
            let Some((drawn, op)) = returning(case, whole)? else { return Ok(0.0) };
            // Here dy is the input, and x has the shape of the output.
            let [dz, dw] = op.vjp([&drawn.dy, &drawn.weight], &(), &drawn.x, [true; 2])?;
            let (Some(dz), Some(dw)) = (dz, dw) else { return Ok(f64::NAN) };
            let y = drawn.op.value(&drawn.x, &drawn.weight, None)?;
            let [_, theirs] = drawn.op.vjp([&drawn.x, &drawn.weight], &(), &drawn.dy, [false, true])?;
            let Some(theirs) = theirs else { return Ok(f64::NAN) };
            Ok(dz.max_difference(&y)?.max(dw.max_difference(&theirs)?))
        }),
        gradient_property(images("transposed-conv.gradient", TRANSPOSED, "the gradients in x, w and b"), |case| {
            let drawn = drawn(case, normal)?;
            // Without padding nothing is cut off.
            let windows = drawn.windows.map(|w| w.padded(0));
            let bias = normal(case, 4, &[drawn.x.dims()[1]])?;
            let op = TransposedConvolution::new(windows).groups(drawn.groups);
            Ok((op, [drawn.dy, drawn.weight, bias]))
        }),
    ]
}
