//! The properties of minimal filtering, against the loops: exact where it can be, within its stated errors where not.

use super::{Values, normal, whole};
use crate::{Algorithm, Convolution, Window};
use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor};

const FORMULAS: &[&str] = &["conv-forward", "conv-backward"];

/// Of single precision by tiles of 4×4: the root mean square of the errors, and the largest, as parts of the outputs' root mean square.
/// Half of what is stated for any number of channels: here there are twenty at most.
const FOUR: [f64; 2] = [2e-6, 3e-5];

/// The same by tiles of 2×2, and by the loops.
const TWO: [f64; 2] = [6e-7, 9e-6];

fn images(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, FORMULAS, statement)
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("in", 1..=20))
        .draw(Draw::size("out", 1..=40))
        .draw(Draw::size("height", 1..=13))
        .draw(Draw::size("width", 1..=13))
        .draw(Draw::size("before", 0..=2))
        .draw(Draw::size("after", 0..=2))
        .draw(Draw::seed("values"))
}

struct Drawn {
    op: Convolution,
    windows: [Window; 2],
    /// x, weight, bias, dy.
    tensors: [Tensor<f64>; 4],
}

fn drawn(case: &mut Case<'_>, values: Values) -> Result<Drawn, Failure> {
    let (n, channels, filters) = (case.size("n"), case.size("in"), case.size("out"));
    let (before, after) = (case.size("before"), case.size("after"));
    // At least one window fits.
    let windows = [Window::new(3).padded_by(before, after), Window::new(3).padded_by(after, before.max(1))];
    let size = [case.size("height"), case.size("width")].map(|n| n.max(3));
    let output = [windows[0].output(size[0])?, windows[1].output(size[1])?];
    case.classify(output.iter().all(|n| n % 4 != 0), "tiles at the edge");
    case.classify(channels % 16 == 0 || filters % 32 == 0, "whole panels");
    Ok(Drawn {
        op: Convolution::new(windows),
        windows,
        tensors: [
            values(case, 0, &[n, channels, size[0], size[1]])?,
            values(case, 1, &[filters, channels, 3, 3])?,
            values(case, 2, &[filters])?,
            values(case, 3, &[n, filters, output[0], output[1]])?,
        ],
    })
}

/// The output, and the gradients of x and of the filters.
fn all<T: Scalar>(
    op: Convolution,
    [x, weight, bias, dy]: &[Tensor<T>; 4],
) -> Result<[Tensor<T>; 3], Failure> {
    let y = op.value(x, weight, Some(bias))?;
    let [Some(dx), Some(dw)] = op.vjp([x, weight], &(), dy, [true; 2])? else {
        return Err(Failure::Error("a gradient is missing".into()));
    };
    Ok([y, dx, dw])
}

/// The root mean square of the differences, and the largest, as parts of the expected numbers' root mean square.
fn errors<T: Scalar>(got: &Tensor<T>, expected: &Tensor<f64>) -> [f64; 2] {
    let differences = got.as_slice().iter().zip(expected.as_slice()).map(|(x, y)| x.as_f64() - y);
    let mean = |sum: f64| (sum / expected.len() as f64).sqrt();
    let scale = mean(expected.as_slice().iter().map(|y| y * y).sum());
    let root = mean(differences.clone().map(|d| d * d).sum());
    [root / scale, differences.fold(0.0, |most: f64, d| most.max_or_nan(d.abs())) / scale]
}

/// The larger of the errors of single precision, as parts of what is allowed.
fn single(drawn: &Drawn, way: Algorithm, allowed: [f64; 2]) -> Result<f64, Failure> {
    let singles = drawn.tensors.each_ref().map(|t| t.map(|x| x as f32));
    // The same numbers in double precision.
    let doubles = singles.each_ref().map(|t| t.map(f64::from));
    let expected = all(drawn.op.by(Algorithm::Plain), &doubles)?;
    let got = all(drawn.op.by(way), &singles)?;
    let parts = got.iter().zip(&expected).flat_map(|(got, expected)| {
        let [root, largest] = errors(got, expected);
        [root / allowed[0], largest / allowed[1]]
    });
    Ok(parts.fold(0.0, |most: f64, part| most.max_or_nan(part)))
}

