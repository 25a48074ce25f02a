//! Numbers up to the largest: nothing wraps, nothing panics, nothing right is refused.

use super::apart;
use crate::{ConvShape, Geometry, ReceptiveField, Window};
use gradus_formula::Property;

/// Where wrapping would begin.
const NUMBERS: [usize; 8] = [0, 1, 2, 3, usize::MAX / 2, usize::MAX / 2 + 1, usize::MAX - 1, usize::MAX];
const MOST: u128 = usize::MAX as u128;

/// Every window of those numbers.
fn windows() -> impl Iterator<Item = Window> {
    let all = |f: usize| NUMBERS.into_iter().map(move |x| (f, x));
    NUMBERS.into_iter().flat_map(all).flat_map(|(size, stride)| {
        NUMBERS.into_iter().flat_map(move |dilation| {
            NUMBERS.into_iter().flat_map(move |before| {
                NUMBERS.into_iter().map(move |after| Window {
                    size,
                    stride,
                    dilation,
                    padding: [before, after],
                })
            })
        })
    })
}

fn wide(x: usize) -> u128 {
    x as u128
}

/// The extent and the padding, in numbers that are large enough; nothing if the window is none.
fn wide_extent(window: &Window) -> Option<u128> {
    let exists = window.size > 0 && window.stride > 0 && window.dilation > 0;
    let extent = exists.then(|| wide(window.dilation) * (wide(window.size) - 1) + 1)?;
    (extent <= MOST).then_some(extent)
}

fn wide_padding(window: &Window) -> u128 {
    wide(window.padding[0]) + wide(window.padding[1])
}

fn wide_output(window: &Window, n: usize, up: bool) -> Option<u128> {
    let (extent, length) = (wide_extent(window)?, wide(n) + wide_padding(window));
    let s = wide(window.stride);
    if n == 0 || length > MOST || length + if up { s - 1 } else { 0 } < extent {
        return None;
    }
    let floor = if length < extent { 0 } else { (length - extent) / s + 1 };
    let extra = up && floor * s + extent < length + s && floor * s < wide(n) + wide(window.padding[0]);
    Some(floor + u128::from(extra))
}

fn wide_transposed(window: &Window, n: usize, output_padding: usize) -> Option<u128> {
    let extent = wide_extent(window)?;
    let allowed = output_padding < window.stride || output_padding < window.dilation;
    if n == 0 || !allowed || wide_padding(window) > MOST {
        return None;
    }
    let steps = (wide(n) - 1).checked_mul(wide(window.stride))?;
    let whole = steps.checked_add(extent + wide(output_padding)).filter(|whole| *whole <= MOST)?;
    whole.checked_sub(wide_padding(window)).filter(|size| *size > 0)
}

fn equal(result: Result<usize, Geometry>, wide: Option<u128>) -> bool {
    result.ok().map(|x| x as u128) == wide
}

