//! The properties of pooling: against the pixels below each window, listed.

use super::{frame, framed, normal, whole};
use crate::{AveragePool, MaxPool, Window};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Error, Result, Tensor};

const MAX: &[&str] = &["max-pool"];
const AVERAGE: &[&str] = &["average-pool"];

/// Rounding of sums of a few dozen terms of size 10.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

/// Images and windows with everything that they can have.
fn images(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    let property = Property::new(id, formulas, statement)
        .draw(Draw::size("n", 0..=3))
        .draw(Draw::size("channels", 1..=3))
        .draw(Draw::choice("rounded", &["down", "up"]));
    framed(property).draw(Draw::seed("values"))
}

/// What was drawn.
struct Drawn {
    windows: [Window; 2],
    dims: [usize; 4],
    ceil: bool,
    /// For each output of a plane the pixels below its window; nothing if some window has none.
    below: Option<Vec<Vec<usize>>>,
    output: [usize; 2],
}

impl Drawn {
    fn max(&self) -> MaxPool {
        let pool = MaxPool::new(self.windows);
        if self.ceil { pool.ceil() } else { pool }
    }

    fn average(&self) -> AveragePool {
        let pool = AveragePool::new(self.windows);
        if self.ceil { pool.ceil() } else { pool }
    }

    /// Calls `f` for every output with the numbers below its window.
    fn each(&self, x: &Tensor<f64>, below: &[Vec<usize>], f: impl Fn(&[f64]) -> f64) -> Result<Tensor<f64>> {
        let plane = self.dims[2] * self.dims[3];
        let values = x.as_slice().chunks_exact(plane).flat_map(|x| {
            below
                .iter()
                .map(|pixels| f(&pixels.iter().map(|&p| x[p]).collect::<Vec<_>>()))
                .collect::<Vec<_>>()
        });
        Tensor::from_vec(values.collect(), [self.dims[0], self.dims[1], self.output[0], self.output[1]])
    }
}

/// The elements below the windows along an axis, from where each tap lies in the padded axis.
fn along(window: &Window, n: usize, count: usize) -> Vec<Vec<usize>> {
    let on = |at: usize| at.checked_sub(window.padding[0]).filter(|&e| e < n);
    (0..count)
        .map(|o| (0..window.size).filter_map(|t| on(o * window.stride + t * window.dilation)).collect())
        .collect()
}

fn drawn(case: &mut Case<'_>) -> Result<Drawn, Failure> {
    let (windows, image) = frame(case)?;
    over(case, windows, image)
}

/// Images below these windows.
fn over(case: &mut Case<'_>, windows: [Window; 2], image: [usize; 2]) -> Result<Drawn, Failure> {
    let (n, channels, ceil) = (case.size("n"), case.size("channels"), case.choice("rounded") == "up");
    let counts = |axis: usize| {
        let window = &windows[axis];
        if ceil { window.output_ceil(image[axis]) } else { window.output(image[axis]) }
    };
    let output = [counts(0)?, counts(1)?];
    let [rows, columns] = [0, 1].map(|axis| along(&windows[axis], image[axis], output[axis]));
    let empty = rows.iter().chain(&columns).any(Vec::is_empty);
    let below = (!empty).then(|| {
        let pairs = rows.iter().flat_map(|rows| columns.iter().map(move |columns| (rows, columns)));
        pairs
            .map(|(rows, columns)| {
                rows.iter().flat_map(|r| columns.iter().map(move |c| r * image[1] + c)).collect()
            })
            .collect()
    });
    case.classify(empty, "a window on padding alone");
    case.classify(n == 0, "no images");
    case.classify(
        ceil && output != [windows[0].output(image[0])?, windows[1].output(image[1])?],
        "sticks out",
    );
    Ok(Drawn { windows, dims: [n, channels, image[0], image[1]], ceil, below, output })
}

/// Whether it is refused, as it must be where a window reads nothing.
fn refused(drawn: &Drawn, x: &Tensor<f64>) -> f64 {
    let refuses =
        |result: Result<Tensor<f64>>| matches!(result, Err(Error::Argument { name: "padding", .. }));
    let both = refuses(drawn.max().eval([x])) && refuses(drawn.average().eval([x]));
    if both { 0.0 } else { f64::INFINITY }
}

fn mean(x: &[f64]) -> f64 {
    x.iter().sum::<f64>() / x.len() as f64
}

