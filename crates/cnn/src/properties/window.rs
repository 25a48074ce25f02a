//! How often a window fits, and what it reads.

use super::{ELEMENTS, SIZES, STRIDES, any, apart, counted, drawn, fitting, number, window_of};
use crate::{Geometry, Window};
use gradus_formula::{Draw, Property};

pub(super) fn properties() -> Vec<Property> {
    let mut all = valid();
    all.extend(padded());
    all.extend(pooled());
    all
}

/// The exhaustive range: every N, F and S.
fn all_plain() -> impl Iterator<Item = (usize, Window)> {
    (1..=ELEMENTS).flat_map(|n| {
        (1..=SIZES).flat_map(move |f| (1..=STRIDES).map(move |s| (n, Window::new(f).stride(s))))
    })
}

fn valid() -> Vec<Property> {
    vec![
        Property::new(
            "conv-valid-output.count",
            &["conv-valid-output", "pool-output-w"],
            "the formula is the number of windows counted by hand, for every N ≤ 64, F ≤ 12, S ≤ 6",
        )
        .check(|_| {
            let mut off = 0.0;
            for (n, window) in all_plain() {
                off += apart(number(window.output(n))?, counted(&window, n));
            }
            Ok(off)
        }),
        Property::new(
            "conv-valid-output.dilated",
            &["conv-valid-output"],
            "a window with holes fits as often as a full one of its extent D·(F − 1) + 1",
        )
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("size", 1..=9))
        .draw(Draw::size("stride", 1..=6))
        .draw(Draw::size("dilation", 1..=6))
        .check(|case| {
            let (n, d) = (case.size("n"), case.size("dilation"));
            let window = Window::new(case.size("size")).stride(case.size("stride")).dilation(d);
            // The last of the taps, and one.
            let extent = (0..window.size).map(|tap| tap * d + 1).max().unwrap_or(0);
            let full = Window::new(extent).stride(window.stride);
            let off = apart(window.extent()?, extent);
            case.classify(extent > n, "no window");
            Ok(off + apart(number(window.output(n))?, number(full.output(n))?))
        }),
        Property::new(
            "conv-valid-output.monotone",
            &["conv-valid-output", "pool-output-w"],
            "one more element gives no fewer windows and one more at most; a larger window or \
             stride gives no more",
        )
        .check(|_| {
            let mut wrong = 0.0;
            for (n, window) in all_plain() {
                let here = number(window.output(n))?;
                let longer = number(window.output(n + 1))?;
                let wider = number(Window { size: window.size + 1, ..window }.output(n))?;
                let faster = number(window.stride(window.stride + 1).output(n))?;
                let holds = (here..=here + 1).contains(&longer) && wider <= here && faster <= here;
                wrong += f64::from(u8::from(!holds));
            }
            Ok(wrong)
        }),
        Property::new(
            "conv-valid-output.composition",
            &["conv-valid-output"],
            "two windows with stride 1, one over the other, are one of F₁ + F₂ − 1",
        )
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("F₁", 1..=12))
        .draw(Draw::size("F₂", 1..=12))
        .check(|case| {
            let (a, b) = (case.size("F₁"), case.size("F₂"));
            let n = case.size("n") + a + b - 2;
            let both = Window::new(b).output(Window::new(a).output(n)?)?;
            Ok(apart(both, Window::new(a + b - 1).output(n)?))
        }),
        Property::new(
            "conv-valid-output.plain",
            &["conv-valid-output"],
            "with stride 1 it is N − F + 1; a window as long as the elements fits once, a longer \
             one is an error",
        )
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("size", 1..=80))
        .draw(Draw::size("stride", 1..=6))
        .check(|case| {
            let (n, f) = (case.size("n"), case.size("size"));
            let window = Window::new(f).stride(case.size("stride"));
            case.classify(f > n, "too long");
            let off = apart(window.output(f)?, 1);
            let refused = Geometry::TooShort { extent: f, elements: n, padding: [0, 0], least: f };
            Ok(off
                + match (f <= n, window.output(n)) {
                    (true, Ok(_)) => apart(window.stride(1).output(n)?, n - f + 1),
                    (false, Err(error)) if error == refused => 0.0,
                    _ => f64::INFINITY,
                })
        }),
        Property::refutation(
            "conv-valid-output.printed",
            &["conv-valid-output"],
            "there are (N − F)/S + 1 windows, without a floor",
        )
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("size", 1..=9))
        .draw(Draw::size("stride", 1..=6))
        .check(|case| {
            let (f, s) = (case.size("size"), case.size("stride"));
            let n = case.size("n") + f - 1;
            let printed = (n as f64 - f as f64) / s as f64 + 1.0;
            Ok((printed - counted(&Window::new(f).stride(s), n) as f64).abs())
        }),
        Property::refutation(
            "conv-valid-output.truncated",
            &["conv-valid-output"],
            "a division that rounds towards zero needs no check of N ≥ F",
        )
        .draw(Draw::size("n", 1..=60))
        .draw(Draw::size("size", 1..=9))
        .draw(Draw::size("stride", 1..=6))
        .check(|case| {
            let window = Window::new(case.size("size")).stride(case.size("stride"));
            let (n, f, s) = (case.integer("n"), case.integer("size"), case.integer("stride"));
            Ok(apart(((n - f) / s + 1).max(0) as usize, counted(&window, n as usize)))
        }),
    ]
}

