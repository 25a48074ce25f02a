//! The properties of upsampling: against sums over all pixels with a hat's weights, and what interpolation must keep.

use super::layers::holds;
use super::{normal, whole};
use crate::{Interpolation, Upsample};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Error, Result, Tensor};

const NEAREST: &[&str] = &["nearest-upsampling"];
const BILINEAR: &[&str] = &["bilinear-upsampling"];
const BOTH: &[&str] = &["bilinear-upsampling", "nearest-upsampling"];

/// Rounding of a place and of a few terms of size 1 to 10.
const ROUNDING: f64 = 128.0 * f64::EPSILON;

fn sized(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    Property::new(id, formulas, statement)
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::size("c", 1..=2))
        .draw(Draw::size("h", 1..=6))
        .draw(Draw::size("w", 1..=6))
        .draw(Draw::size("rows", 1..=13))
        .draw(Draw::size("columns", 1..=13))
        .draw(Draw::seed("values"))
}

fn interpolated(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    sized(id, formulas, statement).draw(Draw::choice("corners", &["edges", "corners"]))
}

/// The images' sizes, and those of the result.
fn drawn(case: &mut Case<'_>) -> ([usize; 4], [usize; 2]) {
    let dims = [case.size("n"), case.size("c"), case.size("h"), case.size("w")];
    let size = [case.size("rows"), case.size("columns")];
    case.classify(dims[0] == 0, "no images");
    case.classify(size[0] < dims[2] || size[1] < dims[3], "smaller");
    case.classify(size == dims[2..], "the same size");
    (dims, size)
}

fn bilinear(case: &Case<'_>, size: [usize; 2]) -> Upsample {
    match case.choice("corners") {
        "corners" => Upsample::to(size).bilinear_corners(),
        _ => Upsample::to(size).bilinear(),
    }
}

/// Where output `i` lies, before it is kept within the image.
fn place(case: &Case<'_>, n: usize, outputs: usize, i: usize) -> f64 {
    let (n, outputs, i) = (n as f64, outputs as f64, i as f64);
    match case.choice("corners") {
        "corners" if outputs > 1.0 => i * (n - 1.0) / (outputs - 1.0),
        "corners" => 0.0,
        _ => (i + 0.5) * n / outputs - 0.5,
    }
}

fn kept(s: f64, n: usize) -> f64 {
    s.clamp(0.0, n as f64 - 1.0)
}

/// For each output of an axis the weights of all elements: hats of width 1.
fn hats(case: &Case<'_>, n: usize, outputs: usize) -> Vec<Vec<f64>> {
    let of = |i| kept(place(case, n, outputs, i), n);
    (0..outputs).map(|i| (0..n).map(|e| (1.0 - (of(i) - e as f64).abs()).max(0.0)).collect()).collect()
}

/// A function of the place as images, the same in each plane.
fn images(dims: [usize; 4], f: impl Fn(f64, f64) -> f64) -> Result<Tensor<f64>> {
    Tensor::from_fn(dims, |at| f(at[2] as f64, at[3] as f64))
}

fn gradient(op: &Upsample, x: &Tensor<f64>, dy: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let [dx] = op.vjp([x], &(), dy, [true])?;
    dx.ok_or_else(|| Failure::Error("a gradient is missing".into()))
}

/// The images from right to left, and from below to above.
fn turned(x: &Tensor<f64>) -> Result<Tensor<f64>> {
    let order = |n: usize| (0..n as u32).rev().collect::<Vec<_>>();
    x.gather(2, &order(x.dims()[2]))?.gather(3, &order(x.dims()[3]))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = nearest();
    all.extend(values());
    all.extend(kept_by_interpolation());
    all.extend(gradients());
    all
}

