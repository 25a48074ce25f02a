//! The questions backwards: which padding, which input; transposed windows.

use super::{any, apart, counted, drawn, fitting, number, window_of};
use crate::{Geometry, Window};
use gradus_formula::{Case, Draw, Failure, Property};
use std::ops::RangeInclusive;

pub(super) fn properties() -> Vec<Property> {
    let mut all = same();
    all.extend(aligned());
    all.extend(backwards());
    all
}

fn sizes(id: &'static str, statement: &'static str) -> Property {
    of_sizes(Property::new(id, &["conv-same-padding"], statement))
}

fn of_sizes(property: Property) -> Property {
    property
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("size", 1..=12))
        .draw(Draw::size("stride", 1..=6))
        .draw(Draw::size("dilation", 1..=4))
}

fn of(case: &mut Case<'_>) -> (Window, usize) {
    let window = Window::new(case.size("size")).stride(case.size("stride")).dilation(case.size("dilation"));
    case.classify(window.dilation * (window.size - 1) % 2 == 1, "an even extent");
    (window, case.size("n"))
}

fn same() -> Vec<Property> {
    vec![
        sizes(
            "conv-same-padding.size",
            "the output is as long as the input, counted by hand, for odd and even extents",
        )
        .check(|case| {
            let (window, n) = of(case);
            let window = window.stride(1).padded(7).same()?;
            Ok(apart(counted(&window, n), n))
        }),
        sizes(
            "conv-same-padding.centred",
            "the padding is E − 1 in all, the same on both sides or one more after; with a \
             stride it is refused",
        )
        .holds(|case| {
            let (window, _) = of(case);
            let [before, after] = window.stride(1).same()?.padding;
            let centred = after == before || after == before + 1;
            let sum = before + after == window.dilation * (window.size - 1);
            let refused = match window.stride(window.stride + 1).same() {
                Err(Geometry::SameStride { stride }) => stride == window.stride + 1,
                _ => false,
            };
            Ok(centred && sum && refused)
        }),
        sizes(
            "conv-same-padding.odd",
            "for odd extents it is the printed (F − 1)/2 on both sides, which with stride S leaves ⌈N/S⌉",
        )
        .check(|case| {
            let (window, n) = of(case);
            let odd = Window::new(2 * window.size - 1);
            let printed = odd.padded(window.size - 1);
            let off = f64::from(u8::from(odd.same()? != printed));
            Ok(off + apart(printed.stride(window.stride).output(n)?, n.div_ceil(window.stride)))
        }),
        sizes(
            "conv-same-padding.turned",
            "seen from the other end a window of odd extent reads the same with its taps turned: \
             the padding has no direction",
        )
        .holds(|case| {
            let (window, n) = of(case);
            let window = Window::new(2 * window.size - 1).dilation(window.dilation).same()?;
            let mut equal = true;
            for position in 0..n {
                let mut mirrored: Vec<_> = window
                    .taps(n, n - 1 - position)?
                    .map(|t| (window.size - 1 - t.tap, n - 1 - t.element))
                    .collect();
                mirrored.reverse();
                equal &= window.taps(n, position)?.map(|t| (t.tap, t.element)).eq(mirrored);
            }
            Ok(equal)
        }),
        of_sizes(Property::refutation(
            "conv-same-padding.printed",
            &["conv-same-padding"],
            "a padding of (F − 1)/2 on both sides keeps the size, with any window and stride",
        ))
        .check(|case| {
            let (window, n) = of(case);
            // Half an element can't be added: it is rounded down, as a library does.
            let window = Window::new(window.size).stride(window.stride).padded((window.size - 1) / 2);
            Ok(apart(number(window.output(n))?, n))
        }),
        of_sizes(Property::refutation(
            "conv-same-padding.symmetric",
            &["conv-same-padding"],
            "SAME padding with a stride is the symmetric padding: the windows read the same elements",
        ))
        .holds(|case| {
            let (window, n) = of(case);
            let odd = Window::new(2 * window.size - 1).stride(window.stride);
            let (symmetric, aligned) = (odd.padded(window.size - 1), odd.same_aligned(n)?);
            Ok(symmetric.windows(n)?.eq(aligned.windows(n)?))
        }),
    ]
}

fn aligned() -> Vec<Property> {
    vec![
        sizes("conv-same-padding.quotient", "aligned, the output is ⌈N/S⌉, counted by hand").check(|case| {
            let (window, n) = of(case);
            let aligned = window.padded(3).same_aligned(n)?;
            Ok(apart(counted(&aligned, n), n.div_ceil(window.stride)))
        }),
        sizes(
            "conv-same-padding.least",
            "aligned, it is the least padding that does, the same on both sides or one more \
             after; with stride 1 it is `same`",
        )
        .holds(|case| {
            let (window, n) = of(case);
            let [before, after] = window.same_aligned(n)?.padding;
            let centred = after == before || after == before + 1;
            let fewer =
                after > 0 && counted(&window.padded_by(before, after - 1), n) == n.div_ceil(window.stride);
            let plain = window.stride(1);
            Ok(centred && !fewer && plain.same_aligned(n)? == plain.same()?)
        }),
        Property::new(
            "conv-same-padding.tensorflow",
            &["conv-same-padding"],
            "the paddings that TensorFlow's SAME has",
        )
        .holds(|_| {
            // (N, F, S) and the padding, by TensorFlow's documented rule: max(F − S, 0) in all where S divides N, else max(F − N mod S, 0).
            const KNOWN: [([usize; 3], [usize; 2]); 8] = [
                ([4, 3, 2], [0, 1]),
                ([5, 3, 2], [1, 1]),
                ([224, 7, 2], [2, 3]),
                ([224, 3, 2], [0, 1]),
                ([225, 3, 2], [1, 1]),
                ([6, 2, 2], [0, 0]),
                ([7, 2, 2], [0, 1]),
                ([9, 1, 4], [0, 0]),
            ];
            let mut equal = true;
            for ([n, f, s], padding) in KNOWN {
                equal &= Window::new(f).stride(s).same_aligned(n)?.padding == padding;
            }
            Ok(equal)
        }),
    ]
}