fn gradient(op: &impl Op<f64, 1>, x: &Tensor<f64>, dy: &Tensor<f64>) -> Result<Tensor<f64>, Failure> {
    let (_, saved) = op.forward([x])?;
    let [dx] = op.vjp([x], &saved, dy, [true])?;
    dx.ok_or_else(|| Failure::Error("a gradient is missing".into()))
}

pub(super) fn properties() -> Vec<Property> {
    let mut all = largest();
    all.extend(averages());
    all.push(
        Property::new(
            "average-pool.wide",
            &["average-pool", "max-pool"],
            "windows so wide that their rows are read in one piece give what the list of their pixels gives",
        )
        .draw(Draw::size("n", 1..=2))
        .draw(Draw::size("channels", 1..=2))
        .draw(Draw::choice("rounded", &["down", "up"]))
        .draw(Draw::size("down", 1..=5))
        .draw(Draw::size("across", 16..=40))
        .draw(Draw::size("more rows", 0..=5))
        .draw(Draw::size("more columns", 0..=20))
        .draw(Draw::size("stride", 1..=5))
        .draw(Draw::size("before", 0..=7))
        .draw(Draw::size("after", 0..=7))
        .draw(Draw::seed("values"))
        .within("rounding of sums of a few dozen terms of size 10", ROUNDING)
        .check(|case| {
            let (rows, columns, stride) = (case.size("down"), case.size("across"), case.size("stride"));
            let padding = (case.size("before"), case.size("after"));
            let windows = [
                Window::new(rows).dilation(2).stride(stride),
                Window::new(columns).stride(stride).padded_by(padding.0, padding.1),
            ];
            let image = [2 * rows + case.size("more rows"), columns + case.size("more columns")];
            let drawn = over(case, windows, image)?;
            let x = whole(case, 0, &drawn.dims)?;
            let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
            let off = drawn.average().eval([&x])?.max_difference(&drawn.each(&x, below, mean)?)?;
            let largest = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let max = drawn.max();
            let expected = drawn.each(&x, below, largest)?;
            let both = max
                .eval([&x])?
                .max_difference(&expected)?
                .max(max.forward([&x])?.0.max_difference(&expected)?);
            Ok(off.max(both))
        }),
    );
    all.push(
        images(
            "pool-output-d.channels",
            &["pool-output-d"],
            "there are as many channels, and exchanged channels come out exchanged",
        )
        .check(|case| {
            let drawn = drawn(case)?;
            let x = whole(case, 0, &drawn.dims)?;
            if drawn.below.is_none() {
                return Ok(refused(&drawn, &x));
            }
            let channels = drawn.dims[1];
            let turned = |x: &Tensor<f64>| -> Result<Tensor<f64>> {
                let parts: Vec<_> =
                    (0..channels).rev().map(|c| x.slice(1, c..c + 1)).collect::<Result<_>>()?;
                Tensor::concatenate(&parts.iter().collect::<Vec<_>>(), 1)
            };
            let (max, average) = (drawn.max().eval([&x])?, drawn.average().eval([&x])?);
            let depth =
                if max.dims()[1] == channels && average.dims()[1] == channels { 0.0 } else { f64::INFINITY };
            let off = drawn.max().eval([&turned(&x)?])?.max_difference(&turned(&max)?)?;
            Ok(off.max(drawn.average().eval([&turned(&x)?])?.max_difference(&turned(&average)?)?).max(depth))
        }),
    );
    all
}