fn nearest() -> Vec<Property> {
    vec![
        sized(
            "nearest-upsampling.definition",
            NEAREST,
            "output i is the last element e with e/N at most i/O, to the bit",
        )
        .check(|case| {
            let (dims, size) = drawn(case);
            let x = normal(case, 0, &dims)?;
            let [n, c, h, w] = dims;
            let last =
                |n: usize, outputs: usize, i: usize| (0..n).rfind(|e| e * outputs <= i * n).unwrap_or(0);
            let expected = Tensor::from_fn([n, c, size[0], size[1]], |at| {
                let (i, j) = (last(h, size[0], at[2]), last(w, size[1], at[3]));
                x.as_slice()[((at[0] * c + at[1]) * h + i) * w + j]
            })?;
            Ok(holds(Upsample::to(size).eval([&x])?.same_bits(&expected)))
        }),
        sized(
            "nearest-upsampling.repetition",
            NEAREST,
            "by whole factors each pixel is repeated, and the gradient adds its copies up",
        )
        .check(|case| {
            let ([n, c, h, w], factors) = drawn(case);
            let x = whole(case, 0, &[n, c, h, w])?;
            let op = Upsample::by(factors);
            let repeated = |n: usize, by: usize| (0..n as u32).flat_map(|e| vec![e; by]).collect::<Vec<_>>();
            let (rows, columns) = (repeated(h, factors[0]), repeated(w, factors[1]));
            let y = op.eval([&x])?;
            let off = holds(y.same_bits(&x.gather(2, &rows)?.gather(3, &columns)?));
            let dy = whole(case, 1, y.dims())?;
            let sums = dy.scatter_sum(3, &columns, w)?.scatter_sum(2, &rows, h)?;
            Ok(gradient(&op, &x, &dy)?.max_difference(&sums)?.max(off))
        }),
        sized(
            "nearest-upsampling.ratio",
            NEAREST,
            "by a ratio the size is the product rounded down, and the places follow from the sizes",
        )
        .check(|case| {
            let ([n, c, h, w], up) = drawn(case);
            let x = normal(case, 0, &[n, c, h, w])?;
            let down = [1 + up[1] % 3, 1 + up[0] % 3];
            let size = [h * up[0] / down[0], w * up[1] / down[1]];
            let of = |op: Upsample| -> Result<[Tensor<f64>; 2]> {
                Ok([op.eval([&x])?, op.bilinear().eval([&x])?])
            };
            let by = of(Upsample::by_ratio(up, down));
            if size.contains(&0) {
                return Ok(holds(by.is_err()));
            }
            let (by, to) = (by?, of(Upsample::to(size))?);
            Ok(holds(by.iter().zip(&to).all(|(by, to)| by.same_bits(to))))
        }),
        sized(
            "nearest-upsampling.back",
            NEAREST,
            "back to the old size from a whole multiple, nothing has changed",
        )
        .check(|case| {
            let ([n, c, h, w], factors) = drawn(case);
            let x = normal(case, 0, &[n, c, h, w])?;
            let there = Upsample::by(factors).eval([&x])?;
            Ok(holds(Upsample::to([h, w]).eval([&there])?.same_bits(&x)))
        }),
    ]
}