pub(super) fn properties() -> Vec<Property> {
    vec![
        Property::new(
            "conv-padded-output.huge",
            &["conv-padded-output", "conv-valid-output", "pool-output-w"],
            "up to the machine's largest number every size is that of arithmetic with twice the \
             digits, or an error",
        )
        .check(|_| {
            let mut wrong = 0;
            for window in windows() {
                wrong += usize::from(!equal(window.extent(), wide_extent(&window)));
                for n in NUMBERS {
                    wrong += usize::from(!equal(window.output(n), wide_output(&window, n, false)));
                    wrong += usize::from(!equal(window.output_ceil(n), wide_output(&window, n, true)));
                    for extra in [0, 2, usize::MAX - 1] {
                        let transposed = window.transposed_output(n, extra);
                        wrong += usize::from(!equal(transposed, wide_transposed(&window, n, extra)));
                    }
                }
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "conv-padded-output.huge-backwards",
            &["conv-padded-output"],
            "up to the largest number the ends of the inverse questions' ranges give what was \
             asked for, and what is beyond does not",
        )
        .check(|_| {
            let mut wrong = 0;
            for window in windows() {
                for output in NUMBERS {
                    if let Ok(range) = window.inputs_for(output) {
                        let gives = |n: usize| window.output(n) == Ok(output);
                        let (least, most) = (*range.start(), *range.end());
                        let ends = gives(least) && gives(most) && least >= 1;
                        let beyond =
                            (least > 1 && gives(least - 1)) || most.checked_add(1).is_some_and(gives);
                        wrong += usize::from(!ends || beyond);
                    }
                    for n in NUMBERS {
                        if let Ok(range) = window.paddings_for(n, output) {
                            let gives = |padding: usize| window.padded_by(0, padding).output(n) == Ok(output);
                            let (least, most) = (*range.start(), *range.end());
                            let ends = gives(least) && gives(most);
                            let beyond =
                                (least > 0 && gives(least - 1)) || most.checked_add(1).is_some_and(gives);
                            wrong += usize::from(!ends || beyond);
                        }
                    }
                }
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "conv-padded-output.huge-taps",
            &["conv-padded-output"],
            "up to the largest number the first and the last window read elements that are \
             there, by taps that are there",
        )
        .check(|_| {
            let mut wrong = 0;
            for window in windows() {
                for n in NUMBERS {
                    let Ok(outputs) = window.output_ceil(n) else { continue };
                    for position in [0, outputs - 1, outputs] {
                        let Ok(mut taps) = window.taps_ceil(n, position) else {
                            wrong += usize::from(position < outputs);
                            continue;
                        };
                        let few = taps.len() <= window.size && position < outputs;
                        let right = taps.by_ref().take(3).all(|t| {
                            let place =
                                wide(position) * wide(window.stride) + wide(t.tap) * wide(window.dilation);
                            t.element < n && wide(t.element) + wide(window.padding[0]) == place
                        });
                        wrong += usize::from(!(few && right));
                    }
                }
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "conv-same-padding.huge",
            &["conv-same-padding"],
            "up to the largest number the output of the padding is ⌈N/S⌉, or an error",
        )
        .check(|_| {
            let mut wrong = 0;
            for window in windows() {
                for n in NUMBERS {
                    if let Ok(aligned) = window.same_aligned(n) {
                        wrong += usize::from(aligned.output(n) != Ok(n.div_ceil(window.stride)));
                    }
                    if let Ok(same) = window.same() {
                        let fits = wide(n) + wide_padding(&same) <= MOST && n > 0;
                        wrong += usize::from(fits && same.output(n) != Ok(n));
                    }
                }
            }
            Ok(wrong as f64)
        }),
        Property::new(
            "conv-padded-output.huge-stack",
            &["conv-padded-output"],
            "up to the largest number a stack has the outputs of its layers, or is an error; and \
             a layer's counts are the products, or one",
        )
        .check(|_| {
            let mut off = 0.0;
            for window in windows() {
                let second = Window { size: window.stride.min(3), stride: window.size, ..window };
                for n in NUMBERS {
                    let Ok(stack) = ReceptiveField::of(&[window, second]) else { continue };
                    if let Ok(outputs) = stack.output(n) {
                        let each = window.output(n).and_then(|n| second.output(n));
                        off += each.map_or(f64::INFINITY, |each| apart(outputs, each));
                        off += f64::from(u8::from(stack.reach(n, outputs - 1)?.end > n));
                    }
                }
                let [c, k] = window.padding;
                let layer = ConvShape::new(c, k, [Window::new(window.size), Window::new(1)]).without_bias();
                let product = wide(c).checked_mul(wide(k)).and_then(|ck| ck.checked_mul(wide(window.size)));
                let expected = product.filter(|p| (1..=MOST).contains(p));
                off += f64::from(u8::from(!equal(layer.parameters(), expected)));
                if let Ok(counts) = layer.counts(window.stride, [window.size, 3]) {
                    let exact = wide(window.stride) * wide(k) * 3;
                    off += f64::from(u8::from(wide(counts.outputs) != exact));
                    off += f64::from(u8::from(
                        u128::from(counts.multiplications) != exact * wide(c) * wide(window.size),
                    ));
                }
            }
            Ok(off)
        }),
    ]
}
