//! The properties of shapes: each answer against counting by hand.

mod conv;
mod huge;
mod inverse;
mod pool;
mod stack;
mod window;

use crate::{Geometry, Window};
use gradus_formula::{Case, Draw, Failure, Property};

/// The properties and refutations of this crate.
pub fn properties() -> Vec<Property> {
    let mut all = window::properties();
    all.extend(inverse::properties());
    all.extend(stack::properties());
    all.extend(huge::properties());
    all.extend(conv::properties());
    all.extend(pool::properties());
    all
}

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
fn apart(a: usize, b: usize) -> f64 {
    a.abs_diff(b) as f64
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