/// How far tiles of 2×2 are from the loops.
fn by_tiles_of_two(drawn: &Drawn) -> Result<f64, Failure> {
    let plain = all(drawn.op.by(Algorithm::Plain), &drawn.tensors)?;
    let tiles = all(drawn.op.by(Algorithm::Winograd2), &drawn.tensors)?;
    plain.iter().zip(&tiles).try_fold(0.0f64, |off, (a, b)| Ok(off.max_or_nan(a.max_difference(b)?)))
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        images(
            "conv-forward.winograd-exact",
            "by tiles of 2×2 outputs whole numbers give what the loops give, and so do the gradients",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            by_tiles_of_two(&drawn)
        }),
        images(
            "conv-forward.winograd-double",
            "by tiles of 4×4 outputs it is the convolution, and so are the gradients",
        )
        .within("a hundredfold of rounding, as the transforms have numbers up to 5", 1e-13)
        .check(|case| {
            let drawn = drawn(case, normal)?;
            let plain = all(drawn.op.by(Algorithm::Plain), &drawn.tensors)?;
            let tiles = all(drawn.op.by(Algorithm::Winograd4), &drawn.tensors)?;
            Ok(plain.iter().zip(&tiles).fold(0.0, |off: f64, (a, b)| off.max_or_nan(errors(b, a)[1])))
        }),
        images("conv-forward.winograd-single", "in single precision tiles of 4×4 have errors of a millionth")
            .within("2e-6 by root mean square and 3e-5 at most", 1.0)
            .check(|case| {
                let drawn = drawn(case, normal)?;
                single(&drawn, Algorithm::Winograd4, FOUR)
            }),
        images(
            "conv-forward.winograd-two-single",
            "in single precision tiles of 2×2 are as exact as unfolding",
        )
        .within("6e-7 by root mean square and 9e-6 at most", 1.0)
        .check(|case| {
            let drawn = drawn(case, normal)?;
            Ok(single(&drawn, Algorithm::Winograd2, TWO)?.max(single(&drawn, Algorithm::Unfold, TWO)?))
        }),
        Property::new(
            "conv-forward.winograd-wide",
            FORMULAS,
            "an image so wide that its tiles are computed in several pieces gives what the loops give",
        )
        .draw(Draw::size("in", 1..=3))
        .draw(Draw::size("out", 1..=3))
        .draw(Draw::size("height", 3..=11))
        .draw(Draw::size("width", 250..=520))
        .draw(Draw::size("padding", 0..=1))
        .draw(Draw::seed("values"))
        .check(|case| {
            let (channels, filters, padding) = (case.size("in"), case.size("out"), case.size("padding"));
            let size = [case.size("height"), case.size("width")];
            let window = Window::new(3).padded(padding);
            let output = size.map(|n| n + 2 * padding - 2);
            let drawn = Drawn {
                op: Convolution::new([window; 2]),
                windows: [window; 2],
                tensors: [
                    whole(case, 0, &[1, channels, size[0], size[1]])?,
                    whole(case, 1, &[filters, channels, 3, 3])?,
                    whole(case, 2, &[filters])?,
                    whole(case, 3, &[1, filters, output[0], output[1]])?,
                ],
            };
            by_tiles_of_two(&drawn)
        }),
        Property::new(
            "conv-forward.winograd-many",
            FORMULAS,
            "with so many filters that they are transformed again for each block of tiles, whole numbers give what unfolding gives, and so do the gradients",
        )
        .check(|_| {
            let number = |at: &[usize]| {
                (at.iter().zip([7, 5, 3, 11]).map(|(i, f)| i * f).sum::<usize>() % 9) as f64 - 4.0
            };
            let mut off = 0.0f64;
            // Some images together, or parts of the filters, or several blocks; channels and filters that do not fill what goes together.
            for [n, channels, filters, height, width] in
                [[1, 200, 256, 6, 5], [5, 180, 280, 5, 9], [2, 260, 192, 25, 17], [45, 250, 200, 3, 4]]
            {
                let op = Convolution::new([Window::new(3).padded(1), Window::new(3).padded_by(0, 1)]);
                let (x, w) = (
                    Tensor::from_fn([n, channels, height, width], number)?,
                    Tensor::from_fn([filters, channels, 3, 3], number)?,
                );
                let bias = Tensor::from_fn([filters], |i| i[0] as f64)?;
                let dy = Tensor::from_fn([n, filters, height, width - 1], number)?;
                let tensors = [x, w, bias, dy];
                let plain = all(op.by(Algorithm::Unfold), &tensors)?;
                let tiles = all(op.by(Algorithm::Winograd2), &tensors)?;
                for (own, theirs) in tiles.iter().zip(&plain) {
                    off = off.max_or_nan(own.max_difference(theirs)?);
                }
            }
            Ok(off)
        }),
        images(
            "conv-forward.winograd-nan",
            "a NaN reaches the outputs whose window lies on it, and at most the rest of their tiles",
        )
        .draw(Draw::choice("tiles", &["2×2", "4×4"]))
        .check(|case| {
            let drawn = drawn(case, normal)?;
            let (way, side) = match case.choice("tiles") {
                "2×2" => (Algorithm::Winograd2, 2),
                _ => (Algorithm::Winograd4, 4),
            };
            let [x, weight, bias, dy] = &drawn.tensors;
            let pixel = (case.seed("values") % x.len() as u64) as usize;
            let mut x = x.clone();
            x.as_mut_slice()[pixel] = f64::NAN;
            let &[_, channels, height, width] = x.dims() else { return Ok(f64::NAN) };
            let at = [pixel / width % height, pixel % width];
            let y = drawn.op.by(way).value(&x, weight, Some(bias))?;
            let &[_, filters, rows, columns] = dy.dims() else { return Ok(f64::NAN) };
            let padding = drawn.windows.map(|w| w.padding[0]);
            // Whether the pixel lies among `count` that begin where the window of the output `o` does.
            let reads =
                |axis: usize, o: usize, count: usize| (o..o + count).contains(&(at[axis] + padding[axis]));
            let wrong = y.as_slice().iter().enumerate().filter(|(o, y)| {
                let (image, i, j) = (o / (filters * rows * columns), o / columns % rows, o % columns);
                let own = image == pixel / (channels * height * width);
                let tile = [i / side * side, j / side * side];
                let must = own && reads(0, i, 3) && reads(1, j, 3);
                let may = own && reads(0, tile[0], side + 2) && reads(1, tile[1], side + 2);
                if y.is_nan() { !may } else { must }
            });
            Ok(wrong.count() as f64)
        }),
        images("conv-forward.winograd-batch", "an image gives the same bits alone and in a batch").check(
            |case| {
                let drawn = drawn(case, normal)?;
                let op = drawn.op.by(Algorithm::Winograd4);
                let [x, weight, bias, _] = &drawn.tensors;
                let y = op.value(x, weight, Some(bias))?;
                let mut off = 0.0f64;
                for i in 0..x.dims()[0] {
                    let own = op.value(&x.slice(0, i..i + 1)?, weight, Some(bias))?;
                    off = off.max_or_nan(own.max_difference(&y.slice(0, i..i + 1)?)?);
                }
                Ok(off)
            },
        ),
    ]
}
