//! The properties of adaptive pooling: which elements a bin has is asked of the shares that it is made of.

use super::layers::{holds, of};
use super::{normal, whole};
use crate::{
    AdaptiveAveragePool, AdaptiveMaxPool, AveragePool, Geometry, GlobalAveragePool, MaxPool, Window,
    adaptive_bin,
};
use gradus_autograd::{Op, gradient_property};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Error, Result, Tensor};

const ADAPTIVE: &[&str] = &["adaptive-pool"];

/// Rounding of sums of a few dozen terms.
const ROUNDING: f64 = 256.0 * f64::EPSILON;

fn pooled(id: &'static str, statement: &'static str) -> Property {
    Property::new(id, ADAPTIVE, statement)
        .draw(Draw::size("n", 0..=2))
        .draw(Draw::size("c", 1..=3))
        .draw(Draw::size("h", 1..=9))
        .draw(Draw::size("w", 1..=9))
        .draw(Draw::size("rows", 1..=7))
        .draw(Draw::size("columns", 1..=7))
        .draw(Draw::seed("values"))
}

/// The images' sizes, and those of the result.
fn drawn(case: &mut Case<'_>) -> ([usize; 4], [usize; 2]) {
    let dims = [case.size("n"), case.size("c"), case.size("h"), case.size("w")];
    let size = [case.size("rows"), case.size("columns")];
    case.classify(dims[0] == 0, "no images");
    case.classify(size[0] > dims[2] || size[1] > dims[3], "more outputs than elements");
    let even = dims[2].is_multiple_of(size[0]) && dims[3].is_multiple_of(size[1]);
    case.classify(!even, "not divided evenly");
    (dims, size)
}

/// Whether the i-th of `outputs` equal parts of the axis and the e-th of `n` have more than a point in common.
fn overlap(n: usize, outputs: usize, i: usize, e: usize) -> bool {
    e * outputs < (i + 1) * n && (e + 1) * outputs > i * n
}

/// Calls `f` for every output with the numbers of its bin.
fn each(
    x: &Tensor<f64>,
    [n, c, h, w]: [usize; 4],
    size: [usize; 2],
    f: impl Fn(&[f64]) -> f64,
) -> Result<Tensor<f64>> {
    Tensor::from_fn([n, c, size[0], size[1]], |at| {
        let plane = &x.as_slice()[(at[0] * c + at[1]) * h * w..][..h * w];
        let inside = |p: &usize| overlap(h, size[0], at[2], p / w) && overlap(w, size[1], at[3], p % w);
        f(&(0..h * w).filter(inside).map(|p| plane[p]).collect::<Vec<_>>())
    })
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
    let mut all = bins();
    all.extend(values());
    all.extend(gradients());
    all
}

