//! Stacks of windows, and what layers cost, against counting by hand.

use super::apart;
use crate::{ConvShape, Geometry, ReceptiveField, Window};
use gradus_formula::{Case, Draw, Property};
use std::collections::BTreeSet;

pub(super) fn properties() -> Vec<Property> {
    let mut all = stacks();
    all.extend(costs());
    all
}

/// The draws of three layers: size, stride, dilation, padding before and after.
const LAYERS: [[&str; 5]; 3] = [
    ["F₁", "S₁", "D₁", "before₁", "after₁"],
    ["F₂", "S₂", "D₂", "before₂", "after₂"],
    ["F₃", "S₃", "D₃", "before₃", "after₃"],
];

fn layers(id: &'static str, statement: &'static str) -> Property {
    let property = Property::new(id, &["conv-padded-output"], statement)
        .draw(Draw::size("n", 1..=60).limited(1.0..=300.0))
        .draw(Draw::size("layers", 0..=3).limited(0.0..=3.0));
    LAYERS.iter().fold(property, |property, [size, stride, dilation, before, after]| {
        property
            .draw(Draw::size(size, 1..=5).limited(1.0..=20.0))
            .draw(Draw::size(stride, 1..=3).limited(1.0..=20.0))
            .draw(Draw::size(dilation, 1..=3).limited(1.0..=20.0))
            .draw(Draw::size(before, 0..=3).limited(0.0..=20.0))
            .draw(Draw::size(after, 0..=3).limited(0.0..=20.0))
    })
}

fn windows(case: &mut Case<'_>) -> (Vec<Window>, usize) {
    let layers = LAYERS.iter().take(case.size("layers"));
    let windows = layers.map(|[size, stride, dilation, before, after]| {
        Window::new(case.size(size))
            .stride(case.size(stride))
            .dilation(case.size(dilation))
            .padded_by(case.size(before), case.size(after))
    });
    (windows.collect(), case.size("n"))
}

/// The outputs of one layer after the other.
fn folded(windows: &[Window], n: usize) -> Result<usize, Geometry> {
    windows.iter().try_fold(n, |n, window| window.output(n))
}

/// The elements that an output reads, followed down through the layers.
fn followed(windows: &[Window], n: usize, position: usize) -> Result<BTreeSet<usize>, Geometry> {
    let Some((last, below)) = windows.split_last() else { return Ok(BTreeSet::from([position])) };
    let mut elements = BTreeSet::new();
    for element in last.taps(folded(below, n)?, position)?.elements() {
        elements.append(&mut followed(below, n, element)?);
    }
    Ok(elements)
}

fn stacks() -> Vec<Property> {
    vec![
        layers(
            "conv-padded-output.stack",
            "a stack has as many outputs as its layers one after the other, floors and all",
        )
        .holds(|case| {
            let (windows, n) = windows(case);
            let stack = ReceptiveField::of(&windows)?;
            let each = folded(&windows, n);
            case.classify(each.is_err(), "too few elements");
            Ok(match (each, stack.output(n)) {
                (Ok(a), Ok(b)) => a == b,
                (Err(_), Err(Geometry::TooFew { elements, least })) => {
                    elements == n && folded(&windows, least).is_ok() && folded(&windows, least - 1).is_err()
                }
                _ => false,
            })
        }),
        layers(
            "conv-padded-output.field",
            "without padding the receptive field reaches exactly from the first to the last \
             element read",
        )
        .holds(|case| {
            let (mut windows, n) = windows(case);
            windows.iter_mut().for_each(|window| window.padding = [0, 0]);
            let stack = ReceptiveField::of(&windows)?;
            let n = n + stack.least() - 1;
            let mut equal = true;
            for position in 0..stack.output(n)?.min(4) {
                let read = followed(&windows, n, position)?;
                let reach = stack.reach(n, position)?;
                equal &=
                    read.first() == Some(&reach.start) && read.last().map(|last| last + 1) == Some(reach.end);
                equal &= reach.len() == stack.size() && reach.start == position * stack.jump();
            }
            Ok(equal)
        }),
        layers(
            "conv-padded-output.reach",
            "nothing outside of the reach is read; all of it is, if only the first layer has \
             padding and there are no gaps",
        )
        .draw(Draw::choice("inner padding and gaps", &["none", "any"]))
        .holds(|case| {
            let (mut windows, n) = windows(case);
            let whole = case.choice("inner padding and gaps") == "none";
            if whole {
                windows.iter_mut().skip(1).for_each(|window| window.padding = [0, 0]);
                for window in &mut windows {
                    window.dilation = 1;
                    window.stride = window.stride.min(window.size);
                }
            }
            let stack = ReceptiveField::of(&windows)?;
            let n = n + stack.least() - 1;
            let outputs = stack.output(n)?;
            let beyond = Geometry::Position { position: outputs, windows: outputs };
            let mut holds = stack.reach(n, outputs) == Err(beyond);
            for position in (0..outputs.min(3)).chain(outputs.saturating_sub(3)..outputs) {
                let read = followed(&windows, n, position)?;
                let reach = stack.reach(n, position)?;
                holds &= read.iter().all(|element| reach.contains(element)) && reach.end <= n;
                holds &= !whole || read.into_iter().eq(reach);
            }
            Ok(holds)
        }),
        layers(
            "conv-padded-output.one-layer",
            "a stack of one window has its outputs, its extent and its stride; of none, an \
             element each",
        )
        .holds(|case| {
            let (windows, n) = windows(case);
            let Some(&window) = windows.first() else {
                let none = ReceptiveField::new();
                return Ok((none.size(), none.jump(), none.output(n)?) == (1, 1, n));
            };
            let one = ReceptiveField::new().push(window)?;
            let same = (one.size(), one.jump(), one.before())
                == (window.extent()?, window.stride, window.padding[0]);
            Ok(same && one.output(n).ok() == window.output(n).ok())
        }),
    ]
}