fn padded() -> Vec<Property> {
    vec![
        any(
            "conv-padded-output.count",
            &["conv-padded-output"],
            "the formula is the number of windows counted by hand, whatever the padding and the dilation",
        )
        .check(|case| {
            let (window, n) = window_of(case);
            Ok(apart(number(window.output(n))?, counted(&window, n)))
        }),
        any(
            "conv-padded-output.longer",
            &["conv-padded-output", "conv-valid-output"],
            "a padded window fits as often as a plain one over as many elements more; only the \
             sum of the padding counts",
        )
        .check(|case| {
            let (window, n) = window_of(case);
            let [before, after] = window.padding;
            let here = number(window.output(n))?;
            let plain = number(window.padded(0).output(n + before + after))?;
            let turned = number(window.padded_by(after, before).output(n))?;
            Ok(apart(here, plain) + apart(here, turned))
        }),
        any(
            "conv-padded-output.taps",
            &["conv-padded-output"],
            "window o reads with tap k the element o·S + k·D − P_before, where that is one",
        )
        .check(|case| {
            let (window, n) = window_of(case);
            let windows = number(window.output(n))?;
            let before = window.padding[0] as i64;
            let mut wrong = 0;
            for position in 0..windows {
                let all = (0..window.size).filter_map(|k| {
                    let element = (position * window.stride + k * window.dilation) as i64 - before;
                    (0..n as i64).contains(&element).then_some((k, element as usize))
                });
                let taps = window.taps(n, position)?;
                let length = taps.len();
                let taps: Vec<_> = taps.map(|t| (t.tap, t.element)).collect();
                wrong += usize::from(length != taps.len() || !all.eq(taps));
            }
            let beyond = Geometry::Position { position: windows, windows };
            let refused = match window.taps(n, windows) {
                Err(Geometry::TooShort { .. }) => windows == 0,
                Err(error) => error == beyond,
                Ok(_) => false,
            };
            Ok(wrong as f64 + if refused { 0.0 } else { f64::INFINITY })
        }),
        any(
            "conv-padded-output.windows",
            &["conv-padded-output"],
            "the windows come in order, each with its taps, as many as the formula says",
        )
        .holds(|case| {
            let (window, n) = fitting(case)?;
            let each = (0..window.output(n)?).map(|position| window.taps(n, position));
            let each: Vec<_> = each.collect::<Result<_, _>>()?;
            Ok(window.windows(n)?.eq(each))
        }),
        any(
            "conv-padded-output.inside",
            &["conv-padded-output", "conv-valid-output"],
            "without padding each window reads as many elements as it has taps, the first begins at element 0, and the last \
             leaves fewer than S",
        )
        .holds(|case| {
            let (window, n) = fitting(case)?;
            let window = window.padded(0);
            let windows: Vec<Vec<_>> = window.windows(n)?.map(|taps| taps.elements().collect()).collect();
            let full = windows.iter().all(|elements| elements.len() == window.size);
            let first = windows.first().and_then(|elements| elements.first()) == Some(&0);
            let last = windows.last().and_then(|elements| elements.last());
            Ok(full && first && last.is_some_and(|last| n - last <= window.stride))
        }),
        drawn(Property::refutation(
            "conv-padded-output.one-side",
            &["conv-padded-output"],
            "the padding counts once: ⌊(N + P − F)/S⌋ + 1",
        ))
        .check(|case| {
            let (window, n) = fitting(case)?;
            let window = window.padded(window.padding[0]);
            let once = window.padded_by(window.padding[0], 0);
            Ok(apart(once.output(n)?, counted(&window, n)))
        }),
    ]
}