fn bins() -> Vec<Property> {
    vec![
        Property::new(
            "adaptive-pool.bins",
            ADAPTIVE,
            "of up to 40 elements and outputs, a bin has the elements that overlap its share of the axis",
        )
        .check(|_| {
            let mut wrong = 0;
            for n in 1..=40 {
                for outputs in 1..=40 {
                    for i in 0..outputs {
                        let bin = adaptive_bin(n, outputs, i)?;
                        wrong += (0..n).filter(|&e| bin.contains(&e) != overlap(n, outputs, i, e)).count();
                        wrong += usize::from(bin.is_empty() || bin.end > n);
                    }
                }
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "adaptive-pool.huge",
            ADAPTIVE,
            "up to the largest number bins are in order and within the axis; what is no bin is refused",
        )
        .check(|_| {
            let numbers = [1, 2, 3, usize::MAX / 3, usize::MAX / 2, usize::MAX - 1, usize::MAX];
            let mut wrong = 0;
            for n in numbers {
                for outputs in numbers {
                    let (first, last) =
                        (adaptive_bin(n, outputs, 0)?, adaptive_bin(n, outputs, outputs - 1)?);
                    let ends = first.start == 0 && last.end == n && !first.is_empty() && !last.is_empty();
                    wrong += usize::from(!ends);
                    let beyond = adaptive_bin(n, outputs, outputs);
                    wrong += usize::from(
                        beyond != Err(Geometry::Position { position: outputs, windows: outputs }),
                    );
                }
                wrong += usize::from(adaptive_bin(n, 0, 0) != Err(Geometry::Zero { name: "output" }));
            }
            wrong += usize::from(adaptive_bin(0, 1, 0) != Err(Geometry::Zero { name: "elements" }));
            // Of no images any size may be asked for, and nothing of that size is made.
            let none = Tensor::<f64>::zeros([0, 3, 4, 5])?;
            let many = [super::MANY; 2];
            wrong += AdaptiveAveragePool::new(many).eval([&none])?.len();
            wrong += AdaptiveMaxPool::new(many).eval([&none])?.len();
            Ok(wrong as f64)
        }),
    ]
}

fn values() -> Vec<Property> {
    vec![
        pooled("adaptive-pool.definition", "it is the mean, or the largest, of the bin")
            .within("rounding of a mean", ROUNDING)
            .check(|case| {
                let (dims, size) = drawn(case);
                // Below 0 too: a maximum that begins at 0 would show.
                let x = normal(case, 0, &dims)?.map(|v| v - 3.0);
                let largest = |x: &[f64]| x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let average = AdaptiveAveragePool::new(size).eval([&x])?;
                let max = AdaptiveMaxPool::new(size).eval([&x])?;
                // The maximum is exact: any distance is too much.
                let off = max.max_difference(&each(&x, dims, size, largest)?)?;
                Ok(average.max_difference(&each(&x, dims, size, mean)?)?.max(holds(off == 0.0)))
            }),
        pooled("adaptive-pool.identity", "to the images' own size it is the identity, to the bit").check(
            |case| {
                let ([n, c, h, w], _) = drawn(case);
                let x = normal(case, 0, &[n, c, h, w])?;
                let average = AdaptiveAveragePool::new([h, w]).eval([&x])?;
                let max = AdaptiveMaxPool::new([h, w]).eval([&x])?;
                Ok(holds(average.same_bits(&x) && max.same_bits(&x)))
            },
        ),
        pooled(
            "adaptive-pool.windows",
            "where the size divides that of the images it is pooling with windows that tile them",
        )
        .check(|case| {
            let ([n, c, h, w], size) = drawn(case);
            let x = whole(case, 0, &[n, c, h * size[0], w * size[1]])?;
            let windows = [Window::new(h).stride(h), Window::new(w).stride(w)];
            let average = AdaptiveAveragePool::new(size).eval([&x])?;
            let max = AdaptiveMaxPool::new(size).eval([&x])?;
            let off = average.max_difference(&AveragePool::new(windows).eval([&x])?)?;
            Ok(off.max(max.max_difference(&MaxPool::new(windows).eval([&x])?)?))
        }),
        pooled(
            "adaptive-pool.global",
            "to one row and one column it is the mean of each channel, and the layer for that",
        )
        .within("rounding of a mean", ROUNDING)
        .check(|case| {
            let ([n, c, h, w], _) = drawn(case);
            let x = normal(case, 0, &[n, c, h, w])?;
            let means = x.reshape([n, c, h * w])?.mean_axis(2)?.reshape([n, c, 1, 1])?;
            let own = AdaptiveAveragePool::new([1, 1]).eval([&x])?;
            let layer = of(&GlobalAveragePool, &x)?;
            Ok(own.max_difference(&means)?.max(holds(own.same_bits(&layer))))
        }),
        pooled("adaptive-pool.constant", "a constant image keeps its constant").check(|case| {
            let (dims, size) = drawn(case);
            let x = Tensor::full(dims, 3.0)?;
            let off = |y: Tensor<f64>| y.as_slice().iter().fold(0.0, |off: f64, y| off.max((y - 3.0).abs()));
            let average = off(AdaptiveAveragePool::new(size).eval([&x])?);
            Ok(average.max(off(AdaptiveMaxPool::new(size).eval([&x])?)))
        }),
        pooled("adaptive-pool.nan", "a NaN is the result of every bin that has it, and of no other").check(
            |case| {
                let (dims, size) = drawn(case);
                let mut x = normal(case, 0, &dims)?;
                if !x.is_empty() {
                    let at = (case.seed("values") % x.len() as u64) as usize;
                    x.as_mut_slice()[at] = f64::NAN;
                }
                let expected = each(&x, dims, size, |x| f64::from(u8::from(x.iter().any(|x| x.is_nan()))))?;
                let nans = |y: Tensor<f64>| y.map(|y| f64::from(u8::from(y.is_nan())));
                let average = nans(AdaptiveAveragePool::new(size).eval([&x])?).max_difference(&expected)?;
                Ok(average.max(nans(AdaptiveMaxPool::new(size).eval([&x])?).max_difference(&expected)?))
            },
        ),
        pooled("adaptive-pool.refused", "a size of 0, an image of nothing and another rank are refused")
            .check(|case| {
                let ([n, c, h, w], _) = drawn(case);
                let x = Tensor::<f64>::zeros([n, c, h, w])?;
                let refused = |size: [usize; 2], x: &Tensor<f64>| {
                    let both =
                        [AdaptiveAveragePool::new(size).eval([x]), AdaptiveMaxPool::new(size).eval([x])];
                    both.iter()
                        .all(|result| matches!(result, Err(Error::Argument { .. } | Error::Shape { .. })))
                };
                let empty = Tensor::<f64>::zeros([n, c, h, 0])?;
                let all = refused([0, 1], &x)
                    && refused([2, 0], &x)
                    && refused([1, 1], &empty)
                    && refused([1, 1], &x.reshape([n * c, h, w])?);
                Ok(holds(all))
            }),
    ]
}

fn gradients() -> Vec<Property> {
    vec![
        pooled("adaptive-pool.mass", "the gradients that arrive add up to those that came; the maximum's are at the first of the largest")
            .within("rounding of a sum", ROUNDING)
            .check(|case| {
                let (dims, size) = drawn(case);
                // Few different numbers: many ties.
                let x = whole(case, 0, &dims)?.map(|v| v.clamp(-1.0, 1.0));
                let (average, max) = (AdaptiveAveragePool::new(size), AdaptiveMaxPool::new(size));
                let y = max.eval([&x])?;
                let dy = whole(case, 1, y.dims())?;
                let off = (gradient(&average, &x, &dy)?.sum() - dy.sum()).abs() / dy.abs().sum().max(1.0);
                let dx = gradient(&max, &x, &dy)?;
                let mut expected = x.zeros_like();
                let ([.., h, w], outputs) = (dims, size[0] * size[1]);
                for (o, (&dy, &y)) in dy.as_slice().iter().zip(y.as_slice()).enumerate() {
                    let (plane, i, j) = (o / outputs * h * w, o % outputs / size[1], o % size[1]);
                    let first = (0..h * w).find(|p| {
                        let inside = overlap(h, size[0], i, p / w) && overlap(w, size[1], j, p % w);
                        inside && x.as_slice()[plane + p] == y
                    });
                    let first = first.ok_or_else(|| Failure::Error("no pixel is the largest".into()))?;
                    expected.as_mut_slice()[plane + first] += dy;
                }
                Ok(off.max(holds(dx.max_difference(&expected)? == 0.0)))
            }),
        gradient_property(pooled("adaptive-pool.gradient-average", "the gradient of the mean"), |case| {
            let (dims, size) = drawn(case);
            Ok((AdaptiveAveragePool::new(size), [normal(case, 0, &dims)?]))
        }),
        gradient_property(pooled("adaptive-pool.gradient-max", "the gradient of the maximum, away from ties"), |case| {
            let (dims, size) = drawn(case);
            // All pixels differ by 1 at least.
            let len = dims.iter().product::<usize>();
            let mut order: Vec<usize> = (0..len).collect();
            let draws = normal(case, 0, &[len])?;
            order.sort_by(|&a, &b| draws.as_slice()[a].total_cmp(&draws.as_slice()[b]));
            let x = Tensor::from_vec(order.iter().map(|&i| i as f64).collect(), dims)?;
            Ok((AdaptiveMaxPool::new(size), [x]))
        }),
    ]
}