fn costs() -> Vec<Property> {
    let layer = |id, statement| {
        Property::new(id, &["conv-padded-output"], statement)
            .draw(Draw::size("batch", 0..=3).limited(0.0..=6.0))
            .draw(Draw::size("C", 1..=12).limited(1.0..=64.0))
            .draw(Draw::size("K", 1..=12).limited(1.0..=64.0))
            .draw(Draw::size("groups", 1..=12).limited(1.0..=100.0))
            .draw(Draw::choice("bias", &["with a bias", "without a bias"]))
            .draw(Draw::size("h", 1..=6).limited(1.0..=20.0))
            .draw(Draw::size("w", 1..=6).limited(1.0..=20.0))
            .draw(Draw::size("F", 1..=4).limited(1.0..=8.0))
            .draw(Draw::size("stride", 1..=3).limited(1.0..=20.0))
    };
    vec![
        layer(
            "conv-padded-output.costs",
            "parameters and products are those of the loops, counted; groups that do not divide \
             are refused",
        )
        .check(|case| {
            let (c, k, groups) = (case.size("C"), case.size("K"), case.size("groups"));
            let (f, batch) = (case.size("F"), case.size("batch"));
            let bias = case.choice("bias") == "with a bias";
            let windows =
                [Window::new(f).stride(case.size("stride")).padded(f - 1), Window::new(f + 1).padded(f)];
            let sizes = [case.size("h"), case.size("w")];
            let layer = ConvShape::new(c, k, windows).groups(groups);
            let layer = if bias { layer } else { layer.without_bias() };
            let divides = |g: usize| c % g == 0 && k % g == 0;
            case.classify(!divides(groups), "groups that do not divide");
            if !divides(groups) {
                let distance = |g: usize| (g.abs_diff(groups), g);
                let nearest = (1..=c).filter(|g| divides(*g)).min_by_key(|g| distance(*g));
                return Ok(match layer.counts(batch, sizes) {
                    Err(Geometry::Groups { nearest: g, .. }) if Some(g) == nearest => 0.0,
                    _ => f64::INFINITY,
                });
            }
            let counts = layer.counts(batch, sizes)?;
            // An output channel and an input channel have weights between them if they are in one group.
            let pairs = (0..k).flat_map(|o| (0..c).map(move |i| (o / (k / groups), i / (c / groups))));
            let pairs = pairs.filter(|(a, b)| a == b).count();
            let [rows, columns] = layer.output(sizes)?;
            let (taps, places) = (f * (f + 1), batch * rows * columns);
            let off = apart(counts.parameters, pairs * taps + if bias { k } else { 0 })
                + apart(counts.multiplications, (places * pairs * taps) as u64)
                + apart(counts.unfolded, places * c * taps)
                + apart(counts.outputs, places * k)
                + apart(counts.inputs, batch * c * sizes[0] * sizes[1])
                + apart(rows, windows[0].output(sizes[0])?)
                + apart(columns, windows[1].output(sizes[1])?);
            let numbers = counts.parameters + counts.inputs + counts.outputs;
            Ok(off + apart(counts.memory(8)?, 8 * numbers))
        }),
        Property::new(
            "conv-padded-output.separable",
            &["conv-padded-output"],
            "a depthwise convolution and a 1×1 one take 1/K + 1/F² of the products of a full one \
             that keeps its channels' number C = K",
        )
        .draw(Draw::size("K", 1..=64))
        .draw(Draw::size("F", 1..=9))
        .draw(Draw::size("n", 1..=32))
        .check(|case| {
            let (k, f, n) = (case.size("K"), case.size("F"), case.size("n"));
            let window = [Window::new(f).same()?; 2];
            let products = |layer: ConvShape<2>| layer.counts(1, [n, n]).map(|counts| counts.multiplications);
            let full = products(ConvShape::new(k, k, window))?;
            let depthwise = products(ConvShape::new(k, k, window).groups(k))?;
            let pointwise = products(ConvShape::new(k, k, [Window::new(1); 2]))?;
            // Both sides times K·F².
            let (k, f) = (k as u64, f as u64);
            Ok(apart((depthwise + pointwise) * k * f * f, full * (f * f + k)))
        }),
    ]
}