fn largest() -> Vec<Property> {
    vec![
        images("max-pool.definition", MAX, "it is the largest of the pixels below the window; a window without one is refused").check(
            |case| {
                let drawn = drawn(case)?;
                // Below 0 too: a padding of zeros would show.
                let x = whole(case, 0, &drawn.dims)?.map(|v| v - 9.0);
                let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
                let expected = drawn.each(&x, below, |x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max))?;
                Ok(drawn.max().eval([&x])?.max_difference(&expected)?)
            },
        ),
        images("max-pool.increasing", MAX, "it may change places with an increasing function").check(|case| {
            let drawn = drawn(case)?;
            let x = whole(case, 0, &drawn.dims)?;
            if drawn.below.is_none() {
                return Ok(refused(&drawn, &x));
            }
            let cube = |x: &Tensor<f64>| x.map(|v| v * v * v + 2.0 * v - 5.0);
            Ok(drawn.max().eval([&cube(&x)])?.max_difference(&cube(&drawn.max().eval([&x])?))?)
        }),
        images("max-pool.above-the-mean", MAX, "it is at least the mean of the same window")
            .within("rounding of a mean", ROUNDING)
            .check(|case| {
                let drawn = drawn(case)?;
                let x = normal(case, 0, &drawn.dims)?;
                if drawn.below.is_none() {
                    return Ok(refused(&drawn, &x));
                }
                let below = drawn.average().eval([&x])?.sub(&drawn.max().eval([&x])?)?;
                Ok(below.as_slice().iter().fold(0.0, |m: f64, &v| m.max(v)))
            }),
        images(
            "max-pool.mass",
            MAX,
            "each output's gradient arrives whole, at the first of the largest pixels: nothing is lost, nothing shared",
        )
        .check(|case| {
            let drawn = drawn(case)?;
            // Few different numbers: many ties.
            let x = whole(case, 0, &drawn.dims)?.map(|v| v.clamp(-1.0, 1.0));
            let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
            let y = drawn.max().eval([&x])?;
            let dy = whole(case, 1, y.dims())?;
            let dx = gradient(&drawn.max(), &x, &dy)?;
            let mut expected = x.map(|_| 0.0);
            let plane = drawn.dims[2] * drawn.dims[3];
            for (o, &dy) in dy.as_slice().iter().enumerate() {
                let (p, window) = (o / below.len(), &below[o % below.len()]);
                let of = |&&at: &&usize| x.as_slice()[p * plane + at] == y.as_slice()[o];
                let first = window.iter().find(of).ok_or_else(|| Failure::Error("no pixel is the largest".into()))?;
                expected.as_mut_slice()[p * plane + first] += dy;
            }
            Ok(dx.max_difference(&expected)?.max((dx.sum() - dy.sum()).abs()))
        }),
        images(
            "max-pool.first",
            MAX,
            "where nothing is larger than −∞ the gradient goes to the first pixel, and where there are NaN to the first of them",
        )
        .draw(Draw::choice("pixels", &["−∞", "−∞ and NaN", "numbers and NaN"]))
        .check(|case| {
            let drawn = drawn(case)?;
            let [rest, some] = match case.choice("pixels") {
                "−∞" => [f64::NEG_INFINITY; 2],
                "−∞ and NaN" => [f64::NEG_INFINITY, f64::NAN],
                _ => [1.0, f64::NAN],
            };
            let x = normal(case, 0, &drawn.dims)?.map(|v| if v > 0.5 { some } else { rest });
            let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
            let dy = whole(case, 1, drawn.max().eval([&x])?.dims())?;
            let dx = gradient(&drawn.max(), &x, &dy)?;
            let mut expected = x.map(|_| 0.0);
            let plane = drawn.dims[2] * drawn.dims[3];
            for (o, &dy) in dy.as_slice().iter().enumerate() {
                let (p, window) = (o / below.len(), &below[o % below.len()]);
                let nan = window.iter().find(|&&at| x.as_slice()[p * plane + at].is_nan());
                expected.as_mut_slice()[p * plane + nan.unwrap_or(&window[0])] += dy;
            }
            Ok(dx.max_difference(&expected)?)
        }),
        images("max-pool.nan", MAX, "a NaN is the result of every window that lies on it, and of no other").check(|case| {
            let drawn = drawn(case)?;
            let x = whole(case, 0, &drawn.dims)?;
            let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
            if x.is_empty() {
                return Ok(0.0);
            }
            let mut x = x;
            let pixel = (case.seed("values") % x.len() as u64) as usize;
            x.as_mut_slice()[pixel] = f64::NAN;
            let plane = drawn.dims[2] * drawn.dims[3];
            let y = drawn.max().eval([&x])?;
            let wrong = y.as_slice().iter().enumerate().filter(|(o, y)| {
                let lies = o / below.len() == pixel / plane && below[o % below.len()].contains(&(pixel % plane));
                y.is_nan() != lies
            });
            Ok(wrong.count() as f64)
        }),
        gradient_property(images("max-pool.gradient", MAX, "the gradient, away from ties"), |case| {
            let mut drawn = drawn(case)?;
            if drawn.below.is_none() {
                drawn.windows = drawn.windows.map(|w| w.padded(0));
                drawn.dims = [drawn.dims[0], drawn.dims[1], 9, 9];
            }
            // All pixels differ by 1 at least.
            let len = drawn.dims.iter().product::<usize>();
            let mut order: Vec<usize> = (0..len).collect();
            let draws = normal(case, 0, &[len])?;
            order.sort_by(|&a, &b| draws.as_slice()[a].total_cmp(&draws.as_slice()[b]));
            let x = Tensor::from_vec(order.iter().map(|&i| i as f64).collect(), drawn.dims)?;
            Ok((drawn.max(), [x]))
        }),
    ]
}

