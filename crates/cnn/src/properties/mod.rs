//! The properties of shapes: each answer against counting by hand.

mod adaptive;
mod conv;
mod derivations;
mod fold;
mod huge;
mod inverse;
mod layers;
mod pad;
mod pool;
mod stack;
mod upsample;
mod window;
mod winograd;

use crate::{Geometry, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use gradus_tensor::{Tensor, rng};
use rand_distr::StandardNormal;

/// The properties in parts: who wants those of one chapter, as a page of the book does, need not take along all others.
pub const PROPERTIES: &[fn() -> Vec<Property>] = &[
    window::properties,
    inverse::properties,
    stack::properties,
    huge::properties,
    conv::properties,
    winograd::properties,
    pool::properties,
    layers::properties,
    pad::properties,
    adaptive::properties,
    upsample::properties,
    fold::properties,
    derivations::properties,
];

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    PROPERTIES.iter().flat_map(|part| part()).collect()
}

/// A side of which nobody has the square in memory, and every machine can count it.
const MANY: usize = if usize::BITS == 64 { 1 << 20 } else { 1 << 12 };

/// The largest sizes of the exhaustive properties.
const ELEMENTS: usize = 64;
const SIZES: usize = 12;
const STRIDES: usize = 6;

/// Whether a window that starts at `start` in the padded elements lies within them: each of its taps does.
fn lies(window: &Window, length: usize, start: usize) -> bool {
    (0..window.size).all(|tap| start + tap * window.dilation < length)
}

/// How many windows fit, counted.
fn counted(window: &Window, n: usize) -> usize {
    let length = n + window.padding[0] + window.padding[1];
    (0..length).step_by(window.stride).filter(|&start| lies(window, length, start)).count()
}

/// The number of windows, 0 where none fits.
fn number(result: Result<usize, Geometry>) -> Result<usize, Failure> {
    match result {
        Err(Geometry::TooShort { .. }) => Ok(0),
        other => Ok(other?),
    }
}

/// How far apart two counts are.
fn apart<N: TryInto<i128>>(a: N, b: N) -> f64 {
    // Whole numbers of 64 bits are far below the limits of one of 128.
    match (a.try_into(), b.try_into()) {
        (Ok(a), Ok(b)) => a.abs_diff(b) as f64,
        _ => f64::NAN,
    }
}

/// A window over some elements, with everything that a window can have.
fn any(id: &'static str, formulas: &'static [&'static str], statement: &'static str) -> Property {
    drawn(Property::new(id, formulas, statement))
}

/// The draws of [`window_of`].
fn drawn(property: Property) -> Property {
    property
        .draw(Draw::size("n", 1..=40).limited(1.0..=500.0))
        .draw(Draw::size("size", 1..=9).limited(1.0..=100.0))
        .draw(Draw::size("stride", 1..=6).limited(1.0..=100.0))
        .draw(Draw::size("dilation", 1..=4).limited(1.0..=100.0))
        .draw(Draw::size("before", 0..=6).limited(0.0..=100.0))
        .draw(Draw::size("after", 0..=6).limited(0.0..=100.0))
}

/// The window that was drawn, and the elements below it.
fn window_of(case: &mut Case<'_>) -> (Window, usize) {
    let n = case.size("n");
    let window = Window::new(case.size("size"))
        .stride(case.size("stride"))
        .dilation(case.size("dilation"))
        .padded_by(case.size("before"), case.size("after"));
    case.classify(window.dilation > 1 && window.size > 1, "holes");
    case.classify(window.stride > window.size, "elements between windows");
    case.classify(window.padding[0] != window.padding[1], "uneven padding");
    case.classify(counted(&window, n) == 0, "no window");
    (window, n)
}

/// The same, with as many more elements as it takes for a window.
fn fitting(case: &mut Case<'_>) -> Result<(Window, usize), Failure> {
    let (window, n) = window_of(case);
    Ok((window, n + window.extent()? - 1))
}

/// The names of an axis' draws.
struct Axis {
    size: &'static str,
    stride: &'static str,
    dilation: &'static str,
    before: &'static str,
    after: &'static str,
    more: &'static str,
}

const AXES: [Axis; 2] = [
    Axis {
        size: "down",
        stride: "stride down",
        dilation: "dilation down",
        before: "above",
        after: "below",
        more: "more rows",
    },
    Axis {
        size: "across",
        stride: "stride across",
        dilation: "dilation across",
        before: "left",
        after: "right",
        more: "more columns",
    },
];

/// A window for each axis of an image, with everything that it can have.
fn framed(mut property: Property) -> Property {
    for axis in AXES {
        property = property
            .draw(Draw::size(axis.size, 1..=4))
            .draw(Draw::size(axis.stride, 1..=4))
            .draw(Draw::size(axis.dilation, 1..=2))
            .draw(Draw::size(axis.before, 0..=2))
            .draw(Draw::size(axis.after, 0..=2))
            .draw(Draw::size(axis.more, 0..=6));
    }
    property
}

/// The windows that were drawn, and an image into which they fit.
fn frame(case: &mut Case<'_>) -> Result<([Window; 2], [usize; 2]), Failure> {
    let (mut windows, mut image) = ([Window::new(1); 2], [0; 2]);
    for ((window, elements), axis) in windows.iter_mut().zip(&mut image).zip(AXES) {
        *window = Window::new(case.size(axis.size))
            .stride(case.size(axis.stride))
            .dilation(case.size(axis.dilation))
            .padded_by(case.size(axis.before), case.size(axis.after));
        let padding = window.padding[0] + window.padding[1];
        *elements = window.extent()?.saturating_sub(padding).max(1) + case.size(axis.more);
        case.classify(window.stride > window.size, "elements between windows");
        case.classify(window.dilation > 1 && window.size > 1, "holes");
        case.classify(window.padding[0] != window.padding[1], "uneven padding");
    }
    Ok((windows, image))
}

/// Standard normal numbers; `which` tells several of one seed apart.
fn normal(case: &Case<'_>, which: u64, dims: &[usize]) -> gradus_tensor::Result<Tensor<f64>> {
    Tensor::random(dims, &StandardNormal, &mut rng(case.seed("values") ^ (which << 40)))
}

/// Small whole numbers, with which sums of products are exact.
fn whole(case: &Case<'_>, which: u64, dims: &[usize]) -> gradus_tensor::Result<Tensor<f64>> {
    Ok(normal(case, which, dims)?.map(|v| (4.0 * v).round()))
}

type Values = fn(&Case<'_>, u64, &[usize]) -> gradus_tensor::Result<Tensor<f64>>;
