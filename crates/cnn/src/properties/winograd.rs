//! The properties of minimal filtering, against the loops: exact where it can be, within its stated errors where not.

use super::{Values, normal, whole};
use crate::{Algorithm, Convolution, Window};
use gradus_autograd::Op;
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Result, Scalar, Tensor};

const FORMULAS: &[&str] = &["conv-forward", "conv-backward"];

/// Of single precision by tiles of 4×4: the root mean square of the errors, and the largest, as parts of the outputs' root mean square.
const FOUR: [f64; 2] = [4e-6, 6e-5];

/// The same by tiles of 2×2, and by the loops.
const TWO: [f64; 2] = [1e-6, 1.5e-5];

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

pub(super) fn properties() -> Vec<Property> {
    vec![
        images(
            "conv-forward.winograd-exact",
            "by tiles of 2×2 outputs whole numbers give what the loops give, and so do the gradients",
        )
        .check(|case| {
            let drawn = drawn(case, whole)?;
            let plain = all(drawn.op.by(Algorithm::Plain), &drawn.tensors)?;
            let tiles = all(drawn.op.by(Algorithm::Winograd2), &drawn.tensors)?;
            plain.iter().zip(&tiles).try_fold(0.0f64, |off, (a, b)| Ok(off.max_or_nan(a.max_difference(b)?)))
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
            .within("the errors that are stated, 4e-6 by root mean square and 6e-5 at most", 1.0)
            .check(|case| {
                let drawn = drawn(case, normal)?;
                single(&drawn, Algorithm::Winograd4, FOUR)
            }),
        images(
            "conv-forward.winograd-two-single",
            "in single precision tiles of 2×2 are as exact as unfolding",
        )
        .within("the errors that are stated, 1e-6 by root mean square and 1.5e-5 at most", 1.0)
        .check(|case| {
            let drawn = drawn(case, normal)?;
            Ok(single(&drawn, Algorithm::Winograd2, TWO)?.max(single(&drawn, Algorithm::Unfold, TWO)?))
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