fn averages() -> Vec<Property> {
    vec![
        images("average-pool.definition", AVERAGE, "it is the mean of the pixels below the window")
            .within("rounding of a mean", ROUNDING)
            .check(|case| {
                let drawn = drawn(case)?;
                let x = normal(case, 0, &drawn.dims)?;
                let Some(below) = &drawn.below else { return Ok(refused(&drawn, &x)) };
                let expected = drawn.each(&x, below, mean)?;
                Ok(drawn.average().eval([&x])?.max_difference(&expected)?)
            }),
        images(
            "average-pool.constant",
            AVERAGE,
            "a constant image keeps its constant, at the edge too; with the padding counted it does not rise",
        )
        .check(|case| {
            let drawn = drawn(case)?;
            let x = Tensor::full(drawn.dims, 3.0)?;
            if drawn.below.is_none() {
                return Ok(refused(&drawn, &x));
            }
            let off = drawn.average().eval([&x])?.map(|v| (v - 3.0).abs());
            let counted = drawn.average().count_padding().eval([&x])?.map(|v| (v - 3.0).max(0.0));
            Ok(off.as_slice().iter().chain(counted.as_slice()).fold(0.0, |m: f64, &v| m.max(v)))
        }),
        images(
            "average-pool.counted",
            AVERAGE,
            "with the padding counted it is the mean of an image that is really padded",
        )
        .within("rounding of a mean", ROUNDING)
        .check(|case| {
            let drawn = drawn(case)?;
            let x = normal(case, 0, &drawn.dims)?;
            if drawn.below.is_none() {
                return Ok(refused(&drawn, &x));
            }
            let [n, c, h, w] = drawn.dims;
            let [[above, under], [left, right]] = drawn.windows.map(|w| w.padding);
            let padded = Tensor::from_fn([n, c, h + above + under, w + left + right], |at| {
                let inside = at[2].checked_sub(above).zip(at[3].checked_sub(left));
                let inside = inside.filter(|&(i, j)| i < h && j < w);
                inside.and_then(|(i, j)| x.get([at[0], at[1], i, j]).ok()).unwrap_or(0.0)
            })?;
            let bare = AveragePool::new(drawn.windows.map(|w| w.padded(0)));
            let bare = if drawn.ceil { bare.ceil() } else { bare };
            let (own, theirs) = (drawn.average().count_padding().eval([&x])?, bare.eval([&padded])?);
            // A padded image may have a further window that begins in the padding.
            let (rows, columns) = (own.dims()[2], own.dims()[3]);
            Ok(own.max_difference(&theirs.slice(2, 0..rows)?.slice(3, 0..columns)?)?)
        }),
        Property::new(
            "average-pool.tiles",
            AVERAGE,
            "windows that tile the image keep its mean, and one that is the image gives it",
        )
        .draw(Draw::size("size", 1..=4))
        .draw(Draw::size("tiles", 1..=4))
        .draw(Draw::seed("values"))
        .within("rounding of means", ROUNDING)
        .check(|case| {
            let (size, tiles) = (case.size("size"), case.size("tiles"));
            let x = normal(case, 0, &[1, 1, size * tiles, size * tiles])?;
            let of = |window: Window| AveragePool::new([window; 2]).eval([&x]);
            let tiled = of(Window::new(size).stride(size))?;
            let whole = of(Window::new(size * tiles))?;
            Ok((tiled.mean()? - x.mean()?).abs().max((whole.item()? - x.mean()?).abs()))
        }),
        images("average-pool.mass", AVERAGE, "the gradients that arrive add up to those that came")
            .within("rounding of a sum", ROUNDING)
            .check(|case| {
                let drawn = drawn(case)?;
                let x = normal(case, 0, &drawn.dims)?;
                if drawn.below.is_none() {
                    return Ok(refused(&drawn, &x));
                }
                let dy = normal(case, 1, drawn.average().eval([&x])?.dims())?;
                Ok((gradient(&drawn.average(), &x, &dy)?.sum() - dy.sum()).abs())
            }),
        gradient_property(
            images("average-pool.gradient", AVERAGE, "the gradient, with and without the padding counted"),
            |case| {
                let mut drawn = drawn(case)?;
                if drawn.below.is_none() {
                    drawn.windows = drawn.windows.map(|w| w.padded(0));
                    drawn.dims = [drawn.dims[0], drawn.dims[1], 9, 9];
                }
                let pool =
                    if drawn.dims[3] % 2 == 0 { drawn.average().count_padding() } else { drawn.average() };
                Ok((pool, [normal(case, 0, &drawn.dims)?]))
            },
        ),
    ]
}