fn pooled() -> Vec<Property> {
    const POOL: &[&str] = &["pool-output-w", "conv-padded-output"];
    vec![
        Property::new(
            "pool-params.overlap",
            &["pool-params"],
            "neighbouring windows share max(F − S, 0) elements, and leave max(S − F, 0) between them",
        )
        .draw(Draw::size("size", 1..=9))
        .draw(Draw::size("stride", 1..=9))
        .draw(Draw::size("outputs", 2..=9))
        .check(|case| {
            let window = Window::new(case.size("size")).stride(case.size("stride"));
            let n = *window.inputs_for(case.size("outputs"))?.start();
            case.classify(window.size > window.stride, "overlap");
            let windows: Vec<Vec<_>> = window.windows(n)?.map(|taps| taps.elements().collect()).collect();
            let mut off = 0.0;
            for pair in windows.windows(2) {
                let shared = pair[0].iter().filter(|element| pair[1].contains(element)).count();
                off += apart(shared, window.size.saturating_sub(window.stride));
                let between =
                    (0..n).filter(|e| pair[0].iter().all(|a| a < e) && pair[1].iter().all(|b| e < b));
                off += apart(between.count(), window.stride.saturating_sub(window.size));
            }
            Ok(off)
        }),
        any(
            "pool-output-w.ceil",
            POOL,
            "rounded up it is what is counted if windows may stick out behind, one at most",
        )
        .check(|case| {
            let (window, n) = window_of(case);
            let length = n + window.padding[0] + window.padding[1];
            let inside = counted(&window, n);
            // One more: less than a stride sticks out, and it starts before the padding behind.
            let extra = (inside * window.stride < n + window.padding[0])
                && inside * window.stride + window.extent()? < length + window.stride;
            case.classify(extra, "one more");
            Ok(apart(number(window.output_ceil(n))?, inside + usize::from(extra)))
        }),
        any(
            "pool-output-w.pytorch",
            POOL,
            "with padding up to half of the window it is PyTorch's rule, as that is written",
        )
        .check(|case| {
            let (window, n) = window_of(case);
            let padding = window.padding[0].min(window.size / 2);
            let window = window.padded(padding);
            let signed = |x: usize| x as i64;
            let (s, p) = (signed(window.stride), signed(padding));
            let reach = signed(window.dilation) * (signed(window.size) - 1);
            let mut out = (signed(n) + 2 * p - reach - 1 + (s - 1)).div_euclid(s) + 1;
            if (out - 1) * s >= signed(n) + p {
                out -= 1;
            }
            Ok(apart(number(window.output_ceil(n))?, out.max(0) as usize))
        }),
        any(
            "pool-output-w.between",
            POOL,
            "rounded up it is no less than rounded down, and one more at most; they agree where \
             S divides",
        )
        .holds(|case| {
            let (window, n) = window_of(case);
            let (floor, ceil) = (number(window.output(n))?, number(window.output_ceil(n))?);
            let length = n + window.padding[0] + window.padding[1];
            let divides = floor > 0 && (length - window.extent()?).is_multiple_of(window.stride);
            Ok((floor..=floor + 1).contains(&ceil) && (!divides || ceil == floor))
        }),
        any(
            "pool-output-w.not-empty",
            POOL,
            "a window without holes reads an element wherever it is, rounded up or down, if each \
             side's padding is shorter than it",
        )
        .holds(|case| {
            let (window, n) = window_of(case);
            let f = window.size;
            let window =
                window.dilation(1).padded_by(window.padding[0].min(f - 1), window.padding[1].min(f - 1));
            let mut read = true;
            for position in 0..number(window.output(n))? {
                read &= window.taps(n, position)?.len() > 0;
            }
            for position in 0..number(window.output_ceil(n))? {
                read &= window.taps_ceil(n, position)?.len() > 0;
            }
            Ok(read)
        }),
        any(
            "pool-output-w.every-element",
            POOL,
            "rounded up, no element behind the windows is left out, if S ≤ F and there are no holes",
        )
        .holds(|case| {
            let (window, n) = window_of(case);
            let window = window.dilation(1).padded(0).stride(window.stride.min(window.size));
            let mut seen = vec![false; n];
            for position in 0..number(window.output_ceil(n))? {
                window.taps_ceil(n, position)?.elements().for_each(|element| seen[element] = true);
            }
            // Where not even one window sticks out far enough there is none.
            let none = n + window.stride - 1 < window.size;
            Ok(none || seen.iter().all(|&seen| seen))
        }),
        Property::refutation(
            "pool-output-w.printed",
            &["pool-output-w"],
            "the width is (W − F)/S + 1, without a floor",
        )
        .draw(Draw::size("n", 1..=12))
        .draw(Draw::size("size", 1..=9))
        .draw(Draw::size("stride", 1..=6))
        .check(|case| {
            let (f, s) = (case.size("size"), case.size("stride"));
            let n = case.size("n") + f - 1;
            let window = Window::new(f).stride(s);
            let printed = (n as f64 - f as f64) / s as f64 + 1.0;
            let off = |count: usize| (printed - count as f64).abs();
            Ok(off(window.output(n)?).min(off(window.output_ceil(n)?)))
        }),
        drawn(Property::refutation(
            "pool-output-w.naive-ceil",
            &["pool-output-w"],
            "ceil mode is ⌈(W − F)/S⌉ + 1, and each of these windows reads something",
        ))
        .holds(|case| {
            let (window, n) = fitting(case)?;
            let window = window.padded(0);
            let naive = (n - window.extent()?).div_ceil(window.stride) + 1;
            Ok((0..naive).all(|position| position * window.stride < n))
        }),
    ]
}