fn values() -> Vec<Property> {
    vec![
        interpolated(
            "bilinear-upsampling.definition",
            BILINEAR,
            "it is the sum over all pixels, each with the weight of a hat around the place",
        )
        .within("rounding", ROUNDING)
        .check(|case| {
            let (dims, size) = drawn(case);
            let x = normal(case, 0, &dims)?;
            let [n, c, h, w] = dims;
            let (rows, columns) = (hats(case, h, size[0]), hats(case, w, size[1]));
            let expected = Tensor::from_fn([n, c, size[0], size[1]], |at| {
                let plane = &x.as_slice()[(at[0] * c + at[1]) * h * w..][..h * w];
                (0..h * w).map(|p| rows[at[2]][p / w] * columns[at[3]][p % w] * plane[p]).sum()
            })?;
            Ok(bilinear(case, size).eval([&x])?.max_difference(&expected)?)
        }),
        interpolated(
            "bilinear-upsampling.nan",
            BILINEAR,
            "a NaN stands where its pixel has a part, and nowhere else",
        )
        .check(|case| {
            let (dims, size) = drawn(case);
            let mut x = normal(case, 0, &dims)?;
            if x.is_empty() {
                return Ok(0.0);
            }
            let pixel = (case.seed("values") % x.len() as u64) as usize;
            x.as_mut_slice()[pixel] = f64::NAN;
            let [.., h, w] = dims;
            let (plane, row, column) = (pixel / (h * w), pixel / w % h, pixel % w);
            // The part in sixteenths of a billionth: a place that is whole must not be missed by rounding.
            let part = |weights: &[f64], at: usize| weights[at] > 1e-12;
            let (rows, columns) = (hats(case, h, size[0]), hats(case, w, size[1]));
            let y = bilinear(case, size).eval([&x])?;
            let wrong = y.as_slice().iter().enumerate().filter(|(o, y)| {
                let (i, j) = (o / size[1] % size[0], o % size[1]);
                let has =
                    o / (size[0] * size[1]) == plane && part(&rows[i], row) && part(&columns[j], column);
                y.is_nan() != has
            });
            Ok(wrong.count() as f64)
        }),
        Property::new(
            "bilinear-upsampling.refused",
            BOTH,
            "a size or a factor of 0, one too large, an image of nothing and another rank are refused",
        )
        .check(|_| {
            let x = Tensor::<f64>::zeros([1, 1, 2, 3])?;
            let refused = |op: Upsample, x: &Tensor<f64>| {
                let ways = [Interpolation::Nearest, Interpolation::Bilinear, Interpolation::BilinearCorners];
                ways.iter().all(|&way| op.interpolated(way).eval([x]).is_err())
            };
            let empty = Tensor::<f64>::zeros([1, 1, 0, 3])?;
            let vector = Upsample::by([2, 2]).eval([&x.reshape([6])?]);
            let none = Tensor::<f64>::zeros([0, 1, 2, 3])?;
            let many = Upsample::to([super::MANY; 2]).bilinear().eval([&none])?;
            let all = refused(Upsample::to([0, 1]), &x)
                && refused(Upsample::to([1, 0]), &x)
                && refused(Upsample::by([1, 0]), &x)
                && refused(Upsample::by_ratio([1, 1], [0, 1]), &x)
                && refused(Upsample::by_ratio([1, 1], [3, 1]), &x)
                && refused(Upsample::by([usize::MAX, 1]), &x)
                && refused(Upsample::to([usize::MAX, 2]), &x)
                && refused(Upsample::by([2, 2]), &empty)
                && matches!(vector, Err(Error::Shape { .. }))
                && many.is_empty();
            Ok(holds(all))
        }),
    ]
}