/// Whether a range is exactly what passes a test, among the numbers up to one well beyond its end.
fn exactly(range: &RangeInclusive<usize>, from: usize, test: impl Fn(usize) -> bool) -> bool {
    (from..=range.end() + 50).all(|x| range.contains(&x) == test(x))
}

fn backwards() -> Vec<Property> {
    const TRANSPOSED: &[&str] = &["conv-padded-output"];
    let output_padding = || Draw::size("output padding", 0..=8).limited(0.0..=200.0);
    vec![
        any(
            "conv-padded-output.transposed",
            TRANSPOSED,
            "the transposed size gives the size back, and the output paddings below S give every \
             size that does",
        )
        .holds(|case| {
            let (window, n) = fitting(case)?;
            let here = window.output(n)?;
            let mut sizes = Vec::new();
            for output_padding in 0..window.stride {
                match window.transposed_output(here, output_padding) {
                    Ok(size) => sizes.push(size),
                    Err(Geometry::Cropped { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let back = (1..=n + 2 * window.stride).filter(|&size| counted(&window, size) == here);
            Ok(back.eq(sizes))
        }),
        any(
            "conv-padded-output.scattered",
            TRANSPOSED,
            "it is where the last tap of the last window lands, and the output padding, less the padding",
        )
        .draw(output_padding())
        .holds(|case| {
            let (window, n) = window_of(case);
            let extra = case.size("output padding");
            let last = (0..n)
                .flat_map(|i| (0..window.size).map(move |tap| (i, tap)))
                .map(|(i, tap)| i * window.stride + tap * window.dilation)
                .max();
            let whole = last.unwrap_or(0) + 1 + extra;
            let padding = window.padding[0] + window.padding[1];
            let allowed = extra < window.stride || extra < window.dilation;
            case.classify(!allowed, "too much output padding");
            case.classify(padding >= whole, "all cut off");
            Ok(match window.transposed_output(n, extra) {
                Ok(size) => allowed && padding < whole && size == whole - padding,
                Err(Geometry::OutputPadding { .. }) => !allowed,
                Err(Geometry::Cropped { whole: all, .. }) => allowed && all == whole && padding >= whole,
                Err(_) => false,
            })
        }),
        any(
            "conv-padded-output.inputs",
            TRANSPOSED,
            "the input sizes for an output are exactly those that give it",
        )
        .draw(Draw::size("output", 1..=20).limited(1.0..=100.0))
        .holds(|case| {
            let (window, _) = window_of(case);
            let output = case.size("output");
            Ok(match window.inputs_for(output) {
                Ok(range) => !range.is_empty() && exactly(&range, 1, |n| counted(&window, n) == output),
                Err(Geometry::TooMany { elements, asked, least, .. }) => {
                    case.label("none");
                    elements == 1 && asked == output && counted(&window, 1) == least && least > output
                }
                Err(_) => false,
            })
        }),
        any(
            "conv-padded-output.paddings",
            TRANSPOSED,
            "the paddings for an output are exactly those that give it",
        )
        .draw(Draw::size("output", 1..=20).limited(1.0..=100.0))
        .holds(|case| {
            let (window, n) = window_of(case);
            let output = case.size("output");
            Ok(match window.paddings_for(n, output) {
                Ok(range) => {
                    let gives = |padding| counted(&window.padded_by(padding, 0), n) == output;
                    !range.is_empty() && exactly(&range, 0, gives)
                }
                Err(Geometry::TooMany { elements, padding: 0, asked, least }) => {
                    case.label("none");
                    let there = counted(&window.padded(0), n);
                    elements == n && asked == output && there == least && least > output
                }
                Err(_) => false,
            })
        }),
        any(
            "conv-padded-output.nearest",
            TRANSPOSED,
            "where no window fits, the error's least length is one with which one does, and one \
             less does not",
        )
        .holds(|case| {
            let (window, n) = window_of(case);
            let nearest = |rounded: fn(&Window, usize) -> Result<usize, Geometry>| match rounded(&window, n) {
                Err(Geometry::TooShort { least, .. }) => {
                    let with = |all: usize| rounded(&window.padded_by(0, all.saturating_sub(n)), n);
                    least > n + window.padding[0] + window.padding[1]
                        && with(least) == Ok(1)
                        && (least - 1 < n || with(least - 1).is_err())
                }
                other => other.is_ok(),
            };
            Ok(nearest(Window::output) && nearest(Window::output_ceil))
        }),
        drawn(Property::refutation(
            "conv-padded-output.inverted",
            TRANSPOSED,
            "a transposed convolution without output padding gives every input's size back",
        ))
        .check(|case| {
            let (window, n) = fitting(case)?;
            Ok(match window.transposed_output(window.output(n)?, 0) {
                Ok(size) => apart(size, n),
                Err(Geometry::Cropped { .. }) => 0.0,
                Err(error) => return Err(Failure::from(error)),
            })
        }),
    ]
}