fn kept_by_interpolation() -> Vec<Property> {
    vec![
        interpolated("bilinear-upsampling.weights", BILINEAR, "the weights of an output are not negative and add up to 1")
            .within("rounding", ROUNDING)
            .check(|case| {
                let ([.., h, w], size) = drawn(case);
                let op = bilinear(case, size);
                let mut sum = Tensor::<f64>::zeros([1, 1, size[0], size[1]])?;
                let mut negative = false;
                for pixel in 0..h * w {
                    let unit = Tensor::from_fn([1, 1, h, w], |at| f64::from(u8::from(at[2] * w + at[3] == pixel)))?;
                    let weights = op.eval([&unit])?;
                    negative |= weights.as_slice().iter().any(|&v| v < 0.0);
                    sum = sum.add(&weights)?;
                }
                Ok(sum.map(|v| v - 1.0).abs().as_slice().iter().fold(holds(!negative), |off, &v| off.max(v)))
            }),
        interpolated("bilinear-upsampling.constant", BOTH, "a constant image keeps its constant")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, size) = drawn(case);
                let x = Tensor::full(dims, 3.0)?;
                let off = |y: Tensor<f64>| y.as_slice().iter().fold(0.0, |off: f64, y| off.max((y - 3.0).abs()));
                let exact = off(Upsample::to(size).eval([&x])?);
                Ok(off(bilinear(case, size).eval([&x])?).max(holds(exact == 0.0)))
            }),
        interpolated("bilinear-upsampling.ramp", BILINEAR, "a ramp stays one, at the places of the outputs; beyond the outermost pixels it stops")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, size) = drawn(case);
                let slopes = normal(case, 0, &[3])?;
                let &[a, b, c] = slopes.as_slice() else { return Ok(f64::NAN) };
                let y = bilinear(case, size).eval([&images(dims, |i, j| a * i + b * j + c)?])?;
                let [.., h, w] = dims;
                let s = |n, outputs, i: f64| kept(place(case, n, outputs, i as usize), n);
                let expected = images([dims[0], dims[1], size[0], size[1]], |i, j| {
                    a * s(h, size[0], i) + b * s(w, size[1], j) + c
                })?;
                Ok(y.max_difference(&expected)?)
            }),
        interpolated("bilinear-upsampling.mirror", BILINEAR, "of images turned around it is the result turned around")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, mut size) = drawn(case);
                if case.choice("corners") == "corners" {
                    // A single output lies on the first pixel, which is no middle.
                    size = size.map(|size| size.max(2));
                }
                let x = normal(case, 0, &dims)?;
                let op = bilinear(case, size);
                Ok(op.eval([&turned(&x)?])?.max_difference(&turned(&op.eval([&x])?)?)?)
            }),
        interpolated("bilinear-upsampling.identity", BOTH, "to the images' own size it is the identity, to the bit").check(|case| {
            let ([n, c, h, w], _) = drawn(case);
            let x = normal(case, 0, &[n, c, h, w])?;
            let same = |op: Upsample| -> Result<bool> { Ok(op.eval([&x])?.same_bits(&x)) };
            Ok(holds(same(bilinear(case, [h, w]))? && same(Upsample::to([h, w]))?))
        }),
        sized("bilinear-upsampling.corners", BILINEAR, "with the corners on each other, the corner pixels are kept to the bit").check(
            |case| {
                let (dims, size) = drawn(case);
                let size = size.map(|size| size.max(2));
                let x = normal(case, 0, &dims)?;
                let y = Upsample::to(size).bilinear_corners().eval([&x])?;
                let corners = |x: &Tensor<f64>| -> Result<Tensor<f64>> {
                    let ends = |n: usize| [0, n as u32 - 1];
                    x.gather(2, &ends(x.dims()[2]))?.gather(3, &ends(x.dims()[3]))
                };
                Ok(holds(corners(&x)?.same_bits(&corners(&y)?)))
            },
        ),
        sized("bilinear-upsampling.finer", BILINEAR, "with the corners on each other, a grid that has the old one's points keeps their pixels")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, steps) = drawn(case);
                let x = normal(case, 0, &dims)?;
                let [.., h, w] = dims;
                let y = Upsample::to([(h - 1) * steps[0] + 1, (w - 1) * steps[1] + 1]).bilinear_corners().eval([&x])?;
                let every = |n: usize, step: usize| (0..n).map(|e| (e * step) as u32).collect::<Vec<_>>();
                Ok(y.gather(2, &every(h, steps[0]))?.gather(3, &every(w, steps[1]))?.max_difference(&x)?)
            }),
        sized("bilinear-upsampling.mass", BILINEAR, "with the edges on each other and whole factors, each pixel counts as often as its area: the mean stays")
            .within("rounding", ROUNDING)
            .check(|case| {
                let (dims, factors) = drawn(case);
                let x = normal(case, 0, &dims)?;
                if x.is_empty() {
                    return Ok(0.0);
                }
                let y = Upsample::by(factors).bilinear().eval([&x])?;
                Ok((y.mean()? - x.mean()?).abs())
            }),
    ]
}

fn gradients() -> Vec<Property> {
    vec![
        interpolated("bilinear-upsampling.adjoint", BOTH, "⟨upsample(x), dy⟩ = ⟨x, ∂x⟩")
            .within("rounding, relative to the terms", ROUNDING)
            .check(|case| {
                let (dims, size) = drawn(case);
                let x = normal(case, 0, &dims)?;
                let mut off = 0.0f64;
                for op in [bilinear(case, size), Upsample::to(size)] {
                    let y = op.eval([&x])?;
                    let dy = normal(case, 1, y.dims())?;
                    let terms = y.mul(&dy)?.abs().sum().max(1.0);
                    off = off.max((y.dot(&dy)? - x.dot(&gradient(&op, &x, &dy)?)?).abs() / terms);
                }
                Ok(off)
            }),
        gradient_property(sized("nearest-upsampling.gradient", NEAREST, "the gradient in x"), |case| {
            let (dims, size) = drawn(case);
            Ok((Upsample::to(size), [normal(case, 0, &dims)?]))
        }),
        gradient_property(
            interpolated("bilinear-upsampling.gradient", BILINEAR, "the gradient in x"),
            |case| {
                let (dims, size) = drawn(case);
                Ok((bilinear(case, size), [normal(case, 0, &dims)?]))
            },
        ),
    ]
}
